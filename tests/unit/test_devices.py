"""Arrays on devices: moving, where functions run, saved functions, and what goes wrong.

The device is one of the host's memory; programs for it are interpreted, so that all of
this is tested without a compiler for GPUs, or a GPU.
"""

import gc
import importlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import weft
from fake_device import FakeDevice, view
from weft import run_device
from weft.array import Array
from weft.cuda.exchange import imported
from weft.cuda.memory import Memory
from weft.cuda.plan import Plan
from weft.cuda.saved import Saved, Variant, read, runs_on
from weft.program import Program

# The function of this name hides the module.
devices = importlib.import_module("weft.devices")

SIM = "cuda-sim:0"
X = np.array([1.0, 2.0, 3.0], np.float32)


class Interpreted:
    """A program on a device, by its meaning."""

    def __init__(self, program, device):
        self.program, self.device = program, devices.backend(device)
        self.reuses = [-1] * len(program.outputs)
        compiled.append(program.entry)

    def __call__(self, leaves):
        assert self.program.target.chip == "sm_90a"
        return [
            Array(Memory.of(self.device, x.data))
            for x in self.program.interpret_leaves(leaves)
        ]


compiled = []


@pytest.fixture(autouse=True)
def sim(monkeypatch):
    """The device `cuda-sim:0`."""
    device = FakeDevice({}, name=SIM)
    monkeypatch.setattr(devices, "_simulator", lambda: device)
    monkeypatch.setattr(run_device, "device_function", Interpreted)
    monkeypatch.setattr(run_device, "_OPS", run_device._Kept())
    backend = devices.backend
    backend.cache_clear()
    compiled.clear()
    yield device
    backend.cache_clear()


def on_sim(x):
    return weft.asarray(x).to("cuda-sim")


# ---- moving ----


def test_the_devices():
    found = weft.devices()
    assert found[0] == "cpu"
    assert found[-1] == SIM
    assert found[0].kind == "cpu"
    assert found[-1].number == 0
    assert found[-1].chip == "sm_90a"


def test_to_a_device_and_back(sim):
    x = weft.asarray(X)
    y = x.to("cuda-sim")
    assert (x.device, y.device) == ("cpu", SIM)
    assert y.to(SIM) is y
    assert x.to("cpu") is x
    assert x.cpu() is x
    assert (y.shape, y.dtype) == ((3,), np.float32)
    np.testing.assert_array_equal(np.asarray(y), X)
    np.testing.assert_array_equal(y.cpu(), X)
    assert y.cpu().device == "cpu"
    copied = weft.asarray(y, copy=True)
    assert copied._data.pointer != y._data.pointer
    assert copied.tolist() == X.tolist()
    assert y.tolist() == X.tolist()
    assert on_sim(7).item() == 7
    assert float(on_sim(2.5)) == 2.5
    assert repr(y) == "Array([1., 2., 3.], dtype=float32, device='cuda-sim:0')"
    assert str(y) == "[1. 2. 3.]"


def test_memory_is_freed_with_the_array(sim):
    x = on_sim(X)
    assert len(sim.blocks) == 1
    view = x
    del x
    assert len(sim.blocks) == 1
    del view
    assert not sim.blocks


def test_elements_of_a_device_are_no_view():
    x = on_sim(X)
    data = x.data
    assert not data.flags.writeable
    with pytest.raises(ValueError, match="are on cuda-sim:0"):
        np.array(x._data, copy=False)


def test_any_dtype_and_shape():
    for array in (
        np.zeros((0, 3), np.int8),
        np.array(True),
        np.ones((2, 1, 3), weft.bfloat16),
        np.arange(4)[::-1] * 1j,
    ):
        moved = on_sim(array)
        assert moved.shape == array.shape
        assert moved.dtype == array.dtype
        np.testing.assert_array_equal(np.asarray(moved), array)


