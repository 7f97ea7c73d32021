// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the passes know of the GPU that code is made for. It stands in the text
// of a module, so that another card's code can be had by an edit.

#ifndef WEFT_LOWERING_GPU_DEVICE_H
#define WEFT_LOWERING_GPU_DEVICE_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {

struct Gpu {
  /// As `ptxas` and LLVM name it.
  std::string chip = "sm_90a";
  int64_t multiprocessors = 132;
  /// The shared memory that a block can have, in bytes.
  int64_t sharedBytes = 227 << 10;
  /// The simple operations that a block does sooner than the whole device
  /// begins: what is less runs in one block, beside what is around it.
  int64_t blockWork = 1 << 15;

  /// The one that the module of `op` is for, by its attribute `weft.gpu`.
  static Gpu of(mlir::Operation *op);

  mlir::DictionaryAttr asAttribute(mlir::MLIRContext *context) const;

  /// The number in its name: 90 of sm_90a.
  unsigned capability() const;

  /// How many steps of `op` one thread does, each of which waits for memory,
  /// while so many launches move so many bytes.
  int64_t stepsOf(mlir::Operation *op, int64_t launches, int64_t bytes) const;
};

/// Has a kernel state how many blocks, of how many threads, a launch begins.
void stateSize(mlir::gpu::GPUFuncOp kernel, int64_t blocks, int64_t threads);

/// An error unless the lengths of an op's loops are known: all that threads are
/// given follows from them. Tiles of a schedule may have others.
llvm::LogicalResult verifyKnownShape(mlir::linalg::LinalgOp op);

/// Where a module keeps its GPU.
inline constexpr llvm::StringLiteral gpuAttr = "weft.gpu";
/// Whether the module of an op states one.
bool isForGpu(mlir::Operation *op);
/// What kind of work a kernel is.
inline constexpr llvm::StringLiteral classAttr = "weft.class";
/// The dynamic shared memory that a kernel needs, in bytes.
inline constexpr llvm::StringLiteral sharedBytesAttr = "weft.shared_bytes";
/// What a parameter is a tensor map of, and, where parameters carry nothing,
/// the maps of a function's last ones.
inline constexpr llvm::StringLiteral tensorMapAttr = "weft.tensor_map";
inline constexpr llvm::StringLiteral tensorMapsAttr = "weft.tensor_maps";
/// Marks what the host reads of the device's memory.
inline constexpr llvm::StringLiteral hostAttr = "weft.host";
/// Marks the reading of a number that one kernel leaves to others.
inline constexpr llvm::StringLiteral slotAttr = "weft.slot";

} // namespace weft

#endif // WEFT_LOWERING_GPU_DEVICE_H
