// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions of arrays whose rows of places are together in memory, where a
// window that moves by steps, or a gradient by the window, would read them
// element by element: computed of arrays whose channels are together. So are
// gradients by the windows of groups, each of which is together then.

#include "dialects/Contract.h"
#include "dialects/Weft.h"
#include "lowering/Machine.h"
#include "lowering/gpu/Device.h"
#include "lowering/linalg/ToLinalg.h"

using namespace mlir;
using weft::ConvolutionOp;

namespace {

using Dims = SmallVector<int64_t>;

Dims joined(ArrayRef<ArrayRef<int64_t>> lists) {
  Dims all;
  for (ArrayRef<int64_t> list : lists)
    llvm::append_range(all, list);
  return all;
}

class Channels {
public:
  explicit Channels(ConvolutionOp op)
      : op(op), lhsType(op.getLhs().getType()), rhsType(op.getRhs().getType()),
        lhsFree(weft::freeOfLhs(op)), rhsFree(weft::freeOfRhs(op)) {}

  /// Whether there are enough products to move arrays for: vectors of places
  /// are read with gaps, or filled worse than those of channels, or it is a
  /// gradient by the window, in which groups are apart too.
  bool areMoved() {
    ArrayRef<int64_t> spatial = op.getLhsSpatial();
    if (spatial.empty() || op.getLhsContract().empty() || lhsFree.empty() ||
        !weft::hasManyProducts(op))
      return false;
    const int64_t *last = llvm::find(spatial, lhsType.getRank() - 1);
    if (last == spatial.end())
      return isGradient(spatial.size() - 1) && areGroupsScattered();
    size_t along = last - spatial.begin();
    return isGradient(along) || (op.getStrides()[along] != 1 && !isDilated()) ||
           areBetterLanes(along);
  }

  Value build(OpBuilder &b) {
    bool isByWindow = isGradient(op.getLhsSpatial().size() - 1);
    // As arrays are whose channels come last: of a gradient by the window,
    // inputs are contracted, and channels are not.
    Dims lhsOrder = isByWindow
                        ? joined({op.getLhsBatch(), op.getLhsContract(),
                                  op.getLhsSpatial(), lhsFree})
                        : joined({lhsFree, op.getLhsSpatial(), op.getLhsBatch(),
                                  op.getLhsContract()});
    Dims rhsOrder = isByWindow
                        ? joined({op.getRhsBatch(), op.getRhsContract(),
                                  op.getRhsSpatial(), rhsFree})
                        : joined({op.getRhsSpatial(), op.getRhsContract(),
                                  op.getRhsBatch(), rhsFree});
    Dims order = resultOrder(isByWindow);
    Location loc = op.getLoc();
    auto shape = llvm::map_to_vector(order, [&](int64_t number) {
      return op.getType().getDimSize(resultDim(number));
    });
    auto wide = ConvolutionOp::create(
        b, loc, op.getType().clone(shape), moved(b, op.getLhs(), lhsOrder),
        moved(b, op.getRhs(), rhsOrder),
        weft::placesIn(lhsOrder, op.getLhsBatch()),
        weft::placesIn(rhsOrder, op.getRhsBatch()),
        weft::placesIn(lhsOrder, op.getLhsContract()),
        weft::placesIn(rhsOrder, op.getRhsContract()),
        weft::placesIn(lhsOrder, op.getLhsSpatial()),
        weft::placesIn(rhsOrder, op.getRhsSpatial()), order, op.getStrides(),
        op.getLow(), op.getHigh(), op.getBaseDilation(), op.getWindowDilation(),
        op.getPrecisionAttr());
    return moved(b, wide, weft::placesIn(order, op.getOrder()));
  }

private:
  /// How much of the vectors that hold `count` lanes is filled.
  double filled(int64_t count) {
    Type sum = weft::accumulatorType(op.getType()).getElementType();
    int64_t lanes = sum.isIntOrFloat() ? weft::Machine::of(op).lanes(sum) : 1;
    return double(count) / llvm::alignTo(count, lanes);
  }

  /// Whether channels fill vectors better than places do, of which every phase
  /// has some.
  bool areBetterLanes(size_t along) {
    constexpr double gain = 1.1;
    int64_t channels = llvm::product_of(weft::sizesOf(op.getRhs(), rhsFree)),
            together = places(along) / op.getBaseDilation()[along];
    return channels > 1 &&
           filled(channels) >= gain * filled(std::max<int64_t>(together, 1));
  }

  bool isDilated() {
    return llvm::any_of(op.getBaseDilation(),
                        [](int64_t dilation) { return dilation != 1; });
  }

  /// Whether groups that fill vectors lie between each other's channels.
  bool areGroupsScattered() {
    constexpr int64_t wide = 16;
    return !op.getLhsBatch().empty() && op.getLhsBatch().front() != 0 &&
           llvm::product_of(weft::sizesOf(op.getLhs(), lhsFree)) >= wide &&
           llvm::product_of(weft::sizesOf(op.getRhs(), rhsFree)) >= wide;
  }

  /// Whether the window has more places, along a dimension, than it moves to.
  bool isGradient(size_t along) {
    return rhsType.getDimSize(op.getRhsSpatial()[along]) > places(along);
  }

  /// To how many places the window moves along a dimension.
  int64_t places(size_t along) {
    int64_t number = op.getLhsBatch().size() + lhsFree.size() + along;
    return op.getType().getDimSize(resultDim(number));
  }

  /// The dimension of the result that is some number of `order`.
  int64_t resultDim(int64_t number) {
    return llvm::find(op.getOrder(), number) - op.getOrder().begin();
  }

  Dims resultOrder(bool isByWindow) {
    int64_t next = 0;
    auto take = [&](size_t count) {
      Dims numbers = llvm::to_vector(llvm::seq<int64_t>(next, next + count));
      next += count;
      return numbers;
    };
    Dims batch = take(op.getLhsBatch().size()), left = take(lhsFree.size()),
         spatial = take(op.getLhsSpatial().size()),
         right = take(rhsFree.size());
    return isByWindow ? joined({batch, spatial, left, right})
                      : joined({left, spatial, batch, right});
  }

  Value moved(OpBuilder &b, Value x, ArrayRef<int64_t> order) {
    auto type = cast<RankedTensorType>(x.getType());
    auto shape = llvm::map_to_vector(
        order, [&](int64_t dim) { return type.getDimSize(dim); });
    return weft::TransposeOp::create(b, op.getLoc(), type.clone(shape), x,
                                     order);
  }

  ConvolutionOp op;
  RankedTensorType lhsType, rhsType;
  Dims lhsFree, rhsFree;
};

// Pattern:
// convolution(l, r) -> transpose(convolution(transpose l, transpose r))
struct MoveChannelsLast final : OpConversionPattern<ConvolutionOp> {
  MoveChannelsLast(const TypeConverter &types, MLIRContext *context)
      : OpConversionPattern(types, context, /*benefit=*/2) {}

  LogicalResult
  matchAndRewrite(ConvolutionOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Channels channels(op);
    if (weft::isForGpu(op) || !weft::mayRearrange(op) || !channels.areMoved())
      return rewriter.notifyMatchFailure(op, "is computed as it is");
    rewriter.replaceOp(op, channels.build(rewriter));
    return success();
  }
};

} // namespace

void weft::populateChannelsLast(const TypeConverter &types,
                                RewritePatternSet &patterns) {
  patterns.add<MoveChannelsLast>(types, patterns.getContext());
}
