"""Bundle adjustment as in ADBench: residuals, and their Jacobian by its structure."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import pytest

import weft

CAMERAS, POINTS, OBSERVATIONS = 3, 6, 14


def rotate(axis_angle, x):
    """Rodrigues' formula, smooth at no rotation."""
    square = weft.sum(axis_angle * axis_angle)
    theta = weft.sqrt(square + 1e-30)
    k = axis_angle / theta
    c, s = weft.cos(theta), weft.sin(theta)
    cross = weft.stack(
        [
            k[1] * x[2] - k[2] * x[1],
            k[2] * x[0] - k[0] * x[2],
            k[0] * x[1] - k[1] * x[0],
        ]
    )
    return x * c + cross * s + k * (weft.sum(k * x) * (1.0 - c))


def project(camera, x):
    """11 numbers: rotation 3, centre 3, focal length, principal point 2, radial 2."""
    local = rotate(camera[:3], x - camera[3:6])
    p = local[:2] / local[2]
    r2 = weft.sum(p * p)
    distorted = p * (1.0 + camera[9] * r2 + camera[10] * r2 * r2)
    return distorted * camera[6] + camera[7:9]


def residual(camera, x, weight, feature):
    return weight * (project(camera, x) - feature)


def residuals(cameras, xs, weights, features, seen_by, seen):
    each = weft.vmap(residual)
    return each(cameras[seen_by], xs[seen], weights, features)


def blocks(cameras, xs, weights, features, seen_by, seen):
    """The nonzero blocks: each observation depends on one camera, point and weight."""
    each = weft.vmap(weft.jacfwd(residual, argnums=(0, 1, 2)))
    return each(cameras[seen_by], xs[seen], weights, features)


rng = np.random.default_rng(3)
CAMS = rng.standard_normal((CAMERAS, 11)) * 0.1
CAMS[:, 5] -= 4.0
CAMS[:, 6] = 1.5
XS = rng.standard_normal((POINTS, 3))
WEIGHTS = rng.uniform(0.5, 1.5, OBSERVATIONS)
FEATURES = rng.standard_normal((OBSERVATIONS, 2))
SEEN_BY = rng.integers(0, CAMERAS, OBSERVATIONS)
SEEN = rng.integers(0, POINTS, OBSERVATIONS)
ARGS = (CAMS, XS, WEIGHTS, FEATURES, SEEN_BY, SEEN)


def rotation_by_numpy(r):
    theta = np.linalg.norm(r)
    x, y, z = r / theta
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(theta) * k + (1 - np.cos(theta)) * k @ k


def test_residuals():
    ours = np.asarray(weft.jit(residuals)(*ARGS))
    for i, (c, p) in enumerate(zip(SEEN_BY, SEEN, strict=True)):
        cam = CAMS[c]
        local = rotation_by_numpy(cam[:3]) @ (XS[p] - cam[3:6])
        q = local[:2] / local[2]
        r2 = q @ q
        image = q * (1 + cam[9] * r2 + cam[10] * r2**2) * cam[6] + cam[7:9]
        np.testing.assert_allclose(ours[i], WEIGHTS[i] * (image - FEATURES[i]),
                                   rtol=1e-9)  # fmt: skip


def test_sparse_jacobian_equals_the_dense_one():
    by_camera, by_point, by_weight = map(np.asarray, weft.jit(blocks)(*ARGS))
    assert by_camera.shape == (OBSERVATIONS, 2, 11)
    dense = weft.jit(weft.jacrev(residuals, argnums=(0, 1, 2)))(*ARGS)
    scattered = [np.zeros(np.shape(d)) for d in dense]
    for i, (c, p) in enumerate(zip(SEEN_BY, SEEN, strict=True)):
        scattered[0][i, :, c] += by_camera[i]
        scattered[1][i, :, p] += by_point[i]
        scattered[2][i, :, i] += by_weight[i]
    for ours, theirs in zip(dense, scattered, strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_derivatives():
    weft.testing.check_grads(
        lambda cameras, xs: residuals(cameras, xs, *ARGS[2:]), (CAMS, XS), order=2,
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip


def test_levenberg_marquardt_lowers_the_error():
    jacobian, value = weft.jit(weft.jacfwd(residuals)), weft.jit(residuals)

    def error(cameras):
        return np.sum(np.asarray(value(cameras, *ARGS[1:])) ** 2)

    cameras, damping, errors = CAMS, 1.0, [error(CAMS)]
    for _ in range(15):
        r = np.asarray(value(cameras, *ARGS[1:])).ravel()
        j = np.asarray(jacobian(cameras, *ARGS[1:])).reshape(r.size, -1)
        damped = j.T @ j + damping * np.eye(j.shape[1])
        tried = cameras - np.linalg.solve(damped, j.T @ r).reshape(cameras.shape)
        if error(tried) < errors[-1]:
            cameras, damping = tried, damping / 3
            errors.append(error(cameras))
        else:
            damping *= 5
    assert errors[-1] < 0.5 * errors[0]
