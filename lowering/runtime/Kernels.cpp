// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of kernels, that of the routines they call, and their reports.

#include "lowering/runtime/Kernels.h"
#include "lowering/runtime/Lapack.h"
#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <new>
#include <sstream>

using namespace weft::runtime;

thread_local CallReport *CallReport::current = nullptr;

const std::vector<Kernel> &weft::runtime::kernels() {
  static const std::vector<Kernel> all = [] {
    std::vector<Kernel> made;
    addFactorKernels(made);
    addFourierKernels(made);
    addSortKernels(made);
    addSpectralKernels(made);
    return made;
  }();
  return all;
}

namespace {
/// What the letters of a signature stand for.
class Letters {
public:
  Letters(const char *names, const std::vector<int64_t> &sizes)
      : names(names), sizes(sizes) {}

  int64_t operator[](char letter) const {
    int64_t m = given('m'), n = given('n'), k = std::min(m, n);
    switch (letter) {
    case 'k':
      return k;
    case 'h':
      return m / 2 + 1;
    case 'u':
      return given('f') ? m : k;
    case 'v':
      return given('f') ? n : k;
    case 't':
      return given('r') ? n : m;
    default:
      return given(letter);
    }
  }

private:
  int64_t given(char letter) const {
    size_t place = names.find(letter);
    return place == std::string::npos ? 0 : sizes[place];
  }

  std::string names;
  const std::vector<int64_t> &sizes;
};

int64_t bytesOf(const Kernel &kernel, char element) {
  switch (element) {
  case 'R':
    return kernel.isComplex ? kernel.bytes / 2 : kernel.bytes;
  case 'C':
    return kernel.isComplex ? kernel.bytes : kernel.bytes * 2;
  case 'I':
    return sizeof(int64_t);
  default:
    return kernel.bytes;
  }
}
} // namespace

std::vector<int64_t>
weft::runtime::operandBytes(const Kernel &kernel,
                            const std::vector<int64_t> &sizes) {
  bool areSizes = std::all_of(sizes.begin(), sizes.end(),
                              [](int64_t size) { return size >= 0; });
  if (!areSizes || sizes.size() != std::strlen(kernel.signature.sizes))
    return {};
  Letters letters(kernel.signature.sizes, sizes);
  std::vector<int64_t> all;
  std::istringstream words(kernel.signature.operands);
  for (std::string word; words >> word;) {
    int64_t bytes = bytesOf(kernel, word[0]);
    for (char letter : word.substr(1))
      if (__builtin_mul_overflow(bytes, letters[letter], &bytes))
        return {};
    all.push_back(bytes);
  }
  return all;
}

void CallReport::check() const {
  if (outOfMemory)
    throw std::bad_alloc();
  if (failed)
    throw KernelFailure(message, where);
}

void CallReport::fail(const char *where, const char *kernel, const char *reason,
                      int64_t index, int64_t count) {
  // The first failure is the one to tell.
  if (!current || current->failed)
    return;
  current->failed = true;
  std::string which = "the matrix";
  if (count > 1)
    which = "matrix " + std::to_string(index) + " of " + std::to_string(count);
  current->message = std::string(kernel) + ": " + which + " " + reason;
  current->where = where ? where : "";
}

void CallReport::failForMemory() {
  if (current)
    current->outOfMemory = true;
}

void weft::runtime::callKernel(const Kernel &kernel,
                               const std::vector<int64_t> &arguments,
                               const std::string &where) {
  // All arguments are 64-bit integers, and a callee does not see those that it
  // has no parameter for.
  constexpr size_t most = 15;
  if (arguments.size() > most)
    throw std::invalid_argument("a kernel takes at most 15 arguments");
  int64_t a[most] = {};
  std::copy(arguments.begin(), arguments.end(), a);
  using I = int64_t;
  auto *function =
      reinterpret_cast<void (*)(const char *, I, I, I, I, I, I, I, I, I, I, I,
                                I, I, I, I)>(kernel.address);
  CallReport report;
  function(where.c_str(), a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
           a[9], a[10], a[11], a[12], a[13], a[14]);
  report.check();
}

