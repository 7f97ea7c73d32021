// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slices at computed indices: type inference, folds, derivatives, batching.
// Reading and adding are transposes of each other, so derivatives of any order
// stay within the family.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

static RankedTensorType typeOf(Value array) {
  return cast<RankedTensorType>(array.getType());
}

SmallVector<int64_t> Places::windowDims(int64_t rank) const {
  SmallVector<int64_t> kept;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!llvm::is_contained(collapsed, dim) && !llvm::is_contained(batch, dim))
      kept.push_back(dim);
  return kept;
}

//===----------------------------------------------------------------------===//
// dynamic_slice and dynamic_update_slice: types
//===----------------------------------------------------------------------===//

/// The array's type if all operands are arrays and there is one at least.
static RankedTensorType firstOfSome(std::optional<Location> loc,
                                    ValueRange operands) {
  return firstOperandType(loc, operands,
                          std::max<unsigned>(operands.size(), 1));
}

// starts_c1: one scalar start for each dimension.
static LogicalResult verifyStarts(std::optional<Location> loc,
                                  RankedTensorType type, ValueRange starts) {
  bool scalars = llvm::all_of(
      starts, [](Value start) { return typeOf(start).getRank() == 0; });
  if (scalars && static_cast<int64_t>(starts.size()) == type.getRank())
    return success();
  return emitOptionalError(loc, "needs one scalar start for each of the ",
                           type.getRank(), " dimensions of ", type, ", got ",
                           starts.size(),
                           scalars ? "" : " that are not all scalars");
}

LogicalResult
DynamicSliceOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc,
                                 ValueRange operands, DictionaryAttr,
                                 OpaqueProperties properties, RegionRange,
                                 SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType type = firstOfSome(loc, operands);
  if (!type || !given || failed(verifyStarts(loc, type, operands.drop_front())))
    return failure();
  // dynamic_slice_c1: one size for each dimension, within it.
  ArrayRef<int64_t> sizes;
  if (given->sizes)
    sizes = given->sizes.asArrayRef();
  bool fits = static_cast<int64_t>(sizes.size()) == type.getRank();
  for (int64_t dim = 0; fits && dim < type.getRank(); ++dim)
    fits = sizes[dim] >= 0 && sizes[dim] <= type.getDimSize(dim);
  if (!fits)
    return emitOptionalError(loc, "dynamic_slice: sizes [", sizes,
                             "] do not fit ", type);
  types.push_back(type.clone(sizes));
  return success();
}

LogicalResult DynamicUpdateSliceOp::inferReturnTypes(
    MLIRContext *, std::optional<Location> loc, ValueRange operands,
    DictionaryAttr, OpaqueProperties, RegionRange,
    SmallVectorImpl<Type> &types) {
  RankedTensorType type = firstOfSome(loc, operands);
  // dynamic_update_slice_c1: an update of the array's rank and element type
  // that fits into it.
  if (!type || operands.size() < 2)
    return emitOptionalError(loc, "dynamic_update_slice: needs an array and an "
                                  "update");
  RankedTensorType update = typeOf(operands[1]);
  bool fits = update.getRank() == type.getRank() &&
              update.getElementType() == type.getElementType();
  for (int64_t dim = 0; fits && dim < type.getRank(); ++dim)
    fits = update.getDimSize(dim) <= type.getDimSize(dim);
  if (!fits)
    return emitOptionalError(loc, "dynamic_update_slice: an update of type ",
                             update, " does not fit ", type);
  if (failed(verifyStarts(loc, type, operands.drop_front(2))))
    return failure();
  types.push_back(type);
  return success();
}

OpFoldResult DynamicSliceOp::fold(FoldAdaptor adaptor) {
  if (getX().getType() == getType())
    return getX();
  return resplat(adaptor.getX(), getType());
}

OpFoldResult DynamicUpdateSliceOp::fold(FoldAdaptor) {
  if (getUpdate().getType() == getType())
    return getUpdate();
  return getUpdate().getType().getNumElements() == 0 ? getX() : Value();
}

//===----------------------------------------------------------------------===//
// gather and scatter: types
//===----------------------------------------------------------------------===//

