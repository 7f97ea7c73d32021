"""An LSTM unrolled by `scan`: Hochreiter and Schmidhuber (1997), with forget gates."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

STEPS, INPUTS, UNITS = 7, 3, 4


def parameters(rng):
    return {
        "w": rng.standard_normal((INPUTS, 4 * UNITS)) * 0.5,
        "u": rng.standard_normal((UNITS, 4 * UNITS)) * 0.5,
        "b": rng.standard_normal(4 * UNITS) * 0.1,
    }


def cell(p, carry, x):
    h, c = carry
    gates = x @ p["w"] + h @ p["u"] + p["b"]
    i, f, o, g = (gates[..., k * UNITS : (k + 1) * UNITS] for k in range(4))
    c = weft.logistic(f) * c + weft.logistic(i) * weft.tanh(g)
    h = weft.logistic(o) * weft.tanh(c)
    return (h, c), h


def run(p, xs):
    zeros = weft.zeros(UNITS, dtype=weft.float64)
    return weft.scan(lambda carry, x: cell(p, carry, x), (zeros, zeros), xs)


def loss(p, xs, target):
    _, hs = run(p, xs)
    return weft.mean(weft.square(hs - target))


def by_numpy(p, xs):
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    h = c = np.zeros(UNITS)
    hs = []
    for x in xs:
        i, f, o, g = np.split(x @ p["w"] + h @ p["u"] + p["b"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.array(hs)


rng = np.random.default_rng(0)
P, XS = parameters(rng), rng.standard_normal((STEPS, INPUTS))
TARGET = rng.standard_normal((STEPS, UNITS))


def test_values():
    (h, _), hs = weft.jit(run)(P, XS)
    np.testing.assert_allclose(np.asarray(hs), by_numpy(P, XS), rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(h), np.asarray(hs)[-1])


def test_derivatives():
    weft.testing.check_grads(loss, (P, XS, TARGET), order=2)


def test_the_loop_equals_the_unrolled_program():
    def unrolled(p, xs, target):
        carry = (weft.zeros(UNITS, dtype=weft.float64),) * 2
        hs = []
        for t in range(STEPS):
            carry, h = cell(p, carry, xs[t])
            hs.append(h)
        return weft.mean(weft.square(weft.stack(hs) - target))

    ours = weft.jit(weft.grad(loss))(P, XS, TARGET)
    theirs = weft.jit(weft.grad(unrolled))(P, XS, TARGET)
    for name in P:
        np.testing.assert_allclose(np.asarray(ours[name]), np.asarray(theirs[name]),
                                   rtol=1e-10, atol=1e-14)  # fmt: skip


def test_gradients_per_example():
    batch = rng.standard_normal((5, STEPS, INPUTS))
    grads = weft.jit(weft.vmap(weft.grad(loss), in_axes=(None, 0, None)))
    stacked = grads(P, batch, TARGET)
    one = weft.jit(weft.grad(loss))
    for i, xs in enumerate(batch):
        for name, grad in one(P, xs, TARGET).items():
            np.testing.assert_allclose(
                np.asarray(stacked[name])[i], np.asarray(grad), rtol=1e-10, atol=1e-14
            )


def test_training_lowers_the_loss():
    both = weft.jit(weft.value_and_grad(loss))
    p, first = P, None
    for _ in range(60):
        value, grads = both(p, XS, TARGET)
        first = first or float(value)
        p = {name: np.asarray(p[name] - 0.5 * grads[name]) for name in p}
    assert float(value) < 0.8 * first
