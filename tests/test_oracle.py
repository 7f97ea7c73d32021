"""Every op at random shapes, dtypes and awkward values, alone and in sequences.

Nothing here may end the process: a sequence of ops is traced, differentiated, lowered
and run, and each of its steps is held against its reference.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import op_table
import sequences
import weft
from records import array_ops
from test_ops import SMALL_MACHINE, arguments, family, grouped, program_text
from weft.ops.registry import REGISTRY

MANY_BLOCKS = "module attributes {weft.gpu = {block_work = 1 : i64}} {"
FAMILIES = sorted({family(op) for op in array_ops()})


def few(examples: int, derandomize: bool = True) -> settings:
    """Settings for examples that each compile a program.

    They are seeds, which have no simpler form to be shrunk to.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=derandomize,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


# ---- one op at a time ----


def check_ops(name: str, random: Random) -> None:
    """One random call of each op of a family, all in one program."""
    drawn = [
        sequences.instance(op, random.choice(op_table.dtypes(op)), random)
        for op in array_ops()
        if family(op) == name
    ]
    chosen = [instance for instance in drawn if instance is not None]
    if not chosen:
        return
    compiled = weft.parse(program_text(chosen)).compile()(*arguments(chosen))
    faults = [
        sequences.fault(instance, got, instance.reference(*instance.operands))
        for instance, got in zip(chosen, grouped(compiled, chosen), strict=True)
    ]
    assert not any(faults), "\n".join(filter(None, faults))


@pytest.mark.parametrize("name", FAMILIES)
@few(12)
@given(random=st.randoms(use_true_random=False))
def test_ops_equal_their_references(name: str, random: Random) -> None:
    check_ops(name, random)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", FAMILIES)
@few(500, derandomize=False)
@given(random=st.randoms(use_true_random=False))
def test_ops_equal_their_references_for_long(name: str, random: Random) -> None:
    check_ops(name, random)


# ---- sequences ----

PROGRAMS_AT_ONCE = 20


def function_of(seed: int) -> tuple[Any, list[np.ndarray], sequences.Program]:
    """A random program's gradient, if it has one, at times of a batch, its inputs,

    and the program.
    """
    program = sequences.program(Random(seed), 1 + seed % 8)
    inputs = list(program.inputs.values())
    varying = tuple(i for i, x in enumerate(inputs) if sequences.varies(x))
    function: Any = program
    if varying:
        function = weft.value_and_grad(program.loss, argnums=varying, has_aux=True)
    if inputs and seed % 3 == 2:
        function = weft.vmap(function)
        inputs = [np.stack([x, np.roll(x, 1)]) for x in inputs]
    return function, inputs, program


def check_sequence(seed: int) -> None:
    """A quarter are run in the pieces that large arrays are cut into, an eighth in
    the memory of their arguments."""
    function, inputs, program = function_of(seed)
    lowered = weft.jit(function).lower(*inputs)
    try:
        text = lowered.text("expanded", locations=False)
        if seed % 4 == 1:
            text = text.replace("module {", SMALL_MACHINE, 1)
        faults = sequences.faults(text, inputs)
    except weft.LinAlgError:
        return  # as it should be, of a matrix that is singular
    assert not faults, f"seed {seed}:\n{program}\n" + "\n".join(faults)
    expected = lowered.compile()(*inputs)
    if seed % 8 == 3:
        assert repr(donating(function, inputs)) == repr(expected), f"seed {seed}"


def donating(function: Any, inputs: Sequence[np.ndarray]) -> Any:
    """What a function returns that may compute it in the memory of its arguments."""
    donate = range(len(inputs))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*donated")
        return weft.jit(function, donate_argnums=donate)(*inputs)


@pytest.mark.parametrize(
    "batch",
    [pytest.param(i, marks=pytest.mark.slow if i > 7 else ()) for i in range(50)],
)
def test_sequences_of_ops(batch: int) -> None:
    for seed in range(PROGRAMS_AT_ONCE * batch, PROGRAMS_AT_ONCE * (batch + 1)):
        check_sequence(seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("batch", range(50, 500))
def test_more_sequences_of_ops(batch: int) -> None:
    test_sequences_of_ops(batch)


def check_on_a_gpu(seed: int) -> None:
    """Half of them as a kernel for each of its parts, not as one of one block."""
    function, inputs, program = function_of(seed)
    text = weft.jit(function).lower(*inputs).text("expanded", locations=False)
    if seed % 2:
        text = text.replace("module {", MANY_BLOCKS, 1)
    try:
        faults = sequences.faults(text, inputs, "cuda-sim")
    except weft.LinAlgError:
        return
    assert not faults, f"seed {seed}:\n{program}\n" + "\n".join(faults)


@pytest.mark.filterwarnings("ignore:.*runs on the host")
@pytest.mark.parametrize("seed", [*range(16), 59, 477, 4083])
def test_sequences_on_an_emulated_gpu(seed: int) -> None:
    check_on_a_gpu(seed)


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore:.*runs on the host")
@pytest.mark.parametrize("batch", range(200))
def test_more_sequences_on_an_emulated_gpu(batch: int) -> None:
    for seed in range(10 * batch, 10 * (batch + 1)):
        check_on_a_gpu(seed)


def test_a_wrong_step_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
    func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
      %0 = weft.exp %x : tensor<3xf32>
      %1 = weft.negative %0 : tensor<3xf32>
      %2 = weft.exp %1 : tensor<3xf32>
      return %2 : tensor<3xf32>
    }"""
    inputs = [np.float32([0.0, 1.0, 2.0])]
    assert not sequences.faults(text, inputs)
    wrong_op = replace(REGISTRY["negative"], reference=lambda x: -x * np.float32(1.1))
    monkeypatch.setitem(REGISTRY, "negative", wrong_op)
    [fault] = sequences.faults(text, inputs)
    assert fault.startswith("negative(float32[3])")
