"""The kernels of `Spectral.cpp`, by cuSOLVER on a GPU: all but eig and eigvals."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .calls import LOWER, RIGHT, C, Call, Pointers, Stack

# ---- eigenvalues ----

_NO_EIGENVALUES: Final = "has eigenvalues that did not converge"
_NO_SINGULAR_VALUES: Final = "has singular values that did not converge"


def _eigen(call: Call, numbers: Sequence[int], x: int, w: int, v: int | None) -> None:
    count, n = numbers
    if not count * n:
        return
    made = call.turned(x, count, n, n)
    how = 0 if v is None else 1, LOWER, n
    lwork = call.work_size(call.eigen, *how, made.pointer, made.ld, w)
    work, infos = call.elements(lwork), call.bytes(4 * count)
    real = call.kind.real.itemsize
    for k in range(count):
        call.lapack(
            call.eigen, *how, made.at(k), made.ld, w + k * n * real, work, lwork,
            infos + 4 * k,
        )  # fmt: skip
    if v is not None:
        call.turned_back(made, v, count, n, n)
    _check_values(call, infos, w, count, n, _NO_EIGENVALUES)


def _check_values(
    call: Call, infos: int, values: int, count: int, each: int, reason: str
) -> np.ndarray:
    """Values on the host; of NaN there are none, whatever a library says of them."""
    found = call.read(values, (count, each), call.kind.real)
    fails = call.read(infos, (count,), np.int32) != 0
    call.check(fails | np.isnan(found).any(axis=1), reason)
    return found


def eigh(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    _eigen(call, numbers, ins[0], outs[0], outs[1])


def eigvalsh(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    _eigen(call, numbers, ins[0], outs[0], None)


# ---- singular values ----


@dataclass(frozen=True, slots=True)
class Tall:
    """Matrices of no more columns than rows: those given, or their transposes.

    The latter are what the libraries see in wide matrices, as these are.
    """

    x: Stack
    m: int
    n: int


def _tall(call: Call, x: int, count: int, rows: int, columns: int) -> Tall:
    if rows >= columns:
        return Tall(call.turned(x, count, rows, columns), rows, columns)
    size = rows * columns
    return Tall(call.stack(call.copied(x, count * size), columns, size), columns, rows)


def _singular(
    call: Call, tall: Tall, count: int, s: int, u: Stack, vt: Stack, jobs: str
) -> np.ndarray:
    """Computes singular values `s`, and vectors where asked; the values on the host."""
    x, m, n = tall.x, tall.m, tall.n
    lwork = call.work_size("gesvd", m, n)
    work, rest = call.elements(lwork), call.elements(n)
    infos, real = call.bytes(4 * count), call.kind.real.itemsize
    for k in range(count):
        call.lapack(
            "gesvd", *map(ord, jobs), m, n, x.at(k), x.ld, s + k * n * real, u.at(k),
            u.ld, vt.at(k), vt.ld, work, lwork, rest, infos + 4 * k,
        )  # fmt: skip
    return _check_values(call, infos, s, count, n, _NO_SINGULAR_VALUES)


def svd(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    count, rows, columns, full = numbers
    (x,), (left, s, right) = ins, outs
    if not count * rows * columns:
        if full:
            call.write_units(left, count, rows)
            call.write_units(right, count, columns)
        return
    tall = _tall(call, x, count, rows, columns)
    m, n = tall.m, tall.n
    width, jobs = (m, "AA") if full else (n, "SS")
    if rows < columns:
        # x^T = U S V^H is x = conj(V) S U^T: in row-major order, V^H and U as they are.
        u, vt = call.stack(right, m, m * width), call.stack(left, n, n * n)
        _singular(call, tall, count, s, u, vt, jobs)
        return
    u, vt = call.beside(count, m, width), call.beside(count, n, n)
    _singular(call, tall, count, s, u, vt, jobs)
    call.turned_back(u, left, count, m, width)
    call.turned_back(vt, right, count, n, n)


def svdvals(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    count, rows, columns = numbers
    if not count * rows * columns:
        return
    tall = _tall(call, ins[0], count, rows, columns)
    u, vt = call.stack(tall.x.pointer, tall.m, 0), call.stack(tall.x.pointer, tall.n, 0)
    _singular(call, tall, count, outs[0], u, vt, "NN")


def pinv(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    # V s^-1 U^H. Of a wide matrix's transpose it is the transpose of what is wanted,
    # so in row-major order it is that.
    count, rows, columns = numbers
    (x, cutoff), (result,) = ins, outs
    if not count * rows * columns:
        return
    tall = _tall(call, x, count, rows, columns)
    m, n = tall.m, tall.n
    u, vt = call.beside(count, m, n), call.beside(count, n, n)
    s = call.bytes(count * n * call.kind.real.itemsize)
    values = _singular(call, tall, count, s, u, vt, "SS")
    least = call.read(cutoff, (count, 1), call.kind.real) * values[:, :1]
    with np.errstate(divide="ignore"):
        inverses = np.where(values > least, 1 / values, 0).astype(call.kind.dtype)
    scales = call.stack(call.upload(inverses), 0, n)
    is_wide = rows < columns
    made = call.stack(result, n, n * m) if is_wide else call.beside(count, n, m)
    one, zero = call.scalar(1), call.scalar(0)
    for k in range(count):
        a = u.at(k)
        call.blas("dgmm", RIGHT, m, n, a, u.ld, scales.at(k), 1, a, u.ld)
        call.blas(
            "gemm_v2", C, C, n, m, n, one, vt.at(k), vt.ld, a, u.ld, zero, made.at(k),
            made.ld,
        )  # fmt: skip
    if not is_wide:
        call.turned_back(made, result, count, n, m)
