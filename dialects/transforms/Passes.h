// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The passes from the weft dialect to itself.

#ifndef WEFT_DIALECTS_TRANSFORMS_PASSES_H
#define WEFT_DIALECTS_TRANSFORMS_PASSES_H

#include "dialects/Weft.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace weft {

#define GEN_PASS_DECL
#include "dialects/transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/transforms/Passes.h.inc"

/// Registers the passes of this folder with the pass registry.
inline void registerTransformPasses() { registerWeftTransformsPasses(); }

} // namespace weft

#endif // WEFT_DIALECTS_TRANSFORMS_PASSES_H
