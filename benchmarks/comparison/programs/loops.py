"""Programs of many steps: an LSTM, bodies, a stencil and the Mandelbrot set."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..case import Case, Work, normal, size_of
from .arrays import shared


def cases() -> Iterator[Case]:
    yield lstm_scan()
    yield n_body_step()
    yield stencil()
    yield mandelbrot()


# ---- an LSTM ----


def lstm_step(xp: Any, weights: Any, bias: Any, h: Any, c: Any, x: Any) -> Any:
    """One step, where `x` is the part of the gates that the input has."""
    gates = x + h @ weights + bias
    i, f, g, o = (gates[:, k * h.shape[1] : (k + 1) * h.shape[1]] for k in range(4))
    i, f, o = (0.5 * xp.tanh(0.5 * gate) + 0.5 for gate in (i, f, o))
    c = f * c + i * xp.tanh(g)
    return o * xp.tanh(c), c


def lstm(xp: Any, x: Any, inputs: Any, weights: Any, bias: Any) -> Any:
    start = xp.zeros((x.shape[1], len(weights)), dtype=x.dtype)

    def step(carry: Any, x: Any) -> Any:
        h, c = lstm_step(xp, weights, bias, carry[0], carry[1], x)
        return (h, c), h

    return xp.scan(step, (start, start), x @ inputs)[1]


def numpy_lstm(
    x: np.ndarray, inputs: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    h = c = np.zeros((x.shape[1], len(weights)), x.dtype)
    states = []
    for part in x @ inputs:
        h, c = lstm_step(np, weights, bias, h, c, part)
        states.append(h)
    return np.stack(states)


def torch_lstm(t: Any, x: Any, inputs: Any, weights: Any, bias: Any) -> Any:
    start = x.new_zeros((1, x.shape[1], len(weights)))
    parameters = inputs.T, weights.T, bias, t.zeros_like(bias)
    return t.lstm(x, (start, start), parameters, True, 1, 0.0, False, False, False)[0]


def lstm_scan() -> Case:
    length, batch, features, hidden = 128, 32, 128, 256
    args = (
        normal(length, batch, features),
        normal(features, 4 * hidden, scale=features**-0.5),
        normal(hidden, 4 * hidden, scale=hidden**-0.5),
        normal(4 * hidden, scale=0.1),
    )
    products = length * batch * (features + hidden) * 4 * hidden
    # torch.compile would write its 128 steps one after the other.
    return Case(
        "lstm scan of 128", args, lstm, numpy_lstm, torch_lstm,
        Work(2 * products, size_of(args), 4 * length * batch * hidden),
        compiled=False,
    )  # fmt: skip


# ---- bodies that attract each other ----


def n_body(xp: Any, x: Any, v: Any, m: Any) -> Any:
    d = x[None, :, :] - x[:, None, :]
    inverse = ((d * d).sum(-1) + 1e-2) ** -1.5
    v = v + 1e-3 * (d * (m[None, :] * inverse)[..., None]).sum(1)
    return x + 1e-3 * v, v, m


def n_body_step() -> Case:
    count = 1024
    args = normal(count, 3), normal(count, 3), normal(count) ** 2 / count
    # Instructions for a pair: differences, their square, the power and sums.
    return Case("n-body step of 1024", args, n_body, shared(n_body), n_body,
                Work(2 * 15 * count**2, size_of(args), size_of(args)))  # fmt: skip


# ---- a stencil ----


def heat(x: Any) -> Any:
    """What the inside becomes: a part of what is around it."""
    around = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    return 0.125 * around + 0.5 * x[1:-1, 1:-1]


def stencil() -> Case:
    x, steps = normal(512, 512), 1000

    def array(xp: Any, x: Any) -> Any:
        def step(_: Any, x: Any) -> Any:
            return x.at[1:-1, 1:-1].set(heat(x))

        return (xp.fori_loop(0, steps, step, x),)

    def numpy(x: np.ndarray) -> tuple[np.ndarray]:
        x = x.copy()
        x[1:-1, 1:-1] = heat(x)
        return (x,)

    def torch(_: Any, x: Any) -> Any:
        x = x.clone()
        x[1:-1, 1:-1] = heat(x)
        return (x,)

    # A step's array does not stay in registers until the next one.
    return Case(
        f"stencil 512x512, {steps} steps", (x,), array, numpy, torch,
        Work(2 * 5 * x.size, x.nbytes, x.nbytes, times=steps), steps=steps,
    )  # fmt: skip


# ---- the Mandelbrot set ----


def escape(xp: Any, x: Any, y: Any, count: Any, a: Any, b: Any) -> Any:
    """A step of those that are still near: z * z + c by its parts."""
    near = x * x + y * y <= 4
    real, imaginary = x * x - y * y + a, 2 * x * y + b
    x, y = xp.where(near, real, x), xp.where(near, imaginary, y)
    return x, y, count + near, a, b


def mandelbrot() -> Case:
    side, steps = 512, 100
    a, b = np.meshgrid(np.linspace(-2, 0.5, side, dtype=np.float32),
                       np.linspace(-1.25, 1.25, side, dtype=np.float32))  # fmt: skip
    zeros = np.zeros_like(a)
    args = (zeros, zeros, zeros.astype(np.int32), a, b)

    def array(xp: Any, *state: Any) -> Any:
        def goes_on(carry: Any) -> Any:
            i, (x, y, *_) = carry
            return (i < steps) & xp.any(x * x + y * y <= 4)

        def step(carry: Any) -> Any:
            i, state = carry
            return i + 1, escape(xp, *state)

        return xp.while_loop(goes_on, step, (0, state))[1]

    # Points near the border depend on how products are rounded.
    return Case(
        f"mandelbrot 512x512, {steps} steps", args, array,
        functools.partial(escape, np), escape,
        Work(2 * 10 * side**2 * steps, size_of(args), size_of(args[:3])), steps=steps,
        tolerance=0.1,
    )  # fmt: skip
