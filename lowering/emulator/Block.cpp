// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block's threads take turns, one fiber each, until all are done or none can
// go on.

#include "lowering/emulator/Block.h"
#include "lowering/emulator/Fiber.h"
#include "lowering/emulator/Runtime.h"
#include "lowering/runtime/Signals.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace weft::emulator;

Block *weft::emulator::block = nullptr;
Thread *weft::emulator::current = nullptr;
uint64_t Block::clock = 0;

namespace {

/// Kept for the next launch: they are much memory that is seldom touched.
char *stacks() {
  static char *memory = reserveStacks(maxThreads);
  return memory;
}

std::string coordinates(int x, int y, int z) {
  return llvm::formatv("({0}, {1}, {2})", x, y, z).str();
}

} // namespace

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

static void runCurrent() {
  block->launch.kernel.entry(block->launch.arguments.data());
  block->exitCurrent();
}

Block::Block(Launch &launch, Dim3 place)
    : launch(launch), place(place), threads(launch.numThreads) {
  auto [sizeX, sizeY, sizeZ] = launch.threads;
  begin = base = tick();
  ready.reserve(threads.size());
  for (unsigned i = 0; i < threads.size(); ++i) {
    Thread &thread = threads[i];
    thread.index = i;
    thread.tid[0] = i % sizeX;
    thread.tid[1] = i / sizeX % sizeY;
    thread.tid[2] = i / sizeX / sizeY;
    thread.lane = i % 32;
    thread.warp = i / 32;
    thread.time = base;
    thread.stack = stacks() + i * stackBytes;
    thread.place = prepareStack(thread.stack, runCurrent);
    ready.push_back(&thread);
  }
  if (launch.schedule.order == Order::Forward)
    std::reverse(ready.begin(), ready.end());
  live = threads.size();
  prepareShared();
}

Block::~Block() = default;

/// Nothing of what an earlier block left.
void Block::prepareShared() {
  for (auto &variable : launch.shared) {
    variable->poison();
    if (launch.hasPending)
      variable->forgetAccesses();
  }
  launch.hasPending = false;
}

Thread &Block::pick() {
  size_t chosen = ready.size() - 1;
  if (launch.schedule.order == Order::Random)
    std::swap(ready[randomBelow(ready.size())], ready[chosen]);
  Thread &thread = *ready[chosen];
  ready.pop_back();
  return thread;
}

void Block::run() {
  block = this;
  std::copy(place.begin(), place.end(), blockRegisters.ctaid);
  std::copy(launch.grid.begin(), launch.grid.end(), blockRegisters.nctaid);
  std::copy(launch.threads.begin(), launch.threads.end(), blockRegisters.ntid);
  bool isRandom = launch.schedule.order == Order::Random;
  bool isEager = launch.schedule.order == Order::Backward;
  while (live > 0 && !failure) {
    if (!bulkCopies.empty() &&
        (ready.empty() || isEager || (isRandom && randomBelow(8) == 0)))
      landCopy();
    if (ready.empty()) {
      if (bulkCopies.empty())
        reportDeadlock();
      continue;
    }
    current = &pick();
    switchStack(&schedulerPlace, current->place);
    // A signal's handler is called, on a stack that has room for it.
    if (std::exchange(mayStop, false) && weft::runtime::shouldStop() &&
        !failure)
      failure = Failure{launch.kernel.place,
                        "interrupted, in kernel " + launch.name.str()};
  }
  current = nullptr;
  block = nullptr;
}

void Block::yield() {
  // At the end that is picked last, where turns are in order.
  if (launch.schedule.order == Order::Random)
    ready.push_back(current);
  else
    ready.insert(ready.begin(), current);
  switchStack(&current->place, schedulerPlace);
}

void Block::wait(const Site &site, std::string what) {
  Thread &self = *current;
  self.state = Thread::State::Waiting;
  self.site = &site;
  self.waitsFor = std::move(what);
  switchStack(&self.place, schedulerPlace);
}

void Block::wake(Thread &thread) {
  if (thread.state != Thread::State::Waiting)
    return;
  thread.state = Thread::State::Ready;
  ready.push_back(&thread);
}

void Block::leave() {
  for (;;)
    switchStack(&current->place, schedulerPlace);
}

void Block::fail(const Site &site, const std::string &message) {
  if (!failure) {
    failure.emplace();
    failure->place = site.place.empty() ? launch.kernel.place : site.place;
    failure->message = message + ", in kernel " + launch.name.str() +
                       ", block " + coordinates(place[0], place[1], place[2]) +
                       ", thread " + describeThread(current->index);
  }
  leave();
}

