// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A gpu.module in the LLVM dialect as code for this CPU, in which every access
// to memory and every instruction that only a GPU has calls the emulator.

#ifndef WEFT_LOWERING_EMULATOR_PROGRAM_H
#define WEFT_LOWERING_EMULATOR_PROGRAM_H

#include "lowering/emulator/Memory.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <array>
#include <cstring>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace weft::emulator {

/// An operand of an instruction or a kernel, at the start of 16 bytes.
struct alignas(16) Slot {
  char bytes[16];

  template <typename T> T get() const {
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return value;
  }
  template <typename T> void set(T value) {
    std::memcpy(bytes, &value, sizeof(T));
  }
};

struct Site;
class InlineCode;

/// What an instruction does: to its operands, and to where its result lies.
using Handler = void (*)(const Site &site, Slot *operands, void *result);

/// A place in the code that the emulator is called from.
struct Site {
  uint32_t index = 0;
  /// Of the user's program: "file:line", or nothing.
  std::string place;
  /// What PTX or NVVM calls the instruction.
  std::string name;

  /// Of an access to memory: its bytes and the alignment that it states.
  uint32_t bytes = 0, alignment = 1;

  /// Of an instruction that has a handler: the numbers in its name.
  Handler handler = nullptr;
  std::array<int, 4> numbers = {};
  /// The bytes of its result, and the start of each of its parts.
  uint32_t resultBytes = 0;
  std::vector<uint32_t> resultOffsets;
  std::shared_ptr<const InlineCode> code;

  /// The buffer that was accessed from here last.
  mutable Allocation *lastAllocation = nullptr;
  mutable uint64_t lastGeneration = 0;
};

/// A parameter of a kernel: a number or pointer of some bits, or a record that
/// is passed by value, such as a tensor map.
struct Parameter {
  enum class Kind { Integer, Float, Pointer, Record };
  Kind kind;
  unsigned bits;
};

/// What is in shared memory, from the window's start.
struct SharedVariable {
  std::string name;
  size_t offset, bytes;
};

struct Kernel {
  void (*entry)(Slot *arguments) = nullptr;
  std::vector<Parameter> parameters;
  /// The threads of a block, if the kernel says so.
  std::array<int, 3> block = {0, 0, 0};
  /// At most, with all that it calls of its module.
  size_t stackBytes = 0;
  std::vector<SharedVariable> shared;
  size_t sharedBytes = 0;
  std::string place;
};

class Program {
public:
  /// From MLIR text: a module that holds a gpu.module, or the inside of one.
  static llvm::Expected<std::unique_ptr<Program>> compile(llvm::StringRef text);
  ~Program();

  llvm::StringMap<Kernel> kernels;
  std::deque<Site> sites;
  /// Where the dynamic shared memory begins.
  size_t dynamicOffset = 0;
  std::vector<std::unique_ptr<Allocation>> constants;

private:
  friend class Compiler;
  Program();
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

/// Where shared memory lies, in the lowest 4 GiB if that is possible, since
/// pointers to it may be kept in 32 bits. Null where there is no memory.
char *sharedWindow();
constexpr size_t sharedWindowBytes = 256 * 1024;
/// What the largest blocks of current GPUs may use.
constexpr size_t mostSharedBytes = 227 * 1024;

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_PROGRAM_H
