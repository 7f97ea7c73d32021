"""The diff in docs/adding-an-op.md applies, builds, and passes the tests of its op."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture
def diff(tmp_path: Path) -> Path:
    """The diff as a file."""
    text = (ROOT / "docs" / "adding-an-op.md").read_text()
    found = re.search(r"```diff\n(.*?)```", text, re.S)
    assert found is not None
    file = tmp_path / "op.diff"
    file.write_text(found[1])
    return file


def test_the_diff_applies(diff: Path) -> None:
    run("git", "apply", "--check", diff, cwd=ROOT)


@pytest.mark.slow
def test_the_diff_adds_an_op(diff: Path, tmp_path: Path) -> None:
    tree = tmp_path / "weft"
    run("git", "clone", "--quiet", ROOT, tree, cwd=tmp_path)
    run("git", "apply", diff, cwd=tree)

    build = tree / "build"
    run(
        *("cmake", "-G", "Ninja", "-S", tree, "-B", build),
        f"-DPython_EXECUTABLE={sys.executable}",
        cwd=tree,
    )
    run("cmake", "--build", build, cwd=tree)
    tests = ("tests/test_ops.py", "tests/test_complete.py")
    python_path = str(tree / "python")
    printed = run(
        *(sys.executable, "-m", "pytest", "-q", *tests),
        cwd=tree,
        PYTHONPATH=python_path,
    )
    assert " passed" in printed
    run(
        *(Path(sys.executable).with_name("lit"), "-q", "tests/ir/dialect/elementwise"),
        cwd=tree,
        PYTHONPATH=python_path,
    )
    program = "import weft; print(float(weft.jit(weft.grad(weft.softsign))(1.0)))"
    assert run(sys.executable, "-c", program, cwd=tree, PYTHONPATH=python_path) == (
        "0.25\n"
    )
