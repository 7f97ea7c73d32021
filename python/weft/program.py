"""Programs as text: their stages, what each costs nothing to look at, and running them.

Only text outlives a context, so a program is the text of one of its stages; the
others are made when they are asked for.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from .array import Array
from .cuda.plan import Plan, takes
from .devices import CPU, CPU_TARGET, Target, device_named, is_chip, target_of
from .errors import (
    ArgumentError,
    CompileError,
    ParseError,
    StructureError,
    display_path,
    is_internal,
    public,
)
from .ops.registry import as_array
from .schedules import Schedule
from .specs import ShapeDtypeStruct, spec_of

if TYPE_CHECKING:
    from mlir import ir

    from ._weft import ObjectCode
    from .contexts import Context
    from .report import CompileReport, CompileStep, Stopwatch

T = TypeVar("T")


class LeafFunction(Protocol):
    """Code as a function of flat lists of arrays that fit.

    `reuses` has for each result the input that it is left in, or -1.
    """

    @property
    def reuses(self) -> Sequence[int]: ...

    def __call__(self, leaves: Sequence[Any]) -> list[Array]: ...


TRACED: Final = "weft"
EXPANDED: Final = "expanded"
PLAN: Final = "plan"


@dataclass(frozen=True, slots=True)
class Stage:
    """A form of a program on its way to machine code.

    `pipeline` names the passes that lead to it from the stage before, as `weft-opt`
    and `run_pipeline` take them; it is empty where none does.
    """

    name: str
    pipeline: str
    doc: str

    @property
    def suffix(self) -> str:
        """The file name extension of the stage's text."""
        return _SUFFIXES.get(self.name, ".mlir")


_SUFFIXES: Final = {"llvmir": ".ll", "asm": ".s", PLAN: ".json", "ptx": ".ptx"}


@cache
def stages(target: str = CPU) -> tuple[Stage, ...]:
    """The stages of a program for a target, `'cpu'` or `'cuda'`, in order.

    >>> [stage.name for stage in weft.stages()][:3]
    ['weft', 'expanded', 'linalg']
    >>> [stage.name for stage in weft.stages("cuda")][-3:]
    ['nvvm', 'plan', 'ptx']
    """
    from . import _weft

    if target not in (CPU, "cuda"):
        raise ArgumentError(
            f"programs are compiled for no target {target!r}; they are 'cpu' and 'cuda'"
        )
    return tuple(Stage(*stage) for stage in _weft.stages(target))


