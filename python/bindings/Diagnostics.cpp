// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's diagnostics as plain records.

#include "Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

using namespace mlir;

static const char *severityName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  return "error";
}

weft::DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        collect(diagnostic);
        return success();
      }) {}

void weft::DiagnosticCollector::collect(Diagnostic &diagnostic) {
  Report report;
  report.text = diagnostic.str();
  report.severity = severityName(diagnostic.getSeverity());
  Location loc = diagnostic.getLocation();
  if (auto place = loc->findInstanceOf<FileLineColLoc>()) {
    report.file = place.getFilename().str();
    report.line = place.getLine();
    report.column = place.getColumn();
  }
  collected.push_back(std::move(report));
  for (Diagnostic &note : diagnostic.getNotes())
    collect(note);
}
