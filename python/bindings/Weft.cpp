// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The extension `weft._weft`: registers Weft with upstream's `mlir.ir`, runs
// pipelines, and compiles and calls functions. Nothing else is in it.

#include "dialects/Weft.h"
#include "Arrays.h"
#include "Build.h"
#include "Call.h"
#include "Compile.h"
#include "Emulate.h"
#include "Failure.h"
#include "Text.h"
#include "Ufuncs.h"
#include "dialects/transforms/Passes.h"
#include "lowering/Passes.h"
#include "lowering/jit/EmitCode.h"
#include "lowering/jit/Jit.h"
#include "lowering/runtime/Kernels.h"
#include "lowering/runtime/Signals.h"
#include "lowering/runtime/Threads.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"
#include "mlir/CAPI/IR.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/InitAllPasses.h"
#include "llvm/ADT/ScopeExit.h"
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace mlir;

namespace {

PyObject *kernelErrorType = nullptr;

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

void registerDialects(MlirContext wrapped) {
  MLIRContext *context = unwrap(wrapped);
  // Once a pass has run in threads, a forked child would wait for them for
  // ever.
  context->disableMultithreading();
  DialectRegistry registry;
  weft::registerLoweringDialects(registry);
  weft::registerWeftDialect(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<weft::WeftDialect, func::FuncDialect>();
}

/// The elements of a `weft.constant`; of a splat one, and then true. Upstream's
/// bindings have no class for an attribute of complex numbers.
nb::tuple constantElements(MlirOperation wrapped) {
  auto op = dyn_cast<weft::ConstantOp>(unwrap(wrapped));
  if (!op)
    weft::raise({"the operation is no weft.constant", {}});
  ArrayRef<char> data = op.getValue().getRawData();
  return nb::make_tuple(nb::bytes(data.data(), data.size()),
                        op.getValue().isSplat());
}

/// The bytes of the elements, of one where all are equal.
nb::bytes rawElements(MlirAttribute wrapped) {
  auto elements = dyn_cast<DenseElementsAttr>(unwrap(wrapped));
  if (!elements)
    weft::raise({"the attribute is no dense elements", {}});
  ArrayRef<char> bytes = elements.getRawData();
  return nb::bytes(bytes.data(), bytes.size());
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

[[noreturn]] void raiseWrongCount(const weft::Executable &executable,
                                  size_t count) {
  weft::raise({executable.entry() + " takes " +
                   std::to_string(executable.numPointers()) +
                   " pointers (inputs, " + "results, arena), not " +
                   std::to_string(count),
               {}});
}

/// Raises weft._weft.KernelError(message, place).
[[noreturn]] void
raiseKernelError(const weft::runtime::KernelFailure &failure) {
  nb::tuple args = nb::make_tuple(failure.what(), failure.where);
  PyErr_SetObject(kernelErrorType, args.ptr());
  throw nb::python_error();
}

/// Runs without the GIL.
void run(const weft::Executable &executable, void *const *pointers) {
  try {
    nb::gil_scoped_release unlocked;
    executable(pointers);
  } catch (const weft::runtime::Stopped &) {
    throw nb::python_error();
  } catch (const weft::runtime::KernelFailure &failure) {
    raiseKernelError(failure);
  }
}

/// Whether a signal's handler raised an exception, as that of Ctrl-C does.
bool hasSignal() {
  nb::gil_scoped_acquire locked;
  return PyErr_CheckSignals() != 0;
}

/// A flat buffer of 64-bit addresses, such as a NumPy array of uint64.
void callWithBuffer(const weft::Executable &executable, nb::handle addresses) {
  Py_buffer view;
  if (PyObject_GetBuffer(addresses.ptr(), &view, PyBUF_SIMPLE) != 0)
    throw nb::python_error();
  llvm::scope_exit release([&] { PyBuffer_Release(&view); });
  size_t count = view.len / sizeof(void *);
  if (count != executable.numPointers())
    raiseWrongCount(executable, count);
  run(executable, static_cast<void *const *>(view.buf));
}

/// A list or tuple of addresses, or a flat buffer of them.
void call(const weft::Executable &executable, nb::handle addresses) {
  PyObject *object = addresses.ptr();
  if (!PyList_Check(object) && !PyTuple_Check(object))
    return callWithBuffer(executable, addresses);
  size_t count = PySequence_Fast_GET_SIZE(object);
  if (count != executable.numPointers())
    raiseWrongCount(executable, count);
  PyObject **items = PySequence_Fast_ITEMS(object);
  llvm::SmallVector<void *, 16> pointers(count);
  for (size_t i = 0; i < count; ++i) {
    pointers[i] = PyLong_AsVoidPtr(items[i]);
    if (!pointers[i] && PyErr_Occurred())
      throw nb::python_error();
  }
  run(executable, pointers.data());
}

/// Takes the address of a routine from a capsule of any name.
void provide(const std::string &name, nb::handle capsule) {
  const char *label = PyCapsule_GetName(capsule.ptr());
  void *address =
      PyErr_Occurred() ? nullptr : PyCapsule_GetPointer(capsule.ptr(), label);
  if (!address)
    throw nb::python_error();
  if (!weft::runtime::provide(name, address))
    weft::raise({"no kernel calls " + name, {}});
}

/// Calls a kernel by its symbol, without the GIL.
void callKernel(const std::string &symbol,
                const std::vector<int64_t> &arguments,
                const std::string &where) {
  for (const weft::runtime::Kernel &kernel : weft::runtime::kernels()) {
    if (kernel.symbol != symbol)
      continue;
    try {
      nb::gil_scoped_release unlocked;
      return weft::runtime::callKernel(kernel, arguments, where);
    } catch (const weft::runtime::KernelFailure &failure) {
      raiseKernelError(failure);
    }
  }
  weft::raise({"there is no kernel " + symbol, {}});
}

} // namespace

NB_MODULE(_weft, module) {
  // Code that still runs when the interpreter ends may keep an Executable.
  nb::set_leak_warnings(false);
  weft::installFatalErrorHandler();
  registerAllPasses();
  weft::registerTransformPasses();
  weft::registerLoweringPasses();

  weft::defineError(module);
  kernelErrorType = PyErr_NewExceptionWithDoc(
      "weft._weft.KernelError",
      "A kernel of a library that has no result: a message, and \"file:line\" "
      "of the program or nothing.",
      PyExc_Exception, nullptr);
  module.attr("KernelError") = nb::handle(kernelErrorType);

  module.def("register_dialects", registerDialects, "context"_a,
             "Adds Weft's dialect and the upstream ones to a context.");
  module.def("constant_elements", constantElements, "operation"_a,
             "The bytes of the elements of a weft.constant, and whether they "
             "are one element, which all of them equal.");
  module.def("raw_elements", rawElements, "attribute"_a,
             "The bytes of dense elements, of one where all are equal.");
  weft::defineText(module);
  weft::defineCompile(module);
  module.def("routines", weft::runtime::routines,
             "The names of the library routines that kernels call.");
  module.def("call_kernel", callKernel, "symbol"_a, "arguments"_a, "where"_a,
             "Calls a kernel of a library with the addresses of its inputs and "
             "outputs, and then its numbers; raises KernelError.");
  module.def("provide", provide, "name"_a, "capsule"_a,
             "Says where a library routine is, by a capsule with its address.");
  module.def("provide_transforms", weft::provideTransforms, "module"_a,
             "Says where NumPy's Fourier transforms are, by their module.");
  module.def("num_threads", weft::runtime::numThreads,
             "How many threads a loop may run in.");
  module.def("set_num_threads", weft::runtime::setNumThreads, "count"_a,
             "Changes how many threads a loop may run in.");
  weft::runtime::setStopCheck(hasSignal);
  weft::defineBuild(module);
  weft::defineEmulator(module);

  nb::class_<weft::Executable>(module, "Executable",
                               "A function in machine code.")
      .def("__call__", call, "pointers"_a,
           "Calls the function with the addresses of its inputs, its results "
           "and its arena: a sequence of int, or a buffer of 64-bit integers.")
      .def_prop_ro("entry", &weft::Executable::entry)
      .def_prop_ro("calls_routines", &weft::Executable::callsRoutines)
      .def_prop_ro("reuses", &weft::Executable::reuses)
      .def_prop_ro("arena_bytes", &weft::Executable::arenaBytes)
      .def_prop_ro("pointer_count", &weft::Executable::numPointers);
  weft::defineArrays(module);
  weft::defineCalls(module);
}
