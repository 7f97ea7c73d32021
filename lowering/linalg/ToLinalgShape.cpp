// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Creation and shape ops -> linalg. What only reads elsewhere (broadcast,
// transpose, reverse) is a copy through an indexing map, so that it fuses; what
// takes or fills a part is a slice.

#include "dialects/Scalar.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;

namespace {

SmallVector<OpFoldResult> indices(OpBuilder &b, ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

SmallVector<OpFoldResult> indices(OpBuilder &b, size_t count, int64_t value) {
  return indices(b, SmallVector<int64_t>(count, value));
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

DenseElementsAttr storedElements(DenseElementsAttr elements) {
  Type element = elements.getElementType();
  if (element.isInteger(1))
    return cast<DenseElementsAttr>(
        elements.mapValues(weft::storedElement(element),
                           [](const APInt &bit) { return bit.zext(8); }));
  if (weft::storedElement(element) != element)
    return elements.bitcast(weft::storedElement(element));
  return elements;
}

// Pattern: weft.constant dense<true> -> arith.constant dense<1> : i8
struct LowerConstant final : OpConversionPattern<weft::ConstantOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, storedElements(op.getValue()));
    return success();
  }
};

// Pattern: weft.iota dim d -> linalg.generic { convert(linalg.index d) }
struct LowerIota final : OpConversionPattern<weft::IotaOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::IotaOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    auto body = [&](OpBuilder &b, Location loc, ValueRange) {
      Type element = type.getElementType();
      Value i = linalg::IndexOp::create(b, loc, op.getDimension());
      if (isa<IntegerType>(element))
        return SmallVector<Value>{
            arith::IndexCastOp::create(b, loc, element, i)};
      i = arith::IndexCastOp::create(b, loc, b.getI64Type(), i);
      weft::scalar::Scalar count{i, i.getType(), &b, loc};
      return SmallVector<Value>{weft::scalar::convert(count, element).value};
    };
    rewriter.replaceOp(
        op, weft::buildParallel(rewriter, op.getLoc(), type, {}, {}, body));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Reading through another map
//===----------------------------------------------------------------------===//

// Pattern: broadcast(x) dims [1] -> generic, x by (d0, d1) -> (d1), and by
// (d0, d1) -> (0) where x has size 1 and the result more
struct LowerBroadcast final : OpConversionPattern<weft::BroadcastOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::BroadcastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    auto sizes = cast<RankedTensorType>(op.getX().getType()).getShape();
    SmallVector<AffineExpr> exprs;
    for (auto [size, dim] : llvm::zip_equal(sizes, op.getDimensions()))
      exprs.push_back(size == type.getDimSize(dim)
                          ? rewriter.getAffineDimExpr(dim)
                          : rewriter.getAffineConstantExpr(0));
    auto map = AffineMap::get(type.getRank(), 0, exprs, rewriter.getContext());
    rewriter.replaceOp(op, weft::buildRemapped(rewriter, op.getLoc(), type,
                                               adaptor.getX(), map));
    return success();
  }
};

// Pattern: transpose(x) perm [1, 0] -> generic, x by (d0, d1) -> (d1, d0)
struct LowerTranspose final : OpConversionPattern<weft::TransposeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::TransposeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    auto toResult = AffineMap::getPermutationMap(op.getPermutation(),
                                                 rewriter.getContext());
    rewriter.replaceOp(op, weft::buildRemapped(rewriter, op.getLoc(), type,
                                               adaptor.getX(),
                                               inversePermutation(toResult)));
    return success();
  }
};

// Pattern: reverse(x) dims [0] -> generic, x by (d0) -> (size - 1 - d0)
struct LowerReverse final : OpConversionPattern<weft::ReverseOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ReverseOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      exprs.push_back(rewriter.getAffineDimExpr(dim));
    for (int64_t dim : op.getDimensions())
      exprs[dim] = type.getDimSize(dim) - 1 - exprs[dim];
    auto map = AffineMap::get(type.getRank(), 0, exprs, rewriter.getContext());
    rewriter.replaceOp(op, weft::buildRemapped(rewriter, op.getLoc(), type,
                                               adaptor.getX(), map));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

