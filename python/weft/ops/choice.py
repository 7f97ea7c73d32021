"""Elementwise choice between arrays, and conversion of their elements."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np

from .. import tracer
from ..array import Array
from ..dtypes import (
    BOOL,
    FLOAT,
    DTypeLike,
    canonical,
    check_conversion,
    default_precision,
    is_kind,
    is_narrow,
    require,
    rounded,
    spell,
)
from ..errors import DTypeError, public
from ..specs import ShapeDtypeStruct
from .arithmetic import maximum, minimum
from .registry import (
    F64,
    ArrayLike,
    Call,
    as_array,
    broadcast_all,
    cast,
    common_dtype,
    op,
    truth,
)

__all__ = [
    "astype",
    "bitcast",
    "clamp",
    "clip",
    "convert",
    "positive",
    "select",
    "stop_gradient",
]


# ---- choice and conversion ----


def _select(condition: ArrayLike, x: ArrayLike, y: ArrayLike, /) -> Call:
    dtype, weak = common_dtype("select", x, y)
    chosen = truth(condition), cast(x, dtype), cast(y, dtype)
    return Call(broadcast_all("select", *chosen), weak=weak)


@op(_select)
def select(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x` where the condition holds, else `y`.

    >>> weft.select(weft.asarray([True, False]), 1.0, weft.asarray([5.0, 6.0]))
    Array([1., 6.], dtype=float32)
    """
    return np.where(condition, x, y)


def _clamp(x: ArrayLike, low: ArrayLike, high: ArrayLike, /) -> Call:
    dtype, _ = common_dtype("clamp", x, low, high)
    require("clamp", dtype, "real")
    return Call(broadcast_all("clamp", *(cast(v, dtype) for v in (x, low, high))))


@op(_clamp)
def clamp(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Elementwise `minimum(maximum(x, low), high)`.

    >>> weft.clamp(weft.asarray([-1.0, 0.5, 7.0]), 0.0, 1.0)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return np.minimum(np.maximum(x, low), high)


def _convert(x: ArrayLike, /, dtype: DTypeLike) -> Call:
    array = as_array(x, "convert")
    check_conversion(array.dtype, canonical(dtype))
    return Call((array,), result=ShapeDtypeStruct(array.shape, dtype))


@op(_convert)
def convert(x: np.ndarray, *, result: ShapeDtypeStruct) -> np.ndarray:
    """Elementwise conversion to another dtype.

    A float becomes the integer towards zero, saturated at the integer's range, and
    NaN becomes zero; to bool is whether an element differs from zero; integers wrap.
    A number becomes the nearest float, ties to even, whatever it was; one that is too
    large becomes infinite, and NaN in float8_e4m3fn.
    Complex numbers do not become real: raises `DTypeError`.

    >>> weft.convert(weft.asarray([1.7, -300.0, weft.nan]), weft.int8)
    Array([   1, -128,    0], dtype=int8)
    """
    if is_narrow(x.dtype):
        x = x.astype(FLOAT)
    if not is_kind(x.dtype, "float") or not is_kind(result.dtype, "integer"):
        return (x != 0) if result.dtype == BOOL else rounded(x, result.dtype)
    info = np.iinfo(result.dtype)
    # The float just past the largest integer is a power of two, so it is exact.
    past = np.asarray(2.0**info.bits if info.min == 0 else 2.0 ** (info.bits - 1), F64)
    whole = np.trunc(x.astype(F64))
    inside = np.where((whole >= info.min) & (whole < past), whole, 0)
    low = np.where(whole < info.min, info.min, inside.astype(result.dtype))
    return np.where(whole >= past, info.max, low).astype(result.dtype)


def _bitcast(x: ArrayLike, /, dtype: DTypeLike) -> Call:
    array, target = as_array(x, "bitcast"), canonical(dtype)
    for given in (array.dtype, target):
        require("bitcast", given, "ordered")
    same_bool = (array.dtype == BOOL) == (target == BOOL)
    if array.dtype.itemsize != target.itemsize or not same_bool:
        raise DTypeError(
            f"bitcast: {spell(array.dtype, array.shape)} to {target} changes the width "
            "of an element; choose a dtype as wide as the array's"
        )
    return Call((array,), result=ShapeDtypeStruct(array.shape, target))


@op(_bitcast)
def bitcast(x: np.ndarray, *, result: ShapeDtypeStruct) -> np.ndarray:
    """The bits of each element read as another dtype of the same width.

    >>> weft.bitcast(weft.asarray([1.0]), weft.int32)
    Array([1065353216], dtype=int32)
    """
    return np.ascontiguousarray(x).view(result.dtype).reshape(x.shape)


def _stop_gradient(x: ArrayLike, /) -> Call:
    return Call((as_array(x, "stop_gradient"),))


@op(_stop_gradient)
def stop_gradient(x: np.ndarray) -> np.ndarray:
    """`x` itself, which derivatives take for a constant.

    >>> weft.grad(lambda x: x * weft.stop_gradient(x))(3.0)
    Array(3., dtype=float32)
    """
    return x


# ---- composed of the above ----


@public
def clip(
    x: ArrayLike, /, min: ArrayLike | None = None, max: ArrayLike | None = None
) -> Array:
    """Elementwise `x` held between `min` and `max`; `None` leaves a side open.

    The result has the dtype of `x`, unless that is of integers and a bound is not: then
    the dtype that they promote to.

    >>> weft.clip(weft.asarray([-1.0, 0.5, 7.0]), 0.0, 1.0)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    array = as_array(x, "clip")
    given = [v for v in (x, min, max) if v is not None]
    dtype, is_weak = common_dtype("clip", *given)
    if is_weak:
        array, dtype = tracer.as_strong(array), default_precision(dtype)
    if is_kind(array.dtype, "float") or is_kind(dtype, "integer or bool"):
        dtype = array.dtype
    array = cast(array, dtype)
    low = None if min is None else cast(min, dtype)
    high = None if max is None else cast(max, dtype)
    if low is not None and high is not None:
        return clamp(array, low, high)
    if low is not None:
        return maximum(array, low)
    return array if high is None else minimum(array, high)


@public
def positive(x: ArrayLike, /) -> Array:
    """`x` itself.

    >>> weft.positive(weft.asarray([1, -2]))
    Array([ 1, -2], dtype=int64)
    """
    array = as_array(x, "positive")
    require("positive", array.dtype, "numeric")
    return array


@public
def astype(x: ArrayLike, dtype: DTypeLike, /, *, copy: bool = True) -> Array:
    """An array converted to a dtype, by the rules of `weft.convert`.

    `copy` is accepted for the array API's sake: arrays are immutable.

    >>> weft.astype(weft.asarray([1.7, -2.2]), weft.int32)
    Array([ 1, -2], dtype=int32)
    """
    return tracer.as_strong(cast(as_array(x, "astype"), canonical(dtype)))
