"""Discrete Fourier transforms of any length, in NumPy's words.

float32 becomes complex64 and float64 complex128; integers and bools become float32
first. With `norm` "backward", the default, inverse transforms are divided by the number
of elements, with "forward" the others, and with "ortho" both by its root. Arrays are
cut off, or zeros appended, to `n` or `s` elements.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from . import ops
from .array import Array
from .dtypes import FLOAT, DTypeLike, is_kind, is_narrow
from .errors import ArgumentError, DTypeError, ShapeError, public
from .ops import fourier
from .ops.registry import ArrayLike, as_array
from .ops.shape import axis_index

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

Norm: TypeAlias = Literal["backward", "ortho", "forward"] | None
_OPPOSITE: Final[dict[Norm, Norm]] = {
    None: "forward",
    "backward": "forward",
    "forward": "backward",
    "ortho": "ortho",
}


# ---- what is transformed ----


def _numbers(name: str, x: ArrayLike) -> Array:
    """An operand as real or complex numbers that transforms are of."""
    array = as_array(x, name)
    if is_kind(array.dtype, "integer or bool") or is_narrow(array.dtype):
        return ops.astype(array, FLOAT)
    return array


def _complex(name: str, x: ArrayLike) -> Array:
    array = _numbers(name, x)
    if array.dtype.kind == "c":
        return array
    return ops.astype(array, np.result_type(array.dtype, np.complex64))


def _real(name: str, x: ArrayLike) -> Array:
    array = _numbers(name, x)
    if array.dtype.kind == "c":
        raise DTypeError(
            f"{name} takes real numbers, not {array.dtype}; take their real part, or "
            "call the transform of complex numbers"
        )
    return array


def _length(name: str, n: int | None, default: int) -> int:
    length = default if n is None else operator.index(n)
    if length < 1:
        raise ArgumentError(f"{name}: {length} elements cannot be transformed")
    return length


def _resized(x: Array, axis: int, length: int) -> Array:
    """The first elements along an axis, or zeros behind those that there are."""
    size = x.shape[axis]
    if size > length:
        return x[(slice(None),) * axis + (slice(length),)]
    if size == length:
        return x
    shape = (*x.shape[:axis], length - size, *x.shape[axis + 1 :])
    return ops.concat([x, ops.zeros(shape, dtype=x.dtype)], axis=axis)


def _scaled(name: str, x: Array, length: int, norm: Norm, inverse: bool) -> Array:
    if norm not in _OPPOSITE:
        raise ArgumentError(
            f"{name}: norm is {norm!r}; it must be 'backward', 'ortho' or 'forward'"
        )
    if norm == "ortho":
        return x * (1 / float(np.sqrt(length)))
    divides = norm == "forward" if not inverse else norm != "forward"
    return x * (1 / length) if divides else x


def _fft(
    name: str, x: Array, n: int | None, axis: int, norm: Norm, inverse: bool
) -> Array:
    along = axis_index(name, axis, x.ndim)
    length = _length(name, n, x.shape[along])
    result = fourier.fft(_resized(x, along, length), axis=along, inverse=inverse)
    return _scaled(name, result, length, norm, inverse)


def _rfft(name: str, x: Array, n: int | None, axis: int, norm: Norm) -> Array:
    along = axis_index(name, axis, x.ndim)
    length = _length(name, n, x.shape[along])
    result = fourier.rfft(_resized(x, along, length), axis=along)
    return _scaled(name, result, length, norm, inverse=False)


def _irfft(name: str, x: Array, n: int | None, axis: int, norm: Norm) -> Array:
    along = axis_index(name, axis, x.ndim)
    length = _length(name, n, 2 * (x.shape[along] - 1))
    half = _resized(x, along, length // 2 + 1)
    result = fourier.irfft(half, axis=along, length=length)
    return _scaled(name, result, length, norm, inverse=True)


# ---- one axis ----


@public
def fft(a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None) -> Array:
    """The discrete Fourier transform along an axis.

    >>> weft.fft.fft(weft.asarray([1.0, 0.0])).real
    Array([1., 1.], dtype=float32)
    """
    return _fft("fft", _complex("fft", a), n, axis, norm, inverse=False)


@public
def ifft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None
) -> Array:
    """The inverse of `fft`.

    >>> weft.fft.ifft(weft.asarray([1.0, 1.0])).real
    Array([1., 0.], dtype=float32)
    """
    return _fft("ifft", _complex("ifft", a), n, axis, norm, inverse=True)


@public
def rfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None
) -> Array:
    """The first `n // 2 + 1` elements of the transform of real numbers.

    >>> weft.fft.rfft(weft.asarray([1.0, 2.0, 3.0])).shape
    (2,)
    """
    return _rfft("rfft", _real("rfft", a), n, axis, norm)


@public
def irfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None
) -> Array:
    """The inverse of `rfft`, n real numbers; by default twice as many, less two.

    >>> weft.fft.irfft(weft.asarray([2.0, 0.0]))
    Array([1., 1.], dtype=float32)
    """
    return _irfft("irfft", _complex("irfft", a), n, axis, norm)


@public
def hfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None
) -> Array:
    """The real transform of half of a signal whose other half is its conjugate.

    >>> weft.fft.hfft(weft.asarray([1.0, 0.0]))
    Array([1., 1.], dtype=float32)
    """
    array = ops.conj(_complex("hfft", a))
    return _irfft("hfft", array, n, axis, _opposite("hfft", norm))


@public
def ihfft(
    a: ArrayLike, n: int | None = None, axis: int = -1, norm: Norm = None
) -> Array:
    """The inverse of `hfft`: half of it.

    >>> weft.fft.ihfft(weft.asarray([1.0, 1.0])).real
    Array([1., 0.], dtype=float32)
    """
    array = _real("ihfft", a)
    return ops.conj(_rfft("ihfft", array, n, axis, _opposite("ihfft", norm)))


def _opposite(name: str, norm: Norm) -> Norm:
    if norm not in _OPPOSITE:
        raise ArgumentError(
            f"{name}: norm is {norm!r}; it must be 'backward', 'ortho' or 'forward'"
        )
    return _OPPOSITE[norm]


# ---- several axes ----


def _plan(
    name: str, x: Array, s: Sequence[int] | None, axes: Sequence[int] | None
) -> list[tuple[int, int | None]]:
    """The axes to transform, each with its number of elements (None: as many)."""
    if axes is None:
        count = x.ndim if s is None else len(s)
        if count > x.ndim:
            raise ShapeError(f"{name}: s has {count} sizes for shape {x.shape}")
        axes = range(x.ndim - count, x.ndim)
    sizes: Sequence[int | None] = [None] * len(axes) if s is None else list(s)
    if len(sizes) != len(axes):
        raise ArgumentError(f"{name}: s and axes have different lengths")
    # As NumPy: -1 is all that there is, and an axis that is named twice is
    # transformed to the size that it had, again.
    places = [axis_index(name, axis, x.ndim) for axis in axes]
    plan: list[tuple[int, int | None]] = [
        (place, x.shape[place] if size is None or size == -1 else size)
        for place, size in zip(places, sizes, strict=True)
    ]
    if plan and sizes[-1] is None:
        plan[-1] = (places[-1], None)
    return plan


def _fftn(
    name: str,
    x: Array,
    plan: list[tuple[int, int | None]],
    norm: Norm,
    inverse: bool,
) -> Array:
    for axis, size in reversed(plan):
        x = _fft(name, x, size, axis, norm, inverse)
    return x


@public
def fftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = None,
) -> Array:
    """The transform along several axes, by default all.

    >>> weft.fft.fftn(weft.ones((2, 2))).real
    Array([[4., 0.],
           [0., 0.]], dtype=float32)
    """
    array = _complex("fftn", a)
    return _fftn("fftn", array, _plan("fftn", array, s, axes), norm, inverse=False)


@public
def ifftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = None,
) -> Array:
    """The inverse of `fftn`.

    >>> weft.fft.ifftn(weft.ones((2, 2))).real
    Array([[1., 0.],
           [0., 0.]], dtype=float32)
    """
    array = _complex("ifftn", a)
    return _fftn("ifftn", array, _plan("ifftn", array, s, axes), norm, inverse=True)


@public
def rfftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = None,
) -> Array:
    """The transform of real numbers along several axes; half of it along the last.

    >>> weft.fft.rfftn(weft.ones((2, 4))).shape
    (2, 3)
    """
    array = _real("rfftn", a)
    *others, (axis, size) = _some("rfftn", _plan("rfftn", array, s, axes))
    half = _rfft("rfftn", array, size, axis, norm)
    return _fftn("rfftn", half, others, norm, inverse=False)


@public
def irfftn(
    a: ArrayLike,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: Norm = None,
) -> Array:
    """The inverse of `rfftn`.

    >>> weft.fft.irfftn(weft.fft.rfftn(weft.ones((1, 2))))
    Array([[1., 1.]], dtype=float32)
    """
    array = _complex("irfftn", a)
    *others, (axis, size) = _some("irfftn", _plan("irfftn", array, s, axes))
    for other, count in others:
        array = _fft("irfftn", array, count, other, norm, inverse=True)
    return _irfft("irfftn", array, size, axis, norm)


def _some(
    name: str, plan: list[tuple[int, int | None]]
) -> list[tuple[int, int | None]]:
    if not plan:
        raise ArgumentError(f"{name}: at least one axis must be transformed")
    return plan


def _of_two_axes(
    name: str, function: Callable[..., Array], example: str
) -> Callable[..., Array]:
    """A transform along two axes, by default the last ones."""

    def transform(
        a: ArrayLike,
        s: Sequence[int] | None = None,
        axes: Sequence[int] = (-2, -1),
        norm: Norm = None,
    ) -> Array:
        return function(a, s, axes, norm)

    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = f"""`{function.__name__}` along two axes, by default the last.

    >>> {example}
    """
    return public(transform)


fft2 = _of_two_axes("fft2", fftn, "weft.fft.fft2(weft.ones((2, 2))).shape\n    (2, 2)")
ifft2 = _of_two_axes(
    "ifft2", ifftn, "weft.fft.ifft2(weft.ones((2, 2))).shape\n    (2, 2)"
)
rfft2 = _of_two_axes(
    "rfft2", rfftn, "weft.fft.rfft2(weft.ones((2, 4))).shape\n    (2, 3)"
)
irfft2 = _of_two_axes(
    "irfft2", irfftn, "weft.fft.irfft2(weft.ones((2, 3))).shape\n    (2, 4)"
)


# ---- frequencies ----


def _frequencies(
    name: str, n: int, d: float, dtype: DTypeLike | None, places: np.ndarray
) -> Array:
    _length(name, n, n)
    chosen = ops.asarray(0.0, dtype=dtype).dtype
    return ops.asarray((places / (n * d)).astype(chosen))


@public
def fftfreq(
    n: int, d: float = 1.0, *, dtype: DTypeLike | None = None, device: Any = None
) -> Array:
    """The frequencies of the elements of `fft`, for samples a distance d apart.

    >>> weft.fft.fftfreq(4)
    Array([ 0.  ,  0.25, -0.5 , -0.25], dtype=float32)
    """
    count = operator.index(n)
    half = (count - 1) // 2 + 1
    places = np.concatenate([np.arange(half), np.arange(-(count // 2), 0)])
    return ops.placed(_frequencies("fftfreq", count, d, dtype, places), device)


@public
def rfftfreq(
    n: int, d: float = 1.0, *, dtype: DTypeLike | None = None, device: Any = None
) -> Array:
    """The frequencies of the elements of `rfft`, for samples a distance d apart.

    >>> weft.fft.rfftfreq(4)
    Array([0.  , 0.25, 0.5 ], dtype=float32)
    """
    count = operator.index(n)
    places = np.arange(count // 2 + 1)
    return ops.placed(_frequencies("rfftfreq", count, d, dtype, places), device)


def _shifted(
    name: str, x: ArrayLike, axes: int | Sequence[int] | None, back: bool
) -> Array:
    array = as_array(x, name)
    if axes is None:
        axes = tuple(range(array.ndim))
    given = (axes,) if isinstance(axes, int) else tuple(axes)
    along = tuple(axis_index(name, axis, array.ndim) for axis in given)
    shifts = tuple(
        -(array.shape[axis] // 2) if back else array.shape[axis] // 2 for axis in along
    )
    return ops.roll(array, shifts, axis=along) if along else array


@public
def fftshift(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """An array with the frequency 0 in the middle of axes, by default all.

    >>> weft.fft.fftshift(weft.asarray([0, 1, -2, -1]))
    Array([-2, -1,  0,  1], dtype=int64)
    """
    return _shifted("fftshift", x, axes, back=False)


@public
def ifftshift(x: ArrayLike, axes: int | Sequence[int] | None = None) -> Array:
    """The inverse of `fftshift`.

    >>> weft.fft.ifftshift(weft.asarray([-2, -1, 0, 1]))
    Array([ 0,  1, -2, -1], dtype=int64)
    """
    return _shifted("ifftshift", x, axes, back=True)
