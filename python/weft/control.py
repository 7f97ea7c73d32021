"""Choices and loops as ops: `cond`, `switch`, `while_loop`, `fori_loop`, `scan`.

A body is traced once into the region of its op, whatever is chosen and however often
it is repeated. Outside a trace the op is traced and interpreted, so that it means
there what it means under `jit`.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from . import ops, tree
from .array import Array
from .dtypes import (
    BOOL,
    INT,
    default_precision,
    is_kind,
    promote,
    python_precision,
    spell,
)
from .errors import (
    ArgumentError,
    DTypeError,
    ShapeError,
    StructureError,
    UnsupportedTypeError,
    public,
)
from .ops.registry import cast, common_dtype, is_scalar
from .specs import ShapeDtypeStruct, check_shape, spec_of
from .tracer import CURRENT, Tracer

if TYPE_CHECKING:
    from .builder import Trace

Leaf = tuple[ShapeDtypeStruct, str, Any]


# ---- bodies ----


@dataclass(slots=True)
class Body:
    """A function that was traced to become the body of an op."""

    name: str
    trace: Trace
    results: list[Tracer]
    treedef: tree.TreeDef
    paths: list[str]

    @property
    def specs(self) -> list[ShapeDtypeStruct]:
        """What it returns."""
        return [ShapeDtypeStruct(r.shape, r.dtype, r.weak) for r in self.results]

    def convert(self, specs: Sequence[ShapeDtypeStruct]) -> None:
        """Has it return arrays of these dtypes."""
        self.results = [
            self.trace.run(_converted, self.trace, x, spec)
            for x, spec in zip(self.results, specs, strict=True)
        ]


def _converted(trace: Trace, x: Tracer, spec: ShapeDtypeStruct) -> Tracer:
    return x if x.dtype == spec.dtype else trace.lift(cast(x, spec.dtype))


def _lift(trace: Trace, leaf: Any, name: str, path: str) -> Tracer:
    """A leaf of a tree as a value of a trace; a Python scalar stays weak."""
    if isinstance(leaf, Array):
        return trace.lift(leaf)
    if isinstance(leaf, (np.ndarray, np.generic)):
        return trace.lift(ops.asarray(leaf))
    if not is_scalar(leaf):
        raise UnsupportedTypeError(
            f"{name}: {path} is a {type(leaf).__name__}; what is carried, chosen or "
            "returned here are arrays, numbers and trees of them (dict, list, tuple, "
            "None, dataclass)"
        )
    spec = spec_of(leaf)
    lifted = trace.lift(Array(np.asarray(leaf, spec.dtype)))
    return Tracer(trace, lifted.value, lifted._spec, lifted.origin, spec.weak)


def _trace_body(
    function: Callable[..., Any], name: str, treedef: tree.TreeDef, leaves: list[Leaf]
) -> Body:
    """Traces a call of `function(*args)`; `treedef` is the structure of `args`."""
    from .builder import Trace

    parent = CURRENT.get()
    assert parent is not None
    trace = Trace(parent.builder, name, parent=parent, function=function)
    try:
        arguments = [trace.argument(*leaf) for leaf in leaves]
        args = tree.unflatten(tree.in_order(treedef), arguments)
        returned = trace.run(function, *args)
        values, structure = tree.flatten(returned)
        paths = tree.paths(returned, "result") if values else []
        results = [
            trace.run(_lift, trace, value, name, path)
            for value, path in zip(values, paths, strict=True)
        ]
    except BaseException:
        trace.discard()
        raise
    return Body(name, trace, results, structure, paths)


def _emit(
    name: str,
    bodies: Sequence[Body],
    operands: Sequence[Sequence[Tracer]],
    results: Sequence[ShapeDtypeStruct],
    attributes: dict[str, Any],
) -> list[Tracer]:
    """Builds an op with bodies; what those capture becomes trailing operands."""
    from mlir import ir

    trace = CURRENT.get()
    assert trace is not None
    captured: dict[int, Tracer] = {}
    for body in bodies:
        captured.update({id(x): x for x in body.trace.captures})
    constants = list(captured.values())
    if name != "weft.switch":
        counts = [*map(len, operands), len(constants)]
        sizes = ir.DenseI32ArrayAttr.get(counts, context=trace.context.mlir)
        attributes = attributes | {"operandSegmentSizes": sizes}
    location, origin = trace.location()
    operation = trace.create(
        name,
        [x.value for x in (*(x for group in operands for x in group), *constants)],
        [trace.context.type_of(spec) for spec in results],
        attributes,
        location,
        [partial(b.trace.become_body, b.results, constants) for b in bodies],
    )
    return [
        Tracer(trace, value, spec, origin, spec.weak)
        for value, spec in zip(operation.results, results, strict=True)
    ]


def _at_once(function: Callable[..., Any], name: str, args: tuple[Any, ...]) -> Any:
    """Applies a function of trees where no trace is on."""
    from .transforms.common import run_with_values

    return run_with_values(function, name, args)


def _check_callable(name: str, what: str, function: Any) -> None:
    if not callable(function):
        raise UnsupportedTypeError(
            f"{name}: {what} is a {type(function).__name__}, not a function; write "
            f"{name}(..., f, ...), not {name}(..., f(x), ...)"
        )


def _function_name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _operands(name: str, args: Any, what: str) -> tuple[list[Tracer], tree.TreeDef]:
    """The leaves of a tree in the current trace."""
    trace = CURRENT.get()
    assert trace is not None
    leaves, treedef = tree.flatten(args)
    paths = tree.paths(args, what) if leaves else []
    lifted = [_lift(trace, x, name, p) for x, p in zip(leaves, paths, strict=True)]
    return lifted, treedef


def _spec(x: Tracer) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(x.shape, x.dtype, x.weak)


def _joined(specs: Sequence[ShapeDtypeStruct]) -> ShapeDtypeStruct | None:
    """The one type of values that meet, if there is one: Python numbers yield."""
    strong = {spec.dtype for spec in specs if not spec.weak}
    weak = [spec.dtype for spec in specs if spec.weak]
    if len({spec.shape for spec in specs}) > 1 or len(strong) > 1:
        return None
    dtype = promote(strong, weak)
    if not strong:
        return ShapeDtypeStruct(specs[0].shape, python_precision(dtype), weak=True)
    return ShapeDtypeStruct(specs[0].shape, dtype) if dtype in strong else None


# ---- choices ----


@public
def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
) -> Any:
    """What `true_fun(*operands)` returns if `pred` is true, else `false_fun`'s result.

    Both functions return trees of the same structure, shapes and dtypes. Only the one
    that is chosen runs, except under `vmap` of `pred`, where both run, so that what
    the other one makes of its operands (a NaN, say) may show in derivatives.

    >>> weft.cond(2 > 1, weft.sin, weft.cos, weft.asarray(0.0))
    Array(0., dtype=float32)
    """
    _check_callable("cond", "true_fun", true_fun)
    _check_callable("cond", "false_fun", false_fun)
    if CURRENT.get() is None:
        return _at_once(
            lambda p, *xs: cond(p, true_fun, false_fun, *xs), "cond", (pred, *operands)
        )
    [index], _ = _operands("cond", [pred], "pred") if is_leaf(pred) else ([None], None)
    if (
        index is None
        or index.shape != ()
        or not is_kind(index.dtype, "integer or bool")
    ):
        raise ArgumentError(
            f"cond: the predicate must be one bool, not {_describe(pred)}; use "
            "weft.any or weft.all of an array, weft.where for a choice per element, a "
            "comparison for a float"
        )
    predicate = index if index.dtype == BOOL else _converted(
        index.trace, index, ShapeDtypeStruct((), BOOL)
    )  # fmt: skip
    functions = {"false_fun": false_fun, "true_fun": true_fun}
    return _choose("cond", predicate, functions, operands)


@public
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What branch number `index` returns for the operands, the index being clamped.

    All branches return trees of the same structure, shapes and dtypes.

    >>> branches = [lambda x: x + 1, lambda x: x * 10]
    >>> weft.switch(1, branches, weft.asarray([1.0, 2.0]))
    Array([10., 20.], dtype=float32)
    """
    functions = {f"branches[{i}]": f for i, f in enumerate(branches)}
    if not functions:
        raise ArgumentError("switch: there are no branches; give one at least")
    for what, function in functions.items():
        _check_callable("switch", what, function)
    if CURRENT.get() is None:
        return _at_once(
            lambda i, *xs: switch(i, branches, *xs), "switch", (index, *operands)
        )
    [number], _ = (
        _operands("switch", [index], "index") if is_leaf(index) else ([None], None)
    )
    if number is None or number.shape != () or not is_kind(number.dtype, "integer"):
        raise ArgumentError(
            f"switch: the index must be one integer, not {_describe(index)}; "
            "weft.cond chooses by a bool"
        )
    as_i64 = _converted(number.trace, number, ShapeDtypeStruct((), INT))
    return _choose("switch", as_i64, functions, operands)


