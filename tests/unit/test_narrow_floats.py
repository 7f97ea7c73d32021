"""Floats of 16 and of 8 bits: what they are computed in, and what is done with them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import weft
from weft.dtypes import MLIR_NAMES, is_kind, is_narrow, limits, rounded

pytestmark = pytest.mark.thorough

FLOAT8 = [dtype for dtype in MLIR_NAMES if is_kind(dtype, "float8")]
NARROW = [dtype for dtype in MLIR_NAMES if is_narrow(dtype)]
HALVES = [weft.float16, weft.bfloat16]


def every_way(function: Callable[..., Any], *xs: np.ndarray) -> list[np.ndarray]:
    """A function's value compiled, interpreted, and op by op."""
    jitted = weft.jit(function)
    results = [jitted(*xs), jitted.interpret(*xs), function(*map(weft.asarray, xs))]
    return [np.asarray(result) for result in results]


# ---- what is computed in which dtype ----


def test_float64_is_never_narrowed() -> None:
    """No op of float64, no function and no derivative computes in fewer bits."""
    x = np.linspace(0.1, 0.9, 12).reshape(3, 4)
    key = weft.random.key(0)
    functions = [
        weft.mean, weft.var, weft.std, weft.nn.softmax, weft.nn.relu, weft.erfinv,
        weft.nn.logsumexp, weft.linalg.vector_norm, weft.prod, weft.cumsum, weft.sort,
        lambda x: x @ x.T, lambda x: weft.pow(x, 2.5) + weft.log1p(x) * 3,
        lambda x: weft.where(x > 0.5, x, 0.25), lambda x: x.at[0].add(0.1),
        lambda x: x * weft.asarray(0.1, dtype=float), lambda x: x * 0.1,
        lambda x: x + weft.linspace(0.0, 1.0, 4, dtype=weft.float64),
        lambda x: weft.random.normal(key, x.shape, x.dtype) * x,
        lambda x: weft.scan(lambda c, row: (c * row, c), x[0], x)[1],
    ]  # fmt: skip

    def everything(x: Any) -> Any:
        return tuple(weft.sum(function(x)) for function in functions)

    def derivative(x: Any) -> Any:
        return weft.grad(lambda x: sum(everything(x)))(x)

    for function in (everything, derivative):
        text = weft.jit(function).lower(x).text("linalg", locations=False)
        assert "xf64>" in text
        assert re.findall(r"\b(?:b?f16|f32)\b", text) == []


@pytest.mark.parametrize("obj", [0.1, [0.1, 2], [[0.1], [1]]], ids=str)
def test_python_floats_become_float64_at_once(obj: Any) -> None:
    for got in every_way(lambda: weft.asarray(obj, dtype=weft.float64)):
        assert got.flat[0] == 0.1


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_halves_accumulate_in_float32(dtype: np.dtype[Any]) -> None:
    many = np.ones(3000, dtype)  # in 16 bits a sum of ones ends at 2048, or at 256
    last = np.asarray(3000.0).astype(dtype)
    ones, column = many.reshape(1, -1), many.reshape(-1, 1)
    places = np.zeros(3000, np.int64)

    def accumulated(x: Any) -> Any:
        product = weft.asarray(np.where(np.arange(3000) < 2, 300.0, 1.0).astype(dtype))
        tiny = weft.asarray(np.where(np.arange(3000) < 2, 1 / 256, 1.0).astype(dtype))
        return (
            weft.sum(x),
            weft.cumsum(x)[-1],
            weft.matmul(ones, column)[0, 0],
            weft.vecdot(x, x),
            weft.zeros(1, dtype=dtype).at[places].add(x)[0],
            weft.linear_recurrence(x, x)[-1],
            weft.mean(x) * 3000,
            # In 16 bits 300 * 300 is infinite.
            weft.prod(product * tiny) * 0 + last,
        )

    for results in (weft.jit(accumulated)(many), weft.jit(accumulated).interpret(many)):
        assert [float(r) for r in results] == [float(last)] * 8


