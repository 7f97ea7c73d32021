"""Batching: axes, trees, nesting with the other transformations, and mistakes."""

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

import weft
from weft import tree as tree_module

RNG = np.random.default_rng(5)
XS = RNG.normal(size=(3, 4))
W = RNG.normal(size=(4, 2))


class Net(NamedTuple):
    w: Any
    b: Any


def close(ours, theirs, rtol=1e-10):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol, atol=1e-12)


def both(function, *args, **kwargs):
    """The results outside and under `jit`, which must be equal."""
    eager, compiled = function(*args, **kwargs), weft.jit(function)(*args, **kwargs)
    for a, b in zip(leaves(eager), leaves(compiled), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)
    return compiled


def leaves(tree):
    return tree_module.flatten(tree)[0]


def loop(function, xs):
    return np.stack([np.asarray(function(x)) for x in xs])


# ---- axes ----


def test_a_stack_along_any_axis():
    cube = RNG.normal(size=(2, 3, 4))
    for axis, out in itertools.product((0, 1, 2, -1, -2, -3), (0, 1, -1, -2)):
        got = both(weft.vmap(lambda x: x.T @ x, in_axes=axis, out_axes=out), cube)
        want = np.stack([x.T @ x for x in np.moveaxis(cube, axis, 0)])
        close(got, np.moveaxis(want, 0, out))


def test_shared_arguments():
    f = lambda x, w, scale: x @ w * scale  # noqa: E731
    got = both(weft.vmap(f, in_axes=(0, None, None)), XS, W, 2.0)
    close(got, XS @ W * 2)
    assert got.dtype == np.float64
    close(both(weft.vmap(f, in_axes=[None, -1, None]), XS, W, 1), (XS @ W).T)


def test_captured_arrays_are_shared():
    big = RNG.normal(size=(4, 30))
    close(both(weft.vmap(lambda x: x @ big), XS), XS @ big)

    @weft.jit
    def outer(xs, w):
        return weft.vmap(lambda x: weft.tanh(x @ w) + w[0])(xs)

    close(outer(XS, W), np.tanh(XS @ W) + W[0])


def test_keyword_arguments_are_mapped_along_their_first_axis():
    def f(x, *, scale):
        return weft.sum(x) * scale

    scales = np.array([1.0, 2.0, 3.0])
    close(both(weft.vmap(f), XS, scale=scales), XS.sum(1) * scales)
    close(both(weft.vmap(f, in_axes=None), XS[0], scale=scales), XS[0].sum() * scales)


def test_defaults_are_not_mapped():
    close(both(weft.vmap(lambda x, k=2: x * k), XS), XS * 2)


def test_results_that_no_mapped_argument_reaches():
    f = lambda x, y: (x * 2, y * 3, 1.0)  # noqa: E731
    y = np.array([1.0, 2.0])
    for out in (0, (0, None, None)):
        a, b, c = both(weft.vmap(f, in_axes=(0, None), out_axes=out), XS, y)
        close(a, XS * 2)
        close(b, np.tile(y * 3, (3, 1)) if out == 0 else y * 3)
        close(c, np.ones(3) if out == 0 else 1)


def test_the_size_may_be_given():
    close(both(weft.vmap(lambda: weft.ones(2), axis_size=3)), np.ones((3, 2)))
    f = weft.vmap(lambda x: x + 1, in_axes=None, axis_size=3, out_axes=1)
    close(both(f, np.zeros(2)), np.ones((2, 3)))


@pytest.mark.parametrize("size", [0, 1])
def test_stacks_of_none_and_of_one(size):
    xs = XS[:size]
    close(both(weft.vmap(weft.sum), xs), xs.sum(1))
    close(both(weft.vmap(lambda x: x @ W), xs), xs @ W)
    close(both(weft.vmap(weft.grad(lambda x: weft.sum(x * x))), xs), 2 * xs)


# ---- trees ----


