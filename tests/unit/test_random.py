"""Random numbers: known answers, the same bits everywhere, and sane statistics."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import math

import numpy as np
import pytest

import weft
from weft import random

KEY = random.key(0)
COUNT = 20000


def array(x):
    return np.asarray(x)


# ---- known answers ----

# Random123's kat_vectors for threefry2x32, 20 rounds: key, counter, result.
KNOWN = [
    (0x0000000000000000, 0x0000000000000000, 0x6B20015999BA4EFE),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 0x1CB996FCBB002BE7),
    (0x13198A2E03707344, 0x243F6A8885A308D3, 0xC4923A9C483DF7A0),
]


def test_known_answers():
    keys, counters, want = (
        np.array(column, np.uint64) for column in zip(*KNOWN, strict=True)
    )
    compiled = weft.jit(weft.threefry)
    program = compiled.lower(keys, counters).text("weft")
    for got in (
        weft.threefry(keys, counters),
        compiled(keys, counters),
        weft.parse(program).interpret(keys, counters),
    ):
        np.testing.assert_array_equal(array(got), want)


def test_numbers_are_those_of_jax():
    """As JAX's documentation prints them."""
    assert array(random.key_data(random.split(KEY))).tolist() == [
        [1797259609, 2579123966],
        [928981903, 3453687069],
    ]
    assert array(random.key_data(random.split(random.key(42)))).tolist() == [
        [1832780943, 270669613],
        [64467757, 2916123636],
    ]
    assert random.normal(random.key(42)).item() == np.float32(-0.028304616)
    np.testing.assert_allclose(
        array(random.normal(KEY, (3,))), [1.6226422, 2.0252647, -0.43359444], rtol=3e-7
    )


