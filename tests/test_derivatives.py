"""Every derivative rule, backward and forward, against differences; ties.

To second order: reverse over reverse, and forward over reverse. Of complex numbers
both parts are moved; cotangents `ct` and movements `t` meet in Re(sum(ct * t)).
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import op_table
import weft
from op_table import ROWS
from records import Record, array_ops
from test_ops import Instance, family, indices, op_text
from weft.ops.parts import join
from weft.specs import ShapeDtypeStruct
from weft.tracer import evaluate

F32, F64 = np.dtype("float32"), np.dtype("float64")
C64, C128 = np.dtype("complex64"), np.dtype("complex128")
Narrower = dict[np.dtype[Any], np.dtype[Any]]
STEP = 1e-5
RTOL, ATOL = 1e-6, 1e-7
ELEMENTS = 5


# ---- instances ----


# Imaginary parts between which no op has a branch cut.
UPPER = (0.2, 0.9)


def _within(
    bounds: op_table.Interval, dtype: np.dtype[Any], random: np.random.Generator
) -> np.ndarray:
    if dtype.kind == "b":
        return random.random(ELEMENTS) < 0.5
    real = random.uniform(*bounds, ELEMENTS)
    return join(real, random.uniform(*UPPER, ELEMENTS)) if dtype == C128 else real


def _smooth(
    op: Record, dtype: np.dtype[Any], random: np.random.Generator
) -> list[Instance]:
    dtypes = op_table.operand_dtypes(op, dtype, len(op.operands))
    operands = tuple(
        _within(bounds, own, random)
        for own, bounds in zip(dtypes, ROWS[op.name].smooth, strict=True)
    )
    attributes = ROWS[op.name].attributes
    if op.name == "convert":
        targets = [F64, C128] if dtype == F64 else [C128]
    else:
        targets = [x.dtype for x in evaluate(op.name, list(operands), attributes)]
    return [
        Instance(op, operands, attributes, (ShapeDtypeStruct((ELEMENTS,), to),))
        for to in targets
    ]


def _normal(
    shape: tuple[int, ...], dtype: np.dtype[Any], random: np.random.Generator
) -> np.ndarray:
    parts = [np.asarray(random.normal(size=shape)) for _ in range(1 + (dtype == C128))]
    return join(*parts) if dtype == C128 else parts[0]


def _structured(
    op: Record, dtype: np.dtype[Any], random: np.random.Generator
) -> list[Instance]:
    made = []
    for i, case in enumerate(ROWS[op.name].cases):
        values = op_table.operand_values(op, len(case.shapes))
        operands = tuple(
            indices(case, 10 * i + j)
            if values[j].constraint in ("Weft_Index", "Weft_Indices")
            else _normal(shape, dtype, random)
            for j, shape in enumerate(case.shapes)
        )
        if ROWS[op.name].operands:
            operands = op_table.drawn_operands(ROWS[op.name], case, dtype, random)
        attributes = case.attributes
        draft = Instance(
            op, operands, attributes, (ShapeDtypeStruct(case.result or (), dtype),)
        )
        specs = (
            ShapeDtypeStruct(value.shape, value.dtype)
            for value in draft.reference(*operands)
        )
        made.append(Instance(op, operands, attributes, tuple(specs)))
    return made


def _at(x: np.ndarray, dtypes: Narrower) -> np.ndarray:
    return x.astype(dtypes.get(x.dtype, x.dtype))


def at(instance: Instance, dtypes: Narrower) -> Instance:
    """The same call with its floats of other dtypes."""
    return replace(
        instance,
        operands=tuple(_at(x, dtypes) for x in instance.operands),
        results=tuple(
            ShapeDtypeStruct(spec.shape, dtypes.get(spec.dtype, spec.dtype))
            for spec in instance.results
        ),
    )


def instances(name: str) -> list[Instance]:
    """All that is differentiated of a family."""
    random = np.random.default_rng(7)
    return [
        instance
        for op in array_ops()
        if op.is_differentiable and family(op) == name
        for dtype in (F64, C128)
        if dtype in op_table.dtypes(op) and dtype.kind not in ROWS[op.name].arbitrary
        for instance in (_smooth if ROWS[op.name].smooth else _structured)(
            op, dtype, random
        )
    ]


# ---- programs ----


@dataclass(frozen=True)
class Function:
    """A function of a module: its symbol and the types of what it takes and gives."""

    symbol: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    text: str

    @property
    def wrt(self) -> list[int]:
        """The floating inputs."""
        return [i for i, spelled in enumerate(self.inputs) if _is_float(spelled)]

    @property
    def varying(self) -> tuple[str, ...]:
        """The types of the floating results."""
        return tuple(filter(_is_float, self.outputs))


def _is_float(spelled: str) -> bool:
    return spelled.rstrip(">").endswith(("f16", "f32", "f64"))


def _signature(types: Sequence[str], letter: str) -> str:
    return ", ".join(f"%{letter}{i}: {spelled}" for i, spelled in enumerate(types))


def _names(types: Sequence[str], letter: str) -> str:
    return ", ".join(f"%{letter}{i}" for i in range(len(types)))


def primal(instance: Instance, symbol: str) -> Function:
    """A function that is one op."""
    inputs = tuple(ShapeDtypeStruct(x.shape, x.dtype).mlir for x in instance.operands)
    outputs = tuple(spec.mlir for spec in instance.results)
    given = [f"%x{i}" for i in range(len(inputs))]
    made = [f"%r{i}" for i in range(len(outputs))]
    return Function(
        symbol, inputs, outputs,
        f"func.func private @{symbol}({_signature(inputs, 'x')}) -> "
        f"({', '.join(outputs)}) {{\n{op_text(instance, given, made)}\n"
        f"return {', '.join(made)} : {', '.join(outputs)}\n}}",
    )  # fmt: skip


def gradient(of: Function) -> Function:
    """A function that maps inputs and cotangents to the cotangents of the inputs."""
    symbol = f"{of.symbol}_vjp"
    inputs = (*of.inputs, *of.varying)
    outputs = tuple(of.inputs[i] for i in of.wrt)
    residuals = f"!weft.residuals<@{of.symbol}, {of.wrt}>"
    n, m = len(of.inputs), len(of.varying)
    cts = ", ".join(f"%x{i}" for i in range(n, n + m))
    text = (
        f"func.func private @{symbol}({_signature(inputs, 'x')}) "
        f"-> ({', '.join(outputs)}) {{\n"
        f"{_names(of.outputs, 'y')}, %res = weft.linearize @{of.symbol}"
        f"({_names(of.inputs, 'x')}) wrt {of.wrt} : ({', '.join(of.inputs)}) -> "
        f"({', '.join((*of.outputs, residuals))})\n"
        f"{_names(outputs, 'g')} = weft.pullback %res({cts}) : "
        f"({', '.join((residuals, *of.varying))}) -> ({', '.join(outputs)})\n"
        f"return {_names(outputs, 'g')} : {', '.join(outputs)}\n}}"
    )
    return Function(symbol, inputs, outputs, text)


def tangent(of: Function, wrt: Sequence[int] | None = None) -> Function:
    """A function that maps inputs, and how some move, to how the results move."""
    wrt = of.wrt if wrt is None else wrt
    symbol = "_".join([of.symbol, "jvp", *map(str, wrt)])
    moves = tuple(of.inputs[i] for i in wrt)
    inputs = (*of.inputs, *moves)
    n, m = len(of.inputs), len(moves)
    tangents = ", ".join(f"%x{i}" for i in range(n, n + m))
    text = (
        f"func.func private @{symbol}({_signature(inputs, 'x')}) "
        f"-> ({', '.join(of.varying)}) {{\n"
        f"{_names(of.outputs, 'y')}, {_names(of.varying, 't')} = weft.jvp @{of.symbol}"
        f"({_names(of.inputs, 'x')}) along({tangents}) wrt {list(wrt)} : "
        f"({', '.join(inputs)}) -> ({', '.join((*of.outputs, *of.varying))})\n"
        f"return {_names(of.varying, 't')} : {', '.join(of.varying)}\n}}"
    )
    return Function(symbol, inputs, of.varying, text)


def _main(functions: Sequence[Function]) -> str:
    """Calls every function, each with arguments of its own."""
    inputs = [spelled for f in functions for spelled in f.inputs]
    outputs = [spelled for f in functions for spelled in f.outputs]
    lines, taken, given = [], 0, 0
    for f in functions:
        args = ", ".join(f"%x{taken + i}" for i in range(len(f.inputs)))
        results = ", ".join(f"%r{given + i}" for i in range(len(f.outputs)))
        lines.append(
            f"{results} = call @{f.symbol}({args}) : ({', '.join(f.inputs)}) -> "
            f"({', '.join(f.outputs)})"
        )
        taken, given = taken + len(f.inputs), given + len(f.outputs)
    return "\n".join(
        [f"func.func @main({_signature(inputs, 'x')}) -> ({', '.join(outputs)}) {{",
         *lines, f"return {_names(outputs, 'r')} : {', '.join(outputs)}", "}"]
    )  # fmt: skip


def _program(groups: Sequence[Sequence[Function]]) -> weft.Program:
    """A program of the last function of each group; the others are its callees."""
    texts = [function.text for group in groups for function in group]
    return weft.parse("\n".join([*texts, _main([group[-1] for group in groups])]))


# ---- differences ----


def _split(flat: Any, counts: Sequence[int]) -> list[list[np.ndarray]]:
    arrays = iter(flat if isinstance(flat, tuple) else (flat,))
    return [[np.asarray(next(arrays)) for _ in range(count)] for count in counts]


def _drawn(types: Sequence[str], random: np.random.Generator) -> list[np.ndarray]:
    """A random array of each type."""
    dtypes = [C128 if "complex" in spelled else F64 for spelled in types]
    shapes = [tuple(map(int, re.findall(r"(\d+)x", spelled))) for spelled in types]
    return [_normal(*pair, random) for pair in zip(shapes, dtypes, strict=True)]


def _reals(x: np.ndarray) -> np.ndarray:
    """The real numbers that an array consists of, or none of one without floats."""
    if x.dtype not in (F64, C128):
        return np.empty(0)
    return np.ascontiguousarray(x).reshape(-1).view(F64)


def _moved(
    arguments: list[list[np.ndarray]], place: int, by: float
) -> list[list[np.ndarray]]:
    """Each function's arguments with their `place`-th float element moved."""
    moved = []
    for own in arguments:
        left, copies = place, []
        for x in own:
            x = x.copy()
            if 0 <= left < _reals(x).size:
                _reals(x)[left] += by
            left -= _reals(x).size
            copies.append(x)
        moved.append(copies)
    return moved


