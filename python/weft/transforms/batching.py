"""`vmap`: a function for one input becomes one for a stack of them, without a loop."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optree

from .. import tree
from ..errors import TransformError, check_arguments, public
from ..specs import ShapeDtypeStruct, spec_of
from ..tracer import CURRENT, Tracer
from .common import (
    Transformed,
    check_function,
    name_of,
    run_with_values,
    weak_lift,
)

if TYPE_CHECKING:
    from ..builder import Function

UNMAPPED = -1  # as `weft.vmap` spells it


@dataclass(frozen=True, slots=True)
class _Mapping:
    """What is asked of one `vmap`."""

    name: str
    in_axes: Any
    out_axes: Any
    axis_size: int | None


@public
def vmap(
    function: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_size: int | None = None,
) -> Transformed:
    """A function that does for a stack of inputs at once what `function` does for one.

    `in_axes` says along which axis each argument is stacked: an integer, `None` for an
    argument that all inputs share, or a tree of those with the arguments' structure or
    its upper part. Keyword arguments are stacked along their first axis. `out_axes`
    says the same of the results; a result with `None` must be the same for all inputs.
    `axis_size` is the number of inputs, which is otherwise read off the arguments.

    No loop is added: each op becomes the one that does it for the whole stack.

    >>> weft.vmap(weft.sum)(weft.asarray([[1.0, 2.0], [3.0, 4.0]]))
    Array([3., 7.], dtype=float32)
    """
    check_function(function, "vmap")
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    mapping = _Mapping(name_of(function), in_axes, out_axes, axis_size)

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        check_arguments(function, args, kwargs)
        if CURRENT.get() is not None:
            return _emit(mapping, function, args, kwargs)

        def whole(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return _emit(mapping, function, args, kwargs)

        whole = functools.update_wrapper(whole, function)
        return run_with_values(whole, f"vmap_{mapping.name}", (args, kwargs))

    return Transformed(apply, function, "vmap")


# ---- axes ----


def _spread(prefix: Any, whole: Any, what: str, mapping: _Mapping) -> list[int | None]:
    """The axis of each leaf of a tree, from a tree of axes that is its upper part."""
    leaves = optree.tree_leaves(whole, none_is_leaf=True, namespace=tree.NAMESPACE)
    try:
        axes = optree.broadcast_prefix(
            prefix, whole, none_is_leaf=True, namespace=tree.NAMESPACE
        )
    except ValueError:
        raise TransformError(
            f"vmap of {mapping.name!r}: {what}={prefix!r} does not have the structure "
            f"of {_described(what, whole)}, nor of its upper part. Give one axis (or "
            "None) for each, or one integer for all"
        ) from None
    for axis in axes:
        if axis is not None and (not isinstance(axis, int) or isinstance(axis, bool)):
            raise TransformError(
                f"vmap of {mapping.name!r}: {what} has {axis!r} of type "
                f"{type(axis).__name__}; an axis is an integer or None"
            )
    return [a for a, leaf in zip(axes, leaves, strict=True) if leaf is not None]


def _described(what: str, whole: Any) -> str:
    noun = "the arguments" if what == "in_axes" else "the result"
    return f"{noun}, {tree.flatten(whole)[1]}"


def _leaf_axes(
    mapping: _Mapping, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[int]:
    """For each leaf of `(args, kwargs)` the axis that is mapped, or `UNMAPPED`."""
    leaves = tree.flatten((args, kwargs))[0]
    paths = [*tree.paths(args, "args"), *tree.paths(kwargs, "kwargs")]
    given = _spread(mapping.in_axes, args, "in_axes", mapping)
    given += [0] * (len(leaves) - len(given))
    axes = []
    for leaf, path, axis in zip(leaves, paths, given, strict=True):
        spec = spec_of(leaf)
        if axis is None:
            axes.append(UNMAPPED)
        elif -spec.ndim <= axis < spec.ndim:
            axes.append(axis % spec.ndim)
        else:
            raise TransformError(
                f"vmap of {mapping.name!r}: {path} is {spec} and has no axis {axis} to "
                "map; give it another axis, or None to share it among all inputs "
                "(in_axes)"
            )
    return axes


def _size(
    mapping: _Mapping, leaves: Sequence[Any], axes: Sequence[int], paths: Sequence[str]
) -> int:
    """The number of inputs, on which all mapped arguments must agree."""
    sizes = [
        (spec_of(leaf).shape[axis], path, axis)
        for leaf, axis, path in zip(leaves, axes, paths, strict=True)
        if axis != UNMAPPED
    ]
    if mapping.axis_size is not None:
        sizes.insert(0, (mapping.axis_size, "axis_size", UNMAPPED))
    if not sizes:
        raise TransformError(
            f"vmap of {mapping.name!r} maps no argument, so that the number of inputs "
            "is not known; map one (in_axes), or give axis_size"
        )
    first = sizes[0]
    for other in sizes[1:]:
        if other[0] != first[0]:
            raise TransformError(
                f"vmap of {mapping.name!r}: {_sized(*first)}, but {_sized(*other)}; "
                "the mapped axes must have one size"
            )
    return first[0]


def _sized(size: int, path: str, axis: int) -> str:
    if axis == UNMAPPED:
        return f"{path} is {size}"
    return f"{path} has {size} inputs along axis {axis}"


def _out_axes(mapping: _Mapping, function: Function) -> list[int]:
    """For each result the axis along which it is stacked, or `UNMAPPED`."""
    whole = tree.unflatten(function.treedef, list(function.outputs))
    axes = []
    spread = _spread(mapping.out_axes, whole, "out_axes", mapping)
    for axis, spec in zip(spread, function.outputs, strict=True):
        rank = spec.ndim + 1
        if axis is None:
            axes.append(UNMAPPED)
        elif -rank <= axis < rank:
            axes.append(axis % rank)
        else:
            raise TransformError(
                f"vmap of {mapping.name!r}: a result is {spec} for each input; stacked "
                f"it has {rank} axes, and out_axes has {axis}"
            )
    return axes


# ---- within a trace ----


def _emit(
    mapping: _Mapping,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Traces the function for one input, and emits `weft.vmap` of that."""
    from mlir import ir

    from ..builder import Trace, trace_function

    trace = CURRENT.get()
    assert trace is not None
    leaves, treedef = tree.flatten((args, kwargs))
    paths = [*tree.paths(args, "args"), *tree.paths(kwargs, "kwargs")]
    axes = _leaf_axes(mapping, args, kwargs)
    size = _size(mapping, leaves, axes, paths)
    operands = [weak_lift(trace, leaf) for leaf in leaves]
    traced = trace_function(
        Trace(trace.builder, mapping.name, parent=trace, function=function),
        function,
        treedef,
        [
            _one_input(x, axis, path)
            for x, axis, path in zip(operands, axes, paths, strict=True)
        ],
    )
    captured = [trace.lift(x) for x in traced.captures]
    out_axes = _out_axes(mapping, traced)
    outputs = [
        _stacked(spec, axis, size)
        for spec, axis in zip(traced.outputs, out_axes, strict=True)
    ]
    location, origin = trace.location()
    op = trace.create(
        "weft.vmap",
        [x.value for x in (*operands, *captured)],
        [trace.context.type_of(spec) for spec in outputs],
        {
            "callee": ir.FlatSymbolRefAttr.get(traced.symbol, trace.context.mlir),
            "size": size,
            "in_axes": (*axes, *[UNMAPPED] * len(captured)),
            "out_axes": tuple(out_axes),
        },
        location,
    )
    results = [
        Tracer(trace, value, spec, origin)
        for value, spec in zip(op.results, outputs, strict=True)
    ]
    return tree.unflatten(traced.treedef, results)


def _one_input(x: Tracer, axis: int, path: str) -> tuple[ShapeDtypeStruct, str, Any]:
    """The argument of the function for one input, and what it stands for."""
    if axis == UNMAPPED:
        return ShapeDtypeStruct(x.shape, x.dtype, x.weak), path, x
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    return ShapeDtypeStruct(shape, x.dtype), path, None


def _stacked(spec: ShapeDtypeStruct, axis: int, size: int) -> ShapeDtypeStruct:
    if axis == UNMAPPED:
        return spec
    shape = (*spec.shape[:axis], size, *spec.shape[axis:])
    return ShapeDtypeStruct(shape, spec.dtype)
