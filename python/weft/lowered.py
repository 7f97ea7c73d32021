"""Traced functions that can be looked at and compiled, and what they are traced for."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import tree
from .devices import CPU, device_of, is_chip
from .errors import DeviceError, StructureError, public
from .program import TRACED, Program, stages
from .specs import ShapeDtypeStruct, spec_of

if TYPE_CHECKING:
    from .program import LeafFunction
    from .report import CompileReport


@dataclass(frozen=True, slots=True)
class Signature:
    """What a compiled function depends on: structure, types and static arguments,

    and the device that it runs on.
    """

    treedef: tree.TreeDef
    specs: tuple[ShapeDtypeStruct, ...]
    static: tuple[tuple[str, tree.Static], ...]
    names: tuple[str, ...] = field(compare=False)
    donated: tuple[bool, ...] = field(compare=False)
    device: str = CPU

    def changes(self, other: Signature) -> list[str]:
        """How a call of this signature differs from an `other`, earlier one."""
        before = dict(other.static)
        changes = [
            f"static argument `{name}`: {before.get(name, 'not given')!r} -> {value!r}"
            for name, value in self.static
            if name not in before or before[name] != value
        ]
        if self.device != other.device:
            changes.append(f"the device: {other.device} -> {self.device}")
        if self.treedef != other.treedef:
            return [
                *changes,
                f"the arguments' structure: {other.treedef} -> {self.treedef}",
            ]
        pairs = zip(self.names, self.specs, other.specs, strict=True)
        return changes + [
            f"argument `{name}`: {was} -> {now}"
            for name, now, was in pairs
            if now != was
        ]


class Lowered:
    """A traced function for arguments of certain shapes and dtypes.

    Its text can be looked at, stage by stage, edited, put back and compiled.
    """

    def __init__(
        self, signature: Signature, program: Program, treedef: tree.TreeDef
    ) -> None:
        self._signature = signature
        self.treedef = treedef
        self.program = program

    @property
    def signature(self) -> Signature:
        """What the function was traced for."""
        return self._signature

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages that `text` prints, in order."""
        return tuple(stage.name for stage in stages(self.program.target.name))

    @property
    def device(self) -> str:
        """The device, or the chip, that the function is lowered for."""
        return self._signature.device

    @property
    def captures(self) -> tuple[np.ndarray, ...]:
        """The arrays that the function captured, as they were when it was traced.

        They are the trailing arguments of the entry function. Arrays of up to 64
        elements, and those of equal elements, are constants in the text instead.
        """
        return self.program.captures

    @public
    def text(self, stage: str = TRACED, *, locations: bool = True) -> str:
        """The program at a stage; with the lines of the Python program, or without."""
        return self.program.text(stage, locations=locations)

    @public
    def replace(self, stage: str, text: str) -> Lowered:
        """This program with another text from a stage on, to be compiled."""
        program = self.program.replace(stage, text)
        return Lowered(self._signature, program, self.treedef)

    @public
    def schedule(self, schedule: str | os.PathLike[str]) -> Lowered:
        """This program, whose stages a schedule changes as they are reached.

        It is MLIR text or, as a `pathlib.Path`, a file of it: named sequences of the
        transform dialect (docs/schedules.py).
        """
        program = self.program.schedule(schedule)
        return Lowered(self._signature, program, self.treedef)

    @public
    def compile(self) -> Compiled:
        """The program in machine code.

        Lowered for a chip's name alone, it can only be saved.
        """
        return Compiled(self)

    @public
    def compile_report(self) -> CompileReport:
        """What compiling takes, step by step; the code is made for this alone."""
        return self.program.compile_report()

    @public
    def interpret(self, *args: Any, **kwargs: Any) -> Any:
        """What the program means for these arguments, by the ops' references."""
        leaves = fitting_leaves(self._signature, args, kwargs)
        results = self.program.interpret_leaves(leaves)
        return tree.unflatten(self.treedef, results)


class Compiled:
    """A function in machine code for arguments of certain shapes and dtypes."""

    def __init__(self, lowered: Lowered) -> None:
        self._lowered, self._signature = lowered, lowered._signature
        self._run: LeafFunction | None = None
        if is_chip(self.device):
            lowered.program.device_code("ptx")  # says now what is wrong
        else:
            self._run = lowered.program.compile_leaves(self.device)

    @property
    def device(self) -> str:
        """The device, or the chip, that the code is for."""
        return self._signature.device

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the code; static arguments are left out."""
        leaves = fitting_leaves(self._signature, args, kwargs)
        if self._run is None:
            raise DeviceError(
                f"this is code for the chip {self.device}, not for a device of this "
                "machine: save it (Compiled.save), or lower it for 'cuda' or 'cuda-sim'"
            )
        return tree.unflatten(self._lowered.treedef, self._run(leaves))

    @public
    def save(self, path: str | os.PathLike[str], *, chips: Sequence[str] = ()) -> None:
        """Writes what runs the function on GPUs into one file, for `weft.load`.

        It needs no compiler there, only NumPy and cuda-python. The function's
        arguments and results must be dicts by strings, lists, tuples and arrays.
        `chips` are architectures, such as `'sm_80'`, that the file is to run on
        besides the one that the function was lowered for: each has its own plan.
        """
        from .saving import save

        save(self._lowered, path, chips)


def fitting_leaves(
    signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Any]:
    """The leaves of arguments that must have a signature's structure and types."""
    leaves, treedef = tree.flatten((args, kwargs))
    if treedef != signature.treedef:
        raise StructureError(
            f"the arguments' structure is {treedef}, but the program was lowered for "
            f"{signature.treedef} (static arguments are left out)"
        )
    for leaf, spec, name in zip(leaves, signature.specs, signature.names, strict=True):
        given = spec_of(leaf)
        where = device_of(leaf)
        if where not in (None, signature.device):
            raise DeviceError(
                f"argument `{name}` is on {where}, but the program was lowered for "
                f"{signature.device}; move it with .to({signature.device!r})"
            )
        if given != spec:
            raise StructureError(
                f"argument `{name}` is {given}, but the program was lowered for {spec}"
            )
    return leaves
