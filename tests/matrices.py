"""Matrices on which an op of linear algebra is defined, smooth and well-conditioned.

They are of float64, or complex128 where `complex_`.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
import scipy.optimize

if TYPE_CHECKING:
    from op_cases import Case

Random = np.random.Generator
Shape = tuple[int, ...]


def normal(shape: Shape, random: Random, complex_: bool = False) -> np.ndarray:
    """Drawn elements."""
    real = np.asarray(random.normal(size=shape))
    return real + 1j * random.normal(size=shape) if complex_ else real


def adjoint(x: np.ndarray) -> np.ndarray:
    """The conjugate transpose."""
    return np.conj(np.swapaxes(x, -1, -2))


def of_singular_values(
    shape: Shape, values: np.ndarray, random: Random, complex_: bool = False
) -> np.ndarray:
    """Matrices of a shape with these singular values."""
    *stack, rows, columns = shape
    count = len(values)
    u = np.linalg.qr(normal((*stack, rows, count), random, complex_))[0]
    v = np.linalg.qr(normal((*stack, columns, count), random, complex_))[0]
    return (u * values) @ adjoint(v)


def well_conditioned(
    shape: Shape, random: Random, complex_: bool = False
) -> np.ndarray:
    """Matrices whose singular values are apart from each other and from zero."""
    count = min(shape[-2:])
    values = 1 + np.arange(count) / max(count, 1)
    return of_singular_values(shape, values, random, complex_)


def general(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Operands of an op on any matrices."""
    return [well_conditioned(shape, random, complex_) for shape in case.shapes]


def _lower_of(x: np.ndarray, random: Random) -> np.ndarray:
    """The lower triangle of a matrix, and another's upper one."""
    other = normal(x.shape, random, np.iscomplexobj(x))
    return np.tril(x) + np.triu(other, 1)


def positive(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Positive definite matrices, their upper triangle being another's."""
    root = well_conditioned(case.shapes[0], random, complex_)
    return [_lower_of(root @ adjoint(root), random)]


def symmetric(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Hermitian matrices of all signs, their upper triangle being another's."""
    shape = case.shapes[0]
    v = np.linalg.qr(normal(shape, random, complex_))[0]
    w = np.arange(shape[-1]) - 0.75
    return [_lower_of((v * w) @ adjoint(v), random)]


def apart(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Square matrices whose eigenvalues are apart from each other."""
    shape = case.shapes[0]
    v = well_conditioned(shape, random, complex_)
    return [(v * (1 + np.arange(shape[-1]))) @ np.linalg.inv(v)]


def triangular(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Matrices with a large diagonal, and right sides."""
    a, b = (normal(shape, random, complex_) for shape in case.shapes)
    return [a / 2 + 2 * np.eye(a.shape[-1]), b]


def factored(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Operands of weft.solve."""
    shape, _, _, right = case.shapes
    a = well_conditioned(shape, random, complex_)
    return factor_again([a, a, a, normal(right, random, complex_)])


def factor_again(operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Operands of weft.solve, the factors being those of the first."""
    a, _, _, b, *rest = operands
    lu = np.zeros_like(a)
    order = np.zeros(a.shape[:-1], np.int64)
    for place in np.ndindex(a.shape[:-2]):
        p, low, up = scipy.linalg.lu(a[place], p_indices=True)
        lu[place] = np.tril(low, -1) + up
        order[place] = np.argsort(p)
    return [a, lu, order, b, *rest]


def with_cutoff(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Operands of weft.pinv."""
    x = well_conditioned(case.shapes[0], random, complex_)
    return [x, np.full(case.shapes[1], 1e-3)]


def signal(case: Case, random: Random, complex_: bool) -> list[np.ndarray]:
    """Operands of a Fourier transform."""
    return [normal(shape, random, complex_) for shape in case.shapes]


# ---- vectors of which the phase is anyone's choice ----


def _phases(got: np.ndarray, want: np.ndarray) -> np.ndarray:
    """By what each column is to be multiplied to be like another."""
    products = np.sum(np.conj(got) * want, axis=-2, keepdims=True)
    sizes = np.abs(products)
    return np.where(sizes > 0, products / np.where(sizes > 0, sizes, 1), 1)


def align_unordered(
    got: Sequence[np.ndarray], want: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Eigenvalues, and vectors if there are any, in the order of others."""
    w = got[0]
    order = np.zeros(w.shape, np.int64)
    for place in np.ndindex(w.shape[:-1]):
        distances = np.abs(want[0][place][:, None] - w[place])
        finite = np.nan_to_num(distances, nan=0, posinf=0)
        order[place] = scipy.optimize.linear_sum_assignment(finite)[1]
    ordered = [np.take_along_axis(w, order, -1)]
    if len(got) == 1:
        return ordered
    vectors = np.take_along_axis(got[1], order[..., None, :], -1)
    return align_eigen([*ordered, vectors], want)


def align_eigen(
    got: Sequence[np.ndarray], want: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Eigenvalues and vectors, these with the phases of others."""
    w, v = got
    return [w, (v * _phases(v, want[1])).astype(v.dtype)]


def align_singular(
    got: Sequence[np.ndarray], want: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Singular values and vectors, these with the phases of others."""
    u, s, vh = got
    if not s.shape[-1]:
        return [u, s, vh]
    phases = _phases(u, want[0])[..., : s.shape[-1]]
    return [
        (u * phases).astype(u.dtype), s,
        (vh * np.conj(np.swapaxes(phases, -1, -2))).astype(vh.dtype),
    ]  # fmt: skip
