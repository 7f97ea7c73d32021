// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft-split-reductions: a long reduction to a few numbers -> one to a few
// dozen times as many, which threads can share, and one of those.

#include "lowering/OptimizationLevel.h"
#include "lowering/Passes.h"
#include "lowering/fusion/ContractionPlan.h"
#include "lowering/fusion/ReductionSplitter.h"
#include "lowering/fusion/SplitSearch.h"
#include "lowering/fusion/TilePlan.h"
#include "lowering/gpu/Device.h"
#include "lowering/schedule/Schedule.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/Utils/Utils.h"

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

/// Results that lie side by side, as column sums do, are one task together.
constexpr int64_t columnsOfTask = 64;

struct Limits {
  /// Fewer tasks than this leave threads without work, and so many parts are
  /// enough in all.
  int64_t few = 16, parts = 64;
  /// Whether the parts of all tasks count together.
  bool together = false;

  static Limits of(Operation *op) {
    if (!weft::isForGpu(op))
      return {};
    int64_t multiprocessors = weft::Gpu::of(op).multiprocessors;
    return {2 * multiprocessors, 8 * multiprocessors, true};
  }

  int64_t partsOf(int64_t tasks) const {
    return together ? llvm::divideCeil(parts, std::max<int64_t>(tasks, 1))
                    : parts;
  }
};

/// A product begins with fewer tasks than others, and its parts with more
/// steps; where rows are read along, they are parts after a few.
constexpr int64_t fewTiles = 4, mostPartsOfProduct = 16, stepsOfPart = 128;
constexpr int64_t fewRows = 8, stepsOfRows = 16;

/// Vectors of several short rows together, and the steps that are left; in all,
/// elements that some microseconds are spent on.
constexpr int64_t leastVectors = 2, mostVectors = 8, leastSteps = 4;
constexpr int64_t leastElements = 1 << 12;

/// Arrays that leave one of a fraction of their size.
constexpr int64_t leastArrays = 4;

/// Of rows longer than this, all but one vector take longer to be read than
/// that takes to be reduced: as maxima are, in several ops for each step.
int64_t longestShortRow(Operation *combiner, const Machine &machine) {
  int64_t vectors = isa<arith::AddFOp, arith::MulFOp>(combiner) ? 3 : 8;
  return vectors * machine.lanes(combiner->getResult(0).getType());
}

/// The largest number of equal parts from `least` to `most`, or 0.
int64_t partsOf(int64_t extent, int64_t least, int64_t most) {
  for (int64_t parts = std::min(most, extent / 2); parts >= least; --parts)
    if (extent % parts == 0)
      return parts;
  return 0;
}

