"""The methods that arrays share with NumPy's and that say what a function says."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from . import ops
from .errors import public_methods

if TYPE_CHECKING:
    from .array import Array
    from .dtypes import DTypeLike
    from .ops.reduce import Axis
    from .ops.registry import ArrayLike


def _array(methods: ArrayMethods) -> Array:
    return cast("Array", methods)


@public_methods
class ArrayMethods:
    """Functions of an array, as its methods; see the function of each name."""

    __slots__ = ()

    # ---- moved ----

    def ravel(self) -> Array:
        """The elements in one dimension."""
        return ops.ravel(_array(self))

    def flatten(self) -> Array:
        """The elements in one dimension."""
        return ops.ravel(_array(self))

    def squeeze(self, axis: int | Sequence[int] | None = None) -> Array:
        """This array without axes of size one."""
        return ops.squeeze(_array(self), axis)

    def swapaxes(self, axis1: int, axis2: int) -> Array:
        """This array with two axes in each other's place."""
        return ops.swapaxes(_array(self), axis1, axis2)

    def repeat(
        self,
        repeats: ArrayLike,
        axis: int | None = None,
        *,
        total_repeat_length: int | None = None,
    ) -> Array:
        """Each element repeated (see `weft.repeat`)."""
        return ops.repeat(
            _array(self),
            repeats,
            axis,
            total_repeat_length=total_repeat_length,
        )

    def take(
        self,
        indices: ArrayLike,
        axis: int | None = None,
        *,
        mode: Any = "fill",
        fill_value: ArrayLike | None = None,
    ) -> Array:
        """The elements at indices along an axis (see `weft.take`)."""
        return ops.take(_array(self), indices, axis, mode=mode, fill_value=fill_value)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
        """The elements of a diagonal (see `weft.diagonal`)."""
        return ops.diagonal(_array(self), offset, axis1, axis2)

    # ---- ordered ----

    def sort(
        self, axis: int | None = -1, *, descending: bool = False, stable: bool = True
    ) -> Array:
        """The elements along an axis in order (see `weft.sort`): a new array."""
        return ops.sort(_array(self), axis, descending=descending, stable=stable)

    def argsort(
        self, axis: int | None = -1, *, descending: bool = False, stable: bool = True
    ) -> Array:
        """The indices that sort this array (see `weft.argsort`)."""
        return ops.argsort(_array(self), axis, descending=descending, stable=stable)

    def searchsorted(
        self, values: ArrayLike, side: Any = "left", sorter: ArrayLike | None = None
    ) -> Array:
        """Where values belong in this sorted array (see `weft.searchsorted`)."""
        return ops.searchsorted(_array(self), values, side, sorter)

    def nonzero(
        self, *, size: int | None = None, fill_value: Any = None
    ) -> tuple[Array, ...]:
        """The indices of the elements that are not zero (see `weft.nonzero`)."""
        return ops.nonzero(_array(self), size=size, fill_value=fill_value)

    # ---- summed up ----

    def cumsum(
        self,
        axis: int | None = None,
        dtype: DTypeLike | None = None,
        *,
        reverse: bool = False,
    ) -> Array:
        """Running sum along an axis (see `weft.cumsum`)."""
        return ops.cumsum(_array(self), axis, dtype, reverse=reverse)

    def cumprod(
        self,
        axis: int | None = None,
        dtype: DTypeLike | None = None,
        *,
        reverse: bool = False,
    ) -> Array:
        """Running product along an axis (see `weft.cumprod`)."""
        return ops.cumprod(_array(self), axis, dtype, reverse=reverse)

    def ptp(self, axis: Axis = None, keepdims: bool = False) -> Array:
        """The largest element along axes less the smallest one (see `weft.ptp`)."""
        return ops.ptp(_array(self), axis, keepdims=keepdims)

    # ---- element by element ----

    @property
    def real(self) -> Array:
        """The real parts; of real numbers, themselves."""
        return ops.real(_array(self))

    @property
    def imag(self) -> Array:
        """The imaginary parts; of real numbers, zeros."""
        return ops.imag(_array(self))

    def conj(self) -> Array:
        """The complex conjugates; of real numbers, themselves."""
        return ops.conj(_array(self))

    def round(self, decimals: int = 0) -> Array:
        """The nearest numbers of so many decimals (see `weft.round`)."""
        return ops.round(_array(self), decimals)

    def clip(
        self,
        min: ArrayLike | None = None,  # noqa: A002
        max: ArrayLike | None = None,  # noqa: A002
    ) -> Array:
        """The elements held between two bounds (see `weft.clip`)."""
        return ops.clip(_array(self), min, max)

    def copy(self) -> Array:
        """An array of these elements in memory of its own."""
        return ops.asarray(_array(self), copy=True)
