// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar bodies: what the elementwise records compute on one element.

#include "dialects/Scalar.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
namespace weft::scalar {

static Scalar ofType(Scalar like, Value value, Type type) {
  return {value, type, like.b, like.loc};
}
static Scalar boolean(Scalar like, Value value) {
  return ofType(like, value, like.b->getI1Type());
}
static Scalar constantBits(Scalar like, const APInt &bits) {
  auto attr = IntegerAttr::get(like.value.getType(), bits);
  return like.with(arith::ConstantOp::create(*like.b, like.loc, attr));
}
static Scalar constantFloat(Scalar like, const APFloat &value) {
  auto attr = FloatAttr::get(like.type, value);
  return like.with(arith::ConstantOp::create(*like.b, like.loc, attr));
}

Value buildConstant(OpBuilder &b, Location loc, Type type, Attribute value) {
  if (auto parts = dyn_cast<ArrayAttr>(value))
    return mlir::complex::ConstantOp::create(b, loc, type, parts);
  return arith::ConstantOp::create(b, loc, cast<TypedAttr>(value));
}

Scalar constant(Scalar like, double value) {
  if (like.isComplex()) {
    Scalar part = real(like);
    return complexOf(constant(part, value), constant(part, 0.0));
  }
  if (like.isFloat())
    return like.with(arith::ConstantOp::create(
        *like.b, like.loc, FloatAttr::get(like.type, value)));
  return constantBits(like, APInt(like.width(), static_cast<int64_t>(value),
                                  /*isSigned=*/true, /*implicitTrunc=*/true));
}
Scalar infinity(Scalar like) {
  return constantFloat(
      like, APFloat::getInf(cast<FloatType>(like.type).getFloatSemantics()));
}
Scalar smallest(Scalar like) {
  return constantBits(like, like.isUnsigned()
                                ? APInt::getMinValue(like.width())
                                : APInt::getSignedMinValue(like.width()));
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

template <typename FloatOp, typename SignedOp, typename UnsignedOp = SignedOp>
static Scalar byKind(Scalar x, Scalar y) {
  if (x.isFloat())
    return apply<FloatOp>(x, y);
  return x.isUnsigned() ? apply<UnsignedOp>(x, y) : apply<SignedOp>(x, y);
}

Scalar operator+(Scalar x, Scalar y) {
  if (x.isComplex())
    return complexOf(real(x) + real(y), imag(x) + imag(y));
  return byKind<arith::AddFOp, arith::AddIOp>(x, y);
}
Scalar operator-(Scalar x, Scalar y) {
  if (x.isComplex())
    return complexOf(real(x) - real(y), imag(x) - imag(y));
  return byKind<arith::SubFOp, arith::SubIOp>(x, y);
}
Scalar operator*(Scalar x, Scalar y) {
  if (x.isComplex())
    return onComplex::multiply(x, y);
  return byKind<arith::MulFOp, arith::MulIOp>(x, y);
}
Scalar operator/(Scalar x, Scalar y) {
  if (x.isComplex())
    return onComplex::divide(x, y);
  return byKind<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(x, y);
}
/// What a function gives that changes the sign bit alone, for the narrow float
/// as well, if `x` was one: nothing is rounded then.
template <typename Change>
static Scalar alsoNarrow(Scalar result, Scalar x, const APInt &mask) {
  if (!x.narrow)
    return result;
  Type bits = x.b->getIntegerType(mask.getBitWidth());
  Value asInt = arith::BitcastOp::create(*x.b, x.loc, bits, x.narrow);
  Value changed = Change::create(
      *x.b, x.loc, asInt,
      arith::ConstantOp::create(*x.b, x.loc, IntegerAttr::get(bits, mask)));
  result.narrow = arith::BitcastOp::create(*x.b, x.loc, x.narrowType, changed);
  result.narrowType = x.narrowType;
  return result;
}

static unsigned narrowWidth(Scalar x) {
  return x.narrow ? x.narrowType.getIntOrFloatBitWidth() : 1;
}

Scalar operator-(Scalar x) {
  if (x.isComplex())
    return complexOf(-real(x), -imag(x));
  if (!x.isFloat())
    return constant(x, 0.0) - x;
  return alsoNarrow<arith::XOrIOp>(apply<arith::NegFOp>(x), x,
                                   APInt::getSignMask(narrowWidth(x)));
}
Scalar operator&(Scalar x, Scalar y) { return apply<arith::AndIOp>(x, y); }
Scalar operator|(Scalar x, Scalar y) { return apply<arith::OrIOp>(x, y); }
Scalar operator^(Scalar x, Scalar y) { return apply<arith::XOrIOp>(x, y); }
Scalar operator~(Scalar x) {
  return x ^ constantBits(x, APInt::getAllOnes(x.width()));
}

//===----------------------------------------------------------------------===//
// Comparison and choice
//===----------------------------------------------------------------------===//

static Scalar compare(Scalar x, Scalar y, arith::CmpFPredicate onFloat,
                      arith::CmpIPredicate onSigned,
                      arith::CmpIPredicate onUnsigned) {
  if (x.isFloat())
    return boolean(
        x, arith::CmpFOp::create(*x.b, x.loc, onFloat, x.value, y.value));
  return boolean(x, arith::CmpIOp::create(
                        *x.b, x.loc, x.isUnsigned() ? onUnsigned : onSigned,
                        x.value, y.value));
}

Scalar eq(Scalar x, Scalar y) {
  if (x.isComplex())
    return eq(real(x), real(y)) & eq(imag(x), imag(y));
  return compare(x, y, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq,
                 arith::CmpIPredicate::eq);
}
Scalar ne(Scalar x, Scalar y) {
  if (x.isComplex())
    return ne(real(x), real(y)) | ne(imag(x), imag(y));
  return compare(x, y, arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne,
                 arith::CmpIPredicate::ne);
}
Scalar lt(Scalar x, Scalar y) {
  return compare(x, y, arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt,
                 arith::CmpIPredicate::ult);
}
Scalar le(Scalar x, Scalar y) {
  return compare(x, y, arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle,
                 arith::CmpIPredicate::ule);
}
Scalar select(Scalar condition, Scalar x, Scalar y) {
  if (x.isComplex())
    return complexOf(select(condition, real(x), real(y)),
                     select(condition, imag(x), imag(y)));
  auto choose = [&](Value first, Value second) {
    return arith::SelectOp::create(*x.b, x.loc, condition.value, first, second);
  };
  Scalar chosen = x.with(choose(x.value, y.value));
  if (x.narrow && x.narrowType == y.narrowType) {
    chosen.narrow = choose(x.narrow, y.narrow);
    chosen.narrowType = x.narrowType;
  }
  return chosen;
}
Scalar signbit(Scalar x) {
  Type bits = x.b->getIntegerType(x.width());
  auto asInt =
      ofType(x, arith::BitcastOp::create(*x.b, x.loc, bits, x.value), bits);
  return lt(asInt, constant(asInt, 0.0));
}
Scalar isInfinite(Scalar x) {
  if (x.isComplex())
    return isInfinite(real(x)) | isInfinite(imag(x));
  return eq(absolute(x), infinity(x));
}
Scalar isFinite(Scalar x) {
  if (x.isComplex())
    return isFinite(real(x)) & isFinite(imag(x));
  return lt(absolute(x), infinity(x));
}
Scalar maximum(Scalar x, Scalar y) {
  return byKind<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(x, y);
}
Scalar minimum(Scalar x, Scalar y) {
  return byKind<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(x, y);
}

//===----------------------------------------------------------------------===//
// Sign, quotient and remainder
//===----------------------------------------------------------------------===//

Scalar absolute(Scalar x) {
  if (x.isComplex())
    return hypot(real(x), imag(x));
  if (x.isFloat())
    return alsoNarrow<arith::AndIOp>(apply<math::AbsFOp>(x), x,
                                     APInt::getSignedMaxValue(narrowWidth(x)));
  if (x.isUnsigned())
    return x;
  return select(lt(x, constant(x, 0.0)), -x, x);
}

Scalar sign(Scalar x) {
  if (x.isComplex())
    return onComplex::sign(x);
  Scalar zero = constant(x, 0.0), one = constant(x, 1.0);
  Scalar positive = lt(zero, x), negative = lt(x, zero);
  // Of what is neither, NaN stays and -0.0 becomes 0.0.
  Scalar rest = x.isFloat() ? x + zero : zero;
  Scalar minus = x.isUnsigned() ? zero : constant(x, -1.0);
  return select(positive, one, select(negative, minus, rest));
}

/// Where an integer quotient is undefined, the divisor becomes 1: then MIN / -1
/// is MIN, and x / 0 is left to the caller.
static Scalar safeDivisor(Scalar x, Scalar y) {
  Scalar bad = eq(y, constant(y, 0.0));
  if (!x.isUnsigned())
    bad = bad | (eq(x, smallest(x)) & eq(y, constant(y, -1.0)));
  return select(bad, constant(y, 1.0), y);
}
static Scalar truncatedRemainder(Scalar x, Scalar y) {
  return byKind<arith::RemFOp, arith::RemSIOp, arith::RemUIOp>(x, y);
}
static Scalar signsDiffer(Scalar x, Scalar y) {
  Scalar zero = constant(x, 0.0);
  return lt(x, zero) ^ lt(y, zero);
}

/// numpy.floor_divide: the quotient is corrected by the exact remainder, so
/// that it agrees with `remainder`.
static Scalar floorDivideFloat(Scalar x, Scalar y) {
  Scalar zero = constant(x, 0.0);
  Scalar rest = truncatedRemainder(x, y);
  Scalar adjust = ne(rest, zero) & signsDiffer(y, rest);
  Scalar quotient = (x - rest) / y;
  quotient = select(adjust, quotient - 1.0, quotient);
  Scalar floored = apply<math::FloorOp>(quotient);
  Scalar tooLow = lt(constant(x, 0.5), quotient - floored);
  floored = select(tooLow, 1.0 + floored, floored);
  Scalar signedZero = apply<math::CopySignOp>(zero, x / y);
  floored = select(eq(quotient, zero), signedZero, floored);
  return select(eq(y, zero), x / y, floored);
}

Scalar floorDivide(Scalar x, Scalar y) {
  if (x.isFloat())
    return floorDivideFloat(x, y);
  Scalar zero = constant(x, 0.0), divisor = safeDivisor(x, y);
  Scalar quotient = x / divisor;
  if (!x.isUnsigned()) {
    Scalar inexact = ne(truncatedRemainder(x, divisor), zero);
    quotient =
        select(inexact & signsDiffer(x, divisor), quotient - 1.0, quotient);
  }
  return select(eq(y, zero), zero, quotient);
}

Scalar remainder(Scalar x, Scalar y) {
  Scalar zero = constant(x, 0.0);
  Scalar divisor = x.isFloat() ? y : safeDivisor(x, y);
  Scalar rest = truncatedRemainder(x, divisor);
  if (x.isUnsigned())
    return select(eq(y, zero), zero, rest);
  Scalar inexact = ne(rest, zero);
  Scalar adjusted =
      select(inexact & signsDiffer(y, rest), rest + divisor, rest);
  if (!x.isFloat())
    return select(eq(y, zero), zero, adjusted);
  // An exact quotient leaves a zero of the divisor's sign.
  return select(eq(rest, zero), apply<math::CopySignOp>(zero, y), adjusted);
}

//===----------------------------------------------------------------------===//
// Powers, shifts, and functions of two floats
//===----------------------------------------------------------------------===//

/// Exponentiation by squaring: while (n) { if (n & 1) r *= x; x *= x; n >>= 1 }
static Value squareAndMultiply(Scalar x, Scalar exponent) {
  Value one = constant(x, 1.0).value;
  auto loop = scf::WhileOp::create(
      *x.b, x.loc, TypeRange{one.getType(), one.getType(), one.getType()},
      ValueRange{one, x.value, exponent.value},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalar n{args[2], x.type, &b, loc};
        scf::ConditionOp::create(b, loc, ne(n, constant(n, 0.0)).value, args);
      },
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalar result{args[0], x.type, &b, loc}, base = result.with(args[1]),
                                                 n = result.with(args[2]),
                                                 bit = constant(n, 1.0);
        Scalar odd = ne(n & bit, constant(n, 0.0));
        result = select(odd, result * base, result);
        Scalar half =
            n.with(arith::ShRUIOp::create(b, loc, n.value, bit.value));
        scf::YieldOp::create(
            b, loc, ValueRange{result.value, (base * base).value, half.value});
      });
  return loop.getResult(0);
}

