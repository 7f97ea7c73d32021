"""The table as pictures: times over Weft's, and how near Weft is to the machine."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from pathlib import Path
from typing import Any

from .table import TITLES, Row

MARKS = {"numpy": "o", "jax": "s", "torch": "^", "compile": "v"}


def save(rows: list[Row], folder: Path) -> list[Path]:
    """Writes the pictures, and says where; none where matplotlib is missing."""
    try:
        import matplotlib as mpl
    except ImportError:
        print("\nNo pictures: they need matplotlib.")
        return []
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    written = [_ratios(rows, folder / "peers.png")]
    if bounded := [row for row in rows if row.bound]:
        written.append(_bounds(bounded, folder / "bounds.png"))
    return written


def _ratios(rows: list[Row], path: Path) -> Path:
    axes = _axes(rows)
    for name, mark in MARKS.items():
        points = [
            (row.times[name] / row.times["weft"], i)
            for i, row in enumerate(rows)
            if name in row.times
        ]
        if points:
            axes.plot(*zip(*points, strict=True), mark, label=TITLES.get(name, name),
                      markersize=4)  # fmt: skip
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlabel("time over Weft's: right of 1 Weft is faster")
    _legend(axes)
    return _written(axes, path)


def _bounds(rows: list[Row], path: Path) -> Path:
    axes = _axes(rows)
    kinds = sorted({row.bound.by for row in rows if row.bound})
    for kind in kinds:
        bars = [
            (i, row.share or 0)
            for i, row in enumerate(rows)
            if row.bound and row.bound.by == kind
        ]
        axes.barh(*zip(*bars, strict=True), label=kind)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("least time, by what bounds the program, over Weft's")
    _legend(axes)
    return _written(axes, path)


def _axes(rows: list[Row]) -> Any:
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(figsize=(8, 1.5 + 0.17 * len(rows)))
    axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="x", linewidth=0.4)
    return axes


def _legend(axes: Any) -> None:
    """Above, where no row is."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=6, frameon=False)


def _written(axes: Any, path: Path) -> Path:
    axes.figure.tight_layout()
    axes.figure.savefig(path, dpi=100)
    return path
