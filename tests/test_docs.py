"""The documentation runs, and what is generated is up to date."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(program: str, directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, program], cwd=directory, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tour_runs(tmp_path: Path) -> None:
    assert "weft.multiply" in run(str(ROOT / "docs" / "tour.py"), tmp_path)


def test_tour_of_transformations_runs(tmp_path: Path) -> None:
    assert "bytes" in run(str(ROOT / "docs" / "transformations.py"), tmp_path)


def test_readme_program_runs(tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block is not None
    (tmp_path / "program.py").write_text(block[1])
    printed = run("program.py", tmp_path)
    # The data is a line with slopes 1, -2 and 0.5.
    assert re.search(r"w \[ *1\. +-2\. +0\.5 *\]", printed), printed
    assert "--- linalg" in printed


def test_dialect_reference_is_current() -> None:
    generated = (ROOT / "build" / "dialects" / "dialect.md").read_text()
    assert (ROOT / "docs" / "dialect.md").read_text() == generated, "run `make docs`"
