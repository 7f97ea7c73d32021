"""Runs machine code on the CPU: inputs in place, results from a pool of buffers."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .array import Array
from .specs import ShapeDtypeStruct

if TYPE_CHECKING:
    from ._weft import Executable

ALIGNMENT: Final = 64
# A fresh large result costs more in page faults than most kernels take.
POOLED_BYTES: Final = 1 << 16
_POOLED_BUFFERS: Final = 4
# References to a pooled buffer that nobody uses: the local name and the call's.
_IDLE_REFERENCES: Final = 2


def aligned_buffer(size: int) -> np.ndarray:
    """Bytes that begin at a multiple of 64; at least one cache line."""
    raw = np.empty(max(size, 1) + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + max(size, 1)]


class ResultPool:
    """Memory for one result of a function, used again when nobody sees it.

    Every view that NumPy or DLPack takes holds a reference to the memory, so the
    count of references says whether it is free. A buffer is out of the queue while
    its count is looked at: no two threads look at the same one.
    """

    def __init__(self, spec: ShapeDtypeStruct) -> None:
        self._shape, self._dtype = spec.shape, spec.dtype
        self._bytes = spec.size * spec.dtype.itemsize
        self._buffers: deque[np.ndarray] = deque()

    def take(self) -> np.ndarray:
        """An array for the result, with undefined elements."""
        if self._bytes < POOLED_BYTES:
            return np.empty(self._shape, self._dtype)
        for _ in range(len(self._buffers)):
            try:
                buffer = self._buffers.popleft()
            except IndexError:
                break
            if sys.getrefcount(buffer) <= _IDLE_REFERENCES:
                return self._view(buffer)
            self._buffers.append(buffer)
        if len(self._buffers) >= _POOLED_BUFFERS:
            self._buffers.popleft()
        raw = np.empty(self._bytes + ALIGNMENT, np.uint8)
        return self._view(raw)

    def _view(self, raw: np.ndarray) -> np.ndarray:
        start = -raw.ctypes.data % ALIGNMENT
        view = np.ndarray(self._shape, self._dtype, raw, start)
        self._buffers.append(raw)
        return view


class CpuFunction:
    """A compiled function on flat lists of arrays."""

    def __init__(
        self,
        executable: Executable,
        inputs: Sequence[ShapeDtypeStruct],
        outputs: Sequence[ShapeDtypeStruct],
        constants: Sequence[np.ndarray],
    ) -> None:
        self.executable = executable
        self._dtypes = [spec.dtype for spec in inputs]
        self._results = [ResultPool(spec) for spec in outputs]
        self._constants = [as_input(c, c.dtype) for c in constants]
        self._constant_addresses = [address(c) for c in self._constants]
        self._arenas: deque[np.ndarray] = deque()

    def __call__(self, leaves: Sequence[Any]) -> list[Array]:
        """Runs the function on arrays whose shapes and dtypes are known to fit."""
        inputs = [
            leaf._data
            if type(leaf) is Array and leaf._data.flags.carray
            else as_input(leaf, dtype)
            for leaf, dtype in zip(leaves, self._dtypes, strict=False)
        ]
        results = [pool.take() for pool in self._results]
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = aligned_buffer(self.executable.arena_bytes)
        pointers = [x.__array_interface__["data"][0] for x in inputs]
        pointers += self._constant_addresses
        pointers += [x.__array_interface__["data"][0] for x in results]
        pointers.append(arena.__array_interface__["data"][0])
        self.executable(pointers)
        self._arenas.append(arena)
        return [Array(result) for result in results]


def address(x: np.ndarray) -> int:
    """Where the elements of an array begin."""
    return x.__array_interface__["data"][0]


def as_input(x: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """A leaf as contiguous aligned memory: a copy only where it is not."""
    data = x._data if type(x) is Array else np.asarray(x, dtype)
    return np.require(data, requirements=("C", "A"))
