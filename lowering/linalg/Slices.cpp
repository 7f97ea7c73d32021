// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/linalg/Slices.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::Scatter;
using weft::Slices;

Value weft::clampIndex(OpBuilder &b, Location loc, Value i, int64_t limit) {
  Value zero = arith::ConstantIntOp::create(b, loc, i.getType(), 0);
  Value last = arith::ConstantIntOp::create(b, loc, i.getType(), limit);
  i = arith::MaxSIOp::create(b, loc, i, zero);
  i = arith::MinSIOp::create(b, loc, i, last);
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), i);
}

void Slices::start(OpBuilder &b, Location loc, ValueRange indices,
                   ValueRange walked) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  starts.assign(shape.size(), zero);
  for (auto [dim, index] : llvm::zip_equal(places.dims, indices)) {
    int64_t limit = shape[dim] - sizes[dim];
    starts[dim] = clampIndex(b, loc, index, limit);
    if (!places.clip)
      requireInside(b, loc, index, limit);
  }
  for (auto [dim, place] : llvm::zip(places.batch, walked))
    starts[dim] = place;
}

SmallVector<Value> Slices::at(OpBuilder &b, Location loc,
                              ValueRange window) const {
  SmallVector<Value> place = starts;
  for (auto [dim, offset] : llvm::zip_equal(windows, window))
    place[dim] = llvm::is_contained(places.dims, dim)
                     ? arith::AddIOp::create(b, loc, place[dim], offset)
                     : offset;
  return place;
}

Value Slices::ifInside(OpBuilder &b, Location loc, Value value,
                       Value other) const {
  if (!inside)
    return value;
  return arith::SelectOp::create(b, loc, inside, value, other);
}

Value Slices::combine(OpBuilder &b, Location loc, Scatter op, Value array,
                      Value update, ValueRange place) const {
  Type element = getElementTypeOrSelf(op->getOperand(0).getType());
  Value old = tensor::ExtractOp::create(b, loc, array, place);
  Value combined =
      op.buildCombiner(b, loc, weft::loadScalar(b, loc, old, element),
                       weft::loadScalar(b, loc, update, element));
  combined = ifInside(b, loc, weft::storeScalar(b, loc, combined), old);
  return tensor::InsertOp::create(b, loc, combined, array, place);
}

void Slices::requireInside(OpBuilder &b, Location loc, Value index,
                           int64_t limit) {
  // A negative index is a large unsigned one.
  Value last = arith::ConstantIntOp::create(b, loc, index.getType(), limit);
  Value fits =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, index, last);
  inside = inside ? Value(arith::AndIOp::create(b, loc, inside, fits)) : fits;
}
