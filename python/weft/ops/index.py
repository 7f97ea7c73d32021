"""NumPy's indexing: integers, slices, `None`, `...` and arrays of integers.

An index without arrays is a slice, a reverse and a reshape; one with scalars that are
traced is a dynamic_slice, and any other is a gather.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Literal, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import BOOL, INT, is_kind, spell
from ..errors import ArgumentError, IndexingError, public
from .choice import select
from .create import zeros
from .logic import greater_equal, less, logical_and
from .registry import ArrayLike, Shape, as_array, broadcast_operand, cast
from .shape import (
    axis_index,
    broadcast_to,
    moveaxis,
    reshape,
    reverse,
    slice,
    transpose,
)
from .slices import dynamic_slice, from_end, gather, indices_of

__all__ = ["take", "take_along_axis"]

BasicIndex: TypeAlias = int | builtins.slice | EllipsisType | None
IndexEntry: TypeAlias = BasicIndex | Array | np.ndarray
Index: TypeAlias = IndexEntry | tuple[IndexEntry, ...]
Mode: TypeAlias = Literal["clip", "fill"]


def getitem(x: Array, index: Index) -> Array:
    """`x[index]`; indices in arrays are moved into the array where they leave it."""
    entries = expanded(x, index)
    if not builtins.any(isinstance(entry, Array) for entry in entries):
        return _basic(x, entries)
    return read(x, Plan.of(x, entries), "clip")


def _basic(x: Array, entries: Sequence[Any]) -> Array:
    starts, limits, strides, flips, shape = [], [], [], [], []
    axis = 0
    for entry in entries:
        if entry is Ellipsis:
            continue
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
            start, limit, stride = entry, entry + 1, 1
        starts.append(start)
        limits.append(limit)
        strides.append(builtins.abs(stride))
        axis += 1
    cut = slice(x, starts, limits, strides)
    return reshape(reverse(cut, flips), shape)


# ---- an index, taken apart ----


@dataclass(frozen=True, slots=True)
class Plan:
    """An index as slices that begin at computed indices.

    The slices have the axes of `indices` (those of the user's arrays, then one for
    each strided slice), then the array's axes that are not `collapsed`. `order`
    permutes them into the axes of `x[index]`, into which `shape` puts the new ones.
    """

    indices: dict[int, Array]
    sizes: Shape
    collapsed: Shape
    order: Shape
    shape: Shape

    @staticmethod
    def of(x: Array, entries: Sequence[Any]) -> Plan:
        """The plan of an index that names every axis."""
        parts, axis = _Parts(x), 0
        for entry in entries:
            parts.add(entry, axis)
            axis += _has_axis(entry)
        return parts.plan()

    @property
    def lead(self) -> Shape:
        """The shape of the indices."""
        return next(iter(self.indices.values())).shape

    @property
    def slices_shape(self) -> Shape:
        """The shape of all slices together."""
        kept = (n for i, n in enumerate(self.sizes) if i not in self.collapsed)
        return (*self.lead, *kept)


class _Parts:
    """A plan under construction: what each entry of an index contributes."""

    def __init__(self, x: Array) -> None:
        self.x = x
        self.sizes = list(x.shape)
        self.arrays: dict[int, Array] = {}
        self.strided: dict[int, np.ndarray] = {}
        self.first: dict[int, int] = {}
        # The axes of the result: "array", "new", "nothing" or one of the array's.
        self.layout: list[Any] = []
        self.apart = False

    def add(self, entry: Any, axis: int) -> None:
        if entry is None or entry is Ellipsis:
            self.layout.append("new" if entry is None else "nothing")
        elif isinstance(entry, builtins.slice):
            self._add_slice(entry, axis)
        else:
            self._add_array(entry, axis)

    def _add_slice(self, entry: builtins.slice, axis: int) -> None:
        size = self.x.shape[axis]
        self.layout.append(axis)
        start, stop, step = _indices(entry, size)
        counts = np.arange(start, stop, step, dtype=np.int64)
        if step != 1 and counts.size > 1:
            self.strided[axis] = counts
            self.sizes[axis] = 1
        elif counts.size != size:
            self.first[axis] = int(counts[0]) if counts.size else 0
            self.sizes[axis] = counts.size

    def _add_array(self, entry: int | Array, axis: int) -> None:
        array = Array(np.asarray(entry, INT)) if isinstance(entry, int) else entry
        if "array" not in self.layout:
            self.layout.append("array")
        elif self.layout[-1] != "array":
            self.apart = True
        self.arrays[axis] = from_end(indices_of("an index", array), self.x.shape[axis])
        self.sizes[axis] = 1

    def plan(self) -> Plan:
        shape = _common_shape(list(self.arrays.values()))
        spread = len(self.strided)
        lead = (*shape, *(counts.size for counts in self.strided.values()))
        indices = {
            axis: _spread(array, (*array.shape, *(1,) * spread), lead)
            for axis, array in self.arrays.items()
        }
        for place, (axis, counts) in enumerate(self.strided.items()):
            own = (counts.size, *(1,) * (spread - 1 - place))
            indices[axis] = _spread(Array(counts), own, lead)
        for axis, first in self.first.items():
            indices[axis] = _spread(Array(np.asarray(first, INT)), (), lead)
        if not indices and self.x.ndim:
            indices[0] = Array(np.asarray(0, INT))
        collapsed = tuple(sorted((*self.arrays, *self.strided)))
        order, sizes = self._order(shape, collapsed)
        return Plan(indices, tuple(self.sizes), collapsed, order, sizes)

    def _order(self, shape: Shape, collapsed: Shape) -> tuple[Shape, Shape]:
        """Where each axis of the result comes from, and the result's shape."""
        ndim = len(shape)
        tags: list[Any] = [*range(-ndim, 0), *self.strided]
        tags += [i for i in range(self.x.ndim) if i not in collapsed]
        layout = self.layout
        if self.apart:
            layout = ["array", *(tag for tag in layout if tag != "array")]
        order, sizes = [], []
        for tag in layout:
            if tag == "new":
                sizes.append(1)
            elif tag == "nothing":
                continue
            elif tag == "array":
                order += range(ndim)
                sizes += shape
            else:
                order.append(tags.index(tag))
                strided = self.strided.get(tag)
                sizes.append(self.sizes[tag] if strided is None else strided.size)
        return tuple(order), tuple(sizes)


