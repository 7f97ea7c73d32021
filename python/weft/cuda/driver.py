"""NVIDIA GPUs through the CUDA driver, by `cuda.bindings.driver`; no toolkit is needed.

A device has one stream, in which everything happens, and keeps what is freed for the
next that wants so many bytes. Launches that follow each other are prepared once: a call
writes addresses into their parameters, and addresses that come again are replayed as a
CUDA graph.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ..errors import DeviceError, OutOfMemoryError
from .bindings import bindings, check, failure
from .device import Argument, TensorMap, Triple
from .launches import MAP_BYTES, CudaStraight, Parameters, kind_of
from .run import Ready, bits_of

if TYPE_CHECKING:
    from .solver import Libraries

# What cuMemAlloc aligns to.
_GRANULE: Final = 256
# Beyond this much dynamic shared memory a kernel must ask for it.
_SHARED_DEFAULT: Final = 48 * 1024
# Copies from the host of at most so many bytes are staged when the call returns.
_STAGED: Final = 64 * 1024
_LOG_BYTES: Final = 16 * 1024

_MAP_TYPES: Final = {
    "bf16": "BFLOAT16",
    "f16": "FLOAT16",
    "f32": "FLOAT32",
    "tf32": "TFLOAT32",
    "f64": "FLOAT64",
    "i8": "UINT8",
    "i32": "INT32",
    "i64": "INT64",
}


def count() -> int:
    """How many GPUs the driver finds; raises where there is none of it."""
    return check(bindings().cuDeviceGetCount(), "the devices cannot be counted")


@functools.cache
def cuda_device(index: int = 0) -> CudaDevice:
    """The GPU of a number; raises `DeviceError` where there is none."""
    number = count()
    if not 0 <= index < number:
        raise DeviceError(
            f"there is no device cuda:{index}; the driver finds {number} of them"
        )
    device = CudaDevice(index)
    _IN_USE.append(device)
    return device


_IN_USE: Final[list[CudaDevice]] = []


def devices_in_use() -> list[CudaDevice]:
    """The GPUs that something was asked of."""
    return list(_IN_USE)


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes: `used` by arrays and calls, at most `peak`; `kept` for later ones."""

    used: int
    peak: int
    kept: int
    free: int
    total: int


