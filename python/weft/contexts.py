"""MLIR contexts, each used by one thread at a time and retired after some uses.

A context never frees its types, attributes and locations, and making one costs a
millisecond. MLIR's own threading is off: a child forked after a threaded pass hangs.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import numpy as np
from mlir import ir

from . import _weft
from .devices import Target
from .dtypes import BOOL, BY_MLIR_NAME, MLIR_NAMES, is_kind, is_narrow
from .errors import display_path, frame_position, is_internal, user_frames
from .optimization import DEFAULT_LEVEL, usual_level
from .specs import ShapeDtypeStruct, check_shape

# The stubs of both extensions leave their exceptions out.
ExtensionError: type[Exception] = _weft.Error  # pyright: ignore
MLIRError: type[Exception] = ir.MLIRError  # pyright: ignore

GPU: Final = "weft.gpu"
OPTIMIZATION_LEVEL: Final = "weft.optimization_level"
USES_BEFORE_RETIREMENT: Final = 64
_IDLE_LIMIT: Final = 4
_CALL_DEPTH: Final = 16


class Context:
    """An MLIR context with Weft's dialects, and what is looked up in it often."""

    def __init__(self) -> None:
        # Without the list all of MLIR's dialects would be loaded, which takes long.
        self.mlir = ir.Context(load_on_create_dialects=[])  # pyright: ignore
        self.mlir.enable_multithreading(False)
        _weft.register_dialects(self.mlir)
        self.uses = 0
        self.unknown = ir.Location.unknown(self.mlir)
        self._types: dict[tuple[tuple[int, ...], np.dtype[Any]], ir.Type] = {}
        self._specs: dict[ir.Type, ShapeDtypeStruct] = {}
        self._locations: dict[tuple[Any, ...], tuple[ir.Location, str]] = {}

    def type_of(self, spec: ShapeDtypeStruct) -> ir.Type:
        """The MLIR tensor type of a shape and dtype."""
        key = (spec.shape, spec.dtype)
        if key not in self._types:
            check_shape("shape", spec.shape)
            element = ir.Type.parse(MLIR_NAMES[spec.dtype], self.mlir)
            self._types[key] = ir.RankedTensorType.get(
                spec.shape, element, loc=self.unknown
            )
        return self._types[key]

    def spec_of(self, tensor_type: ir.Type) -> ShapeDtypeStruct:
        """The shape and dtype of an MLIR tensor type."""
        if tensor_type not in self._specs:
            tensor = ir.RankedTensorType(tensor_type)
            dtype = BY_MLIR_NAME[str(tensor.element_type)]
            self._specs[tensor_type] = ShapeDtypeStruct(tuple(tensor.shape), dtype)
        return self._specs[tensor_type]

    def attribute(self, value: Any) -> ir.Attribute:
        """The MLIR attribute of `True`, an int, ints, an array or a string."""
        if isinstance(value, ir.Attribute):
            return value
        if value is True:
            return ir.UnitAttr.get(self.mlir)
        if isinstance(value, str):
            return ir.StringAttr.get(value, self.mlir)
        if isinstance(value, tuple):
            return ir.DenseI64ArrayAttr.get(value, context=self.mlir)
        if isinstance(value, np.ndarray):
            return self._elements(value)
        i64 = ir.IntegerType.get_signless(64, self.mlir)
        return ir.IntegerAttr.get(i64, value)

    def _elements(self, value: np.ndarray) -> ir.Attribute:
        element = ir.Type.parse(MLIR_NAMES[value.dtype], self.mlir)
        if is_narrow(value.dtype):  # NumPy shows nobody the elements of some
            value = value.copy().view(f"u{value.dtype.itemsize}")
            if not is_splat(value):
                elements: Any = value
                return ir.DenseElementsAttr.get(
                    elements, type=element, shape=list(value.shape), context=self.mlir
                )
        if not is_splat(value):
            elements = np.require(value, requirements=["C", "ALIGNED"])
            if is_kind(value.dtype, "complex"):
                kind = self.type_of(ShapeDtypeStruct(value.shape, value.dtype))
                return ir.DenseElementsAttr.get(elements, type=kind, context=self.mlir)
            signless = not is_kind(value.dtype, "unsigned")
            return ir.DenseElementsAttr.get(
                elements, signless=signless, context=self.mlir
            )
        one: Any = first_of(value)
        # A splat of i1 is one byte of equal bits.
        bits = one * np.uint8(255) if value.dtype == BOOL else one
        return ir.DenseElementsAttr.get(
            bits, type=element, shape=list(value.shape), context=self.mlir
        )

    def location(self, stop: FrameType) -> tuple[ir.Location, str] | None:
        """Where the user's program is, and that as `file.py:line`.

        The location is the line and column of the innermost frame outside Weft,
        called from those outside it up to the frame `stop`; `None` if there is none.
        """
        frames = []
        for frame in user_frames(stop):
            frames.append(frame)
            if len(frames) == _CALL_DEPTH:
                break
        if not frames:
            return None
        key = tuple((frame.f_code, frame.f_lasti) for frame in frames)
        if key not in self._locations:
            positions = [frame_position(frame) for frame in frames]
            self._locations[key] = self._call_site(positions)
        return self._locations[key]

    def definition(
        self, function: Callable[..., Any] | None
    ) -> tuple[ir.Location, str]:
        """Where a function is defined; where the user's program is, if not known."""
        code = getattr(inspect.unwrap(function), "__code__", None) if function else None
        if code is not None and not is_internal(code.co_filename):
            return self._call_site([(code.co_filename, code.co_firstlineno, 1)])
        for frame in user_frames():
            return self._call_site([frame_position(frame)])
        # Where some ops have a file and their function has none, LLVM objects.
        return ir.Location.file("<unknown>", 1, 1, self.mlir), "an unknown line"

    def _call_site(
        self, positions: list[tuple[str, int, int]]
    ) -> tuple[ir.Location, str]:
        """The location of the first of some positions, called from the others."""
        places = [ir.Location.file(*place, context=self.mlir) for place in positions]
        location = places[0]
        if len(places) > 1:
            location = ir.Location.callsite(location, places[1:], context=self.mlir)
        file, line, _ = positions[0]
        return location, f"{display_path(file)}:{line}"


