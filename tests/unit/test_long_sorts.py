"""Rows of every length and order: the kernels of sort and argsort, bit for bit."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from ml_dtypes import bfloat16, float8_e4m3fn, float8_e5m2

import weft

pytestmark = pytest.mark.thorough

FLOATS = [np.float64, np.float32, np.float16, bfloat16, float8_e4m3fn, float8_e5m2]
INTS = [np.dtype(f"{sign}{size}") for sign in "iu" for size in (1, 2, 4, 8)]
DTYPES = [np.dtype(dtype) for dtype in [*FLOATS, bool]] + INTS

# About each length at which another way of sorting begins: vectors and networks of
# several, merging, digits, counting, threads.
LENGTHS = [1, 2, 7, 8, 9, 16, 17, 33, 64, 65, 128, 129, 199, 200, 256, 257, 1000, 4096,
           16383, 16385, 40000]  # fmt: skip


def bits(x: Any) -> np.ndarray:
    array = np.asarray(x)
    return array.view(f"u{array.dtype.itemsize}")


def stable(x: np.ndarray, descending: bool = False) -> np.ndarray:
    """The order along the last axis, from what NumPy says of exact wider numbers."""
    if x.dtype.kind in "iub" and x.dtype.itemsize < 8:
        wide: np.ndarray = x.astype(np.int64)
    elif x.dtype.kind in "iu":
        wide = x
    else:
        with np.errstate(invalid="ignore"):  # signalling NaN
            wide = x.astype(np.float64)
    if not descending:
        return np.argsort(wide, -1, kind="stable")
    flipped = np.argsort(wide[..., ::-1], -1, kind="stable")[..., ::-1]
    return x.shape[-1] - 1 - flipped


@weft.jit
def sorted_both_ways(x: Any) -> list[Any]:
    return [
        sort(x, descending=descending)
        for descending in (False, True)
        for sort in (weft.argsort, weft.sort)
    ]


def check(x: np.ndarray) -> None:
    order, values, down, values_down = sorted_both_ways(x)
    for found, got, descending in (order, values, False), (down, values_down, True):
        meant = stable(x, descending)
        np.testing.assert_array_equal(found, meant)
        np.testing.assert_array_equal(bits(got), bits(np.take_along_axis(x, meant, -1)))


def rows(dtype: np.dtype[Any], length: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(length)
    word = np.dtype(f"u{dtype.itemsize}")
    if dtype.kind == "b":
        yield random.random(length) < 0.3
        return
    yield random.integers(0, 2 ** (8 * word.itemsize) - 1, length, word).view(dtype)
    few = random.integers(0, 5, length).astype(dtype)
    yield few
    yield np.sort(few)[::-1]
    yield np.full(length, 3).astype(dtype)
    if dtype.kind in "iu":
        yield np.arange(length).astype(dtype)
        yield np.minimum(np.arange(length), np.arange(length)[::-1]).astype(dtype)
    else:
        awkward = np.array([0.0, -0.0, np.nan, -np.nan, 1, -1, 300, -300])
        yield random.choice(awkward, length).astype(dtype)
        yield (random.normal(size=length) * 100).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_rows(dtype: np.dtype[Any], length: int) -> None:
    for row in rows(dtype, length):
        check(row)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "u1"])
@pytest.mark.parametrize("shape", [(2, 9000), (3, 70), (5, 4, 1000), (3000, 6)])
def test_stacks(dtype: str, shape: tuple[int, ...]) -> None:
    x = (np.random.default_rng(0).normal(size=shape) * 50).astype(dtype)
    check(x)
    for axis in range(x.ndim):
        found = weft.jit(lambda x, axis=axis: weft.sort(x, axis))(x)
        np.testing.assert_array_equal(found, np.sort(x, axis))


def test_keys_that_begin_alike() -> None:
    """Of 64-bit keys the first half of the bits that differ is sorted first."""
    random = np.random.default_rng(1)
    for far in (2.0**40, 1.0):
        x = 1 + random.integers(0, 50, 30000) * 2.0**-52
        x[7::1000] = far
        check(x)
    check(random.integers(0, 9, 30000) + (random.integers(0, 3, 30000) << 60))
    check(random.permutation(np.repeat(np.int64(2) ** np.arange(62), 500)))


def test_any_number_of_threads_gives_the_same() -> None:
    random = np.random.default_rng(2)
    before = weft.get_num_threads()
    try:
        for count in (1, 2, 3, 7, 33):
            weft.set_num_threads(count)
            check(random.normal(size=70001).astype(np.float32))
            check(random.integers(0, 3, 50000) * 1.0)
            check(random.normal(size=(count, 17001)))
            check(np.zeros(20000, np.int32))
    finally:
        weft.set_num_threads(before)


def test_several_long_keys() -> None:
    random = np.random.default_rng(3)
    first = random.integers(0, 4, (2, 20000)).astype(np.uint8)
    second = random.choice([0.5, -0.0, 0.0, np.nan], (2, 20000))
    order = np.lexsort((second, first))
    found = weft.jit(lambda b, a: weft.lexsort((b, a)))(second, first)
    np.testing.assert_array_equal(found, order)
    z = np.asarray(weft.complex(second, np.roll(second, 1, -1)))
    by_parts = np.argsort(z, kind="stable")
    np.testing.assert_array_equal(weft.jit(weft.argsort)(z), by_parts)
    got = np.asarray(weft.jit(lambda z: weft.sort(z))(z))
    want = np.take_along_axis(z, by_parts, -1)
    np.testing.assert_array_equal(got.view("u8"), want.view("u8"))


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, array_shapes(max_dims=5, max_side=4), elements=st.floats()),
    st.booleans(),
)
def test_any_floats(x: np.ndarray, single: bool) -> None:
    with np.errstate(all="ignore"):
        check(x.astype(np.float32) if single else x)


@settings(max_examples=50, deadline=None)
@given(arrays(np.int64, st.integers(1, 600), elements=st.integers(-(2**63), 2**63 - 1)))
def test_any_integers(x: np.ndarray) -> None:
    check(x)
    check(x.astype(np.int16))


def test_without_vectors() -> None:
    """The same tests where no vectors of the machine are used."""
    if "WEFT_CPU" in os.environ:
        pytest.skip("this is without vectors")
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", __file__]
    # One dtype of each width.
    call += ["-k", "threads or stacks or begin or float16 or float32 or float64"]
    environment = {**os.environ, "WEFT_CPU": "x86-64"}
    done = subprocess.run(call, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
