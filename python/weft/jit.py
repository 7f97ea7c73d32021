"""`jit`: traces a function once for each kind of arguments, and runs machine code."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import inspect
import itertools
import os
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from . import tree
from ._weft import Dispatcher
from .array import Array
from .cuda.memory import Memory
from .devices import CPU, common_device, device_named, is_chip
from .dtypes import INT, is_kind, scalar_array
from .errors import (
    StaticArgumentError,
    UnsupportedTypeError,
    check_arguments,
    check_time,
    conceal,
    public,
    warn,
)
from .lowered import Lowered, Signature
from .optimization import checked_level
from .precision import Precision, checked_precision
from .program import TRACED
from .report import CompileReport, CompileStep, Stopwatch
from .residuals import Passes, ResidualList, Split, split
from .schedules import Schedule
from .specs import ShapeDtypeStruct, spec_of
from .tracer import CURRENT, Tracer

if TYPE_CHECKING:
    from .builder import Trace
    from .program import LeafFunction, Program

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """How often a function was found compiled, and why it was compiled again.

    `reasons` has a sentence for each miss.
    """

    hits: int
    misses: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Parameters that an option of `jit` names, by position and by name."""

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @staticmethod
    def of(numbers: int | Sequence[int], names: str | Sequence[str]) -> Chosen:
        """One or several of each."""
        return Chosen(
            (numbers,) if isinstance(numbers, int) else tuple(numbers),
            (names,) if isinstance(names, str) else tuple(names),
        )


@dataclass(slots=True)
class _Entry:
    """A compiled function and the tree of its results, if there is not just one."""

    run: LeafFunction
    treedef: tree.TreeDef | None


if TYPE_CHECKING:

    class _Callable(Dispatcher, Generic[P, R]):
        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
            """Runs the function, compiled for arguments like these."""
            ...

else:

    class _Callable(Dispatcher):  # which may have no other base
        __class_getitem__ = classmethod(types.GenericAlias)


