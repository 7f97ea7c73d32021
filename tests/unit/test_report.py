"""What a compilation says that it took."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools
import re
import time

import numpy as np
import pytest
from mlir import ir

import weft
from weft import _weft
from weft.program import parsed

x = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def f(x):
    return weft.nn.softmax(weft.sin(x) * 2 + x, axis=-1)


def count_ops(text):
    """The ops of a module's text, but for the module itself."""
    seen = []

    def visit(op):
        seen.append(op.name)
        return ir.WalkResult.ADVANCE

    with parsed(text) as (_, module):
        module.operation.walk(visit)
    return len(seen) - 1


@pytest.fixture(scope="module")
def report():
    return weft.jit(f).compile_report(x)


def test_every_pass_of_every_stage_is_a_step(report):
    for stage in weft.stages():
        named = re.sub(r"func\.func\(|\)|\{[^}]*\}|\s", "", stage.pipeline).split(",")
        found = [step.name for step in report.steps if step.stage == stage.name]
        if stage.pipeline:
            assert found == named
    assert [step.name for step in report.steps if step.stage == "weft"] == [
        "trace",
        "parse",
    ]
    assert [step.name for step in report.steps[-5:]] == [
        "translate",
        "split",
        "optimize",
        "generate",
        "link",
    ]


def test_ops_are_those_of_the_stages_texts(report):
    lowered = weft.jit(f).lower(x)
    for stage in weft.stages():
        if stage.pipeline:
            last = [step for step in report.steps if step.stage == stage.name][-1]
            assert last.after == count_ops(lowered.text(stage.name))
    passes = [step for step in report.steps if step.before is not None]
    for one, other in itertools.pairwise(passes):
        assert one.after == other.before


def test_no_time_is_counted_twice():
    start = time.perf_counter()
    report = weft.jit(f).compile_report(x)
    passed = 1e3 * (time.perf_counter() - start)
    assert all(step.milliseconds > 0 for step in report.steps)
    assert report.milliseconds < passed
    assert sum(report.by_stage().values()) == pytest.approx(report.milliseconds)
    assert 0 < report.llvm_share < 1
    llvm = sum(step.milliseconds for step in report.steps if step.stage == "asm")
    assert report.llvm_share == pytest.approx(llvm / report.milliseconds)


def test_what_a_pass_runs_in_turn_is_its_own_time():
    inner = weft.jit(weft.sin)
    report = weft.jit(lambda x: inner(x) + inner(2 * x)).compile_report(x)
    fused = [step.name for step in report.steps if step.stage == "fused"]
    assert fused[:3] == ["weft-check-types", "inline", "symbol-dce"]


def test_a_program_from_a_later_stage_begins_there():
    lowered = weft.jit(f).lower(x)
    program = lowered.program.replace("linalg", lowered.text("linalg"))
    report = program.compile_report()
    names = [step.name for step in report.steps[:4]]
    assert names == ["parse", "weft-check-types", "inline", "symbol-dce"]


def test_it_compiles_for_itself_alone():
    g = weft.jit(f)
    g.compile_report(x)
    assert g.cache_info().misses == 0


def test_the_table_has_a_line_for_each_step(report):
    lines = str(report).splitlines()
    assert lines[0].startswith(f"f: {report.milliseconds:.1f} ms")
    assert f"{report.code_bytes} bytes" in lines[0]
    assert len(lines) == 2 + len(report.steps)
    for line, step in zip(lines[2:], report.steps, strict=True):
        assert step.name in line
        assert line.startswith((step.stage, " "))


def test_a_failing_pass_fails_the_measurement_too():
    with (
        parsed("func.func @f() { return }") as (_, module),
        pytest.raises(_weft.Error, match="is left at stage 's'"),
    ):
        _weft.measure_pipeline(module, "weft-check-stage{stage=s legal=llvm}")
