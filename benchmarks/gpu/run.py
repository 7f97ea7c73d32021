"""Checks and times the programs of a bundle on an NVIDIA GPU.

python3 run.py --check [--only WORD] [--budget SECONDS] [--workers N]
python3 run.py --bench [--only WORD] [--budget SECONDS] [--compile]

It needs NumPy and cuda-python, and PyTorch for --bench. Programs run in processes of
their own, since a kernel that fails takes its process with it. Tables are printed, and
written as check.json and bench.json into the folder $OUT. The exit status is 0 where
all is right, 1 where something is wrong, and 3 where there is no GPU.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import types
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
NO_GPU = 3
# Seconds within which a process must say something.
PATIENCE = 150
# Programs that a process runs before the next one begins.
CHUNK = 12
FLUSHED = 256 * 2**20


def provide_narrow_floats() -> None:
    """Stands in for ml_dtypes where it is missing: its dtypes, as bare bits."""
    try:
        import ml_dtypes  # noqa: F401
    except ImportError:
        stand_in: Any = types.ModuleType("ml_dtypes")
        for name, bits in (
            ("bfloat16", "u2"), ("float8_e4m3fn", "u1"), ("float8_e5m2", "u1"),
        ):  # fmt: skip
            setattr(stand_in, name, np.dtype([(name, bits)]))
        sys.modules["ml_dtypes"] = stand_in


NARROW = ("bfloat16", "float8_e4m3fn", "float8_e5m2")


def dtype_of(name: str) -> np.dtype[Any]:
    """The dtype of a name."""
    if name not in NARROW:
        return np.dtype(name)
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, name))


# ---- comparison ----


def values_of(array: np.ndarray, dtype: str, tables: Any) -> np.ndarray:
    """Elements that were stored as bits, as float32."""
    if dtype == "bfloat16":
        wide = array.view("u2").astype("u4") << np.uint32(16)
        return np.asarray(wide, "u4").view("f4")
    if dtype in NARROW:
        return tables[dtype][array.view("u1")]
    return array


@np.errstate(all="ignore")
def compared(
    got: np.ndarray, want: np.ndarray, limit: np.ndarray | None, zeros: bool
) -> tuple[int, float, str]:
    """How many elements are wrong, how far off the worst is, and which is the first.

    An element may be off by its limit, or must be the same where that is missing, or
    NaN; an infinite one allows anything. `zeros` says whether they must have the same
    sign. How far off is in units of the limit.
    """
    if got.shape != want.shape or got.dtype != want.dtype:
        return max(want.size, 1), np.inf, f"{got.dtype}{got.shape}"
    compare = _compared_complex if want.dtype.kind == "c" else _compared_real
    off, bad = compare(got, want, np.zeros(()) if limit is None else limit, zeros)
    if not bad.any():
        return 0, float(np.max(off, initial=0)), ""
    first = tuple(np.argwhere(bad)[0])
    place = f"[{', '.join(map(str, first))}]"
    return (
        int(np.count_nonzero(bad)),
        float(np.max(off, initial=0)),
        f"{place}: {got[first]!r}, not {want[first]!r}",
    )


def _compared_real(
    got: np.ndarray, want: np.ndarray, limit: np.ndarray, zeros: bool
) -> tuple[np.ndarray, np.ndarray]:
    if want.dtype.kind != "f":
        return (got != want).astype("f8"), got != want
    distance = np.abs(got.astype("f8") - want.astype("f8"))
    off, bad = _beyond(distance, limit, _same(got, want))
    if zeros:
        signs = np.signbit(got) != np.signbit(want)
        bad |= (want == 0) & (got == 0) & signs & ~np.isposinf(limit)
    return off, bad


def _compared_complex(
    got: np.ndarray, want: np.ndarray, limit: np.ndarray, zeros: bool
) -> tuple[np.ndarray, np.ndarray]:
    # Beside a NaN the sign of an infinity is not specified.
    unsigned = np.isnan(want)
    same = np.ones(want.shape, bool)
    for a, b in ((got.real, want.real), (got.imag, want.imag)):
        a, b = np.where(unsigned, np.abs(a), a), np.where(unsigned, np.abs(b), b)
        same &= _same(a, b) | (np.isfinite(a) & np.isfinite(b))
    distance = np.abs(got.astype("c16") - want.astype("c16"))
    return _beyond(distance, limit, same & ~np.isfinite(distance))


def _same(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    return (got == want) | (np.isnan(got) & np.isnan(want))


def _beyond(
    distance: np.ndarray, limit: np.ndarray, same: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """By how much distances are of their limits, and where they are beyond these."""
    size = limit.astype("f8")
    right = same | np.isposinf(size)
    bad = ~(right | (distance <= size))
    off = np.where(right, 0, distance / np.where(size > 0, size, np.nan))
    return np.where(np.isnan(off), np.where(bad, np.inf, 0), off), bad


# ---- in a worker ----


def say(record: dict[str, Any]) -> None:
    """Reports to the process that waits."""
    print("\x1e" + json.dumps(record), flush=True)


def loaded(entry: dict[str, Any], device: str) -> Any:
    """A program of the bundle on a device."""
    import weft

    return weft.load(HERE / "programs" / f"{entry['file']}.weft", device)


def checked(entry: dict[str, Any], device: str) -> dict[str, Any]:
    """Runs one program and compares its results."""
    start = time.perf_counter()
    function = loaded(entry, device)
    ready = time.perf_counter()
    with np.load(HERE / "programs" / f"{entry['file']}.npz") as data:
        arrays = {name: data[name] for name in data.files}
    arguments = [
        arrays[f"x{i}"].view(dtype_of(x["dtype"]))
        if x["dtype"] in NARROW
        else arrays[f"x{i}"]
        for i, x in enumerate(entry["arguments"])
    ]
    memories = function.on_device(*arguments)
    results = [memory.numpy() for memory in function.run(memories)]
    return {
        "host": function.on_host,
        "faults": faults_of(entry, arrays, results),
        "results": len(results),
        "load_s": round(ready - start, 3),
        "run_s": round(time.perf_counter() - ready, 3),
    }


def faults_of(
    entry: dict[str, Any], arrays: dict[str, np.ndarray], results: Sequence[np.ndarray]
) -> list[dict[str, Any]]:
    """What is wrong with the results of a program."""
    tables = np.load(HERE / "tables.npz")
    faults = []
    for i, (got, known) in enumerate(zip(results, entry["results"], strict=True)):
        dtype = known["dtype"]
        wrong, off, first = compared(
            values_of(got, dtype, tables), values_of(arrays[f"want{i}"], dtype, tables),
            arrays.get(f"limit{i}"), known["zeros"],
        )  # fmt: skip
        if wrong:
            label = entry["labels"][i] if entry["labels"] else f"result {i}"
            faults.append(
                {
                    "what": label,
                    "wrong": wrong,
                    "of": got.size,
                    "off": off,
                    "first": first[:200],
                }
            )
    return faults


def work(names: Sequence[str], run: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Runs programs, and ends where nothing more can run in this process."""
    entries = {entry["name"]: entry for entry in manifest()}
    for name in names:
        say({"began": name})
        try:
            say({"name": name, **run(entries[name])})
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            say({"name": name, "error": text[:1500]})
            if "nothing more can run" in text or "CUDA error" in text:
                os._exit(4)


