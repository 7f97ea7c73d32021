"""Derivatives given by hand: `custom_vjp` and `custom_jvp`."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from .. import ops, tree
from ..array import Array
from ..dtypes import is_kind
from ..errors import TransformError, check_arguments, public
from ..specs import ShapeDtypeStruct
from ..tracer import CURRENT, Tracer, as_strong
from .common import (
    Nested,
    cast_like,
    check_function,
    floating,
    name_of,
    trace_for,
    trace_nested,
)

Rule = Callable[..., Any]


class _Custom(ABC):
    """A function with a derivative of its own."""

    _kind: str

    def __init__(self, function: Rule, nondiff_argnums: Sequence[int] = ()) -> None:
        check_function(function, self._kind)
        functools.update_wrapper(self, function, updated=())
        self.__name__: str = name_of(function)
        self._function = function
        self._fixed = tuple(nondiff_argnums)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function; its derivatives are those of its rule."""
        check_arguments(self._function, args, kwargs)
        if CURRENT.get() is None:
            return self._function(*args, **kwargs)
        args = _positional(self._function, args, kwargs)
        call = _Call(self._function, self._kind, self.__name__, self._fixed, args)
        return call.emit((self, *call.key), self._apply)

    @abstractmethod
    def _apply(self, call: _Call) -> Any:
        """Calls the function with the rule."""

    def _missing(self, what: str) -> TransformError:
        return TransformError(
            f"{self._kind} {self.__name__!r} has no rule; give it one with "
            f"{self.__name__}.{what}"
        )


class CustomVjp(_Custom):
    """A function that `custom_vjp` decorates."""

    _kind = "custom_vjp"
    _rules: tuple[Rule, Rule] | None = None

    def defvjp(self, fwd: Rule, bwd: Rule) -> None:
        """Gives the rule.

        `fwd` takes the arguments and returns the result and a tree of arrays to keep;
        `bwd` takes the arguments in `nondiff_argnums`, what was kept and the
        cotangent of the result, and returns a tuple with the cotangent of each other
        argument (`None` for zero).
        """
        check_function(fwd, "defvjp")
        check_function(bwd, "defvjp")
        self._rules = (fwd, bwd)

    def _apply(self, call: _Call) -> Any:
        if self._rules is None:
            raise self._missing("defvjp(fwd, bwd)")
        fwd, bwd = self._rules
        whole = call.whole
        forward = trace_for(call.forward(fwd), f"{call.name}_fwd", call.specs)
        results, kept = forward.tree(forward.outputs)

        def backward(kept: Any, cotangents: Any) -> Any:
            given = bwd(*call.fixed, kept, whole.tree(cotangents))
            return call.cotangents(given)

        pull = trace_for(backward, f"{call.name}_bwd", (kept, results))
        return call.emit_with_vjp(forward, pull)


class CustomJvp(_Custom):
    """A function that `custom_jvp` decorates."""

    _kind = "custom_jvp"
    _rule: Rule | None = None

    def defjvp(self, rule: Rule) -> Rule:
        """Gives the rule.

        It takes the arguments in `nondiff_argnums`, a tuple of the other arguments
        and one of their tangents, and returns the result and its tangent.
        """
        check_function(rule, "defjvp")
        self._rule = rule
        return rule

    def defjvps(self, *rules: Rule | None) -> None:
        """Gives for each argument the part of the tangent that is due to it.

        Each rule takes the argument's tangent, the result and all arguments; `None`
        is a part that is zero.
        """

        def rule(primals: Any, tangents: Any) -> Any:
            result = self(*primals)
            parts = [
                part(tangent, result, *primals)
                for part, tangent in zip(rules, tangents, strict=True)
                if part is not None
            ]
            if not parts:
                return result, ops.zeros_like(result)
            return result, functools.reduce(ops.add, parts)

        self._rule = rule

    def _apply(self, call: _Call) -> Any:
        if self._rule is None:
            raise self._missing("defjvp(rule)")
        rule, whole = self._rule, call.whole

        def forward(chosen: Any, tangents: Any) -> Any:
            moved = rule(*call.fixed, chosen, call.tangents(chosen, tangents))
            value, tangent = _pair(moved, f"the rule of custom_jvp {call.name!r}",
                                   "(result, tangent)")  # fmt: skip
            what = f"that the rule of custom_jvp {call.name!r} returns"
            like = whole.tree(whole.outputs)
            values = cast_like(value, like, f"the result {what}")
            return values, floating(cast_like(tangent, like, f"the tangent {what}"))

        specs = (call.specs, floating(tree.flatten(call.specs)[0]))
        push = trace_for(forward, f"{call.name}_jvp", specs)
        return call.emit_with_jvp(push)


