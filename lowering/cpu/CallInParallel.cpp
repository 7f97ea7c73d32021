// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-call-in-parallel: the call of a shared kernel -> a call of the runtime,
// with a function that the threads call and what they pass to the kernel.

#include "lowering/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/SymbolTable.h"

namespace weft {
#define GEN_PASS_DEF_CALLINPARALLEL
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

class CallInParallel final
    : public weft::impl::CallInParallelBase<CallInParallel> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<LLVM::CallOp> calls;
    getOperation().walk([&](LLVM::CallOp call) { calls.push_back(call); });
    DenseMap<Operation *, LLVM::LLVMFuncOp> tasks;
    for (LLVM::CallOp call : calls) {
      if (!call.getCallee())
        continue;
      auto kernel = symbols.lookup<LLVM::LLVMFuncOp>(*call.getCallee());
      if (!kernel || !kernel->hasAttr(weft::tasksAttr) ||
          kernel.getNumArguments() < 2)
        continue;
      LLVM::LLVMFuncOp &task = tasks[kernel];
      if (!task)
        task = buildTask(kernel, symbols);
      callRuntime(call, kernel, task);
    }
  }

  /// What of a kernel's arguments is the same for all threads.
  static LLVM::LLVMStructType sharedOf(LLVM::LLVMFuncOp kernel) {
    return LLVM::LLVMStructType::getLiteral(
        kernel.getContext(), kernel.getArgumentTypes().drop_back(2));
  }

  static Value fieldOf(OpBuilder &b, Location loc, LLVM::LLVMStructType type,
                       Value shared, int32_t number) {
    return LLVM::GEPOp::create(b, loc, shared.getType(), type, shared,
                               ArrayRef<LLVM::GEPArg>{0, number});
  }

  static LLVM::LLVMFuncOp buildTask(LLVM::LLVMFuncOp kernel,
                                    SymbolTable &symbols) {
    OpBuilder b(kernel);
    Location loc = kernel.getLoc();
    Type i64 = b.getI64Type();
    auto type = LLVM::LLVMFunctionType::get(
        LLVM::LLVMVoidType::get(b.getContext()),
        {LLVM::LLVMPointerType::get(b.getContext()), i64, i64});
    auto task = LLVM::LLVMFuncOp::create(
        b, loc, (kernel.getSymName() + "_task").str(), type);
    task->remove();
    symbols.insert(task, kernel->getIterator());
    Block *body = task.addEntryBlock(b);
    b.setInsertionPointToStart(body);
    LLVM::LLVMStructType fields = sharedOf(kernel);
    SmallVector<Value> arguments;
    for (auto [number, field] : llvm::enumerate(fields.getBody()))
      arguments.push_back(LLVM::LoadOp::create(
          b, loc, field,
          fieldOf(b, loc, fields, body->getArgument(0), number)));
    arguments.append({body->getArgument(1), body->getArgument(2)});
    LLVM::CallOp::create(b, loc, kernel, arguments);
    LLVM::ReturnOp::create(b, loc, ValueRange{});
    return task;
  }

  void callRuntime(LLVM::CallOp call, LLVM::LLVMFuncOp kernel,
                   LLVM::LLVMFuncOp task) {
    Location loc = call.getLoc();
    auto caller = call->getParentOfType<LLVM::LLVMFuncOp>();
    // In the entry block, so that a loop does not take more with every step.
    OpBuilder entry = OpBuilder::atBlockBegin(&caller.getBody().front());
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    LLVM::LLVMStructType fields = sharedOf(kernel);
    Value one = LLVM::ConstantOp::create(entry, loc, entry.getI64Type(),
                                         entry.getI64IntegerAttr(1));
    Value shared = LLVM::AllocaOp::create(entry, loc, pointer, fields, one);
    OpBuilder b(call);
    auto arguments = call.getArgOperands();
    for (auto [number, argument] : llvm::enumerate(arguments.drop_back(2)))
      LLVM::StoreOp::create(b, loc, argument,
                            fieldOf(b, loc, fields, shared, number));
    Value address = LLVM::AddressOfOp::create(b, loc, task);
    LLVM::CallOp::create(b, loc, runtime(),
                         ValueRange{address, shared, arguments.back()});
    call.erase();
  }

  LLVM::LLVMFuncOp runtime() {
    ModuleOp module = getOperation();
    if (auto known =
            module.lookupSymbol<LLVM::LLVMFuncOp>(weft::runInParallelName))
      return known;
    OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    return LLVM::LLVMFuncOp::create(
        b, module.getLoc(), weft::runInParallelName,
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                    {pointer, pointer, b.getI64Type()}));
  }
};

} // namespace
