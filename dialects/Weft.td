// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `weft` dialect: its array types and the base classes of its ops. A base
// class turns the one-line facts of a record in Ops.td into C++.

#ifndef WEFT_WEFT_TD
#define WEFT_WEFT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/Interfaces.td"

def Weft_Dialect : Dialect {
  let name = "weft";
  let cppNamespace = "::weft";
  let summary = "Array programs: what they mean, for no machine in particular.";
  let description = [{
    Values are arrays: builtin tensors of static shape whose elements are
    `i1` (bool), `i8`..`i64` (signed), `ui8`..`ui64`, `f16`, `bf16`, `f32`,
    `f64`, or complex numbers of two `f32` or `f64`; `f8E4M3FN` and `f8E5M2` are
    stored, moved and converted only. Of a 16-bit float one element is computed
    in f32 and rounded once, and sums and products are accumulated in f32. The
    one exception is a tape, `tensor<?x...>`: what a `weft.scan` of a length known
    at run time only keeps of its steps, for another one to read. Every op is
    pure. Elementwise ops never broadcast: `weft.broadcast` does.
    Derivatives and batching are ops too (`weft.linearize`, `weft.pullback`,
    `weft.jvp`, `weft.vmap`), which the pass `weft-expand-transforms` replaces
    by the ops that compute them.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::complex::ComplexDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect"
  ];
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Weft_Array<string predicate, string elements>
    : Type<CPred<"::weft::" # predicate # "($_self)">,
           "array of " # elements, "::mlir::RankedTensorType">;

def Weft_Any : Weft_Array<"isArray",
    "bool, integers, floats or complex (static shape, no encoding)">;
def Weft_Bool : Weft_Array<"isBoolArray", "bool (i1)">;
def Weft_Int : Weft_Array<"isIntArray", "i8..i64 or ui8..ui64">;
def Weft_UI64 : Weft_Array<"isUI64Array", "ui64">;
def Weft_Indices : Weft_Array<"isIndicesArray", "i64">;
def Weft_BoolOrInt : Weft_Array<"isBoolOrIntArray",
    "bool, i8..i64 or ui8..ui64">;
def Weft_Float : Weft_Array<"isFloatArray", "f16, bf16, f32 or f64">;
def Weft_Part : Weft_Array<"isPartArray", "f32 or f64">;
def Weft_Library : Weft_Array<"isLibraryArray",
    "f32, f64 or complex of those">;
def Weft_Complex : Weft_Array<"isComplexArray", "complex">;
def Weft_Inexact : Weft_Array<"isInexactArray", "floats or complex">;
def Weft_Real : Weft_Array<"isRealArray", "integers or floats (not bool)">;
def Weft_Ordered : Weft_Array<"isOrderedArray", "bool, integers or floats">;
def Weft_Num : Weft_Array<"isNumericArray",
    "integers, floats or complex (not bool)">;
def Weft_Index : Weft_Array<"isIndexArray", "one i64: tensor<i64>">;
def Weft_Tape : Type<CPred<"::weft::isTape($_self)">,
    "tape of bool, integers, floats or complex (only the leading size is dynamic)",
    "::mlir::RankedTensorType">;

def Weft_TensorOrBuffer : Type<
    CPred<"::llvm::isa<::mlir::RankedTensorType, ::mlir::MemRefType>($_self)">,
    "ranked tensor or buffer", "::mlir::ShapedType">;

def Weft_Residuals : TypeDef<Weft_Dialect, "Residuals"> {
  let mnemonic = "residuals";
  let summary = "What the backward pass of a linearized function keeps.";
  let description = [{
    `!weft.residuals<@f, [0, 2]>` is the second part of what `weft.linearize`
    of `@f` with respect to its operands 0 and 2 returns. `weft.pullback` and
    `weft.pushforward` take it apart. A function may have arguments of this
    type, but no results.
  }];
  let parameters = (ins
      "::mlir::FlatSymbolRefAttr":$callee,
      "::mlir::DenseI64ArrayAttr":$wrt);
  let assemblyFormat = "`<` $callee `,` $wrt `>`";
}

//===----------------------------------------------------------------------===//
// Base classes
//===----------------------------------------------------------------------===//

// The op multiplies and sums, so that its results are dear to compute again.
def Contraction : NativeOpTrait<"Contraction"> {
  let cppNamespace = "::weft";
}

// The op has no derivative: it is piecewise constant, or its values are not
// floating point. Every op is this, `Differentiable` or `ControlFlow`.
def NotDifferentiable : NativeOpTrait<"NotDifferentiable"> {
  let cppNamespace = "::weft";
}

class Weft_Op<string mnemonic, list<Trait> traits = []>
    : Op<Weft_Dialect, mnemonic, traits # [Pure]>;

// An elementwise op. `body` is a C++ expression of its operands' elements (see
// Scalar.h), `derivatives` one expression an operand of the tensors (see
// Calculus.h): `t` is a tangent or a cotangent, `r` the result, and the
// expression is t -> J t. `none` says that an operand has no derivative, an
// empty list that none has. `equations` are early returns of the folder. One
// list of expressions serves both modes where J is the factor of each element;
// an op that changes the type, or is linear over the reals only, says in
// `transposes` what it does to a cotangent.
class Weft_Elementwise<string mnemonic, list<string> names, string body,
                       list<string> derivatives, list<Trait> traits,
                       code equations = "",
                       list<string> transposes = derivatives,
                       code methods = "">
    : Weft_Op<mnemonic, traits # [
        DeclareOpInterfaceMethods<ScalarBody>, Batchable] #
        !if(!empty(derivatives), [NotDifferentiable],
            [DeclareOpInterfaceMethods<Differentiable, ["buildTangents"]>])> {
  let hasFolder = 1;

  defvar bindScalars = !interleave(!foreach(i, !range(!size(names)),
      "[[maybe_unused]] auto " # names[i] # " = scalar(args, " # i # ");"),
      " ");
  defvar bindTensors = !interleave(!foreach(i, !range(!size(names)),
      "[[maybe_unused]] auto " # names[i] # " = tensor(getOperation()->getOperand(" # i #
      "));"), " ");
  defvar cases = !interleave(!foreach(i, !range(!size(derivatives)),
      "case " # i # ": return " # derivatives[i] # ";"), " ");
  defvar transposedCases = !interleave(!foreach(i, !range(!size(transposes)),
      "case " # i # ": return " # transposes[i] # ";"), " ");

  defvar scalarBody = [{
    ::mlir::Value $cppClass::buildScalarBody(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::ValueRange args) {
      using namespace ::weft::scalar;
      ScalarOperands scalar(*this, b, loc);
      }] # bindScalars # [{
      return scalar.result(}] # body # [{);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) {
      }] # equations # [{
      return ::weft::foldElementwise(*this, adaptor.getOperands());
    }
  }];
  defvar term = [{
        ::mlir::Operation *op, unsigned operand, ::weft::calculus::Tensor t) {
      using namespace ::weft::calculus;
      auto tensor = [&](::mlir::Value value) { return t.with(value); };
      auto getOperation = [&] { return op; };
      }] # bindTensors # [{
      [[maybe_unused]] auto r = tensor(op->getResult(0));
      switch (operand) { }];
  defvar derivative = "static ::weft::calculus::Tensor derivativeOf$cppClass("
    # term # cases # [{ }
      return none;
    }
    static ::weft::calculus::Tensor transposeOf$cppClass(}]
    # term # transposedCases # [{ }
      return none;
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildPullback(
        ::mlir::OpBuilder &b, ::mlir::Location loc,
        ::mlir::ValueRange cotangents) {
      return ::weft::pullbackOfElementwise(*this, b, loc, cotangents[0],
                                           transposeOf$cppClass);
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildTangents(
        ::mlir::OpBuilder &b, ::mlir::Location loc,
        ::mlir::ValueRange tangents) {
      return ::weft::tangentOfElementwise(*this, b, loc, tangents,
                                          derivativeOf$cppClass);
    }
  }];
  let extraClassDefinition =
      scalarBody # !if(!empty(derivatives), "", derivative) # methods;
}

