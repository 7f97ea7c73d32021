"""Quantiles, statistics and reductions without NaN: NumPy's meaning, and slopes."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import weft
from weft.ops.quantiles import Method

pytestmark = pytest.mark.thorough

METHODS = Method.__args__
Function = Callable[[Any, Any], Any]
# The same text for Weft (as `m`) and for NumPy.
WITH_NAN: list[Function] = [
    lambda m, x: m.nansum(x),
    lambda m, x: m.nansum(x, 0),
    lambda m, x: m.nanprod(x, 1, keepdims=True),
    lambda m, x: m.nanmean(x, 0),
    lambda m, x: m.nanmean(x, (0, 1)),
    lambda m, x: m.nanvar(x, 0),
    lambda m, x: m.nanvar(x, 0, correction=1),
    lambda m, x: m.nanstd(x, 1, ddof=1),
    lambda m, x: m.nanmax(x, 0),
    lambda m, x: m.nanmin(x, -1, keepdims=True),
    lambda m, x: m.nanmedian(x, 0),
    lambda m, x: m.nanmedian(x),
    lambda m, x: m.nanquantile(x, 0.3, 1),
    lambda m, x: m.nanquantile(x, [0.1, 0.75, 1.0], 0, keepdims=True),
    lambda m, x: m.nanpercentile(x, 40, (0, 1)),
    lambda m, x: m.nanquantile(x, 0.4, 0, method="hazen"),
    lambda m, x: m.nanquantile(x, [0.2, 0.6], 1, method="nearest"),
    lambda m, x: m.nancumsum(x, 1),
    lambda m, x: m.nancumprod(x, 0),
    lambda m, x: m.nan_to_num(x, nan=0.5),
]  # fmt: skip
NUMBERS: list[Function] = [
    lambda m, x: m.median(x),
    lambda m, x: m.median(x, 0),
    lambda m, x: m.median(x, (0, -1), keepdims=True),
    lambda m, x: m.quantile(x, 0.3),
    lambda m, x: m.quantile(x, [[0.0, 0.25], [0.5, 1.0]], 1),
    lambda m, x: m.quantile(x, 0.6, (1, 0), keepdims=True),
    lambda m, x: m.percentile(x, [10, 50, 99], 0),
    lambda m, x: m.ptp(x),
    lambda m, x: m.ptp(x, 0, keepdims=True),
    lambda m, x: m.average(x, 0, x[:, 0] ** 2 + 1),
    lambda m, x: m.average(x, weights=x * x + 1),
    lambda m, x: m.average(x, 1),
    lambda m, x: m.diff(x),
    lambda m, x: m.diff(x, 2, 0),
    lambda m, x: m.diff(x, 0),
    lambda m, x: m.diff(x, axis=0, prepend=0.0, append=x[:1]),
    lambda m, x: m.ediff1d(x),
    lambda m, x: m.ediff1d(x, to_begin=0, to_end=x[0]),
    lambda m, x: m.trapezoid(x),
    lambda m, x: m.trapezoid(x, dx=0.5, axis=0),
    lambda m, x: m.trapezoid(x, x[0] + 0.0, axis=1),
    lambda m, x: m.trapezoid(x, x * 2.0, axis=0),
    lambda m, x: m.cov(x),
    lambda m, x: m.cov(x[0], x[1]),
    lambda m, x: m.cov(x, rowvar=False, bias=True),
    lambda m, x: m.cov(x, ddof=0),
    lambda m, x: m.cov(x, aweights=x[0] ** 2, fweights=np.array([1, 2, 1, 3, 1])),
    lambda m, x: m.cov(x, fweights=np.array([1, 2, 1, 3, 1])),
    lambda m, x: m.corrcoef(x),
    lambda m, x: m.corrcoef(x[0], x[1]),
    lambda m, x: m.var(x, 0, correction=1),
    lambda m, x: m.var(x, ddof=1),
    lambda m, x: m.std(x, (0, 1), correction=0.5),
    lambda m, x: m.interp(x, np.array([-1.0, 0.5, 1.0]), np.array([3.0, 1.0, 2.0])),
    lambda m, x: m.interp(x, np.arange(3.0), np.arange(3.0) ** 2, -7.0, 9.0),
    lambda m, x: m.interp(x, np.array([0.5, 0.1]), np.array([1.0, 4.0]), period=1.5),
    lambda m, x: m.cumulative_sum(x, axis=1, include_initial=True),
    lambda m, x: m.cumulative_prod(x, axis=0),
]  # fmt: skip
NUMBERS += [lambda m, x, k=k: m.quantile(x, 0.37, 1, method=k) for k in METHODS]
NUMBERS += [lambda m, x, k=k: m.quantile(x, 0.6, 0, method=k) for k in METHODS]


COMPLEX: list[Function] = [
    lambda m, x: m.median(x, 0),
    lambda m, x: m.median(x, keepdims=True),
    lambda m, x: m.cov(x),
    lambda m, x: m.cov(x[0], x[1].real),
    lambda m, x: m.cov(x.real, x.conj(), rowvar=False, bias=True),
    lambda m, x: m.cov(
        x, aweights=np.arange(1.0, 6), fweights=np.array([1, 2, 1, 3, 1])
    ),
    lambda m, x: m.cov(x, aweights=np.arange(1.0, 6)),
    lambda m, x: m.corrcoef(x),
    lambda m, x: m.corrcoef(x[0], x[1]),
    lambda m, x: m.interp(x.real[0], np.arange(3.0), x[1, :3]),
    lambda m, x: m.interp(x.imag[0], np.arange(4.0) - 1, x[0, :4], 1j, 2.0),
    lambda m, x: m.interp(x.real[1], np.array([0.5, 0.1]), x[0, :2], period=1.5),
    lambda m, x: m.average(x, 0, np.arange(1.0, 5)),
    lambda m, x: m.trapezoid(x, dx=0.5),
]
COMPLEX_WITH_NAN: list[Function] = [
    lambda m, x: m.nansum(x, 0),
    lambda m, x: m.nanprod(x, 1),
    lambda m, x: m.nancumsum(x, 1),
    lambda m, x: m.nancumprod(x, 0),
    lambda m, x: m.nanmean(x, 0),
    lambda m, x: m.nanvar(x, 0),
    lambda m, x: m.nanvar(x, 1, correction=1, keepdims=True),
    lambda m, x: m.nanstd(x),
    lambda m, x: m.nanmedian(x, 1),
    lambda m, x: m.median(x, 0),
    lambda m, x: m.nan_to_num(x, nan=0.5),
]


def quietly(function: Function, x: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.asarray(function(np, x))


def line(function: Function) -> str:
    return f"line {function.__code__.co_firstlineno} {function.__defaults__ or ''}"


def check(functions: list[Function], x: np.ndarray) -> None:
    compiled = weft.jit(lambda x: [f(weft, x) for f in functions])(x)
    for f, got in zip(functions, compiled, strict=True):
        want, eager = quietly(f, x), np.asarray(f(weft, weft.asarray(x)))
        for value in (eager, np.asarray(got)):
            assert value.shape == want.shape, line(f)
            np.testing.assert_allclose(value, want, 1e-10, 1e-12, err_msg=line(f))


def drawn(nan: bool) -> np.ndarray:
    x = np.random.default_rng(8).normal(size=(4, 5))
    if nan:
        x[0, 1] = x[2, 2] = x[3, 1] = x[3, 4] = np.nan
    return x


def test_values() -> None:
    check(NUMBERS, drawn(nan=False))


def test_values_without_nan() -> None:
    x = drawn(nan=True)
    check(WITH_NAN, x)
    lost = x.copy()
    lost[1], lost[:, 3] = np.nan, np.nan
    check(WITH_NAN, lost)


def complex_(nan: bool) -> np.ndarray:
    z = drawn(nan=False) + 1j * drawn(nan)[::-1]
    if nan:
        z[1, 2] = complex(np.nan, np.nan)
        z[0, 0] = complex(np.nan, 1)
    return z


def test_values_of_complex_numbers() -> None:
    check(COMPLEX, complex_(nan=False))
    check(COMPLEX_WITH_NAN, complex_(nan=True))
    for function in (weft.nanvar, weft.nanstd):
        assert function(complex_(nan=True).astype("c8")).dtype == np.float32


@pytest.mark.slow
def test_derivatives_of_statistics_of_complex_numbers() -> None:
    z = complex_(nan=False)
    for function in COMPLEX:
        weft.testing.check_grads(lambda z, f=function: f(weft, z), (z,), order=1)
    x = complex_(nan=True)
    for function in COMPLEX_WITH_NAN[:-2]:

        def moved(z: Any, f: Function = function) -> Any:
            return f(weft, weft.where(np.isnan(x), x, z))

        weft.testing.check_grads(moved, (z,), order=1)


def test_stacks() -> None:
    for functions, x in ((NUMBERS, drawn(False)), (WITH_NAN, drawn(True))):
        some = functions[::2]
        xs = np.stack([x, -2 * x, x * x])
        run = weft.jit(weft.vmap(lambda x, some=some: [f(weft, x) for f in some]))
        for f, got in zip(some, run(xs), strict=True):
            want = np.stack([quietly(f, x) for x in xs])
            np.testing.assert_allclose(got, want, 1e-10, 1e-12, err_msg=line(f))


@pytest.mark.parametrize("nan", [False, True])
def test_slopes(nan: bool) -> None:
    functions, x = (WITH_NAN if nan else NUMBERS), drawn(nan)
    random, step = np.random.default_rng(9), 1e-6
    ws = [random.normal(size=np.shape(quietly(f, x))) for f in functions]

    def gradients(x: weft.Array) -> list[weft.Array]:
        pairs = zip(functions, ws, strict=True)
        return [
            weft.grad(lambda x, f=f, w=w: weft.sum(f(weft, x) * w))(x) for f, w in pairs
        ]

    for f, w, got in zip(functions, ws, weft.jit(gradients)(x), strict=True):
        want = np.zeros(x.size)
        for i in np.flatnonzero(~np.isnan(x)):
            ahead, behind = x.copy(), x.copy()
            ahead.flat[i] += step
            behind.flat[i] -= step
            change = quietly(f, ahead) - quietly(f, behind)
            want[i] = np.sum(w * change) / (2 * step)
        np.testing.assert_allclose(
            np.asarray(got).ravel(), want, 1e-5, 1e-6, err_msg=line(f)
        )


def test_derivatives_of_both_modes_and_second_order() -> None:
    x = np.random.default_rng(4).normal(size=(2, 4))
    lost = np.zeros((2, 4), bool)
    lost[0, 1] = True

    def run(x: weft.Array) -> Any:
        some = weft.where(lost, np.nan, x)
        return weft.quantile(x * x, 0.3, 1), weft.corrcoef(x), weft.nanvar(some, 1)

    weft.testing.check_grads(run, (x,), batching=False)


ELEMENTS = st.sampled_from([0.0, 1.0, 2.0, -1.5, np.inf, -np.inf, np.nan])
PARTS = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0])


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float64, array_shapes(max_dims=2, max_side=7), elements=ELEMENTS),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(METHODS),
    st.data(),
)
def test_quantiles(x: np.ndarray, q: list[float], method: Any, more: Any) -> None:
    axis = more.draw(st.sampled_from([None, 0, -1]))
    finite = np.where(np.isinf(x), 7.0, x)
    for ours, theirs in (
        (weft.quantile, np.quantile), (weft.nanquantile, np.nanquantile)
    ):  # fmt: skip
        got = np.asarray(ours(finite, q, axis, method=method))
        want = quietly(lambda m, x, f=theirs: f(x, q, axis, method=method), finite)
        np.testing.assert_allclose(got, want, 1e-12)
    # Infinities: the median is NumPy's, a quantile between equal ones is theirs.
    middle = quietly(lambda m, x: m.median(x, axis), x)
    np.testing.assert_array_equal(np.asarray(weft.median(x, axis)), middle)
    middle = quietly(lambda m, x: m.nanmedian(x, axis), x)
    np.testing.assert_array_equal(np.asarray(weft.nanmedian(x, axis)), middle)
    assert weft.quantile(np.full(3, np.inf), q[0]).item() == np.inf
    assert weft.quantile(np.array([1.0, np.inf]), 0).item() == 1


def test_quantiles_at_traced_places() -> None:
    x = np.random.default_rng(3).normal(size=(3, 6))
    qs = np.array([0.1, 0.5, 0.9, 1.5, -0.1])

    @weft.jit
    def run(x: weft.Array, q: weft.Array) -> Any:
        found = [weft.quantile(x, q, 1, method=method) for method in METHODS]
        return *found, weft.nanquantile(x, q, 1), weft.percentile(x, q[1] * 100)

    got = run(x, qs)
    for method, ours in zip(METHODS, got[: len(METHODS)], strict=True):
        want = np.quantile(x, qs[:3], 1, method=method)
        np.testing.assert_allclose(np.asarray(ours)[:3], want, 1e-12, err_msg=method)
        assert np.isnan(np.asarray(ours)[3:]).all()
    np.testing.assert_allclose(np.asarray(got[-2])[:3], np.quantile(x, qs[:3], 1))
    np.testing.assert_allclose(np.asarray(got[-1]), np.median(x))
    slope = weft.grad(lambda q: weft.quantile(weft.asarray([1.0, 2.0, 4.0]), q))
    assert slope(weft.asarray(0.75)).item() == 4.0


def test_where_the_best_is() -> None:
    """NumPy takes NaN for the worst there is, which may be there too."""
    inf, nan = np.inf, np.nan
    x = np.array([[nan, 1, 3, 3], [nan, -inf, nan, -inf], [inf, nan, inf, 2]])

    def place(find: Any, row: np.ndarray) -> int:
        there = np.flatnonzero(~np.isnan(row))
        return there[find(row[there])]

    for ours, find in ((weft.nanargmax, np.argmax), (weft.nanargmin, np.argmin)):
        for axis in (0, 1):
            got = weft.jit(lambda x, f=ours, a=axis: f(x, a))(x)
            want = np.apply_along_axis(lambda row, f=find: place(f, row), axis, x)
            np.testing.assert_array_equal(np.asarray(got), want)
        assert ours(x).item() == place(find, x.ravel())
        assert ours(x, keepdims=True).shape == (1, 1)
    assert weft.nanargmax(np.array([nan, nan])).item() == -1
    assert weft.nanargmin(np.array([3, 1, 2])).item() == 1


def test_dtypes_and_nothing() -> None:
    ints = np.array([[5, 1, 2], [7, 9, 0]], np.int16)
    assert weft.median(ints).item() == 3.5
    assert weft.median(ints).dtype == np.float32
    assert weft.quantile(ints.astype(bool), 0.5).item() == 1
    half = np.array([1.0, 2.0, 4.0], np.float16)
    assert weft.quantile(half, 0.75).dtype == np.float16
    assert weft.ptp(ints, 1).tolist() == [4, 9]
    assert weft.nansum(ints).item() == 24
    assert weft.nanmax(ints, 0).tolist() == [7, 9, 2]
    assert weft.diff(ints > 1).tolist() == np.diff(ints > 1).tolist()
    assert weft.nan_to_num(ints).dtype == np.int16
    huge = weft.nan_to_num(np.array([np.inf, -np.inf, np.nan, 1.0], np.float32))
    np.testing.assert_array_equal(
        np.asarray(huge), np.nan_to_num(np.array([np.inf, -np.inf, np.nan, 1], "f4"))
    )
    for function in (weft.median, weft.nanmedian, weft.nanmean):
        assert np.isnan(np.asarray(function(np.zeros((2, 0)), 1))).all()
    assert np.isnan(weft.quantile(np.zeros(0), [0.5, 0.1]).tolist()).all()
    assert weft.median(3.0).item() == 3.0
    assert weft.average(ints, returned=True)[1].item() == 6


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a quantile": (lambda x: weft.quantile(x, 1.5), "from 0 to 1"),
    "a percentile": (lambda x: weft.percentile(x, -1), "from 0 to 1"),
    "a method": (lambda x: weft.quantile(x, 0.5, method="best"), "'hazen'"),
    "an axis": (lambda x: weft.median(x, 2), "out of range"),
    "weights": (lambda x: weft.average(x, weights=weft.ones(2)), "weights"),
    "a cube": (lambda x: weft.cov(x[:, None, None]), "two dimensions"),
    "an order": (lambda x: weft.diff(x, -1), "negative"),
    "complex places": (lambda x: weft.interp(x, x * 1j, x), "interp does not take"),
    "complex quantiles": (lambda x: weft.quantile(x * 1j, 0.5), "does not take"),
    "points": (lambda x: weft.interp(x, x, x[:1]), "one size"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name: str) -> None:
    function, message = WRONG[name]
    with pytest.raises(weft.WeftError, match=message):
        function(weft.asarray([1.0, 2.0, 3.0]))
