// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/SortStep.h"
#include "mlir/AsmParser/AsmParser.h"

using namespace mlir;
using weft::SortStep;

/// By kind, what the names of calls begin with.
static constexpr llvm::StringLiteral prefixes[] = {"sort_tiles_",
                                                   "argsort_tiles_", "merge_"};

std::optional<SortStep> SortStep::of(Operation *op) {
  auto call = dyn_cast<weft::LibraryCallOp>(op);
  if (!call)
    return std::nullopt;
  ArrayRef<int64_t> sizes = call.getSizes();
  if (sizes.size() != 4 || sizes[3] == 0 ||
      llvm::any_of(sizes, [](int64_t size) { return size < 0; }))
    return std::nullopt;
  for (auto [kind, prefix] : llvm::enumerate(prefixes)) {
    StringRef name = call.getKernel();
    if (!name.consume_front(prefix))
      continue;
    Type element = parseType(name, op->getContext());
    if (!element)
      return std::nullopt;
    return SortStep{static_cast<Kind>(kind), element, sizes[0], sizes[1],
                    sizes[2] != 0,           sizes[3]};
  }
  return std::nullopt;
}

ValueRange SortStep::build(OpBuilder &b, Location loc, ValueRange inputs,
                           ValueRange outputs) const {
  std::string name = prefixes[static_cast<int>(kind)].str();
  llvm::raw_string_ostream(name) << element;
  return weft::LibraryCallOp::create(b, loc, outputs.getTypes(), name,
                                     {rows, size, int64_t(descending), run},
                                     inputs, outputs)
      .getResults();
}
