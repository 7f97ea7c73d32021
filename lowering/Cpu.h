// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages of a program on its way to the CPU, as data.

#ifndef WEFT_LOWERING_CPU_H
#define WEFT_LOWERING_CPU_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace weft {

struct Stage {
  llvm::StringLiteral name;
  /// What a reader will see, in one sentence.
  llvm::StringLiteral doc;
  /// The passes that lead here from the stage before; empty where no pass does.
  llvm::StringLiteral passes;
  /// The dialects that the stage may contain, besides builtin.
  llvm::StringLiteral legal;

  /// The passes, and the check that ends every stage.
  std::string pipeline() const;
};

/// From `weft`, as traced, to `asm`, in order.
llvm::ArrayRef<Stage> cpuStages();

/// Registers `--weft-to-<stage>` for each stage that passes lead to, and
/// `--weft-cpu` for all of them.
void registerCpuPipelines();

} // namespace weft

#endif // WEFT_LOWERING_CPU_H
