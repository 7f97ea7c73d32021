// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-hoist-invariants: what no step of a loop changes -> computed before it.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "lowering/fusion/FusionPlan.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace weft {
#define GEN_PASS_DEF_HOISTINVARIANTS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

bool takesAStep(LoopLikeOpInterface loop) {
  auto counted = dyn_cast<scf::ForOp>(loop.getOperation());
  std::optional<APInt> steps =
      counted ? counted.getStaticTripCount() : std::nullopt;
  return steps && !steps->isZero();
}

/// Whether an op puts one number among elements: where that is read, what reads
/// it can be split instead.
bool insertsSplat(Operation *op) {
  auto insert = dyn_cast<tensor::InsertSliceOp>(op);
  if (!insert)
    return false;
  Value source = insert.getSource();
  while (isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
      source.getDefiningOp()))
    source = source.getDefiningOp()->getOperand(0);
  return static_cast<bool>(weft::splatOf(source));
}

class HoistInvariants final
    : public weft::impl::HoistInvariantsBase<HoistInvariants> {
  void runOnOperation() override {
    // Inner loops first: what leaves one may leave the next.
    getOperation().walk([](LoopLikeOpInterface loop) {
      // What may fail is called without a step only where one is taken anyway.
      bool mayFail = takesAStep(loop);
      moveLoopInvariantCode(
          loop.getLoopRegions(),
          [&](Value value, Region *) {
            return loop.isDefinedOutsideOfLoop(value);
          },
          [&](Operation *op, Region *) {
            return isMemoryEffectFree(op) && !insertsSplat(op) &&
                   (isSpeculatable(op) ||
                    (mayFail && isa<weft::LibraryCallOp>(op)));
          },
          [&](Operation *op, Region *) { loop.moveOutOfLoop(op); });
    });
  }
};

} // namespace
