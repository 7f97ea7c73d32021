// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The doors from the code of kernels to the emulator. No exception may leave
// them: that code could not be unwound.

#include "lowering/emulator/Runtime.h"
#include "lowering/emulator/Fiber.h"
#include <new>

using namespace weft::emulator;

namespace {
constexpr int32_t turnsAtOnce = 2048;

template <typename Function> void guarded(const Site &site, Function function) {
  bool isWanting = false;
  try {
    function();
  } catch (const std::bad_alloc &) {
    isWanting = true;
  }
  if (isWanting)
    block->fail(site, "the emulator has no memory left for what it notes");
}
} // namespace

int32_t weft::emulator::turnsLeft = turnsAtOnce;
BlockRegisters weft::emulator::blockRegisters;

void weft::emulator::checkAccess(const Site *site, const char *address,
                                 uint64_t bytes, int kind) {
  if (bytes == 0 || isLocal(address))
    return;
  guarded(*site, [&] {
    block->access(*site, address, bytes, site->alignment,
                  static_cast<Access>(kind));
  });
}

void weft::emulator::synchronizeAccess(const Site *site, const char *address,
                                       int acquires, int releases) {
  if (isLocal(address))
    return;
  guarded(*site,
          [&] { block->synchronizeAtomic(address, acquires, releases); });
}

void weft::emulator::runHandler(const Site *site, Slot *operands,
                                void *result) {
  guarded(*site, [&] { site->handler(*site, operands, result); });
}

void weft::emulator::countTurns(const Site *site) {
  turnsLeft = turnsAtOnce;
  block->countSteps(*site, turnsAtOnce);
}

void weft::emulator::enterFunction(const Site *site) {
  const char here = 0;
  if (&here < current->stack + stackReserve)
    block->fail(*site,
                "calls are nested too deep: each thread has a stack of " +
                    std::to_string(stackBytes >> 10) + " KiB");
  if (--turnsLeft <= 0)
    countTurns(site);
}

void weft::emulator::failUnknown(const Site &site, Slot *, void *) {
  block->fail(site, "the emulator does not know the instruction " + site.name);
}

void weft::emulator::failTrap(const Site &site, Slot *, void *) {
  block->fail(site, site.name == "unreachable"
                        ? "control gets to where it must not"
                        : "the kernel stops itself by " + site.name);
}
