// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turning squares round, by vectors whose elements change places.

#include "lowering/cpu/TurnedSquares.h"

#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {

TurnedSquares::TurnedSquares(NestBuilder &at, const LoopOrder &order,
                             const Machine &machine)
    : at(at), square(order.square.value_or(LoopOrder::Square())),
      machine(machine) {
  OpBuilder::InsertionGuard guard(at.b);
  for (unsigned operand : square.turned) {
    Type element = getElementTypeOrSelf(at.rows[operand].first.getType());
    if (!element.isIntOrFloat() || operand >= at.op.getNumDpsInputs())
      continue;
    int64_t lanes = lanesOf(element);
    if (lanes < 2)
      continue;
    Value buffer;
    if (!isCopyOf(operand)) {
      auto func = at.op->getParentOfType<func::FuncOp>();
      at.b.setInsertionPointToStart(&func.getBody().front());
      auto type = MemRefType::get({square.side * square.side}, element);
      buffer = onStack(at.b, type);
    }
    tiles.push_back({operand, buffer, lanes});
  }
}

int64_t TurnedSquares::lanesOf(Type element) const {
  int64_t bytes = bytesOf(element);
  int64_t most = std::min<int64_t>(machine.lanes(element), mostLanes);
  if (!rowsAreLines(bytes))
    most = std::min(most, line / 2 / bytes);
  return llvm::bit_floor<uint64_t>(std::min(most, square.side));
}

bool TurnedSquares::rowsAreLines(int64_t bytes) const {
  const Access &result = at.nest.accesses.back();
  return result.offset * bytes % line == 0 &&
         llvm::all_of(llvm::enumerate(result.strides), [&](auto stride) {
           return stride.index() == square.innermost ||
                  stride.value() * bytes % line == 0;
         });
}

bool TurnedSquares::isCopyOf(unsigned operand) {
  Block &body = *at.op.getBlock();
  return at.op.getNumDpsInits() == 1 &&
         body.getTerminator()->getOperand(0) == body.getArgument(operand) &&
         at.nest.stride(at.result(), square.innermost) == 1;
}

void TurnedSquares::emitSquare(llvm::function_ref<void()> emit) {
  for (const Tile &tile : tiles)
    turnSquare(tile);
  if (!tiles.front().buffer)
    return;
  // Loops of a known length, as far as there are whole squares.
  ImplicitLocOpBuilder &b = at.b;
  Value isWhole;
  for (unsigned loop : {square.loop, square.innermost})
    if (at.nest.extents[loop] % square.side) {
      Value steps = arith::SubIOp::create(b, at.ends[loop], at.begins[loop]);
      Value whole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, steps,
                                          at.index(square.side));
      isWhole = isWhole ? arith::AndIOp::create(b, isWhole, whole) : whole;
    }
  if (!isWhole)
    return emitTurned(emit);
  auto either = scf::IfOp::create(b, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(either.elseBlock());
  emitTurned(emit);
  b.setInsertionPointToStart(either.thenBlock());
  auto outside = at.ends;
  for (unsigned loop : {square.loop, square.innermost})
    at.ends[loop] =
        arith::AddIOp::create(b, at.begins[loop], at.index(square.side),
                              arith::IntegerOverflowFlags::nsw);
  emitTurned(emit);
  at.ends = outside;
}

void TurnedSquares::emitTurned(llvm::function_ref<void()> emit) {
  auto outside = std::pair(at.rows, at.nest.accesses);
  Value begin = at.advance(at.begins[square.innermost], at.begins[square.loop],
                           square.side);
  Value offset = arith::SubIOp::create(at.b, at.index(0), begin);
  for (const Tile &tile : tiles) {
    at.rows[tile.operand] = {tile.buffer, offset};
    SmallVector<int64_t> &strides = at.nest.accesses[tile.operand].strides;
    strides.assign(at.nest.depth(), 0);
    strides[square.loop] = square.side;
    strides[square.innermost] = 1;
  }
  emit();
  std::tie(at.rows, at.nest.accesses) = outside;
}

void TurnedSquares::turnSquare(const Tile &tile) {
  Part all{at.begins[square.loop], at.ends[square.loop],
           at.begins[square.innermost], at.ends[square.innermost]};
  Part whole = all;
  whole.end = wholeUntil(square.loop, tile.lanes);
  whole.innerEnd = wholeUntil(square.innermost, tile.lanes);
  turnPart(tile, whole, tile.lanes);
  if (whole.innerEnd != all.innerEnd)
    turnPart(tile, {all.begin, all.end, whole.innerEnd, all.innerEnd}, 1);
  if (whole.end != all.end)
    turnPart(tile, {whole.end, all.end, all.innerBegin, whole.innerEnd}, 1);
}

Value TurnedSquares::wholeUntil(unsigned loop, int64_t lanes) {
  if (at.nest.extents[loop] % lanes == 0)
    return at.ends[loop];
  Value rest = arith::RemUIOp::create(at.b, at.ends[loop], at.index(lanes));
  return arith::SubIOp::create(at.b, at.ends[loop], rest);
}

