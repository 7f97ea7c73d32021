// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which kernel of a numerical library an op stands for.

#ifndef WEFT_DIALECTS_KERNEL_H
#define WEFT_DIALECTS_KERNEL_H

#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

namespace weft {

/// A call of `name`, of the element type of the first input: it reads `inputs`
/// and writes the results of the op. `sizes` are how many inputs are stacked,
/// the dimensions of one, and flags.
struct Kernel {
  llvm::StringRef name;
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<int64_t> sizes;
};

} // namespace weft

#endif // WEFT_DIALECTS_KERNEL_H
