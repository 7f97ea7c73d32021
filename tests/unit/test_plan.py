"""Plans: what is valid, how they print, and every kind of step on a device."""

import json

import numpy as np
import pytest

from fake_device import FakeDevice, view
from weft.cuda import run
from weft.cuda.device import TensorMap
from weft.cuda.memory import Memory
from weft.cuda.plan import Plan
from weft.cuda.run import Executable
from weft.errors import DeviceError, OutOfMemoryError, PlanError

N = 4
BYTES = 4 * N


def pointer(buffer, offset=0, *terms):
    return {"buffer": buffer, "offset": offset, "terms": [list(t) for t in terms]}


def array(shape=(N,), dtype="float32"):
    return {"shape": list(shape), "dtype": dtype}


def kernel(*kinds, **more):
    parameters = [k if isinstance(k, dict) else {"kind": k} for k in kinds]
    shape = {"grid": [1, 1, 1], "block": [32, 1, 1], "shared": 0, "line": "f.py:3"}
    return shape | more | {"parameters": parameters}


KERNELS = {
    "double": kernel("pointer", "pointer"),
    "add": kernel("pointer", "pointer", "pointer"),
    "add_index": kernel("pointer", "pointer", "i64"),
    "below": kernel("pointer", "pointer", "f32"),
}


def double(x, y):
    view(y, N)[...] = 2 * view(x, N)


def add(x, y, z):
    view(z, N)[...] = view(x, N) + view(y, N)


def add_index(x, y, i):
    view(y, N)[...] = view(x, N) + i


def below(x, flag, limit):
    kind, number = limit
    assert kind == "f32"
    view(flag, (), np.int8)[...] = view(x, N).max() < number


MEANING = {"double": double, "add": add, "add_index": add_index, "below": below}


def plan_of(steps, arena=0, arguments=2, inputs=1, constants=0, **more):
    data = {
        "name": "f",
        "chip": "sm_90a",
        "arena": arena,
        "arguments": [array() for _ in range(arguments)],
        "inputs": inputs,
        "constants": constants,
        "results": arguments - inputs - constants,
        "kernels": KERNELS,
        "steps": steps,
    }
    return Plan.from_json(json.dumps(data | more))


def launch(name, *args):
    return {"do": "launch", "kernel": name, "args": list(args)}


def ran(plan, *inputs, constants=(), device=None):
    """The results on a device where nothing else is left when they are gone."""
    device = device or FakeDevice(MEANING)
    executable = Executable(plan, device, "the code", constants)
    kept = device.used
    given = [Memory.of(device, np.asarray(x, np.float32)) for x in inputs]
    results = executable(given)
    values = [result.numpy() for result in results]
    del given, results
    assert device.used == kept
    return values[0] if len(values) == 1 else values


X = np.array([1, 2, 3, 4], np.float32)


# ---- steps ----


def test_launches_follow_each_other_through_the_arena():
    plan = plan_of(
        [
            launch("double", pointer("arg0"), pointer("arena", 256)),
            launch("double", pointer("arena", 256), pointer("arg1")),
        ],
        arena=512,
    )
    np.testing.assert_array_equal(ran(plan, X), 4 * X)


def test_constants_are_on_the_device_before_any_call():
    plan = plan_of(
        [launch("add", pointer("arg0"), pointer("arg1"), pointer("arg2"))],
        arguments=3,
        constants=1,
    )
    np.testing.assert_array_equal(ran(plan, X, constants=[10 * X]), 11 * X)
    with pytest.raises(PlanError, match=r"the constants float32\[4\], not none"):
        Executable(plan, FakeDevice(MEANING), "", ())


def test_a_copy_and_an_offset():
    half = BYTES // 2
    plan = plan_of(
        [
            {"do": "copy", "to": pointer("arg1"), "from": pointer("arg0", half),
             "bytes": half},
            {"do": "copy", "to": pointer("arg1", half), "from": pointer("arg0"),
             "bytes": half},
        ],
    )  # fmt: skip
    np.testing.assert_array_equal(ran(plan, X), [3, 4, 1, 2])


