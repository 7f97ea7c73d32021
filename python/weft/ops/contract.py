"""Sums of products of two arrays over contracted axes, and the dtype of the sums."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import (
    BOOL,
    FLOAT,
    DTypeLike,
    canonical,
    is_kind,
    is_narrow,
    real_dtype,
    require,
    rounded,
    spell,
)
from ..errors import ArgumentError, DTypeError, ShapeError
from ..precision import TF32, Precision, checked_precision
from ..specs import ShapeDtypeStruct
from ..tracer import current_trace
from .registry import (
    ArrayLike,
    Call,
    Shape,
    cast,
    op,
    truth,
)
from .shape import axis_index
from .shape import promoted as in_common_dtype

__all__ = ["dot_general"]

Axes: TypeAlias = Sequence[int]
DimensionNumbers: TypeAlias = tuple[tuple[Axes, Axes], tuple[Axes, Axes]]

# Where the products of bools are counted.
COUNT = np.dtype("uint32")


def promoted(name: str, *args: ArrayLike) -> tuple[Array, ...]:
    """Operands of a sum of products, in their common dtype."""
    arrays = in_common_dtype(name, args)
    dtype = arrays[0].dtype
    if dtype != BOOL:
        require(name, dtype, "numeric")
    return tuple(arrays)


def sum_dtype(
    name: str, dtype: np.dtype[Any], preferred: DTypeLike | None
) -> np.dtype[Any]:
    """The dtype in which products of a dtype are summed, `preferred` if given."""
    if preferred is None:
        return dtype
    chosen = canonical(preferred)
    if chosen == dtype:
        return dtype
    if is_kind(chosen, "complex"):
        sum_dtype(name, real_dtype(dtype), real_dtype(chosen))
        return chosen
    is_wider = dtype.itemsize < chosen.itemsize
    if is_kind(chosen, "float"):
        fits = is_kind(dtype, "integer") or (is_kind(dtype, "float") and is_wider)
    else:
        keeps_sign = is_kind(dtype, "unsigned") or is_kind(chosen, "signed")
        fits = is_kind(dtype, "integer") and is_wider and keeps_sign
    if not fits or not is_kind(chosen, "numeric"):
        raise DTypeError(
            f"{name}: products of {dtype} cannot be summed in {chosen}: "
            "preferred_element_type must be a wider dtype of the kind, or a float; "
            "convert the operands with .astype, or the result"
        )
    return chosen


def precision_attribute(
    name: str, precision: Precision | None, dtype: np.dtype[Any]
) -> dict[str, str]:
    """The attribute that says how precise products summed in a dtype must be.

    There is none where nothing may be rounded. By default it is as the function says
    that is traced.
    """
    if precision is not None:
        precision = checked_precision(precision, f"{name}: precision")
    elif trace := current_trace():
        precision = trace.builder.matmul_precision
    return {"precision": TF32} if precision == TF32 and dtype == FLOAT else {}


def _named(
    dimension_numbers: DimensionNumbers | None, **named: Axes
) -> dict[str, Axes]:
    """The axes by name, whichever way they were given."""
    if dimension_numbers is None:
        return named
    if any(named.values()):
        raise ArgumentError("dot_general takes dimension_numbers or named axes")
    try:
        (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = dimension_numbers
    except (TypeError, ValueError):
        raise ArgumentError(
            f"dot_general: dimension_numbers is {dimension_numbers!r}; it must be "
            "((lhs_contract, rhs_contract), (lhs_batch, rhs_batch))"
        ) from None
    return {
        "lhs_batch": lhs_batch, "rhs_batch": rhs_batch,
        "lhs_contract": lhs_contract, "rhs_contract": rhs_contract,
    }  # fmt: skip


def _check_pairs(left: Array, right: Array, axes: dict[str, Shape]) -> None:
    for kind in ("batch", "contract"):
        pair = axes[f"lhs_{kind}"], axes[f"rhs_{kind}"]
        sizes = (
            tuple(left.shape[a] for a in pair[0]),
            tuple(right.shape[a] for a in pair[1]),
        )
        if sizes[0] != sizes[1]:
            raise ShapeError(
                f"dot_general: the {kind} axes {pair[0]} of "
                f"{spell(left.dtype, left.shape)} and {pair[1]} of "
                f"{spell(right.dtype, right.shape)} have the sizes {sizes[0]} and "
                f"{sizes[1]}; they must be equal"
            )
    for side in ("lhs", "rhs"):
        used = axes[f"{side}_batch"] + axes[f"{side}_contract"]
        if len(set(used)) != len(used):
            raise ArgumentError(f"dot_general: {side} axes {used} name an axis twice")


def _dot_general(
    lhs: ArrayLike,
    rhs: ArrayLike,
    /,
    dimension_numbers: DimensionNumbers | None = None,
    *,
    lhs_contract: Axes = (),
    rhs_contract: Axes = (),
    lhs_batch: Axes = (),
    rhs_batch: Axes = (),
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Call | Array:
    left, right = promoted("dot_general", lhs, rhs)
    given = _named(
        dimension_numbers, lhs_batch=lhs_batch, rhs_batch=rhs_batch,
        lhs_contract=lhs_contract, rhs_contract=rhs_contract,
    )  # fmt: skip
    axes: dict[str, Any] = {
        name: tuple(
            axis_index(
                f"dot_general: {name}", a, (left if name[0] == "l" else right).ndim
            )
            for a in value
        )
        for name, value in given.items()
    }
    _check_pairs(left, right, axes)
    if left.dtype == BOOL:  # whether a product is true
        counted = dot_general(
            cast(left, np.dtype("uint8")), cast(right, np.dtype("uint8")),
            preferred_element_type=COUNT, **axes,
        )  # fmt: skip
        return truth(counted)
    shape = [left.shape[a] for a in axes["lhs_batch"]]
    for x, side in ((left, "lhs"), (right, "rhs")):
        free = _free(x.ndim, axes[f"{side}_batch"], axes[f"{side}_contract"])
        shape += [x.shape[a] for a in free]
    dtype = sum_dtype("dot_general", left.dtype, preferred_element_type)
    attributes = axes | precision_attribute("dot_general", precision, dtype)
    return Call((left, right), attributes, ShapeDtypeStruct(tuple(shape), dtype))


def _grouped(x: np.ndarray, groups: Sequence[Shape]) -> np.ndarray:
    """`x` with the axes of each group merged into one."""
    shape = [math.prod(x.shape[a] for a in group) for group in groups]
    return np.transpose(x, [a for group in groups for a in group]).reshape(shape)


def _free(ndim: int, *used: Shape) -> Shape:
    return tuple(a for a in range(ndim) if a not in sum(used, ()))


def products_summed(
    lhs: np.ndarray, rhs: np.ndarray, batch: tuple[Shape, Shape],
    contract: tuple[Shape, Shape], dtype: np.dtype[Any],
) -> np.ndarray:  # fmt: skip
    """What `dot_general` means, the sums accumulated in a dtype (16-bit floats: 32)."""
    if is_narrow(dtype):
        return rounded(products_summed(lhs, rhs, batch, contract, FLOAT), dtype)
    lhs_free = _free(lhs.ndim, batch[0], contract[0])
    rhs_free = _free(rhs.ndim, batch[1], contract[1])
    left = _grouped(lhs, (batch[0], lhs_free, contract[0])).astype(dtype)
    right = _grouped(rhs, (batch[1], contract[1], rhs_free)).astype(dtype)
    shape = [lhs.shape[a] for a in (*batch[0], *lhs_free)]
    return np.matmul(left, right).reshape(shape + [rhs.shape[a] for a in rhs_free])


@op(_dot_general)
def dot_general(
    lhs: np.ndarray,
    rhs: np.ndarray,
    *,
    lhs_batch: Shape,
    rhs_batch: Shape,
    lhs_contract: Shape,
    rhs_contract: Shape,
    result: ShapeDtypeStruct,
    precision: str | None = None,
) -> np.ndarray:
    """Sum of products over contracted axes, for each index of the batch axes.

    The result has the batch axes, then the other axes of `lhs`, then those of `rhs`.
    The axes are named, or given as
    `((lhs_contract, rhs_contract), (lhs_batch, rhs_batch))`. The sum is accumulated
    in `preferred_element_type`, which becomes the result's dtype: by default that of
    the operands, or a wider one of the kind, or a float. Those of float16 and bfloat16
    are accumulated in float32.

    With `precision="tf32"` a GPU may round the factors of float32 sums to 10 bits of
    mantissa, which its tensor cores multiply several times as fast; on the CPU it
    changes nothing. Derivatives are as precise as what they are of. "highest" rounds
    nothing, and `None` is what `jit`'s `matmul_precision` says, by default "highest".

    Raises `ShapeError` where paired axes differ in size, and `DTypeError` for a dtype
    that cannot hold the products.

    >>> weft.dot_general(weft.ones((2, 3)), weft.ones((4, 3)),
    ...                  lhs_contract=(1,), rhs_contract=(1,)).shape
    (2, 4)
    """
    return products_summed(
        lhs, rhs, (lhs_batch, rhs_batch), (lhs_contract, rhs_contract), result.dtype
    )
