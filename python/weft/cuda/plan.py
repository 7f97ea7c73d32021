"""The plan of a compiled function: its kernels, and the steps that launch them.

A plan is data. It is made of the JSON that the compiler's stage `plan` prints, and
prints as a listing with one line a step.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from ..errors import PlanError
from .device import TensorMap, Triple

ARENA: Final = "arena"

# A number, or the name of a register that holds one.
Scalar: TypeAlias = int | float | str


def takes(dtype: np.dtype[Any], number: bool | int | float | complex) -> bool:
    """Whether a dtype has a Python number, perhaps rounded.

    Integers become floats, but floats no integers: they would be other numbers.
    """
    kinds = {"b": bool, "i": int, "u": int, "c": complex}
    order = [bool, int, float, complex]
    given = next(i for i, kind in enumerate(order) if isinstance(number, kind))
    if given > order.index(kinds.get(dtype.kind, float)):
        return False
    try:
        np.asarray(number, dtype)
    except OverflowError:
        return False
    return True


def dtype_of(name: str) -> np.dtype[Any]:
    """The dtype of a name; those of bfloat16 and float8 are of ml_dtypes."""
    try:
        return np.dtype(name)
    except TypeError:
        pass
    try:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    except (ImportError, AttributeError):
        raise PlanError(
            f"dtype {name!r} is not known here; install ml_dtypes for bfloat16 and "
            "float8"
        ) from None


@dataclass(frozen=True, slots=True)
class ArrayType:
    """The shape and dtype of an argument or a result."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Its bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a kernel takes: `pointer`, `i64`, `f32`, ..., or `tensor_map` and how."""

    kind: str
    map: TensorMap | None = None


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel: how it is launched, what it takes and where it comes from."""

    name: str
    grid: Triple
    block: Triple
    shared: int
    line: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """An address: that of a buffer, plus bytes, plus registers times bytes."""

    buffer: str
    offset: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        offset = f"+{self.offset}" if self.offset else ""
        return self.buffer + offset + "".join(f"+{r}*{n}" for r, n in self.terms)


# ---- steps ----


@dataclass(frozen=True, slots=True)
class Launch:
    """Runs a kernel."""

    kernel: Kernel
    args: tuple[Pointer | Scalar, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """Copies bytes."""

    to: Pointer
    source: Pointer
    size: int


@dataclass(frozen=True, slots=True)
class Read:
    """Waits, and reads a number into a register."""

    source: Pointer
    dtype: np.dtype[Any]
    into: str


@dataclass(frozen=True, slots=True)
class Compute:
    """Puts what an op makes of two integers into a register; see `COMPUTED`."""

    op: str
    args: tuple[Scalar, Scalar]
    into: str


@dataclass(frozen=True, slots=True)
class For:
    """Counts `index` up; `carried` are registers of buffers and what they begin as."""

    index: str
    start: Scalar
    stop: Scalar
    step: Scalar
    carried: tuple[tuple[str, Pointer], ...]
    steps: tuple[Step, ...]
    yields: tuple[Pointer, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class While:
    """Runs `before`, then, where `condition` is not zero, `steps` and so on."""

    carried: tuple[tuple[str, Pointer], ...]
    before: tuple[Step, ...]
    condition: Scalar
    passed: tuple[Pointer, ...]
    arguments: tuple[str, ...]
    steps: tuple[Step, ...]
    yields: tuple[Pointer, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Runs one of two lists of steps."""

    condition: Scalar
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]
    yields_then: tuple[Pointer, ...]
    yields_otherwise: tuple[Pointer, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alloc:
    """Allocates rows of a length that is known only now."""

    into: str
    row_bytes: int
    rows: Scalar


@dataclass(frozen=True, slots=True)
class Free:
    """Frees what `Alloc` allocated."""

    buffer: str


@dataclass(frozen=True, slots=True)
class Operand:
    """An array that a library routine takes or fills."""

    pointer: Pointer
    type: ArrayType


@dataclass(frozen=True, slots=True)
class Call:
    """Calls a routine of a library, of the device where it has one."""

    name: str
    numbers: tuple[Scalar, ...]
    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    line: str


# The ops that the host computes, by their names in MLIR's `arith`: of integers of 64
# bits with a sign. Divisions are of numbers that are not negative.
COMPUTED: Final[Mapping[str, Callable[[int, int], int]]] = {
    "addi": lambda x, y: x + y,
    "subi": lambda x, y: x - y,
    "muli": lambda x, y: x * y,
    "divui": lambda x, y: x // y,
    "remui": lambda x, y: x % y,
    "maxsi": max,
    "minsi": min,
    "andi": lambda x, y: x & y,
    "ori": lambda x, y: x | y,
    "xori": lambda x, y: x ^ y,
    "eq": lambda x, y: int(x == y),
    "ne": lambda x, y: int(x != y),
    "slt": lambda x, y: int(x < y),
    "sle": lambda x, y: int(x <= y),
    "sgt": lambda x, y: int(x > y),
    "sge": lambda x, y: int(x >= y),
}

Step: TypeAlias = (
    Launch | Copy | Read | Compute | For | While | If | Alloc | Free | Call
)


# ---- the plan ----


@dataclass(frozen=True, slots=True)
class Plan:
    """How a compiled function runs on one architecture.

    `arguments` are the buffers `arg0`, `arg1`, ...: inputs, captured constants, and
    results. A result of which `reuses` names an input is left in that one's buffer,
    and has none of its own; all others have -1 there. `reused_as` are the dtypes of
    those that have none.
    """

    name: str
    chip: str
    arena: int
    arguments: tuple[ArrayType, ...]
    inputs: int
    constants: int
    results: int
    reuses: tuple[int, ...]
    reused_as: tuple[np.dtype[Any], ...]
    kernels: Mapping[str, Kernel]
    steps: tuple[Step, ...]
    json: str = field(repr=False, compare=False)

    @staticmethod
    def from_json(text: str) -> Plan:
        """The plan that JSON spells; raises `PlanError` where it is none."""
        try:
            return _plan(json.loads(text), text)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, PlanError):
                raise
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise PlanError(f"the plan is not valid: {what}") from None

    @property
    def result_types(self) -> tuple[ArrayType, ...]:
        """The shapes and dtypes of all results."""
        own = iter(self.arguments[self.inputs + self.constants :])
        dtypes = iter(self.reused_as)
        return tuple(
            ArrayType(self.arguments[reused].shape, next(dtypes))
            if reused >= 0
            else next(own)
            for reused in self.reuses
        )

    @property
    def peak(self) -> int:
        """The bytes of everything that a call has on the device, tapes apart."""
        return self.arena + sum(each.size for each in self.arguments)

    def __str__(self) -> str:
        return "\n".join(_listing(self)) + "\n"


