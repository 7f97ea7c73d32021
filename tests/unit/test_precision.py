"""Products whose factors a GPU may round: what says so, and what comes of it."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft
from test_gpu_assembly import CHIPS, complaints, needs_ptxas
from weft import nn
from weft.errors import ArgumentError, ParseError

pytestmark = pytest.mark.thorough

RANDOM = np.random.default_rng(0)
# Of two factors that are rounded to 10 bits of mantissa after the first.
TF32_ERROR = 2**-10 * 1.01
INSTRUCTION = "mma.sync.aligned.m16n8k8.row.col.f32.tf32"


def drawn(*shape: int) -> np.ndarray:
    return RANDOM.uniform(0.5, 1, shape).astype("float32")


A, B = drawn(37, 50), drawn(50, 41)
IMAGES, WINDOW = drawn(2, 6, 7, 8), drawn(3, 3, 8, 16)


def conv(x: Any, w: Any) -> Any:
    return nn.conv(x, w, padding="VALID")


# Of positive factors, so that sums are off by no more than their terms.
PROGRAMS: dict[str, tuple[Callable[..., Any], np.ndarray, np.ndarray]] = {
    "ragged": (lambda a, b: a @ b, A, B),
    "aligned": (lambda a, b: a @ b, drawn(64, 64), drawn(64, 64)),
    "both transposed": (lambda a, b: weft.einsum("km,nk->mn", a, b), A.T, B.T),
    "along sums": (lambda a, b: weft.einsum("mk,nk->nm", a, b), A, B.T),
    "stacks": (lambda a, b: a @ b, drawn(3, 20, 24), drawn(3, 24, 36)),
    "long sums": (lambda a, b: a @ b, drawn(20, 300), drawn(300, 24)),
    "epilogue": (lambda a, b: nn.relu(a @ b + b[0]) * 2, A, B),
    "narrow": (lambda a, b: weft.dot_general(
        a, b.astype(weft.float16).astype(weft.float32),
        lhs_contract=(1,), rhs_contract=(0,)), A, B),
    "convolution": (conv, IMAGES, WINDOW),
    "gradient": (
        weft.grad(lambda a, b: weft.sum(weft.matmul(a, b) ** 2)), A, B
    ),
    "batched": (
        weft.vmap(lambda a, b: a @ b, (0, None)), drawn(3, 20, 24), drawn(24, 36)
    ),
    "gradient of a window": (
        weft.grad(lambda x, w: weft.sum(conv(x, w) ** 2), argnums=1), IMAGES, WINDOW
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_factors_are_rounded_on_a_gpu_alone(name: str) -> None:
    function, a, b = PROGRAMS[name]
    exact = np.asarray(weft.jit(function)(a.astype("float64"), b.astype("float64")))
    rounding = weft.jit(function, matmul_precision="tf32")
    off = {}
    for device in ("cpu", "cuda-sim"):
        operands = [weft.asarray(x, device=device) for x in (a, b)]
        got = np.asarray(rounding(*operands))
        off[device] = (abs(got - exact) / abs(exact)).max()
    assert off["cpu"] < 1e-6
    # A gradient of squares has two products after one another.
    assert 1e-5 < off["cuda-sim"] < TF32_ERROR * (2 if "gradient" in name else 1)
    ptx = rounding.lower(a, b, device="sm_80").text("ptx")
    assert INSTRUCTION in ptx
    assert "cvt.rna.tf32.f32" in ptx
    assert INSTRUCTION not in weft.jit(function).lower(a, b, device="sm_80").text("ptx")


def products(text: str) -> list[str]:
    return re.findall(r"weft\.(?:dot_general|convolution) .*", text)


WARPGROUPS: dict[str, tuple[Callable[..., Any], np.ndarray, np.ndarray]] = {
    "whole tiles": (lambda a, b: a @ b.T, drawn(256, 64), drawn(128, 64)),
    "ragged": (lambda a, b: nn.relu(a @ b.T + a[0, 0]), drawn(130, 76), drawn(72, 76)),
    "result transposed": (
        lambda a, b: weft.einsum("mk,nk->nm", a, b), drawn(72, 40), drawn(136, 40)
    ),
    "stacks": (lambda a, b: a @ b.mT, drawn(2, 72, 68), drawn(2, 136, 68)),
    "gradient": (
        weft.grad(lambda a, b: weft.sum((a @ b) ** 2)), drawn(72, 72), drawn(72, 136)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WARPGROUPS)
def test_warpgroups_multiply_what_is_summed_along_lines(name: str) -> None:
    function, a, b = WARPGROUPS[name]
    exact = np.asarray(weft.jit(function)(a.astype("float64"), b.astype("float64")))
    rounding = weft.jit(function, matmul_precision="tf32")
    text = rounding.lower(a, b, device="sm_90a").text("ptx")
    assert re.search(r"wgmma\.mma_async\.sync\.aligned\.m64n\d+k8\.f32\.tf32", text)
    got = np.asarray(rounding(*(weft.asarray(x, device="cuda-sim") for x in (a, b))))
    off = (abs(got - exact) / abs(exact)).max()
    assert 1e-5 < off < TF32_ERROR * (2 if name == "gradient" else 1)


@pytest.mark.parametrize("name", ["grad", "hessian", "vmap"])
def test_transformations_keep_the_precision(name: str) -> None:
    transform: Callable[..., Any] = getattr(weft, name)

    def f(x: Any) -> Any:
        row = weft.sin(weft.matmul(x, np.ones((6, 5), "float32"), precision="tf32"))
        image = weft.reshape(row, (1, 1, -1))
        turned = weft.conv(image, image[:, :, :2], (1,), "VALID", precision="tf32")
        return weft.sum(turned**2)

    x = drawn(3, 6) if name == "vmap" else drawn(6)
    lowered = weft.jit(transform(f)).lower(x)
    found = products(lowered.text("expanded"))
    assert found
    assert all('precision = "tf32"' in line for line in found)


def test_what_a_product_says_itself_counts() -> None:
    def f(a: Any, b: Any) -> Any:
        first = weft.matmul(a, b, precision="highest")
        return first, weft.einsum("ij,jk->ik", a, b)

    lines = products(weft.jit(f, matmul_precision="tf32").lower(A, B).text())
    assert ['precision = "tf32"' in line for line in lines] == [False, True]
    lines = products(weft.jit(f).lower(A, B).text())
    assert not any("precision =" in line for line in lines)


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "complex64"])
def test_other_dtypes_are_never_rounded(dtype: str) -> None:
    x = np.ones((4, 4), dtype)
    lowered = weft.jit(lambda x: x @ x, matmul_precision="tf32").lower(x)
    assert "precision =" not in lowered.text()


def test_interpreted_programs_say_it_too() -> None:
    x, w = np.ones((3, 4), np.float32), np.ones((4, 5), np.float32)
    f = weft.jit(lambda x, w: weft.matmul(x, w, precision="tf32"))
    np.testing.assert_array_equal(f.interpret(x, w), x @ w)
    image, kernel = np.ones((1, 5, 5, 2), np.float32), np.ones((3, 3, 2, 2), np.float32)
    g = weft.jit(weft.nn.conv, matmul_precision="tf32")
    np.testing.assert_allclose(g.interpret(image, kernel), g(image, kernel))


def test_outside_jit() -> None:
    a, b = (weft.asarray(x, device="cuda-sim") for x in (A, B))
    exact = np.asarray(a @ b)
    assert np.array_equal(exact, np.asarray(weft.matmul(a, b, precision="highest")))
    rounded = np.asarray(weft.matmul(a, b, precision="tf32"))
    assert 1e-5 < (abs(rounded - exact) / exact).max() < TF32_ERROR
    assert np.array_equal(weft.matmul(A, B, precision="tf32"), weft.matmul(A, B))


def test_infinities_and_nan_stay() -> None:
    a = np.zeros((32, 32), "float32")
    a[0, 0], a[1, 1], a[2, 2] = np.inf, np.nan, np.finfo("float32").max
    got = weft.matmul(
        weft.asarray(a, device="cuda-sim"), np.eye(32, dtype="float32"),
        precision="tf32",
    )  # fmt: skip
    # The largest numbers are nearer to the power of two above them.
    diagonal = np.diag(np.asarray(got))[:4]
    assert np.array_equal(diagonal, [np.inf, np.nan, np.inf, 0], equal_nan=True)


def test_mistakes() -> None:
    wrong: Any = "tf23"
    with pytest.raises(ArgumentError, match="matmul_precision is 'tf23'"):
        weft.jit(weft.matmul, matmul_precision=wrong)
    with pytest.raises(ArgumentError, match="dot_general: precision is 'tf23'"):
        weft.matmul(A, B, precision=wrong)
    text = weft.jit(lambda a, b: a @ b, matmul_precision="tf32").lower(A, B).text()
    with pytest.raises(ParseError, match="can only be"):
        weft.parse(text.replace('"tf32"', '"bf16"'))


@needs_ptxas
@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("size", [1024, 2048 + 4, 1001])
def test_kernels_assemble_without_spills(size: int, chip: str, tmp_path: Path) -> None:
    x = weft.ShapeDtypeStruct((size, size), "float32")
    for subscripts in ("mk,kn->mn", "km,nk->mn", "mk,nk->mn"):
        lowered = weft.jit(
            lambda a, b, s=subscripts: nn.relu(weft.einsum(s, a, b)),
            matmul_precision="tf32",
        ).lower(x, x, device=chip)
        uses_groups = chip == "sm_90a" and size % 4 == 0 and subscripts[3:5] == "nk"
        assert (INSTRUCTION in lowered.text("ptx")) != (
            uses_groups and subscripts[0] == "m"
        )
        assert complaints(lowered.text("ptx"), chip, tmp_path) == []
