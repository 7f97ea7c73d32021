// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar bodies of the special functions, and what they are made of. They
// compute in f64 whatever the element type, and round once: for f32 the result
// is that of the correctly rounded function but for the rarest cases.

#ifndef WEFT_DIALECTS_SPECIAL_H
#define WEFT_DIALECTS_SPECIAL_H

#include "dialects/Scalar.h"

namespace weft::scalar {

//===----------------------------------------------------------------------===//
// Bodies of records
//===----------------------------------------------------------------------===//

// `by` says how often the function is differentiated by each operand.
using Orders = llvm::ArrayRef<int64_t>;

Scalar xlogy(Scalar x, Scalar y);
Scalar xlog1py(Scalar x, Scalar y);
Scalar logit(Scalar x);
Scalar nextafter(Scalar x, Scalar y);
Scalar sinc(Scalar x, Orders by);

Scalar gamma(Scalar x);
Scalar lgamma(Scalar x);
Scalar digamma(Scalar x);
Scalar polygamma(Scalar n, Scalar x);
Scalar betaln(Scalar x, Scalar y);
Scalar zeta(Scalar s, Scalar q, Orders by);
Scalar gammainc(Scalar a, Scalar x, Orders by);
Scalar gammaincc(Scalar a, Scalar x);
Scalar betainc(Scalar p, Scalar q, Scalar x, Orders by);

Scalar erfcx(Scalar x, Orders by);
Scalar ndtr(Scalar x);
Scalar ndtri(Scalar x);
Scalar besselI(Scalar x, int64_t order, bool scaled);

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

using Scalars = llvm::SmallVector<Scalar>;

inline Scalar floor(Scalar x) { return apply<mlir::math::FloorOp>(x); }
inline Scalar pow(Scalar x, Scalar y) {
  return apply<mlir::math::PowFOp>(x, y);
}
inline Scalar erfc(Scalar x) { return apply<mlir::math::ErfcOp>(x); }
inline Scalar copysign(Scalar x, Scalar y) {
  return apply<mlir::math::CopySignOp>(x, y);
}
inline Scalar operator+(Scalar x, double y) { return x + constant(x, y); }
inline Scalar operator*(Scalar x, double y) { return x * constant(x, y); }
inline Scalar operator/(Scalar x, double y) { return x / constant(x, y); }
inline Scalar lt(Scalar x, double y) { return lt(x, constant(x, y)); }
inline Scalar lt(double x, Scalar y) { return lt(constant(y, x), y); }
inline Scalar le(Scalar x, double y) { return le(x, constant(x, y)); }
inline Scalar le(double x, Scalar y) { return le(constant(y, x), y); }
inline Scalar eq(Scalar x, double y) { return eq(x, constant(x, y)); }
inline Scalar nan(Scalar like) { return infinity(like) - infinity(like); }
inline Scalar select(Scalar condition, double x, Scalar y) {
  return select(condition, constant(y, x), y);
}
inline Scalar select(Scalar condition, Scalar x, double y) {
  return select(condition, x, constant(x, y));
}

Scalar bitcast(Scalar x, mlir::Type type);
/// c0 + c1 x + c2 x^2 + ...
Scalar horner(Scalar x, llvm::ArrayRef<double> coefficients);

/// if (condition) then() else otherwise(); both give as many values.
Scalars branch(Scalar condition, llvm::function_ref<Scalars()> then,
               llvm::function_ref<Scalars()> otherwise);
Scalar choose(Scalar condition, llvm::function_ref<Scalar()> then,
              llvm::function_ref<Scalar()> otherwise);
/// while (condition(values)) values = body(values);
Scalars repeat(Scalars values,
               llvm::function_ref<Scalar(llvm::ArrayRef<Scalar>)> condition,
               llvm::function_ref<Scalars(llvm::ArrayRef<Scalar>)> body);

/// Whether no more digits are kept of a result than those of f32.
inline bool isShort(Scalar x) { return x.width() < 64; }
/// A function of f64 at numbers of another float type.
template <typename Function, typename... Args>
Scalar inF64(Function function, Scalar x, Args... rest) {
  mlir::Type wide = x.b->getF64Type();
  return convert(function(convert(x, wide), convert(rest, wide)...), x.type);
}

// All of what follows is about f64.

/// sin(pi x), cos(pi x), tan(pi x): the reduction is exact.
Scalar sinPi(Scalar x);
Scalar cosPi(Scalar x);
Scalar tanPi(Scalar x);
/// exp(factor x^2), where the factor is a power of two, of either sign.
Scalar expOfSquare(Scalar x, double factor);
/// x - log(1 + x), accurate near 0 and, given 1 + x as `ratio`, near -1.
Scalar logDistance(Scalar x, Scalar ratio);

/// gamma(x) and log(gamma(x)), of x >= 0.
Scalar positiveGamma(Scalar x);
Scalar positiveLgamma(Scalar x);
/// log(gamma(1 + x)) of x >= 0, accurate near 0.
Scalar lgammaPastOne(Scalar x);
/// log(gamma(x)) less Stirling's formula (x - 1/2) log x - x + log(2 pi) / 2,
/// of x > 0, and of x >= 10.
Scalar stirlingError(Scalar x);
Scalar stirlingSeries(Scalar x);
/// log(x) - digamma(x), of x > 0.
Scalar logMinusDigamma(Scalar x);
/// digamma, trigamma, ...: as many as asked for, of x > 0.
Scalars polygammas(Scalar x, unsigned count);
/// erfcx and its first derivatives, up to the one of an order; if `isShort`, of
/// an f32 and to its digits.
Scalars erfcxDerivatives(Scalar x, unsigned order, bool isShort = false);
/// The inverse of erfc, between 0 and 1.
Scalar erfcinv(Scalar complement);

} // namespace weft::scalar

#endif // WEFT_DIALECTS_SPECIAL_H
