// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the special functions are made of, and the simplest of them.

#include "dialects/Special.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
namespace weft::scalar {

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Scalar bitcast(Scalar x, Type type) {
  return {arith::BitcastOp::create(*x.b, x.loc, type, x.value), type, x.b,
          x.loc};
}

Scalar horner(Scalar x, ArrayRef<double> coefficients) {
  Scalar sum = constant(x, coefficients.back());
  for (double next : llvm::reverse(coefficients.drop_back()))
    sum = sum * x + next;
  return sum;
}

static SmallVector<Value> valuesOf(ArrayRef<Scalar> scalars) {
  return llvm::map_to_vector(scalars, [](Scalar x) { return x.value; });
}
/// Other values, of the types of some scalars.
static Scalars like(ArrayRef<Scalar> scalars, ValueRange values) {
  Scalars found;
  for (auto [scalar, value] : llvm::zip(scalars, values))
    found.push_back(scalar.with(value));
  return found;
}

Scalars branch(Scalar condition, function_ref<Scalars()> then,
               function_ref<Scalars()> otherwise) {
  Scalars types;
  auto yields = [&](function_ref<Scalars()> build) {
    return [&types, build](OpBuilder &b, Location loc) {
      types = build();
      scf::YieldOp::create(b, loc, valuesOf(types));
    };
  };
  auto op = scf::IfOp::create(*condition.b, condition.loc, condition.value,
                              yields(then), yields(otherwise));
  return like(types, op.getResults());
}
Scalar choose(Scalar condition, function_ref<Scalar()> then,
              function_ref<Scalar()> otherwise) {
  return branch(
      condition, [&] { return Scalars{then()}; },
      [&] { return Scalars{otherwise()}; })[0];
}

Scalars repeat(Scalars values, function_ref<Scalar(ArrayRef<Scalar>)> condition,
               function_ref<Scalars(ArrayRef<Scalar>)> body) {
  SmallVector<Value> inits = valuesOf(values);
  auto op = scf::WhileOp::create(
      *values[0].b, values[0].loc, TypeRange(ValueRange(inits)), inits,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Scalar again = condition(like(values, args));
        scf::ConditionOp::create(b, loc, again.value, args);
      },
      [&](OpBuilder &b, Location loc, ValueRange args) {
        scf::YieldOp::create(b, loc, valuesOf(body(like(values, args))));
      });
  return like(values, op.getResults());
}

//===----------------------------------------------------------------------===//
// Functions of angles, squares and logarithms
//===----------------------------------------------------------------------===//

constexpr double pi = llvm::numbers::pi;

/// The distance to the nearest integer, and whether that is odd.
static std::pair<Scalar, Scalar> nearest(Scalar x) {
  Scalar whole = apply<math::RoundEvenOp>(x), half = 0.5 * whole;
  return {x - whole, ne(half, floor(half))};
}
Scalar sinPi(Scalar x) {
  auto [rest, isOdd] = nearest(x);
  Scalar sine = apply<math::SinOp>(pi * rest);
  return select(isOdd, -sine, sine);
}
Scalar cosPi(Scalar x) {
  auto [rest, isOdd] = nearest(x);
  // Where the cosine is small it is a sine.
  Scalar size = absolute(rest);
  Scalar cosine = select(lt(size, 0.25), apply<math::CosOp>(pi * size),
                         apply<math::SinOp>(pi * (0.5 - size)));
  return select(isOdd, -cosine, cosine);
}
Scalar tanPi(Scalar x) {
  Scalar rest = nearest(x).first, size = absolute(rest);
  Scalar tangent = select(lt(size, 0.25), apply<math::TanOp>(pi * size),
                          1.0 / apply<math::TanOp>(pi * (0.5 - size)));
  return copysign(tangent, rest);
}

Scalar expOfSquare(Scalar x, double factor) {
  // The square of the leading 26 bits is exact.
  Scalar bits = bitcast(x, x.b->getI64Type());
  Scalar head = bitcast(bits & constant(bits, -0x8000000), x.type);
  // Beyond, the result is 0 or infinite, and the rest may be NaN.
  Scalar isLarge = lt(1e4, absolute(x));
  Scalar rest = select(isLarge, 0.0, (x - head) * (x + head));
  return exp(factor * (head * head)) * exp(factor * rest);
}

Scalar logDistance(Scalar x, Scalar ratio) {
  // log(1 + x) = 2 atanh(s), s = x / (2 + x)
  SmallVector<double> odd;
  for (unsigned k = 0; k < 14; ++k)
    odd.push_back(1.0 / (2 * k + 3));
  Scalar s = x / (2.0 + x), square = s * s;
  Scalar near = x * s - 2.0 * (s * square) * horner(square, odd);
  return select(lt(absolute(x), 0.4), near, x - log(ratio));
}

