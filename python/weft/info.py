"""Questions about dtypes: limits, families and promotion."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any

import numpy as np

from .array import Array
from .dtypes import DTypeLike, canonical
from .errors import ArgumentError, DTypeError, public
from .ops.registry import common_dtype, is_scalar


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
    return bool(np.can_cast(source, canonical(to)))


def _of(x: Array | DTypeLike, kind: str, name: str) -> np.dtype[Any]:
    dtype = x.dtype if isinstance(x, Array) else canonical(x)
    if dtype.kind not in kind:
        raise DTypeError(f"{name} does not describe {dtype}")
    return dtype


@public
def finfo(of: Array | DTypeLike, /) -> np.finfo[Any]:
    """The limits of a float dtype.

    >>> weft.finfo(weft.float32).bits
    32
    """
    return np.finfo(_of(of, "f", "finfo"))


@public
def iinfo(of: Array | DTypeLike, /) -> np.iinfo[Any]:
    """The limits of an integer dtype.

    >>> weft.iinfo(weft.int8).max
    127
    """
    return np.iinfo(_of(of, "iu", "iinfo"))


@public
def isdtype(dtype: DTypeLike, kind: DTypeLike | str | tuple[Any, ...], /) -> bool:
    """Whether a dtype is of a kind: a dtype, a family's name, or one of several.

    >>> weft.isdtype(weft.float32, "real floating")
    True
    """
    try:
        return bool(np.isdtype(canonical(dtype), kind))
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"isdtype: {error}") from None
