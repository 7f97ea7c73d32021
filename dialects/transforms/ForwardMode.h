// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forward mode of one function.

#ifndef WEFT_DIALECTS_TRANSFORMS_FORWARDMODE_H
#define WEFT_DIALECTS_TRANSFORMS_FORWARDMODE_H

#include "dialects/Weft.h"

namespace weft {

/// Builds, beside `function`, one that also moves along tangents of `operands`;
/// `function` holds no transformation ops. Fails with a diagnostic at an op
/// that has no derivative rule.
mlir::FailureOr<Forwarded> forward(mlir::func::FuncOp function,
                                   llvm::ArrayRef<int64_t> operands,
                                   mlir::SymbolTable &symbols,
                                   Transformer &transformer);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_FORWARDMODE_H
