// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-math: math ops without an LLVM intrinsic -> calls of libm, and
// what keeps LLVM from rounding in 16 bits.

#include "lowering/Passes.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
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
      return signalPassFailure();
    OpBuilder b(&getContext());
    getOperation()->walk([&](Operation *op) {
      if (isa<math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp>(
              op))
        keepWide(op, b);
    });
  }

  /// LLVM would round an f16 to an integer in 16 bits, for which few CPUs have
  /// instructions: lane by lane. The integer has the sign of what it is rounded
  /// from, but LLVM does not know.
  static void keepWide(Operation *op, OpBuilder &b) {
    Value x = op->getOperand(0), rounded = op->getResult(0);
    auto widened = x.getDefiningOp<arith::ExtFOp>();
    if (!widened || !getElementTypeOrSelf(widened.getIn()).isF16())
      return;
    b.setInsertionPointAfter(op);
    auto same = math::CopySignOp::create(b, op->getLoc(), rounded, x);
    rounded.replaceAllUsesExcept(same, same);
  }
};

} // namespace
