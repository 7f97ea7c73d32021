// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's Fourier transforms, for compiled code.

#ifndef WEFT_PYTHON_BINDINGS_UFUNCS_H
#define WEFT_PYTHON_BINDINGS_UFUNCS_H

#include <nanobind/nanobind.h>

namespace weft {

/// Says where the transforms of `numpy.fft._pocketfft_umath` are.
void provideTransforms(nanobind::handle module);

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_UFUNCS_H
