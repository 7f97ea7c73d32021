// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products whose columns are in panels, in the CPU's matrix tiles; and
// the copies that put them there. See `TilePlan`.

#ifndef WEFT_LOWERING_CPU_PACKEDTILES_H
#define WEFT_LOWERING_CPU_PACKEDTILES_H

#include "lowering/fusion/TilePlan.h"

namespace weft {

/// Builds the loops of a packed sum and of its epilogue, if it has one, and
/// erases the sum.
void emitPackedTiles(mlir::linalg::GenericOp op,
                     mlir::linalg::GenericOp epilogue, const TilePlan &plan,
                     const Machine &machine, bool fromZero);

/// Lowers a copy of columns into panels, if the op is one.
void lowerPanelCopy(mlir::linalg::GenericOp op, const Machine &machine);

} // namespace weft

#endif // WEFT_LOWERING_CPU_PACKEDTILES_H
