"""The op registry: one decorated function an op, its body the NumPy reference.

`REGISTRY` is the only list of ops in Python; evaluation, tracing, interpretation and
the tests all loop over it.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, Protocol, TypeAlias, TypeGuard, TypeVar

import numpy as np

from .. import tracer
from ..array import Array
from ..dtypes import (
    BOOL,
    FLOAT,
    Kind,
    canonical,
    check_conversion,
    is_kind,
    is_narrow,
    promote,
    python_precision,
    require,
    rounded,
    scalar_array,
    spell,
)
from ..errors import ShapeError, UnsupportedTypeError, public
from ..specs import ShapeDtypeStruct, check_shape, joined_shape, require_unmasked

P = ParamSpec("P")
T = TypeVar("T")
Scalar: TypeAlias = bool | int | float | complex
ArrayLike: TypeAlias = "Array | np.ndarray | np.generic | bool | int | float | complex"
Shape: TypeAlias = tuple[int, ...]
Reference: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Op:
    """An op: its name in the dialect, its public function and what it means.

    `reference` takes the operands as `np.ndarray`, the attributes by keyword and,
    where the op's result type is not inferred, `result`, a `ShapeDtypeStruct`. It
    returns an array, or a tuple of several.
    """

    name: str
    reference: Reference
    explicit_result: bool
    function: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Call:
    """What the arguments of a public function mean: the op to bind."""

    operands: tuple[Array, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    result: ShapeDtypeStruct | None = None
    weak: bool = False


REGISTRY: Final[dict[str, Op]] = {}

F64: Final = np.dtype("float64")
C128: Final = np.dtype("complex128")


def in_f64(function: Callable[..., Any], *xs: np.ndarray) -> np.ndarray:
    """A reference evaluated in double precision, rounded to the operands' dtype."""
    wide = C128 if xs[0].dtype.kind == "c" else F64
    return function(*(x.astype(wide) for x in xs)).astype(xs[0].dtype)


def in_float32(reference: Reference) -> Reference:
    """A reference that computes in float32 what has fewer bits, and rounds once.

    So an element of a 16-bit float means the float32 result, rounded, and sums and
    products of such are accumulated in float32.
    """

    @functools.wraps(reference)
    def function(*operands: np.ndarray, **attributes: Any) -> Any:
        dtypes = [x.dtype for x in operands]
        if not any(is_narrow(dtype) for dtype in dtypes):
            return reference(*operands, **attributes)
        wide = (x.astype(FLOAT) if is_narrow(x.dtype) else x for x in operands)
        value = reference(*wide, **attributes)
        if not isinstance(value, tuple):
            return _as_before(value, next(d for d in dtypes if is_narrow(d)))
        if len(value) != len(dtypes):
            dtypes = [next(d for d in dtypes if is_narrow(d))] * len(value)
        return tuple(map(_as_before, value, dtypes))

    return function


def _as_before(x: Any, dtype: np.dtype[Any]) -> np.ndarray:
    array = np.asarray(x)
    return rounded(array, dtype) if array.dtype == FLOAT and is_narrow(dtype) else array


def op(
    prepare: Callable[P, Call | Array], *, as_stored: bool = False
) -> Callable[[Reference], Callable[P, Array]]:
    """Registers an op: `prepare` turns public arguments into operands and attributes.

    It may also return an array, where nothing is left to compute.
    The decorated function's name, docstring and body are the op's name, documentation
    and reference; the signature of the public function is that of `prepare`. Unless it
    asks for `result`, or for operands `as_stored`, the reference sees 16-bit floats as
    float32 (see `in_float32`).
    """

    def decorate(reference: Reference) -> Callable[P, Array]:
        name = reference.__name__.rstrip("_")

        def function(*args: P.args, **kwargs: P.kwargs) -> Array:
            call = prepare(*args, **kwargs)
            if isinstance(call, Array):
                return call
            result = tracer.bind(
                name, *call.operands, result=call.result, **call.attributes
            )
            return tracer.as_weak(result) if call.weak else result

        return _register(name, prepare, reference, function, "Array", as_stored)

    return decorate


