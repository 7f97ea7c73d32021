// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language in which a record says what one element of its result is:
// values that know whether they are signed, and functions that build `arith`,
// `math`, `scf` ops on them. Of the `complex` dialect only the ops that join
// and split numbers are used: what is computed with the parts is said here. No
// fast-math flag is ever set.

#ifndef WEFT_DIALECTS_SCALAR_H
#define WEFT_DIALECTS_SCALAR_H

#include "dialects/Weft.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace weft::scalar {

/// One element. `type` is its weft element type; `value` is signless. Floats of
/// less than 32 bits are f32 here.
struct Scalar {
  mlir::Value value;
  mlir::Type type;
  mlir::OpBuilder *b;
  mlir::Location loc;
  /// The element of fewer bits that `value` is equal to, if there is one, and
  /// its type: what moves elements keeps their bits.
  mlir::Value narrow = {};
  mlir::Type narrowType = {};

  bool isFloat() const { return llvm::isa<mlir::FloatType>(type); }
  bool isComplex() const { return llvm::isa<mlir::ComplexType>(type); }
  bool isUnsigned() const {
    return type.isUnsignedInteger() || type.isInteger(1);
  }
  unsigned width() const { return type.getIntOrFloatBitWidth(); }
  /// The same kind of scalar with another value.
  Scalar with(mlir::Value other) const { return {other, type, b, loc}; }
};

/// The f32 that a float of fewer bits is computed in; others stay as they are.
Scalar widen(Scalar x);
/// A float or an integer as a float of less than 32 bits, rounded once.
Scalar narrow(Scalar x, mlir::Type type);

/// Wraps the block arguments of an op's body.
class ScalarOperands {
public:
  ScalarOperands(mlir::Operation *op, mlir::OpBuilder &b, mlir::Location loc)
      : op(op), b(b), loc(loc) {}

  Scalar operator()(mlir::ValueRange args, unsigned operand) const {
    return widen({args[operand], elementType(operand), &b, loc});
  }
  /// An element of operand 0, whatever its number (for reductions), or what is
  /// accumulated of such.
  Scalar operator()(mlir::Value value) const {
    return widen({value, elementType(0), &b, loc});
  }
  /// What is computed, as an element of the result.
  mlir::Value result(Scalar x) const {
    return rounded(x, mlir::getElementTypeOrSelf(op->getResult(0).getType()));
  }
  /// The same where an element may also be what is accumulated: as `value` is.
  mlir::Value like(mlir::Value value, Scalar x) const {
    return value.getType() == x.value.getType() ? x.value : result(x);
  }

private:
  mlir::Type elementType(unsigned operand) const {
    return mlir::getElementTypeOrSelf(op->getOperand(operand).getType());
  }
  static mlir::Value rounded(Scalar x, mlir::Type type) {
    if (computedElement(type) == type)
      return x.value;
    return x.narrowType == type ? x.narrow : narrow(x, type).value;
  }
  mlir::Operation *op;
  mlir::OpBuilder &b;
  mlir::Location loc;
};

/// A constant of the type of `like`.
Scalar constant(Scalar like, double value);
Scalar infinity(Scalar like);
/// A constant of a type of the body, as an attribute: of a complex type the
/// array of the parts.
mlir::Value buildConstant(mlir::OpBuilder &b, mlir::Location loc,
                          mlir::Type type, mlir::Attribute value);
/// The smallest value of an integer type.
Scalar smallest(Scalar like);

/// The result of `Op`, which must have the type of its operands.
template <typename Op, typename... Args> Scalar apply(Scalar x, Args... rest) {
  return x.with(Op::create(*x.b, x.loc, x.value, rest.value...));
}

/// The parts of a complex number (of a real one: itself and nothing), and the
/// number with some parts.
Scalar real(Scalar x);
Scalar imag(Scalar x);
Scalar complexOf(Scalar real, Scalar imag);
Scalar conj(Scalar x);

