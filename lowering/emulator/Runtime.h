// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the code of kernels calls and reads.

#ifndef WEFT_LOWERING_EMULATOR_RUNTIME_H
#define WEFT_LOWERING_EMULATOR_RUNTIME_H

#include "lowering/emulator/Block.h"

namespace weft::emulator {

/// Before each access to memory.
void checkAccess(const Site *site, const char *address, uint64_t bytes,
                 int kind);
/// Before an atomic access.
void synchronizeAccess(const Site *site, const char *address, int acquires,
                       int releases);
/// For an instruction that only a GPU has.
void runHandler(const Site *site, Slot *operands, void *result);
/// After so many turns of a loop.
void countTurns(const Site *site);
/// Where a function that a kernel calls begins.
void enterFunction(const Site *site);
/// An instruction that no handler knows.
void failUnknown(const Site &site, Slot *operands, void *result);
/// One that must not be reached.
void failTrap(const Site &site, Slot *operands, void *result);

/// How many turns of loops are left until they are counted.
extern int32_t turnsLeft;

/// What is the same for all threads of a block.
struct BlockRegisters {
  int32_t ctaid[3], nctaid[3], ntid[3];
};
extern BlockRegisters blockRegisters;

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_RUNTIME_H
