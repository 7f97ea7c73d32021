// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/Step.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/Shuffles.h"
#include "lowering/gpu/StepOperands.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using linalg::LinalgOp;
using weft::SharedMemory;
using weft::Slicing;
using weft::StepOperands;
using weft::Team;

static Value index(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

Value SharedMemory::keep(OpBuilder &b, Location loc, MemRefType type) {
  return place(b, loc, type, /*isBorrowed=*/false);
}

Value SharedMemory::borrow(OpBuilder &b, Location loc, MemRefType type) {
  return place(b, loc, type, /*isBorrowed=*/true);
}

Value SharedMemory::place(OpBuilder &b, Location loc, MemRefType type,
                          bool isBorrowed) {
  int64_t size = llvm::alignTo(
      type.getNumElements() * weft::bytesOf(type.getElementType()), 16);
  auto space =
      gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
  auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                               MemRefLayoutAttrInterface(), space);
  Value all = gpu::DynamicSharedMemoryOp::create(b, loc, bytes);
  auto offset = arith::ConstantIndexOp::create(b, loc, isBorrowed ? 0 : kept);
  if (isBorrowed) {
    borrowedOffsets.push_back(offset);
    borrowed = std::max(borrowed, size);
  } else {
    kept += size;
  }
  auto own = MemRefType::get(type.getShape(), type.getElementType(),
                             MemRefLayoutAttrInterface(), space);
  return memref::ViewOp::create(b, loc, own, all, offset, ValueRange{});
}

void SharedMemory::close() {
  Builder b(kernel.getContext());
  for (Operation *offset : borrowedOffsets)
    cast<arith::ConstantOp>(offset).setValueAttr(b.getIndexAttr(kept));
  if (bytes() > 0)
    kernel->setAttr(weft::sharedBytesAttr, b.getI64IntegerAttr(bytes()));
}

namespace {

/// Elements that follow each other along a loop, which a thread has together.
class Run {
public:
  Run(const StepOperands &operands, unsigned loop)
      : loop(loop), operands(operands) {}

  unsigned loop;
  int64_t width = 1;

  /// As many as make 16 bytes of the widest element, if all that is consecutive
  /// begins at a multiple of so many elements.
  void widen() {
    // Loops in turn take longer than loads that are no wide ones.
    if (!operands.nest ||
        llvm::any_of(*operands.op.getBlock(), [](Operation &inner) {
          return isa<scf::ForOp, scf::WhileOp>(inner);
        }))
      return;
    int64_t widest = 1;
    for (Value operand : operands.op->getOperands())
      if (auto memref = dyn_cast<MemRefType>(operand.getType()))
        widest = std::max(widest, weft::bytesOf(memref.getElementType()));
    width = std::max<int64_t>(16 / widest, 1);
    while (width > 1 && !fits())
      width /= 2;
  }

  /// Whether the elements of an operand follow each other, too.
  bool isWide(OpOperand &operand) const {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    return width > 1 && type && !isa<ComplexType>(type.getElementType()) &&
           strideOf(operand) == 1;
  }

  /// Whether they are one and the same.
  bool isOne(OpOperand &operand) const {
    return operands.nest && !operands.extents.empty() && strideOf(operand) == 0;
  }

  /// The steps at each element, of those at the first.
  SmallVector<SmallVector<Value>> placesOf(ImplicitLocOpBuilder &b,
                                           ArrayRef<Value> steps) const {
    SmallVector<SmallVector<Value>> places(width, SmallVector<Value>(steps));
    for (int64_t i = 1; i < width; ++i)
      places[i][loop] = arith::AddIOp::create(b, steps[loop], index(b, i));
    return places;
  }

  /// Loads an operand at each element.
  SmallVector<Value> load(ImplicitLocOpBuilder &b, OpOperand &operand,
                          ArrayRef<SmallVector<Value>> places) const {
    LinalgOp op = operands.op;
    if (op.getMatchingBlockArgument(&operand).use_empty())
      return SmallVector<Value>(width);
    if (isWide(operand))
      return operands.loadWide(b, operand, places[0], width);
    if (isOne(operand))
      return SmallVector<Value>(width, operands.load(b, operand, places[0]));
    SmallVector<Value> values;
    for (ArrayRef<Value> place : places)
      values.push_back(operands.load(b, operand, place));
    return values;
  }