// All dimensions in one group; none at all for rank 0, as linalg wants it.
SmallVector<ReassociationIndices> oneGroup(int64_t rank) {
  if (rank == 0)
    return {};
  return {llvm::to_vector<2>(llvm::seq<int64_t>(0, rank))};
}

Value expandFrom1D(OpBuilder &b, Location loc, Value flat,
                   RankedTensorType type) {
  if (type.getRank() == 1)
    return flat;
  if (type.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, loc, type, flat,
                                           ArrayRef<ReassociationIndices>{});
  return tensor::ExpandShapeOp::create(b, loc, type, flat,
                                       oneGroup(type.getRank()));
}

Value collapseTo1D(OpBuilder &b, Location loc, Value x) {
  auto type = cast<RankedTensorType>(x.getType());
  auto flat =
      RankedTensorType::get({type.getNumElements()}, type.getElementType());
  if (type.getRank() == 1)
    return x;
  if (type.getRank() == 0)
    return tensor::ExpandShapeOp::create(b, loc, flat, x,
                                         ArrayRef<ReassociationIndices>{});
  return tensor::CollapseShapeOp::create(b, loc, flat, x,
                                         oneGroup(type.getRank()));
}

// Pattern: reshape(x) -> collapse_shape or expand_shape, or through one
// dimension where neither alone will do
struct LowerReshape final : OpConversionPattern<weft::ReshapeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ReshapeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value x = adaptor.getX();
    auto from = cast<RankedTensorType>(x.getType());
    RankedTensorType to = weft::storedType(op.getType());
    if (from == to) {
      rewriter.replaceOp(op, x);
      return success();
    }
    auto groups = getReassociationIndicesForReshape(from, to);
    if (!groups || from.getRank() == to.getRank()) {
      Value flat = collapseTo1D(rewriter, loc, x);
      rewriter.replaceOp(op, expandFrom1D(rewriter, loc, flat, to));
    } else if (from.getRank() > to.getRank()) {
      rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, to, x, *groups);
    } else {
      rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, to, x, *groups);
    }
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

// Pattern: slice(x) -> tensor.extract_slice x
struct LowerSlice final : OpConversionPattern<weft::SliceOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::SliceOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    rewriter.replaceOpWithNewOp<tensor::ExtractSliceOp>(
        op, type, adaptor.getX(), indices(rewriter, op.getStart()),
        indices(rewriter, type.getShape()), indices(rewriter, op.getStride()));
    return success();
  }
};

// Pattern: pad(x, v) -> insert_slice x into (fill v), a stride of interior + 1
//
// What elementwise ops alone read has a dimension more, along which x is one of
// interior + 1 parts: part by part, such ops are computed of x or of v alone.
struct LowerPad final : OpConversionPattern<weft::PadOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::PadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value value =
        tensor::ExtractOp::create(rewriter, loc, adaptor.getValue(), {});
    RankedTensorType type = weft::storedType(op.getType());
    auto from = cast<RankedTensorType>(adaptor.getX().getType());
    Value x = adaptor.getX();
    bool isEmpty = from.getNumElements() == 0;
    bool inParts = !isEmpty && isReadInParts(op);
    SmallVector<int64_t> shape, offsets, sizes, strides;
    SmallVector<ReassociationIndices> groups;
    for (auto [extent, size, low, interior] : llvm::zip_equal(
             type.getShape(), from.getShape(), op.getLow(), op.getInterior())) {
      int64_t parts = inParts ? interior + 1 : 1;
      groups.push_back({int64_t(shape.size())});
      shape.push_back(extent / parts);
      offsets.push_back(low / parts);
      sizes.push_back(size);
      strides.push_back(inParts ? 1 : interior + 1);
      if (parts == 1)
        continue;
      groups.back().push_back(shape.size());
      shape.push_back(parts);
      offsets.push_back(low % parts);
      sizes.push_back(1);
      strides.push_back(1);
    }
    Value padded = weft::buildFilled(rewriter, loc, type.clone(shape), value);
    if (inParts)
      x = tensor::ExpandShapeOp::create(rewriter, loc, from.clone(sizes), x,
                                        groups);
    if (!isEmpty)
      padded = tensor::InsertSliceOp::create(
          rewriter, loc, x, padded, indices(rewriter, offsets),
          indices(rewriter, sizes), indices(rewriter, strides));
    if (inParts)
      padded =
          tensor::CollapseShapeOp::create(rewriter, loc, type, padded, groups);
    rewriter.replaceOp(op, padded);
    return success();
  }

