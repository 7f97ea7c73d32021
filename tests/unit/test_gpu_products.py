"""Kernels that sum products up, as a GPU runs them: on its emulator."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from mlir import ir

from weft import _weft
from weft.cuda.simulator import Simulator

pytestmark = pytest.mark.thorough

DTYPES: dict[str, Any] = {"bf16": ml_dtypes.bfloat16, "f16": np.float16}
DTYPES |= {"f32": np.float32, "f64": np.float64, "i8": np.int8, "i16": np.int16}
DTYPES |= {"i32": np.int32, "i64": np.int64}

PIPELINE = """gpu.module(
  weft-lower-tiled-products, canonicalize, cse, expand-strided-metadata, lower-affine,
  convert-scf-to-cf, convert-gpu-to-nvvm{use-bare-ptr-memref-call-conv=1},
  canonicalize, cse, reconcile-unrealized-casts)"""

BIAS = "%r = arith.addf %s, %e : f32"
NARROW = "%r = arith.truncf %s : f32 to bf16"
RECTIFY = "%z = arith.constant 0.0 : f32 %r = arith.maximumf %s, %z : f32"


@dataclass(frozen=True)
class Product:
    """A sum of products: its loops, and where its operands are at each step of them.

    The loops that are in no place of the result are summed over. An epilogue is the
    body of a linalg.generic: of the sums `%s`, and of `%e`, which has an element for
    each of the last dimension; it gives `%r` of type `result` at last.
    """

    loops: dict[str, int]
    places: tuple[str, str, str]
    factor: str = "f32"
    sum: str = "f32"
    epilogues: tuple[str, ...] = ()
    result: str | None = None
    start: str | None = "0"
    reorder: bool = True
    precision: str | None = None
    multiprocessors: int = 132
    chip: str = "sm_90a"

    def extents(self, operand: int) -> tuple[int, ...]:
        """The shape of an operand: as large as it is read."""
        last = {name: extent - 1 for name, extent in self.loops.items()}
        return tuple(eval(place, {}, last) + 1 for place in self.exprs(operand))

    def exprs(self, operand: int) -> list[str]:
        return [place for place in self.places[operand].split(", ") if place]

    def type(self, operand: int, element: str) -> str:
        return f"memref<{''.join(f'{n}x' for n in self.extents(operand))}{element}>"

    def summed(self) -> tuple[int, ...]:
        return tuple(
            axis
            for axis, name in enumerate(self.loops)
            if not re.search(rf"\b{name}\b", self.places[2])
        )


def widening(product: Product, name: str) -> str:
    """The ops that make `%name_w` of `%name`."""
    kind = "extf" if product.sum.startswith("f") else "extsi"
    narrow, wide = product.factor, product.sum
    if narrow == wide:
        return ""
    return f"%{name}_w = arith.{kind} %{name} : {narrow} to {wide}\n"


def body(product: Product) -> str:
    is_float = product.sum.startswith("f")
    kind, flags = ("f", "fastmath<reassoc,contract>") if is_float else ("i", "")
    flags = flags if product.reorder else ""
    suffix = "" if product.factor == product.sum else "_w"
    rounding = (
        f'{{weft.precision = "{product.precision}"}}' if product.precision else ""
    )
    return f"""
      ^bb0(%a: {product.factor}, %b: {product.factor}, %s: {product.sum}):
      {widening(product, "a")} {widening(product, "b")}
      %p = arith.mul{kind} %a{suffix}, %b{suffix} {flags} {rounding} : {product.sum}
      %t = arith.add{kind} %s, %p {flags} : {product.sum}
      linalg.yield %t : {product.sum}"""


def epilogue(product: Product, number: int) -> str:
    """An epilogue in place, or, where it changes the type, to another buffer."""
    text, rank = product.epilogues[number], len(product.exprs(2))
    dims = ", ".join(f"d{i}" for i in range(rank))
    whole = f"affine_map<({dims}) -> ({dims})>"
    last = f"affine_map<({dims}) -> (d{rank - 1})>"
    sums = product.type(2, product.sum)
    bias = f"memref<{product.extents(2)[-1]}xf32>"
    ins, maps, arguments = [("%bias", bias)], [last], "%e: f32, "
    out, element = ("%C", sums), product.sum
    if product.result and number + 1 == len(product.epilogues):
        ins, maps = [*ins, ("%C", sums)], [*maps, whole]
        element, out = product.result, ("%R", product.type(2, product.result))
        arguments += f"%s: {product.sum}, %o: {element}"
    else:
        arguments += f"%s: {product.sum}"
    kinds = ", ".join(['"parallel"'] * rank)
    return f"""
      linalg.generic {{indexing_maps = [{", ".join([*maps, whole])}],
                       iterator_types = [{kinds}]}}
        ins({", ".join(n for n, _ in ins)} : {", ".join(t for _, t in ins)})
        outs({out[0]} : {out[1]}) attrs = {{weft.epilogue}} {{
      ^bb0({arguments}):
        {text}
        linalg.yield %r : {element}
      }}"""


def kernels(product: Product) -> str:
    """The text of a module at stage `kernels`."""
    loops = ", ".join(product.loops)
    maps = ", ".join(f"affine_map<({loops}) -> ({p})>" for p in product.places)
    kinds = ", ".join(
        '"reduction"' if axis in product.summed() else '"parallel"'
        for axis in range(len(product.loops))
    )
    a, b = product.type(0, product.factor), product.type(1, product.factor)
    c, r = product.type(2, product.sum), product.type(2, product.result or "f32")
    last = (*product.extents(2), 1)[len(product.exprs(2)) - 1]
    zero = "0.0" if product.sum.startswith("f") else "0"
    fill = f"""%start = arith.constant {zero} : {product.sum}
      linalg.fill ins(%start : {product.sum}) outs(%C : {c})"""
    return f"""
    module attributes {{weft.gpu = {{chip = "{product.chip}",
        multiprocessors = {product.multiprocessors} : i64}}}} {{
      gpu.module @kernels {{
        gpu.func @f(%A: {a}, %B: {b}, %C: {c}, %bias: memref<{last}xf32>, %R: {r})
            kernel attributes {{weft.class = "product"}} {{
          {fill if product.start is not None else ""}
          linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
              ins(%A, %B : {a}, {b}) outs(%C : {c}) {{ {body(product)} }}
          {"".join(epilogue(product, i) for i in range(len(product.epilogues)))}
          gpu.return
        }}
      }}
    }}"""


def drawn(shape: tuple[int, ...], element: str) -> np.ndarray:
    """Small whole numbers, of which all products and sums are exact."""
    random = np.random.default_rng([*shape, 7])
    return random.integers(-4, 5, shape).astype(DTYPES[element])


def expected(
    product: Product, a: np.ndarray, b: np.ndarray, c: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """What the kernel computes, in float64 or int64."""
    wide = np.float64 if product.sum.startswith("f") else np.int64
    shape = tuple(product.loops.values())
    at = dict(zip(product.loops, np.ogrid[tuple(slice(n) for n in shape)], strict=True))

    def read(array: np.ndarray, operand: int) -> np.ndarray:
        places = tuple(eval(place, {}, at) for place in product.exprs(operand))
        return np.broadcast_to(array.astype(wide)[places], shape)

    total = (read(a, 0) * read(b, 1)).sum(axis=product.summed())
    names = [n for i, n in enumerate(product.loops) if i not in product.summed()]
    total = total.transpose([names.index(name) for name in product.exprs(2)])
    total = total + (c if product.start is None else 0)
    for text in product.epilogues:
        total = {BIAS: total + bias, RECTIFY: np.maximum(total, 0)}.get(text, total)
    return total


def run(product: Product, schedules: int = 3) -> tuple[np.ndarray, np.ndarray, str]:
    """What the emulator computes, what is right, and the text at stage `nvvm`."""
    with ir.Context() as context:
        _weft.register_dialects(context)
        module = ir.Module.parse(kernels(product))
        _weft.run_pipeline(module, PIPELINE)
        text = str(module)
    a, b = (drawn(product.extents(i), product.factor) for i in (0, 1))
    c = drawn(product.extents(2), product.sum)
    bias = drawn((*product.extents(2), 1)[len(product.exprs(2)) - 1 :][:1], "f32")
    result = np.empty(product.extents(2), DTYPES[product.result or "f32"])
    device = Simulator(schedules=schedules)
    buffers = [a, b, c, bias, result]
    pointers = [device.allocate(max(array.nbytes, 1)) for array in buffers]
    for pointer, array, is_read in zip(
        pointers, buffers, (True, True, product.start is None, True, False), strict=True
    ):
        if is_read:
            device.write(pointer, array)
    grid, block = (
        [int(n) for n in re.findall(r"\d+", text.split(f"{name} = array<i32:")[1])[:3]]
        for name in ("known_grid_size", "known_block_size")
    )
    shared = re.search(r"weft.shared_bytes = (\d+)", text)
    want = expected(product, a, b, c, bias)
    device.launch(
        device.load(text),
        "f",
        (grid[0], grid[1], grid[2]),
        (block[0], block[1], block[2]),
        int(shared.group(1)) if shared else 0,
        pointers,
    )
    got = result if product.result else c
    device.read(pointers[4 if product.result else 2], got)
    return got, want, text


def matmul(m: int, n: int, k: int, layout: str = "nnn", **options: Any) -> Product:
    """A matrix product; `t` for what is transposed of the factors and the result."""
    places = (("k, m", "m, k"), ("n, k", "k, n"), ("n, m", "m, n"))
    a, b, c = (
        pair[0 if letter == "t" else 1]
        for pair, letter in zip(places, layout, strict=True)
    )
    return Product({"m": m, "k": k, "n": n}, (a, b, c), **options)


NHWC = ("b, y*2 + p, x*2 + q, c", "p, q, c, o", "b, y, x, o")
NCHW = ("b, c, y + p, x + q", "o, c, p, q", "b, o, y, x")

PRODUCTS = {
    "thread tiles": matmul(33, 40, 29),
    "large thread tiles": matmul(130, 70, 20, multiprocessors=1),
    "aligned": matmul(64, 64, 32, "nnn", multiprocessors=1),
    "transposed": matmul(36, 20, 24, "ttt"),
    "second transposed": matmul(36, 20, 24, "ntn", multiprocessors=1),
    "first transposed": matmul(36, 20, 24, "tnn"),
    "warps share a sum": matmul(20, 24, 300, epilogues=(BIAS, RECTIFY)),
    "narrow result": matmul(20, 24, 30, epilogues=(BIAS, NARROW), result="bf16"),
    "added to memory": matmul(20, 24, 30, start=None, epilogues=(RECTIFY,)),
    "in order": matmul(9, 10, 30, reorder=False, epilogues=(BIAS,)),
    "f64": matmul(33, 20, 29, factor="f64", sum="f64"),
    "i8": matmul(33, 20, 29, factor="i8", sum="i8"),
    "i16": matmul(33, 20, 29, factor="i16", sum="i16", start=None),
    "i64": matmul(33, 20, 29, factor="i64", sum="i64"),
    "outer": matmul(10, 12, 1),
    "more threads than pieces": matmul(806, 16, 16, multiprocessors=4),
    "batch": Product(
        {"g": 3, "m": 20, "n": 9, "k": 17}, ("g, m, k", "g, k, n", "g, m, n")
    ),
    "heads": Product(
        {"b": 2, "h": 3, "q": 12, "k": 8, "d": 16},
        ("b, q, h, d", "b, k, h, d", "b, h, q, k"),
    ),
    "dot": Product({"k": 1000}, ("k", "k", "")),
    "dot of f64": Product({"k": 77}, ("k", "k", ""), "f64", "f64"),
    "matrix by vector": Product({"m": 20, "k": 260}, ("m, k", "k", "m")),
    "vector by matrix": Product({"k": 130, "n": 70}, ("k", "k, n", "n")),
    "thin": matmul(3, 40, 100, factor="bf16"),
    "convolution": Product(
        {"b": 2, "y": 3, "x": 4, "p": 3, "q": 3, "c": 8, "o": 20}, NHWC
    ),
    "ragged convolution": Product(
        {"b": 1, "y": 3, "x": 4, "p": 3, "q": 3, "c": 3, "o": 5},
        NHWC,
        epilogues=(BIAS,),
    ),
    "channels first": Product(
        {"b": 2, "o": 9, "y": 4, "c": 3, "p": 3, "q": 3, "x": 5}, NCHW
    ),
    "gradient of a window": Product(
        {"p": 3, "q": 3, "c": 5, "b": 2, "y": 4, "x": 3, "o": 12},
        ("b, p + y*2, q + x*2, c", "b, y, x, o", "p, q, c, o"),
    ),
    "depthwise": Product(
        {"b": 2, "y": 4, "x": 3, "c": 6, "p": 3, "q": 3},
        ("b, y + p, x + q, c", "p, q, c", "b, y, x, c"),
    ),
    "grouped": Product(
        {"b": 2, "y": 4, "x": 3, "g": 3, "p": 3, "q": 2, "c": 5, "o": 6},
        ("b, y + p, x + q, g, c", "p, q, c, g, o", "b, y, x, g, o"),
    ),
    "one dimension": Product(
        {"b": 2, "x": 20, "p": 3, "c": 7, "o": 6},
        ("b, x*2 + p*3, c", "p, c, o", "b, x, o"),
    ),
    "three dimensions": Product(
        {"b": 1, "z": 3, "y": 3, "x": 2, "r": 2, "p": 2, "q": 2, "c": 3, "o": 6},
        ("b, z + r, y + p, x + q, c", "r, p, q, c, o", "b, z, y, x, o"),
    ),
}

MATRICES = {
    "bf16": matmul(33, 40, 48, factor="bf16"),
    "f16": matmul(40, 24, 64, "ntn", factor="f16", epilogues=(BIAS,)),
    "transposed": matmul(40, 72, 64, "tnt", factor="bf16"),
    "large tiles": matmul(140, 136, 72, factor="bf16", multiprocessors=1),
    "odd": matmul(35, 37, 39, factor="bf16"),
    "even": matmul(34, 38, 42, "ttn", factor="bf16"),
    "warps share a sum": matmul(
        16, 24, 520, factor="bf16", epilogues=(NARROW,), result="bf16"
    ),
    "convolution": Product(
        {"b": 2, "y": 3, "x": 4, "p": 3, "q": 3, "c": 16, "o": 24}, NHWC, "bf16"
    ),
    "bytes": matmul(40, 24, 96, "ntn", factor="i8", sum="i32"),
    "bytes in rows": matmul(33, 20, 50, factor="i8", sum="i32"),
    "f64": matmul(36, 40, 48, factor="f64", sum="f64"),
    "f64 transposed": matmul(40, 24, 32, "ttt", factor="f64", sum="f64"),
    "f64 along sums": matmul(40, 24, 36, "ntn", factor="f64", sum="f64", start=None),
    "odd f64": matmul(35, 37, 39, factor="f64", sum="f64"),
    "large tiles of f64": matmul(
        140, 136, 20, factor="f64", sum="f64", multiprocessors=1
    ),
    "warps share a sum of f64": matmul(16, 24, 260, factor="f64", sum="f64"),
    "tf32": matmul(36, 40, 48, precision="tf32"),
    "tf32 transposed": matmul(40, 24, 32, "ttt", precision="tf32"),
    "tf32 along sums": matmul(40, 24, 64, "ntn", precision="tf32", epilogues=(BIAS,)),
    "large tiles of tf32": matmul(140, 136, 72, precision="tf32", multiprocessors=1),
    "odd tf32": matmul(35, 37, 39, precision="tf32"),
    "even tf32": matmul(34, 38, 42, "ttn", precision="tf32", start=None),
    "warps share a sum of tf32": matmul(
        16, 24, 520, precision="tf32", epilogues=(BIAS, NARROW), result="bf16"
    ),
    "convolution of tf32": Product(
        {"b": 2, "y": 3, "x": 4, "p": 3, "q": 3, "c": 16, "o": 24},
        NHWC,
        precision="tf32",
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_product(name: str) -> None:
    got, want, _ = run(PRODUCTS[name])
    assert np.array_equal(got.astype(want.dtype), want.astype(got.dtype))


@pytest.mark.parametrize("name", MATRICES)
def test_product_of_matrices(name: str) -> None:
    got, want, text = run(MATRICES[name])
    assert "nvvm.mma.sync" in text
    assert np.array_equal(got.astype(want.dtype), want.astype(got.dtype))


def test_older_chip_multiplies_in_threads() -> None:
    """Chips before sm_80 have no `cp.async`."""
    got, want, text = run(matmul(20, 24, 30, factor="bf16", chip="sm_75"))
    assert "nvvm.mma.sync" not in text
    assert np.array_equal(got, want)
