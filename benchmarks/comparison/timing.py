"""How long calls take, and how much memory they take besides their arguments."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Call = Callable[[], Any]
# Threads of the one before look out for work for a while; then processors that have
# slept are slow for some milliseconds.
PAUSE, WARM = 0.05, 0.02
ROUND, MOST_CALLS = 2e-3, 1000
# Calls that take longer, in seconds, take two rounds and no call to warm up.
LONG = 0.3
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def once(call: Call) -> tuple[float, Any]:
    """The time of one call in seconds, and its result."""
    time.sleep(PAUSE)
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def fastest(calls: dict[str, Call], seconds: float) -> dict[str, float]:
    """The fastest round of each, in seconds a call; they take turns."""
    best = dict.fromkeys(calls, float("inf"))
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < 3 or time.perf_counter() < end:
        rounds += 1
        for name, call in calls.items():
            if rounds > 2 and best[name] > LONG:
                continue
            time.sleep(PAUSE)
            if rounds == 1 or best[name] < LONG:
                _warm_up(call)
            best[name] = min(best[name], _round(call))
    return best


def _warm_up(call: Call) -> None:
    start = time.perf_counter()
    while True:
        call()
        if time.perf_counter() - start > WARM:
            return


def _round(call: Call) -> float:
    start, times = time.perf_counter(), 0
    while True:
        call()
        times += 1
        spent = time.perf_counter() - start
        if spent > ROUND or times >= MOST_CALLS:
            return spent / times


def peak_memory(call: Call, release: Call) -> int | None:
    """The most bytes that a call, its result included, holds at a time.

    What the process held before is not counted, once it has given back what is free,
    to which `release` belongs. None where the system does not say.
    """
    try:
        allocator = ctypes.CDLL(None)
        with _nothing_kept(allocator):
            call()
            # Some give back what they are done with in threads of their own.
            time.sleep(PAUSE)
            release()
            allocator.malloc_trim(0)
            RESET.write_text("5")
            before = _status("VmRSS")
            result = call()
            after = _status("VmHWM")
            del result
    except (AttributeError, OSError):
        return None
    return max(after - before, 0)


@contextlib.contextmanager
def _nothing_kept(allocator: ctypes.CDLL) -> Iterator[None]:
    """What is freed goes back to the system, from the heaps of all threads.

    Afterwards memory is kept as by default, once large arrays were freed.
    """
    _keep(allocator, 0, 1 << 16)
    try:
        yield
    finally:
        _keep(allocator, 1 << 26, 1 << 25)


def _keep(allocator: ctypes.CDLL, trim: int, mapped: int) -> None:
    trim_threshold, mmap_threshold = -1, -3
    allocator.mallopt(trim_threshold, trim)
    allocator.mallopt(mmap_threshold, mapped)


def _status(name: str) -> int:
    """A line of the process's status, in bytes."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{STATUS} does not state {name}")