@pytest.mark.parametrize(
    "make",
    [
        lambda d: weft.zeros((2, 3), device=d),
        lambda d: weft.ones(3, device=d),
        lambda d: weft.empty(3, device=d),
        lambda d: weft.full((2,), 7, device=d),
        lambda d: weft.arange(5, device=d),
        lambda d: weft.arange(1, 9, 2, device=d),
        lambda d: weft.linspace(0.0, 1.0, 5, device=d),
        lambda d: weft.eye(3, device=d),
        lambda d: weft.asarray([1.0, 2.0], device=d),
        lambda d: weft.asarray(X, copy=True, device=d),
        lambda d: weft.zeros_like(X, device=d),
        lambda d: weft.ones_like(X, device=d),
        lambda d: weft.full_like(X, 3, device=d),
        lambda d: weft.fft.fftfreq(4, device=d),
        lambda d: weft.fft.rfftfreq(4, device=d),
    ],
)
def test_creation_on_a_device(make):
    made, expected = make("cuda-sim"), make(None)
    assert (made.device, expected.device) == (SIM, "cpu")
    np.testing.assert_array_equal(np.asarray(made), expected)


def test_like_an_array_is_where_that_is():
    assert weft.zeros_like(on_sim(X)).device == SIM


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:0:1", 3, "cuda-sim:1"])
def test_names_of_no_device(name):
    with pytest.raises(weft.ArgumentError, match=r"test_devices\.py.*does not exist"):
        weft.ones(3).to(name)


def test_copies_go_to_the_host():
    import copy
    import pickle

    x = on_sim(X)
    assert copy.copy(x).device == x.device
    assert copy.deepcopy([x])[0].tolist() == x.tolist()
    assert pickle.loads(pickle.dumps(x)).device == "cpu"


@pytest.mark.parametrize("version", [None, (1, 0)])
@pytest.mark.parametrize("dtype", [np.bool_, np.int16, weft.bfloat16, np.complex64])
def test_memory_is_shared_through_dlpack(version, dtype):
    class Other:
        def __init__(self, memory):
            self.memory = memory

        def __dlpack__(self, **options):
            return self.memory.__dlpack__(**options | {"max_version": version})

        def __dlpack_device__(self):
            return self.memory.__dlpack_device__()

    gpu = FakeDevice({}, name="cuda:0")
    gpu.ordered = []
    gpu.stream = 77
    gpu.let_wait = gpu.ordered.append
    gpu.wait_for = lambda stream: gpu.ordered.append(-stream)
    memory = Memory.of(gpu, np.ones((2, 3), dtype))
    taken = imported(Other(memory), gpu)
    assert (taken.pointer, taken.shape, taken.dtype) == (
        memory.pointer, (2, 3), np.dtype(dtype))  # fmt: skip
    del memory
    gc.collect()
    assert len(gpu.blocks) == 1
    np.testing.assert_array_equal(taken.numpy(), np.ones((2, 3)))
    del taken
    assert not gpu.blocks
    assert gpu.ordered == [77, -77]


def test_a_capsule_that_nobody_takes_frees_its_memory():
    gpu = FakeDevice({}, name="cuda:0")
    capsule = Array(Memory.of(gpu, X)).__dlpack__(stream=-1)
    assert len(gpu.blocks) == 1
    del capsule
    assert not gpu.blocks
    assert Array(Memory.of(gpu, X)).__dlpack_device__() == (2, 0)


def test_the_emulator_is_no_device_of_other_libraries():
    with pytest.raises(BufferError, match="no device that other libraries know"):
        on_sim(X).__dlpack_device__()
    np.testing.assert_array_equal(np.from_dlpack(weft.asarray(X)), on_sim(X).cpu().data)


# ---- functions ----


