"""Checks of derivatives and batching, for a user's own functions."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from . import ops, tree
from .dtypes import (
    BFLOAT16,
    FLOAT,
    FLOAT16,
    FLOAT64,
    complex_dtype,
    default_precision,
    is_kind,
    real_dtype,
)
from .errors import ArgumentError, TransformError, WeftError, public
from .jit import jit
from .specs import spec_of
from .transforms import jvp, vjp, vmap
from .transforms.common import check_function, name_of, standing_for

__all__ = ["DerivativeError", "check_grads"]

MODES: Final = ("fwd", "rev")
_STACK: Final = 3
# How far two ways of computing the same may lie apart, by the size of an element.
_ROUNDING: Final = {FLOAT64: 1e-8, FLOAT: 1e-3, FLOAT16: 2e-2, BFLOAT16: 1e-1}

_Arrays = list[np.ndarray]
_Function = Callable[..., Any]


class DerivativeError(WeftError, AssertionError):
    """A derivative, or a batched function, that disagrees with what it stands for."""


@public
def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = MODES,
    *,
    atol: float = 1e-5,
    rtol: float = 1e-5,
    eps: float = 1e-5,
    batching: bool = True,
    seed: int = 0,
) -> None:
    """Raises `DerivativeError` where derivatives of `f` at `args` are wrong.

    `args` is a tuple of the positional arguments, trees of arrays; those that are not
    floating point are held fixed. Up to `order`, in random directions `t` and `ct`:

    - "fwd" in `modes`: the derivative in forward mode, J t, is the central difference
      quotient of step `eps`, to within `atol` and `rtol`;
    - "rev": the dot-product test, <J^T ct, t> = <ct, J t>, with J t that quotient;
    - both: forward against reverse mode, for the dtypes as given, to rounding;
    - `batching`: `vmap` of the function and of its derivatives equals a loop.

    Difference quotients are taken of inexact arguments in float64 or complex128, where
    <ct, t> is the real part of the sum of products (see `weft.vjp`). The derivatives
    are those of compiled code.

    >>> weft.testing.check_grads(weft.sin, (0.5,), order=3)
    """
    check_function(f, "check_grads")
    for mode in modes:
        if mode not in MODES:
            raise ArgumentError(f"modes has {mode!r}; they are {', '.join(MODES)}")
    if not isinstance(args, (tuple, list)):
        raise ArgumentError(
            f"args is a tuple of the arguments of {name_of(f)!r}, not "
            f"{type(args).__name__}; write check_grads(f, (x,))"
        )
    leaves, structure = tree.flatten(tuple(args))
    arrays = [np.asarray(x, _strong_dtype(x)) for x in leaves]
    moving = [i for i, x in enumerate(arrays) if is_kind(x.dtype, "inexact")]
    if not moving:
        raise TransformError(
            f"check_grads of {name_of(f)!r}: no argument is floating point, so that "
            "there is no derivative to check"
        )

    def of_moving(*xs: Any) -> Any:
        whole: list[Any] = list(arrays)
        for i, x in zip(moving, xs, strict=True):
            whole[i] = x
        results = tree.flatten(f(*tree.unflatten(structure, whole)))[0]
        floats = [ops.asarray(y) for y in results]
        return tuple(y for y in floats if is_kind(y.dtype, "inexact"))

    of_moving = standing_for(of_moving, f)
    rng = np.random.default_rng(seed)
    check = _Check(name_of(f), frozenset(modes), batching, rtol, atol, eps, rng)
    check.run(of_moving, [arrays[i] for i in moving], order, "")


def _strong_dtype(x: Any) -> np.dtype[Any]:
    spec = spec_of(x)
    return default_precision(spec.dtype) if spec.weak else spec.dtype


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    modes: frozenset[str]
    batching: bool
    rtol: float
    atol: float
    eps: float
    rng: np.random.Generator

    def run(self, f: _Function, xs: _Arrays, order: int, of: str) -> None:
        """Checks a function of arrays, and to an order the derivatives of it."""
        ys = _arrays(jit(f)(*xs))
        if not ys:
            raise TransformError(
                f"check_grads of {self.name!r}: no result is floating point, so that "
                "there is no derivative to check"
            )
        if self.batching:
            self._batched(f, xs, of)
        if order < 1:
            return
        ts, cts = self._directions(xs), self._directions(ys)
        slope = self._difference(f, xs, ts)
        forward, reverse = _forward(f, len(xs)), _reverse(f, len(xs))
        if "fwd" in self.modes:
            given = _arrays(jit(forward)(*_wide(xs), *_wide(ts)))
            what = f"forward mode{of}: J t"
            self._close(what, "the difference quotient", given, slope)
        if "rev" in self.modes:
            given = _arrays(jit(reverse)(*_wide(xs), *_wide(cts)))
            what = f"reverse mode{of}: <J^T ct, t>"
            self._close_dots(
                what, "<ct, difference quotient>", (given, ts), (cts, slope), self.rtol
            )
        if {"fwd", "rev"} <= self.modes:
            moved = _arrays(jit(forward)(*xs, *ts))
            pulled = _arrays(jit(reverse)(*xs, *cts))
            what = f"reverse mode{of}: <J^T ct, t>"
            rounding = max(_ROUNDING[real_dtype(x.dtype)] for x in (*xs, *ys))
            self._close_dots(
                what, "forward mode's <ct, J t>", (pulled, ts), (cts, moved), rounding
            )
        if "fwd" in self.modes:
            g = _fixed(forward, ts)
            self.run(g, xs, order - 1, f" of forward mode{of}")
        if "rev" in self.modes:
            g = _fixed(reverse, cts)
            self.run(g, xs, order - 1, f" of reverse mode{of}")

    def _directions(self, like: _Arrays) -> _Arrays:
        return [_normal(self.rng, x) for x in like]

    def _difference(self, f: _Function, xs: _Arrays, ts: _Arrays) -> _Arrays:
        """(f(x + eps t) - f(x - eps t)) / (2 eps), in float64."""
        compiled = jit(f)
        ends = [
            _arrays(
                compiled(
                    *(
                        x + sign * self.eps * t
                        for x, t in zip(_wide(xs), _wide(ts), strict=True)
                    )
                )
            )
            for sign in (1.0, -1.0)
        ]
        return [
            (after - before) / (2 * self.eps)
            for after, before in zip(*map(_wide, ends), strict=True)
        ]

    def _batched(self, f: _Function, xs: _Arrays, of: str) -> None:
        stacks = [
            np.stack([x + np.asarray(0.01 * i, x.dtype) for i in range(_STACK)])
            for x in xs
        ]
        whole = _arrays(jit(vmap(f))(*stacks))
        compiled = jit(f)
        rows = [_arrays(compiled(*(s[i] for s in stacks))) for i in range(_STACK)]
        loop = [np.stack(row) for row in zip(*rows, strict=True)]
        rounding = max(_ROUNDING[real_dtype(x.dtype)] for x in (*xs, *whole))
        sizes = (float(np.max(np.abs(y), initial=0.0)) for y in _wide(loop))
        scale = max(sizes, default=0.0)
        what = f"vmap of the function{of}" if not of else f"vmap{of}"
        self._close(what, "a loop", whole, loop, rounding, rounding * (1 + scale))

    def _close_dots(
        self,
        what: str,
        than: str,
        ours: tuple[_Arrays, _Arrays],
        theirs: tuple[_Arrays, _Arrays],
        rtol: float,
    ) -> None:
        size = 1.0 + _norm(theirs[0]) * _norm(theirs[1])
        given, wanted = (np.array(_dot(*pair)) for pair in (ours, theirs))
        self._close(what, than, [given], [wanted], rtol, rtol * size)

    def _close(
        self,
        what: str,
        than: str,
        ours: _Arrays,
        theirs: _Arrays,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> None:
        rtol = self.rtol if rtol is None else rtol
        atol = self.atol if atol is None else atol
        pairs = zip(_wide(ours), _wide(theirs), strict=True)
        for i, (given, wanted) in enumerate(pairs):
            if np.allclose(given, wanted, rtol, atol, equal_nan=True):
                continue
            error = np.abs(given - wanted)
            bad = np.unravel_index(np.nanargmax(error), error.shape)
            place = f" at {tuple(map(int, bad))}" if error.ndim else ""
            raise DerivativeError(
                f"check_grads of {self.name!r}: {what} differs from {than}: result {i} "
                f"of shape {error.shape}{place} is {given[bad]}, not {wanted[bad]} "
                f"(rtol {rtol:g}, atol {atol:g})"
            )


def _forward(f: _Function, count: int) -> _Function:
    """J t, as a function of x and t."""

    def forward(*given: Any) -> Any:
        return jvp(f, given[:count], given[count:])[1]

    return standing_for(forward, f)


def _reverse(f: _Function, count: int) -> _Function:
    """J^T ct, as a function of x and ct."""

    def reverse(*given: Any) -> Any:
        return vjp(f, *given[:count])[1](tuple(given[count:]))

    return standing_for(reverse, f)


def _fixed(f: _Function, directions: _Arrays) -> _Function:
    """A derivative along fixed directions, of the dtypes that the arguments have."""

    def function(*xs: Any) -> Any:
        real = real_dtype(ops.asarray(xs[0]).dtype)
        return f(*xs, *(d.astype(_like(d, real)) for d in directions))

    return standing_for(function, f)


def _like(x: np.ndarray, real: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype of some precision for real or complex numbers, as those of `x` are."""
    return complex_dtype(real) if is_kind(x.dtype, "complex") else real


def _arrays(xs: Any) -> _Arrays:
    return [np.asarray(x) for x in xs]


def _normal(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    drawn = rng.standard_normal(like.shape)
    if is_kind(like.dtype, "complex"):
        drawn = drawn + 1j * rng.standard_normal(like.shape)
    return np.asarray(drawn, like.dtype)


def _wide(xs: _Arrays) -> _Arrays:
    return [
        x.astype(np.complex128 if is_kind(x.dtype, "complex") else np.float64)
        for x in xs
    ]


def _dot(xs: _Arrays, ys: _Arrays) -> float:
    pairs = zip(_wide(xs), _wide(ys), strict=True)
    return float(sum(np.real(np.sum(x * y)) for x, y in pairs))


def _norm(xs: _Arrays) -> float:
    return float(np.sqrt(_dot(xs, [np.conj(x) for x in xs])))
