"""Special functions: awkward places, derivatives there, and compositions."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import mpmath as mp
import numpy as np
import pytest
import scipy.special

import weft
from weft import special
from weft.dtypes import limits

pytestmark = pytest.mark.thorough

INF, NAN = np.inf, np.nan
F64 = np.dtype("float64")


def both(function, *xs):
    """A function's value, compiled and not, which agree."""
    arrays = [np.asarray(x, F64) for x in xs]
    compiled = np.asarray(weft.jit(function)(*arrays))
    eager = np.asarray(function(*arrays))
    np.testing.assert_allclose(compiled, eager, rtol=1e-11, atol=1e-300)
    return compiled


def derivative(function, order):
    """Of a function of one number."""
    for _ in range(order):
        function = weft.grad(function)
    return weft.jit(weft.vmap(function))


# ---- values where definitions matter ----

VALUES = [
    (special.gamma, [0.0, -0.0, -1.0, -2.5, 171.7, INF, -INF, NAN, -1e-320],
     [INF, -INF, NAN, -0.9453087204829419, INF, INF, NAN, NAN, -INF]),
    (special.lgamma, [0.0, -1.0, 1.0, 2.0, INF, -INF, -1e-300, NAN],
     [INF, INF, 0.0, 0.0, INF, INF, 690.7755278982137, NAN]),
    (special.digamma, [0.0, -0.0, -1.0, 1.0, INF, -INF],
     [-INF, INF, NAN, -0.5772156649015329, INF, NAN]),
    (special.logit, [0.0, 1.0, 0.5, -0.1, 1.1, 5e-324],
     [-INF, INF, 0.0, NAN, NAN, -744.4400719213812]),
    (special.ndtr, [-INF, INF, 0.0, -37.0], [0.0, 1.0, 0.5, 5.725571222524576e-300]),
    (special.ndtri, [0.0, 1.0, 0.5, -0.1, 1.1, 1e-320],
     [-INF, INF, 0.0, NAN, NAN, -38.26912346]),
    (special.erfcx, [-INF, INF, 0.0, -30.0, 1e300],
     [INF, 0.0, 1.0, INF, 5.641895835477563e-301]),
    (weft.sinc, [0.0, -0.0, 1.0, -3.0, 1e300, 5e-324], [1, 1, 0, 0, 0, 1]),
    (weft.i0, [0.0, INF, -INF, 700.0], [1, INF, INF, 1.529593347671874e302]),
    (special.i1, [0.0, -INF, INF, -1e-300], [0, -INF, INF, -5e-301]),
    (special.i0e, [0.0, INF, 1e308], [1, 0, 3.989422804014327e-155]),
    (special.entr, [0.0, -1.0, INF, 1.0], [0, -INF, -INF, 0]),
    (special.factorial, [0.0, 1.0, 5.0, 170.0, 171.0, -1.0, NAN],
     [1, 1, 120, 7.257415615307994e306, INF, 0, NAN]),
    (special.gammasgn, [1.5, -0.5, -1.5, 0.0, -0.0, -2.0, NAN],
     [1, -1, 1, 1, -1, NAN, NAN]),
    (special.log_ndtr, [-INF, INF, 0.0, -1e10], [-INF, 0.0, np.log(0.5), -5e19]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "xs", "want"), VALUES)
def test_value(function, xs, want):
    np.testing.assert_allclose(both(function, xs), want, rtol=1e-7, atol=0)


