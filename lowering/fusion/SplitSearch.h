// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part of weft-split-reductions: a search for the first best element of long
// rows, which is in the first block of a row that has one.

#ifndef WEFT_LOWERING_FUSION_SPLITSEARCH_H
#define WEFT_LOWERING_FUSION_SPLITSEARCH_H

#include "lowering/Machine.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {

/// Has an op that finds where the best elements are, which another op has
/// found, look at the best ones of blocks first, and then at one block.
void splitSearch(mlir::linalg::GenericOp find, const Machine &machine);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_SPLITSEARCH_H
