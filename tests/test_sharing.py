"""Random programs of whole numbers whose values share memory, or look as if they could.

Parts of arrays are read while arrays that they are parts of are updated, in loops and
branches, with inputs that are donated. All sums are exact, so that results are those of
the references to the bit, on the CPU and on the emulated GPU.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft
from test_programs import few

pytestmark = pytest.mark.thorough

Step = tuple[int, int, int, int]


def index(x: Any) -> Any:
    return weft.abs(x).astype("int32")


def common(x: Any, y: Any) -> tuple[int, int]:
    return min(x.shape[0], y.shape[0]), min(x.shape[1], y.shape[1])


def corner(x: Any, m: int, n: int, last: int) -> Any:
    return x[-m:, -n:] if last else x[:m, :n]


def write(x: Any, y: Any, k: int) -> Any:
    """Writes a corner of one array into another, somewhere."""
    m, n = common(x, y)
    i, j = k % (x.shape[0] - m + 1), k % (x.shape[1] - n + 1)
    return x.at[i : i + m, j : j + n].set(corner(y, m, n, k % 2))


def write_every_other(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)
    half = x[:m, :n:2].shape[1]
    return x.at[:m, :n:2].add(y[:m, :half])


def write_at(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)
    return weft.dynamic_update_slice(x, y[:m, :n], (index(weft.sum(y)) % 5, k % 3))


def read_at(x: Any, y: Any, k: int) -> Any:
    size = (max(x.shape[0] // 2, 1), x.shape[1])
    return weft.dynamic_slice(x, (index(y[0, 0]) % x.shape[0], 0), size)


def pick(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)
    return weft.where(x[:m, :n] > y[:m, :n], x[:m, :n], corner(y, m, n, 1))


def join(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)
    if k % 3 == 0:
        return weft.reshape(weft.stack([x[:m, :n], y[:m, :n]], k % 2), (2 * m, n))
    return weft.concat([x[:, :n], y[:, :n]] if k % 2 else [x[:m], y[:m]], (k + 1) % 2)


def product(x: Any, y: Any, k: int) -> Any:
    n = min(x.shape[1], y.shape[1])
    return (x[:, :n] @ y[:, :n].T) % 7


STRAIGHT: list[Callable[[Any, Any, int], Any]] = [
    write,
    write_every_other,
    write_at,
    read_at,
    pick,
    join,
    product,
    lambda x, y, k: corner(x, *common(x, y), k % 2) + corner(y, *common(x, y), 0),
    lambda x, y, k: -x,
    lambda x, y, k: x.T,
    lambda x, y, k: weft.reshape(x, (x.shape[1], x.shape[0])),
    lambda x, y, k: weft.pad(x, ((k % 3, 1), (k % 4, 0))),
    lambda x, y, k: weft.roll(x, k - 3, k % 2),
    lambda x, y, k: x[:: 1 + k % 2, k % x.shape[1] :],
    lambda x, y, k: x[::-1, : 1 + k % x.shape[1]],
    lambda x, y, k: x[index(y[:, 0]) % x.shape[0]],
    lambda x, y, k: x.at[index(y[:, 0]) % x.shape[0]].add(y[:, :1]),
    lambda x, y, k: x + weft.sum(x, k % 2, keepdims=True),
    lambda x, y, k: weft.cumsum(x, k % 2),
    lambda x, y, k: weft.sort(x, k % 2),
    lambda x, y, k: weft.tile(x, (1, 2)),
]


def straight(x: Any, y: Any, k: int) -> Any:
    return STRAIGHT[k % len(STRAIGHT)](x, y, k // 3).astype(x.dtype)


def over(x: Any, y: Any, k: int) -> Any:
    """An array with what a step makes of it written over a corner."""
    new = straight(x, y, k)
    m, n = common(x, new)
    return x.at[:m, :n].set(new[:m, :n])


def repeat(x: Any, y: Any, k: int) -> Any:
    return weft.fori_loop(0, k % 4, lambda i, c: over(c, y, k) + i.astype(x.dtype), x)


def swap(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)

    def body(state: Any, i: Any) -> Any:
        a, b = state
        return (b, over(a, b, k) + i if k % 2 else a + i), b[-1]

    steps = weft.arange(1 + k % 4, dtype=x.dtype)
    state, rows = weft.scan(body, (x[:m, :n], corner(y, m, n, 1)), steps)
    return [*state, rows][k % 3]


def along(x: Any, y: Any, k: int) -> Any:
    def body(state: Any, row: Any) -> Any:
        new = over(state, row[None], k)
        return new, (new[-1] + state[0] if k % 2 else state[0])

    state, rows = weft.scan(body, x, y)
    return rows if k % 3 == 0 else state


def until(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)

    def body(state: Any) -> Any:
        i, a, b = state
        return i + 1, b, over(a, b, k)

    start = (0, x[:m, :n], corner(y, m, n, 1))
    return weft.while_loop(lambda state: state[0] < k % 5, body, start)[1 + k % 2]


def choose(x: Any, y: Any, k: int) -> Any:
    m, n = common(x, y)
    branches = [
        lambda a, b: a,
        lambda a, b: b,
        lambda a, b: over(a, b, k),
        lambda a, b: over(b, a, k),
    ]
    first, second = branches[k % 4], branches[k // 4 % 4]
    return weft.cond(
        weft.sum(x) % 2 == 0, first, second, corner(x, m, n, k % 2), y[:m, :n]
    )


TABLE = [straight, straight, straight, write, repeat, swap, along, until, choose]


def build(steps: list[Step]) -> Callable[..., Any]:
    """The function of some matrices that the steps describe."""

    def program(*args: Any) -> Any:
        values = list(args)
        for which, i, j, k in steps:
            x, y = values[i % len(values)], values[j % len(values)]
            if x.size == 0 or y.size == 0:
                continue
            new = TABLE[which % len(TABLE)](x, y, k).astype(x.dtype)
            values.append(new[:24, :24])
        return values[-1], values[len(values) // 2], values[-1 - len(values) // 3]

    return program


SHAPES = [(4, 6), (3, 8), (7, 2)]
numbers = st.integers(0, 1000)
programs = st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=9)


def inputs() -> list[np.ndarray]:
    random = np.random.default_rng(7)
    return [random.integers(-9, 10, shape).astype(np.int32) for shape in SHAPES]


def check(steps: list[Step], device: str, donated: int = 0) -> None:
    program = build(steps)
    wanted = weft.jit(program).interpret(*inputs())
    numbers = tuple(i for i in range(len(SHAPES)) if donated >> i & 1)
    compiled = weft.jit(program, donate_argnums=numbers)
    given = [weft.asarray(x, device=device) for x in inputs()]
    for got, want in zip(compiled(*given), wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


@pytest.mark.filterwarnings("ignore:.*donated")
@few(150)
@given(programs, st.integers(0, 7))
def test_values_are_those_of_the_references(steps: list[Step], donated: int) -> None:
    check(steps, "cpu", donated)


@few(40)
@given(programs)
def test_values_on_the_emulated_gpu(steps: list[Step]) -> None:
    check(steps, "cuda-sim")


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore:.*donated")
@settings(few(3000), derandomize=False)
@given(programs, st.integers(0, 7))
def test_many_values(steps: list[Step], donated: int) -> None:
    check(steps, "cpu", donated)


@pytest.mark.fuzz
@settings(few(1000), derandomize=False)
@given(programs)
def test_many_values_on_the_emulated_gpu(steps: list[Step]) -> None:
    check(steps, "cuda-sim")


# ---- what such programs have found ----


def same(function: Callable[..., Any], *args: Any, **options: Any) -> None:
    jitted = weft.jit(function, **options)
    wanted = weft.tree.flatten(jitted.interpret(*args))[0]
    for device in ("cpu", "cuda-sim"):
        given = [weft.asarray(np.array(x), device=device) for x in args]
        got = weft.tree.flatten(jitted(*given))[0]
        for x, want in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(x), np.asarray(want))


def whole(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape) % 11 - 4


@pytest.mark.parametrize("condition", [False, True])
def test_a_choice_between_parts(condition: bool) -> None:
    def choose(p: Any, x: Any, i: Any) -> Any:
        rows = weft.dynamic_slice(x, (i, 0), (4, 16))
        return weft.cond(p, lambda a, b: a, lambda a, b: b, x[:4], rows)

    def of_transposed(p: Any, x: Any) -> Any:
        y = weft.cond(p, lambda a, b: a, lambda a, b: b, x[:4].T, x[4:].T)
        return weft.sum(y, 0) + y

    same(choose, condition, whole(8, 16), 3)
    same(of_transposed, condition, whole(8, 16))


def test_a_part_of_what_is_updated_is_read_before() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        return weft.pad(y, ((1, 2), (8, 0))).at[3:, :20].set(y)

    same(f, whole(16, 20))


def test_a_product_comes_before_what_reads_it_by_indices() -> None:
    def f(x: Any) -> Any:
        return ((x @ x.T) % 7)[np.array([1, 0, 1, 2, 1])][:, np.array([0, 2, 1])]

    same(f, whole(3, 8))


@pytest.mark.filterwarnings("ignore:.*donated")
@pytest.mark.parametrize("steps", [2, 3])
def test_donated_arrays_change_places(steps: int) -> None:
    def swap(a: Any, b: Any) -> Any:
        def body(state: Any, i: Any) -> Any:
            return (state[1], state[0] + i), None

        (c, d), _ = weft.scan(body, (a, b), weft.arange(steps, dtype="int32"))
        return (c, d) if steps == 2 else (d, c)

    # What the loop begins with lies where another part of it ends, or is read there.
    same(lambda a, b: swap(b[:2, :3], a), whole(2, 3), whole(3, 9), donate_argnums=0)
    same(
        lambda a, b: swap(b.at[index(a[:, 0]) % 4].add(a), b),
        whole(4, 3), whole(4, 3) * 2, donate_argnums=0,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*donated")
def test_a_donated_array_is_read_before_what_replaces_it() -> None:
    def f(a: Any, b: Any) -> Any:
        first = b[:, 6:] + a[:3]
        padded = weft.pad(a, ((0, 1), (0, 0)))
        c = weft.concat([first, b[:2].T[:4]])

        def body(i: Any, x: Any) -> Any:
            return x.at[:3].set(x[2:5]) + i.astype("int32")

        return weft.fori_loop(0, 3, body, c), padded

    same(f, whole(7, 2), whole(3, 8), donate_argnums=0)


def test_what_a_small_loop_leaves_in_one_of_two_buffers() -> None:
    def f(a: Any, b: Any, z: Any) -> Any:
        def body(state: Any) -> Any:
            i, a, b = state
            return i + 1, b, a + b

        _, c, d = weft.while_loop(lambda state: state[0] < 3, body, (0, a, b))
        return (z @ z)[:6, :6] + c, weft.sort(d[2:], 0), c, d.at[:, 0].set(c[0])

    same(f, whole(6, 6), whole(6, 6) * 3, whole(200, 200))
