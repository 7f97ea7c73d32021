"""Wrong operations: records with operands, types and attributes that do not fit.

Run as a script, builds them in this process through the Python builders, saying
before each which one it is: the parent learns which one did not come back.
"""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import op_table
from records import Record, records
from test_ops import attribute_text, instances
from weft.dtypes import MLIR_NAMES

# Types that ops of the dialect see in no program.
FOREIGN = (
    "f32", "index", "i1", "none", "tuple<>", "memref<4xf32>", "vector<4xf32>",
    "complex<f32>", "tensor<*xf32>", "tensor<?xf32>", "tensor<2x?xi32>",
    "tensor<4xf80>", "tensor<4xtf32>", "tensor<4xf8E4M3>", "tensor<4xcomplex<f16>>",
    "tensor<4xcomplex<i32>>",
    "tensor<4xsi32>", "tensor<4xindex>", "tensor<4xi4>", "tensor<4xi128>",
    "tensor<4xui1>", 'tensor<4xf32, "encoding">', "tensor<9223372036854775807xf32>",
    "tensor<4611686018427387904x4xf32>", "tensor<0x9223372036854775807xi8>",
    "tensor<1152921504606846976x16xf64>", "tensor<4xvector<2xf32>>",
    "!weft.residuals<@f, [0]>", "!weft.residuals<@g, [-1, 9223372036854775807]>",
    "!weft.residuals<@f, []>",
)  # fmt: skip
# Types that they do see, elsewhere.
NATIVE = (
    "tensor<f32>", "tensor<4xf32>", "tensor<4xf64>", "tensor<4xi1>", "tensor<i1>",
    "tensor<4xi8>", "tensor<2x3xui64>", "tensor<4xcomplex<f32>>",
    "tensor<2xcomplex<f64>>", "tensor<0xf32>", "tensor<2x0x3xf64>",
    "tensor<1xi32>", "tensor<1x1x1x1x1x1x1x1xf32>", "tensor<65536x65536xi8>",
    "tensor<4xf16>", "tensor<4xbf16>", "tensor<4xf8E4M3FN>", "tensor<f8E5M2>",
)  # fmt: skip
MAX, MIN = 2**63 - 1, -(2**63)
ATTRIBUTES = (
    "unit", "true", '"text"', "@f", "@nowhere", "@f::@g", "[]", "[0]", "{}", "f32",
    "1.0 : f64", "0 : i64", "1 : i64", "-1 : i64", f"{MAX} : i64", f"{MIN} : i64",
    "0 : i32", "0 : index", "7 : ui64", "array<i64>", "array<i64: 0>", "array<i64: 1>",
    "array<i64: -1>", "array<i64: 0, 0>", "array<i64: 0, 1>", "array<i64: 1, 0>",
    f"array<i64: {MAX}>", f"array<i64: {MIN}>", f"array<i64: {MAX}, {MAX}>",
    "array<i64: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9>", "array<i32: 0>", "array<i1: true>",
    "array<f64: 0.0>", "dense<0> : tensor<1xi64>", "dense<1.0> : tensor<4xf32>",
    "dense<true> : tensor<4xi1>", "dense<> : tensor<0xf32>", "dense<1> : vector<2xi64>",
    "dense<0> : tensor<65536x65536xi8>", "dense<2.0> : tensor<f16>",
    "dense_resource<none> : tensor<4xf32>",
    'sparse<0, 1.0> : tensor<4xf32>', "loc(unknown)", "affine_map<(d0) -> (d0)>",
)  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """An operation as text: types and attributes, spelled."""

    name: str
    operands: tuple[str, ...]
    results: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = ", ".join(f"%{i}" for i in range(len(self.operands)))
        arguments = ", ".join(f"%{i}: {x}" for i, x in enumerate(self.operands))
        attributes = ", ".join(
            f"{key} = {text}" for key, text in self.attributes.items()
        )
        regions = f" ({', '.join(self.regions)})" if self.regions else ""
        results = f"%r:{len(self.results)} = " if self.results else ""
        return (
            "func.func private @f(tensor<4xf32>) -> tensor<4xf32>\n"
            f"func.func @fuzz({arguments}) {{\n"
            f'  {results}"{self.name}"({names}){regions} {{{attributes}}} : '
            f"({', '.join(self.operands)}) -> ({', '.join(self.results)})\n"
            "  return\n}\n"
        )


