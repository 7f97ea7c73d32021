// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the order of loops is chosen: memory is walked through, in blocks that
// stay in a cache.

#include "lowering/cpu/LoopOrder.h"

#include "lowering/fusion/LaneReduction.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using linalg::LinalgOp;

namespace weft {

Value wholeOf(Value operand) {
  auto view = operand.getDefiningOp<memref::SubViewOp>();
  return view ? view.getSource() : operand;
}

LoopOrder::LoopOrder(LinalgOp op, const Nest &nest, const Machine &machine)
    : op(op), nest(nest), machine(machine) {
  side = std::clamp<int64_t>(machine.l1Bytes >> 10, 2, 32);
  lanesInCache = std::clamp<int64_t>(machine.l1Bytes >> 5, 4, 1024);
  if (nest.depth() == 0)
    return;
  chooseInnermost();
  SmallVector<unsigned> outer, summed;
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (loop != innermost)
      (nest.isParallel(loop) ? outer : summed).push_back(loop);
  addBlocks(outer, summed);
  for (unsigned loop : outer)
    if (!square || loop != square->loop)
      levels.push_back({loop});
  if (square) {
    unsigned loop = square->loop;
    // Along rows of what is read, which the hardware fetches ahead.
    levels.append({{innermost, square->side}, {loop, square->side}, {loop}});
  }
  if (isShared)
    chooseShared();
  for (unsigned loop : summed)
    levels.push_back({loop});
  if (!summed.empty() && canJam(summed.back()))
    levels.back() = {summed.back(),
                     std::min(stepsJammed, nest.extents[summed.back()]),
                     /*jammed=*/true};
  if (!fetched.empty())
    levels.push_back({innermost, chunk});
  levels.push_back({innermost});
}

int64_t LoopOrder::costOf(unsigned loop) {
  int64_t cost = 0;
  // Results that lie in turn fill lines together.
  int64_t inTurn = op.getNumDpsInits();
  for (auto [number, access] : llvm::enumerate(nest.accesses)) {
    int64_t stride = access.strides[loop];
    bool isResult = number >= static_cast<size_t>(op.getNumDpsInputs());
    // Of what has gaps, sums are better off with the next elements than with
    // rows further away.
    bool isNear = nest.isParallel(loop) && !isResult && stride > 0 &&
                  stride <= near && !llvm::is_contained(access.strides, 1);
    int64_t far = isNear ? 4 : 8;
    int64_t own = stride == 0        ? 0
                  : stride == 1      ? 1
                  : stride == inTurn ? 2
                                     : far;
    cost += isResult ? 2 * own : own;
  }
  return cost;
}

void LoopOrder::chooseInnermost() {
  // What is summed over keeps its order, so that only the last can be inside.
  std::optional<unsigned> lastSummed;
  for (unsigned loop = 0; loop < nest.depth(); ++loop)
    if (!nest.isParallel(loop))
      lastSummed = loop;
  std::optional<int64_t> least;
  for (unsigned loop = nest.depth(); loop-- > 0;) {
    if (!nest.isParallel(loop) && loop != lastSummed)
      continue;
    // A short loop is not worth being inside.
    int64_t cost = costOf(loop) + (nest.extents[loop] < 8 ? 8 : 0);
    if (!least || cost < *least)
      least = cost, innermost = loop;
  }
}

void LoopOrder::addBlocks(ArrayRef<unsigned> outer, ArrayRef<unsigned> summed) {
  int64_t outerSteps = 1;
  for (unsigned loop : outer)
    outerSteps *= nest.extents[loop];
  // Rows are shared already.
  isShared = !op->getParentOfType<scf::ForOp>() &&
             workOf(op, nest) >= machine.shareFrom;
  if (!nest.isParallel(innermost)) {
    // Of what LLVM puts into vectors itself.
    if (LaneReduction::match(op, /*inVectors=*/false) &&
        !LaneReduction::match(op))
      chooseFetched({});
    return;
  }
  int64_t extent = nest.extents[innermost];
  if (summed.empty() && chooseSquare(outer))
    return;
  chooseFetched(summed);
  // Sums that stay in the first cache, and enough blocks for all threads.
  int64_t block = extent;
  if (!summed.empty())
    block = std::min(block, lanesInCache);
  if (isShared && outerSteps < manyTasks)
    block = std::min<int64_t>(
        block,
        llvm::alignTo(std::max(lanesInCache, extent * outerSteps / manyTasks),
                      chunk));
  // Chunks end where blocks do.
  if (!fetched.empty())
    block = llvm::alignTo(block, chunk);
  if (block < extent)
    levels = {{innermost, block}};
}

void LoopOrder::chooseFetched(ArrayRef<unsigned> summed) {
  bool isRow = op->getParentOfType<scf::ForOp>();
  int64_t extent = nest.extents[innermost], bytes = 0, widest = 1;
  for (auto [number, access] : llvm::enumerate(nest.accesses)) {
    auto type = dyn_cast<MemRefType>(op->getOperand(number).getType());
    if (!type || access.strides[innermost] != 1)
      continue;
    int64_t each = bytesOf(type.getElementType());
    bytes += each * type.getNumElements();
    widest = std::max(widest, each);
  }
  double elements = llvm::product_of(nest.extents);
  int64_t wanted = chunkBytes / widest, far = chunksAhead * wanted;
  bool pays = isRow ? nest.depth() == 1 &&
                          extent * widest >= Machine::lineBytes &&
                          bytes <= machine.l2Bytes / 8
                    : extent >= (summed.empty() ? 4 : 1) * wanted;
  if (!pays || workOf(op, nest) < muchWork * elements)
    return;
  for (OpOperand *input : op.getDpsInputOperands()) {
    unsigned number = input->getOperandNumber();
    if (!isInMemory(input->get()) || nest.stride(number, innermost) != 1)
      continue;
    int64_t ahead = far;
    if (isRow && wasRead(input->get()))
      ahead = std::max(ahead, extent);
    else if (!summed.empty())
      ahead = nest.stride(number, summed.back());
    if (ahead > 0)
      fetched.push_back({number, ahead});
  }
  if (fetched.empty())
    return;
  chunk = std::min(wanted, extent);
  if (isRow && bytes > 2 * machine.l1Bytes)
    locality = 2;
}

bool LoopOrder::canJam(unsigned loop) {
  return fetched.empty() && op.getNumDpsInits() == 1 &&
         nest.isParallel(innermost) && nest.extents[innermost] >= leastLanes &&
         nest.accesses.back().strides[loop] == 0 && nest.extents[loop] > 1 &&
         op.getBlock()->getOperations().size() <= mostJammedOps;
}

bool LoopOrder::isInMemory(Value operand) const {
  Value whole = wholeOf(operand);
  auto type = dyn_cast<MemRefType>(whole.getType());
  return type && type.getLayout().isIdentity() && type.hasStaticShape() &&
         !whole.getDefiningOp<memref::AllocaOp>() &&
         type.getNumElements() * bytesOf(type.getElementType()) >
             machine.l2Bytes;
}

bool LoopOrder::wasRead(Value row) {
  return !llvm::all_of(row.getUsers(), llvm::IsaPred<LinalgOp>);
}

bool LoopOrder::chooseSquare(ArrayRef<unsigned> outer) {
  for (unsigned loop : outer) {
    int64_t extent = std::min(nest.extents[innermost], nest.extents[loop]);
    int64_t own = std::min<int64_t>(side, llvm::bit_floor<uint64_t>(extent));
    if (own < leastSide)
      continue;
    SmallVector<unsigned> turned;
    for (auto [number, access] : llvm::enumerate(nest.accesses))
      if (access.strides[loop] == 1 && access.strides[innermost] > 1)
        turned.push_back(number);
    if (turned.empty())
      continue;
    square = Square{loop, innermost, own, turned};
    return true;
  }
  return false;
}

void LoopOrder::chooseShared() {
  int64_t tasks = 1;
  llvm::SmallDenseSet<unsigned> seen;
  while (shared < levels.size() && tasks < manyTasks) {
    const Level &level = levels[shared];
    if (!seen.insert(level.loop).second)
      return;
    ++shared;
    tasks *= llvm::divideCeil(nest.extents[level.loop], level.step);
  }
}

} // namespace weft
