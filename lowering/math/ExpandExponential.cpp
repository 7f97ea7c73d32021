// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exponential functions: the argument is reduced by a multiple of log 2 in two
// parts (Cody & Waite, Software Manual for the Elementary Functions, 1980), a
// minimax polynomial gives the rest. The fits are our own; beside each stands
// its largest error, relative to what is said.

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

constexpr double log2e = 1.4426950408889634074;
// log 2 as f32 and the rest, as f64 and the rest.
constexpr double log2Parts[2][2] = {
    {0x1.62e430p-1, -0x1.05c610p-29},
    {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56}};

// (exp(r) - 1 - r) / r^2, |r| <= log(2) / 2: 2^-28.2 and 2^-61 of exp(r).
constexpr double expF32[] = {0.49999994, 0.166665167, 0.0416681021,
                             0.0083691992, 0.00138390576};
constexpr double expF64[] = {0.5,
                             0.16666666666666677,
                             0.041666666666666678,
                             0.0083333333333214452,
                             0.0013888888888879223,
                             0.00019841269886549862,
                             2.4801587337178908e-05,
                             2.7557243819155693e-06,
                             2.7557261991952605e-07,
                             2.5109162782686139e-08,
                             2.0918690365039915e-09};
// The same, to 2^-31 of exp(r) - 1.
constexpr double expM1F32[] = {0.5,           0.166666672,   0.0416664891,
                               0.00833320711, 0.00139326823, 0.000199454429};
// (2^r - 1) / r, |r| <= 1/2: 2^-26.2 and 2^-57.7 of 2^r.
constexpr double exp2F32[] = {0.693147182,   0.240225941,   0.0555036627,
                              0.00962544698, 0.00133879285, 0.000133334761};
constexpr double exp2F64[] = {
    0.69314718055994529,    0.24022650695910111,    0.05550410866482175,
    0.0096181291076006311,  0.001333355814653576,   0.00015403530450140487,
    1.5252733646146859e-05, 1.3215438331731177e-06, 1.0178154453975721e-07,
    7.0733134853445414e-09, 4.4397556134588058e-10};
// (sinh(x) - x) / x^3 by x^2, |x| <= 1: 2^-31.5 and 2^-61.8 of sinh(x).
constexpr double sinhF32[] = {0.166666672, 0.00833331142, 0.000198426351,
                              2.78393441e-06};
constexpr double sinhF64[] = {0.16666666666666669,    0.0083333333333329151,
                              0.00019841269841589304, 2.7557319108420211e-06,
                              2.5052130696849605e-08, 1.6056684373160639e-10,
                              7.7758115711510235e-13};

namespace {

/// exp(x) = 2^n (1 + r + small), |r| <= log(2) / 2.
struct Reduced {
  Scalar r, small, n;
};
} // namespace

static Reduced reduce(Scalar x, Coefficients coefficients) {
  const auto &[high, low] = log2Parts[isF32(x) ? 0 : 1];
  Rounded n = roundToInteger(x, constant(x, log2e));
  // The first product cancels exactly, of the second little is added.
  Scalar r = fma(n.value, -high, x);
  Sum sum = exactOrderedSum(r, -low * n.value);
  r = sum.high;
  return {r, fma(r * r, polynomial(r, coefficients), sum.low), n.bits};
}

/// 1 + r + small, and n.
static std::pair<Scalar, Scalar> expParts(Scalar x) {
  auto [r, small, n] = reduce(x, isF32(x) ? Coefficients(expF32) : expF64);
  return {1.0 + (r + small), n};
}

/// exp(x) / 2 of x >= 0.
static Scalar halfExp(Scalar x) {
  auto [y, n] = expParts(atMost(x, isF32(x) ? 90 : 711));
  return scale(y, n - 1.0);
}

/// y 2^n, 1/2 <= y < 2, of any size: infinite of an x beyond the highest one
/// that has a number, NaN of NaN. Without arithmetic on subnormal numbers, for
/// which CPUs take a hundred cycles: what is one is computed as an integer.
static Scalar scaleByBits(Scalar y, Scalar n, Scalar x, double highest) {
  unsigned width = digits(x.type);
  double unit = std::ldexp(1.0, width);
  Scalar bits = bitsOf(y) + shiftLeft(n, width);
  // The result in units of the least number, to which adding 2^width rounds.
  Scalar inUnits = floatOf(bits + (bias(x.type) + width - 1.0) * unit);
  Scalar rounded = bitsOf(inUnits + unit) - bitsOf(constant(x, unit));
  Scalar result = floatOf(select(lt(bits, unit), rounded, bits));
  return select(le(x, highest), result, x + infinity(x));
}

