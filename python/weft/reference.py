"""The meaning of a program: an interpreter of MLIR by the ops' NumPy references."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from mlir import ir

from . import _weft
from .dtypes import BY_MLIR_NAME, is_narrow
from .errors import CompileError
from .ops.registry import REGISTRY
from .tracer import evaluate

if TYPE_CHECKING:
    from .contexts import Context

Environment = dict[ir.Value, Any]

# A symbol in MLIR text, and the name of the function that stands for one op.
_SYMBOL: Final = re.compile(r'@(?:"([^"]+)"|([\w$.-]+))')
_ENTRY: Final = "weft.interpreted"

# Ops about a function: what they mean is what they expand to.
_TRANSFORMATIONS: Final = {
    "weft.jvp",
    "weft.pullback",
    "weft.pushforward",
    "weft.vmap",
}


@dataclass(frozen=True, slots=True)
class Residuals:
    """What `weft.linearize` leaves for `weft.pullback`: the call it was."""

    operation: ir.Operation
    operands: tuple[Any, ...]


class Interpreter:
    """Evaluates functions and values of a module, one op at a time."""

    def __init__(self, module: ir.Module, context: Context) -> None:
        self._module = module
        self._context = context

    def call(self, symbol: str, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results of a function of the module."""
        return self._body(self._function(symbol).regions[0], arguments)

    def _body(self, region: ir.Region, arguments: Sequence[Any]) -> list[Any]:
        """What a region's terminator returns, given the region's arguments."""
        block = region.blocks[0]
        environment: Environment = dict(zip(block.arguments, arguments, strict=True))
        for op in block.operations:
            operation = op.operation
            operands = [environment[operand] for operand in operation.operands]
            if operation.name in ("func.return", "weft.yield"):
                return operands
            results = self._run(operation, operands)
            environment.update(zip(operation.results, results, strict=True))
        raise CompileError("a function or body does not end with a return")

    # ---- ops with bodies ----

    def _switch(self, operation: ir.Operation, operands: list[Any]) -> list[Any]:
        index, *inputs = operands
        bodies = operation.regions
        return self._body(bodies[min(max(int(index), 0), len(bodies) - 1)], inputs)

    def _while(self, operation: ir.Operation, operands: list[Any]) -> list[Any]:
        condition, body = operation.regions
        count = len(operation.results)
        carries, constants = operands[:count], operands[count:]
        while self._body(condition, [*carries, *constants])[0]:
            carries = self._body(body, [*carries, *constants])
        return carries

    def _scan(self, operation: ir.Operation, operands: list[Any]) -> list[Any]:
        trips, carries, xs, constants = _segments(operation, operands)
        if "length" in operation.attributes:
            length = ir.IntegerAttr(operation.attributes["length"]).value
        else:
            length = max(int(trips[0]), 0) if trips else len(xs[0])
        steps = range(length)
        slices: list[list[Any]] = []
        for i in reversed(steps) if "reverse" in operation.attributes else steps:
            given = [*carries, *(x[i, ...] for x in xs), *constants]
            yielded = self._body(operation.regions[0], given)
            slices.append(yielded[len(carries) :])
            carries = yielded[: len(carries)]
        if "reverse" in operation.attributes:
            slices.reverse()
        types = [value.type for value in operation.results][len(carries) :]
        return [*carries, *(_stacked(slices, i, t) for i, t in enumerate(types))]

    def force(
        self,
        value: ir.Value,
        environment: Environment,
        argument: Callable[[int], np.ndarray | None],
    ) -> np.ndarray | None:
        """The value of one op of a function, from those that it depends on.

        `environment` remembers what is known; `argument` gives the values of the
        function's arguments. The result is `None` where it needs one that has none.
        """
        pending = [value]
        while pending:
            current = pending[-1]
            if current in environment:
                pending.pop()
            elif isinstance(current, ir.BlockArgument):
                known = argument(current.arg_number)
                if known is None:
                    return None
                environment[current] = known
            else:
                operation = current.owner.operation
                missing = [v for v in operation.operands if v not in environment]
                if missing:
                    pending.extend(missing)
                    continue
                operands = [environment[v] for v in operation.operands]
                results = self._run(operation, operands)
                environment.update(zip(operation.results, results, strict=True))
        return environment[value]

    def _function(self, symbol: str) -> ir.Operation:
        for op in self._module.body.operations:
            if ir.StringAttr(op.attributes["sym_name"]).value == symbol:
                return op.operation
        raise CompileError(f"the program has no function {symbol!r}")

    def _run(self, operation: ir.Operation, operands: list[Any]) -> list[Any]:
        name = operation.name
        if name == "func.call":
            return self.call(_callee(operation), operands)
        if name == "weft.linearize":
            primals = self.call(_callee(operation), operands)
            return [*primals, Residuals(operation, tuple(operands))]
        if name in _TRANSFORMATIONS:
            return self._transform(operation, operands)
        if name == "weft.barrier":
            return operands
        if name in _BODIES:
            return _BODIES[name](self, operation, operands)
        dialect, _, short = name.partition(".")
        if dialect != "weft" or short not in REGISTRY:
            raise CompileError(
                f"{name} has no reference: only stages weft and expanded can be "
                "interpreted"
            )
        attributes = attributes_of(operation)
        if REGISTRY[short].explicit_result:
            attributes["result"] = self._context.spec_of(operation.results[0].type)
        return evaluate(short, operands, attributes)

    def _transform(self, operation: ir.Operation, operands: list[Any]) -> list[Any]:
        """Expands a module that does nothing but this, and interprets that."""
        from .contexts import ExtensionError, context

        applied = _Applied()
        results = applied.add(operation, operands)
        body = applied.text(results, [str(value.type) for value in operation.results])
        text = "\n".join([*self._functions_named_in(body), body])
        with context() as fresh:
            module = ir.Module.parse(text, fresh.mlir)
            try:
                _weft.run_pipeline(module, "weft-expand-transforms")
            except ExtensionError as error:
                raise CompileError(
                    f"{operation.name} cannot be evaluated: {error.args[0]}"
                ) from None
            return Interpreter(module, fresh).call(_ENTRY, applied.arguments)

    def _functions_named_in(self, text: str) -> list[str]:
        """The functions that a text names, and all that those name."""
        found: dict[str, str] = {}
        pending = [text]
        while pending:
            for quoted, plain in _SYMBOL.findall(pending.pop()):
                name = quoted or plain
                if name not in found and name != _ENTRY:
                    found[name] = str(self._function(name))
                    pending.append(found[name])
        return list(found.values())


