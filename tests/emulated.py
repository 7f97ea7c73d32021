"""Kernels for the emulator's tests: text in the gpu dialect, lowered and run."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from mlir.ir import Context, Module
from mlir.passmanager import PassManager

from weft import _weft
from weft.cuda.simulator import Simulator

_PIPELINE = (
    "builtin.module(gpu.module(convert-scf-to-cf,"
    "convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1},"
    "reconcile-unrealized-casts))"
)


@functools.cache
def nvvm(body: str) -> str:
    """The nvvm text of kernels; `!7` at an op's end says that it is at user.py:7."""
    body = re.sub(r" !(\d+)$", r' loc("user.py":\1:1)', body, flags=re.MULTILINE)
    context = Context()
    _weft.register_dialects(context)
    with context:
        text = (
            f"module attributes {{gpu.container_module}} {{ gpu.module @k {{{body}}} }}"
        )
        module = Module.parse(text)
        PassManager.parse(_PIPELINE).run(module.operation)
        return str(module.operation.get_asm(enable_debug_info=True))


class Run:
    """Buffers by name, and launches of one module."""

    def __init__(self, body: str, simulator: Simulator | None = None) -> None:
        self.device = simulator or Simulator()
        self.module = self.device.load(nvvm(body))

    def upload(self, array: np.ndarray) -> int:
        pointer = self.device.allocate(array.nbytes)
        self.device.write(pointer, np.ascontiguousarray(array))
        return pointer

    def download(self, pointer: int, shape: Any, dtype: Any = np.float32) -> np.ndarray:
        array = np.empty(shape, dtype)
        self.device.read(pointer, array)
        return array

    def launch(
        self,
        *args: Any,
        threads: int = 64,
        blocks: int = 1,
        shared: int = 0,
        kernel: str = "f",
    ) -> None:
        grid, block = (blocks, 1, 1), (threads, 1, 1)
        self.device.launch(self.module, kernel, grid, block, shared, args)


def run(
    body: str, inputs: Sequence[np.ndarray], result: tuple[Any, Any], **how: Any
) -> np.ndarray:
    """What a kernel leaves in its last argument, for arrays as the others."""
    runner = Run(body, how.pop("simulator", None))
    pointers = [runner.upload(array) for array in inputs]
    shape, dtype = result
    out = runner.device.allocate(np.empty(shape, dtype).nbytes)
    runner.launch(*pointers, out, **how)
    return runner.download(out, shape, dtype)