def is_leaf(x: Any) -> bool:
    """Whether a tree is a single leaf."""
    return tree.flatten(x)[1].is_leaf()


def _describe(x: Any) -> str:
    if is_scalar(x) or isinstance(x, (Array, np.ndarray, np.generic)):
        return str(spec_of(x))
    return f"a {type(x).__name__}"


def _choose(
    name: str,
    index: Tracer,
    functions: dict[str, Callable[..., Any]],
    operands: tuple[Any, ...],
) -> Any:
    inputs, treedef = _operands(name, operands, "operands")
    bodies: list[Body] = []
    try:
        for what, function in functions.items():
            leaves = [(_spec(x), f"operand{i}", x) for i, x in enumerate(inputs)]
            body = _trace_body(function, _function_name(function), treedef, leaves)
            bodies.append(body)
            body.name = f"{what} ({body.name!r})"
        specs = _branch_specs(name, bodies)
    except BaseException:
        for body in bodies:
            body.trace.discard()
        raise
    for body in bodies:
        body.convert(specs)
    results = _emit("weft.switch", bodies, [[index], inputs], specs, {})
    return tree.unflatten(bodies[0].treedef, results)


def _branch_specs(name: str, bodies: Sequence[Body]) -> list[ShapeDtypeStruct]:
    first = bodies[0]
    for body in bodies[1:]:
        if body.treedef != first.treedef:
            raise StructureError(
                f"{name}: {first.name} returns a tree of structure {first.treedef}, "
                f"{body.name} one of {body.treedef}; return the same structure from all"
            )
    specs = []
    for i, path in enumerate(first.paths):
        joined = _joined([body.specs[i] for body in bodies])
        if joined is None:
            returned = ", ".join(f"{body.name} {body.specs[i]}" for body in bodies)
            raise _mismatch({body.specs[i].shape for body in bodies})(
                f"{name}: the branches return different types (as {path}): {returned}; "
                "make the shapes equal, and convert with .astype(...) to one dtype"
            )
        specs.append(joined)
    return specs


