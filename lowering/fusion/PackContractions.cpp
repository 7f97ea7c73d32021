// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-pack-contractions: the operand of a sum of products that is read in
// vectors is copied into panels first, in the order in which tiles read it.
// Factors of 16 bits that are read often are widened first.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/TilePlan.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace weft {
#define GEN_PASS_DEF_PACKCONTRACTIONS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;
using weft::ContractionPlan;
using weft::Machine;
using weft::TilePlan;

namespace {

/// Copies one operand of one op; of one that was `widened`, what it was before,
/// which is widened on the way.
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

/// Copies the columns of a sum in matrix tiles: see `TilePlan`.
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

  /// Leaves the op as it is where it would be no sum in tiles any more, or
  /// where the factor alone tells how long a loop is: the other one of a
  /// kernel's gradient has it in sums of loops only, and panels tell the
  /// panels' length.
  void pack(const Machine &machine) {
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

/// Gives the factors of a sum in matrix tiles so many zeros at the end of the
/// steps that are consecutive in its rows that they fill groups: three channels
/// become four. Of what has a margin already, the margin grows.
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

/// A factor is converted once for each product it is in, by instructions that
/// multiplications wait for: from so many on, a wide copy is made first.
constexpr double mostConversions = 128;

/// Widens the factors of a sum in vectors which are floats of 16 bits.
class FactorWidener {
public:
  FactorWidener(GenericOp op, weft::MultiplyAdd body)
      : op(op), body(std::move(body)), b(op.getLoc(), op) {
    for (int64_t extent : op.getStaticLoopRanges())
      products *= extent;
  }

  void run() {
    for (unsigned i : {0, 1})
      if (isWorthIt(i))
        widen(i);
  }

  /// What makes the wide copy of a factor; null where there is none.
  GenericOp copies[2];

private:
  bool isWorthIt(unsigned i) const {
    auto type = cast<RankedTensorType>(op->getOperand(i).getType());
    auto element = dyn_cast<FloatType>(type.getElementType());
    return element && element.getWidth() == 16 && !body.casts[i].empty() &&
           products >= mostConversions * type.getNumElements();
  }

  void widen(unsigned i) {
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
    copies[i] = copy;
    casts.back()->getResult(0).replaceAllUsesWith(argument);
    for (Operation *cast : llvm::reverse(casts))
      cast->erase();
    argument.setType(element);
  }

  GenericOp op;
  weft::MultiplyAdd body;
  ImplicitLocOpBuilder b;
  double products = 1;
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
    if (auto tiles = TilePlan::toPack(op, machine)) {
      StepPadder padder(op, *tiles);
      if (padder.match()) {
        padder.build();
        tiles = TilePlan::toPack(op, machine);
      }
      return TilePacker(op, *tiles).pack(machine);
    }
    // Other factors of matrix tiles are copied where they are multiplied.
    if (TilePlan::make(op, machine))
      return;
    if (!ContractionPlan::make(op, machine))
      return;
    FactorWidener widener(op, *weft::MultiplyAdd::match(op));
    widener.run();
    auto plan = ContractionPlan::make(op, machine);
    if (!plan || !plan->isWorthPacking(machine))
      return;
    auto laneLoop = plan->nest.originOf(plan->laneLoop);
    AffineMap map = op.getIndexingMapsArray()[plan->wide];
    if (laneLoop && map.isProjectedPermutation())
      Packer(op, plan->wide, *laneLoop, plan->tileLanes(),
             widener.copies[plan->wide])
          .pack();
  }
};

} // namespace
