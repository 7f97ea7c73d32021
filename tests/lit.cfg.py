"""How lit runs the MLIR tests in tests/ir: `lit tests/ir`, or one file of them."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# lit defines `config` and `lit_config` before it runs this file.
# ruff: noqa: F821
# pyright: reportUndefinedVariable=false

import os
import shutil
import sys
from pathlib import Path

import lit.formats

root = Path(__file__).resolve().parent.parent
build = Path(os.environ.get("WEFT_BUILD", root / "build"))

config.name = "weft"
config.suffixes = [".mlir"]
config.test_source_root = str(root / "tests")
config.test_exec_root = str(build / "tests")
config.test_format = lit.formats.ShTest(execute_external=False)


def find_tool(name: str, folders: list[str]) -> str:
    """The path of a tool, with LLVM's version in its name or without."""
    for candidate in (f"{name}-22", name):
        found = shutil.which(candidate, path=os.pathsep.join(folders))
        if found:
            return found
    lit_config.fatal(f"{name} is not installed: it is in Debian's llvm-22-tools")


system = [os.environ.get("LLVM_TOOLS", "/usr/lib/llvm-22/bin"), os.environ["PATH"]]
weft_opt = find_tool("weft-opt", [str(build / "bin")])
file_check = find_tool("FileCheck", system)
expect_failure = find_tool("not", system)

# Names as whole words, so that a path that holds one is left alone.
config.substitutions += [
    (r"(?<![\w/-])weft-opt(?![\w-])", weft_opt),
    (r"(?<![\w/-])FileCheck(?![\w-])", file_check),
    (r"(?<![\w/-])not(?![\w-])", expect_failure),
    # %weft-run prints what the function `main` of a file returns.
    (r"%weft-run", f"{sys.executable} {root / 'tests' / 'ir' / 'run.py'}"),
]
config.environment["PYTHONPATH"] = str(root / "python")
