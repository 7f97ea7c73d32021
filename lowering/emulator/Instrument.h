// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM IR for a GPU -> LLVM IR for this CPU that calls the emulator.

#ifndef WEFT_LOWERING_EMULATOR_INSTRUMENT_H
#define WEFT_LOWERING_EMULATOR_INSTRUMENT_H

#include "lowering/emulator/Program.h"
#include "llvm/ADT/StringRef.h"

namespace llvm {
class Module;
} // namespace llvm

namespace weft::emulator {

/// The function that takes a kernel's arguments from slots.
constexpr llvm::StringLiteral entryPrefix = "weft.entry.";

/// The line of an instruction's debug location says which of the places it is
/// from, counted from one. Adds the kernels, sites and shared variables to the
/// program; the kernels are not linked yet.
void instrument(llvm::Module &module, llvm::ArrayRef<std::string> places,
                Program &program);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_INSTRUMENT_H