def test_axes_are_an_upper_part_of_the_arguments():
    nets = Net(RNG.normal(size=(3, 4, 2)), RNG.normal(size=(2, 3)))
    f = lambda net, x: {"y": x["x"] @ net.w + net.b, "x": x["x"]}  # noqa: E731
    x = {"x": XS[0], "unused": None}
    for axes in ((Net(0, 1), None), (Net(0, 1), {"x": None, "unused": None})):
        got = both(weft.vmap(f, in_axes=axes, out_axes={"y": -1, "x": None}), nets, x)
        close(got["y"], (np.einsum("i,nij->nj", XS[0], nets.w) + nets.b.T).T)
        close(got["x"], XS[0])


def test_one_axis_for_a_whole_tree():
    tree = {"a": XS, "b": (XS + 1, [XS * 2])}
    got = both(weft.vmap(lambda t: t["a"] + t["b"][0] * t["b"][1][0]), tree)
    close(got, XS + (XS + 1) * XS * 2)


# ---- nesting ----


def f(x):
    return weft.sum(weft.sin(x) * x)


def df(x):
    return np.sin(x) + x * np.cos(x)


@pytest.mark.parametrize(
    "g",
    [weft.vmap(f), weft.jit(weft.vmap(f)), weft.vmap(weft.jit(f)),
     weft.jit(weft.vmap(weft.jit(f))), weft.vmap(f).interpret],
)  # fmt: skip
def test_jit_and_vmap(g):
    close(g(XS), (np.sin(XS) * XS).sum(1))


@pytest.mark.parametrize(
    "g",
    [weft.vmap(weft.grad(f)), weft.jit(weft.vmap(weft.grad(f))),
     weft.grad(lambda x: weft.sum(weft.vmap(f)(x))),
     weft.jit(weft.grad(lambda x: weft.sum(weft.vmap(weft.jit(f))(x)))),
     lambda x: weft.vmap(lambda v: weft.vjp(f, v)[1](1.0)[0])(x),
     weft.vmap(weft.jit(weft.grad(weft.jit(f))))],
)  # fmt: skip
def test_grad_and_vmap(g):
    close(g(XS), df(XS))


def test_vmap_of_vmap():
    products = weft.vmap(weft.vmap(lambda a, b: a * b, (None, 0)), (0, None))
    close(both(products, XS[0], XS[1]), np.outer(XS[0], XS[1]))
    cube = RNG.normal(size=(2, 3, 4))
    got = both(weft.vmap(weft.vmap(weft.vmap(weft.sin), 1, 1)), cube)
    close(got, np.sin(cube))


def test_vmap_of_vmap_with_outer_values():
    @weft.jit
    def pairwise(xs, ys):
        return weft.vmap(lambda x: weft.vmap(lambda y: weft.sum((x - y) ** 2))(ys))(xs)

    close(pairwise(XS, XS[:2]), ((XS[:, None] - XS[None, :2]) ** 2).sum(-1))


def test_second_derivatives_of_each():
    hessian = weft.jacrev(weft.grad(lambda x: weft.sum(x**3)))
    got = both(weft.vmap(hessian), XS)
    close(got, np.stack([np.diag(6 * x) for x in XS]), 1e-6)


def test_gradients_of_each_with_shared_parameters():
    def loss(net, x, y):
        return weft.mean((weft.tanh(x @ net.w) + net.b - y) ** 2)

    net, ys = Net(W, np.zeros(2)), RNG.normal(size=(3, 2))
    got = both(weft.vmap(weft.grad(loss), in_axes=(None, 0, 0)), net, XS, ys)
    want = [weft.grad(loss)(net, x, y) for x, y in zip(XS, ys, strict=True)]
    close(got.w, np.stack([np.asarray(g.w) for g in want]), 1e-6)
    close(got.b, np.stack([np.asarray(g.b) for g in want]), 1e-6)


def test_a_function_is_traced_once():
    calls = []

    def counted(x):
        calls.append(x.shape)
        return weft.sin(x)

    weft.jit(weft.vmap(counted)).lower(XS)
    assert calls == [(4,)]


