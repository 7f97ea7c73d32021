"""Runs a plan on a device.

When a plan is made ready, every address in it becomes a sum over a list of values:
those of the buffers, which each call has anew, and those of registers. Launches and
copies that follow each other become one `Straight`, which a device may run as a whole.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np

from ..errors import OutOfMemoryError, PlanError, warn
from . import host
from . import plan as p
from .device import Argument, Device
from .memory import Memory

if TYPE_CHECKING:
    from .solver import DeviceRoutine

# Loops of at most so many launches in all are written out.
UNROLLED: Final = 512
# The value of this slot is always zero.
_ZERO: Final = 0

Values: TypeAlias = list[int]
# Takes a routine's name, its numbers, inputs, outputs to fill, and "file:line".
Routine: TypeAlias = Callable[
    [str, Sequence[int], Sequence[np.ndarray], Sequence[np.ndarray], str], None
]


@dataclass(frozen=True, slots=True)
class Linear:
    """A number or an address: `offset` plus the values of slots times factors."""

    offset: int
    terms: tuple[tuple[int, int], ...] = ()

    def at(self, values: Values) -> int:
        """What it is for some values."""
        result = self.offset
        for slot, factor in self.terms:
            result += values[slot] * factor
        return result

    def plus(self, other: Linear, factor: int = 1) -> Linear:
        """The sum of this and another times a factor."""
        sums = dict(self.terms)
        for slot, own in other.terms:
            sums[slot] = sums.get(slot, 0) + own * factor
        terms = tuple((slot, f) for slot, f in sums.items() if f)
        return Linear(self.offset + other.offset * factor, terms)


@dataclass(frozen=True, slots=True)
class ReadyLaunch:
    """A launch whose arguments are sums over values."""

    kernel: p.Kernel
    args: tuple[Linear, ...]


@dataclass(frozen=True, slots=True)
class ReadyCopy:
    """A copy between sums over values."""

    to: Linear
    source: Linear
    size: int


Ready: TypeAlias = ReadyLaunch | ReadyCopy


class Straight(Protocol):
    """Launches and copies made ready on a device."""

    def run(self, values: Values) -> None:
        """Has them run, in order; does not wait for them."""
        ...


class PlainStraight:
    """Launches one by one, on any device."""

    def __init__(self, device: Device, module: Any, ready: Sequence[Ready]) -> None:
        self._device, self._module, self._ready = device, module, tuple(ready)

    def run(self, values: Values) -> None:
        device, module = self._device, self._module
        for each in self._ready:
            if isinstance(each, ReadyCopy):
                device.copy(each.to.at(values), each.source.at(values), each.size)
                continue
            kernel = each.kernel
            args = [
                _argument(parameter, arg.at(values))
                for parameter, arg in zip(kernel.parameters, each.args, strict=True)
            ]
            device.launch(
                module, kernel.name, kernel.grid, kernel.block, kernel.shared, args
            )


def bits_of(kind: str, number: float) -> int:
    """A number of a scalar kind, as the integer that has its bits."""
    formats = {"f16": "<e", "f32": "<f", "f64": "<d"}
    if kind in formats:
        return int.from_bytes(struct.pack(formats[kind], number), "little")
    if isinstance(number, float):
        raise PlanError(f"the plan gives a kernel {number} as {kind}")
    return number


def _argument(parameter: p.Parameter, value: int) -> Argument:
    if parameter.map is not None:
        return value, parameter.map
    sizes = {"f16": (2, "<e"), "f32": (4, "<f"), "f64": (8, "<d")}
    if parameter.kind not in sizes:
        return value
    size, code = sizes[parameter.kind]
    return parameter.kind, struct.unpack(code, value.to_bytes(size, "little"))[0]


# ---- nodes: what a plan becomes ----


@dataclass(slots=True)
class Frame:
    """One call: its values, and what is to be freed when it ends."""

    values: Values
    allocated: set[int] = field(default_factory=set)


class Node(Protocol):
    """A step made ready."""

    def run(self, frame: Frame) -> None: ...


@dataclass(frozen=True, slots=True)
class _StraightNode:
    straight: Straight

    def run(self, frame: Frame) -> None:
        self.straight.run(frame.values)


@dataclass(frozen=True, slots=True)
class _ReadNode:
    device: Device
    source: Linear
    dtype: np.dtype[Any]
    into: int

    def run(self, frame: Frame) -> None:
        number = np.empty((), self.dtype)
        self.device.read(self.source.at(frame.values), number)
        frame.values[self.into] = int(number)


@dataclass(frozen=True, slots=True)
class _ComputeNode:
    op: Callable[[int, int], int]
    args: tuple[Linear, Linear]
    into: int

    def run(self, frame: Frame) -> None:
        first, second = (each.at(frame.values) for each in self.args)
        frame.values[self.into] = self.op(first, second)


@dataclass(frozen=True, slots=True)
class _Moves:
    """Assigns values to slots, all at once: carried buffers may be swapped."""

    slots: tuple[int, ...]
    values: tuple[Linear, ...]

    def run(self, frame: Frame) -> None:
        values = frame.values
        new = [value.at(values) for value in self.values]
        for slot, value in zip(self.slots, new, strict=True):
            values[slot] = value


@dataclass(frozen=True, slots=True)
class _ForNode:
    index: int
    bounds: tuple[Linear, Linear, Linear]
    enter: _Moves
    body: tuple[Node, ...]
    again: _Moves
    leave: _Moves

    def run(self, frame: Frame) -> None:
        start, stop, step = (each.at(frame.values) for each in self.bounds)
        if step <= 0:
            raise PlanError(f"a loop of the plan counts in steps of {step}")
        self.enter.run(frame)
        for index in range(start, stop, step):
            frame.values[self.index] = index
            for node in self.body:
                node.run(frame)
            self.again.run(frame)
        self.leave.run(frame)


@dataclass(frozen=True, slots=True)
class _WhileNode:
    enter: _Moves
    before: tuple[Node, ...]
    condition: Linear
    passed: _Moves
    body: tuple[Node, ...]
    again: _Moves
    leave: _Moves

    def run(self, frame: Frame) -> None:
        self.enter.run(frame)
        while True:
            for node in self.before:
                node.run(frame)
            self.passed.run(frame)
            if not self.condition.at(frame.values):
                break
            for node in self.body:
                node.run(frame)
            self.again.run(frame)
        self.leave.run(frame)


@dataclass(frozen=True, slots=True)
class _IfNode:
    condition: Linear
    then: tuple[Node, ...]
    leave_then: _Moves
    otherwise: tuple[Node, ...]
    leave_otherwise: _Moves

    def run(self, frame: Frame) -> None:
        chosen = bool(self.condition.at(frame.values))
        for node in self.then if chosen else self.otherwise:
            node.run(frame)
        (self.leave_then if chosen else self.leave_otherwise).run(frame)


@dataclass(frozen=True, slots=True)
class _AllocNode:
    device: Device
    into: int
    row_bytes: int
    rows: Linear

    def run(self, frame: Frame) -> None:
        rows = self.rows.at(frame.values)
        try:
            pointer = self.device.allocate(max(rows, 0) * self.row_bytes)
        except OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"what a loop records for its backward pass, {rows} steps of "
                f"{self.row_bytes} bytes, does not fit: {error.message}; take fewer "
                "steps, or weft.checkpoint them"
            ) from None
        frame.allocated.add(pointer)
        frame.values[self.into] = pointer


@dataclass(frozen=True, slots=True)
class _FreeNode:
    device: Device
    buffer: Linear

    def run(self, frame: Frame) -> None:
        pointer = self.buffer.at(frame.values)
        if pointer in frame.allocated:
            frame.allocated.discard(pointer)
            self.device.free(pointer)


@dataclass(frozen=True, slots=True)
class _CallNode:
    """A routine of the device's own libraries."""

    run_routine: DeviceRoutine
    numbers: tuple[Linear, ...]
    inputs: tuple[Linear, ...]
    outputs: tuple[Linear, ...]
    line: str

    def run(self, frame: Frame) -> None:
        numbers, inputs, outputs = (
            [each.at(frame.values) for each in group]
            for group in (self.numbers, self.inputs, self.outputs)
        )
        self.run_routine(numbers, inputs, outputs, self.line)


