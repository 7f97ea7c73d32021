// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementary functions of one complex number, by functions of its parts. Branch
// cuts and special values are those of C99, Annex G; the formulas of the
// inverse functions are those of W. Kahan, "Branch cuts for complex elementary
// functions, or much ado about nothing's sign bit", 1987.

#include "dialects/Scalar.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
namespace weft::scalar {

namespace {

/// A complex number, its parts known.
struct Parts {
  Scalar re, im;
};

constexpr double halfPi = 1.57079632679489661923;

Parts partsOf(Scalar x) { return {real(x), imag(x)}; }
Scalar join(Parts x) { return complexOf(x.re, x.im); }
/// i z and -i z.
Parts turned(Parts z) { return {-z.im, z.re}; }
Parts turnedBack(Parts z) { return {z.im, -z.re}; }

const llvm::fltSemantics &semanticsOf(Scalar x) {
  return cast<FloatType>(x.type).getFloatSemantics();
}
/// 2 to an integer power, which must be in range.
Scalar powerOfTwo(Scalar like, int exponent) {
  return constant(like, std::ldexp(1.0, exponent));
}
int precisionOf(Scalar x) {
  return APFloat::semanticsPrecision(semanticsOf(x));
}
int maxExponentOf(Scalar x) {
  return APFloat::semanticsMaxExponent(semanticsOf(x));
}

Scalar isNaN(Scalar x) { return ne(x, x); }
Scalar isZero(Scalar x) { return eq(x, constant(x, 0.0)); }
Scalar copysign(Scalar x, Scalar y) { return apply<math::CopySignOp>(x, y); }
Scalar notANumber(Scalar like) { return infinity(like) - infinity(like); }

//===----------------------------------------------------------------------===//
// Exponential and logarithm
//===----------------------------------------------------------------------===//

/// The powers of a base.
struct Powers {
  Scalar (*of)(Scalar);
  double (*ofDouble)(double);
  double logOfBase;

