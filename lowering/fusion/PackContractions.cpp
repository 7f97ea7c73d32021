// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-pack-contractions: the operand of a sum of products that is read in
// vectors is copied into panels first, in the order in which tiles read it, and
// factors of which no vectors can be read are copied so that they can. Factors
// of 16 bits that are read often are widened first.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Packing.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

namespace weft {
#define GEN_PASS_DEF_PACKCONTRACTIONS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using weft::ContractionPlan;
using weft::Machine;
using weft::TilePlan;

namespace {

class PackContractions final
    : public weft::impl::PackContractionsBase<PackContractions> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops)
      if (op.hasPureTensorSemantics() && !op->hasAttr(weft::keepAttr))
        pack(op, machine);
  }

  static void pack(GenericOp op, const Machine &machine) {
    if (auto tiles = TilePlan::toPack(op, machine)) {
      // Panels are copied from one row of all elements.
      Value factor = op.getDpsInputs()[tiles->columnFactor];
      if (!weft::isContiguous(factor)) {
        OpBuilder b(op);
        op->setOperand(tiles->columnFactor,
                       weft::copyTogether(b, op.getLoc(), factor));
        tiles = TilePlan::toPack(op, machine);
        if (!tiles)
          return;
      }
      if (weft::padSteps(op, *tiles))
        tiles = TilePlan::toPack(op, machine);
      return weft::packTiles(op, *tiles, machine);
    }
    // Other factors of matrix tiles are copied where they are multiplied.
    if (TilePlan::make(op, machine))
      return;
    op = weft::orderFactors(op, machine);
    if (!ContractionPlan::make(op, machine))
      return;
    weft::Widened widened = weft::widenFactors(op);
    auto plan = ContractionPlan::make(op, machine);
    if (!plan || !plan->isWorthPacking(machine))
      return;
    auto laneLoop = plan->nest.originOf(plan->laneLoop);
    AffineMap map = op.getIndexingMapsArray()[plan->wide];
    if (laneLoop && map.isProjectedPermutation())
      weft::packPanels(op, plan->wide, *laneLoop, plan->tileLanes(),
                       widened[plan->wide]);
  }
};

} // namespace
