"""Windows that move over an array: their sums and extremes, and themselves."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import Kind, is_kind, require, spell
from ..errors import ArgumentError, ShapeError, public
from .arithmetic import add, maximum, minimum
from .create import iota
from .registry import ArrayLike, Call, Reference, Shape, as_array, op
from .shape import axis_index, integer, moveaxis, shape_tuple
from .taking import take

__all__ = [
    "reduce_window",
    "reduce_window_max",
    "reduce_window_min",
    "reduce_window_sum",
    "sliding_window_view",
    "sum_where_equal",
]

Padding: TypeAlias = str | int | Sequence[int] | Sequence[Sequence[int]]


# ---- geometry ----


def dilated(size: int, dilation: int) -> int:
    """The size of an array with `dilation - 1` gaps between each two elements."""
    return (size - 1) * dilation + 1 if size else 0


@dataclass(frozen=True, slots=True)
class Windows:
    """How a window moves: one entry for each axis that it moves over."""

    window: Shape
    strides: Shape
    low: Shape
    high: Shape
    base_dilation: Shape
    window_dilation: Shape

    def attributes(self) -> dict[str, Shape]:
        """The attributes of an op of windows."""
        return {
            "window": self.window, "strides": self.strides, "low": self.low,
            "high": self.high, "base_dilation": self.base_dilation,
            "window_dilation": self.window_dilation,
        }  # fmt: skip

    def counts(self, sizes: Sequence[int]) -> Shape:
        """How many windows there are along axes of some sizes."""
        padded = (
            low + dilated(size, base) + high
            for low, high, size, base in zip(
                self.low, self.high, sizes, self.base_dilation, strict=True
            )
        )
        extents = map(dilated, self.window, self.window_dilation)
        return tuple(
            (p - e) // s + 1 if p >= e else 0
            for p, e, s in zip(padded, extents, self.strides, strict=True)
        )

    def view(self, x: np.ndarray, fill: Any) -> np.ndarray:
        """The windows of the last axes, laid out in as many further axes."""
        lead, sizes = x.shape[: x.ndim - len(self.window)], x.shape[-len(self.window) :]
        if not self.window:
            return x
        padded = self._padded(x, lead, sizes, fill)
        steps = padded.strides[len(lead) :]
        return np.lib.stride_tricks.as_strided(
            padded,
            (*lead, *self.counts(sizes), *self.window),
            (
                *padded.strides[: len(lead)],
                *(a * b for a, b in zip(steps, self.strides, strict=True)),
                *(a * b for a, b in zip(steps, self.window_dilation, strict=True)),
            ),
            writeable=False,
        )

    def _padded(
        self, x: np.ndarray, lead: Shape, sizes: Shape, fill: Any
    ) -> np.ndarray:
        extents = tuple(map(dilated, sizes, self.base_dilation))
        around = [
            (max(low, 0), max(high, 0))
            for low, high in zip(self.low, self.high, strict=True)
        ]
        full = np.full(
            (*lead, *(a + n + b for (a, b), n in zip(around, extents, strict=True))),
            fill, x.dtype,
        )  # fmt: skip
        inner = tuple(
            slice(a, a + n, step)
            for (a, _), n, step in zip(around, extents, self.base_dilation, strict=True)
        )
        full[(..., *inner)] = x
        kept = tuple(
            slice(max(-low, 0), size + min(high, 0))
            for low, high, size in zip(
                self.low, self.high, full.shape[len(lead) :], strict=True
            )
        )
        return full[(..., *kept)]


def per_axis(name: str, what: str, value: Any, ndim: int, least: int = 1) -> Shape:
    """One integer for each axis; a single one, or none at all, is for all of them."""
    if value is None:
        return (1,) * ndim
    if not isinstance(value, (tuple, list, np.ndarray)):
        value = (value,) * ndim
    result = tuple(integer(name, what, v) for v in value)
    if len(result) != ndim:
        raise ShapeError(
            f"{name}: {what} {result} needs one entry for each of {ndim} axes"
        )
    if min(result, default=least) < least:
        raise ArgumentError(f"{name}: {what} {result} must not be below {least}")
    return result


def padding_pairs(
    name: str, padding: Padding, sizes: Sequence[int], extents: Sequence[int],
    strides: Sequence[int],
) -> list[tuple[int, int]]:  # fmt: skip
    """What is put before and after each axis: as given, or as a word says."""
    if isinstance(padding, str):
        return _named_padding(name, padding, sizes, extents, strides)
    entries: Any = padding
    if not isinstance(padding, (tuple, list, np.ndarray)):
        entries = [padding] * len(sizes)
    pairs = [
        tuple(p) if isinstance(p, (tuple, list, np.ndarray)) else (p, p)
        for p in entries
    ]
    if len(pairs) != len(sizes) or any(len(pair) != 2 for pair in pairs):
        raise ShapeError(
            f"{name}: padding {padding!r} needs (before, after) for each of "
            f"{len(sizes)} axes, or 'SAME', 'SAME_LOWER' or 'VALID'"
        )
    return [
        (integer(name, "padding", a), integer(name, "padding", b)) for a, b in pairs
    ]


def _named_padding(
    name: str, padding: str, sizes: Sequence[int], extents: Sequence[int],
    strides: Sequence[int],
) -> list[tuple[int, int]]:  # fmt: skip
    word = padding.upper()
    if word not in ("SAME", "SAME_LOWER", "VALID"):
        raise ArgumentError(
            f"{name}: padding is {padding!r}; it must be 'SAME', 'SAME_LOWER', 'VALID' "
            "or (before, after) for each axis"
        )
    if word == "VALID":
        return [(0, 0)] * len(sizes)
    totals = [
        max((-(-size // stride) - 1) * stride + extent - size, 0)
        for size, extent, stride in zip(sizes, extents, strides, strict=True)
    ]
    halves = [(total // 2, total - total // 2) for total in totals]
    return halves if word == "SAME" else [(b, a) for a, b in halves]


def windows_over(
    name: str, sizes: Shape, window: Any, strides: Any, padding: Padding,
    base_dilation: Any, window_dilation: Any,
) -> Windows:  # fmt: skip
    """The windows of an array, from what is given of them."""
    ndim = len(sizes)
    window = per_axis(name, "window_dimensions", window, ndim)
    steps = per_axis(name, "window_strides", strides, ndim)
    base = per_axis(name, "base_dilation", base_dilation, ndim)
    inner = per_axis(name, "window_dilation", window_dilation, ndim)
    extents = tuple(map(dilated, window, inner))
    pairs = padding_pairs(name, padding, sizes, extents, steps)
    low, high = (tuple(pair[i] for pair in pairs) for i in (0, 1))
    return Windows(window, steps, low, high, base, inner)


# ---- ops ----


class WindowReduction(Protocol):
    """The public function of a reduction of windows."""

    __name__: str

    def __call__(
        self,
        x: ArrayLike,
        /,
        window_dimensions: int | Sequence[int],
        window_strides: int | Sequence[int] | None = None,
        padding: Padding = "VALID",
        base_dilation: int | Sequence[int] | None = None,
        window_dilation: int | Sequence[int] | None = None,
    ) -> Array: ...


def window_reduction(kind: Kind) -> Callable[[Reference], WindowReduction]:
    """Registers a reduction of windows of a family of dtypes."""

    def decorate(reference: Reference) -> WindowReduction:
        name = reference.__name__

        def prepare(
            x: ArrayLike,
            /,
            window_dimensions: int | Sequence[int],
            window_strides: int | Sequence[int] | None = None,
            padding: Padding = "VALID",
            base_dilation: int | Sequence[int] | None = None,
            window_dilation: int | Sequence[int] | None = None,
        ) -> Call:
            array = as_array(x, name)
            require(name, array.dtype, kind)
            windows = windows_over(
                name, array.shape, window_dimensions, window_strides, padding,
                base_dilation, window_dilation,
            )  # fmt: skip
            return Call((array,), windows.attributes())

        return op(prepare)(reference)

    return decorate


def _within(x: np.ndarray) -> Shape:
    """The axes of a view that are those of its windows."""
    return tuple(range(x.ndim // 2, x.ndim))


def _extreme(dtype: np.dtype[Any], largest: bool) -> Any:
    if is_kind(dtype, "float"):
        return np.inf if largest else -np.inf
    return np.iinfo(dtype).max if largest else np.iinfo(dtype).min


@window_reduction("numeric")
def reduce_window_sum(x: np.ndarray, **geometry: Shape) -> np.ndarray:
    """Sum of each window of an array, of the array's dtype.

    The window has `window_dimensions` elements along each axis, `window_dilation`
    apart, and moves by `window_strides`. `padding` is put around the array: 'VALID'
    is none, 'SAME' as much as gives as many windows as there are strides in each axis
    ('SAME_LOWER' the larger half before it), or (before, after) for each axis,
    negative to cut elements off. `base_dilation - 1` gaps are put between each two
    elements. Gaps and padding add nothing.

    Raises `ShapeError` where an argument does not have one entry for each axis, and
    `ArgumentError` for entries below 1.

    >>> weft.reduce_window_sum(weft.arange(5), (3,), (2,))
    Array([3, 9], dtype=int64)
    """
    view = Windows(**geometry).view(x, 0)
    return np.sum(view, axis=_within(view), dtype=x.dtype)


@window_reduction("real")
def reduce_window_max(x: np.ndarray, **geometry: Shape) -> np.ndarray:
    """Largest element of each window of an array; NaN if one of them is.

    Arguments are those of `reduce_window_sum`. A window of padding alone has the
    lowest value of the dtype. Elements that are equally large share the derivative.

    >>> weft.reduce_window_max(weft.arange(5), (3,), (2,))
    Array([2, 4], dtype=int64)
    """
    view = Windows(**geometry).view(x, _extreme(x.dtype, largest=False))
    return np.max(view, axis=_within(view))


@window_reduction("real")
def reduce_window_min(x: np.ndarray, **geometry: Shape) -> np.ndarray:
    """Smallest element of each window of an array; NaN if one of them is.

    Arguments are those of `reduce_window_sum`. A window of padding alone has the
    highest value of the dtype. Elements that are equally small share the derivative.

    >>> weft.reduce_window_min(weft.arange(5), (3,), (2,))
    Array([0, 2], dtype=int64)
    """
    view = Windows(**geometry).view(x, _extreme(x.dtype, largest=True))
    return np.min(view, axis=_within(view))


def _sum_where_equal(
    x: ArrayLike,
    weight: ArrayLike,
    key: ArrayLike,
    /,
    window_dimensions: int | Sequence[int],
    window_strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
    base_dilation: int | Sequence[int] | None = None,
    window_dilation: int | Sequence[int] | None = None,
) -> Call:
    name = "sum_where_equal"
    array, weights, keys = (as_array(a, name) for a in (x, weight, key))
    require(name, array.dtype, "real")
    windows = windows_over(
        name, array.shape, window_dimensions, window_strides, padding, base_dilation,
        window_dilation,
    )  # fmt: skip
    counts = windows.counts(array.shape)
    wanted = ((array.dtype, array.shape), (array.dtype, counts))
    if ((weights.dtype, weights.shape), (keys.dtype, keys.shape)) != wanted:
        raise ShapeError(
            f"{name}: needs weights of {spell(*wanted[0])} and keys of "
            f"{spell(*wanted[1])}, got {spell(weights.dtype, weights.shape)} and "
            f"{spell(keys.dtype, keys.shape)}"
        )
    return Call((array, weights, keys), windows.attributes())


@op(_sum_where_equal)
def sum_where_equal(
    x: np.ndarray, weight: np.ndarray, key: np.ndarray, **geometry: Shape
) -> np.ndarray:
    """Sum of the weights of those elements of each window that equal its key.

    There is a weight for each element of `x` and a key for each window; the further
    arguments are those of `reduce_window_sum`. The derivatives are by the weights.

    >>> weft.sum_where_equal(weft.asarray([1, 1, 2, 1]), weft.asarray([1, 2, 4, 8]),
    ...                      weft.asarray([1, 2, 1]), (2,))
    Array([3, 4, 8], dtype=int64)
    """
    windows = Windows(**geometry)
    view, weights = windows.view(x, 0), windows.view(weight, 0)
    own = key.reshape(key.shape + (1,) * key.ndim)
    chosen = np.where(view == own, weights, np.zeros((), x.dtype))
    return np.sum(chosen, axis=_within(view), dtype=x.dtype)


# ---- composed of the above ----


@public
def reduce_window(
    x: ArrayLike,
    init_value: ArrayLike,
    computation: Callable[..., Any],
    /,
    window_dimensions: int | Sequence[int],
    window_strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
    base_dilation: int | Sequence[int] | None = None,
    window_dilation: int | Sequence[int] | None = None,
) -> Array:
    """Each window reduced by `weft.add`, `weft.maximum` or `weft.minimum`.

    `init_value` is what a reduction begins with: for `weft.add` it must be 0. Further
    arguments are those of `reduce_window_sum`.

    >>> weft.reduce_window(weft.arange(5), 3, weft.maximum, (3,), (2,))
    Array([3, 4], dtype=int64)
    """
    reductions = {
        add: reduce_window_sum, maximum: reduce_window_max, minimum: reduce_window_min
    }  # fmt: skip
    if computation not in reductions:
        raise ArgumentError(
            "reduce_window: computation must be weft.add, weft.maximum or weft.minimum"
        )
    result = reductions[computation](
        x, window_dimensions, window_strides, padding, base_dilation, window_dilation
    )
    if computation is not add:
        return computation(result, as_array(init_value, "reduce_window"))
    if np.ndim(init_value) or isinstance(init_value, Array) or init_value != 0:
        raise ArgumentError(
            f"reduce_window: init_value is {init_value!r}; of sums it must be 0 (add "
            "another value to the result)"
        )
    return result


@public
def sliding_window_view(
    x: ArrayLike,
    window_shape: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
) -> Array:
    """Every window of an array, its elements along new last axes.

    The window moves by one along each of `axis`, by default all. Raises `ShapeError`
    where it has another number of axes, or is larger than the array.

    >>> weft.sliding_window_view(weft.arange(4), 3)
    Array([[0, 1, 2],
           [1, 2, 3]], dtype=int64)
    """
    name = "sliding_window_view"
    array, window = as_array(x, name), shape_tuple(window_shape, name)
    axes: Sequence[int] = range(array.ndim)
    if axis is not None:
        chosen = axis if isinstance(axis, (tuple, list)) else (axis,)
        axes = [axis_index(name, a, array.ndim) for a in chosen]
    if len(axes) != len(window):
        raise ShapeError(
            f"{name}: window_shape {window} needs one size for each of {len(axes)} axes"
        )
    for at, size in zip(axes, window, strict=True):
        count = array.shape[at] - size + 1
        if count < 1:
            raise ShapeError(
                f"{name}: a window of shape {window} does not fit into "
                f"{spell(array.dtype, as_array(x, name).shape)} along axis {at}"
            )
        places = iota((count, size), 0) + iota((count, size), 1)
        array = moveaxis(take(array, places, axis=at, mode="clip"), at + 1, -1)
    return array
