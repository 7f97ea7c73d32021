"""What a device does for a plan: memory, code and launches, all in one order.

A GPU (`driver.py`) and the emulator of one are such devices.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

Triple: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TensorMap:
    """How a kernel sees a buffer through the Tensor Memory Accelerator.

    The innermost dimension comes first, as `cuTensorMapEncodeTiled` takes them;
    `strides` are in bytes and begin with those of dimension 1.
    """

    dims: tuple[int, ...]
    strides: tuple[int, ...]
    box: tuple[int, ...]
    swizzle: int
    type: str


# A pointer or an integer; a float with its kind, as ("f32", 0.5); a tensor map of a
# buffer, as (pointer, how).
Argument: TypeAlias = int | tuple[str, float] | tuple[int, TensorMap]


@runtime_checkable
class Device(Protocol):
    """Everything happens in the order of the calls; reading waits for it.

    `name` is that of `Array.device`, such as `cuda:0`; `chip` the architecture that
    code is made for, such as `sm_90a`; `code` the stage whose text `load` takes.
    """

    name: str
    chip: str
    code: Literal["ptx", "nvvm"]

    def allocate(self, size: int) -> int:
        """The address of so many bytes, at a multiple of 256.

        Raises `OutOfMemoryError` where they cannot be had; the device goes on.
        """
        ...

    def free(self, pointer: int) -> None:
        """Gives memory back, once everything before is done; from any thread."""
        ...

    def write(self, pointer: int, array: np.ndarray) -> None:
        """Copies a contiguous array there; it may be changed when this returns."""
        ...

    def read(self, pointer: int, array: np.ndarray) -> None:
        """Fills a contiguous array from there, after everything before is done."""
        ...

    def copy(self, to: int, source: int, size: int) -> None:
        """Copies bytes on the device."""
        ...

    def load(self, code: str) -> Any:
        """A module: PTX, or what the device takes in its place."""
        ...

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
        ...

    def synchronize(self) -> None:
        """Waits until everything is done; raises where something failed."""
        ...
