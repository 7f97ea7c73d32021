"""Elementwise kernels of several results: on the emulator."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft
from test_gpu_assembly import complaints, needs_ptxas

pytestmark = pytest.mark.thorough
RNG = np.random.default_rng(0)
F32 = np.float32


def adam(p: Any, m: Any, v: Any, g: Any) -> Any:
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    return p - 0.001 * m / (weft.sqrt(v) + 1e-8), m, v


def shared(x: Any, y: Any) -> Any:
    t = weft.exp(x) + weft.tanh(y)
    return t * x, t - y, weft.sqrt(t)


def numbered(x: Any, y: Any) -> Any:
    places = weft.arange(x.shape[0])
    return x * places, weft.where(places % 3 == 0, y, x), y > places


def turned(x: Any, y: Any) -> Any:
    t = weft.exp(weft.transpose(x))
    return t + y, t * y


def backwards(x: Any, y: Any) -> Any:
    return x[::-1] * y, weft.exp(y) + x, weft.exp(y) - x[::-1]


def narrow(x: Any, y: Any) -> Any:
    t = x.astype(weft.bfloat16)
    return t, t.astype(F32) * y, (y > x).astype(np.int8)


def complex_parts(x: Any, y: Any) -> Any:
    z = weft.exp(x + 1j * y)
    return z, weft.real(z), weft.imag(z) * x


PROGRAMS: dict[str, tuple[Callable[..., Any], int, list[tuple[int, ...]]]] = {
    "a step of an optimiser": (adam, 4, [(40_000,), (39_999,), (300, 130), (5, 8000)]),
    "what all need": (shared, 2, [(40_000,), (150, 259), (3,)]),
    "numbers of elements": (numbered, 2, [(40_001,)]),
    "turned": (turned, 2, [(200, 200)]),
    "backwards": (backwards, 2, [(40_000,), (200, 201)]),
    "converted": (narrow, 2, [(40_000,), (39_999,)]),
    "complex": (complex_parts, 2, [(33_000,)]),
}
CASES = [(name, shape) for name, (_, _, shapes) in PROGRAMS.items() for shape in shapes]


@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_one_launch(name: str, shape: tuple[int, ...]) -> None:
    f, count, _ = PROGRAMS[name]
    arrays = [np.abs(RNG.standard_normal(shape)).astype(F32) for _ in range(count)]
    plan = weft.jit(f).lower(*arrays, device="sm_90a").text("plan")
    assert plan.count("  launch ") == 1
    wanted = weft.jit(f)(*arrays)
    found = weft.jit(f)(*[weft.asarray(x, device="cuda-sim") for x in arrays])
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(
            np.asarray(one).astype(np.complex128),
            np.asarray(other).astype(np.complex128),
            rtol=2e-6,
            atol=1e-6,
        )


def ulps_off(found: Any, wanted: Any) -> Any:
    """Units in the last place of f32, infinite where one is no number."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    with np.errstate(all="ignore"):
        rounded = wanted.astype(F32)
        same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
        off = np.abs(found - wanted) / np.spacing(np.abs(rounded)).astype(np.float64)
    return np.where(same, 0, np.where(np.isnan(off), np.inf, off))


FUNCTIONS = {
    "exp": np.exp, "exp2": np.exp2, "tanh": np.tanh,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_by_approximations(name: str) -> None:
    # The emulated ones are as far off as they may be.
    random = RNG.integers(0, 2**32, 20_000, dtype=np.uint32).view(F32)
    moderate = [RNG.uniform(-size, size, 20_000) for size in (1e-3, 1, 10, 110, 150)]
    edges = [
        0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        88.72283,
        88.72284,
        -87.34,
        -103.97,
        -104,
    ]
    edges += [
        0.6,
        np.nextafter(F32(0.6), F32(0)),
        -0.6,
        127,
        128,
        -126,
        -149,
        -150,
        3e38,
    ]
    with np.errstate(all="ignore"):
        x = np.concatenate([random, *moderate, edges]).astype(F32)
    found = weft.jit(getattr(weft, name))(weft.asarray(x, device="cuda-sim"))
    with np.errstate(all="ignore"):
        wanted = FUNCTIONS[name](x.astype(np.float64))
    assert ulps_off(found, wanted).max() <= 4
    number = ~np.isnan(wanted)
    signs = np.signbit(np.asarray(found)) == np.signbit(wanted)
    assert signs[number].all()
    # What has an exact result has that.
    if name == "exp2":
        whole = np.arange(-149, 128, dtype=F32)
        powers = weft.jit(weft.exp2)(weft.asarray(whole, device="cuda-sim"))
        np.testing.assert_array_equal(
            np.asarray(powers), np.ldexp(F32(1), whole.astype(int))
        )


def test_donated_arrays_are_changed_in_place() -> None:
    arrays = [np.abs(RNG.standard_normal(40_000)).astype(F32) for _ in range(4)]
    wanted = weft.jit(adam)(*arrays)
    step = weft.jit(adam, donate_argnums=(0, 1, 2))
    plan = step.lower(*arrays, device="sm_90a").text("plan")
    assert plan.count("  launch ") == 1
    found = step(*[weft.asarray(x, device="cuda-sim") for x in arrays])
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=2e-6)


def test_very_many_arrays_have_several_kernels() -> None:
    arrays = [RNG.standard_normal(33_000).astype(F32) for _ in range(16)]

    def halves(*xs: Any) -> Any:
        return [x / (2 + i) for i, x in enumerate(xs)]

    plan = weft.jit(halves).lower(*arrays, device="sm_90a").text("plan")
    assert 1 < plan.count("  launch ") <= 4


@needs_ptxas
@pytest.mark.parametrize("chip", ["sm_80", "sm_90a"])
def test_nothing_is_spilled(chip: str, tmp_path: Path) -> None:
    # As many arrays as one kernel has at most.
    arrays = [np.zeros(40_000, F32)] * 12

    def steps(*xs: Any) -> Any:
        return [r for i in range(0, 12, 4) for r in adam(*xs[i : i + 4])]

    lowered = weft.jit(steps).lower(*arrays, device=chip)
    assert lowered.text("plan").count("  launch ") == 1
    assert complaints(lowered.text("ptx"), chip, tmp_path) == []
