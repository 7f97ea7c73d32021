// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GPU computes a sum of products: which of its loops are rows, columns
// and so on, and the sizes of its tiles. All of it is numbers.

#ifndef WEFT_LOWERING_GPU_PRODUCTPLAN_H
#define WEFT_LOWERING_GPU_PRODUCTPLAN_H

#include "lowering/ContractionPlan.h"
#include "lowering/Nest.h"
#include "lowering/gpu/Device.h"

namespace weft {} // namespace weft

#endif // WEFT_LOWERING_GPU_PRODUCTPLAN_H
