// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reduction -> one to several times as many numbers, and one of those.

#ifndef WEFT_LOWERING_FUSION_REDUCTIONSPLITTER_H
#define WEFT_LOWERING_FUSION_REDUCTIONSPLITTER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {

class ReductionSplitter {
public:
  /// That of an op on tensors that combines, beginning with what a fill has
  /// left and changes nothing.
  static std::optional<ReductionSplitter> match(mlir::linalg::GenericOp op);

  /// Whether all operands are walked along whole dimensions by a loop.
  bool canSplit(unsigned loop) const;
  /// How parts lie: one after the other, for threads that share them; those of
  /// a result side by side; or each of steps that are so many apart.
  enum class Order { outermost, within, inTurn };
  /// Cuts a reduced loop into equal parts, erases the op, and returns what the
  /// parts are combined to.
  mlir::Value split(unsigned loop, int64_t parts,
                    Order order = Order::outermost);
  /// Leaves a reduced loop to another op, which combines what this one has for
  /// each of its steps.
  void keep(unsigned loop);
  /// The op that combines two elements.
  mlir::Operation *combiner() const { return combine; }

private:
  ReductionSplitter(mlir::linalg::GenericOp op, mlir::Operation *combine,
                    mlir::linalg::FillOp init)
      : op(op), combine(combine), init(init), b(op) {}

  unsigned placeOf(unsigned loop);
  mlir::AffineExpr shifted(mlir::AffineExpr expr);
  mlir::Value expand(mlir::Value input, mlir::AffineMap map,
                     mlir::AffineMap &expanded);
  mlir::linalg::GenericOp
  buildPartial(llvm::ArrayRef<mlir::Value> inputs,
               llvm::SmallVector<mlir::AffineMap> maps,
               llvm::ArrayRef<mlir::utils::IteratorType> loops,
               mlir::AffineMap map);
  void shiftIndex(mlir::linalg::IndexOp index);
  void buildTotal(mlir::Value partial);

  mlir::linalg::GenericOp op;
  mlir::Operation *combine;
  mlir::linalg::FillOp init;
  mlir::OpBuilder b;
  unsigned loop = 0;
  int64_t parts = 0, size = 0;
  Order order = Order::outermost;
  bool inTurn() const { return order == Order::inTurn; }
  /// The loop over the parts, and the dimension along which their results lie.
  unsigned loopOfParts = 0, dimOfParts = 0;
};

} // namespace weft

#endif // WEFT_LOWERING_FUSION_REDUCTIONSPLITTER_H
