"""Kernels over rows, whose threads keep a row in registers: on the emulator."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft
from test_gpu_assembly import complaints, needs_ptxas
from weft.cuda.memory import Memory
from weft.cuda.run import Executable
from weft.cuda.simulator import Simulator

pytestmark = pytest.mark.thorough
RNG = np.random.default_rng(0)
F32 = np.float32


def normal(*shape: int, dtype: Any = F32) -> Any:
    return (RNG.standard_normal(shape) * 4).astype(dtype)


def layer_norm(x: Any, scale: Any, bias: Any) -> Any:
    mean = weft.mean(x, axis=-1, keepdims=True)
    variance = weft.var(x, axis=-1, keepdims=True)
    return (x - mean) * weft.rsqrt(variance + 1e-5) * scale + bias


def softmax_loss(x: Any, y: Any) -> Any:
    return weft.sum(weft.nn.softmax(x) * y)


def layer_norm_loss(x: Any, scale: Any, bias: Any) -> Any:
    return weft.sum(layer_norm(x, scale, bias) ** 2)


def centred(x: Any) -> Any:
    most = weft.max(x, axis=-1, keepdims=True)
    return x - most + weft.sum(x, axis=-1, keepdims=True)


def gpu_text(f: Callable[..., Any], *args: Any) -> str:
    return weft.jit(f).lower(*args, device="sm_90a").text("gpu", locations=False)


def check(f: Callable[..., Any], *args: Any, tolerance: float = 2e-5) -> None:
    expected = weft.jit(f)(*map(weft.asarray, args))
    result = weft.jit(f)(*[weft.asarray(x, device="cuda-sim") for x in args])
    several = isinstance(expected, tuple)
    for one, other in zip(
        result if several else [result],
        expected if several else [expected],
        strict=True,
    ):
        assert one.dtype == other.dtype
        wanted = np.asarray(other).astype(np.float64)
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(
            np.asarray(one).astype(np.float64), wanted, atol=tolerance * scale
        )


# A row to a part of a warp, to a warp, to a block, and too long for registers;
# in whole vectors, in vectors with a rest, and in single elements.
SHAPES = [(2000, 24), (999, 24), (65, 512), (1024, 77), (512, 1000), (40, 1024)]
SHAPES += [(37, 1040), (20, 4096), (8, 16384), (8, 40000)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows(shape: tuple[int, int]) -> None:
    x, y, scale = normal(*shape), normal(*shape), normal(shape[1])
    check(weft.nn.softmax, x)
    check(layer_norm, x, scale, scale)
    check(lambda x: weft.nn.logsumexp(x, axis=-1), x)
    check(lambda x: weft.argmax(x, axis=-1), x)
    check(weft.grad(softmax_loss), x, y)
    check(weft.grad(lambda x: weft.sum(weft.nn.logsumexp(x, axis=-1))), x)


@pytest.mark.parametrize("shape", [(512, 1000), (1024, 77), (20, 4096)], ids=str)
def test_gradients_of_layer_norm(shape: tuple[int, int]) -> None:
    x, scale = normal(*shape), normal(shape[1])
    check(weft.grad(layer_norm_loss, argnums=(0, 1, 2)), x, scale, scale)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_reduction_of_one_element(dtype: Any) -> None:
    x = normal(2000, 1, 24, dtype=dtype)
    tolerance = 2e-5 if dtype == np.float32 else 1e-3
    check(lambda x: weft.max(x, axis=1), x)
    check(lambda x: weft.sum(weft.nn.softmax(x), axis=1), x, tolerance=tolerance)


@pytest.mark.parametrize("shape", [(2000, 24), (65, 512), (37, 1040)], ids=str)
@pytest.mark.parametrize(
    "dtype",
    [np.int8, np.uint16, np.int32, np.int64, np.float16, weft.bfloat16, np.float64],
)
def test_dtypes(dtype: Any, shape: tuple[int, int]) -> None:
    x = np.abs(normal(*shape)).astype(dtype)
    check(centred, x, tolerance=1e-2 if dtype in (np.float16, weft.bfloat16) else 1e-6)


def test_what_one_op_leaves_to_the_next_is_in_no_memory() -> None:
    text = gpu_text(weft.nn.softmax, normal(512, 1024))
    assert "gpu.dynamic_shared_memory" not in text
    assert "gpu.barrier" not in text
    # Each of a thread's 32 elements is read once, four at a time.
    assert text.count("vector.load") == 8
    assert text.count("shfl.sync") == 2 * 5


def test_a_row_of_several_warps_takes_one_barrier_for_a_reduction() -> None:
    text = gpu_text(weft.nn.softmax, normal(512, 4096))
    assert text.count("gpu.barrier") == 2


@pytest.mark.parametrize("shape", [(65, 512), (999, 24), (12, 4096)], ids=str)
def test_no_order_of_threads_matters(shape: tuple[int, int]) -> None:
    # A thorough run looks for races, and compares what each order leaves.
    simulator = Simulator(schedules=3, thorough=True)
    lowered = weft.jit(weft.nn.softmax).lower(normal(*shape), device="cuda-sim")
    run = Executable(lowered.program.plan, simulator, lowered.text("nvvm"), [])
    x = normal(*shape)
    (result,) = run([Memory.of(simulator, x)])
    np.testing.assert_allclose(
        result.numpy(), np.asarray(weft.nn.softmax(x)), atol=1e-6
    )


@needs_ptxas
@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
@pytest.mark.parametrize("length", [1024, 8192])
def test_nothing_is_spilled(chip: str, length: int, tmp_path: Path) -> None:
    lowered = weft.jit(weft.nn.softmax).lower(normal(512, length), device=chip)
    assert not complaints(lowered.text("ptx", locations=False), chip, tmp_path)
