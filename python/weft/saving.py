"""Functions written to a file that runs without the compiler, and read back."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import tree
from .cuda.saved import Saved, Variant
from .cuda.structure import described
from .devices import is_chip, target_of
from .errors import ArgumentError, PlanError

if TYPE_CHECKING:
    from .lowered import Lowered
    from .program import Program


def save(
    lowered: Lowered, path: str | os.PathLike[str], chips: Sequence[str] = ()
) -> None:
    """Writes a function that was lowered for GPUs (see `Compiled.save`)."""
    program = lowered.program
    if program.target.name != "cuda":
        raise PlanError(
            "code for the CPU is not saved in files of its own (the cache keeps it by "
            "itself); lower the function for a GPU, as in "
            "f.lower(x, device='cuda'), or for an architecture: device='sm_90a'"
        )
    if isinstance(chips, str) or not all(map(is_chip, chips)):
        raise ArgumentError(
            f"save: chips is {chips!r}; it is a list of architectures, as in "
            "chips=['sm_80', 'sm_90a']"
        )
    signature = lowered.signature
    targets = [target_of(chip) for chip in chips if chip != program.target.chip]
    variants = [program, *map(program.for_target, targets)]
    Saved(
        program.entry,
        described(_numbered(signature.treedef)),
        described(_numbered(lowered.treedef)),
        signature.names,
        program.captures,
        {each.target.chip: _variant(each) for each in variants},
    ).write(path)


def _variant(program: Program) -> Variant:
    plan, ptx = program.device_code("ptx")
    return Variant(plan, {"ptx": ptx, "nvvm": program.device_code("nvvm")[1]})


def _numbered(treedef: tree.TreeDef) -> Any:
    """The tree whose leaves are their numbers."""
    return tree.unflatten(treedef, range(treedef.num_leaves))
