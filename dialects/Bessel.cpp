// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modified Bessel functions of the first kind, of whole order.

#include "dialects/Special.h"

using namespace mlir;
namespace weft::scalar {

// sqrt(x) exp(-x) I(x) of orders 0 and 1 for x >= 8, in powers of 16 / x - 1:
// the polynomials that equal it at Chebyshev's nodes, found with 50 digits.
// Accurate to 8e-18.
constexpr double besselI0Far[] = {
    0.4021765094450081,      0.003360551983667854,   0.00013621607439232738,
    1.1143033791557773e-05,  1.4838475473648852e-06, 2.973598432194728e-07,
    8.872253504799642e-08,   3.932602495810315e-08,  2.1545178163588895e-08,
    7.553513931762688e-09,   -6.729726422565969e-09, -1.3404231117752526e-08,
    -5.468591206711964e-09,  7.540571538303978e-09,  7.580211298335825e-09,
    -3.4857351897901003e-09, -6.188256524892362e-09, 1.497818285755271e-09,
    3.88114976628965e-09,    -5.561744216380665e-10, -1.778941362707532e-09,
    1.4670330048824973e-10,  5.181969780776695e-10,  -1.921331645953167e-11,
    -7.069022890857466e-11};
constexpr double besselI1Far[] = {
    0.38939845902587233,     -0.009749577193235728,   -0.00021923576383430266,
    -1.50385472011774e-05,   -1.8349101134704376e-06, -3.4838556086986085e-07,
    -1.0001323455316184e-07, -4.312935409468427e-08,  -2.3370596705440397e-08,
    -8.426620053972562e-09,  6.7157969508772715e-09,  1.4029681704814118e-08,
    6.040873006556479e-09,   -7.630719365989199e-09,  -8.044226109875144e-09,
    3.4065776287852e-09,     6.4870192693159966e-09,  -1.4171014992041082e-09,
    -4.047793122579294e-09,  5.145999005884811e-10,   1.8513820111325957e-09,
    -1.3420581828594457e-10, -5.388344896817474e-10,  1.7498735107535248e-11,
    7.348122650674019e-11};

// The same, to 2e-10: enough for f32.
constexpr double besselI0FarShort[] = {
    0.4021765094053054,    0.0033605520313900633, 0.00013621740783454701,
    1.1141542189580863e-5, 1.4754756356201013e-6, 3.0383309086686273e-7,
    1.0910232941075882e-7, 3.3635802235185299e-8};
constexpr double besselI1FarShort[] = {
    0.38939845907447129,    -0.0097495772413154317, -0.00021923738535629924,
    -1.5037047143805947e-5, -1.8250069387125122e-6, -3.5481954165334105e-7,
    -1.2318419674047784e-7, -3.7856024793316297e-8};

/// Of 0 <= x <= 8: the power series DLMF 10.25.2, all of whose terms are
/// positive.
static Scalar powerSeries(Scalar x, unsigned order, bool isShort) {
  SmallVector<double> coefficients;
  unsigned terms = isShort ? 18 : 30;
  double factor = 1;
  for (unsigned k = 1; k <= order; ++k)
    factor /= k;
  for (unsigned k = 0; k < terms; factor /= (k + 1.0) * (k + 1.0 + order), ++k)
    coefficients.push_back(factor);
  Scalar half = 0.5 * x, sum = horner(half * half, coefficients);
  for (unsigned k = 0; k < order; ++k)
    sum = half * sum;
  return sum;
}

/// exp(-x) I(x) of x > 8.
static Scalar scaledFar(Scalar x, unsigned order, bool isShort) {
  Scalar at = constant(x, 16.0) / x - 1.0, root = sqrt(x);
  ArrayRef<double> first = besselI0Far, second = besselI1Far;
  if (isShort) {
    first = besselI0FarShort;
    second = besselI1FarShort;
  }
  Scalars found{horner(at, first) / root, horner(at, second) / root};
  // I(n + 1) = I(n - 1) - 2 n I(n) / x
  for (unsigned n = 1; n < order; ++n)
    found.push_back(found[n - 1] - 2.0 * n * (found[n] / x));
  return found[order];
}

Scalar besselI(Scalar x, int64_t order, bool scaled) {
  bool few = isShort(x);
  return inF64(
      [&](Scalar x) {
        Scalar size = absolute(x);
        auto near = [&] {
          Scalar sum = powerSeries(size, order, few);
          return scaled ? exp(-size) * sum : sum;
        };
        auto far = [&] {
          Scalar far = scaledFar(size, order, few);
          if (scaled)
            return far;
          // Two factors, neither of which overflows before the product.
          Scalar root = exp(0.5 * size);
          return select(eq(size, infinity(x)), size, far * root * root);
        };
        // Where both are short, without a branch: elements are computed in
        // vectors.
        Scalar isNear = le(size, 8.0);
        Scalar value =
            few ? select(isNear, near(), far()) : choose(isNear, near, far);
        return order % 2 ? select(signbit(x), -value, value) : value;
      },
      x);
}

} // namespace weft::scalar
