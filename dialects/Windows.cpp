// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Windows: how many there are, and what is computed of each. Extremes of
// windows vary as the elements that equal them do on average.

#include "dialects/Windows.h"
#include "dialects/Calculus.h"
#include "dialects/Folding.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

//===----------------------------------------------------------------------===//
// Geometry
//===----------------------------------------------------------------------===//

Windows Windows::transposed(ArrayRef<int64_t> operand,
                            ArrayRef<int64_t> result) const {
  SmallVector<int64_t> before, after;
  for (size_t dim = 0; dim < rank(); ++dim) {
    before.push_back(extent(dim) - 1 - low[dim]);
    after.push_back(dilated(operand[dim], baseDilation[dim]) + extent(dim) - 1 -
                    dilated(result[dim], strides[dim]) - before.back());
  }
  return {window, baseDilation, before, after, strides, windowDilation};
}

Windows Windows::exchanged(ArrayRef<int64_t> operand,
                           ArrayRef<int64_t> result) const {
  SmallVector<int64_t> after;
  for (size_t dim = 0; dim < rank(); ++dim)
    after.push_back(dilated(result[dim], strides[dim]) + extent(dim) - 1 -
                    dilated(operand[dim], baseDilation[dim]) - low[dim]);
  return {result, windowDilation, low, after, baseDilation, strides};
}

static LogicalResult verifyEntries(std::optional<Location> loc,
                                   const Windows &windows, int64_t rank) {
  const SmallVectorImpl<int64_t> *entries[] = {
      &windows.window, &windows.strides,      &windows.low,
      &windows.high,   &windows.baseDilation, &windows.windowDilation};
  StringRef names[] = {"window", "strides",       "low",
                       "high",   "base_dilation", "window_dilation"};
  // windows_c1: one entry for each dimension that they move over.
  for (auto [values, name] : llvm::zip_equal(entries, names))
    if (static_cast<int64_t>(values->size()) != rank)
      return emitOptionalError(loc, name, " needs one entry for each of ", rank,
                               " dimensions, got ", values->size());
  // windows_c2: all are positive, but for the padding.
  for (size_t which : {0, 1, 4, 5})
    for (auto [dim, value] : llvm::enumerate(*entries[which]))
      if (value < 1)
        return emitOptionalError(loc, names[which], " must be positive, got ",
                                 value, " along dimension ", dim);
  return success();
}

/// (count - 1) * dilation + 1 + more, or failure on overflow.
static FailureOr<int64_t> sizeOf(int64_t count, int64_t dilation,
                                 ArrayRef<int64_t> more) {
  int64_t size = 0;
  if (count && (llvm::MulOverflow(count - 1, dilation, size) ||
                llvm::AddOverflow(size, int64_t(1), size)))
    return failure();
  for (int64_t padding : more)
    if (llvm::AddOverflow(size, padding, size))
      return failure();
  return size;
}

FailureOr<SmallVector<int64_t>>
weft::inferWindowCounts(std::optional<Location> loc, RankedTensorType type,
                        ArrayRef<int64_t> dims, const Windows &windows) {
  if (failed(verifyEntries(loc, windows, dims.size())))
    return failure();
  SmallVector<int64_t> counts, shape(type.getShape());
  for (auto [i, dim] : llvm::enumerate(dims)) {
    int64_t size = type.getDimSize(dim), base = windows.baseDilation[i],
            low = windows.low[i], high = windows.high[i];
    FailureOr<int64_t> filled = sizeOf(size, base,
                                       {std::max<int64_t>(low, 0),
                                        std::max<int64_t>(high, 0)}),
                       padded = sizeOf(size, base, {low, high}),
                       extent = sizeOf(windows.window[i],
                                       windows.windowDilation[i], {});
    // windows_c3: sizes can be counted.
    if (failed(filled) || failed(padded) || failed(extent))
      return emitOptionalError(loc, "dimension ", dim, " of ", type,
                               " with its padding becomes too large");
    shape[dim] = *filled;
    counts.push_back(
        *padded < *extent ? 0 : (*padded - *extent) / windows.strides[i] + 1);
  }
  if (!isArray(type.clone(shape)))
    return emitOptionalError(loc, type, " with its padding becomes too large");
  return counts;
}

LogicalResult weft::inferWindows(std::optional<Location> loc,
                                 ValueRange operands, unsigned count,
                                 ArrayRef<DenseI64ArrayAttr> attributes,
                                 SmallVectorImpl<Type> &types) {
  RankedTensorType type = firstOperandType(loc, operands, count);
  if (!type || !llvm::all_of(attributes, [](auto attr) { return !!attr; }))
    return failure();
  Windows windows(attributes[0], attributes[1], attributes[2], attributes[3],
                  attributes[4], attributes[5]);
  auto dims = llvm::to_vector(llvm::seq<int64_t>(type.getRank()));
  FailureOr<SmallVector<int64_t>> counts =
      inferWindowCounts(loc, type, dims, windows);
  if (failed(counts))
    return failure();
  RankedTensorType result = type.clone(*counts);
  // windows_c4: a weight for each element, and a key for each window.
  if (count == 3 &&
      (operands[1].getType() != type || operands[2].getType() != result))
    return emitOptionalError(
        loc, "needs weights of type ", type, " and keys of type ", result,
        ", got ", operands[1].getType(), " and ", operands[2].getType());
  types.push_back(result);
  return success();
}

