"""How much is done for the speed of a program."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
from typing import Any, Final

from .errors import ArgumentError

DEFAULT_LEVEL: Final = 2
_LEVELS: Final = range(4)
_VARIABLE: Final = "WEFT_OPTIMIZATION_LEVEL"


def checked_level(level: Any, origin: str) -> int:
    """A level that `origin` gave; raises where it is none."""
    if isinstance(level, int) and not isinstance(level, bool) and level in _LEVELS:
        return level
    raise ArgumentError(f"{origin} is {level!r}, but must be an integer from 0 to 3")


def usual_level() -> int:
    """The level of what states none: the environment's, or else 2."""
    given = os.environ.get(_VARIABLE)
    if not given:
        return DEFAULT_LEVEL
    level = int(given) if given.isdecimal() else given
    return checked_level(level, f"{_VARIABLE} of the environment")
