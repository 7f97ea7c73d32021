// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/OptimizationLevel.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using weft::OptimizationLevel;

/// The level that an attribute states, if it states one.
static std::optional<OptimizationLevel> levelOf(Attribute stated) {
  auto number = dyn_cast<IntegerAttr>(stated);
  if (!number || number.getValue().getSignificantBits() > 32 ||
      number.getValue().getSExtValue() < 0 ||
      number.getValue().getSExtValue() > 3)
    return std::nullopt;
  return static_cast<OptimizationLevel>(number.getValue().getSExtValue());
}

OptimizationLevel weft::optimizationLevelOf(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  Attribute stated = module ? module->getAttr(optimizationLevelAttr) : nullptr;
  if (!stated)
    return OptimizationLevel::Default;
  return levelOf(stated).value_or(OptimizationLevel::Default);
}

LogicalResult weft::verifyOptimizationLevel(Operation *module) {
  Attribute stated = module->getAttr(optimizationLevelAttr);
  if (!stated || levelOf(stated))
    return success();
  return module->emitError("'")
         << optimizationLevelAttr << "' is " << stated
         << ", but must be an integer from 0 to 3, such as 1 : i64";
}
