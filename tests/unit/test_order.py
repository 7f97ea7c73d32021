"""Sorting by keys, searching, counting, running values: NumPy's meaning."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import weft

pytestmark = pytest.mark.thorough

AWKWARD = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, np.inf, -np.inf, np.nan])
FLOATS = arrays(np.float32, array_shapes(max_dims=3, max_side=6), elements=AWKWARD)
ROWS = arrays(np.float64, st.integers(0, 20), elements=AWKWARD)
PAIRS = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(0, 9), st.just(2)),
               elements=AWKWARD)  # fmt: skip


def both(function: Callable[..., Any], *xs: Any) -> Any:
    """The value of a function, which is the same compiled and evaluated at once."""
    eager = function(*(weft.asarray(x) for x in xs))
    compiled = weft.jit(function)(*xs)
    several = isinstance(eager, (tuple, list))
    pairs = zip(eager, compiled, strict=True) if several else [(eager, compiled)]
    found = []
    for a, b in pairs:
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), strict=True)
        found.append(np.asarray(a))
    return found if several else found[0]


@pytest.mark.parametrize("name", ["argmax", "argmin", "nanargmax", "nanargmin"])
def test_positions_of_bools(name):
    x = np.array([[True, False, True], [False, False, True]])
    for axis in (None, 0, 1):
        got = both(lambda x, axis=axis: getattr(weft, name)(x, axis=axis), x)
        same(got, getattr(np, name)(x, axis=axis))


@pytest.mark.parametrize("shape", [(300_001,), (2, 262_144), (262_144, 3), (7, 65_537)])
def test_positions_and_tests_of_many(shape: tuple[int, ...]) -> None:
    """Those that are shared in parts, of which the first that is best counts."""
    x = np.random.default_rng(1).integers(0, 1000, shape).astype(np.float32)
    for axis in (None, *range(len(shape))):
        for name in ("argmax", "argmin"):
            got = weft.jit(getattr(weft, name), static_argnames="axis")(x, axis=axis)
            same(got, getattr(np, name)(x, axis=axis))
        for limit in (-1, 0, 998, 999):
            for name in ("any", "all"):
                ours, theirs = getattr(weft, name), getattr(np, name)
                for tests in (x > limit, x <= limit):
                    want = theirs(tests, axis=axis)
                    same(weft.jit(ours, static_argnames="axis")(tests, axis=axis), want)
    got = weft.jit(lambda x: (weft.any(x > 998), weft.all(x > 998, axis=0)))(x)
    same(got[0], (x > 998).any())
    same(got[1], (x > 998).all(axis=0))
    with_nan = np.where(x == 500, np.float32("nan"), x)
    same(weft.argmax(with_nan), np.argmax(with_nan))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "bool"])
@pytest.mark.parametrize("shape", [(3, 4096), (2, 3, 5000), (32_000,)])
def test_positions_in_long_rows(shape: tuple[int, ...], dtype: str) -> None:
    """Of blocks, the first that has a best element: one of several, or a NaN."""
    rng = np.random.default_rng(2)
    many = rng.integers(0, 2, shape).astype(dtype)
    few = (rng.random(shape) < 2 / shape[-1]).astype(dtype)
    none = np.zeros(shape, dtype)
    cases = [many, few, none, np.ones(shape, dtype)]
    if dtype.startswith("float"):
        with_nan = np.where(few == 1, np.dtype(dtype).type("nan"), many)
        signed = np.where(many == 1, 0.0, -0.0).astype(dtype)
        cases += [with_nan, signed, np.full(shape, -np.inf, dtype)]
        cases.append(np.where(many == 1, -np.inf, np.inf).astype(dtype))
    for x in cases:
        for name in ("argmax", "argmin"):
            ours, theirs = getattr(weft, name), getattr(np, name)
            same(weft.jit(lambda x, ours=ours: ours(x, axis=-1))(x), theirs(x, axis=-1))
            if dtype != "bool":
                doubled = weft.jit(lambda x, ours=ours: ours(x * x + x, axis=-1))(x)
                with np.errstate(invalid="ignore"):
                    same(doubled, theirs(x * x + x, axis=-1))


def same(got: Any, want: Any) -> None:
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


# ---- sorting ----


@settings(max_examples=100, deadline=None)
@given(FLOATS, st.integers(-3, 2))
def test_sorting_along_an_axis(x: np.ndarray, axis: int) -> None:
    axis = max(-x.ndim, min(axis, x.ndim - 1))
    same(weft.sort(x, axis), np.sort(x, axis))
    same(weft.argsort(x, axis), np.argsort(x, axis, kind="stable"))
    same(weft.sort(x, None), np.sort(x, None))
    down = np.asarray(weft.argsort(x, axis, descending=True))
    # NaN first, then the largest; equal ones as they were.
    ranks = np.where(np.isnan(x), np.inf, np.nan_to_num(x, posinf=9, neginf=-9))
    same(down, np.argsort(-ranks, axis, kind="stable"))
    same(weft.sort(x, axis, descending=True), np.take_along_axis(x, down, axis))


@settings(max_examples=150, deadline=None)
@given(PAIRS, st.integers(-2, 1))
def test_the_order_of_complex_numbers(pairs: np.ndarray, axis: int) -> None:
    z = pairs.view(np.complex128)[..., 0]
    same(weft.argsort(z, axis), np.argsort(z, axis, kind="stable"))
    parts = np.asarray(weft.sort(z, axis)).view(np.float64)
    same(parts, np.sort(z, axis, kind="stable").view(np.float64))
    # What NumPy documents: by groups of NaN, then by parts, which may be equal.
    flat = z.ravel()
    group = np.isnan(flat.real) * 2 + np.isnan(flat.imag)
    keys = [np.nan_to_num(part, posinf=9, neginf=-9) for part in (flat.real, flat.imag)]
    keys[1] = np.where(np.isnan(flat.imag), 0, keys[1])
    same(weft.argsort(z, None), np.lexsort((keys[1], keys[0], group)))
    down = np.lexsort((-keys[1], -keys[0], -group))
    same(weft.argsort(z, None, descending=True), down)
    for side in ("left", "right"):
        same(
            weft.searchsorted(np.sort(flat), z, side),
            np.searchsorted(np.sort(flat), z, side),
        )
    same(weft.isin(z, flat[::2]), np.isin(z, flat[::2]))
    same(weft.lexsort((z, pairs[..., 0])), np.lexsort((z, pairs[..., 0])))


def test_complex_numbers_compiled() -> None:
    random = np.random.default_rng(3)
    values = np.array([0.5, -1, 2, 0.0, -0.0, np.inf, -np.inf, np.nan])
    z = weft.complex(random.choice(values, (3, 70)), random.choice(values, (3, 70)))
    z = np.asarray(z)
    row = np.sort(z[0])

    def run(z: Any) -> Any:
        edges = weft.sort(z[0])
        yield from (weft.sort(z), weft.argsort(z), weft.argsort(z, 0))
        yield from (weft.argsort(z, descending=True), weft.partition(z, 4))
        yield from (weft.searchsorted(edges, z), weft.searchsorted(edges, z, "right"))
        yield from (weft.lexsort((z, z.real)), weft.isin(z, z[0, :9]))
        yield from weft.top_k(z, 3)

    got = both(lambda z: list(run(z)), z)
    flipped = np.argsort(z[:, ::-1], kind="stable")[:, ::-1]
    want = [
        np.sort(z), np.argsort(z, kind="stable"), np.argsort(z, 0, kind="stable"),
        69 - flipped, np.sort(z), np.searchsorted(row, z),
        np.searchsorted(row, z, "right"), np.lexsort((z, z.real)),
        np.isin(z, z[0, :9]), np.take_along_axis(z, 69 - flipped[:, :3], -1),
        69 - flipped[:, :3],
    ]  # fmt: skip
    for i, (found, meant) in enumerate(zip(got, want, strict=True)):
        np.testing.assert_array_equal(found, meant, str(i))


def test_sorted_complex_numbers_vary_as_what_they_were() -> None:
    random = np.random.default_rng(5)
    z, w = random.normal(size=(2, 4, 20)) + 1j * random.normal(size=(2, 4, 20))
    order = np.argsort(z, -1)

    def total(z: Any, w: Any) -> Any:
        return weft.real(weft.sum(weft.sort(z) ** 2 * w))

    slopes = weft.jit(weft.vmap(weft.grad(total)))(z, w)
    want = np.zeros_like(z)
    np.put_along_axis(want, order, 2 * np.take_along_axis(z, order, -1) * w, -1)
    np.testing.assert_allclose(np.asarray(slopes), want, rtol=1e-12)
    moved = weft.jvp(weft.sort, (z,), (w,))[1]
    same(moved, np.take_along_axis(w, order, -1))
    weft.testing.check_grads(lambda z: weft.sort(z, descending=True) ** 2, (z[0],))


def test_sorting_by_several_keys() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 3, (4, 40)).astype(np.uint8)
    second = random.choice([0.5, -0.0, 0.0, np.nan, np.inf], (4, 40)).astype("f4")
    third = random.random((4, 40)) < 0.5
    v = np.arange(160.0).reshape(4, 40)
    order = np.lexsort((third, second, first), -1)

    def run(a: Any, b: Any, c: Any, v: Any) -> Any:
        return (
            *weft.sort((a, b, c, v), num_keys=3),
            *weft.sort((a, v)),
            weft.lexsort((c, b, a)),
            weft.lexsort((c, b, a), axis=0),
            weft.sort((a, b, v), num_keys=2, descending=True)[2],
            *weft.sort((a, v), axis=None, num_keys=1),
        )

    got = both(run, first, second, third, v)
    for each, x in zip(got[:4], (first, second, third, v), strict=True):
        same(each, np.take_along_axis(x, order, -1))
    same(got[5], np.take_along_axis(v, np.argsort(first, -1, kind="stable"), -1))
    same(got[6], order)
    same(got[7], np.lexsort((third, second, first), 0))
    ranks = np.where(np.isnan(second), np.inf, np.nan_to_num(second, posinf=9))
    down = np.lexsort((-ranks, -first.astype(int)), -1)
    same(got[8], np.take_along_axis(v, down, -1))
    same(got[10], v.ravel()[np.argsort(first.ravel(), kind="stable")])
    rows = np.stack([first[0], first[1]])
    same(weft.lexsort(rows), np.lexsort(rows))
    # What is taken along varies as what it was; each of a stack has its own order.
    w = np.arange(40.0)
    slope = weft.grad(lambda k, v: weft.sum(weft.sort((k, v))[1] * w), argnums=(0, 1))
    by_key, by_value = weft.jit(weft.vmap(slope))(second.astype("f8"), v)
    same(by_key, np.zeros((4, 40)))
    places = np.argsort(second, -1, kind="stable")
    want = np.zeros((4, 40))
    np.put_along_axis(want, places, np.broadcast_to(w, (4, 40)), -1)
    same(by_value, want)


def test_the_largest() -> None:
    x = np.random.default_rng(1).integers(0, 9, (5, 40)).astype(np.float64)
    x[0, 3] = np.nan

    def run(x: Any) -> Any:
        return *weft.top_k(x, 3), *weft.top_k(x, 2, axis=0), *weft.top_k(x, 0)

    got = both(run, x)
    down = np.argsort(-np.where(np.isnan(x), 99, x), -1, kind="stable")[:, :3]
    same(got[1], down)
    same(got[0], np.take_along_axis(x, down, -1))
    same(got[3], np.argsort(-np.where(np.isnan(x), 99, x), 0, kind="stable")[:2])
    assert got[4].shape == got[5].shape == (5, 0)
    slope = weft.jit(weft.vmap(weft.grad(lambda x: weft.sum(weft.top_k(x, 3)[0] ** 2))))
    want = np.zeros_like(x)
    np.put_along_axis(want, down, 2 * np.take_along_axis(x, down, -1), -1)
    same(slope(x), want)
    for dtype in (np.uint8, np.bool_):
        ours, places = weft.top_k((x[1] > 4).astype(dtype), 5)
        same(ours, np.sort((x[1] > 4).astype(dtype))[::-1][:5])
        assert places.dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint16, bool])
def test_the_largest_of_long_rows(dtype: Any) -> None:
    """Which are cut into blocks: ties, within blocks and across, stay in order."""
    random = np.random.default_rng(6)
    rows = random.integers(0, 200, (2, 3, 5003))
    rows[1, 0] = rows[1, 0, 0]
    if dtype == np.float32:
        rows = rows.astype(dtype)
        rows[0, 0, ::700], rows[1, 1], rows[0, 2, 9] = np.nan, -np.inf, np.inf
        keys = np.where(np.isnan(rows), 1e9, rows).astype(np.float64)
    else:
        rows = (rows > 100) if dtype is bool else (rows % 100 - 50).astype(dtype)
        keys = rows.astype(np.float64)
    run = weft.jit(lambda x: [*weft.top_k(x, 7), *weft.top_k(x[:, 0].T, 40, axis=0)])
    values, places, columns, where = run(rows)
    want = np.argsort(-keys, -1, kind="stable")
    same(places, want[..., :7])
    same(values, np.take_along_axis(rows, want[..., :7], -1))
    same(where, want[:, 0, :40].T)
    same(columns, np.take_along_axis(rows[:, 0], want[:, 0, :40], -1).T)
    same(weft.top_k(rows[0, 0], 1)[1], want[0, 0, :1])
    stacked = weft.jit(weft.vmap(lambda x: weft.top_k(x, 3)[1], in_axes=1))(rows[0].T)
    same(stacked, want[0, :, :3])


def test_partitions() -> None:
    x = np.random.default_rng(1).permutation(12).reshape(3, 4)
    same(weft.partition(x, 2), np.sort(x))
    same(weft.argpartition(x, (0, -1), 0), np.argsort(x, 0))
    same(weft.partition(x, 5, None), np.arange(12))


# ---- searching ----


@settings(max_examples=150, deadline=None)
@given(ROWS, FLOATS, st.sampled_from(["left", "right"]))
def test_searching(row: np.ndarray, x: np.ndarray, side: Any) -> None:
    row = np.sort(row)
    want = np.searchsorted(row, x, side)
    same(weft.searchsorted(row, x, side=side), want)
    shuffled = np.random.default_rng(row.size).permutation(row)
    order = np.argsort(shuffled, kind="stable")
    same(weft.searchsorted(shuffled, x, side=side, sorter=order), want)
    right = side == "right"
    if row.size:
        for bins in (np.unique(row[~np.isnan(row)]), np.array([2.0]), row[:0]):
            numbers = np.nan_to_num(x)
            same(weft.digitize(numbers, bins, right), np.digitize(numbers, bins, right))
            same(
                weft.digitize(numbers, bins[::-1], right),
                np.digitize(numbers, bins[::-1], right),
            )
    same(weft.isin(x, row), np.isin(x, row))
    same(weft.isin(x, row, invert=True), np.isin(x, row, invert=True))


def test_numbers_are_as_exact_as_what_they_meet() -> None:
    row = np.array([0.1, 0.2, 0.3])
    assert weft.searchsorted(row, 0.1, side="right").item() == 1
    assert weft.searchsorted(row, 0.3).item() == 2
    assert weft.digitize(0.2, row).item() == 2
    assert weft.isin(row, 0.2).tolist() == [False, True, False]
    assert weft.isin(0.3, row).item()
    assert weft.setdiff1d(row, 0.1).tolist() == [0.2, 0.3]
    assert weft.choose(np.array([1, 0, 0]), [0.7, row]).tolist() == [0.1, 0.7, 0.7]
    assert weft.append(row, 0.4).tolist() == [0.1, 0.2, 0.3, 0.4]
    assert weft.hstack([0.7, row]).tolist() == [0.7, 0.1, 0.2, 0.3]
    assert weft.full_like(row, 0.1).tolist() == [0.1] * 3
    assert weft.insert(row, 1, 0.7).tolist() == [0.1, 0.7, 0.2, 0.3]
    assert weft.put(row, 0, 0.7).tolist() == [0.7, 0.2, 0.3]
    assert weft.fill_diagonal(row[:, None] * row, 0.7)[0, 0].item() == 0.7
    assert weft.trapezoid(row, dx=0.1).item() == np.trapezoid(row, dx=0.1)


def test_searching_compiled_and_stacked() -> None:
    random = np.random.default_rng(4)
    rows = np.sort(random.integers(0, 30, (3, 17)), -1)
    x = random.integers(-2, 33, (3, 4, 5))

    def run(rows: Any, x: Any) -> Any:
        both_sides = [
            weft.vmap(lambda r, v, s=side: weft.searchsorted(r, v, side=s))(rows, x)
            for side in ("left", "right")
        ]
        each = weft.vmap(weft.searchsorted, in_axes=(None, 0))(rows[0], x)
        one = weft.vmap(weft.searchsorted, in_axes=(0, None))(rows, x[0])
        mixed = weft.searchsorted(rows[0], 3.5)
        return *both_sides, each, one, mixed, weft.digitize(x, rows[0])

    got = both(run, rows, x)
    for i, side in enumerate(("left", "right")):
        want = [np.searchsorted(r, v, side) for r, v in zip(rows, x, strict=True)]
        same(got[i], want)
    same(got[2], np.searchsorted(rows[0], x))
    same(got[3], [np.searchsorted(r, x[0]) for r in rows])
    same(got[4], np.searchsorted(rows[0], 3.5))
    same(got[5], np.digitize(x, rows[0]))


def test_counting() -> None:
    random = np.random.default_rng(5)
    x, w = random.integers(0, 7, 40), random.normal(size=40)
    same(weft.bincount(x), np.bincount(x))
    same(weft.bincount(x, minlength=12), np.bincount(x, minlength=12))
    same(weft.bincount(x[:0]), np.bincount(x[:0]))

    def run(x: Any, w: Any) -> Any:
        return (
            weft.bincount(x, length=5),
            weft.bincount(x, w, length=9),
            weft.bincount(x - 1, length=3),
            weft.vmap(lambda x: weft.bincount(x, length=7))(weft.reshape(x, (4, 10))),
            *weft.histogram(w, 5),
            *weft.histogram(w, 4, (-1, 1), x),
            *weft.histogram(w, np.array([-1.0, 0.5, 0.75, 2.0]), density=True),
        )

    got = weft.jit(run)(x, w)
    same(got[0], np.bincount(x)[:5])
    np.testing.assert_allclose(got[1], np.bincount(x, w, 9))
    same(got[2], np.bincount(np.maximum(x - 1, 0))[:3])
    same(got[3], [np.bincount(row, minlength=7) for row in x.reshape(4, 10)])
    bins = np.array([-1.0, 0.5, 0.75, 2.0])
    want = [*np.histogram(w, 5), *np.histogram(w, 4, (-1, 1), weights=x)]
    want += np.histogram(w, bins, density=True)
    for ours, theirs in zip(got[4:], want, strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-6)
    whole = weft.histogram(np.array([1, 1, 2, 5]), 4)
    same(whole[0], np.histogram(np.array([1, 1, 2, 5]), 4)[0])
    same(weft.histogram(np.full(3, 2.0), 2)[0], np.histogram(np.full(3, 2.0), 2)[0])
    slope = weft.grad(lambda w: weft.bincount(x, w, length=7)[2])(w)
    same(slope, (x == 2).astype(float))


def test_where_a_condition_holds() -> None:
    x = np.array([[0, 3, 0], [5, 0, 7]])
    for shape in ((6,), (2, 3), (3, 2, 1), (0,), (2, 0)):
        y = np.resize(x, shape) if 0 not in shape else np.zeros(shape)
        for ours, theirs in zip(weft.nonzero(y), np.nonzero(y), strict=True):
            np.testing.assert_array_equal(np.asarray(ours), theirs, strict=True)
        same(weft.argwhere(y), np.argwhere(y))
        same(weft.flatnonzero(y), np.flatnonzero(y))
        for ours, theirs in zip(weft.where(y), np.where(y), strict=True):
            same(ours, theirs)
    assert weft.argwhere(3).shape == np.argwhere(3).shape
    assert weft.argwhere(0).shape == np.argwhere(0).shape

    def run(x: Any) -> Any:
        return (
            *weft.nonzero(x, size=2),
            *weft.nonzero(x, size=5, fill_value=-1),
            *weft.where(x > 4, size=3, fill_value=(7, 8)),
            weft.flatnonzero(x, size=4),
            weft.argwhere(x, size=4, fill_value=9),
            weft.nonzero(x[0, :0], size=2, fill_value=3)[0],
        )

    got = both(run, x)
    want = [
        [0, 1], [1, 0], [0, 1, 1, -1, -1], [1, 0, 2, -1, -1], [1, 1, 7], [0, 2, 8],
        [1, 3, 5, 0], [[0, 1], [1, 0], [1, 2], [9, 9]], [3, 3],
    ]  # fmt: skip
    for ours, meant in zip(got, want, strict=True):
        same(ours, meant)
    stacked = weft.vmap(lambda x: weft.nonzero(x, size=2, fill_value=-1)[0])(x)
    same(weft.jit(weft.vmap(lambda x: weft.nonzero(x, size=2)[0]))(x), [[1, 0], [0, 2]])
    same(stacked, [[1, -1], [0, 2]])


def test_flat_indices() -> None:
    places = np.array([[0, 7], [23, -1]])
    wanted = np.unravel_index(places % 24, (2, 3, 4))
    for ours, theirs in zip(weft.unravel_index(places, (2, 3, 4)), wanted, strict=True):
        same(ours, theirs)
    same(weft.ravel_multi_index(wanted, (2, 3, 4)), places % 24)
    index = (np.array([3, -1]), np.array([1, 9]))
    for mode in ("clip", "wrap"):
        got = weft.ravel_multi_index(index, (2, 3), mode=mode)
        same(got, np.ravel_multi_index(index, (2, 3), mode=mode))


# ---- running values ----


def test_a_running_logarithm_of_sums() -> None:
    inf, nan = np.inf, np.nan
    rows = np.array([
        [1000.0, 1000.0, -1000.0, 1001.0], [-inf, -inf, 0.0, -inf],
        [0.0, inf, 1.0, -inf], [0.0, nan, inf, 0.0], [-inf, -inf, -inf, -inf],
        [inf, inf, -inf, inf],
    ])  # fmt: skip

    def run(x: Any) -> Any:
        return (
            weft.cumlogsumexp(x, 1),
            weft.cumlogsumexp(x, axis=-1, reverse=True),
            weft.cumlogsumexp(x[0]),
            weft.cumlogsumexp(weft.arange(3)),
        )

    with np.errstate(invalid="ignore"):
        want = [
            np.logaddexp.accumulate(rows, 1),
            np.logaddexp.accumulate(rows[:, ::-1], 1)[:, ::-1],
            np.logaddexp.accumulate(rows[0]),
            np.logaddexp.accumulate(np.arange(3.0)),
        ]
    for got in (run(weft.asarray(rows)), weft.jit(run)(rows)):
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-7)
    assert got[3].dtype == np.float32
    # Sums of which a part is nothing have slopes; a sum of nothing has none.
    last = weft.jit(weft.vmap(weft.grad(lambda x: weft.cumlogsumexp(x)[-1])))
    shares = np.asarray(last(rows))
    np.testing.assert_allclose(shares[0], [0.21194, 0.21194, 0, 0.57612], atol=1e-5)
    same(shares[1], [0, 0, 1, 0])
    same(shares[2], [0, 1, 0, 0])
    assert np.isnan(shares[3]).any()
    same(shares[4], [0, 0, 0, 0])
    twice = weft.jit(weft.hessian(lambda x: weft.cumlogsumexp(x)[-1]))(rows[1])
    same(twice, np.zeros((4, 4)))


@pytest.mark.parametrize(
    "dtype", [np.bool_, np.int8, np.uint64, np.float16, weft.bfloat16], ids=str
)
def test_every_dtype(dtype: Any) -> None:
    """The elements are small integers, so that NumPy's float64 has them exactly."""
    dtype = np.dtype(dtype)
    random = np.random.default_rng(7)
    number = dtype.kind != "b"
    wide = random.integers(0, 9 if number else 2, (3, 20)).astype(np.float64)
    x, row = wide.astype(dtype), np.sort(wide[0])

    def run(x: Any) -> Any:
        edges = weft.sort(x[0])
        yield from (weft.sort(x), weft.sort(x, 0, descending=True), weft.argsort(x))
        yield from weft.top_k(x, 4)
        yield from (weft.searchsorted(edges, x), weft.isin(x, x[0, :2]))
        yield from weft.unique(x, return_counts=True, size=10, fill_value=1)
        yield weft.take(x, weft.asarray([1, -1]), axis=1)
        yield x.at[:, weft.asarray([1, 1])].set(x[:, :1])
        yield from (weft.median(x, 1), weft.quantile(x, 0.25, 1, method="lower"))
        if number:
            yield from (weft.cummax(x, 1), weft.cumsum(x, 1), weft.ptp(x, 1))
            yield from (
                weft.diff(weft.sort(x)),
                x.at[0, weft.asarray([1, 1])].add(x[0, 0]),
            )

    compiled = weft.jit(lambda x: list(run(x)))(x)
    eager = list(run(weft.asarray(x)))
    down = np.argsort(-wide, -1, kind="stable")[:, :4]
    values, counts = np.unique(wide, return_counts=True)
    put, added = wide.copy(), wide.copy()
    put[:, [1, 1]] = wide[:, :1]
    np.add.at(added, (0, [1, 1]), wide[0, 0])
    want = [
        np.sort(wide), -np.sort(-wide, 0), np.argsort(wide, kind="stable"),
        np.take_along_axis(wide, down, -1), down, np.searchsorted(row, wide),
        np.isin(wide, wide[0, :2]), np.append(values, [1] * (10 - values.size)),
        np.append(counts, [0] * (10 - counts.size)), wide[:, [1, -1]], put,
        np.median(wide, 1), np.quantile(wide, 0.25, 1, method="lower"),
        np.maximum.accumulate(wide, 1), np.cumsum(wide, 1), np.ptp(wide, 1),
        np.diff(np.sort(wide)), added,
    ]  # fmt: skip
    for i, (got, meant) in enumerate(zip(compiled, want, strict=number)):
        assert np.asarray(got).dtype == np.asarray(eager[i]).dtype
        for value in (got, eager[i]):
            np.testing.assert_array_equal(
                np.asarray(value).astype(np.float64), meant, str(i)
            )
    assert np.asarray(compiled[0]).dtype == dtype


