"""Running values along an axis: sums, products, extremes, linear recurrences."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..array import Array
from ..dtypes import BOOL, FLOAT, INT, DTypeLike, canonical, is_kind, promote, require
from ..errors import ArgumentError, public
from . import parts
from .create import full
from .registry import (
    F64,
    ArrayLike,
    Call,
    Reference,
    as_array,
    broadcast_all,
    by_int8,
    cast,
    op,
)
from .shape import axis_index, concatenate, reshape

__all__ = [
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "linear_recurrence",
]


class Running(Protocol):
    """The public function of a running value."""

    __name__: str

    def __call__(
        self, x: ArrayLike, /, axis: int | None = None, *, reverse: bool = False
    ) -> Array: ...


class RunningTotal(Protocol):
    """The public function of a running value that may widen its elements."""

    __name__: str

    def __call__(
        self,
        x: ArrayLike,
        /,
        axis: int | None = None,
        dtype: DTypeLike | None = None,
        *,
        reverse: bool = False,
    ) -> Array: ...


def _call(name: str, array: Array, axis: int | None, reverse: bool) -> Call:
    require(name, array.dtype, "real" if name in ("cummax", "cummin") else "numeric")
    if axis is None:
        array, axis = reshape(array, (-1,)), 0
    return Call((array,), _along(name, axis, array.ndim, reverse))


def _along(name: str, axis: int, ndim: int, reverse: bool) -> dict[str, Any]:
    along: dict[str, Any] = {"axis": axis_index(name, axis, ndim)}
    return along | {"reverse": True} if reverse else along


def _widened(array: Array, dtype: DTypeLike | None) -> Array:
    """An array in the dtype of its sums: small integers widen to 64 bits."""
    if dtype is not None:
        return cast(array, canonical(dtype))
    if array.dtype == BOOL or is_kind(array.dtype, "signed"):
        return cast(array, INT)
    return (
        cast(array, np.dtype("uint64")) if is_kind(array.dtype, "unsigned") else array
    )


def running(reference: Reference) -> Running:
    """Registers a running value of numbers."""
    name = reference.__name__

    def prepare(
        x: ArrayLike, /, axis: int | None = None, *, reverse: bool = False
    ) -> Call | Array:
        array = as_array(x, name)
        if array.dtype == BOOL:
            return by_int8(lambda x: function(x, axis, reverse=reverse), array)
        return _call(name, array, axis, reverse)

    function = op(prepare)(reference)
    return function


def running_total(reference: Reference) -> RunningTotal:
    """Registers a running value whose small integers widen to 64 bits."""
    name = reference.__name__

    def prepare(
        x: ArrayLike,
        /,
        axis: int | None = None,
        dtype: DTypeLike | None = None,
        *,
        reverse: bool = False,
    ) -> Call:
        return _call(name, _widened(as_array(x, name), dtype), axis, reverse)

    return op(prepare)(reference)


def _accumulate(ufunc: Any, x: np.ndarray, axis: int, reverse: bool) -> np.ndarray:
    if not reverse:
        return ufunc.accumulate(x, axis=axis, dtype=x.dtype)
    return np.flip(_accumulate(ufunc, np.flip(x, axis), axis, False), axis)


@running_total
def cumsum(x: np.ndarray, *, axis: int, reverse: bool = False) -> np.ndarray:
    """Running sum along an axis, or of all elements in row-major order.

    `reverse` runs from the last element to the first. Of float16 and bfloat16 the sum
    is kept in float32, and each result rounded.

    >>> weft.cumsum(weft.asarray([1, 2, 3]))
    Array([1, 3, 6], dtype=int64)
    """
    return _accumulate(np.add, x, axis, reverse)


@running_total
def cumprod(x: np.ndarray, *, axis: int, reverse: bool = False) -> np.ndarray:
    """Running product along an axis, or of all elements in row-major order.

    Of float16 and bfloat16 it is kept in float32, and each result rounded.

    >>> weft.cumprod(weft.asarray([1, 2, 3]))
    Array([1, 2, 6], dtype=int64)
    """
    if x.dtype.kind == "c":
        rows = np.flip(x, axis) if reverse else x
        products = parts.accumulate_products(rows, axis)
        return np.flip(products, axis) if reverse else products
    return _accumulate(np.multiply, x, axis, reverse)


@running
def cummax(x: np.ndarray, *, axis: int, reverse: bool = False) -> np.ndarray:
    """Running maximum along an axis, or of all elements in row-major order.

    >>> weft.cummax(weft.asarray([1, 3, 2]))
    Array([1, 3, 3], dtype=int64)
    """
    return _accumulate(np.maximum, x, axis, reverse)


@running
def cummin(x: np.ndarray, *, axis: int, reverse: bool = False) -> np.ndarray:
    """Running minimum along an axis, or of all elements in row-major order.

    >>> weft.cummin(weft.asarray([3, 1, 2]))
    Array([3, 1, 1], dtype=int64)
    """
    return _accumulate(np.minimum, x, axis, reverse)


def _cumlogsumexp(
    x: ArrayLike, /, axis: int | None = None, *, reverse: bool = False
) -> Call:
    array = as_array(x, "cumlogsumexp")
    if is_kind(array.dtype, "integer or bool"):
        array = cast(array, FLOAT)
    require("cumlogsumexp", array.dtype, "float")
    return _call("cumlogsumexp", array, axis, reverse)


@op(_cumlogsumexp)
def cumlogsumexp(x: np.ndarray, *, axis: int, reverse: bool = False) -> np.ndarray:
    """Running `log(sum(exp(x)))` along an axis, or of all elements in row-major order.

    Nothing overflows on the way. Where all elements so far are minus infinity, so is
    the result, and its derivative is 0; with infinity it is infinity, and NaN stays.

    >>> weft.cumlogsumexp(weft.asarray([1000.0, 1000.0]))
    Array([1000.    , 1000.6932], dtype=float32)
    """
    return _accumulate(np.logaddexp, x.astype(F64), axis, reverse).astype(x.dtype)


def _linear_recurrence(
    a: ArrayLike, b: ArrayLike, /, axis: int = 0, *, reverse: bool = False
) -> Call:
    name = "linear_recurrence"
    x, y = as_array(a, name), as_array(b, name)
    dtype = promote((x.dtype, y.dtype), ())
    require(name, dtype, "numeric")
    arrays = broadcast_all(name, cast(x, dtype), cast(y, dtype))
    return Call(arrays, _along(name, axis, arrays[0].ndim, reverse))


@op(_linear_recurrence)
def linear_recurrence(
    a: np.ndarray, b: np.ndarray, *, axis: int, reverse: bool = False
) -> np.ndarray:
    """`y[i] = a[i] * y[i-1] + b[i]` along an axis, from `y[0] = b[0]`.

    `reverse` runs from the last element to the first. Of float16 and bfloat16 `y` is
    kept in float32, and each result rounded.

    >>> weft.linear_recurrence(weft.asarray([0, 2, 2]), weft.asarray([1, 1, 1]))
    Array([1, 3, 7], dtype=int64)
    """
    times = parts.multiply if a.dtype.kind == "c" else np.multiply
    y, rows_a, rows_b = (np.moveaxis(x, axis, 0) for x in (np.empty_like(b), a, b))
    order = range(len(y))[::-1] if reverse else range(len(y))
    before: np.ndarray | None = None
    for i in order:
        y[i] = rows_b[i] if before is None else times(rows_a[i], before) + rows_b[i]
        before = y[i]
    return np.moveaxis(y, 0, axis)


# ---- composed of the above ----


@public
def cumulative_sum(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Array:
    """Running sum along an axis, which an array of one dimension need not name.

    `include_initial` begins it with 0.

    >>> weft.cumulative_sum(weft.asarray([1, 2, 3]), include_initial=True)
    Array([0, 1, 3, 6], dtype=int64)
    """
    array = as_array(x, "cumulative_sum")
    along = _required_axis("cumulative_sum", array, axis)
    return _with_initial(cumsum(array, along, dtype), along, 0, include_initial)


@public
def cumulative_prod(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Array:
    """Running product along an axis, which an array of one dimension need not name.

    `include_initial` begins it with 1.

    >>> weft.cumulative_prod(weft.asarray([1, 2, 3]), include_initial=True)
    Array([1, 1, 2, 6], dtype=int64)
    """
    array = as_array(x, "cumulative_prod")
    along = _required_axis("cumulative_prod", array, axis)
    return _with_initial(cumprod(array, along, dtype), along, 1, include_initial)


def _required_axis(name: str, x: Array, axis: int | None) -> int:
    if axis is None and x.ndim != 1:
        raise ArgumentError(
            f"{name}: name the axis of an array of {x.ndim} dimensions (shape "
            f"{x.shape})"
        )
    return axis_index(name, axis or 0, x.ndim)


def _with_initial(x: Array, axis: int, value: int, include: bool) -> Array:
    if not include:
        return x
    shape = tuple(1 if i == axis else size for i, size in enumerate(x.shape))
    return concatenate([full(shape, value, dtype=x.dtype), x], axis=axis)
