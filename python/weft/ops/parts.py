"""Complex numbers: their parts, and what they mean in terms of those.

Where NumPy's own arithmetic depends on the processor (products with one rounding or
two) the references say how it is meant: each operation on real parts rounded once.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..array import Array
from ..dtypes import FLOAT, is_kind, is_narrow
from ..errors import public
from .registry import (
    ArrayLike,
    Call,
    Reference,
    Unary,
    as_array,
    cast,
    elementwise_call,
    op,
)

__all__ = ["angle", "complex", "conj", "imag", "real"]


# ---- parts ----


def _part(of_real: Callable[[Array], Array]) -> Callable[[Reference], Unary]:
    """Registers an op of complex numbers; `of_real` says what it is of real ones."""

    def decorate(reference: Reference) -> Unary:
        name = reference.__name__

        def prepare(x: ArrayLike, /) -> Call | Array:
            array = as_array(x, name)
            if not is_kind(array.dtype, "complex"):
                return of_real(array)
            return elementwise_call(name, "complex", x)

        return op(prepare)(reference)

    return decorate


def _itself(x: Array) -> Array:
    return x


def _nothing(x: Array) -> Array:
    from .create import zeros_like

    return zeros_like(x)


@_part(_itself)
def real(x: np.ndarray) -> np.ndarray:
    """Elementwise real part; a real `x` itself.

    >>> weft.real(weft.asarray([1 + 2j, 3.0]))
    Array([1., 3.], dtype=float32)
    """
    return np.real(x).copy()


@_part(_nothing)
def imag(x: np.ndarray) -> np.ndarray:
    """Elementwise imaginary part; zeros for a real `x`.

    >>> weft.imag(weft.asarray([1 + 2j, 3.0]))
    Array([2., 0.], dtype=float32)
    """
    return np.imag(x).copy()


@_part(_itself)
def conj(x: np.ndarray) -> np.ndarray:
    """Elementwise complex conjugate; a real `x` itself.

    >>> weft.conj(weft.asarray([1 + 2j]))
    Array([1.-2.j], dtype=complex64)
    """
    return join(np.real(x), -np.imag(x))


def _complex(x: ArrayLike, y: ArrayLike, /) -> Call:
    call = elementwise_call("complex", "float", x, y)
    # No complex dtype has parts of 16 bits.
    if is_narrow(call.operands[0].dtype):
        return Call(tuple(cast(part, FLOAT) for part in call.operands))
    return call


@op(_complex)
def complex(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise complex number with the real part `x` and the imaginary part `y`.

    >>> weft.complex(weft.asarray([1.0, 2.0]), 3.0)
    Array([1.+3.j, 2.+3.j], dtype=complex64)
    """
    return join(x, y)


@public
def angle(x: ArrayLike, /) -> Array:
    """Elementwise angle in radians between a number and the positive real axis.

    It is `atan2(imag(x), real(x))`, which has a sign on the negative axis. The
    derivative at 0 is NaN.

    >>> weft.angle(weft.asarray([1.0, 1j]))
    Array([0.       , 1.5707964], dtype=float32)
    """
    from .arithmetic import atan2

    return atan2(imag(x), real(x))


# ---- references ----


