// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module of LLVM's in parts that can be compiled each by itself, at once.

#ifndef WEFT_LOWERING_JIT_SPLITCODE_H
#define WEFT_LOWERING_JIT_SPLITCODE_H

#include "llvm/ADT/SmallVector.h"
#include <memory>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace weft {

struct CodePart {
  /// In the context of the whole.
  std::unique_ptr<llvm::Module> module;
  /// Whether it has no loops, so that it is not worth much optimisation.
  bool runsOnce = false;
};

/// The parts of a module: what is in which depends on the module alone. What is
/// to be inlined is in each part that calls it. The module itself is used up.
std::vector<CodePart> splitCode(std::unique_ptr<llvm::Module> module);

} // namespace weft

#endif // WEFT_LOWERING_JIT_SPLITCODE_H
