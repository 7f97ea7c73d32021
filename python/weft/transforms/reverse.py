"""Reverse mode: `grad`, `value_and_grad`, `vjp`; and `linearize`, its transpose."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import ops, tree
from ..array import Array
from ..devices import CPU
from ..dtypes import default_precision, is_kind
from ..errors import TransformError, check_arguments, public
from ..jit import Jitted
from ..residuals import Passes, split
from ..specs import ShapeDtypeStruct, spec_of
from ..tracer import CURRENT, Residuals, Tracer
from .common import (
    ArgNums,
    Nested,
    Transformed,
    at_hand,
    cast_like,
    check_complex,
    check_floats,
    check_function,
    check_real,
    device_at_hand,
    differentiate,
    floating,
    name_of,
    run_with_values,
    trace_nested,
)


@dataclass(frozen=True, slots=True)
class Linearized:
    """A function applied within a trace, and what its derivative keeps of that.

    It may be used in the traces nested in its own.
    """

    nested: Nested
    primals: tuple[Tracer, ...]
    residuals: Residuals

    @property
    def outputs(self) -> Any:
        """The tree of the function's results."""
        return self.nested.tree(self.primals)

    def pull_back(self, cotangents: Sequence[Array]) -> list[Tracer]:
        """The cotangents of the operands, given one for each floating result."""
        return self._emit("weft.pullback", cotangents, self.nested.operands)

    def push_forward(self, tangents: Sequence[Array]) -> list[Tracer]:
        """The tangents of the floating results, given one for each operand."""
        return self._emit("weft.pushforward", tangents, floating(self.primals))

    def _emit(
        self, name: str, given: Sequence[Array], results: Sequence[Tracer]
    ) -> list[Tracer]:
        trace = CURRENT.get()
        assert trace is not None
        location, origin = trace.location()
        specs = [ShapeDtypeStruct(x.shape, x.dtype) for x in results]
        op = trace.create(
            name,
            [trace.lift(x).value for x in (self.residuals, *given)],
            [trace.context.type_of(spec) for spec in specs],
            {},
            location,
        )
        return [
            Tracer(trace, value, spec, origin, x.weak)
            for value, spec, x in zip(op.results, specs, results, strict=True)
        ]


def linearized(function: Callable[..., Any], name: str, args: Any) -> Linearized:
    """Traces a function on trees of floats and linearizes it at all of their leaves."""
    from mlir import ir

    nested = trace_nested(function, name, args)
    trace, traced = nested.trace, nested.function
    location, origin = trace.location()
    mlir = trace.context.mlir
    wrt = tuple(range(len(nested.operands)))
    residuals = f"!weft.residuals<@{traced.symbol}, [{', '.join(map(str, wrt))}]>"
    types = [trace.context.type_of(spec) for spec in traced.outputs]
    op = trace.create(
        "weft.linearize",
        [x.value for x in (*nested.operands, *nested.captured)],
        [*types, ir.Type.parse(residuals, mlir)],
        {"callee": ir.FlatSymbolRefAttr.get(traced.symbol, mlir), "wrt": wrt},
        location,
    )
    *values, kept = op.results
    primals = tuple(
        Tracer(trace, value, spec, origin)
        for value, spec in zip(values, traced.outputs, strict=True)
    )
    return Linearized(nested, primals, Residuals(trace, kept, origin))


def _scalar_output(
    transform: str, name: str, outputs: Any, has_aux: bool, holomorphic: bool
) -> Tracer:
    if has_aux:
        if not isinstance(outputs, tuple) or len(outputs) != 2:
            raise TransformError(
                f"{transform} of {name!r} with has_aux=True needs a function that "
                f"returns (value, aux), not {type(outputs).__name__}"
            )
        outputs = outputs[0]
    if not isinstance(outputs, Tracer):
        raise TransformError(
            f"{transform} of {name!r} needs a function that returns one array, not a "
            f"{type(outputs).__name__}; return the value to differentiate, or "
            "(value, aux) with has_aux=True"
        )
    if outputs.shape != () or not is_kind(outputs.dtype, "inexact"):
        raise TransformError(
            f"{transform} of {name!r} needs a function that returns one float, but it "
            f"returns {outputs}. Reduce it, for example with weft.sum or weft.mean, "
            "or use weft.vjp or weft.jacrev"
        )
    check = check_complex if holomorphic else check_real
    check(transform, name, [outputs], "the result")
    return outputs


def _seed(linear: Linearized, of: Tracer) -> list[Array]:
    """One cotangent for each floating result: one for a result, zeros elsewhere."""
    return [
        ops.full(x.shape, 1.0 if x is of else 0.0, dtype=x.dtype)
        for x in linear.primals
        if is_kind(x.dtype, "inexact")
    ]