def test_a_function_runs_where_its_arguments_are():
    f = weft.jit(lambda x, y: {"sum": x + y, "twice": (2 * x, None)})
    result = f(on_sim(X), on_sim(X))
    assert result["sum"].device == SIM
    assert result["twice"][0].device == SIM
    np.testing.assert_array_equal(np.asarray(result["sum"]), 2 * X)
    assert f(weft.asarray(X), weft.asarray(X))["sum"].device == "cpu"


def test_the_device_is_in_the_cache_and_in_the_reasons():
    f = weft.jit(lambda x: x + 1)
    f(X)
    for _ in range(3):
        f(on_sim(X))
    f(X)
    info = f.cache_info()
    assert (info.hits, info.misses) == (3, 2)
    assert info.reasons[1] == "the device: cpu -> cuda-sim:0"


def test_numbers_and_numpy_arrays_go_along(sim):
    f = weft.jit(lambda x, y, z: x * y + z)
    result = f(on_sim(X), X, 2.0)
    assert result.device == SIM
    np.testing.assert_array_equal(np.asarray(result), X * X + 2)


def test_what_goes_along_with_ops_and_transformations(sim):
    x = on_sim(X)
    for result in (
        weft.jvp(weft.sin, (x,), (np.ones_like(X),))[1],
        weft.linearize(weft.sin, x)[1](np.ones_like(X)),
        weft.linearize(lambda x: 3.0 * x, x)[1](np.cos(X) / 3),
    ):
        assert result.device == SIM
        np.testing.assert_allclose(np.asarray(result), np.cos(X), rtol=1e-6)
    for result in (weft.gcd(on_sim(np.array([4, 9])), 6), weft.lcm(on_sim([1, 3]), 2)):
        assert result.device == SIM
    same = weft.gcd(on_sim(np.array([4, 9])), np.array([6, 6]))
    np.testing.assert_array_equal(np.asarray(same), [2, 3])


def test_arguments_on_two_devices_are_named():
    f = weft.jit(lambda x, more: x + more["b"])
    with pytest.raises(
        weft.DeviceError,
        match=r"test_devices\.py.*`x` on cuda-sim:0 and `more\['b'\]` on cpu; move",
    ):
        f(on_sim(X), {"b": weft.asarray(X)})


def test_static_and_keyword_arguments_and_methods():
    f = weft.jit(lambda x, n: x * n, static_argnums=1)
    assert f(on_sim(X), 3).device == SIM
    assert f(x=on_sim(X), n=3).device == SIM


def test_jit_within_jit_runs_there_too():
    g = weft.jit(lambda x: weft.sin(x))
    assert weft.jit(lambda x: g(x) + g(2 * x))(on_sim(X)).device == SIM


def test_captured_arrays_go_along():
    w = on_sim(np.arange(100.0))
    result = weft.jit(lambda x: (w * x).sum())(on_sim(2.0))
    assert result.device == SIM
    assert result.item() == 9900


def test_within_a_trace_arrays_say_where_the_program_runs():
    seen = []

    def f(x):
        seen.append(str(x.device))
        return x + weft.ones(3, device=x.device) + weft.asarray(X, device=x.device)

    weft.jit(f)(on_sim(X))
    weft.jit(f)(X)
    assert seen == [SIM, "cpu"]
    with pytest.raises(weft.TracerError, match="the whole of '<lambda>' runs on cpu"):
        weft.jit(lambda x: f(x).to("cuda-sim"))(X)


def test_lowering_for_a_device():
    f = weft.jit(lambda x: x + 1)
    spec = weft.ShapeDtypeStruct((3,), weft.float32)
    assert f.lower(spec).device == "cpu"
    lowered = f.lower(spec, device="cuda-sim")
    assert lowered.device == SIM
    assert 'weft.gpu = {chip = "sm_90a", multiprocessors = 132 : i64}' in (
        lowered.text("weft")
    )
    assert f.lower(on_sim(X)).device == SIM
    run = lowered.compile()
    assert run(on_sim(X)).device == SIM
    assert run(X).device == SIM
    with pytest.raises(weft.DeviceError, match="`x` is on cpu, but the program was"):
        run(weft.asarray(X))
    with pytest.raises(weft.ArgumentError, match="does not exist"):
        f.lower(spec, device="tpu")


