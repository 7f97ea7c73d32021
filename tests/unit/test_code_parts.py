"""Code that is compiled in parts, at once: the parts, their bytes and what they do."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re

import numpy as np
import pytest

import weft
from weft import _weft
from weft.program import parsed

x = np.linspace(-1, 1, 96, dtype=np.float32).reshape(8, 12)


def many_kernels(x):
    """Kernels of different kinds, most with `exp` in them."""
    for axis in (0, 1):
        x = weft.nn.softmax(weft.exp(x) @ weft.permute_dims(x, (1, 0)) @ x, axis=axis)
        x = x + weft.sum(weft.sin(3 * x), axis=axis, keepdims=True)
        x = weft.sort(x, axis=axis) * weft.cumulative_sum(weft.exp(-x), axis=axis)
    return x


def long_driver(x):
    """Some hundred calls of few kernels."""
    for _ in range(100):
        x = weft.sin(x) @ x.T @ weft.cos(x) / 100
    return x


def few_instructions(x):
    return x + 1


def code_of(function, threads=None):
    text = weft.jit(function).lower(x).text("llvm")
    before = weft.get_num_threads()
    if threads:
        weft.set_num_threads(threads)
    try:
        with parsed(text) as (_, module):
            return _weft.compile_object(module, function.__name__)
    finally:
        weft.set_num_threads(before)


@pytest.mark.thorough
@pytest.mark.parametrize("function", [many_kernels, long_driver, few_instructions])
def test_the_bytes_do_not_depend_on_the_threads(function):
    one = code_of(function, 1)
    assert code_of(function, 4).files == one.files
    assert code_of(function, 3).files == one.files


def test_large_programs_are_split_and_small_ones_are_not():
    assert len(code_of(many_kernels).files) > 4
    assert len(code_of(few_instructions).files) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("function", [many_kernels, long_driver])
def test_the_parts_compute_the_whole(function):
    f = weft.jit(function)
    np.testing.assert_allclose(f(x), f.interpret(x), rtol=2e-3, atol=1e-5)


def test_what_is_inlined_is_inlined_in_each_part():
    text = weft.jit(many_kernels).lower(x).text("asm")
    assert not re.search(r"^weft_exp_f32:|^\s+(call|jmp|bl)\S*\s+weft_exp", text, re.M)


def test_a_driver_without_loops_is_a_part_of_its_own():
    f = weft.jit(long_driver)
    text = f.lower(x).text("asm")
    whole = text.split(".file")
    drivers = [part for part in whole if re.search(r"^long_driver\.body:", part, re.M)]
    assert len(drivers) == 1
    assert not re.search(r"^long_driver_kernel\w*:", drivers[0], re.M)


@pytest.mark.parametrize(
    ("assembly", "constraints", "message"),
    [
        ("no such instruction", "", "Inline asm not supported"),
        ("", "{no_register}", "allocate input reg"),
    ],
)
def test_an_error_of_llvm_in_a_part_is_raised(assembly, constraints, message):
    operand = ("%one", "i64") if constraints else ("", "")
    text = f"""
    llvm.func @f.body(%p: !llvm.ptr) attributes {{weft.arena_bytes = 0 : i64}} {{
      %one = llvm.mlir.constant(1 : i64) : i64
      llvm.inline_asm has_side_effects "{assembly}", "{constraints}" {operand[0]}
        : ({operand[1]}) -> ()
      llvm.return
    }}
    """
    with parsed(text) as (_, module), pytest.raises(_weft.Error, match=message):
        _weft.compile_object(module, "f")


def test_parts_reach_each_other_at_any_distance():
    def f(x, w):
        for i in range(6):
            x = weft.nn.softmax(weft.tanh(x @ w + i))
        return x

    x = np.ones((512, 512), np.float32)
    code = weft.jit(f).lower(x, x).text("asm")
    tasks = set(re.findall(r"\w+_task\S*\(%rip\)", code))
    assert tasks
    assert all("@GOTPCREL" in task for task in tasks)
