// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-prune-bodies: users before what they use, and ops before those in their
// bodies, so that each is looked at once.

#include "dialects/Control.h"
#include "dialects/transforms/Passes.h"

using namespace mlir;

namespace weft {
#define GEN_PASS_DEF_PRUNEBODIES
#include "dialects/transforms/Passes.h.inc"
} // namespace weft

using namespace weft;

static void prune(Region &region) {
  for (Block &block : region)
    for (Operation &op : llvm::make_early_inc_range(
             llvm::make_range(block.rbegin(), block.rend()))) {
      Operation *pruned = isa<ControlFlow>(op) ? pruneBodies(&op) : &op;
      for (Region &body : pruned->getRegions())
        prune(body);
    }
}

namespace {

struct PruneBodies final : weft::impl::PruneBodiesBase<PruneBodies> {
  void runOnOperation() final {
    for (Region &region : getOperation()->getRegions())
      prune(region);
  }
};

} // namespace
