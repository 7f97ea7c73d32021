"""The bundle for machines with a GPU: what is written, and how results are judged."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import test_ops as table
import weft

pytestmark = pytest.mark.thorough
FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "gpu"


def module(name):
    """A script of the bundle, as a module."""
    spec = importlib.util.spec_from_file_location(f"gpu_{name}", FOLDER / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


bundle, run = module("bundle"), module("run")
INF, NAN = np.inf, np.nan


# ---- what is expected ----


@pytest.mark.parametrize(
    ("got", "want", "limit", "wrong"),
    [
        ([1.0, 2.0], [1.0, 2.5], [0.0, 0.5], 0),
        ([1.0, 2.0], [1.0, 2.5], [0.0, 0.4], 1),
        ([1.0, NAN, INF], [1.0, NAN, INF], [NAN, NAN, NAN], 0),
        ([1.0, NAN], [1.0, INF], [0.0, 1.0], 1),
        ([5.0, NAN], [1.0, INF], [INF, INF], 0),
        ([-INF, 1.0], [INF, 1.5], [NAN, NAN], 2),
    ],
)
def test_floats_are_compared_by_their_limits(got, want, limit, wrong):
    got, want = np.array(got, "f4"), np.array(want, "f4")
    assert run.compared(got, want, np.array(limit), False)[0] == wrong


def test_zeros_may_have_to_have_the_same_sign():
    got, want = np.array([0.0, -0.0]), np.array([0.0, 0.0])
    assert run.compared(got, want, np.zeros(2), True)[0] == 1
    assert run.compared(got, want, np.zeros(2), False)[0] == 0


def test_integers_and_missing_limits_ask_for_the_same():
    got, want = np.array([1, 2]), np.array([1, 3])
    assert run.compared(got, want, None, False)[0] == 1
    assert run.compared(got * 1.0, want * 1.0, None, False)[0] == 1
    assert run.compared(got, got.astype("i4"), None, False)[0] == 2


def test_complex_numbers_are_compared_by_parts():
    want = np.array([1 + 2j, NAN + 1j * INF])
    got = np.array([1 + 2.5j, NAN - 1j * INF])
    assert run.compared(got, want, np.array([0.5, NAN]), False)[0] == 0
    assert run.compared(got, want, np.array([0.1, NAN]), False)[0] == 1


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_bits_of_narrow_floats_are_read_without_ml_dtypes(dtype):
    want = np.array([0.5, -3, 0], getattr(weft, dtype))
    tables = bundle.tables()
    assert np.array_equal(run.values_of(want, dtype, tables), want.astype("f4"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_limits_are_those_of_the_table_of_ops(dtype):
    names = ("tanh", "add", "multiply", "divide", "sqrt")
    chosen = [
        x
        for x in table.of_family("elementwise", np.dtype(getattr(weft, dtype)))
        if x.op.name in names
    ]
    tables, random = bundle.tables(), np.random.default_rng(0)
    for instance in chosen:
        for number, (want, limit, zeros) in enumerate(bundle.of_instance(instance)):
            noise = random.normal(size=want.shape) * 1e-6
            with np.errstate(all="ignore"):
                got = np.asarray(want * (1 + noise), want.dtype)
            known = str(want.dtype)
            a, b = (run.values_of(x, known, tables) for x in (got, want))
            judged = run.compared(a, b, limit, zeros)[0] != 0
            assert judged == bool(table._wrong(instance, number, got, want)), instance


# ---- a bundle of few programs ----


def of_names(*names):
    """Some of the bundle's programs."""
    return [job for job in bundle.jobs() if job.name in names]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A bundle for the emulator, and its programs."""
    folder = tmp_path_factory.mktemp("bundle")
    chosen = of_names(
        "random_bits32", "softmax_small", "control_cond", "x + 1, 1024",
        "qr_complex64_3x9x4",
    )  # fmt: skip
    broken = bundle.Job("broken", "programs", lambda entry, stem: 1 / 0)
    kept = table.of_family("elementwise", weft.bfloat16)
    some = [x for x in kept if x.op.name in ("add", "negative", "convert")]
    table_job = bundle.table_job("some bfloat16", "elementwise", some)
    stages, bundle.STAGES = bundle.STAGES, ("ptx", "nvvm")
    try:
        entries = bundle.write_bundle(folder, [*chosen, broken, table_job])
    finally:
        bundle.STAGES = stages
    return folder, {entry.name: entry for entry in entries}


def test_what_does_not_compile_is_in_the_manifest(written):
    folder, entries = written
    manifest = {
        x["name"]: x for x in json.loads((folder / "manifest.json").read_text())
    }
    assert manifest.keys() == entries.keys()
    assert "ZeroDivisionError" in manifest["broken"]["error"]
    assert not any(x["error"] for x in manifest.values() if x["name"] != "broken")
    files = {path.name for path in (folder / "programs").iterdir()}
    assert "random_bits32.weft" in files
    assert "x_1_1024.npz" not in files


def test_programs_are_run_and_compared(written, tmp_path):
    folder, _ = written
    environment = {"OUT": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, folder / "run.py", "--check", "--device", "cuda-sim:0"],
        capture_output=True, text=True, env={**environment, "PYTHONPATH": ""},
    )  # fmt: skip
    records = {x["name"]: x for x in json.loads((tmp_path / "check.json").read_text())}
    faults = {name: x.get("error") or x["faults"] for name, x in records.items()}
    assert not any(faults.values()), faults
    assert len(records) == 5
    assert "on the host: qr_c64\n" in done.stdout
    assert "1 uncompiled" in done.stdout
    assert done.returncode == 1


def test_a_process_that_ends_takes_one_program_with_it(tmp_path):
    script = """
import json, os, sys
for name in sys.argv[sys.argv.index("--work") + 1:]:
    print("\\x1e" + json.dumps({"began": name}), flush=True)
    if name == "bad":
        os.abort()
    print("\\x1e" + json.dumps({"name": name}), flush=True)
"""
    (tmp_path / "run.py").write_text(script)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "HERE", tmp_path)
        pool = run.Pool([], 10, run.time.monotonic() + 60)
        pool.run(["a", "b", "bad", "c", "d"], 2)
    assert {name for name, x in pool.records.items() if "error" in x} == {"bad"}
    assert len(pool.records) == 5


def test_without_a_gpu_it_says_so(written):
    folder, _ = written
    done = subprocess.run(
        [sys.executable, folder / "run.py", "--bench"], capture_output=True, text=True
    )
    if done.returncode == run.NO_GPU:
        assert "there is no NVIDIA GPU" in done.stdout
