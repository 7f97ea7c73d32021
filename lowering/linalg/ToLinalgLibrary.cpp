// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a library's kernel computes -> weft.library_call into empty tensors.

#include "dialects/Weft.h"
#include "lowering/linalg/ToLinalg.h"

using namespace mlir;

namespace {

/// How names of kernels spell an element type.
std::string spell(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return "c" +
           std::to_string(2 * complex.getElementType().getIntOrFloatBitWidth());
  return "f" + std::to_string(element.getIntOrFloatBitWidth());
}

// Pattern: weft.cholesky %x -> weft.library_call "cholesky_f64" [..] (%x)
struct LowerLibraryKernel final
    : OpInterfaceConversionPattern<weft::LibraryKernel> {
  using OpInterfaceConversionPattern::OpInterfaceConversionPattern;

  LogicalResult
  matchAndRewrite(weft::LibraryKernel op, ArrayRef<Value> operands,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    weft::Kernel kernel = op.getKernel();
    SmallVector<Value> inputs, outputs;
    for (Value input : kernel.inputs)
      inputs.push_back(rewriter.getRemappedValue(input));
    if (llvm::is_contained(inputs, Value()))
      return rewriter.notifyMatchFailure(op, "an input is not converted yet");
    SmallVector<Type> types;
    for (Type type : op->getResultTypes()) {
      types.push_back(weft::storedType(type));
      outputs.push_back(weft::buildEmpty(rewriter, loc,
                                         cast<RankedTensorType>(types.back())));
    }
    std::string name =
        kernel.name.str() + "_" +
        spell(getElementTypeOrSelf(kernel.inputs.front().getType()));
    rewriter.replaceOpWithNewOp<weft::LibraryCallOp>(
        op, types, name, kernel.sizes, inputs, outputs);
    return success();
  }
};

} // namespace

void weft::populateLibraryToLinalg(const TypeConverter &types,
                                   RewritePatternSet &patterns) {
  patterns.add<LowerLibraryKernel>(types, patterns.getContext());
}