Scalar power(Scalar x, Scalar y) {
  if (x.isComplex())
    return onComplex::power(x, y);
  if (x.isFloat())
    return apply<math::PowFOp>(x, y);
  Scalar positive = x.with(squareAndMultiply(x, y));
  if (x.isUnsigned())
    return positive;
  // Of a negative exponent only the parity matters, and that only to -1.
  Scalar zero = constant(x, 0.0), one = constant(x, 1.0),
         minus = constant(x, -1.0);
  Scalar unit = select(eq(y & one, zero), one, x);
  Scalar isUnit = eq(x, one) | eq(x, minus);
  Scalar negative = select(isUnit, unit, zero);
  return select(lt(y, zero), negative, positive);
}

static Scalar shiftFits(Scalar y) {
  // As an unsigned number a negative amount is too large as well.
  Value width = constant(y, y.width()).value;
  return boolean(y,
                 arith::CmpIOp::create(*y.b, y.loc, arith::CmpIPredicate::ult,
                                       y.value, width));
}
Scalar shiftLeft(Scalar x, Scalar y) {
  Scalar fits = shiftFits(y);
  // Widths are powers of two. LLVM would leave out the comparison for NVIDIA's
  // GPUs if it were of the amount itself, of which they read 32 bits.
  Scalar amount = y & constant(y, y.width() - 1);
  return select(fits, apply<arith::ShLIOp>(x, amount), constant(x, 0.0));
}
Scalar shiftRight(Scalar x, Scalar y) {
  Scalar fits = shiftFits(y);
  if (x.isUnsigned()) {
    Scalar amount = select(fits, y, constant(y, 0.0));
    return select(fits, apply<arith::ShRUIOp>(x, amount), constant(x, 0.0));
  }
  Scalar amount = select(fits, y, constant(y, y.width() - 1));
  return apply<arith::ShRSIOp>(x, amount);
}

