"""A 2-D heat equation; the initial state is recovered by gradient descent."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

N, STEPS, RATE = 12, 3, 0.1


def heat_step(u):
    """Explicit Euler on a grid with a cold border."""
    padded = weft.zeros((N + 2, N + 2), dtype=u.dtype).at[1:-1, 1:-1].set(u)
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return u + RATE * (around - 4.0 * u)


def evolve(u):
    return weft.fori_loop(0, STEPS, lambda _, u: heat_step(u), u)


def misfit(u, observed):
    return 0.5 * weft.sum(weft.square(evolve(u) - observed))


rng = np.random.default_rng(5)
TRUE = np.zeros((N, N))
TRUE[3:6, 4:9] = 1.0
TRUE[8, 2] = -1.0


def matrix():
    """One step as a matrix, by NumPy."""
    second = np.eye(N, k=1) + np.eye(N, k=-1) - 2 * np.eye(N)
    laplacian = np.kron(second, np.eye(N)) + np.kron(np.eye(N), second)
    return np.linalg.matrix_power(np.eye(N * N) + RATE * laplacian, STEPS)


def test_evolution():
    ours = np.asarray(weft.jit(evolve)(TRUE)).ravel()
    np.testing.assert_allclose(ours, matrix() @ TRUE.ravel(), atol=1e-12)


def test_gradient_is_the_adjoint():
    observed = matrix() @ TRUE.ravel()
    u = rng.standard_normal((N, N))
    ours = weft.jit(weft.grad(misfit))(u, observed.reshape(N, N))
    expected = matrix().T @ (matrix() @ u.ravel() - observed)
    np.testing.assert_allclose(np.asarray(ours).ravel(), expected, atol=1e-10)


def test_the_initial_state_is_recovered():
    a, steps = matrix(), 1500
    observed = (a @ TRUE.ravel()).reshape(N, N)

    def descend(u):
        """Nesterov's accelerated gradient descent, the loop in the program too."""

        def step(k, state):
            u, before = state
            momentum = weft.astype(k, weft.float64) / (k + 3.0)
            ahead = u + momentum * (u - before)
            return ahead - weft.grad(misfit)(ahead, observed), u

        return weft.fori_loop(0, steps, step, (u, u))[0]

    u = before = np.zeros(N * N)
    for k in range(steps):
        ahead = u + k / (k + 3) * (u - before)
        u, before = ahead - a.T @ (a @ ahead - observed.ravel()), u

    found = np.asarray(weft.jit(descend)(np.zeros((N, N)))).ravel()
    np.testing.assert_allclose(found, u, atol=1e-8)
    assert np.abs(a @ found - observed.ravel()).max() < 1e-3 * np.abs(observed).max()
    assert np.abs(found - TRUE.ravel()).max() < 0.02
