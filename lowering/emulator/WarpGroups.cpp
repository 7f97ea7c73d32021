// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product of a warp group is made when its last thread comes; what it reads
// in shared memory stays read until its group of products was waited for.

#include "lowering/emulator/WarpGroups.h"
#include "lowering/emulator/Handlers.h"

using namespace weft::emulator;

namespace {

constexpr int groupRows = 64, groupThreads = 128;
constexpr size_t pieceBytes = 16;

unsigned actorOfGroup() { return firstWarpGroup + current->index / 128; }

WarpGroup &groupOfCurrent() {
  return block->warpGroups[current->index / groupThreads];
}

//===----------------------------------------------------------------------===//
// Matrices in shared memory, as a descriptor describes them
//===----------------------------------------------------------------------===//

class SharedMatrix {
public:
  SharedMatrix(const Site &site, uint64_t descriptor, Number type,
               bool isTransposed)
      : site(site), type(type), size(bytesOf(type)),
        isTransposed(isTransposed) {
    start = (descriptor & 0x3FFF) << 4;
    leading = (descriptor >> 16 & 0x3FFF) << 4;
    stride = (descriptor >> 32 & 0x3FFF) << 4;
    constexpr unsigned ofMode[] = {16, 128, 64, 32};
    swizzle = ofMode[descriptor >> 62];
    if (descriptor >> 49 & 7)
      block->fail(site, "the emulator knows no base offset in wgmma's "
                        "descriptors: align the matrix to its swizzle");
    if (isTransposed && (size != 2 || swizzle == 16))
      block->fail(site, "wgmma takes transposed matrices only of 16 bits, and "
                        "the emulator only swizzled ones");
  }

  /// Checks and reads rows of the left matrix, or columns of the right one.
  void read(int lines, int depth, float *values) const {
    int each = pieceBytes / size;
    for (int line = 0; line < lines; line += isTransposed ? each : 1)
      for (int k = 0; k < depth; k += isTransposed ? 1 : each) {
        const char *piece = locate(addressOf(line, k));
        for (int i = 0; i < each; ++i) {
          int at = isTransposed ? (line + i) * depth + k : line * depth + k + i;
          values[at] = widen(piece + i * size, type);
        }
      }
  }

private:
  /// From the start of the window of shared memory.
  uintptr_t addressOf(int line, int k) const {
    uintptr_t address = start + line / 8 * stride;
    if (isTransposed) {
      int width = swizzle / size;
      address = start + line / width * leading + line % width * size +
                k / 8 * stride + k % 8 * swizzle;
    } else if (swizzle == 16) {
      address += k * size / 16 * leading + line % 8 * 16;
    } else {
      address += line % 8 * swizzle + k * size;
    }
    return address ^ ((address >> 7 & (swizzle / 16 - 1)) << 4);
  }

  const char *locate(uintptr_t offset) const {
    const char *address = sharedWindow() + (offset & (sharedWindowBytes - 1));
    Range range = block->locate(site, address, pieceBytes, pieceBytes, "reads");
    block->requireWritten(site, range);
    block->markPending(site, range, actorOfGroup(), false);
    groupOfCurrent().groups.back().reads.push_back(range);
    return address;
  }

