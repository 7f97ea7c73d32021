"""What Ops.td says of each op: the tests' only list of ops, read with llvm-tblgen."""

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import json
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("WEFT_BUILD", ROOT / "build"))
WEFT_OPT = BUILD / "bin" / "weft-opt"

# The element types of the type constraints in Weft.td.
INTEGERS = ("i8", "i16", "i32", "i64", "ui8", "ui16", "ui32", "ui64")
FLOATS = ("f16", "bf16", "f32", "f64")
COMPLEX = ("complex<f32>", "complex<f64>")
ORDERED = ("i1", *INTEGERS, "f8E4M3FN", "f8E5M2", *FLOATS)
STORED = (*ORDERED, *COMPLEX)
ELEMENTS = {
    "Weft_Any": STORED,
    "Weft_Bool": ("i1",),
    "Weft_Int": INTEGERS,
    "Weft_UI64": ("ui64",),
    "Weft_Indices": ("i64",),
    "Weft_BoolOrInt": ("i1", *INTEGERS),
    "Weft_Float": FLOATS,
    "Weft_Part": ("f32", "f64"),
    "Weft_Library": ("f32", "f64", *COMPLEX),
    "Weft_Complex": COMPLEX,
    "Weft_Inexact": (*FLOATS, *COMPLEX),
    "Weft_Real": (*INTEGERS, *FLOATS),
    "Weft_Ordered": ORDERED,
    "Weft_Num": (*INTEGERS, *FLOATS, *COMPLEX),
    "Weft_Residuals": (),
    "Weft_AnyOrResiduals": STORED,
    "Weft_AnyOrTape": STORED,
    "Weft_Index": ("i64",),
    "Weft_TensorOrBuffer": (),
}


@dataclass(frozen=True)
class Value:
    """An operand or a result: its name, its type constraint, whether it repeats."""

    name: str
    constraint: str
    variadic: bool = False

    @property
    def elements(self) -> tuple[str, ...]:
        """The element types that the constraint allows."""
        return ELEMENTS[self.constraint]


@dataclass(frozen=True)
class Record:
    """One op."""

    name: str
    summary: str
    line: int
    operands: tuple[Value, ...]
    attributes: dict[str, str]
    results: tuple[Value, ...]
    traits: frozenset[str]
    bases: tuple[str, ...]

    @property
    def is_transformation(self) -> bool:
        """Whether it is about a function rather than about arrays."""
        return "SymbolUserOpInterface" in self.traits

    @property
    def computes_arrays(self) -> bool:
        """Whether people call it: it gives arrays, as many each time."""
        return bool(self.results) and not any(r.variadic for r in self.results)

    @property
    def is_elementwise(self) -> bool:
        """Whether it says what it does to one element."""
        return "ScalarBody" in self.traits

    @property
    def is_differentiable(self) -> bool:
        """Whether it has a derivative rule."""
        return "Differentiable" in self.traits

    def __str__(self) -> str:
        return self.name


def _tools() -> Path:
    """The folder of the LLVM that the build found."""
    cache_file = (BUILD / "CMakeCache.txt").read_text()
    found = re.search(r"^LLVM_DIR:\w+=(.+)/lib/cmake/llvm$", cache_file, re.MULTILINE)
    assert found, "the build has not found LLVM"
    return Path(found[1])


def _dump() -> dict[str, Any]:
    llvm = _tools()
    command = [
        llvm / "bin/llvm-tblgen", "--dump-json", "-I", ROOT, "-I", llvm / "include",
        ROOT / "dialects/Ops.td",
    ]  # fmt: skip
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def _values(dump: dict[str, Any], dag: dict[str, Any]) -> tuple[Value, ...]:
    values = []
    for constraint, name in dag["args"]:
        record, variadic = dump[constraint["def"]], False
        if {"Variadic", "Optional"} & set(record["!superclasses"]):
            record, variadic = dump[record["baseType"]["def"]], True
        if "TypeConstraint" in record["!superclasses"]:
            values.append(Value(name, record["!name"], variadic))
    return tuple(values)


def _traits(dump: dict[str, Any], record: dict[str, Any]) -> frozenset[str]:
    found = set()
    for trait in record["traits"]:
        fields = dump[trait["def"]]
        found.add(fields.get("cppInterfaceName") or fields.get("trait") or trait["def"])
    return frozenset(found)


def _record(dump: dict[str, Any], record: dict[str, Any]) -> Record:
    attributes = {
        name: constraint["def"]
        for constraint, name in record["arguments"]["args"]
        if "AttrConstraint" in dump[constraint["def"]]["!superclasses"]
    }
    return Record(
        name=record["opName"],
        summary=record["summary"],
        line=int(record["!locs"][0].rpartition(":")[2]),
        operands=_values(dump, record["arguments"]),
        attributes=attributes,
        results=_values(dump, record["results"]),
        traits=_traits(dump, record),
        bases=tuple(record["!superclasses"]),
    )


@cache
def records() -> dict[str, Record]:
    """Every op of the dialect by its name, in the order of Ops.td."""
    dump = _dump()
    ops = (dump[name] for name in dump["!instanceof"]["Op"])
    own = (op for op in ops if op["opDialect"]["def"] == "Weft_Dialect")
    found = sorted((_record(dump, op) for op in own), key=lambda op: op.line)
    return {record.name: record for record in found}


def array_ops() -> list[Record]:
    """The ops that compute arrays: not those that transform or organize others."""
    return [record for record in records().values() if record.computes_arrays]
