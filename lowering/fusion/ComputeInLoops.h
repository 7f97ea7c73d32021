// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_LOWERING_FUSION_COMPUTEINLOOPS_H
#define WEFT_LOWERING_FUSION_COMPUTEINLOOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {

/// Indices, though others read them too; or all that nothing else reads.
enum class Computed { Indices, All };

/// Has the loops of a scatter compute what they read themselves, its indices
/// and its updates, where that takes a few steps and they read each element
/// once: then there is no array of it.
void computeInLoops(mlir::func::FuncOp func, mlir::RewriterBase &rewriter,
                    Computed which);

/// Computes the element that is read of what an elementwise op computes. What
/// is read for that is added to `reads`; an op that nothing uses is gone.
void computeElement(mlir::tensor::ExtractOp read, mlir::RewriterBase &rewriter,
                    llvm::SmallVectorImpl<mlir::tensor::ExtractOp> &reads);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_COMPUTEINLOOPS_H
