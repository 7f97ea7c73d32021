// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-loops: a linalg op on buffers -> loops in an order in which memory
// is walked through, in blocks that stay in a cache, and one loop outermost
// that threads can share. LLVM computes the innermost loop in vectors. What is
// read from memory while much is computed is asked for ahead.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/cpu/LoopHints.h"
#include "lowering/cpu/LoopOrder.h"
#include "lowering/cpu/TurnedSquares.h"
#include "lowering/fusion/LaneReduction.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

namespace weft {
#define GEN_PASS_DEF_LOWERLOOPS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::LinalgOp;
using weft::LaneReduction;
using weft::LoopOrder;
using weft::Machine;
using weft::Nest;

namespace {

using Level = LoopOrder::Level;

class Emitter : weft::NestBuilder {
public:
  Emitter(LinalgOp op, const Nest &nest, const LoopOrder &order,
          const Machine &machine)
      : NestBuilder(op, nest), order(order), squares(*this, order, machine),
        vectorBytes(machine.vectorBytes) {
    auto reduction = LaneReduction::match(op);
    if (reduction && canReduceInLanes()) {
      inLanes = reduction;
      lanes = lanesFor(vectorBytes * 8 / reduction->width());
    }
  }

  void emit() {
    if (order.shared > 0)
      emitShared();
    else
      emitLevels(order.levels);
    op->erase();
  }

private:
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
    ArrayRef<Level> levels = order.levels;
    ArrayRef<Level> outside = levels.take_front(order.shared);
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
    emitLevels(levels.drop_front(order.shared));
  }

  /// Whether the innermost loop is summed over, whole, and every operand is
  /// consecutive there, or the same.
  bool canReduceInLanes() const {
    if (order.levels.empty())
      return false;
    unsigned loop = order.levels.back().loop;
    return !nest.isParallel(loop) && nest.stride(result(), loop) == 0 &&
           llvm::all_of(nest.accesses, [&](const weft::Access &access) {
             return access.strides[loop] == 0 || access.strides[loop] == 1;
           });
  }

  /// Of short rows, fewer lanes, so that they are a few whole vectors if they
  /// can be. Of still shorter ones LLVM makes vectors of elements of several
  /// rows, and others than whole ones it does better where it keeps the loop.
  int64_t lanesFor(int64_t most) {
    constexpr int64_t leastLanes = 4, fewVectors = 6, longRow = 32;
    int64_t extent = nest.extents[order.levels.back().loop], bytes = 0;
    for (Value input : op.getDpsInputs())
      bytes = std::max(bytes, weft::bytesOf(getElementTypeOrSelf(input)));
    if (extent * bytes <= vectorBytes / 2)
      return most;
    int64_t fitting = most;
    while (fitting > leastLanes && fitting > extent)
      fitting /= 2;
    for (int64_t own = fitting; own >= leastLanes; own /= 2)
      if (extent % own == 0 && extent / own <= fewVectors)
        return own;
    return extent < longRow ? fitting : most;
  }

  void emitReduction(unsigned loop) {
    SmallVector<Value> places;
    for (unsigned operand = 0; operand <= result(); ++operand)
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
    Value accumulated = load(result(), {}, /*asVector=*/false);
    accumulated =
        inLanes->build(b, accumulated, nest.extents[loop], lanes, load, index);
    memref::StoreOp::create(b, accumulated, rows[result()].first,
                            ValueRange{places[result()]});
  }

  void emitLevels(ArrayRef<Level> levels) {
    if (levels.empty())
      return emitBody();
    if (levels.size() == 1 && inLanes)
      return emitReduction(levels.front().loop);
    if (levels.front().jammed)
      return emitJammed(levels);
    if (levels.size() == 2 && !squares.empty())
      return squares.emitSquare([&] { emitLevel(levels); });
    emitLevel(levels);
  }

  /// A level several steps of which are done at once, and the steps left over.
  void emitJammed(ArrayRef<Level> levels) {
    const Level &level = levels.front();
    int64_t extent = nest.extents[level.loop];
    int64_t whole = extent / level.step * level.step;
    Value outside = begins[level.loop];
    auto run = [&](int64_t first, int64_t last, int64_t step) {
      if (first == last)
        return;
      auto loop = scf::ForOp::create(b, index(first), index(last), index(step));
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      begins[level.loop] = loop.getInductionVar();
      jammed = {level.loop, step};
      emitLevels(levels.drop_front());
    };
    run(0, whole, level.step);
    run(whole, extent, 1);
    begins[level.loop] = outside;
    jammed = {0, 1};
  }

