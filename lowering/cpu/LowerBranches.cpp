// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-branches: branches and matrix tiles -> LLVM's, together, since the
// first carry the second.

#include "lowering/Passes.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/AMX/Transforms.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace weft {
#define GEN_PASS_DEF_LOWERBRANCHES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class LowerBranches final
    : public weft::impl::LowerBranchesBase<LowerBranches> {
  void runOnOperation() override {
    LLVMTypeConverter converter(&getContext());
    RewritePatternSet patterns(&getContext());
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    cf::populateAssertToLLVMConversionPattern(converter, patterns);
    populateAMXLegalizeForLLVMExportPatterns(converter, patterns);
    LLVMConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([](Operation *op) {
      StringRef dialect = op->getName().getDialectNamespace();
      return dialect != "cf" && dialect != "amx";
    });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
