"""Element types: the supported ones, their MLIR names, and how they promote.

dtypes are `np.dtype`; those of bfloat16 and float8 are ml_dtypes', whose `kind` says
nothing: `code` does. Promotion is NumPy 2's (Python scalars are weak), with float32
where an integer or a bool meets a Python float or a function of floats; docs/numbers.md
has it as a table.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import ml_dtypes
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
    np.dtype(ml_dtypes.float8_e4m3fn): "f8E4M3FN",
    np.dtype(ml_dtypes.float8_e5m2): "f8E5M2",
    np.dtype("float16"): "f16",
    np.dtype(ml_dtypes.bfloat16): "bf16",
    np.dtype("float32"): "f32",
    np.dtype("float64"): "f64",
    np.dtype("complex64"): "complex<f32>",
    np.dtype("complex128"): "complex<f64>",
}
BY_MLIR_NAME: Final = {name: dtype for dtype, name in MLIR_NAMES.items()}

BOOL: Final = np.dtype("bool")
INT: Final = np.dtype("int64")
FLOAT: Final = np.dtype("float32")
FLOAT64: Final = np.dtype("float64")
FLOAT16: Final = np.dtype("float16")
BFLOAT16: Final = np.dtype(ml_dtypes.bfloat16)
COMPLEX: Final = np.dtype("complex64")

Kind = Literal[
    "any", "ordered", "numeric", "real", "inexact", "float", "complex", "integer",
    "integer or bool", "signed", "unsigned", "bool", "float8",
]  # fmt: skip
KIND_CODES: Final[dict[Kind, str]] = {
    "any": "biuf8c",
    "ordered": "biuf8",
    "numeric": "iufc",
    "real": "iuf",
    "inexact": "fc",
    "float": "f",
    "complex": "c",
    "integer": "iu",
    "integer or bool": "biu",
    "signed": "i",
    "unsigned": "u",
    "bool": "b",
    "float8": "8",
}
_CODES: Final = {
    dtype: "8" if name.startswith("f8") else "f" if "f" in name else dtype.kind
    for dtype, name in MLIR_NAMES.items()
    if dtype.kind != "c"
}
_ORDER: Final = {"b": 0, "u": 1, "i": 1, "f": 2, "8": 2, "c": 3}
_DEFAULTS: Final = (BOOL, INT, FLOAT, COMPLEX)


def canonical(dtype: DTypeLike) -> np.dtype[Any]:
    """The supported `np.dtype` that a dtype-like means, in native byte order.

    `bool`, `int`, `float` and `complex` mean bool, int64, float32 and complex64.
    """
    if dtype is float or dtype is complex:
        return FLOAT if dtype is float else COMPLEX
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


def code(dtype: np.dtype[Any]) -> str:
    """The family of a dtype: b, i, u or f as NumPy's `kind`, or 8 for float8."""
    return _CODES.get(dtype, dtype.kind)


def is_kind(dtype: np.dtype[Any], kind: Kind) -> bool:
    """Whether a dtype is of a family."""
    return code(dtype) in KIND_CODES[kind]


