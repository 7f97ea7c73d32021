// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What weft-pack-contractions makes of the factors of a sum of products: copies
// in the order in which the sum's tiles read them.

#ifndef WEFT_LOWERING_FUSION_PACKING_H
#define WEFT_LOWERING_FUSION_PACKING_H

#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"

namespace weft {

/// Copies one operand into panels, which are as wide as `width` lanes; of one
/// that was `widened`, what it was before, which is widened on the way.
void packPanels(mlir::linalg::GenericOp op, unsigned operand, unsigned laneLoop,
                int64_t width, mlir::linalg::GenericOp widened);

/// Copies the columns of a sum in matrix tiles: see `TilePlan`. Leaves the op
/// as it is where it would be no sum in tiles any more, or where the factor
/// alone tells how long a loop is: the other one of a kernel's gradient has it
/// in sums of loops only, and panels tell the panels' length.
void packTiles(mlir::linalg::GenericOp op, const TilePlan &plan,
               const Machine &machine);

/// Gives the factors of a sum in matrix tiles so many zeros at the end of the
/// steps that are consecutive in its rows that they fill groups: three channels
/// become four. Of what has a margin already, the margin grows. Tells whether
/// it changed the op.
bool padSteps(mlir::linalg::GenericOp op, const TilePlan &plan);

/// Copies the factors of a sum of products, and its result, in another order
/// where no vectors are read otherwise, or short ones, and that is sooner done.
/// Returns the sum, or the op if that is left as it is.
mlir::linalg::GenericOp orderFactors(mlir::linalg::GenericOp op,
                                     const Machine &machine);

/// Copies an array that is part of another one, so that its elements are
/// together.
mlir::Value copyTogether(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::Value part);

/// What makes the wide copies of two factors; null where there is none.
using Widened = std::array<mlir::linalg::GenericOp, 2>;

/// Widens the factors of a sum in vectors which are floats of 16 bits and are
/// read often.
Widened widenFactors(mlir::linalg::GenericOp op);

} // namespace weft

#endif
