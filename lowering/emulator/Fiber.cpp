// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stacks and their switch: of x86-64 only, so far.

#include "lowering/emulator/Fiber.h"
#include <cstdint>
#include <sys/mman.h>

using namespace weft::emulator;

char *weft::emulator::reserveStacks(size_t count) {
  void *memory = mmap(nullptr, count * stackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<char *>(memory);
}

#if defined(__x86_64__) && !defined(_WIN32)

bool weft::emulator::hasFibers() { return true; }

// The registers that a called function must keep.
__attribute__((naked, noinline)) static void switchRegisters(void **, void *) {
  __asm__("pushq %rbp\n"
          "pushq %rbx\n"
          "pushq %r12\n"
          "pushq %r13\n"
          "pushq %r14\n"
          "pushq %r15\n"
          "movq %rsp, (%rdi)\n"
          "movq %rsi, %rsp\n"
          "popq %r15\n"
          "popq %r14\n"
          "popq %r13\n"
          "popq %r12\n"
          "popq %rbx\n"
          "popq %rbp\n"
          "retq\n");
}

void weft::emulator::switchStack(void **from, void *to) {
  switchRegisters(from, to);
}

void *weft::emulator::prepareStack(char *stack, void (*function)()) {
  // At its first instruction a function finds a return address on a stack that
  // was aligned to 16 bytes before.
  auto *top = reinterpret_cast<uintptr_t *>(stack + stackBytes - 64);
  *--top = 0;
  *--top = reinterpret_cast<uintptr_t>(function);
  for (int i = 0; i < 6; ++i)
    *--top = 0;
  return top;
}

#else

bool weft::emulator::hasFibers() { return false; }
void weft::emulator::switchStack(void **, void *) {}
void *weft::emulator::prepareStack(char *, void (*)()) { return nullptr; }

#endif
