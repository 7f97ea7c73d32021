"""Products of 16-bit floats in Hopper's warpgroups, on the emulator, from Python on."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import weft

BF16: Any = ml_dtypes.bfloat16
F16 = np.float16


def draw(*shape: int, dtype: Any = BF16) -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    return (0.3 * rng.standard_normal(shape)).astype(dtype)


def product(x: Any, w: Any) -> Any:
    return x @ w


def of_transposed(x: Any, w: Any) -> Any:
    return x.T @ w


def layer(x: Any, w: Any, bias: Any) -> Any:
    y = x @ w + bias
    return y * (y > 0)


def with_residual(x: Any, w: Any, y: Any) -> Any:
    return x @ w + y


# Sizes that are no multiples of a tile's, or of a step of the sum.
CASES: list[tuple[Callable[..., Any], list[np.ndarray]]] = [
    (product, [draw(200, 136), draw(136, 264)]),
    (product, [draw(256, 64, dtype=F16), draw(64, 128, dtype=F16)]),
    (of_transposed, [draw(72, 200), draw(72, 136)]),
    (layer, [draw(130, 128), draw(128, 328), draw(328)]),
    (with_residual, [draw(72, 200), draw(200, 72), draw(72, 72)]),
    (product, [draw(3, 72, 72), draw(3, 72, 136)]),
]


def scores(q: Any, k: Any) -> Any:
    return weft.swapaxes(q, 1, 2) @ weft.moveaxis(k, 1, -1)


# Transpositions of factors, which are read where they lie.
TRANSPOSED: list[tuple[Callable[..., Any], list[np.ndarray]]] = [
    (lambda x, w: x @ w.T, [draw(200, 136), draw(264, 136)]),
    (lambda x, w: x.T @ w.T, [draw(72, 200), draw(136, 72)]),
    (lambda x, w: x @ weft.transpose(w, (1, 2, 0)), [draw(3, 72, 72), draw(80, 3, 72)]),
    (scores, [draw(2, 72, 3, 64), draw(2, 80, 3, 64)]),
]


@pytest.mark.parametrize(("f", "args"), TRANSPOSED)
def test_transposed_factors_are_not_copied(
    f: Callable[..., Any], args: list[np.ndarray]
) -> None:
    jitted = weft.jit(f)
    given = [weft.asarray(x, device="cuda-sim") for x in args]
    plan = jitted.lower(*given).text("plan")
    assert plan.count("launch ") == 1
    expected = np.asarray(jitted(*(x.astype(np.float32) for x in args)))
    result = np.asarray(jitted(*given)).astype(np.float32)
    np.testing.assert_allclose(result, expected, atol=2e-2 * np.abs(expected).max())


def test_lines_that_would_not_be_aligned_are_turned() -> None:
    x, w = (weft.ShapeDtypeStruct(s, "bfloat16") for s in ((512, 333), (512, 333)))
    plan = weft.jit(lambda x, w: x @ w.T).lower(x, w, device="sm_90a").text("plan")
    assert plan.count("launch ") == 2


@pytest.mark.parametrize(("f", "args"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_products(f: Callable[..., Any], args: list[np.ndarray]) -> None:
    given = [weft.asarray(x).to("cuda-sim") for x in args]
    jitted = weft.jit(f)
    assert "nvvm.wgmma.mma_async" in jitted.lower(*given).text("gpu")
    expected = f(*(x.astype(np.float32) for x in args))
    result = np.asarray(jitted(*given)).astype(np.float32)
    np.testing.assert_allclose(result, expected, atol=2e-2 * np.abs(expected).max())
