"""k-means by Newton's method: a Hessian-vector product, forward over reverse."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

POINTS, CLUSTERS, DIM = 60, 3, 2


def cost(centers, xs):
    """The sum of squared distances of each point to its nearest center."""
    delta = xs[:, None, :] - centers[None, :, :]
    return weft.sum(weft.min(weft.sum(delta * delta, axis=-1), axis=1))


def hessian_vector(centers, xs, v):
    return weft.jvp(lambda c: weft.grad(cost)(c, xs), (centers,), (v,))[1]


def newton_step(centers, xs):
    """The Hessian is diagonal, so that its product with ones is its diagonal."""
    gradient = weft.grad(cost)(centers, xs)
    return centers - gradient / hessian_vector(centers, xs, weft.ones_like(centers))


rng = np.random.default_rng(4)
TRUE = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 5.0]])
XS = np.concatenate([c + 0.3 * rng.standard_normal((20, DIM)) for c in TRUE])
START = TRUE + np.array([[0.5, -0.4], [-0.6, 0.5], [0.4, -0.7]])


def assignment(centers):
    return ((XS[:, None] - centers[None]) ** 2).sum(-1).argmin(1)


def test_hessian_is_twice_the_number_of_points():
    counts = np.bincount(assignment(START), minlength=CLUSTERS)
    v = rng.standard_normal((CLUSTERS, DIM))
    ours = weft.jit(hessian_vector)(START, XS, v)
    np.testing.assert_allclose(np.asarray(ours), 2 * counts[:, None] * v, rtol=1e-12)
    full = np.asarray(weft.jit(weft.hessian(cost))(START, XS))
    expected = np.zeros((CLUSTERS, DIM, CLUSTERS, DIM))
    for k in range(CLUSTERS):
        expected[k, :, k, :] = 2 * counts[k] * np.eye(DIM)
    np.testing.assert_allclose(full, expected, atol=1e-10)


def test_newton_is_lloyds_algorithm():
    step = weft.jit(newton_step)
    centers = START
    for _ in range(4):
        labels = assignment(centers)
        means = np.array([XS[labels == k].mean(0) for k in range(CLUSTERS)])
        centers = np.asarray(step(centers, XS))
        np.testing.assert_allclose(centers, means, rtol=1e-10)


def test_a_loop_of_steps():
    def run(centers):
        return weft.fori_loop(0, 5, lambda _, c: newton_step(c, XS), centers)

    labels = assignment(TRUE)
    means = [XS[labels == k].mean(0) for k in range(CLUSTERS)]
    np.testing.assert_allclose(np.asarray(weft.jit(run)(START)), means, rtol=1e-9)
