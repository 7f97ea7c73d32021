// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops, one record each, grouped by family. This is the only list of ops.
//
// An elementwise record reads: name, element types, one element of the result,
// derivative per operand (`t` -> J `t`; `r` is the result; `none`: no
// derivative), traits.

#ifndef WEFT_OPS_TD
#define WEFT_OPS_TD

include "dialects/Weft.td"

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

def Weft_AddOp : Weft_Binary<"add", Weft_Num, "x + y", ["t", "t"],
    [Commutative], "if (isNegativeZero(adaptor.getY())) return getX();"> {
  let summary = "Elementwise sum. Integers wrap.";
}
def Weft_SubtractOp : Weft_Binary<"subtract", Weft_Num, "x - y", ["t", "-t"],
    [], "if (isPositiveZero(adaptor.getY())) return getX();"> {
  let summary = "Elementwise difference. Integers wrap.";
}
def Weft_MultiplyOp : Weft_Binary<"multiply", Weft_Num, "x * y",
    ["t * y", "t * x"],
    [Commutative], "if (isOne(adaptor.getY())) return getX();"> {
  let summary = "Elementwise product. Integers wrap.";
}
def Weft_DivideOp : Weft_Binary<"divide", Weft_Inexact, "x / y",
    ["t / y", "-(t * (r / y))"],
    [], "if (isOne(adaptor.getY())) return getX();"> {
  let summary = "Elementwise quotient of floats or complex.";
}
def Weft_FloorDivideOp : Weft_Binary<"floor_divide", Weft_Real,
    "floorDivide(x, y)", [],
    [], "if (isIntegerOne(adaptor.getY())) return getX();"> {
  let summary = "Elementwise quotient, rounded towards minus infinity.";
  let description = [{
    Integers: `x // 0` is 0 and `MIN // -1` wraps to `MIN`. Floats: as
    `numpy.floor_divide`, corrected by the remainder.
  }];
}
def Weft_RemainderOp : Weft_Binary<"remainder", Weft_Real, "remainder(x, y)",
    ["t", "-(t * floorDivide(x, y))"]> {
  let summary = "Elementwise remainder with the sign of the divisor.";
  let description = [{ Integers: `x % 0` is 0. }];
}
def Weft_PowOp : Weft_Binary<"pow", Weft_Num, "power(x, y)",
    ["t * powerByBase(x, y)", "t * powerByExponent(x, y, r)"],
    [], "if (isOne(adaptor.getY())) return getX();"> {
  let summary = "Elementwise power.";
  let description = [{
    A negative integer exponent gives 1 for base 1, 1 or -1 for base -1, and 0
    for every other base, 0 included. The derivative by the exponent is 0 where
    the base is 0.
  }];
}
def Weft_MaximumOp : Weft_Binary<"maximum", Weft_Real, "maximum(x, y)",
    ["t * share(x, y)", "t * share(y, x)"],
    [Commutative], "if (getX() == getY()) return getX();"> {
  let summary = "Elementwise maximum. NaN propagates; ties split derivatives.";
}
def Weft_MinimumOp : Weft_Binary<"minimum", Weft_Real, "minimum(x, y)",
    ["t * share(y, x)", "t * share(x, y)"],
    [Commutative], "if (getX() == getY()) return getX();"> {
  let summary = "Elementwise minimum. NaN propagates; ties split derivatives.";
}
def Weft_NegativeOp : Weft_Unary<"negative", Weft_Num, "-x", ["-t"],
    [Involution]> {
  let summary = "Elementwise negation. Integers wrap.";
}
def Weft_AbsOp : Weft_Elementwise<"abs", ["x"], "absolute(x)",
    ["absTangent(x, t)"], [Weft_RealResult], "", ["absCotangent(x, t)"]> {
  let summary = "Elementwise absolute value; its derivative at 0 is 0.";
  let arguments = (ins Weft_Num:$x);
  let results = (outs Weft_Real:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
def Weft_SignOp : Weft_Elementwise<"sign", ["x"], "sign(x)",
    ["signTangent(x, r, t)"], [SameOperandsAndResultType], "",
    ["signCotangent(x, r, t)"]> {
  let summary = "Elementwise sign: -1, 0 or 1, or complex x / |x|; NaN for NaN.";
  let arguments = (ins Weft_Num:$x);
  let results = (outs Weft_Num:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
def Weft_SquareOp : Weft_Unary<"square", Weft_Num, "x * x",
    ["t * (2.0 * x)"]> {
  let summary = "Elementwise square. Integers wrap.";
}
def Weft_ReciprocalOp : Weft_Unary<"reciprocal", Weft_Inexact, "reciprocal(x)",
    ["-(t * (r * r))"]> {
  let summary = "Elementwise reciprocal.";
}
def Weft_HypotOp : Weft_Binary<"hypot", Weft_Float, "hypot(x, y)",
    ["t * (x / r)", "t * (y / r)"], [Commutative]> {
  let summary = "Elementwise sqrt(x*x + y*y), without overflow on the way.";
  let description = [{ It has no derivative at the origin: NaN. }];
}
def Weft_CopysignOp : Weft_Binary<"copysign", Weft_Float,
    "apply<::mlir::math::CopySignOp>(x, y)",
    ["t * (sign(x) * copysign(1.0, y))", "none"]> {
  let summary = "Elementwise magnitude of x with the sign of y.";
}

//===----------------------------------------------------------------------===//
// Complex numbers
//===----------------------------------------------------------------------===//

def Weft_ComplexOp : Weft_Elementwise<"complex", ["x", "y"],
    "complexOf(x, y)", ["complexOf(t, zeros(t))", "complexOf(zeros(t), t)"],
    [SameTypeOperands,
     TypesMatchWith<"result is complex, of the operands' shape", "x", "result",
                    "::weft::complexLike($_self)">],
    "", ["real(t)", "-imag(t)"]> {
  let summary = "Elementwise complex number of a real and an imaginary part.";
  let arguments = (ins Weft_Part:$x, Weft_Part:$y);
  let results = (outs Weft_Complex:$result);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}
class Weft_ComplexPart<string mnemonic, string body, string derivative,
                string transpose>
    : Weft_Elementwise<mnemonic, ["x"], body, [derivative], [Weft_RealResult],
                       "", [transpose]> {
  let arguments = (ins Weft_Complex:$x);
  let results = (outs Weft_Part:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
def Weft_RealOp : Weft_ComplexPart<"real", "real(x)", "real(t)",
    "complexOf(t, zeros(t))"> {
  let summary = "Elementwise real part.";
}
def Weft_ImagOp : Weft_ComplexPart<"imag", "imag(x)", "imag(t)",
    "complexOf(zeros(t), -t)"> {
  let summary = "Elementwise imaginary part.";
}
def Weft_ConjOp : Weft_Unary<"conj", Weft_Complex, "conj(x)", ["conj(t)"],
    [Involution]> {
  let summary = "Elementwise complex conjugate.";
}

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

def Weft_CeilOp : Weft_Math<"ceil", "Ceil", [], [Idempotent]> {
  let summary = "Elementwise rounding towards plus infinity.";
}
def Weft_FloorOp : Weft_Math<"floor", "Floor", [], [Idempotent]> {
  let summary = "Elementwise rounding towards minus infinity.";
}
def Weft_TruncOp : Weft_Math<"trunc", "Trunc", [], [Idempotent]> {
  let summary = "Elementwise rounding towards zero.";
}
def Weft_RoundOp : Weft_Math<"round", "RoundEven", [], [Idempotent]> {
  let summary = "Elementwise rounding to nearest, halves to even.";
}

//===----------------------------------------------------------------------===//
// Exponentials, logarithms, roots
//===----------------------------------------------------------------------===//

def Weft_ExpOp : Weft_Unary<"exp", Weft_Inexact, "exp(x)", ["t * r"]> {
  let summary = "Elementwise exponential.";
}
def Weft_Exp2Op : Weft_Unary<"exp2", Weft_Inexact, "exp2(x)",
    ["t * (r * ln2)"]> {
  let summary = "Elementwise power of two.";
}
def Weft_Expm1Op : Weft_Unary<"expm1", Weft_Inexact, "expm1(x)",
    ["t * (r + 1.0)"]> {
  let summary = "Elementwise exp(x) - 1, accurate near 0.";
}
def Weft_LogOp : Weft_Unary<"log", Weft_Inexact, "log(x)", ["t / x"]> {
  let summary = "Elementwise natural logarithm.";
}
def Weft_Log2Op : Weft_Unary<"log2", Weft_Inexact, "log2(x)",
    ["t / (x * ln2)"]> {
  let summary = "Elementwise logarithm to base 2.";
}
def Weft_Log10Op : Weft_Unary<"log10", Weft_Inexact, "log10(x)",
    ["t / (x * ln10)"]> {
  let summary = "Elementwise logarithm to base 10.";
}
def Weft_Log1pOp : Weft_Unary<"log1p", Weft_Inexact, "log1p(x)",
    ["t / (x + 1.0)"]> {
  let summary = "Elementwise log(1 + x), accurate near 0.";
}
def Weft_LogaddexpOp : Weft_Binary<"logaddexp", Weft_Float, "logaddexp(x, y)",
    ["t * logistic(x - y)", "t * logistic(y - x)"], [Commutative]> {
  let summary = "Elementwise log(exp(x) + exp(y)), without overflow on the way.";
}
def Weft_SqrtOp : Weft_Unary<"sqrt", Weft_Inexact, "sqrt(x)",
    ["t * (0.5 / r)"]> {
  let summary = "Elementwise square root.";
}
def Weft_RsqrtOp : Weft_Unary<"rsqrt", Weft_Inexact, "reciprocal(sqrt(x))",
    ["t * (-0.5 * (r / x))"]> {
  let summary = "Elementwise reciprocal of the square root.";
}
def Weft_CbrtOp : Weft_Math<"cbrt", "Cbrt", ["t / (3.0 * (r * r))"]> {
  let summary = "Elementwise cube root.";
}

//===----------------------------------------------------------------------===//
// Trigonometric and hyperbolic functions, error function
//===----------------------------------------------------------------------===//

def Weft_SinOp : Weft_Unary<"sin", Weft_Inexact, "sin(x)", ["t * cos(x)"]> {
  let summary = "Elementwise sine.";
}
def Weft_CosOp : Weft_Unary<"cos", Weft_Inexact, "cos(x)", ["-(t * sin(x))"]> {
  let summary = "Elementwise cosine.";
}
def Weft_TanOp : Weft_Unary<"tan", Weft_Inexact, "tan(x)",
    ["t * (1.0 + r * r)"]> {
  let summary = "Elementwise tangent.";
}
def Weft_AsinOp : Weft_Unary<"asin", Weft_Inexact, "asin(x)",
    ["t * rsqrt((1.0 - x) * (1.0 + x))"]> {
  let summary = "Elementwise inverse sine.";
}
def Weft_AcosOp : Weft_Unary<"acos", Weft_Inexact, "acos(x)",
    ["-(t * rsqrt((1.0 - x) * (1.0 + x)))"]> {
  let summary = "Elementwise inverse cosine.";
}
def Weft_AtanOp : Weft_Unary<"atan", Weft_Inexact, "atan(x)",
    ["t / (1.0 + x * x)"]> {
  let summary = "Elementwise inverse tangent.";
}
def Weft_Atan2Op : Weft_Binary<"atan2", Weft_Float,
    "atan2(x, y)",
    ["t * (y / (x * x + y * y))", "-(t * (x / (x * x + y * y)))"]> {
  let summary = "Elementwise angle of the point (y, x): atan(x / y) by quadrant.";
}
def Weft_SinhOp : Weft_Unary<"sinh", Weft_Inexact, "sinh(x)", ["t * cosh(x)"]> {
  let summary = "Elementwise hyperbolic sine.";
}
def Weft_CoshOp : Weft_Unary<"cosh", Weft_Inexact, "cosh(x)", ["t * sinh(x)"]> {
  let summary = "Elementwise hyperbolic cosine.";
}
def Weft_TanhOp : Weft_Unary<"tanh", Weft_Inexact, "tanh(x)",
    ["t * (1.0 - r * r)"]> {
  let summary = "Elementwise hyperbolic tangent.";
}
def Weft_AsinhOp : Weft_Unary<"asinh", Weft_Inexact, "asinh(x)",
    ["t * rsqrt(x * x + 1.0)"]> {
  let summary = "Elementwise inverse hyperbolic sine.";
}
def Weft_AcoshOp : Weft_Unary<"acosh", Weft_Inexact, "acosh(x)",
    ["t * (rsqrt(x - 1.0) * rsqrt(x + 1.0))"]> {
  let summary = "Elementwise inverse hyperbolic cosine.";
}
def Weft_AtanhOp : Weft_Unary<"atanh", Weft_Inexact, "atanh(x)",
    ["t / ((1.0 - x) * (1.0 + x))"]> {
  let summary = "Elementwise inverse hyperbolic tangent.";
}
def Weft_ErfOp : Weft_Math<"erf", "Erf",
    ["t * (twoOverSqrtPi * exp(-(x * x)))"]> {
  let summary = "Elementwise error function.";
}
def Weft_ErfcOp : Weft_Math<"erfc", "Erfc",
    ["t * (-twoOverSqrtPi * exp(-(x * x)))"]> {
  let summary = "Elementwise complementary error function, 1 - erf(x).";
}
def Weft_ErfinvOp : Weft_Unary<"erfinv", Weft_Float, "erfinv(x)",
    ["t * (sqrtPiOverTwo * exp(r * r))"]> {
  let summary = "Elementwise inverse of the error function.";
  let description = [{
    The same bits on every target. Infinite at -1 and 1, NaN beyond. Off by less
    than 0.51 ulp for f32 and 1.2 ulps for f64.
  }];
}
def Weft_LogisticOp : Weft_Unary<"logistic", Weft_Inexact, "logistic(x)",
    ["t * (r * (1.0 - r))"]> {
  let summary = "Elementwise logistic function, 1 / (1 + exp(-x)).";
}

//===----------------------------------------------------------------------===//
// Special functions
//===----------------------------------------------------------------------===//

// Computed in f64 and rounded once. docs/accuracy.md says how accurate each is.

def Weft_XlogyOp : Weft_Binary<"xlogy", Weft_Float, "xlogy(x, y)",
    ["t * log(y)", "t * (x / divisorOf(x, y))"]> {
  let summary = "Elementwise x log(y), 0 where x is 0 and y is not NaN.";
}
def Weft_Xlog1pyOp : Weft_Binary<"xlog1py", Weft_Float, "xlog1py(x, y)",
    ["t * log1p(y)", "t * (x / divisorOf(x, 1.0 + y))"]> {
  let summary = "Elementwise x log(1 + y), 0 where x is 0 and y is not NaN.";
}
def Weft_LogitOp : Weft_Unary<"logit", Weft_Float, "logit(x)",
    ["t / (x * (1.0 - x))"]> {
  let summary = "Elementwise log(x / (1 - x)), the inverse of the logistic.";
}
def Weft_NextafterOp : Weft_Binary<"nextafter", Weft_Float, "nextafter(x, y)",
    []> {
  let summary = "Elementwise neighbour of x among floats, towards y.";
}
def Weft_SincOp : Weft_Partial<"sinc", ["x"], "sinc(x, getBy())"> {
  let summary = "Elementwise sin(pi x) / (pi x), 1 at 0.";
  let description = [{ `by` says how often it is differentiated. }];
  let arguments = (ins Weft_Float:$x, DenseI64ArrayAttr:$by);
  let assemblyFormat = "$x `by` $by attr-dict `:` type($x)";
}
def Weft_GammaOp : Weft_Unary<"gamma", Weft_Float, "gamma(x)",
    ["t * (r * digamma(x))"]> {
  let summary = "Elementwise gamma function.";
}
def Weft_LgammaOp : Weft_Unary<"lgamma", Weft_Float, "lgamma(x)",
    ["t * digamma(x)"]> {
  let summary = "Elementwise logarithm of the gamma function's magnitude.";
}
def Weft_DigammaOp : Weft_Unary<"digamma", Weft_Float, "digamma(x)",
    ["t * polygamma(constant(x, 1.0), x)"]> {
  let summary = "Elementwise derivative of the gamma function's logarithm.";
}
def Weft_PolygammaOp : Weft_Elementwise<"polygamma", ["n", "x"],
    "polygamma(n, x)", ["none", "t * polygamma(n + 1.0, x)"],
    [SameOperandsAndResultType]> {
  let summary = "Elementwise n-th derivative of digamma.";
  let description = [{
    `n` is rounded to a whole number, so it has no derivative; NaN for negative n.
  }];
  let arguments = (ins Weft_Float:$n, Weft_Float:$x);
  let results = (outs Weft_Float:$result);
  let assemblyFormat = "$n `,` $x attr-dict `:` type($x)";
}
def Weft_BetalnOp : Weft_Binary<"betaln", Weft_Float, "betaln(x, y)",
    ["t * (digamma(x) - digamma(x + y))", "t * (digamma(y) - digamma(x + y))"],
    [Commutative]> {
  let summary = "Elementwise logarithm of the beta function's magnitude.";
}
def Weft_ZetaOp : Weft_Partial<"zeta", ["s", "q"], "zeta(s, q, getBy())"> {
  let summary = "Elementwise sum of (k + q)^-s over k = 0, 1, ...";
  let description = [{
    Hurwitz's zeta function, differentiated `by[0]` times by `s` and `by[1]`
    times by `q`. Infinite for s = 1, NaN below. For negative q it is defined
    where s is whole, and has no derivative by s.
  }];
  let arguments = (ins Weft_Float:$s, Weft_Float:$q, DenseI64ArrayAttr:$by);
  let assemblyFormat = "$s `,` $q `by` $by attr-dict `:` type($s)";
}
def Weft_GammaincOp : Weft_Partial<"gammainc", ["a", "x"],
    "gammainc(a, x, getBy())"> {
  let summary = "Elementwise regularized lower incomplete gamma function.";
  let description = [{
    The integral of t^(a - 1) exp(-t) / gamma(a) from 0 to x, differentiated
    `by[0]` times by `a` and `by[1]` times by `x`.
  }];
  let arguments = (ins Weft_Float:$a, Weft_Float:$x, DenseI64ArrayAttr:$by);
  let assemblyFormat = "$a `,` $x `by` $by attr-dict `:` type($a)";
}
def Weft_GammainccOp : Weft_Elementwise<"gammaincc", ["a", "x"],
    "gammaincc(a, x)",
    ["-(t * gammaincBy(op, 0, t))", "-(t * gammaincBy(op, 1, t))"],
    [SameOperandsAndResultType]> {
  let summary = "Elementwise regularized upper incomplete gamma function.";
  let arguments = (ins Weft_Float:$a, Weft_Float:$x);
  let results = (outs Weft_Float:$result);
  let assemblyFormat = "$a `,` $x attr-dict `:` type($a)";
}
def Weft_BetaincOp : Weft_Partial<"betainc", ["p", "q", "x"],
    "betainc(p, q, x, getBy())"> {
  let summary = "Elementwise regularized incomplete beta function.";
  let description = [{
    The integral of t^(p - 1) (1 - t)^(q - 1) / beta(p, q) from 0 to x,
    differentiated `by[0]`, `by[1]` and `by[2]` times by `p`, `q` and `x`.
  }];
  let arguments = (ins Weft_Float:$p, Weft_Float:$q, Weft_Float:$x,
                   DenseI64ArrayAttr:$by);
  let assemblyFormat = "$p `,` $q `,` $x `by` $by attr-dict `:` type($p)";
}
def Weft_ErfcxOp : Weft_Partial<"erfcx", ["x"], "erfcx(x, getBy())"> {
  let summary = "Elementwise exp(x^2) erfc(x).";
  let description = [{ `by` says how often it is differentiated. }];
  let arguments = (ins Weft_Float:$x, DenseI64ArrayAttr:$by);
  let assemblyFormat = "$x `by` $by attr-dict `:` type($x)";
}
def Weft_NdtrOp : Weft_Unary<"ndtr", Weft_Float, "ndtr(x)",
    ["t * (exp(-0.5 * (x * x)) * (1.0 / sqrtTwoPi))"]> {
  let summary = "Elementwise distribution function of normal numbers.";
}
def Weft_NdtriOp : Weft_Unary<"ndtri", Weft_Float, "ndtri(x)",
    ["t * (sqrtTwoPi * exp(0.5 * (r * r)))"]> {
  let summary = "Elementwise quantile of normal numbers, the inverse of ndtr.";
}
def Weft_BesselIOp : Weft_Elementwise<"bessel_i", ["x"],
    "besselI(x, getOrder(), getScaled())", ["t * besselSlope(op, x, r)"],
    [SameOperandsAndResultType]> {
  let summary = "Elementwise modified Bessel function of the first kind.";
  let description = [{ Multiplied by exp(-|x|) if `scaled`. }];
  let arguments = (ins Weft_Float:$x, I64Attr:$order, UnitAttr:$scaled);
  let results = (outs Weft_Float:$result);
  let assemblyFormat =
      "$x `order` $order (`scaled` $scaled^)? attr-dict `:` type($x)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Predicates and comparisons
//===----------------------------------------------------------------------===//

def Weft_IsnanOp : Weft_Predicate<"isnan", Weft_Inexact, "ne(x, x)"> {
  let summary = "Elementwise test for NaN.";
}
def Weft_IsinfOp : Weft_Predicate<"isinf", Weft_Inexact, "isInfinite(x)"> {
  let summary = "Elementwise test for plus or minus infinity.";
}
def Weft_IsfiniteOp : Weft_Predicate<"isfinite", Weft_Inexact, "isFinite(x)"> {
  let summary = "Elementwise test for neither NaN nor infinity.";
}
def Weft_SignbitOp : Weft_Predicate<"signbit", Weft_Float, "signbit(x)"> {
  let summary = "Elementwise test of the sign bit: true for -0.0 too.";
}
def Weft_EqualOp : Weft_Comparison<"equal", Weft_Any, "eq(x, y)", "true",
    [Commutative]> {
  let summary = "Elementwise x == y.";
}
def Weft_NotEqualOp : Weft_Comparison<"not_equal", Weft_Any, "ne(x, y)",
    "false", [Commutative]> {
  let summary = "Elementwise x != y.";
}
def Weft_LessOp : Weft_Comparison<"less", Weft_Real, "lt(x, y)", "false"> {
  let summary = "Elementwise x < y.";
}
def Weft_LessEqualOp : Weft_Comparison<"less_equal", Weft_Real, "le(x, y)",
    "true"> {
  let summary = "Elementwise x <= y.";
}
def Weft_GreaterOp : Weft_Comparison<"greater", Weft_Real, "lt(y, x)",
    "false"> {
  let summary = "Elementwise x > y.";
}
def Weft_GreaterEqualOp : Weft_Comparison<"greater_equal", Weft_Real,
    "le(y, x)", "true"> {
  let summary = "Elementwise x >= y.";
}

//===----------------------------------------------------------------------===//
// Logic and bits
//===----------------------------------------------------------------------===//

def Weft_LogicalAndOp : Weft_Binary<"logical_and", Weft_Bool, "x & y", [],
    [Commutative, Idempotent]> {
  let summary = "Elementwise conjunction of bools.";
}
def Weft_LogicalOrOp : Weft_Binary<"logical_or", Weft_Bool, "x | y", [],
    [Commutative, Idempotent]> {
  let summary = "Elementwise disjunction of bools.";
}
def Weft_LogicalXorOp : Weft_Binary<"logical_xor", Weft_Bool, "x ^ y", [],
    [Commutative]> {
  let summary = "Elementwise exclusive disjunction of bools.";
}
def Weft_LogicalNotOp : Weft_Unary<"logical_not", Weft_Bool, "~x", [],
    [Involution]> {
  let summary = "Elementwise negation of bools.";
}
def Weft_BitwiseAndOp : Weft_Binary<"bitwise_and", Weft_BoolOrInt, "x & y", [],
    [Commutative, Idempotent]> {
  let summary = "Elementwise conjunction of bits.";
}
def Weft_BitwiseOrOp : Weft_Binary<"bitwise_or", Weft_BoolOrInt, "x | y", [],
    [Commutative, Idempotent]> {
  let summary = "Elementwise disjunction of bits.";
}
def Weft_BitwiseXorOp : Weft_Binary<"bitwise_xor", Weft_BoolOrInt, "x ^ y", [],
    [Commutative]> {
  let summary = "Elementwise exclusive disjunction of bits.";
}
def Weft_BitwiseInvertOp : Weft_Unary<"bitwise_invert", Weft_BoolOrInt, "~x",
    [], [Involution]> {
  let summary = "Elementwise complement of bits.";
}
def Weft_PopulationCountOp : Weft_Unary<"population_count", Weft_Int,
    "apply<::mlir::math::CtPopOp>(x)", []> {
  let summary = "Elementwise number of one bits in two's complement.";
}
def Weft_BitwiseLeftShiftOp : Weft_Binary<"bitwise_left_shift", Weft_Int,
    "shiftLeft(x, y)", [], [], "if (isZero(adaptor.getY())) return getX();"> {
  let summary = "Elementwise left shift.";
  let description = [{ By the width or more, or by a negative amount: 0. }];
}
def Weft_BitwiseRightShiftOp : Weft_Binary<"bitwise_right_shift", Weft_Int,
    "shiftRight(x, y)", [], [], "if (isZero(adaptor.getY())) return getX();"> {
  let summary = "Elementwise right shift, filling with the sign.";
  let description = [{
    By the width or more, or by a negative amount: all sign bits.
  }];
}

def Weft_ThreefryOp : Weft_Elementwise<"threefry", ["key", "counter"],
    "threefry(key, counter)", [], [SameOperandsAndResultType]> {
  let summary = "Elementwise 64 random bits: a counter, enciphered by a key.";
  let description = [{
    Threefry-2x32 of 20 rounds (Salmon et al., SC 2011). Key, counter and result
    are pairs of 32-bit words, the high one first.
  }];
  let arguments = (ins Weft_UI64:$key, Weft_UI64:$counter);
  let results = (outs Weft_UI64:$result);
  let assemblyFormat = "$key `,` $counter attr-dict `:` type($key)";
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

def Weft_SelectOp : Weft_Elementwise<"select", ["condition", "x", "y"],
    "select(condition, x, y)",
    ["none", "select(condition, t, zeros(t))", "select(condition, zeros(t), t)"],
    [AllTypesMatch<["x", "y", "result"]>,
     TypesMatchWith<"condition is bool, of the result's shape", "x",
                    "condition", "::weft::boolLike($_self)">], [{
      if (getX() == getY()) return getX();
      if (auto known = splatBool(adaptor.getCondition()))
        return *known ? getX() : getY();
    }]> {
  let summary = "Elementwise choice: x where condition holds, else y.";
  let arguments = (ins Weft_Bool:$condition, Weft_Any:$x, Weft_Any:$y);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = "$condition `,` $x `,` $y attr-dict `:` type($x)";
}
def Weft_ClampOp : Weft_Elementwise<"clamp", ["x", "lower", "upper"],
    "minimum(maximum(x, lower), upper)",
    ["t * share(x, lower) * share(upper, maximum(x, lower))",
     "t * share(lower, x) * share(upper, maximum(x, lower))",
     "t * share(maximum(x, lower), upper)"],
    [SameOperandsAndResultType]> {
  let summary = "Elementwise minimum(maximum(x, lower), upper).";
  let arguments = (ins Weft_Real:$x, Weft_Real:$lower, Weft_Real:$upper);
  let results = (outs Weft_Real:$result);
  let assemblyFormat = "$x `,` $lower `,` $upper attr-dict `:` type($x)";
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

def Weft_ConvertOp : Weft_Op<"convert", [SameOperandsAndResultShape,
    DeclareOpInterfaceMethods<ScalarBody>, Batchable,
    DeclareOpInterfaceMethods<Differentiable>]> {
  let summary = "Elementwise conversion to another element type.";
  let description = [{
    To bool: unequal to zero. Float to integer truncates and saturates, NaN
    gives 0. Integer to integer wraps. To a float: the nearest, ties to even,
    rounded once from any type; what is too large is infinite, and NaN where
    f8E4M3FN has no infinity. Of complex numbers `weft.real` and `weft.imag`
    give real ones.
  }];
  let arguments = (ins Weft_Any:$x);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Weft_BitcastOp : Weft_Op<"bitcast", [SameOperandsAndResultShape,
    NotDifferentiable, Batchable, DeclareOpInterfaceMethods<ScalarBody>]> {
  let summary = "Elementwise reinterpretation of bits as a type of that width.";
  let arguments = (ins Weft_Ordered:$x);
  let results = (outs Weft_Ordered:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Creation
//===----------------------------------------------------------------------===//

def Weft_ConstantOp : Weft_Op<"constant", [ConstantLike,
    NotDifferentiable, AllTypesMatch<["value", "result"]>]> {
  let summary = "An array that is known when the program is written.";
  let arguments = (ins Weft_Elements:$value);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = "$value attr-dict";
  let hasFolder = 1;
}
def Weft_IotaOp : Weft_Op<"iota", [NotDifferentiable]> {
  let summary = "Counts 0, 1, 2, ... along one dimension.";
  let arguments = (ins I64Attr:$dimension);
  let results = (outs Weft_Num:$result);
  let assemblyFormat = "`dim` $dimension attr-dict `:` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

def Weft_BroadcastOp : Weft_Op<"broadcast", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "Repeats an array along new dimensions and those of size 1.";
  let description = [{
    Dimension `i` of the operand becomes dimension `dimensions[i]` of the
    result (ascending); its size is that of the result, or 1 and repeated.
  }];
  let arguments = (ins Weft_Any:$x, DenseI64ArrayAttr:$dimensions);
  let results = (outs Weft_Any:$result);
  let assemblyFormat =
      "$x `dims` $dimensions attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Weft_ReshapeOp : Weft_Op<"reshape", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "The same elements, in row-major order, under another shape.";
  let arguments = (ins Weft_Any:$x);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}
def Weft_TransposeOp : Weft_Inferred<"transpose", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "Permutes dimensions: result dimension i is permutation[i].";
  let arguments = (ins Weft_Any:$x, DenseI64ArrayAttr:$permutation);
  let results = (outs Weft_Any:$result);
  let assemblyFormat =
      "$x `perm` $permutation attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
}
def Weft_SliceOp : Weft_Inferred<"slice", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "The elements from start up to limit, a stride apart.";
  let arguments = (ins Weft_Any:$x, DenseI64ArrayAttr:$start,
                   DenseI64ArrayAttr:$limit, DenseI64ArrayAttr:$stride);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $x `from` $start `to` $limit `by` $stride attr-dict
    `:` type($x) `to` type($result)
  }];
  let hasFolder = 1;
}
def Weft_PadOp : Weft_Inferred<"pad", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "Puts a value around an array and between its elements.";
  let description = [{
    Along each dimension: `low` before, `high` after, `interior` between each
    two neighbours; none is negative.
  }];
  let arguments = (ins Weft_Any:$x, Weft_Any:$value, DenseI64ArrayAttr:$low,
                   DenseI64ArrayAttr:$high, DenseI64ArrayAttr:$interior);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $x `with` $value `low` $low `high` $high `interior` $interior attr-dict
    `:` type($x) `,` type($value) `to` type($result)
  }];
  let hasFolder = 1;
}
def Weft_ConcatenateOp : Weft_Inferred<"concatenate", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "Joins arrays along one dimension.";
  let arguments = (ins Variadic<Weft_Any>:$inputs, I64Attr:$dimension);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $inputs `dim` $dimension attr-dict `:` type($inputs) `to` type($result)
  }];
  let hasFolder = 1;
}
def Weft_ReverseOp : Weft_Inferred<"reverse", [
    DeclareOpInterfaceMethods<Differentiable>,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "Reverses the order of elements along some dimensions.";
  let arguments = (ins Weft_Any:$x, DenseI64ArrayAttr:$dimensions);
  let results = (outs Weft_Any:$result);
  let assemblyFormat =
      "$x `dims` $dimensions attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Indexing
//===----------------------------------------------------------------------===//

// An op of its family's file: type, derivatives and batching in C++.
class Weft_Structured<string mnemonic, list<string> rules = []>
    : Weft_Inferred<mnemonic, [
        DeclareOpInterfaceMethods<Differentiable, rules>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]>;

def Weft_DynamicSliceOp : Weft_Structured<"dynamic_slice"> {
  let summary = "The slice of given sizes that begins at computed indices.";
  let description = [{
    One start for each dimension, moved so that the slice lies in the array.
  }];
  let arguments = (ins Weft_Any:$x, Variadic<Weft_Index>:$starts,
                   DenseI64ArrayAttr:$sizes);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $x `[` $starts `]` `sizes` $sizes attr-dict
    `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}
def Weft_DynamicUpdateSliceOp : Weft_Structured<"dynamic_update_slice"> {
  let summary = "An array with the slice that begins at computed indices replaced.";
  let description = [{
    One start for each dimension, moved so that the slice lies in the array.
  }];
  let arguments = (ins Weft_Any:$x, Weft_Any:$update,
                   Variadic<Weft_Index>:$starts);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $x `,` $update `[` $starts `]` attr-dict
    `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
}

def Weft_GatherOp : Weft_Structured<"gather"> {
  let summary = "Slices of an array, at computed indices.";
  let description = [{
    `indices` are arrays of one shape, one for each dimension in `dims`. Where
    they are `i, j, ...`, the slice of `sizes` that begins there (at 0 along
    other dimensions) is what the result holds: its dimensions are those of the
    indices, then those of the slice without the ones in `collapsed` and
    `batch`, of size 1. Dimensions in `batch` are walked together with the
    leading dimensions of the indices.

    With `clip` a slice that leaves the array is moved into it; without, it is
    zero. Negative indices are not counted from the end.

    ```mlir
    // result[k, l] = x[i[k], l]
    %0 = weft.gather %x[%i] dims [0] sizes [1, 4] collapsed [0] batch [] clip
        : (tensor<9x4xf32>, tensor<5xi64>) -> tensor<5x4xf32>
    ```
  }];
  let arguments = (ins Weft_Any:$x, Variadic<Weft_Indices>:$indices,
                   DenseI64ArrayAttr:$dims, DenseI64ArrayAttr:$sizes,
                   DenseI64ArrayAttr:$collapsed, DenseI64ArrayAttr:$batch,
                   UnitAttr:$clip);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $x `[` $indices `]` `dims` $dims `sizes` $sizes `collapsed` $collapsed
    `batch` $batch (`clip` $clip^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    ::weft::Places getPlaces() {
      return {getDims(), getCollapsed(), getBatch(), getClip()};
    }
  }];
  let hasFolder = 1;
}

// `combine` is an expression of Scalar.h of an element `x` of the array and the
// `y` that is scattered to it; `accumulates` says that it rounds.
class Weft_Scatter<string mnemonic, Type type, string combine,
                   bit accumulates, list<string> rules = []>
    : Weft_Op<mnemonic, [
        DeclareOpInterfaceMethods<InferTypeOpInterface>,
        DeclareOpInterfaceMethods<Scatter>,
        DeclareOpInterfaceMethods<Differentiable, rules>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let arguments = (ins type:$x, type:$updates, Variadic<Weft_Indices>:$indices,
                   DenseI64ArrayAttr:$dims, DenseI64ArrayAttr:$collapsed,
                   DenseI64ArrayAttr:$batch, UnitAttr:$clip);
  let results = (outs type:$result);
  let assemblyFormat = [{
    $x `,` $updates `[` $indices `]` `dims` $dims `collapsed` $collapsed
    `batch` $batch (`clip` $clip^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::weft::Places $cppClass::getPlaces() {
      return {getDims(), getCollapsed(), getBatch(), getClip()};
    }
    ::mlir::Value $cppClass::buildCombiner(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::Value old,
        ::mlir::Value update) {
      using namespace ::weft::scalar;
      ScalarOperands scalar(*this, b, loc);
      [[maybe_unused]] auto x = scalar(old), y = scalar(update);
      return scalar.like(old, }] # combine # [{);
    }
    bool $cppClass::accumulates() {
      return }] # !if(accumulates, "true", "false") # [{;
    }
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto *given = properties.as<Properties *>();
      if (!given)
        return ::mlir::failure();
      return ::weft::inferScatter(loc, operands, given->dims, given->collapsed,
                                  given->batch, types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor) {
      return getUpdates().getType().getNumElements() == 0 ? getX()
                                                          : ::mlir::Value();
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildBatched(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::ValueRange operands,
        const ::llvm::SmallBitVector &batched, int64_t size) {
      return ::weft::batchScatter(*this, b, loc, operands, batched, size);
    }
  }];
}
def Weft_ScatterOp : Weft_Scatter<"scatter", Weft_Any, "y", 0> {
  let summary = "An array with slices at computed indices replaced.";
  let description = [{
    The updates are as the result of a `weft.gather` with the same indices and
    attributes. Of updates to one place the last in row-major order stays. With
    `clip` a slice that leaves the array is moved into it; without, it is left
    out.

    ```mlir
    // x[i[k], l] = y[k, l]
    %0 = weft.scatter %x, %y[%i] dims [0] collapsed [0] batch []
        : (tensor<9x4xf32>, tensor<5x4xf32>, tensor<5xi64>) -> tensor<9x4xf32>
    ```
  }];
}
def Weft_ScatterAddOp : Weft_Scatter<"scatter_add", Weft_Num, "x + y", 1> {
  let summary = "An array with updates added at computed indices, as scatter.";
  let description = [{ 16-bit floats are accumulated in f32. }];
}
def Weft_ScatterMultiplyOp : Weft_Scatter<"scatter_multiply", Weft_Num, "x * y",
    1, ["buildTangents"]> {
  let summary = "An array multiplied by updates at computed indices, as scatter.";
  let description = [{ 16-bit floats are accumulated in f32. }];
}
def Weft_ScatterMaximumOp : Weft_Scatter<"scatter_maximum", Weft_Real,
    "maximum(x, y)", 0, ["buildTangents"]> {
  let summary = "The maximum with updates at computed indices, as scatter.";
  let description = [{ NaN propagates; ties split derivatives. }];
}
def Weft_ScatterMinimumOp : Weft_Scatter<"scatter_minimum", Weft_Real,
    "minimum(x, y)", 0, ["buildTangents"]> {
  let summary = "The minimum with updates at computed indices, as scatter.";
  let description = [{ NaN propagates; ties split derivatives. }];
}

//===----------------------------------------------------------------------===//
// Sorting and running values
//===----------------------------------------------------------------------===//

def Weft_SortOp : Weft_Structured<"sort", ["buildTangents"]> {
  let summary = "The elements along an axis in ascending order, NaN last.";
  let description = [{
    The order of equal elements stays. With `descending` the order is the
    opposite one, NaN first, but equal elements stay as they are.

    Complex numbers are ordered by their real parts, equal ones by their
    imaginary parts. Those with a NaN are last: with one in the imaginary part,
    in the real part, in both.
  }];
  let arguments = (ins Weft_Any:$x, I64Attr:$axis, UnitAttr:$descending);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = [{
    $x `axis` $axis (`descending` $descending^)? attr-dict
    `:` type($x) `to` type($result)
  }];
  let hasFolder = 1;
}
def Weft_ArgsortOp : Weft_Inferred<"argsort", [NotDifferentiable,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "The indices (i64) that sort arrays along an axis, as sort.";
  let description = [{
    Of several keys, arrays of one shape, each one orders the elements that are
    equal by all keys before it.

    ```mlir
    %0 = weft.argsort %year, %name axis 0
        : tensor<9xi32>, tensor<9xui8> to tensor<9xi64>
    ```
  }];
  let arguments = (ins Variadic<Weft_Any>:$keys, I64Attr:$axis,
                   UnitAttr:$descending);
  let results = (outs Weft_Int:$result);
  let assemblyFormat = [{
    $keys `axis` $axis (`descending` $descending^)? attr-dict
    `:` type($keys) `to` type($result)
  }];
  let hasFolder = 1;
}
def Weft_SearchsortedOp : Weft_Inferred<"searchsorted", [NotDifferentiable,
    DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let summary = "How many elements of sorted rows stand before each value (i64).";
  let description = [{
    The rows lie along the last dimension of `sorted`; its other dimensions are
    the first ones of `values`, each of whose elements is looked up in the row
    of its place. Counted are the elements less than the value, with `right`
    those equal to it too; the order is that of `weft.sort`. The elements are found
    by bisection, so a row that is not sorted gives a number that depends on it.

    ```mlir
    %0 = weft.searchsorted %edges, %x : (tensor<9xf32>, tensor<4x5xf32>)
        -> tensor<4x5xi64>
    ```
  }];
  let arguments = (ins Weft_Any:$sorted, Weft_Any:$values, UnitAttr:$right);
  let results = (outs Weft_Int:$result);
  let assemblyFormat = [{
    $sorted `,` $values (`right` $right^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

// `step` is an expression of Scalar.h: the element, from the one before, `y`,
// and those of the operands; `first` is that without one before.
class Weft_Cumulative<string mnemonic, list<string> names, string step,
                      string first, list<string> rules>
    : Weft_Inferred<mnemonic, [DeclareOpInterfaceMethods<Cumulative>,
        DeclareOpInterfaceMethods<Differentiable, rules>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let hasFolder = 1;
  defvar bindScalars = !interleave(!foreach(i, !range(!size(names)),
      "[[maybe_unused]] auto " # names[i] # " = scalar(operands, " # i # ");"),
      " ");
  let extraClassDefinition = [{
    int64_t $cppClass::getCumulatedAxis() { return getAxis(); }
    bool $cppClass::isBackwards() { return getReverse(); }
    ::mlir::Value $cppClass::buildStep(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::Value before,
        ::mlir::ValueRange operands) {
      using namespace ::weft::scalar;
      ScalarOperands scalar(*this, b, loc);
      }] # bindScalars # [{
      if (!before)
        return (}] # first # [{).value;
      auto y = scalar(before);
      return (}] # step # [{).value;
    }
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto *given = properties.as<Properties *>();
      return ::weft::inferAlongAxis(loc, operands, }] # !size(names) # [{,
                                    given ? given->axis : nullptr, types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor) {
      return getType().getDimSize(getAxis()) <= 1
                 ? (*this)->getOperands().back() : ::mlir::Value();
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildBatched(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::ValueRange operands,
        const ::llvm::SmallBitVector &batched, int64_t size) {
      return ::weft::batchAlongAxis(*this, b, loc, operands, batched, size);
    }
  }];
}
class Weft_UnaryCumulative<string mnemonic, string step, list<string> rules,
                           Type type = Weft_Num>
    : Weft_Cumulative<mnemonic, ["x"], step, "x", rules> {
  let arguments = (ins type:$x, I64Attr:$axis, UnitAttr:$reverse);
  let results = (outs type:$result);
  let assemblyFormat =
      "$x `axis` $axis (`reverse` $reverse^)? attr-dict `:` type($x)";
}
def Weft_CumsumOp : Weft_UnaryCumulative<"cumsum", "y + x", []> {
  let summary = "Running sum along an axis. Integers wrap.";
  let description = [{
    With `reverse` from the last element to the first. The sum of 16-bit floats
    is kept in f32, of which each result is rounded.
  }];
}
def Weft_CumprodOp : Weft_UnaryCumulative<"cumprod", "y * x",
    ["buildTangents"]> {
  let summary = "Running product along an axis. Integers wrap.";
  let description = [{
    With `reverse` from the last element to the first. The product of 16-bit
    floats is kept in f32, of which each result is rounded.
  }];
}
def Weft_CummaxOp : Weft_UnaryCumulative<"cummax", "maximum(y, x)",
    ["buildTangents"], Weft_Real> {
  let summary = "Running maximum along an axis. NaN propagates; ties split derivatives.";
  let description = [{ With `reverse` from the last element to the first. }];
}
def Weft_CumminOp : Weft_UnaryCumulative<"cummin", "minimum(y, x)",
    ["buildTangents"], Weft_Real> {
  let summary = "Running minimum along an axis. NaN propagates; ties split derivatives.";
  let description = [{ With `reverse` from the last element to the first. }];
}
def Weft_CumlogsumexpOp : Weft_UnaryCumulative<"cumlogsumexp",
    "logaddexp(y, x)", ["buildTangents"], Weft_Float> {
  let summary = "Running log(sum(exp(x))) along an axis, without overflow on the way.";
  let description = [{
    With `reverse` from the last element to the first. Where all elements so far
    are minus infinity, so is the result, and it has no derivative: 0.
  }];
}
def Weft_LinearRecurrenceOp : Weft_Cumulative<"linear_recurrence", ["a", "c"],
    "a * y + c", "c", ["buildTangents"]> {
  let summary = "y[i] = a[i] * y[i-1] + b[i] along an axis, and y[0] = b[0].";
  let description = [{
    With `reverse` from the last element to the first: y[i] = a[i] * y[i+1] +
    b[i]. Derivatives of running values are linear recurrences, and theirs too.
    The value of 16-bit floats is kept in f32, of which each result is rounded.
  }];
  let arguments = (ins Weft_Num:$a, Weft_Num:$b, I64Attr:$axis,
                   UnitAttr:$reverse);
  let results = (outs Weft_Num:$result);
  let assemblyFormat = [{
    $a `,` $b `axis` $axis (`reverse` $reverse^)? attr-dict
    `:` functional-type(operands, results)
  }];
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

// `combine` and `neutral` are expressions of Scalar.h; `neutral` sees an
// element `x` and gives its type's neutral element.
class Weft_Reduction<string mnemonic, Type type, string combine,
                     string neutral, list<Trait> traits>
    : Weft_Inferred<mnemonic, [DeclareOpInterfaceMethods<Reduction>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>] # traits> {
  let arguments = (ins type:$x, DenseI64ArrayAttr:$axes);
  let results = (outs type:$result);
  let assemblyFormat =
      "$x `axes` $axes attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::llvm::ArrayRef<int64_t> $cppClass::getReducedAxes() { return getAxes(); }
    ::mlir::Value $cppClass::buildCombiner(
        ::mlir::OpBuilder &b, ::mlir::Location loc,
        ::mlir::Value accumulator, ::mlir::Value element) {
      using namespace ::weft::scalar;
      ScalarOperands scalar(*this, b, loc);
      auto x = scalar(accumulator), y = scalar(element);
      return (}] # combine # [{).value;
    }
    ::mlir::Attribute $cppClass::getNeutral() {
      return ::weft::neutral::}] # neutral # [{(getX().getType());
    }
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto *given = properties.as<Properties *>();
      return ::weft::inferReduction(loc, operands,
                                    given ? given->axes : nullptr,
                                    $cppClass::needsElements(), types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor) {
      return getAxes().empty() ? getX() : ::mlir::Value();
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildBatched(
        ::mlir::OpBuilder &b, ::mlir::Location loc,
        ::mlir::ValueRange operands, const ::llvm::SmallBitVector &, int64_t) {
      return {b.createOrFold<$cppClass>(loc, operands[0],
                                        ::weft::dimsInStack(getAxes()))};
    }
  }];
}

