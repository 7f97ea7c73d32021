"""Convolutions against sums over explicit indices: geometry, groups, layouts."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft
from test_ops import SMALL_MACHINE

pytestmark = pytest.mark.thorough


@dataclass(frozen=True)
class Problem:
    """A convolution of arrays N C spatial and O I spatial, and their layouts."""

    lhs: tuple[int, ...]
    rhs: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    lhs_dilation: tuple[int, ...]
    rhs_dilation: tuple[int, ...]
    groups: tuple[int, int]
    layouts: tuple[tuple[int, ...], ...]

    def arrays(self, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
        """Whole numbers, so that sums are exact in every order."""
        random = np.random.default_rng([*self.lhs, *self.rhs])
        low = 0 if dtype.startswith(("u", "b")) else -3
        x, w = (random.integers(low, 4, s).astype(dtype) for s in (self.lhs, self.rhs))
        return _laid_out(x, self.layouts[0]), _laid_out(w, self.layouts[1])

    def ours(self, x: Any, w: Any, preferred: Any = None) -> Any:
        return weft.conv_general_dilated(
            x, w, self.strides, self.padding, self.lhs_dilation, self.rhs_dilation,
            weft.ConvDimensionNumbers(*self.layouts), *self.groups, preferred,
        )  # fmt: skip

    def oracle(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        x = np.transpose(x, self.layouts[0])
        w = np.transpose(w, self.layouts[1])
        return _laid_out(_convolved(self, x, w), self.layouts[2])


def _laid_out(x: np.ndarray, spec: tuple[int, ...]) -> np.ndarray:
    """An array whose axis i becomes axis `spec[i]`."""
    return np.transpose(x, np.argsort(spec))


def _convolved(p: Problem, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Each group by itself."""
    features, batches = p.groups
    parts = []
    for g in range(max(p.groups)):
        own = x
        if features > 1:
            own = np.split(x, features, axis=1)[g]
        if batches > 1:
            own = np.split(x, batches, axis=0)[g]
        parts.append(_summed(p, own, np.split(w, max(p.groups), axis=0)[g]))
    return np.concatenate(parts, axis=1)


