// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module at stage `llvm` to assembly, or to code in memory that can be
// called.

#ifndef WEFT_LOWERING_JIT_JIT_H
#define WEFT_LOWERING_JIT_JIT_H

#include "lowering/jit/CompileSteps.h"
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
  /// Whether the kernel lets this process use the matrix tiles, if the CPU has
  /// them.
  bool mayUseTiles = false;
};
const HostCpu &hostCpu();

/// A JIT that links in the calling thread, and whose code finds what compiled
/// functions call.
llvm::Expected<std::unique_ptr<llvm::orc::LLJIT>> createJit();

/// The assembly of what `ObjectCode::compile` makes.
llvm::Expected<std::string> emitAssembly(mlir::ModuleOp module);

/// A function in machine code that is not linked yet: object files, which may
/// be kept and read by another process, and what its caller must know.
struct ObjectCode {
  /// Records in `steps`, if given, what each part takes.
  static llvm::Expected<ObjectCode> compile(mlir::ModuleOp module,
                                            llvm::StringRef entry,
                                            CompileSteps *steps = nullptr);

  std::string entry;
  std::vector<std::string> files;
  /// Its inputs, its results and the arena.
  size_t pointerCount = 0;
  int64_t arenaBytes = 0;
  /// Whether it may stop before its end, since it allocates tapes or polls
  /// signals; whether it calls kernels, and some that call routines of a
  /// library.
  bool mayStop = false, usesKernels = false, usesRoutines = false;
  /// Whether it is over in about a microsecond.
  bool isShort = false;
  /// For each result the input that it is left in, or -1; empty if there is
  /// none.
  std::vector<int64_t> reuses;
};

/// One compiled function. Frees its code when it goes; calls may run in any
/// number of threads.
class Executable {
public:
  static llvm::Expected<std::unique_ptr<Executable>> link(ObjectCode object);
  ~Executable();

  /// Runs the function on pointers to its inputs, its outputs and an arena.
  /// Throws std::bad_alloc if there is no memory for a tape,
  /// runtime::KernelFailure if a kernel of a library failed, and
  /// runtime::Stopped if that was asked for.
  void operator()(void *const *pointers) const;

  size_t numPointers() const { return object.pointerCount; }
  int64_t arenaBytes() const { return object.arenaBytes; }
  const std::string &entry() const { return object.entry; }
  /// For each result the input that it is left in, or -1; empty if there is
  /// none.
  const std::vector<int64_t> &reuses() const { return object.reuses; }
  /// Whether it is over before another thread could make use of the time.
  bool isShort() const { return object.isShort; }
  /// Whether it calls routines of a library, which must have been provided.
  bool callsRoutines() const { return object.usesRoutines; }

private:
  Executable(std::unique_ptr<llvm::orc::LLJIT> jit, ObjectCode object);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  void (*function)(void *const *) = nullptr;
  /// Without its files, which the JIT has.
  ObjectCode object;
};

} // namespace weft

#endif // WEFT_LOWERING_JIT_JIT_H
