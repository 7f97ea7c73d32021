// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_PYTHON_BINDINGS_TEXT_H
#define WEFT_PYTHON_BINDINGS_TEXT_H

#include <nanobind/nanobind.h>

namespace weft {

/// Defines what leads from text to a module and back.
void defineText(nanobind::module_ &module);

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_TEXT_H
