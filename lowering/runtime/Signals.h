// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How code that may run for ever finds out that it is to stop.

#ifndef WEFT_LOWERING_RUNTIME_SIGNALS_H
#define WEFT_LOWERING_RUNTIME_SIGNALS_H

#include <chrono>
#include <cstdint>
#include <exception>

namespace weft::runtime {

/// Whether the caller of what runs wants it stopped, as after Ctrl-C.
using StopCheck = bool (*)();

/// What `Polls` ask, at most ten times a second in each thread; nothing at
/// first.
void setStopCheck(StopCheck check);

/// What ran was told to stop.
class Stopped : public std::exception {
public:
  const char *what() const noexcept override { return "stopped"; }
};

using Clock = std::chrono::steady_clock;

/// Whether to stop. Asked ten times a second, however often it is called.
bool shouldStop(Clock::time_point now = Clock::now());

/// How often one call asks. A step of a loop may take a nanosecond or a minute.
class Polls {
public:
  /// How many steps to take before the next poll: so many that what a clock
  /// costs is little beside them, and no more.
  int32_t next(Clock::time_point now);

private:
  Clock::time_point last = Clock::time_point::min();
  int32_t steps = 1;
};

} // namespace weft::runtime

#endif // WEFT_LOWERING_RUNTIME_SIGNALS_H
