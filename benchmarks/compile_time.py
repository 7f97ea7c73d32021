"""How the time to trace, expand, lower and compile grows with the program.

Prints milliseconds of processor time for chains of elementwise ops, their gradients
and their Hessian-vector products, and the slope: milliseconds an op of the chain
between the two longest. The growth is that of the time of a step from half the
longest chain to the longest: 2 is linear, 4 quadratic. And seconds of the first call of
a transformer's training step (`comparison/programs/training.py`).

    python benchmarks/compile_time.py [--compile] [--transformer]

With `--compile` the chains are compiled too; with `--transformer` they are left out.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools
import os
import sys
import time

import numpy as np

import weft
from comparison.frameworks import weft_call, whole
from comparison.programs.training import transformer_step
from comparison.spaces import weft_space

os.environ["WEFT_CACHE_DIR"] = ""  # what is measured is compiled
LENGTHS = (250, 500, 1000)  # of two ops each
STEPS = ("trace", "expand", "to llvm", "compile")
x = np.ones(1024, np.float32)


def chain(length: int):
    def f(x):
        for _ in range(length):
            x = weft.sin(x) * 1.5
        return weft.sum(x)

    return f


def hessian_vector(f):
    return lambda x: weft.jvp(weft.grad(f), (x,), (x,))[1]


def measure(function, args: tuple, with_code: bool) -> dict[str, float]:
    times = [time.process_time()]
    lowered = weft.jit(function).lower(*args)
    times.append(time.process_time())
    lowered.text("expanded")
    times.append(time.process_time())
    lowered.text("llvm")
    times.append(time.process_time())
    if with_code:
        lowered.compile()
        times.append(time.process_time())
    spans = [(b - a) * 1e3 for a, b in itertools.pairwise(times)]
    return dict(zip(STEPS, spans, strict=False))


def spelled(row: dict[str, float]) -> str:
    return " ".join(f"{step} {ms:8.1f}" for step, ms in row.items())


def chains(with_code: bool) -> None:
    """Machine code takes LLVM several times as long as all else."""
    programs = {
        "value": lambda f: f,
        "gradient": weft.grad,
        "Hessian-vector product": hessian_vector,
    }
    for name, transform in programs.items():
        measure(transform(chain(2)), (x,), with_code)
        print(f"{name}: milliseconds by number of ops")
        rows = {2 * n: measure(transform(chain(n)), (x,), with_code) for n in LENGTHS}
        for ops, row in rows.items():
            print(f"  {ops:5d} {spelled(row)}")
        (few, before), (many, after) = list(rows.items())[-2:]
        for step in after:
            slope = (after[step] - before[step]) / (many - few)
            growth = after[step] / before[step]
            print(f"  {step}: {slope:.2f} ms an op, growth {growth:.1f}")


def transformers() -> None:
    """Loss, gradients and update, written as a loop over layers in Python."""
    print("transformer's training step: seconds of the first call; milliseconds")
    for layers in (1, 2, 12):
        case = transformer_step(layers)
        call = weft_call(case)
        start = time.perf_counter()
        call()
        first = time.perf_counter() - start
        row = measure(whole(case, weft_space()), case.args, with_code=True)
        print(f"  {layers:2d} layers: {first:6.2f} s; {spelled(row)}", flush=True)


if "--transformer" not in sys.argv:
    chains("--compile" in sys.argv)
weft.jit(chain(2))(x)
transformers()
