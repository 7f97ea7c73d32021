// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which buffer a value is a view of, and what uses it.

#ifndef WEFT_LOWERING_MEMORY_BUFFERS_H
#define WEFT_LOWERING_MEMORY_BUFFERS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

/// The buffer that a value is, or is a view of.
mlir::Value baseOf(mlir::Value buffer);

/// The same, where parts of the arena count as buffers: those that are in use
/// at once have nothing in common.
mlir::Value ownBufferOf(mlir::Value buffer);

/// Whether an op, or one within it, uses a buffer or a view of it: that of
/// `baseOf`, or that of `ownBufferOf`.
bool touches(mlir::Operation *op, mlir::Value base);
bool touchesOwn(mlir::Operation *op, mlir::Value own);

/// Whether two values are one buffer, or the same view of one.
bool isSameBuffer(mlir::Value a, mlir::Value b);

/// Memory of a call's own. What has a line of a cache and more begins at one:
/// of vectors that lie across two, each is read as two.
mlir::Value onStack(mlir::ImplicitLocOpBuilder &b, mlir::MemRefType type);

/// Replaces a copy by a linalg.generic.
void copyInLoops(mlir::memref::CopyOp op);

/// The size of an element.
int64_t bytesOf(mlir::Type element);

} // namespace weft

#endif // WEFT_LOWERING_MEMORY_BUFFERS_H