def op_of_several(
    prepare: Callable[P, Call], results: Callable[..., T]
) -> Callable[[Reference], Callable[P, T]]:
    """Registers an op of several results (see `op`), which `results` puts together."""

    def decorate(reference: Reference) -> Callable[P, T]:
        name = reference.__name__

        def function(*args: P.args, **kwargs: P.kwargs) -> T:
            call = prepare(*args, **kwargs)
            return results(*tracer.bind_all(name, *call.operands, **call.attributes))

        spelled = getattr(results, "__name__", "tuple")
        return _register(name, prepare, reference, function, spelled)

    return decorate


def _register(
    name: str,
    prepare: Callable[P, Any],
    reference: Reference,
    function: Callable[P, T],
    returns: str,
    as_stored: bool = False,
) -> Callable[P, T]:
    functools.update_wrapper(function, reference)
    function.__name__ = function.__qualname__ = name
    function.__signature__ = inspect.signature(prepare)  # type: ignore[attr-defined]
    function.__annotations__ = prepare.__annotations__ | {"return": returns}
    del function.__wrapped__  # type: ignore[attr-defined]
    door = public(function)
    explicit = "result" in inspect.signature(reference).parameters
    meaning = reference if explicit or as_stored else in_float32(reference)
    REGISTRY[name] = Op(name, meaning, explicit, door)
    return door


class Unary(Protocol):
    """The public function of an elementwise op of one operand."""

    __name__: str

    def __call__(self, x: ArrayLike, /) -> Array: ...


class Binary(Protocol):
    """The public function of an elementwise op of two operands."""

    __name__: str

    def __call__(self, x: ArrayLike, y: ArrayLike, /) -> Array: ...


def unary(
    kind: Kind, *, of_bools: Callable[[ArrayLike], Array] | None = None
) -> Callable[[Reference], Unary]:
    """Registers an elementwise op of one operand of a family of dtypes.

    The op takes no bools; the public function does where there is `of_bools`.
    """

    def decorate(reference: Reference) -> Unary:
        name = reference.__name__

        def prepare(x: ArrayLike, /) -> Call | Array:
            if of_bools and _are_bools(x):
                return of_bools(x)
            return elementwise_call(name, kind, x)

        return op(prepare)(reference)

    return decorate


def rounding(reference: Reference) -> Unary:
    """Registers an elementwise op of floats that leaves integers as they are."""

    def prepare(x: ArrayLike, /) -> Call | Array:
        array = as_array(x, reference.__name__)
        if is_kind(array.dtype, "integer"):
            return array
        return elementwise_call(reference.__name__, "float", x)

    return op(prepare)(reference)


def binary(
    kind: Kind, *, of_bools: Callable[[ArrayLike, ArrayLike], Array] | None = None
) -> Callable[[Reference], Binary]:
    """Registers an elementwise op of two operands, promoted and broadcast.

    The op takes no bools; the public function does where there is `of_bools`.
    """

    def decorate(reference: Reference) -> Binary:
        name = reference.__name__

        def prepare(x: ArrayLike, y: ArrayLike, /) -> Call | Array:
            if of_bools and _are_bools(x, y):
                return of_bools(x, y)
            return elementwise_call(name, kind, x, y)

        return op(prepare)(reference)

    return decorate


def _are_bools(*args: Any) -> bool:
    return all(
        x.dtype == BOOL
        if isinstance(x, (Array, np.ndarray, np.generic))
        else type(x) is bool
        for x in args
    )


def is_scalar(x: object) -> bool:
    """Whether an object is a Python scalar, whose dtype yields to arrays'."""
    return type(x) in (bool, int, float, complex)


def as_array(x: Any, name: str = "this operation") -> Array:
    """An array operand: an `Array` as it is, NumPy's wrapped without a copy."""
    if type(x) is Array:
        return x
    if isinstance(x, Array):
        return tracer.as_strong(x)
    if isinstance(x, (np.ndarray, np.generic)):
        require_unmasked(x)
        canonical(x.dtype)
        return Array(np.asarray(x))
    if is_scalar(x):
        return Array(scalar_array(x, promote((), (weak_dtype(x),))))
    raise UnsupportedTypeError(
        f"{name} does not take {_describe(x)}; it takes arrays and Python's bool, int, "
        "float and complex (weft.asarray makes an array of nested lists)"
    )


def _describe(x: object) -> str:
    return f"an object of type {type(x).__name__!r}"


def weak_dtype(x: object) -> np.dtype[Any]:
    """The dtype whose kind a Python scalar brings to a promotion."""
    return np.dtype(type(x))


