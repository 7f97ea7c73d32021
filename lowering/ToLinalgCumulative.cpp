// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running values -> one loop nest in the order of memory, that reads back what
// it has written one step before.

#include "dialects/Weft.h"
#include "lowering/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace {

/// Writes the elements of one step along the axis.
class Step {
public:
  Step(weft::Cumulative op, ValueRange operands)
      : op(op), operands(operands), axis(op.getCumulatedAxis()),
        shape(cast<RankedTensorType>(op->getResult(0).getType()).getShape()) {}

  ArrayRef<int64_t> outer() const { return shape.take_front(axis); }
  int64_t length() const { return shape[axis]; }

  /// Step `i`, at places `outer` of the dimensions before the axis.
  SmallVector<Value> build(OpBuilder &b, ValueRange outer, Value i,
                           ValueRange arrays, bool isFirst) const {
    Location loc = op.getLoc();
    return weft::buildLoops(
        b, loc, shape.drop_front(axis + 1), arrays,
        [&](OpBuilder &inner, ValueRange rest, ValueRange arrays) {
          auto at = [&](Value i) {
            SmallVector<Value> place(outer);
            place.push_back(i);
            llvm::append_range(place, rest);
            return place;
          };
          Value here = place(inner, i), before;
          if (!isFirst) {
            Value one = arith::ConstantIndexOp::create(inner, loc, 1);
            Value last = arith::SubIOp::create(inner, loc, i, one);
            before = tensor::ExtractOp::create(inner, loc, arrays[0],
                                               at(place(inner, last)));
          }
          SmallVector<Value> elements;
          for (Value operand : operands)
            elements.push_back(
                tensor::ExtractOp::create(inner, loc, operand, at(here)));
          Value element = op.buildStep(inner, loc, before, elements);
          return SmallVector<Value>{tensor::InsertOp::create(
              inner, loc, element, arrays[0], at(here))};
        });
  }

private:
  /// Where along the axis step `i` is.
  Value place(OpBuilder &b, Value i) const {
    if (!op.isBackwards())
      return i;
    Value last = arith::ConstantIndexOp::create(b, op.getLoc(), length() - 1);
    return arith::SubIOp::create(b, op.getLoc(), last, i);
  }

  mutable weft::Cumulative op;
  ValueRange operands;
  int64_t axis;
  ArrayRef<int64_t> shape;
};

// Pattern: cumsum(x) axis 0 -> y[0] = x[0]; scf.for i { y[i] = y[i-1] + x[i] }
struct LowerCumulative final : OpInterfaceConversionPattern<weft::Cumulative> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult
  matchAndRewrite(weft::Cumulative op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Step step(op, operands);
    Type result = op->getResult(0).getType();
    Value empty =
        weft::buildEmpty(rewriter, loc, weft::accumulatorType(result));
    auto walk = [&](OpBuilder &b, ValueRange outer, ValueRange arrays) {
      auto index = [&](int64_t i) -> Value {
        return arith::ConstantIndexOp::create(b, loc, i);
      };
      SmallVector<Value> first = step.build(b, outer, index(0), arrays, true);
      return weft::buildLoop(
          b, loc, index(1), index(step.length()), index(1), first,
          [&](OpBuilder &inner, Value i, ValueRange arrays) {
            return step.build(inner, outer, i, arrays, false);
          });
    };
    Value all =
        weft::buildLoops(rewriter, loc, step.outer(), empty, walk).front();
    rewriter.replaceOp(op, weft::buildRounded(rewriter, loc, all, result));
    return success();
  }
};

} // namespace

void weft::populateCumulativeToLinalg(const TypeConverter &types,
                                      RewritePatternSet &patterns) {
  patterns.add<LowerCumulative>(types, patterns.getContext());
}
