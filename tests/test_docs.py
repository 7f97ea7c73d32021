"""The documentation runs, and what is generated is up to date."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import doctest
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

import op_matrix
import op_table
import test_batching
import test_derivatives
import test_ops
import weft
from records import array_ops
from test_derivatives import FAMILIES, NARROWER
from weft.dtypes import MLIR_NAMES

ROOT = Path(__file__).parent.parent


def run(program: str, directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, program], cwd=directory, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tour_runs(tmp_path: Path) -> None:
    assert "weft.multiply" in run(str(ROOT / "docs" / "tour.py"), tmp_path)


def test_tour_of_transformations_runs(tmp_path: Path) -> None:
    assert "bytes" in run(str(ROOT / "docs" / "transformations.py"), tmp_path)


def test_tour_of_indexing_runs(tmp_path: Path) -> None:
    assert "as it says" in run(str(ROOT / "docs" / "indexing.py"), tmp_path)


def test_tour_of_schedules_runs(tmp_path: Path) -> None:
    assert "as they say" in run(str(ROOT / "docs" / "schedules.py"), tmp_path)


def test_readme_program_runs(tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block is not None
    (tmp_path / "program.py").write_text(block[1])
    printed = run("program.py", tmp_path)
    # The data is a line with slopes 1, -2 and 0.5.
    assert re.search(r"w \[ *1\. +-2\. +0\.5 *\]", printed), printed
    assert "--- linalg" in printed


DOCUMENTS = ["complex.md", "numbers.md", "devices.md", "emulator.md"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_examples_in_documents_run(name: str) -> None:
    failed, tried = doctest.testfile(
        str(ROOT / "docs" / name),
        module_relative=False,
        globs={"weft": weft, "np": np},
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
    )
    assert tried
    assert not failed


def test_dialect_reference_is_current() -> None:
    generated = (ROOT / "build" / "dialects" / "dialect.md").read_text()
    assert (ROOT / "docs" / "dialect.md").read_text() == generated, "run `make docs`"


def test_op_matrix_is_current() -> None:
    assert (ROOT / "docs" / "op-matrix.md").read_text() == op_matrix.matrix(), (
        "run `make docs`"
    )


def _element(instance: test_ops.Instance) -> str:
    """The element type of the operand that has a choice, or of the result."""
    if not instance.operands:
        return MLIR_NAMES[instance.result.dtype]
    values = op_table.operand_values(instance.op, len(instance.operands))
    widest = max(range(len(values)), key=lambda i: len(values[i].elements))
    return MLIR_NAMES[instance.operands[widest].dtype]


def _covered(tested: Iterable[test_ops.Instance]) -> set[tuple[str, str]]:
    """The ops, each with the element types that it is tested at."""
    return {(instance.op.name, _element(instance)) for instance in tested}


def test_op_matrix_claims_what_is_tested() -> None:
    values = _covered(
        instance
        for group in test_ops.groups()
        for instance in test_ops.of_family(*group)
    )
    stacks = _covered(
        batch.instance
        for group in test_batching.groups()
        for batch in test_batching.of_family(*group)
    )
    varied = [
        instance for name in FAMILIES for instance in test_derivatives.instances(name)
    ]
    narrower = (
        test_derivatives.at(x, test_derivatives.narrowed(dtype))
        for x in varied
        for dtype in NARROWER
        if test_derivatives.narrows_to(x.op, dtype)
    )
    slopes = _covered([*varied, *narrower])
    tested = {
        "value": values, "CPU": values, "vmap": stacks,
        "jvp": slopes, "vjp": slopes, "CUDA": values,
    }  # fmt: skip
    for column in op_matrix.COLUMNS:
        claimed = {
            (op.name, element)
            for op in array_ops()
            for element in op_matrix.claims(op)[column]
        }
        assert claimed == tested[column], column
