"""Runs programs on devices: arguments go there, and results stay."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .array import Array
from .cuda.memory import Memory, give_away
from .cuda.routines import position_of
from .cuda.run import Executable, provide_routines
from .devices import backend
from .errors import LinAlgError
from .specs import ShapeDtypeStruct

if TYPE_CHECKING:
    from .cuda.plan import Plan
    from .program import LeafFunction, Program

# Programs of calls outside `jit` that stay compiled.
_KEPT: Final = 512


class DeviceFunction:
    """A plan as a function from a list of arrays to the list of its results.

    Arrays must be on the device; NumPy arrays and numbers are copied there. `dtypes`
    are those of the arguments.
    """

    def __init__(
        self, plan: Plan, device: str, code: str, constants: Sequence[np.ndarray]
    ) -> None:
        provide_libraries()
        self._device = backend(device)
        self._run = Executable(plan, self._device, code, constants)
        self._dtypes = [each.dtype for each in plan.arguments[: plan.inputs]]
        self._reused = sorted({i for i in plan.reuses if i >= 0})
        self.plan, self.reuses = plan, plan.reuses

    def __call__(self, leaves: Sequence[Any]) -> list[Array]:
        """The results, which are waited for when they are read."""
        inputs = [
            self._memory_of(leaf, dtype)
            for leaf, dtype in zip(leaves, self._dtypes, strict=True)
        ]
        give_away(leaves, inputs, self._reused)
        return list(map(_array_of, self._run(inputs)))

    def _memory_of(self, leaf: Any, dtype: np.dtype[Any]) -> Memory:
        if type(leaf) is Array:
            data = leaf._data
            if type(data) is Memory and data.device is self._device:
                return data
            return Memory.of(self._device, leaf.data)
        return Memory.of(self._device, np.asarray(leaf, dtype))


def _array_of(memory: Memory) -> Array:
    """An array of memory; as its constructor does, which costs more."""
    array = Array.__new__(Array)
    array._data = memory
    return array


def device_function(program: Program, device: str) -> LeafFunction:
    """A program for GPUs, compiled and loaded on a device."""
    plan, code = program.device_code(backend(device).code)
    return DeviceFunction(plan, device, code, program.captures)


# ---- outside jit ----


def apply(
    device: str,
    name: str,
    operands: Sequence[Array],
    result: ShapeDtypeStruct | None,
    attributes: dict[str, Any],
) -> list[Array]:
    """One op on a device, compiled when it first meets operands like these."""
    specs = tuple((x.shape, x.dtype) for x in operands)
    given = tuple(sorted((key, _hashable(x)) for key, x in attributes.items()))
    key = (device, name, specs, result, given)
    run = _OPS.find(key)
    if run is None:
        run = _compiled_op(device, name, operands, result, attributes)
        _OPS.keep(key, run)
    return run(operands)


def _compiled_op(
    device: str,
    name: str,
    operands: Sequence[Array],
    result: ShapeDtypeStruct | None,
    attributes: dict[str, Any],
) -> LeafFunction:
    from . import tree
    from .builder import trace_program
    from .tracer import bind_all

    def function(*xs: Array) -> list[Array]:
        return bind_all(name, *xs, result=result, **attributes)

    function.__name__ = name
    leaves = [
        (ShapeDtypeStruct(x.shape, x.dtype), f"x{i}", None)
        for i, x in enumerate(operands)
    ]
    treedef = tree.flatten((tuple(operands), {}))[1]
    program, _ = trace_program(function, name, treedef, leaves, device=device)
    return program.compile_leaves(device)


def run_program(program: Program, leaves: Sequence[Any], device: str) -> list[Array]:
    """A program that was traced for one call, compiled unless its text is known."""
    key = (device, program.text())
    run = None if program.captures else _OPS.find(key)
    if run is None:
        run = program.compile_leaves(device)
        if not program.captures:
            _OPS.keep(key, run)
    return run(leaves)


def _hashable(attribute: Any) -> Any:
    if isinstance(attribute, np.ndarray):
        return (attribute.shape, str(attribute.dtype), attribute.tobytes())
    return attribute


class _Kept:
    """The functions that were used last, by what they are for."""

    def __init__(self) -> None:
        self._functions: OrderedDict[Any, LeafFunction] = OrderedDict()

    def find(self, key: Any) -> LeafFunction | None:
        function = self._functions.get(key)
        if function is not None:
            self._functions.move_to_end(key)
        return function

    def keep(self, key: Any, function: LeafFunction) -> None:
        self._functions[key] = function
        if len(self._functions) > _KEPT:
            self._functions.popitem(last=False)


_OPS: Final = _Kept()


# ---- routines on the host ----


@functools.cache
def provide_libraries() -> None:
    """Has plans call the kernels that the CPU's code calls."""
    provide_routines(_call_kernel)


def _call_kernel(
    name: str,
    numbers: Sequence[int],
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    line: str,
) -> None:
    from . import _weft, library

    library.provide()
    arrays = [array.ctypes.data for array in (*inputs, *outputs)]
    try:
        _weft.call_kernel(f"weft_{name}", [*arrays, *numbers], line)
    except library.KernelError as error:
        message, place = error.args
        raise LinAlgError(message, position_of(place)) from None
