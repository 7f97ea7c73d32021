// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-mask-as-integers: masked loads and stores of 16-bit floats -> those of
// integers of as many bits.

#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_MASKASINTEGERS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// The vector of integers of as many bits, or null for what is no vector of
/// 16-bit floats.
VectorType asIntegers(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || !isa<BFloat16Type, Float16Type>(vector.getElementType()))
    return {};
  return VectorType::get(vector.getShape(),
                         IntegerType::get(type.getContext(), 16));
}

// Pattern: masked.load : vector<bf16> -> bitcast(masked.load : vector<i16>)
struct LoadIntegers final : OpRewritePattern<LLVM::MaskedLoadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LLVM::MaskedLoadOp op,
                                PatternRewriter &rewriter) const override {
    VectorType integers = asIntegers(op.getType());
    if (!integers)
      return rewriter.notifyMatchFailure(op, "no 16-bit floats");
    Value otherwise = op.getPassThru();
    if (otherwise)
      otherwise =
          LLVM::BitcastOp::create(rewriter, op.getLoc(), integers, otherwise);
    Value loaded = LLVM::MaskedLoadOp::create(rewriter, op.getLoc(), integers,
                                              op.getData(), op.getMask(),
                                              otherwise, op.getAlignmentAttr());
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), loaded);
    return success();
  }
};

// Pattern: masked.store x : vector<bf16> -> masked.store bitcast(x)
struct StoreIntegers final : OpRewritePattern<LLVM::MaskedStoreOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LLVM::MaskedStoreOp op,
                                PatternRewriter &rewriter) const override {
    VectorType integers = asIntegers(op.getValue().getType());
    if (!integers)
      return rewriter.notifyMatchFailure(op, "no 16-bit floats");
    Value stored =
        LLVM::BitcastOp::create(rewriter, op.getLoc(), integers, op.getValue());
    rewriter.modifyOpInPlace(op, [&] { op.getValueMutable().set(stored); });
    return success();
  }
};

class MaskAsIntegers final
    : public weft::impl::MaskAsIntegersBase<MaskAsIntegers> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LoadIntegers, StoreIntegers>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
