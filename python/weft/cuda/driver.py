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
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import numpy as np

from ..errors import DeviceError, OutOfMemoryError
from .device import Argument, TensorMap, Triple
from .run import Linear, Ready, ReadyCopy, ReadyLaunch, Values, bits_of

# What cuMemAlloc aligns to.
_GRANULE: Final = 256
# Beyond this much dynamic shared memory a kernel must ask for it.
_SHARED_DEFAULT: Final = 48 * 1024
# Copies from the host of at most so many bytes are staged when the call returns.
_STAGED: Final = 64 * 1024
_LOG_BYTES: Final = 16 * 1024
# Fewer launches than this are as fast one by one as in a graph.
_GRAPH_FROM: Final = 3
_GRAPHS_KEPT: Final = 8
_MAP_BYTES: Final = 128

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


@functools.cache
def _driver() -> Any:
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


def _check(result: tuple[Any, ...], what: str) -> Any:
    """What a call of the driver returned beside its status, which must be success."""
    status, *values = result
    if status.value:
        raise _failure(status, what)
    return values[0] if len(values) == 1 else values


def _failure(status: Any, what: str) -> DeviceError:
    _, text = _driver().cuGetErrorString(status)
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


def count() -> int:
    """How many GPUs the driver finds; raises where there is none of it."""
    return _check(_driver().cuDeviceGetCount(), "the devices cannot be counted")


