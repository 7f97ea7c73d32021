"""Quantiles, percentiles and medians along axes, and those of what is not NaN."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from ..array import Array
from ..dtypes import INT, Kind
from ..errors import ArgumentError, public
from .arithmetic import ceil, floor, maximum, minimum, multiply, round
from .choice import astype, select
from .create import full
from .entries import known
from .logic import isinf, isnan, logical_and, logical_not, logical_or
from .reduce import Axis, floats
from .reduce import sum as total
from .registry import F64, ArrayLike, Shape, as_array
from .shape import axis_tuple, broadcast_to, moveaxis, reshape, transpose
from .sorting import sort
from .taking import take, take_along_axis

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

Method = Literal[
    "linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf",
    "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "median_unbiased", "normal_unbiased",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rounding:
    """Functions of numbers: NumPy's where they are known, Weft's where traced."""

    floor: Callable[[Any], Any]
    ceil: Callable[[Any], Any]
    round: Callable[[Any], Any]
    where: Callable[[Any, Any, Any], Any]


_KNOWN: Final = Rounding(np.floor, np.ceil, np.round, np.where)
_TRACED: Final = Rounding(floor, ceil, round, select)

# Place, in sorted elements, of a quantile: n q + alpha + q (1 - alpha - beta) - 1.
_CONTINUOUS: Final = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


def _lower(m: Rounding, place: Any) -> tuple[Any, Any]:
    return m.floor(place), 0.0


def _higher(m: Rounding, place: Any) -> tuple[Any, Any]:
    return m.ceil(place), 0.0


def _nearest(m: Rounding, place: Any) -> tuple[Any, Any]:
    return m.round(place), 0.0


def _midpoint(m: Rounding, place: Any) -> tuple[Any, Any]:
    low = m.floor(place)
    return low, m.where(place == low, 0.0, 0.5)


_AMONG: Final = {
    "lower": _lower, "higher": _higher, "nearest": _nearest, "midpoint": _midpoint,
}  # fmt: skip


def _inverted(m: Rounding, place: Any) -> tuple[Any, Any]:
    return m.ceil(place), 0.0


def _averaged(m: Rounding, place: Any) -> tuple[Any, Any]:
    low = m.floor(place)
    return low, m.where(place == low, 0.5, 1.0)


def _closest(m: Rounding, place: Any) -> tuple[Any, Any]:
    low = m.floor(place - 0.5)
    even = (place - 0.5 == low) & (low % 2 == 1)
    return m.where(even, low, low + 1), 0.0


_STEPS: Final = {
    "inverted_cdf": _inverted,
    "averaged_inverted_cdf": _averaged,
    "closest_observation": _closest,
}


def _bracket(m: Rounding, count: Any, q: Any, method: str) -> tuple[Any, Any]:
    """The place of the element below a quantile, and the weight of the next one.

    The methods are those of Hyndman and Fan, Sample Quantiles in Statistical Packages,
    The American Statistician 50 (1996), and four more that NumPy has.
    """
    if method in _AMONG:
        return _AMONG[method](m, (count - 1) * q)
    if method in _STEPS:
        return _STEPS[method](m, count * q - 1)
    if method == "linear":
        place = (count - 1) * q
    elif method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        place = count * q + (alpha + q * (1 - alpha - beta)) - 1
    else:
        names = ", ".join(map(repr, ("linear", *_AMONG, *_STEPS, *_CONTINUOUS)))
        raise ArgumentError(f"quantile: method {method!r} is none of {names}")
    low = m.floor(place)
    return low, place - low


# ---- rows ----


@dataclass(frozen=True, slots=True)
class Rows:
    """An array sorted along some of its axes, which are its last one."""

    sorted: Array
    kept: Shape
    with_ones: Shape

    @staticmethod
    def of(name: str, x: ArrayLike, axis: Axis, kind: Kind = "float") -> Rows:
        array = floats(x, name, kind)
        axes = axis_tuple(name, axis, array.ndim)
        rest = [i for i in range(array.ndim) if i not in axes]
        kept = tuple(array.shape[i] for i in rest)
        ones = tuple(1 if i in axes else n for i, n in enumerate(array.shape))
        last = transpose(array, [*rest, *axes])
        length = math.prod(array.shape[i] for i in axes)
        return Rows(sort(reshape(last, (*kept, length))), kept, ones)

    @property
    def length(self) -> int:
        return self.sorted.shape[-1]

    def restored(self, x: Array, lead: Shape, keepdims: bool) -> Array:
        """A result for each row and, along its last axis, for each of `lead`."""
        front = moveaxis(reshape(x, (*self.kept, math.prod(lead))), -1, 0)
        return reshape(front, (*lead, *(self.with_ones if keepdims else self.kept)))


def _between(low: Array, high: Array, weight: ArrayLike) -> Array:
    """From `low` to `high` by a weight from 0 to 1."""
    w = astype(as_array(weight), low.dtype)
    distance = high - low
    # Of equal infinities there is none, and none of an infinite one is nothing.
    none = logical_or(isnan(distance), logical_and(isinf(distance), w == 0))
    gap = select(none, 0.0, distance)
    return select(w >= 0.5, high - gap * (1 - w), low + gap * w)


def _checked(name: str, q: Any) -> np.ndarray | Array:
    """Quantiles in float64, known numbers where they are known."""
    array = as_array(np.asarray(q) if isinstance(q, (list, tuple)) else q, name)
    values = known(array)
    if values is not None and not ((values >= 0) & (values <= 1)).all():
        raise ArgumentError(
            f"{name}: quantiles are from 0 to 1 (percentiles to 100), not {values}"
        )
    if type(array) is not Array:
        return astype(array, F64)  # it has a derivative, even where it is known
    # As written: a weak 0.1 is not yet a float32.
    exact = isinstance(q, (float, list, tuple))
    return np.asarray(q if exact else array.data, F64)


# ---- of all elements ----


@public
def quantile(
    x: ArrayLike,
    q: ArrayLike | Sequence[float],
    /,
    axis: Axis = None,
    *,
    method: Method = "linear",
    keepdims: bool = False,
) -> Array:
    """The numbers below which the parts `q`, from 0 to 1, of the elements are.

    Of several `q` they are along the first axes of the result. Where a quantile is
    between two elements, `method` says what it is: on the line between them, "lower",
    "higher", "nearest", the "midpoint", or one of NumPy's other names. NaN if one of
    the elements is, or there are none. The derivative is that of the elements between
    which it is, by their weights. Integers are float32.

    >>> weft.quantile(weft.asarray([1.0, 2.0, 4.0]), 0.75)
    Array(3., dtype=float32)
    """
    return _quantile("quantile", x, _checked("quantile", q), axis, method, keepdims)


def _quantile(
    name: str, x: ArrayLike, q: Any, axis: Axis, method: str, keepdims: bool
) -> Array:
    rows = Rows.of(name, x, axis)
    flat, lead = q.reshape(-1), tuple(q.shape)
    m = _TRACED if isinstance(q, Array) else _KNOWN
    low, weight = _bracket(m, rows.length, flat, method)
    if not rows.length:
        nothing = full((*rows.kept, flat.size), math.nan, dtype=rows.sorted.dtype)
        return rows.restored(nothing, lead, keepdims)

    def at(place: Any) -> Array:
        last = rows.length - 1
        if isinstance(place, Array):
            index: Any = astype(minimum(maximum(place, 0), last), INT)
        else:
            index = np.clip(place, 0, last).astype(INT)
        return take(rows.sorted, index, -1, mode="promise_in_bounds")

    if isinstance(weight, float):
        found = at(low)
    else:
        found = _between(at(low), at(low + 1), weight)
    largest = rows.sorted[..., -1:]
    found = select(isnan(largest), largest, found)
    if isinstance(q, Array):
        fits = logical_and(flat >= 0, flat <= 1)
        found = select(fits, found, math.nan)
    return rows.restored(found, lead, keepdims)


@public
def percentile(
    x: ArrayLike,
    q: ArrayLike | Sequence[float],
    /,
    axis: Axis = None,
    *,
    method: Method = "linear",
    keepdims: bool = False,
) -> Array:
    """The numbers below which `q` percent of the elements are (see `weft.quantile`).

    >>> weft.percentile(weft.asarray([1.0, 2.0, 4.0]), 75)
    Array(3., dtype=float32)
    """
    parts = _checked("percentile", _hundredths(q))
    return _quantile("percentile", x, parts, axis, method, keepdims)


def _hundredths(q: Any) -> Any:
    if isinstance(q, Array):
        return astype(q, F64) / 100.0
    return np.asarray(q, F64) / 100.0


@public
def median(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The element in the middle along axes, or the mean of the two that are.

    NaN if one of the elements is, or there are none. Integers are float32, and complex
    numbers in the order of `weft.sort`.

    >>> weft.median(weft.asarray([1.0, 9.0, 2.0, 4.0]))
    Array(3., dtype=float32)
    """
    rows = Rows.of("median", x, axis, "inexact")
    count = rows.length
    if not count:
        nothing = full((*rows.kept, 1), math.nan, dtype=rows.sorted.dtype)
        return rows.restored(nothing, (), keepdims)
    low, high = rows.sorted[..., (count - 1) // 2], rows.sorted[..., count // 2]
    middle = low if count % 2 else multiply(low + high, 0.5)
    largest = rows.sorted[..., -1]
    return rows.restored(select(isnan(largest), largest, middle), (), keepdims)


# ---- of what is not NaN ----


@public
def nanquantile(
    x: ArrayLike,
    q: ArrayLike | Sequence[float],
    /,
    axis: Axis = None,
    *,
    method: Method = "linear",
    keepdims: bool = False,
) -> Array:
    """The quantiles of the elements that are not NaN (see `weft.quantile`).

    >>> weft.nanquantile(weft.asarray([1.0, weft.nan, 2.0, 4.0]), 0.75)
    Array(3., dtype=float32)
    """
    parts = _checked("nanquantile", q)
    return _nanquantile("nanquantile", x, parts, axis, method, keepdims)


def _nanquantile(
    name: str, x: ArrayLike, q: Any, axis: Axis, method: str, keepdims: bool
) -> Array:
    rows = Rows.of(name, x, axis)
    lead = tuple(q.shape)
    if not rows.length:
        return _quantile(name, x, q, axis, method, keepdims)
    parts = as_array(q.reshape(-1))
    count = astype(_numbers(rows), F64)
    low, weight = _bracket(_TRACED, count, parts, method)

    def at(place: Array) -> Array:
        index = astype(minimum(maximum(place, 0.0), maximum(count - 1, 0.0)), INT)
        return take_along_axis(rows.sorted, index, -1, mode="promise_in_bounds")

    low = broadcast_to(low, (*rows.kept, parts.size))
    if isinstance(weight, float):
        found = at(low)
    else:
        found = _between(at(low), at(low + 1), weight)
    if isinstance(q, Array):
        fits = logical_and(parts >= 0, parts <= 1)
        found = select(fits, found, math.nan)
    return rows.restored(found, lead, keepdims)


def _numbers(rows: Rows) -> Array:
    """How many elements of each row are not NaN."""
    return total(logical_not(isnan(rows.sorted)), axis=-1, keepdims=True)


@public
def nanpercentile(
    x: ArrayLike,
    q: ArrayLike | Sequence[float],
    /,
    axis: Axis = None,
    *,
    method: Method = "linear",
    keepdims: bool = False,
) -> Array:
    """The percentiles of the elements that are not NaN (see `weft.quantile`).

    >>> weft.nanpercentile(weft.asarray([1.0, weft.nan, 2.0, 4.0]), 75)
    Array(3., dtype=float32)
    """
    parts = _checked("nanpercentile", _hundredths(q))
    return _nanquantile("nanpercentile", x, parts, axis, method, keepdims)


@public
def nanmedian(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The median of the elements that are not NaN; NaN if all are (see `weft.median`).

    >>> weft.nanmedian(weft.asarray([1.0, weft.nan, 2.0, 4.0]))
    Array(2., dtype=float32)
    """
    rows = Rows.of("nanmedian", x, axis, "inexact")
    if not rows.length:
        return median(x, axis, keepdims=keepdims)
    count = _numbers(rows)

    def at(place: Array) -> Array:
        index = maximum(place, 0)
        return take_along_axis(rows.sorted, index, -1, mode="promise_in_bounds")

    low, high = at((count - 1) // 2), at(count // 2)
    # Not half of the sum where both are one: that may overflow.
    middle = select(count % 2 == 1, low, multiply(low + high, 0.5))
    return rows.restored(middle, (), keepdims)
