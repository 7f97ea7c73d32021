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

/// An elementwise op in groups of consecutive elements.
class Grouping {
public:
  explicit Grouping(StepOperands &operands) : operands(operands) {
    counts = operands.extents;
    if (!operands.nest || counts.empty())
      return;
    chooseInnermost();
    width = chooseWidth();
    counts[innermost] /= width;
    // The innermost loop's groups run fastest.
    for (unsigned loop = 0; loop < counts.size(); ++loop)
      if (loop != innermost)
        order.push_back(loop);
    order.push_back(innermost);
  }

  int64_t width = 1;

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
    if (width > 1)
      steps[innermost] =
          arith::MulIOp::create(b, steps[innermost], index(b, width));
    return steps;
  }

  /// Whether a thread's elements of an operand follow each other.
  bool isWide(OpOperand &operand) const {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    return width > 1 && type && !isa<ComplexType>(type.getElementType()) &&
           operands.nest->stride(operand.getOperandNumber(), innermost) == 1;
  }

  /// Whether they are one and the same.
  bool isOne(OpOperand &operand) const {
    return operands.nest && !counts.empty() &&
           operands.nest->stride(operand.getOperandNumber(), innermost) == 0;
  }

  SmallVector<Value> advance(ImplicitLocOpBuilder &b, ArrayRef<Value> steps,
                             int64_t by) const {
    SmallVector<Value> moved(steps);
    if (by > 0)
      moved[innermost] =
          arith::AddIOp::create(b, moved[innermost], index(b, by));
    return moved;
  }

private:
  /// The loop along which most operands are consecutive, the results above all.
  void chooseInnermost() {
    int64_t best = -1;
    size_t inputs = operands.op.getNumDpsInputs();
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
  }

  /// As many as make 16 bytes of the widest element, if all that is consecutive
  /// begins at a multiple of so many elements.
  int64_t chooseWidth() const {
    // Loops in turn take longer than loads that are no wide ones.
    if (llvm::any_of(*operands.op.getBlock(), [](Operation &inner) {
          return isa<scf::ForOp, scf::WhileOp>(inner);
        }))
      return 1;
    int64_t widest = 1;
    for (Value operand : operands.op->getOperands())
      if (auto memref = dyn_cast<MemRefType>(operand.getType()))
        widest = std::max(widest, weft::bytesOf(memref.getElementType()));
    for (int64_t width = std::max<int64_t>(16 / widest, 1); width > 1;
         width /= 2)
      if (fits(width))
        return width;
    return 1;
  }

  bool fits(int64_t width) const {
    if (counts[innermost] % width != 0)
      return false;
    return llvm::all_of(operands.op->getOpOperands(), [&](OpOperand &operand) {
      return operands.nest->stride(operand.getOperandNumber(), innermost) !=
                 1 ||
             operands.isAligned(operand, innermost, width);
    });
  }

  StepOperands &operands;
  unsigned innermost = 0;
  SmallVector<int64_t> counts;
  SmallVector<unsigned> order;
};

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

/// Adds what an operand is at each of a group's elements.
static void loadGroup(ImplicitLocOpBuilder &b, const StepOperands &operands,
                      const Grouping &grouping, OpOperand &operand,
                      ArrayRef<SmallVector<Value>> places,
                      MutableArrayRef<SmallVector<Value>> loaded) {
  if (operands.op.getMatchingBlockArgument(&operand).use_empty()) {
    for (auto &of : loaded)
      of.push_back(Value());
  } else if (grouping.isWide(operand)) {
    auto wide = operands.loadWide(b, operand, places[0], grouping.width);
    for (auto [of, value] : llvm::zip_equal(loaded, wide))
      of.push_back(value);
  } else {
    bool isOne = grouping.isOne(operand);
    Value first;
    for (auto [of, place] : llvm::zip_equal(loaded, places)) {
      if (!first || !isOne)
        first = operands.load(b, operand, place);
      of.push_back(first);
    }
  }
}

