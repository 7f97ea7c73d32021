"""Choices and loops: values against NumPy, at once, interpreted and compiled."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# ruff: noqa: E501
import contextlib
import re
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import weft

rng = np.random.default_rng(0)
x5 = rng.standard_normal(5).astype(np.float32)
m34 = rng.standard_normal((3, 4)).astype(np.float32)


def check(f, *args, want):
    """Holds a function against NumPy in all the ways in which it can run."""
    jitted = weft.jit(f)
    for got in (f(*args), jitted.interpret(*args), jitted(*args)):
        leaves = got if isinstance(got, tuple) else (got,)
        wanted = want if isinstance(want, tuple) else (want,)
        assert len(leaves) == len(wanted)
        for result, expected in zip(leaves, wanted, strict=True):
            expected = np.asarray(expected)
            assert result.shape == expected.shape
            assert result.dtype == expected.dtype
            np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-6)


# ---- choices ----


@pytest.mark.parametrize("pred", [True, False, np.bool_(True), np.int32(0)])
def test_cond(pred):
    check(lambda p, x: weft.cond(p, lambda y: y * 2, lambda y: y - 1, x), pred, x5,
          want=x5 * 2 if pred else x5 - np.float32(1))  # fmt: skip


def test_cond_of_trees_and_closures():
    def f(x, y):
        big = weft.sum(x) > 0
        a, b = weft.cond(big, lambda t: (t["a"] + y, True), lambda t: (y, False),
                         {"a": x})  # fmt: skip
        return a, b

    positive = np.abs(x5)
    check(f, positive, x5, want=(positive + x5, np.True_))
    check(f, -positive, x5, want=(x5, np.False_))


@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_switch_clamps_its_index(index):
    branches = [lambda x: x, lambda x: x + 1, lambda x: x * x]
    value = branches[min(max(index, 0), 2)](x5)
    check(lambda i, x: weft.switch(i, branches, x), index, x5,
          want=value.astype(np.float32))  # fmt: skip


def test_switch_of_an_unsigned_index_and_one_branch():
    check(lambda i, x: weft.switch(i, [lambda y: -y], x), np.uint8(200), x5, want=-x5)


def test_python_numbers_in_branches_yield_to_arrays():
    check(lambda p, x: weft.cond(p, lambda: 0, lambda: x[0]), True, x5,
          want=np.float32(0))  # fmt: skip


# ---- while ----


def test_while_loop():
    check(lambda x: weft.while_loop(lambda s: weft.sum(s) < 50, lambda s: s * 2 + 1, x),
          np.abs(x5), want=_grown(np.abs(x5)))  # fmt: skip


def _grown(x):
    while np.sum(x) < 50:
        x = x * np.float32(2) + np.float32(1)
    return x


def test_while_that_does_not_run():
    check(lambda x: weft.while_loop(lambda s: s[0] > 1e9, lambda s: s + 1, x), x5,
          want=x5)  # fmt: skip


def test_while_of_several_carries_that_change_places():
    def f(a, b):
        step = lambda s: (s[1], s[0] + s[1], s[2] + 1)  # noqa: E731
        return weft.while_loop(lambda s: s[2] < 7, step, (a, b, 0))

    a, b = x5, x5 + np.float32(1)
    for _ in range(7):
        a, b = b, a + b
    check(f, x5, x5 + np.float32(1), want=(a, b, np.int64(7)))


@pytest.mark.parametrize("value", [36.0, 2.0, 0.01])
def test_newton_in_a_while(value):
    def root(x):
        def improve(state):
            guess, _ = state
            after = (guess + x / guess) * 0.5
            return after, weft.abs(after - guess)

        return weft.while_loop(lambda s: s[1] > 1e-12, improve, (x, x * 0 + 1))[0]

    check(root, np.float64(value), want=np.float64(np.sqrt(value)))


# ---- scan ----


def until_it_settles(x):
    return weft.while_loop(
        lambda s: weft.max(weft.abs(s[0] - s[1])) > 1e-6,
        lambda s: (x + s[0] * 0.5, s[0]),
        (x, x * 0),
    )[0]


def test_what_no_step_changes_is_kept_once():
    """A residual that is computed from constants alone is no tape."""
    x = np.linspace(0.0, 1.0, 12, dtype=np.float32).reshape(4, 3)

    def last(a, x):
        def step(c, t):
            return c * weft.exp(a) + t * weft.sin(weft.tanh(a)[0]), weft.sum(c)

        c, ys = weft.scan(step, weft.zeros(3), x)
        return weft.sum(c) + weft.sum(ys)

    def unrolled(a, x):
        c = weft.zeros(3)
        total = 0.0
        for t in x:
            total = total + weft.sum(c)
            c = c * weft.exp(a) + t * weft.sin(weft.tanh(a)[0])
        return weft.sum(c) + total

    a = np.array([0.1, 0.2, 0.3], np.float32)
    slope = weft.grad(last, argnums=(0, 1))
    for got, want in zip(
        weft.jit(slope)(a, x),
        weft.jit(weft.grad(unrolled, argnums=(0, 1)))(a, x),
        strict=True,
    ):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    text = weft.jit(slope).lower(a, x).text("expanded", locations=False)
    # Of the loop's results only the carries of each step are a tape.
    tape = r"weft.scan length 4 carry.*-> \(tensor<3xf32>, tensor<4x3xf32>\) \{"
    assert len(re.findall(tape, text)) == 1
    second = weft.jit(weft.hessian(last))(a, x)
    np.testing.assert_allclose(
        second, weft.jit(weft.hessian(unrolled))(a, x), rtol=1e-4, atol=1e-4
    )


def test_an_array_that_only_the_condition_reads():
    ones = np.ones(3, np.float32)
    check(until_it_settles, ones, want=2 * ones)
    # Two steps back, in loops and in branches, and of large arrays.
    lagging = lambda x: weft.while_loop(  # noqa: E731
        lambda s: weft.sum(s[2]) < 5,
        lambda s: (s[0] * 1.5, s[0], s[1]),
        (x, x * 0, x * 0),
    )[0]
    check(lagging, ones, want=np.float32(1.5**4) * ones)
    check(
        lambda xs: weft.scan(lambda c, x: (c + until_it_settles(x), c), weft.zeros(3), xs)[0],
        np.stack([ones, 2 * ones]), want=6 * ones,
    )  # fmt: skip
    check(
        lambda p, x: weft.cond(p, until_it_settles, lambda x: x, x),
        True,
        ones,
        want=2 * ones,
    )
    big = np.full((300, 300), 1e-4, np.float32)
    check(lagging, big, want=np.float32(1.5**2) * big)


def test_a_counter_of_fewer_bits_than_its_bound():
    f = weft.jit(lambda n: weft.fori_loop(np.uint8(250), n, lambda i, x: x + i, 0))
    assert f(np.int64(300)).item() == sum(range(250, 300))


@pytest.mark.parametrize("reverse", [False, True])
def test_scan(reverse):
    def f(xs):
        return weft.scan(lambda c, x: (c * 0.5 + x, c[:2]), xs[0], xs, reverse=reverse)

    carry, ys = m34[0], []
    for x in m34[::-1] if reverse else m34:
        ys.append(carry[:2])
        carry = carry * np.float32(0.5) + x
    check(f, m34, want=(carry, np.stack(ys[::-1] if reverse else ys)))


def test_scan_without_xs_or_ys_or_carry():
    check(lambda x: weft.scan(lambda c, _: (c + x, None), x, length=4)[0], x5,
          want=x5 * 5)  # fmt: skip
    check(lambda x: weft.scan(lambda c, row: (c, row * 2), None, x)[1], m34,
          want=m34 * 2)  # fmt: skip
    check(lambda x: weft.scan(lambda c, _: (c, x), (), length=3)[1], x5,
          want=np.stack([x5] * 3))  # fmt: skip


def test_scan_of_length_zero():
    check(lambda x: weft.scan(lambda c, y: (c + y, c > y), 0, x), x5[:0],
          want=(np.float32(0), np.zeros(0, bool)))  # fmt: skip
    check(lambda x: weft.scan(lambda c, y: (c + y, c), x5[0], x), x5[:0],
          want=(x5[0], x5[:0]))  # fmt: skip


def test_scan_of_arrays_without_elements():
    empty = np.zeros((3, 0), np.float32)
    check(lambda x: weft.scan(lambda c, y: (c + weft.sum(y), y), 1.0, x), empty,
          want=(np.float32(1), empty))  # fmt: skip
    check(lambda x: weft.scan(lambda c, y: (c * 2, weft.sum(c)), x[0], x), empty,
          want=(empty[0], np.zeros(3, np.float32)))  # fmt: skip


@pytest.mark.parametrize("unroll", [1, 2, 3, 5, 100, True, False])
@pytest.mark.parametrize("reverse", [False, True])
def test_unrolling_changes_nothing(unroll, reverse):
    def f(x):
        step = lambda c, y: (c + y, (c, y * 2))  # noqa: E731
        last, (before, twice) = weft.scan(step, 0.0, x, reverse=reverse, unroll=unroll)
        return last, before, twice

    order = slice(None, None, -1 if reverse else 1)
    sums = np.add.accumulate(x5[order])
    before = np.concatenate([np.zeros(1, x5.dtype), sums[:-1]])[order]
    check(f, x5, want=(sums[-1], before, x5 * 2))
    gradient = weft.jit(weft.grad(lambda x: f(x)[0] ** 2))(x5)
    np.testing.assert_allclose(gradient, np.full(5, 2 * sums[-1]), rtol=1e-6)


@pytest.mark.parametrize("unroll", [None, 1, 2, 3, 100, True])
def test_unrolled_loops_within_loops(unroll):
    def step(i, s):
        return weft.fori_loop(0, 3, lambda j, t: t + i * j, s, unroll=unroll)

    check(lambda x: weft.fori_loop(0, 7, step, x, unroll=unroll), x5,
          want=x5 + np.float32(3 * 21))  # fmt: skip


@pytest.mark.parametrize(("unroll", "bodies"), [(1, 1), (4, 4 + 1), (7, 7), (100, 7)])
def test_so_many_steps_at_a_time(unroll, bodies):
    step = lambda c, _: (weft.sin(c), None)  # noqa: E731
    f = weft.jit(lambda x: weft.scan(step, x, length=7, unroll=unroll)[0])
    assert f.lower(x5).text("memref").count("math.sin") == bodies


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "uint64",
                                   "float32", "float64"])  # fmt: skip
def test_carries_of_each_dtype(dtype):
    x = (rng.standard_normal((6, 3)) * 3).astype(dtype)
    xor = dtype == "bool"

    def f(xs):
        def step(c, x):
            after = c ^ x if xor else c + x
            return after, (after, c[0])

        last, (all_, firsts) = weft.scan(step, xs[0], xs)
        return last, all_, firsts

    carry, ys, firsts = x[0], [], []
    for row in x:
        firsts.append(carry[0])
        carry = carry ^ row if xor else carry + row
        ys.append(carry)
    check(f, x, want=(carry, np.stack(ys), np.stack(firsts)))


def test_scan_of_trees():
    @dataclass
    class State:
        position: object
        velocity: object

    def f(x, v):
        def step(state, _):
            v = state.velocity - state.position * 0.1
            return State(state.position + v * 0.1, v), {"energy": weft.sum(v * v)}

        last, log = weft.scan(step, State(x, v), length=10)
        return last.position, last.velocity, log["energy"]

    x, v, energy = x5, x5 * np.float32(0.5), []
    for _ in range(10):
        v = v - x * np.float32(0.1)
        x = x + v * np.float32(0.1)
        energy.append(np.sum(v * v))
    check(f, x5, x5 * np.float32(0.5), want=(x, v, np.array(energy)))


def test_what_is_read_after_the_loop_is_not_overwritten():
    def f(x):
        y = x * 2
        last = weft.scan(lambda c, _: (c + 1, None), y, length=3)[0]
        again = weft.scan(lambda c, _: (c * 2, None), last, length=2)[0]
        return y, last, again

    y = x5 * np.float32(2)
    check(f, x5, want=(y, y + np.float32(3), (y + np.float32(3)) * np.float32(4)))


def test_two_results_that_begin_with_the_same_carry():
    def f(x):
        def step(c, _):
            a, b = c
            return (b, b), a

        return weft.scan(step, (x, x + 1), length=3)

    def flat(x):
        (a, b), ys = f(x)
        return a, b, ys

    one = x5 + np.float32(1)
    check(flat, x5, want=(one, one, np.stack([x5, one, one])))


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 6, 7])
def test_carries_that_rotate(steps):
    def f(a, b, c):
        def step(s, _):
            a, b, c = s
            return (b, c[::-1] + a, a), weft.sum(a)

        (a, b, c), ys = weft.scan(step, (a, b, c), length=steps)
        return a, b, c, ys

    a, b, c, ys = x5, x5 + np.float32(1), x5 * np.float32(3), []
    for _ in range(steps):
        ys.append(np.sum(a))
        a, b, c = b, c[::-1] + a, a
    check(f, x5, x5 + np.float32(1), x5 * np.float32(3), want=(a, b, c, np.array(ys)))


def test_a_choice_within_a_loop():
    def f(x):
        def step(c, i):
            even = i % 2 == 0
            return weft.cond(even, lambda y: y * 2, lambda y: y[::-1], c), even

        return weft.scan(step, x, weft.arange(5))

    carry = x5
    for i in range(5):
        carry = carry * np.float32(2) if i % 2 == 0 else carry[::-1]
    check(f, x5, want=(carry, np.array([True, False, True, False, True])))


def test_branches_that_swap():
    def f(x):
        def step(c, i):
            return weft.cond(i > 1, lambda a, b: (b, a), lambda a, b: (a, b + a), *c), i

        return weft.scan(step, (x, x * 2), weft.arange(4))[0]

    a, b = x5, x5 * np.float32(2)
    for i in range(4):
        a, b = (b, a) if i > 1 else (a, b + a)
    check(f, x5, want=(a, b))


def test_a_choice_within_a_choice_reads_what_it_replaces():
    def f(x):
        def step(c, _):
            small = lambda y: weft.cond(y[1] > 9, lambda z: z, lambda z: z + z[::-1], y)  # noqa: E731
            return weft.cond(c[0] > 9, lambda y: y, small, c), None

        return weft.scan(step, x, length=3)[0]

    x = np.abs(x5) * np.float32(0.1)
    once = x + x[::-1]
    check(f, x, want=once * np.float32(4))


def test_nested_loops():
    def f(x, w):
        def inner(c, y):
            return c * w + y, c

        def outer(c, row):
            c, ys = weft.scan(inner, c, row)
            return c, ys

        return weft.scan(outer, weft.sum(w) * 0 + x[0, 0], x)

    w = np.float32(0.5)
    carry, rows = m34[0, 0], []
    for row in m34:
        rows.append([])
        for y in row:
            rows[-1].append(carry)
            carry = carry * w + y
    check(f, m34, w, want=(carry, np.array(rows, np.float32)))


def test_nested_loops_over_arrays():
    def f(x):
        def outer(c, i):
            c = weft.fori_loop(0, i, lambda j, d: (d + d[::-1]) * 0.5 + j, c)
            return c, c

        return weft.scan(outer, x, weft.arange(4))

    carry, ys = x5, []
    for i in range(4):
        for j in range(i):
            carry = (carry + carry[::-1]) * np.float32(0.5) + np.float32(j)
        ys.append(carry)
    check(f, x5, want=(carry, np.stack(ys)))


def test_products_in_a_loop():
    a = (rng.standard_normal((4, 4)) * 0.5).astype(np.float32)
    check(lambda a: weft.scan(lambda c, _: (c @ a, weft.max(c, axis=0)), a, length=3)[0],
          a, want=a @ a @ a @ a)  # fmt: skip


def test_jitted_functions_are_called_in_bodies():
    twice = weft.jit(lambda x: x * 2)
    check(lambda x: weft.scan(lambda c, y: (twice(c) + y, twice(y)), 0.0, x), x5,
          want=(np.float32(sum(x * 2.0 ** (4 - i) for i, x in enumerate(x5))), x5 * 2))  # fmt: skip


# ---- fori ----


@pytest.mark.parametrize(("lower", "upper"), [(0, 5), (3, 4), (2, 2), (5, 1), (-2, 2)])
def test_fori_loop(lower, upper):
    want = x5
    for i in range(lower, upper):
        want = want + np.float32(i) * x5
    loop = lambda a, b, x: weft.fori_loop(a, b, lambda i, s: s + i * x, x)  # noqa: E731
    check(lambda x: loop(lower, upper, x), x5, want=want)
    check(loop, lower, upper, x5, want=want)


def test_a_carry_takes_the_fixed_point_of_its_dtypes():
    check(lambda x: weft.fori_loop(0, 3, lambda i, s: s + x[0], 0), x5,
          want=x5[0] + x5[0] + x5[0])  # fmt: skip
    # The first carry becomes a float after one step, the second after two.
    check(lambda x: weft.fori_loop(0, 3, lambda i, s: (s[1], s[0] + x[0]), (0, 0)), x5,
          want=(x5[0], x5[0] + x5[0]))  # fmt: skip
    check(lambda n: weft.fori_loop(0, n, lambda i, s: s + i, 0), np.int32(4),
          want=np.int64(6))  # fmt: skip


def test_values_at_hand_reach_into_bodies():
    def f(x):
        y = weft.scan(lambda c, _: (c * 2, None), x, length=3)[0]
        z = weft.cond(y > 7.5, lambda v: v * 3, lambda v: v, y)
        z = weft.while_loop(lambda v: v > 10, lambda v: v - 1, z)
        return z * x if float(z) > 9.5 else x

    assert float(weft.grad(lambda x: f(weft.stop_gradient(x)) * x)(1.0)) == 10.0


# ---- what is written where ----


def _loop_of(text):
    """The text of the outermost loop."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if "scf.for" in line)
    indent = len(lines[first]) - len(lines[first].lstrip())
    last = next(
        i for i, line in enumerate(lines[first + 1 :], first + 1)
        if line.startswith(" " * indent + "}")
    )  # fmt: skip
    return "\n".join(lines[first : last + 1])


