"""Distinct elements, of one array and of two: NumPy's, and of a static size."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import weft

pytestmark = pytest.mark.thorough

FLOATS = st.sampled_from([0.0, 1.0, -2.5, 7.0, np.inf, np.nan])
SMALL = array_shapes(max_dims=2, max_side=5, min_side=0)


def same(got: Any, want: Any) -> None:
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


@settings(max_examples=150, deadline=None)
@given(arrays(np.float64, SMALL, elements=FLOATS), st.sampled_from([None, 0, -1]))
def test_distinct_elements(x: np.ndarray, axis: int | None) -> None:
    if axis is not None and x.size == 0:
        return
    if axis is not None:
        x = np.nan_to_num(x)  # NumPy takes bytes for rows: NaN may differ
    ours = weft.unique(x, True, True, True, axis)
    for got, want in zip(ours, np.unique(x, True, True, True, axis), strict=True):
        same(got, want)
    same(weft.unique(x, axis=axis), np.unique(x, axis=axis))
    for nan in (False, True):
        same(weft.unique(x, equal_nan=nan), np.unique(x, equal_nan=nan))
    same(weft.unique_values(x), np.sort(np.unique_values(x)))
    # NumPy leaves open which of several NaN comes first.
    single = x.copy()
    single.flat[np.flatnonzero(np.isnan(x))[1:]] = 7
    for name in ("unique_all", "unique_counts", "unique_inverse"):
        ours, theirs = getattr(weft, name)(single), getattr(np, name)(single)
        for got, want in zip(ours, theirs, strict=True):
            same(got, want)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(0, 9), st.just(2)), elements=FLOATS))
def test_distinct_complex_numbers(pairs: np.ndarray) -> None:
    z = pairs.view(np.complex128)[:, 0]
    for nan in (False, True):
        same(weft.unique(z, equal_nan=nan), np.unique(z, equal_nan=nan))
    ours = weft.unique(z, True, True, True)
    for got, want in zip(ours, np.unique(z, True, True, True), strict=True):
        same(got, want)
    numbers = np.nan_to_num(z)
    for name in ("union1d", "intersect1d", "setdiff1d", "setxor1d"):
        ours, theirs = getattr(weft, name), getattr(np, name)
        same(ours(numbers, numbers[::2] + 1), theirs(numbers, numbers[::2] + 1))
    sized = weft.jit(lambda z: weft.unique(z, size=9, fill_value=1j))(numbers)
    want = np.unique(numbers)
    same(sized, np.append(want, np.full(9 - want.size, 1j)))


@settings(max_examples=100, deadline=None)
@given(
    arrays(np.int16, st.integers(0, 8), elements=st.integers(0, 5)),
    arrays(np.int64, SMALL, elements=st.integers(2, 8)),
)
def test_two_arrays(x: np.ndarray, y: np.ndarray) -> None:
    for name in ("union1d", "intersect1d", "setdiff1d", "setxor1d"):
        ours, want = getattr(weft, name), getattr(np, name)(x, y)
        np.testing.assert_array_equal(np.asarray(ours(x, y)), want)
        sized = np.asarray(ours(x, y, size=6, fill_value=-1))
        filled = np.concatenate([want, np.full(6, -1)])[:6]
        np.testing.assert_array_equal(sized, filled, name)


def test_of_a_size() -> None:
    x = np.array([[3, 1, 3], [2, 1, 1]])
    rows = np.array([[1, 2], [0, 5], [1, 2], [0, 4]])

    @weft.jit
    def run(x: weft.Array, rows: weft.Array) -> Any:
        return (
            *weft.unique(x, True, True, True, size=5, fill_value=9),
            *weft.unique(x, True, False, True, size=2),
            weft.unique(x, size=4),
            *weft.unique(rows, True, True, True, 0, size=4, fill_value=-1),
            weft.unique(x[:0], size=2, fill_value=7),
            weft.unique(x, size=0),
            *weft.unique_all(x, size=3),
            weft.union1d(x, rows, size=7),
            weft.intersect1d(x, rows, size=3, fill_value=-1),
            weft.setdiff1d(x, rows, size=2),
            weft.setxor1d(x, rows, size=5, fill_value=0),
            weft.vmap(lambda x: weft.unique(x, size=3, fill_value=0))(x),
        )

    want = [
        [1, 2, 3, 9, 9], [1, 3, 0, 1, 1], [[2, 0, 2], [1, 0, 0]], [3, 1, 2, 0, 0],
        [1, 2], [1, 3], [3, 1],
        [1, 2, 3, 1],
        [[0, 4], [0, 5], [1, 2], [-1, -1]], [3, 1, 0, 3], [2, 1, 2, 0], [1, 1, 2, 0],
        [7, 7], [],
        [1, 2, 3], [1, 3, 0], [[2, 0, 2], [1, 0, 0]], [3, 1, 2],
        [0, 1, 2, 3, 4, 5, 0], [1, 2, -1], [3, 3], [0, 3, 4, 5, 0],
        [[1, 3, 0], [1, 2, 0]],
    ]  # fmt: skip
    for i, (got, meant) in enumerate(zip(run(x, rows), want, strict=True)):
        np.testing.assert_array_equal(np.asarray(got), meant, str(i))
    slope = weft.grad(lambda x: weft.sum(weft.unique(x, size=4, fill_value=0.0) ** 2))
    assert slope(np.array([3.0, 1.0, 3.0])).tolist() == [6, 2, 0]


@pytest.mark.parametrize(
    "name", ["unique", "unique_values", "unique_all", "unique_counts", "unique_inverse"]
)
def test_a_traced_array_needs_a_size(name: str) -> None:
    with pytest.raises(weft.ArgumentError, match=f"{name}: how many .* size=n"):
        weft.jit(getattr(weft, name))(np.arange(3))
    with pytest.raises(weft.ArgumentError, match="fill_value is for a size"):
        getattr(weft, name)(np.arange(3), fill_value=1)


def test_two_traced_arrays_need_one_too() -> None:
    for name in ("union1d", "intersect1d", "setdiff1d", "setxor1d"):
        with pytest.raises(weft.ArgumentError, match="size=n"):
            weft.jit(getattr(weft, name))(np.arange(3), np.arange(2))
