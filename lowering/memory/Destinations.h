// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the buffer in which each tensor is computed that a function returns,
// a loop carries or a branch yields, before bufferization decides on the
// others.

#ifndef WEFT_LOWERING_MEMORY_DESTINATIONS_H
#define WEFT_LOWERING_MEMORY_DESTINATIONS_H

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace weft {

bool hasNoElements(mlir::Type tensor);

/// Whatever its shape, a buffer without elements is a memref<0xT>: of others
/// with a size of 0, MLIR cannot make a bare pointer.
mlir::MemRefType bufferType(mlir::Type tensor);

/// How many tensors stand for a buffer or a view of it.
unsigned numTensorsOf(mlir::Value buffer);

/// What stands for the buffer that a tensor is in, or is a part of, as far as
/// it is known: through views, and through ops that update it or not.
mlir::bufferization::ToTensorOp startOf(mlir::Value tensor,
                                        bool followsUpdates);

class Destinations {
public:
  /// Has `value` be in `destination` where `end` stands, computed there from
  /// the start by the ops of the block if it begins as an empty tensor. If
  /// `exclusive`, the buffer is changed later, so that only what nothing else
  /// reads may be computed in it.
  void compute(mlir::OpBuilder &end, mlir::Value value, mlir::Value destination,
               bool exclusive = false);

  /// Replaces the tensors that loops carry and branches yield by buffers, in a
  /// block and all within it.
  mlir::LogicalResult convert(mlir::Block &block);

private:
  void redirect(mlir::Value value, mlir::Value destination, mlir::Block *block);
  mlir::LogicalResult convertWithin(mlir::Operation *op);
  mlir::LogicalResult convertChoice(mlir::Operation *op);
  void yieldInto(mlir::Block &branch, llvm::ArrayRef<mlir::Value> buffers);
  mlir::LogicalResult convertLoop(mlir::Operation *op);

  /// Where a result of a loop or a choice must end.
  llvm::DenseMap<mlir::Value, mlir::Value> chosen;
  /// With what begins that which has a destination already.
  llvm::DenseSet<mlir::Value> starts;
  /// What the loop at hand yields and is not in its place yet.
  llvm::DenseSet<mlir::Value> pending;
};

} // namespace weft

#endif // WEFT_LOWERING_MEMORY_DESTINATIONS_H
