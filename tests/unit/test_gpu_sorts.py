"""Sorting on the emulated GPU: the bits are those of the CPU's kernels."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_long_sorts import DTYPES, bits, rows

import weft
from test_gpu_assembly import complaints, needs_ptxas
from weft.cuda.memory import Memory
from weft.cuda.run import Executable
from weft.cuda.simulator import Simulator

pytestmark = pytest.mark.thorough

RNG = np.random.default_rng(0)

# A row to a thread, to a part of a warp, to a warp, to a block, and to several.
LENGTHS = [1, 2, 3, 9, 10, 31, 32, 33, 1000, 1025, 2304, 2305, 5000]


def check(f: Callable[..., Any], *args: Any) -> None:
    f = weft.jit(f)
    there = [weft.asarray(x, device="cuda-sim") for x in args]
    for found, meant in zip(f(*there), f(*args), strict=True):
        assert found.dtype == meant.dtype
        np.testing.assert_array_equal(bits(found), bits(meant))


def both_ways(x: Any, axis: int = -1) -> list[Any]:
    return [
        sort(x, axis, descending=descending)
        for descending in (False, True)
        for sort in (weft.sort, weft.argsort)
    ]


def stack(dtype: np.dtype[Any], length: int) -> np.ndarray:
    """Awkward rows: many that are equal, zeros of both signs, NaN, in order."""
    return np.stack(list(rows(dtype, length)))


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths(length: int) -> None:
    check(both_ways, stack(np.dtype(np.float32), length))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes(dtype: np.dtype[Any]) -> None:
    check(both_ways, stack(dtype, 33))


@pytest.mark.slow
@pytest.mark.parametrize("length", [200, 2305, 10000])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_lengths_of_all_dtypes(dtype: np.dtype[Any], length: int) -> None:
    check(both_ways, stack(dtype, length))


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((0,), 0), ((3, 0), 1), ((700, 6), 1), ((3, 70), 0), ((5, 40, 4), 1)],
    ids=str,
)
def test_axes(shape: tuple[int, ...], axis: int) -> None:
    check(lambda x: both_ways(x, axis), RNG.integers(-9, 9, shape).astype(np.int16))


@pytest.mark.parametrize("length", [100, 2400])
def test_several_keys_and_parts(length: int) -> None:
    first = RNG.integers(0, 4, (2, length)).astype(np.uint8)
    second = RNG.choice([0.5, -0.0, 0.0, np.nan], (2, length))
    check(lambda a, b: [weft.lexsort((b, a))], first, second)
    z = np.asarray(weft.complex(second, np.roll(second, 1, -1)))
    check(lambda z: [weft.sort(z).real, weft.sort(z).imag, weft.argsort(z)], z)


def test_what_is_made_of_it() -> None:
    x = RNG.integers(0, 50, (4, 70)).astype(np.float32)
    check(lambda x: [weft.median(x, 1), *weft.top_k(x, 5)], x)
    check(lambda x: [weft.quantile(x, 0.3, 1), weft.partition(x, 9)], x)
    np.testing.assert_array_equal(
        weft.unique(weft.asarray(x, device="cuda-sim")), np.unique(x)
    )


def test_in_loops_and_beside_other_ops() -> None:
    def body(carry: Any, row: Any) -> Any:
        carry = weft.sort(carry + row)
        return carry, weft.cumsum(carry, 0)[-1]

    x = RNG.integers(-99, 99, (3, 40)).astype(np.float32)
    check(lambda x: weft.scan(body, weft.zeros(40), x), x)
    check(lambda x: [weft.exp(weft.sort(weft.abs(x), 1)[:, ::2]) > 2], x)
    check(lambda x: [weft.grad(lambda y: weft.sum(weft.sort(y)[:, 3] ** 2))(x)], x)


def test_nothing_runs_on_the_host() -> None:
    x = weft.ShapeDtypeStruct((2, 10000), "complex64")
    plan = weft.jit(both_ways).lower(x, device="sm_90a").text("plan")
    assert " call " not in plan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weft.sort(weft.ones(5, device="cuda-sim"))


@pytest.mark.parametrize("length", [20, 3000])
def test_no_order_of_threads_matters(length: int) -> None:
    # A thorough run looks for races, and compares what each order leaves.
    simulator = Simulator(schedules=2, thorough=True)
    x = RNG.integers(0, 99, (2, length)).astype(np.float32)
    lowered = weft.jit(lambda x: weft.argsort(x)).lower(x, device="cuda-sim")
    run = Executable(lowered.program.plan, simulator, lowered.text("nvvm"), [])
    (result,) = run([Memory.of(simulator, x)])
    np.testing.assert_array_equal(result.numpy(), np.argsort(x, kind="stable"))


def marked(chip: str, dtype: str) -> Any:
    marks = () if (chip, dtype) == ("sm_90a", "float64") else pytest.mark.slow
    return pytest.param(chip, dtype, marks=marks)


@needs_ptxas
@pytest.mark.parametrize(
    ("chip", "dtype"),
    [
        marked(chip, dtype)
        for chip in ("sm_80", "sm_90a", "sm_100")
        for dtype in (
            "float32",
            "float64",
            "bfloat16",
            "int64",
            "bool",
            "float8_e4m3fn",
        )
    ],
)
def test_nothing_is_spilled(chip: str, dtype: str, tmp_path: Path) -> None:
    x = weft.ShapeDtypeStruct((2, 5000), np.dtype(getattr(weft, dtype)))
    lowered = weft.jit(both_ways).lower(x, device=chip)
    assert not complaints(lowered.text("ptx", locations=False), chip, tmp_path)
