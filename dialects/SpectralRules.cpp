// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of eigenvalues, singular values and vectors, and of the
// pseudoinverse. Y' stands for the cotangent of Y, dY for its tangent, ^H for
// the conjugate transpose. Where ^H occurs, cotangents are those of the inner
// product with a conjugate: they are conjugated on their way in and out. The
// rules are those of Giles, "Collected matrix
// derivative results" (2008), Townsend, "Differentiating the singular value
// decomposition" (2016), and Golub and Pereyra, "The differentiation of
// pseudo-inverses and nonlinear least squares problems whose variables
// separate" (1973).

#include "dialects/MatrixCalculus.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

//===----------------------------------------------------------------------===//
// eigh
//===----------------------------------------------------------------------===//

// With P = v^H dS v, dS the Hermitian matrix whose lower triangle is dx, and
// F[i, j] = 1 / (w[j] - w[i]): dw = diag(P), dv = v (F . P).
static SmallVector<Value> tangentsOfEigen(Tensor w, Tensor v, Tensor dx) {
  Tensor part = matmul(symmetricFromLower(dx), v);
  Tensor p = matmul(adjoint(v), part);
  Tensor dv = matmul(v, promote(reciprocalDifferences(w), p) * p);
  return {realPart(diagonalOfProduct(adjoint(v), part)).value, dv.value};
}

// S' = v (diag(w') + F . (v^H v')) v^H; the upper triangle is not read.
static Value pullbackOfEigen(Tensor w, Tensor v, Tensor ofW, Tensor ofV) {
  Tensor inner = diagonalMatrix(promote(ofW, v));
  if (ofV)
    inner = inner + promote(reciprocalDifferences(w), v) *
                        matmul(adjoint(v), conjugate(ofV));
  Tensor ofS = matmul(matmul(v, inner), adjoint(v));
  return conjugate(halfLower(ofS + adjoint(ofS))).value;
}

SmallVector<Value> EighOp::buildPullback(OpBuilder &b, Location loc,
                                         ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return {pullbackOfEigen(tensor(getW()), tensor(getV()), tensor(cotangents[0]),
                          tensor(cotangents[1]))};
}

SmallVector<Value> EighOp::buildTangents(OpBuilder &b, Location loc,
                                         ValueRange tangents) {
  TensorOperands tensor(b, loc);
  return tangentsOfEigen(tensor(getW()), tensor(getV()), tensor(tangents[0]));
}

SmallVector<Value> EigvalshOp::buildPullback(OpBuilder &b, Location loc,
                                             ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  auto eigen = EighOp::create(b, loc, getX());
  return {pullbackOfEigen(tensor(eigen.getW()), tensor(eigen.getV()),
                          tensor(cotangents[0]), none)};
}

SmallVector<Value> EigvalshOp::buildTangents(OpBuilder &b, Location loc,
                                             ValueRange tangents) {
  TensorOperands tensor(b, loc);
  auto eigen = EighOp::create(b, loc, getX());
  return {tangentsOfEigen(tensor(eigen.getW()), tensor(eigen.getV()),
                          tensor(tangents[0]))[0]};
}

//===----------------------------------------------------------------------===//
// eig
//===----------------------------------------------------------------------===//

/// The solution y of v y = x, or v^T y = x.
static Tensor solveFor(Tensor v, Tensor x, bool transpose) {
  auto lu = LuOp::create(*x.b, x.loc, v.value, /*nonsingular=*/false);
  return x.with(SolveOp::create(*x.b, x.loc, v.value, lu.getLu(),
                                lu.getPermutation(), x.value, transpose));
}

// With C = v^-1 dx v and F[i, j] = 1 / (w[j] - w[i]): dw = diag(C) and, where
// v^-1 dv has no diagonal, dv = v (F . C).
static SmallVector<Value> tangentsOfEigen(EigOp eigen, Tensor dx) {
  Tensor w = dx.with(eigen.getW()), v = dx.with(eigen.getV());
  Tensor c = solveFor(v, matmul(promote(dx, v), v), /*transpose=*/false);
  Tensor dv = matmul(v, reciprocalDifferences(w) * c);
  return {diagonalOfProduct(identityLike(c), c).value, dv.value};
}

// x' = v^-T (diag(w') + F . (v^T v')) v^T, for real x the real part.
static Value pullbackOfEigen(EigOp eigen, TensorOperands tensor, Tensor ofW,
                             Tensor ofV) {
  Tensor w = tensor(eigen.getW()), v = tensor(eigen.getV());
  Tensor inner = diagonalMatrix(ofW);
  if (ofV)
    inner = inner + reciprocalDifferences(w) * matmul(transposed(v), ofV);
  Tensor ofX = solveFor(v, matmul(inner, transposed(v)), /*transpose=*/true);
  return eigen.getX().getType() == eigen.getV().getType() ? ofX.value
                                                          : realPart(ofX).value;
}