STEPS = {
    "elementwise": lambda c: c * 1.5 + 1.0,
    "backwards": lambda c: c[::-1] * 1.5,
    "stencil": lambda c: weft.concatenate([c[1:], c[:1]]) + c,
    "choice": lambda c: weft.cond(c[0] > 1, lambda x: x + 1, lambda x: x, c),
    "inner loop": lambda c: weft.fori_loop(0, 2, lambda i, x: x + i, c),
    "update": lambda c: weft.dynamic_update_slice(
        c, c[:8] * 2, (c[0].astype("int32"),)
    ),
    "set": lambda c: c.at[c[1].astype("int32")].set(c[2] + 1),
    "add": lambda c: c.at[c[:8].astype("int32")].add(c[8:16]),
    "move": lambda c: weft.dynamic_update_slice(c, c[8:16], (c[0].astype("int32"),)),
    "shift": lambda c: c.at[1:9].set(c[:8]),
}


@pytest.mark.parametrize("unroll", [1, 3])
@pytest.mark.parametrize("name", STEPS)
def test_ten_thousand_steps_copy_no_carry(name, unroll):
    step = lambda c, _: (STEPS[name](c), c[0])  # noqa: E731
    f = weft.jit(lambda x: weft.scan(step, x, length=10_000, unroll=unroll))
    loop = _loop_of(
        f.lower(weft.ShapeDtypeStruct((262_144,), "float32")).text("memref")
    )
    assert not re.search(r"(memref|linalg)\.copy.*262144", loop), loop
    assert "memref.alloc" not in loop


