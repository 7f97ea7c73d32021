"""Attention of 8 heads, and its gradients."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..case import Case, Work, normal, size_of
from .arrays import SOFTMAX, softmax

HEADS, FEATURES = 8, 64


def attention(xp: Any, q: Any, k: Any, v: Any) -> Any:
    scores = xp.einsum("bhid,bhjd->bhij", q, k) * (q.shape[-1] ** -0.5)
    return xp.einsum("bhij,bhjd->bhid", softmax(xp, scores), v)


def loss(xp: Any, q: Any, k: Any, v: Any) -> Any:
    return xp.sum(attention(xp, q, k, v) ** 2)


def torch_attention(t: Any, q: Any, k: Any, v: Any) -> Any:
    return t.nn.functional.scaled_dot_product_attention(q, k, v)


def numpy_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    return softmax(np, q @ k.mT * np.float32(FEATURES**-0.5)) @ v


def numpy_gradients(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> Any:
    scale = np.float32(FEATURES**-0.5)
    weights = softmax(np, q @ k.mT * scale)
    result = weights @ v
    ct = 2 * result
    weights_ct = ct @ v.mT
    # p * (ct - sum(p * ct)), the vjp of softmax.
    rest = weights_ct - np.sum(weights * weights_ct, axis=-1, keepdims=True)
    scores_ct = weights * rest * scale
    gradients = scores_ct @ k, scores_ct.mT @ q, weights.mT @ ct
    return np.sum(result**2), gradients


def cases() -> Iterator[Case]:
    for length in (256, 1024):
        qkv = tuple(normal(1, HEADS, length, FEATURES) for _ in range(3))
        # Two products, and the softmax of the scores between them.
        scores = HEADS * length**2
        operations = 4 * scores * FEATURES + 2 * SOFTMAX * scores
        size = size_of(*qkv)
        yield Case(f"attention {length}", qkv, attention, numpy_attention,
                   torch_attention, Work(operations, size, size // 3))  # fmt: skip
        yield Case(
            f"attention {length} gradients", qkv, loss, numpy_gradients,
            lambda t, *qkv: torch_attention(t, *qkv).square().sum(),
            Work(3 * operations, size, size), wrt=(0, 1, 2),
        )  # fmt: skip
