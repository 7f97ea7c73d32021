// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How threads wait for each other, and what they know of each other afterwards.

#include "lowering/emulator/Gather.h"
#include "llvm/ADT/STLExtras.h"

using namespace weft::emulator;

//===----------------------------------------------------------------------===//
// Knowledge
//===----------------------------------------------------------------------===//

void Block::release(Knowledge &to, Thread &thread) {
  to.learn(thread.known);
  to.learn(thread.index, thread.time);
  thread.time = tick();
}

void Block::join(llvm::ArrayRef<Thread *> joined) {
  Knowledge all;
  for (Thread *thread : joined)
    all.learn(thread->known);
  for (Thread *thread : joined)
    all.learn(thread->index, thread->time);
  for (Thread *thread : joined) {
    thread->known = all;
    thread->time = tick();
  }
}

void Block::joinAll() {
  for (Thread &thread : threads) {
    hardware.learn(thread.known);
    thread.known.forget();
  }
  base = tick();
  for (Thread &thread : threads)
    thread.time = base;
}

void Block::synchronizeAtomic(const char *address, bool acquires,
                              bool releases) {
  // What blocks tell each other, they tell as a whole.
  auto &told = launch.released[address];
  if (acquires)
    for (uint32_t other : told)
      if (!llvm::is_contained(knownBlocks, other))
        knownBlocks.push_back(other);
  if (releases) {
    uint32_t self = launch.blockStarts.size() - 1;
    if (!llvm::is_contained(told, self))
      told.push_back(self);
    for (uint32_t other : knownBlocks)
      if (!llvm::is_contained(told, other))
        told.push_back(other);
  }
  Knowledge &inside = atomics[address];
  if (acquires)
    current->known.learn(inside);
  if (releases)
    release(inside, *current);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

unsigned Block::lanesLeft(unsigned warp) const {
  unsigned mask = 0;
  size_t first = size_t(warp) * 32;
  for (size_t i = first; i < std::min(first + 32, threads.size()); ++i)
    if (threads[i].state != Thread::State::Done)
      mask |= 1u << (i - first);
  return mask;
}

namespace {

using Perform = void (*)(const Site &, const Lanes &);

bool isSame(const Gathering &gathering, const Site &site, uint32_t mask,
            bool isAligned) {
  return gathering.mask == mask &&
         (isAligned ? gathering.site == &site
                    : gathering.site->name == site.name);
}

void gatherLanes(const Site &site, uint32_t mask, Slot *operands, void *result,
                 Perform perform, bool isAligned) {
  Thread &self = *current;
  uint32_t own = 1u << self.lane;
  if (!(mask & own))
    block->fail(site, site.name + " with a mask that leaves out the lane " +
                          "itself (" + std::to_string(self.lane) + ")");
  auto &gatherings = block->gatherings[self.warp];
  auto *found = llvm::find_if(gatherings, [&](const Gathering &gathering) {
    return isSame(gathering, site, mask, isAligned) &&
           !(gathering.arrived & own);
  });
  if (found == gatherings.end()) {
    gatherings.push_back({&site, mask});
    found = &gatherings.back();
  }
  found->arrived |= own;
  found->perform = perform;
  self.operands = operands;
  self.result = result;
  if ((mask & block->lanesLeft(self.warp) & ~found->arrived) != 0) {
    block->wait(site, "in " + site.name + " for the other lanes of its warp");
    return;
  }
  Gathering complete = *found;
  gatherings.erase(found);
  block->complete(complete, self.warp);
}

} // namespace

void Block::complete(const Gathering &gathering, unsigned warp) {
  Thread *first = &threads[size_t(warp) * 32];
  gathering.perform(*gathering.site, {first, gathering.arrived});
  for (int lane = 0; lane < 32; ++lane)
    if (gathering.arrived >> lane & 1)
      wake(first[lane]);
}

void weft::emulator::gather(const Site &site, uint32_t mask, Slot *operands,
                            void *result, Perform perform) {
  gatherLanes(site, mask, operands, result, perform, false);
}

void weft::emulator::gatherAligned(const Site &site, Slot *operands,
                                   void *result, Perform perform) {
  size_t first = size_t(current->warp) * 32;
  if (first + 32 > block->threads.size())
    block->fail(site, site.name + " in a warp of fewer than 32 threads");
  gatherLanes(site, ~0u, operands, result, perform, true);
}

void Block::exitCurrent() {
  Thread &self = *current;
  self.state = Thread::State::Done;
  --live;
  settleAll(self);
  // Whoever waits for its warp waits for one less.
  auto &open = gatherings[self.warp];
  for (size_t i = 0; i < open.size();) {
    Gathering gathering = open[i];
    if ((gathering.mask & lanesLeft(self.warp) & ~gathering.arrived) != 0) {
      ++i;
      continue;
    }
    open.erase(open.begin() + i);
    complete(gathering, self.warp);
  }
  leave();
}
