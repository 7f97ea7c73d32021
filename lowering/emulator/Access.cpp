// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an access to memory is checked for: bounds, alignment, bytes that nobody
// wrote, and accesses of others that nothing orders with it.

#include "lowering/emulator/Block.h"
#include "lowering/emulator/Fiber.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace weft::emulator;

//===----------------------------------------------------------------------===//
// Places in memory
//===----------------------------------------------------------------------===//

static const char *verbOf(Access kind) {
  return kind == Access::Load     ? "reads"
         : kind == Access::Atomic ? "updates"
                                  : "writes";
}

static Allocation *findAllocation(const char *address) {
  char *window = sharedWindow();
  Launch &launch = block->launch;
  auto nearest = [&](auto &all) {
    Allocation *best = nullptr;
    for (auto &one : all)
      if (address >= one->data && (!best || one->data > best->data))
        best = one.get();
    return best;
  };
  if (address >= window && address < window + sharedWindowBytes)
    return nearest(launch.shared);
  for (auto &constant : launch.program.constants)
    if (constant->holds(address, 1))
      return constant.get();
  return launch.memory.find(address);
}

std::string Block::describe(const Range &range) const {
  const Allocation &allocation = *range.allocation;
  std::string name = allocation.name;
  if (allocation.kind == Allocation::Kind::Device) {
    // The argument that points into it says more than its number.
    for (auto [i, parameter] : llvm::enumerate(launch.kernel.parameters))
      if (parameter.kind == Parameter::Kind::Pointer &&
          allocation.holds(launch.arguments[i].get<const char *>(), 0)) {
        name = "the buffer of argument " + std::to_string(i);
        break;
      }
  }
  auto offset = static_cast<ptrdiff_t>(range.offset);
  return "byte " + std::to_string(offset) + " of " + name + " (" +
         std::to_string(allocation.bytes) + " bytes)";
}

std::string Block::describeAddress(const char *address) const {
  Allocation *nearest = findAllocation(address);
  // Far from every buffer the nearest one says nothing.
  constexpr ptrdiff_t near = ptrdiff_t(1) << 30;
  if (!nearest || nearest->data - address > near ||
      address - (nearest->data + nearest->bytes) > near) {
    auto number = reinterpret_cast<uintptr_t>(address);
    return "address 0x" + llvm::utohexstr(number) + ", which is in no buffer";
  }
  return describe({nearest, size_t(address - nearest->data), 0});
}

bool weft::emulator::isLocal(const char *address) {
  return address >= current->stack && address < current->stack + stackBytes;
}

Range Block::locate(const Site &site, const char *address, size_t bytes,
                    size_t alignment, const char *verb) {
  Allocation *allocation = site.lastAllocation;
  if (!allocation || site.lastGeneration != launch.memory.generation() ||
      !allocation->holds(address, bytes)) {
    allocation = findAllocation(address);
    if (!allocation || !allocation->holds(address, bytes)) {
      bool isFreed = allocation && !allocation->isLive &&
                     size_t(address - allocation->data) < allocation->bytes;
      fail(site, (isFreed ? "use after free: " : "out of bounds: ") +
                     std::string(verb) + " " + std::to_string(bytes) +
                     " bytes at " + describeAddress(address));
    }
    // Shared memory is another one in the next launch.
    bool isShared = allocation->kind == Allocation::Kind::Shared;
    site.lastAllocation = isShared ? nullptr : allocation;
    site.lastGeneration = launch.memory.generation();
  }
  if (reinterpret_cast<uintptr_t>(address) % alignment != 0)
    fail(site, "misaligned: " + std::string(verb) + " " +
                   std::to_string(bytes) + " bytes at " +
                   describeAddress(address) + ", which must be a multiple of " +
                   std::to_string(alignment));
  return {allocation, size_t(address - allocation->data), bytes};
}

