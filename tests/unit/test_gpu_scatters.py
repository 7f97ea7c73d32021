"""Scattering on the emulated GPU: the bits are those of the CPU's loops.

But for sums of floats of which hundreds meet at one place.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_long_sorts import bits

import weft
from test_gpu_assembly import complaints, needs_ptxas
from weft.cuda.memory import Memory
from weft.cuda.run import Executable
from weft.cuda.simulator import Simulator

pytestmark = pytest.mark.thorough

RNG = np.random.default_rng(0)

# So few updates are taken in turn, so many are sorted.
IN_TURN, SORTED = 9, 200

MODES = ("set", "add", "multiply", "min", "max")

DTYPES = [
    weft.float32, weft.float64, weft.float16, weft.bfloat16, weft.float8_e4m3fn,
    weft.complex64, weft.int8, weft.uint8, weft.int64, weft.uint64, weft.bool,
]  # fmt: skip


def check(f: Callable[..., Any], *args: Any) -> None:
    f = weft.jit(f)
    found = f(*[weft.asarray(x, device="cuda-sim") for x in args])
    meant = f(*args)
    assert found.dtype == meant.dtype
    np.testing.assert_array_equal(bits(found), bits(meant))


def drawn(shape: tuple[int, ...], dtype: Any = weft.float32) -> np.ndarray:
    """Numbers whose sums are rounded, or wrap; some are NaN."""
    x = RNG.normal(size=shape) * 100
    if np.dtype(dtype).kind not in "iub":
        x[RNG.random(shape) < 0.01] = np.nan
    with np.errstate(invalid="ignore"):
        return x.astype(np.dtype(dtype))


def indices(count: int, size: int) -> np.ndarray:
    """Some of them outside of what they index."""
    return RNG.integers(-size - 2, size + 3, count)


@pytest.mark.parametrize("count", [1, IN_TURN, SORTED])
@pytest.mark.parametrize("mode", MODES)
def test_modes(mode: str, count: int) -> None:
    def f(x: Any, i: Any, y: Any) -> Any:
        return getattr(x.at[i], mode)(y)

    i = indices(count, 30)
    check(f, drawn((30, 5)), i, drawn((count, 5)))
    check(f, drawn((30,)), i, drawn((count,)))


@pytest.mark.parametrize("count", [IN_TURN, SORTED])
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
def test_dtypes(dtype: Any, count: int) -> None:
    only_set = dtype in (weft.bool, weft.float8_e4m3fn)
    modes = ("set",) if only_set else ("set", "add")
    for mode in modes:
        check(
            lambda x, i, y, mode=mode: getattr(x.at[i], mode)(y),
            drawn((12, 3), dtype), indices(count, 12), drawn((count, 3), dtype),
        )  # fmt: skip


@pytest.mark.parametrize("count", [IN_TURN, SORTED])
def test_places(count: int) -> None:
    x, i, j = drawn((7, 4, 6)), indices(count, 7), indices(count, 6)
    check(lambda x, i, y: x.at[:, :, i].add(y), x, j, drawn((7, 4, count)))
    check(lambda x, i, j, y: x.at[i, :, j].add(y), x, i, j, drawn((count, 4)))
    check(lambda x, i, y: x.at[i, 2].add(y), x, i, drawn((count, 6)))
    check(lambda x, i, y: x.at[i, 1:3].set(y), x, i, drawn((count, 2, 6)))
    check(lambda x, i: x.at[i[:, None], i[None, :5] % 4].add(1), x, i)


@pytest.mark.parametrize("count", [IN_TURN, SORTED])
def test_batches(count: int) -> None:
    def f(x: Any, i: Any, y: Any) -> Any:
        return x.at[i].add(y)

    x, y = drawn((3, 8, 2)), drawn((3, count, 2))
    i = RNG.integers(-9, 10, (3, count))
    check(weft.vmap(f), x, i, y)
    check(weft.vmap(weft.vmap(f, (1, None, 1), 1), (0, 0, 0)), x, i, y)


@pytest.mark.parametrize("count", [IN_TURN, SORTED])
def test_slices_that_overlap(count: int) -> None:
    # What the derivative of slices at many places is: several places each.
    def loss(x: Any, i: Any, w: Any) -> Any:
        slices = weft.vmap(lambda i: weft.dynamic_slice(x, (i, 0), (3, 2)))(i)
        return weft.sum(slices * w)

    check(weft.grad(loss), drawn((20, 4)), indices(count, 20), drawn((count, 3, 2)))


def test_derivatives_and_sums_of_segments() -> None:
    def loss(table: Any, i: Any, w: Any) -> Any:
        return weft.sum(weft.take(table, i, axis=0) * w)

    i = RNG.integers(0, 40, (6, 50))
    check(weft.grad(loss), drawn((40, 16)), i, drawn((6, 50, 16)))
    check(lambda i: weft.bincount(i, length=40), i.ravel())
    check(lambda i, y: weft.zeros(3).at[i].add(y), i.ravel() % 3, drawn((300,)))


def test_in_loops_and_beside_other_ops() -> None:
    def body(carry: Any, row: Any) -> Any:
        carry = carry.at[row].add(1.5)
        return carry, weft.sum(carry * carry)

    # Within loops launches must pay for more.
    i = indices(6 * SORTED, 20).reshape(3, 2 * SORTED)
    check(lambda i: weft.scan(body, weft.zeros((20,)), i)[0], i)
    check(
        lambda x, i, y: weft.tanh(weft.exp(x).at[i + 1].add(y * 2) - 1),
        drawn((40, 3)), i[0], drawn((2 * SORTED, 3)),
    )  # fmt: skip


def crowded(count: int, size: int) -> np.ndarray:
    """Most of them one and the same."""
    i = indices(count, size)
    i[RNG.random(count) < 0.7] = 3
    return i


# Of so many at one place, parts are combined first: more than one part, one,
# and parts that begin and end within the runs of others.
@pytest.mark.parametrize("count", [2048, 2500, 5000])
@pytest.mark.parametrize("width", [(), (3,)])
def test_parts_of_what_has_no_order(count: int, width: tuple[int, ...]) -> None:
    for dtype in (weft.int8, weft.uint64):
        i, x = crowded(count, 300), drawn((300, *width), dtype)
        y = drawn((count, *width), dtype) | np.dtype(dtype).type(1)
        for mode in ("add", "multiply", "max"):
            check(lambda x, i, y, m=mode: getattr(x.at[i], m)(y), x, i, y)
    for mode in ("set", "min", "max"):
        x, y = drawn((300, *width)), drawn((count, *width))
        check(lambda x, i, y, m=mode: getattr(x.at[i], m)(y), x, i, y)
    check(lambda i: weft.bincount(i, length=5), np.abs(i) % 5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
@pytest.mark.parametrize("shape", [(300,), (300, 3)], ids=str)
def test_parts_of_sums(shape: tuple[int, ...], dtype: str) -> None:
    i = crowded(5000, 300)
    y = RNG.normal(size=(5000, *shape[1:])).astype(np.dtype(getattr(weft, dtype)))
    x = np.zeros(shape, y.dtype)
    f = weft.jit(lambda x, i, y: x.at[i].add(y))
    found = np.asarray(f(*[weft.asarray(a, device="cuda-sim") for a in (x, i, y)]))
    on_cpu = np.asarray(f(x, i, y))
    few = np.arange(300) != 3
    np.testing.assert_array_equal(bits(found[few]), bits(on_cpu[few]))
    # Parts are not less accurate than one long sum: their own sums are shorter.
    exact = y.astype(np.complex128)[(i == 3) | (i == 3 - 300)].sum(0)
    bound = 5000 * np.finfo(np.float32).eps + (2**-8 if dtype == "bfloat16" else 0)
    assert np.all(np.abs(found[3] - exact) <= bound * np.maximum(np.abs(exact), 50))


def test_parts_in_batches() -> None:
    x, y = np.zeros((2, 4, 2), np.int32), RNG.integers(-99, 99, (2, 3000, 2))
    i = RNG.integers(0, 3, (2, 3000))
    check(weft.vmap(lambda x, i, y: x.at[i].add(y)), x, i, y.astype(np.int32))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 5), st.integers(1, 300), st.sampled_from(MODES)
)
def test_any_sizes(size: int, width: int, count: int, mode: str) -> None:
    check(
        lambda x, i, y: getattr(x.at[i], mode)(y),
        drawn((size, width)), indices(count, size), drawn((count, width)),
    )  # fmt: skip


@pytest.mark.slow
def test_more_than_a_tile() -> None:
    i = indices(6000, 700)
    check(lambda x, i, y: x.at[i].add(y), drawn((700, 3)), i, drawn((6000, 3)))


@pytest.mark.parametrize("count", [IN_TURN, SORTED])
def test_no_order_of_threads_matters(count: int) -> None:
    # A thorough run looks for races, and compares what each order leaves.
    simulator = Simulator(schedules=2, thorough=True)
    args = drawn((10, 4)), indices(count, 10), drawn((count, 4))
    f = weft.jit(lambda x, i, y: x.at[i].add(y))
    lowered = f.lower(*args, device="cuda-sim")
    run = Executable(lowered.program.plan, simulator, lowered.text("nvvm"), [])
    (result,) = run([Memory.of(simulator, x) for x in args])
    np.testing.assert_array_equal(result.numpy(), np.asarray(f(*args)))


def embedding_gradient(i: Any, ct: Any) -> Any:
    return weft.zeros((30000, 256), ct.dtype).at[i].add(ct)


def test_the_shapes_decide() -> None:
    def sorts(tokens: int) -> bool:
        i = weft.ShapeDtypeStruct((tokens,), "int64")
        ct = weft.ShapeDtypeStruct((tokens, 256), "float32")
        lowered = weft.jit(embedding_gradient).lower(i, ct, device="sm_90a")
        return "argsort" in lowered.text("linalg")

    # Sorting pays for what many threads do: a few updates are taken in turn.
    assert not sorts(64)
    assert sorts(4096)


@needs_ptxas
@pytest.mark.parametrize("count", [64, 4096])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_nothing_is_spilled(dtype: str, count: int, tmp_path: Path) -> None:
    i = weft.ShapeDtypeStruct((count,), "int64")
    ct = weft.ShapeDtypeStruct((count, 256), np.dtype(getattr(weft, dtype)))
    lowered = weft.jit(embedding_gradient).lower(i, ct, device="sm_90a")
    text = lowered.text("ptx", locations=False)
    assert not complaints(text, "sm_90a", tmp_path)
