"""Every op at every dtype: compiled and interpreted, against its NumPy reference."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from mlir import ir

import op_table
import weft
from op_table import ROWS, Case, Row
from records import Record, array_ops
from weft import _weft
from weft.dtypes import (
    BOOL,
    BY_MLIR_NAME,
    MLIR_NAMES,
    code,
    is_narrow,
    limits,
    real_dtype,
)
from weft.ops.parts import join
from weft.reference import elements_of
from weft.specs import ShapeDtypeStruct
from weft.tracer import evaluate


@dataclass(frozen=True, eq=False)
class Instance:
    """An op on certain operands."""

    op: Record
    operands: tuple[np.ndarray, ...]
    attributes: dict[str, Any]
    results: tuple[ShapeDtypeStruct, ...]
    device: str = "cpu"

    @property
    def row(self) -> Row:
        row = ROWS[self.op.name]
        if self.device == "cpu" or not row.parts_ulps:
            return row
        return replace(row, ulps=row.parts_ulps, accumulates=True)

    def on_gpu(self) -> Instance:
        """The same, to be right on a GPU."""
        return replace(self, device="cuda")

    @property
    def result(self) -> ShapeDtypeStruct:
        """The first result, which is the only one of most ops."""
        return self.results[0]

    def reference(self, *operands: np.ndarray) -> list[np.ndarray]:
        """The values of the op's results at operands like its own."""
        attributes = dict(self.attributes)
        if needs_result(self.op):
            attributes["result"] = self.result
        return evaluate(self.op.name, list(operands), attributes)

    def __str__(self) -> str:
        shapes = ", ".join(
            str(ShapeDtypeStruct(x.shape, x.dtype)) for x in self.operands
        )
        results = ", ".join(map(str, self.results))
        return f"{self.op.name}({shapes}) {self.attributes or ''} -> {results}"


def needs_result(op: Record) -> bool:
    """Whether a reference cannot infer the result's type."""
    return weft.ops.REGISTRY[op.name].explicit_result


# ---- instances ----


def result_dtypes(op: Record, dtype: np.dtype[Any]) -> list[np.dtype[Any]]:
    """The result dtypes of an op that converts."""
    found = [BY_MLIR_NAME[element] for element in op.results[0].elements]
    if op.name == "bitcast":
        bits = {np.dtype("bool"): 1}
        width = bits.get(dtype, 8 * dtype.itemsize)
        return [to for to in found if bits.get(to, 8 * to.itemsize) == width]
    if op.name == "convert" and dtype.kind == "c":
        return [to for to in found if to.kind in "bc"]
    return found


@cache
def _elementwise_operands(
    dtypes: tuple[np.dtype[Any], ...], shape: tuple[int, ...] | None
) -> tuple[np.ndarray, ...]:
    drawn = op_table.values(dtypes, np.random.default_rng(len(dtypes)))
    if shape is None:
        return drawn
    return tuple(np.asarray(np.resize(x[-5:], shape)) for x in drawn)


def _elementwise(
    op: Record, dtype: np.dtype[Any], shape: tuple[int, ...] | None
) -> list[Instance]:
    dtypes = tuple(op_table.operand_dtypes(op, dtype, len(op.operands)))
    operands = _elementwise_operands(dtypes, shape)
    shape = operands[0].shape
    if needs_result(op):
        specs = [ShapeDtypeStruct(shape, to) for to in result_dtypes(op, dtype)]
        return [Instance(op, operands, {}, (spec,)) for spec in specs]
    attributes = ROWS[op.name].attributes
    (value,) = evaluate(op.name, list(operands), attributes)
    spec = ShapeDtypeStruct(shape, value.dtype)
    return [Instance(op, operands, attributes, (spec,))]


