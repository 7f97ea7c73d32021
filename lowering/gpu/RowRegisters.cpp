// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each thread has the same elements of all values of a row, so that what one op
// leaves to the next never stands in memory. Lanes of a warp exchange what they
// have reduced; warps do so through shared memory.

#include "lowering/gpu/RowRegisters.h"
#include "lowering/gpu/Device.h"
#include "lowering/gpu/RowPlan.h"
#include "lowering/gpu/Shuffles.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using linalg::LinalgOp;
using weft::LaneReduction;
using weft::RowPlace;
using weft::RowPlan;
using weft::warpLanes;

namespace {

using Values = SmallVector<Value>;

/// Sums of a thread that do not wait for each other.
constexpr int64_t mostChains = 4;

class RowEmitter {
public:
  RowEmitter(RowPlan &plan, Value thread, weft::SharedMemory &shared,
             Operation *before)
      : plan(plan), shared(shared), b(before->getLoc(), before),
        contents(plan.places.size()) {
    lane =
        plan.rowsPerBlock() > 1
            ? arith::RemUIOp::create(b, thread, index(plan.threads)).getResult()
            : thread;
  }

  void emit() {
    for (auto [number, op] : llvm::enumerate(plan.ops)) {
      b.setInsertionPoint(op);
      b.setLoc(op.getLoc());
      step = number;
      lower(op);
    }
    storeScalars();
    for (LinalgOp op : llvm::reverse(plan.ops))
      op->erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  //===--------------------------------------------------------------------===//
  // Which elements a thread has
  //===--------------------------------------------------------------------===//

  /// The first element of a slot.
  Value elementOf(int64_t slot) {
    Value vector = arith::AddIOp::create(b, lane, index(slot * plan.threads));
    return plan.width == 1
               ? vector
               : arith::MulIOp::create(b, vector, index(plan.width));
  }

  /// What is built where a thread has elements in the slot; else values of no
  /// meaning, or those given.
  Values whereAny(int64_t slot, ArrayRef<Value> otherwise,
                  llvm::function_ref<Values()> build) {
    if (plan.isWhole(slot))
      return build();
    Value isIn = arith::CmpIOp::create(
        b, arith::CmpIPredicate::ult,
        arith::AddIOp::create(b, lane, index(slot * plan.threads)),
        index(plan.vectors()));
    auto branch = scf::IfOp::create(b, ValueRange(otherwise).getTypes(), isIn,
                                    /*withElse=*/!otherwise.empty());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Values built = build();
    if (otherwise.empty())
      return {};
    scf::YieldOp::create(b, built);
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, otherwise);
    return Values(branch.getResults());
  }

  /// As many as a slot has; any number will do.
  Values fillers(int64_t slot, Type type) {
    if (plan.isWhole(slot))
      return {};
    Value filler;
    if (auto complex = dyn_cast<ComplexType>(type)) {
      Attribute zero = b.getZeroAttr(complex.getElementType());
      filler =
          complex::ConstantOp::create(b, type, b.getArrayAttr({zero, zero}));
    } else {
      filler = arith::ConstantOp::create(b, b.getZeroAttr(type));
    }
    return Values(plan.width, filler);
  }

  //===--------------------------------------------------------------------===//
  // Loads and stores
  //===--------------------------------------------------------------------===//

  static llvm::MaybeAlign alignmentOf(VectorType type) {
    return llvm::Align(type.getNumElements() *
                       weft::bytesOf(type.getElementType()));
  }

  /// What a thread has of an operand: all its elements, or the one value.
  ArrayRef<Value> valuesOf(OpOperand &operand) {
    unsigned number = plan.placeOf.lookup(&operand);
    Values &values = contents[number];
    if (!values.empty())
      return values;
    const RowPlace &place = plan.places[number];
    Value buffer, begin;
    std::tie(buffer, begin) = weft::flatten(b, operand.get(), place.offset);
    if (place.stride == 0) {
      values.push_back(memref::LoadOp::create(b, buffer, ValueRange{begin}));
      return values;
    }
    for (int64_t slot = 0; slot < plan.slots; ++slot)
      llvm::append_range(values,
                         whereAny(slot, fillers(slot, place.element()), [&] {
                           return loadSlot(place, buffer, begin, slot);
                         }));
    return values;
  }

