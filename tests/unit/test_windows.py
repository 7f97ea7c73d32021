"""Windows against loops over their elements; pooling; windows themselves."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft

pytestmark = pytest.mark.thorough

DTYPES = ["int8", "uint8", "int64", "float32", "float64"]


@dataclass(frozen=True)
class Geometry:
    """Arguments of a reduction of windows, and the shape of its array."""

    shape: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    base_dilation: tuple[int, ...]
    window_dilation: tuple[int, ...]

    def windows(self, x: np.ndarray) -> np.ndarray:
        """An array of lists: the elements of each window that are not padding."""
        counts = []
        for n, k, s, (low, high), a, b in zip(*astuple(self), strict=True):
            room = low + (n and (n - 1) * a + 1) + high - ((k - 1) * b + 1)
            counts.append(room // s + 1 if room >= 0 else 0)
        found = np.empty(counts, object)
        for place in itertools.product(*map(range, counts)):
            found[place] = [x[i] for i in self.members(place)]
        return found

    def members(self, place: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The indices of the elements of one window."""
        axes = []
        for o, n, k, s, (low, _), a, b in zip(place, *astuple(self), strict=True):
            places = (divmod(o * s + j * b - low, a) for j in range(k))
            axes.append([at for at, rest in places if not rest and 0 <= at < n])
        return list(itertools.product(*axes))


def _limit(dtype: np.dtype[Any], largest: bool) -> Any:
    if dtype.kind == "f":
        return np.inf if largest else -np.inf
    return np.iinfo(dtype).max if largest else np.iinfo(dtype).min


REDUCTIONS: dict[str, Callable[[list[Any], np.dtype[Any]], Any]] = {
    "sum": lambda xs, dtype: np.sum(np.array(xs, dtype), dtype=dtype),
    "max": lambda xs, dtype: np.max(np.array([*xs, _limit(dtype, False)], dtype)),
    "min": lambda xs, dtype: np.min(np.array([*xs, _limit(dtype, True)], dtype)),
}


def oracle(name: str, x: np.ndarray, geometry: Geometry) -> np.ndarray:
    windows = geometry.windows(x)
    out = np.empty(windows.shape, x.dtype)
    for place in np.ndindex(windows.shape):
        out[place] = REDUCTIONS[name](windows[place], x.dtype)
    return out


def ours(name: str, x: Any, geometry: Geometry) -> Any:
    return getattr(weft, f"reduce_window_{name}")(x, *astuple(geometry)[1:])


