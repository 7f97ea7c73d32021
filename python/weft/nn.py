"""Functions of neural networks, composed of the array namespace."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np

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
from .ops.registry import ArrayLike, as_array, broadcast_all, cast, common_dtype
from .ops.shape import axis_index, axis_tuple
from .ops.special import ndtr

# ---- activations ----


@public
def relu(x: ArrayLike, /) -> Array:
    """Elementwise `max(x, 0)`; its derivative at 0 is 0.

    >>> weft.nn.relu(weft.asarray([-1.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    array = as_array(x, "relu")
    return ops.select(ops.less_equal(array, 0), ops.zeros_like(array), array)


@public
def relu6(x: ArrayLike, /) -> Array:
    """Elementwise `min(max(x, 0), 6)`; its derivative at 0 and 6 is 0.

    >>> weft.nn.relu6(weft.asarray([-1.0, 2.0, 7.0]))
    Array([0., 2., 6.], dtype=float32)
    """
    array = relu(x)
    six = ops.full_like(array, 6)
    return ops.select(ops.greater_equal(array, 6), six, array)


@public
def leaky_relu(x: ArrayLike, /, negative_slope: ArrayLike = 0.01) -> Array:
    """Elementwise `x` where it is not negative, else `negative_slope * x`.

    >>> weft.nn.leaky_relu(weft.asarray([-1.0, 2.0]))
    Array([-0.01,  2.  ], dtype=float32)
    """
    array = _floats("leaky_relu", x)
    return ops.select(ops.greater_equal(array, 0), array, array * negative_slope)


@public
def elu(x: ArrayLike, /, alpha: ArrayLike = 1.0) -> Array:
    """Elementwise `x` where it is positive, else `alpha * expm1(x)`.

    >>> weft.nn.elu(weft.asarray([-1.0, 2.0]))
    Array([-0.63212055,  2.        ], dtype=float32)
    """
    array = _floats("elu", x)
    positive = ops.greater(array, 0)
    # Where it is not chosen, expm1 must not overflow: its derivative is met there.
    below = ops.expm1(ops.select(positive, ops.zeros_like(array), array))
    return ops.select(positive, array, below * alpha)


@public
def celu(x: ArrayLike, /, alpha: ArrayLike = 1.0) -> Array:
    """Elementwise `x` where it is positive, else `alpha * expm1(x / alpha)`.

    >>> weft.nn.celu(weft.asarray([-1.0, 2.0]), 2.0)
    Array([-0.78693867,  2.        ], dtype=float32)
    """
    array = _floats("celu", x)
    positive = ops.greater(array, 0)
    below = ops.select(positive, ops.zeros_like(array), array)
    return ops.select(positive, array, ops.expm1(below / alpha) * alpha)


@public
def selu(x: ArrayLike, /) -> Array:
    """Elementwise scaled exponential linear unit (Klambauer et al., 2017).

    >>> weft.nn.selu(weft.asarray([-1.0, 2.0]))
    Array([-1.1113307,  2.101402 ], dtype=float32)
    """
    return elu(x, 1.6732632423543772848170429916717) * 1.0507009873554804934193349852946


@public
def sigmoid(x: ArrayLike, /) -> Array:
    """Elementwise `1 / (1 + exp(-x))`.

    >>> weft.nn.sigmoid(weft.asarray([0.0, 2.0]))
    Array([0.5      , 0.8807971], dtype=float32)
    """
    return ops.logistic(x)


@public
def log_sigmoid(x: ArrayLike, /) -> Array:
    """Elementwise `log(sigmoid(x))`, without overflow on the way.

    >>> weft.nn.log_sigmoid(weft.asarray([0.0, -100.0]))
    Array([  -0.6931472, -100.       ], dtype=float32)
    """
    return -softplus(-_floats("log_sigmoid", x))


@public
def softplus(x: ArrayLike, /) -> Array:
    """Elementwise `log(1 + exp(x))`, without overflow on the way.

    >>> weft.nn.softplus(weft.asarray([0.0, 100.0]))
    Array([  0.6931472, 100.       ], dtype=float32)
    """
    return ops.logaddexp(x, 0.0)


@public
def squareplus(x: ArrayLike, /, b: ArrayLike = 4) -> Array:
    """Elementwise `(x + sqrt(x**2 + b)) / 2`.

    >>> weft.nn.squareplus(weft.asarray([0.0, 3.0]))
    Array([1.       , 3.3027756], dtype=float32)
    """
    array = _floats("squareplus", x)
    is_negative = ops.less(array, 0)
    # Not abs, which has no slope at 0, where this has one.
    size = ops.select(is_negative, -array, array)
    total = size + ops.sqrt(ops.square(array) + b)
    # Below zero, what is nearly equal would be subtracted.
    return ops.select(is_negative, b / total, total) * 0.5


@public
def soft_sign(x: ArrayLike, /) -> Array:
    """Elementwise `x / (1 + abs(x))`.

    >>> weft.nn.soft_sign(weft.asarray([0.0, 1.0]))
    Array([0. , 0.5], dtype=float32)
    """
    array = _floats("soft_sign", x)
    return array / (ops.abs(array) + 1)


@public
def silu(x: ArrayLike, /) -> Array:
    """Elementwise `x * sigmoid(x)`.

    >>> weft.nn.silu(weft.asarray([0.0, 2.0]))
    Array([0.       , 1.7615942], dtype=float32)
    """
    array = _floats("silu", x)
    return array * ops.logistic(array)


swish = silu


@public
def mish(x: ArrayLike, /) -> Array:
    """Elementwise `x * tanh(softplus(x))`.

    >>> weft.nn.mish(weft.asarray([0.0, 1.0]))
    Array([0.        , 0.86509836], dtype=float32)
    """
    array = _floats("mish", x)
    return array * ops.tanh(softplus(array))


@public
def gelu(x: ArrayLike, /, approximate: bool = True) -> Array:
    """Elementwise `x` times the probability that a normal number is below `x`.

    By default as JAX has it: the approximation by tanh of Hendrycks and Gimpel.

    >>> weft.nn.gelu(weft.asarray([0.0, 1.0]), approximate=False)
    Array([0.       , 0.8413448], dtype=float32)
    """
    array = _floats("gelu", x)
    if not approximate:
        return array * ndtr(array)
    inner = (array + ops.pow(array, 3) * 0.044715) * math.sqrt(2 / math.pi)
    # (1 + tanh(u)) / 2 without the difference of what is nearly equal.
    return array * ops.logistic(inner * 2)


@public
def hard_tanh(x: ArrayLike, /) -> Array:
    """Elementwise `x` held between -1 and 1; its derivative there is 0.

    >>> weft.nn.hard_tanh(weft.asarray([-2.0, 0.5]))
    Array([-1. ,  0.5], dtype=float32)
    """
    array = as_array(x, "hard_tanh")
    inside = ops.less(ops.abs(array), 1)
    ends = ops.stop_gradient(ops.clip(array, -1, 1))
    return ops.select(inside, array, ends)


@public
def hard_sigmoid(x: ArrayLike, /) -> Array:
    """Elementwise `relu6(x + 3) / 6`.

    >>> weft.nn.hard_sigmoid(weft.asarray([-4.0, 0.0]))
    Array([0. , 0.5], dtype=float32)
    """
    return relu6(_floats("hard_sigmoid", x) + 3) / 6


@public
def hard_silu(x: ArrayLike, /) -> Array:
    """Elementwise `x * hard_sigmoid(x)`.

    >>> weft.nn.hard_silu(weft.asarray([-4.0, 1.0]))
    Array([-0.        ,  0.6666667], dtype=float32)
    """
    array = _floats("hard_silu", x)
    return array * hard_sigmoid(array)


hard_swish = hard_silu


@public
def glu(x: ArrayLike, /, axis: int = -1) -> Array:
    """One half of an array along an axis, times the sigmoid of the other.

    >>> weft.nn.glu(weft.asarray([2.0, 0.0]))
    Array([1.], dtype=float32)
    """
    array = _floats("glu", x)
    index = axis_index("glu", axis, array.ndim)
    size = array.shape[index]
    if size % 2:
        raise ShapeError(f"glu: axis {axis} of shape {array.shape} has an odd size")
    lead = (slice(None),) * index
    value, gate = (
        array[(*lead, slice(size // 2))],
        array[(*lead, slice(size // 2, None))],
    )
    return value * ops.logistic(gate)


# ---- normalizations ----


@public
def standardize(
    x: ArrayLike, /, axis: Axis = -1, mean: ArrayLike | None = None,
    variance: ArrayLike | None = None, epsilon: ArrayLike = 1e-5,
    where: ArrayLike | None = None,
) -> Array:  # fmt: skip
    """`(x - mean) / sqrt(variance + epsilon)`, both of them along axes.

    Of the elements for which `where` holds, if it is given.

    >>> weft.nn.standardize(weft.asarray([1.0, 3.0]), epsilon=0.0)
    Array([-1.,  1.], dtype=float32)
    """
    array = _floats("standardize", x)
    if mean is None:
        mean = _mean_where(array, axis, where)
    if variance is None:
        # Of the centred array, so that large means cost no digits.
        variance = _mean_where(ops.square(array - mean), axis, where)
    return (array - mean) * ops.rsqrt(ops.add(variance, epsilon))


normalize = standardize


def _mean_where(x: Array, axis: Axis, where: ArrayLike | None) -> Array:
    if where is None:
        return ops.mean(x, axis=axis, keepdims=True)
    mask, x = broadcast_all("standardize", ops.astype(where, "bool"), x)
    kept = ops.select(mask, x, ops.zeros_like(x))
    count = ops.sum(ops.astype(mask, x.dtype), axis=axis, keepdims=True)
    return ops.sum(kept, axis=axis, keepdims=True) / count


# ---- sums of exponentials ----


@overload
def logsumexp(
    x: ArrayLike, /, axis: Axis = None, b: ArrayLike | None = None,
    keepdims: bool = False, return_sign: Literal[False] = False,
    where: ArrayLike | None = None,
) -> Array: ...  # fmt: skip
@overload
def logsumexp(
    x: ArrayLike, /, axis: Axis = None, b: ArrayLike | None = None,
    keepdims: bool = False, *, return_sign: Literal[True],
    where: ArrayLike | None = None,
) -> tuple[Array, Array]: ...  # fmt: skip
@public
def logsumexp(
    x: ArrayLike, /, axis: Axis = None, b: ArrayLike | None = None,
    keepdims: bool = False, return_sign: bool = False,
    where: ArrayLike | None = None,
) -> Array | tuple[Array, Array]:  # fmt: skip
    """`log(sum(b * exp(x)))` over axes, all by default, without overflow on the way.

    With `return_sign` the logarithm of the sum's absolute value and its sign; without,
    a negative sum gives NaN. Only elements for which `where` holds are summed; over
    none the result is minus infinity. Infinities are summed as NumPy's exp and log
    would.

    >>> weft.nn.logsumexp(weft.asarray([1000.0, 1000.0]))
    Array(1000.6932, dtype=float32)
    """
    array, weights = _weighted(x, b, where)
    axes = axis_tuple("logsumexp", axis, array.ndim)
    peak = _finite_peak(array, axes)
    terms = ops.exp(array - peak)
    # An element that is left out has no part in the derivative either.
    total = ops.sum(terms if weights is None else terms * weights, axis=axes,
                    keepdims=True)  # fmt: skip
    sign = ops.sign(total)
    result = ops.log(ops.abs(total) if return_sign else total) + peak
    if not keepdims:
        result, sign = ops.squeeze(result, axes), ops.squeeze(sign, axes)
    return (result, sign) if return_sign else result


def _weighted(
    x: ArrayLike, b: ArrayLike | None, where: ArrayLike | None
) -> tuple[Array, Array | None]:
    """Floats, minus infinity where they are not summed, and what they weigh."""
    if b is None:
        array, weights = _floats("logsumexp", x), None
    else:
        dtype, _ = common_dtype("logsumexp", x, b)
        if not is_kind(dtype, "float"):
            dtype = np.dtype("float32")
        both = (cast(x, dtype, "logsumexp"), cast(b, dtype, "logsumexp"))
        array, weights = broadcast_all("logsumexp", *both)
        where = ops.logical_and(ops.not_equal(weights, 0),
                                True if where is None else where)  # fmt: skip
    if where is not None:
        mask, array = broadcast_all("logsumexp", ops.astype(where, "bool"), array)
        array = ops.select(mask, array, ops.full_like(array, -math.inf))
        if weights is not None:
            weights = broadcast_all("logsumexp", weights, array)[0]
    return array, weights


def _finite_peak(x: Array, axes: tuple[int, ...]) -> Array:
    """The largest element along axes; zero where that is infinite or there is none."""
    if not all(x.shape[axis] for axis in axes):
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        return ops.zeros(tuple(shape), dtype=x.dtype)
    peak = ops.stop_gradient(ops.max(x, axis=axes, keepdims=True))
    return ops.select(ops.isfinite(peak), peak, ops.zeros_like(peak))


@public
def softmax(x: ArrayLike, /, axis: Axis = -1, where: ArrayLike | None = None) -> Array:
    """`exp(x)` divided by its sum over axes.

    Elements for which `where` does not hold get 0.

    >>> weft.nn.softmax(weft.asarray([0.0, 0.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    array, _ = _weighted(x, None, where)
    weights = ops.exp(_below_peak(array, axis))
    return weights / ops.sum(weights, axis=axis, keepdims=True)


@public
def log_softmax(
    x: ArrayLike, /, axis: Axis = -1, where: ArrayLike | None = None
) -> Array:
    """Logarithm of `softmax(x)`, without overflow on the way.

    Elements for which `where` does not hold get minus infinity.

    >>> weft.nn.log_softmax(weft.asarray([1.0, 1.0]))
    Array([-0.6931472, -0.6931472], dtype=float32)
    """
    array, _ = _weighted(x, None, where)
    shifted = _below_peak(array, axis)
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis=axis, keepdims=True))


def _below_peak(x: Array, axis: Axis) -> Array:
    """The distance to the largest element along axes, of which nothing is taken."""
    axes = axis_tuple("softmax", axis, x.ndim)
    if not all(x.shape[a] for a in axes):
        return x
    return x - ops.stop_gradient(ops.max(x, axis=axes, keepdims=True))


@public
def logmeanexp(
    x: ArrayLike, /, axis: Axis = None, where: ArrayLike | None = None,
    keepdims: bool = False,
) -> Array:  # fmt: skip
    """`log(mean(exp(x)))` over axes, all by default, without overflow on the way.

    >>> weft.nn.logmeanexp(weft.asarray([1000.0, 1000.0]))
    Array(1000., dtype=float32)
    """
    array = _floats("logmeanexp", x)
    total = logsumexp(array, axis, keepdims=keepdims, where=where)
    ones = ops.zeros_like(array)
    return total - logsumexp(ones, axis, keepdims=keepdims, where=where)


# ---- indicators ----


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
