// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_LOWERING_MEMORY_CUTUPDATES_H
#define WEFT_LOWERING_MEMORY_CUTUPDATES_H

#include "mlir/IR/Block.h"

namespace weft {

/// Cuts long chains of ops that update a tensor in place: the analysis for
/// bufferization compares all that reads one tensor with all that writes it,
/// for each op. After every few updates,
///
///   %y = update %x
///   %z = update %y
///
/// becomes
///
///   %y = update %x
///   %buffer = to_buffer %y
///   %again = to_tensor %buffer
///   %z = update %again
///
/// which is one tensor to memory and two to the analysis. It is safe anywhere:
/// if `%y` is read afterwards, `%buffer` is a copy. To save copies, it is done
/// where nothing reads `%y` or a part of what it was made from afterwards.
void cutUpdates(mlir::Block &block);

/// The tensor that one was cut off from, or null.
mlir::Value beforeCut(mlir::Value tensor);

} // namespace weft

#endif // WEFT_LOWERING_MEMORY_CUTUPDATES_H
