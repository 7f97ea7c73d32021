// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sort and argsort: type inference, folds, batching, derivatives. A sorted
// array varies as its elements, each taken along.

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

LogicalResult ArgsortOp::inferReturnTypes(MLIRContext *context,
                                          std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr,
                                          OpaqueProperties properties,
                                          RegionRange,
                                          SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  if (failed(inferAlongAxis(loc, operands, 1, given ? given->axis : nullptr,
                            types)))
    return failure();
  types[0] =
      cast<RankedTensorType>(types[0]).clone(IntegerType::get(context, 64));
  return success();
}

OpFoldResult SortOp::fold(FoldAdaptor adaptor) {
  if (getType().getDimSize(getAxis()) <= 1)
    return getX();
  return resplat(adaptor.getX(), getType());
}

OpFoldResult ArgsortOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getType());
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
