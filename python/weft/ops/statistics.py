"""Statistics of arrays, differences between neighbours, and sums of areas."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from ..array import Array
from ..dtypes import BOOL, is_kind, real_dtype, spell
from ..errors import ArgumentError, ShapeError, public
from .arithmetic import divide, maximum, minimum, multiply, subtract
from .arranging import ravel
from .choice import clip, select
from .create import full_like, ones_like
from .logic import not_equal
from .parts import complex, conj, imag, real
from .products import matmul
from .reduce import Axis, floats, mean
from .reduce import max as largest
from .reduce import min as smallest
from .reduce import sum as total
from .registry import ArrayLike, as_array, cast, common_dtype
from .searching import searchsorted
from .shape import (
    axis_index,
    broadcast_to,
    concatenate,
    integer,
    reshape,
    transpose,
)
from .taking import take
from .transcendental import sqrt
from .triangles import diagonal

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "diff",
    "ediff1d",
    "interp",
    "ptp",
    "trapezoid",
]


@public
def ptp(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """The largest element along axes less the smallest one.

    >>> weft.ptp(weft.asarray([3, 1, 7]))
    Array(6, dtype=int64)
    """
    array = as_array(x, "ptp")
    return subtract(
        largest(array, axis=axis, keepdims=keepdims),
        smallest(array, axis=axis, keepdims=keepdims),
    )


@public
def average(
    x: ArrayLike,
    /,
    axis: int | None = None,
    weights: ArrayLike | None = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
) -> Any:
    """The mean over an axis, in which each element counts as its weight.

    `weights` are of the shape of `x`, or of one dimension along the axis. `returned`
    gives the sum of the weights too.

    >>> weft.average(weft.asarray([1.0, 2.0]), weights=weft.asarray([3.0, 1.0]))
    Array(1.25, dtype=float32)
    """
    array = floats(x, "average", "inexact")
    if weights is None:
        found = mean(array, axis=axis, keepdims=keepdims)
        count = array.size if axis is None else array.shape[axis]
        return (found, full_like(found, count)) if returned else found
    w = as_array(weights, "average")
    if w.shape != array.shape:
        if axis is None or w.shape != (array.shape[axis],):
            raise ShapeError(
                f"average: weights of shape {w.shape} for "
                f"{spell(array.dtype, array.shape)}; they need its shape, or one "
                "dimension along the axis"
            )
        along = axis_index("average", axis, array.ndim)
        w = reshape(w, (-1, *(1,) * (array.ndim - 1 - along)))
    dtype, _ = common_dtype("average", array, w)
    w = broadcast_to(cast(w, dtype), array.shape)
    scale = total(w, axis=axis, keepdims=keepdims)
    weighted = total(multiply(cast(array, dtype), w), axis=axis, keepdims=keepdims)
    found = divide(weighted, scale)
    return (found, scale) if returned else found


# ---- covariance ----


def _observations(x: ArrayLike, rowvar: bool, dtype: np.dtype[Any]) -> Array:
    """Variables as rows, of one observation a column."""
    array = cast(x, dtype)
    if array.ndim > 2:
        raise ShapeError(f"cov takes at most two dimensions, not shape {array.shape}")
    if array.ndim < 2:
        return reshape(array, (1, -1))
    return array if rowvar or array.shape[0] == 1 else transpose(array)


@public
def cov(
    m: ArrayLike,
    /,
    y: ArrayLike | None = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: ArrayLike | None = None,
    aweights: ArrayLike | None = None,
) -> Array:
    """The covariances of variables: the rows of `m` (and `y`), or columns.

    The products' sum is divided by the number of observations less one or, with `bias`,
    by that number; `ddof` says what is taken off in either case's place. `fweights` are
    how often each observation counts, `aweights` how much. Of complex variables the
    second one of each product is conjugated.

    >>> weft.cov(weft.asarray([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    given = [floats(x, "cov", "inexact") for x in (m, y) if x is not None]
    dtype = common_dtype("cov", *given)[0]
    rows = concatenate([_observations(x, rowvar, dtype) for x in given])
    off = (0.0 if bias else 1.0) if ddof is None else ddof
    weights = _weights(rows, fweights, aweights)
    if weights is None:
        centre = mean(rows, axis=1, keepdims=True)
        scaled, factor = rows - centre, rows.shape[1] - off
        products = matmul(scaled, conj(transpose(scaled)))
        found = divide(products, builtins.max(factor, 0.0))
    else:
        sums = total(weights)
        centre = divide(total(rows * weights, axis=1, keepdims=True), sums)
        scaled = rows - centre
        share = weights if aweights is None else weights * cast(aweights, weights.dtype)
        lost = divide(off * total(share), sums)
        factor = sums - (off if aweights is None else lost)
        products = matmul(scaled * weights, conj(transpose(scaled)))
        found = divide(products, maximum(factor, 0.0))
    return reshape(found, ()) if found.shape == (1, 1) else found


def _weights(
    rows: Array, fweights: ArrayLike | None, aweights: ArrayLike | None
) -> Array | None:
    found: Array | None = None
    for given in (fweights, aweights):
        if given is None:
            continue
        w = cast(given, real_dtype(rows.dtype))
        if w.shape != (rows.shape[1],):
            raise ShapeError(
                f"cov: weights of shape {w.shape} for {rows.shape[1]} observations"
            )
        found = w if found is None else found * w
    return found


@public
def corrcoef(x: ArrayLike, /, y: ArrayLike | None = None, rowvar: bool = True) -> Array:
    """The correlations of variables, each part from -1 to 1 (see `weft.cov`).

    >>> weft.corrcoef(weft.asarray([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    Array([[ 1., -1.],
           [-1.,  1.]], dtype=float32)
    """
    products = cov(x, y, rowvar)
    if not products.ndim:
        return divide(products, products)
    deviations = sqrt(real(diagonal(products)))
    found = products / deviations[:, None] / deviations[None, :]
    if not is_kind(found.dtype, "complex"):
        return clip(found, -1.0, 1.0)
    return complex(clip(real(found), -1.0, 1.0), clip(imag(found), -1.0, 1.0))


# ---- neighbours ----


@public
def diff(
    x: ArrayLike,
    /,
    n: int = 1,
    axis: int = -1,
    *,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Array:
    """The differences between neighbours along an axis, taken `n` times.

    `prepend` and `append` are put before and behind the elements first. Of bools, it is
    whether neighbours differ.

    >>> weft.diff(weft.asarray([1, 4, 9]))
    Array([3, 5], dtype=int64)
    """
    array = as_array(x, "diff")
    along = axis_index("diff", axis, array.ndim)
    if integer("diff", "n", n) < 0:
        raise ArgumentError(f"diff: n is {n}; it must not be negative")
    around = [_beside(array, value, along) for value in (prepend, append)]
    parts = [around[0], array, around[1]]
    joined = [part for part in parts if part is not None]
    array = concatenate(joined, axis=along) if len(joined) > 1 else array
    lead = (builtins.slice(None),) * along
    for _ in range(n):
        after = array[(*lead, builtins.slice(1, None))]
        before = array[(*lead, builtins.slice(None, -1))]
        array = (not_equal if array.dtype == BOOL else subtract)(after, before)
    return array


def _beside(x: Array, value: ArrayLike | None, axis: int) -> Array | None:
    if value is None:
        return None
    array = as_array(value, "diff")
    one = tuple(1 if i == axis else size for i, size in enumerate(x.shape))
    return array if array.ndim else broadcast_to(array, one)


@public
def ediff1d(
    x: ArrayLike,
    /,
    to_end: ArrayLike | None = None,
    to_begin: ArrayLike | None = None,
) -> Array:
    """The differences between neighbours of all elements in order.

    Those `to_begin` come first, and those `to_end` last.

    >>> weft.ediff1d(weft.asarray([1, 4, 9]), to_begin=0)
    Array([0, 3, 5], dtype=int64)
    """
    array = ravel(x)
    middle = subtract(array[1:], array[:-1])
    ends = [
        None if e is None else cast(ravel(e), array.dtype) for e in (to_begin, to_end)
    ]
    parts = [part for part in (ends[0], middle, ends[1]) if part is not None]
    return concatenate(parts)


@public
def trapezoid(
    y: ArrayLike,
    /,
    x: ArrayLike | None = None,
    dx: ArrayLike = 1.0,
    axis: int = -1,
) -> Array:
    """The area under a line through points along an axis, by trapezoids.

    They are at `x`, of one dimension or of the shape of `y`, or `dx` apart.

    >>> weft.trapezoid(weft.asarray([1.0, 2.0, 4.0]))
    Array(4.5, dtype=float32)
    """
    array = floats(y, "trapezoid", "inexact")
    along = axis_index("trapezoid", axis, array.ndim)
    lead = (builtins.slice(None),) * along
    widths: ArrayLike = dx
    if x is not None:
        places = floats(x, "trapezoid")
        if places.ndim == 1:
            tail = (1,) * (array.ndim - 1 - along)
            widths = reshape(diff(places), (-1, *tail))
        else:
            widths = diff(places, axis=along)
    sums = (
        array[(*lead, builtins.slice(1, None))]
        + (array[(*lead, builtins.slice(None, -1))])
    )
    return total(multiply(widths, sums) * 0.5, axis=along)


@public
def interp(
    x: ArrayLike,
    xp: ArrayLike,
    fp: ArrayLike,
    /,
    left: ArrayLike | None = None,
    right: ArrayLike | None = None,
    period: float | None = None,
) -> Array:
    """The line through points `(xp, fp)`, of ascending `xp`, at each of `x`.

    Before the first point it is `left`, by default the first of `fp`, and behind the
    last one `right`. With a `period` the points repeat. `fp` may be complex.

    >>> weft.interp(1.5, weft.asarray([1.0, 2.0]), weft.asarray([10.0, 20.0]))
    Array(15., dtype=float32)
    """
    heights = floats(fp, "interp", "inexact")
    dtype, _ = common_dtype("interp", x, floats(xp, "interp"), heights)
    at, places = (cast(each, real_dtype(dtype)) for each in (x, xp))
    values = cast(heights, dtype)
    if places.ndim != 1 or places.shape != values.shape or not places.size:
        raise ShapeError(
            f"interp: xp and fp are of one dimension and one size, not of shapes "
            f"{places.shape} and {values.shape}"
        )
    if period is not None:
        at, places, values = _periodic(at, places, values, math.fabs(period))
    if places.size == 1:
        inside = broadcast_to(values[0], at.shape) * ones_like(at)
    else:
        behind = searchsorted(places, at, side="right")
        behind = minimum(maximum(behind, 1), places.size - 1)
        low, high = (_at(places, behind - 1), _at(places, behind))
        first, last = (_at(values, behind - 1), _at(values, behind))
        width = high - low
        slope = (last - first) / select(width == 0, 1.0, width)
        inside = select(width == 0, first, first + (at - low) * slope)
    if period is not None:
        return inside
    ends = (
        values[0] if left is None else cast(left, dtype),
        values[-1] if right is None else cast(right, dtype),
    )
    inside = select(at < places[0], ends[0], inside)
    return select(at > places[-1], ends[1], inside)


def _at(x: Array, index: Array) -> Array:
    return take(x, index, mode="promise_in_bounds")


def _periodic(
    at: Array, places: Array, values: Array, period: float
) -> tuple[Array, Array, Array]:
    from .sorting import sort

    places, values = sort((places % period, values))
    places = concatenate([places[-1:] - period, places, places[:1] + period])
    return at % period, places, concatenate([values[-1:], values, values[:1]])
