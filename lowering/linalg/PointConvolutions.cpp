// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions whose window has one place, or moves to one place only, or over
// an array of one place, of which each element of the window has a product:
// products of matrices, which have blocks, panels and orders of loops of their
// own.

#include "dialects/Contract.h"
#include "dialects/Weft.h"
#include "lowering/gpu/Device.h"
#include "lowering/linalg/ToLinalg.h"

using namespace mlir;
using weft::ConvolutionOp;

namespace {

using Dims = SmallVector<int64_t>;

class PointConvolution {
public:
  explicit PointConvolution(ConvolutionOp op)
      : op(op), windows(op.getWindows()), lhsFree(weft::freeOfLhs(op)),
        rhsFree(weft::freeOfRhs(op)),
        firstPlace(op.getLhsBatch().size() + lhsFree.size()),
        lhsContract(op.getLhsContract()), rhsContract(op.getRhsContract()),
        start(op.getLhs().getType().getRank(), 0),
        limit(op.getLhs().getType().getShape()), stride(start.size(), 1) {}

  /// Decides for each spatial dimension what of the array is read, and whether
  /// it is walked with the window, with the result, or not at all.
  bool match() {
    for (size_t i = 0; i < windows.rank(); ++i) {
      int64_t lhs = op.getLhsSpatial()[i], rhs = op.getRhsSpatial()[i],
              places = resultSize(firstPlace + i), window = windows.window[i];
      if (isSpread(i)) {
        lhsSingle.push_back(lhs);
        spread.push_back(rhs);
      } else if (window == 1 && isRead(i, places, windows.strides[i])) {
        rhsSingle.push_back(rhs);
      } else if (window != 1 && places == 1 &&
                 isRead(i, window, windows.windowDilation[i])) {
        lhsContract.push_back(lhs);
        rhsContract.push_back(rhs);
      } else {
        return false;
      }
    }
    return windows.rank() != 0 && !lhsContract.empty();
  }

  Value build(OpBuilder &b) {
    Location loc = op.getLoc();
    Value lhs =
              weft::SliceOp::create(b, loc, op.getLhs(), start, limit, stride),
          rhs = op.getRhs();
    // The window's last element is at the first place.
    if (!spread.empty())
      rhs = weft::ReverseOp::create(b, loc, rhs, spread);
    Dims keptOfLhs = without(b, lhs, lhsSingle),
         keptOfRhs = without(b, rhs, rhsSingle);
    Dims numbers = resultNumbers();
    Dims shape = llvm::map_to_vector(
        numbers, [&](int64_t number) { return resultSize(number); });
    Value product = weft::DotGeneralOp::create(
        b, loc, op.getType().clone(shape), lhs, rhs,
        weft::placesIn(keptOfLhs, op.getLhsBatch()),
        weft::placesIn(keptOfRhs, op.getRhsBatch()),
        weft::placesIn(keptOfLhs, lhsContract),
        weft::placesIn(keptOfRhs, rhsContract), op.getPrecisionAttr());
    Dims order;
    llvm::copy_if(
        op.getOrder(), std::back_inserter(order),
        [&](int64_t number) { return llvm::is_contained(numbers, number); });
    product = weft::TransposeOp::create(b, loc, product,
                                        weft::placesIn(numbers, order));
    return reshaped(b, product, op.getType());
  }

private:
  int64_t resultSize(int64_t number) {
    return op.getType().getDimSize(llvm::find(op.getOrder(), number) -
                                   op.getOrder().begin());
  }

  /// Whether the array has `count` elements, `step` apart, along a spatial
  /// dimension, from where the window begins: that many are read of it.
  bool isRead(size_t i, int64_t count, int64_t step) {
    int64_t dim = op.getLhsSpatial()[i], first = -windows.low[i],
            end = first + weft::Windows::dilated(count, step);
    if (windows.baseDilation[i] != 1 || first < 0 || end > limit[dim])
      return false;
    start[dim] = first;
    limit[dim] = end;
    stride[dim] = step;
    return true;
  }

  /// Whether an array of one place meets each element of the window once.
  bool isSpread(size_t i) {
    int64_t window = windows.window[i];
    return window != 1 && limit[op.getLhsSpatial()[i]] == 1 &&
           windows.strides[i] == 1 && windows.windowDilation[i] == 1 &&
           windows.low[i] == window - 1 && resultSize(firstPlace + i) == window;
  }

  /// Takes dimensions of one element from an array; those that it keeps.
  Dims without(OpBuilder &b, Value &x, ArrayRef<int64_t> dims) {
    auto type = cast<RankedTensorType>(x.getType());
    Dims kept = weft::dimsWithout(type.getRank(), {dims});
    x = reshaped(b, x, type.clone(weft::sizesOf(x, kept)));
    return kept;
  }

  /// The number in `order` of a dimension of an operand that the other has not,
  /// or that is a place of the result.
  int64_t numberOf(int64_t dim, ArrayRef<int64_t> free, int64_t first,
                   ArrayRef<int64_t> spatial) const {
    const int64_t *found = llvm::find(free, dim);
    return found != free.end()
               ? first + (found - free.begin())
               : firstPlace + (llvm::find(spatial, dim) - spatial.begin());
  }

  /// What the dimensions of the product are numbers of in `order`.
  Dims resultNumbers() {
    Dims numbers = llvm::to_vector(llvm::seq<int64_t>(op.getLhsBatch().size()));
    for (int64_t dim : weft::dimsWithout(
             limit.size(), {op.getLhsBatch(), lhsContract, lhsSingle}))
      numbers.push_back(
          numberOf(dim, lhsFree, op.getLhsBatch().size(), op.getLhsSpatial()));
    for (int64_t dim :
         weft::dimsWithout(op.getRhs().getType().getRank(),
                           {op.getRhsBatch(), rhsContract, rhsSingle}))
      numbers.push_back(numberOf(dim, rhsFree, firstPlace + windows.rank(),
                                 op.getRhsSpatial()));
    return numbers;
  }

  Value reshaped(OpBuilder &b, Value x, RankedTensorType type) {
    return weft::ReshapeOp::create(b, op.getLoc(), type, x);
  }

  ConvolutionOp op;
  weft::Windows windows;
  Dims lhsFree, rhsFree;
  /// The first spatial dimension's number in `order`.
  int64_t firstPlace;
  Dims lhsContract, rhsContract, start, limit, stride;
  /// The dimensions of one place, and those of the window that the result has.
  Dims lhsSingle, rhsSingle, spread;
};

// Pattern:
// convolution(l, r) -> reshape(transpose(dot_general(slice l, reshape r)))
struct MultiplyPoints final : OpConversionPattern<ConvolutionOp> {
  MultiplyPoints(const TypeConverter &types, MLIRContext *context)
      : OpConversionPattern(types, context, /*benefit=*/3) {}

  LogicalResult
  matchAndRewrite(ConvolutionOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    PointConvolution convolution(op);
    if (weft::isForGpu(op) || !weft::mayRearrange(op) || !convolution.match())
      return rewriter.notifyMatchFailure(op, "is computed as it is");
    rewriter.replaceOp(op, convolution.build(rewriter));
    return success();
  }
};

} // namespace

void weft::populatePointConvolutions(const TypeConverter &types,
                                     RewritePatternSet &patterns) {
  patterns.add<MultiplyPoints>(types, patterns.getContext());
}
