// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops of weft that are other loops, or other ops, where the module states a
// GPU: what one thread of a CPU does in turn, many do at once.

#ifndef WEFT_LOWERING_GPU_TOLINALGLAUNCHES_H
#define WEFT_LOWERING_GPU_TOLINALGLAUNCHES_H

#include "lowering/gpu/Device.h"
#include "mlir/Transforms/DialectConversion.h"

namespace weft {

/// These patterns take precedence over those for any target.
void populateScansToLaunches(const mlir::TypeConverter &types,
                             mlir::RewritePatternSet &patterns, const Gpu &gpu);
void populateScatterToLaunches(const mlir::TypeConverter &types,
                               mlir::RewritePatternSet &patterns,
                               const Gpu &gpu);

} // namespace weft

#endif // WEFT_LOWERING_GPU_TOLINALGLAUNCHES_H