static LogicalResult verifyPlaces(std::optional<Location> loc,
                                  RankedTensorType x, ValueRange indices,
                                  DenseI64ArrayAttr dims,
                                  DenseI64ArrayAttr collapsed,
                                  DenseI64ArrayAttr batch) {
  if (!dims || !batch)
    return emitOptionalError(loc, "needs dims, collapsed and batch");
  // places_c1: there are indices, arrays of one shape.
  for (Value index : indices)
    if (typeOf(index).getShape() != typeOf(indices[0]).getShape())
      return emitOptionalError(loc, "needs indices of one shape, got ",
                               index.getType(), " and ", indices[0].getType());
  if (indices.empty() || static_cast<int64_t>(indices.size()) != dims.size())
    return emitOptionalError(loc,
                             "needs one array of indices for each of dims "
                             "[",
                             dims.asArrayRef(), "], got ", indices.size());
  // places_c2: dimensions exist, and are named once in dims and batch.
  llvm::SmallBitVector seen(x.getRank());
  for (DenseI64ArrayAttr list : {dims, batch})
    for (int64_t dim : list.asArrayRef()) {
      if (dim < 0 || dim >= x.getRank() || seen.test(dim))
        return emitOptionalError(loc, "dimension ", dim, " of ", x,
                                 " does not exist or is named twice");
      seen.set(dim);
    }
  // places_c3: the sizes of the batch dimensions lead those of the indices.
  RankedTensorType index = typeOf(indices[0]);
  bool leads = batch.size() <= index.getRank();
  for (int64_t i = 0; leads && i < batch.size(); ++i)
    leads = x.getDimSize(batch[i]) == index.getDimSize(i);
  if (!leads)
    return emitOptionalError(loc, "batch dimensions [", batch.asArrayRef(),
                             "] of ", x, " do not lead the indices' ", index);
  // places_c4: collapsed dimensions ascend, and are no batch dimensions.
  if (failed(verifyAxes(loc, "collapsed", collapsed, x.getRank())))
    return failure();
  for (int64_t dim : collapsed.asArrayRef())
    if (llvm::is_contained(batch.asArrayRef(), dim))
      return emitOptionalError(loc, "dimension ", dim,
                               " is collapsed and a batch dimension");
  return success();
}

LogicalResult GatherOp::inferReturnTypes(MLIRContext *,
                                         std::optional<Location> loc,
                                         ValueRange operands, DictionaryAttr,
                                         OpaqueProperties properties,
                                         RegionRange,
                                         SmallVectorImpl<Type> &types) {
  auto *given = properties.as<Properties *>();
  RankedTensorType x = firstOfSome(loc, operands);
  if (!x || !given ||
      failed(verifyPlaces(loc, x, operands.drop_front(), given->dims,
                          given->collapsed, given->batch)))
    return failure();
  // gather_c1: one size for each dimension.
  if (!given->sizes || given->sizes.size() != x.getRank())
    return emitOptionalError(loc, "gather: needs one size for each of the ",
                             x.getRank(), " dimensions of ", x);
  Places places{given->dims, given->collapsed, given->batch, false};
  SmallVector<int64_t> windows = places.windowDims(x.getRank());
  SmallVector<int64_t> shape(typeOf(operands[1]).getShape());
  for (int64_t dim = 0; dim < x.getRank(); ++dim) {
    int64_t size = given->sizes[dim];
    bool kept = llvm::is_contained(windows, dim);
    // gather_c2: slices lie within the array; what they do not keep is 1. With
    // a batch dimension without elements there are no slices.
    int64_t most =
        llvm::is_contained(places.batch, dim) ? 1 : x.getDimSize(dim);
    if (size < 0 || size > most || (!kept && size != 1))
      return emitOptionalError(loc, "gather: size ", size, " along dimension ",
                               dim, " does not fit ", x,
                               kept ? "" : ", or is not 1 where it is dropped");
    if (kept)
      shape.push_back(size);
  }
  types.push_back(x.clone(shape));
  return success();
}

