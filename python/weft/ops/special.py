"""Elementwise special functions.

Their references are SciPy's functions in float64, or formulas that differ from those
of the compiled code, rounded once. Derivatives by parameters are Cauchy's integrals.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..array import Array
from ..errors import StructureError, public
from .registry import (
    F64,
    ArrayLike,
    Call,
    Reference,
    binary,
    elementwise_call,
    in_f64,
    op,
    unary,
)

__all__ = ["i0", "nextafter", "sinc"]

Orders = Sequence[int]


def _scipy() -> Any:
    """scipy.special, which takes a while to import."""
    import scipy.special

    return scipy.special


def partial(reference: Reference) -> Callable[..., Array]:
    """Registers a function whose attribute `by` says how it is differentiated."""
    name = reference.__name__
    count = len(inspect.signature(reference).parameters) - 1

    def prepare(*operands: ArrayLike) -> Call:
        if len(operands) != count:
            arrays = f"{count} array{'' if count == 1 else 's'}"
            raise StructureError(f"{name} takes {arrays}, not {len(operands)}")
        call = elementwise_call(name, "float", *operands)
        return Call(call.operands, {"by": (0,) * len(operands)}, weak=call.weak)

    return op(prepare)(reference)


# ---- products with logarithms, neighbours ----


@binary("float")
def xlogy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x * log(y)`, 0 where `x` is 0 and `y` is not NaN.

    >>> weft.special.xlogy(weft.asarray([0.0, 2.0]), weft.asarray([0.0, 1.0]))
    Array([0., 0.], dtype=float32)
    """
    return in_f64(lambda x, y: _scipy().xlogy(x, y), x, y)


