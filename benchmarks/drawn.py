"""Drawn shapes, axes and layouts beside PyTorch's: a search for what is slow.

Prints, for each family, the programs that are slower than `--below` asks: PyTorch's
time over Weft's, and both in microseconds, the minimum over rounds in which they take
turns. What they compute is compared, too.

    python benchmarks/drawn.py [--seed 1] [--seconds 20] [--families sums,products]
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import weft

try:
    import torch  # pyright: ignore
except ModuleNotFoundError:
    torch = None

SIZES = [1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 24, 28, 32, 48, 56, 64, 100, 128, 196,
         256, 300, 512, 768]  # fmt: skip
SECONDS = 0.03
VALUES = np.random.default_rng(0)


@dataclass
class Program:
    """Of these arrays, by Weft and by PyTorch."""

    name: str
    mine: Callable[..., Any]
    theirs: Callable[..., Any]
    arrays: Sequence[np.ndarray]
    gradient: bool = False


def shape(draw: random.Random, least: int = 2, most: int = 4) -> list[int]:
    """Of some ten thousand to a million elements."""
    while True:
        sizes = [draw.choice(SIZES) for _ in range(draw.randint(least, most))]
        if 20_000 < math.prod(sizes) < 1_500_000:
            return sizes


def axes(draw: random.Random, rank: int) -> tuple[int, ...]:
    return tuple(sorted(draw.sample(range(rank), draw.randint(1, rank))))


def values(sizes: Sequence[int], dtype: str = "float32") -> np.ndarray:
    if dtype.startswith("int"):
        return VALUES.integers(-50, 50, sizes).astype(dtype)
    return VALUES.standard_normal(sizes).astype(dtype)


def indices(draw: random.Random, sizes: Sequence[int], axis: int) -> np.ndarray:
    """Of slices with no more than some millions of elements in all."""
    most = 4_000_000 * sizes[axis] // math.prod(sizes)
    count = draw.choice([10, 32, 100, sizes[axis], 1000])
    return VALUES.integers(0, sizes[axis], max(1, min(count, most)))


def normalized(m: Any, x: Any, axis: Any) -> Any:
    keep = {"keepdim": True} if m is torch else {"keepdims": True}
    center = x - m.mean(x, axis, **keep)
    return center / m.sqrt(m.mean(center * center, axis, **keep) + 1e-5)


#: By module, of an array and axes.
REDUCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sum": lambda m, x, a: m.sum(x, a),
    "max": lambda m, x, a: m.amax(x, a) if m is torch else m.max(x, a),
    "mean of squares": lambda m, x, a: m.mean(x * x, a),
    "sum of exp": lambda m, x, a: m.log(m.sum(m.exp(x), a)),
    "normalized": normalized,
}
#: By module, of an array and one axis.
ALONG: dict[str, Callable[[Any, Any, int], Any]] = {
    "argmax": lambda m, x, a: m.argmax(x, a),
    "cumsum": lambda m, x, a: m.cumsum(x, a),
    "sort": lambda m, x, a: m.sort(x, a)[0] if m is torch else m.sort(x, a),
    "softmax": lambda m, x, a: m.softmax(x, a) if m is torch else m.nn.softmax(x, a),
    "flip": lambda m, x, a: m.flip(x, [a]),
    "roll": lambda m, x, a: m.roll(x, 3, a),
    "stack": lambda m, x, a: m.stack([x, 2 * x], a),
}


def by(function: Callable[..., Any], *rest: Any) -> dict[str, Callable[..., Any]]:
    return {
        "mine": lambda x: function(weft, x, *rest),
        "theirs": lambda x: function(torch, x, *rest),
    }


def reductions(draw: random.Random) -> Program:
    sizes = shape(draw, most=5)
    where, (name, function) = axes(draw, len(sizes)), draw.choice([*REDUCTIONS.items()])
    dtype = draw.choice(["float32", "float32", "float64"])
    array = values(sizes, dtype)
    return Program(
        f"{name} {dtype} {sizes} {where}", **by(function, where), arrays=[array]
    )


def gradients(draw: random.Random) -> Program:
    sizes = shape(draw)
    where, (name, function) = axes(draw, len(sizes)), draw.choice([*REDUCTIONS.items()])
    # Of two elements, what is normalized is -1 and 1, and its gradient is nothing
    # but rounding.
    if name == "normalized" and math.prod(sizes[axis] for axis in where) < 16:
        return gradients(draw)

    def loss(m: Any, x: Any) -> Any:
        return (function(m, x, where) ** 3).sum()

    return Program(
        f"{name}, gradient {sizes} {where}", **by(loss), arrays=[values(sizes)],
        gradient=True,
    )  # fmt: skip


def along(draw: random.Random) -> Program:
    sizes = shape(draw)
    axis, (name, function) = draw.randrange(len(sizes)), draw.choice([*ALONG.items()])
    return Program(
        f"{name} {sizes} {axis}", **by(function, axis), arrays=[values(sizes)]
    )


def products(draw: random.Random) -> Program:
    """Einsums of two factors with some of each kind of label."""
    while True:
        kinds = [draw.choices("bmnk")[0] for _ in range(draw.randint(2, 6))]
        labels = "abcdef"[: len(kinds)]
        extents = {label: draw.choice(SIZES[1:21]) for label in labels}
        terms = [
            "".join(draw.sample(part, len(part)))
            for which in ("bmk", "bnk", "bmn")
            for part in [[c for c, k in zip(labels, kinds, strict=True) if k in which]]
        ]
        largest = max(math.prod(extents[c] for c in term) for term in terms)
        if (
            terms[0] and terms[1] and largest < 2_000_000
            and 200_000 < math.prod(extents.values()) < 50_000_000
        ):  # fmt: skip
            break
    spec = f"{terms[0]},{terms[1]}->{terms[2]}"
    return Program(
        f"einsum {spec} {extents}",
        lambda x, y: weft.einsum(spec, x, y),
        lambda x, y: torch.einsum(spec, x, y).contiguous(),
        [values([extents[c] for c in term]) for term in terms[:2]],
    )


def permutations(draw: random.Random) -> Program:
    sizes = shape(draw, most=5)
    order = draw.sample(range(len(sizes)), len(sizes))
    dtype = draw.choice(["float32", "float64", "int8"])
    return Program(
        f"2 * permuted {dtype} {sizes} {order}",
        lambda x: 2 * weft.transpose(x, order),
        lambda x: (2 * x.permute(order)).contiguous(),
        [values(sizes, dtype)],
    )


def broadcasts(draw: random.Random) -> Program:
    sizes = shape(draw)
    factor, term = ([d if draw.random() < 0.6 else 1 for d in sizes] for _ in range(2))
    return Program(
        f"x * y + z {sizes} {factor} {term}", *2 * (lambda x, y, z: x * y + z,),
        arrays=[values(each) for each in (sizes, factor, term)],
    )  # fmt: skip


def slices(draw: random.Random) -> Program:
    sizes = shape(draw)
    place = tuple(
        slice(
            draw.randint(0, d // 3), d - draw.randint(0, d // 3), draw.choice([1, 1, 2])
        )
        for d in sizes
    )
    part = [[s.start, s.stop, s.step] for s in place]
    return Program(
        f"2 * part {sizes} {part}",
        *2 * (lambda x: 2 * x[place],),
        arrays=[values(sizes)],
    )


def gathers(draw: random.Random) -> Program:
    sizes = shape(draw)
    axis = draw.randrange(len(sizes))
    which = indices(draw, sizes, axis)
    return Program(
        f"take {sizes} {axis}, {len(which)} times",
        lambda x, i: weft.take(x, i, axis=axis),
        lambda x, i: torch.index_select(x, axis, i),
        [values(sizes), which],
    )


def scatters(draw: random.Random) -> Program:
    sizes = shape(draw, least=1)
    which = indices(draw, sizes, 0)
    return Program(
        f"at[i].add {sizes}, {len(which)} times",
        lambda x, i, y: x.at[i].add(y),
        lambda x, i, y: x.index_add(0, i, y),
        [values(sizes), which, values([len(which), *sizes[1:]])],
    )


def convolutions(draw: random.Random) -> Program:
    while True:
        images, height = draw.choice([1, 2, 8]), draw.choice([7, 14, 28, 56, 112])
        channels, features = draw.choice(SIZES[:19:2]), draw.choice(SIZES[:19:2])
        side, stride, gradient = (
            draw.choice([1, 2, 3, 5]),
            draw.choice([1, 1, 2]),
            False,
        )
        work = images * height**2 * channels * features * side**2
        if 1_000_000 < work < 400_000_000 and side <= height:
            break
    # Of kernels of one element with strides, PyTorch 2.13's gradients crash.
    gradient = draw.random() < 0.5 and side > stride

    def convolved(m: Any, x: Any, kernel: Any) -> Any:
        if m is weft:
            return weft.nn.conv(x, kernel, strides=stride, padding="VALID")
        last = x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1)
        return torch.nn.functional.conv2d(*last, stride=stride).permute(0, 2, 3, 1)

    def loss(m: Any, x: Any, kernel: Any) -> Any:
        result = convolved(m, x, kernel)
        return (result**2).sum() if gradient else result

    return Program(
        f"conv {images}x{height}x{height}x{channels}, {side}x{side}, stride {stride}, "
        f"to {features}" + ", gradients" * gradient,
        lambda x, y: loss(weft, x, y), lambda x, y: loss(torch, x, y),
        [values([images, height, height, channels]),
         values([side, side, channels, features])],
        gradient,
    )  # fmt: skip


FAMILIES: dict[str, Callable[[random.Random], Program]] = {
    family.__name__: family
    for family in (
        reductions, gradients, along, products, permutations, broadcasts, slices,
        gathers, scatters, convolutions,
    )
}  # fmt: skip


def calls(program: Program) -> tuple[Callable[[], Any], Callable[[], Any]]:
    ours = [weft.asarray(array) for array in program.arrays]
    theirs = [torch.from_numpy(array) for array in program.arrays]
    if not program.gradient:
        compiled = weft.jit(program.mine)
        return lambda: compiled(*ours), lambda: program.theirs(*theirs)
    every = tuple(range(len(ours)))
    compiled = weft.jit(weft.grad(program.mine, argnums=every))
    leaves = [array.requires_grad_() for array in theirs]

    def backward() -> Any:
        return torch.autograd.grad(program.theirs(*leaves), leaves)

    return lambda: compiled(*ours), backward


def check(program: Program, mine: Any, theirs: Any) -> None:
    """By the norm of the difference: sums are in another order."""
    if not program.gradient:
        mine, theirs = [mine], [theirs]
    for one, other in zip(mine, theirs, strict=True):
        x, y = np.asarray(one, np.float64), other.detach().double().numpy()
        if x.shape != y.shape:
            raise AssertionError(f"{program.name}: {x.shape}, and PyTorch's {y.shape}")
        error = np.linalg.norm(x - y) / max(1e-30, np.linalg.norm(y))
        if error > 1e-4:
            raise AssertionError(f"{program.name}: differs by {error:.2g}")


def compare(program: Program) -> tuple[float, float]:
    """Microseconds by Weft and by PyTorch."""
    pair = calls(program)
    check(program, *(call() for call in pair))
    best = [math.inf, math.inf]
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        for i, call in enumerate(pair):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
    return best[0] * 1e6, best[1] * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20, help="for each family")
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--below", type=float, default=0.75)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if torch is None:
        print("There is nothing to compare with: PyTorch is not installed.")
        return
    weft.set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    for name in options.families.split(","):
        draw, ratios, slow = random.Random(options.seed), [], []
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            program = FAMILIES[name](draw)
            mine, theirs = compare(program)
            ratios.append(theirs / mine)
            if theirs < options.below * mine:
                line = (
                    f"  {theirs / mine:5.2f} {mine:9.1f} {theirs:9.1f}  {program.name}"
                )
                slow.append((theirs / mine, line))
        print(
            f"{name}: {len(slow)} of {len(ratios)} below {options.below}; "
            f"the median is {np.median(ratios):.2f}"
        )
        for _, line in sorted(slow):
            print(line, flush=True)


if __name__ == "__main__":
    main()
