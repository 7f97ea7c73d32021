"""A program taken apart: what its forward pass keeps, and the backward pass on that."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .array import Array
from .devices import CPU
from .dtypes import is_kind
from .errors import display_path
from .program import EXPANDED, TRACED, Program, parsed
from .specs import ShapeDtypeStruct

if TYPE_CHECKING:
    from mlir import ir

_FORWARD: Final = "vjp.forward"
_BACKWARD: Final = "vjp.backward"


@dataclass(frozen=True, slots=True)
class Residual:
    """An array that the backward pass keeps of the forward pass.

    `value` is the op that computes it, `line` the user's line of that, and `rule` the
    op whose derivative asks for it first.
    """

    value: str
    spec: ShapeDtypeStruct
    line: str
    rule: str

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.spec.size * self.spec.dtype.itemsize

    def __str__(self) -> str:
        return (
            f"{self.bytes:>12,} bytes  {self.spec!s:<18} {self.value:<14} {self.line}"
            f"  for {self.rule}"
        )


class ResidualList(tuple[Residual, ...]):
    """All arrays that a backward pass keeps, its arguments apart, each once."""

    __slots__ = ()

    @property
    def bytes(self) -> int:
        """The size of all of them."""
        return sum(residual.bytes for residual in self)

    def __str__(self) -> str:
        total = f"{self.bytes:>12,} bytes in {len(self)} arrays"
        return "\n".join([*map(str, self), total])


@dataclass(frozen=True, slots=True)
class Split:
    """A program's forward and backward pass, each a program of its own.

    `forward` takes the arguments and returns the results, then the residuals;
    `backward` takes one array for each of `sources`, an argument (by its position) or
    a residual (by that after the arguments), and one cotangent for each floating
    result; it returns one for each operand of `wrt`.
    """

    forward: Program
    backward: Program
    sources: tuple[int, ...]
    residuals: ResidualList

    def saved(self, arguments: Sequence[Any], kept: Sequence[Any]) -> list[Any]:
        """What the backward pass takes, in order, before the cotangents."""
        everything = [*arguments, *self.forward.captures, *kept]
        return [everything[source] for source in self.sources]


def split(program: Program, wrt: Sequence[int]) -> Split:
    """Takes a traced program apart, with respect to some of its arguments."""
    from mlir import ir

    results = [spec for spec in program.outputs if is_kind(spec.dtype, "inexact")]
    with parsed(program.text(TRACED)) as (context, module):
        _add_passes(module, program, wrt, results)
        program.run_stage(module, EXPANDED)
        named = {
            ir.StringAttr(op.attributes["sym_name"]).value: op.operation
            for op in module.body.operations
        }

        def describe(value: ir.Value, rule: str) -> Residual:
            source = value.owner.operation
            name = source.name.removeprefix("weft.")
            spec = context.spec_of(value.type)
            return Residual(name, spec, _line(source.location), rule)

        forward, backward = named[_FORWARD], named[_BACKWARD]
        sources, residuals = _keep_once(forward, backward, program, describe)
        program.run_stage(module, EXPANDED)  # what is not kept is not computed
        text = _text_of(module, forward), _text_of(module, backward)
    specs = tuple(residual.spec for residual in residuals)
    saved = [*program.inputs, *specs]
    return Split(
        Program(_FORWARD, program.inputs, (*program.outputs, *specs),
                program.captures, {EXPANDED: text[0]}, program.target),
        Program(_BACKWARD, (*(_strong(saved[i]) for i in sources), *results),
                tuple(_strong(program.inputs[i]) for i in wrt), (),
                {EXPANDED: text[1]}, program.target),
        sources,
        residuals,
    )  # fmt: skip


def _text_of(module: ir.Module, function: ir.Operation) -> str:
    """The text of a module with one of its functions alone."""
    from mlir import ir

    from . import _weft

    alone = ir.Module.create(loc=module.operation.location)
    for name in module.operation.attributes:
        alone.operation.attributes[name] = module.operation.attributes[name]
    function.clone(ip=ir.InsertionPoint(alone.body))
    return _weft.print_module(alone, True)


def _strong(spec: ShapeDtypeStruct) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(spec.shape, spec.dtype)


def _add_passes(
    module: ir.Module,
    program: Program,
    wrt: Sequence[int],
    results: Sequence[ShapeDtypeStruct],
) -> None:
    """Adds two functions, one that linearizes the program and one that pulls back."""
    from mlir import ir

    x = [f"%x{i}" for i in range(len(program.inputs))]
    y = [f"%y{i}" for i in range(len(program.outputs))]
    ct = [f"%ct{i}" for i in range(len(results))]
    g = [f"%g{i}" for i in range(len(wrt))]
    xs, ys, cts = _types(program.inputs), _types(program.outputs), _types(results)
    gs = [xs[i] for i in wrt]
    indices = ", ".join(map(str, wrt))
    name = f"@{program.entry}"
    kept = f"!weft.residuals<{name}, [{indices}]>"
    text = f"""
      func.func private {name}({", ".join(xs)}) -> ({", ".join(ys)})
      func.func @{_FORWARD}({_typed(x, xs)}) -> ({", ".join([*ys, kept])}) {{
        {", ".join([*y, "%r"])} = weft.linearize {name}({", ".join(x)})
          wrt [{indices}] : ({", ".join(xs)}) -> ({", ".join([*ys, kept])})
        return {_returned([*y, "%r"], [*ys, kept])}
      }}
      func.func @{_BACKWARD}({_typed(["%r", *ct], [kept, *cts])})
          -> ({", ".join(gs)}) {{
        {", ".join(g)}{" =" if g else ""} weft.pullback %r({", ".join(ct)})
          : ({", ".join([kept, *cts])}) -> ({", ".join(gs)})
        return {_returned(g, gs)}
      }}"""
    context = module.context
    for op in module.body.operations:
        if ir.StringAttr(op.attributes["sym_name"]).value == program.entry:
            op.attributes["sym_visibility"] = ir.StringAttr.get("private", context)
    passes = ir.Module.parse(text, context)
    for op in list(passes.body.operations)[1:]:
        op.operation.clone(ip=ir.InsertionPoint(module.body))


def _types(specs: Sequence[ShapeDtypeStruct]) -> list[str]:
    return [spec.mlir for spec in specs]


def _returned(names: Sequence[str], types: Sequence[str]) -> str:
    return f"{', '.join(names)} : {', '.join(types)}" if names else ""


def _typed(names: Sequence[str], types: Sequence[str]) -> str:
    return ", ".join(f"{n}: {t}" for n, t in zip(names, types, strict=True))


def _keep_once(
    forward: ir.Operation,
    backward: ir.Operation,
    program: Program,
    describe: Callable[[ir.Value, str], Residual],
) -> tuple[tuple[int, ...], ResidualList]:
    """Lets the forward pass return each residual once, and no argument."""
    from mlir import ir

    body, primals = forward.regions[0].blocks[0], len(program.outputs)
    exit_ = body.operations[len(body.operations) - 1].operation
    values = list(exit_.operands)
    rules = _first_rules(backward.regions[0].blocks[0])
    position: dict[ir.Value, int] = {}
    sources, residuals = [], []
    for value, rule in zip(values[primals:], list(rules), strict=False):
        if rule is None:
            continue
        if isinstance(value, ir.BlockArgument):
            sources.append(value.arg_number)
            continue
        if value not in position:
            position[value] = len(program.inputs) + len(position)
            residuals.append(describe(value, rule))
        sources.append(position[value])
    kept = [*values[:primals], *position]
    ir.Operation.create(
        "func.return", operands=kept, loc=exit_.location, ip=ir.InsertionPoint(exit_)
    )
    exit_.erase()
    taken = backward.regions[0].blocks[0]
    for i in reversed(range(len(values) - primals)):
        if rules[i] is None:
            taken.erase_argument(i)
    for function in (forward, backward):
        _set_type(function)
    return tuple(sources), ResidualList(residuals)


def _set_type(function: ir.Operation) -> None:
    """Has a function's type say what its body takes and returns."""
    from mlir import ir

    body = function.regions[0].blocks[0]
    exit_ = body.operations[len(body.operations) - 1].operation
    signature = ir.FunctionType.get(
        [argument.type for argument in body.arguments],
        [value.type for value in exit_.operands],
        function.context,
    )
    function.attributes["function_type"] = ir.TypeAttr.get(signature, function.context)


