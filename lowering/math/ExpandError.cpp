// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The error function. The fits are our own.

#include "lowering/math/ExpandMath.h"

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

// The same as nearZero for f64, to 2^-56.
constexpr double nearZeroF64[] = {
    0.12837916709551259,     -0.37612638903184098,    0.11283791670971194,
    -0.026866170648069149,   0.0052239776532585743,   -0.0008548328579297171,
    0.00012055388161827853,  -1.4926937441319299e-05, 1.6482087613360687e-06,
    -1.6569334509845705e-07, 1.6103488334007301e-08,  -1.6843119283464722e-09,
    1.503020242494664e-10};
// exp(x^2) erfc(x) / (1 - t) by t = (x - 3) / (x + 3), 1 <= x <= 6, to 2^-59 of
// erf(x) / erfc(x).
constexpr double tail[] = {
    0.17900115118139975,     -0.14723240886119607,   0.09837139285288575,
    -0.051744543796539887,   0.019921290408877516,   -0.0044712361220242006,
    -0.00020224105513672456, 0.00050507382659158422, -9.266955960599375e-05,
    -4.7488152810664753e-05, 1.8229873247935901e-05, 7.7796049442419145e-06};

// (1 + 2x) exp(x^2) erfc(x) by t = (x - 4) / (x + 4), 0 <= x <= 28, to 2^-56
// (the variable is that of Shepherd and Laframboise 1981).
constexpr double scaledComplement[] = {
    1.2329951186255526,      -0.1396211168405629,     0.01537965210262074,
    0.06809705425473732,     -0.10103906603635213,    0.09373283499679412,
    -0.06633036581152939,    0.03716751556249286,     -0.016197734059115006,
    0.005031969755895426,    -0.00075777334141333,    -0.00019925550755614952,
    0.000150622243948303,    -2.4403169244974074e-05, -1.1224789135154701e-05,
    5.7178872846321855e-06,  3.0135049944875397e-07,  -8.351619688696847e-07,
    6.270727157198311e-08,   1.1534943745754157e-07,  -7.71541861441783e-09,
    -1.3670989863347383e-08, -1.8206098680308682e-09};

/// Beyond 1 it is 1 - erfc(x), whose error hardly counts.
static Scalar erfOfF32(Scalar x) {
  Scalar size = absolute(x);
  Scalar small = fma(x, polynomial(x * x, nearZero), x);
  Scalar y = atMost(size, 4) - 1.0;
  Scalar large = fma(exp2OfNormal(-polynomial(y, far)), -0.125, 1.0);
  return select(lt(size, 1.0), small, copysign(large, x));
}

/// erfc(x) in f64 of x >= 1, to some ulps. What the square loses when it is
/// rounded is made good by the derivative.
static Scalar complementOf(Scalar x) {
  x = atMost(x, 6);
  Sum square = exactProduct(x, x);
  Scalar ratio = 6.0 / (3.0 + x);
  Scalar y = ratio * polynomial(1.0 - ratio, tail);
  return expandExp(-square.high) * fma(-square.low, y, y);
}

/// erf(x) in f64 of |x| <= 1.
static Scalar erfNearZero(Scalar x) {
  return fma(x, polynomial(x * x, nearZeroF64), x);
}

Scalar expandErf(Scalar x) {
  if (isF32(x))
    return erfOfF32(x);
  Scalar size = absolute(x);
  Scalar large = copysign(1.0 - complementOf(size), x);
  return select(lt(size, 1.0), erfNearZero(x), large);
}

/// Of negative numbers it is 2 - erfc(-x). What the square loses when it is
/// rounded is made good by the derivative.
Scalar expandWideErfc(Scalar x) {
  Scalar size = atMost(absolute(x), 28);
  Sum square = exactProduct(size, size);
  Scalar t = (size - 4.0) / (size + 4.0);
  Scalar y = polynomial(t, scaledComplement) / fma(size, 2.0, 1.0);
  Scalar tail = expandExp(-square.high) * fma(-square.low, y, y);
  Scalar far = select(lt(x, 0.0), 2.0 - tail, tail);
  return select(lt(size, 0.5), 1.0 - erfNearZero(x), far);
}

} // namespace weft::expand
