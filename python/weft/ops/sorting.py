"""Sorting along an axis: stable, NaN last."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np

from .registry import ArrayLike, Call, as_array, op
from .shape import axis_index, reshape

__all__ = ["argsort", "sort"]


def _prepare(name: str, x: ArrayLike, axis: int | None, descending: bool) -> Call:
    array = as_array(x, name)
    if axis is None:
        array, axis = reshape(array, (-1,)), 0
    along = {"axis": axis_index(name, axis, array.ndim)}
    return Call((array,), along | {"descending": True} if descending else along)


def _sort(
    x: ArrayLike,
    /,
    *,
    axis: int | None = -1,
    descending: bool = False,
    stable: bool = True,
) -> Call:
    return _prepare("sort", x, axis, descending)


@op(_sort)
def sort(x: np.ndarray, *, axis: int, descending: bool = False) -> np.ndarray:
    """The elements along an axis in ascending order, NaN last.

    `descending` is the opposite order, NaN first. `axis=None` sorts all elements.
    Equal elements stay in their order in either case, whatever `stable` says.

    >>> weft.sort(weft.asarray([3, 1, 2]))
    Array([1, 2, 3], dtype=int64)
    """
    order = _order(x, axis, descending)
    return np.take_along_axis(x, order, axis)


def _argsort(
    x: ArrayLike,
    /,
    *,
    axis: int | None = -1,
    descending: bool = False,
    stable: bool = True,
) -> Call:
    return _prepare("argsort", x, axis, descending)


@op(_argsort)
def argsort(x: np.ndarray, *, axis: int, descending: bool = False) -> np.ndarray:
    """The indices that sort an array along an axis (see `weft.sort`).

    >>> weft.argsort(weft.asarray([3, 1, 2]))
    Array([1, 2, 0], dtype=int64)
    """
    return _order(x, axis, descending)


def _order(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    if not descending:
        return np.argsort(x, axis, kind="stable").astype(np.int64)
    # Backwards twice, so that equal elements keep their order.
    order = _order(np.flip(x, axis), axis, descending=False)
    return x.shape[axis] - 1 - np.flip(order, axis)
