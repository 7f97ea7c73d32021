"""Ops and functions that make arrays from nothing but shapes and numbers."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import array as buffers
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dlpack, tracer
from ..array import Array
from ..devices import CPU, from_gpu, is_on_gpu
from ..dtypes import (
    BOOL,
    COMPLEX,
    FLOAT,
    FLOAT64,
    INT,
    MLIR_NAMES,
    DTypeLike,
    canonical,
    check_conversion,
    default_for,
    default_precision,
    is_kind,
    is_narrow,
    require,
    rounded,
    scalar_array,
)
from ..errors import ArgumentError, ShapeError, UnsupportedTypeError, public
from ..specs import MOST_DIMENSIONS, ShapeDtypeStruct
from .arithmetic import add, floor, multiply, pow, subtract
from .choice import astype, select
from .logic import equal
from .registry import (
    ArrayLike,
    Call,
    Scalar,
    as_array,
    broadcast_operand,
    cast,
    common_dtype,
    common_shape,
    is_scalar,
    op,
)
from .shape import axis_index, broadcast, shape_tuple

__all__ = [
    "arange",
    "array",
    "asarray",
    "constant",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "iota",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def _constant(value: ArrayLike, /) -> Call | Array:
    array = as_array(value, "constant")
    if type(array) is not Array:
        return array
    spec = ShapeDtypeStruct(array.shape, array.dtype)
    return Call((), {"value": array.data}, spec)


@op(_constant)
def constant(*, value: np.ndarray, result: ShapeDtypeStruct) -> np.ndarray:
    """An array known when the program is traced, written into it.

    >>> weft.constant(2.5)
    Array(2.5, dtype=float32)
    """
    return np.ascontiguousarray(value).reshape(value.shape)


def _iota(
    shape: int | Sequence[int], dimension: int, dtype: DTypeLike = np.int64
) -> Call:
    spec = ShapeDtypeStruct(shape_tuple(shape), dtype)
    require("iota", spec.dtype, "numeric")
    dimension = axis_index("iota", dimension, spec.ndim)
    return Call((), {"dimension": dimension}, spec)


@op(_iota)
def iota(*, dimension: int, result: ShapeDtypeStruct) -> np.ndarray:
    """An array whose elements count from zero along one dimension.

    >>> weft.iota((2, 3), 1)
    Array([[0, 1, 2],
           [0, 1, 2]], dtype=int64)
    """
    counts = rounded(np.arange(result.shape[dimension]), result.dtype)
    column = [1] * result.ndim
    column[dimension] = -1
    return np.broadcast_to(counts.reshape(column), result.shape)


# ---- composed of the above ----


@public
def asarray(obj: Any, /, dtype: DTypeLike | None = None, *, copy: bool | None = None,
            device: str | None = None) -> Array:  # fmt: skip
    """An array of a NumPy array (without a copy), a scalar or nested lists of them.

    Python floats become float32 and ints int64 unless `dtype` says otherwise; the
    elements of NumPy arrays, and of other objects that NumPy or DLPack can read, keep
    their dtype. `copy=True` makes the array independent of later writes to `obj`.

    >>> weft.asarray([[1, 2], [3, 4]], dtype=weft.float32)
    Array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    target = None if dtype is None else canonical(dtype)
    array = _from_object(obj, target)
    if copy and type(array) is Array:
        array = Array(array._data.copy())  # NumPy's, or a device's
    array = array if target is None else astype(array, target)
    return placed(array, device)


@public
def array(obj: Any, /, dtype: DTypeLike | None = None, *, copy: bool = True,
          device: str | None = None) -> Array:  # fmt: skip
    """`asarray`, of which the array is independent of later writes to `obj`.

    >>> weft.array([1, 2], dtype=weft.float32)
    Array([1., 2.], dtype=float32)
    """
    return asarray(obj, dtype, copy=copy, device=device)


def _from_object(obj: Any, dtype: np.dtype[Any] | None = None) -> Array:
    """An array of anything; Python floats are rounded to `dtype` where it is one.

    Python ints are never wrapped: those that it cannot hold are an error.
    """
    if dtype is not None and (
        (type(obj) is float and is_kind(dtype, "float"))
        or (type(obj) is int and is_kind(dtype, "integer"))
    ):
        return Array(scalar_array(obj, dtype))
    if isinstance(obj, (Array, np.ndarray, np.generic, bool, int, float, complex)):
        return as_array(obj, "asarray")
    if isinstance(obj, (list, tuple)):
        return _from_sequence(obj, dtype)
    if is_on_gpu(obj):
        return from_gpu(obj)
    if isinstance(obj, (memoryview, bytearray, buffers.array)):
        return as_array(np.asarray(obj))
    for protocol in ("__array__", "__dlpack__"):
        if hasattr(obj, protocol):
            return as_array(
                np.asarray(obj) if protocol == "__array__" else dlpack.take(obj)
            )
    return as_array(obj, "asarray")