# ---- timing, in a worker ----


class Clock:
    """Times functions in one stream, which PyTorch and Weft share."""

    def __init__(self, device: Any) -> None:
        import torch

        self.torch, self.device = torch, device
        self.stream = torch.cuda.ExternalStream(device.stream)
        self._flushed = torch.empty(FLUSHED, dtype=torch.uint8, device="cuda")

    def microseconds(self, function: Callable[[], Any]) -> float:
        """One call on the device, with nothing in its caches."""
        torch = self.torch
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._flushed.zero_()
        # So that the host is ahead, and its time is not counted.
        torch.cuda._sleep(600_000)
        start.record()
        kept = function()
        stop.record()
        stop.synchronize()
        del kept
        return start.elapsed_time(stop) * 1e3

    def medians(
        self, functions: dict[str, Callable[[], Any]], seconds: float = 1.0
    ) -> dict[str, float]:
        """Median microseconds of each, in turn, after some to get warm."""
        times: dict[str, list[float]] = {name: [] for name in functions}
        end = time.perf_counter() + seconds
        rounds = 0
        while rounds < 8 or (time.perf_counter() < end and rounds < 60):
            for name, function in functions.items():
                elapsed = self.microseconds(function)
                if rounds >= 4:
                    times[name].append(elapsed)
            rounds += 1
        return {name: float(np.median(each)) for name, each in times.items()}

    def wall(self, function: Callable[[], Any]) -> float:
        """Microseconds a call on the host's clock, of calls that follow each other."""
        for _ in range(5):
            function()
        self.device.synchronize()
        calls, start = 0, time.perf_counter()
        while calls < 200 and time.perf_counter() < start + 0.5:
            function()
            calls += 1
        self.device.synchronize()
        return (time.perf_counter() - start) / calls * 1e6