  Values loadSlot(const RowPlace &place, Value buffer, Value begin,
                  int64_t slot) {
    Value first = weft::advance(b, begin, elementOf(slot), place.stride);
    Values elements;
    if (place.stride == 1 && plan.width > 1) {
      auto type = VectorType::get({plan.width}, place.element());
      Value all =
          vector::LoadOp::create(b, type, buffer, ValueRange{first},
                                 /*nontemporal=*/false, alignmentOf(type));
      for (int64_t i = 0; i < plan.width; ++i)
        elements.push_back(
            vector::ExtractOp::create(b, all, ArrayRef<int64_t>{i}));
      return elements;
    }
    for (int64_t i = 0; i < plan.width; ++i) {
      Value at = i == 0
                     ? first
                     : arith::AddIOp::create(b, first, index(i * place.stride));
      elements.push_back(memref::LoadOp::create(b, buffer, ValueRange{at}));
    }
    return elements;
  }

  void storeRow(OpOperand &init) {
    unsigned number = plan.placeOf.lookup(&init);
    const RowPlace &place = plan.places[number];
    if (place.isPrivate() || place.lastWriter != step)
      return;
    Value buffer, begin;
    std::tie(buffer, begin) = weft::flatten(b, init.get(), place.offset);
    for (int64_t slot = 0; slot < plan.slots; ++slot)
      whereAny(slot, {}, [&]() -> Values {
        storeSlot(
            ArrayRef(contents[number]).slice(slot * plan.width, plan.width),
            buffer, weft::advance(b, begin, elementOf(slot), 1));
        return {};
      });
  }

  void storeSlot(ArrayRef<Value> values, Value buffer, Value at) {
    if (plan.width == 1) {
      memref::StoreOp::create(b, values[0], buffer, ValueRange{at});
      return;
    }
    auto type = VectorType::get({plan.width}, values[0].getType());
    Value all = vector::FromElementsOp::create(b, type, values);
    vector::StoreOp::create(b, all, buffer, ValueRange{at},
                            /*nontemporal=*/false, alignmentOf(type));
  }

