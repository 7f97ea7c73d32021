// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slices at computed indices. One slice is a tensor slice with an offset that
// is computed, so that it is updated in place; a gather is a linalg.generic
// that reads elsewhere, so that it fuses; a scatter walks over its updates.

#include "dialects/Weft.h"
#include "lowering/linalg/Slices.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::Slices;

namespace {

ArrayRef<int64_t> shapeOf(Value array) {
  return cast<RankedTensorType>(array.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// One slice
//===----------------------------------------------------------------------===//

/// The offsets of a slice of `sizes` in an array of `shape`.
SmallVector<OpFoldResult> buildOffsets(OpBuilder &b, Location loc,
                                       ValueRange starts,
                                       ArrayRef<int64_t> shape,
                                       ArrayRef<int64_t> sizes) {
  SmallVector<OpFoldResult> offsets;
  for (auto [start, size, part] : llvm::zip_equal(starts, shape, sizes)) {
    if (size == part) {
      offsets.push_back(b.getIndexAttr(0));
      continue;
    }
    Value i = tensor::ExtractOp::create(b, loc, start, ValueRange{});
    offsets.push_back(weft::clampIndex(b, loc, i, size - part));
  }
  return offsets;
}

SmallVector<OpFoldResult> asIndices(OpBuilder &b, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}
SmallVector<OpFoldResult> ones(OpBuilder &b, size_t count) {
  return asIndices(b, SmallVector<int64_t>(count, 1));
}

// Pattern: dynamic_slice(x)[i] -> tensor.extract_slice x[clamp(i)]
struct LowerDynamicSlice final : OpConversionPattern<weft::DynamicSliceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::DynamicSliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    ArrayRef<int64_t> sizes = op.getSizes();
    auto offsets = buildOffsets(rewriter, op.getLoc(), adaptor.getStarts(),
                                shapeOf(adaptor.getX()), sizes);
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, type, adaptor.getX(), offsets, asIndices(rewriter, sizes),
        ones(rewriter, sizes.size()));
    return success();
  }
};

// Pattern: dynamic_update_slice(x, y)[i] -> tensor.insert_slice y into
// x[clamp(i)]
struct LowerDynamicUpdateSlice final
    : OpConversionPattern<weft::DynamicUpdateSliceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::DynamicUpdateSliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ArrayRef<int64_t> sizes = shapeOf(adaptor.getUpdate());
    if (ShapedType::getNumElements(sizes) == 0) {
      rewriter.replaceOp(op, adaptor.getX());
      return success();
    }
    auto offsets = buildOffsets(rewriter, op.getLoc(), adaptor.getStarts(),
                                shapeOf(adaptor.getX()), sizes);
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(
        op, adaptor.getUpdate(), adaptor.getX(), offsets,
        asIndices(rewriter, sizes), ones(rewriter, sizes.size()));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Many slices
//===----------------------------------------------------------------------===//

// Pattern: gather(x)[i] -> linalg.generic ins(i) { tensor.extract x[clamp(i)] }
struct LowerGather final : OpConversionPattern<weft::GatherOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::GatherOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    Value x = adaptor.getX();
    int64_t rank = shapeOf(adaptor.getIndices()[0]).size();
    auto dims = llvm::map_to_vector(llvm::seq<int64_t>(rank), [&](int64_t dim) {
      return rewriter.getAffineDimExpr(dim);
    });
    auto map = AffineMap::get(type.getRank(), 0, dims, getContext());
    SmallVector<AffineMap> maps(adaptor.getIndices().size(), map);
    auto body = [&](OpBuilder &b, Location loc, ValueRange indices) {
      SmallVector<Value> place;
      for (int64_t dim = 0; dim < type.getRank(); ++dim)
        place.push_back(linalg::IndexOp::create(b, loc, dim));
      ValueRange all(place);
      Slices slices(op.getPlaces(), shapeOf(x), op.getSizes());
      slices.start(b, loc, indices, all.take_front(rank));
      Value element = tensor::ExtractOp::create(
          b, loc, x, slices.at(b, loc, all.drop_front(rank)));
      Value zero = weft::buildZero(b, loc, type.getElementType());
      return SmallVector<Value>{slices.ifInside(b, loc, element, zero)};
    };
    rewriter.replaceOp(op,
                       weft::buildParallel(rewriter, op.getLoc(), type,
                                           adaptor.getIndices(), maps, body));
    return success();
  }
};

/// The sizes of a slice that an update of some shape is written to.
SmallVector<int64_t> sliceSizes(weft::Scatter op, ArrayRef<int64_t> shape,
                                ArrayRef<int64_t> window) {
  SmallVector<int64_t> sizes(shape.size(), 1);
  for (auto [dim, size] :
       llvm::zip_equal(op.getPlaces().windowDims(shape.size()), window))
    sizes[dim] = size;
  return sizes;
}

