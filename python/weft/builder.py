"""Tracing into MLIR: functions under construction, and the module they belong to."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

import numpy as np
from mlir import ir

from . import _weft, tree
from .array import Array
from .contexts import (
    Context,
    ExtensionError,
    MLIRError,
    context,
    describe_gpu,
    is_splat,
    state_level,
)
from .cuda.memory import Memory
from .devices import CPU, CPU_TARGET, Target, target_of
from .dtypes import default_precision, scalar_array
from .errors import (
    CompileError,
    LeakedTracerError,
    NestingError,
    TracerError,
    UnsupportedTypeError,
)
from .ops.registry import is_scalar
from .precision import Precision
from .program import TRACED, Program
from .reference import Interpreter
from .specs import ShapeDtypeStruct, spec_of
from .tracer import CURRENT, Tracer, as_strong

INLINE_ELEMENTS: Final = 64
DONATED: Final = "weft.donated"


@dataclass(frozen=True, slots=True)
class Function:
    """A traced function: its symbol and how its arguments and results are laid out."""

    symbol: str
    inputs: tuple[ShapeDtypeStruct, ...]
    outputs: tuple[ShapeDtypeStruct, ...]
    treedef: tree.TreeDef
    # What the trailing arguments stand for: arrays, in an entry function, else
    # tracers of the function around it.
    captures: tuple[Any, ...]


@dataclass(slots=True)
class ModuleBuilder:
    """A module under construction, and what its functions share."""

    context: Context
    device: str = CPU
    target: Target = CPU_TARGET
    # None for what the environment says.
    optimization_level: int | None = None
    # That of products which state none.
    matmul_precision: Precision | None = None
    module: ir.Module = field(init=False)
    functions: dict[Any, Function] = field(default_factory=dict)
    symbols: set[str] = field(default_factory=set)
    in_progress: set[Any] = field(default_factory=set)
    # Functions with rules of their own whose rules are being traced.
    with_rules: dict[Any, Any] = field(default_factory=dict)
    interpreter: Interpreter = field(init=False)

    def __post_init__(self) -> None:
        self.module = ir.Module.create(loc=self.context.unknown)
        if self.target != CPU_TARGET:
            describe_gpu(self.context, self.module, self.target)
        state_level(self.context, self.module, self.optimization_level)
        self.interpreter = Interpreter(self.module, self.context)

    def symbol(self, name: str) -> str:
        """A symbol for a function of this name that is not taken yet."""
        base = re.sub(r"\W+", "", name) or "function"
        unique, count = base, 0
        while unique in self.symbols:
            count += 1
            unique = f"{base}_{count}"
        self.symbols.add(unique)
        return unique

    @contextmanager
    def no_recursion(self, key: Any, name: str) -> Iterator[None]:
        """Raises where the function of `key` is being traced already."""
        if key in self.in_progress:
            raise TracerError(
                f"{name!r} calls itself with arguments of the same shapes and dtypes, "
                "so that tracing it would never end; write a Python loop, or pass what "
                "ends the recursion as a static argument (static_argnums)"
            )
        self.in_progress.add(key)
        try:
            yield
        finally:
            self.in_progress.discard(key)

    def text(self) -> str:
        """The module as MLIR, with locations; raises where it is not valid."""
        try:
            _weft.verify(self.module)
        except ExtensionError as error:
            raise CompileError(f"the traced program is not valid: {error}") from None
        return _weft.print_module(self.module, True)


class Trace:
    """A function under construction. Operations are written into the current one."""

    def __init__(
        self,
        builder: ModuleBuilder,
        name: str,
        parent: Trace | None = None,
        public: bool = False,
        function: Callable[..., Any] | None = None,
        symbol: str | None = None,
    ) -> None:
        self.builder, self.name, self.parent = builder, name, parent
        self.context = builder.context
        self.place, self.origin = self.context.definition(function)
        self.alive = True
        self.frame: FrameType | None = None
        self.symbol = symbol or builder.symbol(name)
        # What each argument stands for: an array, a tracer of the trace around this
        # one, or nothing where the function is traced for any value.
        self.arguments: list[Any] = []
        self.inputs: list[ShapeDtypeStruct] = []
        self.captures: list[Any] = []
        self._lifted: dict[int, tuple[Array, Tracer]] = {}
        self._environment: dict[ir.Value, Any] = {}
        self._operation, self._block = self._make_function(public)
        self._insertion = ir.InsertionPoint(self._block)

    def _make_function(self, public: bool) -> tuple[ir.Operation, ir.Block]:
        mlir = self.context.mlir
        attributes = {
            "sym_name": ir.StringAttr.get(self.symbol, mlir),
            "function_type": ir.TypeAttr.get(ir.FunctionType.get([], [], mlir), mlir),
        }
        if not public:
            attributes["sym_visibility"] = ir.StringAttr.get("private", mlir)
        operation = ir.Operation.create(
            "func.func",
            attributes=attributes,
            regions=1,
            loc=self.place,
            ip=ir.InsertionPoint(self.builder.module.body),
        )
        return operation, operation.regions[0].blocks.append()

    def argument(self, spec: ShapeDtypeStruct, name: str, stands_for: Any) -> Tracer:
        """Adds an argument to the function."""
        value = self._add_argument(self.context.type_of(spec), name, stands_for)
        self.inputs.append(spec)
        return Tracer(self, value, spec, self.origin, weak=spec.weak)

    def _add_argument(self, kind: ir.Type, name: str, stands_for: Any) -> ir.Value:
        location = ir.Location.name(name, self.place, self.context.mlir)
        self.arguments.append(stands_for)
        return self._block.add_argument(kind, location)

    def location(self) -> tuple[ir.Location, str]:
        """Where the user's program is, below the function being traced."""
        if self.frame is None:
            return self.place, self.origin
        return self.context.location(self.frame) or (self.place, self.origin)

    def emit(
        self,
        name: str,
        operands: Sequence[Array],
        result: ShapeDtypeStruct | None,
        attributes: dict[str, Any],
    ) -> list[Tracer]:
        """Writes an op of the dialect into the function and verifies it.

        `result` is what its one result is, where the op does not infer it.
        """
        location, origin = self.location()
        operation = self.create(
            f"weft.{name}",
            [self.lift(operand)._value for operand in operands],
            None if result is None else [self.context.type_of(result)],
            attributes,
            location,
        )
        return [
            Tracer(self, value, result or self.context.spec_of(value.type), origin)
            for value in operation.results
        ]

    def create(
        self,
        name: str,
        operands: Sequence[ir.Value],
        results: Sequence[ir.Type] | None,
        attributes: dict[str, Any],
        location: ir.Location | None = None,
        bodies: Sequence[Callable[[ir.Region], None]] = (),
    ) -> ir.Operation:
        """Builds any operation here; without `results` their types are inferred.

        Each of `bodies` fills a region.
        """
        location = location or self.location()[0]
        given = {key: self.context.attribute(v) for key, v in attributes.items()}
        try:
            operation = ir.Operation.create(
                name,
                results=results,
                operands=operands,
                attributes=given,
                loc=location,
                ip=self._insertion,
                infer_type=results is None,
                regions=len(bodies),
            )
            for region, fill in zip(operation.regions, bodies, strict=True):
                fill(region)
            operation.verify()
        except (MLIRError, ValueError) as error:
            reports = getattr(error, "error_diagnostics", ())
            reason = "; ".join(report.message for report in reports) or str(error)
            raise CompileError(f"{name} cannot be built here: {reason}") from None
        return operation

    # ---- values from elsewhere ----

    def lift(self, x: Array) -> Tracer:
        """An array as a value of this function: a constant, or a trailing argument."""
        if isinstance(x, Tracer) and x.trace is self:
            x.check_alive()
            return x
        if id(x) in self._lifted:
            return self._lifted[id(x)][1]
        if isinstance(x, Tracer):
            self._check_reachable(x)
            tracer = self._capture(x)
        elif x.size <= INLINE_ELEMENTS or is_splat(x.data):
            spec = ShapeDtypeStruct(x.shape, x.dtype)
            (tracer,) = self.emit("constant", (), spec, {"value": x.data})
        else:
            tracer = self._capture(x)
        self._lifted[id(x)] = (x, tracer)
        return tracer

    def _capture(self, x: Array) -> Tracer:
        name = f"captured_{len(self.captures)}"
        if self.parent is None:
            outer: Any = np.array(x.data)
            self.captures.append(outer)
            spec = ShapeDtypeStruct(x.shape, x.dtype, x.weak)
            return self.argument(spec, name, outer)
        outer = self.parent.lift(x)
        self.captures.append(outer)
        return outer.moved(self, self._add_argument(outer.value.type, name, outer))

    def _check_reachable(self, x: Tracer) -> None:
        x.check_alive()
        outer = self.parent
        while outer is not None and outer is not x.trace:
            outer = outer.parent
        if outer is None:
            raise LeakedTracerError(
                f"a traced array ({x}, made at {x.origin} while {x.trace.name!r} was "
                f"traced) is used while {self.name!r} is traced, which is not part of "
                "it. Pass it as an argument instead of keeping it"
            )

    # ---- values at hand ----

    def evaluate(self, x: Tracer) -> np.ndarray | None:
        """The value of a traced array, where those of the arguments are at hand."""
        return self.builder.interpreter.force(
            x._value, self._environment, self._argument_value
        )

    def is_constant(self, x: Tracer) -> bool:
        """Whether nothing that derivatives follow leads from the arguments to it."""
        if x.dtype.kind in "biu":
            return True
        captured = len(self.arguments) - len(self.captures)
        seen: set[ir.Value] = set()
        left = [x._value]
        while left:
            value = left.pop()
            if value in seen:
                continue
            seen.add(value)
            if isinstance(value, ir.BlockArgument):
                outer = self.arguments[value.arg_number]
                if value.arg_number < captured or (
                    isinstance(outer, Tracer) and not outer.trace.is_constant(outer)
                ):
                    return False
            elif value.owner.operation.name != "weft.stop_gradient":
                left += value.owner.operation.operands
        return True

    def _argument_value(self, index: int) -> np.ndarray | None:
        stands_for = self.arguments[index]
        if isinstance(stands_for, Tracer):
            return stands_for.trace.evaluate(stands_for)
        # Only now is it worth waiting for a device.
        return stands_for.numpy() if isinstance(stands_for, Memory) else stands_for

    # ---- the whole function ----

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls a function with this trace on."""
        previous, self.frame = self.frame, sys._getframe()
        token = CURRENT.set(self)
        try:
            return function(*args, **kwargs)
        except RecursionError as error:
            if self.parent is None or isinstance(error, NestingError):
                raise  # at the user's own line
            raise NestingError(
                f"tracing {self.name!r} goes deeper than Python's stack, which is "
                f"{sys.getrecursionlimit()} calls: functions of cond, scan, grad and "
                "their like lie within each other too deep, or one calls itself "
                "without end. Use a loop (weft.scan, weft.fori_loop), weft.switch, or "
                "sys.setrecursionlimit"
            ) from None
        finally:
            CURRENT.reset(token)
            self.frame = previous

    def close(self, results: Sequence[Tracer], attributes: dict[str, Any]) -> None:
        """Ends the function with its results."""
        for name, attribute in attributes.items():
            self._operation.attributes[name] = self.context.attribute(attribute)
        values = [result.value for result in results]
        signature = ir.FunctionType.get(
            [argument.type for argument in self._block.arguments],
            [value.type for value in values],
            self.context.mlir,
        )
        self._operation.attributes["function_type"] = ir.TypeAttr.get(
            signature, self.context.mlir
        )
        self.create("func.return", values, [], {}, self.place)
        self.alive = False

    def donate(self, donated: Sequence[bool]) -> None:
        """Marks the arguments whose memory results may be computed in."""
        if not any(donated):
            return
        mlir = self.context.mlir
        mark = ir.DictAttr.get({DONATED: ir.UnitAttr.get(mlir)}, mlir)
        none = ir.DictAttr.get({}, mlir)
        given = [mark if is_donated else none for is_donated in donated]
        rest = [none] * (len(self._block.arguments) - len(given))
        self._operation.attributes["arg_attrs"] = ir.ArrayAttr.get(
            [*given, *rest], mlir
        )

    # ---- or the body of an op ----

    def discard(self) -> None:
        """Takes the function out of the module again."""
        self.alive = False
        self.builder.symbols.discard(self.symbol)
        self._operation.erase()

    def become_body(
        self, results: Sequence[Tracer], constants: Sequence[Tracer], region: ir.Region
    ) -> None:
        """Moves what was traced into a region, which ends with `weft.yield`.

        The region's last arguments stand for `constants`: what was captured here,
        and what was by other bodies of the same op.
        """
        values = [result.value for result in results]
        self._block.append_to(region)
        self.create("weft.yield", values, [], {}, self.place)
        first = len(self.arguments) - len(self.captures)
        captured = {id(x): first + i for i, x in enumerate(self.captures)}
        for constant in constants:
            value = self._block.add_argument(constant.value.type, self.place)
            if id(constant) in captured:
                old = self._block.arguments[captured[id(constant)]]
                old.replace_all_uses_with(value)
        for _ in self.captures:
            self._block.erase_argument(first)
        self.discard()


def as_result(x: Any, path: str, name: str) -> Array:
    """A leaf of what a traced function returns, as an array."""
    if isinstance(x, Array):
        return as_strong(x)
    if isinstance(x, (np.ndarray, np.generic)):
        return Array(np.asarray(x))
    if is_scalar(x):
        return Array(scalar_array(x, default_precision(spec_of(x).dtype)))
    raise UnsupportedTypeError(
        f"{name!r} returns a {type(x).__name__} (as {path}); a traced function returns "
        "arrays, numbers and trees of them (dict, list, tuple, None, dataclass)"
    )


def trace_function(
    trace: Trace,
    function: Callable[..., Any],
    treedef: tree.TreeDef,
    leaves: Sequence[tuple[ShapeDtypeStruct, str, Any]],
    attributes: dict[str, Any] | None = None,
) -> Function:
    """Traces a call of `function(*args, **kwargs)` into a trace and closes it.

    `treedef` is the structure of `(args, kwargs)`, of which the function sees dicts
    with their keys in order. `leaves` gives for each leaf its shape and dtype, its
    name, and what it stands for (see `Trace.arguments`). `attributes` are those of the
    MLIR function. Where the call fails, the module has no function of it.
    """
    try:
        arguments = [trace.argument(*leaf) for leaf in leaves]
        args, kwargs = tree.unflatten(tree.in_order(treedef), arguments)
        returned = trace.run(function, *args, **kwargs)
        results, result_tree = trace.run(_results, trace, returned)
        trace.close(results, attributes or {})
    except BaseException:
        # Whoever catches it goes on with a program that has no part of this one.
        trace.discard()
        raise
    outputs = tuple(ShapeDtypeStruct(r.shape, r.dtype) for r in results)
    return Function(
        trace.symbol,
        tuple(trace.inputs),
        outputs,
        result_tree,
        tuple(trace.captures),
    )


def trace_program(
    function: Callable[..., Any],
    name: str,
    treedef: tree.TreeDef,
    leaves: Sequence[tuple[ShapeDtypeStruct, str, Any]],
    donated: Sequence[bool] = (),
    device: str = CPU,
    optimization_level: int | None = None,
    matmul_precision: Precision | None = None,
) -> tuple[Program, tree.TreeDef]:
    """Traces a call into a program of its own; also how its results are laid out.

    Each leaf is the shape and dtype of an argument, its name, and its value, which is
    `None` where the program is traced for any. `donated` says which are donated.
    """
    target = target_of(device)
    with context() as own:
        builder = ModuleBuilder(
            own, device, target, optimization_level, matmul_precision
        )
        trace = Trace(builder, name, public=True, function=function)
        traced = trace_function(trace, function, treedef, leaves)
        trace.donate(donated)
        program = Program(
            traced.symbol, traced.inputs, traced.outputs, traced.captures,
            {TRACED: builder.text()}, target,
        )  # fmt: skip
    return program, traced.treedef


def _results(trace: Trace, returned: Any) -> tuple[list[Tracer], tree.TreeDef]:
    leaves, treedef = tree.flatten(returned)
    names = tree.paths(returned, "result") if leaves else []
    return [
        trace.lift(as_result(leaf, path, trace.name))
        for leaf, path in zip(leaves, names, strict=True)
    ], treedef


def call_function(trace: Trace, function: Function, operands: Sequence[Array]) -> Any:
    """Emits `func.call` of a private function; returns its tree of results."""
    location, origin = trace.location()
    values = [trace.lift(x)._value for x in (*operands, *function.captures)]
    callee = ir.FlatSymbolRefAttr.get(function.symbol, trace.context.mlir)
    types = [trace.context.type_of(spec) for spec in function.outputs]
    call = trace.create("func.call", values, types, {"callee": callee}, location)
    results = [
        Tracer(trace, value, spec, origin)
        for value, spec in zip(call.results, function.outputs, strict=True)
    ]
    return tree.unflatten(function.treedef, results)
