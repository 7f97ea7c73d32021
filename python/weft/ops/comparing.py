"""Whether arrays are equal, or nearly so."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from ..array import Array
from ..dtypes import BOOL, INT, is_kind
from ..errors import ShapeError, public
from .arithmetic import abs as magnitude
from .choice import select
from .create import full
from .logic import equal, isfinite, isnan, less_equal, logical_and, logical_or
from .reduce import all as every
from .registry import (
    ArrayLike,
    as_array,
    broadcast_all,
    cast,
    common_dtype,
    common_shape,
)

__all__ = ["allclose", "array_equal", "array_equiv", "isclose"]


@public
def isclose(
    x: ArrayLike,
    y: ArrayLike,
    /,
    rtol: ArrayLike = 1e-05,
    atol: ArrayLike = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Elementwise whether `abs(x - y) <= atol + rtol * abs(y)`.

    Infinities are close to their equals alone, and NaN to NaN if `equal_nan` is true.

    >>> weft.isclose(weft.asarray([1.0, 2.0]), weft.asarray([1.000001, 2.1]))
    Array([ True, False], dtype=bool)
    """
    dtype, _ = common_dtype("isclose", x, y)
    if dtype == BOOL:
        dtype = INT
    first, second = broadcast_all("isclose", cast(x, dtype), cast(y, dtype))
    if not is_kind(dtype, "float"):
        return less_equal(magnitude(first - second), atol + rtol * magnitude(second))
    finite = logical_and(isfinite(first), isfinite(second))
    # Where one is infinite, there is no distance.
    a, b = select(finite, first, 0.0), select(finite, second, 0.0)
    near = less_equal(magnitude(a - b), atol + rtol * magnitude(b))
    found = select(finite, near, equal(first, second))
    if equal_nan:
        found = logical_or(found, logical_and(isnan(first), isnan(second)))
    return found


@public
def allclose(
    x: ArrayLike,
    y: ArrayLike,
    /,
    rtol: ArrayLike = 1e-05,
    atol: ArrayLike = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Whether all elements of two arrays are close (see `weft.isclose`).

    >>> weft.allclose(weft.asarray([1.0, 2.0]), weft.asarray([1.000001, 2.0]))
    Array(True, dtype=bool)
    """
    return every(isclose(x, y, rtol, atol, equal_nan))


@public
def array_equal(x: ArrayLike, y: ArrayLike, /, equal_nan: bool = False) -> Array:
    """Whether two arrays have one shape and equal elements.

    >>> weft.array_equal(weft.arange(3), weft.arange(4))
    Array(False, dtype=bool)
    """
    first, second = as_array(x, "array_equal"), as_array(y, "array_equal")
    if first.shape != second.shape:
        return full((), False)
    found = equal(first, second)
    floats = is_kind(first.dtype, "float") and is_kind(second.dtype, "float")
    if equal_nan and floats:
        found = logical_or(found, logical_and(isnan(first), isnan(second)))
    return every(found)


@public
def array_equiv(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether two arrays broadcast to one shape, and their elements are equal then.

    >>> weft.array_equiv(weft.asarray([1, 1]), 1)
    Array(True, dtype=bool)
    """
    first, second = as_array(x, "array_equiv"), as_array(y, "array_equiv")
    try:
        common_shape("array_equiv", first, second)
    except ShapeError:
        return full((), False)
    return every(equal(first, second))
