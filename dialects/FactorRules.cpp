// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives of factors and of solutions. Y' stands for the cotangent of Y, dY
// for its tangent, ^T for the transpose, ^H for its conjugate, and phi for the
// lower triangle with half of the diagonal. Where ^H occurs, cotangents are
// those of the inner product with a conjugate: they are conjugated on their way
// in and out. The rules are those of
// Giles, "Collected matrix derivative results for forward and reverse mode
// algorithmic differentiation" (2008), of Seeger, Hetzel, Dai, Meissner and
// Lawrence, "Auto-differentiating linear algebra" (2017), for the Cholesky
// factor also of Murray, "Differentiation of the Cholesky decomposition"
// (2016), and for qr of Walter and Lehmann, "Algorithmic differentiation of
// linear algebra functions" (2010).

#include "dialects/MatrixCalculus.h"

using namespace mlir;
using namespace weft;
using namespace weft::calculus;

//===----------------------------------------------------------------------===//
// cholesky
//===----------------------------------------------------------------------===//

// With phi the lower triangle with half of the diagonal: dL = L phi(L^-1 dS
// L^-H), where dS is the Hermitian matrix whose lower triangle is dx; so that
// S' = L^-H phi(L^H L') L^-1 and x' = phi(S' + S'^H).
SmallVector<Value> CholeskyOp::buildPullback(OpBuilder &b, Location loc,
                                             ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Tensor l = tensor(getResult()), ct = conjugate(tensor(cotangents[0]));
  Tensor inner = halfLower(matmul(adjoint(l), lower(ct)));
  inner = triangularSolve(l, inner, isAdjoint);
  inner = triangularSolve(l, inner, onRight);
  return {conjugate(halfLower(inner + adjoint(inner))).value};
}

SmallVector<Value> CholeskyOp::buildTangents(OpBuilder &b, Location loc,
                                             ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Tensor l = tensor(getResult());
  Tensor inner = symmetricFromLower(tensor(tangents[0]));
  inner = triangularSolve(l, inner, onLeft);
  inner = triangularSolve(l, inner, onRight | isAdjoint);
  return {matmul(l, halfLower(inner)).value};
}

//===----------------------------------------------------------------------===//
// triangular_solve
//===----------------------------------------------------------------------===//

static unsigned triangleOf(TriangularSolveOp op) {
  return (op.getRight() ? onRight : 0) | (op.getUpper() ? isUpper : 0) |
         (op.getTranspose() ? isTransposed : 0) |
         (op.getUnit() ? hasUnitDiagonal : 0);
}

/// What is read of a triangle.
static Tensor partRead(Tensor a, unsigned triangle) {
  bool unit = triangle & hasUnitDiagonal;
  return triangle & isUpper ? upper(a, unit) : lower(a, unit ? -1 : 0);
}

// b' = a^-T y' and a' = -b' y^T; where y a = b, b' = y' a^-T and a' = -y^T b'.
// Of the transpose of a, the transpose of that.
SmallVector<Value> TriangularSolveOp::buildPullback(OpBuilder &b, Location loc,
                                                    ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  unsigned triangle = triangleOf(*this);
  Tensor y = tensor(getResult());
  Tensor ofB = triangularSolve(tensor(getA()), tensor(cotangents[0]),
                               triangle ^ isTransposed);
  Tensor product =
      getRight() ? matmul(transposed(y), ofB) : matmul(ofB, transposed(y));
  if (getTranspose())
    product = transposed(product);
  return {partRead(-product, triangle).value, ofB.value};
}

// dy = a^-1 (db - da y), or (db - y da) a^-1.
SmallVector<Value> TriangularSolveOp::buildTangents(OpBuilder &b, Location loc,
                                                    ValueRange tangents) {
  TensorOperands tensor(b, loc);
  unsigned triangle = triangleOf(*this);
  Tensor y = tensor(getResult());
  Tensor da = partRead(tensor(tangents[0]), triangle);
  if (getTranspose())
    da = transposed(da);
  Tensor moved = getRight() ? matmul(y, da) : matmul(da, y);
  return {triangularSolve(tensor(getA()), tensor(tangents[1]) - moved, triangle)
              .value};
}

//===----------------------------------------------------------------------===//
// lu
//===----------------------------------------------------------------------===//

namespace {
/// The blocks of factors: L1 and U1 square, L2 below L1 or U2 beside U1.
struct Factors {
  Tensor packed;
  int64_t size, below, beside;

  explicit Factors(Tensor packed)
      : packed(packed), size(std::min(rows(packed), columns(packed))),
        below(rows(packed) - size), beside(columns(packed) - size) {}

