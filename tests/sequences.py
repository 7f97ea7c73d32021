"""Random sequences of ops on random values, and a check of each step by itself.

A program is compiled so that it also returns what each of its ops gives. Each result
is then held against the op's reference at the operands that the compiled code itself
had: no error grows from step to step, so the bounds are those of single ops.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from mlir import ir

import op_cases
import op_table
import weft
from op_cases import Case, Shape
from records import Record, array_ops, records
from test_ops import Instance, needs_result, result_dtypes, wrong
from weft import _weft
from weft.dtypes import code, limits
from weft.reference import attributes_of
from weft.specs import ShapeDtypeStruct
from weft.tracer import bind_all, evaluate

MOST_ELEMENTS = 2400


# ---- values ----


def array(
    random: Random, dtype: np.dtype[Any], shape: Shape, tame: bool = False
) -> np.ndarray:
    """Values of a dtype: awkward ones among drawn ones; `tame` ones are small."""
    source = np.random.default_rng(random.randrange(2**32))
    count = math.prod(shape)
    if tame:
        drawn = np.round(source.normal(size=count) * 8) / 8
        return np.asarray(drawn.astype(dtype).reshape(shape))
    drawn = op_table.drawn(dtype, count + 4, source)[:count]
    awkward = source.choice(op_table.awkward(dtype), count)
    share = random.choice((0.0, 0.2, 1.0))
    return np.asarray(np.where(source.random(count) < share, awkward, drawn)).reshape(
        shape
    )


def _indices(random: Random, around: Shape, shape: Shape) -> np.ndarray:
    """Indices of an array, some of them outside."""
    source = np.random.default_rng(random.randrange(2**32))
    return np.asarray(source.integers(-1, max(around, default=1) + 1, shape))


# ---- one op ----


def _case(op: Record, random: Random, shape: Shape) -> Case | None:
    if op.is_elementwise:
        shapes = (shape,) * len(op.operands)
        return Case(shapes, dict(op_table.ROWS[op.name].attributes), shape)
    draw = op_table.ROWS[op.name].draw
    assert draw is not None, f"give the row of {op.name!r} random cases: draw=..."
    return draw(random, shape)


@dataclass
class Values:
    """The arrays that a sequence has so far."""

    random: Random
    arrays: list[np.ndarray] = field(default_factory=list)

    def operands(self, op: Record, case: Case, dtype: np.dtype[Any]) -> tuple[int, ...]:
        """The numbers of arrays that an op may be applied to."""
        row, count = op_table.ROWS[op.name], len(case.shapes)
        if row.operands is not None:
            source = np.random.default_rng(self.random.randrange(2**32))
            drawn = op_table.drawn_operands(row, case, dtype, source)
            return tuple(map(self.add, drawn))
        kinds = op_table.operand_values(op, count)
        dtypes = op_table.operand_dtypes(op, dtype, count)
        around = case.shapes[0] if count else ()
        return tuple(
            self.operand(kind, of, size, around)
            for kind, of, size in zip(kinds, dtypes, case.shapes, strict=True)
        )

    def operand(
        self, value: op_table.Value, dtype: np.dtype[Any], shape: Shape, around: Shape
    ) -> int:
        """The number of an array that fits; one that is there, or a new one."""
        if value.constraint in ("Weft_Index", "Weft_Indices"):
            return self.add(_indices(self.random, around, shape))
        fitting = [
            i
            for i, x in enumerate(self.arrays)
            if x.dtype == dtype and x.shape == shape
        ]
        if fitting and self.random.random() < 0.7:
            return self.random.choice(fitting)
        return self.add(array(self.random, dtype, shape))

    def add(self, x: np.ndarray) -> int:
        self.arrays.append(x)
        return len(self.arrays) - 1


@dataclass(frozen=True)
class Step:
    """An op on values by their numbers, and the numbers of its results."""

    op: Record
    operands: tuple[int, ...]
    attributes: dict[str, Any]
    result: ShapeDtypeStruct | None
    numbers: tuple[int, ...]


def step(op: Record, dtype: np.dtype[Any], values: Values, shape: Shape) -> Step | None:
    """Applies an op to values of a dtype, the first operand having a shape."""
    case = _case(op, values.random, shape)
    if case is None:
        return None
    attributes = dict(case.attributes)
    if "value" in op.attributes:
        attributes["value"] = array(values.random, dtype, case.result or ())
    result = None
    if needs_result(op):
        to = dtype
        if op.is_elementwise:
            to = values.random.choice(result_dtypes(op, dtype))
        result = ShapeDtypeStruct(case.result or (), to)
    before = len(values.arrays)
    operands = values.operands(op, case, dtype)
    given = attributes if result is None else attributes | {"result": result}
    results = evaluate(op.name, [values.arrays[i] for i in operands], given)
    if any(x.size > MOST_ELEMENTS for x in results):
        del values.arrays[before:]
        return None
    return Step(op, operands, attributes, result, tuple(map(values.add, results)))


def instance(op: Record, dtype: np.dtype[Any], random: Random) -> Instance | None:
    """A random call of an op."""
    values = Values(random)
    made = step(op, dtype, values, op_cases.shape(random))
    if made is None:
        return None
    operands = tuple(values.arrays[i] for i in made.operands)
    specs = tuple(_spec(values.arrays[i]) for i in made.numbers)
    return Instance(op, operands, made.attributes, specs)


def _spec(x: np.ndarray) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(x.shape, x.dtype)


# ---- programs ----


@dataclass(frozen=True)
class Program:
    """Inputs by their numbers, and steps."""

    inputs: dict[int, np.ndarray]
    steps: tuple[Step, ...]

    def __call__(self, *inputs: Any) -> list[Any]:
        """What the steps give, in their order."""
        values = dict(zip(self.inputs, inputs, strict=True))
        for s in self.steps:
            operands = (weft.asarray(values[i]) for i in s.operands)
            more = {} if s.result is None else {"result": s.result}
            results = bind_all(s.op.name, *operands, **s.attributes, **more)
            values |= zip(s.numbers, results, strict=True)
        return [values[i] for s in self.steps for i in s.numbers]

    def loss(self, *inputs: Any) -> Any:
        """The sum of all that has a derivative, and what the steps give."""
        values = self(*inputs)
        terms = [weft.sum(weft.astype(x, np.float64)) for x in values if varies(x)]
        return sum(terms, weft.asarray(np.float64(0))), values

    def __str__(self) -> str:
        lines = [f"%{i} = {x!r} ({x.dtype})" for i, x in self.inputs.items()]
        lines += [
            f"{_names(s.numbers)} = {s.op.name}({_names(s.operands)}) "
            f"{s.attributes or ''} {s.result or ''}"
            for s in self.steps
        ]
        return "\n".join(lines)


def _names(numbers: Sequence[int]) -> str:
    return ", ".join(f"%{i}" for i in numbers)


def varies(x: Any) -> bool:
    """Whether the loss is differentiated by arrays like this."""
    return x.dtype in (np.float32, np.float64)


def program(random: Random, length: int) -> Program:
    """A random program of at most so many steps."""
    values, steps, ops = Values(random), [], array_ops()
    for _ in range(length):
        op = random.choice(ops)
        allowed = op_table.dtypes(op)
        known = [x for x in values.arrays if x.dtype in allowed]
        if known and random.random() < 0.8:
            like = random.choice(known)
            dtype, shape = like.dtype, like.shape
        else:
            dtype, shape = random.choice(allowed), op_cases.shape(random)
        made = step(op, dtype, values, shape)
        if made:
            steps.append(made)
    computed = {i for s in steps for i in s.numbers}
    used = {i for s in steps for i in s.operands} - computed
    return Program({i: values.arrays[i] for i in sorted(used)}, tuple(steps))


# ---- the check ----


def faults(text: str, arguments: Sequence[Any], device: str = "cpu") -> list[str]:
    """The ops of a program whose results on a device are wrong, each by itself."""
    context = ir.Context()
    _weft.register_dialects(context)
    with context, ir.Location.unknown():
        module = ir.Module.parse(text)
        block = _entry(module).regions[0].blocks[0]
        ops = [op for op in block.operations if op.operation.name != "func.return"]
        _return_everything(module)
        compiled = weft.parse(str(module), device=device).compile(device)
        results = compiled(*(weft.asarray(x).to(device) for x in arguments))
        flat = results if isinstance(results, (tuple, list)) else [results]
        known = dict(zip(block.arguments, arguments, strict=True))
        computed = iter(flat)
        for op in ops:
            known |= {value: np.asarray(next(computed)) for value in op.results}
        return [fault for op in ops if (fault := _fault(op.operation, known, device))]


def _entry(module: ir.Module) -> ir.Operation:
    for op in module.body.operations:
        if "sym_visibility" not in op.attributes:
            return op.operation
    raise AssertionError("the module has no public function")


def _return_everything(module: ir.Module) -> None:
    """Makes the entry return what each of its ops gives, and nothing else."""
    entry = _entry(module)
    block = entry.regions[0].blocks[0]
    *ops, end = block.operations
    values = [value for op in ops for value in op.results]
    with ir.InsertionPoint(end):
        ir.Operation.create("func.return", operands=values)
    end.erase()
    signature = ir.FunctionType.get(
        [x.type for x in block.arguments], [x.type for x in values]
    )
    entry.attributes["function_type"] = ir.TypeAttr.get(signature)
    if "res_attrs" in entry.attributes:
        del entry.attributes["res_attrs"]


def fault(
    instance: Instance, got: Sequence[np.ndarray], want: Sequence[np.ndarray]
) -> str:
    """What is wrong with the values of an op, or nothing.

    Where a sum or a product may leave the range of its dtype on the way, the order
    decides what it is, and nothing is said of it.
    """
    if not instance.row.accumulates or code(want[0].dtype) not in "fc":
        return wrong(instance, got, want)
    with np.errstate(all="ignore"):
        high = instance.reference(*(_moved(x, np.maximum) for x in instance.operands))
        low = instance.reference(*(_moved(x, np.minimum) for x in instance.operands))
    return wrong(instance, list(map(_staying, got, want, high, low)), want)


def _staying(
    got: np.ndarray, want: np.ndarray, high: np.ndarray, low: np.ndarray
) -> np.ndarray:
    """Values where they cannot leave the range of their dtype, else those expected."""
    stays = np.isfinite(high) & (np.abs(low) >= limits(want.dtype).tiny)
    return np.where(stays, got, want).astype(np.asarray(got).dtype)


def _moved(x: np.ndarray, towards_one: Any) -> np.ndarray:
    """The sizes of floats on one side of 1; zeros and what is not finite are 1."""
    if code(x.dtype) not in "fc":
        return x
    size = np.abs(x)
    plain = np.isfinite(size) & (size != 0)
    return towards_one(np.where(plain, size, 1), 1).astype(x.dtype)


def _fault(
    operation: ir.Operation, known: dict[ir.Value, np.ndarray], device: str
) -> str:
    op = records()[operation.name.removeprefix("weft.")]
    operands = tuple(known[value] for value in operation.operands)
    attributes = attributes_of(operation)
    got = [known[value] for value in operation.results]
    results = tuple(map(_spec, got))
    made = Instance(op, operands, attributes, results, device.removesuffix("-sim"))
    want = made.reference(*operands)
    return fault(made, got, want)
