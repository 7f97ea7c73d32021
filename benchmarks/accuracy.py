"""Measures how far each float function is from the exact value, in ulps.

    python benchmarks/accuracy.py            prints the table
    python benchmarks/accuracy.py --write    writes it to docs/accuracy.md

Compiled functions at random bit patterns, which reach every exponent, and at numbers
near what is awkward for each, against mpmath with enough digits.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np

import weft
from weft import special

F32, F64 = np.dtype("float32"), np.dtype("float64")
ANY = (-math.inf, math.inf)
POSITIVE = (0.0, math.inf)
UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Function:
    """A function, what it means, where, and by how many ulps it may be off.

    The error is in ulps of the exact result or, for those that are `mixed`, of what
    that says: of 1 where the result is smaller, or of it times the size of its
    logarithm.
    """

    name: str
    call: Callable[..., Any]
    exact: Callable[..., Any]
    domains: tuple[tuple[float, float], ...] = (ANY,)
    bounds: tuple[float, float] = (1.0, 1.0)
    near: tuple[float, ...] = ()
    mixed: str = ""
    digits: int = 40
    count: float = 1.0


def _erfc(x: Any) -> Any:
    # Far out there is nothing to compute, and no way to.
    if abs(x) > 1e6:
        return mp.mpf(0 if x > 0 else 2)
    return mp.erfc(x)


def _pow(x: Any, y: Any) -> Any:
    if y == 0 or x == 1:
        return mp.mpf(1)
    if x == 0:
        odd = y == mp.floor(y) and mp.floor(y) % 2 == 1
        return mp.mpf(0) if y > 0 else (mp.inf if not odd else None)
    if x < 0:
        if y != mp.floor(y):
            return None
        size = mp.exp(y * mp.log(-x))
        return -size if mp.floor(y) % 2 else size
    return mp.exp(y * mp.log(x))


def _erfcx(x: Any) -> Any:
    if x > 1e6:
        return (1 - 1 / (2 * x * x)) / (x * mp.sqrt(mp.pi))
    return mp.exp(x * x) * mp.erfc(x)


def _ndtr(x: Any) -> Any:
    return _erfc(-x / mp.sqrt(2)) / 2


def _log_ndtr(x: Any) -> Any:
    if x < -1e6:
        return -x * x / 2 - mp.log(-x * mp.sqrt(2 * mp.pi))
    # Of the other tail the logarithm takes the complement.
    return mp.log(_ndtr(x)) if x < 0 else mp.log1p(-_ndtr(-x))


def _ndtri(p: Any) -> Any:
    """Newton's method on the logarithm of the tail."""
    if p in (0, 1):
        return mp.inf if p else -mp.inf
    q = min(p, 1 - p)
    x = -mp.sqrt(-2 * mp.log(q)) if q < 0.1 else (q - 0.5) * mp.mpf(2.5)
    for _ in range(80):
        value = _ndtr(x)
        step = mp.log(value / q) * value / mp.npdf(x)
        x -= step
        if abs(step) <= abs(x) * mp.mpf(10) ** -30:
            break
    return x if p < 0.5 else -x


def _erfinv(x: Any) -> Any:
    if abs(x) == 1:
        return x * mp.inf
    return mp.erfinv(x)


def _lgamma(x: Any) -> Any:
    if x <= 0 and x == mp.floor(x):
        return mp.inf
    if x < 0:
        return mp.log(abs(mp.pi / (x * mp.sinpi(x)))) - mp.loggamma(-x)
    return mp.loggamma(x)


def _gamma(x: Any) -> Any:
    if x <= 0 and x == mp.floor(x):
        return None
    if abs(x) > 400:
        return mp.inf if x > 0 else mp.mpf(0)
    return mp.gamma(x)


def _digamma(x: Any) -> Any:
    if x <= 0 and x == mp.floor(x):
        return None
    if x < 0:
        return mp.digamma(-x) - 1 / x - mp.pi * mp.cospi(x) / mp.sinpi(x)
    return mp.digamma(x)


def _betaln(x: Any, y: Any) -> Any:
    with mp.workdps(60):
        return mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y)


def _logaddexp(x: Any, y: Any) -> Any:
    high, low = max(x, y), min(x, y)
    return high + mp.log1p(mp.exp(low - high))


