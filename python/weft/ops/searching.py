"""Where elements stand: in sorted arrays, in bins, and where a condition holds."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from ..array import Array
from ..dtypes import BOOL, FLOAT, INT, is_kind, require, spell
from ..errors import ArgumentError, ShapeError, public
from . import parts
from .arithmetic import divide, maximum, minimum, multiply
from .choice import select
from .create import full, iota, linspace, zeros
from .cumulative import cumsum
from .entries import known
from .logic import greater_equal, less, less_equal, logical_and, logical_not, not_equal
from .reduce import max as largest
from .reduce import min as smallest
from .reduce import sum as total
from .registry import ArrayLike, Call, Shape, as_array, broadcast_all, cast, op
from .shape import (
    concatenate,
    expand_dims,
    integer,
    promoted,
    reshape,
    reverse,
    shape_tuple,
)
from .slices import indices_of, scatter, scatter_add
from .sorting import sort
from .taking import take

__all__ = [
    "argwhere",
    "bincount",
    "digitize",
    "flatnonzero",
    "histogram",
    "histogram_bin_edges",
    "isin",
    "nonzero",
    "ravel_multi_index",
    "searchsorted",
    "unravel_index",
    "where",
]

Side = Literal["left", "right"]


# ---- in what is sorted ----


def _searchsorted(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    side: Side = "left",
    sorter: ArrayLike | None = None,
) -> Call:
    name = "searchsorted"
    if side not in ("left", "right"):
        raise ArgumentError(f"{name}: side is 'left' or 'right', not {side!r}")
    row, values = promoted(name, [x1, x2])
    if row.ndim != 1:
        raise ShapeError(
            f"{name}: the sorted array has one dimension, not shape {row.shape}; use "
            "weft.vmap for one row after the other"
        )
    if sorter is not None:
        row = take(row, indices_of(name, sorter), mode="promise_in_bounds")
    right = {"right": True} if side == "right" else {}
    return Call((row, values), right)


@op(_searchsorted)
def searchsorted(
    sorted: np.ndarray, values: np.ndarray, *, right: bool = False
) -> np.ndarray:
    """Where values belong in a sorted array: how many elements stand before each.

    Those are the elements less than the value and, with `side="right"`, also those
    equal to it; NaN is after all numbers. `sorter` holds the indices that sort `x1`.
    In an array that is not sorted, what bisection finds is not specified.

    >>> weft.searchsorted(weft.asarray([1, 3, 5]), weft.asarray([3, 4]))
    Array([1, 2], dtype=int64)
    """
    # Bisection, as compiled, so that rows that are not sorted give the same, too.
    size, lead = sorted.shape[-1], math.prod(sorted.shape[:-1])
    rows = sorted.reshape(lead, size)
    sought = values.reshape(lead, math.prod(values.shape[sorted.ndim - 1 :]))
    count = np.zeros(sought.shape, np.int64)
    step = 1 << max(size.bit_length() - 1, 0)
    while step and size:
        more = count + step
        element = np.take_along_axis(rows, np.minimum(more, size) - 1, axis=1)
        before = ~_is_before(sought, element) if right else _is_before(element, sought)
        count = np.where(before & (more <= size), more, count)
        step >>= 1
    return count.reshape(values.shape)


def _is_before(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if x.dtype.kind != "c":
        return (x < y) | ((y != y) & (x == x))
    # Without a NaN first, then with one in the imaginary part, in the real part.
    (xr, xi), (yr, yi) = (parts.split(z) for z in (x, y))
    first, second = np.isnan(xr) * 2 + np.isnan(xi), np.isnan(yr) * 2 + np.isnan(yi)
    by_parts = (xr < yr) | (~(yr < xr) & (xi < yi))
    return (first < second) | ((first == second) & by_parts)


@public
def digitize(x: ArrayLike, bins: ArrayLike, /, right: bool = False) -> Array:
    """The number of the bin of each element, of bins whose edges are sorted.

    Bin `i` reaches from `bins[i-1]` up to but without `bins[i]` or, with `right`, from
    but without the one up to the other. The edges may descend: then from `bins[i-1]`
    down to `bins[i]`.

    >>> weft.digitize(weft.asarray([0.5, 1.0, 9.0]), weft.asarray([1.0, 2.0]))
    Array([0, 1, 2], dtype=int64)
    """
    edges = as_array(bins, "digitize")
    if edges.ndim != 1:
        raise ShapeError(f"digitize: bins have one dimension, not shape {edges.shape}")
    for array in (as_array(x, "digitize"), edges):
        require("digitize", array.dtype, "ordered")
    side: Side = "left" if right else "right"
    up = searchsorted(edges, x, side=side)
    if edges.size < 2:
        return up
    down = edges.size - searchsorted(reverse(edges, (0,)), x, side=side)
    return select(less_equal(edges[0], edges[-1]), up, down)


@public
def isin(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Array:
    """Whether each element of `x1` is one of the elements of `x2`.

    `invert` is whether it is none of them. NaN is in no array. `assume_unique` changes
    nothing.

    >>> weft.isin(weft.asarray([1, 2, 3]), weft.asarray([3, 1]))
    Array([ True, False,  True], dtype=bool)
    """
    elements, others = promoted("isin", [x1, x2])
    if not others.size:
        return full(elements.shape, invert, dtype=BOOL)
    row = sort(reshape(others, (-1,)))
    place = minimum(searchsorted(row, elements), row.size - 1)
    found = take(row, place, mode="promise_in_bounds") == elements
    return logical_not(found) if invert else found


# ---- counts ----


@public
def bincount(
    x: ArrayLike,
    /,
    weights: ArrayLike | None = None,
    minlength: int = 0,
    *,
    length: int | None = None,
) -> Array:
    """How often each of the integers 0, 1, 2, ... occurs, or the sum of its weights.

    The result has one element more than the largest integer, `minlength` at least. A
    traced array needs `length`, the number of elements of the result: integers beyond
    it are not counted, and negative ones are counted as 0.

    >>> weft.bincount(weft.asarray([1, 3, 1]))
    Array([0, 2, 0, 1], dtype=int64)
    """
    name = "bincount"
    numbers = indices_of(name, x)
    if numbers.ndim != 1:
        raise ShapeError(f"{name} takes one dimension, not shape {numbers.shape}")
    if length is None:
        length = max(_length_of(numbers), integer(name, "minlength", minlength))
    if weights is None:
        added = full(numbers.shape, 1, dtype=INT)
    else:
        added = as_array(weights, name)
        if added.shape != numbers.shape:
            raise ShapeError(
                f"{name}: weights of shape {added.shape} for an array of shape "
                f"{numbers.shape}"
            )
        added = cast(added, INT) if added.dtype == BOOL else added
    counts = zeros((integer(name, "length", length),), dtype=added.dtype)
    return _added(counts, added, maximum(numbers, 0))


def _length_of(numbers: Array) -> int:
    values = known(numbers)
    if values is None:
        raise ArgumentError(
            "bincount: the largest integer of a traced array is not known; say how "
            "many are counted: bincount(x, length=n)"
        )
    if values.size and values.min() < 0:
        raise ArgumentError(
            f"bincount counts integers from 0 on, and {values.min()} is one of them; "
            "length=n counts it as 0"
        )
    return int(values.max()) + 1 if values.size else 0


def _added(x: Array, values: Array, places: Array) -> Array:
    if not (x.size and values.size):
        return x
    return scatter_add(x, values, [places], dims=[0], collapsed=[0])


def _counted(name: str, x: ArrayLike) -> Array:
    """An operand whose elements fall into bins."""
    array = as_array(x, name)
    if array.dtype != BOOL:
        require(name, array.dtype, "real")
    return array


@public
def histogram_bin_edges(
    x: ArrayLike,
    /,
    bins: int | ArrayLike = 10,
    range: tuple[ArrayLike, ArrayLike] | None = None,
    weights: ArrayLike | None = None,
) -> Array:
    """The edges of the bins of `weft.histogram`.

    >>> weft.histogram_bin_edges(weft.asarray([0.0, 3.0, 4.0]), 2)
    Array([0., 2., 4.], dtype=float32)
    """
    name = "histogram"
    array = _counted(name, x)
    dtype = array.dtype if is_kind(array.dtype, "float") else FLOAT
    if not isinstance(bins, int):
        edges = as_array(bins, name)
        if edges.ndim != 1:
            raise ShapeError(f"{name}: bins are a number or edges of one dimension")
        if not edges.size:
            raise ArgumentError(
                f"{name}: bins has no edges, so there are no bins; give two at least, "
                "or a number of bins"
            )
        return edges
    if bins < 1:
        raise ArgumentError(f"{name}: bins is {bins}; it must be 1 at least")
    if range is None:
        if not array.size:
            return linspace(0, 1, bins + 1, dtype=dtype)
        low, high = cast(smallest(array), dtype), cast(largest(array), dtype)
    else:
        low, high = cast(range[0], dtype), cast(range[1], dtype)
    none = low == high
    low, high = select(none, low - 0.5, low), select(none, high + 0.5, high)
    return linspace(low, high, bins + 1, dtype=dtype)


@public
def histogram(
    x: ArrayLike,
    /,
    bins: int | ArrayLike = 10,
    range: tuple[ArrayLike, ArrayLike] | None = None,
    weights: ArrayLike | None = None,
    density: bool = False,
) -> tuple[Array, Array]:
    """How many elements are in each bin, and the edges of the bins.

    `bins` are as many of one width, from the least element to the largest or over
    `range`, or the sorted edges themselves. The last bin holds its upper edge too. With
    `weights` each element counts as its weight; with `density` the counts are divided
    by their sum and by the width of the bin.

    >>> weft.histogram(weft.asarray([0.0, 3.0, 4.0]), 2)[0]
    Array([1, 2], dtype=int64)
    """
    array = reshape(_counted("histogram", x), (-1,))
    edges = histogram_bin_edges(array, bins, range)
    count = edges.size - 1
    elements, bounds = promoted("histogram", [array, edges])
    bin_of = searchsorted(bounds, elements, side="right") - 1
    bin_of = select(elements == bounds[-1], count - 1, bin_of)
    inside = logical_and(
        greater_equal(elements, bounds[0]), less_equal(elements, bounds[-1])
    )
    if weights is None:
        added = full(array.shape, 1, dtype=INT)
    else:
        added = reshape(as_array(weights, "histogram"), array.shape)
    counts = _added(
        zeros((count,), dtype=added.dtype), added, select(inside, bin_of, count)
    )
    if density:
        widths = bounds[1:] - bounds[:-1]
        counts = divide(divide(counts, widths), total(counts))
    return counts, edges


# ---- where a condition holds ----


@public
def nonzero(
    x: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | Sequence[ArrayLike] | None = None,
) -> tuple[Array, ...]:
    """The indices of the elements that are not zero, one array for each axis.

    They are as many as such elements, or `size`: then the first ones, filled up with
    `fill_value` (by default 0; one value, or one for each axis). A traced array needs
    `size`, because the number of indices is a shape.

    >>> weft.nonzero(weft.asarray([0, 5, 7]))
    (Array([1, 2], dtype=int64),)
    >>> weft.nonzero(weft.asarray([0, 5, 7]), size=3, fill_value=-1)
    (Array([ 1,  2, -1], dtype=int64),)
    """
    return _nonzero("nonzero", as_array(x, "nonzero"), size, fill_value)


def _nonzero(
    name: str, x: Array, size: int | None, fill_value: object
) -> tuple[Array, ...]:
    if not x.ndim:
        raise ShapeError(f"{name} takes an array of one dimension at least")
    if size is None:
        elements = known(x)
        if elements is None:
            raise ArgumentError(
                f"{name}: how many elements of {spell(x.dtype, x.shape)} are not zero "
                "is not known while a program is traced; say how many indices there "
                "are: size=n"
            )
        return tuple(Array(places) for places in np.nonzero(elements))
    flat = not_equal(reshape(x, (-1,)), 0)
    places = _places(flat, integer(name, "size", size))
    exists = less(iota((size,), 0), total(flat))
    fills = _fills(name, fill_value, x.ndim)
    return tuple(
        select(exists, index, fill)
        for index, fill in zip(unravel_index(places, x.shape), fills, strict=True)
    )


def _places(flat: Array, size: int) -> Array:
    """The first places where bools hold; 0 where there are no more."""
    found = zeros((size,), dtype=INT)
    if not (flat.size and size):
        return found
    place = select(flat, cumsum(flat) - 1, size)
    return scatter(found, iota(flat.shape, 0), [place], dims=[0], collapsed=[0])


def _fills(name: str, fill_value: object, ndim: int) -> list[Array]:
    if fill_value is None:
        fill_value = 0
    if isinstance(fill_value, (tuple, list)):
        values = [indices_of(name, value) for value in fill_value]
        if len(values) != ndim:
            raise ArgumentError(
                f"{name}: {len(values)} fill values for {ndim} axes; give one for each"
            )
        return values
    return [indices_of(name, fill_value)] * ndim  # type: ignore[arg-type]


@public
def flatnonzero(
    x: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The indices, in the flattened array, of the elements that are not zero.

    `size` and `fill_value` are those of `weft.nonzero`.

    >>> weft.flatnonzero(weft.asarray([[0, 5], [7, 0]]))
    Array([1, 2], dtype=int64)
    """
    flat = reshape(as_array(x, "flatnonzero"), (-1,))
    return _nonzero("flatnonzero", flat, size, fill_value)[0]


