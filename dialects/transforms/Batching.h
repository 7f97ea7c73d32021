// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Batching of one function.

#ifndef WEFT_DIALECTS_TRANSFORMS_BATCHING_H
#define WEFT_DIALECTS_TRANSFORMS_BATCHING_H

#include "dialects/Weft.h"

namespace weft {

/// Builds, beside `function`, one that does for `size` inputs at once what it
/// does for one; `function` holds no transformation ops. `operands` are stacked
/// along a new leading axis, and so are the results that depend on them and
/// those in `required`. Fails with a diagnostic at an op that has no rule.
mlir::FailureOr<Batched>
batch(mlir::func::FuncOp function, const llvm::SmallBitVector &operands,
      int64_t size, const llvm::SmallBitVector &required,
      mlir::SymbolTable &symbols, Transformer &transformer);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_BATCHING_H
