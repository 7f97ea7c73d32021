// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting -> a stable merge sort of each row, without branches on elements;
// searching -> a bisection of a row for each value.
//
// A row is cut into 2^p short runs of one length, padded with elements that
// come last. All runs are sorted at once by exchanging neighbours, a loop over
// runs innermost. Pairs of runs are then merged from both ends at once: of runs
// of equal length neither can be used up before the other end has met it.

#include "dialects/Scalar.h"
#include "lowering/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace {

/// The keys of elements and, perhaps, where each came from.
using Columns = SmallVector<Value>;

class RowSorter {
public:
  RowSorter(Location loc, ArrayRef<Type> keys, int64_t size, bool descending,
            bool withPlaces)
      : loc(loc), keys(keys), size(size), descending(descending),
        withPlaces(withPlaces) {
    // Runs of 8 to 16 elements.
    passes = size <= 16 ? 0 : llvm::Log2_64(size / 8);
    runs = int64_t(1) << passes;
    runLength = llvm::divideCeil(size, runs);
  }

  /// The sorted elements, or their places, of a row of the key `xs`, in a
  /// buffer that begins with them.
  Value sort(OpBuilder &b, ValueRange xs, ValueRange row) const {
    Columns sorted = sortRuns(b, xs, row);
    Columns other = emptyColumns(b);
    Value length = index(b, runLength);
    if (passes % 2) {
      other = mergeRuns(b, sorted, other, length);
      std::swap(sorted, other);
      length = index(b, 2 * runLength);
    }
    sorted = mergeTwice(b, sorted, other, length);
    return sorted.back();
  }

private:
  Value index(OpBuilder &b, int64_t value) const {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value add(OpBuilder &b, Value x, Value y) const {
    return arith::AddIOp::create(b, loc, x, y);
  }
  Value subtract(OpBuilder &b, Value x, Value y) const {
    return arith::SubIOp::create(b, loc, x, y);
  }
  Value multiply(OpBuilder &b, Value x, Value y) const {
    return arith::MulIOp::create(b, loc, x, y);
  }

  Columns emptyColumns(OpBuilder &b) const {
    int64_t padded = runs * runLength;
    auto column = [&](Type type) {
      return weft::buildEmpty(b, loc, RankedTensorType::get(padded, type));
    };
    Columns columns;
    for (Type key : keys)
      columns.push_back(column(weft::storedElement(key)));
    if (withPlaces)
      columns.push_back(column(b.getI64Type()));
    return columns;
  }
  Columns load(OpBuilder &b, ValueRange columns, Value place) const {
    return llvm::map_to_vector(columns, [&](Value column) -> Value {
      return tensor::ExtractOp::create(b, loc, column, place);
    });
  }
  Columns store(OpBuilder &b, ValueRange columns, Value place,
                ValueRange values) const {
    Columns stored;
    for (auto [column, value] : llvm::zip_equal(columns, values))
      stored.push_back(tensor::InsertOp::create(b, loc, value, column, place));
    return stored;
  }
  Columns choose(OpBuilder &b, Value condition, ValueRange xs,
                 ValueRange ys) const {
    Columns chosen;
    for (auto [x, y] : llvm::zip_equal(xs, ys))
      chosen.push_back(arith::SelectOp::create(b, loc, condition, x, y));
    return chosen;
  }

  /// Whether x must stand before y: not where all keys are equal.
  Value isBefore(OpBuilder &b, ValueRange x, ValueRange y) const {
    Value before;
    for (int64_t i = keys.size() - 1; i >= 0; --i) {
      Value less = isKeyBefore(b, i, x[i], y[i]);
      if (before) {
        // Where neither is before the other, the later keys decide.
        Value greater = isKeyBefore(b, i, y[i], x[i]);
        Value differs = arith::OrIOp::create(b, loc, less, greater);
        before = arith::SelectOp::create(b, loc, differs, less, before);
      } else {
        before = less;
      }
    }
    return before;
  }
  Value isKeyBefore(OpBuilder &b, size_t key, Value x, Value y) const {
    return descending ? weft::buildIsBefore(b, loc, keys[key], y, x)
                      : weft::buildIsBefore(b, loc, keys[key], x, y);
  }

  /// An element that no other must stand behind.
  Value lastElement(OpBuilder &b, Type element) const {
    Type stored = weft::storedElement(element);
    if (auto type = dyn_cast<ComplexType>(element)) {
      Value part = lastElement(b, type.getElementType());
      return complex::CreateOp::create(b, loc, type, part, part);
    }
    if (auto type = dyn_cast<FloatType>(element)) {
      const llvm::fltSemantics &semantics = type.getFloatSemantics();
      auto last = APFloat::getNaN(semantics);
      if (descending)
        last = APFloat::semanticsHasInf(semantics)
                   ? APFloat::getInf(semantics, /*Negative=*/true)
                   : APFloat::getLargest(semantics, /*Negative=*/true);
      if (stored == type)
        return arith::ConstantOp::create(b, loc, FloatAttr::get(type, last));
      return arith::ConstantOp::create(
          b, loc, IntegerAttr::get(stored, last.bitcastToAPInt()));
    }
    unsigned width = stored.getIntOrFloatBitWidth();
    bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
    APInt least = isUnsigned ? APInt::getMinValue(width)
                             : APInt::getSignedMinValue(width);
    APInt greatest = isUnsigned ? APInt::getMaxValue(width)
                                : APInt::getSignedMaxValue(width);
    return arith::ConstantOp::create(
        b, loc, IntegerAttr::get(stored, descending ? least : greatest));
  }

  //===--------------------------------------------------------------------===//
  // Runs
  //===--------------------------------------------------------------------===//

  /// Loads a row, element i of run j at i * runs + j, sorts, and puts the runs
  /// one behind the other.
  Columns sortRuns(OpBuilder &b, ValueRange xs, ValueRange row) const {
    Columns loaded = weft::buildLoops(
        b, loc, {runLength, runs}, emptyColumns(b),
        [&](OpBuilder &inner, ValueRange at, ValueRange columns) {
          Value place = runPlace(inner, at[1], at[0]);
          return store(inner, columns, columnPlace(inner, at[0], at[1]),
                       loadElement(inner, xs, row, place));
        });
    Columns sorted = exchangeNeighbours(b, loaded);
    return weft::buildLoops(
        b, loc, {runs, runLength}, emptyColumns(b),
        [&](OpBuilder &inner, ValueRange at, ValueRange columns) {
          Value from = columnPlace(inner, at[1], at[0]);
          return store(inner, columns, runPlace(inner, at[0], at[1]),
                       load(inner, sorted, from));
        });
  }

  Value runPlace(OpBuilder &b, Value run, Value i) const {
    return add(b, multiply(b, run, index(b, runLength)), i);
  }
  Value columnPlace(OpBuilder &b, Value i, Value run) const {
    return add(b, multiply(b, i, index(b, runs)), run);
  }

  Columns loadElement(OpBuilder &b, ValueRange xs, ValueRange row,
                      Value place) const {
    SmallVector<Value> at(row);
    bool isPadded = runs * runLength > size;
    Value last = index(b, size - 1);
    at.push_back(isPadded ? Value(arith::MinUIOp::create(b, loc, place, last))
                          : place);
    Columns values;
    for (Value x : xs)
      values.push_back(tensor::ExtractOp::create(b, loc, x, at));
    if (isPadded) {
      Value exists =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, place, last);
      for (auto [value, key] : llvm::zip_equal(values, keys))
        value =
            arith::SelectOp::create(b, loc, exists, value, lastElement(b, key));
    }
    if (withPlaces)
      values.push_back(
          arith::IndexCastOp::create(b, loc, b.getI64Type(), place));
    return values;
  }

