// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The regularized incomplete beta function and its derivatives, by the
// continued fraction DLMF 8.17.22. The parameters a and b are called p and q.

#include "dialects/Jet.h"

using namespace mlir;
namespace weft::scalar {

constexpr double twoPi = 2 * llvm::numbers::pi;

/// x^p (1 - x)^q / beta(p, q): by Stirling's formula, and so that the large
/// logarithms cancel by hand. `excess` is q x - p (1 - x).
static Scalar term(Scalar p, Scalar q, Scalar x, Scalar excess) {
  Scalar sum = p + q;
  // Subnormal numbers have too few digits to be multiplied.
  Scalar isTiny = lt(x, 1e-290);
  Scalar scaled = select(isTiny, 0x1p+200 * x, x);
  Scalar exponent = p * logDistance(excess / p, scaled * (sum / p)) +
                    q * logDistance(-excess / q, (1.0 - x) * (sum / q));
  exponent = exponent + select(isTiny, 200 * llvm::numbers::ln2 * p, 0.0);
  Scalar errors = stirlingError(sum) - stirlingError(p) - stirlingError(q);
  return exp(errors - exponent) * sqrt(p / sum / twoPi) * sqrt(q);
}

static Jet tailOf(const Jet &x) {
  Jet tail = x;
  tail.c[0] = constant(x.value(), 0.0);
  return tail;
}

namespace {
/// The parameters as variables, and what is known of them.
struct Parameters {
  Jet p, q;
  Scalar x, excess;

  Parameters(const Box &box, Scalar p, Scalar q, Scalar x)
      : p(box, p, 0), q(box, q, 1), x(x), excess(q * x - p * (1.0 - x)) {}

  Scalar value() const { return term(p.value(), q.value(), x, excess); }

