// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops and branches of the host: they carry buffers alone, and decide by what
// the host reads. What they carry otherwise is in slots.

#ifndef WEFT_LOWERING_GPU_DEMOTION_H
#define WEFT_LOWERING_GPU_DEMOTION_H

#include "lowering/gpu/Slots.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {

class Demotion {
public:
  explicit Demotion(Slots &slots) : slots(slots) {}

  void demote(mlir::scf::ForOp op);
  void demote(mlir::scf::WhileOp op);
  void demote(mlir::scf::IfOp op);
  /// Has the host read a number that kernels compute, before the op with the
  /// operand.
  void readOnHost(mlir::OpOperand &operand);

private:
  /// Has a block begin by loading an argument that is a number.
  mlir::Value passInSlot(mlir::BlockArgument argument);
  /// Stores a number where control leaves, before an op.
  void leave(mlir::Operation *op, mlir::Value number, mlir::Value slot);
  /// Has all that asks for a result load it.
  void loadAfter(mlir::OpResult result, mlir::Value slot);

  Slots &slots;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_DEMOTION_H
