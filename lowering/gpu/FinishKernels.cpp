// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-finish-kernels: what LLVM may rely on in kernels, and where dynamic
// shared memory is.

#include "lowering/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace weft {
#define GEN_PASS_DEF_FINISHKERNELS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// The address space of what a block shares.
constexpr unsigned sharedSpace = 3;

class FinishKernels final
    : public weft::impl::FinishKernelsBase<FinishKernels> {
  void runOnOperation() override {
    getOperation().walk([&](gpu::GPUModuleOp module) {
      for (auto global : module.getOps<LLVM::GlobalOp>())
        finish(global);
      for (auto func : module.getOps<LLVM::LLVMFuncOp>())
        if (func->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()))
          finish(func);
        else if (!func.isExternal())
          func.setLinkage(LLVM::Linkage::Internal);
    });
  }

  /// Upstream makes one byte or none of dynamic shared memory.
  static void finish(LLVM::GlobalOp global) {
    auto array = dyn_cast<LLVM::LLVMArrayType>(global.getType());
    if (global.getAddrSpace() != sharedSpace || !array ||
        array.getNumElements() > 1)
      return;
    global.setLinkage(LLVM::Linkage::External);
    global.setAlignment(1024);
  }

  /// Whether threads wait for each other, as far as anyone can say.
  static bool hasBarrier(LLVM::LLVMFuncOp func) {
    return func
        .walk([](Operation *op) {
          bool waits = isa<NVVM::BarrierOp, NVVM::Barrier0Op, NVVM::SyncWarpOp,
                           LLVM::InlineAsmOp, LLVM::CallIntrinsicOp>(op);
          return waits ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  static void finish(LLVM::LLVMFuncOp func) {
    Builder b(func.getContext());
    // LLVM believes that nobody else changes what does not overlap, and would
    // keep it in registers across a barrier.
    bool isApart = !hasBarrier(func);
    for (unsigned i = 0; i < func.getNumArguments(); ++i) {
      if (!isa<LLVM::LLVMPointerType>(func.getArgument(i).getType()) ||
          func.getArgAttr(i, LLVM::LLVMDialect::getByValAttrName()))
        continue;
      func.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(16));
      if (isApart)
        func.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
    }
  }
};

} // namespace
