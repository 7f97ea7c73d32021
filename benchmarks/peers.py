"""Weft beside NumPy and, where they are installed, JAX and PyTorch.

Prints one table: milliseconds a call of each; the fastest peer's time over Weft's,
above 1 where Weft is faster; the least time that the machine's measured ceilings leave,
what bounds it, and its part of Weft's; the first call, which compiles; the most memory
that a call takes besides its arguments. All take turns in one process with as many
threads each, and the fastest round counts. What they compute is compared before. The
table and pictures of it go to a folder.

    python benchmarks/peers.py [--threads 1] [--only softmax,gemm] [--no-compile]
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from comparison import ceilings, frameworks, plot, table, timing
from comparison.case import Case
from comparison.programs import cases


def measure(case: Case, names: list[str], seconds: float) -> table.Row:
    """One program by all frameworks, whose results are compared first."""
    calls = {name: frameworks.FRAMEWORKS[name](case) for name in names}
    calls = {name: call for name, call in calls.items() if call}
    first = first_calls(case, calls)
    peak = {
        name: timing.peak_memory(call, frameworks.release)
        for name, call in calls.items()
    }
    return table.Row(case.name, timing.fastest(calls, seconds), first, peak, case.work)


def first_calls(case: Case, calls: dict[str, frameworks.Call]) -> dict[str, float]:
    """Seconds of each; raises `DisagreementError` where results differ."""
    first, reference = {}, None
    for name, call in calls.items():
        first[name], result = timing.once(call)
        if case.layout and name in ("torch", "compile"):
            result = case.layout.results(result)
        if name in case.unlike:
            continue
        if reference is None:
            reference = result
        frameworks.check(case, name, result, reference)
    return first


def bounded(row: table.Row, limits: ceilings.Ceilings | None) -> table.Row:
    return replace(row, bound=limits.bound(row.work)) if limits else row


def compare(
    options: argparse.Namespace, names: list[str]
) -> tuple[list[table.Row], list[str], ceilings.Ceilings | None]:
    """The rows, what failed, and the ceilings before and after, the higher ones.

    What else the machine does lowers ceilings too.
    """
    limits = ceilings.measure(options.threads)
    rows, failed = [], []
    print(table.header(names))
    for case in cases():
        if not any(part in case.name for part in options.only.split(",")):
            continue
        try:
            rows.append(measure(case, names, options.seconds))
        except Exception as error:  # The other programs are still of use.
            failed.append(f"{case.name}: {type(error).__name__}: {error}")
            continue
        print(table.line(bounded(rows[-1], limits), names), flush=True)
    again = ceilings.measure(options.threads)
    limits = limits.joined(again) if limits and again else limits
    return [bounded(row, limits) for row in rows], failed, limits


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="parts of names, by commas")
    parser.add_argument("--seconds", type=float, default=0.5, help="a row, at least")
    parser.add_argument(
        "--no-compile", action="store_true", help="leave out torch.compile: minutes"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("build/benchmarks"), help="what is written"
    )
    return parser.parse_args()


def main() -> None:
    options = arguments()
    frameworks.limit_threads(options.threads)
    names = frameworks.present(with_compile=not options.no_compile)
    frameworks.prepare(names, options.threads)
    rows, failed, limits = compare(options, names)
    ceiling_lines = limits.lines() if limits else ["No C compiler, and so no bounds."]
    print("", *ceiling_lines, sep="\n")
    if rows:
        lines = [
            f"Milliseconds, {options.threads} threads. Ceilings:",
            "",
            *(f"- {line}" for line in ceiling_lines),
            "",
            table.header(names),
            *(table.line(row, names) for row in rows),
        ]
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "peers.md").write_text("\n".join(lines) + "\n")
        print(options.output / "peers.md", *plot.save(rows, options.output), sep="\n")
    if failed:
        sys.exit("\n".join(["These programs failed:", *failed]))
    if not rows:
        sys.exit(f"No program's name has a part of --only {options.only!r}.")


if __name__ == "__main__":
    main()
