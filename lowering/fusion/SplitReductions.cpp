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
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

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
    if (!isForGpu)
      forOps([&](GenericOp op) { weft::splitSearch(op, machine); });
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
    if (!op.hasPureTensorSemantics() || op.getNumReductionLoops() != 1 ||
        op.getNumDpsInputs() != 1 || op.hasDynamicShape() ||
        op->hasAttr(weft::keepAttr) ||
        !op.getIndexingMapsArray().front().isIdentity())
      return;
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    unsigned loop = reduced.front();
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    int64_t row = llvm::product_of(ArrayRef(extents).drop_front(loop + 1));
    Type element = getElementTypeOrSelf(op.getResult(0).getType());
    if (!element.isIntOrFloat() || row < 2 ||
        llvm::product_of(extents) < leastElements)
      return;
    int64_t lanes = machine.lanes(element);
    if (row >= 2 * lanes || row % lanes == 0)
      return;
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
  static unsigned outermostReduced(GenericOp op, ArrayRef<unsigned> reduced) {
    for (AffineExpr expr : op.getIndexingMapsArray().front().getResults())
      for (unsigned loop : reduced)
        if (expr.isFunctionOfDim(loop))
          return loop;
    return reduced.front();
  }

  /// The loop to cut into parts.
  static unsigned longestOf(GenericOp op, const Limits &limits, int64_t least,
                            int64_t most) {
    SmallVector<unsigned> reduced;
    op.getReductionDims(reduced);
    SmallVector<int64_t> extents = op.getStaticLoopRanges();
    // Parts of the outermost lie together in memory, if they are enough.
    unsigned outermost = outermostReduced(op, reduced);
    if (partsOf(extents[outermost], std::max(least, limits.few), most))
      return outermost;
    return *llvm::max_element(reduced, [&](unsigned a, unsigned b) {
      return extents[a] < extents[b];
    });
  }

  /// The same op, where reduced loops that follow each other along all operands
  /// are one; null if none do.
  static GenericOp mergeReduced(GenericOp op) {
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
    auto findParts = [&](unsigned &loop) {
      loop = longestOf(op, limits, least, most);
      return partsOf(op.getStaticLoopRanges()[loop], least, most);
    };
    auto splitter = weft::ReductionSplitter::match(op);
    if (!splitter)
      return;
    unsigned loop;
    int64_t parts = findParts(loop);
    if (!isProduct && tasks * parts < limits.few)
      if (GenericOp merged = mergeReduced(op)) {
        op = merged;
        parts = findParts(loop);
        splitter = weft::ReductionSplitter::match(op);
      }
    if (parts > 0 && splitter && splitter->canSplit(loop))
      splitter->split(loop, parts);
  }
};

} // namespace
