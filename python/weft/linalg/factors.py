"""Factors of matrices, in the array API's and NumPy's words."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Literal

import numpy as np

from .. import ops
from ..array import Array
from ..errors import ArgumentError, public
from ..ops import matrices
from ..ops.matrices import (
    EighResult,
    EigResult,
    QRResult,
    SVDResult,
    as_matrices,
    as_square,
)
from ..ops.registry import ArrayLike
from .narrow import through_float32


def adjoint(x: Array) -> Array:
    """The conjugate transpose."""
    return ops.conj(x.mT)


def _hermitian(x: Array) -> Array:
    return (x + adjoint(x)) * 0.5


@public
@through_float32
def cholesky(
    x: ArrayLike, /, *, upper: bool = False, symmetrize_input: bool = True
) -> Array:
    """The lower triangular L with `L @ L^H == x`, or with `upper` L^H.

    x is Hermitian (real: symmetric) and positive definite; ^H is the conjugate
    transpose. What is factored is `(x + x^H) / 2`, so that derivatives are symmetric;
    without `symmetrize_input` only the lower triangle of x
    is read, or with `upper` the upper one, and derivatives are by its elements.

    Raises `LinAlgError` where x is not positive definite, and `ShapeError` for an array
    that is no stack of square matrices.

    >>> weft.linalg.cholesky(weft.asarray([[4.0, 2.0], [2.0, 5.0]]))
    Array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    array = as_square("cholesky", x)
    if symmetrize_input:
        array = _hermitian(array)
    elif upper:
        array = adjoint(array)
    factor = matrices.cholesky(array)
    return adjoint(factor) if upper else factor


@public
@through_float32
def qr(
    x: ArrayLike, /, mode: Literal["reduced", "complete", "r"] = "reduced"
) -> QRResult | Array:
    """Orthonormal columns Q and an upper triangular R with `Q @ R == x`.

    Of m x n matrices Q is m x k and R is k x n, where k is the smaller of m and n
    ("reduced"), or m ("complete"); "r" gives R of the reduced form alone. Derivatives
    need linearly independent columns (the first m of a wide matrix). Those of the
    further columns of a complete Q are those of a basis that does not turn in itself.

    >>> weft.linalg.qr(weft.ones((3, 2))).R.shape
    (2, 2)
    """
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(
            f"qr: mode is {mode!r}; it must be 'reduced', 'complete' or 'r'"
        )
    factors = matrices.qr(x, full=mode == "complete")
    return factors.R if mode == "r" else factors


@public
@through_float32
def svd(
    x: ArrayLike, /, full_matrices: bool = True, compute_uv: bool = True
) -> SVDResult | Array:
    """Singular values S, descending, and vectors: `(U * S[..., None, :]) @ Vh == x`.

    Of m x n matrices U is m x k and Vh is k x n, where k is the smaller of m and n;
    with `full_matrices` they are square. Without `compute_uv` only S is returned.

    Derivatives of the vectors are infinite or NaN where two singular values are equal,
    or one is 0 and the matrix not square; those of S alone are defined there too.
    Those of the further vectors of full matrices are those of a basis that does not
    turn in itself. Raises `LinAlgError` where values do not converge, as with NaN.

    >>> weft.linalg.svd(weft.asarray([[0.0, 2.0], [1.0, 0.0]])).S
    Array([2., 1.], dtype=float32)
    """
    if not compute_uv:
        return matrices.svdvals(x)
    return matrices.svd(x, full=full_matrices)


@public
@through_float32
def svdvals(x: ArrayLike, /) -> Array:
    """The singular values of matrices, descending.

    Raises `LinAlgError` where they do not converge, as with NaN.

    >>> weft.linalg.svdvals(weft.asarray([[0.0, 2.0], [1.0, 0.0]]))
    Array([2., 1.], dtype=float32)
    """
    return matrices.svdvals(x)


@public
@through_float32
def eigh(x: ArrayLike, /, UPLO: Literal["L", "U"] | None = None) -> EighResult:  # noqa: N803
    """Eigenvalues, ascending, and vectors, as columns, of Hermitian matrices.

    What is taken apart is `(x + x^H) / 2`, ^H being the conjugate transpose, so that
    derivatives are symmetric; with `UPLO` only the lower ("L") or the upper triangle
    ("U") of x is read. Derivatives of the vectors are infinite or NaN where two
    eigenvalues are equal; those of the eigenvalues alone are defined there too. Those
    of complex vectors do not turn the phase of a vector.

    Raises `LinAlgError` where eigenvalues do not converge.

    >>> weft.linalg.eigh(weft.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Array([1., 2.], dtype=float32)
    """
    return matrices.eigh(_lower_triangle("eigh", x, UPLO))


