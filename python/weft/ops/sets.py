"""Distinct elements of arrays, and what two arrays have in common.

How many there are is known at once where the elements are; in a traced program it is a
shape, and must be said: `size`.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..array import Array
from ..dtypes import INT, is_kind, spell
from ..errors import ArgumentError, public
from .choice import select
from .create import full, iota, zeros
from .cumulative import cumsum
from .entries import known
from .logic import isnan, less, logical_and, logical_not, logical_or, not_equal
from .reduce import any as some
from .registry import ArrayLike, Shape, as_array, cast
from .searching import isin
from .shape import axis_index, concatenate, integer, moveaxis, promoted, reshape
from .slices import scatter, scatter_add
from .sorting import argsort_, sort_
from .taking import take

__all__ = [
    "UniqueAllResult",
    "UniqueCountsResult",
    "UniqueInverseResult",
    "intersect1d",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAllResult(NamedTuple):
    """What `weft.unique_all` gives."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCountsResult(NamedTuple):
    """What `weft.unique_counts` gives."""

    values: Array
    counts: Array


class UniqueInverseResult(NamedTuple):
    """What `weft.unique_inverse` gives."""

    values: Array
    inverse_indices: Array


@dataclass(frozen=True, slots=True)
class Distinct:
    """The distinct rows of a matrix, sorted: `size` of them, filled up.

    `first` is where each one is first, `group` is which one each row is, `counts` how
    often it is there.
    """

    values: Array
    first: Array
    group: Array
    counts: Array


def _differ(x: Array, y: Array, equal_nan: bool) -> Array:
    found = not_equal(x, y)
    if equal_nan and is_kind(x.dtype, "inexact"):
        found = logical_and(found, logical_not(logical_and(isnan(x), isnan(y))))
    return some(found, axis=1)


def _distinct(rows: Array, size: int | None, fill_value: Any, nan: bool) -> Distinct:
    count, width = rows.shape
    if not count:
        length = 0 if size is None else size
        value = 0 if fill_value is None else fill_value
        none = zeros((length,), dtype=INT)
        filled = full((length, width), cast(value, rows.dtype))
        return Distinct(filled, none, zeros((0,), dtype=INT), none)
    keys = [rows[:, i] for i in range(width)] or [zeros((count,), dtype=INT)]
    order = argsort_(keys, 0, False)
    ordered = take(rows, order, 0, mode="promise_in_bounds")
    start = full((1,), True)
    starts = concatenate([start, _differ(ordered[1:], ordered[:-1], nan)])
    group = cumsum(starts) - 1
    length = _length(starts) if size is None else size
    first = _put(length, select(starts, group, length), order)
    values = take(rows, first, 0, mode="promise_in_bounds")
    exists = less(iota((length,), 0), group[-1] + 1)
    # The first of them is the least.
    fill = ordered[:1] if fill_value is None else cast(fill_value, rows.dtype)
    values = select(exists[:, None], values, fill)
    counts = zeros((length,), dtype=INT)
    if length:
        first = select(exists, first, first[0])
        ones = full((count,), 1)
        counts = scatter_add(counts, ones, [group], dims=[0], collapsed=[0])
    inverse = _put(count, order, group)
    return Distinct(values, first, inverse, counts)


def _values(x: Array, size: int | None, fill_value: Any, nan: bool) -> Array:
    """The distinct elements, of which nothing else is asked: a sort is enough."""
    if not x.size:
        return reshape(
            _distinct(reshape(x, (0, 1)), size, fill_value, nan).values, (-1,)
        )
    ordered = sort_(reshape(x, (-1,)), 0, False)
    column = reshape(ordered, (-1, 1))
    new = _differ(column[1:], column[:-1], nan)
    starts = concatenate([full((1,), True), new])
    length = _length(starts) if size is None else size
    fill = ordered[0] if fill_value is None else cast(fill_value, x.dtype)
    base = full((length,), fill)
    if not length:
        return base
    place = select(starts, cumsum(starts) - 1, length)
    return scatter(base, ordered, [place], dims=[0], collapsed=[0])