void TurnedSquares::turnPart(const Tile &tile, const Part &part,
                             int64_t lanes) {
  ImplicitLocOpBuilder &b = at.b;
  OpBuilder::InsertionGuard guard(b);
  auto outer = scf::ForOp::create(b, part.begin, part.end, at.index(lanes));
  b.setInsertionPointToStart(outer.getBody());
  auto inner =
      scf::ForOp::create(b, part.innerBegin, part.innerEnd, at.index(lanes));
  b.setInsertionPointToStart(inner.getBody());

  SmallVector<Value> outside(at.begins);
  at.begins[square.loop] = outer.getInductionVar();
  at.begins[square.innermost] = inner.getInductionVar();
  turnLanes(tile, lanes, outside);
  at.begins = outside;
}

void TurnedSquares::turnLanes(const Tile &tile, int64_t lanes,
                              ArrayRef<Value> origin) {
  ImplicitLocOpBuilder &b = at.b;
  Value source = at.rows[tile.operand].first, from = at.placeOf(tile.operand);
  Value target = tile.buffer, to;
  int64_t stride = square.side;
  if (tile.buffer) {
    auto stepsOf = [&](unsigned loop) -> Value {
      return arith::SubIOp::create(b, at.begins[loop], origin[loop]);
    };
    to = at.advance(stepsOf(square.innermost), stepsOf(square.loop), stride);
  } else {
    target = at.rows[at.result()].first, to = at.placeOf(at.result());
    stride = at.nest.stride(at.result(), square.loop);
  }
  if (lanes == 1) {
    Value element = memref::LoadOp::create(b, source, ValueRange{from});
    memref::StoreOp::create(b, element, target, ValueRange{to});
    return;
  }
  Type element = getElementTypeOrSelf(source.getType());
  auto type = VectorType::get({lanes}, element);
  SmallVector<Value> vectors;
  int64_t apart = at.nest.stride(tile.operand, square.innermost);
  for (int64_t k = 0; k < lanes; ++k)
    vectors.push_back(vector::LoadOp::create(
        b, type, source, ValueRange{at.advance(from, at.index(k), apart)}));
  auto store = [&, rows = turnVectors(b, vectors)](bool pastCaches) {
    for (auto [k, vector] : llvm::enumerate(rows))
      vector::StoreOp::create(
          b, vector, target, ValueRange{at.advance(to, at.index(k), stride)},
          /*nontemporal=*/pastCaches,
          pastCaches ? llvm::MaybeAlign(line) : llvm::MaybeAlign());
  };
  if (tile.buffer || !isLarge(type))
    return store(false);
  auto either = scf::IfOp::create(b, beginsLine(target, to),
                                  /*withElseRegion=*/true);
  b.setInsertionPointToStart(either.thenBlock());
  store(true);
  b.setInsertionPointToStart(either.elseBlock());
  store(false);
}

bool TurnedSquares::isLarge(VectorType vector) const {
  int64_t bytes = bytesOf(vector.getElementType());
  int64_t elements = llvm::product_of(at.nest.extents);
  return vector.getNumElements() * bytes == line && rowsAreLines(bytes) &&
         elements * bytes > 2 * machine.l2Bytes;
}

Value TurnedSquares::beginsLine(Value row, Value place) {
  ImplicitLocOpBuilder &b = at.b;
  int64_t bytes = bytesOf(getElementTypeOrSelf(row.getType()));
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, row);
  address = at.advance(address, place, bytes);
  Value rest = arith::RemUIOp::create(b, address, at.index(line));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, rest, at.index(0));
}

SmallVector<Value> turnVectors(ImplicitLocOpBuilder &b,
                               SmallVector<Value> vectors) {
  int64_t lanes = vectors.size();
  // LLVM takes vectors of 16-bit floats to pieces where the CPU computes with
  // none.
  auto type = cast<VectorType>(vectors.front().getType());
  auto bits = type.clone(
      b.getIntegerType(type.getElementType().getIntOrFloatBitWidth()));
  for (Value &vector : vectors)
    vector = b.createOrFold<vector::BitCastOp>(bits, vector);
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < lanes; ++i) {
    low.push_back(i / 2 + i % 2 * lanes);
    high.push_back(lanes / 2 + i / 2 + i % 2 * lanes);
  }
  for (int64_t rounds = lanes; rounds > 1; rounds /= 2) {
    SmallVector<Value> zipped;
    for (int64_t i = 0; i < lanes / 2; ++i)
      for (ArrayRef<int64_t> half : {ArrayRef(low), ArrayRef(high)})
        zipped.push_back(vector::ShuffleOp::create(
            b, vectors[i], vectors[i + lanes / 2], half));
    vectors = zipped;
  }
  for (Value &vector : vectors)
    vector = b.createOrFold<vector::BitCastOp>(type, vector);
  return vectors;
}

} // namespace weft