@functools.cache
def cuda_device(index: int = 0) -> CudaDevice:
    """The GPU of a number; raises `DeviceError` where there is none."""
    number = count()
    if not 0 <= index < number:
        raise DeviceError(
            f"there is no device cuda:{index}; the driver finds {number} of them"
        )
    return CudaDevice(index)


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

    code: Final = "ptx"

    def __init__(self, index: int) -> None:
        self.name = f"cuda:{index}"
        driver = self._driver = _driver()
        self._device = _check(driver.cuDeviceGet(index), self.name)
        label = _check(driver.cuDeviceGetName(256, self._device), self.name)
        self.label = label.split(b"\0")[0].decode()
        self.capability = (
            self._attribute("COMPUTE_CAPABILITY_MAJOR"),
            self._attribute("COMPUTE_CAPABILITY_MINOR"),
        )
        self.chip = chip_of(self.capability)
        self.multiprocessors = self._attribute("MULTIPROCESSOR_COUNT")
        self.shared_limit = self._attribute("MAX_SHARED_MEMORY_PER_BLOCK_OPTIN")
        self._lock = threading.RLock()
        self._context = _check(
            driver.cuDevicePrimaryCtxRetain(self._device),
            f"{self.name} cannot be used",
        )
        with self.activated():
            kinds = driver.CUstream_flags
            self._stream = _check(
                driver.cuStreamCreate(kinds.CU_STREAM_NON_BLOCKING), self.name
            )
            self._captured = _check(
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
        return _check(
            self._driver.cuDeviceGetAttribute(attribute, self._device), self.name
        )

    def _keep_memory(self) -> Any:
        """The pool that memory is of, told to keep what is freed until it is short."""
        driver = self._driver
        pool = _check(driver.cuDeviceGetDefaultMemPool(self._device), self.name)
        threshold = driver.CUmemPool_attribute.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
        _check(
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
        if status.value:
            self._lock.release()
            raise _failure(status, self.name)
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
        size = max(size + -size % _GRANULE, _GRANULE)
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
            self._peak = max(self._peak, self._used)
        return pointer

    def _allocate_new(self, size: int) -> int:
        driver = self._driver
        with self.activated():
            status, pointer = driver.cuMemAllocAsync(size, self._stream)
            if status.value:
                self.empty_cache()
                status, pointer = driver.cuMemAllocAsync(size, self._stream)
        if status == driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            use = self.memory_use()
            raise OutOfMemoryError(
                f"{size:,} bytes cannot be had on {self.name}: {use.used:,} are in "
                f"use, {use.free:,} of {use.total:,} are free"
            )
        if status.value:
            raise _failure(status, f"{size:,} bytes on {self.name}")
        return int(pointer)

    def free(self, pointer: int) -> None:
        """Keeps memory for the next that wants as much; from any thread, at any time.

        So a destructor may call it: it does nothing but change lists.
        """
        with self._lock:
            size = self._sizes.pop(pointer)
            self._used -= size
            self._kept += size
            self._idle.setdefault(size, []).append(pointer)

    def empty_cache(self) -> int:
        """Gives back what is kept for later; how many bytes that were."""
        with self.activated():
            idle = [each for pointers in self._idle.values() for each in pointers]
            self._idle, kept, self._kept = {}, self._kept, 0
            for pointer in idle:
                _check(self._driver.cuMemFreeAsync(pointer, self._stream), self.name)
            self.synchronize()
            _check(self._driver.cuMemPoolTrimTo(self._pool, 0), self.name)
        return kept

    def memory_use(self) -> MemoryUse:
        """What the memory of the device is used for."""
        with self.activated():
            free, total = _check(self._driver.cuMemGetInfo(), self.name)
        return MemoryUse(self._used, self._peak, self._kept, free, total)

    def reset_peak(self) -> None:
        """Has `memory_use().peak` count from now on."""
        self._peak = self._used

    # ---- copies ----

    def write(self, pointer: int, array: np.ndarray) -> None:
        """Copies an array to the device (see `Device`)."""
        driver = self._driver
        with self.activated():
            _check(
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
            _check(
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
            _check(
                self._driver.cuMemcpyDtoDAsync(to, source, size, stream),
                f"{size:,} bytes within {self.name}",
            )

    def synchronize(self) -> None:
        """Waits (see `Device`)."""
        _check(
            self._driver.cuStreamSynchronize(self._stream),
            f"what ran on {self.name} failed",
        )

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
        if status.value:
            text = log.split(b"\0")[0].decode(errors="replace").strip()
            reason = f"; it says:\n{text}" if text else ""
            failure = _failure(status, f"{self.name} does not load the kernels")
            raise DeviceError(failure.message + reason)
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
        parameters = Parameters([_kind(arg) for arg in args])
        for i, arg in enumerate(args):
            if isinstance(arg, tuple) and isinstance(arg[1], TensorMap):
                parameters.write_map(i, self.tensor_map(int(arg[0]), arg[1]))
            elif isinstance(arg, tuple):
                parameters.write(i, bits_of(str(arg[0]), float(arg[1])))
            else:
                parameters.write(i, arg)
        with self.activated():
            _check(
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
        made = _check(
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
                driver.CUtensorMapL2promotion.CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                driver.CUtensorMapFloatOOBfill.CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
            ),
            f"the tensor map {how} of {pointer:#x}",
        )
        return ctypes.string_at(made.getPtr(), _MAP_BYTES)

    # ---- events ----

    def event(self) -> Any:
        """A mark in the stream, at which everything before is done."""
        driver = self._driver
        with self.activated():
            event = _check(driver.cuEventCreate(0), self.name)
            _check(driver.cuEventRecord(event, self._stream), self.name)
        return event

    def milliseconds(self, start: Any, stop: Any) -> float:
        """The time between two marks, which it waits for."""
        driver = self._driver
        with self.activated():
            _check(driver.cuEventSynchronize(stop), f"what ran on {self.name} failed")
            elapsed = _check(driver.cuEventElapsedTime(start, stop), self.name)
            for event in (start, stop):
                _check(driver.cuEventDestroy(event), self.name)
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
            event = _check(driver.cuEventCreate(flags), self.name)
            _check(driver.cuEventRecord(event, first), self.name)
            _check(driver.cuStreamWaitEvent(second, event, 0), self.name)
            _check(driver.cuEventDestroy(event), self.name)


def chip_of(capability: tuple[int, int]) -> str:
    """The architecture that code for a compute capability is made for."""
    major, minor = capability
    # Of the instructions that one architecture alone has, those of 9.0 are used.
    return f"sm_{major}{minor}{'a' if capability == (9, 0) else ''}"


class CudaModule:
    """Loaded code, unloaded when nothing uses it any more."""

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
            function = _check(
                driver.cuModuleGetFunction(self._module, name.encode()),
                f"kernel {name!r}",
            )
            if shared > _SHARED_DEFAULT:
                attributes = driver.CUfunction_attribute
                wanted = attributes.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
                _check(
                    driver.cuFuncSetAttribute(function, wanted, shared),
                    f"kernel {name!r} with {shared:,} bytes of shared memory",
                )
        return function


# ---- launches made ready ----


def _kind(arg: Argument) -> str:
    if isinstance(arg, int):
        return "i64"
    return arg[0] if isinstance(arg[0], str) else "tensor_map"


class Parameters:
    """The parameters of launches, in memory of their own, and where each lies.

    A number has 8 bytes, of which the driver reads as many as the kernel's parameter
    has; a tensor map has 128, at a multiple of 64.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.places: list[int] = []
        end = 0
        for kind in kinds:
            if kind == "tensor_map":
                end += -end % 8
            self.places.append(end)
            end += _MAP_BYTES // 8 if kind == "tensor_map" else 1
        self._memory = np.zeros(end + 8, np.int64)
        first = -(self._memory.ctypes.data // 8) % 8
        self.numbers = self._memory[first : first + end]
        self._base = self.numbers.ctypes.data if end else 0
        addresses = [self._base + 8 * place for place in self.places]
        self._pointers = np.array([*addresses, 0], np.int64)
        self.address: int = self._pointers.ctypes.data

    def address_of(self, index: int) -> int:
        """Where the pointers to the parameters begin with that of a number."""
        return self.address + 8 * index

    def write(self, index: int, number: int) -> None:
        """Writes the parameter of a number: an address, or the bits of a scalar."""
        self.numbers[self.places[index]] = _signed(number)

    def write_map(self, index: int, content: bytes) -> None:
        """Writes the tensor map of a number."""
        ctypes.memmove(self._base + 8 * self.places[index], content, _MAP_BYTES)


@dataclass(slots=True)
class _Map:
    """A tensor map among the parameters, and those made before, by their pointers."""

    index: int
    pointer: Linear
    how: TensorMap
    current: int
    made: dict[int, bytes]


class CudaStraight:
    """Launches and copies without a decision between them (see `run.Straight`)."""

    def __init__(
        self, device: CudaDevice, module: CudaModule, ready: Sequence[Ready]
    ) -> None:
        self._device = device
        self._driver, self._stream = device._driver, device._stream
        kinds: list[str] = []
        numbers: list[tuple[int, Linear]] = []
        maps: list[tuple[int, Linear, TensorMap]] = []
        firsts: list[int] = []
        for each in ready:
            firsts.append(len(kinds))
            if isinstance(each, ReadyCopy):
                continue
            for parameter, arg in zip(each.kernel.parameters, each.args, strict=True):
                if parameter.map is None:
                    numbers.append((len(kinds), arg))
                else:
                    maps.append((len(kinds), arg, parameter.map))
                kinds.append(parameter.kind)
        self._parameters = Parameters(kinds)
        self._numbers = _Sums(
            self._parameters, [(self._parameters.places[i], x) for i, x in numbers]
        )
        self._maps = [_Map(i, pointer, how, 0, {}) for i, pointer, how in maps]
        self._steps = [
            self._launch(module, each, self._parameters.address_of(first))
            if isinstance(each, ReadyLaunch)
            else self._copy(each)
            for each, first in zip(ready, firsts, strict=True)
        ]
        self._slots = tuple(
            sorted({slot for each in ready for x in _all(each) for slot, _ in x.terms})
        )
        self._graphs: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def _launch(
        self, module: CudaModule, ready: ReadyLaunch, parameters: int
    ) -> Callable[[Values, Any], None]:
        kernel, launch = ready.kernel, self._driver.cuLaunchKernel
        function = module.function(kernel.name, kernel.shared)
        shape = (function, *kernel.grid, *kernel.block, kernel.shared)
        device = self._device

        def step(values: Values, stream: Any) -> None:
            (status,) = launch(*shape, stream, parameters, 0)
            if status.value:
                place = f" ({kernel.line})" if kernel.line else ""
                raise _failure(
                    status,
                    f"kernel {kernel.name!r}{place} of grid {kernel.grid}, block "
                    f"{kernel.block} and {kernel.shared} bytes of shared memory cannot "
                    f"be launched on {device.name}",
                )

        return step

    def _copy(self, ready: ReadyCopy) -> Callable[[Values, Any], None]:
        copy, to, source = self._device._copy, ready.to, ready.source

        def step(values: Values, stream: Any) -> None:
            copy(to.at(values), source.at(values), ready.size, stream)

        return step

    def run(self, values: Values) -> None:
        """Has them run, with the device activated."""
        if len(self._steps) < _GRAPH_FROM:
            self._run_in(self._stream, values)
            return
        key = tuple([values[slot] for slot in self._slots])
        graph = self._graphs.get(key)
        if graph is None:
            # Addresses that come but once are not worth a graph.
            known = key in self._graphs
            self._keep(key, self._capture(values) if known else None)
            if not known:
                self._run_in(self._stream, values)
                return
            graph = self._graphs[key]
        else:
            self._graphs.move_to_end(key)
        _check(
            self._driver.cuGraphLaunch(graph, self._stream),
            f"a graph of {len(self._steps)} steps on {self._device.name}",
        )

    def _keep(self, key: tuple[int, ...], graph: Any) -> None:
        self._graphs[key] = graph
        self._graphs.move_to_end(key)
        if len(self._graphs) > _GRAPHS_KEPT:
            _, old = self._graphs.popitem(last=False)
            if old is not None:
                self._driver.cuGraphExecDestroy(old)

    def _run_in(self, stream: Any, values: Values) -> None:
        self._numbers.write(values)
        for each in self._maps:
            self._write_map(each, each.pointer.at(values))
        for step in self._steps:
            step(values, stream)

    def _write_map(self, each: _Map, pointer: int) -> None:
        if pointer == each.current:
            return
        content = each.made.get(pointer)
        if content is None:
            if len(each.made) >= _GRAPHS_KEPT:
                each.made.clear()
            content = self._device.tensor_map(pointer, each.how)
            each.made[pointer] = content
        self._parameters.write_map(each.index, content)
        each.current = pointer

    def _capture(self, values: Values) -> Any:
        """A graph of all steps, which have the parameters that they have now."""
        driver, stream = self._driver, self._device._captured
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        what = f"a graph on {self._device.name}"
        _check(driver.cuStreamBeginCapture(stream, mode), what)
        try:
            self._run_in(stream, values)
        finally:
            status, graph = driver.cuStreamEndCapture(stream)
        if status.value:
            raise _failure(status, what)
        made = _check(driver.cuGraphInstantiate(graph, 0), what)
        _check(driver.cuGraphDestroy(graph), what)
        return made

    def __del__(self) -> None:
        for graph in getattr(self, "_graphs", {}).values():
            if graph is not None:
                self._driver.cuGraphExecDestroy(graph)


def _all(ready: Ready) -> tuple[Linear, ...]:
    if isinstance(ready, ReadyCopy):
        return ready.to, ready.source
    return ready.args


class _Sums:
    """Sums over values that are parameters, written all at once."""

    def __init__(
        self, parameters: Parameters, sums: Sequence[tuple[int, Linear]]
    ) -> None:
        self._numbers = parameters.numbers
        self._places = np.array([place for place, _ in sums], np.intp)
        self._offsets = np.array([_signed(each.offset) for _, each in sums], np.int64)
        most = max((len(each.terms) for _, each in sums), default=0)
        padded = [
            [*each.terms, *[(0, 0)] * (most - len(each.terms))] for _, each in sums
        ]
        shape = (len(sums), most, 2)
        pairs = np.array(padded, np.int64).reshape(shape)
        self._terms = [
            (pairs[:, i, 0].copy(), None if (pairs[:, i, 1] == 1).all()
             else pairs[:, i, 1].copy())
            for i in range(most)
        ]  # fmt: skip

    def write(self, values: Values) -> None:
        if not len(self._places):
            return
        known = np.array(values, np.int64)
        result = self._offsets
        for slots, factors in self._terms:
            part = known[slots]
            result = result + (part if factors is None else part * factors)
        self._numbers[self._places] = result


def _signed(number: int) -> int:
    """Bits of 64 as the signed integer that has them."""
    return (number + 2**63) % 2**64 - 2**63
