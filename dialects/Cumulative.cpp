// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running values along an axis: type inference, batching, derivatives. The
// derivative of each is a linear recurrence, which takes linear time and no
// division, and whose own derivatives are linear recurrences.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

LogicalResult weft::inferAlongAxis(std::optional<Location> loc,
                                   ValueRange operands, unsigned count,
                                   IntegerAttr axis,
                                   SmallVectorImpl<Type> &types) {
  RankedTensorType type = firstOperandType(loc, operands, count);
  if (!type)
    return failure();
  // along_axis_c1: operands of one type.
  for (Value operand : operands)
    if (operand.getType() != type)
      return emitOptionalError(loc, "needs operands of one type, got ", type,
                               " and ", operand.getType());
  // along_axis_c2: the axis exists.
  int64_t dim = axis ? axis.getInt() : -1;
  if (dim < 0 || dim >= type.getRank())
    return emitOptionalError(loc, "axis ", dim, " does not exist in ", type);
  types.push_back(type);
  return success();
}

SmallVector<Value> weft::batchAlongAxis(Operation *op, OpBuilder &b,
                                        Location loc, ValueRange operands,
                                        const llvm::SmallBitVector &batched,
                                        int64_t size) {
  SmallVector<Value> results = widen(op, b, loc, operands, batched, size);
  Operation *wide = results.front().getDefiningOp();
  int64_t axis = op->getAttrOfType<IntegerAttr>("axis").getInt();
  wide->setAttr("axis", b.getI64IntegerAttr(axis + 1));
  return results;
}

//===----------------------------------------------------------------------===//
// Derivatives
//===----------------------------------------------------------------------===//

/// A walk along an axis, forwards or backwards.
namespace {
struct Walk {
  int64_t axis;
  bool backwards;

  Walk reversed() const { return {axis, !backwards}; }

  /// The element before each one on the walk; `first` for the first.
  Tensor before(Tensor x, double first = 0.0) const {
    int64_t rank = x.type().getRank();
    SmallVector<int64_t> start(rank, 0), limit(x.type().getShape()),
        ones(rank, 1), none(rank, 0), one(rank, 0);
    one[axis] = 1;
    if (backwards)
      start[axis] = 1;
    else
      limit[axis] -= 1;
    Tensor rest = slice(x, start, limit, ones);
    return backwards ? pad(rest, first, none, one, none)
                     : pad(rest, first, one, none, none);
  }

  Tensor recurrence(Tensor a, Tensor b) const {
    return a.with(a.b->createOrFold<LinearRecurrenceOp>(a.loc, a.value, b.value,
                                                        axis, backwards));
  }
  /// y = recurrence(a, b): the cotangent of b.
  Tensor transposed(Tensor a, Tensor ct) const {
    return reversed().recurrence(reversed().before(a), ct);
  }
};
} // namespace

static bool hasNoElements(Value array) {
  return cast<RankedTensorType>(array.getType()).getNumElements() == 0;
}

SmallVector<Value> CumsumOp::buildPullback(OpBuilder &b, Location loc,
                                           ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return eachOperand(*this, [&](unsigned) {
    return tensor(
        b.createOrFold<CumsumOp>(loc, cotangents[0], getAxis(), !getReverse()));
  });
}

// y[i] = a[i] y[i-1] + b[i], so dy[i] = a[i] dy[i-1] + (da[i] y[i-1] + db[i]).
SmallVector<Value> LinearRecurrenceOp::buildPullback(OpBuilder &b, Location loc,
                                                     ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Walk walk{static_cast<int64_t>(getAxis()), getReverse()};
  Tensor ctB = none;
  return eachOperand(*this, [&](unsigned operand) -> Tensor {
    if (hasNoElements(getResult()))
      return none;
    if (!ctB)
      ctB = walk.transposed(tensor(getA()), tensor(cotangents[0]));
    return operand == 0 ? ctB * walk.before(tensor(getResult())) : ctB;
  });
}

SmallVector<Value> LinearRecurrenceOp::buildTangents(OpBuilder &b, Location loc,
                                                     ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Walk walk{static_cast<int64_t>(getAxis()), getReverse()};
  if (!isInexactArray(getType()) || hasNoElements(getResult()))
    return {Value()};
  Tensor t = none;
  if (tangents[0])
    t = tensor(tangents[0]) * walk.before(tensor(getResult()));
  if (tangents[1])
    t = t + tensor(tangents[1]);
  return {t ? walk.recurrence(tensor(getA()), t).value : Value()};
}

// y[i] = x[i] y[i-1], so dy[i] = x[i] dy[i-1] + dx[i] y[i-1].
SmallVector<Value> CumprodOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Walk walk{static_cast<int64_t>(getAxis()), getReverse()};
  return eachOperand(*this, [&](unsigned) -> Tensor {
    if (hasNoElements(getResult()))
      return none;
    return walk.transposed(tensor(getX()), tensor(cotangents[0])) *
           walk.before(tensor(getResult()), 1.0);
  });
}

