// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution -> one linalg.generic that reads a padded array through a moving
// window, its loops ordered so that the innermost one walks through memory.

#include "dialects/Contract.h"
#include "dialects/Weft.h"
#include "lowering/linalg/ToLinalg.h"

using namespace mlir;
using utils::IteratorType;

namespace {

using Dims = SmallVector<int64_t>;

/// The loops by number: one for each dimension of the result, then one for each
/// spatial dimension of the window, then the contracted ones.
class Loops {
public:
  explicit Loops(weft::ConvolutionOp op)
      : op(op), windows(op.getWindows()), lhs(rankOf(op.getLhs())),
        rhs(rankOf(op.getRhs())), resultRank(rankOf(op.getResult())),
        count(resultRank) {
    Dims loopOf(resultRank);
    for (auto [dim, place] : llvm::enumerate(op.getOrder()))
      loopOf[place] = dim;
    ArrayRef<int64_t> next = loopOf;
    for (auto [l, r] : llvm::zip_equal(op.getLhsBatch(), op.getRhsBatch()))
      lhs[l] = rhs[r] = loop(take(next));
    for (int64_t dim :
         weft::dimsWithout(lhs.size(), {op.getLhsBatch(), op.getLhsContract(),
                                        op.getLhsSpatial()}))
      lhs[dim] = loop(take(next));
    addWindows(next);
    for (int64_t dim :
         weft::dimsWithout(rhs.size(), {op.getRhsBatch(), op.getRhsContract(),
                                        op.getRhsSpatial()}))
      rhs[dim] = loop(take(next));
    for (auto [l, r] :
         llvm::zip_equal(op.getLhsContract(), op.getRhsContract()))
      lhs[l] = rhs[r] = loop(count++);
  }

  /// Copies `right` so that it ends in the dimension that the result ends in,
  /// if it has that dimension elsewhere and is read often enough.
  Value moveRight(OpBuilder &b, Location loc, Value right) {
    int64_t last = resultRank - 1;
    const AffineExpr *place =
        last < 0 ? rhs.end() : llvm::find(rhs, loop(last));
    bool isInLeft = last >= 0 && llvm::any_of(lhs, [&](AffineExpr expr) {
                      return expr.isFunctionOfDim(last);
                    });
    if (place == rhs.end() || place == &rhs.back() || isInLeft ||
        timesRightIsRead() < worthMoving)
      return right;
    Dims order = llvm::to_vector(llvm::seq<int64_t>(rhs.size()));
    int64_t dim = place - rhs.begin();
    std::rotate(order.begin() + dim, order.begin() + dim + 1, order.end());
    auto type = cast<RankedTensorType>(right.getType());
    auto shape = llvm::map_to_vector(
        order, [&](int64_t from) { return type.getDimSize(from); });
    rhs = llvm::map_to_vector(order, [&](int64_t from) { return rhs[from]; });
    auto toResult = AffineMap::getPermutationMap(order, b.getContext());
    return weft::buildRemapped(b, loc, type.clone(shape), right,
                               inversePermutation(toResult));
  }

  weft::SumOfProducts describe(Value left, Value right) {
    chooseInnermost();
    Dims order = ordered();
    SmallVector<AffineExpr> places(count);
    SmallVector<IteratorType> kinds;
    for (auto [place, number] : llvm::enumerate(order)) {
      places[number] = loop(place);
      kinds.push_back(number < resultRank ? IteratorType::parallel
                                          : IteratorType::reduction);
    }
    auto map = [&](ArrayRef<AffineExpr> exprs) {
      return AffineMap::get(count, 0, exprs, op.getContext())
          .replaceDimsAndSymbols(places, {}, count, 0);
    };
    SmallVector<AffineExpr> result;
    for (int64_t dim = 0; dim < resultRank; ++dim)
      result.push_back(loop(dim));
    return {left,
            right,
            getElementTypeOrSelf(op.getLhs().getType()),
            getElementTypeOrSelf(op.getRhs().getType()),
            {map(lhs), map(rhs), map(result)},
            kinds,
            op.getPrecisionAttr()};
  }

private:
  weft::ConvolutionOp op;
  weft::Windows windows;
  SmallVector<AffineExpr> lhs, rhs;
  int64_t resultRank, count;
  static constexpr int64_t worthMoving = 4;
  /// The dimension of the result that is walked innermost, or -1.
  int64_t innermost = -1;