  /// An argument whose power is within a factor of 3 of the largest number.
  double largestExponent(Scalar x) const {
    return std::floor(maxExponentOf(x) * (llvm::numbers::ln2 / logOfBase));
  }
};
constexpr Powers ofE{exp, std::exp, 1.0};
constexpr Powers ofTwo{exp2, std::exp2, llvm::numbers::ln2};

/// scale * factor * b^x for an x above the largest exponent and a factor of at
/// most 1: the product may be in range where b^x is not.
Scalar grow(Scalar x, Scalar factor, double scale = 1.0, Powers b = ofE) {
  double most = b.largestExponent(x);
  Scalar limit = constant(x, most), step = constant(x, b.ofDouble(most));
  Scalar rest = x - limit;
  Scalar again = lt(limit, rest);
  factor = factor * step;
  factor = select(again, factor * step, factor);
  return scale * factor * b.of(select(again, rest - limit, rest));
}

/// b^x (cos y + i sin y).
Parts turnedPower(Powers b, Scalar x, Scalar y) {
  Scalar zero = constant(x, 0.0);
  Scalar isLarge = lt(constant(x, b.largestExponent(x)), x);
  Scalar length = b.of(x), c = cos(y), s = sin(y);
  Parts result{select(isLarge, grow(x, c, 1.0, b), length * c),
               select(isLarge, grow(x, s, 1.0, b), length * s)};
  // Of an infinite x the angle need not be known.
  Scalar noAngle = isInfinite(x) & isNaN(y - y);
  Scalar vanishes = lt(x, zero);
  result.re = select(noAngle, select(vanishes, zero, infinity(x)), result.re);
  result.im = select(noAngle, select(vanishes, zero, notANumber(x)), result.im);
  return {select(isZero(y), length, result.re),
          select(isZero(y), y, result.im)};
}

Parts expOf(Parts z) { return turnedPower(ofE, z.re, z.im); }
Parts exp2Of(Parts z) {
  return turnedPower(ofTwo, z.re, llvm::numbers::ln2 * z.im);
}

/// log sqrt(x*x + y*y), accurate near 1 and free of overflow.
Scalar logAbs(Scalar x, Scalar y) {
  x = absolute(x), y = absolute(y);
  Scalar high = maximum(x, y), low = minimum(x, y), one = constant(x, 1.0);
  Scalar isNear = lt(constant(x, 0.5), high) & lt(high, constant(x, 2.0));
  Scalar ratio = low / select(isZero(high), one, high);
  Scalar rest =
      select(isNear, (high - 1.0) * (1.0 + high) + low * low, ratio * ratio);
  Scalar sum = log(select(isNear, one, high)) + 0.5 * log1p(rest);
  return select(isInfinite(x) | isInfinite(y), infinity(x), sum);
}

Parts logOf(Parts z) { return {logAbs(z.re, z.im), atan2(z.im, z.re)}; }

Parts expm1Of(Parts z) {
  Scalar x = z.re, y = z.im;
  Parts whole = expOf(z);
  Scalar half = sin(0.5 * y);
  Scalar small = expm1(x) * cos(y) - 2.0 * (half * half);
  Scalar isSmall = lt(absolute(x), constant(x, 1.0));
  return {select(isSmall, small, whole.re - 1.0), whole.im};
}

Parts log1pOf(Parts z) {
  Scalar x = z.re, y = z.im, moved = 1.0 + x;
  Scalar half = constant(x, 0.5);
  Scalar isSmall = lt(absolute(x), half) & lt(absolute(y), half);
  Scalar small = 0.5 * log1p(x * (x + constant(x, 2.0)) + y * y);
  return {select(isSmall, small, logAbs(moved, y)), atan2(y, moved)};
}

Parts scaled(Parts z, double factor) { return {factor * z.re, factor * z.im}; }

//===----------------------------------------------------------------------===//
// Square root
//===----------------------------------------------------------------------===//

/// With t = sqrt((|x| + |z|) / 2): t + i y/(2 t), or the parts exchanged left
/// of the imaginary axis. Very large and small numbers are scaled by powers
/// of 4.
Parts sqrtOf(Parts z) {
  Scalar x = z.re, y = z.im, one = constant(x, 1.0), zero = constant(x, 0.0);
  int precision = precisionOf(x), most = maxExponentOf(x);
  Scalar high = maximum(absolute(x), absolute(y));
  Scalar isLarge = lt(powerOfTwo(x, most - 3), high);
  Scalar isSmall = lt(high, powerOfTwo(x, 2 * precision - most));
  auto choose = [&](int large, int small) {
    return select(isLarge, powerOfTwo(x, large),
                  select(isSmall, powerOfTwo(x, small), one));
  };
  Scalar scale = choose(-4, 2 * precision), root = choose(2, -precision);
  Scalar a = absolute(x * scale), b = y * scale;
  Scalar t = sqrt(0.5 * (a + hypot(a, b)));
  Scalar other = b / (2.0 * select(isZero(t), one, t));
  t = t * root, other = other * root;
  Scalar isLeft = lt(x, zero);
  Parts result{select(isLeft, absolute(other), t),
               select(isLeft, copysign(t, y), other)};
  Scalar isOrigin = isZero(high), isHigh = isInfinite(y);
  result.re = select(isOrigin, zero, select(isHigh, infinity(x), result.re));
  result.im = select(isOrigin | isHigh, y, result.im);
  return result;
}

//===----------------------------------------------------------------------===//
// Hyperbolic and trigonometric functions
//===----------------------------------------------------------------------===//

/// The products of sinh x and cosh x with factors, where these are too large.
struct Hyperbolic {
  Scalar x, isLarge;