@pytest.mark.parametrize("unroll", [1, 2])
def test_updates_by_parts_of_what_is_updated(unroll):
    def f(x):
        def step(c, i):
            c = c.at[1:].set(c[:-1])
            c = weft.dynamic_update_slice(c, c[1:3] + c[0], (i,))
            c = weft.dynamic_update_slice(c, c[2:4], (i - 1,))
            c = c.at[i].add(c[0])
            return c, c[2]

        return weft.scan(step, x, weft.arange(1, 5), unroll=unroll)

    want, ys = x5.copy(), []
    for i in range(1, 5):
        want[1:] = want[:-1].copy()
        want[min(i, 3) : min(i, 3) + 2] = want[1:3] + want[0]
        want[i - 1 : i + 1] = want[2:4].copy()
        want[i] += want[0]
        ys.append(want[2])
    check(f, x5, want=(want, np.array(ys)))


def test_the_gradient_of_ten_thousand_steps_copies_no_stack():
    step = lambda c, _: (weft.sin(c) * 1.5, None)  # noqa: E731
    f = weft.grad(lambda x: weft.sum(weft.scan(step, x, length=10_000)[0]))
    spec = weft.ShapeDtypeStruct((1000,), "float32")
    text = weft.jit(f).lower(spec).text("memref")
    assert "memref<10000x1000xf32>" in text
    assert not re.search(r"(memref|linalg)\.copy.*: memref<10000x1000xf32>", text), text
    assert not re.search(r"(fill|generic).*outs\([^)]*memref<10000x1000xf32>", text), (
        text
    )
    # The stack, and what the steps work in.
    assert int(re.search(r"arena_bytes = (\d+)", text)[1]) < 1.01 * 4 * 10_000 * 1000


