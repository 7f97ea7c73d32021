// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far the loops that are made of a nest have come, and where its operands
// are there.

#ifndef WEFT_LOWERING_CPU_NESTBUILDER_H
#define WEFT_LOWERING_CPU_NESTBUILDER_H

#include "lowering/fusion/Nest.h"

namespace weft {

struct NestBuilder {
  mlir::linalg::LinalgOp op;
  Nest nest;
  mlir::ImplicitLocOpBuilder b;
  /// Each operand as one row of elements, and where it begins there.
  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>> rows;
  /// The steps that each loop is to run.
  llvm::SmallVector<mlir::Value> begins, ends;

  /// At the beginning of all loops, before the op.
  NestBuilder(mlir::linalg::LinalgOp op, const Nest &nest);

  mlir::Value index(int64_t value);
  mlir::Value advance(mlir::Value base, mlir::Value steps, int64_t stride) {
    return weft::advance(b, base, steps, stride);
  }

  /// Where an operand is at the steps that the loops have come to.
  mlir::Value placeOf(unsigned operand);

  /// The last operand, which an op of one result writes.
  unsigned result() const { return nest.accesses.size() - 1; }
};

} // namespace weft

#endif // WEFT_LOWERING_CPU_NESTBUILDER_H
