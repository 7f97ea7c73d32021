// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies of the Tensor Memory Accelerator: what comes to shared memory arrives
// at some time before its mbarrier says so; what leaves it is read until its
// group was waited for.

#include "lowering/emulator/Floats.h"
#include "lowering/emulator/Handlers.h"
#include "lowering/emulator/Mbarriers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace weft::emulator;

namespace {

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

const TensorMap &mapOf(const Site &site, const void *pointer) {
  for (const auto &map : block->launch.maps)
    if (map.get() == pointer)
      return *map;
  block->fail(site, site.name + " takes no tensor map, but another pointer");
}

/// A box of a tensor at some coordinates.
class Box {
public:
  Box(const Site &site, const TensorMap &map, llvm::ArrayRef<int> coordinates)
      : map(map), start(coordinates.begin(), coordinates.end()) {
    size_t rank = map.dims.size();
    if (coordinates.size() != rank || map.box.size() != rank ||
        map.strides.size() + 1 != rank)
      block->fail(site, site.name + " with a tensor map of rank " +
                            std::to_string(rank));
    checkLimits(site);
    // All of the tensor must be there.
    size_t end = map.elementBytes * map.dims[0];
    for (size_t i = 1; i < rank; ++i)
      end += (map.dims[i] - 1) * map.strides[i - 1];
    source = block->locate(site, map.data, end, 16, "maps");
    rowBytes = map.box[0] * map.elementBytes;
    rows = 1;
    for (size_t i = 1; i < rank; ++i)
      rows *= map.box[i];
  }

  size_t bytes() const { return rows * rowBytes; }

  /// Visits the part of each row that is in the tensor: its place there, if it
  /// has one, its start in the box and its bytes.
  template <typename Visit> void forEachRow(Visit visit) const {
    llvm::SmallVector<uint64_t, 5> place(start.size(), 0);
    for (size_t row = 0; row < rows; ++row) {
      bool isInside = true;
      int64_t offset = 0;
      for (size_t i = 1; i < place.size(); ++i) {
        int64_t at = start[i] + int64_t(place[i]);
        isInside &= at >= 0 && uint64_t(at) < map.dims[i];
        offset += at * int64_t(map.strides[i - 1]);
      }
      int64_t first = std::max<int64_t>(start[0], 0);
      int64_t last =
          std::min<int64_t>(int64_t(start[0]) + map.box[0], map.dims[0]);
      if (isInside && first < last)
        visit(size_t(offset + first * map.elementBytes),
              row * rowBytes + (first - start[0]) * map.elementBytes,
              size_t(last - first) * map.elementBytes);
      for (size_t i = 1; i < place.size() && ++place[i] == map.box[i]; ++i)
        place[i] = 0;
    }
  }

  Range part(size_t offset, size_t bytes) const {
    return {source.allocation, source.offset + offset, bytes};
  }

private:
  /// What cuTensorMapEncodeTiled would refuse.
  void checkLimits(const Site &site) const {
    for (uint64_t stride : map.strides)
      if (stride % 16 != 0)
        block->fail(site, "a tensor map's strides must be multiples of 16 "
                          "bytes, not " +
                              std::to_string(stride));
    for (uint64_t extent : map.box)
      if (extent < 1 || extent > 256)
        block->fail(site, "a tensor map's box must have 1 to 256 elements a "
                          "dimension, not " +
                              std::to_string(extent));
    uint64_t inner = map.box[0] * map.elementBytes;
    if (inner % 16 != 0 || (map.swizzle && inner > map.swizzle))
      block->fail(site, "a row of a tensor map's box must be a multiple of 16 "
                        "bytes and no longer than the swizzle, not " +
                            std::to_string(inner) + " bytes");
  }

