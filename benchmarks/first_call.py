"""What the first call of a function takes, and of the same one in a second process.

Prints, for each program, milliseconds: to import Weft, to trace, to compile, LLVM's
part of that, to load the code in a second process, and to run it. Each process is new
and each cache empty at first; the least of three tries.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

TRIES = 3
LAYERS, HEADS, BATCH, LENGTH, WIDTH, HIDDEN, WORDS = 12, 8, 4, 128, 256, 1024, 512
rng = np.random.default_rng(0)


def weight(*shape: int) -> np.ndarray:
    return (0.02 * rng.standard_normal(shape)).astype(np.float32)


def layer() -> dict[str, np.ndarray]:
    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    return {
        "query": weight(WIDTH, WIDTH), "key": weight(WIDTH, WIDTH),
        "value": weight(WIDTH, WIDTH), "out": weight(WIDTH, WIDTH),
        "up": weight(WIDTH, HIDDEN), "up_bias": np.zeros(HIDDEN, np.float32),
        "down": weight(HIDDEN, WIDTH), "down_bias": zeros,
        "scale1": ones, "shift1": zeros, "scale2": ones, "shift2": zeros,
    }  # fmt: skip


def normalized(x, scale, shift):
    mean = weft.mean(x, axis=-1, keepdims=True)
    variance = weft.mean(weft.square(x - mean), axis=-1, keepdims=True)
    return (x - mean) / weft.sqrt(variance + 1e-5) * scale + shift


def attention(x, p):
    def heads(y):
        split = weft.reshape(y, (BATCH, LENGTH, HEADS, WIDTH // HEADS))
        return weft.permute_dims(split, (0, 2, 1, 3))

    query, key, value = (heads(x @ p[name]) for name in ("query", "key", "value"))
    scores = query @ weft.permute_dims(key, (0, 1, 3, 2)) / (WIDTH // HEADS) ** 0.5
    hidden = np.triu(np.full((LENGTH, LENGTH), -1e9, np.float32), 1)
    mixed = weft.nn.softmax(scores + hidden, axis=-1) @ value
    whole = weft.reshape(weft.permute_dims(mixed, (0, 2, 1, 3)), x.shape)
    return whole @ p["out"]


def loss(parameters, words, following):
    x = parameters["words"][words] + parameters["places"]
    for p in parameters["layers"]:
        x = x + attention(normalized(x, p["scale1"], p["shift1"]), p)
        inner = normalized(x, p["scale2"], p["shift2"]) @ p["up"] + p["up_bias"]
        x = x + weft.nn.gelu(inner) @ p["down"] + p["down_bias"]
    logits = weft.nn.log_softmax(x @ parameters["out"], axis=-1)
    chosen = following[..., None] == weft.arange(WORDS)
    return -weft.mean(weft.sum(weft.where(chosen, logits, 0.0), axis=-1))


def training_step(parameters, words, following):
    value, slopes = weft.value_and_grad(loss)(parameters, words, following)
    new = optree.tree_map(lambda p, slope: p - 0.1 * slope, parameters, slopes)
    return value, new


def fifty_ops(x):
    for _ in range(25):
        x = weft.sin(x) * 0.5
    return x


def programs() -> dict[str, tuple]:
    small = np.ones((8, 16), np.float32)
    parameters = {
        "words": weight(WORDS, WIDTH), "places": weight(LENGTH, WIDTH),
        "layers": [layer() for _ in range(LAYERS)], "out": weight(WIDTH, WORDS),
    }  # fmt: skip
    words = rng.integers(0, WORDS, (2, BATCH, LENGTH)).astype(np.int32)
    return {
        "x + 1": (lambda x: x + 1, small),
        "softmax": (lambda x: weft.nn.softmax(x, axis=-1), small),
        "50 ops": (fifty_ops, small),
        "transformer": (training_step, parameters, *words),
    }


def measure(name: str) -> None:
    """In a process of its own."""
    function, *args = programs()[name]
    jitted = weft.jit(function)
    start = time.perf_counter()
    lowered = jitted.lower(*args)
    traced = time.perf_counter()
    code = lowered.compile()
    compiled = time.perf_counter()
    code(*args)
    end = time.perf_counter()
    print(json.dumps([imported, traced - start, compiled - traced, end - compiled]))


def ask(name: str) -> tuple[list[float], list[float]]:
    """What a first and a second process say."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, name]
        environment = os.environ | {"WEFT_CACHE_DIR": folder}
        first, second = (
            subprocess.run(command, env=environment, capture_output=True, check=True)
            for _ in range(2)
        )
    return json.loads(first.stdout), json.loads(second.stdout)


if len(sys.argv) > 1:
    before = time.perf_counter()
    import optree

    import weft

    imported = time.perf_counter() - before
    measure(sys.argv[1])
else:
    print(f"{'':<14}{'import':>9}{'trace':>9}{'compile':>9}{'load':>9}{'run':>9}")
    for name in ("x + 1", "softmax", "50 ops", "transformer"):
        tries = [ask(name) for _ in range(TRIES)]
        first = [min(times) for times in zip(*(t[0] for t in tries), strict=True)]
        second = [min(times) for times in zip(*(t[1] for t in tries), strict=True)]
        numbers = (*first[:3], second[2], first[3])
        print(f"{name:<14}" + "".join(f"{1e3 * n:>9.1f}" for n in numbers))
