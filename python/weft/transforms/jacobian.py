"""Jacobians and Hessians: one derivative for each element, batched."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops, tree
from ..array import Array
from ..errors import TransformError, public
from ..specs import spec_of
from ..tracer import Tracer
from .batching import vmap
from .common import (
    ArgNums,
    Transformed,
    check_complex,
    check_function,
    check_real,
    differentiate,
    floating,
)
from .forward import jvp
from .reverse import linearized, split_aux


@public
def jacrev(
    function: Callable[..., Any],
    argnums: ArgNums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Transformed:
    """A function that returns the Jacobian, made row by row in reverse mode.

    For each array of the result and of the argument that `argnums` names, the shape is
    the result's and then the argument's. It pays where results have fewer elements
    than arguments. Rows are gradients as of `weft.grad`, complex numbers included:
    complex results need `holomorphic`.

    >>> weft.jacrev(lambda x: x * x)(weft.asarray([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    check_function(function, "jacrev")

    def body(chosen: Callable[..., Any], name: str, wrt: Any) -> Any:
        if holomorphic:
            check_complex("jacrev", name, tree.flatten(wrt)[0], "an argument")
        linear = linearized(chosen, name, wrt)
        outputs, aux = split_aux("jacrev", name, linear.outputs, has_aux)
        results = tree.flatten(outputs)[0]
        _check_results("jacrev", name, results)
        check = check_complex if holomorphic else check_real
        check("jacrev", name, results, "a result")
        wanted = {id(x) for x in results}

        def row(*cotangents: Array) -> Any:
            given = iter(cotangents)
            cts = [
                next(given) if id(x) in wanted else ops.zeros_like(x)
                for x in floating(linear.primals)
            ]
            return linear.pull_back(cts)

        order = [x for x in floating(linear.primals) if id(x) in wanted]
        columns = vmap(row)(*_basis(order)) if order else []
        inputs = tree.flatten(wrt)[0]
        blocks = {
            id(x): [
                ops.reshape(part, (*x.shape, *np.shape(leaf)))
                for part, leaf in zip(parts, inputs, strict=True)
            ]
            for x, parts in zip(order, _split_rows(order, columns), strict=True)
        }
        jacobian = _assemble(outputs, wrt, [blocks[id(x)] for x in results], argnums)
        return (jacobian, aux) if has_aux else jacobian

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return differentiate("jacrev", function, argnums, args, kwargs, body)

    return Transformed(apply, function, "jacrev")


@public
def jacfwd(
    function: Callable[..., Any],
    argnums: ArgNums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Transformed:
    """A function that returns the Jacobian, made column by column in forward mode.

    The result is that of `jacrev`. It pays where arguments have fewer elements than
    results. Complex arguments need `holomorphic`; results may be complex.

    >>> weft.jacfwd(lambda x: x * x)(weft.asarray([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]], dtype=float32)
    """
    check_function(function, "jacfwd")

    def body(chosen: Callable[..., Any], name: str, wrt: Any) -> Any:
        inputs, structure = tree.flatten(wrt)
        check = check_complex if holomorphic else check_real
        check("jacfwd", name, inputs, "an argument")

        def column(*tangents: Array) -> Any:
            moved = tree.unflatten(structure, tangents)
            value, tangent, *aux = jvp(chosen, wrt, moved, has_aux)
            _check_results("jacfwd", name, tree.flatten(value)[0])
            if holomorphic:
                check_complex("jacfwd", name, tree.flatten(value)[0], "a result")
            return tangent, value, aux

        axes = (0, None, None)
        moved, outputs, aux = vmap(column, out_axes=axes)(*_basis(inputs))
        results = tree.flatten(outputs)[0]
        sizes = [math.prod(np.shape(leaf)) for leaf in inputs]
        rows = []
        for x, stack in zip(results, tree.flatten(moved)[0], strict=True):
            whole = ops.moveaxis(stack, 0, -1)
            rows.append(
                [
                    ops.reshape(part, (*x.shape, *np.shape(leaf)))
                    for part, leaf in zip(
                        _split(whole, sizes, whole.ndim - 1), inputs, strict=True
                    )
                ]
            )
        jacobian = _assemble(outputs, wrt, rows, argnums)
        return (jacobian, aux[0]) if has_aux else jacobian

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return differentiate("jacfwd", function, argnums, args, kwargs, body)

    return Transformed(apply, function, "jacfwd")


@public
def hessian(
    function: Callable[..., Any],
    argnums: ArgNums = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Transformed:
    """A function that returns the second derivatives, forward over reverse mode.

    For a function of one array to one float it is a matrix of that array's shape,
    twice; else the trees of `jacfwd(jacrev(function))`. Complex arguments need
    `holomorphic`.

    >>> weft.hessian(lambda x: weft.sum(x**3))(weft.asarray([1.0, 2.0]))
    Array([[ 6.,  0.],
           [ 0., 12.]], dtype=float32)
    """
    check_function(function, "hessian")
    inner = jacrev(function, argnums, has_aux, holomorphic)
    both = jacfwd(inner, argnums, has_aux, holomorphic)
    return Transformed(lambda args, kwargs: both(*args, **kwargs), function, "hessian")


def _check_results(transform: str, name: str, results: Sequence[Any]) -> None:
    for x in results:
        if not floating([x]):
            raise TransformError(
                f"{transform} of {name!r}: a result is {x}, and only floats and "
                "complex numbers have derivatives; return it as aux with has_aux=True"
            )


def _basis(like: Sequence[Any]) -> list[Array]:
    """For each array a stack of arrays like it: together, the unit vectors."""
    specs = [spec_of(ops.asarray(x)) for x in like]
    total, before, stacks = sum(spec.size for spec in specs), 0, []
    for spec in specs:
        unit = ops.eye(total, spec.size, k=-before, dtype=spec.dtype)
        stacks.append(ops.reshape(unit, (total, *spec.shape)))
        before += spec.size
    return stacks


def _split(x: Array, sizes: Sequence[int], axis: int) -> list[Array]:
    """Consecutive parts of an array along an axis."""
    parts, before = [], 0
    for size in sizes:
        index = (slice(None),) * axis + (slice(before, before + size),)
        parts.append(x[index])
        before += size
    return parts


def _split_rows(order: Sequence[Tracer], columns: Sequence[Array]) -> list[list[Array]]:
    """The rows of each result's elements, from stacks over the elements of all."""
    sizes = [x.size for x in order]
    split = [_split(stack, sizes, 0) for stack in columns]
    return [[parts[i] for parts in split] for i in range(len(order))]


def _assemble(
    outputs: Any, wrt: Any, rows: Sequence[Sequence[Array]], argnums: ArgNums
) -> Any:
    structure = tree.flatten(wrt)[1]
    trees = [tree.unflatten(structure, row) for row in rows]
    if isinstance(argnums, int):
        trees = [row[0] for row in trees]
    return tree.unflatten(tree.flatten(outputs)[1], trees)