@public
def argwhere(
    x: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | Sequence[ArrayLike] | None = None,
) -> Array:
    """The indices of the elements that are not zero, one row for each element.

    `size` and `fill_value` are those of `weft.nonzero`.

    >>> weft.argwhere(weft.asarray([[0, 5], [7, 0]]))
    Array([[0, 1],
           [1, 0]], dtype=int64)
    """
    array = as_array(x, "argwhere")
    if not array.ndim:
        # A number has no axes: a row of nothing where it is not zero.
        found = _nonzero("argwhere", reshape(array, (1,)), size, 0)[0]
        return zeros((found.size, 0), dtype=INT)
    places = _nonzero("argwhere", array, size, fill_value)
    return concatenate([expand_dims(place, axis=1) for place in places], axis=1)


@overload
def where(condition: ArrayLike, x: ArrayLike, y: ArrayLike, /) -> Array: ...
@overload
def where(
    condition: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | Sequence[ArrayLike] | None = None,
) -> tuple[Array, ...]: ...
@public
def where(
    condition: ArrayLike,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | Sequence[ArrayLike] | None = None,
) -> Any:
    """Elementwise `x` where the condition holds, else `y`.

    With the condition alone, the indices where it holds: see `weft.nonzero`.

    >>> weft.where(weft.asarray([True, False]), 1.0, weft.asarray([5.0, 6.0]))
    Array([1., 6.], dtype=float32)
    >>> weft.where(weft.asarray([True, False, True]))
    (Array([0, 2], dtype=int64),)
    """
    if x is None and y is None:
        array = as_array(condition, "where")
        return _nonzero("where", array, size, fill_value)
    if x is None or y is None:
        raise ArgumentError("where takes a condition alone, or both x and y with it")
    if size is not None or fill_value is not None:
        raise ArgumentError("where: size and fill_value are for a condition alone")
    return select(condition, x, y)


