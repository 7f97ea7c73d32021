"""Running values on the emulated GPU, against those of the CPU's loops."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft
from test_gpu_assembly import complaints, needs_ptxas
from weft.cuda.memory import Memory
from weft.cuda.run import Executable
from weft.cuda.simulator import Simulator

pytestmark = pytest.mark.thorough

RNG = np.random.default_rng(0)

# Rows of a thread, a part of a warp, warps, a block, two blocks, and several.
LENGTHS = [33, 100, 290, 2304, 2305, 7000]

OPS = ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp")

# `make slow` has all of them.
QUICK = (weft.float32, weft.bfloat16, weft.complex64, weft.int8, weft.uint64)
DTYPES = [
    *QUICK, weft.float64, weft.float16, weft.complex128, weft.uint8, weft.int64,
]  # fmt: skip


def check(f: Callable[..., Any], *args: Any, tolerance: float = 0) -> None:
    """Whether results are the CPU's, up to a part of the largest."""
    f = weft.jit(f)
    found = f(*[weft.asarray(x, device="cuda-sim") for x in args])
    meant = f(*args)
    assert found.dtype == meant.dtype
    if tolerance == 0:
        np.testing.assert_array_equal(np.asarray(found), np.asarray(meant))
        return
    wide = np.complex128 if found.dtype.kind == "c" else np.float64
    got, want = (np.asarray(x).astype(wide) for x in (found, meant))
    largest = np.max(np.abs(want), initial=1, where=np.isfinite(want))
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * largest)


def drawn(name: str, shape: tuple[int, ...], dtype: Any = weft.float32) -> np.ndarray:
    """Elements whose running values neither overflow nor vanish."""
    kind = np.dtype(dtype).kind
    if kind in "iu":
        return RNG.integers(0, 100, shape).astype(dtype)
    x = RNG.normal(size=shape)
    if name == "cumprod":
        x = np.exp(x / 50)
    if kind == "c":
        x = x * np.exp(1j * RNG.normal(size=shape))
    return x.astype(np.dtype(dtype))


def tolerance_of(name: str, dtype: Any) -> float:
    if name in ("cummax", "cummin") or np.dtype(dtype).kind in "iu":
        return 0
    narrow = {"float16": 2e-3, "bfloat16": 1e-2}
    wide = 1e-12 if np.dtype(dtype).name in ("float64", "complex128") else 2e-5
    return narrow.get(np.dtype(dtype).name, wide)


def check_op(name: str, x: np.ndarray, axis: int = -1) -> None:
    tolerance = tolerance_of(name, x.dtype)
    for reverse in (False, True):
        check(
            lambda x, reverse=reverse: getattr(weft, name)(x, axis, reverse=reverse),
            x, tolerance=tolerance,
        )  # fmt: skip


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("name", OPS)
def test_rows(name: str, length: int) -> None:
    check_op(name, drawn(name, (length,)))
    check_op(name, drawn(name, (3, length)))


@pytest.mark.parametrize(
    "dtype",
    [
        pytest.param(dtype, marks=() if dtype in QUICK else pytest.mark.slow)
        for dtype in DTYPES
    ],
    ids=lambda dtype: np.dtype(dtype).name,
)
def test_dtypes(dtype: Any) -> None:
    ordered = () if np.dtype(dtype).kind == "c" else ("cummax", "cummin")
    for name in ("cumsum", "cumprod", *ordered):
        check_op(name, drawn(name, (2, 2500), dtype))
        check_op(name, drawn(name, (400, 3), dtype), 0)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((0,), 0), ((1,), 0), ((3, 0), 1), ((700, 6), 0), ((700, 6), 1),
     ((2, 300, 33), 1), ((3, 40, 5, 2), 1), ((10, 500), 0), ((1, 3000, 1), 1)],
    ids=str,
)  # fmt: skip
def test_axes(shape: tuple[int, ...], axis: int) -> None:
    for name in OPS[:3]:
        check_op(name, drawn(name, shape), axis)
    check_op("cumsum", RNG.integers(-99, 99, shape), axis)


def test_totals_that_have_tiles_of_their_own() -> None:
    # More than 288 tiles of 288 elements, each of columns of two.
    x = RNG.integers(-(2**62), 2**62, (288 * 290, 2))
    check(lambda x: weft.cumsum(x, 0), x)
    check(lambda x: weft.cumsum(x, 0, reverse=True), x)


