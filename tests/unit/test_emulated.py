"""Programs on the emulator, from Python to kernels: every way that a plan is run."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import weft

RNG = np.random.default_rng(0)
# Large enough that what is around a loop is not all one kernel with it.
LARGE = RNG.standard_normal((64, 512)).astype(np.float32)


def on_sim(x):
    return weft.asarray(x, device="cuda-sim")


def steps_of(function, *args):
    """The kinds of the steps of a plan, those within others too."""

    def kinds(steps):
        for step in steps:
            yield step["do"]
            for inner in ("steps", "before", "then", "else"):
                yield from kinds(step.get(inner) or ())

    plan = function.lower(*args, device="cuda-sim").program.plan
    return set(kinds(json.loads(plan.json)["steps"]))


def check(function, *args, rtol=2e-5):
    """A function gives on the emulator what it gives on the CPU."""
    result = function(*map(on_sim, args))
    expected = function(*map(weft.asarray, args))
    assert result.device == "cuda-sim:0"
    assert result.dtype == expected.dtype
    np.testing.assert_allclose(
        np.asarray(result), np.asarray(expected), rtol=rtol, atol=1e-5
    )


def test_elementwise_and_rows():
    check(weft.jit(lambda x: weft.nn.softmax(x, axis=-1) * weft.sin(x)), LARGE)


def test_products():
    check(weft.jit(lambda x: x @ x.T), LARGE, rtol=1e-4)


@pytest.mark.parametrize(
    "dtype",
    [np.bool_, np.int8, np.uint16, np.int64, np.float16, weft.bfloat16, np.float64,
     np.complex64],
)  # fmt: skip
def test_dtypes(dtype):
    x = np.arange(12).reshape(3, 4).astype(dtype)
    check(weft.jit(lambda x: weft.where(x == x, x, x)), x)


def test_a_captured_array_is_on_the_device():
    check(weft.jit(lambda x: x + weft.asarray(LARGE)), LARGE)


def test_a_loop_of_swapped_buffers():
    f = weft.jit(lambda x: weft.fori_loop(0, 3, lambda i, c: c[::-1] * i + 1, x))
    assert "launch" in steps_of(f, LARGE)
    check(f, LARGE)


def test_a_while_reads_its_condition():
    f = weft.jit(
        lambda x: weft.while_loop(
            lambda c: (c * c).sum() < 1e6, lambda c: weft.roll(c, 1, 0) * 2, x
        )
    )
    assert {"while", "read", "launch"} <= steps_of(f, LARGE)
    check(f, LARGE)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_branch(sign):
    f = weft.jit(
        lambda x: weft.cond(
            x.sum() > 0, lambda x: weft.exp(x) + 1, lambda x: x @ x.T @ x, x
        )
    )
    assert {"if", "read"} <= steps_of(f, LARGE)
    check(f, sign * np.abs(LARGE[:, :64]), rtol=1e-4)


def test_a_loop_with_temporaries_beside_a_number():
    # The loop takes the whole arena, which grows when the number gets its place.
    def function(x, y):
        def body(c, row):
            return weft.tanh(c @ c @ row + row), None

        c = weft.scan(body, x, weft.stack([x, x + 1, x, x]))[0]
        place = weft.astype(c[0, 0] * 9, "int32")
        return weft.dynamic_slice(y @ y.T, (place, 0), (100, 200))

    x = (np.ones((8, 8)) / 8).astype(np.float16)
    y = RNG.uniform(-1, 1, (200, 200)).astype(np.float16)
    check(weft.jit(function), x, y, rtol=2e-2)


def test_a_product_leaves_its_factor_to_others():
    # What comes of it has no place of the factor's: one kernel reads and writes.
    def function(x, y):
        z = (x.T[:, 3:] @ y.T[:37]) * 0.125
        z = weft.maximum(z, 0) + z[0]
        s = weft.stack([y[:24, :40], z, y[16:, 24:]])
        return weft.reshape(s @ weft.swapaxes(s, 1, 2), (72, 24))

    x, y = (RNG.uniform(-1, 1, s).astype(np.float16) for s in ((40, 24), (40, 64)))
    check(weft.jit(function), x, y, rtol=2e-2)


@pytest.mark.parametrize("which", [-1, 0, 1, 2, 3, 7])
def test_a_choice_among_several(which):
    # What a block cannot do, the host has to choose.
    def function(i, x):
        y = x @ x.T
        branches = [
            lambda y: y @ y, lambda y: weft.sort(y, 0), lambda y: y, lambda y: y.T * 2
        ]  # fmt: skip
        return weft.switch(i, branches, y)

    x = RNG.integers(-3, 4, (200, 40)).astype(np.float32)
    check(weft.jit(function), np.int32(which), x)
    assert "if" in steps_of(weft.jit(function), np.int32(which), x)


def test_an_array_grown_twice():
    # The first is not computed in the second's place, of which nothing is there yet.
    def function(x):
        y = weft.pad(x, ((1, 1), (0, 0)), mode="edge")
        return weft.pad(y, ((0, 0), (0, 2)), mode="edge"), x[0] + y[:1, :]

    for each in range(2):
        check(weft.jit(lambda x, each=each: function(x)[each]), LARGE[:16, :9])


def test_arrays_that_begin_alike():
    # Neither goes on with a copy of the other, the rest of which is not there yet.
    def function(x, y):
        return weft.concat([weft.stack([x, y, x]), weft.stack([x, y + 1, y])], 1)

    def products(x, y):
        return weft.stack([x, y, x]) @ x.T + weft.stack([x, x, y])

    check(weft.jit(function), LARGE[:, :64], LARGE[:, 64:128])
    check(weft.jit(products), LARGE[:, :64], LARGE[:, 64:128])


def test_a_tape_of_unknown_length():
    def f(x):
        return weft.while_loop(
            lambda c: (c * c).sum() < 1e6, lambda c: weft.sin(c) + 2 * c, x
        ).sum()

    gradient = weft.jit(weft.grad(f))
    assert {"alloc", "while"} <= steps_of(gradient, LARGE)
    check(gradient, LARGE, rtol=1e-4)


def test_a_scan_and_its_derivative():
    def f(x):
        total, rows = weft.scan(lambda c, row: (c + row, c * row), x[0] * 0, x)
        return (total * rows).sum()

    check(weft.jit(f), LARGE[:9], rtol=1e-4)
    check(weft.jit(weft.grad(f)), LARGE[:9], rtol=1e-4)


def test_a_library_routine_and_its_failure():
    f = weft.jit(lambda x: weft.linalg.cholesky(x @ x.T + weft.eye(8)))
    assert "call" in steps_of(f, LARGE[:8, :8])
    check(f, LARGE[:8, :8], rtol=1e-4)
    with pytest.raises(weft.LinAlgError, match=r"test_emulated\.py:\d+: cholesky"):
        weft.jit(lambda x: weft.linalg.cholesky(x))(on_sim(-np.eye(3)))


def test_the_derivative_of_a_scan_with_a_routine():
    # Backwards, the host has to know which step it is at.
    def loss(x):
        def body(state, row):
            matrix = state @ state.T + 9 * weft.eye(4, dtype="float64")
            return weft.linalg.cholesky(matrix) * 0.1 + row, weft.sum(state)

        state, sums = weft.scan(body, weft.eye(4, dtype="float64"), x)
        return weft.sum(state**2) + weft.sum(sums)

    check(weft.jit(weft.grad(loss)), RNG.standard_normal((5, 4)), rtol=1e-9)


def test_a_donated_array_lends_its_memory():
    f = weft.jit(lambda x, y: x * 2 + y, donate_argnums=0)
    x, y = on_sim(LARGE), on_sim(LARGE)
    pointer = x._data.pointer
    result = f(x, y)
    assert result._data.pointer == pointer
    assert x.is_deleted()
    np.testing.assert_allclose(np.asarray(result), 3 * LARGE, rtol=1e-6)


def test_saved_and_loaded(tmp_path):
    def f(params, x, rate):
        return {"w": params["w"] - rate * x, "loss": ((params["w"] - x) ** 2).mean()}

    path = tmp_path / "step.weft"
    lowered = weft.jit(f).lower({"w": LARGE}, LARGE, 0.5, device="sm_90a")
    lowered.compile().save(path, chips=["sm_80"])
    step = weft.load(path, "cuda-sim")
    assert step.plan.chip == "sm_90a"
    result = step({"w": np.zeros_like(LARGE)}, LARGE, 0.25)
    np.testing.assert_allclose(np.asarray(result["w"]), -0.25 * LARGE, rtol=1e-6)
    np.testing.assert_allclose(result["loss"].item(), (LARGE**2).mean(), rtol=1e-5)
    again = step({"w": result["w"]}, LARGE, 0.25)
    np.testing.assert_allclose(np.asarray(again["w"]), -0.5 * LARGE, rtol=1e-6)


def test_random_numbers_are_those_of_the_cpu():
    def draw(device):
        key = weft.random.key(7, device=device)
        return weft.random.normal(key, (33,)), weft.random.randint(key, (9,), 0, 99)

    for made, expected in zip(draw("cuda-sim"), draw("cpu"), strict=True):
        np.testing.assert_allclose(np.asarray(made), np.asarray(expected), rtol=1e-6)


def test_stages_of_one_program():
    lowered = weft.jit(lambda x: weft.exp(x)).lower(LARGE, device="sm_80")
    for stage in lowered.stages:
        assert lowered.text(stage)
    assert ".target sm_80" in lowered.text("ptx")
    assert lowered.text("plan").startswith("plan of lambda for sm_80: ")
    edited = lowered.text("linalg").replace("math.exp", "math.exp2")
    other = lowered.replace("linalg", edited)
    assert other.text("ptx") != lowered.text("ptx")
    with pytest.raises(weft.ArgumentError, match="'plan' is no MLIR"):
        lowered.replace("plan", "")


def test_the_report_of_compiling_it():
    report = weft.jit(lambda x: weft.exp(x)).lower(LARGE, device="sm_80")
    stages = report.compile_report().by_stage()
    assert {"kernels", "nvvm", "plan", "ptx"} <= set(stages)


def test_dumped_stages(tmp_path, monkeypatch):
    monkeypatch.setenv("WEFT_DUMP", str(tmp_path))
    weft.jit(lambda x: x + 1)(on_sim(LARGE))
    (folder,) = tmp_path.iterdir()
    names = sorted(path.name for path in folder.iterdir())
    assert "8-plan.json" in names
    assert "9-ptx.ptx" in names
    # What a file begins with makes it of the one before.
    command = (folder / "5-kernels.mlir").read_text().splitlines()[0].split()
    assert command[:2] == ["//", "weft-opt"]
    tool = Path(weft.__file__).parents[2] / "build/bin/weft-opt"
    again = subprocess.run(
        [tool, *command[2:]], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "gpu.launch_func" in again.stdout


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_dilated_convolution_multiplies_no_zeros(dtype):
    # The array is 17 x 16 x 16; with zeros in between it would be 33 x 31 x 16.
    def transposed(x, w):
        return weft.conv_general_dilated(
            x, w, (1, 1), ((2, 2), (1, 2)), lhs_dilation=(2, 2),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip

    dtype = np.dtype(getattr(weft, dtype))
    x, w = (
        RNG.integers(-2, 3, shape).astype(dtype)
        for shape in ((2, 17, 16, 16), (3, 3, 16, 16))
    )
    check(weft.jit(transposed), x, w, rtol=0)
    text = weft.jit(transposed).lower(x, w, device="cuda-sim").text("linalg")
    assert "33x31x16" not in text
    assert text.count("tensor.insert_slice") >= 4


def test_an_array_that_is_donated_twice():
    both = weft.jit(lambda x, y: (x + 1, y + 2), donate_argnums=(0, 1))
    x = weft.asarray(np.ones(5), device="cuda-sim")
    first, second = both(x, x)
    assert first.tolist() == [2] * 5
    assert second.tolist() == [3] * 5
    with pytest.raises(weft.DonatedArrayError):
        x.tolist()


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_carries_that_change_places_in_one_kernel(steps):
    """A loop of scalars that says which buffer is which: all threads are to know."""

    def swap(x, y):
        def step(_, c):
            return c[1].at[4].set(c[1][3]), c[0]

        return weft.fori_loop(0, steps, step, (y, x))

    xs = [np.arange(7, dtype=np.float32), -np.arange(7, dtype=np.float32)]
    on_sim = [weft.asarray(x).to("cuda-sim") for x in xs]
    for got, want in zip(weft.jit(swap)(*on_sim), weft.jit(swap)(*xs), strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


@pytest.mark.parametrize(
    ("given", "wanted"), [("int8", "uint8"), ("bool", "uint8"), ("int32", "uint32")]
)
def test_results_in_donated_memory_have_their_own_dtype(given, wanted):
    x = np.array([1, 0, 1, 0]).astype(given)
    f = weft.jit(lambda x: x.astype(wanted) + x.astype(wanted), donate_argnums=0)
    y = f(weft.asarray(x).to("cuda-sim"))
    assert y.dtype == wanted
    np.testing.assert_array_equal(np.asarray(y), 2 * x.astype(wanted))


@pytest.mark.parametrize("name", ["solve", "solve_triangular"])
def test_libraries_take_constants(name):
    """They have no place in the GPU's memory but in the code of its kernels."""
    a, b = np.array([[3.0, 1.0], [0.0, 2.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    function = getattr(weft.linalg, name)
    got = weft.jit(lambda a: function(a, b))(weft.asarray(a).to("cuda-sim"))
    want = np.asarray(weft.jit(lambda a: function(a, b))(a))
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-14)


# ---- saved functions ----

X = np.float32([1, 2, 3])


def _saved(function, *args, path, **options):
    """A function for the emulated GPU, saved and loaded."""
    lowered = weft.jit(function, **options).lower(*args, device="cuda-sim")
    lowered.compile().save(path / "f.weft")
    return weft.load(path / "f.weft", "cuda-sim")


def test_numbers_that_would_be_others_are_refused(tmp_path):
    times = _saved(lambda x, k: x * k, X, 2, path=tmp_path)
    np.testing.assert_array_equal(times(X, 3), X * 3)
    np.testing.assert_array_equal(times(X, True), X)
    for number in (2.5, float("nan"), 1j, 2**70):
        with pytest.raises(
            weft.StructureError, match=r"emulated.py:\d+: .*`k` is the Py"
        ):
            times(X, number)
    with pytest.raises(weft.StructureError, match=r"`k` is int8\[\], but .* for int64"):
        times(X, np.int8(2))
    halved = _saved(lambda x, k: x * k, X, 0.5, path=tmp_path)
    np.testing.assert_array_equal(halved(X, 2), X * 2)
    program = weft.jit(lambda x, k: x * k).lower(X, np.int32(2)).program.compile()
    np.testing.assert_array_equal(program(X, 3), X * 3)
    with pytest.raises(weft.StructureError, match=r"2\.5, which int32 does not hold"):
        program(X, 2.5)


def test_a_saved_function_takes_what_is_donated(tmp_path):
    twice = _saved(lambda x: 2 * x, X, path=tmp_path, donate_argnums=0)
    assert twice.plan.reuses == (0,)
    x = weft.asarray(X).to("cuda-sim")
    other = x.to("cuda-sim")
    del other
    np.testing.assert_array_equal(twice(x), 2 * X)
    assert x.is_deleted()
    # What somebody else sees stays as it is: the memory itself, or an array of it.
    (memory,) = twice.on_device(X)
    np.testing.assert_array_equal(twice(memory), 2 * X)
    np.testing.assert_array_equal(memory.numpy(), X)
    x = weft.asarray(X).to("cuda-sim")
    seen = x._data
    np.testing.assert_array_equal(twice(x), 2 * X)
    assert x.is_deleted()
    np.testing.assert_array_equal(seen.numpy(), X)


def test_a_saved_function_is_not_traced(tmp_path):
    twice = _saved(lambda x: 2 * x, X, path=tmp_path)
    with pytest.raises(weft.TracerError, match="needs the elements of a traced array"):
        weft.jit(lambda x: twice(x))(X)
