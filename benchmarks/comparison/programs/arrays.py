"""Elementwise programs, rows and columns, sorting, lookups and random bits."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..case import EXP, RANDOM, TANH, Case, Function, Work, normal

SHAPES = ((4096, 4096), (65536, 64), (128, 131072))
# What threefry-2x32 of 20 rounds does for a pair of words: to add, to rotate and to
# combine in each round, and to add parts of the key after each fourth.
THREEFRY = 20 * 3 + 5 * 3
# Instructions for an element.
SOFTMAX = EXP + 4
GELU = TANH + 8


def gelu(xp: Any, x: Any) -> Any:
    inner = 0.7978845608 * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1 + xp.tanh(inner))


def softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def layer_norm(xp: Any, x: Any) -> Any:
    rest = x - xp.mean(x, axis=-1, keepdims=True)
    return rest / xp.sqrt(xp.mean(rest * rest, axis=-1, keepdims=True) + 1e-5)


def logsumexp(xp: Any, x: Any) -> Any:
    top = xp.max(x, axis=-1, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - top), axis=-1)) + top[..., 0]


def shared(array: Function) -> Function:
    """What is written for a namespace, for NumPy."""
    return functools.partial(array, np)


def cases() -> Iterator[Case]:
    tiny = normal(4), normal(4)
    yield Case("dispatch of x + y", tiny, lambda xp, x, y: x + y, np.add,
               lambda t, x, y: x + y)  # fmt: skip
    large = normal(1 << 24)
    yield Case("gelu of 16M", (large,), gelu, shared(gelu),
               lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
               Work(2 * GELU * large.size, large.nbytes, large.nbytes))  # fmt: skip
    for shape in SHAPES:
        yield from rows_and_columns(normal(*shape))
    yield from sorts()
    yield from embeddings()
    yield random_bits(1 << 24)


@dataclass(frozen=True)
class Program:
    """A program over rows or columns, with instructions for an element."""

    name: str
    array: Function
    torch: Function
    instructions: int
    is_whole: bool = False  # Its result has the size of its argument.
    numpy: Function | None = None
    # Sums of millions come in another order, and may be near zero.
    tolerance: float | None = None


PROGRAMS = (
    Program("softmax", softmax, lambda t, x: t.softmax(x, -1), SOFTMAX, True),
    Program("layer norm", layer_norm,
            lambda t, x: t.nn.functional.layer_norm(x, (x.shape[-1],)), 5, True),
    Program("logsumexp", logsumexp, lambda t, x: t.logsumexp(x, -1), EXP + 3),
    Program("row sums", lambda xp, x: xp.sum(x, axis=1), lambda t, x: t.sum(x, 1), 1),
    Program("column sums", lambda xp, x: xp.sum(x, axis=0),
            lambda t, x: t.sum(x, 0), 1),
    Program("sum", lambda xp, x: xp.sum(x), lambda t, x: t.sum(x), 1, tolerance=1e-3),
    # NumPy's `x.T` alone moves nothing.
    Program("transpose", lambda xp, x: x.T, lambda t, x: x.T.contiguous(), 1, True,
            lambda x: np.ascontiguousarray(x.T)),
    Program("argmax", lambda xp, x: xp.argmax(x, axis=1),
            lambda t, x: t.argmax(x, 1), 3),
    # Within a vector of 16, four times an addition and a shuffle.
    Program("cumsum", lambda xp, x: xp.cumsum(x, axis=1),
            lambda t, x: t.cumsum(x, 1), 8, True, tolerance=1e-3),
)  # fmt: skip


def rows_and_columns(x: np.ndarray) -> Iterator[Case]:
    for program in PROGRAMS:
        written = x.nbytes if program.is_whole else 0
        yield Case(
            f"{program.name} {'x'.join(map(str, x.shape))}", (x,), program.array,
            program.numpy or shared(program.array), program.torch,
            Work(2 * program.instructions * x.size, x.nbytes, written),
            tolerance=program.tolerance,
        )  # fmt: skip


def sorts() -> Iterator[Case]:
    for x in (
        normal(1_000_000),
        normal(4096, 256),
        RANDOM.integers(-(2**31), 2**31, size=(16, 65536), dtype=np.int32),
    ):
        yield Case(
            f"sort {'x'.join(map(str, x.shape))} {x.dtype}", (x,),
            lambda xp, x: xp.sort(x, axis=-1), lambda x: np.sort(x, axis=-1),
            lambda t, x: t.sort(x, dim=-1).values,
            # An element meets another one at each level of a merge.
            Work(2 * x.size * math.log2(x.shape[-1]), x.nbytes, x.nbytes),
        )  # fmt: skip


def embeddings() -> Iterator[Case]:
    table, places = normal(50_000, 256), RANDOM.integers(0, 50_000, size=8192)
    rows = len(places) * table[0].nbytes
    yield Case("embedding lookup", (table, places), lambda xp, t, i: t[i],
               lambda t, i: t[i], lambda t, x, i: t.nn.functional.embedding(i, x),
               Work(read=rows + places.nbytes, written=rows))  # fmt: skip
    weights = normal(len(places), 256)

    def loss(xp: Any, table: Any, places: Any, weights: Any) -> Any:
        return xp.sum(table[places] * weights)

    def torch_loss(t: Any, table: Any, places: Any, weights: Any) -> Any:
        return (t.nn.functional.embedding(places, table) * weights).sum()

    def by_hand(table: np.ndarray, places: np.ndarray, weights: np.ndarray) -> Any:
        gradient = np.zeros_like(table)
        np.add.at(gradient, places, weights)
        return loss(np, table, places, weights), [gradient]

    yield Case("embedding gradient", (table, places, weights), loss, by_hand,
               torch_loss, Work(read=2 * rows, written=table.nbytes), wrt=(0,),
               tolerance=1e-3)  # fmt: skip


def random_bits(count: int) -> Case:
    """Weft's and JAX's own bits, which are the same; PCG64's are others."""
    generator = np.random.PCG64(0)
    return Case(
        "random bits 16M", (np.int64(7),), lambda xp, seed: xp.bits(seed, count),
        lambda seed: generator.random_raw(count // 2),
        work=Work(operations=2 * THREEFRY * count, written=4 * count),
        unlike=("numpy",),
    )  # fmt: skip
