"""Transpositions of every size, alone and with what is done beside them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from typing import Any

import numpy as np
import pytest

import weft

pytestmark = pytest.mark.thorough

DTYPES = ["?", "u1", "i2", "f2", "f4", "i8", "f8", "c8", "c16"]


def array(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return (np.random.default_rng(0).normal(size=shape) * 50).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(33, 33), (32, 64), (40, 1000), (1001, 77), (130, 2), (512, 640)], ids=str
)
def test_matrices(shape: tuple[int, int], dtype: str) -> None:
    x, y = array(shape, dtype), array(shape[::-1], dtype)

    def run(x: Any, y: Any) -> Any:
        return x.T, weft.where(y == x.T, x.T, y), weft.flip(x, 0).T

    turned, chosen, flipped = weft.jit(run)(x, y)
    np.testing.assert_array_equal(turned, x.T)
    np.testing.assert_array_equal(chosen, np.where(y == x.T, x.T, y))
    np.testing.assert_array_equal(flipped, x[::-1].T)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_what_is_larger_than_a_cache(dtype: str) -> None:
    """The lines of it go past the caches."""
    x = array((2048, 1536) if dtype != "u1" else (4096, 4096), dtype)
    rows = array((2080, 1000), dtype)
    turned, part = weft.jit(lambda x, y: (x.T, y[17:, 3:].T))(x, rows)
    np.testing.assert_array_equal(turned, x.T)
    np.testing.assert_array_equal(part, rows[17:, 3:].T)


@pytest.mark.parametrize("before", [1, 8, 16])
def test_into_memory_that_begins_within_a_line(before: int) -> None:
    x = array((1600, 1600), "f4")
    ones = np.ones((before, 1600), "f4")
    row = np.ones(before, "f4")

    def run(x: Any, ones: Any, row: Any) -> Any:
        stacked = weft.concatenate([ones, x.T])
        return stacked, weft.concatenate([row, weft.reshape(x.T, (-1,))])

    stacked, flat = weft.jit(run)(x, ones, row)
    np.testing.assert_array_equal(stacked, np.concatenate([ones, x.T]))
    np.testing.assert_array_equal(flat, np.concatenate([row, x.T.ravel()]))


@pytest.mark.parametrize("dtype", ["i2", "f4", "f8"])
@pytest.mark.parametrize(
    ("shape", "order"),
    [
        ((5, 64, 96), (0, 2, 1)),
        ((70, 3, 50), (2, 1, 0)),
        ((4, 33, 2, 35), (3, 0, 2, 1)),
        ((2, 40, 3, 48, 2), (0, 3, 2, 1, 4)),
    ],
    ids=str,
)
def test_stacks(shape: tuple[int, ...], order: tuple[int, ...], dtype: str) -> None:
    x = array(shape, dtype)
    turned, doubled = weft.jit(
        lambda x: (weft.permute_dims(x, order), weft.permute_dims(x, order) + x.sum())
    )(x)
    np.testing.assert_array_equal(turned, x.transpose(order))
    want = x.transpose(order) + np.asarray(weft.sum(x))
    np.testing.assert_allclose(doubled, want, rtol=1e-5, atol=1e-3)
