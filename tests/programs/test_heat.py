"""A 2-D heat equation; the initial state is recovered by gradient descent."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

N, STEPS, RATE = 12, 15, 0.15


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
    observed = (matrix() @ TRUE.ravel()).reshape(N, N)

    def descend(u):
        """Nesterov's accelerated gradient descent, the loop in the program too."""

        def step(k, state):
            u, before = state
            momentum = weft.astype(k, weft.float64) / (k + 3.0)
            ahead = u + momentum * (u - before)
            return ahead - weft.grad(misfit)(ahead, observed), u

        return weft.fori_loop(0, 2000, step, (u, u))[0]

    start = np.zeros((N, N))
    found = np.asarray(weft.jit(descend)(start))
    residual = np.abs(matrix() @ found.ravel() - observed.ravel()).max()
    assert residual < 1e-5
    assert np.abs(found - TRUE).mean() < 0.35 * np.abs(TRUE).mean()