  const TensorMap &map;
  llvm::SmallVector<int, 5> start;
  Range source;
  size_t rowBytes = 0, rows = 0;
};

/// Where a byte of a box lies: 16-byte pieces are exchanged within each row of
/// 128 bytes, by the row's number.
uintptr_t swizzled(uintptr_t address, unsigned swizzle) {
  uintptr_t rows = swizzle / 16;
  return swizzle ? address ^ ((address >> 7 & (rows - 1)) << 4) : address;
}

/// Visits pieces of a row that lie together: where in shared memory, where in
/// the row, how many bytes.
template <typename Visit>
void forEachPiece(const Range &box, size_t start, size_t bytes,
                  unsigned swizzle, Visit visit) {
  auto base = reinterpret_cast<uintptr_t>(box.allocation->data);
  for (size_t done = 0; done < bytes;) {
    uintptr_t address = base + box.offset + start + done;
    size_t piece = std::min<size_t>(bytes - done, 16 - address % 16);
    visit(swizzled(address, swizzle) - base, done, piece);
    done += piece;
  }
}

/// A box's bytes in shared memory.
Range locateBox(const Site &site, const char *address, const Box &box,
                const TensorMap &map, const char *verb) {
  size_t alignment = std::max<size_t>(128, 8 * map.swizzle);
  return block->locate(site, address, box.bytes(), alignment, verb);
}

//===----------------------------------------------------------------------===//
// To shared memory
//===----------------------------------------------------------------------===//

void start(const Site &site, Mbarrier &barrier, Range to,
           std::function<void()> land) {
  block->markPending(site, to, barrier.actor, true);
  block->bulkCopies.push_back({&barrier, to, std::move(land), to.bytes});
}

void roundWords(char *data, size_t bytes) {
  for (; bytes; bytes -= 4, data += 4) {
    uint32_t bits;
    std::memcpy(&bits, data, 4);
    bits = roundToTf32(bits);
    std::memcpy(data, &bits, 4);
  }
}

void load(const Site &site, char *to, const char *barrierAddress,
          const void *mapAddress, llvm::ArrayRef<int> coordinates) {
  const TensorMap &map = mapOf(site, mapAddress);
  Mbarrier &barrier = findMbarrier(site, barrierAddress);
  Box box(site, map, coordinates);
  Range target = locateBox(site, to, box, map, "copies to");
  box.forEachRow([&](size_t offset, size_t, size_t bytes) {
    block->recordAccess(site, box.part(offset, bytes), Access::Load);
  });
  start(site, barrier, target, [box, target, &map] {
    Allocation &shared = *target.allocation;
    // What is outside of the tensor is zero.
    std::memset(target.data(), 0, target.bytes);
    shared.setWritten(target.offset, target.bytes);
    box.forEachRow([&](size_t offset, size_t place, size_t bytes) {
      Range from = box.part(offset, bytes);
      forEachPiece(target, place, bytes, map.swizzle,
                   [&](size_t at, size_t done, size_t piece) {
                     std::memcpy(shared.data + at, from.data() + done, piece);
                     if (map.type == "tf32")
                       roundWords(shared.data + at, piece);
                     shared.copyWritten(at, *from.allocation,
                                        from.offset + done, piece);
                   });
    });
  });
}

/// Shared memory, mbarrier, map, coordinates.
template <int rank> void loadTile(const Site &site, Slot *operands, void *) {
  int coordinates[rank];
  for (int i = 0; i < rank; ++i)
    coordinates[i] = operands[3 + i].get<int>();
  load(site, operands[0].get<char *>(), operands[1].get<const char *>(),
       operands[2].get<const void *>(), coordinates);
}

/// Shared memory, mbarrier, device memory, bytes.
void loadBytes(const Site &site, Slot *operands, void *) {
  size_t bytes = operands[3].get<uint32_t>();
  Mbarrier &barrier = findMbarrier(site, operands[1].get<const char *>());
  Range to =
      block->locate(site, operands[0].get<char *>(), bytes, 16, "copies to");
  Range from =
      block->locate(site, operands[2].get<char *>(), bytes, 16, "copies");
  block->recordAccess(site, from, Access::Load);
  start(site, barrier, to, [to, from] {
    std::memcpy(to.data(), from.data(), to.bytes);
    to.allocation->copyWritten(to.offset, *from.allocation, from.offset,
                               to.bytes);
  });
}

//===----------------------------------------------------------------------===//
// From shared memory
//===----------------------------------------------------------------------===//

void store(const Site &site, const char *from, const void *mapAddress,
           llvm::ArrayRef<int> coordinates) {
  const TensorMap &map = mapOf(site, mapAddress);
  Box box(site, map, coordinates);
  Range source = locateBox(site, from, box, map, "copies");
  block->requireWritten(site, source);
  block->markPending(site, source, current->index, false);
  box.forEachRow([&](size_t offset, size_t, size_t bytes) {
    block->recordAccess(site, box.part(offset, bytes), Access::Store);
  });
  auto land = [box, source, &map] {
    box.forEachRow([&](size_t offset, size_t place, size_t bytes) {
      Range to = box.part(offset, bytes);
      forEachPiece(source, place, bytes, map.swizzle,
                   [&](size_t at, size_t done, size_t piece) {
                     std::memcpy(to.data() + done, source.allocation->data + at,
                                 piece);
                   });
      to.allocation->setWritten(to.offset, bytes);
    });
  };
  openGroup(current->stores).push_back({source, std::move(land)});
}

template <int rank> void storeTile(const Site &site, Slot *operands, void *) {
  int coordinates[rank];
  for (int i = 0; i < rank; ++i)
    coordinates[i] = operands[2 + i].get<int>();
  store(site, operands[0].get<const char *>(), operands[1].get<const void *>(),
        coordinates);
}

/// Device memory, shared memory, bytes.
void storeBytes(const Site &site, Slot *operands, void *) {
  size_t bytes = operands[2].get<uint32_t>();
  Range to =
      block->locate(site, operands[0].get<char *>(), bytes, 16, "copies to");
  Range from =
      block->locate(site, operands[1].get<char *>(), bytes, 16, "copies");
  block->requireWritten(site, from);
  block->markPending(site, from, current->index, false);
  block->recordAccess(site, to, Access::Store);
  auto land = [to, from] {
    std::memcpy(to.data(), from.data(), to.bytes);
    to.allocation->setWritten(to.offset, to.bytes);
  };
  openGroup(current->stores).push_back({from, land});
}

void commit(const Site &, Slot *, void *) { commitGroup(current->stores); }

void waitGroup(const Site &, Slot *operands, void *) {
  auto &groups = current->stores;
  size_t kept = operands[0].get<uint32_t>();
  while (groups.size() > kept + 1) {
    for (auto &[range, land] : groups.front()) {
      land();
      block->settle(range, current->index, current->time);
    }
    groups.erase(groups.begin());
  }
}

template <int rank> void addTiles(Handlers &handlers) {
  std::string tile = ".tile." + std::to_string(rank) + "d";
  const std::string prefix = "cp.async.bulk.tensor.";
  handlers.add(prefix + "g2s" + tile, loadTile<rank>);
  handlers.add(prefix + "g2s.cta" + tile, loadTile<rank>);
  handlers.add(prefix + "s2g" + tile, storeTile<rank>);
}

} // namespace

