// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse mode that computes again instead of keeping.

#ifndef WEFT_DIALECTS_TRANSFORMS_CHECKPOINT_H
#define WEFT_DIALECTS_TRANSFORMS_CHECKPOINT_H

#include "dialects/Weft.h"

namespace weft {

/// What a checkpointed function keeps, beside the operands that it needs.
enum class Kept { nothing, contractions, everything };

/// What the attribute of a function says (without one: everything). Fails with
/// a diagnostic.
mlir::FailureOr<Kept> readCheckpointPolicy(mlir::func::FuncOp function);

/// Builds both parts of `function` such that the backward one computes what it
/// needs from what is kept.
mlir::FailureOr<Reversed> reverseCheckpointed(mlir::func::FuncOp function,
                                              const Selection &selection,
                                              Kept kept,
                                              mlir::SymbolTable &symbols,
                                              Transformer &transformer);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_CHECKPOINT_H