  /// Stores what each element of a result is.
  void store(ImplicitLocOpBuilder &b, ArrayRef<Value> values, OpOperand &result,
             ArrayRef<SmallVector<Value>> places) const {
    if (isWide(result))
      return operands.storeWide(b, values, result, places[0]);
    for (auto [value, place] : llvm::zip_equal(values, places))
      operands.store(b, value, result, place);
  }

private:
  int64_t strideOf(OpOperand &operand) const {
    return operands.nest->stride(operand.getOperandNumber(), loop);
  }

  bool fits() const {
    if (operands.extents[loop] % width != 0)
      return false;
    return llvm::all_of(operands.op->getOpOperands(), [&](OpOperand &operand) {
      return strideOf(operand) != 1 || operands.isAligned(operand, loop, width);
    });
  }

  const StepOperands &operands;
};

/// An elementwise op in groups of consecutive elements.
class Grouping {
public:
  explicit Grouping(const StepOperands &operands)
      : run(operands, 0), operands(operands), counts(operands.extents) {
    if (!operands.nest || counts.empty())
      return;
    run.loop = chooseInnermost();
    run.widen();
    counts[run.loop] /= run.width;
    // The innermost loop's groups run fastest.
    for (unsigned loop = 0; loop < counts.size(); ++loop)
      if (loop != run.loop)
        order.push_back(loop);
    order.push_back(run.loop);
  }

  Run run;

  int64_t numGroups() const { return llvm::product_of(counts); }

  /// The steps of the loops at the first element of a group.
  SmallVector<Value> stepsOf(ImplicitLocOpBuilder &b, Value group) const {
    SmallVector<Value> steps(counts.size());
    if (counts.empty())
      return steps;
    if (order.empty())
      return weft::splitDigits(b, group, counts);
    SmallVector<int64_t> ordered;
    for (unsigned loop : order)
      ordered.push_back(counts[loop]);
    auto digits = weft::splitDigits(b, group, ordered);
    for (auto [loop, digit] : llvm::zip_equal(order, digits))
      steps[loop] = digit;
    if (run.width > 1)
      steps[run.loop] =
          arith::MulIOp::create(b, steps[run.loop], index(b, run.width));
    return steps;
  }

private:
  /// The loop along which most operands are consecutive, the results above all.
  unsigned chooseInnermost() const {
    int64_t best = -1;
    unsigned innermost = 0;
    LinalgOp op = operands.op;
    size_t inputs = op.getNumDpsInputs();
    for (unsigned loop = 0; loop < counts.size(); ++loop) {
      int64_t gain = 0;
      for (auto [number, access] : llvm::enumerate(operands.nest->accesses)) {
        int64_t weight = number < inputs ? 2 : 3;
        gain += access.strides[loop] == 1   ? weight
                : access.strides[loop] == 0 ? 1
                                            : 0;
      }
      if (gain >= best)
        best = gain, innermost = loop;
    }
    return innermost;
  }

