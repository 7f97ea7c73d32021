"""Elements chosen by conditions and indices, and put at places of the flat array."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from ..array import Array
from ..errors import ArgumentError, ShapeError, public
from .arithmetic import maximum, minimum
from .arranging import ravel, resize
from .joining import stack
from .registry import ArrayLike, as_array, broadcast_all, cast, truth
from .searching import flatnonzero
from .shape import axis_index, moveaxis, promoted, reshape
from .slices import indices_of
from .taking import PutMode, check_mode, take, take_along_axis

__all__ = ["apply_along_axis", "choose", "compress", "extract", "put"]


@public
def compress(
    condition: ArrayLike | Sequence[bool],
    x: ArrayLike,
    /,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: ArrayLike = 0,
) -> Array:
    """The slices of `x` along an axis, or its elements in order, where bools hold.

    The condition has one dimension and may be shorter than the axis. A traced one needs
    `size`, the number of slices: the first ones, filled up with `fill_value`.

    >>> weft.compress([True, False, True], weft.asarray([5, 6, 7]))
    Array([5, 7], dtype=int64)
    """
    array = as_array(x, "compress")
    if axis is None:
        array, axis = ravel(array), 0
    along = axis_index("compress", axis, array.ndim)
    given = (
        np.asarray(condition, bool) if isinstance(condition, Sequence) else condition
    )
    holds = as_array(given, "compress")
    length = array.shape[along]
    if holds.ndim != 1 or holds.size > length:
        raise ShapeError(
            f"compress: a condition of shape {holds.shape} for {length} elements"
        )
    places = flatnonzero(holds, size=size, fill_value=length)
    return take(array, places, along, fill_value=fill_value)


@public
def extract(
    condition: ArrayLike,
    x: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike = 0,
) -> Array:
    """The elements of `x`, in order, where a condition of its shape holds.

    `size` and `fill_value` are those of `weft.compress`.

    >>> weft.extract(weft.asarray([True, False, True]), weft.asarray([5, 6, 7]))
    Array([5, 7], dtype=int64)
    """
    holds, array = truth(condition), as_array(x, "extract")
    if holds.size != array.size:
        raise ShapeError(
            f"extract: a condition of shape {holds.shape} for elements of shape "
            f"{array.shape}"
        )
    return compress(ravel(holds), array, size=size, fill_value=fill_value)


@public
def choose(
    index: ArrayLike,
    choices: Sequence[ArrayLike],
    /,
    mode: Literal["clip", "wrap"] = "clip",
) -> Array:
    """Elementwise one of several arrays, whose number an index says; all broadcast.

    An index beyond the last choice, or below the first, is made the nearest or, with
    `mode="wrap"`, taken modulo their number.

    >>> weft.choose(weft.asarray([1, 0]), [weft.asarray([5, 6]), 9])
    Array([9, 6], dtype=int64)
    """
    check_mode("choose", mode, ("clip", "wrap"))
    if not choices:
        raise ArgumentError("choose needs at least one choice")
    which = indices_of("choose", index)
    count = len(choices)
    which = which % count if mode == "wrap" else minimum(maximum(which, 0), count - 1)
    which, *arrays = broadcast_all("choose", which, *promoted("choose", choices))
    chosen = take_along_axis(stack(arrays), which[None], 0, mode="promise_in_bounds")
    return chosen[0]


@public
def put(
    x: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    /,
    mode: PutMode = "drop",
    *,
    inplace: bool = False,
) -> Array:
    """`x` with the elements at places of the flat array replaced.

    Values are taken in turn where they are fewer than indices; of several for one place
    the last stays. Negative indices count from the end; others beyond it are left out
    or, with `mode="clip"`, made to the nearest. `inplace` must be false.

    >>> weft.put(weft.zeros(3), weft.asarray([0, 2]), weft.asarray([5.0, 6.0]))
    Array([5., 0., 6.], dtype=float32)
    """
    if inplace:
        raise ArgumentError(
            "put: arrays are immutable, so inplace=True is not possible; use the array "
            "that it returns"
        )
    array, places = as_array(x, "put"), ravel(indices_of("put", indices))
    new = cast(values, array.dtype, "put")
    if not (places.size and new.size):
        return array
    filled = ravel(array).at[places].set(resize(new, places.size), mode=mode)
    return reshape(filled, array.shape)


@public
def apply_along_axis(
    function: Callable[..., Any], axis: int, x: ArrayLike, /, *args: Any, **kwargs: Any
) -> Array:
    """What a function makes of each row of `x` along an axis, in place of that axis.

    The function maps an array of one dimension to an array, or a number.

    >>> weft.apply_along_axis(weft.sum, 0, weft.asarray([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int64)
    """
    from ..transforms import vmap

    array = as_array(x, "apply_along_axis")
    along = axis_index("apply_along_axis", axis, array.ndim)
    rows = moveaxis(array, along, -1)

    def one(row: Array) -> Array:
        return as_array(function(row, *args, **kwargs), "apply_along_axis")

    mapped: Any = one
    for _ in range(array.ndim - 1):
        mapped = vmap(mapped)
    found = mapped(rows)
    own = tuple(range(array.ndim - 1, found.ndim))
    return moveaxis(found, own, tuple(along + i for i in range(len(own))))
