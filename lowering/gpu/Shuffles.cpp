// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/Shuffles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

static Value word(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
}

static Value wordOfLane(ImplicitLocOpBuilder &b, Value x, int64_t distance,
                        NVVM::ShflKind kind) {
  Type type = x.getType();
  bool isNarrow = type.getIntOrFloatBitWidth() < 32;
  if (isNarrow)
    x = arith::ExtUIOp::create(b, b.getI32Type(), x);
  // The last lane that is read from, or, looking up, the first.
  int64_t limit = kind == NVVM::ShflKind::up ? 0 : weft::warpLanes - 1;
  x = NVVM::ShflOp::create(b, x.getType(), word(b, -1), x, word(b, distance),
                           word(b, limit), kind, UnitAttr());
  return isNarrow ? arith::TruncIOp::create(b, type, x).getResult() : x;
}

static Value wordsOfLane(ImplicitLocOpBuilder &b, Value x, int64_t distance,
                         NVVM::ShflKind kind) {
  Type type = x.getType();
  Value half = arith::ConstantOp::create(b, b.getI64IntegerAttr(32));
  Value low = arith::TruncIOp::create(b, b.getI32Type(), x);
  Value high = arith::TruncIOp::create(b, b.getI32Type(),
                                       arith::ShRUIOp::create(b, x, half));
  low = arith::ExtUIOp::create(b, type, wordOfLane(b, low, distance, kind));
  high = arith::ExtUIOp::create(b, type, wordOfLane(b, high, distance, kind));
  return arith::OrIOp::create(b, low, arith::ShLIOp::create(b, high, half));
}

/// What the lane has whose number differs in one bit, or is so much less.
static Value ofLane(ImplicitLocOpBuilder &b, Value own, int64_t distance,
                    NVVM::ShflKind kind) {
  Type type = own.getType();
  unsigned width = type.getIntOrFloatBitWidth();
  Value x = own;
  if (isa<FloatType>(type) && width != 32)
    x = arith::BitcastOp::create(b, b.getIntegerType(width), own);
  x = width == 64 ? wordsOfLane(b, x, distance, kind)
                  : wordOfLane(b, x, distance, kind);
  return x.getType() == type ? x : arith::BitcastOp::create(b, type, x);
}

bool weft::canExchange(Type type) {
  if (!isa<FloatType, IntegerType>(type))
    return false;
  unsigned width = type.getIntOrFloatBitWidth();
  return width % 8 == 0 && width <= 64;
}

Value weft::exchange(ImplicitLocOpBuilder &b, Value own, int64_t lanes,
                     llvm::function_ref<Value(Value, Value)> combine) {
  for (int64_t distance = lanes / 2; distance > 0; distance /= 2)
    own = combine(own, ofLane(b, own, distance, NVVM::ShflKind::bfly));
  return own;
}

Value weft::ofLaneBefore(ImplicitLocOpBuilder &b, Value own, int64_t distance) {
  return ofLane(b, own, distance, NVVM::ShflKind::up);
}

void weft::syncWarp(ImplicitLocOpBuilder &b) {
  NVVM::SyncWarpOp::create(b, word(b, -1));
}
