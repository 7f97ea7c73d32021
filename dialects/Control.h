// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be dropped from the ops with bodies.

#ifndef WEFT_DIALECTS_CONTROL_H
#define WEFT_DIALECTS_CONTROL_H

#include "dialects/Weft.h"

namespace weft {

/// Drops what nothing needs from an op with bodies: results, operands, carries
/// that only feed themselves; carries that never change and equal slices become
/// constants. Returns the op that stands in its place.
mlir::Operation *pruneBodies(mlir::Operation *op);

} // namespace weft

#endif // WEFT_DIALECTS_CONTROL_H
