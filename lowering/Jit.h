// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module at stage `llvm` to text of LLVM IR or assembly, or to code in
// memory that can be called.

#ifndef WEFT_LOWERING_JIT_H
#define WEFT_LOWERING_JIT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace weft {

/// The CPU that code is compiled for: its name and the features it really has,
/// or any that the environment variable WEFT_CPU names.
struct HostCpu {
  std::string name, features;
};
const HostCpu &hostCpu();

/// LLVM IR as it is before LLVM's own passes.
llvm::Expected<std::string> translateToLLVMIR(mlir::ModuleOp module);

/// The assembly of what `Executable::compile` would run.
llvm::Expected<std::string> emitAssembly(mlir::ModuleOp module);

/// One compiled function. Frees its code when it goes; calls may run in any
/// number of threads.
class Executable {
public:
  static llvm::Expected<std::unique_ptr<Executable>>
  compile(mlir::ModuleOp module, llvm::StringRef entry);
  ~Executable();

  /// Runs the function on pointers to its inputs, its outputs and an arena.
  /// Throws std::bad_alloc if there is no memory for a tape, and
  /// runtime::KernelFailure if a kernel of a library failed.
  void operator()(void *const *pointers) const;

  size_t numPointers() const { return pointerCount; }
  int64_t arenaBytes() const { return bytes; }
  const std::string &entry() const { return name; }
  /// For each result the input that it is left in, or -1; empty if there is
  /// none.
  const std::vector<int64_t> &reuses() const { return reused; }
  /// Whether it calls kernels, so that the library must have been provided.
  bool callsKernels() const { return usesKernels; }

private:
  Executable(std::unique_ptr<llvm::orc::LLJIT> jit, std::string name);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  void (*function)(void *const *) = nullptr;
  std::string name;
  std::vector<int64_t> reused;
  size_t pointerCount = 0;
  int64_t bytes = 0;
  bool usesHeap = false, usesKernels = false;
};

/// Has LLVM's fatal errors thrown as `std::runtime_error` while one of the
/// functions above runs, instead of ending the process. Installed once.
void installFatalErrorHandler();

} // namespace weft

#endif // WEFT_LOWERING_JIT_H
