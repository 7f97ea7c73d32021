"""Prints what the function `main` of a program on standard input returns.

The program is at stage `weft`, and `main` has no arguments.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import sys

import numpy as np
from mlir import ir

from weft import _weft

DTYPES = {"i1": np.bool_, "f32": np.float32, "f64": np.float64}
DTYPES |= {f"i{n}": np.dtype(f"int{n}") for n in (8, 16, 32, 64)}
DTYPES |= {f"ui{n}": np.dtype(f"uint{n}") for n in (8, 16, 32, 64)}


def result_types(module: ir.Module) -> list[ir.RankedTensorType]:
    """The result types of `main`."""
    for op in module.body.operations:
        if ir.StringAttr(op.attributes["sym_name"]).value == "main":
            signature = ir.TypeAttr(op.attributes["function_type"]).value
            return [ir.RankedTensorType(t) for t in ir.FunctionType(signature).results]
    raise SystemExit("run.py: there is no function `main`")


def main() -> None:
    """Compiles, runs and prints."""
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(sys.stdin.read())
        results = [
            np.empty(t.shape, DTYPES[str(t.element_type)]) for t in result_types(module)
        ]
        for _, pipeline, _ in _weft.stages("cpu"):
            if pipeline:
                _weft.run_pipeline(module, pipeline)
        executable = _weft.compile(module, "main")
    arena = np.empty(max(executable.arena_bytes, 1), np.uint8)
    executable([x.ctypes.data for x in (*results, arena)])
    for result in results:
        print(result.dtype, result.tolist())


main()
