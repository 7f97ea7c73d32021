// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An mbarrier counts arrivals and bytes; a phase that has both ends, and what
// those knew who arrived is known to those who waited.

#include "lowering/emulator/Mbarriers.h"
#include "lowering/emulator/Handlers.h"

using namespace weft::emulator;

constexpr size_t mbarrierBytes = 8;

//===----------------------------------------------------------------------===//
// What they do
//===----------------------------------------------------------------------===//

Mbarrier &weft::emulator::findMbarrier(const Site &site, const char *address) {
  block->locate(site, address, mbarrierBytes, mbarrierBytes, "waits at");
  auto found = block->mbarriers.find(address);
  if (found == block->mbarriers.end())
    block->fail(site, "uninitialised: there is no mbarrier at " +
                          block->describeAddress(address));
  Mbarrier &barrier = found->second;
  if (!block->isKnown(barrier.initialised, *current))
    block->fail(site, "data race: uses the mbarrier at " +
                          block->describeAddress(address) + ", which thread " +
                          block->describeThread(actorOf(barrier.initialised)) +
                          " initialised, with no barrier in between");
  return barrier;
}

void weft::emulator::initMbarrier(const Site &site, const char *address,
                                  int64_t count) {
  block->access(site, address, mbarrierBytes, mbarrierBytes, Access::Store);
  bool isNew = !block->mbarriers.count(address);
  if (isNew && block->mbarriers.size() == maxMbarriers)
    block->fail(site, "more mbarriers than the emulator has room for: " +
                          std::to_string(maxMbarriers));
  unsigned actor = firstMbarrier + block->mbarriers.size();
  Mbarrier &barrier = block->mbarriers[address];
  if (!isNew) {
    actor = barrier.actor;
    barrier = Mbarrier();
  }
  barrier.actor = actor;
  barrier.count = barrier.pending = count;
  barrier.initialised = makeStamp(current->time, current->index);
}

void weft::emulator::invalidateMbarrier(const Site &site, const char *address) {
  findMbarrier(site, address);
  // Its actor stays its own: the place may become an mbarrier again.
  block->mbarriers[address].count = 0;
}

static void endPhase(Mbarrier &barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0)
    return;
  ++barrier.phase;
  barrier.pending = barrier.count;
  barrier.complete = barrier.gathering;
  for (Thread *thread : barrier.waiting)
    block->wake(*thread);
  barrier.waiting.clear();
}

uint64_t weft::emulator::arriveAt(const Site &site, Mbarrier &barrier,
                                  int64_t count) {
  if (count < 1 || count > barrier.pending)
    block->fail(site, std::to_string(count) +
                          " arrivals at an mbarrier that expects only " +
                          std::to_string(barrier.pending) +
                          " more in its phase");
  uint64_t phase = barrier.phase;
  block->release(barrier.gathering, *current);
  barrier.pending -= count;
  endPhase(barrier);
  return phase;
}

void weft::emulator::expectBytes(const Site &, Mbarrier &barrier,
                                 int64_t bytes) {
  barrier.bytes += bytes;
}

void weft::emulator::completeBytes(Mbarrier &barrier, int64_t bytes) {
  barrier.bytes -= bytes;
  endPhase(barrier);
}

void weft::emulator::waitPhase(const Site &site, Mbarrier &barrier,
                               uint64_t phase) {
  while (barrier.phase <= phase) {
    barrier.waiting.push_back(current);
    block->wait(site, "at an mbarrier for " + std::to_string(barrier.pending) +
                          " more arrivals and " +
                          std::to_string(barrier.bytes) + " more bytes");
  }
  current->known.learn(barrier.complete);
}

/// A phase of the other parity than the one that goes on has ended before.
static uint64_t phaseOf(const Mbarrier &barrier, unsigned parity) {
  return (barrier.phase & 1) == (parity & 1) ? barrier.phase
                                             : barrier.phase - 1;
}

void weft::emulator::waitParity(const Site &site, Mbarrier &barrier,
                                unsigned parity) {
  // Before the first phase one of odd parity counts as ended.
  if ((barrier.phase & 1) != (parity & 1))
    current->known.learn(barrier.complete);
  else
    waitPhase(site, barrier, phaseOf(barrier, parity));
}

bool weft::emulator::testParity(Mbarrier &barrier, unsigned parity) {
  block->yield();
  if ((barrier.phase & 1) == (parity & 1))
    return false;
  current->known.learn(barrier.complete);
  return true;
}

bool weft::emulator::testPhase(Mbarrier &barrier, uint64_t phase) {
  block->yield();
  if (barrier.phase <= phase)
    return false;
  current->known.learn(barrier.complete);
  return true;
}