class SplitReductions final
    : public weft::impl::SplitReductionsBase<SplitReductions> {
  void runOnOperation() override {
    if (!weft::isOptimized(getOperation()))
      return;
    Machine machine = Machine::of(getOperation());
    bool isForGpu = weft::isForGpu(getOperation());
    if (!isForGpu) {
      forOps([&](GenericOp op) { weft::splitSearch(op, machine); });
      forOps([&](GenericOp op) { reduceArraysFirst(op, machine); });
    }
    forOps([&](GenericOp op) { split(op, machine); });
    if (!isForGpu)
      forOps([&](GenericOp op) { widenRows(op, machine); });
  }

  void forOps(llvm::function_ref<void(GenericOp)> visit) {
    SmallVector<GenericOp> ops;
    getOperation().walk([&](GenericOp op) { ops.push_back(op); });
    llvm::for_each(ops, visit);
  }

  /// Has several rows be one, in whose elements they are added up in turn,
  /// where rows are too short for vectors.
  static void widenRows(GenericOp op, const Machine &machine) {
    if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0 ||
        op.getNumDpsInputs() != 1 || op.hasDynamicShape() ||
        op->hasAttr(weft::keepAttr) ||
        !op.getIndexingMapsArray().front().isIdentity())
      return;
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    int64_t row =
        llvm::product_of(ArrayRef(extents).drop_front(reduced.back() + 1));
    Type element = elementOf(op);
    if (!element.isIntOrFloat() || row < 2 ||
        llvm::product_of(extents) < leastElements)
      return;
    int64_t lanes = machine.lanes(element);
    if (row >= 2 * lanes || row % lanes == 0)
      return;
    if (reduced.size() > 1) {
      op = mergeReduced(op);
      if (!op || op.getNumReductionLoops() > 1)
        return;
      reduced.clear();
      op.getReductionDims(reduced);
      extents = op.getStaticLoopRanges();
    }
    unsigned loop = reduced.front();
    int64_t best = 0;
    for (int64_t parts = 2; parts * row <= mostVectors * lanes &&
                            parts * leastSteps <= extents[loop];
         ++parts)
      if (extents[loop] % parts == 0 &&
          (parts * row % lanes == 0 || best * row % lanes != 0))
        best = parts;
    auto splitter = weft::ReductionSplitter::match(op);
    if (best * row >= leastVectors * lanes && splitter &&
        splitter->canSplit(loop))
      splitter->split(loop, best, weft::ReductionSplitter::Order::inTurn);
  }

  /// Where rows, and arrays of rows, are reduced with others between them,
  /// reduces the arrays to one before its rows: vectors are combined as they
  /// are, and in a register each.
  static void reduceArraysFirst(GenericOp op, const Machine &machine) {
    if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() < 2 ||
        op.hasDynamicShape() || op->hasAttr(weft::keepAttr) ||
        ContractionPlan::make(op, machine))
      return;
    auto areInOrder = [](AffineMap map) {
      return map.isProjectedPermutation() &&
             llvm::is_sorted(map.getResults(), [](AffineExpr a, AffineExpr b) {
               return cast<AffineDimExpr>(a).getPosition() <
                      cast<AffineDimExpr>(b).getPosition();
             });
    };
    auto splitter = weft::ReductionSplitter::match(op);
    if (!splitter || !llvm::all_of(op.getIndexingMapsArray(), areInOrder))
      return;
    // What is reduced innermost, in steps of `width` elements each.
    int64_t row = 1, width = 1, arrays = 1, between = 1;
    for (auto [extent, kind] : llvm::zip_equal(op.getStaticLoopRanges(),
                                               op.getIteratorTypesArray())) {
      if (kind == IteratorType::parallel) {
        width *= extent;
      } else if (width == 1) {
        row *= extent;
      } else {
        arrays *= row;
        between *= width;
        row = extent, width = 1;
      }
    }
    if (row == 1 || between == 1 || arrays < leastArrays ||
        (width > 1 && width >= machine.lanes(elementOf(op))) ||
        row * width > longestShortRow(splitter->combiner(), machine) ||
        arrays * between * row * width < leastElements)
      return;
    if (GenericOp merged = mergeReduced(op)) {
      op = merged;
      splitter = weft::ReductionSplitter::match(op);
    }
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    if (splitter && op.getStaticLoopRanges()[reduced.back()] == row)
      splitter->keep(reduced.back());
  }

  static Type elementOf(GenericOp op) {
    return getElementTypeOrSelf(op.getResult(0).getType());
  }

  /// Whether the last dimension of what is reduced is one of the result's.
  static bool walksAlongResults(GenericOp op) {
    SmallVector<IteratorType> kinds = op.getIteratorTypesArray();
    return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *input) {
      AffineMap map = op.getMatchingIndexingMap(input);
      bool isReduced = false;
      for (auto [loop, kind] : llvm::enumerate(kinds))
        isReduced |=
            kind == IteratorType::reduction && map.isFunctionOfDim(loop);
      if (!isReduced)
        return false;
      auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
      return last && kinds[last.getPosition()] == IteratorType::parallel;
    });
  }

  /// Of the loops that are reduced, the one that the first dimension of the
  /// first input is walked along by.
  static unsigned outermostReduced(GenericOp op) {
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    for (AffineExpr expr : op.getIndexingMapsArray().front().getResults())
      for (unsigned loop : reduced)
        if (expr.isFunctionOfDim(loop))
          return loop;
    return reduced.front();
  }

  /// A loop to cut, and into how many parts.
  struct Cut {
    unsigned loop = 0;
    int64_t parts = 0;
  };

  /// The outermost loop that is reduced, whose parts lie together in memory, if
  /// they are enough; otherwise the longest, if possible one along which
  /// elements do not follow each other.
  static Cut findCut(GenericOp op, int64_t enough, int64_t least, int64_t most,
                     bool isProduct) {
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    unsigned outermost = outermostReduced(op);
    int64_t extent = extents[outermost];
    if (int64_t parts = partsOf(extent, enough, most))
      return {outermost, parts};
    // Each step is a part, of which more is reduced.
    if (!isProduct && reduced.size() > 1 && enough <= extent && extent <= most)
      return {outermost, extent};
    auto isInnermost = [&](unsigned loop) {
      AffineMap map = op.getIndexingMapsArray().front();
      return map.getNumResults() > 0 &&
             map.getResults().back().isFunctionOfDim(loop);
    };
    Cut best, last;
    for (unsigned loop : reduced) {
      Cut &cut = isInnermost(loop) ? last : best;
      int64_t parts = partsOf(extents[loop], least, most);
      if (parts > 0 && (cut.parts == 0 || extents[loop] > extents[cut.loop]))
        cut = {loop, parts};
    }
    return best.parts > 0 ? best : last;
  }

  /// Takes dimensions of extent 1 that no loop walks along from the operands.
  static void dropUnitDims(GenericOp op) {
    OpBuilder b(op);
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap &map = maps[input->getOperandNumber()];
      llvm::SmallBitVector dropped(map.getNumResults());
      for (auto [dim, expr] : llvm::enumerate(map.getResults()))
        dropped[dim] =
            isa<AffineConstantExpr>(expr) &&
            cast<ShapedType>(input->get().getType()).getDimSize(dim) == 1;
      if (dropped.none())
        continue;
      input->set(
          tensor::dropGivenUnitDims(b, op.getLoc(), input->get(), dropped));
      map = map.dropResults(dropped);
    }
    op.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
  }

  /// The same op, where reduced loops that follow each other along all operands
  /// are one; null if none do. The operands may have lost unit dimensions.
  static GenericOp mergeReduced(GenericOp op) {
    dropUnitDims(op);
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    auto isPlain = [](AffineMap map) { return map.isProjectedPermutation(); };
    if (op.hasIndexSemantics() || !llvm::all_of(maps, isPlain))
      return {};
    SmallVector<ReassociationIndices> runs;
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
      if (kind != IteratorType::reduction)
        continue;
      bool follows = false;
      if (!runs.empty()) {
        ReassociationIndices longer(runs.back());
        longer.push_back(loop);
        follows = longer[longer.size() - 2] + 1 == longer.back() &&
                  linalg::areDimSequencesPreserved(maps, {longer});
      }
      if (!follows)
        runs.emplace_back();
      runs.back().push_back(loop);
    }
    llvm::erase_if(runs, [](auto &run) { return run.size() < 2; });
    if (runs.empty())
      return {};
    IRRewriter rewriter(op);
    auto merged = linalg::collapseOpIterationDims(op, runs, rewriter);
    if (failed(merged))
      return {};
    rewriter.replaceOp(op, merged->results);
    return cast<GenericOp>(merged->collapsedOp.getOperation());
  }

  static void split(GenericOp op, const Machine &machine) {
    if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() == 0 ||
        op.hasDynamicShape() || op->hasAttr(weft::keepAttr))
      return;
    int64_t results = 1, steps = 1;
    for (auto [extent, kind] : llvm::zip_equal(op.getStaticLoopRanges(),
                                               op.getIteratorTypesArray())) {
      steps *= extent;
      results *= kind == IteratorType::parallel ? extent : 1;
    }
    if (steps < machine.shareFrom)
      return;
    Limits limits = Limits::of(op);
    int64_t most = limits.parts, tasks = 1;
    int64_t least = std::min<int64_t>(7, machine.shareFrom) + 1;
    bool isProduct = false;
    if (auto plan = ContractionPlan::make(op, machine)) {
      bool isAlong = plan->readsRowsAlong(machine);
      auto tiles = weft::TilePlan::make(op, machine);
      int64_t longest = 0;
      isProduct = true;
      // What lies in one direction must do so in each part.
      if (plan->lanesAreTurned)
        if (GenericOp merged = mergeReduced(op))
          return split(merged, machine);
      tasks = tiles ? tiles->numTasks() : plan->tasksOfSum;
      for (unsigned loop : plan->summed)
        longest = std::max(longest, plan->nest.extents[loop]);
      if (tasks >= (isAlong ? fewRows : fewTiles) || plan->lanesAreSummed)
        return;
      most = std::min(mostPartsOfProduct, longest / stepsOfPart);
      if (isAlong) {
        most = std::min<int64_t>(llvm::divideCeil(mostPartsOfProduct, tasks),
                                 longest / stepsOfRows);
        least = 2;
      }
    } else {
      tasks = walksAlongResults(op) ? llvm::divideCeil(results, columnsOfTask)
                                    : results;
      if (tasks >= limits.few)
        return;
      most = limits.partsOf(tasks);
    }
    if (results * most > steps / 2)
      return;
    auto splitter = weft::ReductionSplitter::match(op);
    if (!splitter)
      return;
    int64_t enough = std::max(least, limits.few);
    Cut cut = findCut(op, enough, least, most, isProduct);
    // Parts of what is not the outermost loop are far apart, and short.
    if (!isProduct && (cut.parts < enough || cut.loop != outermostReduced(op)))
      if (GenericOp merged = mergeReduced(op)) {
        op = merged;
        cut = findCut(op, enough, least, most, isProduct);
        splitter = weft::ReductionSplitter::match(op);
      }
    if (cut.parts > 0 && splitter && splitter->canSplit(cut.loop))
      splitter->split(cut.loop, cut.parts);
  }
};

} // namespace
