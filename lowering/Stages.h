// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A target's pipeline: a list of named stages, each with the passes that lead
// to it.

#ifndef WEFT_LOWERING_STAGES_H
#define WEFT_LOWERING_STAGES_H

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

/// Those with which every target begins.
inline constexpr Stage tracedStage{"weft", "The program as it was traced.", "",
                                   ""};
inline constexpr Stage expandedStage{
    "expanded", "Derivatives and calls are replaced by the ops they stand for.",
    "weft-expand-transforms", "weft, func"};
inline constexpr Stage linalgStage{
    "linalg", "Each op is a loop nest over tensors, its body scalar.",
    "weft-lower-to-linalg, func.func(canonicalize, cse), "
    "weft-apply-schedule{stage=linalg later=fused,memref,loops}",
    "func, linalg, tensor, arith, math, complex, scf, affine, vector, ub, "
    "bufferization.alloc_tensor, bufferization.materialize_in_destination, "
    "weft.barrier, weft.library_call"};

/// Registers `--<prefix><stage>` for each stage that passes lead to, and
/// `--weft-<target>` for all of them.
void registerStages(llvm::StringRef target, llvm::StringRef prefix,
                    llvm::StringRef doc, llvm::ArrayRef<Stage> stages);

} // namespace weft

#endif // WEFT_LOWERING_STAGES_H