@public
def stage_index(name: str, target: str = CPU) -> int:
    """The position of a stage; raises where there is none of this name."""
    names = [stage.name for stage in stages(target)]
    if name not in names:
        raise ArgumentError(f"there is no stage {name!r}; they are {', '.join(names)}")
    return names.index(name)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A program: its text at one or more stages, and the arrays that it captured.

    `inputs` are the types of all arguments, the captured arrays' last.
    """

    entry: str
    inputs: tuple[ShapeDtypeStruct, ...]
    outputs: tuple[ShapeDtypeStruct, ...]
    captures: tuple[np.ndarray, ...]
    _texts: dict[str, str] = field(repr=False)
    target: Target = CPU_TARGET

    @public
    def text(self, stage: str = TRACED, *, locations: bool = True) -> str:
        """The program at a stage: MLIR, or at the last two what is made of that.

        They are LLVM IR and assembly of the CPU, and of GPUs the plan, with a line a
        step, and PTX. With `locations` the lines of the Python program are part of it.
        """
        text = self._located(stage)
        if stage == PLAN:
            return str(self.plan)
        if locations or self._index(stage) > self._index(self.target.last_mlir):
            return text
        with parsed(text) as (_, module):
            return _printed(module, locations=False)

    @public
    def replace(self, stage: str, text: str) -> Program:
        """The same program from a stage on with another text, to be compiled.

        Its arguments and results stay what they are.
        """
        last = self.target.last_mlir
        if self._index(stage) > self._index(last):
            raise ArgumentError(
                f"stage {stage!r} is no MLIR and cannot be put back; the last stage "
                f"that can is {last!r}"
            )
        with parsed(text) as (_, module):
            given = _interface(module, self.entry)
        wanted = self._interface_at(stage)
        if wanted and given != wanted:
            raise StructureError(
                f"the text's @{self.entry} is {_spelled(given)}, and the program's "
                f"{_spelled(wanted)}; trace a function of other arguments and results "
                "for another program"
            )
        return Program(self.entry, self.inputs, self.outputs, self.captures,
                       {stage: text}, self.target)  # fmt: skip

    def _interface_at(self, stage: str) -> list[str]:
        """The types of arguments and results, nothing for a stage out of reach."""
        try:
            text = self.text(stage)
        except CompileError:
            return []
        with parsed(text) as (_, module):
            return _interface(module, self.entry)

    @public
    def schedule(self, schedule: str | os.PathLike[str]) -> Program:
        """The same program, whose stages a schedule changes as they are reached.

        It is MLIR text or, as a `pathlib.Path`, a file of it.
        """
        return self.scheduled(Schedule.of(schedule))

    def scheduled(self, schedule: Schedule) -> Program:
        """`schedule`, with one that has been read."""
        start = next(iter(self._texts))
        with parsed(self._texts[start]) as (_, module):
            schedule.add_to(module)
            text = _printed(module)
        return Program(self.entry, self.inputs, self.outputs, self.captures,
                       {start: text}, self.target)  # fmt: skip

    @public
    def interpret(self, *args: Any) -> Any:
        """What the program means for these arguments, by the ops' references."""
        return _untupled(self.interpret_leaves(_checked(self, args)))

    @public
    def compile(self, device: str = CPU) -> Callable[..., Any]:
        """The program in machine code, as a function of arrays.

        It runs on `device`, which must be of the target that the program is for.
        """
        function = self.compile_leaves(device_named(device))
        return public(lambda *args: _untupled(function(_checked(self, args))))

    def interpret_leaves(self, leaves: Sequence[Any]) -> list[Array]:
        """`interpret` on leaves whose shapes and dtypes are known to fit."""
        from .reference import Interpreter

        values = [
            np.asarray(leaf, spec.dtype)
            for leaf, spec in zip(leaves, self.inputs, strict=False)
        ]
        text = self._located(EXPANDED if TRACED in self._texts else next(
            iter(self._texts)))  # fmt: skip
        with parsed(text) as (context, module):
            interpreter = Interpreter(module, context)
            results = interpreter.call(self.entry, [*values, *self.captures])
        return [Array(np.asarray(result)) for result in results]

    @property
    def plan(self) -> Plan:
        """How a program for GPUs runs."""
        return Plan.from_json(self._completed(self._located(PLAN)))

    def device_code(self, stage: str) -> tuple[Plan, str]:
        """The plan, and the text of the stage that a device loads, `ptx` or `nvvm`.

        They are what was compiled before, if it is still kept, or is now.
        """
        from . import cache

        start = self._latest(self.target.last_mlir)
        key = cache.key_of(stage, self.entry, start, self._texts[start])
        texts = cache.find_texts(key)
        if texts is None:
            texts = self._compiled_texts(start, stage)
            cache.keep_texts(key, texts)
        plan, code = texts
        return Plan.from_json(self._completed(plan)), code

    def _compiled_texts(self, start: str, stage: str) -> list[str]:
        """Those of the plan and of a stage, without the ones that lead there."""
        last = self.target.last_mlir
        with parsed(self._texts[start]) as (_, module):
            for previous, step in self._steps(start, last):
                self._run(module, previous, step)
            plan = _translated(module, PLAN)
            code = _printed(module) if stage == last else _translated(module, stage)
        return [plan, code]

    def for_target(self, target: Target) -> Program:
        """The same program, to be compiled for another GPU."""
        from .contexts import describe_gpu

        start = next(iter(self._texts))
        with parsed(self._texts[start]) as (context, module):
            describe_gpu(context, module, target)
            text = _printed(module)
        return Program(self.entry, self.inputs, self.outputs, self.captures,
                       {start: text}, target)  # fmt: skip

    def _completed(self, text: str) -> str:
        """The JSON of a plan, with what only the frontend knows of the arguments."""
        plan = json.loads(text)
        reuses = plan.setdefault("reuses", []) or [-1] * len(self.outputs)
        own = [x for x, reused in zip(self.outputs, reuses, strict=True) if reused < 0]
        types = [*self.inputs, *own]
        plan["arguments"] = [
            {"shape": spec.shape, "dtype": str(spec.dtype)} for spec in types
        ]
        # What is left in an argument's memory may be of another dtype than that.
        left = [
            x for x, reused in zip(self.outputs, reuses, strict=True) if reused >= 0
        ]
        plan["reused_as"] = [str(spec.dtype) for spec in left]
        plan["constants"] = len(self.captures)
        plan["inputs"] = len(self.inputs) - len(self.captures)
        plan["results"], plan["reuses"] = len(self.outputs), reuses
        return json.dumps(plan)

    def compile_leaves(self, device: str = CPU) -> LeafFunction:
        """`compile`, as a function of flat lists, on a device of the target."""
        if self.target != CPU_TARGET:
            from .run_device import device_function

            self._dump()
            return device_function(self, device)
        from . import _weft
        from .run_cpu import compiled_function

        self._dump()
        return compiled_function(
            self._coded(_weft.link, self._object_code()),
            self.inputs[: len(self.inputs) - len(self.captures)],
            self.outputs,
            self.captures,
        )

    @public
    def compile_report(self) -> CompileReport:
        """What compiling takes, step by step; the code is made for this alone.

        >>> program = weft.jit(lambda x: weft.sin(x) * 2).lower(weft.ones(3)).program
        >>> program.compile_report().steps[1].name
        'weft-check-types'
        """
        from . import _weft
        from .report import CODE, CompileReport, CompileStep, Stopwatch

        watch = Stopwatch()
        last = self.target.last_mlir
        start = self._latest(last)
        with parsed(self._texts[start]) as (_, module):
            steps = [CompileStep(start, "parse", watch.lap())]
            for previous, stage in self._steps(start, last):
                passes = self._run(module, previous, stage, _weft.measure_pipeline)
                steps += [CompileStep(stage.name, *each) for each in passes or ()]
            if self.target != CPU_TARGET:
                return self._gpu_report(module, steps, watch)
            code, parts = self._coded(_weft.measure_compile, module, self.entry)
        steps += [CompileStep(CODE, *part) for part in parts]
        watch.lap()
        _weft.link(code)
        steps.append(CompileStep(CODE, "link", watch.lap()))
        return CompileReport(self.entry, tuple(steps), sum(map(len, code.files)))

    def _gpu_report(
        self, module: ir.Module, steps: list[CompileStep], watch: Stopwatch
    ) -> CompileReport:
        """The rest of a report: a GPU's driver makes code of the last text."""
        from .report import CompileReport, CompileStep

        size = 0
        for stage in stages(self.target.name):
            if self._index(stage.name) > self._index(self.target.last_mlir):
                watch.lap()
                text = _translated(module, stage.name)
                steps.append(CompileStep(stage.name, "translate", watch.lap()))
                size += len(text)
        return CompileReport(self.entry, tuple(steps), size)

    # ---- making stages ----

    def _index(self, stage: str) -> int:
        return stage_index(stage, self.target.name)

    def _steps(self, start: str, end: str) -> Iterator[tuple[str, Stage]]:
        """The stages after `start` up to `end`, and the name before each."""
        all_stages = stages(self.target.name)
        for index in range(self._index(start) + 1, self._index(end) + 1):
            yield all_stages[index - 1].name, all_stages[index]

    def _object_code(self) -> ObjectCode:
        """What was compiled before, if it is still kept, or is now."""
        from . import _weft, cache

        last = CPU_TARGET.last_mlir
        start = self._latest(last)
        key = cache.key_of(self.entry, start, self._texts[start])
        code = cache.find(key)
        if code is not None:
            return code
        with parsed(self._texts[start]) as (_, module):
            for previous, stage in self._steps(start, last):
                self._run(module, previous, stage)
            code = self._coded(_weft.compile_object, module, self.entry)
        cache.keep(key, code)
        return code

    def _coded(self, step: Callable[..., T], *args: Any) -> T:
        """A step of LLVM's, whose failure says how to reproduce it."""
        from .contexts import ExtensionError

        try:
            return step(*args)
        except ExtensionError as error:
            last = self.target.last_mlir
            raise self._failure(last, "asm", error) from None

    def _located(self, stage: str) -> str:
        if stage in self._texts:
            return self._texts[stage]
        last = self._index(self.target.last_mlir)
        start = self._latest(stage)
        with parsed(self._texts[start]) as (_, module):
            for previous, step in self._steps(start, stage):
                if self._index(step.name) > last:
                    self._texts[stage] = _translated(module, stage)
                    break
                self._run(module, previous, step)
                self._texts[step.name] = _printed(module)
        return self._texts[stage]

    def _latest(self, stage: str) -> str:
        """The last stage of MLIR, up to a stage, whose text is known."""
        end = min(self._index(stage), self._index(self.target.last_mlir))
        known = [
            s.name for s in stages(self.target.name)[: end + 1] if s.name in self._texts
        ]
        if not known:
            raise ArgumentError(
                f"this program begins at stage {next(iter(self._texts))!r}, after "
                f"{stage!r}"
            )
        return known[-1]

    def run_stage(self, module: ir.Module, name: str) -> None:
        """Takes a module at the stage before a stage to that one."""
        index = self._index(name)
        before, stage = stages(self.target.name)[index - 1 : index + 1]
        self._run(module, before.name, stage)

    def _run(
        self,
        module: ir.Module,
        previous: str,
        stage: Stage,
        run: Callable[..., Any] | None = None,
    ) -> Any:
        from . import _weft
        from .contexts import ExtensionError

        if not stage.pipeline:
            return None
        run = run or _weft.run_pipeline
        try:
            return run(module, f"builtin.module({stage.pipeline})")
        except ExtensionError as error:
            raise self._failure(previous, stage.name, error) from None

    def _failure(self, previous: str, stage: str, error: Exception) -> CompileError:
        message, reports = (*error.args, [])[:2]
        folder = os.environ.get("WEFT_DUMP") or tempfile.mkdtemp(prefix="weft-")
        path = Path(folder) / f"{self.entry}.{previous}.mlir"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._located(previous))
        option = self._option(stage) if stage != "asm" else "--verify-each"
        return CompileError(
            f"{self.entry!r} does not reach stage {stage!r}: {message}. Reproduce "
            f"with: weft-opt {option} {path}",
            _position(reports),
        )

    def _option(self, stage: str) -> str:
        """The option of `weft-opt` that leads to a stage."""
        prefix = "" if self.target == CPU_TARGET else "gpu-"
        return f"--weft-to-{prefix}{stage}"

    def _dump(self) -> None:
        folder = os.environ.get("WEFT_DUMP")
        if not folder:
            return
        target = _numbered_folder(Path(folder), self.entry)
        previous = ""
        for number, stage in enumerate(stages(self.target.name)):
            if number < self._index(next(iter(self._texts))):
                continue
            path = target / f"{number}-{stage.name}{stage.suffix}"
            comment = {".s": "#", ".ll": ";"}.get(stage.suffix, "//")
            rerun = f"{comment} weft-opt {self._option(stage.name)} {previous}\n"
            has_passes = previous and stage.pipeline
            path.write_text((rerun if has_passes else "") + self._located(stage.name))
            previous = path.name


