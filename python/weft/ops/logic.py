"""Elementwise comparisons, truth and bits."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np

from ..errors import DTypeError
from .registry import ArrayLike, Call, as_array, binary, broadcast_all, op, unary

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "population_count",
    "signbit",
    "threefry",
]


# ---- bits and truth, one operand ----


@unary("integer or bool")
def bitwise_invert(x: np.ndarray) -> np.ndarray:
    """Elementwise `~x`: every bit of an integer, or a bool, inverted.

    >>> weft.bitwise_invert(weft.asarray([0, 5]))
    Array([-1, -6], dtype=int64)
    """
    return np.bitwise_invert(x)


@unary("integer")
def population_count(x: np.ndarray) -> np.ndarray:
    """Elementwise number of bits set in the two's complement of `x`.

    >>> weft.population_count(weft.asarray([0, 7, -1]))
    Array([ 0,  3, 64], dtype=int64)
    """
    return np.bitwise_count(x.view(f"u{x.dtype.itemsize}")).astype(x.dtype)


@unary("bool")
def logical_not(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is false (zero).

    >>> weft.logical_not(weft.asarray([True, False]))
    Array([False,  True], dtype=bool)
    """
    return np.logical_not(x)


@unary("inexact")
def isnan(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is NaN.

    >>> weft.isnan(weft.asarray([1.0, weft.nan]))
    Array([False,  True], dtype=bool)
    """
    return np.isnan(x)


@unary("inexact")
def isinf(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is infinite.

    >>> weft.isinf(weft.asarray([1.0, -weft.inf]))
    Array([False,  True], dtype=bool)
    """
    return np.isinf(x)


@unary("inexact")
def isfinite(x: np.ndarray) -> np.ndarray:
    """Elementwise whether `x` is neither infinite nor NaN.

    >>> weft.isfinite(weft.asarray([1.0, weft.nan]))
    Array([ True, False], dtype=bool)
    """
    return np.isfinite(x)


@unary("float")
def signbit(x: np.ndarray) -> np.ndarray:
    """Elementwise whether the sign bit of `x` is set.

    >>> weft.signbit(weft.asarray([0.0, -0.0]))
    Array([False,  True], dtype=bool)
    """
    return np.signbit(x)


# ---- bits and truth, two operands ----


@binary("integer or bool")
def bitwise_and(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x & y` of integers or bools.

    >>> weft.bitwise_and(weft.asarray([6, 5]), 3)
    Array([2, 1], dtype=int64)
    """
    return np.bitwise_and(x, y)


@binary("integer or bool")
def bitwise_or(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x | y` of integers or bools.

    >>> weft.bitwise_or(weft.asarray([6, 5]), 3)
    Array([7, 7], dtype=int64)
    """
    return np.bitwise_or(x, y)


@binary("integer or bool")
def bitwise_xor(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x ^ y` of integers or bools.

    >>> weft.bitwise_xor(weft.asarray([6, 5]), 3)
    Array([5, 6], dtype=int64)
    """
    return np.bitwise_xor(x, y)


def _shift_out_of_range(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (y < 0) | (y >= x.dtype.itemsize * 8)


@binary("integer")
def bitwise_left_shift(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x << y`; zero where `y` is negative or not below the width.

    >>> weft.bitwise_left_shift(weft.asarray([1, 3]), 2)
    Array([ 4, 12], dtype=int64)
    """
    out = _shift_out_of_range(x, y)
    shifted = np.left_shift(x, np.where(out, 0, y).astype(x.dtype))
    return np.where(out, 0, shifted).astype(x.dtype)


@binary("integer")
def bitwise_right_shift(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x >> y`; only the sign where `y` is negative or too large.

    >>> weft.bitwise_right_shift(weft.asarray([12, -3]), 2)
    Array([ 3, -1], dtype=int64)
    """
    out = _shift_out_of_range(x, y)
    shifted = np.right_shift(x, np.where(out, 0, y).astype(x.dtype))
    sign = np.where(x < 0, -1, 0).astype(x.dtype)
    return np.where(out, sign, shifted)


@binary("bool")
def logical_and(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise whether both are true.

    >>> weft.logical_and(weft.asarray([True, True]), weft.asarray([True, False]))
    Array([ True, False], dtype=bool)
    """
    return np.logical_and(x, y)


@binary("bool")
def logical_or(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise whether one or both are true.

    >>> weft.logical_or(weft.asarray([True, False]), weft.asarray([False, False]))
    Array([ True, False], dtype=bool)
    """
    return np.logical_or(x, y)


@binary("bool")
def logical_xor(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise whether exactly one is true.

    >>> weft.logical_xor(weft.asarray([True, False]), weft.asarray([True, True]))
    Array([False,  True], dtype=bool)
    """
    return np.logical_xor(x, y)


# ---- comparisons ----


@binary("any")
def equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x == y`.

    >>> weft.equal(weft.asarray([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    return np.equal(x, y)


@binary("any")
def not_equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x != y`.

    >>> weft.not_equal(weft.asarray([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    return np.not_equal(x, y)


@binary("real", of_bools=lambda x, y: logical_and(logical_not(x), y))
def less(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x < y`.

    >>> weft.less(weft.asarray([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    return np.less(x, y)


@binary("real", of_bools=lambda x, y: logical_or(logical_not(x), y))
def less_equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x <= y`.

    >>> weft.less_equal(weft.asarray([1, 2]), 2)
    Array([ True,  True], dtype=bool)
    """
    return np.less_equal(x, y)


@binary("real", of_bools=lambda x, y: logical_and(x, logical_not(y)))
def greater(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x > y`.

    >>> weft.greater(weft.asarray([1, 2]), 1)
    Array([False,  True], dtype=bool)
    """
    return np.greater(x, y)


@binary("real", of_bools=lambda x, y: logical_or(x, logical_not(y)))
def greater_equal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Elementwise `x >= y`.

    >>> weft.greater_equal(weft.asarray([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    return np.greater_equal(x, y)


# ---- random bits ----


def _threefry(key: ArrayLike, counter: ArrayLike, /) -> Call:
    arrays = [as_array(x, "threefry") for x in (key, counter)]
    for array in arrays:
        if array.dtype != np.uint64:
            raise DTypeError(
                f"threefry does not take {array.dtype}: it takes uint64; convert with "
                ".astype"
            )
    return Call(broadcast_all("threefry", *arrays))


def _rotated(x: np.ndarray, amount: int) -> np.ndarray:
    return (x << np.uint32(amount)) | (x >> np.uint32(32 - amount))


@op(_threefry)
def threefry(key: np.ndarray, counter: np.ndarray) -> np.ndarray:
    """Elementwise 64 random bits: a counter, enciphered by a key, all of them uint64.

    Threefry-2x32 of 20 rounds: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw,
    "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Each uint64 is two 32-bit
    words, the high one first. Prefer the functions of `weft.random`.

    >>> hex(weft.threefry(np.uint64(0), np.uint64(0)).item())
    '0x6b20015999ba4efe'
    """
    (k0, k1), (x0, x1) = (
        ((x >> np.uint64(32)).astype(np.uint32), x.astype(np.uint32))
        for x in (key, counter)
    )
    schedule = (k0, k1, k0 ^ k1 ^ np.uint32(0x1BD11BDA))
    x0, x1 = x0 + k0, x1 + k1
    for group in range(5):
        for amount in ((13, 15, 26, 6), (17, 29, 16, 24))[group % 2]:
            x0 = x0 + x1
            x1 = _rotated(x1, amount) ^ x0
        x0 = x0 + schedule[(group + 1) % 3]
        x1 = x1 + (schedule[(group + 2) % 3] + np.uint32(group + 1))
    return (x0.astype(np.uint64) << np.uint64(32)) | x1.astype(np.uint64)
