"""Functions of neural networks against formulas, at extremes, and their derivatives."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import pytest
import scipy.special

import weft
from weft import nn

INF, NAN = np.inf, np.nan
X = np.array([-30.0, -3.5, -1.0, -0.2, 0.3, 1.7, 4.0, 50.0])


def both(function, *xs):
    """A function's value, compiled and not, which agree."""
    compiled = np.asarray(weft.jit(function)(*xs))
    np.testing.assert_allclose(np.asarray(function(*xs)), compiled, 1e-12, 1e-300)
    return compiled


def logistic(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = [
    (nn.relu, lambda x: np.maximum(x, 0)),
    (nn.relu6, lambda x: np.clip(x, 0, 6)),
    (nn.leaky_relu, lambda x: np.where(x < 0, 0.01 * x, x)),
    (nn.elu, lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x)),
    (nn.celu, lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x)),
    (nn.selu, lambda x: 1.0507009873554805 * np.where(
        x < 0, 1.6732632423543772 * np.expm1(np.minimum(x, 0)), x)),
    (nn.sigmoid, logistic),
    (nn.log_sigmoid, lambda x: -np.log1p(np.exp(-x))),
    (nn.softplus, lambda x: np.log1p(np.exp(x))),
    (nn.squareplus, lambda x: (x + np.sqrt(x * x + 4)) / 2),
    (nn.soft_sign, lambda x: x / (1 + np.abs(x))),
    (nn.silu, lambda x: x * logistic(x)),
    (nn.swish, lambda x: x * logistic(x)),
    (nn.mish, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    (lambda x: nn.gelu(x, approximate=False), lambda x: x * scipy.special.ndtr(x)),
    (nn.gelu, lambda x: x / 2 * (1 + np.tanh(
        np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
    (nn.hard_tanh, lambda x: np.clip(x, -1, 1)),
    (nn.hard_sigmoid, lambda x: np.clip(x + 3, 0, 6) / 6),
    (nn.hard_silu, lambda x: x * np.clip(x + 3, 0, 6) / 6),
    (nn.hard_swish, lambda x: x * np.clip(x + 3, 0, 6) / 6),
]  # fmt: skip


@pytest.mark.parametrize(("function", "formula"), ACTIVATIONS)
def test_activation(function, formula):
    x = X[X != -1.0] if function is nn.hard_tanh else X
    np.testing.assert_allclose(both(function, X), formula(X), rtol=1e-10, atol=1e-12)
    got = function(X.astype("float32"))
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.asarray(got), formula(X), rtol=3e-6, atol=1e-12)
    step = 1e-5
    first = weft.vmap(weft.grad(function))
    second = weft.jit(weft.vmap(weft.grad(weft.grad(function))))
    slope = (formula(x + step) - formula(x - step)) / (2 * step)
    np.testing.assert_allclose(both(first, x), slope, rtol=1e-6, atol=1e-9)
    run = weft.jit(first)
    bend = (np.asarray(run(x + step)) - np.asarray(run(x - step))) / (2 * step)
    np.testing.assert_allclose(np.asarray(second(x)), bend, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("function", "formula"), ACTIVATIONS)
def test_derivatives_are_finite_far_out(function, formula):
    far = np.array([-1e4, -500.0, -90.0, 90.0, 500.0, 1e4], "float32")
    for order in (function, weft.grad(function), weft.grad(weft.grad(function))):
        assert np.isfinite(np.asarray(weft.jit(weft.vmap(order))(far))).all()


@pytest.mark.parametrize(
    ("function", "x", "want"),
    [(nn.relu, 0.0, 0.0), (nn.relu6, 6.0, 0.0), (nn.hard_tanh, 1.0, 0.0),
     (nn.elu, 0.0, 1.0), (nn.softplus, 0.0, 0.5), (nn.silu, 0.0, 0.5)],
)  # fmt: skip
def test_derivative_at_a_kink(function, x, want):
    assert float(weft.grad(function)(np.float64(x))) == want


def test_nan_propagates():
    for function, _ in ACTIVATIONS:
        assert np.isnan(both(function, np.array([NAN])))


def test_integers():
    assert np.asarray(nn.relu(np.array([-1, 2]))).tolist() == [0, 2]
    assert nn.relu(np.array([-1, 2])).dtype == np.int64
    assert nn.elu(np.array([-1, 2])).dtype == np.float32


def test_glu():
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    want = x[:, :2] * logistic(x[:, 2:])
    np.testing.assert_allclose(both(lambda x: nn.glu(x, axis=1), x), want)
    with pytest.raises(weft.ShapeError, match="odd size"):
        nn.glu(x)


def test_standardize():
    x = np.random.default_rng(0).normal(size=(3, 4)) + 1e4
    mean, spread = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    want = (x - mean) / np.sqrt(spread + 1e-5)
    np.testing.assert_allclose(both(nn.standardize, x), want, rtol=1e-9)
    mask = np.array([True, True, False, True])
    kept = x[:, mask]
    want = (x - kept.mean(1, keepdims=True)) / np.sqrt(
        kept.var(1, keepdims=True) + 1e-5
    )
    got = both(lambda x: nn.standardize(x, where=mask), x)
    np.testing.assert_allclose(got, want, rtol=1e-9)
    got = both(lambda x: nn.normalize(x, mean=0.0, variance=1.0, epsilon=0.0), x)
    np.testing.assert_allclose(got, x)


# ---- sums of exponentials ----

A = np.random.default_rng(1).normal(size=(3, 4)) * 5
B = np.random.default_rng(2).normal(size=(3, 4))


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_logsumexp(axis, keepdims):
    got = both(lambda x: nn.logsumexp(x, axis, keepdims=keepdims), A)
    want = scipy.special.logsumexp(A, axis, keepdims=keepdims)
    np.testing.assert_allclose(got, want, rtol=1e-14)
    weighted = weft.jit(
        lambda x, b: nn.logsumexp(x, axis, b=b, keepdims=keepdims, return_sign=True)
    )
    got, sign = weighted(A, B)
    want, want_sign = scipy.special.logsumexp(
        A, axis, b=B, keepdims=keepdims, return_sign=True
    )
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12)
    np.testing.assert_array_equal(np.asarray(sign), want_sign)


@pytest.mark.parametrize(
    ("x", "want"),
    [([INF, 1.0], INF), ([-INF, -INF], -INF), ([INF, -INF], INF), ([-INF, 3.0], 3.0),
     ([NAN, INF], NAN), ([1000.0, 1000.0], 1000 + np.log(2)), ([], -INF),
     ([INF, INF], INF), ([-1e308, -1e308], -1e308)],
)  # fmt: skip
def test_logsumexp_of_extremes(x, want):
    got = both(nn.logsumexp, np.array(x, "float64"))
    np.testing.assert_allclose(got, want, rtol=1e-15)


def test_logsumexp_of_what_cancels_or_weighs_nothing():
    x = np.array([1.0, 1.0, INF])
    value, sign = nn.logsumexp(x, b=np.array([1.0, -1.0, 0.0]), return_sign=True)
    assert (float(value), float(sign)) == (-INF, 0)
    assert np.isnan(float(nn.logsumexp(x[:2], b=np.array([1.0, -2.0]))))
    assert float(nn.logsumexp(x, where=np.array([True, False, False]))) == 1
    assert float(nn.logsumexp(x, where=False)) == -INF


def test_derivatives_of_logsumexp():
    def gradient(x):
        return weft.grad(nn.logsumexp)(x)

    np.testing.assert_allclose(both(gradient, A), scipy.special.softmax(A), 1e-12)
    hessian = np.asarray(weft.jit(weft.hessian(nn.logsumexp))(A[0]))
    p = scipy.special.softmax(A[0])
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), atol=1e-15)
    # What is minus infinity, or left out, has no part in it.
    got = both(gradient, np.array([-INF, 0.0, 0.0]))
    np.testing.assert_array_equal(got, [0, 0.5, 0.5])
    mask = np.array([True, False, True])
    got = both(weft.grad(lambda x: nn.logsumexp(x, where=mask)), np.array([0, INF, 0]))
    np.testing.assert_array_equal(got, [0.5, 0, 0.5])
    by_weight = weft.grad(lambda b: nn.logsumexp(A, b=b))
    want = np.exp(A - scipy.special.logsumexp(A, b=np.abs(B)))
    np.testing.assert_allclose(both(by_weight, np.abs(B)), want, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), None])
