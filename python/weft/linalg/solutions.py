"""Linear equations: solutions, inverses, determinants, least squares."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .. import ops
from ..array import Array
from ..dtypes import real_dtype
from ..errors import ArgumentError, ShapeError, public
from ..ops import matrices
from ..ops.matrices import as_matrices, as_square, float_arrays
from ..ops.registry import ArrayLike, as_array, broadcast_operand
from ..specs import joined_shape
from .factors import permutation_of
from .narrow import through_float32
from .vectors import diagonal


class SlogdetResult(NamedTuple):
    """What `weft.linalg.slogdet` returns."""

    sign: Array
    logabsdet: Array


class LstsqResult(NamedTuple):
    """What `weft.linalg.lstsq` returns."""

    x: Array
    residuals: Array
    rank: Array
    s: Array


class _System(NamedTuple):
    """Matrices, right sides as matrices, and whether those were vectors."""

    a: Array
    b: Array
    is_vector: bool

    def unpacked(self, solution: Array) -> Array:
        return solution[..., 0] if self.is_vector else solution


def _system(name: str, a: ArrayLike, b: ArrayLike) -> _System:
    """Operands of a solver: a vector is an array of one axis."""
    left, right = float_arrays(name, a, b)
    left = as_matrices(name, left)
    if right.ndim == 0:
        raise ShapeError(f"{name} takes vectors or matrices b; got one number")
    is_vector = right.ndim == 1
    if is_vector:
        right = right[:, None]
    if left.shape[-2] != right.shape[-2]:
        raise ShapeError(
            f"{name}: a of shape {left.shape} has {left.shape[-2]} rows, but b of "
            f"shape {as_array(b).shape} has {right.shape[-2]}"
        )
    return _System(left, right, is_vector)


def _stack_of(name: str, *arrays: Array) -> tuple[int, ...]:
    try:
        return joined_shape(*(x.shape[:-2] for x in arrays))
    except ValueError:
        shapes = " and ".join(str(x.shape) for x in arrays)
        raise ShapeError(
            f"{name}: the leading axes of {shapes} do not broadcast"
        ) from None


def _solved(name: str, a: Array, b: Array, check: bool) -> Array:
    """The solution for stacks that broadcast; each matrix is factored once."""
    factors, _, order = matrices.lu(a, nonsingular=check)
    stack = _stack_of(name, a, b)
    a, factors, b = (
        broadcast_operand(x, (*stack, *x.shape[-2:])) for x in (a, factors, b)
    )
    order = broadcast_operand(order, (*stack, order.shape[-1]))
    return matrices.solve(a, factors, order, b)


@public
@through_float32
def solve(a: ArrayLike, b: ArrayLike, /) -> Array:
    """The solution x of `a @ x == b`.

    `a` is a square matrix, or a stack of them, and b a vector if it has one axis, else
    a stack of matrices; stacks broadcast. Raises `LinAlgError` where a is singular, and
    `ShapeError` where shapes do not fit.

    >>> weft.linalg.solve(weft.asarray([[2.0]]), weft.asarray([1.0]))
    Array([0.5], dtype=float32)
    """
    system = _system("solve", as_square("solve", a), b)
    return system.unpacked(_solved("solve", system.a, system.b, check=True))


@public
@through_float32
def inv(x: ArrayLike, /) -> Array:
    """The inverse of square matrices.

    Raises `LinAlgError` where x is singular.

    >>> weft.linalg.inv(weft.asarray([[2.0, 0.0], [0.0, 4.0]]))
    Array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    return _inverse(as_square("inv", x), check=True)


def _inverse(x: Array, check: bool) -> Array:
    return _solved("inv", x, ops.eye(x.shape[-1], dtype=x.dtype), check)


def unchecked_inverse(x: Array) -> Array:
    """The inverse; infinities and NaN where x is singular."""
    return _inverse(x, check=False)


