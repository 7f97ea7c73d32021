// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions of windows -> linalg.generic that reads a padded array through a
// moving window; no window is ever laid out.

#include "dialects/Scalar.h"
#include "dialects/Weft.h"
#include "lowering/OptimizationLevel.h"
#include "lowering/gpu/Device.h"
#include "lowering/linalg/Phases.h"
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
    weft::Windows windows = op.getWindows();
    Type result = op->getResult(0).getType();
    RankedTensorType to = weft::accumulatorType(result);
    Value reduced;
    if (weft::havePhases(windows) && isLarge(op, windows)) {
      reduced = reducePhases(rewriter, op, operands, to);
    } else {
      SmallVector<Value> arrays = pad(rewriter, op, operands, windows);
      reduced = reduce(rewriter, op, arrays, windows, to);
    }
    rewriter.replaceOp(
        op, weft::buildRounded(rewriter, op.getLoc(), reduced, result));
    return success();
  }

private:
  /// Of three operands the last one has an element for each window.
  static constexpr unsigned keyNumber = 2;

  /// Whether there is more to be done than other ops take to begin, in rows
  /// that fill vectors.
  static bool isLarge(weft::WindowReduction op, const weft::Windows &windows) {
    constexpr double least = 1 << 17;
    constexpr int64_t leastRow = 8;
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    double elements = type.getNumElements();
    for (int64_t size : windows.window)
      elements *= size;
    return weft::isOptimized(op) && !weft::isForGpu(op) && elements >= least &&
           windows.baseDilation.back() == 1 &&
           type.getShape().back() >= leastRow;
  }

  static SmallVector<Value> pad(OpBuilder &b, weft::WindowReduction op,
                                ArrayRef<Value> operands,
                                const weft::Windows &windows) {
    // What is put around adds nothing.
    Attribute padding =
        rounded(op.getNeutral(),
                weft::storedType(op->getResult(0).getType()).getElementType());
    auto dims = llvm::to_vector(llvm::seq<int64_t>(windows.rank()));
    SmallVector<Value> arrays(operands);
    for (auto [i, array] : llvm::enumerate(arrays))
      if (i != keyNumber)
        array =
            weft::buildPadded(b, op.getLoc(), array, dims, windows, padding);
    return arrays;
  }

  static Value neutralOf(OpBuilder &b, weft::WindowReduction op,
                         RankedTensorType type) {
    return weft::scalar::buildConstant(b, op.getLoc(), type.getElementType(),
                                       op.getNeutral());
  }

  /// Reduces windows of arrays that have been padded.
  static Value reduce(OpBuilder &b, weft::WindowReduction op,
                      ArrayRef<Value> arrays, const weft::Windows &windows,
                      RankedTensorType to) {
    Location loc = op.getLoc();
    Nest nest(windows, b.getContext());
    SmallVector<Value> inputs(arrays);
    SmallVector<AffineMap> maps;
    for (unsigned i = 0; i < arrays.size(); ++i)
      maps.push_back(i == keyNumber ? nest.result : nest.elements);
    inputs.push_back(weft::buildEmpty(
        b, loc, RankedTensorType::get(windows.window, b.getI8Type())));
    maps.push_back(nest.window);
    maps.push_back(nest.result);
    Value init = weft::buildFilled(b, loc, to, neutralOf(b, op, to));
    auto generic = linalg::GenericOp::create(
        b, loc, TypeRange{to}, inputs, ValueRange{init}, maps, nest.kinds,
        [&](OpBuilder &inner, Location loc, ValueRange args) {
          Value result = op.buildCombiner(inner, loc, args.back(),
                                          args.take_front(arrays.size()));
          linalg::YieldOp::create(inner, loc, result);
        });
    weft::setFastMath(*generic.getBody(), arith::FastMathFlags::reassoc |
                                              arith::FastMathFlags::contract);
    return generic.getResult(0);
  }

  /// Windows over elements with others between them that add nothing, which the
  /// gradients of a pooling with strides have: of each phase those that do.
  static Value reducePhases(OpBuilder &b, weft::WindowReduction op,
                            ArrayRef<Value> operands, RankedTensorType to) {
    Location loc = op.getLoc();
    weft::Windows windows = op.getWindows();
    auto shape = cast<RankedTensorType>(operands.front().getType()).getShape();
    weft::Phases phases(windows, shape, to.getShape());
    Value result = phases.haveAll(to.getShape())
                       ? weft::buildEmpty(b, loc, to)
                       : weft::buildFilled(b, loc, to, neutralOf(b, op, to));
    SmallVector<Value> padded;
    phases.visit([&](ArrayRef<weft::Phase> chosen) {
      if (padded.empty())
        padded = pad(b, op, operands, phases.around());
      weft::Windows own = phases.around();
      SmallVector<int64_t> counts;
      for (auto [dim, phase] : llvm::enumerate(chosen)) {
        own.window[dim] = phase.taps;
        counts.push_back(phase.count);
      }
      SmallVector<Value> parts;
      for (auto [i, array] : llvm::enumerate(padded)) {
        weft::Part part(array);
        for (auto [dim, phase] : llvm::enumerate(chosen))
          if (int64_t dilation = phases.dilation(dim); dilation == 1)
            continue;
          else if (i == keyNumber)
            part.cut(dim, phase.first, phase.count, dilation);
          else
            part.cut(dim, phases.start(phase, dim), weft::Phases::length(phase),
                     1);
        parts.push_back(part.read(b, loc));
      }
      Value reduced = reduce(b, op, parts, own, to.clone(counts));
      weft::Part place(result);
      for (auto [dim, phase] : llvm::enumerate(chosen))
        place.cut(dim, phase.first, phase.count, phases.dilation(dim));
      result = place.replaced(b, loc, reduced);
    });
    return result;
  }
};

} // namespace

void weft::populateWindowsToLinalg(const TypeConverter &types,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerWindowReduction>(types, patterns.getContext());
}
