"""GPUs through the driver: on a driver of the host's memory, and on a real one."""

import gc
import json

import numpy as np
import pytest

import weft
from weft.cuda import bindings, driver
from weft.cuda.device import TensorMap
from weft.cuda.memory import Memory
from weft.cuda.plan import Plan
from weft.cuda.run import Executable
from weft.errors import DeviceError, OutOfMemoryError

pytest.importorskip("cuda.bindings.driver")

from fake_device import view
from fake_driver import STATUS, FakeDriver

N = 64
X = np.arange(N, dtype=np.float32)


def number(content):
    return int.from_bytes(content, "little", signed=True)


def double(x, y):
    view(number(y), N)[...] = 2 * view(number(x), N)


def shift(x, y, by, scale):
    scaled = view(number(x), N) * np.frombuffer(scale, np.float32)[0]
    view(number(y), N)[...] = scaled + number(by)


def mapped(described, y):
    assert len(described) == 128
    view(number(y), N)[...] = 3 * view(number(described[:8]), N)


KERNELS = {
    "double": ((8, 8), double),
    "shift": ((8, 8, 4, 4), shift),
    "mapped": ((128, 8), mapped),
}


@pytest.fixture
def fake(monkeypatch):
    """The driver, which finds one GPU."""
    made = FakeDriver(KERNELS)
    for module in (bindings, driver):
        monkeypatch.setattr(module, "bindings", lambda: made)
    driver.cuda_device.cache_clear()
    yield made
    driver.cuda_device.cache_clear()


@pytest.fixture
def gpu(fake):
    return driver.cuda_device(0)


HOW = {"dims": [N], "strides": [], "box": [32], "swizzle": 128, "type": "f32"}


def plan_of(*steps, arena=0):
    def kernel(*kinds, shared=0):
        parameters = [k if isinstance(k, dict) else {"kind": k} for k in kinds]
        return {"grid": [2, 1, 1], "block": [32, 1, 1], "shared": shared,
                "line": "f.py:3", "parameters": parameters}  # fmt: skip

    array = {"shape": [N], "dtype": "float32"}
    data = {
        "name": "f", "chip": "sm_90a", "arena": arena,
        "arguments": [array, array], "inputs": 1, "constants": 0, "results": 1,
        "kernels": {
            "double": kernel("pointer", "pointer", shared=100_000),
            "shift": kernel("pointer", "pointer", "i32", "f32"),
            "mapped": kernel({"kind": "tensor_map"} | HOW, "pointer"),
        },
        "steps": list(steps),
    }  # fmt: skip
    return Plan.from_json(json.dumps(data))


def at(name, offset=0, *terms):
    return {"buffer": name, "offset": offset, "terms": [list(t) for t in terms]}


def launch(kernel, *args):
    return {"do": "launch", "kernel": kernel, "args": list(args)}


def chain(length):
    """Doubled so often, there and back between the two halves of the arena."""
    places = [at("arg0"), *(at("arena", 256 * (i % 2)) for i in range(length - 1))]
    ends = [*places[1:], at("arg1")]
    return plan_of(*map(launch, ["double"] * length, places, ends), arena=512)


def test_what_a_device_is(gpu):
    assert (gpu.name, gpu.label, gpu.chip) == ("cuda:0", "NVIDIA Fake", "sm_90a")
    assert gpu.multiprocessors == 132
    assert driver.count() == 1
    with pytest.raises(DeviceError, match="no device cuda:1; the driver finds 1"):
        driver.cuda_device(1)


@pytest.mark.parametrize(
    ("capability", "chip"),
    [((8, 0), "sm_80"), ((8, 9), "sm_89"), ((9, 0), "sm_90a"), ((10, 0), "sm_100")],
)
def test_chips(capability, chip):
    assert driver.chip_of(capability) == chip


def test_memory_is_kept_for_the_next_of_its_size(fake, gpu):
    x = Memory.of(gpu, X)
    pointer = x.pointer
    del x
    assert len(fake.blocks) == 1
    y = Memory.of(gpu, X + 1)
    assert y.pointer == pointer
    np.testing.assert_array_equal(y.numpy(), X + 1)
    use = gpu.memory_use()
    assert (use.used, use.peak, use.kept) == (256, 256, 0)
    del y
    assert gpu.empty_cache() == 256
    assert not fake.blocks


