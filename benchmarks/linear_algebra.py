"""What linear algebra costs: compiled, and by NumPy.

Prints microseconds a call, the minimum over rounds in which the two take turns, and
NumPy's over Weft's. Both call an OpenBLAS, NumPy its own and Weft SciPy's.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import weft
from weft import linalg

Function = Callable[..., Any]

FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "cholesky": (
        lambda x: linalg.cholesky(x, symmetrize_input=False),
        np.linalg.cholesky,
    ),
    "solve": (linalg.solve, np.linalg.solve),
    "inv": (linalg.inv, np.linalg.inv),
    "det": (linalg.det, np.linalg.det),
    "qr": (linalg.qr, np.linalg.qr),
    "svd": (
        lambda x: linalg.svd(x, full_matrices=False),
        lambda x: np.linalg.svd(x, full_matrices=False),
    ),
    "eigh": (lambda x: linalg.eigh(x, "L"), np.linalg.eigh),
    "pinv": (linalg.pinv, np.linalg.pinv),
}
SHAPES = ((4, 4), (64, 64), (500, 500), (1000, 4, 4), (50, 32, 32))


def fastest(calls: list[Callable[[], object]], seconds: float) -> list[float]:
    """The fastest round of each call, in seconds; they take turns."""
    best = [float("inf")] * len(calls)
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or time.perf_counter() < end:
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - start)
        rounds += 1
    return best


def operands(name: str, shape: tuple[int, ...], dtype: Any) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    x = random.normal(size=shape)
    x = x @ np.swapaxes(x, -1, -2) / shape[-1] + np.eye(shape[-1])
    sides = [random.normal(size=(*shape[:-1], 1))] if name == "solve" else []
    return [np.asarray(y, dtype) for y in (x, *sides)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each case")
    seconds = parser.parse_args().seconds
    print(f"{'':9s} {'':14s} {'weft':>12s} {'NumPy':>12s}")
    for name, (ours, theirs) in FUNCTIONS.items():
        compiled = weft.jit(ours)
        for shape in SHAPES:
            xs = operands(name, shape, np.float64)
            calls = [lambda: compiled(*xs), lambda: theirs(*xs)]  # noqa: B023
            for call in calls:
                call()
            weft_time, numpy_time = fastest(calls, seconds)
            print(
                f"{name:9s} {'x'.join(map(str, shape)):14s} {weft_time * 1e6:9.1f} us "
                f"{numpy_time * 1e6:9.1f} us  x{numpy_time / weft_time:.2f}"
            )


if __name__ == "__main__":
    main()
