// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forward mode of one function: a clone of it gets tangents as further
// arguments, and behind each op those ops that move its results along.

#include "dialects/transforms/ForwardMode.h"
#include "dialects/transforms/Derivatives.h"

using namespace mlir;
using namespace weft;

namespace {

class ForwardBuilder {
public:
  ForwardBuilder(func::FuncOp function, ArrayRef<int64_t> operands,
                 SymbolTable &symbols, Transformer &transformer)
      : function(function), operands(operands), symbols(symbols),
        transformer(transformer), b(function.getContext()) {}

  FailureOr<Forwarded> run();

private:
  Block &body() { return joint.getBody().front(); }
  Location locOf(Operation *op) { return derivativeLoc("jvp", function, op); }
  void setTangents(ValueRange values, ValueRange moved);
  LogicalResult pushforward(Operation *op);
  LogicalResult pushforwardCall(func::CallOp call, ValueRange moved);
  LogicalResult pushforwardBodies(ControlFlow op, ValueRange moved);
  Forwarded finish();

  func::FuncOp function, joint;
  ArrayRef<int64_t> operands;
  SymbolTable &symbols;
  Transformer &transformer;
  OpBuilder b;
  /// A value without a tangent does not move.
  DenseMap<Value, Value> tangents;
};

} // namespace

void ForwardBuilder::setTangents(ValueRange values, ValueRange moved) {
  for (auto [value, tangent] : llvm::zip_equal(values, moved))
    if (tangent)
      tangents[value] = tangent;
}

/// call @g(x) -> call @g.jvp(x, dx)
LogicalResult ForwardBuilder::pushforwardCall(func::CallOp call,
                                              ValueRange moved) {
  auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
  if (!callee)
    return call.emitOpError() << "names no function";
  SmallVector<int64_t> moving;
  SmallVector<Value> arguments(call.getOperands());
  for (auto [i, tangent] : llvm::enumerate(moved))
    if (tangent) {
      moving.push_back(i);
      arguments.push_back(tangent);
    }
  FailureOr<Forwarded> made = transformer.forward(call, callee, moving);
  if (failed(made))
    return failure();
  if (made->results.empty())
    return success();
  auto both = func::CallOp::create(b, call.getLoc(), made->function, arguments);
  unsigned numResults = call.getNumResults();
  call.replaceAllUsesWith(both.getResults().take_front(numResults));
  for (auto [i, tangent] :
       llvm::zip_equal(made->results, both.getResults().drop_front(numResults)))
    tangents[both.getResult(i)] = tangent;
  call.erase();
  return success();
}

LogicalResult ForwardBuilder::pushforwardBodies(ControlFlow op,
                                                ValueRange moved) {
  FailureOr<ForwardedOp> built =
      op.buildForward(transformer, b, locOf(op), moved);
  if (failed(built))
    return failure();
  op->replaceAllUsesWith(built->results);
  setTangents(built->results, built->tangents);
  op->erase();
  return success();
}

LogicalResult ForwardBuilder::pushforward(Operation *op) {
  SmallVector<Value> moved;
  for (Value operand : op->getOperands())
    moved.push_back(tangents.lookup(operand));
  bool isConstant = llvm::none_of(moved, [](Value t) { return bool(t); });
  if (isConstant || op->hasTrait<NotDifferentiable>())
    return success();
  b.setInsertionPointAfter(op);
  if (auto call = dyn_cast<func::CallOp>(op))
    return pushforwardCall(call, moved);
  if (auto rule = dyn_cast<ControlFlow>(op))
    return pushforwardBodies(rule, moved);
  auto rule = dyn_cast<Differentiable>(op);
  if (!rule)
    return emitMissingRule(op);
  setTangents(op->getResults(), rule.buildTangents(b, locOf(op), moved));
  return success();
}

Forwarded ForwardBuilder::finish() {
  Operation *terminator = body().getTerminator();
  SmallVector<Value> results(terminator->getOperands());
  Forwarded made{joint, {}};
  for (auto [i, result] : llvm::enumerate(terminator->getOperands()))
    if (Value tangent = tangents.lookup(result)) {
      made.results.push_back(i);
      results.push_back(tangent);
    }
  terminator->setOperands(results);
  joint.setFunctionType(b.getFunctionType(body().getArgumentTypes(),
                                          ValueRange(results).getTypes()));
  joint.setPrivate();
  return made;
}

FailureOr<Forwarded> ForwardBuilder::run() {
  if (failed(verifyDifferentiable(function)))
    return failure();
  joint = function.clone();
  joint.setName((function.getName() + ".jvp").str());
  joint.removeResAttrsAttr();
  joint.removeArgAttrsAttr();
  symbols.insert(joint, std::next(Block::iterator(function)));
  for (int64_t operand : operands) {
    BlockArgument input = body().getArgument(operand);
    tangents[input] = body().addArgument(input.getType(), input.getLoc());
  }
  for (Operation &op : llvm::make_early_inc_range(body().without_terminator()))
    if (failed(pushforward(&op))) {
      symbols.erase(joint);
      return failure();
    }
  return finish();
}

FailureOr<Forwarded> weft::forward(func::FuncOp function,
                                   ArrayRef<int64_t> operands,
                                   SymbolTable &symbols,
                                   Transformer &transformer) {
  return ForwardBuilder(function, operands, symbols, transformer).run();
}