def _leaves(obj: Any, depth: int = 0) -> list[Any]:
    if not isinstance(obj, (list, tuple)):
        return [obj]
    if depth == MOST_DIMENSIONS:
        raise ShapeError(
            f"asarray: lists lie within each other in more than {MOST_DIMENSIONS} "
            "levels, or one contains itself"
        )
    return [leaf for item in obj for leaf in _leaves(item, depth + 1)]


def _are_ints(leaves: list[Any]) -> bool:
    """Whether they are Python's ints, some of which may be bools."""
    return all(isinstance(x, int) for x in leaves) and any(
        type(x) is int for x in leaves
    )


def _from_sequence(
    obj: list[Any] | tuple[Any, ...], dtype: np.dtype[Any] | None
) -> Array:
    leaves = _leaves(obj)
    if any(isinstance(leaf, Array) for leaf in leaves):
        from .joining import stack

        stacked = stack([_from_object(item, dtype) for item in obj])
        if all(is_scalar(leaf) or getattr(leaf, "weak", False) for leaf in leaves):
            return astype(stacked, default_precision(stacked.dtype))
        return stacked
    whole = None
    if _are_ints(leaves):
        # What is beyond int64 may still be a float.
        fits = dtype is None or is_kind(dtype, "integer")
        whole = (dtype or INT) if fits else FLOAT64
        for leaf in (min(leaves), max(leaves)):
            scalar_array(leaf, whole)
    try:
        values = np.asarray(obj, whole)
    except ValueError:
        raise ShapeError(
            "asarray: the nested lists are ragged; make all lists of one level equally "
            "long"
        ) from None
    if values.dtype not in MLIR_NAMES:
        kind = next((type(v) for v in leaves if not np.isscalar(v)), values.dtype)
        raise UnsupportedTypeError(
            f"asarray does not take lists of {getattr(kind, '__name__', kind)}; it "
            "takes nested lists of numbers and arrays"
        )
    if all(isinstance(leaf, (bool, int, float, complex)) for leaf in leaves):
        default = FLOAT if not leaves else whole or default_for(values.flat[0].item())
        if default == FLOAT and dtype is not None and is_kind(dtype, "float"):
            default = dtype
        values = rounded(values, default)
    return as_array(values)


def placed(array: Array, device: str | None) -> Array:
    """An array that was made, on the device that was asked for.

    Within a trace it is made where the program runs, which `Array.to` checks.
    """
    trace = tracer.current_trace()
    if device is None:
        return array
    if trace is None or isinstance(array, tracer.Tracer):
        return array.to(device)
    return trace.lift(array).to(device)


@public
def from_dlpack(
    x: Any, /, *, device: str | None = None, copy: bool | None = None
) -> Array:
    """An array over the memory of another library's array, through DLPack.

    That of a GPU is an array there, or on the `device` that is asked for.

    >>> weft.from_dlpack(np.arange(3))
    Array([0, 1, 2], dtype=int64)
    """
    if not hasattr(x, "__dlpack__"):
        raise UnsupportedTypeError(
            f"from_dlpack needs an object with __dlpack__, not {type(x).__name__!r}"
        )
    taken = from_gpu(x) if is_on_gpu(x) else as_array(dlpack.take(x), "from_dlpack")
    return asarray(taken, copy=copy, device=device)


@public
def full(
    shape: int | Sequence[int],
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
) -> Array:
    """An array with every element equal to `fill_value`.

    >>> weft.full((2, 2), 7)
    Array([[7, 7],
           [7, 7]], dtype=int64)
    """
    if dtype is not None:
        value = cast(fill_value, canonical(dtype))
    else:
        value = as_array(fill_value, "full")
    sizes = shape_tuple(shape)
    if type(value) is Array and value.ndim == 0 and value.device == CPU:
        made = constant(Array(np.broadcast_to(value.data, sizes)))
    else:
        axes = tuple(range(len(sizes) - value.ndim, len(sizes)))
        made = broadcast(value, sizes, axes)
    return placed(made, device)


