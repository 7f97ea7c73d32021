"""The op table on the emulated GPU: values of every op at every dtype.

Small arrays run in one block; a device on which everything counts as large has each op
be a kernel of its own, as only large arrays are otherwise.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from typing import Any

import numpy as np
import pytest

import weft
from test_ops import (
    arguments,
    grouped,
    groups,
    of_family,
    program_text,
    quick_at_kinds,
    wrong,
)

ONE_BLOCK = ""
MANY_BLOCKS = "block_work = 1 : i64, "


def text_of(chosen: list[Any], work: str) -> str:
    """A program of ops for a GPU of four multiprocessors."""
    return (
        f"module attributes {{weft.gpu = {{{work}multiprocessors = 4 : i64}}}} {{\n"
        f"{program_text(chosen)}\n}}"
    )


def faults_of(chosen: list[Any], work: str) -> list[str]:
    """How the values of ops on the emulated GPU differ from what they mean."""
    program = weft.parse(text_of(chosen, work), device="cuda-sim")
    computed = grouped(program.compile("cuda-sim")(*arguments(chosen)), chosen)
    faults = [
        wrong(instance.on_gpu(), got, instance.reference(*instance.operands))
        for instance, got in zip(chosen, computed, strict=True)
    ]
    return [fault for fault in faults if fault]


@pytest.mark.parametrize("work", [ONE_BLOCK, MANY_BLOCKS], ids=["one", "many"])
@pytest.mark.parametrize(("name", "dtype"), quick_at_kinds(groups()), ids=str)
def test_values_on_an_emulated_gpu(name: str, dtype: np.dtype[Any], work: str) -> None:
    assert not faults_of(of_family(name, dtype), work)
