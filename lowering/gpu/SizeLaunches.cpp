// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-size-launches: launches of one block of one thread -> of as many as the
// kernel says.

#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace weft {
#define GEN_PASS_DEF_SIZELAUNCHES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class SizeLaunches final : public weft::impl::SizeLaunchesBase<SizeLaunches> {
  void runOnOperation() override {
    SymbolTableCollection symbols;
    getOperation().walk([&](gpu::LaunchFuncOp launch) {
      auto kernel = symbols.lookupNearestSymbolFrom<gpu::GPUFuncOp>(
          launch, launch.getKernelAttr());
      if (kernel && failed(size(launch, kernel)))
        signalPassFailure();
    });
  }

  static LogicalResult size(gpu::LaunchFuncOp launch, gpu::GPUFuncOp kernel) {
    auto grid = kernel.getKnownGridSizeAttr();
    auto block = kernel.getKnownBlockSizeAttr();
    if (!grid || !block || grid.size() != 3 || block.size() != 3) {
      InFlightDiagnostic error = kernel.emitError("a kernel ");
      if (Attribute kind = kernel->getAttr(weft::classAttr))
        error << "of class " << kind;
      else
        error << "without a '" << weft::classAttr << "'";
      return error << " that no pass has lowered: it states no size";
    }
    OpBuilder b(launch);
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(b, launch.getLoc(), value);
    };
    auto dims = [&](DenseI32ArrayAttr sizes) {
      return gpu::KernelDim3{constant(sizes[0]), constant(sizes[1]),
                             constant(sizes[2])};
    };
    Value bytes;
    if (auto shared = kernel->getAttrOfType<IntegerAttr>(weft::sharedBytesAttr))
      bytes = arith::ConstantIntOp::create(b, launch.getLoc(), b.getI32Type(),
                                           shared.getInt());
    gpu::LaunchFuncOp::create(b, launch.getLoc(), launch.getKernelAttr(),
                              dims(grid), dims(block), bytes,
                              launch.getKernelOperands(), Type(), ValueRange());
    launch.erase();
    return success();
  }
};

} // namespace
