"""`jit`: trees, static arguments, the cache, lowered programs, memory and threads."""

import collections
import copy
import dataclasses
import functools
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections import namedtuple

import numpy as np
import pytest

import weft

Pair = namedtuple("Pair", "first second")


@dataclasses.dataclass(frozen=True)
class Layer:
    weight: weft.Array
    name: str = dataclasses.field(metadata={"static": True}, default="layer")


DTYPES = ["bool", "int8", "uint8", "int32", "uint32", "int64", "uint64", "float32",
          "float64"]  # fmt: skip


def same(ours, theirs, rtol=1e-6):
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=rtol)


def test_jit_agrees_with_eager_and_interpreted():
    def f(x, y):
        return weft.tanh(x @ y).sum(axis=0), (x > 0).any(), weft.argmax(y)

    x, y = (np.random.default_rng(0).normal(size=(4, 4)) for _ in range(2))
    jitted = weft.jit(f)
    eager = f(weft.asarray(x), weft.asarray(y))
    for a, b, c in zip(eager, jitted(x, y), jitted.interpret(x, y), strict=True):
        same(a, b, 1e-12)
        same(a, c, 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_and_layouts_pass_the_boundary(dtype):
    data = np.arange(12).reshape(3, 4).astype(dtype)
    f = weft.jit(lambda x: (x, x.T, x[1:, ::-2], x == x))
    for view in (data, data.T, data[::2, ::-1], np.asfortranarray(data)):
        for ours, theirs in zip(f(view), (view, view.T, view[1:, ::-2], view == view),
                                strict=True):  # fmt: skip
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(np.asarray(ours), theirs)


def test_unaligned_and_foreign_endian_inputs_are_copied():
    raw = np.frombuffer(bytes(1) + np.arange(4.0).tobytes(), np.uint8)
    unaligned = raw[1:].view(np.float64)
    assert not unaligned.flags.aligned
    f = weft.jit(lambda x: x * 2)
    assert f(unaligned).tolist() == [0, 2, 4, 6]
    assert weft.jit(lambda: 2 * weft.asarray(unaligned))().tolist() == [0, 2, 4, 6]
    kept = weft.asarray(unaligned)
    assert weft.jit(lambda: 2 * kept)().tolist() == [0, 2, 4, 6]
    assert f(np.arange(4.0).astype(">f8")).tolist() == [0, 2, 4, 6]


def test_empty_and_scalar_arrays():
    f = weft.jit(lambda x: (x.sum(), x * 2))
    total, doubled = f(weft.zeros((0, 3)))
    assert total.item() == 0
    assert doubled.shape == (0, 3)
    assert f(3.0)[1].item() == 6


def test_trees_of_arguments_and_results():
    @weft.jit
    def f(tree, *, scale):
        layer, pair = tree["layer"], tree["pair"]
        assert layer.name == "first"
        result = dataclasses.replace(layer, weight=layer.weight * scale)
        return {"layer": result, "pair": Pair(pair.second, None), "list": [1, 2.5]}

    tree = {"layer": Layer(weft.ones(2), "first"), "pair": Pair(weft.ones(1), 3)}
    result = f(tree, scale=2.0)
    assert result["layer"].weight.tolist() == [2, 2]
    assert result["layer"].name == "first"
    assert result["pair"].first.item() == 3
    assert result["pair"].second is None
    assert [x.dtype.name for x in result["list"]] == ["int64", "float32"]


def _in_turn(d):
    return sum(v * i for i, v in enumerate(d.values(), 1))


@dataclasses.dataclass
class _Held:
    d: dict


@pytest.mark.parametrize(
    "call",
    [
        weft.jit(_in_turn),
        functools.partial(lambda f, d: f(**d), weft.jit(lambda **kw: _in_turn(kw))),
        functools.partial(
            lambda f, d: f([(None, {"q": d})]),
            weft.jit(lambda x: _in_turn(x[0][1]["q"])),
        ),
        functools.partial(
            lambda f, d: f(_Held(d)), weft.jit(lambda held: _in_turn(held.d))
        ),
        functools.partial(
            lambda f, d: f(collections.defaultdict(int, d)), weft.jit(_in_turn)
        ),
        functools.partial(weft.cond, True, _in_turn, _in_turn),
        lambda d: weft.value_and_grad(_in_turn)(d)[0],
        lambda d: weft.vjp(weft.jit(_in_turn), d)[0],
        lambda d: weft.linearize(_in_turn, d)[0],
        lambda d: weft.jvp(_in_turn, (d,), (d,))[1],
        lambda d: weft.value_and_grad(weft.checkpoint(_in_turn))(d)[0],
        lambda d: weft.scan(lambda c, _: (c, _in_turn(c)), d, length=1)[1][0],
        lambda d: weft.vmap(lambda _, d: _in_turn(d), (0, None))(weft.ones(1), d)[0],
    ],
)
def test_the_order_of_keys_is_no_part_of_a_program(call):
    for order in ("zy", "yz", "zy"):
        d = {key: {"z": 10.0, "y": 100.0}[key] for key in order}
        assert float(call(d)) == 120


def test_the_order_of_keys_that_is_part_of_a_program():
    f = weft.jit(_in_turn)
    ordered = collections.OrderedDict(z=10.0, y=100.0)
    assert (f(ordered), f(dict(ordered))) == (210, 120)
    assert f(collections.OrderedDict(y=100.0, z=10.0)) == 120
    # Keys without an order of their own.
    some, other = object(), object()
    assert (f({some: 1.0, other: 3.0}), f({other: 3.0, some: 1.0})) == (7, 5)


def test_gradients_have_the_order_of_keys_of_what_they_are_for():
    gradient = weft.grad(_in_turn)
    assert list(gradient({"z": 1.0, "y": 1.0})) == ["z", "y"]
    assert list(weft.jit(gradient)({"z": 1.0, "y": 1.0})) == ["y", "z"]


def test_decorator_forms_and_methods():
    @weft.jit(static_argnames=("n",))
    def power(x, n):
        """Documented."""
        return x**n

    class Model:
        def __init__(self, rate):
            self.rate = rate

        @weft.jit
        def step(x, y):
            return x + y

    assert power(weft.asarray(3.0), n=2).item() == 9
    assert power(weft.asarray(3.0), 3).item() == 27
    assert power.__doc__ == "Documented."
    assert Model.step(1.0, 2.0).item() == 3
    assert weft.jit(lambda x, n: x * n, static_argnums=(1,))(2.0, 3).item() == 6


@weft.jit
def doubled(x):
    return 2 * x


def test_copies_and_pickles_as_a_function_does():
    assert copy.copy(doubled) is copy.deepcopy(doubled) is doubled
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(weft.jit(lambda x: x))


def test_known_and_unknown_arguments_are_called_alike():
    ones = np.ones(3, np.float32)
    for _ in range(2):  # the first call compiles
        same(doubled(ones), 2 * ones)
        same(doubled(x=ones), 2 * ones)
        same(weft.jit(lambda x: doubled(x) + doubled(x=x))(ones), 4 * ones)
        with pytest.raises(weft.WeftError, match="doubled"):
            doubled(ones, ones)
    # What was never made knows no function, and says so.
    with pytest.raises(AttributeError):
        weft.Jitted.__new__(weft.Jitted)(ones)


def test_static_arguments_that_are_equal_but_not_alike():
    f = weft.jit(lambda x, n: x * n, static_argnums=1)
    values = [1, 1.0, True, np.float32(1), np.float64(1)]
    dtypes = [f(np.int8([2]), n).dtype for n in values]
    assert dtypes == ["int8", "float32", "int8", "float32", "float64"]
    divide = weft.jit(lambda x, n: weft.divide(x, n), static_argnums=1)
    assert [divide(1.0, n).item() for n in (0.0, -0.0)] == [np.inf, -np.inf]
    nested = weft.jit(lambda x, n: x * n[0][0], static_argnums=1)
    assert nested(2, ((1,),)).dtype == "int64"
    assert nested(2, ((1.0,),)).dtype == "float32"
    # NaN is like itself.
    for _ in range(3):
        divide(1.0, float("nan"))
    assert divide.cache_info().misses == 3

    @dataclasses.dataclass(frozen=True)
    class Scaled:
        x: object
        n: object = dataclasses.field(metadata={"static": True})

    g = weft.jit(lambda scaled: scaled.x * scaled.n)
    assert g(Scaled(np.int8([2]), 1)).dtype == "int8"
    assert g(Scaled(np.int8([2]), 1.0)).dtype == "float32"


# Composed functions, of numbers that are traced as of numbers that are not.
OF_NUMBERS = {
    "degrees": (3,), "fabs": (3,), "heaviside": (3, 2), "logaddexp2": (3, 0.5),
    "fmax": (3, 0.5), "fmod": (3, 0.5), "float_power": (0.5, 0.25), "ldexp": (3, 2),
    "clip": (3, 0.5), "modf": (3,), "frexp": (3,), "linspace": (0.0, 1.0),
    "hypot": (3, 4), "reciprocal": (3,), "arctan2": (1, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in OF_NUMBERS if hasattr(weft, name)])
def test_dtypes_of_functions_of_numbers(name):
    f, numbers = getattr(weft, name), OF_NUMBERS[name]
    if name == "linspace":
        f = lambda x, y: weft.linspace(x, y, 5)  # noqa: E731
    at_once, compiled = f(*numbers), weft.jit(f)(*numbers)
    if not isinstance(at_once, tuple):
        at_once, compiled = (at_once,), (compiled,)
    for one, other in zip(at_once, compiled, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_lists_of_numbers_are_as_if_they_were_not_traced():
    for numbers in ((1, 2), (1, 0.5), (0.5, 0.5)):
        at_once = weft.asarray(list(numbers))
        assert (
            weft.jit(lambda a, b: weft.asarray([a, b]))(*numbers).dtype == at_once.dtype
        )


def test_static_arguments_by_keyword_only():
    @weft.jit(static_argnames="mode")
    def f(x, *, mode="sin", scale=1.0):
        return scale * (weft.sin(x) if mode == "sin" else weft.cos(x))

    assert float(f(0.0)) == 0.0
    assert float(f(0.0, mode="cos")) == 1.0
    assert float(f(0.0, scale=3.0, mode="cos")) == 3.0
    assert float(weft.jit(lambda x: f(x, mode="cos"))(0.0)) == 1.0


def test_static_arguments_in_any_order():
    f = weft.jit(lambda x, m=1, n=2: x * m + n, static_argnames=("m", "n"))
    assert float(f(1.0, m=2, n=3)) == float(f(1.0, n=3, m=2)) == 5.0
    assert f.cache_info().misses == 1


def test_cache_says_why_it_compiled_again():
    @weft.jit(static_argnums=1)
    def f(x, n, y=None):
        return x * n if y is None else x + y["a"]

    x = np.ones(3, np.float32)
    for args in ((x, 2), (weft.ones(3), 2), (np.ones(4, np.float32), 2), (x, 3),
                 (x.astype(np.float64), 3), (x, 3, {"a": 1.0}), (x, 2)):  # fmt: skip
        f(*args)
    info = f.cache_info()
    assert (info.hits, info.misses) == (2, 5)
    assert info.reasons[0] == "the first call"
    assert info.reasons[1] == "argument `x`: float32[3] -> float32[4]"
    assert info.reasons[2] == "static argument `n`: 2 -> 3"
    assert info.reasons[3] == "argument `x`: float32[3] -> float64[3]"
    assert "structure" in info.reasons[4]
    f.cache_clear()
    assert f.cache_info() == weft.jit(lambda x: x).cache_info()


def test_python_scalars_are_weak_arguments():
    f = weft.jit(lambda x, s: x * s)
    assert f(weft.ones(2, dtype="float32"), 0.1).dtype == np.float32
    assert f(weft.ones(2, dtype="float64"), 0.1)[0].item() == 0.1
    assert f(weft.ones(2, dtype="int8"), 3).dtype == np.int8
    assert f(weft.ones(2, dtype="int8"), 0.5).dtype == np.float32
    assert weft.jit(lambda s: s)(0.5).dtype == np.float32
    assert weft.jit(lambda s: s * 2 + 1)(3).dtype == np.int64
    assert f.cache_info().misses == 4


def test_captured_arrays_have_the_value_at_trace_time():
    big = np.arange(100.0)
    small = np.arange(3.0)
    f = weft.jit(lambda x: (x + weft.asarray(big), x[:3] * weft.asarray(small)))
    lowered = f.lower(np.zeros(100))
    assert [c.shape for c in lowered.captures] == [(100,)]
    assert "dense<[0.000000e+00, 1.000000e+00, 2.0" in lowered.text()
    first = f(np.zeros(100))
    big[:] = small[:] = -1
    for result in (first, f(np.zeros(100))):
        assert result[0].tolist() == np.arange(100.0).tolist()
        assert result[1].tolist() == [0, 0, 0]


def test_jit_within_jit_is_a_call_traced_once():
    traced = []

    @weft.jit
    def inner(x):
        traced.append(x)
        return weft.sin(x)

    @weft.jit
    def outer(x):
        return inner(x) + inner(x * 2) + inner(x[:2]).sum()

    x = weft.ones(3)
    text = outer.lower(x).text(locations=False)
    assert text.count("call @inner(") == 2
    assert text.count("call @inner_1(") == 1
    assert text.count("func.func private") == 2
    assert len(traced) == 2
    same(outer(x), np.sin(1) + np.sin(2) + 2 * np.sin(1))


def test_nested_jit_captures_traced_arrays():
    @weft.jit
    def outer(x):
        scale = x * 2

        @weft.jit
        def inner(y):
            return y * scale

        return inner(x) + inner(x + 1)

    assert outer(weft.asarray([1.0, 2.0])).tolist() == [6, 20]


def test_every_stage_has_text_that_parses_and_can_be_put_back():
    f = weft.jit(lambda x: weft.exp(x) + 1)
    lowered = f.lower(weft.ShapeDtypeStruct((4,), weft.float32))
    assert lowered.stages[0] == "weft"
    assert lowered.stages[-1] == "asm"
    x = weft.asarray([0.0, 1.0, 2.0, 3.0])
    for stage in lowered.stages:
        text = lowered.text(stage)
        assert "test_jit.py" in text or stage in ("asm",), stage
        assert "loc(" not in lowered.text(stage, locations=False)
        if stage not in ("llvmir", "asm"):
            same(lowered.replace(stage, text).compile()(x), np.exp(np.arange(4)) + 1)
    edited = lowered.text("expanded").replace("weft.exp", "weft.negative")
    assert lowered.replace("expanded", edited).compile()(x).tolist() == [1, 0, -1, -2]
    with pytest.raises(weft.ArgumentError, match="begins at stage"):
        lowered.replace("linalg", lowered.text("linalg")).text("weft")


@pytest.mark.parametrize("device", ["cpu", "sm_80"])
def test_text_of_other_arguments_is_no_replacement(device):
    """The program is called with what it was traced for."""
    lowered = weft.jit(lambda x: weft.sin(x)).lower(np.ones((20, 30)), device=device)
    stages = lowered.stages[: lowered.stages.index(lowered.program.target.last_mlir)]
    for stage in stages:
        text = lowered.text(stage, locations=False)
        for old, new in (("20x30xf64", "200x300xf64"), ("f64", "f32")):
            if old in text:
                with pytest.raises(weft.StructureError, match=r"@<?\w+>? is .*x30"):
                    lowered.replace(stage, text.replace(old, new))


def test_masks_are_not_lost():
    x = np.ma.array([1.0, 2.0], mask=[0, 1])
    for function in (weft.jit(lambda x: x + 1), weft.asarray, weft.sin):
        with pytest.raises(weft.UnsupportedTypeError, match="arrays have no masks"):
            function(x)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("WEFT_CPU", "nonsense", "WEFT_CPU is 'nonsense', a CPU that LLVM does not"),
        ("WEFT_DUMP", "/dev/null", "f.py:2: WEFT_DUMP: no folder can be made"),
        ("WEFT_OPTIMIZATION_LEVEL", "abc", "f.py:2: WEFT_OPTIMIZATION_LEVEL of the"),
    ],
)
def test_nonsense_in_the_environment(variable, value, message, tmp_path):
    path = tmp_path / "f.py"
    path.write_text("import weft\nweft.jit(lambda x: x + 1)(1.0)\n")
    done = subprocess.run(
        [sys.executable, path], capture_output=True, text=True,
        env={**os.environ, "WEFT_CACHE_DIR": "", variable: value}, check=False,
    )  # fmt: skip
    assert message in done.stderr.splitlines()[-1]


