"""Routines on a GPU's own libraries, here on stand-ins over the host's memory.

Each runs through the plans, the driver and the prototypes as on a card, and gives what
the CPU's routine gives.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import ctypes
import itertools
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import matrices
import weft
from weft.cuda import bindings, driver, host, libraries, solver
from weft.cuda import factors as factors_of_gpu
from weft.cuda.memory import Memory
from weft.cuda.plan import Plan
from weft.cuda.run import Executable, HostRoutineWarning
from weft.run_device import _call_kernel

pytest.importorskip("cuda.bindings.driver")

import fake_libraries
from fake_device import view
from fake_driver import FakeDriver

pytestmark = pytest.mark.thorough
DTYPES = {"f32": "f4", "f64": "f8", "c64": "c8", "c128": "c16"}
LIBRARIES = {
    "cusolver": fake_libraries.Solver(),
    "cublas": fake_libraries.Blas(),
    "cufft": fake_libraries.Fourier(),
}


class Machine:
    """A driver and the libraries that are beside it."""

    def __init__(self):
        self.driver = FakeDriver(total=1 << 26)
        self.found = dict(LIBRARIES)
        for library in self.found.values():
            library.begin(self.driver)
        self.sought = []

    def load(self, release, name):
        self.sought.append(release.soname(name))
        return self.found.get(name), ""

    @property
    def complaints(self):
        return [x for each in self.found.values() for x in each.complaints]


@pytest.fixture
def machine(monkeypatch):
    made = Machine()
    for module in (bindings, driver, solver):
        monkeypatch.setattr(module, "bindings", lambda: made.driver)
    monkeypatch.setattr(libraries, "_load", made.load)
    monkeypatch.setattr(weft.cuda.run._ROUTINES, "warned", set())
    driver.cuda_device.cache_clear()
    yield made
    assert not made.complaints
    driver.cuda_device.cache_clear()


@pytest.fixture
def gpu(machine):
    return driver.cuda_device(0)


# ---- calls ----


def described(arrays, first):
    return [
        {"pointer": {"buffer": f"arg{first + i}"}, "shape": x.shape,
         "dtype": str(x.dtype)}
        for i, x in enumerate(arrays)
    ]  # fmt: skip


def plan_of(name, numbers, inputs, outputs):
    """A plan that does nothing but call a routine."""
    arguments = described([*inputs, *outputs], 0)
    step = {
        "do": "call", "name": name, "numbers": numbers, "line": "f.py:7",
        "inputs": arguments[: len(inputs)], "outputs": arguments[len(inputs) :],
    }  # fmt: skip
    return Plan.from_json(json.dumps({
        "name": "f", "chip": "sm_90a", "arena": 0, "arguments": arguments,
        "inputs": len(inputs), "constants": 0, "results": len(outputs), "kernels": {},
        "steps": [step],
    }))  # fmt: skip


def on_gpu(gpu, name, numbers, inputs, outputs):
    """The results of a routine on the GPU, which must have it."""
    run = Executable(plan_of(name, numbers, inputs, outputs), gpu, "", ())
    given = [Memory.of(gpu, x) for x in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [x.numpy() for x in run(given)]
    for x, memory in zip(inputs, given, strict=True):
        np.testing.assert_array_equal(x, memory.numpy())
    assert gpu.memory_use().used == sum(-(-max(x.nbytes, 1) // 256) * 256
                                        for x in inputs)  # fmt: skip
    return results


def on_cpu(name, numbers, inputs, outputs):
    results = [np.zeros_like(x) for x in outputs]
    _call_kernel(name, numbers, inputs, results, "f.py:7")
    return results


def by_numpy(name, numbers, inputs, outputs):
    results = [np.zeros_like(x) for x in outputs]
    host.run(name, numbers, inputs, results, "f.py:7")
    return results


def empties(dtype, *shapes):
    return [np.zeros(shape, dtype) for shape in shapes]


def drawn(suffix, *shape):
    complex_ = suffix[0] == "c"
    random = np.random.default_rng(sum(shape))
    return matrices.normal(shape, random, complex_).astype(DTYPES[suffix])


def suffix_of(x):
    return next(name for name, dtype in DTYPES.items() if x.dtype == dtype)


def real(suffix):
    return np.zeros(0, DTYPES[suffix]).real.dtype


def tolerance(x):
    return 0 if x.dtype.kind == "i" else 300 * float(np.finfo(x.dtype).eps)


def close(got, want):
    assert got.dtype == want.dtype
    scale = max(1, float(np.max(np.abs(want), initial=0)))
    np.testing.assert_allclose(got, want, rtol=0, atol=tolerance(want) * scale)


def same(gpu, name, numbers, inputs, outputs):
    """The same by all who know the routine; what it is."""
    want = on_cpu(name, numbers, inputs, outputs)
    for got in (
        on_gpu(gpu, name, numbers, inputs, outputs),
        by_numpy(name, numbers, inputs, outputs),
    ):
        for a, b in zip(got, want, strict=True):
            close(a, b)
    return want


suffixes = pytest.mark.parametrize("suffix", DTYPES)
stacks = pytest.mark.parametrize("count", [1, 3])


def positive(suffix, count, n):
    x = drawn(suffix, count, n, n)
    lower = x @ matrices.adjoint(x) + n * np.eye(n, dtype=x.dtype)
    other = np.triu(np.full((n, n), np.nan), 1)  # is not read
    return np.where(np.isnan(other), np.nan, lower).astype(x.dtype)


def test_calls_are_between_graphs(machine, gpu):
    """Launches before and behind a call are replayed; the call never is."""

    def double(x, y):
        source, target = (int.from_bytes(each, "little") for each in (x, y))
        view(target, 64)[...] = 2 * view(source, 64)

    machine.driver.kernels["double"] = ((8, 8), double)
    place = [{"buffer": "arena", "offset": 256 * i} for i in range(4)]
    whole = {"shape": [64], "dtype": "float32"}
    complex_ = {"shape": [32], "dtype": "complex64"}
    first, second = (
        [{"do": "launch", "kernel": "double", "args": list(pair)}
         for pair in itertools.pairwise(chain)]
        for chain in (
            [{"buffer": "arg0"}, place[0], place[1], place[2]],
            [place[3], place[0], place[1], {"buffer": "arg1"}],
        )
    )  # fmt: skip
    call = {
        "do": "call", "name": "fft_c64", "numbers": [1, 32, 1, 0], "line": "",
        "inputs": [{"pointer": place[2]} | complex_],
        "outputs": [{"pointer": place[3]} | complex_],
    }  # fmt: skip
    kernel = {"grid": [1, 1, 1], "block": [32, 1, 1],
              "parameters": [{"kind": "pointer"}] * 2}  # fmt: skip
    plan = Plan.from_json(json.dumps({
        "name": "f", "chip": "sm_90a", "arena": 1024, "arguments": [whole, whole],
        "inputs": 1, "constants": 0, "results": 1, "kernels": {"double": kernel},
        "steps": [*first, call, *second],
    }))  # fmt: skip
    run = Executable(plan, gpu, "the text", ())
    x = np.arange(64, dtype="f4")
    memory = Memory.of(gpu, x)
    for _ in range(4):
        (y,) = run([memory])
        want = 64 * np.fft.fft(x.view("c8"))
        np.testing.assert_allclose(y.numpy().view("c8"), want, rtol=1e-5)
    assert machine.driver.calls.count("cuGraphLaunch") > 3
    assert machine.found["cufft"].calls.count("ExecC2C") == 4


# ---- factors ----


@suffixes
@stacks
@pytest.mark.parametrize("n", [1, 5, 20])
def test_cholesky(gpu, suffix, count, n):
    x = positive(suffix, count, n)
    same(gpu, f"cholesky_{suffix}", [count, n], [x], [np.zeros_like(x)])


@suffixes
@stacks
def test_triangular_solve(gpu, suffix, count):
    rows, columns = 5, 3
    b = drawn(suffix, count, rows, columns)
    for right, upper, transposed, unit in itertools.product((0, 1), repeat=4):
        size = columns if right else rows
        a = drawn(suffix, count, size, size) + 3 * np.eye(size, dtype=b.dtype)
        numbers = [count, rows, columns, right, upper, transposed, unit]
        same(gpu, f"triangular_solve_{suffix}", numbers, [a, b], [b])


def factored(gpu, x):
    """The factors and the order of rows of a stack."""
    count, rows, columns = x.shape
    outputs = [np.zeros_like(x), np.zeros((count, min(rows, columns)), np.int64),
               np.zeros((count, rows), np.int64)]  # fmt: skip
    name = f"lu_{suffix_of(x)}"
    factors, _, order = same(gpu, name, [count, rows, columns, 1], [x], outputs)
    return factors, order


def solved(gpu, factors, order, columns):
    """Equations with those factors, and with their transposes."""
    count, rows, _ = factors.shape
    suffix = suffix_of(factors)
    b = drawn(suffix, count, rows, columns)
    for transposed in (0, 1):
        numbers = [count, rows, columns, transposed]
        same(gpu, f"solve_{suffix}", numbers, [factors, order, b], [b])


@suffixes
@stacks
@pytest.mark.parametrize("shape", [(6, 6), (7, 4), (4, 7), (1, 1)])
def test_lu(gpu, suffix, count, shape):
    factors, order = factored(gpu, drawn(suffix, count, *shape))
    if shape[0] == shape[1]:
        for columns in (1, 3):
            solved(gpu, factors, order, columns)


def test_lu_of_larger_matrices(machine, gpu):
    n = factors_of_gpu._TOGETHER + 1
    x = drawn("f64", 2, n, n) + 9 * n * np.eye(n)[::-1]
    solved(gpu, *factored(gpu, x), columns=2)
    assert "Dgetrf" in machine.found["cusolver"].calls
    assert "DgetrfBatched" not in machine.found["cublas"].calls


@suffixes
@stacks
@pytest.mark.parametrize("full", [0, 1])
@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (1, 4), (4, 1)])
def test_qr(gpu, suffix, count, full, shape):
    rows, columns = shape
    x = drawn(suffix, count, *shape)
    size = rows if full else min(shape)
    outputs = empties(x.dtype, (count, rows, size), (count, size, columns))
    numbers = [count, rows, columns, full]
    same(gpu, f"qr_{suffix}", numbers, [x], outputs)


# ---- values ----


@suffixes
@stacks
@pytest.mark.parametrize("n", [1, 6])
def test_eigh(gpu, suffix, count, n):
    x = positive(suffix, count, n)
    w, v = np.zeros((count, n), real(suffix)), np.zeros_like(x)
    want = on_cpu(f"eigh_{suffix}", [count, n], [x], [w, v])
    lower = np.tril(np.nan_to_num(x))
    whole = lower + matrices.adjoint(np.tril(lower, -1))
    for got in (
        on_gpu(gpu, f"eigh_{suffix}", [count, n], [x], [w, v]),
        by_numpy(f"eigh_{suffix}", [count, n], [x], [w, v]),
    ):
        close(got[0], want[0])
        close((got[1] * got[0][:, None]) @ matrices.adjoint(got[1]), whole)
    same(gpu, f"eigvalsh_{suffix}", [count, n], [x], [w])


@suffixes
@stacks
@pytest.mark.parametrize("full", [0, 1])
@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (1, 4)])
def test_svd(gpu, suffix, count, full, shape):
    rows, columns = shape
    k = min(shape)
    x = drawn(suffix, count, *shape)
    u, vh = empties(
        x.dtype, (count, rows, rows if full else k), (count, columns if full else k,
                                                      columns)
    )  # fmt: skip
    s = np.zeros((count, k), real(suffix))
    numbers = [count, rows, columns, full]
    want = on_cpu(f"svd_{suffix}", numbers, [x], [u, s, vh])
    for got in (
        on_gpu(gpu, f"svd_{suffix}", numbers, [x], [u, s, vh]),
        by_numpy(f"svd_{suffix}", numbers, [x], [u, s, vh]),
    ):
        close(got[1], want[1])
        close((got[0][:, :, :k] * got[1][:, None]) @ got[2][:, :k], x)
        for basis in (got[0], matrices.adjoint(got[2])):
            unit = np.broadcast_to(
                np.eye(basis.shape[-1]), (count, *basis.shape[-1:] * 2)
            )
            close(matrices.adjoint(basis) @ basis, unit.astype(x.dtype))
    same(gpu, f"svdvals_{suffix}", numbers[:3], [x], [s])


@suffixes
@stacks
@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7)])
def test_pinv(gpu, suffix, count, shape):
    rows, columns = shape
    x = drawn(suffix, count, *shape)
    x[:, -1] = x[:, 0]  # one singular value is to count as zero
    cutoff = np.full(count, 1e-5, real(suffix))
    outputs = empties(x.dtype, (count, columns, rows))
    same(gpu, f"pinv_{suffix}", [count, *shape], [x, cutoff], outputs)


# ---- transforms ----

LAYOUTS = [(1, 8, 1), (5, 7, 1), (1, 6, 4), (3, 5, 2), (2, 9, 3), (2, 1, 3), (4, 2, 1)]


@pytest.mark.parametrize("suffix", ["c64", "c128"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_fourier_transforms(gpu, suffix, layout):
    outer, size, inner = layout
    part = real(suffix)
    x = drawn(suffix, *layout)
    half = (outer, size // 2 + 1, inner)
    for inverse in (0, 1):
        same(gpu, f"fft_{suffix}", [*layout, inverse], [x], [np.zeros_like(x)])
    name = "rfft_f32" if suffix == "c64" else "rfft_f64"
    same(gpu, name, [*layout], [x.real.copy()], empties(x.dtype, half))
    same(gpu, f"irfft_{suffix}", [*layout], [drawn(suffix, *half)],
         empties(part, layout))  # fmt: skip


def test_plans_of_transforms_are_kept(machine, gpu):
    x = drawn("c64", 2, 8, 1)
    for _ in range(3):
        on_gpu(gpu, "fft_c64", [2, 8, 1, 0], [x], [x])
    fourier = machine.found["cufft"]
    assert fourier.calls.count("MakePlanMany64") == 1
    for size in range(1, 40):
        x = drawn("c64", 1, size, 1)
        on_gpu(gpu, "fft_c64", [1, size, 1, 0], [x], [x])
    assert len(fourier.plans) == 32
    assert len(fourier.destroyed) == 8


# ---- what is empty ----

NOTHING = {
    "cholesky": ([2, 0], [(2, 0, 0)], [(2, 0, 0)]),
    "triangular_solve": ([2, 3, 0, 0, 0, 0, 0], [(2, 3, 3), (2, 3, 0)], [(2, 3, 0)]),
    "qr": ([2, 3, 0, 1], [(2, 3, 0)], [(2, 3, 3), (2, 3, 0)]),
    "svdvals": ([2, 0, 3], [(2, 0, 3)], [(2, 0)]),
    "eigvalsh": ([2, 0], [(2, 0, 0)], [(2, 0)]),
    "svd": ([2, 0, 3, 1], [(2, 0, 3)], [(2, 0, 0), (2, 0), (2, 3, 3)]),
    "eigh": ([0, 3], [(0, 3, 3)], [(0, 3), (0, 3, 3)]),
    "pinv": ([2, 0, 3], [(2, 0, 3), (2,)], [(2, 3, 0)]),
}


@pytest.mark.parametrize("name", NOTHING)
def test_empty_matrices(gpu, name):
    numbers, ins, outs = NOTHING[name]
    same(gpu, f"{name}_f64", numbers, empties("f8", *ins), empties("f8", *outs))


def test_no_columns_have_an_order(gpu):
    outputs = [
        np.zeros((2, 3, 0)),
        np.zeros((2, 0), np.int64),
        np.zeros((2, 3), np.int64),
    ]
    same(gpu, "lu_f64", [2, 3, 0, 0], empties("f8", (2, 3, 0)), outputs)


def test_orders_and_exchanges():
    random = np.random.default_rng(0)
    orders = np.array([random.permutation(7) for _ in range(4)])
    pivots = factors_of_gpu.exchanges(orders)
    np.testing.assert_array_equal(factors_of_gpu.permutations(pivots, 7), orders)


# ---- what has no result ----

BAD = np.array([[[2.0, 1.0], [1.0, 3.0]], [[1.0, 2.0], [2.0, 4.0]]])
INDEFINITE = BAD - np.diag([0, 9.0])
NAN = np.where(np.arange(2)[:, None, None], np.nan, BAD)
# Of two rows LAPACK's routine finds NaN and calls it right.
NAN_OF_3 = np.where(np.arange(2)[:, None, None], np.nan, np.eye(3))
I8 = np.zeros((2, 2), np.int64)
NO_ORDER = np.array([[1, 0], [1, 1]])
FAILURES = {
    "lu": ([2, 2, 2, 1], [BAD], [BAD, I8, I8]),
    "solve": ([2, 2, 2, 0], [BAD, NO_ORDER, BAD], [BAD]),
    "cholesky": ([2, 2], [INDEFINITE], [BAD]),
    "eigh": ([2, 3], [NAN_OF_3], [NAN_OF_3[0, :2], NAN_OF_3]),
    "eigvalsh": ([2, 3], [NAN_OF_3], [NAN_OF_3[0, :2]]),
    "svd": ([2, 2, 2, 0], [NAN], [BAD, BAD[0], BAD]),
    "svdvals": ([2, 2, 2], [NAN], [BAD[0]]),
    "pinv": ([2, 2, 2], [NAN, np.full(2, 1e-9)], [BAD]),
}


@pytest.mark.parametrize("nan_fails", [False, True])
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("single", [False, True])
def test_failures_are_those_of_the_cpu(machine, gpu, name, nan_fails, single):
    machine.found["cusolver"].nan_fails = nan_fails
    numbers, inputs, outputs = FAILURES[name]
    if single:
        numbers = [1, *numbers[1:]]
        inputs, outputs = (
            [x[:1] if x.ndim == 1 else x[-1:] for x in group]
            for group in (inputs, outputs)
        )
    messages = []
    for run in (on_cpu, by_numpy, lambda *given: on_gpu(gpu, *given)):
        with pytest.raises(weft.LinAlgError) as caught:
            run(f"{name}_f64", numbers, inputs, outputs)
        messages.append(str(caught.value))
        del caught  # and what was computed on
    if name == "cholesky" and not single:
        assert "cholesky: matrix 0 of 2 is not" in messages[0]
    assert messages[0] == messages[1] == messages[2]
    assert messages[0].startswith("f.py:7: ")
    assert gpu.memory_use().used == 0


def test_a_matrix_without_a_pivot_has_factors(gpu):
    outputs = [BAD, I8, I8]
    same(gpu, "lu_f64", [2, 2, 2, 0], [BAD], outputs)


@pytest.mark.parametrize("nan_fails", [False, True])
def test_nan_has_a_factor(machine, gpu, nan_fails):
    machine.found["cusolver"].nan_fails = nan_fails
    good, bad = on_gpu(gpu, "cholesky_f64", [2, 2], [NAN], [BAD])[0]
    np.testing.assert_allclose(good, np.linalg.cholesky(BAD[0]))
    assert np.isnan(bad[np.tril_indices(2)]).all()


# ---- a machine without Weft as a whole ----

BARE = """
import sys
import numpy as np, weft
from fake_device import FakeDevice
sys.modules["weft.devices"].backend = lambda name: FakeDevice({}, name=name, code="ptx")
module, name, path = sys.argv[1:]
f = weft.load(path)
x = np.arange(12.0).reshape(4, 3) ** 2 % 7
want = getattr(getattr(np, module), name)(x)
for a, b in zip([f(x)] if name != "qr" else f(x), [want] if name != "qr" else want):
    np.testing.assert_allclose(a.numpy(), b, rtol=1e-12, atol=1e-12)