class Weft_NumericReduction<string mnemonic, Type type, string combine,
                            string neutral, bit needsElements,
                            list<string> rules>
    : Weft_Reduction<mnemonic, type, combine, neutral,
                     [DeclareOpInterfaceMethods<Differentiable, rules>]> {
  let extraClassDeclaration = "static constexpr bool needsElements() { return "
      # !if(needsElements, "true", "false") # "; }";
}
class Weft_BoolReduction<string mnemonic, string combine, string neutral>
    : Weft_Reduction<mnemonic, Weft_Bool, combine, neutral,
                     [NotDifferentiable]> {
  let extraClassDeclaration =
      "static constexpr bool needsElements() { return false; }";
}

def Weft_SumOp : Weft_NumericReduction<"sum", Weft_Num, "x + y", "zero", 0, []> {
  let summary = "Sum along axes. Integers wrap; 0 over no elements.";
  let description = [{ 16-bit floats are accumulated in f32. }];
}
def Weft_ProdOp : Weft_NumericReduction<"prod", Weft_Num, "x * y", "one", 0,
    ["buildTangents"]> {
  let summary = "Product along axes. Integers wrap; 1 over no elements.";
  let description = [{ 16-bit floats are accumulated in f32. }];
}
def Weft_MaxOp : Weft_NumericReduction<"max", Weft_Real, "maximum(x, y)", "lowest",
    1, ["buildTangents"]> {
  let summary = "Maximum along axes. NaN propagates; ties split derivatives.";
}
def Weft_MinOp : Weft_NumericReduction<"min", Weft_Real, "minimum(x, y)", "highest",
    1, ["buildTangents"]> {
  let summary = "Minimum along axes. NaN propagates; ties split derivatives.";
}
def Weft_AnyOp : Weft_BoolReduction<"any", "x | y", "zero"> {
  let summary = "Disjunction along axes; false over no elements.";
}
def Weft_AllOp : Weft_BoolReduction<"all", "x & y", "one"> {
  let summary = "Conjunction along axes; true over no elements.";
}

