// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A call finds its function by a key of bytes that says all of its arguments
// but the elements: the tree, and the shape and dtype of each array. Arguments
// stay where they are; results lie in pooled memory that their NumPy array
// owns.

#include "Call.h"
#include "Arrays.h"
#include "lowering/jit/Jit.h"
#include "lowering/runtime/Kernels.h"
#include "lowering/runtime/Signals.h"
#include "lowering/runtime/Threads.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include <complex>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace weft;
using namespace weft::runtime;

namespace {

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

/// What the arguments of a call need to stay where they are while it runs.
struct Kept {
  explicit Kept(size_t leaves) { numbers.reserve(leaves); }

  llvm::SmallVector<nb::object, 8> objects;
  /// Python's numbers, each an element of 8 or 16 bytes.
  llvm::SmallVector<std::complex<double>, 4> numbers;
};

bool isInPlace(PyArrayObject *array, PyArray_Descr *descriptor) {
  return PyArray_IS_C_CONTIGUOUS(array) && PyArray_ISALIGNED(array) &&
         PyArray_ISNOTSWAPPED(array) &&
         PyArray_DESCR(array)->type_num == descriptor->type_num;
}

/// Where a Python number is, as an element of the dtype it has by itself.
template <typename T> void *keep(T value, Kept &kept) {
  kept.numbers.emplace_back();
  std::memcpy(&kept.numbers.back(), &value, sizeof(T));
  return &kept.numbers.back();
}

/// Where the elements of an argument are, or a copy of them in the form that
/// the code reads: contiguous, in the byte order of the machine.
void *addressOf(PyObject *leaf, const ArrayType &type, Kept &kept) {
  int number = type.descriptor()->type_num;
  if (PyFloat_CheckExact(leaf) && number == NPY_DOUBLE)
    return keep(PyFloat_AS_DOUBLE(leaf), kept);
  if (PyLong_CheckExact(leaf) && number == NPY_LONG) {
    int overflow;
    long value = PyLong_AsLongAndOverflow(leaf, &overflow);
    if (!overflow)
      return keep(value, kept);
  }
  nb::object elements =
      Py_TYPE(leaf) == arrayClass.type ? elementsOf(leaf) : nb::borrow(leaf);
  auto *array = reinterpret_cast<PyArrayObject *>(elements.ptr());
  if (!PyArray_CheckExact(elements.ptr()) ||
      !isInPlace(array, type.descriptor())) {
    elements = nb::steal(PyArray_FromAny(
        elements.ptr(), type.newDescriptor(), 0, 0,
        NPY_ARRAY_CARRAY_RO | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_FORCECAST,
        nullptr));
    if (!elements)
      throw nb::python_error();
    array = reinterpret_cast<PyArrayObject *>(elements.ptr());
  }
  kept.objects.push_back(std::move(elements));
  return PyArray_DATA(array);
}

/// A compiled function on flat lists of arrays.
class Function {
public:
  Function(nb::object executable, nb::sequence inputs, nb::sequence outputs,
           nb::sequence constants)
      : owner(std::move(executable)),
        executable(*nb::cast<const weft::Executable *>(owner)) {
    for (nb::handle spec : inputs)
      this->inputs.emplace_back(spec);
    for (nb::handle spec : outputs)
      this->outputs.emplace_back(spec);
    for (nb::handle constant : constants) {
      nb::object array = nb::steal(
          PyArray_FromAny(constant.ptr(), nullptr, 0, 0,
                          NPY_ARRAY_CARRAY_RO | NPY_ARRAY_NOTSWAPPED, nullptr));
      if (!array)
        throw nb::python_error();
      this->constants.push_back(std::move(array));
    }
    reuses = this->executable.reuses();
    reuses.resize(this->outputs.size(), -1);
    isReused.resize(this->inputs.size());
    for (int64_t input : reuses)
      if (input >= 0)
        isReused.at(input) = true;
    size_t count = this->inputs.size() + this->constants.size() + 1 +
                   llvm::count(reuses, -1);
    if (count != this->executable.numPointers())
      throw nb::value_error("the code has another number of arguments");
  }