  /// The row's values, by its first thread, once no other still reads what may
  /// have been there.
  void storeScalars() {
    SmallVector<unsigned> written;
    for (auto [number, place] : llvm::enumerate(plan.places))
      if (place.stride == 0 && place.lastWriter && !place.isPrivate())
        written.push_back(number);
    if (written.empty())
      return;
    b.setInsertionPointAfter(plan.ops.back());
    if (plan.threads > warpLanes)
      gpu::BarrierOp::create(b);
    else
      weft::syncWarp(b);
    Value isFirst =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, index(0));
    auto branch =
        scf::IfOp::create(b, TypeRange{}, isFirst, /*withElse=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
    for (unsigned number : written) {
      const RowPlace &place = plan.places[number];
      auto [buffer, at] = weft::flatten(b, place.operand->get(), place.offset);
      memref::StoreOp::create(b, contents[number][0], buffer, ValueRange{at});
    }
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  void lower(LinalgOp op) {
    for (OpOperand &operand : op->getOpOperands())
      if (!op.getMatchingBlockArgument(&operand).use_empty() &&
          isa<MemRefType>(operand.get().getType()))
        (void)valuesOf(operand);
    if (isReduced(op))
      return reduce(op);
    bool isRow =
        plan.places[plan.placeOf.lookup(op.getDpsInitOperand(0))].stride != 0;
    isRow ? computeRow(op) : computeOne(op);
  }

  /// Whether a loop that is reduced has more than one step.
  static bool isReduced(LinalgOp op) {
    return llvm::any_of(
        llvm::zip_equal(op.getIteratorTypesArray(), op.getStaticLoopRanges()),
        [](auto loop) {
          auto [kind, steps] = loop;
          return kind == utils::IteratorType::reduction && steps > 1;
        });
  }

  Values compute(LinalgOp op, ArrayRef<Value> arguments, Value element) {
    IRMapping mapping;
    mapping.map(op.getBlock()->getArguments(), arguments);
    for (Operation &inner : op.getBlock()->without_terminator())
      if (auto asked = dyn_cast<linalg::IndexOp>(inner))
        mapping.map(asked.getResult(), element);
      else
        b.clone(inner, mapping);
    Values results;
    for (Value yielded : op.getBlock()->getTerminator()->getOperands())
      results.push_back(mapping.lookupOrDefault(yielded));
    return results;
  }

  /// The operands of an op at one of a thread's elements.
  Values argumentsAt(LinalgOp op, int64_t number) {
    Values arguments;
    for (OpOperand &operand : op->getOpOperands()) {
      if (op.getMatchingBlockArgument(&operand).use_empty())
        arguments.push_back(Value());
      else if (!isa<MemRefType>(operand.get().getType()))
        arguments.push_back(operand.get());
      else if (ArrayRef<Value> values = valuesOf(operand);
               plan.places[plan.placeOf.lookup(&operand)].stride == 0)
        arguments.push_back(values[0]);
      else
        arguments.push_back(values[number]);
    }
    return arguments;
  }

  Value elementAt(LinalgOp op, int64_t slot, int64_t i) {
    if (!op.hasIndexSemantics())
      return Value();
    Value first = elementOf(slot);
    return i == 0 ? first : arith::AddIOp::create(b, first, index(i));
  }

  void computeOne(LinalgOp op) {
    Values results = compute(op, argumentsAt(op, 0), index(0));
    for (auto [init, result] :
         llvm::zip_equal(op.getDpsInitsMutable(), results))
      contents[plan.placeOf.lookup(&init)] = {result};
  }

  void computeRow(LinalgOp op) {
    SmallVector<Values> results(op.getNumDpsInits());
    for (int64_t slot = 0; slot < plan.slots; ++slot) {
      Values otherwise;
      for (OpOperand &init : op.getDpsInitsMutable())
        llvm::append_range(
            otherwise,
            fillers(slot, plan.places[plan.placeOf.lookup(&init)].element()));
      Values built =
          whereAny(slot, otherwise, [&] { return computeSlot(op, slot); });
      for (auto [number, of] : llvm::enumerate(results))
        llvm::append_range(
            of, ArrayRef(built).slice(number * plan.width, plan.width));
    }
    for (auto [init, of] : llvm::zip_equal(op.getDpsInitsMutable(), results)) {
      contents[plan.placeOf.lookup(&init)] = of;
      storeRow(init);
    }
  }

  /// The elements of the first result, then those of the next.
  Values computeSlot(LinalgOp op, int64_t slot) {
    Values results(op.getNumDpsInits() * plan.width);
    for (int64_t i = 0; i < plan.width; ++i) {
      Values of = compute(op, argumentsAt(op, slot * plan.width + i),
                          elementAt(op, slot, i));
      for (auto [number, value] : llvm::enumerate(of))
        results[number * plan.width + i] = value;
    }
    return results;
  }

  //===--------------------------------------------------------------------===//
  // Reductions
  //===--------------------------------------------------------------------===//

  void reduce(LinalgOp op) {
    LaneReduction match = *LaneReduction::match(op, /*inVectors=*/false);
    OpOperand &init = op.getDpsInitsMutable()[0];
    Value start = valuesOf(init)[0];
    Value part = reduceOwn(op, match, match.neutral(b, start));
    auto combine = [&](Value x, Value y) { return match.combined(b, x, y); };
    part = weft::exchange(b, part, std::min(plan.threads, warpLanes), combine);
    if (plan.threads > warpLanes)
      part = exchangeWarps(part, combine);
    contents[plan.placeOf.lookup(&init)] = {combine(start, part)};
  }