def _numbered_folder(root: Path, name: str) -> Path:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"WEFT_DUMP: no folder can be made: {error}") from None
    for number in range(1_000_000):
        target = root / f"{number:04}-{name}"
        try:
            target.mkdir()
        except FileExistsError:
            continue
        return target
    raise ArgumentError(f"WEFT_DUMP: {root} is full")


def _printed(module: ir.Module, locations: bool = True) -> str:
    """The text of a module, to the byte as `weft-opt` prints it."""
    from . import _weft

    return _weft.print_module(module, locations)


def _translated(module: ir.Module, stage: str) -> str:
    from . import _weft
    from .contexts import ExtensionError

    translations: dict[str, Callable[[ir.Module], str]] = {
        "llvmir": _weft.translate_llvmir,
        "asm": _weft.emit_asm,
        PLAN: _weft.emit_plan,
        "ptx": _weft.emit_ptx,
    }
    try:
        return translations[stage](module)
    except ExtensionError as error:
        raise CompileError(f"stage {stage!r}: {error.args[0]}") from None


def _position(reports: Sequence[tuple[Any, ...]]) -> str | None:
    """`file.py:line` of the first diagnostic that names a line of a program."""
    for file, line, *_ in reports:
        if file and file != "-" and not is_internal(file):
            return f"{display_path(file)}:{line}"
    return None