Scalar atan2(Scalar x, Scalar y) {
  // The folder of math.atan2 takes the angle of the origin for NaN.
  Scalar zero = constant(x, 0.0), pi = constant(x, 3.14159265358979323846);
  Scalar ofOrigin = apply<math::CopySignOp>(select(signbit(y), pi, zero), x);
  Scalar isOrigin = eq(x, zero) & eq(y, zero);
  return select(isOrigin, ofOrigin, apply<math::Atan2Op>(x, y));
}

Scalar hypot(Scalar x, Scalar y) {
  x = absolute(x), y = absolute(y);
  Scalar zero = constant(x, 0.0), inf = infinity(x);
  Scalar high = maximum(x, y), low = minimum(x, y);
  Scalar ratio = low / select(eq(high, zero), constant(x, 1.0), high);
  Scalar root = high * apply<math::SqrtOp>(1.0 + ratio * ratio);
  // An infinite side wins, over NaN too (IEEE 754-2019, 9.2.1).
  return select(eq(x, inf) | eq(y, inf), inf, root);
}

Scalar logaddexp(Scalar x, Scalar y) {
  Scalar high = maximum(x, y);
  Scalar distance = absolute(x - y);
  Scalar rest = apply<math::Log1pOp>(apply<math::ExpOp>(-distance));
  // Equal infinities have no distance.
  Scalar sum =
      select(eq(x, y), x + constant(x, 0.69314718055994530942), high + rest);
  return sum;
}