def _common_shape(arrays: Sequence[Array]) -> Shape:
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise IndexingError(
            f"the arrays of an index have shapes {shapes}, which do not broadcast"
        ) from None


def _spread(index: Array, shape: Shape, lead: Shape) -> Array:
    return broadcast_operand(reshape(index, shape), lead)


# ---- reading ----


def read(
    x: Array, plan: Plan, mode: Mode, fill_value: ArrayLike | None = None
) -> Array:
    """What `x` has where a plan says."""
    if not math.prod(plan.shape):
        return zeros(plan.shape, dtype=x.dtype)
    check_has_elements(x, plan)
    if not plan.indices:
        return reshape(x, plan.shape)
    if not plan.lead and mode == "clip":
        starts = [plan.indices.get(axis, 0) for axis in range(x.ndim)]
        return reshape(dynamic_slice(x, starts, plan.sizes), plan.shape)
    slices = gather(
        x, list(plan.indices.values()), dims=tuple(plan.indices),
        sizes=plan.sizes, collapsed=plan.collapsed, mode="clip",
    )  # fmt: skip
    if mode == "fill":
        slices = _filled(x, plan, slices, fill_value)
    return reshape(transpose(slices, plan.order), plan.shape)


def check_has_elements(x: Array, plan: Plan) -> None:
    """Raises where a place is asked for along an axis that has none."""
    for axis in plan.collapsed:
        if x.shape[axis] == 0:
            raise IndexingError(
                f"axis {axis} of {spell(x.dtype, x.shape)} has no elements to index"
            )


