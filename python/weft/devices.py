"""The devices that arrays live on, by name: `cpu`, `cuda:0` and on, `cuda-sim:0`."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .cuda.memory import Memory
from .errors import ArgumentError, DeviceError, public

if TYPE_CHECKING:
    from .array import Array
    from .cuda.device import Device as Backend
    from .cuda.driver import MemoryUse
    from .cuda.saved import Loaded

CPU: Final = "cpu"
_SPELLING: Final = re.compile(r"(cpu|cuda|cuda-sim)(?::(\d+))?")
_CHIP: Final = re.compile(r"sm_\d+[af]?")
# Of an H100 or H200, for which code is made where no device says otherwise.
_MULTIPROCESSORS: Final = 132


class Device(str):
    """A device: a string, which is its name, that knows what it stands for.

    It can be given wherever a device is asked for, as can its name alone.

    >>> weft.devices()[0], weft.ones(3).device == weft.devices()[0]
    ('cpu', True)
    """

    __slots__ = ()

    @property
    def kind(self) -> str:
        """`cpu`, `cuda` or `cuda-sim`."""
        return self.partition(":")[0]

    @property
    def number(self) -> int:
        """Which one it is of its kind, from 0."""
        return int(self.partition(":")[2] or 0)

    @property
    def chip(self) -> str:
        """The architecture that code is made for, such as `sm_90a`; of the CPU none."""
        return "" if self.kind == CPU else backend(self).chip

    @property
    def label(self) -> str:
        """What the device calls itself."""
        return "" if self.kind == CPU else getattr(backend(self), "label", "emulated")


@public
def devices() -> list[Device]:
    """The devices of this machine: the CPU, its NVIDIA GPUs, and the emulator of one.

    >>> [device.kind for device in weft.devices()][0]
    'cpu'
    """
    from .cuda import driver

    try:
        count = driver.count()
    except DeviceError:
        count = 0
    gpus = [Device(f"cuda:{i}") for i in range(count)]
    return [Device(CPU), *gpus, Device("cuda-sim:0")]


def device_named(device: str) -> Device:
    """The device of a name, of which the number may be missing; raises for others."""
    match = _SPELLING.fullmatch(device) if isinstance(device, str) else None
    if match is None:
        raise ArgumentError(
            f"device {device!r} does not exist; the devices are "
            f"{', '.join(map(repr, devices()))}"
        )
    kind, index = match[1], int(match[2] or 0)
    if kind == "cuda":
        backend(f"cuda:{index}")  # raises where it is not there
    elif index:
        raise ArgumentError(f"device {device!r} does not exist: there is one {kind!r}")
    return Device(CPU if kind == CPU else f"{kind}:{index}")


@functools.cache
def backend(name: str) -> Backend:
    """What runs plans on a device that is not the CPU."""
    kind, _, index = name.partition(":")
    if kind == "cuda":
        from .cuda.driver import cuda_device

        return cuda_device(int(index or 0))
    return _simulator()


@functools.cache
def _simulator() -> Backend:
    try:
        from .cuda.simulator import Simulator
    except ImportError as error:
        raise DeviceError(
            f"device 'cuda-sim' is not part of this installation ({error}); it needs "
            "Weft with its compiler"
        ) from None
    return Simulator()


# ---- what programs are compiled for ----


@dataclass(frozen=True, slots=True)
class Target:
    """What a program is compiled for: the CPU, or GPUs of an architecture."""

    name: str = CPU
    chip: str = ""
    multiprocessors: int = 0

    @property
    def last_mlir(self) -> str:
        """Its last stage whose text is MLIR."""
        return "llvm" if self.name == CPU else "nvvm"


CPU_TARGET: Final = Target()


def target_of(device: str) -> Target:
    """What programs for a device are compiled for; a chip's name stands for itself."""
    if device == CPU:
        return CPU_TARGET
    if is_chip(device):
        return Target("cuda", device, _MULTIPROCESSORS)
    used = backend(device)
    count = getattr(used, "multiprocessors", _MULTIPROCESSORS)
    return Target("cuda", used.chip, count)