void Block::countSteps(const Site &site, uint64_t count) {
  steps += count;
  if (steps > launch.schedule.stepLimit)
    fail(site, "this loop does not end: the block has taken " +
                   std::to_string(steps) + " turns of its loops");
  mayStop = true;
  yield();
}

std::string Block::describeThread(unsigned index) const {
  const Thread &thread = threads[index];
  return coordinates(thread.tid[0], thread.tid[1], thread.tid[2]);
}

//===----------------------------------------------------------------------===//
// Nobody can go on
//===----------------------------------------------------------------------===//

void Block::reportDeadlock() {
  const Thread *waiting = nullptr, *other = nullptr, *done = nullptr;
  for (const Thread &thread : threads) {
    if (thread.state == Thread::State::Done)
      done = &thread;
    else if (!waiting)
      waiting = &thread;
    else if (thread.site != waiting->site)
      other = &thread;
  }
  std::string message = "thread " + describeThread(waiting->index) +
                        " waits for good " + waiting->waitsFor;
  if (other)
    message += "; thread " + describeThread(other->index) + " waits " +
               other->waitsFor +
               (other->site->place.empty() ? "" : " at " + other->site->place);
  if (done)
    message += "; thread " + describeThread(done->index) + " has exited";
  failure = Failure{waiting->site->place,
                    message + ", in kernel " + launch.name.str() + ", block " +
                        coordinates(place[0], place[1], place[2])};
}

//===----------------------------------------------------------------------===//
// A launch
//===----------------------------------------------------------------------===//

/// A place for each shared variable of this launch.
static void placeShared(Launch &launch) {
  char *window = sharedWindow();
  auto add = [&](const std::string &name, size_t offset, size_t bytes) {
    launch.shared.push_back(std::make_unique<Allocation>(
        Allocation::Kind::Shared, name, window + offset, bytes));
  };
  for (const SharedVariable &variable : launch.kernel.shared)
    add("shared variable " + variable.name, variable.offset, variable.bytes);
  if (launch.dynamicBytes)
    add("dynamic shared memory", launch.program.dynamicOffset,
        launch.dynamicBytes);
}

static Failure refusal(const Launch &launch, const llvm::Twine &message) {
  return {launch.kernel.place,
          ("kernel " + launch.name + " cannot be launched: " + message).str()};
}

static std::optional<Failure> checkLaunch(Launch &launch) {
  if (!hasFibers())
    return refusal(launch, "the emulator runs on x86-64 only");
  if (!stacks() || !sharedWindow())
    return refusal(launch, "there is no memory for its threads");
  for (int i = 0; i < 3; ++i) {
    if (launch.grid[i] < 1 || launch.threads[i] < 1)
      return refusal(launch, "its grid or block is empty");
    if (launch.kernel.block[i] && launch.kernel.block[i] != launch.threads[i])
      return refusal(launch, "it is for blocks of another size");
  }
  uint64_t count = uint64_t(launch.threads[0]) * launch.threads[1];
  count *= launch.threads[2];
  if (count > maxThreads)
    return refusal(launch, llvm::Twine(count) + " threads are more than " +
                               llvm::Twine(maxThreads) + " a block");
  launch.numThreads = count;
  size_t bytes = launch.kernel.sharedBytes + launch.dynamicBytes;
  if (bytes > mostSharedBytes)
    return refusal(launch, llvm::Twine(bytes) + " bytes of shared memory are " +
                               "more than " + llvm::Twine(mostSharedBytes));
  if (launch.program.dynamicOffset + launch.dynamicBytes > sharedWindowBytes)
    return refusal(launch, "its shared memory does not fit");
  if (launch.kernel.stackBytes > stackBytes - stackReserve)
    return refusal(launch, "its local memory is larger than the emulator's");
  return std::nullopt;
}

std::optional<Failure> weft::emulator::run(Launch &launch) {
  if (auto failure = checkLaunch(launch))
    return failure;
  launch.random.seed(launch.schedule.seed);
  placeShared(launch);
  for (int z = 0; z < launch.grid[2]; ++z)
    for (int y = 0; y < launch.grid[1]; ++y)
      for (int x = 0; x < launch.grid[0]; ++x)
        launch.blockPlaces.push_back({x, y, z});
  if (launch.schedule.order == Order::Random)
    std::shuffle(launch.blockPlaces.begin(), launch.blockPlaces.end(),
                 launch.random);
  if (launch.schedule.order == Order::Backward)
    std::reverse(launch.blockPlaces.begin(), launch.blockPlaces.end());
  for (const Dim3 &place : launch.blockPlaces) {
    Block running(launch, place);
    if (launch.blockStarts.empty())
      launch.start = running.begin;
    launch.blockStarts.push_back(running.begin);
    running.run();
    if (running.failure)
      return running.failure;
  }
  return std::nullopt;
}
