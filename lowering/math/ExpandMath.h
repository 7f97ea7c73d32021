// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the expansions of `math` functions are written in: scalars, and the
// steps that the functions share. All of it is straight-line arithmetic that
// LLVM can vectorise. Products that are added are fused: several sums here are
// exact for that reason only, so no target without FMA may see them.

#ifndef WEFT_LOWERING_MATH_EXPANDMATH_H
#define WEFT_LOWERING_MATH_EXPANDMATH_H

#include "dialects/Special.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <optional>

namespace weft::expand {

using scalar::Scalar;
using Coefficients = llvm::ArrayRef<double>;

//===----------------------------------------------------------------------===//
// The steps
//===----------------------------------------------------------------------===//

inline bool isF32(Scalar x) { return x.type.isF32(); }

/// x y + z, rounded once.
inline Scalar fma(Scalar x, Scalar y, Scalar z) {
  return scalar::apply<mlir::math::FmaOp>(x, y, z);
}
inline Scalar fma(Scalar x, double y, Scalar z) {
  return fma(x, constant(x, y), z);
}
inline Scalar fma(Scalar x, Scalar y, double z) {
  return fma(x, y, constant(x, z));
}
inline Scalar fma(Scalar x, double y, double z) {
  return fma(x, constant(x, y), constant(x, z));
}

/// c0 + c1 x + c2 x^2 + ...
Scalar polynomial(Scalar x, Coefficients coefficients);
/// The same with the coefficients for the type of x.
inline Scalar polynomial(Scalar x, Coefficients ofF32, Coefficients ofF64) {
  return polynomial(x, isF32(x) ? ofF32 : ofF64);
}

/// The bits of a float as an integer, and back.
Scalar bitsOf(Scalar x);
Scalar floatOf(Scalar bits);
inline Scalar shiftLeft(Scalar bits, unsigned by) {
  return scalar::apply<mlir::arith::ShLIOp>(bits, constant(bits, by));
}
inline Scalar shiftRight(Scalar bits, unsigned by) {
  return scalar::apply<mlir::arith::ShRSIOp>(bits, constant(bits, by));
}
/// The sign bit of a float and no other, and a float with its sign changed
/// where that bit is set.
Scalar signOf(Scalar x);
Scalar flipSign(Scalar x, Scalar sign);

/// A number as a sum that is not rounded: |low| <= ulp(high) / 2.
struct Sum {
  Scalar high, low;
};
/// a + b, exactly (Knuth; Moller 1965), and in fewer steps where |a| >= |b| or
/// a = 0 (Dekker 1971).
Sum exactSum(Scalar a, Scalar b);
Sum exactOrderedSum(Scalar a, Scalar b);
/// a b, exactly, unless it underflows.
Sum exactProduct(Scalar a, Scalar b);

/// The nearest integer to x, of which |x| < 2^(digits - 3), as a float and in
/// the low bits of an integer: adding 1.5 2^digits leaves no room for
/// fractions.
struct Rounded {
  Scalar value, bits;
};
Rounded roundToInteger(Scalar x, Scalar factor);

/// 2^n of an integer within the exponents of a float, the ends of which give 0
/// and infinity.
Scalar powerOfTwo(Scalar n, mlir::Type type);
/// x 2^n for results of all sizes, rounded once where they are subnormal.
Scalar scale(Scalar x, Scalar n);

/// x = 2^e (1 + f), 1 + f between the roots of 1/2 and 2; e as a float and as
/// an integer. Of what is no positive normal number, something.
struct Split {
  Scalar exponent, bits, f;
};
Split split(Scalar x);

/// x, or a limit that it is beyond. NaN stays.
inline Scalar atMost(Scalar x, double limit) {
  return select(lt(limit, x), limit, x);
}
inline Scalar atLeast(Scalar x, double limit) {
  return select(lt(x, limit), limit, x);
}

/// How many bits a mantissa has, without the one that is not stored, and what
/// is added to exponents.
inline unsigned digits(mlir::Type type) { return type.isF32() ? 23 : 52; }
inline int bias(mlir::Type type) { return type.isF32() ? 127 : 1023; }

//===----------------------------------------------------------------------===//
// The functions
//===----------------------------------------------------------------------===//

Scalar expandExp(Scalar x);
Scalar expandExp2(Scalar x);
Scalar expandExpM1(Scalar x);
Scalar expandSinh(Scalar x);
Scalar expandCosh(Scalar x);
Scalar expandTanh(Scalar x);

Scalar expandLog(Scalar x);
Scalar expandLog2(Scalar x);
Scalar expandLog10(Scalar x);
Scalar expandLog1p(Scalar x);

/// 2^(high + low) of f64.
Scalar exp2OfSum(Sum x);
/// 2^x, where it is neither subnormal nor infinite.
Scalar exp2OfNormal(Scalar x);

Scalar expandErf(Scalar x);
/// erfc of f64.
Scalar expandWideErfc(Scalar x);

Scalar expandSin(Scalar x);
Scalar expandCos(Scalar x);
Scalar expandTan(Scalar x);

Scalar expandPow(Scalar x, Scalar y);
Scalar expandCbrt(Scalar x);
Scalar expandAsinh(Scalar x);
Scalar expandAcosh(Scalar x);
Scalar expandAtanh(Scalar x);
Scalar expandAsin(Scalar x);
Scalar expandAcos(Scalar x);
Scalar expandAtan(Scalar x);
Scalar expandAtan2(Scalar y, Scalar x);

/// Whether it is of f32 on a GPU of NVIDIA, which has instructions of its own.
bool isOnNvidia(Scalar x);
/// There, 2^x within 2 ulps; 0 where that is subnormal.
Scalar exp2Approx(Scalar x);
Scalar expandExpOnNvidia(Scalar x);
Scalar expandExp2OnNvidia(Scalar x);
Scalar expandTanhOnNvidia(Scalar x);

// Of f64 only.
Scalar expandWideSin(Scalar x);
Scalar expandWideCos(Scalar x);
Scalar expandWideTan(Scalar x);
/// x^y of x that is not negative, but for what y^0 and the like are.
Scalar expandWidePow(Scalar x, Scalar y);
Scalar expandWideCbrt(Scalar x);
Scalar expandWideAsinh(Scalar x);
Scalar expandWideAcosh(Scalar x);
Scalar expandWideAtanh(Scalar x);

// Of f32 only.
Scalar expandRemainder(Scalar x, Scalar y);
Scalar expandErfc(Scalar x);
/// The powers that are products, quotients or roots, to an ulp or so.
std::optional<Scalar> expandSmallPower(Scalar x, double exponent);

} // namespace weft::expand

#endif // WEFT_LOWERING_MATH_EXPANDMATH_H