@public
def zeros(shape: int | Sequence[int], dtype: DTypeLike = np.float32, *,
          device: str | None = None) -> Array:  # fmt: skip
    """An array of zeros, float32 by default.

    >>> weft.zeros((2, 2))
    Array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    return full(shape, 0, dtype=dtype, device=device)


@public
def ones(shape: int | Sequence[int], dtype: DTypeLike = np.float32, *,
         device: str | None = None) -> Array:  # fmt: skip
    """An array of ones, float32 by default.

    >>> weft.ones(3)
    Array([1., 1., 1.], dtype=float32)
    """
    return full(shape, 1, dtype=dtype, device=device)


@public
def empty(shape: int | Sequence[int], dtype: DTypeLike = np.float32, *,
          device: str | None = None) -> Array:  # fmt: skip
    """An array of zeros: arrays are immutable, so none is left undefined.

    >>> weft.empty(2)
    Array([0., 0.], dtype=float32)
    """
    return full(shape, 0, dtype=dtype, device=device)


@public
def full_like(
    x: ArrayLike,
    /,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
) -> Array:
    """An array with the shape and dtype of `x`, and its device, filled with one value.

    >>> weft.full_like(weft.asarray([1.0, 2.0]), 7)
    Array([7., 7.], dtype=float32)
    """
    array = as_array(x, "full_like")
    where = array.device if device is None else device
    return full(array.shape, fill_value, dtype=dtype or array.dtype, device=where)


@public
def zeros_like(x: ArrayLike, /, dtype: DTypeLike | None = None, *,
               device: str | None = None) -> Array:  # fmt: skip
    """Zeros with the shape and dtype of `x`.

    >>> weft.zeros_like(weft.asarray([1.0, 2.0]))
    Array([0., 0.], dtype=float32)
    """
    return full_like(x, 0, dtype=dtype, device=device)


@public
def ones_like(x: ArrayLike, /, dtype: DTypeLike | None = None, *,
              device: str | None = None) -> Array:  # fmt: skip
    """Ones with the shape and dtype of `x`.

    >>> weft.ones_like(weft.asarray([1.0, 2.0]))
    Array([1., 1.], dtype=float32)
    """
    return full_like(x, 1, dtype=dtype, device=device)


@public
def empty_like(x: ArrayLike, /, dtype: DTypeLike | None = None, *,
               device: str | None = None) -> Array:  # fmt: skip
    """Zeros with the shape and dtype of `x` (see `weft.empty`).

    >>> weft.empty_like(weft.asarray([1.0, 2.0]))
    Array([0., 0.], dtype=float32)
    """
    return full_like(x, 0, dtype=dtype, device=device)


@public
def arange(
    start: Scalar,
    /,
    stop: Scalar | None = None,
    step: Scalar = 1,
    dtype: DTypeLike | None = None,
    *,
    device: str | None = None,
) -> Array:
    """The numbers from `start` up to but without `stop`, `step` apart.

    >>> weft.arange(2, 11, 3)
    Array([2, 5, 8], dtype=int64)
    """
    first, last = (0, start) if stop is None else (start, stop)
    for number in (first, last, step):
        if isinstance(number, Array):
            raise UnsupportedTypeError(
                "arange takes Python numbers: the length of the result is part of the "
                "program. Use iota, or pass the number as a static argument of jit"
            )
        if isinstance(number, complex):
            raise UnsupportedTypeError(
                f"arange takes real numbers, not {number}: complex ones have no order"
            )
    assert not isinstance(last, complex)
    assert not isinstance(first, complex)
    assert not isinstance(step, complex)
    if step == 0:
        raise ArgumentError("arange: step is zero; it must not be")
    length = (last - first) / step
    if not math.isfinite(length):
        raise ArgumentError(
            f"arange: from {first} to {last} by {step} there is no number of elements"
        )
    (count,) = shape_tuple(max(0, math.ceil(length)), "arange")
    target = canonical(dtype) if dtype is not None else default_for(first + step + last)
    counts = iota((count,), 0, target if target != BOOL else np.int64)
    if step != 1:
        counts = multiply(counts, Array(scalar_array(step, counts.dtype)))
    if first != 0:
        counts = add(counts, Array(scalar_array(first, counts.dtype)))
    return placed(astype(counts, target), device)


@public
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    endpoint: bool = True,
    device: str | None = None,
) -> Array:
    """`num` evenly spaced numbers from `start` to `stop`, along a first axis.

    They have the floating dtype of the ends, float32 between integers, unless `dtype`
    says otherwise; those of an integer `dtype` are rounded down. Of arrays each element
    has numbers of its own.

    >>> weft.linspace(0.0, 1.0, 5)
    Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    >>> weft.linspace(weft.asarray([0.0, 1.0]), 4.0, 3)
    Array([[0. , 1. ],
           [2. , 2.5],
           [4. , 4. ]], dtype=float32)
    """
    if num < 0:
        raise ArgumentError(f"linspace: num is {num}; it must not be negative")
    shape_tuple(num, "linspace")
    target = _dtype_between("linspace", start, stop, dtype)
    if not isinstance(start, Array) and not isinstance(stop, Array):
        ends = np.asarray(start), np.asarray(stop)
        values = np.linspace(*ends, num, endpoint=endpoint)
        check_conversion(values.dtype, target)
        if is_kind(target, "integer"):
            values = np.floor(values)
        return placed(constant(Array(rounded(values, target))), device)
    if is_kind(target, "integer"):
        values = floor(_between(start, stop, num, FLOAT64, endpoint))
    else:
        wide = FLOAT if is_narrow(target) else target
        values = _between(start, stop, num, wide, endpoint)
    return placed(astype(values, target), device)


def _dtype_between(
    name: str, start: ArrayLike, stop: ArrayLike, dtype: DTypeLike | None
) -> np.dtype[Any]:
    """That of numbers between two, unless it is given."""
    if dtype is not None:
        return canonical(dtype)
    given, is_weak = common_dtype(name, start, stop)
    if is_kind(given, "complex"):
        return COMPLEX if is_weak else given
    return FLOAT if is_weak or not is_kind(given, "float") else given


def _between(
    start: ArrayLike, stop: ArrayLike, num: int, dtype: np.dtype[Any], endpoint: bool
) -> Array:
    first, last = cast(start, dtype), cast(stop, dtype)
    shape = (num, *common_shape("linspace", first, last))
    gaps = max(num - 1 if endpoint else num, 1)
    counts = iota(shape, 0, FLOAT64 if dtype.itemsize > 4 else FLOAT)
    part = multiply(counts, 1.0 / gaps)
    values = add(
        multiply(first, astype(subtract(1.0, part), dtype)),
        multiply(last, astype(part, dtype)),
    )
    if not endpoint or num < 2:
        return values
    is_last = equal(counts, gaps)
    return select(is_last, broadcast_operand(last, shape), values)


@public
def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: DTypeLike | None = None,
) -> Array:
    """`base` to the power of `num` evenly spaced numbers from `start` to `stop`.

    >>> weft.logspace(0.0, 2.0, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    target = _dtype_between("logspace", start, stop, dtype)
    is_complex = is_kind(target, "complex")
    powers = linspace(
        start,
        stop,
        num,
        endpoint=endpoint,
        dtype=np.complex128 if is_complex else FLOAT64,
    )
    return astype(pow(base, powers), target)


@public
def geomspace(
    start: float,
    stop: float,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
) -> Array:
    """`num` numbers from `start` to `stop`, of which each two have one quotient.

    They are Python numbers, of one sign and not zero.

    >>> weft.geomspace(1.0, 100.0, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    for end in (start, stop):
        if isinstance(end, (Array, np.ndarray)) or not np.isscalar(end):
            raise UnsupportedTypeError(
                f"geomspace takes two Python numbers, not {type(end).__name__!r}; "
                "exp(linspace(log(start), log(stop), num)) takes arrays"
            )
    if not start * stop > 0:
        raise ArgumentError(
            f"geomspace: from {start} to {stop}; both must be above zero, or below it"
        )
    values = np.geomspace(float(start), float(stop), num, endpoint=endpoint)
    return constant(Array(values.astype(FLOAT if dtype is None else canonical(dtype))))


@public
def identity(
    n: int, /, dtype: DTypeLike = np.float32, *, device: str | None = None
) -> Array:
    """The identity matrix of `n` rows.

    >>> weft.identity(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype, device=device)


@public
def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike = np.float32,
    device: str | None = None,
) -> Array:
    """Ones on the `k`-th diagonal of a matrix, zeros elsewhere.

    >>> weft.eye(2, 3)
    Array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    shape = (n_rows, n_rows if n_cols is None else n_cols)
    return placed(astype(add(iota(shape, 0), k) == iota(shape, 1), dtype), device)
