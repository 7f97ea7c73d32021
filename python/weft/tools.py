# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The commands of a wheel that run its C++ programs, `weft/bin/weft-opt` and
`weft/bin/weft-lsp-server`; in the development tree the build links them itself.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn


def weft_opt() -> NoReturn:
    """Become `weft-opt`, with the arguments of this process."""
    _become("weft-opt")


def weft_lsp_server() -> NoReturn:
    """Become `weft-lsp-server`, with the arguments of this process."""
    _become("weft-lsp-server")


def _become(program: str) -> NoReturn:
    path = Path(__file__).with_name("bin") / program
    os.execv(path, [program, *sys.argv[1:]])