  const Site &site;
  Number type;
  unsigned size, swizzle = 16;
  bool isTransposed;
  uintptr_t start, leading, stride;
};

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

/// As mma.sync's: each warp has 16 rows.
void readLeftRegisters(const Thread *first, int depth, Number type,
                       float *values) {
  int size = bytesOf(type), each = 4 / size;
  for (int i = 0; i < groupThreads; ++i) {
    const auto &product = *first[i].product;
    int row = i / 32 * 16 + (i & 31) / 4, along = i & 3;
    for (size_t j = 0; j < product.left.size(); ++j) {
      char bytes[4];
      std::memcpy(bytes, &product.left[j], 4);
      for (int e = 0; e < each; ++e)
        values[(row + (j & 1) * 8) * depth + along * each + e +
               (j >> 1) * 4 * each] = widen(bytes + e * size, type);
    }
  }
}

void requireSame(const Site &site, const Thread *first) {
  const GroupProduct &expected = *first->product;
  for (int i = 1; i < groupThreads; ++i)
    if (first[i].product->leftDescriptor != expected.leftDescriptor ||
        first[i].product->rightDescriptor != expected.rightDescriptor ||
        first[i].product->adds != expected.adds)
      block->fail(site, "the threads of a warp group give wgmma different "
                        "descriptors");
}

void multiplyAll(const Site &site, Thread *first) {
  requireSame(site, first);
  const GroupProduct &all = *first->product;
  static std::vector<float> left, right, sums;
  left.assign(groupRows * all.depth, 0);
  right.assign(all.columns * all.depth, 0);
  if (all.left.empty())
    SharedMatrix(site, all.leftDescriptor, all.type, all.isLeftTransposed)
        .read(groupRows, all.depth, left.data());
  else
    readLeftRegisters(first, all.depth, all.type, left.data());
  SharedMatrix(site, all.rightDescriptor, all.type, all.isRightTransposed)
      .read(all.columns, all.depth, right.data());
  // By depth first, so that the inner loop runs along memory.
  sums.assign(groupRows * all.columns, 0);
  static std::vector<float> turned;
  turned.resize(right.size());
  float sign = all.negatesLeft != all.negatesRight ? -1 : 1;
  for (int column = 0; column < all.columns; ++column)
    for (int k = 0; k < all.depth; ++k)
      turned[k * all.columns + column] = sign * right[column * all.depth + k];
  for (int row = 0; row < groupRows; ++row)
    for (int k = 0; k < all.depth; ++k) {
      float factor = left[row * all.depth + k];
      float *to = &sums[row * all.columns];
      const float *from = &turned[k * all.columns];
      for (int column = 0; column < all.columns; ++column)
        to[column] += factor * from[column];
    }
  for (int i = 0; i < groupThreads; ++i) {
    int firstRow = i / 32 * 16 + (i & 31) / 4;
    auto &parts = first[i].product->sums;
    for (size_t j = 0; j < parts.size(); ++j) {
      int row = firstRow + (j >> 1 & 1) * 8;
      int column = j / 4 * 8 + (i & 3) * 2 + (j & 1);
      float sum = 0;
      if (all.adds)
        std::memcpy(&sum, &parts[j], 4);
      sum += sums[row * all.columns + column];
      std::memcpy(&parts[j], &sum, 4);
    }
  }
}

} // namespace

void weft::emulator::multiplyTogether(const Site &site, GroupProduct &product) {
  size_t firstIndex = current->index / groupThreads * groupThreads;
  if (firstIndex + groupThreads > block->threads.size())
    block->fail(site, "wgmma in a warp group of fewer than 128 threads");
  WarpGroup &group = groupOfCurrent();
  if (group.arrived && group.site != &site)
    block->fail(site, "divergence: other threads of the warp group are at "
                      "another wgmma" +
                          (group.site->place.empty()
                               ? ""
                               : ", that of " + group.site->place));
  group.site = &site;
  current->product = &product;
  if (++group.arrived < unsigned(groupThreads)) {
    block->wait(site, "in wgmma for the other threads of its warp group");
    return;
  }
  group.arrived = 0;
  Thread *first = &block->threads[firstIndex];
  multiplyAll(site, first);
  for (int i = 0; i < groupThreads; ++i)
    block->wake(first[i]);
}

//===----------------------------------------------------------------------===//
// Groups of products
//===----------------------------------------------------------------------===//

void weft::emulator::commitProducts() {
  WarpGroup &group = groupOfCurrent();
  // The last thread that commits a group begins the next one.
  if (++current->committed == group.groups.size())
    group.groups.emplace_back();
}

void weft::emulator::waitForProducts(const Site &, size_t kept) {
  WarpGroup &group = groupOfCurrent();
  if (current->committed < kept)
    return;
  unsigned actor = actorOfGroup();
  for (size_t i = 0; i < current->committed - kept; ++i) {
    auto &[reads, settled] = group.groups[i];
    if (!settled) {
      settled = block->tick();
      for (const Range &range : reads)
        block->settle(range, actor, settled);
      reads = {};
    }
    current->known.learn(actor, settled);
  }
}

static void commit(const Site &, Slot *, void *) { commitProducts(); }

static void waitGroup(const Site &site, Slot *operands, void *) {
  waitForProducts(site, operands[0].get<uint32_t>());
}

static void fence(const Site &, Slot *, void *) {}

void weft::emulator::addWarpGroups(Handlers &handlers) {
  handlers.add("wgmma.fence.sync.aligned", fence);
  handlers.add("wgmma.commit.group.sync.aligned", commit);
  handlers.add("wgmma.wait.group.sync.aligned", waitGroup);
  // As PTX spells them.
  handlers.add("wgmma.commit_group.sync.aligned", commit);
  handlers.add("wgmma.wait_group.sync.aligned", waitGroup);
}
