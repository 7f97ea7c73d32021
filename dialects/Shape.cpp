// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Creation and movement of arrays: verifiers, type inference, folds, and
// derivatives (all of these ops are linear: each gives its transpose).

#include "dialects/Calculus.h"
#include "dialects/Folding.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace weft;
using calculus::Tensor;
using calculus::TensorOperands;

RankedTensorType weft::firstOperandType(std::optional<Location> loc,
                                        ValueRange operands, unsigned count) {
  if (operands.size() != count) {
    (void)emitOptionalError(loc, "needs ", count, " operands, got ",
                            operands.size());
    return {};
  }
  for (Value operand : operands)
    if (!isArray(operand.getType())) {
      (void)emitOptionalError(loc, "needs arrays of static shape, got ",
                              operand.getType());
      return {};
    }
  return cast<RankedTensorType>(operands[0].getType());
}

static SmallVector<int64_t> ones(int64_t rank) {
  return SmallVector<int64_t>(rank, 1);
}
static bool isIota(ArrayRef<int64_t> dims) {
  for (auto [i, dim] : llvm::enumerate(dims))
    if (static_cast<int64_t>(i) != dim)
      return false;
  return true;
}

/// Whether an attribute is there with one entry for each dimension.
static LogicalResult verifyLength(std::optional<Location> loc, StringRef name,
                                  DenseI64ArrayAttr values, int64_t rank) {
  if (values && values.size() == rank)
    return success();
  return emitOptionalError(loc, name, " needs one entry for each of ", rank,
                           " dimensions, got ", values ? values.size() : 0);
}

/// The element types of operand and result are one.
static LogicalResult verifyElementType(Operation *op) {
  Type from = getElementTypeOrSelf(op->getOperand(0).getType()),
       to = getElementTypeOrSelf(op->getResult(0).getType());
  if (from != to)
    return op->emitOpError()
           << "needs a result of element type " << from << ", got " << to;
  return success();
}

//===----------------------------------------------------------------------===//
// constant, iota
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult IotaOp::verify() {
  // iota_c1: the dimension exists.
  int64_t rank = getType().getRank();
  if (int64_t(getDimension()) < 0 || int64_t(getDimension()) >= rank)
    return emitOpError() << "counts along dimension " << int64_t(getDimension())
                         << ", but the result has rank " << rank;
  return success();
}

OpFoldResult IotaOp::fold(FoldAdaptor) {
  if (getType().getDimSize(getDimension()) == 1)
    return splatOf(getType(), 0.0);
  return {};
}

//===----------------------------------------------------------------------===//
// broadcast
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  RankedTensorType from = getX().getType(), to = getType();
  if (failed(verifyElementType(*this))) // broadcast_c1
    return failure();
  // broadcast_c2: one result dimension for each of the operand's.
  if (failed(verifyLength(getLoc(), "broadcast: dims", getDimensionsAttr(),
                          from.getRank())))
    return failure();
  // broadcast_c3: they ascend within the result.
  if (failed(verifyAxes(getLoc(), "broadcast: dims", getDimensionsAttr(),
                        to.getRank())))
    return failure();
  // broadcast_c4: sizes agree, or are 1.
  for (auto [i, dim] : llvm::enumerate(getDimensions()))
    if (from.getDimSize(i) != 1 && from.getDimSize(i) != to.getDimSize(dim))
      return emitOpError() << "cannot repeat dimension " << i << " of " << from
                           << " to the " << to.getDimSize(dim)
                           << " of dimension " << dim << " of " << to;
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getType())
    return getX();
  return resplat(adaptor.getX(), getType());
}

SmallVector<Value> BroadcastOp::buildPullback(OpBuilder &b, Location loc,
                                              ValueRange cotangents) {
  RankedTensorType from = getX().getType(), to = getType();
  SmallVector<int64_t> repeated;
  for (int64_t dim = 0; dim < to.getRank(); ++dim) {
    const int64_t *own = llvm::find(getDimensions(), dim);
    bool isNew = own == getDimensions().end();
    if (isNew ||
        from.getDimSize(own - getDimensions().begin()) != to.getDimSize(dim))
      repeated.push_back(dim);
  }
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(*this, [&](unsigned) {
    return calculus::reshape(calculus::sum(ct, repeated), from.getShape());
  });
}

SmallVector<Value>
BroadcastOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                          const llvm::SmallBitVector &batched, int64_t size) {
  return {b.createOrFold<BroadcastOp>(loc, stacked(getType(), size),
                                      operands[0],
                                      behind(0, dimsInStack(getDimensions())))};
}

