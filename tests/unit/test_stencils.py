"""Arrays put together of others, and updates of their insides: rolled, padded, set."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft

# So many elements that loops are split and margins are copied.
SHAPES = [(4096,), (5000,), (64, 64), (67, 131), (17, 16, 16), (5, 9, 10, 11)]
MODES = ["constant", "edge", "wrap", "reflect", "symmetric"]
RANDOM = np.random.default_rng(0)


def whole(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Small whole numbers, of which sums are exact in any order."""
    return RANDOM.integers(-8, 8, shape).astype(dtype)


class Numpy:
    """What programs of both call, as NumPy has it."""

    @staticmethod
    def set(x: np.ndarray, place: Any, value: Any) -> np.ndarray:
        x = np.array(x)
        x[place] = value
        return x

    @staticmethod
    def add(x: np.ndarray, place: Any, value: Any) -> np.ndarray:
        x = np.array(x)
        x[place] += value
        return x

    @staticmethod
    def loop(steps: int, body: Any, x: Any) -> Any:
        for _ in range(steps):
            x = body(x)
        return x

    roll, pad, flip, concatenate = np.roll, np.pad, np.flip, np.concatenate
    where, maximum = np.where, np.maximum


class Weft:
    """The same of Weft."""

    @staticmethod
    def set(x: weft.Array, place: Any, value: Any) -> weft.Array:
        return x.at[place].set(value)

    @staticmethod
    def add(x: weft.Array, place: Any, value: Any) -> weft.Array:
        return x.at[place].add(value)

    @staticmethod
    def loop(steps: int, body: Any, x: Any) -> Any:
        return weft.fori_loop(0, steps, lambda _, x: body(x), x)

    roll, pad, flip = weft.roll, weft.pad, weft.flip
    concatenate = weft.concatenate
    where, maximum = weft.where, weft.maximum


def check(program: Any, *xs: np.ndarray) -> None:
    """Of a program `program(library, *xs)`; its arguments stay what they are."""
    want = program(Numpy, *xs)
    before = [x.copy() for x in xs]
    got = weft.jit(lambda *xs: program(Weft, *xs))(*xs)
    if not isinstance(want, tuple):
        want, got = (want,), (got,)
    for x, y in zip(got, want, strict=True):
        np.testing.assert_array_equal(np.asarray(x), y)
    for x, y in zip(xs, before, strict=True):
        np.testing.assert_array_equal(x, y)


