"""What all transformations share: calls within a trace, and outside of any."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import ops, tree
from ..array import Array
from ..devices import CPU, common_device, foreign_device
from ..dtypes import is_kind, scalar_array
from ..errors import TransformError, check_arguments, public
from ..jit import Jitted
from ..lowered import Lowered
from ..ops.registry import is_scalar
from ..residuals import ResidualList
from ..specs import ShapeDtypeStruct, spec_of
from ..tracer import CURRENT, Tracer

if TYPE_CHECKING:
    from ..builder import Function, Trace

ArgNums = int | tuple[int, ...]
Leaf = tuple[ShapeDtypeStruct, str, Any]


def standing_for(wrapper: Any, function: Callable[..., Any]) -> Any:
    """A function with another's name and place, and parameters of its own."""
    signature = inspect.signature(wrapper)
    functools.update_wrapper(wrapper, function, updated=())
    wrapper.__signature__ = signature
    return wrapper


# ---- outside a trace ----


def at_hand(x: Any, name: str) -> Leaf:
    """An argument whose value is known while it is traced."""
    spec = spec_of(x)
    if foreign_device((x,)):
        return spec, name, x._data
    return spec, name, np.asarray(x, spec.dtype)


def device_at_hand(leaves: Sequence[Any], name: str) -> str:
    """Where the values of a call are; raises where they are in two places."""
    return common_device(
        ((f"argument {i}", leaf) for i, leaf in enumerate(leaves)), name
    )


def run_with_values(function: Callable[..., Any], name: str, args: Any) -> Any:
    """Calls a function of trees of arrays by tracing it and interpreting the trace.

    Values are at hand while it is traced, so that it may branch on them. Dicts are as
    they were given, so that a gradient has the order of what it is the gradient of.
    """
    from ..builder import trace_program

    leaves, given = tree.flatten(args)

    def flat(*leaves: Any) -> Any:
        return function(*tree.unflatten(given, leaves))

    flat = functools.update_wrapper(flat, function)
    treedef = tree.flatten((tuple(leaves), {}))[1]
    traced = [at_hand(leaf, f"arg{i}") for i, leaf in enumerate(leaves)]
    device = device_at_hand(leaves, name)
    program, results = trace_program(flat, name, treedef, traced, device=device)
    if device == CPU:
        return tree.unflatten(results, program.interpret_leaves(leaves))
    from ..run_device import run_program

    return tree.unflatten(results, run_program(program, leaves, device))


# ---- within a trace ----


@dataclass(frozen=True, slots=True)
class Nested:
    """A private function traced for a call within a trace, and the call's operands.

    The operands of the call come first, then what the function captured.
    """

    trace: Trace
    function: Function
    operands: tuple[Tracer, ...]
    captured: tuple[Tracer, ...]

    @property
    def outputs(self) -> tuple[ShapeDtypeStruct, ...]:
        """The function's results."""
        return self.function.outputs

    def tree(self, results: Sequence[Any]) -> Any:
        """The function's tree of results."""
        return tree.unflatten(self.function.treedef, results)

    def segments(self, further: int) -> Any:
        """`operandSegmentSizes` of an op with so many operands after the call's."""
        from mlir import ir

        own = len(self.operands) + len(self.captured)
        return ir.DenseI32ArrayAttr.get([own, further], self.trace.context.mlir)

    def emit(
        self,
        name: str,
        results: Sequence[ShapeDtypeStruct],
        attributes: dict[str, Any],
        further: Sequence[Tracer] = (),
    ) -> list[Tracer]:
        """Writes an op that names the function into the trace it is called in."""
        operands = [*self.operands, *self.captured, *further]
        return self.emit_with(name, operands, results, attributes)

    def emit_with(
        self,
        name: str,
        operands: Sequence[Tracer],
        results: Sequence[ShapeDtypeStruct],
        attributes: dict[str, Any],
        symbol: str | None = None,
    ) -> list[Tracer]:
        """Writes an op that names the function, or another, into the present trace."""
        from mlir import ir

        trace = CURRENT.get()
        assert trace is not None
        location, origin = trace.location()
        callee = ir.FlatSymbolRefAttr.get(
            symbol or self.function.symbol, trace.context.mlir
        )
        op = trace.create(
            name,
            [trace.lift(x).value for x in operands],
            [trace.context.type_of(spec) for spec in results],
            {"callee": callee, **attributes},
            location,
        )
        return [
            Tracer(trace, value, spec, origin)
            for value, spec in zip(op.results, results, strict=True)
        ]


