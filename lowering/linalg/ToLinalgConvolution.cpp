// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution -> a linalg.generic that reads a padded array through a moving
// window, its loops ordered so that the innermost one walks through memory; of
// an array with zeros between its elements, on the CPU, one for each phase.

#include "dialects/Contract.h"
#include "dialects/Weft.h"
#include "lowering/linalg/Phases.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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
    for (int64_t dim : weft::freeOfLhs(op))
      lhs[dim] = loop(take(next));
    addWindows(next);
    for (int64_t dim : weft::freeOfRhs(op))
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
  mutable weft::ConvolutionOp op;
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

/// A convolution of an array with zeros between its elements: one of the array
/// as it is for each phase, so that the zeros are never multiplied.
class PhasedConvolution {
public:
  explicit PhasedConvolution(weft::ConvolutionOp op)
      : op(op), windows(op.getWindows()) {
    int64_t before = op.getLhsBatch().size() + weft::freeOfLhs(op).size();
    for (size_t i = 0; i < windows.rank(); ++i) {
      places.push_back(llvm::find(op.getOrder(), before + int64_t(i)) -
                       op.getOrder().begin());
      sizes.push_back(op.getLhs().getType().getDimSize(op.getLhsSpatial()[i]));
      results.push_back(op.getType().getDimSize(places.back()));
    }
  }

  bool match() {
    return weft::havePhases(windows) && weft::hasManyProducts(op);
  }

  Value build(OpBuilder &b, Value lhs, Value rhs) {
    Location loc = op.getLoc();
    weft::Phases phases(windows, sizes, results);
    RankedTensorType type = weft::storedType(op.getType());
    Value result = weft::buildEmpty(b, loc, type);
    if (!phases.haveAll(results))
      result = weft::buildFilled(
          b, loc, type, weft::buildZero(b, loc, type.getElementType()));
    Type element = getElementTypeOrSelf(lhs.getType());
    Value padded;
    phases.visit([&](ArrayRef<weft::Phase> chosen) {
      if (!padded)
        padded = weft::buildPadded(b, loc, lhs, op.getLhsSpatial(),
                                   phases.around(), weft::zeroOf(element));
      result = addPhase(b, phases, chosen, padded, rhs, result);
    });
    return result;
  }

private:
  Value addPhase(OpBuilder &b, const weft::Phases &phases,
                 ArrayRef<weft::Phase> chosen, Value lhs, Value rhs,
                 Value result) {
    Location loc = op.getLoc();
    weft::Part left(lhs), right(rhs), to(result);
    Dims shape(op.getType().getShape());
    for (auto [i, phase] : llvm::enumerate(chosen)) {
      int64_t dilation = phases.dilation(i);
      shape[places[i]] = phase.count;
      if (dilation == 1)
        continue;
      left.cut(op.getLhsSpatial()[i], phases.start(phase, i),
               weft::Phases::length(phase), 1);
      right.cut(op.getRhsSpatial()[i], phase.window, phase.taps, dilation);
      to.cut(places[i], phase.first, phase.count, dilation);
    }
    lhs = left.read(b, loc);
    Loops loops(op);
    rhs = loops.moveRight(b, loc, right.read(b, loc));
    Value part = weft::buildSumOfProducts(
        b, loc, cast<RankedTensorType>(op.getType()).clone(shape),
        loops.describe(lhs, rhs));
    return to.replaced(b, loc, part);
  }

  weft::ConvolutionOp op;
  weft::Windows windows;
  /// The dimensions of the result over which the window moves, their sizes, and
  /// those of the array.
  Dims places, results, sizes;
};

// Pattern: convolution(l, r) -> generic over what the result has, the window
// and what is contracted { s + l * r }, l padded
struct LowerConvolution final : OpConversionPattern<weft::ConvolutionOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ConvolutionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (PhasedConvolution phased(op); phased.match()) {
      rewriter.replaceOp(
          op, phased.build(rewriter, adaptor.getLhs(), adaptor.getRhs()));
      return success();
    }
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

SmallVector<int64_t> weft::freeOfLhs(ConvolutionOp op) {
  return dimsWithout(
      op.getLhs().getType().getRank(),
      {op.getLhsBatch(), op.getLhsContract(), op.getLhsSpatial()});
}

SmallVector<int64_t> weft::freeOfRhs(ConvolutionOp op) {
  return dimsWithout(
      op.getRhs().getType().getRank(),
      {op.getRhsBatch(), op.getRhsContract(), op.getRhsSpatial()});
}

SmallVector<int64_t> weft::placesIn(ArrayRef<int64_t> list,
                                    ArrayRef<int64_t> dims) {
  return llvm::map_to_vector(dims, [&](int64_t dim) -> int64_t {
    return llvm::find(list, dim) - list.begin();
  });
}

bool weft::hasManyProducts(ConvolutionOp op) {
  constexpr double least = 1 << 17;
  double products = op.getType().getNumElements();
  for (int64_t size : sizesOf(op.getRhs(), op.getRhsSpatial()))
    products *= size;
  for (int64_t size : sizesOf(op.getLhs(), op.getLhsContract()))
    products *= size;
  return products >= least;
}

void weft::populateConvolutionToLinalg(const TypeConverter &types,
                                       RewritePatternSet &patterns) {
  patterns.add<LowerConvolution>(types, patterns.getContext());
}
