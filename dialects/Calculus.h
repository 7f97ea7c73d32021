// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language of derivative rules: arithmetic on arrays that builds ops of
// the dialect. A null tensor is a zero that never reaches the program.

#ifndef WEFT_DIALECTS_CALCULUS_H
#define WEFT_DIALECTS_CALCULUS_H

#include "dialects/Weft.h"
#include "llvm/Support/MathExtras.h"

namespace weft::calculus {

struct Tensor {
  mlir::Value value;
  mlir::OpBuilder *b = nullptr;
  mlir::LocationAttr loc;

  explicit operator bool() const { return static_cast<bool>(value); }
  mlir::RankedTensorType type() const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  Tensor with(mlir::Value other) const { return {other, b, loc}; }
};

/// The absent derivative.
struct None {
  operator Tensor() const;
};
inline constexpr None none;

class TensorOperands {
public:
  TensorOperands(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}
  Tensor operator()(mlir::Value value) const { return {value, &b, loc}; }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
};

inline constexpr double ln2 = llvm::numbers::ln2;
inline constexpr double ln10 = llvm::numbers::ln10;
inline constexpr double twoOverSqrtPi = 1.1283791670955125739;
inline constexpr double sqrtPiOverTwo = 0.88622692545275801365;
inline constexpr double sqrtTwoPi = 2.50662827463100050242;

/// An array of the type of `like` with every element `value`.
Tensor constant(Tensor like, double value);
inline Tensor zeros(Tensor like) { return constant(like, 0.0); }

Tensor operator+(Tensor x, Tensor y);
Tensor operator-(Tensor x, Tensor y);
Tensor operator*(Tensor x, Tensor y);
Tensor operator/(Tensor x, Tensor y);
Tensor operator-(Tensor x);
inline Tensor operator+(Tensor x, double y) { return x + constant(x, y); }
inline Tensor operator+(double x, Tensor y) { return constant(y, x) + y; }
inline Tensor operator-(Tensor x, double y) { return x - constant(x, y); }
inline Tensor operator-(double x, Tensor y) { return constant(y, x) - y; }
inline Tensor operator*(Tensor x, double y) { return x * constant(x, y); }
inline Tensor operator*(double x, Tensor y) { return constant(y, x) * y; }
inline Tensor operator/(double x, Tensor y) { return constant(y, x) / y; }

Tensor exp(Tensor x);
Tensor log(Tensor x);
Tensor sin(Tensor x);
Tensor cos(Tensor x);
Tensor logistic(Tensor x);
Tensor sinh(Tensor x);
Tensor cosh(Tensor x);
Tensor rsqrt(Tensor x);
Tensor sign(Tensor x);
Tensor floorDivide(Tensor x, Tensor y);
Tensor pow(Tensor x, Tensor y);
Tensor copysign(double x, Tensor y);
Tensor equal(Tensor x, Tensor y);
Tensor greater(Tensor x, Tensor y);
Tensor select(Tensor condition, Tensor x, Tensor y);
Tensor maximum(Tensor x, Tensor y);
/// Of complex numbers to real ones: the real parts, as the transpose of the
/// other way has it.
Tensor convert(Tensor x, mlir::Type elementType);
Tensor real(Tensor x);
Tensor imag(Tensor x);
Tensor conj(Tensor x);
Tensor complexOf(Tensor x, Tensor y);

/// 1 where x > y, 1/2 where they are equal, else 0: the part of the derivative
/// of maximum(x, y) that is x's.
Tensor share(Tensor x, Tensor y);
/// d pow(x, y) / dx and d pow(x, y) / dy.
Tensor powerByBase(Tensor x, Tensor y);
Tensor powerByExponent(Tensor x, Tensor y, Tensor power);

/// How |x| and x / |x| move with a complex or real x, and the transposes. At 0
/// both stand still.
Tensor absTangent(Tensor x, Tensor t);
Tensor absCotangent(Tensor x, Tensor ct);
Tensor signTangent(Tensor x, Tensor sign, Tensor t);
Tensor signCotangent(Tensor x, Tensor sign, Tensor ct);

Tensor log1p(Tensor x);
Tensor digamma(Tensor x);
Tensor polygamma(Tensor n, Tensor x);
/// The regularized incomplete gamma function's derivative by its operand `by`.
Tensor gammaincBy(mlir::Operation *op, unsigned by, Tensor like);
/// The derivative of a modified Bessel function.
Tensor besselSlope(mlir::Operation *op, Tensor x, Tensor result);
/// An op with `by` that is differentiated once more, by one of its operands.
Tensor raised(mlir::Operation *op, unsigned operand, Tensor like);
/// y where x and y are not both 0, else 1.
Tensor divisorOf(Tensor x, Tensor y);

Tensor broadcast(Tensor x, llvm::ArrayRef<int64_t> shape,
                 llvm::ArrayRef<int64_t> dimensions);
Tensor reshape(Tensor x, llvm::ArrayRef<int64_t> shape);
Tensor transpose(Tensor x, llvm::ArrayRef<int64_t> permutation);
Tensor slice(Tensor x, llvm::ArrayRef<int64_t> start,
             llvm::ArrayRef<int64_t> limit, llvm::ArrayRef<int64_t> stride);
Tensor pad(Tensor x, double value, llvm::ArrayRef<int64_t> low,
           llvm::ArrayRef<int64_t> high, llvm::ArrayRef<int64_t> interior);
Tensor reverse(Tensor x, llvm::ArrayRef<int64_t> dimensions);
Tensor concatenate(Tensor x, Tensor y, int64_t dimension);
/// Sum along axes, which disappear.
Tensor sum(Tensor x, llvm::ArrayRef<int64_t> axes);
/// Puts reduced axes back: an array without `axes` repeated along them.
Tensor restoreAxes(Tensor x, llvm::ArrayRef<int64_t> axes,
                   llvm::ArrayRef<int64_t> shape);

} // namespace weft::calculus

