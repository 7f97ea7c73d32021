// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel over rows whose threads keep what a row needs in their registers.

#ifndef WEFT_LOWERING_GPU_ROWREGISTERS_H
#define WEFT_LOWERING_GPU_ROWREGISTERS_H

#include "lowering/gpu/Step.h"

namespace weft {

/// Lowers a kernel of one loop over rows, or says that it is of another kind,
/// and leaves it as it is.
bool lowerRowsInRegisters(mlir::gpu::GPUFuncOp kernel, SharedMemory &shared);

} // namespace weft

#endif // WEFT_LOWERING_GPU_ROWREGISTERS_H