//===----------------------------------------------------------------------===//
// Intrinsics: the address comes first
//===----------------------------------------------------------------------===//

namespace {

Mbarrier &barrierOf(const Site &site, Slot *operands) {
  return findMbarrier(site, operands[0].get<const char *>());
}

void setPhase(void *result, uint64_t phase) {
  if (result)
    *static_cast<uint64_t *>(result) = phase;
}

void init(const Site &site, Slot *operands, void *) {
  initMbarrier(site, operands[0].get<const char *>(), operands[1].get<int>());
}

void invalidate(const Site &site, Slot *operands, void *) {
  invalidateMbarrier(site, operands[0].get<const char *>());
}

void arriveOnce(const Site &site, Slot *operands, void *result) {
  setPhase(result, arriveAt(site, barrierOf(site, operands), 1));
}

void arriveTimes(const Site &site, Slot *operands, void *result) {
  Mbarrier &barrier = barrierOf(site, operands);
  setPhase(result, arriveAt(site, barrier, operands[1].get<int>()));
}

void arriveExpect(const Site &site, Slot *operands, void *result) {
  Mbarrier &barrier = barrierOf(site, operands);
  expectBytes(site, barrier, operands[1].get<int>());
  setPhase(result, arriveAt(site, barrier, 1));
}

void arriveDrop(const Site &site, Slot *operands, void *result) {
  Mbarrier &barrier = barrierOf(site, operands);
  --barrier.count;
  setPhase(result, arriveAt(site, barrier, 1));
}

void expectOnly(const Site &site, Slot *operands, void *) {
  expectBytes(site, barrierOf(site, operands), operands[1].get<int>());
}

void completeOnly(const Site &site, Slot *operands, void *) {
  completeBytes(barrierOf(site, operands), operands[1].get<int>());
}

void test(const Site &site, Slot *operands, void *result) {
  *static_cast<bool *>(result) =
      testPhase(barrierOf(site, operands), operands[1].get<uint64_t>());
}

void testOfParity(const Site &site, Slot *operands, void *result) {
  *static_cast<bool *>(result) =
      testParity(barrierOf(site, operands), operands[1].get<unsigned>());
}

void tryWait(const Site &site, Slot *operands, void *result) {
  waitPhase(site, barrierOf(site, operands), operands[1].get<uint64_t>());
  *static_cast<bool *>(result) = true;
}

void tryWaitParity(const Site &site, Slot *operands, void *result) {
  waitParity(site, barrierOf(site, operands), operands[1].get<unsigned>());
  *static_cast<bool *>(result) = true;
}

/// Arrives once the copies that the thread has started are done: here, at once.
template <bool arrives>
void arriveAfterCopies(const Site &site, Slot *operands, void *) {
  Mbarrier &barrier = barrierOf(site, operands);
  finishAsyncCopies(*current);
  if (arrives)
    arriveAt(site, barrier, 1);
}

} // namespace

void weft::emulator::addMbarriers(Handlers &handlers) {
  const std::string prefix = "mbarrier.";
  for (const char *space : {"", ".shared"}) {
    handlers.add(prefix + "init" + space, init);
    handlers.add(prefix + "inval" + space, invalidate);
    handlers.add(prefix + "arrive" + space, arriveOnce);
    handlers.add(prefix + "arrive.noComplete" + space, arriveTimes);
    handlers.add(prefix + "arrive.drop" + space, arriveDrop);
    handlers.add(prefix + "test.wait" + space, test);
    std::string copies = std::string("cp.async.mbarrier.arrive");
    handlers.add(copies + space, arriveAfterCopies<false>);
    handlers.add(copies + ".noinc" + space, arriveAfterCopies<true>);
  }
  for (const char *order : {"", "relaxed."}) {
    handlers.addFamily(prefix + "arrive." + order + "scope.", arriveTimes);
    handlers.addFamily(prefix + "arrive.expect.tx." + order + "scope.",
                       arriveExpect);
    handlers.addFamily(prefix + "test.wait." + order + "scope.", test);
    handlers.addFamily(prefix + "test.wait.parity." + order + "scope.",
                       testOfParity);
    for (const char *limit : {"", "tl."}) {
      handlers.addFamily(prefix + "try.wait." + limit + order + "scope.",
                         tryWait);
      handlers.addFamily(prefix + "try.wait.parity." + limit + order + "scope.",
                         tryWaitParity);
    }
  }
  handlers.addFamily(prefix + "expect.tx.", expectOnly);
  handlers.addFamily(prefix + "complete.tx.", completeOnly);
}