SmallVector<Value> weft::batchWindows(Operation *op, OpBuilder &b, Location loc,
                                      ValueRange operands,
                                      const llvm::SmallBitVector &batched,
                                      int64_t size) {
  SmallVector<Value> results = widen(op, b, loc, operands, batched, size);
  Operation *wide = results.front().getDefiningOp();
  auto put = [&](StringRef name, int64_t first) {
    auto own = op->getAttrOfType<DenseI64ArrayAttr>(name);
    wide->setAttr(name, b.getDenseI64ArrayAttr(behind(first, own)));
  };
  for (StringRef name :
       {"window", "strides", "base_dilation", "window_dilation"})
    put(name, 1);
  for (StringRef name : {"low", "high"})
    put(name, 0);
  return results;
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

static bool hasNoElements(Tensor x) { return x.type().getNumElements() == 0; }

static Tensor windowSum(Tensor x, const Windows &windows) {
  return x.with(x.b->createOrFold<ReduceWindowSumOp>(
      x.loc, x.value, windows.window, windows.strides, windows.low,
      windows.high, windows.baseDilation, windows.windowDilation));
}

static Tensor sumWhereEqual(Tensor x, Tensor weight, Tensor key,
                            const Windows &windows) {
  return x.with(x.b->createOrFold<SumWhereEqualOp>(
      x.loc, x.value, weight.value, key.value, windows.window, windows.strides,
      windows.low, windows.high, windows.baseDilation, windows.windowDilation));
}

static ArrayRef<int64_t> shapeOf(Value x) {
  return cast<RankedTensorType>(x.getType()).getShape();
}

namespace {
/// Windows side by side, as of pooling: an array is such tiles, and what is
/// left over at the ends of dimensions.
class Tiles {
public:
  static std::optional<Tiles> of(const Windows &windows,
                                 ArrayRef<int64_t> operand,
                                 ArrayRef<int64_t> result) {
    Tiles tiles(operand);
    bool isTiled = false;
    for (size_t dim = 0; dim < windows.rank(); ++dim) {
      int64_t size = windows.window[dim], low = windows.low[dim];
      bool isOne = size == 1 && windows.strides[dim] == 1;
      if (!(isOne || (windows.strides[dim] == size &&
                      windows.windowDilation[dim] == 1)) ||
          windows.baseDilation[dim] != 1 || low != 0 ||
          result[dim] * size > operand[dim])
        return std::nullopt;
      tiles.counts.push_back(tiles.split.size());
      tiles.split.push_back(result[dim]);
      if (!isOne)
        tiles.split.push_back(size);
      tiles.covered.push_back(result[dim] * size);
      isTiled |= !isOne;
    }
    if (!isTiled)
      return std::nullopt;
    return tiles;
  }

  /// An array with a dimension within each tile behind that of the tiles.
  Tensor inTiles(Tensor x) const {
    SmallVector<int64_t> start(shape.size(), 0), stride(shape.size(), 1);
    return reshape(covered == shape ? x : slice(x, start, covered, stride),
                   split);
  }
  /// What there is of each tile, for each of its elements.
  Tensor repeated(Tensor x) const { return broadcast(x, split, counts); }
  /// An array of tiles as it was, with zeros where none is.
  Tensor joined(Tensor x) const {
    SmallVector<int64_t> none(shape.size(), 0), after;
    for (auto [size, part] : llvm::zip_equal(shape, covered))
      after.push_back(size - part);
    x = reshape(x, covered);
    return covered == shape ? x : pad(x, 0.0, none, after, none);
  }

private:
  explicit Tiles(ArrayRef<int64_t> shape) : shape(shape) {}

  SmallVector<int64_t> shape, covered, split, counts;
};
} // namespace

/// For each element of an array the sum of what the windows have that it is in.
static Tensor transposedSum(Tensor ct, ArrayRef<int64_t> operand,
                            const Windows &windows) {
  ArrayRef<int64_t> result = ct.type().getShape();
  if (auto tiles = Tiles::of(windows, operand, result))
    return tiles->joined(tiles->repeated(ct));
  return windowSum(ct, windows.transposed(operand, result));
}

/// The same of those windows whose keys it equals.
static Tensor transposedWhereEqual(Tensor x, Tensor ct, Tensor key,
                                   const Windows &windows) {
  ArrayRef<int64_t> operand = x.type().getShape(),
                    result = ct.type().getShape();
  if (auto tiles = Tiles::of(windows, operand, result)) {
    Tensor each = tiles->repeated(ct);
    Tensor isEqual = equal(tiles->inTiles(x), tiles->repeated(key));
    return tiles->joined(select(isEqual, each, zeros(each)));
  }
  return sumWhereEqual(key, ct, x, windows.transposed(operand, result));
}

SmallVector<Value> ReduceWindowSumOp::buildPullback(OpBuilder &b, Location loc,
                                                    ValueRange cotangents) {
  Tensor ct = TensorOperands(b, loc)(cotangents[0]);
  return eachOperand(*this, [&](unsigned) -> Tensor {
    if (hasNoElements(ct) || hasNoElements(ct.with(getX())))
      return none;
    return transposedSum(ct, shapeOf(getX()), getWindows());
  });
}

namespace {
/// The extremes of windows, and how many elements of each window equal it.
struct Extremes {
  Tensor x, extreme;
  Windows windows;

  bool isEmpty() const { return hasNoElements(x) || hasNoElements(extreme); }

  Tensor tangent(Tensor t) const {
    return sumWhereEqual(x, t, extreme, windows) / count();
  }
  Tensor pullback(Tensor ct) const {
    return transposedWhereEqual(x, ct / count(), extreme, windows);
  }

private:
  Tensor count() const {
    Tensor ones = constant(x, 1.0);
    Tensor hits = sumWhereEqual(x, ones, extreme, windows);
    if (eachHasElements())
      return hits;
    // A window of padding alone is constant: 0 / 1.
    Tensor isPadding = equal(windowSum(ones, windows), zeros(extreme));
    return hits + convert(isPadding, extreme.type().getElementType());
  }

  /// Whether no window can lie between the elements or beyond them.
  bool eachHasElements() const {
    for (size_t dim = 0; dim < windows.rank(); ++dim) {
      int64_t reach = windows.extent(dim) - 1;
      if (windows.baseDilation[dim] != 1 || windows.low[dim] > reach ||
          windows.high[dim] > reach ||
          windows.windowDilation[dim] > x.type().getDimSize(dim))
        return false;
    }
    return true;
  }
};
} // namespace

template <typename Op>
static SmallVector<Value> pullbackOfExtremes(Op op, OpBuilder &b, Location loc,
                                             Value cotangent) {
  TensorOperands tensor(b, loc);
  Extremes extremes{tensor(op.getX()), tensor(op.getResult()), op.getWindows()};
  return eachOperand(op, [&](unsigned) -> Tensor {
    return extremes.isEmpty() ? none : extremes.pullback(tensor(cotangent));
  });
}

template <typename Op>
static SmallVector<Value> tangentOfExtremes(Op op, OpBuilder &b, Location loc,
                                            ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Extremes extremes{tensor(op.getX()), tensor(op.getResult()), op.getWindows()};
  return sumOfTangents(op, b, loc, tangents, [&](unsigned, Tensor t) -> Tensor {
    return extremes.isEmpty() ? none : extremes.tangent(t);
  });
}

SmallVector<Value> ReduceWindowMaxOp::buildPullback(OpBuilder &b, Location loc,
                                                    ValueRange cotangents) {
  return pullbackOfExtremes(*this, b, loc, cotangents[0]);
}
SmallVector<Value> ReduceWindowMinOp::buildPullback(OpBuilder &b, Location loc,
                                                    ValueRange cotangents) {
  return pullbackOfExtremes(*this, b, loc, cotangents[0]);
}
SmallVector<Value> ReduceWindowMaxOp::buildTangents(OpBuilder &b, Location loc,
                                                    ValueRange tangents) {
  return tangentOfExtremes(*this, b, loc, tangents);
}
SmallVector<Value> ReduceWindowMinOp::buildTangents(OpBuilder &b, Location loc,
                                                    ValueRange tangents) {
  return tangentOfExtremes(*this, b, loc, tangents);
}

// It is linear in the weights alone. Element j is in window i as window i is in
// element j's, so that the transpose compares the same pairs.
SmallVector<Value> SumWhereEqualOp::buildPullback(OpBuilder &b, Location loc,
                                                  ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Tensor x = tensor(getX()), key = tensor(getKey());
  return eachOperand(*this, [&](unsigned operand) -> Tensor {
    if (operand != 1 || hasNoElements(x) || hasNoElements(key))
      return none;
    return transposedWhereEqual(x, tensor(cotangents[0]), key, getWindows());
  });
}

SmallVector<Value> SumWhereEqualOp::buildTangents(OpBuilder &b, Location loc,
                                                  ValueRange tangents) {
  return sumOfTangents(
      *this, b, loc, tangents, [&](unsigned operand, Tensor t) -> Tensor {
        if (operand != 1)
          return none;
        return sumWhereEqual(t.with(getX()), t, t.with(getKey()), getWindows());
      });
}
