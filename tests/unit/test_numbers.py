"""What docs/numbers.md says of promotion, integers at their edges and conversions."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import functools
import itertools
import math
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft
from weft.dtypes import MLIR_NAMES, code, is_kind, is_narrow, limits, promote, rounded

DOCS = Path(__file__).parents[2] / "docs" / "numbers.md"
INTEGERS = [dtype for dtype in MLIR_NAMES if is_kind(dtype, "integer")]
FLOATS = [dtype for dtype in MLIR_NAMES if is_kind(dtype, "float")]
FLOAT8 = [dtype for dtype in MLIR_NAMES if is_kind(dtype, "float8")]
NARROW = [dtype for dtype in MLIR_NAMES if is_narrow(dtype)]
HALVES = [weft.float16, weft.bfloat16]


def every_way(function: Callable[..., Any], *xs: np.ndarray) -> list[np.ndarray]:
    """A function's value compiled, interpreted, and op by op."""
    jitted = weft.jit(function)
    results = [jitted(*xs), jitted.interpret(*xs), function(*map(weft.asarray, xs))]
    return [np.asarray(result) for result in results]


# ---- promotion ----


def test_promotion_is_the_table_of_the_docs() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|(.+)\|$", DOCS.read_text(), re.MULTILINE)
    names = [name for name, _ in rows]
    plain = [dtype for dtype in MLIR_NAMES if not is_kind(dtype, "float8")]
    assert names == [str(dtype) for dtype in plain]
    for x, (_, cells) in zip(plain, rows, strict=True):
        for y, cell in zip(plain, cells.split("|"), strict=True):
            assert str(promote((x, y), ())) == cell.strip(), (x, y)
            assert weft.result_type(x, y) == weft.result_type(y, x)
            if code(x) + code(y) != "bb":
                both = weft.ones(2, dtype=x) + weft.ones(2, dtype=y)
                assert both.dtype == cell.strip()


def test_promotion_is_numpys_where_numpy_has_one() -> None:
    known = [dtype for dtype in MLIR_NAMES if dtype.num < 256]
    for dtypes in itertools.product(known, repeat=3):
        assert promote(dtypes, ()) == np.result_type(*dtypes)


def test_promotion_of_many_does_not_depend_on_their_order() -> None:
    plain = [dtype for dtype in MLIR_NAMES if not is_kind(dtype, "float8")]
    for dtypes in itertools.combinations(plain, 3):
        found = {promote(order, ()) for order in itertools.permutations(dtypes)}
        assert len(found) == 1, dtypes


@pytest.mark.parametrize("dtype", MLIR_NAMES, ids=str)
def test_python_scalars_are_weak(dtype: np.dtype[Any]) -> None:
    float_too = is_kind(dtype, "inexact") or is_kind(dtype, "float8")
    as_float = dtype if float_too else weft.float32
    as_int = weft.int64 if is_kind(dtype, "bool") else dtype
    assert weft.result_type(dtype, 1.0) == as_float
    assert weft.result_type(dtype, 1) == as_int
    assert weft.result_type(dtype, True) == dtype
    if not is_kind(dtype, "float8"):
        x = weft.ones(2, dtype=dtype)
        assert (x + 1.0).dtype == (1.0 + x).dtype == as_float
        assert weft.jit(lambda x, y: x + y)(x, 1.0).dtype == as_float
        assert weft.jit(lambda x, y: x * y)(x, 2).dtype == as_int


@pytest.mark.parametrize(
    "name", ["multiply", "dot", "inner", "outer", "kron", "tensordot", "convolve"]
)
def test_python_scalars_are_weak_in_products(name: str) -> None:
    function = getattr(weft, name)
    if name == "tensordot":
        function = functools.partial(function, axes=0)
    for dtype in (weft.float16, weft.int8, weft.float32, weft.complex64):
        x = weft.ones(1 if name == "convolve" else 3, dtype=dtype)
        assert function(x, 2).dtype == dtype
        assert function(2, x).dtype == dtype
        assert weft.jit(function)(x, 2).dtype == dtype


# ---- integers ----

# The operands' bits and sign, and Python's integers, of any size, say what is meant.
Meaning = Callable[[int, int, "Range"], int]


