// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-destination-passing: func.func @f(tensor) -> tensor becomes
// func.func @f(memref in, memref out); each result is materialized in its own
// buffer, so that nothing has to be copied or allocated for it.

#include "lowering/Passes.h"
#include "lowering/gpu/Device.h"
#include "lowering/memory/CutUpdates.h"
#include "lowering/memory/Destinations.h"
#include "lowering/memory/InPlace.h"
#include "lowering/memory/WriteIntoSlices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

namespace weft {
#define GEN_PASS_DEF_DESTINATIONPASSING
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using weft::bufferType;
using weft::hasNoElements;

namespace {

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

/// The operands that an op or the loop of one begins with and changes.
SmallVector<OpOperand *> initsOf(Operation *op) {
  SmallVector<OpOperand *> inits;
  auto add = [&](auto range) {
    for (OpOperand &init : range)
      inits.push_back(&init);
  };
  if (auto writer = dyn_cast<DestinationStyleOpInterface>(op))
    add(writer.getDpsInitsMutable());
  else if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
    add(loop.getInitsMutable());
  return inits;
}

bool isInsertion(Operation *op) {
  return isa<tensor::InsertOp, tensor::InsertSliceOp>(op);
}

/// Whether a tensor is some parts of an array and nothing else yet, which two
/// ops go on with: one of them would copy what is not there.
bool isSharedBeginning(Value tensor) {
  bool isShared = llvm::count_if(tensor.getUses(), [](OpOperand &use) {
                    return llvm::is_contained(initsOf(use.getOwner()), &use);
                  }) > 1;
  Operation *first = isShared ? tensor.getDefiningOp() : nullptr;
  while (first && isInsertion(first))
    first = initsOf(first).front()->get().getDefiningOp();
  return isa_and_nonnull<tensor::EmptyOp>(first);
}

/// Gives each op an empty tensor, a fill, or the beginning of an array, of its
/// own to write into, in its own block: of a shared one, all but one would have
/// to take a copy, and bufferization compares all that begins with the same
/// empty tensor.
void unshareInits(Block &body) {
  // Backwards, so that what is inserted before an op is looked at too.
  for (Operation &op : llvm::reverse(body)) {
    for (OpOperand *init : initsOf(&op)) {
      Operation *source = init->get().getDefiningOp();
      bool isStart = isa_and_nonnull<tensor::EmptyOp, linalg::FillOp>(source);
      bool isOwn = source && source->hasOneUse() && source->getBlock() == &body;
      bool isBeginning =
          source && isInsertion(source) && isSharedBeginning(init->get());
      if (!(isStart && !isOwn) && !isBeginning)
        continue;
      OpBuilder b(&op);
      init->set(b.clone(*source)->getResult(0));
    }
    if (!isa<linalg::LinalgOp>(op))
      for (Region &region : op.getRegions())
        for (Block &block : region)
          unshareInits(block);
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

/// For each result the donated argument in whose buffer it can be computed, or
/// -1: as if the function were the body of a loop that carries its donated
/// arguments.
SmallVector<int64_t> planReuse(func::FuncOp func) {
  Block &body = func.getBody().front();
  OperandRange results = body.getTerminator()->getOperands();
  SmallVector<int64_t> reuse(results.size(), -1);
  SmallVector<Value> carried, yielded;
  SmallVector<unsigned> numbers;
  for (BlockArgument arg : body.getArguments()) {
    if (!func.getArgAttr(arg.getArgNumber(), weft::donatedAttr) ||
        hasNoElements(arg.getType()))
      continue;
    for (auto [number, result] : llvm::enumerate(results))
      if (result.getType() == arg.getType() &&
          !llvm::is_contained(numbers, number)) {
        carried.push_back(arg);
        yielded.push_back(result);
        numbers.push_back(number);
        break;
      }
  }
  if (carried.empty())
    return reuse;
  weft::copyPartsReadByUpdates(body);
  weft::sinkUpdates(body, [&](unsigned number) {
    return llvm::is_contained(numbers, number);
  });
  weft::BufferPlan plan = weft::planBuffers(body, carried, yielded);
  for (auto [i, number] : llvm::enumerate(numbers))
    if (plan.source[i] < carried.size())
      reuse[number] =
          cast<BlockArgument>(carried[plan.source[i]]).getArgNumber();
  return reuse;
}

/// Gives each result a buffer, of the caller if not that of an argument, in
/// which it is computed from the start if it begins as an empty tensor, and
/// into which it is copied if not.
void passResults(Block &body, ArrayRef<int64_t> reuse,
                 weft::Destinations &destinations) {
  auto exit = cast<func::ReturnOp>(body.getTerminator());
  OpBuilder atExit(exit);
  for (auto [result, reused] : llvm::zip_equal(exit.getOperands(), reuse)) {
    Value destination =
        reused >= 0
            ? body.getArgument(reused)
            : body.addArgument(bufferType(result.getType()), result.getLoc());
    if (!hasNoElements(result.getType()))
      destinations.compute(atExit, result, destination);
  }
  exit->setOperands({});
}

/// The attributes of a function's arguments, but for what has been done.
void updateArgAttrs(func::FuncOp func, OpBuilder &b) {
  SmallVector<DictionaryAttr> argAttrs;
  func.getAllArgAttrs(argAttrs);
  for (DictionaryAttr &attrs : argAttrs) {
    NamedAttrList kept(attrs);
    kept.erase(weft::donatedAttr);
    attrs = kept.getDictionary(b.getContext());
  }
  argAttrs.resize(func.getBody().getNumArguments(), b.getDictionaryAttr({}));
  func.setFunctionType(
      b.getFunctionType(func.getBody().getArgumentTypes(), {}));
  func.setAllArgAttrs(argAttrs);
}

/// One of two arrays, element by element.
Value selectElements(OpBuilder &b, arith::SelectOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  Location loc = op.getLoc();
  Value empty =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  auto choice = linalg::GenericOp::create(
      b, loc, type, ValueRange{op.getTrueValue(), op.getFalseValue()}, empty,
      {map, map, map},
      SmallVector(type.getRank(), utils::IteratorType::parallel),
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        Value chosen = arith::SelectOp::create(inner, loc, op.getCondition(),
                                               args[0], args[1]);
        linalg::YieldOp::create(inner, loc, chosen);
      });
  return choice.getResult(0);
}

/// Branches, each of which leaves one of two arrays in the buffer of the
/// result.
Value branchTo(OpBuilder &b, arith::SelectOp op) {
  auto yields = [](Value value) {
    return [value](OpBuilder &inner, Location loc) {
      scf::YieldOp::create(inner, loc, value);
    };
  };
  return scf::IfOp::create(b, op.getLoc(), op.getCondition(),
                           yields(op.getTrueValue()),
                           yields(op.getFalseValue()))
      .getResult(0);
}

/// A choice between two arrays is none between their buffers: these need not
/// lie alike, if one is a part of another array, and the host of a GPU cannot
/// make it. Branches copy one of them, which costs a GPU more than to read
/// both.
void replaceChoices(func::FuncOp func) {
  bool isForGpu = weft::isForGpu(func);
  func.walk([&](arith::SelectOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    if (!type || !type.hasStaticShape())
      return;
    OpBuilder b(op);
    op.replaceAllUsesWith(isForGpu ? selectElements(b, op) : branchTo(b, op));
    op.erase();
  });
}

LogicalResult passDestinations(func::FuncOp func) {
  Block &body = func.getBody().front();
  replaceChoices(func);
  unshareInits(body);
  SmallVector<int64_t> reuse = planReuse(func);
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  passInputs(body, b);
  weft::Destinations destinations;
  passResults(body, reuse, destinations);
  if (failed(destinations.convert(body)))
    return failure();
  weft::cutUpdates(body);
  if (llvm::any_of(reuse, [](int64_t argument) { return argument >= 0; }))
    func->setAttr(weft::reusesAttr, b.getDenseI64ArrayAttr(reuse));
  func.removeResAttrsAttr();
  updateArgAttrs(func, b);
  return success();
}

class DestinationPassing final
    : public weft::impl::DestinationPassingBase<DestinationPassing> {
  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (failed(checkFunction(func)))
        return signalPassFailure();
      if (failed(passDestinations(func)) || failed(weft::writeIntoSlices(func)))
        return signalPassFailure();
    }
  }
};

} // namespace
