"""A two-layer network learns to read handwritten digits, and shows its own MLIR.

python examples/digits.py
weft emit examples/digits.py:loss --stage linalg
"""

import time
from pathlib import Path
from typing import Annotated, NamedTuple

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm import trange

import weft

matplotlib.use("Agg")
import matplotlib.pyplot as plt

OUT = Path("build/digits")


class Network(NamedTuple):
    w1: Annotated[weft.Array, "f32[64,128]"]
    b1: Annotated[weft.Array, "f32[128]"]
    w2: Annotated[weft.Array, "f32[128,10]"]
    b2: Annotated[weft.Array, "f32[10]"]


Images = Annotated[weft.Array, "f32[32,64]"]
Labels = Annotated[weft.Array, "i64[32]"]


def logits(net: Network, images: Images) -> weft.Array:
    hidden = weft.nn.relu(images @ net.w1 + net.b1)
    return hidden @ net.w2 + net.b2


@weft.jit
def loss(net: Network, images: Images, labels: Labels) -> weft.Array:
    log_p = weft.nn.log_softmax(logits(net, images))
    return -weft.mean(weft.sum(log_p * weft.nn.one_hot(labels, 10), axis=1))


@weft.jit
def train_step(net, velocity, images, labels, rate):
    value, gradient = weft.value_and_grad(loss)(net, images, labels)
    velocity = Network(*map(lambda v, g: 0.9 * v + g, velocity, gradient))
    net = Network(*map(lambda p, v: p - rate * v, net, velocity))
    return value, net, velocity


@weft.jit
def predict(net, images):
    return weft.argmax(logits(net, images), axis=1)


def initial(rng):
    def layer(n, m):
        return rng.normal(size=(n, m), scale=(2 / n) ** 0.5).astype(np.float32)

    return Network(layer(64, 128), weft.zeros(128), layer(128, 10), weft.zeros(10))


def train(images, labels, epochs=50, batch=32):
    rng = np.random.default_rng(0)
    net = initial(rng)
    velocity = Network(*map(weft.zeros_like, net))
    losses, progress = [], trange(epochs, desc="training", unit="epoch")
    for epoch in progress:
        rate = 0.1 * (1 - epoch / epochs)
        order = rng.permutation(len(images))
        for rows in np.split(order, range(batch, len(order), batch))[:-1]:
            value, net, velocity = train_step(
                net, velocity, images[rows], labels[rows], rate
            )
            losses.append(float(value))
        progress.set_postfix(loss=f"{losses[-1]:.4f}")
    return net, losses


def draw(losses, images, labels, predictions, path):
    figure = plt.figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    axes = left.subplots()
    axes.semilogy(losses, alpha=0.3)
    axes.semilogy(np.convolve(losses, np.ones(44) / 44, mode="valid"), color="C0")
    axes.set(xlabel="step", ylabel="loss", title="training")
    for ax, image, label, p in zip(
        right.subplots(3, 6).flat, images, labels, predictions, strict=False
    ):
        ax.imshow(image.reshape(8, 8), cmap="gray_r")
        ax.set_title(p, color="green" if p == label else "red")
        ax.axis("off")
    figure.savefig(path, dpi=120)


def show(lowered, stage):
    path = OUT / f"loss.{stage}.mlir"
    path.write_text(lowered.text(stage))
    lines = lowered.text(stage, locations=False).splitlines()
    print(f"\n--- loss at stage {stage}, all of it with locations in {path}")
    first = next(i for i, line in enumerate(lines) if "func.func" in line)
    print("\n".join(line[:100] for line in lines[first : first + 10]))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    pixels = digits.data.astype(np.float32) / 16
    x, x_test, y, y_test = train_test_split(
        pixels, digits.target, test_size=0.2, random_state=0, stratify=digits.target
    )

    start = time.perf_counter()
    net, losses = train(x, y)
    seconds = time.perf_counter() - start

    predictions = np.asarray(predict(net, x_test))
    accuracy = np.mean(predictions == y_test)
    draw(losses, x_test, y_test, predictions, OUT / "digits.png")

    lowered = loss.lower(net, x[:32], y[:32])
    for stage in ("weft", "linalg", "memref"):
        show(lowered, stage)
    print(f"\n{accuracy:.1%} of {len(y_test)} held-out digits are read correctly after")
    print(f"{seconds:.1f} s of training; see {OUT}/digits.png")
    return accuracy


if __name__ == "__main__":
    main()
