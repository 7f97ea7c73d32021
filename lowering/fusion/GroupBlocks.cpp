// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-group-blocks: a sum of products and what is done with its rows, another
// sum of products included, become one loop over blocks of rows, where that
// saves an array too large for the caches. The scores of attention are
// computed, normalized and used block by block.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/RowGroup.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_GROUPBLOCKS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using linalg::LinalgOp;
using weft::baseOf;
using weft::Machine;
using weft::RowGroup;
using weft::touches;

namespace {

/// Bodies beyond this take long to compile as one function.
constexpr size_t mostMembers = 24;
/// Rows of a block: enough that tiles of a product are whole, and few enough
/// that a block stays in the cache.
constexpr int64_t mostRows = 64;
int64_t leastRows(const Machine &machine) {
  return std::min<int64_t>(16, machine.shareFrom + 1);
}
/// Bytes of the blocks that a thread keeps on its stack.
constexpr int64_t mostPrivateBytes = 512 << 10;

class BlockGroup {
public:
  BlockGroup(GenericOp sum, const Machine &machine)
      : machine(machine), group(machine), start(sum) {}

  /// Groups what follows the sum, if that is worth it.
  void build() {
    linalg::FillOp fill = weft::moveFillTo(start);
    if (!fill)
      return;
    first = fill;
    unsigned leading = 0;
    for (utils::IteratorType kind : start.getIteratorTypesArray()) {
      if (kind != utils::IteratorType::parallel)
        break;
      ++leading;
    }
    // The lanes are no rows.
    leading = std::min<unsigned>(leading, start.getNumParallelLoops() - 1);
    if (leading == 0 || !add(fill, leading) || !add(start, leading))
      return;
    collect(leading);
    trim();
    wrapIfWorthIt();
  }

private:
  bool add(LinalgOp op, unsigned leading) {
    if (group.members().size() == mostMembers ||
        !group.add(op, leading, leading))
      return false;
    if (group.canBlock())
      return true;
    group.pop();
    return false;
  }

  /// Adds what follows, up to an op that neither is of these rows nor can be
  /// done before.
  void collect(unsigned leading) {
    Operation *next = start->getNextNode();
    while (next) {
      Operation *op = next;
      next = op->getNextNode();
      if (isMemoryEffectFree(op) || isa<memref::AllocOp>(op))
        continue;
      auto linalgOp = dyn_cast<LinalgOp>(op);
      bool isComputed = isa<GenericOp, linalg::FillOp>(op);
      if (!linalgOp || !isComputed)
        return;
      // A sum and the fill that it begins with stay together.
      GenericOp sum = weft::sumAfter(linalgOp);
      if (sum)
        next = sum->getNextNode();
      if (add(linalgOp, leading)) {
        if (!sum || add(sum, leading))
          continue;
        group.pop();
      }
      if (!moveToFront(linalgOp) || (sum && !moveToFront(sum)))
        return;
    }
  }

