// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Places of operands, from the steps of loops.

#include "lowering/cpu/NestBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace weft {

NestBuilder::NestBuilder(linalg::LinalgOp op, const Nest &nest)
    : op(op), nest(nest), b(op.getLoc(), op) {
  for (OpOperand &operand : op->getOpOperands()) {
    const Access &access = nest.accesses[operand.getOperandNumber()];
    rows.push_back(flatten(b, operand.get(), access.offset));
  }
  begins.assign(nest.depth(), index(0));
  for (int64_t extent : nest.extents)
    ends.push_back(index(extent));
}

Value NestBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value NestBuilder::placeOf(unsigned operand) {
  Value place = rows[operand].second;
  if (place)
    for (unsigned loop = 0; loop < nest.depth(); ++loop)
      place = advance(place, begins[loop], nest.stride(operand, loop));
  return place;
}

} // namespace weft
