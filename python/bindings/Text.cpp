// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From text to a module and back, while other threads of Python go on.

#include "Text.h"
#include "Failure.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Parser/Parser.h"
#include <nanobind/stl/string.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir;
using weft::Failure;

namespace {

MlirModule parse(MlirContext wrapped, const std::string &text) {
  MLIRContext *context = unwrap(wrapped);
  OwningOpRef<ModuleOp> module;
  weft::runUnlocked([&]() -> std::optional<Failure> {
    weft::DiagnosticCollector diagnostics(context);
    module = parseSourceString<ModuleOp>(text, context, "<string>");
    if (module)
      return std::nullopt;
    return weft::failureOf(diagnostics.reports(), "the text is no module");
  });
  return wrap(module.release());
}

void addScheduleTo(MlirModule wrapped, const std::string &text,
                   const std::string &source) {
  ModuleOp module = unwrap(wrapped);
  weft::runUnlocked([&]() -> std::optional<Failure> {
    weft::DiagnosticCollector diagnostics(module.getContext());
    if (succeeded(weft::addSchedule(module, text, source)))
      return std::nullopt;
    return weft::failureOf(diagnostics.reports(), "the text is no schedule");
  });
}

/// As weft-opt prints it, to the byte.
std::string print(MlirModule module, bool locations) {
  std::string text;
  weft::runUnlocked([&]() -> std::optional<Failure> {
    llvm::raw_string_ostream stream(text);
    unwrap(module)->print(
        stream, OpPrintingFlags().enableDebugInfo(locations).assumeVerified());
    stream << "\n";
    return std::nullopt;
  });
  return text;
}

} // namespace

void weft::defineText(nb::module_ &module) {
  module.def("parse_module", parse, "context"_a, "text"_a,
             "The module that text spells; raises Error if it is not valid.");
  module.def("add_schedule", addScheduleTo, "module"_a, "text"_a, "source"_a,
             "Adds a schedule, which errors call source, to a program.");
  module.def("print_module", print, "module"_a, "locations"_a,
             "The text of a valid module, with the locations of its ops.");
}