def _mismatch(shapes: set[tuple[int, ...]]) -> type[ShapeError] | type[DTypeError]:
    return ShapeError if len(shapes) > 1 else DTypeError


# ---- loops ----


def _fixed_point(
    name: str,
    function: Callable[..., Any],
    structure: tree.TreeDef,
    inits: Sequence[Tracer],
    trace_step: Callable[[list[ShapeDtypeStruct]], tuple[Body, tree.TreeDef]],
) -> tuple[Body, list[ShapeDtypeStruct]]:
    """Traces a body for the types of what it carries.

    Those of Python numbers yield to what the body makes of them, so that it is traced
    again where they change. `trace_step` gives the body and the structure of what it
    carries on, its first results.
    """
    specs = [_spec(x) for x in inits]
    while True:
        body, carried = trace_step(specs)
        try:
            after = _carry_specs(name, function, body, carried, structure, specs)
        except BaseException:
            body.trace.discard()
            raise
        if after == specs:
            body.convert([*specs, *body.specs[len(specs) :]])
            return body, specs
        body.trace.discard()
        specs = after


def _carry_specs(
    name: str,
    function: Callable[..., Any],
    body: Body,
    carried: tree.TreeDef,
    structure: tree.TreeDef,
    specs: list[ShapeDtypeStruct],
) -> list[ShapeDtypeStruct]:
    called = _function_name(function)
    if carried != structure:
        raise StructureError(
            f"{name}: {called!r} is given a carry of structure {structure} and returns "
            f"one of {carried}; return what it is given, with new values"
        )
    after = []
    for given, made, path in zip(specs, body.specs, body.paths, strict=False):
        joined = _joined([given, made])
        if joined is None:
            raise _mismatch({given.shape, made.shape})(
                f"{name}: {called!r} is given a carry of {given} and returns {made} "
                f"(as {path}); a carry keeps its shape and dtype, so start with an "
                f"array of {spell(made.dtype, made.shape)}, or convert what is "
                "returned with .astype(...)"
            )
        after.append(joined)
    return after


