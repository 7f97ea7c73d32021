"""The command line: `weft emit` prints a function, `weft report` says what compiling
it takes, `weft check-grad` checks it.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import inspect
import sys
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from . import tree
from .dtypes import is_kind
from .errors import ArgumentError, WeftError, user_position
from .jit import Jitted, jit
from .lowered import Lowered
from .program import stage_index, stages
from .specs import ShapeDtypeStruct, parse_spec
from .testing import DerivativeError, check_grads
from .transforms import Transformed
from .transforms.common import standing_for

_DESCRIPTION = """\
Looks into the programs that Weft compiles.

  weft stages                               the stages of a program, one a line
  weft emit model.py:loss --stage linalg    a function at one of them
  weft report model.py:loss                 what compiling it takes, pass by pass
  weft check-grad model.py:loss             its derivatives and its batching
"""

_EMIT = """\
Prints a function of a Python file at a stage of its compilation.

The shapes and dtypes of its arguments come from --arg, in the order of the
parameters or as name=SPEC, or else from the function's own annotations:

  Images = Annotated[weft.Array, "f32[64,784]"]
  def loss(params: Params, images: Images, rate: float): ...

where Params may be a NamedTuple, a dataclass, a TypedDict or a tuple[...] of
such annotations. A SPEC is a dtype and sizes: f32[64,32], i64[10], bool[3], f64.

examples:
  weft emit model.py:loss                             as it was traced
  weft emit model.py:loss --stage linalg -o loss.mlir
  weft emit model.py:f --arg f32[64,32] --arg x=i64[64] --stage asm
  weft emit model.py:f --arg f32[8] --no-locations | weft-opt --weft-cpu
  weft emit model.py:f --arg f32[8] --device sm_90a --stage ptx
"""

_REPORT = """\
Compiles a function of a Python file and prints what each pass took: milliseconds,
and the ops before and after it; then LLVM's steps.

The shapes and dtypes of the arguments are given as for `weft emit`.

example:
  weft report model.py:f --arg f32[64,32] --arg x=i64[64]
"""

_CHECK = """\
Checks the derivatives of a function of a Python file at random arguments: by
difference quotients, the dot-product test, forward against reverse mode, and
batching against a loop (see weft.testing.check_grads). Exits with status 1 where
one is wrong.

The shapes and dtypes of the arguments are given as for `weft emit`. Floats are
drawn from a normal distribution, integers from 0, 1 and 2.

