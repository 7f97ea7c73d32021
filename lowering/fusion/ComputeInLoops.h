// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_LOWERING_FUSION_COMPUTEINLOOPS_H
#define WEFT_LOWERING_FUSION_COMPUTEINLOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft {

/// Indices, though others read them too; or all that nothing else reads.
enum class Computed { Indices, All };

/// Has the loops of a scatter compute what they read themselves, its indices
/// and its updates, where that takes a few steps and they read each element
/// once: then there is no array of it.
void computeInLoops(mlir::func::FuncOp func, mlir::RewriterBase &rewriter,
                    Computed which);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_COMPUTEINLOOPS_H
