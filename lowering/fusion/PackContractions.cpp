// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-pack-contractions: the operand of a sum of products that is read in
// vectors is copied into panels first, in the order in which tiles read it.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace weft {
#define GEN_PASS_DEF_PACKCONTRACTIONS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;
using weft::ContractionPlan;
using weft::Machine;

namespace {

/// Copies one operand of one op.
class Packer {
public:
  Packer(GenericOp op, unsigned operand, unsigned laneLoop, int64_t width)
      : op(op), operand(op->getOpOperand(operand)), width(width),
        source(cast<RankedTensorType>(this->operand.get().getType())),
        map(op.getMatchingIndexingMap(&this->operand)), laneLoop(laneLoop),
        b(op) {
    // The loops of the panels: outer ones, panels, what is summed over, lanes.
    auto kinds = op.getIteratorTypesArray();
    for (bool summed : {false, true}) {
      for (AffineExpr expr : map.getResults()) {
        unsigned loop = cast<AffineDimExpr>(expr).getPosition();
        bool isSummed = kinds[loop] == IteratorType::reduction;
        if (loop != laneLoop && isSummed == summed)
          order.push_back(loop);
      }
      if (!summed) {
        panelDim = order.size();
        order.push_back(laneLoop);
      }
    }
  }

  void pack() {
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    int64_t lanes = extents[laneLoop];
    SmallVector<int64_t> shape = llvm::map_to_vector(
        order, [&](unsigned loop) { return extents[loop]; });
    shape[panelDim] = llvm::divideCeil(lanes, width);
    shape.push_back(width);
    Value panels =
        tensor::EmptyOp::create(b, op.getLoc(), shape, source.getElementType());
    int64_t whole = lanes / width;
    if (whole > 0)
      panels = fill(panels, shape, 0, whole, width);
    if (lanes % width)
      panels = fill(panels, shape, whole, 1, lanes % width);
    replace(panels);
  }

private:
  /// Writes `count` panels from `first` on, the first `lanes` lanes of each.
  Value fill(Value panels, ArrayRef<int64_t> shape, int64_t first,
             int64_t count, int64_t lanes) {
    Location loc = op.getLoc();
    unsigned rank = shape.size();
    SmallVector<int64_t> sizes(shape);
    sizes[panelDim] = count;
    sizes.back() = lanes;
    SmallVector<OpFoldResult> offsets(rank, b.getIndexAttr(0)),
        steps(rank, b.getIndexAttr(1)),
        lengths = getAsIndexOpFoldResult(b.getContext(), sizes);
    offsets[panelDim] = b.getIndexAttr(first);
    // Destination passing has it written into the slice that it becomes.
    Value part =
        tensor::EmptyOp::create(b, loc, sizes, source.getElementType());
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults()) {
      unsigned loop = cast<AffineDimExpr>(expr).getPosition();
      unsigned dim = llvm::find(order, loop) - order.begin();
      AffineExpr place = b.getAffineDimExpr(dim);
      if (loop == laneLoop)
        place = (place + first) * width + b.getAffineDimExpr(rank - 1);
      exprs.push_back(place);
    }
    auto copy = GenericOp::create(
        b, loc, part.getType(), operand.get(), part,
        {AffineMap::get(rank, 0, exprs, b.getContext()),
         b.getMultiDimIdentityMap(rank)},
        SmallVector<IteratorType>(rank, IteratorType::parallel),
        [](OpBuilder &inner, Location loc, ValueRange args) {
          linalg::YieldOp::create(inner, loc, args.front());
        });
    return tensor::InsertSliceOp::create(b, loc, copy.getResult(0), panels,
                                         offsets, lengths, steps);
  }

  void replace(Value panels) {
    SmallVector<AffineExpr> exprs;
    for (unsigned loop : order) {
      AffineExpr expr = b.getAffineDimExpr(loop);
      exprs.push_back(loop == laneLoop ? expr.floorDiv(width) : expr);
    }
    exprs.push_back(b.getAffineDimExpr(laneLoop) % width);
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    maps[operand.getOperandNumber()] =
        AffineMap::get(op.getNumLoops(), 0, exprs, b.getContext());
    op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
    operand.set(panels);
  }

  GenericOp op;
  OpOperand &operand;
  int64_t width;
  RankedTensorType source;
  AffineMap map;
  unsigned laneLoop, panelDim = 0;
  SmallVector<unsigned> order;
  OpBuilder b;
};

class PackContractions final
    : public weft::impl::PackContractionsBase<PackContractions> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops)
      if (op.hasPureTensorSemantics() && !op->hasAttr(weft::keepAttr))
        pack(op, machine);
  }

  static void pack(GenericOp op, const Machine &machine) {
    // Matrix tiles are packed where they are multiplied.
    if (weft::TilePlan::make(op, machine))
      return;
    auto plan = ContractionPlan::make(op, machine);
    if (!plan || !plan->isWorthPacking(machine))
      return;
    auto laneLoop = plan->nest.originOf(plan->laneLoop);
    AffineMap map = op.getIndexingMapsArray()[plan->wide];
    if (laneLoop && map.isProjectedPermutation())
      Packer(op, plan->wide, *laneLoop, plan->tileLanes()).pack();
  }
};

} // namespace
