"""What the benchmark beside other libraries measures, and says."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from dataclasses import replace

import numpy as np
import pytest

from comparison import ceilings, frameworks, table, timing
from comparison.case import Case, Work, leaves, map_leaves
from comparison.programs.training import transformer_step

X = np.arange(6, dtype=np.float32).reshape(2, 3)
CASE = Case("sum", (X,), lambda xp, x: xp.sum(x * x), lambda x: np.sum(x * x))
MOVES = {"read": 8.0, "write": 4.0, "copy": 2.0}
LIMITS = ceilings.Ceilings({"f32": 100.0}, dict.fromkeys(ceilings.FOOTPRINTS, MOVES))


def test_leaves_of_trees() -> None:
    tree = {"b": [1, (2, 3)], "a": 0}
    assert list(leaves(map_leaves(lambda x: 2 * x, tree))) == [0, 2, 4, 6]


def test_frameworks_agree() -> None:
    results = [frameworks.FRAMEWORKS[name](CASE)() for name in ("weft", "numpy")]
    frameworks.check(CASE, "numpy", results[1], results[0])


def test_disagreement_is_found() -> None:
    y = X.copy()
    y[1, 2] += 0.01
    with pytest.raises(frameworks.DisagreementError, match=r"off by 0\.0013"):
        frameworks.check(CASE, "numpy", y, X)
    with pytest.raises(frameworks.DisagreementError, match=r"is \(3, 2\)"):
        frameworks.check(CASE, "numpy", y.T, X)
    with pytest.raises(frameworks.DisagreementError, match="off by nan"):
        frameworks.check(CASE, "numpy", y * np.nan, X)


def test_steps_update_parameters() -> None:
    def loss(xp, p, x):
        return xp.sum(p["w"] * x)

    case = Case("", ({"w": X}, X), loss, wrt=(0,), rate=0.5)
    value, (after,) = frameworks.weft_call(case)()
    assert float(value) == np.sum(X * X)
    np.testing.assert_array_equal(after, X / 2)


@pytest.mark.parametrize(
    ("work", "seconds", "by"),
    [
        (Work(operations=1000, read=8), 10, "f32"),
        (Work(operations=1, read=80), 10, "read"),
        (Work(written=8), 2, "write"),
        # Four bytes meet four, and eight are left.
        (Work(read=12, written=4), 5, "copy"),
        (Work(read=12, written=4, times=3), 15, "copy"),
    ],
)
def test_bounds(work: Work, seconds: float, by: str) -> None:
    assert LIMITS.bound(work) == ceilings.Bound(seconds, by)


def test_nothing_to_do_has_no_bound() -> None:
    assert LIMITS.bound(Work()) is None


def test_higher_ceilings_count() -> None:
    higher = LIMITS.joined(ceilings.Ceilings({"f32": 200.0}, LIMITS.bytes))
    assert higher.operations == {"f32": 200.0}
    assert higher.bytes == LIMITS.bytes


def test_rows_of_the_table() -> None:
    row = table.Row("sum", {"weft": 2e-3, "numpy": 3e-3}, {"weft": 0.5},
                    {"weft": 3_000_000, "numpy": None}, Work())  # fmt: skip
    names = ["weft", "numpy"]
    bounded = replace(row, bound=ceilings.Bound(1e-3, "read"))
    assert table.header(names).count("|") == 2 * table.line(row, names).count("|")
    assert table.line(bounded, names) == (
        "| sum | 2 | 3 | 1.50 | 1 | read | 50% | 0.50 | 3, - |"
    )


def test_each_call_is_timed() -> None:
    times = timing.fastest({"one": lambda: None, "other": lambda: sum(range(1000))}, 0)
    assert 0 < times["one"] < times["other"]


def test_peak_memory_is_what_a_call_holds() -> None:
    # Much more than what the process takes or gives back meanwhile.
    peak = timing.peak_memory(lambda: np.ones(1 << 26, np.uint8), lambda: None)
    assert peak is None or peak == pytest.approx(1 << 26, rel=0.2)


def test_work_of_layers_adds_up() -> None:
    one, two = (transformer_step(layers).work for layers in (1, 2))
    assert two.operations == 2 * one.operations
