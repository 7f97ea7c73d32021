// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef WEFT_LOWERING_EMULATOR_SHAREDVARIABLES_H
#define WEFT_LOWERING_EMULATOR_SHAREDVARIABLES_H

#include "lowering/emulator/Program.h"
#include "llvm/ADT/ArrayRef.h"

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace weft::emulator {

constexpr unsigned sharedSpace = 3;

/// Gives each shared variable of a module its place in the window of shared
/// memory, and tells each kernel of the program which ones it has.
void placeSharedVariables(llvm::Module &module,
                          llvm::ArrayRef<llvm::Function *> kernels,
                          Program &program);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_SHAREDVARIABLES_H