LogicalResult weft::inferScatter(std::optional<Location> loc,
                                 ValueRange operands, DenseI64ArrayAttr dims,
                                 DenseI64ArrayAttr collapsed,
                                 DenseI64ArrayAttr batch,
                                 SmallVectorImpl<Type> &types) {
  RankedTensorType x = firstOfSome(loc, operands);
  if (!x)
    return failure();
  if (operands.size() < 2)
    return emitOptionalError(loc, "scatter: needs an array and updates");
  ValueRange indices = operands.drop_front(2);
  if (failed(verifyPlaces(loc, x, indices, dims, collapsed, batch)))
    return failure();
  // scatter_c1: updates of the array's element type, with the indices'
  // dimensions, then those of a slice, which lies within the array.
  RankedTensorType updates = typeOf(operands[1]), index = typeOf(indices[0]);
  Places places{dims, collapsed, batch, false};
  SmallVector<int64_t> windows = places.windowDims(x.getRank());
  int64_t rank = index.getRank(), count = windows.size();
  bool fits = updates.getElementType() == x.getElementType() &&
              updates.getRank() == rank + count &&
              updates.getShape().take_front(rank) == index.getShape();
  for (int64_t i = 0; fits && i < count; ++i)
    fits = updates.getDimSize(rank + i) <= x.getDimSize(windows[i]);
  if (!fits)
    return emitOptionalError(loc, "scatter: updates of type ", updates,
                             " do not fit slices of ", x, " at indices ",
                             index);
  // scatter_c2: there is something along the collapsed dimensions.
  for (int64_t dim : collapsed.asArrayRef())
    if (x.getDimSize(dim) == 0)
      return emitOptionalError(loc, "scatter: collapsed dimension ", dim,
                               " of ", x, " has no elements");
  types.push_back(x);
  return success();
}

OpFoldResult GatherOp::fold(FoldAdaptor adaptor) {
  return getClip() ? resplat(adaptor.getX(), getType()) : nullptr;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

static Tensor gather(Tensor x, ValueRange indices, const Places &places,
                     ArrayRef<int64_t> sizes) {
  return x.with(
      x.b->createOrFold<GatherOp>(x.loc, x.value, indices, places.dims, sizes,
                                  places.collapsed, places.batch, places.clip));
}

template <typename Op>
static Tensor scatter(Tensor x, Tensor updates, ValueRange indices,
                      const Places &places) {
  return x.with(x.b->createOrFold<Op>(x.loc, x.value, updates.value, indices,
                                      places.dims, places.collapsed,
                                      places.batch, places.clip));
}

static Tensor zerosOf(TensorOperands tensor, OpBuilder &b, Location loc,
                      RankedTensorType type) {
  return tensor(ConstantOp::create(b, loc, splatOf(type, 0.0)));
}

/// first, first + 1, ..., as i64, in row-major order.
static Tensor countUp(Tensor like, int64_t first, ArrayRef<int64_t> shape) {
  Type i64 = like.b->getI64Type();
  auto flat = RankedTensorType::get({ShapedType::getNumElements(shape)}, i64);
  Tensor counts = like.with(IotaOp::create(*like.b, like.loc, flat, 0));
  if (first)
    counts = counts + double(first);
  return reshape(counts, shape);
}

namespace {
/// A scatter and the gather of the slices that it is about.
template <typename Op> struct Scattered {
  mutable Op op;
  TensorOperands tensor;
  Places places;
  SmallVector<int64_t> sizes;

  Scattered(Op op, OpBuilder &b, Location loc)
      : op(op), tensor(b, loc), places(op.getPlaces()),
        sizes(op.getType().getRank(), 1) {
    SmallVector<int64_t> windows = places.windowDims(op.getType().getRank());
    auto shape = op.getUpdates().getType().getShape();
    for (auto [dim, size] :
         llvm::zip_equal(windows, shape.take_back(windows.size())))
      sizes[dim] = size;
  }
  Tensor x() const { return tensor(op.getX()); }
  Tensor updates() const { return tensor(op.getUpdates()); }
  Tensor gathered(Tensor array) const {
    return gather(array, op.getIndices(), places, sizes);
  }
  template <typename Other> Tensor scattered(Tensor to, Tensor what) const {
    return scatter<Other>(to, what, op.getIndices(), places);
  }
  bool hasOneSlice() const {
    return typeOf(op.getIndices()[0]).getNumElements() == 1;
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// Derivatives of what is linear
//===----------------------------------------------------------------------===//

SmallVector<Value> DynamicSliceOp::buildPullback(OpBuilder &b, Location loc,
                                                 ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) {
    Tensor zero = zerosOf(tensor, b, loc, getX().getType());
    return tensor(b.createOrFold<DynamicUpdateSliceOp>(
        loc, zero.value, cotangents[0], getStarts()));
  });
}

SmallVector<Value> DynamicUpdateSliceOp::buildPullback(OpBuilder &b,
                                                       Location loc,
                                                       ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned operand) {
    RankedTensorType type = getUpdate().getType();
    if (operand == 1)
      return tensor(b.createOrFold<DynamicSliceOp>(
          loc, cotangents[0], getStarts(), type.getShape()));
    Tensor zero = zerosOf(tensor, b, loc, type);
    return tensor(b.createOrFold<DynamicUpdateSliceOp>(
        loc, cotangents[0], zero.value, getStarts()));
  });
}

