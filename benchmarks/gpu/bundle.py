"""Writes a folder that checks and times Weft's code for GPUs where no compiler is.

python benchmarks/gpu/bundle.py [FOLDER] [--only PATTERN] [--jobs N]

It holds the runtime alone, every program compiled, and what each must give: the table
of ops at every dtype, control flow, networks, random numbers, and benchmarks. `run.py`
in it runs them. A program that does not compile is in the manifest with its error.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(HERE)]

import decompositions  # noqa: E402
import ml_dtypes  # noqa: E402

import programs  # noqa: E402
import test_ops as table  # noqa: E402
import weft  # noqa: E402
from weft.cuda import host  # noqa: E402
from weft.cuda.plan import Call, For, If, Plan, While  # noqa: E402
from weft.cuda.saved import Saved, Variant  # noqa: E402
from weft.devices import target_of  # noqa: E402
from weft.dtypes import code  # noqa: E402
from weft.program import Program  # noqa: E402

CHIP = "sm_90a"
# What is kept of each program: a GPU needs `ptx`, the emulator `nvvm`.
STAGES = ("ptx",)
# One program's compilation may take so many seconds.
PATIENCE = 240
# What a machine without a compiler needs of the package.
RUNTIME = ("__init__.py", "errors.py", "devices.py", "cuda")


@dataclass
class Entry:
    """A program in the manifest; `skipped` says why it cannot run there."""

    name: str
    family: str
    arguments: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    skipped: str = ""
    error: str = ""
    timed: dict[str, Any] | None = None
    seconds: float = 0.0


# ---- what is expected ----


def stored(array: np.ndarray) -> np.ndarray:
    """An array that any NumPy reads: narrow floats as their bits."""
    if array.dtype.isbuiltin == 2:  # of ml_dtypes
        return np.asarray(array, order="C").view(f"u{array.dtype.itemsize}")
    return array


@np.errstate(all="ignore")
def allowed(instance: table.Instance, number: int, want: np.ndarray) -> np.ndarray:
    """By how much each element may be off, as `test_ops.wrong` has it.

    Infinite where anything is right; NaN where the element must be the same.
    """
    ulps = table._ulps(instance)
    if any(instance.attributes.get("by", ())):
        unit = table._spacing(np.abs(want))
        limit = unit * (2 if want.dtype != np.float64 else 1e7)
        for x, (low, high) in zip(instance.operands, instance.row.reach, strict=True):
            inside = (x.astype("f8") >= low) & (x.astype("f8") <= high)
            limit = np.where(inside, limit, np.inf)
        return limit
    if want.dtype.kind != "c":
        scale = np.abs(table._scale(instance, number, want)).astype(want.dtype)
        return np.broadcast_to(ulps * table._spacing(scale), want.shape)
    if not ulps:
        return np.zeros(want.shape)
    return np.broadcast_to(_complex_limit(instance, number, want, ulps), want.shape)


def _complex_limit(
    instance: table.Instance, number: int, want: np.ndarray, ulps: float
) -> np.ndarray:
    size = np.abs(table._scale(instance, number, want).astype("c16"))
    condition = table._condition(instance)
    info = np.finfo(want.dtype)
    limit = ulps * condition * np.spacing(size.astype(want.real.dtype)).astype("f8")
    if instance.row.accumulates or instance.row.complex_condition:
        most = ~np.isfinite(want) | (size * (1 + 8 * condition * info.eps) > info.max)
        limit = np.where(most, np.inf, limit)
    return np.where(condition * info.eps < 1 / 16, limit, np.inf)


def of_instance(
    instance: table.Instance,
) -> Iterable[tuple[np.ndarray, np.ndarray | None, bool]]:
    """What each result of an op must be: values, by how much off, signs of zeros."""
    row = instance.row
    zeros = row.signed_zeros and not (row.accumulates or row.normwise)
    for number, want in enumerate(instance.reference(*instance.operands)):
        want = np.asarray(want)
        is_float = code(want.dtype) in "f8" or want.dtype.kind == "c"
        limit = allowed(instance, number, want) if is_float else None
        yield want, limit, zeros and is_float and want.dtype.kind != "c"


def of_program(
    results: Sequence[np.ndarray], tolerance: float
) -> Iterable[tuple[np.ndarray, np.ndarray | None, bool]]:
    """The same of a program, whose tolerance is of the largest element."""
    for want in results:
        if not tolerance or (code(want.dtype) not in "f8" and want.dtype.kind != "c"):
            yield want, None, False
            continue
        wide = want.astype("c16" if want.dtype.kind == "c" else "f8")
        largest = np.max(np.abs(wide), initial=0)
        yield want, np.asarray(tolerance * max(largest, 1e-30)), False


# ---- writing programs ----


def calls(steps: Sequence[Any]) -> list[str]:
    """The routines on the host that steps call."""
    found: list[str] = []
    for step in steps:
        if isinstance(step, Call):
            found.append(step.name)
        elif isinstance(step, For):
            found += calls(step.steps)
        elif isinstance(step, While):
            found += [*calls(step.before), *calls(step.steps)]
        elif isinstance(step, If):
            found += [*calls(step.then), *calls(step.otherwise)]
    return found


def assemble(ptx: str) -> None:
    """Raises where the assembler, if there is one here, does not take the code."""
    assembler = shutil.which("ptxas")
    if assembler is None or not ptx:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernels.ptx")
        path.write_text(ptx)
        command = [assembler, f"-arch={CHIP}", path, "-o", Path(folder, "kernels.o")]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr + done.stdout)[:500])


def write_program(program: Program, path: Path) -> Plan:
    """Compiles a program and writes it as `Compiled.save` does, for this chip alone."""
    texts = {stage: program.device_code(stage)[1] for stage in STAGES}
    assemble(texts.get("ptx", ""))
    plan = program.device_code(STAGES[0])[0]
    count = plan.inputs
    Saved(
        program.entry,
        {"tuple": [{"tuple": list(range(count))}, {"dict": {}}]},
        {"tuple": list(range(plan.results))},
        tuple(f"x{i}" for i in range(count)),
        program.captures,
        {CHIP: Variant(plan, texts)},
    ).write(path)
    return plan


def write_data(
    entry: Entry,
    path: Path,
    arguments: Sequence[np.ndarray],
    expected: Iterable[tuple[np.ndarray, np.ndarray | None, bool]],
) -> None:
    """Writes arguments and expected results, and describes them in the entry."""
    arrays: dict[str, np.ndarray] = {}
    for i, x in enumerate(arguments):
        arrays[f"x{i}"] = stored(x)
        entry.arguments.append({"dtype": str(x.dtype), "shape": x.shape})
    for i, (want, limit, zeros) in enumerate(expected):
        arrays[f"want{i}"] = stored(want)
        if limit is not None:
            narrow = want.dtype not in (np.float64, np.complex128)
            arrays[f"limit{i}"] = limit.astype("f4" if narrow else "f8")
        entry.results.append({"dtype": str(want.dtype), "zeros": zeros})
    np.savez_compressed(path, **arrays)


# ---- the jobs ----


@dataclass(frozen=True)
class Job:
    """A program to write: `make` fills the entry, in a process of its own."""

    name: str
    family: str
    make: Callable[[Entry, Path], None]
    # What to do instead where it fails: the same in parts.
    parts: Callable[[], list[Job]] = list


def file_name(name: str) -> str:
    """A name as that of a file."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name)