class _Applied:
    """A function under construction that applies ops to arrays at hand."""

    def __init__(self) -> None:
        self.arguments: list[np.ndarray] = []
        self._types: list[str] = []
        self._lines: list[str] = []
        self._residuals: dict[int, str] = {}

    def add(self, operation: ir.Operation, operands: Sequence[Any]) -> list[str]:
        """Writes an op of the given operands; the names of its results."""
        inputs = [
            self._operand(x, str(value.type))
            for x, value in zip(operands, operation.operands, strict=True)
        ]
        results = [f"%r{len(self._lines)}_{i}" for i in range(len(operation.results))]
        attributes = ", ".join(f"{k} = {v}" for k, v in operation.attributes.items())
        types = ", ".join(str(value.type) for value in operation.operands)
        outputs = ", ".join(str(value.type) for value in operation.results)
        assigned = f"{', '.join(results)} = " if results else ""
        self._lines.append(
            f'{assigned}"{operation.name}"({", ".join(inputs)}) {{{attributes}}} : '
            f"({types}) -> ({outputs})"
        )
        return results

    def _operand(self, x: Any, spelled: str) -> str:
        if not isinstance(x, Residuals):
            self.arguments.append(x)
            self._types.append(spelled)
            return f"%arg{len(self.arguments) - 1}"
        if id(x) not in self._residuals:
            self._residuals[id(x)] = self.add(x.operation, x.operands)[-1]
        return self._residuals[id(x)]

    def text(self, results: Sequence[str], types: Sequence[str]) -> str:
        """The function, returning the named values."""
        inputs = [f"%arg{i}: {spelled}" for i, spelled in enumerate(self._types)]
        outputs = f"{', '.join(results)} : {', '.join(types)}" if results else ""
        return "\n".join(
            [
                f"func.func @{_ENTRY}({', '.join(inputs)}) -> ({', '.join(types)}) {{",
                *self._lines,
                f"return {outputs}",
                "}",
            ]
        )


