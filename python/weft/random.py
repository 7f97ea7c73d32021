"""Random numbers from keys, which are values: the same key gives the same numbers.

A key is a uint64 scalar, made by `key` and consumed by one function: `split` makes
new keys of it. Numbers are enciphered counters (threefry-2x32 of 20 rounds: J. K.
Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), so they do not
depend on the target, on `jit` or on `vmap`; what is computed of them by logarithms and
the like (`normal`, `gumbel`, `exponential`) may differ in the last place. For one key,
`split`, `fold_in`, `bits`, `uniform`, `bernoulli`, `randint` and `permutation` give the
bits of `jax.random`, as it is by default (threefry, partitionable), for the same
dtypes; `randint` does for those of 32 and 64 bits.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from . import ops
from .array import Array
from .dtypes import (
    FLOAT,
    DTypeLike,
    canonical,
    is_kind,
    is_narrow,
    limits,
    real_dtype,
    require,
)
from .errors import ArgumentError, DTypeError, ShapeError, UnsupportedTypeError, public
from .ops.registry import ArrayLike, as_array, cast, common_shape
from .ops.shape import axis_index, shape_tuple

ShapeLike: TypeAlias = int | Sequence[int]

UINT64: Final = np.dtype("uint64")
ROOT_TWO: Final = math.sqrt(2.0)


# ---- keys ----


@public
def key(seed: ArrayLike, *, device: str | None = None) -> Array:
    """A key: a uint64 scalar whose bits are those of an integer seed.

    Arguments: `seed`, an integer scalar; a negative one stands for its two's
    complement of 64 bits; `device`, where the key is to be, and with it the numbers
    that are made of it: they are the same on all devices. Raises `DTypeError` for
    other dtypes and `ShapeError` for other shapes.

    >>> weft.random.key(42)
    Array(42, dtype=uint64)
    """
    if isinstance(seed, int) and not isinstance(seed, bool):
        return ops.placed(Array(np.asarray(seed % 2**64, UINT64)), device)
    array = as_array(seed, "random.key")
    if not is_kind(array.dtype, "integer"):
        raise DTypeError(
            f"random.key: the seed is {array.dtype}; it must be an integer"
        )
    if array.ndim:
        raise ShapeError(
            f"random.key: the seed has shape {array.shape}; it must be a scalar. For "
            "an array of keys, split one key"
        )
    return ops.placed(cast(array, UINT64), device)


@public
def key_data(keys: ArrayLike) -> Array:
    """The two 32-bit words of each key, the high one first: uint32[..., 2].

    Raises `DTypeError` where the keys are not uint64.

    >>> weft.random.key_data(weft.random.key(42))
    Array([ 0, 42], dtype=uint32)
    """
    array = _keys("key_data", keys)
    high = ops.bitwise_right_shift(array, _uint64(32))
    return ops.astype(ops.stack([high, array], axis=-1), np.uint32)


@public
def wrap_key_data(data: ArrayLike) -> Array:
    """The keys of which `data`, uint32[..., 2], holds the words: the inverse of
    `key_data`.

    Raises `DTypeError` and `ShapeError` for other arrays.

    >>> weft.random.wrap_key_data(np.array([0, 42], np.uint32))
    Array(42, dtype=uint64)
    """
    array = as_array(data, "random.wrap_key_data")
    if array.dtype != np.uint32:
        raise DTypeError(
            f"random.wrap_key_data: the words are {array.dtype}; they must be uint32"
        )
    if not array.ndim or array.shape[-1] != 2:
        raise ShapeError(
            f"random.wrap_key_data: the shape is {array.shape}; its last axis must "
            "hold the two words of a key"
        )
    words = ops.astype(array, UINT64)
    return (words[..., 0] << _uint64(32)) | words[..., 1]


@public
def split(key: ArrayLike, num: ShapeLike = 2) -> Array:
    """New keys, independent of each other: uint64 of shape `num`.

    `key` must not be used again. Iterating gives the keys, as in
    `key, subkey = split(key)`. Raises `ShapeError` for a bad `num`.

    >>> weft.random.split(weft.random.key(0)).shape
    (2,)
    """
    return _enciphered("split", key, shape_tuple(num, "random.split: num"))


@public
def fold_in(key: ArrayLike, data: ArrayLike) -> Array:
    """A new key of a key and an integer scalar (its low 32 bits), such as a step.

    Raises `DTypeError` where `data` is no integer, `ShapeError` where it is no scalar.

    >>> weft.random.fold_in(weft.random.key(0), 7).dtype
    dtype('uint64')
    """
    array = as_array(data, "random.fold_in")
    if not is_kind(array.dtype, "integer"):
        raise DTypeError(
            f"random.fold_in: data is {array.dtype}; it must be an integer"
        )
    if array.ndim:
        raise ShapeError(
            f"random.fold_in: data has shape {array.shape}; it must be a scalar. Use "
            "vmap to fold in many numbers"
        )
    word = cast(cast(array, np.dtype("uint32")), UINT64)
    return ops.threefry(_scalar_key("fold_in", key), word)


# ---- bits and uniform numbers ----


@public
def bits(key: ArrayLike, shape: ShapeLike = (), dtype: DTypeLike = np.uint32) -> Array:
    """Random bits: unsigned integers, all equally likely.

    Arguments: `shape` and `dtype`, uint8 to uint64, of the result. Raises `DTypeError`
    for other dtypes.

    >>> weft.random.bits(weft.random.key(0), (2,)).dtype
    dtype('uint32')
    """
    sizes, target = shape_tuple(shape), canonical(dtype)
    if not is_kind(target, "unsigned"):
        raise DTypeError(
            f"random.bits does not make {target}: it makes uint8, uint16, uint32, "
            "uint64; use random.randint for signed integers"
        )
    pairs = _enciphered("bits", key, sizes)
    if target == UINT64:
        return pairs
    return ops.astype(pairs ^ (pairs >> _uint64(32)), target)


@public
def uniform(
    key: ArrayLike,
    shape: ShapeLike = (),
    dtype: DTypeLike = np.float32,
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
) -> Array:
    """Numbers from `minval`, included, to `maxval`, all equally likely.

    Arguments: `shape` and `dtype`, a float one, of the result; bounds that broadcast to
    the shape. Between 0 and 1 the numbers are multiples of 2**-23, for float64 of
    2**-52, for float16 of 2**-10 and for bfloat16 of 2**-7. Raises `DTypeError` for
    other dtypes.

    >>> x = weft.random.uniform(weft.random.key(0), (1000,))
    >>> bool(weft.all((x >= 0) & (x < 1)))
    True
    """
    sizes, (target, _) = shape_tuple(shape), _float_dtypes("uniform", dtype)
    low, high = (
        _argument("uniform", name, bound, target, sizes)
        for name, bound in (("minval", minval), ("maxval", maxval))
    )
    info = limits(target)
    word = np.dtype(f"uint{info.bits}")
    # The bits of the mantissa of a number from 1 to 2.
    drawn = np.dtype("uint8") if info.nmant < 8 else word
    mantissa = bits(key, sizes, drawn) >> drawn.type(8 * drawn.itemsize - info.nmant)
    one = np.ones((), target)
    numbers = ops.bitcast(cast(mantissa, word) | one.view(word), target) - one
    return ops.maximum(low, numbers * (high - low) + low)


@public
def randint(
    key: ArrayLike,
    shape: ShapeLike,
    minval: ArrayLike,
    maxval: ArrayLike,
    dtype: DTypeLike = np.int64,
) -> Array:
    """Integers from `minval`, included, to `maxval`, not included.

    Arguments: `shape` and `dtype`, an integer one, of the result; integer bounds that
    broadcast to the shape and are held in the dtype's range. `minval` where `maxval`
    is no larger. The bias is below the number of integers times 2**-bits. Raises
    `DTypeError` for other dtypes.

    >>> x = weft.random.randint(weft.random.key(0), (1000,), 0, 6)
    >>> int(weft.min(x)), int(weft.max(x))
    (0, 5)
    """
    sizes, target = shape_tuple(shape), canonical(dtype)
    if not is_kind(target, "integer"):
        raise DTypeError(f"random.randint makes integers, not {target}")
    low, high, is_past = _integer_bounds(minval, maxval, target, sizes)
    word = np.dtype(f"uint{8 * target.itemsize}")
    higher, lower = (bits(k, sizes, word) for k in ops.unstack(split(key)))

    empty = high <= low
    span = ops.where(empty, word.type(1), ops.astype(high - low, word))
    # All numbers of the dtype: the span wraps to zero, and the bits are the offset.
    span = ops.where(is_past & ~empty, span + word.type(1), span)
    # 2**bits % span, by which the higher word counts.
    factor = word.type(2 ** (4 * target.itemsize)) % span
    factor = (factor * factor) % span
    offset = ((higher % span) * factor + lower % span) % span
    offset = ops.where(span == word.type(0), lower, offset)
    return low + ops.astype(offset, target)


def _integer_bounds(
    minval: ArrayLike, maxval: ArrayLike, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> tuple[Array, Array, Array]:
    """The bounds in the dtype, and whether the upper one is above the dtype's range."""
    info, bounds = np.iinfo(dtype), []
    is_past: Array = Array(np.asarray(False))
    for name, bound in (("minval", minval), ("maxval", maxval)):
        if isinstance(bound, int) and not isinstance(bound, bool):
            held = min(max(bound, info.min), info.max)
            is_past = Array(np.asarray(bound > info.max))
            array = Array(np.asarray(held, dtype))
        else:
            given = as_array(bound, "random.randint")
            if not is_kind(given.dtype, "integer"):
                raise DTypeError(
                    f"random.randint: {name} is {given.dtype}; it must be an integer"
                )
            own = np.iinfo(given.dtype)
            low, high = max(info.min, own.min), min(info.max, own.max)
            is_past = given > given.dtype.type(high)
            array = ops.astype(ops.clip(given, low, high), dtype)
        bounds.append(_spread("randint", name, array, shape))
    return bounds[0], bounds[1], is_past


