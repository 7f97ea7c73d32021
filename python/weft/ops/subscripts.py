"""Einstein sums: any number of operands, contracted two at a time along a path."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import opt_einsum

from ..array import Array
from ..dtypes import BOOL, DTypeLike
from ..errors import ArgumentError, ShapeError, UnsupportedTypeError, public
from ..precision import Precision
from .contract import promoted, sum_dtype
from .products import Labels, labelled_product, summed
from .registry import cast
from .shape import moveaxis, reshape, transpose

__all__ = ["einsum", "einsum_path"]

Optimize: TypeAlias = bool | str | Sequence[Any]


@dataclass(frozen=True, slots=True)
class Subscripts:
    """A label for each axis of each operand and of the result."""

    spelled: str
    inputs: tuple[Labels, ...]
    output: Labels

    def symbols(self) -> str:
        """The subscripts with one letter a label, as opt_einsum takes them."""
        letters: dict[Hashable, str] = {}
        for labels in (*self.inputs, self.output):
            for label in labels:
                letters.setdefault(label, opt_einsum.get_symbol(len(letters)))
        terms = ("".join(letters[i] for i in labels) for labels in self.inputs)
        return f"{','.join(terms)}->{''.join(letters[i] for i in self.output)}"


# ---- subscripts ----


def _subscripts(args: Sequence[Any]) -> tuple[list[Any], list[Any], Any, str]:
    """Operands, their terms, the output's term if given, and how that was spelled.

    A term is a sequence of labels and of `...`.
    """
    if not args:
        raise ArgumentError("einsum needs subscripts and operands")
    if isinstance(args[0], str):
        return _from_string(args[0], list(args[1:]))
    operands, terms = list(args[: len(args) // 2 * 2 : 2]), list(args[1::2])
    output = list(args[-1]) if len(args) % 2 else None
    spelled = f"{terms} -> {output}"
    if any(not isinstance(term, (list, tuple)) for term in terms):
        raise UnsupportedTypeError(
            "einsum takes a string of subscripts and operands, or operands each "
            "followed by a list of its labels"
        )
    return operands, [list(term) for term in terms], output, spelled


def _from_string(
    text: str, operands: list[Any]
) -> tuple[list[Any], list[Any], Any, str]:
    bare = "".join(text.split())
    left, arrow, right = bare.partition("->")
    terms = [_term(part, text) for part in left.split(",")]
    output = _term(right, text) if arrow else None
    if len(terms) != len(operands):
        raise ArgumentError(
            f"einsum: {text!r} has {len(terms)} terms for {len(operands)} operands"
        )
    return operands, terms, output, repr(text)


def _term(part: str, text: str) -> list[Any]:
    before, dots, after = part.partition("...")
    letters = before + after
    if not all(letter.isalpha() for letter in letters):
        wrong = next(letter for letter in letters if not letter.isalpha())
        raise ArgumentError(
            f"einsum: {text!r} has {wrong!r} in a term; terms are letters and at most "
            "one '...', separated by commas, with '->' before the result's"
        )
    return [*before, *([...] if dots else []), *after]


def _expanded(term: list[Any], ndim: int, spelled: str, i: int) -> Labels:
    """A term with its ellipsis replaced by labels, numbered from the last axis."""
    count = ndim - len(term) + (... in term)
    if term.count(...) > 1 or count < 0 or (count and ... not in term):
        raise ShapeError(
            f"einsum: {spelled}: operand {i} has {ndim} axes, and its term names "
            f"{len(term) - (... in term)}" + (" besides '...'" if ... in term else "")
        )
    if ... not in term:
        return term
    at = term.index(...)
    dots = [(..., n) for n in reversed(range(count))]
    return [*term[:at], *dots, *term[at + 1 :]]


def _output(output: Any, inputs: Sequence[Labels], spelled: str) -> Labels:
    """The labels of the result: by default those that occur once, in order."""
    every: list[Any] = [label for labels in inputs for label in labels]
    dots = sorted({label for label in every if isinstance(label, tuple)}, reverse=True)
    if output is None:
        once: list[Any] = [label for label in every if every.count(label) == 1]
        return [*dots, *sorted(label for label in once if not isinstance(label, tuple))]
    labels: Labels = []
    for label in output:
        labels += dots if label is ... else [label]
    for label in labels:
        if label not in every:
            raise ArgumentError(
                f"einsum: {spelled}: the result names {label!r}, which no operand has"
            )
        if labels.count(label) > 1:
            raise ArgumentError(f"einsum: {spelled}: the result names {label!r} twice")
    return labels


def _check_sizes(subscripts: Subscripts, shapes: Sequence[tuple[int, ...]]) -> None:
    sizes: dict[Hashable, int] = {}
    for labels, shape in zip(subscripts.inputs, shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            known = sizes.setdefault(label, size)
            if 1 in (known, size):
                sizes[label] = known if size == 1 else size
            elif known != size:
                named = "an axis of '...'" if isinstance(label, tuple) else repr(label)
                raise ShapeError(
                    f"einsum: {subscripts.spelled}: {named} has the sizes {known} and "
                    f"{size} in operands of the shapes "
                    f"{', '.join(map(str, shapes))}; they must be equal or 1"
                )


def _parsed(args: Sequence[Any], name: str) -> tuple[Subscripts, list[Array]]:
    operands, terms, output, spelled = _subscripts(args)
    if not operands:
        raise ArgumentError(f"{name} needs an operand")
    arrays = list(promoted(name, *operands))
    inputs = tuple(
        _expanded(term, array.ndim, spelled, i)
        for i, (term, array) in enumerate(zip(terms, arrays, strict=True))
    )
    subscripts = Subscripts(spelled, inputs, _output(output, inputs, spelled))
    _check_sizes(subscripts, [array.shape for array in arrays])
    return subscripts, arrays


def _path(
    subscripts: Subscripts, shapes: Sequence[tuple[int, ...]], optimize: Optimize
) -> tuple[Any, Any]:
    limit: Any = None
    method: Any = optimize
    if not isinstance(optimize, (bool, str)):
        method = list(optimize)
        if method and method[0] == "einsum_path":
            method = method[1:]
        elif method and isinstance(method[0], str):
            method, limit = method
    try:
        return opt_einsum.contract_path(
            subscripts.symbols(), *shapes, shapes=True, optimize=method,
            memory_limit=limit,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ArgumentError(f"einsum: optimize={optimize!r}: {error}") from None


# ---- sums ----


def _diagonals(x: Array, labels: Labels, spelled: str) -> tuple[Array, Labels]:
    """The elements at which axes of equal labels have equal indices."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            size = x.shape[first]
            if size != x.shape[second]:
                raise ShapeError(
                    f"einsum: {spelled}: {label!r} has the sizes {size} and "
                    f"{x.shape[second]} within one operand of the shape {x.shape}"
                )
            x = moveaxis(x, (first, second), (-2, -1))
            flat = reshape(x, (*x.shape[:-2], size * size))
            x = flat[..., :: size + 1]
            rest = [i for n, i in enumerate(labels) if n not in (first, second)]
            labels = [*rest, label]
    return x, labels


