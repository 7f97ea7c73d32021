// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-erase-barriers: weft.barrier %x -> %x.

#include "dialects/Weft.h"
#include "lowering/Passes.h"

namespace weft {
#define GEN_PASS_DEF_ERASEBARRIERS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class EraseBarriers final
    : public weft::impl::EraseBarriersBase<EraseBarriers> {
  void runOnOperation() override {
    getOperation().walk([](weft::BarrierOp op) {
      op.replaceAllUsesWith(op.getInputs());
      op.erase();
    });
  }
};

} // namespace
