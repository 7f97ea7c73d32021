"""Basic indexing: integers, slices, `None` and `...`, as slice, reverse and reshape."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import operator
from types import EllipsisType
from typing import TypeAlias

import numpy as np

from ..array import Array
from ..errors import IndexingError
from .shape import reshape, reverse, slice

BasicIndex: TypeAlias = int | builtins.slice | EllipsisType | None
Index: TypeAlias = BasicIndex | tuple[BasicIndex, ...]


def getitem(x: Array, index: Index) -> Array:
    """`x[index]` for integers, slices (any step but zero), `None` and `...`."""
    entries = _expanded(x, index if isinstance(index, tuple) else (index,))
    starts, limits, strides, flips, shape = [], [], [], [], []
    axis = 0
    for entry in entries:
        if entry is None:
            shape.append(1)
            continue
        size = x.shape[axis]
        if isinstance(entry, builtins.slice):
            start, limit, stride, length = _slice_bounds(entry, size)
            shape.append(length)
            if stride < 0:
                flips.append(axis)
        else:
            start = _position(x, operator.index(entry), axis)  # pyright: ignore
            limit, stride = start + 1, 1
        starts.append(start)
        limits.append(limit)
        strides.append(builtins.abs(stride))
        axis += 1
    cut = slice(x, starts, limits, strides)
    return reshape(reverse(cut, flips), shape)


def _slice_bounds(entry: builtins.slice, size: int) -> tuple[int, int, int, int]:
    """Start, limit, stride and length; a negative stride reads backwards later."""
    try:
        start, stop, step = entry.indices(size)
    except ValueError:
        raise IndexingError("the step of a slice is zero; it must not be") from None
    except TypeError:
        raise IndexingError(
            "a slice takes Python integers: the shape of the result is part of the "
            "program; make the bound a static argument of jit"
        ) from None
    length = len(range(start, stop, step))
    if length == 0:
        return 0, 0, 1, 0
    last = start + (length - 1) * step
    return (start, last + 1, step, length) if step > 0 else (
        last, start + 1, step, length
    )  # fmt: skip


def _position(x: Array, entry: int, axis: int) -> int:
    size, position = x.shape[axis], entry
    if not -size <= position < size:
        raise IndexingError(
            f"index {position} is out of range for axis {axis} of shape {x.shape}"
        )
    return position % size


def _expanded(x: Array, entries: tuple[BasicIndex, ...]) -> list[BasicIndex]:
    """The index with `...` and missing axes written out."""
    for entry in entries:
        _check_entry(entry)
    used = builtins.sum(
        entry is not None and entry is not Ellipsis for entry in entries
    )
    if used > x.ndim:
        raise IndexingError(
            f"{used} indices for an array of {x.ndim} "
            f"dimension{'' if x.ndim == 1 else 's'} (shape {x.shape})"
        )
    ellipses = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexingError("an index takes one '...' at most")
    place = ellipses[0] if ellipses else len(entries)
    whole = [builtins.slice(None)] * (x.ndim - used)
    return [*entries[:place], *whole, *entries[place + 1 :]]


def _check_entry(entry: object) -> None:
    if entry is None or entry is Ellipsis or isinstance(entry, builtins.slice):
        return
    if isinstance(entry, Array) and type(entry) is not Array and entry.ndim == 0:
        raise IndexingError(
            "a traced array cannot be an index: its value is not known while the "
            "function is traced. Make it a static argument of jit, or select with "
            "weft.where(weft.arange(n) == i, ...)"
        )
    is_bool = isinstance(entry, (bool, np.bool_))
    if is_bool or not hasattr(entry, "__index__") or getattr(entry, "ndim", 0):
        raise IndexingError(
            f"an index of type {type(entry).__name__!r} is not supported; an index is "
            "made of integers, slices, None and '...'"
        )
