// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivative rules build ops here; zeros and ones disappear on the way.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
namespace weft::calculus {

None::operator Tensor() const { return {Value(), nullptr, LocationAttr()}; }

template <typename Op, typename... Args>
static Tensor build(Tensor x, Args &&...args) {
  return x.with(x.b->createOrFold<Op>(x.loc, std::forward<Args>(args)...));
}

static Attribute constantValue(Tensor x) {
  if (auto op = x.value.getDefiningOp<ConstantOp>())
    return op.getValue();
  return {};
}
/// A tensor that is known to be zero, of either sign.
static bool isZeroConstant(Tensor x) { return isZero(constantValue(x)); }

Tensor constant(Tensor like, double value) {
  return like.with(
      ConstantOp::create(*like.b, like.loc, splatOf(like.type(), value)));
}

Tensor operator+(Tensor x, Tensor y) {
  if (!x || !y)
    return x ? x : y;
  if (isZeroConstant(x) || isZeroConstant(y))
    return isZeroConstant(x) ? y : x;
  return build<AddOp>(x, x.value, y.value);
}
Tensor operator-(Tensor x, Tensor y) {
  if (!x || !y)
    return x ? x : -y;
  return build<SubtractOp>(x, x.value, y.value);
}
Tensor operator*(Tensor x, Tensor y) {
  if (!x || !y)
    return none;
  if (isOne(constantValue(x)))
    return y;
  return build<MultiplyOp>(x, x.value, y.value);
}
Tensor operator/(Tensor x, Tensor y) {
  if (!x)
    return none;
  return build<DivideOp>(x, x.value, y.value);
}
Tensor operator-(Tensor x) {
  if (!x)
    return none;
  return build<NegativeOp>(x, x.value);
}

template <typename Op> static Tensor unary(Tensor x) {
  return build<Op>(x, x.value);
}
Tensor exp(Tensor x) { return unary<ExpOp>(x); }
Tensor log(Tensor x) { return unary<LogOp>(x); }
Tensor sin(Tensor x) { return unary<SinOp>(x); }
Tensor cos(Tensor x) { return unary<CosOp>(x); }
Tensor logistic(Tensor x) { return unary<LogisticOp>(x); }
Tensor sinh(Tensor x) { return unary<SinhOp>(x); }
Tensor cosh(Tensor x) { return unary<CoshOp>(x); }
Tensor rsqrt(Tensor x) { return unary<RsqrtOp>(x); }
Tensor sign(Tensor x) { return unary<SignOp>(x); }
Tensor floorDivide(Tensor x, Tensor y) {
  return build<FloorDivideOp>(x, x.value, y.value);
}
Tensor pow(Tensor x, Tensor y) { return build<PowOp>(x, x.value, y.value); }
Tensor copysign(double x, Tensor y) {
  return build<CopysignOp>(y, constant(y, x).value, y.value);
}
Tensor equal(Tensor x, Tensor y) { return build<EqualOp>(x, x.value, y.value); }
Tensor greater(Tensor x, Tensor y) {
  return build<GreaterOp>(x, x.value, y.value);
}
Tensor select(Tensor condition, Tensor x, Tensor y) {
  return build<SelectOp>(x, condition.value, x.value, y.value);
}
Tensor maximum(Tensor x, Tensor y) {
  return build<MaximumOp>(x, x.value, y.value);
}
Tensor convert(Tensor x, Type elementType) {
  if (!x)
    return none;
  if (isComplexArray(x.type()) && !isa<ComplexType>(elementType))
    x = real(x);
  return build<ConvertOp>(x, x.type().clone(elementType), x.value);
}

Tensor real(Tensor x) {
  return x ? build<RealOp>(x, realLike(x.type()), x.value) : none;
}
Tensor imag(Tensor x) {
  return x ? build<ImagOp>(x, realLike(x.type()), x.value) : none;
}
Tensor conj(Tensor x) { return x ? unary<ConjOp>(x) : none; }
Tensor complexOf(Tensor x, Tensor y) {
  return build<ComplexOp>(x, complexLike(x.type()), x.value, y.value);
}

//===----------------------------------------------------------------------===//
// Rules that do not fit a record
//===----------------------------------------------------------------------===//

// d|x| = Re(conj(s) dx) with s = x / |x|; of a real x that is s dx.
Tensor absTangent(Tensor x, Tensor t) {
  if (!isComplexArray(x.type()))
    return t * sign(x);
  return real(conj(sign(x)) * t);
}
Tensor absCotangent(Tensor x, Tensor ct) {
  if (!isComplexArray(x.type()))
    return ct * sign(x);
  return convert(ct, x.type().getElementType()) * conj(sign(x));
}

/// i w / |x|.
static Tensor turning(Tensor x, Tensor w) {
  Tensor length = build<AbsOp>(x, realLike(x.type()), x.value);
  Tensor isZero = equal(length, zeros(length));
  w = w / select(isZero, constant(length, 1.0), length);
  return complexOf(zeros(w), w);
}
// ds = i s Im(conj(s) dx) / |x|: a sign can only turn.
Tensor signTangent(Tensor x, Tensor sign, Tensor t) {
  if (!isComplexArray(x.type()))
    return none;
  return turning(x, imag(conj(sign) * t)) * sign;
}
// The sum of products of ct and ds is real(ct i s w) = -imag(ct s) w.
Tensor signCotangent(Tensor x, Tensor sign, Tensor ct) {
  if (!isComplexArray(x.type()))
    return none;
  return turning(x, imag(ct * sign)) * conj(sign);
}

Tensor share(Tensor x, Tensor y) {
  Tensor tie = select(equal(x, y), constant(x, 0.5), zeros(x));
  return select(greater(x, y), constant(x, 1.0), tie);
}

Tensor powerByBase(Tensor x, Tensor y) {
  // y x^(y-1), and 0 for y = 0 even where x is 0.
  Tensor slope = y * pow(x, y - 1.0);
  return select(equal(y, zeros(y)), zeros(x), slope);
}
Tensor powerByExponent(Tensor x, Tensor y, Tensor power) {
  // x^y log x, and 0 for x = 0; the inner choice keeps higher derivatives
  // away from log 0.
  Tensor isZero = equal(x, zeros(x));
  Tensor logarithm = log(select(isZero, constant(x, 1.0), x));
  return select(isZero, zeros(x), power * logarithm);
}

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

Tensor broadcast(Tensor x, ArrayRef<int64_t> shape,
                 ArrayRef<int64_t> dimensions) {
  if (!x)
    return none;
  return build<BroadcastOp>(x, x.type().clone(shape), x.value, dimensions);
}
Tensor reshape(Tensor x, ArrayRef<int64_t> shape) {
  if (!x)
    return none;
  return build<ReshapeOp>(x, x.type().clone(shape), x.value);
}
Tensor transpose(Tensor x, ArrayRef<int64_t> permutation) {
  if (!x)
    return none;
  SmallVector<int64_t> shape;
  for (int64_t dim : permutation)
    shape.push_back(x.type().getDimSize(dim));
  return build<TransposeOp>(x, x.type().clone(shape), x.value, permutation);
}
Tensor slice(Tensor x, ArrayRef<int64_t> start, ArrayRef<int64_t> limit,
             ArrayRef<int64_t> stride) {
  if (!x)
    return none;
  return build<SliceOp>(x, x.value, start, limit, stride);
}
Tensor pad(Tensor x, double value, ArrayRef<int64_t> low,
           ArrayRef<int64_t> high, ArrayRef<int64_t> interior) {
  if (!x)
    return none;
  auto scalar = RankedTensorType::get({}, x.type().getElementType());
  Value filler = ConstantOp::create(*x.b, x.loc, splatOf(scalar, value));
  return build<PadOp>(x, x.value, filler, low, high, interior);
}
Tensor reverse(Tensor x, ArrayRef<int64_t> dimensions) {
  if (!x)
    return none;
  return build<ReverseOp>(x, x.value, dimensions);
}
Tensor concatenate(Tensor x, Tensor y, int64_t dimension) {
  return build<ConcatenateOp>(x, ValueRange{x.value, y.value}, dimension);
}
Tensor sum(Tensor x, ArrayRef<int64_t> axes) {
  if (!x)
    return none;
  return build<SumOp>(x, x.value, axes);
}
Tensor restoreAxes(Tensor x, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> kept;
  for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
    if (!llvm::is_contained(axes, dim))
      kept.push_back(dim);
  return broadcast(x, shape, kept);
}

} // namespace weft::calculus

