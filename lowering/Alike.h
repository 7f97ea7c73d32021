// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that compute the same, whatever they are called.

#ifndef WEFT_LOWERING_ALIKE_H
#define WEFT_LOWERING_ALIKE_H

#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"

namespace weft {

/// The kernels that were made so far.
class KnownKernels {
public:
  /// One that computes the same as a kernel, be it this one, which is known
  /// from now on.
  mlir::FunctionOpInterface findAlike(mlir::FunctionOpInterface kernel);

  void clear() { known.clear(); }

private:
  llvm::DenseMap<size_t, llvm::SmallVector<mlir::FunctionOpInterface, 1>> known;
};

} // namespace weft

#endif // WEFT_LOWERING_ALIKE_H
