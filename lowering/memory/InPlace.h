// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which buffer each tensor that a loop yields is written into.

#ifndef WEFT_LOWERING_MEMORY_INPLACE_H
#define WEFT_LOWERING_MEMORY_INPLACE_H

#include "mlir/IR/Value.h"

namespace weft {

/// Where the op result `value` of a loop or a destination-passing op begins:
/// the operand that it updates, or null.
mlir::OpOperand *findInit(mlir::OpResult value);

/// A reshape's operand, or null.
mlir::Value reshapedValue(mlir::Value value);
/// What a value is another form of.
mlir::Value throughReshapes(mlir::Value value);

/// Lets what updates a tensor read copies of the tensor's own slices, so that
/// only those are copied, and not the tensor.
void copyPartsReadByUpdates(mlir::Block &body);

/// Moves what only makes the values that a body yields to its end: after all
/// else that reads what they replace. `isMoved` says which of the terminator's
/// operands are meant.
void sinkUpdates(
    mlir::Block &body,
    llvm::function_ref<bool(unsigned)> isMoved = [](unsigned) { return true; });

/// Which buffer the loop's next step finds each carried tensor in: `source[i]`
/// is the carried tensor whose buffer number i takes over, or a number from
/// `carried.size()` on for a further buffer, of which there are `spares`.
struct BufferPlan {
  llvm::SmallVector<unsigned> source;
  /// Whether the buffer's content changes, rather than only its place.
  llvm::SmallVector<bool> written;
  /// For each further buffer, the carried tensor of whose type it is.
  llvm::SmallVector<unsigned> spares;
};

/// `carried` are the arguments of a loop's body, `yielded` what they become.
BufferPlan planBuffers(mlir::Block &body, llvm::ArrayRef<mlir::Value> carried,
                       llvm::ArrayRef<mlir::Value> yielded);

} // namespace weft

#endif // WEFT_LOWERING_MEMORY_INPLACE_H
