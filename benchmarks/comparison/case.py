"""A program to compare: what each framework runs, and what work it is."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

RANDOM = np.random.default_rng(0)
Function = Callable[..., Any]
# Instructions of functions of f32: a reduction, a polynomial, and what undoes it.
EXP, TANH = 10, 14


def normal(*shape: int, dtype: Any = "float32", scale: float = 1.0) -> np.ndarray:
    return (RANDOM.normal(size=shape) * scale).astype(dtype)


@dataclass(frozen=True)
class Work:
    """What a program cannot do without: operations of a dtype, bytes to and fro.

    A multiplication and an addition are two operations, and so is any other
    instruction of a vector unit, which takes their place. Bytes are those of arguments
    and results. A program may do the same `times` times.
    """

    operations: float = 0
    read: float = 0
    written: float = 0
    dtype: str = "f32"
    times: int = 1


@dataclass(frozen=True)
class Layout:
    """How PyTorch has the arguments, and how its results become the others' again."""

    arguments: Function
    results: Function


@dataclass(frozen=True)
class Case:
    """One program.

    `array(xp, *args)` is written for a namespace (`spaces.py`): Weft's or JAX's.
    `numpy` takes the arguments, `torch` the module and the arguments; None leaves
    them out. With `wrt`, `array` and `torch` give a loss, and the program is the loss
    and its gradients by those arguments; with a `rate` besides, the loss and those
    arguments less `rate` times their gradients. `numpy` is always the whole program.
    """

    name: str
    args: tuple[Any, ...]
    array: Function
    numpy: Function | None = None
    torch: Function | None = None
    work: Work = field(default=Work())
    wrt: tuple[int, ...] = ()
    rate: float = 0
    layout: Layout | None = None
    # `numpy` and `torch` are one step: their results are the next one's arguments.
    steps: int = 1
    # The norm of the difference to the reference, over the reference's.
    tolerance: float | None = None
    # Frameworks whose results are not those of the others.
    unlike: tuple[str, ...] = ()
    # Whether torch.compile can do other than call what PyTorch calls at once.
    compiled: bool = True


# ---- trees of lists, tuples and dicts ----


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: map_leaves(function, value) for name, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_leaves(function, value) for value in tree)
    return function(tree)


def leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        tree = [tree[name] for name in sorted(tree)]
    if not isinstance(tree, (list, tuple)):
        yield tree
        return
    for value in tree:
        yield from leaves(value)


def size_of(*trees: Any) -> int:
    """The bytes of all arrays."""
    return sum(x.nbytes for x in leaves(trees))
