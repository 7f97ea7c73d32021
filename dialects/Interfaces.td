// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes ask of an op. A pass knows these questions and no op.

#ifndef WEFT_INTERFACES_TD
#define WEFT_INTERFACES_TD

include "mlir/IR/OpBase.td"

def ScalarBody : OpInterface<"ScalarBody"> {
  let cppNamespace = "::weft";
  let description = [{
    An elementwise op that can say what it does to one element.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the op on scalars, one per operand, of signless types (`i1` for
      bool), and returns the scalar result. The op itself knows which integers
      are unsigned.
    }],
    "::mlir::Value", "buildScalarBody",
    (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
         "::mlir::ValueRange":$args)>
  ];
}

def Differentiable : OpInterface<"Differentiable"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that can build its own derivative, as ops of the dialect.
  }];
  let methods = [
    InterfaceMethod<[{
      Maps one cotangent per result (null: zero) to one per operand. Cotangents
      are transposed, not conjugated. Operands that are not inexact, or
      whose cotangent is zero, get null.
    }],
    "::llvm::SmallVector<::mlir::Value>", "buildPullback",
    (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
         "::mlir::ValueRange":$cotangents)>,
    InterfaceMethod<[{
      Maps one tangent per operand (null: zero, and not all of them are) to one
      per result (null: zero, or not inexact). Unless the op says
      otherwise it is linear in its inexact operands together.
    }],
    "::llvm::SmallVector<::mlir::Value>", "buildTangents",
    (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
         "::mlir::ValueRange":$tangents), "",
    [{ return ::weft::applyToTangents($_op, b, loc, tangents); }]>
  ];
}

def Batchable : OpInterface<"Batchable"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that can widen itself: do for a stack of inputs at once what it does
    for one.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the op for `size` inputs. Operands for which `batched` holds are
      stacked along a new leading axis of that size, at least one of them; the
      others are as they were. Every result is stacked along its leading axis.
      Unless the op says otherwise it is elementwise: the other operands are
      repeated, and the result types widened.
    }],
    "::llvm::SmallVector<::mlir::Value>", "buildBatched",
    (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
         "::mlir::ValueRange":$operands,
         "const ::llvm::SmallBitVector &":$batched, "int64_t":$size), "",
    [{ return ::weft::widen($_op, b, loc, operands, batched, size); }]>
  ];
}

def ControlFlow : OpInterface<"ControlFlow"> {
  let cppNamespace = "::weft";
  let description = [{
    An op with bodies, which asks a `Transformer` for the derivatives and the
    batched versions of those. Operand and result sets are bit vectors.
  }];
  let methods = [
    InterfaceMethod<[{
      The floating results that depend on the given operands through floats.
    }],
    "::llvm::SmallBitVector", "dependentResults",
    (ins "::weft::Transformer &":$transformer,
         "const ::llvm::SmallBitVector &":$operands)>,
    InterfaceMethod<[{
      Reverse mode. `forward` builds in place of the op one that also keeps
      what the backward pass needs; `backward` builds that, from one cotangent
      per result (null: zero), for the operands in `active`.
    }],
    "::mlir::FailureOr<::weft::ReversedOp>", "buildReverse",
    (ins "::weft::Transformer &":$transformer, "::mlir::OpBuilder &":$forward,
         "::mlir::OpBuilder &":$backward, "::mlir::Location":$loc,
         "const ::llvm::SmallBitVector &":$active,
         "::mlir::ValueRange":$cotangents)>,
    InterfaceMethod<[{
      Forward mode: builds one op that gives results and tangents, from one
      tangent per operand (null: zero).
    }],
    "::mlir::FailureOr<::weft::ForwardedOp>", "buildForward",
    (ins "::weft::Transformer &":$transformer, "::mlir::OpBuilder &":$b,
         "::mlir::Location":$loc, "::mlir::ValueRange":$tangents)>,
    InterfaceMethod<[{
      Builds the op for `size` inputs; see Batchable. Of the results, those in
      `BatchedOp::batched` are stacked.
    }],
    "::mlir::FailureOr<::weft::BatchedOp>", "buildBatched",
    (ins "::weft::Transformer &":$transformer, "::mlir::OpBuilder &":$b,
         "::mlir::Location":$loc, "::mlir::ValueRange":$operands,
         "const ::llvm::SmallBitVector &":$batched, "int64_t":$size)>
  ];
}

def Reduction : OpInterface<"Reduction"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that combines the elements along some axes by an associative and
    commutative function of two scalars.
  }];
  let methods = [
    InterfaceMethod<"The axes that disappear, ascending.",
      "::llvm::ArrayRef<int64_t>", "getReducedAxes">,
    InterfaceMethod<[{
      Combines two scalars of signless type; the accumulator, and the result,
      are of the type that elements are computed in.
    }],
      "::mlir::Value", "buildCombiner",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::Value":$accumulator, "::mlir::Value":$x)>,
    InterfaceMethod<[{
      The neutral element, of the accumulator's type; see buildConstant.
    }],
      "::mlir::Attribute", "getNeutral">
  ];
}

def WindowReduction : OpInterface<"WindowReduction"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that combines the elements of each window of its operands by an
    associative and commutative function. A third operand has one element for
    each window instead.
  }];
  let methods = [
    InterfaceMethod<"How the window moves.", "::weft::Windows", "getWindows">,
    InterfaceMethod<[{
      Combines what there is with an element of each operand, all of signless
      type.
    }],
      "::mlir::Value", "buildCombiner",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::Value":$accumulator, "::mlir::ValueRange":$elements)>,
    InterfaceMethod<[{
      The neutral element, of the accumulator's type; see buildConstant.
    }],
      "::mlir::Attribute", "getNeutral">
  ];
}

def Scatter : OpInterface<"Scatter"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that combines the slices of one array into places of another, one
    after the other.
  }];
  let methods = [
    InterfaceMethod<"The dimensions that indices address, and how.",
      "::weft::Places", "getPlaces">,
    InterfaceMethod<[{
      Combines an element and what is scattered to it, of signless type. The
      result is of the type of `old`: an element's, or what it is computed in.
    }],
      "::mlir::Value", "buildCombiner",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::Value":$old, "::mlir::Value":$update)>,
    InterfaceMethod<[{
      Whether combining rounds, so that narrow floats are accumulated in the
      type that they are computed in.
    }],
      "bool", "accumulates">
  ];
}

def Cumulative : OpInterface<"Cumulative"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that goes along an axis, each element of the result combined of the
    one before it and the elements of the operands there.
  }];
  let methods = [
    InterfaceMethod<"The axis.", "int64_t", "getCumulatedAxis">,
    InterfaceMethod<"Whether it goes from the last element to the first.",
      "bool", "isBackwards">,
    InterfaceMethod<[{
      Combines the element before, of the type that elements are computed in,
      and those of the operands, of signless type; `before` is null at the
      first.
    }],
      "::mlir::Value", "buildStep",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::Value":$before, "::mlir::ValueRange":$operands)>
  ];
}

def LibraryKernel : OpInterface<"LibraryKernel"> {
  let cppNamespace = "::weft";
  let description = [{
    An op that one kernel of a numerical library computes, on arrays in
    row-major order: all its results at once, for each of a stack of inputs.
  }];
  let methods = [
    InterfaceMethod<[{
      Which kernel, what it reads, and the numbers that it is called with.
    }],
      "::weft::Kernel", "getKernel">
  ];
}

#endif // WEFT_INTERFACES_TD