class Weft_ArgReduction<string mnemonic>
    : Weft_Inferred<mnemonic, [NotDifferentiable,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let arguments = (ins Weft_Real:$x, I64Attr:$axis);
  let results = (outs Weft_Int:$result);
  let assemblyFormat =
      "$x `axis` $axis attr-dict `:` type($x) `to` type($result)";
  let hasFolder = 1;
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto *given = properties.as<Properties *>();
      return ::weft::inferArgReduction(loc, operands,
                                       given ? given->axis : nullptr, types);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor) {
      return ::weft::foldArgReduction(getX(), getAxis(), getType());
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildBatched(
        ::mlir::OpBuilder &b, ::mlir::Location loc,
        ::mlir::ValueRange operands, const ::llvm::SmallBitVector &, int64_t) {
      return {b.createOrFold<$cppClass>(loc, operands[0], getAxis() + 1)};
    }
  }];
}
def Weft_ArgmaxOp : Weft_ArgReduction<"argmax"> {
  let summary = "Index (i64) of the first maximum along an axis; NaN wins.";
}
def Weft_ArgminOp : Weft_ArgReduction<"argmin"> {
  let summary = "Index (i64) of the first minimum along an axis; NaN wins.";
}

//===----------------------------------------------------------------------===//
// Contraction
//===----------------------------------------------------------------------===//

