"""Resampling of images: each result is a sum of a few elements with fixed weights.

Places and weights are those of PyTorch's `interpolate`; the cubic kernel is that of
Keys ("Cubic convolution interpolation for digital image processing", 1981) with a =
-0.75.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import ops
from .array import Array
from .dtypes import is_kind, require, spell
from .errors import ArgumentError, DTypeError, ShapeError, public
from .ops.registry import ArrayLike, as_array
from .ops.shape import integer

__all__ = ["interpolate"]

_CUBIC = -0.75
# The number of spatial axes that a mode is for.
_RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the places of a result along an axis lie on those of the operand."""

    size: int
    count: int
    scale: float | None
    align_corners: bool

    def step(self) -> float:
        """By how much the place moves from one result to the next."""
        if self.align_corners:
            return (self.size - 1) / (self.count - 1) if self.count > 1 else 0.0
        return 1 / self.scale if self.scale else self.size / self.count

    def centres(self) -> np.ndarray:
        """The place of each result: its corner, or its centre, on the operand."""
        results = np.arange(self.count, dtype=np.float64)
        if self.align_corners:
            return results * self.step()
        return (results + 0.5) * self.step() - 0.5


# A tap is, for each result, the place of an element and its weight.
Taps = list[tuple[np.ndarray, np.ndarray]]


def _nearest(axis: Resampling, exact: bool) -> Taps:
    # In float32, so that halves fall as they do elsewhere.
    step = np.float32(axis.step())
    results = np.arange(axis.count, dtype=np.float32)
    places = np.floor((results + np.float32(0.5) if exact else results) * step)
    if axis.count == axis.size and not axis.scale:
        places = results
    places = np.minimum(places.astype(np.int64), axis.size - 1)
    return [(places, np.ones(axis.count))]


def _linear(axis: Resampling) -> Taps:
    places = np.maximum(axis.centres(), 0.0)
    first = np.minimum(places.astype(np.int64), axis.size - 1)
    part = np.minimum(places - first, 1.0)
    return [(first, 1 - part), (np.minimum(first + 1, axis.size - 1), part)]


def _cubic(axis: Resampling) -> Taps:
    places = axis.centres()
    first = np.floor(places)
    part = places - first

    def near(t: np.ndarray) -> np.ndarray:
        return ((_CUBIC + 2) * t - (_CUBIC + 3)) * t * t + 1

    def far(t: np.ndarray) -> np.ndarray:
        return ((_CUBIC * t - 5 * _CUBIC) * t + 8 * _CUBIC) * t - 4 * _CUBIC

    weights = (far(part + 1), near(part), near(1 - part), far(2 - part))
    return [
        (np.clip(first.astype(np.int64) + i - 1, 0, axis.size - 1), weight)
        for i, weight in enumerate(weights)
    ]


def _resampled(x: Array, axis: int, taps: Taps) -> Array:
    parts = []
    column = [1] * x.ndim
    column[axis] = -1
    for places, weight in taps:
        part = ops.take(x, places, axis=axis, mode="clip")
        if len(taps) > 1:
            part = part * weight.reshape(column).astype(x.dtype)
        parts.append(part)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@public
def interpolate(
    x: ArrayLike,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Array:
    """A batch of images, or of signals or volumes, resampled to another size.

    The first two axes are batch and features; all others are resampled, to `size`, or
    to `scale_factor` times theirs, rounded down. `mode` is "nearest" (by the left
    corner), "nearest-exact" (by the centre), "linear" (of three axes), "bilinear" or
    "bicubic" (of four) or "trilinear" (of five). With `align_corners` the first and
    the last places of operand and result coincide; without, the outer edges of the
    elements there.

    Raises `ArgumentError` for a mode that does not fit, `ShapeError` for sizes.

    >>> x = weft.asarray([[[0.0, 2.0]]])
    >>> weft.nn.interpolate(x, 4, mode="linear")
    Array([[[0. , 0.5, 1.5, 2. ]]], dtype=float32)
    """
    array = as_array(x, "interpolate")
    rank = array.ndim - 2
    _check_mode(array, mode, align_corners)
    counts, scales = _sizes(array, size, scale_factor)
    taps: dict[str, Callable[[Resampling], Taps]] = {
        "nearest": lambda axis: _nearest(axis, exact=False),
        "nearest-exact": lambda axis: _nearest(axis, exact=True),
        "bicubic": _cubic,
    }
    for i in range(rank):
        axis = Resampling(array.shape[2 + i], counts[i], scales[i], bool(align_corners))
        array = _resampled(array, 2 + i, taps.get(mode, _linear)(axis))
    return array


def _check_mode(x: Array, mode: str, align_corners: bool | None) -> None:
    rank = x.ndim - 2
    if mode not in ("nearest", "nearest-exact", *_RANKS):
        raise ArgumentError(
            f"interpolate: mode is {mode!r}; it must be 'nearest', 'nearest-exact', "
            f"{', '.join(map(repr, _RANKS))}"
        )
    if rank < 1 or _RANKS.get(mode, rank) != rank:
        needed = f"{_RANKS[mode] + 2} axes" if mode in _RANKS else "three axes at least"
        raise ShapeError(
            f"interpolate: mode {mode!r} takes an array of {needed}, batch and "
            f"features first; got {spell(x.dtype, x.shape)}"
        )
    require("interpolate", x.dtype, "numeric")
    if mode in _RANKS and not is_kind(x.dtype, "float"):
        raise DTypeError(
            f"interpolate: mode {mode!r} takes floats, not {x.dtype}; convert with "
            ".astype"
        )
    if mode not in _RANKS and align_corners is not None:
        raise ArgumentError(f"interpolate: align_corners is not for mode {mode!r}")


def _sizes(
    x: Array, size: Any, scale_factor: Any
) -> tuple[list[int], list[float | None]]:
    """The sizes of the result, and the scales if it is those that were given."""
    rank, spatial = x.ndim - 2, x.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate takes either size or scale_factor")
    given = scale_factor if size is None else size
    entries = list(given) if isinstance(given, (tuple, list)) else [given] * rank
    if len(entries) != rank:
        raise ShapeError(
            f"interpolate: {given} needs one entry for each of the {rank} axes of "
            f"{spell(x.dtype, x.shape)} after the first two"
        )
    if size is None:
        scales = [float(scale) for scale in entries]
        counts = [math.floor(n * s) for n, s in zip(spatial, scales, strict=True)]
    else:
        scales = [None] * rank
        counts = [integer("interpolate", "a size", n) for n in entries]
    if min((*counts, *spatial), default=1) < 1:
        raise ShapeError(
            f"interpolate: {spell(x.dtype, x.shape)} and the result, of the sizes "
            f"{tuple(counts)}, must have elements along each axis"
        )
    return counts, list(scales)
