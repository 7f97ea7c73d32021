"""The namespaces that programs are written for: Weft's and JAX's, by the same names."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any


@functools.cache
def weft_space() -> SimpleNamespace:
    import weft

    def convolution(x: Any, kernel: Any, stride: int = 1, groups: int = 1) -> Any:
        return weft.nn.conv(
            x, kernel, strides=stride, groups=groups, padding=around(kernel)
        )

    def max_pool(x: Any) -> Any:
        return weft.nn.max_pool(x, (2, 2), (2, 2))

    def bits(seed: Any, count: int) -> Any:
        return weft.random.bits(weft.random.key(seed), (count,))

    names = {name: getattr(weft, name) for name in weft.__all__}
    own = {"convolution": convolution, "max_pool": max_pool, "bits": bits}
    return SimpleNamespace(**{**names, **own, "logsumexp": weft.nn.logsumexp})


@functools.cache
def jax_space() -> SimpleNamespace:
    import jax  # pyright: ignore
    import jax.numpy as jnp  # pyright: ignore

    def convolution(x: Any, kernel: Any, stride: int = 1, groups: int = 1) -> Any:
        return jax.lax.conv_general_dilated(
            x, kernel, (stride, stride), around(kernel), feature_group_count=groups,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip

    def max_pool(x: Any) -> Any:
        window = (1, 2, 2, 1)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")

    def bits(seed: Any, count: int) -> Any:
        return jax.random.bits(jax.random.key(seed), (count,), jnp.uint32)

    own = {
        "convolution": convolution,
        "max_pool": max_pool,
        "bits": bits,
        "logsumexp": jax.nn.logsumexp,
        "value_and_grad": jax.value_and_grad,
        "scan": jax.lax.scan,
        "fori_loop": jax.lax.fori_loop,
        "while_loop": jax.lax.while_loop,
    }
    return SimpleNamespace(**{**vars(jnp), **own})


def around(kernel: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """The padding with which an odd kernel's centre meets every element."""
    height, width = (size // 2 for size in kernel.shape[:2])
    return (height, height), (width, width)
