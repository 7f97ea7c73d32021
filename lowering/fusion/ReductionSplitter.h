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
  /// Cuts a reduced loop into equal parts, which run at once, and erases the
  /// op. A part has steps that follow each other or, if `inTurn`, every so
  /// many.
  void split(unsigned loop, int64_t parts, bool inTurn = false);

private:
  ReductionSplitter(mlir::linalg::GenericOp op, mlir::Operation *combine,
                    mlir::linalg::FillOp init)
      : op(op), combine(combine), init(init), b(op) {}

  mlir::AffineExpr shifted(mlir::AffineExpr expr);
  mlir::Value expand(mlir::Value input, mlir::AffineMap map,
                     mlir::AffineMap &expanded);
  mlir::Value buildPartial();
  void shiftIndex(mlir::linalg::IndexOp index);
  void buildTotal(mlir::Value partial);

  mlir::linalg::GenericOp op;
  mlir::Operation *combine;
  mlir::linalg::FillOp init;
  mlir::OpBuilder b;
  unsigned loop = 0;
  int64_t parts = 0, size = 0;
  bool inTurn = false;
  /// The loop over the parts, and the dimension along which their results lie.
  unsigned loopOfParts = 0, dimOfParts = 0;
};

} // namespace weft

#endif // WEFT_LOWERING_FUSION_REDUCTIONSPLITTER_H
