// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Batching of one function: its ops are built anew, in order. One that reads a
// stack becomes the op that does it for the whole stack; the others stay what
// they are, done once for all inputs.

#include "dialects/transforms/Batching.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft;

namespace {

class BatchBuilder {
public:
  BatchBuilder(func::FuncOp function, const llvm::SmallBitVector &operands,
               int64_t size, SymbolTable &symbols, Transformer &transformer)
      : function(function), operands(operands), size(size), symbols(symbols),
        transformer(transformer), b(function.getContext()) {}

  FailureOr<Batched> run(const llvm::SmallBitVector &required);

private:
  Location batchedLoc(Location loc) {
    // A caller without a file would stop LLVM's debug information.
    auto name = NameLoc::get(b.getStringAttr("vmap of " + function.getName()),
                             function.getLoc());
    return CallSiteLoc::get(loc, name);
  }

  void createFunction();
  LogicalResult batch(Operation &op);
  FailureOr<BatchedOp> widened(Operation &op, ValueRange arguments,
                               const llvm::SmallBitVector &batched);
  FailureOr<BatchedOp> batchCall(func::CallOp call, ValueRange arguments,
                                 const llvm::SmallBitVector &batched);
  Batched finish(const llvm::SmallBitVector &required);

  func::FuncOp function, wide;
  const llvm::SmallBitVector &operands;
  int64_t size;
  SymbolTable &symbols;
  Transformer &transformer;
  OpBuilder b;
  /// What stands for each value of the function, and which of them by a stack.
  IRMapping mapping;
  llvm::DenseSet<Value> stacks;
};

} // namespace

void BatchBuilder::createFunction() {
  SmallVector<Type> types;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    types.push_back(operands[i] ? stacked(type, size) : type);
  wide = func::FuncOp::create(b, function.getLoc(),
                              (function.getName() + ".vmap").str(),
                              b.getFunctionType(types, {}));
  wide.setPrivate();
  symbols.insert(wide, std::next(Block::iterator(function)));
  Block *block = wide.addEntryBlock();
  b.setInsertionPointToEnd(block);
  for (auto [old, argument] :
       llvm::zip_equal(function.getArguments(), block->getArguments())) {
    argument.setLoc(old.getLoc());
    mapping.map(old, argument);
    if (operands[old.getArgNumber()])
      stacks.insert(old);
  }
}

/// call @g(x) -> call @g.vmap(stack of x)
FailureOr<BatchedOp>
BatchBuilder::batchCall(func::CallOp call, ValueRange arguments,
                        const llvm::SmallBitVector &batched) {
  auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
  if (!callee)
    return call.emitOpError() << "names no function";
  FailureOr<Batched> made = transformer.batch(
      call, callee, batched, size, llvm::SmallBitVector(call.getNumResults()));
  if (failed(made))
    return failure();
  auto wideCall = func::CallOp::create(b, batchedLoc(call.getLoc()),
                                       made->function, arguments);
  return BatchedOp{SmallVector<Value>(wideCall.getResults()), made->results};
}

FailureOr<BatchedOp>
BatchBuilder::widened(Operation &op, ValueRange arguments,
                      const llvm::SmallBitVector &batched) {
  Location loc = batchedLoc(op.getLoc());
  if (auto call = dyn_cast<func::CallOp>(op))
    return batchCall(call, arguments, batched);
  if (auto rule = dyn_cast<ControlFlow>(op))
    return rule.buildBatched(transformer, b, loc, arguments, batched, size);
  if (auto rule = dyn_cast<Batchable>(op))
    return BatchedOp{rule.buildBatched(b, loc, arguments, batched, size),
                     llvm::SmallBitVector(op.getNumResults(), true)};
  return op.emitOpError()
         << "cannot be batched: give it the interface Batchable, or "
            "ControlFlow if it has bodies";
}

LogicalResult BatchBuilder::batch(Operation &op) {
  llvm::SmallBitVector batched(op.getNumOperands());
  SmallVector<Value> arguments;
  for (OpOperand &operand : op.getOpOperands()) {
    arguments.push_back(mapping.lookup(operand.get()));
    if (stacks.contains(operand.get()))
      batched.set(operand.getOperandNumber());
  }
  if (batched.none()) {
    b.clone(op, mapping);
    return success();
  }
  FailureOr<BatchedOp> built = widened(op, arguments, batched);
  if (failed(built))
    return failure();
  for (OpResult result : op.getResults()) {
    mapping.map(result, built->results[result.getResultNumber()]);
    if (built->batched[result.getResultNumber()])
      stacks.insert(result);
  }
  return success();
}

Batched BatchBuilder::finish(const llvm::SmallBitVector &required) {
  Operation *terminator = function.getBody().front().getTerminator();
  llvm::SmallBitVector stackedResults = required;
  SmallVector<Value> results;
  for (OpOperand &operand : terminator->getOpOperands()) {
    Value result = mapping.lookup(operand.get());
    unsigned i = operand.getOperandNumber();
    if (stacks.contains(operand.get()))
      stackedResults.set(i);
    else if (required[i])
      result = stack(b, batchedLoc(terminator->getLoc()), result, size);
    results.push_back(result);
  }
  func::ReturnOp::create(b, terminator->getLoc(), results);
  wide.setFunctionType(b.getFunctionType(wide.getArgumentTypes(),
                                         ValueRange(results).getTypes()));
  return {wide, stackedResults};
}

FailureOr<Batched> BatchBuilder::run(const llvm::SmallBitVector &required) {
  if (function.isExternal())
    return function.emitOpError()
           << "has no body to batch: give a declaration a definition";
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitOpError()
           << "cannot be batched: its body has branches between blocks";
  createFunction();
  for (Operation &op : function.getBody().front().without_terminator())
    if (failed(batch(op))) {
      symbols.erase(wide);
      return failure();
    }
  return finish(required);
}

FailureOr<Batched> weft::batch(func::FuncOp function,
                               const llvm::SmallBitVector &operands,
                               int64_t size,
                               const llvm::SmallBitVector &required,
                               SymbolTable &symbols, Transformer &transformer) {
  return BatchBuilder(function, operands, size, symbols, transformer)
      .run(required);
}
