"""Ops that move elements without changing them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..array import Array
from ..dtypes import default_precision, spell
from ..errors import ArgumentError, ShapeError, UnsupportedTypeError, public
from ..specs import ShapeDtypeStruct, check_shape, joined_shape
from .registry import (
    ArrayLike,
    Call,
    Shape,
    as_array,
    broadcast_all,
    cast,
    common_dtype,
    op,
)

__all__ = [
    "broadcast",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "concatenate",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "reshape",
    "reverse",
    "slice",
    "squeeze",
    "transpose",
]


def integer(name: str, what: str, value: Any) -> int:
    """A Python integer, or the error that says which argument is none."""
    try:
        return operator.index(value)
    except TypeError:
        raise UnsupportedTypeError(
            f"{name}: {what} must be an integer, not {type(value).__name__!r}"
        ) from None


def shape_tuple(shape: int | Sequence[int], name: str = "shape") -> Shape:
    """A shape of sizes that are integers and not negative."""
    sizes = shape if isinstance(shape, (tuple, list)) else (shape,)
    result = tuple(integer(name, "each size of a shape", size) for size in sizes)
    if any(size < 0 for size in result):
        raise ShapeError(f"{name}: {result} has a negative size")
    check_shape(name, result)
    return result


def axis_index(name: str, axis: Any, ndim: int) -> int:
    """An axis counted from the front; raises if the array does not have it."""
    index = integer(name, "an axis", axis)
    if not -ndim <= index < ndim:
        has = f"axes 0 to {ndim - 1}" if ndim else "no axes"
        raise ShapeError(
            f"{name}: axis {index} is out of range; the array has {has} "
            f"({ndim} dimension{'' if ndim == 1 else 's'})"
        )
    return index % ndim


def axis_tuple(
    name: str, axis: int | Sequence[int] | None, ndim: int
) -> tuple[int, ...]:
    """Distinct axes counted from the front, sorted; all of them for `None`."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    result = sorted(axis_index(name, a, ndim) for a in axes)
    if len(set(result)) != len(result):
        raise ArgumentError(f"{name}: axis {tuple(axes)} names an axis twice")
    return tuple(result)


