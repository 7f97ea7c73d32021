"""`Array`: an immutable n-dimensional array, and the operators that arrays have.

`Tracer` (in `tracer.py`) is an `Array` whose elements are not known yet; everything
here that needs elements asks `_concrete` for them.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dlpack, ops
from .cuda.memory import Memory
from .devices import CPU, Device, device_named, on_device
from .dtypes import MLIR_NAMES, DTypeLike, canonical, is_kind, spell
from .errors import (
    ArgumentError,
    DonatedArrayError,
    IndexingError,
    UnsupportedTypeError,
    public_methods,
)
from .methods import ArrayMethods

if TYPE_CHECKING:
    from .ops.at import Indexer
    from .ops.entries import Index
    from .ops.reduce import Axis
    from .ops.registry import ArrayLike

# NumPy has two types for one dtype where C has two integers of one width.
_NUMBERS = frozenset(dtype.num for dtype in MLIR_NAMES)
_OPERANDS = (bool, int, float, complex, np.ndarray, np.generic)


def _refuse_out(name: str, out: Any) -> None:
    if out is not None:
        raise ArgumentError(
            f"{name}: arrays are not written to, so that there is no `out`; use the "
            "result"
        )


def _as(x: Array, dtype: DTypeLike | None) -> Array:
    return x if dtype is None else ops.astype(x, dtype)


def _binary(name: str, x: Any, y: Any) -> Any:
    """A binary operator; Python tries the other operand where it does not apply."""
    for operand in (x, y):
        if not isinstance(operand, Array) and not isinstance(operand, _OPERANDS):
            if isinstance(operand, (list, tuple, str, dict)):
                getattr(ops, name)(x, y)  # raises, saying what arrays meet
            return NotImplemented
    return getattr(ops, name)(x, y)


@public_methods
class Array(ArrayMethods):
    """An immutable n-dimensional array; make one with `weft.asarray`.

    It views the memory of the NumPy array it was made of, and is itself viewed by
    NumPy and by DLPack without a copy. On a device it has memory there (see `to`).

    >>> x = weft.asarray([[1.0, 2.0], [3.0, 4.0]])
    >>> x.T @ x + 1
    Array([[11., 15.],
           [15., 21.]], dtype=float32)
    """

    __slots__ = ("__weakref__", "_data")

    # Python scalars that are traced are weak; arrays never are.
    weak = False

    _data: np.ndarray | Memory

    def __init__(self, data: np.ndarray | Memory) -> None:
        if type(data) is Memory:
            self._data = data
            return
        if not isinstance(data, np.ndarray):
            raise UnsupportedTypeError(
                "weft.Array views a NumPy array; use weft.asarray for anything else"
            )
        if data.dtype.num not in _NUMBERS or not data.dtype.isnative:
            data = data.astype(canonical(data.dtype))
        if data.flags.writeable or type(data) is not np.ndarray:
            data = data.view(np.ndarray)
            data.setflags(write=False)
        self._data = data

    def __getattr__(self, name: str) -> Any:
        """Says why there is nothing, where the elements were given away."""
        if name == "_data" and type(self) is Array:
            raise DonatedArrayError(
                "this array's memory was donated to a call (donate_argnums), which "
                "computed a result in it; use that result, or do not donate the array"
            )
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}",
            name=name, obj=self,
        )  # fmt: skip

    # ---- what it is ----

    def is_deleted(self) -> bool:
        """Whether the memory was donated to a call, so that nothing is left."""
        try:
            return self._data is None
        except DonatedArrayError:
            return True

    @property
    def shape(self) -> tuple[int, ...]:
        """The size along each axis."""
        return self._data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type."""
        return self._data.dtype

    @property
    def data(self) -> np.ndarray:
        """The elements, as a read-only NumPy array.

        It is over the same memory, or a copy of that of a device.
        """
        return self._concrete("its elements")

    def _concrete(self, purpose: str) -> np.ndarray:
        """The elements, if they are known; `purpose` is for the error if not."""
        data = self._data
        if type(data) is not Memory:
            return data  # pyright: ignore
        host = data.numpy()
        host.setflags(write=False)
        return host

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def device(self) -> Device:
        """Where the elements are: `'cpu'`, `'cuda:0'`, `'cuda-sim:0'`, ..."""
        data = self._data
        return Device(data.device.name if isinstance(data, Memory) else CPU)

    def to(self, device: str) -> Array:
        """This array on a device, copied there unless it is there (`weft.devices`).

        `'cuda'` stands for `'cuda:0'`. Raises `DeviceError` where there is no driver
        or no such GPU, `OutOfMemoryError` where the array does not fit.

        >>> weft.ones(3).to("cpu").device
        'cpu'
        """
        target = device_named(device)
        data = on_device(self._data, target)
        return self if data is self._data else Array(data)

    def cuda(self, index: int = 0) -> Array:
        """This array on an NVIDIA GPU (see `to`)."""
        return self.to(f"cuda:{index}")

    def cpu(self) -> Array:
        """This array in the memory of the host (see `to`)."""
        return self.to(CPU)

    def to_device(self, device: str, /, *, stream: None = None) -> Array:
        """This array on a device, as the array API standard spells it (see `to`)."""
        return self.to(device)

    @property
    def T(self) -> Array:  # noqa: N802
        """The array with its axes reversed."""
        return ops.transpose(self)

    @property
    def mT(self) -> Array:  # noqa: N802
        """The array with its last two axes swapped."""
        return ops.matrix_transpose(self)

    def __len__(self) -> int:
        if not self.shape:
            raise UnsupportedTypeError("a scalar array has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        if not self.shape:
            raise UnsupportedTypeError("a scalar array cannot be iterated over")
        return iter(ops.unstack(self))

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="Array(")
        shape = f", shape={self.shape}" if self.size == 0 else ""
        place = f", device={str(self.device)!r}" if self.device != CPU else ""
        return f"Array({text}{shape}, dtype={self.dtype}{place})"

    def __str__(self) -> str:
        return str(self.data)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        return format(self.item(), spec)

    # ---- as Python's and NumPy's values ----

    def item(self) -> bool | int | float | complex:
        """The only element, as a Python scalar."""
        data = self._concrete("a Python number (.item())")
        if data.size != 1:
            raise ArgumentError(f"item() needs one element; the shape is {self.shape}")
        return data.item()

    def tolist(self) -> Any:
        """The elements, as nested Python lists."""
        return self._concrete("a Python list (.tolist())").tolist()

    def _scalar(self, purpose: str) -> Any:
        if self.size != 1:
            raise ArgumentError(
                f"{purpose} needs one element; the shape is {self.shape}"
                + ("; use weft.any or weft.all" if "bool" in purpose else "")
            )
        return self._concrete(purpose).item()

    def __bool__(self) -> bool:
        return bool(self._scalar("a bool (if, while, and, or, not)"))

    def __float__(self) -> float:
        return float(self._scalar("a Python float"))

    def __int__(self) -> int:
        return int(self._scalar("a Python int"))

    def __index__(self) -> int:
        if not is_kind(self.dtype, "integer") or self.shape:
            raise UnsupportedTypeError(
                f"only scalar integer arrays can be an index, not {self.dtype} of "
                f"shape {self.shape}"
            )
        return int(self._scalar("a Python int (an index)"))

    def __complex__(self) -> complex:
        return complex(self._scalar("a Python complex"))

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> np.ndarray:
        data = self._concrete("a NumPy array")
        return np.array(data, dtype=dtype, copy=copy)

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        memory = self._data if type(self) is Array else None
        if isinstance(memory, Memory) and dl_device != (1, 0):
            return memory.__dlpack__(
                stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
            )
        data = self._concrete("a DLPack capsule")
        # Only DLPack 1 can say that memory is read-only: older readers get a copy.
        if max_version is None or max_version < (1, 0):
            return dlpack.export(data.copy(), dl_device=dl_device)
        return dlpack.export(
            data, max_version=max_version, dl_device=dl_device, copy=copy
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        memory = self._data if type(self) is Array else None
        return memory.__dlpack_device__() if isinstance(memory, Memory) else (1, 0)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        import weft

        return weft

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        """NumPy's functions on this array are Weft's of the same name."""
        function = ops.BY_UFUNC.get(ufunc)
        if function is None or method != "__call__" or kwargs:
            raise UnsupportedTypeError(
                f"np.{ufunc.__name__} does not take {type(self).__name__}s in this "
                "form; use the function of the weft namespace, or np.asarray(x) first"
            )
        return function(*inputs)

    # ---- indexing ----

    def __getitem__(self, index: Index) -> Array:
        return ops.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise IndexingError(
            "arrays are immutable: x[i] = v is not possible; build a new array with "
            "x.at[i].set(v)"
        )

    @property
    def at(self) -> Indexer:
        """Updated copies: `x.at[index].set(y)`, `add`, `multiply`, `min`, `max`, ..."""
        return ops.Indexer(self)

    # ---- arithmetic ----

    def __neg__(self) -> Array:
        return ops.negative(self)

    def __pos__(self) -> Array:
        return ops.positive(self)

    def __abs__(self) -> Array:
        return ops.abs(self)

    def __invert__(self) -> Array:
        return ops.bitwise_invert(self)

    def __add__(self, other: ArrayLike) -> Array:
        return _binary("add", self, other)

    def __radd__(self, other: ArrayLike) -> Array:
        return _binary("add", other, self)

    def __sub__(self, other: ArrayLike) -> Array:
        return _binary("subtract", self, other)

    def __rsub__(self, other: ArrayLike) -> Array:
        return _binary("subtract", other, self)

    def __mul__(self, other: ArrayLike) -> Array:
        return _binary("multiply", self, other)

    def __rmul__(self, other: ArrayLike) -> Array:
        return _binary("multiply", other, self)

    def __truediv__(self, other: ArrayLike) -> Array:
        return _binary("divide", self, other)

    def __rtruediv__(self, other: ArrayLike) -> Array:
        return _binary("divide", other, self)

    def __floordiv__(self, other: ArrayLike) -> Array:
        return _binary("floor_divide", self, other)

    def __rfloordiv__(self, other: ArrayLike) -> Array:
        return _binary("floor_divide", other, self)

    def __mod__(self, other: ArrayLike) -> Array:
        return _binary("remainder", self, other)

    def __rmod__(self, other: ArrayLike) -> Array:
        return _binary("remainder", other, self)

    def __pow__(self, other: ArrayLike) -> Array:
        if isinstance(other, int) and other == 2:
            return ops.square(self)
        return _binary("pow", self, other)

    def __rpow__(self, other: ArrayLike) -> Array:
        return _binary("pow", other, self)

    def __matmul__(self, other: ArrayLike) -> Array:
        return _binary("matmul", self, other)

    def __rmatmul__(self, other: ArrayLike) -> Array:
        return _binary("matmul", other, self)

    # ---- bits and truth ----

    def __and__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_and", self, other)

    def __rand__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_and", other, self)

    def __or__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_or", self, other)

    def __ror__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_or", other, self)

    def __xor__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_xor", self, other)

    def __rxor__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_xor", other, self)

    def __lshift__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_left_shift", self, other)

    def __rlshift__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_left_shift", other, self)

    def __rshift__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_right_shift", self, other)

    def __rrshift__(self, other: ArrayLike) -> Array:
        return _binary("bitwise_right_shift", other, self)

    # ---- comparison ----

    def __hash__(self) -> int:
        raise UnsupportedTypeError(
            f"an array ({spell(self.dtype, self.shape)}) has no hash: it cannot be the "
            "key of a dict, be in a set, or go to a function under lru_cache; "
            "use id(x), or its elements outside jit (x.item(), tuple(x.tolist()))"
        )

    def __eq__(self, other: ArrayLike) -> Array:  # type: ignore[override]
        return _binary("equal", self, other)

    def __ne__(self, other: ArrayLike) -> Array:  # type: ignore[override]
        return _binary("not_equal", self, other)

    def __lt__(self, other: ArrayLike) -> Array:
        return _binary("less", self, other)

    def __le__(self, other: ArrayLike) -> Array:
        return _binary("less_equal", self, other)

    def __gt__(self, other: ArrayLike) -> Array:
        return _binary("greater", self, other)

    def __ge__(self, other: ArrayLike) -> Array:
        return _binary("greater_equal", self, other)

    # ---- methods ----

    def astype(self, dtype: DTypeLike) -> Array:
        """This array converted to a dtype (see `weft.astype`)."""
        return ops.astype(self, dtype)

    def reshape(self, *shape: int | Sequence[int]) -> Array:
        """The elements in another shape: `x.reshape(2, 3)` or `x.reshape((2, 3))`."""
        one = len(shape) == 1 and isinstance(shape[0], (tuple, list))
        return ops.reshape(self, shape[0] if one else shape)  # type: ignore[arg-type]

    def transpose(self, *axes: int | Sequence[int]) -> Array:
        """The axes in another order, one by one or in a tuple; reversed by default."""
        one = len(axes) == 1 and isinstance(axes[0], (tuple, list))
        return ops.transpose(self, axes[0] if one else axes or None)  # type: ignore[arg-type]

    # NumPy's functions call these with its own arguments, `out` among them.

    def sum(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
    ) -> Array:
        """Sum over axes (see `weft.sum`)."""
        _refuse_out("sum", out)
        return ops.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
    ) -> Array:
        """Product over axes (see `weft.prod`)."""
        _refuse_out("prod", out)
        return ops.prod(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def max(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
        """Largest element along axes (see `weft.max`)."""
        _refuse_out("max", out)
        return ops.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
        """Smallest element along axes (see `weft.min`)."""
        _refuse_out("min", out)
        return ops.min(self, axis=axis, keepdims=keepdims)

    def mean(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
    ) -> Array:
        """Arithmetic mean over axes (see `weft.mean`), computed in `dtype`."""
        _refuse_out("mean", out)
        return ops.mean(_as(self, dtype), axis=axis, keepdims=keepdims)

    def var(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        ddof: float | None = None,
        keepdims: bool = False,
        *,
        correction: float = 0.0,
    ) -> Array:
        """Variance over axes (see `weft.var`), computed in `dtype`."""
        _refuse_out("var", out)
        return ops.var(
            _as(self, dtype), axis, correction=correction, ddof=ddof, keepdims=keepdims
        )

    def std(
        self,
        axis: Axis = None,
        dtype: DTypeLike | None = None,
        out: None = None,
        ddof: float | None = None,
        keepdims: bool = False,
        *,
        correction: float = 0.0,
    ) -> Array:
        """Standard deviation over axes (see `weft.std`), computed in `dtype`."""
        _refuse_out("std", out)
        return ops.std(
            _as(self, dtype), axis, correction=correction, ddof=ddof, keepdims=keepdims
        )

    def any(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
        """Whether one element along axes is true (see `weft.any`)."""
        _refuse_out("any", out)
        return ops.any(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, out: None = None, keepdims: bool = False) -> Array:
        """Whether every element along axes is true (see `weft.all`)."""
        _refuse_out("all", out)
        return ops.all(self, axis=axis, keepdims=keepdims)

    def argmax(
        self, axis: int | None = None, out: None = None, keepdims: bool = False
    ) -> Array:
        """Position of the first largest element (see `weft.argmax`)."""
        _refuse_out("argmax", out)
        return ops.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(
        self, axis: int | None = None, out: None = None, keepdims: bool = False
    ) -> Array:
        """Position of the first smallest element (see `weft.argmin`)."""
        _refuse_out("argmin", out)
        return ops.argmin(self, axis=axis, keepdims=keepdims)

    # A copy is there when the array itself has been donated.
    def __copy__(self) -> Array:
        return Array(self._data.copy()) if type(self) is Array else self

    def __deepcopy__(self, memo: dict[int, Any]) -> Array:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return Array, (np.array(self._concrete("a pickle")),)