@dataclass(frozen=True, slots=True)
class _HostCallNode:
    """A routine on the host; `reason` is why it is there."""

    device: Device
    name: str
    numbers: tuple[Linear, ...]
    inputs: tuple[tuple[Linear, p.ArrayType], ...]
    outputs: tuple[tuple[Linear, p.ArrayType], ...]
    line: str
    reason: str

    def run(self, frame: Frame) -> None:
        routine = _ROUTINES.run or host.run
        self._warn()
        inputs = [np.empty(each.shape, each.dtype) for _, each in self.inputs]
        outputs = [np.empty(each.shape, each.dtype) for _, each in self.outputs]
        for (source, _), array in zip(self.inputs, inputs, strict=True):
            if array.size:
                self.device.read(source.at(frame.values), array)
        numbers = [number.at(frame.values) for number in self.numbers]
        routine(self.name, numbers, inputs, outputs, self.line)
        for (target, _), array in zip(self.outputs, outputs, strict=True):
            if array.size:
                self.device.write(target.at(frame.values), array)

    def _warn(self) -> None:
        # On the emulator all is on the host.
        if self.device.code == "ptx" and self.name not in _ROUTINES.warned:
            _ROUTINES.warned.add(self.name)
            why = f": {self.reason}" if self.reason else ""
            warn(
                f"{self.name.rpartition('_')[0]} runs on the host: its operands are "
                f"copied from {self.device.name} and its results back{why}",
                HostRoutineWarning,
            )


