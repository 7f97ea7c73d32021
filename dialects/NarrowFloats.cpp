// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floats of 8 and 16 bits: how one becomes the f32 that it is computed in, and
// how a number becomes one of them, rounded once, whatever its type.
//
// All but f16 is integer arithmetic: no instruction that flushes subnormals, no
// function that a runtime library may lack.

#include "dialects/Scalar.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
namespace weft::scalar {

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

static Type bitsType(Scalar like, unsigned width) {
  return IntegerType::get(like.type.getContext(), width, IntegerType::Unsigned);
}
static Scalar ofType(Scalar like, Value value, Type type) {
  return {value, type, like.b, like.loc};
}
/// The same bits as a value of `type`.
static Scalar reinterpret(Scalar x, Type type) {
  Type raw = signless(type);
  if (x.value.getType() == raw)
    return ofType(x, x.value, type);
  return ofType(x, arith::BitcastOp::create(*x.b, x.loc, raw, x.value), type);
}
static Scalar bitsOf(Scalar x) {
  return reinterpret(x, bitsType(x, x.value.getType().getIntOrFloatBitWidth()));
}
static Scalar resize(Scalar bits, unsigned width) {
  return convert(bits, bitsType(bits, width));
}
static Scalar operator<<(Scalar x, unsigned amount) {
  return apply<arith::ShLIOp>(x, constant(x, amount));
}
static Scalar operator>>(Scalar x, unsigned amount) {
  return apply<arith::ShRUIOp>(x, constant(x, amount));
}
static Scalar isNaN(Scalar x) { return ne(x, x); }

//===----------------------------------------------------------------------===//
// To f32
//===----------------------------------------------------------------------===//

static Scalar fromF16(Scalar x, Type type) {
  return ofType(x, arith::ExtFOp::create(*x.b, x.loc, type, x.value), type);
}

/// The upper half of the bits.
static Scalar fromBF16(Scalar x, Type type) {
  return reinterpret(resize(bitsOf(x), 32) << 16, type);
}

/// The upper half of those of the f16.
static Scalar fromE5M2(Scalar x, Type type) {
  Scalar half = reinterpret(resize(bitsOf(x), 16) << 8,
                            Float16Type::get(x.b->getContext()));
  return fromF16(half, type);
}

/// Exponent and mantissa where an f32 has them mean 2^-120 of the number. There
/// is no infinity, and one NaN for each sign.
static Scalar fromE4M3FN(Scalar x, Type type) {
  Scalar bits = resize(bitsOf(x), 32);
  Scalar size = bits & constant(bits, 0x7F);
  Scalar number = reinterpret(size << 20, type);
  number = number * constant(number, 0x1p120);
  Scalar nan = reinterpret(constant(bits, 0x7FC00000), type);
  number = select(eq(size, constant(size, 0x7F)), nan, number);
  Scalar sign = (bits & constant(bits, 0x80)) << 24;
  return reinterpret(bitsOf(number) | sign, type);
}

Scalar widen(Scalar x) {
  Type type = computedElement(x.type);
  if (type == x.type)
    return x;
  if (x.value.getType() == type)
    return ofType(x, x.value, type);
  Scalar wide = x.type.isF16()                ? fromF16(x, type)
                : x.type.isBF16()             ? fromBF16(x, type)
                : isa<Float8E5M2Type>(x.type) ? fromE5M2(x, type)
                                              : fromE4M3FN(x, type);
  wide.narrow = x.value;
  wide.narrowType = x.type;
  return wide;
}

//===----------------------------------------------------------------------===//
// From any number to an f32 that rounds to the same narrow float
//===----------------------------------------------------------------------===//

/// An f64 rounded to odd: truncated, and the last bit set if that loses
/// something. A float of at most 22 bits is rounded from it as from the f64 (S.
/// Boldo, G. Melquiond, Emulation of a FMA and correctly rounded sums, 2008).
static Scalar roundToOdd(Scalar x) {
  Scalar nearest = convert(x, x.b->getF32Type());
  Scalar back = convert(nearest, x.type);
  Scalar bits = bitsOf(nearest), one = constant(bits, 1.0);
  Scalar isLarger = lt(absolute(x), absolute(back));
  Scalar odd = select(isLarger, bits - one, bits) | one;
  Scalar inexact = ne(back, x) & eq(x, x);
  return reinterpret(select(inexact, odd, bits), nearest.type);
}

/// An integer as an f64 that no float of at most 22 bits is between: of a large
/// one, the last 12 bits become one half of them if they are not zero.
static Scalar exactly(Scalar x) {
  Type f64 = x.b->getF64Type();
  if (x.width() < 64)
    return convert(x, f64);
  Scalar rest = x & constant(x, 0xFFF), zero = constant(x, 0.0);
  Scalar half = select(eq(rest, zero), zero, constant(x, 0x800));
  // The bits of a signed number moved, so that those near zero are small.
  Scalar size = bitsOf(x);
  if (!x.isUnsigned())
    size = size + constant(size, 0x1p53);
  Scalar limit = constant(size, x.isUnsigned() ? 0x1p53 : 0x1p54);
  return convert(select(lt(size, limit), x, (x - rest) | half), f64);
}

static Scalar toRoundableF32(Scalar x) {
  Type f32 = x.b->getF32Type();
  if (x.type == f32)
    return x;
  if (x.isFloat())
    return roundToOdd(x);
  return x.width() <= 16 ? convert(x, f32) : roundToOdd(exactly(x));
}

//===----------------------------------------------------------------------===//
// From f32
//===----------------------------------------------------------------------===//

/// The upper `32 - dropped` bits, rounded to nearest, ties to even.
static Scalar roundUpperBits(Scalar bits, unsigned dropped) {
  Scalar last = (bits >> dropped) & constant(bits, 1.0);
  double almostHalf = (1u << (dropped - 1)) - 1;
  return (bits + constant(bits, almostHalf) + last) >> dropped;
}

static Scalar toF16(Scalar x, Type type) {
  return ofType(x, arith::TruncFOp::create(*x.b, x.loc, type, x.value), type);
}

static Scalar toBF16(Scalar x, Type type) {
  Scalar bits = bitsOf(x);
  Scalar quiet = (bits >> 16) | constant(bits, 0x40);
  Scalar rounded = select(isNaN(x), quiet, roundUpperBits(bits, 16));
  return reinterpret(resize(rounded, 16), type);
}

namespace {
/// A float of 8 bits: its mantissa's bits, its exponent's bias, the bits of
/// what is past its largest number (infinity, or NaN) and of NaN.
struct Float8 {
  unsigned mantissa, bias, past, nan;
};
} // namespace

static Scalar toFloat8(Scalar x, Float8 format, Type type) {
  Scalar bits = bitsOf(x), size = bits & constant(bits, 0x7FFFFFFF);
  unsigned dropped = 23 - format.mantissa;
  // Normal numbers: the exponent is moved, the mantissa rounded.
  unsigned moved = 127 - format.bias;
  Scalar normal =
      roundUpperBits(size, dropped) - constant(bits, moved << format.mantissa);
  Scalar past = constant(bits, format.past);
  normal = select(lt(past, normal), past, normal);
  // Subnormal ones: added to a number whose last bit is worth as much as
  // theirs.
  Scalar magic = constant(bits, (moved + dropped + 1) << 23);
  Scalar shifted = absolute(x) + reinterpret(magic, x.type);
  Scalar subnormal = bitsOf(shifted) - magic;
  Scalar isSmall = lt(size, constant(size, (moved + 1) << 23));
  Scalar code = select(isSmall, subnormal, normal);
  code = select(isNaN(x), constant(code, format.nan), code);
  Scalar sign = (bits >> 24) & constant(bits, 0x80);
  return reinterpret(resize(code | sign, 8), type);
}

Scalar narrow(Scalar x, Type type) {
  Scalar wide = toRoundableF32(x);
  if (type.isF16())
    return toF16(wide, type);
  if (type.isBF16())
    return toBF16(wide, type);
  if (isa<Float8E5M2Type>(type))
    return toFloat8(wide, {2, 15, 0x7C, 0x7E}, type);
  return toFloat8(wide, {3, 7, 0x7F, 0x7F}, type);
}

} // namespace weft::scalar
