"""What compiling a program takes, pass by pass."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CODE: Final = "asm"
# The steps of the last stage that are LLVM's own work.
_LLVM_STEPS: Final = ("translate", "split", "optimize", "generate", "link")
_UNITS: Final = {
    "translate": "ops, instructions",
    "split": "instructions",
    "optimize": "instructions",
    "generate": "instructions, bytes",
}


@dataclass(frozen=True, slots=True)
class CompileStep:
    """A pass, or another step on the way to `stage`.

    `before` and `after` count what it was given and what it left: ops, LLVM's
    instructions from `translate` on, and bytes after `generate`. They are `None` for
    steps that change nothing. The time is what passes: of parts that are compiled at
    once, the share of a step.
    """

    stage: str
    name: str
    milliseconds: float
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class CompileReport:
    """How long each step of a compilation took; `str` makes a table of it.

    `code_bytes` is the size of the object files.
    """

    entry: str
    steps: tuple[CompileStep, ...]
    code_bytes: int

    @property
    def milliseconds(self) -> float:
        """The time of all steps."""
        return sum(step.milliseconds for step in self.steps)

    @property
    def llvm_share(self) -> float:
        """The part of the time, from 0 to 1, that LLVM takes and no pass of MLIR."""
        own = (s for s in self.steps if s.stage == CODE and s.name in _LLVM_STEPS)
        return sum(step.milliseconds for step in own) / self.milliseconds

    def by_stage(self) -> dict[str, float]:
        """The milliseconds of each stage, in order."""
        stages: dict[str, float] = {}
        for step in self.steps:
            stages[step.stage] = stages.get(step.stage, 0.0) + step.milliseconds
        return stages

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"{self.entry}: {self.milliseconds:.1f} ms, {self.llvm_share:.0%} of them "
            f"LLVM's; {self.code_bytes} bytes"
        )
        yield f"{'stage':<10}{'ms':>9}  {'step':<26}{'ms':>9}{'before':>9}{'after':>9}"
        totals = self.by_stage()
        for step in self.steps:
            total = totals.pop(step.stage, None)
            stage = f"{step.stage:<10}{total:>9.1f}" if total is not None else " " * 19
            counts = "".join(
                f"{'' if n is None else n:>9}" for n in (step.before, step.after)
            )
            unit = _UNITS.get(step.name, "") if step.stage == CODE else ""
            line = f"{stage}  {step.name:<26}{step.milliseconds:>9.1f}{counts}  {unit}"
            yield line.rstrip()


class Stopwatch:
    """Milliseconds since it was made or last read."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """The milliseconds since the last lap."""
        now = time.perf_counter()
        passed, self._last = 1e3 * (now - self._last), now
        return passed