def _array(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int) -> np.ndarray:
    """Small numbers with ties; in every third array one NaN and infinities."""
    random = np.random.default_rng(seed)
    if dtype.kind == "c":
        return join(*(_array(shape, real_dtype(dtype), seed + i) for i in (0, 100)))
    if code(dtype) in "f8":
        array = np.asarray(np.round(random.normal(size=shape) * 4) / 4)
        if seed % 3 == 2 and array.size > 2:
            array.flat[random.integers(array.size)] = random.choice([np.nan, np.inf])
        return array.astype(dtype)
    if dtype == BOOL:
        return np.asarray(random.random(shape) < 0.5)
    return random.integers(0, 100, shape).astype(dtype)


def indices(case: Case, seed: int) -> np.ndarray:
    """Indices of the last shape of a case, some of them outside of the first."""
    largest = max(case.shapes[0], default=1)
    random = np.random.default_rng(seed)
    return np.asarray(random.integers(-1, largest + 1, case.shapes[-1]))


def _structured(op: Record, dtype: np.dtype[Any]) -> list[Instance]:
    made = []
    for i, case in enumerate(ROWS[op.name].cases):
        count = len(case.shapes)
        dtypes = op_table.operand_dtypes(op, dtype, count)
        values = op_table.operand_values(op, count)
        operands = tuple(
            indices(case, 10 * i + j)
            if values[j].constraint in ("Weft_Index", "Weft_Indices")
            else _array(shape, dtypes[j], 10 * i + j)
            for j, shape in enumerate(case.shapes)
        )
        row = ROWS[op.name]
        if row.operands:
            random = np.random.default_rng(i)
            operands = op_table.drawn_operands(row, case, dtype, random)
        attributes = dict(case.attributes)
        if "value" in op.attributes:  # a constant is its value
            attributes["value"] = _array(case.result or (), dtype, 10 * i + 2)
        made.append(_inferred(op, operands, attributes, case.result, dtype))
    return made


def _inferred(
    op: Record, operands: Any, attributes: Any, shape: Any, dtype: Any
) -> Instance:
    if needs_result(op):
        specs = [ShapeDtypeStruct(shape, dtype)]
    else:
        values = evaluate(op.name, list(operands), attributes)
        specs = [ShapeDtypeStruct(value.shape, value.dtype) for value in values]
    return Instance(op, operands, attributes, tuple(specs))


def instances(op: Record, dtype: np.dtype[Any]) -> list[Instance]:
    """What of an op is tested at a dtype."""
    if not op.is_elementwise:
        return _structured(op, dtype)
    shapes: tuple[tuple[int, ...] | None, ...] = (None, (), (2, 0), (1, 3))
    return [instance for shape in shapes for instance in _elementwise(op, dtype, shape)]


def everything(op: Record) -> list[Instance]:
    """What of an op is tested, at every dtype."""
    return [i for dtype in op_table.dtypes(op) for i in instances(op, dtype)]


# ---- programs ----


def _number(x: Any) -> str:
    if isinstance(x, np.bool_):
        return "true" if x else "false"
    if isinstance(x, np.complexfloating):
        return f"({_number(x.real)}, {_number(x.imag)})"
    if code(x.dtype) in "f8":
        bits = int(np.asarray(x).view(f"u{x.dtype.itemsize}"))
        return f"0x{bits:0{2 * x.dtype.itemsize}X}"
    return str(x)


def _elements(array: np.ndarray) -> str:
    if not array.ndim:
        return _number(array[()])
    return f"[{', '.join(_elements(row) for row in array)}]"


def attribute_text(value: Any) -> str:
    """An attribute as MLIR spells it."""
    if isinstance(value, np.ndarray):
        spec = ShapeDtypeStruct(value.shape, value.dtype)
        return f"dense<{_elements(value) if value.size else ''}> : {spec.mlir}"
    if value is True:
        return "unit"
    if isinstance(value, int):
        return f"{value} : i64"
    return f"array<i64{': ' if value else ''}{', '.join(map(str, value))}>"


def names(prefix: str, count: int) -> list[str]:
    """The names of as many values."""
    return [f"{prefix}_{i}" for i in range(count)]


