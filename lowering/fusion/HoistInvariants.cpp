// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-hoist-invariants: what no step of a loop changes -> computed before it.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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
            return isMemoryEffectFree(op) &&
                   (isSpeculatable(op) ||
                    (mayFail && isa<weft::LibraryCallOp>(op)));
          },
          [&](Operation *op, Region *) { loop.moveOutOfLoop(op); });
    });
  }
};

} // namespace
