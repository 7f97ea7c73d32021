"""Launches made ready on a GPU: parameters in place, and graphs of what comes again."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
import operator
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .bindings import check, failure
from .device import Argument, TensorMap
from .run import Linear, Ready, ReadyCopy, ReadyLaunch, Values

if TYPE_CHECKING:
    from .driver import CudaDevice, CudaModule

# Fewer launches than this are as fast one by one as in a graph.
_GRAPH_FROM: Final = 3
_GRAPHS_KEPT: Final = 8
MAP_BYTES: Final = 128


def kind_of(arg: Argument) -> str:
    if isinstance(arg, int):
        return "i64"
    return arg[0] if isinstance(arg[0], str) else "tensor_map"


class Parameters:
    """The parameters of launches, in memory of their own, and where each lies.

    A number has 8 bytes, of which the driver reads as many as the kernel's parameter
    has; a tensor map has 128, at a multiple of 64.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.places: list[int] = []
        end = 0
        for kind in kinds:
            if kind == "tensor_map":
                end += -end % 8
            self.places.append(end)
            end += MAP_BYTES // 8 if kind == "tensor_map" else 1
        self._memory = np.zeros(end + 8, np.int64)
        first = -(self._memory.ctypes.data // 8) % 8
        self.numbers = self._memory[first : first + end]
        self._base = self.numbers.ctypes.data if end else 0
        addresses = [self._base + 8 * place for place in self.places]
        self._pointers = np.array([*addresses, 0], np.int64)
        self.address: int = self._pointers.ctypes.data

    def address_of(self, index: int) -> int:
        """Where the pointers to the parameters begin with that of a number."""
        return self.address + 8 * index

    def write(self, index: int, number: int) -> None:
        """Writes the parameter of a number: an address, or the bits of a scalar."""
        self.numbers[self.places[index]] = _signed(number)

    def write_map(self, index: int, content: bytes) -> None:
        """Writes the tensor map of a number."""
        ctypes.memmove(self._base + 8 * self.places[index], content, MAP_BYTES)


@dataclass(slots=True)
class _Map:
    """A tensor map among the parameters, and those made before, by their pointers."""

    index: int
    pointer: Linear
    how: TensorMap
    current: int
    made: dict[int, bytes]


class CudaStraight:
    """Launches and copies without a decision between them (see `run.Straight`)."""

    def __init__(
        self, device: CudaDevice, module: CudaModule, ready: Sequence[Ready]
    ) -> None:
        self._device = device
        self._driver, self._stream = device._driver, device._stream
        kinds: list[str] = []
        numbers: list[tuple[int, Linear]] = []
        maps: list[tuple[int, Linear, TensorMap]] = []
        firsts: list[int] = []
        for each in ready:
            firsts.append(len(kinds))
            if isinstance(each, ReadyCopy):
                continue
            for parameter, arg in zip(each.kernel.parameters, each.args, strict=True):
                if parameter.map is None:
                    numbers.append((len(kinds), arg))
                else:
                    maps.append((len(kinds), arg, parameter.map))
                kinds.append(parameter.kind)
        self._parameters = Parameters(kinds)
        self._numbers = _Sums(
            self._parameters, [(self._parameters.places[i], x) for i, x in numbers]
        )
        self._maps = [_Map(i, pointer, how, 0, {}) for i, pointer, how in maps]
        self._steps = [
            self._launch(module, each, self._parameters.address_of(first))
            if isinstance(each, ReadyLaunch)
            else self._copy(each)
            for each, first in zip(ready, firsts, strict=True)
        ]
        self._key = _picked(
            sorted({slot for each in ready for x in _all(each) for slot, _ in x.terms})
        )
        self._written: Any = None
        self._graphs: OrderedDict[Any, Any] = OrderedDict()

    def _launch(
        self, module: CudaModule, ready: ReadyLaunch, parameters: int
    ) -> Callable[[Values, Any], None]:
        kernel, launch = ready.kernel, self._driver.cuLaunchKernel
        function = module.function(kernel.name, kernel.shared)
        shape = (function, *kernel.grid, *kernel.block, kernel.shared)
        device = self._device

        def step(values: Values, stream: Any) -> None:
            (status,) = launch(*shape, stream, parameters, 0)
            if status:
                place = f" ({kernel.line})" if kernel.line else ""
                raise failure(
                    status,
                    f"kernel {kernel.name!r}{place} of grid {kernel.grid}, block "
                    f"{kernel.block} and {kernel.shared} bytes of shared memory cannot "
                    f"be launched on {device.name}",
                )

        return step

    def _copy(self, ready: ReadyCopy) -> Callable[[Values, Any], None]:
        copy, to, source = self._device._copy, ready.to, ready.source

        def step(values: Values, stream: Any) -> None:
            copy(to.at(values), source.at(values), ready.size, stream)

        return step

    def run(self, values: Values) -> None:
        """Has them run, with the device activated."""
        key = self._key(values)
        if len(self._steps) < _GRAPH_FROM:
            self._run_in(self._stream, values, key)
            return
        graph = self._graphs.get(key)
        if graph is None:
            # Addresses that come but once are not worth a graph.
            known = key in self._graphs
            self._keep(key, self._capture(values, key) if known else None)
            if not known:
                self._run_in(self._stream, values, key)
                return
            graph = self._graphs[key]
        else:
            self._graphs.move_to_end(key)
        (status,) = self._driver.cuGraphLaunch(graph, self._stream)
        if status:
            what = f"a graph of {len(self._steps)} steps on {self._device.name}"
            raise failure(status, what)

    def _keep(self, key: Any, graph: Any) -> None:
        self._graphs[key] = graph
        self._graphs.move_to_end(key)
        if len(self._graphs) > _GRAPHS_KEPT:
            _, old = self._graphs.popitem(last=False)
            if old is not None:
                self._driver.cuGraphExecDestroy(old)

    def _run_in(self, stream: Any, values: Values, key: Any) -> None:
        if key != self._written:
            self._numbers.write(values)
            for each in self._maps:
                self._write_map(each, each.pointer.at(values))
            self._written = key
        for step in self._steps:
            step(values, stream)

    def _write_map(self, each: _Map, pointer: int) -> None:
        if pointer == each.current:
            return
        content = each.made.get(pointer)
        if content is None:
            if len(each.made) >= _GRAPHS_KEPT:
                each.made.clear()
            content = self._device.tensor_map(pointer, each.how)
            each.made[pointer] = content
        self._parameters.write_map(each.index, content)
        each.current = pointer

    def _capture(self, values: Values, key: Any) -> Any:
        """A graph of all steps, which have the parameters that they have now."""
        driver, stream = self._driver, self._device._captured
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        what = f"a graph on {self._device.name}"
        check(driver.cuStreamBeginCapture(stream, mode), what)
        try:
            self._run_in(stream, values, key)
        finally:
            status, graph = driver.cuStreamEndCapture(stream)
        if status:
            raise failure(status, what)
        made = check(driver.cuGraphInstantiate(graph, 0), what)
        check(driver.cuGraphDestroy(graph), what)
        return made

    def __del__(self) -> None:
        for graph in getattr(self, "_graphs", {}).values():
            if graph is not None:
                self._driver.cuGraphExecDestroy(graph)


def _all(ready: Ready) -> tuple[Linear, ...]:
    if isinstance(ready, ReadyCopy):
        return ready.to, ready.source
    return ready.args


def _picked(slots: Sequence[int]) -> Callable[[Values], Any]:
    """What gives the values of some slots, as something to look up by."""
    return operator.itemgetter(*slots) if slots else lambda values: ()


# Fewer sums are quicker one by one than as NumPy's arrays.
_FEW: Final = 12


class _Sums:
    """Sums over values that are parameters, written all at once."""

    def __init__(
        self, parameters: Parameters, sums: Sequence[tuple[int, Linear]]
    ) -> None:
        self._numbers = parameters.numbers
        self._view = parameters.numbers.data
        self._few = None
        if len(sums) <= _FEW and all(len(each.terms) <= 1 for _, each in sums):
            self._few = [
                (place, _signed(each.offset), *(each.terms or ((0, 0),))[0])
                for place, each in sums
            ]
        self._places = np.array([place for place, _ in sums], np.intp)
        self._offsets = np.array([_signed(each.offset) for _, each in sums], np.int64)
        most = max((len(each.terms) for _, each in sums), default=0)
        padded = [
            [*each.terms, *[(0, 0)] * (most - len(each.terms))] for _, each in sums
        ]
        shape = (len(sums), most, 2)
        pairs = np.array(padded, np.int64).reshape(shape)
        self._terms = [
            (pairs[:, i, 0].copy(), None if (pairs[:, i, 1] == 1).all()
             else pairs[:, i, 1].copy())
            for i in range(most)
        ]  # fmt: skip

    def write(self, values: Values) -> None:
        if self._few is not None:
            numbers = self._view
            for place, offset, slot, factor in self._few:
                numbers[place] = offset + values[slot] * factor
            return
        known = np.array(values, np.int64)
        result = self._offsets
        for slots, factors in self._terms:
            part = known[slots]
            result = result + (part if factors is None else part * factors)
        self._numbers[self._places] = result


def _signed(number: int) -> int:
    """Bits of 64 as the signed integer that has them."""
    return (number + 2**63) % 2**64 - 2**63
