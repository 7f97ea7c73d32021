// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A GPU without one: memory, and launches of kernels whose mistakes are found.

#ifndef WEFT_LOWERING_EMULATOR_EMULATOR_H
#define WEFT_LOWERING_EMULATOR_EMULATOR_H

#include "lowering/emulator/Block.h"
#include <variant>

namespace weft::emulator {

/// What a kernel is given: bits, a number, a tensor map.
using Argument = std::variant<uint64_t, double, TensorMap>;

/// Its functions may be called from any thread; launches wait for each other.
class Emulator {
public:
  Emulator() = default;
  Emulator(const Emulator &) = delete;

  /// Throws std::bad_alloc.
  char *allocate(size_t bytes);
  bool free(char *data);
  size_t bytesInUse() const { return memory.bytesInUse(); }

  // What is wrong, if anything.
  std::optional<Failure> write(char *to, const void *from, size_t bytes);
  std::optional<Failure> read(const char *from, void *to, size_t bytes);
  std::optional<Failure> copy(char *to, const char *from, size_t bytes);

  /// Runs a kernel once under each schedule, each time on the same memory.
  std::optional<Failure> launch(Program &program, const std::string &name,
                                Dim3 grid, Dim3 threads, size_t sharedBytes,
                                const std::vector<Argument> &arguments,
                                const std::vector<Schedule> &schedules);

private:
  Memory memory;
};

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_EMULATOR_H
