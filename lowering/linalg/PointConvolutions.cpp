// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Convolutions whose window has one place, or moves to one place only: products
// of matrices, which have blocks, panels and orders of loops of their own.

#include "dialects/Contract.h"
#include "dialects/Weft.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/gpu/Device.h"
#include "lowering/linalg/ToLinalg.h"
#include "lowering/schedule/Schedule.h"

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
  /// it is walked with the window or with the result.
  bool match() {
    for (size_t i = 0; i < windows.rank(); ++i) {
      int64_t lhs = op.getLhsSpatial()[i], rhs = op.getRhsSpatial()[i],
              places = resultSize(firstPlace + i);
      bool isSummed = windows.window[i] != 1;
      if (isSummed && places != 1)
        return false;
      if (!isRead(i, isSummed ? windows.window[i] : places,
                  isSummed ? windows.windowDilation[i] : windows.strides[i]))
        return false;
      if (isSummed) {
        lhsContract.push_back(lhs);
        rhsContract.push_back(rhs);
      } else {
        single.push_back(rhs);
      }
    }
    return windows.rank() != 0 && !lhsContract.empty();
  }

  Value build(OpBuilder &b) {
    Location loc = op.getLoc();
    Value lhs =
        weft::SliceOp::create(b, loc, op.getLhs(), start, limit, stride);
    auto rhsType = op.getRhs().getType();
    Dims kept = weft::dimsWithout(rhsType.getRank(), {single});
    Value rhs = reshaped(b, op.getRhs(),
                         rhsType.clone(weft::sizesOf(op.getRhs(), kept)));
    Dims numbers = resultNumbers();
    Dims shape = llvm::map_to_vector(
        numbers, [&](int64_t number) { return resultSize(number); });
    Value product = weft::DotGeneralOp::create(
        b, loc, op.getType().clone(shape), lhs, rhs, op.getLhsBatch(),
        weft::placesIn(kept, op.getRhsBatch()), lhsContract,
        weft::placesIn(kept, rhsContract), op.getPrecisionAttr());
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

  /// What the dimensions of the product are numbers of in `order`.
  Dims resultNumbers() {
    Dims numbers = llvm::to_vector(llvm::seq<int64_t>(op.getLhsBatch().size()));
    for (int64_t dim :
         weft::dimsWithout(limit.size(), {op.getLhsBatch(), lhsContract})) {
      const int64_t *free = llvm::find(lhsFree, dim);
      numbers.push_back(free != lhsFree.end()
                            ? op.getLhsBatch().size() + (free - lhsFree.begin())
                            : firstPlace +
                                  (llvm::find(op.getLhsSpatial(), dim) -
                                   op.getLhsSpatial().begin()));
    }
    int64_t next = firstPlace + windows.rank();
    llvm::append_range(numbers,
                       llvm::seq<int64_t>(next, next + rhsFree.size()));
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
  /// The dimensions of the window that have one place.
  Dims single;
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
    if (!weft::isOptimized(op) || weft::isForGpu(op) ||
        weft::findSchedule(op->getParentOfType<ModuleOp>()) ||
        !convolution.match())
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
