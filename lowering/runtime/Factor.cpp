// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of weft.cholesky, triangular_solve, lu, solve and qr.

#include "lowering/runtime/Lapack.h"
#include <algorithm>
#include <tuple>
#include <utility>

using namespace weft::runtime;

namespace {

/// The lower triangle in row-major order is the upper one in column-major order
/// of the transpose, of which U^H U are the factors: U^T is L.
template <typename T>
void cholesky(const char *where, const T *x, T *result, int64_t count,
              int64_t size) {
  OneThread alone(size);
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

//===----------------------------------------------------------------------===//
// Small matrices
//===----------------------------------------------------------------------===//

/// Up to so many rows and columns, calling a routine costs more than what it
/// computes, and may wait for threads that have nothing to do.
constexpr int64_t smallSize = 16;
/// As many elements right sides have from which on OpenBLAS shares the solving
/// of equations among threads; its trsm does of any number.
constexpr int64_t largeSide = 40000;

/// y -= a x, without the care that C++ takes of products that are NaN.
template <typename T> void subtractProduct(T &y, T a, T x) {
  if constexpr (isComplex<T>)
    y -= T(a.real() * x.real() - a.imag() * x.imag(),
           a.real() * x.imag() + a.imag() * x.real());
  else
    y -= a * x;
}

/// A triangle in row-major order, of rows that are `stride` apart, or its
/// transpose.
template <typename T> struct Triangle {
  const T *data;
  int64_t size, stride;
  bool upper, transpose, unit;

  const T *place(int64_t i, int64_t j) const {
    return data + (transpose ? j * stride + i : i * stride + j);
  }
  T at(int64_t i, int64_t j) const { return *place(i, j); }
  bool isUpper() const { return upper != transpose; }
  /// The row that is solved in some step: each one needs those before it.
  int64_t row(int64_t step) const { return isUpper() ? size - 1 - step : step; }
  Triangle part(int64_t first, int64_t count) const {
    return {place(first, first), count, stride, upper, transpose, unit};
  }
};

/// a y = b in place, `b` of some columns.
template <typename T>
void substituteRows(const Triangle<T> &a, T *b, int64_t columns) {
  for (int64_t step = 0; step < a.size; ++step) {
    int64_t i = a.row(step);
    T *y = b + i * columns;
    for (int64_t before = 0; before < step; ++before) {
      int64_t k = a.row(before);
      T factor = a.at(i, k);
      for (int64_t j = 0; j < columns; ++j)
        subtractProduct(y[j], factor, b[k * columns + j]);
    }
    if (!a.unit)
      for (int64_t j = 0; j < columns; ++j)
        y[j] /= a.at(i, i);
  }
}

/// The same by halves: what the rows solved first add to the others is a
/// product of matrices, which BLAS computes.
template <typename T>
void substitute(const Triangle<T> &a, T *b, int64_t columns) {
  if (a.size <= smallSize)
    return substituteRows(a, b, columns);
  int64_t half = a.size / 2, rest = a.size - half;
  auto [first, firstSize, second, secondSize] =
      a.isUpper() ? std::tuple(half, rest, int64_t(0), half)
                  : std::tuple(int64_t(0), half, half, rest);
  substitute(a.part(first, firstSize), b + first * columns, columns);
  int m = static_cast<int>(columns), n = static_cast<int>(secondSize),
      k = static_cast<int>(firstSize), lda = static_cast<int>(a.stride);
  T minusOne(-1), one(1);
  lapack<T>(Routine::gemm, "N", a.transpose ? "T" : "N", &m, &n, &k, &minusOne,
            (const T *)(b + first * columns), &m, a.place(second, first), &lda,
            &one, b + second * columns, &m);
  substitute(a.part(second, secondSize), b + second * columns, columns);
}

/// How far a number is from 0, as LAPACK compares pivots.
template <typename T> RealOf<T> magnitude(T x) {
  return std::abs(std::real(x)) + std::abs(std::imag(x));
}

/// P a = L U in place, as getrf: counts exchanges from 0, and returns whether
/// there is a pivot for each step.
template <typename T>
bool factorSmall(T *a, int64_t rows, int64_t columns, int64_t *exchanged) {
  bool isRegular = true;
  for (int64_t j = 0; j < std::min(rows, columns); ++j) {
    int64_t pivot = j;
    for (int64_t i = j + 1; i < rows; ++i)
      if (magnitude(a[i * columns + j]) > magnitude(a[pivot * columns + j]))
        pivot = i;
    exchanged[j] = pivot;
    T *top = a + j * columns, *other = a + pivot * columns;
    if (pivot != j)
      std::swap_ranges(top, top + columns, other);
    if (top[j] == T(0)) {
      isRegular = false;
      continue;
    }
    for (int64_t i = j + 1; i < rows; ++i) {
      T *row = a + i * columns;
      row[j] /= top[j];
      T factor = row[j];
      for (int64_t k = j + 1; k < columns; ++k)
        subtractProduct(row[k], factor, top[k]);
    }
  }
  return isRegular;
}

//===----------------------------------------------------------------------===//
// Triangles
//===----------------------------------------------------------------------===//

/// a y = b in place. BLAS sees the transposes of both: y^T a^T = b^T.
template <typename T>
void solveTriangle(const Triangle<T> &a, T *b, int64_t columns) {
  if (a.size == 0 || columns == 0)
    return;
  bool isVector = columns == 1;
  if (a.size <= smallSize || (!isVector && a.size * columns < largeSide))
    return substitute(a, b, columns);
  int m = static_cast<int>(columns), n = static_cast<int>(a.size), step = 1;
  const char *triangle = a.upper ? "L" : "U", *diagonal = a.unit ? "U" : "N";
  if (isVector) {
    lapack<T>(Routine::trsv, triangle, a.transpose ? "N" : "T", diagonal, &n,
              a.data, &n, b, &step);
    return;
  }
  T one(1);
  lapack<T>(Routine::trsm, "R", triangle, a.transpose ? "T" : "N", diagonal, &m,
            &n, &one, a.data, &n, b, &m);
}

/// With `right`, y a = b is a^T y^T = b^T.
template <typename T>
void triangularSolve(const char *, const T *a, const T *b, T *result,
                     int64_t count, int64_t rows, int64_t columns,
                     int64_t right, int64_t upper, int64_t transposed,
                     int64_t unit) {
  OneThread alone(rows, columns);
  int64_t size = right ? columns : rows;
  Scratch<T> turned(right ? rows * columns : 0);
  if (!turned)
    return;
  for (int64_t k = 0; k < count; ++k) {
    Triangle<T> triangle{a + k * size * size,
                         size,
                         size,
                         upper != 0,
                         (transposed != 0) != (right != 0),
                         unit != 0};
    const T *from = b + k * rows * columns;
    T *to = result + k * rows * columns;
    if (right) {
      transpose(from, rows, columns, (T *)turned);
      solveTriangle(triangle, (T *)turned, rows);
      transpose((const T *)(T *)turned, columns, rows, to);
    } else {
      std::copy_n(from, rows * columns, to);
      solveTriangle(triangle, to, columns);
    }
  }
}

template <typename T>
void lu(const char *where, const T *x, T *result, int64_t *pivots,
        int64_t *permutation, int64_t count, int64_t rows, int64_t columns,
        int64_t nonsingular) {
  OneThread alone(rows, columns);
  int m = static_cast<int>(rows), n = static_cast<int>(columns), info = 0;
  int64_t steps = std::min(rows, columns);
  bool isSmall = std::max(rows, columns) <= smallSize;
  Scratch<T> matrix(isSmall ? 0 : rows * columns);
  Scratch<int> exchanged(isSmall ? 0 : steps);
  if (!matrix || !exchanged)
    return;
  for (int64_t k = 0; k < count; ++k) {
    const T *from = x + k * rows * columns;
    T *to = result + k * rows * columns;
    int64_t *pivot = pivots + k * steps, *order = permutation + k * rows;
    bool isRegular = true;
    if (isSmall) {
      std::copy_n(from, rows * columns, to);
      isRegular = factorSmall(to, rows, columns, pivot);
    } else if (steps) {
      transpose(from, rows, columns, (T *)matrix);
      lapack<T>(Routine::getrf, &m, &n, (T *)matrix, &m, (int *)exchanged,
                &info);
      transpose((const T *)(T *)matrix, columns, rows, to);
      for (int64_t i = 0; i < steps; ++i)
        pivot[i] = exchanged[i] - 1;
      isRegular = info == 0;
    }
    for (int64_t i = 0; i < rows; ++i)
      order[i] = i;
    for (int64_t i = 0; i < steps; ++i)
      std::swap(order[i], order[pivot[i]]);
    if (!isRegular && nonsingular) {
      fillNan(to, rows * columns);
      CallReport::fail(where, "solve", "is singular", k, count);
    }
  }
}

/// Whether each row stands once in an order; `seen` has room for one flag a
/// row.
bool isOrder(const int64_t *order, int64_t rows, bool *seen) {
  std::fill_n(seen, rows, false);
  return std::all_of(order, order + rows, [&](int64_t row) {
    return row >= 0 && row < rows && !std::exchange(seen[row], true);
  });
}

/// With P a = L U: a y = b is L U y = P b, and a^T y = b is U^T L^T (P y) = b.
template <typename T>
void solve(const char *where, const T *lu, const int64_t *permutation,
           const T *b, T *result, int64_t count, int64_t rows, int64_t columns,
           int64_t transpose) {
  OneThread alone(rows, columns);
  Scratch<T> moved(transpose ? rows * columns : 0);
  Scratch<bool> seen(rows);
  if (!moved || !seen)
    return;
  for (int64_t k = 0; k < count; ++k) {
    const T *factors = lu + k * rows * rows;
    const int64_t *order = permutation + k * rows;
    const T *from = b + k * rows * columns;
    T *to = result + k * rows * columns;
    if (!isOrder(order, rows, seen)) {
      fillNan(to, rows * columns);
      CallReport::fail(where, "solve", "has rows in no order", k, count);
      continue;
    }
    auto substitute = [&](T *y, bool upper) {
      solveTriangle({factors, rows, rows, upper, transpose != 0, !upper}, y,
                    columns);
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
  OneThread alone(rows, columns);
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
  addKernel<T>(kernels, "cholesky", &cholesky<T>, {"cm", "Xcmm Xcmm"});
  addKernel<T>(kernels, "triangular_solve", &triangularSolve<T>,
               {"cmnr---", "Xctt Xcmn Xcmn"});
  addKernel<T>(kernels, "lu", &lu<T>, {"cmn-", "Xcmn Xcmn Ick Icm"});
  addKernel<T>(kernels, "solve", &solve<T>, {"cmn-", "Xcmm Icm Xcmn Xcmn"});
  addKernel<T>(kernels, "qr", &qr<T>, {"cmnf", "Xcmn Xcmu Xcun"});
}

} // namespace

void weft::runtime::addFactorKernels(std::vector<Kernel> &kernels) {
  add<float>(kernels);
  add<double>(kernels);
  add<std::complex<float>>(kernels);
  add<std::complex<double>>(kernels);
}
