"""The kernels of `Fourier.cpp`, by cuFFT on a GPU."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from .calls import Call, Pointers

if TYPE_CHECKING:
    from .libraries import Library

_FORWARD: Final = -1
_INVERSE: Final = 1
# As cuFFT's header numbers them.
_TYPES: Final = {
    "C2C": 0x29, "R2C": 0x2A, "C2R": 0x2C, "Z2Z": 0x69, "D2Z": 0x6A, "Z2D": 0x6C,
}  # fmt: skip
_PLANS_KEPT: Final = 32
# The kind, the length, how far apart elements and transforms are, and how many of them.
Key: TypeAlias = tuple[str, int, tuple[int, int], tuple[int, int], int]


class FourierPlans:
    """Plans of cuFFT, kept for calls of the same shape; their scratch is the call's."""

    def __init__(self, library: Library, stream: int) -> None:
        self._library, self._stream = library, stream
        self._plans: OrderedDict[Key, tuple[int, int]] = OrderedDict()

    def find(self, key: Key) -> tuple[int, int]:
        """The plan of a key, and the bytes of scratch that it needs."""
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._made(*key)
            if len(self._plans) > _PLANS_KEPT:
                old, _ = self._plans.popitem(last=False)[1]
                self._library("cufftDestroy", old)
        self._plans.move_to_end(key)
        return plan

    def _made(
        self, kind: str, size: int, ins: tuple[int, int], outs: tuple[int, int],
        batch: int,
    ) -> tuple[int, int]:  # fmt: skip
        handle, scratch = ctypes.c_int(0), ctypes.c_size_t(0)
        self._library("cufftCreate", ctypes.byref(handle))
        # Of one dimension, strides and distances alone say where elements are; but
        # they count only where the arrays' sizes are given too.
        sizes = (ctypes.c_longlong * 1)(size)
        self._library("cufftSetAutoAllocation", handle.value, 0)
        self._library(
            "cufftMakePlanMany64", handle.value, 1, sizes, sizes, *ins, sizes, *outs,
            _TYPES[kind], batch, ctypes.byref(scratch),
        )  # fmt: skip
        self._library("cufftSetStream", handle.value, self._stream)
        return handle.value, scratch.value

    def ready(self, call: Call, key: Key) -> Callable[..., None]:
        """The plan of a key, as a function of where elements are and shall be."""
        plan, size = self.find(key)
        scratch = call.bytes(size)

        def run(x: int, y: int, *direction: int) -> None:
            self._library("cufftSetWorkArea", plan, scratch)
            self._library(f"cufftExec{key[0]}", plan, x, y, *direction)

        return run


def fft(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    outer, size, inner, inverse = numbers
    if not outer * size * inner:
        return
    kind = "C2C" if call.letter == "C" else "Z2Z"
    direction = _INVERSE if inverse else _FORWARD
    # Along the middle one of three dimensions: those of one place in the last together,
    # or those of one in the first, whichever are fewer.
    if inner <= outer:
        how, batch, blocks, step = (inner, size * inner), outer, inner, 1
    else:
        how, batch, blocks, step = (inner, 1), inner, outer, size * inner
    step *= call.kind.dtype.itemsize
    transform = call.transform((kind, size, how, how, batch))
    for i in range(blocks):
        transform(ins[0] + i * step, outs[0] + i * step, direction)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Transforms of real elements, all of which one plan does in one block.

    They begin in one row, since cuFFT wants real elements where complex ones could be.
    """

    count: int
    batch: int
    reals: tuple[int, int]
    complexes: tuple[int, int]

    @staticmethod
    def of(outer: int, size: int, inner: int) -> _Blocks:
        if inner == 1:
            return _Blocks(1, outer, (1, size), (1, size // 2 + 1))
        return _Blocks(outer, inner, (inner, 1), (inner, 1))


def rfft(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    outer, size, inner = numbers
    if not outer * size * inner:
        return
    own, real = _Blocks.of(outer, size, inner), call.kind.real.itemsize
    block = size * own.batch * real
    result = (size // 2 + 1) * own.batch * 2 * real
    aside = call.bytes(block)
    key = "R2C" if real == 4 else "D2Z", size, own.reals, own.complexes, own.batch
    transform = call.transform(key)
    for i in range(own.count):
        x = ins[0] + i * block
        if x % (2 * real):
            call.device.copy(aside, x, block)
            x = aside
        transform(x, outs[0] + i * result)


def irfft(call: Call, numbers: Sequence[int], ins: Pointers, outs: Pointers) -> None:
    outer, size, inner = numbers
    if not outer * size * inner:
        return
    own, real = _Blocks.of(outer, size, inner), call.kind.real.itemsize
    half = size // 2 + 1
    block, result = half * own.batch * 2 * real, size * own.batch * real
    # What is given is overwritten, and must be the transform of real elements: the
    # first, and of an even length the last one, have no imaginary part.
    given, aside = call.bytes(block), call.bytes(result)
    ends = [0] if size % 2 else [0, half - 1]
    stride, distance = own.complexes
    key = "C2R" if real == 4 else "Z2D", size, own.complexes, own.reals, own.batch
    transform = call.transform(key)
    for i in range(own.count):
        call.device.copy(given, ins[0] + i * block, block)
        for end in ends:
            first = given + end * stride * 2 * real + real
            call.device.clear_parts(first, distance * 2 * real, real, own.batch)
        y = outs[0] + i * result
        transform(given, aside if y % (2 * real) else y)
        if y % (2 * real):
            call.device.copy(y, aside, result)
