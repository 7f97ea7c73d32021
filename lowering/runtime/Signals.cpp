// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Signals are looked for by time, not by steps.

#include "lowering/runtime/Signals.h"
#include <algorithm>
#include <atomic>

using namespace weft::runtime;

static std::atomic<StopCheck> stopCheck = nullptr;

void weft::runtime::setStopCheck(StopCheck check) { stopCheck = check; }

bool weft::runtime::shouldStop(Clock::time_point now) {
  thread_local Clock::time_point next = Clock::time_point::min();
  StopCheck check = stopCheck;
  if (!check || now < next)
    return false;
  next = now + std::chrono::milliseconds(100);
  return check();
}

int32_t Polls::next(Clock::time_point now) {
  // Of the time between two polls, two readings of the clock are little.
  constexpr int32_t mostSteps = 128;
  constexpr auto often = std::chrono::microseconds(10);
  constexpr auto seldom = std::chrono::milliseconds(10);
  if (now < last + often)
    steps = std::min(2 * steps, mostSteps);
  else if (now > last + seldom)
    steps = std::max(steps / 2, 1);
  last = now;
  return steps;
}
