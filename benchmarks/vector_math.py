"""How long float functions take on arrays, in nanoseconds an element.

Prints one table: a million elements each, compiled by Weft, by NumPy and, where it is
installed, by PyTorch, on one thread. The three take turns; the fastest round counts.
Arguments are uniform within bounds where the function is neither constant nor infinite.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

import weft

SIZE, ROUNDS = 1_000_000, 15
Run = Callable[[], Any]

# Name and the bounds of its arguments.
FUNCTIONS: dict[str, tuple[tuple[float, float], ...]] = {
    "exp": ((-80, 80),),
    "exp2": ((-100, 100),),
    "expm1": ((-10, 80),),
    "log": ((0, 100),),
    "log2": ((0, 100),),
    "log10": ((0, 100),),
    "log1p": ((-1, 100),),
    "sin": ((-100, 100),),
    "cos": ((-100, 100),),
    "tan": ((-100, 100),),
    "asin": ((-1, 1),),
    "acos": ((-1, 1),),
    "atan": ((-10, 10),),
    "atan2": ((-10, 10), (-10, 10)),
    "sinh": ((-10, 10),),
    "cosh": ((-10, 10),),
    "tanh": ((-10, 10),),
    "asinh": ((-10, 10),),
    "acosh": ((1, 10),),
    "atanh": ((-1, 1),),
    "erf": ((-4, 4),),
    "erfc": ((-4, 9),),
    "pow": ((0, 10), (-10, 10)),
    "cbrt": ((-10, 10),),
    "rsqrt": ((0, 10),),
    "logistic": ((-10, 10),),
}
OF_NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
            "pow": "power"}  # fmt: skip
OF_TORCH = {"logistic": "sigmoid"}


def runs(name: str, dtype: str) -> dict[str, Run]:
    """What is to be measured, by whose it is."""
    random = np.random.default_rng(0)
    xs = [random.uniform(*bounds, SIZE).astype(dtype) for bounds in FUNCTIONS[name]]
    compiled = weft.jit(getattr(weft, name))
    found: dict[str, Run] = {"Weft": lambda: compiled(*xs)}
    if function := getattr(np, OF_NUMPY.get(name, name), None):
        found["NumPy"] = lambda: function(*xs)
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        tensors = [torch.from_numpy(x) for x in xs]
        if of_torch := getattr(torch, OF_TORCH.get(name, name), None):
            found["PyTorch"] = lambda: of_torch(*tensors)
    return found


def measure(runs: dict[str, Run]) -> dict[str, float]:
    """The fewest nanoseconds an element of each, taking turns."""
    best = dict.fromkeys(runs, math.inf)
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: seconds / SIZE * 1e9 for name, seconds in best.items()}


def main(names: Sequence[str]) -> None:
    owners = ["Weft", "NumPy"] + ["PyTorch"] * bool(find_spec("torch"))
    columns = [f"f{bits}: {owner}" for bits in (32, 64) for owner in owners]
    print("|", " | ".join(["function", *columns]), "|")
    print("|---" * (len(columns) + 1) + "|")
    for name in names or FUNCTIONS:
        cells = []
        for dtype in ("float32", "float64"):
            with np.errstate(all="ignore"):
                found = measure(runs(name, dtype))
            cells += [f"{found[x]:.2f}" if x in found else "" for x in owners]
        print("|", " | ".join([name, *cells]), "|", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