bool Block::landCopy() {
  if (bulkCopies.empty())
    return false;
  bool isRandom = launch.schedule.order == Order::Random;
  size_t chosen = isRandom ? randomBelow(bulkCopies.size()) : 0;
  BulkCopy copy = std::move(bulkCopies[chosen]);
  bulkCopies.erase(bulkCopies.begin() + chosen);
  copy.land();
  Mbarrier &barrier = *copy.barrier;
  uint64_t time = tick();
  settle(copy.to, barrier.actor, time);
  barrier.gathering.learn(barrier.actor, time);
  completeBytes(barrier, copy.bytes);
  return true;
}

void weft::emulator::loadTensor(const Site &site, char *to, const char *barrier,
                                const void *map,
                                llvm::ArrayRef<int> coordinates) {
  load(site, to, barrier, map, coordinates);
}

void weft::emulator::storeTensor(const Site &site, const char *from,
                                 const void *map,
                                 llvm::ArrayRef<int> coordinates) {
  store(site, from, map, coordinates);
}

void weft::emulator::addBulkCopies(Handlers &handlers) {
  addTiles<1>(handlers);
  addTiles<2>(handlers);
  addTiles<3>(handlers);
  addTiles<4>(handlers);
  addTiles<5>(handlers);
  const std::string prefix = "cp.async.bulk.";
  handlers.add(prefix + "global.to.shared.cluster", loadBytes);
  handlers.add(prefix + "global.to.shared.cta", loadBytes);
  handlers.add(prefix + "shared.cta.to.global", storeBytes);
  handlers.add(prefix + "commit.group", commit);
  handlers.add(prefix + "wait.group", waitGroup);
  handlers.add(prefix + "wait.group.read", waitGroup);
}
