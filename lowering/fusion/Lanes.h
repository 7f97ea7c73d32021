// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar code computed for several elements at once, in vectors.

#ifndef WEFT_LOWERING_FUSION_LANES_H
#define WEFT_LOWERING_FUSION_LANES_H

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

/// Whether an op on scalars is one on vectors too, which CPUs have.
bool worksInLanes(mlir::Operation *op);

/// A scalar in every lane; a vector stays what it is.
mlir::Value splatLanes(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
                       int64_t lanes);

/// Clones an op of one result, of which some operands are mapped to vectors;
/// the others count in every lane. Maps the result, and returns what it became.
mlir::Value cloneInLanes(mlir::ImplicitLocOpBuilder &b, mlir::Operation &op,
                         mlir::IRMapping &mapping, int64_t lanes);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_LANES_H
