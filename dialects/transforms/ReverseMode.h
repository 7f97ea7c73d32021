// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse mode of one function.

#ifndef WEFT_DIALECTS_TRANSFORMS_REVERSEMODE_H
#define WEFT_DIALECTS_TRANSFORMS_REVERSEMODE_H

#include "dialects/Weft.h"
#include "llvm/ADT/MapVector.h"

namespace weft {

/// Asks for the reverse mode of a function that the present one calls.
using ReverseCallee = llvm::function_ref<mlir::FailureOr<Reversed>(
    mlir::Operation *call, mlir::func::FuncOp callee,
    const Selection &selection)>;

/// Builds both parts of `function`, which holds no transformation ops, beside
/// it. Fails with a diagnostic at an op that has no derivative rule.
mlir::FailureOr<Reversed> reverse(mlir::func::FuncOp function,
                                  const Selection &selection,
                                  mlir::SymbolTable &symbols,
                                  ReverseCallee reverseCallee);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_REVERSEMODE_H
