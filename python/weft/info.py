"""Questions about dtypes: limits, families and promotion."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any, Final

import numpy as np

from .array import Array
from .dtypes import (
    DTypeLike,
    Kind,
    canonical,
    is_kind,
    is_narrow,
    limits,
    promote,
    real_dtype,
)
from .errors import ArgumentError, DTypeError, public
from .ops.registry import common_dtype, is_scalar

_FAMILIES: Final[dict[str, tuple[Kind, ...]]] = {
    "bool": ("bool",),
    "signed integer": ("signed",),
    "unsigned integer": ("unsigned",),
    "integral": ("integer",),
    "real floating": ("float", "float8"),
    "complex floating": ("complex",),
    "numeric": ("numeric", "float8"),
}


@public
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype that operands of these arrays, scalars and dtypes promote to.

    >>> weft.result_type(weft.int32, weft.float32)
    dtype('float64')
    """
    operands = [
        x if isinstance(x, (Array, np.ndarray)) or is_scalar(x)
        else Array(np.empty((), canonical(x)))
        for x in arrays_and_dtypes
    ]  # fmt: skip
    return common_dtype("result_type", *operands)[0]


@public
def can_cast(from_: Array | DTypeLike, to: DTypeLike, /) -> bool:
    """Whether a dtype converts to another by the promotion rules.

    >>> weft.can_cast(weft.int32, weft.int64)
    True
    """
    source = from_.dtype if isinstance(from_, Array) else canonical(from_)
    target = canonical(to)
    if is_kind(source, "float8") or is_kind(target, "float8"):
        return source == target
    if is_narrow(source) or is_narrow(target):
        return promote((source, target), ()) == target
    return bool(np.can_cast(source, target))


def _of(x: Array | DTypeLike, name: str, *kinds: Kind) -> np.dtype[Any]:
    dtype = x.dtype if isinstance(x, Array) else canonical(x)
    if not any(is_kind(dtype, kind) for kind in kinds):
        raise DTypeError(f"{name} does not describe {dtype}")
    return dtype


@public
def finfo(of: Array | DTypeLike, /) -> np.finfo[Any]:
    """The limits of a float dtype, or of the parts of a complex one.

    Of bfloat16 and float8 they are an `ml_dtypes.finfo`.

    >>> weft.finfo(weft.float32).bits
    32
    """
    return limits(real_dtype(_of(of, "finfo", "inexact", "float8")))


@public
def iinfo(of: Array | DTypeLike, /) -> np.iinfo[Any]:
    """The limits of an integer dtype.

    >>> weft.iinfo(weft.int8).max
    127
    """
    return np.iinfo(_of(of, "iinfo", "integer"))


@public
def isdtype(dtype: DTypeLike, kind: DTypeLike | str | tuple[Any, ...], /) -> bool:
    """Whether a dtype is of a kind: a dtype, a family's name, or one of several.

    >>> weft.isdtype(weft.float32, "real floating")
    True
    """
    given = canonical(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(given, each) for each in kind)
    if isinstance(kind, str) and kind in _FAMILIES:
        return any(is_kind(given, family) for family in _FAMILIES[kind])
    try:
        return given == np.dtype(kind)
    except TypeError:
        raise ArgumentError(
            f"isdtype: {kind!r} is neither a dtype nor one of {', '.join(_FAMILIES)}"
        ) from None
