"""A CUDA driver of the host's memory, as `cuda.bindings.driver` shows it.

Its kernels are functions of the bytes of their parameters. It knows streams, captures
and graphs, and which calls were made.
"""

import ctypes

import numpy as np
from cuda.bindings import driver as real

STATUS = real.CUresult
OK = (STATUS.CUDA_SUCCESS,)
ATTRIBUTES = {
    "COMPUTE_CAPABILITY_MAJOR": 9,
    "COMPUTE_CAPABILITY_MINOR": 0,
    "MULTIPROCESSOR_COUNT": 132,
    "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN": 232_448,
}


class Map:
    """A tensor map: the address it is of, in the first of its 128 bytes."""

    def __init__(self, pointer):
        self.bytes = np.zeros(16, np.int64)
        self.bytes[0] = pointer

    def getPtr(self):
        return self.bytes.ctypes.data


class FakeDriver:
    """`kernels` are by name (bytes of each parameter, function of their numbers)."""

    def __init__(self, kernels=(), total=1 << 24):
        self.kernels, self.total = dict(kernels), total
        self.blocks = {}
        self.calls = []
        self.fails = {}
        self.streams = 0
        self.capture = None
        self.graphs = {}
        self.attributes = {}
        self.log = b""
        self.version = 12_080

    def __getattr__(self, name):
        return getattr(real, name)  # enumerations and types

    def _status(self, name):
        self.calls.append(name)
        return self.fails.pop(name, None)

    def cuInit(self, flags):
        return (self._status("cuInit") or STATUS.CUDA_SUCCESS,)

    def cuDriverGetVersion(self):
        return *OK, self.version

    def cuGetErrorString(self, status):
        return STATUS.CUDA_SUCCESS, b"what went wrong"

    def cuDeviceGetCount(self):
        return *OK, 1

    def cuDeviceGet(self, index):
        return *OK, index

    def cuDeviceGetName(self, size, device):
        return *OK, b"NVIDIA Fake" + b"\0" * (size - 11)

    def cuDeviceGetAttribute(self, attribute, device):
        name = attribute.name.removeprefix("CU_DEVICE_ATTRIBUTE_")
        return *OK, ATTRIBUTES[name]

    def cuDevicePrimaryCtxRetain(self, device):
        return *OK, "context"

    def cuCtxSetCurrent(self, context):
        return OK

    def cuStreamCreate(self, flags):
        self.streams += 1
        return *OK, self.streams

    def cuStreamSynchronize(self, stream):
        return (self._status("cuStreamSynchronize") or STATUS.CUDA_SUCCESS,)

    def cuDeviceGetDefaultMemPool(self, device):
        return *OK, "pool"

    def cuMemPoolSetAttribute(self, pool, attribute, value):
        return OK

    def cuMemPoolTrimTo(self, pool, size):
        return OK

    def cuMemGetInfo(self):
        return *OK, self.total - self.used, self.total

    @property
    def used(self):
        return sum(size for _, size in self.blocks.values())

    def covers(self, pointer, size):
        """Whether memory lies within one allocation."""
        return any(
            start <= pointer and pointer + size <= start + max(own, 256)
            for start, (_, own) in self.blocks.items()
        )

    def cuMemAllocAsync(self, size, stream):
        self.calls.append("cuMemAllocAsync")
        if self.used + size > self.total:
            return STATUS.CUDA_ERROR_OUT_OF_MEMORY, 0
        block = np.full(size + 256, 0xA5, np.uint8)
        pointer = block.ctypes.data + -block.ctypes.data % 256
        self.blocks[pointer] = block, size
        return *OK, pointer

    def cuMemFreeAsync(self, pointer, stream):
        del self.blocks[pointer]
        return OK

    def cuMemcpyHtoDAsync(self, pointer, source, size, stream):
        ctypes.memmove(pointer, source, size)
        return OK

    def cuMemcpyDtoHAsync(self, target, pointer, size, stream):
        ctypes.memmove(target, pointer, size)
        return OK

    def cuMemcpyDtoDAsync(self, to, source, size, stream):
        self._do(stream, lambda: ctypes.memmove(to, source, size))
        return OK

    def cuMemsetD8Async(self, pointer, value, size, stream):
        self._do(stream, lambda: ctypes.memset(pointer, value, size))
        return OK

    def cuMemsetD2D32Async(self, pointer, pitch, value, width, height, stream):
        assert pitch % 4 == 0
        assert pointer % 4 == 0
        for row in range(height):
            ctypes.memset(pointer + row * pitch, value, 4 * width)
        return OK

    # ---- code ----

    def cuModuleLoadDataEx(self, image, count, options, values):
        status = self._status("cuModuleLoadDataEx")
        if status:
            values[0][: len(self.log)] = self.log
            return status, None
        assert image.endswith(b"\0")
        return *OK, "module"

    def cuModuleGetFunction(self, module, name):
        if name.decode() not in self.kernels:
            return STATUS.CUDA_ERROR_NOT_FOUND, None
        return *OK, name.decode()

    def cuFuncSetAttribute(self, function, attribute, value):
        self.attributes[function] = value
        return OK

    def cuLaunchKernel(self, name, *shape_and_more):
        *_, stream, parameters, _ = shape_and_more
        status = self._status("cuLaunchKernel")
        if status:
            return (status,)
        sizes, function = self.kernels[name]
        addresses = np.frombuffer(
            (ctypes.c_int64 * len(sizes)).from_address(parameters), np.int64
        )
        # As the driver does, it copies the parameters when it is called.
        given = [
            bytes((ctypes.c_char * size).from_address(address))
            for size, address in zip(sizes, addresses.tolist(), strict=True)
        ]
        self._do(stream, lambda: function(*given))
        return OK

    def _do(self, stream, action):
        if self.capture is not None and self.capture[0] == stream:
            self.capture[1].append(action)
        else:
            action()

    def cuTensorMapEncodeTiled(self, kind, rank, pointer, *rest):
        self.calls.append("cuTensorMapEncodeTiled")
        return *OK, Map(pointer)

    # ---- graphs ----

    def cuStreamBeginCapture(self, stream, mode):
        self.capture = stream, []
        return OK

    def cuStreamEndCapture(self, stream):
        _, actions = self.capture
        self.capture = None
        return *OK, actions

    def cuGraphInstantiate(self, graph, flags):
        self.graphs[len(self.calls)] = graph
        return *OK, len(self.calls)

    def cuGraphDestroy(self, graph):
        return OK

    def cuGraphExecDestroy(self, graph):
        del self.graphs[graph]
        return OK

    def cuGraphLaunch(self, graph, stream):
        self.calls.append("cuGraphLaunch")
        for action in self.graphs[graph]:
            action()
        return OK

    # ---- events ----

    def cuEventCreate(self, flags):
        return *OK, "event"

    def cuEventRecord(self, event, stream):
        self.calls.append(f"record in {stream}")
        return OK

    def cuEventSynchronize(self, event):
        return OK

    def cuEventElapsedTime(self, start, stop):
        return *OK, 1.5

    def cuEventDestroy(self, event):
        return OK

    def cuStreamWaitEvent(self, stream, event, flags):
        self.calls.append(f"{stream} waits")
        return OK
