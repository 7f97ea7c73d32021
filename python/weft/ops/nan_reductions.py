"""Reductions of the elements that are not NaN."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from typing import Any

from ..array import Array
from ..dtypes import INT, DTypeLike, is_kind, limits, real_dtype
from ..errors import public
from .arithmetic import divide, maximum, subtract
from .choice import select
from .cumulative import cumprod, cumsum
from .logic import isinf, isnan, logical_and, logical_not
from .parts import complex, imag, real
from .reduce import Axis, argmax, argmin, floats, freedom, squares_of, wide
from .reduce import all as every
from .reduce import max as largest
from .reduce import min as smallest
from .reduce import prod as product
from .reduce import sum as total
from .registry import ArrayLike, as_array, cast
from .transcendental import sqrt

__all__ = [
    "nan_to_num",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _replaced(x: ArrayLike, name: str, value: float) -> Array:
    """An array with a number in place of NaN."""
    array = as_array(x, name)
    if not is_kind(array.dtype, "inexact"):
        return array
    return select(isnan(array), cast(value, array.dtype), array)


@public
def nansum(
    x: ArrayLike,
    /,
    axis: Axis = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
) -> Array:
    """Sum over axes with NaN as 0 (see `weft.sum`).

    >>> weft.nansum(weft.asarray([1.0, weft.nan, 2.0]))
    Array(3., dtype=float32)
    """
    return total(_replaced(x, "nansum", 0), axis=axis, dtype=dtype, keepdims=keepdims)


@public
def nanprod(
    x: ArrayLike,
    /,
    axis: Axis = None,
    *,
    dtype: DTypeLike | None = None,
    keepdims: bool = False,
) -> Array:
    """Product over axes with NaN as 1 (see `weft.prod`).

    >>> weft.nanprod(weft.asarray([3.0, weft.nan, 2.0]))
    Array(6., dtype=float32)
    """
    ones = _replaced(x, "nanprod", 1)
    return product(ones, axis=axis, dtype=dtype, keepdims=keepdims)


@public
def nancumsum(
    x: ArrayLike,
    /,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    *,
    reverse: bool = False,
) -> Array:
    """Running sum along an axis with NaN as 0 (see `weft.cumsum`).

    >>> weft.nancumsum(weft.asarray([1.0, weft.nan, 2.0]))
    Array([1., 1., 3.], dtype=float32)
    """
    return cumsum(_replaced(x, "nancumsum", 0), axis, dtype, reverse=reverse)


@public
def nancumprod(
    x: ArrayLike,
    /,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    *,
    reverse: bool = False,
) -> Array:
    """Running product along an axis with NaN as 1 (see `weft.cumprod`).

    >>> weft.nancumprod(weft.asarray([3.0, weft.nan, 2.0]))
    Array([3., 3., 6.], dtype=float32)
    """
    return cumprod(_replaced(x, "nancumprod", 1), axis, dtype, reverse=reverse)


def _extremum(name: str, x: ArrayLike, axis: Axis, keepdims: bool, worst: float) -> Any:
    array = as_array(x, name)
    reduce = largest if worst < 0 else smallest
    if not is_kind(array.dtype, "float"):
        return reduce(array, axis=axis, keepdims=keepdims)
    lost = isnan(array)
    found = reduce(select(lost, worst, array), axis=axis, keepdims=keepdims)
    return select(every(lost, axis=axis, keepdims=keepdims), math.nan, found)


@public
def nanmax(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Largest element along axes that is not NaN; NaN if all are.

    >>> weft.nanmax(weft.asarray([1.0, weft.nan, 2.0]))
    Array(2., dtype=float32)
    """
    return _extremum("nanmax", x, axis, keepdims, -math.inf)