SmallVector<Value> CumprodOp::buildTangents(OpBuilder &b, Location loc,
                                            ValueRange tangents) {
  Walk walk{static_cast<int64_t>(getAxis()), getReverse()};
  return sumOfTangents(
      *this, b, loc, tangents, [&](unsigned, Tensor t) -> Tensor {
        if (hasNoElements(getResult()))
          return none;
        return walk.recurrence(t.with(getX()),
                               t * walk.before(t.with(getResult()), 1.0));
      });
}

namespace {
/// A running extreme is the mean of the elements so far that equal it: a sum
/// that starts anew where the extreme changes, over their number.
struct RunningMean {
  Walk walk;
  Tensor isHit, goesOn, count;

  RunningMean(Walk walk, Tensor x, Tensor extreme) : walk(walk) {
    Type element = x.type().getElementType();
    isHit = equal(x, extreme);
    goesOn = convert(equal(extreme, walk.before(extreme)), element);
    count = walk.recurrence(goesOn, convert(isHit, element));
  }
  Tensor tangent(Tensor t) const {
    return walk.recurrence(goesOn, select(isHit, t, zeros(t))) / count;
  }
  Tensor pullback(Tensor ct) const {
    return select(isHit, walk.transposed(goesOn, ct / count), zeros(ct));
  }
};
} // namespace

template <typename Op>
static SmallVector<Value> pullbackOfRunning(Op op, OpBuilder &b, Location loc,
                                            Value cotangent) {
  TensorOperands tensor(b, loc);
  Walk walk{static_cast<int64_t>(op.getAxis()), op.getReverse()};
  return eachOperand(op, [&](unsigned) -> Tensor {
    if (hasNoElements(op.getResult()))
      return none;
    return RunningMean(walk, tensor(op.getX()), tensor(op.getResult()))
        .pullback(tensor(cotangent));
  });
}

template <typename Op>
static SmallVector<Value> tangentOfRunning(Op op, OpBuilder &b, Location loc,
                                           ValueRange tangents) {
  Walk walk{static_cast<int64_t>(op.getAxis()), op.getReverse()};
  return sumOfTangents(op, b, loc, tangents, [&](unsigned, Tensor t) -> Tensor {
    if (hasNoElements(op.getResult()))
      return none;
    return RunningMean(walk, t.with(op.getX()), t.with(op.getResult()))
        .tangent(t);
  });
}

SmallVector<Value> CummaxOp::buildPullback(OpBuilder &b, Location loc,
                                           ValueRange cotangents) {
  return pullbackOfRunning(*this, b, loc, cotangents[0]);
}
SmallVector<Value> CumminOp::buildPullback(OpBuilder &b, Location loc,
                                           ValueRange cotangents) {
  return pullbackOfRunning(*this, b, loc, cotangents[0]);
}
SmallVector<Value> CummaxOp::buildTangents(OpBuilder &b, Location loc,
                                           ValueRange tangents) {
  return tangentOfRunning(*this, b, loc, tangents);
}
SmallVector<Value> CumminOp::buildTangents(OpBuilder &b, Location loc,
                                           ValueRange tangents) {
  return tangentOfRunning(*this, b, loc, tangents);
}

namespace {
/// A running log(sum(exp(x))) is the mean of the elements so far, weighted by
/// exp(x[j]) over the sum so far: a recurrence of the means, as the sums grow.
struct RunningSoftmax {
  Walk walk;
  Tensor goesOn, weight;

  RunningSoftmax(Walk walk, Tensor x, Tensor total) : walk(walk) {
    Tensor isNothing = equal(total, constant(total, negativeInfinity));
    Tensor before = walk.before(total, negativeInfinity);
    goesOn = part(before, total, isNothing);
    weight = part(x, total, isNothing);
  }
  Tensor tangent(Tensor t) const { return walk.recurrence(goesOn, weight * t); }
  Tensor pullback(Tensor ct) const {
    return weight * walk.transposed(goesOn, ct);
  }

private:
  static constexpr double negativeInfinity =
      -std::numeric_limits<double>::infinity();

  /// exp(x - total). Equal infinities have no difference; of nothing there are
  /// no parts.
  static Tensor part(Tensor x, Tensor total, Tensor isNothing) {
    Tensor ratio = exp(select(equal(x, total), zeros(x), x - total));
    return select(isNothing, zeros(x), ratio);
  }
};
} // namespace

SmallVector<Value> CumlogsumexpOp::buildPullback(OpBuilder &b, Location loc,
                                                 ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Walk walk{static_cast<int64_t>(getAxis()), getReverse()};
  return eachOperand(*this, [&](unsigned) -> Tensor {
    if (hasNoElements(getResult()))
      return none;
    return RunningSoftmax(walk, tensor(getX()), tensor(getResult()))
        .pullback(tensor(cotangents[0]));
  });
}

SmallVector<Value> CumlogsumexpOp::buildTangents(OpBuilder &b, Location loc,
                                                 ValueRange tangents) {
  Walk walk{static_cast<int64_t>(getAxis()), getReverse()};
  return sumOfTangents(
      *this, b, loc, tangents, [&](unsigned, Tensor t) -> Tensor {
        if (hasNoElements(getResult()))
          return none;
        return RunningSoftmax(walk, t.with(getX()), t.with(getResult()))
            .tangent(t);
      });
}
