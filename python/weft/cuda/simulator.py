"""A GPU without one: kernels run on the CPU, thread by thread, and are checked.

Under the name `cuda-sim` it is a device like any other. What is wrong with a kernel is
raised as `KernelError`, at the line of the program that the kernel was made from.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from .. import _weft
from ..errors import CompileError, KernelError, OutOfMemoryError, display_path
from .device import Argument, Triple

_EmulatorError: type[Exception] = _weft.EmulatorError  # pyright: ignore
# How many modules stay prepared.
_MOST_MODULES = 256


def _position(place: str) -> str | None:
    file, _, line = place.rpartition(":")
    return f"{display_path(file)}:{line}" if file else None


@contextmanager
def _reported(kind: type[KernelError] | type[CompileError]) -> Iterator[None]:
    """Raises what the emulator finds as Weft's own errors."""
    try:
        yield
    except _EmulatorError as error:
        message, place = error.args
    else:
        return
    raise kind(message, _position(place)) from None


class Simulator:
    """A GPU that is emulated.

    Arguments:
        schedules: under how many orders of its threads each launch runs. The first is
            at random; the memory is set back before each other one.
        seed: what the random orders begin with.
        thorough: whether threads take turns at each access to memory, and not only
            where they wait for each other.
        steps: how many turns the loops of one block may take in all.
        chip: the architecture that programs are compiled for.

    Raises:
        KernelError: where a kernel does what it must not; see docs/emulator.md.

    >>> from weft.cuda.simulator import Simulator
    >>> device = Simulator()
    >>> pointer = device.allocate(16)
    >>> device.write(pointer, np.arange(4, dtype=np.float32))
    >>> result = np.empty(4, np.float32)
    >>> device.read(pointer, result)
    >>> result
    array([0., 1., 2., 3.], dtype=float32)
    """

    code: Literal["ptx", "nvvm"] = "nvvm"

    def __init__(
        self,
        schedules: int = 1,
        seed: int = 0,
        thorough: bool = False,
        steps: int = 1 << 30,
        chip: str = "sm_90a",
        name: str = "cuda-sim:0",
    ) -> None:
        self.name = name
        self.chip = chip
        self.multiprocessors = 4
        self._schedules = schedules
        self._seed = seed
        self._thorough = thorough
        self._steps = steps
        self._launches = 0
        self._emulator = _weft.Emulator()
        self._modules: OrderedDict[str, _weft.EmulatedModule] = OrderedDict()

    def allocate(self, size: int) -> int:
        """The address of so many bytes, at a multiple of 256, none written yet."""
        try:
            return self._emulator.allocate(size)
        except MemoryError:
            raise OutOfMemoryError(
                f"{self.name} has no {size} bytes left; "
                f"{self._emulator.bytes_in_use} are in use"
            ) from None

    def free(self, pointer: int) -> None:
        """Gives memory back; a kernel that uses it afterwards is found out."""
        with _reported(KernelError):
            self._emulator.free(pointer)

    def write(self, pointer: int, array: np.ndarray) -> None:
        """Copies a contiguous array there."""
        with _reported(KernelError):
            self._emulator.write(pointer, _as_bytes(array))

    def read(self, pointer: int, array: np.ndarray) -> None:
        """Fills a contiguous array from there; raises where nothing was written."""
        with _reported(KernelError):
            self._emulator.read(pointer, _as_bytes(array))

    def copy(self, to: int, source: int, size: int) -> None:
        """Copies bytes on the device."""
        with _reported(KernelError):
            self._emulator.copy(to, source, size)

    def load(self, code: str) -> _weft.EmulatedModule:
        """The kernels of MLIR text at stage `nvvm`; the same text is prepared once."""
        module = self._modules.get(code)
        if module is None:
            with _reported(CompileError):
                module = _weft.emulate(code)
            self._modules[code] = module
            if len(self._modules) > _MOST_MODULES:
                self._modules.popitem(last=False)
        self._modules.move_to_end(code)
        return module

    def launch(
        self,
        module: Any,
        kernel: str,
        grid: Triple,
        block: Triple,
        shared: int,
        args: Sequence[Argument],
    ) -> None:
        """Runs a kernel with so many bytes of dynamic shared memory."""
        self._launches += 1
        with _reported(KernelError):
            self._emulator.launch(
                module, kernel, grid, block, shared, args, self._orders()
            )

    def synchronize(self) -> None:
        """Does nothing: everything is done when its call returns."""

    def _orders(self) -> list[_weft.Schedule]:
        """Random orders, after the second one forwards and backwards."""
        orders = [_weft.Order.RANDOM] * self._schedules
        if self._schedules > 2:
            orders[1:3] = [_weft.Order.FORWARD, _weft.Order.BACKWARD]
        return [
            _weft.Schedule(
                order,
                (self._seed + 1) * 1_000_003 + self._launches * 1_009 + i,
                self._thorough,
                self._steps,
            )
            for i, order in enumerate(orders)
        ]


def _as_bytes(array: np.ndarray) -> np.ndarray:
    """The same memory: not every dtype of ml_dtypes exports a buffer."""
    return np.atleast_1d(array).reshape(-1).view(np.uint8)
