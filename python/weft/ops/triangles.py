"""Triangles and diagonals of matrices, and grids of indices."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..array import Array
from ..dtypes import BOOL, INT, DTypeLike, canonical, spell
from ..errors import ArgumentError, ShapeError, public
from .arranging import ravel, resize
from .choice import astype, select
from .create import asarray, iota, zeros_like
from .entries import known
from .logic import less_equal
from .reduce import sum as total
from .registry import ArrayLike, Shape, as_array, cast
from .shape import (
    axis_index,
    broadcast_arrays,
    expand_dims,
    integer,
    moveaxis,
    pad,
    reshape,
    shape_tuple,
)

__all__ = [
    "diag",
    "diag_indices",
    "diag_indices_from",
    "diagflat",
    "diagonal",
    "fill_diagonal",
    "indices",
    "ix_",
    "meshgrid",
    "trace",
    "tri",
    "tril",
    "tril_indices",
    "tril_indices_from",
    "triu",
    "triu_indices",
    "triu_indices_from",
]

# ---- triangles ----


@public
def tri(
    n_rows: int,
    n_cols: int | None = None,
    k: int = 0,
    dtype: DTypeLike = np.float32,
) -> Array:
    """Ones on and below the `k`-th diagonal of a matrix, zeros above it.

    >>> weft.tri(2, 3)
    Array([[1., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """
    shape = shape_tuple((n_rows, n_rows if n_cols is None else n_cols), "tri")
    below = less_equal(iota(shape, 1), iota(shape, 0) + integer("tri", "k", k))
    return astype(below, canonical(dtype))


def _below(name: str, x: Array, k: int) -> Array:
    """Whether each element of matrices is on or below a diagonal."""
    if x.ndim < 2:
        raise ShapeError(
            f"{name} takes matrices, the last two axes of at least two; got shape "
            f"{x.shape}"
        )
    row, column = iota(x.shape, x.ndim - 2), iota(x.shape, x.ndim - 1)
    return less_equal(column, row + integer(name, "k", k))


@public
def tril(x: ArrayLike, /, k: int = 0) -> Array:
    """The elements on and below the `k`-th diagonal, zeros elsewhere.

    >>> weft.tril(weft.ones((2, 2)))
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    array = as_array(x, "tril")
    return select(_below("tril", array, k), array, zeros_like(array))


@public
def triu(x: ArrayLike, /, k: int = 0) -> Array:
    """The elements on and above the `k`-th diagonal, zeros elsewhere.

    >>> weft.triu(weft.ones((2, 2)))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    array = as_array(x, "triu")
    return select(_below("triu", array, k - 1), zeros_like(array), array)


def _pairs(places: tuple[np.ndarray, ...]) -> tuple[Array, Array]:
    rows, columns = places
    return Array(rows.astype(INT)), Array(columns.astype(INT))


@public
def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The rows and columns of the elements on and below the `k`-th diagonal.

    They are those of a matrix of `n` rows and `m` columns, by default `n`.

    >>> weft.tril_indices(2)
    (Array([0, 1, 1], dtype=int64), Array([0, 0, 1], dtype=int64))
    """
    return _pairs(np.tril_indices(n, k, m))


@public
def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The rows and columns of the elements on and above the `k`-th diagonal.

    They are those of a matrix of `n` rows and `m` columns, by default `n`.

    >>> weft.triu_indices(2)
    (Array([0, 0, 1], dtype=int64), Array([0, 1, 1], dtype=int64))
    """
    return _pairs(np.triu_indices(n, k, m))


def _matrix_shape(name: str, x: ArrayLike) -> Shape:
    shape = as_array(x, name).shape
    if len(shape) != 2:
        raise ShapeError(f"{name} takes a matrix, not shape {shape}")
    return shape


@public
def tril_indices_from(x: ArrayLike, /, k: int = 0) -> tuple[Array, Array]:
    """The indices of `weft.tril_indices` for a matrix of the shape of `x`.

    >>> weft.tril_indices_from(weft.ones((1, 2)))
    (Array([0], dtype=int64), Array([0], dtype=int64))
    """
    rows, columns = _matrix_shape("tril_indices_from", x)
    return tril_indices(rows, k, columns)


@public
def triu_indices_from(x: ArrayLike, /, k: int = 0) -> tuple[Array, Array]:
    """The indices of `weft.triu_indices` for a matrix of the shape of `x`.

    >>> weft.triu_indices_from(weft.ones((1, 2)))
    (Array([0, 0], dtype=int64), Array([0, 1], dtype=int64))
    """
    rows, columns = _matrix_shape("triu_indices_from", x)
    return triu_indices(rows, k, columns)


# ---- diagonals ----


@public
def diagonal(x: ArrayLike, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements whose index along `axis2` is `offset` more than along `axis1`.

    They are the last axis of the result, in place of those two.

    >>> weft.diagonal(weft.asarray([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int64)
    """
    array = as_array(x, "diagonal")
    if array.ndim < 2:
        raise ShapeError(f"diagonal takes two axes at least; got shape {array.shape}")
    first = axis_index("diagonal", axis1, array.ndim)
    second = axis_index("diagonal", axis2, array.ndim)
    if first == second:
        raise ArgumentError(f"diagonal: axis1 and axis2 are both {axis1}")
    array = moveaxis(array, (first, second), (-2, -1))
    rows, columns = array.shape[-2:]
    top, left = builtins.max(-offset, 0), builtins.max(offset, 0)
    length = builtins.max(0, builtins.min(rows - top, columns - left))
    flat = reshape(array, (*array.shape[:-2], rows * columns))
    start = top * columns + left
    end = start + (length - 1) * (columns + 1) + 1 if length else start
    return flat[..., start : end : columns + 1]


@public
def trace(
    x: ArrayLike,
    /,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: DTypeLike | None = None,
) -> Array:
    """The sum of a diagonal (see `weft.diagonal`).

    >>> weft.trace(weft.asarray([[1, 2], [3, 4]]))
    Array(5, dtype=int64)
    """
    return total(diagonal(x, offset, axis1, axis2), axis=-1, dtype=dtype)


@public
def diag(x: ArrayLike, /, k: int = 0) -> Array:
    """The `k`-th diagonal of a matrix, or the matrix that has such a diagonal.

    >>> weft.diag(weft.asarray([1, 2]))
    Array([[1, 0],
           [0, 2]], dtype=int64)
    """
    array = as_array(x, "diag")
    if array.ndim == 2:
        return diagonal(array, k)
    if array.ndim != 1:
        raise ShapeError(f"diag takes one or two dimensions, not shape {array.shape}")
    count = array.size
    side = count + builtins.abs(integer("diag", "k", k))
    first = k if k >= 0 else -k * side
    if not count:
        return reshape(pad(array, (0, side * side)), (side, side))
    behind = side * side - first - count - (count - 1) * side
    return reshape(pad(array, (first, behind), interior=(side,)), (side, side))


@public
def diagflat(x: ArrayLike, /, k: int = 0) -> Array:
    """The matrix that has all elements of `x`, in row-major order, as its diagonal.

    >>> weft.diagflat(weft.asarray([[1], [2]]))
    Array([[1, 0],
           [0, 2]], dtype=int64)
    """
    return diag(ravel(x), k)


@public
def diag_indices(n: int, ndim: int = 2) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of size `n`.

    >>> weft.diag_indices(2)
    (Array([0, 1], dtype=int64), Array([0, 1], dtype=int64))
    """
    return (Array(np.arange(n, dtype=INT)),) * ndim


@public
def diag_indices_from(x: ArrayLike, /) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array whose axes are of one size.

    >>> weft.diag_indices_from(weft.ones((2, 2)))
    (Array([0, 1], dtype=int64), Array([0, 1], dtype=int64))
    """
    shape = as_array(x, "diag_indices_from").shape
    if len(shape) < 2 or len(set(shape)) != 1:
        raise ShapeError(
            f"diag_indices_from takes two axes or more of one size, not shape {shape}"
        )
    return diag_indices(shape[0], len(shape))


@public
def fill_diagonal(
    x: ArrayLike,
    values: ArrayLike,
    /,
    wrap: bool = False,
    *,
    inplace: bool = False,
) -> Array:
    """`x` with its main diagonal replaced by values, in turn where they are fewer.

    With more than two axes, all of one size, it is the elements `x[i, i, ..., i]`; with
    `wrap` the diagonal of a tall matrix begins anew behind its end. Arrays are
    immutable: `inplace` must be false.

    >>> weft.fill_diagonal(weft.zeros((2, 2)), 1)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    array = as_array(x, "fill_diagonal")
    shape = array.shape
    if inplace:
        raise ArgumentError(
            "fill_diagonal: arrays are immutable, so inplace=True is not possible; use "
            "the array that it returns"
        )
    if array.ndim < 2 or (array.ndim > 2 and len(set(shape)) != 1):
        raise ShapeError(
            "fill_diagonal takes a matrix, or more axes that are of one size, not "
            f"{spell(array.dtype, shape)}"
        )
    step = 1 + builtins.sum(math.prod(shape[i:]) for i in range(1, array.ndim))
    end = shape[1] * shape[1] if array.ndim == 2 and not wrap else array.size
    count = len(range(0, builtins.min(end, array.size), step))
    new = resize(cast(values, array.dtype), (count,))
    filled = ravel(array).at[: (count - 1) * step + 1 : step].set(new)
    return reshape(filled, shape) if count else array


# ---- grids ----


@public
def meshgrid(
    *arrays: ArrayLike, indexing: str = "xy", sparse: bool = False, copy: bool = True
) -> list[Array]:
    """Coordinate arrays of a grid over one-dimensional coordinates.

    With `indexing="xy"` the first coordinate runs along the second axis, with "ij"
    along the first. `sparse` leaves the axes along which a coordinate is the same at
    size 1. `copy` is accepted for NumPy's sake: arrays are immutable.

    >>> weft.meshgrid(weft.arange(2), weft.arange(3))[1]
    Array([[0, 0],
           [1, 1],
           [2, 2]], dtype=int64)
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing is {indexing!r}; use 'xy' or 'ij'")
    axes = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        axes[:2] = [1, 0]
    lines = []
    for axis, x in zip(axes, arrays, strict=True):
        line = as_array(x, "meshgrid")
        if line.ndim > 1:
            raise ShapeError(f"meshgrid takes one-dimensional arrays, got {line.shape}")
        others = tuple(other for other in range(len(arrays)) if other != axis)
        lines.append(expand_dims(reshape(line, (-1,)), axis=others))
    return lines if sparse else broadcast_arrays(*lines)


@public
def indices(
    dimensions: Sequence[int], dtype: DTypeLike = np.int64, sparse: bool = False
) -> Array | tuple[Array, ...]:
    """The index along each axis of all elements of a shape.

    They are stacked or, with `sparse`, a tuple of arrays that broadcast.

    >>> weft.indices((2, 2))[1]
    Array([[0, 1],
           [0, 1]], dtype=int64)
    """
    shape, kind = shape_tuple(tuple(dimensions), "indices"), canonical(dtype)
    if sparse:
        return tuple(
            reshape(
                iota((n,), 0, kind), [n if j == i else 1 for j in range(len(shape))]
            )
            for i, n in enumerate(shape)
        )
    from .joining import stack

    if not shape:
        return Array(np.zeros((0,), kind))
    return stack([iota(shape, axis, kind) for axis in range(len(shape))])


@public
def ix_(*args: Any) -> tuple[Array, ...]:
    """Indices of rows and columns (and so on) as arrays that broadcast to a grid.

    Bools mean the indices where they hold.

    >>> weft.ones((3, 3))[weft.ix_(weft.asarray([0, 2]), weft.asarray([1]))].shape
    (2, 1)
    """
    found = []
    for i, given in enumerate(args):
        array = asarray(given) if isinstance(given, (list, tuple)) else as_array(given)
        if array.ndim != 1:
            raise ShapeError(f"ix_ takes one-dimensional arrays, got {array.shape}")
        if not array.size:
            array = Array(np.zeros(0, INT))
        if array.dtype == BOOL:
            holds = known(array)
            if holds is None:
                raise ArgumentError(
                    "ix_: how many elements a traced mask takes is not known; use "
                    "weft.nonzero(mask, size=n)"
                )
            array = Array(np.flatnonzero(holds))
        shape = [array.size if j == i else 1 for j in range(len(args))]
        found.append(reshape(array, shape))
    return tuple(found)
