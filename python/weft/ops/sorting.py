"""Sorting along an axis: stable, NaN last, by one key or by several."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from ..array import Array
from ..dtypes import BOOL, is_kind, spell
from ..errors import ArgumentError, ShapeError, public
from .create import iota
from .reduce import max as largest
from .registry import ArrayLike, Call, as_array, broadcast_all, cast, op
from .shape import axis_index, expand_dims, integer, moveaxis, pad, reshape
from .taking import take_along_axis

__all__ = ["argpartition", "argsort", "lexsort", "partition", "sort", "top_k"]


def _along(keys: Sequence[Array], axis: int, descending: bool) -> Call:
    along: dict[str, Any] = {"axis": axis}
    return Call(tuple(keys), along | {"descending": True} if descending else along)


def _sort(x: Array, axis: int, descending: bool, /) -> Call:
    return _along([x], axis, descending)


@op(_sort)
def sort_(x: np.ndarray, *, axis: int, descending: bool = False) -> np.ndarray:
    """The elements along an axis in order."""
    return np.take_along_axis(x, _order((x,), axis, descending), axis)


def _argsort(keys: Sequence[Array], axis: int, descending: bool, /) -> Call:
    return _along(keys, axis, descending)


@op(_argsort)
def argsort_(*keys: np.ndarray, axis: int, descending: bool = False) -> np.ndarray:
    """The indices that put elements in order, by the first key, then the next."""
    return _order(keys, axis, descending)


def _order(
    keys: Sequence[np.ndarray], axis: int, descending: bool = False
) -> np.ndarray:
    if not descending:
        if len(keys) == 1:
            return np.argsort(keys[0], axis, kind="stable").astype(np.int64)
        return np.lexsort(keys[::-1], axis).astype(np.int64)
    # Backwards twice, so that equal elements keep their order.
    order = _order([np.flip(key, axis) for key in keys], axis)
    return keys[0].shape[axis] - 1 - np.flip(order, axis)


# ---- what users call ----


def _flat(
    name: str, arrays: Sequence[ArrayLike], axis: int | None
) -> tuple[list[Array], int]:
    """Operands of one shape, and which of their axes is meant."""
    operands = [as_array(x, name) for x in arrays]
    if len({x.shape for x in operands}) > 1:
        spelled = ", ".join(spell(x.dtype, x.shape) for x in operands)
        raise ShapeError(f"{name}: {spelled} are not of one shape")
    if axis is None:
        return [reshape(x, (-1,)) for x in operands], 0
    return operands, axis_index(name, axis, operands[0].ndim)


@overload
def sort(
    x: tuple[ArrayLike, ...],
    /,
    axis: int | None = -1,
    *,
    descending: bool = False,
    stable: bool = True,
    num_keys: int = 1,
) -> tuple[Array, ...]: ...
@overload
def sort(
    x: ArrayLike,
    /,
    axis: int | None = -1,
    *,
    descending: bool = False,
    stable: bool = True,
) -> Array: ...
@public
def sort(
    x: Any,
    /,
    axis: int | None = -1,
    *,
    descending: bool = False,
    stable: bool = True,
    num_keys: int = 1,
) -> Any:
    """The elements along an axis in ascending order, NaN last.

    `descending` is the opposite order, NaN first. `axis=None` sorts all elements.
    Equal elements stay in their order in either case, whatever `stable` says. The
    derivative of a sorted element is that of the element it was. Complex numbers are
    ordered as NumPy does: by their real parts, then by their imaginary parts, and those
    with a NaN in one of them last.

    A tuple of arrays of one shape is sorted together, to a tuple: by the first of them,
    where its elements are equal by the second one, and so on up to `num_keys`.

    >>> weft.sort(weft.asarray([3, 1, 2]))
    Array([1, 2, 3], dtype=int64)
    >>> weft.sort((weft.asarray([3, 1, 2]), weft.asarray([0.5, 0.25, 0.0])))[1]
    Array([0.25, 0.  , 0.5 ], dtype=float32)
    """
    if not isinstance(x, tuple):
        operands, along = _flat("sort", [x], axis)
        return sort_(operands[0], along, descending)
    if not 1 <= num_keys <= len(x):
        raise ArgumentError(
            f"sort: num_keys is {num_keys}; it must be at least 1 and at most the "
            f"number of arrays, {len(x)}"
        )
    operands, along = _flat("sort", x, axis)
    order = argsort_(operands[:num_keys], along, descending)
    return tuple(_taken(each, order, along) for each in operands)


@public
def argsort(
    x: ArrayLike,
    /,
    axis: int | None = -1,
    *,
    descending: bool = False,
    stable: bool = True,
) -> Array:
    """The indices that sort an array along an axis (see `weft.sort`).

    >>> weft.argsort(weft.asarray([3, 1, 2]))
    Array([1, 2, 0], dtype=int64)
    """
    operands, along = _flat("argsort", [x], axis)
    return argsort_(operands, along, descending)


@public
def lexsort(keys: ArrayLike | Sequence[ArrayLike], /, axis: int | None = -1) -> Array:
    """The indices that sort by several keys: by the last one first (NumPy's order).

    `keys` are arrays that broadcast, or the rows of one array.

    >>> weft.lexsort((weft.asarray([2, 1, 0]), weft.asarray([1, 0, 1])))
    Array([1, 2, 0], dtype=int64)
    """
    if not isinstance(keys, (tuple, list)):
        array = as_array(keys, "lexsort")
        if not array.ndim:
            raise ShapeError("lexsort takes keys, or an array whose rows they are")
        keys = [array[i] for i in range(array.shape[0])]
    if not keys:
        raise ArgumentError("lexsort needs at least one key")
    arrays = broadcast_all("lexsort", *(as_array(key, "lexsort") for key in keys))
    if not arrays[0].ndim:
        return reshape(Array(np.asarray(0)), ())
    operands, along = _flat("lexsort", arrays, axis)
    return argsort_(operands[::-1], along, False)


@public
def top_k(x: ArrayLike, k: int, /, *, axis: int = -1) -> tuple[Array, Array]:
    """The `k` largest elements along an axis, largest first, and their indices.

    NaN counts as largest; of equal elements the first one comes first. The derivative
    of a value is that of the element it was.

    >>> weft.top_k(weft.asarray([3, 9, 5]), 2)
    (Array([9, 5], dtype=int64), Array([1, 2], dtype=int64))
    """
    array, count = as_array(x, "top_k"), integer("top_k", "k", k)
    along = axis_index("top_k", axis, array.ndim)
    if not 0 <= count <= array.shape[along]:
        raise ArgumentError(
            f"top_k: k is {count}, and there are {array.shape[along]} elements along "
            f"axis {axis} of {spell(array.dtype, array.shape)}"
        )
    best = moveaxis(_largest(moveaxis(array, along, -1), count), -1, along)
    return _taken(array, best, along), best


def _largest(x: Array, k: int) -> Array:
    """The indices of the `k` largest elements of each row, the largest first.

    Long rows are cut into blocks. Those elements are in the `k` blocks whose largest
    elements are largest, of equal ones the first: each other block has `k` elements
    before all of its own.
    """
    size, has_most = x.shape[-1], is_kind(x.dtype, "real") or x.dtype == BOOL
    if k * 16 > size or size < 128 or not (k and x.size and has_most):
        return argsort_([x], x.ndim - 1, True)[..., :k]
    rows, length = x.shape[:-1], 1 << (math.isqrt(size // k).bit_length() - 1)
    count = -(-size // length)
    padded = cast(x, np.dtype("uint8")) if x.dtype == BOOL else x
    widths = [*((0, 0) for _ in rows), (0, count * length - size)]
    blocks = reshape(pad(padded, widths, _least(padded)), (*rows, count, length))
    tops = _largest(largest(blocks, axis=-1), k)
    # In their order again, so that the first of equal elements comes first.
    chosen = sort_(tops, x.ndim - 1, False)
    places = expand_dims(chosen * length, -1) + iota((length,), 0)
    places = reshape(places, (*rows, k * length))
    candidates = _taken(reshape(blocks, (*rows, count * length)), places, x.ndim - 1)
    order = argsort_([candidates], x.ndim - 1, True)[..., :k]
    return _taken(places, order, x.ndim - 1)


def _least(x: Array) -> Array:
    """What stands behind all elements of a dtype when the largest come first."""
    if is_kind(x.dtype, "integer"):
        return Array(np.asarray(np.iinfo(x.dtype).min, x.dtype))
    return cast(-math.inf, x.dtype)


def _taken(x: Array, order: Array, axis: int) -> Array:
    return take_along_axis(x, order, axis, mode="promise_in_bounds")


@public
def partition(
    x: ArrayLike, kth: int | Sequence[int], /, axis: int | None = -1
) -> Array:
    """An array of which the `kth` element along an axis is where sorting puts it.

    Those before it are not greater and those behind it not less: all are sorted.

    >>> weft.partition(weft.asarray([3, 1, 2]), 1)
    Array([1, 2, 3], dtype=int64)
    """
    operands, along = _partitioned("partition", x, kth, axis)
    return sort_(operands[0], along, False)


@public
def argpartition(
    x: ArrayLike, kth: int | Sequence[int], /, axis: int | None = -1
) -> Array:
    """The indices that partition an array along an axis (see `weft.partition`).

    >>> weft.argpartition(weft.asarray([3, 1, 2]), 1)
    Array([1, 2, 0], dtype=int64)
    """
    operands, along = _partitioned("argpartition", x, kth, axis)
    return argsort_(operands, along, False)


def _partitioned(
    name: str, x: ArrayLike, kth: int | Sequence[int], axis: int | None
) -> tuple[list[Array], int]:
    operands, along = _flat(name, [x], axis)
    size = operands[0].shape[along]
    for k in kth if isinstance(kth, (tuple, list)) else (kth,):
        if not -size <= integer(name, "kth", k) < size:
            raise ArgumentError(f"{name}: kth is {k}; there are {size} elements")
    return operands, along
