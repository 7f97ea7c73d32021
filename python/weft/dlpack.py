"""DLPack of the dtypes that NumPy has no name for there: bfloat16 and float8.

NumPy exchanges their bits, as unsigned integers; here the capsule is told, or asked,
what they are.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
from typing import Any, Final

import ml_dtypes
import numpy as np

# DLDataTypeCode of dlpack.h, version 1.1.
_UNSIGNED: Final = 1
_CODES: Final[dict[np.dtype[Any], int]] = {
    np.dtype(ml_dtypes.bfloat16): 4,
    np.dtype(ml_dtypes.float8_e4m3fn): 10,
    np.dtype(ml_dtypes.float8_e5m2): 12,
}
_DTYPES: Final = {(code, 8 * d.itemsize): d for d, code in _CODES.items()}


class _Tensor(ctypes.Structure):
    """DLTensor, as far as its dtype."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
    )


class _VersionedTensor(ctypes.Structure):
    """DLManagedTensorVersioned, as far as that."""

    _fields_ = (
        ("version", ctypes.c_uint32 * 2),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    )


_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype = ctypes.c_void_p
_pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype = ctypes.c_char_p
_name_of.argtypes = [ctypes.py_object]


def _tensor(capsule: Any) -> _Tensor:
    """What a capsule that nobody has taken yet describes; it begins with that."""
    name = _name_of(capsule)
    address = _pointer_of(capsule, name)
    if name == b"dltensor_versioned":
        return _VersionedTensor.from_address(address).tensor
    return _Tensor.from_address(address)


def export(data: np.ndarray, **options: Any) -> Any:
    """The DLPack capsule of an array."""
    if data.dtype not in _CODES:
        return data.__dlpack__(**options)
    capsule = data.view(f"u{data.dtype.itemsize}").__dlpack__(**options)
    _tensor(capsule).code = _CODES[data.dtype]
    return capsule


class _Bits:
    """What another library exports, as the bits of its elements."""

    def __init__(self, source: Any) -> None:
        self.dtype: np.dtype[Any] | None = None
        self._source = source

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._source.__dlpack_device__()

    def __dlpack__(self, **options: Any) -> Any:
        try:
            capsule = self._source.__dlpack__(**options)
        except TypeError:  # it is older than the options
            capsule = self._source.__dlpack__()
        tensor = _tensor(capsule)
        self.dtype = _DTYPES.get((tensor.code, tensor.bits))
        if self.dtype is not None:
            tensor.code = _UNSIGNED
        return capsule


def take(source: Any) -> np.ndarray:
    """The array that an object with `__dlpack__` exports, over the same memory."""
    bits = _Bits(source)
    array = np.from_dlpack(bits)
    return array if bits.dtype is None else array.view(bits.dtype)
