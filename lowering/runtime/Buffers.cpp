// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Idle buffers wait in classes of size, eight to each doubling, the one used
// last on top. Large ones lie on huge pages, and the system may take their
// pages once they have been idle for a while (MADV_FREE): under memory pressure
// they cost nothing. The oldest are freed when all of them together pass a
// share of the memory.

#include "lowering/runtime/Buffers.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <list>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/mman.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace weft::runtime;

namespace {

constexpr size_t hugePage = size_t(1) << 21;
/// From where on a buffer is worth pages of its own.
constexpr size_t largeBytes = 2 * hugePage;
/// How long a large buffer is idle before the system may take its pages. To let
/// it do so takes longer than to write them, which a loop would pay each time.
constexpr std::chrono::seconds patience(1);
/// Idle buffers of one class.
constexpr size_t mostIdle = 32;
/// The part of the machine's memory that may be idle.
constexpr size_t idleShare = 4;

/// The class of a size: its power of two, and the next three bits.
size_t classOf(size_t bytes) {
  if (bytes <= 8 * bufferAlignment)
    return bytes <= bufferAlignment ? 0 : (bytes - 1) / bufferAlignment;
  unsigned shift = llvm::Log2_64(bytes - 1) - 3;
  return 8 * (shift - 5) + ((bytes - 1) >> shift) - 8;
}

/// The largest size of a class.
size_t bytesOf(size_t sizeClass) {
  if (sizeClass < 8)
    return (sizeClass + 1) * bufferAlignment;
  return (9 + sizeClass % 8) << (sizeClass / 8 + 5);
}

constexpr size_t classes = 8 * 59;

using Clock = std::chrono::steady_clock;

struct Idle {
  void *buffer;
  size_t sizeClass;
  /// Of a large one: since when it is, and whether the system may take it.
  Clock::time_point since;
  bool isLent;
};

void *allocate(size_t bytes) {
  bool isLarge = bytes >= largeBytes;
  void *buffer = std::aligned_alloc(
      isLarge ? hugePage : bufferAlignment,
      isLarge ? (bytes + hugePage - 1) / hugePage * hugePage : bytes);
  if (buffer && isLarge)
    madvise(buffer, bytes, MADV_HUGEPAGE);
  return buffer;
}

class Buffers {
public:
  void *take(size_t bytes) {
    size_t sizeClass = classOf(bytes);
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (auto &waiting = idle[sizeClass]; !waiting.empty()) {
        void *buffer = waiting.back()->buffer;
        spare.splice(spare.begin(), order, waiting.back());
        waiting.pop_back();
        idleBytes -= bytesOf(sizeClass);
        return buffer;
      }
    }
    if (void *buffer = allocate(bytesOf(sizeClass)))
      return buffer;
    freeAll();
    if (void *buffer = allocate(bytesOf(sizeClass)))
      return buffer;
    throw std::bad_alloc();
  }

  void give(void *buffer, size_t bytes) {
    size_t sizeClass = classOf(bytes), size = bytesOf(sizeClass);
    std::lock_guard<std::mutex> lock(mutex);
    if (idle[sizeClass].size() == mostIdle || size > mostIdleBytes)
      return std::free(buffer);
    while (idleBytes + size > mostIdleBytes)
      freeOldest();
    bool isLarge = size >= largeBytes;
    if (spare.empty())
      spare.emplace_back();
    spare.front() = {buffer, sizeClass,
                     isLarge ? Clock::now() : Clock::time_point(), false};
    order.splice(order.begin(), spare, spare.begin());
    idle[sizeClass].push_back(order.begin());
    idleBytes += size;
    if (isLarge && !isWatched)
      watch();
  }

  size_t freeAll() {
    std::lock_guard<std::mutex> lock(mutex);
    size_t freed = idleBytes;
    while (!order.empty())
      freeOldest();
    return freed;
  }

  size_t bytes() {
    std::lock_guard<std::mutex> lock(mutex);
    return idleBytes;
  }

  std::mutex mutex;
  /// Whether a thread lends large buffers. There is none in a forked child.
  bool isWatched = false;

private:
  /// Begins a thread that lends large buffers, and ends when it has lent all.
  void watch() {
    try {
      std::thread([this] {
        do
          std::this_thread::sleep_for(patience);
        while (lend(patience));
      }).detach();
      isWatched = true;
    } catch (const std::system_error &) {
      lend(order.front());
    }
  }

  /// Lends what has been idle so long; whether anything else is to be lent.
  bool lend(Clock::duration least) {
    std::lock_guard<std::mutex> lock(mutex);
    isWatched = false;
    for (Idle &each : order) {
      if (bytesOf(each.sizeClass) < largeBytes || each.isLent)
        continue;
      if (Clock::now() - each.since < least)
        isWatched = true;
      else
        lend(each);
    }
    return isWatched;
  }

  /// Huge pages are lent whole: others would be parted for good.
  static void lend(Idle &idle) {
    madvise(idle.buffer, bytesOf(idle.sizeClass) / hugePage * hugePage,
            MADV_FREE);
    idle.isLent = true;
  }

  void freeOldest() {
    size_t sizeClass = order.back().sizeClass;
    std::free(order.back().buffer);
    idle[sizeClass].erase(idle[sizeClass].begin());
    order.pop_back();
    idleBytes -= bytesOf(sizeClass);
  }

  /// All that is idle, what was given back last in front, and nodes for more.
  std::list<Idle> order, spare;
  /// For each class its part of `order`, what was given back last at the end.
  std::array<std::vector<std::list<Idle>::iterator>, classes> idle;
  size_t idleBytes = 0;
  const size_t mostIdleBytes =
      sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / idleShare;
};

/// Never destroyed: arrays may outlive every static object.
Buffers &theBuffers() {
  static Buffers *buffers = [] {
    auto *made = new Buffers;
    pthread_atfork([] { theBuffers().mutex.lock(); },
                   [] { theBuffers().mutex.unlock(); },
                   [] {
                     theBuffers().isWatched = false;
                     theBuffers().mutex.unlock();
                   });
    return made;
  }();
  return *buffers;
}

} // namespace

void *weft::runtime::takeBuffer(size_t bytes) {
  return theBuffers().take(bytes);
}

void weft::runtime::giveBuffer(void *buffer, size_t bytes) {
  theBuffers().give(buffer, bytes);
}

size_t weft::runtime::freeIdleBuffers() { return theBuffers().freeAll(); }

size_t weft::runtime::idleBufferBytes() { return theBuffers().bytes(); }