// An op that sums products. Its result's element type is that in which products
// are computed and added, but for 16-bit floats, for which f32 is. With
// `precision = "tf32"`, devices that multiply tf32 faster (10 bits of mantissa)
// may round f32 factors to that; the sums are of f32 all the same.
class Weft_SumOfProducts<string mnemonic>
    : Weft_Op<mnemonic, [Contraction,
        DeclareOpInterfaceMethods<Differentiable, ["buildTangents"]>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]> {
  let results = (outs Weft_Num:$result);
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Weft_DotGeneralOp : Weft_SumOfProducts<"dot_general"> {
  let summary = "Sums products over contracted dimensions, for each batch.";
  let description = [{
    Result dimensions: batch, then what is left of `lhs`, then of `rhs`. The
    sum is accumulated in the result's element type, which may be wider than
    that of the operands; for a result of 16-bit floats it is in f32. An f32 sum
    may state `precision = "tf32"`: factors may be rounded to 10 bits of
    mantissa where that is faster.

    ```mlir
    %0 = weft.dot_general %x, %y batch [] x [] contract [1] x [0]
        : (tensor<2x3xi8>, tensor<3x4xi8>) -> tensor<2x4xi32>
    %1 = weft.dot_general %a, %b batch [] x [] contract [1] x [0]
        {precision = "tf32"}
        : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    ```
  }];
  let arguments = (ins Weft_Num:$lhs, Weft_Num:$rhs,
      DenseI64ArrayAttr:$lhs_batch, DenseI64ArrayAttr:$rhs_batch,
      DenseI64ArrayAttr:$lhs_contract, DenseI64ArrayAttr:$rhs_contract,
      OptionalAttr<StrAttr>:$precision);
  let assemblyFormat = [{
    $lhs `,` $rhs `batch` $lhs_batch `x` $rhs_batch
    `contract` $lhs_contract `x` $rhs_contract attr-dict
    `:` functional-type(operands, results)
  }];
  // The result is of the operands' element type.
  let builders = [
    OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$rhs,
        "::llvm::ArrayRef<int64_t>":$lhs_batch,
        "::llvm::ArrayRef<int64_t>":$rhs_batch,
        "::llvm::ArrayRef<int64_t>":$lhs_contract,
        "::llvm::ArrayRef<int64_t>":$rhs_contract,
        CArg<"::mlir::StringAttr", "{}">:$precision)>
  ];
}

