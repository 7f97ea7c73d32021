// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running values for a GPU: rows at once, each by a thread; or, along long
// rows, steps that are launches of blocks.

#include "lowering/gpu/RecurrenceParts.h"
#include "lowering/gpu/RowWalk.h"
#include "lowering/gpu/ScanStep.h"
#include "lowering/gpu/ToLinalgLaunches.h"
#include "lowering/linalg/ToLinalg.h"

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
    weft::RowWalk walk(op, operands);
    weft::RecurrenceParts parts(walk);
    if (step && step->isFaster(op, gpu))
      rewriter.replaceOp(op,
                         buildScan(rewriter, op.getLoc(), operands[0], *step));
    else if (isa<weft::LinearRecurrenceOp>(op) && parts.isFaster(gpu))
      rewriter.replaceOp(op, parts.build(rewriter));
    else if (walk.numRows() > 1)
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
