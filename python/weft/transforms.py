"""`grad` and its kin: within a trace they emit ops, outside they interpret them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import ops, tree
from .array import Array
from .dtypes import is_kind, scalar_array
from .errors import TransformError, check_arguments, public
from .jit import Jitted
from .lowered import Lowered
from .ops.registry import is_scalar
from .specs import ShapeDtypeStruct, spec_of
from .tracer import CURRENT, Tracer

if TYPE_CHECKING:
    from .builder import Function, Trace

ArgNums = int | tuple[int, ...]
Leaf = tuple[ShapeDtypeStruct, str, Any]


def _at_hand(x: Any, name: str) -> Leaf:
    """An argument whose value is known while it is traced."""
    spec = spec_of(x)
    return spec, name, np.asarray(x, spec.dtype)


def run_with_values(function: Callable[..., Any], name: str, args: Any) -> Any:
    """Calls a function of trees of arrays by tracing it and interpreting the trace.

    Values are at hand while it is traced, so that it may branch on them.
    """
    from .builder import trace_program

    leaves, treedef = tree.flatten((args, {}))
    traced = [_at_hand(leaf, f"arg{i}") for i, leaf in enumerate(leaves)]
    program, results = trace_program(function, name, treedef, traced)
    return tree.unflatten(results, program.interpret_leaves(leaves))


# ---- within a trace ----


@dataclass(frozen=True, slots=True)
class Linearized:
    """A function applied within a trace, and what its pullback needs."""

    trace: Trace
    function: Function
    operands: tuple[Tracer, ...]
    primals: tuple[Tracer, ...]
    residuals: Any
    wrt: tuple[int, ...]

    @property
    def outputs(self) -> Any:
        """The tree of the function's results."""
        return tree.unflatten(self.function.treedef, self.primals)

    def pull_back(self, cotangents: Sequence[Array]) -> list[Tracer]:
        """The cotangents of the operands, given one for each floating result."""
        trace = CURRENT.get()
        assert trace is not None
        if trace is not self.trace:  # residuals do not leave their function
            operands = [trace.lift(x) for x in self.operands]
            here = linearize_function(trace, self.function, operands, self.wrt)
            return here.pull_back(cotangents)
        location, origin = trace.location()
        inputs = [self.operands[i] for i in self.wrt]
        pullback = trace.create(
            "weft.pullback",
            [self.residuals, *(trace.lift(ct).value for ct in cotangents)],
            [x.value.type for x in inputs],
            {},
            location,
        )
        return [
            Tracer(trace, value, ShapeDtypeStruct(x.shape, x.dtype), origin, x.weak)
            for value, x in zip(pullback.results, inputs, strict=True)
        ]


def linearize_function(
    trace: Trace, function: Function, operands: Sequence[Tracer], wrt: tuple[int, ...]
) -> Linearized:
    """Emits `weft.linearize` of a private function."""
    from mlir import ir

    location, origin = trace.location()
    mlir = trace.context.mlir
    residuals = f"!weft.residuals<@{function.symbol}, [{', '.join(map(str, wrt))}]>"
    types = [trace.context.type_of(spec) for spec in function.outputs]
    op = trace.create(
        "weft.linearize",
        [x.value for x in operands],
        [*types, ir.Type.parse(residuals, mlir)],
        {"callee": ir.FlatSymbolRefAttr.get(function.symbol, mlir), "wrt": wrt},
        location,
    )
    primals = tuple(
        Tracer(trace, value, spec, origin)
        for value, spec in zip(op.results, function.outputs, strict=False)
    )
    return Linearized(
        trace, function, tuple(operands), primals, op.results[len(primals)], wrt
    )


def linearize(function: Callable[..., Any], name: str, args: Any) -> Linearized:
    """Traces a function on trees of arrays and linearizes it at all of their leaves."""
    from .builder import Trace, trace_function

    trace = CURRENT.get()
    assert trace is not None
    leaves, treedef = tree.flatten((args, {}))
    operands = [_weak_lift(trace, leaf) for leaf in leaves]
    traced = trace_function(
        Trace(trace.builder, name, parent=trace, function=function),
        function,
        treedef,
        [
            (ShapeDtypeStruct(x.shape, x.dtype, x.weak), f"arg{i}", x)
            for i, x in enumerate(operands)
        ],
    )
    captured = [trace.lift(x) for x in traced.captures]
    wrt = tuple(range(len(operands)))
    return linearize_function(trace, traced, [*operands, *captured], wrt)


