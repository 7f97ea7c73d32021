// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-transpose-sums: a sum of products that is only transposed -> one that is
// computed in the order in which it is wanted; what is transposed twice -> what
// is transposed once, or not at all.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_TRANSPOSESUMS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;

namespace {

/// generic { yield x } ins(generic { yield y } ins(z)) -> one of both, or z
void transposeOnce(GenericOp op, RewriterBase &rewriter) {
  auto first = op.getDpsInputs()[0].getDefiningOp<GenericOp>();
  if (!first || !weft::isTransposition(first) ||
      first->hasAttr(weft::keepAttr) || op->hasAttr(weft::keepAttr))
    return;
  SmallVector<AffineMap> inner = first.getIndexingMapsArray(),
                         outer = op.getIndexingMapsArray();
  AffineMap from =
      inner[0].compose(inversePermutation(inner[1])).compose(outer[0]);
  Value source = first.getDpsInputs()[0];
  if (from == outer[1])
    return rewriter.replaceOp(op, source);
  rewriter.modifyOpInPlace(op, [&] {
    op.getInputsMutable().assign(source);
    op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr({from, outer[1]}));
  });
}

/// generic { yield x } ins(sum (m, n) outs fill) (n, m) -> sum (n, m) outs fill
void transposeSum(GenericOp op, RewriterBase &rewriter,
                  const weft::Machine &machine) {
  auto sum = op.getDpsInputs()[0].getDefiningOp<GenericOp>();
  if (!sum || !sum->hasOneUse() || sum->getBlock() != op->getBlock() ||
      !weft::isSumOfProducts(sum) || sum->hasAttr(weft::keepAttr) ||
      op->hasAttr(weft::keepAttr))
    return;
  auto fill = sum.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (!fill)
    return;
  rewriter.setInsertionPoint(op);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  // The sum's dimension for each of the result's.
  AffineMap order = maps[0].compose(inversePermutation(maps[1]));
  AffineMap places = inversePermutation(order);
  Value empty = tensor::EmptyOp::create(
      rewriter, op.getLoc(),
      cast<RankedTensorType>(op->getResultTypes()[0]).getShape(),
      getElementTypeOrSelf(op->getResultTypes()[0]));
  auto start = linalg::FillOp::create(rewriter, fill.getLoc(),
                                      fill.getInputs()[0], empty);
  SmallVector<AffineMap> own = sum.getIndexingMapsArray();
  own.back() = places.compose(own.back());
  auto transposed = GenericOp::create(
      rewriter, sum.getLoc(), start->getResultTypes(), sum.getDpsInputs(),
      start.getResult(0), own, sum.getIteratorTypesArray());
  rewriter.cloneRegionBefore(sum.getRegion(), transposed.getRegion(),
                             transposed.getRegion().begin());
  // Neither factor may be consecutive where the result is to be.
  if (weft::isBlockedSum(sum, machine) &&
      !weft::isBlockedSum(transposed, machine)) {
    for (Operation *unused : {transposed.getOperation(), start.getOperation(),
                              empty.getDefiningOp()})
      rewriter.eraseOp(unused);
    return;
  }
  rewriter.replaceOp(op, transposed);
  rewriter.eraseOp(sum);
}

class TransposeSums final
    : public weft::impl::TransposeSumsBase<TransposeSums> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    SmallVector<GenericOp> transpositions;
    IRRewriter rewriter(&getContext());
    auto collect = [&] {
      transpositions.clear();
      getOperation().walk([&](GenericOp op) {
        if (weft::isTransposition(op))
          transpositions.push_back(op);
      });
    };
    collect();
    for (GenericOp op : transpositions)
      transposeOnce(op, rewriter);
    collect();
    auto machine = weft::Machine::of(getOperation());
    for (GenericOp op : transpositions)
      transposeSum(op, rewriter, machine);
  }
};

} // namespace
