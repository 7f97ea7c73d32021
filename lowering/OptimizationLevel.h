// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much is done for the speed of a program. It stands in the text of a
// module, as `weft.optimization_level`.

#ifndef WEFT_LOWERING_OPTIMIZATIONLEVEL_H
#define WEFT_LOWERING_OPTIMIZATIONLEVEL_H

#include "mlir/IR/Operation.h"

namespace weft {

enum class OptimizationLevel {
  /// Each op is a loop nest of scalars, which LLVM translates as they are.
  None = 0,
  /// Weft's passes decide as always; LLVM takes little time.
  Less = 1,
  Default = 2,
  /// LLVM takes the time that it wants, for code that runs once too.
  Aggressive = 3,
};

inline constexpr llvm::StringLiteral optimizationLevelAttr =
    "weft.optimization_level";

/// The level of the module that an op is in: `Default` where it states none.
OptimizationLevel optimizationLevelOf(mlir::Operation *op);

/// Whether passes that only make a program faster are to do anything.
inline bool isOptimized(mlir::Operation *op) {
  return optimizationLevelOf(op) != OptimizationLevel::None;
}

/// Reports a level that is none.
mlir::LogicalResult verifyOptimizationLevel(mlir::Operation *module);

} // namespace weft

#endif // WEFT_LOWERING_OPTIMIZATIONLEVEL_H