def _plan(data: dict[str, Any], text: str) -> Plan:
    kernels = {name: _kernel(name, each) for name, each in data["kernels"].items()}
    reuses = tuple(map(int, data.get("reuses") or [-1] * data["results"]))
    arguments = tuple(map(_array_type, data["arguments"]))
    left = [arguments[reused].dtype for reused in reuses if reused >= 0]
    plan = Plan(
        name=str(data["name"]),
        chip=str(data["chip"]),
        arena=_size(data["arena"], "an arena", 2**63),
        arguments=arguments,
        inputs=int(data["inputs"]),
        constants=int(data["constants"]),
        results=int(data["results"]),
        reuses=reuses,
        reused_as=tuple(map(dtype_of, data.get("reused_as") or map(str, left))),
        kernels=kernels,
        steps=_Reader(kernels).steps(data["steps"]),
        json=text,
    )
    _check_counts(plan)
    names = {f"arg{i}" for i in range(len(plan.arguments))} | {ARENA}
    _check_names(plan, plan.steps, names)
    return plan


def _check_counts(plan: Plan) -> None:
    own = sum(reused < 0 for reused in plan.reuses)
    count = plan.inputs + plan.constants + own
    if (
        len(plan.reuses) != plan.results
        or len(plan.reused_as) != plan.results - own
        or count != len(plan.arguments)
    ):
        raise PlanError(
            f"the plan of {plan.name!r} has {len(plan.arguments)} arguments, but "
            f"{plan.inputs} inputs, {plan.constants} constants and {own} results with "
            "buffers of their own"
        )


def _kernel(name: str, data: dict[str, Any]) -> Kernel:
    return Kernel(
        name,
        _triple(data["grid"]),
        _triple(data["block"]),
        _size(data.get("shared", 0), "shared memory"),
        str(data.get("line", "")),
        tuple(map(_parameter, data["parameters"])),
    )


def _size(number: Any, what: str, most: int = 2**31) -> int:
    if not 0 <= int(number) < most:
        raise PlanError(f"the plan has {what} of {number}")
    return int(number)


