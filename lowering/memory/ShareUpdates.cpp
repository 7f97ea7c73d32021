// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-share-updates: loops that update elements in an order that matters, as
// those of a scatter, each of whose steps does so all along some dimension -> a
// loop over blocks of that dimension, which threads may share.

#include "lowering/Machine.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Nest.h"
#include "lowering/memory/Buffers.h"
#include "lowering/memory/LoopAccesses.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace weft {
#define GEN_PASS_DEF_SHAREUPDATES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Blocks are enough that threads have equal shares, and long enough that what
/// each of them finds out again, where an update goes, is of little account.
constexpr int64_t mostBlocks = 8, leastBlockBytes = 512;

class Updates {
public:
  /// Loops, each all but a computation of the body of the one around it.
  static std::optional<Updates> match(scf::ForOp outermost) {
    Updates updates;
    if (!updates.add(outermost) || updates.accesses.areAllReads())
      return std::nullopt;
    return updates;
  }

  /// Has the first loop whose steps write different elements be shared.
  void share() {
    auto found = llvm::find_if(
        loops, [&](scf::ForOp loop) { return accesses.areApart(loop); });
    if (found == loops.end())
      return;
    scf::ForOp loop = *found;
    OpBuilder b(loops.front());
    if (loop == loops.front())
      return loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    int64_t steps = *weft::stepsFromZero(loop), bytes = bytesOfStep(found);
    int64_t block = std::max(llvm::divideCeil(steps, mostBlocks),
                             llvm::divideCeil(leastBlockBytes, bytes));
    // Lines of the caches belong to one block.
    block = llvm::alignTo(
        block, std::max<int64_t>(1, weft::Machine::lineBytes / bytes));
    // Of steps that write in different rows, each has all updates of its own.
    if (loop == loops.back() && accesses.distanceOfSteps(loop) > bytes)
      block = 1;
    if (block < steps)
      inBlocks(b, loop, steps, block);
  }

private:
  SmallVector<scf::ForOp> loops;
  weft::LoopAccesses accesses;

  /// Adds a loop and those within it; false if one carries something, or there
  /// are two next to each other, or something else.
  bool add(scf::ForOp loop) {
    if (!weft::stepsFromZero(loop) || loop.getNumResults() != 0 ||
        !loop->getDiscardableAttrs().empty())
      return false;
    loops.push_back(loop);
    for (Operation &op : loop.getBody()->without_terminator()) {
      if (auto inner = dyn_cast<scf::ForOp>(op)) {
        if (loops.back() != loop || !add(inner))
          return false;
      } else if (!accesses.add(op)) {
        return false;
      }
    }
    return true;
  }

  /// What a step of a loop writes, in all that is within it.
  int64_t bytesOfStep(ArrayRef<scf::ForOp>::iterator loop) const {
    int64_t bytes =
        weft::bytesOf(getElementTypeOrSelf(accesses.firstWritten()));
    for (scf::ForOp inner : ArrayRef(std::next(loop), loops.end()))
      bytes *= *weft::stepsFromZero(inner);
    return bytes;
  }

  void inBlocks(OpBuilder &b, scf::ForOp loop, int64_t steps, int64_t block) {
    scf::ForOp outermost = loops.front();
    Location loc = outermost.getLoc();
    auto number = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    Value one = number(1), length = number(block), all = number(steps);
    auto blocks = scf::ForOp::create(
        b, loc, number(0), number(llvm::divideCeil(steps, block)), one);
    blocks->setAttr(weft::parallelAttr, b.getUnitAttr());
    b.setInsertionPointToStart(blocks.getBody());
    Value first =
        arith::MulIOp::create(b, loc, blocks.getInductionVar(), length);
    Value end = arith::AddIOp::create(b, loc, first, length);
    if (steps % block != 0)
      end = arith::MinUIOp::create(b, loc, end, all);
    outermost->moveBefore(blocks.getBody()->getTerminator());
    loop.setLowerBound(first);
    loop.setUpperBound(end);
  }
};

class ShareUpdates final : public weft::impl::ShareUpdatesBase<ShareUpdates> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    auto machine = weft::Machine::of(getOperation());
    SmallVector<scf::ForOp> loops;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ForOp loop) {
      loops.push_back(loop);
      return WalkResult::skip();
    });
    for (scf::ForOp loop : loops)
      if (auto updates = Updates::match(loop);
          updates && weft::workOf(loop) >= machine.shareFrom)
        updates->share();
  }
};

} // namespace
