"""Convolutions of bfloat16 and of bytes in the CPU's matrix tiles."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from test_matrix_tiles import BFLOAT16, WIDE, drawn, needs_tiles

import weft
from test_ops import SMALL_MACHINE

pytestmark = [pytest.mark.thorough, needs_tiles]


@dataclass(frozen=True)
class Problem:
    """A convolution of an array with features last by a kernel that ends in features
    read and features written."""

    x: tuple[int, ...]
    w: tuple[int, ...]
    strides: int = 1
    padding: str | int = "SAME"
    dilation: int = 1
    groups: int = 1
    packed: bool = True

    def ours(self, x: Any, w: Any, preferred: Any) -> Any:
        last, spatial = len(self.x) - 1, tuple(range(1, len(self.x) - 1))
        image = (0, last, *spatial)
        filters = (last, last - 1, *(axis - 1 for axis in spatial))
        padding: Any = self.padding
        if isinstance(padding, int):
            padding = [(padding, padding)] * len(spatial)
        return weft.conv_general_dilated(
            x, w, self.strides, padding, None, self.dilation,
            weft.ConvDimensionNumbers(image, filters, image), self.groups, 1, preferred,
        )  # fmt: skip

    def want(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Products of windows of the padded array."""
        *window, read, written = w.shape
        reach = [(k - 1) * self.dilation + 1 for k in window]
        if isinstance(self.padding, int):
            pads = [(self.padding, self.padding)] * len(window)
        else:
            sizes = [-(-n // self.strides) for n in x.shape[1:-1]]
            totals = [
                max((m - 1) * self.strides + r - n, 0)
                for m, r, n in zip(sizes, reach, x.shape[1:-1], strict=True)
            ]
            pads = [(total // 2, total - total // 2) for total in totals]
        padded = np.pad(x.astype(np.float64), [(0, 0), *pads, (0, 0)])
        axes = tuple(range(1, 1 + len(window)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axes)
        steps = (slice(None, None, self.strides),) * len(window)
        holes = (slice(None, None, self.dilation),) * len(window)
        windows = windows[(slice(None), *steps, slice(None), *holes)]
        places = windows.shape[: 1 + len(window)]
        windows = windows.reshape(*places, self.groups, read, -1)
        kernel = w.astype(np.float64)
        kernel = kernel.reshape(-1, read, self.groups, written // self.groups)
        result = np.einsum("...gck,kcgo->...go", windows, kernel)
        return result.reshape(*places, written)


# Images that fill tiles and that do not; channels that do, that do not, and that are
# one with the window; one to three dimensions; blocks that are padded by themselves.
PROBLEMS = [
    Problem((2, 14, 14, 64), (3, 3, 64, 64)),
    Problem((3, 7, 7, 96), (3, 3, 96, 40)),
    Problem((1, 33, 65, 32), (3, 3, 32, 50)),
    Problem((4, 28, 28, 64), (3, 3, 64, 48), strides=2),
    Problem((2, 14, 14, 64), (3, 3, 64, 33), strides=2, padding=1),
    Problem((2, 20, 37, 64), (3, 3, 64, 64), dilation=2),
    Problem((2, 19, 19, 24), (5, 5, 24, 17)),
    Problem((2, 19, 19, 10), (3, 3, 10, 70), padding=0),
    Problem((2, 40, 40, 4), (7, 7, 4, 64), strides=2),
    Problem((2, 40, 40, 12), (3, 3, 12, 32), strides=3, padding=2),
    Problem((2, 40, 40, 64), (1, 1, 64, 64), strides=2, padding=0, packed=False),
    Problem((2, 20, 20, 64), (3, 3, 32, 64), groups=2),
    Problem((2, 20, 20, 256), (3, 3, 64, 80), groups=4),
    Problem((3, 200, 64), (5, 64, 64), packed=False),
    Problem((3, 201, 20), (4, 20, 33), strides=2, dilation=3),
    Problem((2, 30, 30, 64), (5, 1, 64, 64), padding=0),
    Problem((2, 9, 10, 11, 32), (3, 3, 3, 32, 32)),
    Problem((1, 8, 12, 20, 16), (2, 3, 2, 16, 40), strides=2),
    Problem((8, 56, 56, 64), (3, 3, 64, 64)),
    Problem((6, 57, 57, 64), (3, 3, 64, 72), strides=2, padding=1),
    Problem((2, 40, 40, 3), (7, 7, 3, 64), strides=2),
    Problem((1, 80, 80, 3), (6, 6, 3, 20)),
]


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = weft.get_num_threads()
    yield
    weft.set_num_threads(before)


def is_packed(lowered: Any) -> bool:
    return "floordiv 32" in lowered.text("fused")


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_sums_are_exact(problem: Problem, dtype: str) -> None:
    """On this machine and a small one, in 1 to 7 threads."""
    x, w = drawn(*problem.x, dtype=dtype), drawn(*problem.w, dtype=dtype)
    jitted = weft.jit(lambda x, w: problem.ours(x, w, WIDE[dtype]))
    lowered = jitted.lower(x, w)
    if problem.packed and dtype == "bfloat16":
        assert is_packed(lowered)
    text = lowered.text("expanded", locations=False)
    small = weft.parse(text.replace("module {", SMALL_MACHINE, 1)).compile()
    want = problem.want(x, w)
    for run in (jitted, small):
        for count in (1, 2, 7):
            weft.set_num_threads(count)
            np.testing.assert_array_equal(np.asarray(run(x, w)), want)


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_results_are_rounded_with_a_bias_and_an_activation(problem: Problem) -> None:
    x, w = drawn(*problem.x, dtype="bfloat16"), drawn(*problem.w, dtype="bfloat16")
    bias = drawn(problem.w[-1], dtype="bfloat16")
    sums = problem.want(x, w).astype(np.float32).astype(BFLOAT16)
    want = np.maximum((sums.astype(np.float32) + bias).astype(BFLOAT16), 0)
    jitted = weft.jit(lambda x, w, b: weft.maximum(problem.ours(x, w, None) + b, 0))
    for count in (1, 7):
        weft.set_num_threads(count)
        np.testing.assert_array_equal(np.asarray(jitted(x, w, bias)), want)


# The last of their blocks of rows would be smaller than a tile.
FEW_LEFT = [
    Problem((1, rows + 4, 512), (3, 512, 512), padding=0, dilation=2)
    for rows in (289, 303, 396)
]


@pytest.mark.parametrize("problem", [*PROBLEMS[::3], *FEW_LEFT], ids=str)
def test_sums_are_changed_once(problem: Problem) -> None:
    """An activation in place, also where tiles of two blocks meet."""
    x, w = drawn(*problem.x, dtype="bfloat16"), drawn(*problem.w, dtype="bfloat16")
    want = 2 * np.maximum(problem.want(x, w), -3) + 1
    jitted = weft.jit(
        lambda x, w: 2 * weft.maximum(problem.ours(x, w, np.float32), -3) + 1
    )
    for count in (1, 2, 7):
        weft.set_num_threads(count)
        np.testing.assert_array_equal(np.asarray(jitted(x, w)), want)


@pytest.mark.parametrize("problem", PROBLEMS[:9:2], ids=str)
def test_infinities_stay_in_their_windows(problem: Problem) -> None:
    """Zeros that fill tiles up are multiplied by nothing that is not finite."""
    x, w = drawn(*problem.x, dtype="bfloat16"), drawn(*problem.w, dtype="bfloat16")
    x[0, 5, 5], x[-1, 6, 0], w[-1, -1, -1, -1] = np.inf, np.nan, -np.inf
    with np.errstate(invalid="ignore"):
        want = problem.want(x, w).astype(np.float32)
    got = weft.jit(lambda x, w: problem.ours(x, w, np.float32))(x, w)
    np.testing.assert_array_equal(np.asarray(got), want)


def test_what_is_added_to() -> None:
    """Two convolutions, one added to the other in its place."""
    problem = Problem((2, 17, 17, 32), (3, 3, 32, 48))
    x, w = drawn(*problem.x, dtype="bfloat16"), drawn(*problem.w, dtype="bfloat16")
    jitted = weft.jit(
        lambda x, w: (
            problem.ours(x, w, np.float32) + problem.ours(-x, w * 2, np.float32)
        )
    )
    np.testing.assert_array_equal(np.asarray(jitted(x, w)), -problem.want(x, w))


def test_gradients() -> None:
    """Of the array and of the kernel, as of wide numbers."""
    problem = Problem((2, 20, 20, 32), (3, 3, 32, 32), strides=2)
    x, w = drawn(*problem.x, dtype="bfloat16"), drawn(*problem.w, dtype="bfloat16")

    def total(x: Any, w: Any) -> Any:
        return (problem.ours(x, w, np.float32) ** 2).sum() / 2**20

    for narrow, wide in zip(
        weft.jit(weft.grad(total, argnums=(0, 1)))(x, w),
        weft.jit(weft.grad(total, argnums=(0, 1)))(
            x.astype(np.float32), w.astype(np.float32)
        ),
        strict=True,
    ):
        np.testing.assert_allclose(
            np.asarray(narrow).astype(np.float32), np.asarray(wide), rtol=2.0**-7
        )


@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize(
    ("x", "w"),
    [((2, 30, 31, 64), (3, 2, 64, 83)), ((2, 17, 24, 16), (2, 3, 16, 40))],
    ids=str,
)
def test_gradients_of_strided_ones(
    x: tuple[int, ...], w: tuple[int, ...], stride: int
) -> None:
    """In those by the kernel, one factor alone tells how long some loops are."""
    a, b = drawn(*x, dtype="bfloat16") // 4, drawn(*w, dtype="bfloat16") // 4

    def convolved(x: Any, w: Any) -> Any:
        return weft.conv_general_dilated(
            x, w, (stride, stride), "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip

    shape = convolved(a, b).shape
    ct = np.random.default_rng(stride).integers(0, 20, shape) == 0
    function = weft.jit(lambda x, w, ct: weft.vjp(convolved, x, w)[1](ct))
    args = a, b, ct.astype(BFLOAT16)
    want = function.interpret(*args)
    for got, exact in zip(function(*args), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), np.asarray(exact))
