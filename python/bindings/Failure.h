// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From errors of the compiler to exceptions of Python, and how it is run while
// other threads of Python go on.

#ifndef WEFT_PYTHON_BINDINGS_FAILURE_H
#define WEFT_PYTHON_BINDINGS_FAILURE_H

#include "Diagnostics.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"
#include "mlir/CAPI/IR.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace weft {

/// A failure on its way to Python, made where the GIL may not be held.
struct Failure {
  std::string message;
  std::vector<Report> reports;
};

/// Defines weft._weft.Error.
void defineError(nanobind::module_ &module);

/// Raises weft._weft.Error(message, [(file, line, column, text, severity)]).
[[noreturn]] void raise(const Failure &failure);

/// The first error makes the message; what else was reported is kept beside it.
Failure failureOf(std::vector<Report> reports, std::string otherwise);

/// Runs `work` (void -> std::optional<Failure>) without the GIL.
template <typename Work> void runUnlocked(Work work) {
  std::optional<Failure> failed;
  {
    nanobind::gil_scoped_release unlocked;
    try {
      failed = work();
    } catch (const std::exception &e) {
      failed = Failure{e.what(), {}};
    }
  }
  if (failed)
    raise(*failed);
}

/// Runs `make` (ModuleOp -> Expected<T>) on a module without the GIL.
template <typename T, typename Make>
T makeUnlocked(MlirModule wrapped, Make make) {
  std::optional<T> result;
  runUnlocked([&]() -> std::optional<Failure> {
    mlir::ModuleOp module = unwrap(wrapped);
    DiagnosticCollector diagnostics(module.getContext());
    llvm::Expected<T> made = make(module);
    if (!made)
      return failureOf(diagnostics.reports(), llvm::toString(made.takeError()));
    result = std::move(*made);
    return std::nullopt;
  });
  return std::move(*result);
}

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_FAILURE_H
