// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions: type inference and derivatives.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

LogicalResult weft::verifyAxes(std::optional<Location> loc, StringRef name,
                               DenseI64ArrayAttr axes, int64_t rank) {
  if (!axes)
    return emitOptionalError(loc, name, " is missing");
  int64_t previous = -1;
  for (int64_t axis : axes.asArrayRef()) {
    if (axis <= previous || axis >= rank)
      return emitOptionalError(loc, name, " must ascend within rank ", rank,
                               ", got ", axes);
    previous = axis;
  }
  return success();
}

LogicalResult weft::inferReduction(std::optional<Location> loc,
                                   ValueRange operands, DenseI64ArrayAttr axes,
                                   bool needsElements,
                                   SmallVectorImpl<Type> &types) {
  RankedTensorType type = firstOperandType(loc, operands, 1);
  // reduction_c1: the axes ascend and exist.
  if (!type || failed(verifyAxes(loc, "axes", axes, type.getRank())))
    return failure();
  SmallVector<int64_t> shape;
  int64_t reduced = 1;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (llvm::is_contained(axes.asArrayRef(), dim))
      reduced *= type.getDimSize(dim);
    else
      shape.push_back(type.getDimSize(dim));
  // reduction_c2: a maximum or minimum is of one element at least.
  if (needsElements && reduced == 0)
    return emitOptionalError(loc, "has no maximum or minimum over axes ", axes,
                             " of ", type, ", which hold no elements");
  types.push_back(type.clone(shape));
  return success();
}

LogicalResult weft::inferArgReduction(std::optional<Location> loc,
                                      ValueRange operands, IntegerAttr axis,
                                      SmallVectorImpl<Type> &types) {
  RankedTensorType type = firstOperandType(loc, operands, 1);
  if (!type)
    return failure();
  // arg_reduction_c1: the axis exists.
  int64_t dim = axis ? axis.getInt() : -1;
  if (dim < 0 || dim >= type.getRank())
    return emitOptionalError(loc, "axis ", dim, " does not exist in ", type);
  // arg_reduction_c2: it has an element.
  if (type.getDimSize(dim) == 0)
    return emitOptionalError(loc, "has no maximum or minimum over axis ", dim,
                             " of ", type, ", which holds no elements");
  SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + dim);
  types.push_back(
      RankedTensorType::get(shape, IntegerType::get(type.getContext(), 64)));
  return success();
}

OpFoldResult weft::foldArgReduction(Value x, int64_t axis,
                                    RankedTensorType type) {
  if (cast<RankedTensorType>(x.getType()).getDimSize(axis) == 1)
    return splatOf(type, 0.0);
  return {};
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

SmallVector<Value> SumOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(*this, [&](unsigned) {
    return restoreAxes(ct, getAxes(), getX().getType().getShape());
  });
}

/// In the type that floats like `like` are accumulated in: counts and products
/// are too large for 16 bits before a derivative is.
static Tensor accumulated(Tensor x, Tensor like) {
  return convert(x, computedElement(like.type().getElementType()));
}
static Tensor accumulated(Tensor x) { return x ? accumulated(x, x) : x; }

/// A maximum or minimum hands its cotangent to the elements that equal it, in
/// equal parts.
static Tensor pullbackToExtremes(Tensor x, Tensor extreme, Tensor ct,
                                 ArrayRef<int64_t> axes) {
  ArrayRef<int64_t> shape = x.type().getShape();
  Tensor isExtreme = equal(x, restoreAxes(extreme, axes, shape));
  Tensor part = accumulated(ct) / sum(accumulated(isExtreme, x), axes);
  part = convert(part, x.type().getElementType());
  return select(isExtreme, restoreAxes(part, axes, shape), zeros(x));
}

SmallVector<Value> MaxOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) {
    return pullbackToExtremes(tensor(getX()), tensor(getResult()),
                              tensor(cotangents[0]), getAxes());
  });
}

SmallVector<Value> MinOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) {
    return pullbackToExtremes(tensor(getX()), tensor(getResult()),
                              tensor(cotangents[0]), getAxes());
  });
}