//===----------------------------------------------------------------------===//
// reshape
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  if (failed(verifyElementType(*this))) // reshape_c1
    return failure();
  // reshape_c2: as many elements.
  if (getX().getType().getNumElements() != getType().getNumElements())
    return emitOpError() << "needs a shape of "
                         << getX().getType().getNumElements()
                         << " elements for " << getX().getType() << ", got "
                         << getType();
  return success();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getType())
    return getX();
  return resplat(adaptor.getX(), getType());
}

SmallVector<Value> ReshapeOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(*this, [&](unsigned) {
    return calculus::reshape(ct, getX().getType().getShape());
  });
}

SmallVector<Value> ReshapeOp::buildBatched(OpBuilder &b, Location loc,
                                           ValueRange operands,
                                           const llvm::SmallBitVector &batched,
                                           int64_t size) {
  return {
      b.createOrFold<ReshapeOp>(loc, stacked(getType(), size), operands[0])};
}

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

LogicalResult TransposeOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            ValueRange operands, DictionaryAttr,
                                            OpaqueProperties properties,
                                            RegionRange,
                                            SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = firstOperandType(loc, operands, 1);
  // transpose_c1: one entry for each dimension.
  if (!type || !given ||
      failed(verifyLength(loc, "transpose: perm", given->permutation,
                          type.getRank())))
    return failure();
  // transpose_c2: each dimension once.
  llvm::SmallBitVector seen(type.getRank());
  SmallVector<int64_t> shape;
  for (int64_t dim : given->permutation.asArrayRef()) {
    if (dim < 0 || dim >= type.getRank() || seen.test(dim))
      return emitOptionalError(loc, "transpose: perm ", given->permutation,
                               " is no permutation of the ", type.getRank(),
                               " dimensions of ", type);
    seen.set(dim);
    shape.push_back(type.getDimSize(dim));
  }
  types.push_back(type.clone(shape));
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (isIota(getPermutation()))
    return getX();
  return resplat(adaptor.getX(), getType());
}

SmallVector<Value> TransposeOp::buildPullback(OpBuilder &b, Location loc,
                                              ValueRange cotangents) {
  SmallVector<int64_t> inverse(getPermutation().size());
  for (auto [to, from] : llvm::enumerate(getPermutation()))
    inverse[from] = to;
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(*this, [&](unsigned) { return transpose(ct, inverse); });
}

SmallVector<Value>
TransposeOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                          const llvm::SmallBitVector &batched, int64_t size) {
  return {b.createOrFold<TransposeOp>(
      loc, operands[0], behind(0, dimsInStack(getPermutation())))};
}

//===----------------------------------------------------------------------===//
// slice
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::inferReturnTypes(MLIRContext *,
                                        std::optional<Location> loc,
                                        ValueRange operands, DictionaryAttr,
                                        OpaqueProperties properties,
                                        RegionRange,
                                        SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = firstOperandType(loc, operands, 1);
  if (!type || !given)
    return failure();
  // slice_c1: one start, limit and stride for each dimension.
  int64_t rank = type.getRank();
  if (failed(verifyLength(loc, "slice: from", given->start, rank)) ||
      failed(verifyLength(loc, "slice: to", given->limit, rank)) ||
      failed(verifyLength(loc, "slice: by", given->stride, rank)))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t start = given->start[dim], limit = given->limit[dim],
            stride = given->stride[dim], size = type.getDimSize(dim);
    // slice_c2: 0 <= start <= limit <= size.
    if (start < 0 || limit < start || limit > size)
      return emitOptionalError(loc, "slice: from ", start, " to ", limit,
                               " leaves dimension ", dim, " of ", type);
    // slice_c3: the stride is positive.
    if (stride < 1)
      return emitOptionalError(loc,
                               "slice: needs a positive stride along "
                               "dimension ",
                               dim, ", got ", stride);
    shape.push_back(limit == start ? 0 : (limit - start - 1) / stride + 1);
  }
  types.push_back(type.clone(shape));
  return success();
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getType())
    return getX();
  return resplat(adaptor.getX(), getType());
}

SmallVector<Value> SliceOp::buildPullback(OpBuilder &b, Location loc,
                                          ValueRange cotangents) {
  if (getType().getNumElements() == 0)
    return {Value()};
  SmallVector<int64_t> high, interior;
  for (int64_t dim = 0; dim < getType().getRank(); ++dim) {
    int64_t last =
        getStart()[dim] + (getType().getDimSize(dim) - 1) * getStride()[dim];
    high.push_back(getX().getType().getDimSize(dim) - last - 1);
    // A single element has no neighbour to keep away from.
    bool single = getType().getDimSize(dim) == 1;
    interior.push_back(single ? 0 : getStride()[dim] - 1);
  }
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(*this, [&](unsigned) {
    return calculus::pad(ct, 0.0, getStart(), high, interior);
  });
}

