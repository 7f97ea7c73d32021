// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-copies: memref.copy -> linalg.generic, which becomes a loop nest
// and, where it is contiguous, LLVM's memcpy.

#include "lowering/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

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
    for (memref::CopyOp op : copies) {
      if (op.getSource() != op.getTarget())
        buildLoops(op);
      op.erase();
    }
  }

  static void buildLoops(memref::CopyOp op) {
    OpBuilder b(op);
    int64_t rank = cast<MemRefType>(op.getTarget().getType()).getRank();
    SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
    linalg::GenericOp::create(
        b, op.getLoc(), TypeRange{}, ValueRange{op.getSource()},
        ValueRange{op.getTarget()}, maps, loops,
        [](OpBuilder &inner, Location loc, ValueRange args) {
          linalg::YieldOp::create(inner, loc, args.front());
        });
  }
};

} // namespace
