"""Functions that the compiler expands: what IEEE and C fix of their values."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import weft

pytestmark = pytest.mark.thorough

INF, NAN = np.inf, np.nan
DTYPES = [np.float32, np.float64]
NUMPY: dict[str, str] = {
         "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh",
         "acosh": "arccosh", "atanh": "arctanh", "atan2": "arctan2",
         "pow": "power"}  # fmt: skip
UNARY = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan",
         "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "acosh", "atanh",
         "cbrt")  # fmt: skip


def compiled(name, *xs):
    return np.asarray(weft.jit(getattr(weft, name))(*xs))


def awkward(dtype):
    """Zeros, subnormal numbers, thresholds and what lies beside them."""
    info = np.finfo(dtype)
    tiny, least, most = map(float, (info.tiny, info.smallest_subnormal, info.max))
    logs = [np.log(most), np.log(most) + np.log(2), np.log(tiny), np.log(least),
            np.log(least) - np.log(2), info.maxexp, info.minexp,
            info.minexp - info.nmant, info.minexp - info.nmant - 1]  # fmt: skip
    sizes = [0, least, 3 * least, tiny - least, tiny, 2 * tiny, 1e-20, info.eps / 2,
             info.eps, 0.5, 0.5**0.5, 1, 2**0.5, 2, 10, 1024, 1e10, 2.0**60, most / 2,
             most, INF, *np.abs(logs)]  # fmt: skip
    with np.errstate(all="ignore"):
        x = np.array(sizes).astype(dtype)
        x = np.concatenate([x, np.nextafter(x, INF), np.nextafter(x, 0)])
    return np.concatenate([x, -x, np.array([NAN], dtype)])


def check(got, want, dtype, ulps=2.5):
    """NaN, infinities, zeros and signs where they belong; the rest nearly."""
    assert got.dtype == dtype
    with np.errstate(all="ignore"):
        rounded = want.astype(dtype)
    number = ~np.isnan(rounded)
    np.testing.assert_array_equal(np.isnan(got), ~number)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])
    infinite = np.isinf(rounded)
    np.testing.assert_array_equal(np.isinf(got), infinite)
    finite = number & ~infinite
    with np.errstate(all="ignore"):
        ulp = np.spacing(np.abs(rounded[finite])).astype("f8")
        error = np.abs(got[finite].astype("f8") - want[finite].astype("f8"))
    np.testing.assert_array_less(error, ulps * ulp, strict=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_awkward_values(name, dtype):
    x = awkward(dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, NUMPY.get(name) or name)(x.astype("f8"))
    check(compiled(name, x), want, dtype, ulps=4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["pow", "atan2"])
def test_awkward_pairs(name, dtype):
    x, y = (a.ravel() for a in np.meshgrid(awkward(dtype), awkward(dtype)))
    with np.errstate(all="ignore"):
        want = getattr(np, NUMPY[name])(x.astype("f8"), y.astype("f8"))
    check(compiled(name, x, y), want, dtype)


def test_large_powers_of_what_is_nearly_one():
    """Where log2(x), times an exponent, has to be known to more than 53 bits."""
    random = np.random.default_rng(0)
    x = np.concatenate([
        1 + random.normal(size=300) * 1e-10, 1 + random.integers(-5, 6, 300) * 2.0**-52,
        random.integers(1, 2**40, 300) * 5e-324, 1e308 * random.random(300),
    ])  # fmt: skip
    y = random.normal(size=1200) * np.repeat([1e12, 1e17, 0.9, 1.0], 300)
    want = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    check(compiled("pow", x, y), want, np.float64, ulps=1.5)


EXACT = [
    ("exp", [0.0, -0.0, INF, -INF, NAN], [1.0, 1.0, INF, 0.0, NAN]),
    ("expm1", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, INF, -1.0, NAN]),
    ("log", [1.0, 0.0, -0.0, INF, -1.0, -INF], [0.0, -INF, -INF, INF, NAN, NAN]),
    ("log10", [1.0, 10.0, 1e3, 0.0, -1.0], [0.0, 1.0, 3.0, -INF, NAN]),
    ("log1p", [0.0, -0.0, -1.0, -2.0, INF], [0.0, -0.0, -INF, NAN, INF]),
    ("sin", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, NAN, NAN, NAN]),
    ("cos", [0.0, -0.0, INF, -INF, NAN], [1.0, 1.0, NAN, NAN, NAN]),
    ("tan", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, NAN, NAN, NAN]),
    ("sinh", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, INF, -INF, NAN]),
    ("cosh", [0.0, -0.0, INF, -INF, NAN], [1.0, 1.0, INF, INF, NAN]),
    ("tanh", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, 1.0, -1.0, NAN]),
    ("erf", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, 1.0, -1.0, NAN]),
    ("erfc", [0.0, -0.0, INF, -INF, NAN], [1.0, 1.0, 0.0, 2.0, NAN]),
    ("asin", [0.0, -0.0, 1.5, -INF, NAN], [0.0, -0.0, NAN, NAN, NAN]),
    ("acos", [1.0, 1.5, -INF, NAN], [0.0, NAN, NAN, NAN]),
    ("acosh", [1.0, 0.5, INF, NAN], [0.0, NAN, INF, NAN]),
    ("atanh", [0.0, -0.0, 1.0, -1.0, 2.0], [0.0, -0.0, INF, -INF, NAN]),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "x", "want"), EXACT, ids=[row[0] for row in EXACT])
def test_exact_values(name, x, want, dtype):
    got = compiled(name, np.array(x, dtype))
    np.testing.assert_array_equal(got, np.array(want, dtype))
    number = ~np.isnan(got)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_two(dtype):
    info = np.finfo(dtype)
    n = np.arange(info.minexp - info.nmant - 1, info.maxexp + 1).astype(dtype)
    with np.errstate(over="ignore", under="ignore"):
        want = np.ldexp(dtype(1), n.astype(int))
    np.testing.assert_array_equal(compiled("exp2", n), want)
    inside = slice(1, -1)
    np.testing.assert_array_equal(compiled("log2", want[inside]), n[inside])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "exponent",
    [-17.0, -16.0, -5.0, -2.0, -1.0, -0.5, 0.0, 0.5, 2.0, 3.0, 4.0, 5.0, 16.0, 17.0],
)
def test_powers_of_a_constant(exponent, dtype):
    x = awkward(dtype)
    with np.errstate(all="ignore"):
        # As C's pow, of which NumPy makes a square root where 1/2 is no array.
        want = np.power(x.astype("f8"), np.full(x.shape, exponent))
    check(np.asarray(weft.jit(lambda x: x**exponent)(x)), want, dtype)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sin"])
def test_places_do_not_matter(name):
    """Whatever the vector an element is in, and outside of one."""
    x = np.linspace(0.1, 30, 101).astype("f4")
    whole = compiled(name, x)
    for i in (0, 1, 17, 100):
        np.testing.assert_array_equal(compiled(name, x[i:]), whole[i:])
        assert compiled(name, x[i]) == whole[i]


PROGRAM = """
import numpy as np, weft
lowered = weft.jit(weft.exp).lower(np.ones(64, "f4"))
print("expf" in lowered.text("asm"), "@weft_exp_f32" in lowered.text("llvm"))
"""


@pytest.mark.parametrize(
    ("cpu", "counts"), [("x86-64", "True False"), ("haswell", "False True")]
)
def test_no_fma_no_expansion(cpu, counts):
    if os.uname().machine != "x86_64":
        pytest.skip("the CPUs of another architecture")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, "WEFT_CPU": cpu},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == counts.split()


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sin", "erf", "softmax"])
def test_loops_are_vectorised(name):
    if os.environ.get("WEFT_CPU"):
        pytest.skip("the CPU may have no vectors, or no FMA")
    function = weft.nn.softmax if name == "softmax" else getattr(weft, name)
    text = weft.jit(function).lower(np.ones((8, 1024), "f4")).text("asm")
    if "vfmadd" not in text:
        pytest.skip("no FMA")
    assert re.search(r"vfmadd\w+p[sd]\s.*%[yz]mm", text)
    assert not re.search(r"\b(expf|logf|tanhf|sinf|erff)\b", text)