_BODIES: Final[dict[str, Callable[..., list[Any]]]] = {
    "weft.switch": Interpreter._switch,
    "weft.while": Interpreter._while,
    "weft.scan": Interpreter._scan,
}


def _segments(operation: ir.Operation, operands: list[Any]) -> list[list[Any]]:
    """The groups of operands of an op that has several of any number."""
    rest = iter(operands)
    sizes = ir.DenseI32ArrayAttr(operation.attributes["operandSegmentSizes"])
    return [[next(rest) for _ in range(size)] for size in sizes]


def _stacked(slices: list[list[Any]], number: int, kind: ir.Type) -> np.ndarray:
    """Result `number` of all steps as one array."""
    if slices:
        return np.stack([parts[number] for parts in slices])
    tensor = ir.RankedTensorType(kind)
    dtype = BY_MLIR_NAME[str(tensor.element_type)]
    return np.empty((0, *list(tensor.shape)[1:]), dtype)


def _callee(operation: ir.Operation | ir.OpView) -> str:
    return ir.FlatSymbolRefAttr(operation.attributes["callee"]).value


def attributes_of(operation: ir.Operation) -> dict[str, Any]:
    """The attributes of an op, as its reference takes them by keyword."""
    if operation.name == "weft.constant":
        return {"value": _value_of(operation)}
    return {key: _python_value(a) for key, a in operation.attributes.items()}


def _value_of(constant: ir.Operation) -> np.ndarray:
    """The array that a `weft.constant` is."""
    tensor = ir.RankedTensorType(constant.results[0].type)
    dtype, shape = BY_MLIR_NAME[str(tensor.element_type)], tuple(tensor.shape)
    if dtype.kind != "c":
        return _python_value(constant.attributes["value"])
    # MLIR does not show the elements of a complex attribute.
    data, is_splat = _weft.constant_elements(constant)
    elements = np.frombuffer(data, dtype)
    return np.full(shape, elements[0]) if is_splat else elements.reshape(shape)


def _python_value(attribute: ir.Attribute) -> Any:
    """What a reference gets for an attribute: `True`, an int, a tuple or an array."""
    if isinstance(attribute, ir.UnitAttr):
        return True
    if isinstance(attribute, ir.IntegerAttr):
        return attribute.value
    if isinstance(attribute, ir.StringAttr):
        return attribute.value
    if isinstance(attribute, ir.DenseI64ArrayAttr):
        return tuple(attribute)
    if isinstance(attribute, ir.DenseElementsAttr):
        return elements_of(attribute)
    raise CompileError(f"attribute {attribute} has no meaning for a reference")


def elements_of(attribute: ir.DenseElementsAttr) -> np.ndarray:
    """The elements of an attribute as an array."""
    tensor = ir.RankedTensorType(attribute.type)
    dtype, shape = BY_MLIR_NAME[str(tensor.element_type)], tuple(tensor.shape)
    if is_narrow(dtype):  # MLIR shows NumPy the elements of few dtypes
        raw = np.frombuffer(_weft.raw_elements(attribute), dtype)
        return np.resize(raw, shape)
    array = np.array(attribute)
    # Of a splat of bools MLIR gives eight elements, whatever the shape.
    splat = attribute.is_splat and array.size
    return np.full_like(array, array.reshape(-1)[0]) if splat else array
