// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language of derivative rules, for matrices: the last two dimensions, all
// others being stacks of them. A null tensor is a zero here too.

#ifndef WEFT_DIALECTS_MATRIXCALCULUS_H
#define WEFT_DIALECTS_MATRIXCALCULUS_H

#include "dialects/Calculus.h"

namespace weft::calculus {

int64_t rows(Tensor x);
int64_t columns(Tensor x);

Tensor matmul(Tensor x, Tensor y);
Tensor transposed(Tensor x);
/// Of real numbers these are the numbers themselves.
Tensor conjugate(Tensor x);
Tensor realPart(Tensor x);
/// The conjugate transpose.
Tensor adjoint(Tensor x);
/// Real numbers as complex ones where those of `x` are.
Tensor promote(Tensor real, Tensor x);

/// What is on and below the diagonal number `offset`, and what is on and above
/// it; zeros elsewhere.
Tensor lower(Tensor x, int64_t offset = 0);
Tensor upper(Tensor x, int64_t offset = 0);
/// The lower triangle with half of the diagonal.
Tensor halfLower(Tensor x);
/// The Hermitian matrix of which this is the lower triangle.
Tensor symmetricFromLower(Tensor x);

/// Each column, and each row, times an element of a vector.
Tensor scaleColumns(Tensor x, Tensor v);
Tensor scaleRows(Tensor v, Tensor x);
Tensor identityLike(Tensor x);
/// The matrix with a vector on its diagonal.
Tensor diagonalMatrix(Tensor v);
/// What is on the diagonal of a product x y of square matrices.
Tensor diagonalOfProduct(Tensor x, Tensor y);
/// 1 / (x[j] - x[i]) at (i, j), and 0 on the diagonal.
Tensor reciprocalDifferences(Tensor x);

/// Some of the rows or columns, `size` from `start` on, and `x` beside `y`.
Tensor takeRows(Tensor x, int64_t start, int64_t size);
Tensor takeColumns(Tensor x, int64_t start, int64_t size);
Tensor joinRows(Tensor x, Tensor y);
Tensor joinColumns(Tensor x, Tensor y);
/// x with its rows in another order: row i of the result is row
/// `permutation[i]` of x, or the other way about.
Tensor permuteRows(Tensor x, mlir::Value permutation);
Tensor unpermuteRows(Tensor x, mlir::Value permutation);

/// The solution of a y = b; see weft.triangular_solve.
enum Triangle : unsigned {
  onLeft = 0,
  onRight = 1,
  isUpper = 2,
  isTransposed = 4,
  isAdjoint = 8,
  hasUnitDiagonal = 16
};
Tensor triangularSolve(Tensor a, Tensor b, unsigned triangle);

} // namespace weft::calculus

#endif // WEFT_DIALECTS_MATRIXCALCULUS_H