def _filled(x: Array, plan: Plan, slices: Array, fill_value: ArrayLike | None) -> Array:
    inside: Array | None = None
    for axis, index in plan.indices.items():
        fits = logical_and(
            greater_equal(index, 0), less(index, x.shape[axis] - plan.sizes[axis] + 1)
        )
        inside = fits if inside is None else logical_and(inside, fits)
    assert inside is not None
    shape = (*inside.shape, *(1,) * (slices.ndim - inside.ndim))
    value = cast(_nothing(x) if fill_value is None else fill_value, x.dtype)
    return select(reshape(inside, shape), slices, value)


def _nothing(x: Array) -> Array:
    """What stands where there is nothing: NaN, the least or the largest integer."""
    if is_kind(x.dtype, "float"):
        value: Any = np.nan
    elif is_kind(x.dtype, "bool"):
        value = True
    else:
        info = np.iinfo(x.dtype)
        value = info.max if info.min == 0 else info.min
    return Array(np.asarray(value, x.dtype))


def _check_mode(name: str, mode: str) -> None:
    if mode not in ("clip", "fill"):
        raise ArgumentError(f"{name}: mode is 'clip' or 'fill', not {mode!r}")


@public
def take(
    x: ArrayLike,
    indices: ArrayLike,
    /,
    *,
    axis: int | None = None,
    mode: Mode = "fill",
    fill_value: ArrayLike | None = None,
) -> Array:
    """The elements of `x` at indices along an axis, or of all elements in order.

    Negative indices count from the end. Others beyond it give `fill_value` (by default
    NaN, or the least integer) or, with `mode="clip"`, the last element.

    >>> weft.take(weft.asarray([5, 6, 7]), weft.asarray([2, 0]))
    Array([7, 5], dtype=int64)
    """
    array, index = as_array(x, "take"), indices_of("take", indices)
    _check_mode("take", mode)
    if axis is None:
        array, axis = reshape(array, (-1,)), 0
    along = axis_index("take", axis, array.ndim)
    entries: list[Any] = [builtins.slice(None)] * array.ndim
    entries[along] = index
    return read(array, Plan.of(array, entries), mode, fill_value)


@public
def take_along_axis(
    x: ArrayLike,
    indices: ArrayLike,
    /,
    *,
    axis: int = -1,
    mode: Mode = "fill",
    fill_value: ArrayLike | None = None,
) -> Array:
    """The elements of each row of `x` along an axis, at the indices in its row.

    The other axes broadcast. Negative indices count from the end. Others beyond it
    give `fill_value` (by default NaN, or the least integer) or, with `mode="clip"`, the
    last element.

    >>> x = weft.asarray([[5, 6], [7, 8]])
    >>> weft.take_along_axis(x, weft.asarray([[1], [0]]), axis=1)
    Array([[6],
           [7]], dtype=int64)
    """
    name = "take_along_axis"
    array, index = as_array(x, name), indices_of(name, indices)
    _check_mode(name, mode)
    along = axis_index(name, axis, array.ndim)
    if index.ndim != array.ndim:
        raise IndexingError(
            f"{name}: indices of shape {index.shape} for "
            f"{spell(array.dtype, array.shape)}; they need as many axes"
        )
    rows = list(_common_shape([_without(array, along), _without(index, along)]))
    size, count = array.shape[along], index.shape[along]
    array = broadcast_to(array, (*rows[:along], size, *rows[along:]))
    index = moveaxis(
        broadcast_to(index, (*rows[:along], count, *rows[along:])), along, -1
    )
    index = from_end(index, size)
    others = tuple(i for i in range(array.ndim) if i != along)
    plan = Plan(
        {along: index},
        (1,) * array.ndim,
        (along,),
        tuple(range(array.ndim)),
        index.shape,
    )
    if not index.size:
        return zeros((*rows[:along], count, *rows[along:]), dtype=array.dtype)
    check_has_elements(array, plan)
    taken = gather(
        array, [index], dims=[along], sizes=plan.sizes, collapsed=[along],
        batch=others, mode="clip",
    )  # fmt: skip
    if mode == "fill":
        taken = _filled(array, plan, taken, fill_value)
    return moveaxis(taken, -1, along)


