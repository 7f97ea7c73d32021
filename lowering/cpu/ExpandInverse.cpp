// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inverse trigonometric functions of f32: minimax polynomials on the interval
// that the usual identities lead to (Cody & Waite, Software Manual for the
// Elementary Functions, 1980). The fits are our own.

#include "lowering/cpu/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// (asin(x) - x) / x^3 by x^2, |x| <= 1/2, to 2^-31.7 of asin.
constexpr double arcsine[] = {0.166666597, 0.0750052184, 0.0445133969,
                              0.031838648, 0.0143175442, 0.0376916528};
// (atan(x) - x) / x^3 by x^2, |x| <= 1, to 2^-28.7 of atan.
constexpr double arctangent[] = {-0.333333015,  0.199986264,  -0.142650917,
                                 0.109566569,   -0.084164545, 0.0581778698,
                                 -0.0313941576, 0.0110287443, -0.00181865052};

namespace {

/// A multiple of pi / 2, more exactly than f32 holds it.
struct Angle {
  Scalar high, low;
};
} // namespace

constexpr double halfPi = 0x1.921fb6p+0, halfPiRest = -0x1.777a5cp-25;

/// pi/2 times a small number, which is one of floats.
static Angle quarters(Scalar count) {
  return {halfPi * count, halfPiRest * count};
}

/// asin(x) - x, of |x| <= 1/2.
static Scalar arcsineTail(Scalar x, Scalar square) {
  return x * square * polynomial(square, arcsine);
}

/// Beyond 1/2 it is pi/2 - 2 asin(sqrt((1 - x) / 2)).
Scalar expandAsin(Scalar x) {
  Scalar size = absolute(x), isLarge = lt(0.5, size);
  Scalar half = fma(size, -0.5, 0.5);
  Scalar square = select(isLarge, half, x * x);
  Scalar root = select(isLarge, sqrt(half), size);
  Scalar tail = arcsineTail(root, square);
  Sum sum = exactOrderedSum(constant(x, halfPi), -2.0 * root);
  Scalar large = sum.high + (sum.low + fma(tail, -2.0, halfPiRest));
  return copysign(select(isLarge, large, root + tail), x);
}

/// acos is pi/2 - asin, or of large x the asin of the root, doubled.
Scalar expandAcos(Scalar x) {
  Scalar size = absolute(x), isLarge = lt(0.5, size), isNegative = lt(x, 0.0);
  Scalar half = fma(size, -0.5, 0.5);
  Scalar square = select(isLarge, half, x * x);
  Scalar root = select(isLarge, sqrt(half), x);
  Scalar y = root + arcsineTail(root, square);
  Scalar zero = constant(x, 0.0), one = constant(x, 1.0);
  Scalar twoOrZero = select(isNegative, 2.0, zero);
  Angle angle = quarters(select(isLarge, twoOrZero, one));
  Scalar doubled = select(isLarge, y + y, y);
  Scalar isAdded = isLarge ^ (isLarge & isNegative);
  Scalar change = select(isAdded, doubled, -doubled);
  return angle.high + (change + angle.low);
}

/// atan(x) + angle, |x| <= 1.
static Scalar arctangentPast(Angle angle, Scalar x) {
  Scalar square = x * x;
  Scalar tail = fma(x * square, polynomial(square, arctangent), angle.low);
  return angle.high + (x + tail);
}

/// Beyond 1 it is pi/2 - atan(1/x).
Scalar expandAtan(Scalar x) {
  Scalar size = absolute(x), isLarge = lt(1.0, size);
  Scalar zero = constant(x, 0.0), one = constant(x, 1.0);
  Scalar y = arctangentPast(quarters(select(isLarge, one, zero)),
                            select(isLarge, -1.0 / size, size));
  return copysign(y, x);
}

/// The angle of (x, y), by the quotient of the smaller and the larger, from the
/// nearest half axis.
Scalar expandAtan2(Scalar y, Scalar x) {
  Scalar width = absolute(x), height = absolute(y);
  Scalar isSteep = lt(width, height), isLeft = signbit(x);
  Scalar small = select(isSteep, width, height);
  Scalar large = select(isSteep, height, width);
  Scalar zero = constant(x, 0.0), one = constant(x, 1.0);
  // Of two zeros and of two infinities the quotient would be NaN.
  Scalar same = select(eq(large, zero), zero, one);
  Scalar ratio = select(eq(small, large), same, small / large);
  Scalar axis = select(isSteep, one, select(isLeft, 2.0, zero));
  ratio = select(isSteep ^ isLeft, -ratio, ratio);
  return copysign(arctangentPast(quarters(axis), ratio), y);
}

} // namespace weft::expand