  void emitLevel(ArrayRef<Level> levels) {
    const Level &level = levels.front();
    auto loop = scf::ForOp::create(b, begins[level.loop], ends[level.loop],
                                   index(level.step));
    if (levels.size() == 1 && isShortRow(level.loop))
      weft::keepRolled(loop);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto outside = std::pair(begins[level.loop], ends[level.loop]);
    enter(level, loop.getInductionVar());
    if (levels.size() == 2 && !order.fetched.empty())
      fetchAhead(level);
    emitLevels(levels.drop_front());
    std::tie(begins[level.loop], ends[level.loop]) = outside;
  }

  /// Whether the innermost loop is better kept. Of what is reduced LLVM has the
  /// sums in registers otherwise, but for rows that are half a vector.
  bool isShortRow(unsigned loop) {
    int64_t bytes =
        weft::bytesOf(getElementTypeOrSelf(op.getDpsInits().back().getType()));
    int64_t steps = nest.extents[loop];
    if (!squares.empty())
      steps = std::min(steps, order.square->side);
    bool isKept = op.getNumReductionLoops() == 0 ||
                  (nest.isParallel(loop) && 2 * steps * bytes == vectorBytes);
    return nest.depth() > 1 && isKept && nest.stride(result(), loop) == 1 &&
           weft::isShortRow(steps, bytes, vectorBytes);
  }

  /// Asks for the chunks of operands that are needed some time later. At the
  /// end of an array those are its last ones.
  void fetchAhead(const Level &level) {
    for (auto [operand, ahead] : order.fetched) {
      Value row = rows[operand].first;
      auto whole =
          cast<MemRefType>(weft::wholeOf(op->getOperand(operand)).getType());
      Value place =
          arith::MinUIOp::create(b, advance(placeOf(operand), index(ahead), 1),
                                 index(whole.getNumElements() - level.step));
      int64_t apart =
          Machine::lineBytes / weft::bytesOf(whole.getElementType());
      for (int64_t step = 0; step < level.step; step += apart)
        memref::PrefetchOp::create(
            b, row, ValueRange{advance(place, index(step), 1)},
            /*isWrite=*/false, order.locality, /*isDataCache=*/true);
    }
  }

  void emitBody() {
    auto [loop, steps] = jammed;
    SmallVector<Value> results;
    Value first = steps > 1 ? begins[loop] : Value();
    for (int64_t step = 0; step < steps; ++step) {
      if (step > 0)
        begins[loop] = arith::AddIOp::create(b, first, index(step));
      results = emitStep(results);
    }
    if (first)
      begins[loop] = first;
    for (auto [init, value] :
         llvm::zip_equal(op.getDpsInitsMutable(), results)) {
      unsigned number = init.getOperandNumber();
      memref::StoreOp::create(b, value, rows[number].first,
                              ValueRange{placeOf(number)});
    }
  }

  /// What the body computes of its operands, or of what the step before has
  /// computed in place of what the results hold.
  SmallVector<Value> emitStep(ArrayRef<Value> before) {
    IRMapping mapping;
    for (OpOperand &operand : op->getOpOperands()) {
      unsigned number = operand.getOperandNumber();
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      if (!before.empty() && op.isDpsInit(&operand))
        mapping.map(argument, before[number - op.getNumDpsInputs()]);
      else if (!isa<MemRefType>(operand.get().getType()))
        mapping.map(argument, operand.get());
      else if (!argument.use_empty())
        mapping.map(argument,
                    memref::LoadOp::create(b, rows[number].first,
                                           ValueRange{placeOf(number)})
                        .getResult());
    }
    SmallVector<linalg::IndexOp> indices;
    for (Operation &inner : op.getBlock()->without_terminator())
      b.clone(inner, mapping)->walk([&](linalg::IndexOp number) {
        indices.push_back(number);
      });
    for (linalg::IndexOp number : indices)
      number.replaceAllUsesWith(begins[number.getDim()]);
    SmallVector<Value> results;
    for (Value value : op.getBlock()->getTerminator()->getOperands())
      results.push_back(mapping.lookupOrDefault(value));
    for (linalg::IndexOp number : indices)
      number.erase();
    return results;
  }

  const LoopOrder &order;
  weft::TurnedSquares squares;
  int64_t vectorBytes;
  std::optional<LaneReduction> inLanes;
  int64_t lanes = 1;
  /// The loop several steps of which are done at once, and how many.
  std::pair<unsigned, int64_t> jammed{0, 1};
};

bool usesIndices(LinalgOp op) {
  return op.getBlock()
      ->walk([](linalg::IndexOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

class LowerLoops final : public weft::impl::LowerLoopsBase<LowerLoops> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
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
    Emitter(op, *nest, LoopOrder(op, *nest, machine), machine).emit();
  }
};

} // namespace
