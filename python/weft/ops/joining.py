"""Arrays joined to larger ones, cut into parts, and changed in length."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..array import Array
from ..dtypes import INT, is_kind, spell
from ..errors import ArgumentError, IndexingError, ShapeError, public
from .arranging import atleast_1d, atleast_2d, atleast_3d, ravel
from .choice import select
from .create import asarray, iota
from .entries import known
from .logic import greater_equal, less
from .registry import ArrayLike, as_array, cast
from .shape import (
    axis_index,
    broadcast_to,
    concatenate,
    expand_dims,
    integer,
    moveaxis,
    promoted,
    reshape,
)
from .taking import take

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "delete",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "insert",
    "split",
    "stack",
    "trim_zeros",
    "unstack",
    "vsplit",
    "vstack",
]

# ---- joined ----


@public
def stack(arrays: Sequence[ArrayLike], /, axis: int = 0) -> Array:
    """Arrays of one shape joined along a new axis.

    >>> weft.stack([weft.arange(2), weft.arange(2)])
    Array([[0, 1],
           [0, 1]], dtype=int64)
    """
    parts = promoted("stack", _parts("stack", arrays))
    if len({part.shape for part in parts}) > 1:
        raise ShapeError(
            f"stack: {', '.join(spell(p.dtype, p.shape) for p in parts)} differ in "
            "shape; all shapes must be equal"
        )
    index = axis_index("stack", axis, parts[0].ndim + 1)
    return concatenate([expand_dims(part, axis=index) for part in parts], axis=index)


def _parts(name: str, arrays: Any) -> list[Any]:
    """Arrays to join: a sequence of them, or the rows of one."""
    if not isinstance(arrays, (Array, np.ndarray)):
        return list(arrays)
    if arrays.ndim:
        return [arrays[i] for i in range(arrays.shape[0])]
    raise ShapeError(
        f"{name} takes a sequence of arrays, or the rows of one; "
        f"{spell(arrays.dtype, arrays.shape)} has none. Write {name}([x])"
    )


@public
def hstack(arrays: Sequence[ArrayLike], /) -> Array:
    """Arrays one after the other along the second axis; of one dimension, the first.

    >>> weft.hstack([weft.arange(2), weft.arange(3)])
    Array([0, 1, 0, 1, 2], dtype=int64)
    """
    parts = [atleast_1d(part) for part in promoted("hstack", _parts("hstack", arrays))]
    return concatenate(parts, axis=0 if parts[0].ndim == 1 else 1)


@public
def vstack(arrays: Sequence[ArrayLike], /) -> Array:
    """Arrays one below the other along the first axis; rows of one dimension, too.

    >>> weft.vstack([weft.arange(2), weft.arange(2)])
    Array([[0, 1],
           [0, 1]], dtype=int64)
    """
    parts = promoted("vstack", _parts("vstack", arrays))
    return concatenate([atleast_2d(part) for part in parts], axis=0)


@public
def dstack(arrays: Sequence[ArrayLike], /) -> Array:
    """Arrays one behind the other along the third axis.

    >>> weft.dstack([weft.arange(2), weft.arange(2)])
    Array([[[0, 0],
            [1, 1]]], dtype=int64)
    """
    parts = promoted("dstack", _parts("dstack", arrays))
    return concatenate([atleast_3d(part) for part in parts], axis=2)


@public
def column_stack(arrays: Sequence[ArrayLike], /) -> Array:
    """Arrays beside each other along the second axis, those of one dimension columns.

    >>> weft.column_stack([weft.arange(2), weft.arange(2)])
    Array([[0, 0],
           [1, 1]], dtype=int64)
    """
    parts = promoted("column_stack", _parts("column_stack", arrays))
    columns = [part if part.ndim > 1 else reshape(part, (-1, 1)) for part in parts]
    return concatenate(columns, axis=1)


@public
def block(arrays: Any, /) -> Array:
    """An array of nested lists of blocks: the innermost lists join the last axis.

    >>> weft.block([[weft.ones((1, 1)), weft.zeros((1, 2))]])
    Array([[1., 0., 0.]], dtype=float32)
    """
    depth = _depth(arrays)
    ndim = builtins.max(depth, *(x.ndim for x in _leaves(arrays)))
    return _joined(arrays, ndim, depth)


def _depth(arrays: Any) -> int:
    if not isinstance(arrays, list):
        return 0
    depths = {_depth(item) for item in arrays}
    if len(depths) != 1:
        raise ShapeError("block: the lists are not nested equally deep, or are empty")
    return depths.pop() + 1


def _leaves(arrays: Any) -> list[Array]:
    if isinstance(arrays, list):
        return [leaf for item in arrays for leaf in _leaves(item)]
    return [as_array(arrays, "block")]


def _joined(arrays: Any, ndim: int, depth: int) -> Array:
    if not depth:
        array = as_array(arrays, "block")
        return reshape(array, (*(1,) * (ndim - array.ndim), *array.shape))
    return concatenate([_joined(a, ndim, depth - 1) for a in arrays], axis=ndim - depth)


@public
def append(x: ArrayLike, values: ArrayLike, /, axis: int | None = None) -> Array:
    """Values put behind those of `x` along an axis; without one both are flattened.

    >>> weft.append(weft.arange(2), weft.asarray([7]))
    Array([0, 1, 7], dtype=int64)
    """
    parts = promoted("append", [x, values])
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
    return concatenate(parts, axis=axis)


# ---- cut into parts ----


@public
def unstack(x: ArrayLike, /, *, axis: int = 0) -> tuple[Array, ...]:
    """The slices of `x` along an axis, which they no longer have.

    >>> weft.unstack(weft.asarray([[1, 2], [3, 4]]))[1]
    Array([3, 4], dtype=int64)
    """
    array = as_array(x, "unstack")
    index = axis_index("unstack", axis, array.ndim)
    lead = (builtins.slice(None),) * index
    return tuple(array[(*lead, i)] for i in range(array.shape[index]))


@public
def split(
    x: ArrayLike, indices_or_sections: int | Sequence[int], /, axis: int = 0
) -> list[Array]:
    """The parts of `x` along an axis: as many, of one size, or up to each of indices.

    >>> weft.split(weft.arange(5), [2, 3])[0]
    Array([0, 1], dtype=int64)
    """
    return _split("split", x, indices_or_sections, axis, even=True)


@public
def array_split(
    x: ArrayLike, indices_or_sections: int | Sequence[int], /, axis: int = 0
) -> list[Array]:
    """As `weft.split`, but the first parts may be larger by one than the last ones.

    >>> [part.size for part in weft.array_split(weft.arange(5), 2)]
    [3, 2]
    """
    return _split("array_split", x, indices_or_sections, axis, even=False)


def _split(name: str, x: ArrayLike, parts: Any, axis: int, even: bool) -> list[Array]:
    array = as_array(x, name)
    along = axis_index(name, axis, array.ndim)
    size = array.shape[along]
    if isinstance(parts, (tuple, list, np.ndarray, Array)) and np.ndim(parts):
        bounds = [integer(name, "an index", part) for part in parts]
    else:
        count = integer(name, "the number of parts", parts)
        if count < 1 or (even and size % count):
            raise ShapeError(
                f"{name}: axis {axis} of {spell(array.dtype, array.shape)} does not "
                f"make {count} equal parts"
            )
        sizes = [size // count + (i < size % count) for i in range(count)]
        bounds = np.cumsum(sizes)[:-1].tolist()
    lead = (builtins.slice(None),) * along
    ends = zip([0, *bounds], [*bounds, size], strict=True)
    return [array[(*lead, builtins.slice(start, end))] for start, end in ends]


def _split_axis(name: str, x: ArrayLike, parts: Any, axis: int) -> list[Array]:
    array = as_array(x, name)
    if array.ndim <= axis:
        raise ShapeError(f"{name} needs {axis + 1} dimensions, not shape {array.shape}")
    return _split(name, array, parts, axis, even=True)


@public
def hsplit(x: ArrayLike, indices_or_sections: int | Sequence[int], /) -> list[Array]:
    """The parts of `x` along the second axis; of one dimension, along the first.

    >>> weft.hsplit(weft.arange(4), 2)[1]
    Array([2, 3], dtype=int64)
    """
    array = as_array(x, "hsplit")
    return _split_axis("hsplit", array, indices_or_sections, int(array.ndim > 1))


@public
def vsplit(x: ArrayLike, indices_or_sections: int | Sequence[int], /) -> list[Array]:
    """The parts of `x` along the first of two axes or more.

    >>> weft.vsplit(weft.ones((2, 3)), 2)[1].shape
    (1, 3)
    """
    array = as_array(x, "vsplit")
    if array.ndim < 2:
        raise ShapeError(f"vsplit needs 2 dimensions, not shape {array.shape}")
    return _split_axis("vsplit", array, indices_or_sections, 0)


@public
def dsplit(x: ArrayLike, indices_or_sections: int | Sequence[int], /) -> list[Array]:
    """The parts of `x` along the third axis.

    >>> weft.dsplit(weft.ones((1, 1, 4)), 2)[1].shape
    (1, 1, 2)
    """
    return _split_axis("dsplit", x, indices_or_sections, 2)


# ---- changed in length ----


def _places(name: str, obj: Any, size: int) -> np.ndarray | Array:
    """Which elements along an axis are meant: known integers, or one traced."""
    if isinstance(obj, builtins.slice):
        return np.arange(size)[obj]
    array = asarray(obj) if isinstance(obj, (list, tuple)) else as_array(obj, name)
    if not array.size:
        array = Array(np.zeros(array.shape, INT))
    places = known(array)
    if places is None:
        if is_kind(array.dtype, "integer") and not array.ndim:
            return array
        raise IndexingError(
            f"{name}: which elements are meant decides the shape of the result, and "
            f"{spell(array.dtype, array.shape)} is traced; only one integer may be"
        )
    if is_kind(array.dtype, "bool"):
        if places.shape != (size,):
            raise IndexingError(
                f"{name}: a mask of shape {places.shape} for {size} elements"
            )
        return np.flatnonzero(places)
    return places


def _in_range(name: str, places: np.ndarray, size: int, last: int) -> np.ndarray:
    if places.size and not (places.min() >= -size and places.max() <= last):
        raise IndexingError(f"{name}: index {places} is out of range for size {size}")
    return np.where(places < 0, places + size, places)


@public
def delete(x: ArrayLike, obj: Any, /, axis: int | None = None) -> Array:
    """`x` without some elements along an axis, or of all elements in order.

    `obj` is an integer, which may be traced, a slice, integers, or a mask.

    >>> weft.delete(weft.arange(4), [0, 2])
    Array([1, 3], dtype=int64)
    """
    array = as_array(x, "delete")
    if axis is None:
        array, axis = ravel(array), 0
    along = axis_index("delete", axis, array.ndim)
    size = array.shape[along]
    places = _places("delete", obj, size)
    if isinstance(places, Array):
        place = select(less(places, 0), places + size, places)
        rest = iota((builtins.max(size - 1, 0),), 0)
        order: Any = rest + cast(greater_equal(rest, place), INT)
    else:
        gone = _in_range("delete", places, size, size - 1)
        order = np.delete(np.arange(size), gone)
    return take(array, order, along, mode="clip")


@public
def insert(
    x: ArrayLike, obj: Any, values: ArrayLike, /, axis: int | None = None
) -> Array:
    """`x` with values put before the elements at some indices along an axis.

    `obj` is an integer, before which all values come, a slice, integers or a mask, none
    of them traced. The values become of the dtype of `x`.

    >>> weft.insert(weft.arange(3), 1, 9)
    Array([0, 9, 1, 2], dtype=int64)
    """
    array = as_array(x, "insert")
    new = cast(values, array.dtype, "insert")
    if axis is None:
        array, axis = ravel(array), 0
    along = axis_index("insert", axis, array.ndim)
    size = array.shape[along]
    places = _places("insert", obj, size)
    if isinstance(places, Array):
        raise IndexingError("insert: the index is traced; it must be known")
    places = _in_range("insert", places, size, size)
    new = reshape(new, (*(1,) * (array.ndim - new.ndim), *new.shape))
    if not places.ndim:
        new = moveaxis(new, 0, along)
    count = new.shape[along] if places.size == 1 else places.size
    shape = (*array.shape[:along], count, *array.shape[along + 1 :])
    joined = concatenate([array, broadcast_to(new, shape)], axis=along)
    where = places if places.size != 1 else int(places.item())
    order = np.insert(np.arange(size), where, size + np.arange(count))
    return take(joined, order, along, mode="promise_in_bounds")


@public
def trim_zeros(x: ArrayLike, /, trim: str = "fb") -> Array:
    """An array of one dimension without the zeros at its front ("f") and back ("b").

    How many there are must be known: not under `jit`.

    >>> weft.trim_zeros(weft.asarray([0, 1, 0, 2, 0]))
    Array([1, 0, 2], dtype=int64)
    """
    array = as_array(x, "trim_zeros")
    if not isinstance(trim, str) or not set(trim.lower()) <= {"f", "b"}:
        raise ArgumentError(f"trim_zeros: trim is {trim!r}; it is 'f', 'b' or 'fb'")
    elements = known(array)
    if array.ndim != 1:
        raise ShapeError(f"trim_zeros takes one dimension, not shape {array.shape}")
    if elements is None:
        raise ArgumentError(
            "trim_zeros: how many zeros a traced array has is not known; do this "
            "outside jit"
        )
    kept = np.flatnonzero(elements)
    if not kept.size:
        return array[:0]
    first = kept[0] if "f" in trim.lower() else 0
    last = kept[-1] + 1 if "b" in trim.lower() else array.size
    return array[int(first) : int(last)]
