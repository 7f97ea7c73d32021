// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What both modes of differentiation share: which values move with others,
// where the ops that they build come from, and what they cannot do.

#ifndef WEFT_DIALECTS_TRANSFORMS_DERIVATIVES_H
#define WEFT_DIALECTS_TRANSFORMS_DERIVATIVES_H

#include "dialects/Weft.h"

namespace weft {

/// Adds to `active` the values of `body` that depend on those in it, through
/// floats.
void markActive(mlir::Block &body, llvm::DenseSet<mlir::Value> &active,
                mlir::SymbolTable &symbols, Transformer &transformer);

/// Where an op of the `mode` ("jvp", "vjp") of `function` comes from: the rule
/// of `op`, at the place of that.
mlir::Location derivativeLoc(llvm::StringRef mode, mlir::func::FuncOp function,
                             mlir::Operation *op);

/// A zero of the type of an array.
mlir::Value zeroOf(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type);

/// Whether `function` has a body of one block, else a diagnostic.
mlir::LogicalResult verifyDifferentiable(mlir::func::FuncOp function);
/// Says that no interface of `op` tells its derivative.
mlir::LogicalResult emitMissingRule(mlir::Operation *op);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_DERIVATIVES_H
