// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-recognize-bfloat16: conversions of bfloat16 that are spelled in the bits
// of integers -> arith.extf and arith.truncf, which are instructions of a GPU.

#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_RECOGNIZEBFLOAT16
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

bool isNumber(Value value, int64_t number) {
  APInt found;
  return matchPattern(value, m_ConstantInt(&found)) && found == number;
}

// Pattern: bitcast(shli(extui(x : i16), 16)) : f32 -> extf(bitcast(x) : bf16)
struct RecognizeWidening final : OpRewritePattern<arith::BitcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::BitcastOp op,
                                PatternRewriter &b) const override {
    auto shift = op.getIn().getDefiningOp<arith::ShLIOp>();
    if (!op.getType().isF32() || !shift || !isNumber(shift.getRhs(), 16))
      return failure();
    auto wide = shift.getLhs().getDefiningOp<arith::ExtUIOp>();
    if (!wide || !wide.getIn().getType().isInteger(16))
      return failure();
    Value narrow =
        arith::BitcastOp::create(b, op.getLoc(), b.getBF16Type(), wide.getIn());
    b.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), narrow);
    return success();
  }
};

// Pattern: trunci(select(x != x, quiet, (bits(x) + 0x7FFF + odd) >> 16)) : i16
//       -> bitcast(truncf(x) : bf16)
struct RecognizeRounding final : OpRewritePattern<arith::TruncIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(arith::TruncIOp op,
                                PatternRewriter &b) const override {
    auto select = op.getIn().getDefiningOp<arith::SelectOp>();
    if (!op.getType().isInteger(16) || !select)
      return failure();
    auto isNaN = select.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!isNaN || isNaN.getPredicate() != arith::CmpFPredicate::UNE ||
        isNaN.getLhs() != isNaN.getRhs() || !isNaN.getLhs().getType().isF32() ||
        !rounds(select.getFalseValue(), isNaN.getLhs()))
      return failure();
    Value narrow = arith::TruncFOp::create(b, op.getLoc(), b.getBF16Type(),
                                           isNaN.getLhs());
    b.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), narrow);
    return success();
  }

private:
  /// (bits(x) + 0x7FFF + ...) >> 16
  static bool rounds(Value value, Value x) {
    auto shift = value.getDefiningOp<arith::ShRUIOp>();
    auto sum = shift ? shift.getLhs().getDefiningOp<arith::AddIOp>() : nullptr;
    auto half = sum ? sum.getLhs().getDefiningOp<arith::AddIOp>() : nullptr;
    auto bits =
        half ? half.getLhs().getDefiningOp<arith::BitcastOp>() : nullptr;
    return bits && isNumber(shift.getRhs(), 16) &&
           isNumber(half.getRhs(), 0x7FFF) && bits.getIn() == x;
  }
};

class RecognizeBfloat16 final
    : public weft::impl::RecognizeBfloat16Base<RecognizeBfloat16> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RecognizeWidening, RecognizeRounding>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