@public
def bernoulli(
    key: ArrayLike, p: ArrayLike = 0.5, shape: ShapeLike | None = None
) -> Array:
    """Bools that are true with probability `p`.

    `p`, floating, broadcasts to `shape`, which by default is its own. Raises
    `DTypeError` for a `p` that is not floating and `ArgumentError` for a number that
    is no probability.

    >>> x = weft.random.bernoulli(weft.random.key(0), 0.25, (10000,))
    >>> 0.24 < float(weft.mean(x)) < 0.26
    True
    """
    if isinstance(p, (int, float)) and not 0 <= p <= 1:
        raise ArgumentError(f"random.bernoulli: p is {p}; it must lie from 0 to 1")
    given = _floats("bernoulli", "p", p)
    sizes = given.shape if shape is None else shape_tuple(shape)
    given = _spread("bernoulli", "p", given, sizes)
    return uniform(key, sizes, given.dtype) < given


# ---- distributions ----


@public
def normal(
    key: ArrayLike, shape: ShapeLike = (), dtype: DTypeLike = np.float32
) -> Array:
    """Numbers of mean 0 and standard deviation 1, normally distributed.

    Arguments: `shape` and `dtype`, inexact, of the result; of 16 bits, the float32
    numbers rounded, as all that is not uniform. Within 2 ulps of `sqrt(2) * erfinv(u)`
    of uniform numbers `u`. Of a complex dtype the parts, drawn with two keys split
    from the one, have a variance of 1/2. Raises `DTypeError` for other dtypes.

    >>> weft.random.normal(weft.random.key(42))
    Array(-0.02830462, dtype=float32)
    """
    if is_kind(canonical(dtype), "complex"):
        part = real_dtype(canonical(dtype))
        keys = ops.unstack(split(_scalar_key("normal", key)))
        return ops.complex(*(_normal_over_root_two(k, shape, part) for k in keys))
    target, own = _float_dtypes("normal", dtype)
    drawn = _times_root_two(_normal_over_root_two(key, shape, own))
    return ops.astype(drawn, target)


