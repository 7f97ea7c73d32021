"""Schedules: say yourself how a program is computed. This file runs: it checks itself.

python docs/schedules.py
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

# ---- 1. A sequence is named for a stage --------------------------------------
#
# What a program computes is written in Python; how, Weft decides: what is fused, in
# which tiles, on which threads. Where you know better, you say so in MLIR's own
# language for it, the transform dialect
# (https://mlir.llvm.org/docs/Dialects/Transform). A schedule consists of named
# sequences. One that has the name of a stage runs when that stage is reached, and is
# given the whole program.

SCHEDULE = """
transform.named_sequence @linalg(%program: !transform.any_op {transform.readonly}) {
  %tanh = transform.structured.match attributes {weft.op = "tanh"} in %program
      : (!transform.any_op) -> !transform.any_op
  %tile, %tiles = transform.structured.fuse %tanh tile_sizes [32, 64] {use_forall}
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
  transform.yield
}
"""


def layer(x, w):
    return weft.tanh(x @ w)


rng = np.random.default_rng(0)
x = rng.normal(size=(96, 48)).astype(np.float32)
w = rng.normal(size=(48, 192)).astype(np.float32)

tiled = weft.jit(layer, schedule=SCHEDULE)
np.testing.assert_allclose(np.asarray(tiled(x, w)), np.tanh(x @ w), atol=1e-5)

# A schedule is text, or a pathlib.Path: a file of it. It is also what
# `Lowered.schedule` takes. `weft.op` is what an op was called in the program; only
# programs with a schedule have it in their text, and fusion may drop it: at `fused`,
# look for ops by their iterator types (`transform.structured.match ... attributes`)
# or by their order (`transform.split_handle`).
#
# The schedules that may be written are for `linalg`, `fused`, `memref` and `loops`;
# for GPUs, for the first three. Sequences that others call are `private`.

lowered = weft.jit(layer).lower(x, w).schedule(SCHEDULE)
np.testing.assert_allclose(np.asarray(lowered.compile()(x, w)), tiled(x, w))

# ---- 2. Reading what it did --------------------------------------------------
#
# The schedule is part of the program's text until it has run. At the stage
# `expanded` it is all still there, to be edited; at `linalg` there are tiles.

expanded = lowered.text("expanded", locations=False)
assert "module @schedule" in expanded
assert "@linalg" in expanded

linalg = lowered.text("linalg", locations=False)
assert "= (0, 0) to (96, 192) step (32, 64)" in linalg
assert "@linalg" not in linalg

smaller = lowered.replace("expanded", expanded.replace("[32, 64]", "[16, 16]"))
assert "step (16, 16)" in smaller.text("linalg")
np.testing.assert_allclose(np.asarray(smaller.compile()(x, w)), tiled(x, w), atol=1e-6)

# `weft-opt` takes the same text and does the same, and `transform.print` prints what
# a handle stands for while it runs.

# ---- 3. What becomes of what a schedule leaves -------------------------------
#
# - An `scf.forall` is a kernel: one function, whose steps threads share. What a step
#   keeps for itself is on the stack of its thread, which has room for 512 KiB.
# - Within its tiles, Weft decides as ever: here the product is computed in tiles of
#   registers, and tanh on them.
# - Choose tiles that divide: where the last one is smaller, all are of a size that is
#   known only when they run. The CPU computes them op by op in plain loops, and
#   nothing in registers' tiles; a GPU's kernels cannot have them, which is an error.
# - An `scf.for` is a loop around kernels; if it only computes, on elements or
#   vectors, it is a kernel. One that you mark, by
#   `transform.annotate %loop "weft.rows"`, is a kernel too.
# - Vectors may have several dimensions: `vector.contract` becomes multiply-adds of
#   registers, `vector.multi_reduction` sums, and transfers go row by row.
# - `linalg.matmul` and other named ops, `linalg.pack` and `linalg.unpack` become
#   loops like all others.
# - An op that you mark by `transform.annotate %op "weft.keep"` is neither packed,
#   fused, split nor grouped by Weft: it is yours to change at a later stage.
# - `transform.annotate %loop "weft.unroll" = %steps`, a parameter of type i64, has a
#   loop take several steps at a time.

kernels = lowered.text("loops", locations=False)
assert kernels.count("func.func private @layer_kernel") == 1
assert "weft.tasks = 9" in kernels
assert "vector.fma" in kernels

# A schedule is not faster by itself: Weft's own choices are good ones. This product in
# vectors of one's own choice took 1.6 times as long as Weft's for 512 x 512, on one
# thread: the op is kept from Weft, tiled for threads and again for registers, and
# vectorised; the sums stay in registers as k passes by.

VECTORS = """
transform.named_sequence @linalg(%program: !transform.any_op {transform.readonly}) {
  %product = transform.structured.match ops{["linalg.generic"]} in %program
      : (!transform.any_op) -> !transform.any_op
  transform.annotate %product "weft.keep" : !transform.any_op
  transform.yield
}
transform.named_sequence @fused(%program: !transform.any_op {transform.readonly}) {
  // Its loops are m, k, n; now m, n, k.
  %product = transform.structured.match attributes {weft.keep} in %program
      : (!transform.any_op) -> !transform.any_op
  %mnk = transform.structured.interchange %product iterator_interchange = [0, 2, 1]
      : (!transform.any_op) -> !transform.any_op
  %task, %tasks = transform.structured.tile_using_forall %mnk tile_sizes [64, 64]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
  %tile, %tiles:3 = transform.structured.tile_using_for %task tile_sizes [8, 32, 1]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op,
                                !transform.any_op, !transform.any_op)
  transform.structured.vectorize %tile : !transform.any_op
  %f = transform.structured.match ops{["func.func"]} in %program
      : (!transform.any_op) -> !transform.any_op
  transform.apply_patterns to %f {
    transform.apply_patterns.vector.reduction_to_contract
    transform.apply_patterns.vector.transfer_permutation_patterns
    transform.apply_patterns.canonicalization
  } : !transform.any_op
  %loops = transform.structured.match interface{LoopLikeInterface} in %f
      : (!transform.any_op) -> !transform.any_op
  transform.apply_licm to %loops : !transform.any_op
  transform.loop.hoist_loop_invariant_subsets %loops : !transform.any_op
  transform.yield
}
"""

product = weft.jit(lambda a, b: a @ b, schedule=VECTORS)
a = rng.normal(size=(128, 96)).astype(np.float32)
b = rng.normal(size=(96, 192)).astype(np.float32)
np.testing.assert_allclose(np.asarray(product(a, b)), a @ b, atol=1e-4)

# ---- 4. Mistakes -------------------------------------------------------------
#
# An error in a schedule begins with the file that it is in, or with the line that it
# is given at, and then has the line of the schedule.

wrong = SCHEDULE.replace('attributes {weft.op = "tanh"}', 'ops{["func.func"]}')
try:
    weft.jit(layer, schedule=wrong)(x, w)
except weft.CompileError as error:
    print(error)
    assert "schedules.py:" in str(error).split()[0]
    assert "<schedule>:5" in str(error).split()[1]
else:
    raise AssertionError("a function was tiled")

try:
    weft.jit(layer, schedule=SCHEDULE.replace("@linalg", "@linear"))(x, w)
except weft.CompileError as error:
    assert "@linear would never run" in str(error)
else:
    raise AssertionError("there is a stage 'linear'")

# ---- 5. What is not checked --------------------------------------------------
#
# The transform dialect trusts you: the steps of an `scf.forall` that is written by
# hand may write the same element, and a pass that is run by
# `transform.apply_registered_pass` may do anything. What it makes of a program is
# checked to be valid, not to be the same.
#
# A schedule belongs to the program, not to a function: of a function that another
# traced function calls, it is the latter's that counts, and derivatives of a
# scheduled function are not scheduled.

print("the schedules did as they say")