class Range:
    """The values of an integer dtype."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        info = np.iinfo(dtype)
        self.min, self.max, self.bits = int(info.min), int(info.max), int(info.bits)

    def wrap(self, x: int) -> int:
        """The value of the dtype that is x modulo 2**bits."""
        return (x - self.min) % 2**self.bits + self.min

    def saturate(self, x: int) -> int:
        """The value of the dtype that is nearest to x."""
        return min(max(x, self.min), self.max)


def _power(x: int, y: int, of: Range) -> int:
    if y >= 0:
        return of.wrap(pow(x, y, 2**of.bits))
    return {1: 1, -1: -1 if y % 2 else 1}.get(x, 0)


def _shift_left(x: int, y: int, of: Range) -> int:
    return of.wrap(x << y) if 0 <= y < of.bits else 0


def _shift_right(x: int, y: int, of: Range) -> int:
    return x >> (y if 0 <= y < of.bits else of.bits)


MEANINGS: dict[str, tuple[Callable[..., Any], Meaning]] = {
    "add": (weft.add, lambda x, y, of: of.wrap(x + y)),
    "subtract": (weft.subtract, lambda x, y, of: of.wrap(x - y)),
    "multiply": (weft.multiply, lambda x, y, of: of.wrap(x * y)),
    "negative": (lambda x, y: weft.negative(x), lambda x, y, of: of.wrap(-x)),
    "abs": (lambda x, y: weft.abs(x), lambda x, y, of: of.wrap(abs(x))),
    "square": (lambda x, y: weft.square(x), lambda x, y, of: of.wrap(x * x)),
    "floor_divide": (weft.floor_divide, lambda x, y, of: of.wrap(x // y) if y else 0),
    "remainder": (weft.remainder, lambda x, y, of: x % y if y else 0),
    "pow": (weft.pow, _power),
    "left shift": (weft.bitwise_left_shift, _shift_left),
    "right shift": (weft.bitwise_right_shift, _shift_right),
}


def edges(dtype: np.dtype[Any]) -> np.ndarray:
    """Integers at which a meaning has to be chosen."""
    of = Range(dtype)
    values = {of.min, of.min + 1, of.max, of.max - 1, -3, -2, -1, 0, 1, 2, 3, 7, 100}
    values |= {of.bits - 1, of.bits, of.bits + 1, -of.bits}
    return np.array(sorted(v for v in values if of.min <= v <= of.max), dtype)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers_mean_what_the_docs_say(dtype: np.dtype[Any]) -> None:
    some = edges(dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(some, some))
    of, pairs = Range(dtype), list(zip(x.tolist(), y.tolist(), strict=True))

    def everything(x: Any, y: Any) -> Any:
        return tuple(function(x, y) for function, _ in MEANINGS.values())

    jitted = weft.jit(everything)
    ways = jitted(x, y), jitted.interpret(x, y), everything(*map(weft.asarray, (x, y)))
    for results in ways:
        for (name, (_, means)), got in zip(MEANINGS.items(), results, strict=True):
            want = np.array([means(a, b, of) for a, b in pairs], dtype)
            bad = np.asarray(got) != want
            assert not bad.any(), (name, x[bad][0], y[bad][0])


def test_the_docs_name_every_meaning_of_integers() -> None:
    text = DOCS.read_text()
    for example in ("x // 0", "MIN // -1", "x % 0", "x << n", "x >> n", "x ** n"):
        assert example in text


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers_wrap_into_integers(dtype: np.dtype[Any]) -> None:
    some = edges(dtype)

    def everything(x: Any) -> Any:
        return tuple(weft.astype(x, to) for to in INTEGERS)

    jitted = weft.jit(everything)
    for results in (
        jitted(some),
        jitted.interpret(some),
        everything(weft.asarray(some)),
    ):
        for to, got in zip(INTEGERS, results, strict=True):
            want = np.array([Range(to).wrap(v) for v in some.tolist()], to)
            np.testing.assert_array_equal(np.asarray(got), want, strict=True)


def _to_integer(x: float, of: Range) -> int:
    if math.isnan(x):
        return 0
    if math.isinf(x):
        return of.max if x > 0 else of.min
    return of.saturate(math.trunc(x))


@pytest.mark.parametrize("dtype", [*FLOATS, *FLOAT8], ids=str)
def test_floats_saturate_into_integers(dtype: np.dtype[Any]) -> None:
    powers = [
        2.0**n * (1 + s / 8) for n in (6, 7, 8, 15, 16, 31, 32, 63, 64) for s in (0, 1)
    ]
    some = [0.0, 0.5, 0.99, 1.0, 1.5, 2.5, 127.5, 448.0, 1e30, math.inf, *powers]
    with np.errstate(all="ignore"):
        x = rounded(np.array([*some, *(-v for v in some), math.nan]), dtype)
        wide = x.astype("f8")

    def everything(x: Any) -> Any:
        return tuple(weft.astype(x, to) for to in INTEGERS)

    jitted = weft.jit(everything)
    for results in (jitted(x), jitted.interpret(x), everything(weft.asarray(x))):
        for to, got in zip(INTEGERS, results, strict=True):
            want = np.array([_to_integer(v, Range(to)) for v in wide.tolist()], to)
            np.testing.assert_array_equal(np.asarray(got), want, strict=True)


# ---- conversions to floats ----


def _neighbours(dtype: np.dtype[Any]) -> np.ndarray:
    """All finite values of a narrow dtype, ascending, as float64."""
    bits = np.arange(2 ** (8 * dtype.itemsize)).astype(f"u{dtype.itemsize}")
    with np.errstate(all="ignore"):
        values = bits.view(dtype).astype("f8")
    return np.unique(values[np.isfinite(values)])


def _nearest(x: Fraction, all_values: np.ndarray, dtype: np.dtype[Any]) -> float:
    """The nearest value, ties to the even one; past the largest, what overflow is."""
    most = float(all_values[-1])
    last = Fraction(most) - Fraction(float(all_values[-2]))
    limit = Fraction(most) + last / 2
    even_largest = dtype == weft.float8_e4m3fn  # 448 is even, other largest are odd
    if abs(x) > limit or (abs(x) == limit and not even_largest):
        past = math.nan if dtype == weft.float8_e4m3fn else math.inf
        return math.copysign(past, x)
    above = min(int(np.searchsorted(all_values, float(x))), len(all_values) - 1)
    near = all_values[max(above - 2, 0) : above + 2]
    zero = len(all_values) // 2

    def distance(value: float) -> tuple[Fraction, int]:
        place = int(np.searchsorted(all_values, value))
        return abs(Fraction(float(value)) - x), abs(place - zero) % 2

    return float(min(near, key=distance))


def _hard_cases(all_values: np.ndarray, random: np.random.Generator) -> list[Fraction]:
    """Numbers half way between neighbours, and close to that on either side."""
    low = random.choice(len(all_values) - 1, 60)
    cases = []
    for i in (*low, 0, len(all_values) - 2, len(all_values) // 2):
        a, b = Fraction(float(all_values[i])), Fraction(float(all_values[i + 1]))
        # So near that float32 has nothing in between, and float64 has.
        bits = (b - a) / 2**36
        cases += [a, (a + b) / 2, (a + b) / 2 + bits, (a + b) / 2 - bits]
    step = Fraction(float(all_values[-1])) - Fraction(float(all_values[-2]))
    edge = Fraction(float(all_values[-1])) + step / 2
    cases += [edge, edge + step / 2**36, edge - step / 2**36]
    return cases + [-case for case in cases]


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_float64_is_rounded_once(dtype: np.dtype[Any]) -> None:
    values = _neighbours(dtype)
    cases = _hard_cases(values, np.random.default_rng(3))
    x = np.array([float(case) for case in cases])
    assert [Fraction(v) for v in x.tolist()] == cases, "the cases are float64"
    want = np.array([_nearest(case, values, dtype) for case in cases])
    for got in every_way(lambda x: weft.astype(x, dtype), x):
        assert got.dtype == dtype
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got.astype("f8"), want)
            signs = np.signbit(got.astype("f4")) == np.signbit(x)
        assert (signs | np.isnan(want)).all()


@pytest.mark.parametrize("dtype", NARROW, ids=str)
@pytest.mark.parametrize("source", ["int32", "uint32", "int64", "uint64"])
def test_integers_are_rounded_once(source: str, dtype: np.dtype[Any]) -> None:
    values, of = _neighbours(dtype), Range(np.dtype(source))
    digits = limits(dtype).nmant + 1
    halves = [2**n + 2 ** (n - digits) for n in range(digits, of.bits - 1)]
    some = {h + e for h in halves for e in (-1, 0, 1)} | {of.max, of.min, 0, 1, 449}
    some |= {-s for s in some}
    ints = sorted(s for s in some if of.min <= s <= of.max)
    want = np.array([_nearest(Fraction(i), values, dtype) for i in ints])
    for got in every_way(lambda x: weft.astype(x, dtype), np.array(ints, source)):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got.astype("f8"), want)


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_every_narrow_float_widens_and_comes_back(dtype: np.dtype[Any]) -> None:
    bits = np.arange(2 ** (8 * dtype.itemsize)).astype(f"u{dtype.itemsize}")
    x = bits.view(dtype)
    nan = np.isnan(x.astype("f4"))

    def there_and_back(x: Any) -> Any:
        wide = [weft.astype(x, to) for to in (weft.float32, weft.float64)]
        return (*wide, *(weft.astype(w, dtype) for w in wide))

    jitted = weft.jit(there_and_back)
    for *wide, back, again in (jitted(x), jitted.interpret(x)):
        for y in wide:
            with np.errstate(all="ignore"):
                want = x.astype(y.dtype)
            np.testing.assert_array_equal(np.asarray(y), want)
        for y in map(np.asarray, (back, again)):
            assert (y.view(bits.dtype) == bits)[~nan].all()
            assert np.isnan(y.astype("f4"))[nan].all()


@pytest.mark.parametrize("dtype", FLOAT8, ids=str)
@pytest.mark.parametrize("half", HALVES, ids=str)
def test_every_half_becomes_the_float8_of_ml_dtypes(
    half: np.dtype[Any], dtype: np.dtype[Any]
) -> None:
    x = np.arange(2**16).astype("u2").view(half)
    with np.errstate(all="ignore"):
        want = x.astype("f4").astype(dtype).astype("f4")
        got = np.asarray(weft.jit(lambda x: weft.astype(x, dtype))(x)).astype("f4")
    np.testing.assert_array_equal(got, want)
