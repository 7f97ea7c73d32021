"""Elementwise exponentials, logarithms, roots, and functions of angles.

Their references are evaluated in float64 and rounded once.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math

import numpy as np

from .registry import (
    F64,
    in_f64,
    unary,
)

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logistic",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]


# ---- exponentials, logarithms and roots ----


@unary("float")
def exp(x: np.ndarray) -> np.ndarray:
    """Elementwise `e**x`.

    >>> weft.exp(weft.asarray([0.0, 1.0]))
    Array([1.       , 2.7182817], dtype=float32)
    """
    return in_f64(np.exp, x)


@unary("float")
def exp2(x: np.ndarray) -> np.ndarray:
    """Elementwise `2**x`.

    >>> weft.exp2(weft.asarray([0.0, 3.0]))
    Array([1., 8.], dtype=float32)
    """
    return in_f64(np.exp2, x)


@unary("float")
def expm1(x: np.ndarray) -> np.ndarray:
    """Elementwise `exp(x) - 1`, accurate near zero.

    >>> weft.expm1(weft.asarray([0.0, 1e-6]))
    Array([0.0000000e+00, 1.0000005e-06], dtype=float32)
    """
    return in_f64(np.expm1, x)


@unary("float")
def log(x: np.ndarray) -> np.ndarray:
    """Elementwise natural logarithm; NaN below zero.

    >>> weft.log(weft.asarray([1.0, 10.0]))
    Array([0.       , 2.3025851], dtype=float32)
    """
    return in_f64(np.log, x)


@unary("float")
def log2(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm to base 2.

    >>> weft.log2(weft.asarray([1.0, 8.0]))
    Array([0., 3.], dtype=float32)
    """
    return in_f64(np.log2, x)


@unary("float")
def log10(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm to base 10.

    >>> weft.log10(weft.asarray([1.0, 100.0]))
    Array([0., 2.], dtype=float32)
    """
    return in_f64(np.log10, x)


@unary("float")
def log1p(x: np.ndarray) -> np.ndarray:
    """Elementwise `log(1 + x)`, accurate near zero.

    >>> weft.log1p(weft.asarray([0.0, 1e-6]))
    Array([0.000000e+00, 9.999995e-07], dtype=float32)
    """
    return in_f64(np.log1p, x)


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
    return in_f64(lambda v: 1.0 / np.sqrt(v), x)


@unary("float")
def cbrt(x: np.ndarray) -> np.ndarray:
    """Elementwise cube root, negative below zero.

    >>> weft.cbrt(weft.asarray([27.0, -8.0]))
    Array([ 3., -2.], dtype=float32)
    """
    return in_f64(np.cbrt, x)


# ---- trigonometric and hyperbolic ----


@unary("float")
def sin(x: np.ndarray) -> np.ndarray:
    """Elementwise sine of an angle in radians.

    >>> weft.sin(weft.asarray([0.0, 1.0]))
    Array([0.        , 0.84147096], dtype=float32)
    """
    return in_f64(np.sin, x)


@unary("float")
def cos(x: np.ndarray) -> np.ndarray:
    """Elementwise cosine of an angle in radians.

    >>> weft.cos(weft.asarray([0.0, 1.0]))
    Array([1.       , 0.5403023], dtype=float32)
    """
    return in_f64(np.cos, x)


@unary("float")
def tan(x: np.ndarray) -> np.ndarray:
    """Elementwise tangent of an angle in radians.

    >>> weft.tan(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.5574077], dtype=float32)
    """
    return in_f64(np.tan, x)


@unary("float")
def asin(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse sine; NaN outside [-1, 1].

    >>> weft.asin(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.5707964], dtype=float32)
    """
    return in_f64(np.arcsin, x)


@unary("float")
def acos(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse cosine; NaN outside [-1, 1].

    >>> weft.acos(weft.asarray([0.0, 1.0]))
    Array([1.5707964, 0.       ], dtype=float32)
    """
    return in_f64(np.arccos, x)


@unary("float")
def atan(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse tangent.

    >>> weft.atan(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.7853982], dtype=float32)
    """
    return in_f64(np.arctan, x)


@unary("float")
def sinh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic sine.

    >>> weft.sinh(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.1752012], dtype=float32)
    """
    return in_f64(np.sinh, x)


@unary("float")
def cosh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic cosine.

    >>> weft.cosh(weft.asarray([0.0, 1.0]))
    Array([1.       , 1.5430807], dtype=float32)
    """
    return in_f64(np.cosh, x)


@unary("float")
def tanh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic tangent.

    >>> weft.tanh(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.7615942], dtype=float32)
    """
    return in_f64(np.tanh, x)


@unary("float")
def asinh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic sine.

    >>> weft.asinh(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.8813736], dtype=float32)
    """
    return in_f64(np.arcsinh, x)


@unary("float")
def acosh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic cosine; NaN below 1.

    >>> weft.acosh(weft.asarray([1.0, 2.0]))
    Array([0.      , 1.316958], dtype=float32)
    """
    return in_f64(np.arccosh, x)


@unary("float")
def atanh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic tangent; NaN outside [-1, 1].

    >>> weft.atanh(weft.asarray([0.0, 0.5]))
    Array([0.        , 0.54930615], dtype=float32)
    """
    return in_f64(np.arctanh, x)


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