class Weft_Unary<string mnemonic, Type type, string body,
                 list<string> derivative, list<Trait> traits = [],
                 code equations = "">
    : Weft_Elementwise<mnemonic, ["x"], body, derivative,
                       traits # [SameOperandsAndResultType], equations> {
  let arguments = (ins type:$x);
  let results = (outs type:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

// A unary op of the `math` dialect.
class Weft_Math<string mnemonic, string op, list<string> derivative,
                list<Trait> traits = []>
    : Weft_Unary<mnemonic, Weft_Float,
                 "apply<::mlir::math::" # op # "Op>(x)", derivative, traits>;

class Weft_Binary<string mnemonic, Type type, string body,
                  list<string> derivatives, list<Trait> traits = [],
                  code equations = "">
    : Weft_Elementwise<mnemonic, ["x", "y"], body, derivatives,
                       traits # [SameOperandsAndResultType], equations> {
  let arguments = (ins type:$x, type:$y);
  let results = (outs type:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

// A function that is differentiated `by[i]` times by operand i: its derivatives
// are itself, differentiated once more.
class Weft_Partial<string mnemonic, list<string> names, string body>
    : Weft_Elementwise<mnemonic, names, body,
          !foreach(i, !range(!size(names)), "t * raised(op, " # i # ", t)"),
          [SameOperandsAndResultType], methods = [{
    ::llvm::LogicalResult $cppClass::verify() {
      return ::weft::verifyOrders(*this, getBy());
    }
  }]> {
  let results = (outs Weft_Float:$result);
  let hasVerifier = 1;
}

// The result has the operand's shape and bool elements.
def Weft_BoolResult : TypesMatchWith<"result is bool, of the operand's shape",
    "x", "result", "::weft::boolLike($_self)">;

// The result has the operand's shape and no imaginary parts.
def Weft_RealResult : TypesMatchWith<"result is real, of the operand's shape",
    "x", "result", "::weft::realLike($_self)">;

class Weft_Predicate<string mnemonic, Type type, string body>
    : Weft_Elementwise<mnemonic, ["x"], body, [], [Weft_BoolResult]> {
  let arguments = (ins type:$x);
  let results = (outs Weft_Bool:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

class Weft_Comparison<string mnemonic, Type type, string body,
                      string onSelf, list<Trait> traits = []>
    : Weft_Elementwise<mnemonic, ["x", "y"], body, [],
                       traits # [SameTypeOperands, Weft_BoolResult],
    // x ? x is known for integers; NaN forbids it for floats.
    "if (auto known = ::weft::foldSelfComparison(*this, " # onSelf #
    ")) return known;"> {
  let arguments = (ins type:$x, type:$y);
  let results = (outs Weft_Bool:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

// An op whose result type follows from operands and attributes: one function
// of its family's file serves inference and verification alike.
class Weft_Inferred<string mnemonic, list<Trait> traits = []>
    : Weft_Op<mnemonic, traits # [
        DeclareOpInterfaceMethods<InferTypeOpInterface>]>;

// An op on matrices that a numerical library computes, one at a time: the last
// two dimensions are those of a matrix, all others are stacks of them.
class Weft_Matrix<string mnemonic, list<string> batching = []>
    : Weft_Inferred<mnemonic, [Contraction,
        DeclareOpInterfaceMethods<Batchable, batching>,
        DeclareOpInterfaceMethods<LibraryKernel>,
        DeclareOpInterfaceMethods<Differentiable, ["buildTangents"]>]> {
  let extraClassDeclaration = [{
    static ::llvm::LogicalResult inferTypes(
        std::optional<::mlir::Location> loc, ::mlir::ValueRange operands,
        ::mlir::OpaqueProperties properties,
        ::llvm::SmallVectorImpl<::mlir::Type> &types);
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      return inferTypes(loc, operands, properties, types);
    }
  }];
}

def Weft_Elements : Attr<
    CPred<"::llvm::isa<::mlir::DenseElementsAttr>($_self)">,
    "dense elements"> {
  let storageType = "::mlir::DenseElementsAttr";
  let returnType = "::mlir::DenseElementsAttr";
  let convertFromStorage = "$_self";
}

#endif // WEFT_WEFT_TD
