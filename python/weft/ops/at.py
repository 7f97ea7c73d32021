"""`x.at[index].set(y)` and its kin: arrays with some elements updated."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from ..array import Array
from ..dtypes import code, is_kind, promote, spell
from ..errors import ArgumentError, DTypeError, ShapeError, public_methods
from . import index, slices
from .arithmetic import add, divide, maximum, minimum, multiply, negative, pow
from .create import ones_like
from .registry import ArrayLike, as_array, cast, common_dtype
from .shape import broadcast_to, reshape, transpose

Mode = Literal["clip", "drop", "fill"]


@public_methods
class Indexer:
    """What `x.at` is: `x.at[index]` says which elements an update is about."""

    __slots__ = ("_x",)

    def __init__(self, x: Array) -> None:
        self._x = x

    def __getitem__(self, entries: index.Index) -> Updater:
        return Updater(self._x, entries)


@public_methods
class Updater:
    """Elements of an array, of which a method makes an array with them updated.

    Updates to elements that are not there are left out (`mode="drop"`) or, with
    `mode="clip"`, made to the nearest. Where an element is named several times, `add`,
    `multiply`, `min` and `max` take all updates, and `set` the last.

    >>> weft.zeros(3).at[weft.asarray([0, 2, 2])].add(1.0)
    Array([1., 0., 2.], dtype=float32)
    """

    __slots__ = ("_plan", "_x")

    def __init__(self, x: Array, entries: index.Index) -> None:
        self._x = x
        self._plan = index.Plan.of(x, index.expanded(x, entries))

    def get(self, *, mode: Mode = "clip", fill_value: ArrayLike | None = None) -> Array:
        """The elements; where there is none the nearest, or `fill_value`.

        With `mode="fill"`, that is by default NaN, or the least integer.
        """
        fills = _checked(mode) != "clip"
        return index.read(self._x, self._plan, "fill" if fills else "clip", fill_value)

    def set(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """The elements replaced by `values`."""
        return self._updated(slices.scatter, lambda x, y: y, values, mode)

    def add(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """`values` added to the elements."""
        return self._updated(slices.scatter_add, add, values, mode)

    def subtract(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """`values` subtracted from the elements."""
        return self.add(negative(self._values(values)), mode=mode)

    def multiply(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """The elements multiplied by `values`."""
        return self._updated(slices.scatter_multiply, multiply, values, mode)

    mul = multiply

    def divide(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """The elements divided by `values`."""
        return divide(self._x, self._ones().multiply(values, mode=mode))

    def power(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """The elements raised to the power of `values`."""
        return pow(self._x, self._ones().multiply(values, mode=mode))

    def min(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """The minimum of the elements and `values`."""
        return self._updated(slices.scatter_minimum, minimum, values, mode)

    def max(self, values: ArrayLike, *, mode: Mode = "drop") -> Array:
        """The maximum of the elements and `values`."""
        return self._updated(slices.scatter_maximum, maximum, values, mode)

    def apply(
        self, function: Callable[[Array], Array], *, mode: Mode = "drop"
    ) -> Array:
        """A function applied to the elements, once where one is named several times."""
        return self.set(function(self.get()), mode=mode)

    def _ones(self) -> Updater:
        other = object.__new__(Updater)
        other._x, other._plan = ones_like(self._x), self._plan
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

    def _updated(
        self,
        scatter: slices.Scatter,
        combine: Callable[[Array, Array], Array],
        values: ArrayLike,
        mode: Mode,
    ) -> Array:
        x, plan = as_array(self._x), self._plan
        new = self._values(values)
        clips = _checked(mode) == "clip"
        try:
            new = broadcast_to(new, plan.shape)
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
        return scatter(
            x, _as_slices(new, plan), list(plan.indices.values()),
            dims=tuple(plan.indices), collapsed=plan.collapsed,
            mode="clip" if clips else "drop",
        )  # fmt: skip


def _as_slices(values: Array, plan: index.Plan) -> Array:
    """Values with the axes of `x[index]`, as the slices of a plan."""
    shape = plan.slices_shape
    moved = reshape(values, tuple(shape[axis] for axis in plan.order))
    inverse: list[Any] = [0] * len(plan.order)
    for to, source in enumerate(plan.order):
        inverse[source] = to
    return transpose(moved, inverse)


def _checked(mode: Mode) -> Mode:
    if mode not in ("clip", "drop", "fill"):
        raise ArgumentError(f"mode is 'clip', 'drop' or 'fill', not {mode!r}")
    return mode
