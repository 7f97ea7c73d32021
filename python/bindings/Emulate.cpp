// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The emulator of a GPU, for python/weft/cuda/simulator.py: buffers by address,
// modules from text, launches that raise what is wrong.

#include "Emulate.h"
#include "lowering/emulator/Emulator.h"
#include "llvm/ADT/ScopeExit.h"
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace weft::emulator;

namespace {

PyObject *errorType = nullptr;

[[noreturn]] void raiseError(const std::string &message,
                             const std::string &place) {
  nb::tuple args = nb::make_tuple(message, place);
  PyErr_SetObject(errorType, args.ptr());
  throw nb::python_error();
}

void check(const std::optional<Failure> &failure) {
  if (failure)
    raiseError(failure->message, failure->place);
}

char *pointer(uint64_t address) { return reinterpret_cast<char *>(address); }

/// The memory of a contiguous array, while it is in use.
class View {
public:
  View(nb::handle array, int flags) {
    if (PyObject_GetBuffer(array.ptr(), &view, flags) != 0)
      throw nb::python_error();
  }
  ~View() { PyBuffer_Release(&view); }
  View(const View &) = delete;

  void *data() const { return view.buf; }
  size_t bytes() const { return view.len; }

private:
  Py_buffer view;
};

/// Without the GIL: a launch takes it to call the handlers of signals, while
/// other threads wait for the emulator.
template <typename Function> auto withoutLock(Function function) {
  nb::gil_scoped_release unlocked;
  return function();
}

uint64_t allocate(Emulator &emulator, uint64_t bytes) {
  return reinterpret_cast<uint64_t>(
      withoutLock([&] { return emulator.allocate(bytes); }));
}

void release(Emulator &emulator, uint64_t address) {
  if (!withoutLock([&] { return emulator.free(pointer(address)); }))
    raiseError("frees what is no buffer of the device, or no longer", "");
}

void writeArray(Emulator &emulator, uint64_t to, nb::handle array) {
  View view(array, PyBUF_C_CONTIGUOUS);
  check(withoutLock(
      [&] { return emulator.write(pointer(to), view.data(), view.bytes()); }));
}

void readArray(Emulator &emulator, uint64_t from, nb::handle array) {
  View view(array, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE);
  check(withoutLock(
      [&] { return emulator.read(pointer(from), view.data(), view.bytes()); }));
}

void copyBytes(Emulator &emulator, uint64_t to, uint64_t from, uint64_t bytes) {
  check(withoutLock(
      [&] { return emulator.copy(pointer(to), pointer(from), bytes); }));
}

std::unique_ptr<Program> load(const std::string &code) {
  auto program = withoutLock([&] { return Program::compile(code); });
  if (!program)
    raiseError(llvm::toString(program.takeError()), "");
  return std::move(*program);
}

/// A number, (kind, float), or (pointer, record of a tensor map).
Argument argumentFrom(nb::handle value) {
  if (!nb::isinstance<nb::tuple>(value))
    // As many bits as fit, of negative numbers too.
    return static_cast<uint64_t>(PyLong_AsUnsignedLongLongMask(value.ptr()));
  nb::handle first = value[0], second = value[1];
  if (nb::isinstance<nb::str>(first))
    return nb::cast<double>(second);
  TensorMap map;
  map.data = pointer(nb::cast<uint64_t>(first));
  map.dims = nb::cast<std::vector<uint64_t>>(nb::list(second.attr("dims")));
  map.strides =
      nb::cast<std::vector<uint64_t>>(nb::list(second.attr("strides")));
  map.box = nb::cast<std::vector<uint64_t>>(nb::list(second.attr("box")));
  map.swizzle = nb::cast<unsigned>(second.attr("swizzle"));
  map.type = nb::cast<std::string>(second.attr("type"));
  map.elementBytes = elementBytesOf(map.type);
  return map;
}

void launch(Emulator &emulator, Program &program, const std::string &name,
            Dim3 grid, Dim3 threads, uint64_t shared, nb::sequence given,
            const std::vector<Schedule> &schedules) {
  std::vector<Argument> arguments;
  for (nb::handle value : given) {
    arguments.push_back(argumentFrom(value));
    if (PyErr_Occurred())
      throw nb::python_error();
  }
  auto failure = withoutLock([&] {
    return emulator.launch(program, name, grid, threads, shared, arguments,
                           schedules);
  });
  if (PyErr_Occurred())
    throw nb::python_error();
  check(failure);
}

} // namespace

void weft::defineEmulator(nb::module_ &module) {
  errorType = PyErr_NewExceptionWithDoc(
      "weft._weft.EmulatorError",
      "What the emulator found: a message, and \"file:line\" of the program or "
      "nothing.",
      PyExc_Exception, nullptr);
  module.attr("EmulatorError") = nb::handle(errorType);

  nb::enum_<Order>(module, "Order", "How threads take turns.")
      .value("FORWARD", Order::Forward)
      .value("BACKWARD", Order::Backward)
      .value("RANDOM", Order::Random);
  nb::class_<Schedule>(module, "Schedule", "How the threads of a launch run.")
      .def(
          "__init__",
          [](Schedule *place, Order order, uint64_t seed, bool isThorough,
             uint64_t stepLimit) {
            new (place) Schedule{order, seed, isThorough, stepLimit};
          },
          "order"_a, "seed"_a, "thorough"_a, "step_limit"_a);
  nb::class_<Program>(module, "EmulatedModule", "Kernels for the emulator.")
      .def_prop_ro("kernels", [](const Program &program) {
        std::vector<std::string> names;
        for (const auto &kernel : program.kernels)
          names.push_back(kernel.first().str());
        return names;
      });
  nb::class_<Emulator>(module, "Emulator", "Memory and launches.")
      .def(nb::init<>())
      .def("allocate", allocate, "size"_a)
      .def("free", release, "pointer"_a)
      .def("write", writeArray, "pointer"_a, "array"_a)
      .def("read", readArray, "pointer"_a, "array"_a)
      .def("copy", copyBytes, "to"_a, "source"_a, "size"_a)
      .def("launch", launch, "module"_a, "kernel"_a, "grid"_a, "block"_a,
           "shared"_a, "args"_a, "schedules"_a)
      .def_prop_ro("bytes_in_use", &Emulator::bytesInUse);
  module.def("emulate", load, "code"_a,
             "Prepares the gpu.module of a text at stage nvvm.");
}
