// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse mode of one function.

#ifndef WEFT_DIALECTS_TRANSFORMS_REVERSEMODE_H
#define WEFT_DIALECTS_TRANSFORMS_REVERSEMODE_H

#include "dialects/Weft.h"

namespace weft {

/// Builds both parts of `function`, which holds no transformation ops, beside
/// it. Fails with a diagnostic at an op that has no derivative rule.
mlir::FailureOr<Reversed> reverse(mlir::func::FuncOp function,
                                  const Selection &selection,
                                  mlir::SymbolTable &symbols,
                                  Transformer &transformer);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_REVERSEMODE_H
