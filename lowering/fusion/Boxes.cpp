// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/Boxes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using weft::Box;

Box Box::whole(ArrayRef<int64_t> shape) {
  return {SmallVector<int64_t>(shape.size(), 0), SmallVector<int64_t>(shape)};
}

int64_t Box::numElements() const { return llvm::product_of(sizes); }

Box Box::from(ArrayRef<int64_t> place) const {
  Box box = *this;
  for (auto [offset, start] : llvm::zip_equal(box.offsets, place))
    offset -= start;
  return box;
}

Box Box::shiftedBy(ArrayRef<int64_t> place) const {
  Box box = *this;
  for (auto [offset, start] : llvm::zip_equal(box.offsets, place))
    offset += start;
  return box;
}

Box Box::along(AffineMap map) const {
  Box box;
  for (AffineExpr expr : map.getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    box.offsets.push_back(offsets[loop]);
    box.sizes.push_back(sizes[loop]);
  }
  return box;
}

std::optional<Box> Box::overlap(const Box &other) const {
  Box common;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    int64_t first = std::max(offsets[dim], other.offsets[dim]),
            last = std::min(end(dim), other.end(dim));
    if (first >= last)
      return std::nullopt;
    common.offsets.push_back(first);
    common.sizes.push_back(last - first);
  }
  return common;
}

bool weft::isBox(OffsetSizeAndStrideOpInterface slice) {
  return llvm::none_of(slice.getStaticOffsets(), ShapedType::isDynamic) &&
         llvm::none_of(slice.getStaticSizes(), ShapedType::isDynamic) &&
         llvm::all_of(slice.getStaticStrides(),
                      [](int64_t stride) { return stride == 1; });
}

static std::optional<Box> boxOf(OffsetSizeAndStrideOpInterface op,
                                RankedTensorType part) {
  if (!weft::isBox(op) || !llvm::equal(op.getStaticSizes(), part.getShape()))
    return std::nullopt;
  return Box{SmallVector<int64_t>(op.getStaticOffsets()),
             SmallVector<int64_t>(op.getStaticSizes())};
}

std::optional<Box> weft::boxOf(tensor::ExtractSliceOp op) {
  return ::boxOf(op, op.getType());
}

std::optional<Box> weft::boxOf(tensor::InsertSliceOp op) {
  return ::boxOf(op, op.getSourceType());
}

static SmallVector<OpFoldResult> numbers(OpBuilder &b,
                                         ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

static SmallVector<OpFoldResult> strides(OpBuilder &b, const Box &box) {
  return SmallVector<OpFoldResult>(box.sizes.size(), b.getIndexAttr(1));
}

Value weft::extractBox(OpBuilder &b, Location loc, Value array,
                       const Box &box) {
  return tensor::ExtractSliceOp::create(b, loc, array, numbers(b, box.offsets),
                                        numbers(b, box.sizes), strides(b, box));
}

Value weft::insertBox(OpBuilder &b, Location loc, Value part, Value array,
                      const Box &box) {
  return tensor::InsertSliceOp::create(b, loc, part, array,
                                       numbers(b, box.offsets),
                                       numbers(b, box.sizes), strides(b, box));
}