class _Call:
    """A call within a trace of a function with a rule."""

    def __init__(
        self,
        function: Rule,
        kind: str,
        name: str,
        fixed: Sequence[int],
        args: tuple[Any, ...],
    ) -> None:
        for number in fixed:
            if not 0 <= number < len(args):
                raise TransformError(
                    f"{kind} {name!r}: nondiff_argnums has {number}, but the call has "
                    f"{len(args)} positional arguments"
                )
        self.kind, self.name, self._args, self._fixed = kind, name, args, set(fixed)
        self._function = function
        self.fixed = tuple(args[i] for i in fixed)
        chosen = tuple(x for i, x in enumerate(args) if i not in self._fixed)
        leaves, structure = tree.flatten(chosen)
        self._structure = tree.in_order(structure)
        arrays = [as_strong(ops.asarray(x)) for x in leaves]
        self.chosen = tree.unflatten(self._structure, arrays)
        self.specs = tree.unflatten(
            self._structure, [ShapeDtypeStruct(x.shape, x.dtype) for x in arrays]
        )

        self.whole: Nested
        self.symbol = ""
        self.is_recursive = False

    @property
    def key(self) -> tuple[Any, ...]:
        """What the function with its rules depends on."""
        fixed = tuple(
            x if isinstance(x, Hashable) and not isinstance(x, Array) else id(x)
            for x in self.fixed
        )
        return (fixed, self._structure, *tree.flatten(self.specs)[0])

    def emit(self, key: Any, with_rules: Callable[[_Call], Any]) -> Any:
        """Calls the function with its rules; also from within those."""
        trace = CURRENT.get()
        assert trace is not None
        builder = trace.builder
        outer = builder.with_rules.get(key)
        if outer is not None:
            return outer.call_from_rule(self.chosen)
        body = self.of_chosen(self._function)
        self.whole = trace_nested(body, f"{self.name}_body", self.chosen)
        self.symbol = builder.symbol(self.name)
        builder.with_rules[key] = self
        try:
            return with_rules(self)
        finally:
            del builder.with_rules[key]

    def call_from_rule(self, chosen: Any) -> Any:
        """A call of the function by one of its own rules, which are being traced."""
        operands = tree.flatten(chosen)[0]
        if self.whole.captured:
            return self.whole.tree(
                _emit_call(self.whole, (operands, self.whole.captured))
            )
        self.is_recursive = True
        return self.whole.tree(_emit_call(self.whole, operands, self.symbol))

    def of_chosen(self, function: Rule) -> Rule:
        """A function of all arguments as one of those that may have derivatives."""

        def partial(*chosen: Any) -> Any:
            remaining = iter(chosen)
            return function(
                *(
                    x if i in self._fixed else next(remaining)
                    for i, x in enumerate(self._args)
                )
            )

        return functools.update_wrapper(partial, function)

    def forward(self, fwd: Rule) -> Rule:
        """The forward rule, returning the checked leaves of the result and a tree."""

        def checked(*chosen: Any) -> Any:
            what = f"the forward rule of custom_vjp {self.name!r}"
            given = self.of_chosen(fwd)(*chosen)
            value, kept = _pair(given, what, "(result, what to keep)")
            like = self.whole.tree(self.whole.outputs)
            return cast_like(value, like, f"the result that {what} returns"), kept

        return functools.update_wrapper(checked, fwd)

    def tangents(self, chosen: Any, given: Sequence[Array]) -> Any:
        """The tangents of all arguments: zeros for integers."""
        remaining = iter(given)
        leaves = [
            next(remaining) if is_kind(x.dtype, "inexact") else ops.zeros_like(x)
            for x in tree.flatten(chosen)[0]
        ]
        return tree.unflatten(self._structure, leaves)

    def cotangents(self, given: Any) -> list[Array]:
        """Those of the floating arguments, from what a backward rule returns."""
        what = f"the backward rule of custom_vjp {self.name!r}"
        if not isinstance(given, (tuple, list)) or len(given) != len(self.specs):
            count = len(given) if isinstance(given, (tuple, list)) else "no"
            raise TransformError(
                f"{what} returns a tuple with a cotangent for each of "
                f"{len(self.specs)} arguments, not {type(given).__name__} ({count} "
                "entries)"
            )
        cotangents = []
        for i, (ct, specs) in enumerate(zip(given, self.specs, strict=True)):
            leaves = tree.flatten(specs)[0]
            if ct is None:
                arrays = [ops.zeros(x.shape, dtype=x.dtype) for x in leaves]
            else:
                arrays = cast_like(ct, specs, f"cotangent {i} that {what} returns")
            cotangents += floating(arrays)
        return cotangents

    # ---- the functions and the call ----
    # What any of the functions captured is an operand of each of them.

    def emit_with_vjp(self, forward: Nested, pull: Nested) -> Any:
        """Calls the function, with its rule in reverse mode as an attribute."""
        whole = self.whole
        captured = _Captured((whole, forward, pull))

        def fwd(chosen: Any, given: Any) -> Any:
            return captured.call(forward, chosen, given), captured.of(pull, given)

        def bwd(kept: Any, given: Any, cotangents: Any) -> Any:
            remaining = iter(cotangents)
            whole_cts = [
                next(remaining) if is_kind(x.dtype, "inexact") else _zeros(x)
                for x in whole.outputs
            ]
            return _emit_call(pull, (kept, whole_cts, given))

        _, kept = forward.tree(forward.outputs)
        own = [_spec(x) for x in pull.captured]
        moving = floating(whole.outputs)
        rules = (
            trace_for(fwd, f"{self.name}_fwd_rule", (self.specs, captured.specs)),
            trace_for(bwd, f"{self.name}_bwd_rule", (kept, own, moving)),
        )
        return self._emit(captured, "weft.custom_vjp", rules)

    def emit_with_jvp(self, push: Nested) -> Any:
        """Calls the function, with its rule in forward mode as an attribute."""
        captured = _Captured((self.whole, push))

        def jvp(chosen: Any, given: Any, tangents: Any) -> Any:
            return captured.call(push, (chosen, tangents), given)

        moving = floating(tree.flatten(self.specs)[0])
        arguments = (self.specs, captured.specs, moving)
        rule = trace_for(jvp, f"{self.name}_jvp_rule", arguments)
        return self._emit(captured, "weft.custom_jvp", (rule,))

    def _emit(
        self, captured: _Captured, attribute: str, rules: tuple[Nested, ...]
    ) -> Any:
        from mlir import ir

        if self.is_recursive and captured.tracers:
            raise TransformError(
                f"a rule of {self.kind} {self.name!r} calls the function, and uses an "
                f"array ({captured.tracers[0]}, made at {captured.tracers[0].origin}) "
                "that is no argument of it; pass the array as an argument"
            )
        whole = self.whole
        context = whole.trace.context.mlir
        names = [ir.FlatSymbolRefAttr.get(r.function.symbol, context) for r in rules]
        value = names[0] if len(names) == 1 else ir.ArrayAttr.get(names, context)

        def function(chosen: Any, given: Any) -> Any:
            return captured.call(whole, chosen, given)

        arguments = (self.specs, captured.specs)
        attributes = {attribute: value}
        outer = trace_for(function, self.name, arguments, attributes, self.symbol)
        operands = [*whole.operands, *captured.tracers]
        return whole.tree(outer.emit_with("func.call", operands, outer.outputs, {}))


