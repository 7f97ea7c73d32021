"""Trees of arrays: dicts, lists, tuples, named tuples, None and dataclasses.

Dataclasses are registered when they are first met; a field declared with
`metadata={"static": True}` belongs to the structure instead of the leaves.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import optree

from .specs import ShapeDtypeStruct

NAMESPACE: Final = "weft"
TreeDef = optree.PyTreeSpec


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """The leaves of a tree and its structure."""
    leaves, treedef = optree.tree_flatten(tree, namespace=NAMESPACE)
    if _register_dataclasses(leaves):
        return flatten(tree)
    return leaves, treedef


def unflatten(treedef: TreeDef, leaves: Sequence[Any]) -> Any:
    """The tree of a structure and its leaves."""
    return optree.tree_unflatten(treedef, leaves)


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
        constants = tuple((name, getattr(node, name)) for name in static)
        return tuple(getattr(node, name) for name in dynamic), constants, dynamic

    def unflatten_node(constants: Any, children: Any) -> Any:
        node = object.__new__(kind)
        for name, value in (*constants, *zip(dynamic, children, strict=True)):
            object.__setattr__(node, name, value)
        return node

    optree.register_pytree_node(
        kind,
        flatten_node,
        unflatten_node,
        path_entry_type=optree.GetAttrEntry,
        namespace=NAMESPACE,
    )
