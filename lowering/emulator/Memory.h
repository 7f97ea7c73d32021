// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory that an emulated kernel sees, with a shadow that says of each byte
// whether it was ever written, and of each word who touched it last.

#ifndef WEFT_LOWERING_EMULATOR_MEMORY_H
#define WEFT_LOWERING_EMULATOR_MEMORY_H

#include "lowering/emulator/Stamps.h"
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>

namespace weft::emulator {

/// The last write of a word and two reads since, with the sites they are from.
struct Cell {
  Stamp write = 0, read = 0, otherRead = 0;
  uint32_t writeSite = 0, readSite = 0;
};

/// One buffer, or one variable in shared or constant memory.
class Allocation {
public:
  enum class Kind { Device, Shared, Constant };

  /// Throws std::bad_alloc.
  Allocation(Kind kind, std::string name, char *data, size_t bytes);

  const Kind kind;
  const std::string name;
  char *const data;
  const size_t bytes;
  bool isLive = true;

  /// What is known of it once it is freed is where it was.
  void release();

  bool holds(const char *address, size_t size) const {
    size_t offset = address - data;
    return isLive && address >= data && offset <= bytes &&
           size <= bytes - offset;
  }

  bool isWritten(size_t offset, size_t size) const;
  void setWritten(size_t offset, size_t size, bool value = true);
  /// As bytes of another allocation are.
  void copyWritten(size_t offset, const Allocation &from, size_t fromOffset,
                   size_t size);
  /// How many bytes of these were never written.
  size_t countUnwritten(size_t offset, size_t size) const;

  std::string writtenMarks() const {
    return std::string(reinterpret_cast<char *>(written.get()), bytes);
  }
  void setWrittenMarks(const std::string &marks) {
    std::copy(marks.begin(), marks.end(), written.get());
  }

  /// The cells of some bytes, made finer where an access is narrower.
  struct Cells {
    Cell *first, *last;
  };
  Cells cells(size_t offset, size_t size);

  /// Makes every byte one that nobody has written.
  void poison();
  void forgetAccesses();

private:
  void refine(unsigned shift);

  struct Release {
    void operator()(void *memory) const { std::free(memory); }
  };
  /// Of so many bytes, as a power of two, there is one cell.
  unsigned shift = 2;
  /// A byte for each byte.
  std::unique_ptr<uint8_t, Release> written;
  std::unique_ptr<Cell, Release> shadow;
};

/// The device's buffers: each stands apart from its neighbours, is aligned as
/// the driver aligns it and no further, and stays known for a while after it is
/// freed.
class Memory {
public:
  Memory();
  ~Memory();
  Memory(const Memory &) = delete;

  /// Throws std::bad_alloc.
  char *allocate(size_t bytes);
  /// Whether there is such a buffer.
  bool free(char *data);

  /// The buffer that an address lies in, or the nearest one.
  Allocation *find(const char *address) const;
  size_t bytesInUse() const { return inUse; }
  /// Another one for each memory, and after a buffer ceased to exist.
  uint64_t generation() const { return current; }

  template <typename Visit> void forEachLive(Visit visit) {
    for (auto &[data, buffer] : buffers)
      if (buffer.allocation->isLive)
        visit(*buffer.allocation);
  }

private:
  struct Buffer {
    std::unique_ptr<Allocation> allocation;
    void *memory;
  };
  std::map<const char *, Buffer> buffers;
  std::deque<const char *> freed;
  size_t inUse = 0, freedBytes = 0, count = 0;
  uint64_t current;
};

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_MEMORY_H