  /// The results for arguments whose shapes and dtypes are known to fit.
  llvm::SmallVector<nb::object, 2>
  call(llvm::ArrayRef<PyObject *> leaves) const {
    if (leaves.size() != inputs.size())
      throw nb::value_error("the function has another number of arguments");
    Kept kept(leaves.size());
    llvm::SmallVector<void *, 16> pointers;
    // What is read comes first: a buffer that is read too is not donated.
    for (size_t i = 0; i < leaves.size(); ++i)
      pointers.push_back(isReused[i] ? nullptr
                                     : addressOf(leaves[i], inputs[i], kept));
    for (const nb::object &constant : constants)
      pointers.push_back(dataOf(constant));
    llvm::SmallVector<nb::object, 2> results;
    for (auto [number, type] : llvm::enumerate(outputs)) {
      int64_t reused = reuses[number];
      if (reused < 0) {
        results.push_back(makeElements(type));
        pointers.push_back(dataOf(results.back()));
        continue;
      }
      // One that is donated twice has its elements until the second time.
      bool comesAgain = llvm::any_of(
          llvm::drop_begin(reuses, number + 1), [&](int64_t other) {
            return other >= 0 && leaves[other] == leaves[reused];
          });
      results.push_back(
          takeOver(leaves[reused], inputs[reused], type, kept, !comesAgain));
      pointers[reused] = dataOf(results.back());
    }
    Arena arena(executable.arenaBytes());
    pointers.push_back(arena.buffer);
    run(pointers.data());
    for (nb::object &result : results)
      result = wrap(std::move(result));
    return results;
  }

  nb::list callWithList(nb::handle leaves) const {
    nb::object fast = nb::steal(
        PySequence_Fast(leaves.ptr(), "the arguments are no sequence"));
    if (!fast)
      throw nb::python_error();
    llvm::ArrayRef<PyObject *> items(PySequence_Fast_ITEMS(fast.ptr()),
                                     PySequence_Fast_GET_SIZE(fast.ptr()));
    nb::list results;
    for (nb::object &result : call(items))
      results.append(std::move(result));
    return results;
  }

  const std::vector<int64_t> &reused() const { return reuses; }

private:
  /// The elements of a donated argument, which is left without if it `mayDrop`
  /// them: in its own buffer, or in a copy where others may see that.
  static nb::object takeOver(PyObject *leaf, const ArrayType &input,
                             const ArrayType &output, Kept &kept,
                             bool mayDrop) {
    bool isArray = mayDrop && Py_TYPE(leaf) == arrayClass.type;
    if (isArray) {
      nb::object elements = elementsOf(leaf);
      if (PyObject *buffer = soleBuffer(elements)) {
        nb::object result = makeElements(output, nb::borrow(buffer));
        dropElements(leaf);
        return result;
      }
    }
    nb::object copy = makeElements(output);
    std::memcpy(dataOf(copy), addressOf(leaf, input, kept), input.bytes);
    if (isArray)
      dropElements(leaf);
    return copy;
  }

  /// Runs the code without the GIL, unless it is over before that would be
  /// taken again.
  void run(void *const *pointers) const {
    try {
      if (executable.isShort())
        return executable(pointers);
      nb::gil_scoped_release unlocked;
      runWithRoom([&] { executable(pointers); });
    } catch (const KernelFailure &failure) {
      raiseFrom(arrayClass.kernelFailure, failure.what(), failure.where);
    } catch (const Stopped &) {
      throw nb::python_error();
    } catch (const std::bad_alloc &) {
      raiseFrom(arrayClass.outOfMemory, nb::none());
    }
  }

  nb::object owner;
  const weft::Executable &executable;
  llvm::SmallVector<ArrayType, 4> inputs, outputs;
  /// For each result the input that it is left in, or -1.
  std::vector<int64_t> reuses;
  std::vector<bool> isReused;
  llvm::SmallVector<nb::object, 2> constants;
};

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// The leaves of a call and its key, made of the trees that most programs have:
/// tuples, lists, dicts by strings, None, arrays and Python's numbers.
class Arguments {
public:
  /// False where there is anything else.
  bool read(PyObject *args, PyObject *kwargs) {
    return append(args, 0) &&
           (!kwargs || PyDict_GET_SIZE(kwargs) == 0 || append(kwargs, 0));
  }

  llvm::StringRef key() const { return text; }
  llvm::ArrayRef<PyObject *> leaves() const { return found; }

  Arguments() = default;
  Arguments(const Arguments &) = delete;
  ~Arguments() {
    for (PyObject *leaf : found)
      Py_DECREF(leaf);
  }

private:
  static constexpr int mostDeep = 32;

