"""Arrays outside `jit`: creation, promotion, indexing, and NumPy and DLPack views."""

import array as buffers
import copy
import doctest
import importlib
import itertools
import pickle
import pkgutil
import subprocess
import sys
import warnings

import numpy as np
import pytest

import weft

MODULES = [
    module.name
    for module in pkgutil.walk_packages(weft.__path__, "weft.")
    if not module.name.endswith("_weft")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for case in finder.find(module, globs={"weft": weft, "np": np}):
        runner.run(case)
    assert runner.failures == 0


def test_every_public_name_is_there_and_documented():
    for name in weft.__all__:
        value = getattr(weft, name)
        if callable(value):
            assert value.__doc__, name


def test_eager_use_does_not_load_mlir():
    code = (
        "import sys, weft; x = weft.ones((2, 2)); (x @ x)[0].sum().item();"
        "assert not [m for m in sys.modules if m.split('.')[0] == 'mlir']"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_views_numpy_memory_without_a_copy():
    data = np.arange(6.0)
    x = weft.asarray(data)
    assert np.shares_memory(np.asarray(x), data)
    data[0] = 7
    assert x[0].item() == 7
    assert not np.shares_memory(np.asarray(weft.asarray(data, copy=True)), data)


def test_is_immutable():
    x = weft.ones(3)
    with pytest.raises(weft.IndexingError, match="immutable"):
        x[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 1
    with pytest.raises(TypeError):
        hash(x)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int64"), (1.5, "float32"), (True, "bool"), ([1, 2], "int64"),
        ([1.0, 2], "float32"), ([True, False], "bool"), ([], "float32"),
        (np.float64(1), "float64"), (np.arange(3, dtype=np.int8), "int8"),
    ],
)  # fmt: skip
def test_asarray_dtype(value, dtype):
    assert weft.asarray(value).dtype == np.dtype(dtype)


STRONG = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64"


@pytest.mark.parametrize(
    "pair", list(itertools.product(STRONG.split(), repeat=2)), ids=str
)
def test_arrays_promote_as_numpy_does(pair):
    x, y = (weft.ones(2, dtype=dtype) for dtype in pair)
    assert weft.where(True, x, y).dtype == np.result_type(*pair)


@pytest.mark.parametrize("dtype", STRONG.split())
@pytest.mark.parametrize("scalar", [True, 2, 2.5])
def test_scalars_are_weak(dtype, scalar):
    expected = np.result_type(np.dtype(dtype), scalar)
    if isinstance(scalar, float) and np.dtype(dtype).kind != "f":
        expected = np.dtype("float32")
    assert weft.where(True, weft.ones(2, dtype=dtype), scalar).dtype == expected


def test_functions_of_floats_take_integers_as_float32():
    assert weft.sin(weft.asarray([1, 2])).dtype == np.float32
    assert (weft.asarray([1, 2]) / 2).dtype == np.float32
    assert weft.mean(weft.asarray([1, 2])).item() == 1.5
    assert weft.floor(weft.asarray([1, 2])).dtype == np.int64


INDICES = [
    0, -1, slice(None), slice(1, None), slice(None, None, -1), slice(5, 0, -2),
    slice(2, 2), slice(-2, None), slice(100), None, ..., (0, 1), (slice(None), -1),
    (..., 0), (None, ..., None), (1, ..., slice(None, None, 2)), (0, 1, 2),
    (slice(3, 0, -1), None, 1), (slice(0, 0), slice(None, None, -3)),
    [0], True, (False, 1), ([0, 2], ..., [1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_basic_indexing_is_numpys(index):
    data = np.arange(4 * 3 * 5).reshape(4, 3, 5)
    np.testing.assert_array_equal(np.asarray(weft.asarray(data)[index]), data[index])


@pytest.mark.parametrize("index", [4, -5, (0, 0, 0, 0), (..., ...), [4.0], [True], "a"])
def test_bad_indices(index):
    with pytest.raises(weft.IndexingError):
        weft.ones((4, 3, 5))[index]


def test_operators_meet_scalars_and_numpy_on_both_sides():
    data = np.array([[1.0, 2.0], [3.0, 5.0]])
    x = weft.asarray(data)
    for ours, theirs in [
        (2 + x, 2 + data), (2 - x, 2 - data), (2 * x, 2 * data), (1 / x, 1 / data),
        (7 // x, 7 // data), (7 % x, 7 % data), (2**x, 2**data), (x**2, data**2),
        (data + x, data + data), (data @ x, data @ data), (x @ data, data @ data),
        (-x, -data), (abs(-x), data), (data < x, data < data), (x >= 2, data >= 2),
        (np.exp(x), np.exp(data)), (x.T, data.T),
    ]:  # fmt: skip
        assert isinstance(ours, weft.Array)
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-14)


def test_bit_operators():
    x = weft.asarray([6, 5])
    assert (x & 3).tolist() == [2, 1]
    assert (8 | x).tolist() == [14, 13]
    assert (x ^ x).tolist() == [0, 0]
    assert (~x).tolist() == [-7, -6]
    assert (x << 1).tolist() == [12, 10]
    assert (x >> 1).tolist() == [3, 2]
    assert (~weft.asarray([True])).tolist() == [False]


def test_integer_edges():
    low, high = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    x = weft.asarray(np.array([7, low, -7, 1, -1], np.int32))
    y = weft.asarray(np.array([0, -1, 2, -1, -3], np.int32))
    assert (x // y).tolist() == [0, low, -4, -1, 0]
    assert (x % y).tolist() == [0, 0, 1, 0, -1]
    assert (x**y).tolist() == [1, 0, 49, 1, -1]
    one = weft.ones(3, dtype=np.int32)
    counts = weft.asarray(np.array([-1, 32, 31], np.int32))
    assert (one << counts).tolist() == [0, 0, low]
    assert (-one >> counts).tolist() == [-1, -1, -1]
    floats = weft.asarray([1e20, -1e20, float("nan"), -1.9])
    assert floats.astype(np.int32).tolist() == [high, low, 0, -1]
    assert floats.astype(np.uint64).tolist() == [2**64 - 1, 0, 0, 0]
    assert floats.astype(bool).tolist() == [True] * 4


def test_python_values():
    x = weft.asarray(2.5)
    assert float(x) == 2.5
    assert int(x) == 2
    assert bool(x)
    assert f"{x:.2f}" == "2.50"
    assert [10, 20, 30][weft.asarray(1)] == 20
    assert [v.item() for v in weft.arange(3)] == [0, 1, 2]
    assert len(weft.ones((4, 2))) == 4


def test_copies_and_pickles():
    x = weft.arange(3)
    # A copy is there when the array itself has been donated.
    copies = copy.copy(x), copy.deepcopy({"x": x})["x"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weft.jit(lambda x: x + 1, donate_argnums=0)(x)
    for one in copies:
        assert one.tolist() == [0, 1, 2]
    x = weft.arange(3)
    assert pickle.loads(pickle.dumps(x)).tolist() == [0, 1, 2]


def test_ints_are_not_wrapped():
    for given, dtype in (
        ([2**63], None),
        ([2**63, 1], None),
        (300, "uint8"),
        ([1, -1], "uint8"),
    ):
        with pytest.raises(weft.ArgumentError, match="out of the range of"):
            weft.asarray(given, dtype)
    assert weft.asarray([2**63], "uint64").tolist() == [2**63]
    assert weft.asarray(2**63, "uint64").item() == 2**63
    assert weft.asarray([2**63, 1], "float32").tolist() == [2**63, 1]


def test_array_copies_and_reads_buffers():
    data = np.ones(3)
    x = weft.array(data)
    data[0] = 5
    assert x.tolist() == [1, 1, 1]
    assert weft.array([1, 2], dtype="int8").dtype == "int8"
    for buffer in (memoryview(b"ab"), bytearray(b"ab"), buffers.array("B", b"ab")):
        assert weft.asarray(buffer).tolist() == [97, 98]


def test_linspace_of_arrays():
    starts, stop = np.float32([0, -3e38]), np.float32([1, 3e38])
    for num in (1, 2, 42, 100):
        for f in (weft.linspace, weft.jit(weft.linspace, static_argnums=2)):
            x = np.asarray(f(weft.asarray(starts), weft.asarray(stop), num))
            np.testing.assert_allclose(
                x,
                np.linspace(*map(np.float64, (starts, stop)), num),
                rtol=1e-5,
                atol=1e-6,
            )
            np.testing.assert_array_equal(x[-1], stop if num > 1 else starts)
    ints = weft.jit(lambda x: weft.linspace(x, 10, 5, dtype="int32"))(0)
    assert (
        ints.tolist()
        == weft.linspace(0, 10, 5, dtype="int32").tolist()
        == [0, 2, 5, 7, 10]
    )
    assert weft.linspace(np.float64(0), 1, 3).dtype == "float64"
    np.testing.assert_allclose(
        weft.logspace(weft.asarray([0.0, 1.0]), 2.0, 3),
        np.logspace([0, 1], 2, 3),
        rtol=1e-6,
    )


def test_numpys_functions_call_methods():
    data = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for f in (
        np.sum,
        np.mean,
        np.max,
        np.min,
        np.prod,
        np.any,
        np.all,
        np.argmax,
        np.std,
    ):
        for axis in (None, 1):
            found = f(weft.asarray(data), axis=axis)
            assert isinstance(found, weft.Array)
            np.testing.assert_allclose(found, f(data, axis=axis), rtol=1e-5)
    assert weft.asarray(data).sum(dtype="float64").dtype == "float64"
    assert weft.asarray(data).transpose((1, 0)).shape == (4, 3)


def test_dlpack_both_ways():
    data = np.arange(4, dtype=np.float32)
    x = weft.from_dlpack(data)
    assert np.shares_memory(np.asarray(x), data)
    np.testing.assert_array_equal(np.from_dlpack(x), data)
    assert x.__dlpack_device__() == (1, 0)


def test_composite_functions_agree_with_numpy():
    data = np.random.default_rng(0).normal(size=(3, 4))
    x = weft.asarray(data)
    for ours, theirs in [
        (weft.var(x, axis=1, correction=1), np.var(data, axis=1, ddof=1)),
        (weft.std(x), np.std(data)),
        (weft.roll(x, 2, axis=1), np.roll(data, 2, 1)),
        (weft.roll(x, -5), np.roll(data, -5)),
        (weft.tile(x, (2, 1, 2)), np.tile(data, (2, 1, 2))),
        (weft.repeat(x, 3, axis=1), np.repeat(data, 3, 1)),
        (weft.moveaxis(weft.ones((2, 3, 4)), 0, 2), np.ones((3, 4, 2))),
        (weft.tril(x, k=1), np.tril(data, 1)), (weft.triu(x), np.triu(data)),
        (weft.eye(3, k=-1), np.eye(3, k=-1)),
        (weft.pad(x, ((1, 2), (0, 3)), constant_values=7.0),
         np.pad(data, ((1, 2), (0, 3)), constant_values=7)),
        (weft.linspace(0, 1, 7, dtype="float64"), np.linspace(0, 1, 7)),
        (weft.arange(5, 0, -2), np.arange(5, 0, -2)),
        (weft.meshgrid(weft.arange(2), weft.arange(3))[0],
         np.meshgrid(np.arange(2), np.arange(3))[0]),
        (weft.vecdot(x, x), np.vecdot(data, data)),
        (weft.tensordot(x, x.T, axes=1), np.tensordot(data, data.T, 1)),
        (weft.clip(x, min=0.0), np.clip(data, 0, None)),
        (weft.nn.logsumexp(x, axis=0), np.log(np.exp(data).sum(0))),
        (weft.argmax(x, axis=1, keepdims=True), np.argmax(data, 1, keepdims=True)),
        (weft.argmin(x), np.argmin(data)),
        (weft.count_nonzero(x > 0), np.count_nonzero(data > 0)),
    ]:  # fmt: skip
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("left", "right"),
    [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((5, 2, 3), (3, 4)),
     ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4)), ((3,), (5, 3, 4)),
     ((5, 2, 3), (3,))],
)  # fmt: skip
def test_matmul_shapes(left, right):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=left), rng.normal(size=right)
    for f in (weft.matmul, weft.jit(weft.matmul)):
        np.testing.assert_allclose(np.asarray(f(a, b)), a @ b, rtol=1e-12)


def test_a_dtype_may_be_given_by_position_as_in_numpy():
    x = np.ones((2, 3))
    for name, args in [
        ("zeros", (3,)), ("ones", ((2, 2),)), ("full", (3, 7)), ("asarray", ([1, 2],)),
        ("zeros_like", (x,)), ("ones_like", (x,)), ("full_like", (x, 5)),
        ("arange", (1, 9, 2)),
    ]:  # fmt: skip
        found = getattr(weft, name)(*args, np.int16)
        expected = getattr(np, name)(*args, np.int16)
        assert found.dtype == np.int16
        np.testing.assert_array_equal(found, expected)
