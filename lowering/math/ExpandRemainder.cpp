// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// C's fmod of f32, exactly, in f64: multiples of the divisor are taken away
// until less than one is left.

#include "lowering/math/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// A step takes away a multiple of the divisor that is right to 52 bits, and so
// leaves 2^-52 of what there was and no more than a divisor. Quotients are
// below 2^277. What is left is a multiple of what both arguments are multiples
// of, or of 2^j times that while the quotient is one of 2^j, and has less than
// 27 bits: the steps do not round.
constexpr int stepsOfQuotient = 6;

Scalar expandRemainder(Scalar x, Scalar y) {
  Type wide = Float64Type::get(x.type.getContext());
  Scalar rest = convert(absolute(x), wide);
  Scalar divisor = convert(absolute(y), wide);
  Scalar inverse = 1.0 / divisor;
  for (int step = 0; step < stepsOfQuotient; ++step) {
    Scalar quotient = scalar::apply<math::TruncOp>(rest * inverse);
    rest = fma(-quotient, divisor, rest);
  }
  // A quotient that was rounded to the next integer.
  rest = select(lt(rest, 0.0), rest + divisor, rest);
  rest = select(le(divisor, rest), rest - divisor, rest);
  Scalar isSmaller = isInfinite(y) & isFinite(x);
  Scalar size = select(isSmaller, absolute(x), convert(rest, x.type));
  return scalar::apply<math::CopySignOp>(size, x);
}

} // namespace weft::expand
