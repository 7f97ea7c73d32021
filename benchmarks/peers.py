"""Weft beside NumPy and, where they are installed, JAX and PyTorch.

Prints one table: milliseconds a call of each, and the fastest peer's time over Weft's:
above 1 Weft is faster. All take turns in one process with the same number of threads;
the fastest round counts. First calls, which compile, are timed apart.

    python benchmarks/peers.py [--threads 1] [--only softmax,gemm] [--markdown]
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np

Call = Callable[[], Any]
RANDOM = np.random.default_rng(0)
PAUSE = 0.05
FRAMEWORKS = ("weft", "numpy", "jax", "torch")


def normal(*shape: int, dtype: Any = "float32") -> np.ndarray:
    return RANDOM.normal(size=shape).astype(dtype)


@dataclass(frozen=True)
class Case:
    """One program: for Weft and JAX alike, and what NumPy and PyTorch make of it.

    `array` is written for a namespace, `xp`, that is `weft` or `jax.numpy`.
    """

    name: str
    args: tuple[Any, ...]
    array: Callable[..., Any]
    numpy: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    flops: float = 0
    bytes: float = 0
    tags: tuple[str, ...] = field(default=())


# ---- programs ----


def gelu(xp: Any, x: Any) -> Any:
    inner = 0.7978845608 * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1 + xp.tanh(inner))


def softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def layer_norm(xp: Any, x: Any) -> Any:
    mean = xp.mean(x, axis=-1, keepdims=True)
    rest = x - mean
    return rest / xp.sqrt(xp.mean(rest * rest, axis=-1, keepdims=True) + 1e-5)


def logsumexp(xp: Any, x: Any) -> Any:
    top = xp.max(x, axis=-1, keepdims=True)
    return xp.log(xp.sum(xp.exp(x - top), axis=-1)) + top[..., 0]


def attention(xp: Any, q: Any, k: Any, v: Any) -> Any:
    scores = xp.einsum("bhid,bhjd->bhij", q, k) * (q.shape[-1] ** -0.5)
    return xp.einsum("bhij,bhjd->bhid", softmax(xp, scores), v)


def mlp_loss(xp: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
    return xp.mean((xp.tanh(x @ w1) @ w2 - y) ** 2)


def n_body(xp: Any, x: Any, m: Any) -> Any:
    d = x[None, :, :] - x[:, None, :]
    inverse = (xp.sum(d * d, axis=-1) + 1e-2) ** -1.5
    return xp.sum(d * (m[None, :] * inverse)[..., None], axis=1)


def stencil(xp: Any, x: Any) -> Any:
    inside = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:]
    return 0.25 * inside + x[1:-1, 1:-1] * 0.5


def gradient(xp: Any, function: Callable[..., Any], argnums: Any) -> Any:
    loss = functools.partial(function, xp)
    if xp.__name__ == "weft":
        return xp.grad(loss, argnums=argnums)
    import jax  # pyright: ignore

    return jax.grad(loss, argnums=argnums)


def convolution(xp: Any, x: Any, k: Any, strides: int = 1, groups: int = 1) -> Any:
    if xp.__name__ == "weft":
        return xp.nn.conv(x, k, strides=strides, groups=groups)
    import jax  # pyright: ignore

    return jax.lax.conv_general_dilated(
        x, k, (strides, strides), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )  # fmt: skip


def gemm(m: int, n: int, k: int, dtype: str = "float32") -> Case:
    a, b = normal(m, k, dtype=dtype), normal(k, n, dtype=dtype)
    return Case(f"gemm {m}x{n}x{k} {dtype}", (a, b), lambda xp, a, b: a @ b, np.matmul,
                lambda t, a, b: a @ b, flops=2 * m * n * k)  # fmt: skip


def convolutions() -> Iterator[Case]:
    def torch_of(strides: int = 1, groups: int = 1) -> Callable[..., Any]:
        def run(t: Any, x: Any, k: Any) -> Any:
            x, k = x.permute(0, 3, 1, 2), k.permute(3, 2, 0, 1)
            size = k.shape[-1]
            return t.nn.functional.conv2d(x, k, stride=strides, padding=size // 2,
                                          groups=groups)  # fmt: skip

        return run

    x = normal(8, 56, 56, 64)
    macs = 8 * 56 * 56 * 64
    for name, kernel, options, size in (
        ("conv 3x3", normal(3, 3, 64, 64), {}, 9 * 64),
        ("conv 1x1", normal(1, 1, 64, 64), {}, 64),
        ("conv 3x3 strided", normal(3, 3, 64, 64), {"strides": 2}, 9 * 64 / 4),
        ("conv depthwise", normal(3, 3, 1, 64), {"groups": 64}, 9),
    ):
        yield Case(name, (x, kernel), functools.partial(convolution, **options),
                   torch=torch_of(**options), flops=2 * macs * size)  # fmt: skip
    small = normal(8, 28, 28, 64), normal(3, 3, 64, 64)

    def loss(xp: Any, x: Any, k: Any) -> Any:
        return xp.sum(convolution(xp, x, k) ** 2)

    yield Case("conv 3x3 gradients", small,
               lambda xp, *a: gradient(xp, loss, (0, 1))(*a),
               flops=6 * 8 * 28 * 28 * 64 * 64 * 9)  # fmt: skip


def attentions() -> Iterator[Case]:
    for length in (256, 1024):
        qkv = tuple(normal(1, 8, length, 64) for _ in range(3))
        flops = 4 * 8 * length * length * 64
        yield Case(
            f"attention {length}", qkv, attention,
            torch=lambda t, *a: t.nn.functional.scaled_dot_product_attention(*a),
            flops=flops,
        )  # fmt: skip

        def loss(xp: Any, q: Any, k: Any, v: Any) -> Any:
            return xp.sum(attention(xp, q, k, v) ** 2)

        yield Case(f"attention {length} gradients", qkv,
                   lambda xp, *a, loss=loss: gradient(xp, loss, (0, 1, 2))(*a),
                   flops=3 * flops)  # fmt: skip


def cases() -> Iterator[Case]:
    tiny = normal(4), normal(4)
    yield Case("dispatch of x + y", tiny, lambda xp, x, y: x + y, np.add,
               lambda t, x, y: x + y)  # fmt: skip
    large, square = normal(1 << 24), normal(4096, 4096)
    read, written = square.nbytes, square.nbytes
    yield Case("gelu of 16M", (large,), gelu, functools.partial(gelu, np),
               lambda t, x: t.nn.functional.gelu(x, approximate="tanh"),
               bytes=2 * large.nbytes)  # fmt: skip
    rows = (
        ("softmax", softmax, lambda t, x: t.softmax(x, -1), written),
        ("layer norm", layer_norm,
         lambda t, x: t.nn.functional.layer_norm(x, (x.shape[-1],)), written),
        ("logsumexp", logsumexp, lambda t, x: t.logsumexp(x, -1), 0),
        ("row sums", lambda xp, x: xp.sum(x, axis=1), lambda t, x: t.sum(x, 1), 0),
        ("column sums", lambda xp, x: xp.sum(x, axis=0), lambda t, x: t.sum(x, 0), 0),
        ("sum", lambda xp, x: xp.sum(x), lambda t, x: t.sum(x), 0),
        ("transpose", lambda xp, x: x.T + 1, lambda t, x: x.T.contiguous() + 1,
         written),
        ("argmax", lambda xp, x: xp.argmax(x, axis=1), lambda t, x: t.argmax(x, 1), 0),
        ("cumsum", lambda xp, x: xp.cumsum(x, axis=1), lambda t, x: t.cumsum(x, 1),
         written),
    )  # fmt: skip
    for name, array, torch, more in rows:
        yield Case(f"{name} 4096x4096", (square,), array,
                   functools.partial(array, np), torch, bytes=read + more)  # fmt: skip
    narrow = normal(65536, 64)
    yield Case("softmax 65536x64", (narrow,), softmax, functools.partial(softmax, np),
               lambda t, x: t.softmax(x, -1), bytes=2 * narrow.nbytes)  # fmt: skip
    keys = normal(1_000_000)
    yield Case("sort of 1M", (keys,), lambda xp, x: xp.sort(x), np.sort,
               lambda t, x: t.sort(x).values)  # fmt: skip
    for size in (16, 32, 64, 128, 256, 512, 1024, 2048):
        yield gemm(size, size, size)
    for shape in ((1000, 333, 777), (256, 512, 784), (4096, 64, 64), (64, 64, 4096)):
        yield gemm(*shape)
    yield gemm(1024, 1024, 1024, "float64")
    yield gemm(1, 4096, 4096)
    yield gemm(4096, 1, 4096)
    batch = normal(32, 128, 64), normal(32, 64, 128)
    yield Case("batched gemm 32x128x128x64", batch, lambda xp, a, b: a @ b, np.matmul,
               lambda t, a, b: a @ b, flops=2 * 32 * 128 * 128 * 64)  # fmt: skip
    yield from attentions()
    yield from convolutions()
    weights = normal(784, 512), normal(512, 10), normal(256, 784), normal(256, 10)

    def torch_step(t: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
        w1, w2 = w1.requires_grad_(), w2.requires_grad_()
        loss = ((t.tanh(x @ w1) @ w2 - y) ** 2).mean()
        return t.autograd.grad(loss, (w1, w2))

    yield Case("mlp gradients", weights,
               lambda xp, *a: gradient(xp, mlp_loss, (0, 1))(*a), torch=torch_step,
               flops=2 * 256 * 784 * 512 * 2)  # fmt: skip
    bodies = normal(1024, 3), normal(1024) ** 2
    yield Case("n-body of 1024", bodies, n_body, functools.partial(n_body, np),
               n_body_of_torch)  # fmt: skip
    yield Case("stencil 4096x4096", (square,), stencil,
               functools.partial(stencil, np), functools.partial(stencil),
               bytes=read + written)  # fmt: skip
    table, places = normal(50_000, 256), RANDOM.integers(0, 50_000, size=8192)
    yield Case("embedding lookup", (table, places), lambda xp, t, i: t[i],
               lambda t, i: t[i], lambda _, t, i: t[i])  # fmt: skip


def n_body_of_torch(t: Any, x: Any, m: Any) -> Any:
    d = x[None, :, :] - x[:, None, :]
    inverse = ((d * d).sum(-1) + 1e-2) ** -1.5
    return (d * (m[None, :] * inverse)[..., None]).sum(1)


# ---- measuring ----


def calls_of(case: Case, present: tuple[str, ...]) -> dict[str, Call]:
    calls: dict[str, Call] = {}
    if "weft" in present:
        import weft

        function = weft.jit(functools.partial(case.array, weft))
        arrays = [weft.asarray(x) for x in case.args]
        calls["weft"] = lambda: function(*arrays)
    if "numpy" in present and case.numpy:
        calls["numpy"] = functools.partial(case.numpy, *case.args)
    if "jax" in present:
        import jax  # pyright: ignore
        import jax.numpy as jnp  # pyright: ignore

        jitted = jax.jit(functools.partial(case.array, jnp))
        given = [jnp.asarray(x) for x in case.args]
        calls["jax"] = lambda: jax.block_until_ready(jitted(*given))
    if "torch" in present and case.torch:
        import torch  # pyright: ignore

        tensors = [torch.from_numpy(x) for x in case.args]
        calls["torch"] = functools.partial(case.torch, torch, *tensors)
    return calls


def fastest(calls: dict[str, Call], seconds: float) -> dict[str, float]:
    """The fastest round of each, in seconds a call; they take turns."""
    best = dict.fromkeys(calls, float("inf"))
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < 3 or time.perf_counter() < end:
        rounds += 1
        for name, call in calls.items():
            # Threads of the one before look out for work for a while.
            time.sleep(PAUSE)
            call()
            start, times = time.perf_counter(), 0
            while True:
                call()
                times += 1
                spent = time.perf_counter() - start
                if spent > 2e-3 or times >= 1000:
                    break
            best[name] = min(best[name], spent / times)
    return best


def number(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.4g}"


def rate(case: Case, seconds: float) -> str:
    if case.flops:
        return f"{case.flops / seconds / 1e9:.0f} GF/s"
    return f"{case.bytes / seconds / 1e9:.1f} GB/s" if case.bytes else ""


def limit_threads(count: int) -> None:
    """Begins anew with what the libraries look at when they are loaded."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    wanted: dict[str, str] = {name: str(count) for name in names}
    many = "true" if count > 1 else "false"
    wanted["XLA_FLAGS"] = (
        f"--xla_cpu_multi_thread_eigen={many} intra_op_parallelism_threads={count}"
    )
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.environ.update(wanted)
        os.execv(sys.executable, [sys.executable, *sys.argv])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="parts of names, by commas")
    parser.add_argument("--seconds", type=float, default=0.5, help="a row, at least")
    options = parser.parse_args()
    limit_threads(options.threads)
    import weft

    weft.set_num_threads(options.threads)
    present = tuple(name for name in FRAMEWORKS if name == "weft" or find_spec(name))
    if "torch" in present:
        import torch  # pyright: ignore

        torch.set_num_threads(options.threads)
    if "jax" in present:
        import jax  # pyright: ignore

        jax.config.update("jax_enable_x64", True)
    wanted = options.only.split(",")
    print(f"Milliseconds, {options.threads} threads.\n")
    print("| program | " + " | ".join(present) + " | peer / weft | | first call |")
    print("| --- |" + " ---: |" * (len(present) + 3))
    for case in cases():
        if not any(part in case.name for part in wanted):
            continue
        calls = calls_of(case, present)
        start = time.perf_counter()
        calls["weft"]()
        first = time.perf_counter() - start
        for call in calls.values():
            call()
        best = fastest(calls, options.seconds)
        peers = [seconds for name, seconds in best.items() if name != "weft"]
        ratio = f"{min(peers) / best['weft']:.2f}" if peers else ""
        cells = [case.name, *(number(best.get(name)) for name in present)]
        cells += [ratio, rate(case, best["weft"]), number(first)]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
