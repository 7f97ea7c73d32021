// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scaled complementary error function with its derivatives, and the
// distribution function of normal numbers.

#include "dialects/Special.h"

using namespace mlir;
namespace weft::scalar {

constexpr double twoOverRootPi = 1.12837916709551257390;
constexpr double rootHalf = 0.70710678118654752440;
constexpr double rootTwo = 1.41421356237309504880;

/// exp(x^2) times the repeated integrals of erfc, those of order 0 and more,
/// for x >= 0 (DLMF 7.18).
static Scalars integrals(Scalar x, unsigned order) {
  // n u(n) = u(n - 2) / 2 - x u(n - 1), which loses digits for large x.
  auto forward = [&] {
    Scalars u{constant(x, twoOverRootPi), expOfSquare(x, 1.0) * erfc(x)};
    for (unsigned n = 1; n <= order; ++n)
      u.push_back((0.5 * u[n - 1] - x * u[n]) / double(n));
    u.erase(u.begin());
    return u;
  };
  // The same recurrence downwards, for the quotients u(n) / u(n - 1).
  auto backward = [&] {
    Scalar start =
        apply<math::CeilOp>(double(order + 20) + constant(x, 200.0) / (x * x));
    Scalar quotient = repeat(
        {constant(x, 0.0), start},
        [&](ArrayRef<Scalar> v) { return lt(double(order), v[1]); },
        [&](ArrayRef<Scalar> v) {
          Scalar next = 0.5 / (x + v[1] * v[0]);
          return Scalars{next, v[1] - 1.0};
        })[0];
    Scalars quotients{quotient};
    for (unsigned n = order; n > 0; --n)
      quotients.push_back(0.5 / (x + double(n) * quotients.back()));
    Scalars u;
    Scalar last = constant(x, twoOverRootPi);
    for (Scalar quotient : llvm::reverse(quotients))
      u.push_back(last = last * quotient);
    return u;
  };
  // NaN goes forward, where it is not lost.
  return branch(le(order ? 1.0 : 2.5, x), backward, forward);
}

Scalars erfcxDerivatives(Scalar x, unsigned order) {
  Scalars u = integrals(absolute(x), order);
  // erfcx(x) = 2 exp(x^2) - erfcx(-x)
  Scalar isNegative = lt(x, 0.0);
  Scalars powers{2.0 * expOfSquare(x, 1.0)}, found;
  double factor = 1;
  for (unsigned n = 0; n <= order; ++n) {
    if (n)
      factor *= -2.0 * n;
    if (n == 1)
      powers.push_back(2.0 * x * powers[0]);
    if (n > 1)
      powers.push_back(2.0 * x * powers[n - 1] + 2.0 * (n - 1) * powers[n - 2]);
    Scalar positive = factor * u[n];
    Scalar mirrored = n % 2 ? positive : -positive;
    found.push_back(select(isNegative, powers[n] + mirrored, positive));
  }
  return found;
}

Scalar erfcx(Scalar x, Orders by) {
  return inF64([&](Scalar x) { return erfcxDerivatives(x, by[0]).back(); }, x);
}

Scalar ndtr(Scalar x) {
  return inF64(
      [](Scalar x) {
        Scalar z = -rootHalf * x;
        return choose(
            lt(x, -1.0),
            [&] {
              Scalar scaled = erfcxDerivatives(z, 0)[0];
              Scalar value = 0.5 * expOfSquare(x, -0.5) * scaled;
              return select(lt(x, -40.0), 0.0, value);
            },
            [&] { return 0.5 * erfc(z); });
      },
      x);
}

Scalar ndtri(Scalar x) {
  return inF64(
      [](Scalar x) {
        Scalar rest = 1.0 - x;
        Scalar isLow = lt(x, 0.5);
        Scalar size = rootTwo * erfcinv(2.0 * select(isLow, x, rest));
        return select(isLow, -size, size);
      },
      x);
}

} // namespace weft::scalar
