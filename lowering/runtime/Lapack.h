// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How kernels call LAPACK, which counts in int, passes all by pointer, and has
// matrices in column-major order.

#ifndef WEFT_LOWERING_RUNTIME_LAPACK_H
#define WEFT_LOWERING_RUNTIME_LAPACK_H

#include "lowering/runtime/Kernels.h"
#include <algorithm>
#include <climits>
#include <complex>
#include <cstdlib>
#include <limits>

namespace weft::runtime {

enum class Routine {
  trsm,
  trsv,
  gemm,
  potrf,
  getrf,
  geqrf,
  orgqr,
  gesdd,
  syevd,
  geev,
  count
};

void *addressOf(Routine routine, int letter);

/// While there is one, the library computes in the thread that calls it, unless
/// matrices have very many rows or columns. Its own threads wait for each other
/// by spinning: where the CPUs have other work to do, even a small matrix takes
/// hundreds of times as long, and where they have not, few gain.
class OneThread {
public:
  explicit OneThread(int64_t rows, int64_t columns = 0);
  ~OneThread();
  OneThread(const OneThread &) = delete;

private:
  bool isAsked;
};

template <typename T> struct Letter;
template <> struct Letter<float> {
  using Real = float;
  static constexpr int index = 0;
  static constexpr const char *suffix = "f32";
};
template <> struct Letter<double> {
  using Real = double;
  static constexpr int index = 1;
  static constexpr const char *suffix = "f64";
};
template <> struct Letter<std::complex<float>> {
  using Real = float;
  static constexpr int index = 2;
  static constexpr const char *suffix = "c64";
};
template <> struct Letter<std::complex<double>> {
  using Real = double;
  static constexpr int index = 3;
  static constexpr const char *suffix = "c128";
};
template <typename T> using RealOf = typename Letter<T>::Real;
template <typename T> inline constexpr bool isComplex = (Letter<T>::index >= 2);

/// Calls a routine of the letter of T; `arguments` are pointers.
template <typename T, typename... Pointers>
void lapack(Routine routine, Pointers... arguments) {
  reinterpret_cast<void (*)(Pointers...)>(addressOf(routine, Letter<T>::index))(
      arguments...);
}

/// The size of a workspace, as a routine gives it when asked.
template <typename T> int workSize(T asked) {
  double size = std::real(asked);
  // Those of single precision are rounded.
  size += size * std::numeric_limits<RealOf<T>>::epsilon();
  return std::max(1, static_cast<int>(std::min(size, double(INT_MAX - 1))));
}

/// Memory of a kernel; null, and reported, where there is none.
template <typename T> class Scratch {
public:
  explicit Scratch(int64_t size)
      : data(static_cast<T *>(
            std::malloc(sizeof(T) * std::max<int64_t>(size, 1)))) {
    if (!data)
      CallReport::failForMemory();
  }
  ~Scratch() { std::free(data); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;

  explicit operator bool() const { return data; }
  operator T *() { return data; }

private:
  T *data;
};

/// Writes a matrix of rows x columns, row-major, in column-major order; with
/// `rows` and `columns` exchanged, the other way about.
template <typename T>
void transpose(const T *from, int64_t rows, int64_t columns, T *to) {
  constexpr int64_t block = 16;
  for (int64_t i0 = 0; i0 < rows; i0 += block)
    for (int64_t j0 = 0; j0 < columns; j0 += block)
      for (int64_t i = i0; i < std::min(i0 + block, rows); ++i)
        for (int64_t j = j0; j < std::min(j0 + block, columns); ++j)
          to[j * rows + i] = from[i * columns + j];
}

template <typename T> void fillNan(T *to, int64_t size) {
  std::fill_n(to, size, T(std::numeric_limits<RealOf<T>>::quiet_NaN()));
}

template <typename T> void fillIdentity(T *to, int64_t size) {
  std::fill_n(to, size * size, T(0));
  for (int64_t i = 0; i < size; ++i)
    to[i * (size + 1)] = T(1);
}

/// Adds the kernel of one element type.
template <typename T, typename Function>
void addKernel(std::vector<Kernel> &kernels, const char *name,
               Function *function, const Signature &signature) {
  kernels.push_back({std::string("weft_") + name + "_" + Letter<T>::suffix,
                     reinterpret_cast<void *>(function), signature, sizeof(T),
                     isComplex<T>});
}

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_LAPACK_H
