"""Calls of compiled functions: which one runs, and whose memory results are in."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import time
import warnings
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from pathlib import Path

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
        np.arange(3.0).view(type("Own", (np.ndarray,), {})),
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
    with pytest.raises(weft.ArgumentError, match=r"test_calls.py:\d+: 11805.* int64"):
        f(1 << 70)
    assert f(-3).item() == -2
    with pytest.raises(weft.ArgumentError, match="out of the range of int64"):
        weft.jit(lambda tree: tree["x"])({"x": 1 << 63})


def test_what_stands_for_an_array_has_no_elements():
    f = weft.jit(lambda x: x + 1)
    with pytest.raises(weft.UnsupportedTypeError, match=r"float32\[2\].* no elements"):
        f(weft.ShapeDtypeStruct((2,), "float32"))


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


def test_what_is_idle_for_long_may_be_taken_by_the_system():
    """By the kernel's own count; nobody else in the process lends memory."""
    maps = Path("/proc/self/smaps")
    if not maps.exists() or "LazyFree" not in maps.read_text():
        pytest.skip("the system does not say which memory it may take")

    def lent() -> int:
        lines = maps.read_text().splitlines()
        return sum(int(x.split()[1]) for x in lines if x.startswith("LazyFree"))

    f = weft.jit(lambda x: x + 1)
    x = weft.zeros(10_000_000)
    kept, before = np.asarray(f(x)).copy(), lent()
    end = time.monotonic() + 30
    while lent() < before + 30_000 and time.monotonic() < end:
        time.sleep(0.1)
    assert lent() >= before + 30_000
    # It is taken back when it is used again.
    np.testing.assert_array_equal(f(x), kept)
    assert lent() < before + 30_000


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
        resource.setrlimit(resource.RLIMIT_AS, (limit + 180_000_000,) * 2)
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


# ---- donation ----


def test_a_donated_buffer_holds_the_result():
    step = weft.jit(lambda w, g: w - 0.5 * g, donate_argnums=0)
    g = weft.full(1000, 2.0)
    w = step(np.full(1000, 5.0, np.float32), g)
    place = address(w)
    for i in range(3):
        before, w = w, step(w, g)
        assert address(w) == place
        assert before.is_deleted()
        assert not w.is_deleted()
        assert w.tolist() == [3.0 - i] * 1000


def test_a_deleted_array_says_so_wherever_it_is_used():
    f = weft.jit(lambda x: x + 1, donate_argnames="x")
    x = f(weft.zeros(3))
    f(x)
    uses = [
        lambda: x.shape, lambda: repr(x), lambda: np.asarray(x), lambda: x + 1,
        lambda: f(x), lambda: weft.jit(lambda y: y)(x), lambda: x.item(),
        lambda: weft.jit(lambda: x + 1)(), lambda: f.lower(x), lambda: x[0],
        lambda: weft.grad(weft.sum)(x),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(weft.DonatedArrayError, match=r"calls.py:\d+: .*donated"):
            use()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = weft.ones(2).nothing


def test_what_others_see_is_never_written_to():
    f = weft.jit(lambda x: x * 2, donate_argnums=0)
    borrowed = np.ones(4, np.float32)
    array = weft.asarray(borrowed)
    assert f(borrowed).tolist() == f(array).tolist() == [2] * 4
    assert borrowed.tolist() == [1] * 4
    assert array.is_deleted()

    made = f(borrowed)
    view = np.asarray(made)[1:]
    assert f(made).tolist() == [4] * 4
    assert view.tolist() == [2] * 3

    made = f(borrowed)
    capsule = made.__dlpack__(max_version=(1, 0))
    f(made)
    assert np.from_dlpack(Capsule(capsule)).tolist() == [2] * 4


class Capsule:
    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **_):
        return self.capsule

    def __dlpack_device__(self):
        return (1, 0)


def test_an_array_that_is_given_twice():
    f = weft.jit(lambda x, y: (x + 2 * y, y * 3), donate_argnums=0)
    x = f(np.ones(5), np.ones(5))[1]
    first, second = f(x, x)
    assert first.tolist() == [9] * 5
    assert second.tolist() == [9] * 5
    both = weft.jit(lambda x, y: (x + 1, y + 2), donate_argnums=(0, 1))
    x, _ = both(np.ones(5), np.ones(5))
    first, second = both(x, x)
    assert first.tolist() == [3] * 5
    assert second.tolist() == [4] * 5
    with pytest.raises(weft.DonatedArrayError):
        x.tolist()


