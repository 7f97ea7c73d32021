"""What indexing, sorting and running sums of a million elements cost beside NumPy's.

Prints milliseconds, the minimum over rounds, and the ratio: less than 1 is faster.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import weft

SIZE, ROUNDS = 1_000_000, 15

random = np.random.default_rng(0)
x = random.normal(size=SIZE).astype(np.float32)
i = random.integers(0, SIZE, SIZE)
bins = random.integers(0, 1000, SIZE)
table = random.normal(size=(10_000, 64)).astype(np.float32)
rows = random.integers(0, 10_000, 16_384)
matrix = x.reshape(1000, 1000)
ints = random.integers(0, 2**40, SIZE)


def milliseconds(call: Callable[[], object]) -> float:
    """The fastest of some calls."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def numpy_set(x: np.ndarray, i: np.ndarray) -> np.ndarray:
    """NumPy's `x.at[i].set(1)`."""
    copy = x.copy()
    copy[i] = 1
    return copy


def numpy_add(x: np.ndarray, i: np.ndarray) -> np.ndarray:
    """NumPy's `x.at[i].add(1)`."""
    copy = x.copy()
    np.add.at(copy, i, np.float32(1))
    return copy


CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = [
    ("x[i]", lambda x, i: x[i], lambda x, i: x[i], (x, i)),
    ("rows of a table", lambda x, i: x[i], lambda x, i: x[i], (table, rows)),
    ("x.at[i].set", lambda x, i: x.at[i].set(1.0), numpy_set, (x, i)),
    ("x.at[i].add", lambda x, i: x.at[i].add(1.0), numpy_add, (x, i)),
    ("x.at[bins].add", lambda x, i: x.at[i].add(1.0), numpy_add, (x[:1000], bins)),
    ("sort f32", weft.sort, lambda x: np.sort(x, kind="stable"), (x,)),
    ("sort i64", weft.sort, lambda x: np.sort(x, kind="stable"), (ints,)),
    ("argsort f32", weft.argsort, lambda x: np.argsort(x, kind="stable"), (x,)),
    ("sort 1000 rows", weft.sort, lambda x: np.sort(x, kind="stable"), (matrix,)),
    ("sort by two keys", lambda i, x: weft.lexsort((x, i)),
     lambda i, x: np.lexsort((x, i)), (bins, x)),
    ("top_k 10", lambda x: weft.top_k(x, 10)[0],
     lambda x: np.sort(np.partition(x, -10)[-10:])[::-1], (x,)),
    ("searchsorted", weft.searchsorted, np.searchsorted, (np.sort(x), x[::-1])),
    ("unique", lambda i: weft.unique(i, size=1000), np.unique, (bins,)),
    ("bincount", lambda i: weft.bincount(i, length=1000), np.bincount, (bins,)),
    ("median of rows", lambda x: weft.median(x, 1), lambda x: np.median(x, 1),
     (matrix,)),
    ("cumlogsumexp", weft.cumlogsumexp, np.logaddexp.accumulate, (x,)),
    ("cumsum f32", weft.cumsum, np.cumsum, (x,)),
    ("cumsum axis 0", lambda x: weft.cumsum(x, 0), lambda x: x.cumsum(0), (matrix,)),
    ("cumsum axis 1", lambda x: weft.cumsum(x, 1), lambda x: x.cumsum(1), (matrix,)),
]  # fmt: skip

print(f"{'':16s} {'Weft ms':>9s} {'NumPy ms':>9s} {'ratio':>6s}")
for name, ours, theirs, arguments in CASES:
    compiled = weft.jit(ours)
    given = [weft.asarray(a) for a in arguments]
    np.testing.assert_allclose(
        np.asarray(compiled(*given)), theirs(*arguments), rtol=1e-2, atol=1e-2
    )
    mine = milliseconds(lambda call=compiled, given=given: call(*given))
    other = milliseconds(lambda call=theirs, given=arguments: call(*given))
    print(f"{name:16s} {mine:9.3f} {other:9.3f} {mine / other:6.2f}")