def test_the_scratch_of_a_loop_does_not_grow_with_its_steps():
    f = weft.jit(
        lambda x: weft.scan(lambda c, _: (c[::-1] + 1, None), x, length=1000)[0]
    )
    text = f.lower(x5).text("memref")
    assert int(re.search(r"arena_bytes = (\d+)", text)[1]) <= 128


# ---- tapes ----

DYNAMIC = """
func.func @main(%n: tensor<i64>, %x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %last, %tape = weft.scan trips %n carry(%x)
      : (tensor<i64>, tensor<3xf32>) -> (tensor<3xf32>, tensor<?x3xf32>) {
  ^bb0(%c: tensor<3xf32>):
    %d = weft.add %c, %c : tensor<3xf32>
    weft.yield %d, %c : tensor<3xf32>, tensor<3xf32>
  }
  %zero = weft.constant dense<0.0> : tensor<3xf32>
  %sum = weft.scan trips %n reverse carry(%zero) over(%tape)
      : (tensor<i64>, tensor<3xf32>, tensor<?x3xf32>) -> tensor<3xf32> {
  ^bb0(%s: tensor<3xf32>, %c: tensor<3xf32>):
    %t = weft.add %s, %c : tensor<3xf32>
    weft.yield %t : tensor<3xf32>
  }
  return %last, %sum : tensor<3xf32>, tensor<3xf32>
}
"""


