// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds a linalg op on buffers for a part of its loops, on views of what it
// works on.

#ifndef WEFT_LOWERING_FUSION_SLICER_H
#define WEFT_LOWERING_FUSION_SLICER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

/// Which part of a loop runs: `size` steps from `first` on.
struct Range {
  mlir::Value first;
  int64_t size;
};
using Ranges = llvm::DenseMap<unsigned, Range>;

class Slicer {
public:
  explicit Slicer(mlir::ImplicitLocOpBuilder &b) : b(b) {}

  /// The place where the slice of an access begins, and its size, for one
  /// dimension: sums of loops times constants.
  std::pair<mlir::OpFoldResult, int64_t> slice(mlir::AffineExpr expr,
                                               const Ranges &ranges,
                                               llvm::ArrayRef<int64_t> extents);

  /// The part of a buffer that is accessed by a map.
  mlir::Value viewOf(mlir::Value buffer, mlir::AffineMap map,
                     const Ranges &ranges, llvm::ArrayRef<int64_t> extents);

  /// The op for a part of its loops, some of its operands perhaps replaced: by
  /// what they are, or, of whole buffers, by what stands for their parts.
  void build(mlir::linalg::LinalgOp op, const Ranges &ranges,
             const llvm::DenseMap<mlir::Value, mlir::Value> &replaced);

  /// By what a loop's step is multiplied in a sum of loops.
  static int64_t coefficient(mlir::AffineExpr expr, unsigned loop);

private:
  mlir::ImplicitLocOpBuilder &b;
};

} // namespace weft

#endif // WEFT_LOWERING_FUSION_SLICER_H