/// Of an op that takes the elements of a dimension in another order, which is
/// known: where each of them goes.
static DenseElementsAttr inverseOrder(GatherOp op) {
  RankedTensorType type = op.getX().getType();
  DenseElementsAttr order;
  if (op.getIndices().size() != 1 || op.getDims() != op.getCollapsed() ||
      !op.getBatch().empty() ||
      !matchPattern(op.getIndices()[0], m_Constant(&order)) ||
      order.getType().getRank() != 1)
    return nullptr;
  int64_t taken = op.getDims()[0], size = type.getDimSize(taken);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (dim != taken && op.getSizes()[dim] != type.getDimSize(dim))
      return nullptr;
  if (order.getNumElements() != size)
    return nullptr;
  unsigned width = order.getElementType().getIntOrFloatBitWidth();
  SmallVector<APInt> inverse(size, APInt(width, size, /*isSigned=*/false,
                                         /*implicitTrunc=*/true));
  llvm::SmallBitVector seen(size);
  for (auto [from, to] : llvm::enumerate(order.getValues<APInt>())) {
    if (to.uge(size) || seen.test(to.getZExtValue()))
      return nullptr;
    seen.set(to.getZExtValue());
    inverse[to.getZExtValue()] =
        APInt(width, from, /*isSigned=*/false, /*implicitTrunc=*/true);
  }
  return DenseElementsAttr::get(order.getType(), inverse);
}

/// Takes the elements back: x is the operand's dimension `dim`, then others.
static Tensor inOrder(Tensor x, DenseElementsAttr order, int64_t dim) {
  Value indices = ConstantOp::create(*x.b, x.loc, order);
  SmallVector<int64_t> sizes(x.type().getShape()), back;
  sizes[0] = 1;
  for (int64_t i = 1; i < x.type().getRank(); ++i)
    back.push_back(i);
  back.insert(back.begin() + dim, 0);
  Tensor taken = x.with(GatherOp::create(
      *x.b, x.loc, x.value, indices, ArrayRef<int64_t>{0}, sizes,
      ArrayRef<int64_t>{0}, ArrayRef<int64_t>{}, /*clip=*/true));
  return transpose(taken, back);
}

SmallVector<Value> GatherOp::buildPullback(OpBuilder &b, Location loc,
                                           ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) {
    if (DenseElementsAttr order = inverseOrder(*this))
      return inOrder(tensor(cotangents[0]), order, getDims()[0]);
    return scatter<ScatterAddOp>(zerosOf(tensor, b, loc, getX().getType()),
                                 tensor(cotangents[0]), getIndices(),
                                 getPlaces());
  });
}

/// Whether each update is the one that stays: the last one's number does.
static Tensor stays(const Scattered<ScatterOp> &s, Tensor like) {
  Tensor numbers = countUp(like, 0, s.updates().type().getShape());
  Tensor places = countUp(like, 0, s.x().type().getShape());
  Tensor last = s.scattered<ScatterOp>(zeros(places), numbers);
  return equal(s.gathered(last), numbers);
}

SmallVector<Value> ScatterOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  Scattered<ScatterOp> s(*this, b, loc);
  Tensor ct = s.tensor(cotangents[0]);
  return eachOperand(*this, [&](unsigned operand) {
    if (operand == 0)
      return s.scattered<ScatterOp>(ct, zeros(s.updates()));
    Tensor slices = s.gathered(ct);
    return s.hasOneSlice() ? slices
                           : select(stays(s, ct), slices, zeros(slices));
  });
}

SmallVector<Value> ScatterAddOp::buildPullback(OpBuilder &b, Location loc,
                                               ValueRange cotangents) {
  Scattered<ScatterAddOp> s(*this, b, loc);
  Tensor ct = s.tensor(cotangents[0]);
  return eachOperand(*this, [&](unsigned operand) {
    return operand == 0 ? ct : s.gathered(ct);
  });
}

