"""Forward mode, linearize and Jacobians: on trees, in any nesting, and by hand."""

import numpy as np
import pytest

import weft

X = np.array([0.3, -1.2, 2.0])


def f(x):
    return weft.sin(x) * x


def df(x):
    return np.sin(x) + x * np.cos(x)


def close(ours, theirs, rtol=1e-10):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol, atol=1e-14)


def total(function):
    return lambda x: weft.sum(function(x))


T = np.array([1.0, 0.5, -2.0])


@pytest.mark.parametrize("wrap", [lambda g: g, weft.jit])
def test_jvp(wrap):
    value, tangent = wrap(lambda x: weft.jvp(f, (x,), (T,)))(X)
    close(value, np.sin(X) * X)
    close(tangent, df(X) * T)


@pytest.mark.parametrize("wrap", [lambda g: g, weft.jit])
def test_linearize(wrap):
    def both(x):
        value, derivative = weft.linearize(f, x)
        return value, derivative(T), derivative(2 * T)

    value, one, two = wrap(both)(X)
    close(value, np.sin(X) * X)
    close(one, df(X) * T)
    close(two, 2 * df(X) * T)


@pytest.mark.parametrize("jacobian", [weft.jacfwd, weft.jacrev])
@pytest.mark.parametrize("wrap", [lambda g: g, weft.jit])
def test_jacobian(jacobian, wrap):
    close(wrap(jacobian(f))(X), np.diag(df(X)))


@pytest.mark.parametrize("jacobian", [weft.jacfwd, weft.jacrev])
def test_jacobian_of_trees(jacobian):
    def g(p, scale):
        return {"y": p["a"] * scale, "z": (weft.sum(p["b"]), p["a"][0] * p["b"])}

    p = {"a": np.ones(2), "b": np.full((3,), 2.0)}
    got = weft.jit(jacobian(g, argnums=(0, 1)))(p, np.float64(3.0))
    by_p, by_scale = got["y"]
    close(by_p["a"], 3 * np.eye(2))
    close(by_p["b"], np.zeros((2, 3)))
    close(by_scale, [1, 1])
    by_p, by_scale = got["z"][1]
    close(by_p["a"], [[2, 0], [2, 0], [2, 0]])
    close(by_p["b"], np.eye(3))
    close(by_scale, np.zeros(3))
    assert np.shape(got["z"][0][0]["b"]) == (3,)


@pytest.mark.parametrize("jacobian", [weft.jacfwd, weft.jacrev])
def test_jacobian_with_aux(jacobian):
    jac, aux = jacobian(lambda x: (x * x, {"sum": weft.sum(x)}), has_aux=True)(X)
    close(jac, np.diag(2 * X))
    close(aux["sum"], X.sum())


def test_jacobian_of_nothing_and_of_one():
    assert np.shape(weft.jacrev(lambda x: x * 2)(np.zeros(0))) == (0, 0)
    assert np.shape(weft.jacfwd(lambda x: x * 2)(np.zeros(0))) == (0, 0)
    close(weft.jacfwd(weft.sin)(0.5), np.cos(0.5), 1e-6)


def test_hessian():
    ours = weft.jit(weft.hessian(total(f)))(X)
    close(ours, np.diag(2 * np.cos(X) - X * np.sin(X)))
    close(weft.jacrev(weft.grad(total(f)))(X), np.asarray(ours))
    close(weft.jacfwd(weft.jacfwd(total(f)))(X), np.asarray(ours))
    close(weft.jacrev(weft.jacfwd(total(f)))(X), np.asarray(ours))


def test_hessian_vector_products_agree():
    g = total(lambda x: weft.exp(weft.sin(x)) * weft.sum(x))

    def forward_over_reverse(x):
        return weft.jvp(weft.grad(g), (x,), (T,))[1]

    def reverse_over_forward(x):
        return weft.grad(lambda x: weft.jvp(g, (x,), (T,))[1])(x)

    def reverse_over_reverse(x):
        return weft.vjp(weft.grad(g), x)[1](T)[0]

    full = np.asarray(weft.hessian(g)(X)) @ T
    for hvp in (forward_over_reverse, reverse_over_forward, reverse_over_reverse):
        close(weft.jit(hvp)(X), full)


def test_integers_have_zero_tangents():
    (_, index), (ty, tindex) = weft.jvp(lambda x: (x * 2, weft.argmax(x)), (X,), (T,))
    close(ty, 2 * T)
    assert tindex.dtype == index.dtype == weft.int64
    assert int(tindex) == 0


def test_aux_of_jvp():
    value, tangent, aux = weft.jvp(lambda x: (x * x, "static" and x), (X,), (T,), True)
    close(value, X * X)
    close(tangent, 2 * X * T)
    close(aux, X)


def test_a_stored_pullback_is_called_twice_and_batched():
    calls = []

    def counted(x):
        calls.append(1)
        return weft.sin(x) * x

    @weft.jit
    def program(x):
        value, pullback = weft.vjp(counted, x)
        rows = weft.vmap(lambda ct: pullback(ct)[0])(weft.eye(3, dtype=weft.float64))
        return value, pullback(x)[0], rows

    value, pulled, rows = program(X)
    close(value, np.sin(X) * X)
    close(pulled, df(X) * X)
    close(rows, np.diag(df(X)))
    assert len(calls) == 1
    text = program.lower(X).text("expanded")
    assert text.count("weft.sin") == 1
    assert text.count("weft.cos") == 1


def test_pullback_within_other_functions():
    @weft.jit
    def program(x):
        _, pullback = weft.vjp(f, x)
        inner = weft.jit(lambda ct: pullback(ct)[0])
        return inner(x), weft.grad(lambda ct: weft.sum(pullback(ct)[0] * T))(x)

    pulled, by_ct = program(X)
    close(pulled, df(X) * X)
    close(by_ct, df(X) * T)


def test_pullback_in_a_loop():
    @weft.jit
    def program(x):
        _, pullback = weft.vjp(f, x)
        return weft.fori_loop(0, 3, lambda _, ct: pullback(ct)[0], x)

    close(program(X), df(X) ** 3 * X)


def test_a_pullback_cannot_be_returned():
    with pytest.raises(weft.WeftError, match=r"test_forward.py:\d+"):
        weft.jit(lambda x: weft.vjp(f, x)[1])(X)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: weft.jvp(f, X, T), "takes primals as a tuple"),
        (lambda: weft.jvp(f, (X,), (T[:2],)), "needs one of shape (3,), not (2,)"),
        (lambda: weft.jvp(f, (X,), (T, T)), "must have the structure"),
        (lambda: weft.jvp(f, (np.arange(3),), (T,)), "only floats and complex"),
        (lambda: weft.jvp(X, (X,), (T,)), "takes a function"),
        (lambda: weft.jacfwd(lambda x: weft.argmax(x))(X), "only floats and complex"),
        (lambda: weft.linearize(f, X)[1](T[:1]), "needs one of shape (3,)"),
        (lambda: weft.hessian(3), "takes a function"),
    ],
)
def test_mistakes(call, words):
    with pytest.raises(weft.TransformError if "tuple" not in words else
                       weft.StructureError) as error:  # fmt: skip
        call()
    assert words in str(error.value)
    assert str(error.value).startswith("tests/unit/test_forward.py:")
