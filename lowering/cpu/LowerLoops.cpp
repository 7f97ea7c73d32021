// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-loops: a linalg op on buffers -> loops in an order in which memory
// is walked through, in blocks that stay in a cache, and one loop outermost
// that threads can share. LLVM computes the innermost loop in vectors.

#include "lowering/Machine.h"
#include "lowering/Nest.h"
#include "lowering/Passes.h"
#include "lowering/cpu/LaneReduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace weft {
#define GEN_PASS_DEF_LOWERLOOPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::LaneReduction;
using weft::Machine;
using weft::Nest;

namespace {

/// A loop of the nest as it is run: over blocks of `step`, or within one.
struct Level {
  unsigned loop;
  int64_t step = 1;
};

/// The order in which a nest is run.
class Schedule {
public:
  SmallVector<Level> levels;
  /// How many of the first levels are one loop, which threads may share.
  unsigned shared = 0;

  Schedule(LinalgOp op, const Nest &nest, const Machine &machine)
      : op(op), nest(nest), machine(machine) {
    square = std::clamp<int64_t>(machine.l1Bytes >> 10, 2, 32);
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
      levels.push_back({loop});
    if (isShared)
      chooseShared();
    for (unsigned loop : summed)
      levels.push_back({loop});
    levels.push_back({innermost});
  }

private:
  /// How dear it is to walk through all operands along a loop.
  int64_t costOf(unsigned loop) {
    int64_t cost = 0;
    for (auto [number, access] : llvm::enumerate(nest.accesses)) {
      int64_t stride = access.strides[loop];
      bool isResult = number >= static_cast<size_t>(op.getNumDpsInputs());
      int64_t own = stride == 0 ? 0 : stride == 1 ? 1 : 8;
      cost += isResult ? 2 * own : own;
    }
    return cost;
  }