//===----------------------------------------------------------------------===//
// Derivatives of products
//===----------------------------------------------------------------------===//

static Tensor takeFlat(Tensor x, Tensor order) {
  return gather(x, order.value, {/*dims=*/0, /*collapsed=*/0, {}, true}, 1);
}

/// The elements of a vector moved by one, towards its end or its beginning;
/// false and 0 come in.
static Tensor moved(Tensor x, bool towardsEnd) {
  int64_t size = x.type().getDimSize(0);
  if (towardsEnd)
    return pad(slice(x, 0, size - 1, 1), 0.0, 1, 0, 0);
  return pad(slice(x, 1, size, 1), 0.0, 0, 1, 0);
}

/// Within each run of equal slots, the product of the updates before, or after,
/// each one.
static Tensor productUpTo(Tensor updates, Tensor startsRun, bool before) {
  Tensor joined = before ? startsRun : moved(startsRun, false);
  if (!before) {
    // Nothing comes after the last.
    auto type = joined.type();
    Tensor index = countUp(updates, 0, type.getShape());
    joined = select(equal(index, constant(index, type.getDimSize(0) - 1.0)),
                    constant(joined, 1.0), joined);
  }
  Tensor a = select(joined, zeros(updates), moved(updates, before));
  Tensor b = select(joined, constant(updates, 1.0), zeros(updates));
  return updates.with(updates.b->createOrFold<LinearRecurrenceOp>(
      updates.loc, a.value, b.value, /*axis=*/0, /*reverse=*/!before));
}

/// The product of the other updates to the same place, for each update. Sorted
/// by place they stand in runs. Without a division it is right at zeros.
static Tensor productOfOthers(const Scattered<ScatterMultiplyOp> &s) {
  Tensor updates = s.updates();
  ArrayRef<int64_t> shape = updates.type().getShape();
  if (s.hasOneSlice() || updates.type().getNumElements() == 0)
    return constant(updates, 1.0);
  // Place 0 is that of updates that are left out.
  Tensor places = countUp(updates, 1, s.x().type().getShape());
  int64_t count = updates.type().getNumElements();
  Tensor slots = reshape(s.gathered(places), count);
  Tensor order = slots.with(slots.b->createOrFold<ArgsortOp>(
      slots.loc, slots.value, /*axis=*/0, /*descending=*/false));
  Tensor sorted = takeFlat(slots, order);
  // No place has the number that comes in before the first: -1.
  Tensor previous = moved(sorted + 1.0, true) - 1.0;
  Tensor goesOn = equal(sorted, previous);
  Tensor startsRun = equal(goesOn, zeros(goesOn));
  Tensor ordered = takeFlat(reshape(updates, count), order);
  Tensor others = productUpTo(ordered, startsRun, true) *
                  productUpTo(ordered, startsRun, false);
  Tensor back = scatter<ScatterAddOp>(
      zeros(others), others, order.value,
      {/*dims=*/0, /*collapsed=*/0, /*batch=*/{}, /*clip=*/true});
  return reshape(back, shape);
}

SmallVector<Value> ScatterMultiplyOp::buildPullback(OpBuilder &b, Location loc,
                                                    ValueRange cotangents) {
  Scattered<ScatterMultiplyOp> s(*this, b, loc);
  Tensor ct = s.tensor(cotangents[0]);
  return eachOperand(*this, [&](unsigned operand) {
    if (operand == 0)
      return s.scattered<ScatterMultiplyOp>(ct, s.updates());
    return s.gathered(ct * s.x()) * productOfOthers(s);
  });
}

SmallVector<Value> ScatterMultiplyOp::buildTangents(OpBuilder &b, Location loc,
                                                    ValueRange tangents) {
  Scattered<ScatterMultiplyOp> s(*this, b, loc);
  return sumOfTangents(
      *this, b, loc, tangents, [&](unsigned operand, Tensor t) {
        if (operand == 0)
          return s.scattered<ScatterMultiplyOp>(t, s.updates());
        Tensor terms = s.gathered(s.x()) * productOfOthers(s) * t;
        return s.scattered<ScatterAddOp>(zeros(s.x()), terms);
      });
}

