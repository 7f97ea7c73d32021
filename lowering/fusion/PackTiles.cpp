// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The columns of a sum in matrix tiles -> panels of whole tiles.

#include "lowering/fusion/Packing.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;
using weft::TilePlan;

namespace {

class TilePacker {
public:
  TilePacker(GenericOp op, const TilePlan &plan)
      : op(op), plan(plan), operand(op->getOpOperand(plan.columnFactor)),
        b(op.getLoc(), op) {
    // Loops of one step too: their length is known by a dimension.
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [loop, extent] : llvm::enumerate(op.getStaticLoopRanges()))
      if (extent == 1 && map.isFunctionOfDim(loop))
        walks.push_back({unsigned(loop), 1, 0});
    for (unsigned loop : plan.outer)
      addWalks(loop);
    numOuter = walks.size();
    for (unsigned loop : plan.summed)
      addWalks(loop);
    firstOfSum = walks.size();
    addWalks(plan.sumLoop);
    columnStride = strideOf(plan.columnLoop);
  }

  void pack(const weft::Machine &machine) {
    // A group of steps is of one loop, which runs fastest.
    if (walks.size() == firstOfSum || walks.back().count % plan.group() != 0)
      return;
    step = walks.pop_back_val();
    chooseLines();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    Value factor = operand.get();
    replace(makePanels(makeWhole(makeFlat(factor))));
    std::optional<TilePlan> packed;
    if (op.getShapesToLoopsMap())
      packed = TilePlan::make(op, machine);
    if (!packed || !packed->isPacked)
      setOperand(factor, map);
  }

private:
  /// A loop of the op by which the factor is walked through: how many steps it
  /// has, and of what size in the factor.
  struct Walk {
    unsigned loop;
    int64_t count, stride;
  };

  int64_t strideOf(unsigned loop) const {
    return plan.nest.stride(plan.columnFactor, loop);
  }

  /// The op's loops that are one of the plan's, the fastest one last.
  void addWalks(unsigned loop) {
    if (strideOf(loop) == 0)
      return;
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    size_t first = walks.size();
    for (auto [origin, times] : llvm::enumerate(plan.nest.origins[loop]))
      if (times != 0)
        walks.push_back(
            {unsigned(origin), extents[origin], times * strideOf(loop)});
    std::sort(walks.begin() + first, walks.end(),
              [](const Walk &x, const Walk &y) { return x.stride > y.stride; });
  }

  /// How many steps there are with those of zeros after the last one, which
  /// fill a tile: of the loop itself, or of the first one around it that is
  /// walked through as by one with it.
  void chooseLines() {
    for (const Walk &walk : walks)
      counts.push_back(walk.count);
    allSteps = step.count;
    int64_t whole = llvm::alignTo(plan.steps(), plan.tileSteps());
    if (firstOfSum == walks.size())
      allSteps = whole;
    else
      counts[firstOfSum] =
          llvm::divideCeil(whole, plan.steps() / walks[firstOfSum].count);
  }

