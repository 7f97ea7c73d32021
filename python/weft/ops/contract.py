"""Contractions: sums of products over axes of two arrays."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..array import Array
from ..dtypes import require, spell
from ..errors import ArgumentError, ShapeError, public
from .registry import (
    ArrayLike,
    Call,
    Shape,
    as_array,
    broadcast_operand,
    cast,
    common_dtype,
    op,
)
from .shape import axis_index, expand_dims, moveaxis, reshape

__all__ = [
    "dot_general",
    "matmul",
    "outer",
    "tensordot",
    "vecdot",
]


def _dot_general(
    lhs: ArrayLike,
    rhs: ArrayLike,
    /,
    *,
    lhs_contract: Sequence[int],
    rhs_contract: Sequence[int],
    lhs_batch: Sequence[int] = (),
    rhs_batch: Sequence[int] = (),
) -> Call:
    left, right = _promoted("dot_general", lhs, rhs)
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    given = (lhs_batch, rhs_batch, lhs_contract, rhs_contract)
    axes = {
        name: tuple(
            axis_index(f"dot_general: {name}", a, (left, right)[i % 2].ndim)
            for a in value
        )
        for i, (name, value) in enumerate(zip(names, given, strict=True))
    }
    for kind in ("batch", "contract"):
        pair = axes[f"lhs_{kind}"], axes[f"rhs_{kind}"]
        sizes = (
            tuple(left.shape[a] for a in pair[0]),
            tuple(right.shape[a] for a in pair[1]),
        )
        if sizes[0] != sizes[1]:
            raise ShapeError(
                f"dot_general: the {kind} axes {pair[0]} of "
                f"{spell(left.dtype, left.shape)} and {pair[1]} of "
                f"{spell(right.dtype, right.shape)} have the sizes {sizes[0]} and "
                f"{sizes[1]}; they must be equal"
            )
    for side in ("lhs", "rhs"):
        used = axes[f"{side}_batch"] + axes[f"{side}_contract"]
        if len(set(used)) != len(used):
            raise ArgumentError(f"dot_general: {side} axes {used} name an axis twice")
    return Call((left, right), axes)


def _promoted(name: str, *args: ArrayLike) -> tuple[Array, ...]:
    arrays = [as_array(x, name) for x in args]
    dtype, _ = common_dtype(name, *arrays)
    require(name, dtype, "numeric")
    return tuple(cast(array, dtype) for array in arrays)


def _grouped(x: np.ndarray, groups: Sequence[Shape]) -> np.ndarray:
    """`x` with the axes of each group merged into one."""
    shape = [math.prod(x.shape[a] for a in group) for group in groups]
    return np.transpose(x, [a for group in groups for a in group]).reshape(shape)


def _free(x: np.ndarray, *used: Shape) -> Shape:
    return tuple(a for a in range(x.ndim) if a not in sum(used, ()))


@op(_dot_general)
def dot_general(
    lhs: np.ndarray,
    rhs: np.ndarray,
    *,
    lhs_batch: Shape,
    rhs_batch: Shape,
    lhs_contract: Shape,
    rhs_contract: Shape,
) -> np.ndarray:
    """Sum of products over contracted axes, for each index of the batch axes.

    Sums are accumulated in the dtype, those of float16 and bfloat16 in float32. The
    result has the batch axes, then the other axes of `lhs`, then those of `rhs`.

    >>> weft.dot_general(weft.ones((2, 3)), weft.ones((4, 3)),
    ...                  lhs_contract=(1,), rhs_contract=(1,)).shape
    (2, 4)
    """
    lhs_free = _free(lhs, lhs_batch, lhs_contract)
    rhs_free = _free(rhs, rhs_batch, rhs_contract)
    left = _grouped(lhs, (lhs_batch, lhs_free, lhs_contract))
    right = _grouped(rhs, (rhs_batch, rhs_contract, rhs_free))
    shape = [lhs.shape[a] for a in (*lhs_batch, *lhs_free)]
    return np.matmul(left, right).reshape(shape + [rhs.shape[a] for a in rhs_free])


# ---- composed of the above ----


@public
def matmul(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Matrix product over the last two axes, the axes before them broadcast.

    A one-dimensional operand is a row on the left and a column on the right, and its
    axis does not appear in the result.

    >>> weft.matmul(weft.asarray([[1.0, 2.0]]), weft.asarray([[3.0], [4.0]]))
    Array([[11.]], dtype=float32)
    """
    left, right = _promoted("matmul", x, y)
    spelled = f"{spell(left.dtype, left.shape)} @ {spell(right.dtype, right.shape)}"
    if not left.ndim or not right.ndim:
        raise ShapeError(f"matmul: {spelled}: a scalar has no axis to contract; use *")
    inner = max(right.ndim - 2, 0)
    if left.shape[-1] != right.shape[inner]:
        raise ShapeError(
            f"matmul: {spelled}: the last axis of the left operand has "
            f"{left.shape[-1]} elements and axis {inner} of the right one has "
            f"{right.shape[inner]}; they must be equal (transpose with .mT?)"
        )
    if left.ndim <= 2 and right.ndim <= 2:
        return dot_general(
            left, right, lhs_contract=(left.ndim - 1,), rhs_contract=(inner,)
        )
    return _batched(left, right, spelled)