WRONG: dict[str, tuple[Callable[[Any], Any], str]] = {
    "keys": (lambda x: weft.sort((x, x[:2])), "one shape"),
    "num_keys": (lambda x: weft.sort((x, x), num_keys=3), "num_keys"),
    "k": (lambda x: weft.top_k(x, 4), "k is 4"),
    "kth": (lambda x: weft.partition(x, 3), "kth is 3"),
    "rows": (lambda x: weft.searchsorted(x[None], x), "one dimension"),
    "a side": (lambda x: weft.searchsorted(x, x, side="middle"), "side"),
    "a traced length": (weft.jit(weft.bincount), "length=n"),
    "a negative number": (lambda x: weft.bincount(x - 5), "from 0 on"),
    "floats": (lambda x: weft.bincount(x * 0.5), "integers"),
    "a traced count": (weft.jit(weft.nonzero), "size=n"),
    "a traced condition": (weft.jit(lambda x: weft.where(x > 1)), "size=n"),
    "complex bins": (lambda x: weft.digitize(x * 1j, x), "digitize does not take"),
    "complex counts": (lambda x: weft.histogram(x * 1j), "histogram does not take"),
    "one choice": (lambda x: weft.where(x > 1, x), "both x and y"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name: str) -> None:
    function, message = WRONG[name]
    with pytest.raises(weft.WeftError, match=message):
        function(weft.asarray([1, 2, 3]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int8"])
@pytest.mark.parametrize(
    "shape",
    [
        (2, 9),
        (3, 24),
        (13, 12),
        (67, 5),
        (60, 1024),
        (30, 1025),
        (9, 7, 11),
        (5, 1, 30),
    ],
)
def test_running_values_of_many_rows(shape: tuple[int, ...], dtype: str) -> None:
    """Rows are done side by side: in the order of each, whatever the threads."""
    values = np.random.default_rng(0).integers(-2, 3, shape)
    x = weft.asarray(values).astype(dtype)

    def results(x: Any) -> Any:
        sums = weft.cumsum(x, axis=-1)
        return (
            sums, weft.cumsum(x, axis=-1, reverse=True), weft.cummax(x, axis=-1),
            weft.cumsum(2 * x, axis=-1) + x, weft.cumsum(sums - sums + x, axis=-1),
        )  # fmt: skip

    forward = values.cumsum(-1)
    backward = values[..., ::-1].cumsum(-1)[..., ::-1]
    wanted = (forward, backward, np.maximum.accumulate(values, -1),
              2 * forward + values, forward)  # fmt: skip
    before = weft.get_num_threads()
    try:
        for count in (1, 2):
            weft.set_num_threads(count)
            for found, one in zip(weft.jit(results)(x), wanted, strict=True):
                wrapped = one.astype(dtype if dtype[0] == "i" else "float64")
                exact = np.asarray(found).astype(wrapped.dtype)
                np.testing.assert_array_equal(exact, wrapped)
    finally:
        weft.set_num_threads(before)
