// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-tiled-products: a kernel that sums products up -> code for the
// threads of blocks, in tiles where there are such.

#include "lowering/Passes.h"
#include "lowering/gpu/ProductOperands.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace weft {
#define GEN_PASS_DEF_LOWERTILEDPRODUCTS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::ProductKernel;
using weft::ProductPlan;

namespace {

class LowerTiledProducts final
    : public weft::impl::LowerTiledProductsBase<LowerTiledProducts> {
  void runOnOperation() override {
    weft::Gpu gpu = weft::Gpu::of(getOperation());
    for (auto func : getOperation().getOps<gpu::GPUFuncOp>()) {
      auto kind = func->getAttrOfType<StringAttr>(weft::classAttr);
      // Other passes may have lowered some products before.
      if (!kind || kind.getValue() != "product" || func.getKnownBlockSize())
        continue;
      FailureOr<ProductKernel> kernel = ProductKernel::of(func);
      if (failed(kernel))
        return signalPassFailure();
      std::optional<ProductPlan> plan = ProductPlan::make(*kernel, gpu);
      if (!plan)
        weft::emitPlainProduct(*kernel);
      else if (plan->kind == ProductPlan::Kind::Lanes)
        weft::emitLaneProduct(*kernel, *plan);
      else
        weft::emitTiledProduct(*kernel, *plan);
    }
  }
};

} // namespace
