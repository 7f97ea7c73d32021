"""Indexing: what is read, what is updated, and what is not there. It checks itself.

python docs/indexing.py
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np

import weft

# ---- 1. Reading --------------------------------------------------------------
#
# An index means what it means in NumPy: integers, slices, `None`, `...`, arrays of
# integers, lists, and masks, alone or together. Integers that Python knows must be
# in range. Arrays may be traced; then the shape of the result is still known.

table = np.arange(24.0).reshape(2, 3, 4)
x = weft.asarray(table)
rows = np.array([2, 0])

for index in (
    np.s_[1, ::-1],
    np.s_[..., None, -1],
    np.s_[:, rows, 1:3],
    np.s_[0, :, [1, 3]],
    np.s_[table[:, :, 0] > 5],
):
    np.testing.assert_array_equal(np.asarray(x[index]), table[index])

# ---- 2. Masks ----------------------------------------------------------------
#
# A mask takes as many elements as it has true ones, so it must be known while a
# program is traced. Where it is not, there are three ways to say what is meant.


@weft.jit
def masked(x):
    mask = x > 5
    choice = weft.where(mask, x, 0.0)
    update = x.at[mask].set(-1.0)  # the value is for all elements
    places = weft.nonzero(x.ravel() > 5, size=3, fill_value=-1)[0]
    return choice, update, places


choice, update, places = masked(x)
assert choice.sum().item() == table[table > 5].sum()
assert (np.asarray(update) == np.where(table > 5, -1, table)).all()
assert places.tolist() == [6, 7, 8]

# ---- 3. Updating -------------------------------------------------------------
#
# Arrays are immutable: `x.at[index]` makes an array with some elements updated.
# Where an element is named several times, `add`, `multiply`, `min` and `max` take
# all updates, one after the other, and of `set` the last one stays.

y, twice = weft.zeros(3), np.array([1, 1, 2])
values = np.array([5.0, 6.0, 7.0], np.float32)
assert y.at[twice].set(values).tolist() == [0, 6, 7]
assert y.at[twice].add(values).tolist() == [0, 11, 7]

# ---- 4. What is not there ----------------------------------------------------
#
# Negative indices count from the end, once. What an index in an array says beyond
# either end is never an error, and means by default:
#
#   x[i], x.at[i].get()            the nearest element         mode="clip"
#   weft.take, take_along_axis     NaN, or the least integer   mode="fill"
#   x.at[i].set, add, ..., put     no update                   mode="drop"
#
# `mode` says otherwise: "clip" and "fill" (with `fill_value`) for what reads, "clip"
# and "drop" for what writes. "promise_in_bounds" is "clip" by the name of a promise,
# and `weft.take` takes "wrap" too: indices modulo the size.

out = np.array([1, 9, -9])
z = weft.asarray([10.0, 20.0, 30.0])
assert z[out].tolist() == [20, 30, 10]
assert z.at[out].get(mode="fill", fill_value=0.0).tolist() == [20, 0, 0]
assert np.isnan(weft.take(z, out).tolist()).tolist() == [False, True, True]
assert weft.take(z, out, mode="wrap").tolist() == [20, 10, 10]
assert z.at[out].set(1.0).tolist() == [10, 1, 30]
assert z.at[out].set(1.0, mode="clip").tolist() == [1, 1, 1]

# ---- 5. Derivatives ----------------------------------------------------------
#
# What is read passes its cotangent back to where it came from, as often as it is
# named; what is not there gets none. Of updates to one element, `set` gives the
# cotangent to the one that stays, `min` and `max` share it among equal ones.

weights = np.array([1.0, 2.0, 4.0], np.float32)
by_z = weft.grad(lambda z: weft.sum(z[twice] * weights))(z)
assert by_z.tolist() == [0, 3, 4]
by_value = weft.grad(lambda v: weft.sum(z.at[twice].set(v) * weights))(values)
assert by_value.tolist() == [0, 2, 4]
by_taken = weft.grad(lambda z: weft.sum(weft.take(z, out, fill_value=0.0)))(z)
assert by_taken.tolist() == [0, 1, 0]
print("indexing is as it says")
