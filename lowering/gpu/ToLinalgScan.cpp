// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running values for a GPU: rows at once, each by a thread; or, along long
// rows, steps that are launches of blocks.

#include "lowering/Passes.h"
#include "lowering/fusion/Nest.h"
#include "lowering/gpu/ScanStep.h"
#include "lowering/gpu/ToLinalgLaunches.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::ScanStep;

namespace {

using Values = SmallVector<Value>;

/// Running values of rows by steps.
Value buildScan(OpBuilder &b, Location loc, Value x, ScanStep step) {
  auto type = cast<RankedTensorType>(x.getType());
  if (step.tiles() == 1)
    return step.build(b, loc, x, type);
  step.kind = ScanStep::Kind::Totals;
  Type sum = weft::computedElement(step.element);
  int64_t before = step.tiles() - 1;
  auto sums =
      RankedTensorType::get({step.rows(), before}, weft::storedElement(sum));
  Value totals = step.build(b, loc, x, sums);
  ScanStep ofTotals{ScanStep::Kind::Tiles, step.name, sum,
                    /*outer=*/step.rows(), before,    /*inner=*/1,
                    /*reverse=*/false};
  Value carried = buildScan(b, loc, totals, ofTotals);
  step.kind = ScanStep::Kind::Tiles;
  return step.build(b, loc, {x, carried}, type);
}

/// A thread for each row walks along it.
class Walk {
public:
  Walk(weft::Cumulative op, ArrayRef<Value> operands)
      : op(op), operands(operands), axis(op.getCumulatedAxis()),
        type(weft::storedType(op->getResult(0).getType())) {
    rows.assign(type.getShape());
    rows.erase(rows.begin() + axis);
  }

  int64_t count() const { return llvm::product_of(rows); }

  Value build(OpBuilder &b) const {
    Location loc = op.getLoc();
    auto each = [&](OpBuilder &outer, ValueRange number, ValueRange arrays) {
      ImplicitLocOpBuilder at(loc, outer);
      Values row = weft::splitDigits(at, number[0], rows);
      auto index = [&](int64_t value) -> Value {
        return arith::ConstantIndexOp::create(at, value);
      };
      Values first = buildStep(outer, row, index(0), arrays[0], Value());
      Values all = weft::buildLoop(
          outer, loc, index(1), index(type.getDimSize(axis)), index(1), first,
          [&](OpBuilder &inner, Value i, ValueRange carried) {
            return buildStep(inner, row, i, carried[0], carried[1]);
          });
      return Values{all[0]};
    };
    Value empty = weft::buildEmpty(b, loc, type);
    Value all = weft::buildLoops(b, loc, count(), empty, each).front();
    all.getDefiningOp()->setAttr(weft::parallelAttr, b.getUnitAttr());
    return all;
  }

private:
  /// The array with one more element, and what that is of, not rounded.
  Values buildStep(OpBuilder &b, ArrayRef<Value> row, Value i, Value array,
                   Value before) const {
    Location loc = op.getLoc();
    if (op.isBackwards()) {
      Value last =
          arith::ConstantIndexOp::create(b, loc, type.getDimSize(axis) - 1);
      i = arith::SubIOp::create(b, loc, last, i);
    }
    Values place(row), elements;
    place.insert(place.begin() + axis, i);
    for (Value operand : operands)
      elements.push_back(tensor::ExtractOp::create(b, loc, operand, place));
    Value value = op.buildStep(b, loc, before, elements), element = value;
    if (value.getType() != type.getElementType())
      element = weft::scalar::narrow({value, value.getType(), &b, loc},
                                     type.getElementType())
                    .value;
    return {tensor::InsertOp::create(b, loc, element, array, place), value};
  }

  mutable weft::Cumulative op;
  ArrayRef<Value> operands;
  int64_t axis;
  RankedTensorType type;
  /// The dimensions other than the axis.
  SmallVector<int64_t> rows;
};

// Pattern: cumsum(x) -> library_call "scan_tiles_cumsum_f32" (x)
// or, of short rows: scf.for over rows { scf.for i { y[i] = y[i-1] + x[i] } }
// {weft.parallel}
struct SpreadCumulative final : OpInterfaceConversionPattern<weft::Cumulative> {
  SpreadCumulative(const TypeConverter &types, MLIRContext *context,
                   const weft::Gpu &gpu)
      : OpInterfaceConversionPattern(types, context, /*benefit=*/2), gpu(gpu) {}

  LogicalResult
  matchAndRewrite(weft::Cumulative op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    if (cast<RankedTensorType>(operands[0].getType()).getNumElements() == 0)
      return rewriter.notifyMatchFailure(op, "has no elements");
    auto step = ScanStep::first(op);
    Walk walk(op, operands);
    if (step && step->isFaster(op, gpu))
      rewriter.replaceOp(op,
                         buildScan(rewriter, op.getLoc(), operands[0], *step));
    else if (walk.count() > 1)
      rewriter.replaceOp(op, walk.build(rewriter));
    else
      return rewriter.notifyMatchFailure(op, "is one short row");
    return success();
  }

  weft::Gpu gpu;
};

} // namespace

void weft::populateScansToLaunches(const TypeConverter &types,
                                   RewritePatternSet &patterns,
                                   const Gpu &gpu) {
  patterns.add<SpreadCumulative>(types, patterns.getContext(), gpu);
}