class _Captured:
    """All that some functions captured, each once."""

    def __init__(self, functions: Sequence[Nested]) -> None:
        unique = {x.value: x for nested in functions for x in nested.captured}
        self.tracers = tuple(unique.values())
        self._position = {value: i for i, value in enumerate(unique)}

    @property
    def specs(self) -> list[ShapeDtypeStruct]:
        return [_spec(x) for x in self.tracers]

    def of(self, nested: Nested, given: Sequence[Tracer]) -> list[Tracer]:
        """Those that one function captured, among `given` ones for all."""
        return [given[self._position[x.value]] for x in nested.captured]

    def call(self, nested: Nested, args: Any, given: Sequence[Tracer]) -> list[Tracer]:
        """Calls one of the functions in the present trace."""
        return _emit_call(nested, (args, self.of(nested, given)))


def _emit_call(nested: Nested, args: Any, symbol: str | None = None) -> list[Tracer]:
    operands = tree.flatten(args)[0]
    return nested.emit_with("func.call", operands, nested.outputs, {}, symbol)


def _zeros(spec: ShapeDtypeStruct) -> Array:
    return ops.zeros(spec.shape, dtype=spec.dtype)


def _pair(given: Any, what: str, of: str) -> tuple[Any, Any]:
    if not isinstance(given, tuple) or len(given) != 2:
        raise TransformError(f"{what} returns {of}, not {type(given).__name__}")
    return given