# ---- from text ----


@contextmanager
def parsed(text: str) -> Iterator[tuple[Context, ir.Module]]:
    """A module of text, in a context of its own until the block ends."""
    from . import _weft
    from .contexts import ExtensionError, context

    with context() as own:
        try:
            module = _weft.parse_module(own.mlir, text)
        except ExtensionError as error:
            raise ParseError(_parse_message(error)) from None
        yield own, module


def _parse_message(error: Any) -> str:
    message, reports = error.args
    lines = [
        f"{file}:{line}:{column}: {text}"
        for file, line, column, text, severity in reports
        if severity == "error"
    ]
    return "the text is not a valid program: " + "\n  ".join(lines or [message])


@public
def parse(text: str, *, device: str = CPU) -> Program:
    """The program that MLIR text in the `weft` dialect spells.

    Its one public function (`@main` if there are several) is the entry. It is for
    `device`, or for a chip that is named as `sm_90a`; what the text states of its
    GPU (`weft.gpu`) is kept.

    >>> program = weft.parse('''
    ... func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
    ...   %y = weft.square %x : tensor<2xf32>
    ...   return %y : tensor<2xf32>
    ... }''')
    >>> program.interpret(weft.asarray([2.0, 3.0]))
    Array([4., 9.], dtype=float32)
    """
    if not isinstance(text, str):
        raise ParseError(f"parse takes MLIR text, not {type(text).__name__!r}")
    from .contexts import describe_gpu, state_level

    with parsed(text) as (context, module):
        entry, signature = _entry(module)
        try:
            inputs = tuple(context.spec_of(t) for t in signature.inputs)
            outputs = tuple(context.spec_of(t) for t in signature.results)
        except (KeyError, ValueError):
            raise ParseError(
                f"@{entry} has the type {signature}; its arguments and results must be "
                "tensors of static shape"
            ) from None
        target = target_of(device if is_chip(device) else device_named(device))
        if target != CPU_TARGET:
            describe_gpu(context, module, target)
        state_level(context, module)
        texts = {TRACED: _printed(module)}
        return Program(entry, inputs, outputs, (), texts, target=target)