def _batched(left: Array, right: Array, spelled: str) -> Array:
    row, column = left.ndim == 1, right.ndim == 1
    if not column and right.ndim == 2:  # a matrix for all: contract without batch
        return dot_general(
            left, right, lhs_contract=(left.ndim - 1,), rhs_contract=(0,)
        )
    left = expand_dims(left, axis=0) if row else left
    right = expand_dims(right, axis=1) if column else right
    try:
        lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        raise ShapeError(
            f"matmul: {spelled}: the axes before the last two do not broadcast"
        ) from None
    left = broadcast_operand(left, (*lead, *left.shape[-2:]))
    right = broadcast_operand(right, (*lead, *right.shape[-2:]))
    batch = tuple(range(len(lead)))
    n = len(lead)
    result = dot_general(
        left, right, lhs_batch=batch, rhs_batch=batch,
        lhs_contract=(n + 1,), rhs_contract=(n,),
    )  # fmt: skip
    shape = (*lead, *(() if row else left.shape[-2:-1]))
    return reshape(result, (*shape, *(() if column else right.shape[-1:])))


@public
def tensordot(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    axes: int | tuple[Sequence[int], Sequence[int]] = 2,
) -> Array:
    """Sum of products over pairs of axes of two arrays.

    `axes` is a number n (the last n axes of `x` with the first n of `y`), or two
    sequences of axes.

    >>> weft.tensordot(weft.ones((2, 3)), weft.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    left, right = as_array(x, "tensordot"), as_array(y, "tensordot")
    if isinstance(axes, int):
        if not 0 <= axes <= min(left.ndim, right.ndim):
            raise ArgumentError(
                f"tensordot: {axes} axes cannot be contracted between shapes "
                f"{left.shape} and {right.shape}"
            )
        axes = tuple(range(left.ndim - axes, left.ndim)), tuple(range(axes))
    return dot_general(left, right, lhs_contract=axes[0], rhs_contract=axes[1])


@public
def vecdot(x: ArrayLike, y: ArrayLike, /, *, axis: int = -1) -> Array:
    """Sum of products of two arrays along one axis, the others broadcast.

    >>> weft.vecdot(weft.asarray([1.0, 2.0]), weft.asarray([3.0, 4.0]))
    Array(11., dtype=float32)
    """
    left, right = _promoted("vecdot", x, y)
    left = moveaxis(left, axis_index("vecdot", axis, left.ndim), -1)
    right = moveaxis(right, axis_index("vecdot", axis, right.ndim), -1)
    if left.shape[-1] != right.shape[-1]:
        raise ShapeError(
            f"vecdot: the contracted axes have {left.shape[-1]} and {right.shape[-1]} "
            "elements; they must be equal"
        )
    try:
        shape = np.broadcast_shapes(left.shape, right.shape)
    except ValueError:
        raise ShapeError(
            f"vecdot: the shapes {left.shape} and {right.shape} do not broadcast"
        ) from None
    batch, last = tuple(range(len(shape) - 1)), (len(shape) - 1,)
    return dot_general(
        broadcast_operand(left, shape), broadcast_operand(right, shape),
        lhs_batch=batch, rhs_batch=batch, lhs_contract=last, rhs_contract=last,
    )  # fmt: skip


@public
def outer(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Products of each element of a vector with each of another.

    >>> weft.outer(weft.asarray([1, 2]), weft.asarray([3, 4]))
    Array([[3, 4],
           [6, 8]], dtype=int64)
    """
    left, right = as_array(x, "outer"), as_array(y, "outer")
    if left.ndim != 1 or right.ndim != 1:
        raise ShapeError(
            f"outer takes two vectors; got shapes {left.shape} and {right.shape}"
        )
    return dot_general(left, right, lhs_contract=(), rhs_contract=())