PAIRS = [
    (special.gammainc, [(0, 0), (0, 1), (1, 0), (1, INF), (INF, 1), (INF, INF), (-1, 1),
                        (1, -1), (NAN, 1), (1e-300, 1e-300)],
     [NAN, 1, 0, 1, 0, NAN, NAN, NAN, NAN, 1]),
    (special.gammaincc, [(0, 0), (0, 1), (1, 0), (1, INF), (INF, 1), (INF, INF),
                         (-1, 1), (1, -1), (1, NAN), (1, 700)],
     [NAN, 0, 1, 0, 1, NAN, NAN, NAN, NAN, np.exp(-700.0)]),
    (special.zeta, [(1, 1), (0.5, 1), (2, 0), (2, -1), (2, -0.5), (2.5, -0.5),
                    (3, -1.25), (2, INF), (INF, 2), (INF, 1), (NAN, 1)],
     [INF, NAN, INF, INF, 8.934802200544679, NAN, float(
         mp.zeta(3, 0.75) - 64 - mp.mpf("0.512")), 0, 0, 1, NAN]),
    (special.xlogy, [(0, 0), (0, NAN), (0, INF), (0, -1), (1, 0), (2, np.e)],
     [0, NAN, 0, 0, -INF, 2]),
    (special.xlog1py, [(0, -1), (0, NAN), (1, -1), (2, 0)], [0, NAN, -INF, 0]),
    (special.polygamma, [(0, 1), (1, 1), (2, -0.5), (1, 0), (1.5, 1), (-1, 1)],
     [-0.5772156649015329, 1.6449340668482264, -0.8287966442343072, INF,
      -2.404113806319189, NAN]),
    (special.beta, [(1, 2), (0.5, 0.5), (1e-10, 1), (-0.5, 2), (200, 300)],
     [0.5, np.pi, 1e10, -4, scipy.special.beta(200, 300)]),
    (special.rel_entr, [(0, 0), (0, 1), (1, 0), (-1, 1), (1, 1), (NAN, 1),
                        (1e-300, 1e300), (1e300, 1e-5)],
     [0, 0, INF, INF, 0, NAN, -600e-300 * np.log(10.0), 305e300 * np.log(10.0)]),
    (special.kl_div, [(0, 2), (1, 0), (1, 1), (0.5, 1)],
     [2, INF, 0, 0.5 * np.log(0.5) + 0.5]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "pairs", "want"), PAIRS)
def test_value_of_two(function, pairs, want):
    xs, ys = np.array(pairs, F64).T
    np.testing.assert_allclose(both(function, xs, ys), want, rtol=3e-13, atol=0)


def test_betainc_at_its_ends():
    p = np.array([1, 1, 0, 2, 0, INF, 2, -1, 1, 2])
    q = np.array([2, 2, 2, 0, 0, 2, INF, 1, 1, 3])
    x = np.array([0, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.5, NAN])
    want = [0, 1, 1, 0, NAN, 0, 1, NAN, NAN, NAN]
    np.testing.assert_array_equal(both(special.betainc, p, q, x), want)


@pytest.mark.parametrize("dtype", [weft.float16, weft.bfloat16, "float32", "float64"])
def test_nextafter(dtype):
    random = np.random.default_rng(0)
    info = limits(np.dtype(dtype))
    points = [0.0, -0.0, 1.0, -1.0, info.max, -info.max, info.tiny,
              info.smallest_subnormal, INF, -INF, NAN]  # fmt: skip
    points = np.concatenate([points, random.normal(size=20)]).astype(dtype)
    x, y = (grid.ravel() for grid in np.meshgrid(points, points))
    got = np.asarray(weft.jit(weft.nextafter)(x, y))
    with np.errstate(all="ignore"):
        want = np.where(x == y, y, np.nextafter(x, y))
    assert got.dtype == dtype
    got, want = got.astype("f8"), want.astype("f8")
    np.testing.assert_array_equal(got, want)
    number = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])


# ---- far from where the op table looks ----


def _exact(function, *xs):
    with mp.workdps(60):
        points = [[mp.mpf(float(x)) for x in at] for at in zip(*xs, strict=True)]
        return [float(function(*at)) for at in points]


def test_gammainc_of_large_parameters():
    a = np.repeat([50.0, 99.0, 101.0, 5e3, 1e6, 1e10], 5)
    x = a + np.tile([-3.0, -0.5, 0.0, 0.7, 3.0], 6) * np.sqrt(a)
    np.testing.assert_allclose(
        both(special.gammainc, a, x) + both(special.gammaincc, a, x), 1, rtol=1e-15
    )
    want = _exact(lambda a, x: mp.gammainc(a, 0, x, regularized=True), a[:20], x[:20])
    np.testing.assert_allclose(both(special.gammainc, a[:20], x[:20]), want, rtol=1e-13)


def test_gammainc_where_the_quotient_underflows():
    a, x = np.array([9.2e18, 1e17]), np.array([2.2e-308, 1e-300])
    np.testing.assert_array_equal(both(special.gammainc, a, x), [0, 0])
    np.testing.assert_array_equal(both(special.gammaincc, a, x), [1, 1])


