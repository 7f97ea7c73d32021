"""Prints docs/op-matrix.md: at which dtypes each op can what, from its record."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools
import re
from collections.abc import Iterable

import op_table
from records import COMPLEX, FLOATS, INTEGERS, ROOT, Record, records
from weft.dtypes import BY_MLIR_NAME, MLIR_NAMES

COLUMNS = ("value", "jvp", "vjp", "vmap", "CPU", "CUDA")
DERIVATIVES = ("jvp", "vjp")
NOTHING = "-"

LEGEND = """\
# What each op supports

Made by `make docs` from `dialects/Ops.td` and `tests/op_table.py`. That it says
what the tests check is itself a test (`tests/test_docs.py`).

| column | the dtypes at which | `tests/` |
| --- | --- | --- |
| value | the op is defined and means what its NumPy reference says | `test_ops.py` |
| jvp | it has tangents, for forward mode | `test_derivatives.py` |
| vjp | it has cotangents, for reverse mode | `test_derivatives.py` |
| vmap | it takes stacks of any of its operands | `test_batching.py` |
| CPU | what is compiled for the CPU does the same | `test_ops.py` |
| CUDA | what is compiled for NVIDIA GPUs does, emulated | `test_gpu_ops.py` |

Derivatives of `f64` are compared with differences, those of other floats with
them; second ones as well, both ways over reverse mode.

The dtypes are those of the operand that has a choice (of `select`, those of what
is selected, not of the condition), or of the result where there is no operand.
`ints` is `i8 i16 i32 i64 ui8 ui16 ui32 ui64`, `floats` is `f16 bf16 f32 f64`,
`complex` is `complex<f32> complex<f64>`, and `all` is `bool`, all of these, and what
is only stored and converted, `f8E4M3FN f8E5M2`.

- `none (zero)`: the op has no derivative, being piecewise constant or not of
  floats; tangents and cotangents that meet it are zero. Integers and bools among
  the operands of any op have none either.
- `as its bodies`, `as the function`: what the ops inside support.
- `-`: not supported, or nothing to stack.
"""


def _families() -> list[tuple[int, str]]:
    """The headings of Ops.td and their lines."""
    text = (ROOT / "dialects/Ops.td").read_text()
    headings = re.finditer(r"^//=+-.*\n// (.+)\n//=+-", text, re.MULTILINE)
    return [(text.count("\n", 0, found.start()), found[1]) for found in headings]


def claims(op: Record) -> dict[str, set[str]]:
    """The element types at which an op that computes arrays can what."""
    every = {MLIR_NAMES[dtype] for dtype in op_table.dtypes(op)}
    varying = every & {*FLOATS, *COMPLEX} if op.is_differentiable else set()
    arbitrary = op_table.ROWS[op.name].arbitrary
    varying = {x for x in varying if BY_MLIR_NAME[x].kind not in arbitrary}
    stacked = every if "Batchable" in op.traits else set()
    return {
        "value": every, "jvp": varying, "vjp": varying, "vmap": stacked,
        "CPU": every, "CUDA": every,
    }  # fmt: skip


def _spelled(elements: Iterable[str]) -> str:
    left = set(elements)
    if left == set(MLIR_NAMES.values()):
        return "all"
    words = []
    groups = (("i1",), INTEGERS, FLOATS, COMPLEX)
    for group, word in zip(groups, ("bool", "ints", "floats", "complex"), strict=True):
        if left.issuperset(group):
            words.append(word)
            left -= set(group)
    return " ".join([*words, *sorted(left)]) or NOTHING


def _cells(op: Record) -> list[str]:
    if op.computes_arrays:
        has = claims(op)
        return [
            "none (zero)"
            if column in DERIVATIVES and not has[column]
            else _spelled(has[column])
            for column in COLUMNS
        ]
    inner = "as the function" if op.is_transformation else "as its bodies"
    return [inner] * len(COLUMNS)


def matrix() -> str:
    """The document."""
    headings = [*_families(), (10**9, "")]
    # What only ties others together (`yield`, `barrier`) has no row.
    rows = [
        op
        for op in records().values()
        if op.computes_arrays or op.is_transformation or "ControlFlow" in op.traits
    ]
    parts = [LEGEND]
    for (start, title), (end, _) in itertools.pairwise(headings):
        table = [
            f"| `{op.name}` | {' | '.join(_cells(op))} |"
            for op in rows
            if start <= op.line < end
        ]
        if not table:
            continue
        header = [f"| op | {' | '.join(COLUMNS)} |", "| --- " * 7 + "|"]
        parts.append("\n".join([f"## {title}", "", *header, *table, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    print(matrix(), end="")