# ---- flat indices ----


@public
def unravel_index(indices: ArrayLike, shape: Shape | int, /) -> tuple[Array, ...]:
    """The index along each axis of elements given by their place in the flat array.

    Negative places count from the end.

    >>> weft.unravel_index(weft.asarray([4]), (2, 3))
    (Array([1], dtype=int64), Array([1], dtype=int64))
    """
    place = indices_of("unravel_index", indices)
    sizes = shape_tuple(shape, "unravel_index")
    count = math.prod(sizes)
    if count:
        place = select(less(place, 0), place + count, place)
    found: list[Array] = []
    for size in sizes[::-1]:
        found.append(place % max(size, 1))
        place = place // max(size, 1)
    return tuple(found[::-1])


@public
def ravel_multi_index(
    multi_index: Sequence[ArrayLike],
    dims: Sequence[int],
    /,
    mode: Literal["clip", "wrap"] = "clip",
) -> Array:
    """The place in the flat array of elements given by their index along each axis.

    Indices beyond the end are made the nearest or, with `mode="wrap"`, taken modulo the
    size.

    >>> weft.ravel_multi_index((weft.asarray([1]), weft.asarray([1])), (2, 3))
    Array([4], dtype=int64)
    """
    name = "ravel_multi_index"
    if mode not in ("clip", "wrap"):
        raise ArgumentError(f"{name}: mode is 'clip' or 'wrap', not {mode!r}")
    if len(multi_index) != len(dims) or not dims:
        raise ShapeError(
            f"{name}: {len(multi_index)} indices for {len(dims)} axes; give one each"
        )
    sizes = shape_tuple(dims, name)
    arrays = broadcast_all(name, *(indices_of(name, index) for index in multi_index))
    place = zeros(arrays[0].shape, dtype=INT)
    for index, size in zip(arrays, sizes, strict=True):
        held = index % size if mode == "wrap" else minimum(maximum(index, 0), size - 1)
        place = multiply(place, size) + held
    return place