@binary("float")
def xlog1py(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x * log1p(y)`, 0 where `x` is 0 and `y` is not NaN.

    >>> weft.special.xlog1py(weft.asarray([0.0, 2.0]), weft.asarray([-1.0, 0.0]))
    Array([0., 0.], dtype=float32)
    """
    return in_f64(lambda x, y: _scipy().xlog1py(x, y), x, y)


@unary("float")
def logit(x: np.ndarray) -> np.ndarray:
    """Elementwise `log(x / (1 - x))`, the inverse of `weft.logistic`.

    >>> weft.special.logit(weft.asarray([0.0, 0.5, 1.0]))
    Array([-inf,   0.,  inf], dtype=float32)
    """
    return in_f64(lambda x: _scipy().logit(x), x)


@op(lambda x, y: elementwise_call("nextafter", "float", x, y), as_stored=True)
def nextafter(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise next float after `x` towards `y`, as IEEE 754 has it.

    >>> weft.nextafter(weft.asarray([1.0, 0.0]), 2.0)
    Array([1.0000001e+00, 1.4012985e-45], dtype=float32)
    """
    # As C's: where they are equal, y. NumPy's for 16 bits gives x.
    return np.where(x == y, y, np.nextafter(x, y))


# ---- sinc ----


def _turned(x: np.ndarray, quarters: int) -> np.ndarray:
    """sin(pi x) moved by quarters of a circle, the reduction being exact."""
    rest = x - 2 * np.round(x / 2)
    sine = np.sin(np.pi * (rest - np.round(rest))) * np.where(
        np.abs(np.round(rest)) == 1, -1, 1
    )
    half = np.abs(rest) - 0.5
    cosine = -np.sin(np.pi * np.where(np.abs(rest) > 1, 0, half))
    return (sine, cosine, -sine, -cosine)[quarters % 4]


def _sinc(x: np.ndarray, order: int) -> np.ndarray:
    u = np.pi * x
    if order == 0:
        return np.where(u == 0, 1, _turned(x, 0) / np.where(u == 0, 1, u))
    # sinc(x) is the mean of cos(pi x t) over 0 < t < 1.
    nodes, weights = np.polynomial.legendre.leggauss(48)
    t, near = (nodes + 1) / 2, np.abs(u) < 20
    angle = np.where(near, u, 0)[..., None] * t
    wave = (np.cos, lambda a: -np.sin(a), lambda a: -np.cos(a), np.sin)[order % 4]
    mean = np.sum(weights / 2 * (np.pi * t) ** order * wave(angle), -1)
    safe = np.where(near, 1, u)
    f = _turned(x, 0) / safe
    for k in range(1, order + 1):
        f = (_turned(x, k) - k * f) / safe
    return np.where(near, mean, np.pi**order * f)


@partial
def sinc(x: np.ndarray, *, by: Orders) -> np.ndarray:
    """Elementwise `sin(pi * x) / (pi * x)`, 1 at 0.

    It is 0 at all other integers: the angle is reduced before it is rounded.

    >>> weft.sinc(weft.asarray([0.0, 0.5, 2.0]))
    Array([1.       , 0.63661975, 0.       ], dtype=float32)
    """
    return in_f64(lambda x: _sinc(x, by[0]), x)


# ---- gamma, zeta ----


@unary("float")
def gamma(x: np.ndarray) -> np.ndarray:
    """Elementwise gamma function; NaN at negative integers, infinite at 0.

    >>> weft.special.gamma(weft.asarray([0.5, 5.0]))
    Array([ 1.7724539, 24.       ], dtype=float32)
    """
    return in_f64(lambda x: _scipy().gamma(x), x)


@unary("float")
def lgamma(x: np.ndarray) -> np.ndarray:
    """Elementwise logarithm of the absolute value of the gamma function.

    Infinite at 0, the negative integers and the infinities.

    >>> weft.special.lgamma(weft.asarray([0.5, 5.0]))
    Array([0.5723649, 3.1780539], dtype=float32)
    """
    return in_f64(_gammaln, x)


def _gammaln(x: np.ndarray) -> np.ndarray:
    # SciPy's is infinite at subnormal numbers, and minus infinity at minus infinity.
    tiny = (np.abs(x) < 1e-300) & (x != 0)
    value = np.where(np.isinf(x), np.inf, _scipy().gammaln(x))
    return np.where(tiny, -np.log(np.abs(np.where(tiny, x, 1))), value)


@unary("float")
def digamma(x: np.ndarray) -> np.ndarray:
    """Elementwise derivative of `lgamma`; NaN at negative integers.

    >>> weft.special.digamma(weft.asarray([1.0, 2.0]))
    Array([-0.5772157 ,  0.42278433], dtype=float32)
    """
    return in_f64(_digamma, x)


def _digamma(x: np.ndarray) -> np.ndarray:
    # SciPy's loses digits beside the poles.
    rest = x - np.round(x)
    reflected = _scipy().digamma(1 - x) - np.pi / np.tan(np.pi * rest)
    reflected = np.where(rest == 0, np.nan, reflected)
    return np.where(x < 0, reflected, _scipy().digamma(x))


def _zeta(s: np.ndarray, q: np.ndarray) -> np.ndarray:

    def zeta(s: np.ndarray, q: np.ndarray) -> np.ndarray:
        # SciPy's sum overflows where only its first term counts.
        large, pole = (s > 1e3) & np.isfinite(s), (s > 1) & (s < 1 + 1e-9)
        tame = np.where(large | pole, 2, s)
        value = np.where(large, q**-s, _scipy().zeta(tame, q))
        # And it misses its integral beside the pole.
        near = q**-s + 1 / np.where(pole, s - 1, 1) - _scipy().digamma(q + 1)
        return np.where(pole, near, value)

    # Over all whole k, which is two sums of q > 0, less the others.
    rest = -q - np.floor(-q)
    sign = np.where(s % 2 == 0, 1.0, -1.0)
    # SciPy's takes a step for each unit below 0.
    past = 1 - np.minimum(q, 0)
    both = (zeta(s, 1 - rest) + sign * zeta(s, rest)) - sign * zeta(s, past)
    both = np.where((s == np.floor(s)) & np.isfinite(s), both, np.nan)
    both = np.where(q == np.floor(q), np.inf, both)
    value = np.where(q > 0, zeta(s, np.where(q > 0, q, 1)), both)
    value = np.where(s < 1, np.nan, np.where(s == 1, np.inf, value))
    ends = np.where(q > 1, 0, np.where(q == 1, 1.0, np.inf))
    value = np.where((s == np.inf) & (q > 0), ends, value)
    value = np.where((q == np.inf) & (s > 1), 0, value)
    value = np.where((s == np.inf) & (q <= 0), np.nan, value)
    return np.where(np.isnan(s) | np.isnan(q), np.nan, value)


def _zeta_by_s(s: np.ndarray, q: np.ndarray, order: int) -> np.ndarray:
    """Euler and Maclaurin's formula, differentiated term by term."""
    binomials = [math.comb(order, j) for j in range(order + 1)]
    bernoulli = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)

    def power(u: np.ndarray, more: int = 0, rising: int = 0) -> np.ndarray:
        """The derivative of s (s + 1) ... u^(-s - more)."""
        factor = np.polynomial.Polynomial([1.0])
        for j in range(rising):
            factor = factor * np.polynomial.Polynomial([j, 1.0])
        log = -np.log(u)
        total = sum(
            c * factor.deriv(j)(s) * log ** (order - j) for j, c in enumerate(binomials)
        )
        return np.asarray(total * u ** (-s - more))

    start = q + 24
    log = -np.log(start)
    tail = start ** (1 - s) * sum(
        c * log ** (order - j) * (-1) ** j * math.factorial(j) / (s - 1) ** (j + 1)
        for j, c in enumerate(binomials)
    )
    total = sum(power(q + k) for k in range(24)) + tail + power(start) / 2
    for j, b in enumerate(bernoulli, 1):
        total = total + b / math.factorial(2 * j) * power(start, 2 * j - 1, 2 * j - 1)
    return np.where((s > 1) & (q > 0), total, np.nan)


@partial
def zeta(s: np.ndarray, q: np.ndarray, *, by: Orders) -> np.ndarray:
    """Elementwise Hurwitz zeta function: the sum of `(k + q)**-s` over k = 0, 1, ...

    Infinite for `s == 1`, NaN below; infinite where `q` is 0 or a negative integer,
    and NaN for other negative `q` unless `s` is whole.

    >>> weft.special.zeta(2.0, weft.asarray([1.0, 2.0]))
    Array([1.644934  , 0.64493406], dtype=float32)
    """

    def value(s: np.ndarray, q: np.ndarray) -> np.ndarray:
        i, k = by
        if i == 0:
            rising = [s + j for j in range(k)]
            return _zeta(s + k, q) * (-1.0) ** k * math.prod(rising)
        # d/dq zeta(s, q) = -s zeta(s + 1, q)
        factor = functools.reduce(
            lambda f, j: f * np.polynomial.Polynomial([-j, -1.0]),
            range(k),
            np.polynomial.Polynomial([1.0]),
        )
        return np.asarray(
            sum(
                math.comb(i, j) * factor.deriv(j)(s) * _zeta_by_s(s + k, q, i - j)
                for j in range(min(i, k) + 1)
            )
        )

    return in_f64(value, s, q)


@op(lambda n, x: elementwise_call("polygamma", "float", n, x))
def polygamma(n: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Elementwise `n`-th derivative of `digamma`.

    `n` is rounded to a whole number, so it has no derivative; NaN where it is negative.

    >>> weft.special.polygamma(1, weft.asarray([1.0, 2.0]))
    Array([1.644934  , 0.64493406], dtype=float32)
    """

    def value(n: np.ndarray, x: np.ndarray) -> np.ndarray:
        n = np.round(n)
        size = _scipy().gamma(n + 1) * _zeta(n + 1, x)
        value = np.where(n == 0, _digamma(x), size * (1 - 2 * ((n + 1) % 2)))
        valid = (n >= 0) & np.isfinite(n)
        return np.where(valid, value, np.nan)

    return in_f64(value, n, x)


@binary("float")
def betaln(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise logarithm of the absolute value of the beta function.

    >>> weft.special.betaln(weft.asarray([1.0, 2.0]), 2.0)
    Array([-0.6931472, -1.7917595], dtype=float32)
    """
    return in_f64(_betaln, x, y)


def _betaln(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    low, high, total = np.minimum(x, y), np.maximum(x, y), x + y
    plain = _gammaln(x) + _gammaln(y) - _gammaln(total)
    # Where the large parts cancel: Stirling's formula of high and of the sum, less the
    # error of the formula, 1 / (12 x) - 1 / (360 x**3) + ...
    inside = (high >= 10) & (total >= 10) & np.isfinite(high)
    a, b = np.where(inside, low, 1), np.where(inside, high, 10)

    def error(x: np.ndarray) -> np.ndarray:
        series = (
            1 / 12,
            -1 / 360,
            1 / 1260,
            -1 / 1680,
            1 / 1188,
            -691 / 360360,
            1 / 156,
        )
        return np.asarray(sum(c / x ** (2 * k + 1) for k, c in enumerate(series)))

    ratio = np.log1p(a / b)
    ordinary = _gammaln(a) - (b - 0.5) * ratio - a * (np.log(a + b) - 1)
    safe = np.where(a >= 10, a, 10)
    logs = (safe - 0.5) * np.log(safe / (safe + b)) - b * ratio - np.log(b) / 2
    large = logs + math.log(2 * math.pi) / 2 + error(safe)
    difference = error(b) - error(a + b)
    value = np.where(inside, np.where(a >= 10, large, ordinary) + difference, plain)
    value = np.where((low > 0) & (high == np.inf), -np.inf, value)
    return np.where(((x == 0) | (y == 0)) & ~np.isnan(total), np.inf, value)


# ---- incomplete gamma and beta functions ----

_CIRCLE: Final = 32


def _by_parameters(
    function: Callable[..., np.ndarray],
    at: Sequence[np.ndarray],
    by: Orders,
    slopes: Sequence[np.ndarray],
) -> np.ndarray:
    """Derivatives of an analytic function, by Cauchy's formula on circles.

    A circle keeps away from the poles at 0 and below, and is so small that the
    function does not change by orders of magnitude on it; `slopes` are about those of
    its logarithm. As many points as there are then sum up to 15 digits.
    """
    if not by:
        return function()
    (first, *rest), (order, *more), (slope, *others) = at, by, slopes
    if order == 0:
        inner = functools.partial(function, first)
        return np.asarray(_by_parameters(inner, rest, more, others))
    turns = np.exp(2j * np.pi * np.arange(_CIRCLE) / _CIRCLE)
    radius = np.minimum(first / 3, 2 / (2 + np.abs(slope)))
    total = 0
    for turn in turns:
        inner = functools.partial(function, first + radius * turn)
        total = total + _by_parameters(inner, rest, more, others) / turn**order
    return total * math.factorial(order) / (_CIRCLE * radius**order)


def _until_small(step: Callable[[int, Any], tuple[Any, np.ndarray]], state: Any) -> Any:
    """Repeats a step until what it changes is nothing beside the result."""
    for n in range(1, 2000):
        state, change = step(n, state)
        if not np.any(np.abs(change) > 1e-17):
            break
    return state


def _gamma_power_series(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    def step(n: int, state: Any) -> tuple[Any, np.ndarray]:
        total, term = state
        term = term * x / (a + n)
        return (total + term, term), term / total

    one = np.ones(np.broadcast(a, x).shape, complex)
    return _until_small(step, (one, one))[0]


def _more_than_rounding(n: int, change: np.ndarray) -> np.ndarray:
    return np.where((np.abs(change) > 2e-15) | (n < 4), 1.0, 0.0)


def _fraction(
    coefficients: Callable[[int], tuple[np.ndarray, np.ndarray]], first: np.ndarray
) -> np.ndarray:
    """first + a(1) / (b(1) + a(2) / (b(2) + ...)), by Wallis's recurrence."""

    def step(n: int, state: Any) -> tuple[Any, np.ndarray]:
        over, under, last_over, last_under, value = state
        a, b = coefficients(n)
        over, last_over = b * over + a * last_over, over
        under, last_under = b * under + a * last_under, under
        size = np.abs(under) + np.abs(over)
        now = over / under
        scaled = [v / size for v in (over, under, last_over, last_under)]
        return (*scaled, now), _more_than_rounding(n, now / value - 1)

    one = np.ones(np.shape(first), complex)
    return _until_small(step, (first * one, one, one, 0 * one, first * one))[-1]


def _is_vast(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Where SciPy's functions overflow, and are steps."""
    return (a > 1e290) & np.isfinite(a) & (x >= 0)


def _gammainc_by(a: np.ndarray, x: np.ndarray, order: int) -> np.ndarray:
    """The derivative by a > 0, at x > 0."""
    size, large = a, a > 1e4
    a = np.where(large, 1.0, a)
    low = (x < a + 1) & ~large

    def lower(a: np.ndarray) -> np.ndarray:
        at = np.where(low, x, 0.5)
        size = np.exp(a * np.log(at) - at - _scipy().loggamma(a + 1))
        return size * _gamma_power_series(a, at)

    def upper(a: np.ndarray) -> np.ndarray:
        at = np.where(low, np.real(a) + 2, x)
        under = _fraction(lambda n: (n * (a - n), at + 2 * n + 1 - a), at + 1 - a)
        return np.exp(a * np.log(at) - at - _scipy().loggamma(a)) / under

    slope = [np.log(x / a)]
    value = _by_parameters(lower, (a,), (order,), slope)
    above = _by_parameters(upper, (a,), (order,), slope)
    value = np.real(np.where(low, value, -above))
    return np.where(large, _gammainc_by_large(size, x, order), value)


def _gammainc_by_large(a: np.ndarray, x: np.ndarray, order: int) -> np.ndarray:
    """The same for large `a`, by differences over a part of the standard deviation."""
    places = np.arange(-6, 7)
    unit = np.eye(len(places))[order] * math.factorial(order)
    weights = np.linalg.solve(np.vander(places, increasing=True).T, unit)
    step = 0.2 * np.sqrt(a)
    at = [a + place * step for place in places]
    lower = sum(w * _scipy().gammainc(b, x) for w, b in zip(weights, at, strict=True))
    upper = sum(w * _scipy().gammaincc(b, x) for w, b in zip(weights, at, strict=True))
    return np.where(x < a, lower, -np.asarray(upper)) / step**order


def _falling(x: np.ndarray, count: int) -> Any:
    return math.prod([x - j for j in range(count)])


def _gamma_density(a: np.ndarray, x: np.ndarray, by: Orders) -> np.ndarray:
    """Derivatives of `x**(a - 1) * exp(-x) / gamma(a)`."""
    i, k = by

    def value(a: np.ndarray) -> np.ndarray:
        scaled = np.exp((a - 1) * np.log(x) - x - _scipy().loggamma(a))
        return scaled * sum(
            math.comb(k, j) * _falling(a - 1, j) / x**j * (-1) ** (k - j)
            for j in range(k + 1)
        )

    return np.real(_by_parameters(value, (a,), (i,), [np.log(x / a)]))


@partial
def gammainc(a: np.ndarray, x: np.ndarray, *, by: Orders) -> np.ndarray:
    """Elementwise regularized lower incomplete gamma function.

    The integral of `t**(a - 1) * exp(-t)` from 0 to `x`, over `gamma(a)`; NaN for
    negative `a` or `x`. Both operands have derivatives, of every order.

    >>> weft.special.gammainc(2.0, weft.asarray([0.0, 1.0]))
    Array([0.        , 0.26424113], dtype=float32)
    """

    def value(a: np.ndarray, x: np.ndarray) -> np.ndarray:
        if tuple(by) == (0, 0):
            tiny = (a > 0) & (a < 1e-290) & (x > 0)
            value = np.where(tiny, 1.0, _scipy().gammainc(a, x))
            step = np.where(x == a, 0.5, np.where(x < a, 0.0, 1.0))
            return np.where(_is_vast(a, x), step, value)
        inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
        tame = np.where(inside, a, 1.0), np.where(inside, x, 1.0)
        if by[1]:
            slope = _gamma_density(*tame, (by[0], by[1] - 1))
        else:
            slope = _gammainc_by(*tame, by[0])
        end = np.where((a > 0) & (x >= 0), _gamma_edge(a, x, by), np.nan)
        return np.where(inside, slope, end)

    return in_f64(value, a, x)


def _gamma_edge(a: np.ndarray, x: np.ndarray, by: Orders) -> np.ndarray:
    """Derivatives where x is 0 or something is infinite."""
    i, k = by
    zero = np.zeros(a.shape)
    at_zero = np.where(a > k, 0, np.nan) if k else zero
    if (i, k) == (0, 1):
        at_zero = np.where(a > 1, 0, np.where(a == 1, 1.0, np.inf))
    if (i, k) == (0, 2):
        special = np.where(a == 2, 1.0, np.where(a == 1, -1.0, np.inf))
        at_zero = np.where(a > 2, 0, np.where(a < 1, -np.inf, special))
    return np.where(x == 0, at_zero, zero)


@op(lambda a, x: elementwise_call("gammaincc", "float", a, x))
def gammaincc(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Elementwise regularized upper incomplete gamma function, `1 - gammainc(a, x)`.

    It is accurate where that is small. Both operands have derivatives.

    >>> weft.special.gammaincc(2.0, weft.asarray([0.0, 1.0]))
    Array([1.       , 0.7357589], dtype=float32)
    """

    def value(a: np.ndarray, x: np.ndarray) -> np.ndarray:
        # SciPy's is 0 where `a` is all but 0.
        tiny = (a > 0) & (a < 1e-290) & (x > 0)
        small = a * _scipy().exp1(np.where(tiny, x, 1))
        value = np.where(tiny, small, _scipy().gammaincc(a, x))
        step = np.where(x == a, 0.5, np.where(x < a, 1.0, 0.0))
        return np.where(_is_vast(a, x), step, value)

    return in_f64(value, a, x)


def _betainc_by(p: np.ndarray, q: np.ndarray, x: np.ndarray, by: Orders) -> Any:
    """The derivative by the parameters, in the inside."""
    upper = x > (p + 1) / (p + q + 2)
    own, other = np.where(upper, q, p), np.where(upper, p, q)
    at = np.where(upper, 1 - x, x)

    def value(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        def coefficients(n: int) -> tuple[np.ndarray, np.ndarray]:
            m = n // 2
            if n % 2:
                over = -(a + m) * (a + b + m) * at
                return over / ((a + 2 * m) * (a + 2 * m + 1)), one
            return m * (b - m) * at / ((a + 2 * m - 1) * (a + 2 * m)), one

        one = np.ones(np.broadcast(a, b).shape, complex)
        gamma = _scipy().loggamma
        size = a * np.log(at) + b * np.log1p(-at) - gamma(a) - gamma(b) + gamma(a + b)
        return np.exp(size) / a / _fraction(coefficients, one)

    slopes = [
        np.log(at * (a + b) / a)
        for a, b, at in ((own, other, at), (other, own, 1 - at))
    ]
    swapped = _by_parameters(value, (own, other), (by[1], by[0]), slopes)
    direct = _by_parameters(value, (own, other), (by[0], by[1]), slopes)
    return np.real(np.where(upper, -swapped, direct))


def _beta_density(p: np.ndarray, q: np.ndarray, x: np.ndarray, by: Orders) -> Any:
    """Derivatives of `x**(p - 1) * (1 - x)**(q - 1) / beta(p, q)`."""
    *parameters, k = by

    def value(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        gamma, y = _scipy().loggamma, 1 - x
        size = gamma(p + q) - gamma(p) - gamma(q)
        scaled = np.exp(size + (p - 1) * np.log(x) + (q - 1) * np.log1p(-x))
        return scaled * sum(
            math.comb(k, j) * _falling(p - 1, j) / x**j
            * _falling(q - 1, k - j) / (-y) ** (k - j)
            for j in range(k + 1)
        )  # fmt: skip

    slopes = [np.log(x * (p + q) / p), np.log1p(-x) + np.log((p + q) / q)]
    return np.real(_by_parameters(value, (p, q), parameters, slopes))


def _beta_edge(p: np.ndarray, q: np.ndarray, x: np.ndarray, by: Orders) -> Any:
    """Derivatives where x is 0 or 1."""
    k = by[2]
    own, other = np.where(x == 0, p, q), np.where(x == 0, q, p)
    edge = np.where(own > k, 0, np.nan) if k else np.zeros(p.shape)
    if tuple(by) == (0, 0, 1):
        edge = np.where(own > 1, 0, np.where(own == 1, other, np.inf))
    if tuple(by) == (0, 0, 2):
        steep = np.where(own > 1, np.inf, -np.inf)
        one = np.where(own == 1, -other * (other - 1), steep)
        two = np.where(own == 2, other * (other + 1), one)
        edge = np.where(own > 2, 0, two) * np.where(x == 0, 1, -1)
    return edge


@partial
def betainc(p: np.ndarray, q: np.ndarray, x: np.ndarray, *, by: Orders) -> np.ndarray:
    """Elementwise regularized incomplete beta function.

    The integral of `t**(p - 1) * (1 - t)**(q - 1)` from 0 to `x`, over `beta(p, q)`;
    NaN for negative `p` or `q` and outside of [0, 1]. All operands have derivatives,
    of every order.

    >>> weft.special.betainc(2.0, 3.0, weft.asarray([0.0, 0.5, 1.0]))
    Array([0.    , 0.6875, 1.    ], dtype=float32)
    """

    def value(p: np.ndarray, q: np.ndarray, x: np.ndarray) -> np.ndarray:
        if tuple(by) == (0, 0, 0):
            return _betainc(p, q, x)
        proper = (p > 0) & (q > 0) & np.isfinite(p) & np.isfinite(q)
        inside = proper & (x > 0) & (x < 1)
        a, b, at = (np.where(inside, v, w) for v, w in ((p, 1.0), (q, 1.0), (x, 0.5)))
        if by[2]:
            slope = _beta_density(a, b, at, (*by[:2], by[2] - 1))
        else:
            slope = _betainc_by(a, b, at, by)
        end = proper & ((x == 0) | (x == 1))
        return np.where(inside, slope, np.where(end, _beta_edge(p, q, x, by), np.nan))

    return in_f64(value, p, q, x)


def _betainc(p: np.ndarray, q: np.ndarray, x: np.ndarray) -> np.ndarray:
    at_zero, at_one = (p == 0) | (q == np.inf), (q == 0) | (p == np.inf)
    proper = ~(at_zero | at_one)
    # SciPy's is 0 for the smallest q, to which it is proportional; of two such
    # parameters only the quotient counts.
    scale = np.where(np.maximum(p, q) < 1e-200, 1e150, 1.0)
    a, b = np.where(proper, p * scale, 1), np.where(proper, q * scale, 1)
    bounded = np.maximum(b, 1e-200)
    # Nor does it hold for subnormal x; there it is proportional to x**a.
    a, normal = np.maximum(a, 1e-250), np.maximum(x, 1e-290)
    inside = _scipy().betainc(a, bounded, normal) * (b / bounded)
    inside = inside * np.where(x < normal, np.maximum(x, 0) / normal, 1) ** a
    value = np.where(at_zero, 1.0, np.where(at_one, 0.0, inside))
    value = np.where(x == 0, 0.0, np.where(x == 1, 1.0, value))
    valid = (p >= 0) & (q >= 0) & (x >= 0) & (x <= 1) & ~(at_zero & at_one)
    return np.where(valid, value, np.nan)


# ---- normal numbers ----


def _exp_of_square(x: np.ndarray, factor: float) -> np.ndarray:
    """exp(factor x^2), the square being that of two halves of x."""
    head = x.astype("float32").astype(F64)
    rest = np.where(np.abs(x) < 1e4, (x - head) * (x + head), 0)
    return np.exp(factor * head * head) * np.exp(factor * rest)


def _erfcx(x: np.ndarray, order: int) -> np.ndarray:
    if order == 0:
        right = _scipy().erfcx(np.abs(x))
        return np.where(x < 0, 2 * _exp_of_square(x, 1.0) - right, right)
    # The integral of 2 / sqrt(pi) exp(-t^2 - 2 |x| t), by the rule of Takahasi and
    # Mori for half-lines that decay.
    size = np.abs(x)[..., None]
    steps = np.arange(-140, 141) / 32
    t = np.exp(steps - np.exp(-steps)) / (1 + np.where(np.isinf(size), 0, size))
    weight = t * (1 + np.exp(-steps)) / 32
    decay = np.exp(-t * t - 2 * size * t)
    right = np.sum((-2 * t) ** order * decay * weight, -1) * 2 / math.sqrt(math.pi)
    low = np.minimum(x, 0)
    powers = [2 * np.exp(low * low), 4 * low * np.exp(low * low)]
    for n in range(1, order):
        powers.append(2 * low * powers[n] + 2 * n * powers[n - 1])
    return np.where(x < 0, powers[order] - (-1) ** order * right, right)


@partial
def erfcx(x: np.ndarray, *, by: Orders) -> np.ndarray:
    """Elementwise `exp(x**2) * erfc(x)`.

    >>> weft.special.erfcx(weft.asarray([0.0, 100.0]))
    Array([1.        , 0.00564161], dtype=float32)
    """
    return in_f64(lambda x: _erfcx(x, by[0]), x)


@unary("float")
def ndtr(x: np.ndarray) -> np.ndarray:
    """Elementwise probability that a standard normal number is at most `x`.

    >>> weft.special.ndtr(weft.asarray([0.0, 1.0]))
    Array([0.5      , 0.8413448], dtype=float32)
    """

    def value(x: np.ndarray) -> np.ndarray:
        scaled = _scipy().erfcx(-x / math.sqrt(2))
        tail = np.where(x < -40, 0, 0.5 * _exp_of_square(x, -0.5) * scaled)
        return np.where(x < -1, tail, 0.5 * _scipy().erfc(-x / math.sqrt(2)))

    return in_f64(value, x)


@unary("float")
def ndtri(x: np.ndarray) -> np.ndarray:
    """Elementwise inverse of `ndtr`; infinite at 0 and 1, NaN beyond.

    >>> weft.special.ndtri(weft.asarray([0.5, 0.975]))
    Array([0.       , 1.9599644], dtype=float32)
    """
    return in_f64(lambda x: _scipy().ndtri(x), x)


# ---- Bessel functions ----


def _bessel(x: ArrayLike, order: int, scaled: bool) -> Call:
    call = elementwise_call("bessel_i", "float", x)
    attributes: dict[str, Any] = {"order": order}
    if scaled:
        attributes["scaled"] = True
    return Call(call.operands, attributes, weak=call.weak)


def _ive(order: int, size: np.ndarray) -> np.ndarray:
    """The series, of positive terms, and past 20 the recurrence in the order."""
    near = size < 20
    half = np.where(near, size / 2, 1)
    term = half**order / math.factorial(order)
    series = term
    for k in range(1, 60):
        term = term * (half * half) / (k * (k + order))
        series = series + term
    far = np.where(near, 20, size)
    before, value = _scipy().i0e(far), _scipy().i1e(far)
    for n in range(1, order):
        before, value = value, before - 2 * n / far * value
    return np.where(near, series * np.exp(-np.where(near, size, 0)), value)


@op(_bessel)
def bessel_i(x: np.ndarray, *, order: int, scaled: bool = False) -> np.ndarray:
    """Elementwise modified Bessel function of the first kind, of an order up to 8.

    Multiplied by `exp(-abs(x))` if `scaled`.

    >>> weft.special.i1(weft.asarray([0.0, 1.0]))
    Array([0.       , 0.5651591], dtype=float32)
    """

    def value(x: np.ndarray) -> np.ndarray:
        special, size = _scipy(), np.abs(x)
        ours = {0: special.i0e, 1: special.i1e}
        function = ours.get(order, functools.partial(_ive, order))
        value = function(np.where(np.isinf(x), 1, size))
        value = np.where(np.isinf(x), 0, value)
        if not scaled:
            value = value * np.exp(size / 2) * np.exp(size / 2)
            value = np.where(np.isinf(x), np.inf, value)
        return np.copysign(value, x) if order % 2 else value

    return in_f64(value, x)


@public
def i0(x: ArrayLike, /) -> Array:
    """Elementwise modified Bessel function of the first kind of order 0.

    >>> weft.i0(weft.asarray([0.0, 1.0]))
    Array([1.       , 1.2660658], dtype=float32)
    """
    return bessel_i(x, 0, False)
