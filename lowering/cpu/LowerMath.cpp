// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-math: math ops without an LLVM intrinsic -> calls of libm.

#include "lowering/Passes.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Transforms/DialectConversion.h"

namespace weft {
#define GEN_PASS_DEF_LOWERMATH
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class LowerMath final : public weft::impl::LowerMathBase<LowerMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathToLibmConversionPatterns(patterns);
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    // Upstream would write expm1 as exp(x) - 1 and log1p as log(1 + x).
    target.addIllegalOp<math::ExpM1Op, math::Log1pOp>();
    target.addIllegalOp<math::ErfOp, math::ErfcOp, math::CbrtOp, math::AcoshOp,
                        math::AsinhOp, math::AtanhOp>();
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