  /// In round r, neighbours 2k + r % 2 and the next are exchanged where they
  /// are in the wrong order; as many rounds as elements sort every run.
  Columns exchangeNeighbours(OpBuilder &b, ValueRange columns) const {
    return weft::buildLoops(
        b, loc, runLength, columns,
        [&](OpBuilder &rounds, ValueRange round, ValueRange columns) {
          Value two = index(rounds, 2);
          Value first = arith::RemUIOp::create(rounds, loc, round[0], two);
          return weft::buildLoop(
              rounds, loc, first, index(rounds, runLength - 1), two, columns,
              [&](OpBuilder &pairs, Value i, ValueRange columns) {
                return exchangeRows(pairs, i, columns);
              });
        });
  }

  Columns exchangeRows(OpBuilder &b, Value i, ValueRange columns) const {
    return weft::buildLoops(
        b, loc, runs, columns,
        [&](OpBuilder &inner, ValueRange run, ValueRange columns) {
          Value low = columnPlace(inner, i, run[0]);
          Value high = add(inner, low, index(inner, runs));
          Columns x = load(inner, columns, low), y = load(inner, columns, high);
          Value wrong = isBefore(inner, y, x);
          Columns stored =
              store(inner, columns, low, choose(inner, wrong, y, x));
          return store(inner, stored, high, choose(inner, wrong, x, y));
        });
  }

