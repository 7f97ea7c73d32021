// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of all instructions, made once.

#include "lowering/emulator/Handlers.h"
#include "llvm/ADT/StringExtras.h"

using namespace weft::emulator;

Handler Handlers::find(llvm::StringRef name) const {
  if (Handler handler = exact.lookup(name))
    return handler;
  Handler best = nullptr;
  size_t length = 0;
  for (const auto &[prefix, handler] : families)
    if (prefix.size() >= length && name.starts_with(prefix)) {
      best = handler;
      length = prefix.size();
    }
  return best;
}

const Handlers &Handlers::ofIntrinsics() {
  static const Handlers handlers = [] {
    Handlers all;
    addArithmetic(all);
    addBarriers(all);
    addWarps(all);
    addAsyncCopies(all);
    addMatrices(all);
    addMbarriers(all);
    addBulkCopies(all);
    addWarpGroups(all);
    return all;
  }();
  return handlers;
}

std::array<int, 4> weft::emulator::numbersIn(llvm::StringRef name) {
  std::array<int, 4> numbers = {};
  size_t count = 0;
  for (size_t i = 0; i < name.size() && count < numbers.size();) {
    if (!llvm::isDigit(name[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < name.size() && llvm::isDigit(name[end]))
      ++end;
    name.slice(i, end).getAsInteger(10, numbers[count++]);
    i = end;
  }
  return numbers;
}
