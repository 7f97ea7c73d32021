"""Trees of arrays as data: how arguments and results of a saved function are laid out.

A tree is JSON: a leaf is its number, and all else is an object with one item, such as
`{"tuple": [0, {"dict": {"w": 1}}]}`.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import PlanError, StructureError


def described(tree: Any) -> Any:
    """The JSON of a tree whose leaves are numbers."""
    if tree is None:
        return {"none": 0}
    if type(tree) is int:
        return tree
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        names: tuple[str, ...] = tree._fields  # pyright: ignore
        fields = dict(zip(names, map(described, tree), strict=True))
        return {"namedtuple": [type(tree).__name__, fields]}
    if type(tree) in (tuple, list):
        return {type(tree).__name__: [described(each) for each in tree]}
    if type(tree) is dict and all(type(key) is str for key in tree):
        return {"dict": {key: described(each) for key, each in tree.items()}}
    raise PlanError(
        f"a function with a {type(tree).__name__} among its arguments or results "
        "cannot be saved; use dicts by strings, lists, tuples and arrays"
    )


def numbers(form: Any) -> list[int]:
    """The leaves of a form, in order; raises `PlanError` where it is none."""
    if type(form) is int:
        return [form]
    if type(form) is dict and len(form) == 1:
        ((kind, content),) = form.items()
        if kind == "none":
            return []
        if kind == "namedtuple" and type(content) is list and len(content) == 2:
            kind, content = "dict", content[1]
        if kind in ("tuple", "list") and type(content) is list:
            return [number for each in content for number in numbers(each)]
        if kind == "dict" and type(content) is dict:
            return [number for each in content.values() for number in numbers(each)]
    raise PlanError(f"{form!r} describes no tree of arrays")


def rebuilt(form: Any, leaves: Sequence[Any]) -> Any:
    """The tree of a form, with its leaves."""
    if isinstance(form, int):
        return leaves[form]
    ((kind, content),) = form.items()
    if kind == "none":
        return None
    if kind == "dict":
        return {key: rebuilt(each, leaves) for key, each in content.items()}
    if kind == "namedtuple":
        name, fields = content
        values = [rebuilt(each, leaves) for each in fields.values()]
        return _named(name, tuple(fields))(*values)
    items = [rebuilt(each, leaves) for each in content]
    return tuple(items) if kind == "tuple" else items


@functools.cache
def _named(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


def found(form: Any, tree: Any, path: str) -> Iterator[tuple[int, str, Any]]:
    """The leaves of a tree that must have a form: number, path and value of each."""
    if isinstance(form, int):
        yield form, path, tree
        return
    ((kind, content),) = form.items()
    if kind == "none":
        _expect(tree is None, path, "None", tree)
    elif kind == "dict":
        fits = isinstance(tree, dict) and tree.keys() == content.keys()
        _expect(fits, path, f"a dict of {', '.join(content) or 'nothing'}", tree)
        for key, each in content.items():
            yield from found(each, tree[key], f"{path}[{key!r}]")
    else:
        forms = content if kind != "namedtuple" else list(content[1].values())
        kinds = (list,) if kind == "list" else (tuple,)
        fits = isinstance(tree, kinds) and len(tree) == len(forms)
        _expect(fits, path, f"a {kind} of {len(forms)}", tree)
        for i, each in enumerate(forms):
            yield from found(each, tree[i], f"{path}[{i}]")


def _expect(fits: bool, path: str, what: str, tree: Any) -> None:
    if not fits:
        raise StructureError(
            f"`{path}` is a {type(tree).__name__} where {what} belongs"
        )