  /// Blocks of a matrix like x: the square one, and the one next to it.
  Tensor square(Tensor x) const {
    return takeRows(takeColumns(x, 0, size), 0, size);
  }
  Tensor rest(Tensor x) const {
    return below ? takeRows(x, size, below) : takeColumns(x, size, beside);
  }
  Tensor join(Tensor square, Tensor rest) const {
    if (!below && !beside)
      return square;
    return below ? joinRows(square, rest) : joinColumns(square, rest);
  }

  Tensor l1() const {
    Tensor x = square(packed);
    return lower(x, -1) + identityLike(x);
  }
  Tensor u1() const { return upper(square(packed)); }

  Tensor solveL(Tensor x, unsigned transposed = 0) const {
    return triangularSolve(square(packed), x, transposed | hasUnitDiagonal);
  }
  Tensor solveU(Tensor x, unsigned transposed = 0) const {
    return triangularSolve(square(packed), x, transposed | onRight | isUpper);
  }
};
} // namespace

// With M = L1^-1 (P dx)1 U1^-1: dL1 = L1 lower(M, -1), dU1 = upper(M) U1, and
// dL2 = ((P dx)2 - L2 dU1) U1^-1 or dU2 = L1^-1 (P dx)2 - lower(M, -1) U2.
SmallVector<Value> LuOp::buildTangents(OpBuilder &b, Location loc,
                                       ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Factors factors(tensor(getLu()));
  Tensor moved = permuteRows(tensor(tangents[0]), getPermutation());
  Tensor m = factors.solveU(factors.solveL(factors.square(moved)));
  Tensor strict = lower(m, -1);
  Tensor du = matmul(upper(m), factors.u1());
  Tensor square = matmul(factors.l1(), strict) + du, rest = none;
  if (factors.below)
    rest = factors.solveU(factors.rest(moved) -
                          matmul(factors.rest(factors.packed), du));
  if (factors.beside)
    rest = factors.solveL(factors.rest(moved)) -
           matmul(strict, factors.rest(factors.packed));
  return {factors.join(square, rest).value, Value(), Value()};
}

// (P x)2' = L2' U1^-T =: W and U1' takes -L2^T W, or (P x)2' = L1^-T U2'; then
// (P x)1' = L1^-T (lower(L1^T L1' - U2' U2^T, -1) + upper(U1' U1^T)) U1^-T.
SmallVector<Value> LuOp::buildPullback(OpBuilder &b, Location loc,
                                       ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  if (!cotangents[0])
    return {Value()};
  Factors factors(tensor(getLu()));
  Tensor ct = tensor(cotangents[0]), square = factors.square(ct);
  Tensor ofL = lower(square, -1), ofU = upper(square), rest = none;
  Tensor inner = matmul(transposed(factors.l1()), ofL);
  Tensor next = factors.rest(factors.packed);
  if (factors.below) {
    rest = factors.solveU(factors.rest(ct), isTransposed);
    ofU = ofU - matmul(transposed(next), rest);
  }
  if (factors.beside) {
    rest = factors.solveL(factors.rest(ct), isTransposed);
    inner = inner - matmul(factors.rest(ct), transposed(next));
  }
  inner = lower(inner, -1) + upper(matmul(ofU, transposed(factors.u1())));
  inner = factors.solveU(factors.solveL(inner, isTransposed), isTransposed);
  return {unpermuteRows(factors.join(inner, rest), getPermutation()).value};
}

//===----------------------------------------------------------------------===//
// solve
//===----------------------------------------------------------------------===//

static Tensor solveAgain(SolveOp op, Tensor b, bool transpose) {
  if (!b)
    return none;
  return b.with(b.b->createOrFold<SolveOp>(
      b.loc, op.getA(), op.getLu(), op.getPermutation(), b.value, transpose));
}

// b' = a^-T y', a' = -b' y^T; of the transpose of a, the transpose of that. The
// factors follow from a and have no derivative of their own here.
SmallVector<Value> SolveOp::buildPullback(OpBuilder &b, Location loc,
                                          ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Tensor ofB = solveAgain(*this, tensor(cotangents[0]), !getTranspose());
  Tensor product = matmul(ofB, transposed(tensor(getResult())));
  if (getTranspose())
    product = transposed(product);
  return {(-product).value, Value(), Value(), ofB.value};
}

// dy = a^-1 (db - da y).
SmallVector<Value> SolveOp::buildTangents(OpBuilder &b, Location loc,
                                          ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Tensor da = tensor(tangents[0]);
  if (getTranspose())
    da = transposed(da);
  Tensor moved = tensor(tangents[3]) - matmul(da, tensor(getResult()));
  return {solveAgain(*this, moved, getTranspose()).value};
}