def _entry(module: ir.Module) -> tuple[str, ir.FunctionType]:
    from mlir import ir

    functions = {
        ir.StringAttr(op.attributes["sym_name"]).value: ir.FunctionType(
            ir.TypeAttr(op.attributes["function_type"]).value
        )
        for op in module.body.operations
        if op.operation.name == "func.func"
        and "sym_visibility" not in op.operation.attributes
    }
    if len(functions) == 1:
        return next(iter(functions.items()))
    if "main" in functions:
        return "main", functions["main"]
    raise ParseError(
        f"the text has {len(functions)} public functions; it needs one, or one that is "
        "called @main (make the others `private`)"
    )


def _interface(module: ir.Module, entry: str) -> list[str]:
    """The types of a function's arguments and results, but for its arena."""
    from mlir import ir

    for op in module.body.operations:
        name = op.operation.attributes.get("sym_name")
        # At the last stages an entry leads to it that checks what it is given.
        if name is None or ir.StringAttr(name).value not in (entry, f"{entry}.body"):
            continue
        if op.operation.name != "func.func":
            break
        signature = ir.FunctionType(ir.TypeAttr(op.attributes["function_type"]).value)
        arena = 1 if "weft.arena_bytes" in op.operation.attributes else 0
        inputs = signature.inputs[: len(signature.inputs) - arena]
        return [*map(str, inputs), "->", *map(str, signature.results)]
    return []


def _spelled(interface: list[str]) -> str:
    return " ".join(interface) or "not there"


def _checked(program: Program, args: Sequence[Any]) -> list[Any]:
    expected = program.inputs[: len(program.inputs) - len(program.captures)]
    if len(args) != len(expected):
        raise StructureError(
            f"@{program.entry} takes {len(expected)} arguments; got {len(args)}"
        )
    arrays: list[Any] = []
    for i, (arg, spec) in enumerate(zip(args, expected, strict=True)):
        given = spec_of(arg)
        fits = given.shape == spec.shape and (
            takes(spec.dtype, arg) if given.weak else given.dtype == spec.dtype
        )
        if not fits:
            why = (
                f"{given} {arg!r}, which {spec.dtype} does not hold"
                if given.weak and not spec.shape
                else f"{given}, not {spec}"
            )
            raise StructureError(f"argument {i} of @{program.entry} is {why}")
        arrays.append(np.asarray(arg, spec.dtype) if given.weak else as_array(arg))
    return arrays


def _untupled(results: list[Array]) -> Any:
    return results[0] if len(results) == 1 else tuple(results)
