"""Sums of narrow numbers that an epilogue rounds or scales: blocks, and no array."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
import re
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
NO_TILES = "module attributes {weft.machine = {matrix_tiles = false}} {"
# One element, ragged edges, long and short sums, and more than one block.
SHAPES = [(1, 1, 1), (1, 130, 33), (130, 1, 33), (33, 70, 1), (5, 3, 7), (64, 64, 64),
          (70, 1500, 90), (257, 40, 600)]  # fmt: skip
Function = Callable[..., Any]

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = weft.get_num_threads()
    yield
    weft.set_num_threads(before)


def drawn(*shape: int, dtype: Any = BFLOAT16) -> np.ndarray:
    """Whole numbers, of which all products and sums are exact in 32 bits."""
    random = np.random.default_rng([*shape, 1])
    low, high = (-128, 128) if np.dtype(dtype) == np.int8 else (-8, 9)
    if np.dtype(dtype) == np.uint8:
        low, high = 0, 256
    return random.integers(low, high, shape).astype(dtype)


def rounded(x: np.ndarray, dtype: Any = BFLOAT16) -> np.ndarray:
    return x.astype(np.float32).astype(dtype)


def run(function: Function, *args: Any, **options: Any) -> list[list[np.ndarray]]:
    """What this machine, one without tiles and a small one compute, in 1 to 7 threads;
    of the first two, the sums are in no array."""
    jitted = weft.jit(function, **options)
    lowered = jitted.lower(*args)
    text = lowered.text("expanded", locations=False)
    runs = [jitted]
    for machine in (NO_TILES, SMALL_MACHINE):
        runs.append(weft.parse(text.replace("module {", machine, 1)).compile())
    found = []
    for each in runs:
        for count in (1, 2, 7):
            weft.set_num_threads(count)
            results = each(*args)
            many = results if isinstance(results, list | tuple) else [results]
            found.append([np.asarray(result) for result in many])
    return found


def check(function: Function, want: np.ndarray, *args: Any, **options: Any) -> None:
    for (got,) in run(function, *args, **options):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


def arena(function: Function, *args: Any, machine: str = "module {") -> int:
    text = weft.jit(function).lower(*args).text("expanded", locations=False)
    memref = weft.parse(text.replace("module {", machine, 1)).text("memref")
    found = re.search(r"weft.arena_bytes = (\d+)", memref)
    assert found
    return int(found[1])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [BFLOAT16, np.float16], ids=str)
def test_products_are_rounded_once(shape: tuple[int, int, int], dtype: Any) -> None:
    """With each factor as it is and transposed."""
    m, k, n = shape
    x, y = drawn(m, k, dtype=dtype), drawn(k, n, dtype=dtype)
    want = rounded(x.astype(np.float64) @ y.astype(np.float64), dtype)

    def products(x: Any, y: Any, xt: Any, yt: Any) -> list[Any]:
        return [a @ b for a in (x, xt.T) for b in (y, yt.T)]

    for got in run(products, x, y, x.T.copy(), y.T.copy()):
        for each in got:
            np.testing.assert_array_equal(each, want)


@pytest.mark.parametrize("shape", [(70, 150, 90), (257, 40, 600), (33, 1025, 31)])
def test_bias_activation_and_residual(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    x, y, bias, rest = drawn(m, k), drawn(k, n), drawn(n), drawn(m, n)
    sums = x.astype(np.float32) @ y.astype(np.float32)
    want = rounded(np.maximum(rounded(sums).astype(np.float32) + bias, 0))
    want = rounded(want.astype(np.float32) + rest)
    check(lambda x, y, b, r: weft.maximum(x @ y + b, 0) + r, want, x, y, bias, rest)


@pytest.mark.parametrize("shape", [(40, 64, 48), (257, 300, 65)])
def test_bytes_are_scaled(shape: tuple[int, int, int]) -> None:
    """Sums of bytes to floats, and to bytes again."""
    m, k, n = shape
    x, y = drawn(m, k, dtype=np.int8), drawn(k, n, dtype=np.int8)
    scale = np.linspace(0.5, 1.5, n, dtype=np.float32) * np.float32(2.0**-10)
    sums = (x.astype(np.int32) @ y.astype(np.int32)).astype(np.float32)

    def scaled(x: Any, y: Any, s: Any) -> Any:
        wide = weft.matmul(x, y, preferred_element_type=np.int32)
        return wide.astype(np.float32) * s

    def narrowed(x: Any, y: Any, s: Any) -> Any:
        return weft.clip(weft.round(scaled(x, y, s)), -128, 127).astype(np.int8)

    check(scaled, sums * scale, x, y, scale)
    want = np.clip(np.round(sums * scale), -128, 127).astype(np.int8)
    check(narrowed, want, x, y, scale)


WIDTHS = pytest.mark.parametrize(
    ("width", "registers"), [(64, 32), (32, 16), (16, 16), (16, 4)]
)


def in_vectors(
    function: Function, args: Any, feature: str, width: int, registers: int
) -> weft.Program:
    """The program for vectors of so many bytes, if this machine has the feature."""
    lowered = weft.jit(function).lower(*args)
    if f"{feature} = true" not in lowered.text("fused"):
        pytest.skip(f"this CPU has no dot products in vectors ({feature})")
    vectors = f"vector_bytes = {width} : i64, vector_registers = {registers} : i64"
    machine = NO_TILES.replace("false", f"false, {vectors}")
    text = lowered.text("expanded", locations=False)
    return weft.parse(text.replace("module {", machine, 1))


@WIDTHS
def test_bytes_by_dot_products(width: int, registers: int) -> None:
    """In vectors of each width, where this machine has such an instruction."""
    x, y = drawn(300, 517, dtype=np.int8), drawn(517, 77, dtype=np.int8)
    x[0], y[:, 0] = -128, -128

    def products(x: Any, y: Any, xt: Any, yt: Any) -> list[Any]:
        return [weft.matmul(a, b, preferred_element_type=np.int32)
                for a in (x, xt.T) for b in (y, yt.T)]  # fmt: skip

    args = x, y, x.T.copy(), y.T.copy()
    narrow = in_vectors(products, args, "vector_dots", width, registers)
    assert "vpdpbusd" in narrow.text("loops")
    want = x.astype(np.int32) @ y.astype(np.int32)
    for got in narrow.compile()(*args):
        np.testing.assert_array_equal(np.asarray(got), want)


@WIDTHS
@pytest.mark.parametrize(
    ("m", "k", "n"), [(300, 517, 77), (16, 64, 130), (17, 33, 257)]
)
def test_bfloat16_by_dot_products(
    m: int, k: int, n: int, width: int, registers: int
) -> None:
    """In vectors of each width, where this machine has such an instruction."""
    x, y = drawn(m, k), drawn(k, n)
    x[0, 0], x[1, 1], x[2, 2] = np.inf, np.nan, 2**-100

    def products(x: Any, y: Any, xt: Any, yt: Any) -> list[Any]:
        return [weft.matmul(a, b, preferred_element_type=np.float32) + 1
                for a in (x, xt.T) for b in (y, yt.T)]  # fmt: skip

    args = x, y, x.T.copy(), y.T.copy()
    narrow = in_vectors(products, args, "bfloat16_dots", width, registers)
    assert f"dpbf16ps.{8 * width}" in narrow.text("loops")
    with np.errstate(invalid="ignore"):
        want = x.astype(np.float32) @ y.astype(np.float32) + 1
    for got in narrow.compile()(*args):
        np.testing.assert_array_equal(np.asarray(got), want)


@WIDTHS
@pytest.mark.parametrize(
    ("channels", "columns", "groups"),
    [(20, 40, 1), (20, 96, 1), (64, 40, 1), (64, 96, 1), (64, 64, 4), (66, 96, 3),
     (16, 17, 1)],
)  # fmt: skip
def test_convolutions_by_dot_products(
    channels: int, columns: int, groups: int, width: int, registers: int
) -> None:
    """Of kernels in panels, with rows as they lie and in panels of their own."""
    x, kernel = drawn(2, 17, 13, channels), drawn(3, 3, channels // groups, columns)

    def conv(x: Any, kernel: Any) -> Any:
        return weft.nn.conv(x, kernel, groups=groups, layout="NHWC")

    def f(x: Any, kernel: Any) -> Any:
        return weft.maximum(conv(x, kernel), 0)

    narrow = in_vectors(f, (x, kernel), "bfloat16_dots", width, registers)
    assert f"dpbf16ps.{8 * width}" in narrow.text("loops")
    assert "floordiv 32" in narrow.text("fused")
    sums = conv(x.astype(np.float32), kernel.astype(np.float32))
    want = rounded(np.maximum(np.asarray(sums), 0))
    np.testing.assert_array_equal(np.asarray(narrow.compile()(x, kernel)), want)


def test_dot_products_of_another_cpu_are_an_error() -> None:
    """And no instruction that this one may not have, which would end the process."""
    program = (
        "import ml_dtypes, numpy as np, weft\n"
        "x = np.ones((64, 64), ml_dtypes.bfloat16)\n"
        "text = weft.jit(lambda x: x @ x).lower(x).text('expanded', locations=False)\n"
        "machine = 'bfloat16_dots = true, matrix_tiles = false'\n"
        "stated = 'module attributes {weft.machine = {' + machine + '}} {'\n"
        "other = weft.parse(text.replace('module {', stated, 1))\n"
        "assert 'dpbf16ps' in other.text('loops')\n"
        "try:\n"
        "    other.compile()\n"
        "except weft.CompileError as error:\n"
        "    print(error)\n"
        "else:\n"
        "    raise AssertionError('compiled')\n"
    )
    environment = {**os.environ, "WEFT_CPU": "icelake-server"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_dot_products_leave_subnormal_numbers_as_they_are_elsewhere() -> None:
    """What only passes through a function with such products keeps its bits."""
    x, tiny = drawn(64, 64), np.full((64, 64), 3e-40, BFLOAT16)

    def f(x: Any, tiny: Any) -> Any:
        y = (x @ x).astype(np.float32) * 0 + tiny.astype(np.float32)
        return weft.where(x > 0, tiny, y.astype(tiny.dtype)), tiny.T + 0 * tiny

    for got in weft.jit(f)(x, tiny):
        np.testing.assert_array_equal(np.asarray(got), tiny)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("groups", [1, 4])
def test_convolutions(layout: str, strides: int, groups: int) -> None:
    x, kernel, bias = drawn(2, 26, 22, 32), drawn(3, 3, 32 // groups, 20), drawn(20)
    shape = [1, 1, 1, 20]
    if layout == "NCHW":
        x, kernel = x.transpose(0, 3, 1, 2), kernel.transpose(3, 2, 0, 1)
        shape = [1, 20, 1, 1]

    def block(x: Any, k: Any, b: Any) -> Any:
        y = weft.nn.conv(x, k, strides=strides, groups=groups, layout=layout)
        return weft.maximum(y + weft.reshape(b, shape), 0)

    wide = [each.astype(np.float32) for each in (x, kernel, bias)]
    sums = weft.nn.conv(*wide[:2], strides=strides, groups=groups, layout=layout)
    sums = rounded(np.asarray(sums)).astype(np.float32)
    want = rounded(np.maximum(sums + wide[2].reshape(shape), 0))
    check(block, want, x, kernel, bias)


@pytest.mark.parametrize(
    ("equation", "x", "y"),
    [
        ("bij,bjk->bik", (3, 40, 50), (3, 50, 60)),
        ("bij,bjk->ikb", (3, 40, 50), (3, 50, 60)),
        ("bqhd,bkhd->bhqk", (2, 40, 3, 32), (2, 70, 3, 32)),
        ("iab,abk->ik", (40, 6, 20), (6, 20, 50)),
        ("ik,jk->j", (40, 6), (20, 6)),
        ("ij,j->i", (40, 600), (600,)),
    ],
)
def test_sums_of_many_forms(equation: str, x: Any, y: Any) -> None:
    a, b = drawn(*x), drawn(*y)
    want = rounded(np.einsum(equation, a.astype(np.float64), b.astype(np.float64)))
    check(lambda x, y: weft.einsum(equation, x, y), want, a, b)


def test_long_sums_to_few_numbers_and_empty_ones() -> None:
    x, y = drawn(8, 40000) // 4, drawn(40000, 8) // 4
    want = rounded(x.astype(np.float64) @ y.astype(np.float64))
    check(lambda x, y: x @ y, want, x, y)
    check(lambda x, y: x @ y + 1, np.ones((40, 50), BFLOAT16), x[:, :0].repeat(5, 0),
          np.zeros((0, 50), BFLOAT16))  # fmt: skip


def test_no_array_of_sums() -> None:
    """Neither with tiles nor without."""
    x, bias = drawn(512, 512), drawn(512)
    whole = 4 * 512 * 512

    def dense(x: Any, y: Any, b: Any) -> Any:
        return weft.tanh(x @ y + b)

    # Panels of a factor are half as large as the sums.
    assert arena(dense, x, x, bias) <= whole // 2
    # Both factors are widened, and no sums are beside them.
    assert arena(dense, x, x, bias, machine=NO_TILES) <= 2 * whole
    lowered = weft.jit(dense).lower(x, x, bias)
    assert lowered.text("loops").count("func.func private") <= 2
    assert "memref.alloc(" not in lowered.text("loops")


def test_what_something_else_reads_stays() -> None:
    x, y = drawn(70, 90), drawn(90, 80)
    sums = x.astype(np.float32) @ y.astype(np.float32)

    def both(x: Any, y: Any) -> list[Any]:
        wide = weft.matmul(x, y, preferred_element_type=np.float32)
        return [wide, wide.astype(BFLOAT16)]

    for wide, narrow in run(both, x, y):
        np.testing.assert_array_equal(wide, sums)
        np.testing.assert_array_equal(narrow, rounded(sums))


@pytest.mark.parametrize("donated", [0, 1])
def test_what_is_donated_is_read_before_it_is_overwritten(donated: int) -> None:
    x, y = drawn(300, 300), drawn(300, 300)
    sums = rounded(x.astype(np.float32) @ y.astype(np.float32)).astype(np.float32)
    want = rounded(sums + [x, y][donated])

    def step(x: Any, y: Any) -> Any:
        return x @ y + (x, y)[donated]

    check(step, want, x, y)
    for count in (1, 2, 7):
        weft.set_num_threads(count)
        args = [weft.asarray(x), weft.asarray(y)]
        got = weft.jit(step, donate_argnums=donated)(*args)
        np.testing.assert_array_equal(np.asarray(got), want)


def test_a_loop_carries_what_is_rounded() -> None:
    w = (np.eye(96) + np.eye(96, k=1)).astype(BFLOAT16)
    h = want = drawn(80, 96)
    for _ in range(4):
        want = rounded(want.astype(np.float32) @ w.astype(np.float32))
        want = rounded(want.astype(np.float32) - h)
        want = rounded(want.astype(np.float32) + want)

    def loop(h: Any, w: Any) -> Any:
        def body(_: Any, carried: Any) -> Any:
            y = carried @ w - h
            return y + y

        return weft.fori_loop(0, 4, body, h)

    check(loop, want, h, w)


def test_without_the_mark_it_is_a_loop_of_its_own() -> None:
    x, bias = drawn(100, 100), drawn(100)
    lowered = weft.jit(lambda x, b: weft.tanh(x @ x + b)).lower(x, bias)
    text = re.sub(r"attrs =  ?\{weft.epilogue\}", "", lowered.text("fused"))
    other = lowered.replace("fused", text)
    got = lowered.compile()(x, bias)
    np.testing.assert_array_equal(np.asarray(got), np.asarray(other.compile()(x, bias)))


def test_what_the_host_reads_before_the_epilogue() -> None:
    # The place of an operand of the epilogue is read after the sums begin.
    def function(x: Any, w: Any, y: Any, i: Any) -> Any:
        return (x @ w) * 2 + weft.dynamic_slice(y, (weft.abs(i[0]) * 3, 0), (24, 8))

    x, w, y = drawn(24, 5), drawn(5, 8), drawn(40, 8)
    expected = rounded(x.astype(np.float32) @ w.astype(np.float32)) * 2 + y[6:30]
    for found in run(function, x, w, y, np.array([-2])):
        np.testing.assert_array_equal(found[0], expected.astype(found[0].dtype))
