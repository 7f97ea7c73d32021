"""What a steady-state call of a compiled function costs beside the work itself.

Prints microseconds a call, the minimum over rounds, for functions of two arguments,
of a tree of arguments, and for the bare entry into the machine code.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import time
from collections.abc import Callable

import numpy as np

import weft

CALLS, ROUNDS = 2000, 20


def microseconds(call: Callable[[], object]) -> float:
    """The fastest round of `CALLS` calls, in microseconds a call."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = min(best, time.perf_counter() - start)
    return best / CALLS * 1e6


@weft.jit
def add(x, y):
    return x + y


@weft.jit
def update(params, step):
    return {name: value - step for name, value in params.items()}


x = np.ones(8, np.float32)
y = weft.asarray(x)
params = {f"p{i}": y for i in range(8)}

rows = {
    "x + y, NumPy": lambda: x + x,
    "weft.add(x, y), evaluated at once": lambda: weft.add(y, y),
    "jit, two NumPy arrays": lambda: add(x, x),
    "jit, two weft arrays": lambda: add(y, y),
    "jit, a dict of 8 arrays and a float": lambda: update(params, 0.1),
}
for name, call in rows.items():
    call()
    print(f"{name:40s} {microseconds(call):8.2f} us")
