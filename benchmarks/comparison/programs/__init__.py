"""The programs that are compared, by what they are made of."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Iterator

from ..case import Case
from . import arrays, attention, convolutions, loops, products, training

MODULES = (arrays, products, attention, convolutions, training, loops)


def cases() -> Iterator[Case]:
    """All programs; the arrays of each are made when its turn comes."""
    for module in MODULES:
        yield from module.cases()
