"""No op lacks anything: found from the records alone, so no list can miss a new op."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re

import pytest
from mlir import ir

import op_table
from records import ROOT, Record, array_ops, records
from test_ops import instances, program_text
from weft import _weft
from weft.ops.registry import REGISTRY

LIT = ROOT / "tests" / "ir" / "dialect"
every_op = pytest.mark.parametrize("op", records().values(), ids=str)
every_array_op = pytest.mark.parametrize("op", array_ops(), ids=str)


def _text(pattern: str) -> str:
    return "\n// -----\n".join(path.read_text() for path in LIT.glob(pattern))


def _mentions(text: str, op: Record) -> bool:
    return re.search(rf"\bweft\.{op.name}\b", text) is not None


def test_the_compiler_registers_these_ops() -> None:
    context = ir.Context()
    _weft.register_dialects(context)
    context.load_all_available_dialects()
    unknown = [
        op.name
        for op in records().values()
        if not context.is_registered_operation(f"weft.{op.name}")
    ]
    assert not unknown, "in Ops.td, but not in this build: build again"


@every_op
def test_has_a_summary(op: Record) -> None:
    assert op.summary.endswith("."), f"give weft.{op.name} a `summary` in Ops.td"


@every_op
def test_says_how_it_varies(op: Record) -> None:
    words = {"Differentiable", "NotDifferentiable", "ControlFlow"} & op.traits
    assert len(words) == 1, (
        f"weft.{op.name} needs a derivative rule (interface Differentiable, or "
        "ControlFlow if it has bodies), or the trait NotDifferentiable"
    )


@every_op
def test_says_how_it_widens(op: Record) -> None:
    organizes = op.is_transformation or not op.results
    if organizes or not any(operand.elements for operand in op.operands):
        return
    assert {"Batchable", "ControlFlow"} & op.traits, (
        f"weft.{op.name} needs a batching rule: the interface Batchable, or "
        "ControlFlow if it has bodies"
    )


@every_array_op
def test_has_a_row_in_the_op_table(op: Record) -> None:
    assert op.name in op_table.ROWS, f"add {op.name!r} to tests/op_table.py"


@every_array_op
def test_has_random_calls(op: Record) -> None:
    assert op.is_elementwise or op_table.ROWS[op.name].draw, (
        f"give the row of {op.name!r} a `draw` (see tests/op_cases.py)"
    )


def test_the_op_table_has_no_other_rows() -> None:
    assert set(op_table.ROWS) == {op.name for op in array_ops()}


@every_array_op
def test_has_a_reference(op: Record) -> None:
    assert op.name in REGISTRY, f"write {op.name!r} and its reference in weft/ops"


def test_the_registry_has_no_other_ops() -> None:
    assert set(REGISTRY) == {op.name for op in array_ops()}


@every_op
def test_round_trips(op: Record) -> None:
    assert _mentions(_text("*/ops.mlir"), op), (
        f"print and parse weft.{op.name} in tests/ir/dialect/<family>/ops.mlir"
    )


@every_op
def test_refuses_something(op: Record) -> None:
    cases = _text("*/invalid.mlir").split("// -----")
    assert any("expected-error" in case and _mentions(case, op) for case in cases), (
        f"give weft.{op.name} a wrong operand in tests/ir/dialect/<family>/invalid.mlir"
    )


def _labels() -> list[tuple[str, str]]:
    return [
        (label, source.name)
        for source in sorted((ROOT / "dialects").rglob("*.cpp"))
        for label in re.findall(r"// (\w+_c\d+)\b", source.read_text())
    ]


@pytest.mark.parametrize(("label", "source"), _labels())
def test_verifier_condition_is_tested(label: str, source: str) -> None:
    assert f"@{label}(" in _text("*/invalid.mlir"), (
        f"{source} labels a condition {label}: break it in a function @{label} in "
        "tests/ir/dialect/<family>/invalid.mlir"
    )


@every_array_op
def test_has_a_lowering(op: Record) -> None:
    """Compiling all the way is test_ops.py's; this says which op has no lowering."""
    context = ir.Context()
    _weft.register_dialects(context)
    dtype = op_table.dtypes(op)[-1]
    module = ir.Module.parse(program_text(instances(op, dtype)[:1]), context)
    stages = {name: pipeline for name, pipeline, _ in _weft.stages("cpu")}
    for stage in ("expanded", "linalg"):
        _weft.run_pipeline(module, f"builtin.module({stages[stage]})")
    assert not _mentions(str(module), op)
