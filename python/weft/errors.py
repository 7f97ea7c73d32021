"""What a mistake looks like: one exception, at the user's own line, with the remedy.

Every `WeftError` begins with the file and line of the innermost frame that is not
Weft's, and `public` removes Weft's own frames from the traceback at the door.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import contextlib
import functools
import importlib.util
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

# Where plans only run, there is no optree.
_OPTREE = importlib.util.find_spec("optree")
_INTERNAL_ROOTS = tuple(
    os.path.dirname(os.path.abspath(file)) + os.sep
    for file in (__file__, _OPTREE and _OPTREE.origin)
    if file
)
_INTERNAL_FILES = (contextlib.__file__, functools.__file__)
_NUMPY_ROOT = os.path.dirname(os.path.abspath(np.__file__)) + os.sep


class WeftError(Exception):
    """A mistake in a program, told at the program's own line.

    `str(error)` begins with `file.py:line: `. Where the mistake was found while a
    recorded program was compiled, `position` is the line that recorded the
    operation.
    """

    def __init__(self, message: str, position: str | None = None) -> None:
        self.position = position or user_position()
        self.message = message
        super().__init__(f"{self.position}: {message}" if self.position else message)

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, also in another process, says the same: its position is known."""
        return _remade, (type(self), *self.args), self.__dict__


def _remade(kind: type[WeftError], *args: Any) -> WeftError:
    return kind.__new__(kind, *args)


class ShapeError(WeftError, ValueError):
    """Shapes that do not fit together, or an axis that is not there."""


class DTypeError(WeftError, TypeError):
    """An element type that an operation does not take."""


class ArgumentError(WeftError, ValueError):
    """An argument of the right type with a value that has no meaning."""


class UnsupportedTypeError(WeftError, TypeError):
    """A Python object where an array, a scalar or a tree of them is needed."""


class IndexingError(WeftError, IndexError):
    """An index out of range, or of a kind that arrays do not take."""


class StructureError(WeftError, TypeError):
    """Arguments whose tree structure, shapes or dtypes are not those expected."""


class StaticArgumentError(WeftError, TypeError):
    """A static argument that cannot be hashed or does not exist."""


class TracerError(WeftError, TypeError):
    """A traced array used in a way that only a computed one allows."""


class LeakedTracerError(TracerError):
    """A traced array used after, or outside, the call that traced it."""


class TransformError(WeftError, TypeError):
    """A function that `grad` and its kin cannot differentiate as asked."""


class ParseError(WeftError, ValueError):
    """MLIR text that does not parse or does not verify."""


class CompileError(WeftError, RuntimeError):
    """A program that a stage of the compiler refused."""


class OutOfMemoryError(WeftError, MemoryError):
    """Arrays that do not fit into the memory of the machine, or of a device."""


class DeviceError(WeftError, RuntimeError):
    """A device that is not there, or that cannot do or has not done what it should."""


class KernelError(WeftError, RuntimeError):
    """A kernel that does what it must not, as the emulator of a GPU found out."""


class PlanError(WeftError, ValueError):
    """A plan that is not valid, or that is made for other devices or arguments."""


class DonatedArrayError(WeftError, RuntimeError):
    """An array whose memory was given to a call (`donate_argnums`)."""


class NestingError(WeftError, RecursionError):
    """Functions or trees within each other, deeper than Python's stack is."""


class LinAlgError(WeftError, np.linalg.LinAlgError):
    """A matrix that has no result: singular, or not positive definite."""


@functools.lru_cache(maxsize=4096)
def is_internal(filename: str) -> bool:
    """Whether a source file belongs to Weft or to what it calls back through."""
    path = os.path.abspath(filename)
    return (
        filename.startswith("<frozen ")
        or path.startswith(_INTERNAL_ROOTS)
        or path in _INTERNAL_FILES
    )


def user_frames(stop: FrameType | None = None) -> Iterator[FrameType]:
    """The frames outside Weft, innermost first, up to the frame `stop`.

    Nor those of NumPy, whose functions call methods of arrays.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not stop:
        filename = frame.f_code.co_filename
        ours = is_internal(filename) or (
            # What `dataclass` writes.
            filename == "<string>"
            and frame.f_globals.get("__name__", "").startswith("weft.")
        )
        if not ours and not filename.startswith(_NUMPY_ROOT):
            yield frame
        frame = frame.f_back


@functools.lru_cache(maxsize=1024)
def _columns(code: CodeType) -> tuple[tuple[int, int], ...]:
    """The (line, column) of each instruction of a code object, from one."""
    return tuple(
        (line or code.co_firstlineno, (column or 0) + 1)
        for line, _, column, _ in code.co_positions()
    )


def frame_position(frame: FrameType) -> tuple[str, int, int]:
    """The file, line and column that a frame is at."""
    line, column = _columns(frame.f_code)[frame.f_lasti // 2]
    return frame.f_code.co_filename, line, column


def display_path(filename: str) -> str:
    """A file as errors name it: relative where that is shorter, else its name."""
    if filename.startswith("<"):
        return filename
    relative = os.path.relpath(filename)
    return os.path.basename(filename) if relative.startswith("..") else relative


def user_position() -> str:
    """`file.py:line` of the innermost frame outside Weft, or nothing."""
    for frame in user_frames():
        return f"{display_path(frame.f_code.co_filename)}:{frame.f_lineno}"
    return ""


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns of the user's own line."""
    depth, frame = 1, sys._getframe(1)
    innermost = next(user_frames(), None)
    while frame is not None and innermost is not None and frame is not innermost:
        # As Python counts them: it passes over the frames of an import.
        depth += "importlib._bootstrap" not in frame.f_code.co_filename
        frame = frame.f_back
    warnings.warn(message, category, stacklevel=depth + 1)


