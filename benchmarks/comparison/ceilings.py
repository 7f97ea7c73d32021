"""What the machine does at most: operations a second by dtype, bytes a second by size.

Measured by `ceilings.c`, which the machine's C compiler compiles for its processor.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .case import Work

SOURCE = Path(__file__).with_name("ceilings.c")
OPERATIONS = ("f32", "f64", "bf16", "i8")
# The fastest way of each counts.
MOVES = {
    "read": ("read_bytes",),
    "write": ("write_bytes", "write_bytes_past"),
    "copy": ("copy_bytes", "copy_bytes_past"),
}
# Bytes of all threads: what fits the caches of one core, and what fits none.
FOOTPRINTS = tuple(1 << n for n in (16, 20, 23, 25, 26, 27))
ROUND = 20e-3


@dataclass(frozen=True)
class Bound:
    """The least time of a program, in seconds, and what it is bound by."""

    seconds: float
    by: str


@dataclass(frozen=True)
class Ceilings:
    """Operations a second by dtype; bytes a second by footprint and kind of move."""

    operations: dict[str, float]
    bytes: dict[int, dict[str, float]]

    def bound(self, work: Work) -> Bound | None:
        """The longer of the times of the arithmetic and of the memory."""
        if not work.operations and not work.read + work.written:
            return None
        arithmetic = work.operations / self.operations[work.dtype]
        memory = self._memory(work)
        seconds = work.times * max(arithmetic, memory)
        if arithmetic > memory:
            return Bound(seconds, work.dtype)
        return Bound(seconds, "copy" if work.written and work.read else
                     "read" if work.read else "write")  # fmt: skip

    def _memory(self, work: Work) -> float:
        """What is read and written meets, and the rest of one of them is left."""
        touched = work.read + work.written
        fitting = (size for size in FOOTPRINTS if size >= touched)
        rates = self.bytes[next(fitting, FOOTPRINTS[-1])]
        both = min(work.read, work.written)
        return (
            2 * both / rates["copy"]
            + (work.read - both) / rates["read"]
            + (work.written - both) / rates["write"]
        )

    def joined(self, other: Ceilings) -> Ceilings:
        """The higher of each, as of two times."""

        def higher(a: dict[str, float], b: dict[str, float]) -> dict[str, float]:
            return {name: max(rate, b[name]) for name, rate in a.items()}

        moves = {n: higher(rates, other.bytes[n]) for n, rates in self.bytes.items()}
        return Ceilings(higher(self.operations, other.operations), moves)

    def lines(self) -> list[str]:
        """Text for a reader: one line of arithmetic, one for each footprint."""
        rates = ", ".join(
            f"{name} {rate / 1e9:.0f}" for name, rate in self.operations.items()
        )
        lines = [f"Operations, billions a second: {rates}."]
        for size, moves in self.bytes.items():
            speeds = ", ".join(f"{k} {v / 1e9:.1f}" for k, v in moves.items())
            lines.append(f"Bytes of {size / 2**20:g} MiB, GB/s: {speeds}.")
        return lines


def measure(threads: int) -> Ceilings | None:
    """The machine's ceilings with some threads; None where no C compiler is."""
    library = _compiled()
    if library is None:
        return None
    with ThreadPoolExecutor(threads) as pool:

        def together(calls: list[Callable[[int], float]]) -> float:
            return _fastest(pool, calls)

        operations = {
            name: together([_function(library, name)] * threads) for name in OPERATIONS
        }
        moves = {}
        for footprint in FOOTPRINTS:
            buffers = [_buffer(footprint // threads) for _ in range(threads)]
            moves[footprint] = {
                kind: max(
                    together([_mover(library, name, b) for b in buffers])
                    for name in names
                )
                for kind, names in MOVES.items()
            }
    return Ceilings(operations, moves)


def _compiled() -> ctypes.CDLL | None:
    named = os.environ.get("CC")
    compiler = next(filter(None, map(shutil.which, (named or "cc", "clang"))), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "ceilings.so"
        command = [compiler, "-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run([*command, "-o", str(target), str(SOURCE)], check=True)
        return ctypes.CDLL(str(target))


def _function(library: ctypes.CDLL, name: str, *more: Any) -> Callable[..., float]:
    """A function of the number of rounds, and of arguments of more types."""
    function = getattr(library, name)
    function.restype = ctypes.c_double
    function.argtypes = [ctypes.c_long, *more]
    return function


def _mover(
    library: ctypes.CDLL, name: str, buffer: np.ndarray
) -> Callable[[int], float]:
    function = _function(library, name, ctypes.c_void_p, ctypes.c_long)
    return lambda rounds: function(rounds, buffer.ctypes.data, buffer.nbytes)


def _buffer(size: int) -> np.ndarray:
    """Zeros that are really there, of a multiple of 1,024 bytes on a line's border."""
    size = size // 1024 * 1024
    raw = np.ones(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size]


def _called(call: Callable[[int], float], rounds: int) -> float:
    return call(rounds)


def _fastest(
    pool: ThreadPoolExecutor, calls: list[Callable[[int], float]], times: int = 5
) -> float:
    """What all calls do together in a second, at the best of some times."""
    rounds, best = 1, 0.0
    while times:
        start = time.perf_counter()
        done = sum(pool.map(_called, calls, [rounds] * len(calls)))
        spent = time.perf_counter() - start
        if spent < ROUND / 2:
            rounds *= 4 if spent < ROUND / 10 else 2
            continue
        best, times = max(best, done / spent), times - 1
    return best
