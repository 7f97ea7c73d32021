// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// linearize and pullback: what they demand of the function that they name.

#include "dialects/Weft.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace weft;

/// The function that `op` names, with a diagnostic if there is none.
static func::FuncOp lookup(Operation *op, FlatSymbolRefAttr callee,
                           SymbolTableCollection &symbols) {
  auto function = symbols.lookupNearestSymbolFrom<func::FuncOp>(op, callee);
  if (!function)
    op->emitOpError() << "names " << callee
                      << ", but there is no such function";
  return function;
}

static LogicalResult verifyTypes(Operation *op, StringRef what, TypeRange got,
                                 TypeRange wanted) {
  if (got == wanted)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << "needs " << what << " of types (";
  llvm::interleaveComma(wanted, diag);
  diag << "), got (";
  llvm::interleaveComma(got, diag);
  return diag << ")";
}

/// The operands to differentiate exist, ascend, and are floating.
static LogicalResult verifyWrt(Operation *op, DenseI64ArrayAttr wrt,
                               TypeRange inputs) {
  int64_t previous = -1;
  for (int64_t operand : wrt.asArrayRef()) {
    if (operand <= previous || operand >= int64_t(inputs.size()))
      return op->emitOpError() << "wrt must ascend within " << inputs.size()
                               << " operands, got " << wrt;
    if (!isFloatArray(inputs[operand]))
      return op->emitOpError()
             << "cannot differentiate by operand " << operand << " of type "
             << inputs[operand] << ": it is not floating point";
    previous = operand;
  }
  return success();
}

LogicalResult LinearizeOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // linearize_c1: the function exists.
  func::FuncOp function = lookup(*this, getCalleeAttr(), symbols);
  if (!function)
    return failure();
  // linearize_c2: it is called with its own types.
  FunctionType type = function.getFunctionType();
  if (failed(verifyTypes(*this, "operands", getInputs().getTypes(),
                         type.getInputs())) ||
      failed(verifyTypes(*this, "results", getPrimals().getTypes(),
                         type.getResults())))
    return failure();
  // linearize_c3: wrt names floating operands.
  if (failed(verifyWrt(*this, getWrtAttr(), type.getInputs())))
    return failure();
  // linearize_c4: the residuals are this function's.
  ResidualsType residuals = getResiduals().getType();
  if (residuals.getCallee() != getCalleeAttr() ||
      residuals.getWrt() != getWrtAttr())
    return emitOpError() << "returns residuals of " << getCalleeAttr()
                         << " wrt " << getWrtAttr() << ", but their type is "
                         << residuals;
  return success();
}

LogicalResult PullbackOp::verifySymbolUses(SymbolTableCollection &symbols) {
  ResidualsType residuals = getResiduals().getType();
  // pullback_c1: the function exists.
  func::FuncOp function = lookup(*this, residuals.getCallee(), symbols);
  if (!function)
    return failure();
  FunctionType type = function.getFunctionType();
  if (failed(verifyWrt(*this, residuals.getWrt(), type.getInputs())))
    return failure();
  // pullback_c2: one cotangent for each floating result.
  SmallVector<Type> cotangents, gradients;
  for (Type result : type.getResults())
    if (isFloatArray(result))
      cotangents.push_back(result);
  if (failed(verifyTypes(*this, "cotangents", getCotangents().getTypes(),
                         cotangents)))
    return failure();
  // pullback_c3: one result for each operand of wrt.
  for (int64_t operand : residuals.getWrt().asArrayRef())
    gradients.push_back(type.getInput(operand));
  return verifyTypes(*this, "results", getGradients().getTypes(), gradients);
}
