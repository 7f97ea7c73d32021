// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-fuse-elementwise: chains of elementwise linalg.generic -> one each, so
// that an intermediate array is never written to memory.

#include "lowering/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Bodies beyond this spill registers and compile slowly.
constexpr size_t maxOpsInBody = 200;
constexpr unsigned maxInputs = 24;

/// Whether the op only moves elements: computing one again costs a load.
bool computesNothing(linalg::GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    return isa<linalg::IndexOp, arith::IndexCastOp>(inner) ||
           inner.hasTrait<OpTrait::ConstantLike>();
  });
}

bool isContraction(linalg::GenericOp op) {
  return op.getNumReductionLoops() > 0 && op.getNumDpsInputs() > 1;
}

bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || isContraction(consumer))
    return false;
  if (producer.getBody()->getOperations().size() +
              consumer.getBody()->getOperations().size() >
          maxOpsInBody ||
      producer.getNumDpsInputs() + consumer.getNumDpsInputs() > maxInputs)
    return false;
  if (computesNothing(producer))
    return true;
  bool onlyUser = llvm::all_of(producer->getUsers(), [&](Operation *user) {
    return user == consumer.getOperation();
  });
  return onlyUser && consumer.getMatchingIndexingMap(operand).isPermutation();
}

// Pattern: arith.constant dense<1.0> : tensor<4xf32> -> linalg.fill of 1.0
//
// For the splats that no body has taken in: a fill is smaller than an array in
// the object file, and can write straight into its destination.
struct FillSplat final : OpRewritePattern<arith::ConstantOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::ConstantOp op,
                                PatternRewriter &rewriter) const override {
    auto splat = dyn_cast<SplatElementsAttr>(op.getValue());
    if (!splat)
      return rewriter.notifyMatchFailure(op, "not a splat");
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type)
      return rewriter.notifyMatchFailure(op, "not a tensor");
    Value scalar = arith::ConstantOp::create(rewriter, op.getLoc(),
                                             splat.getSplatValue<TypedAttr>());
    Value empty = tensor::EmptyOp::create(
        rewriter, op.getLoc(), type.getShape(), type.getElementType());
    rewriter.replaceOpWithNewOp<linalg::FillOp>(op, scalar, empty);
    return success();
  }
};

class FuseElementwise final
    : public weft::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet fusion(context);
    linalg::populateElementwiseOpsFusionPatterns(fusion, shouldFuse);
    linalg::populateEraseUnusedOperandsAndResultsPatterns(fusion);
    linalg::GenericOp::getCanonicalizationPatterns(fusion, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(fusion))))
      return signalPassFailure();

    RewritePatternSet fills(context);
    fills.add<FillSplat>(context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(fills))))
      signalPassFailure();
  }
};

} // namespace
