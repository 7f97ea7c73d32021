"""Parts and products of vectors and matrices, composed of the array namespace."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import ops
from ..array import Array
from ..dtypes import DTypeLike
from ..errors import ArgumentError, ShapeError, public
from ..ops.registry import ArrayLike, as_array, broadcast_all, common_dtype
from ..ops.shape import axis_index


@public
def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """The elements `x[..., i, i + offset]` of each matrix.

    Raises `ShapeError` for an array of less than two axes.

    >>> weft.linalg.diagonal(weft.asarray([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int64)
    """
    array = matrices("diagonal", x)
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
    # Each element of the result reads what it is made of, in one pass.
    lead = (slice(None),) * along
    after, before = (*lead, np.array([1, 2, 0])), (*lead, np.array([2, 0, 1]))
    return left[after] * right[before] - left[before] * right[after]


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


def matrices(name: str, x: ArrayLike) -> Array:
    array = as_array(x, name)
    if array.ndim < 2:
        raise ShapeError(
            f"{name} takes matrices, the last two axes of at least two; got shape "
            f"{array.shape}"
        )
    return array
