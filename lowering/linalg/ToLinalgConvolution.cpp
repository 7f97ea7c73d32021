// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// convolution -> a linalg.generic that reads a padded array through a moving
// window, its loops ordered so that the innermost one walks through memory; of
// an array with zeros between its elements, on the CPU, one for each phase.

#include "dialects/Contract.h"
#include "dialects/Weft.h"
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

/// A convolution of an array with zeros between its elements: of the results
/// that are a certain number of steps after a multiple of the dilation, each
/// meets every so many elements of the window alone. These are a convolution of
/// the array as it is, and the zeros are never multiplied.
class Phases {
public:
  Phases(weft::ConvolutionOp op)
      : op(op), windows(op.getWindows()), rank(windows.rank()) {
    int64_t before = op.getLhsBatch().size() +
                     weft::dimsWithout(op.getLhs().getType().getRank(),
                                       {op.getLhsBatch(), op.getLhsContract(),
                                        op.getLhsSpatial()})
                         .size();
    for (size_t i = 0; i < rank; ++i)
      places.push_back(llvm::find(op.getOrder(), before + int64_t(i)) -
                       op.getOrder().begin());
  }

  bool match() {
    bool isDilated = false;
    for (size_t i = 0; i < rank; ++i) {
      if (windows.baseDilation[i] == 1)
        continue;
      isDilated = true;
      if (windows.strides[i] != 1 || windows.windowDilation[i] != 1)
        return false;
    }
    return isDilated && weft::hasManyProducts(op);
  }

  Value build(OpBuilder &b, Value lhs, Value rhs) {
    Location loc = op.getLoc();
    chooseParts();
    RankedTensorType type = weft::storedType(op.getType());
    Value result = weft::buildEmpty(b, loc, type);
    if (!writeAll())
      result = weft::buildFilled(
          b, loc, type, weft::buildZero(b, loc, type.getElementType()));
    if (llvm::any_of(parts, [](const auto &own) { return own.empty(); }))
      return result;
    weft::Windows around = windows;
    for (size_t i = 0; i < rank; ++i) {
      if (windows.baseDilation[i] == 1)
        continue;
      around.low[i] = around.high[i] = std::numeric_limits<int64_t>::min();
      for (const Part &part : parts[i]) {
        around.low[i] = std::max(around.low[i], part.low);
        around.high[i] = std::max(around.high[i], part.high);
      }
      around.baseDilation[i] = 1;
    }
    Type element = getElementTypeOrSelf(lhs.getType());
    lhs = weft::buildPadded(b, loc, lhs, op.getLhsSpatial(), around,
                            weft::zeroOf(element));
    SmallVector<const Part *> chosen(rank);
    addPhases(b, {lhs, rhs, result}, around, chosen, 0);
    return result;
  }

private:
  /// Along one dimension: the first result, and how many there are, the first
  /// element of the window, and how many, and what is put around the array.
  struct Part {
    int64_t first, count, window, taps, low, high;
  };
  struct Arrays {
    Value lhs, rhs;
    Value &result;
  };

  /// Whether each result is in a phase: of others, the window meets zeros only.
  bool writeAll() const {
    return llvm::all_of(llvm::zip(parts, places), [&](auto each) {
      int64_t count = 0;
      for (const Part &part : std::get<0>(each))
        count += part.count;
      return count == op.getType().getDimSize(std::get<1>(each));
    });
  }

  void chooseParts() {
    for (size_t i = 0; i < rank; ++i) {
      int64_t results = op.getType().getDimSize(places[i]);
      int64_t size = op.getLhs().getType().getDimSize(op.getLhsSpatial()[i]);
      int64_t dilation = windows.baseDilation[i], low = windows.low[i];
      auto &own = parts.emplace_back();
      if (dilation == 1) {
        own.push_back({0, results, 0, windows.window[i], low, windows.high[i]});
        continue;
      }
      for (int64_t first = 0; first < std::min(dilation, results); ++first) {
        Part part;
        part.first = first;
        part.count = llvm::divideCeil(results - first, dilation);
        part.window = ((low - first) % dilation + dilation) % dilation;
        if (part.window >= windows.window[i])
          continue; // zeros
        part.taps = llvm::divideCeil(windows.window[i] - part.window, dilation);
        part.low = (low - first - part.window) / dilation;
        part.high = part.count - 1 + part.taps - size - part.low;
        own.push_back(part);
      }
    }
  }

  void addPhases(OpBuilder &b, const Arrays &arrays,
                 const weft::Windows &around,
                 SmallVectorImpl<const Part *> &chosen, size_t dim) {
    if (dim == rank)
      return addPhase(b, arrays, around, chosen);
    for (const Part &part : parts[dim]) {
      chosen[dim] = &part;
      addPhases(b, arrays, around, chosen, dim + 1);
    }
  }

  /// Of a dimension of an array: where a part begins, how much it is, and how
  /// far apart that is.
  struct Slice {
    SmallVector<OpFoldResult> offsets, sizes, steps;

    Slice(Builder &b, Value array) {
      auto type = cast<RankedTensorType>(array.getType());
      offsets.assign(type.getRank(), b.getIndexAttr(0));
      sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
      steps.assign(type.getRank(), b.getIndexAttr(1));
    }
    void cut(Builder &b, int64_t dim, int64_t first, int64_t count,
             int64_t step) {
      offsets[dim] = b.getIndexAttr(first);
      sizes[dim] = b.getIndexAttr(count);
      steps[dim] = b.getIndexAttr(step);
    }
  };

  void addPhase(OpBuilder &b, const Arrays &arrays, const weft::Windows &around,
                ArrayRef<const Part *> chosen) {
    Location loc = op.getLoc();
    Slice left(b, arrays.lhs), right(b, arrays.rhs), to(b, arrays.result);
    Dims shape(op.getType().getShape());
    for (auto [i, part] : llvm::enumerate(chosen)) {
      int64_t dilation = windows.baseDilation[i];
      shape[places[i]] = part->count;
      if (dilation == 1)
        continue;
      left.cut(b, op.getLhsSpatial()[i], around.low[i] - part->low,
               part->count - 1 + part->taps, 1);
      right.cut(b, op.getRhsSpatial()[i], part->window, part->taps, dilation);
      to.cut(b, places[i], part->first, part->count, dilation);
    }
    Value lhs = tensor::ExtractSliceOp::create(b, loc, arrays.lhs, left.offsets,
                                               left.sizes, left.steps);
    Value rhs = tensor::ExtractSliceOp::create(
        b, loc, arrays.rhs, right.offsets, right.sizes, right.steps);
    Loops loops(op);
    rhs = loops.moveRight(b, loc, rhs);
    Value part = weft::buildSumOfProducts(
        b, loc, cast<RankedTensorType>(op.getType()).clone(shape),
        loops.describe(lhs, rhs));
    arrays.result = tensor::InsertSliceOp::create(
        b, loc, part, arrays.result, to.offsets, to.sizes, to.steps);
  }

  mutable weft::ConvolutionOp op;
  weft::Windows windows;
  size_t rank;
  /// The dimensions of the result over which the window moves.
  Dims places;
  SmallVector<SmallVector<Part>> parts;
};

// Pattern: convolution(l, r) -> generic over what the result has, the window
// and what is contracted { s + l * r }, l padded
struct LowerConvolution final : OpConversionPattern<weft::ConvolutionOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ConvolutionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (Phases phases(op); phases.match()) {
      rewriter.replaceOp(
          op, phases.build(rewriter, adaptor.getLhs(), adaptor.getRhs()));
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