def test_operations_carry_line_and_column():
    @weft.jit
    def f(x):
        return weft.sin(x) + weft.cos(x)

    line = f.__wrapped__.__code__.co_firstlineno + 2
    text = f.lower(1.0).text()
    for column in (16, 30):
        assert f'test_jit.py":{line}:{column})' in text


def test_parsed_programs():
    program = weft.parse("""
      func.func private @g(%x: tensor<2xf64>) -> tensor<2xf64> {
        %y = weft.multiply %x, %x : tensor<2xf64>
        return %y : tensor<2xf64>
      }
      func.func @f(%x: tensor<2xf64>, %b: tensor<2xi1>)
          -> (tensor<2xf64>, tensor<2xi1>) {
        %y = call @g(%x) : (tensor<2xf64>) -> tensor<2xf64>
        %n = weft.logical_not %b : tensor<2xi1>
        return %y, %n : tensor<2xf64>, tensor<2xi1>
      }""")
    for run in (program.interpret, program.compile()):
        squares, inverted = run(np.array([2.0, 3.0]), np.array([True, False]))
        assert squares.tolist() == [4, 9]
        assert inverted.tolist() == [False, True]
    assert "linalg.generic" in program.text("linalg")
    with pytest.raises(weft.StructureError, match="takes 2 arguments"):
        program.interpret(1.0)