void weft::lowerElementwise(LinalgOp op, const Team &team) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  StepOperands operands(op, /*mayMerge=*/true);
  Grouping grouping(operands);
  operands.begin(b);
  Value first = team.thread;
  if (team.blocks > 1)
    first = weft::advance(b, first, team.block, team.threads);
  forEach(b, first, team.threads * team.blocks, grouping.numGroups(),
          [&](Value group) {
            SmallVector<Value> steps = grouping.stepsOf(b, group);
            // All loads first, so that they become wide ones.
            SmallVector<SmallVector<Value>> loaded(grouping.width),
                places(grouping.width);
            for (int64_t i = 0; i < grouping.width; ++i)
              places[i] = grouping.advance(b, steps, i);
            for (OpOperand &operand : op->getOpOperands())
              loadGroup(b, operands, grouping, operand, places, loaded);
            SmallVector<SmallVector<Value>> results;
            for (int64_t i = 0; i < grouping.width; ++i)
              results.push_back(operands.compute(b, loaded[i], places[i]));
            for (auto [number, result] :
                 llvm::enumerate(op.getDpsInitsMutable())) {
              SmallVector<Value> values;
              for (ArrayRef<Value> of : results)
                values.push_back(of[number]);
              if (grouping.isWide(result)) {
                operands.storeWide(b, values, result, places[0]);
                continue;
              }
              for (int64_t i = 0; i < grouping.width; ++i)
                operands.store(b, values[i], result, places[i]);
            }
          });
  op->erase();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

int64_t weft::numResults(LinalgOp op) {
  return StepOperands(op, /*mayMerge=*/true).count(/*parallel=*/true);
}

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

Slicing Slicing::choose(LinalgOp op, int64_t threads, int64_t blocks) {
  StepOperands operands(op, /*mayMerge=*/true);
  int64_t results = operands.count(/*parallel=*/true);
  int64_t steps = operands.count(/*parallel=*/false);
  Slicing slicing;
  slicing.slicesFirst = readsAlongReduction(operands);
  bool mayShare =
      weft::LaneReduction::match(op, /*inVectors=*/false).has_value();
  int64_t most = llvm::bit_floor<uint64_t>(threads);
  if (mayShare) {
    // Threads that have no result of their own help with others'.
    int64_t idle =
        std::max<int64_t>(threads * blocks / std::max<int64_t>(results, 1), 1);
    int64_t wanted = slicing.slicesFirst
                         ? std::max<int64_t>(llvm::divideCeil(steps, 8), 1)
                         : std::min<int64_t>(idle, llvm::divideCeil(steps, 4));
    // A warp reads along a row together, whatever else is idle.
    if (slicing.slicesFirst && wanted > 32)
      wanted = std::max<int64_t>(32, std::min(wanted, idle));
    // Rows of less than a warp would be read in pieces.
    int64_t widest = slicing.slicesFirst || results < 32 ? most : most / 32;
    while (slicing.slices * 2 <= std::min(wanted, widest))
      slicing.slices *= 2;
  }
  slicing.columns = std::max<int64_t>(most / slicing.slices, 1);
  if (blocks > 1 || slicing.slices > 1)
    slicing.columns = std::min<int64_t>(
        slicing.columns,
        llvm::bit_ceil<uint64_t>(std::max<int64_t>(results, 1)));
  return slicing;
}

namespace {

class ReductionEmitter {
public:
  ReductionEmitter(LinalgOp op, const Team &team, const Slicing &slicing,
                   SharedMemory &shared)
      : op(op), team(team), slicing(slicing), shared(shared),
        b(op.getLoc(), op), operands(op, /*mayMerge=*/true),
        parallel(operands.loops(true)), reduced(operands.loops(false)),
        match(weft::LaneReduction::match(op, /*inVectors=*/false)) {}