class HostRoutineWarning(UserWarning):
    """Part of a program for a GPU runs on the host."""


@dataclass(slots=True)
class _Routines:
    """How routines are run on the host, if not by NumPy, and which were warned of."""

    run: Routine | None = None
    warned: set[str] = field(default_factory=set)


_ROUTINES: Final = _Routines()


def provide_routines(run: Routine | None) -> None:
    """Says how library routines are run on the host; by NumPy where nobody does."""
    _ROUTINES.run = run


# ---- making a plan ready ----


class _Preparation:
    """Makes nodes of steps. `names` has what each name stands for."""

    def __init__(self, device: Device, module: Any, kernels: Any) -> None:
        self.device, self.module, self.kernels = device, module, kernels
        self.count = 1  # slot zero is the number zero
        self.on_host: dict[str, str] = {}

    def slot(self) -> int:
        self.count += 1
        return self.count - 1

    def own(self, name: str, names: dict[str, Linear]) -> int:
        """A new slot for a name."""
        slot = self.slot()
        names[name] = Linear(0, ((slot, 1),))
        return slot

    def nodes(
        self, steps: Sequence[p.Step], names: dict[str, Linear]
    ) -> tuple[Node, ...]:
        """The steps as nodes; `names` gains what they make."""
        nodes: list[Node] = []
        ready: list[Ready] = []
        for step in steps:
            flat = self.flat(step, names)
            if flat is not None:
                ready += flat
                continue
            self._end(ready, nodes)
            nodes.append(_MAKERS[type(step)](self, step, names))
        self._end(ready, nodes)
        return tuple(nodes)

    def _end(self, ready: list[Ready], nodes: list[Node]) -> None:
        if ready:
            nodes.append(_StraightNode(self.straight(ready)))
            ready.clear()

    def straight(self, ready: Sequence[Ready]) -> Straight:
        prepare = getattr(self.device, "prepare", None)
        if prepare is not None:
            return prepare(self.module, ready)
        return PlainStraight(self.device, self.module, ready)

    # ---- what needs no decision while it runs ----

    def flat(
        self, step: p.Step, names: dict[str, Linear], limit: int = UNROLLED
    ) -> list[Ready] | None:
        """A step as launches and copies, at most `limit`, if it is no more."""
        if isinstance(step, p.Launch):
            if 0 in step.kernel.grid:
                return []
            return [ReadyLaunch(step.kernel, self._args(step, names))]
        if isinstance(step, p.Copy):
            return [
                ReadyCopy(linear(step.to, names), linear(step.source, names), step.size)
            ]
        if isinstance(step, p.Compute):
            number = _folded(step, names)
            if number is None:
                return None
            names[step.into] = number
            return []
        if isinstance(step, p.For):
            return self._unrolled(step, names, limit)
        return None

    def _args(self, step: p.Launch, names: dict[str, Linear]) -> tuple[Linear, ...]:
        return tuple(
            Linear(bits_of(parameter.kind, arg))
            if isinstance(arg, (int, float))
            else linear(arg, names)
            for arg, parameter in zip(step.args, step.kernel.parameters, strict=True)
        )

    def _unrolled(
        self, step: p.For, names: dict[str, Linear], limit: int
    ) -> list[Ready] | None:
        bounds = [linear(each, names) for each in (step.start, step.stop, step.step)]
        if any(each.terms for each in bounds) or bounds[2].offset <= 0:
            return None
        trips = range(*(each.offset for each in bounds))
        if len(trips) * launches(step.steps) > limit:
            return None
        ready: list[Ready] = []
        carried = [linear(pointer, names) for _, pointer in step.carried]
        for index in trips:
            inner = dict(names)
            inner[step.index] = Linear(index)
            inner |= zip((name for name, _ in step.carried), carried, strict=True)
            for each in step.steps:
                flat = self.flat(each, inner, limit - len(ready))
                if flat is None:
                    return None
                ready += flat
            if len(ready) > limit:
                return None
            carried = [linear(pointer, inner) for pointer in step.yields]
        names |= zip(step.results, carried, strict=True)
        return ready

    # ---- what does ----

    def read(self, step: p.Read, names: dict[str, Linear]) -> Node:
        source = linear(step.source, names)
        return _ReadNode(self.device, source, step.dtype, self.own(step.into, names))

    def compute(self, step: p.Compute, names: dict[str, Linear]) -> Node:
        first, second = (linear(arg, names) for arg in step.args)
        into = self.own(step.into, names)
        return _ComputeNode(p.COMPUTED[step.op], (first, second), into)

    def loop(self, step: p.For, names: dict[str, Linear]) -> Node:
        start, stop, by = (
            linear(each, names) for each in (step.start, step.stop, step.step)
        )
        enter, inner = self._enter(step.carried, names)
        index = self.own(step.index, inner)
        body = self.nodes(step.steps, inner)
        again = _Moves(enter.slots, _linears(step.yields, inner))
        carried = tuple(Linear(0, ((slot, 1),)) for slot in enter.slots)
        leave = _Moves(self._own(step.results, names), carried)
        return _ForNode(index, (start, stop, by), enter, body, again, leave)

    def repeat(self, step: p.While, names: dict[str, Linear]) -> Node:
        enter, inner = self._enter(step.carried, names)
        before = self.nodes(step.before, inner)
        condition = linear(step.condition, inner)
        values = _linears(step.passed, inner)
        passed = _Moves(self._own(step.arguments, inner), values)
        body = self.nodes(step.steps, inner)
        again = _Moves(enter.slots, _linears(step.yields, inner))
        left = tuple(Linear(0, ((slot, 1),)) for slot in passed.slots)
        leave = _Moves(self._own(step.results, names), left)
        return _WhileNode(enter, before, condition, passed, body, again, leave)

    def branch(self, step: p.If, names: dict[str, Linear]) -> Node:
        condition = linear(step.condition, names)
        then, otherwise = dict(names), dict(names)
        first = self.nodes(step.then, then)
        second = self.nodes(step.otherwise, otherwise)
        slots = self._own(step.results, names)
        return _IfNode(
            condition,
            first,
            _Moves(slots, _linears(step.yields_then, then)),
            second,
            _Moves(slots, _linears(step.yields_otherwise, otherwise)),
        )

    def alloc(self, step: p.Alloc, names: dict[str, Linear]) -> Node:
        rows = linear(step.rows, names)
        into = self.own(step.into, names)
        return _AllocNode(self.device, into, step.row_bytes, rows)

    def free(self, step: p.Free, names: dict[str, Linear]) -> Node:
        return _FreeNode(self.device, linear(p.Pointer(step.buffer), names))

    def call(self, step: p.Call, names: dict[str, Linear]) -> Node:
        inputs, outputs = (
            tuple((linear(each.pointer, names), each.type) for each in operands)
            for operands in (step.inputs, step.outputs)
        )
        numbers = tuple(linear(number, names) for number in step.numbers)
        libraries = getattr(self.device, "libraries", None)
        found = libraries.find(step.name) if libraries is not None else ""
        if isinstance(found, str):
            self.on_host[step.name] = found
            return _HostCallNode(
                self.device, step.name, numbers, inputs, outputs, step.line, found
            )
        places = [tuple(each for each, _ in group) for group in (inputs, outputs)]
        return _CallNode(found, numbers, places[0], places[1], step.line)

    def _enter(
        self, carried: Sequence[tuple[str, p.Pointer]], names: dict[str, Linear]
    ) -> tuple[_Moves, dict[str, Linear]]:
        inner = dict(names)
        slots = self._own([name for name, _ in carried], inner)
        values = _linears([pointer for _, pointer in carried], names)
        return _Moves(slots, values), inner

    def _own(self, made: Sequence[str], names: dict[str, Linear]) -> tuple[int, ...]:
        return tuple(self.own(name, names) for name in made)


