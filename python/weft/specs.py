"""Descriptions of arrays that are not there: a shape and a dtype."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .dtypes import BY_MLIR_NAME, MLIR_NAMES, DTypeLike, canonical, spell
from .errors import ArgumentError, ShapeError, UnsupportedTypeError

# NumPy's arrays have no more.
MOST_DIMENSIONS: Final = 64
# More have no addresses, at 16 bytes each.
MOST_ELEMENTS: Final = 2**59
_SPELLING = re.compile(r"\s*(\w+)\s*(?:\[([\d\s,]*)\])?\s*")


@dataclass(frozen=True, slots=True, init=False, repr=False)
class ShapeDtypeStruct:
    """The shape and dtype of an array, standing for it where no value is needed.

    >>> weft.ShapeDtypeStruct((64, 32), weft.float32)
    ShapeDtypeStruct(float32[64,32])
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    weak: bool

    def __init__(
        self, shape: tuple[int, ...], dtype: DTypeLike, weak: bool = False
    ) -> None:
        try:
            sizes = tuple(operator.index(size) for size in shape)
        except TypeError:
            raise UnsupportedTypeError(
                f"ShapeDtypeStruct: shape is {shape!r}; it is a tuple of integers"
            ) from None
        if any(size < 0 for size in sizes):
            raise ArgumentError(f"shape {sizes} has a negative size")
        object.__setattr__(self, "shape", sizes)
        object.__setattr__(self, "dtype", canonical(dtype))
        object.__setattr__(self, "weak", weak)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def mlir(self) -> str:
        """The MLIR type: `tensor<64x32xf32>`."""
        return f"tensor<{''.join(f'{n}x' for n in self.shape)}{MLIR_NAMES[self.dtype]}>"

    def __str__(self) -> str:
        if self.weak and not self.shape:
            kinds = {"f": "float", "c": "complex"}
            return f"Python {kinds.get(self.dtype.kind, 'int')}"
        return spell(self.dtype, self.shape)

    def __repr__(self) -> str:
        return f"ShapeDtypeStruct({self})"


def check_shape(name: str, shape: tuple[int, ...]) -> None:
    """Raises where no array can have a shape. Sizes of zero do not make it smaller."""
    if len(shape) > MOST_DIMENSIONS:
        raise ShapeError(
            f"{name}: an array has at most {MOST_DIMENSIONS} dimensions, not "
            f"{len(shape)}; merge some of them with reshape"
        )
    if math.prod(filter(None, shape)) >= MOST_ELEMENTS:
        raise ShapeError(
            f"{name}: {shape} has more elements than memory has addresses; compute "
            "with parts of such an array"
        )


def joined_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that some broadcast to; a `ValueError` if there is none.

    NumPy's function takes half of the dimensions that its arrays may have.
    """
    distinct = {*shapes, ()}
    if len(distinct) <= 2:
        return max(distinct, key=len)
    ndim = max(map(len, shapes))
    sizes = []
    for axis in zip(*((1,) * (ndim - len(s)) + s for s in shapes), strict=True):
        others = set(axis) - {1}
        if len(others) > 1:
            raise ValueError(f"the sizes {axis} do not broadcast")
        sizes.append(others.pop() if others else 1)
    return tuple(sizes)


def parse_spec(text: str) -> ShapeDtypeStruct:
    """The description that `f32[64,32]`, `float32[64,32]` or `i64` spells."""
    match = _SPELLING.fullmatch(text)
    names = {str(dtype): dtype for dtype in MLIR_NAMES} | BY_MLIR_NAME
    aliases = {"bool": "i1", "u8": "ui8", "u16": "ui16", "u32": "ui32", "u64": "ui64"}
    name = aliases.get(match[1], match[1]) if match else ""
    if match is None or name not in names:
        raise ArgumentError(
            f"{text!r} does not spell an array; write a dtype and sizes, as in "
            f"f32[64,32] or i64[] (dtypes: {' '.join(BY_MLIR_NAME)})"
        )
    sizes = [int(size) for size in (match[2] or "").split(",") if size.strip()]
    if math.prod(sizes) * names[name].itemsize >= 2**63:
        raise ArgumentError(f"{text!r} has more bytes than there are addresses")
    return ShapeDtypeStruct(tuple(sizes), names[name])


def require_unmasked(x: Any) -> None:
    """Raises for a masked array, whose mask would be lost."""
    if isinstance(x, np.ma.MaskedArray):
        raise UnsupportedTypeError(
            "arrays have no masks, and a masked array's would be lost; pass "
            "x.filled(value), or x.data and x.mask"
        )


def spec_of(x: Any) -> ShapeDtypeStruct:
    """The description of an array or a Python scalar."""
    if type(x) in (bool, int, float, complex):
        return ShapeDtypeStruct((), np.dtype(type(x)), weak=type(x) is not bool)
    if isinstance(x, ShapeDtypeStruct):
        return x
    require_unmasked(x)
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if shape is None or dtype is None:
        raise UnsupportedTypeError(f"{type(x).__name__!r} is not an array")
    return ShapeDtypeStruct(shape, dtype, getattr(x, "weak", False))
