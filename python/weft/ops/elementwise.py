"""Elementwise ops: each takes arrays of one shape and maps their elements.

Operands are promoted to one dtype and broadcast to one shape first. Functions of
floats take integers and bools as float32. Transcendental references are evaluated in
float64 and rounded once.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tracer
from ..array import Array
from ..dtypes import BOOL, DTypeLike, canonical, require, spell
from ..errors import DTypeError, public
from ..specs import ShapeDtypeStruct
from .registry import (
    ArrayLike,
    Call,
    as_array,
    binary,
    broadcast_all,
    cast,
    common_dtype,
    op,
    rounding,
    truth,
    unary,
)

__all__ = [
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "bitcast",
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clamp",
    "clip",
    "convert",
    "copysign",
    "cos",
    "cosh",
    "divide",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "greater",
    "greater_equal",
    "hypot",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logistic",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "positive",
    "pow",
    "reciprocal",
    "remainder",
    "round",
    "rsqrt",
    "select",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "trunc",
    "where",
]

F64 = np.dtype("float64")


def _in_f64(function: Callable[..., Any], *xs: np.ndarray) -> np.ndarray:
    """A function evaluated in float64 and rounded to the operands' dtype."""
    return function(*(x.astype(F64) for x in xs)).astype(xs[0].dtype)


# ---- arithmetic of one operand ----


@unary("numeric")
def negative(x: np.ndarray) -> np.ndarray:
    """Elementwise `-x`; integers wrap.

    >>> weft.negative(weft.asarray([1.0, -2.0]))
    Array([-1.,  2.], dtype=float32)
    """
    return np.negative(x)


@unary("numeric")
def abs(x: np.ndarray) -> np.ndarray:
    """Elementwise absolute value; the smallest integer stays as it is.

    >>> weft.abs(weft.asarray([1.0, -2.0]))
    Array([1., 2.], dtype=float32)
    """
    return np.abs(x)


@unary("numeric")
def sign(x: np.ndarray) -> np.ndarray:
    """Elementwise -1, 0 or 1; NaN where `x` is NaN.

    >>> weft.sign(weft.asarray([3, 0, -2]))
    Array([ 1,  0, -1], dtype=int64)
    """
    return np.sign(x)


@unary("numeric")
def square(x: np.ndarray) -> np.ndarray:
    """Elementwise `x * x`.

    >>> weft.square(weft.asarray([3, -2]))
    Array([9, 4], dtype=int64)
    """
    return np.square(x)


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


@rounding
def round(x: np.ndarray) -> np.ndarray:
    """Elementwise nearest integer, ties to even.

    >>> weft.round(weft.asarray([0.5, 1.5, 2.6]))
    Array([0., 2., 3.], dtype=float32)
    """
    return np.rint(x)