SmallVector<Value>
weft::eachOperand(Operation *op,
                  llvm::function_ref<calculus::Tensor(unsigned)> term) {
  SmallVector<Value> cotangents;
  for (OpOperand &operand : op->getOpOperands())
    cotangents.push_back(isInexactArray(operand.get().getType())
                             ? term(operand.getOperandNumber()).value
                             : Value());
  return cotangents;
}

SmallVector<Value> weft::sumOfTangents(
    Operation *op, OpBuilder &b, Location loc, ValueRange tangents,
    llvm::function_ref<calculus::Tensor(unsigned, calculus::Tensor)> term) {
  calculus::TensorOperands tensor(b, loc);
  calculus::Tensor sum = calculus::none;
  if (isInexactArray(op->getResult(0).getType()))
    for (OpOperand &operand : op->getOpOperands())
      if (Value tangent = tangents[operand.getOperandNumber()])
        sum = sum + term(operand.getOperandNumber(), tensor(tangent));
  return {sum.value};
}

SmallVector<Value> weft::pullbackOfElementwise(Operation *op, OpBuilder &b,
                                               Location loc, Value cotangent,
                                               DerivativeTerm term) {
  calculus::Tensor t = calculus::TensorOperands(b, loc)(cotangent);
  return eachOperand(op,
                     [&](unsigned operand) { return term(op, operand, t); });
}