def test_a_parameter_called_device_is_the_functions_own():
    f = weft.jit(lambda x, device: x + device)
    assert f.lower(X, device=2.0).device == "cpu"


# ---- outside jit ----


def test_ops_run_where_their_operands_are():
    x = on_sim(X)
    for value, expected in [
        (x + 1, X + 1),
        (2 - x, 2 - X),
        (weft.sin(x), np.sin(X)),
        (x @ x, X @ X),
        (x.sum(), X.sum()),
        (x[1:], X[1:]),
        (x > 1.5, X > 1.5),
        (weft.where(x > 1.5, x, 0.0), np.where(X > 1.5, X, 0)),
        (weft.broadcast_to(x, (2, 3)), np.broadcast_to(X, (2, 3))),
        (weft.broadcast_to(on_sim(2.0), (3,)), np.full(3, 2.0)),
        (weft.full((2,), on_sim(3.0)), np.full(2, 3.0)),
    ]:
        assert value.device == SIM
        np.testing.assert_allclose(np.asarray(value), expected, rtol=1e-6)


def test_ops_are_compiled_once():
    x = on_sim(X)
    for _ in range(3):
        x = x + 1
    assert compiled == ["add"]


def test_random_numbers_are_made_where_the_key_is():
    key = weft.random.key(3)
    made = weft.random.uniform(weft.random.key(3, device="cuda-sim"), (4,))
    assert made.device == SIM
    np.testing.assert_array_equal(np.asarray(made), weft.random.uniform(key, (4,)))


def test_derivatives_and_loops_run_there_too():
    x = on_sim(X)
    gradient = weft.grad(lambda x: (x * x).sum())(x)
    value, pullback = weft.vjp(lambda x: x * x, x)
    (pulled,) = pullback(weft.ones_like(value))
    mapped = weft.vmap(lambda x: x * x)(x)
    looped = weft.fori_loop(0, 3, lambda i, x: x + i, x)
    primal, tangent = weft.jvp(weft.sin, (x,), (x,))
    for result in (gradient, value, pulled, mapped, looped, primal, tangent):
        assert result.device == SIM
    np.testing.assert_array_equal(np.asarray(gradient), 2 * X)
    np.testing.assert_array_equal(np.asarray(pulled), 2 * X)
    np.testing.assert_array_equal(np.asarray(looped), X + 3)


def test_of_a_function_under_jit(sim):
    f = weft.jit(lambda x: (x * x).sum())
    value, pullback = weft.vjp(f, on_sim(X))
    assert pullback(weft.ones_like(value))[0].device == SIM
    assert weft.jit(weft.grad(f))(on_sim(X)).device == SIM


def test_values_at_hand_are_read_from_the_device():
    def f(x):
        return x * 2 if x[0] > 0 else x

    np.testing.assert_array_equal(
        np.asarray(weft.grad(lambda x: f(x).sum())(on_sim(X))), [2, 2, 2]
    )


# ---- plans ----


def pointer(name):
    return {"buffer": name}


def doubling(chip="sm_90a", constants=0):
    """The plan of 2 * x, or of 2 * x plus a constant."""
    array = {"shape": [3], "dtype": "float32"}
    names = [f"arg{i}" for i in range(2 + constants)]
    return Plan.from_json(
        json.dumps(
            {
                "name": "f",
                "chip": chip,
                "arena": 0,
                "arguments": [array] * len(names),
                "inputs": 1,
                "constants": constants,
                "results": 1,
                "kernels": {
                    "k": {
                        "grid": [1, 1, 1],
                        "block": [32, 1, 1],
                        "parameters": [{"kind": "pointer"}] * len(names),
                    }
                },
                "steps": [
                    {"do": "launch", "kernel": "k", "args": list(map(pointer, names))}
                ],
            }
        )
    )


