// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions of windows -> linalg.generic that reads a padded array through a
// moving window; no window is ever laid out.

#include "dialects/Scalar.h"
#include "dialects/Weft.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using utils::IteratorType;

Value weft::buildPadded(OpBuilder &b, Location loc, Value x,
                        ArrayRef<int64_t> dims, const Windows &windows,
                        Attribute value) {
  auto type = cast<RankedTensorType>(x.getType());
  int64_t rank = type.getRank();
  SmallVector<int64_t> start(rank, 0), stride(rank, 1), filled(type.getShape()),
      cut(rank, 0), kept(type.getShape());
  for (auto [i, dim] : llvm::enumerate(dims)) {
    int64_t low = windows.low[i], high = windows.high[i];
    int64_t size =
        Windows::dilated(type.getDimSize(dim), windows.baseDilation[i]);
    start[dim] = std::max<int64_t>(low, 0);
    stride[dim] = windows.baseDilation[i];
    filled[dim] = start[dim] + size + std::max<int64_t>(high, 0);
    cut[dim] = std::max<int64_t>(-low, 0);
    kept[dim] = low + size + high;
  }
  auto indices = [&](ArrayRef<int64_t> values) {
    return getAsIndexOpFoldResult(b.getContext(), values);
  };
  SmallVector<int64_t> ones(rank, 1);
  if (type.getShape() != ArrayRef(filled)) {
    Value padding = scalar::buildConstant(b, loc, type.getElementType(), value);
    Value full = buildFilled(b, loc, type.clone(filled), padding);
    if (type.getNumElements())
      full = tensor::InsertSliceOp::create(b, loc, x, full, indices(start),
                                           indices(type.getShape()),
                                           indices(stride));
    x = full;
  }
  if (filled != kept)
    x = tensor::ExtractSliceOp::create(b, loc, type.clone(kept), x,
                                       indices(cut), indices(kept),
                                       indices(ones));
  return x;
}

/// What is accumulated, as a stored element.
static Attribute rounded(Attribute value, Type stored) {
  auto number = dyn_cast<FloatAttr>(value);
  if (!number || number.getType() == stored)
    return value;
  APFloat narrow = number.getValue();
  bool loses;
  narrow.convert(cast<FloatType>(stored).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &loses);
  return FloatAttr::get(stored, narrow);
}

namespace {

/// The loops over the windows, and over the elements of each.
struct Nest {
  AffineMap elements, window, result;
  SmallVector<IteratorType> kinds;

  // Where the last dimension is walked by ones it is walked innermost, in
  // vectors.
  Nest(const weft::Windows &windows, MLIRContext *context) {
    int64_t rank = windows.rank();
    bool lastInnermost = rank && windows.strides.back() == 1;
    SmallVector<AffineExpr> counts, places, read;
    auto add = [&](SmallVector<AffineExpr> &to, IteratorType kind) {
      to.push_back(getAffineDimExpr(kinds.size(), context));
      kinds.push_back(kind);
    };
    for (int64_t dim = 0; dim < rank - lastInnermost; ++dim)
      add(counts, IteratorType::parallel);
    for (int64_t dim = 0; dim < rank; ++dim)
      add(places, IteratorType::reduction);
    if (lastInnermost)
      add(counts, IteratorType::parallel);
    for (int64_t dim = 0; dim < rank; ++dim)
      read.push_back(counts[dim] * windows.strides[dim] +
                     places[dim] * windows.windowDilation[dim]);
    auto map = [&](ArrayRef<AffineExpr> exprs) {
      return AffineMap::get(2 * rank, 0, exprs, context);
    };
    elements = map(read);
    window = map(places);
    result = map(counts);
  }
};

// Pattern: reduce_window_max(x) -> generic { max } that reads a padded x by
// (o, w) -> (o * stride + w * dilation); an array that is never read has the
// window's shape, so that the extents of its loops are known
struct LowerWindowReduction final
    : OpInterfaceConversionPattern<weft::WindowReduction> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult
  matchAndRewrite(weft::WindowReduction op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    weft::Windows windows = op.getWindows();
    Nest nest(windows, getContext());
    Type result = op->getResult(0).getType();
    RankedTensorType to = weft::accumulatorType(result);
    Attribute padding =
        rounded(op.getNeutral(), weft::storedType(result).getElementType());

    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    auto dims = llvm::to_vector(llvm::seq<int64_t>(windows.rank()));
    // Of three operands the last one has an element for each window. What the
    // others are padded with adds nothing.
    for (auto [i, operand] : llvm::enumerate(operands)) {
      bool isKey = i == 2;
      inputs.push_back(isKey ? operand
                             : weft::buildPadded(rewriter, loc, operand, dims,
                                                 windows, padding));
      maps.push_back(isKey ? nest.result : nest.elements);
    }
    inputs.push_back(weft::buildEmpty(
        rewriter, loc,
        RankedTensorType::get(windows.window, rewriter.getI8Type())));
    maps.push_back(nest.window);
    maps.push_back(nest.result);

    Value neutral = weft::scalar::buildConstant(
        rewriter, loc, to.getElementType(), op.getNeutral());
    Value init = weft::buildFilled(rewriter, loc, to, neutral);
    auto generic = linalg::GenericOp::create(
        rewriter, loc, TypeRange{to}, inputs, ValueRange{init}, maps,
        nest.kinds, [&](OpBuilder &b, Location loc, ValueRange args) {
          Value result = op.buildCombiner(b, loc, args.back(),
                                          args.take_front(operands.size()));
          linalg::YieldOp::create(b, loc, result);
        });
    weft::setFastMath(*generic.getBody(), arith::FastMathFlags::reassoc |
                                              arith::FastMathFlags::contract);
    rewriter.replaceOp(
        op, weft::buildRounded(rewriter, loc, generic.getResult(0), result));
    return success();
  }
};

} // namespace

void weft::populateWindowsToLinalg(const TypeConverter &types,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerWindowReduction>(types, patterns.getContext());
}