  const StepOperands &operands;
  SmallVector<int64_t> counts;
  SmallVector<unsigned> order;
};

/// The elements of that number.
SmallVector<Value> column(ArrayRef<SmallVector<Value>> rows, int64_t number) {
  return llvm::map_to_vector(rows,
                             [&](ArrayRef<Value> row) { return row[number]; });
}

/// Runs `body` for the numbers from `first` on, `stride` apart, below `end`.
void forEach(ImplicitLocOpBuilder &b, Value first, int64_t stride, int64_t end,
             llvm::function_ref<void(Value)> body) {
  OpBuilder::InsertionGuard guard(b);
  if (end == stride)
    return body(first);
  if (end < stride) {
    Value isIn = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, first,
                                       index(b, end));
    auto branch = scf::IfOp::create(b, TypeRange{}, isIn, /*withElse=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
    return body(first);
  }
  auto loop = scf::ForOp::create(b, first, index(b, end), index(b, stride));
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

} // namespace

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

int64_t weft::numGroups(LinalgOp op) {
  StepOperands operands(op, /*mayMerge=*/true);
  return Grouping(operands).numGroups();
}

void weft::lowerElementwise(LinalgOp op, const Team &team) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  StepOperands operands(op, /*mayMerge=*/true);
  Grouping grouping(operands);
  const Run &run = grouping.run;
  operands.begin(b);
  Value first = team.thread;
  if (team.blocks > 1)
    first = weft::advance(b, first, team.block, team.threads);
  forEach(
      b, first, team.threads * team.blocks, grouping.numGroups(),
      [&](Value group) {
        auto places = run.placesOf(b, grouping.stepsOf(b, group));
        // All loads first, so that they become wide ones.
        SmallVector<SmallVector<Value>> loaded, results;
        for (OpOperand &operand : op->getOpOperands())
          loaded.push_back(run.load(b, operand, places));
        for (int64_t i = 0; i < run.width; ++i)
          results.push_back(operands.compute(b, column(loaded, i), places[i]));
        for (auto [number, result] : llvm::enumerate(op.getDpsInitsMutable()))
          run.store(b, column(results, number), result, places);
      });
  op->erase();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Whether an input is consecutive along a loop that is reduced, the last one.
static bool readsAlongReduction(const StepOperands &operands) {
  auto reduced = operands.loops(/*parallel=*/false);
  if (!operands.nest || reduced.empty())
    return false;
  size_t inputs = operands.op.getNumDpsInputs();
  return llvm::any_of(ArrayRef(operands.nest->accesses).take_front(inputs),
                      [&](const weft::Access &access) {
                        return access.strides[reduced.back()] == 1;
                      });
}

/// The loop along which a thread may read several elements at once: the last
/// one that is reduced, or that of results side by side.
static unsigned wideLoop(const StepOperands &operands, bool slicesFirst) {
  auto loops = operands.loops(/*parallel=*/!slicesFirst);
  return loops.empty() ? 0 : loops.back();
}

/// How many elements it can.
static int64_t widthOf(const StepOperands &operands, bool slicesFirst) {
  if (operands.loops(/*parallel=*/!slicesFirst).empty())
    return 1;
  Run run(operands, wideLoop(operands, slicesFirst));
  run.widen();
  LinalgOp op = operands.op;
  bool anyWide = llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
    return run.isWide(*input);
  });
  return anyWide ? run.width : 1;
}

/// Threads that reduce one column together, of so many that a block has and
/// all blocks have for each column.
static int64_t slicesOf(const Slicing &slicing, int64_t results, int64_t useful,
                        int64_t threads, int64_t idle) {
  int64_t wanted = slicing.slicesFirst ? useful : std::min(idle, useful);
  // A warp reads along a row together, whatever else is idle.
  if (slicing.slicesFirst && wanted > weft::warpLanes)
    wanted = std::max<int64_t>(weft::warpLanes, std::min(wanted, idle));
  // Rows of less than a warp's loads would be read in pieces.
  int64_t widest = slicing.slicesFirst || results < weft::warpLanes
                       ? threads
                       : threads * slicing.width / weft::warpLanes;
  return llvm::bit_floor<uint64_t>(
      std::max<int64_t>(std::min(wanted, widest), 1));
}