def _differences(
    evaluate: Callable[[list[list[np.ndarray]]], list[list[np.ndarray]]],
    arguments: list[list[np.ndarray]],
    cotangents: list[list[np.ndarray]],
) -> list[np.ndarray]:
    """By how much <cotangents, results> grows with each real number, flattened.

    One evaluation moves an element of every function at once.
    """
    sizes = [sum(_reals(x).size for x in own) for own in arguments]
    slopes = [np.zeros(size) for size in sizes]
    for place in range(max(sizes)):
        ahead = evaluate(_moved(arguments, place, STEP))
        behind = evaluate(_moved(arguments, place, -STEP))
        for i, size in enumerate(sizes):
            if place < size:
                slopes[i][place] = sum(
                    np.sum(ct * (a - b)).real / (2 * STEP)
                    for ct, a, b in zip(cotangents[i], ahead[i], behind[i], strict=True)
                )
    return slopes


def _slopes_along(
    evaluate: Callable[[list[list[np.ndarray]]], list[list[np.ndarray]]],
    arguments: list[list[np.ndarray]],
    directions: list[dict[int, np.ndarray]],
) -> list[np.ndarray]:
    """How fast each function's results move if its arguments do, flattened."""

    def moved(by: float) -> list[list[np.ndarray]]:
        return [
            [
                np.asarray(x + by * along[i]) if i in along else x
                for i, x in enumerate(own)
            ]
            for own, along in zip(arguments, directions, strict=True)
        ]

    return [
        np.concatenate(
            [_reals((a - b) / (2 * STEP)) for a, b in zip(*both, strict=True)]
        )
        for both in zip(evaluate(moved(STEP)), evaluate(moved(-STEP)), strict=True)
    ]


