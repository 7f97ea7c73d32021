// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cp.async: what is copied arrives when its group is waited for, and until then
// is nobody's to touch.

#include "lowering/emulator/Handlers.h"

using namespace weft::emulator;

namespace {

/// Bytes that copies from device memory take: they pass on what was never
/// written.
Range readSource(const Site &site, const char *address, size_t bytes,
                 size_t alignment) {
  Range range = block->locate(site, address, bytes, alignment, "copies");
  block->recordAccess(site, range, Access::Load);
  return range;
}

void startCopy(const Site &site, char *to, const char *from, size_t size,
               size_t bytes) {
  if (bytes > size)
    block->fail(site, "cp.async of " + std::to_string(bytes) +
                          " bytes, which are more than " +
                          std::to_string(size));
  PendingCopy copy;
  copy.to = block->locate(site, to, size, size, "copies to");
  copy.bytes = bytes;
  if (bytes)
    copy.from = readSource(site, from, bytes, size);
  block->markPending(site, copy.to, current->index, true);
  openGroup(current->copies).push_back(copy);
}

void finish(const PendingCopy &copy, Thread &thread) {
  Allocation &to = *copy.to.allocation;
  std::memset(copy.to.data(), 0, copy.to.bytes);
  to.setWritten(copy.to.offset, copy.to.bytes);
  if (copy.bytes) {
    std::memcpy(copy.to.data(), copy.from.data(), copy.bytes);
    to.copyWritten(copy.to.offset, *copy.from.allocation, copy.from.offset,
                   copy.bytes);
  }
  block->settle(copy.to, thread.index, thread.time);
}

/// Waits for all groups but the last few.
void finishGroups(Thread &thread, size_t kept) {
  auto &groups = thread.copies;
  while (groups.size() > kept + 1) {
    for (const PendingCopy &copy : groups.front())
      finish(copy, thread);
    groups.erase(groups.begin());
  }
}

template <int size, bool hasBytes>
void copyAsync(const Site &site, Slot *operands, void *) {
  size_t bytes = hasBytes ? operands[2].get<uint32_t>() : size;
  startCopy(site, operands[0].get<char *>(), operands[1].get<const char *>(),
            size, bytes);
}

void commit(const Site &, Slot *, void *) { commitGroup(current->copies); }

void waitGroup(const Site &, Slot *operands, void *) {
  finishGroups(*current, operands[0].get<uint32_t>());
}

void waitAll(const Site &, Slot *, void *) {
  commitGroup(current->copies);
  finishGroups(*current, 0);
}

} // namespace

void weft::emulator::startAsyncCopy(const Site &site, char *to,
                                    const char *from, size_t size,
                                    size_t bytes) {
  startCopy(site, to, from, size, bytes);
}

void weft::emulator::finishAsyncCopies(Thread &thread) {
  commitGroup(thread.copies);
  finishGroups(thread, 0);
}

void Block::settleAll(Thread &thread) {
  for (auto &group : thread.copies)
    for (const PendingCopy &copy : group)
      settle(copy.to, thread.index, 0);
  thread.copies.clear();
  for (auto &group : thread.stores)
    for (auto &[range, land] : group) {
      land();
      settle(range, thread.index, 0);
    }
  thread.stores.clear();
}

void weft::emulator::addAsyncCopies(Handlers &handlers) {
  for (const char *cache : {"ca", "cg"}) {
    std::string name = std::string("cp.async.") + cache + ".shared.global.16";
    handlers.add(name, copyAsync<16, false>);
    handlers.add(name + ".s", copyAsync<16, true>);
  }
  handlers.add("cp.async.ca.shared.global.4", copyAsync<4, false>);
  handlers.add("cp.async.ca.shared.global.4.s", copyAsync<4, true>);
  handlers.add("cp.async.ca.shared.global.8", copyAsync<8, false>);
  handlers.add("cp.async.ca.shared.global.8.s", copyAsync<8, true>);
  handlers.add("cp.async.commit.group", commit);
  handlers.add("cp.async.wait.group", waitGroup);
  handlers.add("cp.async.wait.all", waitAll);
}
