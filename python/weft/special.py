"""Special functions, as SciPy and JAX name them: `scipy.special` on Weft's arrays.

All of them take arrays of floats of any shape, which broadcast; integers become
float32. They are computed in float64 whatever the dtype, and rounded once.
docs/accuracy.md says how accurate each one is.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math

from . import ops
from .array import Array
from .errors import ArgumentError, public
from .nn import log_softmax, logsumexp, softmax
from .ops import erf, erfc, erfinv, i0, logistic, sinc
from .ops.registry import ArrayLike, elementwise_call
from .ops.special import (
    bessel_i,
    betainc,
    betaln,
    digamma,
    erfcx,
    gamma,
    gammainc,
    gammaincc,
    lgamma,
    logit,
    ndtr,
    ndtri,
    polygamma,
    xlog1py,
    xlogy,
)
from .ops.special import zeta as _zeta

__all__ = [
    "beta",
    "betainc",
    "betaln",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "expit",
    "factorial",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "kl_div",
    "lgamma",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "poch",
    "polygamma",
    "psi",
    "rel_entr",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
    "zeta",
]

# Other names of the same functions.
expit, gammaln, psi = logistic, lgamma, digamma


def _floats(name: str, *xs: ArrayLike) -> tuple[Array, ...]:
    """Operands as floats of one dtype and shape."""
    return elementwise_call(name, "float", *xs).operands


# ---- gamma and beta ----


@public
def zeta(s: ArrayLike, q: ArrayLike = 1.0, /) -> Array:
    """Elementwise Hurwitz zeta function, Riemann's if `q` is left out.

    The sum of `(k + q)**-s` over k = 0, 1, ...: infinite for `s == 1`, NaN below.

    >>> weft.special.zeta(weft.asarray([2.0, 4.0]))
    Array([1.644934 , 1.0823232], dtype=float32)
    """
    return _zeta(s, q)


@public
def gammasgn(x: ArrayLike, /) -> Array:
    """Elementwise sign of the gamma function; NaN at negative integers.

    >>> weft.special.gammasgn(weft.asarray([2.5, -0.5, -1.5]))
    Array([ 1., -1.,  1.], dtype=float32)
    """
    (array,) = _floats("gammasgn", x)
    below = ops.floor(array)
    sign = ops.select(ops.equal(ops.remainder(below, 2), 0), 1.0, -1.0)
    pole = ops.logical_and(ops.less(array, 0), ops.equal(below, array))
    sign = ops.select(ops.signbit(array), sign, 1.0)
    zero = ops.copysign(ops.full_like(array, 1), array)
    sign = ops.select(ops.equal(array, 0), zero, sign)
    return ops.select(ops.logical_or(pole, ops.isnan(array)), math.nan, sign)


@public
def beta(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise `gamma(x) * gamma(y) / gamma(x + y)`.

    >>> weft.special.beta(weft.asarray([1.0, 2.0]), 2.0)
    Array([0.5       , 0.16666666], dtype=float32)
    """
    a, b = _floats("beta", x, y)
    sign = gammasgn(a) * gammasgn(b) * gammasgn(a + b)
    return sign * ops.exp(betaln(a, b))


@public
def factorial(n: ArrayLike, /) -> Array:
    """Elementwise `gamma(n + 1)`, and 0 for negative `n`.

    >>> weft.special.factorial(weft.asarray([0, 3, 5]))
    Array([  1.,   6., 120.], dtype=float32)
    """
    (array,) = _floats("factorial", n)
    inside = ops.logical_not(ops.less(array, 0))
    safe = ops.select(inside, array, 0)
    return ops.select(inside, gamma(safe + 1), 0)


@public
def poch(x: ArrayLike, m: ArrayLike, /) -> Array:
    """Elementwise rising factorial, `gamma(x + m) / gamma(x)`, for positive `x`.

    >>> weft.special.poch(weft.asarray([1.0, 3.0]), 2.0)
    Array([ 2., 12.], dtype=float32)
    """
    a, b = _floats("poch", x, m)
    return gammasgn(a + b) * ops.exp(lgamma(a + b) - lgamma(a))