def _weak_lift(trace: Trace, leaf: Any) -> Tracer:
    if not is_scalar(leaf):
        return trace.lift(ops.asarray(leaf) if not isinstance(leaf, Array) else leaf)
    lifted = trace.lift(Array(scalar_array(leaf, spec_of(leaf).dtype)))
    return Tracer(
        trace, lifted.value, ShapeDtypeStruct((), lifted.dtype), lifted.origin, True
    )


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
        self.__name__ = f"{name}_{_name(function)}"
        self.__doc__ = f"`{name}` of `{_name(function)}`.\n\n{function.__doc__ or ''}"

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._apply(args, kwargs)

    @public
    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The traced program for arguments like these (see `Jitted.lower`)."""
        return Jitted(self, (), ()).lower(*args, **kwargs)

    @public
    def interpret(self, *args: Any, **kwargs: Any) -> Any:
        """What it means for these arguments, without compiling it."""
        return Jitted(self, (), ()).interpret(*args, **kwargs)


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _check_function(function: Any, transform: str) -> None:
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
    return tuple(number % len(args) for number in numbers)


def _check_floats(transform: str, name: str, args: Any, number: int | str) -> None:
    for leaf, path in zip(
        tree.flatten(args)[0], tree.paths(args, f"args[{number}]"), strict=True
    ):
        spec = spec_of(leaf)
        if not is_kind(spec.dtype, "float"):
            raise TransformError(
                f"{transform} of {name!r}: {path} is {spec}, and only floats have "
                "derivatives. Convert it with .astype(weft.float32) (write 1.0 for 1), "
                "or differentiate other arguments (argnums)"
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

    return functools.update_wrapper(chosen, function)


def _differentiate(
    transform: str,
    function: Callable[..., Any],
    argnums: ArgNums,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    body: Callable[[Callable[..., Any], str, Any], Any],
) -> Any:
    """Runs `body` within a trace: the current one, or one with the values at hand."""
    name = _name(function)
    check_arguments(function, args, kwargs)
    numbers = _chosen(transform, name, argnums, args)
    for number in numbers:
        _check_floats(transform, name, args[number], number)
    chosen = _partial(function, numbers, args, kwargs)
    wrt = tuple(args[number] for number in numbers)
    if CURRENT.get() is not None:
        return body(chosen, name, wrt)

    def whole(*xs: Any) -> Any:
        return body(chosen, name, xs)

    whole = functools.update_wrapper(whole, function)
    return run_with_values(whole, f"{transform}_{name}", wrt)


def _scalar_output(transform: str, name: str, outputs: Any, has_aux: bool) -> Tracer:
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
    if outputs.shape != () or not is_kind(outputs.dtype, "float"):
        raise TransformError(
            f"{transform} of {name!r} needs a function that returns one float, but it "
            f"returns {outputs}. Reduce it, for example with weft.sum or weft.mean, "
            "or use weft.vjp or weft.jacrev"
        )
    return outputs


def _seed(linear: Linearized, of: Tracer) -> list[Array]:
    """One cotangent for each floating result: one for a result, zeros elsewhere."""
    return [
        ops.full(x.shape, 1.0 if x is of else 0.0, dtype=x.dtype)
        for x in linear.primals
        if is_kind(x.dtype, "float")
    ]


@public
def value_and_grad(
    function: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Transformed:
    """A function of the same arguments that returns the value and the gradient.

    The gradient has the structure of the argument that `argnums` names, or is a tuple
    of them. With `has_aux`, `function` returns (value, aux), and so does the result
    in the value's place.

    >>> weft.value_and_grad(lambda x: x**2)(3.0)
    (Array(9., dtype=float32), Array(6., dtype=float32))
    """
    _check_function(function, "value_and_grad")
    apply = _value_and_grad("value_and_grad", function, argnums, has_aux)
    return Transformed(apply, function, "value_and_grad")


def _value_and_grad(
    transform: str, function: Callable[..., Any], argnums: ArgNums, has_aux: bool
) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    single = isinstance(argnums, int)

    def body(chosen: Callable[..., Any], name: str, wrt: Any) -> Any:
        linear = linearize(chosen, name, wrt)
        outputs = linear.outputs
        value = _scalar_output(transform, name, outputs, has_aux)
        gradients = linear.pull_back(_seed(linear, value))
        gradient = tree.unflatten(tree.flatten(wrt)[1], gradients)
        return outputs, gradient[0] if single else gradient

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _differentiate(transform, function, argnums, args, kwargs, body)

    return apply


@public
def grad(
    function: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Transformed:
    """A function of the same arguments that returns the gradient.

    The gradient has the structure of the argument that `argnums` names, or is a tuple
    of them. With `has_aux`, `function` returns (value, aux), and the result is
    (gradient, aux).

    >>> weft.grad(lambda x: x**3)(2.0)
    Array(12., dtype=float32)
    """
    _check_function(function, "grad")
    both = _value_and_grad("grad", function, argnums, has_aux)

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
    function returns (value, aux), and aux is a third result.

    >>> y, pullback = weft.vjp(lambda x: x * x, weft.asarray([1.0, 2.0]))
    >>> pullback(weft.ones(2))
    (Array([2., 4.], dtype=float32),)
    """
    _check_function(function, "vjp")
    name = _name(function)
    check_arguments(function, primals, {})
    for i, primal in enumerate(primals):
        _check_floats("vjp", name, primal, i)
    if CURRENT.get() is None:
        return _eager_vjp(function, name, primals, has_aux)
    linear = linearize(function, name, primals)
    value, aux = linear.outputs if has_aux else (linear.outputs, None)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        return _pull_back(linear, name, value, primals, cotangents)

    return (value, public(pullback), *((aux,) if has_aux else ()))


