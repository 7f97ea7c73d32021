// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The error function of f32.

#include "lowering/cpu/ExpandMath.h"

using namespace mlir;

namespace weft::expand {

// erf(x) / x - 1 by x^2, |x| <= 1, to 2^-29.5.
constexpr double nearZero[] = {0.128379166,   -0.376126289,  0.112836182,
                               -0.026855126,  0.00519073335, -0.000803075032,
                               7.92030332e-05};
// -log2(8 erfc(1 + y)), 0 <= y <= 3, to 2^-28.7 of erf(1 + y).
constexpr double far[] = {-0.331583291,    3.80722404,    1.21636796,
                          0.0598415211,    -0.0141890254, 0.00253595342,
                          -0.000211560488, -1.1860634e-05};

/// Beyond 1 it is 1 - erfc(x), whose error hardly counts.
Scalar expandErf(Scalar x) {
  Scalar size = absolute(x);
  Scalar small = fma(x, polynomial(x * x, nearZero), x);
  Scalar y = atMost(size, 4) - 1.0;
  Scalar large = fma(exp2OfNormal(-polynomial(y, far)), -0.125, 1.0);
  return select(lt(size, 1.0), small, copysign(large, x));
}

} // namespace weft::expand
