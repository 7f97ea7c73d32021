"""What ten million random numbers cost: compiled, and drawn by NumPy.

Prints milliseconds a draw, the minimum over rounds. NumPy's generator is PCG64, of
one thread, whose numbers depend on the order of the draws.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import time
from collections.abc import Callable

import numpy as np

import weft

COUNT, ROUNDS = 10_000_000, 5


def milliseconds(draw: Callable[[], object]) -> float:
    """The fastest round, in milliseconds."""
    draw()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        draw()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


numpy = np.random.default_rng(0)
key = weft.random.key(0)
for name, theirs in (("uniform", numpy.random), ("normal", numpy.standard_normal)):
    ours = getattr(weft.random, name)
    for dtype in (np.float32, np.float64):
        draw = weft.jit(lambda k, ours=ours, dtype=dtype: ours(k, (COUNT,), dtype))
        print(
            f"{name:8s} {np.dtype(dtype)}  "
            f"weft {milliseconds(lambda draw=draw: draw(key)):8.1f} ms  NumPy "
            f"{milliseconds(lambda d=dtype, f=theirs: f(COUNT, d)):8.1f} ms"
        )
