"""Weft in ten minutes. Read it from top to bottom, or run it: it checks itself.

python docs/tour.py
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

# ---- 1. Arrays ---------------------------------------------------------------
#
# weft.Array wraps a NumPy array without copying it. Outside `jit` every function
# is evaluated at once by its reference, which is NumPy: no compiler is involved.
# Python scalars are weak: they take the dtype of the array that they meet.

x = weft.asarray([1.0, 2.0, 3.0], dtype=weft.float32)
y = weft.sin(x) * 2.0 + 1

assert y.dtype == weft.float32 and y.shape == (3,)
np.testing.assert_allclose(np.asarray(y), np.sin([1, 2, 3]) * 2 + 1, rtol=1e-6)

# ---- 2. Compiling ------------------------------------------------------------
#
# `jit` traces a function into the `weft` dialect, once for each combination of
# shapes and dtypes, and compiles it. Arguments and results are pytrees.


@weft.jit
def scale(params, x):
    return {"y": weft.tanh(x @ params["w"]) * params["gain"]}


params = {"w": np.ones((3, 2), np.float32), "gain": 2.0}
out = scale(params, x)
np.testing.assert_allclose(np.asarray(out["y"]), 2 * np.tanh([6.0, 6.0]), rtol=1e-6)

# It says why it compiled.

scale(params, weft.ones((5, 3)))
print(scale.cache_info())

# And what compiling takes: each pass, its milliseconds, the ops before and after it.

report = scale.compile_report(params, x)
print(report)
print(f"LLVM takes {report.llvm_share:.0%}")

# ---- 3. Derivatives ----------------------------------------------------------
#
# `grad` is a transformation of the program, and nests to any order.


def f(x):
    return weft.sum(weft.exp(-x * x))


first = weft.grad(f)(x)
np.testing.assert_allclose(
    np.asarray(first), -2 * np.asarray(x) * np.exp(-(np.asarray(x) ** 2)), rtol=1e-5
)

second = weft.grad(lambda x: weft.sum(weft.grad(f)(x)))(x)
xs = np.asarray(x)
np.testing.assert_allclose(
    np.asarray(second), (4 * xs * xs - 2) * np.exp(-xs * xs), rtol=1e-4
)

# `vjp` gives the result and a function from cotangents to cotangents.

value, pullback = weft.vjp(f, x)
np.testing.assert_allclose(np.asarray(pullback(weft.asarray(1.0))[0]), first)

# Outside `jit` a derivative is computed with the values at hand, so that Python's
# own control flow may look at them.


def relu(x):
    return x if x > 0 else 0.0 * x


assert float(weft.grad(relu)(3.0)) == 1.0
assert float(weft.grad(relu)(-3.0)) == 0.0

# ---- 4. Looking inside -------------------------------------------------------
#
# A lowered program prints at every stage. `grad` inside it is two ops,
# weft.linearize and weft.pullback, until the stage `expanded`.

lowered = weft.jit(weft.grad(f)).lower(x)
print("stages:", ", ".join(lowered.stages))

traced = lowered.text("weft", locations=False)
assert "weft.linearize" in traced and "weft.pullback" in traced
expanded = lowered.text("expanded", locations=False)
assert "weft.linearize" not in expanded
print(expanded)

# ---- 5. Changing a stage -----------------------------------------------------
#
# Any stage's text can be edited and put back; what follows is compiled from it.

edited = lowered.replace("expanded", expanded.replace("weft.exp", "weft.cos"))
changed = edited.compile()(x)
assert not np.allclose(np.asarray(changed), np.asarray(first))

# Text alone is a program too.

program = weft.parse(
    """
    func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
      %0 = weft.sqrt %x : tensor<3xf32>
      return %0 : tensor<3xf32>
    }
    """
)
np.testing.assert_allclose(
    np.asarray(program.interpret(x)), np.sqrt([1, 2, 3]), rtol=1e-6
)

# `interpret` runs a traced program op by op through the references: the way to
# find out which op a wrong result comes from.

np.testing.assert_allclose(
    np.asarray(scale.interpret(params, x)["y"]), np.asarray(out["y"]), rtol=1e-6
)

# ---- 6. Mistakes -------------------------------------------------------------
#
# An error begins with the line of yours that caused it.

try:
    weft.jit(lambda x: x @ weft.ones((4, 2)))(x)
except weft.ShapeError as error:
    print(error)
    assert "tour.py:" in str(error).split()[0]
else:
    raise AssertionError("shapes (3,) and (4, 2) were multiplied")
