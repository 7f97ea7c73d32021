"""Elementwise exponentials, logarithms, roots, and functions of angles.

Their references are evaluated in double precision and rounded once. Of complex
numbers they have the branch cuts and special values of C99, Annex G.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from . import parts
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
    "erfinv",
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


@unary("inexact")
def exp(x: np.ndarray) -> np.ndarray:
    """Elementwise `e**x`.

    >>> weft.exp(weft.asarray([0.0, 1.0]))
    Array([1.       , 2.7182817], dtype=float32)
    """
    return in_f64(np.exp, x)


@unary("inexact")
def exp2(x: np.ndarray) -> np.ndarray:
    """Elementwise `2**x`.

    >>> weft.exp2(weft.asarray([0.0, 3.0]))
    Array([1., 8.], dtype=float32)
    """
    return in_f64(parts.exp2 if x.dtype.kind == "c" else np.exp2, x)


@unary("inexact")
def expm1(x: np.ndarray) -> np.ndarray:
    """Elementwise `exp(x) - 1`, accurate near zero.

    >>> weft.expm1(weft.asarray([0.0, 1e-6]))
    Array([0.0000000e+00, 1.0000005e-06], dtype=float32)
    """
    return in_f64(parts.expm1 if x.dtype.kind == "c" else np.expm1, x)


@unary("inexact")
def log(x: np.ndarray) -> np.ndarray:
    """Elementwise natural logarithm; NaN below zero.

    >>> weft.log(weft.asarray([1.0, 10.0]))
    Array([0.       , 2.3025851], dtype=float32)
    """
    return in_f64(np.log, x)


@unary("inexact")
def log2(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm to base 2.

    >>> weft.log2(weft.asarray([1.0, 8.0]))
    Array([0., 3.], dtype=float32)
    """
    return in_f64(np.log2, x)


@unary("inexact")
def log10(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm to base 10.

    >>> weft.log10(weft.asarray([1.0, 100.0]))
    Array([0., 2.], dtype=float32)
    """
    return in_f64(np.log10, x)


@unary("inexact")
def log1p(x: np.ndarray) -> np.ndarray:
    """Elementwise `log(1 + x)`, accurate near zero.

    >>> weft.log1p(weft.asarray([0.0, 1e-6]))
    Array([0.000000e+00, 9.999995e-07], dtype=float32)
    """
    return in_f64(parts.log1p if x.dtype.kind == "c" else np.log1p, x)


@unary("inexact")
def sqrt(x: np.ndarray) -> np.ndarray:
    """Elementwise square root; NaN below zero.

    >>> weft.sqrt(weft.asarray([4.0, 9.0]))
    Array([2., 3.], dtype=float32)
    """
    return in_f64(np.sqrt, x)


@unary("inexact")
def rsqrt(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 / sqrt(x)`.

    >>> weft.rsqrt(weft.asarray([4.0, 16.0]))
    Array([0.5 , 0.25], dtype=float32)
    """
    if x.dtype.kind == "c":
        return in_f64(lambda v: parts.reciprocal(np.sqrt(v)), x)
    return in_f64(lambda v: 1.0 / np.sqrt(v), x)


@unary("float")
def cbrt(x: np.ndarray) -> np.ndarray:
    """Elementwise cube root, negative below zero.

    >>> weft.cbrt(weft.asarray([27.0, -8.0]))
    Array([ 3., -2.], dtype=float32)
    """
    return in_f64(np.cbrt, x)


# ---- trigonometric and hyperbolic ----


@unary("inexact")
def sin(x: np.ndarray) -> np.ndarray:
    """Elementwise sine of an angle in radians.

    >>> weft.sin(weft.asarray([0.0, 1.0]))
    Array([0.        , 0.84147096], dtype=float32)
    """
    return in_f64(np.sin, x)


@unary("inexact")
def cos(x: np.ndarray) -> np.ndarray:
    """Elementwise cosine of an angle in radians.

    >>> weft.cos(weft.asarray([0.0, 1.0]))
    Array([1.       , 0.5403023], dtype=float32)
    """
    return in_f64(np.cos, x)


@unary("inexact")
def tan(x: np.ndarray) -> np.ndarray:
    """Elementwise tangent of an angle in radians.

    >>> weft.tan(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.5574077], dtype=float32)
    """
    return in_f64(np.tan, x)


@unary("inexact")
def asin(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse sine; NaN outside [-1, 1].

    >>> weft.asin(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.5707964], dtype=float32)
    """
    return in_f64(np.arcsin, x)


@unary("inexact")
def acos(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse cosine; NaN outside [-1, 1].

    >>> weft.acos(weft.asarray([0.0, 1.0]))
    Array([1.5707964, 0.       ], dtype=float32)
    """
    return in_f64(np.arccos, x)


@unary("inexact")
def atan(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse tangent.

    >>> weft.atan(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.7853982], dtype=float32)
    """
    return in_f64(np.arctan, x)


@unary("inexact")
def sinh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic sine.

    >>> weft.sinh(weft.asarray([0.0, 1.0]))
    Array([0.       , 1.1752012], dtype=float32)
    """
    return in_f64(np.sinh, x)


@unary("inexact")
def cosh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic cosine.

    >>> weft.cosh(weft.asarray([0.0, 1.0]))
    Array([1.       , 1.5430807], dtype=float32)
    """
    return in_f64(np.cosh, x)


@unary("inexact")
def tanh(x: np.ndarray) -> np.ndarray:
    """Elementwise hyperbolic tangent.

    >>> weft.tanh(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.7615942], dtype=float32)
    """
    return in_f64(np.tanh, x)


@unary("inexact")
def asinh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic sine.

    >>> weft.asinh(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.8813736], dtype=float32)
    """
    return in_f64(np.arcsinh, x)


