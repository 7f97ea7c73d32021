// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inverse trigonometric functions: near-minimax polynomials on the interval
// that the usual identities lead to (Cody & Waite, Software Manual for the
// Elementary Functions, 1980). The fits are our own.

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// (asin(x) - x) / x^3 by x^2, |x| <= 1/2, to 2^-31.7 of asin.
constexpr double arcsine[] = {0.166666597, 0.0750052184, 0.0445133969,
                              0.031838648, 0.0143175442, 0.0376916528};
// The same of f64, to 2^-58.7.
constexpr double wideArcsine[] = {
    0.16666666666666666,  0.07500000000000118,   0.044642857142551895,
    0.03038194447553234,  0.02237215744350722,   0.017352816540325496,
    0.01396378001220357,  0.011566459612121669,  0.009621842970100282,
    0.009319560794767446, 0.0030448799094556773, 0.019554513336123378,
    -0.01924167174674304, 0.02961201126495512};
// (atan(x) - x) / x^3 by x^2, |x| <= 1, to 2^-28.7 of atan.
constexpr double arctangent[] = {-0.333333015,  0.199986264,  -0.142650917,
                                 0.109566569,   -0.084164545, 0.0581778698,
                                 -0.0313941576, 0.0110287443, -0.00181865052};
// The same of f64, to 2^-55.2.
constexpr double wideArctangent[] = {
    -0.3333333333333333,    0.1999999999999992,    -0.14285714285701234,
    0.11111111110268297,    -0.0909090906193528,   0.07692307078827029,
    -0.06666657934573768,   0.05882264416776449,   -0.052624922290256754,
    0.04758080083637821,    -0.043306538430670664, 0.03938687540798632,
    -0.035271331066871296,  0.030330719265790507,  -0.024191345810140718,
    0.01718398172211335,    -0.010412153260359241, 0.005140912856746939,
    -0.0019612554271685326, 0.0005376839297396244, -9.371186345052626e-05,
    7.767624330289919e-06};

namespace {

/// A multiple of pi / 2, more exactly than one float holds it.
struct Angle {
  Scalar high, low;
};
} // namespace

/// pi/2, and the rest of it.
static double halfPi(Scalar x) {
  return isF32(x) ? 0x1.921fb6p+0 : 0x1.921fb54442d18p+0;
}
static double halfPiRest(Scalar x) {
  return isF32(x) ? -0x1.777a5cp-25 : 0x1.1a62633145c07p-54;
}

/// pi/2 times a small number, which is one of floats.
static Angle quarters(Scalar count) {
  return {halfPi(count) * count, halfPiRest(count) * count};
}

/// asin(x) - x, of |x| <= 1/2.
static Scalar arcsineTail(Scalar x, Scalar square) {
  return x * square * polynomial(square, arcsine, wideArcsine);
}

/// Beyond 1/2 it is pi/2 - 2 asin(sqrt((1 - x) / 2)).
Scalar expandAsin(Scalar x) {
  Scalar size = absolute(x), isLarge = lt(0.5, size);
  Scalar half = fma(size, -0.5, 0.5);
  Scalar square = select(isLarge, half, x * x);
  Scalar root = select(isLarge, sqrt(half), size);
  Scalar tail = arcsineTail(root, square);
  Sum sum = exactOrderedSum(constant(x, halfPi(x)), -2.0 * root);
  Scalar large = sum.high + (sum.low + fma(tail, -2.0, halfPiRest(x)));
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
  Scalar tail = fma(x * square, polynomial(square, arctangent, wideArctangent),
                    angle.low);
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
