"""Log-likelihood of a Gaussian mixture, as in ADBench (Srajer et al., 2018)."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools
import math

import numpy as np

import weft

POINTS, COMPONENTS, DIM = 9, 3, 2
ROWS, COLUMNS = np.tril_indices(DIM, -1)


def factor(log_diagonal, below):
    """The inverse Cholesky factor Q of one component."""
    q = weft.eye(DIM, dtype=weft.float64) * weft.exp(log_diagonal)
    return q.at[ROWS, COLUMNS].set(below)


def log_likelihood(alphas, means, log_diagonals, below, xs):
    qs = weft.vmap(factor)(log_diagonals, below)

    def of_point(x):
        def of_component(alpha, mean, q, log_diagonal):
            z = q @ (x - mean)
            return alpha + weft.sum(log_diagonal) - 0.5 * weft.sum(z * z)

        return weft.nn.logsumexp(
            weft.vmap(of_component)(alphas, means, qs, log_diagonals)
        )

    constant = -POINTS * DIM * 0.5 * math.log(2 * math.pi)
    inner = weft.sum(weft.vmap(of_point)(xs))
    return constant + inner - POINTS * weft.nn.logsumexp(alphas)


def by_numpy(alphas, means, log_diagonals, below, xs):
    total = 0.0
    weights = np.exp(alphas) / np.exp(alphas).sum()
    for x in xs:
        density = 0.0
        for k in range(COMPONENTS):
            q = np.diag(np.exp(log_diagonals[k]))
            q[ROWS, COLUMNS] = below[k]
            precision = q.T @ q
            d = x - means[k]
            norm = np.sqrt(np.linalg.det(precision) / (2 * np.pi) ** DIM)
            density += weights[k] * norm * np.exp(-0.5 * d @ precision @ d)
        total += np.log(density)
    return total


rng = np.random.default_rng(2)
ARGS = (
    rng.standard_normal(COMPONENTS),
    rng.standard_normal((COMPONENTS, DIM)),
    rng.standard_normal((COMPONENTS, DIM)) * 0.3,
    rng.standard_normal((COMPONENTS, len(ROWS))),
    rng.standard_normal((POINTS, DIM)),
)


def test_value():
    ours = float(weft.jit(log_likelihood)(*ARGS))
    np.testing.assert_allclose(ours, by_numpy(*ARGS), rtol=1e-12)


def test_derivatives():
    weft.testing.check_grads(log_likelihood, ARGS, order=2)


def test_gradient_ascent_climbs():
    both = weft.jit(weft.value_and_grad(log_likelihood, argnums=(0, 1, 2, 3)))
    args, values = ARGS[:4], []
    for _ in range(40):
        value, grads = both(*args, ARGS[4])
        values.append(float(value))
        pairs = zip(args, grads, strict=True)
        args = tuple(np.asarray(a + 0.02 * np.asarray(g)) for a, g in pairs)
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(values))
    assert values[-1] > values[0] + 1
