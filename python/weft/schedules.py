"""Schedules: text in MLIR's transform dialect that changes a program's stages."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import (
    ArgumentError,
    ParseError,
    UnsupportedTypeError,
    display_path,
    user_position,
)

if TYPE_CHECKING:
    from mlir import ir


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule's text, and what its lines are called: a file, or where it was given.

    The text is of named sequences, or of the module around them.
    """

    text: str
    source: str

    @staticmethod
    def of(given: str | os.PathLike[str]) -> Schedule:
        """The schedule that a string is, or that is in the file of a path."""
        if isinstance(given, os.PathLike):
            path = os.fspath(given)
            try:
                with open(path, encoding="utf-8") as file:
                    return Schedule(file.read(), path)
            except (OSError, UnicodeDecodeError) as error:
                raise ArgumentError(f"schedule: {path} is not read: {error}") from None
        if not isinstance(given, str):
            raise UnsupportedTypeError(
                "schedule is MLIR text or, as a pathlib.Path, a file of it; not a "
                f"{type(given).__name__}"
            )
        if "named_sequence" not in given:
            raise ArgumentError(
                "schedule: the text has no `transform.named_sequence @STAGE`; to name "
                "a file, pass a pathlib.Path"
            )
        return Schedule(given, f"{user_position()}: <schedule>")

    def add_to(self, module: ir.Module) -> None:
        """Makes this the schedule of a program."""
        from . import _weft
        from .contexts import ExtensionError

        try:
            _weft.add_schedule(module, self.text, self.source)
        except ExtensionError as error:
            message, reports = error.args
            line = next((line for file, line, *_ in reports if file), 1)
            raise ParseError(
                f"the schedule is not valid: {message}",
                f"{display_path(self.source)}:{line}",
            ) from None