@public
def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any
) -> Any:
    """Applies `body_fun` to `init_val`, and then to its result, while `cond_fun` holds.

    The value is a tree of arrays that keep their shapes and dtypes.

    >>> weft.while_loop(lambda x: x < 100, lambda x: x * 2, 3)
    Array(192, dtype=int64)
    """
    _check_callable("while_loop", "cond_fun", cond_fun)
    _check_callable("while_loop", "body_fun", body_fun)
    if CURRENT.get() is None:
        return _at_once(
            lambda x: while_loop(cond_fun, body_fun, x), "while_loop", (init_val,)
        )
    inits, structure = _operands("while_loop", init_val, "init_val")
    one = tree.flatten((init_val,))[1]

    def trace_step(specs: list[ShapeDtypeStruct]) -> tuple[Body, tree.TreeDef]:
        leaves = [(spec, f"carry{i}", None) for i, spec in enumerate(specs)]
        body = _trace_body(body_fun, _function_name(body_fun), one, leaves)
        return body, body.treedef

    body, specs = _fixed_point("while_loop", body_fun, structure, inits, trace_step)
    try:
        condition = _trace_condition(cond_fun, one, specs)
    except BaseException:
        body.trace.discard()
        raise
    starts = [_converted(x.trace, x, s) for x, s in zip(inits, specs, strict=True)]
    results = _emit("weft.while", [condition, body], [starts], specs, {})
    return tree.unflatten(structure, results)


def _trace_condition(
    function: Callable[..., Any], treedef: tree.TreeDef, specs: list[ShapeDtypeStruct]
) -> Body:
    leaves = [(spec, f"carry{i}", None) for i, spec in enumerate(specs)]
    condition = _trace_body(function, _function_name(function), treedef, leaves)
    given = condition.specs
    if (
        not condition.treedef.is_leaf()
        or given[0].shape
        or not is_kind(given[0].dtype, "integer or bool")
    ):
        condition.trace.discard()
        returned = ", ".join(map(str, given)) or "nothing"
        raise ArgumentError(
            f"while_loop: {_function_name(function)!r} must return one bool, not "
            f"{returned}; use weft.any or weft.all of an array"
        )
    condition.convert([ShapeDtypeStruct((), BOOL)])
    return condition


