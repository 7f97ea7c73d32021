// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_PYTHON_BINDINGS_COMPILE_H
#define WEFT_PYTHON_BINDINGS_COMPILE_H

#include <nanobind/nanobind.h>

namespace weft {

/// Defines what leads from a module to code, and what that takes.
void defineCompile(nanobind::module_ &module);

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_COMPILE_H
