"""Runs machine code on the CPU: inputs in place, results from a pool of buffers."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from . import library
from ._weft import Executable
from .array import Array
from .errors import LinAlgError, OutOfMemoryError, display_path, is_internal
from .specs import ShapeDtypeStruct

ALIGNMENT: Final = 64
_POOLED_BUFFERS: Final = 4
# References to memory that nobody sees: that of its `Buffer`, and the question's own.
_IDLE_REFERENCES: Final = 2


@dataclass(slots=True)
class Buffer:
    """Memory that begins at a multiple of 64, `start` bytes into `raw`."""

    raw: np.ndarray
    start: int
    address: int


def aligned_buffer(size: int) -> Buffer:
    """New memory of at least one byte."""
    try:
        raw = np.empty(max(size, 1) + ALIGNMENT, np.uint8)
    except MemoryError:
        raise OutOfMemoryError(
            f"a result or the scratch of this call needs {size / 2**30:.3g} GiB, "
            "which this machine does not have; compute it in parts"
        ) from None
    address = raw.ctypes.data
    start = -address % ALIGNMENT
    return Buffer(raw, start, address + start)


class ResultPool:
    """Memory for one result of a function, used again when nobody sees it.

    A fresh large result costs more in page faults than most kernels take. Every view
    that NumPy or DLPack takes holds a reference to the memory, so the count of
    references says whether it is free. A buffer is out of the queue while its count
    is looked at: no two threads look at the same one.
    """

    def __init__(self, spec: ShapeDtypeStruct) -> None:
        self._shape, self._dtype = spec.shape, spec.dtype
        self._bytes = spec.size * spec.dtype.itemsize
        self._buffers: deque[Buffer] = deque(maxlen=_POOLED_BUFFERS)

    def take(self) -> Array:
        """An array for the result, with undefined elements."""
        buffer = self._idle() or aligned_buffer(self._bytes)
        view = np.ndarray(self._shape, self._dtype, buffer.raw, buffer.start)
        self._buffers.append(buffer)
        return Array.adopt(view, buffer.address)

    def _idle(self) -> Buffer | None:
        for _ in range(len(self._buffers)):
            try:
                buffer = self._buffers.popleft()
            except IndexError:
                return None
            if sys.getrefcount(buffer.raw) <= _IDLE_REFERENCES:
                return buffer
            self._buffers.append(buffer)
        return None


class CpuFunction:
    """A compiled function on flat lists of arrays."""

    def __init__(
        self,
        executable: Executable,
        inputs: Sequence[ShapeDtypeStruct],
        outputs: Sequence[ShapeDtypeStruct],
        constants: Sequence[np.ndarray],
    ) -> None:
        if executable.calls_kernels:
            library.provide()
        self._executable = executable
        self._dtypes = [spec.dtype for spec in inputs]
        self._results = [ResultPool(spec) for spec in outputs]
        self._constants = [Array(constant) for constant in constants]
        self._addresses = [constant.address() for constant in self._constants]
        self._arenas: deque[Buffer] = deque()

    def __call__(self, leaves: Sequence[Any]) -> list[Array]:
        """Runs the function on arrays whose shapes and dtypes are known to fit."""
        kept: list[Array] = []
        pointers = [
            (leaf._address or leaf.address(kept))
            if type(leaf) is Array
            else _address(leaf, dtype, kept)
            for leaf, dtype in zip(leaves, self._dtypes, strict=False)
        ]
        pointers += self._addresses
        results = [pool.take() for pool in self._results]
        pointers += [result._address for result in results]
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = aligned_buffer(self._executable.arena_bytes)
        pointers.append(arena.address)
        try:
            self._executable(pointers)
        except MemoryError:
            raise OutOfMemoryError(
                "what a loop records for its backward pass, or the work space of a "
                "library, does not fit into the memory of this machine; take fewer "
                "steps, weft.checkpoint them, or compute it in parts"
            ) from None
        except library.KernelError as error:
            raise _failure(*error.args) from None
        self._arenas.append(arena)
        return results


def _failure(message: str, place: str) -> LinAlgError:
    """What a kernel reports, at the line of the program that called it."""
    file, _, line = place.rpartition(":")
    known = file and not is_internal(file)
    return LinAlgError(message, f"{display_path(file)}:{line}" if known else None)


def _address(x: Any, dtype: np.dtype[Any], kept: list[Array]) -> int:
    """Where an argument is that is no array of Weft's: NumPy's, or a scalar."""
    if type(x) is np.ndarray and x.dtype == dtype:
        flags = x.flags
        if flags.c_contiguous and flags.aligned:
            return x.ctypes.data
    # Zeros compare equal whatever their sign, so they have no place in the cache.
    scalar = type(x) in (int, float, complex) and x != 0
    number: Any = x
    kept.append(_scalar(number, dtype) if scalar else Array(np.asarray(x, dtype)))
    return kept[-1].address(kept)


@functools.lru_cache(maxsize=256, typed=True)
def _scalar(x: complex, dtype: np.dtype[Any]) -> Array:
    """A Python number as an array; the same one for the numbers used of late."""
    array = Array(np.asarray(x, dtype))
    array.address()
    return array
