"""Products of vectors, matrices and stacks of them, composed of `dot_general`."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import BOOL, DTypeLike, spell
from ..errors import ArgumentError, ShapeError, public
from ..precision import Precision
from ..specs import joined_shape
from .arithmetic import multiply
from .contract import dot_general, promoted, sum_dtype
from .logic import logical_and
from .parts import conj
from .reduce import any as any_of
from .reduce import sum as sum_of
from .registry import ArrayLike, cast
from .shape import axis_index, integer, moveaxis, reshape, transpose

__all__ = [
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]

Labels: TypeAlias = list[Hashable]


def labelled_product(
    x: tuple[Array, Labels], y: tuple[Array, Labels], out: Labels,
    dtype: np.dtype[Any] | None = None, precision: Precision | None = None,
) -> Array:  # fmt: skip
    """The sum of products of two arrays whose axes have labels, as `einsum` does it.

    Labels of both arrays are walked together, where sizes are equal or 1; those that
    are not in `out` are summed over, in `dtype`. No label repeats within an array.
    """
    (left, l_labels), (right, r_labels) = x, y
    if left.dtype != right.dtype:
        left, right = promoted("einsum", left, right)
    sizes = dict(zip(l_labels, left.shape, strict=True))
    others = dict(zip(r_labels, right.shape, strict=True))
    repeated = {
        label for label in sizes.keys() & others.keys() if sizes[label] != others[label]
    }
    left, l_labels = _without_ones(left, l_labels, repeated)
    right, r_labels = _without_ones(right, r_labels, repeated)
    left, l_labels = summed(left, l_labels, {*out, *r_labels}, dtype)
    right, r_labels = summed(right, r_labels, {*out, *l_labels}, dtype)
    shared = [label for label in l_labels if label in r_labels]
    if all(label in out for label in shared):
        return _elementwise(left, l_labels, right, r_labels, out, dtype)
    batch = [label for label in shared if label in out]
    contract = [label for label in shared if label not in out]
    product = dot_general(
        left, right, preferred_element_type=dtype, precision=precision,
        lhs_batch=[l_labels.index(i) for i in batch],
        rhs_batch=[r_labels.index(i) for i in batch],
        lhs_contract=[l_labels.index(i) for i in contract],
        rhs_contract=[r_labels.index(i) for i in contract],
    )  # fmt: skip
    rest = [i for i in (*l_labels, *r_labels) if i not in shared]
    labels = [*batch, *rest]
    return transpose(product, [labels.index(i) for i in out])


def _without_ones(
    x: Array, labels: Labels, repeated: set[Hashable]
) -> tuple[Array, Labels]:
    """An array without its axes of size 1 that repeat along another's."""
    kept = [
        i for i, label in enumerate(labels) if label not in repeated or x.shape[i] != 1
    ]
    if len(kept) == len(labels):
        return x, labels
    return reshape(x, [x.shape[i] for i in kept]), [labels[i] for i in kept]


def summed(
    x: Array, labels: Labels, kept: set[Hashable], dtype: np.dtype[Any] | None
) -> tuple[Array, Labels]:
    """An array summed over the axes whose labels are not kept."""
    axes = tuple(i for i, label in enumerate(labels) if label not in kept)
    if not axes:
        return x, labels
    left = [label for label in labels if label in kept]
    if x.dtype == BOOL and dtype is None:
        return any_of(x, axis=axes), left
    return sum_of(x, axis=axes, dtype=dtype or x.dtype), left


def _elementwise(
    x: Array, x_labels: Labels, y: Array, y_labels: Labels, out: Labels,
    dtype: np.dtype[Any] | None,
) -> Array:  # fmt: skip
    left, right = (
        _aligned(a if dtype is None else cast(a, dtype), labels, out)
        for a, labels in ((x, x_labels), (y, y_labels))
    )
    if left.dtype == right.dtype == BOOL:
        return logical_and(left, right)
    return multiply(left, right)


def _aligned(x: Array, labels: Labels, out: Labels) -> Array:
    """An array with its axes in the order of `out`, 1 for those that it lacks."""
    order = sorted(range(x.ndim), key=lambda i: out.index(labels[i]))
    sizes = dict(zip(labels, x.shape, strict=True))
    return reshape(transpose(x, order), [sizes.get(label, 1) for label in out])


def _spelled(*arrays: Array) -> str:
    return " and ".join(spell(x.dtype, x.shape) for x in arrays)


def _stacked(
    name: str, x: Array, y: Array, cores: tuple[str, str, str],
    preferred: DTypeLike | None, precision: Precision | None = None,
) -> Array:  # fmt: skip
    """A product of the last axes, named by letters, the axes before them broadcast."""
    lead_x, lead_y = x.ndim - len(cores[0]), y.ndim - len(cores[1])
    try:
        lead = len(joined_shape(x.shape[:lead_x], y.shape[:lead_y]))
    except ValueError:
        raise ShapeError(
            f"{name}: the axes of {_spelled(x, y)} before the last {len(cores[0])} and "
            f"{len(cores[1])} do not broadcast"
        ) from None
    labels = list(range(lead))
    dtype = None if preferred is None else sum_dtype(name, x.dtype, preferred)
    return labelled_product(
        (x, [*labels[lead - lead_x :], *cores[0]]),
        (y, [*labels[lead - lead_y :], *cores[1]]),
        [*labels, *cores[2]],
        dtype,
        precision,
    )


