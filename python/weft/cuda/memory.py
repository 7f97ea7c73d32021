"""Elements in the memory of a device, freed in the order of its work."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from .device import Device


class Memory:
    """An array in a device's memory, contiguous, which is freed when nothing uses it.

    `owner` is what keeps memory that others allocated; it is not freed then.
    """

    __slots__ = ("__weakref__", "device", "dtype", "owner", "pointer", "shape")

    def __init__(
        self,
        device: Device,
        pointer: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        owner: Any = None,
    ) -> None:
        self.device, self.pointer, self.owner = device, pointer, owner
        self.shape, self.dtype = shape, dtype

    @staticmethod
    def empty(device: Device, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Memory:
        """Memory with nothing in it yet."""
        size = math.prod(shape) * dtype.itemsize
        return Memory(device, device.allocate(size), shape, dtype)

    @staticmethod
    def of(device: Device, array: np.ndarray) -> Memory:
        """A copy of a NumPy array on a device."""
        # `ascontiguousarray` would make a scalar an array of one.
        contiguous = np.asarray(array, order="C")
        memory = Memory.empty(device, array.shape, array.dtype)
        if contiguous.size:
            device.write(memory.pointer, contiguous)
        return memory

    def __del__(self) -> None:
        # Where allocating failed there is no pointer.
        pointer = getattr(self, "pointer", None)
        if pointer is not None and self.owner is None:
            self.device.free(pointer)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes."""
        return self.size * self.dtype.itemsize

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def copy(self) -> Memory:
        """The same elements in memory of their own."""
        copy = Memory.empty(self.device, self.shape, self.dtype)
        if self.nbytes:
            self.device.copy(copy.pointer, self.pointer, self.nbytes)
        return copy

    def numpy(self) -> np.ndarray:
        """The elements on the host; waits until they are computed."""
        array = np.empty(self.shape, self.dtype)
        if array.size:
            self.device.read(self.pointer, array)
        return array

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> np.ndarray:
        if copy is False:
            raise ValueError(f"the elements are on {self.device.name}, not on the host")
        return self.numpy().astype(dtype or self.dtype, copy=False)

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """This memory for another library that uses the GPU, without a copy."""
        from .exchange import exported

        kind, number = self.__dlpack_device__()
        if dl_device not in (None, (kind, number)):
            raise BufferError(f"the elements are on {self.device.name}")
        shared = self.copy() if copy else self
        return exported(shared, number, stream, max_version)

    def __dlpack_device__(self) -> tuple[int, int]:
        kind, _, number = self.device.name.partition(":")
        if kind != "cuda":
            raise BufferError(
                f"{self.device.name} is no device that other libraries know; copy the "
                "elements to the host (np.asarray)"
            )
        return 2, int(number)

    def item(self) -> Any:
        """The only element, as a Python number."""
        return self.numpy().item()

    def __repr__(self) -> str:
        text = np.array2string(self.numpy(), separator=", ", prefix="Memory(")
        return f"Memory({text}, dtype={self.dtype}, device={self.device.name!r})"


def _given_away(leaf: Any, memories: list[Any], index: int) -> Memory:
    """The memory of a donated argument, or a copy where others see it.

    An array that had it, as `_data`, is without from now on.
    """
    memory = memories[index]
    memories[index] = None
    if leaf is memory or memory.owner is not None:
        return memory.copy()
    if getattr(leaf, "_data", None) is not memory:
        return memory  # copied for this call
    del leaf._data
    # One reference is that of this function, one that of the question.
    return memory if sys.getrefcount(memory) == 2 else memory.copy()


def give_away(
    leaves: Sequence[Any], memories: list[Any], donated: Sequence[int]
) -> None:
    """Replaces the memories of donated arguments by ones that may be written to."""
    for number, i in enumerate(donated):
        # One that is donated twice has its elements until the second time.
        if any(leaves[i] is leaves[j] for j in donated[number + 1 :]):
            memories[i] = memories[i].copy()
        else:
            memories[i] = _given_away(leaves[i], memories, i)