  bool append(PyObject *node, int depth) {
    PyTypeObject *type = Py_TYPE(node);
    if (type == arrayClass.type)
      return appendArray(node, elementsOf(node).ptr());
    if (type == &PyArray_Type)
      return appendArray(node, node);
    if (type == &PyFloat_Type)
      return appendLeaf(node, 'f');
    if (type == &PyLong_Type)
      return appendLeaf(node, 'i');
    if (type == &PyBool_Type)
      return appendLeaf(node, 'b');
    if (type == &PyComplex_Type)
      return appendLeaf(node, 'c');
    if (node == Py_None)
      return text.push_back('N'), true;
    if (depth == mostDeep)
      return false;
    if (type == &PyTuple_Type || type == &PyList_Type)
      return appendItems(node, type == &PyTuple_Type ? '(' : '[', depth);
    return type == &PyDict_Type && appendDict(node, depth);
  }

  bool appendLeaf(PyObject *leaf, char kind) {
    text.push_back(kind);
    found.push_back(Py_NewRef(leaf));
    return true;
  }

  bool appendArray(PyObject *leaf, PyObject *elements) {
    // Of an array on a device, they are its memory there.
    if (!PyArray_CheckExact(elements))
      return false;
    auto *array = reinterpret_cast<PyArrayObject *>(elements);
    if (!PyArray_ISNOTSWAPPED(array))
      return false;
    appendNumber(PyArray_DESCR(array)->type_num);
    appendNumber(PyArray_NDIM(array));
    text.append(
        llvm::StringRef(reinterpret_cast<const char *>(PyArray_SHAPE(array)),
                        PyArray_NDIM(array) * sizeof(npy_intp)));
    return appendLeaf(leaf, 'A');
  }

  void appendNumber(int32_t number) {
    text.append(llvm::StringRef(reinterpret_cast<const char *>(&number),
                                sizeof(number)));
  }

  bool appendItems(PyObject *node, char kind, int depth) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(node);
    text.push_back(kind);
    appendNumber(count);
    for (Py_ssize_t i = 0; i < count; ++i)
      if (!append(PySequence_Fast_GET_ITEM(node, i), depth + 1))
        return false;
    return true;
  }

  /// Items stand in the order of their names, as optree has them.
  bool appendDict(PyObject *node, int depth) {
    llvm::SmallVector<std::pair<llvm::StringRef, PyObject *>, 8> items;
    PyObject *name, *value;
    for (Py_ssize_t place = 0; PyDict_Next(node, &place, &name, &value);) {
      Py_ssize_t size;
      const char *letters = PyUnicode_CheckExact(name)
                                ? PyUnicode_AsUTF8AndSize(name, &size)
                                : nullptr;
      if (!letters)
        return PyErr_Clear(), false;
      items.push_back({llvm::StringRef(letters, size), value});
    }
    // The order of UTF-8 is that of Python's strings.
    llvm::sort(items, llvm::less_first());
    text.push_back('{');
    appendNumber(items.size());
    for (auto [name, value] : items) {
      appendNumber(name.size());
      text.append(name);
      if (!append(value, depth + 1))
        return false;
    }
    return true;
  }

  llvm::SmallString<256> text;
  llvm::SmallVector<PyObject *, 16> found;
};

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

/// Which function runs for which arguments, and the tree of its results: what a
/// class of Python adds to is called like a function, without a frame of its
/// own where the arguments are known.
class Dispatcher {
public:
  explicit Dispatcher(nb::object trace) : trace(std::move(trace)) {}

  /// Whether this is part of a program that is being traced.
  bool isTraced() const {
    PyObject *current;
    if (PyContextVar_Get(trace.ptr(), Py_None, &current) != 0)
      throw nb::python_error();
    Py_DECREF(current);
    return current != Py_None;
  }

  /// Calls the function for arguments like these; null where none is known.
  nb::object call(PyObject *args, PyObject *kwargs) {
    Arguments arguments;
    if (!arguments.read(args, kwargs))
      return {};
    if (!last || last->getKey() != arguments.key()) {
      auto entry = entries.find(arguments.key());
      if (entry == entries.end())
        return {};
      last = &*entry;
    }
    ++hits;
    // While it runs without the GIL, the entry may go.
    const Entry &entry = last->getValue();
    nb::object owner = entry.function, treedef = entry.treedef;
    auto results = entry.code->call(arguments.leaves());
    if (treedef.is_none())
      return std::move(results.front());
    nb::list leaves;
    for (nb::object &result : results)
      leaves.append(std::move(result));
    return treedef.attr("unflatten")(leaves);
  }