// Pattern: scatter(x, y)[i] -> scf.for over i { scf.for over the slice {
//   tensor.insert combine(x, y) into x[clamp(i)] } }
struct LowerScatter final : OpInterfaceConversionPattern<weft::Scatter> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult
  matchAndRewrite(weft::Scatter op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value x = operands[0], updates = operands[1];
    ArrayRef<Value> indices = operands.drop_front(2);
    ArrayRef<int64_t> walked = shapeOf(indices[0]);
    ArrayRef<int64_t> window = shapeOf(updates).drop_front(walked.size());
    if (ShapedType::getNumElements(shapeOf(updates)) == 0) {
      rewriter.replaceOp(op, x);
      return success();
    }
    SmallVector<int64_t> sizes = sliceSizes(op, shapeOf(x), window);

    auto perSlice = [&](OpBuilder &b, ValueRange place, ValueRange arrays) {
      SmallVector<Value> starts;
      for (Value index : indices)
        starts.push_back(tensor::ExtractOp::create(b, loc, index, place));
      Slices slices(op.getPlaces(), shapeOf(x), sizes);
      slices.start(b, loc, starts, place);
      return weft::buildLoops(
          b, loc, window, arrays,
          [&](OpBuilder &inner, ValueRange offset, ValueRange arrays) {
            SmallVector<Value> from(place);
            llvm::append_range(from, offset);
            Value update = tensor::ExtractOp::create(inner, loc, updates, from);
            return SmallVector<Value>{
                slices.combine(inner, loc, op, arrays[0], update,
                               slices.at(inner, loc, offset))};
          });
    };
    Type result = op->getResult(0).getType();
    // One slice meets each element once: nothing is accumulated.
    if (op.accumulates() && ShapedType::getNumElements(walked) > 1)
      x = weft::buildAccumulator(rewriter, loc, x, result);
    x = weft::buildLoops(rewriter, loc, walked, x, perSlice).front();
    rewriter.replaceOp(op, weft::buildRounded(rewriter, loc, x, result));
    return success();
  }
};

/// Where an update of one slice puts it, if that is known and in the array.
std::optional<SmallVector<int64_t>> staticPlace(weft::Scatter op,
                                                ArrayRef<int64_t> shape,
                                                ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> place(shape.size(), 0);
  for (auto [dim, index] :
       llvm::zip_equal(op.getPlaces().dims, op->getOperands().drop_front(2))) {
    DenseIntElementsAttr known;
    if (!matchPattern(index, m_Constant(&known)) || known.getNumElements() != 1)
      return std::nullopt;
    APInt number = *known.begin();
    place[dim] = number.getSExtValue();
    if (place[dim] < 0 || place[dim] > shape[dim] - sizes[dim])
      return std::nullopt;
  }
  return place;
}

// Pattern: scatter(x, y)[constants] -> tensor.insert_slice
// combine(tensor.extract_slice x, y) into x
struct LowerUpdateOfSlice final : OpInterfaceConversionPattern<weft::Scatter> {
  LowerUpdateOfSlice(const TypeConverter &types, MLIRContext *context)
      : OpInterfaceConversionPattern(types, context, /*benefit=*/3) {}

  LogicalResult
  matchAndRewrite(weft::Scatter op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    Value x = operands[0], update = operands[1];
    ArrayRef<int64_t> shape = shapeOf(x), window = shapeOf(update);
    // One element is read and written as a scalar.
    if (!shapeOf(operands[2]).empty() || ShapedType::getNumElements(window) < 2)
      return rewriter.notifyMatchFailure(op, "is not of one slice");
    SmallVector<int64_t> sizes = sliceSizes(op, shape, window);
    std::optional<SmallVector<int64_t>> place = staticPlace(op, shape, sizes);
    if (!place)
      return rewriter.notifyMatchFailure(op, "is at places to be computed");

    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(update.getType());
    auto offsets = asIndices(rewriter, *place),
         extents = asIndices(rewriter, sizes),
         strides = ones(rewriter, sizes.size());
    if (!isa<weft::ScatterOp>(op)) {
      Type element = getElementTypeOrSelf(op->getOperand(0).getType());
      Value old = tensor::ExtractSliceOp::create(rewriter, loc, type, x,
                                                 offsets, extents, strides);
      AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
      auto combine = [&](OpBuilder &b, Location loc, ValueRange elements) {
        Value combined = op.buildCombiner(
            b, loc, weft::loadScalar(b, loc, elements[0], element),
            weft::loadScalar(b, loc, elements[1], element));
        return SmallVector<Value>{weft::storeScalar(b, loc, combined)};
      };
      update = weft::buildParallel(rewriter, loc, type, {old, update},
                                   {map, map}, combine);
    }
    rewriter.replaceOpWithNewOp<tensor::InsertSliceOp>(op, update, x, offsets,
                                                       extents, strides);
    return success();
  }
};

} // namespace

void weft::populateIndexToLinalg(const TypeConverter &types,
                                 RewritePatternSet &patterns) {
  patterns.add<LowerDynamicSlice, LowerDynamicUpdateSlice, LowerGather,
               LowerScatter, LowerUpdateOfSlice>(types, patterns.getContext());
}