def double(x, *rest):
    *constant, y = rest
    view(y, 3)[...] = 2 * view(x, 3) + sum(view(c, 3) for c in constant)


def test_a_plan_through_jit(sim, monkeypatch):
    monkeypatch.setattr(run_device, "device_function", device_function)
    monkeypatch.setattr(
        Program, "device_code", lambda self, stage: (doubling(), f"the {stage}")
    )
    sim.kernels["k"] = double
    f = weft.jit(lambda x: 2 * x)
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(f(on_sim(X))), 2 * X)
    assert sim.loaded == ["the nvvm"]
    assert not sim.blocks


device_function = run_device.device_function


@pytest.fixture
def donated(sim, monkeypatch):
    """A function whose result is left in its donated argument."""
    data = json.loads(doubling().json)
    data |= {"arguments": data["arguments"][:1], "reuses": [0]}
    data["kernels"]["k"]["parameters"].pop()
    data["steps"][0]["args"].pop()
    plan = Plan.from_json(json.dumps(data))
    monkeypatch.setattr(run_device, "device_function", device_function)
    monkeypatch.setattr(Program, "device_code", lambda self, stage: (plan, ""))

    def double_in_place(x):
        view(x, 3)[...] *= 2

    sim.kernels["k"] = double_in_place
    return weft.jit(lambda x: 2 * x, donate_argnums=0)


def test_a_donated_array_lends_its_memory(sim, donated):
    x = on_sim(X)
    pointer = x._data.pointer
    y = donated(x)
    assert y._data.pointer == pointer
    assert x.is_deleted()
    with pytest.raises(weft.DonatedArrayError, match="was donated"):
        x + 1
    np.testing.assert_array_equal(np.asarray(y), 2 * X)
    assert len(sim.blocks) == 1


def test_memory_that_others_see_is_copied_first(donated):
    x = on_sim(X)
    other = Array(x._data)
    y = donated(x)
    np.testing.assert_array_equal(np.asarray(y), 2 * X)
    np.testing.assert_array_equal(np.asarray(other), X)
    assert x.is_deleted()


def test_numbers_that_are_donated_stay_as_they_are(donated):
    donated(on_sim(X))
    with pytest.raises(weft.StructureError):
        donated.lower(X, device="cuda-sim").compile()(X.astype(np.float64))
    run = donated.lower(X, device="cuda-sim").compile()
    given = X.copy()
    np.testing.assert_array_equal(np.asarray(run(given)), 2 * X)
    np.testing.assert_array_equal(given, X)


@pytest.fixture
def compiler(monkeypatch):
    """Programs that all become the plan of 2 * x."""
    monkeypatch.setattr(
        Program,
        "device_code",
        lambda p, stage: (doubling(p.target.chip, len(p.captures)), f"the {stage}"),
    )


@pytest.mark.usefixtures("compiler")
def test_saved_and_loaded(sim, tmp_path):
    sim.kernels["k"] = double
    path = tmp_path / "f.weft"
    f = weft.jit(lambda tree: {"y": (2 * tree["x"], None)})
    f.lower({"x": X}, device="cuda-sim").compile().save(path)
    g = weft.load(path, "cuda-sim")
    assert g.device == SIM
    for x in (X, on_sim(X), Memory.of(sim, X)):
        result = g({"x": x})
        assert result["y"][1] is None
        assert type(result["y"][0]) is Array
        np.testing.assert_array_equal(np.asarray(result["y"][0]), 2 * X)
    with pytest.raises(weft.StructureError, match=r"`tree\['x'\]` is float64\[2\]"):
        g({"x": np.zeros(2)})
    with pytest.raises(weft.StructureError, match=r"`args\[0\]` is a dict where a"):
        g({"z": X})
    for args, count in (((), 0), ((X, X), 2)):
        with pytest.raises(
            weft.StructureError, match=f"saved for 1 arguments and none .* got {count}"
        ):
            g(*args)
    with pytest.raises(weft.StructureError, match="got 0 and tree"):
        g(tree={"x": X})


