// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the code of one thread: index arithmetic in words of 32 bits, and
// pointers into the device's and the block's memory.

#ifndef WEFT_LOWERING_GPU_KERNELBUILDER_H
#define WEFT_LOWERING_GPU_KERNELBUILDER_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

/// Indices do not overflow, and what is divided is not negative. `word` is the
/// type of all of them: 32 bits wherever the sizes allow it, for address
/// arithmetic in 64 bits takes several instructions. It is widened where an
/// address is made, whatever width the type `index` is lowered to.
class KernelBuilder {
public:
  KernelBuilder(mlir::gpu::GPUFuncOp func, mlir::Operation *before,
                bool isWide);

  mlir::ImplicitLocOpBuilder b;
  mlir::IntegerType word;

  // ---- numbers ----

  mlir::Value number(int64_t value);
  mlir::Value thread();
  mlir::Value block();
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y);
  mlir::Value multiply(mlir::Value x, int64_t y);
  mlir::Value divide(mlir::Value x, int64_t y);
  mlir::Value remainder(mlir::Value x, int64_t y);
  mlir::Value exclusiveOr(mlir::Value x, mlir::Value y);
  mlir::Value least(mlir::Value x, int64_t y);
  mlir::Value isLess(mlir::Value x, int64_t y);
  mlir::Value isEqual(mlir::Value x, int64_t y);
  /// Null counts as true.
  mlir::Value both(mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value zero(mlir::Type type);
  /// x * y + sum
  mlir::Value multiplyAdd(mlir::Value x, mlir::Value y, mlir::Value sum);
  mlir::Value sum(mlir::Value x, mlir::Value y);

  // ---- vectors ----

  mlir::Value extract(mlir::Value vector, int64_t lane);
  /// A vector of these elements; of one, itself.
  mlir::Value pack(llvm::ArrayRef<mlir::Value> elements);
  llvm::SmallVector<mlir::Value> unpack(mlir::Value value);

  // ---- memory ----

  /// The device's memory that a buffer begins at.
  mlir::Value pointer(mlir::Value buffer);
  mlir::Value at(mlir::Value pointer, mlir::Type element, mlir::Value index);
  mlir::Value at(mlir::Value pointer, mlir::Type element, int64_t index);
  /// Elements that follow one another, aligned for being read at once.
  mlir::Value load(mlir::Value pointer, mlir::Type element, int64_t count = 1);
  void store(mlir::Value value, mlir::Value pointer);
  /// Memory that the block shares. What is more than every device gives a block
  /// without being asked is stated for the launch.
  mlir::Value shared(int64_t bytes);
  void barrier();
  /// Begins to copy so many bytes to shared memory, or zeros where nothing
  /// exists; null counts as true.
  void copyAsync(mlir::Value to, mlir::Value from, int64_t bytes,
                 mlir::Value exists);
  /// Makes one group of the copies that this thread has begun since the last.
  void commitCopies();
  /// Waits until only so many groups are on their way.
  void awaitCopies(int64_t groups);

  // ---- control ----

  /// A loop over `count` steps that carries values.
  llvm::SmallVector<mlir::Value>
  loop(int64_t count, llvm::ArrayRef<mlir::Value> carried,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(
           mlir::Value, llvm::ArrayRef<mlir::Value>)>
           build);
  /// Null counts as true.
  void onlyIf(mlir::Value condition, llvm::function_ref<void()> build);
  /// What is built, or the given values.
  llvm::SmallVector<mlir::Value>
  onlyIf(mlir::Value condition, llvm::ArrayRef<mlir::Value> otherwise,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> build);

private:
  mlir::gpu::GPUFuncOp func;
};

} // namespace weft

#endif // WEFT_LOWERING_GPU_KERNELBUILDER_H
