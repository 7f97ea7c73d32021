// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on one complex number, by that on its parts: products, quotients,
// signs and powers, with NumPy's meaning at zeros, infinities and NaN.

#include "dialects/Scalar.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
namespace weft::scalar {

static Scalar ofType(Scalar like, Value value, Type type) {
  return {value, type, like.b, like.loc};
}

Scalar real(Scalar x) {
  if (!x.isComplex())
    return x;
  Type part = cast<ComplexType>(x.type).getElementType();
  return ofType(x, mlir::complex::ReOp::create(*x.b, x.loc, part, x.value),
                part);
}
Scalar imag(Scalar x) {
  if (!x.isComplex())
    return constant(x, 0.0);
  Type part = cast<ComplexType>(x.type).getElementType();
  return ofType(x, mlir::complex::ImOp::create(*x.b, x.loc, part, x.value),
                part);
}
Scalar complexOf(Scalar real, Scalar imag) {
  Type type = ComplexType::get(real.type);
  return ofType(real,
                mlir::complex::CreateOp::create(*real.b, real.loc, type,
                                                real.value, imag.value),
                type);
}
Scalar conj(Scalar x) { return complexOf(real(x), -imag(x)); }

Scalar reciprocal(Scalar x) {
  return x.isComplex() ? onComplex::reciprocal(x) : 1.0 / x;
}

namespace onComplex {

Scalar multiply(Scalar x, Scalar y) {
  Scalar a = real(x), b = imag(x), c = real(y), d = imag(y);
  return complexOf(a * c - b * d, a * d + b * c);
}

/// Smith's quotient (R. L. Smith, CACM 5, 1962), in NumPy's order: the divisor
/// is divided by its larger part. By zero each part is divided.
Scalar divide(Scalar x, Scalar y) {
  Scalar a = real(x), b = imag(x), c = real(y), d = imag(y);
  Scalar zero = constant(a, 0.0), magnitude = absolute(c);
  Scalar byReal = le(absolute(d), magnitude);
  Scalar byZero = eq(c, zero) & eq(d, zero);
  Scalar larger = select(byReal, c, d), smaller = select(byReal, d, c);
  Scalar ratio = smaller / larger;
  Scalar scale = 1.0 / (larger + smaller * ratio);
  Scalar re = select(byReal, a + b * ratio, a * ratio + b) * scale;
  Scalar im = select(byReal, b - a * ratio, b * ratio - a) * scale;
  return complexOf(select(byZero, a / magnitude, re),
                   select(byZero, b / magnitude, im));
}

Scalar reciprocal(Scalar x) {
  Scalar c = real(x), d = imag(x);
  Scalar byReal = le(absolute(d), absolute(c));
  Scalar larger = select(byReal, c, d), smaller = select(byReal, d, c);
  Scalar ratio = smaller / larger;
  Scalar scale = larger + smaller * ratio;
  Scalar one = 1.0 / scale, part = ratio / scale;
  return complexOf(select(byReal, one, part), -select(byReal, part, one));
}

/// x / |x|, through parts of size 1, so that no magnitude overflows. An
/// infinite part wins; two are a direction that is not known.
Scalar sign(Scalar x) {
  Scalar a = real(x), b = imag(x);
  Scalar zero = constant(a, 0.0), one = constant(a, 1.0);
  Scalar high = maximum(absolute(a), absolute(b));
  Scalar isZero = eq(high, zero);
  Scalar divisor = select(isZero, one, high);
  Scalar infiniteA = isInfinite(a), infiniteB = isInfinite(b);
  auto part = [&](Scalar own, Scalar isOwn) {
    Scalar unit = apply<math::CopySignOp>(one, own);
    Scalar scaled =
        select(infiniteA | infiniteB, select(isOwn, unit, zero), own / divisor);
    return select(infiniteA & infiniteB, infinity(a) - infinity(a), scaled);
  };
  Scalar u = part(a, infiniteA), v = part(b, infiniteB);
  Scalar length = select(isZero, one, hypot(u, v));
  return select(isZero, constant(x, 0.0), complexOf(u / length, v / length));
}

/// x to the power of `count`, an integer of at least 0, by squaring.
static Scalar powerByCount(Scalar x, Scalar count) {
  Scalar one = constant(x, 1.0);
  auto loop = scf::WhileOp::create(
      *x.b, x.loc,
      TypeRange{one.value.getType(), one.value.getType(),
                count.value.getType()},
      ValueRange{one.value, x.value, count.value},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalar n{args[2], count.type, &b, loc};
        scf::ConditionOp::create(b, loc, ne(n, constant(n, 0.0)).value, args);
      },
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalar result{args[0], x.type, &b, loc},
            base = result.with(args[1]), n{args[2], count.type, &b, loc};
        Scalar bit = constant(n, 1.0);
        Scalar odd = ne(n & bit, constant(n, 0.0));
        // 1 times an infinite number is not that number.
        Scalar isFirst = eq(result, constant(result, 1.0));
        Scalar product = select(isFirst, base, result * base);
        Value half = arith::ShRUIOp::create(b, loc, n.value, bit.value);
        scf::YieldOp::create(b, loc,
                             ValueRange{select(odd, product, result).value,
                                        (base * base).value, half});
      });
  return x.with(loop.getResult(0));
}

/// exp(y log x), but for small integers by multiplications, unless these leave
/// the range; 1 for y = 0, and 0 for x = 0 if y has a positive real part.
Scalar power(Scalar x, Scalar y) {
  Scalar c = real(y), d = imag(y), zero = constant(c, 0.0);
  Scalar magnitude = absolute(c);
  Scalar isCount = eq(d, zero) & lt(magnitude, constant(c, 100.0)) &
                   eq(apply<math::FloorOp>(c), c);
  Scalar count = convert(select(isCount, magnitude, zero), x.b->getI32Type());
  Scalar whole = powerByCount(x, count);
  whole = select(lt(c, zero), onComplex::reciprocal(whole), whole);
  Scalar general = exp(y * log(x));
  Scalar nothing = constant(x, 0.0);
  Scalar ofZero = eq(x, nothing) & lt(zero, c);
  return select(isCount & isFinite(whole), whole,
                select(ofZero, nothing, general));
}

/// exp of what does not overflow, as for floats.
Scalar logistic(Scalar x) {
  Scalar a = real(x), isNegative = lt(a, constant(a, 0.0));
  Scalar one = constant(x, 1.0);
  Scalar small = exp(select(isNegative, x, -x));
  return select(isNegative, small, one) / (one + small);
}

} // namespace onComplex
} // namespace weft::scalar