def test_the_code_is_loaded_once():
    device = FakeDevice(MEANING)
    plan = plan_of([launch("double", pointer("arg0"), pointer("arg1"))])
    executable = Executable(plan, device, "the code", ())
    x = Memory.of(device, X)
    for _ in range(3):
        (y,) = executable([x])
    assert device.loaded == ["the code"]
    assert device.launched == ["double"] * 3
    np.testing.assert_array_equal(np.asarray(y), 2 * X)


def looped(trips):
    """x + (0 + 1 + ...), by two buffers that are swapped at each step."""
    body = [launch("add_index", pointer("r2"), pointer("r3"), "r1")]
    return plan_of(
        [
            {"do": "copy", "to": pointer("arena"), "from": pointer("arg0"),
             "bytes": BYTES},
            {"do": "for", "index": "r1", "from": 0, "to": trips, "step": 1,
             "carried": [["r2", pointer("arena")], ["r3", pointer("arena", 256)]],
             "steps": body, "yields": [pointer("r3"), pointer("r2")],
             "results": ["r8", "r9"]},
            {"do": "copy", "to": pointer("arg1"), "from": pointer("r8"),
             "bytes": BYTES},
        ],
        arena=512,
    )  # fmt: skip


@pytest.mark.parametrize("trips", [0, 1, 2, 5, run.UNROLLED + 7])
def test_a_loop_of_swapped_buffers(trips):
    expected = X + np.arange(trips, dtype=np.float32).sum(dtype=np.float32)
    np.testing.assert_array_equal(ran(looped(trips), X), expected)


def test_short_loops_are_written_out_and_long_ones_are_not():
    def nodes(trips):
        return Executable(looped(trips), FakeDevice(MEANING), "", ())._nodes

    assert len(nodes(10)) == 1
    assert len(nodes(run.UNROLLED + 1)) == 3


@pytest.mark.parametrize("trips", [3, run.UNROLLED + 1])
def test_a_loop_over_rows(trips):
    rows = array((trips, N))
    plan = plan_of(
        [
            {"do": "for", "index": "r1", "from": 0, "to": trips, "step": 1,
             "steps": [launch("double", pointer("arg0", 0, ("r1", BYTES)),
                              pointer("arg1", 0, ("r1", BYTES)))]},
        ],
        arguments=2,
    )  # fmt: skip
    plan = Plan.from_json(
        json.dumps(json.loads(plan.json) | {"arguments": [rows, rows]})
    )
    x = np.arange(trips * N, dtype=np.float32).reshape(trips, N)
    np.testing.assert_array_equal(ran(plan, x), 2 * x)


@pytest.mark.parametrize("trips", [3, run.UNROLLED + 1])
@pytest.mark.parametrize("clamped", [False, True])
def test_a_loop_over_rows_from_the_last(trips, clamped):
    # A sum of what the host knows needs no step of its own; a minimum does.
    steps = [{"do": "compute", "op": "subi", "args": [trips - 1, "r1"], "into": "r2"}]
    if clamped:
        steps.append({"do": "compute", "op": "minsi", "args": ["r2", 1], "into": "r3"})
    row = "r3" if clamped else "r2"
    plan = plan_of(
        [
            {"do": "for", "index": "r1", "from": 0, "to": trips, "step": 1,
             "steps": [*steps, launch("double", pointer("arg0", 0, (row, BYTES)),
                                      pointer("arg1", 0, ("r1", BYTES)))]},
        ],
    )  # fmt: skip
    assert "compute subi " in str(plan)
    rows = array((trips, N))
    plan = Plan.from_json(
        json.dumps(json.loads(plan.json) | {"arguments": [rows, rows]})
    )
    x = np.arange(trips * N, dtype=np.float32).reshape(trips, N)
    taken = np.arange(trips)[::-1]
    expected = 2 * x[np.minimum(taken, 1) if clamped else taken]
    np.testing.assert_array_equal(ran(plan, x), expected)