//===----------------------------------------------------------------------===//
// Derivatives of extremes
//===----------------------------------------------------------------------===//

namespace {
/// Which elements and updates equal the extreme at their place, and how many.
struct Hits {
  Tensor x, updates, count;
};
} // namespace

template <typename Op> static Hits hitsOf(const Scattered<Op> &s) {
  Tensor extreme = s.tensor(s.op.getResult());
  Tensor x = equal(s.x(), extreme);
  Tensor updates = equal(s.updates(), s.gathered(extreme));
  Type element = extreme.type().getElementType();
  Tensor count = s.template scattered<ScatterAddOp>(convert(x, element),
                                                    convert(updates, element));
  return {x, updates, count};
}

template <typename Op>
static SmallVector<Value> pullbackOfExtreme(Op op, OpBuilder &b, Location loc,
                                            Value cotangent) {
  Scattered<Op> s(op, b, loc);
  Hits hits = hitsOf(s);
  Tensor part = s.tensor(cotangent) / hits.count;
  return eachOperand(op, [&](unsigned operand) {
    if (operand == 0)
      return select(hits.x, part, zeros(part));
    Tensor slices = s.gathered(part);
    return select(hits.updates, slices, zeros(slices));
  });
}

template <typename Op>
static SmallVector<Value> tangentOfExtreme(Op op, OpBuilder &b, Location loc,
                                           ValueRange tangents) {
  if (!isInexactArray(op.getType()) || (!tangents[0] && !tangents[1]))
    return {Value()};
  Scattered<Op> s(op, b, loc);
  Hits hits = hitsOf(s);
  Tensor x = zeros(s.x()), updates = zeros(s.updates());
  if (tangents[0])
    x = select(hits.x, s.tensor(tangents[0]), x);
  if (tangents[1])
    updates = select(hits.updates, s.tensor(tangents[1]), updates);
  Tensor sum = s.template scattered<ScatterAddOp>(x, updates);
  return {(sum / hits.count).value};
}

SmallVector<Value> ScatterMaximumOp::buildPullback(OpBuilder &b, Location loc,
                                                   ValueRange cotangents) {
  return pullbackOfExtreme(*this, b, loc, cotangents[0]);
}
SmallVector<Value> ScatterMinimumOp::buildPullback(OpBuilder &b, Location loc,
                                                   ValueRange cotangents) {
  return pullbackOfExtreme(*this, b, loc, cotangents[0]);
}
SmallVector<Value> ScatterMaximumOp::buildTangents(OpBuilder &b, Location loc,
                                                   ValueRange tangents) {
  return tangentOfExtreme(*this, b, loc, tangents);
}
SmallVector<Value> ScatterMinimumOp::buildTangents(OpBuilder &b, Location loc,
                                                   ValueRange tangents) {
  return tangentOfExtreme(*this, b, loc, tangents);
}

//===----------------------------------------------------------------------===//
// Batching
//===----------------------------------------------------------------------===//

/// Moves dimension `from` of an array to `to`.
static Value moveDim(OpBuilder &b, Location loc, Value x, int64_t from,
                     int64_t to) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(typeOf(x).getRank()));
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return b.createOrFold<TransposeOp>(loc, x, order);
}

/// Operands `first` and on, stacked if any of them is; whether they are.
static bool stackTogether(OpBuilder &b, Location loc, unsigned first,
                          const llvm::SmallBitVector &batched, int64_t size,
                          SmallVectorImpl<Value> &operands) {
  if (batched.find_next(int(first) - 1) < 0)
    return false;
  for (unsigned i = first; i < operands.size(); ++i)
    if (!batched.test(i))
      operands[i] = stack(b, loc, operands[i], size);
  return true;
}

static Value scalarZero(OpBuilder &b, Location loc) {
  return ConstantOp::create(
      b, loc, splatOf(RankedTensorType::get({}, b.getI64Type()), 0.0));
}