def op_text(instance: Instance, operands: Sequence[str], results: Sequence[str]) -> str:
    """An op in its generic form."""
    attributes = ", ".join(
        f"{name} = {attribute_text(value)}"
        for name, value in instance.attributes.items()
    )
    properties = f" <{{{attributes}}}>" if attributes else ""
    types = ", ".join(_type(x) for x in instance.operands)
    outputs = ", ".join(spec.mlir for spec in instance.results)
    return (
        f'{", ".join(results)} = "weft.{instance.op.name}"({", ".join(operands)})'
        f"{properties} : ({types}) -> ({outputs})"
    )


def _type(x: np.ndarray) -> str:
    return ShapeDtypeStruct(x.shape, x.dtype).mlir


def arguments(chosen: Sequence[Instance]) -> list[np.ndarray]:
    """The arrays that instances take, each once."""
    unique = {id(x): x for instance in chosen for x in instance.operands}
    return list(unique.values())


def program_text(chosen: Sequence[Instance]) -> str:
    """A program of all instances: their results, one after the other."""
    known = {id(x): f"%x{i}" for i, x in enumerate(arguments(chosen))}
    signature = ", ".join(f"%x{i}: {_type(x)}" for i, x in enumerate(arguments(chosen)))
    return _main(
        signature, [], chosen, [[known[id(x)] for x in y.operands] for y in chosen]
    )


def _main(
    signature: str,
    lines: Sequence[str],
    chosen: Sequence[Instance],
    operands: Sequence[Sequence[str]],
) -> str:
    outputs = [names(f"%r{i}", len(x.results)) for i, x in enumerate(chosen)]
    ops = [op_text(*each) for each in zip(chosen, operands, outputs, strict=True)]
    types = ", ".join(spec.mlir for x in chosen for spec in x.results)
    results = ", ".join(name for each in outputs for name in each)
    return "\n".join(
        [f"func.func @main({signature}) -> ({types}) {{", *lines, *ops,
         f"return {results} : {types}", "}"]
    )  # fmt: skip


def grouped(values: Any, chosen: Sequence[Instance]) -> list[list[Any]]:
    """The results of a program of instances, one list for each."""
    rest = iter(values if isinstance(values, tuple) else (values,))
    return [[next(rest) for _ in x.results] for x in chosen]


# ---- comparison ----


