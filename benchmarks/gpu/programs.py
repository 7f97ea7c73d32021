"""The programs of the bundle beside the table of ops: what is checked, what is timed.

Arguments are flat lists of arrays, and results tuples of them.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import weft
from weft import nn


@dataclass(frozen=True)
class Array:
    """How an argument is made: `kind` is `normal`, `quarters`, `labels` or `key`.

    Random numbers are multiplied by `scale`; labels are integers below it. Quarters
    are few numbers, whose sums of products are exact, and small in a file.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    kind: str = "normal"
    scale: float = 1.0

    @property
    def spec(self) -> weft.ShapeDtypeStruct:
        """The type alone."""
        return weft.ShapeDtypeStruct(self.shape, np.dtype(getattr(weft, self.dtype)))

    def drawn(self, seed: int) -> np.ndarray:
        """The array, on the host."""
        random = np.random.default_rng(seed)
        if self.kind == "labels":
            array = random.integers(0, int(self.scale), self.shape)
        elif self.kind == "key":
            array = np.asarray(random.integers(0, 2**63, self.shape))
        else:
            array = np.asarray(random.normal(size=self.shape) * self.scale)
        if self.kind == "quarters":
            array = np.round(array * 4) / 4
        if self.dtype.startswith("complex"):
            array = array + 1j * random.normal(size=self.shape) * self.scale
        return array.astype(self.spec.dtype)


@dataclass(frozen=True)
class Checked:
    """A program whose results are to be those of the CPU's code.

    `tolerance` is relative to the largest element of a result; 0 asks for equal bits.
    """

    function: Callable[..., Any]
    arguments: Sequence[Array]
    tolerance: float = 1e-5
    family: str = "programs"


@dataclass(frozen=True)
class Timed:
    """A program that is timed, and what its time is measured by.

    `moved` are the bytes that it must read and write, `operations` the floating-point
    operations of its products; `small` has calls timed on the host's clock too.
    """

    function: Callable[..., Any]
    arguments: Sequence[Array]
    moved: int = 0
    operations: int = 0
    small: bool = False