SmallVector<Value> EigOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return {pullbackOfEigen(*this, tensor, tensor(cotangents[0]),
                          tensor(cotangents[1]))};
}

SmallVector<Value> EigOp::buildTangents(OpBuilder &b, Location loc,
                                        ValueRange tangents) {
  return tangentsOfEigen(*this, TensorOperands(b, loc)(tangents[0]));
}

SmallVector<Value> EigvalsOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  return {pullbackOfEigen(EigOp::create(b, loc, getX()), tensor,
                          tensor(cotangents[0]), none)};
}

SmallVector<Value> EigvalsOp::buildTangents(OpBuilder &b, Location loc,
                                            ValueRange tangents) {
  Tensor dx = TensorOperands(b, loc)(tangents[0]);
  return {tangentsOfEigen(EigOp::create(b, loc, getX()), dx)[0]};
}

//===----------------------------------------------------------------------===//
// svd
//===----------------------------------------------------------------------===//

namespace {
/// u diag(s) v^H = x, and the further vectors of full ones.
struct Singular {
  Tensor x, u, s, vh;
  int64_t size;

  Singular(Tensor x, Tensor u, Tensor s, Tensor vh)
      : x(x), u(takeColumns(u, 0, s.type().getShape().back())), s(s),
        vh(takeRows(vh, 0, s.type().getShape().back())),
        size(s.type().getShape().back()) {}

  Tensor differences() const {
    return promote(reciprocalDifferences(s * s), u);
  }
  /// The imaginary parts of the diagonal of x over s: how u turns against v.
  Tensor turn(Tensor x) const {
    if (!isa<ComplexType>(x.type().getElementType()))
      return none;
    Tensor half = x - adjoint(x);
    Tensor diagonal = diagonalOfProduct(identityLike(x), half) * 0.5;
    return diagonalMatrix(diagonal * promote(reciprocals(), x));
  }
  Tensor reciprocals() const { return 1.0 / s; }
  /// The part of y that is orthogonal to the columns of z.
  static Tensor without(Tensor z, Tensor y) {
    return y - matmul(z, matmul(adjoint(z), y));
  }
};

struct SingularTangents {
  Tensor du, ds, dvh;
};
} // namespace

// With P = u^H dx v and F[i, j] = 1 / (s[j]^2 - s[i]^2): ds = diag(P),
// du = u (F . (P S + S P^H) + i Im diag(P) S^-1) + (1 - u u^H) dx v S^-1,
// dv = v (F . (S P + P^H S)) + (1 - v v^H) dx^H u S^-1.
static SingularTangents tangentsOfSingular(const Singular &of, Tensor dx) {
  Tensor v = adjoint(of.vh), dxV = matmul(dx, v);
  Tensor p = matmul(adjoint(of.u), dxV), f = of.differences();
  Tensor ps = scaleColumns(p, of.s), sp = scaleRows(of.s, p);
  Tensor du = matmul(of.u, f * (ps + adjoint(ps)) + of.turn(p));
  Tensor dv = matmul(v, f * (sp + adjoint(sp)));
  if (rows(of.x) > of.size)
    du = du + scaleColumns(Singular::without(of.u, dxV), of.reciprocals());
  if (columns(of.x) > of.size)
    dv = dv + scaleColumns(Singular::without(v, matmul(adjoint(dx), of.u)),
                           of.reciprocals());
  return {du, realPart(diagonalOfProduct(adjoint(of.u), dxV)), adjoint(dv)};
}

// With J = F . (u^H u') and K = F . (v^H v'): x' = u ((J + J^H) S + S (K + K^H)
// + i Im diag(u^H u') S^-1 + diag(s')) v^H + (1 - u u^H) u' S^-1 v^H + u S^-1
// v'^H (1 - v v^H).
static Tensor pullbackOfSingular(const Singular &of, Tensor ofU, Tensor ofS,
                                 Tensor ofV) {
  Tensor v = adjoint(of.vh), inner = diagonalMatrix(promote(ofS, of.u));
  if (ofU) {
    Tensor along = matmul(adjoint(of.u), ofU), j = of.differences() * along;
    inner = inner + scaleColumns(j + adjoint(j), of.s) + of.turn(along);
  }
  if (ofV) {
    Tensor k = of.differences() * matmul(of.vh, ofV);
    inner = inner + scaleRows(of.s, k + adjoint(k));
  }
  Tensor result = matmul(matmul(of.u, inner), of.vh);
  if (ofU && rows(of.x) > of.size)
    result = result + matmul(scaleColumns(Singular::without(of.u, ofU),
                                          of.reciprocals()),
                             of.vh);
  if (ofV && columns(of.x) > of.size)
    result =
        result + matmul(of.u, adjoint(scaleColumns(Singular::without(v, ofV),
                                                   of.reciprocals())));
  return result;
}

