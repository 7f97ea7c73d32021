"""The kernels of `Factor.cpp`, by cuSOLVER and cuBLAS on a GPU."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final

import numpy as np

from .calls import LEFT, LOWER, RIGHT, UPPER, Call, N, Pointers, Stack, T
from .routines import NO_ORDER, are_no_orders

# Up to so many rows, cuBLAS factors all matrices of a stack together.
_TOGETHER: Final = 128


def cholesky(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    # The lower triangle is the upper one of the transpose, of which U^H U are the
    # factors: U^T is L.
    count, n = numbers
    (x,), (result,) = ins, outs
    if not count * n:
        return
    made = call.stack(call.copied(x, count * n * n), n, n * n)
    infos = call.bytes(4 * count)
    if count > 1:
        pointers = call.upload(made.addresses(count))
        call.lapack("potrfBatched", UPPER, n, pointers, n, infos, count)
    else:
        size = call.work_size("potrf", UPPER, n, made.pointer, n)
        work = call.elements(size)
        call.lapack("potrf", UPPER, n, made.pointer, n, work, size, infos)
    call.clear(result, count * n * n)
    target, packed = call.stack(result, n, n * n), call.elements(n * (n + 1) // 2)
    for k in range(count):
        call.copy_triangle(UPPER, n, made.at(k), n, target.at(k), n, packed)
    fails = call.read(infos, (count,), np.int32)
    for k in np.flatnonzero(fails).tolist():
        # Where it met a NaN there is a result: that.
        step = int(fails[k]) - 1
        pivot = made.at(k, step) + step * made.itemsize
        if np.isnan(call.read(pivot, (), call.kind.dtype)):
            call.write(target.at(k), np.full(n * n, np.nan, call.kind.dtype))
            fails[k] = 0
    call.check(fails != 0, "is not positive definite")


def triangular_solve(
    call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers
) -> None:
    # The libraries see the transposes of all: y^T a^T = b^T, and a^T y^T = b^T where
    # y a = b.
    count, rows, columns, right, upper, transposed, unit = numbers
    (a, b), (result,) = ins, outs
    size, elements = (columns if right else rows), rows * columns
    if not count * elements:
        return
    call.copy(result, b, count * elements)
    how = (
        LEFT if right else RIGHT, LOWER if upper else UPPER,
        T if transposed else N, 1 if unit else 0, columns, rows, call.scalar(1),
    )  # fmt: skip
    if count == 1:
        call.blas("trsm_v2", *how, a, size, result, columns)
        return
    matrices, sides = (
        call.upload(call.stack(pointer, 0, stride).addresses(count))
        for pointer, stride in ((a, size * size), (result, elements))
    )
    call.blas("trsmBatched", *how, matrices, size, sides, columns, count)


def lu(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    count, rows, columns, nonsingular = numbers
    (x,), (result, pivots, permutation) = ins, outs
    steps = min(rows, columns)
    exchanged = np.zeros((count, steps), np.int64)
    fails = np.zeros(count, np.int32)
    if count * steps:
        made = call.turned(x, count, rows, columns)
        taken, infos = call.bytes(4 * count * steps), call.bytes(4 * count)
        _factor(call, made, count, rows, columns, taken, infos)
        call.turned_back(made, result, count, rows, columns)
        exchanged[...] = call.read(taken, (count, steps), np.int32) - 1
        fails = call.read(infos, (count,), np.int32)
    if nonsingular:
        call.check(fails != 0, "is singular", "solve")
    call.write(pivots, exchanged)
    call.write(permutation, permutations(exchanged, rows))


def _factor(
    call: Call, x: Stack, count: int, m: int, n: int, pivots: int, infos: int
) -> None:
    """LU in place, with pivots counted from one."""
    steps = min(m, n)
    if count > 1 and m == n <= _TOGETHER:
        pointers = call.upload(x.addresses(count))
        call.blas("getrfBatched", n, pointers, x.ld, pivots, infos, count)
        return
    work = call.elements(call.work_size("getrf", m, n, x.pointer, x.ld))
    for k in range(count):
        own = pivots + 4 * k * steps, infos + 4 * k
        call.lapack("getrf", m, n, x.at(k), x.ld, work, *own)


def permutations(exchanged: np.ndarray, rows: int) -> np.ndarray:
    """The order that rows are in after exchanges, for each matrix."""
    orders = []
    for pivots in exchanged.tolist():
        order = list(range(rows))
        for i, other in enumerate(pivots):
            order[i], order[other] = order[other], order[i]
        orders.append(order)
    return np.array(orders, np.int64).reshape(len(exchanged), rows)


def exchanges(orders: np.ndarray) -> np.ndarray:
    """Exchanges by which rows come into an order, for each matrix."""
    all_pivots = []
    for order in orders.tolist():
        now, place = list(range(len(order))), list(range(len(order)))
        pivots = []
        for i, wanted in enumerate(order):
            j = place[wanted]
            pivots.append(j)
            now[j] = now[i]
            place[now[j]] = j
        all_pivots.append(pivots)
    return np.array(all_pivots, np.int64).reshape(orders.shape)


def solve(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    # The order of rows is what the host sees; they are moved on the device.
    count, n, columns, transposed = numbers
    (factors, permutation, b), (result,) = ins, outs
    if not count * n * columns:
        return
    orders = call.read(permutation, (count, n), np.int64)
    call.check(are_no_orders(orders), NO_ORDER, "solve")
    pivots = call.upload((exchanges(orders) + 1).astype(np.int32))
    matrix = call.turned(factors, count, n, n)
    side = call.turned(b, count, n, columns)
    how = T if transposed else N, n, columns
    if count > 1:
        info = ctypes.c_int(0)
        call.blas(
            "getrsBatched", *how, call.upload(matrix.addresses(count)), matrix.ld,
            pivots, call.upload(side.addresses(count)), side.ld, ctypes.byref(info),
            count,
        )  # fmt: skip
    else:
        call.lapack(
            "getrs", *how, matrix.pointer, matrix.ld, pivots, side.pointer, side.ld,
            call.bytes(4),
        )  # fmt: skip
    call.turned_back(side, result, count, n, columns)


def qr(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    count, rows, columns, full = numbers
    (x,), (q, r) = ins, outs
    steps = min(rows, columns)
    size = rows if full else steps
    if not count * steps:
        call.write_units(q, count, size)
        return
    made = call.turned(x, count, rows, columns, size)
    triangle = call.beside(count, size, columns)
    call.clear(triangle.pointer, count * size * columns)
    scales, info = call.elements(steps), call.bytes(4)
    packed = call.elements(steps * (steps + 1) // 2)
    first = rows, columns, made.pointer, made.ld
    second = rows, size, steps, made.pointer, made.ld, scales
    lwork = max(
        call.work_size("geqrf", *first), call.work_size(call.orthogonal, *second)
    )
    work = call.elements(lwork)
    for k in range(count):
        a, c = made.at(k), triangle.at(k)
        call.lapack("geqrf", rows, columns, a, made.ld, scales, work, lwork, info)
        call.copy_triangle(UPPER, steps, a, made.ld, c, triangle.ld, packed)
        call.copy_matrix(
            steps, columns - steps, made.at(k, steps), made.ld, triangle.at(k, steps),
            triangle.ld,
        )  # fmt: skip
        call.lapack(
            call.orthogonal, rows, size, steps, a, made.ld, scales, work, lwork, info
        )
    call.turned_back(made, q, count, rows, size)
    call.turned_back(triangle, r, count, size, columns)