def _conjugates(found: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """How <ct, f> grows with each part, of cotangents: Re(ct dz) for dz of 1 and i."""
    return [[np.conj(g) for g in gradients] for gradients in found]


def _agree(
    chosen: Sequence[object], got: list[list[np.ndarray]], want: list[np.ndarray]
) -> None:
    faults = []
    for instance, gradients, slopes in zip(chosen, got, want, strict=True):
        flat = np.concatenate([_reals(g) for g in gradients])
        if not np.allclose(flat, slopes, rtol=RTOL, atol=ATOL):
            faults.append(f"{instance}\n  rule        {flat}\n  differences {slopes}")
    assert not faults, "\n".join(faults)


def _flat(arguments: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    return [x for own in arguments for x in own]


def _means(
    chosen: Sequence[Instance], arguments: list[list[np.ndarray]]
) -> list[list[np.ndarray]]:
    """The floating results of each instance."""
    return [
        [x for x in instance.reference(*own) if x.dtype.kind in "fc"]
        for instance, own in zip(chosen, _settled(chosen, arguments), strict=True)
    ]


def _settled(
    chosen: Sequence[Instance], arguments: list[list[np.ndarray]]
) -> list[list[np.ndarray]]:
    """Arguments of which some follow from others, after those have moved."""
    return [
        instance.row.settle(own)
        for instance, own in zip(chosen, arguments, strict=True)
    ]


FAMILIES = sorted({family(op) for op in array_ops() if op.is_differentiable})


@pytest.mark.parametrize("name", FAMILIES)
def test_first_and_second_derivatives(name: str) -> None:
    chosen, random = instances(name), np.random.default_rng(11)
    primals = [primal(instance, f"f{i}") for i, instance in enumerate(chosen)]
    firsts = [gradient(function) for function in primals]
    seconds = [gradient(function) for function in firsts]
    first_program = _program(list(zip(primals, firsts, strict=True)))
    second_program = _program(list(zip(primals, firsts, seconds, strict=True)))
    first, second = first_program.compile(), second_program.compile()

    def means(arguments: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
        return _means(chosen, arguments)

    def slopes(arguments: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
        moved = _flat(_settled(chosen, arguments))
        return _split(first(*moved), [len(f.outputs) for f in firsts])

    operands = [list(instance.operands) for instance in chosen]
    cts = [_drawn(function.varying, random) for function in primals]
    with_cts = [[*own, *ct] for own, ct in zip(operands, cts, strict=True)]
    got = slopes(with_cts)
    _agree(chosen, _conjugates(got), _differences(means, operands, cts))
    for a, b in zip(
        _flat(got), first_program.interpret(*_flat(with_cts)), strict=True
    ):  # fmt: skip
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-9, atol=1e-12)

    more = [_drawn(function.outputs, random) for function in firsts]
    with_more = [[*own, *ct] for own, ct in zip(with_cts, more, strict=True)]
    curves = _split(second(*_flat(with_more)), [len(f.outputs) for f in seconds])
    _agree(chosen, _conjugates(curves), _differences(slopes, with_cts, more))


# ---- forward mode ----


def _movements(function: Function) -> list[list[int]]:
    """All float operands at once, and each while the others stay."""
    alone = [[i] for i in function.wrt]
    return [function.wrt, *alone] if len(alone) > 1 else alone


@pytest.mark.parametrize("name", FAMILIES)
def test_tangents(name: str) -> None:
    random = np.random.default_rng(13)
    primals = [(x, primal(x, f"f{i}")) for i, x in enumerate(instances(name))]
    moves = [(x, f, wrt) for x, f in primals for wrt in _movements(f)]
    chosen = [x for x, _, _ in moves]
    forward = [tangent(f, wrt) for _, f, wrt in moves]
    program = _program([[f] for _, f in primals] + [[f] for f in forward])

    ts = [_drawn([f.inputs[i] for i in wrt], random) for _, f, wrt in moves]
    operands = [list(x.operands) for x in chosen]
    arguments = [list(x.operands) for x, _ in primals]
    arguments += [[*own, *t] for own, t in zip(operands, ts, strict=True)]
    directions = [
        dict(zip(wrt, t, strict=True)) for (_, _, wrt), t in zip(moves, ts, strict=True)
    ]
    want = _slopes_along(lambda xs: _means(chosen, xs), operands, directions)
    labels = [f"{x}, moving {wrt}" for x, _, wrt in moves]
    for run in (program.compile(), program.interpret):
        counts = [len(f.outputs) for f in (*(f for _, f in primals), *forward)]
        results = _split(run(*_flat(arguments)), counts)
        _agree(labels, results[len(primals) :], want)


@pytest.mark.parametrize("name", FAMILIES)
def test_tangents_of_gradients(name: str) -> None:
    chosen, random = instances(name), np.random.default_rng(17)
    primals = [primal(instance, f"f{i}") for i, instance in enumerate(chosen)]
    firsts = [gradient(function) for function in primals]
    seconds = [tangent(function) for function in firsts]
    first = _program(list(zip(primals, firsts, strict=True))).compile()
    second = _program(list(zip(primals, firsts, seconds, strict=True))).compile()
    counts = [len(function.outputs) for function in firsts]

    def slopes(arguments: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
        return _split(first(*_flat(_settled(chosen, arguments))), counts)

    arguments = [
        [*instance.operands, *_drawn(function.varying, random)]
        for instance, function in zip(chosen, primals, strict=True)
    ]
    ts = [_drawn([f.inputs[i] for i in f.wrt], random) for f in firsts]
    directions = [
        dict(zip(f.wrt, t, strict=True)) for f, t in zip(firsts, ts, strict=True)
    ]
    with_ts = [[*own, *t] for own, t in zip(arguments, ts, strict=True)]
    got = _split(second(*_flat(with_ts)), counts)
    _agree(chosen, got, _slopes_along(slopes, arguments, directions))


# ---- narrower floats ----

# Tolerances: relative, and to the largest element.
NARROWER = {
    F32: (1e-3, 1e-4),
    np.dtype("float16"): (1e-2, 5e-3),
    weft.bfloat16: (6e-2, 3e-2),
}


def narrowed(dtype: np.dtype[Any]) -> Narrower:
    """What double precision becomes."""
    return {F64: dtype, C128: C64}


def narrows_to(op: Record, dtype: np.dtype[Any]) -> bool:
    """Whether there is a narrower version of an op on doubles."""
    taken = op_table.dtypes(op)
    return dtype in taken or (dtype == F32 and C64 in taken)


def _dtypes(instance: Instance) -> list[np.dtype[Any]]:
    return [x.dtype for x in instance.operands]


def _one_of_each(chosen: Sequence[Instance]) -> list[Instance]:
    """The largest instance of each op, of real numbers."""
    real = [x for x in chosen if C128 not in {x.result.dtype, *_dtypes(x)}]
    by_size = sorted(real, key=lambda instance: sum(x.size for x in instance.operands))
    return list({instance.op.name: instance for instance in by_size}.values())


def _narrow_families() -> list[Any]:
    """Dtypes, each with the families that have it: a library has no 16-bit floats."""
    return [
        pytest.param(dtype, name, marks=pytest.mark.slow if dtype == np.float16 else ())
        for dtype in NARROWER
        for name in FAMILIES
        if any(family(op) == name and narrows_to(op, dtype) for op in array_ops())
    ]


@pytest.mark.parametrize(("dtype", "name"), _narrow_families(), ids=str)
@pytest.mark.parametrize("derive", [tangent, gradient])
def test_narrower_floats(
    dtype: np.dtype[Any], derive: Callable[[Function], Function], name: str
) -> None:
    random = np.random.default_rng(19)
    dtypes = narrowed(dtype)
    wide = {narrow: wide for wide, narrow in dtypes.items()}
    chosen = instances(name) if dtype == F32 else _one_of_each(instances(name))
    rough = [
        [f := primal(at(x, dtypes), f"f{i}"), derive(f)] for i, x in enumerate(chosen)
    ]
    exact = [[f := primal(x, f"f{i}"), derive(f)] for i, x in enumerate(chosen)]
    rounded = [
        [
            _at(x, dtypes)
            for x in (*x.operands, *_drawn(derived.inputs[len(x.operands) :], random))
        ]
        for x, (_, derived) in zip(chosen, exact, strict=True)
    ]
    precise = [[_at(x, wide) for x in own] for own in rounded]
    counts = [len(derived.outputs) for _, derived in exact]
    compiled = _split(_program(rough).compile()(*_flat(rounded)), counts)
    meant = _split(_program(exact).interpret(*_flat(precise)), counts)
    rtol, atol = NARROWER[dtype]
    for instance, *both in zip(chosen, compiled, meant, strict=True):
        for got, want in zip(*both, strict=True):
            assert got.dtype == dtypes[want.dtype]
            close = atol * (1 + np.max(np.abs(want), initial=0))
            np.testing.assert_allclose(
                _at(got, wide), want, rtol, close, err_msg=str(instance)
            )


# ---- conventions ----


def _grads(function: Callable[..., Any], *xs: Any) -> list[list[float]]:
    """The gradient of the sum of a function, compiled and interpreted alike."""
    everything = tuple(range(len(xs)))
    arrays = [np.array(x, F64) for x in xs]
    derivative = weft.grad(lambda *args: weft.sum(function(*args)), argnums=everything)
    compiled = [np.asarray(g) for g in weft.jit(derivative)(*arrays)]
    for a, b in zip(compiled, derivative(*arrays), strict=True):
        np.testing.assert_array_equal(a, np.asarray(b))
    return [g.tolist() for g in compiled]


CONVENTIONS: list[tuple[str, Callable[..., Any], list[Any], list[Any]]] = [
    ("ties of two split", weft.maximum, [[1, 2, 2], [2, 2, 1]],
     [[0, 0.5, 1], [1, 0.5, 0]]),
    ("and so for minimum", weft.minimum, [[1, 2, 2], [2, 2, 1]],
     [[1, 0.5, 0], [0, 0.5, 1]]),
    ("ties of many split", weft.max, [[1, 3, 3, 2]], [[0, 0.5, 0.5, 0]]),
    ("and so for min", weft.min, [[1, 1, 3, 1]], [[1 / 3, 1 / 3, 0, 1 / 3]]),
    ("abs is flat at 0", weft.abs, [[-2, 0, 2]], [[-1, 0, 1]]),
    ("a bound that is met shares", weft.clamp, [[0, 1, 2], [0, 0, 0], [3, 1, 1]],
     [[0.5, 0.5, 0], [0.5, 0, 0], [0, 0.5, 1]]),
    ("powers of 0", weft.pow, [[0, 0, 0, 0], [0, 1, 2, 3]], [[0, 1, 0, 0], [0] * 4]),
    ("products with one 0", weft.prod, [[0, 2, 3]], [[6, 0, 0]]),
    ("products with two", weft.prod, [[0, 0, 3]], [[0, 0, 0]]),
    ("rounding is flat", lambda x: weft.round(x) + weft.floor(x) + weft.ceil(x)
     + weft.trunc(x) + weft.sign(x), [[0.3, 1, -2.5]], [[0, 0, 0]]),
    ("signs are flat", weft.copysign, [[2, -2, 0], [-1, 1, 1]], [[-1, -1, 0], [0] * 3]),
    ("integers let nothing through", lambda x: weft.astype(weft.astype(x, weft.int32),
     weft.float64) * x, [[1.5, 2.5]], [[1, 2]]),
    ("float32 in between", lambda x: weft.astype(weft.astype(x, weft.float32),
     weft.float64) * 3, [[0.1]], [[3]]),
    ("a root is steep at 0", weft.sqrt, [[0, 4]], [[np.inf, 0.25]]),
    ("used twice", lambda x: x * x + x, [[3]], [[7]]),
    ("not used", lambda x, y: x, [[3], [4]], [[1], [0]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "xs", "want"),
    [pytest.param(*row[1:], id=row[0]) for row in CONVENTIONS],
)
def test_convention(function: Any, xs: list[Any], want: list[Any]) -> None:
    assert _grads(function, *xs) == want


CURVES: list[tuple[str, Callable[..., Any], float, float]] = [
    ("square at 0", lambda x: weft.pow(x, 2.0), 0.0, 2.0),
    ("cube at 0", lambda x: weft.pow(x, 3.0), 0.0, 0.0),
    ("power 1 at 0", lambda x: weft.pow(x, 1.0), 0.0, 0.0),
    ("power 0 at 0", lambda x: weft.pow(x, 0.0), 0.0, 0.0),
    ("product at 0", lambda x: weft.prod(weft.stack([x, x, x + 1.0])), 0.0, 2.0),
    ("abs at 0", lambda x: weft.abs(x) * x, 0.0, 0.0),
    ("maximum with itself", lambda x: weft.maximum(x * x, x * x), 3.0, 2.0),
]


@pytest.mark.parametrize(
    ("function", "x", "want"), [pytest.param(*row[1:], id=row[0]) for row in CURVES]
)
def test_second_derivative_where_the_first_is_awkward(
    function: Any, x: float, want: float
) -> None:
    second = weft.jit(weft.grad(weft.grad(function)))
    assert float(second(np.float64(x))) == want