def is_chip(device: str) -> bool:
    """Whether this names an architecture, such as `sm_90a`, and no device."""
    return isinstance(device, str) and _CHIP.fullmatch(device) is not None


# ---- where values are ----


def is_on_gpu(x: Any) -> bool:
    """Whether another library has an array on a GPU."""
    where = getattr(x, "__dlpack_device__", None)
    return where is not None and not isinstance(x, np.ndarray) and where()[0] == 2


def from_gpu(x: Any) -> Array:
    """Another library's array on a GPU, over the same memory."""
    from .array import Array
    from .cuda.exchange import imported

    return Array(imported(x, backend(f"cuda:{int(x.__dlpack_device__()[1])}")))


def device_of(x: Any) -> str | None:
    """Where an array is; of what goes along with arrays, such as a number, nothing."""
    from .array import Array

    if type(x) is Array:
        data = x._data
        return data.device.name if isinstance(data, Memory) else CPU
    return None


def common_device(values: Iterable[tuple[str, Any]], name: str) -> str:
    """The device of named arguments of a function; raises where there are two."""
    found: dict[str, str] = {}
    for path, value in values:
        device = device_of(value)
        if device is not None:
            found.setdefault(device, path)
    if len(found) > 1:
        places = " and ".join(f"`{path}` on {device}" for device, path in found.items())
        raise DeviceError(
            f"arguments of {name!r} are on several devices: {places}; move them to one "
            "with .to(device). NumPy arrays and numbers go along by themselves"
        )
    return next(iter(found), CPU)


def foreign_device(values: Iterable[Any]) -> str | None:
    """The first device of some values that is not the CPU, if there is one."""
    for value in values:
        device = device_of(value)
        if device is not None and device != CPU:
            return device
    return None


def on_device(data: np.ndarray | Memory, device: str) -> np.ndarray | Memory:
    """Elements on a device, copied there unless they are."""
    here = data.device.name if isinstance(data, Memory) else CPU
    if here == device:
        return data
    host = data.numpy() if isinstance(data, Memory) else data
    return host if device == CPU else Memory.of(backend(device), host)


@public
def load(path: str | os.PathLike[str], device: str | None = None) -> Loaded:
    """A function that `Compiled.save` wrote, on a device: the first GPU by default.

    It is called with arguments like those that it was lowered for, and returns arrays
    on the device. No compiler is needed, only NumPy and cuda-python. Raises
    `DeviceError` where there is no such device, or where it does not run the
    architectures that the function was compiled for, and `PlanError` where the file is
    not one of these.
    """
    from .cuda.saved import Loaded, read

    saved = read(path)
    name = device_named("cuda" if device is None else device)
    if name == CPU:
        raise DeviceError("saved functions run on GPUs: load it on 'cuda'")
    return Loaded(saved, backend(name), _wrapper())


def _wrapper() -> Callable[[Memory], Any] | None:
    """What makes arrays of results, where all of Weft is installed."""
    try:
        from .array import Array
        from .run_device import provide_libraries
    except ImportError:
        return None
    provide_libraries()
    return Array


@public
def memory_use(device: str = "cuda") -> MemoryUse:
    """What the memory of a GPU is used for, in bytes (`used`, `peak`, `kept`, ...).

    `peak` is the most that arrays and running calls have had at once.
    """
    name = device_named(device)
    use = getattr(backend(name), "memory_use", None) if name != CPU else None
    if use is None:
        raise ArgumentError(f"the memory of {name} is not counted; that of GPUs is")
    return use()


def empty_device_caches() -> int:
    """Frees what GPUs that are in use keep for later; how many bytes that were."""
    from .cuda.driver import devices_in_use

    return sum(device.empty_cache() for device in devices_in_use())


@public
def synchronize(device: str | None = None) -> None:
    """Waits until everything that a device was given is done; by default all devices.

    >>> weft.synchronize()
    """
    names = [device_named(device)] if device is not None else devices()[1:-1]
    for name in names:
        if name != CPU:
            backend(name).synchronize()
