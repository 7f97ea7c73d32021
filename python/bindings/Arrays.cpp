// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#define WEFT_IMPORTS_NUMPY
#include "Arrays.h"
#include <structmember.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace weft;
using namespace weft::runtime;

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

ArrayClass weft::arrayClass;

static void provideArrays(nb::handle type, nb::handle outOfMemory,
                          nb::handle kernelFailure) {
  nb::object slot = type.attr("_data");
  if (!PyObject_TypeCheck(slot.ptr(), &PyMemberDescr_Type))
    throw nb::type_error("arrays need a slot `_data`");
  auto *member = reinterpret_cast<PyMemberDescrObject *>(slot.ptr());
  arrayClass = {reinterpret_cast<PyTypeObject *>(type.inc_ref().ptr()),
                member->d_member->offset, outOfMemory.inc_ref().ptr(),
                kernelFailure.inc_ref().ptr()};
}

static PyObject *&slotOf(PyObject *array) {
  return *reinterpret_cast<PyObject **>(reinterpret_cast<char *>(array) +
                                        arrayClass.slot);
}

nb::object weft::elementsOf(PyObject *array) {
  if (PyObject *data = slotOf(array))
    return nb::borrow(data);
  return nb::getattr(array, "_data");
}

void weft::dropElements(PyObject *array) { Py_CLEAR(slotOf(array)); }

nb::object weft::wrap(nb::object elements) {
  nb::object array = nb::steal(arrayClass.type->tp_alloc(arrayClass.type, 0));
  if (!array)
    throw nb::python_error();
  slotOf(array.ptr()) = elements.release().ptr();
  return array;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static constexpr char bufferName[] = "weft.buffer";

static void releaseBuffer(PyObject *capsule) {
  giveBuffer(PyCapsule_GetPointer(capsule, bufferName),
             reinterpret_cast<size_t>(PyCapsule_GetContext(capsule)));
}

static void *takeOrRaise(size_t bytes) {
  try {
    return takeBuffer(bytes);
  } catch (const std::bad_alloc &) {
    raiseFrom(arrayClass.outOfMemory, bytes);
  }
}

/// A buffer whose capsule gives it back.
static nb::object makeBuffer(size_t bytes) {
  void *buffer = takeOrRaise(bytes);
  PyObject *capsule = PyCapsule_New(buffer, bufferName, releaseBuffer);
  if (!capsule) {
    giveBuffer(buffer, bytes);
    throw nb::python_error();
  }
  PyCapsule_SetContext(capsule, reinterpret_cast<void *>(bytes));
  return nb::steal(capsule);
}

Arena::Arena(size_t bytes)
    : bytes(bytes), buffer(bytes ? takeOrRaise(bytes) : nullptr) {}

Arena::~Arena() {
  if (buffer)
    giveBuffer(buffer, bytes);
}

ArrayType::ArrayType(nb::handle spec)
    : dtype(nb::object(spec.attr("dtype"))),
      bytes(nb::cast<size_t>(spec.attr("dtype").attr("itemsize"))) {
  for (nb::handle size : nb::object(spec.attr("shape"))) {
    shape.push_back(nb::cast<npy_intp>(size));
    bytes *= shape.back();
  }
}

nb::object weft::makeElements(const ArrayType &type, nb::object buffer) {
  nb::object array = nb::steal(PyArray_NewFromDescr(
      &PyArray_Type, type.newDescriptor(), type.shape.size(), type.shape.data(),
      nullptr, PyCapsule_GetPointer(buffer.ptr(), bufferName),
      NPY_ARRAY_CARRAY_RO, nullptr));
  if (!array ||
      PyArray_SetBaseObject(reinterpret_cast<PyArrayObject *>(array.ptr()),
                            buffer.release().ptr()) != 0)
    throw nb::python_error();
  return array;
}

nb::object weft::makeElements(const ArrayType &type) {
  return makeElements(type, makeBuffer(type.bytes));
}

void *weft::dataOf(const nb::object &elements) {
  return PyArray_DATA(reinterpret_cast<PyArrayObject *>(elements.ptr()));
}

PyObject *weft::soleBuffer(const nb::object &elements) {
  // One reference is the array's and one is ours.
  if (!PyArray_CheckExact(elements.ptr()) || Py_REFCNT(elements.ptr()) != 2)
    return nullptr;
  PyObject *base =
      PyArray_BASE(reinterpret_cast<PyArrayObject *>(elements.ptr()));
  bool isSole = base && Py_REFCNT(base) == 1 &&
                PyCapsule_IsValid(base, bufferName) &&
                PyCapsule_GetPointer(base, bufferName) == dataOf(elements);
  return isSole ? base : nullptr;
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

void weft::defineArrays(nb::module_ &module) {
  if (_import_array() < 0)
    throw nb::python_error();
  module.def(
      "provide_arrays", provideArrays, "type"_a, "out_of_memory"_a,
      "kernel_failure"_a,
      "Says what arrays are, and what makes the exceptions of a call: of "
      "a number of bytes or None, and of a message and \"file:line\".");
  module.def(
      "empty_cache", freeIdleBuffers,
      "Frees the memory that no array uses and no call runs in; how many "
      "bytes those were.");
  module.def("idle_bytes", idleBufferBytes,
             "The memory that `empty_cache` would free.");
}