  void chooseInnermost() {
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

  void addBlocks(ArrayRef<unsigned> outer, ArrayRef<unsigned> summed) {
    int64_t outerSteps = 1;
    for (unsigned loop : outer)
      outerSteps *= nest.extents[loop];
    // Rows are shared already.
    isShared = !op->getParentOfType<scf::ForOp>() &&
               weft::workOf(op, nest) >= machine.shareFrom;
    if (!nest.isParallel(innermost))
      return;
    int64_t extent = nest.extents[innermost];
    // An operand that is consecutive along another loop: small squares.
    for (unsigned loop : outer)
      for (const weft::Access &access : nest.accesses)
        if (summed.empty() && access.strides[loop] == 1 &&
            access.strides[innermost] > 1 && extent > square &&
            nest.extents[loop] > square) {
          levels = {{loop, square}, {innermost, square}};
          return;
        }
    // Sums that stay in the first cache, and enough blocks for all threads.
    int64_t block = extent;
    if (!summed.empty())
      block = std::min(block, lanesInCache);
    if (isShared && outerSteps < manyTasks)
      block = std::min<int64_t>(
          block, std::max<int64_t>(
                     lanesInCache,
                     llvm::alignTo(extent * outerSteps / manyTasks, 64)));
    if (block < extent)
      levels = {{innermost, block}};
  }

  /// As many of the outer levels as give each thread enough to choose from. The
  /// steps within a block are no level of their own.
  void chooseShared() {
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

  static constexpr int64_t manyTasks = 64;
  /// The side of a square that is read by rows and written by columns, and the
  /// elements of a block that stay in the first cache.
  int64_t square, lanesInCache;
  LinalgOp op;
  const Nest &nest;
  const Machine &machine;
  unsigned innermost = 0;
  bool isShared = false;
};

class Emitter {
public:
  Emitter(LinalgOp op, const Nest &nest, const Schedule &schedule,
          const Machine &machine)
      : op(op), nest(nest), schedule(schedule), b(op.getLoc(), op) {
    auto reduction = LaneReduction::match(op);
    if (reduction && canReduceInLanes()) {
      inLanes = reduction;
      lanes = machine.vectorBytes * 8 / reduction->width();
    }
  }

  void emit() {
    for (OpOperand &operand : op->getOpOperands())
      rows.push_back(rowOf(operand));
    begins.assign(nest.depth(), index(0));
    for (int64_t extent : nest.extents)
      ends.push_back(index(extent));
    if (schedule.shared > 0)
      emitShared();
    else
      emitLevels(schedule.levels);
    op->erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value advance(Value base, Value steps, int64_t stride) {
    return weft::advance(b, base, steps, stride);
  }

  /// A buffer as one row of elements, and where the operand begins there.
  std::pair<Value, Value> rowOf(OpOperand &operand) {
    return weft::flatten(b, operand.get(),
                         nest.accesses[operand.getOperandNumber()].offset);
  }

  /// Enters a level: from `at` on, for a step of it.
  void enter(const Level &level, Value at) {
    begins[level.loop] = at;
    Value end = at;
    if (level.step > 1) {
      end = arith::AddIOp::create(b, at, index(level.step));
      if (nest.extents[level.loop] % level.step)
        end = arith::MinUIOp::create(b, end, index(nest.extents[level.loop]));
    }
    ends[level.loop] = end;
  }

  /// The first levels as one loop, whose steps are told apart by division.
  void emitShared() {
    ArrayRef<Level> levels = schedule.levels;
    ArrayRef<Level> outside = levels.take_front(schedule.shared);
    SmallVector<int64_t> counts;
    for (const Level &level : outside)
      counts.push_back(llvm::divideCeil(nest.extents[level.loop], level.step));
    auto loop = scf::ForOp::create(b, index(0), index(llvm::product_of(counts)),
                                   index(1));
    loop->setAttr(weft::parallelAttr, b.getUnitAttr());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto digits = weft::splitDigits(b, loop.getInductionVar(), counts);
    for (auto [level, digit] : llvm::zip_equal(outside, digits)) {
      Value at = digit;
      if (level.step > 1)
        at = arith::MulIOp::create(b, at, index(level.step));
      enter(level, at);
    }
    emitLevels(levels.drop_front(schedule.shared));
  }

  /// Whether the innermost loop is summed over, whole, and every operand is
  /// consecutive there, or the same.
  bool canReduceInLanes() const {
    if (schedule.levels.empty())
      return false;
    unsigned loop = schedule.levels.back().loop;
    unsigned result = nest.accesses.size() - 1;
    return !nest.isParallel(loop) && nest.stride(result, loop) == 0 &&
           llvm::all_of(nest.accesses, [&](const weft::Access &access) {
             return access.strides[loop] == 0 || access.strides[loop] == 1;
           });
  }

  /// Where an operand is at the steps that the loops have come to.
  Value placeOf(unsigned operand) {
    Value place = rows[operand].second;
    if (place)
      for (unsigned loop = 0; loop < nest.depth(); ++loop)
        place = advance(place, begins[loop], nest.stride(operand, loop));
    return place;
  }

  void emitReduction(unsigned loop) {
    unsigned result = nest.accesses.size() - 1;
    SmallVector<Value> places;
    for (unsigned operand = 0; operand <= result; ++operand)
      places.push_back(placeOf(operand));
    auto load = [&](unsigned operand, Value step, bool asVector) -> Value {
      Value row = rows[operand].first;
      if (!isa<MemRefType>(row.getType()))
        return row;
      int64_t stride = nest.stride(operand, loop);
      Value place = advance(places[operand], step, stride);
      if (!asVector || stride == 0)
        return memref::LoadOp::create(b, row, ValueRange{place});
      auto type = VectorType::get({lanes}, getElementTypeOrSelf(row.getType()));
      return vector::LoadOp::create(b, type, row, ValueRange{place});
    };
    auto index = [&](unsigned number) {
      return number == loop ? Value() : begins[number];
    };
    Value accumulated = load(result, {}, /*asVector=*/false);
    accumulated =
        inLanes->build(b, accumulated, nest.extents[loop], lanes, load, index);
    memref::StoreOp::create(b, accumulated, rows[result].first,
                            ValueRange{places[result]});
  }

  void emitLevels(ArrayRef<Level> levels) {
    if (levels.empty())
      return emitBody();
    if (levels.size() == 1 && inLanes)
      return emitReduction(levels.front().loop);
    const Level &level = levels.front();
    auto loop = scf::ForOp::create(b, begins[level.loop], ends[level.loop],
                                   index(level.step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto outside = std::pair(begins[level.loop], ends[level.loop]);
    enter(level, loop.getInductionVar());
    emitLevels(levels.drop_front());
    std::tie(begins[level.loop], ends[level.loop]) = outside;
  }

  void emitBody() {
    IRMapping mapping;
    SmallVector<Value> places;
    for (OpOperand &operand : op->getOpOperands()) {
      unsigned number = operand.getOperandNumber();
      Value row = rows[number].first, place = placeOf(number);
      places.push_back(place);
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (!isa<MemRefType>(operand.get().getType()))
        mapping.map(argument, operand.get());
      else if (!argument.use_empty())
        mapping.map(
            argument,
            memref::LoadOp::create(b, row, ValueRange{place}).getResult());
    }
    SmallVector<linalg::IndexOp> indices;
    for (Operation &inner : op.getBlock()->without_terminator())
      b.clone(inner, mapping)->walk([&](linalg::IndexOp number) {
        indices.push_back(number);
      });
    for (linalg::IndexOp number : indices)
      number.replaceAllUsesWith(begins[number.getDim()]);
    for (auto [init, value] :
         llvm::zip_equal(op.getDpsInitsMutable(),
                         op.getBlock()->getTerminator()->getOperands())) {
      unsigned number = init.getOperandNumber();
      memref::StoreOp::create(b, mapping.lookupOrDefault(value),
                              rows[number].first, ValueRange{places[number]});
    }
    for (linalg::IndexOp number : indices)
      number.erase();
  }

  LinalgOp op;
  const Nest &nest;
  const Schedule &schedule;
  ImplicitLocOpBuilder b;
  SmallVector<std::pair<Value, Value>> rows;
  std::optional<LaneReduction> inLanes;
  int64_t lanes = 1;
  /// The steps that each loop is to run.
  SmallVector<Value> begins, ends;
};

bool usesIndices(LinalgOp op) {
  return op.getBlock()
      ->walk([](linalg::IndexOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

class LowerLoops final : public weft::impl::LowerLoopsBase<LowerLoops> {
  void runOnOperation() override {
    Machine machine = Machine::of(getOperation());
    SmallVector<LinalgOp> ops;
    getOperation().walk([&](LinalgOp op) { ops.push_back(op); });
    for (LinalgOp op : ops)
      lower(op, machine);
  }

  static void lower(LinalgOp op, const Machine &machine) {
    std::optional<Nest> nest =
        op.hasPureBufferSemantics() ? Nest::of(op) : std::nullopt;
    if (!nest || nest->hasPanels())
      return;
    if (!usesIndices(op))
      nest->simplify();
    Emitter(op, *nest, Schedule(op, *nest, machine), machine).emit();
  }
};

} // namespace