/// The cotangent of the first columns of a full basis: where the further ones
/// vary as dz2 = -z1 dz1^H z2, that is z1' - z2 z2'^H z1.
static Tensor foldFurther(Tensor z, Tensor ct, int64_t size) {
  if (!ct || columns(z) == size)
    return ct;
  int64_t further = columns(z) - size;
  Tensor z2 = takeColumns(z, size, further);
  Tensor ct2 = takeColumns(ct, size, further);
  return takeColumns(ct, 0, size) -
         matmul(z2, matmul(adjoint(ct2), takeColumns(z, 0, size)));
}
static Tensor appendFurther(Tensor z, Tensor dz, int64_t size) {
  if (columns(z) == size)
    return dz;
  Tensor z2 = takeColumns(z, size, columns(z) - size);
  return joinColumns(dz,
                     -matmul(takeColumns(z, 0, size), matmul(adjoint(dz), z2)));
}

SmallVector<Value> SvdOp::buildPullback(OpBuilder &b, Location loc,
                                        ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Singular of(tensor(getX()), tensor(getU()), tensor(getS()), tensor(getVh()));
  Tensor ofU =
      foldFurther(tensor(getU()), conjugate(tensor(cotangents[0])), of.size);
  Tensor ofV = foldFurther(adjoint(tensor(getVh())),
                           transposed(tensor(cotangents[2])), of.size);
  return {
      conjugate(pullbackOfSingular(of, ofU, tensor(cotangents[1]), ofV)).value};
}

SmallVector<Value> SvdOp::buildTangents(OpBuilder &b, Location loc,
                                        ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Tensor u = tensor(getU()), vh = tensor(getVh());
  Singular of(tensor(getX()), u, tensor(getS()), vh);
  SingularTangents made = tangentsOfSingular(of, tensor(tangents[0]));
  Tensor du = appendFurther(u, made.du, of.size);
  Tensor dv = appendFurther(adjoint(vh), adjoint(made.dvh), of.size);
  return {du.value, made.ds.value, adjoint(dv).value};
}

static Singular decompose(SvdvalsOp op, OpBuilder &b, Location loc) {
  TensorOperands tensor(b, loc);
  auto made = SvdOp::create(b, loc, op.getX(), /*full=*/false);
  return Singular(tensor(op.getX()), tensor(made.getU()), tensor(made.getS()),
                  tensor(made.getVh()));
}

SmallVector<Value> SvdvalsOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  Tensor ofS = TensorOperands(b, loc)(cotangents[0]);
  Tensor ofX = pullbackOfSingular(decompose(*this, b, loc), none, ofS, none);
  return {conjugate(ofX).value};
}

SmallVector<Value> SvdvalsOp::buildTangents(OpBuilder &b, Location loc,
                                            ValueRange tangents) {
  Tensor dx = TensorOperands(b, loc)(tangents[0]);
  return {tangentsOfSingular(decompose(*this, b, loc), dx).ds.value};
}

//===----------------------------------------------------------------------===//
// pinv
//===----------------------------------------------------------------------===//

// dp = -p dx p + p p^H dx^H (1 - x p) + (1 - p x) dx^H p^H p.
SmallVector<Value> PinvOp::buildTangents(OpBuilder &b, Location loc,
                                         ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Tensor x = tensor(getX()), p = tensor(getResult()), dx = tensor(tangents[0]);
  if (!dx)
    return {Value()};
  Tensor ph = adjoint(p), dxH = adjoint(dx);
  Tensor left = matmul(p, matmul(ph, dxH)), right = matmul(matmul(dxH, ph), p);
  Tensor dp = left - matmul(matmul(left, x), p) + right -
              matmul(p, matmul(x, right)) - matmul(matmul(p, dx), p);
  return {dp.value};
}

// x' = -p^H p' p^H + (1 - x p) p'^H p p^H + p^H p p'^H (1 - p x).
SmallVector<Value> PinvOp::buildPullback(OpBuilder &b, Location loc,
                                         ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Tensor x = tensor(getX()), p = tensor(getResult());
  Tensor ct = conjugate(tensor(cotangents[0]));
  Tensor ph = adjoint(p), ctH = adjoint(ct);
  Tensor left = matmul(matmul(ctH, p), ph), right = matmul(ph, matmul(p, ctH));
  Tensor ofX = left - matmul(x, matmul(p, left)) + right -
               matmul(matmul(right, p), x) - matmul(matmul(ph, ct), ph);
  return {conjugate(ofX).value, Value()};
}