  //===--------------------------------------------------------------------===//
  // Merging
  //===--------------------------------------------------------------------===//

  /// Merges into the other buffer and back, as long as there are two runs.
  Columns mergeTwice(OpBuilder &b, ValueRange sorted, ValueRange other,
                     Value length) const {
    if (passes < 2)
      return Columns(sorted);
    size_t count = sorted.size();
    SmallVector<Value> state(sorted);
    llvm::append_range(state, other);
    state.push_back(length);
    SmallVector<Value> end = weft::buildLoops(
        b, loc, passes / 2, state,
        [&](OpBuilder &inner, ValueRange, ValueRange state) {
          Value length = state.back();
          Value twice = add(inner, length, length);
          Columns there = mergeRuns(inner, state.take_front(count),
                                    state.slice(count, count), length);
          Columns back =
              mergeRuns(inner, there, state.take_front(count), twice);
          llvm::append_range(back, there);
          back.push_back(add(inner, twice, twice));
          return back;
        });
    end.resize(count);
    return end;
  }

  Columns mergeRuns(OpBuilder &b, ValueRange from, ValueRange to,
                    Value length) const {
    return weft::buildLoop(b, loc, index(b, 0), index(b, runs * runLength),
                           add(b, length, length), to,
                           [&](OpBuilder &inner, Value start, ValueRange to) {
                             return mergePair(inner, from, to, start, length);
                           });
  }

  /// Merges the runs of `length` that begin at `start` and behind it.
  Columns mergePair(OpBuilder &b, ValueRange from, ValueRange to, Value start,
                    Value length) const {
    Value one = index(b, 1);
    Value middle = add(b, start, length);
    Value end = add(b, middle, length);
    SmallVector<Value> state(to);
    state.append(
        {start, middle, subtract(b, middle, one), subtract(b, end, one)});
    SmallVector<Value> merged = weft::buildLoop(
        b, loc, index(b, 0), length, one, state,
        [&](OpBuilder &inner, Value step, ValueRange state) {
          return mergeStep(inner, from, state, add(inner, start, step),
                           subtract(inner, subtract(inner, end, one), step));
        });
    merged.resize(to.size());
    return merged;
  }

  /// One step at either end. The state: the columns, then the places in both
  /// runs from the front, then those from the back.
  SmallVector<Value> mergeStep(OpBuilder &b, ValueRange from, ValueRange state,
                               Value front, Value back) const {
    ValueRange to = state.drop_back(4), places = state.take_back(4);
    Columns left = load(b, from, places[0]), right = load(b, from, places[1]);
    Value takesRight = isBefore(b, right, left);
    Columns lastLeft = load(b, from, places[2]),
            lastRight = load(b, from, places[3]);
    Value takesLeft = isBefore(b, lastRight, lastLeft);

    Columns stored = store(b, to, front, choose(b, takesRight, right, left));
    stored = store(b, stored, back, choose(b, takesLeft, lastLeft, lastRight));
    Value one = index(b, 1);
    Value r =
        arith::IndexCastUIOp::create(b, loc, b.getIndexType(), takesRight);
    Value l = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), takesLeft);
    stored.append({add(b, places[0], subtract(b, one, r)), add(b, places[1], r),
                   subtract(b, places[2], l),
                   subtract(b, places[3], subtract(b, one, l))});
    return stored;
  }

  Location loc;
  SmallVector<Type> keys;
  int64_t size;
  bool descending, withPlaces;
  int64_t passes, runs, runLength;
};

