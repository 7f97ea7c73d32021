"""What compiling costs, counted: traces of a body, and ops in the text."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re

import numpy as np
import pytest

import weft

x8 = np.linspace(0.1, 0.8, 8, dtype=np.float32)


def hessian_vector(f):
    return lambda x: weft.jvp(weft.grad(f), (x,), (x,))[1]


# What is done to a function of a vector, and how many axes that adds to its argument.
transforms = {
    "value": (lambda f: f, 0),
    "grad": (weft.grad, 0),
    "hvp": (hessian_vector, 0),
    "hessian": (weft.hessian, 0),
    "vmap grad": (lambda f: weft.vmap(weft.grad(f)), 1),
    "vmap hvp": (lambda f: weft.vmap(hessian_vector(f)), 1),
    "vmap vmap grad": (lambda f: weft.vmap(weft.vmap(weft.grad(f))), 2),
}
each_transform = pytest.mark.parametrize("name", transforms)


def count_ops(name, f):
    """The ops of a transformed function, as far as they are Weft's, once expanded."""
    transform, axes = transforms[name]
    x = np.broadcast_to(x8, (2,) * axes + x8.shape)
    text = weft.jit(transform(f)).lower(x).text("expanded", locations=False)
    return len(re.findall(r"^ *(?:%\S+(?:, %\S+)* = )?weft\.\w+", text, re.M))


def loops(depth, step):
    """A loop in a loop, `depth` deep, around a step."""
    if depth == 0:
        return step
    inner = loops(depth - 1, step)
    return lambda c: weft.scan(lambda d, _: (inner(d), None), c, None, length=3)[0]


@each_transform
def test_a_body_is_traced_once(name):
    calls = []

    def step(c):
        calls.append(c)
        return weft.sin(c) * c

    count_ops(name, lambda x: weft.sum(loops(1, step)(x)))
    assert len(calls) == 1
    calls.clear()
    count_ops(name, lambda x: weft.sum(loops(4, step)(x)))
    assert len(calls) == 1


@each_transform
def test_each_loop_around_a_loop_adds_as_many_ops(name):
    def count(depth):
        step = loops(depth, lambda c: weft.sin(c) * c)
        return count_ops(name, lambda x: weft.sum(step(x)))

    one, two, four, eight = map(count, (1, 2, 4, 8))
    assert four - two <= 2 * (two - one)
    assert eight - four <= 2 * (four - two)


@each_transform
def test_each_op_of_a_chain_adds_as_many_ops(name):
    def count(length):
        def f(x):
            for _ in range(length):
                x = weft.sin(x) * x
            return weft.sum(x)

        return count_ops(name, f)

    few, more, many = map(count, (10, 20, 40))
    assert many - more <= 2 * (more - few)


def test_batching_adds_no_ops_to_a_loop():
    def f(x):
        return weft.sum(loops(2, lambda c: weft.sin(c) * c)(x))

    once = count_ops("vmap grad", f)
    assert count_ops("vmap vmap grad", f) <= once
    assert once <= 2 * count_ops("grad", f)


@pytest.mark.parametrize("stage", ["expanded", "llvm"])
def test_nested_calls_share_their_stacks(stage):
    def count(depth):
        step = weft.sin
        for _ in range(depth):
            step = weft.jit(lambda c, inner=step: weft.sin(inner(c)) * 1.5)
        text = weft.jit(lambda x: weft.sum(step(x))).lower(x8).text(stage)
        return len(re.findall(r"^#loc", text, re.M))

    few, more, many = map(count, (20, 40, 80))
    assert many - more <= 2.2 * (more - few)


def chain_of(update, length):
    def f(x):
        for k in range(length):
            x = update(x, k)
        return x

    return f


# What updates element `k % 4`, and what it makes of 0, 1, 2, 3 after 300 times.
updates = {
    "slice": (
        lambda x, k: weft.dynamic_update_slice(x, np.float32([k]), (k % 4,)),
        [296, 297, 298, 299],
    ),
    "set": (lambda x, k: x.at[k % 4].set(float(k)), [296, 297, 298, 299]),
    "add": (lambda x, k: x.at[k % 4].add(1.0), [75, 76, 77, 78]),
}


@pytest.mark.parametrize("name", updates)
def test_long_chains_of_updates_are_in_place(name):
    # Were a chain one to the analysis, this would take minutes.
    update, expected = updates[name]
    x = weft.arange(4, dtype=weft.float32)

    def count_copies(length):
        text = weft.jit(chain_of(update, length)).lower(x).text("memref")
        return len(re.findall(r"memref\.copy .* to memref<4xf32> ", text))

    assert count_copies(300) == count_copies(10) <= 2
    assert weft.jit(chain_of(update, 300))(x).tolist() == expected
