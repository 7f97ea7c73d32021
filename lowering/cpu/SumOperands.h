// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the emitters of sums of products share: the operands, walked through in
// blocks that may run at once, and the epilogue.

#ifndef WEFT_LOWERING_CPU_SUMOPERANDS_H
#define WEFT_LOWERING_CPU_SUMOPERANDS_H

#include "lowering/Machine.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/Nest.h"

namespace weft {

/// Room for so many elements on the stack of whoever calls the function.
mlir::Value scratch(mlir::ImplicitLocOpBuilder &b, int64_t size,
                    mlir::Type type);

/// The operands of a sum, and those of its epilogue, as rows of elements.
class SumOperands {
public:
  /// Of sums that are no part of an array there are `ownSums`. The operand
  /// `copied`, if there is one, is read from a copy of so many elements; the
  /// last operand is then that itself.
  SumOperands(mlir::ImplicitLocOpBuilder &b, mlir::linalg::GenericOp op,
              mlir::linalg::GenericOp epilogue, const Nest &nest,
              int64_t ownSums, std::optional<unsigned> copied = {},
              int64_t copies = 0);

  /// One block: where all operands are, and its numbers.
  struct Block {
    llvm::SmallVector<mlir::Value> bases;
    mlir::Value row, column;
  };
  /// Builds a loop over the steps of the outer loops and the blocks of each,
  /// and goes on within it; `columnsFirst` has all that a block of columns is
  /// needed for done before the next. So many products take as long as a simple
  /// operation.
  Block forBlocks(llvm::ArrayRef<unsigned> outer, int64_t rowBlocks,
                  int64_t columnBlocks, double productsAtOnce,
                  const Machine &machine, bool columnsFirst = false);

  /// Where all operands are after `steps` of a loop.
  llvm::SmallVector<mlir::Value> moved(llvm::ArrayRef<mlir::Value> bases,
                                       mlir::Value steps,
                                       std::optional<unsigned> loop) const;

  /// Has places among sums that are no part of an array count from the
  /// beginning of a block, given the steps of its loops that are before it.
  void beginBlock(llvm::SmallVectorImpl<mlir::Value> &bases, mlir::Value row,
                  std::optional<unsigned> rowLoop, mlir::Value lane,
                  unsigned laneLoop) const;

  /// Changes or converts one element, whose sum is complete.
  void change(llvm::ArrayRef<mlir::Value> at);

  /// The number of an argument of the epilogue's body among the operands: the
  /// sums are where they were added up.
  unsigned numberOf(unsigned argument) const;

  /// The number of the operand that is copied.
  unsigned original() const { return numOperands; }

  /// The elements of an operand; of a scalar, itself.
  mlir::Value row(unsigned operand) const { return flats[operand].first; }

private:
  mlir::ImplicitLocOpBuilder &b;
  mlir::linalg::GenericOp epilogue;
  const Nest &nest;
  bool ownsSums;
  unsigned numOperands;
  /// Each operand as a row of elements, and where it begins.
  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>> flats;
};

/// The op just before, if it fills with zeros what is added to.
mlir::linalg::FillOp findZeros(mlir::linalg::GenericOp op);

/// Erases an allocation that is used for nothing any more.
void eraseFreed(mlir::Operation *alloc);

/// Has `emit(sum, epilogue, plan, fill)` write the loops of each sum of a
/// function for which there is a plan, with its epilogue if the plan has room
/// for that.
template <typename Plan, typename Emit>
void lowerSums(mlir::func::FuncOp func, const Machine &machine, Emit emit) {
  using mlir::linalg::GenericOp;
  llvm::SmallVector<GenericOp> sums;
  func.walk([&](GenericOp op) {
    if (!op->hasAttr(epilogueAttr) && op.hasPureBufferSemantics())
      sums.push_back(op);
  });
  for (GenericOp sum : sums) {
    GenericOp epilogue = findEpilogue(sum);
    std::optional<Plan> plan = Plan::make(sum, machine, epilogue);
    if (!plan && epilogue) {
      epilogue = {};
      plan = Plan::make(sum, machine);
    }
    if (!plan)
      continue;
    mlir::linalg::FillOp fill = findZeros(sum);
    // After what the epilogue reads.
    if (epilogue)
      sum->moveBefore(epilogue);
    mlir::Operation *own = plan->ownSums ? findConvertedSums(sum) : nullptr;
    emit(sum, epilogue, *plan, fill);
    if (epilogue)
      epilogue.erase();
    if (fill)
      fill.erase();
    if (own)
      eraseFreed(own);
  }
}

} // namespace weft

#endif // WEFT_LOWERING_CPU_SUMOPERANDS_H