def test_two_of_a_short_row() -> None:
    # Loops that begin with the same element.
    x = drawn("cumsum", (16,))
    f = weft.jit(lambda x: weft.stack([weft.cumsum(x), weft.cummax(x)]))
    g = weft.jit(lambda x: (weft.cumsum(x), weft.cummax(x)))
    check(f, x)
    for found, meant in zip(g(weft.asarray(x, device="cuda-sim")), f(x), strict=True):
        np.testing.assert_array_equal(np.asarray(found), meant)
    check(
        weft.grad(lambda x: weft.sum(weft.cumsum(x) * weft.cumprod(x))),
        x,
        tolerance=1e-6,
    )


def test_what_is_no_number() -> None:
    x = drawn("cumsum", (3, 3000))
    x[0, 1500] = np.nan
    x[1, 100], x[1, 2600] = np.inf, -np.inf
    x[2, :50] = -np.inf
    x[2, 700:720] = -0.0
    for name in ("cumsum", "cummax", "cummin", "cumlogsumexp"):
        check_op(name, x)


def test_derivatives() -> None:
    for name in OPS:
        x, w = drawn(name, (2, 300)), drawn("cumsum", (2, 300))
        check(
            weft.grad(
                lambda x, w, name=name: weft.sum(getattr(weft, name)(x, 1) * w)
            ),
            x, w, tolerance=1e-4,
        )  # fmt: skip


def recurrence(
    a: np.ndarray, b: np.ndarray, axis: int = 0, tolerance: float = 2e-6
) -> None:
    for reverse in (False, True):
        check(
            lambda a, b, reverse=reverse: weft.linear_recurrence(
                a, b, axis, reverse=reverse
            ),
            a, b, tolerance=tolerance,
        )  # fmt: skip


