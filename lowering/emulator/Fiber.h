// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stacks of their own for the threads of a block, and the switch between them.

#ifndef WEFT_LOWERING_EMULATOR_FIBER_H
#define WEFT_LOWERING_EMULATOR_FIBER_H

#include <cstddef>

namespace weft::emulator {

/// What a kernel needs of it is checked before the kernel runs, and leaves so
/// much for what the kernel calls.
constexpr size_t stackBytes = 512 * 1024, stackReserve = 64 * 1024;

/// Whether this machine can switch stacks.
bool hasFibers();

/// Memory for the stacks of a number of fibers; null if there is none.
char *reserveStacks(size_t count);

/// The place of a fiber that will begin with `function`, which never returns.
void *prepareStack(char *stack, void (*function)());

/// Leaves the fiber that runs, noting its place, for another one.
void switchStack(void **from, void *to);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_FIBER_H
