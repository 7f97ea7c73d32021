"""Elementwise arithmetic: signs, sums, products, quotients, powers, rounding."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import operator

import numpy as np

from ..array import Array
from ..dtypes import is_kind, real_dtype
from ..errors import DTypeError
from . import parts
from .logic import logical_and, logical_or
from .registry import (
    C128,
    ArrayLike,
    Call,
    as_array,
    binary,
    elementwise_call,
    in_f64,
    op,
    rounding,
    truth,
    unary,
)

__all__ = [
    "abs",
    "add",
    "atan2",
    "ceil",
    "copysign",
    "divide",
    "floor",
    "floor_divide",
    "hypot",
    "logaddexp",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "pow",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "square",
    "subtract",
    "trunc",
]


# ---- arithmetic of one operand ----


@unary("numeric")
def negative(x: np.ndarray) -> np.ndarray:
    """Elementwise `-x`; integers wrap.

    >>> weft.negative(weft.asarray([1.0, -2.0]))
    Array([-1.,  2.], dtype=float32)
    """
    return np.negative(x)


@unary("numeric", of_bools=truth)
def abs(x: np.ndarray) -> np.ndarray:
    """Elementwise absolute value, real of a complex number.

    The smallest integer stays as it is.

    >>> weft.abs(weft.asarray([1.0, -2.0]))
    Array([1., 2.], dtype=float32)
    """
    if x.dtype.kind == "c":
        return np.abs(x.astype(C128)).astype(real_dtype(x.dtype))
    return np.abs(x)


@unary("numeric")
def sign(x: np.ndarray) -> np.ndarray:
    """Elementwise -1, 0 or 1, of complex numbers `x / abs(x)`; NaN where `x` is NaN.

    >>> weft.sign(weft.asarray([3, 0, -2]))
    Array([ 1,  0, -1], dtype=int64)
    """
    return parts.sign(x) if x.dtype.kind == "c" else np.sign(x)


@unary("numeric", of_bools=truth)
def square(x: np.ndarray) -> np.ndarray:
    """Elementwise `x * x`.

    >>> weft.square(weft.asarray([3, -2]))
    Array([9, 4], dtype=int64)
    """
    return parts.multiply(x, x) if x.dtype.kind == "c" else np.square(x)


@rounding
def ceil(x: np.ndarray) -> np.ndarray:
    """Elementwise smallest integer not below `x`.

    >>> weft.ceil(weft.asarray([1.2, -1.2]))
    Array([ 2., -1.], dtype=float32)
    """
    return np.ceil(x)


@rounding
def floor(x: np.ndarray) -> np.ndarray:
    """Elementwise largest integer not above `x`.

    >>> weft.floor(weft.asarray([1.2, -1.2]))
    Array([ 1., -2.], dtype=float32)
    """
    return np.floor(x)


@rounding
def trunc(x: np.ndarray) -> np.ndarray:
    """Elementwise integer part of `x`.

    >>> weft.trunc(weft.asarray([1.7, -1.7]))
    Array([ 1., -1.], dtype=float32)
    """
    return np.trunc(x)


def _prepare_round(x: ArrayLike, /, decimals: int = 0) -> Call | Array:
    array = as_array(x, "round")
    try:
        digits = operator.index(decimals)
    except TypeError:
        raise DTypeError(
            f"round takes a whole number of decimals, not {decimals!r}"
        ) from None
    if is_kind(array.dtype, "integer"):
        if digits < 0:
            raise DTypeError(
                f"round of {array.dtype} takes no negative decimals; convert it to a "
                "float first"
            )
        return array
    if digits == 0:
        return elementwise_call("round", "float", x)
    scale = 10.0 ** max(digits, -digits)
    scaled, back = (multiply, divide) if digits > 0 else (divide, multiply)
    return back(round(scaled(array, scale)), scale)


@op(_prepare_round)
def round(x: np.ndarray) -> np.ndarray:
    """Elementwise nearest integer, ties to even, or multiple of `10**-decimals`.

    The latter is `round(x * 10**decimals) / 10**decimals` in the dtype of `x`, as
    NumPy has it. Integers stay as they are.

    >>> weft.round(weft.asarray([0.5, 1.5, 2.6]))
    Array([0., 2., 3.], dtype=float32)
    >>> weft.round(weft.asarray([3.14159, 2.71828]), decimals=2)
    Array([3.14, 2.72], dtype=float32)
    """
    return np.rint(x)


@unary("inexact")
def reciprocal(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 / x`.

    >>> weft.reciprocal(weft.asarray([2.0, -4.0]))
    Array([ 0.5 , -0.25], dtype=float32)
    """
    return parts.reciprocal(x) if x.dtype.kind == "c" else np.reciprocal(x)


# ---- arithmetic of two operands ----


