// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lanes of a warp combine without memory.

#ifndef WEFT_LOWERING_GPU_SHUFFLES_H
#define WEFT_LOWERING_GPU_SHUFFLES_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

inline constexpr int64_t warpLanes = 32;

/// Whether lanes can exchange values of a type.
bool canExchange(mlir::Type type);

/// `own` combined over `lanes` neighbours, a power of two: all of them have the
/// same result, for what two lanes combine they combine in either order. All
/// lanes of the warp must meet here.
mlir::Value
exchange(mlir::ImplicitLocOpBuilder &b, mlir::Value own, int64_t lanes,
         llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> combine);

/// What the lane so far before has; the first lanes keep their own. All lanes
/// of the warp must meet here.
mlir::Value ofLaneBefore(mlir::ImplicitLocOpBuilder &b, mlir::Value own,
                         int64_t distance);

/// Lanes meet, and see what each has done to memory.
void syncWarp(mlir::ImplicitLocOpBuilder &b);

} // namespace weft

#endif // WEFT_LOWERING_GPU_SHUFFLES_H
