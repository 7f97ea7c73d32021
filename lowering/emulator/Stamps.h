// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who touched a piece of memory last, and what a thread knows of the others:
// the vector clocks of a happens-before race detector.

#ifndef WEFT_LOWERING_EMULATOR_STAMPS_H
#define WEFT_LOWERING_EMULATOR_STAMPS_H

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace weft::emulator {

/// What touches memory: the threads of a block, then what the hardware does by
/// itself, for each mbarrier and for each warp group.
constexpr unsigned maxThreads = 1024;
constexpr unsigned maxMbarriers = 96;
constexpr unsigned maxWarpGroups = maxThreads / 128;
constexpr unsigned firstMbarrier = maxThreads;
constexpr unsigned firstWarpGroup = firstMbarrier + maxMbarriers;
constexpr unsigned numActors = firstWarpGroup + maxWarpGroups;

/// An access: its time, whether it was atomic, its actor. Times only grow, over
/// all launches; 0 is nobody's.
using Stamp = uint64_t;
constexpr uint64_t atomicFlag = 1u << 15;
/// Of a copy, or of a read by the hardware, that nobody has waited for yet.
constexpr uint64_t pendingTime = (uint64_t(1) << 48) - 1;

inline Stamp makeStamp(uint64_t time, unsigned actor) {
  return time << 16 | actor;
}
inline uint64_t timeOf(Stamp stamp) { return stamp >> 16; }
inline unsigned actorOf(Stamp stamp) { return stamp & (atomicFlag - 1); }
inline bool isAtomic(Stamp stamp) { return stamp & atomicFlag; }

/// The time of each actor up to which everything is known.
using Times = std::vector<uint64_t>;

/// Shared by all who know the same, and copied where one learns more.
class Knowledge {
public:
  uint64_t of(unsigned actor) const { return times ? (*times)[actor] : 0; }
  bool isEmpty() const { return !times; }
  bool isSame(const Knowledge &other) const { return times == other.times; }
  void forget() { times.reset(); }

  void learn(unsigned actor, uint64_t time) {
    uint64_t &known = own()[actor];
    known = std::max(known, time);
  }

  void learn(const Knowledge &other) {
    if (!other.times || isSame(other))
      return;
    if (!times) {
      times = other.times;
      return;
    }
    Times &mine = own();
    for (size_t i = 0; i < mine.size(); ++i)
      mine[i] = std::max(mine[i], (*other.times)[i]);
  }

private:
  Times &own() {
    if (!times)
      times = std::make_shared<Times>(numActors);
    else if (times.use_count() > 1)
      times = std::make_shared<Times>(*times);
    return *times;
  }

  std::shared_ptr<Times> times;
};

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_STAMPS_H
