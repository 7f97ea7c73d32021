"""The programs of the bundle that call routines: what cuSOLVER and cuFFT must give.

Bases that are not unique are checked by what they are: that they are orthonormal, and
that the factors have the product that they should.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import weft
from programs import Array, Checked
from weft import fft, linalg

FAMILY = "linear algebra"
DTYPES = {"float32": 2e-4, "float64": 1e-11, "complex64": 2e-4, "complex128": 1e-11}
# One matrix, a stack, and more rows than are factored together.
SQUARES = ((40, 40), (5, 12, 12), (2, 150, 150))
RECTANGLES = ((40, 40), (30, 50), (50, 30), (3, 9, 4), (3, 4, 9))

Values = tuple[Any, ...]


def adjoint(x: Any) -> Any:
    """The conjugate transpose."""
    return weft.conj(weft.swapaxes(x, -1, -2))


def gram(x: Any) -> Any:
    """The unit matrix, of orthonormal columns."""
    return weft.matmul(adjoint(x), x)


def regular(x: Any) -> Any:
    """A matrix that is well-conditioned, of pivots that are not its diagonal."""
    n = x.shape[-1]
    return weft.flip(weft.eye(n, dtype=x.dtype), axis=0) * (2 * n**0.5) + x


def positive(x: Any) -> Any:
    """A positive definite matrix."""
    n = x.shape[-1]
    return weft.matmul(x, adjoint(x)) / n + weft.eye(n, dtype=x.dtype)


def factors(x: Any) -> Values:
    """Both of Cholesky's, of which one is read."""
    return linalg.cholesky(positive(x)), linalg.cholesky(positive(x), upper=True)


def solutions(x: Any, b: Any) -> Values:
    """Of equations, of their transposes, of one right side, and inverses."""
    a, n = regular(x), x.shape[-1]
    columns, scaled = weft.arange(n), x / n**0.5
    return (
        linalg.solve(a, b),
        linalg.solve(weft.swapaxes(a, -1, -2), b),
        linalg.solve(a, b[..., :1]),
        linalg.inv(a),
        linalg.det(positive(x) / 2),
        linalg.det(weft.where(columns == 0, 0, scaled)),
        linalg.det(weft.where(columns == n // 2, 0, scaled)),
    )


def slopes(x: Any, b: Any) -> Any:
    """The derivative of solutions, which solves the transposed equations."""

    def total(x: Any) -> Any:
        return weft.sum(weft.square(weft.abs(linalg.solve(regular(x), b))))

    return weft.grad(total)(x)


def triangles(x: Any, b: Any) -> Values:
    """Triangular equations of all kinds."""
    a = x / x.shape[-1] + weft.eye(x.shape[-1], dtype=x.dtype)
    return tuple(
        linalg.solve_triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit)
        for trans in (0, 1, 2)
        for lower in (False, True)
        for unit in (False, True)
    )


def orthogonal(x: Any) -> Values:
    """Of QR: the product, and that the columns are orthonormal."""
    found: list[Any] = []
    for mode in ("reduced", "complete"):
        q, r = linalg.qr(x, mode=mode)
        found += [weft.matmul(q, r), gram(q), weft.abs(r)]
    return tuple(found)


def singular(x: Any) -> Values:
    """Of singular values: they, the product, and that the vectors are orthonormal."""
    found: list[Any] = [linalg.svdvals(x), linalg.pinv(x)]
    k = min(x.shape[-2:])
    for full in (False, True):
        u, s, vh = linalg.svd(x, full_matrices=full)
        product = weft.matmul(u[..., :k] * s[..., None, :], vh[..., :k, :])
        found += [s, product, gram(u), gram(adjoint(vh))]
    return tuple(found)


def spectral(x: Any) -> Values:
    """Of eigenvalues: they, the product, and that the vectors are orthonormal."""
    a = positive(x)
    w, v = linalg.eigh(a)
    product = weft.matmul(v * w[..., None, :], adjoint(v))
    return w, product, gram(v), linalg.eigvalsh(a)


def transforms(x: Any) -> Values:
    """Of complex numbers, along each axis, there and back."""
    return tuple(
        each(x, axis=axis) for axis in range(x.ndim) for each in (fft.fft, fft.ifft)
    )


def real_transforms(x: Any) -> Values:
    """Of real numbers, along each axis, there, and back from what is not symmetric."""
    found: list[Any] = []
    for axis in range(x.ndim):
        half = fft.rfft(x, axis=axis)
        found += [half, fft.irfft(half * (1 + 2j), n=x.shape[axis], axis=axis)]
    return tuple(found)


def _checked(
    name: str, function: Callable[..., Any], arguments: Sequence[Array]
) -> dict[str, Checked]:
    tolerance = DTYPES[arguments[0].dtype]
    size = "x".join(map(str, arguments[0].shape))
    key = f"{name}_{arguments[0].dtype}_{size}"
    return {key: Checked(function, arguments, tolerance, FAMILY)}


def checked() -> dict[str, Checked]:
    """What is checked, by name."""
    made: dict[str, Checked] = {}
    for dtype in DTYPES:
        for shape in SQUARES:
            x, b = Array(shape, dtype), Array((*shape[:-1], 7), dtype)
            made |= _checked("cholesky", factors, [x])
            made |= _checked("solve", solutions, [x, b])
            made |= _checked("triangular_solve", triangles, [x, b])
            made |= _checked("eigh", spectral, [x])
        for shape in RECTANGLES:
            made |= _checked("qr", orthogonal, [Array(shape, dtype)])
            made |= _checked("svd", singular, [Array(shape, dtype)])
        real = not dtype.startswith("complex")
        name = "rfft" if real else "fft"
        for shape in ((6, 7, 5), (64, 30), (1, 210)):
            function = real_transforms if real else transforms
            made |= _checked(name, function, [Array(shape, dtype)])
    for dtype in ("float32", "float64"):
        x = Array((5, 12, 12), dtype)
        made |= _checked("grad_solve", slopes, [x, Array((5, 12, 7), dtype)])
    return made
