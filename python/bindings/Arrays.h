// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `weft.Array` and the memory of its elements, as the extension sees them.

#ifndef WEFT_BINDINGS_ARRAYS_H
#define WEFT_BINDINGS_ARRAYS_H

#include "lowering/runtime/Buffers.h"
#include "llvm/ADT/SmallVector.h"
#include <nanobind/nanobind.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL weft_numpy_api
#ifndef WEFT_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

namespace weft {

/// `weft.Array`, which is a Python class: where in it the slot for a NumPy
/// array is, and what makes the exceptions of a call.
struct ArrayClass {
  PyTypeObject *type = nullptr;
  Py_ssize_t slot = 0;
  PyObject *outOfMemory = nullptr, *kernelFailure = nullptr;
};
extern ArrayClass arrayClass;

/// Defines what says what arrays are, and imports NumPy.
void defineArrays(nanobind::module_ &module);

/// The NumPy array of a `weft.Array`, of no other class. Of one that was
/// donated there is none, and `Array.__getattr__` says so.
nanobind::object elementsOf(PyObject *array);

/// Leaves an array without elements.
void dropElements(PyObject *array);

/// A `weft.Array` of a NumPy array.
nanobind::object wrap(nanobind::object elements);

/// Raises what a function of Python makes of `arguments`.
template <typename... Arguments>
[[noreturn]] void raiseFrom(PyObject *make, Arguments... arguments) {
  nanobind::object error = nanobind::handle(make)(arguments...);
  PyErr_SetObject(reinterpret_cast<PyObject *>(Py_TYPE(error.ptr())),
                  error.ptr());
  throw nanobind::python_error();
}

/// The work space of one call.
class Arena {
public:
  explicit Arena(size_t bytes);
  ~Arena();
  Arena(const Arena &) = delete;

  size_t bytes;
  void *buffer;
};

/// The shape and dtype of an argument or a result.
struct ArrayType {
  explicit ArrayType(nanobind::handle spec);

  PyArray_Descr *descriptor() const {
    return reinterpret_cast<PyArray_Descr *>(dtype.ptr());
  }
  /// NumPy's functions take a reference to the dtype over.
  PyArray_Descr *newDescriptor() const {
    return reinterpret_cast<PyArray_Descr *>(dtype.inc_ref().ptr());
  }

  nanobind::object dtype;
  llvm::SmallVector<npy_intp, 4> shape;
  size_t bytes;
};

/// A read-only NumPy array that owns a buffer, or one of its own.
nanobind::object makeElements(const ArrayType &type, nanobind::object buffer);
nanobind::object makeElements(const ArrayType &type);

void *dataOf(const nanobind::object &elements);

/// The buffer of an array that nobody else sees and that was made here, or
/// null.
PyObject *soleBuffer(const nanobind::object &elements);

} // namespace weft

#endif // WEFT_BINDINGS_ARRAYS_H
