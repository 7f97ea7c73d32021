// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting -> kernels of the runtime, which sort rows; searching -> a bisection
// of a row for each value.

#include "dialects/Scalar.h"
#include "dialects/Weft.h"
#include "lowering/linalg/ToLinalg.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace {

/// How names of kernels spell an element type, that of bools as their bytes.
std::string spell(Type element) {
  if (element.isInteger(1))
    return "ui8";
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

/// Sorts the rows along the last dimension of arrays of one shape by calling
/// kernels of the runtime.
class RowSorter {
public:
  RowSorter(OpBuilder &b, Location loc, bool descending)
      : b(b), loc(loc), descending(descending) {}

  Value sort(Value x, Type element) {
    if (isa<ComplexType>(element))
      return take(x, argsort({x}, {element}));
    auto type = cast<RankedTensorType>(x.getType());
    return call("sort_", element, x, type);
  }

  /// The order by several keys is that by the last one, in which those before
  /// it are put in order one after the other.
  Value argsort(ValueRange xs, ArrayRef<Type> elements) {
    SmallVector<Key> keys;
    for (auto [x, element] : llvm::zip_equal(xs, elements))
      appendKeys(keys, x, element);
    Value order;
    for (auto [key, element] : llvm::reverse(keys))
      order = putInOrder(key, element, order);
    return order;
  }

private:
  using Key = std::pair<Value, Type>;

  Value putInOrder(Value key, Type element, Value before) {
    auto type = cast<RankedTensorType>(key.getType()).clone(b.getI64Type());
    if (!before)
      return call("argsort_", element, key, type);
    return call("argsort_again_", element, {key, before}, type);
  }

  Value call(StringRef kernel, Type element, ValueRange inputs,
             RankedTensorType to) {
    int64_t size = to.getShape().back();
    return weft::LibraryCallOp::create(
               b, loc, to, (kernel + spell(element)).str(),
               {to.getNumElements() / size, size, int64_t(descending)}, inputs,
               weft::buildEmpty(b, loc, to))
        .getResult(0);
  }

  /// A complex number is ordered by whether its parts are NaN, then by them.
  void appendKeys(SmallVectorImpl<Key> &keys, Value x, Type element) {
    auto type = dyn_cast<ComplexType>(element);
    if (!type) {
      keys.push_back({x, element});
      return;
    }
    Type part = type.getElementType(), byte = b.getI8Type();
    Value unknown = map(x, byte, [&](OpBuilder &b, Value z) {
      auto isUnknown = [&](Value part) -> Value {
        Value is = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO,
                                         part, part);
        return arith::ExtUIOp::create(b, loc, byte, is);
      };
      Value re = isUnknown(complex::ReOp::create(b, loc, z));
      Value im = isUnknown(complex::ImOp::create(b, loc, z));
      return arith::AddIOp::create(b, loc,
                                   arith::AddIOp::create(b, loc, re, re), im)
          .getResult();
    });
    Value re = map(x, part, [&](OpBuilder &b, Value z) -> Value {
      return complex::ReOp::create(b, loc, z);
    });
    Value im = map(x, part, [&](OpBuilder &b, Value z) -> Value {
      return complex::ImOp::create(b, loc, z);
    });
    keys.append({{unknown, byte}, {re, part}, {im, part}});
  }

  Value map(Value x, Type element,
            llvm::function_ref<Value(OpBuilder &, Value)> body) {
    auto type = cast<RankedTensorType>(x.getType());
    return weft::buildParallel(
        b, loc, type.clone(element), x,
        b.getMultiDimIdentityMap(type.getRank()),
        [&](OpBuilder &inner, Location, ValueRange element) {
          return SmallVector<Value>{body(inner, element[0])};
        });
  }

  /// The elements of rows in an order.
  Value take(Value x, Value order) {
    auto type = cast<RankedTensorType>(x.getType());
    return weft::buildParallel(
        b, loc, type, order, b.getMultiDimIdentityMap(type.getRank()),
        [&](OpBuilder &inner, Location, ValueRange place) {
          SmallVector<Value> at;
          for (int64_t dim = 0; dim < type.getRank() - 1; ++dim)
            at.push_back(linalg::IndexOp::create(inner, loc, dim));
          at.push_back(arith::IndexCastOp::create(
              inner, loc, inner.getIndexType(), place[0]));
          Value element = tensor::ExtractOp::create(inner, loc, x, at);
          return SmallVector<Value>{element};
        });
  }

  OpBuilder &b;
  Location loc;
  bool descending;
};

// Pattern: sort(x) axis d -> library_call "sort_f32" of the rows along d
template <typename Op> struct LowerSort final : OpConversionPattern<Op> {
  using OpConversionPattern<Op>::OpConversionPattern;

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType to = weft::storedType(op.getType());
    if (to.getNumElements() == 0) {
      rewriter.replaceOp(op, weft::buildEmpty(rewriter, loc, to));
      return success();
    }
    int64_t rank = to.getRank(), axis = op.getAxis();
    SmallVector<int64_t> toLast;
    for (int64_t dim = 0; dim < rank; ++dim)
      if (dim != axis)
        toLast.push_back(dim);
    toLast.push_back(axis);
    SmallVector<int64_t> back(rank);
    for (auto [to, from] : llvm::enumerate(toLast))
      back[from] = to;

    auto xs = llvm::map_to_vector(adaptor.getOperands(), [&](Value x) {
      return permuted(rewriter, loc, x, toLast);
    });
    auto elements = llvm::map_to_vector(op->getOperandTypes(), [](Type key) {
      return getElementTypeOrSelf(key);
    });
    RowSorter sorter(rewriter, loc, op.getDescending());
    Value sorted;
    if constexpr (std::is_same_v<Op, weft::SortOp>)
      sorted = sorter.sort(xs[0], elements[0]);
    else
      sorted = sorter.argsort(xs, elements);
    rewriter.replaceOp(op, permuted(rewriter, loc, sorted, back));
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
//   linalg.generic(values) { count = 0; for each power of two, from the largest
//     { count += power where as many elements exist, the last before it } }
struct LowerSearchsorted final : OpConversionPattern<weft::SearchsortedOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult
  matchAndRewrite(weft::SearchsortedOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = weft::storedType(op.getType());
    auto body = [&](OpBuilder &b, Location loc, ValueRange values) {
      SmallVector<Value> row;
      for (int64_t dim = 0; dim + 1 < op.getSorted().getType().getRank(); ++dim)
        row.push_back(linalg::IndexOp::create(b, loc, dim));
      Value count = countBefore(b, op, adaptor.getSorted(), row, values[0]);
      return SmallVector<Value>{
          arith::IndexCastOp::create(b, loc, type.getElementType(), count)};
    };
    rewriter.replaceOp(op, weft::buildParallel(
                               rewriter, op.getLoc(), type, adaptor.getValues(),
                               rewriter.getMultiDimIdentityMap(type.getRank()),
                               body));
    return success();
  }

private:
  static Value countBefore(OpBuilder &b, weft::SearchsortedOp op, Value sorted,
                           ValueRange row, Value value) {
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
          SmallVector<Value> at(row);
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
  patterns.add<LowerSort<weft::SortOp>, LowerSort<weft::ArgsortOp>,
               LowerSearchsorted>(types, patterns.getContext());
}
