"""Schedules: values, and mistakes told at the schedule's line."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import subprocess
from pathlib import Path

import numpy as np
import pytest

import weft

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).parent.parent.parent
HANDLE = "(!transform.any_op) -> !transform.any_op"
PAIR = "(!transform.any_op) -> (!transform.any_op, !transform.any_op)"


def sequence(body: str, name: str = "linalg") -> str:
    return (
        f"transform.named_sequence @{name}(%p: !transform.any_op"
        f" {{transform.readonly}}) {{\n{body}\n  transform.yield\n}}\n"
    )


TILE = f"transform.structured.tile_using_for %m tile_sizes [8] : {PAIR}"
SHARE = f"transform.structured.tile_using_forall %m tile_sizes [16] : {PAIR}"
MATCH = f'%m = transform.structured.match ops{{["linalg.generic"]}} in %p : {HANDLE}\n'
TANH = f'%t = transform.structured.match attributes {{weft.op = "tanh"}} in %p : {HANDLE}\n'  # noqa: E501
SCHEDULES = {
    "fused into shared tiles": sequence(
        TANH + "%a, %b = transform.structured.fuse %t tile_sizes [16, 32]"
        f" {{use_forall}} : {PAIR}"
    ),
    "tiled": sequence(MATCH + f"%a, %b = {TILE}"),
    "vectors": sequence(
        MATCH + "transform.structured.vectorize %m : !transform.any_op"
    ),
    "buffers": sequence(
        MATCH + f"%a, %b = {SHARE}",
        "memref",
    ),
    "unrolled": sequence(
        f'%l = transform.structured.match ops{{["scf.for"]}} in %p : {HANDLE}\n'
        "transform.loop.unroll %l {factor = 2} : !transform.any_op",
        "loops",
    ),
}


def layer(x: weft.Array, w: weft.Array) -> weft.Array:
    return weft.tanh(x @ w)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("shape", [(32, 24, 64), (19, 7, 45)])
def test_values(name: str, shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    rng = np.random.default_rng(0)
    x = rng.normal(size=(m, k)).astype(np.float32)
    w = rng.normal(size=(k, n)).astype(np.float32)
    scheduled = weft.jit(layer, schedule=SCHEDULES[name])
    before = weft.get_num_threads()
    try:
        for threads in (1, 2, 7):
            weft.set_num_threads(threads)
            np.testing.assert_allclose(
                np.asarray(scheduled(x, w)), np.tanh(x @ w), rtol=1e-4, atol=1e-5
            )
    finally:
        weft.set_num_threads(before)


def test_weft_opt_does_the_same(tmp_path: Path) -> None:
    x = weft.ones((32, 32))
    lowered = weft.jit(layer).lower(x, x)
    lowered = lowered.schedule(SCHEDULES["fused into shared tiles"])
    path = tmp_path / "layer.mlir"
    path.write_text(lowered.text("expanded", locations=False))
    done = subprocess.run(
        [ROOT / "build" / "bin" / "weft-opt", "--weft-to-linalg", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "scf.forall" in done.stdout
    assert done.stdout.strip() == lowered.text("linalg", locations=False).strip()


def test_error_begins_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tiles.mlir"
    path.write_text(SCHEDULES["tiled"].replace("[8]", "[-8]"))
    x = weft.ones((8, 8))
    with pytest.raises(
        weft.CompileError, match=r"^\S*tiles\.mlir:\d+: .*@linalg failed"
    ):
        weft.jit(layer, schedule=path)(x, x)


@pytest.mark.parametrize("function", [layer, lambda x, w: x @ w])
def test_tiles_of_a_gpu_must_divide(function) -> None:
    """Of a smaller last tile the shapes are known when it runs only."""
    rows = f"transform.structured.tile_using_for %m tile_sizes [5] : {PAIR}"
    schedule = sequence(MATCH + f"%a, %b = {rows}", "fused")
    w = weft.ones((8, 8))
    for x in (weft.ones((10, 8)), weft.ones((12, 8))):
        for device in ("cpu", "cuda-sim"):
            f = weft.jit(function, schedule=schedule)
            if device == "cuda-sim" and x.shape[0] == 12:
                with pytest.raises(weft.CompileError, match="tiles must divide"):
                    f(x.to(device), w.to(device))
                continue
            np.testing.assert_allclose(
                np.asarray(f(x.to(device), w.to(device))),
                np.asarray(function(x, w)),
                atol=1e-5,
            )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (sequence("", "vectors"), "@vectors would never run"),
        (sequence("", "expanded"), "@expanded would never run"),
        ("transform.named_sequence @linalg(", "the schedule is not valid"),
        ("// named_sequence", "has no sequence"),
        ("tiles.mlir", "pass a pathlib.Path"),
        (Path("/nowhere/tiles.mlir"), "is not read"),
        (12, "not a int"),
        (
            "transform.named_sequence @linalg() { transform.yield }",
            "must have a body, one argument",
        ),
        (
            sequence(
                MATCH + f"%a, %b = {TILE}"
                "\ntransform.structured.vectorize %m : !transform.any_op"
            ),
            "invalidated",
        ),
        *(
            (
                sequence(
                    MATCH + "%a, %b = transform.structured.tile_using_forall %m "
                    f"{sizes} : {PAIR}"
                ),
                "it says no loop",
            )
            for sizes in ("tile_sizes [0, 0]", "num_threads [2, -1]")
        ),
    ],
)
def test_nonsense(text: str, message: str) -> None:
    x = weft.ones((8, 8))
    with pytest.raises(weft.WeftError, match=message):
        weft.jit(layer, schedule=text)(x, x)
