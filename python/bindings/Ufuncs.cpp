// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes the loops of NumPy's Fourier transforms, which are universal functions.

#include "Ufuncs.h"
#include "lowering/runtime/Fourier.h"
#include <string>
#include <utility>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include <numpy/ndarraytypes.h>
#include <numpy/ufuncobject.h>

namespace nb = nanobind;
using namespace weft::runtime;

namespace {

constexpr std::pair<const char *, TransformKind> kinds[] = {
    {"fft", TransformKind::fft},
    {"ifft", TransformKind::ifft},
    {"rfft_n_even", TransformKind::rfftEven},
    {"rfft_n_odd", TransformKind::rfftOdd},
    {"irfft", TransformKind::irfft},
};

} // namespace

void weft::provideTransforms(nb::handle module) {
  for (auto [name, kind] : kinds) {
    nb::object object = module.attr(name);
    if (std::string(Py_TYPE(object.ptr())->tp_name) != "numpy.ufunc")
      throw nb::type_error("NumPy's transforms are no universal functions");
    auto *ufunc = reinterpret_cast<PyUFuncObject *>(object.ptr());
    // Each loop has the types of its arguments, the second that of a real
    // number.
    for (int i = 0; i < ufunc->ntypes; ++i) {
      char factor = ufunc->types[i * ufunc->nargs + 1];
      if (factor != NPY_DOUBLE && factor != NPY_FLOAT)
        continue;
      // Some kinds need no data, and have no array of them.
      void *data =
          ufunc->data
              ? const_cast<void *>(static_cast<const void *>(ufunc->data[i]))
              : nullptr;
      auto *loop =
          reinterpret_cast<decltype(Transform::loop)>(ufunc->functions[i]);
      provideTransform(kind, factor == NPY_FLOAT, {loop, data});
    }
  }
}
