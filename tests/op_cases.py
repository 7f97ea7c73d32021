"""Random shapes and attributes for each op that is not elementwise.

A function here takes a source of randomness and the shape of the first operand, and
gives a `Case` with that shape, or nothing where no call of the op has such an operand.
`random` may be hypothesis': what is drawn from it shrinks.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from weft.ops.windows import Windows

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """Shapes of the operands, attributes, and the result's shape if not inferred."""

    shapes: tuple[Shape, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    result: Shape | None = None


Draw = Callable[[Random, Shape], Case | None]

MOST_ELEMENTS = 600
_SIZES = (0, 1, 1, 2, 2, 3, 3, 4, 5, 7, 17)


def shape(random: Random, most_dims: int = 5) -> Shape:
    """A shape of rank 0 to 5; sizes of 0 and 1 are frequent."""
    sizes = [random.choice(_SIZES) for _ in range(random.randint(0, most_dims))]
    while math.prod(sizes) > MOST_ELEMENTS:
        sizes[sizes.index(max(sizes))] = random.choice((1, 2))
    return tuple(sizes)


def _some(random: Random, rank: int) -> Shape:
    """Some of the dimensions, ascending."""
    return tuple(dim for dim in range(rank) if random.random() < 0.5)


def _order(random: Random, rank: int) -> Shape:
    return tuple(random.sample(range(rank), rank))


def one_of(cases: Sequence[Case]) -> Draw:
    """One of some cases, for an op whose operands must be drawn for it."""
    return lambda random, given: random.choice(cases)


# ---- shape ----


def broadcast(random: Random, given: Shape) -> Case | None:
    sizes = [
        random.choice((1, 1, 2, 3)) if size == 1 and random.random() < 0.7 else size
        for size in given
    ]
    dimensions: list[int] = []
    result: list[int] = []
    for size in sizes:
        if len(result) - len(dimensions) + len(given) < 5 and random.random() < 0.3:
            result.append(random.choice((1, 2, 3)))
        dimensions.append(len(result))
        result.append(size)
    if not sizes or random.random() < 0.3:
        result.append(random.choice((0, 1, 2, 3)))
    if math.prod(result) > 4 * MOST_ELEMENTS:
        return None
    return Case((given,), {"dimensions": tuple(dimensions)}, tuple(result))


def reshape(random: Random, given: Shape) -> Case:
    left = math.prod(given)
    if left == 0:
        result = [random.choice((0, 1, 3)) for _ in range(random.randint(0, 3))]
        result.insert(random.randint(0, len(result)), 0)
        return Case((given,), result=tuple(result))
    result = []
    while left > 1 and len(result) < 5:
        divisors = [d for d in range(2, left + 1) if left % d == 0]
        result.append(random.choice(divisors))
        left //= result[-1]
    if left > 1:
        result[-1] *= left
    if len(result) < 5 and random.random() < 0.5:
        result.insert(random.randint(0, len(result)), 1)
    return Case((given,), result=tuple(result))


def transpose(random: Random, given: Shape) -> Case:
    return Case((given,), {"permutation": _order(random, len(given))})


def slice_(random: Random, given: Shape) -> Case:
    limit = tuple(random.randint(0, size) for size in given)
    start = tuple(random.randint(0, end) for end in limit)
    stride = tuple(random.randint(1, 3) for _ in given)
    return Case((given,), {"start": start, "limit": limit, "stride": stride})


def pad(random: Random, given: Shape) -> Case | None:
    low, high, interior = (
        tuple(random.choice((0, 0, 1, 2)) for _ in given) for _ in range(3)
    )
    padded = (size + max(size - 1, 0) * 2 + 4 for size in given)
    if math.prod(padded) > 8 * MOST_ELEMENTS:
        return None
    attributes = {"low": low, "high": high, "interior": interior}
    return Case((given, ()), attributes)


def concatenate(random: Random, given: Shape) -> Case | None:
    if not given:
        return None
    dimension = random.randrange(len(given))
    shapes = [given]
    for _ in range(random.randint(0, 2)):
        other = list(given)
        other[dimension] = random.choice((0, 1, 2, 5))
        shapes.append(tuple(other))
    return Case(tuple(shapes), {"dimension": dimension})


def reverse(random: Random, given: Shape) -> Case:
    return Case((given,), {"dimensions": _some(random, len(given))})


# ---- indexing ----


def dynamic_slice(random: Random, given: Shape) -> Case:
    sizes = tuple(random.randint(0, size) for size in given)
    return Case((given, *(() for _ in given)), {"sizes": sizes})


def dynamic_update_slice(random: Random, given: Shape) -> Case:
    update = tuple(random.randint(0, size) for size in given)
    return Case((given, update, *(() for _ in given)))


@dataclass(frozen=True)
class _Places:
    """How a gather or a scatter addresses an array, and the sizes of its slices."""

    index: Shape
    attributes: dict[str, Any]
    sizes: Shape
    window: Shape


def _places(random: Random, given: Shape) -> _Places | None:
    if not given:
        return None
    roles = [random.choice("ibnk") for _ in given]
    if "i" not in roles:
        roles[random.randrange(len(given))] = "i"
    dims = [dim for dim, role in enumerate(roles) if role == "i"]
    random.shuffle(dims)
    batch = [dim for dim, role in enumerate(roles) if role == "b"]
    # An indexed dimension may be dropped, a slice along it being of one element.
    dropped = [d for d in dims if given[d] > 0 and random.random() < 0.6]
    sizes = [
        1 if dim in batch or dim in dropped
        else random.randint(min(1, size), size) if dim in dims
        else size
        for dim, size in enumerate(given)
    ]  # fmt: skip
    window = tuple(
        s for d, s in enumerate(sizes) if d not in batch and d not in dropped
    )
    more = shape(random, 2)
    index = (*(given[dim] for dim in batch), *more)
    attributes: dict[str, Any] = {
        "dims": tuple(dims), "collapsed": tuple(sorted(dropped)), "batch": tuple(batch),
    }  # fmt: skip
    if random.random() < 0.5:
        attributes["clip"] = True
    if math.prod(index) * math.prod(window) > 4 * MOST_ELEMENTS:
        return None
    return _Places(index, attributes, tuple(sizes), window)


def gather(random: Random, given: Shape) -> Case | None:
    places = _places(random, given)
    if places is None:
        return None
    indices = (places.index for _ in places.attributes["dims"])
    return Case((given, *indices), places.attributes | {"sizes": places.sizes})


def scatter(random: Random, given: Shape) -> Case | None:
    places = _places(random, given)
    if places is None:
        return None
    indices = (places.index for _ in places.attributes["dims"])
    updates = (*places.index, *places.window)
    return Case((given, updates, *indices), places.attributes)


# ---- along an axis ----


def along(flag: str, count: int = 1) -> Draw:
    """An op of `count` operands of one shape that goes along an axis."""

    def draw(random: Random, given: Shape) -> Case | None:
        if not given:
            return None
        attributes: dict[str, Any] = {"axis": random.randrange(len(given))}
        if random.random() < 0.5:
            attributes[flag] = True
        return Case((given,) * count, attributes)

    return draw


def keys(random: Random, given: Shape) -> Case | None:
    """An op that sorts by one key to three."""
    return along("descending", random.randint(1, 3))(random, given)


def searchsorted(random: Random, given: Shape) -> Case | None:
    if not given:
        return None
    rest = [random.choice((0, 1, 2, 3, 5)) for _ in range(random.randint(0, 2))]
    attributes = {"right": True} if random.random() < 0.5 else {}
    return Case((given, (*given[:-1], *rest)), attributes)


# ---- reductions and contractions ----


def reduction(random: Random, given: Shape) -> Case:
    return Case((given,), {"axes": _some(random, len(given))})


def extremum(random: Random, given: Shape) -> Case:
    axes = tuple(dim for dim in _some(random, len(given)) if given[dim] > 0)
    return Case((given,), {"axes": axes})


def index_reduction(random: Random, given: Shape) -> Case | None:
    axes = [dim for dim, size in enumerate(given) if size > 0]
    return Case((given,), {"axis": random.choice(axes)}) if axes else None


def dot_general(random: Random, given: Shape) -> Case | None:
    roles = [random.choice("bcf") for _ in given]
    batch = [dim for dim, role in enumerate(roles) if role == "b"]
    contract = [dim for dim, role in enumerate(roles) if role == "c"]
    random.shuffle(batch)
    random.shuffle(contract)
    # The other side has the same dimensions and some of its own, in any order.
    labels: list[tuple[int | None, int]] = [(d, given[d]) for d in (*batch, *contract)]
    most = min(2, 5 - len(labels))
    labels += [(None, random.choice((1, 2, 3))) for _ in range(random.randint(0, most))]
    random.shuffle(labels)
    found = {dim: place for place, (dim, _) in enumerate(labels) if dim is not None}
    rhs = tuple(size for _, size in labels)
    left = math.prod(
        size for size, role in zip(given, roles, strict=True) if role != "c"
    )
    if left * math.prod(size for dim, size in labels if dim is None) > MOST_ELEMENTS:
        return None
    free = [dim for dim, role in enumerate(roles) if role == "f"]
    result = [given[dim] for dim in (*batch, *free)]
    result += [size for dim, size in labels if dim is None]
    return Case(
        (given, rhs),
        {
            "lhs_batch": tuple(batch),
            "rhs_batch": tuple(found[dim] for dim in batch),
            "lhs_contract": tuple(contract),
            "rhs_contract": tuple(found[dim] for dim in contract),
        },
        tuple(result),
    )


def convolution(random: Random, given: Shape) -> Case | None:
    order = _order(random, len(given))
    kinds = [random.choice("bcfs") for _ in order]
    chosen = {
        kind: tuple(d for d, k in zip(order, kinds, strict=True) if k == kind)
        for kind in "bcfs"
    }
    spatial = tuple(given[dim] for dim in chosen["s"])
    geometry = _geometry(random, len(spatial))
    counts = Windows(**geometry).counts(spatial)
    window = geometry.pop("window")
    # Those of the kernel are batch, contracted, spatial, and some of its own.
    own = [random.choice((1, 2, 3)) for _ in range(random.randint(0, 1))]
    sizes = [given[dim] for dim in (*chosen["b"], *chosen["c"])]
    places = _order(random, len(sizes) + len(window) + len(own))
    rhs = [0] * len(places)
    for place, size in zip(places, [*sizes, *window, *own], strict=True):
        rhs[place] = size
    ends = len(chosen["b"]), len(sizes), len(sizes) + len(window)
    natural = [given[dim] for dim in (*chosen["b"], *sorted(chosen["f"]))]
    natural += [*counts, *own]
    out = _order(random, len(natural))
    if math.prod(natural) > MOST_ELEMENTS or math.prod(rhs) > MOST_ELEMENTS:
        return None
    attributes = {
        "lhs_batch": chosen["b"], "rhs_batch": places[: ends[0]],
        "lhs_contract": chosen["c"], "rhs_contract": places[ends[0] : ends[1]],
        "lhs_spatial": chosen["s"], "rhs_spatial": places[ends[1] : ends[2]],
        "order": out,
    }  # fmt: skip
    result = tuple(natural[place] for place in out)
    return Case((given, tuple(rhs)), attributes | geometry, result)


# ---- windows ----


def _geometry(random: Random, rank: int) -> dict[str, Shape]:
    def each(*values: int) -> Shape:
        return tuple(random.choice(values) for _ in range(rank))

    return {
        "window": each(1, 2, 3), "strides": each(1, 1, 2, 3), "low": each(-1, 0, 0, 2),
        "high": each(-1, 0, 0, 2), "base_dilation": each(1, 1, 1, 2),
        "window_dilation": each(1, 1, 2),
    }  # fmt: skip


def windows(random: Random, given: Shape) -> Case | None:
    geometry = _geometry(random, len(given))
    most = math.prod(size * 2 + 4 for size in given)
    return Case((given,), geometry) if most <= 8 * MOST_ELEMENTS else None


def sum_where_equal(random: Random, given: Shape) -> Case | None:
    case = windows(random, given)
    if case is None:
        return None
    counts = Windows(**case.attributes).counts(given)
    return Case((given, given, counts), case.attributes)


# ---- creation ----


def constant(random: Random, given: Shape) -> Case:
    return Case((), result=given)


def iota(random: Random, given: Shape) -> Case | None:
    if not given:
        return None
    return Case((), {"dimension": random.randrange(len(given))}, given)
