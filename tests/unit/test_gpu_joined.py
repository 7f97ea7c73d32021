"""Arrays that are put together of others, read where they come from: emulated."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft
from test_gpu_assembly import complaints, needs_ptxas

pytestmark = pytest.mark.thorough
RNG = np.random.default_rng(0)


def smoothed(x: Any) -> Any:
    p = weft.pad(x, 1)
    sides = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
    return sides - 4 * x


def neighbours(x: Any) -> Any:
    return weft.sum(weft.sin(x[1:] * x[:-1]))


def windows(x: Any) -> Any:
    return weft.sum((x[1:, 1:] - x[:-1, :-1]) ** 2)


def replaced(x: Any) -> Any:
    return weft.exp(x.at[2].set(0).at[:, 1:3].multiply(2))


def joined(x: Any, y: Any) -> Any:
    return weft.concatenate([x, weft.sqrt(y), y[:1]]) * 2 + 1


def side_by_side(x: Any, y: Any) -> Any:
    return weft.concatenate([x, y], 1) - weft.concatenate([y, x], 1)


def of_joined(x: Any, y: Any) -> Any:
    inner = weft.pad(weft.concatenate([x, y]), ((1, 0), (0, 2)), constant_values=3)
    return weft.roll(inner, 1, 1) * 2


def bias(x: Any, y: Any) -> Any:
    return x + weft.pad(y[0], (1, x.shape[1] - y.shape[1] - 1))


def normalized(x: Any) -> Any:
    return weft.nn.softmax(weft.pad(x, ((0, 0), (1, 4))), -1)


def smoothed_by_steps(x: Any) -> Any:
    return weft.fori_loop(0, 3, lambda _, y: y + 0.1 * smoothed(y), x)


# A program, the shapes of its operands, and the launches of its plan.
PROGRAMS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]], int]] = {
    "stencil": (smoothed, [(40, 50)], 1),
    "gradient of neighbours": (weft.grad(neighbours), [(3000,)], 2),
    "gradient of windows": (weft.grad(windows), [(40, 41)], 2),
    "replaced": (replaced, [(20, 30)], 1),
    "joined": (joined, [(20, 30), (7, 30)], 1),
    "side by side": (side_by_side, [(20, 30), (20, 7)], 1),
    "of joined": (of_joined, [(20, 30), (7, 30)], 1),
    "broadcast": (bias, [(20, 30), (2, 7)], 1),
    "rows": (normalized, [(20, 30)], 1),
    "steps": (smoothed_by_steps, [(20, 30)], 1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_launches(name: str) -> None:
    f, shapes, launches = PROGRAMS[name]
    arrays = [RNG.random(shape).astype(np.float32) for shape in shapes]
    plan = weft.jit(f).lower(*arrays, device="sm_90a").text("plan")
    assert plan.count("  launch ") == launches
    found = weft.jit(f)(*[weft.asarray(x, device="cuda-sim") for x in arrays])
    np.testing.assert_allclose(found, weft.jit(f)(*arrays), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "complex64", "float64"])
def test_dtypes(dtype: str) -> None:
    x = RNG.integers(0, 5, (9, 8)).astype(dtype)

    def f(x: Any) -> Any:
        p = weft.pad(x, ((1, 2), (0, 3)))
        return weft.where(p == 0, p, p * p), weft.roll(x, 2, 0) == x

    expected = weft.jit(f)(x)
    for one, other in zip(
        weft.jit(f)(weft.asarray(x, device="cuda-sim")), expected, strict=True
    ):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_what_is_padded_for_others_is_one_launch() -> None:
    x = RNG.random((1, 6, 6, 4)).astype(np.float32)
    w = RNG.random((3, 3, 4, 8)).astype(np.float32)

    def f(x: Any, w: Any) -> Any:
        return weft.nn.conv(weft.nn.relu(x - 0.5), w, padding="SAME")

    plan = weft.jit(f).lower(x, w, device="sm_90a").text("plan")
    assert plan.count("  launch ") == 2
    found = weft.jit(f)(*[weft.asarray(a, device="cuda-sim") for a in (x, w)])
    np.testing.assert_allclose(found, weft.jit(f)(x, w), rtol=1e-5, atol=1e-5)


@needs_ptxas
@pytest.mark.parametrize("name", ["stencil", "joined", "gradient of windows"])
def test_assembles(name: str, tmp_path: Path) -> None:
    f, shapes, _ = PROGRAMS[name]
    arrays = [np.zeros((1000, *shape[1:]), np.float32) for shape in shapes]
    for chip in ("sm_80", "sm_90a", "sm_100"):
        lowered = weft.jit(f).lower(*arrays, device=chip)
        assert complaints(lowered.text("ptx"), chip, tmp_path) == []
