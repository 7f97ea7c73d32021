"""Element types: the supported ones, their MLIR names, and how they promote.

dtypes are `np.dtype`. Promotion is NumPy 2's (Python scalars are weak), with float32
where an integer or a bool meets a Python float or a function of floats.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from .errors import ArgumentError, DTypeError

DTypeLike = npt.DTypeLike

# MLIR's element type of each dtype: signed integers are signless.
MLIR_NAMES: Final[dict[np.dtype[Any], str]] = {
    np.dtype("bool"): "i1",
    np.dtype("int8"): "i8",
    np.dtype("int16"): "i16",
    np.dtype("int32"): "i32",
    np.dtype("int64"): "i64",
    np.dtype("uint8"): "ui8",
    np.dtype("uint16"): "ui16",
    np.dtype("uint32"): "ui32",
    np.dtype("uint64"): "ui64",
    np.dtype("float32"): "f32",
    np.dtype("float64"): "f64",
}
BY_MLIR_NAME: Final = {name: dtype for dtype, name in MLIR_NAMES.items()}

BOOL: Final = np.dtype("bool")
INT: Final = np.dtype("int64")
FLOAT: Final = np.dtype("float32")

Kind = Literal["any", "numeric", "float", "integer", "integer or bool", "bool"]
KIND_CODES: Final[dict[Kind, str]] = {
    "any": "biuf",
    "numeric": "iuf",
    "float": "f",
    "integer": "iu",
    "integer or bool": "biu",
    "bool": "b",
}
_ORDER: Final = {"b": 0, "u": 1, "i": 1, "f": 2}
_DEFAULTS: Final = (BOOL, INT, FLOAT)


def canonical(dtype: DTypeLike) -> np.dtype[Any]:
    """The supported `np.dtype` that a dtype-like means, in native byte order.

    `bool`, `int` and `float` mean bool, int64 and float32.
    """
    if dtype is float:
        return FLOAT
    try:
        result = np.dtype(dtype).newbyteorder("=")
    except TypeError:
        raise DTypeError(
            f"{dtype!r} is not a dtype; the dtypes are {_names()}"
        ) from None
    if result not in MLIR_NAMES:
        raise DTypeError(
            f"dtype {result} is not supported; convert the array first, "
            f"for example with .astype(np.float32). The dtypes are {_names()}"
        )
    return result


def _names() -> str:
    return ", ".join(str(dtype) for dtype in MLIR_NAMES)


def spell(dtype: np.dtype[Any], shape: Iterable[int]) -> str:
    """An array's type in a few characters: `float32[3,4]`."""
    return f"{dtype}[{','.join(map(str, shape))}]"


def is_kind(dtype: np.dtype[Any], kind: Kind) -> bool:
    """Whether a dtype is of a family."""
    return dtype.kind in KIND_CODES[kind]


def default_for(scalar: bool | int | float) -> np.dtype[Any]:
    """The dtype that a Python scalar has when nothing else decides."""
    if isinstance(scalar, bool):
        return BOOL
    return INT if isinstance(scalar, int) else FLOAT


def promote(
    strong: Iterable[np.dtype[Any]], weak: Iterable[np.dtype[Any]]
) -> np.dtype[Any]:
    """The common dtype of arrays (`strong`) and Python scalars (`weak`)."""
    strong, weak = tuple(strong), tuple(weak)
    result = np.result_type(*strong) if strong else BOOL
    rank = _ORDER[result.kind]
    weak_rank = max((_ORDER[dtype.kind] for dtype in weak), default=0)
    return _DEFAULTS[weak_rank] if weak_rank > rank else result


def require(name: str, dtype: np.dtype[Any], kind: Kind) -> None:
    """Raises unless a dtype is of the family that an operation takes."""
    if dtype.kind not in KIND_CODES[kind]:
        takes = ", ".join(str(d) for d in MLIR_NAMES if d.kind in KIND_CODES[kind])
        raise DTypeError(
            f"{name} does not take {dtype}: it takes {takes}; convert with .astype"
        )


def scalar_array(scalar: bool | int | float, dtype: np.dtype[Any]) -> np.ndarray:
    """A Python scalar as a rank-0 array of a dtype that can hold it."""
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        if not info.min <= scalar <= info.max:
            raise ArgumentError(
                f"{scalar} is out of the range of {dtype} ({info.min} to {info.max}); "
                "convert the array to a wider dtype first"
            )
    with np.errstate(over="ignore"):
        return np.asarray(scalar, dtype)
