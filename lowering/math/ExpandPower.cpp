// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of f32 that are computed in f64 and rounded once: those that would
// lose in f32 what a logarithm has lost before it is multiplied. The fits are
// our own; beside each stands its largest relative error.

#include "lowering/math/ExpandMath.h"
#include <cmath>

using namespace mlir;

namespace weft::expand {

// log2((1 + s) / (1 - s)) / s by s^2, where the quotient is between the roots
// of 1/2 and 2: 2^-43.5.
constexpr double logarithm[] = {2.8853900817778495,  0.96179669411421824,
                                0.57707794211511233, 0.41220927736648566,
                                0.31990467685509760, 0.28291477498651867};
// 2^r, |r| <= 1/2: 2^-32.
constexpr double power[] = {0.9999999999616247,     0.6931471820803489,
                            0.24022651203799908,    0.05550409550358261,
                            0.009618015279265946,   0.0013333105028760592,
                            0.00015474600365036624, 1.559681063050465e-05};
// exp(x^2) erfc(x) by (x - 4) / (x + 4), 0 <= x <= 10.2: 2^-37.
constexpr double tail[] = {
    0.13699945762445781,     -0.2590680487429371,    0.2187196790437537,
    -0.16425781817982413,    0.10896317232260815,    -0.063107782419690797,
    0.031299149449050545,    -0.012844225075865258,  0.0040593913465017204,
    -0.00079840337796582232, -1.787689838968881e-05, 8.061363688605428e-05,
    -2.8437377726870614e-05, -9.8003235023335225e-06};

static Scalar wide(Scalar x) { return convert(x, x.b->getF64Type()); }

/// log2 of what is positive, in f64.
static Scalar logOf(Scalar x) {
  Split parts = split(x);
  Scalar s = parts.f / (2.0 + parts.f);
  Scalar y = fma(s, polynomial(s * s, logarithm), parts.exponent);
  y = select(lt(x, infinity(x)), y, x);
  return select(eq(x, 0.0), -infinity(x), y);
}

/// 2^x in f64, without its ends, to which f32 does not reach.
static Scalar powerOf(Scalar x) {
  x = atLeast(atMost(x, 200), -200);
  Rounded n = roundToInteger(x, constant(x, 1.0));
  return polynomial(x - n.value, power) * powerOfTwo(n.bits, x.type);
}

static Scalar isWhole(Scalar x) { return eq(scalar::floor(x), x); }

Scalar expandPow(Scalar x, Scalar y) {
  Scalar size = absolute(x), one = constant(x, 1.0), half = 0.5 * y;
  Scalar power = isF32(x)
                     ? convert(powerOf(wide(y) * logOf(wide(size))), x.type)
                     : expandWidePow(size, y);
  Scalar isOdd = isWhole(y) & ne(scalar::floor(half), half);
  power = flipSign(power, select(isOdd, signOf(x), constant(signOf(x), 0.0)));
  Scalar isNegative = lt(x, 0.0) & lt(size, infinity(x));
  Scalar isReal = isWhole(y) | eq(isNegative, constant(isNegative, 0.0));
  power = select(isReal, power, nan(x));
  // Whatever the other is, though it be NaN.
  Scalar isOne =
      eq(x, one) | eq(y, 0.0) | (eq(size, one) & eq(absolute(y), infinity(y)));
  return select(isOne, one, power);
}

/// The largest power of f32 that is computed as a product.
constexpr double mostProducts = 16;

std::optional<Scalar> expandSmallPower(Scalar x, double exponent) {
  if (exponent == -1)
    return 1.0 / x;
  if (exponent == 2)
    return x * x;
  if (std::abs(exponent) == 0.5) {
    // Of -0 and of minus infinity a power is not negative.
    Scalar root = scalar::sqrt(x + 0.0);
    if (exponent < 0)
      return select(eq(x, -infinity(x)), 0.0, 1.0 / root);
    return select(eq(x, -infinity(x)), infinity(x), root);
  }
  // In f64 the powers of f32 neither overflow before they are inverted nor lose
  // digits that count.
  double size = std::abs(exponent);
  bool isProduct =
      isF32(x) ? size >= 1 && size <= mostProducts && size == std::floor(size)
               : exponent == 3 || exponent == 4;
  if (!isProduct)
    return std::nullopt;
  auto count = static_cast<unsigned>(size);
  std::optional<Scalar> y;
  for (Scalar square = wide(x); count; count /= 2) {
    if (count % 2)
      y = y ? *y * square : square;
    if (count > 1)
      square = square * square;
  }
  return convert(exponent < 0 ? 1.0 / *y : *y, x.type);
}

Scalar expandCbrt(Scalar x) {
  if (!isF32(x))
    return expandWideCbrt(x);
  Scalar third = constant(wide(x), 1.0 / 3);
  Scalar y = powerOf(third * logOf(wide(absolute(x))));
  return copysign(convert(y, x.type), x);
}

Scalar expandErfc(Scalar x) {
  if (!isF32(x))
    return expandWideErfc(x);
  constexpr double log2e = 1.4426950408889634074;
  Scalar size = atMost(wide(absolute(x)), 10.2);
  Scalar t = (size - 4.0) / (4.0 + size);
  Scalar y = polynomial(t, tail) * powerOf(-log2e * (size * size));
  return convert(select(lt(x, 0.0), 2.0 - y, y), x.type);
}

/// log(x) in f64.
static Scalar naturalOf(Scalar x) { return 0.69314718055994530942 * logOf(x); }

/// y, except of numbers so small that the function is x.
static Scalar unlessSmall(Scalar x, Scalar y) {
  Scalar near = lt(absolute(x), 0x1p-24);
  return select(near, x, copysign(convert(y, x.type), x));
}

Scalar expandAsinh(Scalar x) {
  if (!isF32(x))
    return expandWideAsinh(x);
  Scalar size = wide(absolute(x));
  return unlessSmall(x, naturalOf(size + sqrt(fma(size, size, 1.0))));
}

Scalar expandAcosh(Scalar x) {
  if (!isF32(x))
    return expandWideAcosh(x);
  Scalar size = wide(x);
  Scalar y = naturalOf(size + sqrt(fma(size, size, -1.0)));
  return select(le(1.0, x), convert(y, x.type), nan(x));
}

Scalar expandAtanh(Scalar x) {
  if (!isF32(x))
    return expandWideAtanh(x);
  Scalar size = wide(absolute(x));
  Scalar y = 0.5 * naturalOf((1.0 + size) / (1.0 - size));
  return unlessSmall(x, select(le(size, 1.0), y, nan(y)));
}

} // namespace weft::expand
