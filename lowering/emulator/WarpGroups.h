// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wgmma: products of 64 rows that the four warps of a group make together, of
// matrices in shared memory.

#ifndef WEFT_LOWERING_EMULATOR_WARPGROUPS_H
#define WEFT_LOWERING_EMULATOR_WARPGROUPS_H

#include "lowering/emulator/Block.h"
#include "lowering/emulator/Floats.h"

namespace weft::emulator {

/// What one thread brings to a product of its group.
struct GroupProduct {
  int columns = 0, depth = 0;
  Number type = Number::BFloat16;
  /// Its part of the sums, which the product is added to or takes the place of.
  std::vector<uint64_t> sums;
  /// Its part of the left matrix, if that is in registers.
  std::vector<uint64_t> left;
  uint64_t leftDescriptor = 0, rightDescriptor = 0;
  bool adds = true, negatesLeft = false, negatesRight = false;
  bool isLeftTransposed = false, isRightTransposed = false;
};

/// Waits for all 128 threads; the last of them fills the sums of all.
void multiplyTogether(const Site &site, GroupProduct &product);

void commitProducts();
/// Waits for all groups of products but the last few.
void waitForProducts(const Site &site, size_t kept);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_WARPGROUPS_H
