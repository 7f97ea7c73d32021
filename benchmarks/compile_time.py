"""How the time to trace, expand and compile grows with the program.

Prints milliseconds for chains of elementwise ops and their gradients, and the slope:
milliseconds an op between the two longest chains.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import time

import numpy as np

import weft

LENGTHS = (50, 100, 200, 400)
x = np.ones(1024, np.float32)


def chain(length: int):
    def f(x):
        for _ in range(length):
            x = weft.sin(x) * 1.5
        return weft.sum(x)

    return f


def measure(transform, length: int) -> dict[str, float]:
    start = time.perf_counter()
    lowered = weft.jit(transform(chain(length))).lower(x)
    traced = time.perf_counter()
    lowered.text("expanded")
    expanded = time.perf_counter()
    lowered.compile()
    compiled = time.perf_counter()
    return {
        "trace": (traced - start) * 1e3,
        "expand": (expanded - traced) * 1e3,
        "compile": (compiled - expanded) * 1e3,
    }


for name, transform in {"value": lambda f: f, "gradient": weft.grad}.items():
    measure(transform, 2)
    print(f"{name}: milliseconds by number of ops")
    rows = {2 * n: measure(transform, n) for n in LENGTHS}
    for ops, row in rows.items():
        print(f"  {ops:5d}", *(f"{step} {ms:8.1f}" for step, ms in row.items()))
    (few, before), (many, after) = list(rows.items())[-2:]
    for step in after:
        slope = (after[step] - before[step]) / (many - few)
        print(f"  {step}: {slope:.2f} ms an op")