_MAKERS: Final[dict[type, Callable[[_Preparation, Any, dict[str, Linear]], Node]]] = {
    p.Read: _Preparation.read,
    p.Compute: _Preparation.compute,
    p.For: _Preparation.loop,
    p.While: _Preparation.repeat,
    p.If: _Preparation.branch,
    p.Alloc: _Preparation.alloc,
    p.Free: _Preparation.free,
    p.Call: _Preparation.call,
}


def linear(use: p.Pointer | p.Scalar, names: Mapping[str, Linear]) -> Linear:
    """A pointer or a scalar of a plan as a sum over values."""
    if isinstance(use, str):
        return names[use]
    if isinstance(use, p.Pointer):
        result = names[use.buffer].plus(Linear(use.offset))
        for name, size in use.terms:
            result = result.plus(names[name], size)
        return result
    if isinstance(use, float):
        raise PlanError(f"the plan has {use} where an integer belongs")
    return Linear(use)


def _folded(step: p.Compute, names: Mapping[str, Linear]) -> Linear | None:
    """What a step computes as a sum over values, if it is one."""
    first, second = (linear(arg, names) for arg in step.args)
    if not first.terms and not second.terms:
        return Linear(p.COMPUTED[step.op](first.offset, second.offset))
    if step.op in ("addi", "subi"):
        return first.plus(second, 1 if step.op == "addi" else -1)
    return None


