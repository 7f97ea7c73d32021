"""Functions that turn, shift and repeat elements along axes."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..array import Array
from ..dtypes import INT, spell
from ..errors import ArgumentError, ShapeError, public
from ..specs import check_shape
from .create import iota
from .cumulative import cumsum
from .entries import known
from .registry import ArrayLike, as_array
from .searching import searchsorted
from .shape import (
    axis_index,
    axis_tuple,
    broadcast,
    broadcast_to,
    concatenate,
    integer,
    reshape,
    reverse,
    shape_tuple,
    transpose,
)
from .slices import dynamic_slice, indices_of
from .taking import take

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "flip",
    "fliplr",
    "flipud",
    "ravel",
    "repeat",
    "resize",
    "roll",
    "rollaxis",
    "rot90",
    "swapaxes",
    "tile",
]

# ---- axes ----


@public
def swapaxes(x: ArrayLike, axis1: int, axis2: int, /) -> Array:
    """`x` with two axes in each other's place.

    >>> weft.swapaxes(weft.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    array = as_array(x, "swapaxes")
    first = axis_index("swapaxes", axis1, array.ndim)
    second = axis_index("swapaxes", axis2, array.ndim)
    order = list(range(array.ndim))
    order[first], order[second] = second, first
    return transpose(array, order)


@public
def rollaxis(x: ArrayLike, axis: int, start: int = 0, /) -> Array:
    """`x` with an axis moved before the one at `start`, the others in their order.

    >>> weft.rollaxis(weft.ones((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    array = as_array(x, "rollaxis")
    source = axis_index("rollaxis", axis, array.ndim)
    place = integer("rollaxis", "start", start)
    if not -array.ndim <= place <= array.ndim:
        raise ShapeError(f"rollaxis: start {place} is not one of {array.ndim} axes")
    place += array.ndim if place < 0 else 0
    order = [i for i in range(array.ndim) if i != source]
    order.insert(place - (source < place), source)
    return transpose(array, order)


@public
def ravel(x: ArrayLike, /) -> Array:
    """All elements, in row-major order, in one dimension.

    >>> weft.ravel(weft.asarray([[1, 2], [3, 4]]))
    Array([1, 2, 3, 4], dtype=int64)
    """
    return reshape(as_array(x, "ravel"), (-1,))


def _at_least(name: str, arrays: Sequence[ArrayLike], reshaped: Any) -> Any:
    found = [reshaped(as_array(x, name)) for x in arrays]
    return found[0] if len(found) == 1 else found


@public
def atleast_1d(*arrays: ArrayLike) -> Any:
    """Arrays, those of no dimension with one of size 1; a list if there are several.

    >>> weft.atleast_1d(3)
    Array([3], dtype=int64)
    """
    return _at_least("atleast_1d", arrays, lambda x: reshape(x, x.shape or (1,)))


@public
def atleast_2d(*arrays: ArrayLike) -> Any:
    """Arrays, with axes of size 1 before theirs so that they have two at least.

    >>> weft.atleast_2d(weft.arange(3)).shape
    (1, 3)
    """

    def reshaped(x: Array) -> Array:
        return reshape(x, (*(1,) * (2 - x.ndim), *x.shape))

    return _at_least("atleast_2d", arrays, reshaped)


@public
def atleast_3d(*arrays: ArrayLike) -> Any:
    """Arrays, with axes of size 1 around theirs so that they have three at least.

    One axis becomes the second of three, two the first ones.

    >>> weft.atleast_3d(weft.arange(3)).shape
    (1, 3, 1)
    """

    def reshaped(x: Array) -> Array:
        around = {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}
        return reshape(x, around.get(x.ndim, x.shape))

    return _at_least("atleast_3d", arrays, reshaped)


# ---- turned and shifted ----


@public
def flip(x: ArrayLike, /, axis: int | Sequence[int] | None = None) -> Array:
    """The elements in reverse order along `axis`, or along all axes.

    >>> weft.flip(weft.arange(3))
    Array([2, 1, 0], dtype=int64)
    """
    array = as_array(x, "flip")
    return reverse(array, axis_tuple("flip", axis, array.ndim))


def _with_axes(name: str, x: ArrayLike, count: int) -> Array:
    array = as_array(x, name)
    if array.ndim < count:
        raise ShapeError(
            f"{name} needs {count} dimension{'s' * (count > 1)} at least; "
            f"{spell(array.dtype, array.shape)} has {array.ndim}"
        )
    return array


@public
def fliplr(x: ArrayLike, /) -> Array:
    """The elements in reverse order along the second axis.

    >>> weft.fliplr(weft.asarray([[1, 2], [3, 4]]))
    Array([[2, 1],
           [4, 3]], dtype=int64)
    """
    return reverse(_with_axes("fliplr", x, 2), (1,))


@public
def flipud(x: ArrayLike, /) -> Array:
    """The elements in reverse order along the first axis.

    >>> weft.flipud(weft.asarray([[1, 2], [3, 4]]))
    Array([[3, 4],
           [1, 2]], dtype=int64)
    """
    return reverse(_with_axes("flipud", x, 1), (0,))


@public
def rot90(x: ArrayLike, /, k: int = 1, axes: Sequence[int] = (0, 1)) -> Array:
    """`x` turned `k` times by a right angle, from the first of two axes to the second.

    >>> weft.rot90(weft.asarray([[1, 2], [3, 4]]))
    Array([[2, 4],
           [1, 3]], dtype=int64)
    """
    array = _with_axes("rot90", x, 2)
    turns = integer("rot90", "k", k) % 4
    if len(axes) != 2:
        raise ArgumentError(f"rot90: axes {tuple(axes)} are not two axes")
    first, second = (axis_index("rot90", axis, array.ndim) for axis in axes)
    if first == second:
        raise ArgumentError(f"rot90: axes {tuple(axes)} are the same one")
    if turns == 2:
        return reverse(array, (first, second))
    if turns == 1:
        return swapaxes(reverse(array, (second,)), first, second)
    return reverse(swapaxes(array, first, second), (second,)) if turns else array


@public
def roll(
    x: ArrayLike,
    /,
    shift: ArrayLike | Sequence[ArrayLike],
    axis: int | Sequence[int] | None = None,
) -> Array:
    """The elements shifted along axes, those beyond the end coming back at the front.

    Without an axis, all elements are shifted in row-major order. Several shifts, or
    axes, are done one after the other. A shift may be traced.

    >>> weft.roll(weft.arange(4), 1)
    Array([3, 0, 1, 2], dtype=int64)
    """
    array = as_array(x, "roll")
    if axis is None:
        return reshape(roll(reshape(array, (-1,)), shift, 0), array.shape)
    axes = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    shifts = _shifts(shift)
    if len(axes) != len(shifts) and 1 not in (len(axes), len(shifts)):
        raise ArgumentError(
            f"roll: {len(shifts)} shifts for {len(axes)} axes; give one for each axis"
        )
    count = builtins.max(len(axes), len(shifts)) if axes and shifts else 0
    for i in range(count):
        along = axis_index("roll", axes[i % len(axes)], array.ndim)
        array = _rolled(array, shifts[i % len(shifts)], along)
    return array


def _shifts(shift: Any) -> list[Any]:
    if isinstance(shift, (Array, np.ndarray)) and shift.ndim:
        return [shift[i] for i in range(shift.shape[0])]
    return list(shift) if isinstance(shift, (tuple, list)) else [shift]


def _rolled(x: Array, shift: Any, axis: int) -> Array:
    size = x.shape[axis]
    if not size:
        return x
    amount = indices_of("roll", shift)
    if amount.ndim:
        raise ShapeError(f"roll: a shift is a number, not of shape {amount.shape}")
    values = known(amount)
    if values is None:
        starts: list[Any] = [0] * x.ndim
        starts[axis] = -amount % size
        return dynamic_slice(concatenate([x, x], axis=axis), starts, x.shape)
    cut = -int(values) % size
    lead = (builtins.slice(None),) * axis
    back, front = (
        x[(*lead, builtins.slice(cut, None))],
        x[(*lead, builtins.slice(0, cut))],
    )
    return concatenate([back, front], axis=axis) if cut else x


# ---- repeated ----


@public
def tile(x: ArrayLike, repetitions: int | Sequence[int], /) -> Array:
    """`x` laid out repeatedly along each axis.

    >>> weft.tile(weft.arange(2), (2, 2))
    Array([[0, 1, 0, 1],
           [0, 1, 0, 1]], dtype=int64)
    """
    array, counts = as_array(x, "tile"), shape_tuple(repetitions, "tile")
    ndim = builtins.max(array.ndim, len(counts))
    counts = (1,) * (ndim - len(counts)) + counts
    shape = (1,) * (ndim - array.ndim) + array.shape
    whole = tuple(c * n for c, n in zip(counts, shape, strict=True))
    check_shape("tile", whole)
    pairs = tuple(size for pair in zip(counts, shape, strict=True) for size in pair)
    places = tuple(2 * i + 1 for i in range(ndim))
    return reshape(broadcast(reshape(array, shape), pairs, places), whole)


@public
def repeat(
    x: ArrayLike,
    repeats: ArrayLike,
    /,
    axis: int | None = None,
    *,
    total_repeat_length: int | None = None,
) -> Array:
    """Each element repeated, along an axis or along the flattened array.

    `repeats` is one number, or one for each element. Where it is traced,
    `total_repeat_length` says how many elements there are in all: those beyond it are
    left out, and the last element fills up what is missing.

    >>> weft.repeat(weft.arange(2), 2)
    Array([0, 0, 1, 1], dtype=int64)
    >>> weft.repeat(weft.arange(3), weft.asarray([2, 0, 1]))
    Array([0, 0, 2], dtype=int64)
    """
    array, counts = as_array(x, "repeat"), indices_of("repeat", repeats)
    if axis is None:
        array, axis = reshape(array, (-1,)), 0
    along = axis_index("repeat", axis, array.ndim)
    size, values = array.shape[along], known(counts)
    if counts.ndim > 1 or counts.size not in (1, size):
        raise ShapeError(
            f"repeat: repeats of shape {counts.shape} for {size} elements; give one "
            "number, or one for each"
        )
    if values is not None and (values < 0).any():
        raise ArgumentError(f"repeat: {values.min()} repeats; there are none below 0")
    if values is not None and values.size == 1 and total_repeat_length is None:
        return _repeated(array, int(values.item()), along)
    if values is not None:
        order: Array = _order(np.broadcast_to(values, (size,)), total_repeat_length)
    elif total_repeat_length is None:
        raise ArgumentError(
            "repeat: the sum of traced repeats is not known; say what it is: "
            "total_repeat_length=n"
        )
    else:
        ends = cumsum(broadcast_to(counts, (size,)))
        order = searchsorted(ends, iota((total_repeat_length,), 0), side="right")
    return take(array, order, along, mode="clip")


def _order(counts: np.ndarray, length: int | None) -> Array:
    """The place from which each of repeated elements comes."""
    order = np.repeat(np.arange(len(counts)), counts)
    if length is None:
        return Array(order)
    places = np.full(length, len(counts) - 1)
    places[: len(order)] = order[:length]
    return Array(places.astype(INT))


def _repeated(x: Array, count: int, axis: int) -> Array:
    shape = list(x.shape)
    shape.insert(axis + 1, count)
    places = [i if i <= axis else i + 1 for i in range(x.ndim)]
    spread = broadcast(x, shape_tuple(shape, "repeat"), places)
    shape[axis : axis + 2] = [shape[axis] * count]
    return reshape(spread, shape)


@public
def resize(x: ArrayLike, new_shape: int | Sequence[int], /) -> Array:
    """The elements in row-major order, again from the first, as often as a shape needs.

    >>> weft.resize(weft.arange(3), (2, 2))
    Array([[0, 1],
           [2, 0]], dtype=int64)
    """
    flat, shape = ravel(x), shape_tuple(new_shape, "resize")
    count = int(np.prod(shape, dtype=np.int64))
    if not flat.size or not count:
        return broadcast(Array(np.zeros((), flat.dtype)), shape, ())
    copies = tile(flat, (-(-count // flat.size),))
    return reshape(copies[:count], shape)
