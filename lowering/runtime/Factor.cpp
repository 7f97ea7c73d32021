// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of weft.cholesky, triangular_solve, lu, solve and qr.

#include "lowering/runtime/Lapack.h"

using namespace weft::runtime;

namespace {

/// The lower triangle in row-major order is the upper one in column-major order
/// of the transpose, of which U^H U are the factors: U^T is L.
template <typename T>
void cholesky(const char *where, const T *x, T *result, int64_t count,
              int64_t size) {
  int n = static_cast<int>(size), info = 0;
  for (int64_t k = 0; k < count; ++k) {
    const T *from = x + k * size * size;
    T *to = result + k * size * size;
    for (int64_t i = 0; i < size; ++i) {
      std::copy_n(from + i * size, i + 1, to + i * size);
      std::fill_n(to + i * size + i + 1, size - i - 1, T(0));
    }
    if (size)
      lapack<T>(Routine::potrf, "U", &n, to, &n, &info);
    if (info != 0) {
      fillNan(to, size * size);
      CallReport::fail(where, "cholesky", "is not positive definite", k, count);
    }
  }
}

/// Solves with a triangle in row-major order, in place. BLAS sees the
/// transposes of both sides: y a = b in the place of a^T y^T = b^T.
template <typename T>
void solveTriangle(const T *a, T *b, int64_t rows, int64_t columns, bool right,
                   bool upper, bool transpose, bool unit) {
  if (rows == 0 || columns == 0)
    return;
  int m = static_cast<int>(columns), n = static_cast<int>(rows);
  int lda = right ? m : n;
  T one(1);
  lapack<T>(Routine::trsm, right ? "L" : "R", upper ? "L" : "U",
            transpose ? "T" : "N", unit ? "U" : "N", &m, &n, &one, a, &lda, b,
            &m);
}

template <typename T>
void triangularSolve(const char *, const T *a, const T *b, T *result,
                     int64_t count, int64_t rows, int64_t columns,
                     int64_t right, int64_t upper, int64_t transpose,
                     int64_t unit) {
  int64_t size = right ? columns : rows;
  std::copy_n(b, count * rows * columns, result);
  for (int64_t k = 0; k < count; ++k)
    solveTriangle(a + k * size * size, result + k * rows * columns, rows,
                  columns, right, upper, transpose, unit);
}

template <typename T>
void lu(const char *where, const T *x, T *result, int64_t *pivots,
        int64_t *permutation, int64_t count, int64_t rows, int64_t columns,
        int64_t nonsingular) {
  int m = static_cast<int>(rows), n = static_cast<int>(columns), info = 0;
  int64_t steps = std::min(rows, columns);
  Scratch<T> matrix(rows * columns);
  Scratch<int> exchanged(steps);
  if (!matrix || !exchanged)
    return;
  for (int64_t k = 0; k < count; ++k) {
    int64_t *order = permutation + k * rows;
    for (int64_t i = 0; i < rows; ++i)
      order[i] = i;
    if (steps == 0)
      continue;
    transpose(x + k * rows * columns, rows, columns, (T *)matrix);
    lapack<T>(Routine::getrf, &m, &n, (T *)matrix, &m, (int *)exchanged, &info);
    for (int64_t i = 0; i < steps; ++i) {
      pivots[k * steps + i] = exchanged[i] - 1;
      std::swap(order[i], order[exchanged[i] - 1]);
    }
    T *to = result + k * rows * columns;
    transpose((const T *)(T *)matrix, columns, rows, to);
    if (info != 0 && nonsingular) {
      fillNan(to, rows * columns);
      CallReport::fail(where, "solve", "is singular", k, count);
    }
  }
}

/// With P a = L U: a y = b is L U y = P b, and a^T y = b is U^T L^T (P y) = b.
template <typename T>
void solve(const char *, const T *lu, const int64_t *permutation, const T *b,
           T *result, int64_t count, int64_t rows, int64_t columns,
           int64_t transpose) {
  Scratch<T> moved(transpose ? rows * columns : 0);
  if (!moved)
    return;
  for (int64_t k = 0; k < count; ++k) {
    const T *factors = lu + k * rows * rows;
    const int64_t *order = permutation + k * rows;
    const T *from = b + k * rows * columns;
    T *to = result + k * rows * columns;
    auto substitute = [&](T *y, bool upper) {
      solveTriangle(factors, y, rows, columns, /*right=*/false, upper,
                    transpose, /*unit=*/!upper);
    };
    if (!transpose) {
      for (int64_t i = 0; i < rows; ++i)
        std::copy_n(from + order[i] * columns, columns, to + i * columns);
      substitute(to, /*upper=*/false);
      substitute(to, /*upper=*/true);
      continue;
    }
    std::copy_n(from, rows * columns, (T *)moved);
    substitute(moved, /*upper=*/true);
    substitute(moved, /*upper=*/false);
    for (int64_t i = 0; i < rows; ++i)
      std::copy_n(moved + i * columns, columns, to + order[i] * columns);
  }
}

/// Of one matrix; `matrix` has room for as many columns as q or x has.
template <typename T>
void factorOrthogonal(const T *x, T *q, T *r, int64_t rows, int64_t columns,
                      int64_t size, T *matrix, T *scales, T *work, int lwork) {
  int m = static_cast<int>(rows), n = static_cast<int>(columns), info = 0;
  int wanted = static_cast<int>(size), steps = std::min(m, n);
  transpose(x, rows, columns, matrix);
  lapack<T>(Routine::geqrf, &m, &n, matrix, &m, scales, work, &lwork, &info);
  for (int64_t i = 0; i < size; ++i)
    for (int64_t j = 0; j < columns; ++j)
      r[i * columns + j] = i <= j ? matrix[j * rows + i] : T(0);
  lapack<T>(Routine::orgqr, &m, &wanted, &steps, matrix, &m, scales, work,
            &lwork, &info);
  transpose((const T *)matrix, size, rows, q);
}

template <typename T> int workSizeOfQr(int m, int n, int wanted) {
  int steps = std::min(m, n), lwork = -1, info = 0;
  T none(0), one(0), other(0);
  lapack<T>(Routine::geqrf, &m, &n, &none, &m, &none, &one, &lwork, &info);
  lapack<T>(Routine::orgqr, &m, &wanted, &steps, &none, &m, &none, &other,
            &lwork, &info);
  return std::max(workSize(one), workSize(other));
}

template <typename T>
void qr(const char *, const T *x, T *q, T *r, int64_t count, int64_t rows,
        int64_t columns, int64_t full) {
  int64_t steps = std::min(rows, columns), size = full ? rows : steps;
  if (steps == 0) {
    for (int64_t k = 0; k < count && size; ++k)
      fillIdentity(q + k * size * size, size);
    return;
  }
  int lwork = workSizeOfQr<T>(rows, columns, size);
  Scratch<T> matrix(rows * std::max(size, columns)), scales(steps), work(lwork);
  if (!matrix || !scales || !work)
    return;
  for (int64_t k = 0; k < count; ++k)
    factorOrthogonal(x + k * rows * columns, q + k * rows * size,
                     r + k * size * columns, rows, columns, size, (T *)matrix,
                     (T *)scales, (T *)work, lwork);
}

template <typename T> void add(std::vector<Kernel> &kernels) {
  addKernel<T>(kernels, "cholesky", &cholesky<T>);
  addKernel<T>(kernels, "triangular_solve", &triangularSolve<T>);
  addKernel<T>(kernels, "lu", &lu<T>);
  addKernel<T>(kernels, "solve", &solve<T>);
  addKernel<T>(kernels, "qr", &qr<T>);
}

} // namespace

void weft::runtime::addFactorKernels(std::vector<Kernel> &kernels) {
  add<float>(kernels);
  add<double>(kernels);
  add<std::complex<float>>(kernels);
  add<std::complex<double>>(kernels);
}