@pytest.mark.usefixtures("compiler")
def test_constants_are_saved(sim, tmp_path):
    sim.kernels["k"] = double
    path = tmp_path / "f.weft"
    constant = np.arange(3, dtype=np.float32) * np.ones((64, 1), np.float32)
    lowered = weft.jit(lambda x: x + weft.asarray(constant)[0]).lower(
        X, device="sm_90a"
    )
    (captured,) = lowered.captures
    saved = Saved(
        "f", {"tuple": [{"tuple": [0]}, {"dict": {}}]}, 0, ("x",),
        (np.asarray(X, weft.bfloat16),), {}
    )  # fmt: skip
    saved.write(path)
    (constant,) = read(path).constants
    assert constant.dtype == weft.bfloat16
    np.testing.assert_array_equal(constant, np.asarray(X, weft.bfloat16))
    assert captured.shape == (64, 3)


@pytest.mark.usefixtures("compiler")
def test_lowered_for_a_chip_it_can_only_be_saved(tmp_path):
    compiled = weft.jit(lambda x: 2 * x).lower(X, device="sm_80").compile()
    path = tmp_path / "f.weft"
    compiled.save(path, chips=["sm_80", "sm_90a"])
    assert list(read(path).variants) == ["sm_80", "sm_90a"]
    assert compiled.device == "sm_80"
    for chips in ("sm_80", ["cpu"], ["cuda-sim"], ["foo"], [3]):
        with pytest.raises(weft.ArgumentError, match=r"chips is .* a list of archi"):
            compiled.save(path, chips=chips)
    with pytest.raises(weft.DeviceError, match="for the chip sm_80"):
        compiled(X)


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(weft.PlanError, match="code for the CPU is not saved"):
        weft.jit(lambda x: x).lower(X).compile().save(tmp_path / "f.weft")


@pytest.mark.usefixtures("compiler")
def test_trees_that_cannot_be_saved(tmp_path):
    lowered = weft.jit(lambda x: {1: x}).lower(X, device="sm_90a")
    with pytest.raises(weft.PlanError, match="with a dict among its arguments"):
        lowered.compile().save(tmp_path / "f.weft")


def test_files_that_are_none(tmp_path):
    path = tmp_path / "f.weft"
    path.write_text("none")
    with pytest.raises(weft.PlanError, match="is no function that Compiled"):
        weft.load(path, "cuda-sim")
    with pytest.raises(FileNotFoundError):
        weft.load(tmp_path / "g.weft", "cuda-sim")


