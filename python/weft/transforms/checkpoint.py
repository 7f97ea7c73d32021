"""Recomputation in place of memory: `checkpoint`."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .. import tree
from ..errors import ArgumentError, check_arguments, public
from ..tracer import CURRENT
from .common import Transformed, check_function, name_of, trace_nested

POLICIES: Final = ("nothing_saveable", "dots_saveable", "everything_saveable")


@public
def checkpoint(
    function: Callable[..., Any] | None = None,
    /,
    *,
    policy: str = "nothing_saveable",
) -> Any:
    """The same function; its backward pass computes it again instead of keeping it.

    `policy` says what is kept all the same: nothing but the arguments
    ("nothing_saveable"), the results of contractions ("dots_saveable"), or whatever
    the backward pass needs ("everything_saveable"). `f.residuals` shows what is kept.

    >>> weft.grad(weft.checkpoint(lambda x: weft.sin(weft.sin(x))))(0.0)
    Array(1., dtype=float32)
    """
    if function is None:
        return lambda f: checkpoint(f, policy=policy)
    check_function(function, "checkpoint")
    if policy not in POLICIES:
        raise ArgumentError(
            f"there is no policy {policy!r}; they are {', '.join(POLICIES)}"
        )

    def apply(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        check_arguments(function, args, kwargs)
        if CURRENT.get() is None:
            return function(*args, **kwargs)
        leaves, structure = tree.flatten((args, kwargs))
        ordered = tree.in_order(structure)

        def flat(*leaves: Any) -> Any:
            args, kwargs = tree.unflatten(ordered, leaves)
            return function(*args, **kwargs)

        nested = trace_nested(
            flat, name_of(function), tuple(leaves), {"weft.checkpoint": policy}
        )
        return nested.tree(nested.emit("func.call", nested.outputs, {}))

    return Transformed(apply, function, "checkpoint")
