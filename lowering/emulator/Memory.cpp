// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers and their shadows.

#include "lowering/emulator/Memory.h"
#include <atomic>
#include <cstring>
#include <new>

using namespace weft::emulator;

namespace {

// Of floats a NaN, of indices one that leads out of every buffer.
constexpr int poisonByte = 0xFF;
constexpr size_t alignment = 256, gap = 1024;
/// How much freed memory is kept to tell a use after free by.
constexpr size_t mostFreed = size_t(64) << 20;

uint64_t nextGeneration() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

template <typename T> T *allocateZeros(size_t count) {
  void *memory = std::calloc(std::max<size_t>(count, 1), sizeof(T));
  if (!memory)
    throw std::bad_alloc();
  return static_cast<T *>(memory);
}

} // namespace

//===----------------------------------------------------------------------===//
// One buffer
//===----------------------------------------------------------------------===//

Allocation::Allocation(Kind kind, std::string name, char *data, size_t bytes)
    : kind(kind), name(std::move(name)), data(data), bytes(bytes),
      written(allocateZeros<uint8_t>(bytes)),
      shadow(allocateZeros<Cell>((bytes >> shift) + 1)) {}

bool Allocation::isWritten(size_t offset, size_t size) const {
  const uint8_t *marks = written.get() + offset;
  if (size == 4 || size == 8 || size == 16) {
    for (size_t i = 0; i < size; i += 4) {
      uint32_t four;
      std::memcpy(&four, marks + i, 4);
      if (four != 0x01010101)
        return false;
    }
    return true;
  }
  return countUnwritten(offset, size) == 0;
}

void Allocation::release() {
  isLive = false;
  written.reset();
  shadow.reset();
}

void Allocation::setWritten(size_t offset, size_t size, bool value) {
  std::memset(written.get() + offset, value, size);
}

void Allocation::copyWritten(size_t offset, const Allocation &from,
                             size_t fromOffset, size_t size) {
  std::memmove(written.get() + offset, from.written.get() + fromOffset, size);
}

size_t Allocation::countUnwritten(size_t offset, size_t size) const {
  return std::count(written.get() + offset, written.get() + offset + size, 0);
}

void Allocation::poison() {
  std::memset(data, poisonByte, bytes);
  setWritten(0, bytes, false);
}

void Allocation::forgetAccesses() {
  std::fill_n(shadow.get(), (bytes >> shift) + 1, Cell());
}

Allocation::Cells Allocation::cells(size_t offset, size_t size) {
  size_t end = offset + size;
  while (shift > 0 && ((offset | end) & ((1u << shift) - 1)) != 0)
    refine(shift - 1);
  return {shadow.get() + (offset >> shift), shadow.get() + (end >> shift)};
}

void Allocation::refine(unsigned finer) {
  size_t parts = size_t(1) << (shift - finer);
  size_t count = (bytes >> finer) + 1;
  auto *fine = allocateZeros<Cell>(count);
  for (size_t i = 0; i < count; ++i)
    fine[i] = shadow.get()[i / parts];
  shadow.reset(fine);
  shift = finer;
}

//===----------------------------------------------------------------------===//
// All buffers
//===----------------------------------------------------------------------===//

Memory::Memory() : current(nextGeneration()) {}

Memory::~Memory() {
  for (auto &[data, buffer] : buffers)
    std::free(buffer.memory);
}

char *Memory::allocate(size_t bytes) {
  void *memory = std::malloc(bytes + 2 * alignment + 2 * gap);
  if (!memory)
    throw std::bad_alloc();
  // An odd multiple of the alignment, so that nothing relies on a greater one.
  auto start = reinterpret_cast<uintptr_t>(memory) + gap;
  start += (alignment - start) & (2 * alignment - 1);
  auto *data = reinterpret_cast<char *>(start);
  Buffer buffer;
  buffer.memory = memory;
  try {
    buffer.allocation = std::make_unique<Allocation>(
        Allocation::Kind::Device, "buffer " + std::to_string(count++), data,
        bytes);
  } catch (const std::bad_alloc &) {
    std::free(memory);
    throw;
  }
  std::memset(data, poisonByte, bytes);
  buffers.emplace(data, std::move(buffer));
  inUse += bytes;
  return data;
}

/// The memory of a freed buffer that is kept.
static size_t footprintOf(const Allocation &allocation) {
  return allocation.bytes + 2 * alignment + 2 * gap + sizeof(Allocation);
}

bool Memory::free(char *data) {
  auto found = buffers.find(data);
  if (found == buffers.end() || !found->second.allocation->isLive)
    return false;
  Allocation &allocation = *found->second.allocation;
  allocation.release();
  inUse -= allocation.bytes;
  freedBytes += footprintOf(allocation);
  freed.push_back(data);
  while (freedBytes > mostFreed) {
    auto oldest = buffers.find(freed.front());
    freedBytes -= footprintOf(*oldest->second.allocation);
    std::free(oldest->second.memory);
    buffers.erase(oldest);
    freed.pop_front();
    current = nextGeneration();
  }
  return true;
}

Allocation *Memory::find(const char *address) const {
  auto after = buffers.upper_bound(address);
  Allocation *next =
      after == buffers.end() ? nullptr : after->second.allocation.get();
  if (after == buffers.begin())
    return next;
  Allocation *last = std::prev(after)->second.allocation.get();
  ptrdiff_t beyond = address - (last->data + last->bytes);
  return next && beyond > next->data - address ? next : last;
}