_ARRAY, _KEPT = "tensor<4xf32>", "!weft.residuals<@f, [0]>"
_OF_F = {"callee": "@f", "wrt": "array<i64: 0>"}
_SEGMENTS = "operandSegmentSizes"

# The ops that transform or organize others, which have no rows in the op table.
ORGANIZING = {
    name: [Operation(f"weft.{name}", operands, results, attributes)]
    for name, operands, results, attributes in (
        ("linearize", (_ARRAY,), (_ARRAY, _KEPT), _OF_F),
        ("pullback", (_KEPT, _ARRAY), (_ARRAY,), {}),
        ("pushforward", (_KEPT, _ARRAY), (_ARRAY,), {}),
        ("jvp", (_ARRAY, _ARRAY), (_ARRAY, _ARRAY),
         _OF_F | {_SEGMENTS: "array<i32: 1, 1>"}),
        ("vmap", ("tensor<2x4xf32>",), ("tensor<2x4xf32>",),
         {"callee": "@f", "size": "2 : i64", "in_axes": "array<i64: 0>",
          "out_axes": "array<i64: 0>"}),
        ("library_call", (_ARRAY, _ARRAY), (_ARRAY,),
         {"kernel": '"none_f32"', "sizes": "array<i64: 4>",
          _SEGMENTS: "array<i32: 1, 1>"}),
        ("barrier", (_ARRAY, "tensor<i1>"), (_ARRAY, "tensor<i1>"), {}),
    )
}  # fmt: skip

_BODY = '{^bb0(%a: tensor<f32>): "weft.yield"(%a) : (tensor<f32>) -> ()}'
_COND = (
    '{^bb0(%a: tensor<f32>): %p = "weft.isnan"(%a) : (tensor<f32>) -> tensor<i1>'
    ' "weft.yield"(%p) : (tensor<i1>) -> ()}'
)
_STEP = (
    "{^bb0(%a: tensor<f32>, %x: tensor<4xf32>):"
    '"weft.yield"(%a, %x) : (tensor<f32>, tensor<4xf32>) -> ()}'
)
# Bodies that fit no op, or hardly one.
BODIES = (
    "{}", "{^bb0:}", "{^bb0(%a: f32):}", '{"weft.yield"() : () -> ()}',
    '{"func.return"() : () -> ()}', '{"llvm.unreachable"() : () -> ()}',
    '{^bb0(%a: !weft.residuals<@f, [0]>): "weft.yield"() : () -> ()}',
    '{"cf.br"()[^bb1] : () -> () ^bb1: "weft.yield"() : () -> ()}',
    '{%b = "test.source"() : () -> tensor<f32>}', _BODY, _COND, _STEP,
)  # fmt: skip

_F32, _I64 = "tensor<f32>", "tensor<i64>"
ORGANIZING |= {
    "switch": [Operation("weft.switch", (_I64, _F32), (_F32,), {}, (_BODY, _BODY))],
    "while": [
        Operation(
            "weft.while", (_F32,), (_F32,), {_SEGMENTS: "array<i32: 1, 0>"},
            (_COND, _BODY),
        )
    ],
    "scan": [
        Operation(
            "weft.scan", (_F32, "tensor<3x4xf32>"), (_F32, "tensor<3x4xf32>"),
            {"length": "3 : i64", _SEGMENTS: "array<i32: 0, 1, 1, 0>"}, (_STEP,),
        ),
        Operation(
            "weft.scan", (_I64, _F32, "tensor<?x4xf32>"), (_F32, "tensor<?x4xf32>"),
            {"reverse": "unit", _SEGMENTS: "array<i32: 1, 1, 1, 0>"}, (_STEP,),
        ),
    ],
    "yield": [Operation("weft.yield", (_F32,), ())],
}  # fmt: skip


def valid(op: Record) -> list[Operation]:
    """An op as it should be, at a few dtypes."""
    if not op.computes_arrays:
        return list(ORGANIZING.get(op.name, ()))
    found = []
    for dtype in op_table.dtypes(op)[-5::2]:
        for instance in instances(op, dtype)[:4]:
            element = [f"{MLIR_NAMES[x.dtype]}>" for x in instance.operands]
            shapes = ["x".join(map(str, x.shape)) for x in instance.operands]
            types = (
                f"tensor<{shape}{'x' if shape else ''}{end}"
                for shape, end in zip(shapes, element, strict=True)
            )
            attributes = {
                key: attribute_text(value) for key, value in instance.attributes.items()
            }
            found.append(
                Operation(
                    f"weft.{op.name}",
                    tuple(types),
                    tuple(spec.mlir for spec in instance.results),
                    attributes,
                )
            )
    return found


