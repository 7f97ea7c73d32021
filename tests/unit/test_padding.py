"""`pad` in every mode against NumPy's, and its derivatives."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft

pytestmark = pytest.mark.thorough

COPIES = ("edge", "reflect", "symmetric", "wrap")
STATISTICS = ("maximum", "minimum", "mean")
DTYPES = ["bool", "int8", "uint8", "int64", "float32", "float64"]


def drawn(shape: tuple[int, ...], dtype: str = "float64", seed: int = 0) -> np.ndarray:
    random = np.random.default_rng([seed, *shape])
    low = 0 if dtype.startswith(("u", "b")) else -9
    return np.asarray(random.integers(low, 10, shape)).astype(dtype)


def check(
    x: np.ndarray, calls: list[tuple[Any, dict[str, Any]]], compiled: bool = True
) -> None:
    """Each call, eager and compiled, against NumPy's."""

    def padded(x: Any) -> list[Any]:
        return [weft.pad(x, widths, **more) for widths, more in calls]

    results = weft.jit(padded)(x) if compiled else padded(x)
    for got, (widths, more) in zip(results, calls, strict=True):
        want = np.pad(x, widths, **more)
        ramp = more.get("mode") in ("linear_ramp", "mean") and x.dtype.kind == "f"
        for result in (got, weft.pad(x, widths, **more)):
            assert result.dtype == want.dtype
            np.testing.assert_allclose(
                np.asarray(result), want, rtol=1e-6 if ramp else 0,
                atol=1e-6 if ramp else 0, err_msg=f"{widths} {more}",
            )  # fmt: skip


WIDTHS = [0, 2, (1, 2), ((1, 2),), ((0, 3), (2, 1)), [[1], [2]], ((9, 7), (8, 10))]


@pytest.mark.parametrize("dtype", DTYPES)
def test_copies(dtype: str) -> None:
    calls = [(w, {"mode": mode}) for mode in COPIES for w in WIDTHS]
    if dtype != "bool":
        calls += [
            (w, {"mode": mode, "reflect_type": "odd"})
            for mode in ("reflect", "symmetric")
            for w in WIDTHS
        ]
    check(drawn((3, 4), dtype), calls)
    check(drawn((1, 2), dtype), calls, compiled=False)


@pytest.mark.parametrize("dtype", DTYPES)
def test_values(dtype: str) -> None:
    values = [1, (0, 1), ((1, 0), (0, 1))]
    calls: list[Any] = [(w, {}) for w in WIDTHS]
    calls += [((1, 2), {"mode": "constant", "constant_values": v}) for v in values]
    if dtype != "bool":
        calls += [
            (((1, 2), (5, 4)), {"mode": "linear_ramp", "end_values": v})
            for v in (0, (3, 7), ((1, 2), (3, 4)))
        ]
    check(drawn((3, 4), dtype), calls)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
def test_statistics(dtype: str) -> None:
    lengths = [None, 1, 2, 9, (1, 3), ((1, 2), (3, 1))]
    check(
        drawn((3, 4), dtype),
        [(((1, 2), (2, 1)), {"mode": mode, "stat_length": length})
         for mode in STATISTICS for length in lengths],
    )  # fmt: skip


def test_widths_by_axis() -> None:
    x = drawn((3, 4))
    want = np.pad(x, ((0, 0), (1, 2)), "wrap")
    np.testing.assert_array_equal(weft.pad(x, {-1: (1, 2)}, "wrap"), want)
    np.testing.assert_array_equal(weft.pad(x, {0: 1}), np.pad(x, ((1, 1), (0, 0))))
    for mode in ("constant", "edge", "mean"):
        np.testing.assert_array_equal(weft.pad(np.float64(3.0), {}, mode), 3.0)
        np.testing.assert_array_equal(weft.pad(np.float64(3.0), 2, mode), 3.0)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_widths(data: Any) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
    edge = st.integers(0, 9)
    widths = [data.draw(st.tuples(edge, edge)) for _ in shape]
    mode = data.draw(st.sampled_from([*COPIES, *STATISTICS, "constant"]))
    x = drawn(shape, "int64")
    np.testing.assert_array_equal(weft.pad(x, widths, mode), np.pad(x, widths, mode))
    if mode in ("reflect", "symmetric"):
        want = np.pad(x, widths, mode, reflect_type="odd")
        got = weft.pad(x, widths, mode, reflect_type="odd")
        np.testing.assert_array_equal(got, want)


def test_arrays_without_elements() -> None:
    for shape, widths in (((0,), 2), ((2, 0), 1), ((0, 3), ((0, 0), (1, 1)))):
        want = np.pad(np.ones(shape), widths)
        np.testing.assert_array_equal(weft.pad(np.ones(shape), widths), want)
    for mode in (*COPIES, *STATISTICS, "linear_ramp"):
        widths = ((0, 0), (1, 1))
        got = weft.pad(np.ones((0, 3)), widths, mode)
        assert got.shape == np.pad(np.ones((0, 3)), widths, "edge").shape == (0, 5)
        with pytest.raises(weft.ShapeError, match=r"axis 0 of .* has no element"):
            weft.pad(np.ones((0, 3)), 1, mode)


def test_derivatives_and_stacks() -> None:
    random = np.random.default_rng(0)
    x, value = (weft.asarray(random.normal(size=s)) for s in ((3, 4), ()))
    widths = ((1, 2), (5, 4))

    def padded(x: Any, value: Any) -> Any:
        results = [weft.pad(x, widths, mode) for mode in (*COPIES, *STATISTICS)]
        results += [weft.pad(x, widths, "linear_ramp", end_values=(2.0, value))]
        results += [weft.pad(x, widths, constant_values=(value, 1.0))]
        return [*results, weft.pad(x, widths, "reflect", reflect_type="odd")]

    weft.testing.check_grads(padded, (x, value), order=1)


MISTAKES: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (-1, {}, weft.ArgumentError, "widths must not be negative"),
    (((1, 2), (3, -4)), {"mode": "edge"}, weft.ArgumentError, "not be negative"),
    ((1, 2, 3), {}, weft.ShapeError, r"does not give \(before, after\)"),
    (((1, 2),) * 3, {}, weft.ShapeError, "for each of the 2 axes"),
    (1.5, {}, weft.UnsupportedTypeError, "a width must be an integer"),
    (1, {"mode": "mirror"}, weft.ArgumentError, "mode is 'mirror'"),
    (1, {"mode": max}, weft.UnsupportedTypeError, "the name of one"),
    (
        1,
        {"mode": "wrap", "reflect_type": "both"},
        weft.ArgumentError,
        "reflect_type",
    ),
    (1, {"mode": "maximum", "stat_length": 0}, weft.ArgumentError, "stat_length is 0"),
    (1, {"mode": "edge", "interior": (1, 1)}, weft.ArgumentError, "interior is for"),
    ({5: 1}, {}, weft.ShapeError, "axis 5 is out of range"),
]


@pytest.mark.parametrize(("widths", "more", "error", "match"), MISTAKES)
def test_mistakes(
    widths: Any, more: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        weft.pad(np.ones((2, 3)), widths, **more)
