"""Fourier transforms against NumPy's: values, dtypes, derivatives, batching."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weft
from weft import fft
from weft.testing import check_grads

pytestmark = pytest.mark.thorough

RANDOM = np.random.default_rng(9)
REAL = RANDOM.normal(size=(3, 4, 6))
COMPLEX = REAL + 1j * RANDOM.normal(size=REAL.shape)
NORMS = (None, "backward", "ortho", "forward")
ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
TWO_AXES = ("fft2", "ifft2", "rfft2", "irfft2")
MORE_AXES = ("fftn", "ifftn", "rfftn", "irfftn")


def operand(name):
    return REAL if name.startswith(("rfft", "ihfft")) else COMPLEX


def check(name, x, *args, **options):
    """Compiled and eager transforms against NumPy's."""
    want = getattr(np.fft, name)(x, *args, **options)

    def function(x):
        return getattr(fft, name)(x, *args, **options)

    for got in (function(x), weft.jit(function)(x)):
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        scale = np.max(np.abs(want), initial=1)
        eps = np.finfo(want.dtype).eps
        np.testing.assert_allclose(np.asarray(got), want, rtol=0, atol=50 * eps * scale)


@pytest.mark.parametrize("name", ONE_AXIS)
@pytest.mark.parametrize("norm", NORMS)
def test_one_axis(name, norm):
    for axis in (-1, 0, 1):
        for n in (None, 1, 5, 8):
            check(name, operand(name), n=n, axis=axis, norm=norm)


@pytest.mark.parametrize("name", TWO_AXES)
@pytest.mark.parametrize("norm", NORMS)
def test_two_axes(name, norm):
    x = operand(name)
    check(name, x, norm=norm)
    check(name, x, (5, 4), (0, 2), norm)


@pytest.mark.parametrize("name", MORE_AXES)
@pytest.mark.parametrize("norm", NORMS)
def test_several_axes(name, norm):
    x = operand(name)
    check(name, x, norm=norm)
    check(name, x, axes=(2, 0), norm=norm)
    check(name, x, s=(5, 3, 4), axes=(0, 1, 2), norm=norm)


@settings(max_examples=10, deadline=None)
@given(
    n=st.one_of(st.integers(1, 64), st.sampled_from([97, 101, 128, 210, 211])),
    stack=st.sampled_from([(), (2,), (0,), (2, 1)]),
    single=st.booleans(),
)
def test_any_length(n, stack, single):
    x = RANDOM.normal(size=(*stack, n)) + 1j * RANDOM.normal(size=(*stack, n))
    real, x = (x.real.astype("f4"), x.astype("c8")) if single else (x.real, x)
    check("fft", x)
    check("ifft", x)
    check("rfft", real)
    check("irfft", x, n=n)


def test_dtypes():
    assert fft.fft(np.ones(2, "f4")).dtype == np.complex64
    assert fft.rfft(np.ones(2, "f4")).dtype == np.complex64
    assert fft.fft(np.ones(2)).dtype == np.complex128
    assert fft.irfft(np.ones(2, "c8")).dtype == np.float32
    assert fft.fft(np.arange(4)).dtype == np.complex64
    assert fft.fft(weft.ones(4, dtype=weft.bfloat16)).dtype == np.complex64


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies_and_shifts(n):
    for name in ("fftfreq", "rfftfreq"):
        got = getattr(fft, name)(n, 0.5)
        assert got.dtype == np.float32
        np.testing.assert_allclose(np.asarray(got), getattr(np.fft, name)(n, 0.5))
    assert fft.fftfreq(n, dtype=np.float64).dtype == np.float64
    x = np.arange(3 * n).reshape(3, n)
    for name in ("fftshift", "ifftshift"):
        for axes in (None, 0, (0, 1)):
            got = getattr(fft, name)(x, axes)
            np.testing.assert_array_equal(
                np.asarray(got), getattr(np.fft, name)(x, axes)
            )


@pytest.mark.parametrize("name", [*ONE_AXIS, "fftn", "rfftn", "irfftn"])
@pytest.mark.parametrize("size", [4, 5])
def test_derivatives(name, size):
    x = operand(name)[0, :3, :size]
    check_grads(getattr(fft, name), (x,), 2, atol=1e-4, rtol=1e-4)


def test_gradient_of_a_power_spectrum():
    def power(x):
        return weft.sum(weft.abs(fft.fft(x)) ** 2)

    # Parseval: the sum is n times that of x * x.
    got = weft.jit(weft.grad(power))(REAL[0, 0])
    np.testing.assert_allclose(np.asarray(got), 2 * 6 * REAL[0, 0])


def test_vmap():
    got = weft.jit(weft.vmap(fft.rfft, in_axes=1))(REAL[0])
    np.testing.assert_allclose(np.asarray(got), np.fft.rfft(REAL[0].T))
    got = weft.vmap(lambda x: fft.irfft(x, 9))(COMPLEX[0])
    np.testing.assert_allclose(np.asarray(got), np.fft.irfft(COMPLEX[0], 9))


def test_not_finite():
    x = np.array([1.0, np.inf, np.nan, 0.0])
    for run in (fft.fft, weft.jit(fft.fft)):
        assert np.isnan(np.asarray(run(x))).all()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: fft.rfft(COMPLEX), "takes real numbers"),
        (lambda: fft.fft(COMPLEX, 0), "cannot be transformed"),
        (lambda: fft.fft(COMPLEX, norm="no"), "norm"),
        (lambda: fft.fft(COMPLEX, axis=3), "axis"),
        (lambda: fft.fftn(COMPLEX, (1, 2), (0,)), "different lengths"),
        (lambda: fft.irfft(np.ones(1)), "cannot be transformed"),
    ],
)
def test_mistakes(mistake, message):
    with pytest.raises(weft.WeftError, match=message):
        mistake()


@pytest.mark.parametrize("name", ["rfftn", "irfftn", "fftn"])
def test_sizes_and_axes_as_numpy_takes_them(name):
    """-1 for a whole axis, and an axis that is named twice."""
    x = RANDOM.normal(size=(3, 4))
    x = x.astype("c16") if name != "rfftn" else x
    for options in ({"s": (3, -1)}, {"s": (-1, 5)}, {"axes": (0, 0)}):
        axes = options.get("axes", (0, 1))
        want = getattr(np.fft, name)(x, **{"axes": axes, **options})
        got = getattr(fft, name)(x, **options)
        np.testing.assert_allclose(np.asarray(got), want, rtol=1e-12, atol=1e-12)
