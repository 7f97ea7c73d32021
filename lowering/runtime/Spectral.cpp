// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of weft.eigh, eigvalsh, eig, eigvals, svd, svdvals and pinv.

#include "lowering/runtime/Lapack.h"
#include <cmath>

using namespace weft::runtime;

namespace {

//===----------------------------------------------------------------------===//
// Symmetric matrices
//===----------------------------------------------------------------------===//

/// LAPACK's syevd or heevd of matrices of one size, with its workspaces.
template <typename T> class EigenSolver {
public:
  EigenSolver(int64_t size, bool vectors)
      : n(static_cast<int>(size)), job(vectors ? "V" : "N"),
        matrix(size * size), work(ask()), rwork(lrwork), iwork(liwork) {}

  explicit operator bool() const { return matrix && work && rwork && iwork; }

  /// Returns whether it converged; then `matrix` has the vectors as columns.
  bool run(const T *x, RealOf<T> *w) {
    transpose(x, n, n, (T *)matrix);
    return call(matrix, w, work, rwork, iwork) == 0;
  }

  int n;
  const char *job;
  Scratch<T> matrix;

private:
  int call(T *a, RealOf<T> *w, T *work, RealOf<T> *rwork, int *iwork) {
    int info = 0;
    if constexpr (isComplex<T>)
      lapack<T>(Routine::syevd, job, "L", &n, a, &n, w, work, &lwork, rwork,
                &lrwork, iwork, &liwork, &info);
    else
      lapack<T>(Routine::syevd, job, "L", &n, a, &n, w, work, &lwork, iwork,
                &liwork, &info);
    return info;
  }

  /// Sets the sizes of the workspaces, and returns that of the first.
  int ask() {
    T size(0);
    RealOf<T> none(0), rsize(0);
    int isize = 0;
    if (n > 0)
      call(&size, &none, &size, &rsize, &isize);
    lrwork = isComplex<T> ? workSize(rsize) : 1;
    liwork = std::max(isize, 1);
    return lwork = workSize(size);
  }

  int lwork = -1, lrwork = -1, liwork = -1;
  Scratch<T> work;
  Scratch<RealOf<T>> rwork;
  Scratch<int> iwork;
};

template <typename T>
void eigh(const char *where, const T *x, RealOf<T> *w, T *v, int64_t count,
          int64_t size) {
  OneThread alone(size);
  EigenSolver<T> solver(size, /*vectors=*/true);
  if (!solver || size == 0)
    return;
  for (int64_t k = 0; k < count; ++k) {
    T *to = v + k * size * size;
    if (solver.run(x + k * size * size, w + k * size)) {
      transpose((const T *)(T *)solver.matrix, size, size, to);
      continue;
    }
    fillNan(w + k * size, size);
    fillNan(to, size * size);
    CallReport::fail(where, "eigh", "has eigenvalues that did not converge", k,
                     count);
  }
}

template <typename T>
void eigvalsh(const char *where, const T *x, RealOf<T> *w, int64_t count,
              int64_t size) {
  OneThread alone(size);
  EigenSolver<T> solver(size, /*vectors=*/false);
  if (!solver || size == 0)
    return;
  for (int64_t k = 0; k < count; ++k)
    if (!solver.run(x + k * size * size, w + k * size)) {
      fillNan(w + k * size, size);
      CallReport::fail(where, "eigvalsh",
                       "has eigenvalues that did not converge", k, count);
    }
}

//===----------------------------------------------------------------------===//
// Square matrices
//===----------------------------------------------------------------------===//

template <typename T> using ComplexOf = std::complex<RealOf<T>>;

/// LAPACK's geev of matrices of one size, with its workspaces.
template <typename T> class GeneralSolver {
public:
  GeneralSolver(int64_t size, bool vectors)
      : n(static_cast<int>(size)), job(vectors ? "V" : "N"),
        matrix(size * size), right(vectors ? size * size : 1), parts(2 * size),
        work(ask()) {}

  explicit operator bool() const { return matrix && right && parts && work; }

  /// Returns whether it converged; `v` (or null) gets the vectors as columns.
  bool run(const T *x, ComplexOf<T> *w, ComplexOf<T> *v) {
    transpose(x, n, n, (T *)matrix);
    if (call(w, work) != 0)
      return false;
    if constexpr (!isComplex<T>)
      for (int64_t i = 0; i < n; ++i)
        w[i] = {parts[i], parts[n + i]};
    if (v)
      for (int64_t j = 0; j < n; ++j)
        for (int64_t i = 0; i < n; ++i)
          v[i * n + j] = vector(i, j);
    return true;
  }

private:
  /// Element i of vector j. Of real matrices two columns are the parts of two
  /// conjugate vectors.
  ComplexOf<T> vector(int64_t i, int64_t j) {
    if constexpr (isComplex<T>) {
      return right[j * n + i];
    } else {
      RealOf<T> imaginary = parts[n + j];
      if (imaginary == 0)
        return right[j * n + i];
      int64_t first = imaginary > 0 ? j : j - 1;
      RealOf<T> part = right[(first + 1) * n + i];
      return {right[first * n + i], imaginary > 0 ? part : -part};
    }
  }

  int call([[maybe_unused]] ComplexOf<T> *w, T *space) {
    int info = 0;
    T none(0);
    int one = 1;
    if constexpr (isComplex<T>)
      lapack<T>(Routine::geev, "N", job, &n, (T *)matrix, &n, w, &none, &one,
                (T *)right, &n, space, &lwork, (RealOf<T> *)parts, &info);
    else
      lapack<T>(Routine::geev, "N", job, &n, (T *)matrix, &n, (T *)parts,
                parts + n, &none, &one, (T *)right, &n, space, &lwork, &info);
    return info;
  }

  int ask() {
    T size(0);
    ComplexOf<T> none(0);
    if (n > 0)
      call(&none, &size);
    return lwork = workSize(size);
  }

  int n;
  const char *job;
  Scratch<T> matrix, right;
  Scratch<RealOf<T>> parts;
  int lwork = -1;
  Scratch<T> work;
};

template <typename T> bool isFinite(const T *x, int64_t size) {
  return std::all_of(x, x + size, [](T element) {
    return std::isfinite(std::real(element)) &&
           std::isfinite(std::imag(element));
  });
}

template <typename T>
void eigen(const char *where, const char *kernel, const T *x, ComplexOf<T> *w,
           ComplexOf<T> *v, int64_t count, int64_t size) {
  OneThread alone(size);
  GeneralSolver<T> solver(size, v);
  if (!solver || size == 0)
    return;
  for (int64_t k = 0; k < count; ++k) {
    const T *from = x + k * size * size;
    ComplexOf<T> *vectors = v ? v + k * size * size : nullptr;
    bool finite = isFinite(from, size * size);
    if (finite && solver.run(from, w + k * size, vectors))
      continue;
    fillNan(w + k * size, size);
    if (v)
      fillNan(vectors, size * size);
    CallReport::fail(where, kernel,
                     finite ? "has eigenvalues that did not converge"
                            : "has infinities or NaN",
                     k, count);
  }
}

template <typename T>
void eig(const char *where, const T *x, ComplexOf<T> *w, ComplexOf<T> *v,
         int64_t count, int64_t size) {
  eigen(where, "eig", x, w, v, count, size);
}
template <typename T>
void eigvals(const char *where, const T *x, ComplexOf<T> *w, int64_t count,
             int64_t size) {
  eigen<T>(where, "eigvals", x, w, nullptr, count, size);
}

//===----------------------------------------------------------------------===//
// Singular values
//===----------------------------------------------------------------------===//

enum class Vectors { none, reduced, full };

/// LAPACK's gesdd of matrices of one size, with its workspaces.
template <typename T> class SingularSolver {
public:
  SingularSolver(int64_t rows, int64_t columns, Vectors vectors)
      : m(static_cast<int>(rows)), n(static_cast<int>(columns)),
        k(std::min(m, n)), ucols(vectors == Vectors::full ? m : k),
        vrows(vectors == Vectors::full ? n : k), vectors(vectors),
        matrix(rows * columns), u(vectors == Vectors::none ? 0 : rows * ucols),
        vt(vectors == Vectors::none ? 0 : columns * vrows),
        rwork(isComplex<T> ? realSize() : 0), iwork(8 * int64_t(k)),
        work(ask()) {}

  explicit operator bool() const {
    return matrix && u && vt && rwork && iwork && work;
  }

  /// Returns whether it converged; then u and vt are in column-major order.
  bool run(const T *x, RealOf<T> *s) {
    transpose(x, m, n, (T *)matrix);
    return call(matrix, s, u, vt, work) == 0;
  }

  int m, n, k, ucols, vrows;
  Vectors vectors;
  Scratch<T> matrix, u, vt;

private:
  /// What gesdd's documentation asks for, of the larger of two bounds.
  int64_t realSize() const {
    int64_t small = k, large = std::max(m, n);
    return std::max(5 * small * small + 7 * small,
                    2 * large * small + 2 * small * small + small) +
           7 * small;
  }

  int call(T *a, RealOf<T> *s, T *left, T *right, T *space) {
    const char *job = vectors == Vectors::none   ? "N"
                      : vectors == Vectors::full ? "A"
                                                 : "S";
    int info = 0, ldvt = std::max(vrows, 1);
    if constexpr (isComplex<T>)
      lapack<T>(Routine::gesdd, job, &m, &n, a, &m, s, left, &m, right, &ldvt,
                space, &lwork, (RealOf<T> *)rwork, (int *)iwork, &info);
    else
      lapack<T>(Routine::gesdd, job, &m, &n, a, &m, s, left, &m, right, &ldvt,
                space, &lwork, (int *)iwork, &info);
    return info;
  }

  int ask() {
    T size(0), other(0);
    RealOf<T> none(0);
    if (k > 0)
      call(&other, &none, &other, &other, &size);
    return lwork = workSize(size);
  }

  Scratch<RealOf<T>> rwork;
  Scratch<int> iwork;
  int lwork = -1;
  Scratch<T> work;
};

constexpr const char *notConverged =
    "has singular values that did not converge";

template <typename T>
void svd(const char *where, const T *x, T *u, RealOf<T> *s, T *vh,
         int64_t count, int64_t rows, int64_t columns, int64_t full) {
  OneThread alone(rows, columns);
  SingularSolver<T> solver(rows, columns,
                           full ? Vectors::full : Vectors::reduced);
  if (!solver)
    return;
  int64_t uSize = rows * solver.ucols, vSize = columns * solver.vrows;
  for (int64_t i = 0; i < count; ++i) {
    T *left = u + i * uSize, *right = vh + i * vSize;
    RealOf<T> *values = s + i * solver.k;
    if (solver.k == 0) {
      fillIdentity(left, solver.ucols);
      fillIdentity(right, solver.vrows);
    } else if (solver.run(x + i * rows * columns, values)) {
      transpose((const T *)(T *)solver.u, solver.ucols, rows, left);
      transpose((const T *)(T *)solver.vt, columns, solver.vrows, right);
    } else {
      fillNan(left, uSize);
      fillNan(values, solver.k);
      fillNan(right, vSize);
      CallReport::fail(where, "svd", notConverged, i, count);
    }
  }
}

template <typename T>
void svdvals(const char *where, const T *x, RealOf<T> *s, int64_t count,
             int64_t rows, int64_t columns) {
  OneThread alone(rows, columns);
  SingularSolver<T> solver(rows, columns, Vectors::none);
  if (!solver || solver.k == 0)
    return;
  for (int64_t i = 0; i < count; ++i)
    if (!solver.run(x + i * rows * columns, s + i * solver.k)) {
      fillNan(s + i * solver.k, solver.k);
      CallReport::fail(where, "svdvals", notConverged, i, count);
    }
}

/// The transpose of the pseudoinverse is conj(u) s^-1 conj(vh), and as such it
/// is in column-major order.
template <typename T>
void pinv(const char *where, const T *x, const RealOf<T> *cutoff, T *result,
          int64_t count, int64_t rows, int64_t columns) {
  OneThread alone(rows, columns);
  SingularSolver<T> solver(rows, columns, Vectors::reduced);
  int k = solver.k;
  Scratch<RealOf<T>> s(k);
  if (!solver || !s || k == 0)
    return;
  T one(1), zero(0);
  for (int64_t i = 0; i < count; ++i) {
    T *to = result + i * rows * columns;
    if (!solver.run(x + i * rows * columns, s)) {
      fillNan(to, rows * columns);
      CallReport::fail(where, "pinv", notConverged, i, count);
      continue;
    }
    for (int64_t j = 0; j < k; ++j) {
      RealOf<T> inverse = s[j] > cutoff[i] * s[0] ? 1 / s[j] : 0;
      for (int64_t row = 0; row < rows; ++row)
        solver.u[j * rows + row] *= inverse;
    }
    lapack<T>(Routine::gemm, "N", "N", &solver.m, &solver.n, &k, &one,
              (T *)solver.u, &solver.m, (T *)solver.vt, &k, &zero, to,
              &solver.m);
    if constexpr (isComplex<T>)
      std::transform(to, to + rows * columns, to,
                     [](T element) { return std::conj(element); });
  }
}

template <typename T> void add(std::vector<Kernel> &kernels) {
  addKernel<T>(kernels, "eigh", &eigh<T>, {"cm", "Xcmm Rcm Xcmm"});
  addKernel<T>(kernels, "eigvalsh", &eigvalsh<T>, {"cm", "Xcmm Rcm"});
  addKernel<T>(kernels, "eig", &eig<T>, {"cm", "Xcmm Ccm Ccmm"});
  addKernel<T>(kernels, "eigvals", &eigvals<T>, {"cm", "Xcmm Ccm"});
  addKernel<T>(kernels, "svd", &svd<T>, {"cmnf", "Xcmn Xcmu Rck Xcvn"});
  addKernel<T>(kernels, "svdvals", &svdvals<T>, {"cmn", "Xcmn Rck"});
  addKernel<T>(kernels, "pinv", &pinv<T>, {"cmn", "Xcmn Rc Xcnm"});
}

} // namespace

void weft::runtime::addSpectralKernels(std::vector<Kernel> &kernels) {
  add<float>(kernels);
  add<double>(kernels);
  add<std::complex<float>>(kernels);
  add<std::complex<double>>(kernels);
}