SmallVector<Value> weft::tangentOfElementwise(Operation *op, OpBuilder &b,
                                              Location loc, ValueRange tangents,
                                              DerivativeTerm term) {
  return sumOfTangents(op, b, loc, tangents,
                       [&](unsigned operand, calculus::Tensor t) {
                         return term(op, operand, t);
                       });
}

SmallVector<Value> weft::applyToTangents(Operation *op, OpBuilder &b,
                                         Location loc, ValueRange tangents) {
  SmallVector<Value> operands;
  bool isZero = true;
  for (auto [operand, tangent] : llvm::zip_equal(op->getOperands(), tangents)) {
    isZero &= !tangent;
    if (tangent || !isInexactArray(operand.getType()))
      operands.push_back(tangent ? tangent : operand);
    else
      operands.push_back(ConstantOp::create(
          b, loc, splatOf(cast<RankedTensorType>(operand.getType()), 0.0)));
  }
  SmallVector<Value> results(op->getNumResults());
  if (isZero)
    return results;
  Operation *copy = b.clone(*op);
  copy->setOperands(operands);
  copy->setLoc(loc);
  for (auto [slot, result] : llvm::zip_equal(results, copy->getResults()))
    if (isInexactArray(result.getType()))
      slot = result;
  return results;
}

SmallVector<int64_t> weft::behind(int64_t first, ArrayRef<int64_t> values) {
  SmallVector<int64_t> all{first};
  llvm::append_range(all, values);
  return all;
}

SmallVector<int64_t> weft::dimsInStack(ArrayRef<int64_t> dims) {
  return llvm::map_to_vector(dims, [](int64_t dim) { return dim + 1; });
}

RankedTensorType weft::stacked(Type type, int64_t size) {
  auto array = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(array.getShape());
  shape.insert(shape.begin() + isTape(type), size);
  return array.clone(shape);
}

Value weft::stack(OpBuilder &b, Location loc, Value x, int64_t size) {
  RankedTensorType type = stacked(x.getType(), size);
  auto dims = llvm::to_vector(llvm::seq<int64_t>(1, type.getRank()));
  return b.createOrFold<BroadcastOp>(loc, type, x, dims);
}

SmallVector<Value> weft::widen(Operation *op, OpBuilder &b, Location loc,
                               ValueRange operands,
                               const llvm::SmallBitVector &batched,
                               int64_t size) {
  SmallVector<Value> stacks;
  for (auto [i, operand] : llvm::enumerate(operands))
    stacks.push_back(batched[i] ? operand : stack(b, loc, operand, size));
  Operation *wide = b.clone(*op);
  wide->setOperands(stacks);
  wide->setLoc(loc);
  for (Value result : wide->getResults())
    result.setType(stacked(result.getType(), size));
  return SmallVector<Value>(wide->getResults());
}
