// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions -> linalg.generic with reduction loops, in the operand's own
// order, so that the innermost one walks through memory.

#include "dialects/Scalar.h"
#include "lowering/linalg/ToLinalg.h"
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
          // Bools stay bytes of 0 or 1, which are combined in any order, as
          // other integers are.
          Value x = weft::loadScalar(b, loc, args[0], element);
          x = weft::storeScalar(b, loc, x);
          linalg::YieldOp::create(b, loc, op.buildCombiner(b, loc, args[1], x));
        });
    weft::setFastMath(*generic.getBody(), anyOrder);
    rewriter.replaceOp(
        op, weft::buildRounded(rewriter, loc, generic.getResult(0), result));
    return success();
  }
};

/// The larger or the smaller of two elements; NaN where one is.
Value buildBetter(OpBuilder &b, Location loc, Value x, Value y, Type element,
                  bool largest) {
  if (isa<FloatType>(element))
    return largest ? arith::MaximumFOp::create(b, loc, x, y).getResult()
                   : arith::MinimumFOp::create(b, loc, x, y).getResult();
  if (element.isUnsignedInteger() || element.isInteger(1))
    return largest ? arith::MaxUIOp::create(b, loc, x, y).getResult()
                   : arith::MinUIOp::create(b, loc, x, y).getResult();
  return largest ? arith::MaxSIOp::create(b, loc, x, y).getResult()
                 : arith::MinSIOp::create(b, loc, x, y).getResult();
}

/// Whether an element is the best one, or one of the NaNs that then are best.
Value buildIsBest(OpBuilder &b, Location loc, Value x, Value best) {
  if (!isa<FloatType>(x.getType()))
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, best);
  Value equal =
      arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, best);
  Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
  return arith::OrIOp::create(b, loc, equal, isNaN);
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

// Pattern: argmax(x) axis 0 -> generic that finds the best elements, generic
// that finds the least index of such a one
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

    AffineMap kept = mapWithout(op.getContext(), rank, axis);
    AffineMap all = rewriter.getMultiDimIdentityMap(rank);
    SmallVector<utils::IteratorType> loops = loopsOver(rank, axis);
    Value worst = arith::ConstantOp::create(rewriter, loc,
                                            worstElement(computed, largest));
    auto search = linalg::GenericOp::create(
        rewriter, loc, TypeRange{best}, adaptor.getX(),
        weft::buildFilled(rewriter, loc, best, worst),
        ArrayRef<AffineMap>{all, kept}, loops,
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Value x = weft::scalar::widen({args[0], element, &b, loc}).value;
          linalg::YieldOp::create(
              b, loc, buildBetter(b, loc, args[1], x, computed, largest));
        });
    // Indices of 32 bits, if they are enough: twice as many in a vector.
    int64_t extent = from.getDimSize(axis);
    Type narrow =
        llvm::isInt<32>(extent) ? rewriter.getI32Type() : rewriter.getI64Type();
    Value end = arith::ConstantIntOp::create(rewriter, loc, narrow, extent);
    auto find = linalg::GenericOp::create(
        rewriter, loc, TypeRange{to.clone(narrow)},
        ValueRange{adaptor.getX(), search.getResult(0)},
        weft::buildFilled(rewriter, loc, to.clone(narrow), end),
        ArrayRef<AffineMap>{all, kept, kept}, loops,
        [&](OpBuilder &b, Location loc, ValueRange args) {
          Value here = linalg::IndexOp::create(b, loc, axis);
          here = arith::IndexCastOp::create(b, loc, narrow, here);
          Value x = weft::scalar::widen({args[0], element, &b, loc}).value;
          Value isBest = buildIsBest(b, loc, x, args[1]);
          Value index = arith::SelectOp::create(b, loc, isBest, here, end);
          linalg::YieldOp::create(
              b, loc,
              arith::MinSIOp::create(b, loc, args[2], index).getResult());
        });
    Value found = find.getResult(0);
    if (narrow != to.getElementType()) {
      AffineMap each = rewriter.getMultiDimIdentityMap(to.getRank());
      found = weft::buildParallel(
          rewriter, loc, to, found, each,
          [&](OpBuilder &b, Location loc, ValueRange args) {
            Type type = to.getElementType();
            return SmallVector<Value>{
                arith::ExtSIOp::create(b, loc, type, args[0])};
          });
    }
    rewriter.replaceOp(op, found);
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
