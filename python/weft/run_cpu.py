"""Runs machine code on the CPU: inputs in place, results in pooled memory."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from . import _weft, library
from ._weft import Executable, Function
from .array import Array
from .devices import empty_device_caches
from .errors import LinAlgError, OutOfMemoryError, display_path, is_internal
from .specs import ShapeDtypeStruct


def compiled_function(
    executable: Executable,
    inputs: Sequence[ShapeDtypeStruct],
    outputs: Sequence[ShapeDtypeStruct],
    constants: Sequence[np.ndarray],
) -> Function:
    """Machine code as a function from a list of arrays to the list of its results."""
    provide_arrays()
    if executable.calls_routines:
        library.provide()
    return Function(executable, inputs, outputs, constants)


@functools.cache
def provide_arrays() -> None:
    """Tells the extension what arrays are, and how a call fails."""
    _weft.provide_arrays(Array, _out_of_memory, _failure)


def empty_cache() -> int:
    """Frees the memory that is kept for the results and the scratch of later calls.

    That of GPUs that are in use, too.

    Returns how many bytes that were. It happens by itself where memory cannot be had
    otherwise, and the system takes the pages of large buffers when it needs them.

    >>> x = weft.jit(lambda x: x + 1)(np.zeros(1000))
    >>> del x
    >>> weft.empty_cache() >= 8000
    True
    """
    return _weft.empty_cache() + empty_device_caches()


def _out_of_memory(size: int | None) -> OutOfMemoryError:
    """Why a call cannot run: a buffer of `size` bytes, or what code asked for."""
    if size is not None:
        return OutOfMemoryError(
            f"a result or the scratch of this call needs {size / 2**30:.3g} GiB, "
            "which this machine does not have; compute it in parts"
        )
    return OutOfMemoryError(
        "what a loop records for its backward pass, or the work space of a library, "
        "does not fit into the memory of this machine; take fewer steps, "
        "weft.checkpoint them, or compute it in parts"
    )


def _failure(message: str, place: str) -> LinAlgError:
    """What a kernel reports, at the line of the program that called it."""
    file, _, line = place.rpartition(":")
    known = file and not is_internal(file)
    return LinAlgError(message, f"{display_path(file)}:{line}" if known else None)
