// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-destination-passing: func.func @f(tensor) -> tensor becomes
// func.func @f(memref in, memref out); each result is materialized in its own
// buffer, so that nothing has to be copied or allocated for it.

#include "lowering/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace weft {
#define GEN_PASS_DEF_DESTINATIONPASSING
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

MemRefType bufferType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

LogicalResult checkFunction(func::FuncOp func) {
  if (func.isExternal())
    return func.emitError("function '")
           << func.getSymName() << "' has no body to lower";
  if (!func.getBody().hasOneBlock())
    return func.emitError("function '")
           << func.getSymName() << "' has several blocks; Weft's functions are "
           << "straight lines of ops";
  for (TypeRange types :
       {TypeRange(func.getArgumentTypes()), TypeRange(func.getResultTypes())})
    for (Type type : types) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || !tensor.hasStaticShape())
        return func.emitError("function '")
               << func.getSymName() << "' has a " << type
               << " in its signature; only tensors of static shape can be "
               << "passed";
    }
  // All other calls were inlined.
  WalkResult calls = func.walk([&](func::CallOp call) {
    call.emitError("call of '")
        << call.getCallee() << "' was not inlined; is it recursive?";
    return WalkResult::interrupt();
  });
  return failure(calls.wasInterrupted());
}

void passDestinations(func::FuncOp func) {
  Block &body = func.getBody().front();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  for (BlockArgument arg : body.getArguments()) {
    auto tensor = cast<RankedTensorType>(arg.getType());
    arg.setType(bufferType(tensor));
    auto read = bufferization::ToTensorOp::create(b, arg.getLoc(), tensor, arg,
                                                  /*restrict=*/true);
    arg.replaceAllUsesExcept(read.getResult(), read);
  }

  auto exit = cast<func::ReturnOp>(body.getTerminator());
  b.setInsertionPoint(exit);
  for (Value result : exit.getOperands()) {
    Value destination =
        body.addArgument(bufferType(result.getType()), exit.getLoc());
    bufferization::MaterializeInDestinationOp::create(
        b, exit.getLoc(), /*result=*/Type(), result, destination,
        /*restrict=*/true, /*writable=*/true);
  }
  exit->setOperands({});

  SmallVector<DictionaryAttr> argAttrs;
  func.getAllArgAttrs(argAttrs);
  argAttrs.resize(body.getNumArguments(), b.getDictionaryAttr({}));
  func.removeResAttrsAttr();
  func.setFunctionType(b.getFunctionType(body.getArgumentTypes(), {}));
  func.setAllArgAttrs(argAttrs);
}

class DestinationPassing final
    : public weft::impl::DestinationPassingBase<DestinationPassing> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (failed(checkFunction(func)))
        return signalPassFailure();
      passDestinations(func);
    }
  }
};

} // namespace
