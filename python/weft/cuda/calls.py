"""What a routine of linear algebra needs on a GPU: scratch, and NVIDIA's functions.

Weft's matrices are in row-major order, those of the libraries in column-major order.
A stack of matrices of m rows, turned as one matrix, has those of all beside each other:
matrix k begins in row k m, and columns are count m apart. So one transposition turns a
whole stack.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from .routines import Kind, failure

if TYPE_CHECKING:
    from .driver import CudaDevice
    from .fourier import Key

# As the headers of cuBLAS and cuSOLVER number them.
N, T, C = 0, 1, 2
LOWER, UPPER = 0, 1
LEFT, RIGHT = 0, 1
Pointers: TypeAlias = Sequence[int]


@dataclass(frozen=True, slots=True)
class Stack:
    """Matrices in column-major order, by where the first is.

    `ld` and `stride` are how many elements columns and matrices are apart.
    """

    pointer: int
    ld: int
    stride: int
    itemsize: int

    def at(self, index: int, column: int = 0) -> int:
        """The address of a column of a matrix."""
        elements = index * self.stride + column * self.ld
        return self.pointer + elements * self.itemsize

    def addresses(self, count: int) -> np.ndarray:
        """Those of all matrices."""
        return self.pointer + np.arange(count) * (self.stride * self.itemsize)


class Opened(Protocol):
    """The libraries that calls on a device have (see `solver.Libraries`)."""

    @property
    def device(self) -> CudaDevice: ...

    def blas(self, name: str, *args: Any) -> None: ...

    def lapack(self, name: str, *args: Any) -> None: ...

    def transform(self, call: Call, key: Key) -> Callable[..., None]: ...


class Call:
    """A call of a routine for one element type, and the scratch that it has."""

    def __init__(self, opened: Opened, routine: str, kind: Kind, line: str) -> None:
        self.routine, self.kind, self.line = routine, kind, line
        self.device, self._opened = opened.device, opened
        self._held: list[int] = []
        letter = self.letter = kind.letter
        # LAPACK's names, which tell complex matrices apart.
        self.orthogonal = "ungqr" if letter in "CZ" else "orgqr"
        self.eigen = "heevd" if letter in "CZ" else "syevd"

    def release(self) -> None:
        """Gives memory back, which is used again in the order of the stream."""
        for pointer in self._held:
            self.device.free(pointer)

    # ---- memory ----

    def bytes(self, size: int) -> int:
        """Scratch."""
        self._held.append(self.device.allocate(size))
        return self._held[-1]

    def elements(self, size: int) -> int:
        """Scratch for elements."""
        return self.bytes(size * self.kind.dtype.itemsize)

    def upload(self, array: np.ndarray) -> int:
        """A copy of an array, as scratch."""
        pointer = self.bytes(array.nbytes)
        self.write(pointer, array)
        return pointer

    def write(self, pointer: int, array: np.ndarray) -> None:
        """Writes an array of the host."""
        if array.size:
            self.device.write(pointer, np.ascontiguousarray(array))

    def write_units(self, pointer: int, count: int, size: int) -> None:
        """Writes so many unit matrices."""
        unit = np.eye(size, dtype=self.kind.dtype)
        self.write(pointer, np.broadcast_to(unit, (count, size, size)))

    def read(self, pointer: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """What the device has computed, which is waited for."""
        array = np.empty(shape, dtype)
        if array.size:
            self.device.read(pointer, array)
        return array

    def copy(self, to: int, source: int, size: int) -> None:
        """Copies elements."""
        self.device.copy(to, source, size * self.kind.dtype.itemsize)

    def copied(self, x: int, size: int) -> int:
        """A copy of elements, which may be overwritten."""
        pointer = self.elements(size)
        self.copy(pointer, x, size)
        return pointer

    def clear(self, pointer: int, size: int) -> None:
        """Makes elements zero."""
        self.device.clear(pointer, size * self.kind.dtype.itemsize)

    # ---- functions of the libraries ----

    def blas(self, name: str, *args: Any) -> None:
        """Calls a function of cuBLAS."""
        self._opened.blas(f"cublas{self.letter}{name}", *args)

    def lapack(self, name: str, *args: Any) -> None:
        """Calls a function of cuSOLVER."""
        self._opened.lapack(f"cusolverDn{self.letter}{name}", *args)

    def transform(self, key: Key) -> Callable[..., None]:
        """A plan of cuFFT, as a function (see `fourier.FourierPlans`)."""
        return self._opened.transform(self, key)

    def work_size(self, name: str, *args: Any) -> int:
        """The elements that a function of cuSOLVER asks for."""
        size = ctypes.c_int(0)
        self.lapack(f"{name}_bufferSize", *args, ctypes.byref(size))
        return size.value

    def scalar(self, value: float) -> Any:
        """A number on the host, as an element."""
        real = ctypes.c_float if self.letter in "SC" else ctypes.c_double
        return (real * 2)(value, 0)

    # ---- layouts ----

    def stack(self, pointer: int, ld: int, stride: int) -> Stack:
        """Matrices by where they are."""
        return Stack(pointer, ld, stride, self.kind.dtype.itemsize)

    def beside(self, count: int, rows: int, columns: int) -> Stack:
        """Scratch for matrices whose columns are beside each other."""
        return self.stack(self.elements(count * rows * columns), count * rows, rows)

    def turned(
        self, x: int, count: int, rows: int, columns: int, wide: int = 0
    ) -> Stack:
        """A row-major stack, turned; with room for `wide` columns."""
        made = self.beside(count, rows, max(columns, wide))
        self._geam(T, count * rows, columns, x, columns, made.pointer, count * rows)
        return made

    def turned_back(
        self, x: Stack, to: int, count: int, rows: int, columns: int
    ) -> None:
        """Writes matrices that are beside each other as a row-major stack."""
        self._geam(T, columns, count * rows, x.pointer, x.ld, to, columns)

    def _geam(
        self, op: int, m: int, n: int, a: int, lda: int, c: int, ldc: int
    ) -> None:
        """C = op(A), of m rows and n columns."""
        if m and n:
            one, zero = self.scalar(1), self.scalar(0)
            # Of a matrix times zero nothing is read, but its size is checked.
            self.blas("geam", op, N, m, n, one, a, lda, zero, c, ldc, c, ldc)

    def copy_matrix(self, m: int, n: int, a: int, lda: int, c: int, ldc: int) -> None:
        """Copies a matrix of m rows and n columns."""
        self._geam(N, m, n, a, lda, c, ldc)

    def copy_triangle(
        self, uplo: int, n: int, a: int, lda: int, c: int, ldc: int, packed: int
    ) -> None:
        """Copies a triangle by way of its packed form, and nothing beside it."""
        self.blas("trttp", uplo, n, a, lda, packed)
        self.blas("tpttr", uplo, n, packed, c, ldc)

    # ---- failures ----

    def check(self, fails: np.ndarray, reason: str, routine: str = "") -> None:
        """Raises for the first matrix that has no result."""
        if fails.any():
            raise failure(
                routine or self.routine, reason, int(np.argmax(fails)), len(fails),
                self.line,
            )  # fmt: skip