class Jitted(_Callable[P, R]):
    """A function that `jit` decorates."""

    __name__: str

    def __init__(
        self,
        function: Callable[P, R],
        static: Chosen = Chosen(),
        donated: Chosen = Chosen(),
        optimization_level: int | None = None,
        matmul_precision: Precision | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        # Calls find their function by keys that are cheap to make; several may share
        # one. What the dispatcher does not know may be in the cache.
        super().__init__(CURRENT)
        functools.update_wrapper(self, function, updated=())
        if not hasattr(self, "__name__"):  # a functools.partial has none
            self.__name__ = getattr(function, "func", type(function)).__name__
        self._function = function
        self._parameters = _parameters(function)
        self._argnums, self._argnames = self._find("static", static)
        self._is_static = bool(self._argnums or self._argnames)
        self._donated = self._find("donate", donated)
        self._check_donated()
        self._optimization_level = optimization_level
        self._matmul_precision: Precision | None = matmul_precision
        self._schedule = schedule
        self._cache: dict[Any, _Entry] = {}
        self._entries: dict[Signature, _Entry] = {}
        self._passes: dict[Signature, tuple[Passes, tree.TreeDef]] = {}
        self._reasons: list[str] = []
        self._hits = 0
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return functools.partial(self, instance)

    def __reduce__(self) -> str:
        """Like a function, it is copied as itself and pickled by its name."""
        return getattr(self, "__qualname__", self.__name__)

    def _call_otherwise(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the dispatcher cannot do: see there."""
        try:
            if CURRENT.get() is not None:
                return self._call_traced(args, kwargs)
            return self._look_up(args, kwargs)
        except Exception as error:
            check_time(self.__name__, error)
            conceal(error)
            raise

    def _look_up(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs a function with static arguments, unusual trees, or for the first time.

        The dispatcher knows only functions of arrays, numbers and plain trees of them.
        """
        if self._is_static:
            check_arguments(self._function, args, kwargs)
        dynamic, named, static = self._split(args, kwargs)
        leaves, key = _tree_key(dynamic, named)
        entry = self._cache.get((static, key))
        if entry is None:
            entry, leaves = self._miss(dynamic, named, static)
        else:
            self._hits += 1
        try:
            results = entry.run(leaves)
        except (OverflowError, TypeError):
            self._check_leaves(leaves)
            raise
        if entry.treedef is None:
            return results[0]
        return tree.unflatten(entry.treedef, results)

    def _check_leaves(self, leaves: Sequence[Any]) -> None:
        """Raises where one has no elements, or is beyond its dtype."""
        for leaf in leaves:
            if type(leaf) is int:
                scalar_array(leaf, INT)
            elif isinstance(leaf, ShapeDtypeStruct):
                raise UnsupportedTypeError(
                    f"{self.__name__!r} was called with {leaf!r}, which stands for an "
                    "array and has no elements; call it with an array, or have it "
                    f"lowered: weft.jit({self.__name__}).lower(...)"
                )

    def _miss(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        static: tuple[tuple[str, tree.Static], ...],
    ) -> tuple[_Entry, list[Any]]:
        """Compiles for a call, unless another thread has just done so."""
        with self._lock:
            signature, leaves = self._signature(args, kwargs, static)
            if not static:
                check_arguments(self._function, args, kwargs)
            entry = self._entries.get(signature)
            if entry is not None:
                self._hits += 1
            else:
                reason = self._explain(signature)
                lowered = self._lower(signature)
                run = lowered.program.compile_leaves(signature.device)
                self._warn_of_unused(signature, run)
                single = lowered.treedef.is_leaf()
                entry = _Entry(run, None if single else lowered.treedef)
                self._entries[signature] = entry
                self._reasons.append(reason)
            # Only now: flattening may just have met a dataclass for the first time.
            self._cache[static, _tree_key(args, kwargs)[1]] = entry
            if not self._is_static and signature.device == CPU:
                self._add(args, kwargs, entry.run, entry.treedef)
            return entry, leaves

    def _warn_of_unused(self, signature: Signature, run: LeafFunction) -> None:
        """Says which donated arguments no result is computed in."""
        unused = [
            f"`{name}` ({spec})"
            for i, (name, spec) in enumerate(
                zip(signature.names, signature.specs, strict=True)
            )
            if signature.donated[i] and i not in run.reuses
        ]
        if unused:
            warn(
                f"{self.__name__!r} has no result that could be computed in the memory "
                f"of its donated {', '.join(unused)}; they are left as they are"
            )

    def _explain(self, signature: Signature) -> str:
        """Why a call must compile: what differs from the most similar call before."""
        if not self._entries:
            return "the first call"
        known = reversed(self._entries)
        return "; ".join(min((signature.changes(s) for s in known), key=len))

    # ---- looking inside ----

    @public
    def lower(self, *args: Any, device: str | None = None, **kwargs: Any) -> Lowered:
        """The traced program for arguments like these.

        An argument may be a `weft.ShapeDtypeStruct` in place of an array. `device` is
        where it will run, by default where the arguments are; it may also be the name
        of a GPU's architecture, such as `'sm_90a'`, for which there is code to look at
        and to save, on machines that have none.
        """
        if device is not None and "device" in (self._parameters or ()):
            kwargs["device"], device = device, None
        check_arguments(self._function, args, kwargs)
        args, kwargs, static = self._split(args, kwargs)
        signature = self._signature(args, kwargs, static)[0]
        if device is not None:
            target = device if is_chip(device) else device_named(device)
            signature = replace(signature, device=str(target))
        return self._lower(signature)

    @public
    def compile_report(self, *args: Any, **kwargs: Any) -> CompileReport:
        """What tracing and compiling take for arguments like these, step by step.

        Each pass with its milliseconds and the ops before and after it, then LLVM's
        steps. Everything is done anew; what calls have compiled stays as it is.

        >>> report = weft.jit(lambda x: weft.sin(x) * 2).compile_report(weft.ones(3))
        >>> list(report.by_stage())
        ['weft', 'expanded', 'linalg', 'fused', 'memref', 'loops', 'llvm', 'asm']
        >>> report.steps[-1].name, report.code_bytes > 0
        ('link', True)
        """
        watch = Stopwatch()
        lowered = self.lower(*args, **kwargs)
        trace = CompileStep(TRACED, "trace", watch.lap())
        report = lowered.compile_report()
        return replace(report, steps=(trace, *report.steps))

    @public
    def interpret(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function means for these arguments, without compiling it.

        The traced program runs op by op through the ops' NumPy references.
        """
        check_arguments(self._function, args, kwargs)
        dynamic, named, static = self._split(args, kwargs)
        lowered = self._lower(self._signature(dynamic, named, static)[0])
        return lowered.interpret(*dynamic, **named)

    @public
    def residuals(self, *args: Any, **kwargs: Any) -> ResidualList:
        """What the backward pass keeps, for derivatives by all floating arguments.

        Each is a value of the forward pass that the backward pass uses: its size, the
        line that computes it, and the op whose derivative wants it. Arguments are not
        among them: they need no memory of their own.

        >>> weft.jit(lambda x: weft.sin(x * x)).residuals(weft.ones(3)).bytes
        12
        """
        lowered = self.lower(*args, **kwargs)
        return _split(lowered.program).residuals

    @property
    def has_static_arguments(self) -> bool:
        """Whether some of the arguments are part of the program."""
        return self._is_static

    def passes(self, args: tuple[Any, ...]) -> tuple[Passes, tree.TreeDef]:
        """The compiled forward and backward pass for arguments like these."""
        signature, _ = self._signature(args, {}, ())
        with self._lock:
            if signature not in self._passes:
                lowered = self._lower(signature)
                parts = _split(lowered.program)
                passes = Passes.compiled(parts, signature.device)
                self._passes[signature] = passes, lowered.treedef
            return self._passes[signature]

    @public
    def cache_info(self) -> CacheInfo:
        """Hits, misses, and for each miss why the function was compiled."""
        hits = self._hits + self._found
        return CacheInfo(hits, len(self._reasons), tuple(self._reasons))

    def cache_clear(self) -> None:
        """Forgets what was compiled."""
        with self._lock:
            self._forget()
            self._cache.clear()
            self._entries.clear()
            self._passes.clear()
            self._reasons.clear()
            self._hits = 0

    # ---- tracing ----

    def _lower(self, signature: Signature) -> Lowered:
        from .builder import trace_program

        program, treedef = trace_program(
            self._with_static(signature.static),
            self.__name__,
            signature.treedef,
            [
                (spec, name, None)
                for spec, name in zip(signature.specs, signature.names, strict=True)
            ],
            signature.donated,
            signature.device,
            self._optimization_level,
            self._matmul_precision,
        )
        if self._schedule is not None:
            program = program.scheduled(self._schedule)
        return Lowered(signature, program, treedef)

    def _call_traced(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Within a trace: a call of a private function, traced once a signature."""
        from .builder import call_function

        trace = CURRENT.get()
        assert trace is not None
        check_arguments(self._function, args, kwargs)
        args, kwargs, static = self._split(args, kwargs)
        signature, leaves = self._signature(args, kwargs, static)
        operands = [trace.lift(_as_operand(leaf)) for leaf in leaves]
        key = (self, signature)
        function = trace.builder.functions.get(key)
        if function is None or not _reachable(trace, function.captures):
            with trace.builder.no_recursion(key, self.__name__):
                function = self._trace_nested(trace, signature)
            trace.builder.functions[key] = function
        return call_function(trace, function, operands)

    def _trace_nested(self, trace: Trace, signature: Signature) -> Any:
        from .builder import Trace, trace_function

        return trace_function(
            Trace(trace.builder, self.__name__, parent=trace, function=self._function),
            self._with_static(signature.static),
            signature.treedef,
            [
                (spec, name, None)
                for spec, name in zip(signature.specs, signature.names, strict=True)
            ],
        )

    # ---- arguments ----

    def _find(
        self, option: str, chosen: Chosen
    ) -> tuple[frozenset[int], frozenset[str]]:
        """The positions and the names of the parameters that an option chooses."""
        names = self._parameters
        numbers, named = set(chosen.numbers), set(chosen.names)
        for name in chosen.names:
            if names is not None and name not in names:
                raise StaticArgumentError(
                    f"{option}_argnames: {self.__name__!r} has no parameter {name!r}; "
                    f"its parameters are {', '.join(names)}"
                )
            if names is not None and name not in _keyword_only(self._function):
                numbers.add(names.index(name))
        for number in chosen.numbers:
            if names is not None and not 0 <= number < len(names):
                raise StaticArgumentError(
                    f"{option}_argnums: {self.__name__!r} has no argument {number}; it "
                    f"has {len(names)}"
                )
            if names is not None:
                named.add(names[number])
        return frozenset(numbers), frozenset(named)

    def _check_donated(self) -> None:
        numbers, names = self._donated
        both = sorted(
            {self._parameter_name(i) for i in numbers & self._argnums}
            | (names & self._argnames)
        )
        if both:
            raise StaticArgumentError(
                f"argument `{both[0]}` of {self.__name__!r} is both static and "
                "donated; only arrays have memory to donate"
            )

    def _split(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any], tuple[tuple[str, tree.Static], ...]]:
        """Arguments without the static ones, and those by name."""
        if not self._is_static:
            return args, kwargs, ()
        static: dict[str, Any] = {}
        dynamic = []
        for i, arg in enumerate(args):
            if i in self._argnums:
                static[self._parameter_name(i)] = arg
            else:
                dynamic.append(arg)
        static |= {k: v for k, v in kwargs.items() if k in self._argnames}
        for name, value in static.items():
            self._check_hashable(name, value)
        named = {k: v for k, v in kwargs.items() if k not in self._argnames}
        constants = tuple((name, tree.Static(x)) for name, x in sorted(static.items()))
        return tuple(dynamic), named, constants

    def _parameter_name(self, position: int) -> str:
        return self._parameters[position] if self._parameters else f"args[{position}]"

    def _check_hashable(self, name: str, value: Any) -> None:
        if isinstance(value, Array):
            raise StaticArgumentError(
                f"static argument `{name}` of {self.__name__!r} is an array; its value "
                "cannot be part of the program. Pass it as an ordinary argument"
            )
        try:
            hash(value)
        except TypeError:
            raise StaticArgumentError(
                f"static argument `{name}` of {self.__name__!r} is a "
                f"{type(value).__name__}, which cannot be hashed; pass a tuple, a "
                "string or a number"
            ) from None

    def _with_static(
        self, static: tuple[tuple[str, tree.Static], ...]
    ) -> Callable[..., Any]:
        """The function of the other arguments alone."""
        if not static:
            return self._function
        given = {name: constant.value for name, constant in static}
        positions = {i: self._parameter_name(i) for i in sorted(self._argnums)}

        def function(*args: Any, **kwargs: Any) -> Any:
            whole, rest = list(args), dict(given)
            for position, name in positions.items():
                if name in rest and position <= len(whole):
                    whole.insert(position, rest.pop(name))
            return self._function(*whole, **kwargs, **rest)  # type: ignore[call-arg]

        return functools.update_wrapper(function, self._function)

    def _signature(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        static: tuple[tuple[str, tree.Static], ...],
    ) -> tuple[Signature, list[Any]]:
        leaves, treedef = tree.flatten((args, kwargs))
        names: list[str] = []
        donated: list[bool] = []
        for arg, name, is_donated in self._named(args, kwargs):
            paths = tree.paths(arg, name)
            names += paths
            donated += [is_donated] * len(paths)
        specs = [
            _argument_spec(leaf, name, self.__name__)
            for leaf, name in zip(leaves, names, strict=True)
        ]
        device = common_device(zip(names, leaves, strict=True), self.__name__)
        signature = Signature(
            treedef, tuple(specs), static, tuple(names), tuple(donated), device
        )
        return signature, leaves

    def _named(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Iterator[tuple[Any, str, bool]]:
        """Each argument that is not static, its name, and whether it is donated."""
        numbers, donated = self._donated
        parameters = self._parameters or ()
        free = (i for i in itertools.count() if i not in self._argnums)
        for position, (i, arg) in enumerate(zip(free, args, strict=False)):
            known = i < len(parameters)
            yield arg, parameters[i] if known else f"args[{position}]", i in numbers
        for name in sorted(kwargs):
            yield kwargs[name], name, name in donated


def _split(program: Program) -> Split:
    """A program's passes, with respect to its floating arguments."""
    own = program.inputs[: len(program.inputs) - len(program.captures)]
    floats = [i for i, spec in enumerate(own) if is_kind(spec.dtype, "inexact")]
    return split(program, floats)


def _keyword_only(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}


def _parameters(function: Callable[..., Any]) -> list[str] | None:
    """The names of parameters, unless any number can be given by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]


def _tree_key(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Sequence[Any], Any]:
    """The leaves and the cache's key of any call."""
    both: Any = (args, kwargs)
    leaves, treedef = tree.flatten_known(both)
    key: list[Any] = [treedef]
    for leaf in leaves:
        kind = type(leaf)
        if kind is Array:
            data = leaf._data
            key += (data.shape, data.dtype.num)
            if type(data) is Memory:
                key.append(data.device.name)
        elif kind in (bool, int, float, complex):
            key.append(kind)
        else:
            key += (kind, getattr(leaf, "shape", None), getattr(leaf, "dtype", None))
    return leaves, tuple(key)


def _argument_spec(leaf: Any, name: str, function: str) -> ShapeDtypeStruct:
    known = isinstance(leaf, (Array, np.ndarray, np.generic, ShapeDtypeStruct))
    if known or type(leaf) in (bool, int, float, complex):
        return spec_of(leaf)
    raise UnsupportedTypeError(
        f"argument `{name}` of {function!r} is a {type(leaf).__name__}; traced "
        "arguments are arrays, numbers and trees of them (dict, list, tuple, None, "
        "dataclass). Make it static (static_argnums, static_argnames) if it is part of "
        "the program"
    )


def _as_operand(leaf: Any) -> Array:
    """An argument of a call within a trace, as an array."""
    if isinstance(leaf, Array):
        return leaf
    return Array(np.asarray(leaf, spec_of(leaf).dtype))


def _reachable(trace: Trace, captures: Sequence[Any]) -> bool:
    """Whether what a function captured is there for a caller within a trace."""
    enclosing = []
    outer: Trace | None = trace
    while outer is not None:
        enclosing.append(outer)
        outer = outer.parent
    return all(c.trace in enclosing for c in captures if isinstance(c, Tracer))


@overload
def jit(function: Callable[P, R], /) -> Jitted[P, R]: ...
@overload
def jit(
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
    donate_argnames: str | Sequence[str] = (),
    optimization_level: int | None = None,
    matmul_precision: Precision | None = None,
    schedule: str | os.PathLike[str] | None = None,
) -> Callable[[Callable[P, R]], Jitted[P, R]]: ...
@overload
def jit(
    function: Callable[P, R],
    /,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
    donate_argnames: str | Sequence[str] = (),
    optimization_level: int | None = None,
    matmul_precision: Precision | None = None,
    schedule: str | os.PathLike[str] | None = None,
) -> Jitted[P, R]: ...
@public
def jit(
    function: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
    donate_argnames: str | Sequence[str] = (),
    optimization_level: int | None = None,
    matmul_precision: Precision | None = None,
    schedule: str | os.PathLike[str] | None = None,
) -> Any:
    """A function compiled to machine code, once for each kind of arguments.

    Arguments and results are arrays, numbers, and trees of them. Static arguments are
    Python values that the program may depend on; they must be hashable. The function
    sees dicts with their keys sorted, in whatever order they were written.

    >>> @weft.jit
    ... def f(x):
    ...     return weft.sin(x) * 2
    >>> f(weft.asarray([0.0, 1.0]))
    Array([0.      , 1.6829419], dtype=float32)

    The memory of arrays in donated arguments is used for results of the same shape and
    dtype, where these can be computed in it, and the arrays can be used no more
    (`Array.is_deleted`). Memory that anything else sees, as a view or as the NumPy
    array that an array was made of, is never written to, but copied first.

    >>> step = weft.jit(lambda w, g: w - 0.1 * g, donate_argnums=0)
    >>> w = step(weft.ones(3), weft.ones(3))
    >>> new = step(w, weft.ones(3))
    >>> w.is_deleted()
    True

    A `schedule`, which is MLIR text or, as a `pathlib.Path`, a file of it, changes how
    the function is computed at the stages that its sequences are named for
    (docs/schedules.py). Within another traced function, that one's counts.

    `optimization_level` says how much is done for speed: 0 makes a loop nest of scalars
    of each op, for looking at a wrong result, 1 is Weft's own decisions with little of
    LLVM's time, 2 the usual, and 3 all of LLVM's time. Without it the environment's
    WEFT_OPTIMIZATION_LEVEL is asked. Within another jitted function, that one's level
    is what counts.

    >>> lowered = weft.jit(weft.sin, optimization_level=0).lower(weft.ones(3))
    >>> "weft.optimization_level = 0" in lowered.text()
    True

    With `matmul_precision="tf32"`, products of matrices and convolutions of float32
    that state no `precision` have that one (`dot_general` says what it means). Within
    another jitted function, that one's counts.
    """
    static = Chosen.of(static_argnums, static_argnames)
    donated = Chosen.of(donate_argnums, donate_argnames)
    read = None if schedule is None else Schedule.of(schedule)
    level = optimization_level
    if level is not None:
        level = checked_level(level, "optimization_level")
    precision = matmul_precision
    if precision is not None:
        precision = checked_precision(precision, "matmul_precision")
    if function is None:
        return lambda f: _jitted(f, static, donated, level, precision, read)
    return _jitted(function, static, donated, level, precision, read)


def _jitted(
    function: Callable[..., Any],
    static: Chosen,
    donated: Chosen,
    level: int | None,
    precision: Precision | None,
    schedule: Schedule | None,
) -> Jitted[..., Any]:
    if not callable(function):
        raise UnsupportedTypeError(
            f"jit takes a function, not a {type(function).__name__}"
        )
    _load_compiler()
    return Jitted(function, static, donated, level, precision, schedule)


@functools.cache
def _load_compiler() -> None:
    """Loads MLIR and LLVM: who decorates a function does not wait at its first call."""
    from . import builder, cache, run_cpu  # noqa: F401
    from .contexts import context

    with context() as first:  # which is there for the first trace
        first.type_of(ShapeDtypeStruct((), "float32"))