  explicit Hyperbolic(Scalar x)
      : x(x), isLarge(lt(constant(x, ofE.largestExponent(x)), absolute(x))) {}
  Scalar half(Scalar factor) const { return grow(absolute(x), factor, 0.5); }
  Scalar timesSinh(Scalar factor) const {
    Scalar unit = copysign(constant(x, 1.0), x);
    return select(isLarge, unit * half(factor), sinh(x) * factor);
  }
  Scalar timesCosh(Scalar factor) const {
    return select(isLarge, half(factor), cosh(x) * factor);
  }
};

Parts sinhOf(Parts z) {
  Scalar x = z.re, y = z.im;
  Hyperbolic at(x);
  Scalar noAngle = isNaN(y - y);
  Scalar re = at.timesSinh(cos(y)), im = at.timesCosh(sin(y));
  re = select(noAngle & (isInfinite(x) | isZero(x)), x, re);
  re = select(isZero(y), sinh(x), re);
  return {re, select(isZero(y), y, im)};
}

Parts coshOf(Parts z) {
  Scalar x = z.re, y = z.im;
  Hyperbolic at(x);
  Scalar noAngle = isNaN(y - y), zero = constant(x, 0.0);
  Scalar re = at.timesCosh(cos(y)), im = at.timesSinh(sin(y));
  re = select(noAngle & isInfinite(x), infinity(x), re);
  im = select(noAngle & isZero(x), zero, im);
  Scalar signedZero = y * copysign(constant(x, 1.0), x);
  return {select(isZero(y), cosh(x), re), select(isZero(y), signedZero, im)};
}

/// sinh x cosh x / d + i sin y cos y / d with d = sinh^2 x + cos^2 y.
Parts tanhOf(Parts z) {
  Scalar x = z.re, y = z.im, one = constant(x, 1.0);
  // Beyond, sinh and cosh differ by less than half a unit in the last place.
  double far = std::floor((precisionOf(x) + 2) * llvm::numbers::ln2 / 2) + 1;
  Scalar isFar = lt(constant(x, far), absolute(x));
  Scalar sh = sinh(x), ch = cosh(x), s = sin(y), c = cos(y);
  Scalar divisor = sh * sh + c * c;
  Scalar decay = exp(-absolute(x));
  Scalar tail = 4.0 * (s * c) * decay * decay;
  // Of an infinite x the angle need not be known.
  Scalar noAngle = isNaN(y - y), isInfiniteX = isInfinite(x);
  tail = select(noAngle & isInfiniteX, copysign(constant(x, 0.0), y), tail);
  Scalar unit = select(noAngle & ~isInfiniteX, y - y, copysign(one, x));
  Parts result{select(isFar, unit, sh * ch / divisor),
               select(isFar, tail, s * c / divisor)};
  return {select(isZero(x), x, result.re), select(isZero(y), y, result.im)};
}

//===----------------------------------------------------------------------===//
// Their inverses
//===----------------------------------------------------------------------===//

/// sqrt(1 - z) and sqrt(1 + z), of which the inverse functions are made; and
/// what they are made of where z is so large that the 1 is lost.
struct Roots {
  Parts minus, plus;
  Scalar isLarge, logarithm;
};

Roots rootsOf(Parts z) {
  Scalar high = maximum(absolute(z.re), absolute(z.im));
  Scalar isLarge = lt(powerOfTwo(high, precisionOf(high) + 2), high) |
                   isInfinite(z.re) | isInfinite(z.im);
  Scalar ln2 = constant(high, llvm::numbers::ln2);
  return {sqrtOf({1.0 - z.re, -z.im}), sqrtOf({1.0 + z.re, z.im}), isLarge,
          logAbs(z.re, z.im) + ln2};
}

Parts asinOf(Parts z) {
  Scalar x = z.re, y = z.im;
  auto [minus, plus, isLarge, logarithm] = rootsOf(z);
  Scalar re = atan2(x, minus.re * plus.re - minus.im * plus.im);
  Scalar im = asinh(minus.re * plus.im - minus.im * plus.re);
  re = select(isLarge, atan2(x, absolute(y)), re);
  im = select(isLarge, copysign(logarithm, y), im);
  return {select(isZero(x), x, re), im};
}

Parts acosOf(Parts z) {
  Scalar x = z.re, y = z.im;
  auto [minus, plus, isLarge, logarithm] = rootsOf(z);
  Scalar re = 2.0 * atan2(minus.re, plus.re);
  Scalar im = asinh(plus.re * minus.im - plus.im * minus.re);
  re = select(isLarge, atan2(absolute(y), x), re);
  im = select(isLarge, -copysign(logarithm, y), im);
  return {select(isZero(x), constant(x, halfPi), re), im};
}

Parts acoshOf(Parts z) {
  Parts angle = acosOf(z);
  return {absolute(angle.im), copysign(angle.re, z.im)};
}

/// log1p(4 x / ((1-x)^2 + y^2)) / 4 + i atan2(2 y, (1-x)(1+x) - y^2) / 2, in
/// the first quadrant; of large numbers 1 / z and a right angle.
Parts atanhOf(Parts z) {
  Scalar x = absolute(z.re), y = absolute(z.im), one = constant(x, 1.0);
  Scalar high = maximum(x, y), away = 1.0 - x;
  Scalar re = 0.25 * log1p(4.0 * x / (away * away + y * y));
  Scalar im = 0.5 * atan2(2.0 * y, away * (1.0 + x) - y * y);
  // Close to the pole y * y vanishes before y does.
  Scalar isPole = eq(x, one) & lt(y, powerOfTwo(x, -precisionOf(x)));
  re = select(isPole, 0.5 * (constant(x, llvm::numbers::ln2) - log(y)), re);

  Scalar unbounded = isInfinite(x) | isInfinite(y);
  Scalar isLarge = lt(powerOfTwo(x, precisionOf(x) + 2), high) | unbounded;
  Scalar u = x / high, v = y / high;
  Scalar inverse = u / (u * u + v * v) / high;
  inverse = select(unbounded, constant(x, 0.0), inverse);
  Scalar right = select(isNaN(y), y, constant(x, halfPi));
  re = select(isLarge, inverse, re);
  im = select(isLarge, right, im);
  return {select(isZero(x), z.re, copysign(re, z.re)), copysign(im, z.im)};
}

} // namespace

//===----------------------------------------------------------------------===//
// The functions
//===----------------------------------------------------------------------===//

/// The op of `math` on a float, the function of the parts on a complex number.
template <typename Op> static Scalar either(Scalar x, Parts (*onParts)(Parts)) {
  return x.isComplex() ? join(onParts(partsOf(x))) : apply<Op>(x);
}

Scalar exp(Scalar x) { return either<math::ExpOp>(x, expOf); }
Scalar exp2(Scalar x) { return either<math::Exp2Op>(x, exp2Of); }
Scalar expm1(Scalar x) { return either<math::ExpM1Op>(x, expm1Of); }
Scalar log(Scalar x) { return either<math::LogOp>(x, logOf); }
Scalar log1p(Scalar x) { return either<math::Log1pOp>(x, log1pOf); }
Scalar log2(Scalar x) {
  return either<math::Log2Op>(
      x, [](Parts z) { return scaled(logOf(z), 1.0 / llvm::numbers::ln2); });
}
Scalar log10(Scalar x) {
  return either<math::Log10Op>(
      x, [](Parts z) { return scaled(logOf(z), 1.0 / llvm::numbers::ln10); });
}
Scalar sqrt(Scalar x) { return either<math::SqrtOp>(x, sqrtOf); }

// sin z = -i sinh(i z), and so forth.
Scalar sin(Scalar x) {
  return either<math::SinOp>(
      x, [](Parts z) { return turnedBack(sinhOf(turned(z))); });
}
Scalar cos(Scalar x) {
  return either<math::CosOp>(x, [](Parts z) { return coshOf(turned(z)); });
}
Scalar tan(Scalar x) {
  return either<math::TanOp>(
      x, [](Parts z) { return turnedBack(tanhOf(turned(z))); });
}
Scalar sinh(Scalar x) { return either<math::SinhOp>(x, sinhOf); }
Scalar cosh(Scalar x) { return either<math::CoshOp>(x, coshOf); }
Scalar tanh(Scalar x) { return either<math::TanhOp>(x, tanhOf); }
Scalar asin(Scalar x) { return either<math::AsinOp>(x, asinOf); }
Scalar acos(Scalar x) { return either<math::AcosOp>(x, acosOf); }
Scalar atan(Scalar x) {
  return either<math::AtanOp>(
      x, [](Parts z) { return turnedBack(atanhOf(turned(z))); });
}
Scalar asinh(Scalar x) {
  return either<math::AsinhOp>(
      x, [](Parts z) { return turnedBack(asinOf(turned(z))); });
}
Scalar acosh(Scalar x) { return either<math::AcoshOp>(x, acoshOf); }
Scalar atanh(Scalar x) { return either<math::AtanhOp>(x, atanhOf); }

} // namespace weft::scalar
