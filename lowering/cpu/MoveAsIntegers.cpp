// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-move-as-integers: loads, stores and choices of 16-bit floats -> those of
// integers of as many bits.

#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace weft {
#define GEN_PASS_DEF_MOVEASINTEGERS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// Integers of as many bits, or null for what an op moves well as it is. LLVM
/// has vectors of f16 where there is neither a mask nor a choice.
template <typename Op> Type integersFor(Type type) {
  constexpr bool takesF16 =
      !llvm::is_one_of<Op, LLVM::LoadOp, LLVM::StoreOp>::value;
  Type element = getElementTypeOrSelf(type);
  if (!element.isBF16() && !(takesF16 && element.isF16()))
    return {};
  Type integer = IntegerType::get(type.getContext(), 16);
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.clone(integer) : integer;
}

// Pattern: load : bf16 -> bitcast(load : i16), and so if it is masked
template <typename Load> struct LoadIntegers final : OpRewritePattern<Load> {
  using OpRewritePattern<Load>::OpRewritePattern;
  LogicalResult matchAndRewrite(Load op,
                                PatternRewriter &rewriter) const override {
    Type type = op->getResult(0).getType(), integers = integersFor<Load>(type);
    if (!integers)
      return rewriter.notifyMatchFailure(op, "is moved as it is");
    auto bits = cast<Load>(rewriter.clone(*op));
    bits->getResult(0).setType(integers);
    rewriter.setInsertionPoint(bits);
    if constexpr (std::is_same_v<Load, LLVM::MaskedLoadOp>)
      for (OpOperand &otherwise : bits.getPassThruMutable())
        otherwise.set(LLVM::BitcastOp::create(rewriter, op.getLoc(), integers,
                                              otherwise.get()));
    rewriter.setInsertionPoint(op);
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(op, type, bits->getResult(0));
    return success();
  }
};

// Pattern: store x : bf16 -> store bitcast(x) : i16, and so if it is masked
template <typename Store> struct StoreIntegers final : OpRewritePattern<Store> {
  using OpRewritePattern<Store>::OpRewritePattern;
  LogicalResult matchAndRewrite(Store op,
                                PatternRewriter &rewriter) const override {
    Type integers = integersFor<Store>(op.getValue().getType());
    if (!integers)
      return rewriter.notifyMatchFailure(op, "is moved as it is");
    Value bits =
        LLVM::BitcastOp::create(rewriter, op.getLoc(), integers, op.getValue());
    rewriter.modifyOpInPlace(op, [&] { op.getValueMutable().set(bits); });
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
    Type integers = integersFor<LLVM::SelectOp>(op.getType());
    if (!integers)
      return rewriter.notifyMatchFailure(op, "is moved as it is");
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

class MoveAsIntegers final
    : public weft::impl::MoveAsIntegersBase<MoveAsIntegers> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<LoadIntegers<LLVM::LoadOp>, LoadIntegers<LLVM::MaskedLoadOp>,
                 StoreIntegers<LLVM::StoreOp>,
                 StoreIntegers<LLVM::MaskedStoreOp>, ChooseIntegers>(
        &getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};

} // namespace