  /// log of the factor by which the term grows with the parameters.
  Jet growth() const {
    Jet sum = p + q;
    Scalar rest = logMinusDigamma(sum.value());
    // log(x (p + q) / p) - (log(p) - digamma(p)) + ..., that is
    // log(x) - digamma(p) + digamma(p + q)
    auto slope = [&](const Jet &own, Scalar part, Scalar excess) {
      Scalar ratio = excess / own.value();
      Scalar logarithm = select(lt(absolute(ratio), 0.5), log1p(ratio),
                                log(part * (sum.value() / own.value())));
      return logarithm + logMinusDigamma(own.value()) - rest;
    };
    return slope(p, x, excess) * tailOf(p) +
           slope(q, 1.0 - x, -excess) * tailOf(q) + lgammaBend(sum) -
           lgammaBend(p) - lgammaBend(q);
  }
};
} // namespace

/// 1 / (1 + d(1) / (1 + d(2) / (1 + ...))), by Lentz's algorithm.
static Jet continuedFraction(const Jet &p, const Jet &q, Scalar x) {
  const Box &box = *p.box;
  unsigned size = box.size();
  Jet one(box, constant(x, 1.0)), sum = p + q;
  auto part = [&](ArrayRef<Scalar> v, unsigned i) {
    return Jet(box, v.slice(i * size, size));
  };
  // The denominator, the quotients of successive numerators and denominators,
  // how much it has changed less 1, and the number of steps.
  Scalars start;
  for (const Jet &each : {one, one, Jet(box, constant(x, 0.0)), one})
    start.append(each.all());
  start.push_back(constant(x, 0.0));
  auto isolated = [](Jet x) {
    Scalar value = x.value();
    x.c[0] = select(eq(value, 0.0), 1e-300, value);
    return x;
  };
  Scalars found = repeat(
      start,
      [&](ArrayRef<Scalar> v) {
        return hasChanged(part(v, 3)) & lt(v.back(), 1e5);
      },
      [&](ArrayRef<Scalar> v) {
        Scalar m = v.back(), next = m + 1.0;
        Jet even = 2.0 * m + p, middle = 1.0 + even, last = 2.0 + even;
        // Quotients of what is of one size: products may overflow.
        Jet odd = -x * (((m + p) / even) * ((m + sum) / middle));
        Jet pair =
            ((q - Jet(box, next)) / middle) * ((next * x) * (one / last));
        Jet c = part(v, 1), d = part(v, 2), total = part(v, 0), change = one;
        for (const Jet &coefficient : {odd, pair}) {
          c = isolated(one + coefficient / c);
          d = one / isolated(one + coefficient * d);
          change = c * d;
          total = total * change;
        }
        Scalars values;
        for (const Jet &each : {total, c, d, constant(x, -1.0) + change})
          values.append(each.all());
        values.push_back(next);
        return values;
      });
  return one / part(found, 0);
}

/// The function or 1 less it, whichever converges fast, and which it is.
static std::pair<Jet, Scalar> computed(const Parameters &at) {
  const Box &box = *at.p.box;
  Scalar p = at.p.value(), q = at.q.value();
  // For small q the function is small, and must not be a difference.
  Scalar isSmall = lt(q, 0.05) & lt(at.x, 0.999);
  Scalar isUpper = ~isSmall & lt((p + 1.0) / (p + q + 2.0), at.x);
  Jet own = select(isUpper, at.q, at.p), other = select(isUpper, at.p, at.q);
  Scalar x = select(isUpper, 1.0 - at.x, at.x);
  Jet fraction = continuedFraction(own, other, x) / own;
  if (box.size() > 1)
    fraction = exp(at.growth()) * fraction;
  return {at.value() * fraction, isUpper};
}

//===----------------------------------------------------------------------===//
// Derivatives by the limit
//===----------------------------------------------------------------------===//

static Scalar densityInside(Scalar p, Scalar q, Scalar x, Orders by) {
  Box box(by);
  Parameters at(box, p, q, x);
  Jet limit(box, x, 2);
  Jet rest = constant(x, 1.0) - limit;
  Jet exponent = at.growth() + (-1.0 + at.p) * logTail(limit) +
                 (-1.0 + at.q) * logTail(rest);
  Scalar value = at.value() / (x * (1.0 - x));
  return (value * exp(exponent)).derivative();
}

/// x^(p - 1) (1 - x)^(q - 1) / beta(p, q) at x = 0, and its slope.
static Scalar densityAtZero(Scalar p, Scalar q, bool isSlope) {
  Scalar inf = infinity(p), zero = constant(p, 0.0);
  if (!isSlope)
    return select(lt(1.0, p), zero, select(eq(p, 1.0), q, inf));
  Scalar steep = select(lt(1.0, p), inf, -inf);
  Scalar value = select(eq(p, 2.0), q * (q + 1.0),
                        select(eq(p, 1.0), -(q * (q - 1.0)), steep));
  return select(lt(2.0, p), zero, value);
}

static Scalar density(Scalar p, Scalar q, Scalar x, Orders by) {
  Scalar inside = densityInside(p, q, x, by);
  Scalar isZero = eq(x, 0.0), isOne = eq(x, 1.0);
  Scalar own = select(isZero, p, q), other = select(isZero, q, p);
  Scalar edge = select(lt(by[2] + 1.0, own), 0.0, nan(x));
  if (by[0] == 0 && by[1] == 0 && by[2] < 2) {
    edge = densityAtZero(own, other, by[2] == 1);
    if (by[2] == 1)
      edge = select(isOne, -edge, edge);
  }
  return select(isZero | isOne, edge, inside);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// The value where a parameter is 0 or infinite: all the mass is at one end.
static Scalar withEnds(Scalar p, Scalar q, Scalar x, Scalar inside) {
  Scalar inf = infinity(x), zero = constant(x, 0.0), one = constant(x, 1.0);
  Scalar isAtZero = eq(p, 0.0) | eq(q, inf), isAtOne = eq(q, 0.0) | eq(p, inf);
  Scalar result = select(isAtZero, one, select(isAtOne, zero, inside));
  result = select(eq(x, 0.0), zero, select(eq(x, 1.0), one, result));
  return select(isAtZero & isAtOne, nan(x), result);
}

Scalar betainc(Scalar p, Scalar q, Scalar x, Orders by) {
  return inF64(
      [&](Scalar p, Scalar q, Scalar x) {
        Scalar inf = infinity(x), zero = constant(x, 0.0);
        Scalar isInside = le(0.0, p) & le(0.0, q) & le(0.0, x) & le(x, 1.0);
        Scalar isProper = lt(0.0, p) & lt(p, inf) & lt(0.0, q) & lt(q, inf);
        Scalar isTame = isProper & lt(0.0, x) & lt(x, 1.0);
        // Of two tiny parameters only the quotient counts; sums of the largest
        // numbers, and quotients of the smallest, would overflow.
        Scalar scale =
            select(lt(maximum(p, q), 1e-200), 1e150, constant(x, 1.0));
        auto tamed = [&](Scalar own) {
          Scalar bounded = maximum(minimum(own * scale, constant(x, 1e200)),
                                   constant(x, 1e-250));
          return select(isTame, bounded, 1.0);
        };
        Scalar tameP = tamed(p), tameQ = tamed(q),
               tameX = select(isTame, x, 0.5);
        if (by[2] > 0) {
          Scalar slope =
              density(select(isProper, p, 1.0), select(isProper, q, 1.0), x,
                      {by[0], by[1], by[2] - 1});
          return select(isInside & isProper, slope, nan(x));
        }
        Box box(by.take_front(2));
        auto [value, isUpper] = computed(Parameters(box, tameP, tameQ, tameX));
        Scalar derivative = value.derivative();
        if (by[0] + by[1] == 0) {
          derivative = select(isUpper, 1.0 - derivative, derivative);
          // To a tiny q it is proportional.
          Scalar share = select(isTame & lt(q, 1e-200), q * scale / tameQ, 1.0);
          derivative = derivative * share;
          derivative = withEnds(p, q, x, derivative);
        } else {
          derivative = select(isUpper, -derivative, derivative);
          derivative =
              select(isTame, derivative, select(isProper, zero, nan(x)));
        }
        return select(isInside, derivative, nan(x));
      },
      p, q, x);
}

} // namespace weft::scalar
