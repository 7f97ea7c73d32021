"""The extension by itself: errors, threads, fork, and code that is freed."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from mlir import ir

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


def test_the_wrong_stage_is_an_error() -> None:
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(SINE)
        with pytest.raises(_weft.Error, match="no function 'f' at stage 'llvm'"):
            _weft.compile(module, "f")
        with pytest.raises(_weft.Error, match="cannot be converted to LLVM IR"):
            _weft.emit_asm(module)


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
