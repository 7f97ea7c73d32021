// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/RecurrenceParts.h"
#include "lowering/Passes.h"
#include "lowering/fusion/Nest.h"
#include "lowering/linalg/ToLinalg.h"
#include "lowering/memory/Buffers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using weft::RecurrenceParts;
using weft::scalar::Scalar;

using Values = SmallVector<Value>;

/// Products of factors of a part may become so large; of what is smaller, A y +
/// B is as good as the steps.
static constexpr double mostGrowth = 16;

/// A and B of each part but the last, in arrays of rows and parts. Of floats, A
/// is NaN where the steps are to be taken.
struct RecurrenceParts::Effects {
  Value a, b;
};

static Value buildIndex(OpBuilder &b, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

/// A step of a loop over the parts of rows.
struct RecurrenceParts::Part {
  ImplicitLocOpBuilder b;
  Values row;
  Value number, begin;

  Part(const RecurrenceParts &all, OpBuilder &builder, Values digits)
      : b(all.loc, builder), row(std::move(digits)), number(row.pop_back_val()),
        begin(arith::MulIOp::create(b, number, index(all.steps))) {}

  Value index(int64_t value) { return buildIndex(b, b.getLoc(), value); }
  /// A loop over its first steps, which `body` knows by their place in the row.
  Values
  follow(Value count, ValueRange carried,
         llvm::function_ref<Values(OpBuilder &, Value, ValueRange)> body) {
    return weft::buildLoop(
        b, b.getLoc(), index(0), count, index(1), carried,
        [&](OpBuilder &inner, Value step, ValueRange carried) {
          Value i = arith::AddIOp::create(inner, b.getLoc(), begin, step);
          return body(inner, i, carried);
        });
  }
  /// Its place in arrays of rows and parts.
  Values place() const {
    Values place(row);
    place.push_back(number);
    return place;
  }
};

RecurrenceParts::RecurrenceParts(const RowWalk &walk)
    : walk(walk), loc(walk.op->getLoc()),
      element(getElementTypeOrSelf(walk.op->getOperand(0).getType())),
      computed(weft::computedElement(element)) {
  // Each thread's way is then about as long as that of the one.
  steps = std::max<int64_t>(std::sqrt(double(walk.length())), 1);
  parts = llvm::divideCeil(walk.length(), steps);
}

bool RecurrenceParts::isFaster(const weft::Gpu &gpu) const {
  if (parts < 2)
    return false;
  // The operands are read twice. A step of the one thread is worth about two.
  int64_t bytes = 2 * walk.numRows() * walk.length() * weft::bytesOf(computed);
  int64_t ways = 2 * steps + 2 * parts;
  return walk.length() > ways + gpu.stepsOf(walk.op, /*launches=*/2, bytes);
}

Value RecurrenceParts::build(OpBuilder &b) const {
  return buildValues(b, buildBefore(b, buildEffects(b)));
}

RankedTensorType RecurrenceParts::typeOfParts() const {
  SmallVector<int64_t> shape(walk.rows);
  shape.push_back(parts - 1);
  return RankedTensorType::get(shape, weft::storedElement(computed));
}

/// Loops over the rows and `last`, which is their last dimension; each step
/// writes to some of the arrays.
static Values buildParallelLoop(
    OpBuilder &b, Location loc, ArrayRef<int64_t> shape, ValueRange arrays,
    llvm::function_ref<Values(OpBuilder &, Values, ValueRange)> body) {
  auto each = [&](OpBuilder &inner, ValueRange number, ValueRange arrays) {
    ImplicitLocOpBuilder at(loc, inner);
    return body(inner, weft::splitDigits(at, number[0], shape), arrays);
  };
  Values results =
      weft::buildLoops(b, loc, llvm::product_of(shape), arrays, each);
  results[0].getDefiningOp()->setAttr(weft::parallelAttr, b.getUnitAttr());
  return results;
}

/// The size of a number, of complex ones within a factor of two.
static Scalar sizeOf(Scalar x) {
  if (!x.isComplex())
    return absolute(x);
  return absolute(real(x)) + absolute(imag(x));
}

RecurrenceParts::Effects RecurrenceParts::buildEffects(OpBuilder &b) const {
  bool isExact = isa<IntegerType>(computed);
  RankedTensorType type = typeOfParts();
  Values effects = {weft::buildEmpty(b, loc, type),
                    weft::buildEmpty(b, loc, type)};
  auto each = [&](OpBuilder &outer, Values digits, ValueRange arrays) {
    Part part(*this, outer, std::move(digits));
    auto scalarOf = [&](OpBuilder &b, Value value) {
      return Scalar{value, computed, &b, loc};
    };
    Value one = weft::scalar::buildConstant(
        outer, loc, type.getElementType(),
        weft::neutral::one(
            RankedTensorType::get(ArrayRef<int64_t>{}, type.getElementType())));
    Scalar a = scalarOf(outer, one), c = constant(a, 0);
    Values before = {a.value, c.value};
    if (!isExact)
      before.push_back(sizeOf(a).value);
    auto step = [&](OpBuilder &inner, Value i, ValueRange carried) {
      Values elements = walk.buildElements(inner, part.row, i);
      // The first value has no part of one before it, and its factor is none.
      Value isFirst = arith::CmpIOp::create(
          inner, loc, arith::CmpIPredicate::eq, i, buildIndex(inner, loc, 0));
      Scalar factor = widen(Scalar{elements[0], element, &inner, loc});
      factor = factor.with(arith::SelectOp::create(
          inner, loc, isFirst, constant(factor, 0).value, factor.value));
      Scalar added = widen(Scalar{elements[1], element, &inner, loc});
      Scalar a = scalarOf(inner, carried[0]) * factor;
      Scalar c = factor * scalarOf(inner, carried[1]) + added;
      Values next = {a.value, c.value};
      if (!isExact) {
        Scalar size = sizeOf(a);
        next.push_back(maximum(size.with(carried[2]), size).value);
      }
      return next;
    };
    Values all = part.follow(part.index(steps), before, step);
    a = scalarOf(outer, all[0]);
    c = scalarOf(outer, all[1]);
    if (!isExact) {
      Scalar growth = sizeOf(a).with(all[2]);
      Scalar isGood =
          le(growth, constant(growth, mostGrowth)) & isFinite(sizeOf(c));
      a = select(isGood, a, constant(a, NAN));
    }
    Values place = part.place();
    return Values{
        tensor::InsertOp::create(outer, loc, a.value, arrays[0], place),
        tensor::InsertOp::create(outer, loc, c.value, arrays[1], place)};
  };
  effects = buildParallelLoop(b, loc, type.getShape(), effects, each);
  return {effects[0], effects[1]};
}

/// Whether A y + B may be far from what the steps come to: they are to be
/// taken, or y is not finite, or A is so small that it has few bits and what it
/// makes of y may be a part of the whole.
static Scalar buildIsUnsafe(Scalar a, Scalar y, Scalar c) {
  Scalar size = sizeOf(a), before = sizeOf(y);
  const llvm::fltSemantics &semantics =
      cast<FloatType>(size.type).getFloatSemantics();
  double smallest = APFloat::getSmallestNormalized(semantics).convertToDouble();
  double fewest = std::ldexp(smallest, APFloat::semanticsPrecision(semantics));
  Scalar mayCount = lt(sizeOf(c), fewest * before);
  return ne(size, size) | ~isFinite(before) |
         (lt(size, constant(size, smallest)) & mayCount);
}

Value RecurrenceParts::buildBefore(OpBuilder &b, const Effects &effects) const {
  auto each = [&](OpBuilder &outer, Values row, ValueRange arrays) {
    // The first part's A is 0.
    Value zero = weft::buildZero(outer, loc, typeOfParts().getElementType());
    Value end = buildIndex(outer, loc, parts - 1);
    Value first = buildIndex(outer, loc, 0), one = buildIndex(outer, loc, 1);
    auto follow = [&](OpBuilder &inner, Value number, ValueRange carried) {
      Values digits(row);
      digits.push_back(number);
      Part part(*this, inner, digits);
      Values place = part.place();
      auto scalarAt = [&](Value array) {
        return Scalar{tensor::ExtractOp::create(inner, loc, array, place),
                      computed, &inner, loc};
      };
      Scalar a = scalarAt(effects.a), c = scalarAt(effects.b);
      Scalar y = a.with(carried[1]);
      Scalar after = a * y + c;
      if (!isa<IntegerType>(computed)) {
        Value isUnsafe = buildIsUnsafe(a, y, c).value;
        Value count = arith::SelectOp::create(inner, loc, isUnsafe,
                                              part.index(steps), part.index(0));
        auto step = [&](OpBuilder &at, Value i, ValueRange y) {
          return Values{buildStep(at, part.row, i, y[0])};
        };
        Value walked = part.follow(count, carried[1], step).front();
        after = after.with(
            arith::SelectOp::create(inner, loc, isUnsafe, walked, after.value));
      }
      Value written =
          tensor::InsertOp::create(inner, loc, after.value, carried[0], place);
      return Values{written, after.value};
    };
    return Values{
        weft::buildLoop(outer, loc, first, end, one, {arrays[0], zero}, follow)
            .front()};
  };
  Value empty = weft::buildEmpty(b, loc, typeOfParts());
  return buildParallelLoop(b, loc, walk.rows, empty, each).front();
}

Value RecurrenceParts::buildStep(OpBuilder &b, ValueRange row, Value i,
                                 Value before) const {
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, i,
                                        buildIndex(b, loc, 0));
  Values elements = walk.buildElements(b, row, i);
  weft::Cumulative op = walk.op;
  return arith::SelectOp::create(b, loc, isFirst,
                                 op.buildStep(b, loc, Value(), elements),
                                 op.buildStep(b, loc, before, elements));
}

Value RecurrenceParts::buildValues(OpBuilder &b, Value before) const {
  SmallVector<int64_t> shape(walk.rows);
  shape.push_back(parts);
  auto each = [&](OpBuilder &outer, Values digits, ValueRange arrays) {
    Part part(*this, outer, std::move(digits));
    // The first part reads what stands before the second.
    Values place(part.row);
    Value previous = arith::SubIOp::create(part.b, part.number, part.index(1));
    place.push_back(arith::MaxSIOp::create(part.b, previous, part.index(0)));
    Value y = tensor::ExtractOp::create(outer, loc, before, place);
    Value count = part.index(steps);
    if (walk.length() % steps != 0)
      count = arith::MinSIOp::create(
          part.b, count,
          arith::SubIOp::create(part.b, part.index(walk.length()), part.begin));
    auto step = [&](OpBuilder &inner, Value i, ValueRange carried) {
      Value y = buildStep(inner, part.row, i, carried[1]);
      return Values{walk.buildWrite(inner, part.row, i, y, carried[0]), y};
    };
    return Values{part.follow(count, {arrays[0], y}, step).front()};
  };
  Value empty = weft::buildEmpty(b, loc, walk.type);
  return buildParallelLoop(b, loc, shape, empty, each).front();
}
