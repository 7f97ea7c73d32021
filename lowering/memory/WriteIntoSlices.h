// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is inserted into a slice is computed there.

#ifndef WEFT_LOWERING_MEMORY_WRITEINTOSLICES_H
#define WEFT_LOWERING_MEMORY_WRITEINTOSLICES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft {

/// Has an op whose result is inserted into a slice write into that slice, where
/// nothing reads what is there before.
llvm::LogicalResult writeIntoSlices(mlir::func::FuncOp func);

} // namespace weft

#endif // WEFT_LOWERING_MEMORY_WRITEINTOSLICES_H
