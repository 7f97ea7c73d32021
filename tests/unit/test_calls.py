"""Calls of compiled functions: which one runs, and whose memory results are in."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field

import numpy as np
import pytest

import weft
from weft import _weft

Pair = namedtuple("Pair", "left right")


@dataclass
class Scaled:
    x: weft.Array
    by: int = field(metadata={"static": True})


def total(tree):
    return weft.sum(tree["a"]) * 100 + weft.sum(tree["b"])


# ---- which function runs ----


def test_the_order_of_a_dict_is_not_looked_at():
    f = weft.jit(total)
    a, b = weft.ones(2), weft.ones(3)
    assert f({"a": a, "b": b}).item() == 203
    assert f({"b": b, "a": a}).item() == 203
    assert f.cache_info().misses == 1
    assert f({"a": b, "b": a}).item() == 302
    assert f.cache_info().misses == 2


def test_keys_of_any_letters_are_in_python_s_order():
    names = ["ß", "z", "\U0001f600", "\uffff", "a" * 300, "", "Z"]
    tree = {name: weft.full(1, i) for i, name in enumerate(names)}
    f = weft.jit(lambda t: t)
    for _ in range(2):
        assert {k: v.item() for k, v in f(tree).items()} == {
            name: i for i, name in enumerate(names)
        }


@pytest.mark.parametrize(
    "args",
    [
        (1.0, 2.0),
        (1, 2),
        (True, 2.0),
        (1j, 2),
        (np.float32(3), np.int8(2)),
        ([1.0, (2, None)], {"k": [np.ones(2)]}),
        (Pair(1.0, 2.0), OrderedDict(z=1, a=2.0)),
        ({1: 2.0, 0: np.ones(1)}, ()),
        ([], {"": ()}),
    ],
)
def test_a_tree_comes_back_as_it_was_the_second_time_too(args):
    f = weft.jit(lambda *trees: (trees, [leaf * 2 for leaf in leaves(trees)]))
    first, second = f(*args), f(*args)
    assert repr(first) == repr(second)
    assert type(second[0][0]) is type(first[0][0])
    assert f.cache_info().misses == 1
    assert f.cache_info().hits == 1


def leaves(tree):
    if isinstance(tree, dict):
        tree = tree.values()
    if isinstance(tree, weft.Array):
        return [tree]
    return [] if tree is None else [x for part in tree for x in leaves(part)]


def test_trees_that_look_alike_are_told_apart():
    f = weft.jit(lambda t: t)
    x = weft.ones(3)
    trees = [x, (x,), [x], {"x": x}, ((x,),), (x, None), (None, x), [x, []], [[x]],
             {"x": {"x": x}}, (x, x), 1.0, 1, True, 1j, (1, 1.0), (1.0, 1)]  # fmt: skip
    for tree in trees:
        f(tree)
    assert f.cache_info().misses == len(trees)
    for tree in trees:
        assert repr(f(tree)) == repr(weft.jit(lambda t: t)(tree))
    assert f.cache_info().misses == len(trees)


def test_shapes_and_dtypes_are_told_apart():
    f = weft.jit(lambda x: weft.flip(x))
    arrays = [np.ones(shape, dtype) for shape in [(), (1,), (2, 1), (1, 2), (0, 3)]
              for dtype in ("f4", "f8", "i1", "u1", "c8", "?")]  # fmt: skip
    for array in [*arrays, *map(weft.asarray, arrays)]:
        result = f(array)
        assert (result.shape, result.dtype) == (array.shape, array.dtype)
    assert f.cache_info().misses == len(arrays)


def test_static_fields_and_arguments_are_told_apart():
    f = weft.jit(lambda s, n: s.x * s.by + n, static_argnums=1)
    x = weft.ones(1)
    for _ in range(2):
        assert f(Scaled(x, 2), 5).item() == 7
        assert f(Scaled(x, 3), 5).item() == 8
        assert f(Scaled(x, 3), 6).item() == 9
    assert f.cache_info().misses == 3


def test_arguments_by_name():
    f = weft.jit(lambda x, y=2.0: x - y)
    x = weft.ones(2)
    for _ in range(2):
        assert f(x).tolist() == [-1, -1]
        assert f(x, y=x).tolist() == [0, 0]
        assert f(y=x, x=x + 1).tolist() == [1, 1]
    assert f.cache_info().misses == 3


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(4, 6).T,
        np.arange(24.0)[::-1],
        np.arange(24.0)[::2],
        np.arange(24.0).astype(">f8"),
        np.frombuffer(bytes(1) + np.arange(3.0).tobytes(), "f8", offset=1),
        np.arange(24, dtype=np.longlong),
        np.ma.masked_array(np.arange(3.0)),
    ],
    ids=[
        "transposed",
        "reversed",
        "strided",
        "swapped",
        "unaligned",
        "longlong",
        "subclass",
    ],
)
def test_arrays_of_any_layout_are_read(array):
    f = weft.jit(lambda x: x * 2)
    for given in (array, weft.asarray(array), array):
        np.testing.assert_array_equal(f(given), np.asarray(array) * 2)


def test_a_number_too_large_is_an_error():
    f = weft.jit(lambda x: x + 1)
    assert f(3).item() == 4
    with pytest.raises(OverflowError):
        f(1 << 70)
    assert f(-3).item() == -2


def test_deep_trees_and_wrong_ones():
    deep: list = [1.0]
    for _ in range(100):
        deep = [deep]
    f = weft.jit(lambda t: t)
    assert repr(f(deep)) == repr(f(deep))
    for wrong in ("text", object(), {1, 2}, [np.ones(2), "text"]):
        with pytest.raises(weft.UnsupportedTypeError, match="argument `t"):
            f(wrong)


def test_functions_are_collected_with_what_they_return():
    class Marked:
        pass

    def make():
        f = weft.jit(lambda x: (x, x))
        f(1.0)
        f.marked = Marked()
        f.itself = f
        return f

    def alive():
        return sum(isinstance(o, Marked) for o in gc.get_objects())

    make()
    gc.collect()
    assert alive() == 0


# ---- memory ----


def address(array) -> int:
    return np.asarray(array).ctypes.data


def test_memory_is_used_again_by_whoever_wants_that_much():
    f, g = weft.jit(lambda x: x + 1), weft.jit(lambda x: weft.exp(x))
    x = weft.zeros(50_000)
    first = address(f(x))
    assert address(g(x)) == first
    kept = f(x)
    assert address(g(x)) != address(kept)
    assert kept.tolist() == [1] * 50_000


def test_a_view_keeps_its_memory():
    f = weft.jit(lambda x: x + 1)
    x = weft.zeros(10_000)
    view = np.asarray(f(x))[5:9]
    for i in range(40):
        f(x + i)
    assert view.tolist() == [1] * 4


def test_results_cannot_be_written_to():
    result = np.asarray(weft.jit(lambda x: x + 1)(weft.zeros(3)))
    with pytest.raises(ValueError, match="read-only"):
        result[0] = 5
    with pytest.raises(ValueError, match="WRITEABLE"):
        result.flags.writeable = True


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000, 4095, 1 << 16, 3 << 20])
def test_memory_is_aligned_and_large_enough(size):
    f = weft.jit(lambda x: (x + 1, x + 2, x + 3))
    x = np.arange(size, dtype=np.float32)
    results = f(x)
    for i, result in enumerate(results, 1):
        assert address(result) % 64 == 0
        np.testing.assert_array_equal(result, x + i)


def test_idle_memory_is_counted_and_freed():
    result = weft.jit(lambda x: x + 1)(weft.zeros(1_000_000))
    weft.empty_cache()
    assert _weft.idle_bytes() == 0
    del result
    assert 4_000_000 <= _weft.idle_bytes() < 5_000_000
    assert 4_000_000 <= weft.empty_cache() < 5_000_000
    assert _weft.idle_bytes() == 0


def run(program: str) -> None:
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(program)],
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_where_there_is_no_memory_what_is_idle_is_freed():
    run(
        """
        import resource, numpy as np, weft
        f = weft.jit(lambda x: weft.full((50_000_000,), x))
        g = weft.jit(lambda x: weft.full((60_000_000,), x))
        g(1.0)
        weft.empty_cache()
        f(1.0)
        limit = int(open("/proc/self/statm").read().split()[0]) * 4096
        # g's 240 MB fit only where f's idle 200 MB were.
        resource.setrlimit(resource.RLIMIT_AS, (limit + 100_000_000,) * 2)
        assert weft._weft.idle_bytes() >= 200_000_000
        assert g(2.0)[-1].item() == 2.0
        kept = [g(3.0)]
        try:
            kept.append(g(4.0))
        except weft.OutOfMemoryError as error:
            assert "0.224 GiB" in str(error), error
        else:
            raise AssertionError("there was room")
        assert kept[0][-1].item() == 3.0
        del kept
        assert g(5.0)[-1].item() == 5.0
        """
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_takes_and_gives_memory():
    f = weft.jit(lambda x: x + 1)
    x = weft.zeros(1000)
    f(x)
    child = os.fork()
    if child == 0:
        os._exit(0 if f(f(x))[0].item() == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
