"""Weft: NumPy-like Python in, machine code out, every stage of it in MLIR.

import weft

@weft.jit
def loss(w, x, y):
    return weft.mean(weft.square(x @ w - y))

weft.grad(loss)(w, x, y)
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math as _math
import typing as _typing
from importlib.util import find_spec as _find_spec

import numpy as _np

from .cuda.run import HostRoutineWarning
from .devices import Device, devices, load, memory_use, synchronize
from .errors import (
    ArgumentError,
    CompileError,
    DeviceError,
    DonatedArrayError,
    DTypeError,
    IndexingError,
    LeakedTracerError,
    LinAlgError,
    NestingError,
    OutOfMemoryError,
    ParseError,
    PlanError,
    ShapeError,
    StaticArgumentError,
    StructureError,
    TracerError,
    TransformError,
    UnsupportedTypeError,
    WeftError,
)

# A machine that only runs saved functions needs none of the rest.
_IS_WHOLE = _find_spec(f"{__name__}._weft") is not None

if _typing.TYPE_CHECKING or _IS_WHOLE:
    import ml_dtypes as _ml_dtypes

    from . import fft, linalg, nn, ops, random, special, testing
    from .array import Array
    from .control import cond, fori_loop, scan, switch, while_loop
    from .info import can_cast, finfo, iinfo, isdtype, result_type
    from .jit import CacheInfo, Jitted, jit
    from .linalg import cross
    from .lowered import Compiled, Lowered
    from .ops import *  # noqa: F403
    from .program import Program, parse, stages
    from .report import CompileReport, CompileStep
    from .run_cpu import empty_cache
    from .specs import ShapeDtypeStruct
    from .threads import check_environment as _check_environment
    from .threads import get_num_threads, set_num_threads
    from .transforms import (
        checkpoint,
        custom_jvp,
        custom_vjp,
        grad,
        hessian,
        jacfwd,
        jacrev,
        jvp,
        linearize,
        value_and_grad,
        vjp,
        vmap,
    )

    _check_environment()

    bool = _np.dtype("bool")
    int8 = _np.dtype("int8")
    int16 = _np.dtype("int16")
    int32 = _np.dtype("int32")
    int64 = _np.dtype("int64")
    uint8 = _np.dtype("uint8")
    uint16 = _np.dtype("uint16")
    uint32 = _np.dtype("uint32")
    uint64 = _np.dtype("uint64")
    float16 = _np.dtype("float16")
    bfloat16 = _np.dtype(_ml_dtypes.bfloat16)
    float8_e4m3fn = _np.dtype(_ml_dtypes.float8_e4m3fn)
    float8_e5m2 = _np.dtype(_ml_dtypes.float8_e5m2)
    float32 = _np.dtype("float32")
    float64 = _np.dtype("float64")
    complex64 = _np.dtype("complex64")
    complex128 = _np.dtype("complex128")

else:

    def __getattr__(name: str) -> object:
        """Says why most of the package is not there."""
        raise AttributeError(
            f"weft.{name} needs Weft's compiler, which is not installed here; without "
            "it there are weft.load, which runs saved functions, and weft.devices"
        )


pi = _math.pi
e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None

__version__ = "0.1.0"
__array_api_version__ = "2025.12"

__all__ = [
    "linearize",
    "jvp",
    "jacfwd",
    "hessian",
    "custom_vjp",
    "custom_jvp",
    "checkpoint",
    "ArgumentError",
    "Array",
    "CacheInfo",
    "CompileError",
    "CompileReport",
    "CompileStep",
    "Compiled",
    "DTypeError",
    "Device",
    "DeviceError",
    "DonatedArrayError",
    "HostRoutineWarning",
    "IndexingError",
    "Jitted",
    "LeakedTracerError",
    "LinAlgError",
    "Lowered",
    "NestingError",
    "OutOfMemoryError",
    "ParseError",
    "PlanError",
    "Program",
    "ShapeDtypeStruct",
    "ShapeError",
    "StaticArgumentError",
    "StructureError",
    "TracerError",
    "TransformError",
    "UnsupportedTypeError",
    "WeftError",
    "__array_api_version__",
    "__version__",
    "bool",
    "can_cast",
    "complex64",
    "complex128",
    "cond",
    "cross",
    "devices",
    "e",
    "fft",
    "finfo",
    "bfloat16",
    "float8_e4m3fn",
    "float8_e5m2",
    "float16",
    "float32",
    "float64",
    "fori_loop",
    "empty_cache",
    "get_num_threads",
    "grad",
    "iinfo",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "isdtype",
    "jacrev",
    "jit",
    "linalg",
    "load",
    "memory_use",
    "nan",
    "newaxis",
    "nn",
    "parse",
    "pi",
    "random",
    "result_type",
    "scan",
    "set_num_threads",
    "special",
    "stages",
    "switch",
    "synchronize",
    "testing",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
]
if _typing.TYPE_CHECKING or _IS_WHOLE:
    __all__ += ops.__all__
else:
    __all__ = [name for name in __all__ if name in globals()]
