"""Transformations and control flow. Read it, or run it: it checks itself.

python docs/transformations.py
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft


def same(ours, theirs, rtol=1e-5):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol)


x = weft.asarray([0.5, 1.0, 2.0])
xs = np.asarray(x)

# ---- 1. Both modes -----------------------------------------------------------
#
# `jvp` moves a function's arguments along tangents, `vjp` pulls cotangents of its
# results back. In the traced program each is an op that names the function.

value, tangent = weft.jvp(weft.sin, (x,), (weft.ones(3),))
same(tangent, np.cos(xs))

value, pullback = weft.vjp(weft.sin, x)
same(pullback(weft.ones(3))[0], np.cos(xs))

value, derivative = weft.linearize(weft.sin, x)
same(derivative(2.0 * x), 2.0 * xs * np.cos(xs))


def energy(x):
    return weft.sum(weft.sin(x) * x**2)


same(weft.jacfwd(weft.sin)(x), np.diag(np.cos(xs)))
same(weft.hessian(energy)(x), weft.jacfwd(weft.grad(energy))(x))

text = weft.hessian(energy).lower(x).text(locations=False)
assert "weft.vmap" in text
assert "weft.jvp" in text

# ---- 2. Batching -------------------------------------------------------------
#
# `vmap` adds no loop: it widens the ops. A pullback can be batched like anything
# else; the forward pass is not computed again.


def distance(a, b):
    return weft.sqrt(weft.sum(weft.square(a - b)))


points = weft.asarray(np.arange(12.0).reshape(4, 3))
pairwise = weft.vmap(weft.vmap(distance, in_axes=(None, 0)), in_axes=(0, None))
assert pairwise(points, points).shape == (4, 4)

per_example = weft.vmap(weft.grad(distance), in_axes=(0, None))
assert per_example(points[1:], points[0]).shape == (3, 3)

# ---- 3. Control flow ---------------------------------------------------------
#
# Python's own `if` and `for` are part of tracing. Those of the program are ops with
# bodies: `cond`, `switch`, `fori_loop`, `while_loop` and `scan`.


def newton(a):
    """The square root of a, to the precision of its type."""

    def unfinished(state):
        y, before = state
        return weft.abs(y - before) > 1e-6 * y

    def improve(state):
        y, _ = state
        return 0.5 * (y + a / y), y

    return weft.while_loop(unfinished, improve, (a, 0.5 * a))[0]


same(weft.jit(newton)(2.0), np.sqrt(2.0))

# A loop whose number of steps is known only at run time has derivatives in both
# modes, and can be batched: it runs until all are done.

same(weft.jit(weft.grad(newton))(2.0), 0.5 / np.sqrt(2.0))
same(weft.jit(weft.vmap(weft.grad(newton)))(x), 0.5 / np.sqrt(xs))


def decay(rate):
    def step(y, _):
        y = y - 0.1 * rate * y
        return y, y

    return weft.scan(step, 1.0, length=10)


final, path = weft.jit(decay)(0.5)
same(path, 0.95 ** np.arange(1, 11))

# ---- 4. Random numbers -------------------------------------------------------
#
# A key is a value, and gives the same numbers wherever it is used.

key = weft.random.key(0)
one, two = weft.random.split(key)
noise = weft.random.normal(one, (3,))
same(weft.jit(lambda k: weft.random.normal(k, (3,)))(one), noise)

# ---- 5. Rules of your own ----------------------------------------------------
#
# Where the derivative of the steps is not the way to compute the derivative.


@weft.custom_vjp
def root(a):
    return newton(a)


root.defvjp(lambda a: (root(a),) * 2, lambda y, ct: (ct * 0.5 / y,))
lowered = weft.jit(weft.grad(root)).lower(2.0)
assert lowered.text("expanded").count("weft.while") == 1  # none in the backward pass
same(lowered.compile()(2.0), 0.5 / np.sqrt(2.0))

# `checkpoint` computes again what the backward pass would keep; the repeated ops are
# there to be seen. `residuals` lists what is kept.


def deep(x):
    for _ in range(3):
        x = weft.tanh(x)
    return weft.sum(x)


kept = weft.jit(deep).residuals(x)
print(kept)
assert kept.bytes == 3 * x.nbytes
assert weft.jit(weft.checkpoint(deep)).residuals(x).bytes == 0

# ---- 6. Checking -------------------------------------------------------------
#
# Difference quotients, the dot-product test, and batching against a loop; or from
# the command line: weft check-grad file.py:function

weft.testing.check_grads(distance, (points[1], points[0]), order=2)
weft.testing.check_grads(newton, (np.float64(2.0),), order=2)
