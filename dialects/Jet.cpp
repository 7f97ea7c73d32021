// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of truncated Taylor series.

#include "dialects/Jet.h"

using namespace mlir;
namespace weft::scalar {

//===----------------------------------------------------------------------===//
// Monomials
//===----------------------------------------------------------------------===//

Box::Box(Orders wanted) : orders(wanted.begin(), wanted.end()) {
  for (unsigned order : orders)
    count *= order + 1;
}

unsigned Box::degree() const {
  unsigned sum = 0;
  for (unsigned order : orders)
    sum += order;
  return sum;
}

unsigned Box::stride(unsigned variable) const {
  unsigned stride = 1;
  for (unsigned order : ArrayRef(orders).take_front(variable))
    stride *= order + 1;
  return stride;
}

SmallVector<unsigned> Box::exponents(unsigned place) const {
  SmallVector<unsigned> found;
  for (unsigned order : orders) {
    found.push_back(place % (order + 1));
    place /= order + 1;
  }
  return found;
}

std::optional<unsigned> Box::product(unsigned x, unsigned y) const {
  for (auto [i, j, order] : llvm::zip(exponents(x), exponents(y), orders))
    if (i + j > order)
      return std::nullopt;
  return x + y;
}

double Box::factorials() const {
  double product = 1;
  for (unsigned order : orders)
    for (unsigned i = 2; i <= order; ++i)
      product *= i;
  return product;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Jet::Jet(const Box &box, Scalar value, unsigned variable) : Jet(box, value) {
  if (box.holds(variable))
    c[box.stride(variable)] = constant(value, 1.0);
}

Scalars Jet::all() const {
  Scalars scalars;
  for (const std::optional<Scalar> &coefficient : c)
    scalars.push_back(coefficient ? *coefficient : constant(value(), 0.0));
  return scalars;
}

Scalar Jet::derivative() const {
  Scalar last = all().back();
  double factor = box->factorials();
  return factor == 1.0 ? last : factor * last;
}

static void accumulate(std::optional<Scalar> &sum, Scalar term) {
  sum = sum ? *sum + term : term;
}

Jet operator+(const Jet &x, const Jet &y) {
  Jet sum = x;
  for (auto [total, term] : llvm::zip(sum.c, y.c))
    if (term)
      accumulate(total, *term);
  return sum;
}
Jet operator-(const Jet &x, const Jet &y) {
  Jet difference = x;
  for (auto [total, term] : llvm::zip(difference.c, y.c))
    if (term)
      total = total ? *total - *term : -*term;
  return difference;
}
Jet operator*(Scalar x, const Jet &y) {
  Jet product = y;
  for (std::optional<Scalar> &coefficient : product.c)
    if (coefficient)
      coefficient = x * *coefficient;
  return product;
}
Jet operator+(Scalar x, const Jet &y) {
  Jet sum = y;
  sum.c[0] = x + y.value();
  return sum;
}
Jet operator-(Scalar x, const Jet &y) { return Jet(*y.box, x) - y; }

/// value + the products of the coefficients of x and those of y from a place
/// on.
static Jet multiply(Scalar value, const Jet &x, const Jet &y, unsigned from) {
  Jet product(*x.box, value);
  for (unsigned i = 0; i < x.c.size(); ++i)
    for (unsigned j = from; j < y.c.size(); ++j)
      if (i + j > 0 && x.c[i] && y.c[j])
        if (std::optional<unsigned> place = x.box->product(i, j))
          accumulate(product.c[*place], *x.c[i] * *y.c[j]);
  return product;
}
Jet operator*(const Jet &x, const Jet &y) {
  return multiply(x.value() * y.value(), x, y, 0);
}

/// q y = x, solved for the coefficients of q one after the other: all that
/// belong to a place stand before it.
Jet operator/(const Jet &x, const Jet &y) {
  Jet quotient(*x.box, x.value() / y.value());
  for (unsigned place = 1; place < x.c.size(); ++place) {
    std::optional<Scalar> rest = x.c[place];
    for (unsigned i = 0; i < place; ++i)
      if (quotient.c[i] && y.c[place - i] &&
          x.box->product(i, place - i) == place) {
        Scalar term = *quotient.c[i] * *y.c[place - i];
        rest = rest ? *rest - term : -term;
      }
    if (rest)
      quotient.c[place] = *rest / y.value();
  }
  return quotient;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Jet compose(ArrayRef<Scalar> derivatives, const Jet &x) {
  unsigned degree = x.box->degree();
  double factorial = 1;
  SmallVector<Scalar> coefficients{derivatives[0]};
  for (unsigned k = 1; k <= degree; ++k) {
    factorial *= k;
    coefficients.push_back(derivatives[k] / factorial);
  }
  Jet sum(*x.box, coefficients.back());
  for (Scalar next : llvm::reverse(ArrayRef(coefficients).drop_back()))
    sum = multiply(next, sum, x, 1);
  return sum;
}

Jet horner(const Jet &x, ArrayRef<double> coefficients) {
  Jet sum(*x.box, constant(x.value(), coefficients.back()));
  for (double next : llvm::reverse(coefficients.drop_back()))
    sum = next + sum * x;
  return sum;
}

Jet exp(const Jet &x) {
  return compose(Scalars(x.box->degree() + 1, exp(x.value())), x);
}

Jet sqrt(const Jet &x) {
  Scalars derivatives{sqrt(x.value())};
  for (unsigned k = 0; k < x.box->degree(); ++k)
    derivatives.push_back((0.5 - k) * derivatives.back() / x.value());
  return compose(derivatives, x);
}

Jet power(Scalar base, const Jet &x) {
  Scalars derivatives{pow(base, x.value())};
  for (unsigned k = 0; k < x.box->degree(); ++k)
    derivatives.push_back(derivatives.back() * log(base));
  return compose(derivatives, x);
}

Jet logTail(const Jet &x) {
  Scalars derivatives{constant(x.value(), 0.0)};
  if (x.box->degree())
    derivatives.push_back(1.0 / x.value());
  for (unsigned k = 1; k < x.box->degree(); ++k)
    derivatives.push_back(-double(k) * derivatives.back() / x.value());
  return compose(derivatives, x);
}

Jet lgammaBend(const Jet &x) {
  Scalars derivatives(2, constant(x.value(), 0.0));
  unsigned degree = x.box->degree();
  if (degree > 1) {
    Scalars found = polygammas(x.value(), degree);
    derivatives.append(found.begin() + 1, found.end());
  }
  return compose(derivatives, x);
}

static Scalar anyOf(ArrayRef<Scalar> conditions) {
  Scalar any = conditions[0];
  for (Scalar condition : conditions.drop_front())
    any = any | condition;
  return any;
}
Scalar hasMoved(const Jet &sum, const Jet &term) {
  Scalars large;
  for (auto [total, next] : llvm::zip(sum.all(), term.all()))
    large.push_back(lt(1.1e-16 * absolute(total), absolute(next)));
  return anyOf(large);
}
Scalar hasChanged(const Jet &factor) {
  Scalars large;
  for (Scalar change : factor.all())
    large.push_back(lt(large.empty() ? 3e-16 : 1e-15, absolute(change)));
  return anyOf(large);
}

Jet select(Scalar condition, const Jet &x, const Jet &y) {
  Scalars chosen;
  for (auto [a, b] : llvm::zip(x.all(), y.all()))
    chosen.push_back(select(condition, a, b));
  return Jet(*x.box, chosen);
}

} // namespace weft::scalar