def trace_nested(
    function: Callable[..., Any],
    name: str,
    args: Any,
    attributes: dict[str, Any] | None = None,
) -> Nested:
    """Traces a call of a function of trees of arrays into a private function.

    The values of the arguments, where they are at hand, are at hand within it.
    `attributes` are those of the MLIR function.
    """
    trace = CURRENT.get()
    assert trace is not None
    leaves, treedef = tree.flatten((args, {}))
    operands = tuple(weak_lift(trace, leaf) for leaf in leaves)
    described = [
        (ShapeDtypeStruct(x.shape, x.dtype, x.weak), f"arg{i}", x)
        for i, x in enumerate(operands)
    ]
    return _trace(trace, function, name, treedef, described, operands, attributes)


def trace_for(
    function: Callable[..., Any],
    name: str,
    args: Any,
    attributes: dict[str, Any] | None = None,
    symbol: str | None = None,
) -> Nested:
    """Traces a function of trees of described arrays, for any values of them.

    `attributes` are those of the MLIR function, `symbol` is one that was kept for it.
    """
    trace = CURRENT.get()
    assert trace is not None
    leaves, treedef = tree.flatten((args, {}))
    described = [(spec, f"arg{i}", None) for i, spec in enumerate(leaves)]
    return _trace(trace, function, name, treedef, described, (), attributes, symbol)


def _trace(
    trace: Trace,
    function: Callable[..., Any],
    name: str,
    treedef: tree.TreeDef,
    described: Sequence[Leaf],
    operands: tuple[Tracer, ...],
    attributes: dict[str, Any] | None = None,
    symbol: str | None = None,
) -> Nested:
    from ..builder import Trace, trace_function

    traced = trace_function(
        Trace(trace.builder, name, trace, function=function, symbol=symbol),
        function,
        treedef,
        described,
        attributes,
    )
    captured = tuple(trace.lift(x) for x in traced.captures)
    return Nested(trace, traced, operands, captured)


def weak_lift(trace: Trace, leaf: Any) -> Tracer:
    """An argument as a value of a trace; a Python scalar stays weak."""
    if not is_scalar(leaf):
        return trace.lift(ops.asarray(leaf) if not isinstance(leaf, Array) else leaf)
    lifted = trace.lift(Array(scalar_array(leaf, spec_of(leaf).dtype)))
    return Tracer(
        trace, lifted.value, ShapeDtypeStruct((), lifted.dtype), lifted.origin, True
    )


def floating(xs: Sequence[Any]) -> list[Any]:
    """Those of some arrays or descriptions that have derivatives."""
    return [x for x in xs if is_kind(x.dtype, "inexact")]


def cast_like(given: Any, xs: Any, what: str) -> list[Array]:
    """The leaves of a tree that must be like those of `xs`, as arrays of their dtypes.

    `what` says in an error what the tree is.
    """
    leaves, structure = tree.flatten(given)
    wanted, expected = tree.flatten(xs)
    if structure != expected:
        raise TransformError(f"{what} must have the structure {expected}, not "
                             f"{structure}")  # fmt: skip
    arrays = []
    for leaf, x in zip(leaves, wanted, strict=True):
        array, spec = ops.asarray(leaf), spec_of(x)
        if not isinstance(leaf, Array):  # goes along
            array = ops.placed(array, foreign_device((x,)))
        if array.shape != spec.shape:
            raise TransformError(
                f"{what} must have the shapes {[str(spec_of(w)) for w in wanted]}; "
                f"{spec} needs one of shape {spec.shape}, not {array.shape}"
            )
        arrays.append(ops.astype(array, spec.dtype))
    return arrays


# ---- what users call ----


