"""Discrete Fourier transforms along one axis; `weft.fft` gives these to users."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np

from ..array import Array
from .registry import Call, op

__all__: list[str] = []


def _fft(x: Array, /, *, axis: int, inverse: bool = False) -> Call:
    return Call((x,), {"axis": axis} | ({"inverse": True} if inverse else {}))


@op(_fft)
def fft(x: np.ndarray, *, axis: int, inverse: bool = False) -> np.ndarray:
    """`sum(x[j] * exp(-2j * pi * j * k / n))`, or the inverse, not divided by n."""
    if inverse:
        return np.fft.ifft(x, axis=axis, norm="forward")
    return np.fft.fft(x, axis=axis)


def _rfft(x: Array, /, *, axis: int) -> Call:
    return Call((x,), {"axis": axis})


@op(_rfft)
def rfft(x: np.ndarray, *, axis: int) -> np.ndarray:
    """The first `n // 2 + 1` elements of the transform of n real numbers."""
    return np.fft.rfft(x, axis=axis)


def _irfft(x: Array, /, *, axis: int, length: int) -> Call:
    return Call((x,), {"axis": axis, "length": length})


@op(_irfft)
def irfft(x: np.ndarray, *, axis: int, length: int) -> np.ndarray:
    """The inverse of `rfft` to `length` numbers, not divided by it."""
    return np.fft.irfft(x, length, axis=axis, norm="forward")
