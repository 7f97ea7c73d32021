"""NumPy's elementwise functions that are composed of ops, against NumPy."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from functools import partial

import numpy as np
import pytest

import weft

INF, NAN = np.inf, np.nan


def floats(dtype):
    info = np.finfo(dtype)
    points = [0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 100.25, 1e-8, info.tiny, info.max, INF,
              info.smallest_subnormal, 7 * float(info.smallest_subnormal)]  # fmt: skip
    return np.array([*points, *[-x for x in points], NAN], dtype)


def pairs(dtype):
    return [grid.ravel() for grid in np.meshgrid(floats(dtype), floats(dtype))]


def both(function, *xs):
    """A function's values, compiled and not, which agree."""
    compiled, eager = weft.jit(function)(*xs), function(*xs)
    if not isinstance(compiled, tuple):
        compiled, eager = (compiled,), (eager,)
    for a, b in zip(compiled, eager, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        ulp = float(weft.finfo(a.dtype).eps) if "f" in str(a.dtype) else 0
        a, b = (x.astype("f8") if "f" in str(x.dtype) else x for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=2 * ulp, atol=ulp)
    return [np.asarray(x) for x in compiled]


UNARY = ["deg2rad", "rad2deg", "radians", "degrees", "fabs", "modf", "frexp", "rint",
         "fix", "isposinf", "isneginf", "absolute"]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    x = floats(dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x)
    got = both(getattr(weft, name), x)
    want = want if isinstance(want, tuple) else (want,)
    for a, b in zip(got, want, strict=True):
        finite = np.isfinite(x) if name == "frexp" and a.dtype.kind == "i" else ...
        np.testing.assert_allclose(a[finite], b[finite], rtol=np.finfo(dtype).eps)
        if a.dtype.kind == "f":
            assert a.dtype == b.dtype
            number = ~np.isnan(b)
            np.testing.assert_array_equal(np.signbit(a)[number], np.signbit(b)[number])


BINARY = ["fmax", "fmin", "fmod", "heaviside", "logaddexp2", "float_power", "divmod",
          "mod", "power", "true_divide", "arctan2"]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    x, y = pairs(dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x, y)
    got = both(getattr(weft, name), x, y)
    want = want if isinstance(want, tuple) else (want,)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        rtol = 1e-6 if dtype == "float32" and name != "float_power" else 1e-13
        if name in ("fmod", "fmax", "fmin", "mod", "divmod"):
            rtol = 0
        atol = np.finfo(dtype).eps if name == "logaddexp2" else 0
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@pytest.mark.parametrize("case", ["all bits", "of alike sizes", "multiples"])
def test_remainders_of_f32_are_exact(case):
    random = np.random.default_rng(0)
    x, y = (random.integers(0, 2**32, 200_000, np.uint32).view("f4") for _ in range(2))
    with np.errstate(all="ignore"):
        if case == "of alike sizes":
            y = x * (random.integers(1, 9, x.size) / 8).astype("f4")
        elif case == "multiples":
            x = y * random.integers(-(2**20), 2**20, x.size).astype("f4")
        want = np.fmod(x, y), np.remainder(x, y), np.floor_divide(x, y)
    got = weft.jit(lambda x, y: (weft.fmod(x, y), x % y, x // y))(x, y)
    for a, b in zip(map(np.asarray, got), want, strict=True):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        number = ~np.isnan(b)
        np.testing.assert_array_equal(a[number].view("u4"), b[number].view("u4"))


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "int64"])
@pytest.mark.parametrize("name", ["fmod", "fmax", "fmin", "divmod"])
def test_integers(name, dtype):
    info = np.iinfo(dtype)
    points = np.array([info.min, info.max, 1, 2, 3, 7, info.max - 1], dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(points, points))
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x, y)
    # What overflows or divides by zero, NumPy leaves to the machine.
    inside = (y != 0) & ~((x == info.min) & (y.astype(int) == -1))
    want = want if isinstance(want, tuple) else (want,)
    for a, b in zip(both(getattr(weft, name), x, y), want, strict=True):
        np.testing.assert_array_equal(a[inside], b[inside], strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ldexp(dtype):
    exponents = np.array([0, 1, -1, 10, -60, 130, -140, 200, -1000, 1030, -1080, 2000,
                          -2100, 2**31 - 1, -(2**31)])  # fmt: skip
    x, n = (grid.ravel() for grid in np.meshgrid(floats(dtype), exponents))
    with np.errstate(all="ignore"):
        want = np.ldexp(x, n.astype("int32"))
    np.testing.assert_array_equal(both(weft.ldexp, x, n)[0], want, strict=True)
    slope = weft.grad(lambda x: weft.ldexp(x, 3))
    assert float(slope(np.float64(2))) == 8


@pytest.mark.parametrize("dtype", [weft.float16, weft.bfloat16])
def test_parts_of_narrow_floats(dtype):
    with np.errstate(all="ignore"):
        x = floats("float32").astype(dtype)
        x = np.concatenate([x, np.array([3e-7, -5e-6, 1e-40], "f4").astype(dtype)])
    mantissa, exponent = both(weft.frexp, x)
    wide = x.astype("f8")
    want = np.frexp(wide)
    np.testing.assert_array_equal(mantissa.astype("f8"), want[0])
    np.testing.assert_array_equal(exponent[np.isfinite(wide)],
                                  want[1][np.isfinite(wide)])  # fmt: skip
    assert mantissa.dtype == dtype
    back = both(weft.ldexp, mantissa, exponent)[0]
    np.testing.assert_array_equal(back.astype("f8"), wide)


def test_mantissa_and_fraction_have_derivatives():
    assert float(weft.grad(lambda x: weft.frexp(x)[0])(np.float64(6))) == 0.125
    assert float(weft.grad(lambda x: weft.modf(x)[0])(np.float64(2.5))) == 1
    assert float(weft.grad(weft.fmod)(np.float64(-7.5), np.float64(2))) == 1
    assert float(weft.grad(weft.fmod, 1)(np.float64(-7.5), np.float64(2))) == 3


def test_gcd_and_lcm():
    points = np.array([0, 1, -1, 2, 12, 18, -30, 35, 2**30, 3**18])
    x, y = (grid.ravel() for grid in np.meshgrid(points, points))
    np.testing.assert_array_equal(both(weft.gcd, x, y)[0], np.gcd(x, y))
    np.testing.assert_array_equal(both(weft.lcm, x, y)[0], np.lcm(x, y))
    with pytest.raises(weft.DTypeError, match="gcd"):
        weft.gcd(np.ones(2), 1)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_bitwise_count(dtype):
    info = np.iinfo(dtype)
    x = np.array([info.min, info.min + 1, info.max, 0, 1, 77], dtype)
    want = np.bitwise_count(x)
    np.testing.assert_array_equal(both(weft.bitwise_count, x)[0], want, strict=True)


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_round_to_decimals(dtype, decimals):
    points = [0.5, 1.5, 0.25, 0.35, 12.345, 150.0, 250.0, 1234.5678, INF, NAN, 0.0]
    x = np.array([*points, *[-p for p in points]], dtype)
    for function in (weft.round, weft.around):
        got = both(partial(function, decimals=decimals), x)[0]
        np.testing.assert_array_equal(got, np.round(x, decimals), strict=True)
    np.testing.assert_array_equal(
        weft.asarray(x).round(decimals), np.round(x, decimals)
    )


def test_round_of_integers():
    x = weft.arange(3)
    assert weft.round(x, 2) is x
    with pytest.raises(weft.DTypeError, match="int64 takes no negative decimals"):
        weft.round(x, -1)
    with pytest.raises(weft.DTypeError, match=r"whole number of decimals, not 0\.5"):
        weft.round(x, 0.5)


def test_other_names():
    x = np.array([0.1, 0.5])
    for name in ("arcsin", "arccos", "arctan", "arcsinh", "arctanh"):
        got = np.asarray(getattr(weft, name)(x))
        np.testing.assert_allclose(got, getattr(np, name)(x), rtol=1e-15)
    np.testing.assert_allclose(np.asarray(weft.arccosh(x + 1)), np.arccosh(x + 1))
    bits = np.array([1, 6])
    assert np.asarray(weft.invert(bits)).tolist() == [-2, -7]
    assert np.asarray(weft.left_shift(bits, 2)).tolist() == [4, 24]
    assert np.asarray(weft.right_shift(bits, 1)).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("p", "x"),
    [
        ([1.0, -2.0, 0.5], np.linspace(-1, 1, 5)),
        (np.float32([3, 2, 1, 0]), np.full((2, 3), 2, "f4")),
        ([1, 2], np.arange(3)),
        ([4.0], np.ones((2, 2))),
        ([], np.ones(3)),
        (np.arange(6.0).reshape(3, 2), np.arange(2)),
        ([1j, 1], np.float64(1.5)),
    ],
)
def test_polyval(p, x):
    p = np.asarray(p)
    [got] = both(weft.polyval, p, x)
    assert got.shape == np.polyval(p, x).shape
    np.testing.assert_allclose(got, np.polyval(p, x), rtol=1e-6)


def test_polyval_of_lists_and_its_derivatives():
    assert weft.polyval([3, 0, 1], 2) == 13
    by_p, by_x = weft.grad(weft.polyval, (0, 1))(weft.asarray([1.0, -2.0, 0.5]), 3.0)
    np.testing.assert_array_equal(by_p, [9, 3, 1])
    assert by_x == 4
    # A constant is one at infinity, too.
    assert weft.polyval([2.0], np.inf) == 2
