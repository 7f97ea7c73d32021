"""Reverse mode: in any nesting with itself and with `jit`, on trees, and by hand."""

from typing import NamedTuple

import numpy as np
import pytest

import weft

X = np.array([0.3, -1.2, 2.0])


class Net(NamedTuple):
    w: weft.Array
    b: weft.Array


def f(x):
    return weft.sum(weft.sin(x) * x)


def df(x):
    return np.sin(x) + x * np.cos(x)


def ddf(x):
    return 2 * np.cos(x) - x * np.sin(x)


def total(function):
    return lambda x: weft.sum(function(x))


def close(ours, theirs, rtol=1e-10):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol)


@pytest.mark.parametrize(
    "g",
    [weft.grad(f), weft.jit(weft.grad(f)), weft.grad(weft.jit(f)),
     weft.jit(weft.grad(weft.jit(f))), lambda x: weft.value_and_grad(f)(x)[1],
     lambda x: weft.vjp(f, x)[1](1.0)[0], weft.jacrev(f), weft.grad(f).interpret],
)  # fmt: skip
def test_first_order(g):
    close(g(X), df(X))


@pytest.mark.parametrize(
    "g",
    [weft.grad(total(weft.grad(f))), weft.jit(weft.grad(total(weft.grad(f)))),
     weft.grad(total(weft.jit(weft.grad(f)))), weft.grad(total(weft.jit(weft.grad(
         weft.jit(f))))), lambda x: np.diag(np.asarray(weft.jacrev(weft.grad(f))(x))),
     lambda x: np.diag(np.asarray(weft.jit(weft.jacrev(weft.jacrev(f)))(x)))],
)  # fmt: skip
def test_second_order(g):
    close(g(X), ddf(X))


def test_third_order_of_a_scalar():
    third = weft.grad(weft.grad(weft.grad(lambda x: x**5)))
    assert third(2.0).item() == weft.jit(third)(2.0).item() == 240
    assert third(2.0).dtype == np.float32


def test_text_of_a_derivative_is_made_by_the_pass_alone():
    lowered = weft.grad(f).lower(X)
    text = lowered.text(locations=False)
    assert "weft.linearize @f(%arg0) wrt [0]" in text
    assert "weft.pullback" in text
    expanded = lowered.text("expanded")
    assert "linearize" not in expanded
    close(weft.parse(expanded).interpret(X), df(X))
    assert f'test_grad.py":{f.__code__.co_firstlineno + 1}:' in expanded


def test_trees_and_argnums():
    def loss(net, x, scale=1.0):
        return weft.mean(weft.square(x @ net.w + net.b)) * scale

    rng = np.random.default_rng(0)
    net = Net(rng.normal(size=(3, 2)), rng.normal(size=2))
    x = rng.normal(size=(4, 3))
    residual = x @ net.w + net.b
    for transform in (lambda g: g, weft.jit):
        value, g = transform(weft.value_and_grad(loss))(net, x)
        close(value, np.mean(residual**2))
        close(g.w, x.T @ residual / 4)
        close(g.b, residual.mean(0))
        g_net, g_x = transform(weft.grad(loss, argnums=(0, -1)))(net, x)
        close(g_net.w, g.w)
        close(g_x, residual @ net.w.T / 4)
        close(transform(weft.grad(loss))(net, x, scale=2.0).b, 2 * residual.mean(0))


def test_auxiliary_results():
    def g(x):
        return weft.sum(x * x), {"double": x * 2, "count": 3, "sign": x > 0}

    for transform in (lambda t: t, weft.jit):
        (value, aux), gradient = transform(weft.value_and_grad(g, has_aux=True))(X)
        close(value, np.sum(X**2))
        close(gradient, 2 * X)
        close(aux["double"], 2 * X)
        assert aux["count"].item() == 3
        assert aux["sign"].dtype == bool
        close(transform(weft.grad(g, has_aux=True))(X)[0], 2 * X)
        jacobian, _ = transform(weft.jacrev(lambda x: (x * x, 1), has_aux=True))(X)
        close(jacobian, np.diag(2 * X))


def test_pullbacks_may_be_called_twice_and_inside_other_traces():
    y, pullback = weft.vjp(lambda x, s: {"a": x * s, "n": 7}, X, 2.0)
    close(y["a"], 2 * X)
    for scale in (1.0, 3.0):
        gx, gs = pullback({"a": np.full(3, scale), "n": 0})
        close(gx, np.full(3, 2 * scale))
        close(gs, X.sum() * scale, 1e-6)

    @weft.jit
    def twice(x):
        y, pullback = weft.vjp(lambda x: x * x, x)
        first = pullback(y)[0]
        inner = weft.grad(lambda z: weft.sum(pullback(z)[0] * z))(y)
        return first, inner

    first, inner = twice(X)
    close(first, 2 * X**3)
    close(inner, 4 * X**3)