  /// Has an op that has nothing to do with the members done before them.
  bool moveToFront(LinalgOp op) {
    for (const RowGroup::Member &member : group.members()) {
      LinalgOp other = member.op;
      for (Value init : other.getDpsInits())
        if (touches(op, baseOf(init)))
          return false;
      for (Value init : op.getDpsInits())
        if (touches(other, baseOf(init)))
          return false;
    }
    // With what it is given: views and allocations.
    SmallVector<Operation *> moved{op};
    for (size_t i = 0; i < moved.size(); ++i) {
      llvm::SetVector<Value> given(moved[i]->operand_begin(),
                                   moved[i]->operand_end());
      getUsedValuesDefinedAbove(moved[i]->getRegions(), given);
      for (Value operand : given) {
        Operation *source = operand.getDefiningOp();
        if (source && source->getBlock() == op->getBlock() &&
            first->isBeforeInBlock(source) &&
            !llvm::is_contained(moved, source))
          moved.push_back(source);
      }
    }
    for (Operation *each : ArrayRef(moved).drop_front())
      if (!isMemoryEffectFree(each) && !isa<memref::AllocOp>(each))
        return false;
    llvm::sort(moved, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    for (Operation *each : moved)
      each->moveBefore(first);
    return true;
  }

  /// The buffers that members write and later ones read, and the bytes of a row
  /// of each.
  llvm::MapVector<Value, int64_t> findReused() const {
    llvm::MapVector<Value, int64_t> reused;
    llvm::SmallDenseSet<Value> written;
    for (const RowGroup::Member &member : group.members()) {
      LinalgOp op = member.op;
      for (OpOperand *input : op.getDpsInputOperands())
        if (written.contains(input->get()))
          reused.insert({input->get(), bytesOfRow(input->get())});
      for (Value init : op.getDpsInits())
        written.insert(init);
    }
    return reused;
  }

  int64_t bytesOfRow(Value buffer) const {
    int64_t rows = std::min(group.numRows(), numElements(buffer));
    return bytesOf(buffer) / std::max<int64_t>(rows, 1);
  }
  static int64_t numElements(Value buffer) {
    return cast<MemRefType>(buffer.getType()).getNumElements();
  }
  static int64_t bytesOf(Value buffer) {
    return numElements(buffer) *
           weft::bytesOf(cast<MemRefType>(buffer.getType()).getElementType());
  }

  /// Leaves out what stands at the end and has nothing to gain: it reads
  /// nothing that members have written.
  void trim() {
    auto gains = [&](LinalgOp op) {
      auto reused = findReused();
      return llvm::any_of(op.getDpsInputs(),
                          [&](Value input) { return reused.contains(input); });
    };
    while (group.members().size() > 2 && !gains(group.members().back().op))
      group.pop();
  }

  void wrapIfWorthIt() {
    int64_t bytesPerRow = 0, saved = 0;
    for (auto [buffer, bytes] : findReused()) {
      bytesPerRow += bytes;
      saved += bytesOf(buffer);
    }
    if (saved <= machine.l2Bytes || !staysInCache() || isAlone())
      return;
    SmallVector<Value> buffers =
        llvm::to_vector(llvm::make_first_range(group.findPrivate()));
    if (int64_t rows = blockOf(bytesPerRow))
      group.wrap(rows, buffers);
  }

  /// Whether there is no more than a sum and what converts it, which are in the
  /// same loops as it is.
  bool isAlone() const {
    return group.members().size() == 3 &&
           group.members().back().op == weft::findEpilogue(start);
  }

  /// The largest number of rows of a block that can be had, or 0.
  int64_t blockOf(int64_t bytesPerRow) const {
    int64_t extent = group.members().front().nest.extents[group.numLoops() - 1];
    int64_t most = std::min(mostRows, mostPrivateBytes / bytesPerRow);
    for (int64_t rows = std::min(most, extent / 2); rows >= leastRows(machine);
         --rows)
      if (extent % rows == 0)
        return rows;
    return 0;
  }

  /// Whether what a block of a product reads besides its rows is in the cache
  /// still when the next one reads it.
  bool staysInCache() const {
    return llvm::all_of(group.members(), [&](const RowGroup::Member &member) {
      LinalgOp op = member.op;
      if (!weft::isSumOfProducts(op))
        return true;
      for (OpOperand *input : op.getDpsInputOperands()) {
        auto type = cast<MemRefType>(input->get().getType());
        AffineMap map = op.getMatchingIndexingMap(input);
        int64_t bytes = weft::bytesOf(type.getElementType());
        bool isOfRows = false;
        for (auto [expr, size] :
             llvm::zip_equal(map.getResults(), type.getShape())) {
          bool isOuter = false;
          for (unsigned loop = 0; loop < group.numLoops(); ++loop)
            isOuter |= expr.isFunctionOfDim(loop);
          isOfRows |= expr.isFunctionOfDim(group.numLoops() - 1);
          bytes *= isOuter ? 1 : size;
        }
        if (!isOfRows && bytes > machine.l2Bytes / 2)
          return false;
      }
      return true;
    });
  }

  const Machine &machine;
  RowGroup group;
  GenericOp start;
  Operation *first = nullptr;
};

class GroupBlocks final : public weft::impl::GroupBlocksBase<GroupBlocks> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    for (auto sum : llvm::make_early_inc_range(
             getOperation().getBody().front().getOps<GenericOp>()))
      if (weft::isSumOfProducts(sum) && sum.hasPureBufferSemantics())
        weft::moveFillTo(sum);
    while (GenericOp sum = nextSum(machine))
      BlockGroup(sum, machine).build();
    seen.clear();
  }

  /// The next sum of products that has not been looked at, and that stands in
  /// no loop yet.
  GenericOp nextSum(const Machine &machine) {
    for (auto sum : getOperation().getBody().front().getOps<GenericOp>()) {
      auto alloc = sum.getDpsInits()[0].getDefiningOp<memref::AllocOp>();
      if (!alloc || !seen.insert(sum).second || !weft::isSumOfProducts(sum) ||
          !sum.hasPureBufferSemantics() || sum->hasAttr(weft::keepAttr))
        continue;
      // What is turned for all rows would be turned for each block of them.
      auto plan = weft::ContractionPlan::make(sum, machine);
      if (plan && !plan->lanesAreTurned)
        return sum;
    }
    return {};
  }

  llvm::SmallPtrSet<Operation *, 8> seen;
};

} // namespace
