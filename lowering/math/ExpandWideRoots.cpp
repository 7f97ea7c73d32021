// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of f64 that are written by roots: cbrt by a third of the exponent
// and one step of Newton's method (FreeBSD's s_cbrt.c, 2005), and the inverse
// hyperbolic functions by log1p (fdlibm, 1993).

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// 1 / cbrt(r) by r, which is within some percent of 1, to 2^-23.
constexpr double inverseRoot[] = {
    1.87595182427177009643, -1.88497979543377169875, 1.621429720105354466140,
    -0.758397934778766047437, 0.145996192886612446982};

/// cbrt(x) to some percent: a third of the bits as a number, which is nearly
/// the logarithm. `x` is positive and normal.
static Scalar roughCbrt(Scalar x) {
  constexpr double twoTo52 = 0x1p52, exponents = 715094163;
  Scalar high = shiftRight(bitsOf(x), 32);
  Scalar number = floatOf(high | bitsOf(constant(x, twoTo52))) - twoTo52;
  Scalar third = roundToInteger(number, constant(x, 1.0 / 3)).bits;
  return floatOf(shiftLeft(third + constant(third, exponents), 32));
}

Scalar expandWideCbrt(Scalar x) {
  Scalar size = absolute(x), isSmall = lt(size, 0x1p-1022);
  Scalar scaled = select(isSmall, 0x1p54 * size, size);
  Scalar t = roughCbrt(scaled);
  t = t * polynomial((t * t) * (t / scaled), inverseRoot);
  // To 23 bits, so that the square is exact.
  Scalar bits = bitsOf(t);
  Scalar kept = shiftLeft(shiftRight(bits + constant(bits, 0x1p31), 30), 30);
  t = floatOf(kept);
  Scalar r = scaled / (t * t);
  Scalar y = fma(t, (r - t) / ((t + t) + r), t);
  y = copysign(select(isSmall, 0x1p-18 * y, y), x);
  Scalar isOrdinary = lt(0.0, size) & lt(size, infinity(x));
  return select(isOrdinary, y, x + x);
}

/// log1p(y), or of x beyond 2^57, where nothing else counts, log(2 x).
static Scalar logOfSum(Scalar x, Scalar y) {
  constexpr double log2 = 0.69314718055994530942;
  Scalar isLarge = lt(0x1p57, x), zero = constant(x, 0.0);
  return expandLog1p(select(isLarge, x, y)) + select(isLarge, log2, zero);
}

Scalar expandWideAsinh(Scalar x) {
  Scalar size = absolute(x), square = size * size;
  Scalar root = sqrt(fma(size, size, 1.0));
  return copysign(logOfSum(size, size + square / (1.0 + root)), x);
}

Scalar expandWideAcosh(Scalar x) {
  Scalar rest = x - 1.0;
  Scalar y = logOfSum(x, rest + sqrt(fma(rest, rest, rest + rest)));
  return select(le(1.0, x), y, nan(x));
}

Scalar expandWideAtanh(Scalar x) {
  Scalar size = absolute(x), twice = size + size;
  Scalar y = expandLog1p(fma(twice, size / (1.0 - size), twice));
  return copysign(select(le(size, constant(x, 1.0)), 0.5 * y, nan(x)), x);
}

} // namespace weft::expand