def test_trees_are_donated_whole():
    @weft.jit
    def loss(params, x):
        return weft.mean((weft.tanh(x @ params["w"]) + params["b"]) ** 2)

    def update(params, momentum, x):
        grads = weft.grad(loss)(params, x)
        momentum = {k: 0.9 * momentum[k] + grads[k] for k in params}
        params = {k: params[k] - 0.1 * momentum[k] for k in params}
        return params, momentum, loss(params, x)

    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(30, 20)), "b": rng.normal(size=20)}
    momentum = {k: np.zeros_like(v) for k, v in params.items()}
    x = rng.normal(size=(8, 30))
    plain, donating = weft.jit(update), weft.jit(update, donate_argnums=(0, 1))
    expected = given = (params, momentum)
    for i in range(4):
        *expected, wanted = plain(*expected, x)
        places = [address(leaf) for tree in given for leaf in tree.values()]
        *given, found = donating(*given, x)
        assert found.item() == wanted.item()
        for tree, other in zip(expected, given, strict=True):
            for name in tree:
                np.testing.assert_array_equal(tree[name], other[name])
        if i > 0:
            now = [address(leaf) for tree in given for leaf in tree.values()]
            assert sorted(places) == sorted(now)


@pytest.mark.parametrize(
    ("function", "reused"),
    [
        (lambda x: x, True),
        (lambda x: weft.exp(x) - x, True),
        (lambda x: x.T + 1, False),
        (lambda x: weft.flip(x), False),
        (lambda x: x @ x, False),
        (lambda x: (x + 1, weft.sum(x)), True),
        (lambda x: (weft.sum(x, axis=0), x - 1, weft.max(x)), True),
        (lambda x: (x + 1, x * 2), True),
        (lambda x: (x, x), True),
        (lambda x: (x + 1, x), False),
        (lambda x: x.at[2].set(7.0), True),
        (lambda x: x.at[2].add(x[3]), True),
        (lambda x: x - weft.mean(x, axis=1, keepdims=True), None),
        (lambda x: weft.cumsum(x, axis=0), None),
        (lambda x: weft.sort(x, axis=0), None),
        (lambda x: weft.fori_loop(0, 5, lambda i, c: c * 1.5 + i, x), True),
        (lambda x: weft.fori_loop(0, 5, lambda i, c: c @ c / 30, x), None),
        (lambda x: weft.scan(lambda c, _: (c + 1, c[0]), x, None, length=3), True),
        (lambda x: weft.cond(x[0, 0] > 0, lambda y: y + 1, lambda y: y * 2, x), None),
        (lambda x: weft.reshape(weft.reshape(x, -1) + 1, x.shape), None),
    ],
)
@pytest.mark.parametrize("size", [5, 120])
def test_donation_changes_no_value(function, reused, size):
    x = np.random.default_rng(1).normal(size=(size, size))
    expected = weft.jit(function)(x)
    f = weft.jit(function, donate_argnums=0)
    if reused is False:
        with pytest.warns(UserWarning, match=r"donated `x` \(float64\["):
            found = f(x)
    else:
        with warnings.catch_warnings():
            if reused is None:
                warnings.simplefilter("ignore")
            found = f(weft.jit(lambda x: x + 0.0)(x))
    assert repr(found) == repr(expected)
    kept = weft.asarray(x.copy())
    f(kept)
    assert reused is None or kept.is_deleted() == reused


def test_mistakes_in_what_is_donated():
    def f(x, n):
        return x * n

    with pytest.raises(weft.StaticArgumentError, match="donate_argnums: 'f' has no"):
        weft.jit(f, donate_argnums=2)
    with pytest.raises(weft.StaticArgumentError, match="no parameter 'y'"):
        weft.jit(f, donate_argnames=("x", "y"))
    with pytest.raises(weft.StaticArgumentError, match="`n` of 'f' is both static"):
        weft.jit(f, static_argnums=1, donate_argnames="n")


def test_donation_is_in_the_text_and_holds_for_it():
    f = weft.jit(lambda x, y: x + y, donate_argnums=1)
    lowered = f.lower(weft.ones(3), weft.ones(3))
    assert "%arg1: tensor<3xf32> {weft.donated}" in lowered.text(locations=False)
    assert "weft.reuses = array<i64: 1>" in lowered.text("memref")
    again = weft.parse(lowered.text())
    y = weft.jit(lambda x: x + 1)(weft.ones(3))
    assert again.compile()(weft.ones(3), y).tolist() == [3] * 3
    assert y.is_deleted()
    z = weft.ones(3)
    assert again.interpret(z, z).tolist() == [2] * 3
    assert not z.is_deleted()


def test_a_donated_argument_within_a_trace_is_left():
    inner = weft.jit(lambda x: x + 1, donate_argnums=0)
    x = weft.ones(3)
    assert weft.jit(lambda x: inner(x) + x)(x).tolist() == [3] * 3
    assert weft.grad(lambda x: weft.sum(inner(x)))(x).tolist() == [1] * 3
    assert not x.is_deleted()
