"""What a step of a loop costs: scans of 10,000 steps over a carry of 1 MB.

Prints nanoseconds a step, compiled and as a NumPy loop that works in place. A step
that copied its carry would take some 50,000 ns more.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import time
from functools import partial

import numpy as np

import weft

STEPS = 10_000
SIZE = 1 << 18
x = np.ones(SIZE, np.float32)


def scan(step):
    return weft.jit(lambda x: weft.scan(step, x, weft.arange(STEPS))[0])


def elementwise(c, i):
    return c * 0.999 + 0.001, None


def numpy_elementwise(c, i):
    c *= np.float32(0.999)
    c += np.float32(0.001)


def update(c, i):
    part = weft.dynamic_slice(c, (i,), (8,)) + 1
    return weft.dynamic_update_slice(c, part, (i,)), None


def numpy_update(c, i):
    c[i : i + 8] += 1


def measure(run) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) / STEPS * 1e9


def loop(step) -> None:
    c = x.copy()
    for i in range(STEPS):
        step(c, i)


cases = {
    "elementwise": (elementwise, numpy_elementwise),
    "dynamic_update_slice": (update, numpy_update),
}
for name, (step, numpy_step) in cases.items():
    compiled = scan(step)
    compiled(x)
    best = min(measure(partial(compiled, x)) for _ in range(3))
    numpy_best = min(measure(partial(loop, numpy_step)) for _ in range(3))
    print(f"{name:22s} weft {best:10.0f}   NumPy {numpy_best:10.0f} ns a step")

empty = weft.jit(lambda n: weft.fori_loop(0, n, lambda i, s: s + i % 7, 0))
empty(1)
print(f"{'a counter':22s} weft {measure(lambda: empty(STEPS)):10.1f} ns a step")