  /// The factor as one row of elements.
  Value makeFlat(Value factor) {
    int64_t rank = cast<RankedTensorType>(factor.getType()).getRank();
    if (rank == 1)
      return factor;
    ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(rank));
    return tensor::CollapseShapeOp::create(b, factor,
                                           ArrayRef<ReassociationIndices>{all});
  }

  /// A copy by loops of such lengths, each of which walks through `from` in
  /// steps of one size.
  Value copy(Value from, ArrayRef<int64_t> strides, ArrayRef<int64_t> shape) {
    unsigned rank = shape.size();
    AffineExpr place = b.getAffineConstantExpr(0);
    for (auto [dim, stride] : llvm::enumerate(strides))
      place = place + b.getAffineDimExpr(dim) * stride;
    Value empty =
        tensor::EmptyOp::create(b, shape, getElementTypeOrSelf(from.getType()));
    return GenericOp::create(
               b, empty.getType(), from, empty,
               {AffineMap::get(rank, 0, place), b.getMultiDimIdentityMap(rank)},
               SmallVector<IteratorType>(rank, IteratorType::parallel),
               [](OpBuilder &inner, Location loc, ValueRange args) {
                 linalg::YieldOp::create(inner, loc, args.front());
               })
        .getResult(0);
  }

  /// With zeros after the last step and the last column, so that all tiles are
  /// whole.
  Value makeWhole(Value flat) {
    int64_t columns = plan.columns();
    int64_t allColumns = llvm::alignTo(columns, TilePlan::panel);
    SmallVector<int64_t> shape, whole(counts), strides;
    for (const Walk &walk : walks) {
      shape.push_back(walk.count);
      strides.push_back(walk.stride);
    }
    shape.append({step.count, columns});
    whole.append({allSteps, allColumns});
    strides.append({step.stride, columnStride});
    if (shape == whole)
      return flat;
    bool isAlong = step.stride == 1;
    if (isAlong)
      for (auto *each : {&shape, &whole, &strides})
        std::swap(each->back(), *std::prev(each->end(), 2));
    Value part = copy(flat, strides, shape);
    Type element = getElementTypeOrSelf(flat.getType());
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
    Value empty = tensor::EmptyOp::create(b, whole, element);
    Value zeros = linalg::FillOp::create(b, zero, empty).getResult(0);
    flat = makeFlat(insert(part, zeros));
    int64_t stride = allSteps * allColumns;
    for (size_t i = walks.size(); i-- > 0; stride *= counts[i])
      walks[i].stride = stride;
    step.stride = isAlong ? 1 : allColumns;
    columnStride = isAlong ? allSteps : 1;
    return flat;
  }

  Value insert(Value part, Value into) {
    auto type = cast<RankedTensorType>(part.getType());
    return tensor::InsertSliceOp::create(b, part, into, zeros(type),
                                         sizes(type), ones(type));
  }

  SmallVector<OpFoldResult> zeros(RankedTensorType type) {
    return SmallVector<OpFoldResult>(type.getRank(), b.getIndexAttr(0));
  }
  SmallVector<OpFoldResult> ones(RankedTensorType type) {
    return SmallVector<OpFoldResult>(type.getRank(), b.getIndexAttr(1));
  }
  SmallVector<OpFoldResult> sizes(RankedTensorType type) {
    return getAsIndexOpFoldResult(b.getContext(), type.getShape());
  }

  Value makePanels(Value flat) {
    int64_t group = plan.group();
    SmallVector<int64_t> shape(counts), strides;
    for (const Walk &walk : walks)
      strides.push_back(walk.stride);
    shape.insert(shape.begin() + numOuter,
                 llvm::divideCeil(plan.columns(), TilePlan::panel));
    strides.insert(strides.begin() + numOuter, TilePlan::panel * columnStride);
    shape.append({allSteps / group, TilePlan::panel, group});
    strides.append({group * step.stride, columnStride, step.stride});
    Value panels = copy(flat, strides, shape);
    // What the loops around walk through.
    for (auto [i, walk] : llvm::enumerate(walks))
      shape[i < numOuter ? i : i + 1] = walk.count;
    auto type = cast<RankedTensorType>(panels.getType()).clone(shape);
    if (type == panels.getType())
      return panels;
    return tensor::ExtractSliceOp::create(b, type, panels, zeros(type),
                                          sizes(type), ones(type));
  }

  void replace(Value panels) {
    SmallVector<AffineExpr> exprs;
    for (const Walk &walk : walks)
      exprs.push_back(b.getAffineDimExpr(walk.loop));
    AffineExpr column = plan.nest.exprOf(plan.columnLoop, b.getContext());
    AffineExpr along = b.getAffineDimExpr(step.loop);
    exprs.insert(exprs.begin() + numOuter, column.floorDiv(TilePlan::panel));
    exprs.append({along.floorDiv(plan.group()), column % TilePlan::panel,
                  along % plan.group()});
    setOperand(panels,
               AffineMap::get(op.getNumLoops(), 0, exprs, b.getContext()));
  }

  void setOperand(Value value, AffineMap map) {
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    maps[operand.getOperandNumber()] = map;
    op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
    operand.set(value);
  }

  GenericOp op;
  const TilePlan &plan;
  OpOperand &operand;
  ImplicitLocOpBuilder b;
  /// Besides columns and the steps of a group: those of batches, those summed
  /// over, and those that are one with the steps.
  SmallVector<Walk> walks;
  size_t numOuter = 0, firstOfSum = 0;
  Walk step;
  int64_t columnStride;
  /// How many steps the panels have for each.
  SmallVector<int64_t> counts;
  int64_t allSteps = 0;
};

} // namespace

void weft::packTiles(GenericOp op, const TilePlan &plan,
                     const Machine &machine) {
  TilePacker(op, plan).pack(machine);
}
