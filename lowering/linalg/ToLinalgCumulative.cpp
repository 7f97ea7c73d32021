// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running values -> one loop nest in the order of memory, that reads back what
// it has written one step before.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "lowering/linalg/ToLinalg.h"
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
  ArrayRef<int64_t> rest() const { return shape.drop_front(axis + 1); }
  int64_t length() const { return shape[axis]; }

  /// Step `i`, at places `outer` of the dimensions before the axis: the array,
  /// and where there are no dimensions behind the axis the element, which the
  /// next step is given as `last`.
  SmallVector<Value> build(OpBuilder &b, ValueRange outer, Value i, Value array,
                           Value last, bool isFirst) const {
    if (rest().empty())
      return buildElement(b, outer, i, {}, array, last);
    return weft::buildLoops(
        b, op.getLoc(), rest(), array,
        [&](OpBuilder &inner, ValueRange rest, ValueRange arrays) {
          Value before;
          if (!isFirst) {
            Location loc = op.getLoc();
            Value one = arith::ConstantIndexOp::create(inner, loc, 1);
            Value last = arith::SubIOp::create(inner, loc, i, one);
            before = tensor::ExtractOp::create(
                inner, loc, arrays[0], at(outer, placeOf(inner, last), rest));
          }
          auto built = buildElement(inner, outer, i, rest, arrays[0], before);
          built.pop_back();
          return built;
        });
  }

private:
  SmallVector<Value> buildElement(OpBuilder &b, ValueRange outer, Value i,
                                  ValueRange rest, Value array,
                                  Value before) const {
    Location loc = op.getLoc();
    SmallVector<Value> here = at(outer, placeOf(b, i), rest);
    SmallVector<Value> elements;
    for (Value operand : operands)
      elements.push_back(tensor::ExtractOp::create(b, loc, operand, here));
    Value element = op.buildStep(b, loc, before, elements);
    return {tensor::InsertOp::create(b, loc, element, array, here), element};
  }

  static SmallVector<Value> at(ValueRange outer, Value place, ValueRange rest) {
    SmallVector<Value> indices(outer);
    indices.push_back(place);
    llvm::append_range(indices, rest);
    return indices;
  }

  /// Where along the axis step `i` is.
  Value placeOf(OpBuilder &b, Value i) const {
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
      SmallVector<Value> first =
          step.build(b, outer, index(0), arrays[0], {}, /*isFirst=*/true);
      auto all = weft::buildLoop(
          b, loc, index(1), index(step.length()), index(1), first,
          [&](OpBuilder &inner, Value i, ValueRange carried) {
            return step.build(inner, outer, i, carried.front(), carried.back(),
                              /*isFirst=*/false);
          });
      return SmallVector<Value>{all.front()};
    };
    Value all =
        weft::buildLoops(rewriter, loc, step.outer(), empty, walk).front();
    if (!step.outer().empty())
      all.getDefiningOp()->setAttr(weft::parallelAttr, rewriter.getUnitAttr());
    rewriter.replaceOp(op, weft::buildRounded(rewriter, loc, all, result));
    return success();
  }
};

} // namespace

void weft::populateCumulativeToLinalg(const TypeConverter &types,
                                      RewritePatternSet &patterns) {
  patterns.add<LowerCumulative>(types, patterns.getContext());
}