def test_products_of_halves_do_not_overflow_on_the_way() -> None:
    x = np.array([300.0, 300.0, 1 / 256, 1 / 256, 1.5], "f2")
    for got in every_way(weft.prod, x):
        assert got == np.float16(90000 / 65536 * 1.5)
    y = np.full(70000, 2, "f2")
    for got in every_way(weft.mean, y):
        assert got == 2
    for got in every_way(weft.std, np.array([0, 1000, 0, 1000], "f2")):
        assert got == 500


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_one_element_is_computed_in_float32(dtype: np.dtype[Any]) -> None:
    x = np.arange(2**16).astype("u2").view(dtype)
    with np.errstate(all="ignore"):
        wide = x.astype("f4")
    for function in (weft.exp, weft.sin, lambda x: x * 3.0, weft.rsqrt, weft.erfinv):
        with np.errstate(all="ignore"):
            want = np.asarray(weft.jit(function)(wide)).astype(dtype).astype("f4")
        got = np.asarray(weft.jit(function)(x)).astype("f4")
        np.testing.assert_array_equal(got, want)


# ---- float8 is stored ----

ARITHMETIC: dict[str, Callable[[Any], Any]] = {
    "+": lambda x: x + x, "* 2.0": lambda x: x * 2.0, "-": lambda x: -x,
    "sin": weft.sin, "sum": weft.sum, "mean": weft.mean, "var": weft.var,
    "max": weft.max, "cumsum": weft.cumsum, "matmul": lambda x: x @ x,
    "<": lambda x: x < x, "isnan": weft.isnan, "at.add": lambda x: x.at[0].add(x[0]),
    "vector_norm": weft.linalg.vector_norm, "norm": weft.linalg.norm,
    "histogram": weft.histogram, "avg_pool": lambda x: weft.nn.avg_pool(x, (1,)),
    "softmax": weft.nn.softmax, "iota": lambda x: weft.iota((2,), 0, x.dtype),
    "with another": lambda x: weft.where(True, x, weft.ones(3)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOAT8, ids=str)
@pytest.mark.parametrize("name", ARITHMETIC)
def test_float8_does_not_compute(name: str, dtype: np.dtype[Any]) -> None:
    x = weft.ones(3, dtype=dtype)
    for function in (ARITHMETIC[name], weft.jit(ARITHMETIC[name])):
        with pytest.raises(weft.DTypeError, match=r"astype"):
            function(x)


@pytest.mark.parametrize("dtype", FLOAT8, ids=str)
def test_float8_moves_and_is_compared(dtype: np.dtype[Any]) -> None:
    x = np.array([[1.5, -2.0, 0.0], [math.nan, 448.0, -0.0]]).astype(dtype)
    moved = {
        "reverse": (lambda x: x[::-1], x[::-1]),
        "take": (lambda x: x[:, np.array([2, 0, 2])], x[:, [2, 0, 2]]),
        "set": (lambda x: x.at[0, 1].set(1.0), None),
        "concatenate": (lambda x: weft.concat([x, x]), np.concatenate([x, x])),
        "where": (lambda x: weft.where(x == x, x, 0.5), None),
        "bits": (lambda x: weft.bitcast(x, weft.uint8), x.view("u1")),
        "transpose": (lambda x: x.T, x.T),
        "loop": (
            lambda x: weft.fori_loop(0, 3, lambda i, x: x[:, ::-1], x),
            x[:, ::-1],
        ),
    }
    for name, (function, want) in moved.items():
        results = every_way(function, x)
        want = results[-1] if want is None else want
        for got in results:
            assert got.dtype == want.dtype, name
            assert (got.view("u1") == want.view("u1")).all(), name
    for got in every_way(lambda x: x == x, x):
        np.testing.assert_array_equal(got, [[True] * 3, [False, True, True]])
    batched = weft.vmap(lambda x: x.at[0].set(1.0))
    for got in every_way(batched, x):
        assert (got[:, 0].astype("f4") == 1).all()


def test_float8_has_no_derivative() -> None:
    with pytest.raises(weft.TransformError, match="only floats and complex"):
        weft.grad(lambda x: weft.sum(x.astype("f4")))(
            weft.ones(2, dtype=weft.float8_e5m2)
        )
    through = weft.grad(lambda x: weft.sum(x.astype("float8_e5m2").astype("float32")))
    np.testing.assert_array_equal(np.asarray(through(np.ones(2, "f4"))), [0, 0])


# ---- arrays of narrow floats ----


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_arrays_of_narrow_floats(dtype: np.dtype[Any]) -> None:
    x = weft.asarray([[1.5, 2.0], [-0.5, 0.0]], dtype=dtype)
    assert repr(x).endswith(f"dtype={dtype})")
    assert "1.5" in repr(x)
    assert x[0, 0].item() == 1.5 == float(x[0, 0])
    assert int(x[0, 1]) == 2 == complex(x[0, 1]).real
    assert bool(x[0, 0])
    assert np.asarray(x).dtype == dtype
    assert np.asarray(x, np.float32).tolist() == [[1.5, 2.0], [-0.5, 0.0]]
    assert weft.asarray(np.asarray(x)).dtype == dtype
    assert weft.full((2,), 1.5, dtype=dtype).dtype == dtype
    assert weft.zeros_like(x).dtype == dtype
    assert weft.jit(lambda x: x)(np.asarray(x)).dtype == dtype
    spec = weft.ShapeDtypeStruct((2,), dtype)
    assert str(spec) == f"{dtype}[2]"


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_constants_of_narrow_floats_are_text(dtype: np.dtype[Any]) -> None:
    with np.errstate(all="ignore"):
        some = np.array([1.5, -0.0, math.nan, 0.25, math.inf]).astype(dtype)
    for value in (
        some,
        some[:1],
        some[0],
        some[:0],
        np.full((2, 3), 1.5).astype(dtype),
    ):
        array = weft.asarray(value)
        lowered = weft.jit(lambda array=array: weft.reshape(array, (-1,))).lower()
        want = np.asarray(value).reshape(-1)
        program = weft.parse(lowered.text())
        for got in (lowered.compile()(), program.compile()(), program.interpret()):
            bits = f"u{dtype.itemsize}"
            assert (np.asarray(got).view(bits) == want.view(bits)).all()


def test_derivatives_of_halves_do_not_overflow_on_the_way() -> None:
    for function in (weft.max, weft.min):  # 70,000 ties
        for got in every_way(weft.grad(function), np.zeros(70000, "f2")):
            assert (got == np.float16(1 / 70000)).all()
    x = np.array([300.0, 300.0, 1 / 256, 1 / 256], "f2")
    want = (90000 / 65536 / x.astype("f8")).astype("f2")
    for got in every_way(weft.grad(weft.prod), x):
        np.testing.assert_array_equal(got, want)
    moved = weft.jvp(weft.prod, (x,), (x,))[1]
    assert float(moved) == np.float16(4 * 90000 / 65536)


class Older:
    """A library that knows DLPack as it was before version 1."""

    def __init__(self, array: weft.Array) -> None:
        self._array = array

    def __dlpack__(self) -> Any:
        return self._array.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_dlpack_of_narrow_floats(dtype: np.dtype[Any]) -> None:
    x = weft.asarray(np.arange(12).astype("f4").astype(dtype).reshape(3, 4)[:, ::2])
    for source in (x, Older(x)):
        y = weft.from_dlpack(source)
        assert y.dtype == dtype
        assert (np.asarray(y) == np.asarray(x)).all()
    assert np.shares_memory(np.asarray(weft.from_dlpack(x)), np.asarray(x))
    assert weft.from_dlpack(x[0, 1]).item() == 2
    if dtype != weft.float16:
        # The capsule says what it holds, which NumPy knows nothing of.
        with pytest.raises((BufferError, RuntimeError)):
            np.from_dlpack(x)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_arithmetic_of_halves_is_rounded_correctly(dtype: np.dtype[Any]) -> None:
    random = np.random.default_rng(5)
    x, y = random.integers(0, 2**16, (2, 2**18), np.uint16).view(dtype)
    # Operands of like size too, whose sums and quotients are near half way.
    y[::2] = (x.view("u2") ^ random.integers(0, 2**9, 2**18, np.uint16)).view(dtype)[
        ::2
    ]

    def arithmetic(x: Any, y: Any) -> Any:
        return x + y, x - y, x * y, x / y, weft.sqrt(x), weft.square(y)

    with np.errstate(all="ignore"):
        exact = arithmetic(*(weft.asarray(v.astype("f8")) for v in (x, y)))
        for got, wide in zip(weft.jit(arithmetic)(x, y), exact, strict=True):
            want = rounded(np.asarray(wide), dtype)
            same = np.asarray(got).view("u2") == want.view("u2")
            nan = np.isnan(want.astype("f4"))
            assert (same | nan).all()
            assert np.isnan(np.asarray(got).astype("f4"))[nan].all()


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_derivatives_of_halves(dtype: np.dtype[Any]) -> None:
    x = weft.asarray([0.5, 1.5, -2.0], dtype=dtype)
    gradient = weft.grad(lambda x: weft.sum(weft.sin(x) * x))(x)
    assert gradient.dtype == dtype
    weft.testing.check_grads(lambda x: weft.sum(weft.sin(x) * x), (x,))
    weft.testing.check_grads(lambda x: weft.nn.softmax(x), (x,), order=1)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_loops_carry_halves(dtype: np.dtype[Any]) -> None:
    x = np.array([1.5, 2.0, 0.5], dtype)

    def loops(x: Any) -> Any:
        total, seen = weft.scan(lambda c, x: (c + x, c * x), x[0], x)
        grown = weft.while_loop(lambda c: c < 100, lambda c: c * 2.5, x[1])
        return total, seen, grown

    for compiled, meant in zip(
        weft.jit(loops)(x), weft.jit(loops).interpret(x), strict=True
    ):
        assert compiled.dtype == dtype
        np.testing.assert_array_equal(np.asarray(compiled), np.asarray(meant))


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_random_numbers_of_16_bits(dtype: np.dtype[Any]) -> None:
    key, count = weft.random.key(3), (4096,)
    info = limits(dtype)
    uniform = np.asarray(weft.random.uniform(key, count, dtype)).astype("f8")
    assert uniform.min() == 0
    assert 1 - 2.0 ** (2 - info.nmant) < uniform.max() <= 1 - 2.0**-info.nmant
    assert len(np.unique(uniform)) > 0.9 * 2**info.nmant
    for draw in (weft.random.normal, weft.random.exponential, weft.random.gumbel,
                 weft.random.laplace):  # fmt: skip
        got = draw(key, count, dtype)
        want = weft.astype(draw(key, count), dtype)
        assert got.dtype == dtype
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
    held = weft.random.truncated_normal(key, -0.5, 1.0, count, dtype)
    assert bool(weft.all((held > -0.5) & (held < 1.0)))
    assert 0.24 < float(weft.mean(weft.random.bernoulli(
        key, weft.asarray(0.25, dtype=dtype), count))) < 0.26  # fmt: skip


def test_questions_about_narrow_floats() -> None:
    assert weft.finfo(weft.float16).max == 65504
    assert float(weft.finfo(weft.bfloat16).eps) == 2.0**-7
    assert float(weft.finfo(weft.float8_e4m3fn).max) == 448
    assert weft.finfo(weft.ones(1, dtype="float8_e5m2")).bits == 8
    for dtype in NARROW:
        assert weft.isdtype(dtype, "real floating")
        assert weft.isdtype(dtype, ("bool", "numeric"))
        assert weft.isdtype(dtype, dtype)
        assert not weft.isdtype(dtype, "integral")
    assert weft.can_cast(weft.bfloat16, weft.float32)
    assert weft.can_cast(weft.int8, weft.bfloat16)
    assert not weft.can_cast(weft.float32, weft.bfloat16)
    assert not weft.can_cast(weft.float16, weft.bfloat16)
    assert not weft.can_cast(weft.float8_e5m2, weft.float32)
    with pytest.raises(weft.DTypeError, match=r"float8_e5m2 .* convert it"):
        weft.result_type(weft.float8_e5m2, weft.float32)
    for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        assert getattr(weft, name) == np.dtype(getattr(ml_dtypes, name))


# ---- processors without instructions for halves ----


def test_halves_need_no_instructions(tmp_path: Path) -> None:
    program = tmp_path / "halves.py"
    program.write_text(
        "import numpy as np, weft\n"
        "to = (weft.float16, weft.bfloat16, weft.float8_e4m3fn, weft.float8_e5m2)\n"
        "x = np.concatenate([np.arange(2**16).astype('u2').view('f2').astype('f8'),\n"
        "                    np.random.default_rng(0).normal(size=999) * 1e-5])\n"
        "f = weft.jit(lambda x: tuple(x.astype(t).astype('f8') for t in to)\n"
        "             + (weft.sum(weft.sin(x.astype('f2')[1024:2048])),))\n"
        "for got, want in zip(f(x), f.interpret(x), strict=True):\n"
        "    got, want = np.asarray(got, 'f8'), np.asarray(want, 'f8')\n"
        "    np.testing.assert_allclose(got, want, 1e-3 * (got.ndim == 0))\n"
        "print(weft._weft.host_cpu())\n"
    )
    done = subprocess.run(
        [sys.executable, program],
        env=os.environ | {"WEFT_CPU": "generic"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "('generic', '')\n"