def _normal_over_root_two(
    key: ArrayLike, shape: ShapeLike, dtype: np.dtype[Any]
) -> Array:
    low = np.nextafter(dtype.type(-1), dtype.type(0))
    return ops.erfinv(uniform(key, shape, dtype, low, 1.0))


def _times_root_two(x: Array) -> Array:
    """The product, rounded once where float64 has no wider type to round it from."""
    if x.dtype == FLOAT:
        return x * ROOT_TWO
    # T. J. Dekker's product: 26 bits of each factor multiply exactly.
    head_of_root = 1.4142135605216026
    rest_of_root = 1.8514924181864543e-09
    scaled = x * 134217729.0
    head = scaled - (scaled - x)
    return head * head_of_root + (head * rest_of_root + (x - head) * ROOT_TWO)


@public
def truncated_normal(
    key: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    shape: ShapeLike | None = None,
    dtype: DTypeLike = np.float32,
) -> Array:
    """Normally distributed numbers between bounds, which are not included.

    Arguments: bounds that broadcast to `shape` (by default their common shape);
    `dtype`, a float one. Raises `DTypeError` for other dtypes.

    >>> x = weft.random.truncated_normal(weft.random.key(0), -1.0, 2.0, (1000,))
    >>> bool(weft.all((x > -1) & (x < 2)))
    True
    """
    target, own = _float_dtypes("truncated_normal", dtype)
    low, high = cast(lower, target), cast(upper, target)
    sizes = _common("truncated_normal", shape, low, high)
    low = _spread("truncated_normal", "lower", low, sizes)
    high = _spread("truncated_normal", "upper", high, sizes)
    root = own.type(ROOT_TWO)
    edges = (ops.erf(cast(bound, own) / root) for bound in (low, high))
    drawn = ops.erfinv(uniform(key, sizes, own, *edges)) * root
    return ops.clamp(ops.astype(drawn, target), _above(low), -_above(-high))