def _bits_in_words(key, shape, width):
    """Random bits as the algorithm is written down, with Python's integers."""
    total = math.prod(shape)
    keys, counts = np.full(total, key, np.uint64), np.arange(total, dtype=np.uint64)
    pairs = [int(x) for x in array(weft.threefry(keys, counts))]
    if width < 64:
        pairs = [((x >> 32) ^ x) & (2**width - 1) for x in pairs]
    return np.array(pairs, f"uint{width}").reshape(shape)


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_bits(width):
    got = random.bits(random.key(-7), (3, 5), f"uint{width}")
    want = _bits_in_words(2**64 - 7, (3, 5), width)
    np.testing.assert_array_equal(array(got), want, strict=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform_is_the_mantissa(dtype):
    width, mantissa = (32, 23) if dtype == np.float32 else (64, 52)
    words = _bits_in_words(0, (100,), width).astype(object)
    want = np.array([(w >> (width - mantissa)) / 2**mantissa for w in words], dtype)
    got = array(random.uniform(KEY, (100,), dtype))
    np.testing.assert_array_equal(got, want, strict=True)


@pytest.mark.parametrize("signed", ["int", "uint"])
@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_randint_is_a_remainder_of_two_words(width, signed):
    info = np.iinfo(f"{signed}{width}")
    first, second = (int(k) for k in array(random.split(KEY)))
    high = _bits_in_words(first, (50,), width).astype(object)
    low = _bits_in_words(second, (50,), width).astype(object)
    wide = (info.min, info.max + 1)
    for start, stop in ((3, 10), (0, 128), (info.min, info.max), wide):
        stop = min(stop, info.max + 1)
        span, whole = stop - start, 2**width
        # The products wrap at the width of a word.
        factor = (1 << (width // 2)) % span
        factor = factor * factor % whole % span
        if span == whole:
            want = low
        else:
            want = ((high % span) * factor + low % span) % whole % span
        got = random.randint(KEY, (50,), start, stop, info.dtype)
        assert array(got).dtype == info.dtype
        assert [int(x) for x in array(got)] == [start + int(x) for x in want]
    assert set(array(random.randint(KEY, (5,), 7, 7)).tolist()) == {7}


# ---- the same bits everywhere ----

KEYS = random.split(random.key(3), 4)
LOGITS = weft.asarray([0.5, -1.0, 2.0])
DRAWS = {
    "split": lambda k: random.split(k, (2, 3)),
    "fold_in": lambda k: random.fold_in(k, 5),
    "key_data": random.key_data,
    "bits8": lambda k: random.bits(k, (3,), np.uint8),
    "bits64": lambda k: random.bits(k, (2, 3), np.uint64),
    "uniform": lambda k: random.uniform(k, (3,)),
    "uniform64": lambda k: random.uniform(k, (3,), np.float64),
    "randint": lambda k: random.randint(k, (4,), -5, 5, np.int16),
    "bernoulli": lambda k: random.bernoulli(k, 0.3, (9,)),
    "normal": lambda k: random.normal(k, (33,)),
    "normal64": lambda k: random.normal(k, (3, 11), np.float64),
    "permutation": lambda k: random.permutation(k, 9),
    "rows": lambda k: random.permutation(k, np.arange(12).reshape(4, 3), 0, True),
    "choice": lambda k: random.choice(k, 9, (5,)),
    "weighted": lambda k: random.choice(k, 3, (5,), p=np.float32([0.5, 0.2, 0.3])),
    "once": lambda k: random.choice(k, 3, (2,), False, np.float32([0.5, 0.2, 0.3])),
    "categorical": lambda k: random.categorical(k, LOGITS, shape=(7,)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_jit_and_the_interpreter_give_the_bits_of_eager_calls(name):
    draw, key = DRAWS[name], KEYS[0]
    compiled = weft.jit(draw)
    want = array(draw(key))
    np.testing.assert_array_equal(array(compiled(key)), want, strict=True)
    interpreted = weft.parse(compiled.lower(key).text("weft")).interpret(key)
    np.testing.assert_array_equal(array(interpreted), want, strict=True)


@pytest.mark.parametrize("name", DRAWS)
def test_vmap_gives_the_bits_of_a_loop(name):
    draw = DRAWS[name]
    want = np.stack([array(draw(k)) for k in KEYS])
    for batched in (weft.vmap(draw), weft.jit(weft.vmap(draw))):
        np.testing.assert_array_equal(array(batched(KEYS)), want, strict=True)


def test_keys_are_values():
    a, b = random.split(KEY)
    assert a.item() != b.item()
    words = random.key_data(KEYS)
    np.testing.assert_array_equal(array(random.wrap_key_data(words)), array(KEYS))
    assert random.key(-1).item() == 2**64 - 1
    assert random.key(np.int32(-1)).item() == 2**64 - 1
    assert weft.jit(random.key)(5).item() == 5
    assert random.bits(KEY, (0, 3)).shape == (0, 3)
    assert random.split(KEY, 0).shape == (0,)


# ---- statistics ----


def _distance(sample, cumulative):
    """Kolmogorov's and Smirnov's distance, times the root of the size."""
    ordered = np.sort(array(sample).ravel().astype(np.float64))
    want = cumulative(ordered)
    steps = np.arange(ordered.size + 1) / ordered.size
    gap = max(np.max(steps[1:] - want), np.max(want - steps[:-1]))
    return gap * math.sqrt(ordered.size)


def _normal_cdf(x):
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])


def _truncated_cdf(x):
    low, high = _normal_cdf([-1.0, 2.0])
    return (_normal_cdf(x) - low) / (high - low)


def _laplace_cdf(x):
    tail = np.exp(-np.abs(x)) / 2
    return np.where(x < 0, tail, 1 - tail)


CONTINUOUS = {
    "uniform": (lambda k, n, d: random.uniform(k, n, d, -1.0, 3.0),
                lambda x: (x + 1) / 4),
    "normal": (random.normal, _normal_cdf),
    "exponential": (random.exponential, lambda x: -np.expm1(-x)),
    "laplace": (random.laplace, _laplace_cdf),
    "gumbel": (random.gumbel, lambda x: np.exp(-np.exp(-x))),
    "truncated_normal": (
        lambda k, n, d: random.truncated_normal(k, -1.0, 2.0, n, d), _truncated_cdf
    ),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_distribution(name, dtype):
    draw, cumulative = CONTINUOUS[name]
    sample = draw(random.key(11), (COUNT,), dtype)
    assert sample.dtype == dtype
    # One sample in 20,000 is farther away than 2.3.
    assert _distance(sample, cumulative) < 2.3


def test_discrete_distributions():
    flips = array(random.bernoulli(KEY, weft.asarray([0.1, 0.9]), (COUNT, 2)))
    np.testing.assert_allclose(flips.mean(0), [0.1, 0.9], atol=0.01)
    chosen = array(random.categorical(KEY, LOGITS, shape=(COUNT,)))
    shares = np.bincount(chosen, minlength=3) / COUNT
    np.testing.assert_allclose(shares, array(weft.nn.softmax(LOGITS)), atol=0.015)
    dice = np.bincount(array(random.randint(KEY, (COUNT,), 0, 6))) / COUNT
    np.testing.assert_allclose(dice, 1 / 6, atol=0.015)
    rows = array(random.categorical(KEY, np.eye(3, dtype=np.float32) * 50, axis=0))
    assert rows.tolist() == [0, 1, 2]


def test_keys_that_were_split_are_independent():
    keys = random.split(random.key(5), 8)
    drawn = np.stack([array(random.normal(k, (COUNT,))) for k in (KEY, *keys)])
    correlation = np.corrcoef(drawn) - np.eye(9)
    assert np.abs(correlation).max() < 5 / math.sqrt(COUNT)
    streams = {array(random.bits(k, (4,))).tobytes() for k in keys}
    assert len(streams) == 8
    steps = [random.fold_in(KEY, i).item() for i in range(100)]
    assert len(set(steps)) == 100


# ---- order and choice ----


def test_permutation():
    x = np.arange(12.0).reshape(4, 3)
    order = array(random.permutation(KEY, 4))
    assert sorted(order.tolist()) == [0, 1, 2, 3]
    np.testing.assert_array_equal(array(random.permutation(KEY, x)), x[order])
    columns = array(random.permutation(KEY, x, axis=1))
    np.testing.assert_array_equal(np.sort(columns, 1), x)
    assert len({tuple(row) for row in columns - columns[:, :1]}) == 1
    mixed = array(random.permutation(KEY, np.zeros((50, 1)) + np.arange(9), 1, True))
    np.testing.assert_array_equal(np.sort(mixed, 1)[0], np.arange(9))
    assert len({tuple(row) for row in mixed}) > 40
    assert array(random.permutation(KEY, 0)).shape == (0,)


@pytest.mark.thorough
def test_permutations_are_equally_likely():
    keys = array(random.split(KEY, 1200))
    seen = {}
    for k in keys:
        order = tuple(array(random.permutation(k, 3)).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    assert all(abs(count - 200) < 60 for count in seen.values())


def test_choice():
    letters = np.array([10, 20, 30, 40])
    weights = np.float32([1, 0, 2, 5])
    drawn = array(random.choice(KEY, letters, (COUNT // 2, 2), p=weights))
    assert drawn.shape == (COUNT // 2, 2)
    shares = [np.mean(drawn == letter) for letter in letters]
    np.testing.assert_allclose(shares, weights / 8, atol=0.012)
    even = np.bincount(array(random.choice(KEY, 4, (COUNT,)))) / COUNT
    np.testing.assert_allclose(even, 0.25, atol=0.012)
    for p in (None, np.ones(4, np.float32)):
        once = array(random.choice(KEY, letters, (4,), replace=False, p=p))
        assert sorted(once.tolist()) == letters.tolist()
    rows = random.choice(KEY, np.ones((2, 5, 3)), (4, 2), axis=1)
    assert rows.shape == (2, 4, 2, 3)
    first = array(
        random.choice(KEY, 4, (99,), replace=True, p=np.float32([0, 0, 1, 0]))
    )
    assert set(first.tolist()) == {2}


# ---- accuracy ----

LONG = np.longdouble
ROOT_PI = LONG("1.77245385090551602729816748334114518")


def _erf_and_erfc(y):
    """The series below 2, the continued fraction above, in extended precision."""
    square, term = y * y, np.minimum(y, 2)
    total, near = term.copy(), np.minimum(square, 4)
    for n in range(1, 80):
        term = term * 2 * near / (2 * n + 1)
        total = total + term
    erf = 2 / ROOT_PI * np.exp(-near) * total
    far, fraction = np.maximum(y, 2), np.zeros_like(y)
    for n in range(150, 0, -1):
        fraction = (LONG(n) / 2) / (far + fraction)
    erfc = np.exp(-far * far) / ROOT_PI / (far + fraction)
    return np.where(y < 2, erf, 1 - erfc), np.where(y < 2, 1 - erf, erfc)


def _exact_erfinv(x, start):
    """Newton's method in extended precision."""
    x, y = x.astype(LONG), start.astype(LONG)
    for _ in range(3):
        erf, erfc = _erf_and_erfc(y)
        miss = np.where(y < 2, erf - x, (1 - x) - erfc)
        step = miss * ROOT_PI / 2 * np.exp(y * y)
        y = y - step / (1 + y * step)
    return y


def _uniforms(dtype):
    draw = np.random.default_rng(0)
    digits = np.finfo(dtype).nmant + 1
    x = np.concatenate([
        draw.random(40000), draw.uniform(0.78, 0.82, 10000),
        1 - 2.0 ** -draw.uniform(1, digits, 40000),
        2.0 ** -draw.uniform(0, 60, 10000),
    ]).astype(dtype)  # fmt: skip
    return x[(x > 0) & (x < 1)]


@pytest.mark.skipif(np.finfo(LONG).nmant < 63, reason="long double is double")
@pytest.mark.thorough
@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 0.51), (np.float64, 1.2)])
def test_erfinv_and_normal_numbers_are_accurate(dtype, bound):
    x = _uniforms(dtype)
    got = array(weft.jit(weft.erfinv)(x))
    np.testing.assert_array_equal(got, array(weft.erfinv(x)))
    np.testing.assert_array_equal(array(weft.erfinv(-x)), -got)
    exact = _exact_erfinv(x, array(weft.erfinv(x.astype(np.float64))))
    normal = array(weft.jit(random._times_root_two)(got))
    for value, want, allowed in (
        (got, exact, bound),
        (normal, np.sqrt(LONG(2)) * exact, 2),
    ):
        unit = np.spacing(want.astype(dtype)).astype(LONG)
        assert np.max(np.abs(value.astype(LONG) - want) / unit) < allowed


def test_erfinv_where_it_is_not_finite():
    x = np.array([-1, 1, 0.0, -0.0, 1.5, -2, np.inf, np.nan], np.float32)
    want = [-np.inf, np.inf, 0.0, -0.0, np.nan, np.nan, np.nan, np.nan]
    for got in (weft.erfinv(x), weft.jit(weft.erfinv)(x)):
        np.testing.assert_array_equal(array(got), np.float32(want))
        assert np.signbit(array(got)[2:4]).tolist() == [False, True]


def test_truncated_normal_stays_inside():
    for low, high in ((0.0, 1e-3), (-1.0, 0.0), (3.0, 4.0), (-np.inf, 0.0)):
        x = array(random.truncated_normal(KEY, low, high, (1000,)))
        assert np.all((x > low) & (x < high))


def test_derivatives_pass_through_the_parameters():
    def loss(low, high):
        return weft.sum(random.uniform(KEY, (5,), np.float64, low, high))

    drawn = array(random.uniform(KEY, (5,), np.float64)).sum()
    low, high = weft.grad(loss, argnums=(0, 1))(np.float64(1), np.float64(2))
    np.testing.assert_allclose([low.item(), high.item()], [5 - drawn, drawn])


# ---- mistakes ----

MISTAKES = {
    "no key": (lambda: random.uniform(0, (3,)), "weft.random.key(0) makes one"),
    "a float": (lambda: random.bits(np.float32(1)), "made by weft.random.key(seed)"),
    "words": (lambda: random.bits(np.uint32([0, 1])), "uint64 scalar"),
    "many keys": (lambda: random.normal(KEYS), "use vmap"),
    "a seed": (lambda: random.key(1.5), "must be an integer"),
    "seeds": (lambda: random.key(np.arange(3)), "must be a scalar"),
    "a shape": (lambda: random.uniform(KEY, (-1,)), "-1"),
    "a dtype": (
        lambda: random.uniform(KEY, (), np.int32),
        "float16, bfloat16, float32, float64",
    ),
    "signed bits": (lambda: random.bits(KEY, (), np.int32), "randint"),
    "float integers": (lambda: random.randint(KEY, (), 0, 9, np.float32), "integers"),
    "a float bound": (lambda: random.randint(KEY, (), 0, 9.5), "maxval is float"),
    "bounds": (lambda: random.uniform(KEY, (2,), minval=np.ones(3)), "minval"),
    "p": (lambda: random.bernoulli(KEY, 1.5), "from 0 to 1"),
    "p's dtype": (lambda: random.bernoulli(KEY, np.arange(2)), "p is int64"),
    "logits": (lambda: random.categorical(KEY, np.arange(3)), "logits is int64"),
    "draws": (lambda: random.categorical(KEY, LOGITS[None], shape=(3,)), "end with"),
    "words of keys": (lambda: random.wrap_key_data(np.ones(2)), "must be uint32"),
    "one word": (lambda: random.wrap_key_data(np.ones(3, np.uint32)), "two words"),
    "data": (lambda: random.fold_in(KEY, 0.5), "must be an integer"),
    "no range": (lambda: random.permutation(KEY, -1), "below zero"),
    "no axis": (lambda: random.permutation(KEY, 1.5), "a Python integer"),
    "too many": (lambda: random.choice(KEY, 3, (4,), replace=False), "replace=True"),
    "none": (lambda: random.choice(KEY, 0, (4,)), "nothing to choose"),
    "weights": (lambda: random.choice(KEY, 3, p=np.ones(2)), "one weight for each"),
    "counters": (lambda: weft.threefry(np.ones(2), np.ones(2)), "uint64"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_at_the_users_line(name):
    mistake, message = MISTAKES[name]
    with pytest.raises(weft.WeftError) as caught:
        mistake()
    assert f"test_random.py:{mistake.__code__.co_firstlineno}: " in str(caught.value)
    assert message in str(caught.value)
