// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_LOWERING_FUSION_PARTREADS_H
#define WEFT_LOWERING_FUSION_PARTREADS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {

/// Whether an op puts elements to a place that is known.
bool isPart(mlir::tensor::InsertSliceOp insert);

/// The ops that put an array together, the last one first, and what the first
/// one was given.
llvm::SmallVector<mlir::tensor::InsertSliceOp> insertsOf(mlir::Value array,
                                                         mlir::Value &base);

/// Reads the element that an op reads of an operand, at its loops' place.
mlir::tensor::ExtractOp readAt(mlir::OpBuilder &b, mlir::linalg::GenericOp op,
                               mlir::OpOperand &operand);

/// Reads what a slice was taken from instead of the slice.
mlir::tensor::ExtractOp readWhole(mlir::tensor::ExtractOp read,
                                  mlir::RewriterBase &rewriter);

/// Reads what an array is put together of instead of the array: of each part
/// the element at the place, or its first one where it has none there; and of
/// these the last one that was put there. The reads are added to `reads`.
void readParts(mlir::tensor::ExtractOp read, mlir::RewriterBase &rewriter,
               llvm::SmallVectorImpl<mlir::tensor::ExtractOp> &reads);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_PARTREADS_H
