// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way of a call from Python to machine code: which compiled function the
// arguments want, where their elements are, and memory for the results.

#ifndef WEFT_BINDINGS_CALL_H
#define WEFT_BINDINGS_CALL_H

#include <nanobind/nanobind.h>

namespace weft {

/// Defines `Function`, `Dispatcher` and what goes with them.
void defineCalls(nanobind::module_ &module);

} // namespace weft

#endif // WEFT_BINDINGS_CALL_H
