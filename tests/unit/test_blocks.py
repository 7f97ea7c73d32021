"""What is computed block by block: attention and its like, padded windows, chunks."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np
import pytest

import weft
from test_ops import SMALL_MACHINE

pytestmark = pytest.mark.thorough


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


# Whose second cache is small beside the first, and threads wake soon.
MACHINE = (
    "module attributes {weft.machine = {l1_bytes = 32768 : i64, l2_bytes = 8192 : i64, "
    "share_from = 4096 : i64, vector_bytes = 32 : i64}} {"
)


def on_small_machine(function, *args):
    text = weft.jit(function).lower(*args).text("expanded", locations=False)
    return weft.parse(text.replace("module {", SMALL_MACHINE, 1))


@pytest.mark.parametrize(
    "dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)]
)
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


@pytest.mark.parametrize("axis", [0, 1])
def test_a_bias_is_read_backwards(axis):
    """By whole rows, which no block can be, and within them."""
    q, k, bias = normal(192, 16), normal(256, 16), normal(192, 256)

    def scored(q, k, bias):
        return weft.nn.softmax(q @ k.T + weft.flip(bias, axis)) @ k

    text = weft.jit(scored).lower(q, k, bias).text("expanded", locations=False)
    machine = MACHINE.replace("l2_bytes = 8192", "l2_bytes = 65536")
    program = weft.parse(text.replace("module {", machine, 1))
    assert "weft.rows" in program.text("memref")
    want = weft.jit(scored).interpret(*(x.astype(np.float64) for x in (q, k, bias)))
    np.testing.assert_allclose(
        program.compile()(q, k, bias), want, rtol=1e-4, atol=1e-5
    )


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


# ---- padded windows ----


def check_windows(function, *args, blocks: bool | None = True) -> None:
    jitted = weft.jit(function)
    expected = jitted.interpret(*args)
    small = on_small_machine(function, *args)
    if blocks is not None:
        assert ("scf.if" in small.text("memref")) == blocks
    for run in (small.compile(), jitted):
        found = run(*args)
        pairs = zip(found, expected, strict=True)
        for got, wanted in pairs if isinstance(found, tuple) else [(found, expected)]:
            np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("shape", "kernel", "options"),
    [
        ((2, 600, 4), (5, 4, 6), {}),
        ((2, 600, 4), (5, 4, 6), {"strides": 3, "padding": [(7, 1)]}),
        ((3, 24, 20, 4), (3, 3, 4, 6), {}),
        ((3, 24, 20, 4), (3, 3, 4, 6), {"strides": 2}),
        ((3, 24, 21, 4), (3, 2, 4, 6), {"padding": [(0, 2), (3, 0)]}),
        ((3, 24, 20, 4), (3, 3, 4, 6), {"dilation": 3}),
        ((3, 24, 20, 4), (3, 3, 1, 4), {"groups": 4}),
        ((3, 24, 20, 4), (3, 3, 2, 6), {"groups": 2}),
        ((3, 23, 20, 4), (3, 3, 4, 6), {}),
        ((2, 12, 9, 10, 3), (3, 3, 3, 3, 4), {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("follow", [False, True])
def test_convolutions_pad_what_they_read(shape, kernel, options, follow):
    x, k = normal(*shape), normal(*kernel)
    bias = normal(kernel[-1])

    def block(x, k, b):
        y = weft.nn.conv(x, k, **options)
        return weft.maximum(y + b, 0) if follow else y

    check_windows(block, x, k, bias, blocks=shape[1] % 23 != 0)


@pytest.mark.parametrize("strides", [1, 2])
def test_channels_may_come_first(strides):
    x, k = normal(3, 4, 24, 20), normal(6, 4, 3, 3)
    check_windows(lambda x, k: weft.nn.conv(x, k, strides=strides, layout="NCHW"), x, k)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: weft.nn.max_pool(x, 3, strides=2, padding="SAME"),
        lambda x: weft.nn.max_pool(x, (3, 5), padding="SAME"),
        lambda x: weft.nn.avg_pool(x, 3, strides=1, padding="SAME"),
        lambda x: weft.nn.max_pool(weft.tanh(x), 3, padding="SAME"),
        lambda x: weft.reduce_window_min(x, (1, 5, 3, 1), (1, 1, 1, 1), "SAME"),
    ],
)
def test_poolings_pad_what_they_read(function):
    check_windows(function, normal(3, 24, 20, 4), blocks=None)


def test_what_is_done_before_the_padding_and_what_else_reads_it():
    x, k = normal(3, 24, 20, 4), normal(3, 3, 4, 4)
    check_windows(lambda x, k: weft.nn.conv(weft.maximum(x, 0) + 1, k), x, k)
    check_windows(lambda x, k: weft.nn.conv(x, k) + weft.sum(x), x, k, blocks=None)

    def both(x, k):
        padded = weft.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
        return weft.nn.conv(padded, k, padding="VALID"), padded

    check_windows(both, x, k, blocks=False)


def test_gradients_of_convolutions_in_blocks():
    x, k = normal(2, 24, 20, 4), normal(3, 3, 4, 4)

    def loss(x, k):
        return weft.sum(weft.tanh(weft.nn.conv(x, k)) ** 2)

    gradient = weft.grad(loss, argnums=(0, 1))
    wide = weft.jit(gradient)(x.astype(np.float64), k.astype(np.float64))
    for found in (
        weft.jit(gradient)(x, k),
        on_small_machine(gradient, x, k).compile()(x, k),
    ):
        for got, wanted in zip(found, wide, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-3)


def test_a_loop_changes_what_was_padded():
    k = normal(3, 3, 4, 4) / 10

    def run(x, k):
        return weft.fori_loop(0, 3, lambda _, x: weft.tanh(weft.nn.conv(x, k) + x), x)

    check_windows(run, normal(2, 24, 20, 4), k, blocks=None)


NUMBERS = [np.float32, np.float64, weft.bfloat16, np.int8]


def check_exact(function, *args, contains: str, machine: str = MACHINE) -> None:
    text = weft.jit(function).lower(*args).text("expanded", locations=False)
    program = weft.parse(text.replace("module {", machine, 1))
    assert contains in program.text("loops")
    want = weft.jit(function).interpret(*args)
    got = program.compile()(*args)
    for one, exact in zip(got if len(want) > 1 else [got], want, strict=True):
        np.testing.assert_allclose(one, exact, rtol=1e-14)


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(20_000,), (20_001,), (3, 8191), (9, 5000, 2)])
def test_chunks_that_are_asked_for_ahead(shape, dtype):
    """Whole chunks and what is left, of dtypes of several widths."""
    random = np.random.default_rng(len(shape))
    x = random.integers(-3, 4, shape).astype(dtype)
    y = random.integers(1, 4, shape).astype(np.float64)
    check_exact(
        lambda x, y: (x * weft.sqrt(y * y) + (x > 0) * y,),
        x,
        y,
        contains="memref.prefetch",
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
@pytest.mark.parametrize("shape", [(300, 512), (60, 3, 1000), (600, 300)])
def test_rows_that_are_asked_for_ahead(shape, dtype):
    random = np.random.default_rng(len(shape))
    x = random.integers(-3, 4, shape).astype(dtype)

    def function(x):
        y = x.astype("float64")
        root = weft.sqrt((y - weft.max(y, -1, keepdims=True)) ** 2)
        return root, weft.sum(root, -1)

    machine = MACHINE.replace("l2_bytes = 8192", "l2_bytes = 131072")
    check_exact(function, x, contains="memref.prefetch", machine=machine)


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(20_000,), (20_480,), (4096, 3), (10_007,)])
def test_short_rows_in_blocks(shape, dtype):
    """Several results of the same elements, some of them backwards."""
    random = np.random.default_rng(len(shape))
    x = random.integers(-3, 4, shape).astype(dtype)
    y = random.integers(1, 4, shape).astype(np.float64)

    def function(x, y):
        a = x.astype(y.dtype) * y + 1
        b = weft.sqrt(a * a)
        return a, a * b, b - y, x[::-1] + b, b + weft.arange(shape[0])[-1]

    check_exact(function, x, y, contains="scf.for")


# By the first cache, sums by columns are in blocks of 1024, of 640 and of 64.
@pytest.mark.parametrize("cache", [32768, 20480, 2048])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8])
@pytest.mark.parametrize(
    "shape", [(300, 512), (60, 3, 1000), (900, 200), (4000, 37), (40, 5000)]
)
def test_sums_that_are_asked_for_ahead(shape, dtype, cache):
    """Along rows, along columns, and of all; roots of squares are exact."""
    random = np.random.default_rng(len(shape))
    x = random.integers(-3, 4, shape).astype(dtype)

    def function(x):
        root = weft.sqrt(x.astype("float64") ** 2)
        return weft.sum(root, 0), weft.sum(root, -1), weft.sum(root)

    machine = MACHINE.replace("l2_bytes = 8192", "l2_bytes = 131072")
    machine = machine.replace("l1_bytes = 32768", f"l1_bytes = {cache}")
    for i in range(3):
        check_exact(
            lambda x, i=i: (function(x)[i], i), x, contains="scf", machine=machine
        )
    check_exact(function, x, contains="scf", machine=machine)


@pytest.mark.parametrize(
    ("shape", "kernel", "margins", "groups"),
    [
        ((8, 16, 8192), (16, 16, 5), ((0, 1), (0, 0), (2, 2)), 1),
        ((8, 16, 8192), (16, 16, 5), ((1, 9), (0, 0), (2, 2)), 1),
        ((3, 12, 256, 96), (12, 12, 3, 3), ((1, 1), (0, 0), (1, 1), (1, 1)), 1),
        ((2, 8, 300, 256), (16, 1, 3, 3), ((0, 0), (4, 4), (1, 1), (1, 1)), 16),
    ],
)
def test_margins_of_stacks_and_channels(shape, kernel, margins, groups):
    """A block copies from the inside alone, whichever dimensions have margins."""
    random = np.random.default_rng(0)
    x = random.integers(-3, 4, shape).astype(np.float32)
    k = random.integers(-3, 4, kernel).astype(np.float32)

    def windows(x, k):
        padded = weft.pad(x, margins)
        return weft.conv_general_dilated(
            padded, k, 1, "VALID", feature_group_count=groups
        )

    lowered = weft.jit(windows).lower(x, k)
    np.testing.assert_array_equal(
        np.asarray(weft.jit(windows)(x, k)), np.asarray(lowered.interpret(x, k))
    )