# ---- networks ----


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean loss of logits for classes."""
    picked = nn.log_softmax(logits) * nn.one_hot(labels, 10)
    return -weft.mean(weft.sum(picked, axis=1))


def mlp_loss(w1: Any, w2: Any, w3: Any, x: Any, labels: Any) -> Any:
    """A network of three dense layers."""
    hidden = nn.relu(nn.relu(x @ w1) @ w2)
    return cross_entropy(hidden @ w3, labels)


def conv(x: Any, w: Any, precision: Any = None) -> Any:
    """A convolution of NHWC images by an HWIO kernel, of the same size."""
    return weft.conv_general_dilated(
        x, w, 1, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=precision,
    )  # fmt: skip


def cnn_loss(k1: Any, k2: Any, w: Any, x: Any, labels: Any) -> Any:
    """A network of two convolutions and a dense layer."""
    hidden = nn.relu(conv(nn.relu(conv(x, k1)), k2))
    return cross_entropy(weft.reshape(hidden, (x.shape[0], -1)) @ w, labels)


def step_of(loss: Callable[..., Any]) -> Callable[..., Any]:
    """A step of gradient descent by a loss of three parameters."""

    def step(a: Any, b: Any, c: Any, x: Any, labels: Any) -> Any:
        grad = weft.value_and_grad(loss, argnums=(0, 1, 2))
        value, grads = grad(a, b, c, x, labels)
        rate = np.float32(0.1)
        moved = [p - rate * g for p, g in zip((a, b, c), grads, strict=True)]
        return (*moved, value)

    return step


def mlp_arguments(batch: int, width: int) -> list[Array]:
    """Parameters, images and labels for `mlp_loss`."""
    return [
        Array((784, width), scale=0.05),
        Array((width, width), scale=0.05),
        Array((width, 10), scale=0.05),
        Array((batch, 784)),
        Array((batch,), "int64", "labels", 10),
    ]


def cnn_arguments(batch: int, size: int, channels: int) -> list[Array]:
    """Parameters, images and labels for `cnn_loss`."""
    return [
        Array((3, 3, 1, channels), scale=0.3),
        Array((3, 3, channels, channels), scale=0.1),
        Array((size * size * channels, 10), scale=0.02),
        Array((batch, size, size, 1)),
        Array((batch,), "int64", "labels", 10),
    ]


def attention(q: Any, k: Any, v: Any) -> Any:
    """Attention of heads, as plain ops."""
    scale = q.dtype.type(q.shape[-1] ** -0.5)
    scores = weft.matmul(q, weft.swapaxes(k, -1, -2)) * scale
    return weft.matmul(nn.softmax(scores), v)


def layer_norm(x: Any, scale: Any, bias: Any) -> Any:
    """Rows of mean 0 and variance 1, times a scale, plus a bias."""
    return nn.standardize(x, -1) * scale + bias


# ---- control flow ----


def collatz(n: Any) -> Any:
    """Steps until one is reached, of a number."""

    def body(state: Any) -> Any:
        n, count = state
        return weft.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1

    return weft.while_loop(lambda s: s[0] != 1, body, (n, weft.zeros((), "int64")))


def halved(x: Any) -> Any:
    """A while loop over an array, until it is small."""
    return weft.while_loop(
        lambda y: weft.max(weft.abs(y)) > 1, lambda y: y * np.float32(0.5), x
    )


def repeated(x: Any, times: int) -> Any:
    """Many small steps."""
    step = np.float32(0.999)
    return weft.fori_loop(0, times, lambda i, y: weft.sin(y) * step, x)


def counted(x: Any, times: int) -> Any:
    """Many small steps, whose number is found out on the device."""
    return weft.while_loop(
        lambda s: s[0] < times,
        lambda s: (s[0] + 1, s[1] * np.float32(0.999)),
        (weft.zeros((), "int64"), x),
    )


def cumulated(x: Any) -> Any:
    """A scan over rows."""

    def body(carry: Any, row: Any) -> Any:
        carry = weft.tanh(carry + row)
        return carry, carry * row

    return weft.scan(body, weft.zeros(x.shape[1:], "float32"), x)


def chosen(x: Any) -> Any:
    """One of two functions."""
    return weft.cond(weft.sum(x) > 0, lambda y: y * y, lambda y: -y, x)


def slope(x: Any) -> Any:
    """The derivative of a loop."""
    return weft.grad(lambda y: weft.sum(repeated(y, 5)))(x)


def slope_of_scan(x: Any) -> Any:
    """The derivative of a scan."""
    return weft.grad(lambda y: weft.sum(cumulated(y)[1]))(x)


def _randoms() -> dict[str, Checked]:
    key, shape = Array((), "uint64", "key"), (1000,)
    random = weft.random
    made: dict[str, tuple[Callable[..., Any], float]] = {
        "bits32": (lambda k: random.bits(k, shape), 0),
        "bits64": (lambda k: random.bits(k, shape, weft.uint64), 0),
        "bits8": (lambda k: random.bits(k, shape, weft.uint8), 0),
        "uniform": (lambda k: random.uniform(k, shape), 0),
        "randint": (lambda k: random.randint(k, shape, 0, 1000), 0),
        "bernoulli": (lambda k: random.bernoulli(k, 0.3, shape), 0),
        "split": (lambda k: random.split(k, 7), 0),
        "permutation": (lambda k: random.permutation(k, 257), 0),
        "normal": (lambda k: random.normal(k, shape), 1e-6),
        "exponential": (lambda k: random.exponential(k, shape), 1e-6),
    }
    return {
        f"random_{name}": Checked(function, [key], tolerance, "random")
        for name, (function, tolerance) in made.items()
    }


def _loops() -> dict[str, Checked]:
    x = Array((33, 70))
    return {
        f"control_{name}": Checked(function, arguments, tolerance, "control flow")
        for name, function, arguments, tolerance in (
            ("collatz", collatz, [Array((), "int64", "labels", 1000)], 0),
            ("while", halved, [Array((100,), scale=100)], 0),
            ("fori", lambda x: repeated(x, 50), [x], 1e-5),
            ("many_steps", lambda x: repeated(x, 600), [x], 1e-4),
            ("scan", cumulated, [x], 1e-5),
            ("cond", chosen, [x], 0),
            ("grad_of_loop", slope, [x], 1e-5),
            ("grad_of_scan", slope_of_scan, [x], 1e-4),
        )
    }


def _layers() -> dict[str, Checked]:
    rows = {
        "softmax": nn.softmax,
        "logsumexp": lambda x: nn.logsumexp(x, -1),
        "standardize": nn.standardize,
        "row_sum": lambda x: weft.sum(x, axis=1),
        "column_sum": lambda x: weft.sum(x, axis=0),
        "sum": weft.sum,
        "argmax": lambda x: weft.argmax(x, axis=1),
        "transpose": lambda x: weft.transpose(x) + np.float32(1),
        "gelu": nn.gelu,
    }
    shapes = (
        ("small", (5, 7)), ("odd", (130, 257)), ("wide", (3, 9000)),
        ("tall", (3000, 33)),
    )  # fmt: skip
    return {
        f"{name}_{size}": Checked(function, [Array(shape)], 1e-5, "rows")
        for name, function in rows.items()
        for size, shape in shapes
    }


def _sorts() -> dict[str, Checked]:
    functions = {
        "sort": weft.sort,
        "sort_down": lambda x: weft.sort(x, descending=True),
        "argsort": weft.argsort,
        "argsort_columns": lambda x: weft.argsort(x, 0),
    }
    return {
        f"{name}_{size}": Checked(function, [Array(shape, scale=scale)], 0, "sorting")
        for name, function in functions.items()
        for size, shape, scale in (
            ("short", (500, 7), 1.0), ("rows", (30, 1000), 1e-42),
            ("long", (2, 30000), 1.0),
        )
    }  # fmt: skip


def embedding_gradient(rows: int) -> Callable[..., Any]:
    """The derivative of taking rows of a table of so many."""
    return lambda i, ct: weft.zeros((rows, *ct.shape[1:]), ct.dtype).at[i].add(ct)


def embedding_arguments(count: int, rows: int, width: int) -> list[Array]:
    """Which rows were taken, and what their derivatives are."""
    return [Array((count,), "int64", "labels", rows), Array((count, width))]


def segment_sums(segments: int) -> Callable[..., Any]:
    """The sums of the elements of each of so many labels."""
    return lambda i, x: weft.zeros(segments, x.dtype).at[i].add(x)


def segment_arguments(count: int, segments: int) -> list[Array]:
    """Labels, and elements that have them."""
    return [Array((count,), "int64", "labels", segments), Array((count,))]


def _scatters() -> dict[str, Checked]:
    modes = ("set", "add", "multiply", "max")
    x, y = Array((500, 33)), Array((300, 33))
    at = Array((300,), "int64", "labels", 600)
    programs = {
        f"scatter_{mode}": (lambda x, i, y, mode=mode: getattr(x.at[i], mode)(y),
                            [x, at, y])
        for mode in modes
    } | {
        "scatter_few": (embedding_gradient(500), embedding_arguments(20, 500, 64)),
        "scatter_many": (embedding_gradient(700), embedding_arguments(9000, 700, 40)),
        "segment_sums": (segment_sums(1000), segment_arguments(50000, 1000)),
    }  # fmt: skip
    return {
        name: Checked(function, arguments, 0, "scatters")
        for name, (function, arguments) in programs.items()
    }


def _scans() -> dict[str, Checked]:
    functions = {
        "cumsum": weft.cumsum,
        "cumsum_back": lambda x, axis: weft.cumsum(x, axis, reverse=True),
        "cumlogsumexp": weft.cumlogsumexp,
        "cummax": weft.cummax,
    }
    return {
        f"{name}_{size}": Checked(
            lambda x, function=function, axis=axis: function(x, axis),
            [Array(shape)], 3e-5, "running values",
        )
        for name, function in functions.items()
        for size, shape, axis in (
            ("rows", (70, 900), 1), ("columns", (900, 70), 0),
            ("row", (100000,), 0), ("few_columns", (30000, 3), 0),
        )
    }  # fmt: skip


PRODUCTS = (
    (64, 64, 64), (128, 256, 64), (100, 100, 100), (1, 300, 77), (257, 129, 65),
    (384, 512, 256), (600, 520, 264),
)  # fmt: skip


def quarters(dtype: str, *shape: int) -> Array:
    """An operand of a product."""
    return Array(shape, dtype, "quarters")


def _products() -> dict[str, Checked]:
    checked = {}
    for dtype, tolerance in (
        ("float32", 1e-5), ("float16", 2e-3), ("bfloat16", 1e-2), ("float64", 1e-12),
    ):  # fmt: skip
        for m, n, k in PRODUCTS[: 5 if dtype == "float64" else None]:
            name = f"{dtype}_{m}x{n}x{k}"
            a, b = quarters(dtype, m, k), quarters(dtype, k, n)
            checked[f"matmul_{name}"] = Checked(
                weft.matmul, [a, b], tolerance, "products"
            )
            checked[f"matmul_nt_{name}"] = Checked(
                lambda a, b: weft.matmul(a, b.T), [a, quarters(dtype, n, k)],
                tolerance, "products",
            )  # fmt: skip
            checked[f"dense_{name}"] = Checked(
                lambda a, b, c: nn.gelu(weft.matmul(a, b) + c),
                [a, b, quarters(dtype, n)], tolerance, "products",
            )  # fmt: skip
        if dtype == "float32":
            for m, n, k in PRODUCTS:
                checked[f"matmul_tf32_{m}x{n}x{k}"] = Checked(
                    lambda a, b: weft.matmul(a, b, precision="tf32"),
                    [quarters(dtype, m, k), quarters(dtype, k, n)],
                    tolerance, "products",
                )  # fmt: skip
        checked[f"batched_{dtype}"] = Checked(
            weft.matmul, [Array((4, 65, 96), dtype), Array((4, 96, 40), dtype)],
            tolerance, "products",
        )  # fmt: skip
    return checked


def checked() -> dict[str, Checked]:
    """What is checked, by name."""
    x = Array((2, 14, 14, 16))
    narrow = Array((2, 14, 14, 16), "bfloat16")
    heads, narrow_heads = Array((2, 96, 64)), Array((2, 96, 64), "bfloat16")
    networks = {
        "conv_float32": Checked(conv, [x, Array((3, 3, 16, 24))]),
        "conv_bfloat16": Checked(
            conv, [narrow, Array((3, 3, 16, 24), "bfloat16")], 1e-2
        ),
        "attention_float32": Checked(attention, [heads] * 3),
        "attention_bfloat16": Checked(attention, [narrow_heads] * 3, 2e-2),
        "layer_norm": Checked(
            layer_norm, [Array((64, 512)), Array((512,)), Array((512,))]
        ),
        "mlp_step": Checked(step_of(mlp_loss), mlp_arguments(32, 64), 1e-4),
        "cnn_step": Checked(step_of(cnn_loss), cnn_arguments(4, 12, 8), 1e-4),
    }
    return {
        **_layers(),
        **_products(),
        **networks,
        **_loops(),
        **_randoms(),
        **_sorts(),
        **_scatters(),
        **_scans(),
    }


# ---- what is timed ----

M = 2**20


def _rows_timed() -> dict[str, Timed]:
    timed = {}
    for n, m in ((16384, 1024), (4096, 8192)):
        x, row, size = Array((n, m)), Array((m,)), 4 * n * m
        timed[f"softmax {n}x{m}"] = Timed(nn.softmax, [x], 2 * size)
        timed[f"layernorm {n}x{m}"] = Timed(layer_norm, [x, row, row], 2 * size)
        timed[f"logsumexp {n}x{m}"] = Timed(lambda x: nn.logsumexp(x, -1), [x], size)
    x, size = Array((16384, 4096)), 4 * 16384 * 4096
    timed["row sum 16384x4096"] = Timed(lambda x: weft.sum(x, axis=1), [x], size)
    timed["column sum 16384x4096"] = Timed(lambda x: weft.sum(x, axis=0), [x], size)
    timed["sum 64M"] = Timed(weft.sum, [Array((64 * M,))], 4 * 64 * M)
    timed["transpose 8192"] = Timed(
        lambda x: weft.transpose(x), [Array((8192, 8192))], 8 * 8192**2
    )
    return timed


def _products_timed() -> dict[str, Timed]:
    timed = {}
    for dtype, sizes in (
        ("float32", (2048, 4096)), ("float64", (4096,)), ("bfloat16", (4096, 8192)),
    ):  # fmt: skip
        for n in sizes:
            operands = [Array((n, n), dtype)] * 2
            timed[f"matmul {dtype} {n}"] = Timed(
                weft.matmul, operands, operations=2 * n**3
            )
    timed["matmul tf32 4096"] = Timed(
        lambda a, b: weft.matmul(a, b, precision="tf32"),
        [Array((4096, 4096), "float32")] * 2, operations=2 * 4096**3,
    )  # fmt: skip
    timed["matmul nt tf32 4096"] = Timed(
        lambda a, b: weft.matmul(a, b.T, precision="tf32"),
        [Array((4096, 4096), "float32")] * 2, operations=2 * 4096**3,
    )  # fmt: skip
    m, n, k = 4000, 3000, 1000
    timed["matmul bfloat16 4000x3000x1000"] = Timed(
        weft.matmul, [Array((m, k), "bfloat16"), Array((k, n), "bfloat16")],
        operations=2 * m * n * k,
    )  # fmt: skip
    timed["matmul nt bfloat16 1000x1001x1000"] = Timed(
        lambda a, b: weft.matmul(a, b.T),
        [Array((1000, 1000), "bfloat16"), Array((1001, 1000), "bfloat16")],
        operations=2 * 1000 * 1001 * 1000,
    )
    timed["dense gelu bfloat16 4096"] = Timed(
        lambda a, b, c: nn.gelu(weft.matmul(a, b) + c),
        [Array((4096, 4096), "bfloat16", scale=0.125)] * 2
        + [Array((4096,), "bfloat16")],
        operations=2 * 4096**3,
    )
    timed["conv 3x3 tf32"] = Timed(
        lambda x, w: conv(x, w, "tf32"),
        [Array((32, 56, 56, 64)), Array((3, 3, 64, 64))],
        operations=2 * 32 * 56 * 56 * 64 * 64 * 9,
    )  # fmt: skip
    for dtype in ("float32", "bfloat16"):
        timed[f"conv 3x3 {dtype}"] = Timed(
            conv, [Array((32, 56, 56, 64), dtype), Array((3, 3, 64, 64), dtype)],
            operations=2 * 32 * 56 * 56 * 64 * 64 * 9,
        )  # fmt: skip
        timed[f"attention 8x1024x64 {dtype}"] = Timed(
            attention, [Array((8, 1024, 64), dtype)] * 3,
            operations=4 * 8 * 1024 * 1024 * 64,
        )  # fmt: skip
    return timed


def _sorts_timed() -> dict[str, Timed]:
    return {
        f"{name} {size}": Timed(function, [Array(shape)], moved * M)
        for size, shape in (("1M", (M,)), ("1024x1024", (1024, 1024)))
        for name, function, moved in (
            ("sort", weft.sort, 8), ("argsort", weft.argsort, 12),
        )
    }  # fmt: skip


def _scans_timed() -> dict[str, Timed]:
    return {
        f"cumsum {size}": Timed(
            lambda x, axis=axis: weft.cumsum(x, axis), [Array(shape)], moved * M
        )
        for size, shape, axis, moved in (
            ("64M", (64 * M,), 0, 512), ("16384x1024", (16384, 1024), 1, 128),
            ("columns 1024x16384", (1024, 16384), 0, 128),
        )
    }  # fmt: skip


def _scatters_timed() -> dict[str, Timed]:
    rows, width = 50257, 768
    return {
        "embedding gradient 8192x768": Timed(
            embedding_gradient(rows), embedding_arguments(8192, rows, width),
            4 * width * (rows + 8192),
        ),
        "segment sums 1M of 64K": Timed(
            segment_sums(65536), segment_arguments(M, 65536), 12 * M
        ),
        "segment sums 1M of 256": Timed(
            segment_sums(256), segment_arguments(M, 256), 12 * M
        ),
    }  # fmt: skip


def timed() -> dict[str, Timed]:
    """What is timed, by name; `peers.py` has the same for PyTorch."""
    flat = Array((64 * M,))
    return {
        "add 64M": Timed(weft.add, [flat, flat], 12 * 64 * M),
        "gelu chain 64M": Timed(
            lambda x: nn.gelu(nn.gelu(x) * np.float32(1.5)), [flat], 8 * 64 * M
        ),
        "bias tanh 16384x4096": Timed(
            lambda x, b: weft.tanh(x + b), [Array((16384, 4096)), Array((4096,))],
            8 * 16384 * 4096,
        ),
        **_rows_timed(),
        **_products_timed(),
        **_sorts_timed(),
        **_scatters_timed(),
        **_scans_timed(),
        "mlp step 512": Timed(step_of(mlp_loss), mlp_arguments(512, 1024)),
        "cnn step 128": Timed(step_of(cnn_loss), cnn_arguments(128, 28, 32)),
        "random bits 64M": Timed(
            lambda k: weft.random.bits(k, (64 * M,)), [Array((), "uint64", "key")],
            4 * 64 * M,
        ),
        "x + 1, 1024": Timed(
            lambda x: x + np.float32(1), [Array((1024,))], small=True
        ),
        "fori_loop 1000": Timed(
            lambda x: repeated(x, 1000), [Array((1024,))], small=True
        ),
        "while_loop 1000": Timed(
            lambda x: counted(x, 1000)[1], [Array((1024,))], small=True
        ),
    }  # fmt: skip