@unary("float")
def reciprocal(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 / x`.

    >>> weft.reciprocal(weft.asarray([2.0, -4.0]))
    Array([ 0.5 , -0.25], dtype=float32)
    """
    return np.reciprocal(x)


# ---- exponentials, logarithms and roots ----


@unary("float")
def exp(x: np.ndarray) -> np.ndarray:
    """Elementwise `e**x`.

    >>> weft.exp(weft.asarray([0.0, 1.0]))
    Array([1.       , 2.7182817], dtype=float32)
    """
    return _in_f64(np.exp, x)


@unary("float")
def exp2(x: np.ndarray) -> np.ndarray:
    """Elementwise `2**x`.

    >>> weft.exp2(weft.asarray([0.0, 3.0]))
    Array([1., 8.], dtype=float32)
    """
    return _in_f64(np.exp2, x)


@unary("float")
def expm1(x: np.ndarray) -> np.ndarray:
    """Elementwise `exp(x) - 1`, accurate near zero.

    >>> weft.expm1(weft.asarray([0.0, 1e-6]))
    Array([0.0000000e+00, 1.0000005e-06], dtype=float32)
    """
    return _in_f64(np.expm1, x)


@unary("float")
def log(x: np.ndarray) -> np.ndarray:
    """Elementwise natural logarithm; NaN below zero.

    >>> weft.log(weft.asarray([1.0, 10.0]))
    Array([0.       , 2.3025851], dtype=float32)
    """
    return _in_f64(np.log, x)


@unary("float")
def log2(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm to base 2.

    >>> weft.log2(weft.asarray([1.0, 8.0]))
    Array([0., 3.], dtype=float32)
    """
    return _in_f64(np.log2, x)


@unary("float")
def log10(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm to base 10.

    >>> weft.log10(weft.asarray([1.0, 100.0]))
    Array([0., 2.], dtype=float32)
    """
    return _in_f64(np.log10, x)


@unary("float")
def log1p(x: np.ndarray) -> np.ndarray:
    """Elementwise `log(1 + x)`, accurate near zero.

    >>> weft.log1p(weft.asarray([0.0, 1e-6]))
    Array([0.000000e+00, 9.999995e-07], dtype=float32)
    """
    return _in_f64(np.log1p, x)


@unary("float")
def sqrt(x: np.ndarray) -> np.ndarray:
    """Elementwise square root; NaN below zero.

    >>> weft.sqrt(weft.asarray([4.0, 9.0]))
    Array([2., 3.], dtype=float32)
    """
    return np.sqrt(x)


@unary("float")
def rsqrt(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 / sqrt(x)`.

    >>> weft.rsqrt(weft.asarray([4.0, 16.0]))
    Array([0.5 , 0.25], dtype=float32)
    """
    return _in_f64(lambda v: 1.0 / np.sqrt(v), x)


@unary("float")
def cbrt(x: np.ndarray) -> np.ndarray:
    """Elementwise cube root, negative below zero.

    >>> weft.cbrt(weft.asarray([27.0, -8.0]))
    Array([ 3., -2.], dtype=float32)
    """
    return _in_f64(np.cbrt, x)


# ---- trigonometric and hyperbolic ----


@unary("float")
def sin(x: np.ndarray) -> np.ndarray:
    """Elementwise sine of an angle in radians.

    >>> weft.sin(weft.asarray([0.0, 1.0]))
    Array([0.        , 0.84147096], dtype=float32)
    """
    return _in_f64(np.sin, x)


@unary("float")
def cos(x: np.ndarray) -> np.ndarray:
    """Elementwise cosine of an angle in radians.

    >>> weft.cos(weft.asarray([0.0, 1.0]))
    Array([1.       , 0.5403023], dtype=float32)
    """
    return _in_f64(np.cos, x)


@unary("float")
def tan(x: np.ndarray) -> np.ndarray:
    """Elementwise tangent of an angle in radians.

    >>> weft.tan(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.5574077], dtype=float32)
    """
    return _in_f64(np.tan, x)


@unary("float")
def asin(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse sine; NaN outside [-1, 1].

    >>> weft.asin(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.5707964], dtype=float32)
    """
    return _in_f64(np.arcsin, x)


@unary("float")
def acos(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse cosine; NaN outside [-1, 1].

    >>> weft.acos(weft.asarray([0.0, 1.0]))
    Array([1.5707964, 0.       ], dtype=float32)
    """
    return _in_f64(np.arccos, x)


@unary("float")
def atan(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse tangent.

    >>> weft.atan(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.7853982], dtype=float32)
    """
    return _in_f64(np.arctan, x)


@unary("float")
def sinh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic sine.

    >>> weft.sinh(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.1752012], dtype=float32)
    """
    return _in_f64(np.sinh, x)


@unary("float")
def cosh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic cosine.

    >>> weft.cosh(weft.asarray([0.0, 1.0]))
    Array([1.       , 1.5430807], dtype=float32)
    """
    return _in_f64(np.cosh, x)


@unary("float")
def tanh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic tangent.

    >>> weft.tanh(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.7615942], dtype=float32)
    """
    return _in_f64(np.tanh, x)


@unary("float")
def asinh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic sine.

    >>> weft.asinh(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.8813736], dtype=float32)
    """
    return _in_f64(np.arcsinh, x)


@unary("float")
def acosh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic cosine; NaN below 1.

    >>> weft.acosh(weft.asarray([1.0, 2.0]))
    Array([0.      , 1.316958], dtype=float32)
    """
    return _in_f64(np.arccosh, x)


@unary("float")
def atanh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic tangent; NaN outside [-1, 1].

    >>> weft.atanh(weft.asarray([0.0, 0.5]))
    Array([0.        , 0.54930615], dtype=float32)
    """
    return _in_f64(np.arctanh, x)


# ---- special functions ----


@unary("float")
def erf(x: np.ndarray) -> np.ndarray:
    """Elementwise error function.

    >>> weft.erf(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.8427008], dtype=float32)
    """
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x), x.dtype)


