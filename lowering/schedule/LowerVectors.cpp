// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-vectors: what is computed in vectors of several dimensions ->
// vectors of one, which a register holds. No pass of Weft's makes any of the
// former, but schedules do.

#include "lowering/Passes.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_LOWERVECTORS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class LowerVectors final : public weft::impl::LowerVectorsBase<LowerVectors> {
  void runOnOperation() override {
    WalkResult vectors = getOperation().walk([](Operation *op) {
      return isa_and_nonnull<vector::VectorDialect>(op->getDialect())
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    });
    if (!vectors.wasInterrupted())
      return markAllAnalysesPreserved();
    // One set after the other: some of them undo each other's work.
    for (auto populate : {masks, sums, products, transfers})
      if (failed(apply(populate)))
        return signalPassFailure();
  }

  LogicalResult apply(void (*populate)(RewritePatternSet &)) {
    RewritePatternSet patterns(&getContext());
    populate(patterns);
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }

  static void masks(RewritePatternSet &patterns) {
    vector::populateVectorMaskLoweringPatternsForSideEffectingOps(patterns);
  }

  static void sums(RewritePatternSet &patterns) {
    vector::populateVectorMultiReductionLoweringPatterns(
        patterns, vector::VectorMultiReductionLowering::InnerParallel);
  }

  static void products(RewritePatternSet &patterns) {
    vector::populateVectorTransferPermutationMapLoweringPatterns(patterns);
    vector::populateVectorContractLoweringPatterns(
        patterns, vector::VectorContractLowering::OuterProduct);
    vector::populateVectorOuterProductLoweringPatterns(patterns);
  }

  static void transfers(RewritePatternSet &patterns) {
    populateVectorToSCFConversionPatterns(
        patterns, VectorTransferToSCFOptions().enableFullUnroll());
  }
};

} // namespace
