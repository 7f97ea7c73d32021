"""Rules given by hand, stop_gradient, checkpoint, and what backward passes keep."""

import re

import numpy as np
import pytest

import weft

X = np.array([0.3, -1.2, 2.0])


def close(ours, theirs, rtol=1e-10):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol, atol=1e-14)


def scaled():
    """2 x, whose cotangent is wrong on purpose: clipped to [-1, 1]."""

    @weft.custom_vjp
    def double(x):
        return 2.0 * x

    double.defvjp(
        lambda x: (double(x), None), lambda _, ct: (weft.clip(ct, -1.0, 1.0),)
    )
    return double


def total(function):
    return lambda x: weft.sum(5.0 * function(x))


@pytest.mark.parametrize(
    "transform",
    [weft.grad, lambda g: weft.jit(weft.grad(g)), lambda g: weft.grad(weft.jit(g)),
     lambda g: weft.jit(weft.grad(weft.checkpoint(g))), weft.jacrev],
)  # fmt: skip
def test_the_rule_is_used(transform):
    close(transform(total(scaled()))(X), np.ones(3))


def test_values_are_the_functions():
    close(scaled()(X), 2 * X)
    close(weft.jit(scaled())(X), 2 * X)


def test_under_vmap():
    stack = np.stack([X, 2 * X])
    close(weft.jit(weft.vmap(weft.grad(total(scaled()))))(stack), np.ones((2, 3)))
    batched = weft.grad(lambda xs: weft.sum(5.0 * weft.vmap(scaled())(xs)))
    close(weft.jit(batched)(stack), np.ones((2, 3)))


def test_within_loops():
    double = scaled()

    def looped(x):
        return weft.sum(weft.fori_loop(0, 3, lambda _, y: double(y), x) * 0.1)

    close(weft.jit(weft.grad(looped))(X), np.full(3, 0.1))
    close(weft.jit(looped)(X), 0.8 * X.sum())


def test_a_rule_for_what_has_no_derivative():
    @weft.custom_vjp
    def rounded(x):
        return weft.round(x)

    rounded.defvjp(lambda x: (weft.round(x), None), lambda _, ct: (ct,))
    close(weft.jit(weft.grad(lambda x: weft.sum(rounded(x) * X)))(X), X)


def test_trees_integers_and_nondiff_arguments():
    @weft.custom_vjp
    def pick(p, n):
        return {"y": p["a"] * p["b"], "n": n + 1}

    def fwd(p, n):
        return pick(p, n), (p, n)

    def bwd(kept, ct):
        p, _ = kept
        return {"a": ct["y"] * p["b"], "b": ct["y"] * 0.0}, None

    pick.defvjp(fwd, bwd)
    p = {"a": X, "b": 3.0 + X}
    got = weft.jit(weft.grad(lambda p: weft.sum(pick(p, 2)["y"])))(p)
    close(got["a"], 3 + X)
    close(got["b"], np.zeros(3))

    def power(n, x):
        return x**n

    power = weft.custom_vjp(nondiff_argnums=(0,))(power)
    power.defvjp(
        lambda n, x: (x**n, x), lambda n, x, ct: (ct * n * x ** (n - 1) * 10.0,)
    )
    close(weft.jit(weft.grad(lambda x: power(3, x)))(np.float64(2.0)), 120.0)


def test_custom_jvp_in_both_modes():
    @weft.custom_jvp
    def softplus(x):
        return weft.log(1.0 + weft.exp(x))

    @softplus.defjvp
    def rule(primals, tangents):
        (x,), (t,) = primals, tangents
        return softplus(x), t / (1.0 + weft.exp(-x))

    big = np.array([-800.0, 0.0, 800.0])
    slope = np.array([0.0, 0.5, 1.0])
    close(weft.jit(lambda x: weft.jvp(softplus, (x,), (X,)))(big)[1], slope * X)
    close(weft.jit(weft.grad(lambda x: weft.sum(softplus(x))))(big), slope)
    close(weft.jit(weft.vmap(weft.grad(softplus)))(big), slope)
    second = weft.jit(weft.grad(weft.grad(softplus)))
    close(second(np.float64(0.0)), 0.25)
    softplus.defjvps(lambda t, y, x: t * 7.0)
    close(weft.jit(weft.grad(softplus))(np.float64(0.0)), 7.0)


def test_forward_mode_needs_a_rule_for_it():
    double = scaled()
    with pytest.raises(weft.CompileError, match="has a custom_vjp rule") as error:
        weft.jvp(double, (X,), (X,))
    assert re.match(r"tests/unit/test_custom.py:\d+: ", str(error.value))


def test_arrays_from_outside():
    def outer(x, k):
        inner = weft.custom_vjp(lambda y: y * k)
        inner.defvjp(lambda y: (y * k, None), lambda _, ct: (ct * k * 10.0,))
        return weft.sum(inner(x))

    k = np.float64(2.0)
    close(weft.jit(weft.grad(outer))(X, k), np.full(3, 20.0))
    with pytest.raises(weft.WeftError, match="pass it as one"):
        weft.jit(weft.grad(outer, argnums=1))(X, k)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (None, r"has no rule; give it one with f\.defvjp"),
        ((lambda x: x, lambda r, ct: (ct,)), r"returns \(result, what to keep\)"),
        ((lambda x: (x[:2], None), lambda r, ct: (ct,)), r"needs one of shape \(3,\)"),
        ((lambda x: (x, None), lambda r, ct: ct), "returns a tuple"),
        ((lambda x: (x, None), lambda r, ct: (ct, ct)), "each of 1 arguments"),
        ((lambda x: (x, None), lambda r, ct: (ct[:1],)), r"needs one of shape \(3,\)"),
    ],
)
def test_mistakes(rules, words):
    def f(x):
        return x * 1.0

    f = weft.custom_vjp(f)
    if rules:
        f.defvjp(*rules)
    with pytest.raises(weft.TransformError, match=words) as error:
        weft.grad(lambda x: weft.sum(f(x)))(X)
    assert str(error.value).startswith("tests/unit/test_custom.py:")