Slicing Slicing::choose(LinalgOp op, int64_t threads, int64_t blocks) {
  StepOperands operands(op, /*mayMerge=*/true);
  int64_t results = std::max<int64_t>(operands.count(/*parallel=*/true), 1);
  int64_t steps = operands.count(/*parallel=*/false);
  bool mayShare =
      weft::LaneReduction::match(op, /*inVectors=*/false).has_value();
  int64_t most = llvm::bit_floor<uint64_t>(threads);
  Slicing slicing;
  slicing.slicesFirst = readsAlongReduction(operands);
  auto take = [&](int64_t width) {
    slicing.width = width;
    slicing.numColumns = slicing.slicesFirst ? results : results / width;
    // Some steps for each thread.
    int64_t useful =
        slicing.slicesFirst
            ? std::min<int64_t>(llvm::divideCeil(steps, 8), steps / width)
            : llvm::divideCeil(steps, 4);
    int64_t idle = std::max<int64_t>(threads * blocks / slicing.numColumns, 1);
    slicing.slices =
        mayShare ? slicesOf(slicing, results, useful, most, idle) : 1;
    return std::min(slicing.numColumns * slicing.slices, threads * blocks);
  };
  // Rather more threads than wide loads.
  int64_t width = widthOf(operands, slicing.slicesFirst);
  while (width > 1 && take(width) < take(width / 2))
    width /= 2;
  take(width);
  slicing.columns = std::max<int64_t>(most / slicing.slices, 1);
  if (blocks > 1 || slicing.slices > 1)
    slicing.columns = std::min<int64_t>(
        slicing.columns, llvm::bit_ceil<uint64_t>(slicing.numColumns));
  return slicing;
}

namespace {

class ReductionEmitter {
public:
  ReductionEmitter(LinalgOp op, linalg::FillOp fill, const Team &team,
                   const Slicing &slicing, SharedMemory &shared)
      : op(op), fill(fill), team(team), slicing(slicing), shared(shared),
        b(op.getLoc(), op), operands(op, /*mayMerge=*/true),
        parallel(operands.loops(true)), reduced(operands.loops(false)),
        run(operands, wideLoop(operands, slicing.slicesFirst)),
        match(weft::LaneReduction::match(op, /*inVectors=*/false)) {
    run.width = slicing.width;
  }

  void emit() {
    operands.begin(b);
    column = team.thread;
    if (slicing.slices > 1)
      splitThreads();
    int64_t results = slicing.numColumns;
    int64_t inTurn = llvm::divideCeil(results, slicing.columns);
    Value first = team.blocks > 1 ? team.block : index(b, 0);
    forEach(b, first, team.blocks, inTurn, [&](Value turn) {
      Value result = weft::advance(b, column, turn, slicing.columns);
      if (results % slicing.columns == 0 && isWholeTeam())
        return emitResult(result, Value());
      Value isIn = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, result,
                                         index(b, results));
      if (!isWholeTeam())
        isIn = arith::AndIOp::create(
            b, isIn,
            arith::CmpIOp::create(b, arith::CmpIPredicate::ult, team.thread,
                                  index(b, slicing.threads())));
      if (slicing.slices == 1) {
        auto branch =
            scf::IfOp::create(b, TypeRange{}, isIn, /*withElse=*/false);
        b.setInsertionPointToStart(branch.thenBlock());
        return emitResult(result, Value());
      }
      // All threads meet at barriers: those without a result redo another's,
      // of the same block, for nothing orders blocks.
      Value first = arith::MulIOp::create(b, turn, index(b, slicing.columns));
      result = arith::SelectOp::create(b, isIn, result, first);
      emitResult(result, isIn);
    });
    op->erase();
    if (fill)
      fill->erase();
  }

private:
  bool isWholeTeam() const { return slicing.threads() == team.threads; }

  void splitThreads() {
    Value count =
        index(b, slicing.slicesFirst ? slicing.slices : slicing.columns);
    Value inner = arith::RemUIOp::create(b, team.thread, count);
    Value outer = arith::DivUIOp::create(b, team.thread, count);
    slice = slicing.slicesFirst ? inner : outer;
    column = slicing.slicesFirst ? outer : inner;
    if (!isWholeTeam()) {
      // Others than the team's have no place in shared memory.
      Value last = index(b, slicing.slices - 1);
      slice = arith::MinUIOp::create(b, slice, last);
      Value lastColumn = index(b, slicing.columns - 1);
      column = arith::MinUIOp::create(b, column, lastColumn);
    }
  }

