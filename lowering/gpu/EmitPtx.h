// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module at stage `nvvm` to what runs: the kernels in PTX, and the plan
// of the host as JSON.

#ifndef WEFT_LOWERING_GPU_EMITPTX_H
#define WEFT_LOWERING_GPU_EMITPTX_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <string>

namespace weft {

/// The kernels in PTX for the module's chip.
llvm::Expected<std::string> emitPtx(mlir::ModuleOp module);

/// What the host does to run the program, as JSON.
llvm::Expected<std::string> emitPlan(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_LOWERING_GPU_EMITPTX_H
