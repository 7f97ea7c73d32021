"""Slices at computed indices: the ops that read them, and those that write them.

NumPy's indexing and `x.at` (in `index.py` and `at.py`) are made of these.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np

from ..array import Array
from ..dtypes import INT, is_kind, require, spell
from ..errors import ArgumentError, DTypeError, ShapeError
from .choice import select
from .logic import less
from .registry import ArrayLike, Call, Reference, Shape, as_array, cast, op
from .shape import shape_tuple

__all__ = [
    "dynamic_slice",
    "dynamic_update_slice",
    "gather",
    "scatter",
    "scatter_add",
    "scatter_maximum",
    "scatter_minimum",
    "scatter_multiply",
]

Mode = Literal["clip", "drop"]


def indices_of(name: str, x: ArrayLike | Sequence[Any]) -> Array:
    """An array of indices, or nested lists of them, as int64."""
    if isinstance(x, (list, tuple)):
        from .create import asarray

        x = asarray(list(x), dtype=INT if not x else None)
    array = as_array(x, name)
    if not is_kind(array.dtype, "integer"):
        raise DTypeError(f"{name}: indices are integers, not {array.dtype}")
    return cast(array, INT)


def from_end(index: Array, size: int) -> Array:
    """Indices, of which negative ones are counted from the end of an axis."""
    if type(index) is Array:
        i = index.data
        return Array(np.asarray(np.where(i < 0, i + size, i)))
    return select(less(index, 0), index + size, index)


# ---- one slice ----


def _starts(name: str, x: Array, starts: Sequence[ArrayLike]) -> tuple[Array, ...]:
    arrays = [indices_of(name, start) for start in starts]
    if len(arrays) != x.ndim or builtins.any(array.ndim for array in arrays):
        raise ShapeError(
            f"{name}: {spell(x.dtype, x.shape)} needs one scalar start for each of its "
            f"{x.ndim} axes"
        )
    return tuple(from_end(i, n) for i, n in zip(arrays, x.shape, strict=True))


def _dynamic_slice(
    x: ArrayLike,
    start_indices: Sequence[ArrayLike],
    slice_sizes: Sequence[int],
    /,
) -> Call:
    array = as_array(x, "dynamic_slice")
    starts = _starts("dynamic_slice", array, start_indices)
    sizes = shape_tuple(tuple(slice_sizes), "dynamic_slice")
    _check_fits("dynamic_slice", array, sizes)
    return Call((array, *starts), {"sizes": sizes})


def _check_fits(name: str, x: Array, sizes: Shape) -> None:
    fits = len(sizes) == x.ndim and builtins.all(
        size <= n for size, n in zip(sizes, x.shape, strict=True)
    )
    if not fits:
        raise ShapeError(
            f"{name}: a slice of shape {sizes} does not fit {spell(x.dtype, x.shape)}"
        )


def _slices(
    x: np.ndarray, starts: Sequence[np.ndarray], sizes: Shape
) -> tuple[builtins.slice, ...]:
    """Where a slice is, moved into the array."""
    firsts = (
        builtins.min(builtins.max(int(i), 0), n - size)
        for i, n, size in zip(starts, x.shape, sizes, strict=True)
    )
    return tuple(
        builtins.slice(first, first + size)
        for first, size in zip(firsts, sizes, strict=True)
    )


@op(_dynamic_slice)
def dynamic_slice(x: np.ndarray, *starts: np.ndarray, sizes: Shape) -> np.ndarray:
    """The slice of a shape that begins at computed indices, one for each axis.

    Negative indices count from the end; a slice that leaves the array is moved into
    it.

    >>> weft.dynamic_slice(weft.arange(5), (3,), (3,))
    Array([2, 3, 4], dtype=int64)
    """
    return x[_slices(x, starts, sizes)]


def _dynamic_update_slice(
    x: ArrayLike,
    update: ArrayLike,
    start_indices: Sequence[ArrayLike],
    /,
) -> Call:
    name = "dynamic_update_slice"
    array = as_array(x, name)
    part = cast(update, array.dtype, name)
    _check_fits(name, array, part.shape)
    return Call((array, part, *_starts(name, array, start_indices)))


@op(_dynamic_update_slice)
def dynamic_update_slice(
    x: np.ndarray, update: np.ndarray, *starts: np.ndarray
) -> np.ndarray:
    """`x` with the slice that begins at computed indices replaced by `update`.

    Negative indices count from the end; a slice that leaves the array is moved into
    it.

    >>> weft.dynamic_update_slice(weft.arange(5), weft.asarray([7, 8]), (1,))
    Array([0, 7, 8, 3, 4], dtype=int64)
    """
    out = x.copy()
    out[_slices(x, starts, update.shape)] = update
    return out


# ---- many slices ----


def window_axes(ndim: int, collapsed: Shape, batch: Shape) -> list[int]:
    """The axes of an array that its slices keep."""
    return [axis for axis in range(ndim) if axis not in (*collapsed, *batch)]


def _attributes(
    name: str, dims: Sequence[int], collapsed: Sequence[int], batch: Sequence[int],
    mode: Mode,
) -> dict[str, Any]:  # fmt: skip
    if mode not in ("clip", "drop"):
        raise ArgumentError(f"{name}: mode is 'clip' or 'drop', not {mode!r}")
    attributes: dict[str, Any] = {
        "dims": tuple(dims), "collapsed": tuple(collapsed), "batch": tuple(batch)
    }  # fmt: skip
    return attributes | ({"clip": True} if mode == "clip" else {})


def _check_places(
    name: str, x: Array, indices: Sequence[Array], dims: Sequence[int],
    collapsed: Sequence[int], batch: Sequence[int],
) -> None:  # fmt: skip
    addressed = [*dims, *batch]
    fits = (
        indices
        and len(indices) == len(dims)
        and len({index.shape for index in indices}) == 1
        and len(set(addressed)) == len(addressed)
        and set(addressed) | set(collapsed) <= set(range(x.ndim))
        and list(collapsed) == sorted(set(collapsed) - set(batch))
        and indices[0].shape[: len(batch)] == tuple(x.shape[axis] for axis in batch)
    )
    if not fits:
        raise ShapeError(
            f"{name}: {spell(x.dtype, x.shape)} is not addressed by indices of shapes "
            f"{[index.shape for index in indices]} with dims {tuple(dims)}, collapsed "
            f"{tuple(collapsed)}, batch {tuple(batch)}"
        )


def _gather(
    x: ArrayLike,
    indices: Sequence[ArrayLike],
    /,
    *,
    dims: Sequence[int],
    sizes: Sequence[int],
    collapsed: Sequence[int] = (),
    batch: Sequence[int] = (),
    mode: Mode = "drop",
) -> Call:
    array = as_array(x, "gather")
    arrays = tuple(indices_of("gather", index) for index in indices)
    attributes = _attributes("gather", dims, collapsed, batch, mode)
    _check_places("gather", array, arrays, dims, collapsed, batch)
    _check_fits("gather", array, tuple(sizes))
    if builtins.any(sizes[axis] != 1 for axis in (*collapsed, *batch)):
        raise ShapeError("gather: slices have size 1 along collapsed and batch axes")
    return Call((array, *arrays), attributes | {"sizes": tuple(sizes)})


def _places(
    shape: Shape,
    indices: Sequence[np.ndarray],
    sizes: Shape,
    dims: Shape,
    collapsed: Shape,
    batch: Shape,
    clip: bool,
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Where each element of the slices is, along each axis, and whether it exists."""
    lead = indices[0].shape
    windows = window_axes(len(shape), collapsed, batch)
    whole = (*lead, *(sizes[axis] for axis in windows))
    inside = np.ones(whole, bool)
    places = []
    for axis, size in enumerate(shape):
        place = np.zeros(whole, np.int64)
        if axis in batch:
            place += _along(np.arange(size), batch.index(axis), len(whole))
        if axis in dims:
            start = indices[dims.index(axis)]
            first = np.asarray(np.clip(start, 0, size - sizes[axis]))
            fits = np.asarray(clip | (start == first))
            inside &= fits.reshape((*lead, *(1,) * len(windows)))
            place += first.reshape((*lead, *(1,) * len(windows)))
        if axis in windows:
            own = len(lead) + windows.index(axis)
            place += _along(np.arange(sizes[axis]), own, len(whole))
        places.append(place)
    return tuple(places), inside


