"""What `programs.timed` computes, in PyTorch: functions of the same arguments."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional


def gelu(x: Any) -> Any:
    return functional.gelu(x, approximate="tanh")


def layer_norm(x: Any, scale: Any, bias: Any) -> Any:
    return functional.layer_norm(x, x.shape[-1:], scale, bias)


def conv(x: Any, w: Any) -> Any:
    """Of NHWC images, which is PyTorch's `channels_last`, by an HWIO kernel."""
    images = x.permute(0, 3, 1, 2)
    kernel = w.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
    return functional.conv2d(images, kernel, padding=1).permute(0, 2, 3, 1)


def attention(q: Any, k: Any, v: Any) -> Any:
    scores = torch.matmul(q, k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    return torch.matmul(torch.softmax(scores, -1), v)


def mlp_loss(w1: Any, w2: Any, w3: Any, x: Any, labels: Any) -> Any:
    return functional.cross_entropy(
        functional.relu(functional.relu(x @ w1) @ w2) @ w3, labels
    )


def cnn_loss(k1: Any, k2: Any, w: Any, x: Any, labels: Any) -> Any:
    hidden = functional.relu(conv(functional.relu(conv(x, k1)), k2))
    return functional.cross_entropy(hidden.reshape(x.shape[0], -1) @ w, labels)


def step_of(loss: Callable[..., Any]) -> Callable[..., Any]:
    def step(a: Any, b: Any, c: Any, x: Any, labels: Any) -> Any:
        leaves = [p.detach().requires_grad_() for p in (a, b, c)]
        value = loss(*leaves, x, labels)
        grads = torch.autograd.grad(value, leaves)
        with torch.no_grad():
            moved = [p - 0.1 * g for p, g in zip(leaves, grads, strict=True)]
        return (*moved, value.detach())

    return step


def bits(key: Any) -> Any:
    return torch.randint(
        -(2**31), 2**31, (64 * 2**20,), dtype=torch.int32, device="cuda"
    )


def repeated(x: Any) -> Any:
    for _ in range(1000):
        x = torch.sin(x) * 0.999
    return x


def counted(x: Any) -> Any:
    for _ in range(1000):
        x = x * 0.999
    return x


def embedding_gradient(i: Any, ct: Any) -> Any:
    return torch.zeros(50257, 768, device="cuda").index_add_(0, i, ct)


def segment_sums(size: int) -> Callable[..., Any]:
    return lambda i, x: torch.zeros(size, device="cuda").index_add_(0, i, x)


def rounding(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose products of float32 may be of tf32."""

    def call(*arguments: Any) -> Any:
        for backend in (torch.backends.cuda.matmul, torch.backends.cudnn):
            backend.allow_tf32 = True
        try:
            return function(*arguments)
        finally:
            for backend in (torch.backends.cuda.matmul, torch.backends.cudnn):
                backend.allow_tf32 = False

    return call


# By the first words of a row's name.
PEERS: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "gelu chain": lambda x: gelu(gelu(x) * 1.5),
    "bias tanh": lambda x, b: torch.tanh(x + b),
    "softmax": lambda x: torch.softmax(x, -1),
    "layernorm": layer_norm,
    "logsumexp": lambda x: torch.logsumexp(x, -1),
    "row sum": lambda x: torch.sum(x, 1),
    "column sum": lambda x: torch.sum(x, 0),
    "sum": torch.sum,
    "transpose": lambda x: x.T.contiguous(),
    "matmul nt": lambda a, b: torch.matmul(a, b.T),
    "matmul": torch.matmul,
    "matmul tf32": rounding(torch.matmul),
    "matmul nt tf32": rounding(lambda a, b: torch.matmul(a, b.T)),
    "dense gelu": lambda a, b, c: gelu(torch.addmm(c, a, b)),
    "conv": conv,
    "conv 3x3 tf32": rounding(conv),
    "attention": attention,
    "sort": lambda x: torch.sort(x, stable=True).values,
    "argsort": lambda x: torch.argsort(x, stable=True),
    "embedding gradient": embedding_gradient,
    "segment sums 1M of 64K": segment_sums(65536),
    "segment sums 1M of 256": segment_sums(256),
    "cumsum": lambda x: torch.cumsum(x, -1),
    "cumsum columns": lambda x: torch.cumsum(x, 0),
    "mlp step": step_of(mlp_loss),
    "cnn step": step_of(cnn_loss),
    "random bits": bits,
    "x + 1": lambda x: x + 1,
    "fori_loop": repeated,
    "while_loop": counted,
}


def peer(name: str) -> Callable[..., Any]:
    """PyTorch's function for a row."""
    known = [words for words in PEERS if name.startswith(words)]
    return PEERS[max(known, key=len)]
