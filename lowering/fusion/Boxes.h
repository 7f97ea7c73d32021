// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parts of arrays and of loops that are boxes: every index from a first one to
// a last one, along each dimension.

#ifndef WEFT_LOWERING_FUSION_BOXES_H
#define WEFT_LOWERING_FUSION_BOXES_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {

struct Box {
  llvm::SmallVector<int64_t> offsets, sizes;

  static Box whole(llvm::ArrayRef<int64_t> shape);

  int64_t end(unsigned dim) const { return offsets[dim] + sizes[dim]; }
  int64_t numElements() const;
  /// As a box of an array in which the place is the first one.
  Box from(llvm::ArrayRef<int64_t> place) const;
  /// As a box of an array in which what was the first place is `place`.
  Box shiftedBy(llvm::ArrayRef<int64_t> place) const;
  /// Of a box of loops, that of an array whose dimensions they are.
  Box along(mlir::AffineMap map) const;
  std::optional<Box> overlap(const Box &other) const;
  bool operator==(const Box &other) const {
    return offsets == other.offsets && sizes == other.sizes;
  }
};

/// Whether a slice's place is known, and its elements are next to each other;
/// the part may lack dimensions of one element.
bool isBox(mlir::OffsetSizeAndStrideOpInterface slice);
/// The box that is cut out of an array, or put into one, of as many dimensions;
/// none if the slice is another or not known.
std::optional<Box> boxOf(mlir::tensor::ExtractSliceOp op);
std::optional<Box> boxOf(mlir::tensor::InsertSliceOp op);

mlir::Value extractBox(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value array, const Box &box);
mlir::Value insertBox(mlir::OpBuilder &b, mlir::Location loc, mlir::Value part,
                      mlir::Value array, const Box &box);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_BOXES_H
