// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The regularized incomplete gamma functions and their derivatives.
//
// P by its power series (DLMF 8.7.1), Q by its continued fraction (8.9.2), both
// near x = a for large a by Temme's uniform expansion (8.12): N. M. Temme, The
// asymptotic expansion of the incomplete gamma functions, SIAM Journal on
// Mathematical Analysis 10 (1979).

#include "dialects/Jet.h"

using namespace mlir;
namespace weft::scalar {

// The coefficients of eta^n in C(k), computed with 50 digits by the recurrence
// in Temme's paper. Those that are left out are too small to matter where the
// expansion is used, for a >= 100.
constexpr double temme[][18] = {
    {-0.3333333333333333, 0.08333333333333333, -0.014814814814814815,
     0.0011574074074074073, 0.0003527336860670194, -0.0001787551440329218,
     3.919263178522438e-05, -2.185448510679992e-06, -1.85406221071516e-06,
     8.296711340953087e-07, -1.7665952736826078e-07, 6.707853543401498e-09,
     1.0261809784240309e-08, -4.382036018453353e-09, 9.14769958223679e-10,
     -2.5514193994946248e-11, -5.830772132550426e-11, 2.4361948020667415e-11},
    {-0.001851851851851852, -0.003472222222222222, 0.0026455026455026454,
     -0.0009902263374485596, 0.00020576131687242798, -4.018775720164609e-07,
     -1.8098550334489977e-05, 7.64916091608111e-06, -1.6120900894563446e-06,
     4.647127802807434e-09, 1.378633446915721e-07, -5.752545603517705e-08,
     1.1951628599778148e-08, -1.7543241719747647e-11, -1.0091543710600413e-09,
     4.162792991842583e-10},
    {0.004133597883597883, -0.0026813271604938273, 0.0007716049382716049,
     2.0093878600823047e-06, -0.0001073665322636516, 5.2923448829120125e-05,
     -1.2760635188618728e-05, 3.423578734096138e-08, 1.3721957309062934e-06,
     -6.298992138380055e-07, 1.4280614206064242e-07, -2.0477098421990866e-10,
     -1.409252991086752e-08, 6.228974084922022e-09},
    {0.0006494341563786008, 0.00022947209362139917, -0.0004691894943952557,
     0.00026772063206283885, -7.561801671883977e-05, -2.396505113867297e-07,
     1.1082654115347302e-05, -5.6749528269915965e-06, 1.4230900732435883e-06,
     -2.7861080291528143e-11, -1.6958404091930278e-07, 8.099464905388083e-08},
    {-0.0008618882909167117, 0.0007840392217200666, -0.0002990724803031902,
     -1.4638452578843418e-06, 6.641498215465122e-05, -3.968365047179435e-05,
     1.1375726970678419e-05, 2.507497226237533e-10, -1.6954149536558305e-06,
     8.907507532205309e-07},
    {-0.00033679855336635813, -6.972813758365857e-05, 0.0002772753244959392,
     -0.00019932570516188847, 6.797780477937208e-05, 1.419062920643967e-07,
     -1.3594048189768693e-05, 8.018470256334202e-06},
    {0.0005313079364639922, -0.0005921664373536939, 0.0002708782096718045,
     7.902353232660328e-07, -8.153969367561969e-05, 5.61168275310625e-05},
    {0.00034436760689237765, 5.171790908260592e-05, -0.00033493161081142234,
     0.0002812695154763237}};

constexpr double pi = llvm::numbers::pi;

/// x^a exp(-x) / gamma(a + 1) of a >= 0 and x >= 0.
static Scalar term(Scalar a, Scalar x) {
  Scalar value = choose(
      lt(a, 10.0),
      [&] {
        Scalar root = exp(-0.5 * x);
        return pow(x, a) / positiveGamma(a + 1.0) * root * root;
      },
      [&] {
        // By Stirling's formula, so that large numbers cancel by hand.
        Scalar exponent =
            a * logDistance((x - a) / a, x / a) + stirlingSeries(a);
        return exp(-exponent) / sqrt(2.0 * pi * a);
      });
  return select(lt(1e4, x) & lt(a + a, x), 0.0, value);
}

/// The factor by which the term grows with `a`: its value is 1.
static Jet growth(const Jet &a, Scalar x) {
  // log(x) - digamma(a + 1), whose parts may nearly cancel.
  if (a.box->size() == 1)
    return Jet(*a.box, constant(x, 1.0));
  Scalar up = a.value() + 1.0;
  Scalar slope = log(x / up) + logMinusDigamma(up);
  Jet step = a;
  step.c[0] = constant(x, 0.0);
  return exp(slope * step - lgammaBend(1.0 + a));
}

//===----------------------------------------------------------------------===//
// Values and derivatives by the parameter
//===----------------------------------------------------------------------===//

/// sum of x^n / ((a + 1) ... (a + n))
static Jet powerSeries(const Jet &a, Scalar x) {
  const Box &box = *a.box;
  Scalar one = constant(x, 1.0), zero = constant(x, 0.0);
  Scalars start = Jet(box, one).all();
  start.append(Jet(box, one).all());
  start.push_back(zero);
  unsigned size = box.size();
  auto split = [&](ArrayRef<Scalar> v) {
    return std::pair(Jet(box, v.take_front(size)),
                     Jet(box, v.slice(size, size)));
  };
  Scalars found = repeat(
      start,
      [&](ArrayRef<Scalar> v) {
        auto [sum, term] = split(v);
        return hasMoved(sum, term) & lt(v.back(), 1e4);
      },
      [&](ArrayRef<Scalar> v) {
        auto [sum, term] = split(v);
        Scalar n = v.back() + 1.0;
        Jet next = x * term / (n + a);
        Scalars values = (sum + next).all();
        values.append(next.all());
        values.push_back(n);
        return values;
      });
  return Jet(box, ArrayRef(found).take_front(size));
}

/// 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), by Lentz's algorithm.
static Jet continuedFraction(const Jet &a, Scalar x) {
  const Box &box = *a.box;
  unsigned size = box.size();
  Scalar one = constant(x, 1.0), zero = constant(x, 0.0);
  Jet first = (x + 1.0) - a;
  Jet inverse = Jet(box, one) / first;
  // The fraction, the quotients of successive numerators and denominators, how
  // much the fraction has changed less 1, and the number of steps.
  Scalars start = inverse.all();
  start.append(Jet(box, constant(x, 1e300)).all());
  start.append(inverse.all());
  start.append(Jet(box, one).all());
  start.push_back(zero);
  auto part = [&](ArrayRef<Scalar> v, unsigned i) {
    return Jet(box, v.slice(i * size, size));
  };
  Scalars found = repeat(
      start,
      [&](ArrayRef<Scalar> v) {
        return hasChanged(part(v, 3)) & lt(v.back(), 1e4);
      },
      [&](ArrayRef<Scalar> v) {
        Scalar n = v.back() + 1.0;
        Jet up = n * (a + Jet(box, -n));
        Jet denominator = 2.0 * n + first;
        Jet c = denominator + up / part(v, 1);
        Jet d = Jet(box, one) / (denominator + up * part(v, 2));
        Jet change = c * d;
        Scalars values = (part(v, 0) * change).all();
        values.append(c.all());
        values.append(d.all());
        values.append((constant(x, -1.0) + change).all());
        values.push_back(n);
        return values;
      });
  return part(found, 0);
}

/// The smaller one of P and Q for large a, x near a.
static Jet uniformExpansion(const Jet &a, Scalar x) {
  const Box &box = *a.box;
  // mu = x / a - 1, eta^2 / 2 = mu - log(1 + mu) = mu^2 h / 2
  SmallVector<double> odd;
  for (unsigned k = 0; k < 14; ++k)
    odd.push_back(1.0 / (2 * k + 3));
  Jet mu = (x - a) / a;
  Jet inverse = Jet(box, constant(x, 1.0)) / (2.0 + mu);
  Jet s = mu * inverse;
  Jet h = 2.0 * inverse * (1.0 + -2.0 * (s * inverse * horner(s * s, odd)));
  Jet eta = mu * sqrt(h);
  Scalar isLower = lt(mu.value(), constant(x, 0.0));
  Scalar sign = select(isLower, -1.0, constant(x, 1.0));

  Jet reciprocal = Jet(box, constant(x, 1.0)) / a;
  Jet series(box, constant(x, 0.0));
  for (unsigned k = std::size(temme); k-- > 0;)
    series =
        horner(eta, ArrayRef(temme[k]).drop_back(2 * k)) + reciprocal * series;
  Jet z = sign * (eta * sqrt(0.5 * a));
  Jet tail = 0.5 * compose(erfcxDerivatives(z.value(), box.degree()), z);
  Jet rest = sign * (series * sqrt(1.0 / (2.0 * pi) * reciprocal));
  return exp(-0.5 * (a * (mu * mu * h))) * (tail + rest);
}

/// The one of P and Q that is computed, and whether it is P.
static std::pair<Jet, Scalar> computed(const Jet &a, Scalar x) {
  Scalar start = a.value();
  Scalar isUniform = le(100.0, start) & lt(absolute(x - start), 0.35 * start);
  Scalar isSeries = lt(x, 1.1) | lt(x, start);
  Scalars values = branch(
      isUniform, [&] { return uniformExpansion(a, x).all(); },
      [&] {
        return branch(
            isSeries,
            [&] {
              Jet sum = powerSeries(a, x) * growth(a, x);
              return (term(start, x) * sum).all();
            },
            [&] {
              // d/da of x^a exp(-x) / gamma(a) has a factor a more.
              Jet sum = a * continuedFraction(a, x) * growth(a, x);
              return (term(start, x) * sum).all();
            });
      });
  Scalar isP = select(isUniform, lt(x, start), isSeries);
  return {Jet(*a.box, values), isP};
}

//===----------------------------------------------------------------------===//
// Derivatives by the limit
//===----------------------------------------------------------------------===//

/// The derivatives of x^(a - 1) exp(-x) / gamma(a) of x > 0.
static Scalar densityInside(Scalar a, Scalar x, Orders by) {
  Box box(by);
  Jet order(box, a, 0), at(box, x, 1);
  Scalar slope = log(x / a) + logMinusDigamma(a);
  Jet step = order;
  step.c[0] = constant(x, 0.0);
  Jet move = at;
  move.c[0] = constant(x, 0.0);
  Jet exponent =
      slope * step - lgammaBend(order) + (-1.0 + order) * logTail(at) - move;
  Scalar value = a * term(a, x) / x;
  return (value * exp(exponent)).derivative();
}

/// x^(a - 1) / gamma(a) at x = 0.
static Scalar densityAtZero(Scalar a) {
  Scalar inf = infinity(a), zero = constant(a, 0.0);
  // The sign of gamma(a) for a < 1; no value at its poles.
  Scalar half = 0.5 * floor(a);
  Scalar below = select(eq(half, floor(half)), inf, -inf);
  below = select(eq(a, floor(a)) & lt(a, 1.0), zero, below);
  return select(lt(1.0, a), zero, select(eq(a, 1.0), 1.0, below));
}

static Scalar density(Scalar a, Scalar x, Orders by) {
  Scalar zero = constant(x, 0.0), inside = densityInside(a, x, by);
  Scalar edge = select(lt(by[1] + 1.0, a), zero, nan(x));
  if (by[0] == 0 && by[1] == 0)
    edge = densityAtZero(a);
  if (by[0] == 0 && by[1] == 1)
    edge = select(lt(1.0, a) | eq(a, 1.0),
                  densityAtZero(a - 1.0) - densityAtZero(a), -infinity(x));
  Scalar result = select(eq(x, 0.0), edge, inside);
  result = select(eq(x, infinity(x)), zero, result);
  return select(lt(0.0, a) & le(0.0, x), result, nan(x));
}

//===----------------------------------------------------------------------===//
// The functions
//===----------------------------------------------------------------------===//

/// The values at the ends, by SciPy's conventions; the other function has 1
/// less these.
static Scalar withEnds(Scalar a, Scalar x, Scalar inside, bool isLower) {
  Scalar inf = infinity(x), one = constant(x, isLower ? 1.0 : 0.0),
         zero = constant(x, isLower ? 0.0 : 1.0);
  Scalar result = select(eq(x, 0.0), zero, inside);
  result = select(eq(x, inf) | (eq(a, 0.0) & lt(0.0, x)), one, result);
  result = select(eq(a, inf), select(eq(x, inf), nan(x), zero), result);
  Scalar isUndefined = eq(a, 0.0) & eq(x, 0.0);
  Scalar isInside = le(0.0, a) & le(0.0, x);
  result = select(isUndefined, nan(x), result);
  return select(isInside, result, nan(x));
}

/// A number at which the algorithms end, where the value is known anyway.
static Scalars tamed(Scalar a, Scalar x) {
  Scalar isTame =
      lt(0.0, a) & lt(0.0, x) & lt(a, infinity(a)) & lt(x, infinity(x));
  return {select(isTame, a, 1.0), select(isTame, x, 1.0)};
}

Scalar gammainc(Scalar a, Scalar x, Orders by) {
  return inF64(
      [&](Scalar a, Scalar x) {
        if (by[1] > 0)
          return density(a, x, {by[0], by[1] - 1});
        Box box(by.take_front(1));
        Scalars tame = tamed(a, x);
        auto [value, isP] = computed(Jet(box, tame[0], 0), tame[1]);
        if (by[0] == 0)
          return withEnds(a, x, select(isP, value.value(), 1.0 - value.value()),
                          true);
        Scalar slope = value.derivative();
        slope = select(isP, slope, -slope);
        Scalar isEnd = eq(x, 0.0) | eq(x, infinity(x));
        Scalar isInside = lt(0.0, a) & le(0.0, x);
        slope = select(isEnd | eq(a, infinity(a)), 0.0, slope);
        return select(isInside, slope, nan(x));
      },
      a, x);
}

/// Q where both are small: 1 - x^a / gamma(a + 1) and a series, neither of
/// which cancels (DLMF 8.7.1).
static Scalar smallUpper(Scalar a, Scalar x) {
  Scalar exponent = a * log(x) - lgammaPastOne(a);
  Scalars sums = repeat(
      {constant(x, 0.0), constant(x, 1.0), constant(x, 0.0)},
      [&](ArrayRef<Scalar> v) { return lt(v[2], 20.0); },
      [&](ArrayRef<Scalar> v) {
        Scalar n = v[2] + 1.0, power = -(v[1] * x) / n;
        return Scalars{v[0] + power / (a + n), power, n};
      });
  return -expm1(exponent) - exp(exponent) * (a * sums[0]);
}

Scalar gammaincc(Scalar a, Scalar x) {
  return inF64(
      [](Scalar a, Scalar x) {
        Box box{Orders()};
        Scalars tame = tamed(a, x);
        Scalar isSmall = lt(tame[0], 1.0) & lt(tame[1], 1.1);
        Scalar inside = choose(
            isSmall, [&] { return smallUpper(tame[0], tame[1]); },
            [&] {
              auto [value, isP] = computed(Jet(box, tame[0]), tame[1]);
              return select(isP, 1.0 - value.value(), value.value());
            });
        return withEnds(a, x, inside, false);
      },
      a, x);
}

} // namespace weft::scalar
