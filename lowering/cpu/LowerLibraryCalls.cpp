// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-lower-library-calls: weft.library_call "cholesky_f64" [1, 3] (%x) into
// (%y) -> llvm.call @weft_cholesky_f64(where, x, y, 1, 3). The kernels are
// symbols, which the runtime defines.

#include "dialects/Weft.h"
#include "lowering/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {
#define GEN_PASS_DEF_LOWERLIBRARYCALLS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

int64_t bytesOf(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * bytesOf(complex.getElementType());
  return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

class Lowering {
public:
  explicit Lowering(ModuleOp module)
      : symbols(module), b(module.getContext()),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  void lower(weft::LibraryCallOp call) {
    b.setInsertionPoint(call);
    // LLVM wants a call from a function with lines to have one.
    Location loc = call.getLoc();
    auto func = call->getParentOfType<FunctionOpInterface>();
    if (!loc->findInstanceOf<FileLineColLoc>() && func)
      loc = func.getLoc();
    SmallVector<Value> arguments{place(call)};
    for (Value buffer : call->getOperands())
      arguments.push_back(address(loc, buffer));
    for (int64_t size : call.getSizes())
      arguments.push_back(
          arith::ConstantIntOp::create(b, loc, b.getI64Type(), size));
    LLVM::LLVMFuncOp kernel = declare(call, ValueRange(arguments).getTypes());
    LLVM::CallOp::create(b, loc, kernel, arguments);
    call.erase();
  }

private:
  LLVM::LLVMFuncOp declare(weft::LibraryCallOp call, TypeRange arguments) {
    std::string name = (weft::kernelPrefix + call.getKernel()).str();
    if (auto known = symbols.lookup<LLVM::LLVMFuncOp>(name))
      return known;
    OpBuilder atTop = OpBuilder::atBlockBegin(
        &cast<ModuleOp>(symbols.getOp()).getBodyRegion().front());
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(b.getContext()), llvm::to_vector(arguments));
    auto made =
        LLVM::LLVMFuncOp::create(atTop, atTop.getUnknownLoc(), name, type);
    symbols.insert(made);
    return made;
  }

  /// A pointer to the first element of a buffer.
  Value address(Location loc, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    Value start =
        memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    int64_t offset = type.getStridesAndOffset().second;
    if (offset != 0) {
      Value elements =
          ShapedType::isDynamic(offset)
              ? memref::ExtractStridedMetadataOp::create(b, loc, buffer)
                    .getOffset()
              : arith::ConstantIndexOp::create(b, loc, offset).getResult();
      Value bytes = arith::ConstantIndexOp::create(
          b, loc, bytesOf(type.getElementType()));
      start = arith::AddIOp::create(
          b, loc, start, arith::MulIOp::create(b, loc, elements, bytes));
    }
    Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), start);
    return LLVM::IntToPtrOp::create(b, loc, pointer, number);
  }

  /// "file:line" of the program, for a failure to name; null if there is none.
  Value place(weft::LibraryCallOp call) {
    Location loc = call.getLoc();
    auto line = loc->findInstanceOf<FileLineColLoc>();
    if (!line)
      return LLVM::ZeroOp::create(b, loc, pointer);
    std::string text = (line.getFilename().getValue() + ":" +
                        Twine(line.getLine()) + StringRef("\0", 1))
                           .str();
    LLVM::GlobalOp &global = places[text];
    if (!global) {
      OpBuilder atTop = OpBuilder::atBlockBegin(
          &cast<ModuleOp>(symbols.getOp()).getBodyRegion().front());
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), text.size());
      global = LLVM::GlobalOp::create(
          atTop, atTop.getUnknownLoc(), type, /*isConstant=*/true,
          LLVM::Linkage::Private, "weft_place", b.getStringAttr(text));
      symbols.insert(global);
    }
    return LLVM::AddressOfOp::create(b, loc, global);
  }

  SymbolTable symbols;
  OpBuilder b;
  Type pointer;
  llvm::StringMap<LLVM::GlobalOp> places;
};

class LowerLibraryCalls final
    : public weft::impl::LowerLibraryCallsBase<LowerLibraryCalls> {
  void runOnOperation() override {
    SmallVector<weft::LibraryCallOp> calls;
    getOperation().walk(
        [&](weft::LibraryCallOp call) { calls.push_back(call); });
    if (calls.empty())
      return;
    for (weft::LibraryCallOp call : calls)
      for (Type type : call->getOperandTypes())
        if (auto buffer = dyn_cast<MemRefType>(type);
            !buffer || !buffer.isStrided()) {
          call.emitError("operands of a kernel are buffers by now, not ")
              << type;
          return signalPassFailure();
        }
    Lowering lowering(getOperation());
    for (weft::LibraryCallOp call : calls)
      lowering.lower(call);
  }
};

} // namespace