Scalar logistic(Scalar x) {
  if (x.isComplex())
    return onComplex::logistic(x);
  // exp of minus the magnitude: exp(-x) overflows where the result is small,
  // but not yet zero.
  Scalar small = apply<math::ExpOp>(-absolute(x)), one = constant(x, 1.0);
  // Tiny ones are their own quotients, and CPUs divide subnormal numbers
  // slowly.
  Scalar isTiny = lt(small, constant(x, 0x1p-60));
  Scalar isNegative = lt(x, constant(x, 0.0));
  Scalar divided = select(isTiny, one, small);
  Scalar quotient = select(isNegative, divided, one) / (1.0 + small);
  return select(isTiny & isNegative, small, quotient);
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

/// Truncates, saturates, and maps NaN to 0.
static Scalar floatToInt(Scalar x, Type type) {
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsigned = type.isUnsignedInteger();
  APInt low =
      isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width);
  APInt high =
      isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  const auto &semantics = cast<FloatType>(x.type).getFloatSemantics();
  // 2^(width) or 2^(width - 1), the first value that is too large, is exact.
  APFloat limit(semantics, 1);
  limit = scalbn(limit, isUnsigned ? width : width - 1,
                 APFloat::rmNearestTiesToEven);
  APFloat bottom(semantics);
  bottom.convertFromAPInt(low, !isUnsigned, APFloat::rmTowardZero);
  Scalar top = constantFloat(x, limit), base = constantFloat(x, bottom);
  Scalar inside = le(base, x) & lt(x, top);
  Scalar safe = select(inside, x, constant(x, 0.0));

  Type raw = signless(type);
  Value cast =
      isUnsigned ? Value(arith::FPToUIOp::create(*x.b, x.loc, raw, safe.value))
                 : arith::FPToSIOp::create(*x.b, x.loc, raw, safe.value);
  Scalar result = ofType(x, cast, type);
  result = select(lt(x, base), constantBits(result, low), result);
  return select(le(top, x), constantBits(result, high), result);
}

