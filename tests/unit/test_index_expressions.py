"""Random index expressions, reading and writing, against NumPy: values and slopes."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft

pytestmark = pytest.mark.thorough

Shape = tuple[int, ...]


class Expression:
    """An index drawn at random for an array of a random shape.

    Its arrays broadcast with each other, most of the time.
    """

    def __init__(self, random: Random, largest: int = 4, sizes: int = 4) -> None:
        self.random = random
        ndim = random.randint(0, largest)
        self.shape = tuple(random.randint(random.random() < 0.9, sizes)
                           for _ in range(ndim))  # fmt: skip
        self.common = tuple(random.randint(1, 3) for _ in range(random.randint(0, 2)))
        self.entries: list[Any] = []
        self._draw()

    def _draw(self) -> None:
        axis, dots = 0, False
        while self.random.random() < 0.85:
            kind = self.random.choice(
                ["int", "slice", "slice", "array", "array", "list", "mask", "none",
                 "dots", "scalar", "truth"]
            )  # fmt: skip
            left = len(self.shape) - axis
            if kind == "none":
                self.entries.append(None)
            elif kind == "truth":
                if self.random.random() < 0.2:
                    self.entries.append(self.random.random() < 0.7)
            elif kind == "dots":
                if not dots:
                    dots = True
                    self.entries.append(Ellipsis)
                    # What follows is about the last axes.
                    axis += self.random.randint(0, left)
            elif left and (kind == "slice" or self.shape[axis]):
                axis += self._add(kind, axis)
        if dots:
            self._realign()

    def _realign(self) -> None:
        """Makes the entries behind '...' about the last axes: draws them again."""
        place = next(i for i, e in enumerate(self.entries) if e is Ellipsis)
        behind = [e for e in self.entries[place + 1 :] if e is None]
        self.entries[place + 1 :] = behind
        used = sum(_axes(e) for e in self.entries)
        last = len(self.shape) - 1
        if used <= last and self.shape[last]:
            self._add("array" if self.random.random() < 0.5 else "slice", last)

    def _add(self, kind: str, axis: int) -> int:
        size, random = self.shape[axis], self.random
        if kind == "slice":
            bounds = [None, *range(-size - 1, size + 2)]
            step = random.choice([None, None, 1, 2, -1, -1, -2, 3])
            self.entries.append(
                slice(random.choice(bounds), random.choice(bounds), step)
            )
            return 1
        if kind == "mask":
            return self._add_mask(axis)
        if kind == "int":
            self.entries.append(random.randrange(-size, size))
        elif kind == "scalar":
            self.entries.append(np.asarray(random.randrange(-size, size)))
        else:
            lead = random.randint(0, len(self.common))
            own = [n if random.random() < 0.7 else 1 for n in self.common[lead:]]
            values = [random.randrange(-size, size) for _ in range(math.prod(own))]
            array = np.array(values, np.int64).reshape(own)
            as_list = kind == "list" and array.ndim
            self.entries.append(array.tolist() if as_list else array)
        return 1

    def _add_mask(self, axis: int) -> int:
        ndim = self.random.randint(1, min(2, len(self.shape) - axis))
        mask = np.zeros(self.shape[axis : axis + ndim], bool)
        wanted = self.common[-1] if self.common else self.random.randint(0, 3)
        for place in self.random.sample(range(mask.size), min(wanted, mask.size)):
            mask.flat[place] = True
        self.entries.append(mask.tolist() if self.random.random() < 0.2 else mask)
        return ndim

    @property
    def index(self) -> Any:
        """What stands between the brackets."""
        if len(self.entries) == 1 and self.random.random() < 0.5:
            return self.entries[0]
        return tuple(self.entries)

    @property
    def data(self) -> np.ndarray:
        return np.arange(math.prod(self.shape), dtype=np.float64).reshape(self.shape)


def _axes(entry: Any) -> int:
    if entry is None or entry is Ellipsis or isinstance(entry, bool):
        return 0
    array = np.asarray(entry) if isinstance(entry, (list, np.ndarray)) else None
    return array.ndim if array is not None and array.dtype == bool else 1


@settings(max_examples=600, deadline=None)
@given(st.integers(0, 2**40))
def test_reading_and_writing_are_numpys(seed: int) -> None:
    random = Random(seed)
    drawn = Expression(random)
    x, index = drawn.data, drawn.index
    try:
        want = x[index]
    except IndexError:
        with pytest.raises(IndexError):
            weft.asarray(x)[index]
        return
    got = np.asarray(weft.asarray(x)[index])
    np.testing.assert_array_equal(got, np.asarray(want), strict=True)
    new = -1 - np.arange(np.size(want), dtype=np.float64).reshape(np.shape(want))
    if random.random() < 0.2:
        new = np.asarray(-1.0)
    was_set, was_added = x.copy(), x.copy()
    was_set[index] = new
    np.add.at(was_added, index, new)
    at = weft.asarray(x).at[index]
    np.testing.assert_array_equal(np.asarray(at.set(new)), was_set)
    # As with NumPy, values may have axes of size one that the elements do not.
    np.testing.assert_array_equal(np.asarray(at.set(new[None])), was_set)
    np.testing.assert_allclose(np.asarray(at.add(new)), was_added, rtol=1e-12)


def _valid(seed: int, count: int) -> list[Expression]:
    found: list[Expression] = []
    random = Random(seed)
    while len(found) < count:
        drawn = Expression(random, largest=3, sizes=3)
        try:
            drawn.data[tuple(drawn.entries)]
        except IndexError:
            continue
        found.append(drawn)
    return found


def _with_arrays(drawn: Expression, arrays: list[Any]) -> Any:
    """The index with its integer arrays replaced, in their order."""
    left = iter(arrays)
    return tuple(next(left) if _is_array(e) else e for e in drawn.entries)


def _is_array(entry: Any) -> bool:
    return isinstance(entry, np.ndarray) and entry.dtype != bool


@pytest.mark.parametrize("seed", range(3))
def test_compiled_with_traced_indices(seed: int) -> None:
    """Values, and derivatives by the array and by the update, of many at once."""
    chosen = _valid(seed, 30)
    random = np.random.default_rng(seed)
    xs = [random.normal(size=drawn.shape) for drawn in chosen]
    arrays = [[e for e in drawn.entries if _is_array(e)] for drawn in chosen]
    read = [x[tuple(d.entries)] for x, d in zip(xs, chosen, strict=True)]
    new = [random.normal(size=np.shape(y)) for y in read]
    ws = [random.normal(size=x.shape) for x in xs]

    def one(i: int, x: Any, y: Any, index: Any) -> Any:
        full = _with_arrays(chosen[i], index)

        def taken(x: Any) -> Any:
            return weft.sum(x[full] * new[i])

        def put(x: Any, y: Any) -> Any:
            return weft.sum(x.at[full].set(y) * ws[i])

        def added(x: Any, y: Any) -> Any:
            return weft.sum(x.at[full].add(y) * ws[i])

        both = (0, 1)
        return (
            x[full], x.at[full].set(y), x.at[full].add(y), weft.grad(taken)(x),
            *weft.grad(put, both)(x, y), *weft.grad(added, both)(x, y),
        )  # fmt: skip

    @weft.jit
    def run(xs: Any, ys: Any, arrays: Any) -> Any:
        return [one(i, *own) for i, own in enumerate(zip(xs, ys, arrays, strict=True))]

    for i, got in enumerate(run(xs, new, arrays)):
        for ours, theirs in zip(
            got, _meant(chosen[i], xs[i], new[i], ws[i]), strict=True
        ):
            np.testing.assert_allclose(
                np.asarray(ours), theirs, rtol=1e-9, err_msg=str(chosen[i].entries)
            )


def _meant(drawn: Expression, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Any:
    index = tuple(drawn.entries)
    was_set, was_added, by_read = x.copy(), x.copy(), np.zeros_like(x)
    was_set[index] = y
    np.add.at(was_added, index, y)
    np.add.at(by_read, index, y)
    # Which update stays where: the last one.
    left = np.full(x.shape, -1)
    left[index] = np.arange(y.size).reshape(y.shape)
    by_x = np.where(left < 0, w, 0)
    by_y = np.zeros(y.size)
    by_y[left[left >= 0]] = w[left >= 0]
    return (
        x[index], was_set, was_added, by_read, by_x, by_y.reshape(y.shape), w,
        w[index],
    )  # fmt: skip


def test_traced_masks_say_what_is_updated() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(3, 4, 2))
    row, wide = random.normal(size=2), random.normal(size=(3, 1, 2))

    @weft.jit
    def run(x: weft.Array) -> Any:
        flat, first, last = x > 0, x[:, 0, 0] > 0, x[0, 0] > 0
        middle = x[:, :, 0] > 0
        return [
            x.at[flat].set(0.0),
            x.at[flat].add(1),
            x.at[flat].multiply(-2.0),
            x.at[first].set(5.0),
            x.at[middle].min(row),
            x.at[..., last].max(0.5),
            x.at[:, x[0, :, 0] > 0].set(wide),
            x.at[0, x[0, :, 0] > 0].divide(2.0),
            x.at[::-1, None, x[0, :, 0] > 0, 1].set(3.0),
            x.at[flat].apply(weft.square),
            x.at[x[0, 0, 0] > -9].power(2.0),
            weft.grad(lambda x: weft.sum(x.at[flat].multiply(3.0)))(x),
        ]

    def update(index: Any, function: Any) -> np.ndarray:
        copy = x.copy()
        copy[index] = function(copy[index])
        return copy

    flat, column = x > 0, x[0, :, 0] > 0
    want = [
        update(flat, lambda y: 0),
        update(flat, lambda y: y + 1),
        update(flat, lambda y: y * -2),
        update(x[:, 0, 0] > 0, lambda y: 5),
        update(x[:, :, 0] > 0, lambda y: np.minimum(y, row)),
        update((..., x[0, 0] > 0), lambda y: np.maximum(y, 0.5)),
        update((slice(None), column), lambda y: wide),
        update((0, column), lambda y: y / 2),
        update((slice(None), column, 1), lambda y: 3),
        update(flat, np.square),
        update(Ellipsis, np.square),
        np.where(flat, 3.0, 1.0),
    ]
    for i, (got, expected) in enumerate(zip(run(x), want, strict=True)):
        np.testing.assert_allclose(np.asarray(got), expected, err_msg=str(i))


def test_known_masks_index_under_jit_and_grad() -> None:
    x = np.arange(6.0)
    mask = x % 2 == 0
    assert weft.jit(lambda x: x[mask])(x).tolist() == [0, 2, 4]
    assert weft.jit(lambda x: x[[True, False] * 3])(x).tolist() == [0, 2, 4]
    # Outside jit, the values that grad traces are at hand.
    slopes = weft.grad(lambda x: weft.sum(x[x > 2] ** 2))(x)
    assert slopes.tolist() == [0, 0, 0, 6, 8, 10]


def test_modes() -> None:
    x, i = np.arange(4.0), np.array([0, 4, -5, -1])

    @weft.jit
    def run(x: weft.Array, i: weft.Array) -> Any:
        at = x.at[i]
        return [
            at.get(), at.get(mode="fill", fill_value=-1.0), at.get(mode="drop"),
            at.get(mode="promise_in_bounds"), at.set(7.0), at.set(7.0, mode="drop"),
            at.set(7.0, mode="clip"), at.add(1.0, mode="promise_in_bounds"),
            at.add(1.0, unique_indices=True, indices_are_sorted=False),
            weft.take(x, i), weft.take(x, i, mode="clip"), weft.take(x, i, mode="wrap"),
        ]  # fmt: skip

    nan = np.nan
    want = [
        [0, 3, 0, 3], [0, -1, -1, 3], [0, nan, nan, 3], [0, 3, 0, 3], [7, 1, 2, 7],
        [7, 1, 2, 7], [7, 1, 2, 7], [2, 1, 2, 5], [1, 1, 2, 4], [0, nan, nan, 3],
        [0, 3, 0, 3], [0, 0, 3, 3],
    ]  # fmt: skip
    for got, meant in zip(run(x, i), want, strict=True):
        np.testing.assert_array_equal(np.asarray(got), meant)
    for got, meant in zip(
        run.__wrapped__(weft.asarray(x), weft.asarray(i)), want, strict=True
    ):
        np.testing.assert_array_equal(np.asarray(got), meant)
    slope = weft.grad(lambda x: weft.sum(weft.take(x, i, fill_value=0.0) * (1 + x)))
    assert slope(x).tolist() == [1, 0, 0, 7]


WRONG: dict[str, tuple[Any, str]] = {
    "too many": (lambda x: x[0, 1, 2], r"too many indices: 3 .*2 dim.*\(3, 4\)"),
    "an integer": (lambda x: x[3], r"index 3 is out of range for axis 0 of size 3"),
    "a negative one": (lambda x: x[:, -5], "index -5 is out of range for axis 1"),
    "one in at": (lambda x: x.at[3].set(0.0), "index 3 is out of range"),
    "a float": (lambda x: x[1.0], "type 'float' is no index"),
    "floats": (lambda x: x[np.array([1.0])], r"\(float64\[1\]\) is no index"),
    "text": (lambda x: x["a"], "type 'str'"),
    "two dots": (lambda x: x[..., ...], "one '...'"),
    "a slice in a list": (lambda x: x[[slice(None)]], "use a tuple"),
    "a short mask": (lambda x: x[np.ones(4, bool)], r"\(4,\) does not fit"),
    "a wide mask": (lambda x: x[np.ones((3, 4, 1), bool)], "too many indices: 3"),
    "arrays": (lambda x: x[[0, 1], [0, 1, 2]], "do not broadcast"),
    "a step": (lambda x: x[::0], "zero"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(name: str) -> None:
    function, message = WRONG[name]
    x = np.ones((3, 4))
    with pytest.raises(weft.IndexingError, match=message):
        function(weft.asarray(x))
    with pytest.raises(weft.IndexingError, match=message):
        weft.jit(function)(x)