def _above(x: Array) -> Array:
    """The next larger number of the dtype."""
    word = np.dtype(f"int{8 * x.dtype.itemsize}")
    pattern = ops.bitcast(x + np.zeros((), x.dtype), word)  # -0.0 becomes 0.0
    step = ops.where(x < 0, word.type(-1), word.type(1))
    following = ops.bitcast(pattern + step, x.dtype)
    return ops.where(ops.isfinite(x), following, ops.maximum(x, limits(x.dtype).min))


@public
def exponential(
    key: ArrayLike, shape: ShapeLike = (), dtype: DTypeLike = np.float32
) -> Array:
    """Numbers of density `exp(-x)` above 0.

    Arguments: `shape` and `dtype`, a float one, of the result. Raises
    `DTypeError` for other dtypes.

    >>> x = weft.random.exponential(weft.random.key(0), (10000,))
    >>> 0.95 < float(weft.mean(x)) < 1.05
    True
    """
    target, own = _float_dtypes("exponential", dtype)
    return ops.astype(-ops.log1p(-uniform(key, shape, own)), target)


@public
def laplace(
    key: ArrayLike, shape: ShapeLike = (), dtype: DTypeLike = np.float32
) -> Array:
    """Numbers of density `exp(-abs(x)) / 2`.

    Arguments: `shape` and `dtype`, a float one, of the result. Raises
    `DTypeError` for other dtypes.

    >>> weft.random.laplace(weft.random.key(0), (3,)).shape
    (3,)
    """
    target, own = _float_dtypes("laplace", dtype)
    low = own.type(-1) + np.finfo(own).epsneg
    drawn = uniform(key, shape, own, low, 1.0)
    return ops.astype(ops.sign(drawn) * ops.log1p(-ops.abs(drawn)), target)


@public
def gumbel(
    key: ArrayLike, shape: ShapeLike = (), dtype: DTypeLike = np.float32
) -> Array:
    """Numbers of distribution `exp(-exp(-x))`.

    Arguments: `shape` and `dtype`, a float one, of the result. Raises
    `DTypeError` for other dtypes.

    >>> weft.random.gumbel(weft.random.key(0), (3,)).shape
    (3,)
    """
    target, own = _float_dtypes("gumbel", dtype)
    drawn = uniform(key, shape, own, np.finfo(own).tiny, 1.0)
    return ops.astype(-ops.log(-ops.log(drawn)), target)


