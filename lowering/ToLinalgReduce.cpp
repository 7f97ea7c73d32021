// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions -> linalg.generic with reduction loops, in the operand's own
// order, so that the innermost one walks through memory.

#include "dialects/Scalar.h"
#include "lowering/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using arith::FastMathFlags;

void weft::setFastMath(Block &block, FastMathFlags flags) {
  auto attr =
      arith::FastMathFlagsAttr::get(block.getParentOp()->getContext(), flags);
  for (Operation &op : block)
    if (auto floating = dyn_cast<arith::ArithFastMathInterface>(op))
      op.setAttr(floating.getFastMathAttrName(), attr);
}

namespace {

constexpr FastMathFlags anyOrder =
    FastMathFlags::reassoc | FastMathFlags::contract;

/// (d0, ..., dn) -> those of them that are not in `dropped`.
AffineMap mapWithout(MLIRContext *context, int64_t rank,
                     ArrayRef<int64_t> dropped) {
  SmallVector<AffineExpr> kept;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(dropped, dim))
      kept.push_back(getAffineDimExpr(dim, context));
  return AffineMap::get(rank, 0, kept, context);
}

SmallVector<utils::IteratorType> loopsOver(int64_t rank,
                                           ArrayRef<int64_t> reduced) {
  SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
  for (int64_t dim : reduced)
    loops[dim] = utils::IteratorType::reduction;
  return loops;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

// Pattern: sum(x) axes [0] -> generic, result by (d0, d1) -> (d1), in a tensor
// filled with the neutral element
struct LowerReduction final : OpInterfaceConversionPattern<weft::Reduction> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult
  matchAndRewrite(weft::Reduction op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto from = cast<RankedTensorType>(op->getOperand(0).getType());
    Type element = from.getElementType();
    Type result = op->getResult(0).getType();
    RankedTensorType to = weft::accumulatorType(result);
    int64_t rank = from.getRank();
    ArrayRef<int64_t> axes = op.getReducedAxes();

    Value neutral = weft::scalar::buildConstant(
        rewriter, loc, weft::signless(element), op.getNeutral());
    neutral = weft::storeScalar(rewriter, loc, neutral);
    Value init = weft::buildFilled(rewriter, loc, to, neutral);
    if (from.getNumElements() == 0) {
      rewriter.replaceOp(op, weft::buildRounded(rewriter, loc, init, result));
      return success();
    }
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange{to}, operands, ValueRange{init},
        ArrayRef<AffineMap>{rewriter.getMultiDimIdentityMap(rank),
                            mapWithout(getContext(), rank, axes)},
        loopsOver(rank, axes),
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Value x = weft::loadScalar(b, loc, args[0], element);
          Value sum = weft::loadScalar(b, loc, args[1], element);
          Value result = op.buildCombiner(b, loc, sum, x);
          linalg::YieldOp::create(b, loc, weft::storeScalar(b, loc, result));
        });
    weft::setFastMath(*generic.getBody(), anyOrder);
    rewriter.replaceOp(
        op, weft::buildRounded(rewriter, loc, generic.getResult(0), result));
    return success();
  }
};

/// Whether `x` comes before `best` in a search for the largest or smallest:
/// strictly better, or the first NaN.
Value buildIsBetter(OpBuilder &b, Location loc, Value x, Value best,
                    Type element, bool largest) {
  if (!isa<FloatType>(element)) {
    bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
    auto greater =
        isUnsigned ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt;
    auto less =
        isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt;
    return arith::CmpIOp::create(b, loc, largest ? greater : less, x, best);
  }
  // "Not (x <= best)" is also true where either is NaN; only a first one
  // counts.
  auto predicate =
      largest ? arith::CmpFPredicate::UGT : arith::CmpFPredicate::ULT;
  Value better = arith::CmpFOp::create(b, loc, predicate, x, best);
  Value noNaNYet =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, best, best);
  return arith::AndIOp::create(b, loc, better, noNaNYet);
}

/// The value that no element of the type is worse than.
TypedAttr worstElement(Type element, bool largest) {
  Type stored = weft::storedElement(element);
  if (auto type = dyn_cast<FloatType>(stored))
    return FloatAttr::get(
        type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/largest));
  unsigned width = stored.getIntOrFloatBitWidth();
  bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
  APInt least =
      isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width);
  APInt greatest =
      isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  return IntegerAttr::get(stored, largest ? least : greatest);
}

// Pattern: argmax(x) axis 0 -> generic with two results, the best element and
// its index; the index alone is used
template <typename Op, bool largest>
struct LowerArgReduction final : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto from = cast<RankedTensorType>(op.getX().getType());
    Type element = from.getElementType();
    RankedTensorType to = weft::storedType(op.getType());
    Type computed = weft::computedElement(element);
    RankedTensorType best = to.clone(weft::storedElement(computed));
    int64_t rank = from.getRank(), axis = op.getAxis();

    Value worst = arith::ConstantOp::create(rewriter, loc,
                                            worstElement(computed, largest));
    Value zero =
        arith::ConstantIntOp::create(rewriter, loc, to.getElementType(), 0);
    Value inits[] = {weft::buildFilled(rewriter, loc, best, worst),
                     weft::buildFilled(rewriter, loc, to, zero)};
    AffineMap kept = mapWithout(op.getContext(), rank, axis);
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange{best, to}, adaptor.getX(), inits,
        ArrayRef<AffineMap>{rewriter.getMultiDimIdentityMap(rank), kept, kept},
        loopsOver(rank, axis),
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Value here = linalg::IndexOp::create(b, loc, axis);
          here = arith::IndexCastOp::create(b, loc, to.getElementType(), here);
          Value x = weft::scalar::widen({args[0], element, &b, loc}).value;
          Value better = buildIsBetter(b, loc, x, args[1], computed, largest);
          Value value = arith::SelectOp::create(b, loc, better, x, args[1]);
          Value index = arith::SelectOp::create(b, loc, better, here, args[2]);
          linalg::YieldOp::create(b, loc, {value, index});
        });
    rewriter.replaceOp(op, generic.getResult(1));
    return success();
  }
};

} // namespace

void weft::populateReductionsToLinalg(const TypeConverter &types,
                                      RewritePatternSet &patterns) {
  patterns.add<LowerReduction, LowerArgReduction<weft::ArgmaxOp, true>,
               LowerArgReduction<weft::ArgminOp, false>>(types,
                                                         patterns.getContext());
}