print(f.on_host)
"""


def test_saved_plans_call_numpy(tmp_path):
    """Where there is neither the extension nor anything else but NumPy."""
    bare = tmp_path / "bare"
    shutil.copytree(
        Path(weft.__file__).parent, bare / "weft",
        ignore=shutil.ignore_patterns("_weft*", "__pycache__"),
    )  # fmt: skip
    shutil.copy(Path(__file__).parents[1] / "fake_device.py", bare)
    for name in ("numpy", "numpy.libs"):
        (bare / name).symlink_to(Path(np.__file__).parents[1] / name)
    (bare / "script.py").write_text(BARE)
    spec = weft.ShapeDtypeStruct((4, 3), np.dtype("f8"))
    for module, name in (("linalg", "qr"), ("fft", "rfft")):
        function = getattr(getattr(weft, module), name)
        path = tmp_path / f"{name}.weft"
        weft.jit(lambda x, f=function: f(x)).lower(
            spec, device="sm_90a"
        ).compile().save(path)
        done = subprocess.run(
            [sys.executable, "-S", bare / "script.py", module, name, path],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{{'{name}_f64': ''}}\n"
        assert f"HostRoutineWarning: {name} runs on the host" in done.stderr


# ---- which libraries there are ----


def test_all_prototypes_are_those_of_the_stand_ins():
    for kind, prototypes in libraries.PROTOTYPES.items():
        for name, letters in prototypes.items():
            function = LIBRARIES[kind]._made(name)
            sizes = [ctypes.sizeof(each) for each in function.argtypes]
            own = [
                ctypes.sizeof(libraries._KINDS[x]) if x != "i" else 4 for x in letters
            ]
            assert sizes == own, name


def test_what_the_libraries_are_found_by(machine, gpu):
    on_gpu(gpu, "cholesky_f64", [1, 2], [BAD[:1]], [BAD[:1]])
    assert machine.sought[-1] == "libcusolver.so.11"
    assert set(machine.sought) == {
        "libcublasLt.so.12", "libcublas.so.12", "libnvJitLink.so.12",
        "libcusparse.so.12", "libcusolver.so.11",
    }  # fmt: skip
    count = len(machine.sought)
    on_gpu(gpu, "qr_f64", [1, 2, 2, 0], [BAD[:1]], [BAD[:1], BAD[:1]])
    assert len(machine.sought) == count


def warned(gpu, name="cholesky_f64"):
    """What is said when a routine runs on the host, where it gives what it should."""
    x = BAD[:1]
    run = Executable(plan_of(name, [1, 2], [x], [x]), gpu, "", ())
    with pytest.warns(HostRoutineWarning) as caught:
        (result,) = run([Memory.of(gpu, x)])
    np.testing.assert_allclose(result.numpy(), np.linalg.cholesky(x))
    return str(caught[0].message)


def test_libraries_that_are_not_there(machine, gpu):
    machine.found.clear()
    assert warned(gpu) == (
        "cholesky runs on the host: its operands are copied from cuda:0 and its "
        "results back: libcublas.so.12 is not found (pip install nvidia-cusolver-cu12)"
    )


def test_a_library_that_lacks_a_function(machine, gpu):
    machine.found["cusolver"].missing = ("cusolverDnZpotrfBatched",)
    assert "libcusolver.so.11 is too old: it has no cusolverDnZpotrfB" in warned(gpu)


def test_a_driver_that_is_too_old(machine, gpu):
    machine.driver.version = 11_080
    assert "driver is of CUDA 11.8, and libcublas needs one of 12.0" in warned(gpu)


def test_the_newest_release_comes_first(machine, gpu):
    machine.driver.version = 13_010
    assert solver.Libraries(gpu).find("fft_c64")
    assert machine.sought == ["libcufft.so.12"]


def test_a_library_that_does_not_begin(machine, gpu):
    machine.found["cusolver"].fails["Create"] = 1
    assert "cusolverDnCreate of libcusolver.so.11 failed (status 1, NOT_INIT" in (
        warned(gpu)
    )


def test_what_no_library_has(gpu):
    found = solver.Libraries(gpu)
    assert found.find("eig_f64") == "cuSOLVER has none for it"
    assert found.find("sort_f32") == found.find("sort_i32") == ""


def test_a_call_that_fails_says_which(machine, gpu):
    machine.found["cusolver"].fails["Dpotrf"] = 6
    with pytest.raises(
        weft.DeviceError, match=r"Dpotrf of libcusolver.*EXECUTION_FAIL"
    ):
        on_gpu(gpu, "cholesky_f64", [1, 2], [BAD[:1]], [BAD[:1]])
    assert gpu.memory_use().used == 0


def test_sizes_that_do_not_fit_are_not_passed_on(machine, gpu):
    library = libraries.find("cublas", 12_080)
    with pytest.raises(weft.DeviceError, match=r"2,147,483,648 is no size that fits"):
        library("cublasStrttp", 0, 0, 2**31, 0, 1, 0)


def test_where_libraries_are_sought(monkeypatch, tmp_path):
    monkeypatch.setattr(libraries, "_packages", lambda: (str(tmp_path),))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    opened = []

    def load(path):
        opened.append(path)
        raise OSError("cannot be opened")

    monkeypatch.setattr(libraries.ctypes, "CDLL", load)
    new, old = libraries.RELEASES
    files = [tmp_path / "cu13/lib/libcusolver.so.12",
             tmp_path / "cusolver/lib/libcusolver.so.11",
             tmp_path / "cuda/lib64/libcusolver.so.11"]  # fmt: skip
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert libraries._load(new, "cusolver") == (None, "cannot be opened")
    assert libraries._load(old, "cusolver") == (None, "cannot be opened")
    assert opened == ["libcusolver.so.12", str(files[0]), "libcusolver.so.11",
                      str(files[1]), str(files[2])]  # fmt: skip
    with pytest.raises(
        weft.DeviceError, match=r"cannot be opened; .*-cu12\)|cannot be"
    ):
        libraries.find("cusolver", 12_000)