# ---- what it becomes ----


def expanded(function, *args):
    return function.lower(*args).text("expanded", locations=False)


def test_a_product_with_a_shared_matrix_stays_one_product():
    text = expanded(weft.vmap(lambda x, w: x @ w, (0, None)), XS, W)
    assert text.count("weft.dot_general") == 1
    assert "batch [] x [] contract [1] x [0]" in text
    assert "transpose" not in text
    text = expanded(weft.vmap(lambda w, x: w @ x, (None, 0)), W.T, XS)
    assert "batch [] x [] contract [1] x [1]" in text
    assert "transpose" not in text
    linalg = weft.vmap(lambda x, w: x @ w, (0, None)).lower(XS, W).text("linalg")
    assert linalg.count("linalg.generic") == 1


def test_elementwise_chains_fuse_as_without_vmap():
    def chain(x):
        return weft.sin(x) * weft.exp(x) + 1.0

    single = weft.jit(chain).lower(XS[0]).text("fused")
    stacked = weft.vmap(chain).lower(XS).text("fused")
    assert stacked.count("linalg.generic") == single.count("linalg.generic") == 1


def test_what_does_not_depend_is_computed_once():
    text = expanded(weft.vmap(lambda x, y: x * weft.exp(y), (0, None)), XS, XS[0])
    assert "weft.exp %arg1 : tensor<4xf64>" in text


def test_lines_of_the_program_stay():
    text = weft.vmap(f).lower(XS).text("expanded")
    assert f'test_vmap.py":{f.__code__.co_firstlineno + 1}:' in text
    assert '"vmap of f"' in text


# ---- mistakes ----


def mistake(match, function, *args, **kwargs):
    with pytest.raises(weft.WeftError, match=match) as error:
        function(*args, **kwargs)
    assert str(error.value).startswith("tests/unit/test_vmap.py:")


def test_mistakes():
    add = lambda x, y: x + y  # noqa: E731
    mistake("write vmap\\(f\\)\\(x\\)", weft.vmap, XS)
    mistake(r"args\[0\] has 3 inputs along axis 0, but args\[1\] has 4 inputs along",
            weft.vmap(add, (0, 1)), XS, XS)  # fmt: skip
    mistake("axis_size is 5, but", weft.vmap(add, axis_size=5), XS, XS)
    mistake("has no axis 2 to map", weft.vmap(add, (0, 2)), XS, XS)
    mistake("has no axis -3 to map", weft.vmap(add, (0, -3)), XS, XS)
    mistake("Python float and has no axis 0", weft.vmap(add), XS, 1.0)
    mistake("does not have the structure", weft.vmap(add, (0,)), XS, XS)
    mistake("does not have the structure", weft.vmap(add, ({"a": 0}, 0)), XS, XS)
    mistake("an axis is an integer or None", weft.vmap(add, ("rows", 0)), XS, XS)
    mistake("maps no argument", weft.vmap(add, None), XS, XS)
    mistake("out_axes has 3", weft.vmap(add, out_axes=3), XS, XS)
    mistake("out_axes=.* does not have the structure of the result",
            weft.vmap(add, out_axes=(0, 0)), XS, XS)  # fmt: skip
    mistake("missing a required argument", weft.vmap(add), XS)


def test_a_mapped_result_must_have_an_axis():
    wrong = weft.vmap(lambda x: (x, x + 1), out_axes=(0, None))
    for call in (wrong, weft.jit(wrong), lambda x: wrong(x)):
        mistake("result 1 of @.* without an axis", call, XS)


def test_branches_on_values():
    def relu(x):
        return x if x > 0 else 0.0 * x

    for call in (weft.vmap(relu), weft.jit(weft.vmap(relu))):
        with pytest.raises(weft.TracerError, match=r"weft\.where"):
            call(XS[0])
    # An argument that all inputs share has its value outside jit.
    close(weft.vmap(lambda x, k: x * 2 if k > 0 else x, (0, None))(XS, 1.0), XS * 2)
