// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/gpu/Demotion.h"
#include "lowering/gpu/Device.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using linalg::LinalgOp;
using weft::Demotion;

//===----------------------------------------------------------------------===//
// Loops and branches without numbers
//===----------------------------------------------------------------------===//

static SmallVector<Value> buffersOf(ValueRange values) {
  return llvm::to_vector(llvm::make_filter_range(
      values, [](Value value) { return !weft::isNumber(value.getType()); }));
}

static SmallVector<Type> bufferTypesOf(Operation *op) {
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    if (!weft::isNumber(type))
      types.push_back(type);
  return types;
}

static void keepBuffers(Operation *yield) {
  yield->setOperands(buffersOf(yield->getOperands()));
}

/// Replaces an op by one that has its buffers alone for results.
static void replaceBuffers(Operation *op, Operation *smaller) {
  auto left = smaller->getResults().begin();
  for (OpResult result : op->getResults())
    if (!weft::isNumber(result.getType()))
      result.replaceAllUsesWith(*left++);
  op->erase();
}

/// The op without the numbers that nobody asks it for any longer.
static void dropNumbers(scf::ForOp op) {
  OpBuilder b(op);
  auto smaller =
      scf::ForOp::create(b, op.getLoc(), op.getLowerBound(), op.getUpperBound(),
                         op.getStep(), buffersOf(op.getInitArgs()));
  smaller.getRegion().takeBody(op.getRegion());
  Block *body = smaller.getBody();
  body->eraseArguments([&](BlockArgument argument) {
    return argument.getArgNumber() > 0 && weft::isNumber(argument.getType());
  });
  keepBuffers(body->getTerminator());
  replaceBuffers(op, smaller);
}

static void dropNumbers(scf::IfOp op) {
  OpBuilder b(op);
  auto smaller = scf::IfOp::create(b, op.getLoc(), bufferTypesOf(op),
                                   op.getCondition(), op.elseBlock());
  smaller.getThenRegion().takeBody(op.getThenRegion());
  keepBuffers(smaller.thenBlock()->getTerminator());
  if (op.elseBlock()) {
    smaller.getElseRegion().takeBody(op.getElseRegion());
    keepBuffers(smaller.elseBlock()->getTerminator());
  }
  replaceBuffers(op, smaller);
}

static void dropNumbers(scf::WhileOp op) {
  OpBuilder b(op);
  auto smaller = scf::WhileOp::create(b, op.getLoc(), bufferTypesOf(op),
                                      buffersOf(op.getInits()));
  smaller.getBefore().takeBody(op.getBefore());
  smaller.getAfter().takeBody(op.getAfter());
  for (Block *block : {smaller.getBeforeBody(), smaller.getAfterBody()})
    block->eraseArguments([](BlockArgument argument) {
      return weft::isNumber(argument.getType());
    });
  scf::ConditionOp condition = smaller.getConditionOp();
  condition.getArgsMutable().assign(buffersOf(condition.getArgs()));
  keepBuffers(smaller.getAfterBody()->getTerminator());
  replaceBuffers(op, smaller);
}

//===----------------------------------------------------------------------===//
// Their numbers in slots
//===----------------------------------------------------------------------===//

Value Demotion::passInSlot(BlockArgument argument) {
  Type type = argument.getType();
  Location loc = argument.getLoc();
  Value slot = slots.make(type, loc);
  OpBuilder b = OpBuilder::atBlockBegin(argument.getOwner());
  argument.replaceAllUsesWith(loadNumber(b, loc, type, slot, slotAttr));
  return slot;
}

void Demotion::leave(Operation *op, Value number, Value slot) {
  OpBuilder b(op);
  storeNumber(b, op->getLoc(), number, slot);
}

void Demotion::loadAfter(OpResult result, Value slot) {
  Operation *op = result.getOwner();
  OpBuilder b(op->getContext());
  b.setInsertionPointAfter(op);
  result.replaceAllUsesWith(
      loadNumber(b, op->getLoc(), result.getType(), slot, slotAttr));
}

void Demotion::demote(scf::ForOp op) {
  Operation *yield = op.getBody()->getTerminator();
  for (auto [number, argument] : llvm::enumerate(op.getRegionIterArgs())) {
    if (!isNumber(argument.getType()))
      continue;
    Value slot = passInSlot(argument);
    leave(op, op.getInitArgs()[number], slot);
    leave(yield, yield->getOperand(number), slot);
    loadAfter(op->getResult(number), slot);
  }
  for (OpOperand &bound : op->getOpOperands().take_front(3))
    readOnHost(bound);
  dropNumbers(op);
}

void Demotion::demote(scf::WhileOp op) {
  Operation *yield = op.getYieldOp();
  scf::ConditionOp condition = op.getConditionOp();
  for (auto [number, argument] : llvm::enumerate(op.getBeforeArguments())) {
    if (!isNumber(argument.getType()))
      continue;
    Value slot = passInSlot(argument);
    leave(op, op.getInits()[number], slot);
    leave(yield, yield->getOperand(number), slot);
  }
  for (auto [number, argument] : llvm::enumerate(op.getAfterArguments())) {
    if (!isNumber(argument.getType()))
      continue;
    Value slot = passInSlot(argument);
    leave(condition, condition.getArgs()[number], slot);
    loadAfter(op->getResult(number), slot);
  }
  readOnHost(condition.getConditionMutable());
  dropNumbers(op);
}

void Demotion::demote(scf::IfOp op) {
  for (OpResult result : op.getResults()) {
    if (!isNumber(result.getType()))
      continue;
    Value slot = slots.make(result.getType(), op.getLoc());
    for (Block *block : {op.thenBlock(), op.elseBlock()}) {
      Operation *yield = block->getTerminator();
      leave(yield, yield->getOperand(result.getResultNumber()), slot);
    }
    loadAfter(result, slot);
  }
  readOnHost(op.getConditionMutable());
  dropNumbers(op);
}

/// Whether the host knows a number: a constant, where its loops are, what it
/// reads, and arithmetic with those.
static bool isKnownToHost(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return !isa<LinalgOp>(value.getParentBlock()->getParentOp());
  if (op->hasAttr(weft::hostAttr) || op->hasTrait<OpTrait::ConstantLike>())
    return true;
  return isMemoryEffectFree(op) && op->getNumRegions() == 0 &&
         llvm::all_of(op->getOperands(), isKnownToHost);
}

void Demotion::readOnHost(OpOperand &operand) {
  Value value = operand.get();
  if (isKnownToHost(value))
    return;
  Operation *user = operand.getOwner();
  Value slot = slots.make(value.getType(), user->getLoc());
  leave(user, value, slot);
  OpBuilder b(user);
  operand.set(loadNumber(b, user->getLoc(), value.getType(), slot, hostAttr));
}
