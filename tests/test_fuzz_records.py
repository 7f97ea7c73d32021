"""No input ends the process: wrong operations get diagnostics or exceptions, each."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fuzz_cases import ATTRIBUTES, FOREIGN, NATIVE, wrong_operations
from records import ROOT, WEFT_OPT

SPLIT = "// -----\n"
BATCH = 500


def _weft_opt(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [WEFT_OPT, "--split-input-file", "--mlir-disable-threading",
               "--allow-unregistered-dialect", *options, "-o", "/dev/null"]  # fmt: skip
    return subprocess.run(command, input=text, capture_output=True, text=True)


def _survived(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether no signal, assertion or fatal error of LLVM's stopped a process."""
    return done.returncode in (0, 1) and "weft-opt: error:" not in done.stderr


def _culprit(cases: Sequence[str], *options: str) -> str:
    """One of the cases that stops the process."""
    while len(cases) > 1:
        half = len(cases) // 2
        first = _weft_opt(SPLIT.join(cases[:half]), *options)
        cases = cases[half:] if _survived(first) else cases[:half]
    return cases[0]


def _survives(cases: Sequence[str], *options: str) -> None:
    # One process for many cases; for very many, its diagnostics take quadratic time.
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        if _survived(_weft_opt(SPLIT.join(batch), *options)):
            continue
        case = _culprit(batch, *options)
        done = _weft_opt(case, *options)
        pytest.fail(
            f"weft-opt {' '.join(options)} ends with {done.returncode} on\n{case}\n"
            f"{done.stderr[-2000:]}"
        )


def for_long(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that looks further than there is time for each time."""
    return pytest.mark.slow(pytest.mark.fuzz(test))


PASSES = [
    pytest.param((), id="verify"),
    pytest.param(("--canonicalize", "--cse"), id="fold"),
    pytest.param(("--weft-expand-transforms",), id="expand"),
    pytest.param(("--weft-lower-to-linalg",), id="lower"),
]


def _generic(count: int, seed: int, options: tuple[str, ...]) -> None:
    _survives([str(operation) for operation in wrong_operations(count, seed)], *options)


@pytest.mark.parametrize("options", PASSES)
def test_generic_form(options: tuple[str, ...]) -> None:
    _generic(25, 0, options)


@for_long
@pytest.mark.parametrize("options", PASSES)
@pytest.mark.parametrize("seed", range(1, 5))
def test_generic_form_for_long(options: tuple[str, ...], seed: int) -> None:
    _generic(200, seed, options)


# ---- custom form: the round-trip tests, word by word ----

WORD = re.compile(
    r"!?[\w.]*<[^<>]*>|@\w+|%\w+(?::\d+|#\d+)?|-?\w[\w.]*|\[[^\]]*\]|\S"
)  # fmt: skip
NUMBERS = (
    "-1",
    "0",
    "1",
    "99",
    "9223372036854775807",
    "99999999999999999999999",
    "1.5",
)
ODDITIES = (
    *FOREIGN, *NATIVE, *ATTRIBUTES, *NUMBERS, "[]", "[0]", "[-1]", "[1, 0]", "[0, 0]",
    "[9223372036854775807]", "[,]", "[0.5]", "%nothing", "@nowhere", *':,()<>{}"x',
    "->", "to",
)  # fmt: skip


def _functions() -> list[str]:
    """The functions of all round-trip tests, with what they call."""
    found = []
    for path in sorted((ROOT / "tests/ir/dialect").glob("*/ops.mlir")):
        text = re.sub(r"^ *//.*\n", "", path.read_text(), flags=re.MULTILINE)
        found += re.findall(r"^func\.func @.*?^}\n", text, re.MULTILINE | re.DOTALL)
    return found


CALLEE = (
    "func.func private @f(tensor<4xf32>, tensor<i64>) -> (tensor<f32>, tensor<4xi1>)\n"
)


def _changed_line(line: str, draw: random.Random) -> str:
    words = WORD.findall(line)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        where = draw.randrange(len(words) + 1)
        change = draw.random()
        if change < 0.2 or where == len(words):
            words.insert(where, draw.choice(ODDITIES))
        elif change < 0.4:
            del words[where]
        elif change < 0.5:
            words[where] = draw.choice(words)
        else:
            words[where] = draw.choice(ODDITIES)
        if not words:
            break
    return " ".join(words)


def _changed_functions(count: int, seed: int) -> list[str]:
    """Each op of each function changed `count` times, one at a time."""
    draw, found = random.Random(seed), []
    for function in _functions():
        lines = function.splitlines()
        ops = [i for i, line in enumerate(lines) if "weft." in line]
        for i in ops * count:
            changed = [*lines[:i], _changed_line(lines[i], draw), *lines[i + 1 :]]
            # What comes after would only be more of the same.
            body = [line for j, line in enumerate(changed) if j <= i or j not in ops]
            found.append(CALLEE + "\n".join(body) + "\n")
    return found


@pytest.mark.parametrize("options", PASSES[:2])
def test_custom_form(options: tuple[str, ...]) -> None:
    _survives(_changed_functions(20, 0), *options)


@for_long
@pytest.mark.parametrize("options", PASSES)
@pytest.mark.parametrize("seed", range(1, 5))
def test_custom_form_for_long(options: tuple[str, ...], seed: int) -> None:
    _survives(_changed_functions(150, seed), *options)


# ---- builders ----


def _build(count: int, seed: int) -> None:
    script = Path(__file__).with_name("fuzz_cases.py")
    command = [sys.executable, script, str(count), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True)
    last = done.stdout.rpartition("// infer_type")[2]
    assert done.returncode == 0, f"{done.stderr[-2000:]}\nlast: infer_type{last}"


def test_builders() -> None:
    _build(25, 0)


@for_long
@pytest.mark.parametrize("seed", range(1, 5))
def test_builders_for_long(seed: int) -> None:
    _build(200, seed)
