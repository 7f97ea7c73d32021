// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-destination-passing: func.func @f(tensor) -> tensor becomes
// func.func @f(memref in, memref out); each result is materialized in its own
// buffer, so that nothing has to be copied or allocated for it.

#include "lowering/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_DESTINATIONPASSING
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace {

bool hasNoElements(Type tensor) {
  return cast<RankedTensorType>(tensor).getNumElements() == 0;
}

/// Whatever its shape, a buffer without elements is a memref<0xT>: of others
/// with a size of 0, MLIR cannot make a bare pointer.
MemRefType bufferType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  if (hasNoElements(type))
    return MemRefType::get({0}, type.getElementType());
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

/// Gives each op an empty tensor or a fill of its own to write into: of a
/// shared fill, all but one would have to take a copy, and bufferization
/// compares all that begins with the same empty tensor.
void unshareInits(Block &body) {
  // Backwards, so that what is inserted before an op is looked at too.
  for (Operation &op : llvm::reverse(body)) {
    auto writer = dyn_cast<DestinationStyleOpInterface>(op);
    if (!writer)
      continue;
    for (OpOperand &init : writer.getDpsInitsMutable()) {
      Operation *source = init.get().getDefiningOp();
      if (!isa_and_nonnull<tensor::EmptyOp, linalg::FillOp>(source) ||
          source->hasOneUse())
        continue;
      OpBuilder b(&op);
      init.set(b.clone(*source)->getResult(0));
    }
  }
}

/// Follows `value` back through the ops that update it in place to the use of
/// the empty tensor where it began. Nothing else may see what is overwritten.
OpOperand *findEmpty(Value value) {
  while (auto result = dyn_cast<OpResult>(value)) {
    auto writer = dyn_cast<DestinationStyleOpInterface>(result.getOwner());
    if (!writer)
      return nullptr;
    OpOperand *init = writer.getTiedOpOperand(result);
    if (init->get().getDefiningOp<tensor::EmptyOp>())
      return init;
    if (!init->get().hasOneUse())
      return nullptr;
    value = init->get();
  }
  return nullptr;
}

/// If `value` is a reshape, replaces it by what is reshaped, and `destination`
/// by a view of the same shape.
void lookThroughReshapes(OpBuilder &b, Value &value, Value &destination) {
  while (true) {
    Location loc = value.getLoc();
    if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>()) {
      value = expand.getSrc();
      destination = memref::CollapseShapeOp::create(
          b, loc, bufferType(value.getType()), destination,
          expand.getReassociationIndices());
    } else if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>()) {
      value = collapse.getSrc();
      destination = memref::ExpandShapeOp::create(
          b, loc, bufferType(value.getType()), destination,
          collapse.getReassociationIndices());
    } else {
      return;
    }
  }
}

/// Replaces the tensor arguments of a function by buffers to read from.
void passInputs(Block &body, OpBuilder &b) {
  for (BlockArgument arg : body.getArguments()) {
    auto tensor = cast<RankedTensorType>(arg.getType());
    if (hasNoElements(tensor)) {
      auto empty = tensor::EmptyOp::create(b, arg.getLoc(), tensor.getShape(),
                                           tensor.getElementType());
      arg.replaceAllUsesWith(empty);
      arg.setType(bufferType(tensor));
      continue;
    }
    arg.setType(bufferType(tensor));
    auto read = bufferization::ToTensorOp::create(b, arg.getLoc(), tensor, arg,
                                                  /*restrict=*/true);
    arg.replaceAllUsesExcept(read.getResult(), read);
  }
}

/// Adds a buffer argument for each result, in which it is computed from the
/// start if it begins as an empty tensor, and into which it is copied if not.
void passResults(Block &body, OpBuilder &b) {
  auto exit = cast<func::ReturnOp>(body.getTerminator());
  OpBuilder atExit(exit);
  for (Value result : exit.getOperands()) {
    Location loc = result.getLoc();
    Value destination = body.addArgument(bufferType(result.getType()), loc);
    if (hasNoElements(result.getType()))
      continue;
    Value value = result;
    lookThroughReshapes(b, value, destination);
    if (OpOperand *empty = findEmpty(value))
      empty->set(bufferization::ToTensorOp::create(
          b, loc, empty->get().getType(), destination, /*restrict=*/true,
          /*writable=*/true));
    bufferization::MaterializeInDestinationOp::create(
        atExit, loc, /*result=*/Type(), value, destination, /*restrict=*/true,
        /*writable=*/true);
  }
  exit->setOperands({});
}

void passDestinations(func::FuncOp func) {
  Block &body = func.getBody().front();
  unshareInits(body);
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  passInputs(body, b);
  passResults(body, b);

  SmallVector<DictionaryAttr> argAttrs;
  func.getAllArgAttrs(argAttrs);
  argAttrs.resize(body.getNumArguments(), b.getDictionaryAttr({}));
  func.removeResAttrsAttr();
  func.setFunctionType(b.getFunctionType(body.getArgumentTypes(), {}));
  func.setAllArgAttrs(argAttrs);
}

/// Has an op whose result is inserted into a slice write into that slice.
///
/// Upstream's pass would do the same for the buffers of results, but takes one
/// that two ops write into for the destination of both.
LogicalResult writeIntoSlices(func::FuncOp func) {
  if (func.getOps<tensor::InsertSliceOp>().empty())
    return success();
  bufferization::OneShotBufferizationOptions options;
  bufferization::OneShotAnalysisState state(func, options);
  if (failed(bufferization::analyzeOp(func, state)))
    return failure();
  IRRewriter rewriter(func.getContext());
  return bufferization::eliminateEmptyTensors(
      rewriter, func, state,
      [](RewriterBase &rewriter, SubsetInsertionOpInterface op,
         tensor::EmptyOp empty, Operation *user) {
        if (!isa<tensor::InsertSliceOp>(op))
          return Value();
        return bufferization::buildSubsetExtraction(rewriter, op, empty, user);
      });
}

class DestinationPassing final
    : public weft::impl::DestinationPassingBase<DestinationPassing> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (failed(checkFunction(func)))
        return signalPassFailure();
      passDestinations(func);
      if (failed(writeIntoSlices(func)))
        return signalPassFailure();
    }
  }
};

} // namespace
