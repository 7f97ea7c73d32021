// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lowering/fusion/ReductionSplitter.h"
#include "lowering/fusion/LaneReduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;
using weft::ReductionSplitter;

/// Whether to combine with a value more than once changes nothing.
static bool isNeutral(Operation *combine, Value value) {
  if (isa<arith::AddFOp>(combine))
    return matchPattern(value, m_AnyZeroFloat());
  if (isa<arith::AddIOp, arith::XOrIOp>(combine))
    return matchPattern(value, m_Zero());
  if (isa<arith::MulFOp>(combine))
    return matchPattern(value, m_OneFloat());
  if (isa<arith::MulIOp>(combine))
    return matchPattern(value, m_One());
  return true; // the larger, the smaller, and, or
}

std::optional<ReductionSplitter> ReductionSplitter::match(GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0 ||
      op.hasDynamicShape())
    return std::nullopt;
  auto reduction = weft::LaneReduction::match(op, /*inVectors=*/false);
  auto init = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  AffineMap map = op.getIndexingMapsArray().back();
  if (!reduction || !init || !map.isProjectedPermutation() ||
      !isNeutral(reduction->combiner(), init.getInputs()[0]))
    return std::nullopt;
  return ReductionSplitter(op, reduction->combiner(), init);
}

bool ReductionSplitter::canSplit(unsigned loop) const {
  GenericOp generic = op;
  return llvm::all_of(generic.getIndexingMapsArray(), [&](AffineMap map) {
    return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
      return isa<AffineDimExpr>(expr) || !expr.isFunctionOfDim(loop);
    });
  });
}

Value ReductionSplitter::split(unsigned loop, int64_t parts, Order order) {
  this->loop = loop;
  this->parts = parts;
  this->order = order;
  size = op.getStaticLoopRanges()[loop] / parts;
  if (order != Order::outermost) {
    // In turn, they lie together with what follows the reduced dimension.
    loopOfParts = loop + inTurn();
    dimOfParts = placeOf(loop);
  }
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (OpOperand *input : op.getDpsInputOperands())
    inputs.push_back(expand(input->get(), op.getMatchingIndexingMap(input),
                            maps.emplace_back()));
  SmallVector<IteratorType> loops = op.getIteratorTypesArray();
  loops.insert(loops.begin() + loopOfParts, IteratorType::parallel);
  AffineMap map = op.getIndexingMapsArray().back();
  GenericOp partial = buildPartial(inputs, std::move(maps), loops,
                                   map.shiftDims(1, loopOfParts));
  for (auto index :
       llvm::to_vector(partial.getBody()->getOps<linalg::IndexOp>()))
    shiftIndex(index);
  buildTotal(partial.getResult(0));
  return partial.getResult(0);
}

void ReductionSplitter::keep(unsigned loop) {
  AffineMap map = op.getIndexingMapsArray().back();
  loopOfParts = loop;
  dimOfParts = placeOf(loop);
  parts = op.getStaticLoopRanges()[loop];
  SmallVector<AffineMap> maps(ArrayRef(op.getIndexingMapsArray()).drop_back());
  SmallVector<IteratorType> loops = op.getIteratorTypesArray();
  loops[loop] = IteratorType::parallel;
  buildTotal(buildPartial(SmallVector<Value>(op.getDpsInputs()),
                          std::move(maps), loops, map)
                 .getResult(0));
}

/// How many dimensions of the result a loop's would follow.
unsigned ReductionSplitter::placeOf(unsigned loop) {
  return llvm::count_if(op.getIndexingMapsArray().back().getResults(),
                        [&](AffineExpr expr) {
                          return cast<AffineDimExpr>(expr).getPosition() < loop;
                        });
}

/// (loops) -> places, with a loop over the parts put among them.
AffineExpr ReductionSplitter::shifted(AffineExpr expr) {
  return expr.shiftDims(op.getNumLoops(), 1, loopOfParts);
}