Scalar operator+(Scalar x, Scalar y);
Scalar operator-(Scalar x, Scalar y);
Scalar operator*(Scalar x, Scalar y);
/// Of floats; of integers towards zero, undefined for a divisor of 0.
Scalar operator/(Scalar x, Scalar y);
Scalar operator-(Scalar x);
inline Scalar operator+(double x, Scalar y) { return constant(y, x) + y; }
inline Scalar operator-(Scalar x, double y) { return x - constant(x, y); }
inline Scalar operator-(double x, Scalar y) { return constant(y, x) - y; }
inline Scalar operator*(double x, Scalar y) { return constant(y, x) * y; }
inline Scalar operator/(double x, Scalar y) { return constant(y, x) / y; }

Scalar operator&(Scalar x, Scalar y);
Scalar operator|(Scalar x, Scalar y);
Scalar operator^(Scalar x, Scalar y);
Scalar operator~(Scalar x);

/// Comparisons give bools; false with a NaN, except `ne`.
Scalar eq(Scalar x, Scalar y);
Scalar ne(Scalar x, Scalar y);
Scalar lt(Scalar x, Scalar y);
Scalar le(Scalar x, Scalar y);
Scalar signbit(Scalar x);
Scalar isInfinite(Scalar x);
Scalar isFinite(Scalar x);
Scalar select(Scalar condition, Scalar x, Scalar y);

Scalar maximum(Scalar x, Scalar y);
Scalar minimum(Scalar x, Scalar y);
Scalar absolute(Scalar x);
Scalar sign(Scalar x);
Scalar floorDivide(Scalar x, Scalar y);
Scalar remainder(Scalar x, Scalar y);
Scalar power(Scalar x, Scalar y);
Scalar shiftLeft(Scalar x, Scalar y);
Scalar shiftRight(Scalar x, Scalar y);
Scalar atan2(Scalar x, Scalar y);
Scalar hypot(Scalar x, Scalar y);
Scalar reciprocal(Scalar x);
Scalar logaddexp(Scalar x, Scalar y);
Scalar logistic(Scalar x);
Scalar erfinv(Scalar x);

/// Of floats these are ops of `math`, of complex numbers those of C99's Annex
/// G: its branch cuts, its values at zeros, infinities and NaN.
Scalar exp(Scalar x);
Scalar exp2(Scalar x);
Scalar expm1(Scalar x);
Scalar log(Scalar x);
Scalar log2(Scalar x);
Scalar log10(Scalar x);
Scalar log1p(Scalar x);
Scalar sqrt(Scalar x);
Scalar sin(Scalar x);
Scalar cos(Scalar x);
Scalar tan(Scalar x);
Scalar asin(Scalar x);
Scalar acos(Scalar x);
Scalar atan(Scalar x);
Scalar sinh(Scalar x);
Scalar cosh(Scalar x);
Scalar tanh(Scalar x);
Scalar asinh(Scalar x);
Scalar acosh(Scalar x);
Scalar atanh(Scalar x);

/// The functions above, of complex numbers.
namespace onComplex {
Scalar multiply(Scalar x, Scalar y);
Scalar divide(Scalar x, Scalar y);
Scalar reciprocal(Scalar x);
Scalar sign(Scalar x);
Scalar power(Scalar x, Scalar y);
Scalar logistic(Scalar x);
} // namespace onComplex

/// 64 random bits, of ui64; see weft.threefry.
Scalar threefry(Scalar key, Scalar counter);

/// The value as another weft element type; see weft.convert.
Scalar convert(Scalar x, mlir::Type type);

} // namespace weft::scalar

namespace weft::neutral {

/// Neutral elements of reductions, as attributes of signless type; of complex
/// ones see buildConstant.
mlir::Attribute zero(mlir::RankedTensorType type);
mlir::Attribute one(mlir::RankedTensorType type);
mlir::TypedAttr lowest(mlir::RankedTensorType type);
mlir::TypedAttr highest(mlir::RankedTensorType type);

} // namespace weft::neutral

#endif // WEFT_DIALECTS_SCALAR_H
