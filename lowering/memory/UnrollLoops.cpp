// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-unroll-loops: a loop that is to take several steps at a time has its
// body that often, with a loop for the steps that are left over behind it.

#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Utils/Utils.h"

namespace weft {
#define GEN_PASS_DEF_UNROLLLOOPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class UnrollLoops final : public weft::impl::UnrollLoopsBase<UnrollLoops> {
  void runOnOperation() override {
    // Inner loops come first, and are repeated as they have become.
    SmallVector<scf::ForOp> loops;
    getOperation().walk([&](scf::ForOp loop) {
      if (loop->hasAttr(weft::unrollAttr))
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops) {
      auto steps =
          dyn_cast<IntegerAttr>(loop->removeDiscardableAttr(weft::unrollAttr));
      if (!steps || steps.getInt() < 1 ||
          failed(loopUnrollByFactor(loop, steps.getInt()))) {
        loop.emitError("cannot take this many steps at a time");
        return signalPassFailure();
      }
    }
  }
};

} // namespace
