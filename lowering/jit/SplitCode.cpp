// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels and what calls them -> modules of about the same size, that refer to
// each other by name. No part inlines from another: kernels never are inlined.

#include "lowering/jit/SplitCode.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Analysis/CFG.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace {

/// Instructions of a part that are worth a thread: some ten milliseconds.
constexpr size_t instructionsPerPart = 64;
constexpr size_t mostParts = 16;
/// Instructions without a loop that are worth a part of their own.
constexpr size_t instructionsOfDriver = 1024;

bool isInlined(const Function &function) {
  return function.hasFnAttribute(Attribute::AlwaysInline);
}

bool hasLoops(const Function &function) {
  SmallVector<std::pair<const BasicBlock *, const BasicBlock *>> edges;
  FindFunctionBackedges(function, edges);
  return !edges.empty();
}

size_t sizeOf(ArrayRef<Function *> functions) {
  size_t size = 0;
  for (const Function *function : functions)
    size += function->getInstructionCount();
  return size;
}

using Functions = std::vector<Function *>;

/// Each function into the part that is smallest so far, large ones first.
std::vector<Functions> share(const Functions &functions, size_t count) {
  std::vector<std::pair<size_t, size_t>> order;
  for (auto [number, function] : llvm::enumerate(functions))
    order.emplace_back(-function->getInstructionCount(), number);
  llvm::sort(order);
  std::vector<Functions> parts(count);
  std::vector<size_t> sizes(count);
  for (auto [size, number] : order) {
    size_t smallest = llvm::min_element(sizes) - sizes.begin();
    parts[smallest].push_back(functions[number]);
    sizes[smallest] -= size;
  }
  return parts;
}

/// What other parts refer to gets a name that the linker sees. It is neither
/// hidden nor local: the parts may lie so far apart that only a table reaches
/// from one to another.
void publish(Function &function) {
  if (function.hasLocalLinkage())
    function.setLinkage(GlobalValue::ExternalLinkage);
  function.setDSOLocal(false);
}

/// Constants are copied, but nothing that can be written to, or whose address
/// says what it is.
bool canBeCopied(const GlobalVariable &variable) {
  return variable.isDeclaration() ||
         (variable.isConstant() && variable.hasLocalLinkage());
}

weft::CodePart partOf(const Module &module, const Functions &functions,
                      bool runsOnce) {
  SmallPtrSet<const GlobalValue *, 16> own(functions.begin(), functions.end());
  ValueToValueMapTy mapping;
  auto part = CloneModule(module, mapping, [&](const GlobalValue *value) {
    auto *function = dyn_cast<Function>(value);
    return !function || isInlined(*function) || own.contains(value);
  });
  return {std::move(part), runsOnce};
}

} // namespace

std::vector<weft::CodePart> weft::splitCode(std::unique_ptr<Module> module) {
  Functions all, driver;
  for (Function &function : *module)
    if (!function.isDeclaration() && !isInlined(function))
      (hasLoops(function) ? all : driver).push_back(&function);
  bool isLong = sizeOf(driver) >= instructionsOfDriver;
  if (!isLong)
    all.insert(all.end(), driver.begin(), driver.end());

  size_t count =
      std::clamp(sizeOf(all) / instructionsPerPart, size_t(1),
                 std::min(mostParts, std::max(all.size(), size_t(1))));
  std::vector<CodePart> parts;
  if ((count == 1 && !isLong) ||
      !llvm::all_of(module->globals(), canBeCopied) || !module->alias_empty()) {
    parts.push_back({std::move(module), /*runsOnce=*/false});
    return parts;
  }
  for (Function &function : *module)
    if (!isInlined(function))
      publish(function);
  if (isLong)
    parts.push_back(partOf(*module, driver, /*runsOnce=*/true));
  for (const Functions &functions : share(all, count))
    if (!functions.empty())
      parts.push_back(partOf(*module, functions, /*runsOnce=*/false));
  return parts;
}
