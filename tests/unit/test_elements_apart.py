"""Elements equally far apart: updated, stacked, read, and the derivatives of these."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft

RNG = np.random.default_rng(0)
DEVICES = ["cpu", "cuda-sim"]

# Of arrays large enough that loops over parts are worth it, and small ones.
UPDATES: list[tuple[tuple[int, ...], Any]] = [
    ((64, 128), np.s_[:, ::2]), ((64, 128), np.s_[..., 1::2]),
    ((64, 128), np.s_[1::2, ::4]), ((64, 129), np.s_[:, ::2]),
    ((64, 128), np.s_[1:-1:2, 2:-3:3]), ((5, 7), np.s_[::2, ::-3]),
    ((4096,), np.s_[::-2]), ((4096,), np.s_[5:4000:7]), ((3, 40, 40), np.s_[1, ::2]),
    ((3, 40, 40), np.s_[-1, None, 3::2, 7]), ((6,), np.s_[4::3]), ((9, 9), np.s_[8::2]),
]  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("how", ["set", "add", "multiply", "max"])
@pytest.mark.parametrize(("shape", "place"), UPDATES, ids=str)
def test_updates(shape: tuple[int, ...], place: Any, how: str, device: str) -> None:
    x = RNG.integers(-9, 9, shape).astype(np.float32)
    values = RNG.integers(-9, 9, x[place].shape).astype(np.float32)
    wanted = x.copy()
    old = wanted[place]
    wanted[place] = {
        "set": values, "add": old + values, "multiply": old * values,
        "max": np.maximum(old, values),
    }[how]  # fmt: skip
    update = weft.jit(lambda x, values: getattr(x.at[place], how)(values))
    given = (weft.asarray(array, device=device) for array in (x, values))
    np.testing.assert_array_equal(np.asarray(update(*given)), wanted)


@pytest.mark.parametrize("dtype", ["int8", "bool", "complex64", "bfloat16", "float64"])
@pytest.mark.parametrize(("shape", "place"), UPDATES[:6], ids=str)
def test_dtypes(shape: tuple[int, ...], place: Any, dtype: str) -> None:
    x = weft.asarray(RNG.integers(0, 2, shape)).astype(dtype)
    wanted = np.asarray(x).copy()
    wanted[place] = 1
    found = weft.jit(lambda x: x.at[place].set(1))(x)
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(np.asarray(found), wanted)


@pytest.mark.parametrize("how", ["set", "add", "multiply"])
@pytest.mark.parametrize(("shape", "place"), UPDATES, ids=str)
def test_derivatives_of_updates(shape: tuple[int, ...], place: Any, how: str) -> None:
    x, values = (
        RNG.standard_normal(shape),
        RNG.standard_normal(np.empty(shape)[place].shape),
    )
    given = RNG.standard_normal(shape)
    of_x, of_values = given.copy(), given[place]
    if how == "set":
        of_x[place] = 0
    elif how == "multiply":
        of_x[place] *= values
        of_values = of_values * x[place]

    def pulled(x: Any, values: Any, given: Any) -> Any:
        def update(x: Any, values: Any) -> Any:
            return getattr(x.at[place], how)(values)

        return weft.vjp(update, x, values)[1](given)

    for found, wanted in zip(
        weft.jit(pulled)(x, values, given), (of_x, of_values), strict=True
    ):
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-12)


def turned(x: Any, cos: Any, sin: Any) -> Any:
    """Rotary embedding of neighbours (Su et al., arXiv:2104.09864)."""
    even, odd = x[..., ::2], x[..., 1::2]
    pairs = weft.stack([even * cos - odd * sin, even * sin + odd * cos], -1)
    return pairs.reshape(x.shape)


def turned_in_place(x: Any, cos: Any, sin: Any) -> Any:
    even, odd = x[..., ::2], x[..., 1::2]
    x = x.at[..., ::2].set(even * cos - odd * sin)
    return x.at[..., 1::2].set(even * sin + odd * cos)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("f", [turned, turned_in_place])
def test_rotary_embedding(f: Any, device: str) -> None:
    x = RNG.standard_normal((2, 4, 32, 16)).astype(np.float32)
    angles = RNG.standard_normal((32, 8)).astype(np.float32)
    arrays = x, np.cos(angles), np.sin(angles)
    pairs = x.view(np.complex64) * np.exp(1j * angles)
    given = [weft.asarray(array, device=device) for array in arrays]
    np.testing.assert_allclose(
        np.asarray(weft.jit(f)(*given)),
        pairs.astype(np.complex64).view(np.float32),
        rtol=1e-5, atol=1e-5,
    )  # fmt: skip
    back = weft.jit(lambda x, cos, sin, y: weft.vjp(f, x, cos, sin)[1](y)[0])
    # The derivative turns back.
    np.testing.assert_allclose(
        np.asarray(back(*given, weft.jit(f)(*given))), x, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("f", [turned, turned_in_place])
def test_parts_are_one_launch(f: Any) -> None:
    x, angles = np.zeros((4, 8, 512, 64), np.float32), np.zeros((512, 32), np.float32)
    plan = weft.jit(f).lower(x, angles, angles, device="sm_90a").text("plan")
    assert plan.count("  launch ") == 1
    assert " 0 bytes of arena" in plan


@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("count", [2, 3, 4, 9])
@pytest.mark.parametrize("dtype", ["float32", "int8", "bfloat16", "bool", "complex64"])
def test_stacks(count: int, axis: int, dtype: str) -> None:
    x = weft.asarray(RNG.integers(0, 2, (count, 60, 50))).astype(dtype)

    def parts(x: Any) -> list[Any]:
        changed = (~x if dtype == "bool" else -x) if count % 2 else x
        return [x[0] if i % 2 else changed[i] for i in range(count)]

    np.testing.assert_array_equal(
        np.asarray(weft.jit(lambda x: weft.stack(parts(x), axis))(x)),
        np.stack(parts(np.asarray(x)), axis),
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("name", ["sum", "max", "prod", "mean", "argmin", "any", "var"])
def test_reduced_stacks(name: str, axis: int, device: str) -> None:
    x = RNG.integers(-2, 3, (4, 60, 50)).astype(np.float32)

    def reduce(lib: Any, x: Any) -> Any:
        parts = [x[0], x[1] * x[2], -x[3]]
        return getattr(lib, name)(lib.stack(parts, axis), axis=axis)

    found = weft.jit(lambda x: reduce(weft, x))(weft.asarray(x, device=device))
    np.testing.assert_allclose(np.asarray(found), reduce(np, x), rtol=1e-5, atol=1e-6)
