// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_PYTHON_BINDINGS_EMULATE_H
#define WEFT_PYTHON_BINDINGS_EMULATE_H

#include <nanobind/nanobind.h>

namespace weft {

/// Defines the emulator of a GPU.
void defineEmulator(nanobind::module_ &module);

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_EMULATE_H