def _ulps_off(got: np.ndarray, want: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """By how many units in the last place of `scale` floats differ."""
    with np.errstate(all="ignore"):
        unit = _spacing(np.abs(scale).astype(got.dtype))
        got, want = got.astype("f8"), want.astype("f8")
        off = np.abs(got - want) / unit
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    return np.where(same, 0, np.where(np.isnan(off), np.inf, off))


def _spacing(x: np.ndarray) -> np.ndarray:
    if not is_narrow(x.dtype):
        return np.spacing(x).astype("f8")
    info, size = limits(x.dtype), x.astype("f8")
    unit = 2.0 ** (np.frexp(size)[1] - 1 - info.nmant)
    least = np.maximum(unit, float(info.smallest_subnormal))
    return np.where(np.isfinite(size), least, np.nan)


def same(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether arrays are equal, NaN equal to NaN."""
    if x.dtype != y.dtype or x.shape != y.shape:
        return False
    if code(x.dtype) not in "f8":
        return np.array_equal(x, y, equal_nan=x.dtype.kind == "c")
    with np.errstate(all="ignore"):
        return np.array_equal(x.astype("f8"), y.astype("f8"), equal_nan=True)


def _slope_is_bad(instance: Instance, got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """Where a derivative by parameters is wrong, as far as its reference knows."""
    bad = _ulps_off(got, want, want) > (2 if want.dtype != np.float64 else 1e7)
    for x, (low, high) in zip(instance.operands, instance.row.reach, strict=True):
        bad &= (x.astype("f8") >= low) & (x.astype("f8") <= high)
    return bad


def _scale(instance: Instance, number: int, want: np.ndarray) -> np.ndarray:
    if instance.row.normwise:
        # Of each matrix, or vector, the largest element that is a number.
        axes = tuple(range(want.ndim))[-2:]
        sizes = np.where(np.isfinite(want), np.abs(want), 0)
        return np.max(sizes, axis=axes, keepdims=True, initial=0)
    if instance.row.floor:
        return np.maximum(np.abs(want), want.dtype.type(instance.row.floor))
    if not instance.row.accumulates:
        return want
    sizes = (np.abs(x).astype(x.dtype) for x in instance.operands)
    scale = instance.reference(*sizes)[number]
    # Of exp(-inf), which is 0, the size is none.
    return np.where(np.isinf(scale) & np.isfinite(want), want, scale)


def _condition(instance: Instance) -> np.ndarray:
    condition = instance.row.complex_condition
    return condition(*instance.operands) if condition else np.ones(())


def _parts_off(
    instance: Instance, number: int, got: np.ndarray, want: np.ndarray
) -> np.ndarray:
    """By how much complex numbers differ, in units of their absolute value.

    Where that is infinite or NaN, both parts must be alike; beside a NaN the sign of
    an infinity is not specified (C99, Annex G).
    """
    size = np.abs(_scale(instance, number, want).astype("c16"))
    unit = np.spacing(size.astype(got.real.dtype)).astype("f8")
    condition = _condition(instance)
    unit *= condition
    off = np.abs(got.astype("c16") - want.astype("c16")) / unit
    same = np.ones(want.shape, bool)
    unsigned = np.isnan(want)
    for a, b in ((got.real, want.real), (got.imag, want.imag)):
        a, b = np.where(unsigned, np.abs(a), a), np.where(unsigned, np.abs(b), b)
        same &= (
            (a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(a) & np.isfinite(b))
        )
    if instance.row.accumulates or instance.row.complex_condition:
        # Rounding, and the order of terms, decide between infinities and NaN, and
        # whether a number that is almost too large is infinite.
        info = np.finfo(got.dtype)
        most = ~np.isfinite(want) | (size * (1 + 8 * condition * info.eps) > info.max)
        same |= ~np.isfinite(got) & most
    off = np.where(np.isfinite(off), off, np.where(same, 0, np.inf))
    # Nothing is known of what has no digits left.
    return np.where(condition * np.finfo(got.dtype).eps < 1 / 16, off, 0)


# What GPUs compute of float32 by their approximation of 2^x, which may be 2 ulps off.
BY_APPROXIMATION = {"exp", "exp2", "expm1", "tanh", "logistic", "erf", "pow"}


def _ulps(instance: Instance) -> float:
    """How far a value may be off."""
    is_single = real_dtype(instance.result.dtype) == np.float32
    if instance.device == "cuda" and is_single:
        return _stated_ulps(instance) + 3 * (instance.op.name in BY_APPROXIMATION)
    return _stated_ulps(instance)


def _stated_ulps(instance: Instance) -> float:
    row = instance.row
    complex_ = any(x.dtype.kind == "c" for x in instance.operands)
    ulps = row.complex_ulps if complex_ and row.complex_ulps is not None else row.ulps
    if is_narrow(instance.result.dtype):
        # What float32 is off may make it round otherwise.
        return min(ulps, 1)
    if row.ulps64 is not None and instance.result.dtype == np.float64:
        return row.ulps64
    # NumPy's own functions of float64 are some ulps off, on some processors.
    return ulps * (2 if real_dtype(instance.result.dtype) == np.float64 else 1)


@np.errstate(all="ignore")
def _bad(
    instance: Instance, number: int, got: np.ndarray, want: np.ndarray
) -> np.ndarray:
    """Where floats are too far from each other."""
    if any(instance.attributes.get("by", ())):
        return _slope_is_bad(instance, got, want)
    bad = _ulps_off(got, want, _scale(instance, number, want)) > _ulps(instance)
    rounds = instance.row.accumulates or instance.row.normwise
    if instance.row.signed_zeros and not rounds:
        zeros = (want == 0) & (got == 0)
        bad |= zeros & (np.signbit(got) != np.signbit(want))
    return bad


def wrong(
    instance: Instance, got: Sequence[np.ndarray], want: Sequence[np.ndarray]
) -> str:
    """What is wrong with the values of an op, or nothing."""
    got = [np.asarray(x) for x in got]
    if instance.row.align and all(
        a.shape == b.shape for a, b in zip(got, want, strict=True)
    ):
        got = instance.row.align(got, want)
    faults = (
        _wrong(instance, i, a, b)
        for i, (a, b) in enumerate(zip(got, want, strict=True))
    )
    return "\n".join(filter(None, faults))


def _wrong(instance: Instance, number: int, got: np.ndarray, want: np.ndarray) -> str:
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{instance}: {got.dtype}{got.shape}"
    if got.dtype.kind == "c" and _ulps(instance):
        with np.errstate(all="ignore"):
            bad = _parts_off(instance, number, got, want) > _ulps(instance)
    elif got.dtype.kind == "c":
        bad = _bad(instance, number, got.real, want.real)
        bad |= _bad(instance, number, got.imag, want.imag)
    elif code(got.dtype) in "f8":
        bad = _bad(instance, number, got, want)
    else:
        bad = got != want
    if not bad.any():
        return ""
    first = np.argwhere(bad)[0]
    at = [x[tuple(first)] for x in instance.operands if x.shape == want.shape]
    return (
        f"{instance}: {np.count_nonzero(bad)} of {bad.size} wrong, the first at {at}: "
        f"{got[tuple(first)]!r}, not {want[tuple(first)]!r}"
    )


def family(op: Record) -> str:
    """Ops that share a program, so that the compiler runs once for them."""
    return "elementwise" if op.is_elementwise else op.bases[-1].removeprefix("Weft_")


def groups() -> list[tuple[str, np.dtype[Any]]]:
    """The families at each of their dtypes."""
    groups = {
        (family(op), dtype) for op in array_ops() for dtype in op_table.dtypes(op)
    }
    return sorted(groups, key=str)


# One dtype of each kind.
KINDS = ("float32", "bfloat16", "complex64", "int64", "uint8", "bool")


def quick_at_kinds(groups: list[tuple[str, np.dtype[Any]]]) -> list[Any]:
    """The families at each of their dtypes, slow ones but for one dtype a kind."""
    return [
        pytest.param(*group, marks=() if str(group[1]) in KINDS else pytest.mark.slow)
        for group in groups
    ]


def of_family(name: str, dtype: np.dtype[Any]) -> list[Instance]:
    """What of a family is tested at a dtype."""
    return [
        instance
        for op in array_ops()
        if family(op) == name and dtype in op_table.dtypes(op)
        for instance in instances(op, dtype)
    ]


@pytest.mark.parametrize(("name", "dtype"), groups(), ids=str)
def test_values(name: str, dtype: np.dtype[Any]) -> None:
    chosen = of_family(name, dtype)
    program = weft.parse(program_text(chosen))
    compiled = grouped(program.compile()(*arguments(chosen)), chosen)
    interpreted = grouped(program.interpret(*arguments(chosen)), chosen)
    faults = []
    for instance, got, meant in zip(chosen, compiled, interpreted, strict=True):
        want = instance.reference(*instance.operands)
        faults.append(wrong(instance, got, want))
        for a, b in zip(meant, want, strict=True):
            assert same(np.asarray(a), b), instance
    assert not any(faults), "\n".join(filter(None, faults))


# Caches of a few elements and threads that wake at once: all is cut into the smallest
# pieces and shared, as only large arrays are otherwise.
SMALL_MACHINE = (
    "module attributes {weft.machine = {l1_bytes = 64 : i64, l2_bytes = 8192 : i64, "
    "share_from = 1 : i64, vector_bytes = 16 : i64, vector_registers = 4 : i64}} {"
)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [each for each in groups() if str(each[1]) in ("float32", "int16", "complex64")],
    ids=str,
)
def test_values_in_small_pieces(name: str, dtype: np.dtype[Any]) -> None:
    chosen = of_family(name, dtype)
    program = weft.parse(f"{SMALL_MACHINE}\n{program_text(chosen)}\n}}")
    assert "share_from = 1 : i64" in program.text("fused")
    compiled = grouped(program.compile()(*arguments(chosen)), chosen)
    faults = [
        wrong(instance, got, instance.reference(*instance.operands))
        for instance, got in zip(chosen, compiled, strict=True)
    ]
    assert not any(faults), "\n".join(filter(None, faults))


# ---- type inference ----


@pytest.mark.parametrize("op", array_ops(), ids=str)
def test_builders_infer_the_result(op: Record) -> None:
    context = ir.Context()
    context.allow_unregistered_dialects = True
    _weft.register_dialects(context)
    with ir.Location.unknown(context):
        module = ir.Module.create()
        for instance in everything(op):
            with ir.InsertionPoint(module.body):
                made = _built(instance)
            made.verify()
            assert [str(x.type) for x in made.results] == [
                spec.mlir for spec in instance.results
            ]


def _attribute(value: Any) -> ir.Attribute:
    if isinstance(value, np.ndarray) and value.dtype.kind == "c":
        # Upstream's bindings have no class for what would be parsed.
        return ir.DenseElementsAttr.get(
            np.ascontiguousarray(value), type=ir.Type.parse(_type(value))
        )
    return ir.Attribute.parse(attribute_text(value))


def _built(instance: Instance) -> ir.Operation:
    types = [ir.Type.parse(_type(x)) for x in instance.operands]
    source = ir.Operation.create("test.source", results=types)
    explicit = needs_result(instance.op)
    return ir.Operation.create(
        f"weft.{instance.op.name}",
        results=[ir.Type.parse(instance.result.mlir)] if explicit else None,
        operands=list(source.results),
        attributes={
            name: _attribute(value) for name, value in instance.attributes.items()
        },
        infer_type=not explicit,
    )


# ---- folding ----


def _folded_program(chosen: Sequence[Instance]) -> str:
    """Every op on constants, each of which repeats one value."""
    constants = [
        f"%x{i}_{j} = weft.constant {attribute_text(x)}"
        for i, instance in enumerate(chosen)
        for j, x in enumerate(instance.operands)
    ]
    operands = [names(f"%x{i}", len(x.operands)) for i, x in enumerate(chosen)]
    return _main("", constants, chosen, operands)


def _scalars(instance: Instance, count: int) -> list[Instance]:
    """The instance at single elements of its operands."""
    random = np.random.default_rng(3)
    spec = ShapeDtypeStruct((), instance.result.dtype)
    operands = instance.operands
    places = random.choice(operands[0].size, count, replace=False)
    return [
        Instance(
            instance.op,
            tuple(np.asarray(x[i]) for x in operands),
            instance.attributes,
            (spec,),
        )
        for i in places
    ]


def _constant(operation: ir.Operation, dtype: np.dtype[Any]) -> np.ndarray:
    """The value of a `weft.constant` of rank 0."""
    if dtype.kind == "c":
        return np.frombuffer(_weft.constant_elements(operation)[0], dtype).reshape(())
    return elements_of(ir.DenseElementsAttr(operation.attributes["value"])).reshape(())


@pytest.mark.parametrize("dtype", MLIR_NAMES, ids=str)
def test_what_folds_equals_what_runs(dtype: np.dtype[Any]) -> None:
    chosen = [
        scalar
        for op in array_ops()
        if op.is_elementwise and dtype in op_table.dtypes(op)
        for instance in _elementwise(op, dtype, None)
        for scalar in _scalars(instance, 40)
    ]
    context, faults, folded = ir.Context(), [], 0
    _weft.register_dialects(context)
    with context:
        module = ir.Module.parse(_folded_program(chosen))
        _weft.run_pipeline(module, "builtin.module(canonicalize)")
        results = module.body.operations[0].regions[0].blocks[0].operations[-1].operands
        for instance, value in zip(chosen, results, strict=True):
            if value.owner.name == "weft.constant":
                folded += 1
                got = _constant(value.owner, instance.result.dtype)
                want = instance.reference(*instance.operands)
                faults.append(wrong(instance, [got], want))
    assert not any(faults), "\n".join(filter(None, faults))
    assert folded > len(chosen) / 3