// Pattern: sort(x) axis d -> scf.for over the rows along d { merge sort }
template <typename Op, bool withPlaces>
struct LowerSort final : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op->getOperand(0).getType());
    int64_t rank = type.getRank(), axis = op.getAxis();
    SmallVector<int64_t> toLast;
    for (int64_t dim = 0; dim < rank; ++dim)
      if (dim != axis)
        toLast.push_back(dim);
    toLast.push_back(axis);
    SmallVector<int64_t> back(rank);
    for (auto [to, from] : llvm::enumerate(toLast))
      back[from] = to;

    RankedTensorType to = weft::storedType(op.getType());
    auto xs = llvm::map_to_vector(adaptor.getOperands(), [&](Value x) {
      return permuted(rewriter, loc, x, toLast);
    });
    auto shape = cast<RankedTensorType>(xs[0].getType()).getShape();
    auto keys = llvm::map_to_vector(op->getOperandTypes(), [](Type key) {
      return getElementTypeOrSelf(key);
    });
    RowSorter sorter(loc, keys, shape.back(), op.getDescending(), withPlaces);
    Value empty = weft::buildEmpty(rewriter, loc, to.clone(shape));
    SmallVector<Value> sorted = weft::buildLoops(
        rewriter, loc, shape.drop_back(), empty,
        [&](OpBuilder &b, ValueRange row, ValueRange arrays) {
          Value buffer = sorter.sort(b, xs, row);
          return weft::buildLoops(
              b, loc, shape.back(), arrays,
              [&](OpBuilder &inner, ValueRange i, ValueRange arrays) {
                SmallVector<Value> at(row);
                at.push_back(i[0]);
                Value value = tensor::ExtractOp::create(inner, loc, buffer, i);
                return SmallVector<Value>{
                    tensor::InsertOp::create(inner, loc, value, arrays[0], at)};
              });
        });
    rewriter.replaceOp(op, permuted(rewriter, loc, sorted[0], back));
    return success();
  }

private:
  static Value permuted(OpBuilder &b, Location loc, Value x,
                        ArrayRef<int64_t> order) {
    auto type = cast<RankedTensorType>(x.getType());
    auto shape = llvm::map_to_vector(
        order, [&](int64_t dim) { return type.getDimSize(dim); });
    auto toResult = AffineMap::getPermutationMap(order, b.getContext());
    if (toResult.isIdentity())
      return x;
    return weft::buildRemapped(b, loc, type.clone(shape), x,
                               inversePermutation(toResult));
  }
};

// Pattern: searchsorted(sorted, values) ->
//   each value { count = 0; for each power of two, from the largest {
//     count += power where as many elements exist, the last one before it } }
struct LowerSearchsorted final : OpConversionPattern<weft::SearchsortedOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::SearchsortedOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType to = op.getType();
    Value empty = weft::buildEmpty(rewriter, loc, weft::storedType(to));
    SmallVector<Value> found = weft::buildLoops(
        rewriter, loc, to.getShape(), empty,
        [&](OpBuilder &b, ValueRange place, ValueRange arrays) {
          Value value =
              tensor::ExtractOp::create(b, loc, adaptor.getValues(), place);
          Value count = countBefore(b, op, adaptor.getSorted(), place, value);
          Value element =
              arith::IndexCastOp::create(b, loc, b.getI64Type(), count);
          return SmallVector<Value>{
              tensor::InsertOp::create(b, loc, element, arrays[0], place)};
        });
    rewriter.replaceOp(op, found);
    return success();
  }