def _pull_back(
    linear: Linearized, name: str, value: Any, primals: Any, cotangents: Any
) -> tuple[Any, ...]:
    results, expected = tree.flatten(value)
    given, structure = tree.flatten(cotangents)
    if structure != expected:
        raise TransformError(
            f"the pullback of {name!r} takes a cotangent with the structure of its "
            f"result, {expected}, not {structure}"
        )
    by_result = {}
    for result, ct in zip(results, given, strict=True):
        array = ops.asarray(ct)
        if array.shape != result.shape:
            raise TransformError(
                f"the pullback of {name!r} takes cotangents of its results' shapes: "
                f"{result} needs one of shape {result.shape}, not {array.shape}"
            )
        by_result[id(result)] = ops.astype(array, result.dtype)
    cts = [
        by_result[id(x)] if id(x) in by_result else ops.zeros_like(x)
        for x in linear.primals
        if is_kind(x.dtype, "float")
    ]
    gradients = linear.pull_back(cts)
    return tree.unflatten(tree.flatten(primals)[1], gradients)


def _eager_vjp(
    function: Callable[..., Any], name: str, primals: Any, has_aux: bool
) -> tuple[Any, ...]:
    """Evaluates now, and again with the pullback's ops for each cotangent."""
    value = run_with_values(function, name, primals)

    def pullback(cotangents: Any) -> tuple[Any, ...]:
        def both(primals: Any, cotangents: Any) -> Any:
            return vjp(function, *primals, has_aux=has_aux)[1](cotangents)

        if CURRENT.get() is not None:
            return both(primals, cotangents)
        leaves, structure = tree.flatten(cotangents)
        arrays = tree.unflatten(structure, list(map(ops.asarray, leaves)))
        return run_with_values(both, f"vjp_{name}", (primals, arrays))

    if has_aux:
        return value[0], public(pullback), value[1]
    return value, public(pullback)


@public
def jacrev(
    function: Callable[..., Any], argnums: ArgNums = 0, has_aux: bool = False
) -> Transformed:
    """A function that returns the Jacobian, made row by row in reverse mode.

    For each array of the result and of the argument that `argnums` names, the shape is
    the result's and then the argument's.

    >>> weft.jacrev(lambda x: x * x)(weft.asarray([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    _check_function(function, "jacrev")
    single = isinstance(argnums, int)

    def body(chosen: Callable[..., Any], name: str, wrt: Any) -> Any:
        linear = linearize(chosen, name, wrt)
        outputs, aux = linear.outputs if has_aux else (linear.outputs, None)
        rows = [
            _rows(linear, result, name, wrt, single)
            for result in tree.flatten(outputs)[0]
        ]
        jacobian = tree.unflatten(tree.flatten(outputs)[1], rows)
        return (jacobian, aux) if has_aux else jacobian

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _differentiate("jacrev", function, argnums, args, kwargs, body)

    return Transformed(apply, function, "jacrev")


def _rows(linear: Linearized, of: Tracer, name: str, wrt: Any, single: bool) -> Any:
    """The Jacobian of one result: a pullback of each of its elements."""
    if not is_kind(of.dtype, "float"):
        raise TransformError(
            f"jacrev of {name!r}: a result is {of}, and only floats have derivatives; "
            "return it as aux with has_aux=True"
        )
    leaves, treedef = tree.flatten(wrt)
    pulled: list[list[Array]] = []
    for i in range(of.size):
        one = (np.arange(of.size) == i).astype(of.dtype).reshape(of.shape)
        cts = [
            Array(one) if x is of else ops.full(x.shape, 0, dtype=x.dtype)
            for x in linear.primals
            if is_kind(x.dtype, "float")
        ]
        pulled.append(list(linear.pull_back(cts)))
    columns = [
        ops.reshape(
            ops.stack([row[j] for row in pulled])
            if pulled
            else ops.zeros((0, *np.shape(leaf))),
            (*of.shape, *np.shape(leaf)),
        )
        for j, leaf in enumerate(leaves)
    ]
    rows = tree.unflatten(treedef, columns)
    return rows[0] if single else rows