def test_the_host_knows_what_it_computes():
    step = {"do": "compute", "op": "powi", "args": [1, 2], "into": "r1"}
    with pytest.raises(PlanError, match=r"'powi', which this version.*addi, subi"):
        plan_of([step])
    with pytest.raises(PlanError, match="uses 'r9' before it is anything"):
        plan_of([step | {"op": "addi", "args": [1, "r9"]}])


@pytest.mark.parametrize("trips", [4, 600])
def test_loops_in_loops(trips):
    inner = {"do": "for", "index": "r2", "from": 0, "to": 2, "step": 1,
             "carried": [], "yields": [], "results": [],
             "steps": [launch("add_index", pointer("arg1"), pointer("arg1"), name)
                       for name in ("r1", "r2")]}  # fmt: skip
    outer = {"do": "for", "index": "r1", "from": 0, "to": trips, "step": 1,
             "steps": [inner]}  # fmt: skip
    copied = {"do": "copy", "to": pointer("arg1"), "from": pointer("arg0"),
              "bytes": BYTES}  # fmt: skip
    expected = X + trips * (trips - 1) + trips
    np.testing.assert_array_equal(ran(plan_of([copied, outer]), X), expected)


def doubled_until(limit):
    """x doubled while it is below a limit, and 2 x of what is left."""
    return plan_of(
        [
            {"do": "copy", "to": pointer("arena"), "from": pointer("arg0"),
             "bytes": BYTES},
            {"do": "while",
             "carried": [["r1", pointer("arena")], ["r2", pointer("arena", 256)]],
             "before": [launch("below", pointer("r1"), pointer("arena", 512), limit),
                        {"do": "read", "from": pointer("arena", 512), "dtype": "int8",
                         "into": "r3"}],
             "condition": "r3", "passed": [pointer("r1"), pointer("r2")],
             "arguments": ["r4", "r5"],
             "steps": [launch("double", pointer("r4"), pointer("r5"))],
             "yields": [pointer("r5"), pointer("r4")],
             "results": ["r6", "r7"]},
            launch("double", pointer("r6"), pointer("arg1")),
        ],
        arena=768,
    )  # fmt: skip


@pytest.mark.parametrize(("limit", "factor"), [(0.5, 2), (5.0, 4), (1000.5, 512)])
def test_a_while_of_swapped_buffers(limit, factor):
    np.testing.assert_array_equal(ran(doubled_until(limit), X), factor * X)


@pytest.mark.parametrize(("limit", "expected"), [(10.0, 2 * X), (1.0, X + 7)])
def test_an_if_chooses_a_buffer(limit, expected):
    plan = plan_of(
        [
            launch("below", pointer("arg0"), pointer("arena"), limit),
            {"do": "read", "from": pointer("arena"), "dtype": "bool", "into": "r1"},
            {"do": "if", "condition": "r1",
             "then": [launch("double", pointer("arg0"), pointer("arena", 256))],
             "else": [launch("add_index", pointer("arg0"), pointer("arena", 512), 7)],
             "yields_then": [pointer("arena", 256)],
             "yields_else": [pointer("arena", 512)], "results": ["r2"]},
            {"do": "copy", "to": pointer("arg1"), "from": pointer("r2"),
             "bytes": BYTES},
        ],
        arena=768,
    )  # fmt: skip
    np.testing.assert_array_equal(ran(plan, X), expected)


