// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part of weft-fuse-elementwise: a reduction over arrays that are put
// together for it.

#ifndef WEFT_LOWERING_FUSION_REDUCEPARTS_H
#define WEFT_LOWERING_FUSION_REDUCEPARTS_H

#include "mlir/IR/PatternMatch.h"

namespace weft {

/// Has a few arrays that are stacked, and reduced along that dimension alone,
/// be combined element by element.
void populateReduceParts(mlir::RewritePatternSet &patterns);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_REDUCEPARTS_H
