// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-wrap-entries: llvm.func @f(ptr, ptr) -> the same, internal, and
// llvm.func @weft_entry_f(ptr), which reads the pointers from an array.

#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace weft {
#define GEN_PASS_DEF_WRAPENTRIES
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

/// The caller promises that no buffer overlaps one that is written.
void makeInternal(LLVM::LLVMFuncOp func) {
  auto unit = UnitAttr::get(func.getContext());
  for (unsigned i = 0; i < func.getNumArguments(); ++i)
    if (isa<LLVM::LLVMPointerType>(func.getArgument(i).getType()))
      func.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), unit);
  func.setLinkage(LLVM::Linkage::Internal);
  // Inlined, the pointers would cease to be arguments that do not alias.
  func.setNoInline(!func.getAlwaysInline().value_or(false));
}

LogicalResult buildEntry(LLVM::LLVMFuncOp func) {
  OpBuilder b(func->getContext());
  b.setInsertionPointAfter(func);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  for (Type type : func.getArgumentTypes())
    if (type != pointer)
      return func.emitError("entry '")
             << func.getSymName() << "' has an argument of type " << type
             << " where only pointers can be passed";

  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), pointer);
  Location loc = func.getLoc();
  StringRef name = func.getSymName();
  name.consume_back(weft::bodySuffix);
  auto entry =
      LLVM::LLVMFuncOp::create(b, loc, (weft::entryPrefix + name).str(), type);
  Block *body = entry.addEntryBlock(b);
  b.setInsertionPointToStart(body);
  SmallVector<Value> arguments;
  for (int32_t i = 0, e = func.getNumArguments(); i < e; ++i) {
    Value slot =
        LLVM::GEPOp::create(b, loc, pointer, pointer, body->getArgument(0),
                            ArrayRef<LLVM::GEPArg>{i});
    arguments.push_back(LLVM::LoadOp::create(b, loc, pointer, slot));
  }
  LLVM::CallOp::create(b, loc, func, arguments);
  LLVM::ReturnOp::create(b, loc, ValueRange{});
  return success();
}

class WrapEntries final : public weft::impl::WrapEntriesBase<WrapEntries> {
  void runOnOperation() override {
    auto funcs = llvm::to_vector(getOperation().getOps<LLVM::LLVMFuncOp>());
    for (LLVM::LLVMFuncOp func : funcs) {
      if (func.isExternal())
        continue;
      if (func->hasAttr(weft::arenaBytesAttr) && failed(buildEntry(func)))
        return signalPassFailure();
      makeInternal(func);
    }
  }
};

} // namespace
