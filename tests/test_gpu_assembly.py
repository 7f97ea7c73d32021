"""Every kernel of the op table is assembled for three architectures.

No registers are spilled, but by the ops that are named here, and `ptxas` has nothing to
say of matrix instructions that wait for each other (its messages C75xx).
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import shutil
import subprocess
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import weft
from test_gpu_ops import MANY_BLOCKS, text_of
from test_ops import groups, of_family

needs_ptxas = pytest.mark.skipif(
    shutil.which("ptxas") is None, reason="needs ptxas, which assembles PTX"
)
pytestmark = needs_ptxas
CHIPS = ("sm_80", "sm_90a", "sm_100")
# What takes seconds, and has each way of lowering an op.
QUICK = {("SumOfProducts", "bfloat16"), ("NumericReduction", "float32")}
# Ops whose kernels may spill: the continued fraction of each has many numbers.
SPILLING = {"betainc"}


def complaints(ptx: str, chip: str, folder: Path) -> list[str]:
    """The lines of ptxas that tell of spills or of serialised matrix products."""
    source = folder / f"{chip}.ptx"
    source.write_text(ptx)
    done = subprocess.run(
        ["ptxas", "-v", f"-arch={chip}", source, "-o", folder / f"{chip}.cubin"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "registers" in done.stderr
    return [
        line
        for line in done.stderr.splitlines()
        if re.search(r"C75\d\d|[1-9]\d* bytes spill", line)
    ]


def marked(name: str, dtype: np.dtype) -> object:
    quick = (name, str(dtype)) in QUICK
    return pytest.param(name, dtype, marks=() if quick else pytest.mark.slow)


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize(
    ("name", "dtype"), [marked(*each) for each in groups()], ids=str
)
def test_kernels_assemble_without_spills(
    name: str, dtype: np.dtype, chip: str, tmp_path: Path
) -> None:
    chosen = [x for x in of_family(name, dtype) if x.op.name not in SPILLING]
    program = weft.parse(text_of(chosen, MANY_BLOCKS), device=chip)
    if any(step for step in program.text("plan").splitlines() if " call " in step):
        pytest.skip("calls a library on the host")
    assert complaints(program.text("ptx"), chip, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_few_bytes_are_spilled_where_some_are(
    dtype: str, chip: str, tmp_path: Path
) -> None:
    family = of_family("elementwise", np.dtype(getattr(ml_dtypes, dtype, dtype)))
    chosen = [x for x in family if x.op.name in SPILLING]
    ptx = weft.parse(text_of(chosen, MANY_BLOCKS), device=chip).text("ptx")
    for line in complaints(ptx, chip, tmp_path):
        assert int(re.search(r"(\d+) bytes spill stores", line)[1]) <= 32


@pytest.mark.parametrize(
    ("chip", "dtype", "instructions"),
    [
        ("sm_80", "bfloat16", ["mma.sync", "ldmatrix", "cp.async"]),
        (
            "sm_90a",
            "bfloat16",
            ["wgmma.mma_async", "cp.async.bulk.tensor", "setmaxnreg"],
        ),
        ("sm_80", "float64", ["mma.sync.aligned.m8n8k4.row.col.f64", "cp.async"]),
        ("sm_90a", "float64", ["mma.sync.aligned.m8n8k4.row.col.f64", "cp.async"]),
    ],
)
def test_products_use_the_matrix_instructions(
    chip: str, dtype: str, instructions: list[str], tmp_path: Path
) -> None:
    x = weft.ShapeDtypeStruct((1024, 1024), dtype)
    ptx = weft.jit(lambda x, y: x @ y).lower(x, x, device=chip).text("ptx")
    assert all(each in ptx for each in instructions)
    assert complaints(ptx, chip, tmp_path) == []


@pytest.mark.parametrize("chip", CHIPS)
def test_elements_are_read_sixteen_bytes_at_a_time(chip: str) -> None:
    x = weft.ShapeDtypeStruct((4096, 1024), "float32")
    ptx = weft.jit(lambda x: weft.tanh(x) + 1).lower(x, device=chip).text("ptx")
    assert re.search(r"ld\.global\S*\.v4", ptx)
    assert re.search(r"st\.global\S*\.v4", ptx)


def of(shape: tuple[int, ...], dtype: str) -> weft.ShapeDtypeStruct:
    return weft.ShapeDtypeStruct(shape, dtype)


OPCODES = {
    "convolution of bfloat16": (
        weft.nn.conv,
        [of((8, 28, 28, 64), "bfloat16"), of((3, 3, 64, 64), "bfloat16")],
        ["mma.sync.aligned.m16n8k16", ".bf16.bf16.f32", "ldmatrix", "cp.async"],
    ),
    "convolution of float16": (
        weft.nn.conv,
        [of((8, 28, 28, 64), "float16"), of((3, 3, 64, 64), "float16")],
        ["mma.sync.aligned.m16n8k16", ".f16.f16.f32", "ldmatrix", "cp.async"],
    ),
    "product of bytes": (
        lambda x, y: weft.matmul(x, y, preferred_element_type="int32"),
        [of((512, 512), "int8"), of((512, 512), "int8")],
        ["mma.sync.aligned.m16n8k32", ".s8.s8.s32"],
    ),
    "product of float32": (
        weft.matmul,
        [of((512, 512), "float32"), of((512, 512), "float32")],
        ["fma.rn.f32", "ld.shared.v4", "st.global.v4"],
    ),
    "softmax": (
        weft.nn.softmax,
        [of((4096, 1024), "float32")],
        ["shfl.sync.bfly", "st.global.v4"],
    ),
    "sum": (weft.sum, [of((1 << 22,), "float32")], ["shfl.sync.bfly", ".v4.b32"]),
}


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("name", OPCODES)
def test_kernels_have_the_instructions_that_they_are_made_for(
    name: str, chip: str, tmp_path: Path
) -> None:
    function, args, opcodes = OPCODES[name]
    ptx = weft.jit(function).lower(*args, device=chip).text("ptx")
    assert [each for each in opcodes if each not in ptx] == []
    assert complaints(ptx, chip, tmp_path) == []
