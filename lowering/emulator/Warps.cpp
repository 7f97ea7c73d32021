// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lanes of a warp tell each other: shuffles, votes, matches, sums.

#include "lowering/emulator/Gather.h"
#include "lowering/emulator/Handlers.h"
#include <cmath>

using namespace weft::emulator;

namespace {

template <void (*perform)(const Site &, const Lanes &)>
void masked(const Site &site, Slot *operands, void *result) {
  gather(site, operands[0].get<uint32_t>(), operands, result, perform);
}

template <typename Visit> void forEach(const Lanes &lanes, Visit visit) {
  for (int lane = 0; lane < 32; ++lane)
    if (lanes.has(lane))
      visit(lane);
}

//===----------------------------------------------------------------------===//
// Shuffles: mask, value, lane or distance, clamp
//===----------------------------------------------------------------------===//

// What a lane that takes no part gives.
constexpr uint32_t noValue = 0xFFFFFFFF;

enum class Shuffle { Up, Down, Butterfly, Index };

struct Source {
  int lane;
  bool isInRange;
};

Source sourceOf(Shuffle kind, int lane, int distance, uint32_t clampAndMask) {
  int segment = clampAndMask >> 8 & 31, clamp = clampAndMask & 31;
  int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
  distance &= 31;
  switch (kind) {
  case Shuffle::Up:
    return {lane - distance, lane - distance >= last};
  case Shuffle::Down:
    return {lane + distance, lane + distance <= last};
  case Shuffle::Butterfly:
    return {lane ^ distance, (lane ^ distance) <= last};
  case Shuffle::Index: {
    int source = first | (distance & ~segment);
    return {source, source <= last};
  }
  }
  return {lane, false};
}

template <Shuffle kind> void shuffle(const Site &site, const Lanes &lanes) {
  struct Result {
    uint32_t value;
    bool isInRange;
  } results[32];
  forEach(lanes, [&](int lane) {
    auto [source, isInRange] = sourceOf(kind, lane, lanes.operand<int>(lane, 2),
                                        lanes.operand<uint32_t>(lane, 3));
    if (!isInRange)
      source = lane;
    results[lane].isInRange = isInRange;
    results[lane].value =
        lanes.has(source) ? lanes.operand<uint32_t>(source, 1) : noValue;
  });
  bool hasPredicate = site.resultBytes > 4;
  forEach(lanes, [&](int lane) {
    *lanes.result<uint32_t>(lane) = results[lane].value;
    if (hasPredicate)
      lanes.result<bool>(lane)[4] = results[lane].isInRange;
  });
}

void addShuffles(Handlers &handlers) {
  handlers.addFamily("shfl.sync.up.", masked<shuffle<Shuffle::Up>>);
  handlers.addFamily("shfl.sync.down.", masked<shuffle<Shuffle::Down>>);
  handlers.addFamily("shfl.sync.bfly.", masked<shuffle<Shuffle::Butterfly>>);
  handlers.addFamily("shfl.sync.idx.", masked<shuffle<Shuffle::Index>>);
}

//===----------------------------------------------------------------------===//
// Votes and matches: mask, value
//===----------------------------------------------------------------------===//

uint32_t ballotOf(const Lanes &lanes) {
  uint32_t ballot = 0;
  forEach(lanes, [&](int lane) {
    ballot |= uint32_t(lanes.operand<bool>(lane, 1)) << lane;
  });
  return ballot;
}

void ballot(const Site &, const Lanes &lanes) {
  uint32_t all = ballotOf(lanes);
  forEach(lanes, [&](int lane) { *lanes.result<uint32_t>(lane) = all; });
}

template <typename Decide> void vote(const Lanes &lanes, Decide decide) {
  bool result = decide(ballotOf(lanes));
  forEach(lanes, [&](int lane) { *lanes.result<bool>(lane) = result; });
}
void voteAll(const Site &, const Lanes &lanes) {
  vote(lanes, [&](uint32_t all) { return all == lanes.mask; });
}
void voteAny(const Site &, const Lanes &lanes) {
  vote(lanes, [](uint32_t all) { return all != 0; });
}
void voteUniform(const Site &, const Lanes &lanes) {
  vote(lanes, [&](uint32_t all) { return all == 0 || all == lanes.mask; });
}

template <typename T> void matchAny(const Site &, const Lanes &lanes) {
  forEach(lanes, [&](int lane) {
    uint32_t same = 0;
    forEach(lanes, [&](int other) {
      if (lanes.operand<T>(lane, 1) == lanes.operand<T>(other, 1))
        same |= 1u << other;
    });
    *lanes.result<uint32_t>(lane) = same;
  });
}

template <typename T> void matchAll(const Site &, const Lanes &lanes) {
  bool isSame = true;
  T first = lanes.operand<T>(__builtin_ctz(lanes.mask), 1);
  forEach(lanes,
          [&](int lane) { isSame &= lanes.operand<T>(lane, 1) == first; });
  forEach(lanes, [&](int lane) {
    *lanes.result<uint32_t>(lane) = isSame ? lanes.mask : 0;
    lanes.result<bool>(lane)[4] = isSame;
  });
}

void addVotes(Handlers &handlers) {
  handlers.add("vote.ballot.sync", masked<ballot>);
  handlers.add("vote.all.sync", masked<voteAll>);
  handlers.add("vote.any.sync", masked<voteAny>);
  handlers.add("vote.uni.sync", masked<voteUniform>);
  handlers.add("match.any.sync.i32", masked<matchAny<uint32_t>>);
  handlers.add("match.any.sync.i64", masked<matchAny<uint64_t>>);
  handlers.add("match.all.sync.i32p", masked<matchAll<uint32_t>>);
  handlers.add("match.all.sync.i64p", masked<matchAll<uint64_t>>);
}

//===----------------------------------------------------------------------===//
// Reductions: value, mask
//===----------------------------------------------------------------------===//

template <typename T, T (*combine)(T, T)>
void reduceLanes(const Site &, const Lanes &lanes) {
  T sum{};
  bool isFirst = true;
  forEach(lanes, [&](int lane) {
    T value = lanes.operand<T>(lane, 0);
    sum = isFirst ? value : combine(sum, value);
    isFirst = false;
  });
  forEach(lanes, [&](int lane) { *lanes.result<T>(lane) = sum; });
}

template <typename T, T (*combine)(T, T)>
void reduce(const Site &site, Slot *operands, void *result) {
  gather(site, operands[1].get<uint32_t>(), operands, result,
         reduceLanes<T, combine>);
}

template <typename T> T plus(T a, T b) { return a + b; }
template <typename T> T both(T a, T b) { return a & b; }
template <typename T> T either(T a, T b) { return a | b; }
template <typename T> T differ(T a, T b) { return a ^ b; }
template <typename T> T smaller(T a, T b) { return std::min(a, b); }
template <typename T> T larger(T a, T b) { return std::max(a, b); }

void addReductions(Handlers &handlers) {
  handlers.add("redux.sync.add", reduce<uint32_t, plus>);
  handlers.add("redux.sync.and", reduce<uint32_t, both>);
  handlers.add("redux.sync.or", reduce<uint32_t, either>);
  handlers.add("redux.sync.xor", reduce<uint32_t, differ>);
  handlers.add("redux.sync.min", reduce<int32_t, smaller>);
  handlers.add("redux.sync.max", reduce<int32_t, larger>);
  handlers.add("redux.sync.umin", reduce<uint32_t, smaller>);
  handlers.add("redux.sync.umax", reduce<uint32_t, larger>);
}

//===----------------------------------------------------------------------===//
// Election
//===----------------------------------------------------------------------===//

void electLane(const Site &, const Lanes &lanes) {
  int first = __builtin_ctz(lanes.mask);
  forEach(lanes, [&](int lane) {
    *lanes.result<uint32_t>(lane) = first;
    lanes.result<bool>(lane)[4] = lane == first;
  });
}

/// Who is active is not defined where lanes may diverge: those that are left.
void activeMask(const Site &, Slot *, void *result) {
  *static_cast<uint32_t *>(result) = block->lanesLeft(current->warp);
}

} // namespace

void weft::emulator::addWarps(Handlers &handlers) {
  addShuffles(handlers);
  addVotes(handlers);
  addReductions(handlers);
  handlers.add("elect.sync", masked<electLane>);
  handlers.add("activemask", activeMask);
}
