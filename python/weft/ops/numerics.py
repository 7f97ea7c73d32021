"""NumPy's elementwise functions that are composed of the ops."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from ..array import Array
from ..devices import foreign_device
from ..dtypes import is_kind, limits, require, spell
from ..errors import ShapeError, public
from ..tracer import as_strong
from .arithmetic import (
    abs,
    add,
    atan2,
    copysign,
    divide,
    floor_divide,
    logaddexp,
    maximum,
    minimum,
    multiply,
    negative,
    pow,
    remainder,
    round,
    subtract,
    trunc,
)
from .choice import astype, bitcast, clamp, select
from .create import asarray, full_like, placed, zeros_like
from .logic import (
    bitwise_invert,
    bitwise_left_shift,
    bitwise_right_shift,
    equal,
    isfinite,
    isinf,
    isnan,
    less,
    logical_and,
    logical_or,
    logical_xor,
    not_equal,
    population_count,
    signbit,
)
from .reduce import any
from .registry import (
    ArrayLike,
    as_array,
    broadcast_all,
    cast,
    common_dtype,
    elementwise_call,
)
from .transcendental import acos, acosh, asin, asinh, atan, atanh

__all__ = [
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "around",
    "bitwise_count",
    "bitwise_not",
    "deg2rad",
    "degrees",
    "divmod",
    "fabs",
    "fix",
    "float_power",
    "fmax",
    "fmin",
    "fmod",
    "frexp",
    "gcd",
    "heaviside",
    "invert",
    "isneginf",
    "isposinf",
    "lcm",
    "ldexp",
    "left_shift",
    "logaddexp2",
    "mod",
    "modf",
    "polyval",
    "power",
    "rad2deg",
    "radians",
    "right_shift",
    "rint",
    "true_divide",
]

# NumPy's other names.
absolute = abs
arccos, arccosh, arcsin, arcsinh = acos, acosh, asin, asinh
arctan, arctan2, arctanh = atan, atan2, atanh
bitwise_not = invert = bitwise_invert
left_shift, right_shift = bitwise_left_shift, bitwise_right_shift
mod, power, true_divide = remainder, pow, divide
around = rint = round
fix = trunc


def _float(name: str, x: ArrayLike) -> Array:
    """An operand as floats."""
    return elementwise_call(name, "float", x).operands[0]


def _floats(name: str, *xs: ArrayLike) -> tuple[Array, ...]:
    """Operands as floats of one dtype and shape."""
    return elementwise_call(name, "float", *xs).operands


def _numbers(name: str, *xs: ArrayLike) -> tuple[Array, ...]:
    """Operands as numbers of one dtype and shape."""
    return elementwise_call(name, "numeric", *xs).operands


# ---- bits ----


@public
def bitwise_count(x: ArrayLike, /) -> Array:
    """Elementwise number of bits set in the absolute value of an integer, as uint8.

    Of its two's complement: `population_count`.

    >>> weft.bitwise_count(weft.asarray([0, 7, -1]))
    Array([0, 3, 1], dtype=uint8)
    """
    array = elementwise_call("bitwise_count", "integer", x).operands[0]
    return astype(population_count(abs(array)), "uint8")


# ---- angles and powers ----


@public
def deg2rad(x: ArrayLike, /) -> Array:
    """Elementwise angle in radians of one in degrees.

    >>> weft.deg2rad(weft.asarray([0.0, 180.0]))
    Array([0.       , 3.1415927], dtype=float32)
    """
    return multiply(_float("deg2rad", x), math.pi / 180)


@public
def rad2deg(x: ArrayLike, /) -> Array:
    """Elementwise angle in degrees of one in radians.

    >>> weft.rad2deg(weft.asarray([0.0, weft.pi]))
    Array([  0., 180.], dtype=float32)
    """
    return multiply(_float("rad2deg", x), 180 / math.pi)


radians, degrees = deg2rad, rad2deg


@public
def float_power(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise `x ** y` in float64.

    >>> weft.float_power(weft.asarray([2, 3]), -1)
    Array([0.5       , 0.33333333], dtype=float64)
    """
    double = np.dtype("float64")
    base, exponent = (cast(z, double, "float_power") for z in (x, y))
    return pow(as_strong(base, double), as_strong(exponent, double))


