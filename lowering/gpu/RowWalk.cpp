// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/RowWalk.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Nest.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::RowWalk;

using Values = SmallVector<Value>;

RowWalk::RowWalk(weft::Cumulative op, ArrayRef<Value> operands)
    : op(op), operands(operands),
      type(weft::storedType(op->getResult(0).getType())),
      axis(op.getCumulatedAxis()), rows(type.getShape()) {
  rows.erase(rows.begin() + axis);
}

Value RowWalk::build(OpBuilder &b) const {
  Location loc = op->getLoc();
  auto each = [&](OpBuilder &outer, ValueRange number, ValueRange arrays) {
    ImplicitLocOpBuilder at(loc, outer);
    Values row = splitDigits(at, number[0], rows);
    auto index = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(at, value);
    };
    auto step = [&](OpBuilder &b, Value i, Value array, Value before) {
      Value value = buildStep(b, row, i, before);
      return Values{buildWrite(b, row, i, value, array), value};
    };
    Values first = step(outer, index(0), arrays[0], Value());
    Values all =
        buildLoop(outer, loc, index(1), index(length()), index(1), first,
                  [&](OpBuilder &inner, Value i, ValueRange carried) {
                    return step(inner, i, carried[0], carried[1]);
                  });
    return Values{all[0]};
  };
  Value empty = buildEmpty(b, loc, type);
  Value all = buildLoops(b, loc, numRows(), empty, each).front();
  all.getDefiningOp()->setAttr(parallelAttr, b.getUnitAttr());
  return all;
}

Values RowWalk::buildElements(OpBuilder &b, ValueRange row, Value i) const {
  Values place = placeOf(b, row, i), elements;
  for (Value operand : operands)
    elements.push_back(
        tensor::ExtractOp::create(b, op->getLoc(), operand, place));
  return elements;
}

Value RowWalk::buildStep(OpBuilder &b, ValueRange row, Value i,
                         Value before) const {
  return Cumulative(op).buildStep(b, op->getLoc(), before,
                                  buildElements(b, row, i));
}

Value RowWalk::buildWrite(OpBuilder &b, ValueRange row, Value i, Value value,
                          Value array) const {
  Location loc = op->getLoc();
  Type element = type.getElementType();
  if (value.getType() != element)
    value = scalar::narrow({value, value.getType(), &b, loc}, element).value;
  return tensor::InsertOp::create(b, loc, value, array, placeOf(b, row, i));
}

Values RowWalk::placeOf(OpBuilder &b, ValueRange row, Value i) const {
  Location loc = op->getLoc();
  if (Cumulative(op).isBackwards()) {
    Value last = arith::ConstantIndexOp::create(b, loc, length() - 1);
    i = arith::SubIOp::create(b, loc, last, i);
  }
  Values place(row);
  place.insert(place.begin() + axis, i);
  return place;
}
