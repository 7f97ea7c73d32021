"""Convolution and pooling of batches of images, signals or volumes."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from . import ops
from .array import Array
from .dtypes import real_dtype, spell
from .errors import ArgumentError, ShapeError, public
from .ops.reduce import floats
from .ops.registry import ArrayLike, as_array
from .ops.windows import Padding, padding_pairs, per_axis

__all__ = ["avg_pool", "conv", "max_pool", "min_pool"]


def _window(x: Array, window_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The size along each axis: of one number, those between batch and features."""
    if isinstance(window_shape, int):
        return (window_shape,) * max(x.ndim - 2, 1)
    return tuple(window_shape)


def _pooled(
    name: str, reduce: Callable[..., Array], x: Array,
    window_shape: int | Sequence[int], strides: int | Sequence[int] | None,
    padding: Padding,
) -> Array:  # fmt: skip
    """Windows over the axes before the last one, which is that of features.

    One number is the size along each of them but the first, that of a batch.
    """
    window_shape = _window(x, window_shape)
    rank = len(window_shape)
    lead = x.ndim - rank - 1
    if lead < 0:
        raise ShapeError(
            f"{name}: {spell(x.dtype, x.shape)} needs an axis for each of the window's "
            f"{rank}, and one of features"
        )
    window = per_axis(name, "window_shape", tuple(window_shape), rank)
    steps = per_axis(name, "strides", strides, rank)
    sizes = x.shape[lead : lead + rank]
    pairs = padding_pairs(name, padding, sizes, window, steps)
    if any(min(pair) < 0 for pair in pairs):
        raise ArgumentError(f"{name}: padding {pairs} must not be negative")
    around = [(0, 0)] * lead, [(0, 0)]
    return reduce(
        x,
        ((1,) * lead + window + (1,)),
        ((1,) * lead + steps + (1,)),
        [*around[0], *pairs, *around[1]],
    )


@public
def max_pool(
    x: ArrayLike,
    window_shape: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
) -> Array:
    """Largest element of each window; NaN if one of them is.

    The window moves over the axes before the last, that of features; all axes before
    those are stacks. One number is its size along each of them but the first. By
    default it moves by one. `padding` is as in
    `conv_general_dilated`, and never the largest.

    >>> x = weft.reshape(weft.arange(4.0), (1, 2, 2, 1))
    >>> float(weft.nn.max_pool(x, (2, 2))[0, 0, 0, 0])
    3.0
    """
    array = as_array(x, "max_pool")
    return _pooled(
        "max_pool", ops.reduce_window_max, array, window_shape, strides, padding
    )


@public
def min_pool(
    x: ArrayLike,
    window_shape: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
) -> Array:
    """Smallest element of each window; arguments are those of `max_pool`.

    >>> x = weft.reshape(weft.arange(4.0), (1, 2, 2, 1))
    >>> float(weft.nn.min_pool(x, (2, 2))[0, 0, 0, 0])
    0.0
    """
    array = as_array(x, "min_pool")
    return _pooled(
        "min_pool", ops.reduce_window_min, array, window_shape, strides, padding
    )


@public
def avg_pool(
    x: ArrayLike,
    window_shape: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
    count_include_pad: bool = True,
) -> Array:
    """Mean of each window; arguments are those of `max_pool`.

    With `count_include_pad` padding counts as zeros; without, as nothing.

    >>> x = weft.reshape(weft.arange(4.0), (1, 2, 2, 1))
    >>> float(weft.nn.avg_pool(x, (2, 2))[0, 0, 0, 0])
    1.5
    """
    array = floats(x, "avg_pool", "inexact")

    def pooled(x: Array) -> Array:
        return _pooled(
            "avg_pool", ops.reduce_window_sum, x, window_shape, strides, padding
        )

    window = _window(array, window_shape)
    total = pooled(array)
    if count_include_pad:
        return total / math.prod(window)
    sizes = (1,) * (array.ndim - len(window) - 1)
    ones = ops.ones(
        (*sizes, *array.shape[len(sizes) : -1], 1), dtype=real_dtype(array.dtype)
    )
    return total / pooled(ones)


@public
def conv(
    x: ArrayLike,
    kernel: ArrayLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "SAME",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    layout: str = "NHWC",
) -> Array:
    """Convolution of a batch in one of the two usual layouts, of any spatial rank.

    `layout` "NHWC" has features last, with kernels HWIO; "NCHW" has them behind the
    batch, with kernels OIHW. `dilation` is the kernel's. See
    `weft.conv_general_dilated` for other arguments.

    >>> x, w = weft.ones((1, 8, 8, 3)), weft.ones((3, 3, 3, 4))
    >>> weft.nn.conv(x, w, strides=2).shape
    (1, 4, 4, 4)
    """
    array = as_array(x, "conv")
    if layout not in ("NHWC", "NCHW"):
        raise ArgumentError(f"conv: layout is {layout!r}; it must be 'NHWC' or 'NCHW'")
    numbers = None
    if layout == "NHWC":
        last, spatial = array.ndim - 1, tuple(range(1, array.ndim - 1))
        image = (0, last, *spatial)
        filters = (last, last - 1, *(axis - 1 for axis in spatial))
        numbers = (image, filters, image)
    return ops.conv_general_dilated(
        array, kernel, strides, padding, None, dilation, numbers, groups
    )