def _linears(
    pointers: Sequence[p.Pointer], names: dict[str, Linear]
) -> tuple[Linear, ...]:
    return tuple(linear(pointer, names) for pointer in pointers)


def launches(steps: Sequence[p.Step]) -> int:
    """How many launches and copies steps have, written once; at least one."""
    return max(1, sum(isinstance(step, (p.Launch, p.Copy)) for step in steps))


# ---- running ----


class Executable:
    """A plan made ready on a device, which runs it on memory there."""

    def __init__(
        self, plan: p.Plan, device: Device, code: str, constants: Sequence[np.ndarray]
    ) -> None:
        _check_constants(plan, constants)
        self.plan, self.device = plan, device
        module = device.load(code) if plan.kernels else None
        preparation = _Preparation(device, module, plan.kernels)
        names: dict[str, Linear] = {}
        for i in range(len(plan.arguments)):
            preparation.own(f"arg{i}", names)
        self._arena = preparation.own(p.ARENA, names)
        self._nodes = preparation.nodes(plan.steps, names)
        # Routines that run on the host, and why.
        self.on_host = preparation.on_host
        self._constants = [Memory.of(device, array) for array in constants]
        self._template: Values = [0] * preparation.count
        for i, memory in enumerate(self._constants):
            self._template[1 + plan.inputs + i] = memory.pointer
        self._first_result = 1 + plan.inputs + plan.constants
        self._results = tuple(
            (each.size, each.shape, each.dtype)
            for each in plan.arguments[plan.inputs + plan.constants :]
        )
        self._activate = getattr(device, "activated", contextlib.nullcontext)

    def __call__(self, inputs: Sequence[Memory]) -> list[Memory]:
        """The results for inputs of the plan's shapes and dtypes, on its device.

        It does not wait for them. Inputs that results are left in are theirs after.
        """
        plan = self.plan
        if len(inputs) != plan.inputs:
            raise PlanError(f"{plan.name!r} takes {plan.inputs} arrays")
        frame = Frame(self._template.copy())
        values = frame.values
        values[1 : 1 + plan.inputs] = [memory.pointer for memory in inputs]
        with self._activate():
            try:
                own = self._allocate(frame)
                for node in self._nodes:
                    node.run(frame)
            finally:
                for pointer in frame.allocated:
                    self.device.free(pointer)
        if len(own) == plan.results:
            return own
        new, dtypes = iter(own), iter(plan.reused_as)
        results = []
        for reused in plan.reuses:
            if reused >= 0:
                inputs[reused].dtype = next(dtypes)
            results.append(inputs[reused] if reused >= 0 else next(new))
        return results

    def _allocate(self, frame: Frame) -> list[Memory]:
        """Memory for results and scratch."""
        device, values, plan = self.device, frame.values, self.plan
        try:
            if plan.arena:
                values[self._arena] = device.allocate(plan.arena)
                frame.allocated.add(values[self._arena])
            own = [
                Memory(device, device.allocate(size), shape, dtype)
                for size, shape, dtype in self._results
            ]
        except OutOfMemoryError as error:
            raise OutOfMemoryError(
                f"a call of {plan.name!r} needs {_amount(plan.arena)} of scratch and "
                f"{_amount(sum(each.size for each in plan.result_types))} for its "
                f"results: {error.message}; free arrays, or compute it in parts"
            ) from None
        values[self._first_result : self._first_result + len(own)] = [
            memory.pointer for memory in own
        ]
        return own


def _check_constants(plan: p.Plan, constants: Sequence[np.ndarray]) -> None:
    expected = plan.arguments[plan.inputs : plan.inputs + plan.constants]
    given = [p.ArrayType(array.shape, array.dtype) for array in constants]
    if given != list(expected):
        raise PlanError(
            f"the plan of {plan.name!r} has the constants "
            f"{', '.join(map(str, expected)) or 'none'}, not "
            f"{', '.join(map(str, given)) or 'none'}"
        )


def _amount(size: int) -> str:
    """A number of bytes as people write it."""
    if size < 1 << 20:
        return f"{size} bytes"
    return f"{size / 2**30:.3g} GiB" if size >= 1 << 30 else f"{size / 2**20:.3g} MiB"