# ---- mutations ----

Random = random.Random
Mutation = Callable[[Operation, Random], Operation]


def _some_type(draw: Random) -> str:
    return draw.choice(draw.choice((FOREIGN, NATIVE)))


def _changed(types: tuple[str, ...], draw: Random) -> tuple[str, ...]:
    """A list of types with one more, one less, or another one."""
    changed = list(types)
    where = draw.randrange(len(changed) + 1)
    if where < len(changed) and draw.random() < 0.75:
        changed[where] = _some_type(draw)
    elif where < len(changed) and draw.random() < 0.5:
        del changed[where]
    else:
        changed.insert(where, _some_type(draw))
    return tuple(changed)


def _other_operands(operation: Operation, draw: Random) -> Operation:
    return replace(operation, operands=_changed(operation.operands, draw))


def _other_results(operation: Operation, draw: Random) -> Operation:
    return replace(operation, results=_changed(operation.results, draw))


def _one_type(operation: Operation, draw: Random) -> Operation:
    """All operands and results of one foreign type, as most constraints ask."""
    chosen = _some_type(draw)
    return replace(
        operation,
        operands=(chosen,) * len(operation.operands),
        results=(chosen,) * len(operation.results),
    )


def _other_attribute(operation: Operation, draw: Random) -> Operation:
    attributes = dict(operation.attributes)
    names = [*attributes, "unknown", "operandSegmentSizes", "value", "axes"]
    attributes[draw.choice(names)] = draw.choice(ATTRIBUTES)
    return replace(operation, attributes=attributes)


def _no_attribute(operation: Operation, draw: Random) -> Operation:
    attributes = dict(operation.attributes)
    if attributes:
        del attributes[draw.choice(list(attributes))]
    return replace(operation, attributes=attributes)


def _region(operation: Operation, draw: Random) -> Operation:
    """Other bodies, or some where there should be none."""
    bodies = (*operation.regions, *BODIES)
    count = draw.choice((0, 1, 1, 2))
    return replace(operation, regions=tuple(draw.choices(bodies, k=count)))


MUTATIONS: tuple[Mutation, ...] = (
    _other_operands, _other_operands, _other_results, _one_type, _other_attribute,
    _other_attribute, _other_attribute, _no_attribute, _region,
)  # fmt: skip


def wrong_operations(count: int, seed: int) -> Iterator[Operation]:
    """`count` operations an op, changed at one to three places."""
    for op in records().values():
        draw = Random(f"{op.name} {seed}")
        for start in draw.choices(valid(op), k=count):
            operation = start
            for mutate in draw.choices(MUTATIONS, k=draw.choice((1, 1, 2, 3))):
                operation = mutate(operation, draw)
            yield operation


# ---- through the builders ----


def build(operation: Operation, context: object, infer: bool) -> None:
    """Makes the operation with upstream's builders and verifies it."""
    from mlir import ir

    with ir.Location.unknown(context):
        module = ir.Module.parse(
            "func.func private @f(tensor<4xf32>) -> tensor<4xf32>", context
        )
        types = [ir.Type.parse(text) for text in operation.operands]
        with ir.InsertionPoint(module.body):
            source = ir.Operation.create("test.source", results=types)
            attributes = {
                key: ir.Attribute.parse(text)
                for key, text in operation.attributes.items()
            }
            results = [ir.Type.parse(text) for text in operation.results]
            made = ir.Operation.create(
                operation.name,
                results=None if infer else results,
                operands=list(source.results),
                attributes=attributes,
                regions=len(operation.regions),
                infer_type=infer,
            )
            made.verify()
            str(made)


def build_all(count: int, seed: int) -> None:
    """Builds every wrong operation, with and without type inference."""
    from mlir import ir

    from weft import _weft

    context = ir.Context()
    context.allow_unregistered_dialects = True
    _weft.register_dialects(context)
    refused = made = 0
    for operation in wrong_operations(count, seed):
        for infer in (False, True):
            print(f"// infer_type={infer}\n{operation}", flush=True)
            try:
                build(operation, context, infer)
                made += 1
            except (ir.MLIRError, ValueError, TypeError, RuntimeError):
                refused += 1
    print(f"// {refused} refused, {made} built")


if __name__ == "__main__":
    build_all(int(sys.argv[1]), int(sys.argv[2]))
