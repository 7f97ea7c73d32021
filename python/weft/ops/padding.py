"""Padding in the ways of `numpy.pad`: constants, copies, statistics, ramps."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import is_kind, spell
from ..errors import ArgumentError, ShapeError, UnsupportedTypeError, public
from . import reduce
from .arithmetic import divide, floor, multiply, round
from .registry import ArrayLike, as_array, cast
from .shape import axis_index, broadcast_to, concatenate, integer, reverse
from .shape import pad as pad_constant
from .taking import take

__all__ = ["pad"]

Widths: TypeAlias = (
    int | Sequence[int] | Sequence[Sequence[int]] | dict[int, int | tuple[int, int]]
)
Pair: TypeAlias = tuple[Any, Any]


@public
def pad(
    x: ArrayLike,
    pad_width: Widths,
    /,
    mode: str = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
    reflect_type: str = "even",
    interior: Sequence[int] | None = None,
) -> Array:
    """An array with elements put before and after those along each axis.

    `pad_width` is one width, (before, after), one such pair for each axis, or a dict
    of widths by axis. `mode` says what they are, as for `numpy.pad`:

    - "constant": `constant_values`; `interior` puts them between elements too.
    - "edge": the first and the last element.
    - "reflect", "symmetric": the array mirrored at its first and last elements, which
      "symmetric" repeats; with `reflect_type="odd"` twice the edge less that.
    - "wrap": the array repeated.
    - "linear_ramp": from `end_values` to the edge.
    - "maximum", "minimum", "mean": of the `stat_length` elements at that end, by
      default of all.

    Values and lengths are given for all axes or for each, as widths are. Axes are
    padded one after the other. Raises `ArgumentError` for negative widths, and
    `ShapeError` where an axis without elements has nothing to repeat.

    >>> weft.pad(weft.asarray([1, 2, 3]), (2, 1), "reflect")
    Array([3, 2, 1, 2, 3, 2], dtype=int64)
    >>> weft.pad(weft.asarray([1, 2]), 1, constant_values=9)
    Array([9, 1, 2, 9], dtype=int64)
    """
    array = as_array(x, "pad")
    if not isinstance(mode, str):
        raise UnsupportedTypeError("pad: mode must be the name of one, not a function")
    widths = _widths(pad_width, array.ndim)
    if mode in ("constant", "empty"):
        return _constant(array, widths, constant_values, interior)
    if interior is not None:
        raise ArgumentError(f"pad: interior is for mode 'constant', not {mode!r}")
    options = {
        "linear_ramp": end_values, "maximum": stat_length, "minimum": stat_length,
        "mean": stat_length,
    }  # fmt: skip
    if mode not in _MODES:
        raise ArgumentError(
            f"pad: mode is {mode!r}; the modes are 'constant', "
            f"{', '.join(map(repr, _MODES))}"
        )
    if reflect_type not in ("even", "odd"):
        raise ArgumentError(
            f"pad: reflect_type is {reflect_type!r}; it must be 'even' or 'odd'"
        )
    pairs = _pairs(options.get(mode), array.ndim, "stat_length")
    odd = reflect_type == "odd" and mode in ("reflect", "symmetric")
    _check_elements(array, widths, mode)
    for axis, width in enumerate(widths):
        if any(width):
            apply = _odd if odd else _MODES[mode]
            option: Any = mode if odd or mode in _PLACES else pairs[axis]
            array = apply(array, axis, width, option)
    return array


# ---- arguments ----


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        by_axis = {axis_index("pad", a, ndim): w for a, w in pad_width.items()}
        pad_width = [
            w if isinstance(w, (tuple, list)) else (w, w)
            for w in (by_axis.get(i, 0) for i in range(ndim))
        ]
    result = [
        (integer("pad", "a width", a), integer("pad", "a width", b))
        for a, b in _pairs(pad_width, ndim, "pad_width")
    ]
    if any(min(pair) < 0 for pair in result):
        raise ArgumentError(
            f"pad: widths must not be negative, got {result}; slice to cut elements off"
        )
    return result


def _pairs(given: Any, ndim: int, name: str) -> list[Pair]:
    """One pair for each axis, of what is given for all, for both ends, or for each."""
    if not isinstance(given, (tuple, list, np.ndarray)):
        return [(given, given)] * ndim
    rows = [list(row) if _is_sequence(row) else row for row in given]
    if not rows and not ndim:
        return []
    if all(not isinstance(row, list) for row in rows):
        if len(rows) in (1, 2):
            return [(rows[0], rows[-1])] * ndim
    elif all(isinstance(row, list) and len(row) in (1, 2) for row in rows):
        pairs = [(row[0], row[-1]) for row in rows]
        if len(pairs) == 1:
            return pairs * ndim
        if len(pairs) == ndim:
            return pairs
    raise ShapeError(
        f"pad: {name} {given} does not give (before, after) for each of the {ndim} axes"
    )


def _is_sequence(x: object) -> bool:
    return isinstance(x, (tuple, list)) or (isinstance(x, np.ndarray) and x.ndim > 0)


def _check_elements(x: Array, widths: Sequence[tuple[int, int]], mode: str) -> None:
    for axis, width in enumerate(widths):
        if x.shape[axis] == 0 and any(width):
            raise ShapeError(
                f"pad: axis {axis} of {spell(x.dtype, x.shape)} has no element that "
                f"mode {mode!r} could extend; use mode='constant'"
            )


# ---- modes ----


def _constant(
    x: Array, widths: Sequence[tuple[int, int]], values: Any, interior: Any
) -> Array:
    if not x.ndim:
        return x
    if not _is_sequence(values):
        return pad_constant(x, widths, values, interior=interior)
    if interior is not None:
        raise ArgumentError("pad: with interior, constant_values must be one value")
    pairs = _pairs(values, x.ndim, "constant_values")
    for axis, ((before, after), (first, last)) in enumerate(
        zip(widths, pairs, strict=True)
    ):
        for width, value in (((before, 0), first), ((0, after), last)):
            own = [(0, 0)] * x.ndim
            own[axis] = width
            x = pad_constant(x, own, value)
    return x


def _around(x: Array, axis: int, before: Array | None, after: Array | None) -> Array:
    parts = [part for part in (before, x, after) if part is not None]
    return concatenate([cast(part, x.dtype) for part in parts], axis=axis)


def _ends(x: Array, axis: int, first: int, last: int) -> tuple[Array, Array]:
    """So many elements at each end of an axis."""
    lead = (slice(None),) * axis
    size = x.shape[axis]
    return x[(*lead, slice(0, first))], x[(*lead, slice(size - last, size))]


def _repeated(part: Array, axis: int, width: int) -> Array | None:
    shape = (*part.shape[:axis], width, *part.shape[axis + 1 :])
    return broadcast_to(part, shape) if width else None


def _edge(x: Array, axis: int, width: tuple[int, int], _: Any) -> Array:
    first, last = _ends(x, axis, 1, 1)
    before, after = width
    return _around(
        x, axis, _repeated(first, axis, before), _repeated(last, axis, after)
    )


def _wrapped(places: np.ndarray, size: int) -> np.ndarray:
    return places % size


def _reflected(places: np.ndarray, size: int) -> np.ndarray:
    period = max(2 * size - 2, 1)
    phase = places % period
    return np.minimum(phase, period - phase) if size > 1 else 0 * places


def _mirrored(places: np.ndarray, size: int) -> np.ndarray:
    phase = places % (2 * size)
    return np.minimum(phase, 2 * size - 1 - phase)


_PLACES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "reflect": _reflected,
    "symmetric": _mirrored,
    "wrap": _wrapped,
}


def _copied(x: Array, axis: int, width: tuple[int, int], mode: str) -> Array:
    """Elements of the array itself, from the places that a mode names."""
    size = x.shape[axis]
    # Up to a period, what is added is a slice of the array.
    skipped = 1 if mode == "reflect" else 0
    if max(width) <= size - skipped:
        before, after = width
        if mode == "wrap":
            after, before = before, after
        first, last = _ends(x, axis, before + skipped, after + skipped)
        if skipped:
            first = _ends(first, axis, 0, before)[1]
            last = _ends(last, axis, after, 0)[0]
        parts = (
            (last, first)
            if mode == "wrap"
            else (reverse(first, (axis,)), reverse(last, (axis,)))
        )
        return _around(x, axis, *(part if part.shape[axis] else None for part in parts))
    places = np.arange(-width[0], size + width[1])
    return take(x, _PLACES[mode](places, size), axis=axis, mode="clip")


def _odd(x: Array, axis: int, width: tuple[int, int], mode: Any) -> Array:
    """Twice the edge less the mirrored element: the slope goes on beyond the edges.

    After a period of 2m elements, m of the array, all is as before but for twice the
    difference of the last element and the first.
    """
    size = x.shape[axis]
    if mode == "reflect" and size == 1:
        return _edge(x, axis, width, None)
    half = size - 1 if mode == "reflect" else size
    places = np.arange(-width[0], size + width[1])
    turns, phase = np.divmod(places, 2 * half)
    mirrored = phase >= size
    sign = np.where(mirrored, -1, 1)
    first, last = _ends(x, axis, 1, 1)
    column = [1] * x.ndim
    column[axis] = -1

    def weights(values: np.ndarray) -> Array:
        return as_array(values.reshape(column).astype(x.dtype))

    copies = take(x, _PLACES[mode](places, size), axis=axis, mode="clip")
    return (
        multiply(copies, weights(sign))
        + multiply(first, weights(-2 * turns))
        + multiply(last, weights(2 * turns + 2 * mirrored))
    )


def _linear_ramp(x: Array, axis: int, width: tuple[int, int], ends: Pair) -> Array:
    edges = _ends(x, axis, 1, 1)
    ramps = []
    for edge, end, count, turned in zip(edges, ends, width, (False, True), strict=True):
        if not count:
            ramps.append(None)
            continue
        exact = edge if is_kind(x.dtype, "float") else cast(edge, np.dtype("float64"))
        start = cast(as_array(end, "pad"), exact.dtype)
        steps = np.arange(count)[:: -1 if turned else 1]
        column = [1] * x.ndim
        column[axis] = -1
        ramp = start + divide(exact - start, count) * as_array(
            steps.reshape(column).astype(exact.dtype)
        )
        ramps.append(ramp if is_kind(x.dtype, "float") else floor(ramp))
    return _around(x, axis, *ramps)


def _statistic(name: str) -> Callable[[Array, int, tuple[int, int], Pair], Array]:
    def padded(x: Array, axis: int, width: tuple[int, int], lengths: Pair) -> Array:
        size = x.shape[axis]
        first, last = (_length(length, size, name) for length in lengths)
        parts = [
            _repeated(_statistic_of(name, part, axis), axis, count) if count else None
            for part, count in zip(_ends(x, axis, first, last), width, strict=True)
        ]
        return _around(x, axis, *parts)

    return padded


def _length(length: Any, size: int, name: str) -> int:
    if length is None:
        return size
    count = integer("pad", "stat_length", length)
    if count < 0 or (count == 0 and name != "mean"):
        raise ArgumentError(
            f"pad: stat_length is {count}; a {name} is of one element at least"
        )
    return min(count, size)


def _statistic_of(name: str, part: Array, axis: int) -> Array:
    if name == "maximum":
        return reduce.max(part, axis=axis, keepdims=True)
    if name == "minimum":
        return reduce.min(part, axis=axis, keepdims=True)
    if is_kind(part.dtype, "float"):
        return reduce.mean(part, axis=axis, keepdims=True)
    mean = reduce.mean(cast(part, np.dtype("float64")), axis=axis, keepdims=True)
    return round(mean)


_MODES: dict[str, Callable[[Array, int, tuple[int, int], Any], Array]] = {
    "edge": _edge,
    "reflect": _copied,
    "symmetric": _copied,
    "wrap": _copied,
    "linear_ramp": _linear_ramp,
    "maximum": _statistic("maximum"),
    "minimum": _statistic("minimum"),
    "mean": _statistic("mean"),
}
