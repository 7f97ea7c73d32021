"""Functions of square matrices: powers and the exponential."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import operator
from typing import Final

import numpy as np

from .. import ops
from ..array import Array
from ..control import fori_loop
from ..errors import ArgumentError, public
from ..ops.matrices import as_square
from ..ops.registry import ArrayLike, as_array, broadcast_operand
from .narrow import through_float32
from .norms import matrix_norm
from .solutions import inv, solve
from .vectors import matrices


@public
@through_float32
def matrix_power(x: ArrayLike, n: int, /) -> Array:
    """The product of n times x; of a negative n, of the inverse.

    Raises `LinAlgError` where n is negative and x singular.

    >>> weft.linalg.matrix_power(weft.asarray([[1, 1], [0, 1]]), 3)
    Array([[1, 3],
           [0, 1]], dtype=int64)
    """
    array = matrices("matrix_power", x)
    if array.shape[-1] != array.shape[-2]:
        as_square("matrix_power", array)
    try:
        power = operator.index(n)
    except TypeError:
        raise ArgumentError(
            f"matrix_power: n is {n!r}; it must be a Python integer"
        ) from None
    if power < 0:
        array, power = inv(array), -power
    if power == 0:
        unit = ops.eye(array.shape[-1], dtype=array.dtype)
        return broadcast_operand(unit, array.shape)
    return _powered(array, power)


def _powered(x: Array, n: int) -> Array:
    """By squaring, as long as something is left of n."""
    result: Array | None = None
    while True:
        if n & 1:
            result = x if result is None else result @ x
        n >>= 1
        if not n:
            assert result is not None
            return result
        x = x @ x


# Up to which 1-norm Pade's approximant of degree 13 is exact to rounding (Higham, "The
# scaling and squaring method for the matrix exponential revisited", 2005), and its
# coefficients.
_LARGEST: Final = {"f": 3.925724783138660, "d": 5.371920351148152}
_PADE_7: Final = (
    17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0,
)  # fmt: skip
_PADE_13: Final = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
    40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


@public
@through_float32
def expm(x: ArrayLike, /) -> Array:
    """The exponential of square matrices, `sum(x**k / k!)`.

    By scaling and squaring (Higham, 2005): the matrix is halved until its norm is
    small, Pade's approximant is taken, and squared as often.

    >>> weft.linalg.expm(weft.zeros((2, 2)))
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    array = as_square("expm", x)
    if not array.size:
        return array
    norm = ops.stop_gradient(matrix_norm(array, ord=1))
    bound = _LARGEST[array.dtype.char.lower()]
    halvings = ops.ceil(ops.log2(norm / bound))
    # Infinite and NaN norms have results that no squaring changes.
    halvings = ops.where(ops.isfinite(norm) & (norm > bound), halvings, 0.0)
    scaled = array * ops.exp2(-halvings)[..., None, None]
    return _squared(_pade(scaled), ops.astype(halvings, np.int64))


def _pade(x: Array) -> Array:
    """The quotient of odd and even parts, `(v - u) r = v + u`."""
    unit = ops.eye(x.shape[-1], dtype=x.dtype)
    u, v = (_parts_7 if x.dtype.char in "fF" else _parts_13)(x, unit)
    return solve(v - u, v + u)


def _parts_7(x: Array, unit: Array) -> tuple[Array, Array]:
    b = _PADE_7
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    u = x @ (b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * unit)
    return u, b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * unit


def _parts_13(x: Array, unit: Array) -> tuple[Array, Array]:
    b = _PADE_13
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    high = x6 @ (b[13] * x6 + b[11] * x4 + b[9] * x2)
    u = x @ (high + b[7] * x6 + b[5] * x4 + b[3] * x2 + b[1] * unit)
    high = x6 @ (b[12] * x6 + b[10] * x4 + b[8] * x2)
    return u, high + b[6] * x6 + b[4] * x4 + b[2] * x2 + b[0] * unit


def _squared(x: Array, times: Array) -> Array:
    """Each matrix squared as often as it says."""

    def square(i: Array, x: Array) -> Array:
        return ops.where((times > i)[..., None, None], x @ x, x)

    most = ops.max(ops.reshape(times, (-1,)))
    return fori_loop(np.int64(0), as_array(most), square, x)
