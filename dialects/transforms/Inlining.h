// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls, replaced by what they call.

#ifndef WEFT_DIALECTS_TRANSFORMS_INLINING_H
#define WEFT_DIALECTS_TRANSFORMS_INLINING_H

#include "dialects/Weft.h"
#include "mlir/IR/BuiltinOps.h"

namespace weft {

/// Replaces the calls in the body of `function`, one by one from the first, by
/// copies of those callees for which `mayInline` holds, and so on within them.
void inlineCalls(mlir::func::FuncOp function, mlir::SymbolTable &symbols,
                 llvm::function_ref<bool(mlir::func::FuncOp callee)> mayInline);

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_INLINING_H