def _broadcast(
    x: ArrayLike, shape: Sequence[int], dimensions: Sequence[int], /
) -> Call:
    array, sizes = as_array(x, "broadcast"), shape_tuple(shape, "broadcast")
    axes = tuple(axis_index("broadcast", d, len(sizes)) for d in dimensions)
    fits = len(axes) == array.ndim == len(set(axes)) and all(
        size in (1, sizes[axis]) for size, axis in zip(array.shape, axes, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"broadcast: {spell(array.dtype, array.shape)} does not fit into {sizes} "
            f"along dimensions {axes}: each axis needs its own dimension, and its size "
            "must be 1 or that dimension's"
        )
    return Call((array,), {"dimensions": axes}, ShapeDtypeStruct(sizes, array.dtype))


@op(_broadcast)
def broadcast(
    x: np.ndarray, *, dimensions: Shape, result: ShapeDtypeStruct
) -> np.ndarray:
    """An array repeated to a shape, its axis i becoming dimension `dimensions[i]`.

    >>> weft.broadcast(weft.asarray([1, 2]), (2, 3), (0,))
    Array([[1, 1, 1],
           [2, 2, 2]], dtype=int64)
    """
    order = np.argsort(dimensions)
    sizes = dict(zip(dimensions, x.shape, strict=True))
    column = [sizes.get(d, 1) for d in range(result.ndim)]
    return np.broadcast_to(np.transpose(x, order).reshape(column), result.shape)


def _reshape(
    x: ArrayLike, /, shape: int | Sequence[int], *, copy: bool | None = None
) -> Call | Array:
    array = as_array(x, "reshape")
    sizes = list(shape) if isinstance(shape, (tuple, list)) else [shape]
    sizes = [integer("reshape", "each size of a shape", size) for size in sizes]
    if sizes.count(-1) == 1:
        known = math.prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = array.size // known if known else 0
    if any(size < 0 for size in sizes) or math.prod(sizes) != array.size:
        raise ShapeError(
            f"reshape: {spell(array.dtype, array.shape)} has {array.size} elements, "
            f"which do not make {tuple(shape) if sizes else ()}"
            if isinstance(shape, (tuple, list))
            else f"reshape: {spell(array.dtype, array.shape)} has {array.size} "
            f"elements, which do not make {shape}"
        )
    if tuple(sizes) == array.shape:
        return array
    return Call((array,), result=ShapeDtypeStruct(tuple(sizes), array.dtype))


@op(_reshape)
def reshape(x: np.ndarray, *, result: ShapeDtypeStruct) -> np.ndarray:
    """The elements of `x`, in row-major order, in another shape; -1 infers one size.

    >>> weft.reshape(weft.arange(6), (2, -1))
    Array([[0, 1, 2],
           [3, 4, 5]], dtype=int64)
    """
    return np.reshape(x, result.shape)


def _transpose(x: ArrayLike, /, axes: Sequence[int] | None = None) -> Call | Array:
    array = as_array(x, "transpose")
    order = range(array.ndim)[::-1] if axes is None else axes
    permutation = tuple(axis_index("transpose", axis, array.ndim) for axis in order)
    if sorted(permutation) != list(range(array.ndim)):
        raise ArgumentError(
            f"transpose: {tuple(order)} is not an order of the {array.ndim} axes of "
            f"{spell(array.dtype, array.shape)}; name each axis once"
        )
    if permutation == tuple(range(array.ndim)):
        return array
    return Call((array,), {"permutation": permutation})


@op(_transpose)
def transpose(x: np.ndarray, *, permutation: Shape) -> np.ndarray:
    """The axes of `x` in another order; reversed by default.

    >>> weft.transpose(weft.asarray([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int64)
    """
    return np.transpose(x, permutation)


def _slice(
    x: ArrayLike,
    start: Sequence[int],
    limit: Sequence[int],
    stride: Sequence[int] | None = None,
    /,
) -> Call | Array:
    array = as_array(x, "slice")
    strides = (1,) * array.ndim if stride is None else tuple(stride)
    bounds = list(zip(start, limit, strides, array.shape, strict=False))
    fits = len(start) == len(limit) == len(strides) == array.ndim and all(
        0 <= s <= e <= n and step > 0 for s, e, step, n in bounds
    )
    if not fits:
        raise ShapeError(
            f"slice: start {tuple(start)}, limit {tuple(limit)}, stride {strides} do "
            f"not fit {spell(array.dtype, array.shape)}: for each axis "
            "0 <= start <= limit <= size and stride > 0"
        )
    if all((s, e, step) == (0, n, 1) for s, e, step, n in bounds):
        return array
    attributes = {"start": tuple(start), "limit": tuple(limit), "stride": strides}
    return Call((array,), attributes)


@op(_slice)
def slice(x: np.ndarray, *, start: Shape, limit: Shape, stride: Shape) -> np.ndarray:
    """The elements from `start` to `limit`, `stride` apart, along each axis.

    >>> weft.slice(weft.arange(10), (1,), (8,), (3,))
    Array([1, 4, 7], dtype=int64)
    """
    return x[tuple(map(builtins.slice, start, limit, stride))]


def _pad(
    x: ArrayLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    /,
    constant_values: ArrayLike = 0,
    *,
    interior: Sequence[int] | None = None,
) -> Call:
    array = as_array(x, "pad")
    try:
        widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    except ValueError:
        raise ShapeError(
            f"pad: pad_width {pad_width} does not give (before, after) for each of the "
            f"{array.ndim} axes"
        ) from None
    low, high = (tuple(int(w[side]) for w in widths) for side in (0, 1))
    between = (0,) * array.ndim if interior is None else tuple(interior)
    if len(between) != array.ndim or min((*low, *high, *between), default=0) < 0:
        raise ArgumentError(
            "pad: widths must not be negative, one interior width for each axis; slice "
            "to cut elements off"
        )
    value = cast(constant_values, array.dtype, "pad")
    if value.ndim:
        raise ShapeError(f"pad: constant_values must be a scalar, not {value.shape}")
    return Call((array, value), {"low": low, "high": high, "interior": between})


@op(_pad)
def pad(
    x: np.ndarray, value: np.ndarray, *, low: Shape, high: Shape, interior: Shape
) -> np.ndarray:
    """A constant put before, after and between the elements along each axis.

    `pad_width` is one width, or (before, after), or one such pair for each axis.

    >>> weft.pad(weft.asarray([1, 2]), (1, 2), constant_values=9)
    Array([9, 1, 2, 9, 9], dtype=int64)
    """
    places, shape = [], []
    for size, lo, hi, gap in zip(x.shape, low, high, interior, strict=True):
        extent = size + builtins.max(size - 1, 0) * gap
        places.append(builtins.slice(lo, lo + extent, gap + 1))
        shape.append(lo + extent + hi)
    out = np.full(shape, value, x.dtype)
    out[tuple(places)] = x
    return out


def _concatenate(arrays: Sequence[ArrayLike], /, axis: int | None = 0) -> Call | Array:
    parts = promoted("concatenate", arrays)
    if axis is None:
        parts, axis = [reshape(part, (-1,)) for part in parts], 0
    axis = axis_index("concatenate", axis, parts[0].ndim)
    rest = {(*p.shape[:axis], *p.shape[axis + 1 :]) for p in parts}
    if len(rest) > 1 or len({p.ndim for p in parts}) > 1:
        raise ShapeError(
            f"concatenate: {', '.join(spell(p.dtype, p.shape) for p in parts)} differ "
            f"outside axis {axis}; all other sizes must be equal"
        )
    return parts[0] if len(parts) == 1 else Call(tuple(parts), {"dimension": axis})


@op(_concatenate)
def concatenate(*arrays: np.ndarray, dimension: int) -> np.ndarray:
    """Arrays one after the other along an existing axis.

    >>> weft.concatenate([weft.arange(2), weft.arange(3)])
    Array([0, 1, 0, 1, 2], dtype=int64)
    """
    return np.concatenate(arrays, axis=dimension)


def promoted(name: str, arrays: Sequence[ArrayLike]) -> list[Array]:
    """Arrays converted to their common dtype."""
    if not len(arrays):  # which may be the rows of one array
        raise ArgumentError(f"{name} needs at least one array")
    dtype, weak = common_dtype(name, *arrays)
    if weak:
        dtype = default_precision(dtype)
    return [cast(x, dtype, name) for x in arrays]


def _reverse(x: ArrayLike, dimensions: Sequence[int], /) -> Call | Array:
    array = as_array(x, "reverse")
    axes = axis_tuple("reverse", tuple(dimensions), array.ndim)
    return Call((array,), {"dimensions": axes}) if axes else array


@op(_reverse)
def reverse(x: np.ndarray, *, dimensions: Shape) -> np.ndarray:
    """The elements in reverse order along some axes.

    >>> weft.reverse(weft.arange(3), (0,))
    Array([2, 1, 0], dtype=int64)
    """
    return np.flip(x, dimensions)


# ---- composed of the above ----

concat = concatenate
permute_dims = transpose


@public
def broadcast_to(x: ArrayLike, /, shape: int | Sequence[int]) -> Array:
    """An array repeated to a shape, by NumPy's rules.

    >>> weft.broadcast_to(weft.asarray([1, 2]), (2, 2))
    Array([[1, 2],
           [1, 2]], dtype=int64)
    """
    array, sizes = as_array(x, "broadcast_to"), shape_tuple(shape, "broadcast_to")
    if array.shape == sizes:
        return array
    lead = len(sizes) - array.ndim
    if lead < 0 or any(
        n not in (1, m) for n, m in zip(array.shape, sizes[lead:], strict=True)
    ):
        raise ShapeError(
            f"broadcast_to: {spell(array.dtype, array.shape)} does not broadcast to "
            f"{sizes}; from the last axis backwards sizes must be equal or 1"
        )
    return broadcast(array, sizes, tuple(range(lead, len(sizes))))


@public
def broadcast_shapes(*shapes: int | Sequence[int]) -> Shape:
    """The shape that arrays of some shapes broadcast to.

    >>> weft.broadcast_shapes((2, 1), 3)
    (2, 3)
    """
    sizes = [shape_tuple(shape, "broadcast_shapes") for shape in shapes]
    try:
        return joined_shape(*sizes)
    except ValueError:
        raise ShapeError(
            f"broadcast_shapes: {', '.join(map(str, sizes))} do not broadcast; from "
            "the last axis backwards sizes must be equal or 1"
        ) from None


@public
def broadcast_arrays(*arrays: ArrayLike) -> list[Array]:
    """Arrays repeated to their common shape.

    >>> weft.broadcast_arrays(weft.asarray([1, 2]), 3)[1]
    Array([3, 3], dtype=int64)
    """
    if not arrays:
        return []
    return list(
        broadcast_all(
            "broadcast_arrays", *(as_array(x, "broadcast_arrays") for x in arrays)
        )
    )


@public
def matrix_transpose(x: ArrayLike, /) -> Array:
    """The last two axes of `x` swapped.

    >>> weft.matrix_transpose(weft.asarray([[1, 2, 3]]))
    Array([[1],
           [2],
           [3]], dtype=int64)
    """
    array = as_array(x, "matrix_transpose")
    if array.ndim < 2:
        raise ShapeError(
            f"matrix_transpose: shape {array.shape} has fewer than two axes"
        )
    order = (*range(array.ndim - 2), array.ndim - 1, array.ndim - 2)
    return transpose(array, order)


@public
def squeeze(x: ArrayLike, /, axis: int | Sequence[int] | None = None) -> Array:
    """`x` without axes of size one: all of them, or those of `axis`.

    >>> weft.squeeze(weft.ones((1, 2, 1)), axis=0).shape
    (2, 1)
    """
    array = as_array(x, "squeeze")
    ones = tuple(i for i, size in enumerate(array.shape) if size == 1)
    axes = ones if axis is None else axis_tuple("squeeze", axis, array.ndim)
    if not set(axes) <= set(ones):
        raise ShapeError(
            f"squeeze: axes {axes} of {spell(array.dtype, array.shape)} are not all of "
            "size 1"
        )
    kept = tuple(n for i, n in enumerate(array.shape) if i not in axes)
    return reshape(array, kept)


@public
def expand_dims(x: ArrayLike, /, axis: int | Sequence[int] = 0) -> Array:
    """`x` with an axis of size one put in at each position of `axis`.

    >>> weft.expand_dims(weft.asarray([1, 2]), axis=1).shape
    (2, 1)
    """
    array = as_array(x, "expand_dims")
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    axes = axis_tuple("expand_dims", axis, array.ndim + count)
    sizes = iter(array.shape)
    shape = tuple(1 if i in axes else next(sizes) for i in range(array.ndim + count))
    return reshape(array, shape)


@public
def moveaxis(
    x: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int], /
) -> Array:
    """Axes of `x` moved to other positions, the others in their order.

    >>> weft.moveaxis(weft.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    array = as_array(x, "moveaxis")
    sources = source if isinstance(source, (tuple, list)) else (source,)
    targets = destination if isinstance(destination, (tuple, list)) else (destination,)
    if len(sources) != len(targets):
        raise ArgumentError("moveaxis: source and destination differ in length")
    moves = sorted(
        (axis_index("moveaxis", t, array.ndim), axis_index("moveaxis", s, array.ndim))
        for s, t in zip(sources, targets, strict=True)
    )
    order = [i for i in range(array.ndim) if i not in {s for _, s in moves}]
    for target, axis in moves:
        order.insert(target, axis)
    return transpose(array, order)
