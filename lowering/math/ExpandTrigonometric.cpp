// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sin, cos and tan of f32, computed in f64. An angle is reduced by all the bits
// of 2/pi that matter for its exponent (Payne & Hanek, Radian reduction for
// trigonometric functions, 1983): those whose product is a multiple of 4
// quarter turns are left out, of the next 106 the product is formed.

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

namespace {

/// For angles from `from` on: 2/pi without its first bits, in two parts.
struct Window {
  double from, high, low;
};

/// An angle is a whole number of quarter turns, in the low bits, and a rest of
/// half of one at most.
struct Reduced {
  Scalar quarters, rest;
};
} // namespace

constexpr Window windows[] = {
    {0, 0x1.45f306dc9c883p-1, -0x1.6b01ec5417056p-55},
    {0x1p48, 0x1.6e4e441529fc2p-24, 0x1.d5f47d4d37703p-78},
    {0x1p72, 0x1.529fc2757d1f5p-52, 0x1.a6ee06db14acdp-107},
    {0x1p96, 0x1.3abe8fa9a6eep-75, 0x1.b6c52b3278872p-129},
    {0x1p120, 0x1.f534ddc0db629p-96, 0x1.664f10e4107f9p-150}};

// By the square of quarter turns f: sin(f pi/2) / f, 2^-37, and
// (cos(f pi/2) - 1) / f^2, 2^-34.
constexpr double sine[] = {1.5707963267880998, -0.64596409614630594,
                           0.079692582691311637, -0.0046812658782552531,
                           0.00015820527987413208};
constexpr double cosine[] = {-1.2337005501249767, 0.25366950726509585,
                             -0.020863469037279564, 0.00091916591502965212,
                             -2.4857072658115275e-05};

static Reduced reduce(Scalar x) {
  Scalar high = constant(x, windows[0].high);
  Scalar low = constant(x, windows[0].low);
  for (const Window &window : llvm::drop_begin(windows)) {
    Scalar isBeyond = le(window.from, x);
    high = select(isBeyond, window.high, high);
    low = select(isBeyond, window.low, low);
  }
  // Two of the sums are exact: the rest has lost no bit when they cancel.
  Sum product = exactProduct(x, high);
  Rounded whole = roundToInteger(product.high, constant(x, 1.0));
  Scalar rest = (product.high - whole.value) + product.low;
  return {whole.bits, fma(x, low, rest)};
}

static Scalar sineOf(Scalar f, Scalar square) {
  return f * polynomial(square, sine);
}
static Scalar cosineOf(Scalar square) {
  return fma(square, polynomial(square, cosine), 1.0);
}
static Scalar wide(Scalar x) { return convert(x, x.b->getF64Type()); }

/// The sine of some quarter turns more than an angle >= 0.
static Scalar turnedSine(Scalar size, double turns) {
  auto [quarters, f] = reduce(size);
  Scalar square = f * f, place = quarters + constant(quarters, turns);
  Scalar one = constant(place, 1.0);
  Scalar y = select(eq(place & one, one), cosineOf(square), sineOf(f, square));
  return flipSign(y, shiftLeft(shiftRight(place, 1), 63));
}

Scalar expandSin(Scalar x) {
  if (!isF32(x))
    return expandWideSin(x);
  Scalar y = turnedSine(wide(absolute(x)), 0);
  return flipSign(convert(y, x.type), signOf(x));
}

Scalar expandCos(Scalar x) {
  if (!isF32(x))
    return expandWideCos(x);
  return convert(turnedSine(wide(absolute(x)), 1), x.type);
}

Scalar expandTan(Scalar x) {
  if (!isF32(x))
    return expandWideTan(x);
  auto [quarters, f] = reduce(wide(absolute(x)));
  Scalar square = f * f, one = constant(quarters, 1.0);
  Scalar s = sineOf(f, square), c = cosineOf(square);
  Scalar isOdd = eq(quarters & one, one);
  Scalar y = select(isOdd, -c, s) / select(isOdd, s, c);
  return flipSign(convert(y, x.type), signOf(x));
}

} // namespace weft::expand
