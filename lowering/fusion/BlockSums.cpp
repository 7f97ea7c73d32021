// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-block-sums: sums of products that are only there to be converted are
// taken out of the arena: a block of them at a time is all that is needed.

#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"

namespace weft {
#define GEN_PASS_DEF_BLOCKSUMS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::Machine;

namespace {

class BlockSums final : public weft::impl::BlockSumsBase<BlockSums> {
  void runOnOperation() override {
    Machine machine = Machine::of(getOperation());
    getOperation().walk([&](linalg::GenericOp sum) {
      auto sums =
          dyn_cast_or_null<memref::AllocOp>(weft::findConvertedSums(sum));
      if (!sums || !hasPlan(sum, machine))
        return;
      // So that they begin in the kernel that they end in.
      for (Operation *user : sums->getUsers())
        if (isa<linalg::FillOp>(user))
          user->moveBefore(sum);
      OpBuilder b(&getContext());
      b.setInsertionPointAfter(weft::findEpilogue(sum));
      memref::DeallocOp::create(b, sums.getLoc(), sums);
    });
  }

  /// Whether the sums and their epilogue are computed in the same loops.
  static bool hasPlan(linalg::GenericOp sum, const Machine &machine) {
    linalg::GenericOp epilogue = weft::findEpilogue(sum);
    if (auto tiles = weft::TilePlan::make(sum, machine, epilogue))
      return tiles->ownSums > 0;
    if (weft::TilePlan::make(sum, machine))
      return false;
    auto plan = weft::ContractionPlan::make(sum, machine, epilogue);
    return plan && plan->ownSums > 0;
  }
};

} // namespace
