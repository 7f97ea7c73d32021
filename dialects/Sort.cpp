// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sort, argsort and searchsorted: type inference, folds, batching, derivatives.
// A sorted array varies as its elements, each taken along.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

LogicalResult SortOp::inferReturnTypes(MLIRContext *,
                                       std::optional<Location> loc,
                                       ValueRange operands, DictionaryAttr,
                                       OpaqueProperties properties, RegionRange,
                                       SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  return inferAlongAxis(loc, operands, 1, given ? given->axis : nullptr, types);
}

static RankedTensorType withIndices(RankedTensorType type) {
  return type.clone(IntegerType::get(type.getContext(), 64));
}

LogicalResult ArgsortOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr,
                                          OpaqueProperties properties,
                                          RegionRange,
                                          SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType first =
      firstOperandType(loc, operands, std::max<unsigned>(operands.size(), 1));
  if (!first)
    return failure();
  // argsort_c1: keys of one shape.
  for (Type key : operands.getTypes())
    if (cast<RankedTensorType>(key).getShape() != first.getShape())
      return emitOptionalError(loc, "needs keys of one shape, got ", first,
                               " and ", key);
  if (failed(inferAlongAxis(loc, operands.take_front(), 1,
                            given ? given->axis : nullptr, types)))
    return failure();
  types[0] = withIndices(first);
  return success();
}

LogicalResult SearchsortedOp::inferReturnTypes(MLIRContext *,
                                               std::optional<Location> loc,
                                               ValueRange operands,
                                               DictionaryAttr, OpaqueProperties,
                                               RegionRange,
                                               SmallVectorImpl<Type> &types) {
  RankedTensorType sorted = firstOperandType(loc, operands, 2);
  if (!sorted)
    return failure();
  auto values = cast<RankedTensorType>(operands[1].getType());
  // searchsorted_c1: elements of one type.
  if (sorted.getElementType() != values.getElementType())
    return emitOptionalError(loc, "needs elements of one type, got ", sorted,
                             " and ", values);
  // searchsorted_c2: there are rows.
  if (sorted.getRank() == 0)
    return emitOptionalError(loc, "needs rows that are sorted, got ", sorted);
  // searchsorted_c3: each value has its row.
  ArrayRef<int64_t> rows = sorted.getShape().drop_back();
  if (values.getShape().take_front(rows.size()) != rows)
    return emitOptionalError(loc, "needs values for each row of ", sorted,
                             ", got ", values);
  types.push_back(withIndices(values));
  return success();
}

OpFoldResult SortOp::fold(FoldAdaptor adaptor) {
  if (getType().getDimSize(getAxis()) <= 1)
    return getX();
  return resplat(adaptor.getX(), getType());
}

OpFoldResult ArgsortOp::fold(FoldAdaptor) {
  RankedTensorType type = getType();
  if (type.getDimSize(getAxis()) == 1 && type.getNumElements() > 0)
    return splatOf(type, 0.0);
  return {};
}

SmallVector<Value> SortOp::buildBatched(OpBuilder &b, Location loc,
                                        ValueRange operands,
                                        const llvm::SmallBitVector &batched,
                                        int64_t size) {
  return batchAlongAxis(*this, b, loc, operands, batched, size);
}

SmallVector<Value> ArgsortOp::buildBatched(OpBuilder &b, Location loc,
                                           ValueRange operands,
                                           const llvm::SmallBitVector &batched,
                                           int64_t size) {
  return batchAlongAxis(*this, b, loc, operands, batched, size);
}

SmallVector<Value>
SearchsortedOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                             const llvm::SmallBitVector &batched,
                             int64_t size) {
  // One row serves all values, however many axes those have.
  if (!batched.test(0) && getSorted().getType().getRank() == 1)
    return {b.createOrFold<SearchsortedOp>(loc, operands[0], operands[1],
                                           getRight())};
  return widen(*this, b, loc, operands, batched, size);
}

namespace {
/// The order that a sort has found, its axis moved behind all others.
struct Order {
  int64_t axis;
  SmallVector<int64_t> others, toLast, back;
  Tensor indices;

  Order(SortOp op, TensorOperands tensor, OpBuilder &b, Location loc)
      : axis(op.getAxis()) {
    int64_t rank = op.getType().getRank();
    for (int64_t dim = 0; dim < rank; ++dim)
      if (dim != axis)
        others.push_back(dim);
    toLast = others;
    toLast.push_back(axis);
    back.resize(rank);
    for (auto [to, from] : llvm::enumerate(toLast))
      back[from] = to;
    Tensor order = tensor(b.createOrFold<ArgsortOp>(
        loc, op.getX(), op.getAxis(), op.getDescending()));
    indices = transpose(order, toLast);
  }

  Tensor take(Tensor x) const {
    SmallVector<int64_t> ones(toLast.size(), 1);
    return transpose(
        x.with(x.b->createOrFold<GatherOp>(x.loc, x.value, indices.value, axis,
                                           ones, axis, others, /*clip=*/true)),
        back);
  }
  Tensor putBack(Tensor x) const {
    return x.with(x.b->createOrFold<ScatterAddOp>(
        x.loc, zeros(x).value, transpose(x, toLast).value, indices.value, axis,
        axis, others, /*clip=*/true));
  }
};
} // namespace

SmallVector<Value> SortOp::buildPullback(OpBuilder &b, Location loc,
                                         ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) -> Tensor {
    if (getType().getNumElements() == 0)
      return none;
    return Order(*this, tensor, b, loc).putBack(tensor(cotangents[0]));
  });
}

SmallVector<Value> SortOp::buildTangents(OpBuilder &b, Location loc,
                                         ValueRange tangents) {
  return sumOfTangents(
      *this, b, loc, tangents, [&](unsigned, Tensor t) -> Tensor {
        if (getType().getNumElements() == 0)
          return none;
        return Order(*this, TensorOperands(b, loc), b, loc).take(t);
      });
}