@public
def scan(
    f: Callable[..., Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> Any:
    """Applies `f(carry, x) -> (carry, y)` to each slice of arrays, one after another.

    `xs` is a tree of arrays with the same leading size; where there are none, `length`
    is the number of steps and `x` is `None`. Returns the last carry, and the `y` of
    all steps stacked. `reverse` goes from the last slice to the first; `y`s lie as
    their `x`s do. `unroll` asks for that many steps at a time, `True` for all of them.

    >>> weft.scan(lambda s, x: (s + x, s), 0.0, weft.asarray([1.0, 2.0, 3.0]))
    (Array(6., dtype=float32), Array([0., 1., 3.], dtype=float32))
    """
    _check_callable("scan", "f", f)
    if CURRENT.get() is None:
        return _at_once(
            lambda c, x: scan(f, c, x, length, reverse, unroll), "scan", (init, xs)
        )
    inits, structure = _operands("scan", init, "init")
    arrays, _ = _operands("scan", xs, "xs")
    steps = _scan_length(arrays, tree.paths(xs, "xs") if arrays else [], length)
    both = tree.flatten((init, xs))[1]
    slices = [
        (ShapeDtypeStruct(x.shape[1:], x.dtype), f"x{i}", None)
        for i, x in enumerate(arrays)
    ]

    def trace_step(specs: list[ShapeDtypeStruct]) -> tuple[Body, tree.TreeDef]:
        carries = [(spec, f"carry{i}", None) for i, spec in enumerate(specs)]
        body = _trace_body(f, _function_name(f), both, [*carries, *slices])
        return body, _check_pair(f, body)

    body, specs = _fixed_point("scan", f, structure, inits, trace_step)
    strong = [_strong(spec) for spec in body.specs[len(specs) :]]
    body.convert([*specs, *strong])
    ys = [ShapeDtypeStruct((steps, *y.shape), y.dtype) for y in strong]
    starts = [_converted(x.trace, x, s) for x, s in zip(inits, specs, strict=True)]
    attributes: dict[str, Any] = {"length": steps, "unroll": _unroll(unroll, steps)}
    results = _emit_scan(body, starts, arrays, [*specs, *ys], attributes, reverse)
    return tree.unflatten(body.treedef, results)


def _emit_scan(
    body: Body,
    starts: list[Tracer],
    arrays: list[Tracer],
    results: list[ShapeDtypeStruct],
    attributes: dict[str, Any],
    reverse: bool,
) -> list[Tracer]:
    from mlir import ir

    if reverse:
        attributes["reverse"] = ir.UnitAttr.get(body.trace.context.mlir)
    return _emit("weft.scan", [body], [[], starts, arrays], results, attributes)


def _strong(spec: ShapeDtypeStruct) -> ShapeDtypeStruct:
    """The type of an array of Python numbers."""
    dtype = default_precision(spec.dtype) if spec.weak else spec.dtype
    return ShapeDtypeStruct(spec.shape, dtype)


def _check_pair(f: Callable[..., Any], body: Body) -> tree.TreeDef:
    """The structure of the carry that the body of a scan returns."""
    parts = body.treedef.children()
    if body.treedef.type is tuple and len(parts) == 2:
        return parts[0]
    body.trace.discard()
    raise StructureError(
        f"scan: {_function_name(f)!r} must return a pair (carry, y), not a tree of "
        f"structure {body.treedef}; return (carry, None) where there is no y"
    )


def _scan_length(
    arrays: Sequence[Tracer], paths: Sequence[str], length: int | None
) -> int:
    """The number of steps, which all agree on."""
    sizes = {}
    for array, path in zip(arrays, paths, strict=True):
        if not array.shape:
            raise ShapeError(
                f"scan: {path} is {array}, which has no leading axis to go along; "
                "capture it in the function, or put it into the carry"
            )
        sizes[path] = array.shape[0]
    if length is not None:
        sizes["length"] = _static_int("scan", "length", length)
        if sizes["length"] < 0:
            raise ArgumentError(
                f"scan: length is {length}, and there are no negative numbers of steps"
            )
        check_shape("scan", (sizes["length"],))
    if not sizes:
        raise ArgumentError(
            "scan: there are no xs, so the number of steps is not known; give length"
        )
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{path} {size}" for path, size in sizes.items())
        raise ShapeError(f"scan: the leading sizes differ: {listed}; make them equal")
    return next(iter(sizes.values()))


def _static_int(name: str, what: str, x: Any) -> int:
    try:
        return operator.index(x)
    except TypeError as error:
        if isinstance(x, Tracer):
            raise
        raise UnsupportedTypeError(
            f"{name}: {what} is {_describe(x)}, not an integer"
        ) from error


def _unroll(unroll: int | bool, steps: int) -> int:
    if isinstance(unroll, bool):
        return max(steps, 1) if unroll else 1
    count = _static_int("scan", "unroll", unroll)
    if count < 1:
        raise ArgumentError(
            f"scan: unroll is {unroll}; it is a number of steps, at least 1"
        )
    return count


@public
def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: int | bool | None = None,
) -> Any:
    """Applies `body_fun(i, value)` for each `i` from `lower` up to below `upper`.

    Bounds may be traced; where they are Python numbers, the loop is a `scan`.

    >>> weft.fori_loop(0, 5, lambda i, total: total + i, 0)
    Array(10, dtype=int64)
    """
    _check_callable("fori_loop", "body_fun", body_fun)
    for what, bound in (("lower", lower), ("upper", upper)):
        known = is_scalar(bound) or isinstance(bound, (Array, np.ndarray, np.generic))
        spec = spec_of(bound) if known else None
        if spec is None or spec.shape or not is_kind(spec.dtype, "integer"):
            raise ArgumentError(
                f"fori_loop: {what} must be one integer, not {_describe(bound)}"
            )
    if CURRENT.get() is None:
        return _at_once(
            lambda value: fori_loop(lower, upper, body_fun, value, unroll=unroll),
            "fori_loop",
            (init_val,),
        )
    if not (isinstance(lower, Tracer) or isinstance(upper, Tracer)):
        return _counted(int(lower), int(upper), body_fun, init_val, unroll or 1)

    def step(state: tuple[Any, Any]) -> tuple[Any, Any]:
        i, value = state
        return i + 1, body_fun(i, value)

    if unroll not in (None, False, 1) or unroll is True:
        raise ArgumentError(
            f"fori_loop: unroll is {unroll}, but a bound is traced, so the number of "
            "steps is not known; leave unroll out, or make the bounds Python numbers"
        )
    if not is_scalar(lower):
        # A counter of fewer bits than the bound would begin again before it.
        lower = cast(lower, common_dtype("fori_loop", lower, upper)[0])
    return while_loop(
        lambda state: state[0] < upper, _named(step, body_fun), (lower, init_val)
    )[1]


def _counted(
    lower: int, upper: int, body_fun: Callable[..., Any], value: Any, unroll: int | bool
) -> Any:
    def step(state: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
        i, value = state
        return (i + 1, body_fun(i, value)), None

    length = max(upper - lower, 0)
    if length > np.iinfo(INT).max:
        raise ArgumentError(
            f"fori_loop: from {lower} to {upper} it has more steps than int64 counts"
        )
    (_, last), _ = scan(
        _named(step, body_fun),
        (lower, value),
        length=length,
        unroll=unroll,
    )
    return last


def _named(step: Callable[..., Any], function: Callable[..., Any]) -> Any:
    """A step of a loop, which errors and symbols call by the user's function."""
    step.__name__ = _function_name(function)
    step.__wrapped__ = function  # type: ignore[attr-defined]
    return step