private:
  static Value countBefore(OpBuilder &b, weft::SearchsortedOp op, Value sorted,
                           ValueRange place, Value value) {
    Location loc = op.getLoc();
    RankedTensorType rows = op.getSorted().getType();
    int64_t size = rows.getShape().back();
    auto index = [&](OpBuilder &b, int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, loc, value);
    };
    if (size == 0)
      return index(b, 0);
    int64_t bits = llvm::Log2_64(size) + 1;
    SmallVector<Value> state{index(b, 0), index(b, int64_t(1) << (bits - 1))};
    return weft::buildLoops(
        b, loc, bits, state,
        [&](OpBuilder &inner, ValueRange, ValueRange state) {
          Value one = index(inner, 1), last = index(inner, size);
          Value more = arith::AddIOp::create(inner, loc, state[0], state[1]);
          Value some = arith::MinUIOp::create(inner, loc, more, last);
          SmallVector<Value> at(place.take_front(rows.getRank() - 1));
          at.push_back(arith::SubIOp::create(inner, loc, some, one));
          Value element = tensor::ExtractOp::create(inner, loc, sorted, at);
          Value goes = arith::AndIOp::create(
              inner, loc, isBefore(inner, op, element, value),
              arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ule, more,
                                    last));
          return SmallVector<Value>{
              arith::SelectOp::create(inner, loc, goes, more, state[0]),
              arith::ShRUIOp::create(inner, loc, state[1], one)};
        })[0];
  }

  static Value isBefore(OpBuilder &b, weft::SearchsortedOp op, Value element,
                        Value value) {
    Location loc = op.getLoc();
    Type type = op.getSorted().getType().getElementType();
    if (!op.getRight())
      return weft::buildIsBefore(b, loc, type, element, value);
    Value after = weft::buildIsBefore(b, loc, type, value, element);
    Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
    return arith::XOrIOp::create(b, loc, after, yes);
  }
};

} // namespace

/// By real parts, then by imaginary parts; those with a NaN are last, one in
/// the imaginary part before one in the real part.
static Value buildIsComplexBefore(OpBuilder &b, Location loc, ComplexType type,
                                  Value x, Value y) {
  using namespace weft::scalar;
  Scalar first{x, type, &b, loc}, second{y, type, &b, loc};
  Scalar xr = real(first), xi = imag(first), yr = real(second),
         yi = imag(second);
  Scalar xiKnown = eq(xi, xi), yiKnown = eq(yi, yi), yrUnknown = ne(yr, yr);
  Scalar less = lt(xr, yr), greater = lt(yr, xr);
  Scalar same = eq(xr, yr) | (ne(xr, xr) & yrUnknown);
  Scalar byImag = xi.with(
      weft::buildIsBefore(b, loc, type.getElementType(), xi.value, yi.value));
  byImag.type = same.type;
  Scalar before = select(same, byImag, yrUnknown);
  before = select(greater, xiKnown & ~yiKnown, before);
  return select(less, xiKnown | ~yiKnown, before).value;
}

Value weft::buildIsBefore(OpBuilder &b, Location loc, Type element, Value x,
                          Value y) {
  if (auto type = dyn_cast<ComplexType>(element))
    return buildIsComplexBefore(b, loc, type, x, y);
  if (isa<FloatType>(element)) {
    x = scalar::widen({x, element, &b, loc}).value;
    y = scalar::widen({y, element, &b, loc}).value;
    // NaN is after all others: less, or the other is NaN and this one not.
    Value less = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ULT, x, y);
    Value number =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, x, x);
    return arith::AndIOp::create(b, loc, less, number);
  }
  bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
  return arith::CmpIOp::create(
      b, loc,
      isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
}

void weft::populateSortToLinalg(const TypeConverter &types,
                                RewritePatternSet &patterns) {
  patterns.add<LowerSort<weft::SortOp, false>, LowerSort<weft::ArgsortOp, true>,
               LowerSearchsorted>(types, patterns.getContext());
}
