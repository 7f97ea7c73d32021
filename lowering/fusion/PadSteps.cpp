// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The factors of a sum in matrix tiles -> with zeros that fill groups of steps.

#include "lowering/fusion/Packing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using linalg::GenericOp;
using weft::TilePlan;

namespace {

class StepPadder {
public:
  StepPadder(GenericOp op, const TilePlan &plan)
      : op(op), plan(plan), b(op.getLoc(), op) {}

  bool match() {
    const weft::Nest &nest = plan.nest;
    for (auto [origin, times] : llvm::enumerate(nest.origins[plan.sumLoop]))
      if (times == 1)
        loop = origin;
    extent = op.getStaticLoopRanges()[loop];
    for (unsigned i : {0, 1}) {
      AffineMap map = op.getIndexingMapsArray()[i];
      AffineExpr step = b.getAffineDimExpr(loop);
      for (auto [dim, expr] : llvm::enumerate(map.getResults()))
        if (expr == step)
          dims[i] = dim;
        else if (expr.isFunctionOfDim(loop))
          return false;
      if (!dims[i])
        return false;
    }
    unsigned row = plan.rowFactor();
    // It is not to grow by more than a third.
    return nest.stride(row, plan.sumLoop) == 1 && extent % plan.group() != 0 &&
           3 * llvm::alignTo(extent, plan.group()) <= 4 * uint64_t(extent) &&
           *dims[row] + 1 == op.getIndexingMapsArray()[row].getNumResults();
  }

  void build() {
    for (unsigned i : {0, 1})
      op->getOpOperand(i).set(padded(op->getOperand(i), *dims[i]));
  }

private:
  Value padded(Value factor, int64_t dim) {
    auto insert = factor.getDefiningOp<tensor::InsertSliceOp>();
    auto margin = insert ? insert.getDest().getDefiningOp<linalg::FillOp>()
                         : linalg::FillOp();
    bool grows =
        margin && insert.hasUnitStride() &&
        insert.getSourceType().getRank() == insert.getDestType().getRank() &&
        (matchPattern(margin.getInputs()[0], m_Zero()) ||
         matchPattern(margin.getInputs()[0], m_PosZeroFloat()));
    auto type = cast<RankedTensorType>(factor.getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[dim] = llvm::alignTo(extent, plan.group());
    Value zero =
        arith::ConstantOp::create(b, b.getZeroAttr(type.getElementType()));
    Value empty = tensor::EmptyOp::create(b, shape, type.getElementType());
    Value zeros = linalg::FillOp::create(b, zero, empty).getResult(0);
    if (grows)
      return tensor::InsertSliceOp::create(
          b, insert.getSource(), zeros, insert.getMixedOffsets(),
          insert.getMixedSizes(), insert.getMixedStrides());
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
        steps(type.getRank(), b.getIndexAttr(1));
    return tensor::InsertSliceOp::create(
        b, factor, zeros, offsets,
        getAsIndexOpFoldResult(b.getContext(), type.getShape()), steps);
  }

  GenericOp op;
  const TilePlan &plan;
  ImplicitLocOpBuilder b;
  unsigned loop = 0;
  int64_t extent = 0;
  /// The dimension of each factor along the steps.
  std::optional<unsigned> dims[2];
};

} // namespace

bool weft::padSteps(GenericOp op, const TilePlan &plan) {
  StepPadder padder(op, plan);
  if (!padder.match())
    return false;
  padder.build();
  return true;
}
