"""Functions of vectors and matrices, composed of the array namespace.

The last axes are those of vectors and matrices; all others are stacks of them.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ops
from .array import Array
from .dtypes import DTypeLike, is_kind
from .errors import ArgumentError, ShapeError, public
from .ops import matmul, matrix_transpose, outer, tensordot, vecdot
from .ops.reduce import Axis
from .ops.registry import ArrayLike, as_array, broadcast_all, common_dtype
from .ops.shape import axis_index

__all__ = [
    "cross",
    "diagonal",
    "matmul",
    "matrix_norm",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


@public
def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """The elements `x[..., i, i + offset]` of each matrix.

    Raises `ShapeError` for an array of less than two axes.

    >>> weft.linalg.diagonal(weft.asarray([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int64)
    """
    array = _matrices("diagonal", x)
    rows, columns = array.shape[-2:]
    top, left = max(-offset, 0), max(offset, 0)
    length = max(0, min(rows - top, columns - left))
    flat = ops.reshape(array, (*array.shape[:-2], rows * columns))
    if not length:
        return flat[..., :0]
    first = top * columns + left
    return flat[..., first : first + (length - 1) * (columns + 1) + 1 : columns + 1]


@public
def trace(x: ArrayLike, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Array:
    """The sum of a diagonal of each matrix (see `diagonal`).

    `dtype` is that of the sum. Raises `ShapeError` for an array of less than two axes.

    >>> weft.linalg.trace(weft.asarray([[1, 2], [3, 4]]))
    Array(5, dtype=int64)
    """
    return ops.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


@public
def cross(x: ArrayLike, y: ArrayLike, /, *, axis: int = -1) -> Array:
    """The cross product of vectors of three elements along an axis.

    The arrays broadcast. Raises `ShapeError` where the axis has another size.

    >>> weft.linalg.cross(weft.asarray([1, 0, 0]), weft.asarray([0, 1, 0]))
    Array([0, 0, 1], dtype=int64)
    """
    dtype, _ = common_dtype("cross", x, y)
    arrays = (ops.astype(as_array(v, "cross"), dtype) for v in (x, y))
    left, right = broadcast_all("cross", *arrays)
    along = axis_index("cross", axis, left.ndim)
    if left.shape[along] != 3:
        raise ShapeError(
            f"cross takes vectors of three elements; axis {axis} of shape {left.shape} "
            f"has {left.shape[along]}"
        )
    a, b, c = ops.unstack(left, axis=along)
    d, e, f = ops.unstack(right, axis=along)
    return ops.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=along)


@public
def multi_dot(arrays: Sequence[ArrayLike], /) -> Array:
    """The product of two or more matrices, in the order of the fewest multiplications.

    The first may be a row and the last a column, of one axis, which the result does not
    have. Raises `ShapeError` for other shapes, and where neighbours do not fit.

    >>> x = weft.ones((2, 3))
    >>> weft.linalg.multi_dot([x, weft.ones((3, 4)), weft.ones((4, 1))]).shape
    (2, 1)
    """
    operands = [as_array(x, "multi_dot") for x in arrays]
    shapes = [x.shape for x in operands]
    if len(operands) < 2:
        raise ArgumentError("multi_dot takes two arrays at least")
    ends = {0, len(operands) - 1}
    for i, x in enumerate(operands):
        if x.ndim != 2 and not (x.ndim == 1 and i in ends):
            raise ShapeError(
                f"multi_dot takes matrices, between vectors at most; got {shapes}"
            )
    for left, right in itertools.pairwise(operands):
        if left.shape[-1] != right.shape[0]:
            raise ShapeError(
                f"multi_dot: of the shapes {shapes}, {left.shape} and {right.shape} "
                "cannot be multiplied: the sizes in between must be equal"
            )
    labels = [[i, i + 1] for i in range(len(operands))]
    terms: list[Any] = []
    for i, x in enumerate(operands):
        terms += [x, labels[i] if x.ndim == 2 else labels[i][1 if i == 0 else 0 :][:1]]
    outer = [0] * (operands[0].ndim == 2) + [len(operands)] * (operands[-1].ndim == 2)
    return ops.einsum(*terms, outer, optimize="dp")


@public
def vector_norm(
    x: ArrayLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> Array:
    """`sum(abs(x)**ord) ** (1 / ord)` along axes, by default all.

    `ord` is a Python number: infinities mean the largest and the smallest magnitude,
    and 0 the number of elements that are not 0. The derivative at a zero vector is NaN.

    >>> weft.linalg.vector_norm(weft.asarray([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    array = as_array(x, "vector_norm")
    if not is_kind(array.dtype, "inexact"):
        array = ops.astype(array, np.float32)
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
        return ops.sqrt(ops.sum(_squares(array), axis=axis, keepdims=keepdims))
    return ops.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


@public
def matrix_norm(
    x: ArrayLike, /, *, keepdims: bool = False, ord: float | str = "fro"
) -> Array:
    """A norm of each matrix: Frobenius' ("fro"), or that of `ord` 1, -1, inf or -inf.

    1 is the largest sum of magnitudes of a column, inf of a row; negated, the smallest.
    Raises `ShapeError` for an array of less than two axes and `ArgumentError` for
    another `ord`.

    >>> weft.linalg.matrix_norm(weft.asarray([[1.0, -2.0], [3.0, 4.0]]), ord=1)
    Array(6., dtype=float32)
    """
    array = _matrices("matrix_norm", x)
    if ord == "fro":
        return vector_norm(array, axis=(-2, -1), keepdims=keepdims)
    if ord not in (1, -1, np.inf, -np.inf):
        raise ArgumentError(
            f"matrix_norm: ord is {ord!r}; it must be 'fro', 1, -1, inf or -inf"
        )
    summed = -2 if ord in (1, -1) else -1
    sums = vector_norm(array, axis=summed, keepdims=True, ord=1)
    extremum = ops.max if ord in (1, np.inf) else ops.min
    return extremum(sums, axis=(-2, -1), keepdims=keepdims)


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
    the `vector_norm` along one axis, or of a vector, and the `matrix_norm` of a matrix.

    >>> weft.linalg.norm(weft.asarray([3.0, 4.0]))
    Array(5., dtype=float32)
    """
    array = as_array(x, "norm")
    if ord is None:
        return vector_norm(array, axis=axis, keepdims=keepdims)
    if isinstance(axis, int) or (axis is None and array.ndim == 1):
        if isinstance(ord, str):
            raise ArgumentError(f"norm: ord {ord!r} is for matrices, not for vectors")
        return vector_norm(array, axis=axis, keepdims=keepdims, ord=ord)
    if axis is not None or array.ndim != 2:
        raise ArgumentError(
            f"norm: ord {ord!r} needs one axis, or a matrix; call matrix_norm for the "
            f"last two axes of shape {array.shape}"
        )
    return matrix_norm(array, keepdims=keepdims, ord=ord)


def _squares(x: Array) -> Array:
    """The squares of magnitudes."""
    if not is_kind(x.dtype, "complex"):
        return x * x
    real, imag = ops.real(x), ops.imag(x)
    return real * real + imag * imag


def _matrices(name: str, x: ArrayLike) -> Array:
    array = as_array(x, name)
    if array.ndim < 2:
        raise ShapeError(
            f"{name} takes matrices, the last two axes of at least two; got shape "
            f"{array.shape}"
        )
    return array