@public
@through_float32
def solve_triangular(
    a: ArrayLike,
    b: ArrayLike,
    /,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
) -> Array:
    """The solution x of `a @ x == b` for triangular matrices a.

    One triangle of a is read, and with `unit_diagonal` not its diagonal. `trans` 1 or
    "T" solves `a.mT @ x == b`, and 2 or "C" `conj(a.mT) @ x == b`. b is as for
    `solve`. A zero on the diagonal gives infinities and NaN.

    >>> weft.linalg.solve_triangular(weft.asarray([[2.0]]), weft.asarray([1.0]))
    Array([0.5], dtype=float32)
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ArgumentError(
            f"solve_triangular: trans is {trans!r}; it must be 0, 1 or 2"
        )
    system = _system("solve_triangular", as_square("solve_triangular", a), b)
    left, right = _stacked("solve_triangular", system)
    if trans in (2, "C"):
        left = ops.conj(left)
    flags = {"transpose": trans not in (0, "N"), "unit": unit_diagonal}
    solution = matrices.triangular_solve(left, right, upper=not lower, **flags)
    return system.unpacked(solution)


def _stacked(name: str, system: _System) -> tuple[Array, Array]:
    """Matrices and right sides as stacks of one shape."""
    stack = _stack_of(name, system.a, system.b)
    left, right = (
        broadcast_operand(x, (*stack, *x.shape[-2:])) for x in (system.a, system.b)
    )
    return left, right


@public
@through_float32
def cho_solve(c_and_lower: tuple[ArrayLike, bool], b: ArrayLike, /) -> Array:
    """The solution x of `a @ x == b`, a being factored by `cho_factor`.

    >>> weft.linalg.cho_solve((weft.asarray([[2.0]]), True), weft.asarray([8.0]))
    Array([2.], dtype=float32)
    """
    factor, lower = c_and_lower
    system = _system("cho_solve", as_square("cho_solve", factor), b)
    left, half = _stacked("cho_solve", system)
    for transpose in (not lower, lower):
        half = matrices.triangular_solve(
            ops.conj(left) if transpose else left,
            half,
            upper=not lower,
            transpose=transpose,
        )
    return system.unpacked(half)


@public
@through_float32
def lu_solve(
    lu_and_piv: tuple[ArrayLike, ArrayLike], b: ArrayLike, /, trans: int = 0
) -> Array:
    """The solution x of `a @ x == b`, a being factored by `lu_factor`.

    `trans` 1 solves `a.mT @ x == b`, and 2 `conj(a.mT) @ x == b`.

    >>> weft.linalg.lu_solve(
    ...     weft.linalg.lu_factor(weft.asarray([[2.0]])), weft.asarray([8.0]))
    Array([4.], dtype=float32)
    """
    factors, pivots = lu_and_piv
    system = _system("lu_solve", as_square("lu_solve", factors), b)
    left, right = _stacked("lu_solve", system)
    stack, size = left.shape[:-2], left.shape[-1]
    order = permutation_of(as_array(pivots, "lu_solve"), size)
    if not trans:
        order = broadcast_operand(order, (*stack, size))
        moved = ops.take_along_axis(
            right, broadcast_operand(order[..., None], right.shape), axis=-2
        )
        half = matrices.triangular_solve(left, moved, unit=True)
        return system.unpacked(matrices.triangular_solve(left, half, upper=True))
    if trans == 2:
        left = ops.conj(left)
    half = matrices.triangular_solve(left, right, upper=True, transpose=True)
    half = matrices.triangular_solve(left, half, unit=True, transpose=True)
    back = broadcast_operand(ops.argsort(order), (*stack, size))
    moved = ops.take_along_axis(
        half, broadcast_operand(back[..., None], half.shape), axis=-2
    )
    return system.unpacked(moved)


# ---- determinants ----


def _diagonal_and_parity(x: Array) -> tuple[Array, Array]:
    """The diagonal of U, and the sign of the permutation of P x = L U."""
    factors, pivots, _ = matrices.lu(x)
    exchanged = pivots != ops.arange(pivots.shape[-1])
    odd = ops.sum(ops.astype(exchanged, np.int64), axis=-1) % 2
    return diagonal(factors), ops.astype(1 - 2 * odd, x.dtype)


@public
@through_float32
def det(x: ArrayLike, /) -> Array:
    """The determinant of square matrices: 0 of singular ones, 1 of those of size 0.

    Up to size 3 it is the sum of products that defines it. The derivative of larger
    ones is `det(x) * inv(x).mT`, infinite or NaN for singular matrices.

    >>> weft.linalg.det(weft.asarray([[0.0, 2.0], [4.0, 0.0]]))
    Array(-8., dtype=float32)
    """
    array = as_square("det", x)
    if array.shape[-1] in (2, 3):
        return _small_det(array)
    entries, parity = _diagonal_and_parity(array)
    return ops.prod(entries, axis=-1) * parity


def _small_det(x: Array) -> Array:
    def minor(i: int, j: int) -> Array:
        """Of the last two rows and two columns."""
        last = x.shape[-1]
        high, low = x[..., last - 2, :], x[..., last - 1, :]
        return high[..., i] * low[..., j] - high[..., j] * low[..., i]

    if x.shape[-1] == 2:
        return minor(0, 1)
    top = x[..., 0, :]
    first = top[..., 0] * minor(1, 2) - top[..., 1] * minor(0, 2)
    return first + top[..., 2] * minor(0, 1)


@public
@through_float32
def slogdet(x: ArrayLike, /) -> SlogdetResult:
    """The sign of the determinant of square matrices, and the log of its magnitude.

    Of singular matrices 0 and -inf. The derivative of the second is `inv(x).mT`.

    >>> weft.linalg.slogdet(weft.asarray([[0.0, 1.0], [1.0, 0.0]]))
    SlogdetResult(sign=Array(-1., dtype=float32), logabsdet=Array(0., dtype=float32))
    """
    entries, parity = _diagonal_and_parity(as_square("slogdet", x))
    sign = ops.prod(ops.sign(entries), axis=-1) * parity
    return SlogdetResult(sign, ops.sum(ops.log(ops.abs(entries)), axis=-1))


# ---- matrices without an inverse ----


@public
@through_float32
def pinv(
    x: ArrayLike, /, rcond: ArrayLike | None = None, *, rtol: ArrayLike | None = None
) -> Array:
    """The Moore-Penrose inverse of matrices of any shape.

    Singular values up to `rtol` (or `rcond`) times the largest one count as zero; by
    default that is the larger size of the matrix times the dtype's `eps`. Derivatives
    take the rank not to vary (Golub and Pereyra, 1973). Raises `LinAlgError` where
    singular values do not converge, as with NaN.

    >>> weft.linalg.pinv(weft.asarray([[2.0], [0.0]]))
    Array([[0.5, 0. ]], dtype=float32)
    """
    array = as_matrices("pinv", x)
    given = rtol if rcond is None else rcond
    part: ArrayLike = _default_rtol(array) if given is None else given
    cutoff = ops.astype(ops.asarray(part), real_dtype(array.dtype))
    return matrices.pinv(array, broadcast_operand(cutoff, array.shape[:-2]))


def _default_rtol(x: Array) -> float:
    return max(x.shape[-2:]) * float(np.finfo(x.dtype).eps)


@public
@through_float32
def lstsq(a: ArrayLike, b: ArrayLike, /, rcond: float | None = None) -> LstsqResult:
    """The x of least norm that makes the norm of `b - a @ x` least.

    Also the sums of squares of `b - a @ x` for each column of b, without elements
    unless a has more rows than columns (NumPy gives none either where the rank is
    smaller), the rank of a, and its singular values. Those up to `rcond` times the
    largest count as zero; by default that is the larger size of a times `eps`.

    >>> weft.linalg.lstsq(weft.asarray([[2.0], [0.0]]), weft.asarray([1.0, 3.0])).x
    Array([0.5], dtype=float32)
    """
    system = _system("lstsq", a, b)
    part = _default_rtol(system.a) if rcond is None or rcond < 0 else rcond
    solution = pinv(system.a, part) @ system.b
    values = matrices.svdvals(system.a)
    if values.shape[-1]:
        counted = values > ops.max(values, axis=-1, keepdims=True) * part
    else:
        counted = values > 0
    rank = ops.sum(ops.astype(counted, np.int64), axis=-1)
    missed = system.b - system.a @ solution
    squares = ops.sum(ops.real(missed * ops.conj(missed)), axis=-2)
    if system.a.shape[-2] <= system.a.shape[-1]:
        squares = squares[..., :0]
    return LstsqResult(system.unpacked(solution), squares, rank, values)


# ---- tensors as matrices ----


@public
@through_float32
def tensorsolve(
    a: ArrayLike, b: ArrayLike, /, axes: Sequence[int] | None = None
) -> Array:
    """The x with `tensordot(a, x, x.ndim) == b`; `axes` of a go behind all others.

    >>> weft.linalg.tensorsolve(weft.ones((1, 1, 1)), weft.ones((1, 1)))
    Array([1.], dtype=float32)
    """
    left, right = float_arrays("tensorsolve", a, b)
    if axes is not None:
        left = ops.moveaxis(left, tuple(axes), tuple(range(-len(axes), 0)))
    shape = left.shape[right.ndim :]
    if left.shape[: right.ndim] != right.shape or math.prod(shape) != right.size:
        raise ShapeError(
            f"tensorsolve: a of shape {left.shape} must begin with the shape "
            f"{right.shape} of b, and end with as many elements"
        )
    solution = solve(
        ops.reshape(left, (right.size, right.size)), ops.reshape(right, (right.size,))
    )
    return ops.reshape(solution, shape)


@public
@through_float32
def tensorinv(x: ArrayLike, /, ind: int = 2) -> Array:
    """The inverse of `tensordot` with x over its last axes; `ind` are its first axes.

    >>> weft.linalg.tensorinv(2 * weft.ones((1, 1)), ind=1)
    Array([[0.5]], dtype=float32)
    """
    (array,) = float_arrays("tensorinv", x)
    if ind <= 0:
        raise ArgumentError(f"tensorinv: ind is {ind}; it must be positive")
    first, last = array.shape[:ind], array.shape[ind:]
    size = math.prod(first)
    if math.prod(last) != size:
        raise ShapeError(
            f"tensorinv: the first {ind} axes of shape {array.shape} have {size} "
            f"elements, and the others {math.prod(last)}"
        )
    return ops.reshape(inv(ops.reshape(array, (size, size))), (*last, *first))