def _first_rules(body: ir.Block) -> list[str | None]:
    """For each argument the op whose derivative uses it first, if any does."""
    from mlir import ir

    rules: dict[int, str] = {}
    for op in body.operations:
        for operand in op.operation.operands:
            if isinstance(operand, ir.BlockArgument) and operand.owner == body:
                rules.setdefault(operand.arg_number, _rule(op.operation))
    return [rules.get(i) for i in range(len(body.arguments))]


def _rule(operation: ir.Operation) -> str:
    """The op whose derivative an op of the backward pass belongs to."""
    location = operation.location
    while location.is_a_callsite():
        location = location.callee
    if location.is_a_name():
        return location.name_str
    return operation.name.removeprefix("weft.")


def _line(location: ir.Location) -> str:
    """The user's line that an op comes from."""
    while not location.is_a_file():
        if location.is_a_callsite():
            location = location.callee
        elif location.is_a_name():
            location = location.child_loc
        elif location.is_a_fused() and location.locations:
            location = location.locations[0]
        else:
            return "an unknown line"
    return f"{display_path(location.filename)}:{location.start_line}"


@dataclass(frozen=True, slots=True)
class Passes:
    """Both passes of a program, as functions of flat lists of arrays."""

    forward: Callable[[Sequence[Any]], list[Array]]
    backward: Callable[[Sequence[Any]], list[Array]]
    saved: Callable[[Sequence[Any], Sequence[Any]], list[Any]]

    @staticmethod
    def interpreted(parts: Split) -> Passes:
        """By the ops' references."""
        forward, backward = parts.forward, parts.backward
        return Passes(forward.interpret_leaves, backward.interpret_leaves, parts.saved)

    @staticmethod
    def compiled(parts: Split, device: str = CPU) -> Passes:
        """In machine code, for a device of the programs' target."""
        forward, backward = (
            program.compile_leaves(device)
            for program in (parts.forward, parts.backward)
        )
        return Passes(forward, backward, parts.saved)
