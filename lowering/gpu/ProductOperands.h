// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the operands of a product lie, and how a thread's sums become results.

#ifndef WEFT_LOWERING_GPU_PRODUCTOPERANDS_H
#define WEFT_LOWERING_GPU_PRODUCTOPERANDS_H

#include "lowering/gpu/KernelBuilder.h"
#include "lowering/gpu/ProductKernel.h"
#include "lowering/gpu/ProductPlan.h"

namespace weft {

/// Sums of a thread: `rows` by `columns`, each of which stands for `width`
/// neighbouring columns.
struct SumGrid {
  /// Their numbers within all rows and all columns of the result.
  llvm::SmallVector<mlir::Value> rows, columns;
  int64_t width;
  /// A row after the other.
  llvm::SmallVector<mlir::Value> sums;
};

class ProductOperands {
public:
  ProductOperands(KernelBuilder &k, const ProductKernel &kernel,
                  const ProductPlan &plan);

  mlir::Type element(unsigned operand) const { return elements[operand]; }
  mlir::Value pointer(unsigned operand) const { return pointers[operand]; }

  /// Moves all operands to one step of the batch.
  void enterBatch(mlir::Value batch);

  /// How far an operand moves by the steps of a group of loops.
  mlir::Value offset(unsigned operand, const LoopGroup &group,
                     mlir::Value steps);

  /// A factor's element, converted as it is multiplied.
  mlir::Value convert(unsigned operand, mlir::Value value);

  /// Adds what the sums begin with, applies the epilogues and stores what is
  /// within the bounds of the result.
  void store(const SumGrid &grid);

private:
  /// An operand's elements at one place of a grid.
  llvm::SmallVector<mlir::Value> read(unsigned operand, mlir::Value row,
                                      mlir::Value column, int64_t width);
  /// The place of each of `width` neighbouring columns, or one for them all if
  /// they are consecutive in memory.
  llvm::SmallVector<mlir::Value> places(unsigned operand, mlir::Value row,
                                        mlir::Value column, int64_t width);
  void storeWidth(const SumGrid &grid, mlir::Value row, mlir::Value column,
                  llvm::ArrayRef<mlir::Value> sums);
  mlir::Value finish(mlir::Value sum, int64_t lane);

  KernelBuilder &k;
  const ProductKernel &kernel;
  const ProductPlan &plan;
  MultiplyAdd body;
  /// Of each operand of the nest; of a scalar, itself.
  llvm::SmallVector<mlir::Value> pointers;
  llvm::SmallVector<mlir::Type> elements;
};

void emitTiledProduct(const ProductKernel &kernel, const ProductPlan &plan);
void emitLaneProduct(const ProductKernel &kernel, const ProductPlan &plan);

} // namespace weft

#endif // WEFT_LOWERING_GPU_PRODUCTOPERANDS_H