static Value resizeInt(Scalar x, Type to) {
  unsigned width = to.getIntOrFloatBitWidth();
  if (width < x.width())
    return arith::TruncIOp::create(*x.b, x.loc, to, x.value);
  if (width == x.width())
    return x.value;
  if (x.isUnsigned())
    return arith::ExtUIOp::create(*x.b, x.loc, to, x.value);
  return arith::ExtSIOp::create(*x.b, x.loc, to, x.value);
}

static Value resizeFloat(Scalar x, Type to) {
  unsigned width = to.getIntOrFloatBitWidth();
  if (width == x.width())
    return x.value;
  if (width < x.width())
    return arith::TruncFOp::create(*x.b, x.loc, to, x.value);
  return arith::ExtFOp::create(*x.b, x.loc, to, x.value);
}

Scalar convert(Scalar x, Type type) {
  if (type.isInteger(1))
    return x.type.isInteger(1) ? x : ne(x, constant(x, 0.0));
  if (auto numbers = dyn_cast<ComplexType>(type)) {
    Type part = numbers.getElementType();
    if (x.isComplex())
      return complexOf(convert(real(x), part), convert(imag(x), part));
    Scalar converted = convert(x, part);
    return complexOf(converted, constant(converted, 0.0));
  }
  Type raw = signless(type);
  if (computedElement(type) != type)
    return narrow(x, type);
  if (isa<FloatType>(type)) {
    if (x.isFloat())
      return ofType(x, resizeFloat(x, raw), type);
    if (x.isUnsigned())
      return ofType(x, arith::UIToFPOp::create(*x.b, x.loc, raw, x.value),
                    type);
    return ofType(x, arith::SIToFPOp::create(*x.b, x.loc, raw, x.value), type);
  }
  if (x.isFloat())
    return floatToInt(x, type);
  return ofType(x, resizeInt(x, raw), type);
}

} // namespace weft::scalar

//===----------------------------------------------------------------------===//
// Neutral elements
//===----------------------------------------------------------------------===//

namespace weft::neutral {

/// The type that elements of an array are accumulated in.
static Type accumulated(RankedTensorType array) {
  return computedElement(array.getElementType());
}
static TypedAttr integer(Type type, const APInt &value) {
  return IntegerAttr::get(signless(type), value);
}

static Attribute number(RankedTensorType array, double value) {
  Type type = accumulated(array);
  if (auto numbers = dyn_cast<ComplexType>(type)) {
    Type part = numbers.getElementType();
    return ArrayAttr::get(type.getContext(), {FloatAttr::get(part, value),
                                              FloatAttr::get(part, 0.0)});
  }
  if (isa<FloatType>(type))
    return FloatAttr::get(type, value);
  return integer(type, APInt(type.getIntOrFloatBitWidth(), value));
}

Attribute zero(RankedTensorType array) { return number(array, 0.0); }
Attribute one(RankedTensorType array) { return number(array, 1.0); }
static TypedAttr extreme(RankedTensorType array, bool low) {
  Type type = accumulated(array);
  if (auto floating = dyn_cast<FloatType>(type))
    return FloatAttr::get(
        type, APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/low));
  unsigned width = type.getIntOrFloatBitWidth();
  if (type.isUnsignedInteger())
    return integer(type,
                   low ? APInt::getMinValue(width) : APInt::getMaxValue(width));
  return integer(type, low ? APInt::getSignedMinValue(width)
                           : APInt::getSignedMaxValue(width));
}
TypedAttr lowest(RankedTensorType array) { return extreme(array, true); }
TypedAttr highest(RankedTensorType array) { return extreme(array, false); }

} // namespace weft::neutral
