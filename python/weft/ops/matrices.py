"""Factors of matrices and what they solve; `weft.linalg` gives these to users.

The last two axes are those of matrices, all others are stacks of them. The references
are NumPy's and, for what it lacks, SciPy's.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..array import Array
from ..dtypes import FLOAT, is_kind, require
from ..errors import ShapeError
from .registry import ArrayLike, Call, as_array, cast, common_dtype, op, op_of_several

__all__: list[str] = []

FLOAT64 = np.dtype("float64")


class QRResult(NamedTuple):
    """What `weft.linalg.qr` returns."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """What `weft.linalg.svd` returns."""

    U: Array
    S: Array
    Vh: Array


class EighResult(NamedTuple):
    """What `weft.linalg.eigh` returns."""

    eigenvalues: Array
    eigenvectors: Array


class EigResult(NamedTuple):
    """What `weft.linalg.eig` returns."""

    eigenvalues: Array
    eigenvectors: Array


class LUResult(NamedTuple):
    """L and U in one array, the rows exchanged, and the order that they end in."""

    lu: Array
    pivots: Array
    permutation: Array


def float_arrays(name: str, *args: ArrayLike) -> tuple[Array, ...]:
    """Operands of one dtype, float32, float64 or complex; others become float32."""
    dtype, weak = common_dtype(name, *args)
    if not is_kind(dtype, "integer or bool"):
        require(name, dtype, "inexact")
    if not is_kind(dtype, "complex") and (weak or dtype != FLOAT64):
        dtype = FLOAT
    return tuple(cast(as_array(x, name), dtype, name) for x in args)


def as_matrices(name: str, x: ArrayLike) -> Array:
    """An operand as matrices of floats."""
    (array,) = float_arrays(name, x)
    if array.ndim < 2:
        raise ShapeError(
            f"{name} takes matrices, the last two axes of at least two; got shape "
            f"{array.shape}"
        )
    return array


def as_square(name: str, x: ArrayLike) -> Array:
    """An operand as square matrices of floats."""
    array = as_matrices(name, x)
    if array.shape[-1] != array.shape[-2]:
        raise ShapeError(
            f"{name} takes square matrices; those of shape {array.shape} have "
            f"{array.shape[-2]} rows and {array.shape[-1]} columns"
        )
    return array


def _flags(**flags: bool) -> dict[str, Any]:
    return {name: True for name, holds in flags.items() if holds}


def _cholesky(x: ArrayLike, /) -> Call:
    return Call((as_square("cholesky", x),))


@op(_cholesky)
def cholesky(x: np.ndarray) -> np.ndarray:
    """The lower triangular L with `L @ L^H == x`, read from the lower triangle of x.

    Raises `LinAlgError` where x is not positive definite. The derivative is that of
    Murray, "Differentiation of the Cholesky decomposition" (2016).
    """
    return np.linalg.cholesky(x)


def _triangular_solve(
    a: ArrayLike,
    b: ArrayLike,
    /,
    *,
    right: bool = False,
    upper: bool = False,
    transpose: bool = False,
    unit: bool = False,
) -> Call:
    triangle, side = float_arrays("triangular_solve", a, b)
    flags = _flags(right=right, upper=upper, transpose=transpose, unit=unit)
    return Call((triangle, side), flags)


@op(_triangular_solve)
def triangular_solve(
    a: np.ndarray,
    b: np.ndarray,
    *,
    right: bool = False,
    upper: bool = False,
    transpose: bool = False,
    unit: bool = False,
) -> np.ndarray:
    """The solution y of `a @ y == b`, or with `right` of `y @ a == b`.

    Of a only one triangle is read, and with `unit` not its diagonal. A zero on the
    diagonal gives infinities and NaN. Shapes are those of stacks of matrices.
    """
    from scipy.linalg.blas import get_blas_funcs

    solution = np.empty_like(b)
    if not b.size:
        return solution
    (trsm,) = get_blas_funcs(("trsm",), (a, b))
    for place in np.ndindex(a.shape[:-2]):
        solution[place] = trsm(
            1, a[place], b[place], side=right, lower=not upper, trans_a=transpose,
            diag=unit,
        )  # fmt: skip
    return solution


def _lu(x: ArrayLike, /, *, nonsingular: bool = False) -> Call:
    return Call((as_matrices("lu", x),), _flags(nonsingular=nonsingular))


@op_of_several(_lu, LUResult)
def lu(x: np.ndarray, *, nonsingular: bool = False) -> tuple[np.ndarray, ...]:
    """L and U of one array, and how rows were exchanged: `x[permutation] == L @ U`.

    With `nonsingular`, raises `LinAlgError` where U has a zero on its diagonal.
    """
    from scipy.linalg.lapack import get_lapack_funcs

    *stack, rows, columns = x.shape
    factors = np.empty_like(x)
    pivots = np.empty((*stack, min(rows, columns)), np.int64)
    order = np.empty((*stack, rows), np.int64)
    order[...] = np.arange(rows)
    if not pivots.size:
        return factors, pivots, order
    (getrf,) = get_lapack_funcs(("getrf",), (x,))
    for place in np.ndindex(*stack):
        factors[place], pivots[place], info = getrf(x[place])
        if info > 0 and nonsingular:
            raise np.linalg.LinAlgError("Singular matrix")
        rows_of = order[place]
        for i, j in enumerate(pivots[place]):
            rows_of[[i, j]] = rows_of[[j, i]]
    return factors, pivots, order


def _solve(
    a: ArrayLike,
    lu: ArrayLike,
    permutation: ArrayLike,
    b: ArrayLike,
    /,
    *,
    transpose: bool = False,
) -> Call:
    operands = (as_array(x, "solve") for x in (a, lu, permutation, b))
    return Call(tuple(operands), _flags(transpose=transpose))


@op(_solve)
def solve(
    a: np.ndarray,
    lu: np.ndarray,
    permutation: np.ndarray,
    b: np.ndarray,
    *,
    transpose: bool = False,
) -> np.ndarray:
    """The solution y of `a @ y == b`, a being factored; it varies with a and b.

    `a` itself is not read. With `transpose` the solution is that of `a.mT @ y == b`.
    Raises `LinAlgError` where the permutation does not name each row once.
    """
    if (np.sort(permutation) != np.arange(permutation.shape[-1])).any():
        raise np.linalg.LinAlgError("Rows in no order")
    order = permutation[..., None]
    unit = np.eye(lu.shape[-1], dtype=lu.dtype)
    low, up = np.tril(lu, -1) + unit, np.triu(lu)
    if not transpose:
        moved = np.take_along_axis(b, np.broadcast_to(order, b.shape), -2)
        moved = triangular_solve_reference(low, moved, unit=True)
        return triangular_solve_reference(up, moved, upper=True)
    moved = triangular_solve_reference(up, b, upper=True, transpose=True)
    moved = triangular_solve_reference(low, moved, unit=True, transpose=True)
    solution = np.empty_like(b)
    np.put_along_axis(solution, np.broadcast_to(order, b.shape), moved, -2)
    return solution


def _qr(x: ArrayLike, /, *, full: bool = False) -> Call:
    return Call((as_matrices("qr", x),), _flags(full=full))


@op_of_several(_qr, QRResult)
def qr(x: np.ndarray, *, full: bool = False) -> tuple[np.ndarray, ...]:
    """Orthonormal columns Q and an upper triangular R with `Q @ R == x`.

    The derivative is that of Walter and Lehmann, "Algorithmic differentiation of
    linear algebra functions" (2010).
    """
    return tuple(np.linalg.qr(x, "complete" if full else "reduced"))


def _svd(x: ArrayLike, /, *, full: bool = False) -> Call:
    return Call((as_matrices("svd", x),), _flags(full=full))


@op_of_several(_svd, SVDResult)
def svd(x: np.ndarray, *, full: bool = False) -> tuple[np.ndarray, ...]:
    """Singular values, descending, and vectors: `(U * S[..., None, :]) @ Vh == x`.

    Raises `LinAlgError` where they do not converge, as with NaN. The derivative is
    that of Townsend, "Differentiating the singular value decomposition" (2016).
    """
    return tuple(np.linalg.svd(x, full_matrices=full))


def _svdvals(x: ArrayLike, /) -> Call:
    return Call((as_matrices("svdvals", x),))


@op(_svdvals)
def svdvals(x: np.ndarray) -> np.ndarray:
    """The singular values of matrices, descending.

    Raises `LinAlgError` where they do not converge, as with NaN.
    """
    return np.linalg.svd(x, compute_uv=False)


def _eigh(x: ArrayLike, /) -> Call:
    return Call((as_square("eigh", x),))


@op_of_several(_eigh, EighResult)
def eigh(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Eigenvalues, ascending, and vectors of symmetric matrices: their lower triangle.

    Raises `LinAlgError` where they do not converge.
    """
    return tuple(np.linalg.eigh(x))


