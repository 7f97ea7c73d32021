"""The command line, run in this process and as a program."""

import subprocess
import sys

import pytest

from weft.cli import main

MODEL = """
from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypedDict

import weft

Matrix = Annotated[weft.Array, "f32[4,3]"]


class Net(NamedTuple):
    w: Matrix
    b: Annotated[weft.Array, "f32[3]"]


@dataclass
class Batch:
    x: Annotated[weft.Array, "f32[2,4]"]


class Options(TypedDict):
    rate: float


@weft.jit
def loss(net: Net, batch: Batch, options: Options, pair: tuple[Matrix, int] = (0, 0)):
    return weft.sum(batch.x @ net.w + net.b) * options["rate"]


class Layer:
    def __call__(self, x: Matrix):
        return 2 * x


layer = Layer()


def plain(x, y):
    return weft.sin(x) + y


slope = weft.grad(lambda x: weft.sum(plain(x, 1.0)))
"""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return str(path)


def test_emit_from_annotations(model, capsys):
    assert main(["emit", f"{model}:loss", "--stage", "linalg"]) == 0
    printed = capsys.readouterr().out
    assert "linalg.generic" in printed
    assert "model.py" in printed


def test_emit_of_a_callable_object(model, capsys):
    assert main(["emit", f"{model}:layer"]) == 0
    assert "tensor<4x3xf32>" in capsys.readouterr().out


def test_emit_from_arguments(model, capsys, tmp_path):
    specs = ["--arg", "f32[2,3]", "--arg", "y=i64[3]"]
    assert main(["emit", f"{model}:plain", *specs, "--no-locations"]) == 0
    printed = capsys.readouterr().out
    assert "weft.sin %arg0 : tensor<2x3xf32>" in printed
    assert "tensor<3xi64>" in printed
    assert "loc(" not in printed
    output = tmp_path / "out.s"
    command = ["emit", f"{model}:slope", "--arg", "f64[2]", "--stage", "asm"]
    assert main([*command, "-o", str(output)]) == 0
    assert "ret" in output.read_text()


def test_report_says_what_compiling_takes(model, capsys):
    specs = ["--arg", "f64[3]", "--arg", "f64[3]"]
    assert main(["report", f"{model}:plain", *specs]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("plain: ")
    assert "weft-fuse-elementwise" in printed


def test_stages(capsys):
    assert main(["stages"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names[:2] == ["weft", "expanded"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["emit", "nowhere.py:f"], "no file"),
        (["emit", "model"], "FILE.py:FUNCTION"),
        (["emit", "{model}:nothing"], "loss, plain, slope"),
        (["emit", "{model}:plain"], "--arg x=f32[64,32]"),
        (["emit", "{model}:plain", "--arg", "f33[2]"], "does not spell"),
        (["emit", "{model}:plain", "--arg", "z=f32"], "no parameter 'z'"),
        (["emit", "{model}:loss", "--stage", "x"], "they are weft, expanded"),
        (["emit", "{model}:plain", "--arg", "f32[2]", "--arg", "f32[3]"], "broadcast"),
        (["emit", "{model}:plain", "--arg", "f32[4000000000,4000000000]"], "addresses"),
        (["check-grad", "{model}:slope", "--arg", "f32[2]", "--order", "0"], "order"),
        (["check-grad", "{model}:slope", "--arg", "f32[2]", "--seed", "-1"], "no seed"),
        (["emit"], "required"),
    ],
)
def test_errors_take_one_line_and_status_two(model, capsys, arguments, message):
    given = [argument.format(model=model) for argument in arguments]
    try:
        status = main(given)
    except SystemExit as stop:
        status = stop.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert message in printed.err


def test_the_line_that_calls_the_command_is_not_told(capsys):
    assert main(["emit", "nowhere.py:f"]) == 2
    assert capsys.readouterr().err.startswith("weft emit: there is no file nowhere.py")


def test_help_teaches():
    printed = subprocess.run(
        [sys.executable, "-m", "weft", "emit", "--help"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "weft emit model.py:loss" in printed
    assert "Annotated[weft.Array" in printed
