"""Resampling against its definition, place by place, and a few numbers of PyTorch's."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft

pytestmark = pytest.mark.thorough

MODES = {1: ["linear"], 2: ["bilinear", "bicubic"], 3: ["trilinear"]}


def keys(distance: float) -> float:
    """The cubic kernel with a = -3/4."""
    d, a = abs(distance), -0.75
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def matrix(mode: str, size: int, count: int, align_corners: bool) -> np.ndarray:
    """The weight of each element in each result along an axis."""
    weights = np.zeros((count, size))
    for i in range(count):
        if mode.startswith("nearest"):
            half = Fraction(1, 2) if mode == "nearest-exact" else 0
            weights[
                i, min(math.floor((i + half) * Fraction(size, count)), size - 1)
            ] = 1
            continue
        if align_corners:
            place = i * (size - 1) / (count - 1) if count > 1 else 0.0
        else:
            place = (i + 0.5) * size / count - 0.5
        if mode == "bicubic":
            for j in range(math.floor(place) - 1, math.floor(place) + 3):
                weights[i, min(max(j, 0), size - 1)] += keys(place - j)
        else:
            weights[i] = [
                np.interp(place, range(size), np.eye(size)[j]) for j in range(size)
            ]
    return weights


def oracle(
    x: np.ndarray, sizes: tuple[int, ...], mode: str, align_corners: bool
) -> np.ndarray:
    for i, count in enumerate(sizes):
        weights = matrix(mode, x.shape[2 + i], count, align_corners)
        x = np.moveaxis(np.tensordot(x, weights, ([2 + i], [1])), -1, 2 + i)
    return x


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_sizes(data: Any) -> None:
    rank = data.draw(st.integers(1, 3))
    sizes = st.tuples(*[st.integers(1, 7)] * rank)
    shape, counts = data.draw(sizes), data.draw(sizes)
    mode = data.draw(st.sampled_from([*MODES[rank], "nearest", "nearest-exact"]))
    corners = None if mode.startswith("nearest") else data.draw(st.booleans())
    x = np.random.default_rng([*shape, *counts]).normal(size=(2, 1, *shape))
    got = weft.nn.interpolate(x, counts, mode=mode, align_corners=corners)
    want = oracle(x, counts, mode, bool(corners))
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12, atol=1e-12)


CALLS: list[tuple[tuple[int, ...], Any, str, bool | None]] = [
    ((5,), 8, "nearest", None), ((5,), 3, "nearest-exact", None),
    ((4,), 7, "linear", False), ((4,), 7, "linear", True),
    ((3, 4), (5, 2), "bilinear", False), ((3, 4), (5, 6), "bicubic", False),
    ((3, 4), (5, 6), "bicubic", True), ((2, 3, 2), (3, 2, 4), "trilinear", False),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled(dtype: str) -> None:
    random = np.random.default_rng(0)
    arrays = [random.normal(size=(2, 3, *call[0])).astype(dtype) for call in CALLS]

    def resampled(arrays: Any) -> Any:
        return [
            weft.nn.interpolate(x, size, None, mode, corners)
            for x, (_, size, mode, corners) in zip(arrays, CALLS, strict=True)
        ]

    for got, x, (_, size, mode, corners) in zip(
        weft.jit(resampled)(arrays), arrays, CALLS, strict=True
    ):
        counts = (size,) if isinstance(size, int) else size
        assert got.dtype == dtype
        np.testing.assert_allclose(
            got, oracle(x, counts, mode, bool(corners)), 1e-5, 1e-5
        )


# What PyTorch 2.13 gives for the elements (7 i mod 11) / 2 - 1.5.
PYTORCHS: list[tuple[Any, ...]] = [
    ((5,), "linear", None, 0.6, True, [-1.5, 0.0, 1.5]),
    ((4,), "nearest", (7,), None, None, [-1.5, -1.5, 2.0, 2.0, 0.0, 0.0, 3.5]),
    ((4,), "linear", (7,), None, False, [-1.5, -0.25, 1.75, 1.0, 0.25, 2.25, 3.5]),
    ((4,), "nearest-exact", None, 1.7, None, [-1.5, -1.5, 2.0, 0.0, 0.0, 3.5]),
    (
        (3, 2),
        "bicubic",
        (2, 3),
        None,
        False,
        [[-1.5334947, 0.6337891, 2.8010729], [1.2783339, 0.8359375, 0.3935411]],
    ),
    ((3, 2), "bicubic", (2, 3), None, True, [[-1.5, 0.25, 2.0], [1.5, 0.5, -0.5]]),
    (
        (1, 3),
        "bilinear",
        None,
        (1.5, 2.3),
        False,
        [[-1.5, -0.9673913, 0.5543478, 1.9565217, 1.0869565, 0.2173913]],
    ),
]


@pytest.mark.parametrize(
    ("shape", "mode", "size", "scale", "corners", "want"), PYTORCHS
)
def test_equals_pytorch(
    shape: tuple[int, ...], mode: str, size: Any, scale: Any, corners: Any, want: Any
) -> None:
    x = (np.arange(math.prod(shape)) * 7 % 11 / 2 - 1.5).reshape(1, 1, *shape)
    got = weft.nn.interpolate(x, size, scale, mode, corners)
    np.testing.assert_allclose(got[0, 0], want, rtol=1e-6, atol=1e-6)


def test_derivatives_and_stacks() -> None:
    x = weft.asarray(np.random.default_rng(0).normal(size=(1, 1, 3, 4)))

    def resampled(x: Any) -> Any:
        return (
            weft.nn.interpolate(x, (5, 3), mode="bicubic"),
            weft.nn.interpolate(x, scale_factor=(2, 1), mode="nearest") ** 2,
        )

    weft.testing.check_grads(resampled, (x,), order=1)


def test_integers_by_the_nearest() -> None:
    x = np.arange(6, dtype="uint8").reshape(1, 1, 2, 3)
    got = weft.nn.interpolate(x, scale_factor=2)
    np.testing.assert_array_equal(got, x.repeat(2, 2).repeat(2, 3))
    assert got.dtype == np.uint8


MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, weft.ArgumentError, "either size or scale_factor"),
    ({"size": 2, "scale_factor": 2}, weft.ArgumentError, "either size or scale_factor"),
    ({"size": (2, 2, 2)}, weft.ShapeError, "one entry for each of the 2 axes"),
    ({"size": (2, 0)}, weft.ShapeError, "must have elements"),
    ({"scale_factor": 0.1}, weft.ShapeError, "must have elements"),
    ({"size": 2, "mode": "cubic"}, weft.ArgumentError, "mode is 'cubic'"),
    ({"size": 2, "mode": "linear"}, weft.ShapeError, "takes an array of 3 axes"),
    ({"size": 2, "align_corners": True}, weft.ArgumentError, "not for mode 'nearest'"),
]


@pytest.mark.parametrize(("arguments", "error", "match"), MISTAKES)
def test_mistakes(
    arguments: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        weft.nn.interpolate(np.ones((1, 1, 2, 3)), **arguments)
    with pytest.raises(weft.DTypeError, match="takes floats, not int64"):
        weft.nn.interpolate(np.ones((1, 1, 2), "int64"), 3, mode="linear")