/// A maximum or minimum moves as the elements that equal it do on average.
static Tensor tangentOfExtremes(Tensor x, Tensor extreme, Tensor tangent,
                                ArrayRef<int64_t> axes) {
  Tensor isExtreme = equal(x, restoreAxes(extreme, axes, x.type().getShape()));
  Tensor moved = accumulated(select(isExtreme, tangent, zeros(x)));
  Tensor average = sum(moved, axes) / sum(accumulated(isExtreme, x), axes);
  return convert(average, x.type().getElementType());
}

SmallVector<Value> MaxOp::buildTangents(OpBuilder &b, Location loc,
                                        ValueRange tangents) {
  return sumOfTangents(*this, b, loc, tangents, [&](unsigned, Tensor t) {
    return tangentOfExtremes(t.with(getX()), t.with(getResult()), t, getAxes());
  });
}

SmallVector<Value> MinOp::buildTangents(OpBuilder &b, Location loc,
                                        ValueRange tangents) {
  return sumOfTangents(*this, b, loc, tangents, [&](unsigned, Tensor t) {
    return tangentOfExtremes(t.with(getX()), t.with(getResult()), t, getAxes());
  });
}

namespace {
/// The two halves of a matrix's columns.
struct Halves {
  Tensor low, high;
};
} // namespace

static Halves halve(Tensor matrix) {
  int64_t rows = matrix.type().getDimSize(0),
          half = matrix.type().getDimSize(1) / 2;
  return {slice(matrix, {0, 0}, {rows, half}, {1, 1}),
          slice(matrix, {0, half}, {rows, 2 * half}, {1, 1})};
}

/// The product of all other elements, for each element of every row: halves
/// are multiplied up a tree, and back down each takes the other's product.
/// Without a division it is right where elements are zero, to any order.
static Tensor productOfOthers(Tensor matrix) {
  int64_t rows = matrix.type().getDimSize(0),
          size = matrix.type().getDimSize(1);
  int64_t padded = llvm::PowerOf2Ceil(size);
  SmallVector<Halves> levels;
  Tensor level = pad(matrix, 1.0, {0, 0}, {0, padded - size}, {0, 0});
  for (; level.type().getDimSize(1) > 1;
       level = levels.back().low * levels.back().high)
    levels.push_back(halve(level));
  Tensor others = constant(level, 1.0);
  for (const Halves &halves : llvm::reverse(levels))
    others = concatenate(others * halves.high, others * halves.low, 1);
  return slice(others, {0, 0}, {rows, size}, {1, 1});
}

/// The product of all elements of `x` along `axes` but the one at hand.
static Tensor productOfOthersAlong(Tensor x, ArrayRef<int64_t> axes) {
  RankedTensorType type = x.type();
  SmallVector<int64_t> order, inverse(type.getRank()), moved;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (!llvm::is_contained(axes, dim))
      order.push_back(dim);
  int64_t size = 1;
  for (int64_t axis : axes) {
    order.push_back(axis);
    size *= type.getDimSize(axis);
  }
  for (auto [to, from] : llvm::enumerate(order)) {
    inverse[from] = to;
    moved.push_back(type.getDimSize(from));
  }
  Tensor matrix =
      reshape(transpose(x, order), {type.getNumElements() / size, size});
  return transpose(reshape(productOfOthers(matrix), moved), inverse);
}

SmallVector<Value> ProdOp::buildPullback(OpBuilder &b, Location loc,
                                         ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) -> Tensor {
    RankedTensorType type = getX().getType();
    if (type.getNumElements() == 0)
      return none;
    Tensor ct = restoreAxes(tensor(cotangents[0]), getAxes(), type.getShape());
    Tensor others =
        productOfOthersAlong(accumulated(tensor(getX())), getAxes());
    return convert(accumulated(ct) * others, type.getElementType());
  });
}

SmallVector<Value> ProdOp::buildTangents(OpBuilder &b, Location loc,
                                         ValueRange tangents) {
  return sumOfTangents(
      *this, b, loc, tangents, [&](unsigned, Tensor t) -> Tensor {
        if (t.type().getNumElements() == 0)
          return none;
        Tensor others =
            productOfOthersAlong(accumulated(t.with(getX())), getAxes());
        return convert(sum(accumulated(t) * others, getAxes()),
                       t.type().getElementType());
      });
}
