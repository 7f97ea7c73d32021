"""How much is done for speed: the same results at every level."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import weft
from weft import nn

pytestmark = pytest.mark.thorough
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(37, 64)).astype("float32")
W = RANDOM.normal(size=(64, 33)).astype("float32")
IMAGES = RANDOM.normal(size=(2, 9, 10, 8)).astype("float32")
KERNEL = RANDOM.normal(size=(3, 3, 8, 16)).astype("float32")
LEVELS = range(4)


def network(x: Any, w: Any) -> Any:
    return weft.sum(nn.softmax(nn.gelu(x @ w)) ** 2)


def steps(x: Any) -> Any:
    def step(carry: Any, row: Any) -> tuple[Any, Any]:
        carry = weft.tanh(carry + row)
        return carry, weft.sum(carry)

    return weft.scan(step, weft.zeros(x.shape[1]), x)


PROGRAMS: dict[str, tuple[Any, ...]] = {
    "elementwise": (lambda x: weft.exp(weft.sin(x)) * 2 + 1, X),
    "product": (lambda x, w: x @ w, X, W),
    "narrow": (
        lambda x, w: weft.astype(x, weft.bfloat16) @ weft.astype(w, weft.bfloat16),
        X, W,
    ),
    "network": (network, X, W),
    "gradients": (weft.grad(network, argnums=(0, 1)), X, W),
    "convolution": (lambda x, k: nn.relu(nn.conv(x, k)), IMAGES, KERNEL),
    "statistics": (lambda x: (weft.var(x, axis=0), nn.logsumexp(x, axis=1)), X),
    "order": (lambda x: (weft.sort(x, axis=1), weft.argmax(x, axis=0)), X),
    "scatter": (lambda x: x.at[weft.asarray([3, 1, 3])].add(x[:3]), X),
    "loop": (steps, X),
    "factors": (lambda x: weft.linalg.qr(x[:20, :20]), X),
}  # fmt: skip


def arrays(result: Any) -> list[np.ndarray]:
    leaves = result if isinstance(result, tuple | list) else (result,)
    return [np.asarray(x, "float64") for leaf in leaves for x in (
        leaf if isinstance(leaf, tuple) else (leaf,))]  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_values(name: str, level: int) -> None:
    function, *args = PROGRAMS[name]
    compiled = weft.jit(function, optimization_level=level)
    rough = name == "narrow"
    for got, want in zip(
        arrays(compiled(*args)), arrays(compiled.interpret(*args)), strict=True
    ):
        np.testing.assert_allclose(
            got, want, rtol=1e-2 if rough else 2e-4, atol=1e-1 if rough else 1e-5
        )


@pytest.mark.parametrize("level", LEVELS)
def test_values_on_an_emulated_gpu(level: int) -> None:
    args = [weft.asarray(x).to("cuda-sim") for x in (X, W)]
    got = weft.jit(network, optimization_level=level)(*args)
    np.testing.assert_allclose(np.asarray(got), weft.jit(network)(X, W), rtol=1e-5)


def kernels(level: int | None) -> int:
    lowered = weft.jit(network, optimization_level=level).lower(X, W)
    return lowered.text("loops").count("func.func private")


def test_what_the_levels_are() -> None:
    assert kernels(0) > kernels(1) == kernels(2) == kernels(3)
    sizes = [
        weft.jit(network, optimization_level=level).compile_report(X, W)
        for level in LEVELS
    ]
    steps = [{s.name: s.after for s in report.steps} for report in sizes]
    # LLVM leaves more instructions where it takes less time.
    assert steps[0]["optimize"] != steps[1]["optimize"] != steps[2]["optimize"]


def test_it_stands_in_the_text() -> None:
    lowered = weft.jit(network, optimization_level=0).lower(X, W)
    assert "weft.optimization_level = 0" in lowered.text()
    edited = lowered.text().replace("level = 0", "level = 1")
    assert lowered.replace("weft", edited).text("loops").count(
        "func private"
    ) == kernels(1)
    assert "weft.optimization_level" not in weft.jit(network).lower(X, W).text()


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_OPTIMIZATION_LEVEL", "0")
    assert kernels(None) == kernels(0)
    assert kernels(2) < kernels(0)
    program = weft.parse("func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {"
                         " return %x : tensor<2xf32> }")  # fmt: skip
    assert "weft.optimization_level = 0" in program.text()
    monkeypatch.setenv("WEFT_OPTIMIZATION_LEVEL", "fast")
    with pytest.raises(weft.ArgumentError, match=r"'fast'.*from 0 to 3"):
        kernels(None)


@pytest.mark.parametrize("level", [-1, 4, "2", 1.0, True])
def test_what_is_no_level(level: Any) -> None:
    with pytest.raises(weft.ArgumentError, match=r"^tests/.*from 0 to 3"):
        weft.jit(network, optimization_level=level)


def test_a_level_in_the_text_that_is_none() -> None:
    text = weft.jit(network, optimization_level=0).lower(X, W).text()
    program = weft.parse(text.replace("level = 0", "level = 12"))
    with pytest.raises(weft.CompileError, match="integer from 0 to 3"):
        program.compile()