@public
def multigammaln(a: ArrayLike, d: int, /) -> Array:
    """Elementwise logarithm of the `d`-dimensional gamma function.

    >>> weft.special.multigammaln(weft.asarray([2.0, 3.0]), 1)
    Array([0.       , 0.6931472], dtype=float32)
    """
    (array,) = _floats("multigammaln", a)
    if d < 1:
        raise ArgumentError(
            f"multigammaln: the dimension d is {d}; it must be 1 or more"
        )
    parts = [lgamma(array - j / 2) for j in range(d)]
    return sum(parts[1:], parts[0]) + d * (d - 1) / 4 * math.log(math.pi)


# ---- entropies ----


@public
def entr(x: ArrayLike, /) -> Array:
    """Elementwise `-x * log(x)`: 0 at 0, minus infinity below.

    >>> weft.special.entr(weft.asarray([0.0, 1.0, -1.0]))
    Array([ 0.,  0., -inf], dtype=float32)
    """
    (array,) = _floats("entr", x)
    below = ops.less(array, 0)
    safe = ops.select(below, 1, array)
    return ops.select(below, -math.inf, 0.0 - xlogy(safe, safe))


@public
def rel_entr(p: ArrayLike, q: ArrayLike, /) -> Array:
    """Elementwise `p * log(p / q)`: 0 where `p` is 0, infinite outside of the domain.

    >>> weft.special.rel_entr(weft.asarray([0.0, 0.5]), 0.5)
    Array([0., 0.], dtype=float32)
    """
    a, b = _floats("rel_entr", p, q)
    inside = ops.logical_and(ops.greater(a, 0), ops.greater(b, 0))
    nothing = ops.logical_and(ops.equal(a, 0), ops.greater_equal(b, 0))
    missing = ops.logical_or(ops.isnan(a), ops.isnan(b))
    x, y = ops.select(inside, a, 1), ops.select(inside, b, 1)
    # A quotient beyond the range of the dtype is one of logarithms.
    ratio = x / y
    fits = ops.logical_and(ops.greater(ratio, 0), ops.less(ratio, math.inf))
    far = ops.log(x) - ops.log(y)
    logarithm = ops.select(fits, ops.log(ops.select(fits, ratio, 1)), far)
    value = ops.select(inside, x * logarithm, ops.select(nothing, 0, math.inf))
    return ops.select(missing, math.nan, value)


@public
def kl_div(p: ArrayLike, q: ArrayLike, /) -> Array:
    """Elementwise `p * log(p / q) - p + q`, which is never negative.

    >>> weft.special.kl_div(weft.asarray([0.0, 0.5]), 0.5)
    Array([0.5, 0. ], dtype=float32)
    """
    a, b = _floats("kl_div", p, q)
    relative = rel_entr(a, b)
    return ops.select(ops.isfinite(relative), relative - a + b, relative)


# ---- normal numbers ----


@public
def log_ndtr(x: ArrayLike, /) -> Array:
    """Elementwise logarithm of `ndtr`, accurate in both tails.

    >>> weft.special.log_ndtr(weft.asarray([0.0, -100.0]))
    Array([-6.9314718e-01, -5.0055244e+03], dtype=float32)
    """
    (array,) = _floats("log_ndtr", x)
    low = ops.less(array, -1)
    below, above = ops.select(low, array, -1), ops.select(low, 0, array)
    tail = ops.log(erfcx(below * -math.sqrt(0.5)) * 0.5) - below * (below * 0.5)
    return ops.select(low, tail, ops.log1p(-ndtr(-above)))


# ---- Bessel functions ----


@public
def i0e(x: ArrayLike, /) -> Array:
    """Elementwise `exp(-abs(x)) * i0(x)`.

    >>> weft.special.i0e(weft.asarray([0.0, 100.0]))
    Array([1.        , 0.03994438], dtype=float32)
    """
    return bessel_i(x, 0, True)


@public
def i1(x: ArrayLike, /) -> Array:
    """Elementwise modified Bessel function of the first kind of order 1.

    >>> weft.special.i1(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.5651591], dtype=float32)
    """
    return bessel_i(x, 1, False)


@public
def i1e(x: ArrayLike, /) -> Array:
    """Elementwise `exp(-abs(x)) * i1(x)`.

    >>> weft.special.i1e(weft.asarray([0.0, 100.0]))
    Array([0.        , 0.03974415], dtype=float32)
    """
    return bessel_i(x, 1, True)
