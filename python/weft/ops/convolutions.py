"""Convolutions of any layout and rank: one op, of groups that are axes of their own."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import BOOL, DTypeLike, require, spell
from ..errors import ArgumentError, ShapeError, public
from ..precision import Precision
from ..specs import ShapeDtypeStruct
from .contract import (
    COUNT,
    precision_attribute,
    products_summed,
    promoted,
    sum_dtype,
)
from .parts import conj
from .registry import ArrayLike, Call, Shape, cast, op, truth
from .shape import reshape, reverse, transpose
from .windows import Padding, Windows, dilated, padding_pairs, per_axis

__all__ = [
    "ConvDimensionNumbers",
    "conv",
    "conv_general_dilated",
    "conv_transpose",
    "convolution",
    "convolve",
    "correlate",
]


class ConvDimensionNumbers(NamedTuple):
    """Which axes are what: of `lhs` and the result batch, feature, then spatial ones;
    of `rhs` those of output features, of input features, then spatial ones."""

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


DimensionNumbers: TypeAlias = "ConvDimensionNumbers | tuple[Any, Any, Any] | None"


# ---- the op ----


def _convolution(
    lhs: ArrayLike,
    rhs: ArrayLike,
    /,
    *,
    lhs_batch: Sequence[int] = (),
    rhs_batch: Sequence[int] = (),
    lhs_contract: Sequence[int] = (),
    rhs_contract: Sequence[int] = (),
    lhs_spatial: Sequence[int] = (),
    rhs_spatial: Sequence[int] = (),
    order: Sequence[int] | None = None,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "VALID",
    base_dilation: int | Sequence[int] | None = None,
    window_dilation: int | Sequence[int] | None = None,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Call | Array:
    left, right = promoted("convolution", lhs, rhs)
    if left.dtype == BOOL:
        small = np.dtype("uint8")
        counted = convolution(
            cast(left, small), cast(right, small), lhs_batch=lhs_batch,
            rhs_batch=rhs_batch, lhs_contract=lhs_contract, rhs_contract=rhs_contract,
            lhs_spatial=lhs_spatial, rhs_spatial=rhs_spatial, order=order,
            strides=strides, padding=padding, base_dilation=base_dilation,
            window_dilation=window_dilation, preferred_element_type=COUNT,
        )  # fmt: skip
        return truth(counted)
    require("convolution", left.dtype, "numeric")
    l_used = (*lhs_batch, *lhs_contract, *lhs_spatial)
    r_used = (*rhs_batch, *rhs_contract, *rhs_spatial)
    _check_axes(left, right, (l_used, r_used), len(lhs_spatial))
    sizes = tuple(left.shape[a] for a in lhs_spatial)
    window = tuple(right.shape[a] for a in rhs_spatial)
    windows = _windows(sizes, window, strides, padding, base_dilation, window_dilation)
    l_free = [a for a in range(left.ndim) if a not in l_used]
    r_free = [a for a in range(right.ndim) if a not in r_used]
    natural = (
        *(left.shape[a] for a in (*lhs_batch, *l_free)),
        *windows.counts(sizes),
        *(right.shape[a] for a in r_free),
    )
    places = tuple(range(len(natural)) if order is None else order)
    if sorted(places) != list(range(len(natural))):
        raise ArgumentError(
            f"convolution: order {places} is not one of the {len(natural)} axes"
        )
    attributes = windows.attributes() | {
        "lhs_batch": tuple(lhs_batch), "rhs_batch": tuple(rhs_batch),
        "lhs_contract": tuple(lhs_contract), "rhs_contract": tuple(rhs_contract),
        "lhs_spatial": tuple(lhs_spatial), "rhs_spatial": tuple(rhs_spatial),
        "order": places,
    }  # fmt: skip
    del attributes["window"]
    dtype = sum_dtype("convolution", left.dtype, preferred_element_type)
    attributes |= precision_attribute("convolution", precision, dtype)
    shape = tuple(natural[place] for place in places)
    return Call((left, right), attributes, ShapeDtypeStruct(shape, dtype))


def _check_axes(
    left: Array, right: Array, used: tuple[Sequence[int], Sequence[int]], spatial: int
) -> None:
    if len(used[0]) != len(used[1]):
        raise ShapeError("convolution: axes of lhs and rhs must come in pairs")
    for x, axes in zip((left, right), used, strict=True):
        if len(set(axes)) != len(axes) or any(not 0 <= a < x.ndim for a in axes):
            raise ArgumentError(
                f"convolution: axes {tuple(axes)} of {spell(x.dtype, x.shape)} must "
                "exist, counted from the front, each named once"
            )
    for a, b in list(zip(*used, strict=True))[: len(used[0]) - spatial]:
        if left.shape[a] != right.shape[b]:
            raise ShapeError(
                f"convolution: axis {a} of {spell(left.dtype, left.shape)} and axis "
                f"{b} of {spell(right.dtype, right.shape)} must be of equal size"
            )


def _windows(
    sizes: Shape, window: Shape, strides: Any, padding: Padding, base: Any, inner: Any
) -> Windows:
    name, rank = "convolution", len(sizes)
    if 0 in window:
        raise ShapeError(f"{name}: the kernel has no elements: its window is {window}")
    steps = per_axis(name, "window_strides", strides, rank)
    gaps = per_axis(name, "lhs_dilation", base, rank)
    apart = per_axis(name, "rhs_dilation", inner, rank)
    extents = tuple(map(dilated, window, apart))
    pairs = padding_pairs(name, padding, sizes, extents, steps)
    low, high = (tuple(pair[i] for pair in pairs) for i in (0, 1))
    return Windows(window, steps, low, high, gaps, apart)


@op(_convolution)
def convolution(
    lhs: np.ndarray,
    rhs: np.ndarray,
    *,
    lhs_batch: Shape,
    rhs_batch: Shape,
    lhs_contract: Shape,
    rhs_contract: Shape,
    lhs_spatial: Shape,
    rhs_spatial: Shape,
    order: Shape,
    strides: Shape,
    low: Shape,
    high: Shape,
    base_dilation: Shape,
    window_dilation: Shape,
    result: ShapeDtypeStruct,
    precision: str | None = None,
) -> np.ndarray:
    """`dot_general` with spatial axes: those of `rhs` are a window that moves.

    The result has the batch axes, the other axes of `lhs`, the spatial ones, then the
    other axes of `rhs`; its axis i is number `order[i]` of these. Groups are batch
    axes. `conv_general_dilated` is this op for the usual layouts.

    >>> x, w = weft.arange(5), weft.asarray([1, 10])
    >>> weft.convolution(x, w, lhs_spatial=(0,), rhs_spatial=(0,))
    Array([10, 21, 32, 43], dtype=int64)
    """
    used = (*lhs_batch, *lhs_contract, *lhs_spatial)
    free = tuple(a for a in range(lhs.ndim) if a not in used)
    x = np.transpose(lhs, (*lhs_batch, *free, *lhs_contract, *lhs_spatial))
    window = tuple(rhs.shape[a] for a in rhs_spatial)
    windows = Windows(window, strides, low, high, base_dilation, window_dilation)
    view = windows.view(x, 0)
    first = len(lhs_batch) + len(free)
    contract = (
        *range(first, first + len(lhs_contract)),
        *range(x.ndim, view.ndim),
    )
    product = products_summed(
        view, rhs, (tuple(range(len(lhs_batch))), rhs_batch),
        (contract, (*rhs_contract, *rhs_spatial)), result.dtype,
    )  # fmt: skip
    return np.transpose(product, order)


# ---- layouts ----


def _numbered(
    dimension_numbers: DimensionNumbers, ndim: int, name: str
) -> ConvDimensionNumbers:
    """The axes of each array, however they are given."""
    if dimension_numbers is None:
        return ConvDimensionNumbers(*([tuple(range(ndim))] * 3))
    specs: list[Any] = list(dimension_numbers)
    if len(specs) != 3:
        raise ArgumentError(
            f"{name}: dimension_numbers is {dimension_numbers!r}; it must say what the "
            'axes of lhs, rhs and the result are, as ("NHWC", "HWIO", "NHWC")'
        )
    if all(isinstance(spec, str) for spec in specs):
        specs = _from_words(specs, name)
    for spec in specs:
        if sorted(spec) != list(range(ndim)):
            raise ArgumentError(
                f"{name}: dimension_numbers {dimension_numbers!r} do not name each of "
                f"the {ndim} axes once"
            )
    return ConvDimensionNumbers(*(tuple(spec) for spec in specs))


def _from_words(words: list[str], name: str) -> list[Shape]:
    """The axes that letters name: spatial ones in the order that rhs has them in."""
    pairs = ("NC", "OI", "NC")
    spatial = [letter for letter in words[1] if letter not in "OI"]
    for word, pair in zip(words, pairs, strict=True):
        if sorted(word) != sorted([*pair, *spatial]):
            raise ArgumentError(
                f"{name}: dimension_numbers {tuple(words)!r}: {word!r} must have the "
                f"letters {pair!r} and, as the others, one for each spatial axis"
            )
    return [
        tuple(word.index(letter) for letter in (*pair, *spatial))
        for word, pair in zip(words, pairs, strict=True)
    ]


def _split(x: Array, axis: int, groups: int) -> Array:
    """An axis as two: its groups, and the places in each."""
    shape = list(x.shape)
    shape[axis : axis + 1] = [groups, shape[axis] // groups]
    return reshape(x, shape)


def _moved(axes: Sequence[int], split: int | None) -> list[int]:
    """Axes after one has been split: what it was is the second of the two."""
    return [a + (split is not None and a >= split) for a in axes]


def _check_groups(
    name: str, lhs: Array, rhs: Array, numbers: ConvDimensionNumbers,
    groups: tuple[int, int],
) -> None:  # fmt: skip
    features, batches = groups
    if min(groups) < 1 or (features > 1 and batches > 1):
        raise ArgumentError(
            f"{name}: feature_group_count {features} and batch_group_count {batches} "
            "must be positive, and one of them 1"
        )
    batch, feature = (lhs.shape[a] for a in numbers.lhs_spec[:2])
    outputs, inputs = (rhs.shape[a] for a in numbers.rhs_spec[:2])
    spelled = f"{spell(lhs.dtype, lhs.shape)} and {spell(rhs.dtype, rhs.shape)}"
    if feature != inputs * features:
        raise ShapeError(
            f"{name}: of {spelled} the input has {feature} features, in {features} "
            f"groups, and the kernel takes {inputs} of each group"
        )
    for what, count, size in (
        ("feature_group_count", features, outputs),
        ("batch_group_count", batches, outputs),
        ("batch_group_count", batches, batch),
    ):
        if size % count:
            raise ShapeError(f"{name}: of {spelled} {size} is no multiple of the "
                             f"{what} {count}")  # fmt: skip


def _grouped_layout(
    lhs: Array, rhs: Array, numbers: ConvDimensionNumbers, groups: tuple[int, int]
) -> tuple[Array, Array, dict[str, Sequence[int]], Shape]:
    """Operands whose groups are an axis of their own, the roles of their axes, and
    those of the result, in which the groups come before their features."""
    features, count = groups[0], max(groups)
    rank = len(numbers.lhs_spec) - 2
    l_spec, r_spec, o_spec = (list(spec) for spec in numbers)
    roles: dict[str, Sequence[int]] = {"lhs_batch": (), "rhs_batch": ()}
    feature = 1 + rank  # number of the output features among the natural axes
    natural = [0, feature, *range(1, feature)]
    if count > 1:
        split = l_spec[1 if features > 1 else 0]
        lhs, rhs = _split(lhs, split, count), _split(rhs, r_spec[0], count)
        roles = {"lhs_batch": (split,), "rhs_batch": (r_spec[0],)}
        l_spec, r_spec = _moved(l_spec, split), _moved(r_spec, r_spec[0])
        natural = [place + 1 for place in natural]
    order: list[int] = []
    for axis in range(rank + 2):
        place = natural[o_spec.index(axis)]
        order += [0, place] if count > 1 and axis == o_spec[1] else [place]
    roles |= {
        "lhs_contract": (l_spec[1],), "rhs_contract": (r_spec[1],),
        "lhs_spatial": l_spec[2:], "rhs_spatial": r_spec[2:], "order": order,
    }  # fmt: skip
    return lhs, rhs, roles, tuple(o_spec)


@public
def conv_general_dilated(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: int | Sequence[int] = 1,
    padding: Padding = "VALID",
    lhs_dilation: int | Sequence[int] | None = None,
    rhs_dilation: int | Sequence[int] | None = None,
    dimension_numbers: DimensionNumbers = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Convolution of `lhs` with the kernel `rhs`, over any number of spatial axes.

    The kernel is not turned around, as in neural networks. `padding` is 'VALID' (none),
    'SAME' (as many results as there are strides in the input), 'SAME_LOWER', or
    (before, after) for each spatial axis, negative to cut off. `lhs_dilation` puts
    gaps between the elements of the input (a transposed convolution), `rhs_dilation`
    between those of the kernel. `dimension_numbers` says which axes are what, for
    instance `("NHWC", "HWIO", "NHWC")`; by default `lhs` and the result have batch,
    features, then spatial axes, and the kernel output features, input features, then
    spatial axes. With groups of features, group i of the output features is made of
    group i of the input features alone; with groups of the batch, of group i of the
    batch. The sums are accumulated in `preferred_element_type`, and factors may be
    rounded to `precision`, as by `dot_general`.

    Raises `ShapeError` for shapes that do not fit together, and `ArgumentError` for
    arguments that mean nothing.

    >>> x, w = weft.ones((1, 3, 8, 8)), weft.ones((4, 3, 3, 3))
    >>> weft.conv_general_dilated(x, w, (2, 2), "SAME").shape
    (1, 4, 4, 4)
    """
    return _conv(
        "conv_general_dilated", lhs, rhs, window_strides, padding, lhs_dilation,
        rhs_dilation, dimension_numbers, (feature_group_count, batch_group_count),
        preferred_element_type, precision,
    )  # fmt: skip


