// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pool of threads for the process. Each has an equal part of a loop, so
// that what one loop has written is near the thread that reads it in the next,
// and in the next call; whoever is done with its own takes pieces of the
// others'. Threads that wait look out for work for some microseconds before
// they sleep. A forked child begins without a pool.

#include "lowering/runtime/Threads.h"
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <thread>

using weft::runtime::Task;

namespace {

constexpr int64_t mostThreads = 256;
/// How often a thread looks out before it sleeps: some tens of microseconds.
constexpr int spins = 4000;
/// Pieces of a loop for each thread, so that none waits long for another.
constexpr int64_t piecesPerThread = 4;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Whether this thread runs a piece of a loop.
thread_local bool isSharing = false;

/// Processors with a thread that shares a loop. Systems often wake a thread
/// where the one that woke it runs and leave both there for many milliseconds,
/// while another processor is idle; a thread that finds itself in such a place
/// leaves it.
class Places {
public:
  /// Where this thread runs, now taken; -1 if unknown or taken before.
  int take() {
    int place = sched_getcpu();
    return isFree(place) && !taken[place].exchange(true) ? place : -1;
  }

  /// As `take`, having left a place that is taken for any that is not.
  int takeAnother() {
    int place = take();
    if (place >= 0)
      return place;
    cpu_set_t allowed, others;
    if (pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed))
      return -1;
    CPU_ZERO(&others);
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &allowed) && isFree(i))
        CPU_SET(i, &others);
    if (CPU_COUNT(&others) == 0 ||
        pthread_setaffinity_np(pthread_self(), sizeof(others), &others))
      return -1;
    pthread_setaffinity_np(pthread_self(), sizeof(allowed), &allowed);
    return take();
  }

  void leave(int place) {
    if (place >= 0)
      taken[place].store(false, std::memory_order_relaxed);
  }

private:
  bool isFree(int place) const {
    return place >= 0 && place < CPU_SETSIZE &&
           !taken[place].load(std::memory_order_relaxed);
  }

  std::array<std::atomic<bool>, CPU_SETSIZE> taken{};
};

/// Stacks of threads that run compiled code, and what such code may take of
/// one: blocks of some arrays lie there.
constexpr size_t stackBytes = 8 << 20, roomBytes = 2 << 20;

void *runAndDelete(void *work) {
  std::unique_ptr<std::function<void()>> owned(
      static_cast<std::function<void()> *>(work));
  (*owned)();
  return nullptr;
}

/// Begins a thread that deletes `work` once it has done it; where the system
/// has none left, `work` is deleted at once.
std::optional<pthread_t> begin(std::function<void()> *work) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes);
  bool failed = pthread_create(&thread, &attributes, runAndDelete, work) != 0;
  pthread_attr_destroy(&attributes);
  if (!failed)
    return thread;
  delete work;
  return std::nullopt;
}

/// The lowest address of this thread's stack, or null if it is not known.
const char *stackOfThread() {
  pthread_attr_t attributes;
  void *lowest = nullptr;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return nullptr;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  return static_cast<const char *>(lowest);
}

bool hasRoom() {
  thread_local const char *lowest = stackOfThread();
  auto here = static_cast<const char *>(__builtin_frame_address(0));
  return !lowest || here < lowest || size_t(here - lowest) >= roomBytes;
}

class Pool {
public:
  /// False if the pool is busy.
  bool run(Task task, void *arguments, int64_t count, int64_t threads) {
    std::unique_lock<std::mutex> turn(oneAtATime, std::try_to_lock);
    if (!turn.owns_lock())
      return false;
    hire(threads - 1);
    {
      std::lock_guard<std::mutex> lock(mutex);
      this->task = task;
      this->arguments = arguments;
      this->count = count;
      size = std::max<int64_t>(1, count / (threads * piecesPerThread));
      divide(threads);
      helpers = threads - 1;
      place = places.take();
      isOpen = true;
      generation.fetch_add(1, std::memory_order_release);
      if (asleep > 0)
        work.notify_all();
    }
    takePieces(0);
    {
      std::lock_guard<std::mutex> lock(mutex);
      isOpen = false;
    }
    while (active.load(std::memory_order_acquire) > 0)
      pause();
    places.leave(place);
    return true;
  }

private:
  void hire(int64_t wanted) {
    for (; hired < wanted; ++hired) {
      auto work =
          new std::function<void()>([this, number = hired] { wait(number); });
      std::optional<pthread_t> thread = begin(work);
      if (!thread)
        return; // with the ones there are
      pthread_detach(*thread);
    }
  }

