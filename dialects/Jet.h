// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Truncated Taylor series in several variables, whose coefficients are scalars
// of a body that is being built. An algorithm on them gives derivatives of a
// function by its parameters, of any order, where no formula does.

#ifndef WEFT_DIALECTS_JET_H
#define WEFT_DIALECTS_JET_H

#include "dialects/Special.h"

namespace weft::scalar {

/// The order up to which each variable is kept.
class Box {
public:
  explicit Box(Orders orders);

  unsigned size() const { return count; }
  unsigned variables() const { return orders.size(); }
  /// The largest sum of exponents.
  unsigned degree() const;
  /// The place of the coefficient of one variable to the power 1.
  unsigned stride(unsigned variable) const;
  bool holds(unsigned variable) const { return orders[variable] > 0; }
  /// The place of a product of two monomials, if the box has it.
  std::optional<unsigned> product(unsigned x, unsigned y) const;
  /// What the last coefficient is to be multiplied by to be a derivative.
  double factorials() const;

private:
  llvm::SmallVector<unsigned> exponents(unsigned place) const;

  llvm::SmallVector<unsigned> orders;
  unsigned count = 1;
};

struct Jet {
  const Box *box;
  /// Absent coefficients are zero; that of no variable is always there.
  llvm::SmallVector<std::optional<Scalar>> c;

  Jet(const Box &box, Scalar value) : box(&box), c(box.size()) { c[0] = value; }
  Jet(const Box &box, Scalar value, unsigned variable);
  Jet(const Box &box, llvm::ArrayRef<Scalar> all)
      : box(&box), c(all.begin(), all.end()) {}

  Scalar value() const { return *c[0]; }
  /// All coefficients; the values that a loop carries.
  Scalars all() const;
  /// The derivative whose orders are those of the box.
  Scalar derivative() const;
};

Jet operator+(const Jet &x, const Jet &y);
Jet operator-(const Jet &x, const Jet &y);
Jet operator*(const Jet &x, const Jet &y);
Jet operator/(const Jet &x, const Jet &y);
Jet operator*(Scalar x, const Jet &y);
Jet operator+(Scalar x, const Jet &y);
Jet operator-(Scalar x, const Jet &y);
inline Jet operator+(double x, const Jet &y) {
  return constant(y.value(), x) + y;
}
inline Jet operator*(double x, const Jet &y) {
  return constant(y.value(), x) * y;
}
inline Jet operator-(const Jet &x) { return -1.0 * x; }

/// f(x), given f and its derivatives at the value of x.
Jet compose(llvm::ArrayRef<Scalar> derivatives, const Jet &x);
/// c0 + c1 x + c2 x^2 + ...
Jet horner(const Jet &x, llvm::ArrayRef<double> coefficients);
Jet exp(const Jet &x);
Jet sqrt(const Jet &x);
/// base ^ x
Jet power(Scalar base, const Jet &x);
/// log(x) without its value.
Jet logTail(const Jet &x);
/// log(gamma(x)) without its value and what is linear, of x > 0.
Jet lgammaBend(const Jet &x);

/// Whether a term counts beside the sum that it was added to.
Scalar hasMoved(const Jet &sum, const Jet &term);
/// Whether a factor, less 1, is more than rounding.
Scalar hasChanged(const Jet &factor);
Jet select(Scalar condition, const Jet &x, const Jet &y);

} // namespace weft::scalar

#endif // WEFT_DIALECTS_JET_H