def Weft_ConvolutionOp : Weft_SumOfProducts<"convolution"> {
  let summary = "Sums products over contracted dimensions and a moving window.";
  let description = [{
    A `weft.dot_general` whose `spatial` dimensions are neither batch nor
    contracted: those of `rhs` are a window, which moves over those of `lhs`.
    The dimensions of the result are batch, what is left of `lhs`, spatial, what
    is left of `rhs`; dimension `i` of the result is number `order[i]` of these.

    ```
    r[b, n, y, o] = sum of x[b, n, y * stride + k * dilation - low, c]
                         * w[b, k, c, o] over k and c
    ```

    Along each spatial dimension `base_dilation - 1` zeros are put between each
    two elements of `lhs`, then `low` before and `high` after them (if negative,
    elements are cut off), and `window_dilation - 1` between those of `rhs`.
    Groups are batch dimensions, whether those of features or of inputs. The
    derivatives are convolutions, of the same `precision`.

    ```mlir
    // Images of 3 channels, rows before columns, and 8 filters of 3x3.
    %0 = weft.convolution %x, %w batch [] x [] contract [3] x [2]
        spatial [1, 2] x [0, 1] order [0, 1, 2, 3] strides [1, 1]
        low [1, 1] high [1, 1] base_dilation [1, 1] window_dilation [1, 1]
        : (tensor<2x9x9x3xf32>, tensor<3x3x3x8xf32>) -> tensor<2x9x9x8xf32>
    ```
  }];
  let arguments = (ins Weft_Num:$lhs, Weft_Num:$rhs,
      DenseI64ArrayAttr:$lhs_batch, DenseI64ArrayAttr:$rhs_batch,
      DenseI64ArrayAttr:$lhs_contract, DenseI64ArrayAttr:$rhs_contract,
      DenseI64ArrayAttr:$lhs_spatial, DenseI64ArrayAttr:$rhs_spatial,
      DenseI64ArrayAttr:$order, DenseI64ArrayAttr:$strides,
      DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
      DenseI64ArrayAttr:$base_dilation, DenseI64ArrayAttr:$window_dilation,
      OptionalAttr<StrAttr>:$precision);
  let assemblyFormat = [{
    $lhs `,` $rhs `batch` $lhs_batch `x` $rhs_batch
    `contract` $lhs_contract `x` $rhs_contract
    `spatial` $lhs_spatial `x` $rhs_spatial `order` $order `strides` $strides
    `low` $low `high` $high `base_dilation` $base_dilation
    `window_dilation` $window_dilation attr-dict
    `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// How the window moves over the spatial dimensions.
    ::weft::Windows getWindows();
  }];
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

// An op on the windows of an array. `combine` is an expression of Scalar.h of
// what has been combined so far, `y`, and of an element of each operand;
// `neutral` is as for reductions.
class Weft_Windowed<string mnemonic, list<string> names, string combine,
                    string neutral, list<Trait> traits>
    : Weft_Inferred<mnemonic, [DeclareOpInterfaceMethods<WindowReduction>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>] # traits> {
  defvar bindScalars = !interleave(!foreach(i, !range(!size(names)),
      "[[maybe_unused]] auto " # names[i] # " = scalar(elements, " # i # ");"),
      " ");
  dag geometry = (ins DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
      DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
      DenseI64ArrayAttr:$base_dilation, DenseI64ArrayAttr:$window_dilation);
  string geometryFormat = [{
    `window` $window `strides` $strides `low` $low `high` $high
    `base_dilation` $base_dilation `window_dilation` $window_dilation attr-dict
    `:` functional-type(operands, results)
  }];
  let results = (outs Weft_Num:$result);
  let extraClassDefinition = [{
    ::weft::Windows $cppClass::getWindows() {
      return {getWindow(), getStrides(), getLow(), getHigh(),
              getBaseDilation(), getWindowDilation()};
    }
    ::mlir::Value $cppClass::buildCombiner(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::Value accumulator,
        ::mlir::ValueRange elements) {
      using namespace ::weft::scalar;
      ScalarOperands scalar(*this, b, loc);
      auto y = scalar(accumulator);
      }] # bindScalars # [{
      return (}] # combine # [{).value;
    }
    ::mlir::Attribute $cppClass::getNeutral() {
      return ::weft::neutral::}] # neutral # [{(getResult().getType());
    }
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, std::optional<::mlir::Location> loc,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      auto *given = properties.as<Properties *>();
      if (!given)
        return ::mlir::failure();
      return ::weft::inferWindows(
          loc, operands, }] # !size(names) # [{,
          {given->window, given->strides, given->low, given->high,
           given->base_dilation, given->window_dilation}, types);
    }
    ::llvm::SmallVector<::mlir::Value> $cppClass::buildBatched(
        ::mlir::OpBuilder &b, ::mlir::Location loc, ::mlir::ValueRange operands,
        const ::llvm::SmallBitVector &batched, int64_t size) {
      return ::weft::batchWindows(*this, b, loc, operands, batched, size);
    }
  }];
}

class Weft_ReduceWindow<string mnemonic, Type type, string combine,
                        string neutral, list<string> rules>
    : Weft_Windowed<mnemonic, ["x"], combine, neutral,
        [DeclareOpInterfaceMethods<Differentiable, rules>]> {
  let arguments = !con((ins type:$x), geometry);
  let assemblyFormat = "$x " # geometryFormat;
  let description = [{
    Along each dimension `base_dilation - 1` gaps are put between each two
    elements, then `low` before and `high` after them (if negative, elements are
    cut off). The window has `window` elements, `window_dilation` apart, and
    moves by `strides`. Gaps and padding count as the neutral element.
  }];
}
def Weft_ReduceWindowSumOp : Weft_ReduceWindow<"reduce_window_sum", Weft_Num,
    "y + x", "zero", []> {
  let summary = "Sum of each window. Integers wrap.";
}
def Weft_ReduceWindowMaxOp : Weft_ReduceWindow<"reduce_window_max", Weft_Real,
    "maximum(y, x)", "lowest", ["buildTangents"]> {
  let summary = "Maximum of each window. NaN propagates; ties split derivatives.";
}
def Weft_ReduceWindowMinOp : Weft_ReduceWindow<"reduce_window_min", Weft_Real,
    "minimum(y, x)", "highest", ["buildTangents"]> {
  let summary = "Minimum of each window. NaN propagates; ties split derivatives.";
}

def Weft_SumWhereEqualOp : Weft_Windowed<"sum_where_equal",
    ["x", "weight", "key"], "y + select(eq(x, key), weight, constant(y, 0.0))",
    "zero", [DeclareOpInterfaceMethods<Differentiable, ["buildTangents"]>]> {
  let summary = "Sum of the weights where a window of x equals its key.";
  let description = [{
    `weight` has an element for each of `x`, and `key` one for each window, of
    which there are as many as `weft.reduce_window_sum` has. Neither `x` nor
    `key` has derivatives. Extremes of windows have these for theirs, since the
    transpose is a `weft.sum_where_equal` too.

    ```
    r[i] = sum of weight[j] over the j in window i for which x[j] = key[i]
    ```
  }];
  let arguments = !con((ins Weft_Real:$x, Weft_Real:$weight, Weft_Real:$key),
                       geometry);
  let assemblyFormat = "$x `,` $weight `,` $key " # geometryFormat;
}

//===----------------------------------------------------------------------===//
// Linear algebra
//===----------------------------------------------------------------------===//

def Weft_CholeskyOp : Weft_Matrix<"cholesky"> {
  let summary = "The lower triangular L with L L^H = x, of Hermitian matrices.";
  let description = [{
    Only the lower triangle of x is read. Fails where x is not positive
    definite.
  }];
  let arguments = (ins Weft_Library:$x);
  let results = (outs Weft_Library:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}
def Weft_TriangularSolveOp : Weft_Matrix<"triangular_solve", ["buildBatched"]> {
  let summary = "The solution y of a y = b, for triangular matrices a.";
  let description = [{
    Only the lower triangle of a is read, or the `upper` one; with `unit` its
    diagonal is taken to be 1 and is not read either. `transpose` solves
    a^T y = b; `right` solves y a = b, and both y a^T = b. A zero on the diagonal
    gives infinities and NaN.
  }];
  let arguments = (ins Weft_Library:$a, Weft_Library:$b, UnitAttr:$right,
                   UnitAttr:$upper, UnitAttr:$transpose, UnitAttr:$unit);
  let results = (outs Weft_Library:$result);
  let assemblyFormat = [{
    $a `,` $b (`right` $right^)? (`upper` $upper^)? (`transpose` $transpose^)?
    (`unit` $unit^)? attr-dict `:` functional-type(operands, results)
  }];
}
def Weft_LuOp : Weft_Matrix<"lu"> {
  let summary = "The factors of matrices with their rows permuted, P x = L U.";
  let description = [{
    `lu` holds L, unit lower trapezoidal, below its diagonal and U above. Row i
    was exchanged with row `pivots[i]`, one after the other; row i of P x is row
    `permutation[i]` of x. With `nonsingular` it fails where U has a zero on its
    diagonal.
  }];
  let arguments = (ins Weft_Library:$x, UnitAttr:$nonsingular);
  let results = (outs Weft_Library:$lu, Weft_Indices:$pivots,
                 Weft_Indices:$permutation);
  let assemblyFormat = [{
    $x (`nonsingular` $nonsingular^)? attr-dict
    `:` functional-type(operands, results)
  }];
}
def Weft_SolveOp : Weft_Matrix<"solve", ["buildBatched"]> {
  let summary = "The solution y of a y = b, for matrices a factored by weft.lu.";
  let description = [{
    `lu` and `permutation` are what `weft.lu` gives for a; a itself is what the
    solution varies with, and is not read. `transpose` solves a^T y = b. It fails
    where the permutation does not name each row once.
  }];
  let arguments = (ins Weft_Library:$a, Weft_Library:$lu,
                   Weft_Indices:$permutation, Weft_Library:$b,
                   UnitAttr:$transpose);
  let results = (outs Weft_Library:$result);
  let assemblyFormat = [{
    $a `factored` $lu `,` $permutation `by` $b (`transpose` $transpose^)?
    attr-dict `:` functional-type(operands, results)
  }];
}
def Weft_QrOp : Weft_Matrix<"qr"> {
  let summary = "Orthonormal columns q and upper triangular r with q r = x.";
  let description = [{
    Of an m x n matrix q is m x k and r is k x n, where k is the smaller of m and
    n, or m with `full`. Derivatives need m >= n; those of the further columns
    of a full q are those of a basis that does not turn in itself.
  }];
  let arguments = (ins Weft_Library:$x, UnitAttr:$full);
  let results = (outs Weft_Library:$q, Weft_Library:$r);
  let assemblyFormat = [{
    $x (`full` $full^)? attr-dict `:` functional-type(operands, results)
  }];
}
def Weft_SvdOp : Weft_Matrix<"svd"> {
  let summary = "Singular values s, descending, and vectors: u diag(s) vh = x.";
  let description = [{
    Of an m x n matrix u is m x k and vh is k x n, where k is the smaller of m
    and n; with `full` they are square. Derivatives of the vectors are infinite
    or NaN where two values are equal; those of further vectors are those of a
    basis that does not turn in itself.
  }];
  let arguments = (ins Weft_Library:$x, UnitAttr:$full);
  let results = (outs Weft_Library:$u, Weft_Part:$s, Weft_Library:$vh);
  let assemblyFormat = [{
    $x (`full` $full^)? attr-dict `:` functional-type(operands, results)
  }];
}
def Weft_SvdvalsOp : Weft_Matrix<"svdvals"> {
  let summary = "The singular values of matrices, descending.";
  let arguments = (ins Weft_Library:$x);
  let results = (outs Weft_Part:$s);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($s)";
}
def Weft_EighOp : Weft_Matrix<"eigh"> {
  let summary = "Eigenvalues w, ascending, and vectors of Hermitian matrices.";
  let description = [{
    x v = v diag(w). Only the lower triangle of x is read. Derivatives of the
    vectors are infinite or NaN where two values are equal.
  }];
  let arguments = (ins Weft_Library:$x);
  let results = (outs Weft_Part:$w, Weft_Library:$v);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def Weft_EigvalshOp : Weft_Matrix<"eigvalsh"> {
  let summary = "The eigenvalues of Hermitian matrices, ascending.";
  let description = [{ Only the lower triangle of x is read. }];
  let arguments = (ins Weft_Library:$x);
  let results = (outs Weft_Part:$w);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($w)";
}
def Weft_EigOp : Weft_Matrix<"eig"> {
  let summary = "Eigenvalues w and vectors of square matrices, both complex.";
  let description = [{
    x v = v diag(w), the columns of v being of norm 1. Fails where x is not
    finite. Derivatives of the vectors are those that leave v^-1 dv without a
    diagonal; they are infinite or NaN where two values are equal.
  }];
  let arguments = (ins Weft_Library:$x);
  let results = (outs Weft_Complex:$w, Weft_Complex:$v);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def Weft_EigvalsOp : Weft_Matrix<"eigvals"> {
  let summary = "The eigenvalues of square matrices, complex.";
  let description = [{ Fails where x is not finite. }];
  let arguments = (ins Weft_Library:$x);
  let results = (outs Weft_Complex:$w);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($w)";
}
def Weft_PinvOp : Weft_Matrix<"pinv"> {
  let summary = "The Moore-Penrose inverse of matrices.";
  let description = [{
    Singular values up to `cutoff` (one for each matrix) times the largest count
    as zero. The rank is taken not to vary.
  }];
  let arguments = (ins Weft_Library:$x, Weft_Part:$cutoff);
  let results = (outs Weft_Library:$result);
  let assemblyFormat =
      "$x `,` $cutoff attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Fourier transforms
//===----------------------------------------------------------------------===//

class Weft_Fourier<string mnemonic>
    : Weft_Inferred<mnemonic, [Contraction,
        DeclareOpInterfaceMethods<LibraryKernel>,
        DeclareOpInterfaceMethods<Differentiable>,
        DeclareOpInterfaceMethods<Batchable, ["buildBatched"]>]>;

def Weft_FftOp : Weft_Fourier<"fft"> {
  let summary = "The discrete Fourier transform along an axis, of any length n.";
  let description = [{
    y[k] = sum x[j] exp(-2 pi i j k / n), or with `inverse` exp(2 pi i j k / n),
    not divided by n.
  }];
  let arguments = (ins Weft_Complex:$x, I64Attr:$axis, UnitAttr:$inverse);
  let results = (outs Weft_Complex:$result);
  let assemblyFormat =
      "$x `axis` $axis (`inverse` $inverse^)? attr-dict `:` type($x)";
}
def Weft_RfftOp : Weft_Fourier<"rfft"> {
  let summary = "The Fourier transform of real numbers: its first n / 2 + 1 elements.";
  let description = [{ The others are the conjugates of those, backwards. }];
  let arguments = (ins Weft_Part:$x, I64Attr:$axis);
  let results = (outs Weft_Complex:$result);
  let assemblyFormat = "$x `axis` $axis attr-dict `:` type($x) `to` type($result)";
}
def Weft_IrfftOp : Weft_Fourier<"irfft"> {
  let summary = "The inverse Fourier transform to `length` real numbers.";
  let description = [{
    The operand has the first length / 2 + 1 elements of what is transformed. It
    is not divided by the length; imaginary parts of the first element and, of an
    even length, of the last one do not count.
  }];
  let arguments = (ins Weft_Complex:$x, I64Attr:$axis, I64Attr:$length);
  let results = (outs Weft_Part:$result);
  let assemblyFormat = [{
    $x `axis` $axis `length` $length attr-dict `:` type($x) `to` type($result)
  }];
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

def Weft_LibraryCallOp : Op<Weft_Dialect, "library_call", [
    AttrSizedOperandSegments, NotDifferentiable, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Calls a kernel of a numerical library, from stage linalg on.";
  let description = [{
    The kernel reads `inputs` and writes `outputs`, all in row-major order; what
    the outputs hold before does not matter. What `sizes` say is the kernel's
    business. A failure is told when the program ends, with the place of this op.

    ```mlir
    %l = weft.library_call "cholesky_f64" [2, 3] (%x) into(%e)
        : (tensor<2x3x3xf64>, tensor<2x3x3xf64>) -> tensor<2x3x3xf64>
    ```
  }];
  let arguments = (ins StrAttr:$kernel, DenseI64ArrayAttr:$sizes,
                   Variadic<Weft_TensorOrBuffer>:$inputs,
                   Variadic<Weft_TensorOrBuffer>:$outputs);
  let results = (outs Variadic<Weft_TensorOrBuffer>:$results);
  let assemblyFormat = [{
    $kernel $sizes `(` $inputs `)` `into` `(` $outputs `)` attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getOutputsMutable();
    }
  }];
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

def Weft_AnyOrTape : AnyTypeOf<[Weft_Any, Weft_Tape]>;
def Weft_AnyOrResiduals : AnyTypeOf<[Weft_Any, Weft_Residuals]>;

// An op with bodies: regions of one block that ends in `weft.yield`. They see
// no value from outside but those that the op hands to them as arguments.
class Weft_ControlFlow<string mnemonic, list<Trait> traits = []>
    : Weft_Op<mnemonic, traits # [
        DeclareOpInterfaceMethods<ControlFlow>, IsolatedFromAbove,
        SingleBlock]> {
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
}

def Weft_SwitchOp : Weft_ControlFlow<"switch"> {
  let summary = "What one of several bodies gives, chosen by an index.";
  let description = [{
    Body number `index` runs, an index outside being clamped. Each body takes
    the inputs and yields the results. The index of two bodies may be a bool:
    false is the first, true the second.

    ```mlir
    %r = weft.switch %p(%x) : (tensor<i1>, tensor<f32>) -> tensor<f32> {
    ^bb0(%x: tensor<f32>):
      weft.yield %x : tensor<f32>
    }, {
    ^bb0(%x: tensor<f32>):
      %y = weft.sin %x : tensor<f32>
      weft.yield %y : tensor<f32>
    }
    ```

    Reverse mode keeps the residuals of the body that ran; those of the same
    type share a slot. Of a stacked index all bodies are computed, and the
    results selected.
  }];
  let arguments = (ins Weft_BoolOrInt:$index,
                   Variadic<Weft_AnyOrResiduals>:$inputs);
  let results = (outs Variadic<Weft_Any>:$outputs);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let assemblyFormat = [{
    $index `(` $inputs `)` attr-dict `:` functional-type(operands, results)
    custom<Bodies>($bodies)
  }];
}

def Weft_WhileOp : Weft_ControlFlow<"while", [AttrSizedOperandSegments]> {
  let summary = "Repeats a body while a condition holds.";
  let description = [{
    `cond` takes the carries and the constants, and yields a bool; while it is
    true, the body maps carries and constants to the next carries. The results
    are the last carries.

    ```mlir
    %r = weft.while carry(%x) with(%bound)
        : (tensor<f32>, tensor<f32>) -> tensor<f32> cond {
    ^bb0(%x: tensor<f32>, %bound: tensor<f32>):
      %p = weft.less %x, %bound : tensor<f32>
      weft.yield %p : tensor<i1>
    } do {
    ^bb0(%x: tensor<f32>, %bound: tensor<f32>):
      %y = weft.add %x, %x : tensor<f32>
      weft.yield %y : tensor<f32>
    }
    ```

    Reverse mode counts the trips. The backward pass runs the loop again, as a
    `weft.scan` of that many steps which records what its own reverse needs.
    With a stacked condition the loop runs until all are done.
  }];
  let arguments = (ins Variadic<Weft_Any>:$inits,
                   Variadic<Weft_AnyOrResiduals>:$consts);
  let results = (outs Variadic<Weft_Any>:$outputs);
  let regions = (region SizedRegion<1>:$cond, SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`carry` `(` $inits^ `)`)? (`with` `(` $consts^ `)`)? attr-dict
    `:` functional-type(operands, results) custom<CondAndBody>($cond, $body)
  }];
}

def Weft_ScanOp : Weft_ControlFlow<"scan", [AttrSizedOperandSegments]> {
  let summary = "Repeats a body for each slice of arrays.";
  let description = [{
    The body takes the carries, a slice of each of `xs` along its leading
    dimension, and the constants; it yields the next carries and slices of the
    further results `ys`. `reverse` runs from the last slice to the first; the
    slices of `ys` lie as those of `xs` do.

    ```mlir
    %sum, %sums = weft.scan length 10 carry(%zero) over(%xs) with(%w)
        : (tensor<f32>, tensor<10xf32>, tensor<f32>)
          -> (tensor<f32>, tensor<10xf32>) {
    ^bb0(%sum: tensor<f32>, %x: tensor<f32>, %w: tensor<f32>):
      %wx = weft.multiply %w, %x : tensor<f32>
      %next = weft.add %sum, %wx : tensor<f32>
      weft.yield %next, %next : tensor<f32>, tensor<f32>
    }
    ```

    A length known at run time only is the operand `trips` (none if negative),
    or, if there is neither, that of the tapes which it runs over; then all
    `xs` and `ys` are tapes. `unroll` asks for that many steps at a time.

    Reverse mode stacks the residuals of the steps as further `ys`, apart from
    constants and slices of `xs`, which are there already. A second scan in the
    other direction takes them.
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$length, UnitAttr:$reverse,
                   DefaultValuedAttr<I64Attr, "1">:$unroll,
                   Optional<Weft_Index>:$trips,
                   Variadic<Weft_Any>:$inits,
                   Variadic<Weft_AnyOrTape>:$xs,
                   Variadic<Weft_AnyOrResiduals>:$consts);
  let results = (outs Variadic<Weft_AnyOrTape>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`length` $length^)? (`trips` $trips^)? (`reverse` $reverse^)?
    (`unroll` $unroll^)? (`carry` `(` $inits^ `)`)? (`over` `(` $xs^ `)`)?
    (`with` `(` $consts^ `)`)? attr-dict
    `:` functional-type(operands, results) custom<Body>($body)
  }];
  let extraClassDeclaration = [{
    /// Whether the length is known at run time only.
    bool isDynamic() { return !getLength(); }
    /// The results that are the last carries, and the others.
    ::mlir::ResultRange getCarries() {
      return getOutputs().take_front(getInits().size());
    }
    ::mlir::ResultRange getYs() {
      return getOutputs().drop_front(getInits().size());
    }
  }];
}

def Weft_YieldOp : Weft_Op<"yield", [NotDifferentiable, Terminator, ReturnLike,
    ParentOneOf<["SwitchOp", "WhileOp", "ScanOp"]>]> {
  let summary = "Ends a body and says what it gives.";
  let arguments = (ins Variadic<Weft_Any>:$outputs);
  let assemblyFormat = "attr-dict ($outputs^ `:` type($outputs))?";
}

//===----------------------------------------------------------------------===//
// Transformations
//===----------------------------------------------------------------------===//

def Weft_LinearizeOp : Weft_Op<"linearize", [NotDifferentiable,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a function and keeps what its backward pass needs.";
  let description = [{
    The results are those of the function, then the residuals, which
    `weft.pullback` takes, as often as it likes. `wrt` lists the operands
    (inexact, ascending) that get cotangents. Derivatives of any order are had
    by linearizing a function that itself linearizes.

    ```mlir
    %y, %res = weft.linearize @f(%x) wrt [0]
        : (tensor<4xf32>) -> (tensor<f32>, !weft.residuals<@f, [0]>)
    %dx = weft.pullback %res(%ct)
        : (!weft.residuals<@f, [0]>, tensor<f32>) -> tensor<4xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, DenseI64ArrayAttr:$wrt,
                   Variadic<Weft_AnyOrResiduals>:$inputs);
  let results = (outs Variadic<Weft_Any>:$primals,
                 Weft_Residuals:$residuals);
  let assemblyFormat = [{
    $callee `(` $inputs `)` `wrt` $wrt attr-dict
    `:` functional-type(operands, results)
  }];
}
def Weft_PullbackOp : Weft_Op<"pullback", [NotDifferentiable,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Maps cotangents of results to cotangents of operands.";
  let description = [{
    One cotangent for each inexact result of the linearized function, in
    order; one result for each operand named by `wrt`.
  }];
  let arguments = (ins Weft_Residuals:$residuals,
                   Variadic<Weft_Inexact>:$cotangents);
  let results = (outs Variadic<Weft_Inexact>:$gradients);
  let assemblyFormat = [{
    $residuals `(` $cotangents `)` attr-dict
    `:` functional-type(operands, results)
  }];
}
def Weft_PushforwardOp : Weft_Op<"pushforward", [NotDifferentiable,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Maps tangents of operands to tangents of results.";
  let description = [{
    The transpose of `weft.pullback`: one tangent for each operand named by
    `wrt`, one result for each inexact result of the linearized function.
  }];
  let arguments = (ins Weft_Residuals:$residuals,
                   Variadic<Weft_Inexact>:$tangents);
  let results = (outs Variadic<Weft_Inexact>:$result_tangents);
  let assemblyFormat = [{
    $residuals `(` $tangents `)` attr-dict
    `:` functional-type(operands, results)
  }];
}
def Weft_JvpOp : Weft_Op<"jvp", [NotDifferentiable, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a function and moves its results along tangents.";
  let description = [{
    `wrt` lists the operands (floats or complex, ascending) that have tangents, one
    each. The results are those of the function, then one tangent for each
    floating result, in order.

    ```mlir
    %y, %ty = weft.jvp @f(%x) along(%t) wrt [0]
        : (tensor<4xf32>, tensor<4xf32>) -> (tensor<f32>, tensor<f32>)
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, DenseI64ArrayAttr:$wrt,
                   Variadic<Weft_AnyOrResiduals>:$inputs,
                   Variadic<Weft_Inexact>:$tangents);
  let results = (outs Variadic<Weft_Any>:$primals_and_tangents);
  let assemblyFormat = [{
    $callee `(` $inputs `)` `along` `(` $tangents `)` `wrt` $wrt attr-dict
    `:` functional-type(operands, results)
  }];
}
def Weft_VmapOp : Weft_Op<"vmap", [NotDifferentiable,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a function for each of a stack of inputs at once.";
  let description = [{
    `in` gives for each operand the axis along which it is stacked, `size`
    inputs each, or -1 for one that all calls share (as they share residuals).
    `out` gives for each result the axis along which it is stacked, or -1 where
    the result must not depend on a stacked operand.

    ```mlir
    %y = weft.vmap @f(%x, %w) size 8 in [0, -1] out [0]
        : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, I64Attr:$size,
                   DenseI64ArrayAttr:$in_axes, DenseI64ArrayAttr:$out_axes,
                   Variadic<Weft_AnyOrResiduals>:$inputs);
  let results = (outs Variadic<Weft_Any>:$outputs);
  let assemblyFormat = [{
    $callee `(` $inputs `)` `size` $size `in` $in_axes `out` $out_axes attr-dict
    `:` functional-type(operands, results)
  }];
}
def Weft_BarrierOp : Weft_Op<"barrier", [
    DeclareOpInterfaceMethods<Differentiable, ["buildTangents"]>,
    Batchable]> {
  let summary = "Its operands, as values that no optimization equates with them.";
  let description = [{
    A recomputation for the backward pass reads its inputs through a barrier,
    tied to a cotangent, so that it is neither merged with the first
    computation nor moved before the backward pass.
  }];
  let arguments = (ins Variadic<Weft_Any>:$inputs);
  let results = (outs Variadic<Weft_Any>:$outputs);
  let assemblyFormat =
      "$inputs attr-dict `:` type($inputs) `to` type($outputs)";
  let hasVerifier = 1;
}
def Weft_StopGradientOp : Weft_Elementwise<"stop_gradient", ["x"], "x", [],
    [SameOperandsAndResultType]> {
  let summary = "Its operand, without derivatives.";
  let arguments = (ins Weft_Any:$x);
  let results = (outs Weft_Any:$result);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

#endif // WEFT_OPS_TD