//===----------------------------------------------------------------------===//
// Routines
//===----------------------------------------------------------------------===//

namespace {
// By routine, and by letter as Letter<T>::index counts them.
constexpr const char *names[][4] = {
    {"strsm", "dtrsm", "ctrsm", "ztrsm"},
    {"strsv", "dtrsv", "ctrsv", "ztrsv"},
    {"sgemm", "dgemm", "cgemm", "zgemm"},
    {"spotrf", "dpotrf", "cpotrf", "zpotrf"},
    {"sgetrf", "dgetrf", "cgetrf", "zgetrf"},
    {"sgeqrf", "dgeqrf", "cgeqrf", "zgeqrf"},
    {"sorgqr", "dorgqr", "cungqr", "zungqr"},
    {"sgesdd", "dgesdd", "cgesdd", "zgesdd"},
    {"ssyevd", "dsyevd", "cheevd", "zheevd"},
    {"sgeev", "dgeev", "cgeev", "zgeev"},
};
constexpr int numRoutines = sizeof(names) / sizeof(names[0]);
static_assert(numRoutines == static_cast<int>(Routine::count));

void *addresses[numRoutines][4];
} // namespace

void *weft::runtime::addressOf(Routine routine, int letter) {
  return addresses[static_cast<int>(routine)][letter];
}

std::vector<std::string> weft::runtime::routines() {
  std::vector<std::string> all;
  for (const auto &row : names)
    all.insert(all.end(), row, row + 4);
  return all;
}

bool weft::runtime::provide(const std::string &name, void *address) {
  for (int routine = 0; routine < numRoutines; ++routine)
    for (int letter = 0; letter < 4; ++letter)
      if (name == names[routine][letter]) {
        addresses[routine][letter] = address;
        return true;
      }
  return false;
}

//===----------------------------------------------------------------------===//
// The library's threads
//===----------------------------------------------------------------------===//

namespace {

/// Rows or columns from which on the library's threads are of use.
constexpr int64_t sharedSize = 2048;

/// How many threads the library uses, and how many it is to use.
struct ThreadCount {
  int (*get)() = nullptr;
  void (*set)(int) = nullptr;
};

/// Of OpenBLAS by any of its names; empty for other libraries.
ThreadCount findThreadCount() {
  Dl_info where;
  void *known = addressOf(Routine::potrf, 0);
  if (!known || !dladdr(known, &where) || !where.dli_fname)
    return {};
  // The routines' addresses are in a library that is linked against it.
  void *library = dlopen(where.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (!library)
    return {};
  ThreadCount found;
  for (std::string name : {"scipy_openblas", "openblas"}) {
    void *get = dlsym(library, (name + "_get_num_threads").c_str()),
         *set = dlsym(library, (name + "_set_num_threads").c_str());
    if (get && set && !found.set)
      found = {reinterpret_cast<int (*)()>(get),
               reinterpret_cast<void (*)(int)>(set)};
  }
  dlclose(library);
  return found;
}

/// Who asks for one thread, in all threads.
struct {
  std::mutex mutex;
  int64_t count = 0;
  int before = 1;
} askers;

const ThreadCount &threadCount() {
  static const ThreadCount found = findThreadCount();
  return found;
}

} // namespace

weft::runtime::OneThread::OneThread(int64_t rows, int64_t columns)
    : isAsked(std::max(rows, columns) < sharedSize && threadCount().set) {
  if (!isAsked)
    return;
  std::lock_guard<std::mutex> lock(askers.mutex);
  if (askers.count++ > 0)
    return;
  askers.before = threadCount().get();
  if (askers.before > 1)
    threadCount().set(1);
}

weft::runtime::OneThread::~OneThread() {
  if (!isAsked)
    return;
  std::lock_guard<std::mutex> lock(askers.mutex);
  if (--askers.count == 0 && askers.before > 1)
    threadCount().set(askers.before);
}
