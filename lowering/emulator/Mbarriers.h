// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Barriers in shared memory, which threads and copies arrive at.

#ifndef WEFT_LOWERING_EMULATOR_MBARRIERS_H
#define WEFT_LOWERING_EMULATOR_MBARRIERS_H

#include "lowering/emulator/Block.h"

namespace weft::emulator {

/// The mbarrier at an address, which must be initialised, and visibly so.
Mbarrier &findMbarrier(const Site &site, const char *address);

void initMbarrier(const Site &site, const char *address, int64_t count);
void invalidateMbarrier(const Site &site, const char *address);
/// Returns the phase that it arrives in.
uint64_t arriveAt(const Site &site, Mbarrier &barrier, int64_t count);
void expectBytes(const Site &site, Mbarrier &barrier, int64_t bytes);
/// So many bytes have arrived; called by the hardware too.
void completeBytes(Mbarrier &barrier, int64_t bytes);
/// Waits for the end of a phase of this parity.
void waitParity(const Site &site, Mbarrier &barrier, unsigned parity);
void waitPhase(const Site &site, Mbarrier &barrier, uint64_t phase);
/// Whether it has ended, after others had a turn.
bool testParity(Mbarrier &barrier, unsigned parity);
bool testPhase(Mbarrier &barrier, uint64_t phase);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_MBARRIERS_H