  /// The steps of the loops at a column's first result, and at the first of the
  /// steps that a thread takes at once.
  SmallVector<Value> stepsOf(Value result, Value step) {
    SmallVector<int64_t> extents(operands.extents);
    if (run.width > 1)
      extents[run.loop] /= run.width;
    SmallVector<Value> steps(extents.size());
    auto assign = [&](ArrayRef<unsigned> loops, Value number) {
      SmallVector<int64_t> counts;
      for (unsigned loop : loops)
        counts.push_back(extents[loop]);
      if (counts.empty())
        return;
      for (auto [loop, digit] :
           llvm::zip_equal(loops, weft::splitDigits(b, number, counts)))
        steps[loop] = digit;
    };
    assign(parallel, result);
    assign(reduced, step);
    if (run.width > 1)
      steps[run.loop] =
          arith::MulIOp::create(b, steps[run.loop], index(b, run.width));
    return steps;
  }

  /// Results of a column.
  int64_t numSides() const { return slicing.slicesFirst ? 1 : run.width; }

  /// Reduces what is at one step, or at those that a thread takes at once, into
  /// what was accumulated: the values of a column's first result, and then of
  /// those beside it.
  SmallVector<Value> accumulate(ValueRange accumulated, Value result,
                                Value step) {
    auto places = run.placesOf(b, stepsOf(result, step));
    SmallVector<SmallVector<Value>> loaded;
    for (OpOperand *input : op.getDpsInputOperands())
      loaded.push_back(run.load(b, *input, places));
    SmallVector<Value> own(accumulated), all;
    for (int64_t i = 0; i < run.width; ++i) {
      SmallVector<Value> arguments = ::column(loaded, i);
      int64_t count = op.getNumDpsInits();
      llvm::append_range(arguments,
                         slicing.slicesFirst
                             ? ArrayRef<Value>(own)
                             : ArrayRef<Value>(own).slice(i * count, count));
      SmallVector<Value> next = operands.compute(b, arguments, places[i]);
      if (slicing.slicesFirst)
        own = next;
      else
        llvm::append_range(all, next);
    }
    return slicing.slicesFirst ? own : all;
  }

  /// What the results begin with.
  SmallVector<Value> loadStart(ArrayRef<SmallVector<Value>> places) {
    SmallVector<Value> start;
    for (ArrayRef<Value> place : places)
      for (OpOperand &init : op.getDpsInitsMutable())
        start.push_back(fill ? fill.getInputs()[0]
                             : operands.load(b, init, place));
    return start;
  }

  void storeAll(ArrayRef<Value> values, ArrayRef<SmallVector<Value>> places) {
    int64_t count = op.getNumDpsInits();
    for (auto [number, init] : llvm::enumerate(op.getDpsInitsMutable())) {
      SmallVector<Value> of;
      for (int64_t side = 0; side < numSides(); ++side)
        of.push_back(values[side * count + number]);
      numSides() > 1 ? run.store(b, of, init, places)
                     : operands.store(b, of[0], init, places[0]);
    }
  }

