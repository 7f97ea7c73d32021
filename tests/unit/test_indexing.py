"""Indexing with arrays, and updates at indices: NumPy's meaning, compiled and not."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import (
    array_shapes,
    arrays,
    basic_indices,
    integer_array_indices,
)

import weft

pytestmark = pytest.mark.thorough

SHAPES = array_shapes(max_dims=4, max_side=5)


def data(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@st.composite
def mixed_indices(draw: Any) -> tuple[tuple[int, ...], Any]:
    """A shape and an index of integers, slices, `None`, `...` and integer arrays."""
    shape = draw(SHAPES)
    basic = draw(basic_indices(shape, allow_newaxis=True))
    entries = list(basic) if isinstance(basic, tuple) else [basic]
    common = draw(array_shapes(max_dims=2, max_side=3))
    axes = _axes(entries, len(shape))
    for place, axis in axes.items():
        if draw(st.booleans()):
            size = shape[axis]
            lead = draw(st.integers(0, len(common)))
            own = tuple(n if draw(st.booleans()) else 1 for n in common[lead:])
            entries[place] = draw(
                arrays(np.int64, own, elements=st.integers(-size, size - 1))
            )
    return shape, tuple(entries)


def _axes(entries: list[Any], ndim: int) -> dict[int, int]:
    """The axis of each entry that has one."""
    own = [i for i, e in enumerate(entries) if e is not None and e is not Ellipsis]
    dots = entries.index(Ellipsis) if Ellipsis in entries else len(entries)
    before = [i for i in own if i < dots]
    after = [i for i in own if i > dots]
    axes = dict(zip(before, range(ndim), strict=False))
    return axes | dict(zip(after, range(ndim - len(after), ndim), strict=True))


def as_weft(index: Any) -> Any:
    entries = index if isinstance(index, tuple) else (index,)
    return tuple(
        weft.asarray(e) if isinstance(e, np.ndarray) and e.ndim else
        int(e) if isinstance(e, np.ndarray) else e for e in entries
    )  # fmt: skip


def plain(index: Any) -> Any:
    return tuple(
        int(e) if isinstance(e, np.ndarray) and not e.ndim else e for e in index
    )


@settings(max_examples=300, deadline=None)
@given(mixed_indices())
def test_reading_is_numpys(case: Any) -> None:
    shape, index = case
    x, index = data(shape), plain(index)
    got = np.asarray(weft.asarray(x)[as_weft(index)])
    np.testing.assert_array_equal(got, x[index], strict=True)


@settings(max_examples=300, deadline=None)
@given(mixed_indices(), st.data())
def test_setting_is_numpys(case: Any, more: Any) -> None:
    shape, index = case
    x, index = data(shape), plain(index)
    target = x[index].shape
    new = -1 - data(target) if more.draw(st.booleans()) else np.float32(-1)
    want = x.copy()
    want[index] = new
    got = np.asarray(weft.asarray(x).at[as_weft(index)].set(new))
    np.testing.assert_array_equal(got, want, strict=True)


UPDATES = {
    "add": np.add, "multiply": np.multiply, "min": np.minimum, "max": np.maximum,
    "subtract": np.subtract, "divide": np.divide, "power": np.power,
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(mixed_indices(), st.sampled_from(sorted(UPDATES)))
def test_updates_are_those_of_ufunc_at(case: Any, name: str) -> None:
    shape, index = case
    x, index = 1 + data(shape).astype(np.float64), plain(index)
    new = 1 + data(x[index].shape).astype(np.float64) % 3
    want = x.copy()
    UPDATES[name].at(want, index, new)
    got = np.asarray(getattr(weft.asarray(x).at[as_weft(index)], name)(new))
    np.testing.assert_allclose(got, want, rtol=1e-12)


@settings(max_examples=8, deadline=None)
@given(array_shapes(min_dims=1, max_dims=3, max_side=4).flatmap(
    lambda shape: st.tuples(st.just(shape), integer_array_indices(shape))
))  # fmt: skip
def test_traced_indices_are_the_same(case: Any) -> None:
    shape, index = case
    x, arrays = data(shape), [np.asarray(i) for i in index]

    @weft.jit
    def run(x: weft.Array, *index: weft.Array) -> Any:
        return x[index], x.at[index].set(-1.0), x.at[index].add(1.0)

    want_set, want_add = x.copy(), x.copy()
    want_set[index] = -1
    np.add.at(want_add, index, np.float32(1))
    read, was_set, was_added = run(x, *arrays)
    np.testing.assert_array_equal(np.asarray(read), x[index], strict=True)
    np.testing.assert_array_equal(np.asarray(was_set), want_set)
    np.testing.assert_array_equal(np.asarray(was_added), want_add)


def both(function: Any, *xs: Any) -> np.ndarray:
    """The value of a function, which is the same compiled and evaluated at once."""
    eager = np.asarray(function(*(weft.asarray(x) for x in xs)))
    compiled = np.asarray(weft.jit(function)(*xs))
    np.testing.assert_array_equal(compiled, eager, strict=True)
    return eager


X = np.array([10.0, 20.0, 30.0], np.float32)


def test_traced_scalars_index() -> None:
    table = data((4, 3))
    for i in (0, 3, -1):
        i64 = np.asarray(i)
        np.testing.assert_array_equal(both(lambda x, i: x[i], table, i64), table[i])
        np.testing.assert_array_equal(
            both(lambda x, i: x[1:, i], table, i64 % 3), table[1:, i % 3]
        )
        got = both(lambda x, i: x.at[i, 1:].set(-1.0), table, i64)
        want = table.copy()
        want[i, 1:] = -1
        np.testing.assert_array_equal(got, want)


def test_indices_out_of_range() -> None:
    i = np.array([0, 5, -7])
    assert both(lambda x, i: x[i], X, i).tolist() == [10, 30, 10]
    filled = both(lambda x, i: x.at[i].get(mode="fill"), X, i)
    np.testing.assert_array_equal(filled, np.array([10, np.nan, np.nan], np.float32))
    zero = both(lambda x, i: x.at[i].get(mode="fill", fill_value=0), X, i)
    assert zero.tolist() == [10, 0, 0]
    assert both(lambda x, i: x.at[i].set(1.0), X, i).tolist() == [1, 20, 30]
    clipped = both(lambda x, i: x.at[i].add(1.0, mode="clip"), X, i)
    assert clipped.tolist() == [12, 20, 31]
    least = both(lambda x, i: weft.take(x, i), X.astype(np.int8), i)
    assert least.tolist() == [10, -128, -128]
    most = both(lambda x, i: weft.take(x, i), X.astype(np.uint8), i)
    assert most.tolist() == [10, 255, 255]


def test_what_is_named_twice() -> None:
    i = np.array([1, 1, 1])
    values = np.array([2, 3, 4], np.float32)
    results = {
        "set": 4, "add": 29, "multiply": 480, "min": 2, "max": 20, "subtract": 11
    }  # fmt: skip
    for name, want in results.items():
        got = both(lambda x, i, v, n=name: getattr(x.at[i], n)(v), X, i, values)
        assert got.tolist() == [10, want, 30], name
    squares = both(lambda x, i: x.at[i].apply(weft.square), X, i)
    assert squares.tolist() == [10, 400, 30]


def test_take_along_axis() -> None:
    x = data((3, 4, 2))
    for axis in (0, 1, -1):
        order = np.argsort(-x, axis)
        got = both(lambda x, i, a=axis: weft.take_along_axis(x, i, axis=a), x, order)
        np.testing.assert_array_equal(got, np.take_along_axis(x, order, axis))
    one = np.zeros((1, 4, 1), np.int64)
    got = both(lambda x, i: weft.take_along_axis(x, i, axis=0), x, one)
    np.testing.assert_array_equal(got, np.take_along_axis(x, one, 0))


def test_take() -> None:
    x = data((3, 4))
    i = np.array([[2, -1], [0, 1]])
    for axis in (None, 0, 1):
        got = both(lambda x, i, a=axis: weft.take(x, i, axis=a), x, i)
        np.testing.assert_array_equal(got, np.take(x, i, axis))


def test_nothing_is_indexed() -> None:
    nothing = np.zeros(0, np.int64)
    assert both(lambda x, i: x[i], X, nothing).shape == (0,)
    assert both(lambda x, i: x.at[i].set(1.0), X, nothing).tolist() == X.tolist()
    assert both(lambda x: x.at[3:].set(1.0), X).tolist() == X.tolist()
    with pytest.raises(weft.IndexingError, match="no elements"):
        weft.zeros((0, 2))[weft.asarray([0])]


def test_dynamic_slices() -> None:
    x = data((4, 5))

    def cut(x: Any, i: Any, j: Any) -> Any:
        return weft.dynamic_slice(x, (i, j), (2, 3))

    def put(x: Any, i: Any, j: Any) -> Any:
        return weft.dynamic_update_slice(x, -weft.ones((2, 3)), (i, j))

    for i, j in ((0, 0), (1, 2), (9, 9), (-2, -9)):
        low, left = (min(max(n + s if n < 0 else n, 0), s - w)
                     for n, s, w in ((i, 4, 2), (j, 5, 3)))  # fmt: skip
        place = np.s_[low : low + 2, left : left + 3]
        np.testing.assert_array_equal(
            both(cut, x, np.asarray(i), np.asarray(j)), x[place]
        )
        want = x.copy()
        want[place] = -1
        np.testing.assert_array_equal(both(put, x, np.asarray(i), np.asarray(j)), want)


def grads(function: Any, *xs: Any) -> list[np.ndarray]:
    where = tuple(i for i, x in enumerate(xs) if np.asarray(x).dtype.kind == "f")
    derivative = weft.grad(lambda *a: weft.sum(function(*a)), argnums=where)
    eager = [np.asarray(g) for g in derivative(*xs)]
    for a, b in zip(weft.jit(derivative)(*xs), eager, strict=True):
        np.testing.assert_allclose(np.asarray(a), b, rtol=1e-12)
    return [g.tolist() for g in eager]


def arena(function: Any, *args: Any, **options: Any) -> int:
    text = weft.jit(function, **options).lower(*args).text("memref")
    return sum(int(size) for size in re.findall(r"arena_bytes = (\d+)", text))


def test_gathers_and_scatters_have_no_temporaries() -> None:
    """Indices and updates are computed where they are read."""
    random = np.random.default_rng(0)
    x = random.standard_normal((1000, 16)).astype(np.float32)
    i = random.integers(-1000, 1000, 300).astype(np.int32)
    u = random.standard_normal((300, 16)).astype(np.float32)
    wanted = x.copy()
    np.add.at(wanted, i, 2 * u)

    def scatter(x: Any, i: Any, u: Any) -> Any:
        return x.at[i].add(2 * u)

    np.testing.assert_allclose(weft.jit(scatter)(x, i, u), wanted, rtol=1e-6)
    assert arena(scatter, x, i, u) == 0
    assert arena(scatter, weft.asarray(x), i, u, donate_argnums=0) == 0
    assert arena(lambda x, i: x[i] * 2 + 1, x, i) == 0
    assert arena(lambda x, i: weft.take(x, i, axis=0), x, i) == 0
    assert arena(lambda x, i, u: x.at[i].set(u, mode="drop"), x, i, u) == 0

    gradient = weft.jit(weft.grad(lambda x, i: (x[i] ** 2).sum()))
    wanted = np.zeros_like(x)
    np.add.at(wanted, i, 2 * x[i])
    np.testing.assert_allclose(gradient(x, i), wanted, rtol=1e-6)
    assert arena(weft.grad(lambda x, i: (x[i] ** 2).sum()), x, i) == 0


def test_scatters_of_what_they_change() -> None:
    """What is read is as it was before; it is not the whole that is copied."""
    x = np.arange(100_000, dtype=np.float32)
    i, j = np.arange(50), np.arange(49, -1, -1)

    def swap(x: Any, i: Any, j: Any) -> Any:
        return x.at[i].add(2 * x[j])

    def often(x: Any, i: Any, j: Any) -> Any:
        return weft.fori_loop(0, 3, lambda _, x: swap(x, i, j), x)

    wanted = x.copy()
    for _ in range(3):
        wanted[i] += 2 * wanted[j]
    np.testing.assert_array_equal(weft.jit(often)(x, i, j), wanted)
    assert arena(often, x, i, j) < 2000
    assert arena(swap, weft.asarray(x), i, j, donate_argnums=0) < 2000


def test_gradients_where_indices_meet() -> None:
    x, i = np.array([2.0, 3.0, 5.0]), np.array([1, 1, 2])
    w = np.array([10.0, 20.0, 30.0])
    assert grads(lambda x, i: x[i] * weft.asarray(w), x, i) == [[0, 30, 30]]
    y = np.array([7.0, 8.0, 9.0])

    def update(name: str) -> Any:
        return lambda x, y, i: getattr(x.at[i], name)(y) * weft.asarray(w)

    # Of two that set one element the last one counts.
    assert grads(update("set"), x, y, i) == [[10, 0, 0], [0, 20, 30]]
    assert grads(update("add"), x, y, i) == [[10, 20, 30], [20, 20, 30]]
    assert grads(update("multiply"), x, y, i) == [[10, 1120, 270], [480, 420, 150]]
    assert grads(update("max"), x, y, i) == [[10, 0, 0], [0, 20, 30]]
    ties = np.array([3.0, 3.0, 1.0])
    assert grads(update("max"), x, ties, i) == [
        [10, 20 / 3, 30], [20 / 3, 20 / 3, 0]
    ]  # fmt: skip
    # A product of which some factors are zero.
    none = np.array([0.0, 8.0, 0.0])
    assert grads(update("multiply"), x, none, i) == [[10, 0, 0], [480, 0, 150]]


def test_gradients_of_running_values() -> None:
    x = np.array([2.0, 0.0, 3.0, 0.0])
    assert grads(weft.cumsum, x) == [[4, 3, 2, 1]]
    # 1 + b + bc + bcd, a + ac + acd, ab + abd, abc
    assert grads(weft.cumprod, x) == [[1, 8, 0, 0]]
    y = np.array([1.0, 3.0, 3.0, 2.0])
    assert grads(weft.cummax, y) == [[1, 2, 1, 0]]
    assert grads(lambda x: weft.cummin(x, reverse=True), y) == [[1, 0, 0, 3]]


def test_sorting() -> None:
    x = np.array([3.0, np.nan, 1.0, -0.0, 0.0, np.inf, -np.inf, 1.0], np.float32)
    np.testing.assert_array_equal(both(weft.sort, x), np.sort(x))
    np.testing.assert_array_equal(both(weft.argsort, x), np.argsort(x, kind="stable"))
    down = both(lambda x: weft.argsort(x, descending=True), x)
    assert down.tolist() == [1, 5, 0, 2, 7, 3, 4, 6]
    assert grads(lambda x: weft.sort(x) * weft.arange(3.0), np.array([3.0, 1, 2])) == [
        [2, 0, 1]
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint16, bool])
@pytest.mark.parametrize("size", [1000, 4097])
def test_long_rows_are_sorted(dtype: Any, size: int) -> None:
    x = np.random.default_rng(size).integers(0, 120, (2, size)).astype(dtype)
    for axis in (0, 1):
        up = weft.jit(lambda x, a=axis: (weft.sort(x, axis=a), weft.argsort(x, axis=a)))
        got, order = (np.asarray(a) for a in up(x))
        np.testing.assert_array_equal(got, np.sort(x, axis))
        np.testing.assert_array_equal(order, np.argsort(x, axis, kind="stable"))


WRONG = {
    "a traced mask": (weft.jit(lambda x: x[x > 0]), "weft.where"),
    "a mask of another shape": (
        lambda x: x[np.array([True, False])], r"\(2,\) does not fit"),
    "elements for a traced mask": (
        weft.jit(lambda x: x.at[x > 0].set(x)), "one value for all"),
    "what a traced mask takes": (weft.jit(lambda x: x.at[x > 0].get()), "weft.where"),
    "a traced mask beside an array": (
        weft.jit(lambda x: x[:, None].at[x > 0, weft.asarray([0])].set(0.0)),
        "the only array"),
    "floats": (lambda x: x[x], "not supported"),
    "arrays that do not broadcast": (
        lambda x: weft.ones((2, 2))[weft.arange(2), weft.arange(3)], "broadcast"),
    "an update of another shape": (
        lambda x: x.at[weft.arange(2)].set(weft.ones(3)), "broadcast"),
    "floats for integers": (
        lambda x: weft.arange(3).at[0].add(0.5), "does not fit"),
    "a computed bound": (
        weft.jit(lambda x: x[: weft.astype(x[0], weft.int64)]), "dynamic_slice"),
    "too many starts": (lambda x: weft.dynamic_slice(x, (0, 0), (1,)), "one scalar"),
    "a slice that is too large": (
        lambda x: weft.dynamic_slice(x, (0,), (9,)), "does not fit"),
    "an odd mode": (lambda x: x.at[0].set(1.0, mode="wrap"), "mode"),
    "item assignment": (lambda x: x.__setitem__(0, 1.0), r"x.at\[i\]"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name: str) -> None:
    function, message = WRONG[name]
    with pytest.raises(weft.WeftError, match=message) as eager:
        function(weft.asarray(X))
    assert str(eager.value).startswith(("tests/", "test_indexing.py")) or (
        "test_indexing.py:" in str(eager.value)
    )
    with pytest.raises(weft.WeftError, match=message):
        weft.jit(function)(X)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", [[1, 2, 0], [0, 2, 1], [0, 0, 1], [2, 1]])
def test_the_derivative_of_an_order_takes_elements_back(
    axis: int, order: list[int]
) -> None:
    """Nothing is scattered where each element is taken once."""
    x = np.random.default_rng(0).normal(size=(3, 3, 3))
    index = (*[slice(None)] * axis, np.array(order))
    weights = np.random.default_rng(1).normal(size=x[index].shape)
    gradient = weft.jit(weft.grad(lambda x: weft.sum(x[index] * weights)))
    want = np.zeros_like(x)
    np.add.at(want, index, weights)
    np.testing.assert_allclose(np.asarray(gradient(x)), want)
    text = gradient.lower(x).text("expanded", locations=False)
    assert ("scatter" in text) == (sorted(order) != [0, 1, 2])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "complex64"])
@pytest.mark.parametrize("shape", [(20, 6, 10), (9, 2, 3, 5), (4, 2, 7, 1)])
def test_slices_of_several_dimensions(shape: tuple[int, ...], dtype: str) -> None:
    """Whose rows are walked along as one; of elements that a loop reads and changes."""
    rng = np.random.default_rng(0)
    x = weft.asarray(rng.integers(-3, 4, shape)).astype(dtype)
    v = weft.asarray(rng.integers(-3, 4, (30, *shape[1:]))).astype(dtype)
    i = rng.integers(-shape[0], shape[0], 30)

    def changed(x: Any, v: Any, i: Any) -> Any:
        def step(k: Any, c: Any) -> Any:
            return c.at[i[k]].add(v[k] * c[(0,) * c.ndim])

        updated = x.at[i].add(v), x.at[i[:3]].multiply(v[:3])
        return *updated, weft.fori_loop(0, 4, step, x), x[i] + v, x[:, i % 2]

    wide = [np.asarray(a).astype(np.complex128) for a in (x, x, x)]
    updates = np.asarray(v).astype(np.complex128)
    np.add.at(wide[0], i, updates)
    np.multiply.at(wide[1], i[:3], updates[:3])
    for k in range(4):
        wide[2][i[k]] += updates[k] * wide[2].flat[0]
    old = np.asarray(x).astype(np.complex128)
    wide += [old[i] + updates, old[:, i % 2]]
    for found, wanted in zip(weft.jit(changed)(x, v, i), wide, strict=True):
        exact = np.asarray(found).astype(np.complex128)
        if dtype == "int8":
            wanted = wanted.real.astype(np.int64).astype(np.int8)
        np.testing.assert_array_equal(exact, wanted)


@pytest.mark.parametrize("shape", [(8, 1, 4), (8, 1, 1, 4), (32, 1, 8), (1, 8, 4)])
def test_gradients_of_one_column_of_steps(shape: tuple[int, ...]) -> None:
    """Beside a dimension of one element."""
    x = np.random.default_rng(0).standard_normal(shape)
    for index in (np.s_[::2, ..., 1], np.s_[::3, ..., -1]):
        found = weft.jit(weft.grad(lambda x, i=index: weft.sum(weft.sin(x[i]))))(x)
        wanted = np.zeros(shape)
        wanted[index] = np.cos(x[index])
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "int16", "complex64"])
@pytest.mark.parametrize("shape", [(40, 1000), (7, 24, 50), (300, 130), (5, 90, 3, 7)])
def test_updates_that_threads_share(shape: tuple[int, ...], dtype: str) -> None:
    """The order of those of one element is kept: the last one set stays."""
    rng = np.random.default_rng(0)
    x, v, w = (
        rng.standard_normal(each) * 9
        for each in (shape, (700, *shape[1:]), (shape[0], 700, *shape[2:]))
    )
    i, j = (rng.integers(-2, shape[axis] + 1, 700) for axis in (0, 1))

    def changed(x: Any, v: Any, w: Any) -> Any:
        rows = weft.vmap(lambda x, w, j: x.at[j].add(w), in_axes=(0, 0, None))
        return (
            x.at[i].add(v), x.at[i].set(v), x.at[:, j].set(w), rows(x, w, j),
            x.at[i].multiply(v),
        )  # fmt: skip

    given = [weft.asarray(a).astype(dtype) for a in (x, v, w)]
    run, before, found = weft.jit(changed), weft.get_num_threads(), []
    try:
        for count in (1, 2, 7):
            weft.set_num_threads(count)
            found.append([np.asarray(one) for one in run(*given)])
    finally:
        weft.set_num_threads(before)
    x, v, w = (np.asarray(a) for a in given)
    wanted = [x.copy() for _ in range(5)]
    with np.errstate(all="ignore"):
        for k in range(700):
            row, column = i[k], j[k]
            if row < shape[0]:
                wanted[0][row] += v[k]
                wanted[1][row] = v[k]
                wanted[4][row] *= v[k]
            if column < shape[1]:
                wanted[2][:, column] = w[:, k]
                wanted[3][:, column] += w[:, k]
    for results in zip(*found, wanted, strict=True):
        for one in results[:2]:
            np.testing.assert_array_equal(one, results[2])
        np.testing.assert_allclose(results[2], results[3], rtol=1e-4, atol=1e-4)