@public
def logaddexp2(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise `log2(2**x + 2**y)` without overflow on the way.

    >>> weft.logaddexp2(weft.asarray([0.0, 100.0]), 0.0)
    Array([  1., 100.], dtype=float32)
    """
    a, b = _floats("logaddexp2", x, y)
    return divide(logaddexp(multiply(a, math.log(2)), multiply(b, math.log(2))),
                  math.log(2))  # fmt: skip


@public
def fabs(x: ArrayLike, /) -> Array:
    """Elementwise absolute value, as floats.

    >>> weft.fabs(weft.asarray([-1, 2]))
    Array([1., 2.], dtype=float32)
    """
    return abs(_float("fabs", x))


@public
def heaviside(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise 0 for `x < 0`, `y` for `x == 0`, 1 for `x > 0`, NaN for NaN.

    >>> weft.heaviside(weft.asarray([-1.0, 0.0, 2.0]), 0.5)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    a, b = _floats("heaviside", x, y)
    step = select(less(a, 0), zeros_like(a), full_like(a, 1))
    return select(isnan(a), a, select(equal(a, 0), b, step))


# ---- extrema that prefer numbers to NaN ----


@public
def fmax(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise larger of `x` and `y`; NaN only where both are.

    >>> weft.fmax(weft.asarray([1.0, weft.nan]), 2.0)
    Array([2., 2.], dtype=float32)
    """
    a, b = _numbers("fmax", x, y)
    if not is_kind(a.dtype, "float"):
        return maximum(a, b)
    return select(isnan(a), b, select(isnan(b), a, maximum(a, b)))


@public
def fmin(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise smaller of `x` and `y`; NaN only where both are.

    >>> weft.fmin(weft.asarray([3.0, weft.nan]), 2.0)
    Array([2., 2.], dtype=float32)
    """
    a, b = _numbers("fmin", x, y)
    if not is_kind(a.dtype, "float"):
        return minimum(a, b)
    return select(isnan(a), b, select(isnan(b), a, minimum(a, b)))


# ---- quotients and parts ----


@public
def fmod(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise remainder with the sign of `x`, as C has it.

    Zero for an integer modulo zero.

    >>> weft.fmod(weft.asarray([-7, 7]), weft.asarray([3, -3]))
    Array([-1,  1], dtype=int64)
    """
    a, b = _numbers("fmod", x, y)
    if is_kind(a.dtype, "float"):
        sign = select(signbit(a), full_like(a, -1), full_like(a, 1))
        # Not abs, which has no slope at 0, where this has one.
        return multiply(remainder(multiply(a, sign), abs(b)), sign)
    rest = remainder(a, b)
    differs = logical_xor(less(a, 0), less(b, 0))
    return select(logical_and(not_equal(rest, 0), differs), subtract(rest, b), rest)


@public
def divmod(x: ArrayLike, y: ArrayLike, /) -> tuple[Array, Array]:
    """Elementwise `x // y` and `x % y`.

    >>> weft.divmod(weft.asarray([7, -7]), 3)
    (Array([ 2, -3], dtype=int64), Array([1, 2], dtype=int64))
    """
    return floor_divide(x, y), remainder(x, y)


@public
def modf(x: ArrayLike, /) -> tuple[Array, Array]:
    """Elementwise fraction and whole part, both with the sign of `x`.

    >>> weft.modf(weft.asarray([1.5, -2.25]))
    (Array([ 0.5 , -0.25], dtype=float32), Array([ 1., -2.], dtype=float32))
    """
    array = _float("modf", x)
    whole = trunc(array)
    rest = select(isinf(array), zeros_like(array), subtract(array, whole))
    return copysign(rest, array), whole


# Width, bits of the mantissa, and bias of the exponent.
_FORMATS: Final[dict[str, tuple[str, int, int]]] = {
    "float16": ("int16", 10, 15),
    "bfloat16": ("int16", 7, 127),
    "float32": ("int32", 23, 127),
    "float64": ("int64", 52, 1023),
}


def _power_of_two(exponent: Array, dtype: np.dtype[Any]) -> Array:
    """Two to the power of integers that are exponents of normal numbers."""
    integer, mantissa, bias = _FORMATS[dtype.name]
    biased = add(astype(exponent, integer), bias)
    return bitcast(bitwise_left_shift(biased, mantissa), dtype)


@public
def ldexp(x: ArrayLike, exponent: ArrayLike, /) -> Array:
    """Elementwise `x * 2**exponent`, rounded once.

    >>> weft.ldexp(weft.asarray([0.5, 3.0]), weft.asarray([3, -1]))
    Array([4. , 1.5], dtype=float32)
    """
    powers = as_array(exponent, "ldexp")
    require("ldexp", powers.dtype, "integer")
    array, powers = broadcast_all("ldexp", as_strong(_float("ldexp", x)), powers)
    _, _, bias = _FORMATS[array.dtype.name]
    limit = bias - 1
    # What does not fit into two steps goes first, so that only the last one rounds.
    left = astype(clamp(astype(powers, "int64"), -4 * limit, 4 * limit), "int64")
    factors = []
    for _ in range(4):
        part = clamp(left, -limit, limit)
        factors.append(_power_of_two(part, array.dtype))
        left = subtract(left, part)
    for factor in reversed(factors):
        array = multiply(array, factor)
    return array


@public
def frexp(x: ArrayLike, /) -> tuple[Array, Array]:
    """Elementwise mantissa, in [0.5, 1) or zero, and exponent (int32) of two.

    >>> weft.frexp(weft.asarray([4.0, -0.75]))
    (Array([ 0.5 , -0.75], dtype=float32), Array([3, 0], dtype=int32))
    """
    array = as_strong(_float("frexp", x))
    integer, mantissa, bias = _FORMATS[array.dtype.name]
    tiny = less(abs(array), float(limits(array.dtype).tiny))
    scaled = select(tiny, multiply(array, 2.0**mantissa), array)
    bits = bitwise_right_shift(bitcast(abs(scaled), integer), mantissa)
    exponent = subtract(subtract(bits, bias - 1), select(tiny, mantissa, 0))
    special = logical_or(equal(array, 0), bitwise_invert(isfinite(array)))
    exponent = astype(select(special, zeros_like(exponent), exponent), "int32")
    return select(special, array, ldexp(array, negative(exponent))), exponent


# ---- whole numbers ----


@public
def polyval(p: ArrayLike, x: ArrayLike, /) -> Array:
    """The polynomial of coefficients `p`, the highest power's first, at `x`.

    Coefficients that are arrays of their own, along the other axes of `p`, broadcast
    with `x`.

    >>> weft.polyval(weft.asarray([3, 0, 1]), weft.asarray([1, 2]))
    Array([ 4, 13], dtype=int64)
    """
    given = asarray(p)
    if not given.ndim:
        raise ShapeError(
            "polyval takes an array of coefficients, of one dimension at least, not "
            f"{spell(given.dtype, ())}; write polyval([p], x)"
        )
    dtype, _ = common_dtype("polyval", given, x)
    require("polyval", dtype, "numeric")
    coefficients, at = cast(given, dtype), cast(x, dtype, "polyval")
    # Horner's rule: p0 x^2 + p1 x + p2 = (p0 x + p1) x + p2.
    value = coefficients[0] if len(coefficients) else zeros_like(at)
    for i in range(1, len(coefficients)):
        value = add(multiply(value, at), coefficients[i])
    return broadcast_all("polyval", value, at)[0]


@public
def gcd(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise greatest common divisor of integers, by Euclid's algorithm.

    >>> weft.gcd(weft.asarray([12, 0, -9]), weft.asarray([18, 5, 6]))
    Array([6, 5, 3], dtype=int64)
    """
    from ..control import while_loop

    device = foreign_device((x, y))
    operands = elementwise_call("gcd", "integer", x, y).operands
    a, b = (placed(operand, device) for operand in operands)

    def step(pair: tuple[Array, Array]) -> tuple[Array, Array]:
        a, b = pair
        return select(equal(b, 0), a, b), remainder(a, b)

    return abs(while_loop(lambda pair: any(not_equal(pair[1], 0)), step, (a, b))[0])


@public
def lcm(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Elementwise least common multiple of integers; 0 if one of them is.

    >>> weft.lcm(weft.asarray([4, 0]), weft.asarray([6, 5]))
    Array([12,  0], dtype=int64)
    """
    a, b = elementwise_call("lcm", "integer", x, y).operands
    return abs(multiply(floor_divide(a, gcd(a, b)), b))


# ---- tests ----


@public
def isposinf(x: ArrayLike, /) -> Array:
    """Elementwise test for infinity.

    >>> weft.isposinf(weft.asarray([weft.inf, -weft.inf]))
    Array([ True, False], dtype=bool)
    """
    array = _float("isposinf", x)
    return equal(array, math.inf)


@public
def isneginf(x: ArrayLike, /) -> Array:
    """Elementwise test for minus infinity.

    >>> weft.isneginf(weft.asarray([weft.inf, -weft.inf]))
    Array([False,  True], dtype=bool)
    """
    array = _float("isneginf", x)
    return equal(array, -math.inf)
