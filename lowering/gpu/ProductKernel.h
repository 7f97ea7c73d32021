// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel that sums products up: its ops, and what all of its emitters need.

#ifndef WEFT_LOWERING_GPU_PRODUCTKERNEL_H
#define WEFT_LOWERING_GPU_PRODUCTKERNEL_H

#include "lowering/gpu/ProductPlan.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

/// An elementwise op on the sums, which takes their place.
struct ProductEpilogue {
  mlir::linalg::GenericOp op;
  /// Its loops in terms of those of the sum.
  mlir::AffineMap loops;
  /// The input that is the sums, if they are one; otherwise they are what the
  /// op changes in place.
  std::optional<unsigned> input;
};

/// An optional fill, a linalg op that sums products up, and its epilogues. The
/// sums are stored where the last epilogue leaves them, and nowhere else.
struct ProductKernel {
  mlir::gpu::GPUFuncOp func;
  mlir::linalg::FillOp fill;
  mlir::linalg::GenericOp sum;
  llvm::SmallVector<ProductEpilogue> epilogues;

  /// Reports an op that no kernel of this class may hold.
  static mlir::FailureOr<ProductKernel> of(mlir::gpu::GPUFuncOp func);

  /// The last op: all that the others read stands before it.
  mlir::Operation *last() const;
  /// What the sums begin with, if not with what is in memory.
  mlir::Value start() const;
  /// Where the last epilogue leaves the result.
  mlir::Value result() const;
  mlir::AffineMap sumMap() const;

  /// Has `read(epilogue, input)` give an epilogue's inputs and
  /// computes the last one's result from one element of the sums.
  mlir::Value
  change(mlir::ImplicitLocOpBuilder &b, mlir::Value sum,
         llvm::function_ref<mlir::Value(unsigned, unsigned)> read) const;

  /// Erases the ops, whose code stands before them.
  void erase() const;
};

/// One thread for each element of the result: whatever linalg can say.
void emitPlainProduct(const ProductKernel &kernel);

} // namespace weft

#endif // WEFT_LOWERING_GPU_PRODUCTKERNEL_H