// What is less underflows to 0.
Scalar expandExp(Scalar x) {
  auto [y, n] = expParts(atLeast(x, isF32(x) ? -105 : -747));
  return scaleByBits(y, n, x, isF32(x) ? 0x1.62e42ep+6 : 0x1.62e42fefa39efp+9);
}

namespace {
struct Exp2 {
  Scalar y, n;
};
} // namespace

/// 2^x = y 2^n.
static Exp2 exp2Parts(Scalar x) {
  Rounded n = roundToInteger(x, constant(x, 1.0));
  Scalar r = x - n.value;
  return {fma(r, polynomial(r, exp2F32, exp2F64), 1.0), n.bits};
}

Scalar exp2OfNormal(Scalar x) {
  if (isOnNvidia(x))
    return exp2Approx(x);
  auto [y, n] = exp2Parts(x);
  return y * powerOfTwo(n, x.type);
}

Scalar expandExp2(Scalar x) {
  auto [y, n] = exp2Parts(atLeast(x, isF32(x) ? -151 : -1076));
  double limit = isF32(x) ? 0x1.fffffep+6 : 0x1.fffffffffffffp+9;
  return scaleByBits(y, n, x, limit);
}

Scalar exp2OfSum(Sum x) {
  Scalar high = atLeast(atMost(x.high, 1025), -1076);
  Rounded n = roundToInteger(high, constant(high, 1.0));
  Scalar r = (high - n.value) + x.low;
  return scale(fma(r, polynomial(r, exp2F32, exp2F64), 1.0), n.bits);
}

/// (exp(x) - 1) / 2, not rounded: 2^(n-1) - 1/2 + 2^(n-1) (exp(r) - 1).
static Sum halfExpM1(Scalar x) {
  auto [r, small, n] = reduce(x, isF32(x) ? Coefficients(expM1F32) : expF64);
  Scalar power = powerOfTwo(n - 1.0, x.type);
  Sum first = exactSum(power, constant(x, -0.5));
  Sum sum = exactOrderedSum(first.high, power * r);
  return {sum.high, fma(power, small, sum.low + first.low)};
}

Scalar expandExpM1(Scalar x) {
  Scalar within =
      isF32(x) ? atLeast(atMost(x, 89), -20) : atLeast(atMost(x, 710), -40);
  Sum half = halfExpM1(within);
  // What is its own result may be too small to be halved.
  return select(lt(absolute(x), 0x1p-54), x, 2.0 * (half.high + half.low));
}

/// exp(x) - 1, -21 <= x <= 0, of f32.
static Scalar expM1OfNegative(Scalar x) {
  const auto &[high, low] = log2Parts[0];
  Rounded n = roundToInteger(x, constant(x, log2e));
  Scalar r = fma(n.value, -low, fma(n.value, -high, x));
  Scalar power = powerOfTwo(n.bits, x.type);
  return fma(fma(r * r, polynomial(r, expM1F32), r), power, power - 1.0);
}

/// tanh(x) = -e / (e + 2), e = exp(-2 x) - 1, of x >= 0. Of f64 the quotient is
/// corrected by what remains: neither the divisor nor e is rounded.
Scalar expandTanh(Scalar x) {
  if (isF32(x)) {
    Scalar e = expM1OfNegative(-2.0 * atMost(absolute(x), 10));
    return copysign(e / (e + 2.0), x);
  }
  Scalar size = atMost(absolute(x), 20);
  Sum half = halfExpM1(-2.0 * size);
  half = exactOrderedSum(half.high, half.low);
  Sum divisor = exactOrderedSum(constant(x, 1.0), half.high);
  divisor.low = divisor.low + half.low;
  Scalar reciprocal = 1.0 / divisor.high, y = half.high * reciprocal;
  Scalar rest = fma(-y, divisor.high, half.high) + half.low;
  y = fma(fma(-y, divisor.low, rest), reciprocal, y);
  return copysign(select(lt(size, 0x1p-54), x, y), x);
}

Scalar expandCosh(Scalar x) {
  Scalar half = halfExp(absolute(x));
  return half + 0.25 / half;
}

Scalar expandSinh(Scalar x) {
  Scalar size = absolute(x), square = x * x;
  Scalar half = halfExp(size);
  Scalar small = fma(size * square, polynomial(square, sinhF32, sinhF64), size);
  Scalar y = select(lt(size, 1.0), small, half - 0.25 / half);
  return copysign(y, x);
}

} // namespace weft::expand
