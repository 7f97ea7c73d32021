// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-copies: memref.copy -> linalg.generic, which becomes a loop nest
// and, where it is contiguous, LLVM's memcpy.

#include "lowering/Passes.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace weft {
#define GEN_PASS_DEF_LOWERCOPIES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class LowerCopies final : public weft::impl::LowerCopiesBase<LowerCopies> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp op : copies)
      if (op.getSource() == op.getTarget())
        op.erase();
      else
        weft::copyInLoops(op);
  }
};

} // namespace