@unary("inexact")
def acosh(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse hyperbolic cosine; NaN below 1.

    >>> weft.acosh(weft.asarray([1.0, 2.0]))
    Array([0.      , 1.316958], dtype=float32)
    """
    return in_f64(np.arccosh, x)


@unary("inexact")
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


# The same fits as in dialects/Random.cpp, by width: numerator and denominator about
# the centre, then in the tails.
_FITS: Final = {
    4: (
        (
            0.1331732187214469,
            -0.04385304333482406,
            -1.387592753848504,
            -1.550521304698648,
            -0.3053080793995102,
        ),
        (
            1.0,
            4.85316263783925,
            7.284012331160792,
            3.6139663992953075,
            0.40452853640969677,
        ),
        (
            -0.08158926946086321,
            -0.09210021566745344,
            0.027265680629467996,
            0.022642012282104888,
            0.001382266063454969,
        ),
        (
            1.0,
            1.3772092873306856,
            0.6973966399446755,
            0.12356877880680908,
            0.0050255366992885304,
        ),
    ),
    8: (
        (
            0.1331732187669858,
            0.44338920688277833,
            -1.1475174431595654,
            -6.719008523433703,
            -10.172313336469884,
            -6.169396872896534,
            -1.3911722042443362,
            -0.07709921677541094,
        ),
        (
            1.0,
            8.51187325574096,
            28.047839052632906,
            45.16209094964807,
            36.939671893892374,
            14.482544817681179,
            2.2864637048871246,
            0.09202235434078745,
        ),
        (
            -0.08158926932147917,
            -0.2014234447666688,
            -0.15111932161531463,
            -0.012261423962025614,
            0.03928243913634914,
            0.019887285691286612,
            0.0036322405172434535,
            0.00023843162858492973,
            3.867106108129288e-06,
        ),
        (
            1.0,
            2.7171307045370505,
            3.21659189008019,
            2.1009300772773476,
            0.8017150702327078,
            0.17490316332855074,
            0.019987905889738814,
            0.000990206495445002,
            1.3894482971603577e-05,
        ),
    ),
}
_LOG_KERNEL: Final = (
    6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
    2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
    1.479819860511658591e-01,
)  # fmt: skip


def _horner(x: np.ndarray, coefficients: Sequence[float]) -> np.ndarray:
    total = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _negative_log(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`-log(x)` and its rounding error."""
    bits = x.view(np.int64) + (0x3FF0000000000000 - 0x3FE6A09E00000000)
    k = ((bits >> 52) - 1023).astype(F64)
    mantissa = (bits & ((1 << 52) - 1)) + 0x3FE6A09E00000000
    f = mantissa.view(F64) - 1.0
    s = f / (2.0 + f)
    square, half = s * s, 0.5 * f * f
    low = s * (half + square * _horner(square, _LOG_KERNEL))
    low = low + 1.90821492927058770002e-10 * k
    high = 6.93147180369123816490e-01 * k
    fraction = (half - low) - f
    log = fraction - high
    return log, fraction - (log + high)


def _square_root(x: np.ndarray, lost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`sqrt(x + lost)` and its rounding error."""
    root = np.sqrt(x)
    head = (root.view(np.int64) & -0x8000000).view(F64)
    tail = root - head
    rest = (x - head * head) - 2.0 * head * tail
    return root, ((rest - tail * tail) + lost) / (2.0 * root)


@unary("float")
def erfinv(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse of `erf`: infinite at -1 and 1, NaN beyond.

    Off by less than 0.51 ulp for float32 and 1.2 ulps for float64, and the same bits
    on every target. The split into centre and tails is that of M. J. Wichura,
    Algorithm AS 241, Applied Statistics 37 (1988).

    >>> weft.erfinv(weft.asarray([0.0, 0.5]))
    Array([0.        , 0.47693628], dtype=float32)
    """
    fits = _FITS[x.dtype.itemsize]
    size = np.atleast_1d(np.abs(x).astype(F64))
    square, edge = size * size, 0.640625
    centre = square < edge
    s, rest = _square_root(*_negative_log(1.0 - size))
    at = np.where(centre, edge - square, s - 1.25)
    over, under = (
        np.where(centre, _horner(at, fits[i]), _horner(at, fits[i + 2])) for i in (0, 1)
    )
    ratio = over / under
    inside = np.where(centre, size + size * ratio, (s - 0.28125) + (rest + ratio))
    outside = np.where(size == 1, np.inf, np.nan)
    result = np.where(size < 1, inside, outside).reshape(x.shape)
    return np.copysign(result.astype(x.dtype), x)


@unary("inexact")
def logistic(x: np.ndarray) -> np.ndarray:
    """Elementwise `1 / (1 + exp(-x))`.

    >>> weft.logistic(weft.asarray([0.0, 2.0]))
    Array([0.5      , 0.8807971], dtype=float32)
    """
    if x.dtype.kind == "c":
        return in_f64(parts.logistic, x)
    small = np.exp(-np.abs(x.astype(F64)))
    return np.where(x < 0, small / (1 + small), 1 / (1 + small)).astype(x.dtype)
