"""The rows of the table, as Markdown."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .case import Work
from .ceilings import Bound

FIRST_CALLS = ("weft", "jax", "compile")
TITLES = {"compile": "torch.compile"}


@dataclass(frozen=True)
class Row:
    """What was measured: seconds a call, seconds of the first, bytes, by framework.

    And what was to be done, and the least time of it.
    """

    name: str
    times: dict[str, float]
    first: dict[str, float]
    peak: dict[str, int | None]
    work: Work
    bound: Bound | None = None

    @property
    def ratio(self) -> float | None:
        """The fastest peer's time over Weft's."""
        peers = [time for name, time in self.times.items() if name != "weft"]
        return min(peers) / self.times["weft"] if peers else None

    @property
    def share(self) -> float | None:
        """The least time over Weft's."""
        return self.bound.seconds / self.times["weft"] if self.bound else None


def header(names: list[str]) -> str:
    """The first two lines of the table."""
    compiling = [name for name in FIRST_CALLS if name in names]
    titles = [
        "program",
        *(TITLES.get(name, name) for name in names),
        "peer / weft",
        "bound",
        "by",
        "of bound",
        "first call, s: " + ", ".join(TITLES.get(name, name) for name in compiling),
        "peak, MB: " + ", ".join(TITLES.get(name, name) for name in names),
    ]
    lines = "| --- |" + " ---: |" * (len(titles) - 1)
    return f"| {' | '.join(titles)} |\n{lines}"


def line(row: Row, names: list[str]) -> str:
    """A row of the table."""
    bound = row.bound
    first = [row.first.get(name) for name in FIRST_CALLS if name in names]
    cells = [
        row.name,
        *(_number(row.times.get(name), 1e3) for name in names),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        _number(bound.seconds, 1e3) if bound else "",
        bound.by if bound else "",
        "" if row.share is None else f"{row.share:.0%}",
        _joined("-" if x is None else f"{x:.2f}" for x in first),
        _joined(_megabytes(row.peak.get(name)) for name in names),
    ]
    return f"| {' | '.join(cells)} |"


def _number(seconds: float | None, scale: float) -> str:
    return "-" if seconds is None else f"{seconds * scale:.4g}"


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.0f}"


def _joined(cells: Iterable[str]) -> str:
    return ", ".join(cells)
