// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The slices of an array that gather and scatter are about, in loops: where
// each begins, and whether it lies in the array.

#ifndef WEFT_LOWERING_LINALG_SLICES_H
#define WEFT_LOWERING_LINALG_SLICES_H

#include "dialects/Weft.h"
#include "mlir/IR/Builders.h"

namespace weft {

/// An i64 held between 0 and `limit`, as an index.
mlir::Value clampIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value i,
                       int64_t limit);

class Slices {
public:
  /// `sizes` are those of a slice, dropped dimensions included.
  Slices(Places places, llvm::ArrayRef<int64_t> shape,
         llvm::ArrayRef<int64_t> sizes)
      : places(places), shape(shape), sizes(sizes),
        windows(places.windowDims(shape.size())) {}

  /// Computes the starts from one i64 for each indexed dimension; `walked` are
  /// the places along the dimensions of the indices.
  void start(mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange indices,
             mlir::ValueRange walked);

  /// The place in the array of a place in the slice.
  llvm::SmallVector<mlir::Value> at(mlir::OpBuilder &b, mlir::Location loc,
                                    mlir::ValueRange window) const;

  /// `value` if the slice lies in the array, else `other`.
  mlir::Value ifInside(mlir::OpBuilder &b, mlir::Location loc,
                       mlir::Value value, mlir::Value other) const;

  /// Combines an update with what the array has in a place of the slice.
  mlir::Value combine(mlir::OpBuilder &b, mlir::Location loc, Scatter op,
                      mlir::Value array, mlir::Value update,
                      mlir::ValueRange place) const;

private:
  void requireInside(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index,
                     int64_t limit);

  Places places;
  llvm::ArrayRef<int64_t> shape, sizes;
  llvm::SmallVector<int64_t> windows;
  llvm::SmallVector<mlir::Value> starts;
  mlir::Value inside;
};

} // namespace weft

#endif // WEFT_LOWERING_LINALG_SLICES_H
