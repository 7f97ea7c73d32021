// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ops that sum products say of their dimensions, and what must hold.

#ifndef WEFT_DIALECTS_CONTRACT_H
#define WEFT_DIALECTS_CONTRACT_H

#include "dialects/Weft.h"

namespace weft {

/// Dimensions of both operands that are walked together.
struct PairedDims {
  llvm::ArrayRef<int64_t> lhs, rhs;
};

/// The dimensions below `rank` that are in none of some lists.
llvm::SmallVector<int64_t>
dimsWithout(int64_t rank, llvm::ArrayRef<llvm::ArrayRef<int64_t>> lists);

/// The sizes of some dimensions of an array.
llvm::SmallVector<int64_t> sizesOf(mlir::Value x, llvm::ArrayRef<int64_t> dims);

/// Whether the lists name dimensions of an operand, each at most once.
llvm::LogicalResult
verifyDimsOnce(mlir::Operation *op, unsigned operand,
               llvm::ArrayRef<llvm::ArrayRef<int64_t>> lists);

/// Whether as many dimensions of both operands are named, of equal sizes.
llvm::LogicalResult verifyPairs(mlir::Operation *op, llvm::StringRef kind,
                                PairedDims dims);

/// Whether operands and result are of element types that fit, and the result of
/// the shape that follows from the operands'.
llvm::LogicalResult verifySumOfProducts(mlir::Operation *op,
                                        llvm::ArrayRef<int64_t> shape);

} // namespace weft

#endif // WEFT_DIALECTS_CONTRACT_H