  Value reduceOwn(LinalgOp op, LaneReduction &match, Value neutral) {
    int64_t chains = std::min(mostChains, plan.each());
    Values parts(chains, neutral);
    for (int64_t slot = 0; slot < plan.slots; ++slot)
      parts = whereAny(slot, Values(parts), [&] {
        Values next = parts;
        for (int64_t i = 0; i < plan.width; ++i) {
          int64_t number = slot * plan.width + i;
          Values arguments = argumentsAt(op, number);
          arguments.back() = next[number % chains];
          next[number % chains] =
              compute(op, arguments, elementAt(op, slot, i))[0];
        }
        return next;
      });
    Value all = parts[0];
    for (Value other : ArrayRef(parts).drop_front())
      all = match.combined(b, all, other);
    return all;
  }

  using CombineFn = llvm::function_ref<Value(Value, Value)>;

  /// One barrier: each reduction has memory of its own.
  Value exchangeWarps(Value own, CombineFn combine) {
    int64_t warps = plan.threads / warpLanes;
    auto type = MemRefType::get({warps}, own.getType());
    Value parts = shared.keep(b, b.getLoc(), type);
    Value place = arith::RemUIOp::create(b, lane, index(warpLanes));
    Value isFirst =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, place, index(0));
    auto branch =
        scf::IfOp::create(b, TypeRange{}, isFirst, /*withElse=*/false);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      Value warp = arith::DivUIOp::create(b, lane, index(warpLanes));
      memref::StoreOp::create(b, own, parts, ValueRange{warp});
    }
    gpu::BarrierOp::create(b);
    if (warps < warpLanes)
      place = arith::RemUIOp::create(b, lane, index(warps));
    Value part = memref::LoadOp::create(b, parts, ValueRange{place});
    return weft::exchange(b, part, warps, combine);
  }

  RowPlan &plan;
  weft::SharedMemory &shared;
  ImplicitLocOpBuilder b;
  /// By place: what the thread has of it, once it is known.
  SmallVector<Values> contents;
  /// The thread's number among those of its row.
  Value lane;
  unsigned step = 0;
};

/// Has each part of a block do one step of the loop, in place of the loop;
/// returns the thread's number.
Value unwrap(gpu::GPUFuncOp kernel, scf::ForOp loop, const RowPlan &plan) {
  ImplicitLocOpBuilder b(loop.getLoc(), loop);
  int64_t each = plan.rowsPerBlock();
  Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
  Value row = gpu::BlockIdOp::create(b, gpu::Dimension::x);
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  };
  if (each > 1)
    row = arith::AddIOp::create(
        b, arith::MulIOp::create(b, row, index(each)),
        arith::DivUIOp::create(b, thread, index(plan.threads)));
  Block *into = loop->getBlock();
  auto before = loop->getIterator();
  if (plan.rows % each != 0) {
    Value isIn = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row,
                                       index(plan.rows));
    auto branch = scf::IfOp::create(b, TypeRange{}, isIn, /*withElse=*/false);
    into = branch.thenBlock();
    before = into->getTerminator()->getIterator();
    b.setInsertionPointToStart(into);
  }
  row = arith::MulIOp::create(b, row, loop.getStep());
  row = arith::AddIOp::create(b, row, loop.getLowerBound());
  loop.getInductionVar().replaceAllUsesWith(row);
  loop.getBody()->getTerminator()->erase();
  into->getOperations().splice(before, loop.getBody()->getOperations());
  loop.erase();
  weft::stateSize(kernel, llvm::divideCeil(plan.rows, each),
                  plan.threads * each);
  return thread;
}

} // namespace

bool weft::lowerRowsInRegisters(gpu::GPUFuncOp kernel, SharedMemory &shared) {
  auto loop = *kernel.front().getOps<scf::ForOp>().begin();
  auto plan = RowPlan::of(loop);
  if (!plan)
    return false;
  Value thread = unwrap(kernel, loop, *plan);
  SmallVector<Operation *> own;
  for (const RowPlace &place : plan->places)
    if (place.isPrivate() &&
        !llvm::is_contained(own, place.base.getDefiningOp()))
      own.push_back(place.base.getDefiningOp());
  RowEmitter(*plan, thread, shared, plan->ops.front()).emit();
  for (Operation *alloca : own)
    if (alloca->use_empty())
      alloca->erase();
  return true;
}
