// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-group-rows: linalg ops on buffers that follow each other, and of which
// each computes a row from rows of the ones before it, become one loop over the
// rows. What one writes the next reads from a cache, and what nothing else
// reads needs no more than a row.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/ElementwiseGroup.h"
#include "lowering/gpu/Device.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace weft {
#define GEN_PASS_DEF_GROUPROWS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::Machine;
using weft::RowGroup;

namespace {

/// Bodies beyond this take long to compile as one function, and of more arrays
/// a GPU's thread has not the registers for places and elements.
constexpr size_t mostMembers = 16, mostArrays = 24;
/// Shorter rows are not worth a loop of their own, and fewer of them leave
/// threads without work.
struct Limits {
  int64_t steps = 32, rows = 16;

  static Limits of(func::FuncOp func, const Machine &machine) {
    Limits limits;
    int64_t fewestRows = 1;
    // A block has a row, and a device many blocks. A single row would be no
    // loop in the end, and what it keeps to itself be in no kernel.
    if (weft::isForGpu(func)) {
      limits.rows = 2 * weft::Gpu::of(func).multiprocessors;
      fewestRows = 2;
    }
    return {std::min(limits.steps, machine.shareFrom),
            std::max(std::min(limits.rows, machine.shareFrom), fewestRows)};
  }
};

/// Bytes of the rows that a thread keeps on its stack.
constexpr int64_t mostPrivateBytes = 128 << 10;
/// Steps of a block of short rows: few enough that what its members share stays
/// in the first cache.
constexpr int64_t blockSteps = 1024;
/// From so many rows on a function of each is worth a loop of its own.
constexpr int64_t rowsOfFunctions = 1024;
/// What members move for a step: at least two bytes.
constexpr int64_t leastBytes = 2;

class GroupRows final : public weft::impl::GroupRowsBase<GroupRows> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    machine = Machine::of(getOperation());
    limits = Limits::of(getOperation(), machine);
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!block->getParentOp()->getParentOfType<LinalgOp>() &&
          !isa<LinalgOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks) {
      for (auto copy :
           llvm::make_early_inc_range(block->getOps<memref::CopyOp>()))
        if (leavesGaps(copy))
          weft::copyInLoops(copy);
      for (auto sum :
           llvm::make_early_inc_range(block->getOps<linalg::GenericOp>()))
        if (weft::isSumOfProducts(sum) && sum.hasPureBufferSemantics())
          weft::moveFillTo(sum);
      groupIn(*block);
    }
  }

  static LinalgOp computed(Operation *op) {
    if (isa<linalg::GenericOp, linalg::FillOp>(op))
      return cast<LinalgOp>(op);
    return {};
  }

  bool add(RowGroup &group, LinalgOp op) {
    return group.members().size() < mostMembers && !belongsToSum(op) &&
           (!weft::isForGpu(getOperation()) || hasRegisters(group, op)) &&
           group.add(op);
  }

  static bool hasRegisters(const RowGroup &group, LinalgOp op) {
    llvm::SmallDenseSet<Value> arrays;
    auto count = [&](LinalgOp member) {
      for (Value operand : member->getOperands())
        if (isa<MemRefType>(operand.getType()))
          arrays.insert(operand);
    };
    for (const RowGroup::Member &member : group.members())
      count(member.op);
    count(op);
    return arrays.size() <= mostArrays;
  }

  /// Whether the op is a sum of products, its epilogue, or the fill before it.
  static bool belongsToSum(LinalgOp op) {
    return weft::isSumOfProducts(op) || op->hasAttr(weft::epilogueAttr) ||
           weft::sumAfter(op);
  }

  void groupIn(Block &block) {
    RowGroup group(machine);
    for (Operation &op : llvm::make_early_inc_range(block)) {
      LinalgOp linalgOp = computed(&op);
      if (linalgOp && add(group, linalgOp))
        continue;
      // What touches no memory of theirs may stand between them.
      if (isMemoryEffectFree(&op) || isa<memref::AllocOp, memref::AllocaOp>(op))
        continue;
      build(group);
      group = RowGroup(machine);
      if (linalgOp)
        add(group, linalgOp);
    }
    build(group);
  }

  void build(RowGroup &group) {
    if (group.members().size() < 2)
      return;
    // What a thread reads is in its registers, and a launch takes its time.
    if ((weft::isForGpu(getOperation()) || interleaves(group)) &&
        weft::mergeElementwise(group))
      return;
    auto isShort = [&] { return group.stepsPerRow() < limits.steps; };
    while (isShort() && group.numLoops() > 1)
      if (!group.widen())
        return;
    int64_t block = isShort() ? blockOf(group) : 0;
    if (isShort() && block == 0)
      return;
    int64_t atOnce = std::max<int64_t>(block, 1);
    if (group.numRows() / atOnce < limits.rows)
      return;
    if (block == 0)
      leaveFunctions(group);
    if (group.members().size() < 2)
      return;
    SmallVector<Value> own;
    int64_t bytes = 0;
    for (auto [buffer, size] : group.findPrivate()) {
      bytes += size * atOnce;
      if (bytes <= mostPrivateBytes)
        own.push_back(buffer);
    }
    group.wrap(block, own);
  }

  /// Whether what a copy writes does not lie together, but close: others may
  /// fill lines with it.
  static bool leavesGaps(memref::CopyOp copy) {
    auto type = cast<MemRefType>(copy.getTarget().getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    if (copy.getSource() == copy.getTarget() || !type.hasStaticShape() ||
        failed(type.getStridesAndOffset(strides, offset)))
      return false;
    for (auto [extent, stride] :
         llvm::reverse(llvm::zip_equal(type.getShape(), strides)))
      if (extent > 1)
        return stride > 1 && stride <= int64_t(mostMembers);
    return false;
  }

  /// Whether the results are an array's elements in turn, as of parts that are
  /// stacked along the last axis: vectors of all parts fill lines together.
  static bool interleaves(const RowGroup &group) {
    auto own = group.findPrivate();
    llvm::SmallDenseSet<Value> arrays;
    int64_t results = 0, stride = 0;
    for (const RowGroup::Member &member : group.members()) {
      LinalgOp op = member.op;
      unsigned loop = member.nest.depth() - 1;
      while (loop > 0 && member.nest.extents[loop] == 1)
        --loop;
      for (OpOperand &init : op.getDpsInitsMutable()) {
        if (own.contains(init.get()))
          continue;
        int64_t apart = member.nest.stride(init.getOperandNumber(), loop);
        if (results++ > 0 && apart != stride)
          return false;
        stride = apart;
        arrays.insert(weft::ownBufferOf(init.get()));
      }
    }
    return arrays.size() == 1 && results > 1 && results == stride;
  }

  /// Leaves out what is computed in the end of each row's number alone, if that
  /// takes functions: of many rows they are computed in vectors.
  void leaveFunctions(RowGroup &group) {
    if (weft::isForGpu(getOperation()) || group.numRows() < rowsOfFunctions)
      return;
    ArrayRef<RowGroup::Member> members = group.members();
    size_t kept = members.size();
    for (size_t last = members.size(); last > 0; --last) {
      const RowGroup::Member &member = members[last - 1];
      if (llvm::product_of(
              ArrayRef(member.nest.extents).drop_front(group.numLoops())) != 1)
        break;
      LinalgOp op = member.op;
      if (llvm::any_of(op.getBlock()->without_terminator(), isFunction))
        kept = last - 1;
    }
    while (group.members().size() > kept)
      group.pop();
  }

  static bool isFunction(Operation &op) {
    return isa<math::MathDialect>(op.getDialect()) &&
           !isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::SqrtOp>(op);
  }

  /// How many short rows are done at once where the arrays fill the caches, or
  /// 0. A block of threads is given whole rows.
  int64_t blockOf(const RowGroup &group) {
    int64_t steps = group.stepsPerRow(), rows = group.numRows();
    if (weft::isForGpu(getOperation()) || !group.canBlock() ||
        rows * steps * leastBytes <= machine.l2Bytes)
      return 0;
    for (int64_t block = blockSteps / steps; block * steps >= limits.steps;
         --block)
      if (rows % block == 0)
        return block;
    return 0;
  }

  Machine machine;
  Limits limits;
};

} // namespace