SmallVector<Value> SliceOp::buildBatched(OpBuilder &b, Location loc,
                                         ValueRange operands,
                                         const llvm::SmallBitVector &batched,
                                         int64_t size) {
  return {b.createOrFold<SliceOp>(loc, operands[0], behind(0, getStart()),
                                  behind(size, getLimit()),
                                  behind(1, getStride()))};
}

//===----------------------------------------------------------------------===//
// pad
//===----------------------------------------------------------------------===//

/// low + size + (size - 1) * interior + high; failure on overflow.
static FailureOr<int64_t> paddedSize(int64_t size, int64_t low, int64_t high,
                                     int64_t interior) {
  int64_t gaps, total;
  if (llvm::MulOverflow(std::max<int64_t>(size - 1, 0), interior, gaps) ||
      llvm::AddOverflow(size, gaps, total) ||
      llvm::AddOverflow(total, low, total) ||
      llvm::AddOverflow(total, high, total))
    return failure();
  return total;
}

LogicalResult PadOp::inferReturnTypes(MLIRContext *,
                                      std::optional<Location> loc,
                                      ValueRange operands, DictionaryAttr,
                                      OpaqueProperties properties, RegionRange,
                                      SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = firstOperandType(loc, operands, 2);
  if (!type || !given)
    return failure();
  // pad_c1: the value is one element of the operand's type.
  auto scalar = RankedTensorType::get({}, type.getElementType());
  if (operands[1].getType() != scalar)
    return emitOptionalError(loc, "pad: needs a value of type ", scalar,
                             ", got ", operands[1].getType());
  // pad_c2: one low, high and interior for each dimension.
  int64_t rank = type.getRank();
  if (failed(verifyLength(loc, "pad: low", given->low, rank)) ||
      failed(verifyLength(loc, "pad: high", given->high, rank)) ||
      failed(verifyLength(loc, "pad: interior", given->interior, rank)))
    return failure();
  SmallVector<int64_t> shape;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t low = given->low[dim], high = given->high[dim],
            interior = given->interior[dim];
    // pad_c3: none is negative.
    if (low < 0 || high < 0 || interior < 0)
      return emitOptionalError(loc, "pad: negative padding along dimension ",
                               dim, ": low ", low, ", high ", high,
                               ", interior ", interior);
    // pad_c4: the result's size can be counted.
    FailureOr<int64_t> size =
        paddedSize(type.getDimSize(dim), low, high, interior);
    if (failed(size))
      return emitOptionalError(loc, "pad: dimension ", dim,
                               " becomes too large");
    shape.push_back(*size);
  }
  types.push_back(type.clone(shape));
  return success();
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? getX() : Value();
}

/// Which elements of the result are the operand's.
static Tensor covered(PadOp op, OpBuilder &b, Location loc) {
  auto boolean = cast<RankedTensorType>(boolLike(op.getX().getType()));
  Value all = ConstantOp::create(b, loc, splatOf(boolean, 1.0));
  return calculus::pad(TensorOperands(b, loc)(all), 0.0, op.getLow(),
                       op.getHigh(), op.getInterior());
}

SmallVector<Value> PadOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  RankedTensorType type = getX().getType();
  SmallVector<int64_t> limit, stride;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    int64_t size = type.getDimSize(dim);
    stride.push_back(getInterior()[dim] + 1);
    limit.push_back(getLow()[dim] + (size ? (size - 1) * stride[dim] + 1 : 0));
  }
  TensorOperands tensor(b, loc);
  Tensor ct = tensor(cotangents[0]);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(type.getRank()));
  return eachOperand(*this, [&](unsigned operand) {
    if (operand == 0)
      return calculus::slice(ct, getLow(), limit, stride);
    // The value's cotangent: the sum of what the operand does not cover.
    return sum(select(covered(*this, b, loc), zeros(ct), ct), axes);
  });
}

SmallVector<Value> PadOp::buildBatched(OpBuilder &b, Location loc,
                                       ValueRange operands,
                                       const llvm::SmallBitVector &batched,
                                       int64_t size) {
  TensorOperands tensor(b, loc);
  Tensor x =
      tensor(batched[0] ? operands[0] : stack(b, loc, operands[0], size));
  if (!batched[1])
    return {b.createOrFold<PadOp>(loc, x.value, operands[1],
                                  behind(0, getLow()), behind(0, getHigh()),
                                  behind(0, getInterior()))};
  // Each input has a value of its own: pad with any, then choose.
  Tensor padded = calculus::pad(x, 0.0, behind(0, getLow()),
                                behind(0, getHigh()), behind(0, getInterior()));
  Tensor values = broadcast(tensor(operands[1]), padded.type().getShape(), {0});
  Tensor isX = tensor(stack(b, loc, covered(*this, b, loc).value, size));
  return {select(isX, padded, values).value};
}