@pytest.mark.parametrize("trips", [-1, 0, 1, 7])
def test_tapes(trips):
    program = weft.parse(DYNAMIC)
    x = x5[:3]
    count = max(trips, 0)
    for run in (program.interpret, program.compile()):
        last, total = run(np.int64(trips), x)
        np.testing.assert_allclose(last, x * 2**count)
        np.testing.assert_allclose(total, x * (2**count - 1), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("trips", [2**44, 2**62, 2**63 - 1])
def test_a_tape_that_does_not_fit_is_an_error(trips):
    run = weft.parse(DYNAMIC).compile()
    with pytest.raises(weft.OutOfMemoryError, match="fewer steps"):
        run(np.int64(trips), x5[:3])
    np.testing.assert_allclose(run(np.int64(1), x5[:3])[0], x5[:3] * 2)


# ---- mistakes ----

x = weft.ones(3)
MISTAKES = {
    "not a function": (lambda: weft.cond(True, 1, lambda: 2), "true_fun is a int"),
    "no function": (lambda: weft.scan(None, 0, x), "f is a NoneType"),
    "predicate": (lambda: weft.cond(x > 0, lambda: 1, lambda: 2), "one bool"),
    "float predicate": (lambda: weft.cond(1.5, lambda: 1, lambda: 2), "a comparison"),
    "tree predicate": (lambda: weft.cond((1, 2), lambda: 1, lambda: 2), "a tuple"),
    "branch structure": (lambda: weft.cond(True, lambda: 1, lambda: (2, 3)),
                         "same structure"),
    "branch shape": (lambda: weft.cond(True, lambda: x, lambda: x[:2]),
                     "float32[2], true_fun ('<lambda>') float32[3]"),
    "branch dtype": (lambda: weft.switch(0, [lambda: x, lambda: x.astype("int32")]),
                     "int32[3]"),
    "branch result": (lambda: weft.cond(True, lambda: "a", lambda: x), "is a str"),
    "no branches": (lambda: weft.switch(0, []), "no branches"),
    "index": (lambda: weft.switch(1.0, [lambda: 1]), "one integer"),
    "carry structure": (lambda: weft.fori_loop(0, 2, lambda i, s: (s, s), x),
                        "with new values"),
    "carry shape": (lambda: weft.scan(lambda c, y: (x, y), 0.0, x), "float32[3]"),
    "carry dtype": (lambda: weft.while_loop(lambda s: s[0] < 3, lambda s: s + 0.5,
                                            weft.ones(2, dtype="int32")), ".astype"),
    "condition": (lambda: weft.while_loop(lambda s: s < 3, lambda s: s, x), "one bool"),
    "pair": (lambda: weft.scan(lambda c, y: c, 0.0, x), "a pair (carry, y)"),
    "negative length": (lambda: weft.scan(lambda c, y: (c, y), 0.0, length=-1),
                        "no negative numbers"),
    "no length": (lambda: weft.scan(lambda c, y: (c, y), 0.0), "give length"),
    "leading sizes": (lambda: weft.scan(lambda c, y: (c, y), 0.0, (x, x[:2])),
                      "xs[0] 3, xs[1] 2"),
    "length and xs": (lambda: weft.scan(lambda c, y: (c, y), 0.0, x, length=4),
                      "length 4"),
    "scalar xs": (lambda: weft.scan(lambda c, y: (c, y), 0.0, 1.0), "no leading axis"),
    "unroll": (lambda: weft.scan(lambda c, y: (c, y), 0.0, x, unroll=0), "at least 1"),
    "bound": (lambda: weft.fori_loop(0, 1.5, lambda i, s: s, 0), "one integer"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["while", "for"])
def test_signals_are_heard_in_loops(kind):
    """A handler that raises ends the call; after another the loop goes on."""
    code = f"""
import os, signal, sys, threading, time
import weft

def endless(x):
    if {kind == "while"}:
        return weft.while_loop(lambda c: weft.all(c < 1e9), weft.sin, x)
    return weft.fori_loop(0, 10**12, lambda i, c: weft.sin(c), x)

def until(x, most):
    return weft.while_loop(lambda c: c < most, lambda c: c + 1, x)

def kill(number):
    threading.Timer(0.5, lambda: os.kill(os.getpid(), number)).start()

heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
most = 10**9
kill(signal.SIGUSR1)
while not heard:
    assert weft.jit(until)(0, most) == most

# What begins this in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
x = weft.ones(10)
f = weft.jit(endless)
kill(signal.SIGINT)
try:
    f(x)
except KeyboardInterrupt:
    print("interrupted", float(weft.sum(weft.jit(lambda x: x + 1)(x))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip
    assert done.stdout == "interrupted 20.0\n", done.stderr


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_at_the_users_line(name, traced):
    mistake, message = MISTAKES[name]
    with pytest.raises(weft.WeftError) as caught:
        weft.jit(mistake)() if traced else mistake()
    assert message in str(caught.value)
    assert re.match(r"\S*test_control\.py:\d+: ", str(caught.value))


def test_a_body_that_fails_leaves_nothing_behind():
    @weft.jit
    def f(x):
        with contextlib.suppress(weft.ShapeError):
            weft.scan(lambda c, y: (c[:2], y), x, x)
        return weft.scan(lambda c, y: (c + y, None), x, x)[0]

    np.testing.assert_allclose(f(x5[:3]), x5[:3] + x5[0] + x5[1] + x5[2], rtol=1e-6)
    assert "func private" not in f.lower(x5[:3]).text()


# ---- derivatives of what a stack does not choose ----

POINTS = np.array([0.0, -1.0, 4.0, 30.0])


def _summed(f):
    """The derivative of the sum over a stack: each element's own."""
    return weft.grad(lambda *xs: weft.sum(weft.vmap(f)(*xs)))


@pytest.mark.parametrize("jit", [weft.jit, lambda f: f], ids=["jit", "eager"])
def test_branches_that_are_not_taken_have_no_derivative(jit):
    """Of the root that is not taken at 0, it would be infinity times zero."""

    def either(y):
        return weft.cond(y > 0, weft.sqrt, lambda y: 3.0 * y, y)

    def one_of_three(y):
        index = weft.astype(y > 0, "int64") + weft.astype(y > 5, "int64")
        return weft.switch(index, [lambda y: 3.0 * y, weft.sqrt, lambda y: y / 2], y)

    root = 0.5 / np.sqrt(4.0)
    want = [3, 3, root, 0.5 / np.sqrt(30.0)]
    np.testing.assert_allclose(jit(_summed(either))(POINTS), want)
    np.testing.assert_allclose(jit(_summed(one_of_three))(POINTS), [3, 3, root, 0.5])


def test_what_all_share_has_the_derivative_of_those_that_use_it():
    def f(y, p):
        return weft.cond(
            y > 0, lambda y: weft.sqrt(p[0] * y), lambda y: p[0] * y + p[1], y
        )

    def loss(p):
        return weft.sum(weft.vmap(f, in_axes=(0, None))(POINTS, p))

    g = weft.jit(weft.grad(loss))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(g, [-1 + 0.5 * (2 + np.sqrt(30)), 2])
    h = weft.jit(weft.hessian(loss))(np.array([1.0, 2.0]))
    np.testing.assert_allclose(h, [[-0.25 * (2 + np.sqrt(30)), 0], [0, 0]])


def test_loops_that_have_ended_have_no_derivative():
    def halved(y, p):
        return weft.while_loop(lambda s: s > 1, lambda s: weft.sqrt(p * (s - 1)), y)

    def some(n, y, p):
        return weft.fori_loop(0, n, lambda _, s: weft.sqrt(p * (s - 1)), y)

    ys, p = np.array([3.0, 1.0, 0.5, 30.0]), np.float64(1)
    counts = np.array([1, 0, 0, 2])
    for f, xs in ((halved, (ys,)), (some, (counts, ys))):
        by_y, by_p = weft.jit(
            weft.grad(
                lambda y, p, f=f, xs=xs: weft.sum(
                    weft.vmap(f, in_axes=(0,) * len(xs) + (None,))(*xs[:-1], y, p)
                ),
                argnums=(0, 1),
            )
        )(ys, p)
        each = [
            weft.grad(lambda y, p, f=f, x=x: f(*x[:-1], y, p), argnums=(0, 1))(x[-1], p)
            for x in zip(*xs, strict=True)
        ]
        np.testing.assert_allclose(by_y, [float(y) for y, _ in each])
        np.testing.assert_allclose(by_p, sum(float(p) for _, p in each))


def test_parts_put_beside_what_no_step_changes():
    # The insertion of `first` leaves the loop; what is carried must not be put
    # back into a buffer that has been given its elements.
    first, x = rng.standard_normal((2, 13, 3)).astype(np.float32)

    def steps(first, x):
        def step(x, _):
            x = weft.concatenate([first[:, :2], x[:, 2:]], 1)
            return x, weft.sort(x, 0)

        return weft.scan(step, x, None, length=3)

    want = np.concatenate([first[:, :2], x[:, 2:]], 1)
    check(steps, first, x, want=(want, np.stack([np.sort(want, 0)] * 3)))
    last = weft.jit(lambda *xs: steps(*xs)[0])(first, x)
    np.testing.assert_array_equal(last, want)


def test_what_is_yielded_and_changed():
    # `y` is needed as it is beside its change: it must not be computed in the
    # buffer of `x`, of which it reads other elements.
    x = rng.standard_normal(300).astype(np.float32)
    places = rng.integers(0, 300, 300)

    def steps(read):
        def f(x):
            def step(_, carry):
                x, y = carry
                y = y + read(x)
                return y.at[0].set(0), y

            return weft.fori_loop(0, 3, step, (x, x))

        return f

    for read, numpys in [
        (lambda x: x[places], lambda x: x[places]),
        (lambda x: weft.roll(x, 1), lambda x: np.roll(x, 1)),
        (lambda x: weft.pad(x[1:], (0, 1)), lambda x: np.pad(x[1:], (0, 1))),
    ]:
        changed = y = x
        for _ in range(3):
            y = y + numpys(changed)
            changed = y.copy()
            changed[0] = 0
        check(steps(read), x, want=(changed, y))
        emulated = weft.jit(steps(read))(weft.asarray(x, device="cuda-sim"))
        for found, wanted in zip(emulated, (changed, y), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=1e-6)