//===----------------------------------------------------------------------===//
// qr
//===----------------------------------------------------------------------===//

namespace {
/// Of x = [x1 x2] with x1 as many columns as q has that follow from it: q1 r1 =
/// x1, r2 = q1^H x2, and q2 the further columns of a full q.
struct Orthogonal {
  Tensor x, q, r;
  int64_t size, further, beside;

  Orthogonal(QrOp op, TensorOperands tensor)
      : x(tensor(op.getX())), q(tensor(op.getQ())), r(tensor(op.getR())),
        size(std::min(rows(x), columns(x))), further(columns(q) - size),
        beside(columns(x) - size) {}

  Tensor q1() const { return takeColumns(q, 0, size); }
  Tensor q2() const { return takeColumns(q, size, further); }
  Tensor r1(Tensor of) const {
    return takeRows(takeColumns(of, 0, size), 0, size);
  }

  Tensor divideByR(Tensor y, unsigned transposed = 0) const {
    return triangularSolve(r1(r), y, transposed | onRight | isUpper);
  }
};
} // namespace

// With M = q1^H dx1 r1^-1 and W = phi(M) - phi(M)^H: dq1 = dx1
// r1^-1
// - q1 (M - W), dr1 = upper(q1^H dx1 - W r1), dr2 = dq1^H x2 + q1^H dx2, and
// for a basis that does not turn in itself dq2 = -q1 dq1^H q2.
SmallVector<Value> QrOp::buildTangents(OpBuilder &b, Location loc,
                                       ValueRange tangents) {
  TensorOperands tensor(b, loc);
  Orthogonal of(*this, tensor);
  Tensor dx = tensor(tangents[0]), q1 = of.q1();
  Tensor dx1 = takeColumns(dx, 0, of.size);
  Tensor along = matmul(adjoint(q1), dx1), m = of.divideByR(along);
  Tensor half = halfLower(m), turn = half - adjoint(half);
  Tensor dq = of.divideByR(dx1) - matmul(q1, m - turn);
  Tensor dr = upper(along - matmul(turn, of.r1(of.r)));
  if (of.beside)
    dr = joinColumns(
        dr, matmul(adjoint(dq), takeColumns(of.x, of.size, of.beside)) +
                matmul(adjoint(q1), takeColumns(dx, of.size, of.beside)));
  if (of.further) {
    Tensor q2 = of.q2();
    dr = joinRows(dr, zeros(takeRows(tensor(getR()), of.size, of.further)));
    dq = joinColumns(dq, -matmul(q1, matmul(adjoint(dq), q2)));
  }
  return {dq.value, dr.value};
}

// The transpose of that, part by part.
SmallVector<Value> QrOp::buildPullback(OpBuilder &b, Location loc,
                                       ValueRange cotangents) {
  TensorOperands tensor(b, loc);
  Orthogonal of(*this, tensor);
  Tensor ofQ = conjugate(tensor(cotangents[0]));
  Tensor ofR = conjugate(tensor(cotangents[1]));
  Tensor q1 = of.q1(), ofQ1 = takeColumns(ofQ, 0, of.size), rest = none;
  if (of.further && ofQ) {
    Tensor q2 = of.q2(), ofQ2 = takeColumns(ofQ, of.size, of.further);
    ofQ1 = ofQ1 - matmul(q2, matmul(adjoint(ofQ2), q1));
  }
  ofR = takeRows(ofR, 0, of.size);
  if (of.beside) {
    Tensor ofR2 = takeColumns(ofR, of.size, of.beside);
    ofQ1 = ofQ1 + matmul(takeColumns(of.x, of.size, of.beside), adjoint(ofR2));
    rest = matmul(q1, ofR2);
  }
  Tensor ofR1 = upper(takeColumns(ofR, 0, of.size));
  Tensor s = matmul(adjoint(q1), ofQ1), t = matmul(ofR1, adjoint(of.r1(of.r)));
  Tensor both = s - t, turn = halfLower(both - adjoint(both));
  Tensor divided = of.divideByR(matmul(q1, turn - s) + ofQ1, isAdjoint);
  Tensor ofX1 = matmul(q1, ofR1) + divided;
  if (!of.beside)
    return {conjugate(ofX1).value};
  if (!rest)
    rest = zeros(takeColumns(of.x, of.size, of.beside));
  return {conjugate(joinColumns(ofX1, rest)).value};
}