@public
@through_float32
def eigvalsh(x: ArrayLike, /, UPLO: Literal["L", "U"] | None = None) -> Array:  # noqa: N803
    """The eigenvalues, ascending, of Hermitian matrices (see `eigh`).

    >>> weft.linalg.eigvalsh(weft.asarray([[2.0, 0.0], [0.0, 1.0]]))
    Array([1., 2.], dtype=float32)
    """
    return matrices.eigvalsh(_lower_triangle("eigvalsh", x, UPLO))


@public
@through_float32
def eig(x: ArrayLike, /) -> EigResult:
    """Eigenvalues and vectors, as columns of norm 1, of square matrices.

    Both are complex, of real matrices too. Derivatives of the vectors leave what
    scales them aside: those of what does not depend on the scale are right. They are
    infinite or NaN where two eigenvalues are equal.

    Raises `LinAlgError` where x is not finite, or eigenvalues do not converge.

    >>> weft.linalg.eig(weft.asarray([[0.0, -1.0], [1.0, 0.0]])).eigenvalues
    Array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    return matrices.eig(x)


@public
@through_float32
def eigvals(x: ArrayLike, /) -> Array:
    """The eigenvalues of square matrices, complex (see `eig`).

    >>> weft.linalg.eigvals(weft.asarray([[0.0, -1.0], [1.0, 0.0]]))
    Array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    return matrices.eigvals(x)


def _lower_triangle(name: str, x: ArrayLike, uplo: str | None) -> Array:
    array = as_square(name, x)
    if uplo is None:
        return _hermitian(array)
    if uplo not in ("L", "U"):
        raise ArgumentError(f"{name}: UPLO is {uplo!r}; it must be 'L' or 'U'")
    return array if uplo == "L" else adjoint(array)


@public
@through_float32
def lu(x: ArrayLike, /, permute_l: bool = False) -> tuple[Array, ...]:
    """P, L and U with `P @ L @ U == x`, or with `permute_l` the two `P @ L` and U.

    L is unit lower triangular and U upper triangular; P exchanges rows.

    >>> weft.linalg.lu(weft.asarray([[0.0, 2.0], [1.0, 3.0]]))[2]
    Array([[1., 3.],
           [0., 2.]], dtype=float32)
    """
    array = as_matrices("lu", x)
    factors, _, order = matrices.lu(array)
    rows, columns = array.shape[-2:]
    size = min(rows, columns)
    left = ops.tril(factors[..., :size], k=-1) + ops.eye(rows, size, dtype=array.dtype)
    right = ops.triu(factors[..., :size, :])
    places = ops.arange(rows)[:, None]
    exchange = ops.astype(order[..., None, :] == places, array.dtype)
    return (exchange @ left, right) if permute_l else (exchange, left, right)


@public
@through_float32
def lu_factor(x: ArrayLike, /) -> tuple[Array, Array]:
    """L and U in one array, and the rows exchanged, for `lu_solve`.

    >>> weft.linalg.lu_factor(weft.asarray([[0.0, 2.0], [1.0, 3.0]]))[1]
    Array([1, 1], dtype=int64)
    """
    factors, pivots, _ = matrices.lu(as_square("lu_factor", x))
    return factors, pivots


@public
@through_float32
def cho_factor(x: ArrayLike, /, lower: bool = False) -> tuple[Array, bool]:
    """The Cholesky factor of a matrix, and which triangle it is, for `cho_solve`.

    Only that triangle of the matrix is read, the upper one unless `lower`.

    >>> weft.linalg.cho_factor(weft.asarray([[4.0]]))
    (Array([[2.]], dtype=float32), False)
    """
    return cholesky(x, upper=not lower, symmetrize_input=False), lower


def permutation_of(pivots: Array, size: int) -> Array:
    """The order that rows are in after each has been exchanged with its pivot."""
    from ..control import fori_loop

    places = ops.arange(size)
    order = ops.broadcast_to(places, (*pivots.shape[:-1], size))

    def exchange(i: Array, order: Array) -> Array:
        other = ops.take(pivots, ops.reshape(i, (1,)), axis=-1)
        here = ops.take(order, ops.reshape(i, (1,)), axis=-1)
        there = ops.take_along_axis(order, other, axis=-1)
        order = ops.where(places == i, there, order)
        return ops.where(places == other, here, order)

    return fori_loop(np.int64(0), np.int64(pivots.shape[-1]), exchange, order)
