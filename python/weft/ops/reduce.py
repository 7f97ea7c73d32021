"""Reductions: ops that fold the elements along axes into one."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from ..array import Array
from ..dtypes import (
    BOOL,
    FLOAT,
    INT,
    DTypeLike,
    Kind,
    canonical,
    is_kind,
    is_narrow,
    real_dtype,
    require,
    spell,
)
from ..errors import ShapeError, public
from .arithmetic import add, divide, square, subtract
from .logic import not_equal
from .parts import imag, real
from .registry import (
    ArrayLike,
    Call,
    Reference,
    Shape,
    as_array,
    by_int8,
    cast,
    op,
    truth,
)
from .shape import axis_index, axis_tuple, reshape
from .transcendental import sqrt

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]

Axis = int | Sequence[int] | None


class Reduction(Protocol):
    """The public function of a reduction."""

    __name__: str

    def __call__(
        self, x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False
    ) -> Array: ...


class Accumulation(Protocol):
    """The public function of a reduction that may widen its elements."""

    __name__: str

    def __call__(
        self,
        x: ArrayLike,
        /,
        axis: Axis = None,
        *,
        dtype: DTypeLike | None = None,
        keepdims: bool = False,
    ) -> Array: ...


def _keeping(x: Array, result: Array, axes: Shape, keepdims: bool) -> Array:
    if not keepdims:
        return result
    return reshape(result, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def _reduced(function: Callable[..., Array]) -> Callable[..., Array]:
    """The public function of a reduction op that takes an array and its axes."""

    def reduce(x: Array, axis: Axis, keepdims: bool) -> Array:
        axes = axis_tuple(function.__name__, axis, x.ndim)
        return _keeping(x, function(x, axes) if axes else x, axes, keepdims)

    return reduce


def _register(reference: Reference, check: Callable[[str, Array, Shape], None]) -> Any:
    name = reference.__name__

    def prepare(x: Array, axes: Shape, /) -> Call:
        check(name, x, axes)
        return Call((x,), {"axes": axes})

    return _reduced(op(prepare)(reference))


def _documented(function: Any, reference: Reference) -> Any:
    function.__name__ = function.__qualname__ = reference.__name__
    function.__doc__, function.__module__ = reference.__doc__, reference.__module__
    return public(function)


def accumulation(reference: Reference) -> Accumulation:
    """Registers a reduction of numbers whose small integers widen to 64 bits."""
    reduce = _register(reference, lambda name, x, _: require(name, x.dtype, "numeric"))

    def function(
        x: ArrayLike,
        /,
        axis: Axis = None,
        *,
        dtype: DTypeLike | None = None,
        keepdims: bool = False,
    ) -> Array:
        array = as_array(x, reference.__name__)
        if dtype is not None:
            array = cast(array, canonical(dtype))
        elif array.dtype == BOOL or is_kind(array.dtype, "signed"):
            array = cast(array, INT)
        elif is_kind(array.dtype, "unsigned"):
            array = cast(array, np.dtype("uint64"))
        return reduce(array, axis, keepdims)

    return _documented(function, reference)


def _check_extremum(name: str, x: Array, axes: Shape) -> None:
    require(name, x.dtype, "real")
    _check_has_elements(name, x, axes)


def _check_has_elements(name: str, x: Array, axes: Shape) -> None:
    if builtins.any(x.shape[axis] == 0 for axis in axes):
        raise ShapeError(
            f"{name}: {spell(x.dtype, x.shape)} has no elements along axes {axes}, and "
            f"the {name} of nothing is not defined"
        )


def _reduction(check: Callable[[str, Array, Shape], None], as_bool: bool) -> Any:
    def decorate(reference: Reference) -> Reduction:
        reduce = _register(reference, check)

        def function(
            x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False
        ) -> Array:
            array = truth(x) if as_bool else as_array(x, reference.__name__)
            if array.dtype == BOOL and not as_bool:
                axes = axis_tuple(reference.__name__, axis, array.ndim)
                _check_has_elements(reference.__name__, array, axes)
                return by_int8(lambda x: reduce(x, axis, keepdims), array)
            check(reference.__name__, array, ())
            return reduce(array, axis, keepdims)

        return _documented(function, reference)

    return decorate


def extremum(reference: Reference) -> Reduction:
    """Registers a reduction of numbers that has no value over no elements."""
    return _reduction(_check_extremum, as_bool=False)(reference)


def quantifier(reference: Reference) -> Reduction:
    """Registers a reduction of truth values."""
    return _reduction(lambda *_: None, as_bool=True)(reference)


@accumulation
def sum(x: np.ndarray, *, axes: Shape) -> np.ndarray:
    """Sum over axes; zero over no elements.

    bools and integers are summed in 64 bits, floats in their own dtype, but float16
    and bfloat16 in float32: their sum is rounded once.

    >>> weft.sum(weft.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Array([4., 6.], dtype=float32)
    """
    return np.sum(x, axis=axes, dtype=x.dtype)


@accumulation
def prod(x: np.ndarray, *, axes: Shape) -> np.ndarray:
    """Product over axes; one over no elements.

    bools and integers are multiplied in 64 bits, floats in their own dtype, but
    float16 and bfloat16 in float32: their product is rounded once.

    >>> weft.prod(weft.asarray([1.0, 2.0, 3.0]))
    Array(6., dtype=float32)
    """
    return np.prod(x, axis=axes, dtype=x.dtype)


@extremum
def max(x: np.ndarray, *, axes: Shape) -> np.ndarray:
    """Largest element along axes; NaN if one of them is. Of bools, whether any is.

    >>> weft.max(weft.asarray([[1, 5], [3, 4]]), axis=1)
    Array([5, 4], dtype=int64)
    """
    return np.max(x, axis=axes)


@extremum
def min(x: np.ndarray, *, axes: Shape) -> np.ndarray:
    """Smallest element along axes; NaN if one of them is. Of bools, whether all are.

    >>> weft.min(weft.asarray([[1, 5], [3, 4]]), axis=1)
    Array([1, 3], dtype=int64)
    """
    return np.min(x, axis=axes)


@quantifier
def any(x: np.ndarray, *, axes: Shape) -> np.ndarray:
    """Whether one element along axes is true (not zero); false for no elements.

    >>> weft.any(weft.asarray([False, True]))
    Array(True, dtype=bool)
    """
    return np.any(x, axis=axes)


@quantifier
def all(x: np.ndarray, *, axes: Shape) -> np.ndarray:
    """Whether every element along axes is true (not zero); true for no elements.

    >>> weft.all(weft.asarray([False, True]))
    Array(False, dtype=bool)
    """
    return np.all(x, axis=axes)


def _arg_extremum(reference: Reference) -> Callable[..., Array]:
    name = reference.__name__

    def prepare(x: Array, axis: int, /) -> Call:
        _check_extremum(name, x, (axis,))
        return Call((x,), {"axis": axis})

    bound = op(prepare)(reference)

    def function(
        x: ArrayLike, /, axis: int | None = None, *, keepdims: bool = False
    ) -> Array:
        array = as_array(x, name)
        if array.dtype == BOOL:
            array = cast(array, np.dtype("int8"))
        if axis is None:
            shape = (1,) * array.ndim if keepdims else ()
            return reshape(bound(reshape(array, (-1,)), 0), shape)
        index = axis_index(name, axis, array.ndim)
        return _keeping(array, bound(array, index), (index,), keepdims)

    return _documented(function, reference)


@_arg_extremum
def argmax(x: np.ndarray, *, axis: int) -> np.ndarray:
    """Position (int64) of the first largest element, or of the first NaN.

    Along an axis, or in the flattened array.

    >>> weft.argmax(weft.asarray([1, 5, 5]))
    Array(1, dtype=int64)
    """
    return np.argmax(x, axis=axis)


@_arg_extremum
def argmin(x: np.ndarray, *, axis: int) -> np.ndarray:
    """Position (int64) of the first smallest element, or of the first NaN.

    Along an axis, or in the flattened array.

    >>> weft.argmin(weft.asarray([3, 1, 1]))
    Array(1, dtype=int64)
    """
    return np.argmin(x, axis=axis)


# ---- composed of the above ----


def _count(x: Array, axis: Axis, name: str) -> int:
    axes = axis_tuple(name, axis, x.ndim)
    return int(np.prod([x.shape[a] for a in axes], dtype=np.int64))


def floats(x: ArrayLike, name: str, kind: Kind = "float") -> Array:
    """An operand of floats, or of another `kind`; integers and bools become float32."""
    array = as_array(x, name)
    if is_kind(array.dtype, "integer or bool"):
        return cast(array, FLOAT)
    require(name, array.dtype, kind)
    return array


def wide(x: Array) -> Array:
    """Floats of at least 32 bits."""
    return cast(x, FLOAT) if is_narrow(x.dtype) else x


@public
def mean(x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False) -> Array:
    """Arithmetic mean over axes, of 16-bit floats in float32; NaN over no elements.

    >>> weft.mean(weft.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Array([2., 3.], dtype=float32)
    """
    array = floats(x, "mean", "inexact")
    total = sum(wide(array), axis=axis, keepdims=keepdims)
    return cast(divide(total, _count(array, axis, "mean")), array.dtype)


@public
def var(
    x: ArrayLike,
    /,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    ddof: float | None = None,
    keepdims: bool = False,
) -> Array:
    """Variance over axes, the squares' sum divided by their count less `correction`.

    `ddof` is another name of `correction`. That of 16-bit floats is computed in
    float32; of complex numbers the squares of absolute values are summed.

    >>> weft.var(weft.asarray([1.0, 2.0, 3.0, 4.0]))
    Array(1.25, dtype=float32)
    """
    array = floats(x, "var", "inexact")
    found = _variance(array, axis, freedom(correction, ddof), keepdims)
    return cast(found, real_dtype(array.dtype))


def freedom(correction: float, ddof: float | None) -> float:
    """What is taken off a count: NumPy has two names for it."""
    return correction if ddof is None else ddof


def _variance(x: Array, axis: Axis, correction: float, keepdims: bool) -> Array:
    x = wide(x)
    centred = subtract(x, mean(x, axis=axis, keepdims=True))
    total = sum(squares_of(centred), axis=axis, keepdims=keepdims)
    left = builtins.max(_count(x, axis, "var") - correction, 0)
    return divide(total, left)


def squares_of(x: Array) -> Array:
    """The squares of absolute values."""
    if is_kind(x.dtype, "complex"):
        return add(square(real(x)), square(imag(x)))
    return square(x)


@public
def std(
    x: ArrayLike,
    /,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    ddof: float | None = None,
    keepdims: bool = False,
) -> Array:
    """Standard deviation over axes: the square root of `weft.var`.

    >>> weft.std(weft.asarray([1.0, 2.0, 3.0, 4.0]))
    Array(1.118034, dtype=float32)
    """
    array = floats(x, "std", "inexact")
    variance = _variance(array, axis, freedom(correction, ddof), keepdims)
    return cast(sqrt(variance), real_dtype(array.dtype))


@public
def count_nonzero(
    x: ArrayLike, /, axis: Axis = None, *, keepdims: bool = False
) -> Array:
    """Number of elements along axes that differ from zero.

    >>> weft.count_nonzero(weft.asarray([0, 3, 4]))
    Array(2, dtype=int64)
    """
    array = as_array(x, "count_nonzero")
    return sum(not_equal(array, 0), axis=axis, keepdims=keepdims)