@public
def categorical(
    key: ArrayLike,
    logits: ArrayLike,
    axis: int = -1,
    shape: ShapeLike | None = None,
) -> Array:
    """Indices along an axis, each with probability `softmax(logits)`: int64.

    Arguments: `shape`, which ends with that of `logits` without the axis, and by
    default is that. Raises `ShapeError` for other shapes, and `DTypeError` for logits
    that are not floating.

    >>> logits = weft.log(weft.asarray([0.2, 0.8]))
    >>> x = weft.random.categorical(weft.random.key(0), logits, shape=(10000,))
    >>> 0.78 < float(weft.mean(x)) < 0.82
    True
    """
    array = _floats("categorical", "logits", logits)
    along = axis_index("random.categorical", axis, array.ndim)
    batch = array.shape[:along] + array.shape[along + 1 :]
    sizes = batch if shape is None else shape_tuple(shape)
    prefix = sizes[: len(sizes) - len(batch)]
    if sizes != prefix + batch:
        raise ShapeError(
            f"random.categorical: shape {sizes} must end with {batch}, the shape of "
            f"the logits without axis {axis}"
        )
    noise = gumbel(key, prefix + array.shape, array.dtype)
    return ops.argmax(noise + array, axis=len(prefix) + along)


# ---- order and choice ----


@public
def permutation(
    key: ArrayLike, x: ArrayLike, axis: int = 0, independent: bool = False
) -> Array:
    """The slices of an array along an axis in random order, or `range(x)` so.

    Arguments: `x`, an array or an integer; `independent`, whether each row along the
    axis gets an order of its own. The result has the shape and dtype of `x`; that of
    an integer is int64. Raises `ShapeError` for an axis that is not there and
    `ArgumentError` for an integer below zero.

    >>> x = weft.random.permutation(weft.random.key(0), 5)
    >>> sorted(np.asarray(x).tolist())
    [0, 1, 2, 3, 4]
    """
    array = _population("permutation", x)
    along = axis_index("random.permutation", axis, array.ndim)
    if independent:
        return _shuffled(key, array, along)
    order = _shuffled(key, ops.iota((array.shape[along],), 0), 0)
    return ops.take(array, order, axis=along)


@public
def choice(
    key: ArrayLike,
    a: ArrayLike,
    shape: ShapeLike = (),
    replace: bool = True,
    p: ArrayLike | None = None,
    axis: int = 0,
) -> Array:
    """Slices of an array along an axis, or numbers of `range(a)`, drawn at random.

    Arguments: `a`, an array or an integer; `shape`, that of the draws, which stands in
    the result for the axis; `replace`, whether a slice may be drawn twice; `p`, float
    weights of the slices, which need not sum to 1. Raises `ArgumentError` where there
    are too few slices, `ShapeError` where `p` has another size and `DTypeError` where
    it is not floating.

    >>> weft.random.choice(weft.random.key(0), weft.asarray([5, 7, 9]), (2, 4)).shape
    (2, 4)
    """
    array, sizes = _population("choice", a), shape_tuple(shape)
    along = axis_index("random.choice", axis, array.ndim)
    size, draws = array.shape[along], math.prod(sizes)
    _check_draws(size, draws, replace)
    if p is not None:
        order = _weighted(key, p, size, draws, replace)
    elif replace:
        order = randint(key, (draws,), 0, size)
    else:
        order = permutation(key, size)[:draws]
    drawn = ops.take(array, order, axis=along)
    return ops.reshape(drawn, array.shape[:along] + sizes + array.shape[along + 1 :])


def _population(name: str, x: ArrayLike) -> Array:
    """An array as it is; an integer as its range."""
    array = as_array(x, f"random.{name}")
    if array.ndim:
        return array
    try:
        size = operator.index(x)  # type: ignore[arg-type]
    except TypeError:
        raise UnsupportedTypeError(
            f"random.{name} takes an array with an axis or a Python integer, not a "
            f"scalar of {array.dtype}"
        ) from None
    if size < 0:
        raise ArgumentError(f"random.{name}: {size} is below zero; there is no range")
    return ops.iota((size,), 0)


def _shuffled(key: ArrayLike, x: Array, axis: int) -> Array:
    """The elements of each row in the order of random words.

    Equal words leave elements in their order: enough rounds make that unlikely.
    """
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    rest = _scalar_key("permutation", key)
    for _ in range(rounds):
        rest, own = ops.unstack(split(rest))
        order = ops.argsort(bits(own, x.shape), axis=axis)
        x = ops.take_along_axis(x, order, axis=axis)
    return x


