// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Powers of f64: the logarithm as a sum of two numbers, to some 2^-65, since
// its product with an exponent is to be exact to 2^-54 where it is 1000.

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// ((atanh(s) / s - 1) / s^2 - 1/3) / s^2 by s^2, |s| <= 0.1716, to 2^-66 of
// atanh.
constexpr double arctangent[] = {0.2,
                                 0.14285714285714282,
                                 0.11111111111114215,
                                 0.09090909089828507,
                                 0.07692307880578694,
                                 0.0666664826771862,
                                 0.058834065387955665,
                                 0.05228164121472719,
                                 0.05381207798986003};
// 1/3 and 2 log2(e), each as a sum.
constexpr double third = 0x1.5555555555555p-2,
                 thirdRest = 0x1.5555555555555p-56;
constexpr double scale2 = 0x1.71547652b82fep+1,
                 scale2Rest = 0x1.777d0ffda0d24p-55;

/// (a + b) (c + d), where the second of each is small.
static Sum product(Sum x, Sum y) {
  Sum z = exactProduct(x.high, y.high);
  Scalar cross = fma(x.high, y.low, x.low * y.high);
  return exactOrderedSum(z.high, z.low + cross);
}

/// atanh(s) of s = f / (2 + f), which is log(1 + f) / 2.
static Sum halfLog1p(Scalar f) {
  Sum divisor = exactOrderedSum(constant(f, 2.0), f);
  Scalar ratio = f / divisor.high;
  Scalar rest = fma(-ratio, divisor.high, f) - ratio * divisor.low;
  Sum s{ratio, rest / divisor.high};
  Sum square = product(s, s);
  Scalar tail = square.high * polynomial(square.high, arctangent);
  Sum sum = exactOrderedSum(constant(f, third), tail);
  sum.low = sum.low + constant(f, thirdRest);
  Sum more = product(s, product(square, sum));
  Sum y = exactOrderedSum(s.high, more.high);
  return {y.high, y.low + (s.low + more.low)};
}

/// log2 of what is positive, and of zero and infinity.
static Sum logOf(Scalar x) {
  Scalar isSmall = lt(x, 0x1p-1022), zero = constant(x, 0.0);
  Split parts = split(select(isSmall, 0x1p54 * x, x));
  Scalar exponent = parts.exponent - select(isSmall, 54.0, zero);
  Sum factor{constant(x, scale2), constant(x, scale2Rest)};
  Sum y = product(halfLog1p(parts.f), factor);
  Sum sum = exactOrderedSum(exponent, y.high);
  sum = exactOrderedSum(sum.high, sum.low + y.low);
  Scalar isNumber = lt(zero, x) & lt(x, infinity(x));
  Scalar end = select(eq(x, zero), -infinity(x), x);
  return {select(isNumber, sum.high, end), select(isNumber, sum.low, zero)};
}

Scalar expandWidePow(Scalar size, Scalar y) {
  Sum log = logOf(size);
  Sum x = exactProduct(y, log.high);
  Scalar low = fma(y, log.low, x.low);
  // Beyond that the power is zero or infinite.
  Scalar isWithin = lt(absolute(x.high), constant(y, 0x1p11));
  return exp2OfSum({x.high, select(isWithin, low, constant(y, 0.0))});
}

} // namespace weft::expand
