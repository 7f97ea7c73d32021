"""Functions that move elements: NumPy's meaning, compiled, stacked, differentiated."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import weft

pytestmark = pytest.mark.thorough

Movement = Callable[[Any, Any], Any]

# The same text for Weft (as `m`) and for NumPy, by the number of axes it needs.
ANY: list[Movement] = [
    lambda m, x: m.ravel(x),
    lambda m, x: m.flip(x),
    lambda m, x: m.roll(x, 2),
    lambda m, x: m.tile(x, 2),
    lambda m, x: m.tile(x, (2, 1, 3)),
    lambda m, x: m.repeat(x, 3),
    lambda m, x: m.resize(x, (3, 5)),
    lambda m, x: m.expand_dims(x, 0),
    lambda m, x: m.expand_dims(x, (0, -1)),
    lambda m, x: m.squeeze(x[None]),
    lambda m, x: m.atleast_1d(x),
    lambda m, x: m.atleast_2d(x),
    lambda m, x: m.atleast_3d(x),
    lambda m, x: m.stack([x, x]),
    lambda m, x: m.stack([x, x, x], axis=-1),
    lambda m, x: m.hstack([x, x]),
    lambda m, x: m.vstack([x, x]),
    lambda m, x: m.dstack([x, x]),
    lambda m, x: m.append(x, x),
    lambda m, x: m.append(x, 2 * m.ravel(x)),
    lambda m, x: m.broadcast_to(x, (2, *x.shape)),
    lambda m, x: m.diagflat(x),
    lambda m, x: m.diagflat(x, -2),
    lambda m, x: m.where(x > 1, x, 2 * x),
    lambda m, x: m.block([[x, 2 * x]]),
]
SOME: list[Movement] = [
    lambda m, x: m.flip(x, 0),
    lambda m, x: m.flipud(x),
    lambda m, x: m.roll(x, -1, 0),
    lambda m, x: m.roll(x, 17, axis=-1),
    lambda m, x: m.roll(x, (1, 2), 0),
    lambda m, x: m.repeat(x, 2, axis=0),
    lambda m, x: m.repeat(x, 0, axis=-1),
    lambda m, x: m.repeat(x, np.arange(x.shape[0]), axis=0),
    lambda m, x: m.moveaxis(x, 0, -1),
    lambda m, x: m.rollaxis(x, -1),
    lambda m, x: m.rollaxis(x, 0, x.ndim),
    lambda m, x: m.swapaxes(x, 0, -1),
    lambda m, x: m.concatenate([x, x[:1], x]),
    lambda m, x: m.concatenate([x, x], axis=None),
    lambda m, x: m.column_stack([x, x]),
    lambda m, x: m.append(x, x, axis=-1),
    lambda m, x: m.delete(x, 0) if x.size else x,
    lambda m, x: m.delete(x, slice(None, None, 2), 0),
    lambda m, x: m.delete(x, np.arange(x.shape[0]) % 2 == 0, 0),
    lambda m, x: m.insert(x, 0, 7),
    lambda m, x: m.insert(x, x.shape[0], 5, axis=0),
    lambda m, x: m.insert(x, [0, 0], 3, axis=-1),
    lambda m, x: m.insert(x, slice(0, 2), 3, axis=0) if x.shape[0] > 1 else x,
    lambda m, x: m.take(x, np.array([0, -1, 0]), axis=0) if x.size else x,
    lambda m, x: m.take(x, np.array([[1, 5]]), axis=0, mode="wrap") if x.size else x,
    lambda m, x: m.take(x, np.array([9, -9]), axis=0, mode="clip") if x.size > 9 else x,
    lambda m, x: m.array_split(x, 2)[0],
    lambda m, x: m.array_split(x, 3)[1],
    lambda m, x: m.array_split(x, [1, 3])[1],
    lambda m, x: m.split(x, [1], axis=-1)[1],
    lambda m, x: m.split(x, x.shape[0])[0] if x.shape[0] else x,
    lambda m, x: m.hsplit(x, [1])[0],
    lambda m, x: x[::-1],
    lambda m, x: x[..., None],
]
MATRICES: list[Movement] = [
    lambda m, x: m.fliplr(x),
    lambda m, x: m.rot90(x),
    lambda m, x: m.rot90(x, 2),
    lambda m, x: m.rot90(x, -1, (1, 0)),
    lambda m, x: m.roll(x, (1, -2), (0, 1)),
    lambda m, x: m.roll(x, 1, (0, 1)),
    lambda m, x: m.transpose(x),
    lambda m, x: m.matrix_transpose(x),
    lambda m, x: m.vsplit(x, [1])[1],
    lambda m, x: m.tril(x),
    lambda m, x: m.tril(x, -1),
    lambda m, x: m.triu(x, 1),
    lambda m, x: m.triu(x, k=-2),
    lambda m, x: m.diagonal(x),
    lambda m, x: m.diagonal(x, 1, 1, 0),
    lambda m, x: m.diagonal(x, offset=-1),
    lambda m, x: m.diagonal(x, offset=9),
    lambda m, x: m.trace(x),
    lambda m, x: m.insert(x, 1, m.ravel(x[0]), axis=0) if x.ndim == 2 else x,
    lambda m, x: m.insert(x, [1], x[:1], axis=0) if x.shape[0] else x,
    lambda m, x: m.delete(x, [-1, 0], 1) if x.shape[1] else x,
    lambda m, x: m.block([[x, x], [x, x]]),
]  # fmt: skip
SHAPES = ((), (1,), (5,), (3, 4), (4, 2), (0,), (2, 0), (1, 1), (2, 3, 4), (2, 1, 3, 2))
# Elements of these are moved as they are; others are no different.
DTYPES = (np.float32, np.int8, np.uint64, np.bool_)


def movements(shape: tuple[int, ...]) -> list[Movement]:
    """What can be done with an array of a shape."""
    return [*ANY, *(SOME if shape else []), *(MATRICES if len(shape) > 1 else [])]


def data(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    random = np.random.default_rng(len(shape))
    return np.asarray(random.integers(0, 5, shape)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values(shape: tuple[int, ...]) -> None:
    moves = movements(shape)
    for dtype in DTYPES:
        x = data(shape, dtype)
        if dtype == np.float32:
            compiled = weft.jit(lambda x: [f(weft, x) for f in moves])(x)
        else:
            compiled = [f(weft, weft.asarray(x)) for f in moves]
        for i, (f, got) in enumerate(zip(moves, compiled, strict=True)):
            want = np.asarray(f(np, x))
            eager = np.asarray(f(weft, weft.asarray(x)))
            where = f"movement {i} (line {f.__code__.co_firstlineno}) of {dtype}"
            if "trace" in f.__code__.co_names:  # NumPy adds up in narrower integers
                want = want.astype(eager.dtype)
            if dtype == np.bool_:  # NumPy has no weak numbers among bools
                want = want.astype(eager.dtype)
            np.testing.assert_array_equal(eager, want, where, strict=True)
            np.testing.assert_array_equal(np.asarray(got), want, where, strict=True)


@pytest.mark.parametrize("shape", [(4,), (3, 3), (2, 1, 3)], ids=str)
def test_stacks(shape: tuple[int, ...]) -> None:
    moves = movements(shape)
    xs = np.stack([data(shape, np.float32) + i for i in range(3)], axis=1)
    run = weft.jit(weft.vmap(lambda x: [f(weft, x) for f in moves], in_axes=1))
    for f, got in zip(moves, run(xs), strict=True):
        want = np.stack([f(np, xs[:, i]) for i in range(3)])
        np.testing.assert_array_equal(np.asarray(got), want)


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 1, 3)], ids=str)
def test_gradients(shape: tuple[int, ...]) -> None:
    """They are affine: what a unit vector changes is the derivative."""
    moves, random = movements(shape), np.random.default_rng(5)
    x = data(shape, np.float64)
    origin = np.zeros(shape)
    weights = [random.normal(size=np.shape(f(np, x))) for f in moves]

    def gradients(x: weft.Array) -> list[weft.Array]:
        pairs = list(zip(moves, weights, strict=True))
        return [
            weft.grad(lambda x, f=f, w=w: weft.sum(f(weft, x) * w))(x) for f, w in pairs
        ]

    for f, w, got in zip(moves, weights, weft.jit(gradients)(x), strict=True):
        if "where" in f.__code__.co_names:
            want = np.where(x > 1, w, 2 * w)
        else:
            units = np.eye(x.size).reshape(x.size, *shape)
            slopes = [np.sum(w * (f(np, u) - f(np, origin))) for u in units]
            want = np.reshape(slopes, shape)
        np.testing.assert_allclose(np.asarray(got), want, atol=1e-12)


def test_shifts_and_repeats_may_be_traced() -> None:
    x = data((3, 4), np.float32)

    @weft.jit
    def run(x: weft.Array, i: weft.Array, counts: weft.Array) -> Any:
        return [
            weft.roll(x, i, 1),
            weft.roll(x, i),
            weft.roll(x, (i, 2 * i), (0, 1)),
            weft.roll(x, counts[:2], (0, 1)),
            weft.repeat(x, counts, 0, total_repeat_length=6),
            weft.repeat(x, counts, 0, total_repeat_length=2),
            weft.repeat(x, counts, 0, total_repeat_length=7),
            weft.delete(x, i, 0),
            weft.delete(x, -i, 0),
        ]

    counts = np.array([1, 2, 3])
    repeated = np.repeat(x, counts, 0)
    for i in (1, 2):
        want = [
            np.roll(x, i, 1), np.roll(x, i), np.roll(x, (i, 2 * i), (0, 1)),
            np.roll(x, (1, 2), (0, 1)), repeated, repeated[:2],
            np.concatenate([repeated, repeated[-1:]]), np.delete(x, i, 0),
            np.delete(x, -i, 0),
        ]  # fmt: skip
        for got, expected in zip(run(x, np.asarray(i), counts), want, strict=True):
            np.testing.assert_array_equal(np.asarray(got), expected)
    # One shift for each of a stack, and the derivative by what is shifted.
    shifts = np.array([0, 1, 5])
    got = weft.jit(weft.vmap(weft.roll, in_axes=(None, 0)))(x[0], shifts)
    np.testing.assert_array_equal(np.asarray(got), [np.roll(x[0], i) for i in shifts])
    w = np.arange(4.0)
    slope = weft.jit(weft.grad(lambda x, i: weft.sum(weft.roll(x, i) * w)))
    np.testing.assert_array_equal(np.asarray(slope(w, 1)), np.roll(w, -1))


def test_what_is_made_of_sizes() -> None:
    pairs = [
        (weft.tri(3), np.tri(3, dtype=np.float32)),
        (weft.tri(2, 4, 1, np.int32), np.tri(2, 4, 1, np.int32)),
        (weft.stack(weft.tril_indices(3, 1, 4)), np.stack(np.tril_indices(3, 1, 4))),
        (weft.stack(weft.triu_indices(4, -1)), np.stack(np.triu_indices(4, -1))),
        (weft.stack(weft.diag_indices(3, 3)), np.stack(np.diag_indices(3, 3))),
        (weft.indices((2, 3)), np.indices((2, 3))),
    ]
    for got, want in pairs:
        np.testing.assert_array_equal(np.asarray(got), want, strict=True)
    for got, want in zip(
        weft.indices((2, 3), sparse=True), np.indices((2, 3), sparse=True), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(got), want)
    m = np.ones((3, 3))
    for ours, theirs in (
        (weft.tril_indices_from, np.tril_indices_from),
        (weft.triu_indices_from, np.triu_indices_from),
        (weft.diag_indices_from, np.diag_indices_from),
    ):
        for got, want in zip(ours(m), theirs(m), strict=True):
            np.testing.assert_array_equal(np.asarray(got), want)


@pytest.mark.parametrize("device", ["cpu", "cuda-sim"])
@pytest.mark.parametrize("count", [7, 8, 17, 33])
@pytest.mark.parametrize("dtype", ["float32", "int8", "complex64"])
def test_stacks_of_many_along_the_last_axis(
    count: int, dtype: str, device: str
) -> None:
    """Which go by way of a transposition, from some number of elements on."""
    for shape in ((5,), (9, 16), (3, 7, 11)):
        parts = [np.full(shape, i, dtype) + np.arange(shape[-1]) for i in range(count)]
        parts = [part.astype(dtype) for part in parts]
        arrays = [weft.asarray(part).to(device) for part in parts]
        got = weft.jit(lambda *x: weft.stack(x, axis=-1))(*arrays)
        np.testing.assert_array_equal(np.asarray(got), np.stack(parts, axis=-1))


@pytest.mark.parametrize("device", ["cpu", "cuda-sim"])
def test_many_parts(device: str) -> None:
    """More than are computed in place; of 100 the compile time is seconds otherwise."""
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)

    def joined(m: Any, x: Any) -> Any:
        parts = [m.tanh(x * i) if i % 3 else x[:, :i] for i in range(100)]
        return m.concatenate(parts, axis=1)

    got = weft.jit(lambda x: joined(weft, x))(weft.asarray(x).to(device))
    np.testing.assert_allclose(got, joined(np, x), rtol=1e-6)
    slope = weft.jit(weft.grad(lambda x: weft.sum(joined(weft, x) ** 2)))
    own = weft.grad(
        lambda x: sum(
            weft.sum((weft.tanh(x * i) if i % 3 else x[:, :i]) ** 2) for i in range(100)
        )
    )
    np.testing.assert_allclose(
        slope(weft.asarray(x).to(device)), own(weft.asarray(x)), rtol=1e-4, atol=1e-4
    )


def test_diagonals_are_made_and_filled() -> None:
    v = np.array([1.0, 2.0, 3.0])
    for k in (-2, 0, 1):
        got = np.asarray(weft.jit(weft.diag, static_argnums=1)(v, k))
        np.testing.assert_array_equal(got, np.diag(v, k))
        m = np.arange(12.0).reshape(3, 4)
        np.testing.assert_array_equal(np.asarray(weft.diag(m, k)), np.diag(m, k))
    assert weft.diag(weft.zeros(0), 2).tolist() == [[0, 0], [0, 0]]
    for shape in ((3, 3), (2, 5), (7, 3), (2, 2, 2), (0, 3), (1, 1)):
        for wrap in (False, True):
            for value in (7.0, v):
                want = np.zeros(shape)
                np.fill_diagonal(want, value, wrap)
                got = weft.fill_diagonal(np.zeros(shape), value, wrap)
                np.testing.assert_array_equal(np.asarray(got), want)


def test_grids() -> None:
    a, b, c = np.arange(2), np.arange(3.0), np.arange(4)
    for arrays in ((a,), (a, b), (a, b, c), ()):
        for indexing in ("xy", "ij"):
            for sparse in (False, True):
                options = {"indexing": indexing, "sparse": sparse}
                got = weft.meshgrid(*arrays, **options)
                want = np.meshgrid(*arrays, **options)
                for ours, theirs in zip(got, want, strict=True):
                    np.testing.assert_array_equal(np.asarray(ours), theirs)
    x = np.arange(12.0).reshape(3, 4)
    rows, columns = [2, 0], np.array([True, False, True, True])
    got = weft.asarray(x)[weft.ix_(rows, columns)]
    np.testing.assert_array_equal(np.asarray(got), x[np.ix_(rows, columns)])


def test_one_hot() -> None:
    x = np.array([[0, 2], [5, -1]])
    for axis in (-1, 0, 1, 2):
        got = np.asarray(weft.nn.one_hot(x, 3, dtype=np.int8, axis=axis))
        want = np.moveaxis((x[..., None] == np.arange(3)).astype(np.int8), -1, axis)
        np.testing.assert_array_equal(got, want, strict=True)


def test_put_and_take_along_axes() -> None:
    x, random = np.arange(24.0).reshape(2, 3, 4), np.random.default_rng(2)

    def run(x: Any, i: Any, v: Any, axis: int | None) -> Any:
        put = weft.put_along_axis(x, i, v, axis)
        return put, weft.take_along_axis(x, i, axis)

    for axis in (0, 1, 2, -1, None):
        shape = (5,) if axis is None else list(x.shape)
        size = 24 if axis is None else x.shape[axis]
        if axis is not None:
            shape[axis] = 5
        i = random.integers(-size, size, shape)
        for v in (np.float64(3), random.normal(size=shape)):
            want = x.copy()
            np.put_along_axis(want, i, v, axis)
            put, taken = weft.jit(run, static_argnums=3)(x, i, v, axis)
            np.testing.assert_array_equal(np.asarray(put), want)
            np.testing.assert_array_equal(
                np.asarray(taken), np.take_along_axis(x, i, axis)
            )
            np.testing.assert_array_equal(np.asarray(run(x, i, v, axis)[0]), want)
    out = np.array([[0, 9], [-9, 1]])
    rows = np.arange(4.0).reshape(2, 2)
    assert weft.put_along_axis(rows, out, 7).tolist() == [[7, 1], [2, 7]]
    assert weft.put_along_axis(rows, out, 7, mode="clip").tolist() == [[7, 7], [7, 7]]
    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    slopes = weft.grad(
        lambda x, v: weft.sum(weft.put_along_axis(x, np.array([[1], [0]]), v) * w),
        argnums=(0, 1),
    )(rows, np.zeros((2, 1)))
    assert [s.tolist() for s in slopes] == [[[1, 0], [0, 4]], [[2], [3]]]


def test_what_is_chosen() -> None:
    x = np.arange(12.0).reshape(3, 4)
    condition = np.array([True, False, True])

    @weft.jit
    def run(x: weft.Array, which: weft.Array) -> Any:
        return [
            weft.compress(condition, x, 0),
            weft.compress(x[:, 0] > 1, x, 0, size=2),
            weft.compress(x[:, 0] > 1, x, 0, size=3, fill_value=-1),
            weft.extract(x > 3, x, size=4),
            weft.choose(which, [x[0], 2 * x[1], 7]),
            weft.choose(which, [x[0], 2 * x[1], 7], mode="wrap"),
            weft.put(x, which, x[1, :3]),
            weft.put(x, 2 * which, -1.0, mode="clip"),
            weft.apply_along_axis(weft.cumsum, 0, x),
            weft.apply_along_axis(lambda r: r[:, None] * r[:2], 0, x),
            weft.apply_along_axis(weft.max, 1, x),
        ]

    which = np.array([1, 0, 2, 5])
    put, clipped = x.copy(), x.copy()
    np.put(put, which, x[1, :3])
    np.put(clipped, 2 * which, -1.0, mode="clip")
    want = [
        x[[0, 2]], x[1:], np.concatenate([x[1:], np.full((1, 4), -1)]), [4, 5, 6, 7],
        np.choose(which, [x[0], 2 * x[1], 7], mode="clip"),
        np.choose(which, [x[0], 2 * x[1], 7], mode="wrap"), put, clipped, x.cumsum(0),
        np.apply_along_axis(lambda r: r[:, None] * r[:2], 0, x), x.max(1),
    ]  # fmt: skip
    for got, meant in zip(run(x, which), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), meant)
    assert weft.compress([True], x).tolist() == [0]
    assert weft.extract(x % 5 == 0, x).tolist() == [0, 5, 10]
    assert weft.put(x, np.zeros(0, np.int64), 3.0).tolist() == x.tolist()


def test_what_is_equal() -> None:
    inf, nan = np.inf, np.nan
    x = np.array([1.0, 1.0, inf, inf, nan, nan, 0.0, 1e-9])
    y = np.array([1.0, 1.1, inf, -inf, nan, 1.0, -0.0, 0.0])
    for nans in (False, True):
        for tolerances in ({}, {"rtol": 0.2}, {"atol": 1e-10, "rtol": 0}):
            got = weft.jit(
                lambda x, y, n=nans, t=tolerances: weft.isclose(x, y, equal_nan=n, **t)
            )(x, y)
            want = np.isclose(x, y, equal_nan=nans, **tolerances)
            np.testing.assert_array_equal(np.asarray(got), want)
        for a, b in ((x, y), (x, x), (x[:3], x), (x[:1], np.ones(3))):
            assert weft.array_equal(a, b, nans).item() == np.array_equal(a, b, nans)
            assert weft.array_equiv(a, b).item() == np.array_equiv(a, b)
    assert weft.allclose(x[:1], np.ones(5)).item()
    assert weft.isclose(np.arange(3), np.array([0, 1, 3])).tolist() == [1, 1, 0]
    assert weft.isclose(np.array([True]), np.array([False])).tolist() == [False]
    slope = weft.grad(lambda x: weft.sum(weft.where(weft.isclose(x, y), x * x, 0.0)))
    assert slope(np.full(8, 1.0)).tolist() == [2, 0, 0, 0, 0, 2, 0, 0]


def test_the_rows_of_an_array_are_joined() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    for name in ("concatenate", "stack", "hstack", "vstack", "dstack"):
        got = weft.jit(getattr(weft, name))(x)
        np.testing.assert_array_equal(np.asarray(got), getattr(np, name)(x))


def test_spaces() -> None:
    for got, want in (
        (weft.logspace(-1, 2, 7, base=2.0), np.logspace(-1, 2, 7, base=2.0)),
        (weft.logspace(0, 3, 4, endpoint=False), np.logspace(0, 3, 4, endpoint=False)),
        (weft.geomspace(1, 1000, 5), np.geomspace(1, 1000, 5)),
        (weft.geomspace(-8, -1, 4), np.geomspace(-8, -1, 4)),
        (weft.identity(3), np.identity(3)),
    ):
        assert got.dtype == np.float32
        np.testing.assert_allclose(np.asarray(got), want, rtol=1e-6)


def test_methods_are_the_functions_of_their_names() -> None:
    x = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])

    def run(x: Any) -> Any:
        return (
            x.ravel(), x.flatten(), x[None].squeeze(), x.swapaxes(0, 1), x.copy(),
            x.repeat(2, 1), x.take(np.array([1, 0]), 1), x.diagonal(1), x.cumsum(1),
            x.cumprod(), x.clip(1.0, max=3.0), x.argsort(0), x[0].nonzero()[0],
        )  # fmt: skip

    for got, want in zip(run(weft.asarray(x)), run(x), strict=True):
        np.testing.assert_array_equal(np.asarray(got), want)
    sorted_rows = weft.jit(lambda x: x.sort(descending=True))(x)
    np.testing.assert_array_equal(np.asarray(sorted_rows), np.sort(x)[:, ::-1])
    assert weft.asarray([1, 3]).searchsorted(2).item() == 1
    assert weft.asarray(x).ptp(1).tolist() == [2, 5]
    assert weft.asarray(x).ptp(keepdims=True).shape == (1, 1)


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "parts": (lambda x: weft.split(x, 2), "2 equal parts"),
    "axes": (lambda x: weft.rot90(x), "2 dimensions"),
    "an axis": (lambda x: weft.roll(x, 1, 3), "out of range"),
    "shapes": (lambda x: weft.stack([x, x[:1]]), "differ"),
    "repeats": (lambda x: weft.repeat(x, -1), "repeats"),
    "many repeats": (lambda x: weft.repeat(x, np.array([1, 2])), "one for each"),
    "traced repeats": (
        weft.jit(lambda x: weft.repeat(x, weft.astype(x, int))), "total_repeat_length"),
    "an index": (lambda x: weft.delete(x, 3), "out of range"),
    "a traced index": (
        weft.jit(lambda x: weft.insert(x, weft.astype(x[0], int), 1.0)), "traced"),
    "in place": (lambda x: weft.fill_diagonal(weft.ones((2, 2)), x, inplace=True),
                 "immutable"),
    "a mode": (lambda x: weft.take(x, 0, mode="raise"), "mode"),
    "a cube": (lambda x: weft.diag(x[:, None, None]), "one or two"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name: str) -> None:
    function, message = WRONG[name]
    with pytest.raises(weft.WeftError, match=message):
        function(weft.asarray([1.0, 2.0, 3.0]))
