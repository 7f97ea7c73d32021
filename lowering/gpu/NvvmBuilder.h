// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The words that a kernel for NVIDIA's chips is written in: 32-bit numbers,
// places in shared memory, barriers, copies and warpgroup products.

#ifndef WEFT_LOWERING_GPU_NVVMBUILDER_H
#define WEFT_LOWERING_GPU_NVVMBUILDER_H

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

class NvvmBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value number(int64_t value, unsigned bits = 32);
  Value plus(Value x, Value y);
  Value plus(Value x, int64_t y);
  Value minus(Value x, int64_t y) { return plus(x, -y); }
  Value times(Value x, int64_t y);
  /// Of numbers without a sign.
  Value over(Value x, int64_t y);
  Value modulo(Value x, int64_t y);
  Value isEqual(Value x, int64_t y);
  Value isLess(Value x, int64_t y);
  Value widen(Value x);

  /// The place so many bytes after a pointer.
  Value at(Value pointer, Value bytes);
  Value at(Value pointer, int64_t bytes);
  /// A buffer's first byte, in global memory.
  Value globalPointer(Value buffer);

  void when(Value condition, llvm::function_ref<void()> body);
  /// for (i = from; i < to; i += step), passing values on.
  mlir::ValueRange
  loop(Value from, Value to, Value step, mlir::ValueRange passed,
       llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)>
           body);

  Value threadInBlock(int64_t threads);
  Value block();
  /// A value that is the same in all threads of a warp, known to be so.
  Value uniform(Value x);

  void initBarrier(Value barrier, int64_t arrivals);
  void waitBarrier(Value barrier, Value parity);
  void arrive(Value barrier);
  void expectBytes(Value barrier, int64_t bytes);

  /// Waits for so many threads at a barrier, of which there are 16.
  void sync(Value id, int64_t threads);
  /// Waits for all threads of a cluster's blocks, and, if it `publishes`, for
  /// what they wrote, which takes a while.
  void syncCluster(bool publishes);
  /// A place in shared memory, in another block of the cluster.
  Value inBlock(Value place, Value rank);
  /// At a barrier of any block of the cluster.
  void arriveInCluster(Value barrier);
  /// The floats as they are here: what reads the results is not moved up.
  llvm::SmallVector<Value> pin(llvm::ArrayRef<Value> floats);

  /// To the blocks of the cluster that `blocks` has a bit for, or to this one.
  void copyBox(Value to, Value map, mlir::ValueRange coordinates, Value barrier,
               int64_t blocks = 0);
  void storeBox(Value map, Value from, mlir::ValueRange coordinates);
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_NVVMBUILDER_H
