"""The bindings of the CUDA driver, and what its failures mean."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from typing import Any, Final

from ..errors import DeviceError


@functools.cache
def bindings() -> Any:
    """The bindings, once there is a driver; raises with the reason why there is none.

    The module imports without a driver; the first call looks for one.
    """
    try:
        from cuda.bindings import driver  # pyright: ignore
    except ImportError as error:
        raise DeviceError(
            f"CUDA devices need the package cuda-python, which cannot be imported "
            f"({error}); install it, or use the device 'cpu' or 'cuda-sim'"
        ) from None
    try:
        (status,) = driver.cuInit(0)
    except RuntimeError:
        raise DeviceError(
            "there is no NVIDIA driver on this machine (libcuda.so.1 is not found); "
            "use the device 'cpu', or 'cuda-sim', which emulates a GPU"
        ) from None
    if status != driver.CUresult.CUDA_SUCCESS:
        raise DeviceError(
            f"the NVIDIA driver finds no device that it can use ({status.name}); see "
            "what nvidia-smi says, and CUDA_VISIBLE_DEVICES"
        )
    return driver


def check(result: tuple[Any, ...], what: str) -> Any:
    """What a call of the driver returned beside its status, which must be success."""
    status, *values = result
    if status:
        raise failure(status, what)
    return values[0] if len(values) == 1 else values


def failure(status: Any, what: str) -> DeviceError:
    _, text = bindings().cuGetErrorString(status)
    reason = f"{text.decode()} ({status.name})" if text else status.name
    lost = (
        "; nothing more can run on the device in this process, start it again"
        if status.name in _FATAL
        else ""
    )
    return DeviceError(f"{what}: {reason}{lost}")


# After these a context is of no more use.
_FATAL: Final = frozenset(
    f"CUDA_ERROR_{name}"
    for name in (
        "ILLEGAL_ADDRESS",
        "ILLEGAL_INSTRUCTION",
        "MISALIGNED_ADDRESS",
        "INVALID_ADDRESS_SPACE",
        "INVALID_PC",
        "LAUNCH_FAILED",
        "LAUNCH_TIMEOUT",
        "HARDWARE_STACK_ERROR",
        "ASSERT",
        "TENSOR_MEMORY_LEAK",
    )
)
