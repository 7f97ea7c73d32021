// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module at stage `llvm` to LLVM IR, assembly and object files.

#ifndef WEFT_LOWERING_JIT_EMITCODE_H
#define WEFT_LOWERING_JIT_EMITCODE_H

#include "lowering/jit/CompileSteps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class DiagnosticInfo;
class TargetMachine;
} // namespace llvm

namespace weft {

/// Has LLVM's targets registered, once.
void registerTarget();

/// What LLVM compiles for: this CPU.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(llvm::CodeGenOptLevel level);

/// LLVM IR as it is before LLVM's own passes.
llvm::Expected<std::string> translateToLLVMIR(mlir::ModuleOp module);

/// The files of a module's parts: in the same order and of the same bytes
/// whatever the number of threads. What `steps` count are LLVM's instructions,
/// and last bytes.
llvm::Expected<std::vector<std::string>> emitCode(mlir::ModuleOp module,
                                                  llvm::CodeGenFileType kind,
                                                  CompileSteps &steps);

/// Adds LLVM's errors to a std::string, as a context's handler; LLVM would
/// print them and end the process.
void collectErrors(const llvm::DiagnosticInfo *info, void *text);

/// While it lives, LLVM's fatal errors in this thread are thrown as
/// `std::runtime_error`, once `installFatalErrorHandler` was called.
class FatalErrorGuard {
public:
  FatalErrorGuard();
  ~FatalErrorGuard();
  FatalErrorGuard(const FatalErrorGuard &) = delete;
};

/// Installed once; other fatal errors end the process, as LLVM would.
void installFatalErrorHandler();

} // namespace weft

#endif // WEFT_LOWERING_JIT_EMITCODE_H
