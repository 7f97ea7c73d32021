"""Functions of neural networks, composed of the array namespace."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from . import ops
from .array import Array
from .dtypes import DTypeLike, canonical, is_kind, require
from .errors import DTypeError, ShapeError, public
from .images import avg_pool as avg_pool
from .images import conv as conv
from .images import max_pool as max_pool
from .images import min_pool as min_pool
from .interpolation import interpolate as interpolate
from .ops.reduce import Axis
from .ops.registry import ArrayLike, as_array
from .ops.shape import axis_index, axis_tuple


@public
def relu(x: ArrayLike, /) -> Array:
    """Elementwise `max(x, 0)`.

    >>> weft.nn.relu(weft.asarray([-1.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    return ops.maximum(x, 0)


@public
def logsumexp(x: ArrayLike, /, *, axis: Axis = -1, keepdims: bool = False) -> Array:
    """`log(sum(exp(x)))` over axes, without overflow on the way.

    >>> weft.nn.logsumexp(weft.asarray([1000.0, 1000.0]))
    Array(1000.6932, dtype=float32)
    """
    array = _floats("logsumexp", x)
    peak = _finite_peak(array, axis)
    total = ops.sum(ops.exp(array - peak), axis=axis, keepdims=True)
    result = ops.log(total) + peak
    return result if keepdims else ops.squeeze(result, _reduced(array, axis))


@public
def log_softmax(x: ArrayLike, /, *, axis: Axis = -1) -> Array:
    """Logarithm of `softmax(x)`, without overflow on the way.

    >>> weft.nn.log_softmax(weft.asarray([1.0, 1.0]))
    Array([-0.6931472, -0.6931472], dtype=float32)
    """
    array = _floats("log_softmax", x)
    shifted = array - ops.max(array, axis=axis, keepdims=True)
    total = ops.sum(ops.exp(shifted), axis=axis, keepdims=True)
    return shifted - ops.log(total)


@public
def softmax(x: ArrayLike, /, *, axis: Axis = -1) -> Array:
    """`exp(x)` divided by its sum over axes.

    >>> weft.nn.softmax(weft.asarray([0.0, 0.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    array = _floats("softmax", x)
    weights = ops.exp(array - ops.max(array, axis=axis, keepdims=True))
    return weights / ops.sum(weights, axis=axis, keepdims=True)


@public
def one_hot(
    x: ArrayLike, num_classes: int, /, *, dtype: DTypeLike = "float32", axis: int = -1
) -> Array:
    """Rows of zeros with a one at the position that each element names.

    The rows are a new axis, by default the last one. An element outside
    `range(num_classes)` gives a row of zeros.

    >>> weft.nn.one_hot(weft.asarray([2, 0]), 3)
    Array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    array = as_array(x, "one_hot")
    if not is_kind(array.dtype, "integer"):
        raise DTypeError(f"one_hot takes integers, not {array.dtype}")
    if num_classes < 0:
        raise ShapeError(f"one_hot: num_classes is {num_classes}, below zero")
    place = axis_index("one_hot", axis, array.ndim + 1)
    shape = (*array.shape[:place], num_classes, *array.shape[place:])
    # Counted in 64 bits: a narrow dtype may not reach the number of classes.
    classes = ops.iota(shape, place)
    named = ops.expand_dims(ops.astype(array, "int64"), place)
    return ops.astype(named == classes, canonical(dtype))


def _floats(name: str, x: ArrayLike) -> Array:
    array = as_array(x, name)
    if is_kind(array.dtype, "integer or bool"):
        return ops.astype(array, "float32")
    require(name, array.dtype, "float")
    return array


def _reduced(x: Array, axis: Axis) -> tuple[int, ...]:
    return axis_tuple("logsumexp", axis, x.ndim)


def _finite_peak(x: Array, axis: Axis) -> Array:
    """The largest element along axes; zero where that is infinite."""
    peak = ops.max(x, axis=axis, keepdims=True)
    return ops.select(ops.isfinite(peak), peak, ops.zeros_like(peak))
