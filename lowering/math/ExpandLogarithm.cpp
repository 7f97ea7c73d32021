// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Logarithms: x = 2^e (1 + f) with 1 + f between the roots of 1/2 and 2, a
// minimax polynomial of f, and a sum whose first step is exact (Muller,
// Elementary Functions, 3rd edition, chapters 4 and 11). The fits are our own.

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// (log(1 + f) - f + f^2 / 2) / f^3: 2^-27.3 and 2^-56.6 of log(1 + f).
constexpr double logF32[] = {0.333333164,  -0.250008106, 0.200023085,
                             -0.166245773, 0.141807988,  -0.131281257,
                             0.128836378,  -0.0786340609};
constexpr double logF64[] = {
    0.33333333333333248,   -0.24999999999987585,  0.20000000000026907,
    -0.16666666669894756,  0.14285714284987477,   -0.12499999688969871,
    0.11111110860280744,   -0.10000015088824413,  0.090909331735681831,
    -0.083329242227135725, 0.07691359006689269,   -0.071491279276717723,
    0.066863522181489179,  -0.062011491862653555, 0.056597739564893189,
    -0.056457936583748251, 0.065082366069637188,  -0.060730192856267143,
    0.026914628167801793};

namespace {

/// A base: log(2) with trailing zeros, so that products with exponents are
/// exact, the rest of it, and log(e) in two parts.
struct Base {
  double two, twoRest, e, eRest;
};
} // namespace

// For f32 and for f64.
constexpr Base natural[2] = {{0x1.62e4p-1, 0x1.7f7d1cp-20, 1, 0},
                             {0x1.62e42fefa3p-1, 0x1.3de6af278ece6p-42, 1, 0}};
constexpr Base binary[2] = {
    {1, 0, 0x1.715476p+0, 0x1.4ae0cp-26},
    {1, 0, 0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56}};
constexpr Base decimal[2] = {
    {0x1.344p-2, 0x1.3509f8p-18, 0x1.bcb7b2p-2, -0x1.5b235ep-27},
    {0x1.34413509f7p-2, 0x1.3fde623e2566bp-43, 0x1.bcb7b1526e50ep-2,
     0x1.95355baaafad3p-57}};

static const Base &of(Scalar x, const Base (&base)[2]) {
  return base[isF32(x) ? 0 : 1];
}

Split split(Scalar x) {
  unsigned width = digits(x.type);
  Scalar root = bitsOf(constant(x, 0.70710678118654752440));
  Scalar bits = bitsOf(x) - root, exponent = shiftRight(bits, width);
  Scalar f =
      floatOf((bits & constant(bits, double((1ll << width) - 1))) + root);
  // An integer as a float, by the bits of one that it is added to.
  Scalar magic = constant(x, std::ldexp(1.5, width));
  return {floatOf(exponent + bitsOf(magic)) - magic, exponent, f - 1.0};
}

/// log(1 + f) - f.
static Scalar tailOf(Scalar f) {
  return f * f * fma(f, polynomial(f, logF32, logF64), -0.5);
}

/// log(2^e) + f + tail.
static Scalar joinNatural(Scalar e, Scalar f, Scalar tail) {
  const Base &base = of(f, natural);
  Sum sum = exactOrderedSum(base.two * e, f);
  return sum.high + (sum.low + fma(e, base.twoRest, tail));
}

/// The same to another base.
static Scalar join(Scalar e, Scalar f, Scalar tail, const Base &base) {
  Sum product = exactProduct(f, constant(f, base.e));
  tail = fma(tail, base.e, fma(f, base.eRest, product.low));
  if (base.twoRest)
    tail = fma(e, base.twoRest, tail);
  Sum sum = exactOrderedSum(base.two * e, product.high);
  return sum.high + (sum.low + tail);
}

/// The value for x above a pole, and what else there is.
static Scalar withPole(Scalar y, Scalar x, double pole) {
  y = select(lt(x, infinity(x)), y, x);
  Scalar below = select(eq(x, pole), -infinity(x), nan(x));
  return select(lt(pole, x), y, below);
}

/// Of any positive number.
static Split splitAny(Scalar x) {
  unsigned by = digits(x.type) + 1;
  Scalar isSubnormal = lt(x, std::ldexp(1.0, 1 - bias(x.type)));
  Split parts = split(select(isSubnormal, x * std::ldexp(1.0, by), x));
  parts.exponent =
      select(isSubnormal, parts.exponent - double(by), parts.exponent);
  return parts;
}

Scalar expandLog(Scalar x) {
  auto [e, bits, f] = splitAny(x);
  return withPole(joinNatural(e, f, tailOf(f)), x, 0.0);
}

static Scalar logarithm(Scalar x, const Base (&base)[2]) {
  auto [e, bits, f] = splitAny(x);
  return withPole(join(e, f, tailOf(f), of(x, base)), x, 0.0);
}

Scalar expandLog2(Scalar x) { return logarithm(x, binary); }
Scalar expandLog10(Scalar x) { return logarithm(x, decimal); }

/// f is x 2^-e + (2^-e - 1), where e is the exponent of 1 + x: exact where it
/// matters. Numbers to which 1 makes no difference are first made smaller.
Scalar expandLog1p(Scalar x) {
  Scalar isLarge = lt(0x1p120, x);
  // Tiny numbers are their own results. Arithmetic on subnormal ones would take
  // a hundred cycles.
  Scalar isTiny = lt(absolute(x), 0x1p-60);
  Scalar within = select(isTiny, 0.0, x);
  Scalar scaled = select(isLarge, within * 0x1p-64, within);
  Split parts = split(1.0 + scaled);
  Scalar power =
      floatOf(bitsOf(constant(x, 1.0)) - shiftLeft(parts.bits, digits(x.type)));
  Scalar f = fma(scaled, power, power - 1.0);
  Scalar rest = fma(scaled, power, (power - 1.0) - f);
  Scalar e = select(isLarge, 64.0 + parts.exponent, parts.exponent);
  Scalar y = joinNatural(e, f, tailOf(f) + rest);
  return select(isTiny, x, copysign(withPole(y, x, -1.0), x));
}

} // namespace weft::expand
