// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reverse mode of one function, in three steps: a clone of it gets the
// derivative's ops appended, cotangents as further arguments; what depends on
// them or was built for them moves to the backward function; and the values
// that the moved ops still use become the residuals.

#include "dialects/transforms/ReverseMode.h"
#include "dialects/transforms/Derivatives.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace weft;

namespace {

class ReverseBuilder {
public:
  ReverseBuilder(func::FuncOp function, const Selection &selection,
                 SymbolTable &symbols, Transformer &transformer)
      : function(function), selection(selection), symbols(symbols),
        transformer(transformer), b(function.getContext()) {}

  FailureOr<Reversed> run();

private:
  Block &body() { return forward.getBody().front(); }
  Operation *terminator() { return body().getTerminator(); }
  Location locOf(Operation *op) { return derivativeLoc("vjp", function, op); }

  bool isActive(Operation *op);
  LogicalResult appendDerivative();
  LogicalResult pullback(Operation *op);
  LogicalResult pullbackCall(func::CallOp call);
  LogicalResult pullbackBodies(ControlFlow op);
  void replace(Operation *op, ValueRange results);
  void accumulate(Value value, Value cotangent, Location loc);
  void simplify();
  Reversed split();
  llvm::SetVector<Value> findResiduals(func::FuncOp backward);

  func::FuncOp function, forward;
  const Selection &selection;
  SymbolTable &symbols;
  Transformer &transformer;
  OpBuilder b;
  unsigned numInputs = 0;
  llvm::DenseSet<Value> active;
  DenseMap<Value, Value> cotangents;
  SmallVector<Value> gradients;
  /// The last op of the primal part; null if there is none.
  Operation *lastPrimal = nullptr;
};

} // namespace

//===----------------------------------------------------------------------===//
// The derivative, appended to a clone
//===----------------------------------------------------------------------===//

bool ReverseBuilder::isActive(Operation *op) {
  return llvm::any_of(op->getResults(),
                      [&](Value value) { return active.contains(value); });
}

void ReverseBuilder::accumulate(Value value, Value cotangent, Location loc) {
  if (!cotangent || !active.contains(value))
    return;
  Value &slot = cotangents[value];
  slot = slot ? sumOf(b, loc, slot, cotangent) : cotangent;
}

/// The ops that keep residuals stand before `op`, which they replace.
void ReverseBuilder::replace(Operation *op, ValueRange results) {
  op->replaceAllUsesWith(results);
  if (lastPrimal == op)
    lastPrimal = op->getPrevNode();
  op->erase();
}

/// call @g(x) -> y, r = call @g.fwd(x) here, dx = call @g.bwd(r, dy) at the
/// end.
LogicalResult ReverseBuilder::pullbackCall(func::CallOp call) {
  auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
  if (!callee)
    return call.emitOpError() << "names no function";
  Selection needed;
  SmallVector<Value> cts;
  for (auto [i, operand] : llvm::enumerate(call.getOperands()))
    if (active.contains(operand))
      needed.operands.push_back(i);
  for (auto [i, result] : llvm::enumerate(call.getResults()))
    if (Value cotangent = cotangents.lookup(result)) {
      needed.results.push_back(i);
      cts.push_back(cotangent);
    }
  FailureOr<Reversed> reversed = transformer.reverse(call, callee, needed);
  if (failed(reversed))
    return failure();
  Location loc = locOf(call);

  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(call);
  auto forwardCall = func::CallOp::create(b, call.getLoc(), reversed->forward,
                                          call.getOperands());
  unsigned numResults = call.getNumResults();
  b.setInsertionPoint(terminator());
  SmallVector<Value> args(forwardCall.getResults().drop_front(numResults));
  llvm::append_range(args, cts);
  auto backwardCall = func::CallOp::create(b, loc, reversed->backward, args);
  for (auto [operand, cotangent] :
       llvm::zip_equal(needed.operands, backwardCall.getResults()))
    accumulate(call.getOperand(operand), cotangent, loc);
  replace(call, forwardCall.getResults().take_front(numResults));
  return success();
}

LogicalResult ReverseBuilder::pullbackBodies(ControlFlow op) {
  llvm::SmallBitVector moving(op->getNumOperands());
  SmallVector<Value> cts, inputs(op->getOperands());
  for (auto [i, operand] : llvm::enumerate(inputs))
    moving[i] = active.contains(operand);
  for (Value result : op->getResults())
    cts.push_back(active.contains(result) ? cotangents.lookup(result)
                                          : Value());
  OpBuilder before(op);
  Location loc = locOf(op);
  FailureOr<ReversedOp> built =
      op.buildReverse(transformer, before, b, loc, moving, cts);
  if (failed(built))
    return failure();
  for (auto [input, cotangent] : llvm::zip_equal(inputs, built->cotangents))
    accumulate(input, cotangent, loc);
  replace(op, built->results);
  return success();
}

LogicalResult ReverseBuilder::pullback(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op))
    return pullbackCall(call);
  if (auto rule = dyn_cast<ControlFlow>(op))
    return pullbackBodies(rule);
  auto rule = dyn_cast<Differentiable>(op);
  if (!rule)
    return emitMissingRule(op);
  Location loc = locOf(op);
  SmallVector<Value> cts;
  for (Value result : op->getResults())
    cts.push_back(cotangents.lookup(result));
  SmallVector<Value> terms = rule.buildPullback(b, loc, cts);
  for (auto [operand, term] : llvm::zip_equal(op->getOperands(), terms))
    accumulate(operand, term, loc);
  return success();
}

