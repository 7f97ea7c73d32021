// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_PYTHON_BINDINGS_BUILD_H
#define WEFT_PYTHON_BINDINGS_BUILD_H

#include <nanobind/nanobind.h>

namespace weft {

/// Defines what says of which build this is, and for which machine it compiles.
void defineBuild(nanobind::module_ &module);

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_BUILD_H