void Block::requireWritten(const Site &site, Range range) {
  if (range.allocation->isWritten(range.offset, range.bytes))
    return;
  while (range.allocation->isWritten(range.offset, 1))
    ++range.offset;
  fail(site, "uninitialised: reads " + describe(range) +
                 ", which nothing has written");
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

bool Block::isKnown(Stamp stamp, const Thread &thread) const {
  uint64_t time = timeOf(stamp);
  if (time < launch.start)
    return true;
  unsigned actor = actorOf(stamp);
  if (time < begin) {
    auto after = std::upper_bound(launch.blockStarts.begin(),
                                  launch.blockStarts.end(), time);
    uint32_t other = after - launch.blockStarts.begin() - 1;
    return llvm::is_contained(knownBlocks, other);
  }
  if (actor >= maxThreads)
    return hardware.of(actor) >= time || thread.known.of(actor) >= time;
  if (time < base)
    return true;
  return (actor == thread.index && time != pendingTime) ||
         thread.known.of(actor) >= time;
}

void Block::reportPending(const Site &site, Range range, Stamp stamp,
                          const Cell &cell, bool wasWrite, bool isWrite) {
  const Site &other =
      launch.program.sites[wasWrite ? cell.writeSite : cell.readSite];
  std::string what = std::string(isWrite ? "writes " : "reads ") +
                     describe(range) + " while " + other.name +
                     (other.place.empty() ? "" : " of " + other.place) +
                     (wasWrite ? " may still write it" : " may still read it");
  const char *cure = actorOf(stamp) < maxThreads ? ": wait for its group first"
                     : actorOf(stamp) < firstWarpGroup
                         ? ": wait for its mbarrier first"
                         : ": wait for wgmma's group first";
  fail(site, "data race: " + what + cure);
}

void Block::reportRace(const Site &site, Range range, const Cell &cell,
                       Stamp stamp, bool wasWrite, bool isWrite) {
  if (timeOf(stamp) == pendingTime)
    reportPending(site, range, stamp, cell, wasWrite, isWrite);
  const Site &other =
      launch.program.sites[wasWrite ? cell.writeSite : cell.readSite];
  std::string who;
  const char *cure = ", with no barrier in between";
  if (actorOf(stamp) >= maxThreads) {
    who = other.name;
    cure = ", and this thread has not waited for it";
  } else if (timeOf(stamp) < begin) {
    auto after = std::upper_bound(launch.blockStarts.begin(),
                                  launch.blockStarts.end(), timeOf(stamp));
    Dim3 place = launch.blockPlaces[after - launch.blockStarts.begin() - 1];
    who = llvm::formatv("block ({0}, {1}, {2})", place[0], place[1], place[2])
              .str();
    cure = ", and nothing orders blocks";
  } else {
    who = "thread " + describeThread(actorOf(stamp));
  }
  fail(site, "data race: " + std::string(isWrite ? "writes " : "reads ") +
                 describe(range) + ", which " + who +
                 (wasWrite ? " wrote" : " read") +
                 (other.place.empty() ? "" : " at " + other.place) + cure);
}

void Block::checkOrder(const Site &site, Range range, const Cell &cell,
                       Stamp stamp, bool wasWrite, bool isWrite) {
  // Of shared memory, what an earlier block did is gone with it.
  bool isOver = range.allocation->kind == Allocation::Kind::Shared &&
                timeOf(stamp) < begin;
  if (stamp && !isOver && !isKnown(stamp, *current))
    reportRace(site, range, cell, stamp, wasWrite, isWrite);
}

/// Keeps the latest reads of two threads that nothing orders.
static void addRead(Cell &cell, Stamp stamp, uint32_t site,
                    const Thread &thread, const Block &block) {
  if (cell.read && actorOf(cell.read) != actorOf(stamp) &&
      !block.isKnown(cell.read, thread))
    cell.otherRead = cell.read;
  cell.read = stamp;
  cell.readSite = site;
}

void Block::recordAccess(const Site &site, Range range, Access kind) {
  if (range.allocation->kind == Allocation::Kind::Constant)
    return;
  bool isAtomic = kind == Access::Atomic || kind == Access::AtomicStore;
  bool writes = kind != Access::Load;
  Stamp mine = makeStamp(current->time, current->index);
  if (isAtomic)
    mine |= atomicFlag;
  auto cells = range.allocation->cells(range.offset, range.bytes);
  for (Cell *cell = cells.first; cell != cells.last; ++cell) {
    if (cell->write != mine &&
        !(isAtomic && weft::emulator::isAtomic(cell->write)))
      checkOrder(site, range, *cell, cell->write, true, writes);
    if (!writes) {
      addRead(*cell, mine, site.index, *current, *this);
      continue;
    }
    // Its own read does not stand for another's.
    if (cell->read && cell->read != mine)
      checkOrder(site, range, *cell, cell->read, false, true);
    if (cell->otherRead)
      checkOrder(site, range, *cell, cell->otherRead, false, true);
    cell->read = cell->otherRead = 0;
    cell->write = mine;
    cell->writeSite = site.index;
  }
}

Range Block::access(const Site &site, const char *address, size_t bytes,
                    size_t alignment, Access kind) {
  Range range = locate(site, address, bytes, alignment, verbOf(kind));
  if (kind != Access::Load &&
      range.allocation->kind == Allocation::Kind::Constant)
    fail(site, "writes " + describe(range) + ", which is constant");
  if (launch.schedule.isThorough && --untilTurn == 0) {
    untilTurn = 1 + randomBelow(16);
    yield();
  }
  if (kind == Access::Load || kind == Access::Atomic)
    requireWritten(site, range);
  recordAccess(site, range, kind);
  if (kind != Access::Load)
    range.allocation->setWritten(range.offset, range.bytes);
  return range;
}

void Block::touch(const Site &site, Thread &thread, const char *address,
                  size_t bytes, size_t alignment, Access kind) {
  Thread *self = current;
  current = &thread;
  Range range = locate(site, address, bytes, alignment, verbOf(kind));
  if (kind == Access::Load)
    requireWritten(site, range);
  recordAccess(site, range, kind);
  if (kind == Access::Store)
    range.allocation->setWritten(range.offset, range.bytes);
  current = self;
}

//===----------------------------------------------------------------------===//
// What the hardware does by itself
//===----------------------------------------------------------------------===//

void Block::fenceProxies() {
  current->fence.own = current->time;
  current->fence.base = base;
  current->fence.known = current->known;
  // What it writes from now on is not covered.
  current->time = tick();
}

bool Block::isFenced(Stamp stamp) const {
  uint64_t time = timeOf(stamp);
  const Thread &writer = threads[actorOf(stamp)];
  const ProxyFence &fence = current->fence;
  return time <= writer.fence.own || time < fence.base ||
         fence.known.of(actorOf(stamp)) >= time;
}

/// Of ordinary writes only: copies to shared memory see to it themselves.
void Block::requireFence(const Site &site, Range range, const Cell &cell) {
  if (actorOf(cell.write) >= maxThreads || timeOf(cell.write) < begin ||
      isFenced(cell.write))
    return;
  const Site &other = launch.program.sites[cell.writeSite];
  if (llvm::StringRef(other.name).starts_with("cp.async"))
    return;
  fail(site, "data race: reads " + describe(range) + ", which thread " +
                 describeThread(actorOf(cell.write)) + " wrote" +
                 (other.place.empty() ? "" : " at " + other.place) +
                 ", with no fence.proxy.async in between");
}

void Block::markPending(const Site &site, Range range, unsigned actor,
                        bool writes) {
  launch.hasPending = true;
  auto cells = range.allocation->cells(range.offset, range.bytes);
  Stamp pending = makeStamp(pendingTime, actor);
  for (Cell *cell = cells.first; cell != cells.last; ++cell) {
    checkOrder(site, range, *cell, cell->write, true, writes);
    if (!writes) {
      requireFence(site, range, *cell);
      // Reads of one group that follow one another are one.
      if (cell->read != pending)
        addRead(*cell, pending, site.index, *current, *this);
      continue;
    }
    checkOrder(site, range, *cell, cell->read, false, true);
    checkOrder(site, range, *cell, cell->otherRead, false, true);
    cell->read = cell->otherRead = 0;
    cell->write = pending;
    cell->writeSite = site.index;
  }
}

void Block::settle(Range range, unsigned actor, uint64_t time) {
  auto cells = range.allocation->cells(range.offset, range.bytes);
  Stamp pending = makeStamp(pendingTime, actor);
  Stamp settled = time ? makeStamp(time, actor) : 0;
  for (Cell *cell = cells.first; cell != cells.last; ++cell)
    for (Stamp *stamp : {&cell->write, &cell->read, &cell->otherRead})
      if (*stamp == pending)
        *stamp = settled;
}
