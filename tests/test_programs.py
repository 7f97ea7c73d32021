"""Random programs: compiled against the references, their derivatives, stacks.

A program is a list of steps that hypothesis draws; each step applies one function to
values that exist. Shapes and dtypes follow from the steps, so that every program is
valid and a failing one shrinks to a few steps.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weft

Step = tuple[int, int, int, int]


def _axis(x: Any, k: int) -> int:
    return k % x.ndim


def _keep_two_dims(f: Callable[..., Any]) -> Callable[..., Any]:
    """Reductions and reshapes of arrays of rank 2 give arrays of rank 2."""
    return lambda x, y, k: f(x, _axis(x, k))


SMOOTH: list[Callable[..., Any]] = [
    lambda x, y, k: weft.sin(x),
    lambda x, y, k: weft.tanh(x),
    lambda x, y, k: weft.exp(weft.tanh(x)),
    lambda x, y, k: weft.logistic(x),
    lambda x, y, k: weft.log1p(x * x),
    lambda x, y, k: -x,
    lambda x, y, k: weft.square(weft.erf(x)),
    lambda x, y, k: x / (1.0 + weft.square(y[:1, :1])),
    lambda x, y, k: weft.atan2(x, 2.0 + y[:1, :] * y[:1, :] if _wide(x, y) else 2.0),
    lambda x, y, k: x @ y.T if x.shape[1] == y.shape[1] else x * weft.mean(y),
    lambda x, y, k: x + y if x.shape == y.shape else x + weft.sum(y) * 0.01,
    lambda x, y, k: x * y if x.shape == y.shape else x - weft.mean(y),
    lambda x, y, k: weft.matrix_transpose(x),
    lambda x, y, k: weft.reshape(x, (1, -1)) if k % 2 else weft.reshape(x, (-1, 1)),
    lambda x, y, k: weft.flip(x, axis=_axis(x, k)),
    lambda x, y, k: weft.concat([x, weft.cos(x)], axis=_axis(x, k)),
    lambda x, y, k: x[:: 1 + k % 3, k % x.shape[1] :],
    lambda x, y, k: x[::-1, : 1 + k % x.shape[1]],
    lambda x, y, k: weft.broadcast_to(x[:1], (1 + k % 3, x.shape[1])),
    _keep_two_dims(lambda x, axis: weft.sum(x, axis=axis, keepdims=True)),
    _keep_two_dims(lambda x, axis: weft.mean(x, axis=axis, keepdims=True)),
    _keep_two_dims(lambda x, axis: weft.prod(weft.tanh(x), axis=axis, keepdims=True)),
    lambda x, y, k: weft.where(x[:1, :1] * 0.0 > -1.0, x, x * 2.0),
]

ROUGH: list[Callable[..., Any]] = [
    *SMOOTH,
    lambda x, y, k: weft.abs(x),
    lambda x, y, k: weft.maximum(x, weft.mean(y)),
    lambda x, y, k: weft.clip(x, -0.5, 0.5),
    lambda x, y, k: weft.where(x > 0, x, weft.exp(weft.minimum(x, 0.0))),
    lambda x, y, k: weft.floor(x * 4.0) / 4.0,
    lambda x, y, k: weft.astype(
        weft.astype(weft.clip(x, -9, 9) * 8, weft.int32), x.dtype
    ),
    _keep_two_dims(lambda x, axis: weft.max(x, axis=axis, keepdims=True)),
    _keep_two_dims(
        lambda x, axis: weft.astype(weft.argmax(x, axis=axis), x.dtype)[None]
    ),
    lambda x, y, k: x * weft.astype(weft.isfinite(x), x.dtype),
]


def _wide(x: Any, y: Any) -> bool:
    return x.shape[1] == y.shape[1]


def build(table: list[Callable[..., Any]], steps: list[Step]) -> Callable[..., Any]:
    """The function of two matrices that the steps describe; all values are used."""

    def program(a: Any, b: Any) -> Any:
        values = [a, b]
        for which, i, j, k in steps:
            x, y = values[i % len(values)], values[j % len(values)]
            value = table[which % len(table)](x, y, k)
            if value.size <= 4096:
                values.append(value)
        return weft.sum(values[-1]) + sum(weft.mean(v) for v in values), values[-1]

    return program


numbers = st.integers(0, 1000)
programs = st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=14)


def inputs(dtype: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(7)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in ((3, 4), (2, 4)))


def check_value(steps: list[Step]) -> None:
    a, b = inputs(np.float64)
    program = build(ROUGH, steps)
    compiled = weft.jit(program)
    for got, want in zip(compiled(a, b), compiled.interpret(a, b), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def check_float32(steps: list[Step]) -> None:
    """A float32 program against a run of it in float64."""
    program = build(SMOOTH, steps)
    got = weft.jit(program)(*inputs(np.float32))
    want = weft.jit(program).interpret(*inputs(np.float64))
    for x, exact in zip(got, want, strict=True):
        scale = 1e-3 * max(1.0, float(np.max(np.abs(np.asarray(exact)), initial=0)))
        np.testing.assert_allclose(np.asarray(x), exact, rtol=1e-3, atol=scale)


def check_derivative(steps: list[Step]) -> None:
    a, b = inputs(np.float64)
    program = build(SMOOTH, steps)

    def f(t: Any, a: Any, b: Any) -> Any:
        return program(a + t * weft.cos(a), b + t * weft.sin(b))[0]

    first = weft.jit(weft.grad(f))
    got = float(first(0.0 * a[0, 0], a, b))
    step = 1e-5
    value = weft.jit(f)
    ahead, behind = (float(value(np.float64(s), a, b)) for s in (step, -step))
    numeric = (ahead - behind) / (2 * step)
    scale = 1e-5 * max(1.0, abs(numeric), abs(ahead))
    assert abs(got - numeric) <= scale, (got, numeric)

    second = weft.jit(weft.grad(weft.grad(f)))
    slope = float(second(np.float64(0), a, b))
    ahead, behind = (float(first(np.float64(s), a, b)) for s in (step, -step))
    numeric = (ahead - behind) / (2 * step)
    scale = 1e-5 * max(1.0, abs(numeric), abs(ahead))
    assert abs(slope - numeric) <= scale, (slope, numeric)


def check_batching(steps: list[Step]) -> None:
    a, b = inputs(np.float64)
    program = build(ROUGH, steps)
    single = weft.jit(program)
    many_a, many_b = np.stack([a, -a], axis=1), np.stack([b, 0.5 * b], axis=-1)
    for mapped, args, calls in (
        (weft.vmap(program, in_axes=(1, None)), (many_a, b), [(a, b), (-a, b)]),
        (weft.vmap(program, (1, -1)), (many_a, many_b), [(a, b), (-a, 0.5 * b)]),
    ):
        got = weft.jit(mapped)(*args)
        wanted = zip(*(single(*call) for call in calls), strict=True)
        for stack, each in zip(got, wanted, strict=True):
            want = np.stack([np.asarray(x) for x in each])
            np.testing.assert_allclose(stack, want, rtol=1e-9, atol=1e-9)


def few(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


@few(60)
@given(programs)
def test_compiled_programs_equal_their_references(steps: list[Step]) -> None:
    check_value(steps)


@few(30)
@given(programs)
def test_float32_programs_are_near_a_run_in_float64(steps: list[Step]) -> None:
    check_float32(steps)


@few(25)
@given(programs)
def test_derivatives_equal_finite_differences(steps: list[Step]) -> None:
    check_derivative(steps)


@few(12)
@given(programs)
def test_batched_programs_equal_stacks_of_single_ones(steps: list[Step]) -> None:
    check_batching(steps)


@pytest.mark.fuzz
@settings(few(1000), derandomize=False)
@given(programs)
def test_many_compiled_programs(steps: list[Step]) -> None:
    check_value(steps)


@pytest.mark.fuzz
@settings(few(1000), derandomize=False)
@given(programs)
def test_many_float32_programs(steps: list[Step]) -> None:
    check_float32(steps)


@pytest.mark.fuzz
@settings(few(300), derandomize=False)
@given(programs)
def test_many_derivatives(steps: list[Step]) -> None:
    check_derivative(steps)


@pytest.mark.fuzz
@settings(few(300), derandomize=False)
@given(programs)
def test_many_batched_programs(steps: list[Step]) -> None:
    check_batching(steps)
