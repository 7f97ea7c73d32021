// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops that transform functions: what they demand of the one they name; and
// the barrier, which keeps a recomputation apart.

#include "dialects/Calculus.h"
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

static SmallVector<Type> floating(TypeRange types) {
  return llvm::filter_to_vector(types, isInexactArray);
}

/// The operands to differentiate exist, ascend, and are floating.
static LogicalResult verifyWrt(Operation *op, DenseI64ArrayAttr wrt,
                               TypeRange inputs) {
  int64_t previous = -1;
  for (int64_t operand : wrt.asArrayRef()) {
    if (operand <= previous || operand >= int64_t(inputs.size()))
      return op->emitOpError() << "wrt must ascend within " << inputs.size()
                               << " operands, got " << wrt;
    if (!isInexactArray(inputs[operand]))
      return op->emitOpError()
             << "cannot differentiate by operand " << operand << " of type "
             << inputs[operand] << ": it is neither floating point nor complex";
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
  SmallVector<Type> gradients;
  if (failed(verifyTypes(*this, "cotangents", getCotangents().getTypes(),
                         floating(type.getResults()))))
    return failure();
  // pullback_c3: one result for each operand of wrt.
  for (int64_t operand : residuals.getWrt().asArrayRef())
    gradients.push_back(type.getInput(operand));
  return verifyTypes(*this, "results", getGradients().getTypes(), gradients);
}

LogicalResult PushforwardOp::verifySymbolUses(SymbolTableCollection &symbols) {
  ResidualsType residuals = getResiduals().getType();
  // pushforward_c1: the function exists.
  func::FuncOp function = lookup(*this, residuals.getCallee(), symbols);
  if (!function)
    return failure();
  FunctionType type = function.getFunctionType();
  if (failed(verifyWrt(*this, residuals.getWrt(), type.getInputs())))
    return failure();
  // pushforward_c2: one tangent for each operand of wrt.
  SmallVector<Type> tangents;
  for (int64_t operand : residuals.getWrt().asArrayRef())
    tangents.push_back(type.getInput(operand));
  if (failed(
          verifyTypes(*this, "tangents", getTangents().getTypes(), tangents)))
    return failure();
  // pushforward_c3: one result for each floating result.
  return verifyTypes(*this, "results", getResultTangents().getTypes(),
                     floating(type.getResults()));
}

LogicalResult JvpOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // jvp_c1: the function exists.
  func::FuncOp function = lookup(*this, getCalleeAttr(), symbols);
  if (!function)
    return failure();
  // jvp_c2: it is called with its own types.
  FunctionType type = function.getFunctionType();
  if (failed(verifyTypes(*this, "operands", getInputs().getTypes(),
                         type.getInputs())))
    return failure();
  // jvp_c3: wrt names floating operands.
  if (failed(verifyWrt(*this, getWrtAttr(), type.getInputs())))
    return failure();
  // jvp_c4: one tangent for each operand of wrt.
  SmallVector<Type> tangents;
  for (int64_t operand : getWrt())
    tangents.push_back(type.getInput(operand));
  if (failed(
          verifyTypes(*this, "tangents", getTangents().getTypes(), tangents)))
    return failure();
  // jvp_c5: the results, then one tangent for each floating one.
  SmallVector<Type> results(type.getResults());
  llvm::append_range(results, floating(type.getResults()));
  return verifyTypes(*this, "results", getResultTypes(), results);
}

/// Batching is told of one axis for each type, which exists and has `size`.
static LogicalResult verifyAxes(Operation *op, StringRef what,
                                ArrayRef<int64_t> axes, TypeRange stacks,
                                TypeRange parts, int64_t size) {
  if (axes.size() != parts.size() || stacks.size() != parts.size())
    return op->emitOpError()
           << "needs one axis and one type for each of " << parts.size() << " "
           << what << ", got " << axes.size() << " and " << stacks.size();
  for (auto [axis, stack, part] : llvm::zip_equal(axes, stacks, parts)) {
    auto array = dyn_cast<RankedTensorType>(part);
    if (axis == -1 && stack == part)
      continue;
    if (axis < 0 || !array || axis > array.getRank())
      return op->emitOpError()
             << "cannot have axis " << axis << " of " << what << " of type "
             << part << " stacked as " << stack;
    SmallVector<int64_t> shape(array.getShape());
    shape.insert(shape.begin() + axis, size);
    if (stack != array.clone(shape))
      return op->emitOpError() << "needs " << array.clone(shape) << " for "
                               << size << " " << what << " of type " << part
                               << " along axis " << axis << ", got " << stack;
  }
  return success();
}

LogicalResult VmapOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // vmap_c1: the function exists.
  func::FuncOp function = lookup(*this, getCalleeAttr(), symbols);
  if (!function)
    return failure();
  // vmap_c2: the size is a number of inputs.
  int64_t size = getSize();
  if (size < 0)
    return emitOpError() << "cannot have a size of " << size;
  // vmap_c3: operands are stacked along their axes.
  FunctionType type = function.getFunctionType();
  if (failed(verifyAxes(*this, "operands", getInAxes(), getInputs().getTypes(),
                        type.getInputs(), size)))
    return failure();
  // vmap_c4: results are stacked along their axes.
  return verifyAxes(*this, "results", getOutAxes(), getResultTypes(),
                    type.getResults(), size);
}

//===----------------------------------------------------------------------===//
// barrier
//===----------------------------------------------------------------------===//

SmallVector<Value> BarrierOp::buildPullback(OpBuilder &b, Location loc,
                                            ValueRange cotangents) {
  return eachOperand(*this, [&](unsigned operand) {
    return calculus::TensorOperands(b, loc)(cotangents[operand]);
  });
}

SmallVector<Value> BarrierOp::buildTangents(OpBuilder &b, Location loc,
                                            ValueRange tangents) {
  return SmallVector<Value>(tangents);
}

LogicalResult BarrierOp::verify() {
  // barrier_c1: results have the operands' types.
  return verifyTypes(*this, "results", getResultTypes(),
                     getInputs().getTypes());
}