def test_programs_for_a_gpu_are_none_for_the_cpu():
    text = weft.jit(weft.cumsum).lower(np.ones(4), device="sm_90a").text("weft")
    with pytest.raises(weft.CompileError, match=r"is for a GPU.*'weft\.gpu'"):
        weft.parse(text).compile()
    compiled = weft.parse(text, device="cuda-sim").compile("cuda-sim")
    same(compiled(weft.ones(4, "float64", device="cuda-sim")), np.arange(1.0, 5))


def test_dump_writes_files_that_run_again(tmp_path, monkeypatch):
    monkeypatch.setenv("WEFT_DUMP", str(tmp_path))
    weft.jit(lambda x: weft.sin(x))(1.0)
    weft.jit(lambda x: weft.sin(x))(1.0)
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert folders == ["0000-lambda", "0001-lambda"]
    names = sorted(path.name for path in (tmp_path / folders[0]).iterdir())
    assert names[:3] == ["0-weft.mlir", "1-expanded.mlir", "2-linalg.mlir"]
    again = (tmp_path / folders[0] / "2-linalg.mlir").read_text().splitlines()[0]
    assert again == "// weft-opt --weft-to-linalg 1-expanded.mlir"


def test_failed_compile_keeps_its_input_and_says_how_to_run_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WEFT_DUMP", str(tmp_path))
    lowered = weft.jit(lambda x: x + 1).lower(weft.ones(2))
    broken = lowered.replace("linalg", """
      func.func @lambda(%x: tensor<2xf32>) -> tensor<2xf32> {
        %y = weft.sin %x : tensor<2xf32>
        return %y : tensor<2xf32>
      }""")  # fmt: skip
    with pytest.raises(weft.CompileError, match="weft-opt --weft-to-fused") as caught:
        broken.compile()
    path = str(caught.value).split()[-1]
    assert os.path.dirname(path) == str(tmp_path)
    with open(path) as file:
        assert "weft.sin" in file.read()


