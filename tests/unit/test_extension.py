"""The extension by itself: errors, threads, fork, and code that is freed."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from mlir import ir

import weft
from weft import _weft

SINE = """
func.func @f(%x: tensor<8xf32>) -> tensor<8xf32> {
  %0 = weft.sin %x : tensor<8xf32> loc("user.py":3:7)
  return %0 : tensor<8xf32>
}
"""


def compile_sine() -> _weft.Executable:
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(SINE)
        for _, pipeline, _ in _weft.stages("cpu"):
            if pipeline:
                _weft.run_pipeline(module, pipeline)
        return _weft.compile(module, "f")


def check(executable: _weft.Executable) -> None:
    x, y = np.arange(8, dtype=np.float32), np.empty(8, np.float32)
    arena = np.empty(64, np.uint8)
    executable([array.ctypes.data for array in (x, y, arena)])
    np.testing.assert_allclose(y, np.sin(x), rtol=1e-6)


def test_a_failing_pass_is_an_error_with_the_line() -> None:
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(SINE)
        with pytest.raises(_weft.Error) as error:
            _weft.run_pipeline(module, "weft-check-stage{stage=s legal=func}")
    message, reports = error.value.args
    assert message == "'weft.sin' is left at stage 's', which consists of func"
    assert reports[0] == ("user.py", 3, 7, message, "error")


@pytest.mark.parametrize("pipeline", ["no-such-pass", "func.func(", "cse{x=1}"])
def test_a_malformed_pipeline_is_an_error(pipeline: str) -> None:
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(SINE)
        with pytest.raises(_weft.Error, match="malformed pipeline"):
            _weft.run_pipeline(module, pipeline)


BODIES = """
func.func @f(%p: tensor<i1>, %x: tensor<6xf32>) -> tensor<6xf32> {
  %early = weft.cos %a : tensor<6xf32>
  %0 = weft.switch %p(%x) : (tensor<i1>, tensor<6xf32>) -> tensor<6xf32> {
  ^bb0(%a: tensor<6xf32>):
    weft.yield %late : tensor<6xf32>
    %late = weft.sin %a : tensor<6xf32>
  }, {
  ^bb0(%b: tensor<6xf32>):
    weft.yield %b : SWITCH
  }
  %1 = weft.while carry(%0) : (tensor<6xf32>) -> tensor<6xf32> cond {
  ^bb0(%c: tensor<6xf32>):
    weft.yield %p : tensor<i1>
  } do {
  ^bb0(%d: tensor<6xf32>):
    weft.yield %d : WHILE
  }
  %2 = weft.scan length 3 carry(%1) : (tensor<6xf32>) -> tensor<6xf32> {
  ^bb0(%e: tensor<6xf32>):
    weft.yield %e : SCAN
  }
  %later = weft.cos %e : tensor<6xf32>
  return %2 : tensor<6xf32>
}
"""


@pytest.mark.parametrize("wrong", ["SWITCH", "WHILE", "SCAN"])
def test_errors_within_bodies(wrong: str) -> None:
    """Ops elsewhere may name values of a body that is dropped."""
    text = BODIES.replace(wrong, "tensor<6xi32>")
    for name in ("SWITCH", "WHILE", "SCAN"):
        text = text.replace(name, "tensor<6xf32>")
    for _ in range(20):
        with ir.Context() as context:
            _weft.register_dialects(context)
            with pytest.raises(ir.MLIRError, match="expects different type than prior"):
                ir.Module.parse(text)


def test_the_wrong_stage_is_an_error() -> None:
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(SINE)
        with pytest.raises(_weft.Error, match="no function 'f' at stage 'llvm'"):
            _weft.compile(module, "f")
        with pytest.raises(_weft.Error, match="cannot be converted to LLVM IR"):
            _weft.emit_asm(module)


def lowered_for(chip: str) -> weft.Lowered:
    return weft.jit(lambda x: x + 1).lower(np.ones(8, np.float32), device=chip)


@pytest.mark.parametrize("chip", ["sm_75", "sm_103", "sm_110", "sm_120", "sm_121a"])
def test_text_for_any_chip(chip: str) -> None:
    assert f".target {chip}" in lowered_for(chip).text("ptx")


def test_what_llvm_cannot_compile_is_an_error() -> None:
    with pytest.raises(weft.CompileError, match="no NVIDIA GPU 'sm_999'"):
        lowered_for("sm_999").text("ptx")
    lowered = lowered_for("sm_80")
    text = lowered.text("gpu", locations=False)
    wrong = text.replace("block_size = array<i32: 32", "block_size = array<i32: -1")
    assert wrong != text
    with pytest.raises(weft.CompileError, match="LLVM: "):
        lowered.replace("gpu", wrong).text("ptx")


@pytest.mark.parametrize("element", ["index", "vector<2xf32>"])
def test_what_no_plan_can_take(element: str) -> None:
    text = lowered_for("sm_80").text("nvvm", locations=False)
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(text.replace("memref<8xf32>", f"memref<8x{element}>"))
        with pytest.raises(_weft.Error, match="an argument of a plan is no array"):
            _weft.emit_plan(module)


def test_the_number_of_pointers_is_checked() -> None:
    executable = compile_sine()
    assert executable.pointer_count == 3
    for pointers in ([1], (1, 2, 3, 4), np.zeros(2, np.uint64)):
        with pytest.raises(_weft.Error, match="takes 3 pointers"):
            executable(pointers)


def test_threads_compile_and_call_at_once() -> None:
    shared = compile_sine()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                check(compile_sine())
                check(shared)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_calls_and_compiles() -> None:
    shared = compile_sine()
    child = os.fork()
    if child == 0:
        try:
            check(shared)
            check(compile_sine())
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_code_is_freed() -> None:
    def mappings() -> int:
        return len(Path("/proc/self/maps").read_text().splitlines())

    for _ in range(10):
        check(compile_sine())
    before = mappings()
    for _ in range(50):
        check(compile_sine())
    assert mappings() < before + 10
