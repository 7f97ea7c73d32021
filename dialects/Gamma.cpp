// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The gamma function, its logarithm and the derivatives of that, the logarithm
// of the beta function, and Hurwitz's zeta function.

#include "dialects/Jet.h"

using namespace mlir;
namespace weft::scalar {

//===----------------------------------------------------------------------===//
// Coefficients
//===----------------------------------------------------------------------===//

// Quotients of polynomials that equal the function at Chebyshev's nodes of the
// interval, found with 50 digits: numerators, and denominators.

// log(gamma(x)) / ((x - 1) (x - 2)) in powers of x - 1 on [1/2, 3/2], to 4e-18,
// and in powers of x - 2 on [3/2, 3], to 2e-19.
constexpr double nearOneOver[] = {
    0.5772156649015329,   2.2146488658789063,    3.438317083185238,
    2.7641584978977147,   1.220648964678406,     0.288566823909783,
    0.032573487171543694, 0.0012971377698289346, 4.285023300530086e-06};
constexpr double nearOneUnder[] = {1.0,
                                   4.26166575853606,
                                   7.498171723261183,
                                   7.026547051811148,
                                   3.7714213760312236,
                                   1.158946005483339,
                                   0.19200727247956306,
                                   0.01477123221684445,
                                   0.00036087800116533093};
constexpr double nearTwoOver[] = {
    0.42278433509846713,    0.6689789577639106,    0.41017333595959593,
    0.12239015040147981,    0.0182365348100006,    0.0012353508022106318,
    2.8258317522265374e-05, 4.8037831249463325e-08};
constexpr double nearTwoUnder[] = {1.0,
                                   1.8195949934121711,
                                   1.3239497037830112,
                                   0.4910457581038021,
                                   0.09789504237947061,
                                   0.010116906441024998,
                                   0.0004727513935277267,
                                   6.883320605965513e-06};

// digamma(x) over the distance to its root, in powers of x - 3/2 on [1, 2], to
// 8e-20.
constexpr double digammaAboutRootOver[] = {
    0.9510558760318328,  1.1663702567214969,   0.5137384479970142,
    0.0998201733015596,  0.008297484863617567, 0.00022636249078624788,
    4.22009395907132e-07};
constexpr double digammaAboutRootUnder[] = {1.0,
                                            1.6718236205395554,
                                            1.0319333676352624,
                                            0.2978119036558111,
                                            0.041378314480827155,
                                            0.0025031842360786877,
                                            4.664959078686044e-05};

// gamma(x) in powers of x - 2 on [2, 3], to 1e-18.
constexpr double gammaTwoToThreeOver[] = {1.0,
                                          0.30111105498299073,
                                          0.10137117793719057,
                                          0.0019106810031471718,
                                          -0.0009640204258950283,
                                          -0.0013278449694612488,
                                          -0.0001558216604615012,
                                          -4.0569297952607645e-05};
constexpr double gammaTwoToThreeUnder[] = {1.0,
                                           -0.12167328011547689,
                                           -0.25902759565634353,
                                           0.0799565354435971,
                                           0.007586340093239919,
                                           -0.007032780840779669,
                                           0.0012165726151231635,
                                           -7.34627545810651e-05};

// B(2k) / (2k (2k - 1)), of Stirling's series, for k = 1, 2, ...
constexpr double stirling[] = {
    1.0 / 12,         -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
    1.0 / 1188,       -691.0 / 360360,   1.0 / 156,  -3617.0 / 122400,
    43867.0 / 244188, -174611.0 / 125400};
// B(2k) / 2k
constexpr double digammaSeries[] = {
    1.0 / 12,       -1.0 / 120, 1.0 / 252,      -1.0 / 240,     1.0 / 132,
    -691.0 / 32760, 1.0 / 12,   -3617.0 / 8160, 43867.0 / 14364};
constexpr double halfLogTwoPi = 0.91893853320467274178;
constexpr double rootTwoPi = 2.50662827463100050242;
constexpr double pi = llvm::numbers::pi;

//===----------------------------------------------------------------------===//
// Logarithm of the gamma function
//===----------------------------------------------------------------------===//

Scalar stirlingSeries(Scalar x) {
  Scalar inverse = 1.0 / x;
  return inverse * horner(inverse * inverse, stirling);
}

/// (x - 1) (x - 2) ... and the number where it ends: below 3, and at least 2 if
/// x is. Of x < 10. Without a loop, so that elements are computed in vectors.
static Scalars fallingProduct(Scalar x) {
  Scalar product = constant(x, 1.0);
  for (unsigned step = 0; step < 7; ++step) {
    Scalar isLarge = le(3.0, x), next = x - 1.0;
    product = select(isLarge, product * next, product);
    x = select(isLarge, next, x);
  }
  return {product, x};
}

/// Of 4/5 <= x < 3.
static Scalar lgammaByFit(Scalar x) {
  Scalar isLow = lt(x, 1.5);
  Scalar toOne = x - 1.0, toTwo = x - 2.0;
  Scalar at = select(isLow, toOne, toTwo);
  Scalar over = select(isLow, horner(at, nearOneOver), horner(at, nearTwoOver));
  Scalar under =
      select(isLow, horner(at, nearOneUnder), horner(at, nearTwoUnder));
  return toOne * toTwo * (over / under);
}

Scalar positiveLgamma(Scalar x) {
  Scalar isLarge = le(10.0, x), isSmall = lt(x, 0.8);
  Scalars fallen = fallingProduct(select(isSmall, x + 1.0, x));
  // log of x for small and large ones, of the product for others
  Scalar logarithm = log(select(isLarge | isSmall, x, fallen[0]));
  Scalar large =
      (x - 0.5) * (logarithm - 1.0) + (halfLogTwoPi - 0.5) + stirlingSeries(x);
  Scalar other =
      lgammaByFit(fallen[1]) + select(isSmall, -logarithm, logarithm);
  return select(isLarge, large, other);
}

Scalar lgamma(Scalar x) {
  return inF64(
      [](Scalar x) {
        Scalar size = absolute(x);
        Scalar positive = positiveLgamma(size);
        // gamma(x) gamma(-x) = -pi / (x sin(pi x))
        Scalar reflected = log(pi / absolute(x * sinPi(x))) - positive;
        Scalar negative = select(lt(x, -1e-30), reflected, positive);
        // At the poles, which far out are all numbers, two infinities would
        // meet.
        Scalar isPole = le(x, 0.0) & eq(x, floor(x));
        return select(isPole | eq(size, infinity(x)), infinity(x), negative);
      },
      x);
}

Scalar lgammaPastOne(Scalar x) {
  return choose(
      lt(x, 0.5),
      [&] {
        Scalar fit = horner(x, nearOneOver) / horner(x, nearOneUnder);
        return x * (x - 1.0) * fit;
      },
      [&] { return positiveLgamma(x + 1.0); });
}

Scalar stirlingError(Scalar x) {
  return choose(
      le(10.0, x), [&] { return stirlingSeries(x); },
      [&] {
        return positiveLgamma(x) - ((x - 0.5) * log(x) - x) - halfLogTwoPi;
      });
}

//===----------------------------------------------------------------------===//
// The gamma function
//===----------------------------------------------------------------------===//

/// Two factors of gamma(x), x >= 0: it overflows long before they do.
static Scalars gammaFactors(Scalar x) {
  return branch(
      le(10.0, x),
      [&] {
        Scalar power = pow(x, 0.5 * x - 0.25);
        Scalar rest = rootTwoPi * exp(stirlingSeries(x));
        return Scalars{power * exp(-x) * rest, power};
      },
      [&] {
        Scalars fallen = fallingProduct(x);
        Scalar one = constant(x, 1.0), rest = fallen[1];
        Scalar isBelowTwo = lt(rest, 2.0), isBelowOne = lt(rest, 1.0);
        Scalar at = select(isBelowTwo, select(isBelowOne, rest, rest - 1.0),
                           rest - 2.0);
        Scalar divisor = select(
            isBelowTwo, select(isBelowOne, rest * (rest + 1.0), rest), one);
        Scalar fit =
            horner(at, gammaTwoToThreeOver) / horner(at, gammaTwoToThreeUnder);
        return Scalars{fallen[0] * (fit / divisor), one};
      });
}

Scalar positiveGamma(Scalar x) {
  Scalars factors = gammaFactors(minimum(x, constant(x, 250.0)));
  return factors[0] * factors[1];
}

Scalar gamma(Scalar x) {
  return inF64(
      [](Scalar x) {
        Scalar size = absolute(x), inf = infinity(x);
        // Far out the result is known, and no factor may overflow.
        Scalars factors = gammaFactors(minimum(size, constant(x, 250.0)));
        // In an order in which nothing overflows for tiny x.
        Scalar sine = sinPi(x);
        Scalar reflected =
            constant(x, -pi) / sine / factors[0] / x / factors[1];
        Scalar negative = select(eq(sine, 0.0), nan(x), reflected);
        Scalar positive = select(le(172.0, size), inf, factors[0] * factors[1]);
        Scalar result = select(lt(x, 0.0), negative, positive);
        result = select(lt(size, 1e-20), 1.0 / x, result);
        result = select(eq(x, -inf), nan(x), result);
        return select(ne(x, x), x, result);
      },
      x);
}

//===----------------------------------------------------------------------===//
// Digamma
//===----------------------------------------------------------------------===//

/// log(x) - digamma(x) of x >= 10.
static Scalar digammaDistance(Scalar x) {
  Scalar inverse = 1.0 / x, square = inverse * inverse;
  return 0.5 * inverse + square * horner(square, digammaSeries);
}

/// Of x >= 0.
static Scalar positiveDigamma(Scalar x) {
  Scalar large = log(x) - digammaDistance(x);
  // digamma(x + 1) = digamma(x) + 1 / x. Of x < 10, and without a loop, so that
  // elements are computed in vectors.
  Scalar isSmall = lt(x, 1.0);
  Scalar sum = select(isSmall, -(1.0 / x), constant(x, 0.0));
  Scalar rest = select(isSmall, x + 1.0, x);
  for (unsigned step = 0; step < 8; ++step) {
    Scalar isFar = lt(2.0, rest), next = rest - 1.0;
    sum = select(isFar, sum + 1.0 / next, sum);
    rest = select(isFar, next, rest);
  }
  // The root in two parts.
  Scalar distance = (rest - 1.4616321449683622) - 9.549995429965697e-17;
  Scalar at = rest - 1.5;
  Scalar fit =
      horner(at, digammaAboutRootOver) / horner(at, digammaAboutRootUnder);
  return select(le(10.0, x), large, distance * fit + sum);
}

Scalar digamma(Scalar x) {
  return inF64(
      [](Scalar x) {
        Scalar isNegative = lt(x, 0.0);
        Scalar positive = positiveDigamma(select(isNegative, 1.0 - x, x));
        Scalar reflected = positive - pi / tanPi(x);
        Scalar isPole = isNegative & eq(x, floor(x));
        Scalar result = select(isNegative, reflected, positive);
        result = select(isPole, nan(x), result);
        return select(eq(x, 0.0), -(1.0 / x), result);
      },
      x);
}

Scalar logMinusDigamma(Scalar x) {
  return select(le(10.0, x), digammaDistance(x), log(x) - positiveDigamma(x));
}

//===----------------------------------------------------------------------===//
// Hurwitz's zeta function
//===----------------------------------------------------------------------===//

/// Of s != 1 and q > 0: ten terms of the sum, and the rest by Euler and
/// Maclaurin's formula (DLMF 25.11.5).
static Jet positiveZeta(const Jet &s, Scalar q) {
  // B(2j) / (2j)!
  constexpr double factors[] = {
      8.3333333333333333e-02,  -1.3888888888888889e-03, 3.3068783068783069e-05,
      -8.2671957671957672e-07, 2.0876756987868099e-08,  -5.2841901386874932e-10,
      1.3382536530684679e-11,  -3.3896802963225829e-13, 8.5860620562778446e-15,
      -2.1748686985580619e-16};
  const Box &box = *s.box;
  constexpr double terms = 10;
  Scalars sums = Jet(box, constant(q, 0.0)).all();
  sums.push_back(constant(q, 0.0));
  sums = repeat(
      sums, [&](ArrayRef<Scalar> v) { return lt(v.back(), terms); },
      [&](ArrayRef<Scalar> v) {
        Jet sum = Jet(box, v.drop_back()) + power(q + v.back(), -s);
        Scalars next = sum.all();
        next.push_back(v.back() + 1.0);
        return next;
      });
  Jet sum(box, ArrayRef(sums).drop_back());
  Scalar from = q + terms;
  Jet last = power(from, -s);
  Jet rest = power(from, 1.0 + -s) / (-1.0 + s) + 0.5 * last;
  // s (s + 1) ... / from^(s + 2j - 1), of which no part overflows
  Scalar inverse = 1.0 / from;
  Jet term = last * (inverse * s);
  for (unsigned j = 1; j <= std::size(factors); ++j) {
    rest = rest + factors[j - 1] * term;
    term = term * (inverse * (2.0 * j - 1.0 + s)) * (inverse * (2.0 * j + s));
  }
  return sum + rest;
}

/// The sum of (k + q)^-s over k = 0, 1, ... for negative q and whole s: over
/// all whole k, which is two such sums for positive q, less the others.
static Scalar zetaAt(Scalar s, Scalar q) {
  Box box{Orders()};
  Scalar isNegative = lt(q, 0.0);
  Scalar distance = -q - floor(-q), half = 0.5 * s;
  Scalar one = constant(s, 1.0);
  Scalar sign = select(eq(half, floor(half)), one, -one);
  Scalar start = select(isNegative, 1.0 - distance, q);
  Scalar count = select(isNegative, 3.0, one);
  return repeat(
      {constant(s, 0.0), constant(s, 0.0)},
      [&](ArrayRef<Scalar> v) { return lt(v[1], count); },
      [&](ArrayRef<Scalar> v) {
        Scalar isFirst = eq(v[1], 0.0), isSecond = eq(v[1], 1.0);
        Scalar at = select(isFirst, start, select(isSecond, distance, 1.0 - q));
        Scalar weight = select(isFirst, one, select(isSecond, sign, -sign));
        Jet part = positiveZeta(Jet(box, s), at);
        return Scalars{v[0] + weight * part.value(), v[1] + 1.0};
      })[0];
}

/// The value by SciPy's conventions.
static Scalar zetaOf(Scalar s, Scalar q) {
  Scalar inf = infinity(s), zero = constant(s, 0.0);
  Scalar result = zetaAt(s, q);
  Scalar isWhole = eq(q, floor(q)), isNegative = le(q, 0.0);
  result = select(isNegative & ne(s, floor(s)), nan(s), result);
  result = select(eq(q, inf), zero, result);
  Scalar atInfinity = select(lt(1.0, q), zero, select(eq(q, 1.0), 1.0, inf));
  result = select(eq(s, inf) & lt(0.0, q), atInfinity, result);
  result = select((isNegative & isWhole) | eq(s, 1.0), inf, result);
  result = select(lt(s, 1.0), nan(s), result);
  result = select(eq(s, inf) & isNegative, nan(s), result);
  return select(ne(s, s) | ne(q, q), s + q, result);
}

Scalar zeta(Scalar s, Scalar q, Orders by) {
  return inF64(
      [&](Scalar s, Scalar q) {
        // d/dq zeta(s, q) = -s zeta(s + 1, q)
        if (by[0] == 0) {
          Scalar factor = constant(s, 1.0), up = s;
          for (int64_t k = 0; k < by[1]; ++k, up = up + 1.0)
            factor = factor * -up;
          Scalar value = zetaOf(up, q);
          return by[1] ? factor * value : value;
        }
        Box box(by.take_front(1));
        Jet up(box, s, 0), factor(box, constant(s, 1.0));
        for (int64_t k = 0; k < by[1]; ++k, up = 1.0 + up)
          factor = factor * -up;
        Scalar value = (factor * positiveZeta(up, q)).derivative();
        Scalar isInside = lt(1.0, s) & lt(0.0, q);
        return select(isInside, value, nan(s));
      },
      s, q);
}

Scalars polygammas(Scalar x, unsigned count) {
  Scalars found{positiveDigamma(x)};
  Box box{Orders()};
  double factor = -1;
  for (unsigned n = 1; n < count; ++n) {
    factor *= -double(n);
    Jet order(box, constant(x, n + 1.0));
    found.push_back(factor * positiveZeta(order, x).value());
  }
  return found;
}

Scalar polygamma(Scalar n, Scalar x) {
  return inF64(
      [](Scalar n, Scalar x) {
        n = apply<math::RoundEvenOp>(n);
        Scalar isValid = le(0.0, n) & lt(n, infinity(n));
        Scalar value = choose(
            eq(n, 0.0), [&] { return digamma(x); },
            [&] {
              Scalar up = n + 1.0, half = 0.5 * up;
              Scalar size = positiveGamma(up) * zetaOf(up, x);
              return select(eq(half, floor(half)), size, -size);
            });
        return select(isValid, value, nan(x));
      },
      n, x);
}

//===----------------------------------------------------------------------===//
// Logarithm of the beta function
//===----------------------------------------------------------------------===//

Scalar betaln(Scalar x, Scalar y) {
  return inF64(
      [](Scalar x, Scalar y) {
        Scalar low = minimum(x, y), high = maximum(x, y), sum = x + y;
        Scalar inf = infinity(x);
        Scalar isLarge = le(10.0, high) & le(10.0, sum);
        Scalar result = choose(
            isLarge,
            [&] {
              // Stirling's formula for `high` and for the sum.
              Scalar ratio = log1p(low / high);
              Scalar errors = stirlingSeries(high) - stirlingSeries(sum);
              return choose(
                  le(10.0, low),
                  [&] {
                    return (low - 0.5) * log(low / sum) - high * ratio -
                           0.5 * log(high) + halfLogTwoPi +
                           (errors + stirlingSeries(low));
                  },
                  [&] {
                    return lgamma(low) - (high - 0.5) * ratio -
                           low * (log(sum) - 1.0) + errors;
                  });
            },
            [&] { return lgamma(x) + lgamma(y) - lgamma(sum); });
        result = select(lt(0.0, low) & eq(high, inf), -inf, result);
        Scalar isPole = eq(low, 0.0) | eq(high, 0.0);
        return select(isPole & eq(sum, sum), inf, result);
      },
      x, y);
}

} // namespace weft::scalar