def test_results_live_in_memory_of_their_own():
    f = weft.jit(lambda x: x + 1)
    x = weft.zeros(50_000)
    kept = [f(x + i) for i in range(8)]
    assert [k[0].item() for k in kept] == [i + 1 for i in range(8)]
    view = np.asarray(f(x))[:5]
    for i in range(10):
        f(x + i)
    assert view.tolist() == [1] * 5
    del kept, view
    gc.collect()
    addresses = {np.asarray(f(x)).ctypes.data for _ in range(20)}
    assert len(addresses) <= 4
    assert all(address % 64 == 0 for address in addresses)


def test_arguments_are_not_written_to():
    x = np.zeros(4)
    weft.jit(lambda x: (x + 1, x))(x)
    assert x.tolist() == [0, 0, 0, 0]


def test_many_compiles_retire_contexts():
    from weft.contexts import USES_BEFORE_RETIREMENT

    for n in range(USES_BEFORE_RETIREMENT // 2 + 1):
        assert weft.jit(lambda x: x * n)(2.0).item() == 2 * n  # noqa: B023


def test_threads():
    f = weft.jit(lambda x: weft.sin(x).sum() + x.size)
    errors = []

    def work(seed):
        try:
            for n in range(1, 6):
                x = np.full(n, float(seed))
                for _ in range(20):
                    same(f(x), np.sin(seed) * n + n, 1e-12)
                same(weft.grad(lambda x: (x * x).sum())(x), 2 * x)
        except AssertionError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert f.cache_info().misses == 5


def _child(queue):
    queue.put(weft.jit(lambda x: weft.cos(x) * 3)(0.0).item())


def test_fork_after_compiling():
    assert weft.jit(lambda x: x * 3)(2.0).item() == 6
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_child, args=(queue,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert queue.get() == 3


def test_weft_opt_continues_every_stage(tmp_path):
    tool = os.path.join(os.path.dirname(weft.__file__), "../../build/bin/weft-opt")
    lowered = weft.grad(lambda x: weft.sum(weft.tanh(x) ** 2)).lower(weft.ones(3))
    for flag, locations in ((["--mlir-print-debuginfo"], True), ([], False)):
        path = tmp_path / "f.mlir"
        path.write_text(lowered.text("weft", locations=locations))
        printed = subprocess.run(
            [tool, "--weft-expand-transforms", *flag, str(path)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert printed == lowered.text("expanded", locations=locations)


def test_functions_named_like_those_of_the_c_library():
    x = np.array([0.3, -0.4])
    for function in (weft.sin, weft.erf, weft.cbrt, weft.tanh):
        same(weft.jit(function)(x), np.asarray(function(x)))

    def memcpy(x):
        return x, x + 1.0

    same(weft.jit(memcpy)(x)[1], x + 1.0)