def _spec(x: Tracer) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(x.shape, x.dtype)


def _positional(
    function: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """All arguments by position."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs)
    except (TypeError, ValueError):  # a builtin without a signature
        return args
    bound.apply_defaults()
    if bound.kwargs:
        raise TransformError(
            f"{name_of(function)!r} has a rule of its own and takes "
            f"{', '.join(bound.kwargs)} by keyword only; make it positional"
        )
    return bound.args


@public
def custom_vjp(
    function: Rule | None = None, /, *, nondiff_argnums: Sequence[int] = ()
) -> Any:
    """A function whose derivative in reverse mode is given by hand.

    `defvjp(fwd, bwd)` gives it. Arguments in `nondiff_argnums` are Python values that
    have no derivative. A derivative with respect to an array that the function uses
    without having it as an argument is an error.

    >>> @weft.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda _, ct: (weft.clip(ct, -1.0, 1.0),))
    >>> weft.grad(lambda x: 5.0 * clipped(x))(2.0)
    Array(1., dtype=float32)
    """
    if function is None:
        return lambda f: custom_vjp(f, nondiff_argnums=nondiff_argnums)
    return CustomVjp(function, nondiff_argnums)


@public
def custom_jvp(
    function: Rule | None = None, /, *, nondiff_argnums: Sequence[int] = ()
) -> Any:
    """A function whose derivative is given by hand, in forward mode.

    `defjvp(rule)` or `defjvps(*rules)` gives it; reverse mode transposes it.
    Arguments in `nondiff_argnums` are Python values that have no derivative. A
    derivative with respect to an array that the function uses without having it as an
    argument is an error.

    >>> @weft.custom_jvp
    ... def log1pexp(x):
    ...     return weft.log(1.0 + weft.exp(x))
    >>> log1pexp.defjvps(lambda t, y, x: t * (1.0 - 1.0 / (1.0 + weft.exp(x))))
    >>> weft.grad(log1pexp)(100.0)
    Array(1., dtype=float32)
    """
    if function is None:
        return lambda f: custom_jvp(f, nondiff_argnums=nondiff_argnums)
    return CustomJvp(function, nondiff_argnums)
