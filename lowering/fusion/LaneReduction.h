// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The innermost loop of a reduction, in vectors: each lane reduces every so
// many elements, and the lanes are reduced at the end.

#ifndef WEFT_LOWERING_FUSION_LANEREDUCTION_H
#define WEFT_LOWERING_FUSION_LANEREDUCTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {

/// A body `combine(accumulated, f(inputs))` whose order is free.
class LaneReduction {
public:
  /// What is combined must be computed by ops that work in vectors, unless it
  /// is computed an element at a time.
  static std::optional<LaneReduction> match(mlir::linalg::LinalgOp op,
                                            bool inVectors = true);

  /// The op that combines an element with what is accumulated.
  mlir::Operation *combiner() const { return combine; }
  /// The bits of what is accumulated.
  unsigned width() const;
  /// `x` and `y`, scalars or vectors, combined.
  mlir::Value combined(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                       mlir::Value y) const;
  /// What changes nothing that has been, or will be, combined with
  /// `accumulated`.
  mlir::Value neutral(mlir::ImplicitLocOpBuilder &b,
                      mlir::Value accumulated) const;

  /// Loads input `number` at a step of the loop, as a vector or a scalar.
  using LoadFn = llvm::function_ref<mlir::Value(
      unsigned number, mlir::Value step, bool asVector)>;
  /// The index of loop `number`, or null for the loop that is reduced.
  using IndexFn = llvm::function_ref<mlir::Value(unsigned number)>;

  /// Reduces `extent` steps into `accumulated`.
  mlir::Value build(mlir::ImplicitLocOpBuilder &b, mlir::Value accumulated,
                    int64_t extent, int64_t lanes, LoadFn load, IndexFn index);

private:
  LaneReduction(mlir::linalg::LinalgOp op, mlir::Operation *combine,
                mlir::Value element)
      : op(op), combine(combine), element(element) {}

  /// How what a step needs is had.
  struct Source {
    int64_t lanes;
    LoadFn load;
    IndexFn index;
  };
  mlir::Value step(mlir::ImplicitLocOpBuilder &b, mlir::Value accumulated,
                   mlir::Value at, bool asVector, const Source &source);

  mlir::linalg::LinalgOp op;
  mlir::Operation *combine;
  /// What is combined with what has been accumulated.
  mlir::Value element;
};

} // namespace weft

#endif // WEFT_LOWERING_FUSION_LANEREDUCTION_H