def _contracted(
    terms: list[tuple[Array, Labels]], kept: set[Hashable], output: Labels,
    dtype: np.dtype[Any] | None, precision: Precision | None,
) -> tuple[Array, Labels]:  # fmt: skip
    """Some operands contracted to one, which has the labels that are kept."""
    x, labels = terms[0]
    for i, (y, others) in enumerate(terms[1:], 2):
        later = {label for _, rest in terms[i:] for label in rest}
        both = dict.fromkeys((*labels, *others))
        out = [label for label in both if label in kept or label in later]
        if set(out) == set(output):
            out = list(output)
        x = labelled_product((x, labels), (y, others), out, dtype, precision)
        labels = out
    return summed(x, labels, kept, dtype)


@public
def einsum(
    *args: Any,
    optimize: Optimize = "auto",
    preferred_element_type: DTypeLike | None = None,
    precision: Precision | None = None,
) -> Array:
    """Sums of products of any number of arrays, as subscripts say.

    `einsum("ij,jk->ik", x, y)`, or `einsum(x, [0, 1], y, [1, 2], [0, 2])`: a letter or
    a number labels an axis of each operand. Axes of one label are walked together
    (within an operand: its diagonal), where sizes are equal or 1, and summed over if
    the result does not name it. Without `->` the result has the labels that occur
    once, in alphabetical order. `...` stands for further axes, which broadcast.

    `optimize` is how opt_einsum orders the contractions: `True`, `False` (from left to
    right), the name of a method, or a path that `einsum_path` gave. The sums are
    accumulated in `preferred_element_type`, and factors may be rounded to `precision`,
    as by `dot_general`.

    Raises `ArgumentError` for subscripts that mean nothing, `ShapeError` for sizes
    that differ.

    >>> x = weft.asarray([[1, 2], [3, 4]])
    >>> weft.einsum("ij,j->i", x, weft.asarray([1, 10]))
    Array([21, 43], dtype=int64)
    >>> weft.einsum("ii", x)
    Array(5, dtype=int64)
    """
    subscripts, arrays = _parsed(args, "einsum")
    dtype = None
    if preferred_element_type is not None:
        dtype = sum_dtype("einsum", arrays[0].dtype, preferred_element_type)
    if arrays[0].dtype == BOOL and dtype is not None:
        arrays = [cast(array, dtype) for array in arrays]
    terms = [
        _diagonals(array, labels, subscripts.spelled)
        for array, labels in zip(arrays, subscripts.inputs, strict=True)
    ]
    steps: list[tuple[int, ...]] = [(0,)]
    if len(arrays) > 1:
        steps = _path(subscripts, [array.shape for array in arrays], optimize)[0]
    for step in steps:
        chosen = [terms[i] for i in sorted(step)]
        terms = [term for i, term in enumerate(terms) if i not in step]
        kept = {*subscripts.output, *(i for _, labels in terms for i in labels)}
        terms.append(_contracted(chosen, kept, subscripts.output, dtype, precision))
    result, labels = terms[0]
    order = [labels.index(label) for label in subscripts.output]
    return result_in(transpose(result, order), dtype)


def result_in(x: Array, dtype: np.dtype[Any] | None) -> Array:
    """A result in the dtype that was asked for, where nothing was summed."""
    return x if dtype is None else cast(x, dtype)


@public
def einsum_path(*args: Any, optimize: Optimize = "greedy") -> tuple[list[Any], str]:
    """The order in which `einsum` contracts its operands, and a description of it.

    >>> x = weft.ones((2, 2))
    >>> weft.einsum_path("ij,jk,kl->il", x, x, x)[0]
    ['einsum_path', (0, 1), (0, 1)]
    """
    subscripts, arrays = _parsed(args, "einsum_path")
    path, description = _path(subscripts, [a.shape for a in arrays], optimize)
    return ["einsum_path", *path], str(description)