def _without(x: Array, axis: int) -> Array:
    """Something with the shape of an array without an axis, for broadcasting."""
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    return Array(np.broadcast_to(np.zeros((), np.int8), shape))


# ---- the entries ----


def _slice_bounds(entry: builtins.slice, size: int) -> tuple[int, int, int, int]:
    """Start, limit, stride and length; a negative stride reads backwards later."""
    start, stop, step = _indices(entry, size)
    length = len(range(start, stop, step))
    if length == 0:
        return 0, 0, 1, 0
    last = start + (length - 1) * step
    return (start, last + 1, step, length) if step > 0 else (
        last, start + 1, step, length
    )  # fmt: skip


def _indices(entry: builtins.slice, size: int) -> tuple[int, int, int]:
    try:
        return entry.indices(size)
    except ValueError:
        raise IndexingError("the step of a slice is zero; it must not be") from None
    except TypeError:
        raise IndexingError(
            "a slice takes Python integers: the shape of the result is part of the "
            "program; make the bound a static argument of jit, or use "
            "weft.dynamic_slice, which takes a computed start"
        ) from None


def _position(x: Array, entry: int, axis: int) -> int:
    size, position = x.shape[axis], entry
    if not -size <= position < size:
        raise IndexingError(
            f"index {position} is out of range for axis {axis} of shape {x.shape}"
        )
    return position % size


def expanded(x: Array, index: Index) -> list[Any]:
    """The entries of an index, one for each axis and each `None`.

    They are integers from 0, slices, `None` and arrays of integers; and `...`, where it
    stands for no axis but keeps arrays apart.
    """
    entries = index if isinstance(index, tuple) else (index,)
    for entry in entries:
        _check_entry(entry)
    used = builtins.sum(_has_axis(entry) for entry in entries)
    if used > x.ndim:
        raise IndexingError(
            f"{used} indices for an array of {x.ndim} "
            f"dimension{'' if x.ndim == 1 else 's'} (shape {x.shape})"
        )
    ellipses = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexingError("an index takes one '...' at most")
    place = ellipses[0] if ellipses else len(entries)
    whole: list[Any] = [builtins.slice(None)] * (x.ndim - used)
    if ellipses and not whole:
        whole = [Ellipsis]
    full = [*entries[:place], *whole, *entries[place + 1 :]]
    axes = np.cumsum([0, *(_has_axis(entry) for entry in full)])
    return [
        _entry(x, entry, int(axis)) for entry, axis in zip(full, axes, strict=False)
    ]


def _has_axis(entry: object) -> bool:
    return entry is not None and entry is not Ellipsis


def _entry(x: Array, entry: Any, axis: int) -> Any:
    if not _has_axis(entry) or isinstance(entry, builtins.slice):
        return entry
    if isinstance(entry, Array) and (entry.ndim or type(entry) is not Array):
        return entry
    if isinstance(entry, np.ndarray) and entry.ndim:
        return as_array(entry, "an index")
    return _position(x, operator.index(entry), axis)


def _check_entry(entry: object) -> None:
    if entry is None or entry is Ellipsis or isinstance(entry, builtins.slice):
        return
    if isinstance(entry, (Array, np.ndarray)):
        if entry.dtype == BOOL:
            raise IndexingError(
                f"an index of bools ({spell(entry.dtype, entry.shape)}) is not "
                "supported: how many elements it takes is not known while a program "
                "is traced. Use weft.where(mask, x, other) for a choice, and "
                "weft.sum(x, where) style products with the mask for a sum"
            )
        if is_kind(entry.dtype, "integer"):
            return
    is_bool = isinstance(entry, (bool, np.bool_))
    if is_bool or not hasattr(entry, "__index__") or getattr(entry, "ndim", 0):
        raise IndexingError(
            f"an index of type {type(entry).__name__!r} is not supported; an index is "
            "made of integers, slices, None, '...' and arrays of integers"
        )
