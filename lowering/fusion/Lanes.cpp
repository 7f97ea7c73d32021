// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/Lanes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

bool weft::worksInLanes(Operation *op) {
  if (op->getNumRegions() != 0 || op->getNumResults() != 1 ||
      !op->getResult(0).getType().isIntOrFloat())
    return false;
  if (isa<math::AbsFOp, math::AbsIOp, math::SqrtOp, math::FmaOp,
          math::CopySignOp>(op))
    return true;
  return isa<arith::ArithDialect>(op->getDialect()) &&
         (op->hasTrait<OpTrait::ConstantLike>() ||
          OpTrait::hasElementwiseMappableTraits(op));
}

Value weft::splatLanes(ImplicitLocOpBuilder &b, Value value, int64_t lanes) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(
      b, VectorType::get({lanes}, value.getType()), value);
}

Value weft::cloneInLanes(ImplicitLocOpBuilder &b, Operation &op,
                         IRMapping &mapping, int64_t lanes) {
  SmallVector<Value> operands;
  bool isVector = false;
  for (Value operand : op.getOperands()) {
    operands.push_back(mapping.lookupOrDefault(operand));
    isVector |= isa<VectorType>(operands.back().getType());
  }
  Type type = op.getResult(0).getType();
  if (isVector) {
    type = VectorType::get({lanes}, type);
    for (Value &operand : operands)
      operand = splatLanes(b, operand, lanes);
  }
  OperationState state(op.getLoc(), op.getName(), operands, type,
                       op.getAttrs());
  Value result = b.create(state)->getResult(0);
  mapping.map(op.getResult(0), result);
  return result;
}
