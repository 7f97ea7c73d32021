"""Saved functions: one file with plans, kernels and constants, which needs no compiler.

It is a zip archive:
  weft.json                 what the function takes and returns
  constants/0.npy, ...      captured arrays, as bytes where NumPy has no such dtype
  sm_90a/plan.json          the plan for an architecture
  sm_90a/kernels.ptx        its kernels
  sm_90a/kernels.mlir       the same for the emulator
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..errors import (
    DeviceError,
    PlanError,
    StructureError,
    UnsupportedTypeError,
    public,
)
from .device import Device
from .memory import Memory, give_away
from .plan import ArrayType, Plan, dtype_of, takes
from .run import Executable
from .structure import found, numbers, rebuilt

VERSION: Final = 1
_DESCRIPTION: Final = "weft.json"
_FILES: Final = {"ptx": "kernels.ptx", "nvvm": "kernels.mlir"}
# kDLCUDA
_CUDA: Final = 2
_CHIP: Final = re.compile(r"sm_(\d+)(\d)([af]?)")


@dataclass(frozen=True, slots=True)
class Variant:
    """A function for one architecture: its plan, and its code by stage."""

    plan: Plan
    code: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file holds.

    `arguments` and `results` are forms of trees (see `structure`), of the arguments
    that of `(args, kwargs)`. `names` are those of the arguments' leaves.
    """

    name: str
    arguments: Any
    results: Any
    names: tuple[str, ...]
    constants: tuple[np.ndarray, ...]
    variants: Mapping[str, Variant]

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file."""
        description = {
            "version": VERSION,
            "name": self.name,
            "arguments": self.arguments,
            "results": self.results,
            "names": self.names,
            "constants": [
                {"shape": x.shape, "dtype": str(x.dtype)} for x in self.constants
            ],
            "variants": list(self.variants),
        }
        check_path("save", path)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_DESCRIPTION, json.dumps(description, indent=1))
            for i, array in enumerate(self.constants):
                content = io.BytesIO()
                flat = np.frombuffer(array.tobytes(), np.uint8)
                np.save(content, flat)
                archive.writestr(f"constants/{i}.npy", content.getvalue())
            for chip, variant in self.variants.items():
                archive.writestr(f"{chip}/plan.json", variant.plan.json)
                for stage, text in variant.code.items():
                    archive.writestr(f"{chip}/{_FILES[stage]}", text)


def check_path(name: str, path: Any) -> None:
    """Raises where a file is not named. `open` would take a number, and close it."""
    if not isinstance(path, (str, os.PathLike)):
        raise UnsupportedTypeError(
            f"{name} takes the path of a file, a str or a pathlib.Path, not "
            f"{type(path).__name__!r}"
        )


def read(path: str | os.PathLike[str]) -> Saved:
    """What a file holds; raises `PlanError` where it is no saved function."""
    check_path("load", path)
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read(archive)
        except PlanError:
            raise
        except Exception as error:
            raise PlanError(
                f"{os.fspath(path)} is no function that Compiled.save has written "
                f"({error})"
            ) from None


def _read(archive: zipfile.ZipFile) -> Saved:
    description = json.loads(archive.read(_DESCRIPTION))
    if description["version"] != VERSION:
        raise PlanError(
            f"the file has version {description['version']}; this Weft reads version "
            f"{VERSION}: save it again with this one"
        )
    constants = []
    for i, each in enumerate(description["constants"]):
        flat = np.load(io.BytesIO(archive.read(f"constants/{i}.npy")))
        constants.append(flat.view(dtype_of(each["dtype"])).reshape(each["shape"]))
    saved = Saved(
        str(description["name"]),
        description["arguments"],
        description["results"],
        tuple(map(str, description["names"])),
        tuple(constants),
        {chip: _variant(archive, chip) for chip in description["variants"]},
    )
    for variant in saved.variants.values():
        _verify(saved, variant.plan)
    return saved


def _verify(saved: Saved, plan: Plan) -> None:
    """Whether the trees are those of the plan."""
    taken, given = numbers(saved.arguments), numbers(saved.results)
    calls = isinstance(saved.arguments, dict) and saved.arguments.get("tuple")
    if not (
        calls
        and [next(iter(form)) for form in calls] == ["tuple", "dict"]
        and taken == list(range(plan.inputs))
        and set(given) <= set(range(plan.results))
        and len(saved.names) == plan.inputs
        and len(saved.constants) == plan.constants
    ):
        raise PlanError(
            f"{saved.name!r} is described with other arguments, results or constants "
            "than its plan has"
        )


def _variant(archive: zipfile.ZipFile, chip: str) -> Variant:
    names = set(archive.namelist())
    code = {
        stage: archive.read(f"{chip}/{file}").decode()
        for stage, file in _FILES.items()
        if f"{chip}/{file}" in names
    }
    return Variant(Plan.from_json(archive.read(f"{chip}/plan.json").decode()), code)


# ---- for which device ----


def _architecture(chip: str) -> tuple[int, str]:
    match = _CHIP.fullmatch(chip)
    if match is None:
        raise PlanError(f"{chip!r} names no architecture")
    return int(match[1] + match[2]), match[3]


def runs_on(chip: str, device: str) -> bool:
    """Whether code for an architecture runs on a device of another."""
    (wanted, only), (own, _) = _architecture(chip), _architecture(device)
    if only == "a":
        return wanted == own
    if only == "f":
        return wanted // 10 == own // 10 and wanted <= own
    return wanted <= own


def chosen(saved: Saved, device: Device) -> Variant:
    """The variant for the newest architecture that a device runs."""
    able = [chip for chip in saved.variants if runs_on(chip, device.chip)]
    if device.code == "nvvm":  # the emulator runs them all
        able = list(saved.variants)
    if not able:
        raise DeviceError(
            f"{saved.name!r} was compiled for {', '.join(saved.variants)}, which "
            f"{device.name} ({device.chip}) does not run; lower it for "
            f"{device.chip!r}, and save that"
        )
    variant = saved.variants[max(able, key=_architecture)]
    if device.code not in variant.code:
        raise DeviceError(
            f"{saved.name!r} was saved without the stage {device.code!r}, which "
            f"{device.name} runs"
        )
    return variant


# ---- running ----


class Loaded:
    """A saved function on a device: called as it was before, with the same trees.

    Arguments are NumPy arrays, which are copied to the device, and arrays that are
    there: results of loaded functions, and what other libraries have on the same
    device (`__dlpack__`). Results are on the device; `np.asarray` reads them.
    """

    def __init__(
        self,
        saved: Saved,
        device: Device,
        wrap: Callable[[Memory], Any] | None = None,
    ) -> None:
        self._saved, self._device, self._wrap = saved, device, wrap
        variant = chosen(saved, device)
        self.plan = variant.plan
        self._types = variant.plan.arguments[: variant.plan.inputs]
        self._donated = sorted({i for i in variant.plan.reuses if i >= 0})
        self._run = Executable(
            variant.plan, device, variant.code[device.code], saved.constants
        )

    def __repr__(self) -> str:
        return (
            f"Loaded({self._saved.name!r} for {self.plan.chip} on {self._device.name})"
        )

    @property
    def device(self) -> str:
        """The name of the device that it runs on."""
        return self._device.name

    @property
    def on_host(self) -> dict[str, str]:
        """The routines of linear algebra that run on the host, and why."""
        return dict(self._run.on_host)

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The results; raises where arguments have other shapes or dtypes.

        An array that is donated (`jit(donate_argnums=...)`) is deleted.
        """
        leaves = self._leaves(args, kwargs)
        memories = self._memories(leaves)
        give_away(leaves, memories, self._donated)
        results: Sequence[Any] = self.run(memories)
        if self._wrap is not None:
            results = list(map(self._wrap, results))
        return rebuilt(self._saved.results, results)

    def on_device(self, *args: Any, **kwargs: Any) -> list[Memory]:
        """The arguments' leaves in the memory of the device, in order, for `run`."""
        return self._memories(self._leaves(args, kwargs))

    def run(self, memories: Sequence[Memory]) -> list[Memory]:
        """The leaves of the results for those of the arguments, none of them checked.

        It does not wait for them, and copies nothing: results are computed in the
        memory of arguments that are donated.
        """
        return self._run(memories)

    def _leaves(self, args: Any, kwargs: Any) -> list[Any]:
        leaves: list[Any] = [None] * len(self._types)
        for number, _, leaf in _arguments(self._saved.arguments["tuple"], args, kwargs):
            leaves[number] = leaf
        return leaves

    def _memories(self, leaves: Sequence[Any]) -> list[Memory]:
        return list(map(self._memory_of, leaves, self._types, self._saved.names))

    def _memory_of(self, leaf: Any, expected: ArrayType, name: str) -> Memory:
        if isinstance(leaf, Memory):
            memory = leaf
        elif isinstance(getattr(leaf, "_data", None), Memory):
            memory = leaf._data
        elif _is_elsewhere(leaf):
            from .exchange import imported

            memory = imported(leaf, self._device)
        else:
            if type(leaf) in (bool, int, float, complex):
                if not takes(expected.dtype, leaf):
                    raise StructureError(
                        f"argument `{name}` is the Python {type(leaf).__name__} "
                        f"{leaf!r}, but the function was saved for {expected}"
                    )
                leaf = np.asarray(leaf, expected.dtype)
            array = np.asarray(leaf)
            _check_type(ArrayType(array.shape, array.dtype), expected, name)
            return Memory.of(self._device, array)
        _check_type(ArrayType(memory.shape, memory.dtype), expected, name)
        if memory.device is not self._device:
            raise DeviceError(
                f"argument `{name}` is on {memory.device.name}; the function was "
                f"loaded on {self._device.name}"
            )
        return memory


def _arguments(forms: Any, args: Any, kwargs: Any) -> Any:
    """The leaves of a call."""
    positional, named = forms
    count, names = len(positional["tuple"]), sorted(named["dict"])
    if len(args) != count or kwargs.keys() != set(names):
        raise StructureError(
            f"the function was saved for {count} arguments and "
            f"{', '.join(names) or 'none'} by name; got {len(args)} and "
            f"{', '.join(sorted(kwargs)) or 'none'}"
        )
    yield from found(positional, args, "args")
    yield from found(named, kwargs, "kwargs")


def _check_type(given: ArrayType, expected: ArrayType, name: str) -> None:
    if given != expected:
        raise StructureError(
            f"argument `{name}` is {given}, but the function was saved for {expected}"
        )


def _is_elsewhere(leaf: Any) -> bool:
    """Whether another library has an array on a GPU."""
    where = getattr(leaf, "__dlpack_device__", None)
    return where is not None and where()[0] == _CUDA
