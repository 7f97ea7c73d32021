// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The block of threads that runs: its threads, whom they wait for, and the
// checks of what they do. One block runs at a time in a process.

#ifndef WEFT_LOWERING_EMULATOR_BLOCK_H
#define WEFT_LOWERING_EMULATOR_BLOCK_H

#include "lowering/emulator/Program.h"
#include "lowering/emulator/TensorMap.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <functional>
#include <optional>
#include <random>

namespace weft::emulator {

/// What a launch ends with if it is wrong: the user's line, and what happened.
struct Failure {
  std::string place, message;
};

using Dim3 = std::array<int, 3>;

enum class Access { Load, Store, Atomic, AtomicStore };

/// Bytes of one allocation.
struct Range {
  Allocation *allocation = nullptr;
  size_t offset = 0, bytes = 0;
  char *data() const { return allocation->data + offset; }
};

/// A copy to shared memory that is under way.
struct PendingCopy {
  Range to, from;
  /// What is left of `to` becomes zero.
  size_t bytes;
};

/// A copy from shared memory that is under way.
struct BulkStore {
  Range from;
  std::function<void()> land;
};

/// The last of some groups, which is not committed yet.
template <typename Group> Group &openGroup(std::vector<Group> &groups) {
  if (groups.empty())
    groups.emplace_back();
  return groups.back();
}

/// Commits the last group.
template <typename Group> void commitGroup(std::vector<Group> &groups) {
  openGroup(groups);
  groups.emplace_back();
}

/// What a thread's last fence between the proxies covers: its own writes up to
/// some time, and those that it knew.
struct ProxyFence {
  uint64_t own = 0, base = 0;
  Knowledge known;
};

struct GroupProduct;

struct Thread {
  // Read by the code of kernels: see Instrument.cpp.
  int32_t tid[3];
  int32_t lane, warp;

  unsigned index;
  char *stack = nullptr;
  void *place = nullptr;
  uint64_t time = 0;
  Knowledge known;
  enum class State { Ready, Waiting, Done } state = State::Ready;
  /// Where it waits, and what for.
  const Site *site = nullptr;
  std::string waitsFor;
  /// Of the instruction that it does together with others.
  Slot *operands = nullptr;
  void *result = nullptr;

  ProxyFence fence;

  /// Its part of a product of its warp group, and how many groups of products
  /// it has committed.
  GroupProduct *product = nullptr;
  size_t committed = 0;

  /// cp.async: copies by group, the last one not committed yet.
  std::vector<std::vector<PendingCopy>> copies;
  /// Bulk stores, likewise.
  std::vector<std::vector<BulkStore>> stores;
};

struct Lanes;

/// Threads that wait for each other to do one thing together.
struct Gathering {
  const Site *site;
  uint32_t mask, arrived = 0;
  void (*perform)(const Site &, const Lanes &) = nullptr;
};

struct NamedBarrier {
  unsigned expected = 0, arrived = 0;
  Knowledge known;
  llvm::SmallVector<Thread *, 0> waiting;
  /// The sum, and, or of what was given.
  int sum = 0;
};

struct Mbarrier {
  unsigned actor = 0;
  int64_t count = 0, pending = 0, bytes = 0;
  uint64_t phase = 0;
  Stamp initialised = 0;
  Knowledge gathering, complete;
  llvm::SmallVector<Thread *, 4> waiting;
};

/// A copy that the hardware makes by itself, and whose end an mbarrier learns.
struct BulkCopy {
  Mbarrier *barrier;
  Range to;
  std::function<void()> land;
  uint64_t bytes;
};

/// Products that are waited for together: what they read, and since when
/// somebody knows that they are done.
struct ProductGroup {
  std::vector<Range> reads;
  uint64_t settled = 0;
};

struct WarpGroup {
  std::vector<ProductGroup> groups = {{}};
  unsigned arrived = 0;
  const Site *site = nullptr;
};

/// How threads take turns: in order, from the last to the first, or at random.
enum class Order { Forward, Backward, Random };

struct Schedule {
  Order order = Order::Random;
  uint64_t seed = 0;
  /// Whether threads take turns at accesses to memory too.
  bool isThorough = false;
  uint64_t stepLimit = 0;
};

/// What all blocks of a launch have in common.
struct Launch {
  Memory &memory;
  Program &program;
  llvm::StringRef name;
  const Kernel &kernel;
  Dim3 grid, threads;
  size_t dynamicBytes;
  std::vector<Slot> arguments = {};
  std::vector<std::unique_ptr<TensorMap>> maps = {};
  Schedule schedule = {};

