// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be known of where a buffer begins, which decides how wide accesses
// may be.

#ifndef WEFT_LOWERING_GPU_ALIGNMENT_H
#define WEFT_LOWERING_GPU_ALIGNMENT_H

#include "mlir/IR/Value.h"

namespace weft {

/// What the offset of a buffer, in elements, is a multiple of where only the
/// running program knows it; 0, which all numbers divide, if it is known.
int64_t multipleOf(mlir::Value buffer);

} // namespace weft

#endif // WEFT_LOWERING_GPU_ALIGNMENT_H
