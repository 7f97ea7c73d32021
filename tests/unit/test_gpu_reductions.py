"""Reductions whose threads read several elements at once: on the emulator."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft

pytestmark = pytest.mark.thorough
RNG = np.random.default_rng(0)

# Of one kernel and of two, along lines and across them; rows of odd length, and what
# begins anywhere, are read element by element.
SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((128, 512), 0), ((128, 512), 1), ((131, 500), 0), ((131, 501), 0), ((500, 131), 1),
    ((70000,), 0), ((70001,), 0), ((4, 300, 64), 1), ((4, 300, 6), 1),
    ((8, 14, 14, 48), (0, 1, 2)), ((8, 14, 14, 48), (1, 2)), ((3, 5, 4096), (0, 1)),
    ((2, 33000), 0), ((33000, 2), 0), ((16, 4), 0),
]  # fmt: skip
DTYPES = ["float32", "float64", "float16", "bfloat16", "int32", "int8", "bool"]


def drawn(shape: tuple[int, ...], dtype: str) -> Any:
    x = weft.asarray(RNG.integers(-3, 4, shape).astype(np.float32))
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_sums(shape: tuple[int, ...], axis: Any, dtype: str) -> None:
    x = drawn(shape, dtype)

    def total(x: Any) -> Any:
        square = x if dtype == "bool" else x * x
        return weft.sum(square, axis=axis, dtype=np.float64)

    wanted = np.sum(np.square(np.asarray(x).astype(np.float64)), axis=axis)
    np.testing.assert_array_equal(np.asarray(weft.jit(total)(x.to("cuda-sim"))), wanted)


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_others(shape: tuple[int, ...], axis: Any) -> None:
    x = drawn(shape, "float32")

    def results(x: Any, y: Any) -> Any:
        least = weft.min(x + y, axis=axis)
        places = weft.argmax(x.reshape(-1, shape[-1]), axis=0)
        return least, weft.any(x > 2, axis=axis), weft.sum(x[..., 1:] * y[1:]), places

    y = weft.arange(shape[-1], dtype=np.float32) % 8
    found = weft.jit(results)(x.to("cuda-sim"), y.to("cuda-sim"))
    for one, other in zip(found, results(x, y), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_fills_are_no_launches() -> None:
    x = np.zeros((16384, 4096), np.float32)
    for axis in (0, None):
        plan = weft.jit(lambda x, axis=axis: weft.sum(x, axis=axis))
        assert plan.lower(x, device="sm_90a").text("plan").count("  launch ") == 2