def tape_of(rows, freed=True):
    """x + 0 + 1 + ..., each step kept on a tape, whose last row is the result."""
    steps = [
        {"do": "read", "from": pointer("arg0"), "dtype": "int64", "into": "r1"},
        {"do": "alloc", "into": "r2", "row_bytes": BYTES, "rows": "r1"},
        {"do": "for", "index": "r3", "from": 0, "to": "r1", "step": 1,
         "steps": [launch("add_index", pointer("arg1"),
                          pointer("r2", 0, ("r3", BYTES)), "r3"),
                   {"do": "copy", "to": pointer("arg1"),
                    "from": pointer("r2", 0, ("r3", BYTES)), "bytes": BYTES}]},
        {"do": "copy", "to": pointer("arg2"),
         "from": pointer("r2", -BYTES, ("r1", BYTES)), "bytes": BYTES},
    ]  # fmt: skip
    if freed:
        steps.append({"do": "free", "buffer": "r2"})
    plan = plan_of(steps, arguments=3, inputs=2)
    arguments = [array((), "int64"), array(), array()]
    return Plan.from_json(json.dumps(json.loads(plan.json) | {"arguments": arguments}))


@pytest.mark.parametrize("freed", [True, False])
def test_a_tape_is_freed_when_the_call_ends(freed):
    device = FakeDevice(MEANING)
    executable = Executable(tape_of(5, freed), device, "", ())
    n, x = Memory.of(device, np.array(5)), Memory.of(device, X)
    (result,) = executable([n, x])
    np.testing.assert_array_equal(result.numpy(), X + 10)
    assert len(device.blocks) == 3


def test_a_tape_that_does_not_fit_leaves_the_device_usable():
    device = FakeDevice(MEANING, limit=4096)
    executable = Executable(tape_of(5), device, "", ())
    n, x = Memory.of(device, np.array(1000)), Memory.of(device, X)
    with pytest.raises(OutOfMemoryError, match="1000 steps of 16 bytes"):
        executable([n, x])
    assert len(device.blocks) == 2
    device.write(n.pointer, np.array(5))
    np.testing.assert_array_equal(executable([n, x])[0].numpy(), X + 10)


def test_results_that_do_not_fit_say_how_large_they_are():
    device = FakeDevice(MEANING, limit=BYTES)
    plan = plan_of([launch("double", pointer("arg0"), pointer("arg1"))])
    executable = Executable(plan, device, "", ())
    with pytest.raises(OutOfMemoryError, match="'f' needs 0 bytes of scratch and 16"):
        executable([Memory.of(device, X)])
    assert not device.blocks


def sorted_plan():
    call = {"do": "call", "name": "sort_f32", "numbers": [1, N], "line": "f.py:8",
            "inputs": [{"pointer": pointer("arg0"), **array()}],
            "outputs": [{"pointer": pointer("arg1"), **array()}]}  # fmt: skip
    return plan_of([call])


def sort(name, numbers, inputs, outputs, line):
    assert (name, list(numbers), line) == ("sort_f32", [1, N], "f.py:8")
    outputs[0][...] = np.sort(inputs[0])


@pytest.fixture
def no_routines():
    before, warned = run._ROUTINES.run, set(run._ROUTINES.warned)
    run._ROUTINES.warned.clear()
    yield
    run.provide_routines(before)
    run._ROUTINES.warned |= warned


@pytest.mark.usefixtures("no_routines")
def test_a_library_routine_runs_on_the_host():
    run.provide_routines(sort)
    np.testing.assert_array_equal(ran(sorted_plan(), X[::-1]), X)


@pytest.mark.usefixtures("no_routines")
def test_of_a_gpu_it_says_so_once():
    run.provide_routines(sort)
    device = FakeDevice(MEANING, code="ptx")
    with pytest.warns(run.HostRoutineWarning, match="sort runs on the host"):
        ran(sorted_plan(), X, device=device)
    ran(sorted_plan(), X, device=device)


@pytest.mark.usefixtures("no_routines")
def test_without_the_library_a_routine_is_an_error():
    run.provide_routines(None)
    with pytest.raises(DeviceError, match=r"f\.py:8: .*'sort_f32'.*its compiler"):
        ran(sorted_plan(), X)


