"""What an index may contain, checked and made into one entry for each axis.

Masks whose elements are known become arrays of integers here: NumPy's own rule.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import builtins
import operator
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, TypeAlias

import numpy as np

from ..array import Array
from ..dtypes import INT, is_kind, spell
from ..errors import IndexingError
from ..tracer import Tracer
from .registry import Shape, as_array

BasicIndex: TypeAlias = int | builtins.slice | EllipsisType | None
IndexEntry: TypeAlias = BasicIndex | Array | np.ndarray | list[Any] | tuple[Any, ...]
Index: TypeAlias = IndexEntry | tuple[IndexEntry, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """A bool among indices: an array of one element or of none, for no axis."""

    holds: bool

    @property
    def shape(self) -> Shape:
        """The shape that broadcasts with those of the other arrays."""
        return (int(self.holds),)


def known(x: Array) -> np.ndarray | None:
    """The elements of an array, where they are known while a program is traced."""
    if not isinstance(x, Tracer):
        return x.data
    x.check_alive()
    return x.trace.evaluate(x)


def is_mask(entry: object) -> bool:
    """Whether an entry is an array of bools."""
    return isinstance(entry, Array) and is_kind(entry.dtype, "bool")


def expanded(x: Array, index: Index) -> list[Any]:
    """The entries of an index, one for each axis, mask and `None`.

    They are integers from 0, slices, `None`, arrays of integers and of bools; and
    `...`, where it stands for no axis but keeps arrays apart.
    """
    given = index if isinstance(index, tuple) else (index,)
    entries = [_entry(entry) for entry in given]
    used = builtins.sum(axes_of(entry) for entry in entries)
    if used > x.ndim:
        raise IndexingError(
            f"too many indices: {used} for an array of {x.ndim} "
            f"dimension{'' if x.ndim == 1 else 's'} (shape {x.shape})"
        )
    ellipses = [i for i, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexingError("an index takes one '...' at most")
    place = ellipses[0] if ellipses else len(entries)
    whole: list[Any] = [builtins.slice(None)] * (x.ndim - used)
    if ellipses and not whole:
        whole = [Ellipsis]
    full = [*entries[:place], *whole, *entries[place + 1 :]]
    axes = np.cumsum([0, *(axes_of(entry) for entry in full)])
    return [
        _placed(x, entry, int(axis)) for entry, axis in zip(full, axes, strict=False)
    ]


def axes_of(entry: object) -> int:
    """How many axes of an array an entry is about."""
    if entry is None or entry is Ellipsis or isinstance(entry, Truth):
        return 0
    return entry.ndim if isinstance(entry, Array) and is_mask(entry) else 1


def resolved(entries: list[Any]) -> list[Any]:
    """Entries without masks: each one is the integers of where it holds."""
    found = []
    for entry in entries:
        found += _where_true(entry) if is_mask(entry) else [entry]
    return found


def _where_true(mask: Array) -> list[Any]:
    holds = known(mask)
    if holds is None:
        raise IndexingError(
            f"a mask whose elements are not known while a program is traced "
            f"({spell(mask.dtype, mask.shape)}) cannot be an index: how many elements "
            "it takes decides the shape of the result. Use weft.where(mask, x, other) "
            "for a choice, x.at[mask].set(value) for an update, and "
            "weft.nonzero(mask, size=n) for the first n indices"
        )
    if not holds.ndim:
        return [Truth(bool(holds))]
    return [Array(places) for places in np.nonzero(holds)]


def _entry(entry: Any) -> Any:
    if entry is None or entry is Ellipsis or isinstance(entry, builtins.slice):
        return entry
    if isinstance(entry, (list, tuple, range)):
        entry = _of_sequence(entry)
    if isinstance(entry, (bool, np.bool_)):
        return Array(np.asarray(entry))
    if isinstance(entry, (Array, np.ndarray)):
        return _of_array(as_array(entry, "an index"))
    if hasattr(entry, "__index__"):
        return operator.index(entry)
    raise _no_index(f"an object of type {type(entry).__name__!r}")


def _of_array(entry: Array) -> Array | int:
    if not is_kind(entry.dtype, "integer or bool"):
        raise _no_index(
            f"an array of {entry.dtype} ({spell(entry.dtype, entry.shape)})"
        )
    single = type(entry) is Array and not entry.ndim and not is_mask(entry)
    return operator.index(entry) if single else entry


def _of_sequence(entry: Any) -> Array:
    from .create import asarray

    for item in entry:
        if item is None or item is Ellipsis or isinstance(item, builtins.slice):
            raise IndexingError(
                "a list among indices is an array of integers or bools; for slices, "
                "None and '...' use a tuple: x[0, :]"
            )
    array = asarray(list(entry))
    return array if array.size else Array(np.zeros(array.shape, INT))


def _no_index(what: str) -> IndexingError:
    return IndexingError(
        f"{what} is no index and is not supported as one; an index is made of "
        "integers, slices, None, '...' and arrays of integers or bools"
    )


def _placed(x: Array, entry: Any, axis: int) -> Any:
    """An entry that fits the axes that it is about."""
    if isinstance(entry, int):
        return _position(x, entry, axis)
    if is_mask(entry):
        covered = x.shape[axis : axis + entry.ndim]
        if entry.shape != covered:
            raise IndexingError(
                f"a mask of shape {entry.shape} does not fit the axes from {axis} on "
                f"of {spell(x.dtype, x.shape)}, which have shape {covered}"
            )
    return entry


def _position(x: Array, entry: int, axis: int) -> int:
    size = x.shape[axis]
    if not -size <= entry < size:
        raise IndexingError(
            f"index {entry} is out of range for axis {axis} of size {size} (shape "
            f"{x.shape})"
        )
    return entry % size
