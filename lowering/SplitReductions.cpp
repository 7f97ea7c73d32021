// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-split-reductions: a long reduction to a few numbers -> one to a few
// dozen times as many, which threads can share, and one of those.

#include "lowering/ContractionPlan.h"
#include "lowering/Passes.h"
#include "lowering/cpu/LaneReduction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

namespace weft {
#define GEN_PASS_DEF_SPLITREDUCTIONS
#include "lowering/Passes.h.inc"
} // namespace weft

using namespace mlir;
using linalg::GenericOp;
using utils::IteratorType;
using weft::ContractionPlan;
using weft::Machine;

namespace {

/// Fewer tasks than this leave threads without work.
constexpr int64_t fewTasks = 16;
/// Results that lie side by side, as column sums do, are one task together.
constexpr int64_t columnsOfTask = 64;
constexpr int64_t mostParts = 64;
/// A product begins with fewer tasks than others, and its parts with more
/// steps.
constexpr int64_t fewTiles = 4, mostPartsOfProduct = 16, stepsOfPart = 128;

/// The largest number of equal parts up to `most`, or 0.
int64_t partsOf(int64_t extent, int64_t most, const Machine &machine) {
  int64_t leastParts = std::min<int64_t>(7, machine.shareFrom) + 1;
  for (int64_t parts = std::min(most, extent / 2); parts >= leastParts; --parts)
    if (extent % parts == 0)
      return parts;
  return 0;
}

/// Whether to combine with a value more than once changes nothing.
bool isNeutral(Operation *combine, Value value) {
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

class Splitter {
public:
  Splitter(GenericOp op, Operation *combine, linalg::FillOp init)
      : op(op), combine(combine), init(init), b(op) {}

  /// Cuts the longest of the reduced loops into at most so many parts.
  bool split(int64_t most, const Machine &machine) {
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    loop = *llvm::max_element(reduced, [&](unsigned a, unsigned b) {
      return extents[a] < extents[b];
    });
    int64_t extent = extents[loop];
    parts = partsOf(extent, most, machine);
    if (parts == 0 || !canExpand())
      return false;
    size = extent / parts;
    Value partial = buildPartial();
    buildTotal(partial);
    return true;
  }

private:
  /// Whether the loop that is split walks along whole dimensions.
  bool canExpand() {
    return llvm::all_of(op.getIndexingMapsArray(), [&](AffineMap map) {
      return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
        return isa<AffineDimExpr>(expr) || !expr.isFunctionOfDim(loop);
      });
    });
  }

  /// (loops) -> places, with a loop over the parts put before all others.
  AffineExpr shifted(AffineExpr expr) {
    return expr.shiftDims(op.getNumLoops(), 1);
  }

  /// An input with the dimension that the loop walks along in two.
  Value expand(Value input, AffineMap map, AffineMap &expanded) {
    SmallVector<AffineExpr> exprs;
    SmallVector<int64_t> shape;
    SmallVector<ReassociationIndices> groups;
    auto type = cast<RankedTensorType>(input.getType());
    bool isSplit = false;
    for (auto [expr, extent] :
         llvm::zip_equal(map.getResults(), type.getShape())) {
      auto &group = groups.emplace_back();
      bool isWalked = expr.isFunctionOfDim(loop);
      if (isWalked) {
        group.push_back(shape.size());
        shape.push_back(parts);
        exprs.push_back(b.getAffineDimExpr(0));
      }
      isSplit |= isWalked;
      group.push_back(shape.size());
      shape.push_back(isWalked ? size : extent);
      exprs.push_back(shifted(expr));
    }
    expanded = AffineMap::get(op.getNumLoops() + 1, 0, exprs, op.getContext());
    if (!isSplit)
      return input;
    return tensor::ExpandShapeOp::create(b, op.getLoc(), type.clone(shape),
                                         input, groups);
  }