  unsigned numThreads = 0;
  std::mt19937_64 random = {};
  uint64_t start = 0;
  /// Whether the hardware may have left marks in shared memory.
  bool hasPending = false;
  /// When each block began, in the order in which they run.
  std::vector<uint64_t> blockStarts = {};
  std::vector<Dim3> blockPlaces = {};
  std::vector<std::unique_ptr<Allocation>> shared = {};
  /// What atomics in device memory have told, by their address: blocks.
  std::map<const char *, llvm::SmallVector<uint32_t, 4>> released = {};
};

class Block {
public:
  Block(Launch &launch, Dim3 place);
  ~Block();
  void run();

  //===--------------------------------------------------------------------===//
  // What instructions call, from the stack of `current`
  //===--------------------------------------------------------------------===//

  /// Ends the launch.
  [[noreturn]] void fail(const Site &site, const std::string &message);
  /// Lets others run until somebody wakes this thread.
  void wait(const Site &site, std::string what);
  void wake(Thread &thread);
  /// Lets others run.
  void yield();
  void countSteps(const Site &site, uint64_t steps);

  /// Checks an access of the current thread, and remembers it.
  Range access(const Site &site, const char *address, size_t bytes,
               size_t alignment, Access kind);
  /// That of another thread, which waits.
  void touch(const Site &site, Thread &thread, const char *address,
             size_t bytes, size_t alignment, Access kind);
  /// Finds the bytes, aligned and in bounds, or fails.
  Range locate(const Site &site, const char *address, size_t bytes,
               size_t alignment, const char *verb);
  void requireWritten(const Site &site, Range range);
  void recordAccess(const Site &site, Range range, Access kind);
  /// Marks what the hardware reads or writes from now on, until it is settled.
  void markPending(const Site &site, Range range, unsigned actor, bool writes);
  void settle(Range range, unsigned actor, uint64_t time);
  /// fence.proxy.async: what is written is there for the hardware's copies.
  void fenceProxies();
  void synchronizeAtomic(const char *address, bool acquires, bool releases);

  uint64_t tick() { return ++clock; }
  void release(Knowledge &to, Thread &thread);
  bool isKnown(Stamp stamp, const Thread &thread) const;
  /// Everyone of these learns what the others know.
  void join(llvm::ArrayRef<Thread *> threads);
  void joinAll();
  /// Marks the current thread as done, and never returns.
  [[noreturn]] void exitCurrent();

  std::string describe(const Range &range) const;
  std::string describeAddress(const char *address) const;
  std::string describeThread(unsigned index) const;
  unsigned numThreads() const { return launch.numThreads; }
  unsigned lanesLeft(unsigned warp) const;
  void complete(const Gathering &gathering, unsigned warp);
  /// Ends what a thread never waited for.
  void settleAll(Thread &thread);
  uint64_t randomBelow(uint64_t bound) { return launch.random() % bound; }

  Launch &launch;
  const Dim3 place;
  std::vector<Thread> threads;
  std::optional<Failure> failure;
  /// Whether a thread has come to where a launch may be stopped.
  bool mayStop = false;

  llvm::SmallVector<Gathering, 2> gatherings[maxThreads / 32];
  std::array<NamedBarrier, 16> barriers;
  std::map<const char *, Mbarrier> mbarriers;
  /// What atomics have told, by their address.
  llvm::DenseMap<const char *, Knowledge> atomics;
  std::vector<BulkCopy> bulkCopies;
  std::array<WarpGroup, maxWarpGroups> warpGroups;
  Knowledge hardware;
  /// Everything before was seen by all threads of the block.
  uint64_t base = 0, begin = 0;

private:
  Thread &pick();
  bool landCopy();
  void reportDeadlock();
  [[noreturn]] void leave();
  void checkOrder(const Site &site, Range range, const Cell &cell, Stamp stamp,
                  bool wasWrite, bool isWrite);
  [[noreturn]] void reportRace(const Site &site, Range range, const Cell &cell,
                               Stamp stamp, bool wasWrite, bool isWrite);
  [[noreturn]] void reportPending(const Site &site, Range range, Stamp stamp,
                                  const Cell &cell, bool wasWrite,
                                  bool isWrite);
  void prepareShared();
  bool isFenced(Stamp stamp) const;
  void requireFence(const Site &site, Range range, const Cell &cell);

  std::vector<Thread *> ready;
  unsigned live = 0;
  void *schedulerPlace = nullptr;
  uint64_t steps = 0;
  unsigned untilTurn = 1;
  llvm::SmallVector<uint32_t, 4> knownBlocks;
  static uint64_t clock;
};

/// The block and thread that run.
extern Block *block;
extern Thread *current;

/// Whether an address is in the stack of the thread that runs.
bool isLocal(const char *address);

/// Runs all blocks of a launch; what is wrong with it, if anything.
std::optional<Failure> run(Launch &launch);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_BLOCK_H
