"""NumPy's indexing: what `x[index]` reads, and where.

An index without arrays is a slice, a reverse and a reshape; one with scalars that are
traced is a dynamic_slice, and any other is a gather.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..array import Array
from ..dtypes import INT, is_kind, spell
from ..errors import IndexingError
from ..specs import joined_shape
from .choice import select
from .create import zeros
from .entries import Index, Truth, expanded, resolved
from .logic import greater_equal, less, logical_and
from .registry import ArrayLike, Shape, broadcast_operand, cast
from .shape import reshape, reverse, slice, transpose
from .slices import dynamic_slice, from_end, gather, indices_of

Reading = Literal["clip", "fill"]


def getitem(x: Array, index: Index) -> Array:
    """`x[index]`; indices in arrays are moved into the array where they leave it."""
    entries = resolved(expanded(x, index))
    if is_basic(entries):
        return _basic(x, entries)
    return read(x, Plan.of(x, entries), "clip")


def is_basic(entries: Sequence[Any]) -> bool:
    """Whether an index has no arrays."""
    return not builtins.any(isinstance(entry, (Array, Truth)) for entry in entries)


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
        """The plan of an index without masks that names every axis."""
        parts, axis = _Parts(x), 0
        for entry in entries:
            axis += parts.add(entry, axis)
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


def lattice(shape: Shape, entries: Sequence[Any]) -> list[range] | None:
    """The places along each axis, if they are known and some are not neighbours."""
    places = []
    for entry in entries:
        if isinstance(entry, builtins.slice):
            places.append(range(*_indices(entry, shape[len(places)])))
        elif isinstance(entry, int):
            places.append(range(entry, entry + 1))
        elif entry is not None and entry is not Ellipsis:
            return None
    apart = (abs(along.step) > 1 and len(along) > 1 for along in places)
    return places if builtins.any(apart) else None


class _Parts:
    """A plan under construction: what each entry of an index contributes."""

    def __init__(self, x: Array) -> None:
        self.x = x
        self.sizes = list(x.shape)
        self.arrays: dict[int, Array] = {}
        self.strided: dict[int, np.ndarray] = {}
        self.first: dict[int, int] = {}
        self.truths: list[Truth] = []
        # The axes of the result: "array", "new", "nothing" or one of the array's.
        self.layout: list[Any] = []
        self.apart = False

    def add(self, entry: Any, axis: int) -> int:
        """Adds an entry; gives the number of axes that it is about."""
        if entry is None or entry is Ellipsis:
            self.layout.append("new" if entry is None else "nothing")
            return 0
        if isinstance(entry, Truth):
            self._lay_array()
            self.truths.append(entry)
            return 0
        if isinstance(entry, builtins.slice):
            self._add_slice(entry, axis)
        else:
            self._add_array(entry, axis)
        return 1

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
        self._lay_array()
        self.arrays[axis] = from_end(indices_of("an index", array), self.x.shape[axis])
        self.sizes[axis] = 1

    def _lay_array(self) -> None:
        """All arrays together give axes: where they stand, or first if apart."""
        if "array" not in self.layout:
            self.layout.append("array")
        elif self.layout[-1] != "array":
            self.apart = True

    def plan(self) -> Plan:
        shape = index_shape([*self.arrays.values(), *self.truths])
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
            indices[0] = _spread(Array(np.asarray(0, INT)), (), lead)
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


def index_shape(arrays: Sequence[Array | Truth]) -> Shape:
    """The shape that the arrays of an index broadcast to."""
    try:
        return joined_shape(*(array.shape for array in arrays))
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise IndexingError(
            f"the arrays of an index have shapes {shapes}, which do not broadcast"
        ) from None


def _spread(index: Array, shape: Shape, lead: Shape) -> Array:
    return broadcast_operand(reshape(index, shape), lead)


# ---- reading ----


def read(
    x: Array, plan: Plan, mode: Reading, fill_value: ArrayLike | None = None
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
        slices = filled(x, plan, slices, fill_value)
    return reshape(transpose(slices, plan.order), plan.shape)


def check_has_elements(x: Array, plan: Plan) -> None:
    """Raises where a place is asked for along an axis that has none."""
    for axis in plan.collapsed:
        if x.shape[axis] == 0:
            raise IndexingError(
                f"axis {axis} of {spell(x.dtype, x.shape)} has no elements to index"
            )


def filled(x: Array, plan: Plan, slices: Array, fill_value: ArrayLike | None) -> Array:
    """Slices with a value in place of those that leave the array."""
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
    value: Any = np.nan
    if is_kind(x.dtype, "bool"):
        value = True
    elif is_kind(x.dtype, "integer"):
        info = np.iinfo(x.dtype)
        value = info.max if info.min == 0 else info.min
    return Array(np.asarray(value, x.dtype))


# ---- slices ----


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