@public
def nanmin(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Smallest element along axes that is not NaN; NaN if all are.

    >>> weft.nanmin(weft.asarray([1.0, weft.nan, 2.0]))
    Array(1., dtype=float32)
    """
    return _extremum("nanmin", x, axis, keepdims, math.inf)


def _place(name: str, x: ArrayLike, axis: int | None, keepdims: bool) -> Array:
    array = as_array(x, name)
    find, worst = (argmax, -math.inf) if name == "nanargmax" else (argmin, math.inf)
    if not is_kind(array.dtype, "float"):
        return find(array, axis=axis, keepdims=keepdims)
    lost = isnan(array)
    # A number that is as bad as NaN is here comes before it.
    held = find(select(lost, worst, array), axis=axis, keepdims=keepdims)
    best = _extremum(name, array, axis, keepdims, worst)
    first = argmin(cast(lost, INT), axis=axis, keepdims=keepdims)
    place = select(best == worst, first, held)
    return select(every(lost, axis=axis, keepdims=keepdims), -1, place)


@public
def nanargmax(
    x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False
) -> Array:
    """Position of the first largest element that is not NaN; -1 if all are.

    >>> weft.nanargmax(weft.asarray([1.0, weft.nan, 2.0]))
    Array(2, dtype=int64)
    """
    return _place("nanargmax", x, axis, keepdims)


@public
def nanargmin(
    x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False
) -> Array:
    """Position of the first smallest element that is not NaN; -1 if all are.

    >>> weft.nanargmin(weft.asarray([1.0, weft.nan, 2.0]))
    Array(0, dtype=int64)
    """
    return _place("nanargmin", x, axis, keepdims)


def _count(x: Array, axis: Axis, keepdims: bool) -> Array:
    """How many elements along axes are not NaN, in the dtype of their parts."""
    numbers = total(logical_not(isnan(x)), axis=axis, keepdims=keepdims)
    return cast(numbers, real_dtype(x.dtype))


@public
def nanmean(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Mean over axes of the elements that are not NaN; NaN if all are.

    >>> weft.nanmean(weft.asarray([1.0, weft.nan, 2.0]))
    Array(1.5, dtype=float32)
    """
    array = floats(x, "nanmean", "inexact")
    return cast(_mean(wide(array), axis, keepdims), array.dtype)


def _mean(x: Array, axis: Axis, keepdims: bool) -> Array:
    found = nansum(x, axis, keepdims=keepdims)
    return divide(found, _count(x, axis, keepdims))


@public
def nanvar(
    x: ArrayLike,
    /,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    ddof: float | None = None,
    keepdims: bool = False,
) -> Array:
    """Variance over axes of the elements that are not NaN (see `weft.var`).

    NaN where there are no more of them than `correction` (or `ddof`, its other name).

    >>> weft.nanvar(weft.asarray([1.0, weft.nan, 2.0]))
    Array(0.25, dtype=float32)
    """
    array = floats(x, "nanvar", "inexact")
    found = _variance(array, axis, freedom(correction, ddof), keepdims)
    return cast(found, real_dtype(array.dtype))


def _variance(x: Array, axis: Axis, correction: float, keepdims: bool) -> Array:
    x = wide(x)
    centred = subtract(x, _mean(x, axis, keepdims=True))
    squares = squares_of(select(isnan(x), 0.0, centred))
    count = _count(x, axis, keepdims) - correction
    found = divide(total(squares, axis=axis, keepdims=keepdims), maximum(count, 0.0))
    return select(count > 0, found, math.nan)


@public
def nanstd(
    x: ArrayLike,
    /,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    ddof: float | None = None,
    keepdims: bool = False,
) -> Array:
    """Standard deviation over axes: the square root of `weft.nanvar`.

    >>> weft.nanstd(weft.asarray([1.0, weft.nan, 2.0]))
    Array(0.5, dtype=float32)
    """
    array = floats(x, "nanstd", "inexact")
    found = _variance(array, axis, freedom(correction, ddof), keepdims)
    return cast(sqrt(found), real_dtype(array.dtype))


@public
def nan_to_num(
    x: ArrayLike,
    /,
    copy: bool = True,
    nan: ArrayLike = 0.0,
    posinf: ArrayLike | None = None,
    neginf: ArrayLike | None = None,
) -> Array:
    """`x` with numbers in place of NaN and infinities: by default 0 and the largest.

    Of a complex number it replaces each part.
    `copy` is accepted for NumPy's sake: arrays are immutable.

    >>> weft.nan_to_num(weft.asarray([weft.nan, weft.inf, 1.0]), posinf=9.0)
    Array([0., 9., 1.], dtype=float32)
    """
    array = as_array(x, "nan_to_num")
    if is_kind(array.dtype, "complex"):
        re, im = (
            nan_to_num(part(array), nan=nan, posinf=posinf, neginf=neginf)
            for part in (real, imag)
        )
        return complex(re, im)
    if not is_kind(array.dtype, "float"):
        return array
    most = float(limits(array.dtype).max)
    high = cast(most if posinf is None else posinf, array.dtype)
    low = cast(-most if neginf is None else neginf, array.dtype)
    found = select(isnan(array), cast(nan, array.dtype), array)
    found = select(logical_and(isinf(array), array > 0), high, found)
    return select(logical_and(isinf(array), array < 0), low, found)