def _gammainc(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def _gammaincc(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def _betainc(a: Any, b: Any, x: Any) -> Any:
    with mp.workdps(60):
        return mp.betainc(a, b, 0, x, regularized=True)


def _polygamma2(x: Any) -> Any:
    return mp.psi(2, x)


TURNS = tuple(k * math.pi / 2 for k in (1, 2, 3, 11, 52174, 1e9 // 1, 1e15 // 1))

FUNCTIONS: tuple[Function, ...] = (
    Function("exp", weft.exp, mp.exp),
    Function("exp2", weft.exp2, lambda x: mp.power(2, x)),
    Function("expm1", weft.expm1, mp.expm1),
    Function("log", weft.log, mp.log, (POSITIVE,), near=(1,)),
    Function("log2", weft.log2, lambda x: mp.log(x) / mp.log(2), (POSITIVE,),
             near=(1,), bounds=(2, 1)),
    Function("log10", weft.log10, mp.log10, (POSITIVE,), near=(1,), bounds=(2, 2)),
    Function("log1p", weft.log1p, mp.log1p, ((-1, math.inf),), near=(-1, 0),
             bounds=(2, 1)),
    Function("logaddexp", weft.logaddexp, _logaddexp, ((-700, 700),) * 2, mixed="1",
             bounds=(2, 2)),
    Function("sqrt", weft.sqrt, mp.sqrt, (POSITIVE,), (0.5, 0.5)),
    Function("rsqrt", weft.rsqrt, lambda x: 1 / mp.sqrt(x), (POSITIVE,), (2, 2)),
    Function("cbrt", weft.cbrt, lambda x: mp.sign(x) * mp.cbrt(abs(x))),
    Function("hypot", weft.hypot, mp.hypot, (ANY, ANY), (2, 2)),
    Function("pow", weft.pow, _pow, (ANY, (-60, 60)), digits=60),
    Function("sin", weft.sin, mp.sin, near=TURNS, digits=400),
    Function("cos", weft.cos, mp.cos, near=TURNS, digits=400),
    Function("tan", weft.tan, mp.tan, near=TURNS, digits=400, bounds=(1, 2)),
    Function("asin", weft.asin, mp.asin, ((-1, 1),), near=(-1, 1),
             bounds=(2, 1)),
    Function("acos", weft.acos, mp.acos, ((-1, 1),), near=(-1, 1),
             bounds=(2, 1)),
    Function("atan", weft.atan, mp.atan, bounds=(2, 1)),
    Function("atan2", weft.atan2, mp.atan2, (ANY, ANY), bounds=(2, 2)),
    Function("sinh", weft.sinh, mp.sinh, bounds=(2, 2)),
    Function("cosh", weft.cosh, mp.cosh, bounds=(2, 2)),
    Function("tanh", weft.tanh, mp.tanh, near=(0.3, 1.5, 3), bounds=(3, 1)),
    Function("asinh", weft.asinh, mp.asinh, bounds=(1, 2)),
    Function("acosh", weft.acosh, mp.acosh, ((1, math.inf),), near=(1,), bounds=(1, 2)),
    Function("atanh", weft.atanh, mp.atanh, ((-1, 1),), near=(-1, 1), bounds=(1, 2)),
    Function("logistic", weft.logistic, lambda x: 1 / (1 + mp.exp(-x)), bounds=(3, 2)),
    Function("erf", weft.erf, mp.erf),
    Function("erfc", weft.erfc, _erfc, bounds=(1, 3)),
    Function("erfinv", weft.erfinv, _erfinv, ((-1, 1),), near=(-1, 1)),
    Function("erfcx", special.erfcx, _erfcx, ((-26, math.inf),),
             near=(0, 2.5), bounds=(1, 4)),
    Function("ndtr", special.ndtr, _ndtr, near=(-1,), bounds=(1, 5)),
    Function("ndtri", special.ndtri, _ndtri, (UNIT,), near=(0.5, 1), bounds=(1, 3)),
    Function("log_ndtr", special.log_ndtr, _log_ndtr, near=(-1,), bounds=(2, 4)),
    Function("logit", special.logit, lambda x: mp.log(x / (1 - x)), (UNIT,),
             near=(0.5, 1), bounds=(1, 3)),
    Function("xlogy", special.xlogy, lambda x, y: x * mp.log(y) if x else x * 0,
             (ANY, POSITIVE), bounds=(1, 2)),
    Function("xlog1py", special.xlog1py, lambda x, y: x * mp.log1p(y),
             (ANY, (-1, math.inf)), bounds=(1, 2)),
    Function("sinc", weft.sinc, mp.sincpi, near=(1, -2, 3, 1000), bounds=(1, 3)),
    Function("gamma", special.gamma, _gamma, ((-180, 172),),
             near=(2, -1, -50), bounds=(1, 6)),
    Function("lgamma", special.lgamma, _lgamma, ((-1e15, math.inf),),
             near=(1, 2, -2.457, -3.143), mixed="1", bounds=(1, 4)),
    Function("lgamma, x > 0", special.lgamma, _lgamma, (POSITIVE,),
             near=(1, 2), bounds=(1, 5)),
    Function("digamma", special.digamma, _digamma, ((-1e15, math.inf),),
             near=(1.46163, -0.504, -1.573), mixed="1", bounds=(1, 10)),
    Function("digamma, x > 0", special.digamma, _digamma, (POSITIVE,),
             near=(1.46163,), bounds=(1, 4)),
    Function("polygamma 2", lambda x: special.polygamma(2, x), _polygamma2,
             ((1e-90, 1e90),), count=0.3, bounds=(1, 5)),
    Function("betaln", special.betaln, _betaln, ((1e-20, 1e20),) * 2,
             mixed="1", bounds=(1, 10)),
    Function("zeta", special.zeta, mp.zeta, ((1.001, 60), (1e-3, 1e3)), digits=200,
             count=0.05, bounds=(1, 6)),
    Function("gammainc", special.gammainc, _gammainc, ((1e-2, 2e3), (1e-3, 2e3)),
             mixed="log", count=0.2, bounds=(1, 25)),
    Function("gammaincc", special.gammaincc, _gammaincc, ((1e-2, 2e3), (1e-3, 2e3)),
             mixed="log", count=0.2, bounds=(1, 20)),
    Function("betainc", special.betainc, _betainc, ((1e-1, 1e2), (1e-1, 1e2), UNIT),
             mixed="log", count=0.1, bounds=(1, 30)),
    Function("i0", special.i0, lambda x: mp.besseli(0, x), ((-700, 700),), near=(8,),
             count=0.3, bounds=(1, 4)),
    Function("i1", special.i1, lambda x: mp.besseli(1, x), ((-700, 700),), near=(8,),
             count=0.3, bounds=(1, 4)),
    Function("i0e", special.i0e, lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
             ((-1e4, 1e4),), near=(8,), count=0.3, bounds=(1, 3)),
    Function("i1e", special.i1e, lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
             ((-1e4, 1e4),), near=(8,), count=0.3, bounds=(1, 3)),
)  # fmt: skip


# ---- samples ----


def _patterns(
    dtype: np.dtype[Any], count: int, low: float, high: float, seed: int
) -> np.ndarray:
    """Numbers of all exponents within bounds, uniform in their bits."""
    random = np.random.default_rng(seed)
    integer = np.dtype(f"i{dtype.itemsize}")

    def ordered(x: float) -> int:
        largest = float(np.finfo(dtype).max)
        clipped = np.asarray(min(max(x, -largest), largest), dtype)
        bits = int(np.abs(clipped).view(integer))
        return -bits if x < 0 else bits

    places = random.integers(ordered(low), ordered(high), count, endpoint=True)
    sizes = np.abs(places).astype(integer).view(dtype)
    return np.where(places < 0, -sizes, sizes)


def _spread(
    dtype: np.dtype[Any], count: int, low: float, high: float, seed: int
) -> np.ndarray:
    """Numbers of moderate size, uniform within bounds."""
    random = np.random.default_rng(seed)
    return random.uniform(max(low, -40), min(high, 40), count).astype(dtype)


def _close(
    function: Function, dtype: np.dtype[Any], count: int, seed: int
) -> np.ndarray:
    """Numbers at all small distances from what is awkward."""
    random = np.random.default_rng(seed)
    low, high = function.domains[0]
    points = []
    for point in function.near:
        away = 10.0 ** random.uniform(-16, -0.5, count) * random.choice([-1, 1], count)
        points.append(np.clip(point * (1 + away) if point else away, low, high))
    return np.concatenate(points or [np.empty(0)]).astype(dtype)


def samples(
    function: Function, dtype: np.dtype[Any], count: int, seed: int = 0
) -> list[np.ndarray]:
    """Arguments for a function."""
    count = max(int(count * function.count), 8)
    arrays = [
        np.concatenate([
            _patterns(dtype, count, low, high, seed + 10 * i),
            _spread(dtype, count, low, high, seed + 10 * i + 1),
        ])
        for i, (low, high) in enumerate(function.domains)
    ]  # fmt: skip
    if len(arrays) == 1:
        close = _close(function, dtype, max(count // 8, 2), seed)
        return [np.concatenate([arrays[0], close])]
    return arrays


# ---- errors ----


def _ulp(exact: Any, dtype: np.dtype[Any]) -> Any:
    """The distance of floats about a number."""
    info = np.finfo(dtype)
    if exact == 0:
        return mp.mpf(float(info.smallest_subnormal))
    exponent = max(mp.frexp(exact)[1] - 1, info.minexp)
    return mp.ldexp(1, int(exponent) - info.nmant)


def _scale(function: Function, exact: Any) -> Any:
    if function.mixed == "1":
        return max(abs(exact), mp.mpf(1))
    if function.mixed == "log" and exact:
        return abs(exact) * max(-mp.log(abs(exact)), mp.mpf(1))
    return exact


def _error(function: Function, got: float, exact: Any, dtype: np.dtype[Any]) -> float:
    """The error in ulps; NaN where there is no exact value."""
    if exact is None or mp.isnan(exact) or isinstance(exact, mp.mpc):
        return math.nan
    largest = mp.mpf(float(np.finfo(dtype).max))
    edge = largest + _ulp(largest, dtype) / 2
    if abs(exact) >= edge or math.isinf(got):
        # Beyond the largest number, which a rounding may pass.
        same = math.isinf(got) and (got > 0) == (exact > 0)
        return 0.0 if same and abs(exact) >= edge * (1 - mp.mpf(1e-6)) else math.inf
    if math.isnan(got):
        return math.inf
    scale = _scale(function, exact)
    return float(abs(mp.mpf(got) - exact) / _ulp(scale, dtype))


def errors(
    function: Function, dtype: np.dtype[Any], count: int, seed: int = 0
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The errors of the compiled function at samples, in ulps, and the samples."""
    arrays = samples(function, dtype, count, seed)
    values = np.asarray(weft.jit(function.call)(*arrays))
    assert values.dtype == dtype
    found = np.empty(len(values))
    with mp.workdps(function.digits):
        for i, (got, *at) in enumerate(zip(values, *arrays, strict=True)):
            try:
                exact = function.exact(*(mp.mpf(float(x)) for x in at))
            except (ValueError, ZeroDivisionError, mp.libmp.NoConvergence):
                exact = None  # a pole, or too hard for mpmath
            found[i] = _error(function, float(got), exact, dtype)
    return found, arrays


# ---- the table ----


def rows(count: int, names: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """The largest and the mean error of each function, for each dtype."""
    table = []
    for function in FUNCTIONS:
        if names and function.name not in names:
            continue
        cells = [function.name]
        for dtype, bound in zip((F32, F64), function.bounds, strict=True):
            found, arrays = errors(function, dtype, count)
            worst = int(np.nanargmax(found))
            at = ", ".join(repr(float(x[worst])) for x in arrays)
            cells += [
                f"{found[worst]:.2f}", f"{np.nanmean(found):.2f}", f"{bound:g}", at,
            ]  # fmt: skip
        cells.append({"": "", "1": "of 1 at least", "log": "times the logarithm"}
                     [function.mixed])  # fmt: skip
        print(*(f"{cell:>14}" for cell in cells), flush=True)
        table.append(tuple(cells))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    table = rows(arguments.count, arguments.names)
    if arguments.write:
        path = Path(__file__).parent.parent / "docs" / "accuracy.md"
        head, _, _ = path.read_text().partition("\n| function")
        lines = [
            "| function | f32: largest | mean | bound "
            "| f64: largest | mean | bound | |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for name, *cells, mixed in table:
            numbers = [*cells[0:3], *cells[4:7]]
            lines.append(f"| {name} | {' | '.join(numbers)} | {mixed} |")
        path.write_text(head + "\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
