"""Kepler's equation, E - e sin E = M, by Newton's method under `custom_vjp`."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft


@weft.custom_vjp
def kepler(m, e):
    """The eccentric anomaly of a mean anomaly and an eccentricity."""

    def far(state):
        _, delta, count = state
        return weft.logical_and(weft.abs(delta) > 1e-14, count < 50)

    def newton(state):
        x, _, count = state
        delta = (x - e * weft.sin(x) - m) / (1.0 - e * weft.cos(x))
        return x - delta, delta, count + 1

    start = (m + e * weft.sin(m), weft.ones_like(m), 0)
    return weft.while_loop(far, newton, start)[0]


def forward(m, e):
    x = kepler(m, e)
    return x, (x, e)


def backward(kept, ct):
    # The implicit function theorem: one division in place of the iterations.
    x, e = kept
    slope = ct / (1.0 - e * weft.cos(x))
    return slope, slope * weft.sin(x)


kepler.defvjp(forward, backward)

M, E = np.float64(1.3), np.float64(0.6)


def solution(m, e):
    x = m
    for _ in range(200):
        x = x - (x - e * np.sin(x) - m) / (1 - e * np.cos(x))
    return x


def test_value():
    x = weft.jit(kepler)(M, E)
    np.testing.assert_allclose(float(x), solution(M, E), rtol=1e-14)
    np.testing.assert_allclose(float(kepler(M, E)), float(x), rtol=1e-14)


def test_gradient():
    by_m, by_e = weft.jit(weft.grad(kepler, argnums=(0, 1)))(M, E)
    x = solution(M, E)
    np.testing.assert_allclose(float(by_m), 1 / (1 - E * np.cos(x)), rtol=1e-12)
    np.testing.assert_allclose(float(by_e), np.sin(x) / (1 - E * np.cos(x)), rtol=1e-12)


def test_second_derivatives():
    weft.testing.check_grads(kepler, (M, E), order=2, modes=("rev",))


def test_the_rule_leaves_no_loop_in_the_backward_pass():
    text = weft.grad(kepler).lower(M, E).text("expanded")
    assert text.count("weft.while") == 1


def test_many_orbits_at_once():
    ms = np.linspace(0.1, 3.0, 7)
    values = weft.jit(weft.vmap(kepler, in_axes=(0, None)))(ms, E)
    np.testing.assert_allclose(np.asarray(values), solution(ms, E), rtol=1e-12)
    slopes = weft.jit(weft.vmap(weft.grad(kepler), in_axes=(0, None)))(ms, E)
    x = solution(ms, E)
    np.testing.assert_allclose(np.asarray(slopes), 1 / (1 - E * np.cos(x)), rtol=1e-10)
