// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What LLVM is told of a loop.

#ifndef WEFT_LOWERING_CPU_LOOPHINTS_H
#define WEFT_LOWERING_CPU_LOOPHINTS_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {

/// LLVM keeps the loop: it makes no straight line of all its steps, and does
/// not several at once, but for those of a vector.
inline void keepRolled(mlir::scf::ForOp loop) {
  mlir::MLIRContext *context = loop.getContext();
  auto unroll = mlir::LLVM::LoopUnrollAttr::get(
      context, mlir::BoolAttr::get(context, true), {}, {}, {}, {}, {}, {});
  loop->setAttr("loop_annotation", mlir::LLVM::LoopAnnotationAttr::get(
                                       context, {}, {}, {}, unroll, {}, {}, {},
                                       {}, {}, {}, {}, {}, {}, {}, {}));
}

/// Whether a loop that walks along elements of so many bytes is so few steps
/// that LLVM would make a straight line of them before it looks for vectors,
/// and then find these along the loop around it, whose elements are apart.
inline bool isShortRow(int64_t steps, int64_t bytes, int64_t vectorBytes) {
  // As measured: a vector of narrow elements has more of these.
  int64_t least = std::min<int64_t>(vectorBytes / bytes / 2, 8),
          most = bytes < 4 ? 16 : 31;
  return steps >= least && steps <= most;
}

} // namespace weft

#endif // WEFT_LOWERING_CPU_LOOPHINTS_H