def _along(counts: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    return counts.reshape(-1, *(1,) * (ndim - 1 - axis))


@op(_gather)
def gather(
    x: np.ndarray,
    *indices: np.ndarray,
    dims: Shape,
    sizes: Shape,
    collapsed: Shape,
    batch: Shape,
    clip: bool = False,
) -> np.ndarray:
    """Slices of `x` at computed indices: what `x[i]`, `take` and their kin are made of.

    `indices` are arrays of one shape, one for each axis in `dims`: where slices begin
    (at 0 along other axes). `sizes` is the shape of a slice. The result has the axes of
    the indices, then those of a slice without those in `collapsed` and `batch`, which
    have size 1; axes in `batch` are walked together with the first axes of the indices.
    A slice that leaves the array is moved into it (`mode="clip"`) or zero (`"drop"`).

    >>> x = weft.reshape(weft.arange(6), (3, 2))
    >>> weft.gather(x, [weft.asarray([2, 9])], dims=[0], sizes=[1, 2], collapsed=[0])
    Array([[4, 5],
           [0, 0]], dtype=int64)
    """
    places, inside = _places(x.shape, indices, sizes, dims, collapsed, batch, clip)
    if not inside.size or not x.size:
        return np.zeros(inside.shape, x.dtype)
    return np.where(inside, x[places], np.zeros((), x.dtype))


class Scatter(Protocol):
    """The public function of an op that combines slices into an array."""

    __name__: str

    def __call__(
        self,
        x: ArrayLike,
        updates: ArrayLike,
        indices: Sequence[ArrayLike],
        /,
        *,
        dims: Sequence[int],
        collapsed: Sequence[int] = (),
        batch: Sequence[int] = (),
        mode: Mode = "drop",
    ) -> Array: ...


def _check_updates(
    name: str, x: Array, updates: Array, index: Array, collapsed: Shape, batch: Shape
) -> None:
    windows = window_axes(x.ndim, collapsed, batch)
    lead, window = updates.shape[: index.ndim], updates.shape[index.ndim :]
    fits = lead == index.shape and len(window) == len(windows) and builtins.all(
        n <= x.shape[axis] for n, axis in zip(window, windows, strict=True)
    )  # fmt: skip
    if not fits or builtins.any(x.shape[axis] == 0 for axis in collapsed):
        raise ShapeError(
            f"{name}: updates of shape {updates.shape} do not fit slices of "
            f"{spell(x.dtype, x.shape)} at indices of shape {index.shape}"
        )


def _scatter_op(reference: Reference) -> Scatter:
    """Registers a scatter; its reference combines at the places given it."""
    name = reference.__name__

    def prepare(
        x: ArrayLike,
        updates: ArrayLike,
        indices: Sequence[ArrayLike],
        /,
        *,
        dims: Sequence[int],
        collapsed: Sequence[int] = (),
        batch: Sequence[int] = (),
        mode: Mode = "drop",
    ) -> Call:
        array = as_array(x, name)
        if name != "scatter":
            ordered = name in ("scatter_maximum", "scatter_minimum")
            require(name, array.dtype, "real" if ordered else "numeric")
        new = cast(updates, array.dtype, name)
        arrays = tuple(indices_of(name, index) for index in indices)
        attributes = _attributes(name, dims, collapsed, batch, mode)
        _check_places(name, array, arrays, dims, collapsed, batch)
        _check_updates(name, array, new, arrays[0], tuple(collapsed), tuple(batch))
        return Call((array, new, *arrays), attributes)

    def meaning(
        x: np.ndarray,
        updates: np.ndarray,
        *indices: np.ndarray,
        dims: Shape,
        collapsed: Shape,
        batch: Shape,
        clip: bool = False,
    ) -> np.ndarray:
        sizes = [1] * x.ndim
        windows = window_axes(x.ndim, collapsed, batch)
        for axis, size in zip(windows, updates.shape[indices[0].ndim :], strict=True):
            sizes[axis] = size
        places, inside = _places(
            x.shape, indices, tuple(sizes), dims, collapsed, batch, clip
        )
        out = x.copy()
        if updates.size:
            flat = np.ravel_multi_index(places, x.shape)[inside]
            reference(out.reshape(-1), flat, updates[inside])
        return out

    meaning.__name__ = meaning.__qualname__ = name
    meaning.__doc__, meaning.__module__ = reference.__doc__, reference.__module__
    return op(prepare)(meaning)


@_scatter_op
def scatter(x: np.ndarray, places: np.ndarray, updates: np.ndarray) -> None:
    """`x` with slices at computed indices replaced, addressed as by `weft.gather`.

    Of updates to one place the last stays. A slice that leaves the array is left out
    (`mode="drop"`) or moved into it (`"clip"`).

    >>> i = weft.asarray([2, 0])
    >>> y = weft.asarray([5.0, 6.0])
    >>> weft.scatter(weft.zeros(3), y, [i], dims=[0], collapsed=[0])
    Array([6., 0., 5.], dtype=float32)
    """
    x[places] = updates


@_scatter_op
def scatter_add(x: np.ndarray, places: np.ndarray, updates: np.ndarray) -> None:
    """`x` with `updates` added at computed indices (see `weft.scatter`).

    >>> i = weft.asarray([2, 2])
    >>> y = weft.asarray([5.0, 6.0])
    >>> weft.scatter_add(weft.zeros(3), y, [i], dims=[0], collapsed=[0])
    Array([ 0.,  0., 11.], dtype=float32)
    """
    np.add.at(x, places, updates)


@_scatter_op
def scatter_multiply(x: np.ndarray, places: np.ndarray, updates: np.ndarray) -> None:
    """`x` multiplied by `updates` at computed indices (see `weft.scatter`).

    >>> i = weft.asarray([2, 2])
    >>> y = weft.asarray([5.0, 6.0])
    >>> weft.scatter_multiply(weft.ones(3), y, [i], dims=[0], collapsed=[0])
    Array([ 1.,  1., 30.], dtype=float32)
    """
    np.multiply.at(x, places, updates)


@_scatter_op
def scatter_maximum(x: np.ndarray, places: np.ndarray, updates: np.ndarray) -> None:
    """The maximum of `x` and `updates` at computed indices (see `weft.scatter`).

    >>> i = weft.asarray([2, 2])
    >>> y = weft.asarray([5.0, 6.0])
    >>> weft.scatter_maximum(weft.zeros(3), y, [i], dims=[0], collapsed=[0])
    Array([0., 0., 6.], dtype=float32)
    """
    np.maximum.at(x, places, updates)


@_scatter_op
def scatter_minimum(x: np.ndarray, places: np.ndarray, updates: np.ndarray) -> None:
    """The minimum of `x` and `updates` at computed indices (see `weft.scatter`).

    >>> i = weft.asarray([2, 2])
    >>> y = weft.asarray([5.0, -6.0])
    >>> weft.scatter_minimum(weft.ones(3), y, [i], dims=[0], collapsed=[0])
    Array([ 1.,  1., -6.], dtype=float32)
    """
    np.minimum.at(x, places, updates)
