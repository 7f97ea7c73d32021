"""Steps of training: loss, gradients and update of all parameters."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..case import RANDOM, Case, Work, normal, size_of
from .arrays import layer_norm, softmax

RATE = 0.01
CLASSES = 10
Parameters = dict[str, Any]


def cases() -> Iterator[Case]:
    yield perceptron()
    yield small_cnn()
    yield transformer_step()


def cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    chosen = xp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return xp.mean(xp.logsumexp(logits, axis=1) - chosen)


# ---- a perceptron of two layers ----


def perceptron() -> Case:
    batch, inputs, hidden = 256, 784, 512
    params = {
        "w1": normal(inputs, hidden, scale=inputs**-0.5),
        "b1": normal(hidden, scale=0.1),
        "w2": normal(hidden, CLASSES, scale=hidden**-0.5),
        "b2": normal(CLASSES, scale=0.1),
    }
    x, labels = normal(batch, inputs), RANDOM.integers(0, CLASSES, size=batch)
    products = batch * (2 * inputs * hidden + 3 * hidden * CLASSES)
    return Case(
        "mlp training step", (params, x, labels), perceptron_loss, numpy_perceptron,
        torch_perceptron, Work(2 * products, size_of(params, x), size_of(params)),
        wrt=(0,), rate=RATE,
    )  # fmt: skip


def perceptron_loss(xp: Any, p: Parameters, x: Any, labels: Any) -> Any:
    hidden = xp.maximum(x @ p["w1"] + p["b1"], 0)
    return cross_entropy(xp, hidden @ p["w2"] + p["b2"], labels)


def torch_perceptron(t: Any, p: Parameters, x: Any, labels: Any) -> Any:
    hidden = (x @ p["w1"] + p["b1"]).relu()
    return t.nn.functional.cross_entropy(hidden @ p["w2"] + p["b2"], labels)


def numpy_perceptron(p: Parameters, x: np.ndarray, labels: np.ndarray) -> Any:
    hidden = np.maximum(x @ p["w1"] + p["b1"], 0)
    chances = softmax(np, hidden @ p["w2"] + p["b2"])
    rows = np.arange(len(x))
    loss = -np.mean(np.log(chances[rows, labels]))
    chances[rows, labels] -= 1
    logits_ct = chances / np.float32(len(x))
    hidden_ct = logits_ct @ p["w2"].T * (hidden > 0)
    gradients = {
        "w1": x.T @ hidden_ct,
        "b1": hidden_ct.sum(0),
        "w2": hidden.T @ logits_ct,
        "b2": logits_ct.sum(0),
    }
    rate = np.float32(RATE)
    return loss, {name: p[name] - rate * ct for name, ct in gradients.items()}


# ---- a small convolutional network ----


def small_cnn() -> Case:
    batch, side, first, second = 32, 28, 16, 32
    flat = (side // 4) ** 2 * second
    params = {
        "k1": normal(3, 3, 1, first, scale=1 / 3),
        "c1": normal(first, scale=0.1),
        "k2": normal(3, 3, first, second, scale=1 / 12),
        "c2": normal(second, scale=0.1),
        "w": normal(flat, CLASSES, scale=flat**-0.5),
        "b": normal(CLASSES, scale=0.1),
    }
    x = normal(batch, side, side, 1)
    labels = RANDOM.integers(0, CLASSES, size=batch)
    # The first kernel's input needs no gradient.
    products = batch * (
        2 * 9 * side**2 * first
        + 3 * 9 * (side // 2) ** 2 * first * second
        + 3 * flat * CLASSES
    )
    return Case(
        "cnn training step", (params, x, labels), cnn_loss, torch=torch_cnn,
        work=Work(2 * products, size_of(params, x), size_of(params)),
        wrt=(0,), rate=RATE,
    )  # fmt: skip


def cnn_loss(xp: Any, p: Parameters, x: Any, labels: Any) -> Any:
    for kernel, bias in (("k1", "c1"), ("k2", "c2")):
        x = xp.max_pool(xp.maximum(xp.convolution(x, p[kernel]) + p[bias], 0))
    x = xp.reshape(x, (x.shape[0], -1))
    return cross_entropy(xp, x @ p["w"] + p["b"], labels)


def torch_cnn(t: Any, p: Parameters, x: Any, labels: Any) -> Any:
    functional = t.nn.functional
    x = x.permute(0, 3, 1, 2)
    for kernel, bias in (("k1", "c1"), ("k2", "c2")):
        weights = p[kernel].permute(3, 2, 0, 1)
        x = functional.conv2d(x, weights, p[bias], padding=1).relu()
        x = functional.max_pool2d(x, 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    return functional.cross_entropy(x @ p["w"] + p["b"], labels)


# ---- a transformer ----

HEADS = 8


def block_parameters(features: int, hidden: int) -> Parameters:
    return {
        "qkv": normal(features, 3 * features, scale=features**-0.5),
        "out": normal(features, features, scale=features**-0.5),
        "up": normal(features, hidden, scale=features**-0.5),
        "up bias": np.zeros(hidden, np.float32),
        "down": normal(hidden, features, scale=hidden**-0.5),
        "down bias": np.zeros(features, np.float32),
        "scale": np.ones((2, features), np.float32),
        "shift": np.zeros((2, features), np.float32),
    }


def transformer_block(xp: Any, p: Parameters, x: Any) -> Any:
    """Attention and a perceptron, each of the normalized rows and added to them."""
    batch, length, features = x.shape
    y = layer_norm(xp, x) * p["scale"][0] + p["shift"][0]
    parts = xp.reshape(y @ p["qkv"], (batch, length, 3, HEADS, features // HEADS))
    q, k, v = (xp.swapaxes(parts[:, :, i], 1, 2) for i in range(3))
    scores = q @ xp.swapaxes(k, 2, 3) * (features // HEADS) ** -0.5
    y = xp.swapaxes(softmax(xp, scores) @ v, 1, 2)
    x = x + xp.reshape(y, x.shape) @ p["out"]
    y = layer_norm(xp, x) * p["scale"][1] + p["shift"][1]
    hidden = xp.maximum(y @ p["up"] + p["up bias"], 0)
    return x + hidden @ p["down"] + p["down bias"]


def transformer_loss(xp: Any, blocks: list[Parameters], x: Any, y: Any) -> Any:
    for block in blocks:
        x = transformer_block(xp, block, x)
    return xp.mean((x - y) ** 2)


def torch_transformer(t: Any, blocks: list[Parameters], x: Any, y: Any) -> Any:
    functional = t.nn.functional
    batch, length, features = x.shape
    for p in blocks:
        rows = functional.layer_norm(x, (features,), p["scale"][0], p["shift"][0])
        parts = (rows @ p["qkv"]).view(batch, length, 3, HEADS, features // HEADS)
        heads = functional.scaled_dot_product_attention(*parts.permute(2, 0, 3, 1, 4))
        x = x + heads.transpose(1, 2).reshape(x.shape) @ p["out"]
        rows = functional.layer_norm(x, (features,), p["scale"][1], p["shift"][1])
        hidden = (rows @ p["up"] + p["up bias"]).relu()
        x = x + hidden @ p["down"] + p["down bias"]
    return (x - y).square().mean()


def transformer_arguments(
    layers: int, batch: int = 4, length: int = 128, features: int = 256,
    hidden: int = 1024,
) -> tuple[list[Parameters], np.ndarray, np.ndarray]:  # fmt: skip
    blocks = [block_parameters(features, hidden) for _ in range(layers)]
    x, y = (normal(batch, length, features) for _ in range(2))
    return blocks, x, y


def transformer_step(layers: int = 1) -> Case:
    args = transformer_arguments(layers)
    blocks, x, _ = args
    batch, length, features = x.shape
    weights = sum(p[name].size for p in blocks for name in ("qkv", "out", "up", "down"))
    products = batch * length * (weights + 2 * length * features * layers)
    name = "transformer block" if layers == 1 else f"transformer of {layers} blocks"
    return Case(
        f"{name} training step", args, transformer_loss,
        torch=torch_transformer, wrt=(0,), rate=RATE,
        work=Work(6 * products, size_of(args), size_of(blocks)),
    )  # fmt: skip