def test_memory_that_is_short(fake, gpu):
    fake.total = 3 * 1024
    kept = [gpu.allocate(1024) for _ in range(2)]
    for pointer in kept:
        gpu.free(pointer)
    large = gpu.allocate(2048)  # what is kept is given back for it
    with pytest.raises(
        OutOfMemoryError,
        match="2,048 bytes cannot be had on cuda:0: 2,048 are in use, 1,024 of 3,072",
    ):
        gpu.allocate(2048)
    gpu.free(large)
    gpu.free(gpu.allocate(2048))


def test_single_launches(fake, gpu):
    module = gpu.load("the text")
    x, y = Memory.of(gpu, X), Memory.of(gpu, X)
    shape = (2, 1, 1), (32, 1, 1), 0
    args = [x.pointer, y.pointer, -3, ("f32", 0.5)]
    gpu.launch(module, "shift", *shape, args)
    np.testing.assert_array_equal(y.numpy(), X * 0.5 - 3)
    how = TensorMap((N,), (), (32,), 128, "f32")
    gpu.launch(module, "mapped", *shape, [(x.pointer, how), y.pointer])
    np.testing.assert_array_equal(y.numpy(), 3 * X)


@pytest.mark.parametrize("length", [1, 2, 3, 9])
def test_straight_plans(gpu, length):
    run = Executable(chain(length), gpu, "the text", ())
    for k in range(6):
        (y,) = run([Memory.of(gpu, X + k)])
        np.testing.assert_array_equal(y.numpy(), 2.0**length * (X + k))


def test_addresses_that_come_again_are_replayed(fake, gpu):
    run = Executable(chain(5), gpu, "the text", ())
    x = Memory.of(gpu, X)
    for _ in range(5):
        run([x])
    assert fake.calls.count("cuLaunchKernel") == 5 + 5  # once, and once captured
    assert fake.calls.count("cuGraphLaunch") == 4
    assert len(fake.graphs) == 1
    gpu.write(x.pointer, 10 * X)
    np.testing.assert_array_equal(run([x])[0].numpy(), 320 * X)
    del run
    gc.collect()
    assert not fake.graphs


def test_addresses_that_never_do_are_not(fake, gpu):
    run = Executable(chain(5), gpu, "the text", ())
    results = [run([Memory.of(gpu, X)]) for _ in range(5)]
    kept = [run(result) for result in results for _ in range(2)]
    assert len(fake.graphs) <= 8
    for (y,) in kept:
        np.testing.assert_array_equal(y.numpy(), 1024 * X)


def test_only_so_many_graphs_are_kept(fake, gpu):
    run = Executable(chain(3), gpu, "the text", ())
    inputs = [Memory.of(gpu, X + k) for k in range(20)]
    for x in inputs:
        for _ in range(3):
            run([x])
    assert len(fake.graphs) == 8


def test_scalars_maps_and_shared_memory(fake, gpu):
    plan = plan_of(
        launch("mapped", at("arg0"), at("arena")),
        launch("shift", at("arena"), at("arena", 256), -1, 0.5),
        launch("double", at("arena", 256), at("arg1")),
        arena=512,
    )
    run = Executable(plan, gpu, "the text", ())
    for k in range(4):
        x = Memory.of(gpu, X + k)
        for _ in range(3):
            (y,) = run([x])
            np.testing.assert_array_equal(y.numpy(), 3 * (X + k) - 2)
    assert fake.attributes == {"double": 100_000}
    # Each address is encoded once.
    assert fake.calls.count("cuTensorMapEncodeTiled") <= 4


