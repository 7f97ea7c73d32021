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

} // namespace weft

#endif // WEFT_LOWERING_CPU_LOOPHINTS_H