def table_job(name: str, family: str, chosen: Sequence[table.Instance]) -> Job:
    """Instances of ops, as one program."""

    def make(entry: Entry, stem: Path) -> None:
        program = weft.parse(table.program_text(chosen)).for_target(target_of(CHIP))
        plan = write_program(program, stem.with_suffix(".weft"))
        _skip_calls(entry, plan)
        if entry.skipped and len({x.op.name for x in chosen}) > 1:
            raise RuntimeError("some of its ops call routines")
        entry.labels = [str(x)[:160] for x in chosen for _ in x.results]
        expected = [each for x in chosen for each in of_instance(x.on_gpu())]
        write_data(entry, stem.with_suffix(".npz"), table.arguments(chosen), expected)

    def parts() -> list[Job]:
        ops = dict.fromkeys(x.op.name for x in chosen)
        if len(ops) < 2:
            return []
        return [
            table_job(f"{name} {op}", family, [x for x in chosen if x.op.name == op])
            for op in ops
        ]

    return Job(name, family, make, parts)


def _skip_calls(entry: Entry, plan: Plan, unique: bool = False) -> None:
    """Skips what calls routines of which a machine without Weft has none.

    Unless results are `unique`, those of other libraries may be other ones.
    """
    called = sorted(set(calls(plan.steps)))
    missing = [name for name in called if not (unique and host.has(name))]
    if missing:
        entry.skipped = f"calls {', '.join(missing)}"


def _leaves(results: Any) -> list[np.ndarray]:
    from weft import tree

    return [np.asarray(x) for x in tree.flatten(results)[0]]


def checked_job(name: str, checked: programs.Checked) -> Job:
    """A program whose results are the CPU's."""

    def make(entry: Entry, stem: Path) -> None:
        arguments = [x.drawn(i) for i, x in enumerate(checked.arguments)]
        function = weft.jit(checked.function)
        specs = [x.spec for x in checked.arguments]
        lowered = function.lower(*specs, device=CHIP)
        plan = write_program(lowered.program, stem.with_suffix(".weft"))
        _skip_calls(entry, plan, unique=True)
        results = _leaves(function(*arguments))
        write_data(
            entry, stem.with_suffix(".npz"), arguments,
            of_program(results, checked.tolerance),
        )  # fmt: skip

    return Job(name, checked.family, make)