  void emitResult(Value result, Value isIn) {
    SmallVector<SmallVector<Value>> at{stepsOf(result, index(b, 0))};
    if (numSides() > 1)
      at = run.placesOf(b, at[0]);
    SmallVector<Value> start = loadStart(at);
    if (slicing.slices == 1)
      return storeAll(reduceFrom(start, index(b, 0), 1, result), at);
    SmallVector<Value> parts;
    for (Value from : start)
      parts.push_back(match->neutral(b, from));
    parts = reduceFrom(parts, slice, slicing.slices, result);
    bool byLanes = slicing.slicesFirst && team.threads % weft::warpLanes == 0 &&
                   slicing.slices <= weft::warpLanes &&
                   weft::canExchange(parts[0].getType());
    auto finish = [&](ArrayRef<Value> totals) {
      Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, slice,
                                            index(b, 0));
      if (isIn)
        isFirst = arith::AndIOp::create(b, isFirst, isIn);
      auto branch =
          scf::IfOp::create(b, TypeRange{}, isFirst, /*withElse=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      SmallVector<Value> all;
      for (auto [from, total] : llvm::zip_equal(start, totals))
        all.push_back(match->combined(b, from, total));
      storeAll(all, at);
    };
    if (!byLanes)
      return combineSlices(parts, finish);
    Value total =
        weft::exchange(b, parts[0], slicing.slices, [&](Value x, Value y) {
          return match->combined(b, x, y);
        });
    // Others have read what was there: lanes, and threads without a result.
    if (isIn)
      gpu::BarrierOp::create(b);
    else if (!fill)
      weft::syncWarp(b);
    finish(total);
  }

  SmallVector<Value> reduceFrom(ValueRange start, Value first, int64_t stride,
                                Value result) {
    int64_t steps = operands.count(/*parallel=*/false);
    if (slicing.slicesFirst)
      steps /= run.width;
    auto loop =
        scf::ForOp::create(b, first, index(b, steps), index(b, stride), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto next =
        accumulate(loop.getRegionIterArgs(), result, loop.getInductionVar());
    scf::YieldOp::create(b, next);
    return llvm::to_vector_of<Value>(loop.getResults());
  }

  /// Has each thread leave its parts in shared memory, and adds the halves
  /// until the first slice has all.
  void combineSlices(ArrayRef<Value> own,
                     llvm::function_ref<void(ArrayRef<Value>)> finish) {
    int64_t size = slicing.columns * slicing.slices, sides = own.size();
    auto type = MemRefType::get({sides * size}, own[0].getType());
    Value parts = shared.borrow(b, b.getLoc(), type);
    Value place = weft::advance(b, column, slice, slicing.columns);
    auto placeOf = [&](Value first, int64_t side) -> Value {
      return side == 0 ? first
                       : arith::AddIOp::create(b, first, index(b, side * size))
                             .getResult();
    };
    ifMine([&] {
      for (int64_t side = 0; side < sides; ++side)
        memref::StoreOp::create(b, own[side], parts,
                                ValueRange{placeOf(place, side)});
    });
    gpu::BarrierOp::create(b);
    for (int64_t half = slicing.slices / 2; half > 0; half /= 2) {
      Value isLow = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, slice,
                                          index(b, half));
      if (!isWholeTeam())
        isLow = arith::AndIOp::create(b, isLow, isMine());
      auto branch =
          scf::IfOp::create(b, TypeRange{}, isLow, /*withElse=*/false);
      {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(branch.thenBlock());
        Value further =
            arith::AddIOp::create(b, place, index(b, half * slicing.columns));
        for (int64_t side = 0; side < sides; ++side) {
          Value at = placeOf(place, side);
          Value mine = memref::LoadOp::create(b, parts, ValueRange{at});
          Value other = memref::LoadOp::create(
              b, parts, ValueRange{placeOf(further, side)});
          memref::StoreOp::create(b, match->combined(b, mine, other), parts,
                                  ValueRange{at});
        }
      }
      gpu::BarrierOp::create(b);
    }
    SmallVector<Value> totals;
    for (int64_t side = 0; side < sides; ++side)
      totals.push_back(
          memref::LoadOp::create(b, parts, ValueRange{placeOf(column, side)}));
    finish(totals);
    // The next step may write there.
    gpu::BarrierOp::create(b);
  }

  Value isMine() {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, team.thread,
                                 index(b, slicing.threads()));
  }

  /// Has threads of the team alone do something.
  void ifMine(llvm::function_ref<void()> build) {
    if (isWholeTeam())
      return build();
    auto mine = scf::IfOp::create(b, TypeRange{}, isMine(), /*withElse=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(mine.thenBlock());
    build();
  }

  LinalgOp op;
  /// What the results begin with, if it is not what is in memory.
  linalg::FillOp fill;
  const Team &team;
  const Slicing &slicing;
  SharedMemory &shared;
  ImplicitLocOpBuilder b;
  StepOperands operands;
  SmallVector<unsigned> parallel, reduced;
  Run run;
  std::optional<weft::LaneReduction> match;
  Value column, slice;
};

} // namespace

void weft::lowerReduction(LinalgOp op, linalg::FillOp fill, const Team &team,
                          const Slicing &slicing, SharedMemory &shared) {
  ReductionEmitter(op, fill, team, slicing, shared).emit();
}