DESCRIPTIONS = [
    ("arguments", 3),
    ("arguments", {"tuple": [{"tuple": [0]}]}),
    ("arguments", {"tuple": [{"tuple": [1]}, {"dict": {}}]}),
    ("arguments", {"tuple": [{"dict": {}}, {"tuple": [0]}]}),
    ("results", {"namedtuple": [0]}),
    ("results", 1),
    ("results", {"tuple": "00"}),
    ("names", 2),
    ("constants", [{"shape": [2], "dtype": "float32"}]),
    ("variants", ["sm_80"]),
]


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(("key", "value"), DESCRIPTIONS, ids=str)
def test_damaged_descriptions(key, value, tmp_path):
    path = tmp_path / "f.weft"
    weft.jit(lambda x: 2 * x).lower(X, device="sm_90a").compile().save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    description = json.loads(files["weft.json"])
    assert value != description[key]
    files["weft.json"] = json.dumps({**description, key: value}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(weft.PlanError):
        weft.load(path, "cuda-sim")


@pytest.mark.parametrize(
    ("chip", "device", "runs"),
    [
        ("sm_80", "sm_80", True),
        ("sm_80", "sm_90a", True),
        ("sm_90", "sm_80", False),
        ("sm_90a", "sm_90a", True),
        ("sm_90a", "sm_100", False),
        ("sm_100f", "sm_103", True),
        ("sm_100f", "sm_120", False),
    ],
)
def test_which_architectures_run_what(chip, device, runs):
    assert runs_on(chip, device) == runs


def test_a_plan_for_another_card(tmp_path, monkeypatch):
    path = tmp_path / "f.weft"
    form = {"tuple": [{"tuple": [0]}, {"dict": {}}]}
    variants = {
        chip: Variant(doubling(chip), {"ptx": "", "nvvm": ""})
        for chip in ("sm_90a", "sm_100")
    }
    Saved("f", form, 0, ("x",), (), variants).write(path)
    assert weft.load(path, "cuda-sim").plan.chip == "sm_100"
    other = FakeDevice({"k": double}, name="cuda:0", code="ptx")
    monkeypatch.setattr(devices, "backend", lambda name: other)
    assert weft.load(path).plan.chip == "sm_90a"
    other.chip = "sm_86"
    with pytest.raises(weft.DeviceError, match=r"for sm_90a, sm_100, which cuda:0"):
        weft.load(path)


BARE = """
import sys
import weft, numpy as np
from fake_device import FakeDevice, view
module = sys.modules["weft.devices"]
def double(x, y):
    view(y, 3)[...] = 2 * view(x, 3)
module._simulator = lambda: FakeDevice({"k": double}, name="cuda-sim:0")
f = weft.load(sys.argv[1], "cuda-sim")
y = f({"x": np.ones(3, np.float32)})["y"][0]
print(type(y).__name__, y.numpy().tolist(), weft.devices()[0])
try:
    weft.jit
except AttributeError as error:
    print(error)
"""


@pytest.mark.usefixtures("compiler")
def test_a_machine_without_the_compiler(tmp_path):
    """As it is there: none of the extension, MLIR and the other dependencies."""
    import shutil
    from pathlib import Path

    path, bare = tmp_path / "f.weft", tmp_path / "bare"
    f = weft.jit(lambda tree: {"y": (2 * tree["x"], None)})
    f.lower({"x": X}, device="sm_90a").compile().save(path)
    shutil.copytree(
        Path(weft.__file__).parent, bare / "weft",
        ignore=shutil.ignore_patterns("_weft*", "__pycache__"),
    )  # fmt: skip
    shutil.copy(Path(__file__).parents[1] / "fake_device.py", bare)
    packages = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        (bare / name).symlink_to(packages / name)
    script = bare / "script.py"
    script.write_text(BARE)
    output = subprocess.run(
        [sys.executable, "-S", script, path], capture_output=True, text=True
    )
    assert output.returncode == 0, output.stderr
    lines = output.stdout.splitlines()
    assert lines[0] == "Memory [2.0, 2.0, 2.0] cpu"
    assert "weft.jit needs Weft's compiler" in lines[1]


# ---- what is not there ----


def test_without_a_driver():
    try:
        from weft.cuda import driver

        driver.count()
    except weft.DeviceError as error:
        reason = str(error)
    else:
        pytest.skip("there is a GPU here")
    assert "there is no NVIDIA driver" in reason or "finds no device" in reason
    for use in (lambda: weft.ones(3).cuda(), lambda: weft.ones(3).to("cuda:1"),
                lambda: weft.zeros(3, device="cuda")):  # fmt: skip
        with pytest.raises(weft.DeviceError, match=r"test_devices\.py"):
            use()


def test_importing_weft_asks_for_no_driver():
    script = "import sys, weft; print([m for m in sys.modules if m.startswith('cuda')])"
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_an_array_that_does_not_fit(sim):
    with pytest.raises(weft.OutOfMemoryError, match="bytes cannot be had on cuda-sim"):
        weft.zeros(1 << 24, device="cuda-sim")
    assert not sim.blocks