@unary("float")
def erfc(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 - erf(x)`, accurate where that is small.

    >>> weft.erfc(weft.asarray([0.0, 1.0]))
    Array([1.       , 0.1572992], dtype=float32)
    """
    return np.asarray(np.frompyfunc(math.erfc, 1, 1)(x), x.dtype)


@unary("float")
def logistic(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 / (1 + exp(-x))`.

    >>> weft.logistic(weft.asarray([0.0, 2.0]))
    Array([0.5      , 0.8807971], dtype=float32)
    """
    small = np.exp(-np.abs(x.astype(F64)))
    return np.where(x < 0, small / (1 + small), 1 / (1 + small)).astype(x.dtype)


# ---- bits and truth, one operand ----


@unary("integer or bool")
def bitwise_invert(x: np.ndarray) -> np.ndarray:
    """Elementwise `~x`: every bit of an integer, or a bool, inverted.

    >>> weft.bitwise_invert(weft.asarray([0, 5]))
    Array([-1, -6], dtype=int64)
    """
    return np.bitwise_invert(x)


@unary("integer")
def bitwise_count(x: np.ndarray) -> np.ndarray:
    """Elementwise number of bits set in the two's complement of `x`.

    >>> weft.bitwise_count(weft.asarray([0, 7, -1]))
    Array([ 0,  3, 64], dtype=int64)
    """
    return np.bitwise_count(x.view(f"u{x.dtype.itemsize}")).astype(x.dtype)


@unary("bool")
def logical_not(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is false (zero).

    >>> weft.logical_not(weft.asarray([True, False]))
    Array([False,  True], dtype=bool)
    """
    return np.logical_not(x)


@unary("float")
def isnan(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is NaN.

    >>> weft.isnan(weft.asarray([1.0, weft.nan]))
    Array([False,  True], dtype=bool)
    """
    return np.isnan(x)


@unary("float")
def isinf(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is infinite.

    >>> weft.isinf(weft.asarray([1.0, -weft.inf]))
    Array([False,  True], dtype=bool)
    """
    return np.isinf(x)


@unary("float")
def isfinite(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is neither infinite nor NaN.

    >>> weft.isfinite(weft.asarray([1.0, weft.nan]))
    Array([ True, False], dtype=bool)
    """
    return np.isfinite(x)


@unary("float")
def signbit(x: np.ndarray) -> np.ndarray:
    """Elementwise whether the sign bit of `x` is set.

    >>> weft.signbit(weft.asarray([0.0, -0.0]))
    Array([False,  True], dtype=bool)
    """
    return np.signbit(x)


# ---- arithmetic of two operands ----


@binary("numeric")
def add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x + y`; integers wrap.

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


@binary("numeric")
def multiply(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x * y`; integers wrap.

    >>> weft.multiply(weft.asarray([1, 2]), 3)
    Array([3, 6], dtype=int64)
    """
    return np.multiply(x, y)


@binary("float")
def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x / y` in floats.

    >>> weft.divide(weft.asarray([1, 2]), 4)
    Array([0.25, 0.5 ], dtype=float32)
    """
    return np.divide(x, y)


@binary("numeric")
def floor_divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x // y`, rounded down; an integer divided by zero gives zero.

    >>> weft.floor_divide(weft.asarray([7, -7, 7]), weft.asarray([2, 2, 0]))
    Array([ 3, -4,  0], dtype=int64)
    """
    if x.dtype.kind == "f":
        return np.floor_divide(x, y)
    zero, minus = y == 0, y == (-1 if x.dtype.kind == "i" else 0)
    safe = np.where(zero | minus, 1, y).astype(x.dtype)
    return np.where(zero, 0, np.where(minus, -x, x // safe)).astype(x.dtype)


@binary("numeric")
def remainder(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x % y`, with the sign of `y`; zero for an integer modulo zero.

    >>> weft.remainder(weft.asarray([7, -7, 7]), weft.asarray([3, 3, 0]))
    Array([1, 2, 0], dtype=int64)
    """
    if x.dtype.kind == "f":
        return np.remainder(x, y)
    trivial = (y == 0) | (y == (-1 if x.dtype.kind == "i" else 1))
    safe = np.where(trivial, 1, y).astype(x.dtype)
    return np.where(trivial, 0, x % safe).astype(x.dtype)


@binary("numeric")
def pow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x ** y`; a negative power of an integer other than ±1 is zero.

    >>> weft.pow(weft.asarray([2.0, 9.0]), 0.5)
    Array([1.4142135, 3.       ], dtype=float32)
    """
    if x.dtype.kind == "f":
        return _in_f64(np.power, x, y)
    if x.dtype.kind == "u":
        return np.power(x, y)
    inverse = np.where(x == -1, np.where(y % 2 == 0, 1, -1), np.where(x == 1, 1, 0))
    power = np.power(x, np.where(y < 0, 0, y).astype(x.dtype))
    return np.where(y < 0, inverse, power).astype(x.dtype)


@binary("numeric")
def maximum(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise larger of `x` and `y`; NaN where either is NaN.

    >>> weft.maximum(weft.asarray([1.0, 5.0]), 3.0)
    Array([3., 5.], dtype=float32)
    """
    return np.maximum(x, y)


@binary("numeric")
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
    return _in_f64(np.arctan2, x, y)


@binary("float")
def hypot(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `sqrt(x**2 + y**2)` without overflow on the way.

    >>> weft.hypot(weft.asarray([3.0]), weft.asarray([4.0]))
    Array([5.], dtype=float32)
    """
    return _in_f64(np.hypot, x, y)


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
    return _in_f64(np.logaddexp, x, y)


# ---- bits and truth, two operands ----


@binary("integer or bool")
def bitwise_and(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x & y` of integers or bools.

    >>> weft.bitwise_and(weft.asarray([6, 5]), 3)
    Array([2, 1], dtype=int64)
    """
    return np.bitwise_and(x, y)


@binary("integer or bool")
def bitwise_or(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x | y` of integers or bools.

    >>> weft.bitwise_or(weft.asarray([6, 5]), 3)
    Array([7, 7], dtype=int64)
    """
    return np.bitwise_or(x, y)


@binary("integer or bool")
def bitwise_xor(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x ^ y` of integers or bools.

    >>> weft.bitwise_xor(weft.asarray([6, 5]), 3)
    Array([5, 6], dtype=int64)
    """
    return np.bitwise_xor(x, y)


def _shift_out_of_range(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (y < 0) | (y >= x.dtype.itemsize * 8)


@binary("integer")
def bitwise_left_shift(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x << y`; zero where `y` is negative or not below the width.

    >>> weft.bitwise_left_shift(weft.asarray([1, 3]), 2)
    Array([ 4, 12], dtype=int64)
    """
    out = _shift_out_of_range(x, y)
    shifted = np.left_shift(x, np.where(out, 0, y).astype(x.dtype))
    return np.where(out, 0, shifted).astype(x.dtype)


@binary("integer")
def bitwise_right_shift(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x >> y`; only the sign where `y` is negative or too large.

    >>> weft.bitwise_right_shift(weft.asarray([12, -3]), 2)
    Array([ 3, -1], dtype=int64)
    """
    out = _shift_out_of_range(x, y)
    shifted = np.right_shift(x, np.where(out, 0, y).astype(x.dtype))
    sign = np.where(x < 0, -1, 0).astype(x.dtype)
    return np.where(out, sign, shifted)


@binary("bool")
def logical_and(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise whether both are true.

    >>> weft.logical_and(weft.asarray([True, True]), weft.asarray([True, False]))
    Array([ True, False], dtype=bool)
    """
    return np.logical_and(x, y)


@binary("bool")
def logical_or(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise whether one or both are true.

    >>> weft.logical_or(weft.asarray([True, False]), weft.asarray([False, False]))
    Array([ True, False], dtype=bool)
    """
    return np.logical_or(x, y)


@binary("bool")
def logical_xor(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise whether exactly one is true.

    >>> weft.logical_xor(weft.asarray([True, False]), weft.asarray([True, True]))
    Array([False,  True], dtype=bool)
    """
    return np.logical_xor(x, y)


# ---- comparisons ----


@binary("any")
def equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x == y`.

    >>> weft.equal(weft.asarray([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    return np.equal(x, y)


@binary("any")
def not_equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x != y`.

    >>> weft.not_equal(weft.asarray([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    return np.not_equal(x, y)


@binary("numeric")
def less(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x < y`.

    >>> weft.less(weft.asarray([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    return np.less(x, y)


@binary("numeric")
def less_equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x <= y`.

    >>> weft.less_equal(weft.asarray([1, 2]), 2)
    Array([ True,  True], dtype=bool)
    """
    return np.less_equal(x, y)


@binary("numeric")
def greater(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x > y`.

    >>> weft.greater(weft.asarray([1, 2]), 1)
    Array([False,  True], dtype=bool)
    """
    return np.greater(x, y)


@binary("numeric")
def greater_equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x >= y`.

    >>> weft.greater_equal(weft.asarray([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    return np.greater_equal(x, y)


# ---- choice and conversion ----


def _select(condition: ArrayLike, x: ArrayLike, y: ArrayLike, /) -> Call:
    dtype, weak = common_dtype("select", x, y)
    chosen = truth(condition), cast(x, dtype), cast(y, dtype)
    return Call(broadcast_all("select", *chosen), weak=weak)


@op(_select)
def select(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x` where the condition holds, else `y`.

    >>> weft.select(weft.asarray([True, False]), 1.0, weft.asarray([5.0, 6.0]))
    Array([1., 6.], dtype=float32)
    """
    return np.where(condition, x, y)


def _clamp(x: ArrayLike, low: ArrayLike, high: ArrayLike, /) -> Call:
    dtype, _ = common_dtype("clamp", x, low, high)
    require("clamp", dtype, "numeric")
    return Call(broadcast_all("clamp", *(cast(v, dtype) for v in (x, low, high))))


@op(_clamp)
def clamp(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Elementwise `minimum(maximum(x, low), high)`.

    >>> weft.clamp(weft.asarray([-1.0, 0.5, 7.0]), 0.0, 1.0)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return np.minimum(np.maximum(x, low), high)


def _convert(x: ArrayLike, /, dtype: DTypeLike) -> Call:
    array = as_array(x, "convert")
    return Call((array,), result=ShapeDtypeStruct(array.shape, dtype))


@op(_convert)
def convert(x: np.ndarray, *, result: ShapeDtypeStruct) -> np.ndarray:
    """Elementwise conversion to another dtype.

    A float becomes the integer towards zero, saturated at the integer's range, and
    NaN becomes zero; to bool is whether an element differs from zero; integers wrap.

    >>> weft.convert(weft.asarray([1.7, -300.0, weft.nan]), weft.int8)
    Array([   1, -128,    0], dtype=int8)
    """
    if x.dtype.kind != "f" or result.dtype.kind not in "iu":
        return (x != 0) if result.dtype == BOOL else x.astype(result.dtype)
    info = np.iinfo(result.dtype)
    # The float just past the largest integer is a power of two, so it is exact.
    past = np.asarray(2.0**info.bits if info.min == 0 else 2.0 ** (info.bits - 1), F64)
    whole = np.trunc(x.astype(F64))
    inside = np.where((whole >= info.min) & (whole < past), whole, 0)
    low = np.where(whole < info.min, info.min, inside.astype(result.dtype))
    return np.where(whole >= past, info.max, low).astype(result.dtype)


def _bitcast(x: ArrayLike, /, dtype: DTypeLike) -> Call:
    array, target = as_array(x, "bitcast"), canonical(dtype)
    same_bool = (array.dtype == BOOL) == (target == BOOL)
    if array.dtype.itemsize != target.itemsize or not same_bool:
        raise DTypeError(
            f"bitcast: {spell(array.dtype, array.shape)} to {target} changes the width "
            "of an element; choose a dtype as wide as the array's"
        )
    return Call((array,), result=ShapeDtypeStruct(array.shape, target))


@op(_bitcast)
def bitcast(x: np.ndarray, *, result: ShapeDtypeStruct) -> np.ndarray:
    """The bits of each element read as another dtype of the same width.

    >>> weft.bitcast(weft.asarray([1.0]), weft.int32)
    Array([1065353216], dtype=int32)
    """
    return np.ascontiguousarray(x).view(result.dtype).reshape(x.shape)


# ---- composed of the above ----


@public
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise `x` where the condition holds, else `y`.

    >>> weft.where(weft.asarray([True, False]), 1.0, weft.asarray([5.0, 6.0]))
    Array([1., 6.], dtype=float32)
    """
    return select(condition, x, y)


@public
def clip(
    x: ArrayLike, /, min: ArrayLike | None = None, max: ArrayLike | None = None
) -> Array:
    """Elementwise `x` held between `min` and `max`; `None` leaves a side open.

    The result has the dtype of `x`.

    >>> weft.clip(weft.asarray([-1.0, 0.5, 7.0]), 0.0, 1.0)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    array = as_array(x, "clip")
    low = None if min is None else cast(min, array.dtype)
    high = None if max is None else cast(max, array.dtype)
    if low is not None and high is not None:
        return clamp(array, low, high)
    if low is not None:
        return maximum(array, low)
    return array if high is None else minimum(array, high)


@public
def positive(x: ArrayLike, /) -> Array:
    """`x` itself.

    >>> weft.positive(weft.asarray([1, -2]))
    Array([ 1, -2], dtype=int64)
    """
    array = as_array(x, "positive")
    require("positive", array.dtype, "numeric")
    return array


@public
def astype(x: ArrayLike, dtype: DTypeLike, /, *, copy: bool = True) -> Array:
    """An array converted to a dtype, by the rules of `weft.convert`.

    `copy` is accepted for the array API's sake: arrays are immutable.

    >>> weft.astype(weft.asarray([1.7, -2.2]), weft.int32)
    Array([ 1, -2], dtype=int32)
    """
    return tracer.as_strong(cast(as_array(x, "astype"), canonical(dtype)))
