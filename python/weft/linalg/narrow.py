"""Linear algebra of 16-bit floats: computed in float32, and rounded once."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from .. import ops, tree
from ..array import Array
from ..dtypes import FLOAT, is_kind, is_narrow, promote

P = ParamSpec("P")
R = TypeVar("R")


def through_float32(function: Callable[P, R]) -> Callable[P, R]:
    """Has a function compute in float32 where all floats that it is given are smaller.

    Its results in float32 become floats like those given.
    """

    @functools.wraps(function)
    def wide(*args: P.args, **kwargs: P.kwargs) -> R:
        given = [
            x.dtype
            for x in tree.flatten((args, kwargs))[0]
            if isinstance(x, (Array, np.ndarray, np.generic))
            and is_kind(x.dtype, "float")
        ]
        result = function(*args, **kwargs)
        if not given or not all(map(is_narrow, given)):
            return result
        dtype = promote(given, ())
        leaves, treedef = tree.flatten(result)
        narrow = [
            ops.astype(x, dtype) if isinstance(x, Array) and x.dtype == FLOAT else x
            for x in leaves
        ]
        return tree.unflatten(treedef, narrow)

    return wide
