"""Products of matrices, vectors and batches, of several dtypes."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..case import RANDOM, Case, Work, normal, size_of

SQUARES = (16, 32, 64, 128, 256, 512, 1024, 2048)
OTHERS = ((1000, 333, 777), (256, 512, 784), (4096, 64, 64), (64, 64, 4096))
UNITS = {"float32": "f32", "float64": "f64", "bfloat16": "bf16", "int8": "i8"}


def cases() -> Iterator[Case]:
    for m, n, k in (*((size,) * 3 for size in SQUARES), *OTHERS):
        yield product(f"gemm {m}x{n}x{k}", normal(m, k), normal(k, n))
    yield product("gemm 1024 f64", *(normal(1024, 1024, dtype=float) for _ in "ab"))
    yield product("gemv 1x4096x4096", normal(1, 4096), normal(4096, 4096))
    yield product("gemv 4096x1x4096", normal(4096, 4096), normal(4096, 1))
    yield product("batched 32x128x128x64", normal(32, 128, 64), normal(32, 64, 128))
    for size in (256, 1024):
        yield brain_floats(size)
        yield integers(size)


def work(a: np.ndarray, b: np.ndarray, written: int) -> Work:
    return Work(2 * a.size * b.shape[-1], size_of(a, b), written, UNITS[a.dtype.name])


def product(name: str, a: np.ndarray, b: np.ndarray) -> Case:
    """A product by the `@` of each; torch.compile calls what PyTorch does at once."""
    written = a[..., :1].size * b.shape[-1] * a.itemsize
    return Case(name, (a, b), lambda xp, a, b: a @ b, np.matmul,
                lambda t, a, b: a @ b, work(a, b, written), compiled=False)  # fmt: skip


def brain_floats(size: int) -> Case:
    import ml_dtypes

    a, b = (normal(size, size, dtype=ml_dtypes.bfloat16) for _ in "ab")

    def numpy(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)

    return Case(
        f"gemm {size} bf16", (a, b), lambda xp, a, b: a @ b, numpy,
        lambda t, a, b: a @ b, work(a, b, a.nbytes), compiled=False,
    )  # fmt: skip


def integers(size: int) -> Case:
    """Products of bytes, summed in 32 bits."""
    a, b = (RANDOM.integers(-50, 50, (size, size), dtype=np.int8) for _ in "ab")

    def array(xp: Any, a: Any, b: Any) -> Any:
        return xp.matmul(a, b, preferred_element_type=np.int32)

    def numpy(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        # Exact as floats, below 2**24, and faster than NumPy's loop over integers.
        return (a.astype(np.float32) @ b.astype(np.float32)).astype(np.int32)

    return Case(f"gemm {size} i8", (a, b), array, numpy,
                lambda t, a, b: t._int_mm(a, b), work(a, b, 4 * a.size),
                compiled=False)  # fmt: skip
