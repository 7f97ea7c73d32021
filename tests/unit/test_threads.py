"""Loops that are shared among threads: the same results, and no thread too many."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import weft

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(517, 389)).astype("float32")
Y = RANDOM.normal(size=(389, 611)).astype("float32")
WIDE = RANDOM.normal(size=(64, 8192)).astype("float32")
IMAGES = RANDOM.normal(size=(4, 21, 23, 16)).astype("float32")
KERNEL = RANDOM.normal(size=(3, 3, 16, 24)).astype("float32")

PROGRAMS: dict[str, tuple[Any, ...]] = {
    "product": (lambda x, y: x @ y, X, Y),
    "transposed product": (lambda x, y: y.T @ x.T, X, Y),
    "softmax": (weft.nn.softmax, X),
    "transpose": (lambda x: x.T + 1, X),
    "few squares": (lambda x: x.T + weft.sin(x), X[:200, :200]),
    "column sums": (lambda x: weft.sum(x, axis=0), WIDE),
    "sum": (weft.sum, WIDE),
    "minima": (lambda x: weft.min(x, axis=(1, 2)), WIDE.reshape(4, 64, 2048)),
    "row maxima": (lambda x: weft.max(x, axis=1), X),
    "argmax": (lambda x: weft.argmax(x, axis=1), X),
    "argmax of all": (weft.argmin, WIDE),
    "any": (lambda x: (weft.any(x > 4), weft.all(x < 5, axis=0)), WIDE),
    "elementwise": (lambda x: weft.exp(weft.sin(x)), X),
    "convolution": (weft.nn.conv, IMAGES, KERNEL),
    "gradient": (
        weft.grad(lambda x, y: weft.sum(weft.tanh(x @ y) ** 2), argnums=(0, 1)), X, Y,
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = weft.get_num_threads()
    yield
    weft.set_num_threads(before)


def leaves(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def bits(result: Any) -> list[bytes]:
    return [np.asarray(x).tobytes() for x in leaves(result)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_do_not_depend_on_the_number_of_threads(name: str) -> None:
    function, *args = PROGRAMS[name]
    compiled = weft.jit(function)
    lowered = compiled.lower(*args)
    assert "weft.tasks" in lowered.text("loops", locations=False)
    want = [np.asarray(x) for x in leaves(lowered.interpret(*args))]
    for got, exact in zip(leaves(compiled(*args)), want, strict=True):
        np.testing.assert_allclose(got, exact, rtol=2e-3, atol=1e-3)
    seen = []
    for count in (1, 2, 7):
        weft.set_num_threads(count)
        seen.append(bits(compiled(*args)))
    assert seen[0] == seen[1] == seen[2]


def test_calls_from_several_threads() -> None:
    weft.set_num_threads(3)
    compiled = weft.jit(lambda x, y: x @ y)
    want = bits(compiled(X, Y))
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: bits(compiled(X, Y)), range(40)):
            assert result == want


def test_threads_are_hired_once() -> None:
    weft.set_num_threads(2)
    compiled = weft.jit(lambda x, y: x @ y)
    compiled(X, Y)

    def native() -> int:
        return len(os.listdir("/proc/self/task"))

    before = native()
    for _ in range(20):
        compiled(X, Y)
    assert native() == before
    assert threading.active_count() <= before


def test_threads_keep_the_processors_of_the_process() -> None:
    weft.set_num_threads(7)
    compiled = weft.jit(lambda x, y: x @ y)
    for _ in range(50):
        compiled(X, Y)
    everywhere = os.sched_getaffinity(0)
    tasks = [int(task) for task in os.listdir("/proc/self/task")]
    assert len(tasks) >= 7
    assert all(os.sched_getaffinity(task) == everywhere for task in tasks)


def test_many_threads_on_one_processor() -> None:
    program = """if True:
        import os, numpy as np, weft
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        x = np.ones((300, 300), "float32")
        weft.set_num_threads(5)
        for _ in range(20):
            assert (np.asarray(weft.jit(lambda x: x @ x)(x)) == 300).all()
    """
    subprocess.run([sys.executable, "-c", program], check=True)


def test_threads_with_little_stack() -> None:
    """Blocks of arrays lie on a stack: another one, where that of a thread is small."""
    program = """if True:
        import threading, numpy as np, weft
        x, y = np.ones((64, 1024), "float32"), np.ones((1024, 2048), "float32")
        product = weft.jit(lambda x, y: x @ y)
        turned = weft.jit(lambda x, y: y.T @ x.T)
        product(x, y), turned(x, y)
        def run():
            for threads in 1, 2:
                weft.set_num_threads(threads)
                assert (np.asarray(product(x, y)) == 1024).all()
                assert (np.asarray(turned(x, y)) == 1024).all()
            print("done")
        threading.stack_size(128 << 10)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    """
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "done\n", done.stderr


def test_a_forked_child_has_threads_of_its_own() -> None:
    weft.set_num_threads(2)
    compiled = weft.jit(lambda x, y: x @ y)
    want = bits(compiled(X, Y))
    child = os.fork()
    if child == 0:
        os._exit(0 if bits(compiled(X, Y)) == want else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("count", [0, -1, 257, 1.5, "two", None])
def test_what_is_no_number_of_threads(count: Any) -> None:
    with pytest.raises(weft.ArgumentError, match="from 1 to 256"):
        weft.set_num_threads(count)


@pytest.mark.parametrize("count", ["0", "many", "2.5", "257"])
def test_the_environment_names_no_number_of_threads(count: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import weft\nprint(weft.get_num_threads())"],
        env=os.environ | {"WEFT_NUM_THREADS": count},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (
        f"<string>:1: RuntimeWarning: WEFT_NUM_THREADS of the environment is {count!r}"
        in done.stderr
    )
    assert 1 <= int(done.stdout) <= 256


def test_a_small_program_keeps_to_its_thread() -> None:
    text = weft.jit(lambda x: x @ x).lower(np.ones((8, 8), "float32")).text("loops")
    assert "weft.tasks" not in text