class Transformed:
    """A function made by a transformation of another one.

    `lower` traces it for certain arguments, as that of a function under `jit` does.
    """

    def __init__(
        self, apply: Callable[..., Any], function: Callable[..., Any], name: str
    ) -> None:
        self._apply = apply
        functools.update_wrapper(self, function, updated=())
        self.__name__ = f"{name}_{name_of(function)}"
        self.__doc__ = f"`{name}` of `{name_of(function)}`.\n\n{function.__doc__ or ''}"

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._apply(args, kwargs)

    @public
    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The traced program for arguments like these (see `Jitted.lower`)."""
        return Jitted(self).lower(*args, **kwargs)

    @public
    def residuals(self, *args: Any, **kwargs: Any) -> ResidualList:
        """What its own backward pass keeps (see `Jitted.residuals`)."""
        return Jitted(self).residuals(*args, **kwargs)

    @public
    def interpret(self, *args: Any, **kwargs: Any) -> Any:
        """What it means for these arguments, without compiling it."""
        return Jitted(self).interpret(*args, **kwargs)


def name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def check_function(function: Any, transform: str) -> None:
    if not callable(function):
        raise TransformError(
            f"{transform} takes a function, not a {type(function).__name__}; write "
            f"{transform}(f)(x), not {transform}(f(x))"
        )


def _chosen(
    transform: str, name: str, argnums: ArgNums, args: Sequence[Any]
) -> tuple[int, ...]:
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise TransformError(
                f"{transform} of {name!r}: argnums has {number}, but the call has "
                f"{len(args)} positional arguments"
            )
    chosen = tuple(number % len(args) for number in numbers)
    twice = next((n for n in chosen if chosen.count(n) > 1), None)
    if twice is not None:
        raise TransformError(
            f"{transform} of {name!r}: argnums {argnums} has argument {twice} twice"
        )
    return chosen


def check_floats(transform: str, name: str, args: Any, number: int | str) -> None:
    for leaf, path in zip(
        tree.flatten(args)[0], tree.paths(args, f"args[{number}]"), strict=True
    ):
        spec = spec_of(leaf)
        if not is_kind(spec.dtype, "inexact"):
            raise TransformError(
                f"{transform} of {name!r}: {path} is {spec}, and only floats and "
                "complex numbers have derivatives. Convert it with "
                ".astype(weft.float32) (write 1.0 for 1), or differentiate other "
                "arguments (argnums)"
            )


def check_real(transform: str, name: str, xs: Sequence[Any], what: str) -> None:
    """Raises where a derivative of complex numbers would not be one number for each."""
    for x in map(spec_of, xs):
        if is_kind(x.dtype, "complex"):
            raise TransformError(
                f"{transform} of {name!r}: {what} is {x}, and the derivative of "
                "complex numbers has two parts for each. Pass holomorphic=True if the "
                "function has a complex derivative (as exp has, and abs has not); or "
                "take weft.real and weft.imag apart, or use weft.vjp or weft.jvp"
            )


def check_complex(transform: str, name: str, xs: Sequence[Any], what: str) -> None:
    """Raises where `holomorphic=True` is said of what is not complex."""
    for x in map(spec_of, xs):
        if not is_kind(x.dtype, "complex"):
            raise TransformError(
                f"{transform} of {name!r}: {what} is {x}, and with holomorphic=True "
                "arguments and results are complex. Convert it with "
                ".astype(weft.complex64), or leave holomorphic out"
            )


def _partial(
    function: Callable[..., Any],
    numbers: tuple[int, ...],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Callable[..., Any]:
    """The function of the chosen arguments alone, the others captured."""

    def chosen(*wrt: Any) -> Any:
        whole = list(args)
        for number, x in zip(numbers, wrt, strict=True):
            whole[number] = x
        return function(*whole, **kwargs)

    return standing_for(chosen, function)


def differentiate(
    transform: str,
    function: Callable[..., Any],
    argnums: ArgNums,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    body: Callable[[Callable[..., Any], str, Any], Any],
) -> Any:
    """Runs `body` within a trace: the current one, or one with the values at hand."""
    name = name_of(function)
    check_arguments(function, args, kwargs)
    numbers = _chosen(transform, name, argnums, args)
    for number in numbers:
        check_floats(transform, name, args[number], number)
    chosen = _partial(function, numbers, args, kwargs)
    wrt = tuple(args[number] for number in numbers)
    if CURRENT.get() is not None:
        return body(chosen, name, wrt)

    def whole(*xs: Any) -> Any:
        return body(chosen, name, xs)

    whole = functools.update_wrapper(whole, function)
    return run_with_values(whole, f"{transform}_{name}", wrt)
