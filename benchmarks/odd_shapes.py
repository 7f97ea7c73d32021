"""Everyday ops on arrays of odd shapes, in every dtype, beside PyTorch's.

Prints where Weft is slower: PyTorch's time over Weft's, and both in microseconds, the
minimum over rounds, on one thread. What is missing is faster than `--below` asks.

    python benchmarks/odd_shapes.py [--dtypes int8,float16] [--ops any] [--below 1]
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import weft

Op = Callable[..., Any]
SHAPES = (64, 100, 200), (2000, 16, 40), (300, 300, 12), (40, 1000, 33), (100_000, 3, 4)
INTS = "int32", "int64", "int8", "uint8"
FLOATS = "float32", "float64", "bfloat16", "float16"
SECONDS = 0.04

#: Of two arrays and a row, by Weft and by PyTorch.
OPS: dict[str, tuple[Op, Op]] = {
    "add a row": (lambda x, y, b: x + b,) * 2,
    "multiply and add": (lambda x, y, b: x * x + y,) * 2,
    "by columns and rows": (lambda x, y, b: x * x[:, :1] * x[..., :1],) * 2,
    "equal": (lambda x, y, b: x == y,) * 2,
    "floor_divide": (lambda x, y, b: x // 3,) * 2,
    "remainder": (lambda x, y, b: x % 3,) * 2,
    "every second": (lambda x, y, b: x[:, ::2] * 2,) * 2,
    "every second, last": (lambda x, y, b: x[..., ::2] * 2,) * 2,
    "clip": (lambda x, y, b: weft.clip(x, 1, 2), lambda x, y, b: x.clamp(1, 2)),
    "abs": (lambda x, y, b: weft.abs(x), lambda x, y, b: x.abs()),
    "where": (lambda x, y, b: weft.where(x > y, x, y),
              lambda x, y, b: x.where(x > y, y)),
    "to float32": (lambda x, y, b: x.astype("float32") + 1,
                   lambda x, y, b: x.float() + 1),
    "to int32": (lambda x, y, b: x.astype("int32") + 1, lambda x, y, b: x.int() + 1),
    "sum": (lambda x, y, b: weft.sum(x, dtype=x.dtype),
            lambda x, y, b: x.sum(dtype=x.dtype)),
    "sum, first": (lambda x, y, b: weft.sum(x, 0, dtype=x.dtype),
                   lambda x, y, b: x.sum(0, dtype=x.dtype)),
    "sum, middle": (lambda x, y, b: weft.sum(x, 1, dtype=x.dtype),
                    lambda x, y, b: x.sum(1, dtype=x.dtype)),
    "sum, last": (lambda x, y, b: weft.sum(x, -1, dtype=x.dtype),
                  lambda x, y, b: x.sum(-1, dtype=x.dtype)),
    "max, first": (lambda x, y, b: weft.max(x, 0), lambda x, y, b: x.amax(0)),
    "max, last": (lambda x, y, b: weft.max(x, -1), lambda x, y, b: x.amax(-1)),
    "argmax, last": (lambda x, y, b: weft.argmax(x, -1), lambda x, y, b: x.argmax(-1)),
    "any, last": (lambda x, y, b: weft.any(x > y, -1), lambda x, y, b: (x > y).any(-1)),
    "cumsum, middle": (lambda x, y, b: weft.cumsum(x, 1, dtype=x.dtype),
                       lambda x, y, b: x.cumsum(1, dtype=x.dtype)),
    "cumsum, last": (lambda x, y, b: weft.cumsum(x, -1, dtype=x.dtype),
                     lambda x, y, b: x.cumsum(-1, dtype=x.dtype)),
    "transpose 021": (lambda x, y, b: weft.transpose(x, (0, 2, 1)),
                      lambda x, y, b: x.permute(0, 2, 1).contiguous()),
    "transpose 102": (lambda x, y, b: weft.transpose(x, (1, 0, 2)),
                      lambda x, y, b: x.permute(1, 0, 2).contiguous()),
    "transpose 210": (lambda x, y, b: weft.transpose(x, (2, 1, 0)),
                      lambda x, y, b: x.permute(2, 1, 0).contiguous()),
    "flip": (lambda x, y, b: weft.flip(x, -1), lambda x, y, b: x.flip(-1)),
    "roll": (lambda x, y, b: weft.roll(x, 3, 1), lambda x, y, b: x.roll(3, 1)),
    "concatenate": (lambda x, y, b: weft.concatenate([x, y], -1),
                    lambda x, y, b: torch().cat([x, y], -1)),
    "stack": (lambda x, y, b: weft.stack([x, y], -1),
              lambda x, y, b: torch().stack([x, y], -1)),
    "stack, computed": (lambda x, y, b: weft.stack([x + y, x - y, x], -1),
                        lambda x, y, b: torch().stack([x + y, x - y, x], -1)),
    "stack, reduced": (lambda x, y, b: weft.maximum(weft.stack([x, y, x]).max(0), 0),
                      lambda x, y, b: torch().stack([x, y, x]).amax(0).clamp(0)),
    "set every second": (lambda x, y, b: x.at[..., ::2].set(y[..., ::2]),
                         lambda x, y, b: set_every_second(x.clone(), y)),
    "pad": (lambda x, y, b: weft.pad(x, ((0, 0), (1, 1), (0, 0))),
            lambda x, y, b: torch().nn.functional.pad(x, (0, 0, 1, 1))),
    "repeat": (lambda x, y, b: weft.repeat(x, 2, 1),
               lambda x, y, b: x.repeat_interleave(2, 1)),
    "tril": (lambda x, y, b: weft.tril(x), lambda x, y, b: x.tril()),
    "sort": (lambda x, y, b: weft.sort(x, -1), lambda x, y, b: x.sort(-1)[0]),
}  # fmt: skip
OPS_OF_FLOATS: dict[str, tuple[Op, Op]] = {
    "divide": (lambda x, y, b: x / (y + 20),) * 2,
    "round": (lambda x, y, b: weft.round(x), lambda x, y, b: x.round()),
    "sqrt": (lambda x, y, b: weft.sqrt(weft.abs(x)), lambda x, y, b: x.abs().sqrt()),
    "exp": (lambda x, y, b: weft.exp(x), lambda x, y, b: x.exp()),
    "tanh": (lambda x, y, b: weft.tanh(x), lambda x, y, b: x.tanh()),
    "mean, last": (lambda x, y, b: weft.mean(x, -1), lambda x, y, b: x.mean(-1)),
    "var, last": (lambda x, y, b: weft.var(x, -1),
                  lambda x, y, b: x.var(-1, correction=0)),
    "softmax, first": (lambda x, y, b: weft.nn.softmax(x, 0),
                       lambda x, y, b: x.softmax(0)),
    "softmax, last": (lambda x, y, b: weft.nn.softmax(x, -1),
                      lambda x, y, b: x.softmax(-1)),
}  # fmt: skip


def torch() -> Any:
    import torch as module  # pyright: ignore

    return module


def set_every_second(x: Any, y: Any) -> Any:
    x[..., ::2] = y[..., ::2]
    return x


def fastest(call: Callable[[], object]) -> float:
    """Microseconds of the fastest call, of those within `SECONDS`."""
    call()
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best * 1e6


def compare(dtype: str, shape: tuple[int, ...], options: argparse.Namespace) -> None:
    random = np.random.default_rng(0)
    arrays = [
        np.abs(4 * random.normal(size=size)).astype(np.float32)
        for size in (shape, shape, shape[-1:])
    ]
    ours = [weft.asarray(x).astype(dtype) for x in arrays]
    theirs = [torch().tensor(x).to(getattr(torch(), dtype)) for x in arrays]
    for name, (by_weft, by_torch) in (
        OPS | (OPS_OF_FLOATS if dtype in FLOATS else {})
    ).items():
        if not any(part in name for part in options.ops.split(",")):
            continue
        compiled = weft.jit(by_weft)
        mine = fastest(lambda call=compiled: call(*ours))
        other = fastest(lambda call=by_torch: call(*theirs))
        if other < options.below * mine:
            place = f"{dtype} {'x'.join(map(str, shape))}"
            print(
                f"{place:24s} {name:20s} {other / mine:5.2f} {mine:9.1f} {other:9.1f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--dtypes", default=",".join(FLOATS + INTS))
    parser.add_argument("--ops", default="", help="parts of names, by commas")
    parser.add_argument("--below", type=float, default=0.8, help="what ratios to print")
    options = parser.parse_args()
    try:
        torch().set_num_threads(1)
    except ModuleNotFoundError:
        print("There is nothing to compare with: PyTorch is not installed.")
        return
    weft.set_num_threads(1)
    print(f"{'':24s} {'':20s} ratio   Weft us  Torch us")
    for dtype in options.dtypes.split(","):
        for shape in SHAPES:
            compare(dtype, shape, options)


if __name__ == "__main__":
    main()