def test_betainc_of_small_parameters():
    p = np.array([0.1, 5e-324, 5e-324, 4.93, 0.1])
    q = np.array([2.2250738585072014e-308, 0.5, 5e-324, 1e-9, 1e-5])
    x = np.array([0.1, 0.1, 0.3, 0.89, 0.99])

    def near(p, q, x):
        """q times the integral without the factor that q makes 1."""
        return q * x**p * mp.nsum(lambda k: x**k / (p + k), [0, mp.inf])

    want = [*_exact(near, p[:1], q[:1], x[:1]), 1, 0.5]
    want += _exact(
        lambda *v: mp.betainc(*v[:2], 0, v[2], regularized=True), p[3:], q[3:], x[3:]
    )
    np.testing.assert_allclose(both(special.betainc, p, q, x), want, rtol=1e-11)


def test_betainc_of_subnormal_x():
    p, q = np.array([[0.3, 3.0], [0.01, 0.2], [0.8, 1e5], [1e-3, 50.0]]).T
    x = np.array([5e-324, 1.5e-323, 3e-320, 1e-310])
    want = _exact(
        lambda p, q, x: x**p / (p * mp.beta(p, q)) * mp.hyp2f1(p, 1 - q, p + 1, x),
        p, q, x,
    )  # fmt: skip
    np.testing.assert_allclose(both(special.betainc, p, q, x), want, rtol=1e-12)


def test_small_complements():
    a = np.array([1e-10, 1e-3, 0.3, 1e-20])
    x = np.array([0.4, 1e-5, 1.0, 1e-100])
    want = _exact(lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), a, x)
    np.testing.assert_allclose(both(special.gammaincc, a, x), want, rtol=1e-13)


def test_derivative_by_the_parameter_of_gammainc():
    a = np.array([0.3, 2.0, 30.0, 98.0, 150.0, 1e4, 0.01])
    x = np.array([0.5, 3.0, 20.0, 99.0, 155.0, 1.01e4, 1e-6])
    slope = weft.jit(weft.vmap(weft.grad(special.gammainc)))(a, x)
    curve = weft.jit(weft.vmap(weft.grad(weft.grad(special.gammainc))))(a, x)

    def lower(order):
        def value(a, x):
            return mp.diff(lambda s: mp.gammainc(s, 0, x, regularized=True), a, order)

        return value

    np.testing.assert_allclose(slope, _exact(lower(1), a, x), rtol=1e-11)
    np.testing.assert_allclose(curve, _exact(lower(2), a, x), rtol=1e-9)


def test_derivatives_by_the_parameters_of_betainc():
    p, q = np.array([0.5, 3.0, 40.0]), np.array([2.0, 0.7, 25.0])
    x = np.array([0.2, 0.6, 0.63])

    def exact(i, j):
        def value(p, q, x):
            return mp.diff(
                lambda p, q: mp.betainc(p, q, 0, x, regularized=True), (p, q), (i, j)
            )

        return _exact(value, p, q, x)

    def slope(*argnums):
        function = special.betainc
        for argnum in argnums:
            function = weft.grad(function, argnum)
        return weft.jit(weft.vmap(function))(p, q, x)

    np.testing.assert_allclose(slope(0), exact(1, 0), rtol=1e-11)
    np.testing.assert_allclose(slope(1), exact(0, 1), rtol=1e-11)
    np.testing.assert_allclose(slope(0, 1), exact(1, 1), rtol=1e-8)
    np.testing.assert_allclose(slope(1, 1), exact(0, 2), rtol=1e-8)


def test_derivatives_of_zeta():
    s, q = np.array([1.5, 3.0, 10.0]), np.array([0.3, 2.0, 7.0])
    by_s = weft.jit(weft.vmap(weft.grad(special.zeta, 0)))(s, q)
    want = _exact(lambda s, q: mp.zeta(s, q, 1), s, q)
    np.testing.assert_allclose(by_s, want, rtol=1e-12)
    by_q = weft.jit(weft.vmap(weft.grad(special.zeta, 1)))(s, q)
    np.testing.assert_allclose(by_q, -s * scipy.special.zeta(s + 1, q), rtol=1e-13)


# ---- derivatives in awkward places ----

