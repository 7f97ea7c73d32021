// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Factors of 16 bits that are read often -> wide ones.

#include "lowering/fusion/Packing.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;

namespace {

/// A factor is converted once for each product it is in, by instructions that
/// multiplications wait for: from so many on, a wide copy is made first.
constexpr double mostConversions = 128;

class FactorWidener {
public:
  FactorWidener(GenericOp op, weft::MultiplyAdd body)
      : op(op), body(std::move(body)), b(op.getLoc(), op) {
    for (int64_t extent : op.getStaticLoopRanges())
      products *= extent;
  }

  weft::Widened run() {
    weft::Widened copies;
    for (unsigned i : {0, 1})
      if (isWorthIt(i))
        copies[i] = widen(i);
    return copies;
  }

private:
  bool isWorthIt(unsigned i) const {
    auto type = cast<RankedTensorType>(op->getOperand(i).getType());
    auto element = dyn_cast<FloatType>(type.getElementType());
    return element && element.getWidth() == 16 && !body.casts[i].empty() &&
           products >= mostConversions * type.getNumElements();
  }

  GenericOp widen(unsigned i) {
    ArrayRef<Operation *> casts = body.casts[i];
    BlockArgument argument = op.getBody()->getArgument(i);
    Value factor = op->getOperand(i);
    Type element = casts.back()->getResult(0).getType();
    auto type = cast<RankedTensorType>(factor.getType()).clone(element);
    Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
    AffineMap map = b.getMultiDimIdentityMap(type.getRank());
    auto copy = GenericOp::create(
        b, type, factor, empty, {map, map},
        SmallVector<IteratorType>(type.getRank(), IteratorType::parallel),
        [&](OpBuilder &inner, Location loc, ValueRange args) {
          IRMapping mapping;
          mapping.map(argument, args.front());
          for (Operation *cast : casts)
            inner.clone(*cast, mapping);
          linalg::YieldOp::create(inner, loc,
                                  mapping.lookup(casts.back()->getResult(0)));
        });
    op->setOperand(i, copy.getResult(0));
    casts.back()->getResult(0).replaceAllUsesWith(argument);
    for (Operation *cast : llvm::reverse(casts))
      cast->erase();
    argument.setType(element);
    return copy;
  }

  GenericOp op;
  weft::MultiplyAdd body;
  ImplicitLocOpBuilder b;
  double products = 1;
};

} // namespace

weft::Widened weft::widenFactors(GenericOp op) {
  return FactorWidener(op, *MultiplyAdd::match(op)).run();
}