//===----------------------------------------------------------------------===//
// Products with logarithms
//===----------------------------------------------------------------------===//

/// x times a logarithm, 0 for x = 0 unless y is NaN.
static Scalar timesLog(Scalar x, Scalar y, Scalar logarithm) {
  return select(eq(x, 0.0) & eq(y, y), 0.0, x * logarithm);
}
Scalar xlogy(Scalar x, Scalar y) {
  return inF64([](Scalar x, Scalar y) { return timesLog(x, y, log(y)); }, x, y);
}
Scalar xlog1py(Scalar x, Scalar y) {
  return inF64([](Scalar x, Scalar y) { return timesLog(x, y, log1p(y)); }, x,
               y);
}

Scalar logit(Scalar x) {
  // What the quotient of an f32 loses is nothing to the result.
  if (isShort(x))
    return inF64([](Scalar p) { return log(p / (1.0 - p)); }, x);
  return inF64(
      [](Scalar p) {
        Scalar rest = 1.0 - p;
        // The difference is exact about 1/2, where the logarithm is small.
        Scalar isCentral = lt(0.25, p) & lt(p, 0.75);
        return select(isCentral, log1p((2.0 * p - 1.0) / rest), log(p / rest));
      },
      x);
}

//===----------------------------------------------------------------------===//
// Neighbours
//===----------------------------------------------------------------------===//

/// The element itself, where it is computed with more bits.
static Scalar unwidened(Scalar x) {
  return x.narrow ? Scalar{x.narrow, x.narrowType, x.b, x.loc} : x;
}

Scalar nextafter(Scalar x, Scalar y) {
  // As signed integers, bits of one sign are ordered as their numbers are.
  Scalar own = unwidened(x), target = unwidened(y);
  Scalar bits = bitcast(own, x.b->getIntegerType(own.width()));
  Scalar one = constant(bits, 1.0);
  Scalar isOutward = lt(x, y) ^ signbit(x);
  Scalar moved = select(isOutward, bits + one, bits - one);
  Scalar targetBits = bitcast(target, bits.type);
  Scalar sign = targetBits & smallest(bits);
  Scalar next = select(eq(x, 0.0), sign | one, moved);
  next = widen(bitcast(select(eq(x, y), targetBits, next), own.type));
  Scalar isNan = ne(x, x) | ne(y, y);
  if (!x.narrow)
    return select(isNan, nan(x), next);
  // Both forms of the result: the narrow one is what is kept.
  Scalar narrowNan = narrow(nan(x), own.type);
  return widen(select(isNan, narrowNan, unwidened(next)));
}

//===----------------------------------------------------------------------===//
// sin(pi x) / (pi x)
//===----------------------------------------------------------------------===//

/// The derivative of sin(u) / u about 0, of some order, by its Taylor series.
static Scalar sincSeries(Scalar u, unsigned order) {
  // The coefficient of u^(2k - order) is (-1)^k / ((2k + 1) (2k - order)!).
  unsigned first = (order + 1) / 2, odd = order % 2;
  double limit = std::max(2u, order), size = 1, factorial = 1;
  SmallVector<double> coefficients;
  for (unsigned k = first; size > 1e-20 || k < first + 8; ++k) {
    unsigned exponent = 2 * k - order;
    for (unsigned i = std::max(exponent, 2u) - 1; i <= exponent; ++i)
      factorial *= i;
    size = std::pow(limit, exponent) / factorial;
    coefficients.push_back((k % 2 ? -1.0 : 1.0) / ((2 * k + 1) * factorial));
  }
  Scalar even = horner(u * u, coefficients);
  return odd ? u * even : even;
}

Scalar sinc(Scalar x, Orders by) {
  unsigned order = by[0];
  return inF64(
      [&](Scalar x) {
        Scalar u = pi * x;
        Scalar isNear = lt(absolute(u), std::max(2.0, double(order)));
        // (u f(u))' for f and its derivatives: u f' + f = cos u, ...
        Scalar sine = sinPi(x), far = sine / u;
        if (order) {
          Scalar cosine = cosPi(x);
          Scalar turns[] = {sine, cosine, -sine, -cosine};
          for (unsigned k = 1; k <= order; ++k)
            far = (turns[k % 4] - double(k) * far) / u;
        }
        Scalar derivative = select(isNear, sincSeries(u, order), far);
        return order ? std::pow(pi, order) * derivative : derivative;
      },
      x);
}

} // namespace weft::scalar
