// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting -> a stable merge sort of each row, without branches on elements.
//
// A row is cut into 2^p short runs of one length, padded with elements that
// come last. All runs are sorted at once by exchanging neighbours, a loop over
// runs innermost. Pairs of runs are then merged from both ends at once: of runs
// of equal length neither can be used up before the other end has met it.

#include "dialects/Scalar.h"
#include "lowering/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace {

/// Elements with, perhaps, where each came from.
using Columns = SmallVector<Value>;

class RowSorter {
public:
  RowSorter(Location loc, Type element, int64_t size, bool descending,
            bool withPlaces)
      : loc(loc), element(element), size(size), descending(descending),
        withPlaces(withPlaces) {
    // Runs of 8 to 16 elements.
    passes = size <= 16 ? 0 : llvm::Log2_64(size / 8);
    runs = int64_t(1) << passes;
    runLength = llvm::divideCeil(size, runs);
  }

  /// The sorted elements, or their places, of a row of `x`, in a buffer that
  /// begins with them.
  Value sort(OpBuilder &b, Value x, ValueRange row) const {
    Columns sorted = sortRuns(b, x, row);
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
    Columns columns{column(weft::storedElement(element))};
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

  /// Whether x must stand before y: not where they are equal.
  Value isBefore(OpBuilder &b, Value x, Value y) const {
    if (descending)
      std::swap(x, y);
    if (isa<FloatType>(element)) {
      x = weft::scalar::widen({x, element, &b, loc}).value;
      y = weft::scalar::widen({y, element, &b, loc}).value;
      // NaN is after all others: less, or the other is NaN and this one not.
      Value less =
          arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ULT, x, y);
      Value number =
          arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, x, x);
      return arith::AndIOp::create(b, loc, less, number);
    }
    bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
    return arith::CmpIOp::create(b, loc,
                                 isUnsigned ? arith::CmpIPredicate::ult
                                            : arith::CmpIPredicate::slt,
                                 x, y);
  }

  /// An element that no other must stand behind.
  Value lastElement(OpBuilder &b) const {
    Type stored = weft::storedElement(element);
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
  Columns sortRuns(OpBuilder &b, Value x, ValueRange row) const {
    Columns loaded = weft::buildLoops(
        b, loc, {runLength, runs}, emptyColumns(b),
        [&](OpBuilder &inner, ValueRange at, ValueRange columns) {
          Value place = runPlace(inner, at[1], at[0]);
          return store(inner, columns, columnPlace(inner, at[0], at[1]),
                       loadElement(inner, x, row, place));
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

  Columns loadElement(OpBuilder &b, Value x, ValueRange row,
                      Value place) const {
    SmallVector<Value> at(row);
    bool isPadded = runs * runLength > size;
    Value last = index(b, size - 1);
    at.push_back(isPadded ? Value(arith::MinUIOp::create(b, loc, place, last))
                          : place);
    Columns values{tensor::ExtractOp::create(b, loc, x, at)};
    if (isPadded) {
      Value exists =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, place, last);
      values[0] =
          arith::SelectOp::create(b, loc, exists, values[0], lastElement(b));
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
          Value wrong = isBefore(inner, y[0], x[0]);
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
    Value takesRight = isBefore(b, right[0], left[0]);
    Columns lastLeft = load(b, from, places[2]),
            lastRight = load(b, from, places[3]);
    Value takesLeft = isBefore(b, lastRight[0], lastLeft[0]);

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
  Type element;
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
    auto type = cast<RankedTensorType>(op.getX().getType());
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
    Value x = permuted(rewriter, loc, adaptor.getX(), toLast);
    auto shape = cast<RankedTensorType>(x.getType()).getShape();
    RowSorter sorter(loc, type.getElementType(), shape.back(),
                     op.getDescending(), withPlaces);
    Value empty = weft::buildEmpty(rewriter, loc, to.clone(shape));
    SmallVector<Value> sorted = weft::buildLoops(
        rewriter, loc, shape.drop_back(), empty,
        [&](OpBuilder &b, ValueRange row, ValueRange arrays) {
          Value buffer = sorter.sort(b, x, row);
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

} // namespace

void weft::populateSortToLinalg(const TypeConverter &types,
                                RewritePatternSet &patterns) {
  patterns
      .add<LowerSort<weft::SortOp, false>, LowerSort<weft::ArgsortOp, true>>(
          types, patterns.getContext());
}
