"""Products whose results are used block by block: attention, and what is like it."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np
import pytest

import weft
from test_ops import SMALL_MACHINE


def normal(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(dtype)


def attention(q, k, v, causal=False, bias=None):
    scores = weft.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5
    if bias is not None:
        scores = scores + bias
    if causal:
        i, j = weft.arange(q.shape[-2])[:, None], weft.arange(k.shape[-2])
        scores = weft.where(i >= j, scores, -weft.inf)
    return weft.einsum("...ij,...jd->...id", weft.nn.softmax(scores), v)


def reference(q, k, v, causal=False, bias=None):
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    scores = np.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5
    if bias is not None:
        scores = scores + bias
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("...ij,...jd->...id", e / e.sum(-1, keepdims=True), v)


def on_small_machine(function, *args):
    text = weft.jit(function).lower(*args).text("expanded", locations=False)
    return weft.parse(text.replace("module {", SMALL_MACHINE, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(
    "shape", [(1, 8, 512, 64), (2, 3, 384, 32), (1, 1, 1024, 64), (800, 16)], ids=str
)
def test_attention_keeps_no_scores(shape, causal, dtype):
    q, k, v = (normal(*shape, dtype=dtype) + i for i in range(3))
    f = weft.jit(lambda *qkv: attention(*qkv, causal=causal))
    lowered = f.lower(q, k, v)
    scores = np.prod(shape[:-1]) * shape[-2] * q.itemsize
    text = lowered.text("memref")
    arena = int(text.split("weft.arena_bytes = ")[1].split(" ")[0])
    assert arena < scores
    assert np.asarray(f(q, k, v)) == pytest.approx(
        reference(q, k, v, causal), rel=1e-4, abs=1e-5
    )


@pytest.mark.parametrize("keys", [64, 100])
@pytest.mark.parametrize("queries", [64, 62, 61])
@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_small_pieces(queries, keys, causal):
    q, k, v = normal(2, queries, 4), normal(2, keys, 4), normal(2, keys, 5)
    program = on_small_machine(lambda *qkv: attention(*qkv, causal=causal), q, k, v)
    np.testing.assert_allclose(
        program.compile()(q, k, v), reference(q, k, v, causal), rtol=1e-4, atol=1e-5
    )


def test_the_bias_of_each_score_is_added():
    q, k, v = normal(2, 64, 4), normal(2, 80, 4), normal(2, 80, 5)
    bias = normal(2, 64, 80)
    program = on_small_machine(lambda *x: attention(*x[:3], bias=x[3]), q, k, v, bias)
    assert "weft.rows" in program.text("memref")
    np.testing.assert_allclose(
        program.compile()(q, k, v, bias), reference(q, k, v, bias=bias), rtol=1e-4,
        atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_of_attention(causal):
    q, k, v = normal(2, 256, 32), normal(2, 256, 32), normal(2, 256, 32)

    def loss(*qkv):
        return weft.sum(attention(*qkv, causal=causal) ** 2)

    gradient = weft.grad(loss, argnums=(0, 1, 2))
    wide = weft.jit(gradient)(*(x.astype(np.float64) for x in (q, k, v)))
    small = on_small_machine(gradient, q, k, v).compile()(q, k, v)
    for found in (weft.jit(gradient)(q, k, v), small):
        for got, expected in zip(found, wide, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
    weft.testing.check_grads(
        lambda *qkv: attention(*qkv, causal=causal),
        tuple(x[0, :6].astype(np.float64) for x in (q, k, v)), order=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, v: weft.maximum(x @ w, 0) @ v,
        lambda x, w, v: weft.nn.softmax(x @ w) @ v + x[:, :6],
        lambda x, w, v: (weft.nn.softmax(x @ w) @ v, weft.sum(x @ w)),
        lambda x, w, v: weft.max(x @ w, axis=1) + weft.sum(v),
        lambda x, w, v: weft.cumsum(x @ w, axis=1) @ v,
        lambda x, w, v: weft.sort(x @ w, axis=1) @ v,
        lambda x, w, v: (x @ w).T @ (x[:, :5] * 2),
        lambda x, w, v: weft.square(x @ w) @ (v - weft.mean(v)),
        lambda x, w, v: weft.tanh((x @ w + 1) @ v) @ v.T,
    ],
)
def test_what_is_done_with_the_rows_of_a_product(function):
    x, w, v = normal(120, 10), normal(10, 90), normal(90, 6)
    jitted = weft.jit(function)
    expected = jitted.interpret(x, w, v)
    small = on_small_machine(function, x, w, v).compile()
    for found in (jitted(x, w, v), small(x, w, v)):
        pairs = zip(found, expected, strict=True)
        for got, wanted in pairs if isinstance(found, tuple) else [(found, expected)]:
            np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-3)


def test_results_do_not_depend_on_the_number_of_threads():
    q, k, v = (normal(1, 8, 512, 64) + i for i in range(3))
    f = weft.jit(attention)
    before = weft.get_num_threads()
    found = []
    try:
        for count in (1, 2, 7):
            weft.set_num_threads(count)
            found.append(np.asarray(f(q, k, v)).copy())
    finally:
        weft.set_num_threads(before)
    assert all((other == found[0]).all() for other in found)
