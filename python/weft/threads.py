"""How many threads compiled code runs in."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import operator
import os
from typing import Final

from .errors import ArgumentError, public, warn

_MOST: Final = 256
_VARIABLE: Final = "WEFT_NUM_THREADS"


def check_environment() -> None:
    """Warns where the environment names a number of threads that is none."""
    given = os.environ.get(_VARIABLE)
    if given and not (given.isdecimal() and 1 <= int(given) <= _MOST):
        warn(
            f"{_VARIABLE} of the environment is {given!r}, but must be a whole number "
            f"from 1 to {_MOST}; weft.get_num_threads says what is used instead",
            RuntimeWarning,
        )


@public
def get_num_threads() -> int:
    """How many threads compiled code runs a loop in, the calling one included.

    At first as many as the process has processors, or as the environment variable
    `WEFT_NUM_THREADS` says. Loops of little work, and those that are begun while the
    others are busy with another one, run in the calling thread alone.

    >>> weft.get_num_threads() >= 1
    True
    """
    from . import _weft

    return _weft.num_threads()


@public
def set_num_threads(count: int) -> None:
    """Changes how many threads compiled code runs a loop in.

    It holds for the whole process, for what is compiled already too. Results do not
    depend on it.

    Arguments:
        count: From 1 to 256, the calling thread included.

    >>> before = weft.get_num_threads()
    >>> weft.set_num_threads(1)
    >>> weft.get_num_threads()
    1
    >>> weft.set_num_threads(before)
    """
    from . import _weft

    try:
        number = operator.index(count)
    except TypeError:
        number = 0
    if not 1 <= number <= _MOST:
        raise ArgumentError(
            f"set_num_threads takes a whole number from 1 to {_MOST}, not {count!r}"
        )
    _weft.set_num_threads(number)