def test_a_tensor_map_goes_along_with_its_pointer():
    seen = []
    how = {"kind": "tensor_map", "dims": [4, 4], "strides": [16], "box": [4, 2],
           "swizzle": 128, "type": "f32"}  # fmt: skip
    plan = plan_of(
        [launch("mapped", pointer("arg0", 256), pointer("arg1"))],
        kernels={"mapped": kernel(how, "pointer")},
    )
    device = FakeDevice({"mapped": lambda *args: seen.append(args)})
    executable = Executable(plan, device, "", ())
    x = Memory.of(device, X)
    (y,) = executable([x])
    expected = TensorMap((4, 4), (16,), (4, 2), 128, "f32")
    assert seen == [((x.pointer + 256, expected), y.pointer)]


def test_a_result_is_left_in_the_memory_of_an_input():
    plan = plan_of(
        [launch("double", pointer("arg0"), pointer("arg0"))],
        arguments=1,
        results=1,
        reuses=[0],
    )
    device = FakeDevice(MEANING)
    x = Memory.of(device, X)
    (y,) = Executable(plan, device, "", ())([x])
    assert y is x
    np.testing.assert_array_equal(y.numpy(), 2 * X)


# ---- what is no plan ----


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chip": None, "steps": [{"do": "dance"}]}, "a step 'dance'.*the steps are"),
        ({"steps": [launch("nothing")]}, "launches 'nothing', which is not in it"),
        ({"steps": [launch("double", pointer("arg0"))]}, "takes 2 arguments"),
        ({"steps": [launch("double", pointer("arg0"), 3)]}, "takes a pointer"),
        ({"steps": [launch("double", pointer("arg0"), pointer("r1"))]},
         "uses 'r1' before it is anything"),
        ({"steps": [launch("double", pointer("arg0"), pointer("arena", 8))]},
         "beyond its 0 bytes"),
        ({"results": 2}, "has 2 arguments"),
        ({"steps": [{"do": "read", "from": pointer("arg0"), "dtype": "float3",
                     "into": "r1"}]}, "dtype 'float3'"),
        ({"kernels": {"k": kernel(grid=[1, 2])}}, "not enough values"),
        ({"kernels": {"k": {}}}, "no 'grid'"),
        ({"kernels": {"k": kernel(shared=10**30)}}, "shared memory of 1000"),
        ({"kernels": {"k": kernel(grid=[-1, 1, 1])}}, "a grid or block of -1"),
        ({"arena": -1}, "an arena of -1"),
        ({"steps": [{"do": "for", "index": "r", "from": 0, "to": 1, "step": 1,
                     "carried": [["c", pointer("arg0")]], "steps": [],
                     "yields": [], "results": []}]}, "yields 0 buffers where 1"),
    ],
)  # fmt: skip
def test_what_is_no_plan(change, message):
    with pytest.raises(PlanError, match=message):
        plan_of(**{"steps": []} | change)


def test_text_that_is_no_json():
    with pytest.raises(PlanError, match="the plan is not valid"):
        Plan.from_json("func.func @f")


def test_the_listing_has_a_line_a_step():
    lines = str(doubled_until(5.0)).splitlines()
    assert lines[0] == (
        "plan of f for sm_90a: 4 kernels, 768 bytes of arena, 800 bytes in all"
    )
    assert lines[1:] == [
        "  input    arg0 float32[4]",
        "  result   arg1 float32[4]",
        "  copy 16 bytes arg0 -> arena",
        "  loop r1=arena r2=arena+256",
        "    launch below grid 1 block 32 (r1, arena+512, 5.0)  f.py:3",
        "    read int8 arena+512 -> r3",
        "    while r3 pass r1, r2",
        "    launch double grid 1 block 32 (r4, r5)  f.py:3",
        "    yield r5, r4 -> r6 r7",
        "  launch double grid 1 block 32 (r6, arg1)  f.py:3",
    ]


@pytest.mark.parametrize(
    "plan", [looped(3), tape_of(2), sorted_plan()], ids=["loop", "tape", "call"]
)
def test_every_step_is_listed(plan):
    kinds = json.loads(plan.json)["steps"]
    text = str(plan)
    for step in kinds:
        assert f"  {step['do']} " in text