  static int64_t rankOf(Value x) {
    return cast<RankedTensorType>(x.getType()).getRank();
  }
  static int64_t take(ArrayRef<int64_t> &loops) {
    int64_t first = loops.front();
    loops = loops.drop_front();
    return first;
  }
  AffineExpr loop(int64_t number) {
    return getAffineDimExpr(number, op.getContext());
  }

  /// Once for each element of the result that differs in no dimension of rhs.
  int64_t timesRightIsRead() {
    int64_t times = 1;
    for (int64_t dim = 0; dim < resultRank; ++dim)
      if (!llvm::is_contained(rhs, loop(dim)))
        times *= op.getType().getDimSize(dim);
    return times;
  }

  void addWindows(ArrayRef<int64_t> &next) {
    for (auto [i, l, r] :
         llvm::enumerate(op.getLhsSpatial(), op.getRhsSpatial())) {
      rhs[r] = loop(count++);
      lhs[l] = loop(take(next)) * windows.strides[i] +
               rhs[r] * windows.windowDilation[i];
    }
  }

  /// Whether an operand is read in its own order, or one element of it again
  /// and again, while `number` is walked.
  static bool readsInOrder(ArrayRef<AffineExpr> exprs, int64_t number) {
    return llvm::none_of(exprs.drop_back(), [&](AffineExpr expr) {
      return expr.isFunctionOfDim(number);
    });
  }

  // The last dimension of the result is walked innermost, in which the result
  // is consecutive, unless that would jump about in an operand and both
  // operands are consecutive in what is contracted.
  void chooseInnermost() {
    bool contracts = !lhs.empty() && !rhs.empty() && lhs.back() == rhs.back() &&
                     cast<AffineDimExpr>(lhs.back()).getPosition() >=
                         static_cast<unsigned>(resultRank);
    int64_t last = resultRank - 1;
    bool inOrder = last >= 0 && (lhs.empty() || readsInOrder(lhs, last)) &&
                   (rhs.empty() || readsInOrder(rhs, last));
    innermost = inOrder || !contracts ? last : -1;
  }

  /// What is parallel, then what is summed over, in the order of lhs.
  Dims ordered() const {
    Dims order;
    for (int64_t number = 0; number < resultRank; ++number)
      if (number != innermost)
        order.push_back(number);
    for (AffineExpr expr : lhs)
      for (int64_t number = resultRank; number < count; ++number)
        if (expr.isFunctionOfDim(number))
          order.push_back(number);
    if (innermost >= 0)
      order.push_back(innermost);
    return order;
  }
};

// Pattern: convolution(l, r) -> generic over what the result has, the window
// and what is contracted { s + l * r }, l padded
struct LowerConvolution final : OpConversionPattern<weft::ConvolutionOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ConvolutionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = getElementTypeOrSelf(adaptor.getLhs().getType());
    Value lhs =
        weft::buildPadded(rewriter, loc, adaptor.getLhs(), op.getLhsSpatial(),
                          op.getWindows(), weft::zeroOf(element));
    Loops loops(op);
    Value rhs = loops.moveRight(rewriter, loc, adaptor.getRhs());
    rewriter.replaceOp(op, weft::buildSumOfProducts(rewriter, loc, op.getType(),
                                                    loops.describe(lhs, rhs)));
    return success();
  }
};

} // namespace

void weft::populateConvolutionToLinalg(const TypeConverter &types,
                                       RewritePatternSet &patterns) {
  patterns.add<LowerConvolution>(types, patterns.getContext());
}