LogicalResult ReverseBuilder::appendDerivative() {
  for (int64_t operand : selection.operands)
    active.insert(body().getArgument(operand));
  markActive(body(), active, symbols, transformer);
  SmallVector<Operation *> primal;
  for (Operation &op : body().without_terminator())
    primal.push_back(&op);
  lastPrimal = primal.empty() ? nullptr : primal.back();
  b.setInsertionPoint(terminator());
  for (int64_t i : selection.results) {
    Value result = terminator()->getOperand(i);
    accumulate(result, body().addArgument(result.getType(), function.getLoc()),
               locOf(function));
  }
  for (Operation *op : llvm::reverse(primal)) {
    bool hasCotangent = llvm::any_of(op->getResults(), [&](Value result) {
      return cotangents.contains(result);
    });
    if (isActive(op) && hasCotangent && failed(pullback(op)))
      return failure();
  }
  for (int64_t operand : selection.operands) {
    Value input = body().getArgument(operand);
    Value cotangent = cotangents.lookup(input);
    gradients.push_back(cotangent ? cotangent
                                  : zerosLike(b, locOf(function), input));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The split
//===----------------------------------------------------------------------===//

/// Ops of the derivative that nothing uses would ask for residuals in vain.
void ReverseBuilder::simplify() {
  llvm::DenseSet<Value> kept(gradients.begin(), gradients.end());
  SmallVector<Operation *> derivative;
  for (Operation &op : llvm::reverse(body().without_terminator())) {
    if (&op == lastPrimal)
      break;
    derivative.push_back(&op);
  }
  for (Operation *op : derivative)
    if (isOpTriviallyDead(op) &&
        llvm::none_of(op->getResults(),
                      [&](Value value) { return kept.contains(value); }))
      op->erase();
}

/// The values of the forward part that the backward part uses, in order of
/// first use. Constants are not kept: they are repeated.
llvm::SetVector<Value> ReverseBuilder::findResiduals(func::FuncOp backward) {
  llvm::SetVector<Value> residuals;
  DenseMap<Operation *, Operation *> repeated;
  Block &block = backward.getBody().front();
  OpBuilder start = OpBuilder::atBlockBegin(&block);
  for (Operation &op : llvm::make_early_inc_range(block))
    for (OpOperand &use : op.getOpOperands()) {
      Value value = use.get();
      if (value.getParentBlock() == &block)
        continue;
      Operation *source = value.getDefiningOp();
      if (source && source->hasTrait<OpTrait::ConstantLike>()) {
        Operation *&copy = repeated[source];
        if (!copy)
          copy = start.clone(*source);
        use.set(copy->getResult(0));
        continue;
      }
      residuals.insert(value);
    }
  return residuals;
}

Reversed ReverseBuilder::split() {
  Location loc = function.getLoc();
  std::string name = function.getName().str();
  b.setInsertionPointAfter(forward);
  auto backward =
      func::FuncOp::create(b, loc, name + ".bwd", b.getFunctionType({}, {}));
  Block *block = backward.addEntryBlock();
  // What stands behind the primal part is the derivative.
  auto first =
      lastPrimal ? std::next(Block::iterator(lastPrimal)) : body().begin();
  block->getOperations().splice(block->end(), body().getOperations(), first,
                                Block::iterator(terminator()));
  b.setInsertionPointToEnd(block);
  func::ReturnOp::create(b, loc, gradients);

  // Cotangents first: they are arguments of the wrong function.
  unsigned numCotangents = body().getNumArguments() - numInputs;
  SmallVector<Value> cts;
  for (unsigned i = 0; i < numCotangents; ++i) {
    BlockArgument old = body().getArgument(numInputs + i);
    cts.push_back(block->addArgument(old.getType(), old.getLoc()));
    old.replaceAllUsesWith(cts.back());
  }
  body().eraseArguments(numInputs, numCotangents);
  llvm::SetVector<Value> residuals = findResiduals(backward);
  for (auto [i, value] : llvm::enumerate(residuals)) {
    Value residual = value;
    Value argument =
        block->insertArgument(i, residual.getType(), residual.getLoc());
    residual.replaceUsesWithIf(argument, [&](OpOperand &use) {
      return use.getOwner()->getBlock() == block;
    });
  }

  Operation *forwardReturn = terminator();
  forwardReturn->insertOperands(forwardReturn->getNumOperands(),
                                residuals.getArrayRef());
  for (func::FuncOp part : {forward, backward}) {
    Block &own = part.getBody().front();
    part.setFunctionType(b.getFunctionType(
        own.getArgumentTypes(), own.getTerminator()->getOperandTypes()));
    part.setPrivate();
  }
  symbols.insert(backward);
  return {forward, backward};
}

FailureOr<Reversed> ReverseBuilder::run() {
  if (failed(verifyDifferentiable(function)))
    return failure();
  forward = function.clone();
  forward.setName((function.getName() + ".fwd").str());
  forward.removeResAttrsAttr();
  forward.removeArgAttrsAttr();
  symbols.insert(forward, std::next(Block::iterator(function)));
  numInputs = body().getNumArguments();
  if (failed(appendDerivative())) {
    symbols.erase(forward);
    return failure();
  }
  simplify();
  return split();
}

FailureOr<Reversed> weft::reverse(func::FuncOp function,
                                  const Selection &selection,
                                  SymbolTable &symbols,
                                  Transformer &transformer) {
  return ReverseBuilder(function, selection, symbols, transformer).run();
}
