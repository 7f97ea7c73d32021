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


def check(f: Callable[..., Any], args: list[np.ndarray]) -> str:
    """That results are those of wide numbers, nearly; the plan."""
    jitted = weft.jit(f)
    given = [weft.asarray(x, device="cuda-sim") for x in args]
    expected = np.asarray(jitted(*(x.astype(np.float32) for x in args)))
    result = np.asarray(jitted(*given)).astype(np.float32)
    np.testing.assert_allclose(result, expected, atol=2e-2 * np.abs(expected).max())
    return jitted.lower(*given).text("plan")


@pytest.mark.parametrize(("f", "args"), TRANSPOSED)
def test_transposed_factors_are_not_copied(
    f: Callable[..., Any], args: list[np.ndarray]
) -> None:
    assert check(f, args).count("launch ") == 1


# What is multiplied is a part of an array, or what comes of it is.
PARTS: list[tuple[Callable[..., Any], list[np.ndarray], int]] = [
    (lambda x, w: weft.concatenate([x @ w, x], 1), [draw(72, 128), draw(128, 64)], 2),
    (lambda x, w: weft.concatenate([x, x @ w], 1), [draw(72, 128), draw(128, 64)], 2),
    # Not at a place that the copy engine stores to.
    (lambda x, w: weft.concatenate([x[:, :3], x @ w], 1),
     [draw(72, 128), draw(128, 64)], 2),
    (lambda x, w: weft.concatenate([x[:, :8], weft.astype(x @ w, "float32")], 1),
     [draw(72, 128), draw(128, 64)], 2),
    (lambda x, w: x[8:, 64:] @ w[:, 8:], [draw(136, 128), draw(64, 136)], 1),
    (lambda x, w: x[:, 3:67] @ w, [draw(136, 128), draw(64, 136)], 2),
    (lambda x, w: weft.stack([x @ w, x]), [draw(128, 128), draw(128, 128)], 2),
]  # fmt: skip


@pytest.mark.parametrize(("f", "args", "launches"), PARTS)
def test_parts(f: Callable[..., Any], args: list[np.ndarray], launches: int) -> None:
    assert check(f, args).count("launch ") <= launches


def cell(state: Any, x: Any, w: Any) -> tuple[Any, Any]:
    state = weft.tanh(state @ w + x)
    return state, state


def last_state(x: Any, w: Any) -> Any:
    return weft.scan(lambda c, x: cell(c, x, w), x[0], x)[0]


def of_gradients(x: Any, w: Any) -> Any:
    def loss(x: Any, w: Any) -> Any:
        return weft.sum(weft.astype(last_state(x, w), "float32") ** 2)

    return weft.concatenate(
        [weft.reshape(y, -1) for y in weft.grad(loss, (0, 1))(x, w)]
    )


@pytest.mark.parametrize("f", [last_state, of_gradients])
def test_loops_read_other_rows_at_each_step(f: Callable[..., Any]) -> None:
    # An epilogue's operand is a row whose place only the running program knows.
    check(f, [draw(3, 200, 136), draw(136, 136) / 4])


def test_loops_write_other_rows_at_each_step() -> None:
    def f(x: Any, w: Any) -> Any:
        def body(y: Any, i: Any) -> tuple[Any, None]:
            product = weft.astype(
                weft.dynamic_slice(x, (i * 8, 0), (72, 64)) @ w, "float32"
            )
            return weft.dynamic_update_slice(y, product, (i * 64, 0)), None

        return weft.scan(body, weft.zeros((256, 136), "float32"), weft.arange(3))[0]

    check(f, [draw(136, 64), draw(64, 136)])


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