def test_stop_gradient():
    def g(x):
        return weft.sum(x * weft.stop_gradient(x))

    close(weft.grad(g)(X), X)
    close(weft.jit(weft.grad(g))(X), X)
    close(weft.jit(lambda x: weft.jvp(g, (x,), (x,)))(X)[1], np.sum(X * X))


# ---- checkpoint and residuals ----


def deep(x):
    for _ in range(4):
        x = weft.tanh(x)
    return weft.sum(x)


def test_checkpoint_computes_again():
    plain = weft.grad(deep).lower(X).text("expanded")
    again = weft.grad(weft.checkpoint(deep)).lower(X).text("expanded")
    assert plain.count("weft.tanh") == 4
    assert "weft.barrier" not in plain
    assert again.count("weft.barrier") == 1
    # The result is not needed: the first computation is gone.
    assert again.count("weft.tanh") == 4
    both = weft.value_and_grad(weft.checkpoint(deep)).lower(X)
    assert both.text("expanded").count("weft.tanh") == 8
    # Nothing on the way to machine code merges them again.
    fused = both.text("memref")
    assert fused.count("math.tanh") == 8
    close(weft.jit(weft.grad(weft.checkpoint(deep)))(X), np.asarray(weft.grad(deep)(X)))


def test_policies():
    w = np.eye(3)

    def net(x):
        return weft.sum(weft.tanh(weft.tanh(x @ w) @ w))

    def kept(policy):
        return weft.jit(weft.checkpoint(net, policy=policy)).residuals(X)

    assert kept("nothing_saveable").bytes == 0
    dots = kept("dots_saveable")
    assert {r.value for r in dots} == {"dot_general"}
    assert kept("everything_saveable").bytes == weft.jit(net).residuals(X).bytes
    grads = [
        np.asarray(weft.jit(weft.grad(weft.checkpoint(net, policy=policy)))(X))
        for policy in ("nothing_saveable", "dots_saveable", "everything_saveable")
    ]
    close(grads[0], grads[2])
    close(grads[1], grads[2])
    with pytest.raises(weft.ArgumentError, match="there is no policy"):
        weft.checkpoint(net, policy="all")


def test_second_derivatives_of_checkpointed_functions():
    ours = weft.jit(weft.hessian(weft.checkpoint(deep)))(X)
    close(ours, np.asarray(weft.hessian(deep)(X)), 1e-9)


def test_residuals():
    def g(x, n):
        y = weft.sin(x)
        return weft.sum(y * weft.exp(y)) * n

    listed = weft.jit(g).residuals(X, 3)
    lines = str(listed).splitlines()
    assert lines[-1].strip().startswith(f"{listed.bytes:,} bytes in {len(listed)}")
    first = g.__code__.co_firstlineno
    where = {(r.value, r.line) for r in listed}
    assert ("sin", f"tests/unit/test_custom.py:{first + 1}") in where
    assert ("exp", f"tests/unit/test_custom.py:{first + 2}") in where
    assert all(r.bytes == r.spec.size * r.spec.dtype.itemsize for r in listed)
    assert {r.rule for r in listed} <= {"multiply", "exp", "sin", "sum"}


def test_nothing_to_differentiate():
    """Functions of nothing, of integers, and of trees without leaves."""
    assert weft.vjp(lambda: weft.ones(3))[1](np.ones(3, np.float32)) == ()
    assert weft.vjp(lambda x: x, [])[1]([]) == ([],)
    assert len(weft.jit(lambda x: x).residuals(np.arange(3))) == 0
    assert len(weft.jit(lambda: weft.ones(2)).residuals()) == 0


def test_nothing_is_kept_for_nothing():
    def root(a):
        return weft.while_loop(
            lambda s: weft.abs(s[0] - s[1]) > 1e-9,
            lambda s: (0.5 * (s[0] + a / s[0]), s[0]),
            (a, 0.5 * a),
        )[0]

    def f(a):
        def step(c, t):
            return c + root(c * t), c * c

        c, ys = weft.scan(step, a, weft.asarray(X * X))
        return c + weft.sum(ys)

    jitted, a = weft.jit(f), np.float64(1.3)
    listed = jitted.residuals(a)
    assert all(r.rule == "scan" for r in listed)
    assert listed.bytes == 3 * 3 * 8  # carries, starts and counts
    _, pullback = weft.vjp(jitted, a)
    close(pullback(1.0)[0], np.asarray(weft.grad(f)(a)))


@pytest.mark.parametrize("f", [deep, lambda x: weft.sum(weft.sin(x) * x / weft.exp(x))])
def test_residuals_are_what_the_compiled_forward_pass_returns(f):
    jitted = weft.jit(f)
    listed = jitted.residuals(X)
    passes, _ = jitted.passes((X,))
    outputs = passes.forward([X])
    assert sum(np.asarray(kept).nbytes for kept in outputs[1:]) == listed.bytes
    # And those that the derivative in one program uses of the primal part.
    value, pullback = weft.vjp(jitted, X)
    close(pullback(1.0)[0], np.asarray(weft.grad(f)(X)))
    close(value, np.asarray(f(weft.asarray(X))))
