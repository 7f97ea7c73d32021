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

/// More would take the compiler's memory, and longer than they save.
constexpr int64_t mostSteps = 4096;

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
      if (!steps || !steps.getType().isSignlessInteger(64) ||
          steps.getInt() < 1) {
        loop.emitError("cannot take this many steps at a time");
        return signalPassFailure();
      }
      int64_t factor = steps.getInt();
      if (auto count = loop.getStaticTripCount())
        factor =
            std::clamp<int64_t>(count->getLimitedValue(INT64_MAX), 1, factor);
      if (factor > mostSteps || failed(loopUnrollByFactor(loop, factor))) {
        loop.emitError("cannot take ") << factor << " steps at a time; at most "
                                       << mostSteps << " are written out";
        return signalPassFailure();
      }
    }
  }
};

} // namespace
