"""DLPack of memory on GPUs: shared with other libraries of this process, not copied.

Streams meet by events: whoever reads waits for what was given to the other's stream.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
import math
from typing import Any, Final

import numpy as np

from ..errors import DeviceError, PlanError
from .device import Device
from .memory import Memory
from .plan import dtype_of

CUDA: Final = 2
_READ_ONLY: Final = 1

# DLDataTypeCode of dlpack.h, version 1.1, and the bits of an element.
_TYPES: Final = {
    "bool": (6, 8),
    "int8": (0, 8),
    "int16": (0, 16),
    "int32": (0, 32),
    "int64": (0, 64),
    "uint8": (1, 8),
    "uint16": (1, 16),
    "uint32": (1, 32),
    "uint64": (1, 64),
    "float16": (2, 16),
    "float32": (2, 32),
    "float64": (2, 64),
    "bfloat16": (4, 16),
    "complex64": (5, 64),
    "complex128": (5, 128),
    "float8_e4m3fn": (10, 8),
    "float8_e5m2": (12, 8),
}
_NAMES: Final = {code: name for name, code in _TYPES.items()}


class _Tensor(ctypes.Structure):
    """DLTensor."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
    )


_Deleter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Managed(ctypes.Structure):
    """DLManagedTensor, of DLPack before 1.0."""

    _fields_ = (
        ("tensor", _Tensor),
        ("context", ctypes.c_void_p),
        ("deleter", _Deleter),
    )


class _Versioned(ctypes.Structure):
    """DLManagedTensorVersioned."""

    _fields_ = (
        ("version", ctypes.c_uint32 * 2),
        ("context", ctypes.c_void_p),
        ("deleter", _Deleter),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


def _function(name: str, result: Any, *arguments: Any) -> Any:
    # Not by `restype`, which all users of `pythonapi` share.
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


_Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_new = _function(
    "PyCapsule_New", ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, _Destructor
)
_is_valid = _function(
    "PyCapsule_IsValid", ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p
)
_raw_pointer = _function(
    "PyCapsule_GetPointer", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p
)
_pointer = _function(
    "PyCapsule_GetPointer", ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p
)
_name = _function("PyCapsule_GetName", ctypes.c_char_p, ctypes.py_object)
_rename = _function(
    "PyCapsule_SetName", ctypes.c_int, ctypes.py_object, ctypes.c_char_p
)

_PLAIN: Final = b"dltensor"
_VERSIONED: Final = b"dltensor_versioned"
_USED: Final = {_PLAIN: b"used_dltensor", _VERSIONED: b"used_dltensor_versioned"}

# What others hold, by the address of what they were given: until they delete it.
_exported: Final[dict[int, tuple[Any, ...]]] = {}


def _delete(address: int) -> None:
    kept = _exported.pop(address, None)
    if kept is not None:
        memory, stream = kept[1], kept[2]
        # What the other still has to do with it comes before its next use here.
        if stream is not None:
            _meet(memory.device, "wait_for", stream)


_deleter = _Deleter(_delete)


@_Destructor
def _destroy(capsule: int) -> None:
    """Of a capsule that nobody took."""
    for name in (_PLAIN, _VERSIONED):
        if _is_valid(capsule, name):
            _delete(_raw_pointer(capsule, name))


def exported(
    memory: Memory, number: int, stream: int | None, version: tuple[int, int] | None
) -> Any:
    """The capsule of memory on the GPU of a number, for work in another's stream.

    A stream of 1 is the legacy default stream, 2 that of each thread, -1 none.
    """
    others = None if stream == -1 else stream or 1
    if others is not None:
        _meet(memory.device, "let_wait", others)
    versioned = version is not None and version >= (1, 0)
    managed: Any = _Versioned() if versioned else _Managed()
    shape = (ctypes.c_int64 * max(memory.ndim, 1))(*memory.shape)
    strides = (ctypes.c_int64 * max(memory.ndim, 1))(*_strides(memory.shape))
    tensor = managed.tensor
    tensor.data = memory.pointer
    tensor.device[:] = (CUDA, number)
    tensor.ndim = memory.ndim
    tensor.code, tensor.bits = _TYPES[str(memory.dtype)]
    tensor.lanes = 1
    tensor.shape, tensor.strides = shape, strides
    managed.deleter = _deleter
    if versioned:
        managed.version[:] = (1, 0)
        managed.flags = _READ_ONLY
    address = ctypes.addressof(managed)
    _exported[address] = (managed, memory, others, shape, strides)
    return _new(address, _VERSIONED if versioned else _PLAIN, _destroy)


def _meet(device: Device, how: str, stream: int) -> None:
    """Orders the work of a device and of a stream, where the device has streams."""
    order = getattr(device, how, None)
    if order is not None:
        order(stream)


def _strides(shape: tuple[int, ...]) -> list[int]:
    return [math.prod(shape[i + 1 :]) for i in range(len(shape))]


class _Foreign:
    """What another library exported, until its elements are used no more."""

    def __init__(self, managed: Any) -> None:
        self._managed = managed

    def __del__(self) -> None:
        if self._managed.deleter:
            self._managed.deleter(ctypes.addressof(self._managed))


def imported(source: Any, device: Device) -> Memory:
    """The memory of another library's array on a GPU, which must be contiguous."""
    kind, number = map(int, source.__dlpack_device__())
    if kind != CUDA or device.name != f"cuda:{number}":
        raise DeviceError(f"an array on cuda:{number} was given to {device.name}")
    stream = getattr(device, "stream", None)
    try:
        capsule = source.__dlpack__(stream=stream, max_version=(1, 0))
    except TypeError:  # it is older than the option
        capsule = source.__dlpack__(stream=stream)
    name = _name(capsule)
    address = _pointer(capsule, name)
    managed = (_Versioned if name == _VERSIONED else _Managed).from_address(address)
    _rename(capsule, _USED[name])
    owner = _Foreign(managed)
    tensor = managed.tensor
    shape = tuple(tensor.shape[i] for i in range(tensor.ndim))
    if tensor.strides and 0 not in shape:
        strides = [tensor.strides[i] for i in range(tensor.ndim)]
        expected = _strides(shape)
        for size, stride, wanted in zip(shape, strides, expected, strict=True):
            if size != 1 and stride != wanted:
                raise PlanError(
                    f"an array of shape {shape} and strides {tuple(strides)} is not "
                    "contiguous; copy it first (.contiguous())"
                )
    dtype = _NAMES.get((tensor.code, tensor.bits))
    if dtype is None or tensor.lanes != 1:
        raise PlanError("an array of another library has a dtype that Weft has not")
    pointer = (tensor.data or 0) + tensor.offset
    return Memory(device, pointer, shape, np.dtype(dtype_of(dtype)), owner)
