// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What loops read and write, and whether their steps have nothing to do with
// each other.

#ifndef WEFT_LOWERING_MEMORY_LOOPACCESSES_H
#define WEFT_LOWERING_MEMORY_LOOPACCESSES_H

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {

/// The number of steps of a loop from 0 in steps of 1, or nothing.
std::optional<int64_t> stepsFromZero(mlir::scf::ForOp loop);

class LoopAccesses {
public:
  /// Adds an op without regions; false if it does something else to memory than
  /// to load or to store elements.
  bool add(mlir::Operation &op);

  bool areAllReads() const { return stores.empty(); }
  mlir::Value firstWritten() const { return stores.front().array; }
  /// Whether something is read of an array that is written.
  bool readsWritten() const;
  /// Whether no step of a loop reads or writes what another one writes: all
  /// that uses such an array does so at the loop's own place along one
  /// dimension.
  bool areApart(mlir::scf::ForOp loop) const;
  /// How far apart is what a loop's steps write, in bytes; 0 if that is not
  /// known.
  int64_t distanceOfSteps(mlir::scf::ForOp loop) const;

private:
  struct Access {
    mlir::Value array;
    llvm::SmallVector<mlir::Value> indices;
  };
  llvm::SmallVector<Access> loads, stores;
};

} // namespace weft

#endif // WEFT_LOWERING_MEMORY_LOOPACCESSES_H