@binary("numeric", of_bools=logical_or)
def add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x + y`; integers wrap, and the sum of two bools is `x | y`.

    >>> weft.add(weft.asarray([1, 2]), 3)
    Array([4, 5], dtype=int64)
    """
    return np.add(x, y)


@binary("numeric")
def subtract(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x - y`; integers wrap.

    >>> weft.subtract(weft.asarray([1, 2]), 3)
    Array([-2, -1], dtype=int64)
    """
    return np.subtract(x, y)


@binary("numeric", of_bools=logical_and)
def multiply(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x * y`; integers wrap, and the product of two bools is `x & y`.

    >>> weft.multiply(weft.asarray([1, 2]), 3)
    Array([3, 6], dtype=int64)
    """
    return parts.multiply(x, y) if x.dtype.kind == "c" else np.multiply(x, y)


@binary("inexact")
def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x / y` in floats or complex numbers.

    Complex numbers are divided by Smith's method, as NumPy does.

    >>> weft.divide(weft.asarray([1, 2]), 4)
    Array([0.25, 0.5 ], dtype=float32)
    """
    return parts.divide(x, y) if x.dtype.kind == "c" else np.divide(x, y)


@binary("real")
def floor_divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x // y`, rounded down; an integer divided by zero gives zero.

    >>> weft.floor_divide(weft.asarray([7, -7, 7]), weft.asarray([2, 2, 0]))
    Array([ 3, -4,  0], dtype=int64)
    """
    if is_kind(x.dtype, "float"):
        return np.floor_divide(x, y)
    zero, minus = y == 0, y == (-1 if is_kind(x.dtype, "signed") else 0)
    safe = np.where(zero | minus, 1, y).astype(x.dtype)
    return np.where(zero, 0, np.where(minus, -x, x // safe)).astype(x.dtype)


@binary("real")
def remainder(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x % y`, with the sign of `y`; zero for an integer modulo zero.

    >>> weft.remainder(weft.asarray([7, -7, 7]), weft.asarray([3, 3, 0]))
    Array([1, 2, 0], dtype=int64)
    """
    if is_kind(x.dtype, "float"):
        return np.remainder(x, y)
    trivial = (y == 0) | (y == (-1 if is_kind(x.dtype, "signed") else 1))
    safe = np.where(trivial, 1, y).astype(x.dtype)
    return np.where(trivial, 0, x % safe).astype(x.dtype)


@binary("numeric")
def pow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x ** y`; a negative power of an integer other than ±1 is zero.

    Complex numbers: by multiplications for integers `y` below 100 in magnitude, else
    `exp(y * log(x))`.

    >>> weft.pow(weft.asarray([2.0, 9.0]), 0.5)
    Array([1.4142135, 3.       ], dtype=float32)
    """
    if is_kind(x.dtype, "complex"):
        return in_f64(parts.power, x, y)
    if is_kind(x.dtype, "float"):
        return in_f64(np.power, x, y)
    if is_kind(x.dtype, "unsigned"):
        return np.power(x, y)
    inverse = np.where(x == -1, np.where(y % 2 == 0, 1, -1), np.where(x == 1, 1, 0))
    power = np.power(x, np.where(y < 0, 0, y).astype(x.dtype))
    return np.where(y < 0, inverse, power).astype(x.dtype)


@binary("real", of_bools=logical_or)
def maximum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise larger of `x` and `y`; NaN where either is NaN.

    >>> weft.maximum(weft.asarray([1.0, 5.0]), 3.0)
    Array([3., 5.], dtype=float32)
    """
    return np.maximum(x, y)


@binary("real", of_bools=logical_and)
def minimum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise smaller of `x` and `y`; NaN where either is NaN.

    >>> weft.minimum(weft.asarray([1.0, 5.0]), 3.0)
    Array([1., 3.], dtype=float32)
    """
    return np.minimum(x, y)


@binary("float")
def atan2(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise angle of the point (y, x) in radians, in all four quadrants.

    >>> weft.atan2(weft.asarray([1.0, -1.0]), weft.asarray([1.0, -1.0]))
    Array([ 0.7853982, -2.3561945], dtype=float32)
    """
    return in_f64(np.arctan2, x, y)


@binary("float")
def hypot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `sqrt(x**2 + y**2)` without overflow on the way.

    >>> weft.hypot(weft.asarray([3.0]), weft.asarray([4.0]))
    Array([5.], dtype=float32)
    """
    return in_f64(np.hypot, x, y)


@binary("float")
def copysign(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise magnitude of `x` with the sign of `y`.

    >>> weft.copysign(weft.asarray([1.0, 2.0]), weft.asarray([-0.0, 3.0]))
    Array([-1.,  2.], dtype=float32)
    """
    return np.copysign(x, y)


@binary("float")
def logaddexp(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `log(exp(x) + exp(y))` without overflow on the way.

    >>> weft.logaddexp(weft.asarray([0.0, 100.0]), 0.0)
    Array([  0.6931472, 100.       ], dtype=float32)
    """
    return in_f64(np.logaddexp, x, y)