examples:
  weft check-grad model.py:loss
  weft check-grad model.py:f --arg f32[8] --arg n=i64 --order 1 --modes rev
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser("weft", description=_DESCRIPTION, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    emit = commands.add_parser(
        "emit", help="print a function at a stage", description=_EMIT,
        formatter_class=raw,
    )  # fmt: skip
    _add_target(emit, "what to print")
    emit.add_argument("--stage", default="weft", help="the stage (default: weft)")
    emit.add_argument("-o", "--output", metavar="FILE", help="write there instead")
    emit.add_argument(
        "--no-locations", action="store_true",
        help="leave the lines of the Python file out of the text",
    )  # fmt: skip
    report = commands.add_parser(
        "report", help="say what compiling a function takes", description=_REPORT,
        formatter_class=raw,
    )  # fmt: skip
    _add_target(report, "what to compile")
    check = commands.add_parser(
        "check-grad", help="check a function's derivatives", description=_CHECK,
        formatter_class=raw,
    )  # fmt: skip
    _add_target(check, "what to check")
    check.add_argument(
        "--order", type=int, default=2, choices=range(1, 10), metavar="ORDER",
        help="up to this derivative (default: 2)",
    )  # fmt: skip
    check.add_argument(
        "--modes", default="fwd,rev", help="of fwd and rev (default: fwd,rev)"
    )
    check.add_argument(
        "--seed", type=_seed, default=0, help="of the random arguments (default: 0)"
    )
    listing = commands.add_parser(
        "stages", help="list the stages of a program", formatter_class=raw,
        description="Lists the stages of a program for a device, in order.",
    )  # fmt: skip
    for command in (emit, report, listing):
        command.add_argument(
            "--device", default="cpu",
            help="cpu, cuda, cuda-sim, or the name of a GPU's chip: sm_90a "
            "(default: cpu)",
        )  # fmt: skip
    return parser


def _add_target(parser: argparse.ArgumentParser, purpose: str) -> None:
    parser.add_argument("target", metavar="FILE.py:FUNCTION", help=purpose)
    parser.add_argument(
        "--arg", action="append", default=[], metavar="[NAME=]SPEC",
        help="the shape and dtype of an argument; once for each",
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = _parser().parse_args(argv)
    try:
        text = _COMMANDS[options.command](options)
        _write(text, getattr(options, "output", None))
    except WeftError as error:
        # The line that calls this is nobody's.
        is_ours = error.position == user_position()
        line = " ".join((error.message if is_ours else str(error)).split())
        print(f"weft {options.command}: {line}", file=sys.stderr)
        return 1 if isinstance(error, DerivativeError) else 2
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        print(f"weft {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _write(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        Path(output).write_text(text)


def _target(options: argparse.Namespace) -> str:
    return "cpu" if options.device == "cpu" else "cuda"


def _stages(options: argparse.Namespace) -> str:
    known = stages(_target(options))
    return "".join(f"{stage.name:<10}{stage.doc}\n" for stage in known)


def _emit(options: argparse.Namespace) -> str:
    stage_index(options.stage, _target(options))
    lowered = _lowered(options)
    return lowered.text(options.stage, locations=not options.no_locations)


def _report(options: argparse.Namespace) -> str:
    return f"{_lowered(options).compile_report()}\n"


def _lowered(options: argparse.Namespace) -> Lowered:
    function = _load(options.target)
    args, kwargs = _arguments(function, options.arg)
    jitted = function if hasattr(function, "lower") else jit(function)
    return jitted.lower(*args, device=options.device, **kwargs)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: 0, 1, ...")
    return int(text)


def _check_grad(options: argparse.Namespace) -> str:
    function = _load(options.target)
    args, kwargs = _arguments(function, options.arg)
    rng = np.random.default_rng(options.seed)
    leaves, structure = tree.flatten((args, kwargs))
    values = [_random(spec, rng) for spec in leaves]
    given, named = tree.unflatten(structure, values)
    modes = tuple(mode for mode in options.modes.split(",") if mode)

    def called(args: Any, kwargs: Any) -> Any:
        return function(*args, **kwargs)

    check_grads(
        standing_for(called, function), (given, named),
        options.order, modes, seed=options.seed,
    )  # fmt: skip
    call = f"{options.target}({', '.join(map(str, leaves))})"
    return f"{call}: derivatives agree to order {options.order}\n"


def _random(spec: ShapeDtypeStruct, rng: np.random.Generator) -> Any:
    if not is_kind(spec.dtype, "integer or bool"):
        return np.asarray(rng.standard_normal(spec.shape), spec.dtype)
    return np.asarray(rng.integers(0, 3, spec.shape), spec.dtype)


_COMMANDS: Final = {
    "emit": _emit,
    "report": _report,
    "stages": _stages,
    "check-grad": _check_grad,
}


def _load(target: str) -> Any:
    file, separator, name = target.rpartition(":")
    if not separator or not file.endswith(".py"):
        raise ArgumentError(f"{target!r} is not FILE.py:FUNCTION")
    path = Path(file)
    if not path.is_file():
        raise ArgumentError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except WeftError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ArgumentError(f"{file} cannot be imported: {reason}") from None
    function = getattr(module, name, None)
    if not callable(function):
        own = [
            key
            for key, value in vars(module).items()
            if isinstance(value, (Jitted, Transformed))
            or (inspect.isfunction(value) and value.__module__ == path.stem)
        ]
        has = ", ".join(own) or "none"
        raise ArgumentError(f"{file} has no function {name!r}; it has {has}")
    return function


def _arguments(function: Any, given: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """What the parameters stand for: by position, and after a gap by name."""
    plain = inspect.unwrap(function)
    parameters = inspect.signature(plain).parameters
    if not inspect.isroutine(plain):
        plain = type(plain).__call__
    try:
        hints = typing.get_type_hints(plain, include_extras=True)
    except Exception as error:  # the names of annotations may be anything
        raise ArgumentError(f"the annotations cannot be read: {error}") from None
    named = _named(list(parameters), given)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    gap = False
    for name, parameter in parameters.items():
        stands = parse_spec(named[name]) if name in named else None
        if stands is None and name in hints:
            stands = _described(hints[name])
        gap = gap or parameter.kind is parameter.KEYWORD_ONLY
        if stands is not None and gap:
            kwargs[name] = stands
        elif stands is not None:
            args.append(stands)
        elif parameter.default is not parameter.empty:
            gap = True
        else:
            raise ArgumentError(
                f"parameter {name!r} has no shape; give --arg {name}=f32[64,32], or "
                f'annotate it as Annotated[weft.Array, "f32[64,32]"]'
            )
    return args, kwargs


def _named(parameters: list[str], given: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    free = [*parameters]
    for argument in given:
        name, equals, spec = argument.rpartition("=")
        if not equals:
            if not free:
                raise ArgumentError(
                    f"there are {len(given)} --arg for {len(parameters)} parameters"
                )
            name = free[0]
        if name not in parameters:
            raise ArgumentError(f"there is no parameter {name!r}")
        named[name] = spec
        free = [other for other in free if other not in named]
    return named


def _described(hint: Any) -> Any:
    """The tree of shapes and dtypes that an annotation spells, if it does."""
    if typing.get_origin(hint) is typing.Annotated:
        for note in typing.get_args(hint)[1:]:
            if isinstance(note, (str, ShapeDtypeStruct)):
                return parse_spec(note) if isinstance(note, str) else note
        return None
    if hint in (int, float):
        return ShapeDtypeStruct((), hint if hint is int else "float64", weak=True)
    if hint is bool:
        return ShapeDtypeStruct((), "bool")
    if typing.get_origin(hint) is tuple:
        return _all(list(map(_described, typing.get_args(hint))), tuple)
    return _described_fields(hint)


def _described_fields(hint: Any) -> Any:
    """The same for a NamedTuple, a dataclass or a TypedDict."""
    named_tuple = isinstance(hint, type) and hasattr(hint, "_fields")
    if not (named_tuple or dataclasses.is_dataclass(hint) or typing.is_typeddict(hint)):
        return None
    hints = typing.get_type_hints(hint, include_extras=True)
    fields = {name: _described(field) for name, field in hints.items()}

    def make(values: list[Any]) -> Any:
        return hint(**dict(zip(fields, values, strict=True)))  # pyright: ignore

    return _all(list(fields.values()), make)


def _all(values: list[Any], make: Any) -> Any:
    return None if any(value is None for value in values) else make(values)


if __name__ == "__main__":
    sys.exit(main())