def test_eager_gradients_may_branch_on_values():
    def branch(x):
        slope = weft.grad(lambda t: t * t)(x)
        steps = 0
        while slope < 100 and steps < 3:
            x, slope, steps = x * x, slope * 2, steps + 1
        return x if float(x) > 10 else -x

    assert weft.grad(branch)(2.0).item() == 8 * 2.0**7
    assert weft.grad(branch)(0.5).item() == -8 * 0.5**7
    with pytest.raises(weft.TracerError, match="while 'branch' is traced"):
        weft.jit(weft.grad(branch)).lower(2.0)


def test_values_are_at_hand_through_calls_and_captures():
    scale = weft.asarray(np.arange(100.0))

    @weft.jit
    def inner(x):
        return (x * scale).sum()

    def outer(x):
        return weft.grad(lambda y: y * inner(x) if inner(y) > 0 else y)(x)

    close(weft.grad(outer)(2.0), scale.sum().item(), 1e-6)


def test_gradient_of_captured_values():
    def outer(w):
        inner = weft.grad(lambda x: weft.sum(x * x * w))(X)
        return weft.sum(inner * w)

    w = np.array([1.0, 2.0, 3.0])
    close(weft.grad(outer)(w), 4 * X * w)
    close(weft.jit(weft.grad(outer))(w), 4 * X * w)


def test_jacobian_of_several_results_and_arguments():
    def g(x, y):
        return {"p": x[:, None] * y, "s": weft.sum(x)}

    x, y = X[:2], X
    result = weft.jacrev(g, argnums=(0, 1))(x, y)
    close(result["p"][0], np.einsum("ik,j->ijk", np.eye(2), y))
    close(result["p"][1], np.einsum("i,jk->ijk", x, np.eye(3)))
    close(result["s"][0], np.ones(2))
    close(result["s"][1], np.zeros(3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weft.grad(lambda x: x)(3), "only floats and complex"),
        (lambda: weft.grad(lambda x: x)(X), "Reduce it"),
        (lambda: weft.grad(lambda x: (x, x))(1.0), "returns one array"),
        (lambda: weft.grad(lambda x: x > 0)(1.0), "returns one float"),
        (lambda: weft.grad(f, argnums=1)(X), "1 positional argument"),
        (lambda: weft.grad(f, has_aux=True)(X), r"returns \(value, aux\)"),
        (lambda: weft.grad(f(X)), "takes a function"),
        (lambda: weft.vjp(f, X)[1](X), "of shape"),
        (lambda: weft.vjp(f, X)[1]((X, X)), "structure"),
        (lambda: weft.jacrev(lambda x: x > 0)(X), "only floats"),
        (lambda: weft.grad(f)({"a": np.ones(2), "b": np.arange(2)}), r"\['b'\]"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(call, message):
    with pytest.raises((weft.TransformError, weft.UnsupportedTypeError), match=message):
        call()


def test_slopes_where_abs_has_none():
    assert weft.grad(weft.nn.squareplus)(0.0).item() == 0.5
    assert weft.grad(lambda x: weft.fmod(x, 2.0))(0.0).item() == 1
    slope = weft.grad(weft.nn.softplus)
    assert [slope(x).item() for x in (np.inf, -np.inf, 0.0)] == [1, 0, 0.5]


def test_numpy_may_compute_what_is_a_constant():
    f = lambda x: weft.sum(x * np.cos(np.asarray(weft.stop_gradient(x))))  # noqa: E731
    np.testing.assert_allclose(weft.grad(f)(np.ones(2)), np.cos([1, 1]))
    assert weft.grad(lambda x: weft.sum(x * np.where(x > 0, 2.0, 1.0)))(
        np.ones(2)
    ).tolist() == [2, 2]
    # What no differentiated argument leads to is none that NumPy must not see.
    held = lambda w, x: weft.sum(w * np.cos(np.asarray(x)))  # noqa: E731
    np.testing.assert_allclose(weft.grad(held)(np.ones(2), np.ones(2)), np.cos([1, 1]))
    captured = np.arange(1000.0)
    inner = lambda w: weft.sum(w * np.sum(np.asarray(weft.asarray(captured) * 2)))  # noqa: E731
    assert weft.grad(inner)(np.ones(2)).tolist() == [999000, 999000]
    twice = weft.grad(
        lambda w: weft.sum(weft.grad(lambda v: weft.sum(v * np.asarray(w)))(w))
    )
    with pytest.raises(weft.TracerError, match="stop_gradient"):
        twice(np.ones(2))