def _triple(numbers: Sequence[int]) -> Triple:
    x, y, z = (_size(number, "a grid or block") for number in numbers)
    return x, y, z


def _parameter(data: dict[str, Any]) -> Parameter:
    if data["kind"] != "tensor_map":
        return Parameter(str(data["kind"]))
    dims, strides, box = (
        tuple(map(int, data[name])) for name in ("dims", "strides", "box")
    )
    if not len(dims) == len(box) == len(strides) + 1:
        raise PlanError(f"a tensor map of {len(dims)} dims does not fit its box")
    how = TensorMap(dims, strides, box, int(data.get("swizzle", 0)), str(data["type"]))
    return Parameter("tensor_map", how)


def _array_type(data: dict[str, Any]) -> ArrayType:
    return ArrayType(tuple(map(int, data["shape"])), dtype_of(data["dtype"]))


def _pointer(data: dict[str, Any]) -> Pointer:
    terms = tuple((str(name), int(size)) for name, size in data.get("terms") or ())
    return Pointer(str(data["buffer"]), int(data.get("offset", 0)), terms)


def _pointers(data: Sequence[dict[str, Any]] | None) -> tuple[Pointer, ...]:
    return tuple(map(_pointer, data or ()))


def _carried(data: Sequence[Any] | None) -> tuple[tuple[str, Pointer], ...]:
    return tuple((str(name), _pointer(pointer)) for name, pointer in data or ())


def _operand(data: dict[str, Any]) -> Operand:
    return Operand(_pointer(data["pointer"]), _array_type(data))


