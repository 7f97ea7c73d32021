"""How to draw samples for each op. All else about an op is derived from its record.

A row of an elementwise op says between which bounds each operand is smooth (there
derivatives are compared with differences) and how many ulps a compiled float may be
off. A row of another op lists shapes and attributes instead.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import matrices
import op_cases
from op_cases import Case, Draw, Shape
from records import Record, Value
from weft.dtypes import BY_MLIR_NAME, MLIR_NAMES, code, limits, real_dtype, rounded
from weft.ops import parts
from weft.ops.parts import join
from weft.ops.windows import Windows

Interval = tuple[float, float]
Align = Callable[[Sequence[np.ndarray], Sequence[np.ndarray]], list[np.ndarray]]
Operands = Callable[[Case, np.random.Generator, bool], Sequence[np.ndarray]]


@dataclass(frozen=True)
class Row:
    """How to sample one op.

    `ulps` are units in the last place of the exact result or, where an op sums or
    multiplies up, of that of the operands' absolute values (`accumulates`). `draw`
    gives random cases; an elementwise op needs none.
    """

    smooth: tuple[Interval, ...] = ()
    cases: tuple[Case, ...] = ()
    draw: Draw | None = None
    ulps: float = 0
    accumulates: bool = False
    # Units of an op that accumulates on a GPU, where parts are taken together, though
    # it goes along one element after the other elsewhere.
    parts_ulps: float = 0
    # Of complex numbers: units of their absolute value; None: as of floats.
    complex_ulps: float | None = None
    # What the units are multiplied by, where rounded intermediates cost more.
    complex_condition: Callable[..., np.ndarray] | None = None
    # Units in the last place of the result, but not of less than this.
    floor: float = 0
    # For float64, where SciPy is some ulps off itself, and its exponents are large.
    ulps64: float | None = None
    # NumPy does not say which of 0.0 and -0.0 is the larger one.
    signed_zeros: bool = True
    # `ulps` are those of the largest element of a matrix or vector.
    normwise: bool = False
    # Operands of a case, in float64 or complex128, where any numbers would not do.
    operands: Operands | None = None
    # Where some operands follow from others, all of them after these have moved.
    settle: Callable[[Sequence[np.ndarray]], list[np.ndarray]] = list
    # Results as they would be with the scales or phases of others, where those are
    # anyone's choice: of (got, want).
    align: Align | None = None
    # The kinds of dtypes at which results have a scale or phase that is anyone's
    # choice, so that no differences can be taken.
    arbitrary: str = ""
    # Those of an elementwise op.
    attributes: dict[str, Any] = field(default_factory=dict)
    # Where the references of derivatives that an op counts (`by`) are good to 1e-9.
    reach: tuple[Interval, ...] = ()


REAL = (-3.0, 3.0)
POSITIVE = (0.2, 3.0)
INSIDE = (-0.8, 0.8)


def smooth(*bounds: Interval, **options: Any) -> Row:
    """An elementwise op with a derivative."""
    return Row(smooth=bounds, **options)


def structured(*cases: Case, **options: Any) -> Row:
    """An op whose meaning depends on shapes and attributes."""
    if "operands" in options:
        options.setdefault("draw", op_cases.one_of(cases))
    return Row(cases=cases, **options)


def reduction(**options: Any) -> Row:
    """A reduction that has a value over no elements."""
    empty = Case(((2, 0, 3),), {"axes": (1,)}), Case(((0, 3),), {"axes": (0, 1)})
    return structured(*_full_reductions(), *empty, draw=op_cases.reduction, **options)


def extremum(**options: Any) -> Row:
    """A reduction that has none."""
    empty = Case(((2, 0, 3),), {"axes": (2,)})
    return structured(*_full_reductions(), empty, draw=op_cases.extremum, **options)


def _full_reductions() -> list[Case]:
    return [
        Case((shape,), {"axes": axes})
        for shape, axes in (
            ((), ()),
            ((1,), (0,)),
            ((7,), (0,)),
            ((3, 5), (0,)),
            ((3, 5), (1,)),
            ((2, 3, 4), (0, 2)),
            ((2, 3, 4), (1,)),
            ((2, 1, 3), (0, 1, 2)),
            ((2, 3), ()),
        )
    ]


def index_reduction() -> Row:
    """The position of an extremum."""
    return structured(
        Case(((1,),), {"axis": 0}),
        Case(((7,),), {"axis": 0}),
        Case(((3, 5),), {"axis": 0}),
        Case(((3, 5),), {"axis": 1}),
        Case(((2, 3, 4),), {"axis": 1}),
        Case(((3, 0),), {"axis": 0}),
        draw=op_cases.index_reduction,
    )


def _dot(
    lhs: Shape, rhs: Shape, batch: Any = ((), ()), contract: Any = ((), ())
) -> Case:
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    free = [
        [n for i, n in enumerate(shape) if i not in (*batch[side], *contract[side])]
        for side, shape in enumerate((lhs, rhs))
    ]
    result = (*(lhs[i] for i in batch[0]), *free[0], *free[1])
    return Case((lhs, rhs), dict(zip(names, (*batch, *contract), strict=True)), result)


def _windows(shape: Shape, count: int = 1, **given: Shape) -> Case:
    """Windows of an array; of three operands the last one has one element each."""
    geometry = _geometry(len(shape), **given)
    if count == 1:
        return Case((shape,), geometry)
    return Case((shape, shape, Windows(**geometry).counts(shape)), geometry)


def _geometry(rank: int, **given: Shape) -> dict[str, Shape]:
    names = ("window", "strides", "base_dilation", "window_dilation")
    usual = dict.fromkeys(names, (1,) * rank)
    return usual | {"low": (0,) * rank, "high": (0,) * rank} | given


def windowed(count: int = 1, **options: Any) -> Row:
    """An op on windows: they overlap, leave the array, have gaps, and lie apart."""
    cases = (
        _windows((), count),
        _windows((7,), count, window=(3,)),
        _windows((7,), count, window=(2,), strides=(3,), low=(1,), high=(2,)),
        _windows((5, 4), count, window=(3, 2), strides=(2, 1), window_dilation=(1, 2)),
        _windows((4, 5), count, window=(2, 3), base_dilation=(2, 2), low=(1, 0),
                 high=(0, 1), strides=(1, 2)),
        _windows((6, 3), count, window=(2, 2), low=(-1, 0), high=(-2, 1)),
        _windows((2, 5, 5, 2), count, window=(1, 3, 3, 1), strides=(1, 2, 2, 1),
                 low=(0, 1, 1, 0), high=(0, 1, 1, 0)),
        _windows((0, 3), count, window=(1, 2)),
        _windows((2,), count, window=(3,)),
    )  # fmt: skip
    # A window that lies in the padding alone has no finite extreme.
    padding = _windows((3,), count, window=(2,), low=(3,))
    more = [padding] if options.get("accumulates") else []
    draw = op_cases.windows if count == 1 else op_cases.sum_where_equal
    return structured(*cases, *more, draw=draw, **options)


def _convolution(
    lhs: Shape, rhs: Shape, result: Shape, roles: Sequence[Shape],
    order: Shape | None = None, **given: Shape,
) -> Case:  # fmt: skip
    """`roles` are the batch, contracted and spatial dimensions of lhs, then of rhs."""
    names = ("batch", "contract", "spatial")
    both = [f"{side}_{name}" for side in ("lhs", "rhs") for name in names]
    attributes = dict(zip(both, roles, strict=True))
    attributes["order"] = tuple(range(len(result))) if order is None else order
    geometry = _geometry(len(attributes["lhs_spatial"]), **given)
    del geometry["window"]
    return Case((lhs, rhs), attributes | geometry, result)


NHWC = ((), (3,), (1, 2), (), (2,), (0, 1))
NCHW = ((), (1,), (2, 3), (), (1,), (2, 3))

CONVOLUTIONS = (
    _convolution((2, 5, 4, 3), (3, 2, 3, 2), (2, 3, 3, 2), NHWC),
    _convolution((2, 3, 5, 4), (2, 3, 3, 2), (2, 2, 3, 3), NCHW, (0, 3, 1, 2)),
    _convolution((1, 6, 5, 2), (3, 2, 2, 3), (1, 3, 3, 3), NHWC, strides=(2, 2),
                 low=(1, 0), high=(0, 1)),
    # Dilated, the input (a transposed convolution) and the kernel; cut off.
    _convolution((1, 4, 3, 2), (2, 3, 2, 1), (1, 5, 7, 1), NHWC, low=(-1, 3),
                 high=(0, 3), base_dilation=(2, 2), window_dilation=(1, 2)),
    # Groups of features, spatial dimensions first, the result turned around.
    _convolution((2, 2, 3, 5), (2, 3, 2, 2), (2, 2, 4, 2),
                 ((1,), (2,), (3,), (0,), (1,), (2,)), (3, 1, 2, 0)),
    # Several batch, free and contracted dimensions.
    _convolution((2, 3, 2, 4, 2), (2, 3, 2, 2, 2), (2, 3, 3, 2),
                 ((1,), (4, 2), (3,), (1,), (0, 3), (2,)), (1, 0, 2, 3)),
    _convolution((2, 3), (3, 2), (2, 2), ((), (1,), (), (), (0,), ())),
    _convolution((5,), (2,), (4,), ((), (), (0,), (), (), (0,))),
    _convolution((1, 2, 2, 2, 2), (1, 2, 2, 1, 2), (1, 1, 2, 2, 2),
                 ((), (1,), (2, 3, 4), (), (1,), (2, 3, 4)), (0, 4, 1, 2, 3),
                 high=(1, 0, 1)),
    _convolution((2, 1, 3), (2, 2, 3), (2, 0, 2), ((), (2,), (1,), (), (2,), (1,))),
    _convolution((2, 4, 0), (2, 2, 0), (2, 3, 2), ((), (2,), (1,), (), (2,), (1,))),
    _convolution((0, 4, 2), (2, 2, 2), (0, 3, 2), ((), (2,), (1,), (), (2,), (1,))),
    # Padding alone.
    _convolution((0, 2), (2, 2), (2,), ((), (1,), (0,), (), (1,), (0,)), high=(3,)),
)  # fmt: skip


def _slice(shape: Shape, start: Shape, limit: Shape, stride: Shape) -> Case:
    return Case((shape,), {"start": start, "limit": limit, "stride": stride})


def _pad(shape: Shape, low: Shape, high: Shape, interior: Shape) -> Case:
    return Case((shape, ()), {"low": low, "high": high, "interior": interior})


def _gather(
    shape: Shape, index: Shape, dims: Shape, sizes: Shape, collapsed: Shape,
    batch: Shape = (), **more: Any,
) -> Case:  # fmt: skip
    attributes = {"dims": dims, "sizes": sizes, "collapsed": collapsed, "batch": batch}
    return Case((shape, *(index for _ in dims)), attributes | more)


def _scatter(
    shape: Shape, updates: Shape, index: Shape, dims: Shape, collapsed: Shape,
    batch: Shape = (), **more: Any,
) -> Case:  # fmt: skip
    attributes = {"dims": dims, "collapsed": collapsed, "batch": batch}
    return Case((shape, updates, *(index for _ in dims)), attributes | more)


def scatters(**options: Any) -> Row:
    """An op that combines slices into an array: indices meet, and leave the array."""
    return structured(
        _scatter((5,), (7,), (7,), (0,), (0,)),
        _scatter((4, 3), (6, 3), (6,), (0,), (0,), clip=True),
        _scatter((4, 3), (2, 3), (2, 3), (0, 1), (0, 1)),
        _scatter((3, 4, 2), (3, 5, 1), (3, 5), (1,), (1,), (0,)),
        _scatter((5, 4), (3, 2, 2), (3,), (1, 0), (), clip=True),
        _scatter((5, 4), (2, 2), (), (1, 0), ()),
        _scatter((3, 2), (0, 2), (0,), (0,), (0,)),
        _scatter((0, 3), (2, 0, 3), (2,), (0,), ()),
        _scatter((9,), (30,), (30,), (0,), (0,)),
        draw=op_cases.scatter,
        **options,
    )


def _axes(shapes: Sequence[Shape], flag: str, count: int = 1) -> list[Case]:
    """An op that goes along an axis, each of some shapes, one way and the other."""
    return [
        Case((shape,) * count, {"axis": axis} | more)
        for shape in shapes
        for axis in range(len(shape))
        for more in ({}, {flag: True})
    ]


def running(count: int = 1, **options: Any) -> Row:
    """An op that goes along an axis."""
    shapes = ((1,), (7,), (3, 5), (2, 3, 4), (2, 0, 3))
    draw = op_cases.along("reverse", count)
    return structured(*_axes(shapes, "reverse", count), draw=draw, **options)


def ordering(**options: Any) -> Row:
    """An op that sorts; rows longer than 16 are merged from runs."""
    shapes = ((1,), (7,), (3, 5), (2, 0, 3))
    # One pass of merging, two and three.
    long = ((17,), (40,), (65,))
    cases = _axes((*shapes, *long), "descending")
    return structured(*cases, draw=op_cases.along("descending"), **options)


def searching(**options: Any) -> Row:
    """An op that looks values up in rows."""
    shapes = (
        ((7,), (5,)), ((1,), (2, 3)), ((8,), ()), ((3, 9), (3, 4)), ((2, 3, 5), (2, 3)),
        ((0,), (3,)), ((2, 4), (2, 0)), ((33,), (9,)),
    )  # fmt: skip
    return structured(
        *(Case(own, more) for own in shapes for more in ({}, {"right": True})),
        draw=op_cases.searchsorted,
        **options,
    )


def _matrices(*cases: Case, **options: Any) -> Row:
    """An op on matrices, whose results are as exact as their norm allows."""
    return structured(*cases, ulps=64, normwise=True, **options)


RECTANGLES = ((3, 3), (4, 2), (2, 1, 2, 3), (1, 1), (3, 0), (0, 2), (0, 3, 3))


def _rectangles(*attributes: dict[str, Any]) -> list[Case]:
    return [Case((shape,), more) for shape in RECTANGLES for more in attributes]


def _squares() -> list[Case]:
    shapes = ((3, 3), (1, 1), (2, 1, 2, 2), (0, 0), (0, 3, 3))
    return [Case((shape,)) for shape in shapes]


def _bases() -> list[Case]:
    """Whole bases, of whose further vectors nothing but their space is certain."""
    full = {"full": True}
    return [Case((shape,), full) for shape in ((3, 3), (3, 0), (0, 0))]


def _transforms(attributes: Sequence[dict[str, Any]], **options: Any) -> Row:
    """A Fourier transform along an axis, of lengths even, odd and prime."""
    shapes = (
        ((1,), 0), ((2,), 0), ((12,), 0), ((13,), 0), ((3, 5), 1), ((4, 3), 0),
        ((2, 5, 3), 1), ((2, 6, 3), 1), ((0, 3), 1), ((3, 0), 0),
    )  # fmt: skip
    cases = (
        Case((shape,), {"axis": axis} | more)
        for shape, axis in shapes
        for more in attributes
    )
    return structured(*cases, ulps=16, normwise=True, **options)


def _triangles(a: Shape, b: Shape, **flags: Any) -> list[Case]:
    return [
        Case((a, b), flags | dict.fromkeys(chosen, True))
        for count in range(4)
        for chosen in itertools.combinations(("upper", "transpose", "unit"), count)
    ]


def partial(*bounds: Interval, **options: Any) -> Row:
    """A function that says how often it is differentiated: not at all."""
    return smooth(*bounds, attributes={"by": (0,) * len(bounds)}, **options)


EXACT = Row()

ROWS: dict[str, Row] = {
    # Arithmetic.
    "add": smooth(REAL, REAL),
    "subtract": smooth(REAL, REAL),
    "multiply": smooth(REAL, REAL),
    "divide": smooth(REAL, POSITIVE),
    "floor_divide": EXACT,
    "remainder": smooth((3.1, 3.9), (1.0, 1.02)),
    "pow": smooth(
        POSITIVE,
        REAL,
        ulps=2,
        complex_condition=lambda x, y: (
            1 + np.abs(y.astype("c16") * np.log(x.astype("c16")))
        ),
    ),
    "maximum": smooth(REAL, REAL, signed_zeros=False),
    "minimum": smooth(REAL, REAL, signed_zeros=False),
    "negative": smooth(REAL),
    "abs": smooth(REAL, complex_ulps=2),
    "sign": smooth(REAL, complex_ulps=4),
    "square": smooth(REAL),
    "reciprocal": smooth(POSITIVE),
    "hypot": smooth(REAL, REAL, ulps=2),
    "complex": smooth(REAL, REAL),
    "real": smooth(REAL),
    "imag": smooth(REAL),
    "conj": smooth(REAL),
    "copysign": smooth(REAL, REAL),
    # Rounding.
    "ceil": EXACT,
    "floor": EXACT,
    "trunc": EXACT,
    "round": EXACT,
    # Exponentials, logarithms, roots.
    "exp": smooth(REAL, ulps=2, complex_ulps=4),
    "exp2": smooth(
        REAL, ulps=2, complex_ulps=4, complex_condition=lambda x: 1 + np.abs(x.imag)
    ),
    "expm1": smooth(REAL, ulps=2, complex_ulps=4),
    "log": smooth(POSITIVE, ulps=2, complex_ulps=4),
    "log2": smooth(POSITIVE, ulps=2, complex_ulps=4),
    "log10": smooth(POSITIVE, ulps=2, complex_ulps=6),
    "log1p": smooth(INSIDE, ulps=2, complex_ulps=4),
    "logaddexp": smooth(REAL, REAL, ulps=2, accumulates=True),
    "sqrt": smooth(POSITIVE, complex_ulps=4),
    "rsqrt": smooth(POSITIVE, ulps=2, complex_ulps=4),
    "cbrt": smooth(POSITIVE, ulps=4),  # glibc's
    # Trigonometric and hyperbolic functions, error function.
    "sin": smooth(REAL, ulps=2, complex_ulps=4),
    "cos": smooth(REAL, ulps=2, complex_ulps=4),
    "tan": smooth(INSIDE, ulps=2, complex_ulps=6),
    "asin": smooth(INSIDE, ulps=2, complex_ulps=4),
    "acos": smooth(INSIDE, ulps=2, complex_ulps=4),
    "atan": smooth(REAL, ulps=2, complex_ulps=4),
    "atan2": smooth(REAL, POSITIVE, ulps=2),
    "sinh": smooth(REAL, ulps=2, complex_ulps=4),
    "cosh": smooth(REAL, ulps=2, complex_ulps=4),
    "tanh": smooth(REAL, ulps=3, complex_ulps=6),
    "asinh": smooth(REAL, ulps=2, complex_ulps=4),
    "acosh": smooth((1.2, 3.0), ulps=2, complex_ulps=4),
    "atanh": smooth(INSIDE, ulps=2, complex_ulps=4),
    "erf": smooth(REAL, ulps=2),
    "erfc": smooth(REAL, ulps=2),
    "erfinv": smooth(INSIDE),
    "logistic": smooth(
        REAL,
        ulps=2,
        complex_ulps=4,
        complex_condition=lambda x: 1 + np.abs(parts.logistic(x.astype("c16"))),
    ),
    # Special functions.
    "xlogy": smooth(REAL, POSITIVE, ulps=2),
    "xlog1py": smooth(REAL, INSIDE, ulps=2),
    "logit": smooth((0.1, 0.9), ulps=2),
    "nextafter": EXACT,
    "sinc": partial(REAL, ulps=2, reach=((-50, 50),)),
    "gamma": smooth(POSITIVE, ulps=2, ulps64=16),
    "lgamma": smooth(POSITIVE, ulps=2, floor=1, ulps64=16),
    "digamma": smooth(POSITIVE, ulps=2, floor=1, ulps64=32),
    # The reference multiplies a large number by a subnormal one.
    "polygamma": smooth((1, 1), POSITIVE, ulps=2, ulps64=1e8),
    # Of negative numbers, large logarithms cancel, in the reference too.
    "betaln": smooth(POSITIVE, POSITIVE, ulps=2, floor=1, ulps64=1e10),
    "zeta": partial(
        (1.5, 3.0), POSITIVE, ulps=2, ulps64=1e6, reach=((1.1, 30), (0.01, 50))
    ),
    "gammainc": partial(
        (0.5, 3.0), POSITIVE, ulps=2, ulps64=1e6, reach=((0.05, 50), (1e-3, 50))
    ),
    "gammaincc": smooth((0.5, 3.0), POSITIVE, ulps=2, ulps64=1e6),
    "betainc": partial(
        (0.5, 3.0),
        (0.5, 3.0),
        (0.1, 0.9),
        ulps=2,
        ulps64=1e6,
        reach=((0.05, 50), (0.05, 50), (0.01, 0.99)),
    ),
    "erfcx": partial(REAL, ulps=2, ulps64=16, reach=((-20, 1e6),)),
    "ndtr": smooth(REAL, ulps=2, ulps64=16),
    "ndtri": smooth((0.1, 0.9), ulps=2, ulps64=8),
    "bessel_i": smooth(
        REAL, ulps=2, ulps64=16, attributes={"order": 1, "scaled": True}
    ),
    # Predicates and comparisons.
    "isnan": EXACT,
    "isinf": EXACT,
    "isfinite": EXACT,
    "signbit": EXACT,
    "equal": EXACT,
    "not_equal": EXACT,
    "less": EXACT,
    "less_equal": EXACT,
    "greater": EXACT,
    "greater_equal": EXACT,
    # Logic and bits.
    "logical_and": EXACT,
    "logical_or": EXACT,
    "logical_xor": EXACT,
    "logical_not": EXACT,
    "bitwise_and": EXACT,
    "bitwise_or": EXACT,
    "bitwise_xor": EXACT,
    "bitwise_invert": EXACT,
    "population_count": EXACT,
    "bitwise_left_shift": EXACT,
    "bitwise_right_shift": EXACT,
    "threefry": EXACT,
    # Choice and conversion.
    "select": smooth((0, 1), REAL, REAL),
    "clamp": smooth(REAL, (-1.0, -0.5), (0.5, 1.0), signed_zeros=False),
    "convert": smooth(REAL),
    "bitcast": EXACT,
    "stop_gradient": EXACT,
    # Creation.
    "constant": structured(
        Case((), result=()),
        Case((), result=(3,)),
        Case((), result=(2, 0)),
        draw=op_cases.constant,
    ),
    "iota": structured(
        Case((), {"dimension": 0}, (5,)),
        Case((), {"dimension": 1}, (2, 3)),
        Case((), {"dimension": 0}, (3, 0)),
        Case((), {"dimension": 2}, (1, 2, 1)),
        draw=op_cases.iota,
    ),
    # Shape.
    "broadcast": structured(
        Case(((),), {"dimensions": ()}, (2, 3)),
        Case(((3,),), {"dimensions": (1,)}, (2, 3)),
        Case(((2, 1),), {"dimensions": (0, 2)}, (2, 4, 3)),
        Case(((1,),), {"dimensions": (0,)}, (0,)),
        Case(((),), {"dimensions": ()}, ()),
        draw=op_cases.broadcast,
    ),
    "reshape": structured(
        Case(((2, 6),), result=(3, 4)),
        Case(((1, 1),), result=()),
        Case(((),), result=(1,)),
        Case(((0, 3),), result=(5, 0)),
        Case(((2, 3, 2),), result=(12,)),
        draw=op_cases.reshape,
    ),
    "transpose": structured(
        Case(((2, 3),), {"permutation": (1, 0)}),
        Case(((2, 3, 4),), {"permutation": (2, 0, 1)}),
        Case(((),), {"permutation": ()}),
        Case(((0, 3),), {"permutation": (1, 0)}),
        draw=op_cases.transpose,
    ),
    "slice": structured(
        _slice((9,), (1,), (8,), (3,)),
        _slice((4, 5), (0, 2), (4, 3), (1, 1)),
        _slice((4, 5), (3, 1), (4, 5), (2, 2)),
        _slice((4,), (2,), (2,), (1,)),
        _slice((), (), (), ()),
        draw=op_cases.slice_,
    ),
    "pad": structured(
        _pad((3,), (1,), (2,), (1,)),
        _pad((2, 3), (0, 1), (1, 0), (2, 0)),
        _pad((0, 2), (1, 0), (1, 1), (3, 0)),
        _pad((), (), (), ()),
        _pad((1,), (0,), (0,), (4,)),
        draw=op_cases.pad,
    ),
    "concatenate": structured(
        Case(((2,), (3,)), {"dimension": 0}),
        Case(((2, 3), (2, 0), (2, 1)), {"dimension": 1}),
        Case(((1, 2), (3, 2)), {"dimension": 0}),
        Case(((4,),), {"dimension": 0}),
        draw=op_cases.concatenate,
    ),
    "reverse": structured(
        Case(((5,),), {"dimensions": (0,)}),
        Case(((2, 3),), {"dimensions": (0, 1)}),
        Case(((2, 3),), {"dimensions": ()}),
        Case(((),), {"dimensions": ()}),
        Case(((0, 2),), {"dimensions": (0,)}),
        draw=op_cases.reverse,
    ),
    # Indexing.
    "dynamic_slice": structured(
        Case(((7,), ()), {"sizes": (3,)}),
        Case(((4, 5), (), ()), {"sizes": (2, 5)}),
        Case(((4, 5), (), ()), {"sizes": (1, 1)}),
        Case(((2, 3, 4), (), (), ()), {"sizes": (1, 3, 2)}),
        Case(((3, 2), (), ()), {"sizes": (0, 2)}),
        Case(((),), {"sizes": ()}),
        draw=op_cases.dynamic_slice,
    ),
    "dynamic_update_slice": structured(
        Case(((7,), (3,), ())),
        Case(((4, 5), (2, 5), (), ())),
        Case(((4, 5), (1, 1), (), ())),
        Case(((2, 3, 4), (1, 3, 2), (), (), ())),
        Case(((3, 2), (0, 2), (), ())),
        Case(((), ())),
        draw=op_cases.dynamic_update_slice,
    ),
    "gather": structured(
        _gather((5,), (7,), (0,), (1,), (0,)),
        _gather((4, 3), (6,), (0,), (1, 3), (0,), clip=True),
        _gather((4, 3), (2, 3), (0, 1), (1, 1), (0, 1)),
        _gather((3, 4, 2), (3, 5), (1,), (1, 1, 1), (1,), (0,)),
        _gather((5, 4), (3,), (1, 0), (2, 2), (), clip=True),
        _gather((5, 4), (3,), (0,), (1, 2), (0,)),
        _gather((5, 4), (), (1, 0), (2, 2), ()),
        _gather((2, 4, 3), (3, 2, 2), (1,), (1, 1, 1), (1,), (2, 0), clip=True),
        _gather((3, 2), (0,), (0,), (1, 2), (0,)),
        _gather((0, 3), (2,), (0,), (0, 3), ()),
        draw=op_cases.gather,
    ),
    "scatter": scatters(),
    "scatter_add": scatters(),
    "scatter_multiply": scatters(),
    "scatter_maximum": scatters(signed_zeros=False),
    "scatter_minimum": scatters(signed_zeros=False),
    # Sorting and running values.
    "sort": ordering(),
    "argsort": structured(
        *ordering().cases,
        *_axes(((3, 5), (40,)), "descending", count=2),
        *_axes(((2, 0, 3), (9,)), "descending", count=3),
        draw=op_cases.keys,
    ),
    "searchsorted": searching(),
    "cumsum": running(parts_ulps=8),
    "cumprod": running(parts_ulps=16),
    "cummax": running(signed_zeros=False),
    "cummin": running(signed_zeros=False),
    "cumlogsumexp": running(ulps=8, accumulates=True),
    "linear_recurrence": running(count=2),
    # Reductions.
    "sum": reduction(ulps=8, accumulates=True),
    "prod": reduction(ulps=16, accumulates=True),
    "max": extremum(signed_zeros=False),
    "min": extremum(signed_zeros=False),
    "any": reduction(),
    "all": reduction(),
    "argmax": index_reduction(),
    "argmin": index_reduction(),
    # Linear algebra.
    "cholesky": _matrices(*_squares(), operands=matrices.positive),
    "triangular_solve": _matrices(
        *_triangles((3, 3), (3, 2)),
        *_triangles((2, 2), (3, 2), right=True),
        Case(((2, 1, 1), (2, 1, 3)), {}),
        Case(((3, 3), (0, 3)), {"right": True}),
        Case(((0, 0), (0, 2)), {}),
        Case(((0, 2, 2), (0, 2, 3)), {}),
        operands=matrices.triangular,
    ),
    "lu": _matrices(
        *_rectangles({}),
        Case(((2, 2),), {"nonsingular": True}),
        operands=matrices.general,
    ),
    "solve": _matrices(
        *(
            Case((a, a, a[:-1], b), flags)
            for a, b in (
                ((3, 3), (3, 2)),
                ((2, 2, 2), (2, 2, 1)),
                ((0, 0), (0, 2)),
                ((2, 3, 3), (2, 3, 0)),
            )
            for flags in ({}, {"transpose": True})
        ),
        operands=matrices.factored,
        settle=matrices.factor_again,
    ),
    "qr": _matrices(*_rectangles({}), *_bases(), operands=matrices.general),
    "svd": _matrices(
        *_rectangles({}),
        *_bases(),
        operands=matrices.general,
        align=matrices.align_singular,
        arbitrary="c",
    ),
    "svdvals": _matrices(*_rectangles({}), operands=matrices.general),
    "eigh": _matrices(
        *_squares(),
        operands=matrices.symmetric,
        align=matrices.align_eigen,
        arbitrary="c",
    ),
    "eigvalsh": _matrices(*_squares(), operands=matrices.symmetric),
    "eig": _matrices(
        *_squares(),
        operands=matrices.apart,
        align=matrices.align_unordered,
        arbitrary="fc",
    ),
    "eigvals": _matrices(
        *_squares(), operands=matrices.apart, align=matrices.align_unordered
    ),
    "pinv": _matrices(
        *(Case((shape, shape[:-2])) for shape in RECTANGLES),
        operands=matrices.with_cutoff,
    ),
    # Fourier transforms.
    "fft": _transforms(({}, {"inverse": True}), operands=matrices.signal),
    "rfft": _transforms(({},), operands=matrices.signal),
    "irfft": structured(
        *(
            Case((shape,), {"axis": axis, "length": length})
            for shape, axis, length in (
                ((1,), 0, 1),
                ((2,), 0, 2),
                ((2,), 0, 3),
                ((3, 4), 1, 6),
                ((3, 4), 1, 7),
                ((2, 4, 3), 1, 7),
                ((0, 3), 1, 4),
            )
        ),
        ulps=16,
        normwise=True,
        operands=matrices.signal,
    ),
    # Contraction.
    "dot_general": structured(
        _dot((2, 3), (3, 4), contract=((1,), (0,))),
        _dot((3,), (3,), contract=((0,), (0,))),
        _dot((2, 3, 5), (5, 2, 4), ((0,), (1,)), ((2,), (0,))),
        _dot((2, 3, 4), (4, 2, 3), ((), ()), ((0, 2), (1, 0))),
        _dot((2,), (3,)),
        _dot((), (2, 1)),
        _dot((2, 0), (0, 3), contract=((1,), (0,))),
        _dot((0, 2), (2, 1), contract=((1,), (0,))),
        _dot((3, 2), (3, 2), ((0, 1), (0, 1))),
        ulps=8,
        accumulates=True,
        draw=op_cases.dot_general,
    ),
    "convolution": structured(
        *CONVOLUTIONS, ulps=8, accumulates=True, draw=op_cases.convolution
    ),
    # Windows.
    "reduce_window_sum": windowed(ulps=8, accumulates=True),
    "reduce_window_max": windowed(signed_zeros=False),
    "reduce_window_min": windowed(signed_zeros=False),
    "sum_where_equal": windowed(3, ulps=8, accumulates=True),
}


def dtypes(op: Record) -> list[np.dtype[Any]]:
    """The dtypes that an op takes: those of the operand that may have most."""
    values = op.operands or op.results
    widest = max((value.elements for value in values[::-1]), key=len)
    return [BY_MLIR_NAME[element] for element in widest]


def operand_dtypes(op: Record, dtype: np.dtype[Any], count: int) -> list[np.dtype[Any]]:
    """The dtype of each operand where `dtype` is the one that may be chosen."""
    return [
        dtype
        if MLIR_NAMES[dtype] in value.elements
        else BY_MLIR_NAME[value.elements[0]]
        for value in operand_values(op, count)
    ]


def operand_values(op: Record, count: int) -> list[Value]:
    """What each of `count` operands may be; the last of an op may repeat."""
    last = op.operands[-1:] * (count - len(op.operands) + 1)
    return [*op.operands[:-1], *last][:count]


def drawn_operands(
    row: Row, case: Case, dtype: np.dtype[Any], random: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """The operands that a row draws for a case, at a dtype."""
    assert row.operands is not None
    dtypes = {"f": real_dtype(dtype), "c": dtype}
    drawn = row.operands(case, random, dtype.kind == "c")
    return tuple(np.asarray(x, dtypes.get(x.dtype.kind, x.dtype)) for x in drawn)


# ---- samples ----


def awkward(dtype: np.dtype[Any]) -> np.ndarray:
    """Values at which implementations differ."""
    if code(dtype) == "b":
        return np.array([False, True])
    if code(dtype) in "iu":
        info = np.iinfo(dtype)
        values = [info.min, info.min + 1, info.max, info.max - 1, 0, 1, 2, 3, 7]
        values += [-1, -2, -3, -7] * (code(dtype) == "i")
        values += [info.bits - 1, info.bits, info.bits + 1]
        return np.array(values, dtype)
    if dtype.kind == "c":
        grid = np.meshgrid(*[awkward(real_dtype(dtype))] * 2)
        return join(*(part.ravel() for part in grid))
    info = limits(dtype)
    finite = [
        0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 0.1, 1e-8, 100.0, 127.5, 255.0, 65536.0,
        2.0**31, 2.0**32, 2.0**63, 2.0**64, np.pi / 2, info.tiny,
        info.smallest_subnormal, info.max, info.eps, 1 + info.eps, 1 - info.eps, np.inf,
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        values = np.array([*finite, *[-value for value in finite], np.nan], "f8")
        return rounded(values, dtype)


def drawn(dtype: np.dtype[Any], count: int, random: np.random.Generator) -> np.ndarray:
    """Values of all sizes."""
    if code(dtype) == "b":
        return random.random(count) < 0.5
    if code(dtype) in "iu":
        info = np.iinfo(dtype)
        wide = random.integers(info.min, info.max, count, dtype, endpoint=True)
        small = random.integers(0, 9, count).astype(dtype)
        return np.where(random.random(count) < 0.5, wide, small)
    if dtype.kind == "c":
        return join(*(drawn(real_dtype(dtype), count, random) for _ in range(2)))
    sizes = 10.0 ** random.choice([0.0, 0.0, 1.0, 2.0, -3.0, 8.0, -20.0], count)
    with np.errstate(all="ignore"):
        return rounded(random.normal(size=count) * sizes, dtype)


def values(
    dtypes: Sequence[np.dtype[Any]], random: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Operands of an elementwise op: all pairs of awkward values, and drawn ones."""
    grids = [awkward(dtype) for dtype in dtypes]
    if len(grids) > 2:
        grids = [random.choice(grid, 997) for grid in grids]
    elif len(grids) == 2 and dtypes[-1].kind == "c":
        grids = [random.choice(grid, 4999) for grid in grids]
    else:
        grids = [grid.ravel() for grid in np.meshgrid(*grids)]
    return tuple(
        np.concatenate([grid, drawn(dtype, 1009, random)])
        for grid, dtype in zip(grids, dtypes, strict=True)
    )
