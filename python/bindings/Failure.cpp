// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The exception weft._weft.Error, and how it is raised.

#include "Failure.h"
#include <nanobind/stl/string.h>

namespace nb = nanobind;

static PyObject *errorType = nullptr;

void weft::defineError(nb::module_ &module) {
  errorType = PyErr_NewExceptionWithDoc(
      "weft._weft.Error",
      "A failure of the compiler: a message, and a list of (file, line, "
      "column, text, severity).",
      PyExc_Exception, nullptr);
  module.attr("Error") = nb::handle(errorType);
}

void weft::raise(const Failure &failure) {
  nb::list reports;
  for (const Report &report : failure.reports)
    reports.append(nb::make_tuple(report.file, report.line, report.column,
                                  report.text, report.severity));
  nb::tuple args = nb::make_tuple(failure.message, reports);
  PyErr_SetObject(errorType, args.ptr());
  throw nb::python_error();
}

weft::Failure weft::failureOf(std::vector<Report> reports,
                              std::string otherwise) {
  for (const Report &report : reports)
    if (report.severity == "error")
      return {report.text, std::move(reports)};
  return {std::move(otherwise), std::move(reports)};
}
