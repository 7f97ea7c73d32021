// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects MLIR's diagnostics while a pipeline runs, to be raised as one
// `weft._weft.Error`.

#ifndef WEFT_PYTHON_BINDINGS_DIAGNOSTICS_H
#define WEFT_PYTHON_BINDINGS_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include <string>
#include <vector>

namespace weft {

/// One diagnostic, at the innermost place of a file that its location names.
struct Report {
  std::string file;
  unsigned line = 0, column = 0;
  std::string text, severity;
};

/// Keeps what is reported on `context` while it lives; nothing is printed.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  const std::vector<Report> &reports() const { return collected; }

private:
  void collect(mlir::Diagnostic &diagnostic);

  std::vector<Report> collected;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace weft

#endif // WEFT_PYTHON_BINDINGS_DIAGNOSTICS_H