def _summed(p: Problem, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Every place of the result and of the window, by the index that they mean."""
    counts = []
    for n, k, s, (low, high), a, b in zip(
        x.shape[2:], w.shape[2:], p.strides, p.padding, p.lhs_dilation,
        p.rhs_dilation, strict=True,
    ):  # fmt: skip
        room = low + (n and (n - 1) * a + 1) + high - ((k - 1) * b + 1)
        counts.append(room // s + 1 if room >= 0 else 0)
    out = np.zeros((x.shape[0], w.shape[0], *counts), x.dtype)
    for place in itertools.product(*map(range, counts)):
        for window in itertools.product(*map(range, w.shape[2:])):
            index = []
            for o, k, s, (low, _), a, b, n in zip(
                place, window, p.strides, p.padding, p.lhs_dilation, p.rhs_dilation,
                x.shape[2:], strict=True,
            ):  # fmt: skip
                at, rest = divmod(o * s + k * b - low, a)
                index.append(at if not rest and 0 <= at < n else None)
            if None not in index:
                products = x[(..., *index)] @ w[(..., *window)].T
                out[(..., *place)] += products
    return out


@st.composite
def problems(draw: Any) -> Problem:
    """Any geometry, groups and layout, of small arrays."""
    rank = draw(st.integers(0, 3))
    number = st.integers(1, 3)

    def each(numbers: Any) -> tuple[Any, ...]:
        return tuple(draw(numbers) for _ in range(rank))

    groups = draw(st.sampled_from([(1, 1), (1, 1), (2, 1), (3, 1), (1, 2), (1, 3)]))
    count = max(groups)
    inputs, batch = draw(st.integers(0, 2)), draw(st.integers(0, 2)) * groups[1]
    sizes, window = each(st.integers(0, 5)), each(number)
    edge = st.integers(-2, 3)
    layouts = tuple(
        tuple(draw(st.permutations(range(rank + 2)))) for _ in range(3)
    )  # fmt: skip
    return Problem(
        (batch, inputs * groups[0], *sizes),
        (draw(st.integers(0, 2)) * count, inputs, *window),
        each(number), each(st.tuples(edge, edge)), each(number), each(number),
        groups, layouts,
    )  # fmt: skip


@st.composite
def points(draw: Any) -> Problem:
    """Along each dimension the window has one place, or moves to one only, or the
    array has one."""
    problem = draw(problems())
    sizes, window, padding, strides, dilation = [], [], [], [], []
    for size, stride, step in zip(
        problem.lhs[2:], problem.strides, problem.rhs_dilation, strict=True
    ):
        kind = draw(st.sampled_from(["window", "result", "array"]))
        if kind == "window":
            window.append(1)
            padding.append(tuple(draw(st.integers(-2, 0)) for _ in range(2)))
        elif kind == "result":
            window.append(draw(st.integers(1, max(1, (size - 1) // step + 1))))
            extent = (window[-1] - 1) * step + 1
            low = draw(st.integers(min(0, extent - size), 0))
            padding.append((low, extent - size - low))
        else:
            size = stride = step = 1
            window.append(draw(st.integers(1, 4)))
            padding.append((window[-1] - 1,) * 2)
        sizes.append(size)
        strides.append(stride)
        dilation.append(step)
    return dataclasses.replace(
        problem, lhs=(*problem.lhs[:2], *sizes), rhs=(*problem.rhs[:2], *window),
        strides=tuple(strides), padding=tuple(padding),
        lhs_dilation=(1,) * len(window), rhs_dilation=tuple(dilation),
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.one_of(problems(), points()))
def test_convolutions(problem: Problem) -> None:
    x, w = problem.arrays()
    np.testing.assert_array_equal(problem.ours(x, w), problem.oracle(x, w))


def _sample(count: int, seed: int) -> list[Problem]:
    """Problems of all ranks with a result that has elements."""
    random = np.random.default_rng(seed)
    found: list[Problem] = []
    while len(found) < count:
        rank = len(found) % 4
        groups = [(1, 1), (2, 1), (1, 2), (3, 1)][int(random.integers(4))]

        def each(low: int, high: int, rank: int = rank) -> tuple[int, ...]:
            return tuple(int(i) for i in random.integers(low, high, rank))

        inputs = int(random.integers(1, 3))
        orders = [random.permutation(rank + 2).tolist() for _ in range(3)]
        found.append(
            Problem(
                (2 * groups[1], inputs * groups[0], *each(2, 6)),
                (2 * max(groups), inputs, *each(1, 4)),
                each(1, 3), tuple(zip(each(-1, 3), each(0, 4), strict=True)),
                each(1, 3), each(1, 3), groups, tuple(map(tuple, orders)),
            )
        )  # fmt: skip
    return [p for p in found if p.oracle(*p.arrays()).size]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float32"])
def test_convolutions_compiled(dtype: str) -> None:
    problems = _sample(16, 3)
    arguments = [p.arrays(dtype) for p in problems]
    program = weft.jit(
        lambda arguments: [
            p.ours(*args) for p, args in zip(problems, arguments, strict=True)
        ]
    )
    for p, args, got in zip(problems, arguments, program(arguments), strict=True):
        want = p.oracle(*args)
        assert got.dtype == want.dtype == dtype
        np.testing.assert_array_equal(got, want, err_msg=str(p))


def test_derivatives_and_stacks() -> None:
    problems = _sample(4, 11)[1:]
    arguments = [tuple(map(weft.asarray, p.arrays())) for p in problems]

    def results(arguments: Any) -> Any:
        return [p.ours(*args) for p, args in zip(problems, arguments, strict=True)]

    # To second order: tests/test_derivatives.py.
    weft.testing.check_grads(results, (arguments,), order=1)


def test_sums_are_of_the_dtype_that_is_asked_for() -> None:
    (problem,) = _sample(3, 3)[2:]
    x, w = (a * np.int8(20) for a in problem.arrays("int8"))
    want = problem.oracle(x.astype("int32"), w.astype("int32"))
    assert np.abs(want).max() > 2000
    for call in (problem.ours, weft.jit(problem.ours, static_argnums=2)):
        got = call(x, w, np.dtype("int32"))
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, want)


def test_gradients_of_wider_sums() -> None:
    (problem,) = _sample(3, 3)[2:]
    x, w = problem.arrays("float32")
    loss = lambda x, w: weft.sum(problem.ours(x, w, weft.float64) ** 2)  # noqa: E731
    exact = weft.grad(loss, argnums=(0, 1))(x.astype("f8"), w.astype("f8"))
    for got, want in zip(
        weft.jit(weft.grad(loss, argnums=(0, 1)))(x, w), exact, strict=True
    ):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, np.asarray(want))


# ---- layouts and words ----


def test_layouts_by_letters() -> None:
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 3, 6, 5)), random.normal(size=(4, 3, 3, 2))
    want = weft.conv_general_dilated(x, w, (2, 1), "SAME")
    for image, kernel in (("NHWC", "HWIO"), ("HWNC", "OIHW"), ("CWHN", "WIHO")):

        def axes(word: str, usual: str) -> list[int]:
            return [usual.index(letter) for letter in word]

        # Spatial axes are in the kernel's order, and so are the strides.
        letters = [i for i in kernel if i in "HW"]
        got = weft.conv_general_dilated(
            np.transpose(x, axes(image, "NCHW")),
            np.transpose(w, axes(kernel, "OIHW")),
            [{"H": 2, "W": 1}[i] for i in letters], "SAME",
            dimension_numbers=(image, kernel, image),
        )  # fmt: skip
        np.testing.assert_allclose(
            got, np.transpose(np.asarray(want), axes(image, "NCHW")), rtol=1e-12
        )
    nhwc = weft.nn.conv(
        np.moveaxis(x, 1, -1), np.transpose(w, (2, 3, 1, 0)), strides=(2, 1)
    )
    np.testing.assert_allclose(np.moveaxis(np.asarray(nhwc), -1, 1), want, rtol=1e-12)
    nchw = weft.nn.conv(x, w, strides=(2, 1), layout="NCHW")
    np.testing.assert_array_equal(nchw, want)


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("window", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_padding_by_words(size: int, window: int, stride: int) -> None:
    x, w = np.ones((1, 1, size)), np.ones((1, 1, window))
    same = weft.conv(x, w, stride, "SAME")
    assert same.shape[2] == -(-size // stride)
    lower = weft.conv(x, w, stride, "SAME_LOWER")
    np.testing.assert_array_equal(same, np.flip(np.asarray(lower), 2))
    valid = weft.conv(x, w, stride, "VALID")
    assert valid.shape[2] == max(0, (size - window) // stride + 1)
    total = max((same.shape[2] - 1) * stride + window - size, 0)
    pairs = ((total // 2, total - total // 2),)
    np.testing.assert_array_equal(same, weft.conv(x, w, stride, pairs))


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_transposed_convolution_is_the_transpose(
    padding: str, stride: int, window: int
) -> None:
    random = np.random.default_rng(window)
    y, w = random.normal(size=(2, 4, 3)), random.normal(size=(window, 5, 3))
    size = {
        "SAME": 4 * stride,
        "VALID": 3 * stride + window + max(0, stride - window),
    }[padding]

    def forward(x: Any) -> Any:
        return weft.nn.conv(x, w, strides=stride, padding=padding)

    x = random.normal(size=(2, size, 5))
    result, pullback = weft.vjp(forward, x)
    assert result.shape == y.shape
    got = weft.conv_transpose(y, w, (stride,), padding, transpose_kernel=True)
    np.testing.assert_allclose(got, pullback(y)[0], rtol=1e-9, atol=1e-12)


def test_transposed_convolution() -> None:
    x, w = np.array([1.0, 2.0, 3.0]), np.array([10.0, 1.0])
    want = np.convolve([1, 0, 2, 0, 3], w[::-1])
    args = x.reshape(1, 3, 1), w.reshape(2, 1, 1)
    got = weft.conv_transpose(*args, 2, "VALID")
    np.testing.assert_array_equal(np.ravel(got), want)
    got = weft.conv_transpose(*args, 2, ((1, 1),), rhs_dilation=1)
    np.testing.assert_array_equal(np.ravel(got), want)


# ---- sequences ----


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "float64"])
def test_sequences(name: str, dtype: str) -> None:
    random = np.random.default_rng(2)
    sizes = [(1, 1), (5, 3), (5, 2), (2, 5), (3, 3), (4, 4), (1, 3), (6, 1)]
    pairs = [tuple(random.integers(0, 3, n).astype(dtype) for n in s) for s in sizes]
    for mode in ("full", "same", "valid"):
        ours = lambda a, v, mode=mode: getattr(weft, name)(a, v, mode)  # noqa: E731
        compiled = weft.jit(lambda pairs, ours=ours: [ours(*pair) for pair in pairs])
        for pair, got in zip(pairs, compiled(pairs), strict=True):
            want = getattr(np, name)(*pair, mode)
            np.testing.assert_array_equal(got, want)
            np.testing.assert_array_equal(ours(*pair), want)
            assert got.dtype == want.dtype


@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_complex_sequences(name: str) -> None:
    a, v = np.array([1 + 2j, 3 - 1j, 2j]), np.array([1 - 1j, 2 + 3j])
    for x, y in ((a, v), (v, a)):
        for mode in ("full", "same", "valid"):
            want = getattr(np, name)(x, y, mode)
            np.testing.assert_allclose(getattr(weft, name)(x, y, mode), want)


# ---- mistakes ----

MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"lhs": (1, 2, 4)}, weft.ShapeError, "the input has 2 features, in 1 groups"),
    ({"lhs": (1, 3)}, weft.ShapeError, "as many axes"),
    ({"rhs": (2, 3, 0)}, weft.ShapeError, "the kernel has no elements"),
    ({"window_strides": (1, 1)}, weft.ShapeError, "one entry for each of 1 axes"),
    ({"window_strides": 0}, weft.ArgumentError, "must not be below 1"),
    ({"rhs_dilation": 0}, weft.ArgumentError, "must not be below 1"),
    ({"padding": "FULL"}, weft.ArgumentError, "'SAME', 'SAME_LOWER', 'VALID'"),
    ({"padding": ((1, 1), (1, 1))}, weft.ShapeError, "for each of 1 axes"),
    ({"feature_group_count": 2}, weft.ShapeError, "in 2 groups"),
    ({"batch_group_count": 3}, weft.ShapeError, "no multiple of the batch_group_count"),
    ({"feature_group_count": 0}, weft.ArgumentError, "must be positive"),
    ({"dimension_numbers": ("NCH", "OIH")}, weft.ArgumentError, "dimension_numbers"),
    ({"dimension_numbers": ("NCH", "OIH", "NCX")}, weft.ArgumentError, "'NCX'"),
    ({"preferred_element_type": "int8"}, weft.DTypeError, "cannot be summed in int8"),
]


@pytest.mark.parametrize(("changes", "error", "match"), MISTAKES)
def test_mistakes(changes: Any, error: type[Exception], match: str) -> None:
    given = {"lhs": (1, 3, 4), "rhs": (2, 3, 2), "padding": "VALID"} | changes
    x, w = np.ones(given.pop("lhs")), np.ones(given.pop("rhs"))
    with pytest.raises(error, match=match):
        weft.conv_general_dilated(x, w, **given)


def test_mistakes_of_sequences() -> None:
    with pytest.raises(weft.ShapeError, match="no elements"):
        weft.convolve(np.ones(0), np.ones(3))
    with pytest.raises(weft.ShapeError, match="takes sequences"):
        weft.correlate(np.ones((2, 2)), np.ones(3))
    with pytest.raises(weft.ArgumentError, match="mode is 'most'"):
        weft.convolve(np.ones(3), np.ones(3), "most")


# ---- sums in blocks ----

# Of a kernel's gradient, many steps are summed whose rows are neighbours; of many
# channels, a kernel that is larger than the second cache is read block by block.
LONG = [
    ((5, 23, 37, 40), (3, 3, 40, 30), 1),
    ((2, 30, 31, 64), (3, 2, 64, 83), 2),
    ((2, 9, 10, 270), (3, 3, 270, 150), 1),
    ((3, 700, 24), (5, 24, 17), 1),
    ((9, 7, 7, 100), (3, 3, 100, 70), 1),
    ((3, 5, 6, 96), (5, 4, 96, 130), 2),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("x", "w", "stride"), LONG, ids=str)
def test_sums_in_blocks(
    x: tuple[int, ...], w: tuple[int, ...], stride: int, dtype: str
) -> None:
    """For this machine and a small one, with 1, 2 and 7 threads; sums are exact."""
    random = np.random.default_rng(sum(x))
    rank = len(x) - 2
    names = {1: ("NHC", "HIO", "NHC"), 2: ("NHWC", "HWIO", "NHWC")}[rank]
    a, b = (random.integers(-2, 3, shape).astype(dtype) for shape in (x, w))

    def convolved(x: Any, w: Any) -> Any:
        return weft.conv_general_dilated(
            x, w, (stride,) * rank, "SAME", dimension_numbers=names
        )

    result = convolved(a, b)
    ct = random.integers(-2, 3, result.shape).astype(dtype)

    def function(x: Any, w: Any, ct: Any) -> list[Any]:
        value, back = weft.vjp(convolved, x, w)
        return [value, *back(ct)]

    lowered = weft.jit(function).lower(a, b, ct)
    want = lowered.interpret(a, b, ct)
    text = lowered.text("expanded", locations=False)
    small = weft.parse(text.replace("module {", SMALL_MACHINE, 1)).compile()
    before = weft.get_num_threads()
    try:
        for threads in (1, 2, 7):
            weft.set_num_threads(threads)
            for run in (weft.jit(function), small):
                for got, exact in zip(run(a, b, ct), want, strict=True):
                    np.testing.assert_array_equal(got, exact)
    finally:
        weft.set_num_threads(before)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shape", [(9, 7, 7, 64), (1, 5, 9, 40), (3, 3, 2, 5, 48)])
def test_few_rows_in_one_block(shape: tuple[int, ...], dtype: str) -> None:
    """Of a small image: with what follows, and with sums that are converted."""
    rank = len(shape) - 2
    random = np.random.default_rng(1)
    x = random.integers(-2, 3, shape).astype(dtype)
    w = random.integers(-1, 2, (3,) * rank + (shape[-1], 70)).astype(dtype)
    b = random.integers(-2, 3, 70).astype(dtype)
    lowered = weft.jit(
        lambda x, w, b: weft.maximum(weft.nn.conv(x, w, padding="SAME") + b, 0)
    ).lower(x, w, b)
    want = lowered.interpret(x, w, b)
    text = lowered.text("expanded", locations=False)
    machine = (
        "module attributes {weft.machine = {fma = true, l1_bytes = 8192 : i64, "
        "l2_bytes = 262144 : i64, share_from = 4096 : i64, vector_bytes = 32 : i64, "
        "vector_registers = 16 : i64}} {"
    )
    small = weft.parse(text.replace("module {", machine, 1)).compile()
    for run in (lowered.compile(), small):
        np.testing.assert_array_equal(run(x, w, b), want)


def stencil(x: Any, w: Any) -> Any:
    return weft.conv_general_dilated(
        x, w, 1, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


# What is added to a convolution by blocks of rows, each block its part of it; and
# states that are written over what the next block reads.
BLOCKED: dict[str, Callable[[Any, Any], Any]] = {
    "from another row": lambda x, w: stencil(x[:, 2:], w) + x[:, 1:-1],
    "every other row": lambda x, w: stencil(x[:, :12], w) + x[:, ::2],
    "backwards": lambda x, w: stencil(x, w) + x[:, ::-1],
    "columns backwards": lambda x, w: stencil(x, w) + x[:, :, ::-1],
    "rows twice": lambda x, w: stencil(x, w) + weft.repeat(x[:, :12], 2, 1),
    "halves again": lambda x, w: stencil(x, w) + weft.tile(x[:, :12], (1, 2, 1, 1)),
    "of indices": lambda x, w: (
        stencil(x, w) + weft.arange(24, dtype=x.dtype)[:, None, None]
    ),
    "in a loop": lambda x, w: weft.fori_loop(
        0, 3, lambda _, state: stencil(state, w) % 5 - 2, x
    ),
    "backwards in a loop": lambda x, w: weft.fori_loop(
        0, 3, lambda _, state: stencil(state, w) % 5 - state[:, ::-1], x
    ),
}


@pytest.mark.parametrize("dtype", [np.float32, weft.bfloat16])
@pytest.mark.parametrize("name", BLOCKED)
def test_blocks_of_rows(name: str, dtype: Any) -> None:
    random = np.random.default_rng(3)
    x = random.integers(-2, 3, (2, 24, 12, 8)).astype(dtype)
    w = random.integers(-1, 2, (3, 3, 8, 8)).astype(dtype)
    lowered = weft.jit(BLOCKED[name]).lower(x, w)
    want = lowered.interpret(x, w)
    text = lowered.text("expanded", locations=False)
    small = weft.parse(text.replace("module {", SMALL_MACHINE, 1)).compile()
    before = weft.get_num_threads()
    try:
        for threads in (1, 7):
            weft.set_num_threads(threads)
            np.testing.assert_array_equal(small(x, w), want)
    finally:
        weft.set_num_threads(before)


# ---- channels that come last ----

IMAGES = [
    # inputs, outputs, window, steps, groups
    (16, 32, 3, 2, 1),
    (3, 32, 7, 2, 1),
    (16, 32, 1, 2, 1),
    (16, 32, 1, 1, 1),
    (16, 32, 3, 1, 1),
    (64, 64, 3, 1, 4),
    (32, 64, 3, 2, 2),
]


@pytest.mark.parametrize(("inputs", "outputs", "window", "step", "groups"), IMAGES)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_images_in_each_layout(layout, inputs, outputs, window, step, groups):
    """And the gradients by both: on the way, channels may come to lie elsewhere."""
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 4, (2, inputs, 20, 20)).astype("f8")
    w = rng.integers(-4, 4, (outputs, inputs // groups, window, window)).astype("f8")
    pad = window // 2

    def conv(x, w, spec):
        return weft.conv_general_dilated(
            x, w, (step, step), ((pad, pad), (pad, pad)), dimension_numbers=spec,
            feature_group_count=groups,
        )  # fmt: skip

    # Every product, by NumPy.
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (window, window), (2, 3))
    seen = seen[:, :, ::step, ::step]
    parts = zip(np.split(seen, groups, 1), np.split(w, groups), strict=True)
    want = np.concatenate([np.einsum("nihwkl,oikl->nohw", *each) for each in parts], 1)
    cotangent = rng.integers(-4, 4, want.shape).astype("f8")
    ways = zip(np.split(cotangent, groups, 1), np.split(seen, groups, 1), strict=True)
    by_w = np.concatenate([np.einsum("nohw,nihwkl->oikl", *each) for each in ways])
    by_x = np.zeros_like(padded)
    for h in range(want.shape[2]):
        for v in range(want.shape[3]):
            at = (..., slice(h * step, h * step + window),
                  slice(v * step, v * step + window))  # fmt: skip
            own = np.split(cotangent[:, :, h, v], groups, 1)
            by_x[at] += np.concatenate(
                [np.einsum("no,oikl->nikl", c, u)
                 for c, u in zip(own, np.split(w, groups), strict=True)], 1,
            )  # fmt: skip
    by_x = by_x[..., pad : pad + 20, pad : pad + 20]

    spec = (layout, "OIHW" if layout == "NCHW" else "HWIO", layout)
    moved = (0, 1, 2, 3) if layout == "NCHW" else (0, 2, 3, 1)
    kernel = (0, 1, 2, 3) if layout == "NCHW" else (2, 3, 1, 0)
    xs = x.transpose(moved), w.transpose(kernel)

    def both(x, w, c):
        y, pullback = weft.vjp(lambda x, w: conv(x, w, spec), x, w)
        return y, *pullback(c)

    for level in (0, 2):
        got = weft.jit(both, optimization_level=level)(*xs, cotangent.transpose(moved))
        for y, exact, order in zip(
            got, (want, by_x, by_w), (moved, moved, kernel), strict=True
        ):
            np.testing.assert_array_equal(np.asarray(y), exact.transpose(order))


def test_transposed_images_in_each_layout():
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 4, (2, 16, 12, 12)).astype("f8")
    w = rng.integers(-4, 4, (16, 8, 4, 4)).astype("f8")

    def both(spec, x, w):
        def f(x, w):
            return weft.conv_transpose(x, w, (2, 2), "SAME", dimension_numbers=spec)

        y, pullback = weft.vjp(f, x, w)
        return y, *pullback(y)

    first = weft.jit(functools.partial(both, ("NCHW", "IOHW", "NCHW")))(x, w)
    last = weft.jit(functools.partial(both, ("NHWC", "HWIO", "NHWC")))(
        x.transpose(0, 2, 3, 1), w.transpose(2, 3, 0, 1)
    )
    for a, b, back in zip(
        first, last, [(0, 3, 1, 2), (0, 3, 1, 2), (2, 3, 0, 1)], strict=True
    ):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b).transpose(back))