private:
  /// Whether dimensions are in equal parts, and elementwise ops alone read the
  /// result.
  static bool isReadInParts(weft::PadOp op) {
    bool isApart = false;
    for (auto [extent, interior] :
         llvm::zip_equal(op.getType().getShape(), op.getInterior())) {
      isApart |= interior > 0;
      if (extent % (interior + 1) != 0)
        return false;
    }
    return isApart && llvm::all_of(op->getUsers(), [](Operation *user) {
             return isa<weft::ScalarBody>(user);
           });
  }
};

// Pattern: concatenate(x, y) -> insert_slice y into (insert_slice x into empty)
//
// Single elements side by side would each be written past all others. If there
// are many, the parts are put one after the other, and the whole is transposed.
struct LowerConcatenate final : OpConversionPattern<weft::ConcatenateOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::ConcatenateOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType type = weft::storedType(op.getType());
    auto parts = llvm::filter_to_vector(adaptor.getInputs(), [](Value x) {
      return cast<RankedTensorType>(x.getType()).getNumElements() > 0;
    });
    int64_t dim = op.getDimension();
    if (!isOfSingleElements(parts, type, dim)) {
      rewriter.replaceOp(op, concatenated(rewriter, loc, parts, type, dim));
      return success();
    }
    int64_t count = parts.size(), length = type.getNumElements() / count;
    for (Value &part : parts)
      part = expandFrom1D(rewriter, loc, collapseTo1D(rewriter, loc, part),
                          type.clone({1, length}));
    Value whole =
        concatenated(rewriter, loc, parts, type.clone({count, length}), 0);
    auto map = AffineMap::getPermutationMap(ArrayRef<unsigned>{1, 0},
                                            rewriter.getContext());
    Value turned = weft::buildRemapped(rewriter, loc,
                                       type.clone({length, count}), whole, map);
    Value flat = collapseTo1D(rewriter, loc, turned);
    rewriter.replaceOp(op, expandFrom1D(rewriter, loc, flat, type));
    return success();
  }

private:
  static bool isOfSingleElements(ArrayRef<Value> parts, RankedTensorType type,
                                 int64_t dim) {
    constexpr size_t fewest = 17;
    constexpr int64_t shortest = 64;
    return dim + 1 == type.getRank() && parts.size() >= fewest &&
           type.getNumElements() / type.getDimSize(dim) >= shortest &&
           llvm::all_of(parts, [&](Value x) {
             return cast<RankedTensorType>(x.getType()).getDimSize(dim) == 1;
           });
  }

  /// Whether parts can be computed in place is asked of each pair of them; of
  /// many, they are copied.
  static Value concatenated(OpBuilder &b, Location loc, ArrayRef<Value> parts,
                            RankedTensorType type, int64_t dim) {
    constexpr size_t mostInPlace = 16;
    if (parts.size() > mostInPlace)
      return tensor::ConcatOp::create(b, loc, type, dim, parts);
    Value result = weft::buildEmpty(b, loc, type);
    SmallVector<int64_t> offset(type.getRank(), 0);
    for (Value x : parts) {
      auto part = cast<RankedTensorType>(x.getType());
      result = tensor::InsertSliceOp::create(
          b, loc, x, result, indices(b, offset), indices(b, part.getShape()),
          indices(b, type.getRank(), 1));
      offset[dim] += part.getDimSize(dim);
    }
    return result;
  }
};

} // namespace

void weft::populateShapeToLinalg(const TypeConverter &types,
                                 RewritePatternSet &patterns) {
  patterns
      .add<LowerConstant, LowerIota, LowerBroadcast, LowerTranspose,
           LowerReverse, LowerReshape, LowerSlice, LowerPad, LowerConcatenate>(
          types, patterns.getContext());
}