def factors(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    if np.dtype(dtype).kind in "iu":
        return drawn("cumsum", shape, dtype)
    a = RNG.uniform(-1, 1, shape)
    if np.dtype(dtype).kind == "c":
        a = a + 1j * RNG.uniform(-0.5, 0.5, shape)
    return a.astype(np.dtype(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
def test_recurrences_in_parts(dtype: Any) -> None:
    # 1,500 is no multiple of the length of a part.
    for shape, axis in [((1500,), 0), ((1600,), 0), ((2, 1500), 1), ((1500, 3), 0)]:
        a, b = factors(shape, dtype), drawn("cumsum", shape, dtype)
        recurrence(a, b, axis, tolerance_of("cumsum", dtype))


def test_recurrences_may_have_any_first_factor() -> None:
    a, b = factors((5000,), "float32"), drawn("cumsum", (5000,))
    a[0] = np.inf
    a[-1] = np.nan
    recurrence(a, b)


UNSAFE = {
    "an unstable fixed point": ([10.0], [-9.0], 1.0),
    "factors that overflow together": ([1e20, 1e-20], [1.0], 1.0),
    "factors that vanish together": ([0.9], [0.0], 1e30),
    "growth": ([1.5], [1.0], 1.0),
    "infinity": ([0.01], [0.0], np.inf),
    "resets": ([0.0, 1.0, 1.0], [0.0], 1e30),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_recurrences_of_which_parts_are_no_better_than_their_steps(case: str) -> None:
    # Each is to be right, not only close to the largest.
    a, b, first = UNSAFE[case]
    a = np.resize(np.float32(a), 5000)
    b = np.resize(np.float32(b), 5000)
    b[0] = first
    f = weft.jit(weft.linear_recurrence)
    found = f(*[weft.asarray(x, device="cuda-sim") for x in (a, b)])
    np.testing.assert_allclose(
        np.asarray(found), np.asarray(f(a, b)), rtol=1e-5, atol=np.finfo("f4").tiny
    )


def test_parts_of_recurrences_are_walked_at_once() -> None:
    def launches(shape: tuple[int, ...]) -> list[str]:
        x = weft.ShapeDtypeStruct(shape, "float32")
        f = weft.jit(lambda a, b: weft.linear_recurrence(a, b, 0))
        plan = f.lower(x, x, device="sm_90a").text("plan")
        return [
            line.partition("grid ")[2].partition(" (")[0].partition(" shared")[0]
            for line in plan.splitlines()
            if "launch" in line
        ]

    assert launches((2**20,)) == ["4 block 256", "1 block 32", "4 block 256"]
    assert len(launches((100,))) == 1
    # Enough rows for all threads.
    assert len(launches((1000, 2**20))) == 1


def test_in_loops_and_beside_other_ops() -> None:
    def body(carry: Any, row: Any) -> Any:
        carry = weft.cumsum(carry + row) % 7
        return carry, weft.sum(carry)

    x = RNG.integers(-99, 99, (3, 300))
    check(lambda x: weft.scan(body, weft.zeros(300, "int64"), x)[1], x)
    check(lambda x: weft.cumsum(x * 2, 1)[:, ::3] + 1, x)
    check(weft.vmap(lambda x: weft.cumsum(x)), x)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 700), st.integers(1, 5), st.booleans()
)  # fmt: skip
def test_any_sizes(outer: int, length: int, inner: int, reverse: bool) -> None:
    x = RNG.integers(-(2**62), 2**62, (outer, length, inner))
    check(lambda x: weft.cumsum(x, 1, reverse=reverse), x)


@pytest.mark.parametrize("shape", [(600,), (5000,), (3, 600, 5)], ids=str)
def test_no_order_of_threads_matters(shape: tuple[int, ...]) -> None:
    # A thorough run looks for races, and compares what each order leaves.
    simulator = Simulator(schedules=2, thorough=True)
    x = drawn("cumsum", shape)
    axis = len(shape) // 2
    f = weft.jit(lambda x: weft.cumsum(x, axis))
    lowered = f.lower(x, device="cuda-sim")
    assert "scan_tiles_cumsum_f32" in lowered.text("linalg")
    run = Executable(lowered.program.plan, simulator, lowered.text("nvvm"), [])
    results = [run([Memory.of(simulator, x)])[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(results[0], np.cumsum(x, axis), atol=1e-3)


def test_the_shapes_decide() -> None:
    def steps(shape: tuple[int, ...], axis: int) -> int:
        x = weft.ShapeDtypeStruct(shape, "float32")
        f = weft.jit(lambda x: weft.cumsum(x, axis))
        return f.lower(x, device="sm_90a").text("linalg").count("library_call")

    assert steps((30,), 0) == 0
    assert steps((40,), 0) == 1
    assert steps((2000,), 0) == 1
    assert steps((2**20,), 0) == 3
    assert steps((2**25,), 0) == 5
    # Threads that walk along neighbouring columns read all of memory at once.
    assert steps((1024, 2**17), 0) == 0
    assert steps((2**16, 1024), 1) == 1


def test_short_rows_leave_loops_one_kernel() -> None:
    x = weft.ShapeDtypeStruct((100,), "float32")
    f = weft.jit(
        lambda x: weft.while_loop(
            lambda x: weft.max(x) < 9, lambda x: weft.cumsum(x) / 2, x
        )
    )
    plan = f.lower(x, device="sm_90a").text("plan")
    assert plan.startswith("plan of lambda for sm_90a: 1 kernels")


def test_columns_are_walked_at_once() -> None:
    x = weft.ShapeDtypeStruct((64, 2**20), "float32")
    plan = weft.jit(lambda x: weft.cumsum(x, 0)).lower(x, device="sm_90a")
    assert "grid 4096 block 256" in plan.text("plan")


@needs_ptxas
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex128", "uint8"])
def test_recurrences_spill_nothing(dtype: str, tmp_path: Path) -> None:
    x = weft.ShapeDtypeStruct((100_000,), np.dtype(getattr(weft, dtype)))
    lowered = weft.jit(weft.linear_recurrence).lower(x, x, device="sm_90a")
    text = lowered.text("ptx", locations=False)
    assert not complaints(text, "sm_90a", tmp_path)


@needs_ptxas
@pytest.mark.parametrize("shape", [(5000,), (5000, 7)], ids=str)
@pytest.mark.parametrize(
    ("name", "dtype"),
    [("cumsum", "float32"), ("cumsum", "bfloat16"), ("cumprod", "complex64"),
     ("cumlogsumexp", "float32"), ("cumlogsumexp", "float64"), ("cummax", "int8")],
)  # fmt: skip
def test_nothing_is_spilled(
    name: str, dtype: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    x = weft.ShapeDtypeStruct(shape, np.dtype(getattr(weft, dtype)))
    lowered = weft.jit(lambda x: getattr(weft, name)(x, 0)).lower(x, device="sm_90a")
    text = lowered.text("ptx", locations=False)
    assert not complaints(text, "sm_90a", tmp_path)
