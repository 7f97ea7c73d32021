"""Products of bfloat16 and of bytes in the CPU's matrix tiles, where it has such."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import weft
from test_ops import SMALL_MACHINE

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# Below and above the least sizes, multiples of tiles and panels, and what is left over.
SHAPES = [(15, 600, 15), (16, 512, 16), (64, 64, 64), (33, 65, 65), (100, 100, 100),
          (17, 1000, 600), (600, 16, 40), (300, 517, 77), (129, 2050, 33)]  # fmt: skip
WIDE = {"bfloat16": np.float32, "int8": np.int32, "uint8": np.int32}
Function = Callable[..., Any]

pytestmark = pytest.mark.thorough


def large(*shape: int) -> weft.ShapeDtypeStruct:
    return weft.ShapeDtypeStruct(shape, BFLOAT16)


needs_tiles = pytest.mark.skipif(
    "matrix_tiles = true" not in weft.jit(weft.negative).lower(large(1)).text("fused"),
    reason="this CPU has no matrix tiles (AMX), or the kernel grants no use of them",
)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = weft.get_num_threads()
    yield weft.set_num_threads
    weft.set_num_threads(before)


def drawn(*shape: int, dtype: str) -> np.ndarray:
    """Whole numbers, of which all products and sums are exact in 32 bits."""
    random = np.random.default_rng([*shape, 1])
    low, high = {"bfloat16": (-8, 9), "int8": (-128, 128), "uint8": (0, 256)}[dtype]
    return random.integers(low, high, shape).astype(dtype)


def wide(x: Any, y: Any) -> Any:
    return weft.matmul(x, y, preferred_element_type=WIDE[x.dtype.name])


def uses_tiles(function: Function, *args: Any) -> bool:
    return "amx.tile_mul" in weft.jit(function).lower(*args).text("loops")


@needs_tiles
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_are_exact(shape: tuple[int, int, int], dtype: str) -> None:
    """With each factor as it is and transposed, for this machine and a small one."""
    m, k, n = shape
    x, y = drawn(m, k, dtype=dtype), drawn(k, n, dtype=dtype)
    want = x.astype(np.float64) @ y.astype(np.float64)

    def products(x: Any, y: Any, xt: Any, yt: Any) -> list[Any]:
        return [wide(a, b) for a in (x, xt.T) for b in (y, yt.T)]

    args = x, y, x.T.copy(), y.T.copy()
    lowered = weft.jit(products).lower(*args)
    fits = m >= 16 and m * k * n >= 1 << 17
    assert ("amx.tile_mul" in lowered.text("loops")) == fits
    text = lowered.text("expanded", locations=False)
    small = weft.parse(text.replace("module {", SMALL_MACHINE, 1)).compile()
    for run in (weft.jit(products), small):
        for got in run(*args):
            assert np.asarray(got).dtype == WIDE[dtype]
            np.testing.assert_array_equal(np.asarray(got), want)


@needs_tiles
@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
@pytest.mark.parametrize(
    ("equation", "x", "y"),
    [
        ("bij,bjk->bik", (3, 40, 50), (3, 50, 60)),
        ("bqhd,bkhd->bhqk", (2, 40, 3, 32), (2, 70, 3, 32)),
        ("ij,kj->ki", (65, 70), (40, 70)),
        ("abij,jk->abik", (2, 3, 20, 64), (64, 33)),
        ("iab,abk->ik", (40, 6, 20), (6, 20, 50)),
        ("iab,kba->ik", (40, 6, 20), (50, 20, 6)),
    ],
)
def test_sums_of_many_forms(
    equation: str, x: tuple[int, ...], y: tuple[int, ...], dtype: str
) -> None:
    a, b = drawn(*x, dtype=dtype), drawn(*y, dtype=dtype)

    def function(x: Any, y: Any) -> Any:
        return weft.einsum(equation, x, y, preferred_element_type=WIDE[dtype])

    assert uses_tiles(function, a, b)
    want = np.einsum(equation, a.astype(np.float64), b.astype(np.float64))
    np.testing.assert_array_equal(np.asarray(weft.jit(function)(a, b)), want)


@needs_tiles
def test_bytes_wrap() -> None:
    x, y = drawn(70, 90, dtype="int8"), drawn(90, 50, dtype="int8")
    assert uses_tiles(lambda x, y: x @ y, x, y)
    np.testing.assert_array_equal(np.asarray(weft.jit(lambda x, y: x @ y)(x, y)), x @ y)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
@pytest.mark.parametrize("columns", [1, 15, 17, 33, 49, 63, 65])
def test_what_wraps_stays_in_its_column(columns: int, dtype: str) -> None:
    """A last column that is alone in its vector is stored as narrow as it is."""
    x, y = drawn(49, 257, dtype="int8"), drawn(257, columns, dtype="int8")
    x, y = x.astype(dtype), y.astype(dtype)
    want = (x.astype(np.int64) @ y.astype(np.int64)).astype(dtype)

    def products(x: Any, y: Any) -> tuple[Any, ...]:
        product = x @ y
        stack = weft.concatenate([product, product])
        return product, stack[:49], stack[49:], weft.stack([x, x]) @ y, x @ y + y[0]

    *same, stack, more = weft.jit(products)(x, y)
    for got in (*same, stack[0], stack[1]):
        np.testing.assert_array_equal(np.asarray(got), want)
    np.testing.assert_array_equal(np.asarray(more), want + y[0])


@needs_tiles
def test_what_is_rounded_is_close() -> None:
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(200, 200)).astype(BFLOAT16) for _ in "xy")
    want = x.astype(np.float64) @ y.astype(np.float64)
    scale = np.abs(x.astype(np.float64)) @ np.abs(y.astype(np.float64))
    sums = np.asarray(weft.jit(wide)(x, y))
    assert (np.abs(sums - want) <= 1e-6 * scale).all()
    rounded = np.asarray(weft.jit(lambda x, y: x @ y)(x, y)).astype(np.float64)
    assert (np.abs(rounded - want) <= 2.0**-8 * np.abs(want) + 1e-6 * scale).all()


@needs_tiles
def test_infinities_nans_and_the_largest() -> None:
    x = np.ones((64, 70), BFLOAT16)
    y = np.eye(70, 64, dtype=BFLOAT16)
    most = ml_dtypes.finfo(BFLOAT16).max
    x[0, 0], x[1, 1], x[2, 2], x[3, 3] = np.inf, np.nan, most, -most
    with np.errstate(invalid="ignore"):
        want = x.astype(np.float32) @ y.astype(np.float32)
    np.testing.assert_array_equal(np.asarray(weft.jit(wide)(x, y)), want)


@needs_tiles
def test_what_is_subnormal_counts_as_zero() -> None:
    """As docs/numbers.md says; a product that is too small for tiles keeps it."""
    tiny = np.full((64, 64), 2.0**-130).astype(BFLOAT16)
    ones = np.ones((64, 64), BFLOAT16)
    assert not np.asarray(weft.jit(wide)(tiny, ones)).any()
    kept = np.asarray(weft.jit(wide)(tiny[:8], ones))
    assert (kept == 64 * 2.0**-130).all()


@needs_tiles
def test_epilogues() -> None:
    x, w = drawn(70, 90, dtype="bfloat16"), drawn(90, 200, dtype="bfloat16")
    bias = np.arange(200, dtype=np.float32)
    jitted = weft.jit(lambda x, w, b: weft.maximum(wide(x, w) + b, 0))
    text = jitted.lower(x, w, bias)
    assert "weft.epilogue" in text.text("fused")
    assert "amx.tile_mulf" in text.text("loops")
    want = np.maximum(x.astype(np.float32) @ w.astype(np.float32) + bias, 0)
    np.testing.assert_array_equal(np.asarray(jitted(x, w, bias)), want)


@needs_tiles
def test_what_is_added_to() -> None:
    """A gradient of two products, one added to the other in its place."""
    x, w = drawn(80, 80, dtype="bfloat16"), drawn(80, 80, dtype="bfloat16")
    want = (x.astype(np.float64) @ w.astype(np.float64)
            + w.astype(np.float64) @ x.astype(np.float64))  # fmt: skip
    got = weft.jit(lambda x, w: wide(x, w) + wide(w, x))(x, w)
    np.testing.assert_array_equal(np.asarray(got), want)


@needs_tiles
@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_threads_change_no_bit(dtype: str, threads: Callable[[int], None]) -> None:
    random = np.random.default_rng(0)
    x, y = (random.normal(size=s).astype(BFLOAT16) for s in ((400, 700), (700, 500)))
    if dtype == "int8":
        x, y = drawn(400, 700, dtype="int8"), drawn(700, 500, dtype="int8")
    jitted, found = weft.jit(wide), []
    assert "weft.tasks" in jitted.lower(x, y).text("loops")
    for count in (1, 2, 7):
        threads(count)
        found.append(np.asarray(jitted(x, y)).tobytes())
    assert found[0] == found[1] == found[2]


def test_a_machine_without_tiles() -> None:
    x, y = drawn(100, 90, dtype="int8"), drawn(90, 80, dtype="int8")
    text = weft.jit(wide).lower(x, y).text("expanded", locations=False)
    stated = "module attributes {weft.machine = {matrix_tiles = false}} {"
    program = weft.parse(text.replace("module {", stated, 1))
    assert "amx" not in program.text("loops")
    assert "tdpb" not in program.text("asm")
    want = x.astype(np.int32) @ y.astype(np.int32)
    np.testing.assert_array_equal(np.asarray(program.compile()(x, y)), want)


@pytest.mark.parametrize("name", ["icelake-server", "generic"])
def test_another_cpu_has_no_tiles(name: str) -> None:
    program = (
        "import numpy as np, weft\n"
        "x = np.ones((64, 64), np.int8)\n"
        "lowered = weft.jit(lambda x: x @ x).lower(x)\n"
        "assert 'matrix_tiles = false' in lowered.text('fused')\n"
        "assert 'amx' not in lowered.text('loops')\n"
    )
    environment = {**os.environ, "WEFT_CPU": name}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