class CudaDevice:
    """A GPU (see `device.Device`)."""

    def __init__(self, index: int) -> None:
        self.code: Literal["ptx"] = "ptx"
        self.name = f"cuda:{index}"
        driver = self._driver = bindings()
        self._device = check(driver.cuDeviceGet(index), self.name)
        label = check(driver.cuDeviceGetName(256, self._device), self.name)
        self.label = label.split(b"\0")[0].decode()
        self.capability = (
            self._attribute("COMPUTE_CAPABILITY_MAJOR"),
            self._attribute("COMPUTE_CAPABILITY_MINOR"),
        )
        self.chip = chip_of(self.capability)
        self.multiprocessors = self._attribute("MULTIPROCESSOR_COUNT")
        self.shared_limit = self._attribute("MAX_SHARED_MEMORY_PER_BLOCK_OPTIN")
        self._lock = threading.RLock()
        self._context = check(
            driver.cuDevicePrimaryCtxRetain(self._device),
            f"{self.name} cannot be used",
        )
        with self.activated():
            kinds = driver.CUstream_flags
            self._stream = check(
                driver.cuStreamCreate(kinds.CU_STREAM_NON_BLOCKING), self.name
            )
            self._captured = check(
                driver.cuStreamCreate(kinds.CU_STREAM_NON_BLOCKING), self.name
            )
            self._pool = self._keep_memory()
        self._sizes: dict[int, int] = {}
        self._idle: dict[int, list[int]] = {}
        self._used = self._peak = self._kept = 0

    def __repr__(self) -> str:
        return f"CudaDevice({self.name}: {self.label}, {self.chip})"

    def _attribute(self, name: str) -> int:
        attribute = getattr(
            self._driver.CUdevice_attribute, f"CU_DEVICE_ATTRIBUTE_{name}"
        )
        return check(
            self._driver.cuDeviceGetAttribute(attribute, self._device), self.name
        )

    def _keep_memory(self) -> Any:
        """The pool that memory is of, told to keep what is freed until it is short."""
        driver = self._driver
        pool = check(driver.cuDeviceGetDefaultMemPool(self._device), self.name)
        threshold = driver.CUmemPool_attribute.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
        check(
            driver.cuMemPoolSetAttribute(pool, threshold, driver.cuuint64_t(2**63)),
            self.name,
        )
        return pool

    # ---- one thread at a time, in the device's context ----

    def activated(self) -> CudaDevice:
        """A block in which this thread alone uses the device."""
        return self

    def __enter__(self) -> CudaDevice:
        self._lock.acquire()
        # Other libraries may have made another context current meanwhile.
        (status,) = self._driver.cuCtxSetCurrent(self._context)
        if status:
            self._lock.release()
            raise failure(status, self.name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        place: TracebackType | None,
    ) -> None:
        self._lock.release()

    @property
    def stream(self) -> int:
        """The address of the stream that everything happens in."""
        return int(self._stream)

    # ---- memory ----

    def allocate(self, size: int) -> int:
        """The address of so many bytes (see `Device`)."""
        size = size + -size % _GRANULE or _GRANULE
        # Whoever freed it has work in the stream at most, which comes before ours.
        with self._lock:
            idle = self._idle.get(size)
            if idle:
                pointer = idle.pop()
                self._kept -= size
            else:
                pointer = self._allocate_new(size)
            self._sizes[pointer] = size
            self._used += size
            if self._used > self._peak:
                self._peak = self._used
        return pointer

    def _allocate_new(self, size: int) -> int:
        driver = self._driver
        with self.activated():
            status, pointer = driver.cuMemAllocAsync(size, self._stream)
            if status:
                self.empty_cache()
                status, pointer = driver.cuMemAllocAsync(size, self._stream)
        if status == driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            use = self.memory_use()
            raise OutOfMemoryError(
                f"{size:,} bytes cannot be had on {self.name}: {use.used:,} are in "
                f"use, {use.free:,} of {use.total:,} are free"
            )
        if status:
            raise failure(status, f"{size:,} bytes on {self.name}")
        return int(pointer)

    def free(self, pointer: int) -> None:
        """Keeps memory for the next that wants as much; from any thread, at any time.

        So a destructor may call it: it does nothing but change lists.
        """
        with self._lock:
            size = self._sizes.pop(pointer)
            self._used -= size
            self._kept += size
            idle = self._idle.get(size)
            if idle is None:
                idle = self._idle[size] = []
            idle.append(pointer)

    def empty_cache(self) -> int:
        """Gives back what is kept for later; how many bytes that were."""
        with self.activated():
            idle = [each for pointers in self._idle.values() for each in pointers]
            self._idle, kept, self._kept = {}, self._kept, 0
            for pointer in idle:
                check(self._driver.cuMemFreeAsync(pointer, self._stream), self.name)
            self.synchronize()
            check(self._driver.cuMemPoolTrimTo(self._pool, 0), self.name)
        return kept

    def memory_use(self) -> MemoryUse:
        """What the memory of the device is used for."""
        with self.activated():
            free, total = check(self._driver.cuMemGetInfo(), self.name)
        return MemoryUse(self._used, self._peak, self._kept, free, total)

    def reset_peak(self) -> None:
        """Has `memory_use().peak` count from now on."""
        self._peak = self._used

    # ---- copies ----

    def write(self, pointer: int, array: np.ndarray) -> None:
        """Copies an array to the device (see `Device`)."""
        driver = self._driver
        with self.activated():
            check(
                driver.cuMemcpyHtoDAsync(
                    pointer, array.ctypes.data, array.nbytes, self._stream
                ),
                f"{array.nbytes:,} bytes to {self.name}",
            )
            if array.nbytes > _STAGED:
                self.synchronize()

    def read(self, pointer: int, array: np.ndarray) -> None:
        """Copies from the device (see `Device`)."""
        driver = self._driver
        with self.activated():
            check(
                driver.cuMemcpyDtoHAsync(
                    array.ctypes.data, pointer, array.nbytes, self._stream
                ),
                f"{array.nbytes:,} bytes from {self.name}",
            )
            self.synchronize()

    def copy(self, to: int, source: int, size: int) -> None:
        """Copies on the device (see `Device`)."""
        with self.activated():
            self._copy(to, source, size, self._stream)

    def _copy(self, to: int, source: int, size: int, stream: Any) -> None:
        if size:
            check(
                self._driver.cuMemcpyDtoDAsync(to, source, size, stream),
                f"{size:,} bytes within {self.name}",
            )

    def clear(self, pointer: int, size: int) -> None:
        """Makes bytes zero."""
        with self.activated():
            check(
                self._driver.cuMemsetD8Async(pointer, 0, size, self._stream),
                f"{size:,} bytes on {self.name}",
            )

    def clear_parts(self, pointer: int, pitch: int, size: int, count: int) -> None:
        """Makes so many parts zero, which begin `pitch` bytes apart, all fourfold."""
        clear = self._driver.cuMemsetD2D32Async
        with self.activated():
            check(
                clear(pointer, pitch, 0, size // 4, count, self._stream),
                f"{count:,} times {size} bytes on {self.name}",
            )

    def synchronize(self) -> None:
        """Waits (see `Device`)."""
        with self.activated():
            check(
                self._driver.cuStreamSynchronize(self._stream),
                f"what ran on {self.name} failed",
            )

    @functools.cached_property
    def libraries(self) -> Libraries:
        """The routines of linear algebra that this device has, if any."""
        from .solver import Libraries

        return Libraries(self)

    # ---- code ----

    def load(self, code: str) -> CudaModule:
        """A module of PTX, which the driver compiles and caches (see `Device`)."""
        driver = self._driver
        options = driver.CUjit_option
        log = bytearray(_LOG_BYTES)
        with self.activated():
            status, module = driver.cuModuleLoadDataEx(
                code.encode() + b"\0",
                2,
                [
                    options.CU_JIT_ERROR_LOG_BUFFER,
                    options.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
                ],
                [log, len(log)],
            )
        if status:
            text = log.split(b"\0")[0].decode(errors="replace").strip()
            reason = f"; it says:\n{text}" if text else ""
            found = failure(status, f"{self.name} does not load the kernels")
            raise DeviceError(found.message + reason)
        return CudaModule(self, module)

    def launch(
        self,
        module: CudaModule,
        kernel: str,
        grid: Triple,
        block: Triple,
        shared: int,
        args: Sequence[Argument],
    ) -> None:
        """Runs one kernel (see `Device`)."""
        function = module.function(kernel, shared)
        parameters = Parameters([kind_of(arg) for arg in args])
        for i, arg in enumerate(args):
            if isinstance(arg, int):
                parameters.write(i, arg)
                continue
            first, second = arg
            if isinstance(second, TensorMap):
                parameters.write_map(i, self.tensor_map(int(first), second))
            else:
                parameters.write(i, bits_of(str(first), second))
        with self.activated():
            check(
                self._driver.cuLaunchKernel(
                    function, *grid, *block, shared, self._stream,
                    parameters.address, 0,
                ),
                f"kernel {kernel!r} cannot be launched on {self.name}",
            )  # fmt: skip

    def prepare(self, module: CudaModule, ready: Sequence[Ready]) -> CudaStraight:
        """Launches made ready for many calls."""
        return CudaStraight(self, module, ready)

    def tensor_map(self, pointer: int, how: TensorMap) -> bytes:
        """The 128 bytes by which a kernel sees a buffer."""
        driver = self._driver
        swizzle = (
            f"CU_TENSOR_MAP_SWIZZLE_{how.swizzle}B"
            if how.swizzle
            else ("CU_TENSOR_MAP_SWIZZLE_NONE")
        )
        kind = f"CU_TENSOR_MAP_DATA_TYPE_{_MAP_TYPES[how.type]}"
        made = check(
            driver.cuTensorMapEncodeTiled(
                getattr(driver.CUtensorMapDataType, kind),
                len(how.dims),
                pointer,
                [driver.cuuint64_t(n) for n in how.dims],
                [driver.cuuint64_t(n) for n in how.strides],
                [driver.cuuint32_t(n) for n in how.box],
                [driver.cuuint32_t(1) for _ in how.box],
                driver.CUtensorMapInterleave.CU_TENSOR_MAP_INTERLEAVE_NONE,
                getattr(driver.CUtensorMapSwizzle, swizzle),
                driver.CUtensorMapL2promotion.CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
                driver.CUtensorMapFloatOOBfill.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
            ),
            f"the tensor map {how} of {pointer:#x}",
        )
        return ctypes.string_at(made.getPtr(), MAP_BYTES)

    # ---- events ----

    def event(self) -> Any:
        """A mark in the stream, at which everything before is done."""
        driver = self._driver
        with self.activated():
            event = check(driver.cuEventCreate(0), self.name)
            check(driver.cuEventRecord(event, self._stream), self.name)
        return event

    def milliseconds(self, start: Any, stop: Any) -> float:
        """The time between two marks, which it waits for."""
        driver = self._driver
        with self.activated():
            check(driver.cuEventSynchronize(stop), f"what ran on {self.name} failed")
            elapsed = check(driver.cuEventElapsedTime(start, stop), self.name)
            for event in (start, stop):
                check(driver.cuEventDestroy(event), self.name)
        return elapsed

    def wait_for(self, stream: int) -> None:
        """Has later work here wait for what another stream has been given."""
        self._order(stream, int(self._stream))

    def let_wait(self, stream: int) -> None:
        """Has later work of another stream wait for what this device was given."""
        self._order(int(self._stream), stream)

    def _order(self, first: int, second: int) -> None:
        driver = self._driver
        with self.activated():
            flags = driver.CUevent_flags.CU_EVENT_DISABLE_TIMING
            event = check(driver.cuEventCreate(flags), self.name)
            check(driver.cuEventRecord(event, first), self.name)
            check(driver.cuStreamWaitEvent(second, event, 0), self.name)
            check(driver.cuEventDestroy(event), self.name)


def chip_of(capability: tuple[int, int]) -> str:
    """The architecture that code for a compute capability is made for."""
    major, minor = capability
    # Of the instructions that one architecture alone has, those of 9.0 are used.
    return f"sm_{major}{minor}{'a' if capability == (9, 0) else ''}"


class CudaModule:
    """Loaded code. It stays, since what was launched may still run."""

    def __init__(self, device: CudaDevice, module: Any) -> None:
        self._device, self._module = device, module
        self._functions: dict[str, Any] = {}

    def function(self, name: str, shared: int) -> Any:
        """A kernel, able to have so much dynamic shared memory."""
        function = self._functions.get(name)
        if function is None:
            function = self._functions[name] = self._find(name, shared)
        return function

    def _find(self, name: str, shared: int) -> Any:
        device, driver = self._device, self._device._driver
        if shared > device.shared_limit:
            raise DeviceError(
                f"kernel {name!r} needs {shared:,} bytes of shared memory; a block of "
                f"{device.name} ({device.label}) has {device.shared_limit:,}"
            )
        with device.activated():
            function = check(
                driver.cuModuleGetFunction(self._module, name.encode()),
                f"kernel {name!r}",
            )
            if shared > _SHARED_DEFAULT:
                attributes = driver.CUfunction_attribute
                wanted = attributes.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
                check(
                    driver.cuFuncSetAttribute(function, wanted, shared),
                    f"kernel {name!r} with {shared:,} bytes of shared memory",
                )
        return function