def _conv(
    name: str, lhs: ArrayLike, rhs: ArrayLike, strides: Any, padding: Padding,
    lhs_dilation: Any, rhs_dilation: Any, dimension_numbers: DimensionNumbers,
    groups: tuple[int, int], preferred: DTypeLike | None, precision: Precision | None,
) -> Array:  # fmt: skip
    left, right = promoted(name, lhs, rhs)
    if left.ndim != right.ndim or left.ndim < 2:
        raise ShapeError(
            f"{name}: {spell(left.dtype, left.shape)} and "
            f"{spell(right.dtype, right.shape)} must have as many axes, two at least"
        )
    numbers = _numbered(dimension_numbers, left.ndim, name)
    _check_groups(name, left, right, numbers, groups)
    left, right, roles, out_spec = _grouped_layout(left, right, numbers, groups)
    result = convolution(
        left, right, strides=strides, padding=padding, base_dilation=lhs_dilation,
        window_dilation=rhs_dilation, preferred_element_type=preferred,
        precision=precision, **roles,
    )  # fmt: skip
    if max(groups) == 1:
        return result
    shape, feature = list(result.shape), out_spec[1]
    shape[feature : feature + 2] = [shape[feature] * shape[feature + 1]]
    return reshape(result, shape)


@public
def conv(
    lhs: ArrayLike,
    rhs: ArrayLike,
    window_strides: int | Sequence[int],
    padding: Padding,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """`conv_general_dilated` in the layout NCHW, without dilation or groups.

    >>> weft.conv(weft.ones((1, 1, 4)), weft.ones((1, 1, 3)), 1, "VALID")
    Array([[[3., 3.]]], dtype=float32)
    """
    return _conv(
        "conv", lhs, rhs, window_strides, padding, None, None, None, (1, 1),
        preferred_element_type, precision,
    )  # fmt: skip


_CHANNELS_LAST = {
    2: ("NC", "IO", "NC"),
    3: ("NHC", "HIO", "NHC"),
    4: ("NHWC", "HWIO", "NHWC"),
    5: ("NHWDC", "HWDIO", "NHWDC"),
}


@public
def conv_transpose(
    lhs: ArrayLike,
    rhs: ArrayLike,
    strides: int | Sequence[int],
    padding: Padding,
    rhs_dilation: int | Sequence[int] | None = None,
    dimension_numbers: DimensionNumbers = None,
    transpose_kernel: bool = False,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Transposed ("fractionally strided") convolution, which enlarges by `strides`.

    `padding` is 'SAME' or 'VALID', meaning that of the convolution which this is the
    transpose of, or (before, after) for each spatial axis. By default the layout is
    NHWC, with kernels HWIO. `transpose_kernel` turns the kernel around and exchanges
    its features, so that the result is the transpose of a convolution with `rhs`.

    >>> x, w = weft.ones((1, 4, 4, 3)), weft.ones((3, 3, 3, 8))
    >>> weft.conv_transpose(x, w, (2, 2), "SAME").shape
    (1, 8, 8, 8)
    """
    name = "conv_transpose"
    left, right = promoted(name, lhs, rhs)
    if left.ndim != right.ndim or left.ndim < 2:
        raise ShapeError(
            f"{name}: {spell(left.dtype, left.shape)} and "
            f"{spell(right.dtype, right.shape)} must have as many axes, two at least"
        )
    if dimension_numbers is None and left.ndim not in _CHANNELS_LAST:
        raise ArgumentError(f"{name}: of {left.ndim} axes, name dimension_numbers")
    numbers = _numbered(dimension_numbers or _CHANNELS_LAST[left.ndim], left.ndim, name)
    rank = left.ndim - 2
    steps = per_axis(name, "strides", strides, rank)
    apart = per_axis(name, "rhs_dilation", rhs_dilation, rank)
    if isinstance(padding, str) and padding.upper() in ("SAME", "VALID"):
        window = (right.shape[a] for a in numbers.rhs_spec[2:])
        extents = map(dilated, window, apart)
        padding = [
            _transposed_padding(extent, step, padding.upper())
            for extent, step in zip(extents, steps, strict=True)
        ]
    if transpose_kernel:
        right = reverse(right, sorted(numbers.rhs_spec[2:]))
        a, b = numbers.rhs_spec[:2]
        axes = list(range(right.ndim))
        axes[a], axes[b] = b, a
        right = transpose(right, axes)
    return _conv(
        name, left, right, 1, padding, steps, apart, numbers, (1, 1),
        preferred_element_type, precision,
    )  # fmt: skip


def _transposed_padding(extent: int, stride: int, padding: str) -> tuple[int, int]:
    if padding == "VALID":
        total = extent + stride - 2 + max(extent - stride, 0)
        return extent - 1, total - (extent - 1)
    total = extent + stride - 2
    before = extent - 1 if stride > extent - 1 else -(-total // 2)
    return before, total - before


# ---- sequences ----


def _sliding(name: str, a: Array, v: Array, mode: str) -> Array:
    """The products of the shorter `v` with each stretch of `a`."""
    size = v.shape[0]
    widths = {
        "full": (size - 1, size - 1),
        "same": (size // 2, size - size // 2 - 1),
        "valid": (0, 0),
    }
    if mode not in widths:
        raise ArgumentError(
            f"{name}: mode is {mode!r}; it must be 'full', 'same' or 'valid'"
        )
    return convolution(
        a, v, lhs_spatial=(0,), rhs_spatial=(0,), padding=(widths[mode],)
    )


def _sequences(name: str, a: ArrayLike, v: ArrayLike) -> tuple[Array, Array]:
    first, second = promoted(name, a, v)
    for x in (first, second):
        if x.ndim > 1:
            raise ShapeError(
                f"{name} takes sequences; got shapes {first.shape} and {second.shape}"
            )
        if not x.size:
            raise ShapeError(f"{name}: a sequence has no elements")
    return reshape(first, (-1,)), reshape(second, (-1,))


@public
def convolve(a: ArrayLike, v: ArrayLike, mode: str = "full") -> Array:
    """Convolution of two sequences, as `numpy.convolve`.

    `mode` is 'full' (wherever they overlap), 'same' (the middle, of the longer one's
    size) or 'valid' (wherever they overlap completely).

    >>> weft.convolve(weft.asarray([1, 2, 3]), weft.asarray([0, 1, 2]))
    Array([0, 1, 4, 7, 6], dtype=int64)
    """
    first, second = _sequences("convolve", a, v)
    if first.size < second.size:
        first, second = second, first
    return _sliding("convolve", first, reverse(second, (0,)), mode)


@public
def correlate(a: ArrayLike, v: ArrayLike, mode: str = "valid") -> Array:
    """Cross-correlation of two sequences, as `numpy.correlate`; `mode` is `convolve`'s.

    Of complex ones, `v` is conjugated.

    >>> weft.correlate(weft.asarray([1, 2, 3]), weft.asarray([0, 1]))
    Array([2, 3], dtype=int64)
    """
    first, second = _sequences("correlate", a, v)
    second = conj(second)
    if first.size < second.size:
        return reverse(_sliding("correlate", second, first, mode), (0,))
    return _sliding("correlate", first, second, mode)