def _check_draws(size: int, draws: int, replace: bool) -> None:
    if draws and not size:
        raise ArgumentError("random.choice: there is nothing to choose from")
    if draws > size and not replace:
        raise ArgumentError(
            f"random.choice: {draws} draws of {size} need replace=True, or a smaller "
            "shape"
        )


def _weighted(
    key: ArrayLike, p: ArrayLike, size: int, draws: int, replace: bool
) -> Array:
    """Indices drawn with given weights."""
    weights = _floats("choice", "p", p)
    if weights.shape != (size,):
        raise ShapeError(
            f"random.choice: p has shape {weights.shape}; it must have one weight for "
            f"each of the {size} slices, ({size},)"
        )
    if not replace:
        noise = gumbel(key, (size,), weights.dtype)
        return ops.argsort(noise + ops.log(weights), descending=True)[:draws]
    total = ops.cumsum(weights)
    return _first_at_least(
        total, total[-1] * (1 - uniform(key, (draws,), weights.dtype))
    )


def _first_at_least(ascending: Array, x: Array) -> Array:
    """The index of the first element that is not below x, by bisection."""
    size = ascending.size
    low = ops.zeros(x.shape, dtype=np.int64)
    for power in reversed(range(size.bit_length())):
        probe = low + 2**power
        below = ops.take(ascending, ops.minimum(probe, size) - 1) < x
        low = ops.where(below & (probe <= size), probe, low)
    return ops.minimum(low, size - 1)


# ---- what all of them need ----


def _uint64(value: int) -> Array:
    return Array(np.asarray(value, UINT64))


def _keys(name: str, keys: Any) -> Array:
    if type(keys) in (bool, int, float):
        raise UnsupportedTypeError(
            f"random.{name}: {keys!r} is not a key; weft.random.key({int(keys)}) makes "
            "one"
        )
    array = as_array(keys, f"random.{name}")
    if array.dtype != UINT64:
        raise DTypeError(
            f"random.{name}: a key is a uint64 scalar made by weft.random.key(seed), "
            f"not {array.dtype}"
        )
    return array


def _scalar_key(name: str, key: Any) -> Array:
    array = _keys(name, key)
    if array.ndim:
        raise ShapeError(
            f"random.{name} takes one key, not an array of shape {array.shape}; index "
            "it, or use vmap for all of them"
        )
    return array


def _enciphered(name: str, key: Any, shape: tuple[int, ...]) -> Array:
    """64 random bits for each position of an array, counted in row-major order."""
    array = _scalar_key(name, key)
    positions = ops.reshape(ops.iota((math.prod(shape),), 0, UINT64), shape)
    return ops.threefry(array, positions)


def _float_dtypes(name: str, dtype: DTypeLike) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype of the numbers, and the one that they are computed in."""
    target = canonical(dtype)
    require(f"random.{name}", target, "float")
    return target, FLOAT if is_narrow(target) else target


def _floats(name: str, what: str, x: ArrayLike) -> Array:
    array = cast(x, FLOAT) if type(x) in (int, float) else as_array(x, f"random.{name}")
    if not is_kind(array.dtype, "float"):
        raise DTypeError(f"random.{name}: {what} is {array.dtype}; it must be a float")
    return cast(array, FLOAT) if is_narrow(array.dtype) else array


def _argument(
    name: str, what: str, x: ArrayLike, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Array:
    return _spread(name, what, cast(x, dtype, f"random.{name}"), shape)


def _spread(name: str, what: str, x: Array, shape: tuple[int, ...]) -> Array:
    """A parameter at the shape of the numbers drawn."""
    if x.ndim > len(shape) or any(
        own not in (1, size)
        for own, size in zip(x.shape[::-1], shape[::-1], strict=False)
    ):
        raise ShapeError(
            f"random.{name}: {what} has shape {x.shape}, which does not broadcast to "
            f"shape {shape}; pass a shape that it fits"
        )
    return ops.broadcast_to(x, shape)


def _common(name: str, shape: ShapeLike | None, *parameters: Array) -> tuple[int, ...]:
    if shape is not None:
        return shape_tuple(shape)
    return common_shape(f"random.{name}", *parameters)
