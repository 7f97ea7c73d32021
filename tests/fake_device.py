"""A device of the host's memory, whose kernels are functions of NumPy arrays.

Plans run on it as on a GPU; it says what was launched, and what is still allocated.
"""

import ctypes
import itertools

import numpy as np

from weft.errors import OutOfMemoryError


def view(pointer, shape, dtype=np.float32):
    """The elements at an address."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape)) * dtype.itemsize
    raw = (ctypes.c_char * size).from_address(pointer)
    return np.frombuffer(raw, dtype).reshape(shape)


class FakeDevice:
    """`kernels` are functions of a launch's arguments, by name."""

    chip = "sm_90a"

    def __init__(self, kernels, limit=1 << 24, name="fake:0", code="nvvm"):
        self.kernels, self.limit, self.name, self.code = kernels, limit, name, code
        self.blocks = {}
        self.launched = []
        self.loaded = []
        self.writes = self.waits = 0
        self._fresh = itertools.count()

    @property
    def used(self):
        return sum(len(block) for block in self.blocks.values())

    def allocate(self, size):
        if self.used + size > self.limit:
            raise OutOfMemoryError(f"{size:,} bytes cannot be had on {self.name}")
        block = np.full(max(size, 1) + 256, 0xA5, np.uint8)
        pointer = block.ctypes.data + -block.ctypes.data % 256
        self.blocks[pointer] = block
        return pointer

    def free(self, pointer):
        del self.blocks[pointer]

    def write(self, pointer, array):
        self.writes += 1
        view(pointer, array.shape, array.dtype)[...] = array

    def read(self, pointer, array):
        self.waits += 1
        array[...] = view(pointer, array.shape, array.dtype)

    def copy(self, to, source, size):
        ctypes.memmove(to, source, size)

    def load(self, code):
        self.loaded.append(code)
        return code

    def launch(self, module, kernel, grid, block, shared, args):
        assert module == self.loaded[-1]
        self.launched.append(kernel)
        self.kernels[kernel](*args)

    def synchronize(self):
        self.waits += 1