def _eigvalsh(x: ArrayLike, /) -> Call:
    return Call((as_square("eigvalsh", x),))


@op(_eigvalsh)
def eigvalsh(x: np.ndarray) -> np.ndarray:
    """Eigenvalues, ascending, of symmetric matrices, of which one triangle is read.

    Raises `LinAlgError` where they do not converge.
    """
    return np.linalg.eigvalsh(x)


def _eig(x: ArrayLike, /) -> Call:
    return Call((as_square("eig", x),))


@op_of_several(_eig, EigResult)
def eig(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Eigenvalues and vectors, as columns of norm 1, of square matrices; complex.

    Raises `LinAlgError` where x is not finite, or eigenvalues do not converge.
    """
    dtype = np.result_type(x.dtype, np.complex64)
    return tuple(np.asarray(part, dtype) for part in np.linalg.eig(x))


def _eigvals(x: ArrayLike, /) -> Call:
    return Call((as_square("eigvals", x),))


@op(_eigvals)
def eigvals(x: np.ndarray) -> np.ndarray:
    """The eigenvalues of square matrices, complex.

    Raises `LinAlgError` where x is not finite, or eigenvalues do not converge.
    """
    return np.asarray(np.linalg.eigvals(x), np.result_type(x.dtype, np.complex64))


def _pinv(x: ArrayLike, cutoff: ArrayLike, /) -> Call:
    return Call((as_matrices("pinv", x), as_array(cutoff, "pinv")))


@op(_pinv)
def pinv(x: np.ndarray, cutoff: np.ndarray) -> np.ndarray:
    """The Moore-Penrose inverse; singular values up to a part of the largest are zero.

    `cutoff` has one part for each matrix. Raises `LinAlgError` where singular values
    do not converge, as with NaN.
    """
    return np.linalg.pinv(x, rcond=cutoff)


def triangular_solve_reference(
    a: np.ndarray, b: np.ndarray, **flags: bool
) -> np.ndarray:
    """What `triangular_solve` means, on NumPy's arrays."""
    from .registry import REGISTRY

    return REGISTRY["triangular_solve"].reference(a, b, **flags)
