// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions that the threads of a warp do together.

#ifndef WEFT_LOWERING_EMULATOR_GATHER_H
#define WEFT_LOWERING_EMULATOR_GATHER_H

#include "lowering/emulator/Block.h"

namespace weft::emulator {

/// The lanes of a warp that are in an instruction together.
struct Lanes {
  Thread *first;
  uint32_t mask;

  bool has(int lane) const { return mask >> (lane & 31) & 1; }
  template <typename T> T operand(int lane, int i) const {
    return first[lane].operands[i].get<T>();
  }
  template <typename T> T *result(int lane) const {
    return static_cast<T *>(first[lane].result);
  }
};

/// Waits for the lanes of a mask that have not exited; what the last of them
/// does is done for all.
void gather(const Site &site, uint32_t mask, Slot *operands, void *result,
            void (*perform)(const Site &, const Lanes &));

/// Of all lanes, which must be at one place of the code.
void gatherAligned(const Site &site, Slot *operands, void *result,
                   void (*perform)(const Site &, const Lanes &));

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_GATHER_H
