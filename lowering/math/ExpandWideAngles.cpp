// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sin, cos and tan of f64. An angle is multiplied by 212 bits of 2/pi, which
// begin where products with it cease to be multiples of 4 quarter turns (Payne
// & Hanek, Radian reduction for trigonometric functions, 1983). They stand in a
// table with a row for each 16 exponents. All sums are exact until the whole
// turns have gone, so that an angle near a multiple of pi/2 loses no bit.

#include "lowering/math/ExpandMath.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace weft::expand {

// The bits of 2/pi.
constexpr uint32_t twoOverPi[] = {
    0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
    0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c,
    0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41,
    0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
    0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
    0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08,
    0x56033046, 0xfc7b6bab, 0xf0cfbc20};

constexpr int64_t exponentsOfRow = 16, rowCount = 1024 / exponentsOfRow + 1;
constexpr int64_t partsOfRow = 4, bitsOfPart = 53;
// From this row on, 2/pi is scaled up, lest parts be subnormal, and x down.
constexpr int64_t scaledRow = 32;
constexpr int scaledBy = 256;

// (sin(x) / x - 1) / x^2 and (cos(x) - 1 + x^2 / 2) / x^4 by x^2, |x| <= pi/4,
// to 2^-63 and 2^-69.
constexpr double sine[] = {-0.16666666666666666,    0.0083333333333330383,
                           -0.00019841269840955864, 2.7557319069582404e-06,
                           -2.5052069590749345e-08, 1.6054124020008048e-10,
                           -7.3794845524352256e-13};
constexpr double cosine[] = {0.041666666666666664,   -0.0013888888888888378,
                             2.4801587301164734e-05, -2.7557319051807712e-07,
                             2.0876719695959979e-09, -1.1466573839512796e-11,
                             4.578871584128047e-14};

/// 53 bits of 2/pi, of which the first is worth 2^weight, times 2^scale.
static double partOfTwoOverPi(int64_t weight, int scale) {
  double part = 0;
  for (int64_t i = 0; i < bitsOfPart; ++i) {
    int64_t place = i - weight - 1;
    if (place >= 0 && (twoOverPi[place / 32] >> (31 - place % 32)) & 1)
      part += std::ldexp(1.0, weight - i + scale);
  }
  return part;
}

/// Row r is for angles below 2^(16 r + 16), the last bits of which are worth
/// 2^(16 r - 52): of 2/pi, bits worth more than 2^(53 - 16 r) do not matter.
static SmallVector<double> tableOfTwoOverPi() {
  SmallVector<double> table;
  for (int64_t row = 0; row < rowCount; ++row)
    for (int64_t part = 0; part < partsOfRow; ++part)
      table.push_back(
          partOfTwoOverPi(bitsOfPart - exponentsOfRow * row - bitsOfPart * part,
                          row < scaledRow ? 0 : scaledBy));
  return table;
}

static Value tableIn(OpBuilder &b, Location loc) {
  constexpr StringLiteral name = "weft_two_over_pi";
  auto type = MemRefType::get({rowCount, partsOfRow}, b.getF64Type());
  Operation *module = SymbolTable::getNearestSymbolTable(
      b.getBlock()->getParentOp()->getParentOp());
  if (!SymbolTable::lookupSymbolIn(module, name)) {
    OpBuilder atStart = OpBuilder::atBlockBegin(&module->getRegion(0).front());
    auto values = DenseElementsAttr::get(
        RankedTensorType::get(type.getShape(), b.getF64Type()),
        ArrayRef<double>(tableOfTwoOverPi()));
    memref::GlobalOp::create(atStart, loc, name, b.getStringAttr("private"),
                             type, values,
                             /*constant=*/true, /*alignment=*/IntegerAttr());
  }
  return memref::GetGlobalOp::create(b, loc, type, name);
}

namespace {

/// A whole number of quarter turns, in the low bits, and radians, pi/4 at most.
struct Reduced {
  Scalar quarters;
  Sum radians;
};
} // namespace

/// x less a multiple of 4, exactly.
static Scalar withoutTurns(Scalar x) {
  return fma(scalar::apply<math::RoundEvenOp>(0.25 * x), -4.0, x);
}

