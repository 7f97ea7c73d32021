"""Reductions that the CPU splits: in parts, and arrays of short rows before rows."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

import weft

# All of an array whose outermost dimension has few parts; what is between others that
# are reduced; and the same where rows are too long, too few or too short.
SHAPES: list[tuple[tuple[int, ...], Any]] = [
    ((8, 28, 28, 64), None), ((8, 14, 14, 256), (1, 2, 3)), ((4, 300, 320), None),
    ((3, 5, 7, 4096), (0, 1, 3)), ((128, 12, 10, 30), (0, 3)), ((64, 30, 5), (0, 2)),
    ((16, 3, 8, 28, 7), (0, 2, 4)), ((100, 40, 17), (0, 2)), ((50, 6, 8, 2), (0, 2)),
    ((9, 50, 200), (0, 2)), ((3, 100, 20), (0, 2)), ((6, 1, 50, 1, 13), (0, 3, 4)),
    ((2, 10, 20, 30), (1, 3)), ((32, 12, 64), (0, 2)), ((257, 31, 3), (0, 2)),
]  # fmt: skip
DTYPES = ["float32", "float64", "bfloat16", "float16", "int32", "int8", "bool"]


def drawn(shape: tuple[int, ...], dtype: str) -> Any:
    """Small integers, of which a few are other than zero: their sums are exact."""
    rng = np.random.default_rng(zlib.crc32(repr((shape, dtype)).encode()))
    few = rng.integers(-3, 4, shape) * (rng.random(shape) < 0.3)
    return weft.asarray(few.astype(np.float32)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_sums_and_bounds(shape: tuple[int, ...], axis: Any, dtype: str) -> None:
    x = drawn(shape, dtype)

    def results(x: Any) -> Any:
        total = weft.sum(x, axis=axis, dtype=np.float64)
        least, most = weft.min(x, axis=axis), weft.max(x, axis=axis)
        return total, least, most, weft.any(x > 2, axis=axis)

    y = np.asarray(x).astype(np.float64)
    wanted = y.sum(axis), y.min(axis), y.max(axis), (y > 2).any(axis)
    for found, one in zip(weft.jit(results)(x), wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(found).astype(np.float64), one)


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
def test_statistics(shape: tuple[int, ...], axis: Any) -> None:
    """Of what is computed on the way, and with operands of fewer dimensions."""
    x = np.random.default_rng(0).standard_normal(shape)
    scale = np.linspace(0.5, 1.5, shape[-1])

    def results(m: Any, x: Any, scale: Any) -> Any:
        norm = m.sqrt(m.sum((x * scale) ** 2, axis=axis))
        return m.var(x, axis=axis), norm, m.prod(1 + x / x.size, axis=axis)

    found = weft.jit(lambda x, s: results(weft, x, s))(x, scale)
    for one, wanted in zip(found, results(np, x, scale), strict=True):
        np.testing.assert_allclose(np.asarray(one), wanted, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int8"])
@pytest.mark.parametrize("axis", [0, 1, 2, (0, 1), (1, 2), (0, 2), None], ids=str)
def test_parts_with_gaps(axis: Any, dtype: str) -> None:
    """Every second or third element, one channel, and all but the first arrays."""
    values = np.random.default_rng(0).integers(-3, 4, (60, 37, 48, 2))
    x = weft.asarray(values).astype(dtype)
    parts = (
        np.s_[:, :, ::2, 0], np.s_[:, ::3, :, 1], np.s_[1:, :, 5:, 0],
        np.s_[::2, :, 7, :], np.s_[1:, 1::2, :12, 1],
    )  # fmt: skip

    def results(x: Any) -> list[Any]:
        return [
            each(x[part], axis=axis)
            for part in parts
            for each in (weft.sum, weft.max, weft.argmax)
            if each is not weft.argmax or isinstance(axis, (int, type(None)))
        ]

    wanted = [
        getattr(np, each)(values[part], axis=axis)
        for part in parts
        for each in ("sum", "max", "argmax")
        if each != "argmax" or isinstance(axis, (int, type(None)))
    ]
    wide = weft.jit(
        lambda x: results(x.astype("float64" if dtype[0] != "i" else dtype))
    )
    for found, one in zip(wide(x), wanted, strict=True):
        exact = np.asarray(found).astype(np.int64)
        if dtype == "int8":
            one = one.astype(np.asarray(found).dtype)
        np.testing.assert_array_equal(exact, one)


def test_nan_and_zeros_of_one_sign_pass() -> None:
    x = np.zeros((64, 30, 5), np.float32)
    x[63, 29, 4], x[:, 7] = np.nan, -0.0
    most = np.asarray(weft.jit(lambda x: weft.max(x, axis=(0, 2)))(x))
    assert np.isnan(most[29])
    assert np.signbit(most).sum() == 1 + np.signbit(most[29])


def test_gradients_of_what_is_split() -> None:
    x = np.random.default_rng(1).standard_normal((64, 30, 5))

    def loss(x: Any) -> Any:
        best = weft.max(x, axis=(0, 2))
        return weft.sum(best * weft.sum(x * x, axis=(0, 2)))

    best, squares = x.max((0, 2)), (x * x).sum((0, 2))
    wanted = 2 * x * best[None, :, None]
    wanted += (x == best[None, :, None]) * squares[None, :, None]
    np.testing.assert_allclose(np.asarray(weft.grad(loss)(x)), wanted, rtol=1e-12)


@pytest.mark.parametrize("shape", [(8, 28, 28, 64), (128, 12, 10, 30), (50, 6, 8, 2)])
def test_threads_change_nothing(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    total = weft.jit(lambda x: (weft.sum(x), weft.sum(x, axis=(0, -1)), weft.var(x)))
    before, results = weft.get_num_threads(), []
    try:
        for count in (1, 2, 7):
            weft.set_num_threads(count)
            results.append([np.asarray(one).tobytes() for one in total(x)])
    finally:
        weft.set_num_threads(before)
    assert results[0] == results[1] == results[2]
