// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernels that compiled code calls: C functions over stacks of arrays in
// row-major order. Most call routines of a numerical library, which is found at
// run time. A kernel reports a failure instead of raising it.

#ifndef WEFT_LOWERING_RUNTIME_KERNELS_H
#define WEFT_LOWERING_RUNTIME_KERNELS_H

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft::runtime {

/// What a kernel takes. `sizes` has a letter for each number, "-" for one that
/// no operand's size depends on. `operands` has a word for each operand: which
/// elements it has, and letters of which the product is how many:
///
///   "cmn-", "Xcmn Xcmn Ick Icm"
///
/// Elements are those of the kernel's name (X), their real parts (R), complex
/// numbers of such parts (C) or int64_t (I). There are more letters than sizes:
/// k is the smaller of m and n, h is m / 2 + 1, u and v are m and n of `f`,
/// else k, and t is n of `r`, else m.
struct Signature {
  const char *sizes, *operands;
};

/// A kernel and the symbol by which compiled code knows it.
struct Kernel {
  std::string symbol;
  void *address;
  Signature signature;
  /// Of the elements of its name.
  int64_t bytes;
  bool isComplex = false, callsRoutines = true;
};
const std::vector<Kernel> &kernels();

/// How many bytes a kernel reads or writes of each operand for some sizes;
/// nothing if it takes other sizes.
std::vector<int64_t> operandBytes(const Kernel &kernel,
                                  const std::vector<int64_t> &sizes);

/// The names of the routines that the kernels call, as LAPACK and BLAS spell
/// them. None may be called before all have been provided.
std::vector<std::string> routines();
/// Whether there is a routine of this name.
bool provide(const std::string &name, void *address);

/// A kernel that has no result for some input. `where` is the place in the
/// user's program, "file:line", or empty.
class KernelFailure : public std::runtime_error {
public:
  KernelFailure(const std::string &message, std::string where)
      : std::runtime_error(message), where(std::move(where)) {}
  std::string where;
};

/// What kernels have to report while compiled code runs. Its frames have
/// nothing to unwind by, so nothing is thrown before it has returned.
class CallReport {
public:
  CallReport() : outer(current) { current = this; }
  ~CallReport() { current = outer; }
  CallReport(const CallReport &) = delete;
  CallReport &operator=(const CallReport &) = delete;

  /// Throws std::bad_alloc or KernelFailure if a kernel has failed.
  void check() const;

  /// Reports that input `index` of `count` is, or has, no such thing.
  static void fail(const char *where, const char *kernel, const char *reason,
                   int64_t index, int64_t count);
  static void failForMemory();

private:
  CallReport *outer;
  bool outOfMemory = false, failed = false;
  std::string message, where;
  static thread_local CallReport *current;
};

/// Calls a kernel from outside of compiled code. `arguments` are the addresses
/// of its inputs and outputs, and its numbers after them. Throws as
/// CallReport::check does.
void callKernel(const Kernel &kernel, const std::vector<int64_t> &arguments,
                const std::string &where);

/// Kernels of one file, for every element type.
void addFactorKernels(std::vector<Kernel> &kernels);
void addFourierKernels(std::vector<Kernel> &kernels);
void addSortKernels(std::vector<Kernel> &kernels);
void addSpectralKernels(std::vector<Kernel> &kernels);

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_KERNELS_H
