"""`x.at[index].set(y)` and its kin: arrays with some elements updated."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from ..array import Array
from ..dtypes import BOOL, code, is_kind, promote, spell
from ..errors import DTypeError, IndexingError, ShapeError, public_methods
from . import index, slices
from .arithmetic import add, divide, maximum, minimum, multiply, negative, pow
from .choice import select
from .create import ones_like
from .entries import Index, expanded, is_mask, known, resolved
from .registry import ArrayLike, as_array, by_int8, cast, common_dtype
from .shape import broadcast_to, pad, reshape, reverse, transpose
from .taking import check_mode

Mode = Literal["clip", "drop", "fill", "promise_in_bounds"]
_MODES: Final = ("clip", "drop", "fill", "promise_in_bounds")
Combine = Callable[[Array, Array], Array]

_UPDATES: Final[dict[str, tuple[slices.Scatter, Combine]]] = {
    "set": (slices.scatter, lambda x, y: y),
    "add": (slices.scatter_add, add),
    "multiply": (slices.scatter_multiply, multiply),
    "min": (slices.scatter_minimum, minimum),
    "max": (slices.scatter_maximum, maximum),
}
# Sums and products of bools, as zeros and ones.
_OF_BOOLS: Final = {"add": "max", "multiply": "min"}


@public_methods
class Indexer:
    """What `x.at` is: `x.at[index]` says which elements an update is about."""

    __slots__ = ("_x",)

    def __init__(self, x: Array) -> None:
        self._x = x

    def __getitem__(self, entries: Index) -> Updater:
        return Updater(self._x, entries)


@public_methods
class Updater:
    """Elements of an array, of which a method makes an array with them updated.

    An index is any that `x[index]` takes, and also a mask that is traced, with values
    that broadcast to all elements. Negative indices count from the end. Updates to
    elements that are not there are left out (`mode="drop"`, or "fill") or made to the
    nearest (`mode="clip"`, or "promise_in_bounds", for which there should be none).
    Where an element is named several times, `add`, `multiply`, `min` and `max` take all
    updates one after the other, and `set` and `apply` the last. `unique_indices` and
    `indices_are_sorted` promise what they say and change nothing.

    >>> weft.zeros(3).at[weft.asarray([0, 2, 2])].add(1.0)
    Array([1., 0., 2.], dtype=float32)
    """

    __slots__ = ("_entries", "_known_plan", "_x")

    def __init__(self, x: Array, entries: Index) -> None:
        self._x = x
        self._entries = expanded(x, entries)
        masks = (entry for entry in self._entries if is_mask(entry))
        self._known_plan: index.Plan | None = None
        if builtins.all(known(mask) is not None for mask in masks):
            self._known_plan = index.Plan.of(x, resolved(self._entries))

    @property
    def _plan(self) -> index.Plan:
        if self._known_plan is None:
            resolved(self._entries)  # raises, and says what else to do
        assert self._known_plan is not None
        return self._known_plan

    def get(
        self,
        *,
        mode: Mode = "clip",
        fill_value: ArrayLike | None = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The elements; where there is none the nearest, or `fill_value`.

        With `mode="fill"` (or "drop"), that is by default NaN, or the least integer.
        """
        check_mode("x.at[i].get", mode, _MODES)
        reading = "fill" if mode in ("drop", "fill") else "clip"
        return index.read(self._x, self._plan, reading, fill_value)

    def set(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The elements replaced by `values`."""
        return self._updated("set", values, mode)

    def add(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """`values` added to the elements."""
        return self._updated("add", values, mode)

    def subtract(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """`values` subtracted from the elements."""
        return self.add(negative(self._values(values)), mode=mode)

    def multiply(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The elements multiplied by `values`."""
        return self._updated("multiply", values, mode)

    mul = multiply

    def divide(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The elements divided by `values`."""
        return divide(self._x, self._ones().multiply(values, mode=mode))

    def power(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The elements raised to the power of `values`."""
        return pow(self._x, self._ones().multiply(values, mode=mode))

    def min(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The minimum of the elements and `values`."""
        return self._updated("min", values, mode)

    def max(
        self,
        values: ArrayLike,
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """The maximum of the elements and `values`."""
        return self._updated("max", values, mode)

    def apply(
        self,
        function: Callable[[Array], Array],
        *,
        mode: Mode = "drop",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Array:
        """A function applied to the elements, once where one is named several times."""
        if self._known_plan is None:
            check_mode("x.at[i].apply", mode, _MODES)
            return Masked.of(self._x, self._entries).applied(function)
        return self.set(function(self.get()), mode=mode)

    def _ones(self) -> Updater:
        return self._of(ones_like(self._x))

    def _of(self, x: Array) -> Updater:
        """The same elements of another array of this shape."""
        other = object.__new__(Updater)
        other._x, other._entries = x, self._entries
        other._known_plan = self._known_plan
        return other

    def _values(self, values: ArrayLike) -> Array:
        """New values in the array's dtype, which must be able to hold their kind."""
        dtype, _ = common_dtype("x.at[i]", values)
        weak = not isinstance(values, (Array, np.ndarray, np.generic))
        common = promote((self._x.dtype,) if weak else (self._x.dtype, dtype),
                         (dtype,) if weak else ())  # fmt: skip
        if code(common) != code(self._x.dtype) and not is_kind(common, "integer"):
            raise DTypeError(
                f"an update of {dtype} does not fit into "
                f"{spell(self._x.dtype, self._x.shape)}; convert one of them with "
                ".astype first"
            )
        return cast(values, self._x.dtype)

    def _updated(self, name: str, values: ArrayLike, mode: Mode) -> Array:
        check_mode(f"x.at[i].{name}", mode, _MODES)
        if name != "set" and self._x.dtype == BOOL:
            alike, new = _OF_BOOLS.get(name, name), self._values(values)
            return by_int8(lambda x: self._of(x)._updated(alike, new, mode), self._x)
        scatter, combine = _UPDATES[name]
        x, new = as_array(self._x), self._values(values)
        if self._known_plan is None:
            return Masked.of(x, self._entries).updated(combine, new)
        plan = self._plan
        try:
            new = broadcast_to(_without_ones(new, len(plan.shape)), plan.shape)
        except ShapeError:
            raise ShapeError(
                f"an update of shape {new.shape} does not broadcast to the "
                f"{plan.shape} that the index of {spell(x.dtype, x.shape)} means"
            ) from None
        if not math.prod(plan.shape):
            return x
        index.check_has_elements(x, plan)
        if not plan.indices:
            return combine(x, reshape(new, x.shape))
        if name in ("set", "add", "multiply"):
            places = index.lattice(x.shape, self._entries)
            if places is not None:
                if name != "set":
                    new = combine(x[tuple(self._entries)], new)
                return _between(x, reshape(new, tuple(map(len, places))), places)
        return scatter(
            x, _as_slices(new, plan), list(plan.indices.values()),
            dims=tuple(plan.indices), collapsed=plan.collapsed,
            mode="drop" if mode in ("drop", "fill") else "clip",
        )  # fmt: skip


def _between(x: Array, values: Array, places: Sequence[range]) -> Array:
    """An array with values at places that are equally far apart along each axis."""
    boxes = [_box(along, size) for along, size in zip(places, x.shape, strict=True)]
    box = tuple(builtins.slice(first, first + size) for first, size in boxes)
    isall = all(size == whole for (_, size), whole in zip(boxes, x.shape, strict=True))
    old = x if isall else x[box]
    backwards = [axis for axis, along in enumerate(places) if along.step < 0]
    widths, interior = [], []
    for along, (first, size) in zip(places, boxes, strict=True):
        low, high = min(along), max(along)
        widths.append((low - first, first + size - 1 - high))
        interior.append(abs(along.step) - 1 if len(along) > 1 else 0)
    new = reverse(values, backwards) if backwards else values
    chosen = broadcast_to(as_array(True), values.shape)
    new = select(pad(chosen, widths, False, interior=interior),
                 pad(new, widths, interior=interior), old)  # fmt: skip
    return new if isall else x.at[box].set(new)


def _box(places: range, size: int) -> tuple[int, int]:
    """The first of the neighbours around places, and how many, so that these are parts.

    They are all of an axis where it has no more than would be needed.
    """
    needed = len(places) * abs(places.step) if len(places) > 1 else 1
    if needed > size:
        return 0, size
    return min(min(places), size - needed), needed


def _without_ones(values: Array, ndim: int) -> Array:
    """Values without leading axes of size one that they have too many."""
    extra = values.ndim - ndim
    if extra <= 0 or math.prod(values.shape[:extra]) != 1:
        return values
    return reshape(values, values.shape[extra:])


def _as_slices(values: Array, plan: index.Plan) -> Array:
    """Values with the axes of `x[index]`, as the slices of a plan."""
    shape = plan.slices_shape
    moved = reshape(values, tuple(shape[axis] for axis in plan.order))
    inverse: list[Any] = [0] * len(plan.order)
    for to, source in enumerate(plan.order):
        inverse[source] = to
    return transpose(moved, inverse)


@dataclass(frozen=True, slots=True)
class Masked:
    """Elements of which a traced mask says which ones an update is about.

    They are `x[basic]`, an index without arrays; the mask is of its axes from `axis`
    on.
    """

    x: Array
    basic: tuple[Any, ...]
    mask: Array
    axis: int

    @staticmethod
    def of(x: Array, entries: Sequence[Any]) -> Masked:
        """Takes an index with a mask apart; raises where it has other arrays too."""
        arrays = [entry for entry in entries if isinstance(entry, Array)]
        if len(arrays) > 1:
            shapes = ", ".join(spell(a.dtype, a.shape) for a in arrays)
            raise IndexingError(
                f"a traced mask is the only array of its index, which has {shapes}; "
                "use weft.where, or weft.nonzero(mask, size=n) for indices"
            )
        mask = arrays[0]
        place = next(i for i, entry in enumerate(entries) if entry is mask)
        whole = [builtins.slice(None)] * mask.ndim
        basic = (*entries[:place], *whole, *entries[place + 1 :])
        axis = builtins.sum(_gives_axis(entry) for entry in entries[:place])
        return Masked(x, basic, mask, axis)

    def updated(self, combine: Combine, values: Array) -> Array:
        """The array with values combined into the elements that are meant."""
        old = self.x[self.basic]
        new = broadcast_to(self._spread(values, old), old.shape)
        return self._chosen(old, combine(old, new))

    def applied(self, function: Callable[[Array], Array]) -> Array:
        """The array with a function applied to the elements that are meant."""
        old = self.x[self.basic]
        return self._chosen(old, cast(function(old), old.dtype))

    def _chosen(self, old: Array, new: Array) -> Array:
        rest = old.ndim - self.axis - self.mask.ndim
        mask = reshape(self.mask, (*self.mask.shape, *(1,) * rest))
        return self.x.at[self.basic].set(select(mask, new, old))

    def _spread(self, values: Array, old: Array) -> Array:
        """Values with the axes of the mask, which are one axis of `x[index]`."""
        rest = old.ndim - self.axis - self.mask.ndim
        lead, tail = values.ndim - rest - 1, values.shape[values.ndim - rest :]
        if values.ndim <= rest:
            return values
        if values.shape[lead] != 1:
            shape = (*old.shape[: self.axis], "n", *old.shape[old.ndim - rest :])
            raise ShapeError(
                f"an update of shape {values.shape} gives {values.shape[lead]} to "
                f"the n elements of ({', '.join(map(str, shape))}), and how many a "
                "traced mask takes is not known: give one value for all, or use "
                "weft.where(mask, values, x)"
            )
        return reshape(values, (*values.shape[:lead], *(1,) * self.mask.ndim, *tail))


def _gives_axis(entry: Any) -> bool:
    return entry is None or isinstance(entry, builtins.slice)