def timed_job(name: str, timed: programs.Timed) -> Job:
    """A program that is timed."""

    def make(entry: Entry, stem: Path) -> None:
        specs = [x.spec for x in timed.arguments]
        lowered = weft.jit(timed.function).lower(*specs, device=CHIP)
        plan = write_program(lowered.program, stem.with_suffix(".weft"))
        _skip_calls(entry, plan)
        entry.arguments = [asdict(x) for x in timed.arguments]
        entry.timed = {
            "moved": timed.moved,
            "operations": timed.operations,
            "small": timed.small,
            "kernels": len(plan.kernels),
        }

    return Job(name, "benchmarks", make)


def jobs() -> list[Job]:
    """All programs of the bundle: first those that are timed."""
    return [
        *(timed_job(name, each) for name, each in programs.timed().items()),
        *(checked_job(name, each) for name, each in programs.checked().items()),
        *(checked_job(name, each) for name, each in decompositions.checked().items()),
        *(
            table_job(f"{family} {dtype}", family, table.of_family(family, dtype))
            for family, dtype in table.groups()
        ),
    ]


# ---- the bundle ----


def _work(job: Job, folder: Path, report: Path) -> None:
    entry, start = Entry(job.name, job.family), time.perf_counter()
    try:
        job.make(entry, folder / file_name(job.name))
    except Exception as error:
        lines = traceback.format_exception_only(error)
        entry.error = "".join(lines).strip()[:1500] or repr(error)
    entry.seconds = round(time.perf_counter() - start, 2)
    report.write_text(json.dumps(asdict(entry)))


def _finished(job: Job, process: Any, report: Path) -> Entry:
    if report.exists():
        entry = Entry(**json.loads(report.read_text()))
        report.unlink()
        return entry
    return Entry(
        job.name, job.family,
        error=f"the compiler's process ended with {process.exitcode}",
    )  # fmt: skip


def build(folder: Path, chosen: Sequence[Job], workers: int = 2) -> list[Entry]:
    """Writes programs, each compiled in a process of its own."""
    fork = multiprocessing.get_context("fork")
    waiting, running, entries = list(chosen), [], []
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop(0)
            report = folder / f"{file_name(job.name)}.report"
            process = fork.Process(target=_work, args=(job, folder, report))
            process.start()
            running.append((job, process, report, time.monotonic() + PATIENCE))
        for each in list(running):
            job, process, report, end = each
            process.join(0.02)
            if process.is_alive() and time.monotonic() < end:
                continue
            if process.is_alive():
                process.kill()
                process.join()
            running.remove(each)
            entry = _finished(job, process, report)
            parts = job.parts() if entry.error else []
            waiting[:0] = parts
            if not parts:
                entries.append(entry)
            state = entry.error or entry.skipped or "written"
            print(f"{entry.seconds:7.1f} s  {job.name}: {state[:300]}", flush=True)
    return entries


def write_runtime(folder: Path) -> None:
    """Copies what runs programs, and the script that does."""
    package = folder / "weft"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir(parents=True)
    for name in RUNTIME:
        source = ROOT / "python" / "weft" / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, package / name, ignore=ignored)
        else:
            shutil.copy(source, package / name)
    for name in ("run.py", "peers.py"):
        shutil.copy(HERE / name, folder / name)


def tables() -> dict[str, np.ndarray]:
    """The values of all narrow floats of a byte, for machines without ml_dtypes."""
    return {
        name: np.arange(256, dtype="u1").view(getattr(ml_dtypes, name)).astype("f4")
        for name in ("float8_e4m3fn", "float8_e5m2")
    }


def write_bundle(folder: Path, chosen: Sequence[Job], workers: int = 2) -> list[Entry]:
    """Writes a bundle of some programs."""
    programs_folder = folder / "programs"
    shutil.rmtree(programs_folder, ignore_errors=True)
    programs_folder.mkdir(parents=True)
    write_runtime(folder)
    np.savez_compressed(folder / "tables.npz", **tables())
    entries = build(programs_folder, chosen, workers)
    for entry in entries:
        if entry.error or entry.skipped:
            for suffix in (".weft", ".npz"):
                unused = programs_folder / (file_name(entry.name) + suffix)
                unused.unlink(missing_ok=True)
    _remove_others(programs_folder, entries)
    manifest = [{**asdict(x), "file": file_name(x.name)} for x in entries]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return entries


def _remove_others(folder: Path, entries: Sequence[Entry]) -> None:
    """Removes what was begun and then written in parts."""
    known = {file_name(entry.name) for entry in entries}
    for path in folder.iterdir():
        if path.stem not in known and path.name.removesuffix(path.suffix) not in known:
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default="build/gpu-bundle")
    parser.add_argument("--only", default=".*", help="a pattern of names")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chosen = [job for job in jobs() if re.search(options.only, job.name)]
    entries = write_bundle(options.folder, chosen, options.jobs)
    size = sum(x.stat().st_size for x in options.folder.rglob("*") if x.is_file())
    failed = [entry for entry in entries if entry.error]
    skipped = [entry for entry in entries if entry.skipped]
    for entry in failed:
        print(f"-- {entry.name}\n{entry.error}\n")
    print(
        f"{options.folder}: {len(entries) - len(failed) - len(skipped)} programs, "
        f"{len(skipped)} skipped, {len(failed)} failed; {size / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
