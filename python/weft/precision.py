"""How precise products of float32 must be."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from .errors import ArgumentError

# "highest" computes in the dtype of the sums; "tf32" lets devices that multiply it
# faster round factors to 10 bits of mantissa.
Precision: TypeAlias = Literal["highest", "tf32"]

TF32: Final = "tf32"
_PRECISIONS: Final = ("highest", TF32)


def checked_precision(value: Any, origin: str) -> Precision:
    """A precision that `origin` gave; raises where it is none."""
    if isinstance(value, str) and value in _PRECISIONS:
        return value  # pyright: ignore[reportReturnType]
    spelled = " or ".join(map(repr, _PRECISIONS))
    raise ArgumentError(f"{origin} is {value!r}, but must be {spelled}")
