// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-mask-as-integers: masked loads and stores of 16-bit floats, and choices
// between them -> those of integers of as many bits; and all loads and stores
// of bf16, lest LLVM find floats in the integers again.

#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_MASKASINTEGERS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Integers of as many bits, or null for what are no 16-bit floats.
Type asIntegers(Type type) {
  if (!isa<BFloat16Type, Float16Type>(getElementTypeOrSelf(type)))
    return {};
  Type integer = IntegerType::get(type.getContext(), 16);
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.clone(integer) : integer;
}

// Pattern: masked.load : vector<bf16> -> bitcast(masked.load : vector<i16>)
struct LoadIntegers final : OpRewritePattern<LLVM::MaskedLoadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LLVM::MaskedLoadOp op,
                                PatternRewriter &rewriter) const override {
    Type integers = asIntegers(op.getType());
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
    Type integers = asIntegers(op.getValue().getType());
    if (!integers)
      return rewriter.notifyMatchFailure(op, "no 16-bit floats");
    Value stored =
        LLVM::BitcastOp::create(rewriter, op.getLoc(), integers, op.getValue());
    rewriter.modifyOpInPlace(op, [&] { op.getValueMutable().set(stored); });
    return success();
  }
};

// Pattern: select %c, x, y : bf16 -> bitcast(select %c, bitcast(x), bitcast(y))
//
// LLVM makes vectors of these later.
struct ChooseIntegers final : OpRewritePattern<LLVM::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LLVM::SelectOp op,
                                PatternRewriter &rewriter) const override {
    Type integers = asIntegers(op.getType());
    if (!integers)
      return rewriter.notifyMatchFailure(op, "no 16-bit floats");
    auto bits = [&](Value value) -> Value {
      return LLVM::BitcastOp::create(rewriter, op.getLoc(), integers, value);
    };
    Value chosen = LLVM::SelectOp::create(
        rewriter, op.getLoc(), op.getCondition(), bits(op.getTrueValue()),
        bits(op.getFalseValue()));
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), chosen);
    return success();
  }
};

bool isBF16(Value value) {
  return getElementTypeOrSelf(value.getType()).isBF16();
}

// Pattern: load : bf16 -> bitcast(load : i16)
struct LoadBits final : OpRewritePattern<LLVM::LoadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LLVM::LoadOp op,
                                PatternRewriter &rewriter) const override {
    if (!isBF16(op.getRes()))
      return rewriter.notifyMatchFailure(op, "no bf16");
    auto bits = cast<LLVM::LoadOp>(rewriter.clone(*op));
    bits.getRes().setType(asIntegers(op.getType()));
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, op.getType(), bits);
    return success();
  }
};

// Pattern: store x : bf16 -> store bitcast(x) : i16
struct StoreBits final : OpRewritePattern<LLVM::StoreOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LLVM::StoreOp op,
                                PatternRewriter &rewriter) const override {
    if (!isBF16(op.getValue()))
      return rewriter.notifyMatchFailure(op, "no bf16");
    Value bits = LLVM::BitcastOp::create(rewriter, op.getLoc(),
                                         asIntegers(op.getValue().getType()),
                                         op.getValue());
    rewriter.modifyOpInPlace(op, [&] { op.getValueMutable().set(bits); });
    return success();
  }
};

class MaskAsIntegers final
    : public weft::impl::MaskAsIntegersBase<MaskAsIntegers> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns
        .add<LoadIntegers, StoreIntegers, ChooseIntegers, LoadBits, StoreBits>(
            &getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