SmallVector<Value> GatherOp::buildBatched(OpBuilder &b, Location loc,
                                          ValueRange operands,
                                          const llvm::SmallBitVector &batched,
                                          int64_t size) {
  SmallVector<Value> given(operands);
  bool indexed = stackTogether(b, loc, 1, batched, size, given);
  ValueRange indices = ValueRange(given).drop_front();
  Places own = getPlaces();
  if (batched.test(0)) {
    SmallVector<int64_t> dims = dimsInStack(own.dims),
                         collapsed = dimsInStack(own.collapsed),
                         batch = dimsInStack(own.batch);
    if (indexed)
      batch.insert(batch.begin(), 0);
    Value wide = GatherOp::create(b, loc, given[0], indices, dims,
                                  behind(indexed ? 1 : size, getSizes()),
                                  collapsed, batch, getClip());
    int64_t place = typeOf(indices[0]).getRank();
    return {indexed ? wide : moveDim(b, loc, wide, place, 0)};
  }
  // The new dimension of the indices stands behind those that are paired.
  int64_t place = own.batch.size();
  auto moved = llvm::map_to_vector(
      indices, [&](Value index) { return moveDim(b, loc, index, 0, place); });
  Value wide = GatherOp::create(b, loc, given[0], moved, own.dims, getSizes(),
                                own.collapsed, own.batch, own.clip);
  return {moveDim(b, loc, wide, place, 0)};
}

SmallVector<Value> weft::batchScatter(Operation *op, OpBuilder &b, Location loc,
                                      ValueRange operands,
                                      const llvm::SmallBitVector &batched,
                                      int64_t size) {
  Places own = cast<Scatter>(op).getPlaces();
  SmallVector<Value> given(operands);
  for (unsigned i : {0u, 1u})
    if (!batched.test(i))
      given[i] = stack(b, loc, given[i], size);
  SmallVector<int64_t> batch = dimsInStack(own.batch);
  if (stackTogether(b, loc, 2, batched, size, given))
    batch.insert(batch.begin(), 0);
  else
    given[1] = moveDim(b, loc, given[1], 0, typeOf(given[2]).getRank());

  Operation *wide = b.clone(*op);
  wide->setOperands(given);
  wide->setLoc(loc);
  wide->setAttr("dims", b.getDenseI64ArrayAttr(dimsInStack(own.dims)));
  wide->setAttr("collapsed",
                b.getDenseI64ArrayAttr(dimsInStack(own.collapsed)));
  wide->setAttr("batch", b.getDenseI64ArrayAttr(batch));
  wide->getResult(0).setType(given[0].getType());
  return {wide->getResult(0)};
}

SmallVector<Value>
DynamicSliceOp::buildBatched(OpBuilder &b, Location loc, ValueRange operands,
                             const llvm::SmallBitVector &batched,
                             int64_t size) {
  SmallVector<Value> given(operands);
  auto dims = llvm::to_vector(llvm::seq<int64_t>(getX().getType().getRank()));
  if (!stackTogether(b, loc, 1, batched, size, given)) {
    SmallVector<Value> starts{scalarZero(b, loc)};
    llvm::append_range(starts, operands.drop_front());
    return {DynamicSliceOp::create(b, loc, given[0], starts,
                                   behind(size, getSizes()))};
  }
  ValueRange starts = ValueRange(given).drop_front();
  if (batched.test(0))
    return {GatherOp::create(b, loc, given[0], starts, dimsInStack(dims),
                             behind(1, getSizes()), ArrayRef<int64_t>{},
                             ArrayRef<int64_t>{0}, /*clip=*/true)};
  return {GatherOp::create(b, loc, given[0], starts, dims, getSizes(),
                           ArrayRef<int64_t>{}, ArrayRef<int64_t>{},
                           /*clip=*/true)};
}

SmallVector<Value> DynamicUpdateSliceOp::buildBatched(
    OpBuilder &b, Location loc, ValueRange operands,
    const llvm::SmallBitVector &batched, int64_t size) {
  SmallVector<Value> given(operands);
  for (unsigned i : {0u, 1u})
    if (!batched.test(i))
      given[i] = stack(b, loc, given[i], size);
  if (!stackTogether(b, loc, 2, batched, size, given)) {
    SmallVector<Value> starts{scalarZero(b, loc)};
    llvm::append_range(starts, operands.drop_front(2));
    return {DynamicUpdateSliceOp::create(b, loc, given[0], given[1], starts)};
  }
  auto dims = llvm::to_vector(llvm::seq<int64_t>(getType().getRank()));
  return {ScatterOp::create(b, loc, given[0], given[1],
                            ValueRange(given).drop_front(2), dimsInStack(dims),
                            ArrayRef<int64_t>{}, ArrayRef<int64_t>{0},
                            /*clip=*/true)};
}
