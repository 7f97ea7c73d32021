"""The routines that plans call, by NumPy alone: where Weft is not installed as a whole.

Each is what the kernel of its name in `lowering/runtime` computes, on whole stacks.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from ..errors import DeviceError
from .routines import NO_ORDER, are_no_orders, failure, position_of, split

Array: TypeAlias = np.ndarray[Any, Any]
Results: TypeAlias = Sequence[Array]


class _UnsolvedError(Exception):
    """A matrix, by its number, that has no result, and why."""


def has(name: str) -> bool:
    """Whether NumPy has a routine."""
    kernel, kind = split(name)
    return kernel in _ROUTINES and kind is not None


def run(
    name: str,
    numbers: Sequence[int],
    inputs: Sequence[Array],
    outputs: Sequence[Array],
    line: str,
) -> None:
    """Runs a routine; raises `DeviceError` where NumPy has nothing for it."""
    kernel, kind = split(name)
    routine = _ROUTINES.get(kernel)
    if routine is None or kind is None:
        raise DeviceError(
            f"the plan calls the library routine {name!r}, which runs on the host and "
            "needs an installation of Weft with its compiler",
            position_of(line),
        )
    try:
        with np.errstate(all="ignore"):
            results = routine(numbers, *inputs)
    except _UnsolvedError as error:
        index, reason, *other = error.args
        blamed = other[0] if other else kernel
        raise failure(blamed, reason, index, numbers[0], line) from None
    for output, result in zip(outputs, results, strict=True):
        output[...] = result.reshape(output.shape)


def _stack(x: Array, count: int, rows: int, columns: int) -> Array:
    return x.reshape(count, rows, columns)


@contextlib.contextmanager
def _each_apart(
    one: Callable[[Array], Any], stack: Array, reason: str
) -> Iterator[None]:
    """Finds out which matrix it is for which NumPy raises."""
    try:
        yield
    except np.linalg.LinAlgError:
        for k, matrix in enumerate(stack):
            try:
                one(matrix)
            except np.linalg.LinAlgError:
                raise _UnsolvedError(k, reason) from None
        raise


def _check(fails: Any, reason: str, *kernel: str) -> None:
    if fails.any():
        raise _UnsolvedError(int(np.argmax(fails)), reason, *kernel)


# ---- factors ----

# So many rows and columns are not divided further.
_FEW: Final = 16


def _cholesky(numbers: Sequence[int], x: Array) -> Results:
    count, n = numbers
    x = _stack(x, count, n, n)
    with _each_apart(np.linalg.cholesky, x, "is not positive definite"):
        return [np.linalg.cholesky(x)]


def _substituted(a: Array, b: Array, lower: bool, unit: bool) -> Array:
    """The y of a y = b, of all matrices at once: row by row, of many rows by halves."""
    y, n = b.copy(), a.shape[-1]
    if n > _FEW:
        halves = slice(0, n // 2), slice(n // 2, n)
        first, second = halves if lower else halves[::-1]
        y[:, first] = _substituted(a[:, first, first], y[:, first], lower, unit)
        y[:, second] -= a[:, second, first] @ y[:, first]
        y[:, second] = _substituted(a[:, second, second], y[:, second], lower, unit)
        return y
    for i in range(n) if lower else reversed(range(n)):
        known = slice(0, i) if lower else slice(i + 1, n)
        y[:, i] -= np.einsum("ki,kij->kj", a[:, i, known], y[:, known])
        if not unit:
            y[:, i] /= a[:, i, i, None]
    return y


def _triangular_solve(numbers: Sequence[int], a: Array, b: Array) -> Results:
    count, rows, columns, right, upper, transposed, unit = numbers
    size = columns if right else rows
    a, b = _stack(a, count, size, size), _stack(b, count, rows, columns)
    turned = bool(transposed) != bool(right)  # y a = b is a^T y^T = b^T
    a, b = a.swapaxes(1, 2) if turned else a, b.swapaxes(1, 2) if right else b
    y = _substituted(a, b, bool(upper) == turned, bool(unit))
    return [y.swapaxes(1, 2) if right else y]


@dataclass(frozen=True, slots=True)
class _Factors:
    """L and U of a stack, as far as they are known, and how its rows were exchanged."""

    x: Array
    pivots: Array
    order: Array
    fails: Array

    def factor(self, first: int, last: int) -> None:
        """Eliminates by the columns from the first on: one by one, or by halves."""
        if last - first <= _FEW:
            for column in range(first, last):
                self.eliminate(column, last)
            return
        middle = (first + last) // 2
        self.factor(first, middle)
        self.update(first, middle, last)
        self.factor(middle, last)

    def update(self, first: int, middle: int, last: int) -> None:
        """Has columns behind some others what these make of them."""
        x, behind, done = self.x, slice(middle, last), slice(first, middle)
        x[:, done, behind] = _substituted(
            x[:, done, done], x[:, done, behind], lower=True, unit=True
        )
        x[:, middle:, behind] -= x[:, middle:, done] @ x[:, done, behind]

    def eliminate(self, j: int, last: int) -> None:
        """One column, from those up to the last one."""
        x, each = self.x, np.arange(len(self.x))
        # As far from zero as LAPACK measures it.
        below = np.abs(x[:, j:, j].real) + np.abs(x[:, j:, j].imag)
        other = self.pivots[:, j] = j + np.argmax(below, axis=1)
        for array in (x, self.order):
            taken = array[each, other]
            array[each, other] = array[:, j]
            array[:, j] = taken
        top = x[:, j, j, None].copy()
        self.fails[...] |= top[:, 0] == 0
        x[:, j + 1 :, j] /= np.where(top == 0, 1, top)
        x[:, j + 1 :, j + 1 : last] -= (
            x[:, j + 1 :, j, None] * x[:, j, None, j + 1 : last]
        )


def _lu(numbers: Sequence[int], x: Array) -> Results:
    count, rows, columns, nonsingular = numbers
    steps = min(rows, columns)
    made = _Factors(
        _stack(x, count, rows, columns).copy(),
        np.zeros((count, steps), np.int64),
        np.tile(np.arange(rows), (count, 1)),
        np.zeros(count, bool),
    )
    made.factor(0, steps)
    made.update(0, steps, columns)
    if nonsingular:
        _check(made.fails, "is singular", "solve")
    return [made.x, made.pivots, made.order]


def _solve(
    numbers: Sequence[int], factors: Array, permutation: Array, b: Array
) -> Results:
    count, n, columns, transposed = numbers
    lu, b = _stack(factors, count, n, n), _stack(b, count, n, columns)
    order = permutation.reshape(count, n)
    _check(are_no_orders(order), NO_ORDER, "solve")
    each = np.arange(count)[:, None]
    if not transposed:
        lower = _substituted(lu, b[each, order], lower=True, unit=True)
        return [_substituted(lu, lower, lower=False, unit=False)]
    turned = lu.swapaxes(1, 2)
    upper = _substituted(turned, b, lower=True, unit=False)
    y = np.empty_like(b)
    y[each, order] = _substituted(turned, upper, lower=False, unit=True)
    return [y]


def _qr(numbers: Sequence[int], x: Array) -> Results:
    count, rows, columns, full = numbers
    x = _stack(x, count, rows, columns)
    return np.linalg.qr(x, "complete" if full else "reduced")


# ---- values and vectors ----

_NO_EIGENVALUES: Final = "has eigenvalues that did not converge"
_NO_SINGULAR_VALUES: Final = "has singular values that did not converge"


def _eigh(numbers: Sequence[int], x: Array) -> Results:
    count, n = numbers
    x = _stack(x, count, n, n)
    with _each_apart(np.linalg.eigh, x, _NO_EIGENVALUES):
        w, v = np.linalg.eigh(x)
    _check(np.isnan(w).any(axis=1), _NO_EIGENVALUES)
    return w, v


def _eigvalsh(numbers: Sequence[int], x: Array) -> Results:
    count, n = numbers
    x = _stack(x, count, n, n)
    with _each_apart(np.linalg.eigvalsh, x, _NO_EIGENVALUES):
        w = np.linalg.eigvalsh(x)
    _check(np.isnan(w).any(axis=1), _NO_EIGENVALUES)
    return [w]


def _finite(numbers: Sequence[int], x: Array) -> Array:
    count, n = numbers
    x = _stack(x, count, n, n)
    _check(~np.isfinite(x).all(axis=(1, 2)), "has infinities or NaN")
    return x


def _eig(numbers: Sequence[int], x: Array) -> Results:
    x = _finite(numbers, x)
    with _each_apart(np.linalg.eig, x, _NO_EIGENVALUES):
        return np.linalg.eig(x)


def _eigvals(numbers: Sequence[int], x: Array) -> Results:
    x = _finite(numbers, x)
    with _each_apart(np.linalg.eigvals, x, _NO_EIGENVALUES):
        return [np.linalg.eigvals(x)]


def _svd_of(x: Array, full: bool) -> Results:
    with _each_apart(np.linalg.svd, x, _NO_SINGULAR_VALUES):
        u, s, vh = np.linalg.svd(x, full)
    _check(np.isnan(s).any(axis=1), _NO_SINGULAR_VALUES)
    return u, s, vh


def _svd(numbers: Sequence[int], x: Array) -> Results:
    count, rows, columns, full = numbers
    return _svd_of(_stack(x, count, rows, columns), bool(full))


def _svdvals(numbers: Sequence[int], x: Array) -> Results:
    return [_svd_of(_stack(x, *numbers), False)[1]]


def _pinv(numbers: Sequence[int], x: Array, cutoff: Array) -> Results:
    u, s, vh = (each.conj() for each in _svd_of(_stack(x, *numbers), False))
    least = cutoff.reshape(-1, 1) * s[:, :1]
    inverse = np.where(s > least, 1 / s, 0).astype(s.dtype)
    return [vh.swapaxes(1, 2) @ (u * inverse[:, None]).swapaxes(1, 2)]


# ---- transforms ----


def _fft(numbers: Sequence[int], x: Array) -> Results:
    outer, size, inner, inverse = numbers
    x = _stack(x, outer, size, inner)
    if inverse:
        return [np.fft.ifft(x, axis=1, norm="forward")]
    return [np.fft.fft(x, axis=1)]


def _rfft(numbers: Sequence[int], x: Array) -> Results:
    return [np.fft.rfft(_stack(x, *numbers), axis=1)]


def _irfft(numbers: Sequence[int], x: Array) -> Results:
    outer, size, inner = numbers
    x = _stack(x, outer, size // 2 + 1, inner)
    return [np.fft.irfft(x, size, axis=1, norm="forward")]


_ROUTINES: Final[Mapping[str, Callable[..., Results]]] = {
    "cholesky": _cholesky,
    "triangular_solve": _triangular_solve,
    "lu": _lu,
    "solve": _solve,
    "qr": _qr,
    "eigh": _eigh,
    "eigvalsh": _eigvalsh,
    "eig": _eig,
    "eigvals": _eigvals,
    "svd": _svd,
    "svdvals": _svdvals,
    "pinv": _pinv,
    "fft": _fft,
    "rfft": _rfft,
    "irfft": _irfft,
}
