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
      are transposed, not conjugated. Operands that are not floating point, or
      whose cotangent is zero, get null.
    }],
    "::llvm::SmallVector<::mlir::Value>", "buildPullback",
    (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
         "::mlir::ValueRange":$cotangents)>
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
    InterfaceMethod<"Combines two scalars of signless type.",
      "::mlir::Value", "buildCombiner",
      (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc,
           "::mlir::Value":$accumulator, "::mlir::Value":$x)>,
    InterfaceMethod<"The neutral element, as an attribute of signless type.",
      "::mlir::TypedAttr", "getNeutral">
  ];
}

#endif // WEFT_INTERFACES_TD
