// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each instruction of the GPU does, by the name that NVVM or PTX gives it.

#ifndef WEFT_LOWERING_EMULATOR_HANDLERS_H
#define WEFT_LOWERING_EMULATOR_HANDLERS_H

#include "lowering/emulator/Block.h"
#include "llvm/ADT/StringMap.h"

namespace weft::emulator {

class Handlers {
public:
  void add(llvm::StringRef name, Handler handler) { exact[name] = handler; }
  /// Of all instructions whose name begins so; the longest that fits is taken.
  void addFamily(llvm::StringRef prefix, Handler handler) {
    families.emplace_back(prefix.str(), handler);
  }
  Handler find(llvm::StringRef name) const;

  /// Those of NVVM's intrinsics, without "llvm.nvvm.".
  static const Handlers &ofIntrinsics();

private:
  llvm::StringMap<Handler> exact;
  std::vector<std::pair<std::string, Handler>> families;
};

void addArithmetic(Handlers &handlers);
void addBarriers(Handlers &handlers);
void addWarps(Handlers &handlers);
void addAsyncCopies(Handlers &handlers);
void addMatrices(Handlers &handlers);
void addMbarriers(Handlers &handlers);
void addBulkCopies(Handlers &handlers);
void addWarpGroups(Handlers &handlers);

/// The numbers of a name: {16, 8, 16} of "mma.m16n8k16.row.col.bf16".
std::array<int, 4> numbersIn(llvm::StringRef name);

/// Of so many bytes, the first of which are copied and the others zero.
void startAsyncCopy(const Site &site, char *to, const char *from, size_t size,
                    size_t bytes);

/// All that a thread has started.
void finishAsyncCopies(Thread &thread);

/// A box of a tensor map, from device memory to shared memory or back.
void loadTensor(const Site &site, char *to, const char *barrier,
                const void *map, llvm::ArrayRef<int> coordinates);
void storeTensor(const Site &site, const char *from, const void *map,
                 llvm::ArrayRef<int> coordinates);

/// The value that a thread gets of a barrier that reduces.
void reduceBarrier(Thread &thread, int sum, int expected);

} // namespace weft::emulator

#endif // WEFT_LOWERING_EMULATOR_HANDLERS_H
