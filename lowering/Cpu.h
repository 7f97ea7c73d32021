// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The stages of a program on its way to the CPU, as data.

#ifndef WEFT_LOWERING_CPU_H
#define WEFT_LOWERING_CPU_H

#include "lowering/Stages.h"

namespace weft {

/// From `weft`, as traced, to `asm`, in order.
llvm::ArrayRef<Stage> cpuStages();

/// Registers `--weft-to-<stage>` for each stage that passes lead to, and
/// `--weft-cpu` for all of them.
void registerCpuPipelines();

} // namespace weft

#endif // WEFT_LOWERING_CPU_H