//===----------------------------------------------------------------------===//
// concatenate
//===----------------------------------------------------------------------===//

LogicalResult
ConcatenateOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                ValueRange operands, DictionaryAttr,
                                OpaqueProperties properties, RegionRange,
                                SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  // concatenate_c1: there is something to join.
  if (operands.empty())
    return emitOptionalError(loc, "concatenate: needs an operand");
  RankedTensorType first = firstOperandType(loc, operands, operands.size());
  if (!first || !given)
    return failure();
  // concatenate_c2: the dimension exists.
  int64_t joined = given->dimension ? given->dimension.getInt() : -1;
  if (joined < 0 || joined >= first.getRank())
    return emitOptionalError(loc, "concatenate: dimension ", joined,
                             " does not exist in ", first);
  SmallVector<int64_t> shape(first.getShape());
  for (Value operand : operands.drop_front()) {
    auto type = cast<RankedTensorType>(operand.getType());
    // concatenate_c3: all else is equal.
    bool same = type.getElementType() == first.getElementType() &&
                type.getRank() == first.getRank();
    for (int64_t dim = 0; same && dim < first.getRank(); ++dim)
      same = dim == joined || type.getDimSize(dim) == first.getDimSize(dim);
    if (!same || llvm::AddOverflow(shape[joined], type.getDimSize(joined),
                                   shape[joined]))
      return emitOptionalError(loc, "concatenate: ", first, " and ", type,
                               " differ in more than dimension ", joined);
  }
  types.push_back(first.clone(shape));
  return success();
}

OpFoldResult ConcatenateOp::fold(FoldAdaptor) {
  return getInputs().size() == 1 ? getInputs()[0] : Value();
}

SmallVector<Value> ConcatenateOp::buildPullback(OpBuilder &b, Location loc,
                                                ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  int64_t rank = getType().getRank(), offset = 0;
  return eachOperand(*this, [&](unsigned operand) {
    auto type = cast<RankedTensorType>(getInputs()[operand].getType());
    SmallVector<int64_t> start(rank, 0), limit(type.getShape());
    start[getDimension()] = offset;
    offset += type.getDimSize(getDimension());
    limit[getDimension()] = offset;
    return calculus::slice(ct, start, limit, ones(rank));
  });
}

SmallVector<Value>
ConcatenateOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                            const llvm::SmallBitVector &batched, int64_t size) {
  SmallVector<Value> stacks;
  for (auto [i, operand] : llvm::enumerate(operands))
    stacks.push_back(batched[i] ? operand : stack(b, loc, operand, size));
  return {b.createOrFold<ConcatenateOp>(loc, stacks, getDimension() + 1)};
}

//===----------------------------------------------------------------------===//
// reverse
//===----------------------------------------------------------------------===//

LogicalResult ReverseOp::inferReturnTypes(MLIRContext *,
                                          std::optional<Location> loc,
                                          ValueRange operands, DictionaryAttr,
                                          OpaqueProperties properties,
                                          RegionRange,
                                          SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = firstOperandType(loc, operands, 1);
  // reverse_c1: the dimensions ascend and exist.
  if (!type || !given ||
      failed(
          verifyAxes(loc, "reverse: dims", given->dimensions, type.getRank())))
    return failure();
  types.push_back(type);
  return success();
}

OpFoldResult ReverseOp::fold(FoldAdaptor adaptor) {
  auto inner = getX().getDefiningOp<ReverseOp>();
  if (inner && inner.getDimensions() == getDimensions())
    return inner.getX();
  if (llvm::all_of(getDimensions(),
                   [&](int64_t dim) { return getType().getDimSize(dim) <= 1; }))
    return getX();
  return resplat(adaptor.getX(), getType());
}

SmallVector<Value> ReverseOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(
      *this, [&](unsigned) { return calculus::reverse(ct, getDimensions()); });
}

SmallVector<Value> ReverseOp::buildBatched(OpBuilder &b, Location loc,
                                           ValueRange operands,
                                           const llvm::SmallBitVector &batched,
                                           int64_t size) {
  return {b.createOrFold<ReverseOp>(loc, operands[0],
                                    dimsInStack(getDimensions()))};
}
