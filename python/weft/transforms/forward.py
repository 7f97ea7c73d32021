"""Forward mode: `jvp`."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import tree
from ..errors import StructureError, check_arguments, public
from ..specs import ShapeDtypeStruct
from ..tracer import CURRENT
from .common import (
    cast_like,
    check_floats,
    check_function,
    floating,
    name_of,
    run_with_values,
    trace_nested,
    weak_lift,
)
from .reverse import split_aux, with_tangents


@public
def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of a function, and how it moves when its arguments move.

    `primals` and `tangents` are tuples of the positional arguments and of trees like
    them; the tangent of the result has its structure (zeros for integers). With
    `has_aux` the function returns (value, aux), and aux is a third result.

    >>> weft.jvp(weft.sin, (0.0,), (2.0,))
    (Array(0., dtype=float32), Array(2., dtype=float32))
    """
    check_function(function, "jvp")
    name = name_of(function)
    for what, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise StructureError(
                f"jvp of {name!r} takes {what} as a tuple, one entry for each "
                f"argument, not {type(given).__name__}; write jvp(f, (x,), (t,))"
            )
    primals, tangents = tuple(primals), tuple(tangents)
    check_arguments(function, primals, {})
    for i, primal in enumerate(primals):
        check_floats("jvp", name, primal, i)
    if CURRENT.get() is not None:
        return _traced(function, name, primals, tangents, has_aux)
    given = cast_like(tangents, primals, f"the tangent of {name!r}")
    like = tree.unflatten(tree.flatten(primals)[1], given)

    def whole(primals: Any, tangents: Any) -> Any:
        return _traced(function, name, primals, tangents, has_aux)

    return run_with_values(whole, f"jvp_{name}", (primals, like))


def _traced(
    function: Callable[..., Any], name: str, primals: Any, tangents: Any, has_aux: bool
) -> tuple[Any, ...]:
    given = cast_like(tangents, primals, f"the tangent of {name!r}")
    nested = trace_nested(function, name, primals)
    specs = [ShapeDtypeStruct(x.shape, x.dtype) for x in nested.outputs]
    operands = len(nested.operands)
    results = nested.emit(
        "weft.jvp",
        [*specs, *floating(specs)],
        {
            "wrt": tuple(range(operands)),
            "operandSegmentSizes": nested.segments(operands),
        },
        [weak_lift(nested.trace, t) for t in given],
    )
    values, moved = results[: len(specs)], results[len(specs) :]
    outputs = nested.tree(values), with_tangents(nested, values, moved)
    if not has_aux:
        return outputs
    value, aux = split_aux("jvp", name, outputs[0], has_aux)
    return value, outputs[1][0], aux
