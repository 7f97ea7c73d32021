// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/cpu/TileEmitter.h"
#include "lowering/cpu/LoopHints.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using weft::TileEmitter;

TileEmitter::TileEmitter(linalg::GenericOp op, linalg::GenericOp epilogue,
                         const TilePlan &plan, const Machine &machine,
                         bool fromZero)
    : op(op), epilogue(epilogue), plan(plan), machine(machine),
      fromZero(fromZero), b(op.getLoc(), op),
      factor(getElementTypeOrSelf(op.getDpsInputs()[0].getType())),
      element(getElementTypeOrSelf(op.getDpsInits()[0].getType())),
      sumType(factor.isBF16() ? Type(b.getF32Type()) : b.getI32Type()),
      operands(b, op, epilogue, plan.nest, plan.ownSums), n(b),
      copies(b, plan, operands) {}

TileEmitter::Bounds TileEmitter::boundsOf(Value block, int64_t size,
                                          int64_t extent) {
  Value first = n.multiply(block, size);
  return {first, n.least(n.add(first, size), n.index(extent))};
}

amx::TileType TileEmitter::sumTile() const {
  return amx::TileType::get({tileRows, tileRows}, sumType);
}

SmallVector<Value> TileEmitter::zeros(int64_t count) {
  SmallVector<Value> tiles;
  for (int64_t i = 0; i < count; ++i)
    tiles.push_back(amx::TileZeroOp::create(b, sumTile()));
  return tiles;
}

Value TileEmitter::multiplyTiles(Value row, Value column, Value acc) {
  if (factor.isBF16())
    return amx::TileMulFOp::create(b, acc.getType(), row, column, acc);
  return amx::TileMulIOp::create(b, acc.getType(), row, column, acc,
                                 plan.isUnsigned[plan.rowFactor()],
                                 plan.isUnsigned[plan.columnFactor]);
}

int64_t TileEmitter::rowsOfDots() const {
  return std::clamp<int64_t>(
      llvm::bit_floor<uint64_t>((machine.vectorRegisters - 3) / 2), 1,
      tileRows);
}

Value TileEmitter::zeroSums() {
  auto type = VectorType::get({lanesOfDots()}, sumType);
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}

Value TileEmitter::addDot(Value sums, Value row, Value column) {
  auto type = cast<VectorType>(sums.getType());
  int64_t lanes = type.getNumElements();
  auto narrow = VectorType::get({plan.group() * lanes}, factor);
  Value factors[] = {vector::BitCastOp::create(b, narrow, row),
                     vector::BitCastOp::create(b, narrow, column)};
  if (plan.isUnsigned[plan.columnFactor])
    std::swap(factors[0], factors[1]);
  std::string name = factor.isBF16() ? "llvm.x86.avx512bf16.dpbf16ps."
                                     : "llvm.x86.avx512.vpdpbusd.";
  name += std::to_string(32 * lanes);
  return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name),
                                       ValueRange{sums, factors[0], factors[1]})
      .getResults();
}

scf::ForOp TileEmitter::notUnrolled(Value count, ValueRange start) {
  auto loop = scf::ForOp::create(b, n.index(0), count, n.index(1), start);
  keepRolled(loop);
  return loop;
}

scf::ForOp TileEmitter::notUnrolled(int64_t count, ValueRange start) {
  return notUnrolled(n.index(count), start);
}

Value TileEmitter::narrowed(Value sums) {
  if (element == sumType)
    return sums;
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(sums.getType()))
    type = vector.clone(element);
  return arith::TruncIOp::create(b, type, sums);
}

Value TileEmitter::addUp(Value x, Value y) {
  if (isa<IntegerType>(element))
    return arith::AddIOp::create(b, x, y);
  return arith::AddFOp::create(b, x, y);
}

void TileEmitter::change(ArrayRef<Value> bases, Bounds rows, Bounds columns) {
  unsigned outer = plan.rowLoop, inner = plan.columnLoop;
  unsigned result = plan.nest.accesses.size() - 1;
  if (plan.nest.stride(result, plan.rowLoop) == 1) {
    std::swap(outer, inner);
    std::swap(rows, columns);
  }
  n.loop(rows.first, rows.last, 1, [&](Value step) {
    SmallVector<Value> at = operands.moved(bases, step, outer);
    n.loop(columns.first, columns.last, 1, [&](Value within) {
      operands.change(operands.moved(at, within, inner));
    });
  });
}