def _scalar(data: Any) -> Scalar:
    if isinstance(data, bool) or not isinstance(data, (int, float, str)):
        raise PlanError(f"the plan has {data!r} where a number or a register belongs")
    return data


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes steps of their JSON."""

    kernels: Mapping[str, Kernel]

    def steps(self, data: Sequence[dict[str, Any]] | None) -> tuple[Step, ...]:
        return tuple(map(self.step, data or ()))

    def step(self, data: dict[str, Any]) -> Step:
        make = _STEPS.get(data["do"])
        if make is None:
            raise PlanError(
                f"the plan has a step {data['do']!r}, which this version of Weft does "
                f"not know; the steps are {', '.join(_STEPS)}"
            )
        return make(self, data)

    def launch(self, data: dict[str, Any]) -> Launch:
        kernel = self.kernels.get(data["kernel"])
        if kernel is None:
            raise PlanError(f"the plan launches {data['kernel']!r}, which is not in it")
        args = tuple(
            _pointer(arg) if isinstance(arg, dict) else _scalar(arg)
            for arg in data["args"]
        )
        if len(args) != len(kernel.parameters):
            raise PlanError(
                f"kernel {kernel.name!r} takes {len(kernel.parameters)} arguments; the "
                f"plan gives it {len(args)}"
            )
        for arg, parameter in zip(args, kernel.parameters, strict=True):
            if isinstance(arg, Pointer) != (
                parameter.kind in ("pointer", "tensor_map")
            ):
                raise PlanError(
                    f"kernel {kernel.name!r} takes a {parameter.kind}; the plan gives "
                    f"it {arg}"
                )
        return Launch(kernel, args)

    def copy(self, data: dict[str, Any]) -> Copy:
        return Copy(_pointer(data["to"]), _pointer(data["from"]), int(data["bytes"]))

    def read(self, data: dict[str, Any]) -> Read:
        return Read(_pointer(data["from"]), dtype_of(data["dtype"]), str(data["into"]))

    def compute(self, data: dict[str, Any]) -> Compute:
        op = str(data["op"])
        if op not in COMPUTED:
            raise PlanError(
                f"the plan has the host compute {op!r}, which this version of Weft "
                f"does not know; it knows {', '.join(COMPUTED)}"
            )
        first, second = map(_scalar, data["args"])
        return Compute(op, (first, second), str(data["into"]))

    def loop(self, data: dict[str, Any]) -> For:
        return For(
            str(data["index"]),
            _scalar(data["from"]),
            _scalar(data["to"]),
            _scalar(data.get("step", 1)),
            _carried(data.get("carried")),
            self.steps(data["steps"]),
            _pointers(data.get("yields")),
            tuple(map(str, data.get("results") or ())),
        )

    def repeat(self, data: dict[str, Any]) -> While:
        return While(
            _carried(data.get("carried")),
            self.steps(data["before"]),
            _scalar(data["condition"]),
            _pointers(data.get("passed")),
            tuple(map(str, data.get("arguments") or ())),
            self.steps(data["steps"]),
            _pointers(data.get("yields")),
            tuple(map(str, data.get("results") or ())),
        )

    def branch(self, data: dict[str, Any]) -> If:
        return If(
            _scalar(data["condition"]),
            self.steps(data["then"]),
            self.steps(data.get("else")),
            _pointers(data.get("yields_then")),
            _pointers(data.get("yields_else")),
            tuple(map(str, data.get("results") or ())),
        )

    def alloc(self, data: dict[str, Any]) -> Alloc:
        rows = _scalar(data["rows"])
        return Alloc(str(data["into"]), int(data["row_bytes"]), rows)

    def free(self, data: dict[str, Any]) -> Free:
        return Free(str(data["buffer"]))

    def call(self, data: dict[str, Any]) -> Call:
        return Call(
            str(data["name"]),
            tuple(map(_scalar, data.get("numbers") or ())),
            tuple(map(_operand, data["inputs"])),
            tuple(map(_operand, data["outputs"])),
            str(data.get("line", "")),
        )


_STEPS: Final[dict[str, Callable[[_Reader, dict[str, Any]], Step]]] = {
    "launch": _Reader.launch,
    "copy": _Reader.copy,
    "read": _Reader.read,
    "compute": _Reader.compute,
    "for": _Reader.loop,
    "while": _Reader.repeat,
    "if": _Reader.branch,
    "alloc": _Reader.alloc,
    "free": _Reader.free,
    "call": _Reader.call,
}


# ---- names ----


def uses(step: Step) -> Iterator[Pointer | Scalar]:
    """What a step takes before anything in it has run."""
    if isinstance(step, Launch):
        yield from step.args
    elif isinstance(step, Copy):
        yield from (step.to, step.source)
    elif isinstance(step, Read):
        yield step.source
    elif isinstance(step, Compute):
        yield from step.args
    elif isinstance(step, For):
        yield from (step.start, step.stop, step.step)
        yield from (pointer for _, pointer in step.carried)
    elif isinstance(step, While):
        yield from (pointer for _, pointer in step.carried)
    elif isinstance(step, If):
        yield step.condition
    elif isinstance(step, Alloc):
        yield step.rows
    elif isinstance(step, Free):
        yield Pointer(step.buffer)
    else:
        yield from step.numbers
        yield from (each.pointer for each in (*step.inputs, *step.outputs))


def _check_use(plan: Plan, use: Pointer | Scalar, known: set[str]) -> None:
    names = [use] if isinstance(use, str) else []
    if isinstance(use, Pointer):
        names = [use.buffer, *(name for name, _ in use.terms)]
        if use.buffer == ARENA and not 0 <= use.offset <= plan.arena:
            raise PlanError(
                f"the plan of {plan.name!r} has {use}, beyond its {plan.arena} bytes"
            )
    for name in names:
        if name not in known:
            raise PlanError(
                f"the plan of {plan.name!r} uses {name!r} before it is anything"
            )


def _check_names(plan: Plan, steps: Sequence[Step], known: set[str]) -> set[str]:
    """Raises where a step takes what none before it has made; what is known after."""
    known = set(known)
    for step in steps:
        for use in uses(step):
            _check_use(plan, use, known)
        if isinstance(step, For):
            _check_loop(plan, step, known)
        elif isinstance(step, While):
            _check_while(plan, step, known)
        elif isinstance(step, If):
            for part, yields in (
                (step.then, step.yields_then),
                (step.otherwise, step.yields_otherwise),
            ):
                _check_yields(plan, yields, step.results, part, known)
        known |= set(_made(step))
    return known


def _made(step: Step) -> Sequence[str]:
    if isinstance(step, (Read, Compute, Alloc)):
        return (step.into,)
    return step.results if isinstance(step, (For, While, If)) else ()


def _check_yields(
    plan: Plan,
    yields: Sequence[Pointer],
    results: Sequence[Any],
    steps: Sequence[Step],
    known: set[str],
) -> None:
    known = _check_names(plan, steps, known)
    if len(yields) != len(results):
        raise PlanError(
            f"the plan of {plan.name!r} yields {len(yields)} buffers where "
            f"{len(results)} are taken"
        )
    for pointer in yields:
        _check_use(plan, pointer, known)


def _check_loop(plan: Plan, step: For, known: set[str]) -> None:
    inner = known | {step.index} | {name for name, _ in step.carried}
    _check_yields(plan, step.yields, step.carried, step.steps, inner)
    _check_yields(plan, step.yields, step.results, step.steps, inner)


def _check_while(plan: Plan, step: While, known: set[str]) -> None:
    inner = known | {name for name, _ in step.carried}
    _check_yields(plan, step.passed, step.arguments, step.before, inner)
    _check_yields(plan, step.passed, step.results, step.before, inner)
    tested = _check_names(plan, step.before, inner)
    _check_use(plan, step.condition, tested)
    body = tested | set(step.arguments)
    _check_yields(plan, step.yields, step.carried, step.steps, body)


# ---- listing ----


def _listing(plan: Plan) -> Iterator[str]:
    yield (
        f"plan of {plan.name} for {plan.chip}: {len(plan.kernels)} kernels, "
        f"{plan.arena:,} bytes of arena, {plan.peak:,} bytes in all"
    )
    kinds = ["input"] * plan.inputs + ["constant"] * plan.constants
    kinds += ["result"] * (len(plan.arguments) - len(kinds))
    for i, (kind, each) in enumerate(zip(kinds, plan.arguments, strict=True)):
        yield f"  {kind:<8} arg{i} {each}"
    for i, reused in enumerate(plan.reuses):
        if reused >= 0:
            yield f"  result   {i} is left in arg{reused}"
    yield from _lines(plan.steps, "  ")


def _lines(steps: Sequence[Step], indent: str) -> Iterator[str]:
    for step in steps:
        yield indent + _line(step)
        if isinstance(step, For):
            yield from _lines(step.steps, indent + "  ")
            yield from _yielded(step.yields, step.results, indent)
        elif isinstance(step, While):
            yield from _lines(step.before, indent + "  ")
            yield f"{indent}  while {step.condition} pass {_spelled(step.passed)}"
            yield from _lines(step.steps, indent + "  ")
            yield from _yielded(step.yields, step.results, indent)
        elif isinstance(step, If):
            yield from _lines(step.then, indent + "  ")
            yield from _yielded(step.yields_then, step.results, indent)
            yield f"{indent}else"
            yield from _lines(step.otherwise, indent + "  ")
            yield from _yielded(step.yields_otherwise, step.results, indent)


def _yielded(
    yields: Sequence[Pointer], results: Sequence[str], indent: str
) -> Iterator[str]:
    if yields:
        yield f"{indent}  yield {_spelled(yields)} -> {' '.join(results)}"


def _spelled(operands: Sequence[Any]) -> str:
    return ", ".join(map(str, operands))


def _dims(triple: Triple) -> str:
    x, y, z = triple
    return "x".join(map(str, (x, y, z) if z > 1 else (x, y) if y > 1 else (x,)))


def _line(step: Step) -> str:
    return _LINES[type(step)](step)


def _launch_line(step: Launch) -> str:
    kernel = step.kernel
    shared = f" shared {kernel.shared}" if kernel.shared else ""
    place = f"  {kernel.line}" if kernel.line else ""
    return (
        f"launch {kernel.name} grid {_dims(kernel.grid)} block {_dims(kernel.block)}"
        f"{shared} ({_spelled(step.args)}){place}"
    )


def _carried_line(carried: Sequence[tuple[str, Pointer]]) -> str:
    return "".join(f" {name}={pointer}" for name, pointer in carried)


def _call_line(step: Call) -> str:
    inputs = _spelled([f"{each.pointer}:{each.type}" for each in step.inputs])
    outputs = _spelled([f"{each.pointer}:{each.type}" for each in step.outputs])
    numbers = _spelled(step.numbers)
    return f"call {step.name}[{numbers}] ({inputs}) -> ({outputs})  {step.line}"


_LINES: Final[dict[type, Callable[[Any], str]]] = {
    Launch: _launch_line,
    Copy: lambda s: f"copy {s.size} bytes {s.source} -> {s.to}",
    Read: lambda s: f"read {s.dtype} {s.source} -> {s.into}",
    Compute: lambda s: f"compute {s.op} {_spelled(s.args)} -> {s.into}",
    For: lambda s: (
        f"for {s.index} = {s.start} to {s.stop} step {s.step}{_carried_line(s.carried)}"
    ),
    While: lambda s: f"loop{_carried_line(s.carried)}",
    If: lambda s: f"if {s.condition}",
    Alloc: lambda s: f"alloc {s.rows} rows of {s.row_bytes} bytes -> {s.into}",
    Free: lambda s: f"free {s.buffer}",
    Call: _call_line,
}
