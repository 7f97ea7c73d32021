"""Tracing: one context variable says which trace is on, and `bind` is the one door.

With no trace on, an op is evaluated at once by its reference. With one, it is written
into the trace's MLIR function. This module does not touch MLIR; `builder.py` does.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .array import Array
from .devices import Device, device_named, foreign_device
from .dtypes import BOOL, FLOAT, default_precision
from .errors import (
    LeakedTracerError,
    LinAlgError,
    OutOfMemoryError,
    TracerError,
    public_methods,
)
from .specs import ShapeDtypeStruct

if TYPE_CHECKING:
    from mlir import ir

    from .builder import Trace
    from .ops.registry import Op

CURRENT: Final[ContextVar[Trace | None]] = ContextVar("weft_trace", default=None)


def current_trace() -> Trace | None:
    """The trace that operations are written into, if one is on."""
    return CURRENT.get()


def bind(
    name: str,
    *operands: Array,
    result: ShapeDtypeStruct | None = None,
    **attributes: Any,
) -> Array:
    """Applies an op of one result (see `bind_all`).

    `result` is the result's shape and dtype where the op does not infer them.
    """
    (value,) = bind_all(name, *operands, result=result, **attributes)
    return value


def bind_all(
    name: str,
    *operands: Array,
    result: ShapeDtypeStruct | None = None,
    **attributes: Any,
) -> list[Array]:
    """Applies an op: writes it into the current trace, or evaluates it at once."""
    trace = CURRENT.get()
    if trace is not None:
        return list(trace.emit(name, operands, result, attributes))
    if not all(map(_is_on_host, operands)):
        for operand in operands:
            if isinstance(operand, Tracer):
                operand.check_thread()
        device = foreign_device(operands)
        if device is not None:
            from .run_device import apply

            return apply(device, name, operands, result, attributes)
    if result is not None:
        attributes["result"] = result
    values = evaluate(name, [operand.data for operand in operands], attributes)
    return [Array(value) for value in values]


def _is_on_host(x: Array) -> bool:
    return type(x) is Array and type(x._data) is np.ndarray


@functools.cache
def references() -> dict[str, Op]:
    """The ops by their names."""
    from .ops.registry import REGISTRY

    return REGISTRY


def evaluate(
    name: str, operands: list[np.ndarray], attributes: dict[str, Any]
) -> list[np.ndarray]:
    """The values of an op's results, by its reference."""
    try:
        with np.errstate(all="ignore"):
            values = references()[name].reference(*operands, **attributes)
    except MemoryError as error:
        raise OutOfMemoryError(f"{name}: {error}; compute it in parts") from None
    except np.linalg.LinAlgError as error:
        raise (
            error if isinstance(error, LinAlgError) else LinAlgError(f"{name}: {error}")
        ) from None
    return [np.asarray(x) for x in (values if isinstance(values, tuple) else (values,))]


@public_methods
class Tracer(Array):
    """An array that stands for one of each call of the function being traced.

    It has a shape and a dtype, and its elements only where the trace carries the
    values at hand (as `grad` outside `jit` does).
    """

    __slots__ = ("_spec", "_value", "origin", "trace", "weak")

    def __init__(
        self,
        trace: Trace,
        value: ir.Value,
        spec: ShapeDtypeStruct,
        origin: str,
        weak: bool = False,
    ) -> None:
        self.trace = trace
        self.origin = origin
        self.weak = weak
        self._value = value
        self._spec = spec

    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
        return self._spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self._spec.dtype

    @property
    def device(self) -> Device:
        """Where the program will run: where its arguments are."""
        return Device(self.trace.builder.device)

    def to(self, device: str) -> Array:
        """This array, if it is asked for where the program will run."""
        if device != self.device and device_named(device) != self.device:
            raise TracerError(
                f"a traced array ({self}) cannot be moved to {device!r}: the whole of "
                f"{self.trace.name!r} runs on {self.device}, where its arguments are. "
                "Move arguments before the call, or results after it"
            )
        return self

    @property
    def value(self) -> ir.Value:
        """The MLIR value, as long as its trace is on."""
        self.check_alive()
        return self._value

    def moved(self, trace: Trace, value: ir.Value) -> Tracer:
        """This array as a value of another trace."""
        return Tracer(trace, value, self._spec, self.origin, self.weak)

    def check_alive(self) -> None:
        """Raises where the trace that this array belongs to has ended."""
        if not self.trace.alive:
            raise LeakedTracerError(
                f"a traced array ({self}) is used after the call of "
                f"{self.trace.name!r} that traced it has ended; it was made at "
                f"{self.origin}. Return it from the function instead of keeping it"
            )

    def check_thread(self) -> None:
        """Raises where nothing is traced: the trace is on in another thread."""
        self.check_alive()
        raise LeakedTracerError(
            f"a traced array ({self}, made at {self.origin}) is used in another thread "
            f"than the one that traces {self.trace.name!r}. Start threads outside the "
            "traced function; pass results, not traced arrays, between them"
        )

    def _concrete(self, purpose: str) -> np.ndarray:
        self.check_alive()
        known = self.trace.evaluate(self)
        if known is None:
            raise TracerError(
                f"{purpose} needs the elements of a traced array ({self}, made at "
                f"{self.origin}), which are not known while {self.trace.name!r} is "
                "traced. Use weft.where for a choice, make a Python number a static "
                "argument (static_argnums), or do this outside jit"
            )
        return known

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> np.ndarray:
        # What NumPy makes of it would be a constant to the derivative.
        values = self._concrete("a NumPy array")
        if not self.trace.is_constant(self):
            raise TracerError(
                f"NumPy was given a traced array ({self}, made at {self.origin}), of "
                f"which {self.trace.name!r} is differentiated: what it computes has no "
                "derivative. Use Weft's function of that name, or "
                "weft.stop_gradient(x) where it is to be a constant"
            )
        return np.array(values, dtype=dtype, copy=copy)

    def __str__(self) -> str:
        return str(ShapeDtypeStruct(self.shape, self.dtype, self.weak))

    def __repr__(self) -> str:
        return f"Tracer({self})"


class Residuals(Tracer):
    """What `weft.linearize` keeps: a value of a trace that only passes through it."""

    __slots__ = ()

    def __init__(self, trace: Trace, value: ir.Value, origin: str) -> None:
        super().__init__(trace, value, ShapeDtypeStruct((), FLOAT), origin)

    def moved(self, trace: Trace, value: ir.Value) -> Tracer:
        """These residuals as a value of another trace."""
        return Residuals(trace, value, self.origin)

    def __str__(self) -> str:
        return "what a pullback keeps"


def as_weak(x: Array) -> Array:
    """A traced array marked as the result of Python scalars only."""
    if isinstance(x, Tracer) and x.dtype != BOOL:
        x.weak = True
    return x


def lifted_as_weak(x: Array) -> Array:
    """An operand among traced Python scalars, itself marked as one."""
    trace = CURRENT.get()
    if trace is not None and not isinstance(x, Tracer):
        x = trace.lift(x)
    return as_weak(x)


def as_strong(x: Array, dtype: np.dtype[Any] | None = None) -> Array:
    """A traced Python scalar as the array that it would become, or one of a `dtype`."""
    if not x.weak:
        return x
    dtype = dtype or default_precision(x.dtype)
    if dtype != x.dtype:
        return bind("convert", x, result=ShapeDtypeStruct(x.shape, dtype))
    assert isinstance(x, Tracer)
    return Tracer(x.trace, x.value, x._spec, x.origin)
