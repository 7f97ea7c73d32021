"""Other threads of Python go on while a program is compiled, step by step."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

import weft
from weft import _weft
from weft.contexts import context

# Some tenth of a second for each step that is asked about.
LONG = 60_000
SHORT = 2_000


@contextmanager
def goes_on():
    """Fails if another thread does nothing in the middle of what the block does."""
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    while not ticks:
        time.sleep(0.001)
    start = time.perf_counter()
    try:
        yield
    finally:
        end = time.perf_counter()
        done.set()
        thread.join()
    margin = (end - start) / 10
    assert end - start > 0.03, "too short to tell"
    assert any(start + margin < t < end - margin for t in ticks)


def chain(length):
    """A program of many ops, of which few can be computed together."""
    lines = ["func.func @f(%x0: tensor<8x8xf32>) -> tensor<8x8xf32> {"]
    kind = "tensor<8x8xf32>"
    for i in range(length):
        op = f"weft.negative %x{i} : {kind}"
        if i % 2:
            operands = f"%x{i - 1}, %x{i} batch [] x [] contract [1] x [0]"
            op = f"weft.dot_general {operands} : ({kind}, {kind}) -> {kind}"
        lines.append(f'  %x{i + 1} = {op} loc("f.py":{i + 1}:1)')
    lines += [f"  return %x{length} : tensor<8x8xf32>", "}"]
    return "\n".join(lines)


def test_the_question_can_be_answered_no():
    numbers = np.random.default_rng(0).random(300_000).tolist()
    with pytest.raises(AssertionError), goes_on():
        numbers.sort()


def test_while_a_module_is_parsed_verified_and_printed():
    text = chain(LONG)
    with context() as own:
        with goes_on():
            module = _weft.parse_module(own.mlir, text)
        with goes_on():
            for _ in range(10):
                _weft.verify(module)
        with goes_on():
            _weft.print_module(module, True)


def test_while_passes_run_and_llvm_compiles():
    with context() as own:
        module = _weft.parse_module(own.mlir, chain(SHORT))
        pipelines = [
            f"builtin.module({s.pipeline})" for s in weft.stages() if s.pipeline
        ]
        with goes_on():
            for pipeline in pipelines[:-1]:
                _weft.run_pipeline(module, pipeline)
        with goes_on():
            _weft.measure_pipeline(module, pipelines[-1])
        with goes_on():
            code = _weft.compile_object(module, "f")
        with goes_on():
            for _ in range(100):
                _weft.link(code)


def test_while_code_runs():
    f = weft.jit(lambda x: weft.fori_loop(0, 50_000, lambda _, y: weft.sin(y), x))
    x = weft.ones(1000)
    f(x)
    with goes_on():
        f(x)
