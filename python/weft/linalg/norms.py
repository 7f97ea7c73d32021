"""Norms of vectors and matrices, and what singular values say of a matrix."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np

from .. import ops
from ..array import Array
from ..errors import ArgumentError, public
from ..ops.matrices import as_matrices, as_square, svdvals
from ..ops.reduce import Axis, floats, squares_of, wide
from ..ops.registry import ArrayLike, as_array
from .narrow import through_float32
from .solutions import unchecked_inverse

MATRIX_NORMS = ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


@public
@through_float32
def vector_norm(
    x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> Array:
    """`sum(abs(x)**ord) ** (1 / ord)` along axes, by default all.

    `ord` is a Python number: infinities mean the largest and the smallest magnitude,
    and 0 the number of elements that are not 0. The derivative at a zero vector is NaN.

    >>> weft.linalg.vector_norm(weft.asarray([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    array = wide(floats(x, "vector_norm", "inexact"))
    sizes = ops.abs(array)
    if ord == np.inf:
        return ops.max(sizes, axis=axis, keepdims=keepdims)
    if ord == -np.inf:
        return ops.min(sizes, axis=axis, keepdims=keepdims)
    if ord == 0:
        count = ops.astype(array != 0, sizes.dtype)
        return ops.sum(count, axis=axis, keepdims=keepdims)
    if ord == 1:
        return ops.sum(sizes, axis=axis, keepdims=keepdims)
    if ord == 2:
        return ops.sqrt(ops.sum(squares_of(array), axis=axis, keepdims=keepdims))
    return ops.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


@public
@through_float32
def matrix_norm(
    x: ArrayLike, /, *, keepdims: bool = False, ord: float | str | None = "fro"
) -> Array:
    """A norm of each matrix: "fro", "nuc", 1, -1, 2, -2, inf or -inf.

    "fro" is Frobenius', the root of the sum of squares; "nuc" the sum of the singular
    values, 2 the largest of them and -2 the smallest; 1 the largest sum of magnitudes
    of a column, inf of a row, and -1 and -inf the smallest. Raises `ShapeError` for an
    array of less than two axes and `ArgumentError` for another `ord`.

    >>> weft.linalg.matrix_norm(weft.asarray([[1.0, -2.0], [3.0, 4.0]]), ord=1)
    Array(6., dtype=float32)
    """
    array = as_matrices("matrix_norm", x)
    if ord is None or ord == "fro":
        return vector_norm(array, axis=(-2, -1), keepdims=keepdims)
    if ord not in MATRIX_NORMS:
        raise ArgumentError(
            f"matrix_norm: ord is {ord!r}; it must be 'fro', 'nuc', 1, -1, 2, -2, inf "
            "or -inf"
        )
    if ord in ("nuc", 2, -2):
        return _norm_by_values(array, ord, keepdims)
    summed = -2 if ord in (1, -1) else -1
    sums = vector_norm(array, axis=summed, keepdims=True, ord=1)
    extremum = ops.max if ord in (1, np.inf) else ops.min
    return extremum(sums, axis=(-2, -1), keepdims=keepdims)


def _norm_by_values(x: Array, ord: float | str, keepdims: bool) -> Array:
    values = svdvals(x)
    reduced = {"nuc": ops.sum, 2: ops.max, -2: ops.min}[ord](values, axis=-1)
    return reduced[..., None, None] if keepdims else reduced


@public
def norm(
    x: ArrayLike,
    /,
    ord: float | str | None = None,
    axis: Axis = None,
    keepdims: bool = False,
) -> Array:
    """A norm as `numpy.linalg.norm` names it.

    Without `ord`, the root of the sum of squares along axes, by default all. With it,
    the `vector_norm` along one axis, or of a vector, and the `matrix_norm` along two
    axes, or of a matrix.

    >>> weft.linalg.norm(weft.asarray([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    array = as_array(x, "norm")
    if ord is None:
        return vector_norm(array, axis=axis, keepdims=keepdims)
    axes = tuple(range(array.ndim)) if axis is None else axis
    if isinstance(axes, int) or len(axes) == 1:
        if isinstance(ord, str):
            raise ArgumentError(f"norm: ord {ord!r} is for matrices, not for vectors")
        return vector_norm(array, axis=axes, keepdims=keepdims, ord=ord)
    if len(axes) != 2:
        raise ArgumentError(
            f"norm: ord {ord!r} needs one axis or two, or a vector or a matrix; call "
            f"matrix_norm for the last two axes of shape {array.shape}"
        )
    moved = ops.moveaxis(array, axes, (-2, -1))
    reduced = matrix_norm(moved, ord=ord)
    return ops.expand_dims(reduced, axis=axes) if keepdims else reduced


@public
@through_float32
def matrix_rank(
    x: ArrayLike,
    /,
    tol: ArrayLike | None = None,
    *,
    rtol: ArrayLike | None = None,
) -> Array:
    """How many singular values of each matrix count, as int64.

    Those count that are above `tol`, or above `rtol` times the largest one; by default
    `rtol` is the larger size of the matrix times the dtype's `eps`. Of a vector or a
    number, whether it has an element that is not 0.

    >>> weft.linalg.matrix_rank(weft.ones((2, 2)))
    Array(1, dtype=int64)
    """
    array = as_array(x, "matrix_rank")
    if array.ndim < 2:
        return ops.astype(ops.any(array != 0), np.int64)
    array = as_matrices("matrix_rank", array)
    values = svdvals(array)
    if not values.shape[-1]:
        return ops.zeros(values.shape[:-1], dtype=np.int64)
    if tol is None:
        part = default_rtol(array) if rtol is None else as_array(rtol)[..., None]
        bound = ops.max(values, axis=-1, keepdims=True) * part
    else:
        bound = as_array(tol, "matrix_rank")[..., None]
    return ops.sum(ops.astype(values > bound, np.int64), axis=-1)


def default_rtol(x: Array) -> float:
    """Up to which part of the largest singular value others count as zero."""
    return max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)


@public
@through_float32
def cond(x: ArrayLike, /, p: float | str | None = None) -> Array:
    """The condition number of each matrix, in the norm `p` (see `matrix_norm`).

    By default the largest singular value over the smallest one, of any matrix; in
    other norms but 2 and -2 matrices must be square. Infinite for singular matrices.

    >>> weft.linalg.cond(weft.asarray([[2.0, 0.0], [0.0, 1.0]]))
    Array(2., dtype=float32)
    """
    if p is None or p in (2, -2):
        values = svdvals(as_matrices("cond", x))
        if not values.shape[-1]:
            raise ArgumentError("cond is not defined for matrices without elements")
        ends = values[..., 0], values[..., -1]
        ratio = ends[1] / ends[0] if p == -2 else ends[0] / ends[1]
        return _infinite_unless_unknown(ratio, as_array(x))
    array = as_square("cond", x)
    if p == "nuc":
        values = svdvals(array)
        product = ops.sum(values, axis=-1) * ops.sum(1 / values, axis=-1)
        return _infinite_unless_unknown(product, array)
    product = matrix_norm(array, ord=p) * matrix_norm(unchecked_inverse(array), ord=p)
    return _infinite_unless_unknown(product, array)


def _infinite_unless_unknown(number: Array, array: Array) -> Array:
    """Infinity for NaN, but of matrices that have one themselves."""
    known = ~ops.any(ops.isnan(array), axis=(-2, -1))
    return ops.where(ops.isnan(number) & known, np.inf, number)