SLOPES = [
    ("sinc at 0", weft.sinc, 0.0, [1, 0, -np.pi**2 / 3, 0, np.pi**4 / 5]),
    ("sinc near 0", weft.sinc, 1e-9, [1, -3.289868134e-9, -np.pi**2 / 3]),
    ("sinc at 1", weft.sinc, 1.0, [0, -1, 2]),
    ("sinc at 3", weft.sinc, 3.0, [0, -1 / 3, 2 / 9]),
    ("i0 at 0", weft.i0, 0.0, [1, 0, 0.5, 0, 0.375]),
    ("i1 at 0", special.i1, 0.0, [0, 0.5, 0, 0.375]),
    ("i1 near 0", special.i1, 1e-5, [5e-6, 0.5, 3.75e-6]),
    ("i0e at 0", special.i0e, 0.0, [1, 0]),
    ("xlogy at 0", lambda x: special.xlogy(x, 2.0), 0.0, [0, np.log(2), 0]),
    ("xlogy by y at x = 0", lambda y: special.xlogy(0.0, y), 2.0, [0, 0, 0]),
    ("xlogy by y at 0, 0", lambda y: special.xlogy(0.0, y), 0.0, [0, 0]),
    ("gammainc at x = 0", lambda x: special.gammainc(1.0, x), 0.0, [0, 1, -1]),
    ("gammainc, a = 2", lambda x: special.gammainc(2.0, x), 0.0, [0, 0, 1]),
    ("gammainc, a = 1/2", lambda x: special.gammainc(0.5, x), 0.0, [0, INF, -INF]),
    ("by a at x = 0", lambda a: special.gammainc(a, 0.0), 1.5, [0, 0, 0]),
    ("betainc at 0", lambda x: special.betainc(1.0, 3.0, x), 0.0, [0, 3, -6]),
    ("betainc at 1", lambda x: special.betainc(3.0, 1.0, x), 1.0, [1, 3, 6]),
    ("betainc, p = 2", lambda x: special.betainc(2.0, 3.0, x), 0.0, [0, 0, 12]),
    ("by p at 0", lambda p: special.betainc(p, 2.0, 0.0), 1.5, [0, 0, 0]),
    ("by q at 1", lambda q: special.betainc(1.5, q, 1.0), 2.0, [1, 0, 0]),
    ("log_ndtr far out", special.log_ndtr, -1e4,
     [-5.000001012927e7, 1e4 + 1e-4, -1 + 1e-8]),
    ("erfcx far out", special.erfcx, 1e5,
     [5.6418958e-6, -5.6418958e-11, 1.12837917e-15]),
    ("rel_entr at p = 0", lambda q: special.rel_entr(0.0, q), 1.0, [0, 0]),
    ("kl_div at p = 0", lambda q: special.kl_div(0.0, q), 1.0, [1, 1, 0]),
    ("factorial below 0", special.factorial, -1.0, [0, 0, 0]),
    ("ndtri at 1/2", special.ndtri, 0.5, [0, 2.5066282746, 0]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "x", "want"), [pytest.param(*row[1:], id=row[0]) for row in SLOPES]
)
def test_derivatives(function, x, want):
    got = [
        float(np.asarray(derivative(function, n)(np.array([x])))[0])
        for n in range(len(want))
    ]
    np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-30)


def test_too_many_derivatives_name_the_function():
    with pytest.raises(weft.WeftError, match=r"gammainc.*orders of differentiation"):
        derivative(lambda x: special.gammainc(2.0, x), 9)(np.array([1.0]))


def test_parameters_of_polygamma_have_no_derivative():
    assert float(weft.grad(special.polygamma)(np.float64(1), np.float64(2))) == 0


# ---- types ----


@pytest.mark.parametrize("name", special.__all__)
def test_integers_become_float32(name):
    function = getattr(special, name)
    counts = {"betainc": 3, "multigammaln": 1}
    two = {"beta", "betaln", "gammainc", "gammaincc", "kl_div", "poch", "polygamma",
           "rel_entr", "xlog1py", "xlogy", "zeta"}  # fmt: skip
    count = counts.get(name, 2 if name in two else 1)
    more = (2,) if name == "multigammaln" else ()
    for dtype, want in (("int32", "float32"), ("float64", "float64")):
        xs = [np.array([1, 2], dtype)] * count
        for call in (function, weft.jit(function)):
            made = call(*xs, *more) if call is function else (
                weft.jit(lambda *xs: function(*xs, *more))(*xs)
            )  # fmt: skip
            assert made.dtype == np.dtype(want)


# ---- compositions against SciPy ----


def test_multigammaln_and_poch():
    x = np.array([1.7, 2.5, 30.0])
    want = scipy.special.multigammaln(x, 3)
    np.testing.assert_allclose(both(lambda x: special.multigammaln(x, 3), x), want)
    want = scipy.special.poch(x, 2.5)
    np.testing.assert_allclose(both(lambda x: special.poch(x, 2.5), x), want)
    with pytest.raises(weft.WeftError, match="dimension"):
        special.multigammaln(x, 0)