  /// Has `function` run for arguments like these, if they are of the kinds that
  /// are looked at here. `treedef` is None where the result is one array.
  void add(nb::handle args, nb::handle kwargs, nb::object function,
           nb::object treedef) {
    Arguments arguments;
    const auto *code = nb::cast<const Function *>(function);
    if (arguments.read(args.ptr(), kwargs.ptr()))
      entries[arguments.key()] = {std::move(function), std::move(treedef),
                                  code};
  }

  void clear() {
    last = nullptr;
    entries.clear();
    hits = 0;
  }

  int visit(visitproc visit, void *arg) {
    Py_VISIT(trace.ptr());
    for (auto &entry : entries) {
      Py_VISIT(entry.second.function.ptr());
      Py_VISIT(entry.second.treedef.ptr());
    }
    return 0;
  }

  size_t hits = 0;

private:
  struct Entry {
    nb::object function, treedef;
    const Function *code = nullptr;
  };
  llvm::StringMap<Entry> entries;
  /// The one that ran last, which is mostly the one that runs next.
  const llvm::StringMapEntry<Entry> *last = nullptr;
  /// A ContextVar that is None outside of traces.
  nb::object trace;
};

/// What runs where somebody calls a dispatcher: what it knows, or its method.
PyObject *callDispatcher(PyObject *self, PyObject *args, PyObject *kwargs) {
  try {
    auto *dispatcher =
        nb::inst_ready(self) ? nb::inst_ptr<Dispatcher>(self) : nullptr;
    nb::object result;
    try {
      if (dispatcher && !dispatcher->isTraced())
        result = dispatcher->call(args, kwargs);
    } catch (nb::python_error &error) {
      // The method says which number is beyond its dtype.
      if (!error.matches(PyExc_OverflowError))
        throw;
    }
    if (!result)
      result = nb::handle(self).attr("_call_otherwise")(
          nb::handle(args),
          kwargs ? nb::borrow(kwargs) : nb::object(nb::dict()));
    return result.release().ptr();
  } catch (nb::python_error &error) {
    error.restore();
  } catch (const std::bad_alloc &) {
    PyErr_NoMemory();
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

int traverseDispatcher(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self)
             ? nb::inst_ptr<Dispatcher>(self)->visit(visit, arg)
             : 0;
}

int clearDispatcher(PyObject *self) {
  if (nb::inst_ready(self))
    nb::inst_ptr<Dispatcher>(self)->clear();
  return 0;
}

PyType_Slot dispatcherSlots[] = {
    {Py_tp_call, reinterpret_cast<void *>(callDispatcher)},
    {Py_tp_traverse, reinterpret_cast<void *>(traverseDispatcher)},
    {Py_tp_clear, reinterpret_cast<void *>(clearDispatcher)},
    {0, nullptr}};

} // namespace

void weft::defineCalls(nb::module_ &module) {
  nb::class_<Function>(module, "Function",
                       "A compiled function on flat lists of arrays.")
      .def(nb::init<nb::object, nb::sequence, nb::sequence, nb::sequence>(),
           "executable"_a, "inputs"_a, "outputs"_a, "constants"_a)
      .def("__call__", &Function::callWithList, "leaves"_a,
           "Runs it on arrays whose shapes and dtypes are known to fit.")
      .def_prop_ro("reuses", &Function::reused,
                   "For each result the input that it is left in, or -1.");

  nb::class_<Dispatcher>(
      module, "Dispatcher", nb::type_slots(dispatcherSlots),
      "Which function runs for which arguments. What is derived from it is "
      "called like a function: `_call_otherwise(args, kwargs)` is what it does "
      "while `trace` is not None, or where it knows no function.")
      .def(nb::init<nb::object>(), "trace"_a)
      .def("_add", &Dispatcher::add, "args"_a, "kwargs"_a, "function"_a,
           "treedef"_a.none(), "Has a function run for arguments like these.")
      .def("_forget", &Dispatcher::clear, "Forgets all functions.")
      .def_prop_ro("_found", [](const Dispatcher &d) { return d.hits; });
}
