"""Arithmetic, order and updates of bools: as NumPy has them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import pytest

import weft

X = np.array([[True, False, True], [False, False, True]])
Y = np.array([[True, True, False], [False, True, False]])


NAMES = (
    "add multiply maximum minimum less less_equal greater greater_equal equal not_equal"
)


@pytest.mark.parametrize("name", NAMES.split())
@pytest.mark.parametrize("y", [Y, Y[0], True, False, np.True_])
def test_two_bools(name, y):
    expected = getattr(np, name)(X, y)
    for function in (getattr(weft, name), weft.jit(getattr(weft, name))):
        result = function(weft.asarray(X), y)
        assert result.dtype == bool
        np.testing.assert_array_equal(result, expected)


def test_operators_of_bools():
    x, y = weft.asarray(X), weft.asarray(Y)
    for result, expected in [
        (x * y, X * Y), (x + y, X + Y), (True * x, True * X), (x < y, X < Y),
        (abs(x), X), (x * 2, X * 2), (x + 1.0, (X + 1.0).astype("float32")),
    ]:  # fmt: skip
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes_of_bools(name, axis):
    result = getattr(weft.asarray(X), name)(axis)
    assert result.dtype == bool
    np.testing.assert_array_equal(result, getattr(X, name)(axis))


def test_running_extremes_of_bools():
    for axis in (0, 1):
        largest = weft.cummax(weft.asarray(X), axis)
        smallest = weft.cummin(weft.asarray(X), axis, reverse=True)
        np.testing.assert_array_equal(largest, np.maximum.accumulate(X, axis))
        np.testing.assert_array_equal(
            smallest, np.flip(np.minimum.accumulate(np.flip(X, axis), axis), axis)
        )


@pytest.mark.parametrize(
    ("method", "ufunc"),
    [
        ("add", np.logical_or),
        ("multiply", np.logical_and),
        ("max", np.logical_or),
        ("min", np.logical_and),
    ],
)
def test_updates_of_bools(method, ufunc):
    rows, new = np.array([1, 0, 1]), np.array([[True], [False], [False]])
    expected = X.copy()
    ufunc.at(expected, rows, new)
    result = getattr(weft.asarray(X).at[rows], method)(new)
    assert result.dtype == bool
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", ["max", "min"])
def test_no_bools_have_no_extreme(name):
    with pytest.raises(
        weft.ShapeError, match=rf"test_bools.py:\d+: {name}: bool\[2,0\]"
    ):
        getattr(weft, name)(weft.zeros((2, 0), bool), axis=1)


@pytest.mark.parametrize("function", [weft.subtract, weft.floor_divide, weft.pow])
def test_what_bools_have_not(function):
    with pytest.raises(weft.DTypeError, match="does not take bool"):
        function(weft.asarray(X), True)
