"""The meaning of a program: an interpreter of MLIR by the ops' NumPy references."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mlir import ir

from . import _weft
from .errors import CompileError
from .ops.registry import REGISTRY
from .tracer import evaluate

if TYPE_CHECKING:
    from .contexts import Context

Environment = dict[ir.Value, Any]


@dataclass(frozen=True, slots=True)
class Residuals:
    """What `weft.linearize` leaves for `weft.pullback`: the call it was."""

    operation: ir.Operation
    operands: tuple[np.ndarray, ...]


class Interpreter:
    """Evaluates functions and values of a module, one op at a time."""

    def __init__(self, module: ir.Module, context: Context) -> None:
        self._module = module
        self._context = context

    def call(self, symbol: str, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results of a function of the module."""
        block = self._function(symbol).regions[0].blocks[0]
        environment: Environment = dict(zip(block.arguments, arguments, strict=True))
        for op in block.operations:
            operation = op.operation
            operands = [environment[operand] for operand in operation.operands]
            if operation.name == "func.return":
                return operands
            results = self._run(operation, operands)
            environment.update(zip(operation.results, results, strict=True))
        raise CompileError(f"function {symbol!r} does not end with a return")

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
        if name == "weft.pullback":
            return self._pull_back(operands[0], operands[1:], operation)
        if name == "weft.barrier":
            return operands
        dialect, _, short = name.partition(".")
        if dialect != "weft" or short not in REGISTRY:
            raise CompileError(
                f"{name} has no reference: only stages weft and expanded can be "
                "interpreted"
            )
        attributes = {key: _python_value(a) for key, a in operation.attributes.items()}
        if REGISTRY[short].explicit_result:
            attributes["result"] = self._context.spec_of(operation.results[0].type)
        return [evaluate(short, operands, attributes)]

    def _pull_back(
        self, residuals: Residuals, cotangents: list[Any], pullback: ir.Operation
    ) -> list[Any]:
        from .contexts import context

        text = self._pullback_program(residuals.operation, pullback)
        with context() as fresh:
            module = ir.Module.parse(text, fresh.mlir)
            _weft.run_pipeline(module, "weft-expand-transforms")
            arguments = [*residuals.operands, *cotangents]
            return Interpreter(module, fresh).call("main", arguments)

    def _pullback_program(self, linearize: ir.Operation, pullback: ir.Operation) -> str:
        """A module whose `main` maps primals and cotangents to gradients."""
        functions = _with_callees(self._function, _callee(linearize))
        symbol, wrt = linearize.attributes["callee"], linearize.attributes["wrt"]
        xs = [str(value.type) for value in linearize.operands]
        ys = [str(value.type) for value in linearize.results]
        cts = [str(value.type) for value in pullback.operands][1:]
        gs = [str(value.type) for value in pullback.results]
        x, ct = _names("x", xs), _names("ct", cts)
        y, g = _names("y", ys), _names("g", gs)
        typed = [f"{n}: {t}" for n, t in zip(x + ct, xs + cts, strict=True)]
        indices = f"[{', '.join(map(str, ir.DenseI64ArrayAttr(wrt)))}]"
        main = f"""
          func.func @main({", ".join(typed)}) -> ({", ".join(gs)}) {{
            {", ".join(y)} = weft.linearize {symbol}({", ".join(x)}) wrt {indices}
              : ({", ".join(xs)}) -> ({", ".join(ys)})
            {", ".join(g)} = weft.pullback {y[-1]}({", ".join(ct)})
              : ({", ".join([ys[-1], *cts])}) -> ({", ".join(gs)})
            return {", ".join(g)} : {", ".join(gs)}
          }}"""
        return "\n".join([*(str(function) for function in functions), main])


def _callee(operation: ir.Operation | ir.OpView) -> str:
    return ir.FlatSymbolRefAttr(operation.attributes["callee"]).value


def _names(letter: str, types: Sequence[str]) -> list[str]:
    return [f"%{letter}{i}" for i in range(len(types))]


def _with_callees(
    lookup: Callable[[str], ir.Operation], symbol: str
) -> list[ir.Operation]:
    """A function and all those that it calls, directly or not."""
    found: dict[str, ir.Operation] = {}
    pending = [symbol]
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found[name] = lookup(name)
        for op in found[name].regions[0].blocks[0].operations:
            if "callee" in op.attributes:
                pending.append(_callee(op))
    return list(found.values())


def _python_value(attribute: ir.Attribute) -> Any:
    """What a reference gets for an attribute: an int, a tuple of ints or an array."""
    if isinstance(attribute, ir.IntegerAttr):
        return attribute.value
    if isinstance(attribute, ir.DenseI64ArrayAttr):
        return tuple(attribute)
    if isinstance(attribute, ir.DenseElementsAttr):
        return np.array(attribute)
    raise CompileError(f"attribute {attribute} has no meaning for a reference")
