"""The bounds that docs/accuracy.md states, on a smaller sample."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
from pathlib import Path

import numpy as np
import pytest

from accuracy import F32, F64, FUNCTIONS, Function, errors
from records import array_ops

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_bound(function: Function) -> None:
    for dtype, bound in zip((F32, F64), function.bounds, strict=True):
        found, arrays = errors(function, dtype, 40, seed=1)
        worst = int(np.nanargmax(found))
        at = [x[worst] for x in arrays]
        assert found[worst] <= bound, f"{dtype}: {found[worst]} ulps off at {at}"
        assert np.count_nonzero(~np.isnan(found)) > len(found) / 4


def test_documentation_states_these_bounds() -> None:
    text = (ROOT / "docs" / "accuracy.md").read_text()
    stated = {
        cells[0]: (float(cells[3]), float(cells[6]))
        for line in text.splitlines()
        if re.match(r"\| (?!function)\w", line)
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    assert stated == {f.name: f.bounds for f in FUNCTIONS}, (
        "run `python benchmarks/accuracy.py --write`"
    )


def test_every_function_is_measured() -> None:
    """Ops of floats whose value no standard fixes: those that may be some ulps off."""
    import op_table

    measured = {function.name.split(",")[0].split(" ")[0] for function in FUNCTIONS}
    measured |= {"bessel_i"} if {"i0", "i1"} <= measured else set()
    inexact = {
        op.name
        for op in array_ops()
        if op.is_elementwise and op_table.ROWS[op.name].ulps
    }
    assert inexact - measured == set()