def test_loops_have_their_index_as_an_argument(gpu):
    for trips in (4, 700):
        plan = plan_of(
            {"do": "copy", "to": at("arg1"), "from": at("arg0"), "bytes": 4 * N},
            {"do": "for", "index": "r1", "from": 0, "to": trips, "step": 1,
             "steps": [launch("shift", at("arg1"), at("arg1"), "r1", 1.0)]},
        )  # fmt: skip
        run = Executable(plan, gpu, "the text", ())
        (y,) = run([Memory.of(gpu, X)])
        np.testing.assert_array_equal(y.numpy(), X + trips * (trips - 1) // 2)


def test_streams_meet(fake, gpu):
    fake.calls.clear()
    gpu.wait_for(9)
    gpu.let_wait(9)
    assert fake.calls == ["record in 9", "1 waits", "record in 1", "9 waits"]


def test_time_between_two_marks(gpu):
    assert gpu.milliseconds(gpu.event(), gpu.event()) == 1.5


# ---- what goes wrong ----


def test_code_that_does_not_load(fake, gpu):
    fake.fails["cuModuleLoadDataEx"] = STATUS.CUDA_ERROR_INVALID_PTX
    fake.log = b"ptxas line 7: error"
    with pytest.raises(
        DeviceError, match=r"(?s)does not load the kernels: .*INVALID_PTX.*ptxas line 7"
    ):
        gpu.load("nonsense")


def test_a_launch_that_fails_says_where_it_is_from(fake, gpu):
    run = Executable(chain(1), gpu, "the text", ())
    fake.fails["cuLaunchKernel"] = STATUS.CUDA_ERROR_INVALID_VALUE
    x = Memory.of(gpu, X)
    with pytest.raises(DeviceError, match=r"kernel 'double' \(f\.py:3\) of grid \(2, "):
        run([x])
    assert gpu.memory_use().used == 256
    np.testing.assert_array_equal(run([x])[0].numpy(), 2 * X)


def test_a_kernel_that_crashes(fake, gpu):
    fake.fails["cuStreamSynchronize"] = STATUS.CUDA_ERROR_ILLEGAL_ADDRESS
    with pytest.raises(DeviceError, match=r"ILLEGAL_ADDRESS.*start it again"):
        gpu.synchronize()


def test_a_block_that_wants_too_much_shared_memory(gpu):
    module = gpu.load("the text")
    with pytest.raises(DeviceError, match="needs 300,000 bytes of shared memory"):
        module.function("double", 300_000)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (STATUS.CUDA_ERROR_NO_DEVICE, "finds no device.*NO_DEVICE"),
        (STATUS.CUDA_ERROR_STUB_LIBRARY, "finds no device.*STUB_LIBRARY"),
    ],
)
def test_a_driver_without_a_device(monkeypatch, status, message):
    from cuda.bindings import driver as real

    monkeypatch.setattr(real, "cuInit", lambda flags: (status,), raising=False)
    bindings.bindings.cache_clear()
    with pytest.raises(DeviceError, match=message):
        bindings.bindings()


# ---- a real one ----

PTX = """
.version 7.0
.target sm_80
.address_size 64
.visible .entry double(.param .u64 x, .param .u64 y)
{
  .reg .u64 %rd<8>;
  .reg .u32 %r<5>;
  .reg .f32 %f<3>;
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [y];
  cvta.to.global.u64 %rd3, %rd1;
  cvta.to.global.u64 %rd4, %rd2;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %ntid.x;
  mov.u32 %r3, %tid.x;
  mad.lo.u32 %r4, %r1, %r2, %r3;
  mul.wide.u32 %rd5, %r4, 4;
  add.u64 %rd6, %rd3, %rd5;
  add.u64 %rd7, %rd4, %rd5;
  ld.global.f32 %f1, [%rd6];
  add.f32 %f2, %f1, %f1;
  st.global.f32 [%rd7], %f2;
  ret;
}
"""


@pytest.fixture
def real_gpu():
    try:
        return driver.cuda_device(0)
    except DeviceError as error:
        pytest.skip(error.message)


@pytest.mark.gpu
@pytest.mark.parametrize("length", [1, 2, 9])
def test_plans_on_a_gpu(real_gpu, length):
    run = Executable(chain(length), real_gpu, PTX, ())
    for k in range(6):
        (y,) = run([Memory.of(real_gpu, X + k)])
        np.testing.assert_array_equal(y.numpy(), 2.0**length * (X + k))
    assert real_gpu.memory_use().peak > 0


@pytest.mark.gpu
def test_what_a_gpu_says_of_bad_code(real_gpu):
    with pytest.raises(DeviceError, match="does not load the kernels"):
        real_gpu.load(PTX.replace("add.f32", "nonsense.f32"))


@pytest.mark.gpu
def test_arrays_on_a_gpu(real_gpu):
    for dtype in (np.float32, weft.bfloat16, np.bool_, np.complex128):
        x = weft.asarray(np.ones((3, 5), dtype), device="cuda")
        assert x.device == "cuda:0"
        np.testing.assert_array_equal(np.asarray(x), np.ones((3, 5)))
    with pytest.raises(OutOfMemoryError, match="cannot be had on cuda:0"):
        real_gpu.allocate(1 << 50)
    real_gpu.free(real_gpu.allocate(1 << 20))
