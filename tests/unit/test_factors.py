"""Linear algebra against NumPy and SciPy: values, shapes, derivatives, batching."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import matrices
import weft
from weft import linalg
from weft.ops.matrices import lu, triangular_solve
from weft.testing import check_grads

pytestmark = pytest.mark.thorough

RANDOM = np.random.default_rng(5)
START = RANDOM.bit_generator.state
STACKS = ((), (2,), (0,), (2, 1, 3))
sizes = st.integers(0, 9)
dtypes = st.sampled_from([np.float32, np.float64, np.complex64, np.complex128])
stacks = st.sampled_from(STACKS)


@pytest.fixture(autouse=True)
def _same_numbers_in_any_order():
    RANDOM.bit_generator.state = START


def general(shape, dtype=np.float64):
    complex_ = np.issubdtype(dtype, np.complexfloating)
    return matrices.well_conditioned(shape, RANDOM, complex_).astype(dtype)


def symmetric(shape, dtype=np.float64):
    complex_ = np.issubdtype(dtype, np.complexfloating)
    v = np.linalg.qr(matrices.normal(shape, RANDOM, complex_))[0]
    w = 1.0 + np.arange(shape[-1])
    product = (v * w) @ matrices.adjoint(v)
    return ((product + matrices.adjoint(product)) / 2).astype(dtype)


def close(got, want, scale=1.0):
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, (got.shape, want.shape)
    assert got.dtype == want.dtype
    if want.dtype.kind not in "fc" or want.dtype == np.float16:
        np.testing.assert_array_equal(got, want)
        return
    atol = 100 * np.finfo(want.dtype).eps * scale * max(1, *want.shape, 1)
    size = np.max(np.abs(want), initial=1, where=np.isfinite(want))
    np.testing.assert_allclose(got, want, rtol=0, atol=atol * size)


def both(function, *args):
    """The results of eager and of compiled code."""
    eager, compiled = function(*args), weft.jit(function)(*args)
    return eager, compiled


# ---- values: residuals, where the answer is not unique ----


def orthonormal(columns):
    columns = np.asarray(columns)
    product = matrices.adjoint(columns) @ columns
    unit = np.broadcast_to(
        np.eye(columns.shape[-1], dtype=columns.dtype), product.shape
    )
    close(product, unit)


@settings(max_examples=8, deadline=None)
@given(stack=stacks, rows=sizes, columns=sizes, dtype=dtypes)
def test_factors_of_any_shape(stack, rows, columns, dtype):
    x = general((*stack, rows, columns), dtype)
    size = min(rows, columns)
    for mode in ("reduced", "complete"):
        for q, r in both(lambda x, mode=mode: linalg.qr(x, mode), x):
            want = np.linalg.qr(x, mode)
            assert (q.shape, r.shape) == (want[0].shape, want[1].shape)
            close(np.asarray(q) @ np.asarray(r), x)
            close(np.triu(r), r)
            orthonormal(q)
    for full in (False, True):
        for u, s, vh in both(lambda x, full=full: linalg.svd(x, full), x):
            want = np.linalg.svd(x, full_matrices=full)
            assert [y.shape for y in (u, s, vh)] == [y.shape for y in want]
            close(s, want[1])
            part = np.asarray(u)[..., :size] * np.asarray(s)[..., None, :]
            close(part @ np.asarray(vh)[..., :size, :], x)
            orthonormal(u)
            orthonormal(matrices.adjoint(np.asarray(vh)))
    for s in both(linalg.svdvals, x):
        close(s, np.linalg.svd(x, compute_uv=False))
    for p, low, up in both(linalg.lu, x):
        close(np.asarray(p) @ np.asarray(low) @ np.asarray(up), x)
        close(np.tril(low), low)
        close(np.triu(up), up)
    for inverse in both(linalg.pinv, x):
        close(inverse, np.linalg.pinv(x))


@settings(max_examples=8, deadline=None)
@given(stack=stacks, size=sizes, columns=sizes, dtype=dtypes)
def test_square_matrices(stack, size, columns, dtype):
    x = symmetric((*stack, size, size), dtype)
    a, b = general(x.shape, dtype), general((size, columns), dtype)
    for low in both(linalg.cholesky, x):
        close(low, np.linalg.cholesky(x))
    for w, v in both(linalg.eigh, x):
        close(w, np.linalg.eigh(x)[0])
        orthonormal(v)
        v = np.asarray(v)
        close((v * np.asarray(w)[..., None, :]) @ matrices.adjoint(v), x)
    for w in both(linalg.eigvalsh, x):
        close(w, np.linalg.eigvalsh(x))
    for y in both(linalg.solve, a, b):
        close(y, np.linalg.solve(a, np.broadcast_to(b, (*stack, *b.shape))))
    for y in both(linalg.inv, a):
        close(y, np.linalg.inv(a))
    for y in both(linalg.det, a):
        close(y, np.linalg.det(a), 10)
    for got in both(linalg.slogdet, a):
        for y, want in zip(got, np.linalg.slogdet(a), strict=True):
            close(y, want, 10)


@settings(max_examples=5, deadline=None)
@given(stack=stacks, size=sizes, dtype=dtypes)
def test_eig(stack, size, dtype):
    x = symmetric((*stack, size, size), dtype)
    for w, v in both(linalg.eig, x):
        w, v = np.asarray(w), np.asarray(v)
        close(x @ v, (v * w[..., None, :]).astype((x @ v).dtype), 10)
        close(np.sort(w.real).astype(dtype().real.dtype), np.linalg.eigvalsh(x), 10)
    for w in both(linalg.eigvals, x):
        close(np.sort(np.asarray(w).real), np.linalg.eigvalsh(x), 10)


def test_upper_and_triangles():
    x = symmetric((3, 3))
    low, up = np.tril(x), np.triu(x)
    for read, given_upper in ((low, False), (up, True)):
        got = linalg.cholesky(read, upper=given_upper, symmetrize_input=False)
        want = np.linalg.cholesky(x)
        close(got, want.T if given_upper else want)
        for uplo in "LU" if read is x else "U" if given_upper else "L":
            close(linalg.eigvalsh(read, uplo), np.linalg.eigvalsh(x))
            close(linalg.eigh(read, uplo)[0], np.linalg.eigvalsh(x))
    close(linalg.cholesky(x, upper=True), np.linalg.cholesky(x, upper=True))


def test_results_have_names():
    x = symmetric((3, 3))
    assert linalg.qr(x)._fields == ("Q", "R")
    assert linalg.svd(x)._fields == ("U", "S", "Vh")
    assert linalg.eigh(x)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.slogdet(x)._fields == ("sign", "logabsdet")
    assert weft.jit(linalg.qr)(x)._fields == ("Q", "R")


@pytest.mark.parametrize("trans", [0, 1, "T"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_solve_triangular(trans, lower, unit):
    a = RANDOM.normal(size=(4, 4)) / 3 + np.eye(4)
    for b in (RANDOM.normal(size=4), RANDOM.normal(size=(4, 2))):
        want = scipy.linalg.solve_triangular(a, b, trans, lower, unit)
        for got in both(
            lambda a, b: linalg.solve_triangular(a, b, trans, lower, unit), a, b
        ):
            close(got, want)
    many = np.stack([a, 2 * a])
    got = linalg.solve_triangular(many, RANDOM.normal(size=(3, 1, 4, 2)), lower=lower)
    assert got.shape == (3, 2, 4, 2)


@pytest.mark.parametrize("size", [15, 16, 17, 40, 210])
@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_triangles_of_any_size(size, dtype):
    """By rows, by halves, by columns: how many right sides there are decides too."""
    a = general((size, size), dtype) / size + 2 * np.eye(size, dtype=dtype)
    sides = [general((size, columns), dtype) for columns in (1, 3, 20, 200)]
    flags = [
        dict(zip(("right", "upper", "transpose", "unit"), each, strict=True))
        for each in itertools.product((False, True), repeat=4)
    ]

    def solved(a, sides):
        return [
            triangular_solve(a, weft.matrix_transpose(b) if f["right"] else b, **f)
            for f in flags
            for b in sides
        ]

    got = iter(weft.jit(solved)(a, sides))
    for f in flags:
        triangle = np.triu(a) if f["upper"] else np.tril(a)
        if f["unit"]:
            np.fill_diagonal(triangle, 1)
        triangle = triangle.T if f["transpose"] else triangle
        for b in sides:
            y = np.asarray(next(got))
            close(
                y @ triangle if f["right"] else triangle @ y, b.T if f["right"] else b
            )


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("columns", [3, 16, 17])
def test_lu_factors_of_any_size(rows, columns):
    for dtype in (np.float64, np.complex64):
        x = general((2, rows, columns), dtype)
        ours = weft.jit(lu)(x)
        for i in range(2):
            steps = min(rows, columns)
            low = np.tril(ours.lu[i], -1)[:, :steps] + np.eye(rows, steps, dtype=dtype)
            up = np.triu(ours.lu[i])[:steps]
            close(low @ up, x[i][ours.permutation[i]])
            _, pivots = scipy.linalg.lu_factor(x[i])
            np.testing.assert_array_equal(ours.pivots[i], pivots)


@pytest.mark.parametrize("size", [3, 16, 17, 30])
def test_singular_matrices_of_any_size(size):
    x = np.eye(size)
    x[:, size // 2] = 0
    for function in (linalg.inv, weft.jit(linalg.inv)):
        with pytest.raises(weft.LinAlgError, match=r"(?i)singular"):
            function(x)
    assert weft.jit(linalg.det)(x).item() == 0


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3)])
def test_factored_systems(shape):
    a, x = general(shape), symmetric(shape)
    for b in (RANDOM.normal(size=shape[-1]), RANDOM.normal(size=(*shape[:-1], 2))):
        right = b if b.ndim > 1 else b[:, None]
        want = np.linalg.solve(a, right)
        want = want if b.ndim > 1 else want[..., 0]
        for got in both(lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), a, b):
            close(got, want, 10)
        want = np.linalg.solve(np.swapaxes(a, -1, -2), right)
        want = want if b.ndim > 1 else want[..., 0]
        for got in both(lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, 1), a, b):
            close(got, want, 10)
        want = np.linalg.solve(x, right)
        want = want if b.ndim > 1 else want[..., 0]
        for lower in (False, True):
            for got in both(
                lambda x, b, lower=lower: linalg.cho_solve(
                    linalg.cho_factor(x, lower), b
                ),
                x,
                b,
            ):
                close(got, want, 10)
    if len(shape) == 2:
        want = scipy.linalg.lu_factor(a)
        for got, expected in zip(linalg.lu_factor(a), want, strict=True):
            close(got, expected.astype(np.asarray(got).dtype))


# ---- least squares, ranks, norms ----


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
@pytest.mark.parametrize("columns", [(), (2,)])
def test_lstsq(shape, columns):
    a = general(shape)
    for rank in (min(shape), 2):
        a = matrices.of_singular_values(shape, np.arange(1.0, rank + 1), RANDOM)
        b = RANDOM.normal(size=(shape[0], *columns))
        want = np.linalg.lstsq(a, b, rcond=None)
        for x, residuals, got_rank, s in both(linalg.lstsq, a, b):
            close(x, want[0], 10)
            close(s, want[3], 10)
            assert int(got_rank) == want[2]
            if rank == shape[1] < shape[0]:
                close(residuals, want[1], 10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rank_and_pinv_of_deficient_matrices(dtype):
    x = matrices.of_singular_values((2, 5, 4), np.array([3.0, 1.0]), RANDOM)
    x = x.astype(dtype)
    for got in both(linalg.matrix_rank, x):
        close(got, np.array([2, 2]))
    for got in both(linalg.pinv, x):
        close(got, np.linalg.pinv(x, rtol=None), 10)
    close(linalg.matrix_rank(x, rtol=0.5), np.array([1, 1]))
    close(linalg.matrix_rank(x, 2.0), np.array([1, 1]))
    close(linalg.pinv(x, np.array([0.5, 1e-3], dtype)), np.stack([
        np.linalg.pinv(x[0], rcond=0.5), np.linalg.pinv(x[1], rcond=1e-3)
    ]), 10)  # fmt: skip
    assert int(linalg.matrix_rank(np.zeros(3))) == 0
    assert int(linalg.matrix_rank(np.ones(3))) == 1
    assert int(linalg.matrix_rank(np.zeros((2, 0)))) == 0


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf, None])
def test_norms(ord):  # noqa: A002
    x = general((2, 3, 4))
    want = np.linalg.norm(x, ord, (1, 2), True)
    for got in both(lambda x: linalg.norm(x, ord, (1, 2), True), x):
        close(got, want)
    for got in both(lambda x: linalg.norm(x, ord, (2, 0)), x):
        close(got, np.linalg.norm(x, ord, (2, 0)))
    if ord is not None:
        close(linalg.matrix_norm(x, ord=ord, keepdims=True), want)
        close(linalg.norm(x[0], ord), np.linalg.norm(x[0], ord))


@pytest.mark.parametrize("p", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_cond(p):
    x = general((2, 3, 3))
    for got in both(lambda x: linalg.cond(x, p), x):
        close(got, np.linalg.cond(x, p), 10)
    for got in both(lambda x: linalg.cond(x, p), np.zeros((2, 2))):
        assert np.isinf(np.asarray(got))
    if p in (1, "fro", np.inf):
        singular = np.stack([x[0], np.ones((3, 3))])
        for got in both(lambda x: linalg.cond(x, p), singular):
            assert np.isinf(np.asarray(got)[1])


@pytest.mark.parametrize("lower", [False, True])
def test_cho_factor_reads_one_triangle(lower):
    a, b = np.array([[4.0, 2.0], [2.0, 5.0]]), np.array([1.0, 2.0])
    half = np.tril(a) if lower else np.triu(a)
    for got in both(lambda x: linalg.cho_solve(linalg.cho_factor(x, lower), b), half):
        close(got, np.linalg.solve(a, b))


# ---- functions of matrices ----


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 3, 7, 12])
def test_matrix_power(n):
    x = general((2, 3, 3))
    for got in both(lambda x: linalg.matrix_power(x, n), x):
        close(got, np.linalg.matrix_power(x, n), 100)
    if n >= 0:
        whole = np.array([[1, 2], [3, 4]])
        close(linalg.matrix_power(whole, n), np.linalg.matrix_power(whole, n))


@pytest.mark.parametrize("scale", [0.0, 1e-9, 0.3, 3.0, 20.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_expm(scale, dtype):
    x = RANDOM.normal(size=(3, 4, 4)) * scale * np.array([0.1, 1, 2])[:, None, None]
    x = x.astype(dtype)
    want = np.stack([scipy.linalg.expm(each.astype("f8")) for each in x])
    for got in both(linalg.expm, x):
        for a, b, each in zip(np.asarray(got), want, x, strict=True):
            condition = max(1, scipy.linalg.expm_cond(each.astype("f8")))
            eps = np.finfo(dtype).eps * 50 * condition
            np.testing.assert_allclose(a, b, rtol=0, atol=eps * np.abs(b).max())


def test_expm_of_awkward_matrices():
    for x in (np.full((2, 2), np.nan), np.diag([np.inf, 1.0])):
        assert np.isnan(np.asarray(linalg.expm(x))).any()
    nilpotent = np.array([[0.0, 1e6], [0.0, 0.0]])
    close(linalg.expm(nilpotent), np.array([[1.0, 1e6], [0.0, 1.0]]), 1e4)
    assert linalg.expm(np.zeros((0, 0))).shape == (0, 0)


def test_tensors_as_matrices():
    a = general((6, 6)).reshape(2, 3, 6)
    b = RANDOM.normal(size=(2, 3))
    close(linalg.tensorsolve(a, b), np.linalg.tensorsolve(a, b))
    moved = general((6, 6)).reshape(6, 2, 3)
    close(linalg.tensorsolve(moved, b, (0,)), np.linalg.tensorsolve(moved, b, (0,)))
    close(linalg.tensorinv(a), np.linalg.tensorinv(a))


def test_integers_become_floats():
    x = np.array([[2, 1], [1, 3]])
    assert linalg.inv(x).dtype == np.float32
    assert linalg.solve(x, np.ones(2)).dtype == np.float64
    close(linalg.det(x), np.float32(5))


def test_16_bit_floats_are_computed_in_float32():
    x = weft.asarray(symmetric((3, 3)), dtype=weft.bfloat16)
    for function in (linalg.inv, linalg.cholesky, linalg.det, linalg.svdvals):
        for got in both(function, x):
            assert got.dtype == weft.bfloat16
            want = function(weft.astype(x, weft.float32))
            close(got, weft.astype(want, weft.bfloat16))
    assert linalg.eigh(x).eigenvectors.dtype == weft.bfloat16
    assert linalg.solve(x, np.ones(3)).dtype == np.float64


# ---- derivatives ----

SPD = symmetric((3, 3))
SQUARE, TALL, WIDE = general((3, 3)), general((4, 3)), general((2, 4))
SIDE = RANDOM.normal(size=(3, 2))


def fixed(columns):
    """Columns with their first row positive: what is unique of them."""
    return columns * weft.sign(columns[..., :1, :])


DERIVATIVES = {
    "cholesky": (linalg.cholesky, (SPD,)),
    "cholesky, upper": (lambda x: linalg.cholesky(x, upper=True), (SPD,)),
    "inv": (linalg.inv, (SQUARE,)),
    "solve": (linalg.solve, (SQUARE, SIDE)),
    "solve, vector": (linalg.solve, (SQUARE, SIDE[:, 0])),
    "det": (linalg.det, (SQUARE,)),
    "slogdet": (lambda x: linalg.slogdet(x)[1], (SQUARE,)),
    "qr, tall": (linalg.qr, (TALL,)),
    "qr, wide": (linalg.qr, (WIDE,)),
    "svd, tall": (lambda x: linalg.svd(x, False), (TALL,)),
    "svd, wide": (lambda x: linalg.svd(x, False), (WIDE,)),
    "svdvals": (linalg.svdvals, (WIDE,)),
    "eigh": (linalg.eigh, (SPD,)),
    "eigvalsh": (linalg.eigvalsh, (SPD,)),
    "lu": (lambda x: linalg.lu(x)[1:], (SQUARE,)),
    "lu_solve": (lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), (SQUARE, SIDE)),
    "cho_solve": (
        lambda a, b: linalg.cho_solve(linalg.cho_factor(a), b),
        (SPD, SIDE),
    ),
    "lstsq": (lambda a, b: linalg.lstsq(a, b)[0], (TALL, RANDOM.normal(size=4))),
    "pinv, tall": (linalg.pinv, (TALL,)),
    "pinv, wide": (linalg.pinv, (WIDE,)),
    "expm": (linalg.expm, (SQUARE / 4,)),
    "expm, squared": (linalg.expm, (SQUARE * 3,)),
    "matrix_power": (lambda x: linalg.matrix_power(x, -2), (SQUARE,)),
    "nuclear norm": (lambda x: linalg.norm(x, "nuc"), (SQUARE,)),
    "spectral norm": (lambda x: linalg.norm(x, 2), (TALL,)),
    "cond": (linalg.cond, (SQUARE,)),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(name):
    function, args = DERIVATIVES[name]
    check_grads(function, args, 1, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("name", ["qr", "svd, tall", "svd, wide"])
def test_derivatives_of_whole_bases(name):
    """The projection on the further columns is what is certain of them."""
    x = WIDE if "wide" in name else TALL

    def projection(x):
        if name == "qr":
            q = linalg.qr(x, "complete").Q[:, x.shape[1] :]
            return q @ q.T, linalg.qr(x, "complete").R
        u, s, vh = linalg.svd(x)
        v = vh[x.shape[0] :] if name == "svd, wide" else u[:, x.shape[1] :].T
        return v.T @ v, s

    check_grads(projection, (x,), 1, atol=2e-4, rtol=2e-4)


HERMITIAN = symmetric((3, 3), np.complex128)
COMPLEX = general((3, 3), np.complex128)
COMPLEX_TALL = general((4, 3), np.complex128)


COMPLEX_DERIVATIVES = {
    "cholesky": (linalg.cholesky, (HERMITIAN,)),
    "solve": (linalg.solve, (COMPLEX, COMPLEX_TALL[:3])),
    "det": (linalg.det, (COMPLEX,)),
    "slogdet": (lambda x: linalg.slogdet(x)[1], (COMPLEX,)),
    "qr": (linalg.qr, (COMPLEX_TALL,)),
    "svdvals": (linalg.svdvals, (COMPLEX_TALL,)),
    "eigvalsh": (linalg.eigvalsh, (HERMITIAN,)),
    "eigvals": (linalg.eigvals, (COMPLEX,)),
    "eigvals of real ones": (linalg.eigvals, (SQUARE,)),
    "pinv": (linalg.pinv, (COMPLEX_TALL,)),
    "spaces of eigh": (
        lambda x: [v := linalg.eigh(x)[1], v[:, :1] @ weft.conj(v[:, :1].mT)][1:],
        (HERMITIAN,),
    ),
    "spaces of svd": (
        lambda x: [
            usv := linalg.svd(x, False),
            usv[0][:, :1] @ usv[2][:1],
            usv[0][:, 1:] @ weft.conj(usv[0][:, 1:].mT),
        ][1:],
        (COMPLEX_TALL,),
    ),
    "spaces of eig": (
        lambda x: [
            v := linalg.eig(x)[1],
            v[:, :1] @ linalg.inv(v)[:1],
        ][1:],
        (COMPLEX,),
    ),
}


@pytest.mark.parametrize("name", COMPLEX_DERIVATIVES)
def test_derivatives_of_complex_matrices(name):
    function, args = COMPLEX_DERIVATIVES[name]
    check_grads(function, args, 1, atol=2e-4, rtol=2e-4)


def test_gradients_of_symmetric_functions_are_symmetric():
    for function in (linalg.cholesky, lambda x: linalg.eigh(x).eigenvectors):
        weights = RANDOM.normal(size=(3, 3))
        g = weft.grad(lambda x, f=function, w=weights: weft.sum(f(x) * w))(SPD)
        close(g, np.asarray(g).T)


def test_eigenvalues_that_are_equal():
    x = np.eye(3)
    close(weft.grad(lambda x: weft.sum(linalg.eigvalsh(x)))(x), x)
    close(weft.grad(lambda x: weft.sum(linalg.svdvals(x)))(x), x)
    close(weft.grad(lambda x: weft.sum(linalg.eigh(x)[0]))(x), x)
    g = weft.grad(lambda x: linalg.eigh(x)[1][0, 1])(x)
    assert not np.isfinite(np.asarray(g)).all()
    close(weft.grad(lambda x: weft.sum(linalg.pinv(x)))(x), -np.ones((3, 3)))


def test_a_solution_keeps_the_factors_for_its_backward_pass():
    def loss(a, b):
        return weft.sum(linalg.solve(a, b))

    text = weft.jit(weft.grad(loss, argnums=(0, 1))).lower(SQUARE, SIDE[:, 0]).text(
        "expanded"
    )  # fmt: skip
    assert text.count("weft.lu ") == 1
    assert text.count("weft.solve ") == 2


def test_vmap_of_one_side():
    many = RANDOM.normal(size=(5, 3))
    got = weft.vmap(linalg.solve, in_axes=(None, 0))(SQUARE, many)
    close(got, np.linalg.solve(SQUARE, many.T).T)
    several = general((4, 3, 3))
    got = weft.jit(weft.vmap(linalg.solve, in_axes=(0, None)))(several, many[0])
    close(got, np.linalg.solve(several, many[0][:, None])[..., 0])


def test_jacobian():
    def function(x):
        return linalg.solve(SQUARE, x)

    close(weft.jacrev(function)(SIDE[:, 0]), np.linalg.inv(SQUARE), 10)
    close(weft.jacfwd(function)(SIDE[:, 0]), np.linalg.inv(SQUARE), 10)
    log_det = weft.hessian(lambda x: linalg.slogdet(x)[1])(SQUARE)
    inverse = np.linalg.inv(SQUARE)
    close(log_det, -np.einsum("jk,li->ijkl", inverse, inverse), 10)


def test_within_a_loop():
    def step(x, a):
        solved = linalg.solve(a, x)
        return solved, linalg.cholesky(a @ a.mT)

    many = general((4, 3, 3))
    last, factors = weft.jit(lambda x, a: weft.scan(step, x, a))(SIDE, many)
    want = SIDE
    for a, factor in zip(many, np.asarray(factors), strict=True):
        want = np.linalg.solve(a, want)
        close(factor, np.linalg.cholesky(a @ a.T))
    close(last, want, 100)
    check_grads(lambda x, a: weft.scan(step, x, a), (SIDE, many), 1, atol=1e-4)


@pytest.mark.parametrize("order", [(0, 0, 2), (0, 3, 1), (0, -1, 1), (2**40, 0, 1)])
@pytest.mark.parametrize("transpose", ["", "transpose"])
def test_rows_in_no_order(order, transpose):
    """A program may be written by hand: nothing is read or written elsewhere."""
    program = weft.parse(f"""
    func.func @f(%a: tensor<3x3xf64>, %p: tensor<3xi64>, %b: tensor<3x2xf64>)
        -> tensor<3x2xf64> {{
      %y = weft.solve %a factored %a, %p by %b {transpose} :
        (tensor<3x3xf64>, tensor<3x3xf64>, tensor<3xi64>, tensor<3x2xf64>)
        -> tensor<3x2xf64>
      return %y : tensor<3x2xf64>
    }}""")
    args = np.eye(3), np.array(order), np.ones((3, 2))
    for run in (program.compile(), program.interpret):
        with pytest.raises(np.linalg.LinAlgError, match=r"(?i)rows in no order"):
            run(*args)
