"""An ODE solver with adaptive steps, differentiated through its `while`.

Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980).
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import pytest

import weft

A = [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
B5 = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0]
B4 = [5179 / 57600, 0, 7571 / 16695, 393 / 640, -92097 / 339200, 187 / 2100, 1 / 40]
TOLERANCE = 1e-8


def step(f, y, h, *args):
    """One step of order 5, and an estimate of its error."""
    ks = []
    for row in A:
        moved = y
        for a, k in zip(row, ks, strict=False):
            moved = moved + (h * a) * k
        ks.append(f(moved, *args))
    after = y + h * sum(b * k for b, k in zip(B5, ks, strict=True))
    error = h * sum((b - c) * k for b, c, k in zip(B5, B4, ks, strict=True))
    return after, weft.max(weft.abs(error))


def solve(f, y0, end, *args):
    """y at time `end`, from y0 at 0; and the number of steps tried."""

    def unfinished(state):
        _, t, _, _ = state
        return t < end

    def advance(state):
        y, t, h, count = state
        h = weft.minimum(h, end - t)
        after, error = step(f, y, h, *args)
        accepted = error <= TOLERANCE
        scale = 0.9 * (TOLERANCE / (error + 1e-16)) ** 0.2
        new_h = weft.stop_gradient(h * weft.clip(scale, 0.2, 5.0))
        y = weft.where(accepted, after, y)
        t = weft.where(accepted, t + h, t)
        return y, t, new_h, count + 1

    zero = weft.asarray(0.0, dtype=weft.float64)
    state = (y0, zero, zero + 0.1, weft.asarray(0))
    y, _, _, count = weft.while_loop(unfinished, advance, state)
    return y, count


def oscillator(y, rate):
    return weft.stack([y[1], -rate * rate * y[0]])


def at_end(y0, end, rate):
    return solve(oscillator, y0, end, rate)[0]


Y0 = np.array([1.0, 0.5])
END, RATE = np.float64(3.0), np.float64(1.7)


def exact(y0, end, w):
    c, s = np.cos(w * end), np.sin(w * end)
    return np.array([y0[0] * c + y0[1] / w * s, -y0[0] * w * s + y0[1] * c])


def test_solution():
    y, count = weft.jit(solve, static_argnums=0)(oscillator, Y0, END, RATE)
    np.testing.assert_allclose(np.asarray(y), exact(Y0, END, RATE), atol=1e-6)
    assert 10 < int(count) < 500


@pytest.mark.parametrize("jacobian", [weft.jacrev, weft.jacfwd])
def test_sensitivities_of_the_solution(jacobian):
    by_y0, by_rate = weft.jit(jacobian(at_end, argnums=(0, 2)))(Y0, END, RATE)
    w = RATE
    c, s = np.cos(w * END), np.sin(w * END)
    np.testing.assert_allclose(np.asarray(by_y0), [[c, s / w], [-w * s, c]], atol=1e-5)
    step = 1e-6
    slope = (exact(Y0, END, w + step) - exact(Y0, END, w - step)) / (2 * step)
    np.testing.assert_allclose(np.asarray(by_rate), slope, atol=1e-5)


def test_a_batch_runs_until_all_are_done():
    rates = np.array([0.5, 1.7, 4.0])
    each = weft.vmap(lambda rate: solve(oscillator, Y0, END, rate))
    ys, counts = weft.jit(each)(rates)
    for y, rate in zip(np.asarray(ys), rates, strict=True):
        np.testing.assert_allclose(y, exact(Y0, END, rate), atol=1e-6)
    assert len(set(np.asarray(counts).tolist())) > 1


def test_gradients_of_a_batch():
    rates = np.array([0.5, 1.7, 4.0])

    def energy(rate):
        return weft.sum(weft.square(at_end(Y0, END, rate)))

    ours = weft.jit(weft.vmap(weft.grad(energy)))(rates)
    step = 1e-6
    for given, w in zip(np.asarray(ours), rates, strict=True):
        ends = [np.sum(exact(Y0, END, w + d) ** 2) for d in (step, -step)]
        np.testing.assert_allclose(given, (ends[0] - ends[1]) / (2 * step), atol=1e-4)