  Value buildPartial() {
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *input : op.getDpsInputOperands())
      inputs.push_back(expand(input->get(), op.getMatchingIndexingMap(input),
                              maps.emplace_back()));
    auto type = cast<RankedTensorType>(init.getResult(0).getType());
    SmallVector<int64_t> shape{parts};
    llvm::append_range(shape, type.getShape());
    SmallVector<AffineExpr> exprs{b.getAffineDimExpr(0)};
    for (AffineExpr expr : op.getIndexingMapsArray().back().getResults())
      exprs.push_back(shifted(expr));
    maps.push_back(
        AffineMap::get(op.getNumLoops() + 1, 0, exprs, op.getContext()));
    SmallVector<IteratorType> loops{IteratorType::parallel};
    llvm::append_range(loops, op.getIteratorTypesArray());
    Value empty =
        tensor::EmptyOp::create(b, op.getLoc(), shape, type.getElementType());
    Value start =
        linalg::FillOp::create(b, op.getLoc(), init.getInputs()[0], empty)
            .getResult(0);
    auto partial = GenericOp::create(b, op.getLoc(), start.getType(), inputs,
                                     start, maps, loops);
    IRMapping mapping;
    op.getRegion().cloneInto(&partial.getRegion(), mapping);
    return partial.getResult(0);
  }

  /// Combines the parts into what the op was to be combined into.
  void buildTotal(Value partial) {
    int64_t rank = cast<RankedTensorType>(partial.getType()).getRank();
    AffineMap all = b.getMultiDimIdentityMap(rank);
    SmallVector<IteratorType> loops(rank, IteratorType::parallel);
    loops[0] = IteratorType::reduction;
    auto total = GenericOp::create(
        b, op.getLoc(), op->getResultTypes(), partial, init.getResult(0),
        ArrayRef<AffineMap>{all, all.dropResult(0)}, loops,
        [&](OpBuilder &inner, Location loc, ValueRange args) {
          OperationState state(loc, combine->getName(), {args[1], args[0]},
                               args[1].getType(), combine->getAttrs());
          linalg::YieldOp::create(inner, loc,
                                  inner.create(state)->getResult(0));
        });
    op->replaceAllUsesWith(total);
    op.erase();
  }

  GenericOp op;
  Operation *combine;
  linalg::FillOp init;
  OpBuilder b;
  unsigned loop = 0;
  int64_t parts = 0, size = 0;
};

class SplitReductions final
    : public weft::impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    Machine machine = Machine::of(getOperation());
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops)
      split(op, machine);
  }

  /// Whether the last dimension of an input is one of the result's.
  static bool walksAlongResults(GenericOp op) {
    return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (map.getNumResults() == 0)
        return false;
      auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
      return last && op.getIteratorTypesArray()[last.getPosition()] ==
                         IteratorType::parallel;
    });
  }

  static void split(GenericOp op, const Machine &machine) {
    if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0 ||
        op.hasIndexSemantics() || op.hasDynamicShape())
      return;
    int64_t results = 1, steps = 1;
    for (auto [extent, kind] : llvm::zip_equal(op.getStaticLoopRanges(),
                                               op.getIteratorTypesArray())) {
      steps *= extent;
      results *= kind == IteratorType::parallel ? extent : 1;
    }
    if (steps < machine.shareFrom)
      return;
    int64_t most = mostParts;
    if (auto plan = ContractionPlan::make(op, machine)) {
      int64_t longest = 0;
      for (unsigned loop : plan->summed)
        longest = std::max(longest, plan->nest.extents[loop]);
      most = std::min(mostPartsOfProduct, longest / stepsOfPart);
      if (plan->numTasks() >= fewTiles || plan->lanesAreSummed)
        return;
    } else {
      int64_t tasks = walksAlongResults(op)
                          ? llvm::divideCeil(results, columnsOfTask)
                          : results;
      if (tasks >= fewTasks)
        return;
    }
    if (results * most > steps / 2)
      return;
    auto reduction = weft::LaneReduction::match(op);
    auto init = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
    AffineMap map = op.getIndexingMapsArray().back();
    if (reduction && init && map.isProjectedPermutation() &&
        isNeutral(reduction->combiner(), init.getInputs()[0]))
      Splitter(op, reduction->combiner(), init).split(most, machine);
  }
};

} // namespace