def is_narrow(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is a float that is computed in float32: of 8 or 16 bits."""
    return dtype.itemsize < 4 and code(dtype) in "f8"


def limits(dtype: np.dtype[Any]) -> Any:
    """`np.finfo` of a float dtype, or what ml_dtypes has in its place."""
    own = dtype == FLOAT16 or not is_narrow(dtype)
    return np.finfo(dtype) if own else ml_dtypes.finfo(dtype)


def default_for(scalar: bool | int | float | complex) -> np.dtype[Any]:
    """The dtype that a Python scalar has when nothing else decides."""
    if isinstance(scalar, bool):
        return BOOL
    if isinstance(scalar, int):
        return INT
    return FLOAT if isinstance(scalar, float) else COMPLEX


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the parts of complex numbers; of real numbers their own."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def complex_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of complex numbers with parts of a float dtype."""
    return dtype if dtype.kind == "c" else np.result_type(dtype, np.complex64)


def python_precision(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that traced Python scalars have until they meet an array."""
    wide = {FLOAT: np.dtype("float64"), COMPLEX: np.dtype("complex128")}
    return wide.get(dtype, dtype)


def default_precision(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the array that a traced Python scalar becomes."""
    return {"f": FLOAT, "c": COMPLEX}.get(dtype.kind, dtype)


def promote(
    strong: Iterable[np.dtype[Any]], weak: Iterable[np.dtype[Any]]
) -> np.dtype[Any]:
    """The common dtype of arrays (`strong`) and Python scalars (`weak`)."""
    strong, weak = set(strong), tuple(weak)
    result = _common(strong) if strong else BOOL
    rank = _ORDER[code(result)]
    weak_rank = max((_ORDER[code(dtype)] for dtype in weak), default=0)
    if weak_rank <= rank:
        return result
    # A Python complex number makes complex numbers of floats of their precision.
    return complex_dtype(result) if rank == _ORDER["f"] else _DEFAULTS[weak_rank]


def _common(dtypes: set[np.dtype[Any]]) -> np.dtype[Any]:
    """NumPy's common dtype; bfloat16's with integers and float16 are JAX's."""
    if len(dtypes) == 1:
        return next(iter(dtypes))
    for dtype in dtypes:
        if is_kind(dtype, "float8"):
            other = next(d for d in dtypes if d != dtype)
            raise DTypeError(
                f"{dtype} has no common dtype with {other}: it is only stored; convert "
                f"it first, for example with .astype(weft.float32)"
            )
    if BFLOAT16 not in dtypes:
        return np.result_type(*dtypes)
    other = np.result_type(*(dtypes - {BFLOAT16}))
    if is_kind(other, "integer or bool"):
        return BFLOAT16
    return FLOAT if other == FLOAT16 else other


def require(name: str, dtype: np.dtype[Any], kind: Kind) -> None:
    """Raises unless a dtype is of the family that an operation takes."""
    if not is_kind(dtype, kind):
        takes = ", ".join(str(d) for d in MLIR_NAMES if is_kind(d, kind))
        raise DTypeError(
            f"{name} does not take {dtype}: it takes {takes}; convert with .astype"
        )


def rounded(x: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Numbers as floats of a dtype, each the nearest one, ties to even.

    ml_dtypes rounds twice, by way of float32, so what is no float32 is rounded to odd
    first: truncated, with the last bit set where that loses something.
    """
    if not is_narrow(dtype) or dtype == FLOAT16 or is_narrow(x.dtype):
        return x.astype(dtype)
    if is_kind(x.dtype, "integer or bool"):
        x = _nearly(x)
    if x.dtype != FLOAT64:
        return x.astype(dtype)
    nearest = np.asarray(x.astype(FLOAT))
    back, bits = nearest.astype(FLOAT64), nearest.view(np.uint32)
    odd = (bits - (np.abs(back) > np.abs(x)).astype(np.uint32)) | np.uint32(1)
    inexact = (back != x) & ~np.isnan(x)
    return np.asarray(np.where(inexact, odd, bits)).view(FLOAT).astype(dtype)


def _nearly(x: np.ndarray) -> np.ndarray:
    """Integers as float64; of large ones the last 12 bits count as zero or one half."""
    if x.dtype.itemsize < 8:
        return x.astype(FLOAT64)
    rest = x & x.dtype.type(0xFFF)
    half = np.where(rest == 0, x.dtype.type(0), x.dtype.type(0x800))
    large = x >= 2**53
    if is_kind(x.dtype, "signed"):
        large |= x < -(2**53)
    return np.where(large, (x - rest) | half, x).astype(FLOAT64)


def check_conversion(source: np.dtype[Any], target: np.dtype[Any]) -> None:
    """Raises where a conversion would lose imaginary parts."""
    if is_kind(source, "complex") and code(target) in "iuf8":
        raise DTypeError(
            f"{source} does not convert to {target}, which has no imaginary part: take "
            "weft.real(x), weft.imag(x) or weft.abs(x) first"
        )


def _spell_number(scalar: bool | int | float | complex) -> str:
    if isinstance(scalar, int) and scalar.bit_length() > 200:
        return f"an int of {scalar.bit_length():,} bits"
    return str(scalar)


def scalar_array(
    scalar: bool | int | float | complex, dtype: np.dtype[Any]
) -> np.ndarray:
    """A Python scalar as a rank-0 array of a dtype that can hold it."""
    if isinstance(scalar, complex):
        check_conversion(COMPLEX, dtype)
    elif is_kind(dtype, "integer"):
        info = np.iinfo(dtype)
        if not info.min <= scalar <= info.max:
            raise ArgumentError(
                f"{_spell_number(scalar)} is out of the range of {dtype} "
                f"({info.min} to {info.max}); convert the array to a wider dtype first"
            )
    try:
        with np.errstate(over="ignore"):
            if is_narrow(dtype):
                return rounded(np.asarray(scalar, FLOAT64), dtype)
            return np.asarray(scalar, dtype)
    except OverflowError:
        raise ArgumentError(
            f"{_spell_number(scalar)} is beyond the range of {dtype}; divide it first"
        ) from None
