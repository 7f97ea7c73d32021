// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operands of a linalg op at any of the steps of its loops, as a thread
// reads and writes them.

#ifndef WEFT_LOWERING_GPU_STEPOPERANDS_H
#define WEFT_LOWERING_GPU_STEPOPERANDS_H

#include "lowering/fusion/Nest.h"

namespace weft {

class StepOperands {
public:
  /// With `mayMerge`, loops that all operands walk through as one are one.
  StepOperands(mlir::linalg::LinalgOp op, bool mayMerge);

  mutable mlir::linalg::LinalgOp op;
  /// Nothing where an operand is not walked through in steps of fixed size.
  std::optional<Nest> nest;
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<bool> isParallel;

  llvm::SmallVector<unsigned> loops(bool parallel) const;
  int64_t count(bool parallel) const;

  /// Whether an operand's elements follow each other along a loop, and each of
  /// them whose step is a multiple of the width is aligned to so many.
  bool isAligned(mlir::OpOperand &operand, unsigned loop, int64_t width) const;

  /// To be called where all steps can see it.
  void begin(mlir::ImplicitLocOpBuilder &b);

  mlir::Value load(mlir::ImplicitLocOpBuilder &b, mlir::OpOperand &operand,
                   llvm::ArrayRef<mlir::Value> steps) const;
  /// So many elements that follow each other, at once.
  llvm::SmallVector<mlir::Value> loadWide(mlir::ImplicitLocOpBuilder &b,
                                          mlir::OpOperand &operand,
                                          llvm::ArrayRef<mlir::Value> steps,
                                          int64_t width) const;
  void store(mlir::ImplicitLocOpBuilder &b, mlir::Value value,
             mlir::OpOperand &operand, llvm::ArrayRef<mlir::Value> steps) const;
  void storeWide(mlir::ImplicitLocOpBuilder &b,
                 llvm::ArrayRef<mlir::Value> values, mlir::OpOperand &operand,
                 llvm::ArrayRef<mlir::Value> steps) const;

  /// What the body yields for values of its arguments.
  llvm::SmallVector<mlir::Value>
  compute(mlir::ImplicitLocOpBuilder &b, llvm::ArrayRef<mlir::Value> arguments,
          llvm::ArrayRef<mlir::Value> steps) const;

private:
  std::pair<mlir::Value, llvm::SmallVector<mlir::Value>>
  placesOf(mlir::ImplicitLocOpBuilder &b, mlir::OpOperand &operand,
           llvm::ArrayRef<mlir::Value> steps) const;

  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>> rows;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_STEPOPERANDS_H
