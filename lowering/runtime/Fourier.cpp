// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels of weft.fft, rfft and irfft: the inner loops of NumPy's
// transforms, which are pocketfft's.

#include "lowering/runtime/Fourier.h"
#include "lowering/runtime/Lapack.h"

using namespace weft::runtime;

namespace {

Transform transforms[numTransforms][2];

/// Transforms along the middle one of three dimensions, `from` elements of it
/// to `to`.
template <typename Real, typename In, typename Out>
void transform(TransformKind kind, const In *x, Out *y, int64_t outer,
               int64_t inner, int64_t from, int64_t to) {
  const Transform &found =
      transforms[static_cast<int>(kind)][sizeof(Real) == sizeof(float)];
  Real one = 1;
  // Of rows the loop takes all at once, else those of one outer index.
  int64_t loops = inner == 1 ? outer : inner, times = inner == 1 ? 1 : outer;
  intptr_t sizes[] = {loops, from, to};
  intptr_t in = sizeof(In), out = sizeof(Out);
  intptr_t steps[] = {inner == 1 ? from * in : in, 0,
                      inner == 1 ? to * out : out, inner * in, inner * out};
  for (int64_t i = 0; i < times; ++i) {
    char *arguments[] = {(char *)(x + i * from * inner), (char *)&one,
                         (char *)(y + i * to * inner)};
    found.loop(arguments, sizes, steps, found.data);
  }
}

template <typename T>
void fft(const char *, const T *x, T *y, int64_t outer, int64_t size,
         int64_t inner, int64_t inverse) {
  transform<RealOf<T>>(inverse ? TransformKind::ifft : TransformKind::fft, x, y,
                       outer, inner, size, size);
}

template <typename Real>
void rfft(const char *, const Real *x, std::complex<Real> *y, int64_t outer,
          int64_t size, int64_t inner) {
  transform<Real>(size % 2 ? TransformKind::rfftOdd : TransformKind::rfftEven,
                  x, y, outer, inner, size, size / 2 + 1);
}

template <typename T>
void irfft(const char *, const T *x, RealOf<T> *y, int64_t outer, int64_t size,
           int64_t inner) {
  transform<RealOf<T>>(TransformKind::irfft, x, y, outer, inner, size / 2 + 1,
                       size);
}

template <typename Real> void add(std::vector<Kernel> &kernels) {
  using Complex = std::complex<Real>;
  addKernel<Complex>(kernels, "fft", &fft<Complex>, {"cmn-", "Xcmn Xcmn"});
  addKernel<Real>(kernels, "rfft", &rfft<Real>, {"cmn", "Xcmn Cchn"});
  addKernel<Complex>(kernels, "irfft", &irfft<Complex>, {"cmn", "Xchn Rcmn"});
}

} // namespace

void weft::runtime::provideTransform(TransformKind kind, bool isSingle,
                                     Transform transform) {
  transforms[static_cast<int>(kind)][isSingle] = transform;
}

void weft::runtime::addFourierKernels(std::vector<Kernel> &kernels) {
  add<float>(kernels);
  add<double>(kernels);
}
