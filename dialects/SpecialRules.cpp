// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The derivatives of special functions. Most count in an attribute `by` how
// often they are differentiated by which operand.

#include "dialects/Calculus.h"
#include "dialects/Folding.h"

using namespace mlir;
namespace weft {

/// A bound on the size of bodies: they grow with the product of the orders.
constexpr int64_t largestOrder = 8;

LogicalResult verifyOrders(Operation *op, ArrayRef<int64_t> by) {
  // special_c1: one order an operand.
  if (by.size() != op->getNumOperands())
    return op->emitOpError()
           << "needs an order of differentiation for each of "
           << op->getNumOperands() << " operands, got " << by.size();
  int64_t sum = 0;
  for (int64_t order : by) {
    // special_c2: the orders are neither negative nor large.
    if (order < 0 || order > largestOrder)
      return op->emitOpError() << "needs orders of differentiation from 0 to "
                               << largestOrder << ", got " << order;
    sum += order;
  }
  // special_c3: and so is their sum.
  if (sum > largestOrder)
    return op->emitOpError() << "is differentiated " << sum
                             << " times, more often than " << largestOrder;
  return success();
}

LogicalResult BesselIOp::verify() {
  // bessel_i_c1: the order is neither negative nor large.
  if (getOrder() < 0 || getOrder() > largestOrder)
    return emitOpError() << "needs an order from 0 to " << largestOrder
                         << ", got " << getOrder();
  return success();
}

namespace calculus {

template <typename Op, typename... Args>
static Tensor build(Tensor x, Args &&...args) {
  return x.with(x.b->createOrFold<Op>(x.loc, std::forward<Args>(args)...));
}

Tensor log1p(Tensor x) { return build<Log1pOp>(x, x.value); }
Tensor digamma(Tensor x) { return build<DigammaOp>(x, x.value); }
Tensor polygamma(Tensor n, Tensor x) {
  return build<PolygammaOp>(x, n.value, x.value);
}

Tensor gammaincBy(Operation *op, unsigned by, Tensor like) {
  SmallVector<int64_t> orders(2);
  orders[by] = 1;
  return build<GammaincOp>(like, op->getOperand(0), op->getOperand(1),
                           like.b->getDenseI64ArrayAttr(orders));
}

Tensor besselSlope(Operation *op, Tensor x, Tensor result) {
  auto bessel = cast<BesselIOp>(op);
  bool scaled = bessel.getScaled();
  auto neighbour = [&](int64_t order) {
    return build<BesselIOp>(x, x.value, order, scaled);
  };
  // (I(n - 1) + I(n + 1)) / 2, where I(-1) = I(1)
  int64_t order = bessel.getOrder();
  Tensor slope = order ? 0.5 * (neighbour(order - 1) + neighbour(order + 1))
                       : neighbour(1);
  return scaled ? slope - sign(x) * result : slope;
}

Tensor raised(Operation *op, unsigned operand, Tensor like) {
  Operation *copy = like.b->clone(*op);
  copy->setLoc(like.loc);
  auto by = cast<DenseI64ArrayAttr>(*copy->getInherentAttr("by"));
  SmallVector<int64_t> orders(by.asArrayRef());
  ++orders[operand];
  copy->setInherentAttr(like.b->getStringAttr("by"),
                        like.b->getDenseI64ArrayAttr(orders));
  return like.with(copy->getResult(0));
}

Tensor divisorOf(Tensor x, Tensor y) {
  Tensor one = constant(x, 1.0);
  Tensor safe = select(equal(y, zeros(y)), one, y);
  return select(equal(x, zeros(x)), safe, y);
}

} // namespace calculus
} // namespace weft