def _without_internal(tb: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while tb is not None:
        if not is_internal(tb.tb_frame.f_code.co_filename):
            kept.append(tb)
        tb = tb.tb_next
    result: TracebackType | None = None
    for entry in reversed(kept):
        result = TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return result


def _raised_inside(tb: TracebackType | None) -> bool:
    """Whether Weft raised it, or NumPy that Weft called."""
    inside = False
    while tb is not None:
        filename = tb.tb_frame.f_code.co_filename
        if not filename.startswith(_NUMPY_ROOT):
            inside = is_internal(filename)
        tb = tb.tb_next
    return inside


def conceal(error: BaseException) -> None:
    """Takes Weft's frames out of the traceback of an exception on its way out.

    An exception that Weft itself did not mean to raise keeps all of its frames, and
    so does every exception where `WEFT_TRACEBACK=full` is set.
    """
    if os.environ.get("WEFT_TRACEBACK") == "full":
        return
    if isinstance(error, WeftError):
        error.__suppress_context__ = True
        error.__cause__ = None
    elif _raised_inside(error.__traceback__) and not isinstance(
        error, (RecursionError, AttributeError)
    ):
        return
    error.__traceback__ = _without_internal(error.__traceback__)


def check_time(name: str, error: Exception) -> None:
    """Raises where one is due to Python's being about to end."""
    if sys.meta_path is None and type(error) is ImportError:
        raise CompileError(
            f"{name!r} is called when Python has all but shut down, and can import and "
            "compile nothing any more; call it before, as from atexit.register, and "
            "not in a __del__ of what is left then"
        ) from None


def public(function: Callable[P, R]) -> Callable[P, R]:
    """Marks a door of the package: errors leave it without Weft's own frames."""

    @functools.wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                return function(*args, **kwargs)
            except _OF_ARGUMENTS as error:
                if not isinstance(error, WeftError) and _raised_inside(
                    error.__traceback__
                ):
                    if isinstance(error, TypeError):
                        check_arguments(function, args, kwargs)
                    if not is_internal(sys._getframe(1).f_code.co_filename):
                        raise _of_call(function, args, kwargs, error) from error
                raise
        except Exception as error:
            check_time(function.__name__, error)
            conceal(error)
            raise

    return door


# What Python and NumPy raise where they are given what they do not take.
_OF_ARGUMENTS = (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError)


def _of_call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: Exception,
) -> WeftError:
    """What was raised within a call, as a mistake in its arguments."""
    given = [_brief(x) for x in args]
    given += [f"{name}={_brief(x)}" for name, x in kwargs.items()]
    kind = UnsupportedTypeError if isinstance(error, TypeError) else ArgumentError
    said = f"{function.__name__}({', '.join(given)}): {error}"
    name = _public_name(function)
    return kind(f"{said}; see help({name}) for what it takes" if name else said)


def _public_name(function: Callable[..., Any]) -> str | None:
    """How users name a function or a method, if they have a name for it."""
    for space in ("", ".nn", ".fft", ".linalg", ".random", ".special", ".testing"):
        found: Any = sys.modules.get(f"{__package__}{space}")
        for name in function.__qualname__.split("."):
            found = getattr(found, name, None)
        if found and inspect.unwrap(found) is inspect.unwrap(function):
            return f"{__package__}{space}.{function.__qualname__}"
    return None


def _brief(x: Any) -> str:
    """An argument in some words: arrays by their dtypes and shapes."""
    shape, dtype = getattr(x, "shape", None), getattr(x, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None:
        return f"{dtype}{list(shape)}".replace(" ", "")
    if callable(x):
        return getattr(x, "__name__", type(x).__name__)
    text = repr(x)
    return text if len(text) <= 40 else f"{type(x).__name__}(...)"


def check_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raises where a function cannot be called with these arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some builtins have none
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise StructureError(f"{name!r}{signature}: {error}") from None


C = TypeVar("C", bound=type)


def public_methods(cls: C) -> C:
    """Marks every method and property of a class as a door (see `public`).

    But for what only says what an array is: it is asked for at every step, and has
    nothing to raise.
    """
    for name, member in list(vars(cls).items()):
        if name in ("shape", "dtype", "ndim", "size"):
            continue
        if isinstance(member, property):
            wrapped: Any = property(
                public(member.fget) if member.fget else None, doc=member.__doc__
            )
        elif isinstance(member, (classmethod, staticmethod)):
            wrapped = type(member)(public(member.__func__))
        elif callable(member) and hasattr(member, "__code__"):
            wrapped = public(member)
        else:
            continue
        setattr(cls, name, wrapped)
    return cls
