"""Functions of vectors and matrices against NumPy, eager and compiled."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ctypes
import threading

import numpy as np
import pytest
from scipy.linalg import cython_lapack

import weft
from weft import linalg

X = np.random.default_rng(0).normal(size=(2, 3, 4))


def check(function, want, *xs):
    for call in (function, weft.jit(function)):
        np.testing.assert_allclose(np.asarray(call(*xs)), want, rtol=1e-12)


@pytest.mark.parametrize("offset", range(-4, 6))
def test_diagonal_and_trace(offset):
    want = np.diagonal(X, offset, -2, -1)
    check(lambda x: linalg.diagonal(x, offset=offset), want, X)
    check(lambda x: linalg.trace(x, offset=offset), want.sum(-1), X)


def test_cross():
    a, b = X[..., :3], X[0, :, :3]
    check(linalg.cross, np.cross(a, b), a, b)
    check(lambda x, y: linalg.cross(x, y, axis=1), np.cross(X, -X, axis=1) + 0, X, -X)
    assert weft.cross is linalg.cross


@pytest.mark.parametrize("ord", [0, 1, 2, 3.5, np.inf, -np.inf])
def test_vector_norm(ord):  # noqa: A002
    def function(x):
        return linalg.vector_norm(x, axis=1, ord=ord)

    check(function, np.linalg.norm(X, ord, 1), X)
    check(lambda x: linalg.norm(x, ord, 1, True), np.linalg.norm(X, ord, 1, True), X)


@pytest.mark.parametrize("ord", ["fro", 1, -1, np.inf, -np.inf])
def test_matrix_norm(ord):  # noqa: A002
    def function(x):
        return linalg.matrix_norm(x, ord=ord, keepdims=True)

    check(function, np.linalg.norm(X, ord, (1, 2), True), X)
    check(lambda x: linalg.norm(x, ord), np.linalg.norm(X[0], ord), X[0])


@pytest.mark.parametrize("dtype", [weft.float16, weft.bfloat16], ids=str)
@pytest.mark.parametrize("ord", [None, 0, 1, 2, 3, np.inf, -np.inf])
def test_norms_of_16_bit_floats_are_rounded_once(dtype, ord):  # noqa: A002
    def function(x):
        return linalg.norm(x, ord)

    large = np.array([300.0, 1000.0, 20000.0])
    many = np.random.default_rng(1).normal(size=3000)
    for x in (weft.asarray(large, dtype=dtype), weft.asarray(many, dtype=dtype)):
        want = weft.astype(function(weft.astype(x, weft.float32)), dtype)
        assert weft.isfinite(want)
        for call in (function, weft.jit(function)):
            got = call(x)
            assert got.dtype == dtype
            assert got.item() == want.item()


def test_norm():
    check(linalg.norm, np.linalg.norm(X.ravel()), X)
    got = weft.grad(linalg.norm)(X)
    np.testing.assert_allclose(np.asarray(got), X / np.linalg.norm(X.ravel()))


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: linalg.trace(np.ones(3)), "takes matrices"),
        (lambda: linalg.cross(np.ones(2), np.ones(2)), "three elements"),
        (lambda: linalg.norm(np.ones(3), "fro"), "for matrices"),
        (lambda: linalg.norm(X, 1), "matrix_norm"),
        (lambda: linalg.matrix_norm(X, ord=3), "must be"),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises(weft.WeftError, match=message) as caught:
        mistake()
    assert "test_linalg.py:" in str(caught.value)


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3), (3, 4)), ((2, 3), (3, 4), (4, 1)), ((3,), (3, 4), (4, 2), (2, 5)),
        ((3,), (3, 4), (4,)), ((2, 9), (9, 1), (1, 9), (9, 2), (2,)), ((3,), (3,)),
        ((2, 0), (0, 3), (3, 1)),
    ],
)  # fmt: skip
def test_multi_dot(shapes):
    arrays = [np.random.default_rng(i).normal(size=s) for i, s in enumerate(shapes)]
    check(lambda *xs: linalg.multi_dot(xs), np.linalg.multi_dot(arrays), *arrays)


def test_multi_dot_says_what_does_not_fit():
    ones = np.ones((2, 3))
    with pytest.raises(weft.ShapeError, match="sizes in between must be equal"):
        linalg.multi_dot([ones, ones, ones])
    with pytest.raises(weft.ShapeError, match="takes matrices"):
        linalg.multi_dot([ones, np.ones(3), ones])
    with pytest.raises(weft.ArgumentError, match="two arrays"):
        linalg.multi_dot([ones])


# ---- the library's threads ----


def openblas():
    """How many threads OpenBLAS has, and what sets that, by SciPy's name or its own."""
    library = ctypes.CDLL(cython_lapack.__file__)
    for name in ("scipy_openblas", "openblas"):
        if hasattr(library, f"{name}_get_num_threads"):
            return [getattr(library, f"{name}_{x}_num_threads") for x in ("get", "set")]
    pytest.skip("SciPy computes by another library than OpenBLAS")


def test_small_matrices_are_factored_in_one_thread():
    """OpenBLAS's threads spin: where others work too, they take hundreds of times as
    long. What others have it use is as before, then."""
    count, use = openblas()
    before = count()
    use(2)
    try:
        f = weft.jit(linalg.svd)
        x = np.ones((300, 300))
        f(x)
        seen, done = set(), threading.Event()

        def watch():
            while not done.is_set():
                seen.add(count())

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in range(3):
            f(x)
        done.set()
        watcher.join()
        assert 1 in seen
        assert count() == 2
        with pytest.raises(weft.LinAlgError):
            linalg.cholesky(-np.eye(30))
        assert count() == 2
    finally:
        use(before)
