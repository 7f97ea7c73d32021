"""Kernels of the numerical library: failures, threads, what is imported when."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import weft
from weft import linalg

SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
INDEFINITE = np.array([[1.0, 0.0], [0.0, -1.0]])
GOOD = np.array([[2.0, 1.0], [1.0, 3.0]])
NAN = np.full((2, 2), np.nan)

FAILURES = {
    "solve": (lambda x: linalg.solve(x, np.ones(2)), SINGULAR, "singular|Singular"),
    "inv": (linalg.inv, SINGULAR, "singular|Singular"),
    "cholesky": (linalg.cholesky, INDEFINITE, "positive definite"),
    "cholesky, zero": (linalg.cholesky, np.zeros((2, 2)), "positive definite"),
    "svd": (linalg.svd, NAN, "converge"),
    "svdvals": (linalg.svdvals, NAN, "converge"),
    "pinv": (linalg.pinv, NAN, "converge"),
    "matrix_power": (lambda x: linalg.matrix_power(x, -1), SINGULAR, "ingular"),
}
ways = pytest.mark.parametrize("way", ["eager", "compiled", "interpreted"])


def call(function, way):
    if way == "eager":
        return function
    jitted = weft.jit(function)
    return jitted if way == "compiled" else jitted.interpret


@ways
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("stacked", [False, True])
def test_failure(name, way, stacked):
    function, bad, message = FAILURES[name]
    x = np.stack([GOOD, bad]) if stacked else bad
    with pytest.raises(weft.LinAlgError, match=message) as caught:
        call(function, way)(x)
    assert isinstance(caught.value, np.linalg.LinAlgError)
    assert isinstance(caught.value, weft.WeftError)


@ways
def test_failure_under_transformations(way):
    bad = np.stack([GOOD, SINGULAR])
    with pytest.raises(weft.LinAlgError):
        call(weft.vmap(linalg.inv), way)(bad)
    with pytest.raises(weft.LinAlgError):
        call(weft.grad(lambda x: weft.sum(linalg.inv(x))), way)(SINGULAR)


def test_the_message_names_the_matrix_and_the_line():
    @weft.jit
    def function(x):
        y = x + 0
        return linalg.cholesky(y)  # this line

    with pytest.raises(weft.LinAlgError, match="matrix 1 of 3") as caught:
        function(np.stack([GOOD, INDEFINITE, INDEFINITE]))
    lines = Path(__file__).read_text().splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if text.endswith("# this line"))
    assert str(caught.value).startswith(f"{caught.value.position}: ")
    assert caught.value.position.endswith(f"test_library.py:{line}")


def test_a_call_after_a_failure():
    function = weft.jit(linalg.inv)
    with pytest.raises(weft.LinAlgError):
        function(SINGULAR)
    np.testing.assert_allclose(np.asarray(function(GOOD)), np.linalg.inv(GOOD))


def test_what_is_not_finite_but_no_failure():
    for function in (linalg.inv, linalg.det, lambda x: linalg.cholesky(x)[0, 0]):
        for run in (function, weft.jit(function)):
            assert np.isnan(np.asarray(run(NAN))).all()
    for run in (linalg.qr, weft.jit(linalg.qr)):
        assert np.isnan(np.asarray(run(NAN).R)).any()


@ways
def test_determinants_of_singular_matrices(way):
    for x in (SINGULAR, np.zeros((3, 3))):
        assert float(call(linalg.det, way)(x)) == 0
        sign, size = call(linalg.slogdet, way)(x)
        assert (float(sign), float(size)) == (0, -np.inf)


def test_threads():
    function = weft.jit(lambda x: linalg.inv(x) @ linalg.cholesky(x @ x.mT))
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(20, 8, 8)) + 4 * np.eye(8) for _ in range(4)]
    inputs[2][7] = 0
    outcomes = [[] for _ in inputs]

    def work(i):
        for _ in range(20):
            try:
                outcomes[i].append(np.array(function(inputs[i])))
            except weft.LinAlgError as error:
                outcomes[i].append(str(error))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, (x, results) in enumerate(zip(inputs, outcomes, strict=True)):
        assert len(results) == 20
        if i == 2:
            assert all("matrix 7 of 20" in result for result in results)
            continue
        want = np.linalg.inv(x) @ np.linalg.cholesky(x @ np.swapaxes(x, -1, -2))
        for result in results:
            np.testing.assert_allclose(result, want, rtol=1e-8, atol=1e-8)


def test_scipy_is_imported_when_it_is_needed():
    program = """
import sys, weft, numpy as np
weft.jit(lambda x: x + 1)(np.ones(2))
assert not any(name.split(".")[0] == "scipy" for name in sys.modules)
weft.jit(weft.linalg.inv)(np.eye(2))
assert "scipy.linalg.cython_lapack" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_stages_run_again():
    lowered = weft.jit(linalg.inv).lower(GOOD)
    for stage in ("linalg", "memref", "llvm"):
        text = lowered.text(stage)
        assert "lu_f64" in text
        again = lowered.replace(stage, text).compile()
        np.testing.assert_allclose(np.asarray(again(GOOD)), np.linalg.inv(GOOD))
