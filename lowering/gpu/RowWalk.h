// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running values of rows, along each of which a thread walks.

#ifndef WEFT_LOWERING_GPU_ROWWALK_H
#define WEFT_LOWERING_GPU_ROWWALK_H

#include "dialects/Scalar.h"

namespace weft {

struct RowWalk {
  Cumulative op;
  /// As they are stored, and so is the result.
  llvm::ArrayRef<mlir::Value> operands;
  mlir::RankedTensorType type;
  int64_t axis;
  /// The dimensions other than the axis.
  llvm::SmallVector<int64_t> rows;

  RowWalk(Cumulative op, llvm::ArrayRef<mlir::Value> operands);

  int64_t length() const { return type.getDimSize(axis); }
  int64_t numRows() const { return llvm::product_of(rows); }

  mlir::Value build(mlir::OpBuilder &b) const;

  /// What the operands have at step `i` of a row.
  llvm::SmallVector<mlir::Value>
  buildElements(mlir::OpBuilder &b, mlir::ValueRange row, mlir::Value i) const;
  /// The running value there, of what it was before: null at the first step.
  mlir::Value buildStep(mlir::OpBuilder &b, mlir::ValueRange row, mlir::Value i,
                        mlir::Value before) const;
  /// `array` with the running value there, rounded.
  mlir::Value buildWrite(mlir::OpBuilder &b, mlir::ValueRange row,
                         mlir::Value i, mlir::Value value,
                         mlir::Value array) const;

private:
  llvm::SmallVector<mlir::Value>
  placeOf(mlir::OpBuilder &b, mlir::ValueRange row, mlir::Value i) const;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_ROWWALK_H
