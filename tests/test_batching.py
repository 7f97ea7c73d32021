"""`vmap` of every op, at every dtype, equals a stack of single calls."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import op_table
import weft
from op_table import Case
from records import Record, array_ops
from test_ops import (
    Instance,
    _elementwise,
    _structured,
    attribute_text,
    family,
    grouped,
    op_text,
    quick_at_kinds,
    wrong,
)
from weft.specs import ShapeDtypeStruct

F32, F64 = np.dtype("float32"), np.dtype("float64")


# ---- every op ----


@dataclass(frozen=True, eq=False)
class Batch:
    """A function of one op, and which of its operands are stacked along which axes."""

    instance: Instance
    axes: tuple[int, ...]
    out_axes: tuple[int, ...]
    size: int

    @property
    def inputs(self) -> list[Instance]:
        """The single calls."""
        return [
            replace(
                self.instance,
                operands=tuple(
                    x if axis < 0 else other
                    for x, other, axis in zip(
                        self.instance.operands, self._others(i), self.axes, strict=True
                    )
                ),
            )
            for i in range(self.size)
        ]

    def _others(self, number: int) -> Sequence[np.ndarray]:
        """Operands like those of the instance."""
        operands = self.instance.operands
        row = self.instance.row
        if not row.operands:
            return [np.roll(x, number) for x in operands]
        case = Case(tuple(x.shape for x in operands), self.instance.attributes)
        random = np.random.default_rng(100 + number)
        return op_table.drawn_operands(row, case, operands[0].dtype, random)

    @property
    def stacks(self) -> list[np.ndarray]:
        """The arguments."""
        return [
            x
            if axis < 0
            else _stack([each.operands[j] for each in self.inputs], x, axis)
            for j, (x, axis) in enumerate(
                zip(self.instance.operands, self.axes, strict=True)
            )
        ]

    @property
    def results(self) -> list[str]:
        types = []
        for spec, axis in zip(self.instance.results, self.out_axes, strict=True):
            shape = list(spec.shape)
            shape.insert(axis, self.size)
            types.append(ShapeDtypeStruct(tuple(shape), spec.dtype).mlir)
        return types

    def faults(self, got: Sequence[np.ndarray]) -> list[str]:
        """Where the results differ from those of the single calls."""
        places = list(zip(got, self.out_axes, strict=True))
        if any(stack.shape[axis] != self.size for stack, axis in places):
            return [f"{self}: {[stack.shape for stack in got]}"]
        return [
            f"{self.axes}, input {i}: {fault}"
            for i, single in enumerate(self.inputs)
            if (
                fault := wrong(
                    single,
                    [np.take(stack, i, axis=axis) for stack, axis in places],
                    single.reference(*single.operands),
                )
            )
        ]


def _stack(parts: Sequence[np.ndarray], like: np.ndarray, axis: int) -> np.ndarray:
    if not parts:
        shape = list(like.shape)
        shape.insert(axis, 0)
        return np.zeros(shape, like.dtype)
    return np.stack(parts, axis)


def _small_instances(op: Record, dtype: np.dtype[Any]) -> list[Instance]:
    return _elementwise(op, dtype, (2, 3)) if op.is_elementwise else (
        _structured(op, dtype)
    )  # fmt: skip


def batches(instance: Instance, size: int) -> list[Batch]:
    """Every choice of stacked operands, along the first axis or along the last.

    Structured ops of float32 have both.
    """
    made = []
    choices = itertools.product((True, False), repeat=len(instance.operands))
    for i, choice in enumerate(choices):
        both = not instance.op.is_elementwise and instance.result.dtype == F32
        for last in (False, True):
            if any(choice) and (both or last == i % 2):
                made.append(_batch(instance, choice, last, size))
    return made


def _batch(instance: Instance, choice: Sequence[bool], last: bool, size: int) -> Batch:
    axes = tuple(
        (x.ndim if last else 0) if stacked else -1
        for x, stacked in zip(instance.operands, choice, strict=True)
    )
    out_axes = tuple(spec.ndim if last else 0 for spec in instance.results)
    return Batch(instance, axes, out_axes, size)


def _type(x: np.ndarray) -> str:
    return ShapeDtypeStruct(x.shape, x.dtype).mlir


def _single(instance: Instance, symbol: str) -> str:
    names = [f"%x{i}" for i in range(len(instance.operands))]
    signature = ", ".join(
        f"{n}: {_type(x)}" for n, x in zip(names, instance.operands, strict=True)
    )
    made = [f"%r{i}" for i in range(len(instance.results))]
    types = ", ".join(spec.mlir for spec in instance.results)
    return (
        f"func.func private @{symbol}({signature}) -> ({types}) {{\n"
        f"{op_text(instance, names, made)}\n"
        f"return {', '.join(made)} : {types}\n}}"
    )


def program(chosen: Sequence[Batch]) -> str:
    """A program with one result for each batch, and arguments for each."""
    symbols: dict[int, str] = {}
    texts, inputs, lines, outputs, made = [], [], [], [], []
    for i, batch in enumerate(chosen):
        if id(batch.instance) not in symbols:
            symbols[id(batch.instance)] = f"f{len(symbols)}"
            texts.append(_single(batch.instance, symbols[id(batch.instance)]))
        types = [_type(x) for x in batch.stacks]
        names = [f"%x{len(inputs) + j}" for j in range(len(types))]
        inputs += types
        outputs += batch.results
        made += (results := [f"%r{i}_{j}" for j in range(len(batch.results))])
        lines.append(
            f'{", ".join(results)} = "weft.vmap"({", ".join(names)}) <{{'
            f"callee = @{symbols[id(batch.instance)]}, size = {batch.size} : i64, "
            f"in_axes = {attribute_text(batch.axes)}, "
            f"out_axes = {attribute_text(batch.out_axes)}}}> : "
            f"({', '.join(types)}) -> ({', '.join(batch.results)})"
        )
    signature = ", ".join(f"%x{i}: {spelled}" for i, spelled in enumerate(inputs))
    results, types = ", ".join(made), ", ".join(outputs)
    main = [f"func.func @main({signature}) -> ({types}) {{", *lines,
            f"return {results} : {types}", "}"]  # fmt: skip
    return "\n".join([*texts, *main])


def _check(chosen: Sequence[Batch]) -> None:
    parsed = weft.parse(program(chosen))
    arguments = [x for batch in chosen for x in batch.stacks]
    faults = []
    for run in (parsed.compile(), parsed.interpret):
        results = grouped(run(*arguments), [batch.instance for batch in chosen])
        for batch, got in zip(chosen, results, strict=True):
            faults += batch.faults([np.asarray(x) for x in got])
    assert not faults, "\n".join(faults)


def _batchable() -> list[Record]:
    return [op for op in array_ops() if op.operands]


def groups() -> list[tuple[str, np.dtype[Any]]]:
    """The families at each of their dtypes."""
    groups = {
        (family(op), dtype) for op in _batchable() for dtype in op_table.dtypes(op)
    }
    return sorted(groups, key=str)


def of_family(name: str, dtype: np.dtype[Any]) -> list[Batch]:
    """What of a family is tested at a dtype."""
    return [
        batch
        for op in _batchable()
        if family(op) == name and dtype in op_table.dtypes(op)
        for instance in _small_instances(op, dtype)
        for batch in batches(instance, 2)
    ]


@pytest.mark.parametrize(("name", "dtype"), quick_at_kinds(groups()), ids=str)
def test_every_op_of_stacks(name: str, dtype: np.dtype[Any]) -> None:
    _check(of_family(name, dtype))


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("name", sorted({family(op) for op in _batchable()}))
def test_every_op_of_small_stacks(name: str, size: int) -> None:
    _check(
        [
            batch
            for op in _batchable()
            if family(op) == name
            for instance in _small_instances(op, op_table.dtypes(op)[-1])
            for batch in batches(instance, size)
        ]
    )
