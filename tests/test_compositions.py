"""Every pair and triple of transformations, of small programs, against NumPy.

Each transformation maps a function of three numbers to three numbers to another such
function. What it should be is computed by NumPy: derivatives are difference quotients
of order 8 in extended precision, so that three of them may nest.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import functools
import itertools

import numpy as np
import pytest

import weft

X = np.array([0.4, -0.7, 0.9])
WEIGHTS = np.array([0.9, -0.5, 0.7])
TANGENT = np.array([0.3, 1.1, -0.6])
SCALES = np.array([1.0, 0.6])
W = np.array([[0.5, -0.3, 0.2], [0.1, 0.7, -0.4], [-0.6, 0.3, 0.2]])

# ---- the programs: the same text for Weft and for NumPy ----


def cubic(m, x):
    return x * x * x - 0.5 * x


def waves(m, x):
    return m.sin(x) * m.cos(2.0 * x)


def layer(m, x):
    return m.tanh(W @ x)


def quotient(m, x):
    return x / (1.0 + x * x)


def shared(m, x):
    y = m.exp(-0.1 * x * x)
    return y * y + y * m.sum(y) * 0.1


def outer(m, x):
    return m.sum(x[:, None] * m.sin(x)[None, :], axis=0)


def norm(m, x):
    return x / m.sqrt(1.0 + m.sum(x * x))


def reordered(m, x):
    return m.concatenate([x[1:], x[:1]]) * x[::-1]


def pieces(m, x):
    return m.where(x > 0.0, m.sin(x), x * x * x)


def logistic(m, x):
    return 1.0 / (1.0 + m.exp(-(W.T @ x)))


def powers(m, x):
    return (x * x + 1.0) ** 1.5 - m.log(x * x + 2.0)


def softmax(m, x):
    e = m.exp(x - m.max(x))
    return e / m.sum(e)


PROGRAMS = (cubic, waves, layer, quotient, shared, outer, norm, reordered, pieces,
            logistic, powers, softmax)  # fmt: skip

# ---- the transformations, by Weft ----


def _grad(f):
    return weft.grad(lambda x: weft.sum(f(x) * WEIGHTS))


def _jvp(f):
    return lambda x: weft.jvp(f, (x,), (weft.asarray(TANGENT),))[1]


def _vmap(f):
    return lambda x: weft.sum(weft.vmap(f)(SCALES[:, None] * x), axis=0)


def _scan(f):
    def step(carry, scale):
        after = 0.5 * carry + 0.4 * f(carry * scale)
        return after, after * carry

    def function(x):
        carry, ys = weft.scan(step, x, weft.asarray(SCALES))
        return carry + weft.sum(ys, axis=0)

    return function


def _cond(f):
    # No difference quotient of any program below reaches across this threshold.
    return lambda x: weft.cond(weft.sum(x) > 0.638, f, lambda x: x - f(-x), x)


OURS = {"jit": weft.jit, "grad": _grad, "jvp": _jvp, "vmap": _vmap,
        "checkpoint": weft.checkpoint, "scan": _scan, "cond": _cond}  # fmt: skip

# ---- and by NumPy ----

# Central differences of order 8.
H = np.longdouble(2e-3)


def slope(f, x, t):
    c = [np.longdouble(4) / 5, np.longdouble(-1) / 5, np.longdouble(4) / 105,
         np.longdouble(-1) / 280]  # fmt: skip
    parts = [c[k] * (f(x + (k + 1) * H * t) - f(x - (k + 1) * H * t)) for k in range(4)]
    return sum(parts) / H


def np_grad(f):
    def function(x):
        units = np.eye(3, dtype=np.longdouble)
        return np.array([np.sum(slope(f, x, unit) * WEIGHTS) for unit in units])

    return function


def np_scan(f):
    def function(x):
        carry, total = x, 0.0
        for scale in SCALES:
            after = 0.5 * carry + 0.4 * f(carry * scale)
            total = total + after * carry
            carry = after
        return carry + total

    return function


THEIRS = {
    "jit": lambda f: f,
    "grad": np_grad,
    "jvp": lambda f: lambda x: slope(f, x, TANGENT),
    "vmap": lambda f: lambda x: sum(f(s * x) for s in SCALES),
    "checkpoint": lambda f: f,
    "scan": np_scan,
    "cond": lambda f: lambda x: f(x) if np.sum(x) > 0.638 else x - f(-x),
}


@functools.cache
def expected(names, program):
    f = functools.partial(program, np)
    for name in reversed(names):
        f = THEIRS[name](f)
    return np.asarray(f(X.astype(np.longdouble)), np.float64)


def check(names, program):
    f = functools.partial(program, weft)
    for name in reversed(names):
        f = OURS[name](f)
    ours = np.asarray(weft.jit(lambda x: f(x))(X))
    same = tuple(name for name in names if name not in ("jit", "checkpoint"))
    np.testing.assert_allclose(ours, expected(same, program), rtol=1e-6, atol=1e-7)


PAIRS = list(itertools.product(OURS, repeat=2))
TRIPLES = list(itertools.product(OURS, repeat=3))
ALL = [(names, program) for names in PAIRS + TRIPLES for program in PROGRAMS]
# Each pair and triple once, of one program after the other.
SAMPLE = [
    (names, PROGRAMS[i % len(PROGRAMS)]) for i, names in enumerate(PAIRS + TRIPLES)
]


def _id(case):
    names, program = case
    return f"{'-'.join(names)}-{program.__name__}"


@pytest.mark.parametrize("case", SAMPLE, ids=_id)
def test_composition(case):
    check(*case)


@pytest.mark.fuzz
@pytest.mark.parametrize("case", [c for c in ALL if c not in SAMPLE], ids=_id)
def test_every_composition(case):
    check(*case)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_eager(name, program):
    ours = np.asarray(OURS[name](functools.partial(program, weft))(X))
    same = () if name in ("jit", "checkpoint") else (name,)
    np.testing.assert_allclose(ours, expected(same, program), rtol=1e-6, atol=1e-7)
