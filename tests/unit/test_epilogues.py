"""What follows a product or a convolution and is computed in the loops of it."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import numpy as np
import pytest

import weft
from test_ops import SMALL_MACHINE

pytestmark = pytest.mark.thorough

SHAPES = [(1, 1, 1), (5, 3, 7), (64, 64, 64), (1, 130, 33), (130, 1, 33), (33, 70, 1),
          (70, 150, 90), (257, 40, 300)]  # fmt: skip


def normal(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def check(function, *args, fused: bool | None = True, rtol: float = 2e-4) -> None:
    """Compares compiled code for this machine and a small one with the references."""
    jitted = weft.jit(function)
    expected = np.asarray(jitted.interpret(*args), np.float64)
    lowered = jitted.lower(*args)
    text = lowered.text("expanded", locations=False)
    small = weft.parse(text.replace("module {", SMALL_MACHINE, 1)).compile()
    if fused is not None:
        assert ("weft.epilogue" in lowered.text("fused")) == fused
    scale = np.abs(expected).max() + 1
    for run in (jitted, small):
        found = np.asarray(run(*args), np.float64)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bias_activation_and_residual(shape, dtype):
    m, k, n = shape
    x, w = normal(m, k, dtype=dtype), normal(k, n, dtype=dtype)
    bias, rest = normal(n, dtype=dtype), normal(m, n, dtype=dtype)
    fused = None if 1 in shape else True
    check(lambda x, w, b: weft.maximum(x @ w + b, 0), x, w, bias, fused=fused)
    check(lambda x, w, b, r: weft.tanh(x @ w + b) * 2 + r, x, w, bias, rest,
          fused=fused)  # fmt: skip


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: weft.exp(x @ w / 30),
        lambda x, w: (x @ w) * 0.5,
        lambda x, w: weft.where(x @ w > 0, 1.0, -1.0),
        lambda x, w: x[:, :1] - x @ w + weft.sum(w),
        lambda x, w: x @ w + x @ w[::-1],
        lambda x, w: weft.transpose(x @ w) + 1.0,
        lambda x, w: weft.reshape(x @ w, (10, 9, 7, 8)) + 1.0,
        lambda x, w: weft.flip(x @ w) + 1.0,
        lambda x, w: (x @ w).astype(weft.float64) + 1.0,
        lambda x, w: weft.tanh(weft.maximum(x @ w, 0) @ w.T + x),
        lambda x, w: weft.nn.softmax(x @ w + 1.0),
        lambda x, w: weft.sum(weft.square(x @ w - 1.0)),
    ],
)
def test_what_follows_a_product(function):
    check(function, normal(90, 40), normal(40, 56), fused=None)


def test_batches_and_einsum():
    x, w, b = normal(3, 40, 50), normal(3, 50, 60), normal(3, 1, 60)
    check(lambda x, w, b: weft.maximum(x @ w + b, 0), x, w, b)
    check(lambda x, w, b: weft.einsum("bij,bjk->ikb", x, w) - b.T[0], x, w, b[:, 0, :1],
          fused=None)  # fmt: skip


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("groups", [1, 4])
def test_convolution_blocks(layout, strides, groups):
    channels = layout.index("C")
    x = normal(2, 13, 11, 8)
    kernel, bias = normal(3, 3, 8 // groups, 12), normal(12)
    if layout == "NCHW":
        x, kernel = x.transpose(0, 3, 1, 2), kernel.transpose(3, 2, 0, 1)
    shape = [1] * 4
    shape[channels] = 12

    def block(x, k, b):
        y = weft.nn.conv(x, k, strides=strides, groups=groups,
                         layout=layout)  # fmt: skip
        return weft.maximum(y + weft.reshape(b, shape), 0)

    check(block, x, kernel, bias, fused=None)


def test_a_loop_carries_what_a_product_changes():
    w = normal(30, 30) / 10

    def run(h, w):
        return weft.fori_loop(0, 4, lambda _, h: weft.tanh(h @ w + h), h)

    check(run, normal(8, 30), w, fused=None)


def test_a_step_of_gradient_descent_stays_in_place():
    def step(w, x, y):
        gradient = weft.grad(lambda w: weft.mean((x @ w - y) ** 2))(w)
        return w - 0.1 * gradient

    w, x, y = normal(40, 24), normal(64, 40), normal(64, 24)
    expected = np.asarray(weft.jit(step)(w, x, y))
    donating = weft.jit(step, donate_argnums=0)
    assert "weft.reuses" in donating.lower(w, x, y).text("memref")
    np.testing.assert_allclose(donating(w, x, y), expected, rtol=1e-6, atol=1e-6)


def test_without_the_mark_it_is_a_loop_of_its_own():
    x, w, b = normal(40, 50), normal(50, 60), normal(60)
    lowered = weft.jit(lambda x, w, b: weft.maximum(x @ w + b, 0)).lower(x, w, b)
    kernels = lowered.text("loops").count("func.func private")
    text = lowered.text("fused").replace(", weft.epilogue", "")
    text = text.replace("attrs =  {weft.epilogue}", "").replace("weft.epilogue", "")
    other = lowered.replace("fused", text)
    assert other.text("loops").count("func.func private") == kernels + 1
    np.testing.assert_array_equal(lowered.compile()(x, w, b), other.compile()(x, w, b))