namespace weft {

/// One value per operand: `term` of the inexact ones, null for the others.
llvm::SmallVector<mlir::Value>
eachOperand(mlir::Operation *op,
            llvm::function_ref<calculus::Tensor(unsigned)> term);

/// Tangent of the single result: the sum of `term` over the inexact operands
/// that have a tangent; null if there is none.
llvm::SmallVector<mlir::Value> sumOfTangents(
    mlir::Operation *op, mlir::OpBuilder &b, mlir::Location loc,
    mlir::ValueRange tangents,
    llvm::function_ref<calculus::Tensor(unsigned, calculus::Tensor)> term);

/// `t` times the derivative of an elementwise op by one of its operands.
using DerivativeTerm = calculus::Tensor (*)(mlir::Operation *op,
                                            unsigned operand,
                                            calculus::Tensor t);
llvm::SmallVector<mlir::Value> pullbackOfElementwise(mlir::Operation *op,
                                                     mlir::OpBuilder &b,
                                                     mlir::Location loc,
                                                     mlir::Value cotangent,
                                                     DerivativeTerm term);
llvm::SmallVector<mlir::Value> tangentOfElementwise(mlir::Operation *op,
                                                    mlir::OpBuilder &b,
                                                    mlir::Location loc,
                                                    mlir::ValueRange tangents,
                                                    DerivativeTerm term);

/// Whether `by` has a number for each operand, and not too large ones.
llvm::LogicalResult verifyOrders(mlir::Operation *op,
                                 llvm::ArrayRef<int64_t> by);

/// Widens a scatter; `operands` are the array, the updates, then the indices.
llvm::SmallVector<mlir::Value>
batchScatter(mlir::Operation *op, mlir::OpBuilder &b, mlir::Location loc,
             mlir::ValueRange operands, const llvm::SmallBitVector &batched,
             int64_t size);

/// Widens an op whose operands and results have one shape and that works along
/// its `axis`.
llvm::SmallVector<mlir::Value>
batchAlongAxis(mlir::Operation *op, mlir::OpBuilder &b, mlir::Location loc,
               mlir::ValueRange operands, const llvm::SmallBitVector &batched,
               int64_t size);

/// Widens an op whose window moves over all dimensions.
llvm::SmallVector<mlir::Value>
batchWindows(mlir::Operation *op, mlir::OpBuilder &b, mlir::Location loc,
             mlir::ValueRange operands, const llvm::SmallBitVector &batched,
             int64_t size);

} // namespace weft

#endif // WEFT_DIALECTS_CALCULUS_H