def describe_gpu(context: Context, module: ir.Module, target: Target) -> None:
    """Has a module say what GPU it is for, which its passes decide by.

    What it says already stays.
    """
    mlir = context.mlir
    i64 = ir.IntegerType.get_signless(64, mlir)
    facts: dict[str, ir.Attribute] = {
        "chip": ir.StringAttr.get(target.chip, mlir),
        "multiprocessors": ir.IntegerAttr.get(i64, target.multiprocessors),
    }
    attributes = module.operation.attributes
    if GPU in attributes:
        facts |= {each.name: each.attr for each in ir.DictAttr(attributes[GPU])}
    attributes[GPU] = ir.DictAttr.get(facts, mlir)


def state_level(context: Context, module: ir.Module, level: int | None = None) -> None:
    """Has a module say how much is done for its speed, unless it says so already.

    Where none is given it is the usual level; level 2 needs no words.
    """
    attributes = module.operation.attributes
    level = usual_level() if level is None else level
    if level != DEFAULT_LEVEL and OPTIMIZATION_LEVEL not in attributes:
        i64 = ir.IntegerType.get_signless(64, context.mlir)
        attributes[OPTIMIZATION_LEVEL] = ir.IntegerAttr.get(i64, level)


def first_of(value: np.ndarray) -> np.ndarray:
    """The first element; NumPy's `flat` is for half of the dimensions there may be."""
    return value[(slice(0, 1),) * value.ndim].reshape(1)


def is_splat(value: np.ndarray) -> bool:
    """Whether all elements of an array have the same bits, and there is one."""
    if value.size == 0:
        return False
    if not any(value.strides[i] for i in range(value.ndim) if value.shape[i] > 1):
        return True
    contiguous = np.ascontiguousarray(value)
    if value.dtype.kind == "c":
        return all(is_splat(part) for part in (np.real(value), np.imag(value)))
    bits = contiguous.view(f"u{value.dtype.itemsize}")
    return bool((bits == first_of(bits)).all())


class _Pool:
    """Idle contexts. `list.pop` and `list.append` are atomic, so it needs no lock."""

    def __init__(self) -> None:
        self._idle: list[Context] = []

    def take(self) -> Context:
        try:
            return self._idle.pop()
        except IndexError:
            return Context()

    def put(self, context: Context) -> None:
        context.uses += 1
        spent = context.uses >= USES_BEFORE_RETIREMENT
        if not spent and len(self._idle) < _IDLE_LIMIT:
            self._idle.append(context)

    def forget(self) -> None:
        self._idle.clear()


_POOL: Final = _Pool()


@contextmanager
def context() -> Iterator[Context]:
    """A context that no other thread uses until the block ends."""
    taken = _POOL.take()
    try:
        yield taken
    finally:
        _POOL.put(taken)


def retire_all() -> None:
    """Lets go of all idle contexts."""
    _POOL.forget()