def _check_inner(name: str, x: Array, y: Array, axes: tuple[int, int]) -> None:
    for array, axis in ((x, axes[0]), (y, axes[1])):
        if array.ndim < -axis:
            raise ShapeError(
                f"{name}: {_spelled(x, y)}: an operand has no axis {axis} to contract"
            )
    sizes = x.shape[axes[0]], y.shape[axes[1]]
    if sizes[0] != sizes[1]:
        raise ShapeError(
            f"{name}: {_spelled(x, y)}: axis {axes[0]} of the left operand has "
            f"{sizes[0]} elements and axis {axes[1]} of the right one has {sizes[1]}; "
            "they must be equal"
        )


@public
def matmul(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Matrix product over the last two axes, the axes before them broadcast.

    A one-dimensional operand is a row on the left and a column on the right, and its
    axis does not appear in the result. `preferred_element_type` is the dtype in which
    sums are accumulated, and the result's; `precision` is `dot_general`'s.

    >>> weft.matmul(weft.asarray([[1.0, 2.0]]), weft.asarray([[3.0], [4.0]]))
    Array([[11.]], dtype=float32)
    """
    left, right = promoted("matmul", x, y)
    spelled = f"{spell(left.dtype, left.shape)} @ {spell(right.dtype, right.shape)}"
    if not left.ndim or not right.ndim:
        raise ShapeError(f"matmul: {spelled}: a scalar has no axis to contract; use *")
    inner = max(right.ndim - 2, 0)
    if left.shape[-1] != right.shape[inner]:
        raise ShapeError(
            f"matmul: {spelled}: the last axis of the left operand has "
            f"{left.shape[-1]} elements and axis {inner} of the right one has "
            f"{right.shape[inner]}; they must be equal (transpose with .mT?)"
        )
    row, column = "m" * (left.ndim > 1), "n" * (right.ndim > 1)
    cores = (f"{row}k", f"k{column}", row + column)
    return _stacked("matmul", left, right, cores, preferred_element_type, precision)


@public
def matvec(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Products of matrices, the last two axes of `x`, and vectors, the last of `y`.

    The axes before them broadcast.

    >>> weft.matvec(weft.asarray([[1, 2], [3, 4]]), weft.asarray([1, 10]))
    Array([21, 43], dtype=int64)
    """
    left, right = promoted("matvec", x, y)
    _check_inner("matvec", left, right, (-1, -1))
    _check_inner("matvec", left, left, (-2, -2))
    return _stacked("matvec", left, right, ("mk", "k", "m"), None)


@public
def vecmat(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Products of vectors, the last axis of `x`, and matrices, the last two of `y`.

    The axes before them broadcast.

    >>> weft.vecmat(weft.asarray([1, 10]), weft.asarray([[1, 2], [3, 4]]))
    Array([31, 42], dtype=int64)
    """
    left, right = promoted("vecmat", x, y)
    _check_inner("vecmat", left, right, (-1, -2))
    return _stacked("vecmat", left, right, ("k", "kn", "n"), None)


@public
def vecdot(x: ArrayLike, y: ArrayLike, /, *, axis: int = -1) -> Array:
    """Sum of products of two arrays along one axis, the others broadcast.

    The products are those of the complex conjugate of `x`.

    >>> weft.vecdot(weft.asarray([1.0, 2.0]), weft.asarray([3.0, 4.0]))
    Array(11., dtype=float32)
    """
    left, right = promoted("vecdot", x, y)
    left = conj(left)
    left = moveaxis(left, axis_index("vecdot", axis, left.ndim), -1)
    right = moveaxis(right, axis_index("vecdot", axis, right.ndim), -1)
    _check_inner("vecdot", left, right, (-1, -1))
    return _stacked("vecdot", left, right, ("k", "k", ""), None)


@public
def dot(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Sum of products over the last axis of `x` and the second to last of `y`.

    Of a vector `y` over its only axis; with a scalar the product. The result has the
    other axes of `x`, then those of `y`: stacks are not walked together, as `matmul`
    does it.

    >>> weft.dot(weft.asarray([1.0, 2.0]), weft.asarray([3.0, 4.0]))
    Array(11., dtype=float32)
    """
    left, right = promoted("dot", x, y)
    if not left.ndim or not right.ndim:
        return _scaled("dot", left, right, preferred_element_type)
    axis = -min(right.ndim, 2)
    _check_inner("dot", left, right, (-1, axis))
    return dot_general(
        left, right, lhs_contract=(-1,), rhs_contract=(axis,),
        preferred_element_type=preferred_element_type, precision=precision,
    )  # fmt: skip


def _scaled(name: str, x: Array, y: Array, preferred: DTypeLike | None) -> Array:
    """The product where one operand is a scalar."""
    dtype = None if preferred is None else sum_dtype(name, x.dtype, preferred)
    labels: Labels = list(range(max(x.ndim, y.ndim)))
    return labelled_product((x, labels[: x.ndim]), (y, labels[: y.ndim]), labels, dtype)


@public
def inner(
    x: ArrayLike,
    y: ArrayLike,
    /,
    *,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Sum of products over the last axes of both arrays; with a scalar the product.

    The result has the other axes of `x`, then those of `y`.

    >>> weft.inner(weft.asarray([[1, 2], [3, 4]]), weft.asarray([1, 10]))
    Array([21, 43], dtype=int64)
    """
    left, right = promoted("inner", x, y)
    if not left.ndim or not right.ndim:
        return _scaled("inner", left, right, preferred_element_type)
    _check_inner("inner", left, right, (-1, -1))
    return dot_general(
        left, right, lhs_contract=(-1,), rhs_contract=(-1,),
        preferred_element_type=preferred_element_type, precision=precision,
    )  # fmt: skip


@public
def vdot(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Sum of the products of all elements, both arrays flattened.

    The products are those of the complex conjugate of `x`.

    >>> weft.vdot(weft.asarray([[1, 2], [3, 4]]), weft.asarray([[1, 1], [1, 1]]))
    Array(10, dtype=int64)
    """
    left, right = (reshape(a, (-1,)) for a in promoted("vdot", x, y))
    left = conj(left)
    _check_inner("vdot", left, right, (-1, -1))
    return dot_general(left, right, lhs_contract=(0,), rhs_contract=(0,))


@public
def outer(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Products of each element of an array with each of another, both flattened.

    >>> weft.outer(weft.asarray([1, 2]), weft.asarray([3, 4]))
    Array([[3, 4],
           [6, 8]], dtype=int64)
    """
    left, right = (reshape(a, (-1,)) for a in promoted("outer", x, y))
    return labelled_product((left, ["i"]), (right, ["j"]), ["i", "j"])


@public
def kron(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Kronecker product: `y` in place of each element of `x`, times it.

    Of arrays of different rank the smaller one gets axes of size 1 in front.

    >>> weft.kron(weft.asarray([1, 10]), weft.asarray([1, 2, 3]))
    Array([ 1,  2,  3, 10, 20, 30], dtype=int64)
    """
    left, right = promoted("kron", x, y)
    ndim = max(left.ndim, right.ndim)
    left, right = (reshape(a, (1,) * (ndim - a.ndim) + a.shape) for a in (left, right))
    outer_labels: Labels = [("x", i) for i in range(ndim)]
    inner_labels: Labels = [("y", i) for i in range(ndim)]
    pairs = zip(outer_labels, inner_labels, strict=True)
    product = labelled_product(
        (left, outer_labels), (right, inner_labels), [i for pair in pairs for i in pair]
    )
    return reshape(
        product, [m * n for m, n in zip(left.shape, right.shape, strict=True)]
    )


@public
def tensordot(
    x: ArrayLike,
    y: ArrayLike,
    /,
    axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2,
    *,
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Sum of products over pairs of axes of two arrays.

    `axes` is a number n (the last n axes of `x` with the first n of `y`), or for each
    array an axis or a sequence of axes. The result has the other axes of `x`, then
    those of `y`.

    >>> weft.tensordot(weft.ones((2, 3)), weft.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    left, right = promoted("tensordot", x, y)
    l_axes, r_axes = _contracted_axes(left, right, axes)
    if len(l_axes) != len(r_axes):
        raise ArgumentError(
            f"tensordot: axes names {len(l_axes)} axes of the left operand and "
            f"{len(r_axes)} of the right one"
        )
    l_sizes = tuple(left.shape[axis_index("tensordot", a, left.ndim)] for a in l_axes)
    r_sizes = tuple(right.shape[axis_index("tensordot", a, right.ndim)] for a in r_axes)
    if l_sizes != r_sizes:
        raise ShapeError(
            f"tensordot: {_spelled(left, right)}: axes {l_axes} of the left operand "
            f"have the sizes {l_sizes} and axes {r_axes} of the right one {r_sizes}; "
            "they must be equal"
        )
    return dot_general(
        left, right, lhs_contract=l_axes, rhs_contract=r_axes,
        preferred_element_type=preferred_element_type, precision=precision,
    )  # fmt: skip


def _contracted_axes(x: Array, y: Array, axes: Any) -> tuple[Any, Any]:
    if isinstance(axes, (tuple, list)):
        if len(axes) != 2:
            raise ArgumentError(
                f"tensordot: axes is {axes!r}; it must be a number, or one axis or "
                "sequence of axes for each operand"
            )
        first, second = (tuple(a) if isinstance(a, (tuple, list)) else (a,)
                         for a in axes)  # fmt: skip
        return first, second
    count = integer("tensordot", "axes", axes)
    if not 0 <= count <= min(x.ndim, y.ndim):
        raise ArgumentError(
            f"tensordot: {count} axes cannot be contracted between shapes "
            f"{x.shape} and {y.shape}"
        )
    return tuple(range(x.ndim - count, x.ndim)), tuple(range(count))
