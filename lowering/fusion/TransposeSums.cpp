// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-transpose-sums: a sum of products that is only transposed -> one that is
// computed in the order in which it is wanted.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_TRANSPOSESUMS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;

namespace {

/// Whether an op copies an array with its dimensions in another order.
bool isTransposition(GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 1 ||
      op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops())
    return false;
  Block &body = *op.getBody();
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  return body.getOperations().size() == 1 &&
         body.getTerminator()->getOperand(0) == body.getArgument(0) &&
         maps[0].isPermutation() && maps[1].isPermutation();
}

// Pattern: generic { yield x } ins(sum (m, n) outs fill) (n, m) ->
// sum (n, m) outs fill
struct TransposeSum final : OpRewritePattern<GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (!isTransposition(op))
      return rewriter.notifyMatchFailure(op, "no transposition");
    auto sum = op.getDpsInputs()[0].getDefiningOp<GenericOp>();
    if (!sum || !sum->hasOneUse() || sum->getBlock() != op->getBlock() ||
        !weft::isSumOfProducts(sum) || sum->hasAttr(weft::keepAttr) ||
        op->hasAttr(weft::keepAttr))
      return rewriter.notifyMatchFailure(op, "not of a sum of products");
    auto fill = sum.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
    if (!fill)
      return rewriter.notifyMatchFailure(op, "the sum begins with an array");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    // The sum's dimension for each of the result's.
    AffineMap order = maps[0].compose(inversePermutation(maps[1]));
    AffineMap places = inversePermutation(order);
    Value empty = tensor::EmptyOp::create(
        rewriter, op.getLoc(),
        cast<RankedTensorType>(op->getResultTypes()[0]).getShape(),
        getElementTypeOrSelf(op->getResultTypes()[0]));
    Value start = linalg::FillOp::create(rewriter, fill.getLoc(),
                                         fill.getInputs()[0], empty)
                      .getResult(0);
    SmallVector<AffineMap> own = sum.getIndexingMapsArray();
    own.back() = places.compose(own.back());
    auto transposed = GenericOp::create(rewriter, sum.getLoc(), start.getType(),
                                        sum.getDpsInputs(), start, own,
                                        sum.getIteratorTypesArray());
    rewriter.cloneRegionBefore(sum.getRegion(), transposed.getRegion(),
                               transposed.getRegion().begin());
    rewriter.replaceOp(op, transposed);
    rewriter.eraseOp(sum);
    return success();
  }
};

class TransposeSums final
    : public weft::impl::TransposeSumsBase<TransposeSums> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    RewritePatternSet patterns(&getContext());
    patterns.add<TransposeSum>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
