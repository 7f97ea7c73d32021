"""The routines that plans call: how their names are spelled, and how they fail.

A name is that of a kernel in `lowering/runtime`, and the type of its elements:
`cholesky_f32`.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..errors import LinAlgError, display_path, is_internal


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of elements: its letter in LAPACK's names, its dtype and its parts'."""

    letter: str
    dtype: np.dtype[Any]
    real: np.dtype[Any]


KINDS: Final[Mapping[str, Kind]] = {
    "f32": Kind("S", np.dtype("f4"), np.dtype("f4")),
    "f64": Kind("D", np.dtype("f8"), np.dtype("f8")),
    "c64": Kind("C", np.dtype("c8"), np.dtype("f4")),
    "c128": Kind("Z", np.dtype("c16"), np.dtype("f8")),
}


def split(name: str) -> tuple[str, Kind | None]:
    """The kernel of a name, and the type of its elements where it is one of these."""
    kernel, _, suffix = name.rpartition("_")
    return kernel, KINDS.get(suffix)


def position_of(line: str) -> str | None:
    """A plan's "file:line" as errors name it, where it is the user's."""
    file, _, number = line.rpartition(":")
    return f"{display_path(file)}:{number}" if file and not is_internal(file) else None


def failure(kernel: str, reason: str, index: int, count: int, line: str) -> LinAlgError:
    """What is raised for one of so many matrices, as compiled code does."""
    which = f"matrix {index} of {count}" if count > 1 else "the matrix"
    return LinAlgError(f"{kernel}: {which} {reason}", position_of(line))


NO_ORDER: Final = "has rows in no order"


def are_no_orders(orders: np.ndarray) -> np.ndarray:
    """Which matrices have an order that does not name each row once."""
    return (np.sort(orders) != np.arange(orders.shape[-1])).any(axis=-1)