def test_softmax(axis):
    got = both(lambda x: nn.softmax(x, axis=axis), A)
    np.testing.assert_allclose(got, scipy.special.softmax(A, axis), rtol=1e-12)
    got = both(lambda x: nn.log_softmax(x, axis=axis), A)
    np.testing.assert_allclose(got, scipy.special.log_softmax(A, axis), rtol=1e-12)


def test_softmax_where():
    mask = np.array([True, False, True, True])
    got = both(lambda x: nn.softmax(x, where=mask), A)
    want = np.zeros_like(A)
    want[:, mask] = scipy.special.softmax(A[:, mask], 1)
    np.testing.assert_allclose(got, want)
    got = both(lambda x: nn.log_softmax(x, where=mask), A)
    np.testing.assert_allclose(np.exp(got), want)
    gradient = weft.grad(lambda x: weft.sum(nn.softmax(x, where=mask)[:, 0]))
    assert (both(gradient, A)[:, 1] == 0).all()


def test_softmax_far_out():
    x = np.array([1e30, 0.0, -1e30])
    np.testing.assert_array_equal(both(nn.softmax, x), [1, 0, 0])
    np.testing.assert_array_equal(both(nn.log_softmax, x), [0, -1e30, -2e30])
    assert both(nn.softmax, np.zeros((2, 0))).shape == (2, 0)


def test_derivatives_of_log_softmax():
    jacobian = np.asarray(weft.jit(weft.jacrev(nn.log_softmax))(A[0]))
    forward = np.asarray(weft.jit(weft.jacfwd(nn.log_softmax))(A[0]))
    want = np.eye(4) - scipy.special.softmax(A[0])[None]
    np.testing.assert_allclose(jacobian, want, atol=1e-14)
    np.testing.assert_allclose(forward, want, atol=1e-14)


def test_logmeanexp():
    want = np.log(np.exp(A).mean(1))
    np.testing.assert_allclose(both(lambda x: nn.logmeanexp(x, 1), A), want)
