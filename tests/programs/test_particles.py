"""Particles that attract and repel (Lennard-Jones), with second derivatives."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

COUNT, STEPS, DT = 5, 40, 0.002


def energy(x):
    """Of all pairs: 4 (r^-12 - r^-6)."""
    delta = x[:, None, :] - x[None, :, :]
    own = weft.eye(COUNT, dtype=weft.float64)
    r2 = weft.sum(weft.square(delta), axis=-1) + own
    inverse6 = 1.0 / r2**3
    return 2.0 * weft.sum((inverse6 * inverse6 - inverse6) * (1.0 - own))


def simulate(x, v):
    """Velocity Verlet; the trajectory of the total energy beside the last state."""
    force = weft.grad(lambda x: -energy(x))

    def step(state, _):
        x, v, f = state
        x = x + DT * v + (0.5 * DT * DT) * f
        after = force(x)
        v = v + (0.5 * DT) * (f + after)
        total = energy(x) + 0.5 * weft.sum(weft.square(v))
        return (x, v, after), total

    (x, v, _), totals = weft.scan(step, (x, v, force(x)), length=STEPS)
    return x, v, totals


rng = np.random.default_rng(1)
X = np.array([[0, 0], [1.2, 0.1], [0.1, 1.3], [1.3, 1.2], [2.4, 0.3]], np.float64)
V = rng.standard_normal((COUNT, 2)) * 0.2


def forces_by_numpy(x):
    delta = x[:, None] - x[None]
    r2 = (delta**2).sum(-1) + np.eye(COUNT)
    slope = (48 / r2**7 - 24 / r2**4) * (1 - np.eye(COUNT))
    return (slope[..., None] * delta).sum(1)


def test_trajectory():
    x, v = X, V
    for _ in range(STEPS):
        f = forces_by_numpy(x)
        x = x + DT * v + 0.5 * DT**2 * f
        v = v + 0.5 * DT * (f + forces_by_numpy(x))
    ours_x, ours_v, totals = weft.jit(simulate)(X, V)
    np.testing.assert_allclose(np.asarray(ours_x), x, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(ours_v), v, rtol=1e-7, atol=1e-9)
    assert np.ptp(np.asarray(totals)) < 1e-4


def test_hessian_of_the_energy_is_the_slope_of_the_forces():
    ours = np.asarray(weft.jit(weft.hessian(energy))(X))
    eps = 1e-6
    for i, j in [(0, 0), (1, 1), (4, 0)]:
        moved = np.zeros_like(X)
        moved[i, j] = eps
        slope = -(forces_by_numpy(X + moved) - forces_by_numpy(X - moved)) / (2 * eps)
        np.testing.assert_allclose(ours[:, :, i, j], slope, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours, ours.transpose(2, 3, 0, 1), atol=1e-9)


def test_derivatives_through_the_simulation():
    def spread(x, v):
        x, _, _ = simulate(x, v)
        return weft.sum(weft.square(x - weft.mean(x, axis=0)))

    weft.testing.check_grads(
        spread, (X, V), order=2, rtol=1e-4, atol=1e-4, batching=False
    )