def join(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    """The complex numbers of two parts, whatever these are (not `real + 1j * imag`)."""
    pairs = np.stack(np.broadcast_arrays(real, imag), axis=-1)
    numbers = pairs.view(np.result_type(pairs.dtype, np.complex64))
    return numbers.reshape(pairs.shape[:-1])


def split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The real and the imaginary parts."""
    return np.real(x), np.imag(x)


def multiply(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(a + bi)(c + di)."""
    (a, b), (c, d) = split(x), split(y)
    return join(a * c - b * d, a * d + b * c)


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """R. L. Smith's quotient (CACM 5, 1962), as NumPy has it; by zero, of each part."""
    (a, b), (c, d) = split(x), split(y)
    by_real = np.abs(c) >= np.abs(d)
    large, small = np.where(by_real, c, d), np.where(by_real, d, c)
    ratio = small / large
    scale = 1 / (large + small * ratio)
    re = np.where(by_real, a + b * ratio, a * ratio + b) * scale
    im = np.where(by_real, b - a * ratio, b * ratio - a) * scale
    zero = (c == 0) & (d == 0)
    return join(np.where(zero, a / np.abs(c), re), np.where(zero, b / np.abs(c), im))


def reciprocal(x: np.ndarray) -> np.ndarray:
    """1 / (c + di) by Smith's method, as NumPy has it."""
    c, d = split(x)
    by_real = np.abs(d) <= np.abs(c)
    large, small = np.where(by_real, c, d), np.where(by_real, d, c)
    ratio = small / large
    scale = large + small * ratio
    one, part = 1 / scale, ratio / scale
    return join(np.where(by_real, one, part), -np.where(by_real, part, one))


def sign(x: np.ndarray) -> np.ndarray:
    """x / |x|, scaled by the larger part, of which an infinite one wins."""
    parts = np.stack(split(x))
    high = np.max(np.abs(parts), axis=0)
    infinite = np.isinf(parts)
    units = np.where(infinite, np.copysign(1, parts), 0).astype(parts.dtype)
    scaled = np.where(infinite.any(axis=0), units, parts / np.where(high == 0, 1, high))
    scaled = np.where(infinite.all(axis=0), np.nan, scaled).astype(parts.dtype)
    length = np.hypot(scaled[0], scaled[1])
    return np.where(high == 0, 0, join(*(scaled / np.where(high == 0, 1, length))))


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """By squaring for small integers, within the range; 0 for 0 to a positive power."""
    exponent, rest = split(y)
    counts = (rest == 0) & (np.abs(exponent) < 100) & (np.floor(exponent) == exponent)
    general = np.exp(multiply(y, np.log(x)))
    general = np.where((x == 0) & (exponent > 0), 0, general)
    left = np.where(counts, np.abs(exponent), 0).astype(np.int64)
    whole, base = np.ones_like(general), x
    while left.any():
        product = np.where(whole == 1, base, multiply(whole, base))
        whole = np.where(left & 1, product, whole)
        left, base = left >> 1, multiply(base, base)
    whole = np.where(exponent < 0, reciprocal(whole), whole)
    return np.where(counts & np.isfinite(whole), whole, general)


def log1p(x: np.ndarray) -> np.ndarray:
    """log(1 + x), where x is small from the square of the magnitude less 1."""
    a, b = split(x)
    small = (np.abs(a) < 0.5) & (np.abs(b) < 0.5)
    near = 0.5 * np.log1p(np.where(small, a * (2 + a) + b * b, 0))
    moved = join(1 + a, b)
    return join(np.where(small, near, np.real(np.log(moved))), np.angle(moved))


def exp2(x: np.ndarray) -> np.ndarray:
    """2**x, in range even where only the cosine or sine of the angle makes it so."""
    a, b = split(x)
    whole = np.clip(np.floor(np.where(np.isfinite(a), a, 0)), -4096, 4096)
    length, angle = np.exp2(a - whole), np.log(2.0) * b
    turned = (np.ldexp(length * f(angle), whole.astype(int)) for f in (np.cos, np.sin))
    real, imag = turned
    # Of an infinite a the angle need not be known.
    unknown = np.isinf(a) & ~np.isfinite(b)
    real = np.where(unknown, np.where(a < 0, 0, np.inf), real)
    imag = np.where(unknown, np.where(a < 0, 0, np.nan), imag)
    return join(np.where(b == 0, np.exp2(a), real), np.where(b == 0, b, imag))


def expm1(x: np.ndarray) -> np.ndarray:
    """exp(x) - 1, where x is small from parts that do not cancel."""
    (a, b), whole = split(x), np.exp(x)
    near = np.expm1(a) * np.cos(b) - 2 * np.sin(b / 2) ** 2
    return join(np.where(np.abs(a) < 1, near, np.real(whole) - 1), np.imag(whole))


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), of exponentials that do not overflow."""
    negative = np.real(x) < 0
    small = np.exp(np.where(negative, x, -x))
    return divide(np.where(negative, small, 1), 1 + small)


def accumulate_products(x: np.ndarray, axis: int) -> np.ndarray:
    """Running products along an axis."""
    rows = np.moveaxis(x.copy(), axis, 0)
    for i in range(1, len(rows)):
        rows[i] = multiply(rows[i - 1], rows[i])
    return np.moveaxis(rows, 0, axis)
