"""Elements taken, and put, along one axis: `take` and its kin."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..array import Array
from ..dtypes import spell
from ..errors import ArgumentError, IndexingError, ShapeError, public
from . import slices
from .create import zeros
from .index import Plan, filled, index_shape, read
from .registry import ArrayLike, Shape, as_array, cast
from .shape import axis_index, broadcast_to, moveaxis, reshape
from .slices import from_end, gather, indices_of

__all__ = ["put_along_axis", "take", "take_along_axis"]

TakeMode = Literal["fill", "clip", "wrap", "promise_in_bounds"]
PutMode = Literal["drop", "fill", "clip", "promise_in_bounds"]


def check_mode(name: str, mode: str, modes: Sequence[str]) -> None:
    """Raises unless a mode is one of some."""
    if mode not in modes:
        *others, last = map(repr, modes)
        raise ArgumentError(
            f"{name}: mode is {', '.join(others)} or {last}, not {mode!r}"
        )


@public
def take(
    x: ArrayLike,
    indices: ArrayLike,
    /,
    axis: int | None = None,
    *,
    mode: TakeMode = "fill",
    fill_value: ArrayLike | None = None,
) -> Array:
    """The elements of `x` at indices along an axis, or of all elements in order.

    Negative indices count from the end. Others beyond it give `fill_value` (by default
    NaN, or the least integer); with `mode="clip"` the last element (and those before
    the first one, the first); with `mode="wrap"` they are taken modulo the size.

    >>> weft.take(weft.asarray([5, 6, 7]), weft.asarray([2, 0]))
    Array([7, 5], dtype=int64)
    """
    array, index = as_array(x, "take"), indices_of("take", indices)
    check_mode("take", mode, ("fill", "clip", "wrap", "promise_in_bounds"))
    if axis is None:
        array, axis = reshape(array, (-1,)), 0
    along = axis_index("take", axis, array.ndim)
    if mode == "wrap" and array.shape[along]:
        index = index % array.shape[along]
    entries: list[Any] = [builtins.slice(None)] * array.ndim
    entries[along] = index
    reading = "fill" if mode == "fill" else "clip"
    return read(array, Plan.of(array, entries), reading, fill_value)


@public
def take_along_axis(
    x: ArrayLike,
    indices: ArrayLike,
    /,
    axis: int | None = -1,
    *,
    mode: TakeMode = "fill",
    fill_value: ArrayLike | None = None,
) -> Array:
    """The elements of each row of `x` along an axis, at the indices in its row.

    The other axes broadcast; `axis=None` takes of all elements in order. What indices
    beyond the end give is said at `weft.take`.

    >>> x = weft.asarray([[5, 6], [7, 8]])
    >>> weft.take_along_axis(x, weft.asarray([[1], [0]]), axis=1)
    Array([[6],
           [7]], dtype=int64)
    """
    name = "take_along_axis"
    check_mode(name, mode, ("fill", "clip", "wrap", "promise_in_bounds"))
    array, index, along = _rows(name, x, indices, axis)
    rows = index_shape([_without(array, along), _without(index, along)])
    size, count = array.shape[along], index.shape[along]
    array = broadcast_to(array, (*rows[:along], size, *rows[along:]))
    shape = (*rows[:along], count, *rows[along:])
    if not index.size or not array.size:
        return _of_nothing(name, array, shape)
    index = index % size if mode == "wrap" else from_end(index, size)
    plan = _plan(array, moveaxis(broadcast_to(index, shape), along, -1), along)
    taken = gather(
        array, list(plan.indices.values()), dims=[along], sizes=plan.sizes,
        collapsed=[along], batch=_others(array, along), mode="clip",
    )  # fmt: skip
    if mode == "fill":
        taken = filled(array, plan, taken, fill_value)
    return moveaxis(taken, -1, along)


@public
def put_along_axis(
    x: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    /,
    axis: int | None = -1,
    *,
    inplace: bool = False,
    mode: PutMode = "drop",
) -> Array:
    """`x` with the elements of each row at the indices in its row replaced.

    Of values for one place the last one stays. Negative indices count from the end;
    others beyond it are left out or, with `mode="clip"`, made to the nearest.
    Arrays are immutable: `inplace` must be false.

    >>> x = weft.asarray([[5, 6], [7, 8]])
    >>> weft.put_along_axis(x, weft.asarray([[1], [0]]), 0, axis=1)
    Array([[5, 0],
           [0, 8]], dtype=int64)
    """
    name = "put_along_axis"
    if inplace:
        raise ArgumentError(
            f"{name}: arrays are immutable, so inplace=True is not possible; use the "
            "array that it returns"
        )
    check_mode(name, mode, ("drop", "fill", "clip", "promise_in_bounds"))
    whole = as_array(x, name)
    array, index, along = _rows(name, whole, indices, axis)
    rows = _without(array, along).shape
    shape = (*rows[:along], index.shape[along], *rows[along:])
    if index_shape([_without(array, along), _without(index, along)]) != rows:
        raise ShapeError(
            f"{name}: indices of shape {index.shape} have more rows than "
            f"{spell(array.dtype, array.shape)}"
        )
    new = broadcast_to(cast(values, array.dtype, name), shape)
    if not new.size:
        return whole
    index = from_end(broadcast_to(index, shape), array.shape[along])
    put = slices.scatter(
        array, moveaxis(new, along, -1), [moveaxis(index, along, -1)], dims=[along],
        collapsed=[along], batch=_others(array, along),
        mode="drop" if mode in ("drop", "fill") else "clip",
    )  # fmt: skip
    return reshape(put, whole.shape)


def _rows(
    name: str, x: ArrayLike, indices: ArrayLike, axis: int | None
) -> tuple[Array, Array, int]:
    """An array and indices of as many axes, and the axis that they are about."""
    array, index = as_array(x, name), indices_of(name, indices)
    if axis is None:
        array, index, axis = reshape(array, (-1,)), reshape(index, (-1,)), 0
    along = axis_index(name, axis, array.ndim)
    if index.ndim != array.ndim:
        raise IndexingError(
            f"{name}: indices of shape {index.shape} for "
            f"{spell(array.dtype, array.shape)}; they need as many axes"
        )
    return array, index, along


def _plan(x: Array, index: Array, along: int) -> Plan:
    sizes = tuple(1 for _ in x.shape)
    return Plan({along: index}, sizes, (along,), tuple(range(x.ndim)), index.shape)


def _of_nothing(name: str, x: Array, shape: Shape) -> Array:
    """No elements of an array, or the error that it has none."""
    if 0 not in shape:
        raise IndexingError(f"{name}: {spell(x.dtype, x.shape)} has no elements")
    return zeros(shape, dtype=x.dtype)


def _others(x: Array, along: int) -> Shape:
    return tuple(axis for axis in range(x.ndim) if axis != along)


def _without(x: Array, axis: int) -> Array:
    """Something with the shape of an array without an axis, for broadcasting."""
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    return Array(np.broadcast_to(np.zeros((), np.int8), shape))