  /// Gives each thread an equal part of the loop.
  void divide(int64_t threads) {
    numParts = threads;
    for (int64_t i = 0; i < numParts; ++i) {
      parts[i].next = count * i / numParts;
      parts[i].end = count * (i + 1) / numParts;
    }
  }

  /// Runs what is left of this thread's part, then of those of others.
  void takePieces(int64_t own) {
    isSharing = true;
    for (int64_t i = 0; i < numParts; ++i) {
      Part &from = parts[(own + i) % numParts];
      while (from.next.load(std::memory_order_relaxed) < from.end) {
        int64_t begin = from.next.fetch_add(size, std::memory_order_relaxed);
        if (begin < from.end)
          task(arguments, begin, std::min(begin + size, from.end));
      }
    }
    isSharing = false;
  }

  void wait(int64_t number) {
    uint64_t seen = 0;
    for (;;) {
      for (int i = 0;
           i < spins && generation.load(std::memory_order_acquire) == seen; ++i)
        pause();
      bool joins;
      {
        std::unique_lock<std::mutex> lock(mutex);
        ++asleep;
        work.wait(lock, [&] { return generation.load() != seen; });
        --asleep;
        seen = generation.load();
        joins = isOpen && number < helpers;
        if (joins)
          active.fetch_add(1);
      }
      if (!joins)
        continue;
      int place = places.takeAnother();
      takePieces(number + 1);
      places.leave(place);
      active.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex oneAtATime, mutex;
  std::condition_variable work;
  std::atomic<uint64_t> generation{0};
  int64_t hired = 0, asleep = 0, helpers = 0;
  bool isOpen = false;
  std::atomic<int64_t> active{0};

  Task task = nullptr;
  void *arguments = nullptr;
  Places places;
  int place = -1;
  int64_t count = 0, size = 1;

  /// A part of a loop: the first of its steps that nobody has taken, and its
  /// end.
  struct alignas(64) Part {
    std::atomic<int64_t> next{0};
    int64_t end = 0;
  };
  std::array<Part, mostThreads> parts;
  int64_t numParts = 0;
};

// Never destroyed: its threads may outlive every static object.
std::atomic<Pool *> pool{nullptr};
std::mutex makingPool;

Pool &thePool() {
  if (Pool *known = pool.load(std::memory_order_acquire))
    return *known;
  std::lock_guard<std::mutex> lock(makingPool);
  if (!pool.load()) {
    static const int once =
        pthread_atfork([] { makingPool.lock(); }, [] { makingPool.unlock(); },
                       [] {
                         pool.store(nullptr);
                         makingPool.unlock();
                       });
    (void)once;
    pool.store(new Pool, std::memory_order_release);
  }
  return *pool.load();
}

int64_t processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return CPU_COUNT(&set);
  return std::thread::hardware_concurrency();
}

int64_t atFirst() {
  if (const char *wanted = std::getenv("WEFT_NUM_THREADS"))
    if (int64_t number = std::strtoll(wanted, nullptr, 10); number > 0)
      return std::min(number, mostThreads);
  return std::clamp<int64_t>(processors(), 1, mostThreads);
}

std::atomic<int64_t> &threadCount() {
  static std::atomic<int64_t> count{atFirst()};
  return count;
}

} // namespace

int64_t weft::runtime::numThreads() {
  return threadCount().load(std::memory_order_relaxed);
}

void weft::runtime::setNumThreads(int64_t count) {
  threadCount().store(std::clamp<int64_t>(count, 1, mostThreads));
}

void weft::runtime::runInParallel(Task task, void *arguments, int64_t count) {
  int64_t threads = std::min(numThreads(), count);
  if (threads < 2 || isSharing ||
      !thePool().run(task, arguments, count, threads))
    task(arguments, 0, count);
}

void weft::runtime::runWithRoom(const std::function<void()> &work) {
  if (hasRoom())
    return work();
  std::exception_ptr failure;
  std::optional<pthread_t> thread = begin(new std::function<void()>([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }));
  if (!thread)
    throw std::bad_alloc();
  pthread_join(*thread, nullptr);
  if (failure)
    std::rethrow_exception(failure);
}