def drawn(arguments: Sequence[dict[str, Any]]) -> list[Any]:
    """The arguments of a benchmark, random, as PyTorch's on the GPU."""
    import torch

    made = []
    for each in arguments:
        shape, dtype = each["shape"], each["dtype"]
        if each["kind"] == "labels":
            made.append(torch.randint(0, int(each["scale"]), shape, device="cuda"))
        elif each["kind"] == "key":
            made.append(torch.full(shape, 1234567, device="cuda").view(torch.uint64))
        else:
            x = torch.randn(shape, device="cuda") * each["scale"]
            made.append(x.to(getattr(torch, dtype)))
    return made


class Bench:
    """Times rows, in one process."""

    def __init__(self, compiles: bool) -> None:
        provide_narrow_floats()
        import torch

        from weft.devices import backend

        self.torch, self.compiles = torch, compiles
        # As Weft, PyTorch is to multiply float32 as float32.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.device = backend("cuda:0")
        self.clock = Clock(self.device)

    def __call__(self, entry: dict[str, Any]) -> dict[str, Any]:
        with self.torch.cuda.stream(self.clock.stream):
            if entry["name"] == COPY:
                return self._copy()
            return self._row(entry)

    def _copy(self) -> dict[str, Any]:
        x = self.torch.randn(64 * 2**20, device="cuda")
        y = self.torch.empty_like(x)
        times = self.clock.medians({"torch": lambda: y.copy_(x)})
        return {"us": times, "moved": 2 * x.nbytes}

    def _row(self, entry: dict[str, Any]) -> dict[str, Any]:
        from peers import peer

        arguments = drawn(entry["arguments"])
        function = loaded(entry, "cuda:0")
        memories = function.on_device(*arguments)
        other = peer(entry["name"])
        functions: dict[str, Callable[[], Any]] = {
            "weft": lambda: function.run(memories),
            "torch": lambda: other(*arguments),
        }
        record: dict[str, Any] = {"off": self._off(entry, functions)}
        if self.compiles and not entry["name"].startswith(UNCOMPILED):
            try:
                fast = self.torch.compile(other, dynamic=False)
                fast(*arguments)
                functions["compiled"] = lambda: fast(*arguments)
            except Exception as error:
                record["no_compile"] = repr(error)[:300]
        record["us"] = self.clock.medians(functions)
        if entry["timed"]["small"]:
            record["wall"] = {
                name: self.clock.wall(each) for name, each in functions.items()
            }
        self.torch.cuda.empty_cache()
        return record

    def _off(self, entry: dict[str, Any], functions: dict[str, Any]) -> float | None:
        """How far the results are from PyTorch's, relative to the largest."""
        if entry["name"].startswith("random"):
            return None
        torch = self.torch
        got = [torch.from_dlpack(x) for x in functions["weft"]()]
        want = functions["torch"]()
        want = want if isinstance(want, tuple) else (want,)
        worst = 0.0
        for a, b in zip(got, want, strict=True):
            largest = b.abs().max().double().clamp(min=1e-30)
            worst = max(worst, float((a.double() - b.double()).abs().max() / largest))
        return worst


COPY = "copy 64M (torch)"
# A thousand steps written out take PyTorch minutes to compile.
UNCOMPILED = ("fori_loop", "while_loop")


# ---- waiting for workers ----


def manifest() -> list[dict[str, Any]]:
    """The programs of the bundle."""
    entries = json.loads((HERE / "manifest.json").read_text())
    copy = {"name": COPY, "family": "benchmarks", "timed": {"moved": 2**29}}
    return [{"error": "", "skipped": "", **copy}, *entries]