@st.composite
def pictures(draw: st.DrawFn) -> tuple[tuple[int, ...], list[Any]]:
    """A shape, and how arrays of it are made of one: (kind, axis, numbers)."""
    shape = draw(st.sampled_from(SHAPES))
    made = []
    for _ in range(draw(st.integers(1, 3))):
        axis = draw(st.integers(0, len(shape) - 1))
        size = shape[axis]
        kind = draw(st.sampled_from(["roll", "roll2", "join", "flip", *MODES]))
        number = draw(st.sampled_from([0, 1, -1, 2, size // 2, size - 1]))
        other = draw(st.sampled_from([1, 2, -1]))
        made.append((kind, axis, number % size, other))
    return shape, made


def picture(xp: Any, x: Any, made: Any) -> Any:
    kind, axis, number, other = made
    lead = (slice(None),) * axis
    if kind == "roll":
        return xp.roll(x, number, axis)
    if kind == "roll2":
        return xp.roll(xp.roll(x, number, axis), other, (axis + 1) % x.ndim)
    if kind == "flip":
        return xp.flip(x, axis)
    if kind == "join":
        parts = [x[(*lead, slice(number, None))], x[(*lead, slice(None, number))]]
        return xp.concatenate([part * other for part in parts], axis=axis)
    # A window of a padded array.
    margin = min(2, x.shape[axis] - 1)
    widths = [(0, 0)] * x.ndim
    widths[axis] = (margin, margin)
    start = number % (2 * margin + 1)
    padded = xp.pad(x, widths, mode=kind)
    return padded[(*lead, slice(start, start + x.shape[axis]))]


@settings(max_examples=60, deadline=None)
@given(pictures(), st.booleans())
def test_what_is_read_of_neighbours(drawn: Any, takes_steps: bool) -> None:
    shape, made = drawn

    def step(xp: Any, x: Any) -> Any:
        total = x
        for each in made:
            total = total - 2 * picture(xp, x, each)
        return xp.where(total > 9, total - 7, xp.maximum(total, -9))

    def program(xp: Any, x: Any) -> Any:
        if takes_steps:
            return xp.loop(3, lambda x: step(xp, x), x)
        # One that is put together for something else, too.
        return step(xp, x), picture(xp, x, made[0])

    check(program, whole(*shape))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3))
def test_insides_that_are_set(shape: Any, before: int, after: int, steps: int) -> None:
    inside = tuple(slice(before, size - after) for size in shape)

    def new(x: Any) -> Any:
        total: Any = 0
        for axis in range(len(shape)):
            for end in (0, before + after):
                place = list(inside)
                stop = shape[axis] - (before + after) + end
                place[axis] = slice(end, stop)
                total = total + x[tuple(place)]
        return total // 2

    def program(xp: Any, x: Any) -> Any:
        def step(carried: Any) -> Any:
            x, y = carried
            z = xp.set(x, inside, new(x))
            return xp.add(z, inside, y[inside]), x

        return xp.loop(steps, step, (x, x + 1))

    check(program, whole(*shape, dtype="int32"))


@pytest.mark.parametrize("shape", [(64, 64), (3, 5000)])
def test_boundaries_that_are_set_before_they_are_read(shape: Any) -> None:
    """The parts of the result read what an update has made of the carry's buffer."""

    def program(xp: Any, x: Any) -> Any:
        def step(x: Any) -> Any:
            v = xp.set(x, slice(0, 1), x[1:2])
            w = xp.set(v, (slice(None), slice(-1, None)), v[:, :1])
            return xp.roll(w, -1, 1) - xp.roll(w, 2, 0) + xp.roll(v, 1, 0)

        return xp.loop(3, step, x)

    check(program, whole(*shape))


def test_what_two_loops_begin_with() -> None:
    """The parts of an array are read again after the first loop changed it."""

    def program(xp: Any, x: Any) -> Any:
        start = xp.roll(x, 1, 0) - xp.roll(x, 2, 0)

        def step(x: Any) -> Any:
            return xp.maximum(xp.set(x, (slice(None), 0), x[:, 0] * 2), -99)

        return xp.loop(2, lambda x: x + 1, start), xp.loop(2, step, start), start

    check(program, whole(64, 100))


def test_updates_at_known_places() -> None:
    def program(xp: Any, x: Any, y: Any) -> Any:
        a = xp.set(x, (slice(1, None), slice(None, -1)), x[:-1, 1:])
        b = xp.add(a, (2, slice(3, 9)), y[:6])
        c = xp.set(b, (slice(None), 5), y)
        d = xp.set(c, (slice(0, 64, 2), slice(None, None, -1)), a[1::2])
        return a, b, c, d, xp.add(xp.set(d, slice(0, 0), 3), (..., slice(60, 64)), 2)

    for dtype in ("int8", "float32", "float64"):
        check(program, whole(64, 64, dtype=dtype), whole(64, dtype=dtype))


def test_combinations_at_known_places() -> None:
    x, y = whole(70, 70), whole(68, 69)
    for name, combine in (
        ("multiply", np.multiply), ("min", np.minimum), ("max", np.maximum)
    ):  # fmt: skip
        want = x.copy()
        want[1:69, :69] = combine(want[1:69, :69], y)

        def update(x: Any, y: Any, name: str = name) -> Any:
            return getattr(x.at[1:69, :69], name)(y)

        np.testing.assert_array_equal(np.asarray(weft.jit(update)(x, y)), want)
        on_sim = weft.asarray(x).to("cuda-sim"), weft.asarray(y).to("cuda-sim")
        np.testing.assert_array_equal(np.asarray(weft.jit(update)(*on_sim)), want)


def test_a_donated_stencil() -> None:
    """Its result is computed elsewhere, and copied to where it is to be."""
    x = whole(128, 128)
    f = weft.jit(lambda x: x + weft.roll(x, 1, 0), donate_argnums=0)
    given = weft.asarray(x.copy())
    np.testing.assert_array_equal(np.asarray(f(given)), x + np.roll(x, 1, 0))
    assert given.is_deleted()


def test_steps_of_a_stencil_copy_nothing() -> None:
    """The carry has two buffers, which change places."""

    def f(x: weft.Array) -> weft.Array:
        def step(_: Any, x: weft.Array) -> weft.Array:
            return x.at[1:-1, 1:-1].set(x[:-2, 1:-1] + x[1:-1, 2:])

        return weft.fori_loop(0, 10, step, x)

    jitted = weft.jit(f, optimization_level=2)
    text = jitted.lower(whole(256, 256)).text("memref")
    loop = text[text.index("scf.for") :]
    sizes = [line for line in loop.splitlines() if "memref.copy" in line]
    assert all("254x254" not in line and "256x256" not in line for line in sizes)
    assert len(sizes) == 4


@pytest.mark.parametrize("optimization_level", [0, 1, 2, 3])
def test_derivatives_of_a_stencil(optimization_level: int) -> None:
    x, weights = whole(66, 66), whole(66, 66)

    def loss(x: weft.Array) -> weft.Array:
        padded = weft.pad(x, 1, mode="wrap")
        y = padded[:-2, 1:-1] * x + weft.roll(x, 3, 1)
        y = y.at[1:-1, 1:-1].multiply(2.0)
        return weft.sum(y * weights)

    g = weft.jit(weft.grad(loss), optimization_level=optimization_level)(x)
    inner = np.ones((66, 66))
    inner[1:-1, 1:-1] = 2
    w = weights * inner
    want = w * np.roll(x, 1, 0) + np.roll(w * x, -1, 0) + np.roll(w, -3, 1)
    np.testing.assert_array_equal(np.asarray(g), want)
