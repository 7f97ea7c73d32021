"""Blocks of convolution, bias and activation, and their gradients."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..case import Case, Layout, Work, leaves, normal, size_of

BATCH, CHANNELS = 8, 64


@dataclass(frozen=True)
class Kernel:
    """A kernel of `size` by `size`, from and to `channels` features."""

    name: str
    size: int
    stride: int = 1
    groups: int = 1
    channels: int = CHANNELS


KERNELS = (
    Kernel("conv 3x3", 3),
    Kernel("conv 1x1", 1),
    Kernel("conv 3x3 strided", 3, stride=2),
    Kernel("conv depthwise", 3, groups=CHANNELS),
)
# As in the later layers of a network: small images, and a kernel beyond the caches.
MANY = Kernel("conv 3x3 of 256", 3, channels=256)


def cases() -> Iterator[Case]:
    bare = KERNELS[0]
    yield case(bare, 56, f"{bare.name} bare", with_bias=False)
    for kernel in KERNELS:
        yield case(kernel, 56, f"{kernel.name} + bias + relu")
    for kernel in KERNELS:
        yield case(kernel, 28, f"{kernel.name} gradients", with_gradients=True)
    yield case(MANY, 14, f"{MANY.name} + bias + relu")
    yield case(MANY, 14, f"{MANY.name} gradients", with_gradients=True)


def case(
    kernel: Kernel, size: int, name: str, with_bias: bool = True,
    with_gradients: bool = False,
) -> Case:  # fmt: skip
    channels = kernel.channels
    args = [
        normal(BATCH, size, size, channels),
        normal(kernel.size, kernel.size, channels // kernel.groups, channels,
               scale=0.1),
        normal(channels),
    ]  # fmt: skip
    args = tuple(args if with_bias else args[:2])
    places = BATCH * (size // kernel.stride) ** 2
    products = places * channels**2 // kernel.groups * kernel.size**2
    outputs = places * channels * args[0].itemsize
    layout = Layout(torch_arguments, torch_results)
    if with_gradients:
        return Case(
            name, args, functools.partial(loss, kernel),
            torch=functools.partial(torch_loss, kernel), wrt=(0, 1, 2), layout=layout,
            work=Work(6 * products, size_of(args), size_of(args)),
            # Elements near the kink of the activation.
            tolerance=1e-3,
        )  # fmt: skip
    return Case(
        name, args, functools.partial(block, kernel),
        functools.partial(numpy_block, kernel), functools.partial(torch_block, kernel),
        Work(2 * products, size_of(args), outputs), layout=layout,
    )  # fmt: skip


def block(kernel: Kernel, xp: Any, x: Any, weights: Any, bias: Any = None) -> Any:
    y = xp.convolution(x, weights, kernel.stride, kernel.groups)
    return y if bias is None else xp.maximum(y + bias, 0)


def loss(kernel: Kernel, xp: Any, *args: Any) -> Any:
    return xp.mean(block(kernel, xp, *args) ** 2)


def torch_block(kernel: Kernel, t: Any, x: Any, weights: Any, bias: Any = None) -> Any:
    y = t.nn.functional.conv2d(x, weights, bias, kernel.stride, kernel.size // 2,
                               groups=kernel.groups)  # fmt: skip
    return y if bias is None else y.relu()


def torch_loss(kernel: Kernel, t: Any, *args: Any) -> Any:
    return torch_block(kernel, t, *args).square().mean()


def torch_arguments(x: Any, weights: Any, *bias: Any) -> tuple[Any, ...]:
    """Features last in memory, as the others have them, by PyTorch's order of axes."""
    import torch  # pyright: ignore

    weights = weights.permute(3, 2, 0, 1)
    return (x.permute(0, 3, 1, 2),
            weights.contiguous(memory_format=torch.channels_last), *bias)  # fmt: skip


def torch_results(results: Any) -> list[Any]:
    """Arrays of four axes in the others' order: an image, and then a kernel."""
    orders = iter(((0, 2, 3, 1), (2, 3, 1, 0)))
    return [x.permute(next(orders)) if x.ndim == 4 else x for x in leaves(results)]


def numpy_block(
    kernel: Kernel, x: np.ndarray, weights: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    """A product for each element of the kernel."""
    around, step = kernel.size // 2, kernel.stride
    height, width = x.shape[1:3]
    x = np.pad(x, ((0, 0), (around, around), (around, around), (0, 0)))
    y: Any = 0
    for i, j in np.ndindex(kernel.size, kernel.size):
        part = x[:, i : i + height : step, j : j + width : step]
        y = y + (part @ weights[i, j] if kernel.groups == 1 else part * weights[i, j])
    return y if bias is None else np.maximum(y + bias, 0)