def common_dtype(name: str, *args: Any) -> tuple[np.dtype[Any], bool]:
    """The promoted dtype of operands, and whether all of them are weak."""
    strong, weak = [], []
    for x in args:
        if is_scalar(x):
            weak.append(weak_dtype(x))
        elif isinstance(x, Array):
            (weak if x.weak else strong).append(x.dtype)
        else:
            strong.append(as_array(x, name).dtype)
    dtype = promote(strong, weak)
    if strong or not any(isinstance(x, Array) for x in args):
        return dtype, False
    # Traced Python scalars keep Python's precision until they meet an array.
    return python_precision(dtype), True


def cast(x: ArrayLike, dtype: np.dtype[Any], name: str = "this operation") -> Array:
    """An operand converted to a dtype, by `weft.convert` where it has another."""
    if is_scalar(x):
        return Array(scalar_array(x, dtype))  # type: ignore[arg-type]
    array = x if isinstance(x, Array) else as_array(x, name)
    if array.dtype == dtype:
        return array
    check_conversion(array.dtype, dtype)
    result = ShapeDtypeStruct(array.shape, dtype)
    return tracer.bind("convert", array, result=result)


# A view of one element takes longer to make than so many elements.
FILLED: Final = 4096


def broadcast_operand(x: Array, shape: Shape) -> Array:
    """An operand at a shape that it broadcasts to."""
    if x.shape == shape:
        return x
    if x.ndim == 0 and type(x) is Array and type(x._data) is np.ndarray:
        if math.prod(shape) <= FILLED:
            return Array(np.full(shape, x._data))
        return Array(np.broadcast_to(x._data, shape))
    dimensions = tuple(range(len(shape) - x.ndim, len(shape)))
    result = ShapeDtypeStruct(shape, x.dtype)
    return tracer.bind("broadcast", x, result=result, dimensions=dimensions)


def common_shape(name: str, *arrays: Array) -> Shape:
    """The shape that operands broadcast to."""
    shapes = {array.shape for array in arrays}
    if len(shapes) == 1:
        return shapes.pop()
    try:
        shape = joined_shape(*shapes)
    except ValueError:
        spelled = " and ".join(spell(a.dtype, a.shape) for a in arrays)
        raise ShapeError(
            f"{name}: the shapes of {spelled} do not broadcast; from the last axis "
            "backwards sizes must be equal or 1. Reshape, transpose or index with "
            "None to line the axes up"
        ) from None
    check_shape(name, shape)
    return shape


def elementwise_call(name: str, kind: Kind, *args: ArrayLike) -> Call:
    """An elementwise op on operands promoted to one dtype, broadcast to one shape."""
    if _are_alike(args, kind):
        return Call(args)
    dtype, weak = common_dtype(name, *args)
    if kind in ("float", "inexact") and is_kind(dtype, "integer or bool"):
        dtype = np.dtype("float64") if weak else FLOAT
    if kind == "bool" and dtype != BOOL:
        return Call(broadcast_all(name, *(truth(x) for x in args)))
    require(name, dtype, kind)
    arrays = broadcast_all(name, *(cast(x, dtype, name) for x in args))
    if weak:
        arrays = tuple(map(tracer.lifted_as_weak, arrays))
    return Call(arrays, weak=weak)


def _are_alike(args: tuple[ArrayLike, ...], kind: Kind) -> TypeGuard[tuple[Array, ...]]:
    """Whether nothing is to be done: arrays of one shape and dtype, of that kind."""
    first = args[0]
    if type(first) is not Array or kind == "bool":
        return False
    dtype, shape = first.dtype, first.shape
    return is_kind(dtype, kind) and all(
        type(x) is Array and x.dtype == dtype and x.shape == shape for x in args
    )


def broadcast_all(name: str, *arrays: Array) -> tuple[Array, ...]:
    """Arrays broadcast to one shape."""
    shape = common_shape(name, *arrays)
    return tuple(broadcast_operand(array, shape) for array in arrays)


def truth(x: ArrayLike) -> Array:
    """An operand as bools: whether each element differs from zero."""
    return cast(x, BOOL)


def by_int8(function: Callable[[Array], Array], x: Array) -> Array:
    """A function of numbers on bools, as zeros and ones of 8 bits."""
    return truth(function(cast(x, np.dtype("int8"))))
