"""Trees of arrays: dicts, lists, tuples, named tuples, None and dataclasses.

Dataclasses are registered when they are first met; a field declared with
`metadata={"static": True}` belongs to the structure instead of the leaves.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import optree

from .errors import NestingError
from .specs import ShapeDtypeStruct

NAMESPACE: Final = "weft"
TreeDef = optree.PyTreeSpec


class Static:
    """A value that is part of a program, which another one is only if it is alike.

    1, 1.0 and True are equal, and so are 0.0 and -0.0, but programs of them are not.
    NaN is like itself.
    """

    __slots__ = ("_key", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._key = _alike(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return repr(self.value)


def _alike(value: Any) -> Any:
    """What is equal for values that mean the same program."""
    if isinstance(value, tuple):
        return type(value), *map(_alike, value)
    if isinstance(value, frozenset):
        return type(value), frozenset(map(_alike, value))
    if isinstance(value, np.generic):
        return type(value), value.dtype, value.tobytes()
    if isinstance(value, (float, complex)):
        return type(value), repr(value)
    return type(value), value


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """The leaves of a tree and its structure."""
    leaves, treedef = flatten_known(tree)
    if _register_dataclasses(leaves):
        return flatten(tree)
    return leaves, treedef


def flatten_known(tree: Any) -> tuple[list[Any], TreeDef]:
    """`flatten`, but for dataclasses that are met for the first time: leaves here."""
    try:
        return optree.tree_flatten(tree, namespace=NAMESPACE)
    except RecursionError:
        raise NestingError(
            "a tree of arguments or results is too deep, or contains itself; pass "
            "lists, tuples and dicts that end"
        ) from None


def unflatten(treedef: TreeDef, leaves: Sequence[Any]) -> Any:
    """The tree of a structure and its leaves."""
    return optree.tree_unflatten(treedef, leaves)


def in_order(treedef: TreeDef) -> TreeDef:
    """The structure whose dicts have their keys in the order of its leaves.

    Structures are equal whatever order a caller wrote the keys in, so that no program
    may depend on it. An `OrderedDict` keeps its order, which is part of the structure.
    """
    return optree.treespec_transform(treedef, _with_sorted_keys)


def _with_sorted_keys(node: TreeDef) -> TreeDef:
    if node.type not in (dict, defaultdict):
        return node
    items = zip(node.entries(), node.children(), strict=True)
    if node.type is dict:
        return optree.treespec_dict(items, namespace=node.namespace)
    one: Any = optree.tree_unflatten(node, range(node.num_leaves))
    return optree.treespec_defaultdict(
        one.default_factory, items, namespace=node.namespace
    )


def paths(tree: Any, name: str) -> list[str]:
    """How each leaf is written, below a variable name: `params['w'][0]`."""
    accessors, _, _ = optree.tree_flatten_with_accessor(tree, namespace=NAMESPACE)
    return [accessor.codify(name) for accessor in accessors]


def _register_dataclasses(leaves: Sequence[Any]) -> bool:
    kinds = {type(leaf) for leaf in leaves if dataclasses.is_dataclass(type(leaf))}
    kinds.discard(ShapeDtypeStruct)  # stands for an array: a leaf
    for kind in kinds:
        _register(kind)
    return bool(kinds)


def _register(kind: type) -> None:
    fields = dataclasses.fields(kind)
    static = [f.name for f in fields if f.metadata.get("static")]
    dynamic = tuple(f.name for f in fields if not f.metadata.get("static"))

    def flatten_node(node: Any) -> tuple[tuple[Any, ...], Any, tuple[str, ...]]:
        constants = tuple((name, Static(getattr(node, name))) for name in static)
        return tuple(getattr(node, name) for name in dynamic), constants, dynamic

    def unflatten_node(constants: Any, children: Any) -> Any:
        node = object.__new__(kind)
        for name, constant in constants:
            object.__setattr__(node, name, constant.value)
        for name, value in zip(dynamic, children, strict=True):
            object.__setattr__(node, name, value)
        return node

    optree.register_pytree_node(
        kind,
        flatten_node,
        unflatten_node,
        path_entry_type=optree.GetAttrEntry,
        namespace=NAMESPACE,
    )