static Sum toRadians(Scalar quarters, Scalar rest) {
  constexpr double halfPi = 0x1.921fb54442d18p+0;
  constexpr double halfPiRest = 0x1.1a62633145c07p-54;
  Sum product = exactProduct(quarters, constant(quarters, halfPi));
  Scalar low = fma(rest, halfPi, fma(quarters, halfPiRest, product.low));
  return exactOrderedSum(product.high, low);
}

static Reduced reduce(Scalar x) {
  OpBuilder &b = *x.b;
  Scalar exponent = shiftRight(bitsOf(x), 52) - 1023.0;
  Scalar zero = constant(exponent, 0.0);
  Scalar row = shiftRight(select(lt(exponent, zero), zero, exponent), 4);
  Value table = tableIn(b, x.loc);
  Value index =
      arith::IndexCastOp::create(b, x.loc, b.getIndexType(), row.value);
  SmallVector<Scalar> parts;
  for (int64_t part = 0; part < partsOfRow; ++part) {
    Value place = arith::ConstantIndexOp::create(b, x.loc, part);
    parts.push_back(x.with(
        memref::LoadOp::create(b, x.loc, table, ValueRange{index, place})));
  }
  Scalar isScaled = le(constant(row, scaledRow), row);
  x = select(isScaled, x * std::ldexp(1.0, -scaledBy), x);
  Sum first = exactProduct(x, parts[0]), second = exactProduct(x, parts[1]);
  Sum third = exactProduct(x, parts[2]);

  // What may be whole.
  Sum sum = exactSum(withoutTurns(first.high), withoutTurns(first.low));
  Sum high = exactSum(sum.high, withoutTurns(second.high));
  Rounded whole = roundToInteger(high.high, constant(x, 1.0));
  // What is left, the large before the small.
  Sum rest = exactSum(high.high - whole.value, second.low);
  Sum tail = exactSum(rest.high, third.high);
  Sum low = exactSum(sum.low, high.low);
  Sum lower = exactSum(low.high, rest.low);
  Sum lowest = exactSum(lower.high, tail.low);
  Sum quarters = exactSum(tail.high, lowest.high);
  Scalar small =
      fma(x, parts[3], third.low) + (low.low + (lower.low + lowest.low));
  return {whole.bits, toRadians(quarters.high, quarters.low + small)};
}

static Scalar sineOf(Sum x, Scalar square) {
  Scalar rest = fma(x.low, fma(square, -0.5, 1.0),
                    x.high * square * polynomial(square, sine));
  return x.high + rest;
}

/// 1 - x^2 / 2 is summed exactly.
static Scalar cosineOf(Sum x, Scalar square) {
  Scalar tail =
      fma(square * square, polynomial(square, cosine), -(x.high * x.low));
  Sum product = exactProduct(x.high, -0.5 * x.high);
  Sum sum = exactOrderedSum(constant(square, 1.0), product.high);
  return sum.high + (sum.low + (product.low + tail));
}

/// The sine of some quarter turns more than an angle >= 0.
static Scalar turnedSine(Scalar size, double turns) {
  auto [quarters, x] = reduce(size);
  Scalar square = x.high * x.high, place = quarters + constant(quarters, turns);
  Scalar one = constant(place, 1.0);
  Scalar isOdd = eq(place & one, one);
  Scalar y = select(isOdd, cosineOf(x, square), sineOf(x, square));
  return flipSign(y, shiftLeft(shiftRight(place, 1), 63));
}

/// sin and tan of what is very small are itself.
static Scalar unlessSmall(Scalar x, Scalar ofSize) {
  Scalar y = flipSign(ofSize, signOf(x));
  return select(lt(absolute(x), 0x1p-27), x, y);
}

Scalar expandWideSin(Scalar x) {
  return unlessSmall(x, turnedSine(absolute(x), 0));
}

Scalar expandWideCos(Scalar x) { return turnedSine(absolute(x), 1); }

Scalar expandWideTan(Scalar x) {
  auto [quarters, angle] = reduce(absolute(x));
  Scalar square = angle.high * angle.high, one = constant(quarters, 1.0);
  Scalar s = sineOf(angle, square), c = cosineOf(angle, square);
  Scalar isOdd = eq(quarters & one, one);
  return unlessSmall(x, select(isOdd, -c, s) / select(isOdd, s, c));
}

} // namespace weft::expand
