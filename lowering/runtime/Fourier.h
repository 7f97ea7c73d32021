// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the discrete Fourier transforms are that kernels call: loops as NumPy's
// universal functions have them.

#ifndef WEFT_LOWERING_RUNTIME_FOURIER_H
#define WEFT_LOWERING_RUNTIME_FOURIER_H

#include <cstdint>

namespace weft::runtime {

/// A loop over transforms of an array by a factor into another array: for each
/// argument a pointer, the sizes of the loop, of what goes in and of what comes
/// out, and all strides in bytes.
struct Transform {
  void (*loop)(char **arguments, const intptr_t *sizes, const intptr_t *strides,
               void *data) = nullptr;
  void *data = nullptr;
};

enum class TransformKind { fft, ifft, rfftEven, rfftOdd, irfft };
inline constexpr int numTransforms = 5;

void provideTransform(TransformKind kind, bool isSingle, Transform transform);

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_FOURIER_H
