// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activity: a value moves with another if it depends on it through floats.

#include "dialects/transforms/Derivatives.h"
#include "dialects/Folding.h"

using namespace mlir;
using namespace weft;

/// The results of `op` that depend on `operands`.
static llvm::SmallBitVector
dependentResults(Operation &op, const llvm::SmallBitVector &operands,
                 SymbolTable &symbols, Transformer &transformer) {
  if (auto call = dyn_cast<func::CallOp>(op))
    if (auto callee = symbols.lookup<func::FuncOp>(call.getCallee()))
      return transformer.dependentResults(callee, operands);
  if (auto rule = dyn_cast<ControlFlow>(op))
    return rule.dependentResults(transformer, operands);
  return llvm::SmallBitVector(op.getNumResults(), true);
}

void weft::markActive(Block &body, llvm::DenseSet<Value> &active,
                      SymbolTable &symbols, Transformer &transformer) {
  for (Operation &op : body.without_terminator()) {
    if (op.hasTrait<NotDifferentiable>())
      continue;
    llvm::SmallBitVector operands(op.getNumOperands());
    for (OpOperand &operand : op.getOpOperands())
      if (active.contains(operand.get()))
        operands.set(operand.getOperandNumber());
    if (operands.none())
      continue;
    llvm::SmallBitVector results =
        ::dependentResults(op, operands, symbols, transformer);
    for (OpResult result : op.getResults())
      if (results[result.getResultNumber()] && hasTangent(result.getType()))
        active.insert(result);
  }
}

/// `name` at the place where `loc` begins, called from where `loc` is.
static Location named(StringAttr name, Location loc) {
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return CallSiteLoc::get(named(name, call.getCallee()), call.getCaller());
  return NameLoc::get(name, loc);
}

Location weft::derivativeLoc(StringRef mode, func::FuncOp function,
                             Operation *op) {
  MLIRContext *context = function.getContext();
  auto rule = StringAttr::get(context, op->getName().stripDialect());
  // A caller without a file would stop LLVM's debug information.
  auto caller = StringAttr::get(context, mode + " of " + function.getName());
  return CallSiteLoc::get(named(rule, op->getLoc()),
                          NameLoc::get(caller, function.getLoc()));
}

Value weft::zeroOf(OpBuilder &b, Location loc, Type type) {
  return ConstantOp::create(b, loc, splatOf(cast<RankedTensorType>(type), 0.0));
}

LogicalResult weft::verifyDifferentiable(func::FuncOp function) {
  if (function.isExternal())
    return function.emitOpError()
           << "has no body to differentiate: give a declaration a definition";
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitOpError() << "cannot be differentiated: its body has "
                                     "branches between blocks";
  return success();
}

LogicalResult weft::emitMissingRule(Operation *op) {
  return op->emitOpError() << "has no derivative rule: give it the interface "
                              "Differentiable, or the trait "
                              "NotDifferentiable if it has no derivative";
}
