// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The barriers of a block: of all threads, and named ones of some.

#include "lowering/emulator/Gather.h"
#include "lowering/emulator/Handlers.h"

using namespace weft::emulator;

namespace {

NamedBarrier &find(const Site &site, int id) {
  if (id < 0 || id >= 16)
    block->fail(site, "there is no barrier " + std::to_string(id) +
                          ": they are numbered from 0 to 15");
  return block->barriers[id];
}

void expect(const Site &site, NamedBarrier &barrier, int id, unsigned count) {
  if (count == 0 || count % 32 != 0)
    if (count != block->numThreads())
      block->fail(site, "barrier " + std::to_string(id) + " of " +
                            std::to_string(count) +
                            " threads, which is no multiple of 32");
  if (count > block->numThreads())
    block->fail(site, "barrier " + std::to_string(id) + " waits for " +
                          std::to_string(count) + " threads, and the block " +
                          "has only " + std::to_string(block->numThreads()));
  if (barrier.arrived && barrier.expected != count)
    block->fail(site, "barrier " + std::to_string(id) + " of " +
                          std::to_string(count) + " threads, where others " +
                          "arrived at it as one of " +
                          std::to_string(barrier.expected));
  barrier.expected = count;
}

/// The threads of a warp must be at one place of the code.
void requireUniform(const Site &site, const NamedBarrier &barrier) {
  for (const Thread *other : barrier.waiting)
    if (other->warp == current->warp && other->site != &site)
      block->fail(site, "barrier divergence: thread " +
                            block->describeThread(other->index) +
                            " of the same warp waits at another barrier" +
                            (other->site->place.empty()
                                 ? ""
                                 : ", that of " + other->site->place));
}

void complete(NamedBarrier &barrier) {
  auto waiting = std::move(barrier.waiting);
  int sum = barrier.sum;
  unsigned expected = barrier.expected;
  Knowledge known = barrier.known;
  barrier = NamedBarrier();
  if (waiting.size() == block->numThreads()) {
    block->joinAll();
  } else {
    for (Thread *thread : waiting)
      thread->known.learn(known);
    block->join(waiting);
  }
  for (Thread *thread : waiting) {
    if (thread->result)
      reduceBarrier(*thread, sum, expected);
    block->wake(*thread);
  }
}

void arrive(const Site &site, int id, unsigned count, bool waits) {
  NamedBarrier &barrier = find(site, id);
  expect(site, barrier, id, count);
  if (waits)
    requireUniform(site, barrier);
  ++barrier.arrived;
  if (waits)
    barrier.waiting.push_back(current);
  else
    block->release(barrier.known, *current);
  if (barrier.arrived < barrier.expected) {
    if (waits)
      block->wait(site, "at barrier " + std::to_string(id) + " for " +
                            std::to_string(count) + " threads");
    return;
  }
  current->site = &site;
  complete(barrier);
}

void syncAll(const Site &site, Slot *operands, void *) {
  current->result = nullptr;
  arrive(site, operands[0].get<int>(), block->numThreads(), true);
}

void syncCount(const Site &site, Slot *operands, void *) {
  current->result = nullptr;
  arrive(site, operands[0].get<int>(), operands[1].get<int>(), true);
}

void syncZero(const Site &site, Slot *, void *) {
  current->result = nullptr;
  arrive(site, 0, block->numThreads(), true);
}

void arriveCount(const Site &site, Slot *operands, void *) {
  arrive(site, operands[0].get<int>(), operands[1].get<int>(), false);
}

/// barrier.red: the last operand is what each thread gives.
template <bool hasCount>
void reduceAll(const Site &site, Slot *operands, void *result) {
  NamedBarrier &barrier = find(site, operands[0].get<int>());
  unsigned count = hasCount ? operands[1].get<unsigned>() : block->numThreads();
  barrier.sum += operands[hasCount ? 2 : 1].get<bool>();
  current->operands = operands;
  current->result = result;
  current->site = &site;
  arrive(site, operands[0].get<int>(), count, true);
}

void joinLanes(const Site &, const Lanes &lanes) {
  llvm::SmallVector<Thread *, 32> joined;
  for (int lane = 0; lane < 32; ++lane)
    if (lanes.has(lane))
      joined.push_back(&lanes.first[lane]);
  block->join(joined);
}

void syncWarp(const Site &site, Slot *operands, void *) {
  gather(site, operands[0].get<uint32_t>(), operands, nullptr, joinLanes);
}

} // namespace

void weft::emulator::reduceBarrier(Thread &thread, int sum, int expected) {
  llvm::StringRef name = thread.site->name;
  if (name.contains(".red.popc"))
    *static_cast<int32_t *>(thread.result) = sum;
  else
    *static_cast<bool *>(thread.result) =
        name.contains(".red.or") ? sum != 0 : sum == expected;
}

void weft::emulator::addBarriers(Handlers &handlers) {
  for (const char *form : {"barrier.cta.sync", "barrier.cta.sync.aligned"}) {
    handlers.add(std::string(form) + ".all", syncAll);
    handlers.add(std::string(form) + ".count", syncCount);
  }
  for (const char *form : {"barrier.cta.arrive", "barrier.cta.arrive.aligned"})
    handlers.add(std::string(form) + ".count", arriveCount);
  for (const char *kind : {"and", "or", "popc"})
    for (const char *form : {"", ".aligned"}) {
      std::string name = std::string("barrier.cta.red.") + kind + form;
      handlers.add(name + ".all", reduceAll<false>);
      handlers.add(name + ".count", reduceAll<true>);
    }
  handlers.add("barrier0", syncZero);
  handlers.add("bar.warp.sync", syncWarp);
  // A cluster is one block here.
  for (const char *form : {"", ".aligned"})
    handlers.add(std::string("barrier.cluster.wait") + form, syncZero);
}