@public
def value_and_grad(
    function: Callable[..., Any],
    argnums: ArgNums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Transformed:
    """A function of the same arguments that returns the value and the gradient.

    The gradient has the structure of the argument that `argnums` names, or is a tuple
    of them. With `has_aux`, `function` returns (value, aux), and so does the result
    in the value's place. For `holomorphic` and complex arguments see `weft.grad`.

    >>> weft.value_and_grad(lambda x: x**2)(3.0)
    (Array(9., dtype=float32), Array(6., dtype=float32))
    """
    check_function(function, "value_and_grad")
    apply = _value_and_grad("value_and_grad", function, argnums, has_aux, holomorphic)
    return Transformed(apply, function, "value_and_grad")


def _value_and_grad(
    transform: str,
    function: Callable[..., Any],
    argnums: ArgNums,
    has_aux: bool,
    holomorphic: bool,
) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    single = isinstance(argnums, int)

    def body(chosen: Callable[..., Any], name: str, wrt: Any) -> Any:
        if holomorphic:
            check_complex(transform, name, tree.flatten(wrt)[0], "an argument")
        linear = linearized(chosen, name, wrt)
        outputs = linear.outputs
        value = _scalar_output(transform, name, outputs, has_aux, holomorphic)
        gradients = linear.pull_back(_seed(linear, value))
        gradient = tree.unflatten(tree.flatten(wrt)[1], gradients)
        return outputs, gradient[0] if single else gradient

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return differentiate(transform, function, argnums, args, kwargs, body)

    return apply


@public
def grad(
    function: Callable[..., Any],
    argnums: ArgNums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Transformed:
    """A function of the same arguments that returns the gradient.

    The gradient has the structure of the argument that `argnums` names, or is a tuple
    of them. With `has_aux`, `function` returns (value, aux), and the result is
    (gradient, aux).

    By a complex argument z = x + iy the gradient of a real value u is
    du/dx - i du/dy: a step along its conjugate is uphill. With `holomorphic`,
    arguments and value are complex, and the gradient is the complex derivative;
    without, a complex value is an error.

    >>> weft.grad(lambda x: x**3)(2.0)
    Array(12., dtype=float32)
    >>> weft.grad(lambda z: weft.abs(z) ** 2)(1 + 2j)
    Array(2.-4.j, dtype=complex64)
    >>> weft.grad(lambda z: z**3, holomorphic=True)(1j)
    Array(-3.+0.j, dtype=complex64)
    """
    check_function(function, "grad")
    both = _value_and_grad("grad", function, argnums, has_aux, holomorphic)

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value, gradient = both(args, kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return Transformed(apply, function, "grad")


@public
def vjp(
    function: Callable[..., Any], *primals: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of a function, and its pullback: cotangents of results to primals'.

    The pullback takes a tree like the function's result and returns a tuple with a
    tree like each of `primals`; it may be called more than once. With `has_aux` the
    function returns (value, aux), and aux is a third result. Of complex numbers it is
    the transpose, not the conjugate transpose: of a function with the complex
    derivative f'(z), `ct` becomes `ct * f'(z)`.

    >>> y, pullback = weft.vjp(lambda x: x * x, weft.asarray([1.0, 2.0]))
    >>> pullback(weft.ones(2))
    (Array([2., 4.], dtype=float32),)
    """
    check_function(function, "vjp")
    name = name_of(function)
    check_arguments(function, primals, {})
    for i, primal in enumerate(primals):
        check_floats("vjp", name, primal, i)
    if CURRENT.get() is None:
        return _eager_vjp(function, name, primals, has_aux)
    linear = linearized(function, name, primals)
    value, aux = split_aux("vjp", name, linear.outputs, has_aux)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        """The cotangents of the primals, for a tree like the function's result."""
        what = f"the cotangent of {name!r}"
        given = cast_like(cotangents, value, what)
        by_result = {
            id(x): ct for x, ct in zip(tree.flatten(value)[0], given, strict=True)
        }
        cts = [
            by_result[id(x)] if id(x) in by_result else ops.zeros_like(x)
            for x in floating(linear.primals)
        ]
        return tree.unflatten(tree.flatten(primals)[1], linear.pull_back(cts))

    return (value, public(pullback), *((aux,) if has_aux else ()))


def split_aux(transform: str, name: str, outputs: Any, has_aux: bool) -> Any:
    """(value, aux) of a function's results; aux is None without `has_aux`."""
    if not has_aux:
        return outputs, None
    if not isinstance(outputs, tuple) or len(outputs) != 2:
        raise TransformError(
            f"{transform} of {name!r} with has_aux=True needs a function that returns "
            f"(value, aux), not {type(outputs).__name__}"
        )
    return outputs


def _eager_vjp(
    function: Callable[..., Any], name: str, primals: Any, has_aux: bool
) -> tuple[Any, ...]:
    """Runs the forward pass now, and the backward pass for each cotangent."""
    leaves, structure = tree.flatten((primals, {}))
    passes, results = _passes(function, name, leaves, structure)
    outputs = passes.forward(leaves)
    primal, kept = outputs[: results.num_leaves], outputs[results.num_leaves :]
    value, aux = split_aux("vjp", name, tree.unflatten(results, primal), has_aux)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        """The cotangents of the primals, for a tree like the function's result."""
        if CURRENT.get() is not None:
            return vjp(function, *primals, has_aux=has_aux)[1](cotangents)
        given = cast_like(cotangents, value, f"the cotangent of {name!r}")
        # The leaves of (value, aux) are those of the value, then the others.
        aux_leaves = primal[len(given) :]
        cts = [*given, *map(ops.zeros_like, aux_leaves)]
        pulled = passes.backward([*passes.saved(leaves, kept), *floating(cts)])
        strong = [
            ops.astype(g, default_precision(g.dtype)) if spec_of(leaf).weak else g
            for g, leaf in zip(pulled, leaves, strict=True)
        ]
        return tree.unflatten(tree.flatten(primals)[1], strong)

    if has_aux:
        return value, public(pullback), aux
    return value, public(pullback)


def _passes(
    function: Callable[..., Any], name: str, leaves: Any, structure: tree.TreeDef
) -> tuple[Passes, tree.TreeDef]:
    """A function's forward and backward pass: compiled if it is under `jit`."""
    from ..builder import trace_program

    if isinstance(function, Jitted) and not function.has_static_arguments:
        return function.passes(tree.unflatten(structure, leaves)[0])
    traced = [at_hand(leaf, f"arg{i}") for i, leaf in enumerate(leaves)]
    device = device_at_hand(leaves, name)
    program, results = trace_program(function, name, structure, traced, device=device)
    parts = split(program, range(len(leaves)))
    if device == CPU:
        return Passes.interpreted(parts), results
    return Passes.compiled(parts, device), results


@public
def linearize(function: Callable[..., Any], *primals: Any) -> tuple[Any, Any]:
    """The value of a function, and its derivative there: tangents to tangents.

    The second result takes a tree like each of `primals` and returns one like the
    function's result (zeros for integers); it may be called more than once, and
    within a trace it does not compute the function again.

    >>> y, derivative = weft.linearize(weft.sin, 0.0)
    >>> derivative(2.0)
    Array(2., dtype=float32)
    """
    check_function(function, "linearize")
    name = name_of(function)
    check_arguments(function, primals, {})
    for i, primal in enumerate(primals):
        check_floats("linearize", name, primal, i)
    if CURRENT.get() is None:
        return _eager_linearize(function, name, primals)
    linear = linearized(function, name, primals)

    def derivative(*tangents: Any) -> Any:
        """The tangents of the results, for trees like the primals."""
        given = cast_like(tangents, primals, f"the tangent of {name!r}")
        return with_tangents(linear.nested, linear.primals, linear.push_forward(given))

    return linear.outputs, public(derivative)


def with_tangents(
    nested: Nested, primals: Sequence[Array], tangents: Sequence[Array]
) -> Any:
    """The tree of results' tangents, given those of the floating ones."""
    remaining = iter(tangents)
    return nested.tree(
        [
            next(remaining) if is_kind(x.dtype, "inexact") else ops.zeros_like(x)
            for x in primals
        ]
    )


def _eager_linearize(
    function: Callable[..., Any], name: str, primals: Any
) -> tuple[Any, Any]:
    """Evaluates now, and again with the derivative's ops for each tangent."""
    leaves, structure = tree.flatten(primals)
    ordered = tree.unflatten(tree.in_order(structure), leaves)
    value = run_with_values(function, name, ordered)

    def derivative(*tangents: Any) -> Any:
        def both(primals: Any, tangents: Any) -> Any:
            return linearize(function, *primals)[1](*tangents)

        if CURRENT.get() is not None:
            return both(primals, tangents)
        given = cast_like(tangents, primals, f"the tangent of {name!r}")
        like = tree.unflatten(tree.flatten(primals)[1], given)
        return run_with_values(both, f"linearize_{name}", (primals, like))

    return value, public(derivative)