  void emit() {
    operands.begin(b);
    column = team.thread;
    if (slicing.slices > 1)
      splitThreads();
    int64_t results = operands.count(/*parallel=*/true);
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

  SmallVector<Value> stepsOf(Value result, Value step) {
    SmallVector<Value> steps(operands.extents.size());
    auto assign = [&](ArrayRef<unsigned> loops, Value number) {
      SmallVector<int64_t> counts;
      for (unsigned loop : loops)
        counts.push_back(operands.extents[loop]);
      if (counts.empty())
        return;
      for (auto [loop, digit] :
           llvm::zip_equal(loops, weft::splitDigits(b, number, counts)))
        steps[loop] = digit;
    };
    assign(parallel, result);
    assign(reduced, step);
    return steps;
  }

  /// Reduces what is at one step into what was accumulated.
  SmallVector<Value> accumulate(ValueRange accumulated, Value result,
                                Value step) {
    SmallVector<Value> steps = stepsOf(result, step), arguments;
    for (OpOperand *input : op.getDpsInputOperands())
      arguments.push_back(op.getMatchingBlockArgument(input).use_empty()
                              ? Value()
                              : operands.load(b, *input, steps));
    llvm::append_range(arguments, accumulated);
    return operands.compute(b, arguments, steps);
  }

  void emitResult(Value result, Value isIn) {
    SmallVector<Value> at = stepsOf(result, index(b, 0)), start;
    for (OpOperand &init : op.getDpsInitsMutable())
      start.push_back(operands.load(b, init, at));
    if (slicing.slices == 1) {
      SmallVector<Value> all = reduceFrom(start, index(b, 0), 1, result);
      for (auto [value, init] : llvm::zip_equal(all, op.getDpsInitsMutable()))
        operands.store(b, value, init, at);
      return;
    }
    Value part = reduceFrom(match->neutral(b, start[0]), slice, slicing.slices,
                            result)[0];
    bool byLanes = slicing.slicesFirst && team.threads % weft::warpLanes == 0 &&
                   slicing.slices <= weft::warpLanes &&
                   weft::canExchange(part.getType());
    auto finish = [&](Value total) {
      Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, slice,
                                            index(b, 0));
      if (isIn)
        isFirst = arith::AndIOp::create(b, isFirst, isIn);
      auto branch =
          scf::IfOp::create(b, TypeRange{}, isFirst, /*withElse=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      operands.store(b, match->combined(b, start[0], total),
                     op.getDpsInitsMutable()[0], at);
    };
    if (!byLanes)
      return combineSlices(part, finish);
    Value total =
        weft::exchange(b, part, slicing.slices, [&](Value x, Value y) {
          return match->combined(b, x, y);
        });
    // Others have read what was there: lanes, and threads without a result.
    if (isIn)
      gpu::BarrierOp::create(b);
    else
      weft::syncWarp(b);
    finish(total);
  }

  SmallVector<Value> reduceFrom(ValueRange start, Value first, int64_t stride,
                                Value result) {
    int64_t steps = operands.count(/*parallel=*/false);
    auto loop =
        scf::ForOp::create(b, first, index(b, steps), index(b, stride), start);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto next =
        accumulate(loop.getRegionIterArgs(), result, loop.getInductionVar());
    scf::YieldOp::create(b, next);
    return llvm::to_vector_of<Value>(loop.getResults());
  }

  /// Has each thread leave its part in shared memory, and adds the halves
  /// until the first slice has all.
  void combineSlices(Value part, llvm::function_ref<void(Value)> finish) {
    auto type =
        MemRefType::get({slicing.columns * slicing.slices}, part.getType());
    Value parts = shared.borrow(b, b.getLoc(), type);
    Value place = weft::advance(b, column, slice, slicing.columns);
    leaveIfMine(part, parts, place);
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
        Value own = memref::LoadOp::create(b, parts, ValueRange{place});
        Value other = memref::LoadOp::create(
            b, parts,
            ValueRange{arith::AddIOp::create(
                b, place, index(b, half * slicing.columns))});
        memref::StoreOp::create(b, match->combined(b, own, other), parts,
                                ValueRange{place});
      }
      gpu::BarrierOp::create(b);
    }
    finish(memref::LoadOp::create(b, parts, ValueRange{column}));
    // The next step may write there.
    gpu::BarrierOp::create(b);
  }

  Value isMine() {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, team.thread,
                                 index(b, slicing.threads()));
  }

  void leaveIfMine(Value part, Value parts, Value place) {
    OpBuilder::InsertionGuard guard(b);
    Operation *branch = nullptr;
    if (!isWholeTeam()) {
      auto mine =
          scf::IfOp::create(b, TypeRange{}, isMine(), /*withElse=*/false);
      b.setInsertionPointToStart(mine.thenBlock());
      branch = mine;
    }
    memref::StoreOp::create(b, part, parts, ValueRange{place});
    if (branch)
      b.setInsertionPointAfter(branch);
    gpu::BarrierOp::create(b);
  }

  LinalgOp op;
  const Team &team;
  const Slicing &slicing;
  SharedMemory &shared;
  ImplicitLocOpBuilder b;
  StepOperands operands;
  SmallVector<unsigned> parallel, reduced;
  std::optional<weft::LaneReduction> match;
  Value column, slice;
};

} // namespace

void weft::lowerReduction(LinalgOp op, const Team &team, const Slicing &slicing,
                          SharedMemory &shared) {
  ReductionEmitter(op, team, slicing, shared).emit();
}