class Pool:
    """Runs programs in processes, and starts new ones where they end too early."""

    def __init__(self, arguments: Sequence[str], chunk: int, end: float) -> None:
        self._arguments, self._chunk, self._end = arguments, chunk, end
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self.records: dict[str, dict[str, Any]] = {}

    def run(self, names: Sequence[str], workers: int) -> None:
        """Runs all, as far as there is time."""
        self._waiting = list(names)
        threads = [threading.Thread(target=self._serve) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in names:
            self.records.setdefault(name, {"name": name, "unrun": True})

    def _serve(self) -> None:
        while time.monotonic() < self._end:
            with self._lock:
                names = self._waiting[: self._chunk]
                del self._waiting[: self._chunk]
            if not names:
                return
            left = self._process(names)
            with self._lock:
                self._waiting[:0] = left

    def _process(self, names: Sequence[str]) -> list[str]:
        """Runs some in one process; which of them it did not come to."""
        command = [sys.executable, str(HERE / "run.py"), *self._arguments, "--work"]
        process = subprocess.Popen(
            [*command, *names], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, errors="replace",
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        said: list[str] = []
        errors = process.stderr
        listener = threading.Thread(target=lambda: said.append(errors.read()[-1500:]))
        listener.start()
        heard = [time.monotonic()]
        watcher = threading.Thread(target=self._watch, args=(process, heard))
        watcher.start()
        done, current = set(), names[0]
        for line in process.stdout:
            heard[0] = time.monotonic()
            if not line.startswith("\x1e"):
                continue
            record = json.loads(line[1:])
            current = record.get("began", current)
            if "name" in record:
                self.records[record["name"]] = record
                done.add(record["name"])
        status = process.wait()
        watcher.join()
        listener.join()
        process.stdout.close()
        process.stderr.close()
        left = [name for name in names if name not in done]
        if left and time.monotonic() < self._end:
            # It ended in the middle of one, or before any.
            if current in done:
                current = left[0] if status not in (0, 4) else ""
            if current:
                reason = f"its process ended with {status}: {' '.join(said)[-700:]}"
                self.records[current] = {"name": current, "error": reason}
                left.remove(current)
        return left

    def _watch(self, process: Any, heard: list[float]) -> None:
        while process.poll() is None:
            now = time.monotonic()
            if now > self._end or now > heard[0] + PATIENCE:
                process.kill()
                return
            time.sleep(0.1)


# ---- reports ----


def write(name: str, content: Any) -> None:
    """Writes a file into $OUT, where that is."""
    out = os.environ.get("OUT")
    if out:
        Path(out, name).write_text(json.dumps(content, indent=1))


def report_check(
    entries: Sequence[dict[str, Any]], records: dict[str, dict[str, Any]], shown: int
) -> bool:
    """Prints failures and a line for each family; whether all is right."""
    failures: list[str] = []
    on_host: dict[str, str] = {}
    counts: dict[str, Counter[str]] = {}
    for entry in entries:
        count = counts.setdefault(entry["family"], Counter())
        record = records.get(entry["name"], {})
        if entry["error"] or entry["skipped"]:
            count["uncompiled" if entry["error"] else "skipped"] += 1
        elif record.get("unrun"):
            count["not run"] += 1
        elif "error" in record:
            count["crashed"] += 1
            failures.append(f"{entry['name']}: {record['error'][:400]}")
        else:
            faults = record["faults"]
            count["wrong" if faults else "right"] += 1
            count["partly on the host"] += bool(record["host"])
            on_host |= record["host"]
            count["results"] += record["results"]
            count["wrong results"] += len(faults)
            failures += [
                f"{entry['name']}: {x['what']}: {x['wrong']} of {x['of']} wrong, at "
                f"most {x['off']:.3g} x allowed; {x['first']}"
                for x in faults[:3]
            ]
    for line in failures[:shown]:
        print(line)
    if len(failures) > shown:
        print(f"... and {len(failures) - shown} more")
    for reason in dict.fromkeys(on_host.values()):
        names = ", ".join(name for name in on_host if on_host[name] == reason)
        print(f"on the host: {names}{': ' * bool(reason)}{reason}")
    total: Counter[str] = Counter()
    for family, count in counts.items():
        total += count
        print(f"{family:16} {_counts(count)}")
    print(f"{'all':16} {_counts(total)}")
    return not any(total[x] for x in ("wrong", "crashed", "not run", "uncompiled"))


def _counts(count: Counter[str]) -> str:
    results = f"{count['results'] - count['wrong results']}/{count['results']} results"
    kinds = ("right", "wrong", "crashed", "skipped", "uncompiled", "not run",
             "partly on the host")  # fmt: skip
    programs = ", ".join(f"{count[kind]} {kind}" for kind in kinds if count[kind])
    return f"{results:18} {programs}"


def report_bench(
    entries: Sequence[dict[str, Any]], records: dict[str, dict[str, Any]]
) -> bool:
    """Prints the table of times; whether every row was timed."""
    copy = records.get(COPY, {}).get("us", {}).get("torch")
    peak = 2**29 / copy / 1e3 if copy else float("nan")
    print(
        f"{'us on the device, median':34} {'weft':>9} {'torch':>9} {'compiled':>9} "
        f"{'ratio':>6}  rate of weft"
    )
    complete = True
    for entry in entries:
        record, name = records.get(entry["name"], {}), entry["name"]
        times = record.get("us")
        if times is None:
            complete = False
            text = record.get("error") or entry["error"] or "not run"
            print(f"{name:34} {text[:300]}")
            continue
        print(f"{name:34} {_times(times)}  {_rate(entry, record, peak)}")
        if "wall" in record:
            print(f"{name + ', wall':34} {_times(record['wall'])}")
    return complete


def _times(times: dict[str, float]) -> str:
    cells = [
        f"{times[x]:9.1f}" if x in times else " " * 9
        for x in ("weft", "torch", "compiled")
    ]
    others = [times[x] for x in ("torch", "compiled") if x in times]
    ratio = min(others) / times["weft"] if "weft" in times and others else float("nan")
    return f"{' '.join(cells)} {ratio:6.2f}"


def _rate(entry: dict[str, Any], record: dict[str, Any], peak: float) -> str:
    timed, times = entry["timed"], record["us"]
    us = times.get("weft", times["torch"])
    off = record.get("off")
    parts = []
    if timed.get("moved"):
        rate = timed["moved"] / us / 1e3
        parts.append(f"{rate:7.0f} GB/s {100 * rate / peak:5.1f}% of a copy")
    if timed.get("operations"):
        rate = timed["operations"] / us / 1e6
        share = 100 * times["torch"] / us
        parts.append(f"{rate:7.1f} TFLOP/s {share:5.1f}% of torch's")
    if off is not None:
        parts.append(f"off {off:.1e}")
    if "no_compile" in record:
        parts.append(f"torch.compile: {record['no_compile'][:80]}")
    return "  ".join(parts)


# ---- main ----


def gpu_or_exit() -> None:
    """Ends with a message where there is no GPU."""
    command = "import weft; print(weft.devices()[1:-1] and weft.devices()[1].label)"
    done = subprocess.run(
        [sys.executable, "-c", command],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(HERE)},
    )  # fmt: skip
    label = done.stdout.strip()
    if label in ("", "[]"):
        reason = done.stderr.strip().splitlines()[-1:] or ["the driver finds none"]
        print(f"there is no NVIDIA GPU that can be used here ({reason[0]})")
        sys.exit(NO_GPU)
    print(label)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--bench", action="store_true")
    parser.add_argument("--only", default="", help="a word that names contain")
    parser.add_argument("--budget", type=float, default=240, help="seconds a part")
    parser.add_argument("--workers", type=int, default=8, help="processes of --check")
    parser.add_argument("--compile", action="store_true", help="torch.compile too")
    parser.add_argument("--shown", type=int, default=30, help="failures to print")
    parser.add_argument("--device", default="cuda:0", help="what --check runs on")
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        if not options.device.startswith("cuda:"):
            # The emulator is part of the whole package, which is installed then.
            sys.path = [path for path in sys.path if Path(path) != HERE]
        provide_narrow_floats()
        if options.bench:
            work(options.work, Bench(options.compile))
        else:
            work(options.work, lambda entry: checked(entry, options.device))
        return 0
    if not (options.check or options.bench):
        parser.error("give --check or --bench")
    if options.device.startswith("cuda:"):
        gpu_or_exit()
    entries = [x for x in manifest() if options.only in x["name"] or x["name"] == COPY]
    fine = True
    if options.check:
        fine &= check([x for x in entries if not x.get("timed")], options)
    if options.bench:
        fine &= bench([x for x in entries if x.get("timed")], options)
    return 0 if fine else 1


def ready(entries: Sequence[dict[str, Any]]) -> list[str]:
    """The names of those that can run."""
    return [x["name"] for x in entries if not (x["error"] or x["skipped"])]


def check(entries: Sequence[dict[str, Any]], options: argparse.Namespace) -> bool:
    """Checks programs; whether all is right."""
    start = time.monotonic()
    arguments = ["--check", "--device", options.device]
    pool = Pool(arguments, CHUNK, start + options.budget)
    pool.run(ready(entries), options.workers)
    write("check.json", list(pool.records.values()))
    fine = report_check(entries, pool.records, options.shown)
    print(f"checked in {time.monotonic() - start:.0f} s")
    return fine


def bench(entries: Sequence[dict[str, Any]], options: argparse.Namespace) -> bool:
    """Times programs; whether every one was timed."""
    start = time.monotonic()
    arguments = ["--bench", *(["--compile"] if options.compile else [])]
    pool = Pool(arguments, len(entries), start + options.budget)
    pool.run(ready(entries), 1)
    write("bench.json", list(pool.records.values()))
    fine = report_bench(entries, pool.records)
    print(f"timed in {time.monotonic() - start:.0f} s")
    return fine


if __name__ == "__main__":
    sys.exit(main())