def _length(starts: Array) -> int:
    """How many distinct rows there are."""
    flags = known(starts)
    assert flags is not None
    return int(np.count_nonzero(flags))


def _put(size: int, places: Array, values: Array) -> Array:
    base = zeros((size,), dtype=INT)
    if not size:
        return base
    return scatter(base, values, [places], dims=[0], collapsed=[0])


def _checked(name: str, x: Array, size: Any, fill_value: Any) -> int | None:
    if size is not None:
        length = integer(name, "size", size)
        if length < 0:
            raise ArgumentError(f"{name}: size is {length}; it must not be negative")
        return length
    if known(x) is None:
        raise ArgumentError(
            f"{name}: how many distinct elements {spell(x.dtype, x.shape)} has is not "
            "known while a program is traced; say how many there are at most: size=n"
        )
    if fill_value is not None:
        raise ArgumentError(f"{name}: fill_value is for a size, and there is none")
    return None


@public
def unique(
    x: ArrayLike,
    /,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Any:
    """The distinct elements, sorted, or the distinct slices along an axis.

    If asked for, also where each is first, which of them each element is, and how often
    each is there: a tuple then. `equal_nan` takes all NaN for one. A traced array needs
    `size`, the number of elements of the result: the first ones, filled up with
    `fill_value`, by default the least one; those that fill up are counted 0 times.

    >>> weft.unique(weft.asarray([3, 1, 3]))
    Array([1, 3], dtype=int64)
    >>> weft.unique(weft.asarray([3, 1, 3]), size=3, fill_value=9)
    Array([1, 3, 9], dtype=int64)
    """
    array = as_array(x, "unique")
    if axis is None and not (return_index or return_inverse or return_counts):
        length = _checked("unique", array, size, fill_value)
        return _values(array, length, fill_value, equal_nan)
    found, shape = _of(array, "unique", axis, equal_nan, size, fill_value)
    inverse = found.group
    if axis is None:
        inverse = reshape(inverse, array.shape)
    asked = (return_index, return_inverse, return_counts)
    extra = zip(asked, (found.first, inverse, found.counts), strict=True)
    results = [_slices(found.values, shape, axis), *(e for yes, e in extra if yes)]
    return tuple(results) if len(results) > 1 else results[0]


def _of(
    x: Array, name: str, axis: int | None, nan: bool, size: Any, fill_value: Any
) -> tuple[Distinct, Shape]:
    """The distinct slices of an array, and the shape of one."""
    length = _checked(name, x, size, fill_value)
    if axis is None:
        return _distinct(reshape(x, (-1, 1)), length, fill_value, nan), ()
    front = moveaxis(x, axis_index(name, axis, x.ndim), 0)
    shape = front.shape[1:]
    rows = reshape(front, (front.shape[0], math.prod(shape)))
    return _distinct(rows, length, fill_value, nan), shape


def _slices(rows: Array, shape: Shape, axis: int | None) -> Array:
    if axis is None:
        return reshape(rows, (-1,))
    return moveaxis(reshape(rows, (rows.shape[0], *shape)), 0, axis)


@public
def unique_values(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Array:
    """The distinct elements, sorted; each NaN is one (see `weft.unique`).

    >>> weft.unique_values(weft.asarray([3, 1, 3]))
    Array([1, 3], dtype=int64)
    """
    array = as_array(x, "unique_values")
    length = _checked("unique_values", array, size, fill_value)
    return _values(array, length, fill_value, False)


@public
def unique_counts(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> UniqueCountsResult:
    """The distinct elements and how often each is there (see `weft.unique_values`).

    >>> weft.unique_counts(weft.asarray([3, 1, 3])).counts
    Array([1, 2], dtype=int64)
    """
    array = as_array(x, "unique_counts")
    found, _ = _of(array, "unique_counts", None, False, size, fill_value)
    return UniqueCountsResult(reshape(found.values, (-1,)), found.counts)


@public
def unique_inverse(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> UniqueInverseResult:
    """The distinct elements and which of them each element is.

    >>> weft.unique_inverse(weft.asarray([3, 1, 3])).inverse_indices
    Array([1, 0, 1], dtype=int64)
    """
    array = as_array(x, "unique_inverse")
    found, _ = _of(array, "unique_inverse", None, False, size, fill_value)
    inverse = reshape(found.group, array.shape)
    return UniqueInverseResult(reshape(found.values, (-1,)), inverse)


@public
def unique_all(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> UniqueAllResult:
    """The distinct elements, where each is first, which one each is, and how often.

    >>> weft.unique_all(weft.asarray([3, 1, 3])).indices
    Array([1, 0], dtype=int64)
    """
    array = as_array(x, "unique_all")
    found, _ = _of(array, "unique_all", None, False, size, fill_value)
    return UniqueAllResult(
        reshape(found.values, (-1,)),
        found.first,
        reshape(found.group, array.shape),
        found.counts,
    )


# ---- of two arrays ----


def _both(name: str, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    first, second = promoted(name, [x, y])
    return reshape(first, (-1,)), reshape(second, (-1,))


@public
def union1d(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements of two arrays, sorted (see `weft.unique`).

    >>> weft.union1d(weft.asarray([3, 1]), weft.asarray([2, 1]))
    Array([1, 2, 3], dtype=int64)
    """
    joined = concatenate(_both("union1d", x, y))
    return unique(joined, size=size, fill_value=fill_value)


def _chosen(
    name: str, values: Array, kept: Array, size: int | None, fill_value: Any
) -> Array:
    """The distinct elements among those that are kept."""
    length = _checked(name, logical_or(kept, values != values), size, fill_value)
    if length is None:
        flags = known(kept)
        assert flags is not None
        return unique(take(values, Array(np.flatnonzero(flags)), mode="clip"))
    if not values.size:
        return unique(values, size=length, fill_value=fill_value)
    # The kept ones come first, in order; all others are after the last one.
    order = argsort_([logical_not(kept), values], 0, False)
    ordered = take(values, order, mode="promise_in_bounds")
    there = take(kept, order, mode="promise_in_bounds")
    new = concatenate([full((1,), True), not_equal(ordered[1:], ordered[:-1])])
    new = logical_and(new, there)
    place = select(new, cumsum(new) - 1, length)
    fill = ordered[0] if fill_value is None else cast(fill_value, values.dtype)
    base = full((length,), fill)
    if not length:
        return base
    return scatter(base, ordered, [place], dims=[0], collapsed=[0])


@public
def intersect1d(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements that are in both of two arrays, sorted.

    `size` and `fill_value` are those of `weft.unique`.

    >>> weft.intersect1d(weft.asarray([3, 1]), weft.asarray([2, 1]))
    Array([1], dtype=int64)
    """
    first, second = _both("intersect1d", x, y)
    kept = isin(first, second)
    return _chosen("intersect1d", first, kept, size, fill_value)


@public
def setdiff1d(
    x: ArrayLike,
    y: ArrayLike,
    /,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements of `x` that are not in `y`, sorted.

    `size` and `fill_value` are those of `weft.unique`; `assume_unique` changes nothing.

    >>> weft.setdiff1d(weft.asarray([3, 1]), weft.asarray([2, 1]))
    Array([3], dtype=int64)
    """
    first, second = _both("setdiff1d", x, y)
    kept = isin(first, second, invert=True)
    return _chosen("setdiff1d", first, kept, size, fill_value)


@public
def setxor1d(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The distinct elements that are in one of two arrays only, sorted.

    `size` and `fill_value` are those of `weft.unique`.

    >>> weft.setxor1d(weft.asarray([3, 1]), weft.asarray([2, 1]))
    Array([2, 3], dtype=int64)
    """
    first, second = _both("setxor1d", x, y)
    kept = [isin(first, second, invert=True), isin(second, first, invert=True)]
    both = concatenate([first, second])
    return _chosen("setxor1d", both, concatenate(kept), size, fill_value)
