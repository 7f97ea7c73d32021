"""Elements in the memory of a device, freed in the order of its work."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
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

    def copied(self) -> Memory:
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

    def item(self) -> Any:
        """The only element, as a Python number."""
        return self.numpy().item()

    def __repr__(self) -> str:
        text = np.array2string(self.numpy(), separator=", ", prefix="Memory(")
        return f"Memory({text}, dtype={self.dtype}, device={self.device.name!r})"
