// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages of a program on its way to an NVIDIA GPU, as data.

#ifndef WEFT_LOWERING_GPU_H
#define WEFT_LOWERING_GPU_H

#include "lowering/Stages.h"

namespace weft {

/// From `weft`, as traced, to `ptx`, in order.
llvm::ArrayRef<Stage> gpuStages();

/// Registers `--weft-to-gpu-<stage>` for each stage that passes lead to, and
/// `--weft-cuda` for all of them.
void registerGpuPipelines();

} // namespace weft

#endif // WEFT_LOWERING_GPU_H
