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

// (x + 5/2) erfcx(x) and (x + 5/2)^2 (1 / sqrt(pi) - x erfcx(x)) in powers of
// (x - 5/2) / (x + 5/2), x >= 0, to 5e-10 and 2e-9: Chebyshev series, found
// with 40 digits.
constexpr double integralFit[] = {
    1.0540318200846909,       -0.804651849542924164,
    0.45391413833341633,      -0.171251135046516228,
    0.0283612011462732312,    0.00839287868048640562,
    -0.00481666767402147137,  -0.000438184998096852097,
    0.000696524790470233109,  0.000055230419632373423,
    -0.000103257004714272718, -0.0000145866293434600641,
    0.0000110322934537990185, 2.43897040971399971e-6};
constexpr double secondIntegralFit[] = {
    0.929341834872433383,     -1.25856597276110209,
    0.937747892822309836,     -0.399225139943250847,
    0.0499212657843338523,    0.0396327365043816577,
    -0.0153285470959934326,   -0.0045541166513868196,
    0.00289998521041087082,   0.000819954122966869045,
    -0.000513053782892971622, -0.000177374163448082601,
    0.0000776460937800291023, 0.0000248605440692184898,
    -7.17945119834391082e-6};

/// What `integrals` gives of order 0 and 1, to the digits of f32, without a
/// branch: elements are computed in vectors.
static Scalars integralsByFit(Scalar x, unsigned order) {
  // Of an infinite x, 1 / x is as good.
  Scalar size = minimum(x, constant(x, 1e150));
  Scalar inverse = 1.0 / (size + 2.5), at = (size - 2.5) * inverse;
  Scalars u{horner(at, integralFit) * inverse};
  if (order)
    u.push_back(horner(at, secondIntegralFit) * inverse * inverse);
  return u;
}

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

Scalars erfcxDerivatives(Scalar x, unsigned order, bool isShort) {
  bool isFit = isShort && order < 2;
  Scalars u = (isFit ? integralsByFit : integrals)(absolute(x), order);
  // erfcx(x) = 2 exp(x^2) - erfcx(-x)
  Scalar isNegative = lt(x, 0.0);
  // The square of an f32 is exact.
  Scalars powers{2.0 * (isShort ? exp(x * x) : expOfSquare(x, 1.0))}, found;
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
  bool few = isShort(x);
  return inF64([&](Scalar x) { return erfcxDerivatives(x, by[0], few).back(); },
               x);
}

/// Without a branch, as integralsByFit. The square of an f32 is exact.
static Scalar shortNdtr(Scalar x) {
  Scalar size = absolute(x);
  Scalar scaled = integralsByFit(rootHalf * size, 0)[0];
  Scalar tail = 0.5 * exp(-0.5 * (size * size)) * scaled;
  return select(lt(0.0, x), 1.0 - tail, tail);
}

static Scalar longNdtr(Scalar x) {
  Scalar z = -rootHalf * x;
  return choose(
      lt(x, -1.0),
      [&] {
        Scalar scaled = erfcxDerivatives(z, 0)[0];
        Scalar value = 0.5 * expOfSquare(x, -0.5) * scaled;
        return select(lt(x, -40.0), 0.0, value);
      },
      [&] { return 0.5 * erfc(z); });
}

Scalar ndtr(Scalar x) { return inF64(isShort(x) ? shortNdtr : longNdtr, x); }

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
