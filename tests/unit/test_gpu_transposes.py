"""Operands that a GPU reads across their lines: tiles turned in shared memory."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import weft
from test_gpu_assembly import CHIPS, complaints, needs_ptxas

pytestmark = pytest.mark.thorough

RANDOM = np.random.default_rng(3)
DTYPES = [
    "bool", "uint8", "bfloat16", "float16", "int32", "float32", "int64", "complex64",
    "complex128",
]  # fmt: skip


def drawn(shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
    return RANDOM.integers(0, 100, shape).astype(getattr(ml_dtypes, dtype, dtype))


def turn(x: Any) -> Any:
    return weft.transpose(x)


PROGRAMS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "aligned": (turn, [(192, 256)]),
    "ragged": (turn, [(179, 201)]),
    "large tiles": (turn, [(256, 320)]),
    "ragged large tiles": (lambda x: weft.transpose(x) + 1, [(331, 277)]),
    "lines of even length": (turn, [(178, 202)]),
    "narrow": (turn, [(16, 1030)]),
    "tall": (turn, [(1030, 17)]),
    "stacks": (lambda x: weft.swapaxes(x, 1, 2), [(3, 120, 136)]),
    "outermost to the end": (lambda x: weft.moveaxis(x, 0, -1), [(40, 20, 36)]),
    "all axes": (turn, [(20, 36, 40)]),
    "channels last": (lambda x: weft.moveaxis(x, 1, -1), [(2, 32, 24, 20)]),
    "a part": (lambda x: weft.transpose(x[5:, 3:]), [(200, 230)]),
    "an aligned part": (lambda x: weft.transpose(x[4:, 8:136]), [(200, 230)]),
    "with itself": (lambda x: x + weft.transpose(x), [(150, 150)]),
    "with a row and a column": (
        lambda x, r, c: weft.transpose(x) * r + c, [(160, 132), (160,), (132, 1)]
    ),
    "two": (
        lambda x, y, z: weft.transpose(x) - weft.transpose(y) * z,
        [(130, 170), (130, 170), (170, 130)],
    ),
    "three": (
        lambda x, y, z: weft.transpose(x + y * z), [(130, 170)] * 3
    ),
    "two results": (
        lambda x, y: (weft.transpose(x) + y, weft.transpose(x) * y),
        [(131, 170), (170, 131)],
    ),
    "to another dtype": (
        lambda x: weft.transpose(x).astype(weft.bfloat16), [(140, 132)]
    ),
    "reversed": (lambda x: weft.transpose(x)[:, ::-1], [(140, 132)]),
}  # fmt: skip


def on_gpu(function: Callable[..., Any], args: list[np.ndarray]) -> list[np.ndarray]:
    got = weft.jit(function)(*(weft.asarray(x, device="cuda-sim") for x in args))
    return [np.asarray(x) for x in (got if isinstance(got, tuple) else (got,))]


def turns(function: Callable[..., Any], args: list[Any]) -> bool:
    text = weft.jit(function).lower(*args, device="sm_90a").text("gpu")
    return "gpu.barrier" in text


@pytest.mark.parametrize("name", PROGRAMS)
def test_operands_are_turned(name: str) -> None:
    function, shapes = PROGRAMS[name]
    args = [drawn(shape) for shape in shapes]
    want = weft.jit(function)(*args)
    want = want if isinstance(want, tuple) else (want,)
    for got, right in zip(on_gpu(function, args), want, strict=True):
        assert np.array_equal(got, np.asarray(right))
    assert turns(function, args)


@pytest.mark.parametrize("shape", [(256, 320), (131, 135)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_of_any_size(dtype: str, shape: tuple[int, int]) -> None:
    x = drawn(shape, dtype)
    (got,) = on_gpu(turn, [x])
    assert np.array_equal(got, x.T)
    assert turns(turn, [x])


def test_what_is_read_in_order_is_not_turned() -> None:
    heads = weft.ShapeDtypeStruct((64, 64, 8, 64), "float32")
    assert not turns(lambda x: weft.swapaxes(x, 1, 2) + 1, [heads])
    pixels = weft.ShapeDtypeStruct((8, 3, 64, 64), "float32")
    assert not turns(lambda x: weft.moveaxis(x, 1, -1), [pixels])


def test_level_0_turns_nothing() -> None:
    x = weft.ShapeDtypeStruct((256, 256), "float32")
    text = weft.jit(turn, optimization_level=0).lower(x, device="sm_80").text("gpu")
    assert "gpu.barrier" not in text


@needs_ptxas
@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("dtype", ["uint8", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("size", [4096, 4001])
def test_kernels_assemble(dtype: str, size: int, chip: str, tmp_path: Path) -> None:
    x = weft.ShapeDtypeStruct((size, size), dtype)
    for function in (turn, lambda x: x + weft.transpose(x)):
        ptx = weft.jit(function).lower(x, device=chip).text("ptx")
        assert complaints(ptx, chip, tmp_path) == []
        wide = size % 16 == 0
        assert bool(re.search(r"ld\.global\S*\.v[24]", ptx)) == wide
        assert bool(re.search(r"st\.global\S*\.v[24]", ptx)) == wide
