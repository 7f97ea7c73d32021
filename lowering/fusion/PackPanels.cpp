// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A factor that is read in vectors -> panels of so many lanes, one after the
// other.

#include "lowering/fusion/Packing.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;

namespace {

class Packer {
public:
  Packer(GenericOp op, unsigned operand, unsigned laneLoop, int64_t width,
         GenericOp widened)
      : op(op), operand(op->getOpOperand(operand)), width(width),
        source(cast<RankedTensorType>(this->operand.get().getType())),
        widened(widened), map(op.getMatchingIndexingMap(&this->operand)),
        laneLoop(laneLoop), b(op) {
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
    if (widened)
      widened.erase();
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
    // Where rows are read along, the next panel follows upon one's lanes.
    SmallVector<AffineExpr> places;
    for (unsigned dim = 0; dim < rank; ++dim)
      places.push_back(b.getAffineDimExpr(dim));
    if (map.getResults().back() == b.getAffineDimExpr(laneLoop))
      std::rotate(places.begin() + panelDim, places.end() - 2,
                  places.end() - 1);
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : map.getResults()) {
      unsigned loop = cast<AffineDimExpr>(expr).getPosition();
      AffineExpr place = places[llvm::find(order, loop) - order.begin()];
      if (loop == laneLoop)
        place = (place + first) * width + places.back();
      exprs.push_back(place);
    }
    auto copy = GenericOp::create(
        b, loc, part.getType(),
        widened ? widened.getInputs()[0] : operand.get(), part,
        {AffineMap::get(rank, 0, exprs, b.getContext()),
         AffineMap::get(rank, 0, places, b.getContext())},
        SmallVector<IteratorType>(rank, IteratorType::parallel),
        [&](OpBuilder &inner, Location loc, ValueRange args) {
          if (!widened) {
            linalg::YieldOp::create(inner, loc, args.front());
            return;
          }
          IRMapping mapping;
          mapping.map(widened.getBody()->getArgument(0), args.front());
          for (Operation &each : *widened.getBody())
            inner.clone(each, mapping);
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
  GenericOp widened;
  AffineMap map;
  unsigned laneLoop, panelDim = 0;
  SmallVector<unsigned> order;
  OpBuilder b;
};

} // namespace

void weft::packPanels(GenericOp op, unsigned operand, unsigned laneLoop,
                      int64_t width, GenericOp widened) {
  Packer(op, operand, laneLoop, width, widened).pack();
}