def drawn(geometry: Geometry, dtype: str, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng([seed, *geometry.shape])
    low = 0 if dtype.startswith("u") else -4
    return np.asarray(random.integers(low, 5, geometry.shape)).astype(dtype)


@st.composite
def geometries(draw: Any) -> Geometry:
    rank = draw(st.integers(0, 3))
    number, edge = st.integers(1, 3), st.integers(-2, 3)

    def each(numbers: Any) -> tuple[Any, ...]:
        return tuple(draw(numbers) for _ in range(rank))

    return Geometry(
        each(st.integers(0, 6)), each(number), each(number),
        each(st.tuples(edge, edge)), each(number), each(number),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(geometries(), st.sampled_from(DTYPES))
def test_reductions(geometry: Geometry, dtype: str) -> None:
    x = drawn(geometry, dtype)
    for name in REDUCTIONS:
        got = ours(name, x, geometry)
        np.testing.assert_array_equal(np.asarray(got), oracle(name, x, geometry))
        assert got.dtype == dtype


SAMPLE = [
    Geometry((), (), (), (), (), ()),
    Geometry((7,), (3,), (1,), ((0, 0),), (1,), (1,)),
    Geometry((7,), (2,), (3,), ((1, 2),), (1,), (2,)),
    Geometry((4,), (2,), (1,), ((3, 4),), (1,), (1,)),
    Geometry((4,), (2,), (1,), ((0, 0),), (3,), (1,)),
    Geometry((5, 6), (2, 3), (1, 2), ((-1, 1), (1, -2)), (1, 1), (1, 1)),
    Geometry((4, 5), (3, 2), (2, 1), ((2, 1), (0, 3)), (2, 1), (1, 3)),
    Geometry((2, 5, 5, 3), (1, 3, 3, 1), (1, 2, 2, 1), ((0, 0), (1, 1), (1, 1), (0, 0)),
             (1,) * 4, (1,) * 4),
    Geometry((0, 4), (1, 2), (1, 1), ((0, 0), (0, 0)), (1, 1), (1, 1)),
    Geometry((0, 4), (1, 2), (1, 1), ((1, 1), (0, 0)), (1, 1), (1, 1)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_compiled(dtype: str) -> None:
    arrays = [drawn(g, dtype) for g in SAMPLE]
    program = weft.jit(
        lambda arrays: [
            [ours(name, x, g) for x, g in zip(arrays, SAMPLE, strict=True)]
            for name in REDUCTIONS
        ]
    )
    for name, results in zip(REDUCTIONS, program(arrays), strict=True):
        for got, x, g in zip(results, arrays, SAMPLE, strict=True):
            np.testing.assert_array_equal(
                np.asarray(got), oracle(name, x, g), err_msg=str(g)
            )


def test_nan_is_the_extreme_of_its_windows() -> None:
    x = np.array([1.0, np.nan, 2.0, 3.0, 0.0])
    for function in (weft.reduce_window_max, weft.reduce_window_min):
        for call in (function, weft.jit(lambda x, f=function: f(x, (2,)))):
            got = call(x, (2,)) if call is function else call(x)
            np.testing.assert_array_equal(np.isnan(got), [True, True, False, False])


# ---- derivatives ----


def test_derivatives_and_stacks() -> None:
    chosen = SAMPLE[2], SAMPLE[5]
    random = np.random.default_rng(1)
    arrays = [weft.asarray(random.normal(size=g.shape)) for g in chosen]

    def results(arrays: Any) -> Any:
        x, y = arrays
        return (
            ours("sum", x, chosen[0]) ** 2,
            ours("max", x, chosen[0]) ** 2,
            weft.sin(ours("min", y, chosen[1])),
        )

    # To second order: tests/test_derivatives.py.
    weft.testing.check_grads(results, (arrays,), order=1)


def gradient(name: str, x: np.ndarray, geometry: Geometry, ct: np.ndarray) -> Any:
    """Each window's cotangent, to all elements of a sum, or in equal parts to those
    that are its extreme.
    """
    out = np.zeros(x.shape)
    values = oracle(name, x, geometry)
    for place in np.ndindex(values.shape):
        members = geometry.members(place)
        hits = [i for i in members if name == "sum" or x[i] == values[place]]
        for index in hits:
            out[index] += ct[place] / (1 if name == "sum" else len(hits))
    return out


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_split_derivatives(name: str) -> None:
    arrays = [drawn(g, "float64") // 3 for g in SAMPLE]
    random = np.random.default_rng(4)
    cts = [random.normal(size=oracle(name, x, g).shape)
           for x, g in zip(arrays, SAMPLE, strict=True)]  # fmt: skip

    def loss(arrays: Any) -> Any:
        # A window of padding alone is infinite, and constant.
        return sum(
            weft.sum(weft.where(weft.isfinite(y), y, 0.0) * ct)
            for y, ct in zip(
                [ours(name, x, g) for x, g in zip(arrays, SAMPLE, strict=True)], cts,
                strict=True,
            )
        )  # fmt: skip

    for run in (weft.grad(loss), weft.jit(weft.grad(loss))):
        for got, x, g, ct in zip(run(arrays), arrays, SAMPLE, cts, strict=True):
            want = gradient(name, x, g, ct)
            np.testing.assert_allclose(np.asarray(got), want, 1e-12, 1e-12, str(g))


# Side by side, some with elements left over.
TILES = [
    Geometry((6,), (2,), (2,), ((0, 0),), (1,), (1,)),
    Geometry((7, 4), (3, 2), (3, 2), ((0, 0), (0, 0)), (1, 1), (1, 1)),
    Geometry((2, 5, 4, 3), (1, 2, 2, 1), (1, 2, 2, 1), ((0, 0),) * 4,
             (1,) * 4, (1,) * 4),
    Geometry((2, 3, 4), (1, 1, 2), (1, 1, 2), ((0, 0), (0, 0), (0, -1)),
             (1,) * 3, (1,) * 3),
]  # fmt: skip


@pytest.mark.parametrize("geometry", TILES, ids=lambda g: str(g.shape))
@pytest.mark.parametrize("name", list(REDUCTIONS))
def test_derivatives_of_tiles(name: str, geometry: Geometry) -> None:
    x = drawn(geometry, "float64") // 2
    y = oracle(name, x, geometry)
    random = np.random.default_rng(5)
    factor, t = random.normal(size=y.shape), random.normal(size=x.shape)

    def loss(x: Any) -> Any:
        return weft.sum(ours(name, x, geometry) ** 2 * factor)

    def curved(x: Any) -> Any:
        return weft.sum(weft.grad(loss)(x) * t)

    # The gradient is linear in the windows' values, whose tangent is the transpose.
    tangent = np.array(
        [np.sum(gradient(name, x, geometry, unit) * t)
         for unit in np.eye(y.size).reshape(-1, *y.shape)]
    ).reshape(y.shape)  # fmt: skip
    for run in (lambda f: f, weft.jit):
        for function, values in ((loss, y), (curved, tangent)):
            want = gradient(name, x, geometry, 2 * values * factor)
            np.testing.assert_allclose(run(weft.grad(function))(x), want, 1e-12, 1e-12)
        stacked = run(weft.vmap(weft.grad(loss)))(np.stack([x, x]))
        np.testing.assert_array_equal(stacked[1], run(weft.grad(loss))(x))


def test_tangents_of_ties_are_means() -> None:
    x, t = np.array([2.0, 2.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0, 7.0])
    function = lambda x: weft.reduce_window_max(x, (2,), padding=((2, 0),))  # noqa: E731
    for run in (function, weft.jit(function)):
        _, tangent = weft.jvp(run, (x,), (t,))
        # The first window is padding alone: a constant.
        np.testing.assert_array_equal(tangent, [0.0, 1.0, 2.0, 3.0, 7.0])


def test_weights_have_derivatives_where_the_key_is_met() -> None:
    x, key = np.array([1.0, 1.0, 2.0, 1.0]), np.array([1.0, 2.0, 1.0])
    weight = np.array([1.0, 2.0, 4.0, 8.0])

    def function(weight: Any) -> Any:
        return weft.sum_where_equal(x, weight, key, (2,)) ** 2

    np.testing.assert_array_equal(function(weight), [9.0, 16.0, 64.0])
    gradient = weft.jit(weft.grad(lambda weight: weft.sum(function(weight))))
    # 2 r, to each weight by the windows whose key its element equals.
    np.testing.assert_array_equal(gradient(weight), [6.0, 6.0, 8.0, 16.0])
    np.testing.assert_array_equal(
        weft.jvp(weft.jit(function), (weight,), (weight,))[1], [18.0, 32.0, 128.0]
    )


# ---- the function with a computation ----


def test_reduce_window_by_computation() -> None:
    x = np.array([1, 5, 2, 4])
    calls = [
        (0, weft.add, [6, 7, 6]),
        (3, weft.maximum, [5, 5, 4]),
        (1, weft.minimum, [1, 1, 1]),
    ]  # fmt: skip
    for init, computation, want in calls:
        got = weft.reduce_window(x, init, computation, (2,), (1,), "VALID")
        np.testing.assert_array_equal(got, want)
    with pytest.raises(weft.ArgumentError, match="init_value is 1"):
        weft.reduce_window(x, 1, weft.add, (2,))
    with pytest.raises(weft.ArgumentError, match="computation must be"):
        weft.reduce_window(x, 1, weft.multiply, (2,))


# ---- complex numbers ----


def test_sums_of_complex_windows_are_those_of_the_parts() -> None:
    random = np.random.default_rng(2)
    arrays = [
        random.normal(size=g.shape) + 1j * random.normal(size=g.shape) for g in SAMPLE
    ]
    for dtype in (np.complex64, np.complex128):
        zs = [z.astype(dtype) for z in arrays]
        program = weft.jit(
            lambda zs: [ours("sum", z, g) for z, g in zip(zs, SAMPLE, strict=True)]
        )
        for got, z, g in zip(program(zs), zs, SAMPLE, strict=True):
            want = oracle("sum", z.real, g) + 1j * oracle("sum", z.imag, g)
            assert got.dtype == dtype
            for value in (got, ours("sum", z, g)):
                np.testing.assert_allclose(value, want, 1e-5, 1e-6, err_msg=str(g))
    z = arrays[5]
    weft.testing.check_grads(lambda z: ours("sum", z, SAMPLE[5]) ** 2, (z,))
    stacked = weft.jit(weft.vmap(lambda z: ours("sum", z, SAMPLE[1])))(
        z.T[:, :1] + 0j * arrays[1]
    )
    np.testing.assert_allclose(np.asarray(stacked), np.repeat(3 * z.T[:, :1], 5, 1))


def test_complex_means_have_no_extremes() -> None:
    x = np.random.default_rng(3).normal(size=(2, 5, 6, 3))
    z = x * (1 - 2j)
    for count in (True, False):
        args = (2, 3), (2, 1), "SAME", count
        mean = weft.jit(lambda z, args=args: weft.nn.avg_pool(z, *args))(z)
        want = np.asarray(weft.nn.avg_pool(x, *args)) * (1 - 2j)
        np.testing.assert_allclose(np.asarray(mean), want)
    for function in (weft.nn.max_pool, weft.nn.min_pool):
        with pytest.raises(weft.DTypeError, match="does not take complex128"):
            function(z, (2, 2))
    with pytest.raises(weft.DTypeError, match="sum_where_equal does not take"):
        weft.sum_where_equal(z[0, 0, 0], z[0, 0, 0], z[0, 0, 0], (1,))


# ---- pooling ----


@pytest.mark.parametrize("padding", ["SAME", "VALID", ((1, 0), (1, 1))])
@pytest.mark.parametrize("strides", [None, (2, 1)])
def test_pooling(padding: Any, strides: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    steps = strides or (1, 1)
    pairs = padding
    if padding == "SAME":
        totals = [max((-(-n // s) - 1) * s + 2 - n, 0)
                  for n, s in zip((5, 6), steps, strict=True)]  # fmt: skip
        pairs = [(t // 2, t - t // 2) for t in totals]
    elif padding == "VALID":
        pairs = [(0, 0)] * 2
    around = [(0, 0), *pairs, (0, 0)]

    def windows(fill: float) -> np.ndarray:
        padded = np.pad(x, around, constant_values=fill)
        view = np.lib.stride_tricks.sliding_window_view(padded, (2, 2), (1, 2))
        return view[:, :: steps[0], :: steps[1]]

    args = (2, 2), strides, padding
    got = weft.jit(
        lambda x: [
            weft.nn.max_pool(x, *args), weft.nn.min_pool(x, *args),
            weft.nn.avg_pool(x, *args), weft.nn.avg_pool(x, *args, False),
        ]
    )(x)  # fmt: skip
    np.testing.assert_array_equal(got[0], windows(-np.inf).max((-1, -2)))
    np.testing.assert_array_equal(got[1], windows(np.inf).min((-1, -2)))
    np.testing.assert_allclose(got[2], windows(0).mean((-1, -2)))
    np.testing.assert_allclose(got[3], np.nanmean(windows(np.nan), (-1, -2)))
    for result in got:
        assert result.shape == got[0].shape


def test_pooling_of_other_ranks_and_dtypes() -> None:
    x = np.arange(24, dtype="int32").reshape(2, 2, 6, 1)
    np.testing.assert_array_equal(
        weft.nn.max_pool(x, (3,), 3)[..., 0], x.reshape(2, 2, 2, 3).max(-1)
    )
    mean = weft.nn.avg_pool(x[0, 0], (2,), (2,))
    np.testing.assert_array_equal(np.ravel(mean), [0.5, 2.5, 4.5])
    with pytest.raises(weft.ShapeError, match="one of features"):
        weft.nn.max_pool(x[0, 0, :, 0], (2,))


# ---- the windows themselves ----


def test_sliding_window_view_equals_numpys() -> None:
    x = np.random.default_rng(0).normal(size=(4, 5, 3))
    calls: list[tuple[Any, Any]] = [
        ((2, 3, 1), None), (2, 0), (3, 1), (3, -1), ((2, 2), (0, 1)), ((2, 2), (1, 0)),
        ((2, 3), (0, 0)), ((4, 5, 3), None), (1, 2),
    ]  # fmt: skip

    def views(x: Any) -> Any:
        return [weft.sliding_window_view(x, *call) for call in calls]

    for results in (views(x), weft.jit(views)(x)):
        for got, call in zip(results, calls, strict=True):
            want = np.lib.stride_tricks.sliding_window_view(x, *call)
            np.testing.assert_array_equal(got, want)
    _, pullback = weft.vjp(lambda x: weft.sliding_window_view(x, 2, 0), x)
    ct = np.random.default_rng(1).normal(size=(3, 5, 3, 2))
    want = np.pad(ct[..., 0], ((0, 1), (0, 0), (0, 0)))
    want += np.pad(ct[..., 1], ((1, 0), (0, 0), (0, 0)))
    np.testing.assert_allclose(pullback(ct)[0], want)
    with pytest.raises(weft.ShapeError, match="does not fit"):
        weft.sliding_window_view(x, 5, 0)
    with pytest.raises(weft.ShapeError, match="one size for each"):
        weft.sliding_window_view(x, 2)


MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"window_dimensions": (2,)}, weft.ShapeError, "one entry for each of 2 axes"),
    ({"window_dimensions": (0, 1)}, weft.ArgumentError, "must not be below 1"),
    ({"window_strides": (0, 1)}, weft.ArgumentError, "must not be below 1"),
    ({"base_dilation": (1, 0)}, weft.ArgumentError, "must not be below 1"),
    ({"padding": "ALL"}, weft.ArgumentError, "padding is 'ALL'"),
    ({"padding": ((1, 1),)}, weft.ShapeError, "for each of 2 axes"),
    ({"window_dimensions": (1.5, 1)}, weft.UnsupportedTypeError, "must be an integer"),
]


@pytest.mark.parametrize(("changes", "error", "match"), MISTAKES)
def test_mistakes(changes: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        weft.reduce_window_sum(
            np.ones((3, 4)), **({"window_dimensions": (2, 2)} | changes)
        )
    with pytest.raises(weft.DTypeError, match="does not take bool"):
        weft.reduce_window_max(np.ones(3, bool), (2,))


POOLS: list[tuple[tuple[int, ...], Any, Any, Any]] = [
    ((2, 28, 28, 20), (5, 5), 2, "VALID"), ((2, 28, 27, 16), (3, 3), 2, "SAME"),
    ((1, 40, 41, 33), (2, 3), (3, 2), "VALID"), ((2, 30, 20, 16), (2, 2), 3, "VALID"),
    ((3, 24, 24, 16), (3, 3), (1, 2), "SAME"), ((2, 600, 24), (7,), 3, "VALID"),
    ((1, 10, 11, 12, 16), (3, 2, 3), 2, "VALID"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(("shape", "window", "strides", "padding"), POOLS, ids=str)
def test_derivatives_of_pools_with_strides(
    shape: tuple[int, ...], window: Any, strides: Any, padding: Any, dtype: str
) -> None:
    """Large enough for windows of each phase."""
    rng = np.random.default_rng(0)
    size = int(np.prod(shape))
    x = (rng.permutation(size) % 251).reshape(shape).astype(np.float64)
    x = weft.asarray(x).astype(dtype)

    def pooled(x: Any) -> tuple[Any, Any]:
        args = window, strides, padding
        return weft.nn.max_pool(x, *args), weft.nn.avg_pool(x, *args)

    cotangents = [rng.integers(1, 4, one.shape) for one in pooled(x)]

    def loss(x: Any) -> Any:
        most, mean = pooled(x)
        return (most * cotangents[0].astype(dtype)).sum(), (
            mean * cotangents[1].astype(dtype)
        ).sum()

    compiled = [
        weft.jit(weft.grad(lambda x, i=i: loss(x)[i]))(x).astype("float64")
        for i in (0, 1)
    ]
    # Without optimization the elements between are there.
    tolerance = 0.02 if dtype == "bfloat16" else 1e-6
    for i, found in enumerate(compiled):
        plain = weft.jit(weft.grad(lambda x, i=i: loss(x)[i]), optimization_level=0)
        wanted = np.asarray(plain(x).astype("float64"))
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=tolerance)
        assert np.count_nonzero(wanted) > 0
