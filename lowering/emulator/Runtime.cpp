// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/emulator/Runtime.h"

using namespace weft::emulator;

namespace {
constexpr int32_t turnsAtOnce = 2048;
} // namespace

int32_t weft::emulator::turnsLeft = turnsAtOnce;
BlockRegisters weft::emulator::blockRegisters;

void weft::emulator::checkAccess(const Site *site, const char *address,
                                 uint64_t bytes, int kind) {
  if (bytes != 0 && !isLocal(address))
    block->access(*site, address, bytes, site->alignment,
                  static_cast<Access>(kind));
}

void weft::emulator::synchronizeAccess(const char *address, int acquires,
                                       int releases) {
  if (!isLocal(address))
    block->synchronizeAtomic(address, acquires, releases);
}

void weft::emulator::countTurns(const Site *site) {
  turnsLeft = turnsAtOnce;
  block->countSteps(*site, turnsAtOnce);
}

void weft::emulator::failUnknown(const Site &site, Slot *, void *) {
  block->fail(site, "the emulator does not know the instruction " + site.name);
}

void weft::emulator::failTrap(const Site &site, Slot *, void *) {
  block->fail(site, site.name == "unreachable"
                        ? "control gets to where it must not"
                        : "the kernel stops itself by " + site.name);
}