/// An input with the dimension that the loop walks along in two.
Value ReductionSplitter::expand(Value input, AffineMap map,
                                AffineMap &expanded) {
  SmallVector<AffineExpr> exprs;
  SmallVector<int64_t> shape;
  SmallVector<ReassociationIndices> groups;
  auto type = cast<RankedTensorType>(input.getType());
  bool isSplit = false;
  for (auto [expr, extent] :
       llvm::zip_equal(map.getResults(), type.getShape())) {
    auto &group = groups.emplace_back();
    auto add = [&](int64_t extent, AffineExpr expr) {
      group.push_back(shape.size());
      shape.push_back(extent);
      exprs.push_back(expr);
    };
    bool isWalked = expr.isFunctionOfDim(loop);
    isSplit |= isWalked;
    if (isWalked && !inTurn())
      add(parts, b.getAffineDimExpr(loopOfParts));
    add(isWalked ? size : extent, shifted(expr));
    if (isWalked && inTurn())
      add(parts, b.getAffineDimExpr(loopOfParts));
  }
  expanded = AffineMap::get(op.getNumLoops() + 1, 0, exprs, op.getContext());
  if (!isSplit)
    return input;
  return tensor::ExpandShapeOp::create(b, op.getLoc(), type.clone(shape), input,
                                       groups);
}

GenericOp ReductionSplitter::buildPartial(ArrayRef<Value> inputs,
                                          SmallVector<AffineMap> maps,
                                          ArrayRef<IteratorType> loops,
                                          AffineMap map) {
  auto type = cast<RankedTensorType>(init.getResult(0).getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin() + dimOfParts, parts);
  maps.push_back(map.insertResult(b.getAffineDimExpr(loopOfParts), dimOfParts));
  Value empty =
      tensor::EmptyOp::create(b, op.getLoc(), shape, type.getElementType());
  Value start =
      linalg::FillOp::create(b, op.getLoc(), init.getInputs()[0], empty)
          .getResult(0);
  auto partial = GenericOp::create(b, op.getLoc(), start.getType(), inputs,
                                   start, maps, loops);
  IRMapping mapping;
  op.getRegion().cloneInto(&partial.getRegion(), mapping);
  return partial;
}

/// Has the number of a step count the loop over the parts, and in the loop that
/// is split the steps before, of the same part and others.
void ReductionSplitter::shiftIndex(linalg::IndexOp index) {
  OpBuilder inside(index);
  Location loc = index.getLoc();
  unsigned dim = index.getDim();
  Value step = linalg::IndexOp::create(inside, loc, dim + (dim >= loopOfParts));
  if (dim == loop) {
    Value part = linalg::IndexOp::create(inside, loc, loopOfParts);
    Value apart =
        arith::ConstantIndexOp::create(inside, loc, inTurn() ? parts : size);
    Value before =
        arith::MulIOp::create(inside, loc, inTurn() ? step : part, apart);
    step = arith::AddIOp::create(inside, loc, before, inTurn() ? part : step);
  }
  index.replaceAllUsesWith(step);
  index.erase();
}

/// Combines the parts into what the op was to be combined into.
void ReductionSplitter::buildTotal(Value partial) {
  int64_t rank = cast<RankedTensorType>(partial.getType()).getRank();
  AffineMap all = b.getMultiDimIdentityMap(rank);
  SmallVector<IteratorType> loops(rank, IteratorType::parallel);
  loops[dimOfParts] = IteratorType::reduction;
  auto total = GenericOp::create(
      b, op.getLoc(), op->getResultTypes(), partial, init.getResult(0),
      ArrayRef<AffineMap>{all, all.dropResult(dimOfParts)}, loops,
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        OperationState state(loc, combine->getName(), {args[1], args[0]},
                             args[1].getType(), combine->getAttrs());
        linalg::YieldOp::create(inner, loc, inner.create(state)->getResult(0));
      });
  op->replaceAllUsesWith(total);
  op.erase();
}
